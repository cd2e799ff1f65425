// SPDX-License-Identifier: GPL-2.0
/*
 * Routes. Each session keeps one for each direction and looks it up again
 * when the kernel says that it is stale.
 */
#include <net/ip6_route.h>
#include <net/route.h>

#include "net.h"
#include "route.h"
#include "tunnel.h"

static struct dst_entry *route4_find(struct net *net, struct clb_route *route)
{
	struct flowi4 fl4 = {
		.daddr = route->daddr.ip,
		.saddr = route->saddr.ip,
		/* the source need not be an address of this host */
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	struct rtable *rt;

	if (route->known_nh)
		fl4.flowi4_flags |= FLOWI_FLAG_KNOWN_NH;
	rt = ip_route_output_key(net, &fl4);
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

static struct dst_entry *route6_find(struct net *net, struct clb_route *route)
{
	struct flowi6 fl6 = {
		.daddr = route->daddr.in6,
		.saddr = route->saddr.in6,
		.flowi6_flags = FLOWI_FLAG_ANYSRC,
	};
	struct dst_entry *dst;

	if (route->known_nh)
		fl6.flowi6_flags |= FLOWI_FLAG_KNOWN_NH;
	dst = ip6_route_output(net, NULL, &fl6);
	if (!dst->error && route6_source(net, dst, route))
		return dst;
	dst_release(dst);
	return NULL;
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
	if (route->family == NFPROTO_IPV4)
		return route4_find(net, route);
	return IS_ENABLED(CONFIG_IPV6) ? route6_find(net, route) : NULL;
}

/* To a server that gets the client's packet as it is, or wrapped. */
static void route_to_server(const struct clb_session *session,
			    struct clb_route *route)
{
	const struct clb_endpoint *key = &session->server->key;

	route->family = key->family;
	route->daddr = key->addr;
	route->known_nh = session->mode == CLB_MODE_DR;
}

static void route_translated(const struct clb_session *session,
			     enum clb_dir dir, struct clb_route *route)
{
	const struct clb_tuple *other = clb_session_tuple(session, !dir);

	route->family = other->family;
	route->daddr = other->src;
	route->saddr = other->dst;
}

static u32 route_cookie(const struct clb_route *route,
			const struct dst_entry *dst)
{
	return route->family == NFPROTO_IPV6 && IS_ENABLED(CONFIG_IPV6) ?
	       rt6_get_cookie((const struct rt6_info *)dst) : 0;
}

static struct dst_entry *route_renew(struct net *net,
				     struct clb_session *session,
				     enum clb_dir dir)
{
	struct clb_route route = { .known_nh = false };
	struct dst_entry *dst, *old;

	if (clb_session_one_way(session) && dir == CLB_DIR_ORIGINAL)
		route_to_server(session, &route);
	else
		route_translated(session, dir, &route);
	dst = clb_route_find(net, &route);
	if (!dst)
		return NULL;
	if (session->mode == CLB_MODE_TUN && dir == CLB_DIR_ORIGINAL)
		clb_tunnel_set_source(session, &route.saddr);
	/* with a cookie of another route the check only fails once more */
	WRITE_ONCE(session->dst_cookie[dir], route_cookie(&route, dst));
	old = unrcu_pointer(xchg(&session->dst[dir], RCU_INITIALIZER(dst)));
	dst_release(old);
	return dst;
}

/**
 * clb_session_route() - the route of a session's packets
 * @net: the namespace
 * @session: the session
 * @dir: the direction in which the packets travel
 *
 * Return: the route, without a reference, or NULL where there is none.
 * Context: RCU read side, to the end of which the route is valid.
 */
struct dst_entry *clb_session_route(struct net *net,
				    struct clb_session *session,
				    enum clb_dir dir)
{
	struct dst_entry *dst = rcu_dereference(session->dst[dir]);

	if (likely(dst && dst_check(dst, READ_ONCE(session->dst_cookie[dir]))))
		return dst;
	return route_renew(net, session, dir);
}

static void session_forget(struct clb_session *session)
{
	struct dst_entry *dst;
	int dir;

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
 * device, for as long as a session has it. A namespace that goes waits for its
 * devices before its sessions end. One that a packet caches meanwhile is met
 * when the kernel, still waiting, tells of the device again.
 *
 * Context: process; may sleep.
 */
void clb_routes_forget(struct clb_net *cn)
{
	struct clb_tuplehash *entry;
	u32 i;

	for (i = 0; i < clb_table_buckets(&cn->table); i++) {
		rcu_read_lock();
		hlist_for_each_entry_rcu(entry,
					 clb_table_bucket(&cn->table, i), node)
			session_forget(clb_session_of(entry));
		rcu_read_unlock();
		cond_resched();
	}
}
