/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_ROUTE_H
#define _CLB_ROUTE_H

#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "session.h"

/**
 * struct clb_route - where a packet is to go
 * @saddr: its source; all zero: the kernel chooses, and says here what
 * @daddr: its destination
 * @sport: its source port, for rules and IPsec policies, as @dport
 * @dport: its destination port
 * @family: of both
 * @protocol: what it carries, for rules and IPsec policies; 0: none is looked
 *	for
 * @known_nh: the neighbour is @daddr whatever the packet's destination is
 */
struct clb_route {
	union nf_inet_addr	saddr;
	union nf_inet_addr	daddr;
	__be16			sport;
	__be16			dport;
	u8			family;
	u8			protocol;
	bool			known_nh;
};

/**
 * struct clb_way - the route to a server, for sessions to come
 * @dst: the route; a reference is held
 * @cookie: its cookie
 * @saddr: TUN: source of the outer header
 * @mode: enum clb_mode of the sessions that may use it
 * @rcu: packets in flight
 */
struct clb_way {
	struct dst_entry	*dst;
	u32			cookie;
	u8			mode;
	union nf_inet_addr	saddr;
	struct rcu_head		rcu;
};

void clb_way_forget(struct clb_server *server);
struct dst_entry *clb_route_find(struct net *net, struct clb_route *route);
void clb_routes_forget(struct clb_net *cn);
struct dst_entry *clb_route_renew(struct net *net,
				  struct clb_session *session,
				  enum clb_dir dir);

/**
 * clb_route_current() - may a cached route be used if its device is there
 * @net: the namespace
 * @dst: the route
 * @cookie: its cookie
 *
 * dst_check(), the common part of it without a call: ipv4_dst_check() in
 * net/ipv4/route.c.
 *
 * Return: true if it may. One whose device is gone is clb_route_local().
 * Context: RCU read side.
 */
static inline bool clb_route_current(const struct net *net,
				     struct dst_entry *dst, u32 cookie)
{
	const struct rtable *rt = (const struct rtable *)dst;

	if (likely(dst->ops->family == AF_INET &&
		   dst->obsolete == DST_OBSOLETE_FORCE_CHK &&
		   rt->rt_genid == rt_genid_ipv4(net)))
		return true;
	return dst_check(dst, cookie);
}

/**
 * clb_route_valid() - may a cached route be used
 * @net: the namespace
 * @dst: the route
 * @cookie: its cookie
 *
 * Once the device of a route is gone it has another, whose namespace knows
 * nothing of the route (rt_flush_dev() in net/ipv4/route.c).
 *
 * Return: true if it may.
 * Context: RCU read side.
 */
static inline bool clb_route_valid(const struct net *net,
				   struct dst_entry *dst, u32 cookie)
{
	return likely(dst->dev != blackhole_netdev) &&
	       clb_route_current(net, dst, cookie);
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
static inline struct dst_entry *
clb_session_route(struct net *net, struct clb_session *session,
		  enum clb_dir dir)
{
	struct dst_entry *dst = rcu_dereference(session->dst[dir]);

	if (likely(dst &&
		   clb_route_valid(net, dst,
				   READ_ONCE(session->dst_cookie[dir]))))
		return dst;
	return clb_route_renew(net, session, dir);
}

/**
 * clb_route_mtu() - largest packet that a route takes
 * @dst: the route
 * @forwarded: of a packet that is not the node's own: in IPv4 the path MTUs
 *	that the node was told are then none of its business, unless
 *	net.ipv4.ip_forward_use_pmtu says so; in IPv6 they are, for
 *	__ip6_finish_output() holds all packets to them
 *
 * Return: bytes at the IP layer.
 * Context: RCU read side.
 */
static inline unsigned int clb_route_mtu(const struct dst_entry *dst,
					 bool forwarded)
{
	if (forwarded && dst->ops->family == AF_INET)
		return ip_dst_mtu_maybe_forward(dst, true);
	return dst_mtu(dst);
}

/* Does the packet end on this node? */
static inline bool clb_route_local(const struct dst_entry *dst)
{
	return dst->dev->flags & IFF_LOOPBACK;
}

#endif /* _CLB_ROUTE_H */
