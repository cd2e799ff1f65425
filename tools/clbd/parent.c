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
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clbd/meter.h"
#include "clbd/order.h"
#include "clbd/pipe.h"

/* A worker that ends sooner is not started again at once. */
#define CALM_MS 1000
/* So many answers of a child are taken before others have their turn. */
#define ANSWERS 64

uint64_t clbd_parent_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Everything that can fail is done before anything is changed. */
static int read_next(struct clbd_parent *parent, struct clbd_source *next,
		     int ***sockets, char error[CLBD_CONFIG_ERROR])
{
	int err = clbd_source_read(parent->path, next, error);

	if (err)
		return err;
	*sockets = clbd_sockets_open_all(parent, next->config, error);
	if (*sockets)
		return 0;
	clbd_source_free(next);
	return -EINVAL;
}

static void send_config(struct clbd_parent *parent)
{
	unsigned int i;

	parent->announced = false;
	clbd_log_send(parent);
	for (i = 0; i < parent->count; i++) {
		if (parent->workers[i].pid)
			clbd_child_configure(parent, &parent->workers[i]);
	}
	if (parent->health.pid)
		clbd_child_configure(parent, &parent->health);
}

int clbd_parent_reload(struct clbd_parent *parent,
		       char error[CLBD_CONFIG_ERROR])
{
	struct clbd_source next;
	int **sockets, err;
	unsigned int i;

	/* The next program was given the sockets, and has read the text. */
	if (parent->upgrade.pid) {
		snprintf(error, CLBD_CONFIG_ERROR, "an upgrade is under way");
		err = -EBUSY;
	} else {
		err = read_next(parent, &next, &sockets, error);
	}
	if (err) {
		fprintf(stderr, "clbd: %s\nclbd: not reloaded\n", error);
		return err;
	}
	for (i = 0; i < parent->count; i++) {
		clbd_sockets_close(parent->workers[i].sockets,
				   parent->source.config);
		parent->workers[i].sockets = sockets[i];
	}
	free(sockets);
	clbd_source_free(&parent->source);
	parent->source = next;
	clbd_meters_register(parent->shared->meters, next.config);
	clbd_outage_sweep(parent);
	send_config(parent);
	return 0;
}

static void stop(struct clbd_parent *parent)
{
	uint32_t seconds = parent->source.config->timeouts.stop;
	unsigned int i;

	if (parent->stopping)
		return;
	parent->stopping = true;
	/* Who wants clbd to end means the next program, too. */
	clbd_upgrade_end(parent);
	parent->kill_at = clbd_parent_now() + (seconds ? seconds : 30) * 1000 + 2000;
	if (parent->health.pid)
		clbd_child_order(&parent->health, CLBD_ORDER_STOP, NULL, -1);
	for (i = 0; i < parent->count; i++) {
		struct clbd_child *worker = &parent->workers[i];

		clbd_sockets_close(worker->sockets, parent->source.config);
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

static void upgrade_failed(struct clbd_parent *parent, int status)
{
	char error[CLBD_CONFIG_ERROR];

	clbd_upgrade_failed(parent, status, error);
	fprintf(stderr, "clbd: not upgraded: %s\n", error);
	clbd_control_tell(parent, CLBD_CONTROL_UPGRADE, error);
}

static void reap(struct clbd_parent *parent)
{
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == parent->upgrade.pid)
			upgrade_failed(parent, status);
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
	uint64_t now = clbd_parent_now();
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
	char error[CLBD_CONFIG_ERROR];

	while (read(parent->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			if (!parent->stopping)
				clbd_parent_reload(parent, error);
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

static void config_failed(struct clbd_parent *parent)
{
	static const char why[] = "a worker cannot take the configuration";

	fprintf(stderr, "clbd: %s\n", why);
	clbd_control_tell(parent, CLBD_CONTROL_RELOAD, why);
}

static void take_answers(struct clbd_parent *parent, struct clbd_child *child)
{
	struct clbd_order order;
	unsigned int i;
	int err = 0;

	for (i = 0; i < ANSWERS; i++) {
		err = clbd_order_receive(child->control, &order, NULL);
		if (err <= 0)
			break;
		if (child == &parent->health)
			clbd_outage_checked(parent, order.address, order.number,
					    order.kind == CLBD_ORDER_DOWN);
		else if (child == &parent->log)
			clbd_log_send(parent);
		else if (order.kind == CLBD_ORDER_READY)
			child->ready = true;
		else if (order.kind == CLBD_ORDER_FAILED)
			config_failed(parent);
	}
	/* Nothing more can be said with it; one that has ended is reaped. */
	if (err < 0 && child->pid)
		kill(child->pid, SIGKILL);
}

/* Who waits for the workers, in here and elsewhere, is told. */
static void announce(struct clbd_parent *parent)
{
	parent->announced = true;
	fprintf(stderr, "clbd: ready\n");
	clbd_control_tell(parent, CLBD_CONTROL_RELOAD, NULL);
	clbd_control_publish(parent);
	clbd_upgrade_ready(parent);
	clbd_notify("READY=1");
}

/* The next program has taken over all but what has begun. */
static void hand_over(struct clbd_parent *parent)
{
	fprintf(stderr, "clbd: upgraded: process %d goes on\n",
		(int)parent->upgrade.pid);
	close(parent->upgrade.next);
	parent->upgrade.next = -1;
	parent->upgrade.pid = 0;
	clbd_control_hand_over(parent);
	stop(parent);
}

/*
 * What is polled for: the workers, and behind them these, then the control
 * socket's.
 */
enum { POLL_SIGNALS, POLL_HEALTH, POLL_UPGRADE, POLL_CONTROL };

static unsigned int count_polls(const struct clbd_parent *parent)
{
	return parent->count + POLL_CONTROL + CLBD_CONTROL_POLLS;
}

static void fill_polls(struct clbd_parent *parent, struct pollfd *polls)
{
	struct pollfd *more = polls + parent->count;
	unsigned int i;

	for (i = 0; i < parent->count; i++)
		polls[i] = (struct pollfd){ parent->workers[i].control, POLLIN,
					    0 };
	more[POLL_SIGNALS] = (struct pollfd){ parent->signals, POLLIN, 0 };
	more[POLL_HEALTH] = (struct pollfd){ parent->health.control, POLLIN,
					     0 };
	more[POLL_UPGRADE] = (struct pollfd){ parent->upgrade.next, POLLIN, 0 };
	clbd_control_poll(parent, more + POLL_CONTROL);
}

/* Return: whether any child is left */
static bool is_alive(const struct clbd_parent *parent)
{
	bool alive = parent->log.pid || parent->health.pid;
	unsigned int i;

	for (i = 0; i < parent->count; i++)
		alive |= parent->workers[i].pid > 0;
	return alive;
}

static bool is_ready(const struct clbd_parent *parent)
{
	unsigned int i;

	for (i = 0; i < parent->count; i++) {
		if (!parent->workers[i].ready)
			return false;
	}
	return true;
}

/* A child that has ended has no socket, or one that says nothing any more. */
static void watch(struct clbd_parent *parent, struct pollfd *polls)
{
	struct pollfd *more = polls + parent->count;
	unsigned int i;

	fill_polls(parent, polls);
	poll(polls, count_polls(parent), 500);
	for (i = 0; i < parent->count; i++) {
		if (polls[i].revents)
			take_answers(parent, &parent->workers[i]);
	}
	if (more[POLL_HEALTH].revents)
		take_answers(parent, &parent->health);
	if (parent->log.pid)
		take_answers(parent, &parent->log);
	if (more[POLL_UPGRADE].revents && clbd_upgrade_heard(parent))
		hand_over(parent);
	take_signals(parent);
	clbd_control_run(parent, more + POLL_CONTROL, clbd_parent_now());
	clbd_outage_tick(parent, clbd_parent_now());
	clbd_upgrade_tick(parent, clbd_parent_now());
}

static void kill_late(struct clbd_parent *parent)
{
	unsigned int i;

	if (clbd_parent_now() < parent->kill_at)
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
	struct pollfd *polls = calloc(count_polls(parent), sizeof(*polls));

	if (!polls)
		return EXIT_FAILURE;
	while (!parent->stopping || is_alive(parent)) {
		if (!parent->stopping && !parent->announced && is_ready(parent))
			announce(parent);
		watch(parent, polls);
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
static int prepare_worker(struct clbd_parent *parent, unsigned int index)
{
	struct clbd_child *worker = &parent->workers[index];
	char error[CLBD_CONFIG_ERROR];

	worker->control = -1;
	if (pipe2(worker->pipe, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	/* As much as anybody may have; the usual size will do. */
	fcntl(worker->pipe[1], F_SETPIPE_SZ, 1024 * 1024);
	worker->sockets = clbd_sockets_open(parent, index,
					    parent->source.config, error);
	if (worker->sockets)
		return 0;
	fprintf(stderr, "clbd: %s\n", error);
	return -EADDRINUSE;
}

/*
 * A client and an upstream for each connection, and pipes; root may have so many.
 */
static void raise_files(const struct clbd_config *config)
{
	rlim_t wanted = config->limits.connections ? config->limits.connections
						   : 20000;
	struct rlimit limit;

	wanted = 2 * wanted + 2 * CLBD_PIPES_MAX + 1000;
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
	err = clbd_upgrade_receive(parent);
	if (!err)
		err = clbd_control_open(parent);
	if (err)
		return err;
	raise_files(config);
	parent->count = config->workers ? config->workers
					: sysconf(_SC_NPROCESSORS_ONLN);
	parent->workers = calloc(parent->count, sizeof(*parent->workers));
	parent->shared = clbd_shared_new(parent->count);
	if (!parent->workers || !parent->shared)
		return -ENOMEM;
	clbd_meters_register(parent->shared->meters, config);
	/* What the program before has left is counted. */
	clbd_outage_sweep(parent);
	parent->signals = block_signals();
	for (i = 0; i < parent->count; i++) {
		err = prepare_worker(parent, i);
		if (err)
			return err;
	}
	clbd_upgrade_settle(parent);
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
	char error[CLBD_CONFIG_ERROR];

	clbd_control_init(&parent.control);
	if (clbd_source_read(path, &parent.source, error)) {
		fprintf(stderr, "clbd: %s\n", error);
		return EXIT_FAILURE;
	}
	if (readlink("/proc/self/exe", parent.program,
		     sizeof(parent.program) - 1) < 0)
		parent.program[0] = 0;
	err = start(&parent);
	if (err)
		fprintf(stderr, "clbd: not started: %s\n", strerror(-err));
	else
		status = loop(&parent);
	clbd_control_close(&parent);
	clbd_upgrade_settle(&parent);
	clbd_source_free(&parent.source);
	clbd_shared_free(parent.shared);
	free(parent.workers);
	free(parent.outages);
	return status;
}
