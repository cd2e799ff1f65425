// SPDX-License-Identifier: GPL-2.0
/*
 * Metering: what a packet is on the wire. Outbound bytes are what users are
 * charged for, so a GSO packet counts as the segments it becomes and a packet
 * put together from fragments as the fragments it is sent as.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>

#include "meter.h"

static unsigned int network_header_len(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ? ip_hdrlen(skb) :
					sizeof(struct ipv6hdr);
}

/*
 * What each segment repeats of a super-packet. A tunnel's has the headers of
 * what is inside as well; fragments of a datagram (UFO) repeat none of UDP.
 */
static unsigned int gso_header_len(const struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type;
	unsigned int hlen = skb->encapsulation ?
			    skb_inner_transport_offset(skb) :
			    skb_transport_offset(skb);

	if (type & (SKB_GSO_TCPV4 | SKB_GSO_TCPV6))
		return hlen + (skb->encapsulation ? inner_tcp_hdrlen(skb) :
						    tcp_hdrlen(skb));
	return type & SKB_GSO_UDP ? hlen : hlen + sizeof(struct udphdr);
}

static struct clb_wire gso_wire_size(const struct sk_buff *skb, u8 family)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int hlen = gso_header_len(skb);
	unsigned int segments, payload;

	/* headers that a guest made up must not make it negative */
	payload = skb->len > hlen ? skb->len - hlen : 0;
	/* gso_segs is only a hint where the packet came from a guest */
	segments = DIV_ROUND_UP(payload, shinfo->gso_size) ?: 1;
	if (shinfo->gso_type & SKB_GSO_UDP && family == NFPROTO_IPV6)
		hlen += sizeof(struct frag_hdr);
	return (struct clb_wire) {
		.packets = segments,
		.bytes = segments * hlen + payload,
	};
}

static struct clb_wire fragments_wire_size(unsigned int len, unsigned int hlen,
					   unsigned int fraghdr,
					   unsigned int mtu)
{
	unsigned int payload = len - hlen;
	unsigned int room, fragments;

	if (mtu < hlen + fraghdr + 8)
		return (struct clb_wire) { .packets = 1, .bytes = len };
	/* every fragment but the last carries a multiple of 8 bytes */
	room = (mtu - hlen - fraghdr) & ~7U;
	fragments = DIV_ROUND_UP(payload, room);
	return (struct clb_wire) {
		.packets = fragments,
		.bytes = payload + fragments * (hlen + fraghdr),
	};
}

/* IPv6 does not cut again what fits into one of the fragments it came in. */
static bool leaves_whole(const struct sk_buff *skb, u8 family,
			 unsigned int largest, unsigned int mtu)
{
	return skb->len <= mtu &&
	       (!largest || (family == NFPROTO_IPV6 && skb->len <= largest));
}

/* Fragments put together but not copied leave as they came. */
static struct clb_wire kept_wire_size(const struct sk_buff *skb,
				      unsigned int hlen, unsigned int fraghdr)
{
	unsigned int fragments = 1;
	const struct sk_buff *frag;

	skb_walk_frags(skb, frag)
		fragments++;
	return (struct clb_wire) {
		.packets = fragments,
		.bytes = skb->len - hlen + fragments * (hlen + fraghdr),
	};
}

/**
 * clb_wire_size() - packets and bytes an skb is on the wire at the IP layer
 * @skb: data at the network header, transport header set
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @largest: largest fragment it was put together from, 0: it came whole
 * @mtu: largest packet of the link; larger ones count as their fragments
 *
 * Return: the traffic.
 * Context: any.
 */
struct clb_wire clb_wire_size(const struct sk_buff *skb, u8 family,
			      unsigned int largest, unsigned int mtu)
{
	unsigned int fraghdr, hlen;

	if (skb_is_gso(skb))
		return gso_wire_size(skb, family);
	if (likely(leaves_whole(skb, family, largest, mtu)))
		return (struct clb_wire) { .packets = 1, .bytes = skb->len };
	fraghdr = family == NFPROTO_IPV4 ? 0 : sizeof(struct frag_hdr);
	hlen = network_header_len(skb, family);
	if (largest && largest <= mtu && skb_has_frag_list(skb))
		return kept_wire_size(skb, hlen, fraghdr);
	return fragments_wire_size(skb->len, hlen, fraghdr,
				   min_not_zero(largest, mtu));
}

/**
 * clb_meter_read() - add up the counters of all CPUs
 * @meter: the counters
 * @sum: their values are added to it
 *
 * Context: any.
 */
void clb_meter_read(const struct clb_meter __percpu *meter,
		    struct clb_traffic *sum)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct clb_meter *m = per_cpu_ptr(meter, cpu);
		struct clb_traffic t;
		unsigned int seq;
		int dir;

		do {
			seq = u64_stats_fetch_begin_irq(&m->syncp);
			for (dir = 0; dir < CLB_DIR_MAX; dir++) {
				t.packets[dir] =
					u64_stats_read(&m->packets[dir]);
				t.bytes[dir] = u64_stats_read(&m->bytes[dir]);
			}
		} while (u64_stats_fetch_retry_irq(&m->syncp, seq));
		for (dir = 0; dir < CLB_DIR_MAX; dir++) {
			sum->packets[dir] += t.packets[dir];
			sum->bytes[dir] += t.bytes[dir];
		}
	}
}
