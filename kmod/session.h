/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_SESSION_H
#define _CLB_SESSION_H

#include <linux/jiffies.h>
#include <net/dst.h>

#include "listener.h"
#include "packet.h"
#include "table.h"

struct clb_listener_conf;
struct clb_local_address;
struct clb_net;
struct clb_ruleset;

/*
 * On its way into the table, by who made it, or out of it, by who set this
 * state: nobody else may end the session.
 */
#define CLB_SESSION_STATE_DEAD	__CLB_SESSION_STATE_MAX

/**
 * struct clb_session - one TCP connection or UDP flow, or one client's
 *	persistence
 * @hash: both directions; the reply is unused where replies bypass the node
 * @rcu: packets in flight; once it is dead
 * @embryo: among the embryonic sessions of its listener (embryo.c), or empty;
 *	until it is dead
 * @server: where it goes; the session holds a reference
 * @local: local address of FNAT, else NULL; the session holds a reference
 * @dst: cached routes by direction; each holds a reference
 * @dst_cookie: their cookies
 * @deadline: jiffies (32 bits) at which it ends unless packets come; a plain
 *	store moves it
 * @reset_seq: sequence number each side will accept in a reset, host order,
 *	by the direction in which the reset travels
 * @state: enum clb_session_state or CLB_SESSION_STATE_DEAD; changed by
 *	compare-and-exchange
 * @cpu: that began it
 * @mode: enum clb_mode
 * @inserted: directions in the table
 * @from_here: the client is on this node: a packet of its came from here, and
 *	none from elsewhere since its address is another host's
 * @confirmed: the client goes on after an answer: it was no forged one that
 *	began it; of a persistence: such a session led to it
 * @synced: what other nodes know of its deadline (sync_session.c); 0: nothing
 *
 * The second part is one cache line: all that established packets touch
 * beside tuples.
 */
struct clb_session {
	struct clb_tuplehash	hash[CLB_DIR_MAX];
	union {
		struct rcu_head		rcu;
		struct list_head	embryo;
	};

	struct clb_server	*server;
	struct clb_local_address *local;
	struct dst_entry __rcu	*dst[CLB_DIR_MAX];
	u32			dst_cookie[CLB_DIR_MAX];
	u32			deadline;
	u32			reset_seq[CLB_DIR_MAX];
	u32			state;
	u16			cpu;
	u8			mode;
	u8			inserted;
	bool			from_here;
	bool			confirmed;
	u16			synced;
};

/**
 * struct clb_session_filter - which sessions a walk is about
 * @listener: unless NULL, those of this listener
 * @server: unless NULL, those of servers with this address, and port unless 0
 * @client: unless family is 0, those of this client, and port unless 0
 * @state: unless negative, those in this state
 */
struct clb_session_filter {
	const struct clb_endpoint	*listener;
	const struct clb_endpoint	*server;
	struct clb_endpoint		client;
	int				state;
};

int clb_session_cache_init(void);
void clb_session_cache_exit(void);

struct clb_session *clb_session_find(struct clb_net *cn,
				     const struct clb_tuple *tuple, u32 hash,
				     enum clb_dir *dir);
struct clb_session *clb_session_create(struct clb_net *cn,
				       const struct clb_ruleset *ruleset,
				       const struct clb_listener_conf *conf,
				       const struct clb_packet *pkt,
				       enum clb_stats_attr *drop);
bool clb_session_kill(struct clb_net *cn, struct clb_session *session);
bool clb_session_matches(const struct clb_session *session,
			 const struct clb_session_filter *filter);
void clb_session_confirm(struct clb_session *session);
void clb_session_set_state(struct clb_session *session, u32 old, u32 new);
void clb_session_adopt_state(struct clb_session *session, u32 old, u32 new);
int clb_session_adopt(struct clb_net *cn, struct clb_session *session,
		      u32 state);
struct clb_session *clb_session_alloc(struct clb_server *server, u8 mode,
				      u32 state);
void clb_session_discard(struct clb_session *session);

/* Sessions begin at multiples of this, their entries before the next one. */
#define CLB_SESSION_ALIGN	64

/*
 * Without a look at the entry: where that is still on its way from memory, the
 * rest of the session can be fetched with it and not after it.
 */
static inline struct clb_session *
clb_session_of(const struct clb_tuplehash *entry)
{
	return (struct clb_session *)((unsigned long)entry &
				      ~(CLB_SESSION_ALIGN - 1UL));
}

/* The direction of an entry, in the same way. */
static inline enum clb_dir clb_session_dir(const struct clb_tuplehash *entry)
{
	return (unsigned long)entry % CLB_SESSION_ALIGN ? CLB_DIR_REPLY :
							  CLB_DIR_ORIGINAL;
}

static inline const struct clb_tuple *
clb_session_tuple(const struct clb_session *session, enum clb_dir dir)
{
	return &session->hash[dir].tuple;
}

/* No flow, but the binding of a client to a server. */
static inline bool
clb_session_is_persistence(const struct clb_session *session)
{
	return clb_session_tuple(session, CLB_DIR_ORIGINAL)->kind ==
	       CLB_TUPLE_PERSISTENCE;
}

/* When it was, as sync tells it (sync_queue.c); 0: before there was sync. */
static inline u32 clb_session_born(const struct clb_session *session)
{
	return session->hash[CLB_DIR_ORIGINAL].note;
}

static inline void clb_session_set_born(struct clb_session *session, u32 born)
{
	session->hash[CLB_DIR_ORIGINAL].note = born;
}

/* Replies bypass the node. */
static inline bool clb_mode_one_way(u8 mode)
{
	return mode == CLB_MODE_DR || mode == CLB_MODE_TUN;
}

static inline bool clb_session_one_way(const struct clb_session *session)
{
	return clb_mode_one_way(session->mode);
}

static inline bool clb_session_expired(const struct clb_session *session)
{
	return (s32)(READ_ONCE(session->deadline) - (u32)jiffies) <= 0;
}

static inline u8 clb_session_timeout_class(u32 state)
{
	switch (state) {
	case CLB_SESSION_STATE_ESTABLISHED:
		return CLB_TIMEOUT_ESTABLISHED;
	case CLB_SESSION_STATE_UDP_NEW:
	case CLB_SESSION_STATE_UDP:
		return CLB_TIMEOUT_UDP;
	case CLB_SESSION_STATE_NONE:
	case CLB_SESSION_STATE_SYN_SENT:
	case CLB_SESSION_STATE_SYN_RECV:
		return CLB_TIMEOUT_SYN;
	}
	return CLB_TIMEOUT_FIN;
}

/* In jiffies: how long a session of that state lives without a packet. */
static inline u32 clb_session_timeout(const struct clb_session *session,
				      u32 state)
{
	const struct clb_listener *listener = session->server->listener;

	if (state == CLB_SESSION_STATE_PERSISTENCE)
		return READ_ONCE(listener->persistence);
	return READ_ONCE(listener->timeouts[clb_session_timeout_class(state)]);
}

/* In jiffies: since when no packet passed; less if the timeout was lowered. */
static inline s32 clb_session_idle(const struct clb_session *session, u32 state)
{
	return clb_session_timeout(session, state) -
	       (READ_ONCE(session->deadline) - (u32)jiffies);
}

/* A packet passed: the session lives on for the timeout of its state. */
static inline void clb_session_extend(struct clb_session *session,
				      enum clb_timeout timeout)
{
	const u32 *timeouts = session->server->listener->timeouts;
	u32 deadline = (u32)jiffies + READ_ONCE(timeouts[timeout]);

	/* many packets a jiffy, perhaps on two CPUs: keep the line clean */
	if (READ_ONCE(session->deadline) != deadline)
		WRITE_ONCE(session->deadline, deadline);
}

static inline void clb_session_touch(struct clb_session *session, u32 state)
{
	clb_session_extend(session, clb_session_timeout_class(state));
}

/* TCP whose handshake was done. */
static inline bool clb_session_opened(u32 state)
{
	return state >= CLB_SESSION_STATE_ESTABLISHED &&
	       state <= CLB_SESSION_STATE_TIME_WAIT;
}

/* A flow that is more than a first packet that anybody may have forged. */
static inline bool clb_session_assured(u32 state)
{
	return clb_session_opened(state) || state == CLB_SESSION_STATE_UDP;
}

/* Half-open TCP and unanswered UDP. */
static inline bool clb_session_embryonic(u32 state)
{
	return state <= CLB_SESSION_STATE_SYN_RECV ||
	       state == CLB_SESSION_STATE_UDP_NEW;
}

/* The first to go when space runs out: these, and those reset as such. */
static inline bool clb_session_yields(const struct clb_session *session,
				      u32 state)
{
	return clb_session_embryonic(state) ||
	       (state == CLB_SESSION_STATE_CLOSED &&
		!READ_ONCE(session->confirmed));
}

#endif /* _CLB_SESSION_H */
