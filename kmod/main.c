// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Locking
 *
 * clb_net.config_lock (mutex)
 *	The configuration: transactions, publishing, the first start. Taken
 *	outside of all others.
 * clb_net.address_lock (spinlock, softirqs off)
 *	Changes of the set of known addresses; which nodes' local addresses were
 *	taken over.
 * clb_listener.lock (spinlock, softirqs off)
 *	The listener's list of live servers and the counters of past ones.
 * clb_embryos.lock (spinlock, softirqs off)
 *	A listener's embryonic sessions of one CPU.
 * clb_sync.secrets_lock (read-write semaphore)
 *	The secrets of the cluster and the keys made from them. Those who start,
 *	stop or change hold the configuration lock outside.
 * clb_sync.lock (spinlock)
 *	What is known of the other nodes: its threads alone, and who asks for
 *	counters.
 * clb_sync_tombs.lock (spinlock, softirqs off)
 *	Which sessions were ended by hand.
 * clb_local_address.lock (spinlock, softirqs off)
 *	Its ports.
 * clb_table.resize_lock (spinlock, softirqs off)
 *	Splits and merges of buckets; a bucket lock nests inside.
 * clb_table.locks (spinlocks, softirqs off)
 *	The entries of a bucket.
 *
 * RTNL nests inside the configuration lock (the first start hooks into the
 * devices) and protects the list of devices; clb_sync.lock nests inside
 * clb_sync.secrets_lock, and so do the spinlocks that another node's words
 * take, where a new life of it is met. No other two of them nest. The
 * packet path of an established session takes none: it finds the session under
 * RCU, which also keeps the session's server, its listener, its routes and the
 * configuration in memory; a session's state changes by compare-and-exchange,
 * its deadline by a plain store. Sessions are taken out by whoever makes their
 * state CLB_SESSION_STATE_DEAD.
 *
 * References go upwards (session to server to listener, configuration to all)
 * and every last one is released through call_rcu() or kfree_rcu(), so that
 * namespace and module wait in rcu_barrier() before they go.
 */
#include <linux/module.h>

#include "address.h"
#include "ahead.h"
#include "collector.h"
#include "fast.h"
#include "hook.h"
#include "net.h"
#include "netlink.h"
#include "ruleset.h"
#include "session.h"
#include "sync.h"
#include "takeover.h"

unsigned int clb_net_id __read_mostly;

/* What must be waited for before a namespace, or the module, can go. */
struct workqueue_struct *clb_workqueue __read_mostly;

static unsigned int max_sessions __read_mostly = 16 * 1024 * 1024;
module_param(max_sessions, uint, 0444);
MODULE_PARM_DESC(max_sessions,
		 "most sessions a network namespace may set as its limit");

#define CLB_MAX_SESSIONS_DEFAULT (4 * 1024 * 1024)

/*
 * For namespaces of users other than root: memory that packets take in
 * softirqs is charged to nobody.
 */
#define CLB_MAX_SESSIONS_USER 65536

/* Port spaces of such a namespace: 8 MB, less than its sessions take. */
#define CLB_MAX_SPACES_USER 1024

/**
 * clb_net_ceiling() - the highest limit of sessions a namespace may set
 * @net: the namespace
 *
 * Return: number of sessions.
 * Context: any.
 */
u32 clb_net_ceiling(const struct net *net)
{
	if (net->user_ns == &init_user_ns)
		return max_sessions;
	return min_t(u32, max_sessions, CLB_MAX_SESSIONS_USER);
}

static void net_free(struct clb_net *cn)
{
	clb_ruleset_put(rcu_dereference_protected(cn->ruleset, 1));
	RCU_INIT_POINTER(cn->ruleset, NULL);
	/* sessions, and the work that frees configurations */
	rcu_barrier();
	flush_workqueue(clb_workqueue);
	/* the servers that both of them released */
	rcu_barrier();
	clb_address_exit(cn);
	free_percpu(cn->ahead);
	clb_table_destroy(&cn->table);
}

static int net_alloc(struct clb_net *cn)
{
	struct clb_ruleset *empty;
	int err;

	err = clb_table_init(&cn->table);
	if (err)
		return err;
	err = -ENOMEM;
	cn->ahead = alloc_percpu(struct clb_ahead);
	if (!cn->ahead)
		goto err_destroy_table;
	err = clb_address_init(cn);
	if (err)
		goto err_free_ahead;
	err = -ENOMEM;
	empty = clb_ruleset_copy(NULL);
	if (!empty)
		goto err_address_exit;
	rcu_assign_pointer(cn->ruleset, empty);
	return 0;

err_address_exit:
	clb_address_exit(cn);
err_free_ahead:
	free_percpu(cn->ahead);
err_destroy_table:
	clb_table_destroy(&cn->table);
	return err;
}

/*
 * Some hooks may have been there for a moment. An empty configuration refers to
 * nothing, and there was never a session: unlike net_free(), this does not wait
 * for the workqueue, where others wait for their configuration lock.
 */
static void start_undo(struct clb_net *cn)
{
	struct clb_ruleset *empty = rcu_dereference_protected(cn->ruleset, 1);

	synchronize_net();
	RCU_INIT_POINTER(cn->ruleset, NULL);
	clb_ruleset_put(empty);
	clb_address_exit(cn);
	free_percpu(cn->ahead);
	clb_table_destroy(&cn->table);
}

/**
 * clb_net_start() - set up the data path of a namespace
 * @cn: the namespace; does nothing if it is started
 *
 * The first change of a configuration starts it: a namespace that does not
 * use the balancer pays nothing for it.
 *
 * Return: 0 or a negative errno.
 * Context: process, configuration lock held; may sleep.
 */
int clb_net_start(struct clb_net *cn)
{
	int err;

	lockdep_assert_held(&cn->config_lock);
	if (cn->started)
		return 0;
	err = net_alloc(cn);
	if (err)
		return err;
	err = clb_hooks_register(cn);
	if (err) {
		start_undo(cn);
		return err;
	}
	clb_fast_start(cn);
	clb_collector_start(cn);
	/* pairs with readers that do not hold the lock */
	smp_store_release(&cn->started, true);
	return 0;
}

static int __net_init clb_net_init(struct net *net)
{
	struct clb_net *cn = clb_net(net);

	cn->net = net;
	cn->max_sessions = min_t(u32, clb_net_ceiling(net),
				 CLB_MAX_SESSIONS_DEFAULT);
	cn->max_spaces = net->user_ns == &init_user_ns ? INT_MAX :
							 CLB_MAX_SPACES_USER;
	cn->fast_path = true;
	INIT_LIST_HEAD(&cn->devices);
	mutex_init(&cn->config_lock);
	__skb_queue_head_init(&cn->transaction.events);
	clb_collector_init(cn);
	clb_takeover_init(cn);
	cn->stats = alloc_percpu(struct clb_stats);
	return cn->stats ? 0 : -ENOMEM;
}

/* No packet enters from here on; a grace period follows. */
static void __net_exit clb_net_pre_exit(struct net *net)
{
	struct clb_net *cn = clb_net(net);

	if (!cn->started)
		return;
	clb_sync_stop(cn);
	clb_fast_stop(cn);
	clb_hooks_unregister(cn);
}

static void sessions_kill(struct clb_net *cn)
{
	struct clb_tuplehash *entry;
	u32 i;

	for (i = 0; i < clb_table_buckets(&cn->table); i++) {
		local_bh_disable();
		rcu_read_lock();
		clb_chain_for_each(entry, clb_table_bucket(&cn->table, i))
			clb_session_kill(cn, clb_session_of(entry));
		rcu_read_unlock();
		local_bh_enable();
		cond_resched();
	}
}

static void __net_exit clb_net_exit(struct net *net)
{
	struct clb_net *cn = clb_net(net);

	clb_transaction_release(cn, 0);
	if (cn->started) {
		clb_takeover_exit(cn);
		clb_collector_stop(cn);
		sessions_kill(cn);
		clb_sync_exit(cn);
		net_free(cn);
	}
	free_percpu(cn->stats);
}

static struct pernet_operations clb_net_ops = {
	.init = clb_net_init,
	.pre_exit = clb_net_pre_exit,
	.exit = clb_net_exit,
	.id = &clb_net_id,
	.size = sizeof(struct clb_net),
};

static int __init clb_init(void)
{
	int err;

	err = clb_session_cache_init();
	if (err)
		return err;
	err = -ENOMEM;
	clb_workqueue = alloc_workqueue("clb", WQ_UNBOUND, 0);
	if (!clb_workqueue)
		goto err_cache;
	err = register_pernet_subsys(&clb_net_ops);
	if (err)
		goto err_workqueue;
	err = clb_fast_init();
	if (err)
		goto err_pernet;
	err = clb_netlink_init();
	if (err)
		goto err_fast;
	return 0;

err_fast:
	clb_fast_exit();
err_pernet:
	unregister_pernet_subsys(&clb_net_ops);
err_workqueue:
	destroy_workqueue(clb_workqueue);
err_cache:
	clb_session_cache_exit();
	return err;
}

static void __exit clb_exit(void)
{
	clb_netlink_exit();
	clb_fast_exit();
	unregister_pernet_subsys(&clb_net_ops);
	/* memory that namespaces left to RCU */
	rcu_barrier();
	destroy_workqueue(clb_workqueue);
	clb_session_cache_exit();
}

module_init(clb_init);
module_exit(clb_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CLB load balancer: layer 4");
MODULE_VERSION("0.1.0");
MODULE_ALIAS_GENL_FAMILY(CLB_GENL_NAME);
