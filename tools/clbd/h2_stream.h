/* SPDX-License-Identifier: MIT */
/* Connections of HTTP/2 and their streams, for each other: h2*.c. */
#ifndef CLBD_H2_STREAM_H
#define CLBD_H2_STREAM_H

#include <nghttp2/nghttp2.h>

#include "clbd/client.h"
#include "clbd/h2_guard.h"
#include "clbd/h2_head.h"
#include "clbd/h2_out.h"

#define CLBD_H2_STREAM_WINDOW 65535
#define CLBD_H2_WINDOW (256 * 1024)

/* The window's bytes, in buffers of which the first may be half read. */
#define CLBD_H2_QUEUE (CLBD_H2_STREAM_WINDOW / CLBD_BUFFER_SIZE + 2)

struct clbd_stream;

/* Streams in the order in which they came. */
struct clbd_h2_list {
	struct clbd_stream *first;
	struct clbd_stream *last;
};

/**
 * struct clbd_h2 - a connection of HTTP/2
 * @client: the connection
 * @session: libnghttp2's part of it
 * @out: frames to be written
 * @guard: against floods
 * @scan: for those that libnghttp2 does not tell of
 * @streams: all of them
 * @open: how many there are
 * @ready: those with something to do once a read was digested
 * @blocked: those that wait for room in @out
 * @head: the head that is being read, of @reading; there is one at a time
 * @cookies: memory for that
 * @continuations: frames of it
 * @notice: GOAWAY was sent as a notice
 * @leaving: GOAWAY was sent
 * @failed: the connection is not to be used any more
 * @flooded: the client has done too much of what @guard is for
 * @stuck: the deadline is for the client to read
 * @idle: the deadline is for the client to begin a stream
 */
struct clbd_h2 {
	struct clbd_client *client;
	nghttp2_session *session;
	struct clbd_h2_out out;
	struct clbd_h2_guard guard;
	struct clbd_h2_scan scan;
	struct clbd_stream *streams;
	uint32_t open;
	struct clbd_h2_list ready;
	struct clbd_h2_list blocked;
	struct clbd_h2_head head;
	struct clbd_stream *reading;
	struct clbd_buffer *cookies;
	unsigned int continuations;
	bool notice;
	bool leaving;
	bool failed;
	bool flooded;
	bool stuck;
	bool idle;
};

/**
 * struct clbd_stream - a stream: a client with one request
 * @client: first: what its session knows
 * @h2: the connection
 * @next: in the connection's list
 * @link: what points here
 * @queued: in one of the connection's other lists
 * @behind: the next in that
 * @id: of the stream
 * @queue: what came of the body and was not taken yet, in order
 * @queue_count: of these
 * @trailers: lines of them; NULL: none
 * @iov: of the response, what is to be sent now
 * @iov_count: of these
 * @offered: bytes of them
 * @headed: the head was read
 * @result: what it is
 * @named: it has a method
 * @started: the session has begun with it
 * @last: nothing follows what is offered
 * @received: the client has sent all
 * @told: the server was told so, where the body goes in chunks
 * @replied: the response's head was given to libnghttp2
 * @finished: the response has ended, but END_STREAM was not sent
 * @sent: END_STREAM was given to libnghttp2
 * @stalled: it waits for room in a window
 * @closed: libnghttp2 knows it no more
 */
struct clbd_stream {
	struct clbd_client client;
	struct clbd_h2 *h2;
	struct clbd_stream *next;
	struct clbd_stream **link;
	struct clbd_h2_list *queued;
	struct clbd_stream *behind;
	int32_t id;
	struct clbd_buffer *queue[CLBD_H2_QUEUE];
	unsigned int queue_count;
	struct clbd_buffer *trailers;
	struct iovec iov[2];
	unsigned int iov_count;
	size_t offered;
	enum clbd_result result;
	bool headed;
	bool named;
	bool started;
	bool last;
	bool received;
	bool told;
	bool replied;
	bool finished;
	bool sent;
	bool stalled;
	bool closed;
};

static inline struct clbd_worker *clbd_h2_worker(const struct clbd_h2 *h2)
{
	return h2->client->conn.worker;
}

/* Moves @stream to the end of a list; it is in one at a time. */
void clbd_h2_list_add(struct clbd_h2_list *list, struct clbd_stream *stream);
struct clbd_stream *clbd_h2_list_take(struct clbd_h2_list *list);

/* A stream whose head begins. NULL: no memory */
struct clbd_stream *clbd_stream_new(struct clbd_h2 *h2, int32_t id);

/* Goes on with whatever can go on; the stream may be gone afterwards. */
void clbd_stream_run(struct clbd_stream *stream);

/* Bytes of the body. Return: 0, -ENOMEM, or -EOVERFLOW: more than the window */
int clbd_stream_queue(struct clbd_stream *stream, const uint8_t *data,
		      size_t size);

/* libnghttp2 has forgotten the stream, which may be gone afterwards. */
void clbd_stream_closed(struct clbd_stream *stream);

/* The connection has ended: so does the request. */
void clbd_stream_break(struct clbd_stream *stream);

void clbd_stream_free(struct clbd_stream *stream);

/* What its session reads and writes: as of a socket. */
ssize_t clbd_stream_read(struct clbd_conn *conn, void *data, size_t size);
ssize_t clbd_stream_write(struct clbd_conn *conn, struct iovec *iov, int count);

/* libnghttp2 asks for DATA: @source is the stream. */
ssize_t clbd_stream_data(nghttp2_session *session, int32_t id, uint8_t *data,
			 size_t size, uint32_t *flags,
			 nghttp2_data_source *source, void *context);
int clbd_stream_send(nghttp2_session *session, nghttp2_frame *frame,
		     const uint8_t *head, size_t size,
		     nghttp2_data_source *source, void *context);

/* Makes frames of all there is, as long as there is room for them. */
void clbd_h2_pump(struct clbd_h2 *h2);

/* Writes at the end of the round. */
void clbd_h2_later(struct clbd_h2 *h2);

#endif /* CLBD_H2_STREAM_H */
