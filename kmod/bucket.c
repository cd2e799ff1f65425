// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/timekeeping.h>

#include "bucket.h"

/* Binary places of @cost behind the point. */
#define CLB_BUCKET_SHIFT 16

/**
 * clb_bucket_set() - set or lift a limit
 * @bucket: the bucket; its level is kept as far as it makes sense
 * @rate: units a second, 0: no limit; at most 2^40
 * @burst: units that may be taken at once
 *
 * Context: any; calls for one bucket must be serialised. Takers may run.
 */
void clb_bucket_set(struct clb_bucket *bucket, u64 rate, u64 burst)
{
	s64 full_at;

	if (!rate) {
		WRITE_ONCE(bucket->cost, 0);
		return;
	}
	burst = mul_u64_u64_div_u64(burst, NSEC_PER_SEC, rate);
	full_at = ktime_get_ns() + burst;
	WRITE_ONCE(bucket->burst, burst);
	/* empty at the most: a debt at a lower rate is no debt at this one */
	if (atomic64_read(&bucket->full_at) > full_at)
		atomic64_set(&bucket->full_at, full_at);
	WRITE_ONCE(bucket->cost,
		   div64_u64((u64)NSEC_PER_SEC << CLB_BUCKET_SHIFT, rate));
}

bool __clb_bucket_take(struct clb_bucket *bucket, u32 units)
{
	u64 cost = READ_ONCE(bucket->cost);
	s64 one = cost >> CLB_BUCKET_SHIFT;
	s64 all = (units * cost) >> CLB_BUCKET_SHIFT;
	s64 now = ktime_get_ns();
	s64 old = atomic64_read(&bucket->full_at);
	s64 from;

	do {
		from = max(old, now);
		if (from + one - now > (s64)READ_ONCE(bucket->burst))
			return false;
	} while (!atomic64_try_cmpxchg(&bucket->full_at, &old, from + all));
	return true;
}
