// SPDX-License-Identifier: GPL-2.0
/* The pool of local addresses: every port once, up to the last. */
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "../pool.h"
#include "../takeover.h"
#include "test.h"

static const char *const addresses[] = {
	"198.51.100.1", "198.51.100.2", "2001:db8:5::1",
};

static void pool_add_of(struct kunit *test, const char *text, u16 node)
{
	struct clb_ruleset *draft = clb_test_draft(test);
	struct clb_local_address *local;
	union nf_inet_addr addr;
	u8 family;

	family = clb_test_addr(test, text, &addr);
	local = clb_local_address_make(clb_test_net(), family, &addr);
	KUNIT_EXPECT_NOT_NULL(test, local);
	if (local)
		KUNIT_EXPECT_EQ(test, clb_draft_pool_add(draft, local, node),
				0);
	clb_test_publish(test, draft);
}

static void pool_add(struct kunit *test, const char *text)
{
	pool_add_of(test, text, 0);
}

static struct clb_local_address *pool_find(struct kunit *test,
					   const char *text)
{
	union nf_inet_addr addr;
	u8 family = clb_test_addr(test, text, &addr);

	return clb_pool_find(clb_test_in_force(), family, &addr);
}

static void expect_exhausted(struct kunit *test,
			     const struct clb_endpoint *server)
{
	struct clb_local_address *local;
	__be16 port;

	local = clb_pool_take(clb_test_in_force(), server, 7, &port);
	KUNIT_EXPECT_TRUE(test, IS_ERR(local));
	KUNIT_EXPECT_EQ(test, PTR_ERR(local), -ENOSPC);
}

static void empty(struct kunit *test)
{
	const struct clb_endpoint server =
		clb_test_endpoint(test, "198.51.100.11", 80, IPPROTO_TCP);

	/* also starts the namespace */
	clb_test_publish(test, clb_test_draft(test));
	expect_exhausted(test, &server);
}

static void of_the_family(struct kunit *test)
{
	struct clb_endpoint server =
		clb_test_endpoint(test, "2001:db8:5::11", 80, IPPROTO_TCP);
	struct clb_local_address *local;
	__be16 port;
	u32 hash;

	pool_add(test, addresses[0]);
	expect_exhausted(test, &server);
	pool_add(test, addresses[1]);
	pool_add(test, addresses[2]);
	for (hash = 0; hash < 6; hash++) {
		local = clb_pool_take(clb_test_in_force(), &server, hash,
				      &port);
		KUNIT_ASSERT_PTR_EQ(test, local,
				    pool_find(test, addresses[2]));
		clb_pool_give(local, &server, port);
	}
	KUNIT_EXPECT_NULL(test, pool_find(test, "198.51.100.3"));
}

/* Takes ports until none is left; returns how many there were. */
static u32 exhaust(struct kunit *test, const struct clb_endpoint *server,
		   unsigned long *taken)
{
	struct clb_local_address *local;
	u32 count = 0;
	__be16 port;

	for (;;) {
		local = clb_pool_take(clb_test_in_force(), server,
				      count * 2654435761U, &port);
		if (IS_ERR(local))
			break;
		KUNIT_ASSERT_GE(test, ntohs(port), CLB_PORT_FIRST);
		KUNIT_ASSERT_FALSE(test, test_and_set_bit(ntohs(port), taken));
		count++;
	}
	KUNIT_EXPECT_EQ(test, PTR_ERR(local), -ENOSPC);
	return count;
}

static void give_all(struct kunit *test, const struct clb_endpoint *server,
		     const unsigned long *taken)
{
	struct clb_local_address *local = pool_find(test, addresses[0]);
	unsigned int port;

	for_each_set_bit(port, taken, U16_MAX + 1)
		clb_pool_give(local, server, htons(port));
}

static void to_the_last_port(struct kunit *test)
{
	struct clb_endpoint server =
		clb_test_endpoint(test, "198.51.100.11", 80, IPPROTO_TCP);
	unsigned long *taken = kunit_kzalloc(test, 8192, GFP_KERNEL);
	struct clb_local_address *local;
	__be16 port;

	KUNIT_ASSERT_NOT_NULL(test, taken);
	pool_add(test, addresses[0]);
	KUNIT_EXPECT_EQ(test, exhaust(test, &server, taken), CLB_PORT_COUNT);
	local = pool_find(test, addresses[0]);
	KUNIT_EXPECT_EQ(test, atomic_read(&local->sessions), CLB_PORT_COUNT);

	/* what comes back is what is given next, and nothing else */
	clb_pool_give(local, &server, htons(31337));
	KUNIT_EXPECT_PTR_EQ(test, local,
			    clb_pool_take(clb_test_in_force(), &server, 1,
					  &port));
	KUNIT_EXPECT_EQ(test, ntohs(port), 31337);
	expect_exhausted(test, &server);

	/* ports of UDP are others */
	server.protocol = IPPROTO_UDP;
	KUNIT_EXPECT_PTR_EQ(test, local,
			    clb_pool_take(clb_test_in_force(), &server, 1,
					  &port));
	clb_pool_give(local, &server, port);
	server.protocol = IPPROTO_TCP;
	give_all(test, &server, taken);
	KUNIT_EXPECT_EQ(test, atomic_read(&local->sessions), 0);
}

/* The second address takes what the first has no room for. */
static void next_address(struct kunit *test)
{
	struct clb_endpoint server =
		clb_test_endpoint(test, "198.51.100.11", 80, IPPROTO_TCP);
	unsigned long *taken = kunit_kzalloc(test, 8192, GFP_KERNEL);
	struct clb_local_address *second, *local;
	__be16 port;
	u32 hash;

	KUNIT_ASSERT_NOT_NULL(test, taken);
	pool_add(test, addresses[0]);
	exhaust(test, &server, taken);
	pool_add(test, addresses[1]);
	second = pool_find(test, addresses[1]);
	for (hash = 0; hash < 10; hash++) {
		local = clb_pool_take(clb_test_in_force(), &server, hash,
				      &port);
		KUNIT_ASSERT_PTR_EQ(test, local, second);
		clb_pool_give(local, &server, port);
	}
	give_all(test, &server, taken);
}

/* A port that was given back rests while there are others. */
static void freed_ports_rest(struct kunit *test)
{
	struct clb_endpoint server =
		clb_test_endpoint(test, "198.51.100.11", 80, IPPROTO_TCP);
	struct clb_local_address *local;
	__be16 port, first;
	u32 i;

	pool_add(test, addresses[0]);
	local = clb_pool_take(clb_test_in_force(), &server, 1, &first);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, local);
	clb_pool_give(local, &server, first);
	for (i = 1; i < CLB_PORT_COUNT; i++) {
		local = clb_pool_take(clb_test_in_force(), &server, 1, &port);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, local);
		clb_pool_give(local, &server, port);
		if (port == first)
			break;
	}
	KUNIT_EXPECT_EQ(test, i, CLB_PORT_COUNT);
}

/* No more spaces than the namespace may have; those it has serve on. */
static void spaces_limited(struct kunit *test)
{
	struct clb_endpoint server =
		clb_test_endpoint(test, "198.51.100.11", 80, IPPROTO_TCP);
	struct clb_net *cn = clb_test_net();
	struct clb_local_address *local;
	int max = cn->max_spaces;
	__be16 port, next;

	/* those of other cases are gone */
	rcu_barrier();
	flush_workqueue(clb_workqueue);
	KUNIT_ASSERT_EQ(test, atomic_read(&cn->nr_spaces), 0);
	pool_add(test, "198.51.100.9");
	local = clb_pool_take(clb_test_in_force(), &server, 1, &port);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, local);
	cn->max_spaces = 1;
	KUNIT_EXPECT_EQ(test, atomic_read(&cn->nr_spaces), 1);
	KUNIT_EXPECT_PTR_EQ(test, local,
			    clb_pool_take(clb_test_in_force(), &server, 1,
					  &next));
	clb_pool_give(local, &server, next);
	server.protocol = IPPROTO_UDP;
	expect_exhausted(test, &server);
	KUNIT_EXPECT_EQ(test, atomic_read(&cn->nr_spaces), 1);
	cn->max_spaces = max;
	server.protocol = IPPROTO_TCP;
	clb_pool_give(local, &server, port);
}

/* An address that goes and comes back while it is in use keeps its ports. */
static void back_again(struct kunit *test)
{
	struct clb_endpoint server =
		clb_test_endpoint(test, "198.51.100.11", 80, IPPROTO_TCP);
	struct clb_local_address *local;
	struct clb_ruleset *draft;
	__be16 port;

	pool_add(test, addresses[0]);
	local = clb_pool_take(clb_test_in_force(), &server, 1, &port);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, local);
	draft = clb_test_draft(test);
	clb_draft_pool_del(draft, local);
	clb_test_publish(test, draft);
	KUNIT_EXPECT_NULL(test, pool_find(test, addresses[0]));
	pool_add(test, addresses[0]);
	KUNIT_EXPECT_PTR_EQ(test, pool_find(test, addresses[0]), local);
	KUNIT_EXPECT_EQ(test, atomic_read(&local->sessions), 1);
	clb_pool_give(local, &server, port);
}

static void expect_taken_over(struct kunit *test)
{
	struct clb_net *cn = clb_test_net();

	mutex_lock(&cn->config_lock);
	KUNIT_EXPECT_EQ(test, clb_takeover(cn, 7, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, clb_takeover_own(cn, 1), 0);
	KUNIT_EXPECT_EQ(test, clb_takeover(cn, 1, NULL), -EALREADY);
	KUNIT_EXPECT_EQ(test, clb_takeover(cn, 8, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, clb_takeover(cn, 7, NULL), 0);
	KUNIT_EXPECT_EQ(test, clb_takeover(cn, 7, NULL), -EALREADY);
	mutex_unlock(&cn->config_lock);
}

static void expect_given_back(struct kunit *test)
{
	struct clb_net *cn = clb_test_net();

	mutex_lock(&cn->config_lock);
	KUNIT_EXPECT_EQ(test, clb_giveback(cn, 7, NULL), 0);
	KUNIT_EXPECT_EQ(test, clb_giveback(cn, 7, NULL), -ENOENT);
	KUNIT_EXPECT_EQ(test, clb_takeover_own(cn, 0), 0);
	mutex_unlock(&cn->config_lock);
}

/* Of another node: not used until it is taken over, and then but free ports. */
static void of_another_node(struct kunit *test)
{
	struct clb_endpoint server =
		clb_test_endpoint(test, "198.51.100.11", 80, IPPROTO_TCP);
	/* no other test's: that would be revived, ports and all */
	const char *address = "198.51.100.7";
	struct clb_local_address *local;
	__be16 port = 0;

	pool_add_of(test, address, 7);
	local = pool_find(test, address);
	KUNIT_ASSERT_NOT_NULL(test, local);
	expect_exhausted(test, &server);
	/* where the search for a port begins */
	KUNIT_ASSERT_EQ(test, 0,
			clb_pool_reserve(local, &server, htons(2000)));
	expect_taken_over(test);
	KUNIT_EXPECT_PTR_EQ(test, local,
			    clb_pool_take(clb_test_in_force(), &server, 1,
					  &port));
	KUNIT_EXPECT_EQ(test, ntohs(port), 2001);
	expect_given_back(test);
	expect_exhausted(test, &server);
	clb_pool_give(local, &server, port);
	clb_pool_give(local, &server, htons(2000));
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(empty),
	KUNIT_CASE(of_the_family),
	KUNIT_CASE(to_the_last_port),
	KUNIT_CASE(next_address),
	KUNIT_CASE(freed_ports_rest),
	KUNIT_CASE(spaces_limited),
	KUNIT_CASE(back_again),
	KUNIT_CASE(of_another_node),
	{}
};

struct kunit_suite clb_test_pool = {
	.name = "clb_pool",
	.exit = clb_test_flush,
	.test_cases = pool_cases,
};
