// SPDX-License-Identifier: GPL-2.0
/* A configuration as netlink would make it, in the first namespace. */
#include "../collector.h"
#include "../parse.h"
#include "../pool.h"
#include "test.h"

struct clb_net *clb_test_net(void)
{
	return clb_net(&init_net);
}

/* A copy of what is in force, with the configuration lock held. */
struct clb_ruleset *clb_test_draft(struct kunit *test)
{
	struct clb_net *cn = clb_test_net();
	struct clb_ruleset *draft = NULL;

	mutex_lock(&cn->config_lock);
	if (!clb_net_start(cn))
		draft = clb_ruleset_copy(clb_test_in_force());
	if (!draft)
		mutex_unlock(&cn->config_lock);
	KUNIT_ASSERT_NOT_NULL(test, draft);
	return draft;
}

/* Releases the lock. */
void clb_test_publish(struct kunit *test, struct clb_ruleset *draft)
{
	struct clb_net *cn = clb_test_net();
	int err = clb_ruleset_publish(cn, draft);

	mutex_unlock(&cn->config_lock);
	KUNIT_ASSERT_EQ(test, err, 0);
}

/* What is in force. Nobody but the tests configures this namespace. */
struct clb_ruleset *clb_test_in_force(void)
{
	return rcu_dereference_protected(clb_test_net()->ruleset, 1);
}

struct clb_listener_conf *
clb_test_listener(struct kunit *test, struct clb_ruleset *draft,
		  const struct clb_endpoint *key, u8 mode)
{
	struct clb_listener_options opt;

	clb_listener_options_default(key, &opt);
	opt.mode = mode;
	KUNIT_EXPECT_EQ(test, clb_draft_listener_add(draft, key, &opt), 0);
	return clb_draft_listener(draft, key);
}

void clb_test_server(struct kunit *test, struct clb_listener_conf *conf,
		     const char *addr, u16 port, u16 weight)
{
	const struct clb_server_conf server = {
		.key = clb_test_endpoint(test, addr, port,
					 conf->key.protocol),
		.weight = weight,
		.state = CLB_SERVER_STATE_UP,
	};

	KUNIT_EXPECT_EQ(test, clb_draft_server_add(conf, &server), 0);
}

/* The end of a case: no sessions, no configuration. */
void clb_test_flush(struct kunit *test)
{
	const struct clb_session_filter all = { .state = -1 };
	struct clb_ruleset *draft;

	clb_sessions_end(clb_test_net(), &all);
	draft = clb_test_draft(test);
	clb_draft_flush(draft);
	clb_test_publish(test, draft);
}

/* As the first packet of @client would, to a listener in force. */
struct clb_session *clb_test_create(const struct clb_endpoint *key,
				    const struct clb_tuple *client,
				    enum clb_stats_attr *drop)
{
	const struct clb_packet pkt = {
		.tuple = *client,
		.hash = clb_table_hash(&clb_test_net()->table, client),
		.kind = CLB_PACKET_FLOW,
		.tcp_flags = CLB_TCP_SYN,
	};
	const struct clb_ruleset *ruleset;
	struct clb_session *session = NULL;
	struct clb_listener_conf *conf;

	local_bh_disable();
	rcu_read_lock();
	ruleset = rcu_dereference(clb_test_net()->ruleset);
	conf = clb_ruleset_match(ruleset, *key);
	if (conf)
		session = clb_session_create(clb_test_net(), ruleset, conf,
					     &pkt, drop);
	rcu_read_unlock();
	local_bh_enable();
	return session;
}

/* A listener, a server, a local address for FNAT, and a session of them. */
struct clb_session *clb_test_open(struct kunit *test, u8 mode,
				  const struct clb_endpoint *key)
{
	struct clb_ruleset *draft = clb_test_draft(test);
	struct clb_local_address *local;
	struct clb_listener_conf *conf;
	enum clb_stats_attr drop;
	union nf_inet_addr addr;
	struct clb_tuple client;
	u8 family;

	conf = clb_test_listener(test, draft, key, mode);
	clb_test_server(test, conf, "198.51.100.11", 80, 100);
	family = clb_test_addr(test, "198.51.100.1", &addr);
	local = clb_local_address_make(clb_test_net(), family, &addr);
	KUNIT_EXPECT_NOT_NULL(test, local);
	if (local)
		KUNIT_EXPECT_EQ(test, clb_draft_pool_add(draft, local, 0), 0);
	clb_test_publish(test, draft);
	client = clb_test_tuple(test, "192.0.2.77", 40001, "203.0.113.1", 80,
				key->protocol);
	return clb_test_create(key, &client, &drop);
}
