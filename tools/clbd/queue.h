/* SPDX-License-Identifier: MIT */
/*
 * Sessions that wait for a server of their group to have room: as long as a
 * queue may be, and for so long. Who came first goes first, unless it is bound
 * to a server that has none.
 */
#ifndef CLBD_QUEUE_H
#define CLBD_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct clbd_group;
struct clbd_session;
struct clbd_worker;

/**
 * struct clbd_queue - those of a group
 * @first: the oldest
 * @end: where the next one goes
 * @count: how many there are
 * @most: how many may be
 * @ms: how long each
 * @next: group with such, in the worker's list
 * @due: a server may have room now
 */
struct clbd_queue {
	struct clbd_session *first;
	struct clbd_session **end;
	uint32_t count;
	uint32_t most;
	uint32_t ms;
	struct clbd_group *next;
	bool due;
};

/* Return: whether the session waits from now on; if not, there is no room */
bool clbd_queue_enter(struct clbd_session *session);

/* It waits no longer, if it did. */
void clbd_queue_leave(struct clbd_session *session);

/* Room was made at a server: those that wait are looked at in this round. */
void clbd_queue_stir(struct clbd_worker *worker);
void clbd_queue_run(struct clbd_worker *worker);

#endif /* CLBD_QUEUE_H */
