// SPDX-License-Identifier: MIT
/* Servers as a worker knows them: a table by address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbd/setup.h"
#include "clbd/worker.h"

#define TABLE_MIN 64

/* How servers are spread is no secret: addresses are the operator's. */
static struct clbd_server **place_of(const struct clbd_servers *servers,
				     const char *text)
{
	uint64_t hash = clbd_balance_hash(text, strlen(text));

	return &servers->table[hash & (servers->size - 1)];
}

/* Twice as large, unless there is room. Return: 0 or -1 without memory */
static int make_room(struct clbd_servers *servers)
{
	struct clbd_servers grown = { .count = servers->count };
	size_t i;

	if (servers->count < servers->size)
		return 0;
	grown.size = servers->size ? 2 * servers->size : TABLE_MIN;
	grown.table = calloc(grown.size, sizeof(*grown.table));
	if (!grown.table)
		return -1;
	for (i = 0; i < servers->size; i++) {
		while (servers->table[i]) {
			struct clbd_server *server = servers->table[i], **at;

			servers->table[i] = server->next;
			at = place_of(&grown, server->text);
			server->next = *at;
			*at = server;
		}
	}
	free(servers->table);
	*servers = grown;
	return 0;
}

struct clbd_server *clbd_server_lookup(const struct clbd_servers *servers,
				       const char *text)
{
	struct clbd_server *server;

	if (!servers->size)
		return NULL;
	for (server = *place_of(servers, text); server; server = server->next) {
		if (!strcmp(server->text, text))
			return server;
	}
	return NULL;
}

/* The same server in two groups is one, with one pool of upstreams. */
struct clbd_server *clbd_server_find(struct clbd_worker *worker,
				     const char *text)
{
	struct clbd_servers *servers = &worker->servers;
	struct clbd_server *server = clbd_server_lookup(servers, text), **at;

	if (server)
		return clbd_server_get(server);
	if (make_room(servers))
		return NULL;
	server = calloc(1, sizeof(*server));
	if (!server)
		return NULL;
	server->refs = 1;
	server->length = clbd_config_address(text, &server->address);
	snprintf(server->text, sizeof(server->text), "%s", text);
	at = place_of(servers, text);
	server->next = *at;
	*at = server;
	servers->count++;
	/* Those of the first setup are all as new as the worker. */
	if (worker->setup)
		clbd_server_rises(worker, server);
	return server;
}

static struct clbd_verdict *find_verdict(const struct clbd_server *server,
					 uint64_t check)
{
	struct clbd_verdict *verdict = server->verdicts;

	while (verdict && verdict->check != check)
		verdict = verdict->next;
	return verdict;
}

struct clbd_verdict *clbd_verdict_get(struct clbd_server *server,
				      uint64_t check)
{
	struct clbd_verdict *verdict = find_verdict(server, check);

	if (!verdict) {
		verdict = calloc(1, sizeof(*verdict));
		if (!verdict)
			return NULL;
		verdict->check = check;
		verdict->next = server->verdicts;
		server->verdicts = verdict;
	}
	verdict->refs++;
	return verdict;
}

void clbd_verdict_put(struct clbd_server *server, struct clbd_verdict *verdict)
{
	struct clbd_verdict **at = &server->verdicts;

	if (--verdict->refs)
		return;
	while (*at != verdict)
		at = &(*at)->next;
	*at = verdict->next;
	free(verdict);
}

void clbd_server_judge(struct clbd_worker *worker, struct clbd_server *server,
		       uint64_t check, bool down)
{
	struct clbd_verdict *verdict = find_verdict(server, check);

	if (!verdict)
		return;
	if (verdict->down && !down)
		verdict->risen = worker->risen = worker->now;
	verdict->down = down;
}

void clbd_server_rises(struct clbd_worker *worker, struct clbd_server *server)
{
	server->risen = worker->risen = worker->now;
}

struct clbd_server *clbd_server_get(struct clbd_server *server)
{
	server->refs++;
	return server;
}

void clbd_server_put(struct clbd_worker *worker, struct clbd_server *server)
{
	struct clbd_servers *servers = &worker->servers;
	struct clbd_server **at;

	if (--server->refs)
		return;
	at = place_of(servers, server->text);
	while (*at != server)
		at = &(*at)->next;
	*at = server->next;
	servers->count--;
	free(server);
}
