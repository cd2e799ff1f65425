// SPDX-License-Identifier: GPL-2.0
/* Routes: which may still be used. */
#include "../route.h"
#include "test.h"

/* The kernel leaves routes that it does not cache with a device of its own. */
static void of_a_device_that_is_gone(struct kunit *test)
{
	static struct dst_ops ops = { .family = AF_INET };
	const struct net *other;
	struct rtable *rt;

	if (!IS_ENABLED(CONFIG_NET_NS))
		return;
	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	rt = kunit_kzalloc(test, sizeof(*rt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_NOT_NULL(test, rt);
	rt->dst.ops = &ops;
	rt->dst.obsolete = DST_OBSOLETE_FORCE_CHK;
	rt->dst.dev = init_net.loopback_dev;
	rt->rt_genid = rt_genid_ipv4(&init_net);
	KUNIT_EXPECT_TRUE(test, clb_route_valid(&init_net, &rt->dst, 0));
	rt->dst.dev = blackhole_netdev;
	KUNIT_EXPECT_FALSE(test, clb_route_valid(other, &rt->dst, 0));
}

static struct kunit_case route_cases[] = {
	KUNIT_CASE(of_a_device_that_is_gone),
	{}
};

struct kunit_suite clb_test_route = {
	.name = "clb_route",
	.test_cases = route_cases,
};
