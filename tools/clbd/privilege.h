/* SPDX-License-Identifier: MIT */
/* What a child of clbd gives up before it does anything. */
#ifndef CLBD_PRIVILEGE_H
#define CLBD_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct clbd_privilege - who a child becomes
 * @change: whether it does: clbd was started by root
 */
struct clbd_privilege {
	bool change;
	uid_t user;
	gid_t group;
};

/* Return: 0 or -errno: -ENOENT where there is no user @name, -EPERM for root */
int clbd_privilege_find(const char *name, struct clbd_privilege *privilege);

/**
 * clbd_privilege_drop() - user, capabilities, and all but a few system calls
 * @privilege: who to become
 * @network: whether sockets are needed
 *
 * Return: 0 or -errno; then the process must end
 */
int clbd_privilege_drop(const struct clbd_privilege *privilege, bool network);

#endif /* CLBD_PRIVILEGE_H */
