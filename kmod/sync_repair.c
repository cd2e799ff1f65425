// SPDX-License-Identifier: GPL-2.0
/*
 * What got lost: a node that misses datagrams asks for them, and the node whose
 * they are says what is true by now of the sessions they were about. For that
 * it keeps the content of the last ones.
 */
#include <linux/kthread.h>
#include <linux/mm.h>

#include "sync_engine.h"

/**
 * clb_sync_history_alloc() - make room for what is sent
 * @sync: sync, its MTU known
 *
 * Return: 0 or -ENOMEM.
 * Context: process; may sleep.
 */
int clb_sync_history_alloc(struct clb_sync *sync)
{
	sync->history_size = sync->config.mtu;
	sync->history = kvmalloc_array(CLB_SYNC_HISTORY, sync->history_size,
				       GFP_KERNEL_ACCOUNT);
	return sync->history ? 0 : -ENOMEM;
}

/**
 * clb_sync_history_free() - the reverse of clb_sync_history_alloc()
 * @sync: sync
 *
 * Context: process; may sleep.
 */
void clb_sync_history_free(struct clb_sync *sync)
{
	kvfree(sync->history);
}

static u8 *history_at(struct clb_sync *sync, u64 seq)
{
	return sync->history + seq % CLB_SYNC_HISTORY * sync->history_size;
}

/**
 * clb_sync_history_put() - keep the content that is about to be sent
 * @sync: sync
 *
 * Context: the sender.
 */
void clb_sync_history_put(struct clb_sync *sync)
{
	struct clb_sync_said *said = &sync->said[sync->seq % CLB_SYNC_HISTORY];

	said->seq = sync->seq;
	said->len = sync->writer.len;
	memcpy(history_at(sync, sync->seq), sync->writer.data, said->len);
}

/* A free place, or the one of these datagrams. The last one takes the rest. */
static struct clb_sync_gap *gap_place(struct clb_sync_gap *gaps,
				      unsigned int count, u64 first, u64 last)
{
	struct clb_sync_gap *free = NULL;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (gaps[i].first == first && gaps[i].last == last)
			return &gaps[i];
		if (!gaps[i].first && !free)
			free = &gaps[i];
	}
	return free ?: &gaps[count - 1];
}

static void gap_put(struct clb_sync_gap *gaps, unsigned int count, u64 first,
		    u64 last, unsigned long asked)
{
	struct clb_sync_gap *gap = gap_place(gaps, count, first, last);

	/* one that grows has been asked for, or will be at its time */
	if (!gap->first)
		gap->asked = asked;
	if (!gap->first || first < gap->first)
		gap->first = first;
	if (last > gap->last)
		gap->last = last;
	gap->since = jiffies;
}

/**
 * clb_sync_gap_add() - datagrams of a node are missing
 * @peer: the node
 * @first: the first one
 * @last: the last one
 *
 * Context: @sync->lock held.
 */
void clb_sync_gap_add(struct clb_sync_peer *peer, u64 first, u64 last)
{
	/* never asked: long ago */
	gap_put(peer->gaps, CLB_SYNC_GAPS, first, last, jiffies - HZ);
}

static bool gap_take(struct clb_sync_gap *gap,
		     const struct clb_sync_range *range)
{
	if (!gap->first || gap->first < range->first ||
	    gap->last > range->last)
		return false;
	memset(gap, 0, sizeof(*gap));
	return true;
}

/**
 * clb_sync_gap_close() - what was missing was said again
 * @sync: sync
 * @peer: the node whose datagrams are meant
 * @range: which
 *
 * Context: the receiver.
 */
void clb_sync_gap_close(struct clb_sync *sync, struct clb_sync_peer *peer,
			const struct clb_sync_range *range)
{
	bool lost = range->flags & CLB_SYNC_REPAIR_LOST;
	unsigned int i, closed = 0;

	spin_lock(&sync->lock);
	for (i = 0; i < CLB_SYNC_GAPS; i++)
		closed += gap_take(&peer->gaps[i], range);
	if (lost && closed)
		clb_sync_peer_lose(peer);
	spin_unlock(&sync->lock);
	clb_sync_add(sync, lost ? CLB_SYNC_A_GAPS_LOST :
				  CLB_SYNC_A_GAPS_REPAIRED, closed);
	clb_sync_peer_add(peer, lost ? CLB_SYNC_PEER_A_GAPS_LOST :
				       CLB_SYNC_PEER_A_GAPS_REPAIRED, closed);
}

/**
 * clb_sync_repair_want() - another node misses datagrams of ours
 * @sync: sync
 * @range: which
 *
 * Context: the receiver.
 */
void clb_sync_repair_want(struct clb_sync *sync,
			  const struct clb_sync_range *range)
{
	spin_lock(&sync->lock);
	gap_put(sync->repairs, CLB_SYNC_REPAIRS, range->first, range->last, 0);
	spin_unlock(&sync->lock);
	clb_sync_wake(sync);
}

static bool gap_open(const struct clb_sync_peer *peer,
		     const struct clb_sync_gap *gap)
{
	return gap->first && clb_sync_peer_lives(peer);
}

/**
 * clb_sync_repairs_wait() - is there something to ask for, or to say again
 * @sync: sync
 *
 * Return: true if so.
 * Context: the sender.
 */
bool clb_sync_repairs_wait(struct clb_sync *sync)
{
	unsigned int i, k;
	bool wait = false;

	spin_lock(&sync->lock);
	for (i = 0; i < CLB_SYNC_REPAIRS && !wait; i++)
		wait = sync->repairs[i].first;
	for (i = 0; i < CLB_SYNC_PEERS && !wait; i++)
		for (k = 0; k < CLB_SYNC_GAPS && !wait; k++)
			wait = gap_open(&sync->peers[i],
					&sync->peers[i].gaps[k]);
	spin_unlock(&sync->lock);
	return wait;
}

/* An answer may wait for datagrams before it, as may the question. */
static unsigned long ask_time(const struct clb_sync *sync)
{
	return max_t(unsigned long, CLB_SYNC_ASK,
		     2 * clb_sync_reorder_time(sync));
}

/* Returns false if the gap is none, or was asked for just now. */
static bool gap_ask(struct clb_sync *sync, const struct clb_sync_peer *peer,
		    struct clb_sync_gap *gap, struct clb_sync_range *range)
{
	bool due;

	spin_lock(&sync->lock);
	due = gap_open(peer, gap) &&
	      time_after_eq(jiffies, gap->asked + ask_time(sync));
	if (due) {
		gap->asked = jiffies;
		*range = (struct clb_sync_range) {
			.first = gap->first, .last = gap->last,
			.node = peer->node,
		};
	}
	spin_unlock(&sync->lock);
	return due;
}

static void gaps_ask(struct clb_sync *sync)
{
	struct clb_sync_record record = { .type = CLB_SYNC_GAP };
	unsigned int i, k;

	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		struct clb_sync_peer *peer = &sync->peers[i];

		for (k = 0; k < CLB_SYNC_GAPS && READ_ONCE(peer->node); k++)
			if (gap_ask(sync, peer, &peer->gaps[k],
				    &record.range))
				clb_sync_record_send(sync, &record);
	}
}

/* Returns false if it is about no session. */
static bool key_of(const struct clb_sync_record *record,
		   struct clb_sync_key *key)
{
	memset(key, 0, sizeof(*key));
	switch (record->type) {
	case CLB_SYNC_SESSION:
		clb_sync_session_tuple(&record->session, &key->tuple);
		return true;
	case CLB_SYNC_GONE:
		clb_sync_gone_tuple(&record->gone, &key->tuple);
		key->born = record->gone.born;
		key->ended = true;
		return true;
	default:
		return false;
	}
}

/* It is what we wrote ourselves; what it names is said anew as it is by now. */
static void said_repeat(struct clb_sync *sync, u64 seq, unsigned int len)
{
	struct clb_sync_record record;
	struct clb_sync_key key;

	/* what is said anew may take its place */
	memcpy(sync->again, history_at(sync, seq), len);
	clb_sync_reader_init(&sync->repeat, sync->again, len);
	while (clb_sync_next(&sync->repeat, &record) == CLB_SYNC_DONE)
		if (key_of(&record, &key))
			clb_sync_key_send(sync, &key, CLB_SYNC_F_TIME);
}

/*
 * What is said again goes into datagrams with numbers of their own. Where these
 * take the place of what is being said again, that is lost.
 */
static void range_repeat(struct clb_sync *sync, struct clb_sync_range *range)
{
	u64 seq = range->first;

	if (range->last > sync->seq || range->last - seq >= CLB_SYNC_HISTORY)
		range->flags = CLB_SYNC_REPAIR_LOST;
	for (; !range->flags && seq <= range->last; seq++) {
		const struct clb_sync_said *said =
			&sync->said[seq % CLB_SYNC_HISTORY];

		if (said->seq == seq)
			said_repeat(sync, seq, said->len);
		if (said->seq != seq)
			range->flags = CLB_SYNC_REPAIR_LOST;
		clb_sync_serve(sync);
	}
}

static bool repair_take(struct clb_sync *sync, struct clb_sync_gap *repair,
			struct clb_sync_range *range)
{
	spin_lock(&sync->lock);
	*range = (struct clb_sync_range) {
		.first = repair->first, .last = repair->last,
		.node = sync->config.node,
	};
	memset(repair, 0, sizeof(*repair));
	spin_unlock(&sync->lock);
	return range->first;
}

/**
 * clb_sync_repairs_send() - ask for what is missing, say again what others miss
 * @sync: sync
 *
 * Context: the sender; may sleep.
 */
void clb_sync_repairs_send(struct clb_sync *sync)
{
	struct clb_sync_record record = { .type = CLB_SYNC_REPAIR };
	unsigned int i;

	gaps_ask(sync);
	for (i = 0; i < CLB_SYNC_REPAIRS && !kthread_should_stop(); i++) {
		if (!repair_take(sync, &sync->repairs[i], &record.range))
			continue;
		range_repeat(sync, &record.range);
		clb_sync_record_send(sync, &record);
		clb_sync_count(sync, CLB_SYNC_A_SENT_REPAIRS);
	}
}
