// SPDX-License-Identifier: MIT
/* Schedulers. */
#include "clbd/balance.h"

#include <math.h>

static bool may_have(const struct clbd_member *member)
{
	return member->weight && !member->barred;
}

/* What counts of a member's weight. */
static int64_t share_of(const struct clbd_member *member)
{
	return (int64_t)member->weight * (CLBD_BALANCE_PARTS - member->held);
}

/* Whether one that is held back has its turn: it saves up its parts for one. */
static bool skips_turn(struct clbd_member *member)
{
	if (!member->held)
		return false;
	member->current += CLBD_BALANCE_PARTS - member->held;
	if (member->current < CLBD_BALANCE_PARTS)
		return true;
	member->current -= CLBD_BALANCE_PARTS;
	return false;
}

/* Where all skip, the first of them has its turn all the same. */
static int pick_rr(struct clbd_balance *balance)
{
	int first = -1;
	size_t i;

	for (i = 0; i < balance->count; i++) {
		size_t index = (balance->turn + i) % balance->count;

		if (!may_have(&balance->members[index]))
			continue;
		if (first < 0)
			first = index;
		if (skips_turn(&balance->members[index]))
			continue;
		balance->turn = index + 1;
		return index;
	}
	if (first >= 0)
		balance->turn = first + 1;
	return first;
}

/*
 * Smooth: everyone gains its weight, the richest is chosen and pays the sum. So
 * 5, 1, 1 is a a b a c a a, not a a a a a b c.
 */
static int pick_wrr(struct clbd_balance *balance)
{
	int64_t sum = 0;
	int best = -1;
	size_t i;

	for (i = 0; i < balance->count; i++) {
		struct clbd_member *member = &balance->members[i];

		if (!may_have(member))
			continue;
		member->current += share_of(member);
		sum += share_of(member);
		if (best < 0 ||
		    member->current > balance->members[best].current)
			best = i;
	}
	if (best >= 0)
		balance->members[best].current -= sum;
	return best;
}

/* Least sessions for its share; among equals by turn. */
static int pick_wlc(struct clbd_balance *balance)
{
	int best = -1;
	size_t i;

	for (i = 0; i < balance->count; i++) {
		size_t index = (balance->turn + i) % balance->count;
		const struct clbd_member *member = &balance->members[index];
		const struct clbd_member *other;

		if (!may_have(member))
			continue;
		other = &balance->members[best < 0 ? (int)index : best];
		if (best < 0 || *member->load * share_of(other) <
					*other->load * share_of(member))
			best = index;
	}
	if (best >= 0)
		balance->turn = best + 1;
	return best;
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9;
	x ^= x >> 27;
	x *= 0x94d049bb133111eb;
	return x ^ x >> 31;
}

/*
 * Weighted rendezvous: each member draws by key and seed, the best draw wins.
 * One that comes or goes takes or leaves its own share alone.
 */
static int pick_hash(const struct clbd_balance *balance, uint64_t key)
{
	double best_draw = 0;
	int best = -1;
	size_t i;

	for (i = 0; i < balance->count; i++) {
		const struct clbd_member *member = &balance->members[i];
		double draw;

		if (!may_have(member))
			continue;
		draw = ((mix(key ^ member->seed) >> 11) + 0.5) / 0x1p53;
		draw = -log(draw) / member->weight;
		if (best < 0 || draw < best_draw) {
			best = i;
			best_draw = draw;
		}
	}
	return best;
}

int clbd_balance_pick(struct clbd_balance *balance, uint64_t key)
{
	switch (balance->scheduler) {
	case CLBD_SCHEDULER_RR:
		return pick_rr(balance);
	case CLBD_SCHEDULER_WLC:
		return pick_wlc(balance);
	case CLBD_SCHEDULER_HASH:
		return pick_hash(balance, mix(key));
	default:
		return pick_wrr(balance);
	}
}

/* FNV-1a, mixed. */
uint64_t clbd_balance_hash(const void *data, size_t size)
{
	const uint8_t *at = data;
	uint64_t hash = 0xcbf29ce484222325;
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3;
	return mix(hash);
}
