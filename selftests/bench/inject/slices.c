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
 * own results is as fast on half of a core. This one takes 1.7 times as long
 * there, or more, and hardly ever anything between.
 *
 * Other threads of this kernel run between slices and never in one. What they
 * leave of the caches costs the slices that come next: these are near, the
 * others far. Both kinds take turns so often that what the machine does besides
 * slows them down alike, so that they can be compared at any speed. A slice of
 * many times the median is none of both: another program had the processor.
 */
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sort.h>

#include "slices.h"

#define PULSE		6000	/* turns of the loop: some microseconds */
#define TOLERANCE	4	/* full speed: not slower by a 4th */
#define OUTLIER		16	/* medians: not the slice alone took it */
#define NEAR		10	/* slices after others ran */

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
 * @slices: to be freed by slices_free()
 * @max: number of slices
 *
 * Return: 0 or -ENOMEM.
 */
int slices_init(struct slices *slices, u32 max)
{
	*slices = (struct slices) { .max = max, .since = NEAR };
	slices->slice = kvcalloc(max, sizeof(*slices->slice), GFP_KERNEL);
	return slices->slice ? 0 : -ENOMEM;
}

/**
 * slices_free() - The reverse of slices_init()
 * @slices: of the run
 */
void slices_free(struct slices *slices)
{
	kvfree(slices->slice);
}

static unsigned long switches(void)
{
	return current->nvcsw + current->nivcsw;
}

/**
 * slices_begin() - A slice begins, when others had their turn
 * @slices: of the run
 */
void slices_begin(struct slices *slices)
{
	unsigned long before = switches();
	u64 since;

	if (!slices->nr)
		slices->pulse = slices_pulse();
	since = ktime_get_ns();
	cond_resched();
	slices->start = ktime_get_ns();
	slices->away += slices->start - since;
	if (switches() != before)
		slices->since = 0;
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
	slices->slice[slices->nr++] = (struct slice) {
		.took = min_t(u64, took, U32_MAX),
		.slow = before > slow || slices->pulse > slow,
		.near = slices->since++ < NEAR,
	};
}

static int compare(const void *a, const void *b)
{
	const struct slice *first = a, *second = b;

	return first->took < second->took ? -1 : first->took > second->took;
}

/**
 * slices_median() - Median time of the slices at full speed
 * @slices: of the run; sorts them
 * @median: result, ns
 *
 * Return: how many these are; if none, there is no median.
 */
u32 slices_median(struct slices *slices, u32 *median)
{
	u32 count = 0, half, i;

	sort(slices->slice, slices->nr, sizeof(*slices->slice), compare, NULL);
	for (i = 0; i < slices->nr; i++)
		count += !slices->slice[i].slow;
	half = count / 2;
	for (i = 0; i < slices->nr; i++) {
		if (slices->slice[i].slow || half--)
			continue;
		*median = slices->slice[i].took;
		break;
	}
	return count;
}

/**
 * slices_sum() - Time of the slices after others ran, and of all others
 * @slices: of the run, sorted by slices_median()
 * @near: result
 * @far: result
 */
void slices_sum(const struct slices *slices, struct slices_sums *near,
		struct slices_sums *far)
{
	u32 middle = slices->nr ? slices->slice[slices->nr / 2].took : 0;
	u32 i;

	*near = (struct slices_sums) {};
	*far = (struct slices_sums) {};
	for (i = 0; i < slices->nr; i++) {
		const struct slice *slice = &slices->slice[i];
		struct slices_sums *sums = slice->near ? near : far;

		if (slice->took / OUTLIER > middle)
			break;
		sums->nr++;
		sums->took += slice->took;
	}
}
