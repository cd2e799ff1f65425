/* SPDX-License-Identifier: GPL-2.0 */
#ifndef INJECT_SLICES_H
#define INJECT_SLICES_H

#include <linux/types.h>

/**
 * struct slice - a part of a run
 * @took: its time, ns
 * @slow: the processor had not its full speed
 * @near: others ran shortly before
 */
struct slice {
	u32	took;
	bool	slow;
	bool	near;
};

/**
 * struct slices - the time of a run, taken slice by slice
 * @slice: each one
 * @nr: slices so far
 * @max: there is room for as many
 * @since: slices since others ran
 * @pulse: how long the loop between the slices took last, ns
 * @start: of the present slice, ns
 * @away: how long others ran between slices, ns
 */
struct slices {
	struct slice	*slice;
	u32		nr;
	u32		max;
	u32		since;
	u64		pulse;
	u64		start;
	u64		away;
};

/**
 * struct slices_sums - slices of a kind
 * @nr: how many
 * @took: their time, ns
 */
struct slices_sums {
	u32	nr;
	u64	took;
};

u64 slices_pulse(void);
int slices_init(struct slices *slices, u32 max);
void slices_free(struct slices *slices);
void slices_begin(struct slices *slices);
void slices_end(struct slices *slices, u64 full_speed);
u32 slices_median(struct slices *slices, u32 *median);
void slices_sum(const struct slices *slices, struct slices_sums *near,
		struct slices_sums *far);

#endif
