/* SPDX-License-Identifier: MIT */
/* A connection to a server, and those that wait for a request. */
#ifndef CLBD_UPSTREAM_H
#define CLBD_UPSTREAM_H

#include "clbd/conn.h"
#include "clbd/setup.h"

struct clbd_session;

/**
 * struct clbd_upstream - a connection to a server
 * @conn: first: what the loop knows
 * @server: to which
 * @session: that uses it; NULL: idle
 * @in: bytes from the server that were not sent on yet; NULL: none
 * @next: in the server's list of idle ones
 * @link: what points here
 * @connecting: no answer to the SYN yet
 * @used: it has served a session before
 */
struct clbd_upstream {
	struct clbd_conn conn;
	struct clbd_server *server;
	struct clbd_session *session;
	struct clbd_buffer *in;
	struct clbd_upstream *next;
	struct clbd_upstream **link;
	bool connecting;
	bool used;
};

/**
 * clbd_upstream_take() - a connection to a server for a session
 * @server: to which
 * @session: who will use it
 * @fresh: one that waited will not do
 *
 * Return: one that may still be connecting, or NULL
 */
struct clbd_upstream *clbd_upstream_take(struct clbd_server *server,
					 struct clbd_session *session,
					 bool fresh);

/* The session is done with it: it waits for another, or is closed. */
void clbd_upstream_leave(struct clbd_upstream *up, bool reusable);

/* Closes what is idle. */
void clbd_upstream_close_idle(struct clbd_server *server);

#endif /* CLBD_UPSTREAM_H */
