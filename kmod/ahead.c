// SPDX-License-Identifier: GPL-2.0
/*
 * DOC: Looking ahead
 *
 * With many sessions a packet waits for memory three times in a row: for its
 * bucket, for the entries of the bucket, for the rest of its session. Packets
 * that another processor (RPS) or a virtual device has given to this one are in
 * a queue meanwhile (process_backlog() in net/core/dev.c). While one of them is
 * handled, buckets of those that come later are asked for; with the next
 * packet, the first entries of these buckets, with the one after it, entries
 * behind those that belong to others. When their turn comes, all is there.
 *
 * A small table is in the processor's caches, and nothing is waited for: there
 * this would only cost instructions, and is not done.
 *
 * It is done for a batch of packets at a time, when no more than half of the
 * slots are in use: what is asked for together is waited for together. The
 * hash of a packet is kept, with its tuple, for when the packet comes.
 *
 * The queue is this processor's while softirqs are off. Nothing of it is kept
 * from one packet to the next but addresses to compare; a slot whose packet has
 * gone another way costs a prefetch that is of no use. Entries are under RCU
 * while they are looked at, and are found anew from the hash at each step. The
 * lookup itself compares tuples, as ever.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "ahead.h"
#include "session.h"

/* Entries of a chain that are asked for; few lookups go further. */
#define STEPS 3

static struct clb_ahead_slot *slot_of(struct clb_ahead *ahead, unsigned int i)
{
	return &ahead->slot[i % CLB_AHEAD_SLOTS];
}

/* Ports of a fragment, or behind an extension header, do no harm. */
static bool tuple4_of(const struct sk_buff *skb, struct clb_tuple *tuple)
{
	const struct iphdr *iph = (const void *)skb->data;

	if (skb_headlen(skb) < sizeof(*iph) + sizeof(struct udphdr) ||
	    *(const u8 *)iph != 0x45)
		return false;
	*tuple = (struct clb_tuple) {
		.src.ip = iph->saddr,
		.dst.ip = iph->daddr,
		.ports = *(const u32 *)(iph + 1),
		.family = NFPROTO_IPV4,
		.protocol = iph->protocol,
	};
	return true;
}

static bool tuple6_of(const struct sk_buff *skb, struct clb_tuple *tuple)
{
	const struct ipv6hdr *iph = (const void *)skb->data;

	if (skb_headlen(skb) < sizeof(*iph) + sizeof(struct udphdr))
		return false;
	*tuple = (struct clb_tuple) {
		.src.in6 = iph->saddr,
		.dst.in6 = iph->daddr,
		.ports = *(const u32 *)(iph + 1),
		.family = NFPROTO_IPV6,
		.protocol = iph->nexthdr,
	};
	return true;
}

static bool tuple_of(const struct clb_net *cn, const struct sk_buff *skb,
		     struct clb_tuple *tuple)
{
	if (!net_eq(dev_net(skb->dev), cn->net))
		return false;
	if (skb->protocol == htons(ETH_P_IP))
		return tuple4_of(skb, tuple);
	return skb->protocol == htons(ETH_P_IPV6) && tuple6_of(skb, tuple);
}

static void slot_fill(struct clb_net *cn, struct clb_ahead_slot *slot,
		      const struct sk_buff *skb)
{
	slot->skb = skb;
	slot->more = tuple_of(cn, skb, &slot->tuple);
	if (unlikely(!slot->more))
		return;
	slot->hash = clb_table_hash(&cn->table, &slot->tuple);
	prefetch(clb_table_bucket_for(&cn->table, slot->hash));
}

/* The next batch: behind the packets that are known already. */
static void buckets_ask(struct clb_net *cn, struct clb_ahead *ahead,
			const struct sk_buff_head *queue)
{
	unsigned int at = ahead->head, end = ahead->tail + CLB_AHEAD_BATCH;
	const struct sk_buff *skb;

	ahead->from = ahead->tail;
	skb_queue_walk(queue, skb) {
		if (at++ != ahead->tail)
			continue;
		slot_fill(cn, slot_of(ahead, ahead->tail++), skb);
		if (ahead->tail == end)
			break;
	}
	ahead->step = 1;
}

/* The entry that a lookup meets as the @step-th, if it goes so far. */
static struct clb_tuplehash *entry_of(struct clb_table *table, u32 hash,
				      unsigned int step)
{
	struct clb_chain *chain = clb_table_bucket_for(table, hash);
	struct clb_tuplehash *entry = rcu_dereference_raw(chain->first);

	while (entry && --step) {
		if (entry->hash == hash)
			return NULL;
		entry = rcu_dereference_raw(entry->next);
	}
	return entry;
}

/* Either entry of a session begins in its first line. */
static void session_prefetch(const struct clb_tuplehash *entry)
{
	unsigned int at;

	for (at = 0; at < sizeof(struct clb_session); at += SMP_CACHE_BYTES)
		prefetch((const u8 *)entry + at);
}

static void entries_ask(struct clb_net *cn, struct clb_ahead *ahead)
{
	unsigned int step = ahead->step, i;
	struct clb_ahead_slot *slot;
	struct clb_tuplehash *entry;

	for (i = ahead->from; i != ahead->tail; i++) {
		slot = slot_of(ahead, i);
		if (!slot->more)
			continue;
		entry = entry_of(&cn->table, slot->hash, step);
		if (entry)
			session_prefetch(entry);
		else
			slot->more = false;
	}
	ahead->step = step == STEPS ? 0 : step + 1;
}

/* Packets that the queue no longer has are done with. */
static void catch_up(struct clb_ahead *ahead, const struct sk_buff *next)
{
	while (ahead->head != ahead->tail &&
	       slot_of(ahead, ahead->head)->skb != next) {
		if (ahead->from == ahead->head)
			ahead->from++;
		ahead->head++;
	}
	if (ahead->from == ahead->tail)
		ahead->step = 0;
}

static u32 hash_of(const struct clb_net *cn, struct clb_ahead *ahead,
		   const struct clb_tuple *tuple)
{
	const struct clb_ahead_slot *slot = slot_of(ahead, ahead->head);

	if (likely(clb_tuple_equal(&slot->tuple, tuple)))
		return slot->hash;
	return clb_table_hash(&cn->table, tuple);
}

/**
 * __clb_ahead_hash() - clb_ahead_hash() where there is a queue
 * @cn: the namespace
 * @ahead: what was seen of @queue so far
 * @tuple: that of the packet that is being received
 * @queue: packets that come after it, not empty
 *
 * Return: clb_table_hash() of @tuple.
 * Context: RCU read side, softirqs off; nobody else changes @queue.
 */
u32 __clb_ahead_hash(struct clb_net *cn, struct clb_ahead *ahead,
		     const struct clb_tuple *tuple,
		     const struct sk_buff_head *queue)
{
	u32 hash = hash_of(cn, ahead, tuple);
	unsigned int known;

	catch_up(ahead, queue->next);
	known = ahead->tail - ahead->head;
	if (ahead->step)
		entries_ask(cn, ahead);
	else if (known <= CLB_AHEAD_SLOTS - CLB_AHEAD_BATCH &&
		 known < skb_queue_len(queue))
		buckets_ask(cn, ahead, queue);
	return hash;
}
