// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses from text, and packets with checksums that are made over all of
 * the packet, not mended.
 */
#include <linux/inet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <asm/unaligned.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "test.h"

u8 clb_test_addr(struct kunit *test, const char *text,
		 union nf_inet_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (in4_pton(text, -1, (u8 *)&addr->ip, -1, NULL))
		return NFPROTO_IPV4;
	KUNIT_ASSERT_TRUE(test, in6_pton(text, -1, addr->in6.s6_addr, -1,
					 NULL));
	return NFPROTO_IPV6;
}

struct clb_endpoint clb_test_endpoint(struct kunit *test, const char *addr,
				      u16 port, u8 protocol)
{
	struct clb_endpoint endpoint = {
		.port = htons(port), .protocol = protocol,
	};

	endpoint.family = clb_test_addr(test, addr, &endpoint.addr);
	return endpoint;
}

struct clb_tuple clb_test_tuple(struct kunit *test, const char *src, u16 sport,
				const char *dst, u16 dport, u8 protocol)
{
	struct clb_tuple tuple = {
		.sport = htons(sport), .dport = htons(dport),
		.protocol = protocol,
	};

	clb_test_addr(test, src, &tuple.src);
	tuple.family = clb_test_addr(test, dst, &tuple.dst);
	return tuple;
}

unsigned int clb_test_thoff(u8 family)
{
	return family == NFPROTO_IPV4 ? sizeof(struct iphdr) :
					sizeof(struct ipv6hdr);
}

static unsigned int transport_len(u8 protocol)
{
	return protocol == IPPROTO_TCP ? sizeof(struct tcphdr) :
					 sizeof(struct udphdr);
}

static void network_put(struct sk_buff *skb, const struct clb_tuple *t,
			unsigned int len)
{
	struct ipv6hdr *ip6;
	struct iphdr *ip4;

	skb_reset_network_header(skb);
	if (t->family == NFPROTO_IPV6) {
		ip6 = skb_put_zero(skb, sizeof(*ip6));
		ip6->version = 6;
		ip6->payload_len = htons(len);
		ip6->nexthdr = t->protocol;
		ip6->hop_limit = 64;
		ip6->saddr = t->src.in6;
		ip6->daddr = t->dst.in6;
		skb->protocol = htons(ETH_P_IPV6);
		return;
	}
	ip4 = skb_put_zero(skb, sizeof(*ip4));
	ip4->version = 4;
	ip4->ihl = 5;
	ip4->id = htons(0x1234);
	ip4->ttl = 64;
	ip4->tot_len = htons(sizeof(*ip4) + len);
	ip4->protocol = t->protocol;
	ip4->saddr = t->src.ip;
	ip4->daddr = t->dst.ip;
	ip_send_check(ip4);
	skb->protocol = htons(ETH_P_IP);
}

/* Returns where the checksum belongs. */
static __sum16 *transport_put(struct sk_buff *skb,
			      const struct clb_test_packet *p,
			      unsigned int len)
{
	const struct clb_tuple *t = &p->tuple;
	struct tcphdr *th;
	struct udphdr *uh;

	skb_set_transport_header(skb, skb->len);
	if (t->protocol == IPPROTO_TCP) {
		th = skb_put_zero(skb, sizeof(*th));
		th->source = t->sport;
		th->dest = t->dport;
		th->seq = htonl(0x01020304);
		th->ack_seq = htonl(0x05060708);
		th->doff = (sizeof(*th) + p->nr_options) / 4;
		th->ack = 1;
		th->window = htons(1000);
		skb_put_data(skb, p->options, p->nr_options);
		return &th->check;
	}
	uh = skb_put_zero(skb, sizeof(*uh));
	uh->source = t->sport;
	uh->dest = t->dport;
	uh->len = htons(len);
	return &uh->check;
}

static __sum16 pseudo(const struct clb_tuple *t, unsigned int len, __wsum sum)
{
	if (t->family == NFPROTO_IPV4)
		return csum_tcpudp_magic(t->src.ip, t->dst.ip, len,
					 t->protocol, sum);
	return csum_ipv6_magic(&t->src.in6, &t->dst.in6, len, t->protocol,
			       sum);
}

static void check_put(struct sk_buff *skb, const struct clb_test_packet *p,
		      __sum16 *check, unsigned int len)
{
	u8 *transport = skb_transport_header(skb);

	if (p->no_check)
		return;
	if (p->summed == CHECKSUM_PARTIAL) {
		*check = ~pseudo(&p->tuple, len, 0);
		return;
	}
	*check = pseudo(&p->tuple, len, csum_partial(transport, len, 0));
	if (!*check && p->tuple.protocol == IPPROTO_UDP)
		*check = CSUM_MANGLED_0;
}

/* The packet, its data at the network header; freed with the test. */
struct sk_buff *clb_test_skb(struct kunit *test,
			     const struct clb_test_packet *p)
{
	unsigned int len = transport_len(p->tuple.protocol) + p->nr_options +
			   p->payload;
	struct sk_buff *skb;
	__sum16 *check;
	u8 *payload;

	skb = alloc_skb(128 + clb_test_thoff(p->tuple.family) + len,
			GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, 128);
	network_put(skb, &p->tuple, len);
	check = transport_put(skb, p, len);
	payload = skb_put(skb, p->payload);
	memset(payload, 'x', p->payload);
	if (p->payload >= sizeof(p->word))
		put_unaligned_be16(p->word, payload);
	check_put(skb, p, check, len);
	skb->ip_summed = p->summed;
	if (p->summed == CHECKSUM_PARTIAL) {
		skb->csum_start = skb_transport_header(skb) - skb->head;
		skb->csum_offset = (u8 *)check - skb_transport_header(skb);
	} else if (p->summed == CHECKSUM_COMPLETE) {
		skb->csum = csum_partial(skb->data, skb->len, 0);
	}
	return skb;
}
