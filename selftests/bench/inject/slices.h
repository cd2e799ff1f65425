/* SPDX-License-Identifier: GPL-2.0 */
#ifndef INJECT_SLICES_H
#define INJECT_SLICES_H

#include <linux/types.h>

/**
 * struct slices - the time of a run, taken slice by slice
 * @took: of each slice, ns; 0: the processor was slow
 * @nr: slices so far
 * @max: there is room for as many
 * @pulse: how long the loop between the slices took last, ns
 * @start: of the present slice, ns
 * @away: how long others ran between slices, ns
 */
struct slices {
	u32	*took;
	u32	nr;
	u32	max;
	u64	pulse;
	u64	start;
	u64	away;
};

u64 slices_pulse(void);
int slices_init(struct slices *slices, u32 max);
void slices_begin(struct slices *slices);
void slices_end(struct slices *slices, u64 full_speed);
u32 slices_sum(struct slices *slices, u32 *median, u64 *sum);

#endif
