// SPDX-License-Identifier: MIT
/* Floods of HTTP/2. */
#include "clbd/h2_guard.h"

#include <string.h>

#include <nghttp2/nghttp2.h>

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

void clbd_h2_scan_init(struct clbd_h2_scan *scan)
{
	*scan = (struct clbd_h2_scan){ .left = NGHTTP2_CLIENT_MAGIC_LEN };
}

/* Up to @wanted bytes. Return: how many there were */
static size_t step(size_t *at, size_t size, size_t wanted)
{
	size_t n = size - *at < wanted ? size - *at : wanted;

	*at += n;
	return n;
}

unsigned int clbd_h2_scan(struct clbd_h2_scan *scan, const uint8_t *data,
			  size_t size)
{
	unsigned int empty = 0;
	size_t at = 0, n;

	for (;;) {
		scan->left -= step(&at, size, scan->left);
		n = step(&at, size, sizeof(scan->head) - scan->held);
		memcpy(scan->head + scan->held, data + at - n, n);
		scan->held += n;
		if (scan->held < sizeof(scan->head))
			return empty;
		scan->held = 0;
		scan->left = scan->head[0] << 16 | scan->head[1] << 8 |
			     scan->head[2];
		empty += !scan->left && scan->head[3] == NGHTTP2_DATA;
	}
}
