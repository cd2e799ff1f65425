// SPDX-License-Identifier: MIT
/* What a worker makes of a configuration. */
#include "clbd/setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbd/rules.h"
#include "clbd/upstream.h"
#include "clbd/worker.h"

#define DEFAULT(value, otherwise) ((value) ? (value) : (otherwise))

static int fill_cookie(struct clbd_group *group,
		       const struct clbd_config_group *config,
		       const char *secret)
{
	size_t i;

	group->cookie = config->cookie;
	group->server_cookie = config->server_cookie;
	if (!config->cookie && !config->server_cookie)
		return 0;
	group->cookie_lifetime = config->cookie_lifetime;
	group->tokens = calloc(config->server_count, sizeof(*group->tokens));
	if (!group->tokens)
		return -1;
	for (i = 0; i < config->server_count; i++) {
		if (clbd_cookie_token(secret, config->servers[i].address,
				      group->tokens[i]))
			return -1;
	}
	return 0;
}

/* A limit for all workers: what one may have, rounded up. */
static uint32_t part_of(const struct clbd_worker *worker, uint32_t limit)
{
	uint32_t workers = worker->shared->workers;

	return (limit + workers - 1) / workers;
}

/* Those of a rule's own group are those of the group it has its name from. */
static int fill_meters(struct clbd_worker *worker, struct clbd_group *group)
{
	size_t i;

	group->meters = calloc(group->balance.count, sizeof(*group->meters));
	if (!group->meters)
		return -1;
	for (i = 0; i < group->balance.count; i++)
		group->meters[i] = clbd_worker_meter(worker, CLBD_METER_SERVER,
						     group->name,
						     group->servers[i]->text);
	return 0;
}

/* @check: that the group goes by, of a rule, or 0 */
static int fill_group(struct clbd_worker *worker, struct clbd_group *group,
		      const struct clbd_config_group *config,
		      const char *secret, uint64_t check)
{
	size_t i, count = config->server_count;

	group->name = config->name;
	group->hash = config->hash;
	group->slow_ms = config->slow_start * 1000;
	group->queue.most = part_of(worker, config->queue);
	group->queue.ms = DEFAULT(config->queue_timeout, 10) * 1000;
	group->balance.scheduler = config->scheduler;
	group->balance.members = calloc(count, sizeof(struct clbd_member));
	group->servers = calloc(count, sizeof(*group->servers));
	group->verdicts = calloc(count, sizeof(*group->verdicts));
	if (!group->balance.members || !group->servers || !group->verdicts ||
	    fill_cookie(group, config, secret))
		return -1;
	for (i = 0; i < count; i++) {
		const struct clbd_config_server *from = &config->servers[i];
		struct clbd_member *member = &group->balance.members[i];
		struct clbd_server *server = clbd_server_find(worker,
							      from->address);

		if (!server)
			return -1;
		server->keep = config->keepalive ? *config->keepalive : 64;
		server->keep_ms = DEFAULT(config->keepalive_timeout, 30) * 1000;
		server->eject_after = config->eject_after ? *config->eject_after
							  : 3;
		server->eject_ms = DEFAULT(config->eject_time, 10) * 1000;
		server->limit = part_of(worker, from->max_connections);
		member->weight = from->weight ? *from->weight : 100;
		member->load = &server->load;
		member->seed = clbd_balance_hash(server->text,
						 strlen(server->text));
		group->servers[i] = server;
		group->balance.count++;
		group->verdicts[i] = clbd_verdict_get(server, check);
		if (!group->verdicts[i])
			return -1;
	}
	return fill_meters(worker, group);
}

static int compare_groups(const void *a, const void *b)
{
	const struct clbd_group *const *first = a, *const *second = b;

	return strcmp((*first)->name, (*second)->name);
}

/* There may be as many groups as rules: each is found in few steps. */
static void sort_groups(struct clbd_setup *setup)
{
	unsigned int i;

	for (i = 0; i < setup->config->group_count; i++)
		setup->by_name[i] = &setup->groups[i];
	qsort(setup->by_name, setup->config->group_count,
	      sizeof(*setup->by_name), compare_groups);
}

static struct clbd_group *find_group(const struct clbd_setup *setup,
				     const char *name)
{
	const struct clbd_group wanted = { .name = name }, *key = &wanted;
	struct clbd_group **found;

	if (!name)
		return NULL;
	found = bsearch(&key, setup->by_name, setup->config->group_count,
			sizeof(*setup->by_name), compare_groups);
	return found ? *found : NULL;
}

static void add_stamp(struct clbd_listener *listener, const char *name,
		      const char *value)
{
	int size = snprintf(listener->stamp + listener->stamp_size,
			    CLBD_STAMP_MAX - listener->stamp_size, "%s: %s\r\n",
			    name, value);

	if (size > 0 && size < CLBD_STAMP_MAX - listener->stamp_size)
		listener->stamp_size += size;
}

static void fill_stamp(struct clbd_listener *listener)
{
	const struct clbd_config_listener *config = listener->config;
	uint32_t headers = CLBD_CONFIG_HEADER_PROTO | CLBD_CONFIG_HEADER_PORT;

	if (config->headers)
		headers = *config->headers;
	if (headers & CLBD_CONFIG_HEADER_PROTO)
		add_stamp(listener, "X-Forwarded-Proto", "http");
	if (headers & CLBD_CONFIG_HEADER_PORT)
		add_stamp(listener, "X-Forwarded-Port",
			  strrchr(config->address, ':') + 1);
	if (headers & CLBD_CONFIG_HEADER_LISTENER_NAME)
		add_stamp(listener, "X-Listener-Name", config->name);
	if (headers & CLBD_CONFIG_HEADER_LISTENER_ADDRESS)
		add_stamp(listener, "X-Listener-Address", config->address);
	listener->client_port = headers & CLBD_CONFIG_HEADER_CLIENT_PORT;
}

/*
 * The group of a rule, or one that has the same servers and what the rule has
 * of its own. NULL: no memory
 */
static struct clbd_group *group_of_rule(struct clbd_setup *setup,
					const struct clbd_config_rule *rule)
{
	struct clbd_group *group = find_group(setup, rule->group);
	struct clbd_config_group config;

	if (!clbd_config_is_own(rule))
		return group;
	config = setup->config->groups[group - setup->groups];
	if (rule->scheduler)
		config.scheduler = *rule->scheduler;
	if (rule->hash)
		config.hash = *rule->hash;
	if (rule->cookie) {
		config.cookie = rule->cookie;
		config.server_cookie = NULL;
	}
	if (rule->cookie_lifetime)
		config.cookie_lifetime = *rule->cookie_lifetime;
	group = &setup->groups[setup->group_count++];
	return fill_group(setup->worker, group, &config, setup->config->secret,
			  rule->check ? rule->check->id : 0)
		       ? NULL
		       : group;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/*
 * What is left of a rule's rate stays over a reload, if the rule is found where
 * it was and has the same rate.
 */
static void keep_rate(const struct clbd_listener *old, uint32_t i,
		      const struct clbd_config_rule *rule,
		      struct clbd_rate *rate)
{
	const struct clbd_config_rule *before;

	if (!old || i >= old->config->rule_count)
		return;
	before = &old->config->rules[i];
	if (is_same(before->domain, rule->domain) &&
	    is_same(before->url, rule->url) && before->rate == rule->rate &&
	    before->burst == rule->burst)
		*rate = old->rates[i];
}

static const struct clbd_listener *
old_listener(const struct clbd_worker *worker,
	     const struct clbd_config_listener *config)
{
	const struct clbd_setup *old = worker->setup;
	unsigned int i;

	for (i = 0; old && i < old->listener_count; i++) {
		if (!strcmp(old->listeners[i].config->address,
			    config->address))
			return &old->listeners[i];
	}
	return NULL;
}

static void fill_rate(struct clbd_listener *listener,
		      const struct clbd_listener *old)
{
	const struct clbd_config_listener_limits *limits =
		&listener->config->limits;
	const struct clbd_worker *worker = listener->setup->worker;

	if (old && old->config->limits.rate == limits->rate &&
	    old->config->limits.burst == limits->burst)
		listener->rate = old->rate;
	else
		clbd_rate_init(&listener->rate, limits->rate, limits->burst,
			       worker->shared->workers, worker->now);
}

static int fill_rules(struct clbd_setup *setup, struct clbd_listener *listener,
		      const struct clbd_listener *old)
{
	const struct clbd_worker *worker = setup->worker;
	const struct clbd_config_listener *config = listener->config;
	uint32_t i;

	if (!config->rule_count)
		return 0;
	listener->rules = clbd_rules_new(config->rule_count);
	listener->targets = calloc(config->rule_count,
				   sizeof(*listener->targets));
	listener->rates = calloc(config->rule_count, sizeof(*listener->rates));
	if (!listener->rules || !listener->targets || !listener->rates)
		return -1;
	for (i = 0; i < config->rule_count; i++) {
		const struct clbd_config_rule *rule = &config->rules[i];
		struct clbd_target *target = &listener->targets[i];

		target->group = group_of_rule(setup, rule);
		target->redirect = rule->redirect;
		target->code = DEFAULT(rule->redirect_code, 301);
		target->rate = &listener->rates[i];
		if (rule->group && !target->group)
			return -1;
		clbd_rate_init(target->rate, rule->rate, rule->burst,
			       worker->shared->workers, worker->now);
		keep_rate(old, i, rule, target->rate);
		if (clbd_rules_add(listener->rules, rule->domain, rule->url,
				   target))
			return -1;
	}
	return 0;
}

/* NULL: no memory */
static struct clbd_prefix *prefixes_new(char *const *texts, uint32_t count)
{
	struct clbd_prefix *prefixes = calloc(count + 1, sizeof(*prefixes));
	uint32_t i;

	for (i = 0; prefixes && i < count; i++)
		clb_prefix_parse(texts[i], &prefixes[i].address,
				 &prefixes[i].length);
	return prefixes;
}

static int fill_proxies(struct clbd_listener *listener)
{
	const struct clbd_config_listener *config = listener->config;

	listener->proxy_count = config->proxy_from_count;
	listener->proxies = prefixes_new(config->proxy_from,
					 listener->proxy_count);
	listener->teller_count = config->client_address_from_count;
	listener->tellers = prefixes_new(config->client_address_from,
					 listener->teller_count);
	return listener->proxies && listener->tellers ? 0 : -1;
}

static int fill_coding(struct clbd_listener *listener)
{
	const struct clbd_config_gzip *config = listener->config->gzip;
	struct clbd_coding *coding;

	if (!config)
		return 0;
	coding = listener->coding = calloc(1, sizeof(*coding));
	if (!coding)
		return -1;
	coding->level = DEFAULT(config->level, 1);
	coding->minimum = config->minimum ? *config->minimum : 1024;
	coding->types = clbd_coding_types;
	coding->type_count = clbd_coding_type_count;
	if (config->types) {
		coding->types = (const char *const *)config->types;
		coding->type_count = config->type_count;
	}
	return 0;
}

static int fill_listener(struct clbd_setup *setup,
			 struct clbd_listener *listener,
			 const struct clbd_config_listener *config)
{
	const struct clbd_listener *old = old_listener(setup->worker, config);

	listener->setup = setup;
	listener->config = config;
	listener->meter = clbd_worker_meter(setup->worker,
					    CLBD_METER_LISTENER, config->name,
					    "");
	listener->target = (struct clbd_target){
		.group = find_group(setup, config->group),
		.redirect = config->redirect,
		.code = DEFAULT(config->redirect_code, 301),
	};
	listener->idle_ms = DEFAULT(config->timeouts.idle, 15) * 1000;
	listener->request_ms = DEFAULT(config->timeouts.request, 60) * 1000;
	listener->tunnel_ms = DEFAULT(config->timeouts.tunnel, 900) * 1000;
	listener->body_max = config->limits.body;
	listener->streams = DEFAULT(config->limits.streams, 100);
	fill_stamp(listener);
	fill_rate(listener, old);
	if (fill_proxies(listener) || fill_coding(listener))
		return -1;
	return fill_rules(setup, listener, old);
}

/* Those with names, and those of rules that are other than their group. */
static size_t count_groups(const struct clbd_config *config)
{
	size_t count = config->group_count;
	uint32_t l, r;

	for (l = 0; l < config->listener_count; l++) {
		const struct clbd_config_listener *listener =
			&config->listeners[l];

		for (r = 0; r < listener->rule_count; r++)
			count += clbd_config_is_own(&listener->rules[r]);
	}
	return count;
}

static int fill(struct clbd_setup *setup)
{
	struct clbd_config *config = setup->config;
	unsigned int i;

	setup->connect_ms = DEFAULT(config->timeouts.connect, 5) * 1000;
	setup->head_max = DEFAULT(config->limits.head, CLBD_CONFIG_HEAD_MAX);
	setup->groups = calloc(count_groups(config), sizeof(*setup->groups));
	setup->listeners = calloc(config->listener_count,
				  sizeof(*setup->listeners));
	setup->by_name = calloc(config->group_count, sizeof(*setup->by_name));
	if (!setup->groups || !setup->listeners || !setup->by_name)
		return -1;
	for (i = 0; i < config->group_count; i++) {
		setup->group_count++;
		if (fill_group(setup->worker, &setup->groups[i],
			       &config->groups[i], config->secret, 0))
			return -1;
	}
	sort_groups(setup);
	for (i = 0; i < config->listener_count; i++) {
		setup->listener_count++;
		if (fill_listener(setup, &setup->listeners[i],
				  &config->listeners[i]))
			return -1;
	}
	return 0;
}

struct clbd_setup *clbd_setup_new(struct clbd_worker *worker,
				  struct clbd_config *config)
{
	struct clbd_setup *setup = calloc(1, sizeof(*setup));

	if (!setup) {
		clbd_config_free(config);
		return NULL;
	}
	setup->refs = 1;
	setup->worker = worker;
	setup->config = config;
	if (!fill(setup))
		return setup;
	clbd_setup_put(setup);
	return NULL;
}

int clbd_setup_pages(struct clbd_setup *setup, int file)
{
	off_t at = 0;
	unsigned int i;

	for (i = 0; i < setup->listener_count; i++) {
		struct clbd_listener *listener = &setup->listeners[i];

		if (!listener->config->page_count)
			continue;
		listener->pages = clbd_pages_take(file, &at, listener->config);
		if (!listener->pages)
			return -ENOMEM;
	}
	return 0;
}

struct clbd_setup *clbd_setup_get(struct clbd_setup *setup)
{
	setup->refs++;
	return setup;
}

static void empty_group(struct clbd_worker *worker, struct clbd_group *group)
{
	size_t i;

	for (i = 0; i < group->balance.count; i++) {
		struct clbd_server *server = group->servers[i];

		if (group->verdicts[i])
			clbd_verdict_put(server, group->verdicts[i]);
		/* Upstreams of a server that no setup has any more end. */
		if (server->refs == server->idle_count + 1)
			clbd_upstream_close_idle(server);
		clbd_server_put(worker, server);
	}
	free(group->balance.members);
	free(group->tokens);
	free(group->meters);
	free(group->verdicts);
	free(group->servers);
}

void clbd_setup_put(struct clbd_setup *setup)
{
	unsigned int i;

	if (!setup || --setup->refs)
		return;
	for (i = 0; i < setup->group_count; i++)
		empty_group(setup->worker, &setup->groups[i]);
	for (i = 0; i < setup->listener_count; i++) {
		clbd_rules_free(setup->listeners[i].rules);
		free(setup->listeners[i].targets);
		free(setup->listeners[i].rates);
		free(setup->listeners[i].proxies);
		free(setup->listeners[i].tellers);
		free(setup->listeners[i].coding);
		clbd_pages_free(setup->listeners[i].pages,
				setup->listeners[i].config->page_count);
	}
	free(setup->groups);
	free(setup->by_name);
	free(setup->listeners);
	clbd_config_free(setup->config);
	free(setup);
}
