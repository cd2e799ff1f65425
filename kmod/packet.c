// SPDX-License-Identifier: GPL-2.0
/*
 * The one decoder of packets. Pure: it reads bytes, allocates nothing, has no
 * side effects, and does not know about skbs, so that it can be fuzzed in
 * user space. All offsets count from the start of the IP header.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>

#include "packet.h"

/* An attacker can chain extension headers; a sane sender has few. */
#define CLB_MAX_EXTHDRS 8

/* The ports, which is all that an ICMP error must quote (RFC 792). */
#define CLB_EMBEDDED_LEN 8

/**
 * struct cursor - what is being decoded
 * @data: the bytes
 * @avail: how many of them can be read
 * @len: how many the packet has in all, @avail or more
 * @embedded: quoted in an ICMP error: may be cut behind the ports
 */
struct cursor {
	const u8	*data;
	unsigned int	avail;
	unsigned int	len;
	bool		embedded;
};

/* DONE where bytes 0 to @end - 1 can be read. */
static enum clb_parse want(const struct cursor *c, unsigned int end,
			   struct clb_packet *pkt)
{
	if (likely(end <= c->avail))
		return CLB_PARSE_DONE;
	if (end > c->len)
		return CLB_PARSE_MALFORMED;
	pkt->need = end;
	return CLB_PARSE_MORE;
}

static enum clb_parse parse_tcp(const struct cursor *c, struct clb_packet *pkt)
{
	const struct tcphdr *th;
	enum clb_parse ret;

	ret = want(c, pkt->thoff + sizeof(*th), pkt);
	if (unlikely(ret != CLB_PARSE_DONE))
		return ret;
	th = (const void *)(c->data + pkt->thoff);
	if (unlikely(th->doff < sizeof(*th) / 4 ||
		     pkt->thoff + th->doff * 4 > c->len))
		return CLB_PARSE_MALFORMED;
	pkt->tuple.sport = th->source;
	pkt->tuple.dport = th->dest;
	pkt->seq = ntohl(th->seq);
	pkt->ack = ntohl(th->ack_seq);
	pkt->tcp_flags = ((const u8 *)th)[13];
	pkt->tcp_len = c->len - pkt->thoff - th->doff * 4 + th->syn + th->fin;
	pkt->kind = CLB_PACKET_FLOW;
	return CLB_PARSE_DONE;
}

static enum clb_parse parse_ports(const struct cursor *c,
				  struct clb_packet *pkt)
{
	const struct udphdr *uh;
	enum clb_parse ret;

	ret = want(c, pkt->thoff + CLB_EMBEDDED_LEN, pkt);
	if (unlikely(ret != CLB_PARSE_DONE))
		return ret;
	uh = (const void *)(c->data + pkt->thoff);
	pkt->tuple.sport = uh->source;
	pkt->tuple.dport = uh->dest;
	pkt->kind = CLB_PACKET_FLOW;
	return CLB_PARSE_DONE;
}

static u8 icmp_kind(u8 type)
{
	switch (type) {
	case ICMP_ECHO:
		return CLB_PACKET_ECHO;
	case ICMP_DEST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return CLB_PACKET_ICMP_ERROR;
	}
	return CLB_PACKET_OTHER;
}

static u8 icmpv6_kind(u8 type)
{
	switch (type) {
	case ICMPV6_ECHO_REQUEST:
		return CLB_PACKET_ECHO;
	case ICMPV6_DEST_UNREACH:
	case ICMPV6_PKT_TOOBIG:
	case ICMPV6_TIME_EXCEED:
	case ICMPV6_PARAMPROB:
		return CLB_PACKET_ICMP_ERROR;
	}
	return CLB_PACKET_OTHER;
}

static enum clb_parse parse_icmp(const struct cursor *c,
				 struct clb_packet *pkt)
{
	enum clb_parse ret;
	u8 type;

	if (c->embedded)
		return CLB_PARSE_DONE;
	ret = want(c, pkt->thoff + sizeof(struct icmphdr), pkt);
	if (ret != CLB_PARSE_DONE)
		return ret;
	type = c->data[pkt->thoff];
	pkt->kind = pkt->tuple.family == NFPROTO_IPV4 ? icmp_kind(type) :
							icmpv6_kind(type);
	return CLB_PARSE_DONE;
}

static enum clb_parse parse_transport(const struct cursor *c, u8 protocol,
				      struct clb_packet *pkt)
{
	pkt->tuple.protocol = protocol;
	if (protocol == IPPROTO_UDP || (protocol == IPPROTO_TCP && c->embedded))
		return parse_ports(c, pkt);
	if (protocol == IPPROTO_TCP)
		return parse_tcp(c, pkt);
	if (protocol == (pkt->tuple.family == NFPROTO_IPV4 ? IPPROTO_ICMP :
							     IPPROTO_ICMPV6))
		return parse_icmp(c, pkt);
	return CLB_PARSE_DONE;
}

/* A fragment has no ports to go by; an embedded first one does. */
static bool is_fragment(const struct cursor *c, bool first, u8 protocol,
			struct clb_packet *pkt)
{
	if (first && c->embedded)
		return false;
	pkt->tuple.protocol = protocol;
	pkt->kind = c->embedded ? CLB_PACKET_OTHER : CLB_PACKET_FRAGMENT;
	return true;
}

/* RFC 791, section 3.1: kind, length, data; kinds 0 and 1 are one byte. */
static bool has_source_route(const u8 *opt, unsigned int len)
{
	while (len > 1 && *opt != IPOPT_END) {
		unsigned int step = *opt == IPOPT_NOOP ? 1 : opt[1];

		if (*opt == IPOPT_LSRR || *opt == IPOPT_SSRR)
			return true;
		if (!step || step > len)
			return false;
		opt += step;
		len -= step;
	}
	return false;
}

static enum clb_parse parse_ipv4(const struct cursor *c,
				 struct clb_packet *pkt)
{
	const struct iphdr *iph = (const void *)c->data;
	enum clb_parse ret;

	ret = want(c, sizeof(*iph), pkt);
	if (unlikely(ret != CLB_PARSE_DONE))
		return ret;
	if (unlikely(iph->version != 4 || iph->ihl < 5))
		return CLB_PARSE_MALFORMED;
	pkt->thoff = iph->ihl * 4;
	if (unlikely(iph->ihl > 5)) {
		ret = want(c, pkt->thoff, pkt);
		if (ret != CLB_PARSE_DONE)
			return ret;
		pkt->source_route = has_source_route(c->data + sizeof(*iph),
						     pkt->thoff - sizeof(*iph));
	}
	pkt->tuple.src.ip = iph->saddr;
	pkt->tuple.dst.ip = iph->daddr;
	if (unlikely(iph->frag_off & htons(IP_MF | IP_OFFSET)) &&
	    is_fragment(c, !(iph->frag_off & htons(IP_OFFSET)), iph->protocol,
			pkt))
		return CLB_PARSE_DONE;
	return parse_transport(c, iph->protocol, pkt);
}

static bool is_exthdr(u8 nexthdr)
{
	return nexthdr == NEXTHDR_HOP || nexthdr == NEXTHDR_ROUTING ||
	       nexthdr == NEXTHDR_DEST || nexthdr == NEXTHDR_AUTH ||
	       nexthdr == NEXTHDR_FRAGMENT;
}

static unsigned int exthdr_len(const struct ipv6_opt_hdr *hdr, u8 nexthdr)
{
	if (nexthdr == NEXTHDR_FRAGMENT)
		return sizeof(struct frag_hdr);
	if (nexthdr == NEXTHDR_AUTH)
		return ipv6_authlen(hdr);
	return ipv6_optlen(hdr);
}

static enum clb_parse parse_ipv6(const struct cursor *c,
				 struct clb_packet *pkt)
{
	const struct ipv6hdr *iph = (const void *)c->data;
	enum clb_parse ret;
	unsigned int i;
	u8 nexthdr;

	ret = want(c, sizeof(*iph), pkt);
	if (unlikely(ret != CLB_PARSE_DONE))
		return ret;
	if (unlikely(iph->version != 6))
		return CLB_PARSE_MALFORMED;
	pkt->tuple.src.in6 = iph->saddr;
	pkt->tuple.dst.in6 = iph->daddr;
	pkt->thoff = sizeof(*iph);
	nexthdr = iph->nexthdr;
	for (i = 0; unlikely(is_exthdr(nexthdr)); i++) {
		const struct ipv6_opt_hdr *hdr;
		const struct frag_hdr *fh;

		if (i == CLB_MAX_EXTHDRS)
			return CLB_PARSE_MALFORMED;
		ret = want(c, pkt->thoff + sizeof(*fh), pkt);
		if (ret != CLB_PARSE_DONE)
			return ret;
		hdr = (const void *)(c->data + pkt->thoff);
		fh = (const void *)hdr;
		/* an atomic fragment (RFC 6946) is a whole packet */
		if (nexthdr == NEXTHDR_FRAGMENT &&
		    fh->frag_off & htons(IP6_OFFSET | IP6_MF) &&
		    is_fragment(c, !(fh->frag_off & htons(IP6_OFFSET)),
				hdr->nexthdr, pkt))
			return CLB_PARSE_DONE;
		pkt->thoff += exthdr_len(hdr, nexthdr);
		nexthdr = hdr->nexthdr;
	}
	return parse_transport(c, nexthdr, pkt);
}

static enum clb_parse parse(const struct cursor *c, u8 family,
			    struct clb_packet *pkt)
{
	memset(pkt, 0, sizeof(*pkt));
	pkt->tuple.family = family;
	return family == NFPROTO_IPV4 ? parse_ipv4(c, pkt) :
					parse_ipv6(c, pkt);
}

/**
 * clb_packet_parse() - decode a packet
 * @data: first byte of the IP header
 * @avail: bytes that can be read at @data
 * @len: bytes the packet has from @data on, @avail or more
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @pkt: the outcome; of meaning only after CLB_PARSE_DONE, but for @pkt->need
 *
 * Return: enum clb_parse. CLB_PARSE_MORE never asks for more than @len.
 * Context: any.
 */
enum clb_parse clb_packet_parse(const u8 *data, unsigned int avail,
				unsigned int len, u8 family,
				struct clb_packet *pkt)
{
	struct cursor c = { .data = data, .avail = avail, .len = len };

	return parse(&c, family, pkt);
}

/**
 * clb_packet_parse_embedded() - decode the packet quoted in an ICMP error
 * @data: first byte of the quoted IP header
 * @avail: bytes that can be read at @data
 * @len: bytes the quotation has, @avail or more
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @pkt: the outcome; CLB_PACKET_FLOW where ports are known
 *
 * Of TCP only the ports are decoded: routers may quote no more.
 *
 * Return: enum clb_parse.
 * Context: any.
 */
enum clb_parse clb_packet_parse_embedded(const u8 *data, unsigned int avail,
					 unsigned int len, u8 family,
					 struct clb_packet *pkt)
{
	struct cursor c = {
		.data = data, .avail = avail, .len = len, .embedded = true,
	};

	return parse(&c, family, pkt);
}
