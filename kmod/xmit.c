// SPDX-License-Identifier: GPL-2.0
/*
 * Sending: the packet's session is known; here it is checked against route,
 * hop limit, size and rate, translated or wrapped, counted and sent.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "meter.h"
#include "route.h"
#include "toa.h"
#include "translate.h"
#include "tunnel.h"
#include "xmit.h"

/* No limit, for traffic whose size is not ours to judge. */
#define CLB_MTU_NONE (~0U)

/**
 * clb_session_out_tuple() - what packets of a session look like when they leave
 * @session: the session
 * @dir: the direction in which they travel
 * @to: set to the tuple
 *
 * Context: RCU read side.
 */
void clb_session_out_tuple(const struct clb_session *session,
			   enum clb_dir dir, struct clb_tuple *to)
{
	if (clb_session_one_way(session) && dir == CLB_DIR_ORIGINAL)
		*to = *clb_session_tuple(session, CLB_DIR_ORIGINAL);
	else
		clb_tuple_invert(to, clb_session_tuple(session, !dir));
}

static unsigned int hop_limit(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ? ip_hdr(skb)->ttl :
					ipv6_hdr(skb)->hop_limit;
}

/* ICMP errors are routed by the input route of what they are about. */
static bool input_route(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return skb_dst(skb) || !ip_route_input_noref(skb, iph->daddr,
						     iph->saddr, iph->tos,
						     skb->dev);
}

static void send_time_exceeded(struct sk_buff *skb, u8 family)
{
	if (family == NFPROTO_IPV6)
		icmpv6_send(skb, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
	else if (input_route(skb))
		icmp_send(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
}

static void send_too_big(struct sk_buff *skb, u8 family, unsigned int mtu)
{
	if (family == NFPROTO_IPV6)
		icmpv6_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	else if (input_route(skb))
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			  htonl(mtu));
}

/* Largest fragment the packet was put together from, 0: it came whole. */
static unsigned int frag_max_size(const struct sk_buff *skb, u8 family)
{
	return family == NFPROTO_IPV4 ? IPCB(skb)->frag_max_size :
					IP6CB(skb)->frag_max_size;
}

/* net/ipv4/ip_forward.c: ip_exceeds_mtu(), net/ipv6/ip6_output.c. */
static bool exceeds_mtu(const struct sk_buff *skb, u8 family, unsigned int mtu)
{
	unsigned int largest = frag_max_size(skb, family);

	if (family == NFPROTO_IPV4 && !(ip_hdr(skb)->frag_off & htons(IP_DF)))
		return false;
	if (unlikely(largest))
		return largest > mtu;
	if (likely(skb->len <= mtu))
		return false;
	return !skb_is_gso(skb) || !skb_gso_validate_network_len(skb, mtu);
}

/*
 * Size on the wire on the client's side: as it came where it comes from the
 * client, as it will leave where it goes there.
 */
static struct clb_wire client_wire_size(const struct clb_ctx *ctx,
					const struct dst_entry *dst)
{
	u8 family = ctx->pkt.tuple.family;
	unsigned int mtu = CLB_MTU_NONE;

	if (ctx->dir == CLB_DIR_REPLY && !clb_route_local(dst))
		mtu = clb_route_mtu(dst, !clb_ctx_local_out(ctx));
	return clb_wire_size(ctx->skb, family,
			     frag_max_size(ctx->skb, family), mtu);
}

static bool rate_allows(const struct clb_ctx *ctx, struct clb_wire wire)
{
	struct clb_listener *listener = ctx->session->server->listener;

	return ctx->dir != CLB_DIR_REPLY ||
	       clb_bucket_take(&listener->rate, wire.bytes);
}

/*
 * Largest packet that the route, or the tunnel over it, takes. What is wrapped
 * is the node's own, which routers tell about it. That of IPv6 is no less than
 * what every link takes: the tunnel fragments rather than have less (RFC 2473
 * section 7.1, RFC 4213 section 3.2.2).
 */
static unsigned int session_mtu(const struct clb_ctx *ctx,
				const struct dst_entry *dst)
{
	bool forwarded = ctx->session->mode != CLB_MODE_TUN;
	unsigned int mtu = clb_route_mtu(dst, forwarded) -
			   clb_tunnel_overhead(ctx->session);

	if (ctx->pkt.tuple.family == NFPROTO_IPV6)
		return max_t(unsigned int, mtu, IPV6_MIN_MTU);
	return mtu;
}

/* Without room the server is not told, which is better than no connection. */
static int tell_client(const struct clb_ctx *ctx, const struct dst_entry *dst)
{
	int ret = clb_toa_erase(ctx->skb, ctx->pkt.thoff);

	if (ret < 0)
		return ret;
	if (ret)
		clb_stats_inc(ctx->cn->stats,
			      CLB_STATS_A_CLIENT_ADDRESS_REMOVED);
	ret = clb_toa_put(ctx->skb, ctx->pkt.thoff,
			  clb_session_tuple(ctx->session, CLB_DIR_ORIGINAL),
			  session_mtu(ctx, dst));
	if (ret != -ENOSPC)
		return ret;
	clb_stats_inc(ctx->cn->stats, CLB_STATS_A_CLIENT_ADDRESS_OMITTED);
	return 0;
}

static int translate(struct clb_ctx *ctx, const struct dst_entry *dst)
{
	const struct clb_tuple *other = clb_session_tuple(ctx->session,
							  !ctx->dir);

	if (clb_session_one_way(ctx->session))
		return 0;
	if (likely(ctx->pkt.kind == CLB_PACKET_FLOW))
		return clb_translate(ctx->skb, ctx->pkt.thoff, other);
	if (ctx->pkt.kind == CLB_PACKET_ICMP_ERROR)
		return clb_translate_icmp(ctx->skb, ctx->pkt.thoff, other);
	return tell_client(ctx, dst) ?:
	       clb_translate(ctx->skb, ctx->pkt.thoff, other);
}

/* Rate and translation: the same whichever way the packet leaves. */
static enum clb_stats_attr limit_and_translate(struct clb_ctx *ctx,
					       const struct dst_entry *dst,
					       struct clb_wire *wire)
{
	skb_set_transport_header(ctx->skb, ctx->pkt.thoff);
	*wire = client_wire_size(ctx, dst);
	if (unlikely(!rate_allows(ctx, *wire))) {
		clb_listener_drop(ctx->session->server->listener);
		return CLB_STATS_A_DROP_RATE;
	}
	switch (translate(ctx, dst)) {
	case 0:
		return 0;
	case -ENOMEM:
		return CLB_STATS_A_DROP_NO_MEMORY;
	default:
		return CLB_STATS_A_DROP_MALFORMED;
	}
}

/* Once nothing can keep the packet from leaving: a drop is counted as such. */
static void account(const struct clb_ctx *ctx, struct clb_wire wire)
{
	if (unlikely(ctx->pkt.kind == CLB_PACKET_ICMP_ERROR))
		clb_stats_inc(ctx->cn->stats, CLB_STATS_A_ICMP_TRANSLATED);
	clb_meter_add(ctx->session->server->meter, ctx->dir, wire);
}

static void untrack(struct sk_buff *skb)
{
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
}

/* Hands over to the kernel's output; POST_ROUTING hooks still see it. */
static void output(struct net *net, struct sk_buff *skb, struct dst_entry *dst)
{
	untrack(skb);
	skb_forward_csum(skb);
	skb_clear_tstamp(skb);
	skb_dst_drop(skb);
	skb_dst_set_noref(skb, dst);
	if (skb->protocol == htons(ETH_P_IP))
		IPCB(skb)->flags |= IPSKB_FORWARDED;
	else
		IP6CB(skb)->flags |= IP6SKB_FORWARDED;
	dst_output(net, NULL, skb);
}

static bool too_big(struct clb_ctx *ctx, const struct dst_entry *dst)
{
	unsigned int mtu = session_mtu(ctx, dst);
	u8 family = ctx->pkt.tuple.family;

	if (likely(!exceeds_mtu(ctx->skb, family, mtu)))
		return false;
	send_too_big(ctx->skb, family, mtu);
	return true;
}

/*
 * From another host to another host. The packet is whole until it is sure
 * that it will be sent: ICMP errors must quote what its sender sent.
 */
static unsigned int xmit_forward(struct clb_ctx *ctx, struct dst_entry *dst)
{
	bool wrap = ctx->session->mode == CLB_MODE_TUN;
	u8 family = ctx->pkt.tuple.family;
	struct sk_buff *skb = ctx->skb;
	enum clb_stats_attr why;
	struct clb_wire wire;

	if (unlikely(skb_warn_if_lro(skb)))
		return clb_drop(ctx, CLB_STATS_A_DROP_MALFORMED);
	if (unlikely(hop_limit(skb, family) <= 1)) {
		send_time_exceeded(skb, family);
		return clb_drop(ctx, CLB_STATS_A_DROP_TTL);
	}
	if (unlikely(too_big(ctx, dst)))
		return clb_drop(ctx, CLB_STATS_A_DROP_TOO_BIG);
	if (unlikely(skb_ensure_writable(skb, ctx->pkt.thoff)))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_MEMORY);
	why = limit_and_translate(ctx, dst, &wire);
	if (unlikely(why))
		return clb_drop(ctx, why);
	clb_hop_limit_decrease(skb, family);
	if (wrap && unlikely(clb_tunnel_push(skb, ctx->session, dst)))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_MEMORY);
	account(ctx, wire);
	output(ctx->state->net, skb, dst);
	return NF_STOLEN;
}

/*
 * Once its source is the VIP or a local address, one of ours, the packet looks
 * forged to IPv4: the route to where it goes is judged by where it came from.
 */
static bool local_in_route(const struct clb_ctx *ctx)
{
	struct sk_buff *skb = ctx->skb;
	struct clb_tuple to;

	if (ctx->pkt.tuple.family != NFPROTO_IPV4)
		return true;
	clb_session_out_tuple(ctx->session, ctx->dir, &to);
	return !ip_route_input_noref(skb, to.dst.ip, ip_hdr(skb)->saddr,
				     ip_hdr(skb)->tos, skb->dev);
}

/*
 * From another host to this one: a server on the node, or the reply to a
 * client on the node. The kernel goes on with the packet where it was: at the
 * first extension header, if there is any.
 */
static unsigned int xmit_local_in(struct clb_ctx *ctx, struct dst_entry *dst)
{
	int next = skb_transport_offset(ctx->skb);
	enum clb_stats_attr why;
	struct clb_wire wire;

	/* a client elsewhere that used an address of ours was an impostor */
	if (ctx->dir == CLB_DIR_REPLY && !READ_ONCE(ctx->session->from_here))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_ROUTE);
	skb_dst_drop(ctx->skb);
	if (!local_in_route(ctx))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_ROUTE);
	why = limit_and_translate(ctx, dst, &wire);
	if (unlikely(why))
		return clb_drop(ctx, why);
	skb_set_transport_header(ctx->skb, next);
	account(ctx, wire);
	untrack(ctx->skb);
	return NF_ACCEPT;
}

/*
 * No ICMP error for a socket on the node: its route learns what fits into the
 * tunnel, and it will send the data again.
 */
static bool local_too_big(const struct clb_ctx *ctx,
			  const struct dst_entry *dst)
{
	unsigned int mtu = session_mtu(ctx, dst);
	struct sk_buff *skb = ctx->skb;

	if (ctx->session->mode != CLB_MODE_TUN || clb_route_local(dst) ||
	    likely(!exceeds_mtu(skb, ctx->pkt.tuple.family, mtu)))
		return false;
	/* the update looks for the device, which output would set later */
	skb->dev = skb_dst(skb)->dev;
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	return true;
}

/* As it is, or wrapped. */
static unsigned int local_out_one_way(struct clb_ctx *ctx,
				      struct dst_entry *dst,
				      struct clb_wire wire)
{
	bool here = clb_route_local(dst);

	if (!here && ctx->session->mode == CLB_MODE_TUN &&
	    clb_tunnel_push(ctx->skb, ctx->session, dst))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_MEMORY);
	account(ctx, wire);
	if (here)
		return NF_ACCEPT;
	output(ctx->state->net, ctx->skb, dst);
	return NF_STOLEN;
}

static int route_again(const struct clb_ctx *ctx)
{
	const struct nf_hook_state *state = ctx->state;

	if (ctx->pkt.tuple.family == NFPROTO_IPV4)
		return ip_route_me_harder(state->net, state->sk, ctx->skb,
					  RTN_UNSPEC);
	return ip6_route_me_harder(state->net, state->sk, ctx->skb);
}

/* From this host: a client or a server on the node. */
static unsigned int xmit_local_out(struct clb_ctx *ctx, struct dst_entry *dst)
{
	enum clb_stats_attr why;
	struct clb_wire wire;

	if (unlikely(local_too_big(ctx, dst)))
		return clb_drop(ctx, CLB_STATS_A_DROP_TOO_BIG);
	why = limit_and_translate(ctx, dst, &wire);
	if (unlikely(why))
		return clb_drop(ctx, why);
	untrack(ctx->skb);
	if (clb_session_one_way(ctx->session))
		return local_out_one_way(ctx, dst, wire);
	if (unlikely(route_again(ctx)))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_ROUTE);
	account(ctx, wire);
	return NF_ACCEPT;
}

/**
 * clb_xmit() - send a packet of a session
 * @ctx: the packet, its session and direction
 *
 * Return: verdict for netfilter.
 * Context: RCU read side, softirqs off.
 */
unsigned int clb_xmit(struct clb_ctx *ctx)
{
	struct dst_entry *dst;

	dst = clb_session_route(ctx->state->net, ctx->session, ctx->dir);
	if (unlikely(!dst))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_ROUTE);
	if (unlikely(clb_ctx_local_out(ctx)))
		return xmit_local_out(ctx, dst);
	if (unlikely(clb_route_local(dst)))
		return xmit_local_in(ctx, dst);
	return xmit_forward(ctx, dst);
}

/**
 * clb_xmit_forged() - send a packet the node made in the name of a session
 * @cn: the namespace
 * @session: the session
 * @dir: the direction in which the packet travels
 * @skb: as it is to leave (clb_session_out_tuple()), data at the network
 *	header; consumed
 *
 * Context: RCU read side, softirqs off.
 */
void clb_xmit_forged(struct clb_net *cn, struct clb_session *session,
		     enum clb_dir dir, struct sk_buff *skb)
{
	struct dst_entry *dst = clb_session_route(cn->net, session, dir);
	const struct clb_wire wire = { .packets = 1, .bytes = skb->len };
	struct clb_server *server = session->server;

	if (!dst || (session->mode == CLB_MODE_TUN &&
		     dir == CLB_DIR_ORIGINAL &&
		     clb_tunnel_push(skb, session, dst))) {
		kfree_skb(skb);
		return;
	}
	/* outbound like what the server sends, but not to be held back */
	if (dir == CLB_DIR_REPLY) {
		clb_bucket_take(&server->listener->rate, wire.bytes);
		clb_meter_add(server->meter, dir, wire);
	}
	output(cn->net, skb, dst);
}
