/* SPDX-License-Identifier: MIT */
/* A limit of requests a second: a token bucket. Pure. */
#ifndef CLBD_RATE_H
#define CLBD_RATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct clbd_rate - a bucket of requests, in millionths of one
 * @gain: each ms; 0: there is no limit
 * @most: what it holds
 * @level: what is in it
 * @time: ms, of the last look at it
 */
struct clbd_rate {
	uint64_t gain;
	uint64_t most;
	uint64_t level;
	uint64_t time;
};

/**
 * clbd_rate_init() - a full bucket
 * @rate: result
 * @requests: a second, at most 10000000; 0: no limit
 * @burst: at once; 0: as many as in a second
 * @parts: a limit for so many workers: each has its part, one request at least
 * @now: ms
 */
void clbd_rate_init(struct clbd_rate *rate, uint32_t requests, uint32_t burst,
		    uint64_t parts, uint64_t now);

/* Return: whether one more request is within the limit; it is taken out */
bool clbd_rate_take(struct clbd_rate *rate, uint64_t now);

#endif /* CLBD_RATE_H */
