// SPDX-License-Identifier: MIT
/* Which server a session asks, and when it may ask another. */
#include <string.h>

#include "clbd/client.h"
#include "clbd/queue.h"
#include "clbd/stage.h"
#include "clbd/upstream.h"
#include "clbd/worker.h"

static bool was_tried(const struct clbd_session *session,
		      const struct clbd_server *server)
{
	unsigned int i;

	for (i = 0; i < session->tries; i++) {
		if (session->tried[i] == server)
			return true;
	}
	return false;
}

static uint64_t hash_key(const struct clbd_session *session)
{
	const struct clbd_client *client = session->client;
	struct clbd_slice path = session->request.path;

	if (session->group->hash == CLBD_CONFIG_HASH_URL)
		return clbd_balance_hash(session->text + path.at, path.size);
	return clbd_balance_hash(client->peer, client->peer_size);
}

/* Again, without those that were tried, or had failed too often. */
static int pick_other(struct clbd_session *session, uint64_t key,
		      bool ejected_too)
{
	uint64_t now = clbd_session_worker(session)->now;
	struct clbd_group *group = session->group;
	struct clbd_balance *balance = &group->balance;
	size_t i;
	int index;

	for (i = 0; i < balance->count; i++) {
		const struct clbd_server *server = group->servers[i];

		balance->members[i].barred = group->verdicts[i]->down ||
					     server->drain ||
					     !clbd_server_has_room(server) ||
					     was_tried(session, server) ||
					     (!ejected_too &&
					      server->ejected_until > now);
	}
	index = clbd_balance_pick(balance, key);
	for (i = 0; i < balance->count; i++)
		balance->members[i].barred = false;
	return index;
}

/* Whose token the value of a cookie is; -1: nobody's. */
static int owner_of(const struct clbd_group *group, const char *value,
		    size_t size)
{
	size_t i;

	if (size != CLBD_COOKIE_TOKEN)
		return -1;
	for (i = 0; i < group->balance.count; i++) {
		if (!memcmp(group->tokens[i], value, size))
			return i;
	}
	return -1;
}

/* Of cookies by the name of the group's, so many are looked at. */
#define COOKIES 4

/* The server that the client is bound to; -1: none. */
static int bound_to(const struct clbd_session *session)
{
	const struct clbd_head *request = &session->request;
	const struct clbd_group *group = session->group;
	unsigned int left = COOKIES;
	size_t i, size;

	for (i = 0; i < request->count; i++) {
		const struct clbd_field *field = &request->fields[i];
		const char *at = session->text + field->value.at;
		const char *end = at + field->value.size, *value;
		int index;

		if (field->id != CLBD_FIELD_COOKIE)
			continue;
		while (left && clbd_cookie_next(&at, end, group->cookie, &value,
						&size)) {
			left--;
			index = owner_of(group, value, size);
			if (index >= 0)
				return index;
		}
	}
	return -1;
}

/* One that drains has those that are bound to it. */
static bool may_have(const struct clbd_session *session, int index)
{
	const struct clbd_server *server = session->group->servers[index];

	return !session->group->verdicts[index]->down &&
	       (session->bound ? server->drain != CLBD_DRAIN_OUT
			       : server->drain == CLBD_DRAIN_NONE) &&
	       server->ejected_until <= clbd_session_worker(session)->now;
}

enum { PICK_OTHER = -1, PICK_WAITS = -2 };

/*
 * By the cookie, or by the scheduler: for the first try. Who is bound to a
 * server without room waits for it, where waiting is allowed.
 */
static int pick_first(struct clbd_session *session, uint64_t key)
{
	struct clbd_group *group = session->group;
	int index = group->cookie ? bound_to(session) : session->owner;

	session->bound = index >= 0;
	if (index < 0)
		index = clbd_balance_pick(&group->balance, key);
	if (index < 0 || !may_have(session, index))
		return PICK_OTHER;
	if (clbd_server_has_room(group->servers[index]))
		return index;
	return session->bound && group->queue.most ? PICK_WAITS : PICK_OTHER;
}

/* By the operator or the check, whichever was later. */
static uint64_t risen_at(const struct clbd_group *group, size_t index)
{
	uint64_t server = group->servers[index]->risen;
	uint64_t verdict = group->verdicts[index]->risen;

	return server > verdict ? server : verdict;
}

/* Servers that came up a short time ago have less than their weight. */
static void update_shares(struct clbd_group *group,
			  const struct clbd_worker *worker)
{
	const uint32_t most = CLBD_BALANCE_PARTS - 1;
	size_t i;

	if (!group->slow && (!worker->risen ||
			     worker->now - worker->risen >= group->slow_ms))
		return;
	group->slow = false;
	for (i = 0; i < group->balance.count; i++) {
		uint64_t risen = risen_at(group, i);
		uint64_t age = worker->now - risen;
		struct clbd_member *member = &group->balance.members[i];

		member->held = 0;
		if (!risen || age >= group->slow_ms)
			continue;
		member->held = most - most * age / group->slow_ms;
		group->slow = true;
	}
}

/* One that was not tried; of these, one that is ejected only if all are. */
static struct clbd_server *pick_server(struct clbd_session *session)
{
	struct clbd_group *group = session->group;
	uint64_t key = 0;
	int index = -1;

	if (group->balance.scheduler == CLBD_SCHEDULER_HASH)
		key = hash_key(session);
	update_shares(group, clbd_session_worker(session));
	if (!session->tries)
		index = pick_first(session, key);
	if (index == PICK_WAITS)
		return NULL;
	if (index < 0) {
		session->bound = false;
		index = pick_other(session, key, false);
	}
	if (index < 0)
		index = pick_other(session, key, true);
	if (index < 0)
		return NULL;
	session->index = index;
	return group->servers[index];
}

bool clbd_session_binds(const struct clbd_session *session)
{
	return session->group->cookie && !session->bound &&
	       session->response.status >= 200 &&
	       session->response.status < 400;
}

void clbd_session_server_failed(struct clbd_session *session)
{
	struct clbd_worker *worker = clbd_session_worker(session);
	struct clbd_server *server = session->server;

	server->failures++;
	session->meter->failures++;
	if (!server->eject_after || server->failures < server->eject_after)
		return;
	if (server->ejected_until <= worker->now)
		worker->stats->ejections++;
	server->ejected_until = worker->now + server->eject_ms;
}

static bool is_idempotent(const struct clbd_session *session)
{
	switch (session->request.method) {
	case HTTP_GET:
	case HTTP_HEAD:
	case HTTP_PUT:
	case HTTP_DELETE:
	case HTTP_OPTIONS:
		return !session->request.websocket;
	default:
		return false;
	}
}

bool clbd_session_may_repeat(const struct clbd_session *session)
{
	return is_idempotent(session) && !session->sent && !session->begun &&
	       !session->interim;
}

/* Whether what keeps the session from a server is that it has no room. */
static bool could_wait(const struct clbd_session *session)
{
	const struct clbd_group *group = session->group;
	size_t i;

	for (i = 0; i < group->balance.count; i++) {
		const struct clbd_server *server = group->servers[i];

		if (group->balance.members[i].weight &&
		    !group->verdicts[i]->down && !server->drain &&
		    !clbd_server_has_room(server) &&
		    !was_tried(session, server))
			return true;
	}
	return session->bound;
}

/* Room was made, and those that wait have been there before one that comes. */
static bool is_behind(const struct clbd_session *session)
{
	const struct clbd_queue *queue = &session->group->queue;

	return queue->count && queue->due && !session->tries;
}

/*
 * Return: the server to ask, or NULL: @waits says whether the session waits for
 * one
 */
static struct clbd_server *find_server(struct clbd_session *session,
				       bool *waits)
{
	struct clbd_server *server = NULL;

	*waits = false;
	if (!is_behind(session)) {
		server = pick_server(session);
		if (server || !could_wait(session))
			return server;
	}
	*waits = clbd_queue_enter(session);
	return NULL;
}

/* Return: whether an upstream was found, or begun */
static bool ask(struct clbd_session *session, struct clbd_server *server)
{
	session->server = clbd_server_get(server);
	server->load++;
	session->meter = session->group->meters[session->index];
	session->meter->requests++;
	session->meter->begun++;
	session->tried[session->tries++] = server;
	session->up = clbd_upstream_take(server, session, session->fresh);
	if (session->up)
		return true;
	clbd_session_server_failed(session);
	clbd_session_leave_server(session);
	return false;
}

void clbd_session_next_server(struct clbd_session *session, uint16_t status,
			      enum clbd_ending ending)
{
	clbd_session_leave_server(session);
	if (session->out)
		session->out->start = 0;
	while (session->tries < CLBD_SESSION_TRIES) {
		bool waits;
		struct clbd_server *server = find_server(session, &waits);

		if (waits || (server && ask(session, server)))
			return;
		if (server)
			continue;
		if (is_behind(session) || could_wait(session)) {
			clbd_session_worker(session)->stats->queue_full++;
			status = 503;
			ending = CLBD_ENDING_LIMIT;
		}
		break;
	}
	session->ending = ending;
	clbd_session_answer(session, status);
}

bool clbd_session_resume(struct clbd_session *session)
{
	struct clbd_server *server = pick_server(session);

	if (!server)
		return false;
	clbd_queue_leave(session);
	session->asked = clbd_session_worker(session)->now;
	clbd_session_progress(session);
	if (!ask(session, server))
		clbd_session_next_server(session, 502, CLBD_ENDING_CONNECT);
	clbd_client_run(session->client);
	return true;
}

void clbd_session_upstream_lost(struct clbd_session *session)
{
	struct clbd_worker *worker = clbd_session_worker(session);
	bool used = session->up->used, again = used || !session->orphaned;

	if (!used)
		clbd_session_server_failed(session);
	clbd_session_leave_upstream(session, false);
	/*
	 * A new one that ends may have gone before it saw the request, or because
	 * of it: another may be tried, but not all of them.
	 */
	if (!again || !clbd_session_may_repeat(session)) {
		worker->stats->server_errors++;
		session->ending = CLBD_ENDING_SERVER;
		clbd_session_answer(session, 502);
		return;
	}
	worker->stats->retries++;
	clbd_head_init(&session->response, true);
	if (!used) {
		session->orphaned = true;
		clbd_session_next_server(session, 502, CLBD_ENDING_SERVER);
		return;
	}
	/* One that had waited says nothing about its server: ask that again. */
	session->fresh = true;
	session->out->start = 0;
	session->up = clbd_upstream_take(session->server, session, true);
	if (session->up)
		return;
	clbd_session_server_failed(session);
	clbd_session_next_server(session, 502, CLBD_ENDING_CONNECT);
}

void clbd_session_unconnected(struct clbd_session *session, bool timeout)
{
	struct clbd_worker *worker = clbd_session_worker(session);

	worker->stats->connect_errors++;
	clbd_session_server_failed(session);
	clbd_session_leave_upstream(session, false);
	clbd_session_next_server(session, timeout ? 504 : 502,
				 CLBD_ENDING_CONNECT);
}
