/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TCP_H
#define _CLB_TCP_H

#include <linux/sizes.h>

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

/* So much at most is on its way at a time: numbers further off mean nothing. */
#define CLB_TCP_FLIGHT	SZ_16M

bool clb_tcp_note_unusual(struct clb_session *session, enum clb_dir dir,
			  u32 ack, u32 end);

/**
 * clb_tcp_note() - note what each side would accept as the number of a reset
 * @session: an established session
 * @dir: the direction in which the segment travels
 * @ack: what it acknowledges of the other side's bytes
 * @end: number behind its last byte
 *
 * A number before the one that is awaited is ignored without a word (RFC 9293,
 * 3.10.7.4), one behind it is challenged (RFC 5961, 3.2). So what was sent
 * counts, acknowledged or not: it has arrived by the time the reset does. What
 * is sent once more, or to hear whether the other side lives, takes nothing
 * back. Of numbers further off the latest word counts.
 *
 * Who knows no number of the connection changes nothing: one of the two must be
 * near what is known. One is enough, for a side may have gone far by another
 * node, or have more on its way than CLB_TCP_FLIGHT. So a guess is right once
 * in 64 times. Of a copy that another node told of nothing is known, and all is
 * believed.
 *
 * Return: true if the segment is believed.
 * Context: RCU read side.
 */
static inline bool clb_tcp_note(struct clb_session *session, enum clb_dir dir,
				u32 ack, u32 end)
{
	u32 sent = READ_ONCE(session->reset_seq[!dir]);
	u32 last = READ_ONCE(session->reset_seq[dir]);

	/* on from the end of the last one, and its ack of what was seen */
	if (unlikely(end - last >= CLB_TCP_FLIGHT ||
		     sent - ack >= CLB_TCP_FLIGHT))
		return clb_tcp_note_unusual(session, dir, ack, end);
	WRITE_ONCE(session->reset_seq[dir], end);
	return true;
}

/* The client opens a new connection where an old one is closing; UDP never. */
static inline bool clb_tcp_reopens(const struct clb_session *session,
				   enum clb_dir dir,
				   const struct clb_packet *pkt)
{
	return unlikely(clb_tcp_opens(pkt)) && dir == CLB_DIR_ORIGINAL &&
	       clb_tcp_closing(READ_ONCE(session->state));
}

/* Of the flags, PSH is of no concern. */
#define CLB_TCP_PSH	0x08

/**
 * clb_session_track() - follow a packet
 * @session: its session
 * @dir: the direction in which it travels
 * @pkt: the packet
 *
 * Context: RCU read side, softirqs off.
 */
static __always_inline void clb_session_track(struct clb_session *session,
					      enum clb_dir dir,
					      const struct clb_packet *pkt)
{
	u32 state = READ_ONCE(session->state);

	if (pkt->tuple.protocol == IPPROTO_TCP) {
		if (unlikely(state != CLB_SESSION_STATE_ESTABLISHED ||
			     (pkt->tcp_flags | CLB_TCP_PSH) !=
			     (CLB_TCP_ACK | CLB_TCP_PSH))) {
			clb_tcp_track(session, dir, pkt);
			return;
		}
		clb_tcp_note(session, dir, pkt->ack, pkt->seq + pkt->tcp_len);
		clb_session_extend(session, CLB_TIMEOUT_ESTABLISHED);
		return;
	}
	if (unlikely(state == CLB_SESSION_STATE_UDP_NEW &&
		     dir == CLB_DIR_REPLY))
		clb_session_set_state(session, state, CLB_SESSION_STATE_UDP);
	else if (unlikely(!READ_ONCE(session->confirmed)) &&
		 state == CLB_SESSION_STATE_UDP && dir == CLB_DIR_ORIGINAL)
		clb_session_confirm(session);
	clb_session_extend(session, CLB_TIMEOUT_UDP);
}

#endif /* _CLB_TCP_H */
