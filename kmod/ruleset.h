/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_RULESET_H
#define _CLB_RULESET_H

#include "acl.h"
#include "listener.h"

struct clb_local_address;
struct clb_schedule;

#define CLB_MAX_LISTENERS		65536
#define CLB_MAX_SERVERS			4096
#define CLB_MAX_ACL_ENTRIES		8192
#define CLB_MAX_LOCAL_ADDRESSES		256

/**
 * struct clb_server_conf - a server as configured
 * @key: address and port
 * @weight: 0 to 1000
 * @state: enum clb_server_state
 * @drain_timeout: seconds, 0: none
 * @max_sessions: 0: none
 * @server: the live server; NULL in a draft where it is new
 */
struct clb_server_conf {
	struct clb_endpoint	key;
	u16			weight;
	u8			state;
	u32			drain_timeout;
	u32			max_sessions;
	struct clb_server	*server;
};

/**
 * struct clb_listener_options - what may change in a listener
 *
 * Units and ranges as in enum clb_listener_attr.
 */
struct clb_listener_options {
	u8	mode;
	u8	scheduler;
	u8	hash_key;
	u8	persistence_prefix;
	u8	reset;
	u8	acl_mode;
	u8	sync;
	u8	direct_access;
	u8	client_address;
	u32	persistence;
	u32	timeouts[CLB_TIMEOUT_MAX];
	u32	slow_start;
	u32	max_sessions;
	u32	max_new_sessions;
	u64	rate;
	u32	burst;
};

/**
 * struct clb_listener_conf - a listener as configured
 * @key: VIP, port, protocol
 * @opt: its options
 * @nr_servers: length of @servers
 * @nr_acl: length of @acl_entries
 * @servers: in the order in which they were added
 * @acl_entries: as given
 * @listener: the live listener; NULL in a draft where it is new
 * @acl: compiled entries; NULL in a draft
 * @schedule: compiled for the scheduler; NULL in a draft
 * @ref: held by the rulesets it is part of
 *
 * Changed only while it is part of a draft alone; published, it is constant.
 */
struct clb_listener_conf {
	struct clb_endpoint	key;
	struct clb_listener_options opt;
	u32			nr_servers;
	u32			nr_acl;
	struct clb_server_conf	*servers;
	struct clb_prefix	*acl_entries;
	struct clb_listener	*listener;
	struct clb_acl		*acl;
	struct clb_schedule	*schedule;
	refcount_t		ref;
};

/**
 * struct clb_local_conf - a local address in a configuration
 * @local: the live object; holds a reference
 * @node: the node it belongs to; 0: this one
 */
struct clb_local_conf {
	struct clb_local_address *local;
	u16			node;
};

/**
 * struct clb_ruleset - a whole configuration
 * @generation: its number; each published one is one higher
 * @nr_listeners: listeners in @slots
 * @mask: number of slots - 1
 * @nr_pool: local addresses in @pool
 * @nr_active: the first ones of @pool, which new sessions use; set when it is
 *	published
 * @slots: open addressing, linear probing; never more than half full
 * @pool: local addresses for FNAT
 * @ref: held by its namespace and by dumps
 * @free: after packets in flight, in process context: there may be much
 *
 * Readers hold RCU (the packet path) or a reference (dumps): they see one
 * configuration whole. Writers copy, change the copy and publish it.
 */
struct clb_ruleset {
	u32			generation;
	u32			nr_listeners;
	u32			mask;
	u32			nr_pool;
	u32			nr_active;
	struct clb_listener_conf **slots;
	struct clb_local_conf	*pool;
	refcount_t		ref;
	struct rcu_work		free;
};

/* Everybody reads; the packet path looks up under RCU. */
struct clb_listener_conf *
clb_ruleset_find(const struct clb_ruleset *ruleset,
		 const struct clb_endpoint *key);
struct clb_listener_conf *
clb_ruleset_match(const struct clb_ruleset *ruleset, struct clb_endpoint key);
struct clb_server_conf *
clb_server_conf_find(const struct clb_listener_conf *conf,
		     const struct clb_endpoint *key);

/* Writers hold the configuration lock and own the draft. */
struct clb_ruleset *clb_ruleset_copy(const struct clb_ruleset *from);
struct clb_ruleset *clb_ruleset_get(struct clb_net *cn);
void clb_ruleset_put(struct clb_ruleset *ruleset);
int clb_ruleset_publish(struct clb_net *cn, struct clb_ruleset *draft);

struct clb_listener_conf *clb_draft_listener(struct clb_ruleset *draft,
					     const struct clb_endpoint *key);
int clb_draft_listener_add(struct clb_ruleset *draft,
			   const struct clb_endpoint *key,
			   const struct clb_listener_options *opt);
int clb_draft_listener_del(struct clb_ruleset *draft,
			   const struct clb_endpoint *key);
int clb_draft_server_add(struct clb_listener_conf *conf,
			 const struct clb_server_conf *server);
void clb_draft_server_del(struct clb_listener_conf *conf,
			  struct clb_server_conf *server);
bool clb_draft_acl_has(const struct clb_listener_conf *conf,
		       const struct clb_prefix *prefix);
int clb_draft_acl_add(struct clb_listener_conf *conf,
		      const struct clb_prefix *prefix);
int clb_draft_acl_del(struct clb_listener_conf *conf,
		      const struct clb_prefix *prefix);
int clb_draft_pool_add(struct clb_ruleset *draft,
		       struct clb_local_address *local, u16 node);
void clb_draft_pool_del(struct clb_ruleset *draft,
			struct clb_local_address *local);
void clb_draft_flush(struct clb_ruleset *draft);

#endif /* _CLB_RULESET_H */
