// SPDX-License-Identifier: GPL-2.0
/*
 * Session table: linear hashing (W. Litwin, VLDB 1980). The table grows a
 * bucket at a time, so that no packet ever waits for a rehash: bucket
 * count - 2^k is split into itself and bucket count. Lookups run under RCU
 * and take no lock. An entry that moves while a reader walks its bucket can
 * lead the reader into the other bucket, or out of its sight; both end in a
 * miss, and a miss is believed only if no split went on meanwhile.
 */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/rculist.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "table.h"

static unsigned int segment_of(u32 index)
{
	return fls(index >> CLB_TABLE_MIN_SHIFT);
}

static u32 segment_start(unsigned int segment)
{
	return segment ? 1U << (CLB_TABLE_MIN_SHIFT + segment - 1) : 0;
}

static u32 segment_size(unsigned int segment)
{
	return segment ? segment_start(segment) : 1U << CLB_TABLE_MIN_SHIFT;
}

/**
 * clb_table_bucket() - a bucket by its number
 * @table: the table
 * @index: below clb_table_buckets()
 *
 * Return: its head.
 * Context: RCU read side, or the resize lock held.
 */
struct hlist_head *clb_table_bucket(struct clb_table *table, u32 index)
{
	unsigned int segment = segment_of(index);

	return READ_ONCE(table->segments[segment]) +
	       (index - segment_start(segment));
}

static u32 bucket_of(u32 hash, u32 count)
{
	u32 mask = (1U << fls(count - 1)) - 1;
	u32 index = hash & mask;

	return index < count ? index : index & (mask >> 1);
}

static spinlock_t *bucket_lock(struct clb_table *table, u32 hash)
{
	return &table->locks[hash % CLB_TABLE_LOCKS];
}

static struct clb_tuplehash *bucket_find(struct hlist_head *head,
					 const struct clb_tuple *tuple)
{
	struct clb_tuplehash *entry;

	hlist_for_each_entry_rcu(entry, head, node)
		if (clb_tuple_equal(&entry->tuple, tuple))
			return entry;
	return NULL;
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
{
	spin_lock_bh(bucket_lock(table, index));
}

void clb_table_unlock(struct clb_table *table, u32 index)
{
	spin_unlock_bh(bucket_lock(table, index));
}

/**
 * clb_table_find() - find an entry
 * @table: the table
 * @tuple: its key
 *
 * Return: the entry or NULL.
 * Context: RCU read side, which also keeps the entry in memory.
 */
struct clb_tuplehash *clb_table_find(struct clb_table *table,
				     const struct clb_tuple *tuple)
{
	u32 hash = clb_tuple_hash(tuple, &table->key);
	struct clb_tuplehash *entry;
	unsigned int seq;
	u32 index;

	do {
		seq = read_seqcount_begin(&table->seq);
		index = bucket_of(hash, READ_ONCE(table->count));
		entry = bucket_find(clb_table_bucket(table, index), tuple);
		if (likely(entry))
			return entry;
	} while (unlikely(read_seqcount_retry(&table->seq, seq)));
	return NULL;
}

/**
 * clb_table_insert() - insert an entry unless its key is there
 * @table: the table
 * @entry: the entry, its tuple filled in
 *
 * Return: NULL if inserted, else the entry that is in the way.
 * Context: RCU read side; takes a bucket lock with softirqs off.
 */
struct clb_tuplehash *clb_table_insert(struct clb_table *table,
				       struct clb_tuplehash *entry)
{
	u32 hash = clb_tuple_hash(&entry->tuple, &table->key);
	spinlock_t *lock = bucket_lock(table, hash);
	struct clb_tuplehash *there;
	struct hlist_head *head;

	spin_lock_bh(lock);
	/* the lock holds off splits of just this bucket */
	head = clb_table_bucket(table, bucket_of(hash,
						 READ_ONCE(table->count)));
	there = bucket_find(head, &entry->tuple);
	if (!there)
		hlist_add_head_rcu(&entry->node, head);
	spin_unlock_bh(lock);
	return there;
}

/**
 * clb_table_remove() - remove an entry
 * @table: the table
 * @entry: in the table; readers may see it for another grace period
 *
 * Context: takes a bucket lock with softirqs off.
 */
void clb_table_remove(struct clb_table *table, struct clb_tuplehash *entry)
{
	u32 hash = clb_tuple_hash(&entry->tuple, &table->key);
	spinlock_t *lock = bucket_lock(table, hash);

	spin_lock_bh(lock);
	hlist_del_rcu(&entry->node);
	spin_unlock_bh(lock);
}

/* Entries of @from that belong to bucket @index when there are @count. */
static void bucket_move(struct clb_table *table, struct hlist_head *from,
			struct hlist_head *to, u32 index, u32 count)
{
	struct clb_tuplehash *entry;
	struct hlist_node *next;

	hlist_for_each_entry_safe(entry, next, from, node) {
		u32 hash = clb_tuple_hash(&entry->tuple, &table->key);

		if (bucket_of(hash, count) != index)
			continue;
		hlist_del_rcu(&entry->node);
		hlist_add_head_rcu(&entry->node, to);
	}
}

/*
 * @last is the number of the bucket to split off or to merge, @count the
 * number of buckets there will be.
 */
static void resize_step(struct clb_table *table, u32 last, u32 count)
{
	u32 parent = last - (1U << (fls(last) - 1));
	struct hlist_head *child_head = clb_table_bucket(table, last);
	struct hlist_head *parent_head = clb_table_bucket(table, parent);
	spinlock_t *lock = bucket_lock(table, parent);

	spin_lock_bh(&table->resize_lock);
	spin_lock(lock);
	write_seqcount_begin(&table->seq);
	if (count > last)
		bucket_move(table, parent_head, child_head, last, count);
	else
		bucket_move(table, child_head, parent_head, parent, count);
	WRITE_ONCE(table->count, count);
	write_seqcount_end(&table->seq);
	spin_unlock(lock);
	spin_unlock_bh(&table->resize_lock);
}

static bool segment_alloc(struct clb_table *table, u32 index)
{
	unsigned int segment = segment_of(index);
	struct hlist_head *heads;

	if (table->segments[segment])
		return true;
	/* nobody need be told: the table does without */
	heads = kvcalloc(segment_size(segment), sizeof(*heads),
			 GFP_KERNEL | __GFP_NOWARN);
	if (!heads)
		return false;
	/* readers come here only after they saw the larger count */
	smp_store_release(&table->segments[segment], heads);
	return true;
}

static void segments_trim(struct clb_table *table)
{
	unsigned int segment = segment_of(table->count - 1) + 1;

	if (segment == CLB_TABLE_SEGMENTS || !table->segments[segment])
		return;
	/* readers with an older count may still look into them */
	synchronize_rcu();
	for (; segment < CLB_TABLE_SEGMENTS; segment++) {
		kvfree(table->segments[segment]);
		table->segments[segment] = NULL;
	}
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
	u32 min = 1U << CLB_TABLE_MIN_SHIFT;

	entries = min(entries, 1U << CLB_TABLE_MAX_SHIFT);
	while (table->count < entries) {
		if (!segment_alloc(table, table->count))
			return;
		resize_step(table, table->count, table->count + 1);
		cond_resched();
	}
	if (entries > table->count / 10)
		return;
	while (table->count > min && table->count / 4 > entries &&
	       !atomic_read(&table->walkers)) {
		resize_step(table, table->count - 1, table->count - 1);
		cond_resched();
	}
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
	get_random_bytes(&table->key, sizeof(table->key));
	spin_lock_init(&table->resize_lock);
	seqcount_spinlock_init(&table->seq, &table->resize_lock);
	atomic_set(&table->walkers, 0);
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

	for (i = 0; i < CLB_TABLE_SEGMENTS; i++) {
		kvfree(table->segments[i]);
		table->segments[i] = NULL;
	}
	kvfree(table->locks);
	table->locks = NULL;
}
