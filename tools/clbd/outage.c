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
				       const char *address)
{
	unsigned int i;

	for (i = 0; i < parent->outage_count; i++) {
		if (!strcmp(parent->outages[i].address, address))
			return &parent->outages[i];
	}
	return NULL;
}

/* Of a server that is in the configuration. */
static int need_outage(struct clbd_parent *parent, const char *address,
		       struct clbd_outage **outage)
{
	unsigned int count = parent->outage_count;
	struct clbd_outage *more;

	if (!has_server(parent->source.config, address))
		return -ENOENT;
	*outage = find_outage(parent, address);
	if (*outage)
		return 0;
	more = realloc(parent->outages, (count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	parent->outages = more;
	*outage = &more[count];
	memset(*outage, 0, sizeof(**outage));
	snprintf((*outage)->address, sizeof((*outage)->address), "%s", address);
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
	uint64_t down = 0;
	unsigned int i;

	for (i = 0; i < parent->outage_count; i++)
		down += parent->outages[i].down;
	*parent->shared->servers_down = down;
}

static void tell_all(const struct clbd_parent *parent,
		     enum clbd_order_kind kind, const char *address)
{
	unsigned int i;

	for (i = 0; i < parent->count; i++) {
		if (parent->workers[i].pid)
			clbd_child_order(&parent->workers[i], kind, address,
					 -1);
	}
}

void clbd_outage_checked(struct clbd_parent *parent, const char *address,
			 bool down)
{
	struct clbd_outage *outage = find_outage(parent, address);

	if ((outage && outage->down) == down)
		return;
	if (!outage && need_outage(parent, address, &outage))
		return;
	outage->down = down;
	fprintf(stderr, "clbd: server %s is %s\n", address,
		down ? "down" : "up");
	tell_all(parent, down ? CLBD_ORDER_DOWN : CLBD_ORDER_UP, address);
	if (!down && outage->drain == CLBD_DRAIN_NONE)
		drop_outage(parent, outage);
	count_down(parent);
}

int clbd_outage_drain(struct clbd_parent *parent, const char *address,
		      uint32_t seconds, uint64_t now)
{
	struct clbd_outage *outage;
	int err = need_outage(parent, address, &outage);

	if (err)
		return err;
	outage->drain = CLBD_DRAIN_BOUND;
	outage->until = seconds ? now + seconds * 1000ull : 0;
	fprintf(stderr, "clbd: server %s drains\n", address);
	tell_all(parent, CLBD_ORDER_DRAIN, address);
	return 0;
}

int clbd_outage_end(struct clbd_parent *parent, const char *address)
{
	struct clbd_outage *outage = find_outage(parent, address);

	if (!outage || outage->drain == CLBD_DRAIN_NONE)
		return -ENOENT;
	outage->drain = CLBD_DRAIN_NONE;
	fprintf(stderr, "clbd: server %s drains no longer\n", address);
	tell_all(parent, CLBD_ORDER_FILL, address);
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
		tell_all(parent, CLBD_ORDER_DRAINED, outage->address);
	}
}

void clbd_outage_sweep(struct clbd_parent *parent)
{
	unsigned int i = 0;

	while (i < parent->outage_count) {
		struct clbd_outage *outage = &parent->outages[i];

		if (has_server(parent->source.config, outage->address)) {
			i++;
			continue;
		}
		/* Workers may know it for a while, and it may come again. */
		if (outage->down)
			tell_all(parent, CLBD_ORDER_UP, outage->address);
		tell_all(parent, CLBD_ORDER_FILL, outage->address);
		drop_outage(parent, outage);
	}
	count_down(parent);
}

int clbd_outage_tell(const struct clbd_parent *parent,
		     const struct clbd_child *child)
{
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < parent->outage_count; i++) {
		const struct clbd_outage *outage = &parent->outages[i];

		if (outage->down)
			err = clbd_child_order(child, CLBD_ORDER_DOWN,
					       outage->address, -1);
		if (!err && outage->drain != CLBD_DRAIN_NONE &&
		    child != &parent->health)
			err = clbd_child_order(child,
					       outage->drain == CLBD_DRAIN_OUT
						       ? CLBD_ORDER_DRAINED
						       : CLBD_ORDER_DRAIN,
					       outage->address, -1);
	}
	return err;
}
