// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink commands that tell something. A dump of the configuration holds the
 * one it began with: it is whole, whatever changes meanwhile. A dump of
 * sessions walks the table and goes on where it stopped: linear in their
 * number. Sessions made or ended meanwhile may be in it or not, all others are
 * in it once, but where one chain is more than a message holds: the table then
 * lags far behind its load.
 */
#include <linux/slab.h>
#include <net/sock.h>

#include "fill.h"
#include "net.h"
#include "netlink.h"
#include "parse.h"
#include "ruleset.h"
#include "sync.h"

static struct clb_net *net_of(struct genl_info *info)
{
	return clb_net(genl_info_net(info));
}

static struct sk_buff *reply_begin(struct genl_info *info, void **hdr)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);

	if (skb)
		*hdr = genlmsg_put_reply(skb, info, &clb_genl_family, 0,
					 info->genlhdr->cmd);
	return skb;
}

static int reply_end(struct genl_info *info, struct sk_buff *skb, void *hdr,
		     int err)
{
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/* The listener of a request, in a configuration the caller holds. */
static struct clb_listener_conf *
listener_of(struct genl_info *info, const struct clb_ruleset *ruleset)
{
	struct clb_listener_conf *conf;
	struct clb_endpoint key;
	int err;

	err = clb_parse_listener_key(info->attrs, &key, info->extack);
	if (err)
		return ERR_PTR(err);
	conf = ruleset ? clb_ruleset_find(ruleset, &key) : NULL;
	if (conf)
		return conf;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[CLB_A_LISTENER],
			    "no such listener");
	return ERR_PTR(-ENOENT);
}

static int listener_reply(struct genl_info *info,
			  const struct clb_ruleset *ruleset)
{
	struct clb_listener_conf *conf = listener_of(info, ruleset);
	struct sk_buff *skb;
	void *hdr;

	if (IS_ERR(conf))
		return PTR_ERR(conf);
	skb = reply_begin(info, &hdr);
	if (!skb)
		return -ENOMEM;
	return reply_end(info, skb, hdr, clb_fill_listener(skb, conf));
}

static int server_reply(struct genl_info *info,
			const struct clb_ruleset *ruleset)
{
	struct clb_listener_conf *conf = listener_of(info, ruleset);
	struct clb_server_conf *server;
	struct clb_endpoint key;
	struct sk_buff *skb;
	void *hdr;
	int err;

	if (IS_ERR(conf))
		return PTR_ERR(conf);
	err = clb_parse_server_key(info->attrs, conf->key.protocol, &key,
				   info->extack);
	if (err)
		return err;
	server = clb_server_conf_find(conf, &key);
	if (!server) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[CLB_A_SERVER],
				    "no such server");
		return -ENOENT;
	}
	skb = reply_begin(info, &hdr);
	if (!skb)
		return -ENOMEM;
	return reply_end(info, skb, hdr,
			 clb_fill_listener_key(skb, &conf->key) ?:
			 clb_fill_server(skb, server));
}

static int with_ruleset(struct genl_info *info,
			int (*reply)(struct genl_info *info,
				     const struct clb_ruleset *ruleset))
{
	struct clb_ruleset *ruleset = clb_ruleset_get(net_of(info));
	int err = reply(info, ruleset);

	clb_ruleset_put(ruleset);
	return err;
}

int clb_nl_listener_get(struct sk_buff *skb, struct genl_info *info)
{
	return with_ruleset(info, listener_reply);
}

int clb_nl_server_get(struct sk_buff *skb, struct genl_info *info)
{
	return with_ruleset(info, server_reply);
}

/* 0: the namespace was never configured */
static u32 generation_of(const struct clb_net *cn)
{
	const struct clb_ruleset *ruleset;
	u32 generation = 0;

	rcu_read_lock();
	ruleset = rcu_dereference(cn->ruleset);
	if (ruleset)
		generation = ruleset->generation;
	rcu_read_unlock();
	return generation;
}

int clb_nl_settings_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;

	reply = reply_begin(info, &hdr);
	if (!reply)
		return -ENOMEM;
	return reply_end(info, reply, hdr,
			 clb_fill_settings(reply, net_of(info)) ?:
			 nla_put_u32(reply, CLB_A_GENERATION,
				     generation_of(net_of(info))));
}

int clb_nl_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;

	reply = reply_begin(info, &hdr);
	if (!reply)
		return -ENOMEM;
	return reply_end(info, reply, hdr,
			 clb_fill_stats(reply, net_of(info)));
}

int clb_nl_sync_get(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	void *hdr;

	reply = reply_begin(info, &hdr);
	if (!reply)
		return -ENOMEM;
	return reply_end(info, reply, hdr,
			 clb_sync_fill(reply, net_of(info)));
}

/**
 * struct config_cursor - where a dump of the configuration is
 * @ruleset: the configuration, NULL: there is none
 * @only: unless NULL, the one listener asked for
 * @slot: next slot
 * @index: next server, ACL entry or local address
 */
struct config_cursor {
	struct clb_ruleset	*ruleset;
	struct clb_listener_conf *only;
	u32			slot;
	u32			index;
};

static struct config_cursor *config_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct config_cursor) > sizeof(cb->ctx));
	return (struct config_cursor *)cb->ctx;
}

int clb_nl_config_start(struct netlink_callback *cb)
{
	struct nlattr **attrs = genl_dumpit_info(cb)->attrs;
	struct config_cursor *cursor = config_cursor(cb);
	struct clb_endpoint key;
	int err;

	/* one policy for get and dump; a dump goes by the listener alone */
	if (attrs[CLB_A_SERVER]) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[CLB_A_SERVER],
				    "servers are listed by their listener");
		return -EINVAL;
	}
	cursor->ruleset = clb_ruleset_get(clb_net(sock_net(cb->skb->sk)));
	if (!attrs[CLB_A_LISTENER])
		return 0;
	err = clb_parse_listener_key(attrs, &key, cb->extack);
	if (!err && cursor->ruleset)
		cursor->only = clb_ruleset_find(cursor->ruleset, &key);
	if (!err && !cursor->only) {
		NL_SET_ERR_MSG_ATTR(cb->extack, attrs[CLB_A_LISTENER],
				    "no such listener");
		err = -ENOENT;
	}
	if (err)
		clb_ruleset_put(cursor->ruleset);
	return err;
}

int clb_nl_config_done(struct netlink_callback *cb)
{
	clb_ruleset_put(config_cursor(cb)->ruleset);
	return 0;
}

static void *record_begin(struct sk_buff *skb, struct netlink_callback *cb,
			  u8 cmd)
{
	return genlmsg_put(skb, NETLINK_CB(cb->skb).portid,
			   cb->nlh->nlmsg_seq, &clb_genl_family, NLM_F_MULTI,
			   cmd);
}

/* Ends a record or takes it back; the dump goes on with it next time. */
static bool record_end(struct sk_buff *skb, void *hdr, int err)
{
	if (err) {
		genlmsg_cancel(skb, hdr);
		return false;
	}
	genlmsg_end(skb, hdr);
	return true;
}

static bool dump_listener(struct sk_buff *skb, struct netlink_callback *cb,
			  const struct clb_listener_conf *conf)
{
	void *hdr = record_begin(skb, cb, CLB_CMD_LISTENER_GET);

	return hdr && record_end(skb, hdr, clb_fill_listener(skb, conf));
}

/* What is inside a listener, from where the last skb was full. */
static bool dump_inside(struct sk_buff *skb, struct netlink_callback *cb,
			const struct clb_listener_conf *conf, u8 cmd, u32 count,
			int (*fill)(struct sk_buff *skb,
				    const struct clb_listener_conf *conf,
				    u32 index))
{
	struct config_cursor *cursor = config_cursor(cb);
	void *hdr;

	for (; cursor->index < count; cursor->index++) {
		hdr = record_begin(skb, cb, cmd);
		if (!hdr ||
		    !record_end(skb, hdr,
				clb_fill_listener_key(skb, &conf->key) ?:
				fill(skb, conf, cursor->index)))
			return false;
	}
	cursor->index = 0;
	return true;
}

static int fill_server(struct sk_buff *skb,
		       const struct clb_listener_conf *conf, u32 index)
{
	return clb_fill_server(skb, &conf->servers[index]);
}

static bool dump_servers(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct clb_listener_conf *conf)
{
	return dump_inside(skb, cb, conf, CLB_CMD_SERVER_GET, conf->nr_servers,
			   fill_server);
}

static int fill_acl(struct sk_buff *skb, const struct clb_listener_conf *conf,
		    u32 index)
{
	return clb_fill_acl(skb, &conf->acl_entries[index], conf->key.family);
}

static bool dump_acl(struct sk_buff *skb, struct netlink_callback *cb,
		     const struct clb_listener_conf *conf)
{
	return dump_inside(skb, cb, conf, CLB_CMD_ACL_GET, conf->nr_acl,
			   fill_acl);
}

/* Dumps all listeners or the one asked for, as far as the skb has room. */
static int each_listener(struct sk_buff *skb, struct netlink_callback *cb,
			 bool (*dump)(struct sk_buff *skb,
				      struct netlink_callback *cb,
				      const struct clb_listener_conf *conf))
{
	struct config_cursor *cursor = config_cursor(cb);
	const struct clb_ruleset *ruleset = cursor->ruleset;

	for (; ruleset && cursor->slot <= ruleset->mask; cursor->slot++) {
		const struct clb_listener_conf *conf =
			ruleset->slots[cursor->slot];

		if (!conf || (cursor->only && cursor->only != conf))
			continue;
		if (!dump(skb, cb, conf))
			break;
	}
	return skb->len;
}

int clb_nl_listener_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return each_listener(skb, cb, dump_listener);
}

int clb_nl_server_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return each_listener(skb, cb, dump_servers);
}

int clb_nl_acl_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return each_listener(skb, cb, dump_acl);
}

int clb_nl_local_address_dump(struct sk_buff *skb,
			      struct netlink_callback *cb)
{
	struct config_cursor *cursor = config_cursor(cb);
	const struct clb_ruleset *ruleset = cursor->ruleset;
	void *hdr;

	for (; ruleset && cursor->index < ruleset->nr_pool; cursor->index++) {
		hdr = record_begin(skb, cb, CLB_CMD_LOCAL_ADDRESS_GET);
		if (!hdr ||
		    !record_end(skb, hdr,
				clb_fill_local_address(skb, &ruleset->pool
						       [cursor->index],
						       cursor->index <
						       ruleset->nr_active)))
			break;
	}
	return skb->len;
}

/* Returns false if the message is full. */
static bool dump_peer(struct sk_buff *skb, struct netlink_callback *cb,
		      struct clb_sync *sync, unsigned int index)
{
	void *hdr = record_begin(skb, cb, CLB_CMD_SYNC_PEER_GET);
	int err;

	if (!hdr)
		return false;
	err = clb_sync_peer_fill(skb, sync, index);
	return record_end(skb, hdr, err) || err == -ENOENT;
}

int clb_nl_sync_peer_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct clb_net *cn = clb_net(sock_net(cb->skb->sk));
	struct clb_sync *sync;

	rcu_read_lock();
	sync = rcu_dereference(cn->sync);
	while (sync && cb->args[0] < CLB_SYNC_PEERS &&
	       dump_peer(skb, cb, sync, cb->args[0]))
		cb->args[0]++;
	rcu_read_unlock();
	return skb->len;
}

/**
 * struct session_cursor - where a dump of sessions is
 * @request: which sessions
 * @walk: the rest of the table; of no bucket if there is none
 * @skip: entries of the next chain that were dumped, where one skb is too small
 *	for it
 */
struct session_cursor {
	struct clb_filter_request *request;
	struct clb_table_walk	walk;
	u32			skip;
};

static struct session_cursor *session_cursor(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct session_cursor) > sizeof(cb->ctx));
	return (struct session_cursor *)cb->ctx;
}

int clb_nl_session_start(struct netlink_callback *cb)
{
	struct clb_net *cn = clb_net(sock_net(cb->skb->sk));
	struct session_cursor *cursor = session_cursor(cb);
	int err;

	cursor->request = kzalloc(sizeof(*cursor->request), GFP_KERNEL);
	if (!cursor->request)
		return -ENOMEM;
	err = clb_parse_session_filter(genl_dumpit_info(cb)->attrs,
				       cursor->request, cb->extack);
	if (err) {
		kfree(cursor->request);
		return err;
	}
	/* pairs with clb_net_start(): started, there is a table */
	if (smp_load_acquire(&cn->started))
		cursor->walk.begun = clb_table_walk_begin(&cn->table);
	return 0;
}

int clb_nl_session_done(struct netlink_callback *cb)
{
	struct clb_net *cn = clb_net(sock_net(cb->skb->sk));
	struct session_cursor *cursor = session_cursor(cb);

	if (cursor->walk.begun)
		clb_table_walk_end(&cn->table);
	kfree(cursor->request);
	return 0;
}

static bool dump_session(struct sk_buff *skb, struct netlink_callback *cb,
			 const struct clb_tuplehash *entry)
{
	const struct clb_session *session = clb_session_of(entry);
	void *hdr;

	if (entry->tuple.dir != CLB_DIR_ORIGINAL ||
	    READ_ONCE(session->state) == CLB_SESSION_STATE_DEAD ||
	    clb_session_expired(session) ||
	    !clb_session_matches(session,
				 &session_cursor(cb)->request->filter))
		return true;
	hdr = record_begin(skb, cb, CLB_CMD_SESSION_GET);
	return hdr && record_end(skb, hdr, clb_fill_session(skb, session));
}

/*
 * A chain is dumped whole or, with no room left, taken back: were it resumed at
 * an entry, one that left it meanwhile would hide another.
 */
static bool dump_chain(struct sk_buff *skb, struct netlink_callback *cb,
		       struct clb_chain *chain)
{
	struct session_cursor *cursor = session_cursor(cb);
	unsigned int before = skb->len;
	struct clb_tuplehash *entry;
	u32 index = 0;

	clb_chain_for_each(entry, chain) {
		if (index++ < cursor->skip)
			continue;
		if (dump_session(skb, cb, entry))
			continue;
		if (before)
			skb_trim(skb, before);
		else
			cursor->skip = index - 1;
		return false;
	}
	cursor->skip = 0;
	return true;
}

/* Returns false if the message is full. */
static bool session_dump_next(struct sk_buff *skb, struct netlink_callback *cb,
			      struct clb_table *table)
{
	struct clb_table_walk *walk = &session_cursor(cb)->walk;
	u32 bucket = walk->bucket;
	bool room;

	if (bucket + CLB_TABLE_AHEAD < walk->begun)
		clb_table_prefetch(table, bucket + CLB_TABLE_AHEAD);
	room = dump_chain(skb, cb, clb_table_walk_lock(table, walk));
	if (room)
		clb_table_walk_next(table, walk);
	clb_table_unlock(table, bucket);
	return room;
}

int clb_nl_session_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct clb_net *cn = clb_net(sock_net(cb->skb->sk));
	struct clb_table_walk *walk = &session_cursor(cb)->walk;
	bool room = true;

	while (room && walk->bucket < walk->begun) {
		rcu_read_lock();
		room = session_dump_next(skb, cb, &cn->table);
		rcu_read_unlock();
		cond_resched();
	}
	return skb->len;
}
