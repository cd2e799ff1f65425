// SPDX-License-Identifier: GPL-2.0
/*
 * From the packet path to the sending thread: which sessions others are to be
 * told of. A CPU puts keys into its own queue, one thread takes them out; there
 * is no lock between them. What is true of the session is looked up later.
 */
#include <linux/cpumask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "sync_engine.h"

DEFINE_STATIC_KEY_FALSE(clb_sync_used);
DEFINE_STATIC_KEY_FALSE(clb_sync_births);

/**
 * clb_sync_wake() - have the sender look what there is to do
 * @sync: sync
 *
 * Context: any but hard interrupts.
 */
void clb_sync_wake(struct clb_sync *sync)
{
	/* what there is to do first; pairs with the sender before it sleeps */
	smp_mb();
	if (likely(!READ_ONCE(sync->idle)))
		return;
	WRITE_ONCE(sync->idle, false);
	wake_up(&sync->wait);
}

/* Returns false if the queue is full. */
static bool queue_put(struct clb_sync *sync, const struct clb_tuple *tuple,
		      u32 born, bool ended, bool news)
{
	struct clb_sync_queue *queue = sync->queues[smp_processor_id()];
	struct clb_sync_key *key = &queue->keys[queue->head % CLB_SYNC_QUEUE];

	/* pairs with the release of the thread: it has read the place */
	if (unlikely(queue->head - smp_load_acquire(&queue->tail) ==
		     CLB_SYNC_QUEUE)) {
		clb_sync_count(sync, CLB_SYNC_A_QUEUE_FULL);
		WRITE_ONCE(sync->sweep, true);
		return false;
	}
	key->tuple = *tuple;
	key->born = born;
	key->ended = ended;
	key->news = news;
	/* the thread sees the key before it sees that there is one */
	smp_store_release(&queue->head, queue->head + 1);
	clb_sync_wake(sync);
	return true;
}

static void session_put(struct clb_sync *sync,
			const struct clb_session *session, bool ended)
{
	queue_put(sync, clb_session_tuple(session, CLB_DIR_ORIGINAL),
		  clb_session_born(session), ended, !ended);
}

static struct clb_sync *sync_of(const struct clb_session *session)
{
	return rcu_dereference(session->server->listener->cn->sync);
}

/*
 * In units of 2^24 ns; never 0, which is a session of before sync. Sessions of
 * other namespaces get one, too: to find that out would take as long.
 */
void __clb_sync_born(struct clb_session *session)
{
	clb_session_set_born(session, (u32)(ktime_get_coarse_real_ns() >> 24) ?:
				      1);
}

void __clb_sync_created(const struct clb_session *session)
{
	struct clb_sync *sync = sync_of(session);

	if (sync && clb_sync_wanted(session, READ_ONCE(session->state)))
		session_put(sync, session, false);
}

/* Only what changes how long it lives, and whether it makes room for others. */
static bool change_matters(u32 old, u32 new)
{
	return clb_session_timeout_class(old) !=
	       clb_session_timeout_class(new) ||
	       clb_session_embryonic(old) != clb_session_embryonic(new);
}

void __clb_sync_changed(const struct clb_session *session, u32 old, u32 new)
{
	struct clb_sync *sync = sync_of(session);

	if (sync && change_matters(old, new) && clb_sync_wanted(session, new))
		session_put(sync, session, false);
}

/* Nobody else ever heard of it, nor should. */
static bool is_private(const struct clb_session *session)
{
	return READ_ONCE(session->from_here) ||
	       READ_ONCE(session->server->listener->sync) == CLB_SYNC_MODE_OFF;
}

void __clb_sync_ending(const struct clb_session *session)
{
	struct clb_sync *sync = sync_of(session);

	if (sync && !clb_session_is_persistence(session) &&
	    !is_private(session))
		clb_sync_tomb_put(sync,
				  clb_session_tuple(session, CLB_DIR_ORIGINAL),
				  clb_session_born(session), jiffies);
}

void __clb_sync_ended(const struct clb_session *session)
{
	struct clb_sync *sync = sync_of(session);

	if (sync && !is_private(session))
		session_put(sync, session, true);
}

/**
 * clb_sync_gone_again() - another node believes in what was ended: tell it
 * @sync: sync
 * @tuple: of its original direction
 * @born: the latest that was ended
 *
 * Context: softirqs off.
 */
void clb_sync_gone_again(struct clb_sync *sync, const struct clb_tuple *tuple,
			 u32 born)
{
	queue_put(sync, tuple, born, true, false);
}

/**
 * clb_sync_say_again() - another node takes something else for true
 * @sync: sync
 * @session: what is, in this node's eyes
 *
 * Context: RCU read side, softirqs off.
 */
void clb_sync_say_again(struct clb_sync *sync, struct clb_session *session)
{
	if (clb_sync_wanted(session, READ_ONCE(session->state)) &&
	    !queue_put(sync, clb_session_tuple(session, CLB_DIR_ORIGINAL),
		       clb_session_born(session), false, false))
		/* as if never told of: found in the table */
		WRITE_ONCE(session->synced, 0);
}

static bool half_full(const struct clb_sync *sync)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(sync->queues[cpu]->head) -
		    READ_ONCE(sync->queues[cpu]->tail) > CLB_SYNC_QUEUE / 2)
			return true;
	return false;
}

/**
 * clb_sync_ends_wait() - many sessions are ended: let the sender keep pace
 * @cn: the namespace
 *
 * No sweep finds what is not there any more. Nobody waits for long for a sender
 * that gets nowhere.
 *
 * Context: process; may sleep.
 */
void clb_sync_ends_wait(struct clb_net *cn)
{
	unsigned long end = jiffies + HZ;
	const struct clb_sync *sync;
	bool full;

	do {
		rcu_read_lock();
		sync = rcu_dereference(cn->sync);
		full = sync && half_full(sync);
		rcu_read_unlock();
		if (full)
			schedule_timeout_killable(1);
	} while (full && time_before(jiffies, end) &&
		 !fatal_signal_pending(current));
}

/**
 * clb_sync_queues_alloc() - make the queues, empty
 * @sync: sync
 *
 * Return: 0 or -ENOMEM; clb_sync_queues_free() in both cases.
 * Context: process; may sleep.
 */
int clb_sync_queues_alloc(struct clb_sync *sync)
{
	int cpu;

	sync->queues = kcalloc(nr_cpu_ids, sizeof(*sync->queues),
			       GFP_KERNEL_ACCOUNT);
	if (!sync->queues)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		sync->queues[cpu] = kvzalloc_node(sizeof(**sync->queues),
						  GFP_KERNEL_ACCOUNT,
						  cpu_to_node(cpu));
		if (!sync->queues[cpu])
			return -ENOMEM;
	}
	return 0;
}

/**
 * clb_sync_queues_free() - the reverse of clb_sync_queues_alloc()
 * @sync: sync; nobody puts keys in any more
 *
 * Context: process; may sleep.
 */
void clb_sync_queues_free(struct clb_sync *sync)
{
	int cpu;

	if (!sync->queues)
		return;
	for_each_possible_cpu(cpu)
		kvfree(sync->queues[cpu]);
	kfree(sync->queues);
}

/**
 * clb_sync_queues_len() - keys that wait
 * @sync: sync
 *
 * Return: their number.
 * Context: any.
 */
u32 clb_sync_queues_len(const struct clb_sync *sync)
{
	u32 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(sync->queues[cpu]->head) -
		       READ_ONCE(sync->queues[cpu]->tail);
	return sum;
}

/**
 * clb_sync_queues_empty() - is there nothing to tell
 * @sync: sync
 *
 * Return: true if no key waits.
 * Context: any.
 */
bool clb_sync_queues_empty(const struct clb_sync *sync)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (READ_ONCE(sync->queues[cpu]->head) !=
		    READ_ONCE(sync->queues[cpu]->tail))
			return false;
	return true;
}
