// SPDX-License-Identifier: GPL-2.0
/*
 * Maglev: clients are spread by weight, most stay where they are when servers
 * come and go, and the order in which servers were added does not matter.
 */
#include <linux/slab.h>

#include "../scheduler.h"
#include "test.h"

#define SERVERS 10
#define CLIENTS 20000

struct listener {
	struct clb_listener	live;
	struct clb_server	server[SERVERS];
	struct clb_server_conf	servers[SERVERS];
	struct clb_listener_conf conf;
	u8			before[CLIENTS];
};

static int maglev_init(struct kunit *test)
{
	struct listener *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	u32 i;

	if (!l)
		return -ENOMEM;
	l->conf.listener = &l->live;
	l->conf.servers = l->servers;
	l->conf.nr_servers = SERVERS;
	l->conf.opt.scheduler = CLB_SCHEDULER_MH;
	for (i = 0; i < SERVERS; i++) {
		l->servers[i].key = clb_test_endpoint(test, "198.51.100.1",
						      8000 + i, IPPROTO_TCP);
		l->servers[i].weight = 100;
		l->servers[i].server = &l->server[i];
	}
	test->priv = l;
	return 0;
}

static void maglev_exit(struct kunit *test)
{
	struct listener *l = test->priv;

	if (l)
		clb_schedule_free(l->conf.schedule);
}

static void rebuild(struct kunit *test, struct listener *l)
{
	clb_schedule_free(l->conf.schedule);
	l->conf.schedule = clb_schedule_build(&l->conf);
	KUNIT_ASSERT_NOT_NULL(test, l->conf.schedule);
}

static int pick(struct listener *l, u32 client, u16 port)
{
	struct clb_tuple tuple = {
		.src.ip = htonl(0x0a000000 + client),
		.sport = htons(port),
		.dst.ip = htonl(0xcb007101),
		.dport = htons(80),
		.family = NFPROTO_IPV4,
		.protocol = IPPROTO_TCP,
	};
	struct clb_server *server = clb_schedule_pick(&l->conf, &tuple);

	return server ? server - l->server : -1;
}

static void spread(struct kunit *test, struct listener *l, u32 *count)
{
	u32 client;

	memset(count, 0, SERVERS * sizeof(*count));
	for (client = 0; client < CLIENTS; client++) {
		int server = pick(l, client, 1024);

		KUNIT_ASSERT_GE(test, server, 0);
		count[server]++;
		l->before[client] = server;
	}
}

/* Clients that are not where spread() saw them, but for those of @server. */
static u32 moved(struct listener *l, int server)
{
	u32 client, sum = 0;

	for (client = 0; client < CLIENTS; client++)
		sum += l->before[client] != server &&
		       pick(l, client, 1024) != l->before[client];
	return sum;
}

static void even(struct kunit *test)
{
	struct listener *l = test->priv;
	u32 count[SERVERS], i;

	rebuild(test, l);
	spread(test, l, count);
	for (i = 0; i < SERVERS; i++) {
		KUNIT_EXPECT_GT(test, count[i], CLIENTS / SERVERS * 9 / 10);
		KUNIT_EXPECT_LT(test, count[i], CLIENTS / SERVERS * 11 / 10);
	}
}

static void by_weight(struct kunit *test)
{
	struct listener *l = test->priv;
	u32 count[SERVERS];

	l->servers[0].weight = 300;
	l->servers[1].weight = 0;
	rebuild(test, l);
	spread(test, l, count);
	/* 3 of 11 */
	KUNIT_EXPECT_GT(test, count[0], CLIENTS * 3 / 11 * 9 / 10);
	KUNIT_EXPECT_LT(test, count[0], CLIENTS * 3 / 11 * 11 / 10);
	KUNIT_EXPECT_EQ(test, count[1], 0);
}

static void few_move(struct kunit *test)
{
	struct listener *l = test->priv;
	u32 count[SERVERS];

	rebuild(test, l);
	spread(test, l, count);
	l->servers[4].state = CLB_SERVER_STATE_DOWN;
	rebuild(test, l);
	KUNIT_EXPECT_LT(test, moved(l, 4), CLIENTS * 3 / 100);
	l->servers[4].state = CLB_SERVER_STATE_UP;
	rebuild(test, l);
	KUNIT_EXPECT_EQ(test, moved(l, -1), 0);
}

/* In whatever order the servers were added. */
static void any_order(struct kunit *test)
{
	struct listener *l = test->priv;
	u32 count[SERVERS], i;

	rebuild(test, l);
	spread(test, l, count);
	for (i = 0; i < SERVERS / 2; i++)
		swap(l->servers[i], l->servers[SERVERS - 1 - i]);
	rebuild(test, l);
	KUNIT_EXPECT_EQ(test, moved(l, -1), 0);
}

/* A full server's clients go elsewhere, always to the same; others stay. */
static void full(struct kunit *test)
{
	struct listener *l = test->priv;
	u32 count[SERVERS], client;

	rebuild(test, l);
	spread(test, l, count);
	l->server[4].max_sessions = 1;
	atomic_set(&l->server[4].active, 1);
	KUNIT_EXPECT_EQ(test, moved(l, 4), 0);
	for (client = 0; client < CLIENTS; client++) {
		int server = pick(l, client, 1024);

		KUNIT_EXPECT_NE(test, server, 4);
		KUNIT_EXPECT_EQ(test, server, pick(l, client, 1024));
	}
}

/* The last with room is found, however unlikely the hash makes it. */
static void last_one(struct kunit *test)
{
	struct listener *l = test->priv;
	u32 client;
	u32 i;

	rebuild(test, l);
	for (i = 0; i < SERVERS - 1; i++)
		l->server[i].state = CLB_SERVER_STATE_DOWN;
	for (client = 0; client < 200; client++)
		KUNIT_EXPECT_EQ(test, pick(l, client, 1), SERVERS - 1);
	l->server[SERVERS - 1].state = CLB_SERVER_STATE_DRAIN;
	KUNIT_EXPECT_EQ(test, pick(l, 1, 1), -1);
}

static void key(struct kunit *test)
{
	struct listener *l = test->priv;
	u32 seen = 0;
	u16 port;

	rebuild(test, l);
	for (port = 1; port < 200; port++)
		seen |= BIT(pick(l, 7, port));
	KUNIT_EXPECT_EQ(test, hweight32(seen), 1);
	l->conf.opt.hash_key = CLB_HASH_KEY_TUPLE;
	seen = 0;
	for (port = 1; port < 200; port++)
		seen |= BIT(pick(l, 7, port));
	KUNIT_EXPECT_EQ(test, hweight32(seen), SERVERS);
}

/* More than the small table is for. */
#define LARGE 700

static void servers_add(struct kunit *test, struct listener *l)
{
	struct clb_server_conf *servers;
	u32 i;

	servers = kunit_kcalloc(test, LARGE, sizeof(*servers), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, servers);
	for (i = 0; i < LARGE; i++) {
		servers[i] = l->servers[i % SERVERS];
		servers[i].key.port = htons(1 + i);
		servers[i].key.family = i % 2 ? NFPROTO_IPV4 : NFPROTO_IPV6;
	}
	l->conf.servers = servers;
	l->conf.nr_servers = LARGE;
}

static void large(struct kunit *test)
{
	struct listener *l = test->priv;

	rebuild(test, l);
	KUNIT_EXPECT_EQ(test, l->conf.schedule->size, 65521);
	servers_add(test, l);
	rebuild(test, l);
	KUNIT_EXPECT_EQ(test, l->conf.schedule->size, 524287);
	KUNIT_EXPECT_GE(test, pick(l, 1, 1), 0);
}

static u64 time_to_build(struct kunit *test, struct listener *l, u32 weight)
{
	u64 since;

	l->conf.servers[0].weight = weight;
	since = ktime_get_ns();
	rebuild(test, l);
	return ktime_get_ns() - since;
}

/* Half of all slots are one server's: as many rounds, with little to do. The
 * shortest of a few times, in turn: others may have had the processor then.
 */
static void one_heavy(struct kunit *test)
{
	u64 equal = U64_MAX, heavy = U64_MAX;
	struct listener *l = test->priv;
	u32 i;

	servers_add(test, l);
	for (i = 0; i < LARGE; i++)
		l->conf.servers[i].weight = 1;
	for (i = 0; i < 5; i++) {
		equal = min(equal, time_to_build(test, l, 1));
		heavy = min(heavy, time_to_build(test, l, LARGE));
	}
	kunit_info(test, "%llu ns with equal weights, %llu", equal, heavy);
	KUNIT_EXPECT_LT(test, heavy, 10 * equal);
}

#define MANY 200

/* Rounds as the paper has them, each server looked at in each. */
static void rounds(const struct clb_listener_conf *conf, u32 heaviest,
		   u32 *count)
{
	u32 credit[MANY] = { 0 }, i, filled = 0;

	for (i = 0; filled < conf->schedule->size; i = (i + 1) % MANY) {
		credit[i] += conf->servers[i].weight;
		if (credit[i] < heaviest)
			continue;
		credit[i] -= heaviest;
		count[i]++;
		filled++;
	}
}

/* Few heavy servers among light ones: each gets the slots it is due. */
static void uneven(struct kunit *test)
{
	struct clb_server_conf *servers =
		kunit_kcalloc(test, MANY, sizeof(*servers), GFP_KERNEL);
	u32 *want = kunit_kcalloc(test, MANY, sizeof(*want), GFP_KERNEL);
	u32 *have = kunit_kcalloc(test, MANY, sizeof(*have), GFP_KERNEL);
	struct listener *l = test->priv;
	u32 i;

	KUNIT_ASSERT_TRUE(test, servers && want && have);
	for (i = 0; i < MANY; i++) {
		servers[i] = l->servers[0];
		servers[i].key.port = htons(1 + i);
		servers[i].weight = i % 90 == 80 ? 1000 : 1 + i % 7;
	}
	l->conf.servers = servers;
	l->conf.nr_servers = MANY;
	rebuild(test, l);
	rounds(&l->conf, 1000, want);
	for (i = 0; i < l->conf.schedule->size; i++)
		have[l->conf.schedule->order[i]]++;
	for (i = 0; i < MANY; i++)
		KUNIT_EXPECT_EQ(test, have[i], want[i]);
}

static struct kunit_case maglev_cases[] = {
	KUNIT_CASE(even),
	KUNIT_CASE(by_weight),
	KUNIT_CASE(few_move),
	KUNIT_CASE(any_order),
	KUNIT_CASE(full),
	KUNIT_CASE(last_one),
	KUNIT_CASE(key),
	KUNIT_CASE(large),
	KUNIT_CASE(one_heavy),
	KUNIT_CASE(uneven),
	{}
};

struct kunit_suite clb_test_maglev = {
	.name = "clb_maglev",
	.init = maglev_init,
	.exit = maglev_exit,
	.test_cases = maglev_cases,
};
