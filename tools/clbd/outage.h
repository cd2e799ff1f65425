/* SPDX-License-Identifier: MIT */
/*
 * Servers that are out: the checks found them down, or an operator drains them.
 * The parent remembers, for workers that start and for reloads.
 */
#ifndef CLBD_OUTAGE_H
#define CLBD_OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/address.h"

struct clbd_child;
struct clbd_order;
struct clbd_parent;

enum clbd_drain {
	CLBD_DRAIN_NONE,
	CLBD_DRAIN_BOUND, /* those that a cookie binds may come */
	CLBD_DRAIN_OUT, /* nobody */
};

/**
 * struct clbd_outage - a server that is out
 * @check: of a rule, which alone it is out for; 0: for all others
 * @down: by the check
 * @drain: by the operator
 * @until: ms when %CLBD_DRAIN_BOUND ends; 0: never
 */
struct clbd_outage {
	char address[CLB_ADDRESS_TEXT];
	uint64_t check;
	bool down;
	enum clbd_drain drain;
	uint64_t until;
};

/* What the checks say; that one is gone they need not know. */
void clbd_outage_checked(struct clbd_parent *parent, const char *address,
			 uint64_t check, bool down);

/* @seconds: 0: without end. Return: 0, -ENOENT or -ENOMEM */
int clbd_outage_drain(struct clbd_parent *parent, const char *address,
		      uint32_t seconds, uint64_t now);

/* The end of a drain. Return: 0, or -ENOENT where there is none */
int clbd_outage_end(struct clbd_parent *parent, const char *address);

/* Deadlines that are past. */
void clbd_outage_tick(struct clbd_parent *parent, uint64_t now);

/* After a reload: servers that are no more, and that are checked no more. */
void clbd_outage_sweep(struct clbd_parent *parent);

/* All of them, to the next program, which takes one after the other. */
int clbd_outage_send(const struct clbd_parent *parent, int socket);
void clbd_outage_take(struct clbd_parent *parent,
		      const struct clbd_order *order);


/*
 * All of them, to a worker; to the checks, which go on with servers that drain,
 * those that are down. Return: 0 or -errno
 */
int clbd_outage_tell(const struct clbd_parent *parent,
		     const struct clbd_child *child);

#endif /* CLBD_OUTAGE_H */
