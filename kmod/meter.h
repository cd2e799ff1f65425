/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_METER_H
#define _CLB_METER_H

#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <linux/u64_stats_sync.h>

#include "tuple.h"

/**
 * struct clb_meter - traffic of one CPU, per direction
 * @packets: packets at the IP layer, GSO segments counted one by one
 * @bytes: their bytes
 * @syncp: makes reads whole on 32-bit machines
 */
struct clb_meter {
	u64_stats_t		packets[CLB_DIR_MAX];
	u64_stats_t		bytes[CLB_DIR_MAX];
	struct u64_stats_sync	syncp;
};

/* Traffic as it will be on the wire, or a sum of such. */
struct clb_traffic {
	u64	packets[CLB_DIR_MAX];
	u64	bytes[CLB_DIR_MAX];
};

/* One packet's worth of traffic. */
struct clb_wire {
	u32	packets;
	u32	bytes;
};

struct clb_wire clb_wire_size(const struct sk_buff *skb, u8 family,
			      unsigned int largest, unsigned int mtu);
void clb_meter_read(const struct clb_meter __percpu *meter,
		    struct clb_traffic *sum);

static inline void clb_meter_add(struct clb_meter __percpu *meter,
				 enum clb_dir dir, struct clb_wire wire)
{
	struct clb_meter *m = this_cpu_ptr(meter);

	u64_stats_update_begin(&m->syncp);
	u64_stats_add(&m->packets[dir], wire.packets);
	u64_stats_add(&m->bytes[dir], wire.bytes);
	u64_stats_update_end(&m->syncp);
}

#endif /* _CLB_METER_H */
