// SPDX-License-Identifier: GPL-2.0
/* What was missed of a node: which gaps are remembered, and when asked for. */
#include "../sync_engine.h"
#include "test.h"

static struct clb_sync_peer *peer_of(struct kunit *test)
{
	struct clb_sync_peer *peer;

	peer = kunit_kzalloc(test, sizeof(*peer), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, peer);
	return peer;
}

/* Of more than there are places for, the last ones are one. */
static void many(struct kunit *test)
{
	struct clb_sync_peer *peer = peer_of(test);
	u64 i, n = CLB_SYNC_GAPS + 3;

	for (i = 1; i <= n; i++)
		clb_sync_gap_add(peer, 10 * i, 10 * i + 1);
	for (i = 1; i < CLB_SYNC_GAPS; i++) {
		KUNIT_EXPECT_EQ(test, peer->gaps[i - 1].first, 10 * i);
		KUNIT_EXPECT_EQ(test, peer->gaps[i - 1].last, 10 * i + 1);
	}
	KUNIT_EXPECT_EQ(test, peer->gaps[i - 1].first, 10 * i);
	KUNIT_EXPECT_EQ(test, peer->gaps[i - 1].last, 10 * n + 1);
}

/* A gap is due at once; one that grows is not, after it was asked for. */
static void asked_in_time(struct kunit *test)
{
	struct clb_sync_peer *peer = peer_of(test);
	struct clb_sync_gap *last = &peer->gaps[CLB_SYNC_GAPS - 1];
	u64 i;

	for (i = 1; i <= CLB_SYNC_GAPS; i++)
		clb_sync_gap_add(peer, 10 * i, 10 * i);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies,
					      last->asked + CLB_SYNC_ASK));
	last->asked = jiffies;
	clb_sync_gap_add(peer, 10 * i, 10 * i);
	KUNIT_EXPECT_EQ(test, last->last, 10 * i);
	KUNIT_EXPECT_TRUE(test, time_before(jiffies - HZ / 2, last->asked));
}

static struct kunit_case repair_cases[] = {
	KUNIT_CASE(many),
	KUNIT_CASE(asked_in_time),
	{ }
};

struct kunit_suite clb_test_sync_repair = {
	.name = "clb_sync_repair",
	.test_cases = repair_cases,
};
