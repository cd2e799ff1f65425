// SPDX-License-Identifier: MIT
/* Children: how they begin, and what they are told. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "clbd/cookie.h"
#include "clbd/health.h"
#include "clbd/log.h"
#include "clbd/order.h"
#include "clbd/parent.h"
#include "clbd/worker.h"

/* A child has so long to take orders, once a socket is full of them. */
#define ORDER_SECONDS 5

/*
 * In the child: of the parent's files those named are kept, as 3 and on; its
 * signals are its own again, and a terminal's are for the parent alone.
 */
static void keep_files(int *files, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		files[i] = fcntl(files[i], F_DUPFD, 3 + count);
		if (files[i] >= 0)
			continue;
		perror("clbd: files of a child");
		_exit(EXIT_FAILURE);
	}
	for (i = 0; i < count; i++)
		files[i] = dup2(files[i], 3 + i);
	close_range(3 + count, ~0u, 0);
}

static void own_signals(void)
{
	sigset_t none;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void give_up_rights(const struct clbd_parent *parent, bool network)
{
	int err;

	/* Both read files at their first use, which is not allowed later. */
	tzset();
	clbd_cookie_prepare();
	err = clbd_privilege_drop(&parent->privilege, network);
	if (!err)
		return;
	fprintf(stderr, "clbd: cannot drop privileges: %s\n", strerror(-err));
	_exit(EXIT_FAILURE);
}

static void be_worker(struct clbd_parent *parent, unsigned int index,
		      int control)
{
	int files[2] = { control, parent->workers[index].pipe[1] };
	struct clbd_shared *shared = parent->shared;

	keep_files(files, 2);
	own_signals();
	prctl(PR_SET_NAME, "clbd: worker");
	give_up_rights(parent, true);
	exit(clbd_worker_run(files[0], files[1], shared, index));
}

static void be_log(struct clbd_parent *parent, int control)
{
	unsigned int count = parent->count, i;
	int *files = calloc(count + 1, sizeof(*files));

	if (!files)
		_exit(EXIT_FAILURE);
	files[0] = control;
	for (i = 0; i < count; i++)
		files[1 + i] = parent->workers[i].pipe[0];
	keep_files(files, count + 1);
	own_signals();
	prctl(PR_SET_NAME, "clbd: log");
	give_up_rights(parent, false);
	i = clbd_log_run(files[0], files + 1, count,
			 &parent->shared->stats[count + 1]);
	free(files);
	exit(i);
}

static void be_health(struct clbd_parent *parent, int control)
{
	keep_files(&control, 1);
	own_signals();
	prctl(PR_SET_NAME, "clbd: health");
	give_up_rights(parent, true);
	exit(clbd_health_run(control));
}

/* Return: 0 in the child, with its end in @control; its number in the parent */
static pid_t start(struct clbd_child *child, int *control)
{
	const struct timeval patience = { .tv_sec = ORDER_SECONDS };
	int pair[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &patience,
		   sizeof(patience));
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	*control = pair[1];
	if (!pid)
		return 0;
	close(pair[1]);
	child->pid = pid;
	child->control = pair[0];
	child->started = clbd_parent_now();
	child->ready = false;
	return pid;
}

/* One that takes nothing hangs, or wants the parent to: that must not wait. */
static int ordered(const struct clbd_child *child, int err)
{
	if (err == -EAGAIN)
		kill(child->pid, SIGKILL);
	return err;
}

int clbd_child_order(const struct clbd_child *child, enum clbd_order_kind kind,
		     const char *address, int fd)
{
	return ordered(child, clbd_order_send(child->control, kind, address,
					      fd));
}

int clbd_child_tell(const struct clbd_child *child, enum clbd_order_kind kind,
		    const char *address, uint64_t number)
{
	return ordered(child, clbd_order_tell(child->control, kind, address,
					      number));
}

int clbd_child_start(struct clbd_parent *parent, unsigned int index)
{
	int control, pid = start(&parent->workers[index], &control);

	if (!pid)
		be_worker(parent, index, control);
	if (pid < 0)
		return pid;
	return clbd_child_configure(parent, &parent->workers[index]);
}

int clbd_child_start_log(struct clbd_parent *parent)
{
	int control, pid = start(&parent->log, &control);

	if (!pid)
		be_log(parent, control);
	return pid < 0 ? pid : 0;
}

int clbd_child_start_health(struct clbd_parent *parent)
{
	int control, pid = start(&parent->health, &control);

	if (!pid)
		be_health(parent, control);
	return pid < 0 ? pid : clbd_child_configure(parent, &parent->health);
}

int clbd_child_configure(const struct clbd_parent *parent,
			 struct clbd_child *child)
{
	const struct clbd_config *config = parent->source.config;
	unsigned int i;
	int err;

	child->ready = false;
	err = clbd_child_order(child, CLBD_ORDER_CONFIG, NULL,
			       parent->source.file);
	if (!err && child->sockets && parent->source.pages >= 0)
		err = clbd_child_order(child, CLBD_ORDER_PAGES, NULL,
				       parent->source.pages);
	for (i = 0; !err && child->sockets && i < config->listener_count; i++)
		err = clbd_child_order(child, CLBD_ORDER_LISTEN,
				       config->listeners[i].address,
				       child->sockets[i]);
	/* The checks go on from what is known; workers begin, and are told. */
	if (!err && child == &parent->health)
		err = clbd_outage_tell(parent, child);
	if (!err)
		err = clbd_child_order(child, CLBD_ORDER_COMMIT, NULL, -1);
	return err || !child->sockets ? err : clbd_outage_tell(parent, child);
}
