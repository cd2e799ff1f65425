// SPDX-License-Identifier: MIT
/* Deadlines in a wheel of lists. */
#include "clbd/wheel.h"

#include <stddef.h>
#include <string.h>

void clbd_wheel_init(struct clbd_wheel *wheel, uint64_t now)
{
	memset(wheel, 0, sizeof(*wheel));
	wheel->tick = now / CLBD_WHEEL_TICK;
}

static void unlink_timer(struct clbd_timer *timer)
{
	if (!timer->link)
		return;
	*timer->link = timer->next;
	if (timer->next)
		timer->next->link = timer->link;
	timer->link = NULL;
}

static void place(struct clbd_wheel *wheel, struct clbd_timer *timer)
{
	uint64_t tick = timer->deadline / CLBD_WHEEL_TICK + 1;
	struct clbd_timer **slot;

	if (tick < wheel->tick)
		tick = wheel->tick;
	/* Not so far that it were the list which expired() empties just now. */
	if (tick > wheel->tick + CLBD_WHEEL_SLOTS - 2)
		tick = wheel->tick + CLBD_WHEEL_SLOTS - 2;
	slot = &wheel->slots[tick % CLBD_WHEEL_SLOTS];
	timer->place = tick;
	timer->next = *slot;
	if (timer->next)
		timer->next->link = &timer->next;
	*slot = timer;
	timer->link = slot;
}

void clbd_timer_set(struct clbd_wheel *wheel, struct clbd_timer *timer,
		    uint64_t deadline)
{
	timer->deadline = deadline;
	if (timer->link && timer->place <= deadline / CLBD_WHEEL_TICK + 1)
		return;
	unlink_timer(timer);
	place(wheel, timer);
}

void clbd_timer_stop(struct clbd_timer *timer)
{
	timer->deadline = 0;
	unlink_timer(timer);
}

struct clbd_timer *clbd_wheel_expired(struct clbd_wheel *wheel, uint64_t now)
{
	while (wheel->tick <= now / CLBD_WHEEL_TICK) {
		struct clbd_timer **slot, *timer;

		slot = &wheel->slots[wheel->tick % CLBD_WHEEL_SLOTS];
		while ((timer = *slot)) {
			unlink_timer(timer);
			if (timer->deadline <= now)
				return timer;
			/* The next tick at the earliest: this list empties. */
			wheel->tick++;
			place(wheel, timer);
			wheel->tick--;
		}
		wheel->tick++;
	}
	return NULL;
}
