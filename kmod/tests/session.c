// SPDX-License-Identifier: GPL-2.0
/* Sessions of listeners that are in force in the first namespace. */
#include <linux/completion.h>
#include <linux/kthread.h>

#include "../collector.h"
#include "../persistence.h"
#include "../pool.h"
#include "../session.h"
#include "../tcp.h"
#include "test.h"

#define VIP "203.0.113.1"
#define SERVER1 "198.51.100.11"
#define SERVER2 "198.51.100.12"
#define LOCAL "198.51.100.1"

static int open_sessions(void)
{
	return atomic_read(&clb_test_net()->nr_sessions);
}

/* A listener on VIP:@port in force, changed by @change before it is. */
static struct clb_endpoint listener(struct kunit *test, u8 protocol, u16 port,
				    u8 mode, u32 servers,
				    void (*change)(struct clb_listener_conf *))
{
	struct clb_endpoint key = clb_test_endpoint(test, VIP, port, protocol);
	struct clb_ruleset *draft = clb_test_draft(test);
	struct clb_listener_conf *conf;

	conf = clb_test_listener(test, draft, &key, mode);
	if (servers > 0)
		clb_test_server(test, conf, SERVER1, 0, 100);
	if (servers > 1)
		clb_test_server(test, conf, SERVER2, 0, 100);
	if (change)
		change(conf);
	clb_test_publish(test, draft);
	return key;
}

static struct clb_tuple client_of(struct kunit *test,
				  const struct clb_endpoint *key, u16 port)
{
	return clb_test_tuple(test, "192.0.2.77", port, VIP, ntohs(key->port),
			      key->protocol);
}

static struct clb_session *open(struct kunit *test,
				const struct clb_endpoint *key, u16 port,
				enum clb_stats_attr *drop)
{
	const struct clb_tuple client = client_of(test, key, port);

	return clb_test_create(key, &client, drop);
}

static struct clb_session *find(const struct clb_tuple *tuple,
				enum clb_dir *dir)
{
	struct clb_session *session;

	local_bh_disable();
	rcu_read_lock();
	session = clb_session_find(clb_test_net(), tuple,
				   clb_table_hash(&clb_test_net()->table,
						  tuple), dir);
	rcu_read_unlock();
	local_bh_enable();
	return session;
}

static bool kill(struct clb_session *session)
{
	bool killed;

	local_bh_disable();
	rcu_read_lock();
	killed = clb_session_kill(clb_test_net(), session);
	rcu_read_unlock();
	local_bh_enable();
	return killed;
}

static void set_state(struct clb_session *session, u32 state)
{
	local_bh_disable();
	rcu_read_lock();
	clb_session_set_state(session, READ_ONCE(session->state), state);
	rcu_read_unlock();
	local_bh_enable();
}

static void nat(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   1, NULL);
	struct clb_tuple client = client_of(test, &key, 1000), reply;
	enum clb_stats_attr drop;
	struct clb_session *s;
	enum clb_dir dir;

	reply = clb_test_tuple(test, SERVER1, 80, "192.0.2.77", 1000,
			       IPPROTO_TCP);
	KUNIT_EXPECT_NULL(test, find(&client, &dir));
	s = open(test, &key, 1000, &drop);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_PTR_EQ(test, find(&client, &dir), s);
	KUNIT_EXPECT_EQ(test, dir, CLB_DIR_ORIGINAL);
	KUNIT_EXPECT_PTR_EQ(test, find(&reply, &dir), s);
	KUNIT_EXPECT_EQ(test, dir, CLB_DIR_REPLY);
	KUNIT_EXPECT_EQ(test, open_sessions(), 1);
	/* the same packet again, as another processor would bring it */
	KUNIT_EXPECT_PTR_EQ(test, open(test, &key, 1000, &drop), s);
	KUNIT_EXPECT_EQ(test, open_sessions(), 1);
	KUNIT_EXPECT_TRUE(test, kill(s));
	KUNIT_EXPECT_EQ(test, open_sessions(), 0);
	KUNIT_EXPECT_NULL(test, find(&client, &dir));
	KUNIT_EXPECT_NULL(test, find(&reply, &dir));
}

static void dies_once(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_UDP, 53, CLB_MODE_NAT,
					   1, NULL);
	enum clb_stats_attr drop;
	struct clb_session *s;

	local_bh_disable();
	rcu_read_lock();
	s = open(test, &key, 1000, &drop);
	KUNIT_EXPECT_NOT_NULL(test, s);
	if (s) {
		KUNIT_EXPECT_TRUE(test, kill(s));
		KUNIT_EXPECT_FALSE(test, kill(s));
		/* nor does it come back to life */
		set_state(s, CLB_SESSION_STATE_UDP);
	}
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, open_sessions(), 0);
}

/* Replies that bypass the node are no key. */
static void direct(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_DR,
					   1, NULL);
	struct clb_tuple client = client_of(test, &key, 1000), reply;
	enum clb_stats_attr drop;
	struct clb_session *s = open(test, &key, 1000, &drop);
	enum clb_dir dir;

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_PTR_EQ(test, find(&client, &dir), s);
	clb_tuple_invert(&reply, &client);
	KUNIT_EXPECT_NULL(test, find(&reply, &dir));
}

static void fnat(struct kunit *test)
{
	struct clb_endpoint key = clb_test_endpoint(test, VIP, 80,
						    IPPROTO_TCP);
	struct clb_session *s = clb_test_open(test, CLB_MODE_FNAT, &key);
	struct clb_local_address *local;
	union nf_inet_addr addr;
	struct clb_tuple reply;
	enum clb_dir dir;

	KUNIT_ASSERT_NOT_NULL(test, s);
	clb_test_addr(test, LOCAL, &addr);
	local = clb_pool_find(clb_test_in_force(), NFPROTO_IPV4, &addr);
	KUNIT_ASSERT_NOT_NULL(test, local);
	KUNIT_EXPECT_EQ(test, atomic_read(&local->sessions), 1);
	reply = *clb_session_tuple(s, CLB_DIR_REPLY);
	KUNIT_EXPECT_TRUE(test, clb_addr_equal(&reply.dst, &addr));
	KUNIT_EXPECT_GE(test, ntohs(reply.dport), CLB_PORT_FIRST);
	KUNIT_EXPECT_PTR_EQ(test, find(&reply, &dir), s);
	kill(s);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, atomic_read(&local->sessions), 0);
}

static void fnat_without_a_pool(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80,
					   CLB_MODE_FNAT, 1, NULL);
	enum clb_stats_attr drop = 0;

	KUNIT_EXPECT_NULL(test, open(test, &key, 1000, &drop));
	KUNIT_EXPECT_EQ(test, drop, CLB_STATS_A_DROP_POOL_EXHAUSTED);
	KUNIT_EXPECT_EQ(test, open_sessions(), 0);
}

static struct clb_local_address *local_of(struct kunit *test)
{
	union nf_inet_addr addr;

	clb_test_addr(test, LOCAL, &addr);
	return clb_pool_find(clb_test_in_force(), NFPROTO_IPV4, &addr);
}

/* Takes the ports that are free towards SERVER1; returns how many. */
static u32 ports_take(struct kunit *test, const struct clb_endpoint *server)
{
	u32 count = 0;
	__be16 port;

	while (!IS_ERR(clb_pool_take(clb_test_in_force(), server, 7, &port)))
		count++;
	return count;
}

static void ports_give(struct clb_local_address *local,
		       const struct clb_endpoint *server,
		       const struct clb_session *but)
{
	u32 port;

	for (port = CLB_PORT_FIRST; port <= U16_MAX; port++)
		if (htons(port) != clb_session_tuple(but, CLB_DIR_REPLY)->dport)
			clb_pool_give(local, server, htons(port));
}

/*
 * With every port in use, half-open sessions give up theirs to who comes again:
 * those of another listener as well, but not those with ports of another
 * protocol's servers, nor any that are open.
 */
static void fnat_without_a_port(struct kunit *test)
{
	struct clb_endpoint key = clb_test_endpoint(test, VIP, 80,
						    IPPROTO_TCP);
	struct clb_endpoint second, third, server;
	struct clb_session *first, *other, *s;
	struct clb_local_address *local;
	struct clb_ruleset *draft;
	enum clb_stats_attr drop = 0;
	struct clb_tuple client;
	enum clb_dir dir;

	first = clb_test_open(test, CLB_MODE_FNAT, &key);
	KUNIT_ASSERT_NOT_NULL(test, first);
	server = clb_test_endpoint(test, SERVER1, 80, IPPROTO_TCP);
	second = listener(test, IPPROTO_TCP, 81, CLB_MODE_FNAT, 0, NULL);
	draft = clb_test_draft(test);
	clb_test_server(test, clb_draft_listener(draft, &second), SERVER1, 80,
			100);
	clb_test_publish(test, draft);
	third = listener(test, IPPROTO_UDP, 80, CLB_MODE_FNAT, 1, NULL);
	local = local_of(test);
	KUNIT_ASSERT_NOT_NULL(test, local);
	client = *clb_session_tuple(first, CLB_DIR_ORIGINAL);
	other = open(test, &third, 1000, &drop);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_EQ(test, ports_take(test, &server), CLB_PORT_COUNT - 1);

	KUNIT_EXPECT_NULL(test, open(test, &second, 1000, &drop));
	KUNIT_EXPECT_EQ(test, drop, CLB_STATS_A_DROP_POOL_EXHAUSTED);
	KUNIT_EXPECT_NULL(test, find(&client, &dir));
	KUNIT_EXPECT_EQ(test, open_sessions(), 1);
	rcu_barrier();
	s = open(test, &second, 1000, &drop);
	KUNIT_EXPECT_NOT_NULL(test, s);
	if (s) {
		set_state(s, CLB_SESSION_STATE_ESTABLISHED);
		KUNIT_EXPECT_NULL(test, open(test, &second, 1001, &drop));
		KUNIT_EXPECT_EQ(test, open_sessions(), 2);
		ports_give(local, &server, s);
	}
}

static void no_server(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   0, NULL);
	enum clb_stats_attr drop = 0;

	KUNIT_EXPECT_NULL(test, open(test, &key, 1000, &drop));
	KUNIT_EXPECT_EQ(test, drop, CLB_STATS_A_DROP_NO_SERVER);
	KUNIT_EXPECT_EQ(test, open_sessions(), 0);
}

/*
 * One client port at two VIPs whose server is the same: the server's answers
 * could not be told apart.
 */
static void replies_that_clash(struct kunit *test)
{
	struct clb_endpoint first = listener(test, IPPROTO_TCP, 80,
					     CLB_MODE_NAT, 1, NULL);
	struct clb_endpoint key = clb_test_endpoint(test, "203.0.113.2", 80,
						    IPPROTO_TCP);
	struct clb_tuple client = clb_test_tuple(test, "192.0.2.77", 1000,
						 "203.0.113.2", 80,
						 IPPROTO_TCP);
	struct clb_ruleset *draft;
	enum clb_stats_attr drop = 0;
	struct clb_session *s;

	s = open(test, &first, 1000, &drop);
	KUNIT_ASSERT_NOT_NULL(test, s);
	draft = clb_test_draft(test);
	clb_test_server(test, clb_test_listener(test, draft, &key,
						CLB_MODE_NAT),
			SERVER1, 80, 100);
	clb_test_publish(test, draft);
	KUNIT_EXPECT_NULL(test, clb_test_create(&key, &client, &drop));
	KUNIT_EXPECT_EQ(test, drop, CLB_STATS_A_DROP_NO_SERVER);
	KUNIT_EXPECT_EQ(test, open_sessions(), 1);

	/* another server will do */
	draft = clb_test_draft(test);
	clb_test_server(test, clb_draft_listener(draft, &key), SERVER2, 80,
			100);
	clb_test_publish(test, draft);
	KUNIT_EXPECT_NOT_NULL(test, clb_test_create(&key, &client, &drop));
	KUNIT_EXPECT_EQ(test, open_sessions(), 2);
}

/* Of a connection that is over, the reply is no longer in the way. */
static void replies_of_the_dead(struct kunit *test)
{
	struct clb_endpoint first = listener(test, IPPROTO_TCP, 80,
					     CLB_MODE_NAT, 1, NULL);
	struct clb_endpoint second = listener(test, IPPROTO_TCP, 81,
					      CLB_MODE_NAT, 0, NULL);
	struct clb_ruleset *draft = clb_test_draft(test);
	enum clb_stats_attr drop = 0;
	struct clb_session *s;

	clb_test_server(test, clb_draft_listener(draft, &second), SERVER1, 80,
			100);
	clb_test_publish(test, draft);
	s = open(test, &first, 1000, &drop);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_NULL(test, open(test, &second, 1000, &drop));
	set_state(s, CLB_SESSION_STATE_TIME_WAIT);
	KUNIT_EXPECT_NOT_NULL(test, open(test, &second, 1000, &drop));
	KUNIT_EXPECT_EQ(test, open_sessions(), 1);
}

static void at_most_two(struct clb_listener_conf *conf)
{
	conf->opt.max_sessions = 2;
}

/* The oldest half-open one makes room; those that are open do not. */
static void listener_limit(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   1, at_most_two);
	struct clb_tuple client = client_of(test, &key, 1000);
	struct clb_session *second, *third;
	enum clb_stats_attr drop = 0;
	enum clb_dir dir;

	KUNIT_EXPECT_NOT_NULL(test, open(test, &key, 1000, &drop));
	second = open(test, &key, 1001, &drop);
	third = open(test, &key, 1002, &drop);
	KUNIT_ASSERT_NOT_NULL(test, second);
	KUNIT_ASSERT_NOT_NULL(test, third);
	KUNIT_EXPECT_NULL(test, find(&client, &dir));
	KUNIT_EXPECT_EQ(test, open_sessions(), 2);
	set_state(second, CLB_SESSION_STATE_ESTABLISHED);
	set_state(third, CLB_SESSION_STATE_ESTABLISHED);
	KUNIT_EXPECT_NULL(test, open(test, &key, 1003, &drop));
	KUNIT_EXPECT_EQ(test, drop, CLB_STATS_A_DROP_LISTENER_LIMIT);
	KUNIT_EXPECT_EQ(test, open_sessions(), 2);
}

/* One that was reset makes room unless it was open before. */
static void closed_ones(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   1, at_most_two);
	struct clb_tuple client = client_of(test, &key, 1000);
	u32 max = clb_test_net()->max_sessions;
	struct clb_session *first, *second, *third;
	enum clb_stats_attr drop = 0;
	enum clb_dir dir;

	first = open(test, &key, 1000, &drop);
	second = open(test, &key, 1001, &drop);
	KUNIT_ASSERT_NOT_NULL(test, first);
	KUNIT_ASSERT_NOT_NULL(test, second);
	set_state(first, CLB_SESSION_STATE_CLOSED);
	set_state(second, CLB_SESSION_STATE_ESTABLISHED);
	set_state(second, CLB_SESSION_STATE_CLOSED);
	third = open(test, &key, 1002, &drop);
	KUNIT_ASSERT_NOT_NULL(test, third);
	KUNIT_EXPECT_NULL(test, find(&client, &dir));
	set_state(third, CLB_SESSION_STATE_CLOSED);
	WRITE_ONCE(clb_test_net()->max_sessions, 2);
	third = open(test, &key, 1003, &drop);
	WRITE_ONCE(clb_test_net()->max_sessions, max);
	KUNIT_ASSERT_NOT_NULL(test, third);
	set_state(third, CLB_SESSION_STATE_ESTABLISHED);
	KUNIT_EXPECT_NULL(test, open(test, &key, 1004, &drop));
	KUNIT_EXPECT_EQ(test, open_sessions(), 2);
}

static void namespace_limit(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_UDP, 53, CLB_MODE_NAT,
					   1, NULL);
	u32 max = clb_test_net()->max_sessions;
	struct clb_session *second;
	enum clb_stats_attr drop = 0;

	WRITE_ONCE(clb_test_net()->max_sessions, 1);
	KUNIT_EXPECT_NOT_NULL(test, open(test, &key, 1000, &drop));
	second = open(test, &key, 1001, &drop);
	KUNIT_EXPECT_NOT_NULL(test, second);
	KUNIT_EXPECT_EQ(test, open_sessions(), 1);
	if (second)
		set_state(second, CLB_SESSION_STATE_UDP);
	KUNIT_EXPECT_NULL(test, open(test, &key, 1002, &drop));
	KUNIT_EXPECT_EQ(test, drop, CLB_STATS_A_DROP_SESSION_LIMIT);
	KUNIT_EXPECT_EQ(test, open_sessions(), 1);
	WRITE_ONCE(clb_test_net()->max_sessions, max);
}

/*
 * Half-open ones of another listener are few and far between in a table that
 * has room for many: they make room all the same.
 */
static void sparse_table(struct kunit *test)
{
	struct clb_endpoint flooded = listener(test, IPPROTO_UDP, 53,
					       CLB_MODE_NAT, 1, NULL);
	struct clb_endpoint other = listener(test, IPPROTO_TCP, 80,
					     CLB_MODE_NAT, 1, NULL);
	u32 max = clb_test_net()->max_sessions;
	enum clb_stats_attr drop = 0;
	struct clb_session *s;
	int i, refused = 0;

	WRITE_ONCE(clb_test_net()->max_sessions, 4);
	for (i = 0; i < 4; i++)
		open(test, &flooded, 1000 + i, &drop);
	for (i = 0; i < 100; i++) {
		s = open(test, &other, 1000 + i, &drop);
		if (s)
			kill(s);
		else
			refused++;
		open(test, &flooded, 2000 + i, &drop);
		KUNIT_EXPECT_EQ(test, open_sessions(), 4);
	}
	WRITE_ONCE(clb_test_net()->max_sessions, max);
	KUNIT_EXPECT_EQ(test, refused, 0);
}

/*
 * Of few half-open ones that make room it is the one that was silent for
 * longest, whatever its timeout and whoever came first.
 */
static void idlest_first(struct kunit *test)
{
	struct clb_endpoint udp = listener(test, IPPROTO_UDP, 53, CLB_MODE_DR,
					   1, NULL);
	struct clb_endpoint tcp = listener(test, IPPROTO_TCP, 80, CLB_MODE_DR,
					   1, NULL);
	u32 max = clb_test_net()->max_sessions;
	struct clb_session *s[3];
	enum clb_stats_attr drop = 0;
	int i, idlest;

	for (i = 0; i < 30; i++) {
		struct clb_tuple clients[] = {
			client_of(test, &tcp, 1000 + i),
			client_of(test, &udp, 1000 + i),
			client_of(test, &tcp, 2000 + i),
		};
		enum clb_dir dir;
		int k;

		s[0] = open(test, &tcp, 1000 + i, &drop);
		s[1] = open(test, &udp, 1000 + i, &drop);
		s[2] = open(test, &tcp, 2000 + i, &drop);
		idlest = i % 3;
		for (k = 0; k < 3; k++) {
			KUNIT_ASSERT_NOT_NULL(test, s[k]);
			s[k]->deadline -= k == idlest ? 2 * HZ : HZ / 10 * k;
		}
		WRITE_ONCE(clb_test_net()->max_sessions, 3);
		KUNIT_EXPECT_NOT_NULL(test, open(test, &udp, 3000 + i, &drop));
		WRITE_ONCE(clb_test_net()->max_sessions, max);
		for (k = 0; k < 3; k++)
			KUNIT_EXPECT_EQ_MSG(test, !!find(&clients[k], &dir),
					    k != idlest, "%d of round %d", k,
					    i);
		clb_sessions_end(clb_test_net(),
				 &(struct clb_session_filter){ .state = -1 });
	}
}

static void one_a_second(struct clb_listener_conf *conf)
{
	conf->opt.max_new_sessions = 1;
}

static void new_rate(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   1, one_a_second);
	enum clb_stats_attr drop = 0;
	int i, refused = 0;

	for (i = 0; i < 50; i++)
		refused += !open(test, &key, 1000 + i, &drop) &&
			   drop == CLB_STATS_A_DROP_NEW_RATE;
	KUNIT_EXPECT_GT(test, refused, 0);
	KUNIT_EXPECT_EQ(test, open_sessions(), 50 - refused);
}

static void expires(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   1, NULL);
	struct clb_tuple client = client_of(test, &key, 1000);
	enum clb_stats_attr drop = 0;
	struct clb_session *s = open(test, &key, 1000, &drop);
	enum clb_dir dir;

	KUNIT_ASSERT_NOT_NULL(test, s);
	WRITE_ONCE(s->deadline, (u32)jiffies + 100 * HZ);
	KUNIT_EXPECT_FALSE(test, clb_session_expired(s));
	KUNIT_EXPECT_PTR_EQ(test, find(&client, &dir), s);
	WRITE_ONCE(s->deadline, (u32)jiffies);
	KUNIT_EXPECT_NULL(test, find(&client, &dir));
	KUNIT_EXPECT_EQ(test, open_sessions(), 0);
}

static void bound(struct clb_listener_conf *conf)
{
	conf->opt.persistence = 600;
}

/* A client's next session goes to another server if its own has weight 0. */
static void bound_to_weight_0(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   2, bound);
	enum clb_stats_attr drop = 0;
	struct clb_server *server;
	struct clb_listener_conf *conf;
	struct clb_ruleset *draft;
	struct clb_session *s;
	u32 i;

	s = open(test, &key, 1000, &drop);
	KUNIT_ASSERT_NOT_NULL(test, s);
	server = s->server;
	for (i = 1; i < 4; i++) {
		s = open(test, &key, 1000 + i, &drop);
		KUNIT_ASSERT_NOT_NULL(test, s);
		KUNIT_EXPECT_PTR_EQ(test, s->server, server);
	}
	draft = clb_test_draft(test);
	conf = clb_draft_listener(draft, &key);
	for (i = 0; i < conf->nr_servers; i++)
		if (clb_endpoint_equal(&conf->servers[i].key, &server->key))
			conf->servers[i].weight = 0;
	clb_test_publish(test, draft);
	s = open(test, &key, 2000, &drop);
	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_PTR_NE(test, s->server, server);
}

static struct clb_session *binding(struct kunit *test,
				   const struct clb_endpoint *key)
{
	struct clb_tuple tuple = client_of(test, key, 0);
	enum clb_dir dir;

	tuple.kind = CLB_TUPLE_PERSISTENCE;
	return find(&tuple, &dir);
}

struct segment {
	enum clb_dir	dir;
	u8		flags;
	u32		ack;
	bool		confirmed;
};

/* Segments or datagrams, and whether the client is bound for long then. */
static void confirms(struct kunit *test, u8 protocol,
		     const struct segment *step, unsigned int steps)
{
	struct clb_endpoint key = listener(test, protocol, 80, CLB_MODE_NAT,
					   1, bound);
	struct clb_packet pkt = { .tuple.protocol = protocol, .seq = 1000 };
	enum clb_stats_attr drop = 0;
	struct clb_session *s = open(test, &key, 1000, &drop), *b;
	unsigned int i;
	s32 left;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < steps; i++) {
		pkt.tcp_flags = step[i].flags;
		pkt.ack = step[i].ack;
		local_bh_disable();
		rcu_read_lock();
		clb_session_track(s, step[i].dir, &pkt);
		/* the collector passes by */
		clb_persistence_refresh(clb_test_net(), s);
		rcu_read_unlock();
		local_bh_enable();
		b = binding(test, &key);
		KUNIT_ASSERT_NOT_NULL(test, b);
		KUNIT_EXPECT_EQ_MSG(test, b->confirmed, step[i].confirmed,
				    "step %u", i);
		left = b->deadline - (u32)jiffies;
		KUNIT_EXPECT_EQ_MSG(test, left > 300 * HZ, step[i].confirmed,
				    "step %u", i);
	}
}

static void bound_by_tcp(struct kunit *test)
{
	static const struct segment steps[] = {
		{ CLB_DIR_ORIGINAL, CLB_TCP_SYN },
		{ CLB_DIR_ORIGINAL, CLB_TCP_FIN | CLB_TCP_ACK, 1000 },
		{ CLB_DIR_REPLY, CLB_TCP_SYN | CLB_TCP_ACK, 1000 },
		{ CLB_DIR_ORIGINAL, CLB_TCP_ACK, 1000000 },
		{ CLB_DIR_ORIGINAL, CLB_TCP_FIN | CLB_TCP_ACK, 1000000 },
		{ CLB_DIR_ORIGINAL, CLB_TCP_ACK, 1000, true },
	};

	confirms(test, IPPROTO_TCP, steps, ARRAY_SIZE(steps));
}

static void bound_by_udp(struct kunit *test)
{
	static const struct segment steps[] = {
		{ CLB_DIR_ORIGINAL }, { CLB_DIR_ORIGINAL },
		{ CLB_DIR_REPLY }, { CLB_DIR_REPLY },
		{ CLB_DIR_ORIGINAL, .confirmed = true },
	};

	confirms(test, IPPROTO_UDP, steps, ARRAY_SIZE(steps));
}

static void filters(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_TCP, 80, CLB_MODE_NAT,
					   1, NULL);
	struct clb_endpoint server = clb_test_endpoint(test, SERVER1, 0,
						       IPPROTO_TCP);
	struct clb_endpoint other = clb_test_endpoint(test, VIP, 81,
						      IPPROTO_TCP);
	struct clb_session_filter f = { .state = -1 };
	enum clb_stats_attr drop = 0;
	struct clb_session *s = open(test, &key, 1000, &drop);

	KUNIT_ASSERT_NOT_NULL(test, s);
	KUNIT_EXPECT_TRUE(test, clb_session_matches(s, &f));
	f.listener = &key;
	f.server = &server;
	f.client = clb_test_endpoint(test, "192.0.2.77", 1000, 0);
	f.state = CLB_SESSION_STATE_NONE;
	KUNIT_EXPECT_TRUE(test, clb_session_matches(s, &f));
	f.listener = &other;
	KUNIT_EXPECT_FALSE(test, clb_session_matches(s, &f));
	f.listener = NULL;
	f.server = &other;
	KUNIT_EXPECT_FALSE(test, clb_session_matches(s, &f));
	server.port = htons(8080);
	f.server = &server;
	KUNIT_EXPECT_FALSE(test, clb_session_matches(s, &f));
	f.server = NULL;
	f.client.port = htons(1001);
	KUNIT_EXPECT_FALSE(test, clb_session_matches(s, &f));
	f.client = clb_test_endpoint(test, "192.0.2.78", 0, 0);
	KUNIT_EXPECT_FALSE(test, clb_session_matches(s, &f));
	f.client = clb_test_endpoint(test, "2001:db8::1", 0, 0);
	KUNIT_EXPECT_FALSE(test, clb_session_matches(s, &f));
	f.client.family = 0;
	f.state = CLB_SESSION_STATE_ESTABLISHED;
	KUNIT_EXPECT_FALSE(test, clb_session_matches(s, &f));
}

#define RACES 400

struct racer {
	struct kunit		*test;
	const struct clb_endpoint *key;
	struct completion	done;
	int			lost;
};

static int racer_run(void *data)
{
	struct racer *r = data;
	enum clb_stats_attr drop;
	int i;

	for (i = 0; i < RACES; i++) {
		r->lost += !open(r->test, r->key, 1000 + i, &drop);
		cond_resched();
	}
	complete(&r->done);
	return 0;
}

/* Two processors with the first packets of the same flows. */
static void races(struct kunit *test)
{
	struct clb_endpoint key = listener(test, IPPROTO_UDP, 53, CLB_MODE_NAT,
					   2, NULL);
	struct racer racer[2] = {
		{ .test = test, .key = &key }, { .test = test, .key = &key },
	};
	struct task_struct *task;
	int i;

	for (i = 0; i < 2; i++) {
		init_completion(&racer[i].done);
		task = kthread_run(racer_run, &racer[i], "clb_test_racer");
		if (IS_ERR(task))
			complete(&racer[i].done);
		KUNIT_EXPECT_FALSE(test, IS_ERR(task));
	}
	for (i = 0; i < 2; i++) {
		wait_for_completion(&racer[i].done);
		KUNIT_EXPECT_EQ(test, racer[i].lost, 0);
	}
	KUNIT_EXPECT_EQ(test, open_sessions(), RACES);
}

static struct kunit_case session_cases[] = {
	KUNIT_CASE(nat),
	KUNIT_CASE(dies_once),
	KUNIT_CASE(direct),
	KUNIT_CASE(fnat),
	KUNIT_CASE(fnat_without_a_pool),
	KUNIT_CASE(fnat_without_a_port),
	KUNIT_CASE(no_server),
	KUNIT_CASE(replies_that_clash),
	KUNIT_CASE(replies_of_the_dead),
	KUNIT_CASE(listener_limit),
	KUNIT_CASE(closed_ones),
	KUNIT_CASE(namespace_limit),
	KUNIT_CASE(sparse_table),
	KUNIT_CASE(idlest_first),
	KUNIT_CASE(new_rate),
	KUNIT_CASE(expires),
	KUNIT_CASE(bound_to_weight_0),
	KUNIT_CASE(bound_by_tcp),
	KUNIT_CASE(bound_by_udp),
	KUNIT_CASE(filters),
	KUNIT_CASE(races),
	{}
};

struct kunit_suite clb_test_session = {
	.name = "clb_session",
	.exit = clb_test_flush,
	.test_cases = session_cases,
};
