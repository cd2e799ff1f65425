// SPDX-License-Identifier: GPL-2.0
/* Whether others may know sessions that this node does not. */
#include "../sync_engine.h"
#include "test.h"

#define MINUTE (60 * HZ)

/* One that has all of its only peer, and runs. */
static struct clb_sync *sync_of(struct kunit *test)
{
	struct clb_sync *sync;

	sync = kunit_kzalloc(test, sizeof(*sync), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sync);
	spin_lock_init(&sync->lock);
	sync->started = jiffies;
	sync->awake = jiffies;
	sync->resumed = jiffies - MINUTE;
	sync->fetch.whole = true;
	sync->peers[0].node = 2;
	sync->peers[0].confirmed = true;
	sync->peers[0].heard = jiffies;
	return sync;
}

static bool learns(struct kunit *test, struct clb_sync *sync)
{
	struct clb_net *cn;
	bool so;

	cn = kunit_kzalloc(test, sizeof(*cn), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cn);
	rcu_assign_pointer(cn->sync, sync);
	clb_sync_behind_check(sync);
	sync->awake = jiffies;
	rcu_read_lock();
	so = __clb_sync_learns(cn);
	rcu_read_unlock();
	return so;
}

/* A gap that stays says nothing after a minute; one that is new does. */
static void gaps(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test);
	struct clb_sync_peer *peer = &sync->peers[0];

	KUNIT_EXPECT_FALSE(test, learns(test, sync));
	clb_sync_gap_add(peer, 5, 5);
	KUNIT_EXPECT_TRUE(test, learns(test, sync));
	peer->gaps[0].since -= MINUTE;
	KUNIT_EXPECT_FALSE(test, learns(test, sync));
	clb_sync_gap_add(peer, 7, 7);
	KUNIT_EXPECT_TRUE(test, learns(test, sync));
}

/* The same for what cannot be repaired; not of who did not give it. */
static void lost(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test);
	struct clb_sync_peer *peer = &sync->peers[0];

	clb_sync_peer_lose(peer);
	KUNIT_EXPECT_TRUE(test, learns(test, sync));
	peer->stalled = 1;
	KUNIT_EXPECT_FALSE(test, learns(test, sync));
	peer->stalled = 0;
	peer->lost_at -= MINUTE;
	clb_sync_peer_lose(peer);
	KUNIT_EXPECT_FALSE(test, learns(test, sync));
}

static void fetching(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test);

	sync->fetch.giver = 2;
	sync->fetch.began = jiffies;
	KUNIT_EXPECT_TRUE(test, learns(test, sync));
	sync->fetch.began -= MINUTE;
	KUNIT_EXPECT_FALSE(test, learns(test, sync));
}

/* Nobody is heard, whatever was missing before. */
static void cut_off(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test);
	struct clb_sync_peer *peer = &sync->peers[0];

	clb_sync_gap_add(peer, 5, 5);
	peer->gaps[0].since -= MINUTE;
	KUNIT_EXPECT_FALSE(test, learns(test, sync));
	peer->heard -= 4 * HZ;
	KUNIT_EXPECT_TRUE(test, learns(test, sync));
	peer->heard -= MINUTE;
	KUNIT_EXPECT_FALSE(test, learns(test, sync));
}

/* After more than a minute without a step no peer counts as alive at first. */
static void stood_still(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test);

	sync->awake -= 2 * MINUTE;
	sync->peers[0].heard -= 2 * MINUTE;
	KUNIT_EXPECT_TRUE(test, learns(test, sync));
	sync->resumed -= 4 * HZ;
	KUNIT_EXPECT_FALSE(test, learns(test, sync));
}

static struct kunit_case behind_cases[] = {
	KUNIT_CASE(gaps),
	KUNIT_CASE(lost),
	KUNIT_CASE(fetching),
	KUNIT_CASE(cut_off),
	KUNIT_CASE(stood_still),
	{ }
};

struct kunit_suite clb_test_sync_behind = {
	.name = "clb_sync_behind",
	.test_cases = behind_cases,
};
