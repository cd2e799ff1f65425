// SPDX-License-Identifier: MIT
/* Parts of clbd by themselves: rules, schedulers, deadlines, PROXY protocol. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbd/balance.h"
#include "clbd/config.h"
#include "clbd/cookie.h"
#include "clbd/health.h"
#include "clbd/meter.h"
#include "clbd/metrics.h"
#include "clbd/proxy.h"
#include "clbd/rate.h"
#include "clbd/rules.h"
#include "clbd/stats.h"
#include "clbd/wheel.h"
#include "test.h"

static const void *find(const struct clbd_rules *rules, const char *host,
			const char *path)
{
	return clbd_rules_find(rules, host, strlen(host), path, strlen(path));
}

static const struct {
	const char *domain;
	const char *url;
	const char *target;
} rules_added[] = {
	{ "a.example", NULL, "exact" },
	{ "a.example", "/img", "exact img" },
	{ "a.example", "/img/large/", "exact large" },
	{ "a.example", "/im", "exact im" },
	{ "*.example", NULL, "broad" },
	{ "*.b.example", NULL, "narrow" },
	{ "*.b.example", "/api", "narrow api" },
	{ "C.Example", "/only", "capitals" },
	{ NULL, "/any", "any" },
};

static const struct {
	const char *host;
	const char *path;
	const char *target;
} rules_asked[] = {
	{ "a.example", "/", "exact" },
	{ "A.EXAMPLE", "/x", "exact" },
	{ "a.example.", "/x", "exact" },
	{ "a.example", "/i", "exact" },
	{ "a.example", "/im", "exact im" },
	{ "a.example", "/img", "exact img" },
	{ "a.example", "/img/large", "exact img" },
	{ "a.example", "/img/large/1", "exact large" },
	{ "a.example", "/x?/img", "exact" },
	{ "a.example", "?/img", "exact" },
	{ "a.example", "/%69mg/x", "exact img" },
	{ "a.example", "//img", "exact img" },
	{ "a.example", "/./img", "exact img" },
	{ "a.example", "/x/../img", "exact img" },
	{ "a.example", "/img/../x", "exact" },
	{ "a.example", "/img/..", "exact" },
	{ "a.example", "/img/%2e%2e/x", "exact" },
	{ "a.example", "/../../img", "exact img" },
	{ "a.example", "/%zz", "exact" },
	{ "a.example", "*", "exact" },
	{ "z.example", "/", "broad" },
	{ "example", "/", NULL },
	{ "y.z.example", "/", "broad" },
	{ "b.example", "/", "broad" },
	{ "x.b.example", "/", "narrow" },
	{ "x.y.b.example", "/api/1", "narrow api" },
	{ "xb.example", "/", "broad" },
	/* A rule fits if both fit: the broader domain has one. */
	{ "c.example", "/only", "capitals" },
	{ "c.example", "/other", "broad" },
	{ "d.test", "/any/1", "any" },
	{ "d.test", "/an", NULL },
	{ "a.example", "/any", "exact" },
	{ "", "/any", "any" },
};

static void rule_cases(void **state)
{
	struct clbd_rules *rules = clbd_rules_new(ARRAY_SIZE(rules_added));
	size_t i;

	(void)state;
	assert_non_null(rules);
	for (i = 0; i < ARRAY_SIZE(rules_added); i++)
		assert_int_equal(clbd_rules_add(rules, rules_added[i].domain,
						rules_added[i].url,
						(void *)rules_added[i].target),
				 0);
	for (i = 0; i < ARRAY_SIZE(rules_asked); i++) {
		const char *found = find(rules, rules_asked[i].host,
					 rules_asked[i].path);

		if (found != rules_asked[i].target &&
		    (!found || !rules_asked[i].target ||
		     strcmp(found, rules_asked[i].target)))
			fail_msg("%s %s: %s", rules_asked[i].host,
				 rules_asked[i].path, found ? found : "none");
	}
	clbd_rules_free(rules);
}

static void rules_that_are_none(void **state)
{
	static const struct {
		const char *domain;
		const char *url;
	} refused[] = {
		{ "", NULL }, { "*", NULL }, { "*.", NULL }, { "*a.b", NULL },
		{ "a.*", NULL }, { "**.a", NULL }, { "a", "x" }, { "a", "" },
	};
	struct clbd_rules *rules = clbd_rules_new(1);
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(clbd_rules_add(rules, refused[i].domain,
						refused[i].url, "x"), -EINVAL);
	assert_int_equal(clbd_rules_add(rules, "a", "/x", "x"), 0);
	assert_int_equal(clbd_rules_add(rules, "b", "/x", "x"), -ENOSPC);
	clbd_rules_free(rules);
	rules = clbd_rules_new(2);
	assert_int_equal(clbd_rules_add(rules, "a", "/x", "x"), 0);
	assert_int_equal(clbd_rules_add(rules, "A", "/x", "x"), -EEXIST);
	clbd_rules_free(rules);
	assert_null(clbd_rules_find(NULL, "a", 1, "/", 1));
}

/* Each of many is found, and none in place of another. */
static void ten_thousand_rules(void **state)
{
	enum { COUNT = 10000 };
	struct clbd_rules *rules = clbd_rules_new(COUNT);
	static char urls[COUNT][32];
	char host[32], path[64];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT; i++) {
		snprintf(host, sizeof(host), "h%zu.example", i / 10);
		snprintf(urls[i], sizeof(urls[i]), "/%zu/", i * 7919 % COUNT);
		assert_int_equal(clbd_rules_add(rules, host, urls[i], urls[i]),
				 0);
	}
	for (i = 0; i < COUNT; i++) {
		snprintf(host, sizeof(host), "H%zu.example", i / 10);
		snprintf(path, sizeof(path), "%.31sx", urls[i]);
		assert_ptr_equal(find(rules, host, path), urls[i]);
		path[strlen(path) - 2] = 0;
		assert_null(find(rules, host, path));
	}
	clbd_rules_free(rules);
}

enum { MEMBERS = 4 };

static struct clbd_balance group(enum clbd_scheduler scheduler,
				 struct clbd_member *members, uint32_t *loads,
				 const uint32_t *weights)
{
	size_t i;

	memset(members, 0, MEMBERS * sizeof(*members));
	for (i = 0; i < MEMBERS; i++) {
		members[i].weight = weights[i];
		members[i].load = &loads[i];
		members[i].seed = clbd_balance_hash(&i, sizeof(i));
	}
	return (struct clbd_balance){
		.scheduler = scheduler,
		.members = members,
		.count = MEMBERS,
	};
}

static void picks_in_turn(void **state)
{
	static const struct {
		enum clbd_scheduler scheduler;
		uint32_t weights[MEMBERS];
		const char *order;
	} cases[] = {
		{ CLBD_SCHEDULER_RR, { 1, 1, 1, 1 }, "01230123" },
		{ CLBD_SCHEDULER_RR, { 1, 0, 1, 5 }, "02302302" },
		{ CLBD_SCHEDULER_WRR, { 5, 1, 1, 0 }, "0010200" },
		{ CLBD_SCHEDULER_WRR, { 1, 1, 1, 1 }, "01230123" },
		{ CLBD_SCHEDULER_WRR, { 2, 0, 1, 0 }, "020020" },
		{ CLBD_SCHEDULER_WLC, { 1, 1, 1, 1 }, "01230123" },
		{ CLBD_SCHEDULER_WLC, { 2, 1, 1, 0 }, "01200120" },
	};
	struct clbd_member members[MEMBERS];
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t loads[MEMBERS] = { 0 };
		struct clbd_balance balance = group(cases[i].scheduler, members,
						    loads, cases[i].weights);
		char order[16] = "";

		for (j = 0; cases[i].order[j]; j++) {
			int index = clbd_balance_pick(&balance, 0);

			assert_in_range(index, 0, MEMBERS - 1);
			loads[index]++;
			order[j] = '0' + index;
		}
		if (i != 6)
			assert_string_equal(order, cases[i].order);
		else
			assert_int_equal(loads[0], 4);
	}
}

/* One of four has a quarter of its weight: a quarter of another's picks. */
static void held_back(void **state)
{
	static const uint32_t weights[MEMBERS] = { 4, 4, 4, 4 };
	struct clbd_member members[MEMBERS];
	int scheduler, i;

	(void)state;
	for (scheduler = 0; scheduler < CLBD_SCHEDULER_HASH; scheduler++) {
		uint32_t loads[MEMBERS] = { 0 };
		struct clbd_balance balance = group(scheduler, members, loads,
						    weights);

		members[1].held = CLBD_BALANCE_PARTS * 3 / 4;
		for (i = 0; i < 130; i++)
			loads[clbd_balance_pick(&balance, 0)]++;
		assert_in_range(loads[1], 9, 11);
		assert_in_range(loads[0], 39, 41);
		assert_in_range(loads[2], 39, 41);
		/* Alone, it gets all. */
		members[0].barred = members[2].barred = true;
		members[3].barred = true;
		for (i = 0; i < 8; i++)
			assert_int_equal(clbd_balance_pick(&balance, 0), 1);
	}
}

static void rates_let_pass(void **state)
{
	static const struct {
		uint32_t requests;
		uint32_t burst;
		uint64_t parts;
		uint32_t at_once;
		uint64_t next; /* ms until one more */
	} cases[] = {
		{ 10, 0, 1, 10, 100 },	 { 10, 3, 1, 3, 100 },
		{ 1, 1, 1, 1, 1000 },	 { 1, 1, 4, 1, 4000 },
		{ 10, 20, 4, 5, 400 },	 { 10000000, 0, 1, 10000000, 1 },
		{ 1, 10000000, 1, 10000000, 1000 },
	};
	struct clbd_rate rate;
	uint64_t now = 5;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		clbd_rate_init(&rate, cases[i].requests, cases[i].burst,
			       cases[i].parts, now);
		for (j = 0; j < cases[i].at_once; j++)
			assert_true(clbd_rate_take(&rate, now));
		assert_false(clbd_rate_take(&rate, now));
		now += cases[i].next - 1;
		assert_false(clbd_rate_take(&rate, now));
		assert_true(clbd_rate_take(&rate, ++now));
		/* However long nobody came, no more than at first. */
		now += 1ull << 60;
		for (j = 0; j < cases[i].at_once; j++)
			assert_true(clbd_rate_take(&rate, now));
		assert_false(clbd_rate_take(&rate, now));
	}
	clbd_rate_init(&rate, 0, 0, 1, now);
	for (j = 0; j < 100; j++)
		assert_true(clbd_rate_take(&rate, now));
}

static void nobody_is_left(void **state)
{
	static const uint32_t weights[MEMBERS] = { 1, 0, 1, 0 };
	struct clbd_member members[MEMBERS];
	uint32_t loads[MEMBERS] = { 0 };
	int scheduler;

	(void)state;
	for (scheduler = 0; scheduler <= CLBD_SCHEDULER_HASH; scheduler++) {
		struct clbd_balance balance = group(scheduler, members, loads,
						    weights);

		members[0].barred = true;
		assert_int_equal(clbd_balance_pick(&balance, 7), 2);
		members[2].barred = true;
		assert_int_equal(clbd_balance_pick(&balance, 7), -1);
	}
}

/* By weight; who is barred leaves the others' keys where they are. */
static void hash_spreads_and_stays(void **state)
{
	static const uint32_t weights[MEMBERS] = { 100, 100, 200, 0 };
	enum { KEYS = 20000 };
	struct clbd_member members[MEMBERS];
	uint32_t loads[MEMBERS] = { 0 };
	static int first[KEYS];
	struct clbd_balance balance = group(CLBD_SCHEDULER_HASH, members, loads,
					    weights);
	size_t i;

	(void)state;
	for (i = 0; i < KEYS; i++)
		loads[first[i] = clbd_balance_pick(&balance, i)]++;
	assert_in_range(loads[0], KEYS / 4 - 300, KEYS / 4 + 300);
	assert_in_range(loads[2], KEYS / 2 - 300, KEYS / 2 + 300);
	assert_int_equal(loads[3], 0);
	members[1].barred = true;
	for (i = 0; i < KEYS; i++) {
		int now = clbd_balance_pick(&balance, i);

		assert_int_not_equal(now, 1);
		if (first[i] != 1)
			assert_int_equal(now, first[i]);
	}
}

static unsigned int expire_all(struct clbd_wheel *wheel, uint64_t now)
{
	unsigned int count = 0;

	while (clbd_wheel_expired(wheel, now))
		count++;
	return count;
}

static void deadlines_pass(void **state)
{
	struct clbd_timer timers[3] = { { 0 } };
	static struct clbd_wheel wheel;
	uint64_t start = 1000000;

	(void)state;
	clbd_wheel_init(&wheel, start);
	clbd_timer_set(&wheel, &timers[0], start + 1000);
	clbd_timer_set(&wheel, &timers[1], start + 1000000);
	clbd_timer_set(&wheel, &timers[2], start + 2000);
	assert_int_equal(expire_all(&wheel, start + 999), 0);
	assert_int_equal(expire_all(&wheel, start + 1000 + 2 * CLBD_WHEEL_TICK),
			 1);
	/* put off */
	clbd_timer_set(&wheel, &timers[2], start + 9000);
	assert_int_equal(expire_all(&wheel, start + 8999), 0);
	/* earlier than its place */
	clbd_timer_set(&wheel, &timers[2], start + 9100);
	assert_int_equal(expire_all(&wheel, start + 9100 + 2 * CLBD_WHEEL_TICK),
			 1);
	assert_int_equal(expire_all(&wheel, start + 999999), 0);
	assert_int_equal(expire_all(&wheel, start + 1000000 +
					    2 * CLBD_WHEEL_TICK), 1);
	clbd_timer_set(&wheel, &timers[0], start + 2000000);
	clbd_timer_stop(&timers[0]);
	assert_int_equal(expire_all(&wheel, start + 9000000), 0);
}

/* At random, against the plain rule: never early, late by two ticks at most. */
static void deadlines_by_chance(void **state)
{
	enum { COUNT = 200 };
	static struct clbd_timer timers[COUNT];
	static struct clbd_wheel wheel;
	struct clbd_timer *timer;
	uint64_t now = 5000000;
	unsigned int i;

	(void)state;
	srandom(1);
	clbd_wheel_init(&wheel, now);
	for (i = 0; i < 200000; i++) {
		size_t n = random() % COUNT;

		if (random() % 4)
			clbd_timer_set(&wheel, &timers[n],
				       now + random() % 100000);
		else
			clbd_timer_stop(&timers[n]);
		now += random() % 50;
		while ((timer = clbd_wheel_expired(&wheel, now))) {
			assert_true(timer->deadline <= now);
			timer->deadline = 0;
		}
		n = random() % COUNT;
		assert_true(!timers[n].deadline ||
			    timers[n].deadline + 2 * CLBD_WHEEL_TICK > now);
	}
}

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define TEXT(text) text, sizeof(text) - 1

/* { bytes, how many, what they are, client; rest: bytes behind the header } */
static const struct {
	const char *data;
	size_t size;
	enum clbd_result result;
	const char *source;
	uint16_t port;
	size_t rest;
} proxies[] = {
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"), CLBD_DONE,
	  "192.0.2.1", 1000, 0 },
	{ TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 65535 80\r\nGET"),
	  CLBD_DONE, "2001:db8::1", 65535, 3 },
	{ TEXT("PROXY UNKNOWN\r\n"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT("PROXY UNKNOWN a b c\r\n"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x03\xe8\0\x50"),
	  CLBD_DONE, "192.0.2.1", 1000, 0 },
	{ TEXT(V2 "\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\x03\xe8\0\x50"
	       "\4\0\0" "xy"), CLBD_DONE, "192.0.2.1", 1000, 2 },
	{ TEXT(V2 "\x21\x21\0\x24" "abcdefghijklmnop" "abcdefghijklmnop"
	       "\0\1\0\2"), CLBD_DONE,
	  "6162:6364:6566:6768:696a:6b6c:6d6e:6f70", 1, 0 },
	{ TEXT(V2 "\x20\0\0\0"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x20\x11\0\0"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x31\0\1x"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\x03\xe8\0"),
	  CLBD_BAD, NULL, 0, 0 },
	{ TEXT(V2 "\x11\x11\0\x0c"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT(V2 "\x22\x11\0\x0c"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x11\xff\xff"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("GET / HTTP/1.1\r\n"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\n"), CLBD_BAD, NULL, 0,
	  0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000\r\n"), CLBD_BAD, NULL, 0,
	  0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80 \r\n"), CLBD_BAD, NULL,
	  0, 0 },
	{ TEXT("PROXY TCP4 192.0.2.1  192.0.2.2 1000 80\r\n"), CLBD_BAD, NULL,
	  0, 0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 65536\r\n"), CLBD_BAD,
	  NULL, 0, 0 },
	{ TEXT("PROXY TCP4 ::1 ::1 1 2\r\n"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"), CLBD_BAD, NULL, 0,
	  0 },
	{ TEXT("PROXY \r\n"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678"
	       "90123456789012345678901234567890123456789012345678\r\n"),
	  CLBD_BAD, NULL, 0, 0 },
};

/* The same, however it is cut; before it is complete, more is asked for. */
static void proxy_cases(void **state)
{
	char text[CLB_ADDRESS_TEXT];
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(proxies); i++) {
		enum clbd_result result = CLBD_MORE;
		struct clbd_proxy proxy;
		size_t used = 0;

		for (size = 0; result == CLBD_MORE && size <= proxies[i].size;
		     size++)
			result = clbd_proxy_parse(proxies[i].data, size, &proxy,
						  &used);
		if (result != proxies[i].result)
			fail_msg("%zu: %d", i, result);
		if (result != CLBD_DONE)
			continue;
		assert_int_equal(used, proxies[i].size - proxies[i].rest);
		assert_int_equal(proxy.known, !!proxies[i].source);
		if (!proxy.known)
			continue;
		clb_address_format(&proxy.source, text);
		assert_string_equal(text, proxies[i].source);
		assert_int_equal(proxy.port, proxies[i].port);
	}
}

static void cookies_are_found(void **state)
{
	static const struct {
		const char *field;
		const char *values;
	} cases[] = {
		{ "", "" },
		{ "S=1", "1|" },
		{ "S=", "|" },
		{ "S", "" },
		{ "a=b; S=1", "1|" },
		{ "a=b;S=1;c=d", "1|" },
		{ "S=1; S=2", "1|2|" },
		{ "XS=1; s=2; S2=3", "" },
		{ "a=S=1", "" },
		{ ";;; \tS=x=y ;", "x=y |" },
	};
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = cases[i].field, *end = at + strlen(at), *value;
		char values[64] = "";

		while (clbd_cookie_next(&at, end, "S", &value, &size)) {
			strncat(values, value, size);
			strcat(values, "|");
		}
		assert_string_equal(values, cases[i].values);
	}
}

/* HMAC-SHA256 as others compute it, its first half. */
static void tokens_are_keyed(void **state)
{
	char token[CLBD_COOKIE_TOKEN];

	(void)state;
	assert_int_equal(clbd_cookie_token("Jefe",
					   "what do ya want for nothing?",
					   token), 0);
	assert_memory_equal(token, "5bdcc146bf60754e6a042426089575c7",
			    sizeof(token));
}

/* A configuration with so many servers, and names that need escapes. */
static struct clbd_config *many_servers(unsigned int count)
{
	static struct clbd_config_listener listener = { .name = "site" };
	static struct clbd_config_group group = { .name = "\"\\\n" };
	static struct clbd_config config = {
		.listeners = &listener,
		.listener_count = 1,
		.groups = &group,
		.group_count = 1,
	};
	unsigned int i;

	group.server_count = count;
	group.servers = calloc(count, sizeof(*group.servers));
	assert_non_null(group.servers);
	for (i = 0; i < count; i++) {
		group.servers[i].address = malloc(64);
		assert_non_null(group.servers[i].address);
		snprintf(group.servers[i].address, 64, "s%u:80", i);
	}
	return &config;
}

static void free_servers(struct clbd_config *config)
{
	unsigned int i;

	for (i = 0; i < config->groups[0].server_count; i++)
		free(config->groups[0].servers[i].address);
	free(config->groups[0].servers);
}

/* All pieces of what is told: each in whole lines. */
static char *told(const struct clbd_shared *shared, size_t room)
{
	struct clbd_metrics metrics = { 0 };
	char *all = NULL, *more;
	size_t size = 0;

	while (!metrics.done) {
		size_t used;

		more = realloc(all, size + room + 1);
		assert_non_null(more);
		all = more;
		used = clbd_metrics_write(&metrics, shared, all + size, room);
		assert_in_range(used, 1, room - 1);
		assert_int_equal(all[size + used - 1], '\n');
		size += used;
	}
	all[size] = 0;
	return all;
}

static void metrics_come_in_pieces(void **state)
{
	struct clbd_shared *shared = clbd_shared_new(2);
	struct clbd_config *config = many_servers(100);
	struct clbd_meter spare = { 0 }, *meter;
	char *small, *large;

	(void)state;
	assert_non_null(shared);
	memset(shared->stats, 0x7f, 4 * sizeof(struct clbd_stats));
	clbd_meters_register(shared->meters, config);
	clbd_meters_register(shared->meters, config);
	assert_int_equal(clbd_meters_count(shared->meters), 101);
	meter = clbd_meters_find(shared->meters, 1, CLBD_METER_SERVER,
				 "\"\\\n", "s7:80", &spare);
	assert_ptr_not_equal(meter, &spare);
	meter->begun = 5;
	clbd_meter_response(meter, 204, 3);
	clbd_meter_response(meter, 42, 100);
	small = told(shared, CLBD_METRICS_ROOM);
	large = told(shared, 1 << 20);
	assert_string_equal(small, large);
	assert_non_null(strstr(large, "clbd_server_responses_total{group=\"\\\""
			       "\\\\\\n\",server=\"s7:80\",code=\"2xx\"} 1\n"));
	assert_non_null(strstr(large, "server=\"s7:80\",le=\"0.005\"} 1\n"));
	assert_non_null(strstr(large, "server=\"s7:80\"} 0.103\n"));
	assert_non_null(strstr(large, "clbd_server_requests_open{group=\"\\\""
			       "\\\\\\n\",server=\"s7:80\"} 5\n"));
	clbd_meters_begin(shared->meters, 1);
	assert_int_equal(meter->ended, 5);
	free(small);
	free(large);
	free_servers(config);
	clbd_shared_free(shared);
}

/* A worker that is not honest may write anything where all do. */
static void meters_are_overwritten(void **state)
{
	static const unsigned char bytes[] = { 0xff, 0x41, 0x01 };
	struct clbd_shared *shared = clbd_shared_new(2);
	struct clbd_config *config = many_servers(100);
	struct clbd_meter spare = { 0 }, *meter;
	unsigned int i;

	(void)state;
	assert_non_null(shared);
	clbd_meters_register(shared->meters, config);
	for (i = 0; i < sizeof(bytes); i++) {
		memset(shared->meters->places, bytes[i],
		       sizeof(*shared->meters->places) +
			       2 * CLBD_METERS * sizeof(*meter));
		meter = clbd_meters_find(shared->meters, 1, CLBD_METER_SERVER,
					 config->groups[0].name, "s7:80",
					 &spare);
		assert_true(meter == &spare ||
			    (meter >= shared->meters->meters &&
			     meter < shared->meters->meters + 2 * CLBD_METERS));
		assert_in_range(clbd_meters_count(shared->meters), 0,
				CLBD_METERS);
		clbd_meters_begin(shared->meters, 1);
		free(told(shared, 1 << 20));
		clbd_meters_sum(shared->meters, CLBD_METERS - 1);
		/* The parent goes by what it has for itself. */
		clbd_meters_register(shared->meters, config);
		assert_int_equal(clbd_meters_count(shared->meters), 101);
		assert_string_equal(clbd_meters_name(shared->meters, 8).second,
				    "s7:80");
	}
	free_servers(config);
	clbd_shared_free(shared);
}

static void too_many_servers_to_count(void **state)
{
	struct clbd_meters *meters = clbd_meters_new(1);
	struct clbd_config *config = many_servers(CLBD_METERS + 9);
	struct clbd_meter spare = { 0 }, *last, *none;

	(void)state;
	assert_non_null(meters);
	clbd_meters_register(meters, config);
	assert_int_equal(meters->own.count, CLBD_METERS);
	assert_int_equal(meters->places->left_out, 10);
	last = clbd_meters_find(meters, 0, CLBD_METER_SERVER,
				config->groups[0].name, "s4094:80", &spare);
	none = clbd_meters_find(meters, 0, CLBD_METER_SERVER,
				config->groups[0].name, "s4095:80", &spare);
	assert_ptr_not_equal(last, &spare);
	assert_ptr_equal(none, &spare);
	free_servers(config);
	free(meters);
}

static void times_fall_into_buckets(void **state)
{
	struct clbd_times times = { 0 };

	(void)state;
	clbd_times_add(&times, 0);
	clbd_times_add(&times, 1);
	clbd_times_add(&times, 2);
	clbd_times_add(&times, 10000);
	clbd_times_add(&times, 10001);
	assert_int_equal(times.bucket[0], 2);
	assert_int_equal(times.bucket[1], 1);
	assert_int_equal(times.bucket[CLBD_TIMES_BUCKETS - 2], 1);
	assert_int_equal(times.bucket[CLBD_TIMES_BUCKETS - 1], 1);
	assert_int_equal(times.sum, 20004);
}

static void status_of_an_answer(void **state)
{
	static const struct {
		const char *data;
		int status;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n", 200 },
		{ "HTTP/1.0 404", 404 },
		{ "HTTP/1.1 599", 599 },
		{ "", 0 },
		{ "HTTP/1.1 20", 0 },
		{ "HTTP/1.1 099", -1 },
		{ "HTTP/1.1 600", -1 },
		{ "HTTP/1.1 2x0", -1 },
		{ "HTTP/2.0 200", -1 },
		{ "SSH-2.0", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(clbd_health_status(cases[i].data,
						    strlen(cases[i].data)),
				 cases[i].status);
}

static void prefixes_have_addresses(void **state)
{
	static const struct {
		const char *prefix;
		const char *address;
		bool has;
	} cases[] = {
		{ "10.0.0.0/8", "10.1.2.3", true },
		{ "10.0.0.0/8", "11.1.2.3", false },
		{ "192.0.2.128/25", "192.0.2.200", true },
		{ "192.0.2.128/25", "192.0.2.100", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.3", false },
		{ "0.0.0.0/0", "192.0.2.1", true },
		{ "0.0.0.0/0", "::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clb_address address;
		struct clbd_prefix prefix;

		assert_int_equal(clb_prefix_parse(cases[i].prefix,
						  &prefix.address,
						  &prefix.length), 0);
		assert_int_equal(clb_address_parse(cases[i].address, &address),
				 0);
		if (clbd_prefix_has(&prefix, 1, &address) != cases[i].has)
			fail_msg("%s %s", cases[i].prefix, cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_cases),
		cmocka_unit_test(rules_that_are_none),
		cmocka_unit_test(ten_thousand_rules),
		cmocka_unit_test(picks_in_turn),
		cmocka_unit_test(held_back),
		cmocka_unit_test(rates_let_pass),
		cmocka_unit_test(nobody_is_left),
		cmocka_unit_test(hash_spreads_and_stays),
		cmocka_unit_test(deadlines_pass),
		cmocka_unit_test(deadlines_by_chance),
		cmocka_unit_test(proxy_cases),
		cmocka_unit_test(cookies_are_found),
		cmocka_unit_test(status_of_an_answer),
		cmocka_unit_test(metrics_come_in_pieces),
		cmocka_unit_test(meters_are_overwritten),
		cmocka_unit_test(too_many_servers_to_count),
		cmocka_unit_test(times_fall_into_buckets),
		cmocka_unit_test(tokens_are_keyed),
		cmocka_unit_test(prefixes_have_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
