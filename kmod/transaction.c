// SPDX-License-Identifier: GPL-2.0
/*
 * Transactions. A change outside of one is a transaction of its own: it is
 * made in a copy of the configuration, which is then published.
 */
#include <linux/jiffies.h>
#include <net/sock.h>

#include "event.h"
#include "net.h"
#include "netlink.h"
#include "ruleset.h"

static struct clb_ruleset *ruleset_of(struct clb_net *cn)
{
	return rcu_dereference_protected(cn->ruleset,
					 lockdep_is_held(&cn->config_lock));
}

static struct clb_ruleset *transaction_end(struct clb_net *cn)
{
	struct clb_ruleset *draft = cn->transaction.draft;

	cn->transaction.draft = NULL;
	cn->transaction.sk = NULL;
	WRITE_ONCE(cn->transaction.portid, 0);
	return draft;
}

static void transaction_abort(struct clb_net *cn)
{
	clb_ruleset_put(transaction_end(cn));
	clb_events_drop(cn);
}

/* Not by its port: that of a socket being closed may be another's already. */
static bool transaction_mine(const struct clb_net *cn,
			     const struct genl_info *info)
{
	return cn->transaction.draft &&
	       cn->transaction.sk == clb_nl_socket(info);
}

/*
 * Nobody else's transaction is in the way. It ends with its socket at the
 * latest; were it taken away earlier, its owner's next change would be made on
 * its own.
 */
static int transaction_check(const struct clb_net *cn, struct genl_info *info)
{
	if (!cn->transaction.draft || transaction_mine(cn, info))
		return 0;
	GENL_SET_ERR_MSG(info, "another socket has a transaction open");
	return -EBUSY;
}

/**
 * clb_change_begin() - begin a change of the configuration
 * @cn: the namespace
 * @info: the request
 *
 * Return: the draft to change, with the configuration lock held, or an error
 *	as a pointer, without.
 * Context: process; may sleep.
 */
struct clb_ruleset *clb_change_begin(struct clb_net *cn,
				     struct genl_info *info)
{
	struct clb_ruleset *draft = NULL;
	int err;

	mutex_lock(&cn->config_lock);
	err = transaction_check(cn, info) ?: clb_net_start(cn);
	if (err)
		goto err_unlock;
	if (transaction_mine(cn, info))
		return cn->transaction.draft;
	draft = clb_ruleset_copy(ruleset_of(cn));
	err = -ENOMEM;
	if (draft)
		return draft;
err_unlock:
	mutex_unlock(&cn->config_lock);
	return ERR_PTR(err);
}

static int draft_commit(struct clb_net *cn, struct clb_ruleset *draft)
{
	int err = clb_ruleset_publish(cn, draft);

	if (err) {
		clb_events_drop(cn);
		return err;
	}
	clb_events_send(cn, ruleset_of(cn)->generation);
	return 0;
}

/**
 * clb_change_end() - end a change
 * @cn: the namespace
 * @info: the request
 * @draft: from clb_change_begin()
 * @err: outcome of the change; if not 0 the draft is as it was before, or is
 *	dropped where the change was on its own
 *
 * Return: @err or the outcome of publishing.
 * Context: process, configuration lock held; releases it.
 */
int clb_change_end(struct clb_net *cn, struct genl_info *info,
		   struct clb_ruleset *draft, int err)
{
	if (draft == cn->transaction.draft)
		goto out;
	if (!err) {
		err = draft_commit(cn, draft);
	} else {
		clb_ruleset_put(draft);
		clb_events_drop(cn);
	}
out:
	mutex_unlock(&cn->config_lock);
	return err;
}

int clb_nl_begin(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = clb_net(genl_info_net(info));
	struct clb_ruleset *draft = clb_change_begin(cn, info);
	int err = 0;

	if (IS_ERR(draft))
		return PTR_ERR(draft);
	if (draft == cn->transaction.draft) {
		GENL_SET_ERR_MSG(info, "this socket has a transaction open");
		err = -EALREADY;
	} else {
		cn->transaction.draft = draft;
		cn->transaction.sk = clb_nl_socket(info);
		WRITE_ONCE(cn->transaction.portid, info->snd_portid);
	}
	mutex_unlock(&cn->config_lock);
	return err;
}

static int transaction_require(const struct clb_net *cn,
			       struct genl_info *info)
{
	if (transaction_mine(cn, info))
		return 0;
	GENL_SET_ERR_MSG(info, "this socket has no transaction open");
	return -ENOENT;
}

int clb_nl_commit(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = clb_net(genl_info_net(info));
	int err;

	mutex_lock(&cn->config_lock);
	err = transaction_require(cn, info);
	if (!err)
		err = draft_commit(cn, transaction_end(cn));
	mutex_unlock(&cn->config_lock);
	return err;
}

int clb_nl_abort(struct sk_buff *skb, struct genl_info *info)
{
	struct clb_net *cn = clb_net(genl_info_net(info));
	int err;

	mutex_lock(&cn->config_lock);
	err = transaction_require(cn, info);
	if (!err)
		transaction_abort(cn);
	mutex_unlock(&cn->config_lock);
	return err;
}

/*
 * The socket that had the port may have left it to another before this is told;
 * the one it was taken from is dead. Neither is freed before its own end was
 * told, which waits for the lock.
 */
static bool transaction_orphan(const struct clb_net *cn, u32 portid)
{
	return cn->transaction.portid == portid &&
	       sock_flag(cn->transaction.sk, SOCK_DEAD);
}

/**
 * clb_transaction_release() - end the transaction of a socket that is gone
 * @cn: the namespace
 * @portid: the socket's netlink port; 0: whoever owns the transaction
 *
 * Sockets of others do not wait for the lock: what a socket sent is over before
 * it is closed, so that it sees its own port.
 *
 * Context: process; may sleep.
 */
void clb_transaction_release(struct clb_net *cn, u32 portid)
{
	if (portid && READ_ONCE(cn->transaction.portid) != portid)
		return;
	mutex_lock(&cn->config_lock);
	if (cn->transaction.draft &&
	    (!portid || transaction_orphan(cn, portid)))
		transaction_abort(cn);
	mutex_unlock(&cn->config_lock);
}

static bool has_deadline(const struct clb_server_conf *server)
{
	return server->state == CLB_SERVER_STATE_DRAIN &&
	       server->drain_timeout;
}

static bool drain_over(const struct clb_server_conf *server)
{
	return has_deadline(server) &&
	       time_after_eq(jiffies, server->server->drain_at +
			     server->drain_timeout * HZ);
}

/* How many servers drain by a deadline, and for how many it has passed. */
static void conf_drain_count(const struct clb_listener_conf *conf,
			     u32 *draining, u32 *over)
{
	u32 i;

	*over = 0;
	for (i = 0; i < conf->nr_servers; i++) {
		*draining += has_deadline(&conf->servers[i]);
		*over += drain_over(&conf->servers[i]);
	}
}

static int conf_take_down(struct clb_net *cn, struct clb_ruleset *draft,
			  const struct clb_endpoint *key)
{
	struct clb_listener_conf *conf = clb_draft_listener(draft, key);
	u32 i;

	if (IS_ERR(conf))
		return PTR_ERR(conf);
	for (i = 0; i < conf->nr_servers; i++) {
		if (!drain_over(&conf->servers[i]))
			continue;
		conf->servers[i].state = CLB_SERVER_STATE_DOWN;
		clb_event_server(cn, CLB_CMD_SERVER_SET, conf,
				 &conf->servers[i]);
	}
	return 0;
}

/* Takes servers down in a draft of its own; NULL: there was nothing to do. */
static struct clb_ruleset *drain_draft(struct clb_net *cn,
				       const struct clb_ruleset *ruleset)
{
	struct clb_ruleset *draft = NULL;
	u32 i, over, draining = 0;

	for (i = 0; i <= ruleset->mask; i++) {
		const struct clb_listener_conf *conf = ruleset->slots[i];

		if (!conf)
			continue;
		conf_drain_count(conf, &draining, &over);
		if (!over)
			continue;
		draft = draft ?: clb_ruleset_copy(ruleset);
		if (!draft || conf_take_down(cn, draft, &conf->key))
			break;
	}
	WRITE_ONCE(cn->draining, draining > 0);
	return draft;
}

/**
 * clb_drain_check() - take down servers whose time to drain is over
 * @cn: the namespace, started
 *
 * Waits while a transaction is open, for it would bring them back; without
 * memory it tries again later.
 *
 * Context: process; may sleep.
 */
void clb_drain_check(struct clb_net *cn)
{
	struct clb_ruleset *draft;

	if (!READ_ONCE(cn->draining))
		return;
	mutex_lock(&cn->config_lock);
	if (!cn->transaction.draft) {
		draft = drain_draft(cn, ruleset_of(cn));
		if (draft)
			draft_commit(cn, draft);
	}
	mutex_unlock(&cn->config_lock);
}
