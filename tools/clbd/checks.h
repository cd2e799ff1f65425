/* SPDX-License-Identifier: MIT */
/*
 * Which servers a configuration wants to be checked, and how: those of a group
 * as the group says, and once more as a rule says that has a check of its own.
 */
#ifndef CLBD_CHECKS_H
#define CLBD_CHECKS_H

#include <stddef.h>
#include <stdint.h>

#include "clbd/config.h"

/**
 * struct clbd_check - a server, and how it is checked
 * @server: its address, of the configuration
 * @own: the id of a rule's check, whose result counts for that rule alone; 0:
 *	it counts for all others
 * @config: the rest
 * @rank: who says so, the first in the configuration lowest
 */
struct clbd_check {
	const char *server;
	uint64_t own;
	const struct clbd_config_check *config;
	size_t rank;
};

/**
 * struct clbd_checks - all of them, each once, in order
 */
struct clbd_checks {
	struct clbd_check *checks;
	size_t count;
};

/*
 * A server in several groups is checked as the first of them says, and rules
 * with equal checks share one. Return: 0 or -ENOMEM
 */
int clbd_checks_list(const struct clbd_config *config,
		     struct clbd_checks *checks);
void clbd_checks_free(struct clbd_checks *checks);

/* Where it is among them; NULL: it is not. */
const struct clbd_check *clbd_checks_find(const struct clbd_checks *checks,
					  const char *server, uint64_t own);

#endif /* CLBD_CHECKS_H */
