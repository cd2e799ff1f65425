/* SPDX-License-Identifier: MIT */
/* A worker: one process, one loop, and all that hangs from it. */
#ifndef CLBD_WORKER_H
#define CLBD_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "clbd/log.h"
#include "clbd/meter.h"
#include "clbd/pipe.h"
#include "clbd/pool.h"
#include "clbd/setup.h"
#include "clbd/stats.h"
#include "clbd/wheel.h"

struct clbd_conn;
struct clbd_port;
struct clbd_client;

/**
 * struct clbd_worker - all that a worker has
 * @epoll: its loop
 * @control: socket to the parent
 * @now: ms of the monotonic clock, as of this round
 * @stopping: finish what has begun, take nothing new
 * @done: leave the loop
 * @dead: connections to free when the round is over
 * @again: connections that have more to do in the next round
 * @later: those that have more to do at the end of this one
 * @setup: the present one; NULL before the first
 * @next: setup that is being received
 * @servers: of all setups
 * @risen: ms when a server last came up or was new
 * @waiting: groups with sessions that wait for a server
 * @ports: listening sockets
 * @clients: connections of clients, in no order
 * @pipes: for bodies that need not be seen
 * @gzip_count: responses that are being compressed
 * @shared: everybody's counters
 * @stats: this worker's
 * @index: which of them
 * @spare: counts for listeners and servers that have no place
 */
struct clbd_worker {
	int epoll;
	int control;
	uint64_t now;
	bool stopping;
	bool done;
	uint64_t stop_at;
	struct clbd_wheel wheel;
	struct clbd_pool buffers;
	struct clbd_pool large;
	struct clbd_pool client_pool;
	struct clbd_pool session_pool;
	struct clbd_pool stream_pool;
	struct clbd_pool upstream_pool;
	struct clbd_pool port_pool;
	struct clbd_conn *dead;
	struct clbd_conn *again;
	struct clbd_conn *later;
	struct clbd_setup *setup;
	struct clbd_setup *next;
	struct clbd_servers servers;
	uint64_t risen;
	struct clbd_group *waiting;
	struct clbd_port *ports;
	struct clbd_client *clients;
	uint32_t client_count;
	uint32_t client_max;
	struct clbd_pipes pipes;
	uint32_t gzip_count;
	struct clbd_log log;
	struct clbd_shared *shared;
	struct clbd_stats *stats;
	unsigned int index;
	struct clbd_meter spare;
};

/**
 * clbd_worker_run() - be a worker, until the parent says stop
 * @control: socket to the parent
 * @log: pipe to the log, or -1
 * @shared: everybody's counters
 * @index: which of them are this worker's
 *
 * Return: exit status
 */
int clbd_worker_run(int control, int log, struct clbd_shared *shared,
		    unsigned int index);

/* The worker's counters of a listener, or of a server in a group. */
struct clbd_meter *clbd_worker_meter(struct clbd_worker *worker,
				     enum clbd_meter_kind kind,
				     const char *first, const char *second);

/* Empty. NULL without memory. */
struct clbd_buffer *clbd_worker_buffer(struct clbd_worker *worker);

/* The same, but large, unless many are: for what may come at once. */
struct clbd_buffer *clbd_worker_large_buffer(struct clbd_worker *worker);

void clbd_worker_put_buffer(struct clbd_worker *worker,
			    struct clbd_buffer *buffer);

#endif /* CLBD_WORKER_H */
