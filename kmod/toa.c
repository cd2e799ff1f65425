// SPDX-License-Identifier: GPL-2.0
/*
 * The client's address, told to a server of FNAT by an option of the SYN, known
 * as TOA (Documentation/client-address.rst):
 *
 *	+----------+------------+-----------------------+
 *	| kind 254 | length 8   | client's port         |
 *	+----------+------------+-----------------------+
 *	| client's IPv4 address; IPv6: length 20        |
 *	+-----------------------------------------------+
 *
 * Checksums follow as in translate.c: a wrong one stays wrong.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/tcp.h>

#include "toa.h"
#include "toa_options.h"
#include "translate.h"

#define CLB_TCP_HLEN_MAX 60

/**
 * struct toa - the option; an IPv4 address takes only part of @addr
 * @kind: CLB_TOA_KIND
 * @len: of all of it
 * @port: the client's, network order
 * @addr: the client's
 */
struct toa {
	u8			kind;
	u8			len;
	__be16			port;
	union nf_inet_addr	addr;
};

static struct tcphdr *tcp_at(const struct sk_buff *skb, unsigned int thoff)
{
	return (struct tcphdr *)(skb->data + thoff);
}

/* All of the header in one piece, and nobody else's. */
static int header_own(struct sk_buff *skb, unsigned int thoff)
{
	return skb_ensure_writable(skb, thoff + tcp_at(skb, thoff)->doff * 4);
}

static __wsum header_sum(const struct sk_buff *skb, unsigned int thoff)
{
	const struct tcphdr *th = tcp_at(skb, thoff);

	return csum_partial(th, th->doff * 4, 0);
}

/**
 * clb_toa_erase() - take out what a client says of its address itself
 * @skb: a SYN, data at the network header, decoded
 * @thoff: offset of the TCP header
 *
 * Return: 1: there was something, 0: there was nothing, or -ENOMEM.
 * Context: any; pointers into the packet are void afterwards.
 */
int clb_toa_erase(struct sk_buff *skb, unsigned int thoff)
{
	struct tcphdr *th;
	__wsum before;

	if (unlikely(header_own(skb, thoff)))
		return -ENOMEM;
	th = tcp_at(skb, thoff);
	before = header_sum(skb, thoff);
	if (likely(!clb_toa_options_erase((u8 *)(th + 1),
					  th->doff * 4 - sizeof(*th))))
		return 0;
	clb_check_update(skb, &th->check, 0,
			 csum_sub(header_sum(skb, thoff), before));
	return 1;
}

/* The link's header that came before the packet, if it is still known. */
static unsigned int link_len(const struct sk_buff *skb)
{
	return skb_mac_header_was_set(skb) ? -skb_mac_offset(skb) : 0;
}

/*
 * All before @end moves to the front: that is less than what may be behind it,
 * and that may not be linear. @skb has the room.
 */
static void head_move(struct sk_buff *skb, unsigned int end, unsigned int len)
{
	unsigned int link = link_len(skb);
	u8 *from = skb->data - link;

	memmove(from - len, from, link + end);
	__skb_push(skb, len);
	if (skb_mac_header_was_set(skb))
		skb->mac_header -= len;
	skb->network_header -= len;
	skb->transport_header -= len;
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb->csum_start -= len;
}

static void network_grow(struct sk_buff *skb, unsigned int len)
{
	struct ipv6hdr *ip6h;
	struct iphdr *iph;
	__be16 to;

	if (skb->protocol == htons(ETH_P_IP)) {
		iph = (struct iphdr *)skb->data;
		to = htons(ntohs(iph->tot_len) + len);
		csum_replace2(&iph->check, iph->tot_len, to);
		iph->tot_len = to;
		return;
	}
	ip6h = (struct ipv6hdr *)skb->data;
	ip6h->payload_len = htons(ntohs(ip6h->payload_len) + len);
}

/**
 * clb_toa_put() - tell a server its client
 * @skb: a SYN, data at the network header, transport header set, decoded
 * @thoff: offset of the TCP header
 * @client: its source is the client; its family need not be the packet's
 * @mtu: largest packet that the way to the server takes
 *
 * The option comes first: nothing in what the client has there can hide it.
 *
 * Return: 0; -ENOSPC: no room, or -ENOMEM: the packet is as it was.
 * Context: any; pointers into the packet are void afterwards.
 */
int clb_toa_put(struct sk_buff *skb, unsigned int thoff,
		const struct clb_tuple *client, unsigned int mtu)
{
	struct toa toa = {
		.kind = CLB_TOA_KIND,
		.len = offsetof(struct toa, addr) +
		       clb_addr_len(client->family),
		.port = client->sport, .addr = client->src,
	};
	unsigned int end = thoff + sizeof(struct tcphdr);
	struct tcphdr *th;
	__wsum before;

	if (tcp_at(skb, thoff)->doff * 4 + toa.len > CLB_TCP_HLEN_MAX ||
	    skb->len + toa.len > mtu)
		return -ENOSPC;
	if (unlikely(header_own(skb, thoff) ||
		     skb_cow_head(skb, link_len(skb) + toa.len)))
		return -ENOMEM;
	before = header_sum(skb, thoff);
	head_move(skb, end, toa.len);
	memcpy(skb->data + end, &toa, toa.len);
	network_grow(skb, toa.len);
	th = tcp_at(skb, thoff);
	th->doff += toa.len / 4;
	/* the pseudo header has the length, too */
	clb_check_update(skb, &th->check, (__force __wsum)htons(toa.len),
			 csum_sub(header_sum(skb, thoff), before));
	return 0;
}
