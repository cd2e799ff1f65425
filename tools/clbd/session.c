// SPDX-License-Identifier: MIT
/*
 * The way of a request: start() finds a server, send_request() passes the
 * request on, read_response() and send_response() bring back what comes, and
 * finish() says how the connection goes on.
 *
 * Nothing waits here: each step goes as far as the sockets let it, and is tried
 * again when one of them has changed.
 */
#include "clbd/session.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "clbd/client.h"
#include "clbd/forward.h"
#include "clbd/port.h"
#include "clbd/rules.h"
#include "clbd/upstream.h"
#include "clbd/worker.h"

static struct clbd_worker *worker_of(const struct clbd_session *session)
{
	return session->client->conn.worker;
}

static void put_buffer(struct clbd_session *session, struct clbd_buffer **buffer)
{
	clbd_pool_put(&worker_of(session)->buffers, *buffer);
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

/* Something went to or came from a peer: it has as much time again. */
static void progress(struct clbd_session *session)
{
	const struct clbd_listener *listener = session->listener;
	uint32_t ms = listener->request_ms;

	if (session->tunnel)
		ms = listener->tunnel_ms;
	else if (!session->answering && !session->headed &&
		 !clbd_body_done(&session->body) && !session->ready)
		ms = listener->idle_ms;
	clbd_conn_deadline(&session->client->conn, ms);
}

static void leave_upstream(struct clbd_session *session, bool reusable)
{
	struct clbd_upstream *up = session->up;

	session->up = NULL;
	session->waiting = 0;
	if (up)
		clbd_upstream_leave(up, reusable);
}

static void leave_server(struct clbd_session *session)
{
	if (!session->server)
		return;
	session->server->load--;
	clbd_server_put(worker_of(session), session->server);
	session->server = NULL;
}

/*
 * An answer of clbd's own takes the place of the response, of which nothing was
 * sent yet.
 */
static void answer(struct clbd_session *session, uint16_t status)
{
	struct clbd_worker *worker = worker_of(session);

	leave_upstream(session, false);
	if (!session->reply)
		session->reply = clbd_worker_buffer(worker);
	/* What was sent of 1xx responses stays; of another, nothing was. */
	if (session->headed && session->reply)
		session->reply->end = session->head_at;
	session->answering = session->headed = true;
	session->status = status;
	session->answered = worker->now;
	if (!clbd_body_done(&session->body))
		session->close = true;
	if (!session->reply ||
	    clbd_forward_answer(session, status, session->reply))
		session->close = true;
}

void clbd_session_refuse(struct clbd_session *session)
{
	worker_of(session)->stats->refused++;
	session->ending = CLBD_ENDING_REFUSED;
	session->close = true;
	answer(session, session->request.status);
}

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

/* One that was not tried; where all were, none. */
static struct clbd_server *pick_server(struct clbd_session *session)
{
	struct clbd_balance *balance = &session->group->balance;
	uint64_t key = 0;
	size_t i;
	int index;

	if (balance->scheduler == CLBD_SCHEDULER_HASH)
		key = hash_key(session);
	if (!session->tries) {
		index = clbd_balance_pick(balance, key);
	} else {
		for (i = 0; i < balance->count; i++)
			balance->members[i].barred =
				was_tried(session, session->group->servers[i]);
		index = clbd_balance_pick(balance, key);
		for (i = 0; i < balance->count; i++)
			balance->members[i].barred = false;
	}
	return index < 0 ? NULL : session->group->servers[index];
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

/* Whether doing it twice does no more than once; the body must be at hand. */
static bool may_repeat(const struct clbd_session *session)
{
	return is_idempotent(session) && !session->sent && !session->begun;
}

static enum clbd_take how_to_take(const struct clbd_session *session)
{
	if (session->fresh)
		return CLBD_TAKE_NEW;
	return is_idempotent(session) ? CLBD_TAKE_ANY : CLBD_TAKE_OPEN;
}

/*
 * Asks one server after the other; without any left, answers @status, and the
 * log has @ending.
 */
static void next_server(struct clbd_session *session, uint16_t status,
			enum clbd_ending ending)
{
	leave_server(session);
	if (session->out)
		session->out->start = 0;
	while (session->tries < CLBD_SESSION_TRIES) {
		struct clbd_server *server = pick_server(session);

		if (!server)
			break;
		session->server = clbd_server_get(server);
		server->load++;
		session->tried[session->tries++] = server;
		session->up = clbd_upstream_take(server, session,
						how_to_take(session));
		if (session->up)
			return;
		leave_server(session);
	}
	session->ending = ending;
	answer(session, status);
}

/* The upstream failed before a response: another may be asked, if that is safe. */
static void upstream_lost(struct clbd_session *session)
{
	struct clbd_worker *worker = worker_of(session);
	bool used = session->up->used;

	leave_upstream(session, false);
	if (!may_repeat(session)) {
		worker->stats->server_errors++;
		session->ending = CLBD_ENDING_SERVER;
		answer(session, 502);
		return;
	}
	worker->stats->retries++;
	clbd_head_init(&session->response, true);
	/* One that had waited says nothing about its server: ask that again. */
	if (used)
		session->tries--;
	session->fresh = true;
	next_server(session, 502, CLBD_ENDING_SERVER);
}

void clbd_session_unconnected(struct clbd_session *session, bool timeout)
{
	struct clbd_worker *worker = worker_of(session);

	worker->stats->connect_errors++;
	leave_upstream(session, false);
	next_server(session, timeout ? 504 : 502, CLBD_ENDING_CONNECT);
}

/* By the rules, or the one for what no rule fits. */
static struct clbd_group *find_group(const struct clbd_session *session)
{
	const struct clbd_listener *listener = session->listener;
	const struct clbd_head *request = &session->request;
	const char *text = session->text;
	struct clbd_group *group;

	group = clbd_rules_find(listener->rules, text + request->host.at,
			       request->host.size, text + request->path.at,
			       request->path.size);
	return group ? group : listener->group;
}

void clbd_session_start(struct clbd_session *session)
{
	struct clbd_worker *worker = worker_of(session);
	struct clbd_head *request = &session->request;

	worker->stats->requests++;
	clbd_body_init(&session->body, request->framing, request->length);
	clbd_head_init(&session->response, true);
	if (request->close || worker->stopping || session->client->port->closed)
		session->close = true;
	if (session->listener->body_max &&
	    request->length > session->listener->body_max) {
		request->status = 413;
		clbd_session_refuse(session);
		return;
	}
	session->group = find_group(session);
	session->out = clbd_worker_buffer(worker);
	if (!session->group || !session->out) {
		answer(session, session->group ? 500 : 404);
		return;
	}
	if (clbd_forward_request(session, session->out)) {
		request->status = 431;
		clbd_session_refuse(session);
		return;
	}
	session->asked = worker->now;
	progress(session);
	next_server(session, 503, CLBD_ENDING_CONNECT);
}

/* What the client sent of its body, checked, is @ready. */
static void read_body(struct clbd_session *session)
{
	struct clbd_client *client = session->client;
	struct clbd_buffer *in = client->in;
	size_t used, kept;

	if (session->ready || clbd_body_done(&session->body))
		return;
	if (!clbd_buffer_held(in) && client->conn.readable) {
		if (!in)
			in = client->in = clbd_worker_buffer(client->conn.worker);
		if (!in)
			return;
		in->start = 0;
		in->end = 0;
		used = clbd_conn_read(&client->conn, in->data, sizeof(in->data));
		if ((ssize_t)used <= 0)
			return;
		in->end = used;
	}
	if (!clbd_buffer_held(in))
		return;
	if (clbd_body_parse(&session->body, in->data + in->start,
			   in->end - in->start, &used, &kept) == CLBD_BAD) {
		session->request.status = 400;
		session->request.reason = "chunk";
		goto refuse;
	}
	session->ready = kept;
	if (session->listener->body_max &&
	    session->body.total > session->listener->body_max) {
		session->request.status = 413;
		goto refuse;
	}
	return;
refuse:
	session->ready = 0;
	in->start = in->end;
	if (!session->begun)
		clbd_session_refuse(session);
	else
		session->ending = CLBD_ENDING_REFUSED;
}

/* Takes @size written bytes off @buffer, then off @ready bytes of @body. */
static void written(struct clbd_buffer *buffer, struct clbd_buffer *body,
		    uint32_t *ready, size_t size)
{
	size_t first = clbd_buffer_held(buffer);

	if (first > size)
		first = size;
	if (first)
		buffer->start += first;
	size -= first;
	if (size) {
		body->start += size;
		*ready -= size;
	}
}

static int fill_iov(struct iovec iov[2], struct clbd_buffer *buffer,
		    struct clbd_buffer *body, uint32_t ready)
{
	int count = 0;

	if (clbd_buffer_held(buffer)) {
		iov[count].iov_base = buffer->data + buffer->start;
		iov[count++].iov_len = clbd_buffer_held(buffer);
	}
	if (ready) {
		iov[count].iov_base = body->data + body->start;
		iov[count++].iov_len = ready;
	}
	return count;
}

/* The client ended its half of a tunnel: so does the server's side. */
static void pass_end(struct clbd_session *session)
{
	if (!session->tunnel || session->shut ||
	    !session->client->conn.ended || session->ready)
		return;
	session->shut = true;
	shutdown(session->up->conn.fd, SHUT_WR);
}

/* Return: whether anything was sent */
static bool send_request(struct clbd_session *session)
{
	struct clbd_client *client = session->client;
	struct clbd_upstream *up = session->up;
	struct iovec iov[2];
	ssize_t n;
	int count;

	if (!up || up->connecting)
		return false;
	read_body(session);
	if (session->up != up)
		return false;
	count = fill_iov(iov, session->out, client->in, session->ready);
	if (!count || !up->conn.writable) {
		pass_end(session);
		return false;
	}
	n = clbd_conn_write(&up->conn, iov, count);
	if (n < 0) {
		/* A response may be there all the same: it is read first. */
		up->conn.readable = true;
		return false;
	}
	if (n > (ssize_t)clbd_buffer_held(session->out))
		session->sent += n - clbd_buffer_held(session->out);
	written(session->out, client->in, &session->ready, n);
	if (n)
		progress(session);
	return n > 0;
}

static void tunnel_begins(struct clbd_session *session)
{
	worker_of(session)->stats->upgrades++;
	session->tunnel = session->close = true;
	clbd_body_init(&session->body, CLBD_FRAMING_CLOSE, 0);
	clbd_body_init(&session->payload, CLBD_FRAMING_CLOSE, 0);
}

/* 1xx: the response proper is still to come. Return: 0 or -EPROTO */
static int pass_interim(struct clbd_session *session, const char *text)
{
	if (++session->interim > CLBD_SESSION_INTERIM)
		return -EPROTO;
	/* HTTP/1.0 has none. */
	if (session->request.minor &&
	    clbd_forward_response(session, text, session->reply))
		return -EPROTO;
	clbd_head_init(&session->response, true);
	return 0;
}

/* What a response means for the session, after its head. Return: 0 or -EPROTO */
static int judge_response(struct clbd_session *session, const char *text)
{
	struct clbd_head *response = &session->response;
	const struct clbd_head *request = &session->request;

	clbd_head_answer(response, request->method);
	if (response->status == 101) {
		if (!request->websocket || !response->websocket)
			return -EPROTO;
		tunnel_begins(session);
	} else if (response->status < 200) {
		return pass_interim(session, text);
	} else {
		clbd_body_init(&session->payload, response->framing,
			      response->length);
		session->payload.strip = !request->minor;
		/* Who answers early may not have the rest of the request. */
		if (response->framing == CLBD_FRAMING_CLOSE ||
		    (!request->minor &&
		     response->framing == CLBD_FRAMING_CHUNKED) ||
		    !clbd_body_done(&session->body))
			session->close = true;
	}
	session->headed = true;
	session->head_at = session->reply->end;
	session->status = response->status;
	session->answered = worker_of(session)->now;
	return clbd_forward_response(session, text, session->reply) ? -EPROTO : 0;
}

/* The server broke the rules: 502, or a cut where it is too late for that. */
static void server_failed(struct clbd_session *session)
{
	worker_of(session)->stats->server_errors++;
	session->ending = CLBD_ENDING_SERVER;
	if (session->begun)
		leave_upstream(session, false);
	else
		answer(session, 502);
}

/* Reads heads out of what the upstream has sent. */
static void read_head(struct clbd_session *session)
{
	struct clbd_upstream *up = session->up;
	struct clbd_buffer *in = up->in;

	while (!session->headed && clbd_buffer_held(in)) {
		const char *text = in->data + in->start;
		uint16_t size;

		if (!session->reply)
			session->reply =
				clbd_worker_buffer(worker_of(session));
		if (!session->reply) {
			server_failed(session);
			return;
		}
		switch (clbd_head_parse(&session->response, text,
				       clbd_buffer_held(in))) {
		case CLBD_DONE:
			break;
		case CLBD_MORE:
			if (clbd_buffer_held(in) > session->setup->head_max)
				server_failed(session);
			return;
		case CLBD_BAD:
			server_failed(session);
			return;
		}
		size = session->response.size;
		if (judge_response(session, text)) {
			server_failed(session);
			return;
		}
		in->start += size;
	}
}

/* Checks what came of the body. */
static void read_payload(struct clbd_session *session)
{
	struct clbd_buffer *in = session->up->in;
	size_t used, kept, held = clbd_buffer_held(in);

	if (!session->headed || session->waiting || !held)
		return;
	if (clbd_body_parse(&session->payload, in->data + in->start, held, &used,
			   &kept) == CLBD_BAD) {
		server_failed(session);
		return;
	}
	if (kept < used) {
		/* What follows the message moves up to what was kept of it. */
		memmove(in->data + in->start + kept,
			in->data + in->start + used, held - used);
		in->end -= used - kept;
	}
	session->waiting = kept;
	session->bytes += kept;
}

/* The server's end: of a body that lasts until then, or too early. */
static void upstream_ended(struct clbd_session *session)
{
	struct clbd_upstream *up = session->up;

	if (!session->headed && !session->begun && !clbd_buffer_held(up->in)) {
		upstream_lost(session);
		return;
	}
	if (session->headed && session->payload.framing == CLBD_FRAMING_CLOSE &&
	    (!up->conn.broken || session->tunnel)) {
		if (!session->waiting)
			leave_upstream(session, false);
		return;
	}
	server_failed(session);
}

/* Return: whether anything came */
static bool read_response(struct clbd_session *session)
{
	struct clbd_upstream *up = session->up;
	struct clbd_buffer *in;
	ssize_t n;

	if (!up || up->connecting || session->waiting || !up->conn.readable ||
	    (session->headed && clbd_body_done(&session->payload)))
		return false;
	/* One response at a time: what is there must have been sent on. */
	if (session->headed && clbd_buffer_held(session->reply))
		return false;
	if (!up->in)
		up->in = clbd_worker_buffer(worker_of(session));
	in = up->in;
	if (!in)
		return false;
	clbd_buffer_compact(in);
	n = clbd_conn_read(&up->conn, in->data + in->end, clbd_buffer_room(in));
	if (n <= 0) {
		if (up->conn.ended)
			upstream_ended(session);
		return false;
	}
	in->end += n;
	read_head(session);
	if (session->up)
		read_payload(session);
	progress(session);
	return true;
}

/* Return: whether anything was sent */
static bool send_response(struct clbd_session *session)
{
	struct clbd_client *client = session->client;
	struct clbd_buffer *in = session->up ? session->up->in : NULL;
	struct iovec iov[2];
	int count = fill_iov(iov, session->reply, in, session->waiting);
	ssize_t n;

	if (!count || !client->conn.writable)
		return false;
	n = clbd_conn_write(&client->conn, iov, count);
	if (n <= 0)
		return false;
	session->begun = session->headed;
	written(session->reply, in, &session->waiting, n);
	progress(session);
	return true;
}

static bool is_answered(const struct clbd_session *session)
{
	return session->headed && !clbd_buffer_held(session->reply) &&
	       !session->waiting &&
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

	leave_upstream(session, is_reusable(session));
	if (!session->close && !client->conn.ended)
		return CLBD_NEXT;
	if (clbd_buffer_held(client->in) || !clbd_body_done(&session->body) ||
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
			worker_of(session)->stats->client_aborts++;
		}
		return CLBD_ABORT;
	}
	if (session->up || session->answering)
		return session->ending == CLBD_ENDING_REFUSED &&
			       !session->answering ?
			       CLBD_ABORT :
			       CLBD_WAIT;
	/* The upstream is gone: its end ended the body, or cut it off. */
	if (session->ending != CLBD_ENDING_NORMAL)
		return CLBD_ABORT;
	return clbd_buffer_held(session->reply) ? CLBD_WAIT : finish(session);
}

enum clbd_progress clbd_session_run(struct clbd_session *session)
{
	bool moved;

	do {
		moved = send_request(session);
		moved |= read_response(session);
		moved |= send_response(session);
	} while (moved && !is_answered(session));
	return conclude(session);
}

enum clbd_progress clbd_session_expire(struct clbd_session *session)
{
	uint16_t status = 504;

	worker_of(session)->stats->timeouts++;
	session->ending = CLBD_ENDING_TIMEOUT;
	if (session->tunnel || session->begun || session->headed)
		return CLBD_ABORT;
	if (!clbd_body_done(&session->body) && !session->ready)
		status = 408;
	answer(session, status);
	clbd_conn_deadline(&session->client->conn, session->listener->idle_ms);
	return clbd_session_run(session);
}

void clbd_session_free(struct clbd_session *session)
{
	struct clbd_worker *worker = worker_of(session);

	if (session->status)
		clbd_log_session(&worker->log, session);
	clbd_stats_response(worker->stats, session->status);
	leave_upstream(session, false);
	leave_server(session);
	put_buffer(session, &session->raw);
	put_buffer(session, &session->out);
	put_buffer(session, &session->reply);
	clbd_setup_put(session->setup);
	clbd_pool_put(&worker->session_pool, session);
}
