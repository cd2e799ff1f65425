// SPDX-License-Identifier: GPL-2.0
/*
 * Tombstones: flows whose sessions were ended by hand, and when the last of
 * these was born. Words of nodes that have not heard of that are told by them
 * from words on later connections.
 */
#include <linux/mm.h>
#include <linux/random.h>

#include "sync_engine.h"

#define SETS		16384	/* a power of 2 */
#define WAYS		4

/* @hash: of the flow; 0: free. @since: jiffies, when it was put. */
struct tomb {
	u64	hash;
	u32	born;
	u32	since;
};

/* By bits of the hash; the last one put is the first. */
struct set {
	struct tomb	ways[WAYS];
};

/**
 * struct clb_sync_tombs - what is remembered of sessions that were ended
 * @lock: protects @sets
 * @used: there has been one
 * @key: of the hash, for clients choose their ports
 * @sets: tombstones
 */
struct clb_sync_tombs {
	spinlock_t	lock;
	bool		used;
	siphash_key_t	key;
	struct set	sets[SETS];
};

/**
 * clb_sync_tombs_alloc() - make room for tombstones
 * @sync: sync
 *
 * Return: 0 or -ENOMEM.
 * Context: process; may sleep.
 */
int clb_sync_tombs_alloc(struct clb_sync *sync)
{
	sync->tombs = kvzalloc(sizeof(*sync->tombs), GFP_KERNEL_ACCOUNT);
	if (!sync->tombs)
		return -ENOMEM;
	spin_lock_init(&sync->tombs->lock);
	get_random_bytes(&sync->tombs->key, sizeof(sync->tombs->key));
	return 0;
}

/**
 * clb_sync_tombs_free() - the reverse of clb_sync_tombs_alloc()
 * @sync: sync
 *
 * Context: process; may sleep.
 */
void clb_sync_tombs_free(struct clb_sync *sync)
{
	kvfree(sync->tombs);
}

/* All of a flow's tuple but its kind and direction. */
static u64 hash_of(const struct clb_sync_tombs *tombs,
		   const struct clb_tuple *tuple)
{
	return siphash(tuple, offsetof(struct clb_tuple, kind),
		       &tombs->key) ?: 1;
}

static struct tomb *find(struct set *set, u64 hash, u32 now)
{
	unsigned int i;

	for (i = 0; i < WAYS; i++)
		if (set->ways[i].hash == hash &&
		    now - set->ways[i].since < CLB_SYNC_TOMB_LIFETIME)
			return &set->ways[i];
	return NULL;
}

/* The flow's own goes to the front, or the oldest gives way to it. */
static void put(struct set *set, const struct tomb *tomb)
{
	unsigned int i = 0;

	while (i < WAYS - 1 && set->ways[i].hash != tomb->hash)
		i++;
	memmove(&set->ways[1], &set->ways[0], i * sizeof(*tomb));
	set->ways[0] = *tomb;
}

/**
 * clb_sync_tomb_put() - remember that a session has ended
 * @sync: sync
 * @tuple: of its original direction; a flow's
 * @born: when it was; earlier ones of that flow have ended, too
 * @now: jiffies
 *
 * Context: softirqs off.
 */
void clb_sync_tomb_put(struct clb_sync *sync, const struct clb_tuple *tuple,
		       u32 born, u32 now)
{
	struct clb_sync_tombs *tombs = sync->tombs;
	struct tomb tomb = {
		.hash = hash_of(tombs, tuple), .born = born, .since = now,
	};
	struct set *set = &tombs->sets[tomb.hash % SETS];
	const struct tomb *old;

	spin_lock(&tombs->lock);
	old = find(set, tomb.hash, now);
	if (old && clb_sync_born_order(old->born, born) > 0)
		tomb.born = old->born;
	put(set, &tomb);
	spin_unlock(&tombs->lock);
	WRITE_ONCE(tombs->used, true);
}

/**
 * clb_sync_tomb_find() - was a session of a flow ended
 * @sync: sync
 * @tuple: of its original direction; a flow's
 * @now: jiffies
 * @born: result: when the latest that was ended was born
 *
 * Return: true if so, lately.
 * Context: softirqs off.
 */
bool clb_sync_tomb_find(struct clb_sync *sync, const struct clb_tuple *tuple,
			u32 now, u32 *born)
{
	struct clb_sync_tombs *tombs = sync->tombs;
	const struct tomb *tomb;
	u64 hash;

	/* nothing is ended by hand on most days */
	if (likely(!READ_ONCE(tombs->used)))
		return false;
	hash = hash_of(tombs, tuple);
	spin_lock(&tombs->lock);
	tomb = find(&tombs->sets[hash % SETS], hash, now);
	if (tomb)
		*born = tomb->born;
	spin_unlock(&tombs->lock);
	return tomb;
}
