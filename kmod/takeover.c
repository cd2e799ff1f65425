// SPDX-License-Identifier: GPL-2.0
/*
 * To whom local addresses of FNAT belong. Those of other nodes stand in the
 * pool behind those that new sessions use; when their node dies they move to
 * the front, until it returns: Documentation/sync-protocol.rst.
 */
#include "event.h"
#include "pool.h"
#include "session.h"
#include "takeover.h"

/* What a node said before it died may be heard for so long after that. */
#define LAST_WORDS	(3 * HZ)

static struct clb_ruleset *ruleset_of(struct clb_net *cn)
{
	return rcu_dereference_protected(cn->ruleset,
					 lockdep_is_held(&cn->config_lock));
}

/* Its place among those that were taken over, or -1. */
static int taken_index(const struct clb_net *cn, u16 node)
{
	u32 i;

	for (i = 0; i < cn->nr_taken; i++)
		if (cn->taken[i].node == node)
			return i;
	return -1;
}

/**
 * clb_takeover_active() - do new sessions use the local addresses of a node
 * @cn: the namespace
 * @node: the node; 0: this one
 *
 * Return: true if so.
 * Context: process, configuration lock held.
 */
bool clb_takeover_active(const struct clb_net *cn, u16 node)
{
	return !node || node == cn->node || taken_index(cn, node) >= 0;
}

/**
 * clb_takeover_arrange() - those that new sessions use come first in the pool
 * @cn: the namespace
 * @draft: about to be published
 *
 * Context: process, configuration lock held.
 */
void clb_takeover_arrange(const struct clb_net *cn, struct clb_ruleset *draft)
{
	u32 i, active = 0;

	for (i = 0; i < draft->nr_pool; i++) {
		if (!clb_takeover_active(cn, draft->pool[i].node))
			continue;
		swap(draft->pool[i], draft->pool[active]);
		active++;
	}
	draft->nr_active = active;
}

/*
 * The port is this session's from now on, if no other one has it, and if the
 * namespace may have the space it is in: if not, nobody gets a port of it.
 * Returns 0 or -ENOMEM.
 */
static int session_mark(const struct clb_ruleset *ruleset,
			struct clb_session *session)
{
	const struct clb_tuple *reply = clb_session_tuple(session,
							  CLB_DIR_REPLY);
	struct clb_endpoint server = session->server->key;
	struct clb_local_address *local;
	int err;

	if (session->mode != CLB_MODE_FNAT || READ_ONCE(session->local))
		return 0;
	local = clb_pool_find(ruleset, reply->family, &reply->dst);
	if (!local)
		return 0;
	server.port = reply->sport;
	err = clb_pool_reserve(local, &server, reply->dport);
	/* who frees the session looks after a grace period */
	if (!err)
		WRITE_ONCE(session->local, local);
	return err == -ENOMEM ? err : 0;
}

static int bucket_mark(struct clb_net *cn, const struct clb_ruleset *ruleset,
		       u32 index)
{
	struct clb_tuplehash *entry;
	int err = 0;

	local_bh_disable();
	rcu_read_lock();
	clb_chain_for_each(entry, clb_table_bucket(&cn->table, index))
		if (entry->tuple.dir == CLB_DIR_ORIGINAL &&
		    entry->tuple.kind == CLB_TUPLE_FLOW &&
		    session_mark(ruleset, clb_session_of(entry)))
			err = -ENOMEM;
	rcu_read_unlock();
	local_bh_enable();
	return err;
}

/**
 * clb_takeover_mark() - mark the local ports of all sessions in a pool
 * @cn: the namespace, started
 * @ruleset: the pool is of this configuration, the one in force or the next
 *
 * Return: 0 or -ENOMEM: some are not marked.
 * Context: process, configuration lock held; may sleep.
 */
int clb_takeover_mark(struct clb_net *cn, const struct clb_ruleset *ruleset)
{
	struct clb_table *table = &cn->table;
	unsigned int seq;
	int err = 0;
	u32 index;

	lockdep_assert_held(&cn->config_lock);
	if (!READ_ONCE(cn->strays))
		return 0;
	clb_table_walk_begin(table);
	for (index = 0; index < clb_table_buckets(table) && !err; index++) {
		/* entries that move meanwhile can lead out of the bucket */
		do {
			seq = read_seqcount_begin(&table->seq);
			err = bucket_mark(cn, ruleset, index);
			cond_resched();
		} while (read_seqcount_retry(&table->seq, seq));
	}
	clb_table_walk_end(table);
	return err;
}

/* The same configuration, its pool in the order of now. */
static int pool_renew(struct clb_net *cn)
{
	struct clb_ruleset *draft;
	int err;

	err = clb_takeover_mark(cn, ruleset_of(cn));
	if (err)
		return err;
	draft = clb_ruleset_copy(ruleset_of(cn));
	if (!draft)
		return -ENOMEM;
	err = clb_ruleset_publish(cn, draft);
	if (!err)
		clb_event_generation(cn, ruleset_of(cn)->generation);
	return err;
}

static bool has_addresses(const struct clb_ruleset *ruleset, u16 node)
{
	u32 i;

	for (i = 0; i < ruleset->nr_pool; i++)
		if (ruleset->pool[i].node == node)
			return true;
	return false;
}

/**
 * clb_takeover_own() - the id of this node is known
 * @cn: the namespace, started
 * @node: the id, or 0: none
 *
 * Return: 0 or -ENOMEM, with nothing changed.
 * Context: process, configuration lock held; may sleep.
 */
int clb_takeover_own(struct clb_net *cn, u16 node)
{
	u16 before = cn->node;
	int err;

	if (node == before)
		return 0;
	cn->node = node;
	if (!has_addresses(ruleset_of(cn), before) &&
	    !has_addresses(ruleset_of(cn), node))
		return 0;
	err = pool_renew(cn);
	if (err)
		cn->node = before;
	return err;
}

static void taken_add(struct clb_net *cn, u16 node)
{
	spin_lock_bh(&cn->address_lock);
	cn->taken[cn->nr_taken] = (struct clb_taken) {
		.node = node, .since = jiffies,
	};
	WRITE_ONCE(cn->nr_taken, cn->nr_taken + 1);
	spin_unlock_bh(&cn->address_lock);
}

static void taken_del(struct clb_net *cn, u16 node)
{
	spin_lock_bh(&cn->address_lock);
	cn->taken[taken_index(cn, node)] = cn->taken[cn->nr_taken - 1];
	WRITE_ONCE(cn->nr_taken, cn->nr_taken - 1);
	spin_unlock_bh(&cn->address_lock);
}

static void announce(struct clb_net *cn, u8 cmd, u16 node)
{
	const struct clb_ruleset *ruleset = ruleset_of(cn);
	u32 i;

	for (i = 0; i < ruleset->nr_pool; i++)
		if (ruleset->pool[i].node == node)
			clb_event_takeover(cn, cmd, &ruleset->pool[i],
					   i < ruleset->nr_active);
}

static int takeover_check(struct clb_net *cn, u16 node,
			  struct netlink_ext_ack *extack)
{
	if (!cn->node) {
		NL_SET_ERR_MSG(extack, "without sync this node has no id");
		return -ENOENT;
	}
	if (clb_takeover_active(cn, node)) {
		NL_SET_ERR_MSG(extack, "its local addresses are in use here");
		return -EALREADY;
	}
	if (!has_addresses(ruleset_of(cn), node)) {
		NL_SET_ERR_MSG(extack, "no local address belongs to it");
		return -ENOENT;
	}
	if (cn->nr_taken < CLB_TAKEN_MAX)
		return 0;
	NL_SET_ERR_MSG(extack, "too many nodes are taken over");
	return -ENOSPC;
}

/**
 * clb_takeover() - use the local addresses of a node that is dead
 * @cn: the namespace, started
 * @node: the node
 * @extack: says what is wrong
 *
 * Return: 0; -ENOENT: it has none, or this node has no id; -EALREADY: they are
 *	used; -ENOSPC or -ENOMEM.
 * Context: process, configuration lock held; may sleep.
 */
int clb_takeover(struct clb_net *cn, u16 node, struct netlink_ext_ack *extack)
{
	int err = takeover_check(cn, node, extack);

	if (err)
		return err;
	taken_add(cn, node);
	err = pool_renew(cn);
	if (err) {
		taken_del(cn, node);
		return err;
	}
	announce(cn, CLB_CMD_SYNC_TAKEOVER, node);
	return 0;
}

/**
 * clb_giveback() - the reverse of clb_takeover(); sessions stay
 * @cn: the namespace, started
 * @node: the node
 * @extack: says what is wrong, or NULL
 *
 * Return: 0, -ENOENT: it was not taken over, or -ENOMEM.
 * Context: process, configuration lock held; may sleep.
 */
int clb_giveback(struct clb_net *cn, u16 node, struct netlink_ext_ack *extack)
{
	int err;

	if (taken_index(cn, node) < 0) {
		NL_SET_ERR_MSG(extack, "this node was not taken over");
		return -ENOENT;
	}
	taken_del(cn, node);
	err = pool_renew(cn);
	if (err) {
		taken_add(cn, node);
		return err;
	}
	announce(cn, CLB_CMD_SYNC_GIVEBACK, node);
	return 0;
}

/**
 * clb_takeover_returned() - another node is there and has all sessions
 * @cn: the namespace
 * @node: the node
 *
 * Context: process; may be called with every heartbeat.
 */
void clb_takeover_returned(struct clb_net *cn, u16 node)
{
	int i;

	if (likely(!READ_ONCE(cn->nr_taken)))
		return;
	spin_lock_bh(&cn->address_lock);
	i = taken_index(cn, node);
	if (i >= 0 && time_before(jiffies, cn->taken[i].since + LAST_WORDS))
		i = -1;
	if (i >= 0)
		WRITE_ONCE(cn->taken[i].returned, true);
	spin_unlock_bh(&cn->address_lock);
	if (i >= 0)
		queue_work(clb_workqueue, &cn->giveback);
}

/* Without memory: again with the next heartbeat. */
static void giveback_work(struct work_struct *work)
{
	struct clb_net *cn = container_of(work, struct clb_net, giveback);
	u32 i;

	mutex_lock(&cn->config_lock);
	/* what is given back leaves its place to the last one */
	for (i = cn->nr_taken; i-- > 0;)
		if (READ_ONCE(cn->taken[i].returned))
			clb_giveback(cn, cn->taken[i].node, NULL);
	mutex_unlock(&cn->config_lock);
}

/**
 * clb_takeover_init() - nothing is taken over
 * @cn: the namespace
 *
 * Context: any.
 */
void clb_takeover_init(struct clb_net *cn)
{
	INIT_WORK(&cn->giveback, giveback_work);
}

/**
 * clb_takeover_exit() - nothing is given back any more
 * @cn: the namespace; sync is stopped
 *
 * Context: process; may sleep.
 */
void clb_takeover_exit(struct clb_net *cn)
{
	cancel_work_sync(&cn->giveback);
}
