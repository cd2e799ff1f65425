// SPDX-License-Identifier: MIT
/* A stream of HTTP/2, to its session: a client with one request. */
#include "clbd/h2_stream.h"

#include <string.h>

#include "clbd/port.h"
#include "clbd/stage.h"
#include "clbd/worker.h"

static void list_remove(struct clbd_stream *stream)
{
	struct clbd_h2_list *list = stream->queued;
	struct clbd_stream *at, *before = NULL;

	if (!list)
		return;
	for (at = list->first; at != stream; at = at->behind)
		before = at;
	if (before)
		before->behind = stream->behind;
	else
		list->first = stream->behind;
	if (list->last == stream)
		list->last = before;
	stream->queued = NULL;
}

void clbd_h2_list_add(struct clbd_h2_list *list, struct clbd_stream *stream)
{
	if (stream->queued == list)
		return;
	/* It may have waited for room: it has to ask for that again. */
	if (stream->queued)
		stream->client.conn.writable = true;
	list_remove(stream);
	stream->queued = list;
	stream->behind = NULL;
	if (list->first)
		list->last->behind = stream;
	else
		list->first = stream;
	list->last = stream;
}

struct clbd_stream *clbd_h2_list_take(struct clbd_h2_list *list)
{
	struct clbd_stream *stream = list->first;

	if (!stream)
		return NULL;
	list->first = stream->behind;
	stream->queued = NULL;
	return stream;
}

/* What came of the body and nobody wants: the connection's window has it. */
static void drop_queue(struct clbd_stream *stream)
{
	struct clbd_pool *pool = &clbd_h2_worker(stream->h2)->buffers;
	size_t held = 0;
	unsigned int i;

	for (i = 0; i < stream->queue_count; i++) {
		held += clbd_buffer_held(stream->queue[i]);
		clbd_pool_put(pool, stream->queue[i]);
	}
	stream->queue_count = 0;
	if (held)
		nghttp2_session_consume_connection(stream->h2->session, held);
}

/* What the session had is given back; libnghttp2 may know the stream still. */
static void release(struct clbd_stream *stream)
{
	struct clbd_pool *pool = &clbd_h2_worker(stream->h2)->buffers;

	list_remove(stream);
	drop_queue(stream);
	if (stream->client.session)
		clbd_session_free(stream->client.session);
	stream->client.session = NULL;
	clbd_pool_put(pool, stream->client.in);
	clbd_pool_put(pool, stream->trailers);
	stream->client.in = NULL;
	stream->trailers = NULL;
	stream->client.conn.timer.deadline = UINT64_MAX;
}

void clbd_stream_free(struct clbd_stream *stream)
{
	struct clbd_h2 *h2 = stream->h2;
	struct clbd_worker *worker = clbd_h2_worker(h2);

	release(stream);
	if (h2->reading == stream)
		h2->reading = NULL;
	*stream->link = stream->next;
	if (stream->next)
		stream->next->link = stream->link;
	h2->open--;
	clbd_conn_free(&stream->client.conn, &worker->stream_pool);
	clbd_client_uncount(worker);
}

/* Nothing more is to be sent: the client may have more to say. */
static void leave(struct clbd_stream *stream, uint32_t code)
{
	clbd_h2_later(stream->h2);
	release(stream);
	if (stream->closed) {
		clbd_stream_free(stream);
		return;
	}
	if (code != NGHTTP2_NO_ERROR || !stream->received)
		nghttp2_submit_rst_stream(stream->h2->session,
					  NGHTTP2_FLAG_NONE, stream->id, code);
}

/* The response is complete; END_STREAM may still be to come. */
static void finish(struct clbd_stream *stream)
{
	if (!stream->sent && !stream->closed) {
		stream->finished = true;
		nghttp2_session_resume_data(stream->h2->session, stream->id);
		clbd_h2_pump(stream->h2);
	}
	if (stream->sent || stream->closed)
		leave(stream, NGHTTP2_NO_ERROR);
}

static uint32_t code_of(const struct clbd_session *session)
{
	switch (session->ending) {
	case CLBD_ENDING_REFUSED:
		return NGHTTP2_PROTOCOL_ERROR;
	case CLBD_ENDING_TIMEOUT:
		return NGHTTP2_CANCEL;
	default:
		return NGHTTP2_INTERNAL_ERROR;
	}
}

/* The head is complete: the session goes on with it, or answers. */
static void start(struct clbd_stream *stream)
{
	struct clbd_session *session = stream->client.session;

	stream->started = true;
	/* Of one that is refused the log has what there is. */
	if (stream->named)
		session->text = session->raw->data;
	if (stream->result == CLBD_DONE)
		clbd_session_start(session);
	else
		clbd_session_refuse(session);
}

void clbd_stream_run(struct clbd_stream *stream)
{
	if (!stream->client.session || !stream->headed)
		return;
	clbd_h2_later(stream->h2);
	if (!stream->started)
		start(stream);
	switch (clbd_session_run(stream->client.session)) {
	case CLBD_WAIT:
		break;
	case CLBD_ABORT:
		leave(stream, code_of(stream->client.session));
		break;
	default:
		finish(stream);
		break;
	}
}

static void wake(struct clbd_conn *conn)
{
	clbd_stream_run((struct clbd_stream *)conn);
}

static void expire(struct clbd_conn *conn)
{
	struct clbd_stream *stream = (struct clbd_stream *)conn;
	struct clbd_session *session = stream->client.session;

	if (!session)
		return;
	if (!stream->headed) {
		/* In the midst of a head there is no way on. */
		conn->worker->stats->timeouts++;
		stream->h2->failed = true;
		clbd_h2_later(stream->h2);
	} else if (session->answering ||
		   clbd_session_expire(session) == CLBD_ABORT) {
		leave(stream, NGHTTP2_CANCEL);
	} else {
		clbd_stream_run(stream);
	}
}

static const struct clbd_conn_ops ops = {
	.wake = wake,
	.expire = expire,
	.read = clbd_stream_read,
	.write = clbd_stream_write,
};

static void fill_client(struct clbd_stream *stream, struct clbd_client *from)
{
	struct clbd_client *client = &stream->client;

	client->conn.ops = &ops;
	client->conn.worker = from->conn.worker;
	client->conn.fd = -1;
	client->conn.writable = true;
	client->port = from->port;
	client->peer_port = from->peer_port;
	client->peer_size = from->peer_size;
	memcpy(client->peer, from->peer, sizeof(client->peer));
}

struct clbd_stream *clbd_stream_new(struct clbd_h2 *h2, int32_t id)
{
	struct clbd_worker *worker = clbd_h2_worker(h2);
	struct clbd_stream *stream = clbd_pool_get(&worker->stream_pool);
	struct clbd_session *session;

	if (!stream)
		return NULL;
	memset(stream, 0, sizeof(*stream));
	stream->h2 = h2;
	stream->id = id;
	fill_client(stream, h2->client);
	worker->client_count++;
	h2->open++;
	stream->next = h2->streams;
	stream->link = &h2->streams;
	if (stream->next)
		stream->next->link = &stream->next;
	h2->streams = stream;
	session = stream->client.session = clbd_session_new(&stream->client);
	if (session)
		session->raw = clbd_worker_buffer(worker);
	if (!session || !session->raw) {
		clbd_stream_free(stream);
		return NULL;
	}
	clbd_conn_deadline(&stream->client.conn, session->listener->idle_ms);
	return stream;
}

void clbd_stream_closed(struct clbd_stream *stream)
{
	stream->closed = true;
	if (!stream->client.session || !stream->started) {
		if (stream->headed && !stream->started)
			clbd_h2_worker(stream->h2)->stats->client_aborts++;
		clbd_stream_free(stream);
		return;
	}
	if (stream->sent)
		return;
	stream->client.conn.broken = stream->client.conn.ended = true;
	clbd_h2_list_add(&stream->h2->ready, stream);
	/* Frames are made at other times than a read's, too. */
	clbd_h2_later(stream->h2);
}

void clbd_stream_break(struct clbd_stream *stream)
{
	stream->closed = true;
	stream->client.conn.broken = stream->client.conn.ended = true;
	if (stream->client.session && stream->started)
		clbd_stream_run(stream);
	else
		clbd_stream_free(stream);
}
