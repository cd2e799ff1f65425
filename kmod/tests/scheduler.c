// SPDX-License-Identifier: GPL-2.0
/* Schedulers over servers that exist nowhere else. */
#include <linux/jiffies.h>

#include "../scheduler.h"
#include "test.h"

#define MAX_SERVERS 8

/* A listener and its servers; in test->priv. */
struct listener {
	struct clb_listener	live;
	struct clb_server	server[MAX_SERVERS];
	struct clb_server_conf	servers[MAX_SERVERS];
	struct clb_listener_conf conf;
	struct clb_tuple	client;
};

static int scheduler_init(struct kunit *test)
{
	struct listener *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);

	if (!l)
		return -ENOMEM;
	l->conf.listener = &l->live;
	l->conf.servers = l->servers;
	l->client = clb_test_tuple(test, "192.0.2.1", 1024, "203.0.113.1", 80,
				   IPPROTO_TCP);
	test->priv = l;
	return 0;
}

static void scheduler_exit(struct kunit *test)
{
	struct listener *l = test->priv;

	if (l)
		clb_schedule_free(l->conf.schedule);
}

static struct listener *with(struct kunit *test, u8 scheduler, u32 count,
			     const u16 *weights)
{
	struct listener *l = test->priv;
	u32 i;

	l->conf.opt.scheduler = scheduler;
	l->conf.nr_servers = count;
	for (i = 0; i < count; i++) {
		l->servers[i].key = clb_test_endpoint(test, "198.51.100.1",
						      8000 + i, IPPROTO_TCP);
		l->servers[i].weight = weights[i];
		l->servers[i].server = &l->server[i];
	}
	clb_schedule_free(l->conf.schedule);
	l->conf.schedule = clb_schedule_build(&l->conf);
	KUNIT_ASSERT_NOT_NULL(test, l->conf.schedule);
	return l;
}

/* Number of the server that is chosen, or -1. */
static int pick(struct listener *l)
{
	struct clb_server *server = clb_schedule_pick(&l->conf, &l->client);

	return server ? server - l->server : -1;
}

static void picks(struct listener *l, u32 rounds, u32 *count)
{
	memset(count, 0, MAX_SERVERS * sizeof(*count));
	while (rounds--) {
		int server = pick(l);

		if (server >= 0)
			count[server]++;
	}
}

static const u16 even[MAX_SERVERS] = { 1, 1, 1, 1, 1, 1, 1, 1 };

static void nobody(struct kunit *test)
{
	static const u16 zero[2];
	struct listener *l;
	u8 scheduler;

	for (scheduler = 0; scheduler <= CLB_SCHEDULER_MAX; scheduler++) {
		l = with(test, scheduler, 0, NULL);
		KUNIT_EXPECT_EQ(test, pick(l), -1);
		l = with(test, scheduler, 2, zero);
		KUNIT_EXPECT_EQ(test, pick(l), -1);
		l->servers[0].state = CLB_SERVER_STATE_DOWN;
		l->servers[1].state = CLB_SERVER_STATE_DRAIN;
		l = with(test, scheduler, 2, even);
		KUNIT_EXPECT_EQ(test, pick(l), -1);
		l->servers[0].state = CLB_SERVER_STATE_UP;
		l->servers[1].state = CLB_SERVER_STATE_UP;
	}
}

/* One that goes down after the schedule was made is not chosen either. */
static void only_who_is_up(struct kunit *test)
{
	struct listener *l;
	u8 scheduler;
	int i;

	for (scheduler = 0; scheduler <= CLB_SCHEDULER_MAX; scheduler++) {
		l = with(test, scheduler, 3, even);
		l->server[0].state = CLB_SERVER_STATE_DOWN;
		l->server[2].state = CLB_SERVER_STATE_DRAIN;
		for (i = 0; i < 20; i++)
			KUNIT_EXPECT_EQ(test, pick(l), 1);
		l->server[1].max_sessions = 5;
		atomic_set(&l->server[1].active, 3);
		atomic_set(&l->server[1].inactive, 1);
		KUNIT_EXPECT_EQ(test, pick(l), 1);
		atomic_set(&l->server[1].inactive, 2);
		KUNIT_EXPECT_EQ(test, pick(l), -1);
		memset(l->server, 0, sizeof(l->server));
	}
}

static void rr_in_turn(struct kunit *test)
{
	struct listener *l = with(test, CLB_SCHEDULER_RR, 5, even);
	int first = pick(l), i;

	for (i = 1; i < 20; i++)
		KUNIT_EXPECT_EQ(test, pick(l), (first + i) % 5);
}

/* rr knows no weights, but for 0. */
static void rr_without_weights(struct kunit *test)
{
	static const u16 weights[] = { 1000, 1, 0, 7 };
	struct listener *l = with(test, CLB_SCHEDULER_RR, 4, weights);
	u32 count[MAX_SERVERS];

	picks(l, 300, count);
	KUNIT_EXPECT_EQ(test, count[0], 100);
	KUNIT_EXPECT_EQ(test, count[1], 100);
	KUNIT_EXPECT_EQ(test, count[2], 0);
	KUNIT_EXPECT_EQ(test, count[3], 100);
}

/* The turn counter wraps without two turns for one. */
static void rr_around_the_end(struct kunit *test)
{
	struct listener *l = with(test, CLB_SCHEDULER_RR, 4, even);
	u32 count[MAX_SERVERS];

	atomic_set(&l->live.next, INT_MAX - 20);
	picks(l, 40, count);
	KUNIT_EXPECT_EQ(test, count[0], 10);
	KUNIT_EXPECT_EQ(test, count[3], 10);
}

static void wrr_exact(struct kunit *test)
{
	static const u16 weights[] = { 6, 3, 2, 1 };
	struct listener *l = with(test, CLB_SCHEDULER_WRR, 4, weights);
	u32 count[MAX_SERVERS], i;

	picks(l, 1200, count);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, count[i], 100 * weights[i]);
}

/* A heavy server's turns lie apart: never more than one in three behind. */
static void wrr_interleaved(struct kunit *test)
{
	static const u16 weights[] = { 300, 200, 100 };
	struct listener *l = with(test, CLB_SCHEDULER_WRR, 3, weights);
	int i, last = -1, repeats = 0;

	KUNIT_EXPECT_EQ(test, l->conf.schedule->size, 6);
	for (i = 0; i < 60; i++) {
		int now = pick(l);

		repeats += now == last;
		last = now;
	}
	KUNIT_EXPECT_LE(test, repeats, 10);
}

/* Weights without a common divisor make a round as long as their sum. */
static void wrr_long_round(struct kunit *test)
{
	static const u16 weights[] = {
		1000, 999, 997, 991, 983, 977, 971, 967,
	};
	struct listener *l = with(test, CLB_SCHEDULER_WRR, 8, weights);
	u32 count[MAX_SERVERS], i, sum = 0;

	for (i = 0; i < 8; i++)
		sum += weights[i];
	KUNIT_EXPECT_EQ(test, l->conf.schedule->size, sum);
	picks(l, sum, count);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, count[i], weights[i]);
}

static void load(struct listener *l, u32 server, int active, int inactive)
{
	atomic_set(&l->server[server].active, active);
	atomic_set(&l->server[server].inactive, inactive);
}

static const struct load_case {
	const char	*name;
	u8		scheduler;
	u16		weight[3];
	int		active[3];
	int		inactive[3];
	int		want;
} load_cases[] = {
	{ "lc: idle", CLB_SCHEDULER_LC, { 1, 1, 1 }, {}, {}, 0 },
	{ "lc: fewest", CLB_SCHEDULER_LC, { 1, 1, 1 }, { 5, 4, 6 }, {}, 1 },
	{ "lc: weights do not count", CLB_SCHEDULER_LC, { 100, 1, 1 },
	  { 3, 2, 4 }, {}, 1 },
	{ "lc: active ones weigh more", CLB_SCHEDULER_LC, { 1, 1, 1 },
	  { 1, 0, 1 }, { 0, 255, 0 }, 1 },
	{ "lc: many half-open ones count", CLB_SCHEDULER_LC, { 1, 1, 1 },
	  { 1, 0, 1 }, { 0, 257, 0 }, 0 },
	{ "lc: weight 0 takes none", CLB_SCHEDULER_LC, { 0, 1, 1 },
	  { 0, 9, 8 }, {}, 2 },
	{ "wlc: idle: the heaviest", CLB_SCHEDULER_WLC, { 1, 2, 3 }, {}, {},
	  2 },
	{ "wlc: in proportion", CLB_SCHEDULER_WLC, { 10, 20, 30 },
	  { 10, 19, 30 }, {}, 1 },
	{ "wlc: weight 0 takes none", CLB_SCHEDULER_WLC, { 0, 0, 1 },
	  { 0, 0, 1000 }, {}, 2 },
	{ "fo: the heaviest", CLB_SCHEDULER_FO, { 10, 20, 5 }, { 0, 999, 0 },
	  {}, 1 },
	{ "fo: of equal ones the first", CLB_SCHEDULER_FO, { 10, 20, 20 }, {},
	  {}, 1 },
};

static void load_name(const struct load_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(load, load_cases, load_name);

static void by_load(struct kunit *test)
{
	const struct load_case *c = test->param_value;
	struct listener *l = with(test, c->scheduler, 3, c->weight);
	u32 i;

	for (i = 0; i < 3; i++)
		load(l, i, c->active[i], c->inactive[i]);
	KUNIT_EXPECT_EQ(test, pick(l), c->want);
}

static void wlc_fills_evenly(struct kunit *test)
{
	static const u16 weights[] = { 1, 2, 3, 4 };
	struct listener *l = with(test, CLB_SCHEDULER_WLC, 4, weights);
	u32 i;

	for (i = 0; i < 1000; i++)
		atomic_inc(&l->server[pick(l)].active);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_LE(test, abs(atomic_read(&l->server[i].active) -
					  100 * weights[i]), 1);
}

static void fo_falls_back(struct kunit *test)
{
	static const u16 weights[] = { 10, 30, 20 };
	struct listener *l = with(test, CLB_SCHEDULER_FO, 3, weights);

	KUNIT_EXPECT_EQ(test, pick(l), 1);
	l->server[1].max_sessions = 1;
	load(l, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, pick(l), 2);
	l->server[2].state = CLB_SERVER_STATE_DOWN;
	KUNIT_EXPECT_EQ(test, pick(l), 0);
	load(l, 1, 0, 0);
	KUNIT_EXPECT_EQ(test, pick(l), 1);
}

/*
 * One that came up just now, with a slow start of an hour, is spared; half
 * way through it gets half.
 */
static void slow_start(struct kunit *test)
{
	struct listener *l = with(test, CLB_SCHEDULER_RR, 2, even);
	u32 count[MAX_SERVERS];

	l->server[0].slow_start = 3600 * HZ;
	l->server[0].up_at = jiffies;
	picks(l, 1000, count);
	KUNIT_EXPECT_LT(test, count[0], 20);
	l->server[0].up_at = jiffies - 1800 * HZ;
	picks(l, 4000, count);
	/* a third of all: of two turns it keeps one and declines one */
	KUNIT_EXPECT_GT(test, count[0], 1000);
	KUNIT_EXPECT_LT(test, count[0], 1700);
	l->server[0].up_at = jiffies - 3600 * HZ;
	picks(l, 1000, count);
	KUNIT_EXPECT_EQ(test, count[0], 500);
}

static void slow_start_by_load(struct kunit *test)
{
	static const u16 weights[] = { 100, 100 };
	struct listener *l = with(test, CLB_SCHEDULER_WLC, 2, weights);

	l->server[0].slow_start = 3600 * HZ;
	l->server[0].up_at = jiffies - 900 * HZ;
	load(l, 0, 30, 0);
	load(l, 1, 100, 0);
	KUNIT_EXPECT_EQ(test, pick(l), 1);
	load(l, 0, 20, 0);
	KUNIT_EXPECT_EQ(test, pick(l), 0);
}

/* All others full: the newcomer takes what it would decline. */
static void slow_start_alone(struct kunit *test)
{
	struct listener *l = with(test, CLB_SCHEDULER_RR, 2, even);

	l->server[0].slow_start = 3600 * HZ;
	l->server[0].up_at = jiffies;
	l->server[1].max_sessions = 1;
	load(l, 1, 1, 0);
	KUNIT_EXPECT_EQ(test, pick(l), 0);
}

/* All came up just now and decline: it goes by weight all the same. */
static void slow_start_of_all(struct kunit *test)
{
	static const u16 weights[] = { 300, 100 };
	struct listener *l = with(test, CLB_SCHEDULER_WRR, 2, weights);
	u32 count[MAX_SERVERS], i;

	for (i = 0; i < 2; i++) {
		l->server[i].slow_start = 3600 * HZ;
		l->server[i].up_at = jiffies;
	}
	picks(l, 2000, count);
	KUNIT_EXPECT_GT(test, count[0], 1300);
	KUNIT_EXPECT_LT(test, count[0], 1700);
	/* all full but some: these share */
	l = with(test, CLB_SCHEDULER_RR, 8, even);
	memset(l->server, 0, sizeof(l->server));
	for (i = 0; i < 8; i++) {
		l->server[i].slow_start = 3600 * HZ;
		l->server[i].up_at = jiffies;
		l->server[i].max_sessions = 1;
		load(l, i, i % 4 != 0, 0);
	}
	picks(l, 2000, count);
	KUNIT_EXPECT_GT(test, count[0], 700);
	KUNIT_EXPECT_GT(test, count[4], 700);
	KUNIT_EXPECT_EQ(test, count[0] + count[4], 2000);
}

static struct kunit_case scheduler_cases[] = {
	KUNIT_CASE(nobody),
	KUNIT_CASE(only_who_is_up),
	KUNIT_CASE(rr_in_turn),
	KUNIT_CASE(rr_without_weights),
	KUNIT_CASE(rr_around_the_end),
	KUNIT_CASE(wrr_exact),
	KUNIT_CASE(wrr_interleaved),
	KUNIT_CASE(wrr_long_round),
	KUNIT_CASE_PARAM(by_load, load_gen_params),
	KUNIT_CASE(wlc_fills_evenly),
	KUNIT_CASE(fo_falls_back),
	KUNIT_CASE(slow_start),
	KUNIT_CASE(slow_start_by_load),
	KUNIT_CASE(slow_start_alone),
	KUNIT_CASE(slow_start_of_all),
	{}
};

struct kunit_suite clb_test_scheduler = {
	.name = "clb_scheduler",
	.init = scheduler_init,
	.exit = scheduler_exit,
	.test_cases = scheduler_cases,
};
