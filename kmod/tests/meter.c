// SPDX-License-Identifier: GPL-2.0
/* What packets are on the wire: whole, as segments, as fragments. */
#include <linux/tcp.h>
#include <linux/udp.h>

#include "../meter.h"
#include "test.h"

/**
 * struct wire_case - a packet and its size
 * @name: what it is
 * @family: 4 or 6
 * @protocol: TCP or UDP, with headers of 20 or 8 bytes
 * @payload: bytes behind them
 * @gso: payload of a segment, 0: none
 * @largest: largest fragment it came in
 * @mtu: of the link
 * @packets: on the wire
 * @bytes: on the wire
 * @type: kind of GSO, 0: that of its protocol
 * @inner: of a tunnel's packet, bytes from its payload to the TCP header inside
 */
static const struct wire_case {
	const char	*name;
	u8		family;
	u8		protocol;
	u16		payload;
	u16		gso;
	u16		largest;
	u16		mtu;
	u32		packets;
	u32		bytes;
	unsigned int	type;
	u8		inner;
} wire_cases[] = {
	{ "v4 whole", 4, IPPROTO_UDP, 100, 0, 0, 1500, 1, 128 },
	{ "v4 as large as the link takes", 4, IPPROTO_UDP, 1472, 0, 0, 1500, 1,
	  1500 },
	{ "v4 one byte more", 4, IPPROTO_UDP, 1473, 0, 0, 1500, 2, 1521 },
	{ "v4 three fragments", 4, IPPROTO_UDP, 3000, 0, 0, 1500, 3, 3068 },
	{ "v4 fragments of a multiple of 8", 4, IPPROTO_UDP, 1000, 0, 0, 539, 2,
	  1048 },
	{ "v4 came in fragments that fit", 4, IPPROTO_UDP, 1000, 0, 600, 1500,
	  2, 1048 },
	{ "v4 link too small for anything", 4, IPPROTO_UDP, 100, 0, 0, 27, 1,
	  128 },
	{ "v6 whole", 6, IPPROTO_UDP, 100, 0, 0, 1500, 1, 148 },
	{ "v6 fragments", 6, IPPROTO_UDP, 2000, 0, 0, 1500, 2, 2104 },
	{ "v6 came in fragments, now in one", 6, IPPROTO_UDP, 100, 0, 200, 1500,
	  1, 148 },
	{ "v4 TCP in one segment", 4, IPPROTO_TCP, 1000, 1000, 0, 1500, 1,
	  1040 },
	{ "v4 TCP in two segments", 4, IPPROTO_TCP, 1001, 1000, 0, 1500, 2,
	  1081 },
	{ "v4 TCP without payload", 4, IPPROTO_TCP, 0, 1000, 0, 1500, 1, 40 },
	{ "v6 TCP in seven segments", 6, IPPROTO_TCP, 7000, 1000, 0, 1500, 7,
	  7420 },
	{ "v4 UDP in three segments", 4, IPPROTO_UDP, 2500, 1000, 0, 1500, 3,
	  2584 },
	{ "v4 VXLAN with TCP v4", 4, IPPROTO_UDP, 2562, 1000, 0, 1500, 3, 2770,
	  SKB_GSO_UDP_TUNNEL | SKB_GSO_TCPV4, 42 },
	{ "v6 VXLAN with TCP v6", 6, IPPROTO_UDP, 2582, 1000, 0, 1500, 3, 2890,
	  SKB_GSO_UDP_TUNNEL_CSUM | SKB_GSO_TCPV6, 62 },
	{ "v4 VXLAN with UDP", 4, IPPROTO_UDP, 2550, 1000, 0, 1500, 3, 2734,
	  SKB_GSO_UDP_TUNNEL | SKB_GSO_UDP_L4, 42 },
	{ "v4 UDP in two fragments", 4, IPPROTO_UDP, 2952, 1480, 0, 1500, 2,
	  3000, SKB_GSO_UDP },
	{ "v4 UDP in fragments, one byte more", 4, IPPROTO_UDP, 2953, 1480, 0,
	  1500, 3, 3021, SKB_GSO_UDP },
	{ "v6 UDP in fragments", 6, IPPROTO_UDP, 2888, 1448, 0, 1500, 2, 2992,
	  SKB_GSO_UDP },
};

static void wire_name(const struct wire_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(wire, wire_cases, wire_name);

static unsigned int gso_type(const struct wire_case *c)
{
	if (c->type)
		return c->type;
	if (c->protocol == IPPROTO_UDP)
		return SKB_GSO_UDP_L4;
	return c->family == 4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
}

/* Its payload is said to have headers. */
static void wrap(struct sk_buff *skb, unsigned int inner)
{
	skb->encapsulation = true;
	skb_set_inner_transport_header(skb, skb_transport_offset(skb) +
					    sizeof(struct udphdr) + inner);
	inner_tcp_hdr(skb)->doff = sizeof(struct tcphdr) / 4;
}

static void measures(struct kunit *test)
{
	const struct wire_case *c = test->param_value;
	struct clb_test_packet packet = { .payload = c->payload };
	struct clb_wire wire;
	struct sk_buff *skb;

	packet.tuple = c->family == 4 ?
		clb_test_tuple(test, "192.0.2.1", 1, "203.0.113.1", 2,
			       c->protocol) :
		clb_test_tuple(test, "2001:db8::1", 1, "2001:db8::2", 2,
			       c->protocol);
	skb = clb_test_skb(test, &packet);
	skb_shinfo(skb)->gso_size = c->gso;
	if (c->gso)
		skb_shinfo(skb)->gso_type = gso_type(c);
	if (c->inner)
		wrap(skb, c->inner);
	wire = clb_wire_size(skb, packet.tuple.family, c->largest, c->mtu);
	KUNIT_EXPECT_EQ(test, wire.packets, c->packets);
	KUNIT_EXPECT_EQ(test, wire.bytes, c->bytes);
	kfree_skb(skb);
}

static void adds_up(struct kunit *test)
{
	struct clb_meter __percpu *meter = alloc_percpu(struct clb_meter);
	struct clb_traffic sum = {};
	int cpu, i;

	KUNIT_ASSERT_NOT_NULL(test, (void __force *)meter);
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(meter, cpu)->syncp);
	local_bh_disable();
	/* together more than 32 bits hold */
	for (i = 0; i < 3; i++)
		clb_meter_add(meter, CLB_DIR_ORIGINAL,
			      (struct clb_wire) { .packets = 1,
						  .bytes = S32_MAX });
	clb_meter_add(meter, CLB_DIR_REPLY,
		      (struct clb_wire) { .packets = 5, .bytes = 7 });
	local_bh_enable();
	clb_meter_read(meter, &sum);
	KUNIT_EXPECT_EQ(test, sum.packets[CLB_DIR_ORIGINAL], 3);
	KUNIT_EXPECT_EQ(test, sum.bytes[CLB_DIR_ORIGINAL], 3ULL * S32_MAX);
	KUNIT_EXPECT_EQ(test, sum.packets[CLB_DIR_REPLY], 5);
	KUNIT_EXPECT_EQ(test, sum.bytes[CLB_DIR_REPLY], 7);
	free_percpu(meter);
}

static struct kunit_case meter_cases[] = {
	KUNIT_CASE_PARAM(measures, wire_gen_params),
	KUNIT_CASE(adds_up),
	{}
};

struct kunit_suite clb_test_meter = {
	.name = "clb_meter",
	.test_cases = meter_cases,
};
