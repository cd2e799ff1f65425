/* SPDX-License-Identifier: MIT */
/*
 * What a worker makes of a configuration: listeners that know their rules,
 * groups, and servers. A setup is built whole and then not changed; whoever
 * uses it across events has a reference. Servers outlive setups: they are known
 * by address, and keep their upstreams and counts over a reload.
 */
#ifndef CLBD_SETUP_H
#define CLBD_SETUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "clbd/balance.h"
#include "clbd/coding.h"
#include "clbd/config.h"
#include "clbd/cookie.h"
#include "clbd/outage.h"
#include "clbd/pages.h"
#include "clbd/proxy.h"
#include "clbd/queue.h"
#include "clbd/rate.h"

struct clbd_meter;
struct clbd_upstream;
struct clbd_worker;
struct clbd_rules;

/**
 * struct clbd_verdict - what a check says of a server
 * @refs: of groups
 * @check: of a rule; 0: that of groups
 * @risen: ms when it came up by that; 0: it never did
 */
struct clbd_verdict {
	struct clbd_verdict *next;
	unsigned int refs;
	uint64_t check;
	bool down;
	uint64_t risen;
};

/**
 * struct clbd_server - a server as one worker knows it
 * @next: in its place of the worker's table
 * @refs: of setups, upstreams and sessions
 * @address: where it is
 * @text: the same, to be read
 * @idle: upstreams that wait for a request, the latest first
 * @idle_count: how many
 * @keep: how many may be
 * @keep_ms: how long
 * @load: sessions it has now
 * @limit: how many it may have; 0: any number
 * @risen: ms when it was no longer drained, or new; 0: with the worker
 * @bulky: its latest response may have been worth a pipe
 * @verdicts: those that groups go by; who is down gets nothing
 * @drain: by the operator
 * @failures: in a row
 * @eject_after: so many of them; 0: never
 * @eject_ms: how long
 * @ejected_until: ms; others are asked before it until then
 */
struct clbd_server {
	struct clbd_server *next;
	unsigned int refs;
	struct sockaddr_storage address;
	socklen_t length;
	char text[CLB_ADDRESS_TEXT];
	struct clbd_upstream *idle;
	unsigned int idle_count;
	unsigned int keep;
	uint32_t keep_ms;
	uint32_t load;
	uint32_t limit;
	uint64_t risen;
	bool bulky;
	struct clbd_verdict *verdicts;
	enum clbd_drain drain;
	uint32_t failures;
	uint32_t eject_after;
	uint32_t eject_ms;
	uint64_t ejected_until;
};

/**
 * struct clbd_servers - those that a worker knows, by address
 * @table: a list at each place
 * @size: places, a power of two; at least @count
 * @count: servers
 */
struct clbd_servers {
	struct clbd_server **table;
	size_t size;
	size_t count;
};

struct clbd_group {
	const char *name;
	struct clbd_balance balance;
	enum clbd_config_hash hash;
	const char *cookie; /* NULL: none */
	const char *server_cookie; /* the servers' own; NULL: none */
	uint32_t cookie_lifetime;
	char (*tokens)[CLBD_COOKIE_TOKEN]; /* of servers, for cookies */
	struct clbd_server **servers; /* as many as @balance has members */
	struct clbd_verdict **verdicts; /* on servers */
	struct clbd_meter **meters; /* of servers */
	struct clbd_queue queue;
	uint32_t slow_ms; /* from a server's rise to its full share */
	bool slow; /* some have less than that */
};

/*
 * Where requests go: to a group, or elsewhere; or nowhere, if neither is set.
 */
struct clbd_target {
	struct clbd_group *group;
	const char *redirect;
	uint16_t code;
	struct clbd_rate *rate; /* NULL: no limit */
};

/* Fields that a listener adds to each request, made once. */
#define CLBD_STAMP_MAX 512

struct clbd_listener {
	struct clbd_setup *setup;
	const struct clbd_config_listener *config;
	struct clbd_meter *meter;
	struct clbd_rules *rules; /* NULL: none */
	struct clbd_prefix *proxies; /* who tells clients' addresses */
	struct clbd_prefix *tellers; /* and who does in the SYN */
	uint32_t proxy_count;
	uint32_t teller_count;
	struct clbd_target *targets; /* of rules */
	struct clbd_rate *rates; /* of rules, in the same order */
	struct clbd_rate rate; /* of all requests */
	struct clbd_target target; /* of what no rule fits */
	uint32_t idle_ms;
	uint32_t request_ms;
	uint32_t tunnel_ms;
	uint64_t body_max;
	struct clbd_coding *coding; /* NULL: responses go as they come */
	struct clbd_page *pages; /* as many as @config says, or NULL */
	uint32_t streams; /* of a connection of HTTP/2 */
	bool client_port; /* told in a field of its own */
	uint16_t stamp_size;
	char stamp[CLBD_STAMP_MAX];
};

struct clbd_setup {
	unsigned int refs;
	struct clbd_worker *worker;
	struct clbd_config *config;
	struct clbd_group *groups;
	unsigned int group_count; /* first those with names, then rules' own */
	struct clbd_group **by_name; /* the same, in order */
	struct clbd_listener *listeners;
	unsigned int listener_count;
	uint32_t connect_ms;
	uint32_t head_max;
};

/* Takes @config over, also on failure. NULL without memory. */
struct clbd_setup *clbd_setup_new(struct clbd_worker *worker,
				  struct clbd_config *config);
/* Pages of errors, for a setup that is not used yet. Return: 0 or -ENOMEM */
int clbd_setup_pages(struct clbd_setup *setup, int file);
struct clbd_setup *clbd_setup_get(struct clbd_setup *setup);
void clbd_setup_put(struct clbd_setup *setup);

/* The server of an address; NULL: there is none. */
struct clbd_server *clbd_server_lookup(const struct clbd_servers *servers,
				       const char *text);

/* The same, made where there is none; it has one reference more. */
struct clbd_server *clbd_server_find(struct clbd_worker *worker,
				     const char *text);
struct clbd_server *clbd_server_get(struct clbd_server *server);
void clbd_server_put(struct clbd_worker *worker, struct clbd_server *server);

/* What a check says of it, with one reference more. NULL: no memory */
struct clbd_verdict *clbd_verdict_get(struct clbd_server *server,
				      uint64_t check);
void clbd_verdict_put(struct clbd_server *server, struct clbd_verdict *verdict);

/* A check has found it down or up, which some group may go by. */
void clbd_server_judge(struct clbd_worker *worker, struct clbd_server *server,
		       uint64_t check, bool down);

/* It is new, or no longer drained: its share grows slowly. */
void clbd_server_rises(struct clbd_worker *worker, struct clbd_server *server);

static inline bool clbd_server_has_room(const struct clbd_server *server)
{
	return !server->limit || server->load < server->limit;
}

#endif /* CLBD_SETUP_H */
