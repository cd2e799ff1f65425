// SPDX-License-Identifier: MIT
/* A worker's loop, and the parent's orders to it. */
#include "clbd/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "clbd/client.h"
#include "clbd/h2_stream.h"
#include "clbd/order.h"
#include "clbd/port.h"
#include "clbd/queue.h"
#include "clbd/upstream.h"

#define EVENTS 256

/* Of large buffers, so many are in use: with slow clients they are held. */
#define LARGE_MAX 256

struct clbd_buffer *clbd_worker_buffer(struct clbd_worker *worker)
{
	return clbd_buffer_get(&worker->buffers);
}

struct clbd_buffer *clbd_worker_large_buffer(struct clbd_worker *worker)
{
	return clbd_buffer_get(worker->large.used < LARGE_MAX ? &worker->large
							 : &worker->buffers);
}

void clbd_worker_put_buffer(struct clbd_worker *worker,
			    struct clbd_buffer *buffer)
{
	if (buffer)
		clbd_pool_put(buffer->size > CLBD_BUFFER_SIZE ? &worker->large
							      : &worker->buffers,
			      buffer);
}

struct clbd_meter *clbd_worker_meter(struct clbd_worker *worker,
				     enum clbd_meter_kind kind,
				     const char *first, const char *second)
{
	return clbd_meters_find(worker->shared->meters, worker->index, kind,
				first, second, &worker->spare);
}

static uint64_t read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void take_config(struct clbd_worker *worker, int fd)
{
	struct clbd_config *config = clbd_config_map(fd);

	clbd_setup_put(worker->next);
	worker->next = config ? clbd_setup_new(worker, config) : NULL;
}

/* Without them there is no setup to commit. */
static void take_pages(struct clbd_worker *worker, int fd)
{
	if (!worker->next || !clbd_setup_pages(worker->next, fd))
		return;
	clbd_setup_put(worker->next);
	worker->next = NULL;
}

/* What the checks say of a server; it may have gone meanwhile. */
static void judge_server(struct clbd_worker *worker,
			 const struct clbd_order *order)
{
	struct clbd_server *server = clbd_server_lookup(&worker->servers,
							order->address);

	if (!server)
		return;
	clbd_server_judge(worker, server, order->number,
			  order->kind == CLBD_ORDER_DOWN);
	clbd_queue_stir(worker);
}

/* What an operator says of it. One that is drained needs no upstreams. */
static void drain_server(struct clbd_worker *worker, const char *text,
			 enum clbd_drain drain)
{
	struct clbd_server *server = clbd_server_lookup(&worker->servers, text);

	if (!server)
		return;
	if (server->drain != CLBD_DRAIN_NONE && drain == CLBD_DRAIN_NONE)
		clbd_server_rises(worker, server);
	server->drain = drain;
	if (drain == CLBD_DRAIN_OUT)
		clbd_upstream_close_idle(server);
	clbd_queue_stir(worker);
}

static int commit(struct clbd_worker *worker)
{
	const struct clbd_config *config;

	if (!worker->next)
		return -ENOMEM;
	clbd_setup_put(worker->setup);
	worker->setup = worker->next;
	worker->next = NULL;
	config = worker->setup->config;
	worker->client_max = config->limits.connections
				     ? config->limits.connections
				     : 20000;
	clbd_log_enable(&worker->log, config->log);
	clbd_port_update(worker);
	clbd_queue_stir(worker);
	return 0;
}

/* Ports first: nobody comes any more. Then whoever waits for nothing goes. */
static void stop(struct clbd_worker *worker)
{
	const struct clbd_setup *setup = worker->setup;
	uint32_t seconds = setup ? setup->config->timeouts.stop : 0;
	struct clbd_client *client, *next;
	struct clbd_port *port, *next_port;

	if (worker->stopping)
		return;
	worker->stopping = true;
	worker->stop_at = worker->now + (seconds ? seconds : 30) * 1000;
	for (port = worker->ports; port; port = next_port) {
		next_port = port->next;
		clbd_port_close(port);
	}
	for (client = worker->clients; client; client = next) {
		next = client->next;
		clbd_client_stop(client);
	}
}

static void obey(struct clbd_worker *worker, const struct clbd_order *order,
		 int fd)
{
	switch (order->kind) {
	case CLBD_ORDER_CONFIG:
		take_config(worker, fd);
		break;
	case CLBD_ORDER_PAGES:
		take_pages(worker, fd);
		break;
	case CLBD_ORDER_LISTEN:
		if (clbd_port_add(worker, order->address, fd))
			fprintf(stderr, "clbd: worker: no memory for %s\n",
				order->address);
		return;
	case CLBD_ORDER_COMMIT:
		clbd_order_send(worker->control,
				commit(worker) ? CLBD_ORDER_FAILED
					       : CLBD_ORDER_READY,
				NULL, -1);
		break;
	case CLBD_ORDER_UP:
	case CLBD_ORDER_DOWN:
		judge_server(worker, order);
		break;
	case CLBD_ORDER_DRAIN:
		drain_server(worker, order->address, CLBD_DRAIN_BOUND);
		break;
	case CLBD_ORDER_DRAINED:
		drain_server(worker, order->address, CLBD_DRAIN_OUT);
		break;
	case CLBD_ORDER_FILL:
		drain_server(worker, order->address, CLBD_DRAIN_NONE);
		break;
	case CLBD_ORDER_STOP:
		stop(worker);
		break;
	default:
		break;
	}
	if (fd >= 0)
		close(fd);
}

/* Without a parent a worker has nothing to live for. */
static void take_orders(struct clbd_worker *worker)
{
	struct clbd_order order;
	int fd, err;

	while ((err = clbd_order_receive(worker->control, &order, &fd)) > 0)
		obey(worker, &order, fd);
	if (!err)
		return;
	epoll_ctl(worker->epoll, EPOLL_CTL_DEL, worker->control, NULL);
	stop(worker);
}

static void free_dead(struct clbd_worker *worker)
{
	while (worker->dead) {
		struct clbd_conn *conn = worker->dead;

		worker->dead = conn->next;
		clbd_pool_put(conn->pool, conn);
	}
}

static void expire(struct clbd_worker *worker)
{
	struct clbd_timer *timer;

	while ((timer = clbd_wheel_expired(&worker->wheel, worker->now))) {
		struct clbd_conn *conn = (void *)((char *)timer -
						  offsetof(struct clbd_conn,
							   timer));

		conn->ops->expire(conn);
	}
}

static void round_of(struct clbd_worker *worker)
{
	struct epoll_event events[EVENTS];
	bool busy = worker->again || worker->later;
	int timeout = busy ? 0 : CLBD_WHEEL_TICK, i;
	int n = epoll_wait(worker->epoll, events, EVENTS, timeout);

	worker->now = read_clock();
	/* All is known of all before anybody goes on. */
	for (i = 0; i < n; i++) {
		if (events[i].data.ptr)
			clbd_conn_note(events[i].data.ptr, events[i].events);
	}
	clbd_conn_run_again(worker);
	for (i = 0; i < n; i++) {
		if (events[i].data.ptr)
			clbd_conn_wake(events[i].data.ptr);
		else
			take_orders(worker);
	}
	clbd_conn_run_later(worker);
	expire(worker);
	clbd_queue_run(worker);
	clbd_log_tick(&worker->log, worker->now);
	free_dead(worker);
	if (worker->stopping &&
	    (!worker->client_count || worker->now >= worker->stop_at))
		worker->done = true;
}

static int start(struct clbd_worker *worker, int control, int log)
{
	struct epoll_event event = { .events = EPOLLIN };

	worker->control = control;
	worker->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (worker->epoll < 0 ||
	    epoll_ctl(worker->epoll, EPOLL_CTL_ADD, control, &event))
		return -errno;
	worker->now = read_clock();
	clbd_wheel_init(&worker->wheel, worker->now);
	clbd_pool_init(&worker->buffers,
		       sizeof(struct clbd_buffer) + CLBD_BUFFER_SIZE, 1024);
	clbd_pool_init(&worker->large,
		       sizeof(struct clbd_buffer) + CLBD_BUFFER_LARGE,
		       LARGE_MAX);
	clbd_pipes_init(&worker->pipes);
	clbd_pool_init(&worker->client_pool, sizeof(struct clbd_client), 4096);
	clbd_pool_init(&worker->session_pool, sizeof(struct clbd_session),
		       1024);
	clbd_pool_init(&worker->stream_pool, sizeof(struct clbd_stream), 1024);
	clbd_pool_init(&worker->upstream_pool, sizeof(struct clbd_upstream),
		       1024);
	clbd_pool_init(&worker->port_pool, sizeof(struct clbd_port), 0);
	return clbd_log_open(&worker->log, log, worker->stats);
}

/* All that is left is taken down, so that a leak shows. */
static void end(struct clbd_worker *worker)
{
	while (worker->clients)
		clbd_client_close(worker->clients);
	while (worker->ports)
		clbd_port_close(worker->ports);
	clbd_setup_put(worker->next);
	clbd_setup_put(worker->setup);
	free(worker->servers.table);
	free_dead(worker);
	clbd_log_close(&worker->log);
	clbd_pipes_release(&worker->pipes);
	clbd_pool_release(&worker->buffers);
	clbd_pool_release(&worker->large);
	clbd_pool_release(&worker->client_pool);
	clbd_pool_release(&worker->session_pool);
	clbd_pool_release(&worker->stream_pool);
	clbd_pool_release(&worker->upstream_pool);
	close(worker->epoll);
}

int clbd_worker_run(int control, int log, struct clbd_shared *shared,
		    unsigned int index)
{
	struct clbd_worker worker = {
		.shared = shared,
		.stats = &shared->stats[index],
		.index = index,
	};
	int err = start(&worker, control, log);

	if (err) {
		fprintf(stderr, "clbd: worker: %s\n", strerror(-err));
		return EXIT_FAILURE;
	}
	clbd_meters_begin(shared->meters, index);
	while (!worker.done)
		round_of(&worker);
	end(&worker);
	return EXIT_SUCCESS;
}
