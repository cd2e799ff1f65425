// SPDX-License-Identifier: MIT
/*
 * The log's process: takes lines from the workers' pipes and writes them to the
 * file that the parent has opened. A disk that is slow stops this process
 * alone.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clbd/log.h"
#include "clbd/order.h"

/* What came of one worker and is not written yet: up to a whole line. */
struct source {
	size_t size;
	char data[CLBD_LOG_BUFFER + 1];
};

static void write_all(int file, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(file, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		data += n;
		size -= n;
	}
}

/* Writes whole lines; one that is longer than all there is room for, too. */
static void pass_lines(struct source *source, int file)
{
	const char *last = memrchr(source->data, '\n', source->size);
	size_t size = last ? last + 1 - source->data : 0;

	if (!size && source->size == sizeof(source->data))
		size = source->size;
	if (file >= 0)
		write_all(file, source->data, size);
	source->size -= size;
	memmove(source->data, source->data + size, source->size);
}

/* Return: whether the pipe's other end is open */
static bool read_lines(struct source *source, int pipe, int file)
{
	ssize_t n = read(pipe, source->data + source->size,
			 sizeof(source->data) - source->size);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	source->size += n;
	pass_lines(source, file);
	return true;
}

/* Return: whether the parent is there */
static bool take_orders(int control, int *file)
{
	struct clbd_order order;
	int fd, err;

	while ((err = clbd_order_receive(control, &order, &fd)) > 0) {
		if (order.kind != CLBD_ORDER_LOG) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		if (*file >= 0)
			close(*file);
		*file = fd;
	}
	return !err;
}

/* Ends when all workers have ended, or the parent, and nothing is left. */
int clbd_log_run(int control, const int *pipes, unsigned int count)
{
	struct source *sources = calloc(count, sizeof(*sources));
	struct pollfd *polls = calloc(count + 1, sizeof(*polls));
	unsigned int i, open = count;
	int file = -1;

	if (!sources || !polls)
		return EXIT_FAILURE;
	for (i = 0; i < count; i++)
		polls[i] = (struct pollfd){ .fd = pipes[i], .events = POLLIN };
	polls[count] = (struct pollfd){ .fd = control, .events = POLLIN };
	while (open) {
		if (poll(polls, count + 1, -1) < 0)
			continue;
		if (polls[count].revents && !take_orders(control, &file))
			polls[count].fd = -1;
		for (i = 0; i < count; i++) {
			if (!polls[i].revents ||
			    read_lines(&sources[i], polls[i].fd, file))
				continue;
			polls[i].fd = -1;
			open--;
		}
	}
	free(polls);
	free(sources);
	return EXIT_SUCCESS;
}
