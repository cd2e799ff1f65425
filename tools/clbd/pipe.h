/* SPDX-License-Identifier: MIT */
/*
 * Bodies that clbd need not see: of a long one whose length is known, the kernel
 * moves what comes from one socket through a pipe into the other, pages and not
 * copies of them (splice(2)). That takes two calls for each pipe full, as a
 * buffer does, and the time of copying twice is saved.
 *
 * Pipes are taken while there are some: a user may have so many pages in them
 * (pipe(7), pipe-user-pages-soft). Without one, bodies go through buffers.
 */
#ifndef CLBD_PIPE_H
#define CLBD_PIPE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct clbd_conn;

/* Bytes that a pipe has room for, if they come in whole pages. */
#define CLBD_PIPE_SIZE (256 * 1024)

/* Less than that is copied faster. */
#define CLBD_PIPE_LEAST (16 * 1024)

/* Of a worker, at the same time. */
#define CLBD_PIPES_MAX 128

/**
 * struct clbd_pipe - a pipe
 * @next: in the list of free ones
 * @in: where bytes come in
 * @out: where they leave it
 * @held: so many are in it
 */
struct clbd_pipe {
	struct clbd_pipe *next;
	int in;
	int out;
	uint32_t held;
};

/**
 * struct clbd_pipes - those of a worker
 * @free: which nobody uses
 * @count: all of them
 * @max: how many there may be: no more than the kernel once allowed
 */
struct clbd_pipes {
	struct clbd_pipe *free;
	unsigned int count;
	unsigned int max;
};

void clbd_pipes_init(struct clbd_pipes *pipes);
void clbd_pipes_release(struct clbd_pipes *pipes);

/* An empty one, or NULL. */
struct clbd_pipe *clbd_pipe_get(struct clbd_pipes *pipes);

/* What is left in it is lost. */
void clbd_pipe_put(struct clbd_pipes *pipes, struct clbd_pipe *pipe);

/**
 * clbd_pipe_fill() - take what has come in at a socket
 * @pipe: an empty one
 * @conn: that of the socket
 * @size: at most so many bytes
 *
 * Return: as clbd_conn_read()
 */
ssize_t clbd_pipe_fill(struct clbd_pipe *pipe, struct clbd_conn *conn,
		       size_t size);

/**
 * clbd_pipe_drain() - pass on what the peer of a socket takes
 * @pipe: not empty
 * @conn: that of the socket
 * @more: as for clbd_conn_write()
 *
 * Return: as clbd_conn_write()
 */
ssize_t clbd_pipe_drain(struct clbd_pipe *pipe, struct clbd_conn *conn,
			bool more);

#endif /* CLBD_PIPE_H */
