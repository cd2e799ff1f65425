// SPDX-License-Identifier: MIT
/* From one program to the next. */
#include "clbd/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clbd/parent.h"

#define VARIABLE "CLBD_UPGRADE"
/* Where the new program finds its socket. */
#define FILE_NUMBER 3
/* An end that takes or says nothing for so long hangs. */
#define PATIENCE_SECONDS 5
#define READY_MS 60000

static int add_heir(struct clbd_upgrade *upgrade, unsigned int index,
		    const struct clbd_order *order, int fd)
{
	struct clbd_heir *more;

	more = realloc(upgrade->heirs,
		       (upgrade->heir_count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	upgrade->heirs = more;
	more += upgrade->heir_count++;
	more->index = index;
	more->fd = fd;
	snprintf(more->address, sizeof(more->address), "%s", order->address);
	return 0;
}

/* Waits for it: nothing else is to be done yet. */
static int receive(int fd, struct clbd_order *order, int *file)
{
	struct pollfd poller = { fd, POLLIN, 0 };
	int err = clbd_order_receive(fd, order, file);

	if (err)
		return err < 0 ? err : 0;
	if (poll(&poller, 1, PATIENCE_SECONDS * 1000) <= 0)
		return -ETIMEDOUT;
	err = clbd_order_receive(fd, order, file);
	return err > 0 ? 0 : -EPIPE;
}

int clbd_upgrade_receive(struct clbd_parent *parent)
{
	struct clbd_upgrade *upgrade = &parent->upgrade;
	const char *number = getenv(VARIABLE);
	struct clbd_order order;
	unsigned int index = 0;
	int file, err;

	upgrade->before = upgrade->next = -1;
	if (!number)
		return 0;
	upgrade->before = atoi(number);
	unsetenv(VARIABLE);
	fcntl(upgrade->before, F_SETFD, FD_CLOEXEC);
	for (;;) {
		err = receive(upgrade->before, &order, &file);
		if (err || order.kind == CLBD_ORDER_READY)
			return err;
		if (order.kind == CLBD_ORDER_COMMIT)
			index++;
		else if (order.kind == CLBD_ORDER_LISTEN && file >= 0)
			err = add_heir(upgrade, index, &order, file);
		else if (order.kind != CLBD_ORDER_LISTEN)
			clbd_outage_take(parent, &order);
		if (err)
			return err;
	}
}

int clbd_upgrade_heir(const struct clbd_parent *parent, unsigned int index,
		      const char *address)
{
	const struct clbd_upgrade *upgrade = &parent->upgrade;
	unsigned int i;

	for (i = 0; i < upgrade->heir_count; i++) {
		if (upgrade->heirs[i].index == index &&
		    !strcmp(upgrade->heirs[i].address, address))
			return fcntl(upgrade->heirs[i].fd, F_DUPFD_CLOEXEC, 0);
	}
	return -ENOENT;
}

void clbd_upgrade_settle(struct clbd_parent *parent)
{
	struct clbd_upgrade *upgrade = &parent->upgrade;
	unsigned int i;

	for (i = 0; i < upgrade->heir_count; i++)
		close(upgrade->heirs[i].fd);
	free(upgrade->heirs);
	upgrade->heirs = NULL;
	upgrade->heir_count = 0;
}

void clbd_upgrade_ready(struct clbd_parent *parent)
{
	struct clbd_upgrade *upgrade = &parent->upgrade;

	if (upgrade->before < 0)
		return;
	clbd_order_send(upgrade->before, CLBD_ORDER_READY, NULL, -1);
	close(upgrade->before);
	upgrade->before = -1;
}

/* In the child: of all files, the new program gets one. */
static void run_program(const struct clbd_parent *parent, int file)
{
	char number[12];

	if (dup2(file, FILE_NUMBER) < 0)
		_exit(127);
	close_range(FILE_NUMBER + 1, ~0u, 0);
	snprintf(number, sizeof(number), "%d", FILE_NUMBER);
	setenv(VARIABLE, number, 1);
	execl(parent->program, parent->program, "-f", parent->path, NULL);
	perror(parent->program);
	_exit(127);
}

static int send_state(const struct clbd_parent *parent, int fd)
{
	const struct clbd_config *config = parent->source.config;
	unsigned int w, i;
	int err = 0;

	for (w = 0; !err && w < parent->count; w++) {
		for (i = 0; !err && i < config->listener_count; i++)
			err = clbd_order_send(fd, CLBD_ORDER_LISTEN,
					      config->listeners[i].address,
					      parent->workers[w].sockets[i]);
		if (!err)
			err = clbd_order_send(fd, CLBD_ORDER_COMMIT, NULL, -1);
	}
	if (!err)
		err = clbd_outage_send(parent, fd);
	return err ? err : clbd_order_send(fd, CLBD_ORDER_READY, NULL, -1);
}

static int start_program(struct clbd_parent *parent)
{
	const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
	struct clbd_upgrade *upgrade = &parent->upgrade;
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
	fflush(NULL);
	upgrade->pid = fork();
	err = -errno;
	if (!upgrade->pid)
		run_program(parent, pair[1]);
	close(pair[1]);
	if (upgrade->pid > 0) {
		upgrade->next = pair[0];
		return 0;
	}
	upgrade->pid = 0;
	close(pair[0]);
	return err;
}

int clbd_upgrade_begin(struct clbd_parent *parent, uint64_t now,
		       char error[CLBD_CONFIG_ERROR])
{
	struct clbd_upgrade *upgrade = &parent->upgrade;
	int err;

	if (upgrade->pid || upgrade->before >= 0) {
		snprintf(error, CLBD_CONFIG_ERROR, "an upgrade is under way");
		return -EBUSY;
	}
	err = start_program(parent);
	if (err) {
		snprintf(error, CLBD_CONFIG_ERROR, "upgrade: %s",
			 strerror(-err));
		return err;
	}
	upgrade->deadline = now + READY_MS;
	/* One that has ended meanwhile is reaped; one that hangs is killed. */
	if (send_state(parent, upgrade->next))
		kill(upgrade->pid, SIGKILL);
	return 0;
}

bool clbd_upgrade_heard(struct clbd_parent *parent)
{
	struct clbd_upgrade *upgrade = &parent->upgrade;
	struct clbd_order order;
	char text[40];
	int err;

	err = clbd_order_receive(upgrade->next, &order, NULL);
	if (err > 0 && order.kind == CLBD_ORDER_READY) {
		snprintf(text, sizeof(text), "MAINPID=%d", (int)upgrade->pid);
		clbd_notify(text);
		return true;
	}
	/* Its end is told by a signal. */
	if (err) {
		close(upgrade->next);
		upgrade->next = -1;
	}
	return false;
}

void clbd_upgrade_tick(struct clbd_parent *parent, uint64_t now)
{
	struct clbd_upgrade *upgrade = &parent->upgrade;

	if (upgrade->pid && now >= upgrade->deadline)
		clbd_upgrade_end(parent);
}

void clbd_upgrade_end(struct clbd_parent *parent)
{
	struct clbd_upgrade *upgrade = &parent->upgrade;

	if (upgrade->pid)
		kill(upgrade->pid, SIGKILL);
	/* It may have said that it is ready: that is not heard any more. */
	if (upgrade->next >= 0)
		close(upgrade->next);
	upgrade->next = -1;
}

void clbd_upgrade_failed(struct clbd_parent *parent, int status,
			 char error[CLBD_CONFIG_ERROR])
{
	struct clbd_upgrade *upgrade = &parent->upgrade;

	if (upgrade->next >= 0)
		close(upgrade->next);
	upgrade->next = -1;
	upgrade->pid = 0;
	if (WIFSIGNALED(status))
		snprintf(error, CLBD_CONFIG_ERROR,
			 "the new program was ended by signal %d",
			 WTERMSIG(status));
	else
		snprintf(error, CLBD_CONFIG_ERROR,
			 "the new program ended with status %d",
			 WEXITSTATUS(status));
}
