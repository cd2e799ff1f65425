// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions to records and back: what is said of a session, and what is done
 * about what another node says. Documentation/sync-protocol.rst has the rules.
 */
#include "persistence.h"
#include "pool.h"
#include "ruleset.h"
#include "sync_engine.h"

/* The most a deadline may have moved without the others being told. */
#define QUARTER_MAX (300 * HZ)

/* Of births so close two may be of one handshake: 3 s, in their unit. */
#define HANDSHAKE ((s32)(3ULL * NSEC_PER_SEC >> 24))

/*
 * What a session remembers of the last word on it: the deadline, 11 bits and
 * never 0, whether it was a peer's, and the state. The deadline is in units of
 * 1 to 2 seconds, or in larger ones: where a timeout is more than half of what
 * 11 bits hold, forth would look like back.
 */
#define SYNCED_SHIFT	(ilog2(HZ) + 1)
#define SYNCED_BITS	11
#define SYNCED_MASK	(BIT(SYNCED_BITS) - 1)
#define SYNCED_COPY	BIT(SYNCED_BITS)
#define SYNCED_STATE	(SYNCED_BITS + 1)

static u32 quarter_of(const struct clb_session *session, u32 state)
{
	return min_t(u32, clb_session_timeout(session, state) / 4, QUARTER_MAX);
}

static int synced_shift(const struct clb_session *session, u32 state)
{
	u32 timeout = clb_session_timeout(session, state);

	/* a binding may outlive the setting that made it */
	return max(SYNCED_SHIFT, ilog2(timeout | 1) - (SYNCED_BITS - 2));
}

static u16 synced_deadline(const struct clb_session *session, u32 deadline,
			   u32 state)
{
	return (deadline >> synced_shift(session, state) & SYNCED_MASK) ?: 1;
}

static u16 synced_of(const struct clb_session *session, u32 deadline, u32 state)
{
	BUILD_BUG_ON(CLB_SESSION_STATE_MAX >> (16 - SYNCED_STATE));
	return synced_deadline(session, deadline, state) |
	       state << SYNCED_STATE;
}

/* How many units forth a deadline moved since others were told. */
static int moved_by(const struct clb_session *session, u32 state)
{
	u16 deadline = synced_deadline(session, READ_ONCE(session->deadline),
				       state);

	return sign_extend32(deadline - READ_ONCE(session->synced),
			     SYNCED_BITS - 1);
}

/*
 * A packet takes a copy's deadline back by the allowance that it had. Further
 * back is forth: nobody was told for longer than 11 bits hold, with no sync.
 */
static int moved_least(const struct clb_session *session, u32 state)
{
	return -(int)((quarter_of(session, state) + CLB_SYNC_WALK) >>
		      synced_shift(session, state)) - 2;
}

/* So many units that a quarter of the timeout is more. */
static int moved_most(const struct clb_session *session, u32 state)
{
	int shift = synced_shift(session, state);

	return (quarter_of(session, state) >> shift) -
	       (shift > SYNCED_SHIFT);
}

/**
 * clb_sync_wanted() - does the listener want others to know of a session
 * @session: the session
 * @state: its state
 *
 * Return: true if so.
 * Context: RCU read side.
 */
bool clb_sync_wanted(const struct clb_session *session, u32 state)
{
	u8 sync = READ_ONCE(session->server->listener->sync);

	if (sync == CLB_SYNC_MODE_OFF || state == CLB_SESSION_STATE_DEAD)
		return false;
	if (clb_session_is_persistence(session))
		return READ_ONCE(session->confirmed);
	return sync == CLB_SYNC_MODE_FIRST || clb_session_assured(state) ||
	       /* no answer will ever be seen */
	       (state == CLB_SESSION_STATE_UDP_NEW &&
		clb_session_one_way(session)) ||
	       /* known to the others, it closes */
	       READ_ONCE(session->synced);
}

/*
 * How much longer than it was told a copy lives: so often do the others refresh
 * it; one that closes they do not.
 */
static u32 allowance_of(const struct clb_session *session, u32 state)
{
	if (state != CLB_SESSION_STATE_PERSISTENCE &&
	    clb_session_timeout_class(state) == CLB_TIMEOUT_FIN)
		return 0;
	return quarter_of(session, state) + CLB_SYNC_WALK;
}

static bool deadline_is_told(const struct clb_session *session, u16 synced,
			     u32 deadline, u32 state)
{
	return synced & SYNCED_COPY &&
	       (synced & SYNCED_MASK) ==
	       synced_deadline(session, deadline, state);
}

/* All that is known of its deadline is a peer's word: no packet passed here. */
static bool is_copy(const struct clb_session *session)
{
	return deadline_is_told(session, READ_ONCE(session->synced),
				READ_ONCE(session->deadline),
				READ_ONCE(session->state));
}

/**
 * __clb_sync_lacks() - a session ends because its server is down here
 * @session: the session, not yet dead
 *
 * Others may find the server well, and serve it.
 *
 * Context: RCU read side.
 */
void __clb_sync_lacks(const struct clb_session *session)
{
	const struct clb_net *cn = session->server->listener->cn;
	struct clb_sync *sync = rcu_dereference(cn->sync);

	if (sync && is_copy(session))
		WRITE_ONCE(sync->lacking, true);
}

/* In jiffies; without the allowance, which whoever is told adds anew. */
static s32 time_left(const struct clb_session *session, u32 deadline,
		     u32 state, bool copy)
{
	s32 left = deadline - (u32)jiffies;

	return copy ? left - (s32)allowance_of(session, state) : left;
}

/* Of a client on this node nobody else will see a packet. */
static bool can_be_told(const struct clb_session *session, u32 state)
{
	return !READ_ONCE(session->from_here) &&
	       !clb_session_expired(session) &&
	       clb_sync_wanted(session, state);
}

/**
 * clb_sync_stale() - do others need to hear of a session
 * @session: the session
 *
 * Return: true if they were never told of it or of its state, or packets moved
 *	its deadline by much since.
 * Context: RCU read side.
 */
bool clb_sync_stale(const struct clb_session *session)
{
	u32 state = READ_ONCE(session->state);
	u16 synced = READ_ONCE(session->synced);
	int moved;

	if (!can_be_told(session, state))
		return false;
	if (!synced || synced >> SYNCED_STATE != state)
		return true;
	moved = moved_by(session, state);
	return moved > moved_most(session, state) ||
	       moved < moved_least(session, state);
}

/**
 * clb_sync_forget() - what others were told of a session may count no more
 * @session: the session
 *
 * Of a listener whose sessions are not synced: once they are again, others have
 * lost what they knew.
 *
 * Context: RCU read side.
 */
void clb_sync_forget(struct clb_session *session)
{
	if (READ_ONCE(session->synced) &&
	    READ_ONCE(session->server->listener->sync) == CLB_SYNC_MODE_OFF)
		WRITE_ONCE(session->synced, 0);
}

/**
 * clb_sync_tellable() - may others hear of a session
 * @session: the session
 * @own: only if this node saw its last packet
 *
 * Return: true if so.
 * Context: RCU read side.
 */
bool clb_sync_tellable(const struct clb_session *session, bool own)
{
	return can_be_told(session, READ_ONCE(session->state)) &&
	       !(own && is_copy(session));
}

static void tell_persistence(struct clb_sync_session *told)
{
	told->flags |= CLB_SYNC_F_TIME | CLB_SYNC_F_CONFIRMED;
	told->port = told->listener.port;
}

static void tell_flow(const struct clb_session *session,
		      struct clb_sync_session *told)
{
	const struct clb_tuple *reply = clb_session_tuple(session,
							  CLB_DIR_REPLY);
	const struct clb_tuple *tuple = clb_session_tuple(session,
							  CLB_DIR_ORIGINAL);

	told->client_port = tuple->sport;
	told->port = tuple->dport;
	if (told->mode != CLB_MODE_FNAT)
		return;
	told->local = reply->dst;
	told->local_port = reply->dport;
}

/**
 * clb_sync_word() - put into words what is true of a session
 * @session: the session
 * @flags: as clb_sync_tell()
 * @told: result
 * @memory: result: for clb_sync_remember()
 *
 * Return: as clb_sync_tell().
 * Context: RCU read side.
 */
bool clb_sync_word(const struct clb_session *session, u8 flags,
		   struct clb_sync_session *told,
		   struct clb_sync_memory *memory)
{
	const struct clb_server *server = session->server;
	/* pairs with copy_extend(): not that of an earlier word than synced */
	u16 synced = smp_load_acquire(&session->synced);
	u32 deadline = READ_ONCE(session->deadline);
	u32 state = READ_ONCE(session->state);
	bool copy = deadline_is_told(session, synced, deadline, state);
	s32 left = time_left(session, deadline, state, copy);

	if (!can_be_told(session, state) || left <= 0)
		return false;
	memset(told, 0, sizeof(*told));
	told->listener = server->listener->key;
	told->server = server->key;
	told->client = clb_session_tuple(session, CLB_DIR_ORIGINAL)->src;
	told->born = clb_session_born(session);
	told->state = state;
	told->mode = session->mode;
	told->flags = flags;
	if (left + CLB_SYNC_WALK < clb_session_timeout(session, state))
		told->flags |= CLB_SYNC_F_TIME;
	if (clb_session_is_persistence(session))
		tell_persistence(told);
	else
		tell_flow(session, told);
	if (told->flags & CLB_SYNC_F_TIME)
		told->time = jiffies_to_msecs(left);
	memory->before = synced;
	memory->after = synced_of(session, deadline, state);
	/* another node's word stays that, though it is repeated */
	if (copy)
		memory->after |= SYNCED_COPY;
	return true;
}

/**
 * clb_sync_remember() - a session remembers that it was told of
 * @session: the session
 * @memory: from clb_sync_word()
 *
 * A word of another node that came meanwhile stays: the deadline is that one's.
 *
 * Context: RCU read side.
 */
void clb_sync_remember(struct clb_session *session,
		       const struct clb_sync_memory *memory)
{
	if (cmpxchg(&session->synced, memory->before, memory->after) !=
	    memory->before || memory->after & SYNCED_COPY)
		return;
	/* it may read as the one before, which the deadline was not of */
	if (deadline_is_told(session, memory->before,
			     READ_ONCE(session->deadline),
			     READ_ONCE(session->state)))
		cmpxchg(&session->synced, memory->after, memory->before);
}

/**
 * clb_sync_tell() - tell others what is true of a session
 * @session: the session, which remembers that it was told
 * @flags: 0, or CLB_SYNC_F_TIME: with the time it has left, to who asked
 * @told: result
 *
 * Without the time it has left, a session has all of its timeout: a packet was
 * seen a moment ago. Of another one the time is always told.
 *
 * Return: false if there is nothing to tell: as of a copy that is kept for
 *	nothing but a word that may be late.
 * Context: RCU read side.
 */
bool clb_sync_tell(struct clb_session *session, u8 flags,
		   struct clb_sync_session *told)
{
	struct clb_sync_memory memory;

	if (!clb_sync_word(session, flags, told, &memory))
		return false;
	if (!(flags & CLB_SYNC_F_TIME))
		clb_sync_remember(session, &memory);
	return true;
}

/**
 * clb_sync_session_tuple() - what identifies a session that is told of
 * @told: what is told
 * @tuple: result: of its original direction
 *
 * Context: any.
 */
void clb_sync_session_tuple(const struct clb_sync_session *told,
			    struct clb_tuple *tuple)
{
	*tuple = (struct clb_tuple) {
		.src = told->client, .dst = told->listener.addr,
		.sport = told->client_port, .dport = told->port,
		.family = told->listener.family,
		.protocol = told->listener.protocol,
		.kind = told->state == CLB_SESSION_STATE_PERSISTENCE ?
			CLB_TUPLE_PERSISTENCE : CLB_TUPLE_FLOW,
	};
}

/**
 * clb_sync_gone_tuple() - what identifies a session that is said to have ended
 * @gone: what is said
 * @tuple: result: of its original direction
 *
 * Context: any.
 */
void clb_sync_gone_tuple(const struct clb_sync_gone *gone,
			 struct clb_tuple *tuple)
{
	*tuple = (struct clb_tuple) {
		.src = gone->client, .dst = gone->listener.addr,
		.sport = gone->client_port, .dport = gone->port,
		.family = gone->listener.family,
		.protocol = gone->listener.protocol,
	};
}

static u32 copy_deadline(const struct clb_session *session,
			 const struct clb_sync_session *told)
{
	u32 time = clb_session_timeout(session, told->state);

	if (told->flags & CLB_SYNC_F_TIME)
		time = min_t(u64, msecs_to_jiffies(told->time), time);
	return (u32)jiffies + time + allowance_of(session, told->state);
}

/* Packets passed elsewhere: of their numbers nothing is known. */
static void copy_extend(struct clb_session *session, u32 deadline, u32 state)
{
	WRITE_ONCE(session->reset_seq[CLB_DIR_ORIGINAL], 0);
	WRITE_ONCE(session->reset_seq[CLB_DIR_REPLY], 0);
	WRITE_ONCE(session->deadline, deadline);
	/* pairs with clb_sync_word(), in the other thread */
	smp_store_release(&session->synced,
			  synced_of(session, deadline, state) | SYNCED_COPY);
}

/* What a mode asks of the families, a binding of the listener. */
static bool fits(const struct clb_listener_conf *conf,
		 const struct clb_sync_session *told)
{
	if (told->state == CLB_SESSION_STATE_PERSISTENCE)
		return conf->opt.persistence;
	return told->mode == CLB_MODE_TUN ||
	       told->server.family == told->listener.family;
}

static struct clb_server *server_find(struct clb_sync *sync,
				      const struct clb_sync_session *told,
				      enum clb_sync_attr *why)
{
	const struct clb_listener_conf *conf;
	const struct clb_server_conf *server;

	conf = clb_ruleset_find(rcu_dereference(sync->cn->ruleset),
				&told->listener);
	*why = CLB_SYNC_A_REFUSED_LISTENER;
	if (!conf)
		return NULL;
	server = clb_server_conf_find(conf, &told->server);
	*why = CLB_SYNC_A_REFUSED_SERVER;
	if (!server || clb_server_dead(server->server))
		return NULL;
	*why = CLB_SYNC_A_REFUSED_UNFIT;
	return fits(conf, told) ? server->server : NULL;
}

/*
 * Ports of a local address that we use are taken by us alone. One of another
 * node may be an older copy's yet, which is not done with it here, or there may
 * be no memory to mark it. Returns what the session is refused for, or 0.
 */
static enum clb_sync_attr local_take(struct clb_sync *sync,
				     struct clb_session *session)
{
	const struct clb_ruleset *ruleset =
		rcu_dereference(sync->cn->ruleset);
	const struct clb_tuple *reply = clb_session_tuple(session,
							  CLB_DIR_REPLY);
	struct clb_endpoint server = session->server->key;
	struct clb_local_address *local;
	int err = -ENOENT;

	local = clb_pool_find(ruleset, reply->family, &reply->dst);
	server.port = reply->sport;
	if (local)
		err = clb_pool_reserve(local, &server, reply->dport);
	if (!err) {
		session->local = local;
		return 0;
	}
	if (!local || !clb_pool_uses(ruleset, local)) {
		WRITE_ONCE(sync->cn->strays, true);
		return 0;
	}
	switch (err) {
	case -ENOMEM:
		return CLB_SYNC_A_REFUSED_NO_MEMORY;
	case -ENOSPC:
		return CLB_SYNC_A_REFUSED_LIMIT;
	default:
		return CLB_SYNC_A_REFUSED_CONFLICT;
	}
}

static void copy_fill(struct clb_sync *sync, struct clb_session *session,
		      const struct clb_sync_session *told,
		      const struct clb_tuple *tuple)
{
	struct clb_tuplehash *original = &session->hash[CLB_DIR_ORIGINAL];
	struct clb_tuple *reply = &session->hash[CLB_DIR_REPLY].tuple;

	original->tuple = *tuple;
	original->hash = clb_table_hash(&sync->cn->table, tuple);
	clb_tuple_invert(reply, tuple);
	reply->dir = CLB_DIR_REPLY;
	clb_session_set_born(session, told->born);
	session->confirmed = told->flags & CLB_SYNC_F_CONFIRMED ||
			     clb_session_opened(told->state);
	copy_extend(session, copy_deadline(session, told), told->state);
	if (clb_session_one_way(session))
		return;
	reply->src = told->server.addr;
	reply->sport = told->server.port ?: tuple->dport;
	if (told->mode != CLB_MODE_FNAT)
		return;
	reply->dst = told->local;
	reply->dport = told->local_port;
}

/* A local port was given to another client: the copy that has it is over. */
static void local_clear(struct clb_sync *sync,
			const struct clb_session *session)
{
	const struct clb_tuple *reply = clb_session_tuple(session,
							  CLB_DIR_REPLY);
	struct clb_table *table = &sync->cn->table;
	struct clb_tuplehash *entry;
	struct clb_session *other;

	entry = clb_table_find(table, reply, clb_table_hash(table, reply));
	if (!entry || entry->tuple.dir != CLB_DIR_REPLY)
		return;
	other = clb_session_of(entry);
	if (is_copy(other) &&
	    clb_sync_born_order(clb_session_born(session),
				clb_session_born(other)) > 0 &&
	    clb_session_kill(sync->cn, other))
		clb_sync_count(sync, CLB_SYNC_A_ENDED);
}

static void copy_make(struct clb_sync *sync, struct clb_server *server,
		      const struct clb_sync_session *told,
		      const struct clb_tuple *tuple)
{
	u8 mode = told->state == CLB_SESSION_STATE_PERSISTENCE ? CLB_MODE_DR :
								 told->mode;
	struct clb_session *session;
	enum clb_sync_attr why = CLB_SYNC_A_REFUSED_NO_MEMORY;

	session = clb_session_alloc(server, mode, CLB_SESSION_STATE_DEAD);
	if (!session)
		goto refuse;
	copy_fill(sync, session, told, tuple);
	if (mode == CLB_MODE_FNAT) {
		local_clear(sync, session);
		why = local_take(sync, session);
		if (why)
			goto discard;
	}
	why = CLB_SYNC_A_REFUSED_CONFLICT;
	switch (clb_session_adopt(sync->cn, session, told->state)) {
	case 0:
		clb_sync_count(sync, CLB_SYNC_A_CREATED);
		return;
	case -ENOSPC:
		why = CLB_SYNC_A_REFUSED_LIMIT;
	}
discard:
	clb_session_discard(session);
refuse:
	clb_sync_count(sync, why);
}

/* Of two words on one connection's state, the later in its life. */
static u32 later_state(u32 old, u32 told)
{
	if ((old == CLB_SESSION_STATE_FIN_CLIENT &&
	     told == CLB_SESSION_STATE_FIN_SERVER) ||
	    (old == CLB_SESSION_STATE_FIN_SERVER &&
	     told == CLB_SESSION_STATE_FIN_CLIENT))
		return CLB_SESSION_STATE_CLOSING;
	return max(old, told);
}

/*
 * Did whoever told see a later packet than this node? Our own word, said back
 * with its way and the allowance added, is none.
 */
static bool is_later(const struct clb_session *session,
		     const struct clb_sync_session *told, u32 deadline)
{
	s32 later = deadline - READ_ONCE(session->deadline);

	if (told->flags & CLB_SYNC_F_TIME && !is_copy(session))
		later -= allowance_of(session, told->state) + CLB_SYNC_WALK / 2;
	return later > 0;
}

/* A packet that changed the state meanwhile has the say on its timeout. */
static void copy_settle(struct clb_session *session, u32 state)
{
	u32 now;

	/* the packet's state comes before its deadline, ours after it */
	smp_mb();
	now = READ_ONCE(session->state);
	if (unlikely(now != state && now != CLB_SESSION_STATE_DEAD))
		WRITE_ONCE(session->deadline,
			   (u32)jiffies + clb_session_timeout(session, now));
}

/* Returns false if it has just ended. */
static bool copy_update(struct clb_sync *sync, struct clb_session *session,
			const struct clb_sync_session *told)
{
	u32 old = READ_ONCE(session->state), new;
	u32 deadline = copy_deadline(session, told);

	if (old == CLB_SESSION_STATE_DEAD)
		return false;
	new = later_state(old, told->state);
	if (told->flags & CLB_SYNC_F_CONFIRMED)
		WRITE_ONCE(session->confirmed, true);
	if (new != old)
		clb_session_adopt_state(session, old, new);
	/* a state that is over gives way to the timeout of the new one */
	if (new == told->state &&
	    (new != old || is_later(session, told, deadline)))
		copy_extend(session, deadline, new);
	copy_settle(session, new);
	clb_sync_count(sync, CLB_SYNC_A_UPDATED);
	return true;
}

static int rank_of(u32 state)
{
	if (clb_session_assured(state) &&
	    clb_session_timeout_class(state) != CLB_TIMEOUT_FIN)
		return 2;
	return clb_session_embryonic(state);
}

static int endpoint_compare(const struct clb_endpoint *a,
			    const struct clb_endpoint *b)
{
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) ?:
	       memcmp(&a->port, &b->port, sizeof(a->port));
}

static int local_compare(const struct clb_session *session,
			 const struct clb_sync_session *told)
{
	const struct clb_tuple *reply = clb_session_tuple(session,
							  CLB_DIR_REPLY);

	if (session->mode != CLB_MODE_FNAT || told->mode != CLB_MODE_FNAT)
		return session->mode - told->mode;
	return memcmp(&reply->dst, &told->local, sizeof(told->local)) ?:
	       memcmp(&reply->dport, &told->local_port,
		      sizeof(told->local_port));
}

/* Is it the same connection, to the same server? */
static bool is_same(const struct clb_session *session,
		    const struct clb_sync_session *told)
{
	if (!clb_endpoint_equal(&session->server->key, &told->server))
		return false;
	if (told->state == CLB_SESSION_STATE_PERSISTENCE)
		return true;
	return !local_compare(session, told) &&
	       clb_session_born(session) == told->born;
}

/*
 * Of two sessions for one flow, every node keeps the same. What they have
 * become says nothing where one is of an earlier connection.
 */
static bool told_wins(const struct clb_session *session,
		      const struct clb_sync_session *told)
{
	s32 born = clb_sync_born_order(told->born, clb_session_born(session));
	int order = 0;

	if (born > -HANDSHAKE && born < HANDSHAKE)
		order = rank_of(told->state) -
			rank_of(READ_ONCE(session->state));
	if (!order)
		order = born;
	if (!order)
		order = endpoint_compare(&session->server->key, &told->server);
	if (!order)
		order = local_compare(session, told);
	return order > 0;
}

/*
 * A client of this node alone has it: of that, others saw a forged packet at
 * most, which ends nothing here.
 */
static bool is_ours_alone(const struct clb_session *session)
{
	return READ_ONCE(session->from_here) && !clb_session_expired(session);
}

/* Another session has the flow. Returns true if its place is free. */
static bool conflict_settle(struct clb_sync *sync, struct clb_session *session,
			    const struct clb_sync_session *told)
{
	if (clb_session_expired(session)) {
		if (clb_session_kill(sync->cn, session))
			clb_stats_inc(sync->cn->stats,
				      CLB_STATS_A_SESSIONS_EXPIRED);
		return true;
	}
	if (told_wins(session, told)) {
		if (clb_session_kill(sync->cn, session))
			clb_sync_count(sync, CLB_SYNC_A_ENDED);
		return true;
	}
	clb_sync_count(sync, CLB_SYNC_A_REFUSED_CONFLICT);
	clb_sync_say_again(sync, session);
	return false;
}

/*
 * It was ended, and whoever believes in it has not heard of that. Returns false
 * if no such thing is remembered.
 */
static bool ended_refuse(struct clb_sync *sync,
			 const struct clb_sync_session *told,
			 const struct clb_tuple *tuple)
{
	u32 ended;

	if (tuple->kind != CLB_TUPLE_FLOW ||
	    !clb_sync_tomb_find(sync, tuple, jiffies, &ended) ||
	    clb_sync_born_order(told->born, ended) > 0)
		return false;
	clb_sync_count(sync, CLB_SYNC_A_REFUSED_ENDED);
	clb_sync_gone_again(sync, tuple, ended);
	return true;
}

/**
 * clb_sync_apply() - another node says what is true of a session
 * @sync: sync
 * @told: what it says
 *
 * Context: RCU read side, softirqs off.
 */
void clb_sync_apply(struct clb_sync *sync, const struct clb_sync_session *told)
{
	struct clb_session *session;
	struct clb_tuplehash *entry;
	struct clb_server *server;
	struct clb_tuple tuple;
	enum clb_sync_attr why;

	server = server_find(sync, told, &why);
	if (!server) {
		WRITE_ONCE(sync->lacking, true);
		clb_sync_count(sync, why);
		return;
	}
	clb_sync_session_tuple(told, &tuple);
	entry = clb_table_find(&sync->cn->table, &tuple,
			       clb_table_hash(&sync->cn->table, &tuple));
	if (entry && entry->tuple.dir != CLB_DIR_ORIGINAL) {
		clb_sync_count(sync, CLB_SYNC_A_REFUSED_CONFLICT);
		return;
	}
	session = entry ? clb_session_of(entry) : NULL;
	if (session && is_ours_alone(session)) {
		clb_sync_count(sync, CLB_SYNC_A_REFUSED_CONFLICT);
		return;
	}
	/* the collector is on its way to it */
	if (session && clb_server_dead(session->server)) {
		clb_sync_lacks(session);
		if (clb_session_kill(sync->cn, session))
			clb_sync_count(sync, CLB_SYNC_A_ENDED);
		session = NULL;
	}
	if (session && is_same(session, told) &&
	    !clb_session_expired(session) && copy_update(sync, session, told))
		return;
	if (ended_refuse(sync, told, &tuple) ||
	    (session && !conflict_settle(sync, session, told)))
		return;
	copy_make(sync, server, told, &tuple);
}

/**
 * clb_sync_apply_gone() - another node says that a session was ended
 * @sync: sync
 * @gone: what it says
 *
 * Context: RCU read side, softirqs off.
 */
void clb_sync_apply_gone(struct clb_sync *sync,
			 const struct clb_sync_gone *gone)
{
	struct clb_session *session;
	struct clb_tuplehash *entry;
	struct clb_tuple tuple;

	clb_sync_gone_tuple(gone, &tuple);
	clb_sync_tomb_put(sync, &tuple, gone->born, jiffies);
	entry = clb_table_find(&sync->cn->table, &tuple,
			       clb_table_hash(&sync->cn->table, &tuple));
	if (!entry || entry->tuple.dir != CLB_DIR_ORIGINAL)
		return;
	session = clb_session_of(entry);
	if (!is_ours_alone(session) &&
	    clb_sync_born_order(gone->born, clb_session_born(session)) >= 0 &&
	    clb_session_kill(sync->cn, session))
		clb_sync_count(sync, CLB_SYNC_A_ENDED);
}
