// SPDX-License-Identifier: MIT
/*
 * Bodies that clbd makes itself, as far as the reply has room for them; and one
 * of these, the counters.
 */
#include "clbd/chunk.h"
#include "clbd/stage.h"
#include "clbd/worker.h"

char *clbd_session_make(struct clbd_session *session, size_t *room)
{
	struct clbd_buffer *out = session->reply;
	size_t frame = 0, head = 0;

	if (clbd_session_frames(session)) {
		frame = CLBD_CHUNK_FRAME;
		head = CLBD_CHUNK_HEAD;
	}
	clbd_buffer_compact(out);
	*room = clbd_buffer_room(out);
	*room = *room > frame ? *room - frame : 0;
	return out->data + out->end + head;
}

void clbd_session_made(struct clbd_session *session, size_t size, bool last)
{
	session->bytes += size;
	if (clbd_session_frames(session))
		clbd_chunk_close(session->reply, size, last);
	else
		session->reply->end += size;
}

bool clbd_session_is_told(const struct clbd_session *session)
{
	return !session->telling || session->metrics.done;
}

bool clbd_session_tell(struct clbd_session *session)
{
	size_t room, size;
	char *at;

	if (clbd_session_is_told(session))
		return false;
	at = clbd_session_make(session, &room);
	if (room < CLBD_METRICS_ROOM)
		return false;
	size = clbd_metrics_write(&session->metrics,
				  clbd_session_worker(session)->shared, at,
				  room);
	clbd_session_made(session, size, session->metrics.done);
	return true;
}
