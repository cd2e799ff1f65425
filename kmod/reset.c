// SPDX-License-Identifier: GPL-2.0
/*
 * TCP resets: to both ends of a connection whose server is gone, and to the
 * sender of a packet that belongs to no connection (RFC 9293, 3.10.7.1).
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/ip6_checksum.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

#include "reset.h"
#include "route.h"
#include "sync.h"

/**
 * struct reset - a reset to be made
 * @tuple: from whom to whom
 * @seq: its number
 * @ack: what it acknowledges
 * @flags: further flags beside RST
 */
struct reset {
	struct clb_tuple	tuple;
	u32			seq;
	u32			ack;
	u8			flags;
};

static struct tcphdr *put_ipv4(struct sk_buff *skb, const struct reset *reset)
{
	struct iphdr *iph = skb_put(skb, sizeof(*iph));

	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.tot_len = htons(sizeof(*iph) + sizeof(struct tcphdr)),
		.frag_off = htons(IP_DF),
		.ttl = IPDEFTTL,
		.protocol = IPPROTO_TCP,
		.saddr = reset->tuple.src.ip,
		.daddr = reset->tuple.dst.ip,
	};
	ip_send_check(iph);
	skb->protocol = htons(ETH_P_IP);
	return skb_put_zero(skb, sizeof(struct tcphdr));
}

static struct tcphdr *put_ipv6(struct sk_buff *skb, const struct reset *reset)
{
	struct ipv6hdr *iph = skb_put(skb, sizeof(*iph));

	ip6_flow_hdr(iph, 0, 0);
	iph->payload_len = htons(sizeof(struct tcphdr));
	iph->nexthdr = IPPROTO_TCP;
	iph->hop_limit = IPV6_DEFAULT_HOPLIMIT;
	iph->saddr = reset->tuple.src.in6;
	iph->daddr = reset->tuple.dst.in6;
	skb->protocol = htons(ETH_P_IPV6);
	return skb_put_zero(skb, sizeof(struct tcphdr));
}

static void tcp_checksum(struct tcphdr *th, const struct clb_tuple *tuple)
{
	__wsum sum = csum_partial(th, sizeof(*th), 0);

	if (tuple->family == NFPROTO_IPV4)
		th->check = csum_tcpudp_magic(tuple->src.ip, tuple->dst.ip,
					      sizeof(*th), IPPROTO_TCP, sum);
	else
		th->check = csum_ipv6_magic(&tuple->src.in6, &tuple->dst.in6,
					    sizeof(*th), IPPROTO_TCP, sum);
}

static struct sk_buff *reset_build(const struct reset *reset)
{
	struct sk_buff *skb;
	struct tcphdr *th;

	skb = alloc_skb(LL_MAX_HEADER + 2 * sizeof(struct ipv6hdr) +
			sizeof(*th), GFP_ATOMIC);
	if (!skb)
		return NULL;
	/* room for a tunnel's header too */
	skb_reserve(skb, LL_MAX_HEADER + sizeof(struct ipv6hdr));
	skb_reset_network_header(skb);
	th = reset->tuple.family == NFPROTO_IPV4 ? put_ipv4(skb, reset) :
						   put_ipv6(skb, reset);
	skb_set_transport_header(skb, (u8 *)th - skb->data);
	th->source = reset->tuple.sport;
	th->dest = reset->tuple.dport;
	th->seq = htonl(reset->seq);
	th->ack_seq = htonl(reset->ack);
	th->doff = sizeof(*th) / 4;
	th->rst = 1;
	th->ack = !!(reset->flags & CLB_TCP_ACK);
	tcp_checksum(th, &reset->tuple);
	skb->ip_summed = CHECKSUM_NONE;
	return skb;
}

/* Outbound like what servers send: limited and counted. */
static bool account(const struct clb_ctx *ctx, struct clb_listener *listener,
		    const struct sk_buff *skb)
{
	const struct clb_wire wire = { .packets = 1, .bytes = skb->len };

	if (unlikely(!clb_bucket_take(&listener->rate, wire.bytes))) {
		clb_listener_drop(listener);
		clb_stats_inc(ctx->cn->stats, CLB_STATS_A_DROP_RATE);
		return false;
	}
	clb_meter_add(&listener->counts->meter, CLB_DIR_REPLY, wire);
	clb_stats_inc(ctx->cn->stats, CLB_STATS_A_RESETS_SENT);
	return true;
}

/**
 * clb_reset_packet() - answer a TCP packet with a reset
 * @ctx: the packet; no reset is answered
 * @listener: whose it is
 *
 * Context: RCU read side, softirqs off.
 */
void clb_reset_packet(struct clb_ctx *ctx, struct clb_listener *listener)
{
	const struct clb_packet *pkt = &ctx->pkt;
	struct reset reset = { .seq = pkt->ack };
	struct clb_route route = {
		.family = pkt->tuple.family,
		.saddr = pkt->tuple.dst, .daddr = pkt->tuple.src,
		.sport = pkt->tuple.dport, .dport = pkt->tuple.sport,
		.protocol = IPPROTO_TCP,
	};
	struct dst_entry *dst;
	struct sk_buff *skb;

	if (pkt->tcp_flags & CLB_TCP_RST)
		return;
	if (!(pkt->tcp_flags & CLB_TCP_ACK)) {
		reset.seq = 0;
		reset.ack = pkt->seq + pkt->tcp_len;
		reset.flags = CLB_TCP_ACK;
	}
	clb_tuple_invert(&reset.tuple, &pkt->tuple);
	skb = reset_build(&reset);
	if (!skb)
		return;
	dst = clb_route_find(ctx->state->net, &route);
	if (dst)
		skb_dst_set(skb, dst);
	if (!dst || !account(ctx, listener, skb))
		kfree_skb(skb);
	else
		dst_output(ctx->state->net, NULL, skb);
}

static void reset_side(struct clb_net *cn, struct clb_session *session,
		       enum clb_dir dir)
{
	struct reset reset = {
		.seq = READ_ONCE(session->reset_seq[dir]),
		.ack = READ_ONCE(session->reset_seq[!dir]),
		.flags = CLB_TCP_ACK,
	};
	struct sk_buff *skb;

	clb_session_out_tuple(session, dir, &reset.tuple);
	skb = reset_build(&reset);
	if (!skb)
		return;
	clb_stats_inc(cn->stats, CLB_STATS_A_RESETS_SENT);
	clb_xmit_forged(cn, session, dir, skb);
}

/* Of a copy that another node told of no packet has passed yet. */
static bool has_numbers(const struct clb_session *session)
{
	return READ_ONCE(session->reset_seq[CLB_DIR_ORIGINAL]) ||
	       READ_ONCE(session->reset_seq[CLB_DIR_REPLY]);
}

/*
 * Where a number is off because packets were lost, the end answers with a
 * challenge (RFC 5961), which is then reset with its own number.
 */
static void reset_ends(struct clb_net *cn, struct clb_session *session)
{
	reset_side(cn, session, CLB_DIR_ORIGINAL);
	reset_side(cn, session, CLB_DIR_REPLY);
}

/**
 * clb_session_end() - end a session before its time, and tell its ends
 * @cn: the namespace
 * @session: the session
 *
 * TCP that is not over is reset at both ends where the listener says so, unless
 * this node saw nothing of it.
 *
 * Return: true for the one caller that ended it.
 * Context: RCU read side, softirqs off.
 */
bool clb_session_end(struct clb_net *cn, struct clb_session *session)
{
	const struct clb_tuple *tuple = clb_session_tuple(session,
							  CLB_DIR_ORIGINAL);
	bool open = tuple->protocol == IPPROTO_TCP &&
		    READ_ONCE(session->state) <= CLB_SESSION_STATE_CLOSING;

	if (clb_server_dead(session->server))
		clb_sync_lacks(session);
	if (!clb_session_kill(cn, session))
		return false;
	if (open && READ_ONCE(session->server->listener->reset) &&
	    has_numbers(session))
		reset_ends(cn, session);
	return true;
}
