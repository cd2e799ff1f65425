// SPDX-License-Identifier: MIT
/*
 * The parent's loop: signals, children that end, answers of workers. It reads
 * nothing that came from the network.
 */
#include "clbd/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clbd/meter.h"
#include "clbd/order.h"

/* A worker that ends sooner is not started again at once. */
#define CALM_MS 1000

static uint64_t read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Sockets of a child for the listeners of a configuration: those it has
 * already, by address, and new ones. Return: them, or NULL
 */
static int *open_sockets(const struct clbd_config *config,
			 const struct clbd_config *old, const int *old_sockets)
{
	int *sockets = calloc(config->listener_count, sizeof(*sockets));
	unsigned int i, j;

	for (i = 0; sockets && i < config->listener_count; i++) {
		const char *address = config->listeners[i].address;

		sockets[i] = -ENOENT;
		for (j = 0; old && j < old->listener_count; j++) {
			if (!strcmp(old->listeners[j].address, address))
				sockets[i] = fcntl(old_sockets[j],
						   F_DUPFD_CLOEXEC, 0);
		}
		if (sockets[i] < 0)
			sockets[i] = clbd_listen(address);
		if (sockets[i] >= 0)
			continue;
		fprintf(stderr, "clbd: listener %s: %s: %s\n",
			config->listeners[i].name, address,
			strerror(-sockets[i]));
		while (i-- > 0)
			close(sockets[i]);
		free(sockets);
		return NULL;
	}
	return sockets;
}

static void close_sockets(int *sockets, const struct clbd_config *config)
{
	unsigned int i;

	for (i = 0; sockets && i < config->listener_count; i++)
		close(sockets[i]);
	free(sockets);
}

static void drop_sockets(const struct clbd_parent *parent, int **sockets,
			 const struct clbd_config *config)
{
	unsigned int i;

	for (i = 0; i < parent->count; i++)
		close_sockets(sockets[i], config);
	free(sockets);
}

/* Those of all workers, for the next configuration. Return: them, or NULL */
static int **open_all(const struct clbd_parent *parent,
		      const struct clbd_config *config)
{
	int **sockets = calloc(parent->count, sizeof(*sockets));
	unsigned int i;

	if (!sockets)
		return NULL;
	for (i = 0; i < parent->count; i++) {
		sockets[i] = open_sockets(config, parent->source.config,
					  parent->workers[i].sockets);
		if (sockets[i])
			continue;
		drop_sockets(parent, sockets, config);
		return NULL;
	}
	return sockets;
}

/* Everything that can fail is done before anything is changed. */
static void reload(struct clbd_parent *parent)
{
	struct clbd_source next;
	int **sockets;
	unsigned int i;

	if (clbd_source_read(parent->path, &next))
		goto refused;
	sockets = open_all(parent, next.config);
	if (!sockets) {
		clbd_source_free(&next);
		goto refused;
	}
	for (i = 0; i < parent->count; i++) {
		close_sockets(parent->workers[i].sockets,
			      parent->source.config);
		parent->workers[i].sockets = sockets[i];
	}
	free(sockets);
	clbd_source_free(&parent->source);
	parent->source = next;
	clbd_meters_register(parent->shared->meters, next.config);
	parent->announced = false;
	clbd_log_send(parent);
	for (i = 0; i < parent->count; i++) {
		if (parent->workers[i].pid)
			clbd_child_configure(parent, &parent->workers[i]);
	}
	if (parent->health.pid)
		clbd_child_configure(parent, &parent->health);
	return;
refused:
	fprintf(stderr, "clbd: not reloaded\n");
}

static void stop(struct clbd_parent *parent)
{
	uint32_t seconds = parent->source.config->timeouts.stop;
	unsigned int i;

	if (parent->stopping)
		return;
	parent->stopping = true;
	parent->kill_at = read_clock() + (seconds ? seconds : 30) * 1000 + 2000;
	if (parent->health.pid)
		clbd_child_order(&parent->health, CLBD_ORDER_STOP, NULL, -1);
	for (i = 0; i < parent->count; i++) {
		struct clbd_child *worker = &parent->workers[i];

		close_sockets(worker->sockets, parent->source.config);
		worker->sockets = NULL;
		/* The log ends with the last of the pipes. */
		close(worker->pipe[1]);
		worker->pipe[1] = -1;
		if (worker->pid)
			clbd_child_order(worker, CLBD_ORDER_STOP, NULL, -1);
	}
}

static void tell_stats(const struct clbd_parent *parent)
{
	char *text = clbd_stats_json(parent->shared);

	if (text)
		fputs(text, stderr);
	free(text);
}

static const char *name_of(const struct clbd_parent *parent,
			   const struct clbd_child *child)
{
	if (child == &parent->log)
		return "log";
	return child == &parent->health ? "health" : "worker";
}

static void child_ended(struct clbd_parent *parent, struct clbd_child *child,
			int status)
{
	close(child->control);
	child->control = -1;
	child->pid = 0;
	child->ready = false;
	if (parent->stopping)
		return;
	parent->shared->stats[parent->count].restarts++;
	if (WIFSIGNALED(status))
		fprintf(stderr,
			"clbd: %s killed by signal %d, starting it again\n",
			name_of(parent, child), WTERMSIG(status));
	else
		fprintf(stderr,
			"clbd: %s ended with status %d, starting it again\n",
			name_of(parent, child), WEXITSTATUS(status));
}

static void reap(struct clbd_parent *parent)
{
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == parent->log.pid)
			child_ended(parent, &parent->log, status);
		if (pid == parent->health.pid)
			child_ended(parent, &parent->health, status);
		for (i = 0; i < parent->count; i++) {
			if (pid == parent->workers[i].pid)
				child_ended(parent, &parent->workers[i],
					    status);
		}
	}
}

/* Starts what has ended; one that lived shortly, after a while. */
static void revive(struct clbd_parent *parent)
{
	uint64_t now = read_clock();
	unsigned int i;

	if (!parent->log.pid && now - parent->log.started >= CALM_MS &&
	    !clbd_child_start_log(parent))
		clbd_log_send(parent);
	if (!parent->health.pid && now - parent->health.started >= CALM_MS)
		clbd_child_start_health(parent);
	for (i = 0; i < parent->count; i++) {
		struct clbd_child *worker = &parent->workers[i];

		if (!worker->pid && now - worker->started >= CALM_MS)
			clbd_child_start(parent, i);
	}
}

static void take_signals(struct clbd_parent *parent)
{
	struct signalfd_siginfo info;

	while (read(parent->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			if (!parent->stopping)
				reload(parent);
			break;
		case SIGUSR1:
			clbd_log_send(parent);
			break;
		case SIGUSR2:
			tell_stats(parent);
			break;
		case SIGCHLD:
			reap(parent);
			break;
		default:
			stop(parent);
		}
	}
}

static bool has_server(const struct clbd_config *config, const char *address)
{
	unsigned int g, i;

	for (g = 0; g < config->group_count; g++) {
		const struct clbd_config_group *group = &config->groups[g];

		for (i = 0; i < group->server_count; i++) {
			if (!strcmp(group->servers[i].address, address))
				return true;
		}
	}
	return false;
}

/* Remembers what the checks say. Return: whether it is news */
static bool note_server(struct clbd_parent *parent, const char *address,
			bool down)
{
	unsigned int last = parent->down_count, i;
	void *more;

	for (i = 0; i < last; i++) {
		if (!strcmp(parent->down[i], address))
			break;
	}
	if (down == (i < last))
		return false;
	if (!down) {
		memmove(parent->down[i], parent->down[last - 1],
			sizeof(parent->down[0]));
		parent->down_count--;
		return true;
	}
	if (!has_server(parent->source.config, address))
		return false;
	more = realloc(parent->down, (last + 1) * sizeof(parent->down[0]));
	if (!more)
		return false;
	parent->down = more;
	snprintf(parent->down[last], sizeof(parent->down[0]), "%s", address);
	parent->down_count++;
	return true;
}

static void tell_server(struct clbd_parent *parent,
			const struct clbd_order *order)
{
	bool down = order->kind == CLBD_ORDER_DOWN;
	unsigned int i;

	if (!note_server(parent, order->address, down))
		return;
	parent->shared->servers_down = parent->down_count;
	fprintf(stderr, "clbd: server %s is %s\n", order->address,
		down ? "down" : "up");
	for (i = 0; i < parent->count; i++) {
		if (parent->workers[i].pid)
			clbd_child_order(&parent->workers[i], order->kind,
					 order->address, -1);
	}
}

static void take_answers(struct clbd_parent *parent, struct clbd_child *child)
{
	struct clbd_order order;

	while (clbd_order_receive(child->control, &order, NULL) > 0) {
		if (child == &parent->health)
			tell_server(parent, &order);
		else if (child == &parent->log)
			clbd_log_send(parent);
		else if (order.kind == CLBD_ORDER_READY)
			child->ready = true;
		else if (order.kind == CLBD_ORDER_FAILED)
			fprintf(stderr, "clbd: a worker cannot take the "
					"configuration\n");
	}
}

/* Return: whether any child is left */
static bool watch(struct clbd_parent *parent, struct pollfd *polls)
{
	unsigned int i, alive = 0, ready = 0;

	polls[parent->count].fd = parent->signals;
	polls[parent->count].events = POLLIN;
	polls[parent->count + 1].fd = parent->health.control;
	polls[parent->count + 1].events = parent->health.pid ? POLLIN : 0;
	for (i = 0; i < parent->count; i++) {
		polls[i].fd = parent->workers[i].control;
		polls[i].events = parent->workers[i].pid ? POLLIN : 0;
		alive += parent->workers[i].pid > 0;
		ready += parent->workers[i].ready;
	}
	if (ready == parent->count && !parent->announced) {
		parent->announced = true;
		fprintf(stderr, "clbd: ready\n");
	}
	if (parent->stopping && !alive && !parent->log.pid &&
	    !parent->health.pid)
		return false;
	poll(polls, parent->count + 2, 500);
	for (i = 0; i < parent->count; i++) {
		if (polls[i].revents & POLLIN)
			take_answers(parent, &parent->workers[i]);
	}
	if (polls[parent->count + 1].revents & POLLIN)
		take_answers(parent, &parent->health);
	if (parent->log.pid)
		take_answers(parent, &parent->log);
	take_signals(parent);
	return true;
}

static void kill_late(struct clbd_parent *parent)
{
	unsigned int i;

	if (read_clock() < parent->kill_at)
		return;
	for (i = 0; i < parent->count; i++) {
		if (parent->workers[i].pid)
			kill(parent->workers[i].pid, SIGKILL);
	}
	if (parent->log.pid)
		kill(parent->log.pid, SIGKILL);
	if (parent->health.pid)
		kill(parent->health.pid, SIGKILL);
}

static int loop(struct clbd_parent *parent)
{
	struct pollfd *polls = calloc(parent->count + 2, sizeof(*polls));

	if (!polls)
		return EXIT_FAILURE;
	while (watch(parent, polls)) {
		if (parent->stopping)
			kill_late(parent);
		else
			revive(parent);
	}
	free(polls);
	return EXIT_SUCCESS;
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* What a worker keeps over its deaths: sockets and its pipe to the log. */
static int prepare_worker(struct clbd_parent *parent, struct clbd_child *worker)
{
	worker->control = -1;
	if (pipe2(worker->pipe, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	/* As much as anybody may have; the usual size will do. */
	fcntl(worker->pipe[1], F_SETPIPE_SZ, 1024 * 1024);
	worker->sockets = open_sockets(parent->source.config, NULL, NULL);
	return worker->sockets ? 0 : -EADDRINUSE;
}

/* A client and an upstream for each connection; root may have so many. */
static void raise_files(const struct clbd_config *config)
{
	rlim_t wanted = config->limits.connections ? config->limits.connections
						   : 20000;
	struct rlimit limit;

	wanted = 2 * wanted + 1000;
	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted;
	if (limit.rlim_max < wanted)
		limit.rlim_max = wanted;
	if (!setrlimit(RLIMIT_NOFILE, &limit))
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	fprintf(stderr, "clbd: a worker may open %llu files, not %llu\n",
		(unsigned long long)limit.rlim_cur, (unsigned long long)wanted);
}

static int prepare(struct clbd_parent *parent)
{
	const struct clbd_config *config = parent->source.config;
	unsigned int i;
	int err;

	err = clbd_privilege_find(config->user, &parent->privilege);
	if (err) {
		fprintf(stderr, "clbd: user '%s' %s\n",
			config->user ? config->user : "nobody",
			err == -EPERM ? "is root" : "does not exist");
		return err;
	}
	raise_files(config);
	parent->count = config->workers ? config->workers
					: sysconf(_SC_NPROCESSORS_ONLN);
	parent->workers = calloc(parent->count, sizeof(*parent->workers));
	parent->shared = mmap(NULL, sizeof(*parent->shared) +
			      (parent->count + CLBD_STATS_OTHERS) *
				      sizeof(struct clbd_stats),
			      PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!parent->workers || parent->shared == MAP_FAILED)
		return -ENOMEM;
	parent->shared->meters = clbd_meters_new(parent->count);
	if (!parent->shared->meters)
		return -ENOMEM;
	clbd_meters_register(parent->shared->meters, config);
	parent->shared->workers = parent->count;
	parent->signals = block_signals();
	for (i = 0; i < parent->count; i++) {
		err = prepare_worker(parent, &parent->workers[i]);
		if (err)
			return err;
	}
	return 0;
}

static int start(struct clbd_parent *parent)
{
	unsigned int i;
	int err = prepare(parent);

	if (err)
		return err;
	err = clbd_child_start_log(parent);
	if (!err)
		clbd_log_send(parent);
	for (i = 0; !err && i < parent->count; i++)
		err = clbd_child_start(parent, i);
	return err ? err : clbd_child_start_health(parent);
}

int clbd_parent_run(const char *path)
{
	struct clbd_parent parent = { .path = path, .signals = -1 };
	int status = EXIT_FAILURE, err;

	if (clbd_source_read(path, &parent.source))
		return EXIT_FAILURE;
	err = start(&parent);
	if (err)
		fprintf(stderr, "clbd: not started: %s\n", strerror(-err));
	else
		status = loop(&parent);
	clbd_source_free(&parent.source);
	free(parent.workers);
	free(parent.down);
	return status;
}
