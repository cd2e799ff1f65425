// SPDX-License-Identifier: MIT
/* Floods of HTTP/2. */
#include "clbd/h2_guard.h"

#define UNIT 1000

void clbd_h2_guard_init(struct clbd_h2_guard *guard, uint64_t now)
{
	guard->resets = CLBD_H2_RESETS * UNIT;
	guard->frames = CLBD_H2_FRAMES * UNIT;
	guard->now = now;
}

static uint32_t grown(uint32_t left, uint64_t ms, uint32_t rate, uint32_t most)
{
	uint64_t sum = left + ms * rate;

	return sum < most * UNIT ? sum : most * UNIT;
}

static void grow(struct clbd_h2_guard *guard, uint64_t now)
{
	uint64_t ms = now - guard->now;

	if (!ms)
		return;
	guard->resets = grown(guard->resets, ms, CLBD_H2_RESETS_RATE,
			      CLBD_H2_RESETS);
	guard->frames = grown(guard->frames, ms, CLBD_H2_FRAMES_RATE,
			      CLBD_H2_FRAMES);
	guard->now = now;
}

static bool take(uint32_t *left)
{
	if (*left < UNIT)
		return false;
	*left -= UNIT;
	return true;
}

bool clbd_h2_guard_reset(struct clbd_h2_guard *guard, uint64_t now)
{
	grow(guard, now);
	return take(&guard->resets);
}

bool clbd_h2_guard_frame(struct clbd_h2_guard *guard, uint64_t now)
{
	grow(guard, now);
	return take(&guard->frames);
}

void clbd_h2_guard_allow(struct clbd_h2_guard *guard)
{
	guard->frames = grown(guard->frames, 2, UNIT, CLBD_H2_FRAMES);
}
