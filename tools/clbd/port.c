// SPDX-License-Identifier: MIT
/* Listening sockets of a worker. */
#include "clbd/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clbd/client.h"
#include "clbd/worker.h"

#define ACCEPT_AT_ONCE 64

static void free_port(struct clbd_port *port)
{
	struct clbd_worker *worker = port->conn.worker;
	struct clbd_port **at = &worker->ports;

	while (*at != port)
		at = &(*at)->next;
	*at = port->next;
	clbd_setup_put(port->setup);
	clbd_conn_bury(&port->conn, &worker->port_pool);
}

void clbd_port_leave(struct clbd_port *port)
{
	if (!--port->clients && port->closed)
		free_port(port);
}

/*
 * Edge-triggered: what is not accepted now must be remembered as readable.
 * Return: whether there may be more, which nothing is in the way of
 */
static bool accept_clients(struct clbd_port *port)
{
	struct clbd_worker *worker = port->conn.worker;
	unsigned int i;

	for (i = 0; i < ACCEPT_AT_ONCE; i++) {
		struct sockaddr_storage peer;
		socklen_t length = sizeof(peer);
		int fd;

		if (worker->client_count >= worker->client_max) {
			worker->stats->connections_full++;
			return false;
		}
		fd = accept4(port->conn.fd, (void *)&peer, &length,
			     SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			clbd_client_accept(port, fd, &peer);
			continue;
		}
		if (errno == EAGAIN)
			port->conn.readable = false;
		if (errno != EINTR && errno != ECONNABORTED)
			return false;
	}
	return true;
}

/*
 * Who waits to be accepted still is; then it stays until its clients have gone.
 * The parent has the socket, too: closing it here does not end its place in the
 * loop.
 */
void clbd_port_close(struct clbd_port *port)
{
	if (!port->closed) {
		while (port->listener && accept_clients(port))
			;
		port->closed = true;
		epoll_ctl(port->conn.worker->epoll, EPOLL_CTL_DEL,
			  port->conn.fd, NULL);
		clbd_conn_close(&port->conn);
	}
	if (!port->clients)
		free_port(port);
}

/* A socket without memory or files for now is tried again after a while. */
static void wake(struct clbd_conn *conn)
{
	struct clbd_port *port = (struct clbd_port *)conn;

	if (!port->listener || port->closed || !conn->readable)
		return;
	if (accept_clients(port))
		clbd_conn_again(conn);
	else if (conn->readable)
		clbd_conn_deadline(conn, 0);
}

static const struct clbd_conn_ops ops = { .wake = wake, .expire = wake };

int clbd_port_add(struct clbd_worker *worker, const char *address, int fd)
{
	struct clbd_port *port;
	int err;

	for (port = worker->ports; port; port = port->next) {
		if (!port->closed && !strcmp(port->address, address)) {
			port->wanted = true;
			close(fd);
			return 0;
		}
	}
	port = clbd_pool_get(&worker->port_pool);
	if (!port) {
		close(fd);
		return -ENOMEM;
	}
	memset(port, 0, sizeof(*port));
	err = clbd_conn_open(&port->conn, worker, fd, &ops);
	if (err) {
		close(fd);
		clbd_pool_put(&worker->port_pool, port);
		return err;
	}
	port->conn.readable = true;
	snprintf(port->address, sizeof(port->address), "%s", address);
	port->wanted = true;
	port->next = worker->ports;
	worker->ports = port;
	return 0;
}

static struct clbd_listener *listener_of(struct clbd_setup *setup,
					 const char *address)
{
	unsigned int i;

	for (i = 0; i < setup->listener_count; i++) {
		if (!strcmp(setup->listeners[i].config->address, address))
			return &setup->listeners[i];
	}
	return NULL;
}

/*
 * The socket is older than the setup. Connections that wait are as they came; if
 * it cannot be said, none of them tells its client, which is counted.
 */
static void save_syns(const struct clbd_port *port)
{
	int save = port->listener->teller_count > 0;

	setsockopt(port->conn.fd, IPPROTO_TCP, TCP_SAVE_SYN, &save,
		   sizeof(save));
}

void clbd_port_update(struct clbd_worker *worker)
{
	struct clbd_port *port, *next;

	for (port = worker->ports; port; port = next) {
		struct clbd_listener *listener;

		next = port->next;
		listener = port->wanted && !port->closed
				   ? listener_of(worker->setup, port->address)
				   : NULL;
		port->wanted = false;
		if (!listener) {
			clbd_port_close(port);
			continue;
		}
		clbd_setup_put(port->setup);
		port->setup = clbd_setup_get(worker->setup);
		port->listener = listener;
		save_syns(port);
	}
	clbd_port_resume(worker);
}

void clbd_port_resume(struct clbd_worker *worker)
{
	struct clbd_port *port;

	for (port = worker->ports; port; port = port->next) {
		if (!port->closed && port->conn.readable)
			clbd_conn_deadline(&port->conn, 0);
	}
}
