// SPDX-License-Identifier: MIT
/* Servers that are out. */
#include "clbd/outage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbd/parent.h"

static bool has_server(const struct clbd_config *config, const char *address)
{
	unsigned int g, i;

	for (g = 0; g < config->group_count; g++) {
		const struct clbd_config_group *group = &config->groups[g];

		for (i = 0; i < group->server_count; i++) {
			if (!strcmp(group->servers[i].address, address))
				return true;
		}
	}
	return false;
}

static struct clbd_outage *find_outage(const struct clbd_parent *parent,
				       const char *address, uint64_t check)
{
	unsigned int i;

	for (i = 0; i < parent->outage_count; i++) {
		struct clbd_outage *outage = &parent->outages[i];

		if (outage->check == check && !strcmp(outage->address, address))
			return outage;
	}
	return NULL;
}

static int need_outage(struct clbd_parent *parent, const char *address,
		       uint64_t check, struct clbd_outage **outage)
{
	unsigned int count = parent->outage_count;
	struct clbd_outage *more;

	*outage = find_outage(parent, address, check);
	if (*outage)
		return 0;
	more = realloc(parent->outages, (count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	parent->outages = more;
	*outage = &more[count];
	memset(*outage, 0, sizeof(**outage));
	snprintf((*outage)->address, sizeof((*outage)->address), "%s", address);
	(*outage)->check = check;
	parent->outage_count++;
	return 0;
}

/* The last takes the place of one that says nothing any more. */
static void drop_outage(struct clbd_parent *parent, struct clbd_outage *outage)
{
	*outage = parent->outages[--parent->outage_count];
}

static void count_down(struct clbd_parent *parent)
{
	uint64_t down = 0, own = 0;
	unsigned int i;

	for (i = 0; i < parent->outage_count; i++) {
		if (parent->outages[i].check)
			own += parent->outages[i].down;
		else
			down += parent->outages[i].down;
	}
	*parent->shared->servers_down = down;
	*parent->shared->rule_servers_down = own;
}

static void tell_all(const struct clbd_parent *parent,
		     enum clbd_order_kind kind, const char *address,
		     uint64_t check)
{
	unsigned int i;

	for (i = 0; i < parent->count; i++) {
		if (parent->workers[i].pid)
			clbd_child_tell(&parent->workers[i], kind, address,
					check);
	}
}

static void set_down(struct clbd_parent *parent, struct clbd_outage *outage,
		     bool down)
{
	outage->down = down;
	if (has_server(parent->source.config, outage->address))
		fprintf(stderr, "clbd: server %s is %s%s\n", outage->address,
			down ? "down" : "up",
			outage->check ? " for rules that check it themselves"
				      : "");
	tell_all(parent, down ? CLBD_ORDER_DOWN : CLBD_ORDER_UP,
		 outage->address, outage->check);
}

void clbd_outage_checked(struct clbd_parent *parent, const char *address,
			 uint64_t check, bool down)
{
	struct clbd_outage *outage = find_outage(parent, address, check);

	if ((outage && outage->down) == down ||
	    !clbd_checks_find(&parent->source.checks, address, check))
		return;
	if (need_outage(parent, address, check, &outage))
		return;
	set_down(parent, outage, down);
	if (!down && outage->drain == CLBD_DRAIN_NONE)
		drop_outage(parent, outage);
	count_down(parent);
}

int clbd_outage_drain(struct clbd_parent *parent, const char *address,
		      uint32_t seconds, uint64_t now)
{
	struct clbd_outage *outage;
	int err = -ENOENT;

	if (has_server(parent->source.config, address))
		err = need_outage(parent, address, 0, &outage);
	if (err)
		return err;
	outage->drain = CLBD_DRAIN_BOUND;
	outage->until = seconds ? now + seconds * 1000ull : 0;
	fprintf(stderr, "clbd: server %s drains\n", address);
	tell_all(parent, CLBD_ORDER_DRAIN, address, 0);
	return 0;
}

int clbd_outage_end(struct clbd_parent *parent, const char *address)
{
	struct clbd_outage *outage = find_outage(parent, address, 0);

	if (!outage || outage->drain == CLBD_DRAIN_NONE)
		return -ENOENT;
	outage->drain = CLBD_DRAIN_NONE;
	fprintf(stderr, "clbd: server %s drains no longer\n", address);
	tell_all(parent, CLBD_ORDER_FILL, address, 0);
	if (!outage->down)
		drop_outage(parent, outage);
	return 0;
}

void clbd_outage_tick(struct clbd_parent *parent, uint64_t now)
{
	unsigned int i;

	for (i = 0; i < parent->outage_count; i++) {
		struct clbd_outage *outage = &parent->outages[i];

		if (outage->drain != CLBD_DRAIN_BOUND || !outage->until ||
		    now < outage->until)
			continue;
		outage->drain = CLBD_DRAIN_OUT;
		fprintf(stderr, "clbd: server %s is drained\n",
			outage->address);
		tell_all(parent, CLBD_ORDER_DRAINED, outage->address, 0);
	}
}

/* Workers may know a server for a while yet, and it may come again. */
static bool sweep(struct clbd_parent *parent, struct clbd_outage *outage)
{
	if (outage->down && !clbd_checks_find(&parent->source.checks,
					      outage->address, outage->check))
		set_down(parent, outage, false);
	if (outage->drain != CLBD_DRAIN_NONE &&
	    !has_server(parent->source.config, outage->address)) {
		outage->drain = CLBD_DRAIN_NONE;
		tell_all(parent, CLBD_ORDER_FILL, outage->address, 0);
	}
	return !outage->down && outage->drain == CLBD_DRAIN_NONE;
}

void clbd_outage_sweep(struct clbd_parent *parent)
{
	unsigned int i = 0;

	while (i < parent->outage_count) {
		if (sweep(parent, &parent->outages[i]))
			drop_outage(parent, &parent->outages[i]);
		else
			i++;
	}
	count_down(parent);
}

static enum clbd_order_kind order_for(enum clbd_drain drain)
{
	return drain == CLBD_DRAIN_OUT ? CLBD_ORDER_DRAINED : CLBD_ORDER_DRAIN;
}

int clbd_outage_tell(const struct clbd_parent *parent,
		     const struct clbd_child *child)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < parent->outage_count; i++) {
		const struct clbd_outage *outage = &parent->outages[i];

		if (outage->down)
			err = clbd_child_tell(child, CLBD_ORDER_DOWN,
					      outage->address, outage->check);
		if (!err && outage->drain != CLBD_DRAIN_NONE &&
		    child != &parent->health)
			err = clbd_child_tell(child, order_for(outage->drain),
					      outage->address, 0);
	}
	return err;
}

int clbd_outage_send(const struct clbd_parent *parent, int socket)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < parent->outage_count; i++) {
		const struct clbd_outage *outage = &parent->outages[i];

		if (outage->down)
			err = clbd_order_tell(socket, CLBD_ORDER_DOWN,
					      outage->address, outage->check);
		if (!err && outage->drain != CLBD_DRAIN_NONE)
			err = clbd_order_tell(socket, order_for(outage->drain),
					      outage->address, outage->until);
	}
	return err;
}

void clbd_outage_take(struct clbd_parent *parent,
		      const struct clbd_order *order)
{
	bool down = order->kind == CLBD_ORDER_DOWN;
	struct clbd_outage *outage;

	/* The configuration may be another by now. */
	if (down ? !clbd_checks_find(&parent->source.checks, order->address,
				     order->number)
		 : !has_server(parent->source.config, order->address))
		return;
	if (need_outage(parent, order->address, down ? order->number : 0,
			&outage))
		return;
	if (down) {
		outage->down = true;
		return;
	}
	outage->drain = order->kind == CLBD_ORDER_DRAIN ? CLBD_DRAIN_BOUND
							: CLBD_DRAIN_OUT;
	outage->until = order->number;
}
