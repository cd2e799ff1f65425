/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TABLE_H
#define _CLB_TABLE_H

#include <linux/prefetch.h>
#include <linux/rculist.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "tuple.h"

#define CLB_TABLE_MIN_SHIFT	10
#define CLB_TABLE_MAX_SHIFT	27
#define CLB_TABLE_SEGMENTS	(CLB_TABLE_MAX_SHIFT - CLB_TABLE_MIN_SHIFT + 1)
#define CLB_TABLE_LOCKS		512
#define CLB_TABLE_AHEAD		8	/* buckets, for clb_table_prefetch() */

/**
 * struct clb_tuplehash - an entry of the table
 * @next: the next one of its bucket
 * @hash: of @tuple
 * @note: for the owner of the entry, in what would be padding
 * @tuple: its key
 */
struct clb_tuplehash {
	struct clb_tuplehash __rcu *next;
	u32			hash;
	u32			note;
	struct clb_tuple	tuple;
};

/**
 * struct clb_chain - a bucket
 * @first: its first entry, or NULL
 *
 * Singly linked: the room of a link back is better used for the hash, which
 * saves working it out again whenever a bucket is split.
 */
struct clb_chain {
	struct clb_tuplehash __rcu *first;
};

/* Under RCU, or with the lock of the bucket held. */
#define clb_chain_for_each(entry, chain)				\
	for ((entry) = rcu_dereference_raw((chain)->first); (entry);	\
	     (entry) = rcu_dereference_raw((entry)->next))

/**
 * struct clb_table - hash table that grows by linear hashing
 * @count: buckets in use; bucket @count - 1 is the last
 * @mask: the least 2^n - 1 that is not below @count - 1
 * @key: secret of the hash
 * @seq: changes while a bucket is split or merged
 * @resize_lock: serialises splits and merges, guards @walkers
 * @segments: segment 0 holds buckets 0 to 1023, segment k > 0 the buckets
 *	from 2^(9+k) on, as many as all before it; each pointer is where bucket
 *	0 would be
 * @locks: bucket b is changed under lock b % CLB_TABLE_LOCKS. A bucket and
 *	the one split off it share a lock
 * @walkers: walks in progress, see clb_table_walk_begin()
 */
struct clb_table {
	u32			count;
	u32			mask;
	hsiphash_key_t		key;
	seqcount_spinlock_t	seq;
	spinlock_t		resize_lock;
	struct clb_chain	*segments[CLB_TABLE_SEGMENTS];
	spinlock_t		*locks;
	unsigned int		walkers;
};

/**
 * struct clb_table_walk - where a walk is that meets every entry once
 * @begun: how many buckets there were when it began
 * @bucket: which one of these comes next
 * @part: what of it, split since, comes next, in 2^32ths of its hashes: by
 *	the bits of the hash that tell the parts, the lowest bit first, so that
 *	a part that is split is followed by the one split off
 *
 * With all 0 but @begun it begins; it is over when @bucket is @begun.
 */
struct clb_table_walk {
	u32			begun;
	u32			bucket;
	u64			part;
};

static inline unsigned int clb_segment_of(u32 index)
{
	return fls(index >> CLB_TABLE_MIN_SHIFT);
}

/**
 * clb_table_bucket() - a bucket by its number
 * @table: the table
 * @index: below clb_table_buckets()
 *
 * Return: the bucket.
 * Context: RCU read side, or the resize lock held.
 */
static inline struct clb_chain *clb_table_bucket(struct clb_table *table,
						 u32 index)
{
	return READ_ONCE(table->segments[clb_segment_of(index)]) + index;
}

/**
 * clb_table_prefetch() - have a bucket's first entry fetched from memory
 * @table: the table
 * @index: below clb_table_buckets()
 *
 * Entries are all over the memory. A walk that asks for each some buckets
 * ahead waits for none.
 *
 * Context: RCU read side, or the resize lock held.
 */
static inline void clb_table_prefetch(struct clb_table *table, u32 index)
{
	prefetch(rcu_access_pointer(clb_table_bucket(table, index)->first));
}

/* The bucket of a hash among @count, @mask being the mask for that many. */
static inline u32 clb_bucket_of(u32 hash, u32 count, u32 mask)
{
	u32 index = hash & mask;

	return index < count ? index : index & (mask >> 1);
}

/*
 * Readers see @count and @mask of different times. Whichever they see, the
 * bucket they get was in use since their read side began: as mask / 2 is below
 * the count that belongs to it, so is the result.
 */
static inline struct clb_chain *clb_table_bucket_for(struct clb_table *table,
						     u32 hash)
{
	/* pairs with the barrier of write_seqcount_begin(): segments first */
	u32 count = smp_load_acquire(&table->count);
	/* pairs with the same */
	u32 mask = smp_load_acquire(&table->mask);

	return clb_table_bucket(table, clb_bucket_of(hash, count, mask));
}

static __always_inline struct clb_tuplehash *
clb_chain_find(struct clb_chain *chain, const struct clb_tuple *tuple)
{
	struct clb_tuplehash *entry;

	clb_chain_for_each(entry, chain)
		if (likely(clb_tuple_equal(&entry->tuple, tuple)))
			return entry;
	return NULL;
}

static inline u32 clb_table_hash(const struct clb_table *table,
				 const struct clb_tuple *tuple)
{
	return clb_tuple_hash(tuple, &table->key);
}

static __always_inline u32 clb_table_hash_of(const struct clb_table *table,
					     const struct clb_tuple *tuple,
					     u8 family)
{
	return clb_tuple_hash_of(tuple, family, &table->key);
}

/**
 * clb_table_find() - find an entry
 * @table: the table
 * @tuple: its key
 * @hash: clb_table_hash() of @tuple
 *
 * Return: the entry or NULL.
 * Context: RCU read side, which also keeps the entry in memory.
 */
static __always_inline struct clb_tuplehash *
clb_table_find(struct clb_table *table, const struct clb_tuple *tuple,
	       u32 hash)
{
	struct clb_tuplehash *entry;
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&table->seq);
		entry = clb_chain_find(clb_table_bucket_for(table, hash),
				       tuple);
		if (likely(entry))
			return entry;
	} while (unlikely(read_seqcount_retry(&table->seq, seq)));
	return NULL;
}

int clb_table_init(struct clb_table *table);
void clb_table_destroy(struct clb_table *table);
struct clb_tuplehash *clb_table_insert(struct clb_table *table,
				       struct clb_tuplehash *entry);
void clb_table_remove(struct clb_table *table, struct clb_tuplehash *entry);
void clb_table_lock(struct clb_table *table, u32 index);
void clb_table_unlock(struct clb_table *table, u32 index);
u32 clb_table_walk_begin(struct clb_table *table);
struct clb_chain *clb_table_walk_lock(struct clb_table *table,
				      const struct clb_table_walk *walk);
void clb_table_walk_next(struct clb_table *table, struct clb_table_walk *walk);
void clb_table_walk_end(struct clb_table *table);
void clb_table_resize(struct clb_table *table, u32 entries);

static inline u32 clb_table_buckets(const struct clb_table *table)
{
	return READ_ONCE(table->count);
}

#endif /* _CLB_TABLE_H */
