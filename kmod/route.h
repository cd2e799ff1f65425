/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_ROUTE_H
#define _CLB_ROUTE_H

#include "session.h"

/**
 * struct clb_route - where a packet is to go
 * @saddr: its source; all zero: the kernel chooses, and says here what
 * @daddr: its destination
 * @family: of both
 * @known_nh: the neighbour is @daddr whatever the packet's destination is
 */
struct clb_route {
	union nf_inet_addr	saddr;
	union nf_inet_addr	daddr;
	u8			family;
	bool			known_nh;
};

struct dst_entry *clb_route_find(struct net *net, struct clb_route *route);
void clb_routes_forget(struct clb_net *cn);
struct dst_entry *clb_session_route(struct net *net,
				    struct clb_session *session,
				    enum clb_dir dir);

/* Does the packet end on this node? */
static inline bool clb_route_local(const struct dst_entry *dst)
{
	return dst->dev->flags & IFF_LOOPBACK;
}

#endif /* _CLB_ROUTE_H */
