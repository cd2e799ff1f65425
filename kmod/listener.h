/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_LISTENER_H
#define _CLB_LISTENER_H

#include <linux/clb.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "bucket.h"
#include "endpoint.h"
#include "meter.h"

struct clb_address;
struct clb_net;
struct clb_way;

/**
 * enum clb_timeout - timeouts a listener has
 */
enum clb_timeout {
	CLB_TIMEOUT_SYN,
	CLB_TIMEOUT_ESTABLISHED,
	CLB_TIMEOUT_FIN,
	CLB_TIMEOUT_UDP,
	CLB_TIMEOUT_MAX
};

/**
 * struct clb_embryos - embryonic sessions of a listener that one CPU began
 * @lock: protects @list and the places of sessions in it
 * @list: the oldest first
 */
struct clb_embryos {
	spinlock_t		lock;
	struct list_head	list;
};

/**
 * struct clb_listener_counts - counters of one CPU beside those of servers
 * @drops: packets dropped for a reason of the listener
 * @meter: packets the node sent in its name, of no session
 */
struct clb_listener_counts {
	unsigned long		drops;
	struct clb_meter	meter;
};

/**
 * struct clb_listener - what lives on while a listener's configuration changes
 * @key: VIP, port, protocol
 * @cn: its namespace
 * @address: the VIP in the set of known addresses
 * @timeouts: in jiffies, by enum clb_timeout; changed in place
 * @persistence: in jiffies; changed in place
 * @max_sessions: 0: none; changed in place
 * @reset: answer dead TCP sessions with a reset; changed in place
 * @client_address: SYNs tell servers of FNAT the client; changed in place
 * @sync: enum clb_sync_mode; changed in place
 * @rate: limit of outbound bytes
 * @new_rate: limit of new sessions
 * @next: position of rr and wrr
 * @sessions: open sessions
 * @counts: what is no server's
 * @counted: it was in force: when it ends its counters are told; configuration
 *	lock
 * @lock: protects @servers and @past
 * @servers: live servers, those removed but still in use included
 * @past: traffic and sessions of servers that are freed
 * @embryos: the first to go when the listener is full
 * @exhausted_at: when the last event about an exhausted pool was sent,
 *	jiffies
 * @ref: held by configurations and by servers
 * @rcu: sessions are followed to their listener under RCU
 */
struct clb_listener {
	struct clb_endpoint	key;
	struct clb_net		*cn;
	struct clb_address	*address;
	u32			timeouts[CLB_TIMEOUT_MAX];
	u32			persistence;
	u32			max_sessions;
	bool			reset;
	bool			client_address;
	u8			sync;
	struct clb_bucket	rate;
	struct clb_bucket	new_rate;
	atomic_t		next;
	atomic_t		sessions;
	struct clb_listener_counts __percpu *counts;
	bool			counted;
	spinlock_t		lock;
	struct list_head	servers;
	struct {
		struct clb_traffic traffic;
		u64		sessions;
	} past;
	struct clb_embryos __percpu *embryos;
	unsigned long		exhausted_at;
	refcount_t		ref;
	struct rcu_head		rcu;
};

/* A server that left the configuration; beyond enum clb_server_state. */
#define CLB_SERVER_STATE_GONE	__CLB_SERVER_STATE_MAX

/**
 * struct clb_server - what lives on while a server's configuration changes
 * @meter: its traffic
 * @listener: the listener it serves
 * @key: address and port; the port may be 0: that of the packet
 * @address: its address in the set of known addresses
 * @origin: where its TCP replies come from in NAT, in the same set; NULL where
 *	there is no such port
 * @way: the route that its next session may take, or NULL (route.h)
 * @state: enum clb_server_state or CLB_SERVER_STATE_GONE; changed in place
 * @max_sessions: 0: none; changed in place
 * @weight: 0: no new sessions; changed in place
 * @up_at: when it last came up, jiffies, for the slow start
 * @slow_start: in jiffies; 0: at full weight, for certain
 * @drain_at: when it began to drain, jiffies
 * @active: established TCP and UDP sessions
 * @inactive: half-open and closing TCP sessions
 * @total: sessions ever opened
 * @node: in the listener's list
 * @generation: of the newest configuration that names it; configuration lock
 * @replies_only: @origin is marked: nothing but replies comes from there;
 *	configuration lock
 * @ref: held by configurations and sessions
 * @rcu: packets in flight
 */
struct clb_server {
	struct clb_meter __percpu *meter;
	struct clb_listener	*listener;
	struct clb_endpoint	key;
	struct clb_address	*address;
	struct clb_address	*origin;
	struct clb_way __rcu	*way;
	u32			state;
	u32			max_sessions;
	u32			weight;
	unsigned long		up_at;
	u32			slow_start;
	unsigned long		drain_at;

	atomic_t		active ____cacheline_aligned_in_smp;
	atomic_t		inactive;
	atomic64_t		total;
	struct list_head	node;
	u32			generation;
	bool			replies_only;
	refcount_t		ref;
	struct rcu_head		rcu;
};

/**
 * struct clb_totals - counters of a listener, past servers included
 */
struct clb_totals {
	struct clb_traffic	traffic;
	u64			sessions;
};

struct clb_listener *clb_listener_alloc(struct clb_net *cn,
					const struct clb_endpoint *key);
void clb_listener_put(struct clb_listener *listener);
void clb_listener_totals(struct clb_listener *listener,
			 struct clb_totals *totals);
u64 clb_listener_drops(const struct clb_listener *listener);
struct clb_server *clb_server_alloc(struct clb_listener *listener,
				    const struct clb_endpoint *key);
void clb_server_put(struct clb_server *server);
void clb_server_set_replies_only(struct clb_server *server, bool replies_only);

static inline void clb_listener_get(struct clb_listener *listener)
{
	refcount_inc(&listener->ref);
}

static inline void clb_server_get(struct clb_server *server)
{
	refcount_inc(&server->ref);
}

static inline void clb_listener_drop(struct clb_listener *listener)
{
	this_cpu_inc(listener->counts->drops);
}

/* Sessions of such a server must end or move. */
static inline bool clb_server_dead(const struct clb_server *server)
{
	return unlikely(READ_ONCE(server->state) >= CLB_SERVER_STATE_DOWN);
}

static inline u32 clb_server_sessions(const struct clb_server *server)
{
	return atomic_read(&server->active) + atomic_read(&server->inactive);
}

#endif /* _CLB_LISTENER_H */
