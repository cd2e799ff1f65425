// SPDX-License-Identifier: GPL-2.0
/*
 * ICMP: errors about packets of a session go where the session goes, with the
 * packet they quote translated back; pings of a VIP that is no address of
 * this host are answered in its name.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/route.h>

#include "address.h"
#include "icmp.h"
#include "route.h"
#include "tunnel.h"

static u8 icmp_protocol(u8 family)
{
	return family == NFPROTO_IPV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static bool quoted_parse(const struct clb_ctx *ctx, unsigned int inner,
			 struct clb_packet *quoted)
{
	const struct sk_buff *skb = ctx->skb;

	return skb->len > inner &&
	       clb_packet_parse_embedded(skb->data + inner, skb->len - inner,
					 skb->len - inner,
					 ctx->pkt.tuple.family,
					 quoted) == CLB_PARSE_DONE;
}

/**
 * clb_icmp_error() - handle an ICMP error
 * @ctx: the error
 *
 * The error travels like a reply to the packet it quotes: it belongs to the
 * session, and the direction, of the inverse of the quoted tuple.
 *
 * Return: verdict for netfilter; NF_ACCEPT where the error is about nothing
 *	of ours.
 * Context: RCU read side, softirqs off.
 */
unsigned int clb_icmp_error(struct clb_ctx *ctx)
{
	unsigned int inner = ctx->pkt.thoff + sizeof(struct icmphdr);
	u8 family = ctx->pkt.tuple.family;
	struct clb_packet quoted;
	struct clb_tuple tuple;

	/*
	 * Errors are small: make all of it linear to look at what is quoted.
	 * Unseen it might be one of ours, which must not pass untranslated.
	 */
	if (unlikely(skb_linearize(ctx->skb)))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_MEMORY);
	if (!quoted_parse(ctx, inner, &quoted))
		return NF_ACCEPT;
	if (clb_tunnel_error(ctx->cn, ctx->skb, inner, &ctx->pkt, &quoted) ||
	    quoted.kind != CLB_PACKET_FLOW)
		return NF_ACCEPT;
	clb_tuple_invert(&tuple, &quoted.tuple);
	ctx->session = clb_session_find(ctx->cn, &tuple,
					clb_table_hash(&ctx->cn->table,
						       &tuple), &ctx->dir);
	if (!ctx->session)
		return NF_ACCEPT;
	/* a new checksum must not cover up that the old one was wrong */
	if (nf_checksum(ctx->skb, NF_INET_LOCAL_IN, ctx->pkt.thoff,
			icmp_protocol(family), family))
		return clb_drop(ctx, CLB_STATS_A_DROP_CHECKSUM);
	return clb_xmit(ctx);
}

static void echo4_reply(struct sk_buff *skb, unsigned int thoff)
{
	struct icmphdr *icmph = (struct icmphdr *)(skb->data + thoff);
	struct iphdr *iph = ip_hdr(skb);

	swap(iph->saddr, iph->daddr);
	csum_replace2(&iph->check, htons(iph->ttl << 8),
		      htons(IPDEFTTL << 8));
	iph->ttl = IPDEFTTL;
	icmph->type = ICMP_ECHOREPLY;
	csum_replace2(&icmph->checksum, htons(ICMP_ECHO << 8),
		      htons(ICMP_ECHOREPLY << 8));
}

static void echo6_reply(struct sk_buff *skb, unsigned int thoff)
{
	struct icmp6hdr *icmph = (struct icmp6hdr *)(skb->data + thoff);
	struct ipv6hdr *iph = ipv6_hdr(skb);

	swap(iph->saddr, iph->daddr);
	iph->hop_limit = IPV6_DEFAULT_HOPLIMIT;
	icmph->icmp6_type = ICMPV6_ECHO_REPLY;
	csum_replace2(&icmph->icmp6_cksum, htons(ICMPV6_ECHO_REQUEST << 8),
		      htons(ICMPV6_ECHO_REPLY << 8));
}

static void echo_reply(struct sk_buff *skb, const struct clb_packet *pkt)
{
	if (pkt->tuple.family == NFPROTO_IPV4)
		echo4_reply(skb, pkt->thoff);
	else
		echo6_reply(skb, pkt->thoff);
	/* the checksum of the request covered what is changed now */
	skb->ip_summed = CHECKSUM_NONE;
}

/**
 * clb_icmp_echo() - answer a ping of a VIP
 * @ctx: the echo request
 *
 * A VIP that is an address of this host is left to the kernel.
 *
 * Return: verdict for netfilter.
 * Context: RCU read side, softirqs off.
 */
unsigned int clb_icmp_echo(struct clb_ctx *ctx)
{
	const struct clb_tuple *tuple = &ctx->pkt.tuple;
	struct net *net = ctx->state->net;
	struct clb_route route = {
		.family = tuple->family,
		.saddr = tuple->dst, .daddr = tuple->src,
	};
	struct dst_entry *dst;

	if (!clb_address_vip(ctx->cn, tuple->family, &tuple->dst) ||
	    clb_address_here(net, tuple->family, &tuple->dst))
		return NF_ACCEPT;
	if (skb_ensure_writable(ctx->skb,
				ctx->pkt.thoff + sizeof(struct icmphdr)))
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_MEMORY);
	dst = clb_route_find(net, &route);
	if (!dst)
		return clb_drop(ctx, CLB_STATS_A_DROP_NO_ROUTE);
	echo_reply(ctx->skb, &ctx->pkt);
	skb_clear_tstamp(ctx->skb);
	skb_dst_drop(ctx->skb);
	skb_dst_set(ctx->skb, dst);
	clb_stats_inc(ctx->cn->stats, CLB_STATS_A_ECHO_REPLIES);
	dst_output(net, NULL, ctx->skb);
	return NF_STOLEN;
}
