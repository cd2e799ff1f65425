// SPDX-License-Identifier: MIT
/* Counters of listeners and servers. */
#include "clbd/meter.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "clbd/balance.h"
#include "clbd/config.h"

struct clbd_meters *clbd_meters_new(unsigned int workers)
{
	size_t size = sizeof(struct clbd_meters) +
		      sizeof(struct clbd_meter) * CLBD_METERS * workers;
	struct clbd_meters *meters = mmap(NULL, size, PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (meters == MAP_FAILED)
		return NULL;
	meters->workers = workers;
	return meters;
}

static void fill_name(struct clbd_meter_name *name, enum clbd_meter_kind kind,
		      const char *first, const char *second)
{
	memset(name, 0, sizeof(*name));
	name->kind = kind;
	snprintf(name->first, sizeof(name->first), "%s", first);
	snprintf(name->second, sizeof(name->second), "%s", second);
}

/* Where in the index the place of @name is, or would be. */
static size_t slot_of(const struct clbd_meters *meters,
		      const struct clbd_meter_name *name)
{
	size_t at = clbd_balance_hash((const void *)name, sizeof(*name));

	for (;; at++) {
		uint16_t place = meters->index[at % (2 * CLBD_METERS)];

		if (!place || !memcmp(&meters->names[place - 1], name,
				      sizeof(*name)))
			return at % (2 * CLBD_METERS);
	}
}

/* A child sees the name before it is told of the configuration that has it. */
static void add(struct clbd_meters *meters, enum clbd_meter_kind kind,
		const char *first, const char *second)
{
	struct clbd_meter_name name;
	size_t slot;

	fill_name(&name, kind, first, second);
	slot = slot_of(meters, &name);
	if (meters->index[slot])
		return;
	if (meters->count == CLBD_METERS) {
		meters->left_out++;
		return;
	}
	meters->names[meters->count++] = name;
	meters->index[slot] = meters->count;
}

void clbd_meters_register(struct clbd_meters *meters,
			  const struct clbd_config *config)
{
	uint32_t i, g;

	meters->left_out = 0;
	for (i = 0; i < config->listener_count; i++)
		add(meters, CLBD_METER_LISTENER, config->listeners[i].name, "");
	for (g = 0; g < config->group_count; g++) {
		const struct clbd_config_group *group = &config->groups[g];

		for (i = 0; i < group->server_count; i++)
			add(meters, CLBD_METER_SERVER, group->name,
			    group->servers[i].address);
	}
}

static struct clbd_meter *meter_of(struct clbd_meters *meters,
				   unsigned int worker, size_t place)
{
	return &meters->meters[worker * CLBD_METERS + place];
}

void clbd_meters_begin(struct clbd_meters *meters, unsigned int worker)
{
	size_t i;

	for (i = 0; i < meters->count; i++) {
		struct clbd_meter *meter = meter_of(meters, worker, i);

		meter->ended = meter->begun;
	}
}

struct clbd_meter *clbd_meters_find(struct clbd_meters *meters,
				    unsigned int worker,
				    enum clbd_meter_kind kind,
				    const char *first, const char *second,
				    struct clbd_meter *spare)
{
	struct clbd_meter_name name;
	uint16_t place;

	fill_name(&name, kind, first, second);
	place = meters->index[slot_of(meters, &name)];
	return place ? meter_of(meters, worker, place - 1) : spare;
}

struct clbd_meter clbd_meters_sum(const struct clbd_meters *meters,
				  unsigned int place)
{
	struct clbd_meter sum = { 0 };
	uint64_t *to = (uint64_t *)&sum;
	uint64_t worker;
	size_t i;

	/* All of it is counters. */
	for (worker = 0; worker < meters->workers; worker++) {
		const struct clbd_meter *meter =
			&meters->meters[worker * CLBD_METERS + place];
		const uint64_t *from = (const uint64_t *)meter;

		for (i = 0; i < sizeof(sum) / sizeof(*to); i++)
			to[i] += from[i];
	}
	return sum;
}
