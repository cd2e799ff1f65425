/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_STATS_H
#define _CLB_STATS_H

#include <linux/clb.h>
#include <linux/percpu.h>

/**
 * struct clb_stats - event counters of one CPU
 * @count: by enum clb_stats_attr; those that are not events stay 0
 */
struct clb_stats {
	unsigned long	count[CLB_STATS_A_MAX + 1];
};

static inline void clb_stats_inc(struct clb_stats __percpu *stats,
				 enum clb_stats_attr which)
{
	this_cpu_inc(stats->count[which]);
}

static inline u64 clb_stats_read(const struct clb_stats __percpu *stats,
				 enum clb_stats_attr which)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(stats, cpu)->count[which]);
	return sum;
}

#endif /* _CLB_STATS_H */
