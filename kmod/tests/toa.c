// SPDX-License-Identifier: GPL-2.0
/*
 * The client's address in a SYN: a packet goes in, and what comes out is, byte
 * for byte, the packet that build.c makes of the new options.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>

#include "../toa.h"
#include "test.h"

static const struct toa_case {
	const char	*name;
	u8		family;
	u8		client;
	u8		summed;
} cases[] = {
	{ "IPv4", 4, 4, CHECKSUM_NONE },
	{ "IPv4, unnecessary", 4, 4, CHECKSUM_UNNECESSARY },
	{ "IPv4, partial", 4, 4, CHECKSUM_PARTIAL },
	{ "IPv4, complete", 4, 4, CHECKSUM_COMPLETE },
	{ "IPv6", 6, 6, CHECKSUM_NONE },
	{ "IPv6, unnecessary", 6, 6, CHECKSUM_UNNECESSARY },
	{ "IPv6, partial", 6, 6, CHECKSUM_PARTIAL },
	{ "IPv6, complete", 6, 6, CHECKSUM_COMPLETE },
	{ "IPv6 in IPv4", 4, 6, CHECKSUM_NONE },
	{ "IPv6 in IPv4, partial", 4, 6, CHECKSUM_PARTIAL },
	{ "IPv6 in IPv4, complete", 4, 6, CHECKSUM_COMPLETE },
	{ "IPv4 in IPv6", 6, 4, CHECKSUM_NONE },
	{ "IPv4 in IPv6, partial", 6, 4, CHECKSUM_PARTIAL },
	{ "IPv4 in IPv6, complete", 6, 4, CHECKSUM_COMPLETE },
};

static void case_name(const struct toa_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(toa, cases, case_name);

/* Of a client at port 40001. */
static const u8 option4[] = { 254, 8, 0x9c, 0x41, 192, 0, 2, 77 };
static const u8 option6[] = {
	254, 20, 0x9c, 0x41, 0x20, 0x01, 0x0d, 0xb8, 0, 0x0c, 0, 0,
	0, 0, 0, 0, 0, 0, 0, 0x77,
};

/* MSS, SACK, timestamps, window scale, as Linux has them. */
static const u8 usual[] = {
	2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7,
};

static struct clb_tuple tuple_of(struct kunit *test, u8 family)
{
	return family == 4 ?
	       clb_test_tuple(test, "192.0.2.77", 40001, "203.0.113.1", 80,
			      IPPROTO_TCP) :
	       clb_test_tuple(test, "2001:db8:c::77", 40001, "2001:db8:f::1",
			      80, IPPROTO_TCP);
}

static const u8 *option_of(u8 family, unsigned int *len)
{
	*len = family == 4 ? sizeof(option4) : sizeof(option6);
	return family == 4 ? option4 : option6;
}

#define LINK_LEN 14

static void link_put(struct sk_buff *skb)
{
	memset(skb->data - LINK_LEN, 0xee, LINK_LEN);
	skb_set_mac_header(skb, -LINK_LEN);
}

static bool complete_fits(const struct sk_buff *skb)
{
	__wsum sum = csum_partial(skb->data, skb->len, 0);
	__sum16 left = csum_fold(csum_sub(skb->csum, sum));

	return !left || left == CSUM_MANGLED_0;
}

static void expect_same(struct kunit *test, const struct sk_buff *skb,
			const struct sk_buff *want, unsigned int thoff)
{
	KUNIT_EXPECT_EQ(test, skb->len, want->len);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(skb->data, want->data, want->len), 0,
			    "%u bytes: got %*ph want %*ph", want->len,
			    (int)min(64U, skb->len), skb->data,
			    (int)min(64U, want->len), want->data);
	KUNIT_EXPECT_EQ(test, (u8)skb->ip_summed, (u8)want->ip_summed);
	KUNIT_EXPECT_EQ(test, skb_network_offset(skb), 0);
	KUNIT_EXPECT_EQ(test, skb_transport_offset(skb), (int)thoff);
	KUNIT_EXPECT_EQ(test, skb_mac_offset(skb), -LINK_LEN);
	KUNIT_EXPECT_EQ(test, skb_mac_header(skb)[0], 0xee);
	KUNIT_EXPECT_EQ(test, skb_mac_header(skb)[LINK_LEN - 1], 0xee);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		KUNIT_EXPECT_EQ(test, skb_checksum_start_offset(skb),
				(int)thoff);
	if (skb->ip_summed == CHECKSUM_COMPLETE)
		KUNIT_EXPECT_TRUE(test, complete_fits(skb));
}

static void put_one(struct kunit *test, const struct clb_test_packet *packet,
		    u8 client_family, bool cramped)
{
	struct clb_tuple client = tuple_of(test, client_family);
	unsigned int thoff = clb_test_thoff(packet->tuple.family);
	struct clb_test_packet out = *packet;
	struct sk_buff *skb, *want, *copy;
	u8 options[40];
	const u8 *toa;
	unsigned int len;

	toa = option_of(client_family, &len);
	memcpy(options, toa, len);
	if (packet->nr_options)
		memcpy(options + len, packet->options, packet->nr_options);
	out.options = options;
	out.nr_options = packet->nr_options + len;
	skb = clb_test_skb(test, packet);
	link_put(skb);
	if (cramped) {
		copy = skb_copy_expand(skb, LINK_LEN, 0, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, copy);
		kfree_skb(skb);
		skb = copy;
	}
	want = clb_test_skb(test, &out);
	KUNIT_EXPECT_EQ(test, clb_toa_put(skb, thoff, &client, want->len), 0);
	expect_same(test, skb, want, thoff);
	kfree_skb(skb);
	kfree_skb(want);
}

static void puts_address(struct kunit *test)
{
	static const unsigned int payloads[] = { 0, 1, 2, 7, 64, 1001 };
	const struct toa_case *c = test->param_value;
	struct clb_test_packet packet = {
		.tuple = tuple_of(test, c->family), .summed = c->summed,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(payloads); i++) {
		packet.payload = payloads[i];
		packet.nr_options = 0;
		put_one(test, &packet, c->client, false);
		packet.options = usual;
		packet.nr_options = sizeof(usual);
		put_one(test, &packet, c->client, false);
		put_one(test, &packet, c->client, true);
	}
}

/* Without room, nothing changes. */
static void knows_room(struct kunit *test)
{
	const struct toa_case *c = test->param_value;
	struct clb_tuple client = tuple_of(test, c->client);
	unsigned int thoff = clb_test_thoff(c->family == 4 ? NFPROTO_IPV4 :
							     NFPROTO_IPV6);
	u8 options[40];
	struct clb_test_packet packet = {
		.tuple = tuple_of(test, c->family), .summed = c->summed,
		.options = options, .payload = 10,
	};
	struct sk_buff *skb, *want;
	unsigned int len, room;

	memset(options, 1, sizeof(options));
	option_of(c->client, &len);
	for (room = 0; room <= 40; room += 4) {
		packet.nr_options = 40 - room;
		skb = clb_test_skb(test, &packet);
		want = clb_test_skb(test, &packet);
		link_put(skb);
		KUNIT_EXPECT_EQ(test, clb_toa_put(skb, thoff, &client,
						  skb->len + len - 1),
				-ENOSPC);
		expect_same(test, skb, want, thoff);
		KUNIT_EXPECT_EQ(test, clb_toa_put(skb, thoff, &client,
						  skb->len + len),
				room < len ? -ENOSPC : 0);
		if (room < len)
			expect_same(test, skb, want, thoff);
		kfree_skb(skb);
		kfree_skb(want);
	}
}

static const struct erase_case {
	const char	*name;
	u8		options[40];
	u8		want[40];
	u8		len;
} erase_cases[] = {
	{ "none", { 2, 4, 5, 0xb4 }, { 2, 4, 5, 0xb4 }, 4 },
	{ "alone", { 254, 4, 7, 7 }, { 1, 1, 1, 1 }, 4 },
	{ "behind another", { 3, 3, 7, 254, 5, 7, 7, 7 },
	  { 3, 3, 7, 1, 1, 1, 1, 1 }, 8 },
	{ "two", { 254, 2, 3, 3, 7, 254, 2, 1 }, { 1, 1, 3, 3, 7, 1, 1, 1 },
	  8 },
	{ "behind NOPs", { 1, 1, 254, 2 }, { 1, 1, 1, 1 }, 4 },
	{ "longer than all", { 1, 254, 40, 7 }, { 1, 1, 1, 1 }, 4 },
	{ "length 0", { 254, 0, 254, 0 }, { 1, 1, 1, 1 }, 4 },
	{ "last byte", { 1, 1, 1, 254 }, { 1, 1, 1, 1 }, 4 },
	{ "behind the end", { 0, 254, 2, 1 }, { 0, 254, 2, 1 }, 4 },
	{ "inside another", { 5, 4, 254, 2 }, { 5, 4, 254, 2 }, 4 },
	{ "behind a broken one", { 5, 0, 254, 2 }, { 5, 0, 254, 2 }, 4 },
	{ "behind a long one", { 5, 9, 254, 2 }, { 5, 9, 254, 2 }, 4 },
};

static void erase_one(struct kunit *test, const struct toa_case *c,
		      const struct erase_case *e)
{
	struct clb_test_packet packet = {
		.tuple = tuple_of(test, c->family), .summed = c->summed,
		.options = e->options, .nr_options = e->len, .payload = 3,
	}, out = packet;
	unsigned int thoff = clb_test_thoff(packet.tuple.family);
	bool found = memcmp(e->options, e->want, e->len);
	struct sk_buff *skb, *want, *clone;

	out.options = e->want;
	skb = clb_test_skb(test, &packet);
	want = clb_test_skb(test, &out);
	link_put(skb);
	clone = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);
	KUNIT_EXPECT_EQ_MSG(test, clb_toa_erase(skb, thoff), found, "%s",
			    e->name);
	expect_same(test, skb, want, thoff);
	/* nobody else's copy changes with it */
	KUNIT_EXPECT_EQ(test, memcmp(clone->data + thoff + 20, e->options,
				     e->len), 0);
	kfree_skb(skb);
	kfree_skb(want);
	kfree_skb(clone);
}

static void erases_clients(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(erase_cases); i++)
		erase_one(test, test->param_value, &erase_cases[i]);
}

static void spares_clones(struct kunit *test)
{
	const struct toa_case *c = test->param_value;
	struct clb_test_packet packet = {
		.tuple = tuple_of(test, c->family), .summed = c->summed,
		.payload = 10,
	};
	struct clb_tuple client = tuple_of(test, c->client);
	unsigned int thoff = clb_test_thoff(packet.tuple.family);
	struct sk_buff *skb, *clone, *before;

	skb = clb_test_skb(test, &packet);
	before = clb_test_skb(test, &packet);
	clone = skb_clone(skb, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, clone);
	KUNIT_EXPECT_EQ(test, clb_toa_put(skb, thoff, &client, 1500), 0);
	KUNIT_EXPECT_EQ(test, clone->len, before->len);
	KUNIT_EXPECT_EQ(test, memcmp(clone->data, before->data, before->len),
			0);
	kfree_skb(skb);
	kfree_skb(clone);
	kfree_skb(before);
}

/* A checksum that was wrong is as wrong afterwards. */
static void leaves_wrong(struct kunit *test)
{
	struct clb_test_packet packet = {
		.tuple = tuple_of(test, 4), .payload = 10,
	}, out = packet;
	struct clb_tuple client = tuple_of(test, 4);
	struct sk_buff *skb, *want;

	out.options = option4;
	out.nr_options = sizeof(option4);
	skb = clb_test_skb(test, &packet);
	want = clb_test_skb(test, &out);
	skb->data[skb->len - 1] ^= 0x55;
	want->data[want->len - 1] ^= 0x55;
	link_put(skb);
	KUNIT_EXPECT_EQ(test, clb_toa_put(skb, 20, &client, 1500), 0);
	expect_same(test, skb, want, 20);
	kfree_skb(skb);
	kfree_skb(want);
}

static struct kunit_case toa_cases[] = {
	KUNIT_CASE_PARAM(puts_address, toa_gen_params),
	KUNIT_CASE_PARAM(knows_room, toa_gen_params),
	KUNIT_CASE_PARAM(erases_clients, toa_gen_params),
	KUNIT_CASE_PARAM(spares_clones, toa_gen_params),
	KUNIT_CASE(leaves_wrong),
	{}
};

struct kunit_suite clb_test_toa = {
	.name = "clb_toa",
	.test_cases = toa_cases,
};
