/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_PARSE_H
#define _CLB_PARSE_H

#include <net/netlink.h>

#include "ruleset.h"
#include "session.h"

struct clb_sync_config;

/*
 * What a command takes: an attribute that it would not look at is refused, for
 * a filter passed over would make it do more than was asked.
 */
extern const struct nla_policy clb_policy_none[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_listener[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_listener_key[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_server[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_server_key[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_acl[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_local_address[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_settings[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_session[CLB_A_MAX + 1];
extern const struct nla_policy
clb_policy_local_address_key[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_sync[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_sync_peer[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_sync_secret[CLB_A_MAX + 1];
extern const struct nla_policy clb_policy_sync_key_id[CLB_A_MAX + 1];

/*
 * Netlink attributes to objects. All return 0 or a negative errno with the
 * reason, and the attribute at fault, in @extack.
 */
int clb_parse_listener_key(struct nlattr * const *attrs,
			   struct clb_endpoint *key,
			   struct netlink_ext_ack *extack);
int clb_parse_listener_options(struct nlattr * const *attrs,
			       const struct clb_endpoint *key,
			       struct clb_listener_options *opt,
			       struct netlink_ext_ack *extack);
void clb_listener_options_default(const struct clb_endpoint *key,
				  struct clb_listener_options *opt);
int clb_parse_server_key(struct nlattr * const *attrs, u8 protocol,
			 struct clb_endpoint *key,
			 struct netlink_ext_ack *extack);
int clb_parse_server_options(struct nlattr * const *attrs,
			     struct clb_server_conf *server,
			     struct netlink_ext_ack *extack);
int clb_parse_acl(const struct nlattr *attr, u8 family,
		  struct clb_prefix *prefix, struct netlink_ext_ack *extack);
int clb_parse_local_address(struct nlattr * const *attrs, u8 *family,
			    union nf_inet_addr *addr, u16 *node,
			    struct netlink_ext_ack *extack);

/**
 * struct clb_settings - settings of a namespace, see enum clb_settings_attr
 */
struct clb_settings {
	u32	max_sessions;
	u8	fast_path;
};

int clb_parse_settings(struct nlattr * const *attrs, u32 ceiling,
		       struct clb_settings *settings,
		       struct netlink_ext_ack *extack);

/**
 * struct clb_filter_request - a session filter and what it points to
 */
struct clb_filter_request {
	struct clb_session_filter	filter;
	struct clb_endpoint		listener;
	struct clb_endpoint		server;
};

int clb_parse_session_filter(struct nlattr * const *attrs,
			     struct clb_filter_request *request,
			     struct netlink_ext_ack *extack);
int clb_parse_sync(struct nlattr * const *attrs,
		   struct clb_sync_config *config,
		   struct netlink_ext_ack *extack);
int clb_parse_sync_secret(struct nlattr * const *attrs, u8 *id, u8 *secret,
			  struct netlink_ext_ack *extack);
int clb_parse_sync_peer(struct nlattr * const *attrs, u16 *node,
			struct netlink_ext_ack *extack);
int clb_parse_sync_key_id(struct nlattr * const *attrs, u8 *id,
			  struct netlink_ext_ack *extack);

#endif /* _CLB_PARSE_H */
