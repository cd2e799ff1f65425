// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a session: it is made by the first packet, found by the others, and
 * ended once, by whoever makes its state CLB_SESSION_STATE_DEAD. Memory goes
 * back after a grace period, so that packets in flight may use what they
 * found.
 */
#include <linux/processor.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "collector.h"
#include "embryo.h"
#include "event.h"
#include "net.h"
#include "persistence.h"
#include "pool.h"
#include "ruleset.h"
#include "scheduler.h"
#include "session.h"
#include "sync.h"

/*
 * What an eviction looks at, at most: entries enough to meet the flood that
 * filled the table, and, since the table may have grown for ten times the
 * load, buckets enough to meet as many.
 */
#define CLB_EVICT_ENTRIES 64
#define CLB_EVICT_BUCKETS BIT(CLB_TABLE_MIN_SHIFT)

/*
 * Of so many that may make room the one that was silent for longest does. Who
 * needs for a handshake a tenth of the time in which a flood fills the table
 * anew loses it once in ten thousand times, and not once in ten.
 */
#define CLB_EVICT_CANDIDATES 4

/* Sessions ended at most when no local port is free. */
#define CLB_EVICT_PORTS 4

/* Servers tried when a session's reply would be taken for another's. */
#define CLB_CREATE_TRIES 4

/* Looks at a session that is about to be in the table, or out of it. */
#define CLB_CREATE_LOOKS 1000

static struct kmem_cache *session_cache;

/**
 * clb_session_find() - find the session of a packet
 * @cn: the namespace
 * @tuple: of the packet
 * @hash: of @tuple
 * @dir: set to the direction in which the packet travels
 *
 * Return: the session, or NULL where there is none or its time is over.
 * Context: RCU read side, softirqs off.
 */
struct clb_session *clb_session_find(struct clb_net *cn,
				     const struct clb_tuple *tuple, u32 hash,
				     enum clb_dir *dir)
{
	struct clb_tuplehash *entry = clb_table_find(&cn->table, tuple, hash);
	struct clb_session *session;

	if (!entry)
		return NULL;
	session = clb_session_of(entry);
	if (unlikely(clb_session_expired(session))) {
		if (clb_session_kill(cn, session))
			clb_stats_inc(cn->stats, CLB_STATS_A_SESSIONS_EXPIRED);
		return NULL;
	}
	*dir = clb_session_dir(entry);
	return session;
}

static bool state_active(u32 state)
{
	return clb_session_timeout_class(state) == CLB_TIMEOUT_ESTABLISHED ||
	       clb_session_timeout_class(state) == CLB_TIMEOUT_UDP;
}

static atomic_t *state_gauge(struct clb_server *server, u32 state)
{
	return state_active(state) ? &server->active : &server->inactive;
}

/**
 * clb_session_confirm() - a client has shown that it gets answers
 * @session: its session
 *
 * Context: RCU read side, softirqs off.
 */
void clb_session_confirm(struct clb_session *session)
{
	struct clb_listener *listener = session->server->listener;

	WRITE_ONCE(session->confirmed, true);
	if (unlikely(READ_ONCE(listener->persistence)))
		clb_persistence_refresh(listener->cn, session);
}

/* Returns false if another CPU moved the session meanwhile. */
static __always_inline bool state_move(struct clb_session *session, u32 old,
				       u32 new)
{
	struct clb_server *server = session->server;

	if (cmpxchg(&session->state, old, new) != old)
		return false;
	if (!clb_session_opened(old) && clb_session_opened(new))
		clb_session_confirm(session);
	if (clb_session_embryonic(old) && !clb_session_yields(session, new))
		clb_embryo_grow_up(session);
	if (state_active(old) == state_active(new))
		return true;
	atomic_inc(state_gauge(server, new));
	atomic_dec(state_gauge(server, old));
	return true;
}

/**
 * clb_session_set_state() - move a session to another state
 * @session: the session
 * @old: the state @new was worked out from; if another CPU moved the session
 *	meanwhile, its word stands
 * @new: the new state
 *
 * Context: RCU read side, softirqs off.
 */
void clb_session_set_state(struct clb_session *session, u32 old, u32 new)
{
	if (state_move(session, old, new))
		clb_sync_changed(session, old, new);
}

/**
 * clb_session_adopt_state() - move a session to the state another node told
 * @session: the session
 * @old: as clb_session_set_state()
 * @new: the new state
 *
 * Context: RCU read side, softirqs off.
 */
void clb_session_adopt_state(struct clb_session *session, u32 old, u32 new)
{
	state_move(session, old, new);
}

/* The server as it is in the packets: a port of 0 stands for the packet's. */
static struct clb_endpoint session_endpoint(const struct clb_session *session)
{
	const struct clb_tuple *reply = clb_session_tuple(session,
							  CLB_DIR_REPLY);
	struct clb_endpoint endpoint = session->server->key;

	endpoint.port = reply->sport;
	return endpoint;
}

/* Packets in flight are done with it. */
static void session_free_rcu(struct rcu_head *rcu)
{
	struct clb_session *session = container_of(rcu, struct clb_session,
						   rcu);
	int dir;

	if (session->local) {
		struct clb_endpoint endpoint = session_endpoint(session);

		clb_pool_give(session->local, &endpoint,
			      clb_session_tuple(session, CLB_DIR_REPLY)->dport);
	}
	for (dir = 0; dir < CLB_DIR_MAX; dir++)
		dst_release(rcu_dereference_protected(session->dst[dir], 1));
	clb_server_put(session->server);
	kmem_cache_free(session_cache, session);
}

/* Its places in the limits are free at once, its memory later. */
static void session_uncount(struct clb_net *cn, struct clb_session *session,
			    u32 state)
{
	struct clb_server *server = session->server;

	atomic_dec(&cn->nr_sessions);
	if (clb_session_is_persistence(session))
		return;
	atomic_dec(&server->listener->sessions);
	atomic_dec(state_gauge(server, state));
}

/* What follows once the state is CLB_SESSION_STATE_DEAD; it was @state. */
static void session_bury(struct clb_net *cn, struct clb_session *session,
			 u32 state)
{
	int dir;

	for (dir = 0; dir < CLB_DIR_MAX; dir++)
		if (session->inserted & BIT(dir))
			clb_table_remove(&cn->table, &session->hash[dir]);
	session_uncount(cn, session, state);
	clb_embryo_die(session);
	call_rcu(&session->rcu, session_free_rcu);
}

/**
 * clb_session_kill() - end a session
 * @cn: the namespace
 * @session: the session
 *
 * Return: true for the one caller that ended it.
 * Context: RCU read side, softirqs off.
 */
bool clb_session_kill(struct clb_net *cn, struct clb_session *session)
{
	u32 state = xchg(&session->state, CLB_SESSION_STATE_DEAD);

	if (state == CLB_SESSION_STATE_DEAD)
		return false;
	session_bury(cn, session, state);
	return true;
}

/* Nothing but a first packet, which anybody may have forged, led to it. */
static bool is_doubtful(const struct clb_session *session, u32 state)
{
	return clb_session_yields(session, state) ||
	       (state == CLB_SESSION_STATE_PERSISTENCE &&
		!READ_ONCE(session->confirmed));
}

/* Ends a session to make room, unless it grew up or was ended meanwhile. */
static bool embryo_kill(struct clb_net *cn, struct clb_session *session)
{
	u32 state;

	do {
		state = READ_ONCE(session->state);
		if (!is_doubtful(session, state))
			return false;
	} while (cmpxchg(&session->state, state,
			 CLB_SESSION_STATE_DEAD) != state);
	session_bury(cn, session, state);
	/* one that the collector had not come by was in nobody's use */
	clb_stats_inc(cn->stats, clb_session_expired(session) ?
				 CLB_STATS_A_SESSIONS_EXPIRED :
				 CLB_STATS_A_SESSIONS_EVICTED);
	return true;
}

/**
 * clb_session_matches() - does a filter let a session through
 * @session: the session
 * @filter: what is looked for
 *
 * Return: true if all that the filter names agrees.
 * Context: RCU read side.
 */
bool clb_session_matches(const struct clb_session *session,
			 const struct clb_session_filter *filter)
{
	const struct clb_tuple *tuple = clb_session_tuple(session,
							  CLB_DIR_ORIGINAL);
	const struct clb_endpoint *client = &filter->client;
	const struct clb_server *server = session->server;

	if (filter->listener &&
	    !clb_endpoint_equal(&server->listener->key, filter->listener))
		return false;
	if (filter->server &&
	    (server->key.family != filter->server->family ||
	     !clb_addr_equal(&server->key.addr, &filter->server->addr) ||
	     (filter->server->port &&
	      filter->server->port != server->key.port)))
		return false;
	if (client->family && (tuple->family != client->family ||
			       !clb_addr_equal(&tuple->src, &client->addr)))
		return false;
	if (client->port && client->port != tuple->sport)
		return false;
	return filter->state < 0 ||
	       filter->state == READ_ONCE(session->state);
}

/* Does its end give back a local port that serves @server; NULL: any does */
static bool serves(const struct clb_session *session,
		   const struct clb_endpoint *server)
{
	struct clb_endpoint endpoint;

	if (!server)
		return true;
	if (!session->local)
		return false;
	endpoint = session_endpoint(session);
	return clb_pool_shares(&endpoint, server);
}

/* What an eviction has looked at, and what it has found. */
struct clb_eviction {
	const struct clb_endpoint *server;
	u32 seen;
	u32 candidates;
	struct clb_session *session;
	s32 idle;
};

static bool eviction_goes_on(const struct clb_eviction *eviction)
{
	return eviction->seen < CLB_EVICT_ENTRIES &&
	       eviction->candidates < CLB_EVICT_CANDIDATES;
}

static void eviction_look(struct clb_eviction *eviction,
			  struct clb_session *session)
{
	u32 state = READ_ONCE(session->state);
	s32 idle;

	eviction->seen++;
	if (!is_doubtful(session, state) || !serves(session, eviction->server))
		return;
	idle = clb_session_idle(session, state);
	if (!eviction->candidates++ || idle > eviction->idle) {
		eviction->session = session;
		eviction->idle = idle;
	}
}

/*
 * Ends an embryonic session, the idlest of some that are found from a random
 * place on; with @server one that has a local port towards it.
 */
static bool table_evict(struct clb_net *cn, const struct clb_endpoint *server)
{
	struct clb_eviction eviction = { .server = server };
	u32 buckets = clb_table_buckets(&cn->table);
	u32 start = prandom_u32_max(buckets), i;
	struct clb_tuplehash *entry;

	for (i = 0; i < CLB_EVICT_BUCKETS && eviction_goes_on(&eviction); i++) {
		u32 index = (start + i) % buckets;

		clb_chain_for_each(entry, clb_table_bucket(&cn->table, index))
			eviction_look(&eviction, clb_session_of(entry));
	}
	return eviction.session && embryo_kill(cn, eviction.session);
}

/* The oldest one may grow up or end before its end comes. */
static bool listener_evict(struct clb_net *cn, struct clb_listener *listener)
{
	struct clb_session *oldest;

	do {
		oldest = clb_embryo_oldest(listener);
		if (!oldest)
			return false;
	} while (!embryo_kill(cn, oldest));
	return true;
}

/*
 * A full namespace: whose flood filled it is met most often, so that clients
 * of the others keep theirs.
 */
static bool net_evict(struct clb_net *cn, struct clb_listener *listener)
{
	return table_evict(cn, NULL) || listener_evict(cn, listener);
}

/*
 * No local port is free. Which listener's flood took them does not matter: who
 * holds one yields, and more than one, for others will want what comes free
 * after a grace period: too late for this packet, but not for its next try.
 */
static void port_evict(struct clb_net *cn, const struct clb_endpoint *server)
{
	int i;

	for (i = 0; i < CLB_EVICT_PORTS; i++)
		if (!table_evict(cn, server))
			return;
}

/*
 * Takes a place below @max; with none left, and unless @evict is NULL, one that
 * is freed by ending an embryonic session: half-open TCP or unanswered UDP.
 */
static bool gauge_take(struct clb_net *cn, atomic_t *gauge, u32 max,
		       struct clb_listener *listener,
		       bool (*evict)(struct clb_net *cn,
				     struct clb_listener *listener))
{
	int taken = atomic_inc_return(gauge);

	if (likely(!max || taken <= max))
		return true;
	if (evict && evict(cn, listener))
		return true;
	atomic_dec(gauge);
	return false;
}

static bool net_take(struct clb_net *cn, struct clb_listener *listener)
{
	return gauge_take(cn, &cn->nr_sessions, READ_ONCE(cn->max_sessions),
			  listener, net_evict);
}

static bool listener_take(struct clb_net *cn, struct clb_listener *listener)
{
	return gauge_take(cn, &listener->sessions,
			  READ_ONCE(listener->max_sessions), listener,
			  listener_evict);
}

/* Returns the counter that names the limit in the way, or 0. */
static enum clb_stats_attr limits_take(struct clb_net *cn,
				       struct clb_listener *listener)
{
	if (!clb_bucket_take(&listener->new_rate, 1))
		return CLB_STATS_A_DROP_NEW_RATE;
	if (!net_take(cn, listener))
		return CLB_STATS_A_DROP_SESSION_LIMIT;
	if (listener_take(cn, listener))
		return 0;
	atomic_dec(&cn->nr_sessions);
	return CLB_STATS_A_DROP_LISTENER_LIMIT;
}

/**
 * clb_session_alloc() - make a session that is in no table yet, tuples not set
 * @server: its server; the session takes a reference
 * @mode: enum clb_mode
 * @state: enum clb_session_state or CLB_SESSION_STATE_DEAD
 *
 * Return: the session, or NULL without memory.
 * Context: softirqs off.
 */
struct clb_session *clb_session_alloc(struct clb_server *server, u8 mode,
				      u32 state)
{
	struct clb_session *session;

	session = kmem_cache_alloc(session_cache, GFP_ATOMIC | __GFP_NOWARN);
	if (unlikely(!session))
		return NULL;
	memset_startat(session, 0, server);
	session->server = server;
	session->mode = mode;
	session->state = state;
	session->cpu = smp_processor_id();
	INIT_LIST_HEAD(&session->embryo);
	clb_session_set_born(session, 0);
	clb_sync_born(session);
	clb_server_get(server);
	return session;
}

/*
 * What the packets of the server will look like; FNAT takes a local port.
 * Returns the counter that says why there is none, or 0.
 */
static enum clb_stats_attr
session_set_reply(struct clb_session *session,
		  const struct clb_ruleset *ruleset,
		  const struct clb_tuple *tuple)
{
	struct clb_tuple *reply = &session->hash[CLB_DIR_REPLY].tuple;
	const struct clb_endpoint *key = &session->server->key;
	struct clb_local_address *local;
	struct clb_endpoint endpoint = *key;
	__be16 port;

	clb_tuple_invert(reply, tuple);
	reply->dir = CLB_DIR_REPLY;
	if (clb_session_one_way(session))
		return 0;
	reply->src = key->addr;
	reply->sport = key->port ?: tuple->dport;
	if (session->mode == CLB_MODE_NAT)
		return 0;
	endpoint.port = reply->sport;
	local = clb_pool_take(ruleset, &endpoint,
			      (__force u32)tuple->src.all[0] ^
			      (__force u32)tuple->src.all[3] ^
			      (__force u32)tuple->sport, &port);
	if (IS_ERR(local)) {
		if (PTR_ERR(local) == -ENOMEM)
			return CLB_STATS_A_DROP_NO_MEMORY;
		port_evict(session->server->listener->cn, &endpoint);
		return CLB_STATS_A_DROP_POOL_EXHAUSTED;
	}
	session->local = local;
	reply->dst = local->addr;
	reply->dport = port;
	return 0;
}

/**
 * clb_session_discard() - free a session that did not get into the table
 * @session: from clb_session_alloc()
 *
 * Context: softirqs off.
 */
void clb_session_discard(struct clb_session *session)
{
	if (session->inserted & BIT(CLB_DIR_REPLY)) {
		clb_table_remove(&session->server->listener->cn->table,
				 &session->hash[CLB_DIR_REPLY]);
		/* a packet may have found it, but shall not move it on */
		WRITE_ONCE(session->state, CLB_SESSION_STATE_DEAD);
		clb_embryo_die(session);
		call_rcu(&session->rcu, session_free_rcu);
		return;
	}
	session_free_rcu(&session->rcu);
}

/*
 * The reply goes in first: the server's answer must find the session from the
 * moment the client's packet can have left. Half in the table it must not be
 * ended by others, who would take out what is not there: until all of it is
 * in, its state tells them that it is not theirs to end. Returns the entry in
 * the way.
 */
static struct clb_tuplehash *session_publish(struct clb_net *cn,
					     struct clb_session *session,
					     u32 state)
{
	struct clb_tuplehash *there;

	if (!clb_session_one_way(session)) {
		struct clb_tuplehash *reply = &session->hash[CLB_DIR_REPLY];

		reply->hash = clb_table_hash(&cn->table, &reply->tuple);
		there = clb_table_insert(&cn->table, reply);
		if (unlikely(there))
			return there;
		session->inserted = BIT(CLB_DIR_REPLY);
	}
	there = clb_table_insert(&cn->table, &session->hash[CLB_DIR_ORIGINAL]);
	if (unlikely(there))
		return there;
	session->inserted |= BIT(CLB_DIR_ORIGINAL);
	/* pairs with xchg() in clb_session_kill(), which reads @inserted */
	smp_store_release(&session->state, state);
	return NULL;
}

static u32 first_state(const struct clb_packet *pkt)
{
	return pkt->tuple.protocol == IPPROTO_TCP ? CLB_SESSION_STATE_NONE :
						    CLB_SESSION_STATE_UDP_NEW;
}

static struct clb_server *server_pick(struct clb_net *cn,
				      const struct clb_listener_conf *conf,
				      const struct clb_tuple *client)
{
	return likely(!conf->opt.persistence) ?
	       clb_schedule_pick(conf, client) :
	       clb_persistence_pick(cn, conf, client);
}

/* When all servers are full, a half-open session of one makes room. */
static struct clb_server *server_find(struct clb_net *cn,
				      const struct clb_listener_conf *conf,
				      const struct clb_tuple *client)
{
	struct clb_server *server = server_pick(cn, conf, client);

	if (likely(server) || !conf->schedule->nr_usable ||
	    !listener_evict(cn, conf->listener))
		return server;
	return server_pick(cn, conf, client);
}

static struct clb_session *session_make(struct clb_net *cn,
					const struct clb_ruleset *ruleset,
					const struct clb_listener_conf *conf,
					const struct clb_packet *pkt,
					enum clb_stats_attr *drop)
{
	struct clb_session *session;
	struct clb_server *server;

	server = server_find(cn, conf, &pkt->tuple);
	*drop = CLB_STATS_A_DROP_NO_SERVER;
	if (unlikely(!server))
		return NULL;
	session = clb_session_alloc(server, conf->opt.mode,
				    CLB_SESSION_STATE_DEAD);
	*drop = CLB_STATS_A_DROP_NO_MEMORY;
	if (unlikely(!session))
		return NULL;
	session->hash[CLB_DIR_ORIGINAL].tuple = pkt->tuple;
	session->hash[CLB_DIR_ORIGINAL].hash = pkt->hash;
	*drop = session_set_reply(session, ruleset, &pkt->tuple);
	if (unlikely(*drop)) {
		if (*drop == CLB_STATS_A_DROP_POOL_EXHAUSTED)
			clb_event_pool_exhausted(server);
		clb_session_discard(session);
		return NULL;
	}
	clb_session_touch(session, first_state(pkt));
	return session;
}

static void table_fit(struct clb_net *cn)
{
	if (unlikely(atomic_read(&cn->nr_sessions) >
		     clb_table_buckets(&cn->table)))
		clb_table_kick(cn);
}

static void session_count(struct clb_net *cn, struct clb_session *session)
{
	clb_embryo_join(session);
	atomic64_inc(&session->server->total);
	clb_stats_inc(cn->stats, CLB_STATS_A_SESSIONS_CREATED);
	clb_sync_created(session);
	table_fit(cn);
}

static bool in_table(struct clb_net *cn, const struct clb_tuplehash *entry)
{
	return clb_table_find(&cn->table, &entry->tuple, entry->hash) == entry;
}

/*
 * A session that is in the table, but dead, is on its way in or out. Either
 * takes its CPU a moment: a first packet waits rather than be lost.
 */
static u32 state_settled(struct clb_net *cn, const struct clb_session *session,
			 const struct clb_tuplehash *entry)
{
	unsigned int looks = CLB_CREATE_LOOKS;

	while (READ_ONCE(session->state) == CLB_SESSION_STATE_DEAD &&
	       looks-- && in_table(cn, entry))
		cpu_relax();
	return READ_ONCE(session->state);
}

/*
 * Someone holds a tuple of ours: the same client's session that another CPU
 * just made, a session that is over, or (NAT) the client's session with
 * another VIP on the same server, where another server may do.
 */
static struct clb_session *session_conflict(struct clb_net *cn,
					    const struct clb_session *session,
					    struct clb_tuplehash *there)
{
	struct clb_session *other = clb_session_of(there);
	u32 state = state_settled(cn, other, there);

	if (clb_tuple_equal(clb_session_tuple(session, CLB_DIR_ORIGINAL),
			    clb_session_tuple(other, CLB_DIR_ORIGINAL)) &&
	    !clb_session_expired(other) && state != CLB_SESSION_STATE_DEAD)
		return other;
	if (clb_session_expired(other) ||
	    state == CLB_SESSION_STATE_TIME_WAIT ||
	    state == CLB_SESSION_STATE_CLOSED)
		clb_session_kill(cn, other);
	return NULL;
}

static struct clb_session *
session_create_tries(struct clb_net *cn, const struct clb_ruleset *ruleset,
		     const struct clb_listener_conf *conf,
		     const struct clb_packet *pkt, enum clb_stats_attr *drop)
{
	struct clb_listener *listener = conf->listener;
	struct clb_session *session, *other;
	struct clb_tuplehash *there;
	u32 state = first_state(pkt);
	int tries;

	for (tries = 0; tries < CLB_CREATE_TRIES; tries++) {
		session = session_make(cn, ruleset, conf, pkt, drop);
		if (unlikely(!session))
			break;
		/* before it can be seen, for whoever ends it counts down */
		atomic_inc(state_gauge(session->server, state));
		there = session_publish(cn, session, state);
		if (likely(!there)) {
			session_count(cn, session);
			return session;
		}
		atomic_dec(state_gauge(session->server, state));
		other = session_conflict(cn, session, there);
		clb_session_discard(session);
		if (other) {
			atomic_dec(&listener->sessions);
			atomic_dec(&cn->nr_sessions);
			return other;
		}
		*drop = CLB_STATS_A_DROP_NO_SERVER;
	}
	atomic_dec(&listener->sessions);
	atomic_dec(&cn->nr_sessions);
	return NULL;
}

/**
 * clb_session_create() - make the session of a first packet
 * @cn: the namespace
 * @ruleset: the configuration
 * @conf: the listener the packet is for
 * @pkt: the packet
 * @drop: on failure the counter that says why
 *
 * Return: the session, perhaps one that another CPU made for the same flow
 *	at the same time, or NULL.
 * Context: RCU read side, softirqs off.
 */
struct clb_session *clb_session_create(struct clb_net *cn,
				       const struct clb_ruleset *ruleset,
				       const struct clb_listener_conf *conf,
				       const struct clb_packet *pkt,
				       enum clb_stats_attr *drop)
{
	*drop = limits_take(cn, conf->listener);
	if (unlikely(*drop))
		return NULL;
	return session_create_tries(cn, ruleset, conf, pkt, drop);
}

/*
 * For one that is more than a first packet, embryonic ones make room, as if it
 * had been made here; else a flood that another node is told of would keep its
 * clients out. For an embryonic one nothing does: there are enough of them.
 */
static bool limits_adopt(struct clb_net *cn, struct clb_listener *listener,
			 u32 state)
{
	bool assured = clb_session_assured(state);

	if (!gauge_take(cn, &cn->nr_sessions, READ_ONCE(cn->max_sessions),
			listener, assured ? net_evict : NULL))
		return false;
	if (state == CLB_SESSION_STATE_PERSISTENCE ||
	    gauge_take(cn, &listener->sessions,
		       READ_ONCE(listener->max_sessions), listener,
		       assured ? listener_evict : NULL))
		return true;
	atomic_dec(&cn->nr_sessions);
	return false;
}

/**
 * clb_session_adopt() - take a session that another node made into the table
 * @cn: the namespace
 * @session: from clb_session_alloc(), dead, its tuples, birth and deadline set
 * @state: the state it is to have
 *
 * It is not one of those ever opened here. If it is assured, embryonic sessions
 * make room for it.
 *
 * Return: 0; -ENOSPC: a limit is reached; -EEXIST: one of its tuples belongs to
 *	another session. On an error it is the caller's to discard.
 * Context: RCU read side, softirqs off.
 */
int clb_session_adopt(struct clb_net *cn, struct clb_session *session,
		      u32 state)
{
	bool persistence = clb_session_is_persistence(session);
	struct clb_tuplehash *there;

	if (!limits_adopt(cn, session->server->listener, state))
		return -ENOSPC;
	if (!persistence)
		atomic_inc(state_gauge(session->server, state));
	there = session_publish(cn, session, state);
	if (there) {
		session_conflict(cn, session, there);
		/* one that was over may have had the reply's tuple */
		if (!session->inserted)
			there = session_publish(cn, session, state);
	}
	if (there) {
		session_uncount(cn, session, state);
		return -EEXIST;
	}
	clb_embryo_join(session);
	table_fit(cn);
	return 0;
}

int clb_session_cache_init(void)
{
	/* two cache lines of tuples, one of what packets change */
	BUILD_BUG_ON(offsetof(struct clb_session, server) != 128);
	BUILD_BUG_ON(sizeof(struct clb_session) > 192);
	BUILD_BUG_ON(offsetof(struct clb_session, hash[CLB_DIR_REPLY]) >=
		     CLB_SESSION_ALIGN);
	session_cache = kmem_cache_create("clb_session",
					  sizeof(struct clb_session),
					  CLB_SESSION_ALIGN,
					  SLAB_ACCOUNT, NULL);
	return session_cache ? 0 : -ENOMEM;
}

void clb_session_cache_exit(void)
{
	kmem_cache_destroy(session_cache);
}
