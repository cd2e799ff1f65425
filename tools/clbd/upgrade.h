/* SPDX-License-Identifier: MIT */
/*
 * From one program to the next, without a connection lost: the old parent
 * starts the program anew and gives it its listening sockets; when all workers
 * of the new one are ready it says so, and the old one stops. If it does not
 * come so far the old one goes on.
 *
 *	old parent				new parent
 *	   |  fork, exec, CLBD_UPGRADE=3 ---------->|
 *	   |  for each worker: listen..., commit -->|  those of its workers
 *	   |  down..., drain..., drained... ------->|  servers that are out
 *	   |  ready ------------------------------->|  that is all
 *	   |					    |  starts its workers
 *	   |<------------------------------- ready  |
 *	stops						  goes on
 *
 * Both are over a socketpair, in the form of order.h.
 */
#ifndef CLBD_UPGRADE_H
#define CLBD_UPGRADE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "clbd/config.h"

struct clbd_parent;

/* A listening socket that the old program has left. */
struct clbd_heir {
	unsigned int index; /* of its worker */
	char address[CLB_ADDRESS_TEXT];
	int fd;
};

/**
 * struct clbd_upgrade - to the next program, and from the one before
 * @pid: of the next; 0: no upgrade is under way
 * @next: socket to it
 * @deadline: ms; it is killed if it is not ready then
 * @before: socket to the program before; -1: there is none, or it knows
 * @heirs: what that has left
 */
struct clbd_upgrade {
	pid_t pid;
	int next;
	uint64_t deadline;
	int before;
	struct clbd_heir *heirs;
	unsigned int heir_count;
};

/* Before anything is opened: takes what a program before leaves. -errno */
int clbd_upgrade_receive(struct clbd_parent *parent);

/* A socket for a listener of a worker. -ENOENT: none was left */
int clbd_upgrade_heir(const struct clbd_parent *parent, unsigned int index,
		      const char *address);

/* What nobody wanted is closed. */
void clbd_upgrade_settle(struct clbd_parent *parent);

/* All workers are ready: the program before may go. */
void clbd_upgrade_ready(struct clbd_parent *parent);

/* Return: 0 or -errno, with @error */
int clbd_upgrade_begin(struct clbd_parent *parent, uint64_t now,
		       char error[CLBD_CONFIG_ERROR]);

/* Something came from the next program. Return: whether it is ready */
bool clbd_upgrade_heard(struct clbd_parent *parent);

/* It takes too long. */
void clbd_upgrade_tick(struct clbd_parent *parent, uint64_t now);

/* It is killed, and what it still says is not heard; its end is told later. */
void clbd_upgrade_end(struct clbd_parent *parent);

/* It has ended, and nothing has changed. */
void clbd_upgrade_failed(struct clbd_parent *parent, int status,
			 char error[CLBD_CONFIG_ERROR]);

/* notify.c: tells systemd, where that started clbd: sd_notify(3). */
void clbd_notify(const char *text);

#endif /* CLBD_UPGRADE_H */
