/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_XMIT_H
#define _CLB_XMIT_H

#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "net.h"
#include "packet.h"
#include "session.h"

/**
 * struct clb_ctx - a packet on its way through the balancer
 * @cn: the namespace
 * @skb: the packet, data at the network header
 * @state: the hook it came by
 * @pkt: what it is; of an ICMP error: the error itself
 * @session: its session
 * @dir: the direction in which it travels
 */
struct clb_ctx {
	struct clb_net			*cn;
	struct sk_buff			*skb;
	const struct nf_hook_state	*state;
	struct clb_packet		pkt;
	struct clb_session		*session;
	enum clb_dir			dir;
};

static inline bool clb_ctx_local_out(const struct clb_ctx *ctx)
{
	return ctx->state->hook == NF_INET_LOCAL_OUT;
}

static inline bool clb_ctx_is_tcp(const struct clb_ctx *ctx)
{
	return ctx->pkt.tuple.protocol == IPPROTO_TCP;
}

static inline void clb_hop_limit_decrease(struct sk_buff *skb, u8 family)
{
	if (family == NFPROTO_IPV4)
		ip_decrease_ttl(ip_hdr(skb));
	else
		ipv6_hdr(skb)->hop_limit--;
}

/* A packet that goes nowhere, and the counter that says why. */
static inline unsigned int clb_drop(const struct clb_ctx *ctx,
				    enum clb_stats_attr why)
{
	clb_stats_inc(ctx->cn->stats, why);
	return NF_DROP;
}

unsigned int clb_xmit(struct clb_ctx *ctx);
void clb_xmit_forged(struct clb_net *cn, struct clb_session *session,
		     enum clb_dir dir, struct sk_buff *skb);
void clb_session_out_tuple(const struct clb_session *session,
			   enum clb_dir dir, struct clb_tuple *to);

#endif /* _CLB_XMIT_H */
