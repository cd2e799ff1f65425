// SPDX-License-Identifier: GPL-2.0
/*
 * Translation: a packet goes in, and what comes out is, byte for byte, the
 * packet that build.c makes of the new addresses and ports.
 */
#include <asm/unaligned.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>

#include "../translate.h"
#include "test.h"

static const struct translate_case {
	const char	*name;
	u8		family;
	u8		protocol;
	u8		summed;
	bool		no_check;
} cases[] = {
	{ "TCP over IPv4", 4, IPPROTO_TCP, CHECKSUM_NONE },
	{ "TCP over IPv4, partial", 4, IPPROTO_TCP, CHECKSUM_PARTIAL },
	{ "TCP over IPv4, complete", 4, IPPROTO_TCP, CHECKSUM_COMPLETE },
	{ "UDP over IPv4", 4, IPPROTO_UDP, CHECKSUM_NONE },
	{ "UDP over IPv4, partial", 4, IPPROTO_UDP, CHECKSUM_PARTIAL },
	{ "UDP over IPv4, complete", 4, IPPROTO_UDP, CHECKSUM_COMPLETE },
	{ "UDP over IPv4, none", 4, IPPROTO_UDP, CHECKSUM_NONE, true },
	{ "TCP over IPv6", 6, IPPROTO_TCP, CHECKSUM_NONE },
	{ "TCP over IPv6, partial", 6, IPPROTO_TCP, CHECKSUM_PARTIAL },
	{ "TCP over IPv6, complete", 6, IPPROTO_TCP, CHECKSUM_COMPLETE },
	{ "UDP over IPv6", 6, IPPROTO_UDP, CHECKSUM_NONE },
	{ "UDP over IPv6, partial", 6, IPPROTO_UDP, CHECKSUM_PARTIAL },
	{ "UDP over IPv6, complete", 6, IPPROTO_UDP, CHECKSUM_COMPLETE },
	{ "UDP over IPv6, none", 6, IPPROTO_UDP, CHECKSUM_NONE, true },
};

static void case_name(const struct translate_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(translate, cases, case_name);

/* Client to VIP, and server to local address. */
static void tuples(struct kunit *test, u8 family, u8 protocol,
		   struct clb_tuple *in, struct clb_tuple *other)
{
	if (family == 4) {
		*in = clb_test_tuple(test, "192.0.2.77", 40001, "203.0.113.1",
				     80, protocol);
		*other = clb_test_tuple(test, "198.51.100.11", 8080,
					"198.51.100.1", 50000, protocol);
		return;
	}
	*in = clb_test_tuple(test, "2001:db8:c::77", 40001, "2001:db8:f::1",
			     80, protocol);
	*other = clb_test_tuple(test, "2001:db8:5::11", 8080, "2001:db8:5::1",
				50000, protocol);
}

/* Does the device's sum still fit what it is over? */
static bool complete_fits(const struct sk_buff *skb)
{
	__wsum sum = csum_partial(skb->data, skb->len, 0);

	return !csum_fold(csum_sub(skb->csum, sum)) ||
	       csum_fold(csum_sub(skb->csum, sum)) == CSUM_MANGLED_0;
}

static void translate_one(struct kunit *test, struct clb_test_packet *packet,
			  const struct clb_tuple *other)
{
	unsigned int thoff = clb_test_thoff(packet->tuple.family);
	struct clb_test_packet out = *packet;
	struct sk_buff *skb, *want;

	skb = clb_test_skb(test, packet);
	clb_tuple_invert(&out.tuple, other);
	want = clb_test_skb(test, &out);
	KUNIT_EXPECT_EQ(test, clb_translate(skb, thoff, other), 0);
	KUNIT_EXPECT_EQ(test, skb->len, want->len);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(skb->data, want->data, want->len), 0,
			    "payload %u word %x: got %*ph want %*ph",
			    packet->payload, packet->word, (int)thoff + 20,
			    skb->data, (int)thoff + 20, want->data);
	KUNIT_EXPECT_EQ(test, (u8)skb->ip_summed, packet->summed);
	if (packet->summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_TRUE(test, complete_fits(skb));
	kfree_skb(skb);
	kfree_skb(want);
}

static void translates(struct kunit *test)
{
	static const unsigned int payloads[] = { 0, 1, 2, 7, 64, 1001 };
	const struct translate_case *c = test->param_value;
	struct clb_test_packet packet = {
		.summed = c->summed, .no_check = c->no_check,
	};
	struct clb_tuple other;
	unsigned int i;

	tuples(test, c->family, c->protocol, &packet.tuple, &other);
	for (i = 0; i < ARRAY_SIZE(payloads); i++) {
		packet.payload = payloads[i];
		translate_one(test, &packet, &other);
	}
}

/* The payload that makes the checksum of a packet 0. */
static u16 word_for_zero(struct kunit *test, const struct clb_tuple *tuple)
{
	const struct clb_test_packet packet = { .tuple = *tuple, .payload = 2 };
	struct sk_buff *skb = clb_test_skb(test, &packet);
	unsigned int at = tuple->protocol == IPPROTO_TCP ? 16 : 6;
	u16 word = get_unaligned_be16(skb_transport_header(skb) + at);

	kfree_skb(skb);
	return word;
}

/* Checksums at the ends of the ones' complement, before and after. */
static void translates_zero(struct kunit *test)
{
	const struct translate_case *c = test->param_value;
	struct clb_test_packet packet = {
		.summed = c->summed, .no_check = c->no_check, .payload = 2,
	};
	struct clb_tuple other, out;
	u16 before, after;
	int i;

	tuples(test, c->family, c->protocol, &packet.tuple, &other);
	clb_tuple_invert(&out, &other);
	before = word_for_zero(test, &packet.tuple);
	after = word_for_zero(test, &out);
	for (i = -3; i <= 3; i++) {
		packet.word = before + i;
		translate_one(test, &packet, &other);
		packet.word = after + i;
		translate_one(test, &packet, &other);
	}
}

/*
 * Of a packet in a packet the device makes the checksum inside; that outside
 * is whole, none, or left to the device as well, once the packet is cut up.
 */
static void translates_outer(struct kunit *test)
{
	const struct translate_case *c = test->param_value;
	struct clb_test_packet packet = {
		.summed = c->summed, .no_check = c->no_check, .payload = 100,
	};
	struct sk_buff *skb, *want;
	struct clb_tuple other;
	unsigned int thoff;

	if (c->protocol != IPPROTO_UDP)
		return;
	tuples(test, c->family, c->protocol, &packet.tuple, &other);
	thoff = clb_test_thoff(other.family);
	skb = clb_test_skb(test, &packet);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb_shinfo(skb)->gso_type = SKB_GSO_UDP_TUNNEL_CSUM;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) + thoff + 36;
	clb_tuple_invert(&packet.tuple, &other);
	want = clb_test_skb(test, &packet);
	KUNIT_EXPECT_EQ(test, clb_translate(skb, thoff, &other), 0);
	KUNIT_EXPECT_EQ(test, memcmp(skb->data, want->data, want->len), 0);
	kfree_skb(skb);
	kfree_skb(want);
}

/* Nobody else's copy of the packet changes with it. */
static void spares_clones(struct kunit *test)
{
	struct clb_test_packet packet = { .payload = 10 };
	struct sk_buff *skb, *clone, *before;
	struct clb_tuple other;

	tuples(test, 4, IPPROTO_TCP, &packet.tuple, &other);
	skb = clb_test_skb(test, &packet);
	before = clb_test_skb(test, &packet);
	clone = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);
	KUNIT_EXPECT_EQ(test, clb_translate(skb, sizeof(struct iphdr), &other),
			0);
	KUNIT_EXPECT_EQ(test, memcmp(clone->data, before->data, before->len),
			0);
	KUNIT_EXPECT_NE(test, memcmp(skb->data, before->data, before->len), 0);
	kfree_skb(skb);
	kfree_skb(clone);
	kfree_skb(before);
}

static __sum16 icmp_sum(const struct sk_buff *skb, unsigned int thoff)
{
	const struct ipv6hdr *ip6 = (const void *)skb->data;
	unsigned int len = skb->len - thoff;
	__wsum sum = csum_partial(skb->data + thoff, len, 0);

	if (skb->protocol == htons(ETH_P_IP))
		return csum_fold(sum);
	return csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len, IPPROTO_ICMPV6,
			       sum);
}

/*
 * An ICMP error of the addresses of @outer that quotes @quoted bytes of a
 * packet of @inner.
 */
static struct sk_buff *error_skb(struct kunit *test,
				 const struct clb_tuple *outer,
				 const struct clb_test_packet *inner,
				 unsigned int quoted)
{
	struct clb_test_packet packet = { .tuple = *outer };
	struct sk_buff *skb, *quote = clb_test_skb(test, inner);
	unsigned int thoff = clb_test_thoff(outer->family);
	bool v4 = outer->family == NFPROTO_IPV4;

	quoted = min(quoted, quote->len);
	packet.tuple.protocol = IPPROTO_UDP;
	packet.payload = quoted;
	skb = clb_test_skb(test, &packet);
	memcpy(skb->data + thoff + 8, quote->data, quoted);
	memset(skb->data + thoff, 0, 8);
	skb->data[thoff] = v4 ? ICMP_TIME_EXCEEDED : ICMPV6_TIME_EXCEED;
	if (v4) {
		((struct iphdr *)skb->data)->protocol = IPPROTO_ICMP;
		ip_send_check((struct iphdr *)skb->data);
	} else {
		((struct ipv6hdr *)skb->data)->nexthdr = IPPROTO_ICMPV6;
	}
	*(__sum16 *)(skb->data + thoff + 2) = icmp_sum(skb, thoff);
	kfree_skb(quote);
	return skb;
}

/*
 * A server's error about the packet it got becomes an error, as the VIP's,
 * about the packet that the client sent.
 */
static void translates_errors(struct kunit *test)
{
	static const unsigned int quotes[] = { 28, 48, 49, 60, 500 };
	const struct translate_case *c = test->param_value;
	struct clb_test_packet sent = {
		.payload = 100, .no_check = c->no_check,
	}, seen = sent;
	struct clb_tuple original, reply, back;
	unsigned int i;

	tuples(test, c->family, c->protocol, &original, &reply);
	sent.tuple = original;
	clb_tuple_invert(&seen.tuple, &reply);
	clb_tuple_invert(&back, &original);
	for (i = 0; i < ARRAY_SIZE(quotes); i++) {
		unsigned int thoff = clb_test_thoff(original.family);
		struct sk_buff *skb, *want;

		if (quotes[i] < thoff + 8)
			continue;
		skb = error_skb(test, &reply, &seen, quotes[i]);
		want = error_skb(test, &back, &sent, quotes[i]);
		KUNIT_EXPECT_EQ(test, clb_translate_icmp(skb, thoff,
							 &original), 0);
		KUNIT_EXPECT_EQ(test, skb->len, want->len);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(skb->data, want->data,
						 want->len), 0,
				    "%u quoted: got %*ph want %*ph",
				    quotes[i], 64, skb->data, 64, want->data);
		kfree_skb(skb);
		kfree_skb(want);
	}
}

static void refuses_short_errors(struct kunit *test)
{
	struct clb_test_packet seen = { .payload = 10 };
	struct clb_tuple original, reply;
	struct sk_buff *skb;

	tuples(test, 4, IPPROTO_TCP, &original, &reply);
	clb_tuple_invert(&seen.tuple, &reply);
	skb = error_skb(test, &reply, &seen, 27);
	KUNIT_EXPECT_EQ(test, clb_translate_icmp(skb, 20, &original), -EINVAL);
	kfree_skb(skb);
}

static struct kunit_case translate_cases[] = {
	KUNIT_CASE_PARAM(translates, translate_gen_params),
	KUNIT_CASE_PARAM(translates_zero, translate_gen_params),
	KUNIT_CASE_PARAM(translates_outer, translate_gen_params),
	KUNIT_CASE_PARAM(translates_errors, translate_gen_params),
	KUNIT_CASE(spares_clones),
	KUNIT_CASE(refuses_short_errors),
	{}
};

struct kunit_suite clb_test_translate = {
	.name = "clb_translate",
	.test_cases = translate_cases,
};
