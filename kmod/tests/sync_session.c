// SPDX-License-Identifier: GPL-2.0
/* What is done about another node's words, and what is said of a session. */
#include <linux/slab.h>

#include "../collector.h"
#include "../sync_engine.h"
#include "test.h"

#define VIP "203.0.113.1"
#define SERVER1 "198.51.100.11"
#define SERVER2 "198.51.100.12"
#define CLIENT "192.0.2.77"

static struct clb_endpoint key_of(struct kunit *test, u8 protocol)
{
	return clb_test_endpoint(test, VIP, 80, protocol);
}

/* A listener with two servers in force, and sync that nobody hears. */
static struct clb_sync *sync_of(struct kunit *test, u8 protocol)
{
	struct clb_endpoint key = key_of(test, protocol);
	struct clb_ruleset *draft = clb_test_draft(test);
	struct clb_listener_conf *conf;
	struct clb_sync *sync;

	conf = clb_test_listener(test, draft, &key, CLB_MODE_NAT);
	clb_test_server(test, conf, SERVER1, 0, 100);
	clb_test_server(test, conf, SERVER2, 0, 100);
	clb_test_publish(test, draft);
	sync = kvzalloc(sizeof(*sync), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sync);
	sync->cn = clb_test_net();
	spin_lock_init(&sync->lock);
	sync->stats = alloc_percpu(struct clb_sync_stats);
	KUNIT_EXPECT_TRUE(test, !!sync->stats);
	KUNIT_ASSERT_EQ(test, clb_sync_queues_alloc(sync), 0);
	KUNIT_ASSERT_EQ(test, clb_sync_tombs_alloc(sync), 0);
	/* nobody to be woken, nothing to be sent */
	sync->idle = false;
	sync->flushed = ktime_get_ns() + 3600 * NSEC_PER_SEC;
	return sync;
}

static void sync_free(struct kunit *test, struct clb_sync *sync)
{
	clb_test_flush(test);
	clb_sync_tombs_free(sync);
	clb_sync_queues_free(sync);
	free_percpu(sync->stats);
	kvfree(sync);
}

static unsigned long counted(const struct clb_sync *sync,
			     enum clb_sync_attr which)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(sync->stats, cpu)->count[which];
	return sum;
}

static struct clb_sync_session word(struct kunit *test, const char *server,
				    u8 protocol, u8 state, u32 born)
{
	struct clb_sync_session told;

	memset(&told, 0, sizeof(told));
	told.listener = key_of(test, protocol);
	told.server = clb_test_endpoint(test, server, 0, protocol);
	clb_test_addr(test, CLIENT, &told.client);
	told.client_port = htons(1000);
	told.port = htons(80);
	told.state = state;
	told.born = born;
	return told;
}

static void apply(struct clb_sync *sync, const struct clb_sync_session *told)
{
	local_bh_disable();
	rcu_read_lock();
	clb_sync_apply(sync, told);
	rcu_read_unlock();
	local_bh_enable();
}

static void apply_gone(struct kunit *test, struct clb_sync *sync, u32 born)
{
	struct clb_sync_gone gone = {
		.listener = key_of(test, IPPROTO_TCP), .born = born,
		.client_port = htons(1000), .port = htons(80),
	};

	clb_test_addr(test, CLIENT, &gone.client);
	local_bh_disable();
	rcu_read_lock();
	clb_sync_apply_gone(sync, &gone);
	rcu_read_unlock();
	local_bh_enable();
}

/* A session of the client; only for a look, where nobody else ends it. */
static struct clb_session *session_from(struct kunit *test, u16 port,
					u8 protocol)
{
	struct clb_tuple tuple = clb_test_tuple(test, CLIENT, port, VIP, 80,
						protocol);
	struct clb_table *table = &clb_test_net()->table;
	struct clb_tuplehash *entry;

	rcu_read_lock();
	entry = clb_table_find(table, &tuple, clb_table_hash(table, &tuple));
	rcu_read_unlock();
	return entry ? clb_session_of(entry) : NULL;
}

static struct clb_session *session_of(struct kunit *test, u8 protocol)
{
	return session_from(test, 1000, protocol);
}

/* Without a word. */
static void expire(struct kunit *test, struct clb_sync *sync)
{
	struct clb_session *session = session_of(test, IPPROTO_TCP);

	KUNIT_ASSERT_NOT_NULL(test, session);
	local_bh_disable();
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, clb_session_kill(sync->cn, session));
	rcu_read_unlock();
	local_bh_enable();
}

static bool is_at(struct kunit *test, const struct clb_session *session,
		  const char *server)
{
	union nf_inet_addr addr;

	clb_test_addr(test, server, &addr);
	return session && clb_addr_equal(&session->server->key.addr, &addr);
}

static void copy(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER2, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 7);
	struct clb_session *s;

	apply(sync, &told);
	s = session_of(test, IPPROTO_TCP);
	KUNIT_EXPECT_TRUE(test, is_at(test, s, SERVER2));
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_CREATED), 1);
	if (s) {
		KUNIT_EXPECT_EQ(test, clb_session_born(s), 7);
		KUNIT_EXPECT_EQ(test, atomic_read(&s->server->active), 1);
		/* nobody need be told, and nothing of it is our own */
		KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
		KUNIT_EXPECT_TRUE(test, clb_sync_tellable(s, false));
		KUNIT_EXPECT_FALSE(test, clb_sync_tellable(s, true));
	}
	/* the same word again makes no second one */
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, atomic_read(&clb_test_net()->nr_sessions), 1);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_UPDATED), 1);
	sync_free(test, sync);
}

static void refused(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, "198.51.100.13",
					    IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 7);

	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_SERVER), 1);
	told = word(test, SERVER1, IPPROTO_TCP, CLB_SESSION_STATE_ESTABLISHED,
		    7);
	told.listener.port = htons(81);
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_LISTENER), 1);
	told.listener.port = htons(80);
	told.state = CLB_SESSION_STATE_PERSISTENCE;
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_UNFIT), 1);
	KUNIT_EXPECT_NULL(test, session_of(test, IPPROTO_TCP));
	KUNIT_EXPECT_EQ(test, atomic_read(&clb_test_net()->nr_sessions), 0);
	sync_free(test, sync);
}

static bool is_made(struct kunit *test, struct clb_sync *sync, u16 port,
		    u8 state)
{
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP, state,
					    7);

	told.client_port = htons(port);
	apply(sync, &told);
	return session_from(test, port, IPPROTO_TCP);
}

/* A half-open session makes room for one that is more, and for no other. */
static void full(struct kunit *test, bool of_listener)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	u32 *limit = &clb_test_net()->max_sessions, max;
	struct clb_listener *listener;

	KUNIT_ASSERT_TRUE(test, is_made(test, sync, 1000,
					CLB_SESSION_STATE_SYN_RECV));
	listener = session_of(test, IPPROTO_TCP)->server->listener;
	if (of_listener)
		limit = &listener->max_sessions;
	max = *limit;
	*limit = 2;
	KUNIT_EXPECT_TRUE(test, is_made(test, sync, 1001,
					CLB_SESSION_STATE_ESTABLISHED));
	KUNIT_EXPECT_FALSE(test, is_made(test, sync, 1002,
					 CLB_SESSION_STATE_SYN_RECV));
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_LIMIT), 1);
	KUNIT_EXPECT_TRUE(test, is_made(test, sync, 1003,
					CLB_SESSION_STATE_FIN_CLIENT));
	KUNIT_EXPECT_NULL(test, session_of(test, IPPROTO_TCP));
	KUNIT_EXPECT_FALSE(test, is_made(test, sync, 1004,
					 CLB_SESSION_STATE_ESTABLISHED));
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_LIMIT), 2);
	KUNIT_EXPECT_NOT_NULL(test, session_from(test, 1001, IPPROTO_TCP));
	KUNIT_EXPECT_EQ(test, atomic_read(&clb_test_net()->nr_sessions), 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&listener->sessions), 2);
	*limit = max;
	sync_free(test, sync);
}

static void full_namespace(struct kunit *test)
{
	full(test, false);
}

static void full_listener(struct kunit *test)
{
	full(test, true);
}

static const struct {
	u8	first;
	u8	second;
	u8	want;
} merges[] = {
	{ CLB_SESSION_STATE_SYN_SENT, CLB_SESSION_STATE_ESTABLISHED,
	  CLB_SESSION_STATE_ESTABLISHED },
	{ CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_SYN_RECV,
	  CLB_SESSION_STATE_ESTABLISHED },
	{ CLB_SESSION_STATE_FIN_CLIENT, CLB_SESSION_STATE_FIN_SERVER,
	  CLB_SESSION_STATE_CLOSING },
	{ CLB_SESSION_STATE_FIN_SERVER, CLB_SESSION_STATE_FIN_CLIENT,
	  CLB_SESSION_STATE_CLOSING },
	{ CLB_SESSION_STATE_TIME_WAIT, CLB_SESSION_STATE_ESTABLISHED,
	  CLB_SESSION_STATE_TIME_WAIT },
	{ CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_CLOSED,
	  CLB_SESSION_STATE_CLOSED },
};

static void merged(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(merges); i++) {
		told = word(test, SERVER1, IPPROTO_TCP, merges[i].first,
			    100 + i);
		apply(sync, &told);
		told.state = merges[i].second;
		apply(sync, &told);
		KUNIT_ASSERT_NOT_NULL(test, session_of(test, IPPROTO_TCP));
		KUNIT_EXPECT_EQ(test,
				session_of(test, IPPROTO_TCP)->state,
				merges[i].want);
		apply_gone(test, sync, 100 + i);
	}
	sync_free(test, sync);
}

/* Numbers for resets are those of packets that passed here, and last. */
static void elsewhere(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP,
					    CLB_SESSION_STATE_SYN_RECV, 100);
	struct clb_session *session;

	apply(sync, &told);
	session = session_of(test, IPPROTO_TCP);
	KUNIT_ASSERT_NOT_NULL(test, session);
	session->reset_seq[CLB_DIR_ORIGINAL] = 5;
	session->reset_seq[CLB_DIR_REPLY] = 6;
	session->deadline += 3600 * HZ;
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_ORIGINAL], 5);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_REPLY], 6);
	told.state = CLB_SESSION_STATE_ESTABLISHED;
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_ORIGINAL], 0);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_REPLY], 0);
	apply_gone(test, sync, 100);
	sync_free(test, sync);
}

/* What others say of a client that is on this node, where one was forged. */
static void of_a_client_here(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 100);
	struct clb_session *session;

	apply(sync, &told);
	session = session_of(test, IPPROTO_TCP);
	KUNIT_ASSERT_NOT_NULL(test, session);
	session->from_here = true;
	told.state = CLB_SESSION_STATE_CLOSED;
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, session->state, CLB_SESSION_STATE_ESTABLISHED);
	told = word(test, SERVER2, IPPROTO_TCP, CLB_SESSION_STATE_ESTABLISHED,
		    1000);
	apply(sync, &told);
	apply_gone(test, sync, 900);
	KUNIT_EXPECT_PTR_EQ(test, session_of(test, IPPROTO_TCP), session);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_CONFLICT), 2);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_ENDED), 0);
	/* its time is over: it is in nobody's way */
	session->deadline = (u32)jiffies - 1;
	apply(sync, &told);
	KUNIT_EXPECT_TRUE(test, is_at(test, session_of(test, IPPROTO_TCP),
				      SERVER2));
	sync_free(test, sync);
}

/* Before the collector has come by. */
static void of_a_dead_server(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER2, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 100);
	struct clb_session *session;
	struct clb_server *server;

	apply(sync, &told);
	session = session_of(test, IPPROTO_TCP);
	KUNIT_ASSERT_NOT_NULL(test, session);
	server = session->server;
	server->state = CLB_SERVER_STATE_DOWN;
	told = word(test, SERVER1, IPPROTO_TCP, CLB_SESSION_STATE_ESTABLISHED,
		    99);
	apply(sync, &told);
	KUNIT_EXPECT_TRUE(test, is_at(test, session_of(test, IPPROTO_TCP),
				      SERVER1));
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_ENDED), 1);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_CREATED), 2);
	server->state = CLB_SERVER_STATE_UP;
	sync_free(test, sync);
}

static bool fetches(struct clb_sync *sync)
{
	bool lost = sync->peers[0].lost;

	sync->peers[0].lost = false;
	return lost;
}

static void gained(struct clb_sync *sync)
{
	struct clb_net *cn = clb_test_net();

	mutex_lock(&cn->config_lock);
	rcu_assign_pointer(cn->sync, sync);
	__clb_sync_gained(cn);
	rcu_assign_pointer(cn->sync, NULL);
	mutex_unlock(&cn->config_lock);
	synchronize_rcu();
}

static void swept(struct clb_sync *sync)
{
	struct clb_net *cn = clb_test_net();

	rcu_assign_pointer(cn->sync, sync);
	__clb_sync_swept(cn);
	rcu_assign_pointer(cn->sync, NULL);
	synchronize_rcu();
}

/* What lacked is fetched once a server is there and the collector is done. */
static void lacking(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_net *cn = clb_test_net();

	/* for this it must stand still */
	clb_collector_stop(cn);
	spin_lock_init(&sync->lock);
	init_waitqueue_head(&sync->wait);
	sync->peers[0].node = 2;
	gained(sync);
	KUNIT_EXPECT_FALSE(test, fetches(sync));
	sync->lacking = true;
	swept(sync);
	KUNIT_EXPECT_FALSE(test, fetches(sync));
	gained(sync);
	KUNIT_EXPECT_TRUE(test, fetches(sync));
	KUNIT_EXPECT_FALSE(test, sync->lacking);
	/* the collector has yet to end some */
	sync->lacking = true;
	cn->sweeps_wanted++;
	gained(sync);
	KUNIT_EXPECT_FALSE(test, fetches(sync));
	cn->sweeps_done++;
	swept(sync);
	KUNIT_EXPECT_TRUE(test, fetches(sync));
	swept(sync);
	KUNIT_EXPECT_FALSE(test, fetches(sync));
	clb_collector_start(cn);
	sync_free(test, sync);
}

static const struct {
	u8	state[2];
	u32	born[2];
	int	wins;
} conflicts[] = {
	/* established before half-open before closing, whichever is younger */
	{ { CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_SYN_SENT },
	  { 1, 2 }, 0 },
	{ { CLB_SESSION_STATE_TIME_WAIT, CLB_SESSION_STATE_SYN_SENT },
	  { 2, 1 }, 1 },
	{ { CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_TIME_WAIT },
	  { 1, 2 }, 0 },
	/* then the younger one, also across the end of numbers */
	{ { CLB_SESSION_STATE_SYN_SENT, CLB_SESSION_STATE_SYN_RECV },
	  { 1, 2 }, 1 },
	{ { CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_ESTABLISHED },
	  { 2, 1 }, 0 },
	{ { CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_ESTABLISHED },
	  { 5, 0xfffffff0 }, 0 },
	/* but the younger one before all, if they are of no one handshake */
	{ { CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_SYN_SENT },
	  { 1, 1000 }, 1 },
	{ { CLB_SESSION_STATE_SYN_SENT, CLB_SESSION_STATE_CLOSED },
	  { 1, 1000 }, 1 },
	/* of before sync was started is older than all */
	{ { CLB_SESSION_STATE_SYN_SENT, CLB_SESSION_STATE_SYN_SENT },
	  { 0xf0000000, 0 }, 0 },
	/* then the lower server */
	{ { CLB_SESSION_STATE_ESTABLISHED, CLB_SESSION_STATE_ESTABLISHED },
	  { 1, 1 }, 0 },
};

/* Two nodes that hear the same in another order keep the same. */
static void settled(struct kunit *test)
{
	static const char * const servers[] = { SERVER1, SERVER2 };
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told[2];
	unsigned int i, first, k;

	for (i = 0; i < ARRAY_SIZE(conflicts); i++) {
		for (k = 0; k < 2; k++)
			told[k] = word(test, servers[k], IPPROTO_TCP,
				       conflicts[i].state[k],
				       conflicts[i].born[k]);
		for (first = 0; first < 2; first++) {
			apply(sync, &told[first]);
			apply(sync, &told[!first]);
			KUNIT_EXPECT_TRUE_MSG(test,
					      is_at(test,
						    session_of(test,
							       IPPROTO_TCP),
						    servers[conflicts[i].wins]),
					      "case %u, first %u", i, first);
			expire(test, sync);
			KUNIT_EXPECT_NULL(test, session_of(test, IPPROTO_TCP));
		}
	}
	sync_free(test, sync);
}

/* Of an earlier connection of the same port nothing is to be believed. */
static void gone(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 7);

	apply(sync, &told);
	apply_gone(test, sync, 6);
	KUNIT_EXPECT_NOT_NULL(test, session_of(test, IPPROTO_TCP));
	apply_gone(test, sync, 7);
	KUNIT_EXPECT_NULL(test, session_of(test, IPPROTO_TCP));
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_ENDED), 1);
	apply_gone(test, sync, 7);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_ENDED), 1);
	sync_free(test, sync);
}

static bool makes_one(struct kunit *test, struct clb_sync *sync, u32 born)
{
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED,
					    born);
	bool made;

	apply(sync, &told);
	made = session_of(test, IPPROTO_TCP);
	if (made)
		expire(test, sync);
	return made;
}

/* What was ended no old word makes again, whoever says it. */
static void ended(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session other = word(test, SERVER1, IPPROTO_TCP,
					     CLB_SESSION_STATE_ESTABLISHED, 6);

	KUNIT_EXPECT_TRUE(test, makes_one(test, sync, 7));
	apply_gone(test, sync, 7);
	KUNIT_EXPECT_EQ(test, clb_sync_queues_len(sync), 0);
	KUNIT_EXPECT_FALSE(test, makes_one(test, sync, 7));
	KUNIT_EXPECT_FALSE(test, makes_one(test, sync, 6));
	KUNIT_EXPECT_FALSE(test, makes_one(test, sync, 0));
	KUNIT_EXPECT_FALSE(test, makes_one(test, sync, 0xfffffff0));
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_ENDED), 4);
	/* whoever believes in it is told, each time */
	KUNIT_EXPECT_EQ(test, clb_sync_queues_len(sync), 4);
	/* a later connection of the same port is another one */
	KUNIT_EXPECT_TRUE(test, makes_one(test, sync, 8));
	/* an older word on its end, or one said twice, undoes nothing */
	apply_gone(test, sync, 5);
	apply_gone(test, sync, 7);
	KUNIT_EXPECT_FALSE(test, makes_one(test, sync, 7));
	apply_gone(test, sync, 9);
	KUNIT_EXPECT_FALSE(test, makes_one(test, sync, 8));
	/* other flows go on */
	other.client_port = htons(1001);
	apply(sync, &other);
	KUNIT_EXPECT_NOT_NULL(test, session_from(test, 1001, IPPROTO_TCP));
	sync_free(test, sync);
}

/* Of those of before sync nobody knows when they were born. */
static void ended_before(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);

	apply_gone(test, sync, 0);
	KUNIT_EXPECT_FALSE(test, makes_one(test, sync, 0));
	KUNIT_EXPECT_TRUE(test, makes_one(test, sync, 1));
	KUNIT_EXPECT_TRUE(test, makes_one(test, sync, 0xfffffff0));
	sync_free(test, sync);
}

static struct clb_tuple flow(struct kunit *test, unsigned int i)
{
	struct clb_tuple tuple = clb_test_tuple(test, CLIENT, i & 0xffff, VIP,
						80, IPPROTO_TCP);

	tuple.src.ip ^= htonl(i >> 16);
	return tuple;
}

/* There is room for many, and the oldest give way. */
static void tombs(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	const unsigned int many = 400000, last = 100;
	unsigned int i, found[2] = { 0, 0 };
	struct clb_tuple tuple;
	u32 born = 0;

	local_bh_disable();
	for (i = 0; i < many; i++) {
		tuple = flow(test, i);
		clb_sync_tomb_put(sync, &tuple, i + 1, 0);
	}
	for (i = 0; i < many; i++) {
		tuple = flow(test, i);
		if (!clb_sync_tomb_find(sync, &tuple, 0, &born))
			continue;
		KUNIT_EXPECT_EQ(test, born, i + 1);
		found[i >= many - last]++;
	}
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, found[1], last);
	KUNIT_EXPECT_LE(test, found[0] + found[1], 65536U);
	KUNIT_EXPECT_GT(test, found[0] + found[1], 65000U);
	sync_free(test, sync);
}

/* They last as long as old words may be on their way, and no longer. */
static void tomb_expires(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	const u32 put = 0xfffffff0, again = put + CLB_SYNC_TOMB_LIFETIME - 1;
	const u32 over = again + CLB_SYNC_TOMB_LIFETIME;
	struct clb_tuple tuple = flow(test, 1);
	u32 born = 0;

	local_bh_disable();
	clb_sync_tomb_put(sync, &tuple, 7, put);
	KUNIT_EXPECT_TRUE(test, clb_sync_tomb_find(sync, &tuple, again, &born));
	KUNIT_EXPECT_EQ(test, born, 7);
	KUNIT_EXPECT_FALSE(test,
			   clb_sync_tomb_find(sync, &tuple, again + 1, &born));
	/* put anew, it has its whole life before it, and knows the latest */
	clb_sync_tomb_put(sync, &tuple, 5, again);
	KUNIT_EXPECT_TRUE(test,
			  clb_sync_tomb_find(sync, &tuple, again + 1, &born));
	KUNIT_EXPECT_EQ(test, born, 7);
	/* one that is over is no part of the next one of its flow */
	clb_sync_tomb_put(sync, &tuple, 3, over);
	KUNIT_EXPECT_TRUE(test, clb_sync_tomb_find(sync, &tuple, over, &born));
	KUNIT_EXPECT_EQ(test, born, 3);
	local_bh_enable();
	sync_free(test, sync);
}

/* A session that begins at this node. */
static struct clb_session *own_session(struct kunit *test, u8 protocol)
{
	struct clb_endpoint key = key_of(test, protocol);
	struct clb_tuple client = clb_test_tuple(test, CLIENT, 1000, VIP, 80,
						 protocol);
	enum clb_stats_attr drop;
	struct clb_session *s;

	s = clb_test_create(&key, &client, &drop);
	KUNIT_ASSERT_NOT_NULL(test, s);
	return s;
}

static const struct {
	u8	sync;
	u8	mode;
	u8	state;
	bool	known;		/* to the others */
	bool	wanted;
} wants[] = {
	{ CLB_SYNC_MODE_OFF, CLB_MODE_NAT, CLB_SESSION_STATE_ESTABLISHED,
	  false, false },
	{ CLB_SYNC_MODE_FIRST, CLB_MODE_NAT, CLB_SESSION_STATE_SYN_SENT,
	  false, true },
	{ CLB_SYNC_MODE_FIRST, CLB_MODE_NAT, CLB_SESSION_STATE_DEAD,
	  true, false },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_NAT, CLB_SESSION_STATE_SYN_SENT,
	  false, false },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_NAT, CLB_SESSION_STATE_SYN_RECV,
	  false, false },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_NAT,
	  CLB_SESSION_STATE_ESTABLISHED, false, true },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_NAT, CLB_SESSION_STATE_CLOSED,
	  false, false },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_NAT, CLB_SESSION_STATE_CLOSED,
	  true, true },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_FNAT, CLB_SESSION_STATE_UDP_NEW,
	  false, false },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_FNAT, CLB_SESSION_STATE_UDP,
	  false, true },
	/* no answer passes this node */
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_DR, CLB_SESSION_STATE_UDP_NEW,
	  false, true },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_TUN, CLB_SESSION_STATE_UDP_NEW,
	  false, true },
	{ CLB_SYNC_MODE_ESTABLISHED, CLB_MODE_DR, CLB_SESSION_STATE_SYN_SENT,
	  false, false },
};

/* Which sessions a listener wants others to know of. */
static void wanted(struct kunit *test)
{
	struct {
		struct clb_listener	listener;
		struct clb_server	server;
		struct clb_session	session;
	} *its;
	unsigned int i;

	its = kunit_kzalloc(test, sizeof(*its), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, its);
	its->server.listener = &its->listener;
	its->session.server = &its->server;
	for (i = 0; i < ARRAY_SIZE(wants); i++) {
		its->listener.sync = wants[i].sync;
		its->session.mode = wants[i].mode;
		its->session.synced = wants[i].known;
		KUNIT_EXPECT_EQ_MSG(test, wants[i].wanted,
				    clb_sync_wanted(&its->session,
						    wants[i].state),
				    "case %u", i);
	}
}

/* Told of once, and again when packets moved its deadline by a quarter. */
static void told_again(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_UDP);
	struct clb_session *s = own_session(test, IPPROTO_UDP);
	struct clb_sync_session told;
	u32 quarter;

	quarter = s->server->listener->timeouts[CLB_TIMEOUT_UDP] / 4;
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, clb_sync_stale(s));
	KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
	KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
	s->deadline += quarter / 2;
	KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
	s->deadline += quarter;
	KUNIT_EXPECT_TRUE(test, clb_sync_stale(s));
	KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
	KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
	s->from_here = true;
	KUNIT_EXPECT_FALSE(test, clb_sync_tell(s, 0, &told));
	rcu_read_unlock();
	sync_free(test, sync);
}

/* However long a timeout, the last packet before its end is told of. */
static void told_at_last(struct kunit *test)
{
	static const u32 timeouts[] = { 2, 60, 900, 2000, 3600, 40000, 86400 };
	struct clb_sync *sync = sync_of(test, IPPROTO_UDP);
	struct clb_session *s = own_session(test, IPPROTO_UDP);
	struct clb_sync_session told;
	unsigned int i, part;
	u32 timeout, moved;

	rcu_read_lock();
	for (i = 0; i < ARRAY_SIZE(timeouts) * 100; i++) {
		timeout = timeouts[i / 100] * HZ;
		part = i % 100 + 1;
		s->server->listener->timeouts[CLB_TIMEOUT_UDP] = timeout;
		moved = div_u64((u64)timeout * part, 100);
		/* a copy lives for a quarter longer, and 2 s */
		if (moved < min_t(u32, timeout / 4, 300 * HZ) + 2 * HZ)
			continue;
		s->deadline = (u32)jiffies + timeout;
		KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
		KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
		s->deadline += moved;
		KUNIT_EXPECT_TRUE_MSG(test, clb_sync_stale(s),
				      "%u s, %u %%", timeouts[i / 100], part);
	}
	rcu_read_unlock();
	sync_free(test, sync);
}

/* What it has left is told unless a packet was seen a moment ago. */
static void idle(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_UDP);
	struct clb_session *s = own_session(test, IPPROTO_UDP);
	struct clb_sync_session told;
	u32 half, deadline;

	half = s->server->listener->timeouts[CLB_TIMEOUT_UDP] / 2;
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
	KUNIT_EXPECT_FALSE(test, told.flags & CLB_SYNC_F_TIME);
	s->deadline -= half;
	KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
	KUNIT_EXPECT_TRUE(test, told.flags & CLB_SYNC_F_TIME);
	KUNIT_EXPECT_LE(test, told.time, jiffies_to_msecs(half));
	KUNIT_EXPECT_GT(test, told.time, jiffies_to_msecs(half / 2));
	/* its own word said back makes it no copy, and no longer */
	deadline = s->deadline;
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_UPDATED), 1);
	KUNIT_EXPECT_EQ(test, s->deadline, deadline);
	KUNIT_EXPECT_TRUE(test, clb_sync_tellable(s, true));
	/* that of who saw a later packet does */
	told.flags = 0;
	apply(sync, &told);
	KUNIT_EXPECT_GT(test, (s32)(s->deadline - deadline), 0);
	KUNIT_EXPECT_FALSE(test, clb_sync_tellable(s, true));
	rcu_read_unlock();
	sync_free(test, sync);
}

/* What happens while a session is put into words is not forgotten. */
static void told_meanwhile(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 7);
	struct clb_sync_session said;
	struct clb_sync_memory memory;
	struct clb_session *s;
	u32 timeout;

	apply(sync, &told);
	s = session_of(test, IPPROTO_TCP);
	KUNIT_ASSERT_NOT_NULL(test, s);
	timeout = s->server->listener->timeouts[CLB_TIMEOUT_ESTABLISHED];
	rcu_read_lock();
	/* packets passed here, and then at the other node, which says so */
	s->deadline = (u32)jiffies + timeout / 2;
	KUNIT_EXPECT_TRUE(test, clb_sync_tellable(s, true));
	KUNIT_EXPECT_TRUE(test, clb_sync_word(s, 0, &said, &memory));
	apply(sync, &told);
	KUNIT_EXPECT_FALSE(test, clb_sync_tellable(s, true));
	clb_sync_remember(s, &memory);
	KUNIT_EXPECT_FALSE(test, clb_sync_tellable(s, true));
	KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
	/* a packet passes here */
	KUNIT_EXPECT_TRUE(test, clb_sync_word(s, 0, &said, &memory));
	s->deadline = (u32)jiffies + timeout;
	clb_sync_remember(s, &memory);
	KUNIT_EXPECT_TRUE(test, clb_sync_tellable(s, true));
	rcu_read_unlock();
	sync_free(test, sync);
}

/* However often it is repeated, a copy lives as long as it was told first. */
static void repeated(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 7);
	u8 flags[] = { 0, CLB_SYNC_F_TIME };
	struct clb_session *s;
	unsigned int i;

	told.flags = CLB_SYNC_F_TIME;
	told.time = 60000;
	apply(sync, &told);
	s = session_of(test, IPPROTO_TCP);
	KUNIT_ASSERT_NOT_NULL(test, s);
	rcu_read_lock();
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, flags[i], &told));
		KUNIT_EXPECT_TRUE(test, told.flags & CLB_SYNC_F_TIME);
		KUNIT_EXPECT_LE(test, told.time, 60000);
		KUNIT_EXPECT_FALSE(test, clb_sync_tellable(s, true));
	}
	rcu_read_unlock();
	/* with its time over, it is kept for nothing but a late word */
	expire(test, sync);
	told.time = 0;
	apply(sync, &told);
	s = session_of(test, IPPROTO_TCP);
	KUNIT_ASSERT_NOT_NULL(test, s);
	rcu_read_lock();
	KUNIT_EXPECT_FALSE(test, clb_sync_tell(s, CLB_SYNC_F_TIME, &told));
	rcu_read_unlock();
	sync_free(test, sync);
}

/* A local port that another client has now. */
static void local_again(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_sync_session told = word(test, SERVER1, IPPROTO_TCP,
					    CLB_SESSION_STATE_ESTABLISHED, 7);

	told.mode = CLB_MODE_FNAT;
	clb_test_addr(test, "198.51.100.1", &told.local);
	told.local_port = htons(2000);
	apply(sync, &told);
	KUNIT_EXPECT_NOT_NULL(test, session_from(test, 1000, IPPROTO_TCP));
	told.client_port = htons(1001);
	told.born = 8;
	apply(sync, &told);
	KUNIT_EXPECT_NULL(test, session_from(test, 1000, IPPROTO_TCP));
	KUNIT_ASSERT_NOT_NULL(test, session_from(test, 1001, IPPROTO_TCP));
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_ENDED), 1);
	/* not of an earlier one, unless this one is over */
	told.client_port = htons(1002);
	told.born = 7;
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_CONFLICT), 1);
	session_from(test, 1001, IPPROTO_TCP)->deadline = (u32)jiffies - 1;
	apply(sync, &told);
	KUNIT_EXPECT_NOT_NULL(test, session_from(test, 1002, IPPROTO_TCP));
	sync_free(test, sync);
}

/* Who names the packets of a server means no session of a client. */
static void reply_named(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_session *s = own_session(test, IPPROTO_TCP);
	struct clb_sync_gone gone = {
		.listener = clb_test_endpoint(test, CLIENT, 1000, IPPROTO_TCP),
		.born = 0x7fffffff, .client_port = htons(80),
		.port = htons(1000),
	};

	gone.client = s->server->key.addr;
	local_bh_disable();
	rcu_read_lock();
	clb_sync_apply_gone(sync, &gone);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_NOT_NULL(test, session_of(test, IPPROTO_TCP));
	sync_free(test, sync);
}

/* By a thread that does not send before a datagram is full. */
static unsigned long said(struct clb_sync *sync)
{
	unsigned long before = counted(sync, CLB_SYNC_A_SENT_SESSIONS);

	sync->beat = false;
	sync->next_beat = jiffies + HZ;
	clb_sync_serve(sync);
	return counted(sync, CLB_SYNC_A_SENT_SESSIONS) - before;
}

static bool beats(struct clb_sync *sync)
{
	unsigned int len = sync->writer.len;

	sync->next_trail = jiffies;
	sync->next_beat = jiffies + 3600 * HZ;
	clb_sync_serve(sync);
	return sync->writer.len > len;
}

/* The last words are followed by heartbeats that show if they were lost. */
static void trail(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_session *s = own_session(test, IPPROTO_TCP);
	unsigned long begin = jiffies;
	unsigned int i;

	sync->config.mtu = CLB_SYNC_MTU_MAX;
	clb_sync_life_begin(sync, 0);
	KUNIT_EXPECT_FALSE(test, beats(sync));
	local_bh_disable();
	rcu_read_lock();
	rcu_assign_pointer(clb_test_net()->sync, sync);
	__clb_sync_created(s);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, said(sync), 1);
	KUNIT_EXPECT_TRUE(test, time_after(sync->next_trail, begin));
	for (i = 0; i < CLB_SYNC_TRAIL; i++)
		KUNIT_EXPECT_TRUE(test, beats(sync));
	KUNIT_EXPECT_FALSE(test, beats(sync));
	rcu_assign_pointer(clb_test_net()->sync, NULL);
	synchronize_rcu();
	sync_free(test, sync);
}

/* What happens to a session before others are told is one record. */
static void once(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_TCP);
	struct clb_session *s = own_session(test, IPPROTO_TCP);
	struct clb_sync_session told;

	sync->config.mtu = CLB_SYNC_MTU_MAX;
	clb_sync_life_begin(sync, 0);
	local_bh_disable();
	rcu_read_lock();
	rcu_assign_pointer(clb_test_net()->sync, sync);
	__clb_sync_created(s);
	s->state = CLB_SESSION_STATE_ESTABLISHED;
	__clb_sync_changed(s, CLB_SESSION_STATE_SYN_RECV, s->state);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, clb_sync_queues_len(sync), 2);
	KUNIT_EXPECT_EQ(test, said(sync), 1);
	local_bh_disable();
	rcu_read_lock();
	s->state = CLB_SESSION_STATE_FIN_CLIENT;
	__clb_sync_changed(s, CLB_SESSION_STATE_ESTABLISHED, s->state);
	rcu_read_unlock();
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, said(sync), 1);
	/* who believes something else is told although nothing is new */
	told = word(test, SERVER1, IPPROTO_TCP, CLB_SESSION_STATE_SYN_SENT, 1);
	clb_session_set_born(s, 100000);
	if (is_at(test, s, SERVER1))
		told.server = clb_test_endpoint(test, SERVER2, 0, IPPROTO_TCP);
	apply(sync, &told);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_REFUSED_CONFLICT), 1);
	KUNIT_EXPECT_EQ(test, said(sync), 1);
	rcu_assign_pointer(clb_test_net()->sync, NULL);
	synchronize_rcu();
	sync_free(test, sync);
}

/* What was ended by hand is, also where nobody hears of what came after it. */
static void ended_and_private(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_UDP);
	struct clb_session *s = own_session(test, IPPROTO_UDP);

	sync->config.mtu = CLB_SYNC_MTU_MAX;
	clb_sync_life_begin(sync, 0);
	s->server->listener->sync = CLB_SYNC_MODE_ESTABLISHED;
	clb_session_set_born(s, 1000);
	local_bh_disable();
	clb_sync_gone_again(sync, clb_session_tuple(s, CLB_DIR_ORIGINAL), 900);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, said(sync), 0);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_SENT_GONE), 1);
	/* this one was not ended */
	local_bh_disable();
	clb_sync_gone_again(sync, clb_session_tuple(s, CLB_DIR_ORIGINAL), 1000);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, said(sync), 0);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_SENT_GONE), 1);
	s->server->listener->sync = CLB_SYNC_MODE_FIRST;
	sync_free(test, sync);
}

/* What finds no room is counted, and found in the table. */
static void full_queue(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_UDP);
	struct clb_session *s = own_session(test, IPPROTO_UDP);
	struct clb_sync_session told;
	unsigned int i;

	local_bh_disable();
	rcu_read_lock();
	KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
	for (i = 0; i < CLB_SYNC_QUEUE; i++)
		clb_sync_say_again(sync, s);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_QUEUE_FULL), 0);
	KUNIT_EXPECT_FALSE(test, sync->sweep);
	KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
	clb_sync_say_again(sync, s);
	KUNIT_EXPECT_EQ(test, counted(sync, CLB_SYNC_A_QUEUE_FULL), 1);
	KUNIT_EXPECT_EQ(test, clb_sync_queues_len(sync), CLB_SYNC_QUEUE);
	KUNIT_EXPECT_TRUE(test, sync->sweep);
	KUNIT_EXPECT_TRUE(test, clb_sync_stale(s));
	rcu_read_unlock();
	local_bh_enable();
	sync_free(test, sync);
}

/* However long nobody was told, what moved is told soon. */
static void told_after_long(struct kunit *test)
{
	struct clb_sync *sync = sync_of(test, IPPROTO_UDP);
	struct clb_session *s = own_session(test, IPPROTO_UDP);
	u32 timeout = 900 * HZ, quarter = timeout / 4, moved;
	struct clb_sync_session told;

	s->server->listener->timeouts[CLB_TIMEOUT_UDP] = timeout;
	rcu_read_lock();
	for (moved = quarter + 4 * HZ; moved < 4 * timeout; moved += 10 * HZ) {
		s->deadline = (u32)jiffies + timeout;
		KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
		s->deadline += moved;
		/* where it reads as hardly moved, it does not for long */
		if (!clb_sync_stale(s))
			s->deadline += 2 * quarter + 30 * HZ;
		KUNIT_EXPECT_TRUE_MSG(test, clb_sync_stale(s), "%u s",
				      moved / HZ);
	}
	/* a packet takes the allowance of a copy back: nobody need be told */
	s->deadline = (u32)jiffies + timeout;
	KUNIT_EXPECT_TRUE(test, clb_sync_tell(s, 0, &told));
	s->deadline -= quarter + CLB_SYNC_WALK;
	KUNIT_EXPECT_FALSE(test, clb_sync_stale(s));
	/* where sync was off, others have lost what they knew */
	s->server->listener->sync = CLB_SYNC_MODE_OFF;
	clb_sync_forget(s);
	s->server->listener->sync = CLB_SYNC_MODE_FIRST;
	KUNIT_EXPECT_TRUE(test, clb_sync_stale(s));
	rcu_read_unlock();
	sync_free(test, sync);
}

static struct kunit_case sync_cases[] = {
	KUNIT_CASE(copy),
	KUNIT_CASE(refused),
	KUNIT_CASE(full_namespace),
	KUNIT_CASE(full_listener),
	KUNIT_CASE(merged),
	KUNIT_CASE(elsewhere),
	KUNIT_CASE(of_a_client_here),
	KUNIT_CASE(of_a_dead_server),
	KUNIT_CASE(lacking),
	KUNIT_CASE(settled),
	KUNIT_CASE(gone),
	KUNIT_CASE(ended),
	KUNIT_CASE(ended_before),
	KUNIT_CASE(tombs),
	KUNIT_CASE(tomb_expires),
	KUNIT_CASE(wanted),
	KUNIT_CASE(told_again),
	KUNIT_CASE(told_at_last),
	KUNIT_CASE(trail),
	KUNIT_CASE(once),
	KUNIT_CASE(ended_and_private),
	KUNIT_CASE(full_queue),
	KUNIT_CASE(told_after_long),
	KUNIT_CASE(idle),
	KUNIT_CASE(told_meanwhile),
	KUNIT_CASE(repeated),
	KUNIT_CASE(local_again),
	KUNIT_CASE(reply_named),
	{}
};

struct kunit_suite clb_test_sync_session = {
	.name = "clb_sync_session",
	.test_cases = sync_cases,
};
