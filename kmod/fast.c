// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Fast path
 *
 * Packets of sessions are taken at the NETDEV ingress hook of the device they
 * come by and handed to the neighbour they go to, past routing, PRE_ROUTING
 * and POST_ROUTING. It is the slow path's work on the same session with the
 * same functions, for packets that are plain: no fragment, no IP option or
 * extension header, no used up hop limit, no SYN that grows, not too large; a
 * server that is not down; a route to a resolved neighbour on a real device.
 * The first packet of a flow is among them if no other hook would see it before
 * ours. Whatever is different goes on untouched and meets the hooks in hook.c.
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter_netdev.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/arp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "ahead.h"
#include "fast.h"
#include "hook.h"
#include "meter.h"
#include "route.h"
#include "session.h"
#include "tcp.h"
#include "toa.h"
#include "translate.h"
#include "tunnel.h"
#include "xmit.h"

/* Filled in before it is used: kernels that clear the stack leave it be. */
#if __has_attribute(__uninitialized__)
#define __clb_uninitialized __attribute__((__uninitialized__))
#else
#define __clb_uninitialized
#endif

/**
 * struct clb_device - a device with our hook
 * @node: in the namespace's list, under RTNL
 * @dev: the device
 * @ops: the hook; who lists hooks may look at it a moment after its end
 * @rcu: for its end
 */
struct clb_device {
	struct list_head	node;
	struct net_device	*dev;
	struct nf_hook_ops	ops;
	struct rcu_head		rcu;
};

/* pskb_may_pull(), where at least @linear bytes are known to be linear. */
static __always_inline bool may_pull(struct sk_buff *skb, unsigned int len,
				     unsigned int linear)
{
	return likely(len <= linear) || pskb_may_pull(skb, len);
}

/* A word of which these are the bytes in memory: four, and four more. */
static __always_inline u64 word_of(u32 first, u32 second)
{
	return IS_ENABLED(CONFIG_CPU_BIG_ENDIAN) ? (u64)first << 32 | second :
						   (u64)second << 32 | first;
}

/* The last word of a flow's tuple, of the direction CLB_DIR_ORIGINAL. */
static __always_inline u64 last_word(u32 ports, u8 family, u8 protocol)
{
	u32 kinds = family | protocol << 8;

	BUILD_BUG_ON(CLB_TUPLE_FLOW || CLB_DIR_ORIGINAL);
	return word_of(ports, (__force u32)cpu_to_le32(kinds));
}

/*
 * The parsers set what a plain packet has in @pkt, but for its tuple, which is
 * apart, and return its length at the IP layer, padding of short frames
 * excluded, or 0.
 */
static __always_inline bool parse_tcp(struct sk_buff *skb, unsigned int thoff,
				      unsigned int len, unsigned int linear,
				      struct clb_packet *pkt)
{
	const struct tcphdr *th;
	unsigned int hlen;

	if (!may_pull(skb, thoff + sizeof(*th), linear))
		return false;
	th = (const void *)(skb->data + thoff);
	/* doff, in bytes */
	hlen = (((const u8 *)th)[12] >> 2) & 0x3c;
	if (hlen < sizeof(*th) || thoff + hlen > len)
		return false;
	pkt->tcp_flags = ((const u8 *)th)[13];
	pkt->ack = ntohl(th->ack_seq);
	pkt->seq = ntohl(th->seq);
	pkt->tcp_len = len - thoff - hlen;
	if (unlikely(pkt->tcp_flags & (CLB_TCP_SYN | CLB_TCP_FIN)))
		pkt->tcp_len += th->syn + th->fin;
	return true;
}

/* @thoff is a constant wherever this is inlined: no reading it back. */
static __always_inline bool parse_transport(struct sk_buff *skb, u8 protocol,
					    unsigned int thoff,
					    unsigned int len,
					    unsigned int linear,
					    struct clb_packet *pkt)
{
	pkt->thoff = thoff;
	if (protocol == IPPROTO_TCP)
		return parse_tcp(skb, thoff, len, linear, pkt);
	pkt->tcp_flags = 0;
	return likely(protocol == IPPROTO_UDP);
}

static __always_inline u32 ports_of(const struct sk_buff *skb,
				    unsigned int thoff)
{
	return *(const u32 *)(skb->data + thoff);
}

/*
 * The kernel, which takes what is left here, drops it with a wrong checksum
 * (RFC 1812, 5.2.2). With a right one the sum of the words, of 16 bits or 32,
 * is a multiple of 65535: one multiplication tells.
 */
static __always_inline bool header4_is_sound(const struct iphdr *iph)
{
	const u32 *word = (const void *)iph;
	u64 sum;

	sum = (u64)word[0] + word[1] + word[2] + word[3] + word[4];
	return sum % U16_MAX == 0;
}

static __always_inline unsigned int parse_ipv4(struct sk_buff *skb,
					       struct clb_packet *pkt,
					       struct clb_tuple *tuple)
{
	unsigned int linear = skb_headlen(skb);
	const struct iphdr *iph;
	unsigned int len;

	if (!may_pull(skb, sizeof(*iph) + sizeof(struct udphdr), linear))
		return 0;
	iph = (const void *)skb->data;
	len = ntohs(iph->tot_len);
	if (*(const u8 *)iph != 0x45 || iph->ttl <= 1 ||
	    iph->frag_off & ~htons(IP_DF) || skb->len < len ||
	    len < sizeof(*iph) + sizeof(struct udphdr) ||
	    unlikely(!header4_is_sound(iph)))
		return 0;
	if (!parse_transport(skb, iph->protocol, sizeof(*iph), len, linear,
			     pkt))
		return 0;
	iph = (const void *)skb->data;
	tuple->words[0] = word_of((__force u32)iph->saddr, 0);
	tuple->words[1] = 0;
	tuple->words[2] = word_of((__force u32)iph->daddr, 0);
	tuple->words[3] = 0;
	tuple->words[4] = last_word(ports_of(skb, sizeof(*iph)), NFPROTO_IPV4,
				    iph->protocol);
	return len;
}

static __always_inline unsigned int parse_ipv6(struct sk_buff *skb,
					       struct clb_packet *pkt,
					       struct clb_tuple *tuple)
{
	unsigned int linear = skb_headlen(skb);
	const struct ipv6hdr *iph;
	unsigned int len;

	if (!may_pull(skb, sizeof(*iph) + sizeof(struct udphdr), linear))
		return 0;
	iph = (const void *)skb->data;
	len = sizeof(*iph) + ntohs(iph->payload_len);
	if (iph->version != 6 || iph->hop_limit <= 1 || skb->len < len ||
	    len < sizeof(*iph) + sizeof(struct udphdr))
		return 0;
	if (!parse_transport(skb, iph->nexthdr, sizeof(*iph), len, linear,
			     pkt))
		return 0;
	iph = (const void *)skb->data;
	tuple->src.in6 = iph->saddr;
	tuple->dst.in6 = iph->daddr;
	tuple->words[4] = last_word(ports_of(skb, sizeof(*iph)), NFPROTO_IPV6,
				    iph->nexthdr);
	return len;
}

/* Elsewhere the kernel would have dropped it on its way to PRE_ROUTING. */
static bool ipv6_is_on(const struct sk_buff *skb)
{
	const struct inet6_dev *idev = __in6_dev_get(skb->dev);

	return likely(idev && !READ_ONCE(idev->cnf.disable_ipv6));
}

/* @tuple is the caller's alone, and so in registers: calls are told a copy. */
static __always_inline struct clb_tuplehash *
entry_find(struct clb_net *cn, struct clb_packet *pkt,
	   const struct clb_tuple *tuple, u8 family)
{
	pkt->tuple = *tuple;
	pkt->hash = clb_ahead_hash(cn, &pkt->tuple, family);
	return clb_table_find(&cn->table, tuple, pkt->hash);
}

/*
 * Parses a packet and finds the entry of its session, or NULL. Each family has
 * code of its own, to which it is a constant. Returns the packet's length, or 0
 * if it is not plain.
 */
static __always_inline unsigned int
plain_find(struct clb_net *cn, struct sk_buff *skb, struct clb_packet *pkt,
	   struct clb_tuplehash **entry)
{
	struct clb_tuple tuple;
	unsigned int len = 0;

	if (skb->protocol == htons(ETH_P_IP)) {
		len = parse_ipv4(skb, pkt, &tuple);
		if (len)
			*entry = entry_find(cn, pkt, &tuple, NFPROTO_IPV4);
	} else if (IS_ENABLED(CONFIG_IPV6) &&
		   skb->protocol == htons(ETH_P_IPV6) && ipv6_is_on(skb)) {
		len = parse_ipv6(skb, pkt, &tuple);
		if (len)
			*entry = entry_find(cn, pkt, &tuple, NFPROTO_IPV6);
	}
	return len;
}

/* A client's SYN that begins a session in place of its, or leaves changed. */
static bool syn_is_special(const struct clb_session *session,
			   enum clb_dir dir, const struct clb_packet *pkt)
{
	return unlikely(clb_tcp_opens(pkt)) &&
	       (clb_tcp_reopens(session, dir, pkt) ||
		clb_toa_wanted(session, dir, pkt));
}

/*
 * Ends of sessions, new ones in their place, SYNs that leave changed, and what
 * comes for or as if from a client on this node are the slow path's.
 */
static bool session_lives(const struct clb_ctx *ctx,
			  const struct clb_session *session, enum clb_dir dir)
{
	return likely(!clb_session_expired(session)) &&
	       likely(!READ_ONCE(session->from_here)) &&
	       !clb_server_dead(session->server) &&
	       !syn_is_special(session, dir, &ctx->pkt);
}

static bool may_open(const struct clb_ctx *ctx)
{
	return (!clb_ctx_is_tcp(ctx) || clb_tcp_opens(&ctx->pkt)) &&
	       clb_hook_is_first(ctx->cn->net, ctx->pkt.tuple.family);
}

/*
 * Of a flow that has none. Returns NULL where the packet is not for the fast
 * path: @verdict says what then.
 */
static struct clb_session *session_open(struct clb_ctx *ctx,
					unsigned int *verdict)
{
	*verdict = NF_ACCEPT;
	return may_open(ctx) && clb_flow_open(ctx, verdict) &&
	       !clb_toa_wanted(ctx->session, CLB_DIR_ORIGINAL, &ctx->pkt) ?
	       ctx->session : NULL;
}

static struct neighbour *neigh4_find(const struct dst_entry *dst, __be32 daddr)
{
	const struct rtable *rt = (const struct rtable *)dst;

	if (unlikely(rt->rt_gw_family == AF_INET6))
		return NULL;
	return __ipv4_neigh_lookup_noref(dst->dev,
					 (__force u32)rt_nexthop(rt, daddr));
}

static struct neighbour *neigh6_find(struct dst_entry *dst,
				     const struct in6_addr *daddr)
{
	return __ipv6_neigh_lookup_noref(dst->dev,
					 rt6_nexthop((struct rt6_info *)dst,
						     daddr));
}

static struct neighbour *neigh_find(const struct clb_session *session,
				    enum clb_dir dir, struct dst_entry *dst)
{
	const union nf_inet_addr *daddr = &session->server->key.addr;
	u8 family = session->server->key.family;

	if (dir == CLB_DIR_REPLY) {
		daddr = &clb_session_tuple(session, CLB_DIR_ORIGINAL)->src;
		family = clb_session_tuple(session, CLB_DIR_ORIGINAL)->family;
	}
	return family == NFPROTO_IPV4 ? neigh4_find(dst, daddr->ip) :
					neigh6_find(dst, &daddr->in6);
}

/* A real device, no IPsec, no route that wraps. */
static bool route_is_plain(const struct dst_entry *dst)
{
	return !clb_route_local(dst) && !dst_xfrm(dst) && !dst->lwtstate;
}

/* ip_dst_mtu_maybe_forward() in net/ip.h, where no path MTU was learnt. */
static unsigned int path_mtu(const struct dst_entry *dst, u8 mode)
{
	if (unlikely(dst->ops->family != AF_INET ||
		     ((const struct rtable *)dst)->rt_pmtu))
		return clb_route_mtu(dst, mode != CLB_MODE_TUN);
	return dst_metric_raw(dst, RTAX_MTU) ?: READ_ONCE(dst->dev->mtu);
}

/*
 * What a device merged (LRO, it has no type) no device can cut up again, and
 * what a guest put behind its packet does not count: the slow path's.
 */
static noinline bool gso_fits(const struct sk_buff *skb, unsigned int len,
			      unsigned int mtu)
{
	return skb_shinfo(skb)->gso_type && skb->len == len &&
	       (len <= mtu || skb_gso_validate_network_len(skb, mtu));
}

static bool fits(const struct sk_buff *skb, unsigned int len, bool gso,
		 const struct clb_session *session,
		 const struct dst_entry *dst)
{
	unsigned int mtu = path_mtu(dst, session->mode) -
			   clb_tunnel_overhead(session);

	return unlikely(gso) ? gso_fits(skb, len, mtu) : likely(len <= mtu);
}

static struct clb_wire wire_size(const struct sk_buff *skb, unsigned int len,
				 bool gso, u8 family)
{
	if (unlikely(gso))
		return clb_wire_size(skb, family, 0, ~0U);
	return (struct clb_wire) { .packets = 1, .bytes = len };
}

/* Nothing fails here but for want of memory. */
static __always_inline bool rewrite(struct sk_buff *skb,
				    const struct clb_ctx *ctx,
				    const struct clb_session *session,
				    enum clb_dir dir,
				    const struct dst_entry *dst)
{
	int err = 0;

	if (!clb_session_one_way(session))
		err = clb_translate(skb, ctx->pkt.thoff,
				    clb_session_tuple(session, !dir));
	else if (unlikely(skb_cloned(skb)))	/* the parser made it linear */
		err = skb_ensure_writable(skb, ctx->pkt.thoff);
	if (unlikely(err))
		return false;
	clb_hop_limit_decrease(skb, ctx->pkt.tuple.family);
	return session->mode != CLB_MODE_TUN ||
	       !clb_tunnel_push(skb, session, dst);
}

/* Behind us the route is of use only to devices that ask for it. */
static void set_route(struct sk_buff *skb, struct dst_entry *dst)
{
	skb_dst_drop(skb);
	if (unlikely(!(dst->dev->priv_flags & IFF_XMIT_DST_RELEASE)))
		skb_dst_set_noref(skb, dst);
}

static void transmit(struct sk_buff *skb, struct dst_entry *dst,
		     struct neighbour *neigh)
{
	if (unlikely(skb_get_nfct(skb)))
		nf_reset_ct(skb);
	skb_clear_tstamp(skb);
	set_route(skb, dst);
	skb->dev = dst->dev;
	neigh_output(neigh, skb, false);
}

/* Rate, translation, counters. Returns what the packet is dropped for, or 0. */
static __always_inline enum clb_stats_attr
process(struct clb_ctx *ctx, struct sk_buff *skb, unsigned int len, bool gso,
	struct clb_session *session, enum clb_dir dir, struct dst_entry *dst)
{
	struct clb_server *server = session->server;
	struct clb_wire wire;

	clb_session_track(session, dir, &ctx->pkt);
	wire = wire_size(skb, len, gso, ctx->pkt.tuple.family);
	if (dir == CLB_DIR_REPLY &&
	    unlikely(!clb_bucket_take(&server->listener->rate, wire.bytes))) {
		clb_listener_drop(server->listener);
		return CLB_STATS_A_DROP_RATE;
	}
	skb_forward_csum(skb);
	if (unlikely(pskb_trim_rcsum(skb, len) ||
		     !rewrite(skb, ctx, session, dir, dst)))
		return CLB_STATS_A_DROP_NO_MEMORY;
	clb_meter_add(server->meter, dir, wire);
	return 0;
}

/* Frames for others, with a VLAN tag, or for a master device go their way. */
static bool is_plain(const struct sk_buff *skb)
{
	return likely(skb->pkt_type == PACKET_HOST &&
		      !skb_vlan_tag_present(skb) &&
		      !rcu_access_pointer(skb->dev->rx_handler));
}

/* The route's device may be gone: then it is not plain (clb_route_local()). */
static __always_inline struct dst_entry *
route_to(struct net *net, struct clb_session *session, enum clb_dir dir)
{
	struct dst_entry *dst = rcu_dereference(session->dst[dir]);

	if (likely(dst &&
		   clb_route_current(net, dst,
				     READ_ONCE(session->dst_cookie[dir]))))
		return dst;
	return clb_route_renew(net, session, dir);
}

/*
 * A direction that is a constant takes less than one that is an index: here and
 * where packets are processed, each has code of its own.
 */
static struct dst_entry *route_of(struct net *net, struct clb_session *session,
				  enum clb_dir dir)
{
	return dir == CLB_DIR_ORIGINAL ?
	       route_to(net, session, CLB_DIR_ORIGINAL) :
	       route_to(net, session, CLB_DIR_REPLY);
}

static unsigned int hook_ingress(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	/* of a packet that has a session already: @cn and @pkt, nothing else */
	struct clb_ctx ctx __clb_uninitialized;
	struct clb_net *cn = priv;
	struct clb_tuplehash *entry;
	struct clb_session *session;
	struct neighbour *neigh;
	struct dst_entry *dst;
	enum clb_stats_attr why;
	unsigned int verdict;
	enum clb_dir dir;
	unsigned int len;
	bool gso;

	if (!is_plain(skb) || !READ_ONCE(cn->fast_path))
		return NF_ACCEPT;
	len = plain_find(cn, skb, &ctx.pkt, &entry);
	if (!len)
		return NF_ACCEPT;
	ctx.cn = cn;
	if (likely(entry)) {
		session = clb_session_of(entry);
		dir = clb_session_dir(entry);
		if (!session_lives(&ctx, session, dir))
			return NF_ACCEPT;
	} else {
		ctx.skb = skb;
		ctx.state = state;
		session = session_open(&ctx, &verdict);
		if (!session)
			return verdict;
		dir = CLB_DIR_ORIGINAL;
	}
	/* what a super-packet will be cut into is measured by it */
	skb->transport_header = skb->network_header + ctx.pkt.thoff;
	gso = skb_is_gso(skb);
	dst = route_of(cn->net, session, dir);
	if (unlikely(!dst || !route_is_plain(dst)) ||
	    !fits(skb, len, gso, session, dst) ||
	    unlikely(skb_headroom(skb) < LL_RESERVED_SPACE(dst->dev)))
		return NF_ACCEPT;
	neigh = neigh_find(session, dir, dst);
	if (unlikely(!neigh || !(READ_ONCE(neigh->nud_state) & NUD_VALID)))
		return NF_ACCEPT;
	why = dir == CLB_DIR_ORIGINAL ?
	      process(&ctx, skb, len, gso, session, CLB_DIR_ORIGINAL, dst) :
	      process(&ctx, skb, len, gso, session, CLB_DIR_REPLY, dst);
	if (unlikely(why))
		return clb_drop(&ctx, why);
	clb_stats_inc(cn->stats, CLB_STATS_A_FAST_PACKETS);
	transmit(skb, dst, neigh);
	return NF_STOLEN;
}

static void fast_device_add(struct clb_net *cn, struct net_device *dev)
{
	struct clb_device *device;

	ASSERT_RTNL();
	if (dev->flags & IFF_LOOPBACK)
		return;
	/* as for any device that forwards: packets must stay what they are */
	dev_disable_lro(dev);
	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return;
	device->dev = dev;
	device->ops = (struct nf_hook_ops) {
		.hook = hook_ingress,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
		/* an administrator's rules at ingress come first */
		.priority = NF_IP_PRI_LAST,
		.dev = dev,
		.priv = cn,
	};
	/* without the hook all goes the slow path: slower, nothing else */
	if (nf_register_net_hook(cn->net, &device->ops)) {
		kfree(device);
		return;
	}
	list_add(&device->node, &cn->devices);
}

static void fast_device_del(struct clb_net *cn, struct clb_device *device)
{
	nf_unregister_net_hook(cn->net, &device->ops);
	list_del(&device->node);
	kfree_rcu(device, rcu);
}

static void fast_device_gone(struct clb_net *cn, const struct net_device *dev)
{
	struct clb_device *device, *next;

	list_for_each_entry_safe(device, next, &cn->devices, node)
		if (device->dev == dev)
			fast_device_del(cn, device);
}

static int device_event(struct notifier_block *nb, unsigned long event,
			void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct clb_net *cn = clb_net(dev_net(dev));

	if (event == NETDEV_REGISTER && cn->fast_started)
		fast_device_add(cn, dev);
	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	fast_device_gone(cn, dev);
	/*
	 * To go through all sessions takes long, and few devices need it: told
	 * a second time, once the kernel has waited for a second in vain.
	 */
	if (dev->reg_state != NETREG_UNREGISTERED)
		return NOTIFY_DONE;
	/* pairs with clb_net_start(): started, there is a table */
	if (smp_load_acquire(&cn->started))
		clb_routes_forget(cn);
	return NOTIFY_DONE;
}

static struct notifier_block device_notifier = {
	.notifier_call = device_event,
};

/**
 * clb_fast_start() - hook into the devices of a namespace, and those to come
 * @cn: the namespace, its data path set up
 *
 * Context: process; takes RTNL.
 */
void clb_fast_start(struct clb_net *cn)
{
	struct net_device *dev;

	rtnl_lock();
	cn->fast_started = true;
	for_each_netdev(cn->net, dev)
		fast_device_add(cn, dev);
	rtnl_unlock();
}

/**
 * clb_fast_stop() - the reverse of clb_fast_start()
 * @cn: the namespace; packets in flight may still use it for a grace period
 *
 * Context: process; takes RTNL.
 */
void clb_fast_stop(struct clb_net *cn)
{
	struct clb_device *device, *next;

	rtnl_lock();
	cn->fast_started = false;
	list_for_each_entry_safe(device, next, &cn->devices, node)
		fast_device_del(cn, device);
	rtnl_unlock();
}

int clb_fast_init(void)
{
	return register_netdevice_notifier(&device_notifier);
}

void clb_fast_exit(void)
{
	unregister_netdevice_notifier(&device_notifier);
}
