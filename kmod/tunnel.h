/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TUNNEL_H
#define _CLB_TUNNEL_H

#include "session.h"

int clb_tunnel_push(struct sk_buff *skb, const struct clb_session *session,
		    const struct dst_entry *dst);
bool clb_tunnel_error(struct clb_net *cn, struct sk_buff *skb,
		      unsigned int inner, const struct clb_packet *error,
		      const struct clb_packet *quoted);

/*
 * The reply tuple of a tunnelled session is in no packet and in no table: it
 * holds the outer source, chosen with the route.
 */
static inline void clb_tunnel_set_source(struct clb_session *session,
					 const union nf_inet_addr *addr)
{
	session->hash[CLB_DIR_REPLY].tuple.dst = *addr;
}

static inline const union nf_inet_addr *
clb_tunnel_source(const struct clb_session *session)
{
	return &session->hash[CLB_DIR_REPLY].tuple.dst;
}

/* What encapsulation takes from the MTU. */
static inline unsigned int clb_tunnel_overhead(const struct clb_session *s)
{
	if (s->mode != CLB_MODE_TUN)
		return 0;
	return s->server->key.family == NFPROTO_IPV4 ? sizeof(struct iphdr) :
						       sizeof(struct ipv6hdr);
}

/* What the outer header says is inside. */
static inline u8 clb_tunnel_protocol(const struct clb_session *session)
{
	return clb_session_tuple(session, CLB_DIR_ORIGINAL)->family ==
	       NFPROTO_IPV4 ? IPPROTO_IPIP : IPPROTO_IPV6;
}

#endif /* _CLB_TUNNEL_H */
