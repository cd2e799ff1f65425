/* SPDX-License-Identifier: MIT */
/*
 * A connected socket in a worker's loop: what is known about it, its deadline,
 * and whom to tell. It is registered once, edge-triggered; what an event or a
 * system call told is remembered until another tells otherwise.
 */
#ifndef CLBD_CONN_H
#define CLBD_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "clbd/pool.h"
#include "clbd/wheel.h"

struct clbd_worker;
struct clbd_conn;

/* Who has the connection: both may close and free it. */
struct clbd_conn_ops {
	void (*wake)(struct clbd_conn *conn); /* a flag below was set */
	void (*expire)(struct clbd_conn *conn); /* the deadline is past */
	/* as below, of what is no socket; NULL: it is one */
	ssize_t (*read)(struct clbd_conn *conn, void *data, size_t size);
	ssize_t (*write)(struct clbd_conn *conn, struct iovec *iov, int count);
};

/**
 * struct clbd_conn - a connection
 * @timer: its deadline
 * @next: in the list of those that ended in this round
 * @again: in the list of those that have more to do in the next round, or at the
 *	end of this one
 * @again_link: what points here; NULL: not in it
 * @pool: where its memory goes
 * @readable: reading may have a result
 * @writable: writing may have a result
 * @ending: the peer has sent all it had; some of it may be unread
 * @ended: all was read
 * @broken: reset, or no connection came about
 */
struct clbd_conn {
	const struct clbd_conn_ops *ops;
	struct clbd_worker *worker;
	struct clbd_timer timer;
	struct clbd_conn *next;
	struct clbd_conn *again;
	struct clbd_conn **again_link;
	struct clbd_pool *pool;
	int fd;
	bool readable;
	bool writable;
	bool ending;
	bool ended;
	bool broken;
};

/* Takes @fd over; on failure, -errno, it stays with the caller. */
int clbd_conn_open(struct clbd_conn *conn, struct clbd_worker *worker, int fd,
		   const struct clbd_conn_ops *ops);

/* Closes the socket: nobody is told of it any more. */
void clbd_conn_close(struct clbd_conn *conn);

/* Of a closed one, memory goes back to @pool when the round is over. */
void clbd_conn_bury(struct clbd_conn *conn, struct clbd_pool *pool);

/* Both. */
void clbd_conn_free(struct clbd_conn *conn, struct clbd_pool *pool);

/* What epoll_wait() said. */
void clbd_conn_note(struct clbd_conn *conn, uint32_t events);

/* Its owner is told, unless it was closed meanwhile. */
void clbd_conn_wake(struct clbd_conn *conn);

/**
 * clbd_conn_read() - read what is there
 *
 * Return: number of bytes; 0 where there is nothing now, or never will be:
 * then @ended is set; or -errno, with @broken set
 */
ssize_t clbd_conn_read(struct clbd_conn *conn, void *data, size_t size);

/*
 * What a system call says that read nothing from the socket: @n is its result.
 * Return: as clbd_conn_read()
 */
ssize_t clbd_conn_read_nothing(struct clbd_conn *conn, ssize_t n);

/**
 * clbd_conn_write() - write what the peer takes
 * @more: if all is taken, something else follows at once, more bytes or the end
 *	of the connection: it may be in the same segment
 *
 * Return: number of bytes, 0 where the peer takes none now, or -errno
 */
ssize_t clbd_conn_write(struct clbd_conn *conn, struct iovec *iov, int count,
			bool more);

/*
 * What a system call says that was to write @size bytes to the socket: @n is its
 * result. Return: as clbd_conn_write()
 */
ssize_t clbd_conn_wrote(struct clbd_conn *conn, ssize_t n, size_t size);

/*
 * There is more to do, but others have their turn first: woken in the next
 * round.
 */
void clbd_conn_again(struct clbd_conn *conn);

/*
 * Other events of this round may bring more to do: woken at its end, unless it
 * is in the list of the next one.
 */
void clbd_conn_later(struct clbd_conn *conn);

/* Wake those that had asked for it. */
void clbd_conn_run_again(struct clbd_worker *worker);
void clbd_conn_run_later(struct clbd_worker *worker);

/* Deadline in @ms from now. */
void clbd_conn_deadline(struct clbd_conn *conn, uint64_t ms);

#endif /* CLBD_CONN_H */
