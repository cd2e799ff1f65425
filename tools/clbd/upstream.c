// SPDX-License-Identifier: MIT
/* Connections to servers. */
#include "clbd/upstream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clbd/client.h"
#include "clbd/stage.h"
#include "clbd/worker.h"

static void unlink_idle(struct clbd_upstream *up)
{
	*up->link = up->next;
	if (up->next)
		up->next->link = up->link;
	up->link = NULL;
	up->server->idle_count--;
}

static void close_upstream(struct clbd_upstream *up)
{
	struct clbd_worker *worker = up->conn.worker;

	if (up->link)
		unlink_idle(up);
	clbd_worker_put_buffer(worker, up->in);
	clbd_server_put(worker, up->server);
	clbd_conn_free(&up->conn, &worker->upstream_pool);
}

/* The session sees another upstream, or an answer, and its client goes on. */
static void unconnected(struct clbd_upstream *up, bool timeout)
{
	struct clbd_session *session = up->session;
	struct clbd_client *client = session->client;

	clbd_session_unconnected(session, timeout);
	clbd_client_run(client);
}

/*
 * Whether one that waited has not been closed meanwhile, and nothing has come:
 * what the server says unasked would be taken for the next response. The loop
 * knows what had come when this round began; to @look again takes a system
 * call.
 */
static bool is_silent(struct clbd_upstream *up, bool look)
{
	char byte;

	if (up->conn.ending || up->conn.broken)
		return false;
	if (!look && !up->conn.readable)
		return true;
	up->conn.readable = recv(up->conn.fd, &byte, 1,
				 MSG_PEEK | MSG_DONTWAIT) >= 0 ||
			    errno != EAGAIN;
	return !up->conn.readable;
}

static void wake(struct clbd_conn *conn)
{
	struct clbd_upstream *up = (struct clbd_upstream *)conn;
	socklen_t length = sizeof(int);
	int error = 0;

	if (!up->session) {
		/* An idle one has nothing to say but that it ends. */
		if (!is_silent(up, false))
			close_upstream(up);
		return;
	}
	if (up->connecting) {
		if (!conn->writable)
			return;
		getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &length);
		if (error || conn->broken) {
			unconnected(up, false);
			return;
		}
		up->connecting = false;
		conn->timer.deadline = UINT64_MAX;
	}
	clbd_client_run(up->session->client);
}

static void expire(struct clbd_conn *conn)
{
	struct clbd_upstream *up = (struct clbd_upstream *)conn;

	if (!up->session)
		close_upstream(up);
	else if (up->connecting)
		unconnected(up, true);
}

static const struct clbd_conn_ops ops = { .wake = wake, .expire = expire };

static int open_socket(const struct clbd_server *server, bool *connecting)
{
	int one = 1, err;
	int fd = socket(server->address.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*connecting = false;
	if (!connect(fd, (const void *)&server->address, server->length))
		return fd;
	if (errno == EINPROGRESS) {
		*connecting = true;
		return fd;
	}
	err = -errno;
	close(fd);
	return err;
}

static struct clbd_upstream *connect_to(struct clbd_worker *worker,
					struct clbd_server *server, uint32_t ms)
{
	struct clbd_upstream *up = clbd_pool_get(&worker->upstream_pool);
	bool connecting;
	int fd;

	if (!up)
		return NULL;
	memset(up, 0, sizeof(*up));
	worker->stats->connects++;
	fd = open_socket(server, &connecting);
	if (fd < 0)
		goto err_put;
	if (clbd_conn_open(&up->conn, worker, fd, &ops))
		goto err_close;
	up->server = clbd_server_get(server);
	up->connecting = connecting;
	up->conn.writable = !connecting;
	if (connecting)
		clbd_conn_deadline(&up->conn, ms);
	return up;
err_close:
	close(fd);
err_put:
	worker->stats->connect_errors++;
	clbd_pool_put(&worker->upstream_pool, up);
	return NULL;
}

static struct clbd_upstream *take_idle(struct clbd_server *server, bool look)
{
	struct clbd_upstream *up;

	while ((up = server->idle)) {
		if (is_silent(up, look)) {
			unlink_idle(up);
			up->conn.timer.deadline = UINT64_MAX;
			return up;
		}
		close_upstream(up);
	}
	return NULL;
}

struct clbd_upstream *clbd_upstream_take(struct clbd_server *server,
					 struct clbd_session *session,
					 bool fresh)
{
	struct clbd_worker *worker = session->client->conn.worker;
	bool look = !clbd_session_may_repeat(session);
	struct clbd_upstream *up = fresh ? NULL : take_idle(server, look);

	/* Connections of a server are its sessions and those that wait. */
	if (!up && server->idle && server->limit &&
	    server->load + server->idle_count > server->limit)
		close_upstream(server->idle);
	if (up)
		worker->stats->reuses++;
	else
		up = connect_to(worker, server, session->setup->connect_ms);
	if (up)
		up->session = session;
	return up;
}

void clbd_upstream_leave(struct clbd_upstream *up, bool reusable)
{
	struct clbd_server *server = up->server;

	up->session = NULL;
	if (!reusable || server->idle_count >= server->keep ||
	    (server->limit &&
	     server->load + server->idle_count > server->limit)) {
		close_upstream(up);
		return;
	}
	clbd_worker_put_buffer(up->conn.worker, up->in);
	up->in = NULL;
	up->used = true;
	up->next = server->idle;
	up->link = &server->idle;
	if (up->next)
		up->next->link = &up->next;
	server->idle = up;
	server->idle_count++;
	clbd_conn_deadline(&up->conn, server->keep_ms);
}

void clbd_upstream_close_idle(struct clbd_server *server)
{
	while (server->idle)
		close_upstream(server->idle);
}
