// SPDX-License-Identifier: GPL-2.0
/*
 * Fragments: only the first one shows the ports. Those from or to an address
 * of ours are put together by the kernel's own reassembly, with its bounds on
 * memory and time, and cut up again to the size they came in when they leave.
 */
#include <linux/netfilter.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

#include "address.h"
#include "frag.h"

static unsigned int gather4(struct clb_ctx *ctx)
{
	struct sk_buff *skb = ctx->skb;
	int err;

	err = ip_defrag(ctx->state->net, skb, IP_DEFRAG_VS_IN);
	if (err) {
		/* queued or freed: either way it is gone */
		if (err != -EINPROGRESS)
			clb_stats_inc(ctx->cn->stats,
				      CLB_STATS_A_DROP_FRAGMENT);
		return NF_STOLEN;
	}
	ip_send_check(ip_hdr(skb));
	skb->ignore_df = 1;
	return NF_ACCEPT;
}

static unsigned int gather6(struct clb_ctx *ctx)
{
	switch (nf_ct_frag6_gather(ctx->state->net, ctx->skb,
				   IP6_DEFRAG_CONNTRACK_IN)) {
	case 0:
		return NF_ACCEPT;
	case -EINPROGRESS:
		return NF_STOLEN;
	}
	return clb_drop(ctx, CLB_STATS_A_DROP_FRAGMENT);
}

/**
 * clb_frag_gather() - put a packet together from its fragments
 * @ctx: a fragment
 *
 * Return: NF_ACCEPT when the skb is the whole packet or is none of ours (it
 *	is still a fragment), NF_STOLEN while others are awaited, NF_DROP.
 * Context: RCU read side, softirqs off.
 */
unsigned int clb_frag_gather(struct clb_ctx *ctx)
{
	const struct clb_tuple *tuple = &ctx->pkt.tuple;
	unsigned int verdict;

	if (!clb_address_known(ctx->cn, tuple->family, &tuple->dst) &&
	    !clb_address_known(ctx->cn, tuple->family, &tuple->src))
		return NF_ACCEPT;
	verdict = tuple->family == NFPROTO_IPV4 ? gather4(ctx) : gather6(ctx);
	if (verdict == NF_ACCEPT)
		clb_stats_inc(ctx->cn->stats, CLB_STATS_A_FRAGMENTS);
	return verdict;
}
