/* SPDX-License-Identifier: MIT */
/* Counters, in memory that all processes see. One writer each. */
#ifndef CLBD_STATS_H
#define CLBD_STATS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct clbd_meters;

/* X(name, what it counts) */
#define CLBD_STATS(X)                                                          \
	X(restarts, "children that ended by themselves")                       \
	X(connections, "connections of clients accepted")                      \
	X(connections_full, "times that no connection was accepted, being full") \
	X(proxy_errors, "connections without the header of the PROXY protocol") \
	X(client_address_missing, "connections whose SYN should tell and did not") \
	X(requests, "requests whose head was complete")                        \
	X(refused, "requests that broke the rules of HTTP")                    \
	X(responses_2xx, "responses")                                          \
	X(responses_3xx, "responses")                                          \
	X(responses_4xx, "responses, clbd's own among them")                   \
	X(responses_5xx, "responses, clbd's own among them")                   \
	X(piped, "responses that went from socket to socket without copies")   \
	X(gzipped, "responses that were compressed")                           \
	X(gzip_full, "responses left as they were, as too many were compressed") \
	X(upgrades, "connections that became tunnels")                         \
	X(queued, "requests that waited for a server to have room")            \
	X(queue_full, "requests refused as too many waited")                   \
	X(rate_limited, "requests beyond a limit of their rate")               \
	X(connects, "connections to servers begun")                            \
	X(connect_errors, "connections to servers that failed or took too long") \
	X(reuses, "requests sent on an upstream that had waited")              \
	X(retries, "requests sent again")                                      \
	X(ejections, "times that a server was ejected")                        \
	X(server_errors, "servers that ended early or broke the rules of HTTP") \
	X(client_aborts, "clients that went before the response was sent")     \
	X(timeouts, "sessions that took too long")                             \
	X(h2_connections, "connections of HTTP/2")                             \
	X(h2_refused, "requests by HTTP/2 that may be sent again, being full") \
	X(h2_floods, "connections of HTTP/2 ended for frames to no purpose")   \
	X(log_lost, "lines of the access log that were lost")

#define CLBD_TIMES_BUCKETS 12

/* Up to so many ms; the last has no bound. */
extern const unsigned int clbd_times_bounds[CLBD_TIMES_BUCKETS - 1];

/**
 * struct clbd_times - how long things took
 * @bucket: how many took longer than the bucket before
 * @sum: ms of them all
 */
struct clbd_times {
	uint64_t bucket[CLBD_TIMES_BUCKETS];
	uint64_t sum;
};

void clbd_times_add(struct clbd_times *times, uint64_t ms);

/**
 * struct clbd_stats - the counters of a process
 * @times: of requests, from the first byte on
 */
struct clbd_stats {
#define CLBD_STATS_MEMBER(name, text) uint64_t name;
	CLBD_STATS(CLBD_STATS_MEMBER)
#undef CLBD_STATS_MEMBER
	struct clbd_times times;
};

/**
 * struct clbd_shared - where everybody's counters are
 * @workers: how many
 * @servers_down: by the checks
 * @rule_servers_down: by checks of rules
 * @meters: of listeners and servers
 * @stats: of the workers, and behind them of the parent and of the log
 *
 * Each process has a copy of this, made before the first child began: only what
 * it points at is in memory of all processes. Any worker can write anything
 * there, so nothing may hang on it but what is told.
 */
struct clbd_shared {
	uint64_t workers;
	uint64_t *servers_down;
	uint64_t *rule_servers_down;
	struct clbd_meters *meters;
	struct clbd_stats *stats;
};

/* Processes that count, beside the workers. */
#define CLBD_STATS_OTHERS 2

/* shared.c; NULL: there is no memory. The counters last as long as processes. */
struct clbd_shared *clbd_shared_new(unsigned int workers);
void clbd_shared_free(struct clbd_shared *shared);

/* What all have counted. */
struct clbd_stats clbd_stats_sum(const struct clbd_shared *shared);

/* Members of an object of JSON, each behind a comma. */
void clbd_stats_print(FILE *file, const struct clbd_stats *stats);

/* A line of JSON, to be freed; NULL without memory. */
char *clbd_stats_json(const struct clbd_shared *shared);

static inline void clbd_stats_response(struct clbd_stats *stats,
				       unsigned int status)
{
	if (status >= 500)
		stats->responses_5xx++;
	else if (status >= 400)
		stats->responses_4xx++;
	else if (status >= 300)
		stats->responses_3xx++;
	else if (status >= 200)
		stats->responses_2xx++;
}

#endif /* CLBD_STATS_H */
