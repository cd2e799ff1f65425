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

#include "clbd/config.h"
#include "clbd/order.h"

#define ANSWER_MAX 16

/**
 * struct check - a server and how it fares
 * @text: its address
 * @config: how it is checked
 * @rank: of the group that says so
 * @up: what it is taken for
 * @streak: results in a row that say otherwise
 * @fd: socket of a check under way; -1: none
 * @asked: the request was sent
 * @begin: ms when the next check begins, or the present one began
 * @answer: first bytes of the answer
 */
struct check {
	const char *text;
	const struct clbd_config_check *config;
	size_t rank;
	bool up;
	unsigned int streak;
	int fd;
	bool asked;
	uint64_t begin;
	size_t size;
	char answer[ANSWER_MAX];
};

struct health {
	int control;
	bool stop;
	uint64_t now;
	struct clbd_config *next;
	struct clbd_config *config;
	struct check *checks; /* in the order of their texts */
	size_t count;
	struct pollfd *polls;
	char (*down)[CLB_ADDRESS_TEXT]; /* what the parent knows, until commit */
	size_t down_count;
};

#define DEFAULT(value, otherwise) ((value) ? (value) : (otherwise))

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
	clbd_order_send(health->control,
			check->up ? CLBD_ORDER_UP : CLBD_ORDER_DOWN,
			check->text, -1);
}

static void end_check(struct health *health, struct check *check, bool good)
{
	const struct clbd_config_check *config = check->config;
	unsigned int needed;

	if (check->fd >= 0)
		close(check->fd);
	check->fd = -1;
	check->begin += DEFAULT(config->interval, 2) * 1000;
	if (check->begin < health->now)
		check->begin = health->now;
	if (good == check->up) {
		check->streak = 0;
		return;
	}
	needed = good ? DEFAULT(config->rise, 3) : DEFAULT(config->fall, 3);
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
	char text[CLB_ADDRESS_TEXT], *colon;

	if (!check->config->port)
		return clbd_config_address(check->text, address);
	snprintf(text, sizeof(text), "%.50s", check->text);
	colon = strrchr(text, ':');
	snprintf(colon + 1, 6, "%u", check->config->port);
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
		end_check(health, check, check->up);
	else if (connect(check->fd, (const void *)&address, length) &&
		 errno != EINPROGRESS)
		end_check(health, check, false);
}

static bool ask(struct check *check)
{
	const struct clbd_config_check *config = check->config;
	const char *host = config->host ? config->host : check->text;
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
	else if (check->config->type == CLBD_CONFIG_CHECK_TCP)
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
			  status > 0 && is_expected(check->config, status));
}

static int compare_texts(const void *a, const void *b)
{
	const struct check *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static int compare_checks(const void *a, const void *b)
{
	const struct check *x = a, *y = b;
	int order = compare_texts(a, b);

	return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static struct check *find_check(struct check *checks, size_t count,
				const char *text)
{
	const struct check key = { .text = text };

	return count ? bsearch(&key, checks, count, sizeof(key), compare_texts)
		     : NULL;
}

/*
 * In order, each once: a server in several groups is checked as the first of
 * them says.
 */
static size_t sort_checks(struct check *checks, size_t count)
{
	size_t kept = 0, i;

	if (count)
		qsort(checks, count, sizeof(*checks), compare_checks);
	for (i = 0; i < count; i++) {
		if (!kept || strcmp(checks[kept - 1].text, checks[i].text))
			checks[kept++] = checks[i];
	}
	return kept;
}

/* Another process of the checks, before this, found it down. */
static bool was_down(const struct health *health, const char *text)
{
	size_t i;

	for (i = 0; i < health->down_count; i++) {
		if (!strcmp(health->down[i], text))
			return true;
	}
	return false;
}

static void note_down(struct health *health, const char *text)
{
	void *more = realloc(health->down, (health->down_count + 1) *
						   sizeof(*health->down));

	if (!more)
		return;
	health->down = more;
	snprintf(health->down[health->down_count++], sizeof(*health->down),
		 "%s", text);
}

static size_t list_checks(const struct health *health,
			  const struct clbd_config *config,
			  struct check *checks)
{
	size_t count = 0, g, i;

	for (g = 0; g < config->group_count; g++) {
		const struct clbd_config_group *group = &config->groups[g];

		for (i = 0; group->check && i < group->server_count; i++) {
			const char *text = group->servers[i].address;
			const struct check *old = find_check(health->checks,
							     health->count,
							     text);

			checks[count++] = (struct check){
				.text = text,
				.config = group->check,
				.rank = g,
				.up = old ? old->up : !was_down(health, text),
				.fd = -1,
				.begin = health->now,
			};
		}
	}
	return sort_checks(checks, count);
}

/* Tells of all, and that those are up which are checked no longer. */
static void swap_checks(struct health *health, struct check *checks,
			size_t count)
{
	size_t i;

	for (i = 0; i < health->count; i++) {
		struct check *old = &health->checks[i];

		if (old->fd >= 0)
			close(old->fd);
		if (!find_check(checks, count, old->text)) {
			old->up = true;
			tell(health, old);
		}
	}
	for (i = 0; i < count; i++)
		tell(health, &checks[i]);
	free(health->checks);
	health->checks = checks;
	health->count = count;
}

static void commit(struct health *health)
{
	struct clbd_config *config = health->next;
	struct check *checks;
	struct pollfd *polls;
	size_t most = 0, g;

	if (!config)
		return;
	for (g = 0; g < config->group_count; g++)
		most += config->groups[g].server_count;
	checks = calloc(most, sizeof(*checks));
	polls = calloc(most + 1, sizeof(*polls));
	health->next = NULL;
	if (!checks || !polls) {
		free(checks);
		free(polls);
		clbd_config_free(config);
		return;
	}
	swap_checks(health, checks, list_checks(health, config, checks));
	free(health->polls);
	health->polls = polls;
	clbd_config_free(health->config);
	health->config = config;
}

/* What another process of the checks found down, and nothing checks any more. */
static void tell_unchecked(const struct health *health)
{
	size_t i;

	for (i = 0; i < health->down_count; i++) {
		if (!find_check(health->checks, health->count, health->down[i]))
			clbd_order_send(health->control, CLBD_ORDER_UP,
					health->down[i], -1);
	}
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
			tell_unchecked(health);
			free(health->down);
			health->down = NULL;
			health->down_count = 0;
		} else if (order.kind == CLBD_ORDER_DOWN) {
			note_down(health, order.address);
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

	for (i = 0; i < health->count; i++) {
		struct check *check = &health->checks[i];
		uint64_t due = check->begin;

		if (check->fd >= 0)
			due += DEFAULT(check->config->timeout, 5) * 1000;
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

static void round_of(struct health *health)
{
	int wait = look_at_clock(health);
	size_t i;

	for (i = 0; i < health->count; i++) {
		health->polls[i].fd = health->checks[i].fd;
		health->polls[i].events = health->checks[i].asked ? POLLIN
								  : POLLOUT;
	}
	health->polls[health->count].fd = health->control;
	health->polls[health->count].events = POLLIN;
	poll(health->polls, health->count + 1, wait);
	health->now = read_clock();
	for (i = 0; i < health->count; i++) {
		struct check *check = &health->checks[i];

		if (!health->polls[i].revents || check->fd < 0)
			continue;
		if (check->asked)
			answered(health, check);
		else
			connected(health, check);
	}
	if (health->polls[health->count].revents)
		take_orders(health);
}

int clbd_health_run(int control)
{
	struct health health = { .control = control, .now = read_clock() };

	health.polls = calloc(1, sizeof(*health.polls));
	while (health.polls && !health.stop)
		round_of(&health);
	while (health.count)
		if (health.checks[--health.count].fd >= 0)
			close(health.checks[health.count].fd);
	free(health.checks);
	free(health.polls);
	clbd_config_free(health.next);
	clbd_config_free(health.config);
	return EXIT_SUCCESS;
}
