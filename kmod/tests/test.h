/* SPDX-License-Identifier: GPL-2.0 */
/* What the KUnit suites share. */
#ifndef _CLB_TESTS_TEST_H
#define _CLB_TESTS_TEST_H

#include <kunit/test.h>
#include <linux/skbuff.h>

#include "../net.h"
#include "../ruleset.h"
#include "../session.h"
#include "../tuple.h"

extern struct kunit_suite clb_test_acl;
extern struct kunit_suite clb_test_ahead;
extern struct kunit_suite clb_test_bucket;
extern struct kunit_suite clb_test_maglev;
extern struct kunit_suite clb_test_meter;
extern struct kunit_suite clb_test_packet;
extern struct kunit_suite clb_test_parse_sync;
extern struct kunit_suite clb_test_pool;
extern struct kunit_suite clb_test_route;
extern struct kunit_suite clb_test_ruleset;
extern struct kunit_suite clb_test_scheduler;
extern struct kunit_suite clb_test_session;
extern struct kunit_suite clb_test_sync_behind;
extern struct kunit_suite clb_test_sync_early;
extern struct kunit_suite clb_test_sync_repair;
extern struct kunit_suite clb_test_sync_session;
extern struct kunit_suite clb_test_sync_wire;
extern struct kunit_suite clb_test_table;
extern struct kunit_suite clb_test_tcp;
extern struct kunit_suite clb_test_toa;
extern struct kunit_suite clb_test_translate;

/* build.c: addresses and packets */
u8 clb_test_addr(struct kunit *test, const char *text,
		 union nf_inet_addr *addr);
struct clb_endpoint clb_test_endpoint(struct kunit *test, const char *addr,
				      u16 port, u8 protocol);
struct clb_tuple clb_test_tuple(struct kunit *test, const char *src, u16 sport,
				const char *dst, u16 dport, u8 protocol);

/**
 * struct clb_test_packet - a packet to build
 * @tuple: its addresses, ports, protocol
 * @options: of TCP
 * @nr_options: bytes of these
 * @payload: bytes of payload
 * @word: its first two bytes, if there are so many
 * @summed: kind of checksum (CHECKSUM_NONE and others)
 * @no_check: UDP without a checksum
 */
struct clb_test_packet {
	struct clb_tuple	tuple;
	const u8		*options;
	unsigned int		nr_options;
	unsigned int		payload;
	u16			word;
	u8			summed;
	bool			no_check;
};

struct sk_buff *clb_test_skb(struct kunit *test,
			     const struct clb_test_packet *packet);
unsigned int clb_test_thoff(u8 family);

/* config.c: a configuration in force in the first namespace */
struct clb_net *clb_test_net(void);
struct clb_ruleset *clb_test_draft(struct kunit *test);
void clb_test_publish(struct kunit *test, struct clb_ruleset *draft);
struct clb_listener_conf *
clb_test_listener(struct kunit *test, struct clb_ruleset *draft,
		  const struct clb_endpoint *key, u8 mode);
void clb_test_server(struct kunit *test, struct clb_listener_conf *conf,
		     const char *addr, u16 port, u16 weight);
struct clb_ruleset *clb_test_in_force(void);
void clb_test_flush(struct kunit *test);
struct clb_session *clb_test_create(const struct clb_endpoint *key,
				    const struct clb_tuple *client,
				    enum clb_stats_attr *drop);
struct clb_session *clb_test_open(struct kunit *test, u8 mode,
				  const struct clb_endpoint *key);

#endif /* _CLB_TESTS_TEST_H */
