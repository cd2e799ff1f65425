// SPDX-License-Identifier: GPL-2.0
/*
 * TUN: the client's packet goes to the server inside another (RFC 2003 and
 * 2473 for IPv4 and IPv6, RFC 4213 for 6in4). The outer header takes hop limit
 * and DSCP from the inner one, so that a routing loop ends.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/route.h>

#include "address.h"
#include "net.h"
#include "tunnel.h"

/**
 * struct inner - what the outer header takes from the inner one
 * @proto: IPPROTO_IPIP or IPPROTO_IPV6
 * @tos: DSCP and ECN
 * @ttl: hop limit
 * @df: network order: IP_DF where the packet must not be fragmented
 */
struct inner {
	u8	proto;
	u8	tos;
	u8	ttl;
	__be16	df;
};

/* @mtu: of the tunnel; with less than IPv6 must have, the tunnel fragments */
static void inner_read(const struct sk_buff *skb, unsigned int mtu,
		       struct inner *inner)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct iphdr *iph = ip_hdr(skb);

	if (skb->protocol == htons(ETH_P_IP)) {
		inner->proto = IPPROTO_IPIP;
		inner->tos = iph->tos;
		inner->ttl = iph->ttl;
		inner->df = iph->frag_off & htons(IP_DF);
	} else {
		inner->proto = IPPROTO_IPV6;
		inner->tos = ipv6_get_dsfield(ip6h);
		inner->ttl = ip6h->hop_limit;
		inner->df = mtu < IPV6_MIN_MTU ? 0 : htons(IP_DF);
	}
	inner->tos = INET_ECN_encapsulate(inner->tos, inner->tos);
}

/* What cannot be fragmented needs none (RFC 6864, section 4.1). */
static __be16 ident(const struct sk_buff *skb,
		    const struct clb_session *session,
		    const struct inner *inner)
{
	if (inner->df && !skb->ignore_df)
		return 0;
	return htons(clb_address_ident(session->server->address,
				       skb_shinfo(skb)->gso_segs ?: 1));
}

static void push4(struct sk_buff *skb, const struct clb_session *session,
		  const struct inner *inner)
{
	struct iphdr *iph;

	iph = __skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.tos = inner->tos,
		.tot_len = htons(skb->len),
		.id = ident(skb, session, inner),
		.frag_off = inner->df,
		.ttl = inner->ttl,
		.protocol = inner->proto,
		.saddr = clb_tunnel_source(session)->ip,
		.daddr = session->server->key.addr.ip,
	};
	ip_send_check(iph);
	skb->protocol = htons(ETH_P_IP);
}

static void push6(struct sk_buff *skb, const struct clb_session *session,
		  const struct inner *inner)
{
	unsigned int payload = skb->len;
	struct ipv6hdr *iph;

	iph = __skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	ip6_flow_hdr(iph, inner->tos, 0);
	iph->payload_len = htons(payload);
	iph->nexthdr = inner->proto;
	iph->hop_limit = inner->ttl;
	iph->saddr = clb_tunnel_source(session)->in6;
	iph->daddr = session->server->key.addr.in6;
	skb->protocol = htons(ETH_P_IPV6);
	/* what may be fragmented inside may be outside: no DF in IPv6 */
	skb->ignore_df |= !inner->df;
}

/**
 * clb_tunnel_push() - encapsulate a packet for its server
 * @skb: data at the network header, transport header set
 * @session: a TUN session
 * @dst: its route
 *
 * Return: 0 or -ENOMEM.
 * Context: any.
 */
int clb_tunnel_push(struct sk_buff *skb, const struct clb_session *session,
		    const struct dst_entry *dst)
{
	bool outer4 = session->server->key.family == NFPROTO_IPV4;
	unsigned int overhead = clb_tunnel_overhead(session);
	unsigned int room = LL_RESERVED_SPACE(dst->dev) + overhead;
	struct inner inner;

	inner_read(skb, dst_mtu(dst) - overhead, &inner);
	if (skb_cow_head(skb, room) ||
	    iptunnel_handle_offloads(skb, outer4 ? SKB_GSO_IPXIP4 :
						   SKB_GSO_IPXIP6))
		return -ENOMEM;
	skb_set_inner_ipproto(skb, inner.proto);
	skb_clear_hash_if_not_l4(skb);
	if (outer4)
		push4(skb, session, &inner);
	else
		push6(skb, session, &inner);
	return 0;
}

/*
 * The kernel's PMTU update reads the quoted header at skb->data. MTUs are in
 * the second word of the ICMP header (RFC 1191, RFC 4443).
 */
static void pmtu_update(struct net *net, struct sk_buff *skb,
			unsigned int icmp, unsigned int inner, u8 family)
{
	__be32 info = *(__be32 *)(skb->data + icmp + 4);

	skb_pull(skb, inner);
	if (family == NFPROTO_IPV4)
		ipv4_update_pmtu(skb, net, ntohl(info) & 0xffff, 0, 0);
	else if (IS_ENABLED(CONFIG_IPV6))
		ip6_update_pmtu(skb, net, info, 0, 0, INVALID_UID);
	skb_push(skb, inner);
}

/*
 * Only what a packet of ours can have caused: from an address of this host to
 * a server. Anything else could poison the path MTU of others.
 */
static bool is_ours(struct clb_net *cn, struct sk_buff *skb,
		    const struct clb_packet *error,
		    const struct clb_packet *quoted)
{
	const struct clb_tuple *to = &quoted->tuple;

	return clb_addr_equal(&error->tuple.dst, &to->src) &&
	       clb_address_known(cn, to->family, &to->dst) &&
	       !nf_checksum(skb, NF_INET_LOCAL_IN, error->thoff,
			    to->family == NFPROTO_IPV4 ? IPPROTO_ICMP :
							 IPPROTO_ICMPV6,
			    to->family);
}

static bool is_too_big(const struct sk_buff *skb, unsigned int icmp, u8 family)
{
	const u8 *type = skb->data + icmp;

	if (family == NFPROTO_IPV4)
		return type[0] == ICMP_DEST_UNREACH &&
		       type[1] == ICMP_FRAG_NEEDED;
	return type[0] == ICMPV6_PKT_TOOBIG;
}

/**
 * clb_tunnel_error() - learn the path MTU from an error about a tunnel packet
 * @cn: the namespace
 * @skb: the ICMP error, data at the network header, quoted header linear
 * @inner: offset of the quoted packet
 * @error: the error, decoded
 * @quoted: the quoted packet, decoded
 *
 * Later packets of clients that are too large for the tunnel are answered by
 * the node.
 *
 * Return: true if the error quotes a tunnel's packet.
 * Context: RCU read side.
 */
bool clb_tunnel_error(struct clb_net *cn, struct sk_buff *skb,
		      unsigned int inner, const struct clb_packet *error,
		      const struct clb_packet *quoted)
{
	u8 family = error->tuple.family;

	if (quoted->tuple.protocol != IPPROTO_IPIP &&
	    quoted->tuple.protocol != IPPROTO_IPV6)
		return false;
	if (is_too_big(skb, error->thoff, family) &&
	    is_ours(cn, skb, error, quoted))
		pmtu_update(cn->net, skb, error->thoff, inner, family);
	return true;
}
