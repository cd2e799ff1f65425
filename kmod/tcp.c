// SPDX-License-Identifier: GPL-2.0
/*
 * TCP: the state of a connection as the node sees it (RFC 9293, figure 5,
 * from the middle). The state only chooses timeouts and what may be evicted;
 * no packet is refused for it.
 */
#include "tcp.h"

enum tcp_event {
	EVENT_SYN,
	EVENT_SYNACK,
	EVENT_FIN,
	EVENT_ACK,
	EVENT_RST,
	EVENT_OTHER,
	EVENT_MAX
};

#define SNO CLB_SESSION_STATE_NONE
#define SSS CLB_SESSION_STATE_SYN_SENT
#define SSR CLB_SESSION_STATE_SYN_RECV
#define SES CLB_SESSION_STATE_ESTABLISHED
#define SFC CLB_SESSION_STATE_FIN_CLIENT
#define SFS CLB_SESSION_STATE_FIN_SERVER
#define SCG CLB_SESSION_STATE_CLOSING
#define STW CLB_SESSION_STATE_TIME_WAIT
#define SCD CLB_SESSION_STATE_CLOSED

#define CLB_TCP_STATES (CLB_SESSION_STATE_CLOSED + 1)

/*
 * Both directions pass the node (NAT, FNAT). Before the server answered nothing
 * of the client leads on but a reset: anybody may have forged it.
 */
static const u8 two_way[CLB_DIR_MAX][EVENT_MAX][CLB_TCP_STATES] = {
	[CLB_DIR_ORIGINAL] = {
/*	from:		    SNO  SSS  SSR  SES  SFC  SFS  SCG  STW  SCD */
	[EVENT_SYN]	= { SSS, SSS, SSR, SES, SFC, SFS, SCG, STW, SCD },
	[EVENT_SYNACK]	= { SNO, SSS, SSR, SES, SFC, SFS, SCG, STW, SCD },
	[EVENT_FIN]	= { SNO, SSS, SFC, SFC, SFC, SCG, SCG, STW, SCD },
	[EVENT_ACK]	= { SNO, SSS, SES, SES, SFC, SFS, STW, STW, SCD },
	[EVENT_RST]	= { SCD, SCD, SCD, SCD, SCD, SCD, SCD, STW, SCD },
	[EVENT_OTHER]	= { SNO, SSS, SSR, SES, SFC, SFS, SCG, STW, SCD },
	},
	[CLB_DIR_REPLY] = {
/*	from:		    SNO  SSS  SSR  SES  SFC  SFS  SCG  STW  SCD */
	[EVENT_SYN]	= { SNO, SSR, SSR, SES, SFC, SFS, SCG, STW, SCD },
	[EVENT_SYNACK]	= { SSR, SSR, SSR, SES, SFC, SFS, SCG, STW, SCD },
	[EVENT_FIN]	= { SFS, SFS, SFS, SFS, SCG, SFS, SCG, STW, SCD },
	[EVENT_ACK]	= { SNO, SSS, SSR, SES, SFC, SFS, STW, STW, SCD },
	[EVENT_RST]	= { SCD, SCD, SCD, SCD, SCD, SCD, SCD, STW, SCD },
	[EVENT_OTHER]	= { SNO, SSS, SSR, SES, SFC, SFS, SCG, STW, SCD },
	},
};

/*
 * The server answers past the node (DR, TUN): the client's first ACK tells of
 * the SYN+ACK it must have had; of the server's FIN nothing tells.
 */
static const u8 one_way[EVENT_MAX][CLB_TCP_STATES] = {
/*	from:		    SNO  SSS  SSR  SES  SFC  SFS  SCG  STW  SCD */
	[EVENT_SYN]	= { SSS, SSS, SSS, SES, SFC, SFS, SCG, STW, SCD },
	[EVENT_SYNACK]	= { SNO, SSS, SSR, SES, SFC, SFS, SCG, STW, SCD },
	[EVENT_FIN]	= { SFC, SFC, SFC, SFC, SFC, SCG, SCG, STW, SCD },
	[EVENT_ACK]	= { SES, SES, SES, SES, SFC, SFS, STW, STW, SCD },
	[EVENT_RST]	= { SCD, SCD, SCD, SCD, SCD, SCD, SCD, STW, SCD },
	[EVENT_OTHER]	= { SNO, SSS, SSR, SES, SFC, SFS, SCG, STW, SCD },
};

static enum tcp_event packet_event(u8 flags)
{
	if (unlikely(flags & CLB_TCP_RST))
		return EVENT_RST;
	if (unlikely(flags & CLB_TCP_SYN))
		return flags & CLB_TCP_ACK ? EVENT_SYNACK : EVENT_SYN;
	if (unlikely(flags & CLB_TCP_FIN))
		return EVENT_FIN;
	return flags & CLB_TCP_ACK ? EVENT_ACK : EVENT_OTHER;
}

static bool is_near(u32 number, u32 known)
{
	return number - known + CLB_TCP_FLIGHT < 2 * CLB_TCP_FLIGHT;
}

/**
 * clb_tcp_note_unusual() - the rest of clb_tcp_note()
 * @session: an established session
 * @dir: the direction in which the segment travels
 * @ack: what it acknowledges of the other side's bytes
 * @end: number behind its last byte
 *
 * Return: true if the segment is believed.
 * Context: RCU read side.
 */
bool clb_tcp_note_unusual(struct clb_session *session, enum clb_dir dir,
			  u32 ack, u32 end)
{
	u32 sent = READ_ONCE(session->reset_seq[!dir]);
	u32 last = READ_ONCE(session->reset_seq[dir]);

	if (last && !is_near(ack, sent) && !is_near(end, last))
		return false;
	if (!last || sent - ack >= CLB_TCP_FLIGHT)
		WRITE_ONCE(session->reset_seq[!dir], ack);
	if (!last || last - end >= CLB_TCP_FLIGHT)
		WRITE_ONCE(session->reset_seq[dir], end);
	return true;
}

/*
 * A blind reset must not shorten the life of a session it cannot end (RFC
 * 5961, section 3). One that answers a segment has the number this
 * acknowledges, which may be behind what was sent. Half-open connections are
 * reset by number 0 with an ACK. Of a copy that another node told of nothing is
 * known, and all is believed.
 */
static bool reset_believed(const struct clb_session *session,
			   enum clb_dir dir, u32 state,
			   const struct clb_packet *pkt)
{
	u32 last = READ_ONCE(session->reset_seq[dir]);

	return state < CLB_SESSION_STATE_ESTABLISHED ||
	       is_near(pkt->seq, last) ||
	       (!last && !READ_ONCE(session->reset_seq[!dir]));
}

/* What a server sends before the first ACK: a SYN's window is not scaled. */
#define FIRST_FLIGHT SZ_64K

/*
 * Has whoever answers for the client had the SYN+ACK? Of a copy that another
 * node told of no number is known, and all is believed.
 */
static bool synack_seen(const struct clb_session *session,
			const struct clb_packet *pkt)
{
	u32 sent = READ_ONCE(session->reset_seq[CLB_DIR_REPLY]);

	return !sent || (pkt->tcp_flags & CLB_TCP_ACK &&
			 pkt->ack - sent + FIRST_FLIGHT < 2 * FIRST_FLIGHT);
}

/*
 * During the handshake each SYN sets the numbers: those of an earlier one, of
 * which nothing came, do not count. The server's word on its own does in any
 * case: of two SYN+ACKs with different numbers (SYN cookies) the client may
 * have answered the first.
 */
static void seq_begin(struct clb_session *session, enum clb_dir dir,
		      const struct clb_packet *pkt)
{
	if (pkt->tcp_flags & CLB_TCP_SYN || dir == CLB_DIR_REPLY)
		WRITE_ONCE(session->reset_seq[dir], pkt->seq + pkt->tcp_len);
	if (pkt->tcp_flags & CLB_TCP_ACK)
		WRITE_ONCE(session->reset_seq[!dir], pkt->ack);
}

/*
 * A server that answers SYN+ACK has forgotten the connection, and begins one
 * with new numbers. Without an ACK its receiver ignores a segment.
 */
static bool seq_note(struct clb_session *session, enum clb_dir dir, u32 state,
		     const struct clb_packet *pkt)
{
	if (likely(state > CLB_SESSION_STATE_SYN_RECV)) {
		if (unlikely(!(pkt->tcp_flags & CLB_TCP_ACK)))
			return false;
		if (likely(clb_tcp_note(session, dir, pkt->ack,
					pkt->seq + pkt->tcp_len)))
			return true;
		if (dir != CLB_DIR_REPLY || !(pkt->tcp_flags & CLB_TCP_SYN))
			return false;
	} else if (state == CLB_SESSION_STATE_SYN_RECV &&
		   dir == CLB_DIR_ORIGINAL && !clb_tcp_opens(pkt) &&
		   !synack_seen(session, pkt)) {
		return false;
	}
	seq_begin(session, dir, pkt);
	return true;
}

/**
 * clb_tcp_track() - follow a TCP packet
 * @session: its session
 * @dir: the direction in which it travels
 * @pkt: the packet
 *
 * Context: RCU read side.
 */
void clb_tcp_track(struct clb_session *session, enum clb_dir dir,
		   const struct clb_packet *pkt)
{
	enum tcp_event event = packet_event(pkt->tcp_flags);
	u32 state = READ_ONCE(session->state);
	u32 new;

	if (unlikely(state >= CLB_TCP_STATES))
		return;
	if (unlikely(event == EVENT_RST)) {
		if (!reset_believed(session, dir, state, pkt))
			return;
	} else if (!seq_note(session, dir, state, pkt)) {
		/*
		 * nor must a blind FIN, which would make room for a SYN, or a
		 * blind ACK lengthen it
		 */
		event = EVENT_OTHER;
	}
	new = clb_session_one_way(session) ? one_way[event][state] :
					     two_way[dir][event][state];
	if (unlikely(new != state))
		clb_session_set_state(session, state, new);
	clb_session_touch(session, new);
}
