// SPDX-License-Identifier: MIT
/* What may be sent to this node, as the module sees it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clb-announce/announce.h"

/* Return: index of the first one that does not come before @address */
static size_t position(const struct addresses *set,
		       const struct clb_address *address)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (clb_address_compare(&set->list[middle], address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct addresses *set, size_t at,
		  const struct clb_address *address)
{
	return at < set->count &&
	       !clb_address_compare(&set->list[at], address);
}

bool addresses_have(const struct addresses *set,
		    const struct clb_address *address)
{
	return is_at(set, position(set, address), address);
}

int addresses_add(struct addresses *set, const struct clb_address *address)
{
	size_t at = position(set, address);

	if (is_at(set, at, address))
		return 0;
	if (set->count == set->room) {
		size_t room = set->room ? 2 * set->room : 16;
		void *list = realloc(set->list, room * sizeof(*set->list));

		if (!list)
			return -ENOMEM;
		set->list = list;
		set->room = room;
	}
	memmove(&set->list[at + 1], &set->list[at],
		(set->count - at) * sizeof(*set->list));
	set->list[at] = *address;
	set->count++;
	return 0;
}

void addresses_clear(struct addresses *set)
{
	set->count = 0;
}

void addresses_free(struct addresses *set)
{
	free(set->list);
	memset(set, 0, sizeof(*set));
}

/* One that drains still serves what it has. */
static int add_vip(const struct clb_message *message, void *context)
{
	if (message->server.state == CLB_SERVER_STATE_DOWN)
		return 0;
	return addresses_add(context, &message->listener.address);
}

/*
 * Those that belong to another node are announced by that one, and by others
 * after it: also by who took them over, for the owner may yet live.
 */
static int add_local(const struct clb_message *message, void *context)
{
	const struct clb_local_address *local = &message->local_address;
	struct wanted *wanted = context;

	if (wanted->with_standby && local->node && local->node != wanted->node)
		return addresses_add(&wanted->standby, &local->address);
	if (!local->active)
		return 0;
	return addresses_add(&wanted->set, &local->address);
}

static int fill(struct wanted *wanted, struct clb_client *client,
		struct clb_error *error)
{
	struct clb_message servers = { .command = CLB_CMD_SERVER_GET };
	struct clb_message locals = { .command = CLB_CMD_LOCAL_ADDRESS_GET };
	int err;

	err = clb_client_dump(client, &servers, add_vip, &wanted->set, error);
	if (err < 0)
		return err;
	err = clb_client_dump(client, &locals, add_local, wanted, error);
	/* 1: it changed meanwhile, of which an event will tell */
	return err < 0 ? err : 0;
}

static int ask_ready(struct wanted *wanted, struct clb_client *client,
		     bool *ready, struct clb_error *error)
{
	struct clb_message request = { .command = CLB_CMD_SYNC_GET };
	struct clb_message reply = { 0 };
	int err;

	err = clb_client_request(client, &request, &reply, error);
	if (err)
		return err;
	*ready = reply.sync.running ? reply.sync.ready : wanted->alone;
	wanted->node = reply.sync.node;
	return 0;
}

static int ask_generation(struct clb_client *client, uint32_t *generation,
			  struct clb_error *error)
{
	struct clb_message request = { .command = CLB_CMD_SETTINGS_GET };
	struct clb_message reply = { 0 };
	int err;

	err = clb_client_request(client, &request, &reply, error);
	if (!err)
		*generation = reply.generation;
	return err;
}

void wanted_forget(struct wanted *wanted)
{
	addresses_clear(&wanted->set);
	addresses_clear(&wanted->standby);
	wanted->known = false;
}

void wanted_free(struct wanted *wanted)
{
	addresses_free(&wanted->set);
	addresses_free(&wanted->standby);
}

int wanted_update(struct wanted *wanted, struct clb_client *client,
		  bool changed, struct clb_error *error)
{
	uint32_t generation;
	bool ready;
	int err;

	err = ask_ready(wanted, client, &ready, error);
	if (err)
		goto err_forget;
	/* asked before the list, so that what comes later is seen next time */
	err = ask_generation(client, &generation, error);
	if (err)
		goto err_forget;
	if (wanted->known && !changed && wanted->ready == ready &&
	    wanted->generation == generation)
		return 0;
	addresses_clear(&wanted->set);
	addresses_clear(&wanted->standby);
	if (ready)
		err = fill(wanted, client, error);
	if (err)
		goto err_forget;
	wanted->ready = ready;
	wanted->generation = generation;
	wanted->known = true;
	return 0;

err_forget:
	wanted_forget(wanted);
	return err;
}
