// SPDX-License-Identifier: MIT
/*
 * Checks of servers, one after the other for each: connect, and for HTTP ask
 * and read the first bytes of the answer. So many good or bad ones in a row
 * change what a server is taken for.
 */
#include "clbd/health.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clbd/checks.h"
#include "clbd/order.h"

#define ANSWER_MAX 16

/* Until it is tried again to begin a check, for want of a socket. */
#define WANT_MS 100

/**
 * struct check - a server and how it fares
 * @what: it is, and how it is checked
 * @up: what it is taken for
 * @streak: results in a row that say otherwise
 * @fd: socket of a check under way; -1: none
 * @asked: the request was sent
 * @begin: ms when the next check begins, or the present one began
 * @answer: first bytes of the answer
 */
struct check {
	const struct clbd_check *what;
	bool up;
	unsigned int streak;
	int fd;
	bool asked;
	uint64_t begin;
	size_t size;
	char answer[ANSWER_MAX];
};

/**
 * struct health - all of them
 * @next: a configuration, until commit
 * @down: what the parent knows of, until commit
 * @config: the one that holds
 * @list: what it wants
 * @checks: of the same order
 * @polls: the parent, then the checks under way
 * @polled: these, without the parent
 */
struct health {
	int control;
	bool stop;
	uint64_t now;
	struct clbd_config *next;
	struct clbd_order *down;
	size_t down_count;
	struct clbd_config *config;
	struct clbd_checks list;
	struct check *checks;
	struct pollfd *polls;
	struct check **polled;
};

static uint64_t read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int clbd_health_status(const char *data, size_t size)
{
	static const char pattern[] = "HTTP/1.# ###";
	size_t i;

	for (i = 0; i < size && pattern[i]; i++) {
		if (pattern[i] == '#' ? data[i] < '0' || data[i] > '9'
				      : data[i] != pattern[i])
			return -1;
	}
	if (pattern[i])
		return 0;
	i = 100 * (data[9] - '0') + 10 * (data[10] - '0') + data[11] - '0';
	return i < 100 || i > 599 ? -1 : (int)i;
}

static void tell(const struct health *health, const struct check *check)
{
	clbd_order_tell(health->control,
			check->up ? CLBD_ORDER_UP : CLBD_ORDER_DOWN,
			check->what->server, check->what->own);
}

static void end_check(struct health *health, struct check *check, bool good)
{
	const struct clbd_config_check *config = check->what->config;
	unsigned int needed;

	if (check->fd >= 0)
		close(check->fd);
	check->fd = -1;
	check->begin += config->interval * 1000;
	if (check->begin < health->now)
		check->begin = health->now;
	if (good == check->up) {
		check->streak = 0;
		return;
	}
	needed = good ? config->rise : config->fall;
	if (++check->streak < needed)
		return;
	check->streak = 0;
	check->up = good;
	tell(health, check);
}

/* The server's own address, or the same with the port of the check. */
static socklen_t address_of(const struct check *check,
			    struct sockaddr_storage *address)
{
	const struct clbd_check *what = check->what;
	char text[CLB_ADDRESS_TEXT], *colon;

	if (!what->config->port)
		return clbd_config_address(what->server, address);
	snprintf(text, sizeof(text), "%.50s", what->server);
	colon = strrchr(text, ':');
	snprintf(colon + 1, 6, "%u", what->config->port);
	return clbd_config_address(text, address);
}

static void begin_check(struct health *health, struct check *check)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(check, &address);

	check->begin = health->now;
	check->asked = false;
	check->size = 0;
	check->fd = socket(address.ss_family,
			   SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* That this process has no sockets says nothing about the server. */
	if (check->fd < 0)
		check->begin += WANT_MS;
	else if (connect(check->fd, (const void *)&address, length) &&
		 errno != EINPROGRESS)
		end_check(health, check, false);
}

static bool ask(struct check *check)
{
	const struct clbd_config_check *config = check->what->config;
	const char *host = config->host ? config->host : check->what->server;
	char request[2048];
	int size;

	size = snprintf(request, sizeof(request),
			"%s %s HTTP/1.1\r\nHost: %s\r\n"
			"User-Agent: clbd-check\r\nConnection: close\r\n\r\n",
			config->method == CLBD_CONFIG_CHECK_GET ? "GET"
								: "HEAD",
			config->url ? config->url : "/", host);
	check->asked = true;
	return send(check->fd, request, size, MSG_NOSIGNAL) == size;
}

/* The connection is there, or will never be. */
static void connected(struct health *health, struct check *check)
{
	socklen_t length = sizeof(int);
	int error = 0;

	getsockopt(check->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error)
		end_check(health, check, false);
	else if (check->what->config->type == CLBD_CONFIG_CHECK_TCP)
		end_check(health, check, true);
	else if (!ask(check))
		end_check(health, check, false);
}

static bool is_expected(const struct clbd_config_check *config, int status)
{
	uint32_t expected = config->expect ? *config->expect
					   : CLBD_CONFIG_EXPECT_2XX;

	return expected & (1u << status / 100);
}

static void answered(struct health *health, struct check *check)
{
	ssize_t n = recv(check->fd, check->answer + check->size,
			 ANSWER_MAX - check->size, 0);
	int status;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_check(health, check, false);
		return;
	}
	check->size += n;
	status = clbd_health_status(check->answer, check->size);
	if (status)
		end_check(health, check,
			  status > 0 &&
				  is_expected(check->what->config, status));
}

/* What the parent knows from a process of the checks before this. */
static void note_down(struct health *health, const struct clbd_order *order)
{
	struct clbd_order *more = realloc(health->down,
					  (health->down_count + 1) *
						  sizeof(*more));

	if (!more)
		return;
	health->down = more;
	more[health->down_count++] = *order;
}

static void forget_down(struct health *health)
{
	free(health->down);
	health->down = NULL;
	health->down_count = 0;
}

static struct check *state_of(const struct clbd_checks *list,
			      struct check *checks, const char *server,
			      uint64_t own)
{
	const struct clbd_check *found = clbd_checks_find(list, server, own);

	return found ? &checks[found - list->checks] : NULL;
}

/*
 * A check that the configuration before had, too, goes on; one that is made
 * otherwise begins anew, from what the server is taken for.
 */
static void begin_state(struct health *health, struct check *check,
			const struct clbd_check *what)
{
	struct check *old = state_of(&health->list, health->checks,
				     what->server, what->own);
	bool same = old && old->what->config->id == what->config->id;

	*check = (struct check){ .up = true, .fd = -1, .begin = health->now };
	if (same) {
		*check = *old;
		old->fd = -1;
	} else if (old) {
		check->up = old->up;
	}
	check->what = what;
}

/* Of a check that was here before, more is known here than to the parent. */
static void apply_down(const struct health *health,
		       const struct clbd_checks *list, struct check *checks)
{
	size_t i;

	for (i = 0; i < health->down_count; i++) {
		const struct clbd_order *down = &health->down[i];
		struct check *check = state_of(list, checks, down->address,
					       down->number);

		if (check && !clbd_checks_find(&health->list, down->address,
					       down->number))
			check->up = false;
	}
}

static void end_checks(struct health *health)
{
	size_t i;

	for (i = 0; i < health->list.count; i++) {
		if (health->checks[i].fd >= 0)
			close(health->checks[i].fd);
	}
	free(health->checks);
	free(health->polled);
	clbd_checks_free(&health->list);
	clbd_config_free(health->config);
}

/* The parent knows what is checked no longer. */
static void swap_checks(struct health *health, struct check *checks,
			struct check **polled, const struct clbd_checks *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		begin_state(health, &checks[i], &list->checks[i]);
	apply_down(health, list, checks);
	end_checks(health);
	health->list = *list;
	health->checks = checks;
	health->polled = polled;
	health->config = health->next;
	health->next = NULL;
}

static void commit(struct health *health)
{
	struct clbd_checks list = { 0 };
	struct check *checks = NULL, **polled = NULL;
	struct pollfd *polls = NULL;

	if (health->next && !clbd_checks_list(health->next, &list)) {
		checks = calloc(list.count + 1, sizeof(*checks));
		polled = calloc(list.count + 1, sizeof(*polled));
		polls = calloc(list.count + 1, sizeof(*polls));
	}
	if (checks && polled && polls) {
		swap_checks(health, checks, polled, &list);
		free(health->polls);
		health->polls = polls;
	} else {
		free(checks);
		free(polled);
		free(polls);
		clbd_checks_free(&list);
	}
	forget_down(health);
}

static void take_orders(struct health *health)
{
	struct clbd_order order;
	int fd, err;

	while ((err = clbd_order_receive(health->control, &order, &fd)) > 0) {
		if (order.kind == CLBD_ORDER_CONFIG) {
			clbd_config_free(health->next);
			health->next = clbd_config_map(fd);
		} else if (order.kind == CLBD_ORDER_COMMIT) {
			commit(health);
		} else if (order.kind == CLBD_ORDER_DOWN) {
			note_down(health, &order);
		} else if (order.kind == CLBD_ORDER_STOP) {
			health->stop = true;
		}
		if (fd >= 0)
			close(fd);
	}
	if (err)
		health->stop = true;
}

/* Begins checks and ends those that take too long. Return: ms until the next */
static int look_at_clock(struct health *health)
{
	uint64_t next = health->now + 1000;
	size_t i;

	for (i = 0; i < health->list.count; i++) {
		struct check *check = &health->checks[i];
		uint64_t due = check->begin;

		if (check->fd >= 0)
			due += check->what->config->timeout * 1000;
		if (due <= health->now) {
			if (check->fd >= 0)
				end_check(health, check, false);
			else
				begin_check(health, check);
			due = check->begin;
		}
		if (due > health->now && due < next)
			next = due;
	}
	return next - health->now + 1;
}

/* Those under way alone: of more files than may be open nobody can be told. */
static size_t fill_polls(struct health *health)
{
	size_t count = 0, i;

	health->polls[0] = (struct pollfd){ health->control, POLLIN, 0 };
	for (i = 0; i < health->list.count; i++) {
		struct check *check = &health->checks[i];

		if (check->fd < 0)
			continue;
		health->polled[count++] = check;
		health->polls[count] = (struct pollfd){
			check->fd, check->asked ? POLLIN : POLLOUT, 0
		};
	}
	return count;
}

/* What cannot be heard of says nothing about servers. */
static void give_up(struct health *health, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		end_check(health, health->polled[i], health->polled[i]->up);
}

static void round_of(struct health *health)
{
	int wait = look_at_clock(health);
	size_t count = fill_polls(health), i;
	int n = poll(health->polls, count + 1, wait);

	health->now = read_clock();
	if (n < 0)
		give_up(health, count);
	for (i = 0; n > 0 && i < count; i++) {
		struct check *check = health->polled[i];

		if (!health->polls[1 + i].revents)
			continue;
		if (check->asked)
			answered(health, check);
		else
			connected(health, check);
	}
	if (n > 0 && health->polls[0].revents)
		take_orders(health);
}

int clbd_health_run(int control)
{
	struct health health = { .control = control, .now = read_clock() };

	health.polls = calloc(1, sizeof(*health.polls));
	while (health.polls && !health.stop)
		round_of(&health);
	end_checks(&health);
	forget_down(&health);
	free(health.polls);
	clbd_config_free(health.next);
	return EXIT_SUCCESS;
}
