// SPDX-License-Identifier: GPL-2.0
/*
 * Session table: linear hashing (W. Litwin, VLDB 1980). The table grows a
 * few buckets at a time, so that no packet ever waits for a rehash: bucket
 * count - 2^k is split into itself and bucket count. Lookups run under RCU
 * and take no lock. An entry that moves while a reader walks its bucket can
 * lead the reader into the other bucket, or out of its sight; both end in a
 * miss, and a miss is believed only if no split went on meanwhile.
 */
#include <linux/bitrev.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "table.h"

/* Splits in a row: so many pay for one lock, and no reader waits for long. */
#define RESIZE_STEPS 16U

static u32 segment_start(unsigned int segment)
{
	return segment ? 1U << (CLB_TABLE_MIN_SHIFT + segment - 1) : 0;
}

static u32 segment_size(unsigned int segment)
{
	return segment ? segment_start(segment) : 1U << CLB_TABLE_MIN_SHIFT;
}

static u32 mask_of(u32 count)
{
	return (1U << fls(count - 1)) - 1;
}

static spinlock_t *bucket_lock(struct clb_table *table, u32 hash)
{
	return &table->locks[hash % CLB_TABLE_LOCKS];
}

/**
 * clb_table_lock() - hold off all changes of a bucket
 * @table: the table
 * @index: below clb_table_buckets(), whatever splits or merges meanwhile
 *
 * No entry comes or goes, so that a walk meets every one of them. Ends with
 * clb_table_unlock().
 *
 * Context: any but hard interrupts; softirqs are off until the end.
 */
void clb_table_lock(struct clb_table *table, u32 index)
	__acquires(table->locks)
{
	spin_lock_bh(bucket_lock(table, index));
}

void clb_table_unlock(struct clb_table *table, u32 index)
	__releases(table->locks)
{
	spin_unlock_bh(bucket_lock(table, index));
}

/* What is added becomes visible complete. */
static void chain_add(struct clb_chain *chain, struct clb_tuplehash *entry)
{
	RCU_INIT_POINTER(entry->next, rcu_dereference_raw(chain->first));
	rcu_assign_pointer(chain->first, entry);
}

/* Readers that stand on the entry go on from it. */
static void chain_unlink(struct clb_tuplehash __rcu **link,
			 struct clb_tuplehash *entry)
{
	rcu_assign_pointer(*link, rcu_dereference_raw(entry->next));
}

static void chain_del(struct clb_chain *chain, struct clb_tuplehash *entry)
{
	struct clb_tuplehash __rcu **link = &chain->first;
	struct clb_tuplehash *at;

	while ((at = rcu_dereference_raw(*link)) != entry)
		link = &at->next;
	chain_unlink(link, entry);
}

/**
 * clb_table_insert() - insert an entry unless its key is there
 * @table: the table
 * @entry: the entry, its tuple and hash filled in
 *
 * Return: NULL if inserted, else the entry that is in the way.
 * Context: RCU read side, softirqs off; takes a bucket lock.
 */
struct clb_tuplehash *clb_table_insert(struct clb_table *table,
				       struct clb_tuplehash *entry)
{
	spinlock_t *lock = bucket_lock(table, entry->hash);
	struct clb_tuplehash *there;
	struct clb_chain *chain;

	spin_lock(lock);
	/* the lock holds off splits of just this bucket */
	chain = clb_table_bucket_for(table, entry->hash);
	there = clb_chain_find(chain, &entry->tuple);
	if (likely(!there))
		chain_add(chain, entry);
	spin_unlock(lock);
	return there;
}

/**
 * clb_table_remove() - remove an entry
 * @table: the table
 * @entry: in the table; readers may see it for another grace period
 *
 * Context: softirqs off; takes a bucket lock.
 */
void clb_table_remove(struct clb_table *table, struct clb_tuplehash *entry)
{
	spinlock_t *lock = bucket_lock(table, entry->hash);

	spin_lock(lock);
	chain_del(clb_table_bucket_for(table, entry->hash), entry);
	spin_unlock(lock);
}

/*
 * Entries of @from that belong to bucket @index when there are @count: in one
 * go, for the chain is long where the table could not grow as fast as the load.
 */
static void bucket_move(struct clb_chain *from, struct clb_chain *to,
			u32 index, u32 count)
{
	struct clb_tuplehash __rcu **link = &from->first;
	struct clb_tuplehash *entry;
	u32 mask = mask_of(count);

	while ((entry = rcu_dereference_raw(*link))) {
		if (clb_bucket_of(entry->hash, count, mask) == index) {
			chain_unlink(link, entry);
			chain_add(to, entry);
		} else {
			link = &entry->next;
		}
	}
}

/*
 * @last is the number of the bucket to split off or to merge, @count the
 * number of buckets there will be. The resize lock is held.
 */
static void resize_step(struct clb_table *table, u32 last, u32 count)
{
	u32 parent = last - (1U << (fls(last) - 1));
	struct clb_chain *child = clb_table_bucket(table, last);
	struct clb_chain *from = clb_table_bucket(table, parent);
	spinlock_t *lock = bucket_lock(table, parent);

	/* of those to be split next */
	clb_table_prefetch(table, parent + CLB_TABLE_AHEAD);
	spin_lock(lock);
	if (count > last)
		bucket_move(from, child, last, count);
	else
		bucket_move(child, from, parent, count);
	WRITE_ONCE(table->count, count);
	WRITE_ONCE(table->mask, mask_of(count));
	spin_unlock(lock);
}

/*
 * Splits or merges some buckets: until there are @count, but a few at most.
 * Returns false if none, because a walk holds merges off.
 */
static bool resize_some(struct clb_table *table, u32 count)
{
	unsigned int i;

	spin_lock_bh(&table->resize_lock);
	write_seqcount_begin(&table->seq);
	for (i = 0; i < RESIZE_STEPS && table->count < count; i++)
		resize_step(table, table->count, table->count + 1);
	for (; i < RESIZE_STEPS && table->count > count && !table->walkers; i++)
		resize_step(table, table->count - 1, table->count - 1);
	write_seqcount_end(&table->seq);
	spin_unlock_bh(&table->resize_lock);
	cond_resched();
	return i;
}

/**
 * clb_table_walk_begin() - begin a walk over all buckets
 * @table: the table
 *
 * Until clb_table_walk_end() no bucket is merged into one before it: the walk
 * can count on all clb_table_buckets() from now on, and no entry moves behind
 * it. Buckets may still be split: what moves is further on.
 *
 * Return: the number of buckets.
 * Context: any but hard interrupts.
 */
u32 clb_table_walk_begin(struct clb_table *table)
{
	u32 count;

	spin_lock_bh(&table->resize_lock);
	table->walkers++;
	count = table->count;
	spin_unlock_bh(&table->resize_lock);
	return count;
}

/* What is in a bucket of @count stays there, or goes by multiples of this. */
static u32 split_of(u32 index, u32 count)
{
	u32 half = (mask_of(count) >> 1) + 1;

	/* with the mask at @count, it has been split off, or split */
	return index >= half || index + half < count ? 2 * half : half;
}

/**
 * clb_table_walk_lock() - the chain that a walk comes to, locked
 * @table: the table
 * @walk: begun with clb_table_walk_begin(), and not over
 *
 * Ends with clb_table_unlock() of @walk->bucket.
 *
 * Return: the chain.
 * Context: RCU read side; softirqs are off until the end.
 */
struct clb_chain *clb_table_walk_lock(struct clb_table *table,
				      const struct clb_table_walk *walk)
	__acquires(table->locks)
{
	u32 split = split_of(walk->bucket, walk->begun);
	u32 hash = walk->bucket + split * bitrev32(walk->part);

	clb_table_lock(table, walk->bucket);
	/* the lock holds off splits of just this one */
	return clb_table_bucket_for(table, hash);
}

/**
 * clb_table_walk_next() - a walk is done with a chain
 * @table: the table
 * @walk: where it is; advanced
 *
 * Context: between clb_table_walk_lock() and clb_table_unlock().
 */
void clb_table_walk_next(struct clb_table *table, struct clb_table_walk *walk)
{
	u32 split = split_of(walk->bucket, walk->begun);
	u32 hash = walk->bucket + split * bitrev32(walk->part);
	u32 count = clb_table_buckets(table);
	u32 at = clb_bucket_of(hash, count, mask_of(count));

	walk->part += BIT_ULL(32) >> ilog2(split_of(at, count) / split);
	if (walk->part < BIT_ULL(32))
		return;
	walk->part = 0;
	walk->bucket++;
}

/**
 * clb_table_walk_end() - end what clb_table_walk_begin() began
 * @table: the table
 *
 * Context: any but hard interrupts.
 */
void clb_table_walk_end(struct clb_table *table)
{
	spin_lock_bh(&table->resize_lock);
	table->walkers--;
	spin_unlock_bh(&table->resize_lock);
}

static bool segment_alloc(struct clb_table *table, u32 index)
{
	unsigned int segment = clb_segment_of(index);
	struct clb_chain *chains;

	if (table->segments[segment])
		return true;
	/* nobody need be told: the table does without */
	chains = kvcalloc(segment_size(segment), sizeof(*chains),
			  GFP_KERNEL | __GFP_NOWARN);
	if (!chains)
		return false;
	/* readers come here only after they saw the larger count */
	smp_store_release(&table->segments[segment],
			  chains - segment_start(segment));
	return true;
}

static void segment_free(struct clb_table *table, unsigned int segment)
{
	if (!table->segments[segment])
		return;
	kvfree(table->segments[segment] + segment_start(segment));
	table->segments[segment] = NULL;
}

static void segments_trim(struct clb_table *table)
{
	unsigned int segment = clb_segment_of(table->count - 1) + 1;

	if (segment == CLB_TABLE_SEGMENTS || !table->segments[segment])
		return;
	/* readers with an older count may still look into them */
	synchronize_rcu();
	for (; segment < CLB_TABLE_SEGMENTS; segment++)
		segment_free(table, segment);
}

/**
 * clb_table_resize() - fit the number of buckets to the load
 * @table: the table
 * @entries: how many entries there are, about
 *
 * Aims at one entry a bucket; shrinks only when nine in ten stand empty.
 * Without memory the table stays as it is and works with longer chains.
 *
 * Context: process; one caller at a time; may sleep.
 */
void clb_table_resize(struct clb_table *table, u32 entries)
{
	u32 min = 1U << CLB_TABLE_MIN_SHIFT, count;

	entries = min(entries, 1U << CLB_TABLE_MAX_SHIFT);
	while (table->count < entries) {
		count = min(entries, table->count + RESIZE_STEPS);
		if (!segment_alloc(table, table->count) ||
		    !segment_alloc(table, count - 1))
			return;
		resize_some(table, count);
	}
	if (entries > table->count / 10)
		return;
	count = max(min, 4 * entries);
	while (table->count > count && resize_some(table, count))
		;
	segments_trim(table);
}

/**
 * clb_table_init() - set up an empty table
 * @table: the table
 *
 * Return: 0 or -ENOMEM.
 * Context: process; may sleep.
 */
int clb_table_init(struct clb_table *table)
{
	unsigned int i;

	BUILD_BUG_ON(CLB_TABLE_LOCKS > 1U << CLB_TABLE_MIN_SHIFT);
	table->count = 1U << CLB_TABLE_MIN_SHIFT;
	table->mask = mask_of(table->count);
	get_random_bytes(&table->key, sizeof(table->key));
	spin_lock_init(&table->resize_lock);
	seqcount_spinlock_init(&table->seq, &table->resize_lock);
	table->walkers = 0;
	table->locks = kvmalloc_array(CLB_TABLE_LOCKS, sizeof(*table->locks),
				      GFP_KERNEL);
	if (!table->locks)
		return -ENOMEM;
	for (i = 0; i < CLB_TABLE_LOCKS; i++)
		spin_lock_init(&table->locks[i]);
	if (segment_alloc(table, 0))
		return 0;
	kvfree(table->locks);
	return -ENOMEM;
}

/**
 * clb_table_destroy() - free an empty table
 * @table: the table, no reader left; may be set up again
 *
 * Context: process; may sleep.
 */
void clb_table_destroy(struct clb_table *table)
{
	unsigned int i;

	for (i = 0; i < CLB_TABLE_SEGMENTS; i++)
		segment_free(table, i);
	kvfree(table->locks);
	table->locks = NULL;
}
