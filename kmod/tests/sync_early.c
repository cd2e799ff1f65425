// SPDX-License-Identifier: GPL-2.0
/* Datagrams of session sync that wait for those before them. */
#include <linux/jiffies.h>

#include "../sync_early.h"
#include "test.h"

#define SIZE 16

static struct clb_sync_early *early_of(struct kunit *test)
{
	struct clb_sync_early *early;

	early = kunit_kzalloc(test, sizeof(*early), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, early);
	early->size = SIZE;
	early->bytes = kunit_kzalloc(test, CLB_SYNC_EARLY * SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, early->bytes);
	return early;
}

static enum clb_sync_early_put put(struct clb_sync_early *early, u16 node,
				   u64 seq, unsigned int len)
{
	struct clb_sync_early_datagram datagram = {
		.header = { .node = node, .seq = seq }, .len = len,
		.until = jiffies + HZ,
	};
	u8 content[SIZE + 1];

	memset(content, (int)seq, sizeof(content));
	return clb_sync_early_put(early, &datagram, content);
}

/* Which of a node is taken next, 0 if none, or if its content is another's. */
static u64 taken(struct clb_sync_early *early, u16 node)
{
	struct clb_sync_early_datagram *first =
		clb_sync_early_first(early, node);
	u64 seq;

	if (!first)
		return 0;
	seq = first->header.seq;
	if (memchr_inv(clb_sync_early_content(early, first), (int)seq,
		       first->len))
		return 0;
	clb_sync_early_free(early, first);
	return seq;
}

static void in_order(struct kunit *test)
{
	struct clb_sync_early *early = early_of(test);

	KUNIT_EXPECT_EQ(test, put(early, 1, 7, 5), CLB_SYNC_EARLY_KEPT);
	KUNIT_EXPECT_EQ(test, put(early, 1, 9, SIZE), CLB_SYNC_EARLY_KEPT);
	KUNIT_EXPECT_EQ(test, put(early, 2, 7, 0), CLB_SYNC_EARLY_KEPT);
	KUNIT_EXPECT_EQ(test, put(early, 1, 8, 1), CLB_SYNC_EARLY_KEPT);
	KUNIT_EXPECT_EQ(test, put(early, 1, 9, 3), CLB_SYNC_EARLY_TWICE);
	KUNIT_EXPECT_EQ(test, put(early, 1, 6, SIZE + 1), CLB_SYNC_EARLY_FULL);
	KUNIT_EXPECT_EQ(test, early->count, 4);
	KUNIT_EXPECT_EQ(test, taken(early, 1), 7);
	KUNIT_EXPECT_EQ(test, taken(early, 1), 8);
	KUNIT_EXPECT_EQ(test, taken(early, 2), 7);
	KUNIT_EXPECT_EQ(test, taken(early, 1), 9);
	KUNIT_EXPECT_EQ(test, taken(early, 1), 0);
	KUNIT_EXPECT_EQ(test, early->count, 0);
}

static void full(struct kunit *test)
{
	struct clb_sync_early *early = early_of(test);
	unsigned int i;

	for (i = 0; i < CLB_SYNC_EARLY; i++)
		KUNIT_EXPECT_EQ(test, put(early, 1 + i % 2, i + 1, 1),
				CLB_SYNC_EARLY_KEPT);
	KUNIT_EXPECT_EQ(test, put(early, 1, 1000, 1), CLB_SYNC_EARLY_FULL);
	KUNIT_EXPECT_EQ(test, put(early, 1, 1, 1), CLB_SYNC_EARLY_TWICE);
	KUNIT_EXPECT_EQ(test, taken(early, 2), 2);
	KUNIT_EXPECT_EQ(test, put(early, 1, 1000, 1), CLB_SYNC_EARLY_KEPT);
	for (i = 0; i < CLB_SYNC_EARLY / 2; i++)
		KUNIT_EXPECT_EQ(test, taken(early, 1), 2 * i + 1);
	KUNIT_EXPECT_EQ(test, taken(early, 1), 1000);
}

static void in_time(struct kunit *test)
{
	struct clb_sync_early *early = early_of(test);
	unsigned long now = jiffies;
	struct clb_sync_early_datagram *due;

	KUNIT_EXPECT_NULL(test, clb_sync_early_due(early, now));
	put(early, 1, 7, 1);
	KUNIT_EXPECT_NULL(test, clb_sync_early_due(early, now + HZ - 1));
	due = clb_sync_early_due(early, now + 2 * HZ);
	KUNIT_ASSERT_NOT_NULL(test, due);
	KUNIT_EXPECT_EQ(test, due->header.seq, 7);
	clb_sync_early_free(early, due);
	KUNIT_EXPECT_NULL(test, clb_sync_early_due(early, now + 2 * HZ));
}

static struct kunit_case early_cases[] = {
	KUNIT_CASE(in_order),
	KUNIT_CASE(full),
	KUNIT_CASE(in_time),
	{ }
};

struct kunit_suite clb_test_sync_early = {
	.name = "clb_sync_early",
	.test_cases = early_cases,
};
