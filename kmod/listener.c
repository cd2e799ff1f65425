// SPDX-License-Identifier: GPL-2.0
/*
 * Live listeners and servers. A configuration is an immutable snapshot (see
 * ruleset.h); what must outlive it (counters, sessions, limits in use) is
 * here. References point upwards: session to server to listener.
 */
#include <linux/slab.h>

#include "address.h"
#include "embryo.h"
#include "event.h"
#include "listener.h"
#include "route.h"

/**
 * clb_listener_alloc() - make a live listener
 * @cn: its namespace
 * @key: VIP, port, protocol
 *
 * Return: the listener with one reference, or NULL without memory.
 * Context: process; may sleep.
 */
struct clb_listener *clb_listener_alloc(struct clb_net *cn,
					const struct clb_endpoint *key)
{
	struct clb_listener *listener;
	int cpu;

	listener = kzalloc(sizeof(*listener), GFP_KERNEL_ACCOUNT);
	if (!listener)
		return NULL;
	listener->counts = alloc_percpu_gfp(struct clb_listener_counts,
					    GFP_KERNEL_ACCOUNT);
	if (!listener->counts)
		goto err_free;
	listener->embryos = clb_embryos_alloc();
	if (!listener->embryos)
		goto err_free_counts;
	listener->address = clb_address_get(cn, key->family, &key->addr,
					    true);
	if (!listener->address)
		goto err_free_embryos;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(listener->counts,
					    cpu)->meter.syncp);
	listener->key = *key;
	listener->cn = cn;
	listener->exhausted_at = jiffies - HZ;
	spin_lock_init(&listener->lock);
	INIT_LIST_HEAD(&listener->servers);
	refcount_set(&listener->ref, 1);
	return listener;

err_free_embryos:
	free_percpu(listener->embryos);
err_free_counts:
	free_percpu(listener->counts);
err_free:
	kfree(listener);
	return NULL;
}

/**
 * clb_listener_put() - release a reference
 * @listener: the listener; freed with the last one
 *
 * Context: any.
 */
void clb_listener_put(struct clb_listener *listener)
{
	if (!refcount_dec_and_test(&listener->ref))
		return;
	/* no server is left, nor a packet that counts */
	if (listener->counted)
		clb_event_listener_end(listener);
	clb_address_put(listener->cn, listener->address, true);
	free_percpu(listener->embryos);
	free_percpu(listener->counts);
	kfree_rcu(listener, rcu);
}

/*
 * A port of 0 stands for the packet's, which is the listener's unless that is 0
 * as well: what comes from all ports of a server is not replies alone. False
 * without memory.
 */
static bool origin_get(struct clb_server *server,
		       const struct clb_listener *listener)
{
	struct clb_endpoint origin = server->key;

	origin.protocol = listener->key.protocol;
	origin.port = origin.port ?: listener->key.port;
	if (origin.protocol != IPPROTO_TCP || !origin.port)
		return true;
	server->origin = clb_address_origin_get(listener->cn, &origin);
	return server->origin;
}

/**
 * clb_server_alloc() - make a live server
 * @listener: the listener it serves; the server holds a reference
 * @key: address and port
 *
 * Return: the server with one reference, or NULL without memory.
 * Context: process; may sleep.
 */
struct clb_server *clb_server_alloc(struct clb_listener *listener,
				    const struct clb_endpoint *key)
{
	struct clb_server *server;
	int cpu;

	server = kzalloc(sizeof(*server), GFP_KERNEL_ACCOUNT);
	if (!server)
		return NULL;
	server->meter = alloc_percpu_gfp(struct clb_meter, GFP_KERNEL_ACCOUNT);
	if (!server->meter)
		goto err_free;
	server->address = clb_address_get(listener->cn, key->family,
					  &key->addr, false);
	if (!server->address)
		goto err_free_meter;
	server->key = *key;
	if (!origin_get(server, listener))
		goto err_put_address;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(server->meter, cpu)->syncp);
	server->listener = listener;
	server->state = CLB_SERVER_STATE_DOWN;
	refcount_set(&server->ref, 1);
	clb_listener_get(listener);
	spin_lock_bh(&listener->lock);
	list_add_tail(&server->node, &listener->servers);
	spin_unlock_bh(&listener->lock);
	return server;

err_put_address:
	clb_address_put(listener->cn, server->address, false);
err_free_meter:
	free_percpu(server->meter);
err_free:
	kfree(server);
	return NULL;
}

/**
 * clb_server_set_replies_only() - does nothing but replies come from a server
 * @server: the server
 * @replies_only: so it is; of no effect where it has no origin
 *
 * Context: process, configuration lock held.
 */
void clb_server_set_replies_only(struct clb_server *server, bool replies_only)
{
	if (!server->origin || server->replies_only == replies_only)
		return;
	server->replies_only = replies_only;
	clb_address_mark(server->listener->cn, server->origin, replies_only);
}

static void traffic_add(struct clb_traffic *to, const struct clb_traffic *from)
{
	int dir;

	for (dir = 0; dir < CLB_DIR_MAX; dir++) {
		to->packets[dir] += from->packets[dir];
		to->bytes[dir] += from->bytes[dir];
	}
}

/* Packets in flight have counted: nobody adds to the meter any more. */
static void server_free_rcu(struct rcu_head *rcu)
{
	struct clb_server *server = container_of(rcu, struct clb_server, rcu);
	struct clb_listener *listener = server->listener;

	clb_way_forget(server);
	spin_lock_bh(&listener->lock);
	list_del(&server->node);
	clb_meter_read(server->meter, &listener->past.traffic);
	listener->past.sessions += atomic64_read(&server->total);
	spin_unlock_bh(&listener->lock);
	clb_address_put(listener->cn, server->address, false);
	if (server->origin)
		clb_address_put(listener->cn, server->origin,
				server->replies_only);
	free_percpu(server->meter);
	kfree(server);
	clb_listener_put(listener);
}

/**
 * clb_server_put() - release a reference
 * @server: the server; after the last one its counters pass to the listener
 *
 * Context: any.
 */
void clb_server_put(struct clb_server *server)
{
	if (refcount_dec_and_test(&server->ref))
		call_rcu(&server->rcu, server_free_rcu);
}

/**
 * clb_listener_totals() - counters of a listener
 * @listener: the listener
 * @totals: the sums over all its servers, past and present
 *
 * Context: any but hard interrupts.
 */
void clb_listener_totals(struct clb_listener *listener,
			 struct clb_totals *totals)
{
	const struct clb_server *server;

	memset(totals, 0, sizeof(*totals));
	spin_lock_bh(&listener->lock);
	traffic_add(&totals->traffic, &listener->past.traffic);
	clb_meter_read(&listener->counts->meter, &totals->traffic);
	totals->sessions = listener->past.sessions;
	list_for_each_entry(server, &listener->servers, node) {
		clb_meter_read(server->meter, &totals->traffic);
		totals->sessions += atomic64_read(&server->total);
	}
	spin_unlock_bh(&listener->lock);
}

/**
 * clb_listener_drops() - packets dropped for a reason of a listener
 * @listener: the listener
 *
 * Return: their number.
 * Context: any.
 */
u64 clb_listener_drops(const struct clb_listener *listener)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(listener->counts, cpu)->drops);
	return sum;
}
