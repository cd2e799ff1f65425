// SPDX-License-Identifier: MIT
/*
 * Passing on: the request to the server, the response to the client. What is
 * read is checked by the decoders before any of it goes out; nothing is read
 * while what came before it waits.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "clbd/client.h"
#include "clbd/forward.h"
#include "clbd/pipe.h"
#include "clbd/stage.h"
#include "clbd/sticky.h"
#include "clbd/upstream.h"
#include "clbd/worker.h"

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
			in = client->in = clbd_worker_buffer(
				client->conn.worker);
		if (!in)
			return;
		in->start = 0;
		in->end = 0;
		used = clbd_conn_read(&client->conn, in->data,
				      clbd_buffer_room(in));
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
	if (clbd_body_done(&session->body))
		session->received = client->conn.worker->now;
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

/* What is small goes into one piece: that costs less than to send two. */
#define SMALL 2048

/* Of a response, so much is read with its head where a long body will follow. */
#define FIRST 4096

static void join(struct clbd_buffer *buffer, struct clbd_buffer *body,
		 uint32_t *ready)
{
	if (!clbd_buffer_held(buffer) || !*ready || *ready > SMALL ||
	    *ready + CLBD_FORWARD_SPARE > clbd_buffer_room(buffer))
		return;
	memcpy(buffer->data + buffer->end, body->data + body->start, *ready);
	buffer->end += *ready;
	body->start += *ready;
	*ready = 0;
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
	if (!session->tunnel || session->shut || !session->client->conn.ended ||
	    session->ready)
		return;
	session->shut = true;
	shutdown(session->up->conn.fd, SHUT_WR);
}

bool clbd_session_send_request(struct clbd_session *session)
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
	n = clbd_conn_write(&up->conn, iov, count, false);
	if (n < 0) {
		/* A response may be there all the same: it is read first. */
		up->conn.readable = true;
		return false;
	}
	if (n > (ssize_t)clbd_buffer_held(session->out))
		session->sent += n - clbd_buffer_held(session->out);
	written(session->out, client->in, &session->ready, n);
	if (n)
		clbd_session_progress(session);
	return n > 0;
}

static void tunnel_begins(struct clbd_session *session)
{
	clbd_session_worker(session)->stats->upgrades++;
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

/* HTTP/2 has frames for chunks, and fields behind them. */
static void undo_chunks(struct clbd_session *session)
{
	session->payload.strip = true;
	if (session->payload.framing != CLBD_FRAMING_CHUNKED)
		return;
	session->trailers = clbd_worker_buffer(clbd_session_worker(session));
	if (session->trailers)
		session->payload.into = session->trailers->data;
}

/* Whether what is left of it is worth a pipe. */
static bool is_bulky(const struct clbd_body *payload)
{
	return payload->framing == CLBD_FRAMING_LENGTH &&
	       payload->left >= CLBD_PIPE_LEAST;
}

/*
 * What a response means for the session, after its head. Return: 0 or -EPROTO
 */
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
		if (request->h2)
			undo_chunks(session);
		else
			session->payload.strip = !request->minor;
		clbd_session_choose_coding(session, text);
		session->chunking = clbd_session_frames(session) &&
				    !session->gzip &&
				    response->framing == CLBD_FRAMING_CLOSE;
		/* Who answers early may not have the rest of the request. */
		if ((!request->minor &&
		     response->framing >= CLBD_FRAMING_CHUNKED) ||
		    clbd_session_has_rest(session))
			session->close = true;
	}
	session->server->failures = 0;
	session->server->bulky = is_bulky(&session->payload);
	session->headed = true;
	session->head_at = session->reply->end;
	session->status = response->status;
	session->answered = clbd_session_worker(session)->now;
	clbd_sticky_response(session, text);
	return clbd_forward_response(session, text, session->reply) ? -EPROTO
								    : 0;
}

/* The server broke the rules: 502, or a cut where it is too late for that. */
static void server_failed(struct clbd_session *session)
{
	clbd_session_worker(session)->stats->server_errors++;
	session->ending = CLBD_ENDING_SERVER;
	if (!session->headed)
		clbd_session_server_failed(session);
	if (session->begun)
		clbd_session_leave_upstream(session, false);
	else
		clbd_session_answer(session, 502);
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
			session->reply = clbd_worker_buffer(
				clbd_session_worker(session));
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
		if (size > session->setup->head_max ||
		    judge_response(session, text)) {
			server_failed(session);
			return;
		}
		in->start += size;
	}
}

/*
 * Before a chunk of @size bytes, or behind the last: forward.c left room for
 * it. Return: whether it did
 */
static bool put_chunk(struct clbd_session *session, size_t size)
{
	struct clbd_buffer *out = session->reply;
	char text[CLBD_FORWARD_SPARE];
	int length;

	length = snprintf(text, sizeof(text), "%s%zx\r\n%s",
			  session->chunked ? "\r\n" : "", size,
			  size ? "" : "\r\n");
	clbd_buffer_compact(out);
	if ((uint32_t)length > clbd_buffer_room(out))
		return false;
	memcpy(out->data + out->end, text, length);
	out->end += length;
	session->chunked = true;
	return true;
}

/* Checks what came of the body. */
static void read_payload(struct clbd_session *session)
{
	struct clbd_buffer *in = session->up->in;
	size_t used, kept, held = clbd_buffer_held(in);

	if (!session->headed || session->waiting || !held)
		return;
	if (clbd_body_parse(&session->payload, in->data + in->start, held,
			    &used, &kept) == CLBD_BAD) {
		server_failed(session);
		return;
	}
	if (kept < used) {
		/* What follows the message moves up to what was kept of it. */
		memmove(in->data + in->start + kept,
			in->data + in->start + used, held - used);
		in->end -= used - kept;
	}
	if (session->chunking && kept && !put_chunk(session, kept)) {
		server_failed(session);
		return;
	}
	session->waiting = kept;
	if (!session->gzip)
		session->bytes += kept;
}

/*
 * The server's end: of a body that lasts until then, or too early. Return:
 * whether there is another upstream, which may have waited: no event tells then
 * that the request can be sent
 */
static bool upstream_ended(struct clbd_session *session)
{
	struct clbd_upstream *up = session->up;

	if (!session->headed && !session->begun && !clbd_buffer_held(up->in)) {
		clbd_session_upstream_lost(session);
		return session->up;
	}
	if (session->headed && session->payload.framing == CLBD_FRAMING_CLOSE &&
	    (!up->conn.broken || session->tunnel)) {
		if (session->gzip ||
		    (session->chunking && put_chunk(session, 0)))
			clbd_body_end(&session->payload);
		clbd_session_leave_upstream(session, false);
		return false;
	}
	server_failed(session);
	return false;
}

/* Once a body goes through a pipe, all that is left of it does. */
static bool takes_pipe(struct clbd_session *session)
{
	struct clbd_worker *worker = clbd_session_worker(session);

	if (session->pipe || session->gzip || session->client->conn.ops->write ||
	    !is_bulky(&session->payload))
		return session->pipe;
	session->pipe = clbd_pipe_get(&worker->pipes);
	if (session->pipe)
		worker->stats->piped++;
	return session->pipe;
}

static bool fill_pipe(struct clbd_session *session)
{
	struct clbd_upstream *up = session->up;
	uint64_t left = session->payload.left;
	ssize_t n;

	n = clbd_pipe_fill(session->pipe, &up->conn,
			   left < CLBD_PIPE_SIZE ? left : CLBD_PIPE_SIZE);
	if (n <= 0)
		return up->conn.ended && upstream_ended(session);
	clbd_body_skip(&session->payload, n);
	session->bytes += n;
	clbd_session_progress(session);
	return true;
}

/*
 * Where a long body is to be expected, what is read with the head is little: the
 * rest need not be copied.
 */
static size_t room_for(const struct clbd_session *session,
		       const struct clbd_buffer *in)
{
	size_t room = clbd_buffer_room(in);

	if (session->headed || !session->server->bulky ||
	    clbd_buffer_held(in) || room < FIRST)
		return room;
	return FIRST;
}

/* Whether more is there than what was read with the head. */
static bool is_cut_short(const struct clbd_session *session)
{
	const struct clbd_upstream *up = session->up;

	return up && session->headed && up->conn.readable && !up->conn.ending &&
	       !clbd_body_done(&session->payload);
}

bool clbd_session_read_response(struct clbd_session *session)
{
	struct clbd_upstream *up = session->up;
	struct clbd_buffer *in;
	ssize_t n;

	if (!up || up->connecting || session->waiting ||
	    clbd_session_piped(session) || !up->conn.readable ||
	    (session->headed && clbd_body_done(&session->payload)))
		return false;
	/* One response at a time: what is there must have been sent on. */
	if (session->headed && (clbd_buffer_held(session->reply) ||
				clbd_session_is_packing(session)))
		return false;
	if (session->headed && takes_pipe(session))
		return fill_pipe(session);
	if (!up->in)
		up->in = clbd_worker_large_buffer(
			clbd_session_worker(session));
	in = up->in;
	if (!in)
		return false;
	clbd_buffer_compact(in);
	n = clbd_conn_read(&up->conn, in->data + in->end, room_for(session, in));
	if (n <= 0)
		return up->conn.ended && upstream_ended(session);
	in->end += n;
	read_head(session);
	if (session->up)
		read_payload(session);
	/* A head that comes byte by byte has no more time than another. */
	if (session->headed)
		clbd_session_progress(session);
	if (is_cut_short(session) && takes_pipe(session))
		fill_pipe(session);
	return true;
}

/*
 * Whether, with @ready bytes of the body and those in the pipe, the response
 * ends, and the connection.
 */
static bool is_last(const struct clbd_session *session, uint32_t ready)
{
	return session->close && session->headed &&
	       ready == session->waiting && clbd_session_is_made(session) &&
	       (session->answering || clbd_body_done(&session->payload));
}

/* What is in the pipe, once all is sent that came before. */
static bool drain_pipe(struct clbd_session *session)
{
	struct clbd_conn *conn = &session->client->conn;

	if (!clbd_session_piped(session) || !conn->writable ||
	    clbd_pipe_drain(session->pipe, conn, is_last(session, 0)) <= 0)
		return false;
	session->begun = true;
	clbd_session_progress(session);
	return true;
}

bool clbd_session_send_response(struct clbd_session *session)
{
	struct clbd_client *client = session->client;
	struct clbd_buffer *in = session->up ? session->up->in : NULL;
	bool packed = clbd_session_pack(session) || clbd_session_tell(session);
	uint32_t none = 0, *ready = &session->waiting;
	struct iovec iov[2];
	ssize_t n;
	int count;

	if (session->gzip)
		ready = &none;
	join(session->reply, in, ready);
	count = fill_iov(iov, session->reply, in, *ready);
	if (!count)
		return drain_pipe(session) || packed;
	if (!client->conn.writable)
		return packed;
	n = clbd_conn_write(&client->conn, iov, count,
			    clbd_session_piped(session) ||
				    is_last(session, *ready));
	if (n <= 0)
		return packed;
	session->begun = session->headed;
	written(session->reply, in, ready, n);
	clbd_session_progress(session);
	drain_pipe(session);
	return true;
}
