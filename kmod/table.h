/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TABLE_H
#define _CLB_TABLE_H

#include <linux/list.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "tuple.h"

#define CLB_TABLE_MIN_SHIFT	10
#define CLB_TABLE_MAX_SHIFT	27
#define CLB_TABLE_SEGMENTS	(CLB_TABLE_MAX_SHIFT - CLB_TABLE_MIN_SHIFT + 1)
#define CLB_TABLE_LOCKS		512

/**
 * struct clb_tuplehash - an entry of the table
 * @node: its bucket
 * @tuple: its key
 */
struct clb_tuplehash {
	struct hlist_node	node;
	struct clb_tuple	tuple;
};

/**
 * struct clb_table - hash table that grows by linear hashing
 * @count: buckets in use; bucket @count - 1 is the last
 * @key: secret of the hash
 * @seq: changes while a bucket is split or merged
 * @resize_lock: serialises splits and merges
 * @segments: segment 0 holds buckets 0 to 1023, segment k > 0 the buckets
 *	from 2^(9+k) on, as many as all before it
 * @locks: bucket b is changed under lock b % CLB_TABLE_LOCKS. A bucket and
 *	the one split off it share a lock
 * @walkers: dumps in progress; buckets are not merged meanwhile, so that no
 *	entry moves behind a walker
 */
struct clb_table {
	u32			count;
	hsiphash_key_t		key;
	seqcount_spinlock_t	seq;
	spinlock_t		resize_lock;
	struct hlist_head	*segments[CLB_TABLE_SEGMENTS];
	spinlock_t		*locks;
	atomic_t		walkers;
};

int clb_table_init(struct clb_table *table);
void clb_table_destroy(struct clb_table *table);
struct clb_tuplehash *clb_table_find(struct clb_table *table,
				     const struct clb_tuple *tuple);
struct clb_tuplehash *clb_table_insert(struct clb_table *table,
				       struct clb_tuplehash *entry);
void clb_table_remove(struct clb_table *table, struct clb_tuplehash *entry);
void clb_table_lock(struct clb_table *table, u32 index);
void clb_table_unlock(struct clb_table *table, u32 index);
struct hlist_head *clb_table_bucket(struct clb_table *table, u32 index);
void clb_table_resize(struct clb_table *table, u32 entries);

static inline u32 clb_table_buckets(const struct clb_table *table)
{
	return READ_ONCE(table->count);
}

#endif /* _CLB_TABLE_H */
