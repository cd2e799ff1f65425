// SPDX-License-Identifier: GPL-2.0
/*
 * Routes. Each session keeps one for each direction and looks it up again
 * when the kernel says that it is stale. The way to a server on the link is
 * the same for all its sessions and is found once.
 */
#include <linux/ipv6.h>
#include <linux/slab.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "net.h"
#include "route.h"
#include "ruleset.h"
#include "tunnel.h"

static struct dst_entry *route4_find(struct net *net, struct clb_route *route)
{
	struct flowi4 fl4 = {
		.daddr = route->daddr.ip,
		.saddr = route->saddr.ip,
		.flowi4_proto = route->protocol,
		.fl4_sport = route->sport,
		.fl4_dport = route->dport,
		/* the source need not be an address of this host */
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	struct rtable *rt;

	if (route->known_nh)
		fl4.flowi4_flags |= FLOWI_FLAG_KNOWN_NH;
	rt = ip_route_output_flow(net, &fl4, NULL);
	if (IS_ERR(rt))
		return NULL;
	/* nobody's packet makes this node send to many */
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return NULL;
	}
	route->saddr.ip = fl4.saddr;
	return &rt->dst;
}

static bool route6_source(struct net *net, struct dst_entry *dst,
			  struct clb_route *route)
{
	if (!ipv6_addr_any(&route->saddr.in6))
		return true;
	return !ipv6_dev_get_saddr(net, ip6_dst_idev(dst)->dev,
				   &route->daddr.in6, 0, &route->saddr.in6);
}

/* As ip_route_output_flow() does for IPv4. */
static struct dst_entry *route6_policy(struct net *net, struct dst_entry *dst,
				       struct flowi6 *fl6)
{
	if (!fl6->flowi6_proto)
		return dst;
	fl6->flowi6_oif = dst->dev->ifindex;
	dst = xfrm_lookup_route(net, dst, flowi6_to_flowi(fl6), NULL, 0);
	return IS_ERR(dst) ? NULL : dst;
}

static struct dst_entry *route6_find(struct net *net, struct clb_route *route)
{
	struct flowi6 fl6 = {
		.daddr = route->daddr.in6,
		.saddr = route->saddr.in6,
		.flowi6_proto = route->protocol,
		.fl6_sport = route->sport,
		.fl6_dport = route->dport,
		.flowi6_flags = FLOWI_FLAG_ANYSRC,
	};
	struct dst_entry *dst;

	if (route->known_nh)
		fl6.flowi6_flags |= FLOWI_FLAG_KNOWN_NH;
	dst = ip6_route_output(net, NULL, &fl6);
	if (dst->error || !route6_source(net, dst, route)) {
		dst_release(dst);
		return NULL;
	}
	fl6.saddr = route->saddr.in6;
	return route6_policy(net, dst, &fl6);
}

/*
 * A policy wants IPsec on which nobody has agreed yet, and what stands for the
 * route meanwhile leads nowhere, or holds packets back, some of them for good
 * (net/xfrm/xfrm_policy.c: xfrm_lookup_route()). The sender will send again.
 */
static bool awaits_ipsec(const struct dst_entry *dst)
{
	return dst->obsolete == DST_OBSOLETE_DEAD ||
	       dst->flags & DST_XFRM_QUEUE;
}

/**
 * clb_route_find() - look a route up
 * @net: the namespace
 * @route: where to
 *
 * Return: the route with a reference, or NULL where there is none.
 * Context: any but hard interrupts.
 */
struct dst_entry *clb_route_find(struct net *net, struct clb_route *route)
{
	struct dst_entry *dst = NULL;

	if (route->family == NFPROTO_IPV4)
		dst = route4_find(net, route);
	/* off, IPv6 has nothing to look a route up in */
	else if (IS_ENABLED(CONFIG_IPV6) && ipv6_mod_enabled())
		dst = route6_find(net, route);
	if (dst && unlikely(awaits_ipsec(dst))) {
		dst_release(dst);
		return NULL;
	}
	return dst;
}

static void route_translated(const struct clb_session *session,
			     enum clb_dir dir, struct clb_route *route)
{
	const struct clb_tuple *other = clb_session_tuple(session, !dir);

	route->family = other->family;
	route->daddr = other->src;
	route->saddr = other->dst;
	route->sport = other->dport;
	route->dport = other->sport;
	route->protocol = other->protocol;
}

/* Or it gets the client's packet as it is, or wrapped. */
static void route_to_server(const struct clb_session *session,
			    struct clb_route *route)
{
	const struct clb_endpoint *key = &session->server->key;

	if (!clb_session_one_way(session)) {
		route_translated(session, CLB_DIR_ORIGINAL, route);
		return;
	}
	route->family = key->family;
	route->daddr = key->addr;
	route->known_nh = session->mode == CLB_MODE_DR;
	if (session->mode == CLB_MODE_TUN)
		route->protocol = clb_tunnel_protocol(session);
}

static u32 route_cookie(const struct clb_route *route,
			const struct dst_entry *dst)
{
	return route->family == NFPROTO_IPV6 && IS_ENABLED(CONFIG_IPV6) ?
	       rt6_get_cookie((const struct rt6_info *)dst) : 0;
}

/* Rules, IPsec policies and subtrees look at more than the destination. */
static bool ways_differ(const struct net *net, u8 family)
{
#ifdef CONFIG_XFRM
	if (net->xfrm.policy_count[XFRM_POLICY_OUT])
		return true;
#endif
#ifdef CONFIG_IP_MULTIPLE_TABLES
	if (family == NFPROTO_IPV4)
		return net->ipv4.fib_has_custom_rules;
#endif
#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	if (family == NFPROTO_IPV6 && net->ipv6.fib6_has_custom_rules)
		return true;
#endif
	return family == NFPROTO_IPV6 && fib6_routes_require_src(net);
}

/* Through gateways there may be several ways, to spread sessions over. */
static bool on_link(const struct dst_entry *dst, u8 family)
{
	if (family == NFPROTO_IPV4)
		return !((const struct rtable *)dst)->rt_uses_gateway;
	return !(((const struct rt6_info *)dst)->rt6i_flags & RTF_GATEWAY);
}

static void way_free_rcu(struct rcu_head *rcu)
{
	struct clb_way *way = container_of(rcu, struct clb_way, rcu);

	dst_release(way->dst);
	kfree(way);
}

/**
 * clb_way_forget() - give up the route kept for sessions to come
 * @server: the server; nobody looks at it any more
 *
 * Context: any.
 */
void clb_way_forget(struct clb_server *server)
{
	struct clb_way *way = rcu_dereference_protected(server->way, 1);

	if (way)
		way_free_rcu(&way->rcu);
}

/* Without memory each session looks its route up, no more. */
static void way_keep(const struct net *net, const struct clb_session *session,
		     const struct clb_route *route, struct dst_entry *dst)
{
	struct clb_way *way;

	if (ways_differ(net, route->family) || !on_link(dst, route->family))
		return;
	way = kmalloc(sizeof(*way), GFP_ATOMIC | __GFP_NOWARN);
	if (!way)
		return;
	dst_hold(dst);
	way->dst = dst;
	way->cookie = route_cookie(route, dst);
	way->mode = session->mode;
	way->saddr = route->saddr;
	way = unrcu_pointer(xchg(&session->server->way, RCU_INITIALIZER(way)));
	if (way)
		call_rcu(&way->rcu, way_free_rcu);
}

static struct dst_entry *route_keep(struct clb_session *session,
				    enum clb_dir dir, struct dst_entry *dst,
				    u32 cookie)
{
	struct dst_entry *old;

	/* with a cookie of another route the check only fails once more */
	WRITE_ONCE(session->dst_cookie[dir], cookie);
	old = unrcu_pointer(xchg(&session->dst[dir], RCU_INITIALIZER(dst)));
	dst_release(old);
	return dst;
}

/* The route that another session to the server found. */
static struct dst_entry *way_follow(const struct net *net,
				    struct clb_session *session)
{
	const struct clb_server *server = session->server;
	const struct clb_way *way = rcu_dereference(server->way);

	if (!way || way->mode != session->mode ||
	    ways_differ(net, server->key.family) ||
	    !clb_route_valid(net, way->dst, way->cookie) ||
	    !dst_hold_safe(way->dst))
		return NULL;
	if (session->mode == CLB_MODE_TUN)
		clb_tunnel_set_source(session, &way->saddr);
	return route_keep(session, CLB_DIR_ORIGINAL, way->dst, way->cookie);
}

static struct dst_entry *route_look_up(struct net *net,
				       struct clb_session *session,
				       enum clb_dir dir)
{
	struct clb_route route = { .known_nh = false };
	struct dst_entry *dst;

	if (dir == CLB_DIR_REPLY)
		route_translated(session, dir, &route);
	else
		route_to_server(session, &route);
	dst = clb_route_find(net, &route);
	if (!dst)
		return NULL;
	if (dir == CLB_DIR_ORIGINAL) {
		if (session->mode == CLB_MODE_TUN)
			clb_tunnel_set_source(session, &route.saddr);
		way_keep(net, session, &route, dst);
	}
	return route_keep(session, dir, dst, route_cookie(&route, dst));
}

/**
 * clb_route_renew() - look the route of a session's packets up
 * @net: the namespace
 * @session: the session, which will keep the route
 * @dir: the direction in which the packets travel
 *
 * Return: the route, without a reference, or NULL where there is none.
 * Context: RCU read side, to the end of which the route is valid.
 */
struct dst_entry *clb_route_renew(struct net *net,
				  struct clb_session *session,
				  enum clb_dir dir)
{
	struct dst_entry *dst = NULL;

	if (dir == CLB_DIR_ORIGINAL)
		dst = way_follow(net, session);
	return likely(dst) ? dst : route_look_up(net, session, dir);
}

static void server_forget(struct clb_server *server)
{
	struct clb_way *way = rcu_dereference(server->way);

	if (!way || dst_check(way->dst, way->cookie))
		return;
	if (unrcu_pointer(cmpxchg(&server->way, RCU_INITIALIZER(way),
				  NULL)) == way)
		call_rcu(&way->rcu, way_free_rcu);
}

static void servers_forget(struct clb_net *cn)
{
	const struct clb_ruleset *ruleset;
	u32 i, k;

	rcu_read_lock();
	ruleset = rcu_dereference(cn->ruleset);
	for (i = 0; i <= ruleset->mask; i++) {
		const struct clb_listener_conf *conf = ruleset->slots[i];

		for (k = 0; conf && k < conf->nr_servers; k++)
			server_forget(conf->servers[k].server);
	}
	rcu_read_unlock();
}

static void session_forget(struct clb_session *session)
{
	struct dst_entry *dst;
	int dir;

	/* it may be that of no configuration any more */
	server_forget(session->server);
	for (dir = 0; dir < CLB_DIR_MAX; dir++) {
		dst = rcu_dereference(session->dst[dir]);
		if (!dst ||
		    dst_check(dst, READ_ONCE(session->dst_cookie[dir])))
			continue;
		dst = unrcu_pointer(xchg(&session->dst[dir], NULL));
		dst_release(dst);
	}
}

/**
 * clb_routes_forget() - let go of routes that are stale
 * @cn: the namespace, started
 *
 * A stale IPv6 route can hold the route it was made from, and with it the
 * device, for as long as a session or a server has it. A namespace that goes
 * waits for its devices before its sessions end. One that a packet caches
 * meanwhile is met when the kernel, still waiting, tells of the device again.
 *
 * Context: process; may sleep.
 */
void clb_routes_forget(struct clb_net *cn)
{
	struct clb_table *table = &cn->table;
	struct clb_tuplehash *entry;
	u32 i;

	servers_forget(cn);
	clb_table_walk_begin(table);
	for (i = 0; i < clb_table_buckets(table); i++) {
		rcu_read_lock();
		clb_chain_for_each(entry, clb_table_bucket(table, i))
			session_forget(clb_session_of(entry));
		rcu_read_unlock();
		cond_resched();
	}
	clb_table_walk_end(table);
}
