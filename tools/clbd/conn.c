// SPDX-License-Identifier: MIT
/* Connected sockets. */
#include "clbd/conn.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clbd/worker.h"

int clbd_conn_open(struct clbd_conn *conn, struct clbd_worker *worker, int fd,
		   const struct clbd_conn_ops *ops)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.ptr = conn,
	};

	memset(conn, 0, sizeof(*conn));
	conn->ops = ops;
	conn->worker = worker;
	conn->fd = fd;
	if (epoll_ctl(worker->epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	return 0;
}

static void unlink_again(struct clbd_conn *conn)
{
	if (!conn->again_link)
		return;
	*conn->again_link = conn->again;
	if (conn->again)
		conn->again->again_link = conn->again_link;
	conn->again_link = NULL;
}

static void link_again(struct clbd_conn **list, struct clbd_conn *conn)
{
	conn->again = *list;
	conn->again_link = list;
	if (conn->again)
		conn->again->again_link = &conn->again;
	*list = conn;
}

void clbd_conn_again(struct clbd_conn *conn)
{
	if (!conn->again_link)
		link_again(&conn->worker->again, conn);
}

void clbd_conn_later(struct clbd_conn *conn)
{
	if (!conn->again_link)
		link_again(&conn->worker->later, conn);
}

/* Who asks again meanwhile is in another list by then. */
static void run_list(struct clbd_conn **from)
{
	struct clbd_conn *list = *from;

	*from = NULL;
	if (list)
		list->again_link = &list;
	while (list) {
		struct clbd_conn *conn = list;

		unlink_again(conn);
		conn->ops->wake(conn);
	}
}

void clbd_conn_run_again(struct clbd_worker *worker)
{
	run_list(&worker->again);
}

void clbd_conn_run_later(struct clbd_worker *worker)
{
	run_list(&worker->later);
}

void clbd_conn_close(struct clbd_conn *conn)
{
	clbd_timer_stop(&conn->timer);
	unlink_again(conn);
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
}

/* An event of this round may be for it still. */
void clbd_conn_bury(struct clbd_conn *conn, struct clbd_pool *pool)
{
	struct clbd_worker *worker = conn->worker;

	conn->pool = pool;
	conn->next = worker->dead;
	worker->dead = conn;
}

void clbd_conn_free(struct clbd_conn *conn, struct clbd_pool *pool)
{
	clbd_conn_close(conn);
	clbd_conn_bury(conn, pool);
}

void clbd_conn_note(struct clbd_conn *conn, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP))
		conn->readable = true;
	if (events & EPOLLOUT)
		conn->writable = true;
	if (events & EPOLLRDHUP)
		conn->ending = true;
	if (events & (EPOLLERR | EPOLLHUP))
		conn->readable = conn->writable = conn->broken = true;
}

void clbd_conn_wake(struct clbd_conn *conn)
{
	if (conn->fd >= 0)
		conn->ops->wake(conn);
}

ssize_t clbd_conn_read_nothing(struct clbd_conn *conn, ssize_t n)
{
	conn->readable = false;
	if (n < 0 && errno == EAGAIN)
		return 0;
	conn->ended = true;
	if (n < 0) {
		conn->broken = true;
		return -errno;
	}
	return 0;
}

/* Fewer bytes than asked for: all is read, until the next event. */
ssize_t clbd_conn_read(struct clbd_conn *conn, void *data, size_t size)
{
	ssize_t n;

	if (conn->ops->read)
		return conn->ops->read(conn, data, size);
	do {
		n = recv(conn->fd, data, size, 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0) {
		if ((size_t)n < size && !conn->ending)
			conn->readable = false;
		return n;
	}
	return clbd_conn_read_nothing(conn, n);
}

ssize_t clbd_conn_wrote(struct clbd_conn *conn, ssize_t n, size_t size)
{
	if (n < 0 && errno == EAGAIN)
		n = 0;
	if (n < 0) {
		conn->writable = false;
		conn->broken = true;
		return -errno;
	}
	if ((size_t)n < size)
		conn->writable = false;
	return n;
}

ssize_t clbd_conn_write(struct clbd_conn *conn, struct iovec *iov, int count,
			bool more)
{
	struct msghdr message = { .msg_iov = iov, .msg_iovlen = count };
	int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
	size_t size = 0;
	ssize_t n;
	int i;

	if (conn->ops->write)
		return conn->ops->write(conn, iov, count);
	for (i = 0; i < count; i++)
		size += iov[i].iov_len;
	do {
		if (count == 1)
			n = send(conn->fd, iov->iov_base, size, flags);
		else
			n = sendmsg(conn->fd, &message, flags);
	} while (n < 0 && errno == EINTR);
	return clbd_conn_wrote(conn, n, size);
}

void clbd_conn_deadline(struct clbd_conn *conn, uint64_t ms)
{
	clbd_timer_set(&conn->worker->wheel, &conn->timer,
		       conn->worker->now + ms);
}
