// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink attributes to objects. Types, lengths and ranges are in the
 * policies; what they cannot say (families that must agree, addresses that
 * make no sense) is checked here. An error points to its attribute.
 */
#include <linux/in.h>
#include <net/ipv6.h>

#include "net.h"
#include "parse.h"
#include "parse_attr.h"

/* not const: struct nla_policy of 6.1 points to them without it */
static struct netlink_range_validation day_range = { .max = 86400 };
static struct netlink_range_validation new_sessions_range = {
	.max = 10000000,
};

static struct netlink_range_validation rate_range = {
	.max = 1000000000000ULL,
};

#define CLB_RATE_MIN	8000
#define CLB_BURST_LEAST	(128 * 1024)

static const struct nla_policy listener_policy[CLB_LISTENER_A_MAX + 1] = {
	[CLB_LISTENER_A_PROTOCOL] = { .type = NLA_U8 },
	[CLB_LISTENER_A_ADDRESS] = ADDRESS_POLICY,
	[CLB_LISTENER_A_PORT] = { .type = NLA_U16 },
	[CLB_LISTENER_A_MODE] = NLA_POLICY_MAX(NLA_U8, CLB_MODE_MAX),
	[CLB_LISTENER_A_SCHEDULER] =
		NLA_POLICY_MAX(NLA_U8, CLB_SCHEDULER_MAX),
	[CLB_LISTENER_A_HASH_KEY] = NLA_POLICY_MAX(NLA_U8, CLB_HASH_KEY_MAX),
	[CLB_LISTENER_A_PERSISTENCE] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &day_range),
	[CLB_LISTENER_A_PERSISTENCE_PREFIX] = NLA_POLICY_RANGE(NLA_U8, 1, 128),
	[CLB_LISTENER_A_TIMEOUT_SYN] = NLA_POLICY_RANGE(NLA_U32, 1, 900),
	[CLB_LISTENER_A_TIMEOUT_ESTABLISHED] =
		NLA_POLICY_RANGE(NLA_U32, 10, 900),
	[CLB_LISTENER_A_TIMEOUT_FIN] = NLA_POLICY_RANGE(NLA_U32, 1, 900),
	[CLB_LISTENER_A_TIMEOUT_UDP] = NLA_POLICY_RANGE(NLA_U32, 1, 900),
	[CLB_LISTENER_A_RESET] = NLA_POLICY_MAX(NLA_U8, 1),
	[CLB_LISTENER_A_SLOW_START] = NLA_POLICY_MAX(NLA_U32, 900),
	[CLB_LISTENER_A_MAX_SESSIONS] = { .type = NLA_U32 },
	[CLB_LISTENER_A_MAX_NEW_SESSIONS] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &new_sessions_range),
	[CLB_LISTENER_A_RATE] = NLA_POLICY_FULL_RANGE(NLA_U64, &rate_range),
	[CLB_LISTENER_A_BURST] = { .type = NLA_U32 },
	[CLB_LISTENER_A_ACL_MODE] = NLA_POLICY_MAX(NLA_U8, CLB_ACL_MODE_MAX),
	[CLB_LISTENER_A_SYNC] = NLA_POLICY_MAX(NLA_U8, CLB_SYNC_MODE_MAX),
	[CLB_LISTENER_A_DIRECT_ACCESS] = NLA_POLICY_MAX(NLA_U8, 1),
	[CLB_LISTENER_A_CLIENT_ADDRESS] = NLA_POLICY_MAX(NLA_U8, 1),
};

static const struct nla_policy server_policy[CLB_SERVER_A_MAX + 1] = {
	[CLB_SERVER_A_ADDRESS] = ADDRESS_POLICY,
	[CLB_SERVER_A_PORT] = { .type = NLA_U16 },
	[CLB_SERVER_A_WEIGHT] = NLA_POLICY_MAX(NLA_U16, 1000),
	[CLB_SERVER_A_STATE] = NLA_POLICY_MAX(NLA_U8, CLB_SERVER_STATE_MAX),
	[CLB_SERVER_A_DRAIN_TIMEOUT] =
		NLA_POLICY_FULL_RANGE(NLA_U32, &day_range),
	[CLB_SERVER_A_MAX_SESSIONS] = { .type = NLA_U32 },
};

static const struct nla_policy acl_policy[CLB_ACL_A_MAX + 1] = {
	[CLB_ACL_A_ADDRESS] = ADDRESS_POLICY,
	[CLB_ACL_A_PREFIX] = NLA_POLICY_MAX(NLA_U8, 128),
};

static const struct nla_policy
local_address_policy[CLB_LOCAL_ADDRESS_A_MAX + 1] = {
	[CLB_LOCAL_ADDRESS_A_ADDRESS] = ADDRESS_POLICY,
	[CLB_LOCAL_ADDRESS_A_NODE] = { .type = NLA_U16 },
};

static const struct nla_policy
local_address_key_policy[CLB_LOCAL_ADDRESS_A_ADDRESS + 1] = {
	[CLB_LOCAL_ADDRESS_A_ADDRESS] = ADDRESS_POLICY,
};

static const struct nla_policy settings_policy[CLB_SETTINGS_A_MAX + 1] = {
	[CLB_SETTINGS_A_MAX_SESSIONS] = NLA_POLICY_MIN(NLA_U32, 1),
	[CLB_SETTINGS_A_FAST_PATH] = NLA_POLICY_MAX(NLA_U8, 1),
};

/* What a request may say of sessions: filters. */
static const struct nla_policy session_policy[CLB_SESSION_A_MAX + 1] = {
	[CLB_SESSION_A_STATE] = NLA_POLICY_MAX(NLA_U8, CLB_SESSION_STATE_MAX),
	[CLB_SESSION_A_CLIENT_ADDRESS] = ADDRESS_POLICY,
	[CLB_SESSION_A_CLIENT_PORT] = { .type = NLA_U16 },
};

/* What names a listener or server, in commands that take no more of it. */
static const struct nla_policy
listener_key_policy[CLB_LISTENER_A_PORT + 1] = {
	[CLB_LISTENER_A_PROTOCOL] = { .type = NLA_U8 },
	[CLB_LISTENER_A_ADDRESS] = ADDRESS_POLICY,
	[CLB_LISTENER_A_PORT] = { .type = NLA_U16 },
};

static const struct nla_policy server_key_policy[CLB_SERVER_A_PORT + 1] = {
	[CLB_SERVER_A_ADDRESS] = ADDRESS_POLICY,
	[CLB_SERVER_A_PORT] = { .type = NLA_U16 },
};

#define LISTENER_KEY \
	[CLB_A_LISTENER] = NLA_POLICY_NESTED(listener_key_policy)

const struct nla_policy clb_policy_none[CLB_A_MAX + 1] = {};

const struct nla_policy clb_policy_listener[CLB_A_MAX + 1] = {
	[CLB_A_LISTENER] = NLA_POLICY_NESTED(listener_policy),
};

const struct nla_policy clb_policy_listener_key[CLB_A_MAX + 1] = {
	LISTENER_KEY,
};

const struct nla_policy clb_policy_server[CLB_A_MAX + 1] = {
	LISTENER_KEY,
	[CLB_A_SERVER] = NLA_POLICY_NESTED(server_policy),
};

const struct nla_policy clb_policy_server_key[CLB_A_MAX + 1] = {
	LISTENER_KEY,
	[CLB_A_SERVER] = NLA_POLICY_NESTED(server_key_policy),
};

const struct nla_policy clb_policy_acl[CLB_A_MAX + 1] = {
	LISTENER_KEY,
	[CLB_A_ACL_ENTRY] = NLA_POLICY_NESTED(acl_policy),
};

const struct nla_policy clb_policy_local_address[CLB_A_MAX + 1] = {
	[CLB_A_LOCAL_ADDRESS] = NLA_POLICY_NESTED(local_address_policy),
};

const struct nla_policy clb_policy_local_address_key[CLB_A_MAX + 1] = {
	[CLB_A_LOCAL_ADDRESS] = NLA_POLICY_NESTED(local_address_key_policy),
};

const struct nla_policy clb_policy_settings[CLB_A_MAX + 1] = {
	[CLB_A_SETTINGS] = NLA_POLICY_NESTED(settings_policy),
};

const struct nla_policy clb_policy_session[CLB_A_MAX + 1] = {
	LISTENER_KEY,
	[CLB_A_SERVER] = NLA_POLICY_NESTED(server_key_policy),
	[CLB_A_SESSION] = NLA_POLICY_NESTED(session_policy),
};

static bool is_unicast(u8 family, const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return !ipv4_is_multicast(addr->ip) &&
		       !ipv4_is_lbcast(addr->ip) &&
		       !ipv4_is_zeronet(addr->ip);
	return !ipv6_addr_is_multicast(&addr->in6) &&
	       !ipv6_addr_any(&addr->in6);
}

static int parse_unicast(const struct nlattr *attr, u8 *family,
			 union nf_inet_addr *addr,
			 struct netlink_ext_ack *extack)
{
	int err = clb_parse_address(attr, family, addr, extack);

	if (err)
		return err;
	if (is_unicast(*family, addr))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "address must be unicast");
	return -EINVAL;
}

int clb_parse_listener_key(struct nlattr * const *attrs,
			   struct clb_endpoint *key,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_LISTENER_A_MAX + 1];
	struct nlattr *nest = attrs[CLB_A_LISTENER];
	int err;

	err = clb_parse_nest(attrs, CLB_A_LISTENER, CLB_LISTENER_A_MAX,
			     listener_policy, tb, extack) ?:
	      clb_parse_require(extack, nest, tb, CLB_LISTENER_A_PROTOCOL) ?:
	      clb_parse_require(extack, nest, tb, CLB_LISTENER_A_ADDRESS) ?:
	      clb_parse_require(extack, nest, tb, CLB_LISTENER_A_PORT);
	if (err)
		return err;
	key->protocol = nla_get_u8(tb[CLB_LISTENER_A_PROTOCOL]);
	if (key->protocol != IPPROTO_TCP && key->protocol != IPPROTO_UDP) {
		NL_SET_ERR_MSG_ATTR(extack, tb[CLB_LISTENER_A_PROTOCOL],
				    "protocol must be TCP or UDP");
		return -EPROTONOSUPPORT;
	}
	key->port = nla_get_be16(tb[CLB_LISTENER_A_PORT]);
	return parse_unicast(tb[CLB_LISTENER_A_ADDRESS], &key->family,
			     &key->addr, extack);
}

/**
 * clb_listener_options_default() - options of a listener that says nothing
 * @key: its key
 * @opt: set to the defaults of enum clb_listener_attr
 *
 * Context: any.
 */
void clb_listener_options_default(const struct clb_endpoint *key,
				  struct clb_listener_options *opt)
{
	*opt = (struct clb_listener_options) {
		.mode = CLB_MODE_NAT,
		.scheduler = CLB_SCHEDULER_WRR,
		.persistence_prefix = clb_addr_bits(key->family),
		.reset = 1,
		.timeouts = {
			[CLB_TIMEOUT_SYN] = 30,
			[CLB_TIMEOUT_ESTABLISHED] = 900,
			[CLB_TIMEOUT_FIN] = 30,
			[CLB_TIMEOUT_UDP] = 90,
		},
	};
}

static void options_take(struct nlattr **tb, struct clb_listener_options *opt)
{
	u32 *timeouts = opt->timeouts;

	take_u8(tb[CLB_LISTENER_A_MODE], &opt->mode);
	take_u8(tb[CLB_LISTENER_A_SCHEDULER], &opt->scheduler);
	take_u8(tb[CLB_LISTENER_A_HASH_KEY], &opt->hash_key);
	take_u8(tb[CLB_LISTENER_A_PERSISTENCE_PREFIX],
		&opt->persistence_prefix);
	take_u8(tb[CLB_LISTENER_A_RESET], &opt->reset);
	take_u8(tb[CLB_LISTENER_A_ACL_MODE], &opt->acl_mode);
	take_u8(tb[CLB_LISTENER_A_SYNC], &opt->sync);
	take_u8(tb[CLB_LISTENER_A_DIRECT_ACCESS], &opt->direct_access);
	take_u8(tb[CLB_LISTENER_A_CLIENT_ADDRESS], &opt->client_address);
	take_u32(tb[CLB_LISTENER_A_PERSISTENCE], &opt->persistence);
	take_u32(tb[CLB_LISTENER_A_TIMEOUT_SYN], &timeouts[CLB_TIMEOUT_SYN]);
	take_u32(tb[CLB_LISTENER_A_TIMEOUT_ESTABLISHED],
		 &timeouts[CLB_TIMEOUT_ESTABLISHED]);
	take_u32(tb[CLB_LISTENER_A_TIMEOUT_FIN], &timeouts[CLB_TIMEOUT_FIN]);
	take_u32(tb[CLB_LISTENER_A_TIMEOUT_UDP], &timeouts[CLB_TIMEOUT_UDP]);
	take_u32(tb[CLB_LISTENER_A_SLOW_START], &opt->slow_start);
	take_u32(tb[CLB_LISTENER_A_MAX_SESSIONS], &opt->max_sessions);
	take_u32(tb[CLB_LISTENER_A_MAX_NEW_SESSIONS], &opt->max_new_sessions);
	take_u32(tb[CLB_LISTENER_A_BURST], &opt->burst);
	if (tb[CLB_LISTENER_A_RATE])
		opt->rate = nla_get_u64(tb[CLB_LISTENER_A_RATE]);
}

/* In other modes servers see the client as it is; UDP has no options. */
static int client_address_check(struct nlattr **tb,
				const struct clb_endpoint *key,
				const struct clb_listener_options *opt,
				struct netlink_ext_ack *extack)
{
	if (!opt->client_address || (opt->mode == CLB_MODE_FNAT &&
				     key->protocol == IPPROTO_TCP))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[CLB_LISTENER_A_CLIENT_ADDRESS] ?:
			    tb[CLB_LISTENER_A_MODE],
			    "client-address needs protocol tcp and mode fnat");
	return -EOPNOTSUPP;
}

static int options_check(struct nlattr **tb, const struct clb_endpoint *key,
			 const struct clb_listener_options *opt,
			 struct netlink_ext_ack *extack)
{
	if (opt->persistence_prefix > clb_addr_bits(key->family)) {
		NL_SET_ERR_MSG_ATTR(extack,
				    tb[CLB_LISTENER_A_PERSISTENCE_PREFIX],
				    "prefix is longer than an address");
		return -ERANGE;
	}
	if (opt->rate && opt->rate < CLB_RATE_MIN) {
		NL_SET_ERR_MSG_ATTR(extack, tb[CLB_LISTENER_A_RATE],
				    "rate must be 0 or at least 8000 bit/s");
		return -ERANGE;
	}
	if (opt->burst && opt->burst < CLB_BURST_LEAST) {
		NL_SET_ERR_MSG_ATTR(extack, tb[CLB_LISTENER_A_BURST],
				    "burst must be 0 or at least 131072 bytes");
		return -ERANGE;
	}
	if (opt->rate &&
	    (opt->mode == CLB_MODE_DR || opt->mode == CLB_MODE_TUN)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[CLB_LISTENER_A_RATE] ?:
				    tb[CLB_LISTENER_A_MODE],
				    "rate needs mode nat or fnat: replies of dr and tun bypass the node");
		return -EOPNOTSUPP;
	}
	return client_address_check(tb, key, opt, extack);
}

int clb_parse_listener_options(struct nlattr * const *attrs,
			       const struct clb_endpoint *key,
			       struct clb_listener_options *opt,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_LISTENER_A_MAX + 1];
	struct clb_listener_options new = *opt;
	int err;

	err = clb_parse_nest(attrs, CLB_A_LISTENER, CLB_LISTENER_A_MAX,
			     listener_policy, tb, extack);
	if (err)
		return err;
	options_take(tb, &new);
	err = options_check(tb, key, &new, extack);
	if (!err)
		*opt = new;
	return err;
}

int clb_parse_server_key(struct nlattr * const *attrs, u8 protocol,
			 struct clb_endpoint *key,
			 struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_SERVER_A_MAX + 1];
	int err;

	err = clb_parse_nest(attrs, CLB_A_SERVER, CLB_SERVER_A_MAX,
			     server_policy, tb, extack) ?:
	      clb_parse_require(extack, attrs[CLB_A_SERVER], tb,
				CLB_SERVER_A_ADDRESS);
	if (err)
		return err;
	key->protocol = protocol;
	key->port = tb[CLB_SERVER_A_PORT] ?
		    nla_get_be16(tb[CLB_SERVER_A_PORT]) : 0;
	return parse_unicast(tb[CLB_SERVER_A_ADDRESS], &key->family,
			     &key->addr, extack);
}

int clb_parse_server_options(struct nlattr * const *attrs,
			     struct clb_server_conf *server,
			     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_SERVER_A_MAX + 1];
	int err;

	err = clb_parse_nest(attrs, CLB_A_SERVER, CLB_SERVER_A_MAX,
			     server_policy, tb, extack);
	if (err)
		return err;
	if (tb[CLB_SERVER_A_WEIGHT])
		server->weight = nla_get_u16(tb[CLB_SERVER_A_WEIGHT]);
	take_u8(tb[CLB_SERVER_A_STATE], &server->state);
	take_u32(tb[CLB_SERVER_A_DRAIN_TIMEOUT], &server->drain_timeout);
	take_u32(tb[CLB_SERVER_A_MAX_SESSIONS], &server->max_sessions);
	return 0;
}

int clb_parse_acl(const struct nlattr *attr, u8 family,
		  struct clb_prefix *prefix, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_ACL_A_MAX + 1];
	union nf_inet_addr masked;
	u8 entry_family;
	int err;

	err = nla_parse_nested(tb, CLB_ACL_A_MAX, attr, acl_policy, extack) ?:
	      clb_parse_require(extack, (struct nlattr *)attr, tb,
				CLB_ACL_A_ADDRESS) ?:
	      clb_parse_address(tb[CLB_ACL_A_ADDRESS], &entry_family,
				&prefix->addr, extack);
	if (err)
		return err;
	if (entry_family != family) {
		NL_SET_ERR_MSG_ATTR(extack, tb[CLB_ACL_A_ADDRESS],
				    "entry is not of the listener's family");
		return -EAFNOSUPPORT;
	}
	prefix->len = clb_addr_bits(family);
	take_u8(tb[CLB_ACL_A_PREFIX], &prefix->len);
	if (prefix->len > clb_addr_bits(family)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[CLB_ACL_A_PREFIX],
				    "prefix is longer than an address");
		return -ERANGE;
	}
	masked = prefix->addr;
	clb_addr_mask(&masked, family, prefix->len);
	if (!clb_addr_equal(&masked, &prefix->addr)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[CLB_ACL_A_ADDRESS],
				    "address has bits beyond the prefix");
		return -EINVAL;
	}
	return 0;
}

int clb_parse_local_address(struct nlattr * const *attrs, u8 *family,
			    union nf_inet_addr *addr, u16 *node,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_LOCAL_ADDRESS_A_MAX + 1];
	int err;

	err = clb_parse_nest(attrs, CLB_A_LOCAL_ADDRESS,
			     CLB_LOCAL_ADDRESS_A_MAX, local_address_policy, tb,
			     extack) ?:
	      clb_parse_require(extack, attrs[CLB_A_LOCAL_ADDRESS], tb,
				CLB_LOCAL_ADDRESS_A_ADDRESS) ?:
	      parse_unicast(tb[CLB_LOCAL_ADDRESS_A_ADDRESS], family, addr,
			    extack);
	if (!err && tb[CLB_LOCAL_ADDRESS_A_NODE])
		*node = nla_get_u16(tb[CLB_LOCAL_ADDRESS_A_NODE]);
	return err;
}

int clb_parse_settings(struct nlattr * const *attrs, u32 ceiling,
		       struct clb_settings *settings,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[CLB_SETTINGS_A_MAX + 1];
	struct nlattr *max;
	int err;

	err = clb_parse_nest(attrs, CLB_A_SETTINGS, CLB_SETTINGS_A_MAX,
			     settings_policy, tb, extack);
	if (err)
		return err;
	max = tb[CLB_SETTINGS_A_MAX_SESSIONS];
	if (max && nla_get_u32(max) > ceiling) {
		NL_SET_ERR_MSG_ATTR(extack, max,
				    "more than module parameter max_sessions, or a user namespace, allows");
		return -ERANGE;
	}
	take_u32(max, &settings->max_sessions);
	take_u8(tb[CLB_SETTINGS_A_FAST_PATH], &settings->fast_path);
	return 0;
}

static int parse_session(struct nlattr * const *attrs,
			 struct clb_session_filter *filter,
			 struct netlink_ext_ack *extack)
{
	struct clb_endpoint *client = &filter->client;
	struct nlattr *tb[CLB_SESSION_A_MAX + 1];
	int err;

	err = clb_parse_nest(attrs, CLB_A_SESSION, CLB_SESSION_A_MAX,
			     session_policy, tb, extack);
	if (err)
		return err;
	if (tb[CLB_SESSION_A_STATE])
		filter->state = nla_get_u8(tb[CLB_SESSION_A_STATE]);
	if (tb[CLB_SESSION_A_CLIENT_PORT])
		client->port = nla_get_be16(tb[CLB_SESSION_A_CLIENT_PORT]);
	if (!tb[CLB_SESSION_A_CLIENT_ADDRESS])
		return 0;
	return clb_parse_address(tb[CLB_SESSION_A_CLIENT_ADDRESS],
				 &client->family, &client->addr, extack);
}

int clb_parse_session_filter(struct nlattr * const *attrs,
			     struct clb_filter_request *request,
			     struct netlink_ext_ack *extack)
{
	struct clb_session_filter *filter = &request->filter;
	int err = 0;

	memset(request, 0, sizeof(*request));
	filter->state = -1;
	if (attrs[CLB_A_LISTENER]) {
		filter->listener = &request->listener;
		err = clb_parse_listener_key(attrs, &request->listener,
					     extack);
	}
	if (!err && attrs[CLB_A_SERVER]) {
		filter->server = &request->server;
		err = clb_parse_server_key(attrs, 0, &request->server, extack);
	}
	if (!err && attrs[CLB_A_SESSION])
		err = parse_session(attrs, filter, extack);
	return err;
}
