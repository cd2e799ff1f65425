/* SPDX-License-Identifier: MIT */
/* A session: one request and the response to it. */
#ifndef CLBD_SESSION_H
#define CLBD_SESSION_H

#include "clbd/body.h"
#include "clbd/head.h"
#include "clbd/metrics.h"
#include "clbd/pool.h"
#include "clbd/setup.h"

struct clbd_client;
struct clbd_gzip;
struct clbd_pipe;
struct clbd_upstream;

#define CLBD_SESSION_TRIES 3
#define CLBD_SESSION_INTERIM 16

/* Why a session ended, for the log. */
enum clbd_ending {
	CLBD_ENDING_NORMAL,
	CLBD_ENDING_REFUSED, /* by clbd: the request */
	CLBD_ENDING_CLIENT, /* the client went */
	CLBD_ENDING_SERVER, /* the server went, or broke the rules */
	CLBD_ENDING_CONNECT, /* no server took a connection */
	CLBD_ENDING_TIMEOUT,
	CLBD_ENDING_LIMIT, /* too many requests */
};

/**
 * struct clbd_session - one request and the response to it
 * @client: whose it is
 * @listener: where it came in; @setup holds it
 * @setup: the configuration it began with
 * @target: what the rules say
 * @group: that serves it
 * @server: that serves it; counted in its load
 * @index: of @server in @group
 * @meter: of the two
 * @owner: index of who has the token in the servers' own cookie; -1: nobody
 * @bound: the client has the cookie of @server
 * @up: the connection to that, while there is one
 * @queue_next: in the group's queue
 * @queue_link: what points here; NULL: not in it
 * @tried: servers that were tried, @server among them
 * @tries: how many
 * @request: head as it came
 * @text: the bytes of it, in @raw
 * @raw: buffer that holds them
 * @out: head for the server; kept until the response begins
 * @body: of the request
 * @ready: bytes in the client's buffer that may be sent
 * @sent: of the body
 * @response: head as it came
 * @reply: head for the client, or a whole answer of clbd's own
 * @payload: body of the response
 * @trailers: behind that, for a client of HTTP/2; NULL: none
 * @waiting: bytes in the upstream's buffer that may be sent
 * @pipe: through which the body goes; NULL: through that buffer. What is in it
 *	follows what is @waiting
 * @head_at: where in @reply the head of the response is, behind 1xx
 * @answering: the answer is clbd's own
 * @telling: it is @metrics
 * @metrics: how much of the counters was told
 * @headed: the response's head is complete
 * @begun: something of the response was sent
 * @chunking: the response has no length: the client gets it in chunks
 * @chunked: the first of these was begun
 * @gzip: compresses the response; NULL: it goes as it comes. Then what is
 *	@waiting is still to be compressed
 * @varies: the response depends on Accept-Encoding
 * @weak: its tag is not for these very bytes
 * @tunnel: after 101: bytes both ways
 * @shut: the client's end was passed on
 * @close: no further request on the connection
 * @fresh: an upstream that had waited was lost: take a new one
 * @orphaned: a new upstream was lost before a response
 * @interim: 1xx responses so far
 * @status: of the response
 * @ending: why it ended
 * @start: ms when its first byte came
 * @received: ms when its last did
 * @asked: ms when the server was asked
 * @answered: ms when the response's head was complete
 * @bytes: of the response's body
 */
struct clbd_session {
	struct clbd_client *client;
	struct clbd_listener *listener;
	struct clbd_setup *setup;
	const struct clbd_target *target;
	struct clbd_group *group;
	struct clbd_server *server;
	struct clbd_upstream *up;
	uint32_t index;
	struct clbd_meter *meter;
	int32_t owner;
	bool bound;
	struct clbd_session *queue_next;
	struct clbd_session **queue_link;
	const struct clbd_server *tried[CLBD_SESSION_TRIES];
	uint8_t tries;

	const char *text;
	struct clbd_buffer *raw;
	struct clbd_buffer *out;
	struct clbd_body body;
	uint32_t ready;
	uint64_t sent;

	struct clbd_buffer *reply;
	struct clbd_body payload;
	struct clbd_buffer *trailers;
	uint32_t waiting;
	struct clbd_pipe *pipe;
	uint32_t head_at;
	struct clbd_gzip *gzip;

	struct clbd_metrics metrics;
	bool answering;
	bool telling;
	bool headed;
	bool begun;
	bool chunking;
	bool chunked;
	bool varies;
	bool weak;
	bool tunnel;
	bool shut;
	bool close;
	bool fresh;
	bool orphaned;
	uint8_t interim;
	uint16_t status;
	enum clbd_ending ending;
	uint64_t start;
	uint64_t received;
	uint64_t asked;
	uint64_t answered;
	uint64_t bytes;

	struct clbd_head request;
	struct clbd_head response;
};

/* For a client whose next request begins to arrive. NULL without memory. */
struct clbd_session *clbd_session_new(struct clbd_client *client);

/* The request's head is complete: finds who serves it. */
void clbd_session_start(struct clbd_session *session);

/* The request's head is refused: @request says why. */
void clbd_session_refuse(struct clbd_session *session);

enum clbd_progress {
	CLBD_WAIT, /* for an event */
	CLBD_NEXT, /* done, and another request may come */
	CLBD_CLOSE, /* done, the connection with it */
	CLBD_LINGER, /* the same, but the client may still send */
	CLBD_ABORT, /* the client must see that the response is cut off */
};

/* Moves what can be moved. */
enum clbd_progress clbd_session_run(struct clbd_session *session);

/* The client's deadline is past. */
enum clbd_progress clbd_session_expire(struct clbd_session *session);

/* The upstream did not come about, or took too long to. */
void clbd_session_unconnected(struct clbd_session *session, bool timeout);

/* Ends it: the log, the upstream, memory. */
void clbd_session_free(struct clbd_session *session);

#endif /* CLBD_SESSION_H */
