// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Packet path
 *
 * A packet enters by PRE_ROUTING, or by LOCAL_OUT if it was made on this host,
 * between the raw table and connection tracking: an administrator's rules in
 * raw come first, and balanced packets are never tracked. It is decoded
 * (packet.c), put together if it came in fragments (frag.c), its session is
 * looked up (session.c) or made (scheduler.c), and it is sent (xmit.c).
 * Whatever is neither for a listener nor of a session passes untouched, but
 * for replies of servers to sessions of another node.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/netfilter_bridge.h>
#include <linux/skbuff.h>

#include "acl.h"
#include "address.h"
#include "frag.h"
#include "hook.h"
#include "icmp.h"
#include "net.h"
#include "packet.h"
#include "reset.h"
#include "ruleset.h"
#include "session.h"
#include "sync.h"
#include "tcp.h"
#include "toa.h"
#include "xmit.h"

#define CLB_HOOK_PRIORITY (NF_IP_PRI_RAW + 50)

/*
 * Decodes, making as much of the packet linear as the decoder asks for.
 * CLB_PARSE_MORE: without memory it cannot be.
 */
static enum clb_parse packet_read(struct clb_ctx *ctx, u8 family)
{
	struct sk_buff *skb = ctx->skb;
	enum clb_parse ret;

	do {
		ret = clb_packet_parse(skb->data, skb_headlen(skb), skb->len,
				       family, &ctx->pkt);
	} while (unlikely(ret == CLB_PARSE_MORE) &&
		 pskb_may_pull(skb, ctx->pkt.need));
	return ret;
}

static bool acl_allows(const struct clb_listener_conf *conf,
		       const union nf_inet_addr *client)
{
	if (likely(conf->opt.acl_mode == CLB_ACL_MODE_OFF))
		return true;
	return clb_acl_match(conf->acl, client) ==
	       (conf->opt.acl_mode == CLB_ACL_MODE_ALLOW);
}

static unsigned int listener_drop(const struct clb_ctx *ctx,
				  const struct clb_listener_conf *conf,
				  enum clb_stats_attr why)
{
	clb_listener_drop(conf->listener);
	return clb_drop(ctx, why);
}

/*
 * To a listener, of no session, and not opening one. The client says it again
 * if another node may be about to tell us of its session.
 */
static unsigned int stray_packet(struct clb_ctx *ctx,
				 const struct clb_listener_conf *conf)
{
	if (conf->opt.reset && (conf->opt.sync == CLB_SYNC_MODE_OFF ||
				!clb_sync_learns(ctx->cn)))
		clb_reset_packet(ctx, conf->listener);
	return listener_drop(ctx, conf, CLB_STATS_A_DROP_NO_SESSION);
}

/*
 * From a server of a NAT listener to a client, of a session that only another
 * node knows so far. The client would answer it with a reset, since it comes
 * from the server's own address, and the server would end the connection for
 * that. Dropped, the server says it again, and by then the session is known.
 */
static bool reply_unknown(const struct clb_ctx *ctx)
{
	const struct clb_tuple *tuple = &ctx->pkt.tuple;
	const struct clb_endpoint origin = {
		.addr = tuple->src, .port = tuple->sport,
		.family = tuple->family, .protocol = tuple->protocol,
	};

	return clb_sync_runs(ctx->cn) && clb_ctx_is_tcp(ctx) &&
	       !clb_tcp_opens(&ctx->pkt) && !clb_ctx_local_out(ctx) &&
	       clb_address_replies_only(ctx->cn, &origin) &&
	       !clb_address_here(ctx->cn->net, tuple->family, &tuple->dst);
}

/* Of a packet that is a SYN: it may have to leave with an option more. */
static void syn_mark(struct clb_ctx *ctx)
{
	if (clb_toa_wanted(ctx->session, ctx->dir, &ctx->pkt))
		ctx->pkt.kind = CLB_PACKET_SYN;
}

/*
 * A client on this node gets replies once it has spoken, even if the session
 * was there before: an impostor's outside, or one that another node told of.
 */
static void client_is_here(struct clb_session *session)
{
	if (!READ_ONCE(session->from_here))
		WRITE_ONCE(session->from_here, true);
}

static unsigned int session_packet(struct clb_ctx *ctx)
{
	if (unlikely(clb_ctx_local_out(ctx)) && ctx->dir == CLB_DIR_ORIGINAL)
		client_is_here(ctx->session);
	clb_session_track(ctx->session, ctx->dir, &ctx->pkt);
	return clb_xmit(ctx);
}

/*
 * Sources that no packet from outside may have (RFC 1122, 3.2.1.3), or none
 * that goes on to another link (RFC 4291, 2.5.6).
 */
static bool source_is_valid(const struct clb_tuple *tuple)
{
	__be32 ip = tuple->src.ip;

	if (tuple->family == NFPROTO_IPV4)
		return !ipv4_is_multicast(ip) && !ipv4_is_lbcast(ip) &&
		       !ipv4_is_zeronet(ip) && !ipv4_is_loopback(ip);
	return !ipv6_addr_is_multicast(&tuple->src.in6) &&
	       !ipv6_addr_any(&tuple->src.in6) &&
	       !ipv6_addr_loopback(&tuple->src.in6) &&
	       !(ipv6_addr_type(&tuple->src.in6) & IPV6_ADDR_LINKLOCAL);
}

/**
 * clb_flow_open() - make the session of a flow's first packet
 * @ctx: a packet of TCP or UDP that belongs to no session, its hash set; its
 *	session and direction are set on success
 * @verdict: set where there is none: NF_ACCEPT if the packet is for no
 *	listener and no reply of a server, NF_DROP, counted, if it is refused
 *
 * Return: true if there is a session now.
 * Context: RCU read side, softirqs off.
 */
bool clb_flow_open(struct clb_ctx *ctx, unsigned int *verdict)
{
	const struct clb_tuple *tuple = &ctx->pkt.tuple;
	const struct clb_endpoint key = {
		.addr = tuple->dst, .port = tuple->dport,
		.family = tuple->family, .protocol = tuple->protocol,
	};
	const struct clb_listener_conf *conf;
	const struct clb_ruleset *ruleset;
	enum clb_stats_attr why;

	ruleset = rcu_dereference(ctx->cn->ruleset);
	conf = clb_ruleset_match(ruleset, key);
	*verdict = NF_ACCEPT;
	if (likely(!conf)) {
		if (unlikely(reply_unknown(ctx)))
			*verdict = clb_drop(ctx,
					    CLB_STATS_A_DROP_REPLY_UNKNOWN);
		return false;
	}
	why = CLB_STATS_A_DROP_MALFORMED;
	if (unlikely(!source_is_valid(tuple) && !clb_ctx_local_out(ctx)))
		goto drop;
	why = CLB_STATS_A_DROP_ACL;
	if (!acl_allows(conf, &tuple->src))
		goto drop;
	if (clb_ctx_is_tcp(ctx) && !clb_tcp_opens(&ctx->pkt)) {
		*verdict = stray_packet(ctx, conf);
		return false;
	}
	ctx->session = clb_session_create(ctx->cn, ruleset, conf, &ctx->pkt,
					  &why);
	if (unlikely(!ctx->session))
		goto drop;
	ctx->dir = CLB_DIR_ORIGINAL;
	return true;

drop:
	*verdict = listener_drop(ctx, conf, why);
	return false;
}

static unsigned int first_packet(struct clb_ctx *ctx)
{
	unsigned int verdict;

	if (!clb_flow_open(ctx, &verdict))
		return verdict;
	syn_mark(ctx);
	return session_packet(ctx);
}

/*
 * The session's server is down or gone: UDP moves to another with this very
 * packet, and so does a client that opens a new connection; other TCP is
 * reset at both ends.
 */
static unsigned int dead_server_packet(struct clb_ctx *ctx)
{
	struct clb_session *session = ctx->session;
	bool opens = clb_ctx_is_tcp(ctx) && clb_tcp_opens(&ctx->pkt) &&
		     ctx->dir == CLB_DIR_ORIGINAL;
	bool ended;

	/* it brings numbers that the ends will accept, and goes no further */
	if (clb_ctx_is_tcp(ctx) && !opens) {
		ctx->pkt.tcp_len = 0;
		clb_tcp_track(session, ctx->dir, &ctx->pkt);
	}
	ended = opens ? clb_session_kill(ctx->cn, session) :
			clb_session_end(ctx->cn, session);
	if (!ended)
		return clb_drop(ctx, CLB_STATS_A_DROP_SERVER_GONE);
	if (!clb_ctx_is_tcp(ctx))
		clb_stats_inc(ctx->cn->stats, CLB_STATS_A_SESSIONS_MOVED);
	if (opens || (!clb_ctx_is_tcp(ctx) && ctx->dir == CLB_DIR_ORIGINAL))
		return first_packet(ctx);
	return clb_drop(ctx, CLB_STATS_A_DROP_SERVER_GONE);
}

static unsigned int syn_packet(struct clb_ctx *ctx)
{
	/* the client's port is free at its end: the old one must not linger */
	if (clb_tcp_reopens(ctx->session, ctx->dir, &ctx->pkt)) {
		clb_session_kill(ctx->cn, ctx->session);
		return first_packet(ctx);
	}
	syn_mark(ctx);
	return session_packet(ctx);
}

/* From outside, as if from a client on this node that has a session. */
static bool claims_client_here(const struct clb_ctx *ctx)
{
	return unlikely(READ_ONCE(ctx->session->from_here)) &&
	       ctx->dir == CLB_DIR_ORIGINAL && !clb_ctx_local_out(ctx);
}

/*
 * It would end the session, open it anew, or be answered to the client; unless
 * the client's address is not here any more, and nor is the client.
 */
static bool is_impostor(struct clb_ctx *ctx)
{
	const struct clb_tuple *tuple = &ctx->pkt.tuple;

	if (clb_address_here(ctx->cn->net, tuple->family, &tuple->src))
		return true;
	WRITE_ONCE(ctx->session->from_here, false);
	return false;
}

static unsigned int impostor_drop(const struct clb_ctx *ctx)
{
	clb_listener_drop(ctx->session->server->listener);
	return clb_drop(ctx, CLB_STATS_A_DROP_MALFORMED);
}

static unsigned int flow_packet(struct clb_ctx *ctx)
{
	ctx->pkt.hash = clb_table_hash(&ctx->cn->table, &ctx->pkt.tuple);
	ctx->session = clb_session_find(ctx->cn, &ctx->pkt.tuple,
					ctx->pkt.hash, &ctx->dir);
	if (!ctx->session)
		return first_packet(ctx);
	if (claims_client_here(ctx) && is_impostor(ctx))
		return impostor_drop(ctx);
	if (unlikely(clb_server_dead(ctx->session->server)))
		return dead_server_packet(ctx);
	if (clb_ctx_is_tcp(ctx) && unlikely(clb_tcp_opens(&ctx->pkt)))
		return syn_packet(ctx);
	return session_packet(ctx);
}

static unsigned int packet_dispatch(struct clb_ctx *ctx)
{
	if (unlikely(ctx->pkt.source_route) &&
	    clb_address_known(ctx->cn, ctx->pkt.tuple.family,
			      &ctx->pkt.tuple.dst))
		return clb_drop(ctx, CLB_STATS_A_DROP_SOURCE_ROUTE);
	switch (ctx->pkt.kind) {
	case CLB_PACKET_FLOW:
		return flow_packet(ctx);
	case CLB_PACKET_ICMP_ERROR:
		return clb_icmp_error(ctx);
	case CLB_PACKET_ECHO:
		return clb_ctx_local_out(ctx) ? NF_ACCEPT : clb_icmp_echo(ctx);
	}
	return NF_ACCEPT;
}

/* A packet to one of our addresses that is not decoded ends here, counted. */
static unsigned int unreadable(struct clb_ctx *ctx, enum clb_parse why)
{
	const struct clb_tuple *tuple = &ctx->pkt.tuple;

	if (!clb_address_known(ctx->cn, tuple->family, &tuple->dst))
		return NF_ACCEPT;
	return clb_drop(ctx, why == CLB_PARSE_MORE ?
			     CLB_STATS_A_DROP_NO_MEMORY :
			     CLB_STATS_A_DROP_MALFORMED);
}

static unsigned int packet_in(struct clb_ctx *ctx, u8 family)
{
	enum clb_parse ret = packet_read(ctx, family);
	unsigned int verdict;

	if (unlikely(ret != CLB_PARSE_DONE))
		return unreadable(ctx, ret);
	if (unlikely(ctx->pkt.kind == CLB_PACKET_FRAGMENT)) {
		verdict = clb_frag_gather(ctx);
		if (verdict != NF_ACCEPT)
			return verdict;
		ret = packet_read(ctx, family);
		if (ret != CLB_PARSE_DONE)
			return unreadable(ctx, ret);
	}
	return packet_dispatch(ctx);
}

/* A frame that a bridge passes through, shown to the IP hooks by netfilter. */
static bool is_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	const struct nf_bridge_info *info = nf_bridge_info_get(skb);

	return info && info->pkt_otherhost;
#else
	return false;
#endif
}

/*
 * Per-CPU counters and locks are shared with softirqs, which are on in
 * LOCAL_OUT, and in PRE_ROUTING where a program gives back what a rule queued
 * for it.
 */
static unsigned int packet_hooked(struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct clb_ctx ctx = {
		.cn = clb_net(state->net), .skb = skb, .state = state,
	};
	unsigned int verdict;

	local_bh_disable();
	verdict = packet_in(&ctx, state->pf);
	local_bh_enable();
	return verdict;
}

static unsigned int hook_pre_routing(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	/* what comes by loopback was seen in LOCAL_OUT */
	if (unlikely(skb->pkt_type != PACKET_HOST ||
		     state->in->flags & IFF_LOOPBACK || is_bridged(skb)))
		return NF_ACCEPT;
	return packet_hooked(skb, state);
}

static unsigned int hook_local_out(void *priv, struct sk_buff *skb,
				   const struct nf_hook_state *state)
{
	return packet_hooked(skb, state);
}

static const struct nf_hook_ops hook_ops[] = {
	{
		.hook = hook_pre_routing,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = CLB_HOOK_PRIORITY,
	}, {
		.hook = hook_local_out,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = CLB_HOOK_PRIORITY,
	}, {
		.hook = hook_pre_routing,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = CLB_HOOK_PRIORITY,
	}, {
		.hook = hook_local_out,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = CLB_HOOK_PRIORITY,
	},
};

/**
 * clb_hook_is_first() - does no other hook see packets before ours
 * @net: the namespace
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Return: true if no raw table, no defragmentation and nothing else is in
 *	PRE_ROUTING before us, so that nobody has a say in what we do.
 * Context: RCU read side.
 */
bool clb_hook_is_first(const struct net *net, u8 family)
{
	const struct netns_nf *nf = &net->nf;
	const struct nf_hook_entries *hooks;

	if (family == NFPROTO_IPV4)
		hooks = rcu_dereference(nf->hooks_ipv4[NF_INET_PRE_ROUTING]);
	else
		hooks = rcu_dereference(nf->hooks_ipv6[NF_INET_PRE_ROUTING]);
	return hooks && hooks->hooks[0].hook == hook_pre_routing;
}

/**
 * clb_hooks_register() - let packets in
 * @cn: the namespace, ready, with a configuration
 *
 * Return: 0 or a negative errno.
 * Context: process; may sleep.
 */
int clb_hooks_register(struct clb_net *cn)
{
	return nf_register_net_hooks(cn->net, hook_ops, ARRAY_SIZE(hook_ops));
}

/**
 * clb_hooks_unregister() - the reverse of clb_hooks_register()
 * @cn: the namespace; packets in flight may still use it for a grace period
 *
 * Context: process; may sleep.
 */
void clb_hooks_unregister(struct clb_net *cn)
{
	nf_unregister_net_hooks(cn->net, hook_ops, ARRAY_SIZE(hook_ops));
}
