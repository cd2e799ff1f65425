// SPDX-License-Identifier: MIT
/*
 * What a session reads from a stream is the body of a request as HTTP/1.1 has
 * it; what it writes is a response as of HTTP/1.1, but for chunks.
 */
#include "clbd/h2_stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clbd/h2_reply.h"
#include "clbd/stage.h"
#include "clbd/worker.h"

/* No frame is cut shorter for want of room; one by a window is counted. */
#define SHORT 256

static struct clbd_stream *stream_of(struct clbd_conn *conn)
{
	return (struct clbd_stream *)conn;
}

/* The body goes to the server in chunks: of what waits, one is made. */
static size_t read_chunk(char *data, size_t size, struct clbd_buffer *from)
{
	size_t n = clbd_buffer_held(from), room = size - 24;
	int head;

	if (n > room)
		n = room;
	head = snprintf(data, size, "%zx\r\n", n);
	memcpy(data + head, from->data + from->start, n);
	memcpy(data + head + n, "\r\n", 2);
	from->start += n;
	return head + n + 2;
}

static size_t read_raw(char *data, size_t size, struct clbd_buffer *from)
{
	size_t n = clbd_buffer_held(from);

	if (n > size)
		n = size;
	memcpy(data, from->data + from->start, n);
	from->start += n;
	return n;
}

/* The last chunk and what follows it; once. */
static size_t read_end(struct clbd_stream *stream, char *data, size_t size)
{
	size_t trailers = clbd_buffer_held(stream->trailers);

	if (stream->told || size < trailers + 5)
		return 0;
	stream->told = true;
	memcpy(data, "0\r\n", 3);
	if (trailers)
		memcpy(data + 3, stream->trailers->data, trailers);
	memcpy(data + 3 + trailers, "\r\n", 2);
	return trailers + 5;
}

static void drop_first(struct clbd_stream *stream)
{
	clbd_pool_put(&clbd_h2_worker(stream->h2)->buffers, stream->queue[0]);
	stream->queue_count--;
	memmove(stream->queue, stream->queue + 1,
		stream->queue_count * sizeof(stream->queue[0]));
}

/* The client may send as much again. */
static void grow_window(struct clbd_stream *stream, size_t size)
{
	nghttp2_session_consume(stream->h2->session, stream->id, size);
	clbd_h2_later(stream->h2);
}

ssize_t clbd_stream_read(struct clbd_conn *conn, void *data, size_t size)
{
	struct clbd_stream *stream = stream_of(conn);
	bool chunked = stream->client.session->request.framing ==
		       CLBD_FRAMING_CHUNKED;
	struct clbd_buffer *from;
	size_t before, n = 0;

	if (stream->queue_count) {
		from = stream->queue[0];
		before = from->start;
		n = chunked ? read_chunk(data, size, from)
			    : read_raw(data, size, from);
		grow_window(stream, from->start - before);
		if (!clbd_buffer_held(from))
			drop_first(stream);
	} else if (stream->received && chunked) {
		n = read_end(stream, data, size);
	}
	if (!n)
		conn->readable = false;
	return n;
}

int clbd_stream_queue(struct clbd_stream *stream, const uint8_t *data,
		      size_t size)
{
	struct clbd_buffer *last = NULL;

	if (stream->queue_count)
		last = stream->queue[stream->queue_count - 1];
	while (size) {
		size_t n = size;

		if (!last || !clbd_buffer_room(last)) {
			if (stream->queue_count == CLBD_H2_QUEUE)
				return -EOVERFLOW;
			last = clbd_worker_buffer(clbd_h2_worker(stream->h2));
			if (!last)
				return -ENOMEM;
			stream->queue[stream->queue_count++] = last;
		}
		if (n > clbd_buffer_room(last))
			n = clbd_buffer_room(last);
		memcpy(last->data + last->end, data, n);
		last->end += n;
		data += n;
		size -= n;
	}
	return 0;
}

/*
 * What of @iov is behind @skip bytes may be made DATA of. The offer ends with
 * the call that made it: memory is not ours any longer.
 */
static void offer(struct clbd_stream *stream, const struct iovec *iov,
		  int count, size_t skip)
{
	int i;

	stream->iov_count = 0;
	stream->offered = 0;
	for (i = 0; i < count; i++) {
		struct iovec *to = &stream->iov[stream->iov_count];

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		to->iov_base = (char *)iov[i].iov_base + skip;
		to->iov_len = iov[i].iov_len - skip;
		stream->offered += to->iov_len;
		stream->iov_count++;
		skip = 0;
	}
}

/* Behind a body that is compressed there are none, as in HTTP/1. */
static bool has_trailers(const struct clbd_session *session)
{
	return session && !session->gzip && session->trailers &&
	       session->payload.trailer > 2;
}

/* A response to be followed by DATA, or by nothing. Return: 0 or an error */
static int submit(struct clbd_stream *stream, struct clbd_h2_reply *reply)
{
	nghttp2_data_provider provider = {
		.source.ptr = stream,
		.read_callback = clbd_stream_data,
	};
	nghttp2_session *session = stream->h2->session;
	bool bare = stream->last && !stream->offered &&
		    !has_trailers(stream->client.session);

	if (reply->status < 200)
		return nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE,
					      stream->id, NULL, reply->fields,
					      reply->count, NULL);
	stream->replied = true;
	stream->sent = bare;
	return nghttp2_submit_response(session, stream->id, reply->fields,
				       reply->count, bare ? NULL : &provider);
}

/*
 * Heads are written whole, or not at all. Return: bytes of them, or -EPROTO:
 * what cannot be sent
 */
static ssize_t write_heads(struct clbd_stream *stream, const struct iovec *iov,
			   int count)
{
	struct clbd_h2_reply reply;
	size_t size, done = 0;

	while (!stream->replied && done < iov->iov_len) {
		size = clbd_h2_reply_read(&reply, (char *)iov->iov_base + done,
					  iov->iov_len - done);
		if (!size)
			return -EPROTO;
		done += size;
		offer(stream, iov, count, done);
		if (submit(stream, &reply))
			return -EPROTO;
	}
	return done;
}

/* The response, all that is there of it, is complete. */
static bool is_last(const struct clbd_session *session)
{
	return session->headed && clbd_session_is_made(session) &&
	       (session->answering || clbd_body_done(&session->payload));
}

ssize_t clbd_stream_write(struct clbd_conn *conn, struct iovec *iov, int count)
{
	struct clbd_stream *stream = stream_of(conn);
	size_t before;
	ssize_t heads = 0;

	conn->writable = false;
	if (stream->closed || stream->h2->failed)
		goto broken;
	stream->last = is_last(stream->client.session);
	if (!stream->replied)
		heads = write_heads(stream, iov, count);
	if (heads < 0)
		goto broken;
	offer(stream, iov, count, heads);
	before = stream->offered;
	if (before)
		nghttp2_session_resume_data(stream->h2->session, stream->id);
	clbd_h2_pump(stream->h2);
	before -= stream->offered;
	stream->stalled = stream->offered && !stream->queued;
	conn->writable = !stream->offered;
	stream->offered = 0;
	return heads + before;
broken:
	conn->broken = true;
	return -EPIPE;
}

/* Fields behind the body, where the server sent some. */
static void submit_trailers(struct clbd_stream *stream, uint32_t *flags)
{
	const struct clbd_session *session = stream->client.session;
	struct clbd_h2_reply reply;

	if (!has_trailers(session) ||
	    !clbd_h2_reply_trailers(&reply, session->trailers->data,
				    session->payload.trailer) ||
	    !reply.count)
		return;
	if (!nghttp2_submit_trailer(stream->h2->session, stream->id,
				    reply.fields, reply.count))
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
}

static void end_data(struct clbd_stream *stream, uint32_t *flags)
{
	/* Its session waits for just this. */
	if (stream->finished)
		clbd_conn_again(&stream->client.conn);
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	stream->sent = true;
	submit_trailers(stream, flags);
}

/* Nothing is offered: it goes on when the session offers again. */
static ssize_t defer(struct clbd_stream *stream)
{
	if (stream->stalled) {
		stream->stalled = false;
		stream->client.conn.writable = true;
		clbd_conn_again(&stream->client.conn);
	}
	return NGHTTP2_ERR_DEFERRED;
}

ssize_t clbd_stream_data(nghttp2_session *session, int32_t id, uint8_t *data,
			 size_t size, uint32_t *flags,
			 nghttp2_data_source *source, void *context)
{
	struct clbd_stream *stream = source->ptr;
	struct clbd_h2 *h2 = context;
	size_t room = clbd_h2_out_room(&h2->out), n = stream->offered;

	(void)session;
	(void)id;
	(void)data;
	if (!n && stream->finished) {
		end_data(stream, flags);
		return 0;
	}
	if (!n)
		return defer(stream);
	/* Behind it there must be room for another frame. */
	room = room > 2 * CLBD_H2_FRAME ? room - CLBD_H2_FRAME : 0;
	if (!room) {
		if (!stream->queued)
			clbd_h2_list_add(&h2->blocked, stream);
		return NGHTTP2_ERR_DEFERRED;
	}
	if (n > size)
		n = size;
	if (n < stream->offered && n < SHORT) {
		if (!clbd_h2_guard_frame(&h2->guard, clbd_h2_worker(h2)->now))
			h2->flooded = true;
	} else {
		clbd_h2_guard_allow(&h2->guard);
	}
	if (n == stream->offered && stream->last)
		end_data(stream, flags);
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	return n;
}

int clbd_stream_send(nghttp2_session *session, nghttp2_frame *frame,
		     const uint8_t *head, size_t size,
		     nghttp2_data_source *source, void *context)
{
	struct clbd_stream *stream = source->ptr;
	struct clbd_h2 *h2 = context;
	struct clbd_pool *pool = &clbd_h2_worker(h2)->buffers;
	struct iovec *iov = stream->iov;

	(void)session;
	(void)frame;
	if (clbd_h2_out_put(&h2->out, pool, head, CLBD_H2_FRAME_HEAD))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	stream->offered -= size;
	while (size) {
		size_t n = size < iov->iov_len ? size : iov->iov_len;

		if (clbd_h2_out_put(&h2->out, pool, iov->iov_base, n))
			return NGHTTP2_ERR_CALLBACK_FAILURE;
		iov->iov_base = (char *)iov->iov_base + n;
		iov->iov_len -= n;
		size -= n;
		if (!iov->iov_len)
			iov++;
	}
	return 0;
}
