/* SPDX-License-Identifier: MIT */
/*
 * What a client may do that costs it little and us more: so much at once, and
 * so much a second. Pure.
 */
#ifndef CLBD_H2_GUARD_H
#define CLBD_H2_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Resets of requests, and frames that carry nothing. */
#define CLBD_H2_RESETS 200
#define CLBD_H2_RESETS_RATE 20
#define CLBD_H2_FRAMES 1000
#define CLBD_H2_FRAMES_RATE 100

/**
 * struct clbd_h2_guard - what is left of it
 * @resets: thousandths of a reset
 * @frames: thousandths of a frame
 * @now: ms, as of when
 */
struct clbd_h2_guard {
	uint32_t resets;
	uint32_t frames;
	uint64_t now;
};

void clbd_h2_guard_init(struct clbd_h2_guard *guard, uint64_t now);

/* Return: whether there was one left */
bool clbd_h2_guard_reset(struct clbd_h2_guard *guard, uint64_t now);
bool clbd_h2_guard_frame(struct clbd_h2_guard *guard, uint64_t now);

/* One was sent that a client may well answer with two. */
void clbd_h2_guard_allow(struct clbd_h2_guard *guard);

#define CLBD_H2_SCAN_HEAD 9

/**
 * struct clbd_h2_scan - where in a frame the bytes of a client ended
 * @head: of the frame
 * @held: bytes of it
 * @left: bytes of the payload, or of the preface, that are still to come
 */
struct clbd_h2_scan {
	uint8_t head[CLBD_H2_SCAN_HEAD];
	size_t held;
	size_t left;
};

void clbd_h2_scan_init(struct clbd_h2_scan *scan);

/*
 * Return: how many frames of DATA without a byte begin in @data, of any stream:
 * of those that are closed libnghttp2 says nothing
 */
unsigned int clbd_h2_scan(struct clbd_h2_scan *scan, const uint8_t *data,
			  size_t size);

#endif /* CLBD_H2_GUARD_H */
