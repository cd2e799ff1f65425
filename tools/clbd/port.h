/* SPDX-License-Identifier: MIT */
/* Listening sockets of a worker. */
#ifndef CLBD_PORT_H
#define CLBD_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "clbd/conn.h"
#include "clbd/setup.h"

/**
 * struct clbd_port - a listening socket
 * @conn: first: what the loop knows
 * @next: in the worker's list
 * @address: as the configuration has it: which port is which, over a reload
 * @setup: holds @listener
 * @listener: what holds for requests that begin now
 * @clients: connections that came in here
 * @wanted: by the setup that is being received
 * @closed: no longer listening; goes with the last client
 */
struct clbd_port {
	struct clbd_conn conn;
	struct clbd_port *next;
	char address[CLB_ADDRESS_TEXT];
	struct clbd_setup *setup;
	struct clbd_listener *listener;
	uint32_t clients;
	bool wanted;
	bool closed;
};

/* A socket from the parent for @address; taken over, whatever happens. */
int clbd_port_add(struct clbd_worker *worker, const char *address, int fd);

/* The worker's ports follow its setup: those it does not name are closed. */
void clbd_port_update(struct clbd_worker *worker);

/* Accepts from all again, after connections had been too many. */
void clbd_port_resume(struct clbd_worker *worker);

void clbd_port_close(struct clbd_port *port);

/* A client that came in here has gone. */
void clbd_port_leave(struct clbd_port *port);

#endif /* CLBD_PORT_H */
