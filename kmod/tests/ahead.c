// SPDX-License-Identifier: GPL-2.0
/*
 * Looking ahead, in a queue of the test's own: what is known of packets that
 * come later, and that nothing but their tuple is believed.
 */
#include <linux/ip.h>

#include "../ahead.h"
#include "test.h"

#define PACKETS 40
#define POISON 0x5eed5eed

struct fixture {
	struct clb_ahead	ahead;
	struct sk_buff_head	queue;
	struct clb_tuple	tuple[PACKETS];
	struct sk_buff		*skb[PACKETS];
};

static struct clb_ahead_slot *slot_of(struct fixture *f,
				      const struct sk_buff *skb)
{
	struct clb_ahead *ahead = &f->ahead;
	unsigned int i;

	for (i = ahead->head; i != ahead->tail; i++)
		if (ahead->slot[i % CLB_AHEAD_SLOTS].skb == skb)
			return &ahead->slot[i % CLB_AHEAD_SLOTS];
	return NULL;
}

static struct sk_buff *build(struct kunit *test, const struct clb_tuple *tuple)
{
	struct sk_buff *skb = clb_test_skb(test, &(struct clb_test_packet) {
		.tuple = *tuple, .payload = 10,
	});

	skb->dev = init_net.loopback_dev;
	return skb;
}

/* Every third packet is IPv6, every second TCP. */
static int ahead_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct clb_ruleset *draft;
	int i;

	if (!f)
		return -ENOMEM;
	test->priv = f;
	/* starts the namespace */
	draft = clb_test_draft(test);
	clb_test_publish(test, draft);
	__skb_queue_head_init(&f->queue);
	for (i = 0; i < PACKETS; i++) {
		f->tuple[i] = i % 3 ?
			clb_test_tuple(test, "192.0.2.77", 1000 + i,
				       "203.0.113.1", 80,
				       i % 2 ? IPPROTO_TCP : IPPROTO_UDP) :
			clb_test_tuple(test, "2001:db8::77", 1000 + i,
				       "2001:db8:f::1", 80,
				       i % 2 ? IPPROTO_TCP : IPPROTO_UDP);
		f->skb[i] = build(test, &f->tuple[i]);
		__skb_queue_tail(&f->queue, f->skb[i]);
	}
	return 0;
}

static void ahead_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	__skb_queue_purge(&f->queue);
	clb_test_flush(test);
}

static u32 hash_of(const struct clb_tuple *tuple)
{
	return clb_table_hash(&clb_test_net()->table, tuple);
}

/* The hash that is used for a packet. */
static u32 look(struct fixture *f, const struct clb_tuple *tuple)
{
	u32 hash;

	if (skb_queue_empty(&f->queue))
		return hash_of(tuple);
	local_bh_disable();
	rcu_read_lock();
	hash = __clb_ahead_hash(clb_test_net(), &f->ahead, tuple, &f->queue);
	rcu_read_unlock();
	local_bh_enable();
	return hash;
}

/* The same, for the first one of the queue. */
static u32 receive(struct fixture *f, const struct clb_tuple *tuple)
{
	kfree_skb(__skb_dequeue(&f->queue));
	return look(f, tuple);
}

/* In the order of the queue each packet has its own hash. */
static void in_order(struct kunit *test)
{
	struct fixture *f = test->priv;
	int i;

	for (i = 0; i < PACKETS; i++)
		KUNIT_EXPECT_EQ(test, receive(f, &f->tuple[i]),
				hash_of(&f->tuple[i]));
}

/* What was worked out ahead is what is used, for all but the first. */
static void used(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct clb_ahead_slot *slot;
	int i;

	receive(f, &f->tuple[0]);
	for (i = 1; i < PACKETS - 1; i++) {
		slot = slot_of(f, f->skb[i]);
		KUNIT_ASSERT_NOT_NULL(test, slot);
		KUNIT_EXPECT_EQ(test, slot->hash, hash_of(&f->tuple[i]));
		slot->hash = POISON;
		KUNIT_EXPECT_EQ(test, receive(f, &f->tuple[i]), POISON);
	}
}

/* Another packet than the one looked at, be it at the same address. */
static void another(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct clb_ahead_slot *slot;
	struct clb_tuple tuple;
	int i;

	receive(f, &f->tuple[0]);
	for (i = 1; i < PACKETS - 1; i++) {
		tuple = f->tuple[i];
		switch (i % 4) {
		case 0:
			be16_add_cpu(&tuple.sport, 1);
			break;
		case 1:
			be16_add_cpu(&tuple.dport, 1);
			break;
		case 2:
			tuple.src.all[0]++;
			break;
		case 3:
			tuple.dst.all[0]++;
			break;
		}
		slot = slot_of(f, f->skb[i]);
		KUNIT_ASSERT_NOT_NULL(test, slot);
		slot->hash = POISON;
		KUNIT_EXPECT_EQ(test, receive(f, &tuple), hash_of(&tuple));
	}
}

/* Packets leave the queue by other ways, others come by none. */
static void out_of_order(struct kunit *test)
{
	struct fixture *f = test->priv;
	const struct clb_tuple *other = &f->tuple[PACKETS - 1];
	struct sk_buff *skb;
	int i;

	receive(f, &f->tuple[0]);
	for (i = 1; i < PACKETS - 2; i++) {
		switch (i % 5) {
		case 1:	/* one that is not of the queue */
			KUNIT_EXPECT_EQ(test, look(f, other), hash_of(other));
			KUNIT_EXPECT_EQ(test, receive(f, &f->tuple[i]),
					hash_of(&f->tuple[i]));
			break;
		case 2:	/* the second, as where a device goes */
			skb = f->skb[i + 1];
			__skb_unlink(skb, &f->queue);
			kfree_skb(skb);
			KUNIT_EXPECT_EQ(test, receive(f, &f->tuple[i]),
					hash_of(&f->tuple[i]));
			i++;
			break;
		default: /* seen by nobody */
			kfree_skb(__skb_dequeue(&f->queue));
		}
	}
}

/* None of these has a tuple that could be read. */
static void none_of_ours(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct iphdr *iph = (struct iphdr *)f->skb[1]->data;
	int i;

	iph->ihl = 6;
	f->skb[2]->protocol = htons(ETH_P_ARP);
	skb_trim(f->skb[3], sizeof(struct iphdr) + 4);
	f->skb[4]->data_len = f->skb[4]->len;	/* nothing in one piece */
	receive(f, &f->tuple[0]);
	f->skb[4]->data_len = 0;
	for (i = 1; i <= 4; i++) {
		KUNIT_ASSERT_NOT_NULL(test, slot_of(f, f->skb[i]));
		KUNIT_EXPECT_FALSE(test, slot_of(f, f->skb[i])->more);
	}
	KUNIT_EXPECT_TRUE(test, slot_of(f, f->skb[5])->more);
	for (i = 1; i < PACKETS; i++)
		KUNIT_EXPECT_EQ(test, receive(f, &f->tuple[i]),
				hash_of(&f->tuple[i]));
}

static struct kunit_case ahead_cases[] = {
	KUNIT_CASE(in_order),
	KUNIT_CASE(used),
	KUNIT_CASE(another),
	KUNIT_CASE(out_of_order),
	KUNIT_CASE(none_of_ours),
	{}
};

struct kunit_suite clb_test_ahead = {
	.name = "clb_ahead",
	.init = ahead_init,
	.exit = ahead_exit,
	.test_cases = ahead_cases,
};
