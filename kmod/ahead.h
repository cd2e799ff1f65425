/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_AHEAD_H
#define _CLB_AHEAD_H

#include <linux/netdevice.h>

#include "net.h"

#define CLB_AHEAD_SLOTS	16	/* packets known of a queue, a power of 2 */
#define CLB_AHEAD_BATCH	8	/* looked at in one go */
#define CLB_AHEAD_SMALL	8192	/* buckets of a table that caches hold */

/**
 * struct clb_ahead_slot - a packet further back in the queue
 * @tuple: what it says of itself
 * @hash: that of @tuple, always
 * @more: there may be more to ask for
 * @skb: to know it by, never followed
 */
struct clb_ahead_slot {
	struct clb_tuple	tuple;
	u32			hash;
	bool			more;
	const struct sk_buff	*skb;
};

/**
 * struct clb_ahead - what a processor has seen of its queue
 * @head: the first packet still in it, modulo CLB_AHEAD_SLOTS as @from, @tail
 * @from: first one of the last batch
 * @tail: behind the last one
 * @step: entry of its chain that is to be asked for next for each packet of
 *	the last batch, the first being 1; 0: all were
 * @slot: the packets
 */
struct clb_ahead {
	unsigned int		head;
	unsigned int		from;
	unsigned int		tail;
	unsigned int		step;
	struct clb_ahead_slot	slot[CLB_AHEAD_SLOTS];
};

u32 __clb_ahead_hash(struct clb_net *cn, struct clb_ahead *ahead,
		     const struct clb_tuple *tuple,
		     const struct sk_buff_head *queue);

/**
 * clb_ahead_hash() - the hash of a packet's tuple, and a look ahead
 * @cn: the namespace
 * @tuple: that of the packet that is being received
 * @family: its family, best a constant
 *
 * Where more packets wait for this processor, what they will need is asked for
 * (ahead.c).
 *
 * Return: clb_table_hash() of @tuple.
 * Context: RCU read side, softirqs off.
 */
static __always_inline u32 clb_ahead_hash(struct clb_net *cn,
					  const struct clb_tuple *tuple,
					  u8 family)
{
	const struct sk_buff_head *queue =
		this_cpu_ptr(&softnet_data.process_queue);

	/* with PREEMPT_RT softirqs off need not mean that it is ours */
	if (IS_ENABLED(CONFIG_PREEMPT_RT) || likely(skb_queue_empty(queue)) ||
	    clb_table_buckets(&cn->table) <= CLB_AHEAD_SMALL)
		return clb_table_hash_of(&cn->table, tuple, family);
	return __clb_ahead_hash(cn, this_cpu_ptr(cn->ahead), tuple, queue);
}

#endif /* _CLB_AHEAD_H */
