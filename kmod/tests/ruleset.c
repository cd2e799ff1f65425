// SPDX-License-Identifier: GPL-2.0
/* Configurations: looking up, drafts and what they leave untouched, limits. */
#include "../acl.h"
#include "../parse.h"
#include "test.h"

#define MANY 3000

static struct clb_endpoint key_of(struct kunit *test, u32 i)
{
	struct clb_endpoint key = clb_test_endpoint(test, "203.0.113.1", i + 1,
						    IPPROTO_TCP);

	if (i % 3 == 1)
		key.protocol = IPPROTO_UDP;
	return key;
}

static int ruleset_init(struct kunit *test)
{
	test->priv = clb_ruleset_copy(NULL);
	return test->priv ? 0 : -ENOMEM;
}

static void ruleset_exit(struct kunit *test)
{
	clb_ruleset_put(test->priv);
	clb_test_flush(test);
}

static int add(struct clb_ruleset *draft, const struct clb_endpoint *key)
{
	struct clb_listener_options opt;

	clb_listener_options_default(key, &opt);
	return clb_draft_listener_add(draft, key, &opt);
}

/* However many there are, each is found, and none that was removed. */
static void many_listeners(struct kunit *test)
{
	struct clb_ruleset *draft = test->priv;
	struct clb_endpoint key;
	u32 i;

	for (i = 0; i < MANY; i++) {
		key = key_of(test, i);
		KUNIT_ASSERT_EQ(test, add(draft, &key), 0);
	}
	key = key_of(test, 7);
	KUNIT_EXPECT_EQ(test, add(draft, &key), -EEXIST);
	KUNIT_EXPECT_EQ(test, draft->nr_listeners, MANY);
	for (i = 0; i < MANY; i += 2) {
		key = key_of(test, i);
		KUNIT_EXPECT_EQ(test, clb_draft_listener_del(draft, &key), 0);
		KUNIT_EXPECT_EQ(test, clb_draft_listener_del(draft, &key),
				-ENOENT);
	}
	for (i = 0; i < MANY; i++) {
		key = key_of(test, i);
		KUNIT_EXPECT_EQ(test, !!clb_ruleset_find(draft, &key), i % 2);
	}
	clb_draft_flush(draft);
	KUNIT_EXPECT_EQ(test, draft->nr_listeners, 0);
	key = key_of(test, 1);
	KUNIT_EXPECT_NULL(test, clb_ruleset_find(draft, &key));
}

/* The listener on the port comes before the one on all ports. */
static void all_ports(struct kunit *test)
{
	struct clb_ruleset *draft = test->priv;
	struct clb_endpoint all = clb_test_endpoint(test, "203.0.113.1", 0,
						    IPPROTO_TCP);
	struct clb_endpoint one = all, other = all;

	one.port = htons(80);
	other.port = htons(81);
	KUNIT_ASSERT_EQ(test, add(draft, &one), 0);
	KUNIT_EXPECT_NULL(test, clb_ruleset_match(draft, other));
	KUNIT_ASSERT_EQ(test, add(draft, &all), 0);
	KUNIT_EXPECT_PTR_EQ(test, clb_ruleset_match(draft, other),
			    clb_ruleset_find(draft, &all));
	KUNIT_EXPECT_PTR_EQ(test, clb_ruleset_match(draft, one),
			    clb_ruleset_find(draft, &one));
	other.protocol = IPPROTO_UDP;
	KUNIT_EXPECT_NULL(test, clb_ruleset_match(draft, other));
}

/* What is changed in a copy is as it was in what is in force. */
static void copy_on_write(struct kunit *test)
{
	struct clb_ruleset *draft = clb_test_draft(test);
	struct clb_endpoint key = key_of(test, 0);
	struct clb_listener_conf *before, *conf;

	KUNIT_EXPECT_EQ(test, add(draft, &key), 0);
	/* nobody has it yet */
	KUNIT_EXPECT_PTR_EQ(test, clb_draft_listener(draft, &key),
			    clb_ruleset_find(draft, &key));
	clb_test_publish(test, draft);
	before = clb_ruleset_find(clb_test_in_force(), &key);
	KUNIT_ASSERT_NOT_NULL(test, before);

	draft = clb_test_draft(test);
	KUNIT_EXPECT_PTR_EQ(test, clb_ruleset_find(draft, &key), before);
	conf = clb_draft_listener(draft, &key);
	KUNIT_EXPECT_FALSE(test, IS_ERR_OR_NULL(conf));
	KUNIT_EXPECT_PTR_NE(test, conf, before);
	KUNIT_EXPECT_PTR_EQ(test, conf, clb_draft_listener(draft, &key));
	if (!IS_ERR_OR_NULL(conf)) {
		clb_test_server(test, conf, "198.51.100.11", 80, 1);
		conf->opt.mode = CLB_MODE_DR;
	}
	KUNIT_EXPECT_EQ(test, before->nr_servers, 0);
	KUNIT_EXPECT_EQ(test, before->opt.mode, CLB_MODE_NAT);
	key.port = 0;
	KUNIT_EXPECT_EQ(test, PTR_ERR(clb_draft_listener(draft, &key)),
			-ENOENT);
	clb_test_publish(test, draft);
}

static void servers(struct kunit *test)
{
	struct clb_ruleset *draft = test->priv;
	struct clb_endpoint key = key_of(test, 0), server;
	struct clb_listener_conf *conf;
	u32 i;

	KUNIT_ASSERT_EQ(test, add(draft, &key), 0);
	conf = clb_draft_listener(draft, &key);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, conf);
	for (i = 0; i < CLB_MAX_SERVERS; i++)
		clb_test_server(test, conf, "198.51.100.11", i, 1);
	server = clb_test_endpoint(test, "198.51.100.12", 1, IPPROTO_TCP);
	KUNIT_EXPECT_EQ(test, clb_draft_server_add(conf,
						   &(struct clb_server_conf) {
						   .key = server }), -ENOSPC);
	/* those that are left keep their order */
	server = clb_test_endpoint(test, "198.51.100.11", 1, IPPROTO_TCP);
	clb_draft_server_del(conf, clb_server_conf_find(conf, &server));
	KUNIT_EXPECT_NULL(test, clb_server_conf_find(conf, &server));
	KUNIT_EXPECT_EQ(test, conf->nr_servers, CLB_MAX_SERVERS - 1);
	KUNIT_EXPECT_EQ(test, ntohs(conf->servers[0].key.port), 0);
	KUNIT_EXPECT_EQ(test, ntohs(conf->servers[1].key.port), 2);
}

static void acl_entries(struct kunit *test)
{
	struct clb_ruleset *draft = test->priv;
	struct clb_endpoint key = key_of(test, 0);
	struct clb_prefix prefix = { .len = 32 };
	struct clb_listener_conf *conf;
	u32 i;

	KUNIT_ASSERT_EQ(test, add(draft, &key), 0);
	conf = clb_draft_listener(draft, &key);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, conf);
	for (i = 0; i < 100; i++) {
		prefix.addr.ip = htonl(i);
		KUNIT_EXPECT_EQ(test, clb_draft_acl_add(conf, &prefix), 0);
	}
	KUNIT_EXPECT_EQ(test, clb_draft_acl_add(conf, &prefix), -EEXIST);
	KUNIT_EXPECT_TRUE(test, clb_draft_acl_has(conf, &prefix));
	KUNIT_EXPECT_EQ(test, clb_draft_acl_del(conf, &prefix), 0);
	KUNIT_EXPECT_FALSE(test, clb_draft_acl_has(conf, &prefix));
	KUNIT_EXPECT_EQ(test, clb_draft_acl_del(conf, &prefix), -ENOENT);
	prefix.addr.ip = 0;
	prefix.len = 31;
	KUNIT_EXPECT_EQ(test, clb_draft_acl_del(conf, &prefix), -ENOENT);
	KUNIT_EXPECT_EQ(test, conf->nr_acl, 99);
}

static struct kunit_case ruleset_cases[] = {
	KUNIT_CASE(many_listeners),
	KUNIT_CASE(all_ports),
	KUNIT_CASE(copy_on_write),
	KUNIT_CASE(servers),
	KUNIT_CASE(acl_entries),
	{}
};

struct kunit_suite clb_test_ruleset = {
	.name = "clb_ruleset",
	.init = ruleset_init,
	.exit = ruleset_exit,
	.test_cases = ruleset_cases,
};
