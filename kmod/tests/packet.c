// SPDX-License-Identifier: GPL-2.0
/*
 * The decoder of packets: a valid packet, bytes of it changed, and what is to
 * come of it. Fuzzing (selftests/fuzz) looks for what is not in the tables.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <net/ipv6.h>

#include "../packet.h"
#include "test.h"

#define SPORT 40001
#define DPORT 80
#define PAYLOAD 100

/**
 * struct parse_case - a change and its outcome
 * @name: what it is about
 * @family: 4 or 6
 * @protocol: of the packet at first
 * @set: bytes to set, as offset and value; ends with offset 0 and value 0
 * @len: of the packet; 0: all of it
 * @avail: how much of it can be read; 0: all of it
 * @embedded: quoted in an ICMP error
 * @outcome: enum clb_parse
 * @kind: if done, enum clb_packet_kind
 * @thoff: if done, offset of the transport header; else 0 or bytes needed
 */
struct parse_case {
	const char	*name;
	u8		family;
	u8		protocol;
	struct {
		u8	at;
		u8	value;
	} set[8];
	u16		len;
	u16		avail;
	bool		embedded;
	u8		outcome;
	u8		kind;
	u16		thoff;
};

#define TCP IPPROTO_TCP
#define UDP IPPROTO_UDP
#define DONE(_kind, _thoff) \
	.outcome = CLB_PARSE_DONE, .kind = CLB_PACKET_##_kind, .thoff = _thoff
#define MORE(_need) .outcome = CLB_PARSE_MORE, .thoff = _need
#define MALFORMED .outcome = CLB_PARSE_MALFORMED

static const struct parse_case parse_cases[] = {
	/* IPv4 */
	{ "v4 TCP", 4, TCP, DONE(FLOW, 20) },
	{ "v4 UDP", 4, UDP, DONE(FLOW, 20) },
	{ "v4 of 0 bytes", 4, TCP, .len = 1, MALFORMED },
	{ "v4 cut in the header", 4, TCP, .len = 19, MALFORMED },
	{ "v4 header not at hand", 4, TCP, .avail = 19, MORE(20) },
	{ "v4 version 6", 4, TCP, { { 0, 0x65 } }, MALFORMED },
	{ "v4 ihl 4", 4, TCP, { { 0, 0x44 } }, MALFORMED },
	{ "v4 options", 4, UDP,
	  { { 0, 0x46 }, { 20, 1 }, { 21, 1 }, { 22, 1 } }, DONE(FLOW, 24) },
	{ "v4 options cut", 4, UDP, { { 0, 0x4f } }, .len = 59, MALFORMED },
	{ "v4 options not at hand", 4, UDP, { { 0, 0x4f } }, .avail = 20,
	  MORE(60) },
	{ "v4 no transport", 4, TCP, .len = 20, MALFORMED },
	{ "v4 TCP header cut", 4, TCP, .len = 39, MALFORMED },
	{ "v4 TCP header not at hand", 4, TCP, .avail = 39, MORE(40) },
	{ "v4 TCP doff 4", 4, TCP, { { 32, 0x40 } }, MALFORMED },
	{ "v4 TCP doff 15", 4, TCP, { { 32, 0xf0 } }, DONE(FLOW, 20) },
	{ "v4 TCP options cut", 4, TCP, { { 32, 0xf0 } }, .len = 79,
	  MALFORMED },
	{ "v4 UDP header cut", 4, UDP, .len = 27, MALFORMED },
	{ "v4 UDP header not at hand", 4, UDP, .avail = 27, MORE(28) },
	{ "v4 first fragment", 4, UDP, { { 6, 0x20 } }, DONE(FRAGMENT, 20) },
	{ "v4 later fragment", 4, UDP, { { 7, 1 } }, DONE(FRAGMENT, 20) },
	{ "v4 last fragment", 4, UDP, { { 6, 0x1f } }, DONE(FRAGMENT, 20) },
	{ "v4 do not fragment", 4, UDP, { { 6, 0x40 } }, DONE(FLOW, 20) },
	{ "v4 reserved bit", 4, UDP, { { 6, 0x80 } }, DONE(FLOW, 20) },
	{ "v4 SCTP", 4, UDP, { { 9, IPPROTO_SCTP } }, DONE(OTHER, 20) },
	{ "v4 protocol of IPv6's ICMP", 4, UDP,
	  { { 9, IPPROTO_ICMPV6 }, { 20, 128 } }, DONE(OTHER, 20) },
	{ "v4 ping", 4, UDP, { { 9, IPPROTO_ICMP }, { 20, ICMP_ECHO } },
	  DONE(ECHO, 20) },
	{ "v4 ping's answer", 4, UDP,
	  { { 9, IPPROTO_ICMP }, { 20, ICMP_ECHOREPLY } }, DONE(OTHER, 20) },
	{ "v4 unreachable", 4, UDP,
	  { { 9, IPPROTO_ICMP }, { 20, ICMP_DEST_UNREACH } },
	  DONE(ICMP_ERROR, 20) },
	{ "v4 time exceeded", 4, UDP,
	  { { 9, IPPROTO_ICMP }, { 20, ICMP_TIME_EXCEEDED } },
	  DONE(ICMP_ERROR, 20) },
	{ "v4 parameter problem", 4, UDP,
	  { { 9, IPPROTO_ICMP }, { 20, ICMP_PARAMETERPROB } },
	  DONE(ICMP_ERROR, 20) },
	{ "v4 redirect", 4, UDP,
	  { { 9, IPPROTO_ICMP }, { 20, ICMP_REDIRECT } }, DONE(OTHER, 20) },
	{ "v4 ICMP cut", 4, UDP, { { 9, IPPROTO_ICMP } }, .len = 27,
	  MALFORMED },
	{ "v4 ICMP not at hand", 4, UDP, { { 9, IPPROTO_ICMP } }, .avail = 21,
	  MORE(28) },
	/* IPv6 */
	{ "v6 TCP", 6, TCP, DONE(FLOW, 40) },
	{ "v6 UDP", 6, UDP, DONE(FLOW, 40) },
	{ "v6 cut in the header", 6, TCP, .len = 39, MALFORMED },
	{ "v6 header not at hand", 6, TCP, .avail = 39, MORE(40) },
	{ "v6 version 4", 6, TCP, { { 0, 0x45 } }, MALFORMED },
	{ "v6 no transport", 6, TCP, .len = 40, MALFORMED },
	{ "v6 TCP header cut", 6, TCP, .len = 59, MALFORMED },
	{ "v6 hop by hop", 6, UDP,
	  { { 6, NEXTHDR_HOP }, { 40, UDP }, { 41, 0 } }, DONE(FLOW, 48) },
	{ "v6 long destination options", 6, UDP,
	  { { 6, NEXTHDR_DEST }, { 40, UDP }, { 41, 2 } }, DONE(FLOW, 64) },
	{ "v6 options longer than the packet", 6, UDP,
	  { { 6, NEXTHDR_DEST }, { 40, UDP }, { 41, 255 } }, MALFORMED },
	{ "v6 routing header", 6, UDP,
	  { { 6, NEXTHDR_ROUTING }, { 40, UDP }, { 41, 0 } }, DONE(FLOW, 48) },
	{ "v6 authentication", 6, UDP,
	  { { 6, NEXTHDR_AUTH }, { 40, UDP }, { 41, 4 } }, DONE(FLOW, 64) },
	{ "v6 two headers", 6, UDP,
	  { { 6, NEXTHDR_HOP }, { 40, NEXTHDR_DEST }, { 41, 0 }, { 48, UDP },
	    { 49, 0 } }, DONE(FLOW, 56) },
	{ "v6 header cut", 6, UDP, { { 6, NEXTHDR_HOP } }, .len = 47,
	  MALFORMED },
	{ "v6 header not at hand", 6, UDP, { { 6, NEXTHDR_HOP } }, .avail = 41,
	  MORE(48) },
	{ "v6 first fragment", 6, UDP,
	  { { 6, NEXTHDR_FRAGMENT }, { 40, UDP }, { 42, 0 }, { 43, 1 } },
	  DONE(FRAGMENT, 40) },
	{ "v6 later fragment", 6, UDP,
	  { { 6, NEXTHDR_FRAGMENT }, { 40, UDP }, { 42, 0 }, { 43, 8 } },
	  DONE(FRAGMENT, 40) },
	{ "v6 atomic fragment", 6, UDP,
	  { { 6, NEXTHDR_FRAGMENT }, { 40, UDP }, { 42, 0 }, { 43, 0 } },
	  DONE(FLOW, 48) },
	{ "v6 fragment header cut", 6, UDP, { { 6, NEXTHDR_FRAGMENT } },
	  .len = 47, MALFORMED },
	{ "v6 nothing follows", 6, UDP, { { 6, NEXTHDR_NONE } },
	  DONE(OTHER, 40) },
	{ "v6 protocol of IPv4's ICMP", 6, UDP,
	  { { 6, IPPROTO_ICMP }, { 40, 8 } }, DONE(OTHER, 40) },
	{ "v6 ping", 6, UDP,
	  { { 6, IPPROTO_ICMPV6 }, { 40, ICMPV6_ECHO_REQUEST } },
	  DONE(ECHO, 40) },
	{ "v6 too big", 6, UDP,
	  { { 6, IPPROTO_ICMPV6 }, { 40, ICMPV6_PKT_TOOBIG } },
	  DONE(ICMP_ERROR, 40) },
	{ "v6 unreachable", 6, UDP,
	  { { 6, IPPROTO_ICMPV6 }, { 40, ICMPV6_DEST_UNREACH } },
	  DONE(ICMP_ERROR, 40) },
	{ "v6 time exceeded", 6, UDP,
	  { { 6, IPPROTO_ICMPV6 }, { 40, ICMPV6_TIME_EXCEED } },
	  DONE(ICMP_ERROR, 40) },
	{ "v6 parameter problem", 6, UDP,
	  { { 6, IPPROTO_ICMPV6 }, { 40, ICMPV6_PARAMPROB } },
	  DONE(ICMP_ERROR, 40) },
	{ "v6 neighbour", 6, UDP, { { 6, IPPROTO_ICMPV6 }, { 40, 135 } },
	  DONE(OTHER, 40) },
	/* quoted in ICMP errors */
	{ "quoted v4 TCP, ports alone", 4, TCP, .len = 28, .embedded = true,
	  DONE(FLOW, 20) },
	{ "quoted v4 TCP, no ports", 4, TCP, .len = 27, .embedded = true,
	  MALFORMED },
	{ "quoted v4 TCP, doff is not looked at", 4, TCP, { { 32, 0x40 } },
	  .embedded = true, DONE(FLOW, 20) },
	{ "quoted v6 UDP", 6, UDP, .len = 48, .embedded = true,
	  DONE(FLOW, 40) },
	{ "quoted v4 first fragment", 4, UDP, { { 6, 0x20 } },
	  .embedded = true, DONE(FLOW, 20) },
	{ "quoted v4 later fragment", 4, UDP, { { 7, 1 } },
	  .embedded = true, DONE(OTHER, 20) },
	{ "quoted v6 first fragment", 6, UDP,
	  { { 6, NEXTHDR_FRAGMENT }, { 40, UDP }, { 42, 0 }, { 43, 1 } },
	  .embedded = true, DONE(FLOW, 48) },
	{ "quoted v6 later fragment", 6, UDP,
	  { { 6, NEXTHDR_FRAGMENT }, { 40, UDP }, { 42, 1 }, { 43, 0 } },
	  .embedded = true, DONE(OTHER, 40) },
	{ "quoted ICMP", 4, UDP, { { 9, IPPROTO_ICMP }, { 20, 8 } },
	  .embedded = true, DONE(OTHER, 20) },
};

static void parse_name(const struct parse_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(parse, parse_cases, parse_name);

/* In a place no larger than it, so that KASAN sees what is read. */
static u8 *base_packet(struct kunit *test, u8 family, u8 protocol,
		       unsigned int len)
{
	struct clb_test_packet packet = { .payload = PAYLOAD };
	struct sk_buff *skb;
	u8 *data;

	packet.tuple = family == 4 ?
		clb_test_tuple(test, "192.0.2.77", SPORT, "203.0.113.1", DPORT,
			       protocol) :
		clb_test_tuple(test, "2001:db8:c::77", SPORT,
			       "2001:db8:f::1", DPORT, protocol);
	skb = clb_test_skb(test, &packet);
	data = kunit_kmalloc(test, len ?: skb->len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, data);
	memcpy(data, skb->data, min(len ?: skb->len, skb->len));
	kfree_skb(skb);
	return data;
}

static unsigned int base_len(u8 family, u8 protocol)
{
	return (family == 4 ? 20 : 40) + (protocol == TCP ? 20 : 8) + PAYLOAD;
}

static void parses(struct kunit *test)
{
	const struct parse_case *c = test->param_value;
	unsigned int len = c->len ?: base_len(c->family, c->protocol);
	unsigned int avail = c->avail ?: len, i;
	u8 family = c->family == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	u8 *data = base_packet(test, c->family, c->protocol, avail);
	struct clb_packet pkt;
	enum clb_parse outcome;

	for (i = 0; i < ARRAY_SIZE(c->set); i++)
		if ((c->set[i].at || c->set[i].value) && c->set[i].at < avail)
			data[c->set[i].at] = c->set[i].value;
	if (c->embedded)
		outcome = clb_packet_parse_embedded(data, avail, len, family,
						    &pkt);
	else
		outcome = clb_packet_parse(data, avail, len, family, &pkt);
	KUNIT_EXPECT_EQ(test, outcome, c->outcome);
	if (outcome == CLB_PARSE_MORE)
		KUNIT_EXPECT_EQ(test, pkt.need, c->thoff);
	if (outcome != CLB_PARSE_DONE)
		return;
	KUNIT_EXPECT_EQ(test, pkt.kind, c->kind);
	KUNIT_EXPECT_EQ(test, pkt.thoff, c->thoff);
	KUNIT_EXPECT_EQ(test, pkt.tuple.family, family);
	KUNIT_EXPECT_FALSE(test, pkt.source_route);
}

static void fields(struct kunit *test)
{
	struct clb_tuple want;
	struct clb_packet pkt;
	u8 *data;

	data = base_packet(test, 4, TCP, 0);
	data[33] = CLB_TCP_SYN | CLB_TCP_FIN | 0xc0;
	KUNIT_ASSERT_EQ(test, clb_packet_parse(data, 140, 140, NFPROTO_IPV4,
					       &pkt), CLB_PARSE_DONE);
	want = clb_test_tuple(test, "192.0.2.77", SPORT, "203.0.113.1", DPORT,
			      TCP);
	KUNIT_EXPECT_TRUE(test, clb_tuple_equal(&pkt.tuple, &want));
	KUNIT_EXPECT_EQ(test, pkt.seq, 0x01020304);
	KUNIT_EXPECT_EQ(test, pkt.ack, 0x05060708);
	KUNIT_EXPECT_EQ(test, pkt.tcp_flags, data[33]);
	KUNIT_EXPECT_EQ(test, pkt.tcp_len, PAYLOAD + 2);

	data = base_packet(test, 6, UDP, 0);
	KUNIT_ASSERT_EQ(test, clb_packet_parse(data, 148, 148, NFPROTO_IPV6,
					       &pkt), CLB_PARSE_DONE);
	want = clb_test_tuple(test, "2001:db8:c::77", SPORT, "2001:db8:f::1",
			      DPORT, UDP);
	KUNIT_EXPECT_TRUE(test, clb_tuple_equal(&pkt.tuple, &want));
}

static const struct option_case {
	const char	*name;
	u8		options[12];
	bool		route;
} option_cases[] = {
	{ "none", { 0 }, false },
	{ "loose", { 131, 7, 4, 1, 2, 3, 4 }, true },
	{ "strict", { 137, 7, 4, 1, 2, 3, 4 }, true },
	{ "behind no-ops", { 1, 1, 1, 131, 7, 4 }, true },
	{ "behind another", { 148, 4, 0, 0, 137, 7, 4 }, true },
	{ "behind the end", { 0, 131, 7, 4 }, false },
	{ "behind one of length 0", { 148, 0, 131, 7, 4 }, false },
	{ "behind one too long", { 148, 40, 131, 7, 4 }, false },
	{ "at the very end", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 131, 2 }, true },
	{ "a type without a length",
	  { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 131 }, false },
};

static void option_name(const struct option_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(option, option_cases, option_name);

static void source_routes(struct kunit *test)
{
	const struct option_case *c = test->param_value;
	u8 *data = base_packet(test, 4, UDP, 0);
	struct clb_packet pkt;

	data[0] = 0x48;
	memcpy(data + 20, c->options, sizeof(c->options));
	KUNIT_ASSERT_EQ(test, clb_packet_parse(data, 128, 128, NFPROTO_IPV4,
					       &pkt), CLB_PARSE_DONE);
	KUNIT_EXPECT_EQ(test, pkt.source_route, c->route);
}

/* Eight extension headers are read, nine are too many. */
static void many_headers(struct kunit *test)
{
	struct clb_packet pkt;
	u8 *data = base_packet(test, 6, UDP, 0);
	int i, n;

	for (n = 1; n <= 9; n++) {
		data[6] = NEXTHDR_DEST;
		memset(data + 40, 0, PAYLOAD);
		for (i = 0; i < n; i++)
			data[40 + 8 * i] = i + 1 < n ? NEXTHDR_DEST : UDP;
		KUNIT_EXPECT_EQ(test, clb_packet_parse(data, 148, 148,
						       NFPROTO_IPV6, &pkt),
				n <= 8 ? CLB_PARSE_DONE : CLB_PARSE_MALFORMED);
	}
}

/* However little is at hand: what is asked for is enough in the end. */
static void piecemeal(struct kunit *test)
{
	unsigned int len = base_len(6, TCP), avail, steps;
	struct clb_packet pkt;
	u8 *data, *piece;

	data = base_packet(test, 6, TCP, 0);
	for (avail = 0, steps = 0; avail < len; avail = pkt.need, steps++) {
		piece = kmemdup(data, avail, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, piece);
		if (clb_packet_parse(piece, avail, len, NFPROTO_IPV6, &pkt) !=
		    CLB_PARSE_MORE) {
			kfree(piece);
			break;
		}
		kfree(piece);
		KUNIT_ASSERT_GT(test, pkt.need, avail);
		KUNIT_ASSERT_LE(test, pkt.need, len);
	}
	KUNIT_EXPECT_EQ(test, steps, 2);
	KUNIT_EXPECT_EQ(test, pkt.kind, CLB_PACKET_FLOW);
}

static struct kunit_case packet_cases[] = {
	KUNIT_CASE_PARAM(parses, parse_gen_params),
	KUNIT_CASE_PARAM(source_routes, option_gen_params),
	KUNIT_CASE(fields),
	KUNIT_CASE(many_headers),
	KUNIT_CASE(piecemeal),
	{}
};

struct kunit_suite clb_test_packet = {
	.name = "clb_packet",
	.test_cases = packet_cases,
};
