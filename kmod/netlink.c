// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family. Validation is strict: attributes that are
 * unknown or not of the command, wrong lengths and values out of range are
 * refused before a handler runs.
 */
#include <linux/netlink.h>
#include <linux/notifier.h>

#include "net.h"
#include "netlink.h"
#include "parse.h"

#define CLB_OP(_cmd, _policy)						\
	.cmd = CLB_CMD_##_cmd, .policy = clb_policy_##_policy,		\
	.maxattr = CLB_A_MAX, .flags = GENL_UNS_ADMIN_PERM

#define CLB_DO(_cmd, _policy, _doit) {					\
	CLB_OP(_cmd, _policy), .doit = _doit,				\
}

#define CLB_CONFIG_DUMP(_cmd, _policy, _doit, _dumpit) {		\
	CLB_OP(_cmd, _policy), .doit = _doit,				\
	.start = clb_nl_config_start, .dumpit = _dumpit,		\
	.done = clb_nl_config_done,					\
}

static const struct genl_ops clb_genl_ops[] = {
	CLB_CONFIG_DUMP(LISTENER_GET, listener_key, clb_nl_listener_get,
			clb_nl_listener_dump),
	CLB_DO(LISTENER_ADD, listener, clb_nl_listener_add),
	CLB_DO(LISTENER_SET, listener, clb_nl_listener_set),
	CLB_DO(LISTENER_DEL, listener_key, clb_nl_listener_del),
	CLB_CONFIG_DUMP(SERVER_GET, server_key, clb_nl_server_get,
			clb_nl_server_dump),
	CLB_DO(SERVER_ADD, server, clb_nl_server_add),
	CLB_DO(SERVER_SET, server, clb_nl_server_set),
	CLB_DO(SERVER_DEL, server_key, clb_nl_server_del),
	CLB_CONFIG_DUMP(ACL_GET, listener_key, NULL, clb_nl_acl_dump),
	CLB_DO(ACL_ADD, acl, clb_nl_acl_add),
	CLB_DO(ACL_DEL, acl, clb_nl_acl_del),
	CLB_CONFIG_DUMP(LOCAL_ADDRESS_GET, none, NULL,
			clb_nl_local_address_dump),
	CLB_DO(LOCAL_ADDRESS_ADD, local_address, clb_nl_local_address_add),
	CLB_DO(LOCAL_ADDRESS_DEL, local_address_key,
	       clb_nl_local_address_del),
	CLB_DO(SETTINGS_GET, none, clb_nl_settings_get),
	CLB_DO(SETTINGS_SET, settings, clb_nl_settings_set),
	{
		CLB_OP(SESSION_GET, session),
		.start = clb_nl_session_start,
		.dumpit = clb_nl_session_dump,
		.done = clb_nl_session_done,
	},
	CLB_DO(SESSION_DEL, session, clb_nl_session_del),
	CLB_DO(STATS_GET, none, clb_nl_stats_get),
	CLB_DO(BEGIN, none, clb_nl_begin),
	CLB_DO(COMMIT, none, clb_nl_commit),
	CLB_DO(ABORT, none, clb_nl_abort),
	CLB_DO(FLUSH, none, clb_nl_flush),
	CLB_DO(SYNC_START, sync, clb_nl_sync_start),
	CLB_DO(SYNC_STOP, none, clb_nl_sync_stop),
	CLB_DO(SYNC_GET, none, clb_nl_sync_get),
	{
		CLB_OP(SYNC_PEER_GET, none),
		.dumpit = clb_nl_sync_peer_dump,
	},
	CLB_DO(SYNC_SECRET_ADD, sync_secret, clb_nl_sync_secret_add),
	CLB_DO(SYNC_SECRET_USE, sync_key_id, clb_nl_sync_secret_use),
	CLB_DO(SYNC_SECRET_DEL, sync_key_id, clb_nl_sync_secret_del),
	CLB_DO(SYNC_TAKEOVER, sync_peer, clb_nl_sync_takeover),
	CLB_DO(SYNC_GIVEBACK, sync_peer, clb_nl_sync_giveback),
};

static const struct genl_multicast_group clb_genl_groups[] = {
	{ .name = CLB_GENL_MCGRP_EVENTS, .flags = GENL_MCAST_CAP_NET_ADMIN },
};

static int netlink_pre_doit(const struct genl_ops *ops, struct sk_buff *skb,
			    struct genl_info *info)
{
	/* for clb_nl_socket() */
	info->user_ptr[0] = NETLINK_CB(skb).sk;
	return 0;
}

struct genl_family clb_genl_family __ro_after_init = {
	.name = CLB_GENL_NAME,
	.version = CLB_GENL_VERSION,
	.netnsok = true,
	/* the configuration lock of the namespace is enough */
	.parallel_ops = true,
	.module = THIS_MODULE,
	.pre_doit = netlink_pre_doit,
	.ops = clb_genl_ops,
	.n_ops = ARRAY_SIZE(clb_genl_ops),
	.resv_start_op = CLB_CMD_UNSPEC + 1,
	.mcgrps = clb_genl_groups,
	.n_mcgrps = ARRAY_SIZE(clb_genl_groups),
};

/* A socket that closes takes its transaction with it. */
static int netlink_event(struct notifier_block *nb, unsigned long event,
			 void *ptr)
{
	struct netlink_notify *notify = ptr;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC)
		clb_transaction_release(clb_net(notify->net), notify->portid);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_notifier = {
	.notifier_call = netlink_event,
};

static bool netlink_up;

/* Whether the family is there; packets pass before and after. */
bool clb_netlink_is_up(void)
{
	return READ_ONCE(netlink_up);
}

int clb_netlink_init(void)
{
	int err = netlink_register_notifier(&netlink_notifier);

	if (err)
		return err;
	err = genl_register_family(&clb_genl_family);
	if (err)
		netlink_unregister_notifier(&netlink_notifier);
	else
		WRITE_ONCE(netlink_up, true);
	return err;
}

void clb_netlink_exit(void)
{
	WRITE_ONCE(netlink_up, false);
	genl_unregister_family(&clb_genl_family);
	netlink_unregister_notifier(&netlink_notifier);
}
