// SPDX-License-Identifier: GPL-2.0
/*
 * Publishing a draft. All that can fail comes first: live objects are found or
 * made, ACLs and schedules compiled, ports marked. Then one pointer changes,
 * and what is left over from the old configuration is marked as gone.
 */
#include <linux/slab.h>

#include "collector.h"
#include "net.h"
#include "pool.h"
#include "ruleset.h"
#include "scheduler.h"
#include "sync.h"
#include "takeover.h"

/*
 * Bytes that may exceed the rate at once. A TCP sender that lost a whole
 * flight is silent for its retransmission timeout, 200 ms and more; what flows
 * into the bucket meanwhile must fit, or it is lost to the sender for good.
 * Two GSO packets at the least.
 */
#define CLB_BURST_MS	500
#define CLB_BURST_MIN	(128 * 1024)

/* Servers that were there before keep their counters and sessions. */
static void servers_adopt(struct clb_listener_conf *conf,
			  const struct clb_listener_conf *old)
{
	const struct clb_server_conf *match;
	u32 i;

	for (i = 0; i < conf->nr_servers; i++) {
		struct clb_server_conf *server = &conf->servers[i];

		if (server->server)
			continue;
		match = clb_server_conf_find(old, &server->key);
		if (!match)
			continue;
		clb_server_get(match->server);
		server->server = match->server;
	}
}

static int servers_make(struct clb_listener_conf *conf)
{
	u32 i;

	for (i = 0; i < conf->nr_servers; i++) {
		struct clb_server_conf *server = &conf->servers[i];

		if (server->server)
			continue;
		server->server = clb_server_alloc(conf->listener,
						  &server->key);
		if (!server->server)
			return -ENOMEM;
	}
	return 0;
}

static int conf_prepare(struct clb_net *cn, struct clb_listener_conf *conf,
			const struct clb_listener_conf *old)
{
	if (old && !conf->listener) {
		clb_listener_get(old->listener);
		conf->listener = old->listener;
	}
	if (old)
		servers_adopt(conf, old);
	if (!conf->listener)
		conf->listener = clb_listener_alloc(cn, &conf->key);
	if (!conf->listener || servers_make(conf))
		return -ENOMEM;
	conf->acl = clb_acl_compile(conf->acl_entries, conf->nr_acl,
				    conf->key.family);
	if (!conf->acl)
		return -ENOMEM;
	conf->schedule = clb_schedule_build(conf);
	return conf->schedule ? 0 : -ENOMEM;
}

/* A draft's listeners without a schedule are those that changed. */
static int draft_prepare(struct clb_net *cn, struct clb_ruleset *draft,
			 const struct clb_ruleset *old)
{
	u32 i;

	for (i = 0; i <= draft->mask; i++) {
		struct clb_listener_conf *conf = draft->slots[i];
		int err;

		if (!conf || conf->schedule)
			continue;
		err = conf_prepare(cn, conf, old ?
				   clb_ruleset_find(old, &conf->key) : NULL);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static u64 rate_burst(const struct clb_listener_options *opt)
{
	if (opt->burst)
		return opt->burst;
	return max_t(u64, opt->rate / BITS_PER_BYTE * CLB_BURST_MS /
		     MSEC_PER_SEC, CLB_BURST_MIN);
}

static void listener_apply(const struct clb_listener_conf *conf)
{
	const struct clb_listener_options *opt = &conf->opt;
	struct clb_listener *listener = conf->listener;
	unsigned int i;

	listener->counted = true;
	for (i = 0; i < CLB_TIMEOUT_MAX; i++)
		WRITE_ONCE(listener->timeouts[i], opt->timeouts[i] * HZ);
	WRITE_ONCE(listener->persistence, opt->persistence * HZ);
	WRITE_ONCE(listener->sync, opt->sync);
	WRITE_ONCE(listener->client_address, opt->client_address);
	WRITE_ONCE(listener->max_sessions, opt->max_sessions);
	WRITE_ONCE(listener->reset, opt->reset);
	clb_bucket_set(&listener->rate, opt->rate / BITS_PER_BYTE,
		       rate_burst(opt));
	clb_bucket_set(&listener->new_rate, opt->max_new_sessions,
		       opt->max_new_sessions);
}

/* Where others may know sessions that this node does not. */
static bool replies_only(const struct clb_listener_options *opt)
{
	return opt->mode == CLB_MODE_NAT && opt->sync != CLB_SYNC_MODE_OFF &&
	       !opt->direct_access;
}

/* Returns true if it was down, or new, and is no more. */
static bool server_apply(const struct clb_listener_conf *conf,
			 const struct clb_server_conf *from, u32 generation)
{
	struct clb_server *server = from->server;
	bool dead = clb_server_dead(server);

	server->generation = generation;
	WRITE_ONCE(server->max_sessions, from->max_sessions);
	WRITE_ONCE(server->weight, from->weight);
	WRITE_ONCE(server->slow_start, conf->opt.slow_start * HZ);
	clb_server_set_replies_only(server, replies_only(&conf->opt));
	if (from->state == CLB_SERVER_STATE_DRAIN && from->drain_timeout)
		WRITE_ONCE(server->listener->cn->draining, true);
	if (from->state == server->state)
		return false;
	if (from->state == CLB_SERVER_STATE_UP)
		WRITE_ONCE(server->up_at, jiffies);
	if (from->state == CLB_SERVER_STATE_DRAIN)
		server->drain_at = jiffies;
	WRITE_ONCE(server->state, from->state);
	return dead && !clb_server_dead(server);
}

static bool conf_apply(const struct clb_listener_conf *conf, u32 generation)
{
	bool gained = false;
	u32 i;

	listener_apply(conf);
	for (i = 0; i < conf->nr_servers; i++)
		gained |= server_apply(conf, &conf->servers[i], generation);
	return gained;
}

/* Returns true if a server is up, or drained, that was not there or down. */
static bool draft_apply(const struct clb_ruleset *draft,
			const struct clb_ruleset *old)
{
	bool gained = false;
	u32 i;

	for (i = 0; i <= draft->mask; i++) {
		struct clb_listener_conf *conf = draft->slots[i];

		if (conf && (!old ||
			     clb_ruleset_find(old, &conf->key) != conf))
			gained |= conf_apply(conf, draft->generation);
	}
	return gained;
}

/* Servers that the new configuration does not name. */
static bool conf_retire(const struct clb_listener_conf *old,
			const struct clb_listener_conf *conf, u32 generation)
{
	bool dead = false;
	u32 i;

	if (old == conf)
		return false;
	for (i = 0; i < old->nr_servers; i++) {
		struct clb_server *server = old->servers[i].server;

		if (!conf || server->generation != generation)
			WRITE_ONCE(server->state, CLB_SERVER_STATE_GONE);
		dead |= clb_server_dead(server);
	}
	return dead;
}

static bool old_retire(const struct clb_ruleset *old,
		       const struct clb_ruleset *new)
{
	bool dead = false;
	u32 i;

	for (i = 0; i <= old->mask; i++) {
		struct clb_listener_conf *conf = old->slots[i];

		if (conf)
			dead |= conf_retire(conf,
					    clb_ruleset_find(new, &conf->key),
					    new->generation);
	}
	return dead;
}

/* Copies of other nodes' sessions may use what is new in the pool. */
static bool pool_grew(const struct clb_ruleset *draft,
		      const struct clb_ruleset *old)
{
	u32 i;

	for (i = 0; i < draft->nr_pool; i++) {
		const struct clb_local_address *local = draft->pool[i].local;

		if (!old || !clb_pool_find(old, local->family, &local->addr))
			return true;
	}
	return false;
}

/**
 * clb_ruleset_publish() - put a draft in force
 * @cn: the namespace, started
 * @draft: the draft; consumed, whatever the outcome
 *
 * Packets see the old configuration or the new one. Sessions of servers that
 * are in both go on.
 *
 * Return: 0, or -ENOMEM, with the old configuration untouched.
 * Context: process, configuration lock held; may sleep.
 */
int clb_ruleset_publish(struct clb_net *cn, struct clb_ruleset *draft)
{
	struct clb_ruleset *old;
	bool gained, grew;
	int err;

	lockdep_assert_held(&cn->config_lock);
	old = rcu_dereference_protected(cn->ruleset,
					lockdep_is_held(&cn->config_lock));
	err = draft_prepare(cn, draft, old);
	grew = (READ_ONCE(cn->strays) || rcu_access_pointer(cn->sync)) &&
	       pool_grew(draft, old);
	if (!err && grew)
		err = clb_takeover_mark(cn, draft);
	if (err) {
		clb_ruleset_put(draft);
		return err;
	}
	draft->generation = old ? old->generation + 1 : 1;
	gained = draft_apply(draft, old);
	clb_takeover_arrange(cn, draft);
	rcu_assign_pointer(cn->ruleset, draft);
	if (grew) {
		/*
		 * Copies that were made by the old one. Without memory for one
		 * who is given its port finds it in the table, and takes the
		 * next (session_create_tries()).
		 */
		synchronize_rcu();
		clb_takeover_mark(cn, draft);
	}
	if (old && old_retire(old, draft))
		clb_collector_sweep(cn);
	else
		clb_collector_start(cn);
	if (gained)
		clb_sync_gained(cn);
	clb_ruleset_put(old);
	return 0;
}
