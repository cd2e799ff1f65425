/* SPDX-License-Identifier: MIT */
/* Random numbers that a seed brings back. */
#ifndef CLB_FUZZ_RANDOM_H
#define CLB_FUZZ_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* Of the program: one for all its files. */
extern uint64_t random_state;

static inline void random_seed(uint64_t seed)
{
	/* splitmix64: seeds that are alike begin far apart */
	seed += 0x9e3779b97f4a7c15;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111eb;
	random_state = (seed ^ seed >> 31) | 1;
}

/* xorshift64* */
static inline uint32_t random_u32(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d >> 32;
}

static inline uint32_t random_below(uint32_t n)
{
	return (uint64_t)random_u32() * n >> 32;
}

/* True so many times in a thousand. */
static inline bool random_chance(uint32_t permille)
{
	return random_below(1000) < permille;
}

#endif /* CLB_FUZZ_RANDOM_H */
