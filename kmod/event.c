// SPDX-License-Identifier: GPL-2.0
/*
 * Events: changes are put down as they are made and announced when they are
 * in force, in their order, on the multicast group "events".
 */
#include <net/genetlink.h>

#include "event.h"
#include "fill.h"
#include "net.h"
#include "netlink.h"
#include "sync.h"

/* Most events that wait for a commit. */
#define CLB_EVENTS_MAX 4096

static void tell_lost(const struct clb_net *cn)
{
	genl_set_err(&clb_genl_family, cn->net, 0, 0, -ENOBUFS);
}

/* An event that cannot be built is lost; say so to the listeners. */
static void event_lost(const struct clb_net *cn, struct sk_buff *skb)
{
	nlmsg_free(skb);
	tell_lost(cn);
}

/* Without the family, as the module goes, the group may be another one's. */
static bool has_listeners(const struct clb_net *cn)
{
	return clb_netlink_is_up() &&
	       genl_has_listeners(&clb_genl_family, cn->net, 0);
}

static struct sk_buff *event_alloc(u8 cmd, void **hdr, gfp_t gfp)
{
	struct sk_buff *skb = genlmsg_new(NLMSG_GOODSIZE, gfp);

	if (skb)
		*hdr = genlmsg_put(skb, 0, 0, &clb_genl_family, 0, cmd);
	return skb;
}

/* An event that is announced at once. */
static struct sk_buff *event_begin(const struct clb_net *cn, u8 cmd,
				   void **hdr, gfp_t gfp)
{
	struct sk_buff *skb;

	if (!has_listeners(cn))
		return NULL;
	skb = event_alloc(cmd, hdr, gfp);
	if (!skb)
		event_lost(cn, NULL);
	return skb;
}

/*
 * The event of a change. Of one that nobody hears, too, those must be told who
 * listen when it is in force: they may have dumped what was before.
 */
static struct sk_buff *change_begin(struct clb_net *cn, u8 cmd, void **hdr)
{
	struct clb_transaction *transaction = &cn->transaction;
	struct sk_buff *skb = NULL;

	if (!transaction->lost && has_listeners(cn) &&
	    skb_queue_len(&transaction->events) < CLB_EVENTS_MAX)
		skb = event_alloc(cmd, hdr, GFP_KERNEL);
	if (!skb)
		transaction->lost = true;
	return skb;
}

static void change_queue(struct clb_net *cn, struct sk_buff *skb, void *hdr,
			 int err)
{
	if (err) {
		nlmsg_free(skb);
		cn->transaction.lost = true;
		return;
	}
	genlmsg_end(skb, hdr);
	__skb_queue_tail(&cn->transaction.events, skb);
}

static void event_now(const struct clb_net *cn, struct sk_buff *skb, void *hdr,
		      int err)
{
	if (err) {
		event_lost(cn, skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&clb_genl_family, cn->net, skb, 0, 0,
				GFP_ATOMIC);
}

/*
 * All of these put an event down; configuration lock held. @cmd is the
 * command that made the change.
 */
void clb_event_listener(struct clb_net *cn, u8 cmd,
			const struct clb_listener_conf *conf)
{
	struct sk_buff *skb;
	void *hdr;

	skb = change_begin(cn, cmd, &hdr);
	if (skb)
		change_queue(cn, skb, hdr, clb_fill_listener(skb, conf));
}

void clb_event_server(struct clb_net *cn, u8 cmd,
		      const struct clb_listener_conf *conf,
		      const struct clb_server_conf *server)
{
	struct sk_buff *skb;
	void *hdr;

	skb = change_begin(cn, cmd, &hdr);
	if (skb)
		change_queue(cn, skb, hdr,
			     clb_fill_listener_key(skb, &conf->key) ?:
			     clb_fill_server(skb, server));
}

void clb_event_acl(struct clb_net *cn, u8 cmd,
		   const struct clb_listener_conf *conf,
		   const struct clb_prefix *prefix)
{
	struct sk_buff *skb;
	void *hdr;

	skb = change_begin(cn, cmd, &hdr);
	if (skb)
		change_queue(cn, skb, hdr,
			     clb_fill_listener_key(skb, &conf->key) ?:
			     clb_fill_acl(skb, prefix, conf->key.family));
}

void clb_event_local_address(struct clb_net *cn, u8 cmd,
			     const struct clb_local_conf *conf, bool active)
{
	struct sk_buff *skb;
	void *hdr;

	skb = change_begin(cn, cmd, &hdr);
	if (skb)
		change_queue(cn, skb, hdr,
			     clb_fill_local_address(skb, conf, active));
}

/* Settings are no part of a transaction: announced at once. */
void clb_event_settings(struct clb_net *cn, u8 cmd)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(cn, cmd, &hdr, GFP_KERNEL);
	if (skb)
		event_now(cn, skb, hdr, clb_fill_settings(skb, cn));
}

/* No part of a transaction either. */
void clb_event_sync(struct clb_net *cn, u8 cmd)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(cn, cmd, &hdr, GFP_KERNEL);
	if (skb)
		event_now(cn, skb, hdr, clb_sync_fill(skb, cn));
}

/* What becomes of another node; @index as for clb_sync_peer_fill(). */
void clb_event_sync_peer(struct clb_net *cn, struct clb_sync *sync,
			 unsigned int index)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(cn, CLB_CMD_SYNC_PEER, &hdr, GFP_KERNEL);
	if (skb)
		event_now(cn, skb, hdr, clb_sync_peer_fill(skb, sync, index));
}

/* A takeover and what it leads to are announced at once, too. */
void clb_event_takeover(struct clb_net *cn, u8 cmd,
			const struct clb_local_conf *conf, bool active)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(cn, cmd, &hdr, GFP_KERNEL);
	if (skb)
		event_now(cn, skb, hdr,
			  clb_fill_local_address(skb, conf, active));
}

void clb_event_generation(struct clb_net *cn, u32 generation)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(cn, CLB_CMD_COMMIT, &hdr, GFP_KERNEL);
	if (skb)
		event_now(cn, skb, hdr,
			  nla_put_u32(skb, CLB_A_GENERATION, generation));
}

void clb_event_flush(struct clb_net *cn)
{
	struct sk_buff *skb;
	void *hdr;

	skb = change_begin(cn, CLB_CMD_FLUSH, &hdr);
	if (skb)
		change_queue(cn, skb, hdr, 0);
}

/**
 * clb_events_send() - announce what was put down, as it is in force
 * @cn: the namespace
 * @generation: of the configuration
 *
 * Or, if some of it was lost, that alone: readers have to dump, and what they
 * read after that shall not be older.
 *
 * Context: process, configuration lock held.
 */
void clb_events_send(struct clb_net *cn, u32 generation)
{
	struct sk_buff *skb;

	if (cn->transaction.lost) {
		clb_events_drop(cn);
		tell_lost(cn);
	}
	while ((skb = __skb_dequeue(&cn->transaction.events)))
		genlmsg_multicast_netns(&clb_genl_family, cn->net, skb, 0, 0,
					GFP_KERNEL);
	clb_event_generation(cn, generation);
}

/**
 * clb_events_drop() - forget what was put down
 * @cn: the namespace
 *
 * Context: process, configuration lock held.
 */
void clb_events_drop(struct clb_net *cn)
{
	__skb_queue_purge(&cn->transaction.events);
	cn->transaction.lost = false;
}

/**
 * clb_event_pool_exhausted() - announce that FNAT has run out of ports
 * @server: the server a session could not be made to
 *
 * At most one a second for each listener.
 *
 * Context: RCU read side, softirqs off.
 */
void clb_event_pool_exhausted(const struct clb_server *server)
{
	struct clb_listener *listener = server->listener;
	unsigned long last = READ_ONCE(listener->exhausted_at);
	const struct clb_net *cn = listener->cn;
	struct sk_buff *skb;
	void *hdr;

	if (time_before(jiffies, last + HZ) ||
	    cmpxchg(&listener->exhausted_at, last, jiffies) != last)
		return;
	skb = event_begin(cn, CLB_CMD_POOL_EXHAUSTED, &hdr, GFP_ATOMIC);
	if (skb)
		event_now(cn, skb, hdr,
			  clb_fill_listener_key(skb, &listener->key) ?:
			  clb_fill_server_key(skb, &server->key));
}

/**
 * clb_event_listener_end() - announce the final counters of a listener
 * @listener: it was removed, and nothing counts for it any more
 *
 * Context: any but hard interrupts; may not sleep.
 */
void clb_event_listener_end(struct clb_listener *listener)
{
	const struct clb_net *cn = listener->cn;
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(cn, CLB_CMD_LISTENER_END, &hdr, GFP_ATOMIC);
	if (skb)
		event_now(cn, skb, hdr, clb_fill_listener_end(skb, listener));
}
