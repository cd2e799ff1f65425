/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_NET_H
#define _CLB_NET_H

#include <linux/mutex.h>
#include <linux/rhashtable-types.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "stats.h"
#include "table.h"

struct clb_ahead;
struct clb_ruleset;
struct clb_session;
struct clb_sync;

/**
 * struct clb_transaction - changes not yet committed
 * @draft: the configuration that will be; NULL: no transaction is open
 * @sk: socket of its owner, which lives as long
 * @portid: its netlink port; 0: none; read without a lock
 * @events: announced when it is committed
 * @lost: there should be more of them: readers must dump
 */
struct clb_transaction {
	struct clb_ruleset	*draft;
	const struct sock	*sk;
	u32			portid;
	struct sk_buff_head	events;
	bool			lost;
};

/* Nodes whose local addresses one node can take over. */
#define CLB_TAKEN_MAX 64

/**
 * struct clb_taken - a node whose local addresses were taken over
 * @node: its id
 * @since: when, jiffies
 * @returned: it is back
 */
struct clb_taken {
	u16		node;
	unsigned long	since;
	bool		returned;
};

/**
 * struct clb_net - the balancer of a network namespace
 * @net: the namespace
 * @ruleset: configuration in force, NULL before the first one
 * @table: sessions
 * @ahead: packets that come next, where there is a queue of them
 * @stats: counters
 * @nr_sessions: sessions and persistence entries
 * @max_sessions: their limit
 * @nr_spaces: port spaces of local addresses (pool.h)
 * @max_spaces: their limit
 * @config_lock: serialises all that changes the configuration; protects
 *	@transaction, @started, generations of servers
 * @transaction: at most one at a time
 * @started: the data path is set up; stays so until the namespace goes
 * @addresses: known addresses
 * @address_lock: serialises changes of @addresses; protects
 *	@local_addresses
 * @local_addresses: live ones
 * @node: id of this node in its cluster, the last one; 0: none; under
 *	@config_lock
 * @nr_taken: nodes in @taken
 * @taken: nodes whose local addresses this one uses; changed under
 *	@config_lock and @address_lock
 * @giveback: gives back what nodes want that returned
 * @strays: there may be sessions of FNAT whose local port is not marked
 * @collector: ends sessions whose time is over
 * @resize: fits the table to the load
 * @draining: a server may have a deadline to drain by
 * @fast_path: setting: established sessions take the fast path
 * @fast_started: new devices get our hook; under RTNL
 * @devices: those that have it; under RTNL
 * @cursor: bucket where the collector goes on
 * @sweeps_wanted: how often the collector had to look at all sessions at once
 * @sweeps_done: of these, up to which it has
 * @synced: it takes part in a cluster, or did; under the configuration lock
 * @sync: the part in a cluster, or NULL; changed with the configuration lock
 *	held
 */
struct clb_net {
	struct net		*net;
	struct clb_ruleset __rcu *ruleset;
	struct clb_table	table;
	struct clb_ahead __percpu *ahead;
	struct clb_stats __percpu *stats;
	atomic_t		nr_sessions;
	u32			max_sessions;
	atomic_t		nr_spaces;
	int			max_spaces;
	struct mutex		config_lock;
	struct clb_transaction	transaction;
	bool			started;
	struct rhashtable	addresses;
	spinlock_t		address_lock;
	struct list_head	local_addresses;
	u16			node;
	u32			nr_taken;
	struct clb_taken	taken[CLB_TAKEN_MAX];
	struct work_struct	giveback;
	bool			strays;
	struct delayed_work	collector;
	struct work_struct	resize;
	bool			draining;
	bool			fast_path;
	bool			fast_started;
	struct list_head	devices;
	u32			cursor;
	u32			sweeps_wanted;
	u32			sweeps_done;
	bool			synced;
	struct clb_sync __rcu	*sync;
};

extern unsigned int clb_net_id;
extern struct workqueue_struct *clb_workqueue;

static inline struct clb_net *clb_net(const struct net *net)
{
	return net_generic(net, clb_net_id);
}

u32 clb_net_ceiling(const struct net *net);
int clb_net_start(struct clb_net *cn);

#endif /* _CLB_NET_H */
