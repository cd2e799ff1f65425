/* SPDX-License-Identifier: MIT */
/*
 * Deadlines. A timer's deadline may be put off by a plain store; it has a place
 * in a wheel of lists, and moves on when that comes up too early. Only a
 * deadline that comes before the timer's place costs a move.
 */
#ifndef CLBD_WHEEL_H
#define CLBD_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define CLBD_WHEEL_SLOTS 512
#define CLBD_WHEEL_TICK 128 /* ms */

struct clbd_timer {
	struct clbd_timer *next;
	struct clbd_timer **link; /* what points here; NULL: in no list */
	uint64_t deadline; /* ms; 0: none */
	uint64_t place; /* tick of the list it is in */
};

/**
 * struct clbd_wheel - lists of timers by tick
 * @tick: all before it have been looked at
 * @slots: the lists; one is of all ticks that are equal modulo their number
 */
struct clbd_wheel {
	uint64_t tick;
	struct clbd_timer *slots[CLBD_WHEEL_SLOTS];
};

void clbd_wheel_init(struct clbd_wheel *wheel, uint64_t now);

/* Sets the deadline, at @deadline ms or up to two ticks later. */
void clbd_timer_set(struct clbd_wheel *wheel, struct clbd_timer *timer,
		    uint64_t deadline);
void clbd_timer_stop(struct clbd_timer *timer);

/* Takes timers out whose deadline is past, one a call; NULL: no more. */
struct clbd_timer *clbd_wheel_expired(struct clbd_wheel *wheel, uint64_t now);

#endif /* CLBD_WHEEL_H */
