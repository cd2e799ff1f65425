// SPDX-License-Identifier: MIT
/*
 * Compressing a response on its way: what came of the server waits in its
 * buffer until the reply has room for what becomes of it. So a slow client
 * stops the server here, too.
 */
#include "clbd/coding.h"
#include "clbd/gzip.h"
#include "clbd/stage.h"
#include "clbd/upstream.h"
#include "clbd/worker.h"

/* Streams in a worker: each has memory of its own. */
#define GZIP_MAX 256

/* So much is compressed at once; then it is the others' turn to move. */
#define PART (16 * 1024)

/* With less room than that, what is there is sent first. */
#define ROOM_LEAST 1024

/* Who does not know chunks could not tell the end from a failure. */
static bool takes_gzip(const struct clbd_session *session)
{
	return session->request.minor &&
	       clbd_coding_accepted(&session->request, session->text);
}

void clbd_session_choose_coding(struct clbd_session *session, const char *text)
{
	const struct clbd_coding *coding = session->listener->coding;
	struct clbd_worker *worker = clbd_session_worker(session);
	const struct clbd_head *response = &session->response;
	uint64_t length = UINT64_MAX;

	if (!coding)
		return;
	/* What the client has may have been compressed: so is its tag told. */
	if (response->status == 304) {
		session->varies = true;
		session->weak = takes_gzip(session);
		return;
	}
	if (!clbd_coding_fits(coding, response, text))
		return;
	session->varies = true;
	if (!takes_gzip(session))
		return;
	if (worker->gzip_count >= GZIP_MAX) {
		worker->stats->gzip_full++;
		return;
	}
	if (response->framing == CLBD_FRAMING_LENGTH)
		length = response->length;
	session->gzip = clbd_gzip_new(coding->level, length);
	if (!session->gzip)
		return;
	worker->gzip_count++;
	worker->stats->gzipped++;
	session->weak = true;
	session->payload.strip = true;
}

void clbd_session_drop_gzip(struct clbd_session *session)
{
	if (!session->gzip)
		return;
	clbd_gzip_free(session->gzip);
	session->gzip = NULL;
	clbd_session_worker(session)->gzip_count--;
}

bool clbd_session_is_packed(const struct clbd_session *session)
{
	return !session->gzip || clbd_gzip_is_done(session->gzip);
}

bool clbd_session_is_packing(const struct clbd_session *session)
{
	return session->gzip && clbd_gzip_is_pending(session->gzip);
}

static enum clbd_gzip_flush flush_of(const struct clbd_session *session)
{
	if (session->waiting > PART)
		return CLBD_GZIP_MORE;
	return clbd_body_done(&session->payload) ? CLBD_GZIP_END
						 : CLBD_GZIP_FLUSH;
}

bool clbd_session_pack(struct clbd_session *session)
{
	struct clbd_buffer *in = session->up ? session->up->in : NULL;
	size_t taken = session->waiting, made;
	char *at;
	enum clbd_gzip_flush flush;

	if (clbd_session_is_packed(session))
		return false;
	flush = flush_of(session);
	if (!taken && !clbd_session_is_packing(session) &&
	    flush != CLBD_GZIP_END)
		return false;
	at = clbd_session_make(session, &made);
	if (made < ROOM_LEAST)
		return false;
	if (taken > PART)
		taken = PART;
	if (clbd_gzip_run(session->gzip, taken ? in->data + in->start : NULL,
			  &taken, at, &made, flush)) {
		session->ending = CLBD_ENDING_SERVER;
		clbd_session_leave_upstream(session, false);
		return false;
	}
	if (taken)
		in->start += taken;
	session->waiting -= taken;
	clbd_session_made(session, made, clbd_gzip_is_done(session->gzip));
	return true;
}
