// SPDX-License-Identifier: MIT
/*
 * The way of a request: clbd_session_start() has a server found (attempt.c);
 * clbd_session_run() passes the request on and brings back what comes
 * (relay.c), and finish() says how the connection goes on.
 *
 * Nothing waits here: each step goes as far as the sockets let it, and is tried
 * again when one of them has changed.
 */
#include "clbd/session.h"

#include <errno.h>
#include <string.h>

#include "clbd/client.h"
#include "clbd/forward.h"
#include "clbd/pipe.h"
#include "clbd/port.h"
#include "clbd/rules.h"
#include "clbd/stage.h"
#include "clbd/sticky.h"
#include "clbd/upstream.h"
#include "clbd/worker.h"

static void put_buffer(struct clbd_session *session,
		       struct clbd_buffer **buffer)
{
	clbd_worker_put_buffer(clbd_session_worker(session), *buffer);
	*buffer = NULL;
}

struct clbd_session *clbd_session_new(struct clbd_client *client)
{
	struct clbd_worker *worker = client->conn.worker;
	struct clbd_session *session = clbd_pool_get(&worker->session_pool);

	if (!session)
		return NULL;
	memset(session, 0, offsetof(struct clbd_session, request));
	session->client = client;
	session->setup = clbd_setup_get(client->port->setup);
	session->listener = client->port->listener;
	session->start = worker->now;
	clbd_head_init(&session->request, false);
	return session;
}

/*
 * What is waited for is the client's body: the server has taken what there is,
 * and the client does not wait for 100 itself.
 */
static bool waits_for_body(const struct clbd_session *session)
{
	return session->up && !session->up->connecting && !session->headed &&
	       !clbd_buffer_held(session->out) && !session->ready &&
	       !clbd_body_done(&session->body) &&
	       !(session->request.expects && !session->interim &&
		 !session->sent);
}

void clbd_session_progress(struct clbd_session *session)
{
	const struct clbd_listener *listener = session->listener;
	uint32_t ms = listener->request_ms;

	if (session->tunnel)
		ms = listener->tunnel_ms;
	else if (waits_for_body(session))
		ms = listener->idle_ms;
	clbd_conn_deadline(&session->client->conn, ms);
}

void clbd_session_leave_upstream(struct clbd_session *session, bool reusable)
{
	struct clbd_upstream *up = session->up;

	session->up = NULL;
	session->waiting = 0;
	if (up)
		clbd_upstream_leave(up, reusable);
}

void clbd_session_leave_server(struct clbd_session *session)
{
	if (!session->server)
		return;
	if (session->server->load-- == session->server->limit)
		clbd_queue_stir(clbd_session_worker(session));
	session->meter->ended++;
	if (session->headed && !session->answering) {
		clbd_meter_response(session->meter, session->status,
				    session->answered - session->asked);
		session->meter->received += session->payload.total;
		session->meter->sent += session->sent;
	}
	clbd_server_put(clbd_session_worker(session), session->server);
	session->server = NULL;
}

/* A location may be too long for an answer; then so was the request's. */
static int put_answer(struct clbd_session *session, uint16_t status)
{
	session->status = status;
	if (!session->reply)
		return -ENOMEM;
	if (status == 200)
		return clbd_forward_metrics(session, session->reply);
	if (!clbd_forward_answer(session, status, session->reply))
		return 0;
	if (status < 300 || status >= 400)
		return -ENOBUFS;
	session->status = 414;
	return clbd_forward_answer(session, 414, session->reply);
}

void clbd_session_answer(struct clbd_session *session, uint16_t status)
{
	struct clbd_worker *worker = clbd_session_worker(session);

	clbd_queue_leave(session);
	clbd_session_leave_upstream(session, false);
	clbd_session_drop_gzip(session);
	if (!session->reply)
		session->reply = clbd_worker_buffer(worker);
	/* What was sent of 1xx responses stays; of another, nothing was. */
	if (session->headed && session->reply)
		session->reply->end = session->head_at;
	session->answering = session->headed = true;
	session->answered = worker->now;
	if (clbd_session_has_rest(session))
		session->close = true;
	if (put_answer(session, status))
		session->close = true;
}

void clbd_session_refuse(struct clbd_session *session)
{
	clbd_session_worker(session)->stats->refused++;
	session->ending = CLBD_ENDING_REFUSED;
	session->close = true;
	clbd_session_answer(session, session->request.status);
}

/* By the rules, or what holds where none fits. */
static const struct clbd_target *find_target(const struct clbd_session *session)
{
	const struct clbd_listener *listener = session->listener;
	const struct clbd_head *request = &session->request;
	const char *text = session->text;
	const struct clbd_target *target;

	target = clbd_rules_find(listener->rules, text + request->host.at,
				 request->host.size, text + request->path.at,
				 request->path.size);
	return target ? target : &listener->target;
}

/* HTTP/1.0 may name no host; "*" is no place. */
static bool can_redirect(const struct clbd_session *session)
{
	const struct clbd_head *request = &session->request;
	const char *location = session->target->redirect;

	if (!request->host.size && strstr(location, "$host"))
		return false;
	return session->text[request->path.at] != '*' ||
	       !strstr(location, "$uri");
}

/* That of the rule is used up only by what the listener's let pass. */
static bool is_within_rates(const struct clbd_session *session)
{
	uint64_t now = clbd_session_worker(session)->now;

	return clbd_rate_take(&session->listener->rate, now) &&
	       (!session->target->rate ||
		clbd_rate_take(session->target->rate, now));
}

void clbd_session_start(struct clbd_session *session)
{
	struct clbd_worker *worker = clbd_session_worker(session);
	struct clbd_head *request = &session->request;

	worker->stats->requests++;
	clbd_body_init(&session->body, request->framing, request->length);
	if (clbd_body_done(&session->body))
		session->received = worker->now;
	clbd_head_init(&session->response, true);
	if (request->close || worker->stopping || session->client->port->closed)
		session->close = true;
	if (session->listener->body_max &&
	    request->length > session->listener->body_max) {
		request->status = 413;
		clbd_session_refuse(session);
		return;
	}
	session->target = find_target(session);
	if (!is_within_rates(session)) {
		worker->stats->rate_limited++;
		session->ending = CLBD_ENDING_LIMIT;
		clbd_session_answer(session, 429);
		return;
	}
	if (session->listener->config->metrics && !session->target->group) {
		session->close |= !request->minor;
		clbd_session_answer(session, 200);
		session->telling = session->reply &&
				   request->method != HTTP_HEAD;
		return;
	}
	if (session->target->redirect) {
		clbd_session_answer(session, can_redirect(session) ?
				    session->target->code : 400);
		return;
	}
	session->group = session->target->group;
	session->out = clbd_worker_buffer(worker);
	if (!session->group || !session->out) {
		clbd_session_answer(session, session->group ? 500 : 404);
		return;
	}
	clbd_sticky_request(session);
	if (clbd_forward_request(session, session->out)) {
		request->status = 431;
		clbd_session_refuse(session);
		return;
	}
	session->asked = worker->now;
	clbd_session_progress(session);
	clbd_session_next_server(session, 503, CLBD_ENDING_CONNECT);
}

static bool is_answered(const struct clbd_session *session)
{
	return session->headed && !clbd_buffer_held(session->reply) &&
	       !session->waiting && !clbd_session_piped(session) &&
	       clbd_session_is_made(session) &&
	       (session->answering || clbd_body_done(&session->payload));
}

static bool is_reusable(const struct clbd_session *session)
{
	return session->up && !session->response.close &&
	       clbd_body_done(&session->body) && !session->ready &&
	       !clbd_buffer_held(session->out) &&
	       !clbd_buffer_held(session->up->in) && !session->up->conn.ending;
}

static enum clbd_progress finish(struct clbd_session *session)
{
	const struct clbd_client *client = session->client;

	clbd_session_leave_upstream(session, is_reusable(session));
	if (!session->close && !client->conn.ended &&
	    !clbd_session_has_rest(session))
		return CLBD_NEXT;
	if (clbd_buffer_held(client->in) || client->conn.readable ||
	    clbd_session_has_rest(session) ||
	    session->ending == CLBD_ENDING_REFUSED)
		return CLBD_LINGER;
	return CLBD_CLOSE;
}

/* The client ended in the middle of its request. */
static bool is_left(const struct clbd_session *session)
{
	return session->client->conn.ended && !session->tunnel &&
	       !session->answering && !session->ready &&
	       !clbd_body_done(&session->body);
}

/* After nothing moved any more: what does that mean? */
static enum clbd_progress conclude(struct clbd_session *session)
{
	struct clbd_client *client = session->client;

	if (is_answered(session))
		return finish(session);
	if (client->conn.broken || is_left(session)) {
		if (session->ending == CLBD_ENDING_NORMAL) {
			session->ending = CLBD_ENDING_CLIENT;
			clbd_session_worker(session)->stats->client_aborts++;
		}
		return CLBD_ABORT;
	}
	if (session->queue_link)
		return CLBD_WAIT;
	if (session->up || session->answering)
		return session->ending == CLBD_ENDING_REFUSED &&
				       !session->answering
			       ? CLBD_ABORT
			       : CLBD_WAIT;
	/* The upstream is gone: its end ended the body, or cut it off. */
	if (session->ending != CLBD_ENDING_NORMAL)
		return CLBD_ABORT;
	if (clbd_buffer_held(session->reply) ||
	    !clbd_session_is_packed(session))
		return CLBD_WAIT;
	return finish(session);
}

/* So many buffers at once; then it is the others' turn. */
#define STEPS 8

enum clbd_progress clbd_session_run(struct clbd_session *session)
{
	unsigned int steps = 0;
	bool moved;

	do {
		moved = clbd_session_send_request(session);
		moved |= clbd_session_read_response(session);
		moved |= clbd_session_send_response(session);
	} while (moved && !is_answered(session) && ++steps < STEPS);
	if (steps == STEPS)
		clbd_conn_again(&session->client->conn);
	return conclude(session);
}

enum clbd_progress clbd_session_expire(struct clbd_session *session)
{
	uint16_t status = 504;

	clbd_session_worker(session)->stats->timeouts++;
	session->ending = CLBD_ENDING_TIMEOUT;
	if (session->tunnel || session->begun || session->headed)
		return CLBD_ABORT;
	if (session->queue_link)
		status = 503;
	else if (waits_for_body(session))
		status = 408;
	else if (session->server)
		clbd_session_server_failed(session);
	clbd_session_answer(session, status);
	clbd_conn_deadline(&session->client->conn, session->listener->idle_ms);
	return clbd_session_run(session);
}

static void count(const struct clbd_session *session)
{
	const struct clbd_worker *worker = clbd_session_worker(session);
	struct clbd_meter *meter = session->listener->meter;
	uint64_t ms = worker->now - session->start;

	clbd_stats_response(worker->stats, session->status);
	if (session->ending != CLBD_ENDING_NORMAL &&
	    session->ending != CLBD_ENDING_REFUSED)
		meter->failures++;
	meter->requests += session->text != NULL;
	meter->received += session->request.size + session->sent;
	meter->sent += session->bytes;
	if (!session->status)
		return;
	clbd_times_add(&worker->stats->times, ms);
	clbd_meter_response(meter, session->status, ms);
}

void clbd_session_free(struct clbd_session *session)
{
	struct clbd_worker *worker = clbd_session_worker(session);

	/* Of a client that left early there is a line, too. */
	if (session->text || session->status)
		clbd_log_session(&worker->log, session);
	count(session);
	clbd_queue_leave(session);
	clbd_session_leave_upstream(session, false);
	clbd_session_leave_server(session);
	clbd_session_drop_gzip(session);
	clbd_pipe_put(&worker->pipes, session->pipe);
	put_buffer(session, &session->raw);
	put_buffer(session, &session->out);
	put_buffer(session, &session->reply);
	put_buffer(session, &session->trailers);
	clbd_setup_put(session->setup);
	clbd_pool_put(&worker->session_pool, session);
}
