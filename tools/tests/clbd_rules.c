// SPDX-License-Identifier: MIT
/* Where requests go: rules and schedulers of clbd. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clbd/balance.h"
#include "clbd/rules.h"
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
		{ ".a", NULL }, { "a.", NULL }, { "a..b", NULL },
		{ "*..a", NULL }, { "*.a.", NULL }, { "a:80", NULL },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rule_cases),
		cmocka_unit_test(rules_that_are_none),
		cmocka_unit_test(ten_thousand_rules),
		cmocka_unit_test(picks_in_turn),
		cmocka_unit_test(held_back),
		cmocka_unit_test(nobody_is_left),
		cmocka_unit_test(hash_spreads_and_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
