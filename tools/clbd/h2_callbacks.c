// SPDX-License-Identifier: MIT
/* What frames of a client mean: noted in streams, for digest() to go on. */
#include "clbd/h2_callbacks.h"

#include <string.h>

#include "clbd/h2_stream.h"
#include "clbd/worker.h"

/* In a head, behind the frame that it begins with. */
#define CONTINUATIONS 8

static struct clbd_stream *find(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

/* Ends the connection: nothing more of it is read. */
static int flooded(struct clbd_h2 *h2)
{
	h2->flooded = true;
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int count_frame(struct clbd_h2 *h2)
{
	if (clbd_h2_guard_frame(&h2->guard, clbd_h2_worker(h2)->now))
		return 0;
	return flooded(h2);
}

static int count_reset(struct clbd_h2 *h2)
{
	if (clbd_h2_guard_reset(&h2->guard, clbd_h2_worker(h2)->now))
		return 0;
	return flooded(h2);
}

static bool is_served(nghttp2_session *session, int32_t id)
{
	const struct clbd_stream *stream = find(session, id);

	return stream && stream->client.session;
}

static int on_begin_frame(nghttp2_session *session,
			  const nghttp2_frame_hd *frame, void *context)
{
	struct clbd_h2 *h2 = context;

	switch (frame->type) {
	case NGHTTP2_HEADERS:
		h2->continuations = 0;
		return 0;
	case NGHTTP2_CONTINUATION:
		return ++h2->continuations > CONTINUATIONS ? flooded(h2) : 0;
	case NGHTTP2_DATA:
		return 0;
	case NGHTTP2_RST_STREAM:
		if (is_served(session, frame->stream_id))
			return count_reset(h2);
		return count_frame(h2);
	default:
		return count_frame(h2);
	}
}

/* A request that is not taken, and may be sent again. */
static int refuse(nghttp2_session *session, struct clbd_h2 *h2, int32_t id)
{
	clbd_h2_worker(h2)->stats->h2_refused++;
	return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id,
					 NGHTTP2_REFUSED_STREAM);
}

static int begin_request(nghttp2_session *session, struct clbd_h2 *h2,
			 int32_t id)
{
	struct clbd_worker *worker = clbd_h2_worker(h2);
	struct clbd_stream *stream = NULL;
	struct clbd_session *started;

	if (!h2->cookies)
		h2->cookies = clbd_worker_buffer(worker);
	if (h2->cookies && worker->client_count < worker->client_max)
		stream = clbd_stream_new(h2, id);
	if (!stream)
		return refuse(session, h2, id);
	h2->reading = stream;
	h2->idle = false;
	started = stream->client.session;
	clbd_h2_head_begin(&h2->head, &started->request, started->raw->data,
			   h2->cookies->data, started->setup->head_max);
	return nghttp2_session_set_stream_user_data(session, id, stream);
}

static int on_begin_headers(nghttp2_session *session,
			    const nghttp2_frame *frame, void *context)
{
	struct clbd_h2 *h2 = context;

	h2->reading = NULL;
	h2->head.decoded = h2->head.fields = 0;
	if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		return begin_request(session, h2, frame->hd.stream_id);
	return 0;
}

/* A line behind the body; refused where it is none. */
static int read_trailer(struct clbd_h2 *h2, struct clbd_stream *stream,
			const uint8_t *name, size_t name_size,
			const uint8_t *value, size_t size)
{
	struct clbd_buffer *to = stream->trailers;
	size_t used;

	if (!to)
		to = stream->trailers = clbd_worker_buffer(clbd_h2_worker(h2));
	if (!to)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	used = to->end < CLBD_TRAILER_MAX
		       ? clbd_h2_trailer(to->data + to->end,
					 CLBD_TRAILER_MAX - to->end,
					 (const char *)name, name_size,
					 (const char *)value, size)
		       : 0;
	if (!used)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	to->end += used;
	return 0;
}

/* Fields that nobody reads cost as much. */
static bool is_bomb(struct clbd_h2 *h2, size_t size)
{
	h2->head.decoded += size;
	return ++h2->head.fields > CLBD_H2_HEAD_FIELDS ||
	       h2->head.decoded > CLBD_H2_HEAD_TIMES * CLBD_BUFFER_SIZE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_size,
		     const uint8_t *value, size_t size, uint8_t flags,
		     void *context)
{
	struct clbd_h2 *h2 = context;
	struct clbd_stream *stream;

	(void)flags;
	if (h2->reading) {
		if (clbd_h2_head_field(&h2->head, (const char *)name, name_size,
				       (const char *)value, size) == CLBD_BAD)
			return flooded(h2);
		return 0;
	}
	if (is_bomb(h2, name_size + size))
		return flooded(h2);
	stream = find(session, frame->hd.stream_id);
	if (!stream || !stream->client.session)
		return 0;
	return read_trailer(h2, stream, name, name_size, value, size);
}

/* The client has sent all of a request. */
static void received(struct clbd_h2 *h2, struct clbd_stream *stream)
{
	stream->received = true;
	stream->client.conn.readable = true;
	if (stream->client.session)
		clbd_h2_list_add(&h2->ready, stream);
}

static void end_head(struct clbd_h2 *h2, const nghttp2_frame *frame)
{
	struct clbd_stream *stream = h2->reading;
	bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	h2->reading = NULL;
	stream->result = clbd_h2_head_end(&h2->head, ended);
	stream->named = h2->head.method;
	stream->headed = true;
	stream->received = ended;
	clbd_pool_put(&clbd_h2_worker(h2)->buffers, h2->cookies);
	h2->cookies = NULL;
	clbd_h2_list_add(&h2->ready, stream);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame,
		    void *context)
{
	bool ends = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
	struct clbd_h2 *h2 = context;
	struct clbd_stream *stream;

	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		if (h2->reading) {
			end_head(h2, frame);
			return 0;
		}
		break;
	case NGHTTP2_DATA:
		/* An end is not to no purpose, though it was counted. */
		if (ends && !frame->hd.length)
			clbd_h2_guard_allow(&h2->guard);
		break;
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK && h2->notice)
			clbd_h2_leave(h2);
		return 0;
	default:
		return 0;
	}
	stream = find(session, frame->hd.stream_id);
	if (stream && ends)
		received(h2, stream);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
		   const uint8_t *data, size_t size, void *context)
{
	struct clbd_stream *stream = find(session, id);
	struct clbd_h2 *h2 = context;

	(void)flags;
	if (!stream || !stream->client.session)
		return nghttp2_session_consume(session, id, size);
	if (clbd_stream_queue(stream, data, size))
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	stream->client.conn.readable = true;
	clbd_h2_list_add(&h2->ready, stream);
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code,
		    void *context)
{
	struct clbd_stream *stream = find(session, id);

	(void)code;
	(void)context;
	if (stream)
		clbd_stream_closed(stream);
	return 0;
}

/*
 * A reset that libnghttp2 made of what followed a head: the client's doing.
 * Ours come when the session is gone.
 */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame,
		   void *context)
{
	struct clbd_h2 *h2 = context;
	const struct clbd_stream *stream;

	if (frame->hd.type != NGHTTP2_RST_STREAM)
		return 0;
	stream = find(session, frame->hd.stream_id);
	if (stream && stream->headed && stream->client.session &&
	    !clbd_h2_guard_reset(&h2->guard, clbd_h2_worker(h2)->now))
		h2->flooded = true;
	return 0;
}

/* A request that breaks the rules: libnghttp2 resets the stream. */
static int on_invalid_frame(nghttp2_session *session,
			    const nghttp2_frame *frame, int error,
			    void *context)
{
	struct clbd_h2 *h2 = context;

	(void)session;
	(void)error;
	if (frame->hd.type == NGHTTP2_HEADERS)
		clbd_h2_worker(h2)->stats->refused++;
	return count_reset(h2);
}

/* One field makes the whole request malformed. */
static int on_invalid_field(nghttp2_session *session,
			    const nghttp2_frame *frame, const uint8_t *name,
			    size_t name_size, const uint8_t *value,
			    size_t value_size, uint8_t flags, void *context)
{
	(void)session;
	(void)frame;
	(void)name;
	(void)name_size;
	(void)value;
	(void)value_size;
	(void)flags;
	(void)context;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void set_callbacks(nghttp2_session_callbacks *to)
{
	nghttp2_session_callbacks_set_on_begin_frame_callback(to,
							      on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(
		to, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(to, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(to, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(to, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(to, on_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(to, on_sent);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
		to, on_invalid_frame);
	nghttp2_session_callbacks_set_on_invalid_header_callback(
		to, on_invalid_field);
	nghttp2_session_callbacks_set_send_data_callback(to, clbd_stream_send);
}

static void set_options(nghttp2_option *option)
{
	/* The window grows when bytes were passed on. */
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, 1);
}

nghttp2_session *clbd_h2_session(struct clbd_h2 *h2)
{
	nghttp2_session_callbacks *callbacks = NULL;
	nghttp2_session *session = NULL;
	nghttp2_option *option = NULL;

	if (nghttp2_session_callbacks_new(&callbacks) ||
	    nghttp2_option_new(&option))
		goto out;
	set_callbacks(callbacks);
	set_options(option);
	if (nghttp2_session_server_new2(&session, callbacks, h2, option))
		session = NULL;
out:
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(callbacks);
	return session;
}
