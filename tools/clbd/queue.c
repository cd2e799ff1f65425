// SPDX-License-Identifier: MIT
/* Sessions that wait for a server to have room. */
#include "clbd/queue.h"

#include "clbd/client.h"
#include "clbd/stage.h"
#include "clbd/worker.h"

static void list_group(struct clbd_worker *worker, struct clbd_group *group)
{
	group->queue.next = worker->waiting;
	group->queue.end = &group->queue.first;
	group->queue.due = false;
	worker->waiting = group;
}

static void unlist_group(struct clbd_worker *worker, struct clbd_group *group)
{
	struct clbd_group **at = &worker->waiting;

	while (*at != group)
		at = &(*at)->queue.next;
	*at = group->queue.next;
}

bool clbd_queue_enter(struct clbd_session *session)
{
	struct clbd_worker *worker = clbd_session_worker(session);
	struct clbd_group *group = session->group;
	struct clbd_queue *queue = &group->queue;

	if (queue->count >= queue->most)
		return false;
	if (!queue->count)
		list_group(worker, group);
	session->queue_next = NULL;
	session->queue_link = queue->end;
	*queue->end = session;
	queue->end = &session->queue_next;
	queue->count++;
	worker->stats->queued++;
	clbd_conn_deadline(&session->client->conn, queue->ms);
	return true;
}

void clbd_queue_leave(struct clbd_session *session)
{
	struct clbd_group *group = session->group;

	if (!session->queue_link)
		return;
	*session->queue_link = session->queue_next;
	if (session->queue_next)
		session->queue_next->queue_link = session->queue_link;
	else
		group->queue.end = session->queue_link;
	session->queue_link = NULL;
	if (!--group->queue.count)
		unlist_group(clbd_session_worker(session), group);
}

void clbd_queue_stir(struct clbd_worker *worker)
{
	struct clbd_group *group;

	for (group = worker->waiting; group; group = group->queue.next)
		group->queue.due = true;
}

/* Room of a server that nobody may ask is none. */
static bool has_room(const struct clbd_group *group)
{
	size_t i;

	for (i = 0; i < group->balance.count; i++) {
		const struct clbd_server *server = group->servers[i];

		if (!group->verdicts[i]->down &&
		    server->drain != CLBD_DRAIN_OUT &&
		    clbd_server_has_room(server))
			return true;
	}
	return false;
}

/* The last session that goes may take the setup and the group away. */
static void run_group(struct clbd_group *group)
{
	struct clbd_setup *setup = clbd_setup_get(group->queue.first->setup);
	struct clbd_session *session = group->queue.first;

	group->queue.due = false;
	while (session && has_room(group)) {
		/* One that went may have taken others with it. */
		if (clbd_session_resume(session))
			session = group->queue.first;
		else
			session = session->queue_next;
	}
	clbd_setup_put(setup);
}

void clbd_queue_run(struct clbd_worker *worker)
{
	struct clbd_group *group = worker->waiting;

	while (group) {
		if (!group->queue.due) {
			group = group->queue.next;
			continue;
		}
		run_group(group);
		/* The list may be another by now. */
		group = worker->waiting;
	}
}
