/* SPDX-License-Identifier: MIT */
/*
 * Which member of a group gets a request. Pure but for the state of its turn.
 */
#ifndef CLBD_BALANCE_H
#define CLBD_BALANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum clbd_scheduler {
	CLBD_SCHEDULER_WRR,
	CLBD_SCHEDULER_RR,
	CLBD_SCHEDULER_WLC,
	CLBD_SCHEDULER_HASH,
};

/**
 * struct clbd_member - a server's part in the choice
 * @weight: 0: gets nothing
 * @held: of its weight, so many parts of CLBD_BALANCE_PARTS are held back
 * @load: sessions it has now
 * @barred: not to be chosen this time
 * @current: of smooth weighted round robin
 * @seed: of its address, for the hash
 */
struct clbd_member {
	uint32_t weight;
	uint32_t held;
	const uint32_t *load;
	bool barred;
	int64_t current;
	uint64_t seed;
};

#define CLBD_BALANCE_PARTS 256

struct clbd_balance {
	enum clbd_scheduler scheduler;
	struct clbd_member *members;
	size_t count;
	size_t turn;
};

/**
 * clbd_balance_pick() - choose
 * @balance: the members
 * @key: for CLBD_SCHEDULER_HASH: equal keys get the same member
 *
 * Return: index of a member that has a weight and is not barred, or -1
 */
int clbd_balance_pick(struct clbd_balance *balance, uint64_t key);

/* A hash of any bytes; not for use against those who choose their keys. */
uint64_t clbd_balance_hash(const void *data, size_t size);

#endif /* CLBD_BALANCE_H */
