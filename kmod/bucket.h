/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_BUCKET_H
#define _CLB_BUCKET_H

#include <linux/types.h>

/**
 * struct clb_bucket - token bucket without a lock and without a timer
 * @full_at: time (ns, monotonic) at which the bucket will be full again
 * @cost: time one unit takes to flow back, in 2^-16 ns; 0: no limit
 * @burst: depth of the bucket as time, ns
 *
 * The generic cell rate algorithm (ITU-T I.371): the level of the bucket is
 * kept as the time of its being full, so that taking from it is one
 * compare-and-exchange.
 *
 * Whoever finds one unit in it gets all it asks for, and the bucket is in debt
 * until as much has flowed back: large takers have the same chance as small
 * ones, who would otherwise keep the level below what the large ones need. On
 * the average the rate is exact; it is exceeded by a burst and one taker's
 * units at the most.
 */
struct clb_bucket {
	atomic64_t	full_at;
	u64		cost;
	u64		burst;
};

void clb_bucket_set(struct clb_bucket *bucket, u64 rate, u64 burst);
bool __clb_bucket_take(struct clb_bucket *bucket, u32 units);

/**
 * clb_bucket_take() - take from a bucket
 * @bucket: the bucket
 * @units: how much
 *
 * Return: true if there was one (or there is no limit), false if nothing was
 *	taken.
 * Context: any.
 */
static inline bool clb_bucket_take(struct clb_bucket *bucket, u32 units)
{
	return likely(!READ_ONCE(bucket->cost)) ||
	       __clb_bucket_take(bucket, units);
}

#endif /* _CLB_BUCKET_H */
