// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Fast path
 *
 * Packets of established sessions are taken at the NETDEV ingress hook of the
 * device they come by and handed to the neighbour they go to, past routing,
 * PRE_ROUTING and POST_ROUTING. It is the slow path's work on the same session
 * with the same functions, for packets about which there is nothing to decide:
 * TCP in ESTABLISHED without SYN, FIN or RST, UDP that moves; no fragment, no
 * IP option or extension header, no used up hop limit, not too large; a server
 * that is not down; a route that is valid and leads to a resolved neighbour on
 * a real device. Whatever is different goes on untouched and meets the hooks
 * in hook.c.
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
#include <net/arp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ndisc.h>
#include <net/neighbour.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>

#include "fast.h"
#include "meter.h"
#include "route.h"
#include "session.h"
#include "tcp.h"
#include "translate.h"
#include "tunnel.h"
#include "xmit.h"

/**
 * struct fast - a packet on the fast path
 * @skb: data at the network header
 * @session: its session
 * @dst: its route
 * @neigh: where it goes
 * @tuple: of the packet
 * @len: its length at the IP layer, padding of short frames excluded
 * @thoff: offset of the transport header
 * @ack: TCP acknowledgement number, host order
 * @end: TCP sequence number behind the last byte, host order
 * @dir: the direction in which it travels
 */
struct fast {
	struct sk_buff		*skb;
	struct clb_session	*session;
	struct dst_entry	*dst;
	struct neighbour	*neigh;
	struct clb_tuple	tuple;
	unsigned int		len;
	unsigned int		thoff;
	u32			ack;
	u32			end;
	enum clb_dir		dir;
};

/**
 * struct clb_device - a device with our hook
 * @node: in the namespace's list, under RTNL
 * @dev: the device
 * @ops: the hook
 */
struct clb_device {
	struct list_head	node;
	struct net_device	*dev;
	struct nf_hook_ops	ops;
};

/* Byte 13 of the header: of the flags only ACK and PSH are of no concern. */
#define FAST_TCP_FLAGS	(CLB_TCP_ACK | 0x08)

static bool parse_tcp(struct fast *fast)
{
	const struct tcphdr *th;

	if (!pskb_may_pull(fast->skb, fast->thoff + sizeof(*th)))
		return false;
	th = (const void *)(fast->skb->data + fast->thoff);
	if ((((const u8 *)th)[13] | FAST_TCP_FLAGS) != FAST_TCP_FLAGS ||
	    !th->ack || th->doff < sizeof(*th) / 4 ||
	    fast->thoff + th->doff * 4 > fast->len)
		return false;
	fast->ack = ntohl(th->ack_seq);
	fast->end = ntohl(th->seq) + fast->len - fast->thoff - th->doff * 4;
	fast->tuple.sport = th->source;
	fast->tuple.dport = th->dest;
	return true;
}

static bool parse_udp(struct fast *fast)
{
	const struct udphdr *uh = (const void *)(fast->skb->data +
						 fast->thoff);

	fast->tuple.sport = uh->source;
	fast->tuple.dport = uh->dest;
	return true;
}

static bool parse_transport(struct fast *fast, u8 protocol)
{
	fast->tuple.protocol = protocol;
	if (protocol == IPPROTO_TCP)
		return parse_tcp(fast);
	return protocol == IPPROTO_UDP && parse_udp(fast);
}

static bool parse_ipv4(struct fast *fast)
{
	const struct iphdr *iph;

	fast->thoff = sizeof(*iph);
	if (!pskb_may_pull(fast->skb, sizeof(*iph) + sizeof(struct udphdr)))
		return false;
	iph = (const void *)fast->skb->data;
	fast->len = ntohs(iph->tot_len);
	if (*(const u8 *)iph != 0x45 || iph->ttl <= 1 ||
	    iph->frag_off & ~htons(IP_DF) || fast->skb->len < fast->len ||
	    fast->len < sizeof(*iph) + sizeof(struct udphdr))
		return false;
	/* the array, for the other words must be zero */
	fast->tuple.src = (union nf_inet_addr) { .in6.s6_addr32 = {
		iph->saddr } };
	fast->tuple.dst = (union nf_inet_addr) { .in6.s6_addr32 = {
		iph->daddr } };
	fast->tuple.family = NFPROTO_IPV4;
	return parse_transport(fast, iph->protocol);
}

static bool parse_ipv6(struct fast *fast)
{
	const struct ipv6hdr *iph;

	fast->thoff = sizeof(*iph);
	if (!pskb_may_pull(fast->skb, sizeof(*iph) + sizeof(struct udphdr)))
		return false;
	iph = (const void *)fast->skb->data;
	fast->len = sizeof(*iph) + ntohs(iph->payload_len);
	if (iph->version != 6 || iph->hop_limit <= 1 ||
	    fast->skb->len < fast->len ||
	    fast->len < sizeof(*iph) + sizeof(struct udphdr))
		return false;
	fast->tuple.src.in6 = iph->saddr;
	fast->tuple.dst.in6 = iph->daddr;
	fast->tuple.family = NFPROTO_IPV6;
	return parse_transport(fast, iph->nexthdr);
}

static bool parse(struct fast *fast)
{
	fast->tuple.kind = CLB_TUPLE_FLOW;
	switch (fast->skb->protocol) {
	case htons(ETH_P_IP):
		return parse_ipv4(fast);
	case htons(ETH_P_IPV6):
		return IS_ENABLED(CONFIG_IPV6) && parse_ipv6(fast);
	}
	return false;
}

/* States in which a packet of this direction changes nothing but times. */
static bool state_settled(const struct fast *fast, u32 state)
{
	return state == CLB_SESSION_STATE_ESTABLISHED ||
	       state == CLB_SESSION_STATE_UDP ||
	       (state == CLB_SESSION_STATE_UDP_NEW &&
		fast->dir == CLB_DIR_ORIGINAL);
}

static bool session_find(struct fast *fast, struct clb_net *cn)
{
	struct clb_tuplehash *entry = clb_table_find(&cn->table, &fast->tuple);

	if (!entry)
		return false;
	fast->session = clb_session_of(entry);
	fast->dir = entry->tuple.dir;
	return !clb_session_expired(fast->session) &&
	       !clb_server_dead(fast->session->server) &&
	       state_settled(fast, READ_ONCE(fast->session->state));
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

static struct neighbour *neigh_find(const struct fast *fast)
{
	const struct clb_session *session = fast->session;
	const union nf_inet_addr *daddr = &session->server->key.addr;
	u8 family = session->server->key.family;

	if (fast->dir == CLB_DIR_REPLY) {
		daddr = &clb_session_tuple(session, CLB_DIR_ORIGINAL)->src;
		family = fast->tuple.family;
	}
	return family == NFPROTO_IPV4 ? neigh4_find(fast->dst, daddr->ip) :
					neigh6_find(fast->dst, &daddr->in6);
}

/* A real device, no IPsec, no route that wraps, a neighbour we can reach. */
static bool route_find(struct fast *fast)
{
	struct clb_session *session = fast->session;
	struct dst_entry *dst = rcu_dereference(session->dst[fast->dir]);

	if (unlikely(!dst ||
		     !dst_check(dst,
				READ_ONCE(session->dst_cookie[fast->dir]))))
		return false;
	if (unlikely(dst->dev->flags & IFF_LOOPBACK || dst_xfrm(dst) ||
		     dst->lwtstate))
		return false;
	fast->dst = dst;
	fast->neigh = neigh_find(fast);
	return likely(fast->neigh) &&
	       READ_ONCE(fast->neigh->nud_state) & NUD_VALID;
}

static bool fits(const struct fast *fast)
{
	unsigned int mtu = dst_mtu(fast->dst) -
			   clb_tunnel_overhead(fast->session);

	return likely(fast->len <= mtu) ||
	       (skb_is_gso(fast->skb) &&
		skb_gso_validate_network_len(fast->skb, mtu));
}

static bool room_for_header(const struct fast *fast)
{
	return skb_headroom(fast->skb) >= LL_RESERVED_SPACE(fast->dst->dev);
}

static struct clb_wire wire_size(const struct fast *fast)
{
	if (unlikely(skb_is_gso(fast->skb)))
		return clb_wire_size(fast->skb, fast->tuple.family, 0,
				     ~0U);
	return (struct clb_wire) { .packets = 1, .bytes = fast->len };
}

static void hop_limit_decrease(struct sk_buff *skb, u8 family)
{
	if (family == NFPROTO_IPV4)
		ip_decrease_ttl(ip_hdr(skb));
	else
		ipv6_hdr(skb)->hop_limit--;
}

/* Nothing fails here but for want of memory. */
static bool rewrite(struct fast *fast)
{
	struct clb_session *session = fast->session;
	struct sk_buff *skb = fast->skb;
	int err;

	if (clb_session_one_way(session))
		err = skb_ensure_writable(skb, fast->thoff);
	else
		err = clb_translate(skb, fast->thoff,
				    clb_session_tuple(session, !fast->dir));
	if (unlikely(err))
		return false;
	hop_limit_decrease(skb, fast->tuple.family);
	return session->mode != CLB_MODE_TUN ||
	       !clb_tunnel_push(skb, session, fast->dst);
}

static void transmit(struct fast *fast)
{
	struct sk_buff *skb = fast->skb;

	nf_reset_ct(skb);
	skb_clear_tstamp(skb);
	skb_dst_drop(skb);
	skb_dst_set_noref(skb, fast->dst);
	skb->dev = fast->dst->dev;
	neigh_output(fast->neigh, skb, false);
}

static unsigned int send(struct fast *fast, struct clb_net *cn)
{
	struct clb_server *server = fast->session->server;
	struct clb_wire wire;

	skb_set_transport_header(fast->skb, fast->thoff);
	wire = wire_size(fast);
	if (fast->dir == CLB_DIR_REPLY &&
	    unlikely(!clb_bucket_take(&server->listener->rate, wire.bytes))) {
		clb_listener_drop(server->listener);
		clb_stats_inc(cn->stats, CLB_STATS_A_DROP_RATE);
		return NF_DROP;
	}
	skb_forward_csum(fast->skb);
	if (unlikely(pskb_trim_rcsum(fast->skb, fast->len) ||
		     !rewrite(fast))) {
		clb_stats_inc(cn->stats, CLB_STATS_A_DROP_NO_MEMORY);
		return NF_DROP;
	}
	clb_meter_add(server->meter, fast->dir, wire);
	clb_stats_inc(cn->stats, CLB_STATS_A_FAST_PACKETS);
	transmit(fast);
	return NF_STOLEN;
}

/* Frames for others, with a VLAN tag, or for a master device go their way. */
static bool is_plain(const struct sk_buff *skb)
{
	return likely(skb->pkt_type == PACKET_HOST &&
		      !skb_vlan_tag_present(skb) &&
		      !rcu_access_pointer(skb->dev->rx_handler));
}

static unsigned int hook_ingress(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct clb_net *cn = priv;
	struct fast fast;

	fast.skb = skb;
	if (!is_plain(skb) || !READ_ONCE(cn->fast_path) || !parse(&fast) ||
	    !session_find(&fast, cn) || !route_find(&fast) || !fits(&fast) ||
	    !room_for_header(&fast))
		return NF_ACCEPT;
	if (fast.tuple.protocol == IPPROTO_TCP)
		clb_tcp_note(fast.session, fast.dir, fast.ack, fast.end);
	clb_session_touch(fast.session, READ_ONCE(fast.session->state));
	return send(&fast, cn);
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
		.priority = NF_IP_PRI_FIRST,
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
	kfree(device);
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
