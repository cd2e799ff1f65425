/* SPDX-License-Identifier: MIT */
/*
 * clb-announce: what the node may be sent, as routes of a table that a routing
 * daemon announces.
 */
#ifndef CLB_ANNOUNCE_H
#define CLB_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"
#include "lib/client.h"

/* Addresses, sorted, each once. */
struct addresses {
	struct clb_address *list;
	size_t count;
	size_t room;
};

/* Return: 0 or -ENOMEM */
int addresses_add(struct addresses *set, const struct clb_address *address);
bool addresses_have(const struct addresses *set,
		    const struct clb_address *address);
void addresses_clear(struct addresses *set);
void addresses_free(struct addresses *set);

/**
 * struct wanted - what to announce, and what it was found from
 * @set: VIPs with a server that is not down, and local addresses; none while
 *	the node is not ready
 * @standby: local addresses of other nodes, for when these do not announce them
 * @with_standby: those are wanted
 * @alone: without sync the node is ready, too
 * @node: id of this node, or 0
 * @ready: sync says so, or is not asked
 * @generation: of the configuration
 * @known: the above is true
 */
struct wanted {
	struct addresses set;
	struct addresses standby;
	bool with_standby;
	bool alone;
	uint16_t node;
	bool ready;
	uint32_t generation;
	bool known;
};

/**
 * wanted_update() - ask the module what to announce
 * @wanted: result; on failure what could not be asked for is not announced
 * @client: requests
 * @changed: something happened: look at all of the configuration
 * @error: why it failed
 *
 * Return: 0 or a negative errno
 */
int wanted_update(struct wanted *wanted, struct clb_client *client,
		  bool changed, struct clb_error *error);

/* Nothing is announced, and all is asked anew. */
void wanted_forget(struct wanted *wanted);
void wanted_free(struct wanted *wanted);

struct mnl_socket;

/**
 * routes_apply() - make the table hold the routes that are wanted
 * @socket: NETLINK_ROUTE
 * @table: of the kernel; routes of others in it stay, and where one is in the
 *	way of ours that is a failure
 * @wanted: NULL: none
 * @quiet: do not say what changes
 * @again: nor which routes cannot be changed: it was said
 *
 * Return: 0 or a negative errno
 */
int routes_apply(struct mnl_socket *socket, uint32_t table,
		 const struct wanted *wanted, bool quiet, bool again);

#endif /* CLB_ANNOUNCE_H */
