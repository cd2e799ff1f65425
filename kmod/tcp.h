/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TCP_H
#define _CLB_TCP_H

#include "session.h"

void clb_tcp_track(struct clb_session *session, enum clb_dir dir,
		   const struct clb_packet *pkt);

/* A SYN that opens: the client (re)uses its port for a new connection. */
static inline bool clb_tcp_opens(const struct clb_packet *pkt)
{
	return (pkt->tcp_flags & (CLB_TCP_SYN | CLB_TCP_ACK | CLB_TCP_RST |
				  CLB_TCP_FIN)) == CLB_TCP_SYN;
}

/* States in which a new SYN of the client is a new connection. */
static inline bool clb_tcp_closing(u32 state)
{
	return state >= CLB_SESSION_STATE_FIN_CLIENT &&
	       state <= CLB_SESSION_STATE_CLOSED;
}

#endif /* _CLB_TCP_H */
