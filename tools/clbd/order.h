/* SPDX-License-Identifier: MIT */
/*
 * Orders of the parent to its children, over a socketpair that keeps messages
 * apart; some come with a file. A worker answers a commit.
 *
 *	config	a file with the text of a configuration
 *	pages	a file with the pages of errors of that configuration
 *	listen	a listening socket, and its address in the configuration
 *	commit	what was sent holds from now on; answered by ready or failed
 *	stop	finish what has begun, then end
 *	log	a file to write the access log to
 *	up, down	what checks say of a server, to the parent and from it;
 *			number: which check, as clbd_config_check has it
 *	drain, drained, fill	what an operator says of a server; to the next
 *			program, number: until when
 */
#ifndef CLBD_ORDER_H
#define CLBD_ORDER_H

#include <stdint.h>

#include "lib/address.h"

enum clbd_order_kind {
	CLBD_ORDER_CONFIG = 1,
	CLBD_ORDER_LISTEN,
	CLBD_ORDER_COMMIT,
	CLBD_ORDER_STOP,
	CLBD_ORDER_LOG,
	CLBD_ORDER_READY,
	CLBD_ORDER_FAILED,
	CLBD_ORDER_UP,
	CLBD_ORDER_DOWN,
	CLBD_ORDER_PAGES,
	CLBD_ORDER_DRAIN,
	CLBD_ORDER_DRAINED,
	CLBD_ORDER_FILL,
};

struct clbd_order {
	uint32_t kind;
	uint64_t number;
	char address[CLB_ADDRESS_TEXT];
};

/* @fd: goes with it; -1: none. Return: 0 or -errno */
int clbd_order_send(int socket, enum clbd_order_kind kind, const char *address,
		    int fd);

/* One about a server. Return: 0 or -errno */
int clbd_order_tell(int socket, enum clbd_order_kind kind, const char *address,
		    uint64_t number);

/*
 * @fd: that came with it, or -1; NULL: none is taken.
 * Return: 1, 0 where there is none, -EPIPE where the other end has gone
 */
int clbd_order_receive(int socket, struct clbd_order *order, int *fd);

#endif /* CLBD_ORDER_H */
