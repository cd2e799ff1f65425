// SPDX-License-Identifier: GPL-2.0
/*
 * Persistence: a client, or a network of clients, stays with its server. The
 * binding is an entry of the session table that stands for no flow.
 */
#include "net.h"
#include "persistence.h"
#include "ruleset.h"
#include "scheduler.h"
#include "session.h"

static void persistence_tuple(const struct clb_listener_conf *conf,
			      const struct clb_tuple *tuple,
			      struct clb_tuple *key)
{
	*key = *tuple;
	clb_addr_mask(&key->src, key->family, conf->opt.persistence_prefix);
	key->sport = 0;
	key->dport = conf->key.port;
	key->kind = CLB_TUPLE_PERSISTENCE;
	key->dir = CLB_DIR_ORIGINAL;
}

static struct clb_session *persistence_find(struct clb_net *cn,
					    const struct clb_tuple *key)
{
	enum clb_dir dir;

	return clb_session_find(cn, key, clb_table_hash(&cn->table, key), &dir);
}

static void persistence_touch(struct clb_session *session)
{
	WRITE_ONCE(session->deadline, (u32)jiffies +
		   READ_ONCE(session->server->listener->persistence));
}

/*
 * A SYN binds its client for as long as its session may stay half-open; only
 * an established one binds it for the full time, or forged SYNs could fill the
 * table for hours. Of UDP nothing better is known than that a packet came.
 */
static void persistence_begin(struct clb_session *session)
{
	struct clb_listener *listener = session->server->listener;
	u32 time = READ_ONCE(listener->persistence);

	if (session->hash[CLB_DIR_ORIGINAL].tuple.protocol == IPPROTO_TCP)
		time = min(time,
			   READ_ONCE(listener->timeouts[CLB_TIMEOUT_SYN]));
	WRITE_ONCE(session->deadline, (u32)jiffies + time);
}

/* The server a client is bound to, if it can take the session. */
static struct clb_server *bound_server(struct clb_net *cn,
				       const struct clb_tuple *key)
{
	struct clb_session *session = persistence_find(cn, key);

	if (!session)
		return NULL;
	if (clb_server_has_room(session->server)) {
		if (key->protocol == IPPROTO_UDP)
			persistence_touch(session);
		return session->server;
	}
	/* drained or down: the client is free to be bound again */
	if (READ_ONCE(session->server->state) != CLB_SERVER_STATE_UP)
		clb_session_kill(cn, session);
	return NULL;
}

/* Best effort: without memory or room the client is not bound. */
static void persistence_bind(struct clb_net *cn, struct clb_server *server,
			     const struct clb_tuple *key)
{
	struct clb_session *session;

	/* no flow makes room for it */
	if (atomic_inc_return(&cn->nr_sessions) >
	    READ_ONCE(cn->max_sessions)) {
		atomic_dec(&cn->nr_sessions);
		return;
	}
	session = clb_session_alloc(server, CLB_MODE_DR,
				    CLB_SESSION_STATE_PERSISTENCE);
	if (!session) {
		atomic_dec(&cn->nr_sessions);
		return;
	}
	memset(session->hash, 0, sizeof(session->hash));
	session->hash[CLB_DIR_ORIGINAL].tuple = *key;
	session->hash[CLB_DIR_ORIGINAL].hash = clb_table_hash(&cn->table, key);
	session->inserted = BIT(CLB_DIR_ORIGINAL);
	persistence_begin(session);
	if (!clb_table_insert(&cn->table, &session->hash[CLB_DIR_ORIGINAL]))
		return;
	/* another CPU bound the client: its word stands */
	atomic_dec(&cn->nr_sessions);
	clb_session_discard(session);
}

/**
 * clb_persistence_refresh() - an open session keeps its client bound
 * @cn: the namespace
 * @session: a session that lives
 *
 * Context: RCU read side.
 */
void clb_persistence_refresh(struct clb_net *cn,
			     const struct clb_session *session)
{
	const struct clb_ruleset *ruleset = rcu_dereference(cn->ruleset);
	const struct clb_listener_conf *conf;
	struct clb_session *persistence;
	struct clb_tuple key;

	conf = clb_ruleset_find(ruleset, &session->server->listener->key);
	if (!conf || !conf->opt.persistence)
		return;
	persistence_tuple(conf, clb_session_tuple(session, CLB_DIR_ORIGINAL),
			  &key);
	persistence = persistence_find(cn, &key);
	if (!persistence)
		persistence_bind(cn, session->server, &key);
	else if (persistence->server == session->server)
		persistence_touch(persistence);
}

/**
 * clb_persistence_pick() - the server for a new session
 * @cn: the namespace
 * @conf: the listener
 * @tuple: of the client's packet
 *
 * Return: the server the client is bound to, else the scheduler's choice, to
 *	which the client is then bound if the listener has persistence; or NULL.
 * Context: RCU read side, softirqs off.
 */
struct clb_server *clb_persistence_pick(struct clb_net *cn,
					const struct clb_listener_conf *conf,
					const struct clb_tuple *tuple)
{
	struct clb_server *server;
	struct clb_tuple key;

	if (likely(!conf->opt.persistence))
		return clb_schedule_pick(conf, tuple);
	persistence_tuple(conf, tuple, &key);
	server = bound_server(cn, &key);
	if (server)
		return server;
	server = clb_schedule_pick(conf, tuple);
	if (server)
		persistence_bind(cn, server, &key);
	return server;
}
