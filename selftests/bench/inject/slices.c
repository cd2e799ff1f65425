// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Time on a processor that is not always as fast
 *
 * The other half of a core that two hardware threads share may be busy or not,
 * for milliseconds or a second at a time, and what runs here is then half as
 * fast or not. No median helps where the slow half is the larger one. So the
 * time of a run is taken in slices, and between any two of them a loop of fixed
 * length is timed: the pulse. A slice counts if the pulses before and after it
 * are those of a processor at its full speed.
 *
 * The loop goes through memory: one that stays in registers and waits for its
 * own results is as fast on half of a core.
 *
 * Other threads of this kernel run between slices and never in one. What they
 * leave of the caches is seen by the slice that comes next: to the mean of the
 * slices that counts, to the median it does not. Of the machine's other programs,
 * that take the whole processor for milliseconds, a mean would tell nothing
 * else: slices of many times the median are left out.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sort.h>

#include "slices.h"

#define PULSE		6000	/* turns of the loop: some microseconds */
#define TOLERANCE	16	/* full speed: not slower by a 16th */
#define OUTLIER		16	/* medians that nothing but another program takes */

/**
 * slices_pulse() - Time a loop of fixed length
 *
 * Return: ns.
 */
u64 slices_pulse(void)
{
	static u32 x;
	ktime_t start = ktime_get();
	u32 i;

	for (i = 0; i < PULSE; i++)
		WRITE_ONCE(x, READ_ONCE(x) + i);
	return ktime_to_ns(ktime_sub(ktime_get(), start));
}

/**
 * slices_init() - Make room
 * @slices: to be freed by kvfree(slices->took)
 * @max: number of slices
 *
 * Return: 0 or -ENOMEM.
 */
int slices_init(struct slices *slices, u32 max)
{
	*slices = (struct slices) { .max = max };
	slices->took = kvcalloc(max, sizeof(*slices->took), GFP_KERNEL);
	return slices->took ? 0 : -ENOMEM;
}

/**
 * slices_begin() - A slice begins, when others had their turn
 * @slices: of the run
 */
void slices_begin(struct slices *slices)
{
	u64 since;

	if (!slices->nr)
		slices->pulse = slices_pulse();
	since = ktime_get_ns();
	cond_resched();
	slices->start = ktime_get_ns();
	slices->away += slices->start - since;
}

/**
 * slices_end() - The slice has ended
 * @slices: of the run
 * @full_speed: the pulse of a processor that has its core for itself, ns
 */
void slices_end(struct slices *slices, u64 full_speed)
{
	u64 took = ktime_get_ns() - slices->start;
	u64 slow = full_speed + full_speed / TOLERANCE;
	u64 before = slices->pulse;

	slices->pulse = slices_pulse();
	if (slices->nr == slices->max)
		return;
	slices->took[slices->nr++] =
		before > slow || slices->pulse > slow || took > U32_MAX ?
		0 : took;
}

static int compare(const void *a, const void *b)
{
	u32 first = *(const u32 *)a, second = *(const u32 *)b;

	return first < second ? -1 : first > second;
}

/**
 * slices_sum() - Median and sum of the slices that count
 * @slices: of the run; sorts them
 * @median: result, ns
 * @sum: result, ns
 *
 * Return: how many these are; if none, there are no results.
 */
u32 slices_sum(struct slices *slices, u32 *median, u64 *sum)
{
	u32 first = 0, end;

	sort(slices->took, slices->nr, sizeof(u32), compare, NULL);
	while (first < slices->nr && !slices->took[first])
		first++;
	if (first == slices->nr)
		return 0;
	*median = slices->took[first + (slices->nr - first) / 2];
	*sum = 0;
	for (end = first; end < slices->nr; end++) {
		if (slices->took[end] / OUTLIER > *median)
			break;
		*sum += slices->took[end];
	}
	return end - first;
}
