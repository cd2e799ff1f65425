// SPDX-License-Identifier: GPL-2.0
/* Requests with a secret: none is left in them, whatever becomes of them. */
#include <linux/in.h>
#include <linux/string.h>

#include "../parse.h"
#include "../sync.h"
#include "test.h"

#define SECRET_BYTE 0x5a

/* Requests to start sync: complete, or with something wrong. */
static const struct start_case {
	const char	*name;
	__be32		group;
	u8		node_len;
	u8		secrets;
	int		err;
} start_cases[] = {
	{ "complete", htonl(0xef070001), 2, 1, 0 },
	{ "a second secret", htonl(0xef070001), 2, 2, 0 },
	{ "a group that is none", htonl(0x0a070001), 2, 1, -EINVAL },
	{ "no node", htonl(0xef070001), 0, 1, -EINVAL },
	{ "an id of the wrong length", htonl(0xef070001), 1, 1, -EINVAL },
};

static void start_name(const struct start_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(start, start_cases, start_name);

static void put_secret(struct kunit *test, struct sk_buff *skb)
{
	u8 secret[CLB_SYNC_KEY_LEN];

	memset(secret, SECRET_BYTE, sizeof(secret));
	KUNIT_ASSERT_EQ(test, nla_put(skb, CLB_SYNC_A_SECRET, sizeof(secret),
				      secret), 0);
}

static void expect_forgotten(struct kunit *test, const struct sk_buff *skb)
{
	KUNIT_EXPECT_NULL(test, memchr(skb->data, SECRET_BYTE, skb->len));
}

static void expect_secret(struct kunit *test, const u8 *secret)
{
	KUNIT_EXPECT_NULL(test, memchr_inv(secret, SECRET_BYTE,
					   CLB_SYNC_KEY_LEN));
}

static struct sk_buff *request(struct kunit *test)
{
	struct sk_buff *skb = nlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	return skb;
}

static void start(struct kunit *test)
{
	const struct start_case *c = test->param_value;
	struct nlattr *attrs[CLB_A_MAX + 1] = {};
	struct netlink_ext_ack extack = {};
	struct sk_buff *skb = request(test);
	struct clb_sync_config config;
	const u8 node[2] = { 1 };
	int i;

	attrs[CLB_A_SYNC] = nla_nest_start(skb, CLB_A_SYNC);
	for (i = 0; i < c->secrets; i++)
		put_secret(test, skb);
	if (c->node_len)
		nla_put(skb, CLB_SYNC_A_NODE, c->node_len, node);
	nla_put_u32(skb, CLB_SYNC_A_INTERFACE, 1);
	nla_put_be32(skb, CLB_SYNC_A_GROUP, c->group);
	nla_nest_end(skb, attrs[CLB_A_SYNC]);
	KUNIT_EXPECT_EQ(test, clb_parse_sync(attrs, &config, &extack), c->err);
	if (!c->err)
		expect_secret(test, config.secret);
	expect_forgotten(test, skb);
	kfree_skb(skb);
}

static void secret(struct kunit *test, bool with_id)
{
	struct nlattr *attrs[CLB_A_MAX + 1] = {};
	struct netlink_ext_ack extack = {};
	struct sk_buff *skb = request(test);
	u8 id, bytes[CLB_SYNC_KEY_LEN];
	int err;

	attrs[CLB_A_SYNC] = nla_nest_start(skb, CLB_A_SYNC);
	put_secret(test, skb);
	if (with_id)
		nla_put_u8(skb, CLB_SYNC_A_KEY_ID, 7);
	nla_nest_end(skb, attrs[CLB_A_SYNC]);
	err = clb_parse_sync_secret(attrs, &id, bytes, &extack);
	KUNIT_EXPECT_EQ(test, err, with_id ? 0 : -EINVAL);
	if (!err)
		expect_secret(test, bytes);
	expect_forgotten(test, skb);
	kfree_skb(skb);
}

static void secret_taken(struct kunit *test)
{
	secret(test, true);
}

static void secret_refused(struct kunit *test)
{
	secret(test, false);
}

static void no_attributes(struct kunit *test)
{
	struct nlattr *attrs[CLB_A_MAX + 1] = {};
	struct netlink_ext_ack extack = {};
	u8 id, bytes[CLB_SYNC_KEY_LEN];
	struct clb_sync_config config;

	KUNIT_EXPECT_EQ(test, clb_parse_sync(attrs, &config, &extack), -EINVAL);
	KUNIT_EXPECT_EQ(test, clb_parse_sync_secret(attrs, &id, bytes, &extack),
			-EINVAL);
}

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM(start, start_gen_params),
	KUNIT_CASE(secret_taken),
	KUNIT_CASE(secret_refused),
	KUNIT_CASE(no_attributes),
	{}
};

struct kunit_suite clb_test_parse_sync = {
	.name = "clb_parse_sync",
	.test_cases = cases,
};
