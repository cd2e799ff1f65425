// SPDX-License-Identifier: MIT
/*
 * The log's process: takes lines from the workers' pipes and writes them to
 * what the parent has opened, a file or the socket of syslog. A disk that is
 * slow stops this process alone. Lines that cannot be written are counted.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "clbd/config.h"
#include "clbd/log.h"
#include "clbd/order.h"

/* What came of one worker and is not written yet: up to a whole line. */
struct source {
	size_t size;
	char data[CLBD_LOG_BUFFER + 1];
};

/**
 * struct sink - where lines go
 * @control: to the parent
 * @file: a file or a socket; -1: none
 * @syslog: it is that of syslog
 * @format: of what is before a line then
 * @priority: the same
 * @torn: the last line in the file is not whole
 * @asked: second when the parent was asked for another socket
 */
struct sink {
	int control;
	struct clbd_stats *stats;
	int file;
	bool syslog;
	unsigned int format;
	unsigned int priority;
	bool torn;
	time_t asked;
};

static void lose(struct sink *sink, const char *data, size_t size)
{
	const char *end = data + size;

	while ((data = memchr(data, '\n', end - data))) {
		sink->stats->log_lost++;
		data++;
	}
}

/* Return: how many bytes were written */
static size_t write_all(int file, const char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(file, data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	return done;
}

/* Behind a line that had no room, the next begins on one of its own. */
static void write_lines(struct sink *sink, const char *data, size_t size)
{
	size_t done = 0;

	if (sink->torn)
		sink->torn = write_all(sink->file, "\n", 1) != 1;
	if (!sink->torn)
		done = write_all(sink->file, data, size);
	if (done && done < size)
		sink->torn = data[done - 1] != '\n';
	lose(sink, data + done, size - done);
}

/* Return: what it takes of @out */
static size_t put_header(const struct sink *sink, time_t now, char *out,
			 size_t size)
{
	char date[40];
	struct tm tm;

	if (sink->format == CLBD_CONFIG_SYSLOG_RFC5424) {
		gmtime_r(&now, &tm);
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
		return snprintf(out, size, "<%u>1 %s - clbd %d access - ",
				sink->priority, date, getpid());
	}
	/* The host is left out, as between programs of one. */
	localtime_r(&now, &tm);
	strftime(date, sizeof(date), "%b %e %H:%M:%S", &tm);
	return snprintf(out, size, "<%u>%s clbd[%d]: ", sink->priority, date,
			getpid());
}

/* Nobody is there any more: another socket may reach who comes after. */
static void ask_parent(struct sink *sink, time_t now)
{
	if (sink->asked == now)
		return;
	sink->asked = now;
	clbd_order_send(sink->control, CLBD_ORDER_LOG, NULL, -1);
}

static bool send_line(const struct sink *sink, char *header,
		      size_t header_size, const char *line, size_t size)
{
	struct iovec iov[2] = {
		{ .iov_base = header, .iov_len = header_size },
		{ .iov_base = (void *)line, .iov_len = size },
	};
	const struct msghdr message = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	do {
		n = sendmsg(sink->file, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n >= 0;
}

/* A message for each line. */
static void send_lines(struct sink *sink, const char *data, size_t size)
{
	const char *end = data + size;
	time_t now = time(NULL);
	char header[128];
	size_t header_size = put_header(sink, now, header, sizeof(header));

	while (data < end) {
		const char *stop = memchr(data, '\n', end - data);

		if (!stop)
			break;
		if (sink->file < 0 || !send_line(sink, header, header_size,
						 data, stop - data)) {
			sink->stats->log_lost++;
			if (sink->file < 0 || errno != EMSGSIZE)
				ask_parent(sink, now);
		}
		data = stop + 1;
	}
}

/* Passes whole lines on; one that is longer than all there is room for, too. */
static void pass_lines(struct source *source, struct sink *sink)
{
	const char *last = memrchr(source->data, '\n', source->size);
	size_t size = last ? last + 1 - source->data : 0;

	if (!size && source->size == sizeof(source->data))
		size = source->size;
	if (sink->syslog)
		send_lines(sink, source->data, size);
	else if (sink->file >= 0)
		write_lines(sink, source->data, size);
	else
		lose(sink, source->data, size);
	source->size -= size;
	memmove(source->data, source->data + size, source->size);
}

/* Return: whether the pipe's other end is open */
static bool read_lines(struct source *source, int pipe, struct sink *sink)
{
	ssize_t n = read(pipe, source->data + source->size,
			 sizeof(source->data) - source->size);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	source->size += n;
	pass_lines(source, sink);
	return true;
}

static void take_sink(struct sink *sink, const struct clbd_order *order, int fd)
{
	unsigned int facility = 0;

	if (sink->file >= 0)
		close(sink->file);
	sink->file = fd;
	sink->torn = false;
	sink->syslog = sscanf(order->address, "%u %u", &sink->format,
			      &facility) == 2;
	/* All of it is information: severity 6. */
	sink->priority = facility * 8 + 6;
}

/* Return: whether the parent is there */
static bool take_orders(struct sink *sink)
{
	struct clbd_order order;
	int fd, err;

	while ((err = clbd_order_receive(sink->control, &order, &fd)) > 0) {
		if (order.kind == CLBD_ORDER_LOG)
			take_sink(sink, &order, fd);
		else if (fd >= 0)
			close(fd);
	}
	return !err;
}

/* Ends when all workers have ended, or the parent, and nothing is left. */
int clbd_log_run(int control, const int *pipes, unsigned int count,
		 struct clbd_stats *stats)
{
	struct source *sources = calloc(count, sizeof(*sources));
	struct pollfd *polls = calloc(count + 1, sizeof(*polls));
	struct sink sink = { .control = control, .stats = stats, .file = -1 };
	unsigned int i, open = count;

	if (!sources || !polls)
		return EXIT_FAILURE;
	for (i = 0; i < count; i++)
		polls[i] = (struct pollfd){ .fd = pipes[i], .events = POLLIN };
	polls[count] = (struct pollfd){ .fd = control, .events = POLLIN };
	while (open) {
		if (poll(polls, count + 1, -1) < 0)
			continue;
		if (polls[count].revents && !take_orders(&sink))
			polls[count].fd = -1;
		for (i = 0; i < count; i++) {
			if (!polls[i].revents ||
			    read_lines(&sources[i], polls[i].fd, &sink))
				continue;
			polls[i].fd = -1;
			open--;
		}
	}
	free(polls);
	free(sources);
	return EXIT_SUCCESS;
}
