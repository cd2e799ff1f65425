// SPDX-License-Identifier: MIT
/* The counters as an answer: written as the client takes them. */
#include "clbd/chunk.h"
#include "clbd/stage.h"
#include "clbd/worker.h"

/* Chunks, for those who know them; for others it lasts until the end. */
static void tell(struct clbd_session *session)
{
	struct clbd_buffer *out = session->reply;
	struct clbd_metrics *metrics = &session->metrics;
	bool framed = session->request.minor;
	size_t room = clbd_buffer_room(out), size;

	if (framed)
		room -= CLBD_CHUNK_FRAME;
	size = clbd_metrics_write(metrics, clbd_session_worker(session)->shared,
				  out->data + out->end +
					  (framed ? CLBD_CHUNK_HEAD : 0),
				  room);
	if (framed)
		clbd_chunk_close(out, size, metrics->done);
	else
		out->end += size;
	session->bytes += size;
}

bool clbd_session_is_told(const struct clbd_session *session)
{
	return !session->telling || session->metrics.done;
}

bool clbd_session_tell(struct clbd_session *session)
{
	if (clbd_session_is_told(session))
		return false;
	clbd_buffer_compact(session->reply);
	if (clbd_buffer_room(session->reply) <
	    CLBD_METRICS_ROOM + CLBD_CHUNK_FRAME)
		return false;
	tell(session);
	return true;
}
