// SPDX-License-Identifier: GPL-2.0
/*
 * Embryonic sessions: half-open TCP, unanswered UDP, and TCP that was reset
 * while it was half-open, the first to go when their listener is full. Each
 * CPU lists those it began, so that a flood on all CPUs meets no common lock.
 *
 * A session joins the embryonic ones of its listener when it was made, and
 * leaves them when it grows up or dies, whichever comes first. Others may have
 * seen it before it joins: its state, read under the lock, decides. The place
 * of a dead one belongs to whoever ended it.
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>

#include "embryo.h"

static struct clb_embryos *embryos_of(const struct clb_session *session)
{
	return per_cpu_ptr(session->server->listener->embryos, session->cpu);
}

/**
 * clb_embryos_alloc() - make a listener's lists, empty
 *
 * Return: the lists, to be freed with free_percpu(), or NULL without memory.
 * Context: process; may sleep.
 */
struct clb_embryos __percpu *clb_embryos_alloc(void)
{
	struct clb_embryos __percpu *lists;
	int cpu;

	lists = alloc_percpu_gfp(struct clb_embryos, GFP_KERNEL_ACCOUNT);
	if (!lists)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct clb_embryos *embryos = per_cpu_ptr(lists, cpu);

		spin_lock_init(&embryos->lock);
		INIT_LIST_HEAD(&embryos->list);
	}
	return lists;
}

/**
 * clb_embryo_join() - a session is in the table: it can be found by others
 * @session: the session
 *
 * Context: RCU read side, softirqs off.
 */
void clb_embryo_join(struct clb_session *session)
{
	struct clb_embryos *embryos = embryos_of(session);

	spin_lock(&embryos->lock);
	if (clb_session_yields(session, READ_ONCE(session->state)))
		list_add_tail(&session->embryo, &embryos->list);
	spin_unlock(&embryos->lock);
}

/**
 * clb_embryo_grow_up() - a session is embryonic no more
 * @session: the session, its new state set
 *
 * Context: RCU read side, softirqs off.
 */
void clb_embryo_grow_up(struct clb_session *session)
{
	struct clb_embryos *embryos = embryos_of(session);

	spin_lock(&embryos->lock);
	if (READ_ONCE(session->state) != CLB_SESSION_STATE_DEAD)
		list_del_init(&session->embryo);
	spin_unlock(&embryos->lock);
}

/**
 * clb_embryo_die() - a session is dead
 * @session: the session; afterwards nobody looks at its place any more
 *
 * Context: RCU read side, softirqs off.
 */
void clb_embryo_die(struct clb_session *session)
{
	struct clb_embryos *embryos = embryos_of(session);

	spin_lock(&embryos->lock);
	list_del(&session->embryo);
	spin_unlock(&embryos->lock);
}

static struct clb_session *embryo_take(struct clb_embryos *embryos)
{
	struct clb_session *oldest;

	if (list_empty(&embryos->list))
		return NULL;
	spin_lock(&embryos->lock);
	oldest = list_first_entry_or_null(&embryos->list, struct clb_session,
					  embryo);
	if (oldest)
		list_del_init(&oldest->embryo);
	spin_unlock(&embryos->lock);
	return oldest;
}

/**
 * clb_embryo_oldest() - take the embryonic session that is the first to go
 * @listener: the listener
 *
 * Return: the oldest of those that this CPU began, else of another, in no
 *	list any more; or NULL. It may grow up or end at any time.
 * Context: RCU read side, which keeps it in memory; softirqs off.
 */
struct clb_session *clb_embryo_oldest(struct clb_listener *listener)
{
	struct clb_session *oldest;
	int cpu;

	oldest = embryo_take(this_cpu_ptr(listener->embryos));
	if (likely(oldest))
		return oldest;
	for_each_possible_cpu(cpu) {
		oldest = embryo_take(per_cpu_ptr(listener->embryos, cpu));
		if (oldest)
			return oldest;
	}
	return NULL;
}
