// SPDX-License-Identifier: GPL-2.0
/*
 * Configurations as immutable snapshots: looking up, copying, changing a
 * draft. Publishing a draft is in publish.c.
 */
#include <linux/jhash.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "net.h"
#include "pool.h"
#include "ruleset.h"
#include "scheduler.h"

#define CLB_RULESET_MIN_SLOTS 16

static u32 endpoint_hash(const struct clb_endpoint *key)
{
	u32 rest = (__force u32)key->port << 16 | key->protocol;

	if (key->family == NFPROTO_IPV4)
		return jhash_2words(key->addr.all[0], rest, 0);
	return jhash2(key->addr.all, ARRAY_SIZE(key->addr.all), rest);
}

/* The slot of @key, or the free one where it would go. */
static u32 slot_find(const struct clb_ruleset *ruleset,
		     const struct clb_endpoint *key)
{
	u32 i = endpoint_hash(key) & ruleset->mask;

	while (ruleset->slots[i] &&
	       !clb_endpoint_equal(&ruleset->slots[i]->key, key))
		i = (i + 1) & ruleset->mask;
	return i;
}

/**
 * clb_ruleset_find() - find a listener by its key
 * @ruleset: the configuration
 * @key: VIP, port, protocol
 *
 * Return: the listener or NULL.
 * Context: any that keeps @ruleset alive.
 */
struct clb_listener_conf *
clb_ruleset_find(const struct clb_ruleset *ruleset,
		 const struct clb_endpoint *key)
{
	return ruleset->slots[slot_find(ruleset, key)];
}

/**
 * clb_ruleset_match() - find the listener for a packet
 * @ruleset: the configuration
 * @key: the packet's destination
 *
 * Return: the listener on the port, else the one on all ports, else NULL.
 * Context: any that keeps @ruleset alive.
 */
struct clb_listener_conf *
clb_ruleset_match(const struct clb_ruleset *ruleset, struct clb_endpoint key)
{
	struct clb_listener_conf *conf = clb_ruleset_find(ruleset, &key);

	if (conf)
		return conf;
	key.port = 0;
	return clb_ruleset_find(ruleset, &key);
}

/**
 * clb_server_conf_find() - find a server of a listener
 * @conf: the listener
 * @key: address and port
 *
 * Return: the server or NULL.
 * Context: any that keeps @conf alive.
 */
struct clb_server_conf *
clb_server_conf_find(const struct clb_listener_conf *conf,
		     const struct clb_endpoint *key)
{
	u32 i;

	for (i = 0; i < conf->nr_servers; i++)
		if (clb_endpoint_equal(&conf->servers[i].key, key))
			return &conf->servers[i];
	return NULL;
}

static void conf_put(struct clb_listener_conf *conf)
{
	u32 i;

	if (!refcount_dec_and_test(&conf->ref))
		return;
	for (i = 0; i < conf->nr_servers; i++)
		if (conf->servers[i].server)
			clb_server_put(conf->servers[i].server);
	if (conf->listener)
		clb_listener_put(conf->listener);
	clb_schedule_free(conf->schedule);
	kvfree(conf->acl);
	kvfree(conf->acl_entries);
	kvfree(conf->servers);
	kfree(conf);
}

/* Room up to the next power of two, as array_grow() counts on. */
static void *array_dup(const void *from, u32 count, size_t size)
{
	void *to = kvmalloc_array(roundup_pow_of_two(count ?: 1), size,
				  GFP_KERNEL_ACCOUNT);

	if (to && count)
		memcpy(to, from, count * size);
	return to;
}

static struct clb_listener_conf *conf_copy(const struct clb_listener_conf *from)
{
	struct clb_listener_conf *conf;
	u32 i;

	conf = kmemdup(from, sizeof(*from), GFP_KERNEL_ACCOUNT);
	if (!conf)
		return NULL;
	refcount_set(&conf->ref, 1);
	conf->acl = NULL;
	conf->schedule = NULL;
	conf->servers = array_dup(from->servers, from->nr_servers,
				  sizeof(*from->servers));
	conf->acl_entries = array_dup(from->acl_entries, from->nr_acl,
				      sizeof(*from->acl_entries));
	if (!conf->servers || !conf->acl_entries) {
		kvfree(conf->servers);
		kvfree(conf->acl_entries);
		kfree(conf);
		return NULL;
	}
	for (i = 0; i < conf->nr_servers; i++)
		if (conf->servers[i].server)
			clb_server_get(conf->servers[i].server);
	if (conf->listener)
		clb_listener_get(conf->listener);
	return conf;
}

static struct clb_ruleset *ruleset_alloc(u32 slots)
{
	struct clb_ruleset *ruleset;

	ruleset = kzalloc(sizeof(*ruleset), GFP_KERNEL_ACCOUNT);
	if (!ruleset)
		return NULL;
	refcount_set(&ruleset->ref, 1);
	ruleset->mask = slots - 1;
	ruleset->slots = kvcalloc(slots, sizeof(*ruleset->slots),
				  GFP_KERNEL_ACCOUNT);
	ruleset->pool = kcalloc(CLB_MAX_LOCAL_ADDRESSES,
				sizeof(*ruleset->pool), GFP_KERNEL_ACCOUNT);
	if (ruleset->slots && ruleset->pool)
		return ruleset;
	kvfree(ruleset->slots);
	kfree(ruleset->pool);
	kfree(ruleset);
	return NULL;
}

static void ruleset_free(struct clb_ruleset *ruleset)
{
	u32 i;

	for (i = 0; i <= ruleset->mask; i++) {
		if (ruleset->slots[i])
			conf_put(ruleset->slots[i]);
		cond_resched();
	}
	for (i = 0; i < ruleset->nr_pool; i++)
		clb_local_address_put(ruleset->pool[i].local);
	kvfree(ruleset->slots);
	kfree(ruleset->pool);
	kfree(ruleset);
}

static void ruleset_free_work(struct work_struct *work)
{
	ruleset_free(container_of(to_rcu_work(work), struct clb_ruleset,
				  free));
}

/**
 * clb_ruleset_put() - release a reference
 * @ruleset: the configuration, may be NULL; freed after the last one
 *
 * Context: any.
 */
void clb_ruleset_put(struct clb_ruleset *ruleset)
{
	if (!ruleset || !refcount_dec_and_test(&ruleset->ref))
		return;
	INIT_RCU_WORK(&ruleset->free, ruleset_free_work);
	queue_rcu_work(clb_workqueue, &ruleset->free);
}

/**
 * clb_ruleset_get() - take a reference to the configuration in force
 * @cn: the namespace
 *
 * Return: the configuration, or NULL where none was ever made.
 * Context: any.
 */
struct clb_ruleset *clb_ruleset_get(struct clb_net *cn)
{
	struct clb_ruleset *ruleset;

	rcu_read_lock();
	do {
		ruleset = rcu_dereference(cn->ruleset);
	} while (ruleset && !refcount_inc_not_zero(&ruleset->ref));
	rcu_read_unlock();
	return ruleset;
}

static void slots_fill(struct clb_ruleset *to, const struct clb_ruleset *from)
{
	u32 i;

	for (i = 0; i <= from->mask; i++) {
		struct clb_listener_conf *conf = from->slots[i];

		if (!conf)
			continue;
		refcount_inc(&conf->ref);
		to->slots[slot_find(to, &conf->key)] = conf;
	}
	to->nr_listeners = from->nr_listeners;
}

/**
 * clb_ruleset_copy() - begin a draft
 * @from: the configuration to start from, may be NULL: empty
 *
 * The copy shares its listeners with @from until they are changed.
 *
 * Return: the draft or NULL without memory.
 * Context: process; may sleep; @from does not change meanwhile.
 */
struct clb_ruleset *clb_ruleset_copy(const struct clb_ruleset *from)
{
	struct clb_ruleset *ruleset;
	u32 i;

	ruleset = ruleset_alloc(from ? from->mask + 1 : CLB_RULESET_MIN_SLOTS);
	if (!ruleset || !from)
		return ruleset;
	ruleset->generation = from->generation;
	slots_fill(ruleset, from);
	for (i = 0; i < from->nr_pool; i++) {
		ruleset->pool[i] = from->pool[i];
		clb_local_address_get(from->pool[i].local);
	}
	ruleset->nr_pool = from->nr_pool;
	return ruleset;
}

static int slots_grow(struct clb_ruleset *draft)
{
	u32 old_slots = draft->mask + 1, i;
	struct clb_listener_conf **old = draft->slots;

	if (draft->nr_listeners < old_slots / 2)
		return 0;
	draft->slots = kvcalloc(old_slots * 2, sizeof(*old),
				GFP_KERNEL_ACCOUNT);
	if (!draft->slots) {
		draft->slots = old;
		return -ENOMEM;
	}
	draft->mask = old_slots * 2 - 1;
	for (i = 0; i < old_slots; i++)
		if (old[i])
			draft->slots[slot_find(draft, &old[i]->key)] = old[i];
	kvfree(old);
	return 0;
}

/**
 * clb_draft_listener() - a listener of a draft, to change it
 * @draft: the draft
 * @key: VIP, port, protocol
 *
 * Return: the listener, of the draft alone; -ENOENT or -ENOMEM as a pointer.
 * Context: process, owner of the draft; may sleep.
 */
struct clb_listener_conf *clb_draft_listener(struct clb_ruleset *draft,
					     const struct clb_endpoint *key)
{
	u32 slot = slot_find(draft, key);
	struct clb_listener_conf *shared = draft->slots[slot];
	struct clb_listener_conf *conf;

	if (!shared)
		return ERR_PTR(-ENOENT);
	/* without a schedule it was never published: nobody shares it */
	if (!shared->schedule)
		return shared;
	conf = conf_copy(shared);
	if (!conf)
		return ERR_PTR(-ENOMEM);
	draft->slots[slot] = conf;
	conf_put(shared);
	return conf;
}

/**
 * clb_draft_listener_add() - add a listener to a draft
 * @draft: the draft
 * @key: VIP, port, protocol
 * @opt: its options
 *
 * Return: 0, -EEXIST, -ENOSPC (CLB_MAX_LISTENERS) or -ENOMEM.
 * Context: process, owner of the draft; may sleep.
 */
int clb_draft_listener_add(struct clb_ruleset *draft,
			   const struct clb_endpoint *key,
			   const struct clb_listener_options *opt)
{
	struct clb_listener_conf *conf;
	struct clb_listener_conf empty = {
		.key = *key, .opt = *opt,
	};

	if (clb_ruleset_find(draft, key))
		return -EEXIST;
	if (draft->nr_listeners >= CLB_MAX_LISTENERS)
		return -ENOSPC;
	if (slots_grow(draft))
		return -ENOMEM;
	conf = conf_copy(&empty);
	if (!conf)
		return -ENOMEM;
	draft->slots[slot_find(draft, key)] = conf;
	draft->nr_listeners++;
	return 0;
}

/**
 * clb_draft_listener_del() - remove a listener from a draft
 * @draft: the draft
 * @key: VIP, port, protocol
 *
 * Return: 0 or -ENOENT.
 * Context: process, owner of the draft.
 */
int clb_draft_listener_del(struct clb_ruleset *draft,
			   const struct clb_endpoint *key)
{
	u32 hole = slot_find(draft, key), i, home;

	if (!draft->slots[hole])
		return -ENOENT;
	conf_put(draft->slots[hole]);
	draft->slots[hole] = NULL;
	draft->nr_listeners--;
	/* whoever was pushed beyond the hole moves up into it */
	for (i = (hole + 1) & draft->mask; draft->slots[i];
	     i = (i + 1) & draft->mask) {
		home = endpoint_hash(&draft->slots[i]->key) & draft->mask;
		if (((i - home) & draft->mask) < ((i - hole) & draft->mask))
			continue;
		draft->slots[hole] = draft->slots[i];
		draft->slots[i] = NULL;
		hole = i;
	}
	return 0;
}

/* Room for one more in an array that holds a power of two. */
static void *array_grow(void *array, u32 count, size_t size)
{
	void *larger;

	if (count & (count - 1))
		return array;
	larger = kvmalloc_array(count ? count * 2 : 1, size,
				GFP_KERNEL_ACCOUNT);
	if (!larger)
		return NULL;
	if (count)
		memcpy(larger, array, count * size);
	kvfree(array);
	return larger;
}

/**
 * clb_draft_server_add() - add a server to a listener of a draft
 * @conf: from clb_draft_listener()
 * @server: the server; not there yet
 *
 * Return: 0, -ENOSPC (CLB_MAX_SERVERS) or -ENOMEM.
 * Context: process, owner of the draft; may sleep.
 */
int clb_draft_server_add(struct clb_listener_conf *conf,
			 const struct clb_server_conf *server)
{
	struct clb_server_conf *servers;

	if (conf->nr_servers >= CLB_MAX_SERVERS)
		return -ENOSPC;
	servers = array_grow(conf->servers, conf->nr_servers,
			     sizeof(*servers));
	if (!servers)
		return -ENOMEM;
	conf->servers = servers;
	servers[conf->nr_servers++] = *server;
	return 0;
}

/**
 * clb_draft_server_del() - remove a server from a listener of a draft
 * @conf: from clb_draft_listener()
 * @server: one of its servers
 *
 * Context: process, owner of the draft.
 */
void clb_draft_server_del(struct clb_listener_conf *conf,
			  struct clb_server_conf *server)
{
	u32 i = server - conf->servers;

	if (server->server)
		clb_server_put(server->server);
	conf->nr_servers--;
	memmove(server, server + 1,
		(conf->nr_servers - i) * sizeof(*server));
}

static struct clb_prefix *acl_find(const struct clb_listener_conf *conf,
				   const struct clb_prefix *prefix)
{
	u32 i;

	for (i = 0; i < conf->nr_acl; i++)
		if (conf->acl_entries[i].len == prefix->len &&
		    clb_addr_equal(&conf->acl_entries[i].addr, &prefix->addr))
			return &conf->acl_entries[i];
	return NULL;
}

/**
 * clb_draft_acl_has() - is an ACL entry there
 * @conf: the listener
 * @prefix: the entry
 *
 * Return: true if the listener has this very entry.
 * Context: any that keeps @conf alive.
 */
bool clb_draft_acl_has(const struct clb_listener_conf *conf,
		       const struct clb_prefix *prefix)
{
	return acl_find(conf, prefix);
}

/**
 * clb_draft_acl_add() - add an ACL entry to a listener of a draft
 * @conf: from clb_draft_listener()
 * @prefix: the entry
 *
 * Return: 0, -EEXIST, -ENOSPC (CLB_MAX_ACL_ENTRIES) or -ENOMEM.
 * Context: process, owner of the draft; may sleep.
 */
int clb_draft_acl_add(struct clb_listener_conf *conf,
		      const struct clb_prefix *prefix)
{
	struct clb_prefix *entries;

	if (acl_find(conf, prefix))
		return -EEXIST;
	if (conf->nr_acl >= CLB_MAX_ACL_ENTRIES)
		return -ENOSPC;
	entries = array_grow(conf->acl_entries, conf->nr_acl,
			     sizeof(*entries));
	if (!entries)
		return -ENOMEM;
	conf->acl_entries = entries;
	entries[conf->nr_acl++] = *prefix;
	return 0;
}

/**
 * clb_draft_acl_del() - remove an ACL entry from a listener of a draft
 * @conf: from clb_draft_listener()
 * @prefix: the entry
 *
 * Return: 0 or -ENOENT.
 * Context: process, owner of the draft.
 */
int clb_draft_acl_del(struct clb_listener_conf *conf,
		      const struct clb_prefix *prefix)
{
	struct clb_prefix *entry = acl_find(conf, prefix);

	if (!entry)
		return -ENOENT;
	*entry = conf->acl_entries[--conf->nr_acl];
	return 0;
}

/**
 * clb_draft_pool_add() - add a local address to a draft
 * @draft: the draft
 * @local: the address; its reference passes to the draft on success
 * @node: the node it belongs to; 0: this one
 *
 * Return: 0 or -ENOSPC (CLB_MAX_LOCAL_ADDRESSES).
 * Context: process, owner of the draft.
 */
int clb_draft_pool_add(struct clb_ruleset *draft,
		       struct clb_local_address *local, u16 node)
{
	if (draft->nr_pool >= CLB_MAX_LOCAL_ADDRESSES)
		return -ENOSPC;
	draft->pool[draft->nr_pool++] = (struct clb_local_conf) {
		.local = local, .node = node,
	};
	return 0;
}

/**
 * clb_draft_pool_del() - remove a local address from a draft
 * @draft: the draft
 * @local: one of its addresses
 *
 * Context: process, owner of the draft.
 */
void clb_draft_pool_del(struct clb_ruleset *draft,
			struct clb_local_address *local)
{
	u32 i;

	for (i = 0; draft->pool[i].local != local; i++)
		;
	draft->pool[i] = draft->pool[--draft->nr_pool];
	clb_local_address_put(local);
}

/**
 * clb_draft_flush() - empty a draft
 * @draft: the draft
 *
 * Context: process, owner of the draft.
 */
void clb_draft_flush(struct clb_ruleset *draft)
{
	u32 i;

	for (i = 0; i <= draft->mask; i++) {
		if (draft->slots[i])
			conf_put(draft->slots[i]);
		draft->slots[i] = NULL;
	}
	draft->nr_listeners = 0;
	while (draft->nr_pool)
		clb_local_address_put(draft->pool[--draft->nr_pool].local);
}
