/* SPDX-License-Identifier: MIT */
/* A client's connection: one session after the other. */
#ifndef CLBD_CLIENT_H
#define CLBD_CLIENT_H

#include "clbd/conn.h"
#include "clbd/session.h"

struct clbd_h2;
struct clbd_port;

/**
 * struct clbd_client - a connection of a client
 * @conn: first: what the loop knows
 * @next: in the worker's list
 * @link: what points here
 * @port: where it was accepted
 * @session: the request that is being read or served
 * @in: bytes from the client that no one has taken yet; NULL: none
 * @meter: of the listener it was accepted by
 * @announced: a header of the PROXY protocol comes first
 * @peer: its address, as text
 * @peer_size: bytes of that
 * @peer_port: its port
 * @h2: what there is instead of a session, where it speaks HTTP/2
 * @fresh: nothing was read yet: its first bytes may be HTTP/2's preface
 * @asked: something of a request has come
 * @lingering: answered, and read from only for the answer to arrive
 */
struct clbd_client {
	struct clbd_conn conn;
	struct clbd_client *next;
	struct clbd_client **link;
	struct clbd_port *port;
	struct clbd_session *session;
	struct clbd_h2 *h2;
	struct clbd_buffer *in;
	struct clbd_meter *meter;
	uint16_t peer_port;
	uint8_t peer_size;
	bool fresh;
	bool lingering;
	bool asked;
	bool announced;
	char peer[46];
};

/* A connection was accepted; @fd is taken over. */
void clbd_client_accept(struct clbd_port *port, int fd,
			const struct sockaddr_storage *peer);

/* Goes on with whatever can go on; the client may be gone afterwards. */
static inline void clbd_client_run(struct clbd_client *client)
{
	client->conn.ops->wake(&client->conn);
}

void clbd_client_close(struct clbd_client *client);

/*
 * Closing while the client still sends would reset the connection and take what
 * was said last away from it: it is read from until it ends, for so long.
 */
void clbd_client_linger(struct clbd_client *client);

/* One less of those that limits.connections is for. */
void clbd_client_uncount(struct clbd_worker *worker);

/* The worker stops: connections between requests end. */
void clbd_client_stop(struct clbd_client *client);

#endif /* CLBD_CLIENT_H */
