// SPDX-License-Identifier: MIT
/*
 * Connections of clients that speak HTTP/2: bytes go to libnghttp2, which calls
 * back what they mean; its frames go to the client.
 *
 * Nothing runs within its callbacks: they note what is to be done, and
 * digest() does it afterwards.
 */
#include "clbd/h2.h"

#include <stdlib.h>
#include <string.h>

#include "clbd/h2_callbacks.h"
#include "clbd/h2_stream.h"
#include "clbd/port.h"
#include "clbd/worker.h"

/* From the first GOAWAY to the second, if the client does not answer a PING. */
#define NOTICE_MS 1000

static const char preface[] = NGHTTP2_CLIENT_MAGIC;

enum clbd_result clbd_h2_preface(const char *data, size_t size)
{
	size_t n = size < NGHTTP2_CLIENT_MAGIC_LEN ? size
						   : NGHTTP2_CLIENT_MAGIC_LEN;

	if (memcmp(data, preface, n))
		return CLBD_BAD;
	return n == NGHTTP2_CLIENT_MAGIC_LEN ? CLBD_DONE : CLBD_MORE;
}

void clbd_h2_later(struct clbd_h2 *h2)
{
	clbd_conn_later(&h2->client->conn);
}

static void write_out(struct clbd_h2 *h2)
{
	struct clbd_conn *conn = &h2->client->conn;
	ssize_t n;

	if (!h2->out.count || !conn->writable)
		return;
	n = clbd_h2_out_write(&h2->out, &clbd_h2_worker(h2)->buffers, conn);
	if (n < 0)
		h2->failed = true;
	if (n > 0)
		h2->stuck = false;
}

void clbd_h2_pump(struct clbd_h2 *h2)
{
	struct clbd_pool *pool = &clbd_h2_worker(h2)->buffers;
	const uint8_t *data;
	ssize_t n = 0;

	while (!h2->failed) {
		if (clbd_h2_out_room(&h2->out) <= 2 * CLBD_H2_FRAME) {
			write_out(h2);
			if (clbd_h2_out_room(&h2->out) < CLBD_H2_FRAME)
				return;
		}
		n = nghttp2_session_mem_send(h2->session, &data);
		if (n <= 0)
			break;
		if (clbd_h2_out_put(&h2->out, pool, data, n))
			n = -1;
	}
	if (n < 0)
		h2->failed = true;
}

/* A last GOAWAY, for the client to know why. */
static void give_up(struct clbd_h2 *h2, uint32_t code)
{
	struct clbd_stats *stats = clbd_h2_worker(h2)->stats;

	if (h2->failed)
		return;
	if (h2->flooded) {
		code = NGHTTP2_ENHANCE_YOUR_CALM;
		stats->h2_floods++;
	}
	nghttp2_session_terminate_session(h2->session, code);
	clbd_h2_pump(h2);
	write_out(h2);
	h2->failed = true;
}

/* Streams that something was told about. */
static void run_ready(struct clbd_h2 *h2)
{
	struct clbd_stream *stream;

	while ((stream = clbd_h2_list_take(&h2->ready)))
		clbd_stream_run(stream);
}

static void count_empty(struct clbd_h2 *h2, const void *data, size_t size)
{
	unsigned int empty = clbd_h2_scan(&h2->scan, data, size);

	while (empty-- && !h2->flooded) {
		if (!clbd_h2_guard_frame(&h2->guard, clbd_h2_worker(h2)->now))
			h2->flooded = true;
	}
}

/*
 * Resets that libnghttp2 made go out first: a request that is known to be broken
 * by now costs no server anything.
 */
static void digest(struct clbd_h2 *h2, const void *data, size_t size)
{
	ssize_t n;

	count_empty(h2, data, size);
	n = h2->flooded ? 0 : nghttp2_session_mem_recv(h2->session, data, size);
	/* Those below it are floods, too. */
	if (n <= NGHTTP2_ERR_FLOODED)
		h2->flooded = true;
	if (n >= 0 && !h2->flooded)
		clbd_h2_pump(h2);
	if (n < 0 || h2->flooded)
		give_up(h2, NGHTTP2_INTERNAL_ERROR);
	else
		run_ready(h2);
}

/* So many reads at once; then it is the others' turn. */
#define READS 8

/*
 * What is read brings answers, and libnghttp2 keeps any number of them: as long
 * as none has room, nothing is read. The client's reading wakes it.
 */
static bool has_room(struct clbd_h2 *h2)
{
	if (clbd_h2_out_room(&h2->out) < CLBD_H2_FRAME)
		clbd_h2_pump(h2);
	return clbd_h2_out_room(&h2->out) >= CLBD_H2_FRAME;
}

static void read_in(struct clbd_h2 *h2)
{
	struct clbd_conn *conn = &h2->client->conn;
	unsigned int reads = 0;
	char data[16384];
	ssize_t n;

	while (conn->readable && !h2->failed && has_room(h2)) {
		if (++reads > READS) {
			clbd_conn_again(conn);
			return;
		}
		n = clbd_conn_read(conn, data, sizeof(data));
		if (n <= 0)
			break;
		digest(h2, data, n);
	}
	if (conn->ended)
		h2->failed = true;
}

/* Those that waited for room, each once, as long as there is some. */
static void run_blocked(struct clbd_h2 *h2)
{
	struct clbd_stream *last = h2->blocked.last, *stream;

	while (!h2->failed &&
	       clbd_h2_out_room(&h2->out) > 2 * CLBD_H2_FRAME &&
	       (stream = clbd_h2_list_take(&h2->blocked))) {
		bool was_last = stream == last;

		stream->client.conn.writable = true;
		clbd_stream_run(stream);
		if (was_last)
			break;
	}
}

static void write_all(struct clbd_h2 *h2)
{
	clbd_h2_pump(h2);
	/* Those that were closed as frames were made. */
	run_ready(h2);
	write_out(h2);
	run_blocked(h2);
	if (h2->out.count)
		write_out(h2);
}

/* The first GOAWAY: begin no more. The client's answer brings the second. */
static void give_notice(struct clbd_h2 *h2)
{
	if (h2->notice)
		return;
	h2->notice = true;
	/* The deadline is another now: that it passes says nothing of reading. */
	h2->stuck = false;
	nghttp2_submit_shutdown_notice(h2->session);
	nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
	clbd_conn_deadline(&h2->client->conn, NOTICE_MS);
}

void clbd_h2_leave(struct clbd_h2 *h2)
{
	if (h2->leaving)
		return;
	h2->notice = h2->leaving = true;
	nghttp2_submit_goaway(
		h2->session, NGHTTP2_FLAG_NONE,
		nghttp2_session_get_last_proc_stream_id(h2->session),
		NGHTTP2_NO_ERROR, NULL, 0);
}

/* What is waited for now, where a stream does not wait itself. */
static void set_deadline(struct clbd_h2 *h2)
{
	const struct clbd_listener *listener = h2->client->port->listener;
	struct clbd_conn *conn = &h2->client->conn;
	bool stuck = h2->out.count, idle = !h2->open;

	if (h2->notice && !h2->leaving)
		return;
	if (stuck && !h2->stuck)
		clbd_conn_deadline(conn, listener->request_ms);
	else if (!stuck && idle && !h2->idle)
		clbd_conn_deadline(conn, listener->idle_ms);
	else if (!stuck && !idle)
		conn->timer.deadline = UINT64_MAX;
	h2->stuck = stuck;
	h2->idle = !stuck && idle;
}

/* All streams end with the connection. */
static void break_streams(struct clbd_h2 *h2)
{
	struct clbd_stream *stream, *next;

	for (stream = h2->streams; stream; stream = next) {
		next = stream->next;
		clbd_stream_break(stream);
	}
}

static void conclude(struct clbd_h2 *h2)
{
	struct clbd_client *client = h2->client;
	const struct clbd_worker *worker = client->conn.worker;

	if (h2->flooded)
		give_up(h2, NGHTTP2_ENHANCE_YOUR_CALM);
	if (!h2->failed && (worker->stopping || client->port->closed)) {
		give_notice(h2);
		clbd_h2_pump(h2);
		write_out(h2);
	}
	if (!h2->failed && (nghttp2_session_want_read(h2->session) ||
			    nghttp2_session_want_write(h2->session) ||
			    h2->out.count)) {
		set_deadline(h2);
		return;
	}
	h2->failed = true;
	break_streams(h2);
	if (client->conn.ended || client->conn.broken) {
		clbd_client_close(client);
		return;
	}
	clbd_client_linger(client);
	/* What was not read of it brings no event. */
	if (client->conn.readable)
		clbd_conn_again(&client->conn);
}

static void wake(struct clbd_conn *conn)
{
	struct clbd_h2 *h2 = ((struct clbd_client *)conn)->h2;

	read_in(h2);
	write_all(h2);
	conclude(h2);
}

/* The client began no stream, did not read, or did not answer the PING. */
static void expire(struct clbd_conn *conn)
{
	struct clbd_h2 *h2 = ((struct clbd_client *)conn)->h2;

	if (h2->stuck) {
		conn->worker->stats->timeouts++;
		conn->broken = h2->failed = true;
	} else if (h2->leaving) {
		h2->failed = true;
	} else {
		clbd_h2_leave(h2);
	}
	write_all(h2);
	conclude(h2);
}

static const struct clbd_conn_ops ops = { .wake = wake, .expire = expire };

static int greet(struct clbd_h2 *h2)
{
	const struct clbd_listener *listener = h2->client->port->listener;
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, listener->streams },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
		  listener->setup->head_max },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
	};

	if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(settings[0])))
		return -1;
	return nghttp2_session_set_local_window_size(
		h2->session, NGHTTP2_FLAG_NONE, 0, CLBD_H2_WINDOW);
}

static struct clbd_h2 *new_h2(struct clbd_client *client)
{
	struct clbd_worker *worker = client->conn.worker;
	struct clbd_h2 *h2 = calloc(1, sizeof(*h2));

	if (!h2)
		return NULL;
	h2->client = client;
	clbd_h2_guard_init(&h2->guard, worker->now);
	clbd_h2_scan_init(&h2->scan);
	h2->session = clbd_h2_session(h2);
	if (h2->session && !greet(h2))
		return h2;
	nghttp2_session_del(h2->session);
	free(h2);
	return NULL;
}

void clbd_h2_begin(struct clbd_client *client)
{
	struct clbd_worker *worker = client->conn.worker;
	struct clbd_buffer *in = client->in;

	client->h2 = new_h2(client);
	if (!client->h2) {
		clbd_client_close(client);
		return;
	}
	worker->stats->h2_connections++;
	client->conn.ops = &ops;
	client->in = NULL;
	digest(client->h2, in->data + in->start, clbd_buffer_held(in));
	clbd_pool_put(&worker->buffers, in);
	wake(&client->conn);
}

void clbd_h2_stop(struct clbd_h2 *h2)
{
	wake(&h2->client->conn);
}

void clbd_h2_free(struct clbd_h2 *h2)
{
	struct clbd_pool *pool = &clbd_h2_worker(h2)->buffers;

	while (h2->streams)
		clbd_stream_free(h2->streams);
	nghttp2_session_del(h2->session);
	clbd_h2_out_clear(&h2->out, pool);
	clbd_pool_put(pool, h2->cookies);
	free(h2);
}
