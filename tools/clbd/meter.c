// SPDX-License-Identifier: MIT
/* Counters of listeners and servers. */
#include "clbd/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clbd/balance.h"
#include "clbd/config.h"

struct clbd_meters *clbd_meters_new(unsigned int workers)
{
	size_t size = sizeof(struct clbd_places) +
		      sizeof(struct clbd_meter) * CLBD_METERS * workers;
	struct clbd_meters *meters = calloc(1, sizeof(*meters));

	if (!meters)
		return NULL;
	meters->places = mmap(NULL, size, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (meters->places == MAP_FAILED) {
		free(meters);
		return NULL;
	}
	meters->workers = workers;
	meters->meters = (struct clbd_meter *)(meters->places + 1);
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

/* What a slot of the index says: a place plus one, or 0, whatever is there. */
static uint16_t place_at(const struct clbd_places *places, size_t slot)
{
	uint16_t place = places->index[slot];

	return place <= CLBD_METERS ? place : 0;
}

/* Where in the index the place of @name is, or would be. */
static size_t slot_of(const struct clbd_places *places,
		      const struct clbd_meter_name *name)
{
	const size_t slots = 2 * CLBD_METERS;
	size_t slot = clbd_balance_hash((const void *)name, sizeof(*name)) %
		      slots;
	size_t tries;

	/* Half of them are free, unless somebody wrote there. */
	for (tries = 1; tries < slots; tries++) {
		uint16_t place = place_at(places, slot);

		if (!place || !memcmp(&places->names[place - 1], name,
				      sizeof(*name)))
			break;
		slot = (slot + 1) % slots;
	}
	return slot;
}

static void add(struct clbd_places *places, enum clbd_meter_kind kind,
		const char *first, const char *second)
{
	struct clbd_meter_name name;
	size_t slot;

	fill_name(&name, kind, first, second);
	slot = slot_of(places, &name);
	if (places->index[slot])
		return;
	if (places->count == CLBD_METERS) {
		places->left_out++;
		return;
	}
	places->names[places->count++] = name;
	places->index[slot] = places->count;
}

/* A child sees a name before the count that has it, and before it is told. */
static void copy_out(struct clbd_meters *meters)
{
	const struct clbd_places *own = &meters->own;
	struct clbd_places *places = meters->places;

	memcpy(places->names, own->names, sizeof(own->names));
	memcpy(places->index, own->index, sizeof(own->index));
	places->left_out = own->left_out;
	__atomic_store_n(&places->count, own->count, __ATOMIC_RELEASE);
}

void clbd_meters_register(struct clbd_meters *meters,
			  const struct clbd_config *config)
{
	struct clbd_places *own = &meters->own;
	uint32_t i, g;

	own->left_out = 0;
	for (i = 0; i < config->listener_count; i++)
		add(own, CLBD_METER_LISTENER, config->listeners[i].name, "");
	for (g = 0; g < config->group_count; g++) {
		const struct clbd_config_group *group = &config->groups[g];

		for (i = 0; i < group->server_count; i++)
			add(own, CLBD_METER_SERVER, group->name,
			    group->servers[i].address);
	}
	copy_out(meters);
}

size_t clbd_meters_count(const struct clbd_meters *meters)
{
	uint64_t count = __atomic_load_n(&meters->places->count,
					 __ATOMIC_ACQUIRE);

	return count < CLBD_METERS ? count : CLBD_METERS;
}

struct clbd_meter_name clbd_meters_name(const struct clbd_meters *meters,
					size_t place)
{
	struct clbd_meter_name name = meters->places->names[place];

	name.first[sizeof(name.first) - 1] = 0;
	name.second[sizeof(name.second) - 1] = 0;
	return name;
}

static struct clbd_meter *meter_of(struct clbd_meters *meters,
				   unsigned int worker, size_t place)
{
	return &meters->meters[worker * CLBD_METERS + place];
}

void clbd_meters_begin(struct clbd_meters *meters, unsigned int worker)
{
	size_t count = clbd_meters_count(meters), i;

	for (i = 0; i < count; i++) {
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
	place = place_at(meters->places, slot_of(meters->places, &name));
	return place ? meter_of(meters, worker, place - 1) : spare;
}

struct clbd_meter clbd_meters_sum(const struct clbd_meters *meters,
				  unsigned int place)
{
	struct clbd_meter sum = { 0 };
	uint64_t *to = (uint64_t *)&sum;
	unsigned int worker;
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
