/* SPDX-License-Identifier: MIT */
/* The stages of a session, for each other: session.c, attempt.c, relay.c. */
#ifndef CLBD_STAGE_H
#define CLBD_STAGE_H

#include "clbd/client.h"
#include "clbd/pipe.h"

static inline struct clbd_worker *
clbd_session_worker(const struct clbd_session *session)
{
	return session->client->conn.worker;
}

/*
 * Bytes of the request are still to come, or were read and not sent: they must
 * never be taken for another request.
 */
static inline bool clbd_session_has_rest(const struct clbd_session *session)
{
	return !clbd_body_done(&session->body) || session->ready;
}

/* Bytes of the response that are in its pipe. */
static inline uint32_t clbd_session_piped(const struct clbd_session *session)
{
	return session->pipe ? session->pipe->held : 0;
}

/*
 * A body whose length nobody knows goes in chunks; without them, it lasts until
 * the connection ends.
 */
static inline bool clbd_session_frames(const struct clbd_session *session)
{
	return session->request.minor && !session->request.h2;
}

/*
 * Where bytes that clbd makes of a body itself are put, and how many there is
 * room for; clbd_session_made() then takes @size of them. @last: all of it
 */
char *clbd_session_make(struct clbd_session *session, size_t *room);
void clbd_session_made(struct clbd_session *session, size_t size, bool last);

/* Something went to or came from a peer: it has as much time again. */
void clbd_session_progress(struct clbd_session *session);

/*
 * An answer of clbd's own takes the place of the response, of which nothing was
 * sent yet.
 */
void clbd_session_answer(struct clbd_session *session, uint16_t status);

void clbd_session_leave_upstream(struct clbd_session *session, bool reusable);
void clbd_session_leave_server(struct clbd_session *session);

/*
 * Asks one server after the other; without any left, answers @status, and the
 * log has @ending.
 */
void clbd_session_next_server(struct clbd_session *session, uint16_t status,
			      enum clbd_ending ending);

/*
 * One that waits asks a server, if one has room for it. Return: whether it did;
 * it may be gone then
 */
bool clbd_session_resume(struct clbd_session *session);

/*
 * The upstream failed before a response: another may be asked, if that is safe.
 */
void clbd_session_upstream_lost(struct clbd_session *session);

/*
 * Whether doing it twice does no more than once; what was sent of the body is
 * not at hand any more.
 */
bool clbd_session_may_repeat(const struct clbd_session *session);

/* The server failed: after some of these in a row it is passed over. */
void clbd_session_server_failed(struct clbd_session *session);

/* Whether the response is to bind the client to its server. */
bool clbd_session_binds(const struct clbd_session *session);

/* pack.c: whether, and how, the response with this head is compressed. */
void clbd_session_choose_coding(struct clbd_session *session, const char *text);
void clbd_session_drop_gzip(struct clbd_session *session);
/* Whether the end was compressed, or nothing is. */
bool clbd_session_is_packed(const struct clbd_session *session);
/* Whether more comes of what was read before. */
bool clbd_session_is_packing(const struct clbd_session *session);
/* Compresses what waits. Return: whether there was any, and room for it */
bool clbd_session_pack(struct clbd_session *session);

/* tell.c: whether all counters were told, or none are. */
bool clbd_session_is_told(const struct clbd_session *session);

/* Whether nothing more is made than what the reply has. */
static inline bool clbd_session_is_made(const struct clbd_session *session)
{
	return clbd_session_is_packed(session) && clbd_session_is_told(session);
}

/* Tells some. Return: whether there were any, and room for them */
bool clbd_session_tell(struct clbd_session *session);

/* One step in each direction. Return: whether anything moved */
bool clbd_session_send_request(struct clbd_session *session);
bool clbd_session_read_response(struct clbd_session *session);
bool clbd_session_send_response(struct clbd_session *session);

#endif /* CLBD_STAGE_H */
