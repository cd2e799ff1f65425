// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink attributes of session sync to objects, as parse.c does it for the
 * others. No secret is left in a request that has been here.
 */
#include <net/ipv6.h>

#include "parse.h"
#include "parse_attr.h"
#include "sync.h"

static const struct nla_policy sync_policy[CLB_SYNC_A_MAX + 1] = {
	[CLB_SYNC_A_CLUSTER] = { .type = NLA_U32 },
	[CLB_SYNC_A_NODE] = NLA_POLICY_MIN(NLA_U16, 1),
	[CLB_SYNC_A_INTERFACE] = { .type = NLA_U32 },
	[CLB_SYNC_A_GROUP] = ADDRESS_POLICY,
	[CLB_SYNC_A_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[CLB_SYNC_A_TTL] = NLA_POLICY_MIN(NLA_U8, 1),
	[CLB_SYNC_A_MTU] = NLA_POLICY_RANGE(NLA_U16, 576, 9000),
	[CLB_SYNC_A_KEY_ID] = { .type = NLA_U8 },
	[CLB_SYNC_A_SECRET] = NLA_POLICY_EXACT_LEN(32),
	[CLB_SYNC_A_REORDER] = NLA_POLICY_MAX(NLA_U16, 200),
};

static const struct nla_policy sync_secret_policy[CLB_SYNC_A_SECRET + 1] = {
	[CLB_SYNC_A_KEY_ID] = { .type = NLA_U8 },
	[CLB_SYNC_A_SECRET] = NLA_POLICY_EXACT_LEN(32),
};

static const struct nla_policy sync_key_id_policy[CLB_SYNC_A_KEY_ID + 1] = {
	[CLB_SYNC_A_KEY_ID] = { .type = NLA_U8 },
};

static const struct nla_policy
sync_peer_policy[CLB_SYNC_PEER_A_NODE + 1] = {
	[CLB_SYNC_PEER_A_NODE] = NLA_POLICY_MIN(NLA_U16, 1),
};

const struct nla_policy clb_policy_sync[CLB_A_MAX + 1] = {
	[CLB_A_SYNC] = NLA_POLICY_NESTED(sync_policy),
};

const struct nla_policy clb_policy_sync_secret[CLB_A_MAX + 1] = {
	[CLB_A_SYNC] = NLA_POLICY_NESTED(sync_secret_policy),
};

const struct nla_policy clb_policy_sync_key_id[CLB_A_MAX + 1] = {
	[CLB_A_SYNC] = NLA_POLICY_NESTED(sync_key_id_policy),
};

const struct nla_policy clb_policy_sync_peer[CLB_A_MAX + 1] = {
	[CLB_A_SYNC_PEER] = NLA_POLICY_NESTED(sync_peer_policy),
};

static int sync_require(struct nlattr * const *attrs, struct nlattr **tb,
			struct netlink_ext_ack *extack)
{
	struct nlattr *nest = attrs[CLB_A_SYNC];

	return clb_parse_require(extack, nest, tb, CLB_SYNC_A_NODE) ?:
	       clb_parse_require(extack, nest, tb, CLB_SYNC_A_INTERFACE) ?:
	       clb_parse_require(extack, nest, tb, CLB_SYNC_A_GROUP) ?:
	       clb_parse_require(extack, nest, tb, CLB_SYNC_A_SECRET);
}

static int parse_group(const struct nlattr *attr,
		       struct clb_sync_config *config,
		       struct netlink_ext_ack *extack)
{
	int err = clb_parse_address(attr, &config->family, &config->group,
				    extack);

	if (err)
		return err;
	if (config->family == NFPROTO_IPV4 ?
	    ipv4_is_multicast(config->group.ip) :
	    ipv6_addr_is_multicast(&config->group.in6))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "address must be multicast");
	return -EINVAL;
}

/*
 * Whatever becomes of a request, no secret is left in its message. What was
 * read of it is the caller's to forget.
 */
static void secrets_forget(struct nlattr *nest)
{
	struct nlattr *attr;
	int left;

	if (!nest)
		return;
	nla_for_each_nested(attr, nest, left)
		if (nla_type(attr) == CLB_SYNC_A_SECRET)
			memzero_explicit(nla_data(attr), nla_len(attr));
}

static int parse_sync(struct nlattr * const *attrs,
		      struct clb_sync_config *config,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_SYNC_A_MAX + 1];
	int err;

	memset(config, 0, sizeof(*config));
	config->port = htons(CLB_SYNC_PORT);
	config->ttl = 1;
	config->reorder = CLB_SYNC_REORDER;
	err = clb_parse_nest(attrs, CLB_A_SYNC, CLB_SYNC_A_MAX, sync_policy, tb,
			     extack) ?:
	      sync_require(attrs, tb, extack) ?:
	      parse_group(tb[CLB_SYNC_A_GROUP], config, extack);
	if (err)
		return err;
	config->node = nla_get_u16(tb[CLB_SYNC_A_NODE]);
	config->ifindex = nla_get_u32(tb[CLB_SYNC_A_INTERFACE]);
	if (tb[CLB_SYNC_A_PORT])
		config->port = nla_get_be16(tb[CLB_SYNC_A_PORT]);
	if (tb[CLB_SYNC_A_MTU])
		config->mtu = nla_get_u16(tb[CLB_SYNC_A_MTU]);
	if (tb[CLB_SYNC_A_REORDER])
		config->reorder = nla_get_u16(tb[CLB_SYNC_A_REORDER]);
	take_u32(tb[CLB_SYNC_A_CLUSTER], &config->cluster);
	take_u8(tb[CLB_SYNC_A_TTL], &config->ttl);
	take_u8(tb[CLB_SYNC_A_KEY_ID], &config->key_id);
	nla_memcpy(config->secret, tb[CLB_SYNC_A_SECRET], CLB_SYNC_KEY_LEN);
	return 0;
}

int clb_parse_sync(struct nlattr * const *attrs,
		   struct clb_sync_config *config,
		   struct netlink_ext_ack *extack)
{
	int err = parse_sync(attrs, config, extack);

	secrets_forget(attrs[CLB_A_SYNC]);
	return err;
}

static int parse_sync_secret(struct nlattr * const *attrs, u8 *id, u8 *secret,
			     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_SYNC_A_SECRET + 1];
	struct nlattr *nest = attrs[CLB_A_SYNC];
	int err;

	err = clb_parse_nest(attrs, CLB_A_SYNC, CLB_SYNC_A_SECRET,
			     sync_secret_policy, tb, extack) ?:
	      clb_parse_require(extack, nest, tb, CLB_SYNC_A_KEY_ID) ?:
	      clb_parse_require(extack, nest, tb, CLB_SYNC_A_SECRET);
	if (err)
		return err;
	*id = nla_get_u8(tb[CLB_SYNC_A_KEY_ID]);
	nla_memcpy(secret, tb[CLB_SYNC_A_SECRET], CLB_SYNC_KEY_LEN);
	return 0;
}

int clb_parse_sync_secret(struct nlattr * const *attrs, u8 *id, u8 *secret,
			  struct netlink_ext_ack *extack)
{
	int err = parse_sync_secret(attrs, id, secret, extack);

	secrets_forget(attrs[CLB_A_SYNC]);
	return err;
}

int clb_parse_sync_peer(struct nlattr * const *attrs, u16 *node,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_SYNC_PEER_A_NODE + 1];
	int err;

	err = clb_parse_nest(attrs, CLB_A_SYNC_PEER, CLB_SYNC_PEER_A_NODE,
			     sync_peer_policy, tb, extack) ?:
	      clb_parse_require(extack, attrs[CLB_A_SYNC_PEER], tb,
				CLB_SYNC_PEER_A_NODE);
	if (!err)
		*node = nla_get_u16(tb[CLB_SYNC_PEER_A_NODE]);
	return err;
}

int clb_parse_sync_key_id(struct nlattr * const *attrs, u8 *id,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_SYNC_A_KEY_ID + 1];
	int err;

	err = clb_parse_nest(attrs, CLB_A_SYNC, CLB_SYNC_A_KEY_ID,
			     sync_key_id_policy, tb, extack) ?:
	      clb_parse_require(extack, attrs[CLB_A_SYNC], tb,
				CLB_SYNC_A_KEY_ID);
	if (!err)
		*id = nla_get_u8(tb[CLB_SYNC_A_KEY_ID]);
	return err;
}
