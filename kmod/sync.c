// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Session sync
 *
 * A namespace that takes part in a cluster tells the other nodes of its
 * sessions and keeps theirs: Documentation/sync-protocol.rst. The packet path
 * puts keys of sessions into queues (sync_queue.c), one thread says what is
 * true of them (sync_send.c), another does what other nodes say
 * (sync_receive.c); sync_session.c has the rules for one session, sync_tomb.c
 * what is remembered of those that were ended, sync_read.c and sync_write.c the
 * bytes. This file starts and stops all that.
 */
#include <linux/kthread.h>
#include <linux/mm.h>
#include <net/netlink.h>

#include "sync_engine.h"

static int threads_start(struct clb_sync *sync)
{
	sync->sender = kthread_create(clb_sync_sender, sync, "clb_sync_send");
	if (IS_ERR(sync->sender))
		return PTR_ERR(sync->sender);
	sync->receiver = kthread_create(clb_sync_receiver, sync,
					"clb_sync_recv");
	if (IS_ERR(sync->receiver)) {
		kthread_stop(sync->sender);
		return PTR_ERR(sync->receiver);
	}
	return 0;
}

static void threads_stop(struct clb_sync *sync)
{
	/* it says what waits to be said */
	kthread_stop(sync->sender);
	/* the receiver sleeps until there is nothing more to wait for */
	kernel_sock_shutdown(sync->sock, SHUT_RDWR);
	kthread_stop(sync->receiver);
}

/* The secret, and what was made from it, must not lie about. */
static void sync_free(struct clb_sync *sync)
{
	kvfree(sync->early.bytes);
	clb_sync_history_free(sync);
	clb_sync_tombs_free(sync);
	clb_sync_queues_free(sync);
	free_percpu(sync->stats);
	memzero_explicit(sync, sizeof(*sync));
	kvfree(sync);
}

static struct clb_sync *sync_alloc(struct clb_net *cn,
				   const struct clb_sync_config *config)
{
	struct clb_sync *sync;

	sync = kvzalloc(sizeof(*sync), GFP_KERNEL_ACCOUNT);
	if (!sync)
		return NULL;
	sync->cn = cn;
	sync->config = *config;
	clb_sync_secret_init(sync);
	spin_lock_init(&sync->lock);
	init_waitqueue_head(&sync->wait);
	sync->walked = jiffies;
	sync->next_beat = jiffies;
	sync->fetch.since = jiffies;
	sync->started = jiffies;
	sync->awake = jiffies;
	sync->resumed = jiffies - CLB_SYNC_PEER_TIMEOUT;
	sync->unread = jiffies - CLB_SYNC_PEER_TIMEOUT;
	clb_sync_fall_behind(sync);
	sync->stats = alloc_percpu_gfp(struct clb_sync_stats,
				       GFP_KERNEL_ACCOUNT);
	if (sync->stats && !clb_sync_queues_alloc(sync) &&
	    !clb_sync_tombs_alloc(sync))
		return sync;
	sync_free(sync);
	return NULL;
}

static int early_alloc(struct clb_sync *sync)
{
	sync->early.size = sync->config.mtu;
	sync->early.bytes = kvmalloc_array(CLB_SYNC_EARLY, sync->early.size,
					   GFP_KERNEL_ACCOUNT);
	return sync->early.bytes ? 0 : -ENOMEM;
}

static struct clb_sync *sync_locked(const struct clb_net *cn)
{
	return rcu_dereference_protected(cn->sync,
					 lockdep_is_held(&cn->config_lock));
}

/**
 * clb_sync_start() - take part in a cluster
 * @cn: the namespace, started
 * @config: how
 * @extack: says what is wrong
 *
 * Return: 0, -EBUSY: it does already, or another negative errno.
 * Context: process, configuration lock held; may sleep; takes RTNL.
 */
int clb_sync_start(struct clb_net *cn, const struct clb_sync_config *config,
		   struct netlink_ext_ack *extack)
{
	struct clb_sync *sync;
	int err;

	lockdep_assert_held(&cn->config_lock);
	if (sync_locked(cn)) {
		NL_SET_ERR_MSG(extack, "sync is started, stop it first");
		return -EBUSY;
	}
	sync = sync_alloc(cn, config);
	if (!sync)
		return -ENOMEM;
	err = clb_sync_socket_open(sync, extack);
	if (err)
		goto err_free;
	err = clb_sync_history_alloc(sync) ?: early_alloc(sync);
	if (err)
		goto err_close;
	clb_sync_life_begin(sync, 0);
	err = threads_start(sync);
	if (err)
		goto err_close;
	if (!cn->synced)
		static_branch_inc(&clb_sync_births);
	cn->synced = true;
	rcu_assign_pointer(cn->sync, sync);
	static_branch_inc(&clb_sync_used);
	wake_up_process(sync->sender);
	wake_up_process(sync->receiver);
	return 0;

err_close:
	clb_sync_socket_close(sync);
err_free:
	sync_free(sync);
	return err;
}

/**
 * clb_sync_stop() - part with the cluster; sessions stay
 * @cn: the namespace
 *
 * Return: 0 or -ENOENT: it took no part.
 * Context: process, configuration lock held or nobody else left; may sleep.
 */
int clb_sync_stop(struct clb_net *cn)
{
	struct clb_sync *sync = rcu_dereference_protected(cn->sync, 1);

	if (!sync)
		return -ENOENT;
	RCU_INIT_POINTER(cn->sync, NULL);
	static_branch_dec(&clb_sync_used);
	/* packets and readers of counters that still use it */
	synchronize_rcu();
	threads_stop(sync);
	clb_sync_merges_release(sync);
	clb_sync_socket_close(sync);
	sync_free(sync);
	return 0;
}

/**
 * clb_sync_exit() - the namespace goes; sync was stopped
 * @cn: the namespace
 *
 * Context: process; may sleep.
 */
void clb_sync_exit(struct clb_net *cn)
{
	if (cn->synced)
		static_branch_dec(&clb_sync_births);
}

static u64 stats_read(const struct clb_sync *sync, int which)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(sync->stats, cpu)->count[which]);
	return sum;
}

static u32 peers_count(struct clb_sync *sync)
{
	u32 count = 0;
	unsigned int i;

	spin_lock(&sync->lock);
	for (i = 0; i < CLB_SYNC_PEERS; i++)
		count += clb_sync_peer_lives(&sync->peers[i]);
	spin_unlock(&sync->lock);
	return count;
}

static int put_config(struct sk_buff *skb,
		      const struct clb_sync_config *config)
{
	return nla_put_u32(skb, CLB_SYNC_A_CLUSTER, config->cluster) ?:
	       nla_put_u16(skb, CLB_SYNC_A_NODE, config->node) ?:
	       nla_put_u32(skb, CLB_SYNC_A_INTERFACE, config->ifindex) ?:
	       nla_put(skb, CLB_SYNC_A_GROUP, clb_addr_len(config->family),
		       &config->group) ?:
	       nla_put_be16(skb, CLB_SYNC_A_PORT, config->port) ?:
	       nla_put_u8(skb, CLB_SYNC_A_TTL, config->ttl) ?:
	       nla_put_u16(skb, CLB_SYNC_A_MTU, config->mtu) ?:
	       nla_put_u16(skb, CLB_SYNC_A_REORDER, config->reorder);
}

static int put_counter(struct sk_buff *skb, const struct clb_sync *sync,
		       int which)
{
	return nla_put_u64_64bit(skb, which, stats_read(sync, which),
				 CLB_SYNC_A_PAD);
}

static int put_counters(struct sk_buff *skb, const struct clb_sync *sync)
{
	int which, err = 0;

	for (which = CLB_SYNC_A_SENT_DATAGRAMS;
	     which <= CLB_SYNC_A_REFUSED_NO_MEMORY && !err; which++)
		err = put_counter(skb, sync, which);
	return err ?: put_counter(skb, sync, CLB_SYNC_A_EARLY);
}

static int put_sync(struct sk_buff *skb, struct clb_sync *sync)
{
	if (nla_put_u8(skb, CLB_SYNC_A_RUNNING, !!sync))
		return -EMSGSIZE;
	if (!sync)
		return 0;
	return nla_put_u8(skb, CLB_SYNC_A_READY,
			  READ_ONCE(sync->fetch.ready)) ?:
	       put_config(skb, &sync->config) ?:
	       clb_sync_secret_fill(skb, sync) ?:
	       nla_put_u64_64bit(skb, CLB_SYNC_A_EPOCH,
				 READ_ONCE(sync->epoch), CLB_SYNC_A_PAD) ?:
	       nla_put_u32(skb, CLB_SYNC_A_PEERS, peers_count(sync)) ?:
	       nla_put_u32(skb, CLB_SYNC_A_QUEUE,
			   clb_sync_queues_len(sync)) ?:
	       put_counters(skb, sync);
}

/**
 * clb_sync_fill() - what there is to say of sync, but for its secret
 * @skb: message
 * @cn: the namespace
 *
 * Return: 0 or -EMSGSIZE.
 * Context: process.
 */
int clb_sync_fill(struct sk_buff *skb, struct clb_net *cn)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_SYNC);
	int err;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	err = put_sync(skb, rcu_dereference(cn->sync));
	rcu_read_unlock();
	if (err)
		nla_nest_cancel(skb, nest);
	else
		nla_nest_end(skb, nest);
	return err;
}
