// SPDX-License-Identifier: GPL-2.0
/*
 * Translation of addresses and ports. A packet that arrives by one tuple of
 * its session leaves as the inverse of the other; checksums follow
 * incrementally (RFC 1624), so that a wrong one stays wrong.
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

/* Where the ports are in TCP and UDP alike. */
struct ports {
	__be16	source;
	__be16	dest;
};

/* What a change of 32 bits does to a checksum over them (RFC 1624). */
static __wsum diff32(__be32 from, __be32 to)
{
	return csum_add((__force __wsum)~from, (__force __wsum)to);
}

static __wsum diff128(const struct in6_addr *from, const struct in6_addr *to)
{
	__wsum diff = 0;
	int i;

	for (i = 0; i < 4; i++)
		diff = csum_add(diff, diff32(from->s6_addr32[i],
					     to->s6_addr32[i]));
	return diff;
}

static __always_inline __wsum addresses4_set(struct iphdr *iph,
					     const struct clb_tuple *other)
{
	__wsum diff = csum_add(diff32(iph->saddr, other->dst.ip),
			       diff32(iph->daddr, other->src.ip));

	iph->saddr = other->dst.ip;
	iph->daddr = other->src.ip;
	iph->check = csum_fold(csum_add(diff, ~csum_unfold(iph->check)));
	return diff;
}

static __wsum addresses6_set(struct ipv6hdr *iph,
			     const struct clb_tuple *other)
{
	__wsum diff = csum_add(diff128(&iph->saddr, &other->dst.in6),
			       diff128(&iph->daddr, &other->src.in6));

	iph->saddr = other->dst.in6;
	iph->daddr = other->src.in6;
	return diff;
}

/* Writes addresses, and returns what that does to the transport's checksum. */
static __always_inline __wsum addresses_set(void *network,
					    const struct clb_tuple *other)
{
	return other->family == NFPROTO_IPV4 ? addresses4_set(network, other) :
					       addresses6_set(network, other);
}

static __always_inline __wsum ports_set(struct ports *ports,
					const struct clb_tuple *other)
{
	const struct ports to = {
		.source = other->dport, .dest = other->sport,
	};
	__wsum diff = csum_sub(*(const __force __wsum *)&to,
			       *(const __force __wsum *)ports);

	*ports = to;
	return diff;
}

static unsigned int transport_len(u8 protocol)
{
	return protocol == IPPROTO_TCP ? sizeof(struct tcphdr) :
					 sizeof(struct udphdr);
}

static __sum16 *transport_check(void *transport, u8 protocol)
{
	struct tcphdr *th = transport;
	struct udphdr *uh = transport;

	return protocol == IPPROTO_TCP ? &th->check : &uh->check;
}

/*
 * What is left to the device may be the checksum of a packet inside (VXLAN and
 * the like). Then the one outside is complete, unless the packet is cut up and
 * each part gets one of its own.
 */
static bool inner_partial(const struct sk_buff *skb, unsigned int thoff)
{
	return skb->ip_summed == CHECKSUM_PARTIAL &&
	       unlikely(skb_checksum_start_offset(skb) != thoff) &&
	       !(skb_shinfo(skb)->gso_type & SKB_GSO_UDP_TUNNEL_CSUM);
}

/*
 * A UDP checksum of 0 means none was made: then there is none to mend. The sum
 * over a pseudo header is never 0.
 */
static void udp_check_update(struct sk_buff *skb, unsigned int thoff,
			     __sum16 *check, __wsum addresses, __wsum ports)
{
	if (!*check)
		return;
	if (inner_partial(skb, thoff))
		clb_check_mend(check, csum_add(addresses, ports));
	else
		clb_check_update(skb, check, addresses, ports);
	if (!*check)
		*check = CSUM_MANGLED_0;
}

/**
 * clb_translate() - rewrite a TCP or UDP packet
 * @skb: data at the network header
 * @thoff: offset of the transport header
 * @other: how packets of the other direction arrive, of the packet's family
 *	and protocol: the packet becomes the inverse of such
 *
 * Return: 0 or -ENOMEM, the packet unchanged.
 * Context: any; pointers into the packet are void afterwards.
 */
int clb_translate(struct sk_buff *skb, unsigned int thoff,
		  const struct clb_tuple *other)
{
	unsigned int end = thoff + transport_len(other->protocol);
	__wsum addresses, ports;
	__sum16 *check;

	if (unlikely(clb_ensure_writable(skb, end)))
		return -ENOMEM;
	addresses = addresses_set(skb->data, other);
	ports = ports_set((struct ports *)(skb->data + thoff), other);
	check = transport_check(skb->data + thoff, other->protocol);
	if (other->protocol == IPPROTO_TCP)
		clb_check_update(skb, check, addresses, ports);
	else
		udp_check_update(skb, thoff, check, addresses, ports);
	return 0;
}

/*
 * The quoted packet, which travelled as packets of the other direction do.
 * Its checksum may be cut off; then nobody can look at it either.
 */
static void quoted_set(struct sk_buff *skb, void *network, void *transport,
		       const struct clb_tuple *back)
{
	__wsum addresses = addresses_set(network, back);
	__wsum ports = ports_set(transport, back);
	__sum16 *check = transport_check(transport, back->protocol);

	if ((u8 *)(check + 1) > skb_tail_pointer(skb))
		return;
	if (back->protocol == IPPROTO_TCP)
		clb_check_update(skb, check, addresses, ports);
	else
		udp_check_update(skb, 0, check, addresses, ports);
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
 * @other: as for clb_translate(); the quoted packet becomes such a packet
 *
 * Return: 0, -EINVAL where nothing of use is quoted, or -ENOMEM.
 * Context: any; pointers into the packet are void afterwards.
 */
int clb_translate_icmp(struct sk_buff *skb, unsigned int thoff,
		       const struct clb_tuple *other)
{
	unsigned int inner = thoff + sizeof(struct icmphdr);
	struct clb_packet pkt;
	struct clb_tuple back;

	if (skb_ensure_writable(skb, skb->len))
		return -ENOMEM;
	if (clb_packet_parse_embedded(skb->data + inner, skb->len - inner,
				      skb->len - inner, other->family,
				      &pkt) != CLB_PARSE_DONE ||
	    pkt.kind != CLB_PACKET_FLOW)
		return -EINVAL;
	skb->ip_summed = CHECKSUM_NONE;
	clb_tuple_invert(&back, other);
	quoted_set(skb, skb->data + inner, skb->data + inner + pkt.thoff,
		   &back);
	addresses_set(skb->data, other);
	if (other->family == NFPROTO_IPV4)
		icmp4_checksum(skb, thoff);
	else
		icmp6_checksum(skb, thoff);
	return 0;
}
