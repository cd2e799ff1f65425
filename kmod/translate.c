// SPDX-License-Identifier: GPL-2.0
/*
 * Translation of addresses and ports. A packet is rewritten to a tuple: only
 * what differs is touched, checksums follow incrementally (RFC 1624).
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "packet.h"
#include "translate.h"

static void address4_set(struct sk_buff *skb, struct iphdr *iph, __be32 *addr,
			 __be32 to, __sum16 *check)
{
	if (*addr == to)
		return;
	if (check)
		inet_proto_csum_replace4(check, skb, *addr, to, true);
	csum_replace4(&iph->check, *addr, to);
	*addr = to;
}

static void address6_set(struct sk_buff *skb, struct in6_addr *addr,
			 const struct in6_addr *to, __sum16 *check)
{
	if (ipv6_addr_equal(addr, to))
		return;
	if (check)
		inet_proto_csum_replace16(check, skb, addr->s6_addr32,
					  to->s6_addr32, true);
	*addr = *to;
}

/* @check is the transport's checksum, NULL where it covers no addresses. */
static void addresses_set(struct sk_buff *skb, void *network,
			  const struct clb_tuple *to, __sum16 *check)
{
	struct ipv6hdr *ip6h = network;
	struct iphdr *iph = network;

	if (to->family == NFPROTO_IPV4) {
		address4_set(skb, iph, &iph->saddr, to->src.ip, check);
		address4_set(skb, iph, &iph->daddr, to->dst.ip, check);
	} else {
		address6_set(skb, &ip6h->saddr, &to->src.in6, check);
		address6_set(skb, &ip6h->daddr, &to->dst.in6, check);
	}
}

static void port_set(struct sk_buff *skb, __be16 *port, __be16 to,
		     __sum16 *check)
{
	if (*port == to)
		return;
	if (check)
		inet_proto_csum_replace2(check, skb, *port, to, false);
	*port = to;
}

static unsigned int transport_len(u8 protocol)
{
	return protocol == IPPROTO_TCP ? sizeof(struct tcphdr) :
					 sizeof(struct udphdr);
}

/* A UDP checksum of 0 means none was made: then there is none to mend. */
static __sum16 *transport_check(const struct sk_buff *skb, u8 protocol,
				void *transport)
{
	struct udphdr *uh = transport;

	if (protocol == IPPROTO_TCP)
		return &((struct tcphdr *)transport)->check;
	if (uh->check || skb->ip_summed == CHECKSUM_PARTIAL)
		return &uh->check;
	return NULL;
}

/* Ports are at the same place in TCP and UDP. */
static void ports_set(struct sk_buff *skb, struct udphdr *ports,
		      const struct clb_tuple *to, __sum16 *check)
{
	port_set(skb, &ports->source, to->sport, check);
	port_set(skb, &ports->dest, to->dport, check);
	if (check && to->protocol == IPPROTO_UDP && !*check)
		*check = CSUM_MANGLED_0;
}

/**
 * clb_translate() - rewrite a TCP or UDP packet
 * @skb: data at the network header
 * @thoff: offset of the transport header
 * @to: what it becomes; of the packet's family and protocol
 *
 * Return: 0 or -ENOMEM, the packet unchanged.
 * Context: any; pointers into the packet are void afterwards.
 */
int clb_translate(struct sk_buff *skb, unsigned int thoff,
		  const struct clb_tuple *to)
{
	void *transport;
	__sum16 *check;
	int err;

	err = skb_ensure_writable(skb, thoff + transport_len(to->protocol));
	if (unlikely(err))
		return err;
	transport = skb->data + thoff;
	check = transport_check(skb, to->protocol, transport);
	addresses_set(skb, skb->data, to, check);
	ports_set(skb, transport, to, check);
	return 0;
}

/* The quoted checksum may be cut off; then nobody can look at it either. */
static __sum16 *embedded_check(const struct sk_buff *skb, unsigned int thoff,
			       u8 protocol)
{
	struct udphdr *uh = (struct udphdr *)(skb->data + thoff);
	struct tcphdr *th = (struct tcphdr *)(skb->data + thoff);

	if (protocol == IPPROTO_UDP)
		return uh->check ? &uh->check : NULL;
	if (thoff + offsetofend(struct tcphdr, check) > skb->len)
		return NULL;
	return &th->check;
}

static void icmp4_checksum(struct sk_buff *skb, unsigned int thoff)
{
	struct icmphdr *icmph = (struct icmphdr *)(skb->data + thoff);

	icmph->checksum = 0;
	icmph->checksum = csum_fold(skb_checksum(skb, thoff, skb->len - thoff,
						 0));
}

static void icmp6_checksum(struct sk_buff *skb, unsigned int thoff)
{
	struct icmp6hdr *icmph = (struct icmp6hdr *)(skb->data + thoff);
	struct ipv6hdr *iph = (struct ipv6hdr *)skb->data;
	unsigned int len = skb->len - thoff;

	icmph->icmp6_cksum = 0;
	icmph->icmp6_cksum = csum_ipv6_magic(&iph->saddr, &iph->daddr, len,
					     IPPROTO_ICMPV6,
					     skb_checksum(skb, thoff, len, 0));
}

/**
 * clb_translate_icmp() - rewrite an ICMP error and the packet it quotes
 * @skb: data at the network header; checksum verified
 * @thoff: offset of the ICMP header
 * @to: what the error becomes: the quoted packet is rewritten to its inverse
 *
 * Return: 0, -EINVAL where nothing of use is quoted, or -ENOMEM.
 * Context: any; pointers into the packet are void afterwards.
 */
int clb_translate_icmp(struct sk_buff *skb, unsigned int thoff,
		       const struct clb_tuple *to)
{
	unsigned int inner = thoff + sizeof(struct icmphdr);
	struct clb_tuple quoted;
	struct clb_packet pkt;
	unsigned int l4;
	__sum16 *check;

	if (skb_ensure_writable(skb, skb->len))
		return -ENOMEM;
	if (clb_packet_parse_embedded(skb->data + inner, skb->len - inner,
				      skb->len - inner, to->family, &pkt) !=
	    CLB_PARSE_DONE || pkt.kind != CLB_PACKET_FLOW)
		return -EINVAL;
	skb->ip_summed = CHECKSUM_NONE;
	l4 = inner + pkt.thoff;
	clb_tuple_invert(&quoted, to);
	check = embedded_check(skb, l4, to->protocol);
	addresses_set(skb, skb->data + inner, &quoted, check);
	ports_set(skb, (struct udphdr *)(skb->data + l4), &quoted, check);
	addresses_set(skb, skb->data, to, NULL);
	if (to->family == NFPROTO_IPV4)
		icmp4_checksum(skb, thoff);
	else
		icmp6_checksum(skb, thoff);
	return 0;
}
