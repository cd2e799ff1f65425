/* SPDX-License-Identifier: MIT */
/*
 * Counters of each listener and of each server in a group, in memory that all
 * processes see. The parent gives out places, which stay over reloads; each
 * worker has counters of its own for every place.
 */
#ifndef CLBD_METER_H
#define CLBD_METER_H

#include <stddef.h>
#include <stdint.h>

#include "clbd/stats.h"

struct clbd_config;

/* Beyond so many, listeners and servers are not counted by themselves. */
#define CLBD_METERS 4096

enum clbd_meter_kind {
	CLBD_METER_LISTENER,
	CLBD_METER_SERVER,
};

/**
 * struct clbd_meter - counters of a listener, or of a server in a group
 * @requests: that came; that a server was asked
 * @responses: by the first digit of the status; the first: others
 * @failures: requests that ended without a whole response; times that a server
 *	failed
 * @received: bytes of requests, of a server's responses
 * @sent: bytes of responses, of requests to a server
 * @begun: connections, or requests, and
 * @ended: those that are over
 * @times: ms until the end; until a server's response began
 */
struct clbd_meter {
	uint64_t requests;
	uint64_t responses[6];
	uint64_t failures;
	uint64_t received;
	uint64_t sent;
	uint64_t begun;
	uint64_t ended;
	struct clbd_times times;
};

/* A place: which listener, or which group and server. */
struct clbd_meter_name {
	uint8_t kind;
	char first[64];
	char second[64];
};

/**
 * struct clbd_places - places given out
 * @count: how many
 * @left_out: listeners and servers that have none
 * @index: places by hash, plus one; 0: free
 * @names: of places
 */
struct clbd_places {
	uint64_t count;
	uint64_t left_out;
	uint16_t index[2 * CLBD_METERS];
	struct clbd_meter_name names[CLBD_METERS];
};

/**
 * struct clbd_meters - all of them
 * @workers: how many processes count
 * @own: the parent's places, which it alone writes and goes by
 * @places: the copy of them that workers read, in memory of all processes: what
 *	is read there may be anything, as any worker can write it
 * @meters: those of the first worker, then those of the next; there, too
 */
struct clbd_meters {
	unsigned int workers;
	struct clbd_places own;
	struct clbd_places *places;
	struct clbd_meter *meters;
};

/* NULL: there is no memory. What children share lasts as long as processes. */
struct clbd_meters *clbd_meters_new(unsigned int workers);

/* How many places there are, at most %CLBD_METERS. */
size_t clbd_meters_count(const struct clbd_meters *meters);

/* That of a place; it ends, whatever is there. */
struct clbd_meter_name clbd_meters_name(const struct clbd_meters *meters,
					size_t place);

/* The parent: places for all that the configuration has. */
void clbd_meters_register(struct clbd_meters *meters,
			  const struct clbd_config *config);

/* A worker begins, maybe after another that left things open. */
void clbd_meters_begin(struct clbd_meters *meters, unsigned int worker);

/* A worker's counters of a place; @spare where there is no such place. */
struct clbd_meter *clbd_meters_find(struct clbd_meters *meters,
				    unsigned int worker,
				    enum clbd_meter_kind kind,
				    const char *first, const char *second,
				    struct clbd_meter *spare);

/* What all workers have counted. */
struct clbd_meter clbd_meters_sum(const struct clbd_meters *meters,
				  unsigned int place);

static inline void clbd_meter_response(struct clbd_meter *meter,
				       unsigned int status, uint64_t ms)
{
	meter->responses[status >= 100 && status < 600 ? status / 100 : 0]++;
	clbd_times_add(&meter->times, ms);
}

#endif /* CLBD_METER_H */
