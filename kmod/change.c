// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink commands that change something. Each handler parses into plain
 * objects, begins a change, works on the draft and ends the change; a handler
 * that fails leaves the draft as it was.
 */
#include "collector.h"
#include "event.h"
#include "net.h"
#include "netlink.h"
#include "parse.h"
#include "pool.h"
#include "ruleset.h"
#include "takeover.h"

#define CLB_WEIGHT_DEFAULT 100

static struct clb_net *net_of(struct genl_info *info)
{
	return clb_net(genl_info_net(info));
}

/* Says what is wrong: it exists, does not, or is one more than may be. */
static int explain(struct genl_info *info, int type, int err,
		   const char *exists, const char *missing)
{
	struct netlink_ext_ack *extack = info->extack;

	if (!err || !extack)
		return err;
	extack->bad_attr = info->attrs[type];
	switch (err) {
	case -EEXIST:
		extack->_msg = exists;
		break;
	case -ENOENT:
		extack->_msg = missing;
		break;
	case -ENOSPC:
		extack->_msg = "there may be no more of these";
		break;
	}
	return err;
}

static int explain_listener(struct genl_info *info, int err)
{
	return explain(info, CLB_A_LISTENER, err, "listener exists",
		       "no such listener");
}

static int explain_server(struct genl_info *info, int err)
{
	return explain(info, CLB_A_SERVER, err, "server exists",
		       "no such server");
}

static int explain_acl(struct genl_info *info, const struct nlattr *attr,
		       int err)
{
	explain(info, CLB_A_ACL_ENTRY, err, "ACL entry exists",
		"no such ACL entry");
	if (err && info->extack)
		info->extack->bad_attr = attr;
	return err;
}

static int explain_local_address(struct genl_info *info, int err)
{
	return explain(info, CLB_A_LOCAL_ADDRESS, err,
		       "local address exists", "no such local address");
}

int clb_nl_listener_add(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = net_of(info);
	struct clb_listener_options opt;
	struct clb_ruleset *draft;
	struct clb_endpoint key;
	int err;

	err = clb_parse_listener_key(info->attrs, &key, info->extack);
	if (err)
		return err;
	clb_listener_options_default(&key, &opt);
	err = clb_parse_listener_options(info->attrs, &key, &opt,
					 info->extack);
	if (err)
		return err;
	draft = clb_change_begin(cn, info);
	if (IS_ERR(draft))
		return PTR_ERR(draft);
	err = explain_listener(info,
			       clb_draft_listener_add(draft, &key, &opt));
	if (!err)
		clb_event_listener(cn, CLB_CMD_LISTENER_ADD,
				   clb_ruleset_find(draft, &key));
	return clb_change_end(cn, info, draft, err);
}

/* Names an attribute inside a nest or, where it is not there, the nest. */
static void blame(struct genl_info *info, int nest, int type, const char *why)
{
	if (!info->extack)
		return;
	info->extack->_msg = why;
	info->extack->bad_attr = nla_find_nested(info->attrs[nest], type) ?:
				 info->attrs[nest];
}

/*
 * What a mode asks of a server; NULL: all is well. @type: enum clb_server_attr
 * that does not fit.
 */
static const char *server_misfit(const struct clb_listener_conf *conf, u8 mode,
				 const struct clb_endpoint *server, int *type)
{
	bool translates = mode == CLB_MODE_NAT || mode == CLB_MODE_FNAT;

	*type = CLB_SERVER_A_PORT;
	if (!translates && server->port && server->port != conf->key.port)
		return "modes dr and tun do not translate ports";
	*type = CLB_SERVER_A_ADDRESS;
	if (mode != CLB_MODE_TUN && server->family != conf->key.family)
		return "server is not of the listener's family";
	if (translates && (!server->port || server->port == conf->key.port) &&
	    server->family == conf->key.family &&
	    clb_addr_equal(&server->addr, &conf->key.addr))
		return "server is the listener itself";
	return NULL;
}

static int servers_check(struct genl_info *info,
			 const struct clb_listener_conf *conf, u8 mode)
{
	const char *misfit;
	int type;
	u32 i;

	for (i = 0; i < conf->nr_servers; i++) {
		misfit = server_misfit(conf, mode, &conf->servers[i].key,
				       &type);
		if (!misfit)
			continue;
		blame(info, CLB_A_LISTENER, CLB_LISTENER_A_MODE, misfit);
		return -EOPNOTSUPP;
	}
	return 0;
}

static int listener_change(struct clb_net *cn, struct genl_info *info,
			   struct clb_ruleset *draft,
			   const struct clb_endpoint *key)
{
	struct clb_listener_conf *conf = clb_draft_listener(draft, key);
	struct clb_listener_options opt;
	int err;

	if (IS_ERR(conf))
		return explain_listener(info, PTR_ERR(conf));
	opt = conf->opt;
	err = clb_parse_listener_options(info->attrs, key, &opt,
					 info->extack) ?:
	      servers_check(info, conf, opt.mode);
	if (err)
		return err;
	conf->opt = opt;
	clb_event_listener(cn, CLB_CMD_LISTENER_SET, conf);
	return 0;
}

int clb_nl_listener_del(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = net_of(info);
	struct clb_listener_conf *conf;
	struct clb_ruleset *draft;
	struct clb_endpoint key;
	int err;

	err = clb_parse_listener_key(info->attrs, &key, info->extack);
	if (err)
		return err;
	draft = clb_change_begin(cn, info);
	if (IS_ERR(draft))
		return PTR_ERR(draft);
	conf = clb_ruleset_find(draft, &key);
	if (conf)
		clb_event_listener(cn, CLB_CMD_LISTENER_DEL, conf);
	err = explain_listener(info, clb_draft_listener_del(draft, &key));
	return clb_change_end(cn, info, draft, err);
}

static int server_add(struct clb_net *cn, struct genl_info *info,
		      struct clb_ruleset *draft,
		      const struct clb_endpoint *key)
{
	struct clb_listener_conf *conf = clb_draft_listener(draft, key);
	struct clb_server_conf server = { .weight = CLB_WEIGHT_DEFAULT };
	const char *misfit;
	int err, type;

	if (IS_ERR(conf))
		return explain_listener(info, PTR_ERR(conf));
	err = clb_parse_server_key(info->attrs, key->protocol, &server.key,
				   info->extack) ?:
	      clb_parse_server_options(info->attrs, &server, info->extack);
	if (err)
		return err;
	misfit = server_misfit(conf, conf->opt.mode, &server.key, &type);
	if (misfit) {
		blame(info, CLB_A_SERVER, type, misfit);
		return -EINVAL;
	}
	if (clb_server_conf_find(conf, &server.key))
		return explain_server(info, -EEXIST);
	err = explain_server(info, clb_draft_server_add(conf, &server));
	if (!err)
		clb_event_server(cn, CLB_CMD_SERVER_ADD, conf, &server);
	return err;
}

static struct clb_server_conf *server_find(struct genl_info *info,
					   const struct clb_listener_conf *conf)
{
	struct clb_server_conf *server;
	struct clb_endpoint key;
	int err;

	err = clb_parse_server_key(info->attrs, conf->key.protocol, &key,
				   info->extack);
	if (err)
		return ERR_PTR(err);
	server = clb_server_conf_find(conf, &key);
	return server ?: ERR_PTR(explain_server(info, -ENOENT));
}

static int server_change(struct clb_net *cn, struct genl_info *info,
			 struct clb_ruleset *draft,
			 const struct clb_endpoint *key)
{
	struct clb_listener_conf *conf = clb_draft_listener(draft, key);
	struct clb_server_conf *server;
	int err;

	if (IS_ERR(conf))
		return explain_listener(info, PTR_ERR(conf));
	server = server_find(info, conf);
	if (IS_ERR(server))
		return PTR_ERR(server);
	err = clb_parse_server_options(info->attrs, server, info->extack);
	if (!err)
		clb_event_server(cn, CLB_CMD_SERVER_SET, conf, server);
	return err;
}

static int server_del(struct clb_net *cn, struct genl_info *info,
		      struct clb_ruleset *draft,
		      const struct clb_endpoint *key)
{
	struct clb_listener_conf *conf = clb_draft_listener(draft, key);
	struct clb_server_conf *server;

	if (IS_ERR(conf))
		return explain_listener(info, PTR_ERR(conf));
	server = server_find(info, conf);
	if (IS_ERR(server))
		return PTR_ERR(server);
	clb_event_server(cn, CLB_CMD_SERVER_DEL, conf, server);
	clb_draft_server_del(conf, server);
	return 0;
}

/* All that works inside a listener: parse its key, begin, change, end. */
static int inside_listener(struct genl_info *info,
			   int (*change)(struct clb_net *cn,
					 struct genl_info *info,
					 struct clb_ruleset *draft,
					 const struct clb_endpoint *key))
{
	struct clb_net *cn = net_of(info);
	struct clb_ruleset *draft;
	struct clb_endpoint key;
	int err;

	err = clb_parse_listener_key(info->attrs, &key, info->extack);
	if (err)
		return err;
	draft = clb_change_begin(cn, info);
	if (IS_ERR(draft))
		return PTR_ERR(draft);
	err = change(cn, info, draft, &key);
	return clb_change_end(cn, info, draft, err);
}

int clb_nl_listener_set(struct sk_buff *skb, struct genl_info *info)
{
	return inside_listener(info, listener_change);
}

int clb_nl_server_add(struct sk_buff *skb, struct genl_info *info)
{
	return inside_listener(info, server_add);
}

int clb_nl_server_set(struct sk_buff *skb, struct genl_info *info)
{
	return inside_listener(info, server_change);
}

int clb_nl_server_del(struct sk_buff *skb, struct genl_info *info)
{
	return inside_listener(info, server_del);
}

/* Steps through the CLB_A_ACL_ENTRY of a request. */
static const struct nlattr *acl_next(const struct genl_info *info,
				     const struct nlattr *attr)
{
	int left = genlmsg_len(info->genlhdr);
	const struct nlattr *pos = genlmsg_data(info->genlhdr);

	if (attr) {
		left -= (const char *)attr - (const char *)pos;
		pos = nla_next(attr, &left);
	}
	for (; nla_ok(pos, left); pos = nla_next(pos, &left))
		if (nla_type(pos) == CLB_A_ACL_ENTRY)
			return pos;
	return NULL;
}

/*
 * Does something with each entry of a request; on an error, that is the end.
 */
static int acl_each(struct genl_info *info, struct clb_listener_conf *conf,
		    int (*step)(struct clb_listener_conf *conf,
				const struct clb_prefix *prefix))
{
	const struct nlattr *attr = NULL;
	struct clb_prefix prefix;
	int err;

	while ((attr = acl_next(info, attr))) {
		err = clb_parse_acl(attr, conf->key.family, &prefix,
				    info->extack);
		if (err)
			return err;
		err = step(conf, &prefix);
		if (err)
			return explain_acl(info, attr, err);
	}
	return 0;
}

static void acl_announce(struct clb_net *cn, struct genl_info *info,
			 const struct clb_listener_conf *conf, u8 cmd)
{
	const struct nlattr *attr = NULL;
	struct clb_prefix prefix;

	while ((attr = acl_next(info, attr)))
		if (!clb_parse_acl(attr, conf->key.family, &prefix, NULL))
			clb_event_acl(cn, cmd, conf, &prefix);
}

static int acl_add(struct clb_net *cn, struct genl_info *info,
		   struct clb_ruleset *draft, const struct clb_endpoint *key)
{
	struct clb_listener_conf *conf = clb_draft_listener(draft, key);
	u32 before;
	int err;

	if (IS_ERR(conf))
		return explain_listener(info, PTR_ERR(conf));
	if (GENL_REQ_ATTR_CHECK(info, CLB_A_ACL_ENTRY))
		return -EINVAL;
	before = conf->nr_acl;
	err = acl_each(info, conf, clb_draft_acl_add);
	if (err)
		conf->nr_acl = before;
	else
		acl_announce(cn, info, conf, CLB_CMD_ACL_ADD);
	return err;
}

static int acl_present(struct clb_listener_conf *conf,
		       const struct clb_prefix *prefix)
{
	return clb_draft_acl_has(conf, prefix) ? 0 : -ENOENT;
}

/* Named twice in one request, it is gone the second time: no matter. */
static int acl_remove(struct clb_listener_conf *conf,
		      const struct clb_prefix *prefix)
{
	clb_draft_acl_del(conf, prefix);
	return 0;
}

static int acl_del(struct clb_net *cn, struct genl_info *info,
		   struct clb_ruleset *draft, const struct clb_endpoint *key)
{
	struct clb_listener_conf *conf = clb_draft_listener(draft, key);
	int err;

	if (IS_ERR(conf))
		return explain_listener(info, PTR_ERR(conf));
	if (!info->attrs[CLB_A_ACL_ENTRY]) {
		conf->nr_acl = 0;
		clb_event_listener(cn, CLB_CMD_ACL_DEL, conf);
		return 0;
	}
	err = acl_each(info, conf, acl_present);
	if (err)
		return err;
	acl_announce(cn, info, conf, CLB_CMD_ACL_DEL);
	return acl_each(info, conf, acl_remove);
}

int clb_nl_acl_add(struct sk_buff *skb, struct genl_info *info)
{
	return inside_listener(info, acl_add);
}

int clb_nl_acl_del(struct sk_buff *skb, struct genl_info *info)
{
	return inside_listener(info, acl_del);
}

static void local_announce(struct clb_net *cn, u8 cmd,
			   struct clb_local_address *local, u16 node)
{
	const struct clb_local_conf conf = { .local = local, .node = node };

	clb_event_local_address(cn, cmd, &conf, clb_takeover_active(cn, node));
}

static int local_address_add(struct clb_net *cn, struct clb_ruleset *draft,
			     u8 family, const union nf_inet_addr *addr,
			     u16 node)
{
	struct clb_local_address *local;
	int err;

	if (clb_pool_find(draft, family, addr))
		return -EEXIST;
	local = clb_local_address_make(cn, family, addr);
	if (!local)
		return -ENOMEM;
	err = clb_draft_pool_add(draft, local, node);
	if (err)
		clb_local_address_put(local);
	else
		local_announce(cn, CLB_CMD_LOCAL_ADDRESS_ADD, local, node);
	return err;
}

/* @local: one of the draft's */
static u16 local_node(const struct clb_ruleset *draft,
		      const struct clb_local_address *local)
{
	u32 i;

	for (i = 0; draft->pool[i].local != local; i++)
		;
	return draft->pool[i].node;
}

static int local_address_del(struct clb_net *cn, struct clb_ruleset *draft,
			     u8 family, const union nf_inet_addr *addr,
			     u16 node)
{
	struct clb_local_address *local = clb_pool_find(draft, family, addr);

	if (!local)
		return -ENOENT;
	local_announce(cn, CLB_CMD_LOCAL_ADDRESS_DEL, local,
		       local_node(draft, local));
	clb_draft_pool_del(draft, local);
	return 0;
}

static int local_address_change(struct genl_info *info,
				int (*change)(struct clb_net *cn,
					      struct clb_ruleset *draft,
					      u8 family,
					      const union nf_inet_addr *addr,
					      u16 node))
{
	struct clb_net *cn = net_of(info);
	struct clb_ruleset *draft;
	union nf_inet_addr addr;
	u16 node = 0;
	u8 family;
	int err;

	err = clb_parse_local_address(info->attrs, &family, &addr, &node,
				      info->extack);
	if (err)
		return err;
	draft = clb_change_begin(cn, info);
	if (IS_ERR(draft))
		return PTR_ERR(draft);
	err = explain_local_address(info, change(cn, draft, family, &addr,
						 node));
	return clb_change_end(cn, info, draft, err);
}

int clb_nl_local_address_add(struct sk_buff *skb, struct genl_info *info)
{
	return local_address_change(info, local_address_add);
}

int clb_nl_local_address_del(struct sk_buff *skb, struct genl_info *info)
{
	return local_address_change(info, local_address_del);
}

int clb_nl_flush(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = net_of(info);
	struct clb_ruleset *draft = clb_change_begin(cn, info);

	if (IS_ERR(draft))
		return PTR_ERR(draft);
	clb_draft_flush(draft);
	clb_event_flush(cn);
	return clb_change_end(cn, info, draft, 0);
}

int clb_nl_settings_set(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = net_of(info);
	struct clb_settings settings;
	int err;

	mutex_lock(&cn->config_lock);
	settings.max_sessions = cn->max_sessions;
	settings.fast_path = cn->fast_path;
	err = clb_parse_settings(info->attrs, clb_net_ceiling(cn->net),
				 &settings, info->extack);
	if (!err) {
		WRITE_ONCE(cn->max_sessions, settings.max_sessions);
		WRITE_ONCE(cn->fast_path, settings.fast_path);
		clb_event_settings(cn, CLB_CMD_SETTINGS_SET);
	}
	mutex_unlock(&cn->config_lock);
	return err;
}

int clb_nl_session_del(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = net_of(info);
	struct clb_filter_request request;
	int err;

	err = clb_parse_session_filter(info->attrs, &request, info->extack);
	if (err)
		return err;
	/* pairs with clb_net_start(): started, there is a table */
	if (smp_load_acquire(&cn->started))
		clb_sessions_end(cn, &request.filter);
	return 0;
}
