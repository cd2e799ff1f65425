// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink commands that change the part in a cluster: at once, outside of
 * transactions.
 */
#include "event.h"
#include "net.h"
#include "netlink.h"
#include "parse.h"
#include "sync.h"
#include "takeover.h"

static struct clb_net *net_of(struct genl_info *info)
{
	return clb_net(genl_info_net(info));
}

/* From now on the node has an id, and with it local addresses of its own. */
static int node_start(struct clb_net *cn, const struct clb_sync_config *config,
		      struct netlink_ext_ack *extack)
{
	int err = clb_net_start(cn) ?: clb_sync_start(cn, config, extack);

	if (err)
		return err;
	err = clb_takeover_own(cn, config->node);
	if (err)
		clb_sync_stop(cn);
	return err;
}

static int sync_start(struct clb_net *cn, const struct clb_sync_config *config,
		      struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&cn->config_lock);
	err = node_start(cn, config, extack);
	if (!err)
		clb_event_sync(cn, CLB_CMD_SYNC_START);
	mutex_unlock(&cn->config_lock);
	return err;
}

int clb_nl_sync_start(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_sync_config config;
	int err;

	err = clb_parse_sync(info->attrs, &config, info->extack);
	if (!err)
		err = sync_start(net_of(info), &config, info->extack);
	memzero_explicit(&config, sizeof(config));
	return err;
}

int clb_nl_sync_stop(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = net_of(info);
	int err;

	mutex_lock(&cn->config_lock);
	err = clb_sync_stop(cn);
	if (!err)
		clb_event_sync(cn, CLB_CMD_SYNC_STOP);
	mutex_unlock(&cn->config_lock);
	if (err)
		NL_SET_ERR_MSG(info->extack, "sync is not started");
	return err;
}

int clb_nl_sync_secret_add(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = net_of(info);
	u8 secret[CLB_SYNC_KEY_LEN];
	int err;
	u8 id;

	err = clb_parse_sync_secret(info->attrs, &id, secret, info->extack);
	if (err)
		return err;
	mutex_lock(&cn->config_lock);
	err = clb_sync_secret_add(cn, id, secret, info->extack);
	if (!err)
		clb_event_sync(cn, CLB_CMD_SYNC_SECRET_ADD);
	mutex_unlock(&cn->config_lock);
	memzero_explicit(secret, sizeof(secret));
	return err;
}

static int secret_change(struct genl_info *info, u8 cmd,
			 int (*change)(struct clb_net *cn, u8 id,
				       struct netlink_ext_ack *extack))
{
	struct clb_net *cn = net_of(info);
	int err;
	u8 id;

	err = clb_parse_sync_key_id(info->attrs, &id, info->extack);
	if (err)
		return err;
	mutex_lock(&cn->config_lock);
	err = change(cn, id, info->extack);
	if (!err)
		clb_event_sync(cn, cmd);
	mutex_unlock(&cn->config_lock);
	return err;
}

int clb_nl_sync_secret_use(struct sk_buff *skb, struct genl_info *info)
{
	return secret_change(info, CLB_CMD_SYNC_SECRET_USE,
			     clb_sync_secret_use);
}

int clb_nl_sync_secret_del(struct sk_buff *skb, struct genl_info *info)
{
	return secret_change(info, CLB_CMD_SYNC_SECRET_DEL,
			     clb_sync_secret_del);
}

static int takeover_change(struct genl_info *info,
			   int (*change)(struct clb_net *cn, u16 node,
					 struct netlink_ext_ack *extack))
{
	struct clb_net *cn = net_of(info);
	u16 node;
	int err;

	err = clb_parse_sync_peer(info->attrs, &node, info->extack);
	if (err)
		return err;
	mutex_lock(&cn->config_lock);
	err = clb_net_start(cn) ?: change(cn, node, info->extack);
	mutex_unlock(&cn->config_lock);
	return err;
}

int clb_nl_sync_takeover(struct sk_buff *skb, struct genl_info *info)
{
	return takeover_change(info, clb_takeover);
}

int clb_nl_sync_giveback(struct sk_buff *skb, struct genl_info *info)
{
	return takeover_change(info, clb_giveback);
}
