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

/* Never sooner than it would have ended anyway. */
static void persistence_touch(struct clb_session *session, u32 time)
{
	u32 deadline = (u32)jiffies + time;

	if ((s32)(deadline - READ_ONCE(session->deadline)) > 0)
		WRITE_ONCE(session->deadline, deadline);
}

/*
 * A first packet binds its client for as long as its session may live without
 * an answer: anybody can forge one, and the table must not be full of such for
 * hours. Where answers bypass the node and UDP has no handshake, nothing
 * better than a packet will come: the binding is for the full time, but as
 * long as it is not confirmed it makes room for sessions when all is full.
 */
static u32 first_time(const struct clb_server *server, u8 mode, u8 protocol)
{
	const struct clb_listener *listener = server->listener;
	bool tcp = protocol == IPPROTO_TCP;
	u8 class = tcp ? CLB_TIMEOUT_SYN : CLB_TIMEOUT_UDP;
	u32 time = READ_ONCE(listener->persistence);

	if (!tcp && clb_mode_one_way(mode))
		return time;
	return min(time, READ_ONCE(listener->timeouts[class]));
}

/* A full server keeps its clients; one that shall get no sessions does not. */
static bool server_leaves(const struct clb_server *server)
{
	return READ_ONCE(server->state) != CLB_SERVER_STATE_UP ||
	       !READ_ONCE(server->weight);
}

/* The server a client is bound to, if it can take the session. */
static struct clb_server *bound_server(struct clb_net *cn, u8 mode,
				       const struct clb_tuple *key)
{
	struct clb_session *session = persistence_find(cn, key);

	if (!session)
		return NULL;
	if (server_leaves(session->server)) {
		/* the client is free to be bound again */
		clb_session_kill(cn, session);
		return NULL;
	}
	if (clb_server_has_room(session->server)) {
		persistence_touch(session, first_time(session->server, mode,
						      key->protocol));
		return session->server;
	}
	return NULL;
}

/* Best effort: without memory or room the client is not bound. */
static void persistence_bind(struct clb_net *cn, struct clb_server *server,
			     const struct clb_tuple *key, u32 time,
			     bool confirmed)
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
	/* that of the original direction knows when it was born */
	memset(&session->hash[CLB_DIR_REPLY], 0,
	       sizeof(session->hash[CLB_DIR_REPLY]));
	session->hash[CLB_DIR_ORIGINAL].tuple = *key;
	session->hash[CLB_DIR_ORIGINAL].hash = clb_table_hash(&cn->table, key);
	session->inserted = BIT(CLB_DIR_ORIGINAL);
	session->confirmed = confirmed;
	session->deadline = (u32)jiffies + time;
	if (!clb_table_insert(&cn->table, &session->hash[CLB_DIR_ORIGINAL]))
		return;
	/* another CPU bound the client: its word stands */
	atomic_dec(&cn->nr_sessions);
	clb_session_discard(session);
}

static void persistence_confirm(struct clb_net *cn, struct clb_server *server,
				struct clb_session *persistence,
				const struct clb_tuple *key)
{
	u32 time = READ_ONCE(server->listener->persistence);

	if (!persistence) {
		persistence_bind(cn, server, key, time, true);
		return;
	}
	WRITE_ONCE(persistence->confirmed, true);
	persistence_touch(persistence, time);
}

/**
 * clb_persistence_refresh() - an open session keeps its client bound
 * @cn: the namespace
 * @session: a session that lives; one that is assured, and whose client went
 *	on after an answer, binds it for the full time
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
	if (persistence && persistence->server != session->server)
		return;
	if (clb_session_assured(READ_ONCE(session->state)) &&
	    READ_ONCE(session->confirmed))
		persistence_confirm(cn, session->server, persistence, &key);
	else if (persistence)
		persistence_touch(persistence,
				  first_time(session->server, session->mode,
					     key.protocol));
}

/**
 * clb_persistence_pick() - the server for a new session
 * @cn: the namespace
 * @conf: the listener, which has persistence
 * @tuple: of the client's packet
 *
 * Return: the server the client is bound to, else the scheduler's choice, to
 *	which the client is then bound; or NULL.
 * Context: RCU read side, softirqs off.
 */
struct clb_server *clb_persistence_pick(struct clb_net *cn,
					const struct clb_listener_conf *conf,
					const struct clb_tuple *tuple)
{
	u8 mode = conf->opt.mode;
	struct clb_server *server;
	struct clb_tuple key;

	persistence_tuple(conf, tuple, &key);
	server = bound_server(cn, mode, &key);
	if (server)
		return server;
	server = clb_schedule_pick(conf, tuple);
	if (server)
		persistence_bind(cn, server, &key,
				 first_time(server, mode, key.protocol),
				 false);
	return server;
}
