/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_NETLINK_H
#define _CLB_NETLINK_H

#include <net/genetlink.h>

struct clb_net;
struct clb_ruleset;

extern struct genl_family clb_genl_family;

int clb_netlink_init(void);
void clb_netlink_exit(void);
bool clb_netlink_is_up(void);

/* The socket that a request came from. */
static inline const struct sock *clb_nl_socket(const struct genl_info *info)
{
	return info->user_ptr[0];
}

/* transaction.c: every change is made in a draft. */
struct clb_ruleset *clb_change_begin(struct clb_net *cn,
				     struct genl_info *info);
int clb_change_end(struct clb_net *cn, struct genl_info *info,
		   struct clb_ruleset *draft, int err);
int clb_nl_begin(struct sk_buff *skb, struct genl_info *info);
int clb_nl_commit(struct sk_buff *skb, struct genl_info *info);
int clb_nl_abort(struct sk_buff *skb, struct genl_info *info);
void clb_transaction_release(struct clb_net *cn, u32 portid);
void clb_drain_check(struct clb_net *cn);

/* change.c */
int clb_nl_listener_add(struct sk_buff *skb, struct genl_info *info);
int clb_nl_listener_set(struct sk_buff *skb, struct genl_info *info);
int clb_nl_listener_del(struct sk_buff *skb, struct genl_info *info);
int clb_nl_server_add(struct sk_buff *skb, struct genl_info *info);
int clb_nl_server_set(struct sk_buff *skb, struct genl_info *info);
int clb_nl_server_del(struct sk_buff *skb, struct genl_info *info);
int clb_nl_acl_add(struct sk_buff *skb, struct genl_info *info);
int clb_nl_acl_del(struct sk_buff *skb, struct genl_info *info);
int clb_nl_local_address_add(struct sk_buff *skb, struct genl_info *info);
int clb_nl_local_address_del(struct sk_buff *skb, struct genl_info *info);
int clb_nl_settings_set(struct sk_buff *skb, struct genl_info *info);
int clb_nl_session_del(struct sk_buff *skb, struct genl_info *info);
int clb_nl_flush(struct sk_buff *skb, struct genl_info *info);

/* change_sync.c */
int clb_nl_sync_start(struct sk_buff *skb, struct genl_info *info);
int clb_nl_sync_stop(struct sk_buff *skb, struct genl_info *info);
int clb_nl_sync_secret_add(struct sk_buff *skb, struct genl_info *info);
int clb_nl_sync_secret_use(struct sk_buff *skb, struct genl_info *info);
int clb_nl_sync_secret_del(struct sk_buff *skb, struct genl_info *info);
int clb_nl_sync_takeover(struct sk_buff *skb, struct genl_info *info);
int clb_nl_sync_giveback(struct sk_buff *skb, struct genl_info *info);

/* dump.c */
int clb_nl_listener_get(struct sk_buff *skb, struct genl_info *info);
int clb_nl_server_get(struct sk_buff *skb, struct genl_info *info);
int clb_nl_settings_get(struct sk_buff *skb, struct genl_info *info);
int clb_nl_stats_get(struct sk_buff *skb, struct genl_info *info);
int clb_nl_sync_get(struct sk_buff *skb, struct genl_info *info);
int clb_nl_config_start(struct netlink_callback *cb);
int clb_nl_config_done(struct netlink_callback *cb);
int clb_nl_listener_dump(struct sk_buff *skb, struct netlink_callback *cb);
int clb_nl_server_dump(struct sk_buff *skb, struct netlink_callback *cb);
int clb_nl_acl_dump(struct sk_buff *skb, struct netlink_callback *cb);
int clb_nl_local_address_dump(struct sk_buff *skb,
			      struct netlink_callback *cb);
int clb_nl_sync_peer_dump(struct sk_buff *skb, struct netlink_callback *cb);
int clb_nl_session_start(struct netlink_callback *cb);
int clb_nl_session_done(struct netlink_callback *cb);
int clb_nl_session_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* _CLB_NETLINK_H */
