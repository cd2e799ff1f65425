/* SPDX-License-Identifier: MIT */
/* Counters of a worker, in memory that the parent reads. One writer each. */
#ifndef CLBD_STATS_H
#define CLBD_STATS_H

#include <stdint.h>

/* X(name, what it counts) */
#define CLBD_STATS(X)                                                          \
	X(connections, "connections of clients accepted")                      \
	X(connections_full, "times that no connection was accepted, being full") \
	X(proxy_errors, "connections without the header of the PROXY protocol") \
	X(requests, "requests whose head was complete")                        \
	X(refused, "requests that broke the rules of HTTP")                    \
	X(responses_2xx, "responses")                                          \
	X(responses_3xx, "responses")                                          \
	X(responses_4xx, "responses, clbd's own among them")                   \
	X(responses_5xx, "responses, clbd's own among them")                   \
	X(upgrades, "connections that became tunnels")                         \
	X(connects, "connections to servers begun")                            \
	X(connect_errors, "connections to servers that failed or took too long") \
	X(reuses, "requests sent on an upstream that had waited")              \
	X(retries, "requests sent again")                                      \
	X(ejections, "times that a server was ejected")                        \
	X(server_errors, "servers that ended early or broke the rules of HTTP") \
	X(client_aborts, "clients that went before the response was sent")     \
	X(timeouts, "sessions that took too long")                             \
	X(log_lost, "lines of the access log that were lost")

struct clbd_stats {
#define CLBD_STATS_MEMBER(name, text) uint64_t name;
	CLBD_STATS(CLBD_STATS_MEMBER)
#undef CLBD_STATS_MEMBER
};

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
