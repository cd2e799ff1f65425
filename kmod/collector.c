// SPDX-License-Identifier: GPL-2.0
/*
 * The collector ends what no packet ends: sessions whose time is over and
 * those of servers that are down or gone. It runs once a second in process
 * context and looks at a part of the table each time, at all of it within
 * CLB_COLLECT_SECONDS; a session's deadline is exact all the same, for a
 * packet does not see a session whose time is over. It also fits the table's
 * size to the load and takes servers down whose time to drain is over.
 */
#include <linux/rculist.h>

#include "collector.h"
#include "netlink.h"
#include "persistence.h"
#include "reset.h"
#include "ruleset.h"
#include "sync.h"

#define CLB_COLLECT_SECONDS	5
#define CLB_COLLECT_BATCH	128

/* The server is down or gone: TCP is reset, UDP moves with its next packet. */
static void session_leave(struct clb_net *cn, struct clb_session *session)
{
	const struct clb_tuple *tuple = clb_session_tuple(session,
							  CLB_DIR_ORIGINAL);

	if (clb_session_end(cn, session) && tuple->protocol == IPPROTO_UDP &&
	    tuple->kind == CLB_TUPLE_FLOW)
		clb_stats_inc(cn->stats, CLB_STATS_A_SESSIONS_MOVED);
}

static bool session_ends(struct clb_net *cn, struct clb_session *session)
{
	if (clb_session_expired(session)) {
		if (clb_session_kill(cn, session))
			clb_stats_inc(cn->stats, CLB_STATS_A_SESSIONS_EXPIRED);
		return true;
	}
	if (!clb_server_dead(session->server))
		return false;
	session_leave(cn, session);
	return true;
}

static void bucket_collect(struct clb_net *cn, u32 index)
{
	struct clb_tuplehash *entry;

	clb_chain_for_each(entry, clb_table_bucket(&cn->table, index)) {
		struct clb_session *session = clb_session_of(entry);

		if (entry->tuple.dir != CLB_DIR_ORIGINAL ||
		    session_ends(cn, session))
			continue;
		if (READ_ONCE(session->server->listener->persistence) &&
		    entry->tuple.kind == CLB_TUPLE_FLOW)
			clb_persistence_refresh(cn, session);
	}
}

/* Some buckets under RCU with softirqs off, as on the packet path. */
static void batch_collect(struct clb_net *cn, u32 from, u32 to)
{
	local_bh_disable();
	rcu_read_lock();
	for (; from < to && from < clb_table_buckets(&cn->table); from++)
		bucket_collect(cn, from);
	rcu_read_unlock();
	local_bh_enable();
}

static void table_collect(struct clb_net *cn)
{
	u32 buckets = clb_table_buckets(&cn->table), end, next;
	u32 share = DIV_ROUND_UP(buckets, CLB_COLLECT_SECONDS);
	/* pairs with clb_collector_sweep(): what it is about is seen */
	u32 sweeps = smp_load_acquire(&cn->sweeps_wanted);

	if (sweeps != cn->sweeps_done) {
		cn->cursor = 0;
		share = buckets;
	}
	if (cn->cursor >= buckets)
		cn->cursor = 0;
	end = cn->cursor + min(share, buckets - cn->cursor);
	for (; cn->cursor < end; cn->cursor = next) {
		next = min(end, cn->cursor + CLB_COLLECT_BATCH);
		batch_collect(cn, cn->cursor, next);
		cond_resched();
	}
	if (sweeps == cn->sweeps_done)
		return;
	WRITE_ONCE(cn->sweeps_done, sweeps);
	clb_sync_swept(cn);
}

static void collector_work(struct work_struct *work)
{
	struct clb_net *cn = container_of(to_delayed_work(work),
					  struct clb_net, collector);

	clb_drain_check(cn);
	table_collect(cn);
	clb_table_kick(cn);
	queue_delayed_work(clb_workqueue, &cn->collector, HZ);
}

static void resize_work(struct work_struct *work)
{
	struct clb_net *cn = container_of(work, struct clb_net, resize);

	/* a session has an entry for each direction */
	clb_table_resize(&cn->table,
			 CLB_DIR_MAX * atomic_read(&cn->nr_sessions));
}

/**
 * clb_table_kick() - have the table fitted to the load
 * @cn: the namespace, started
 *
 * Context: any.
 */
void clb_table_kick(struct clb_net *cn)
{
	queue_work(clb_workqueue, &cn->resize);
}

/**
 * clb_collector_init() - set the collector up, idle
 * @cn: the namespace
 *
 * Context: any.
 */
void clb_collector_init(struct clb_net *cn)
{
	INIT_DELAYED_WORK(&cn->collector, collector_work);
	INIT_WORK(&cn->resize, resize_work);
}

/**
 * clb_collector_start() - make sure that the collector runs
 * @cn: the namespace, started
 *
 * Context: any.
 */
void clb_collector_start(struct clb_net *cn)
{
	queue_delayed_work(clb_workqueue, &cn->collector, HZ);
}

/**
 * clb_collector_sweep() - look at all sessions at once
 * @cn: the namespace, started; servers went down or away
 *
 * Context: configuration lock held.
 */
void clb_collector_sweep(struct clb_net *cn)
{
	/* the state of the servers comes first */
	smp_store_release(&cn->sweeps_wanted, cn->sweeps_wanted + 1);
	mod_delayed_work(clb_workqueue, &cn->collector, 0);
}

/**
 * clb_collector_stop() - stop the collector for good
 * @cn: the namespace
 *
 * Context: process; may sleep.
 */
void clb_collector_stop(struct clb_net *cn)
{
	cancel_delayed_work_sync(&cn->collector);
	cancel_work_sync(&cn->resize);
}

static u32 bucket_end(struct clb_net *cn, u32 index,
		      const struct clb_session_filter *filter)
{
	struct clb_tuplehash *entry;
	u32 count = 0;

	clb_chain_for_each(entry, clb_table_bucket(&cn->table, index)) {
		struct clb_session *session = clb_session_of(entry);

		if (entry->tuple.dir != CLB_DIR_ORIGINAL ||
		    !clb_session_matches(session, filter))
			continue;
		clb_sync_ending(session);
		if (!clb_session_end(cn, session))
			continue;
		clb_sync_ended(session);
		count++;
	}
	return count;
}

/* Under RCU with softirqs off, as on the packet path. */
static u32 bucket_end_safely(struct clb_net *cn, u32 index,
			     const struct clb_session_filter *filter)
{
	u32 count;

	local_bh_disable();
	rcu_read_lock();
	count = bucket_end(cn, index, filter);
	rcu_read_unlock();
	local_bh_enable();
	return count;
}

/**
 * clb_sessions_end() - end sessions on request
 * @cn: the namespace, started
 * @filter: which
 *
 * Return: how many were ended.
 * Context: process; may sleep.
 */
u32 clb_sessions_end(struct clb_net *cn,
		     const struct clb_session_filter *filter)
{
	struct clb_table *table = &cn->table;
	u32 index, ended, count = 0;
	unsigned int seq;

	clb_table_walk_begin(table);
	for (index = 0; index < clb_table_buckets(table); index++) {
		/* entries that move meanwhile can lead out of the bucket */
		ended = 0;
		do {
			seq = read_seqcount_begin(&table->seq);
			ended += bucket_end_safely(cn, index, filter);
			cond_resched();
		} while (read_seqcount_retry(&table->seq, seq));
		count += ended;
		if (ended)
			clb_sync_ends_wait(cn);
	}
	clb_table_walk_end(table);
	return count;
}
