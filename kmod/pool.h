/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_POOL_H
#define _CLB_POOL_H

#include <linux/refcount.h>
#include <linux/spinlock.h>

#include "listener.h"

struct clb_ruleset;

/* Servers are spread over so many independent port spaces by a hash. */
#define CLB_PORT_SPACES		64
#define CLB_PORT_FIRST		1024
#define CLB_PORT_COUNT		(65536 - CLB_PORT_FIRST)

/**
 * struct clb_ports - which ports of a space are used
 * @groups: bit g set: all 64 ports of word g of @ports are used
 * @ports: bit p set: port CLB_PORT_FIRST + p is used
 *
 * As large as memory is given out without waste: 8192 bytes.
 */
struct clb_ports {
	unsigned long	groups[BITS_TO_LONGS(CLB_PORT_COUNT / BITS_PER_LONG)];
	unsigned long	ports[BITS_TO_LONGS(CLB_PORT_COUNT)];
};

/**
 * struct clb_port_space - the ports of a local address towards some servers
 * @map: which are in use; NULL: none ever was
 * @next: where the search begins: freed ports rest as long as they can
 * @used: ports in use
 */
struct clb_port_space {
	struct clb_ports	*map;
	u32			next;
	u32			used;
};

/**
 * struct clb_local_address - an address of the FNAT pool
 * @cn: its namespace
 * @address: its place in the set of known addresses
 * @addr: the address
 * @family: its family
 * @sessions: sessions that use it
 * @lock: protects @spaces and what is in them
 * @spaces: port spaces by protocol and hash of the server
 * @node: in the namespace's list of live ones
 * @ref: held by configurations and sessions
 * @rcu: packets in flight
 */
struct clb_local_address {
	struct clb_net		*cn;
	struct clb_address	*address;
	union nf_inet_addr	addr;
	u8			family;
	atomic_t		sessions;
	spinlock_t		lock;
	struct clb_port_space	spaces[2][CLB_PORT_SPACES];
	struct list_head	node;
	refcount_t		ref;
	struct rcu_head		rcu;
};

struct clb_local_address *
clb_local_address_make(struct clb_net *cn, u8 family,
		       const union nf_inet_addr *addr);
void clb_local_address_put(struct clb_local_address *local);

static inline void clb_local_address_get(struct clb_local_address *local)
{
	refcount_inc(&local->ref);
}

struct clb_local_address *clb_pool_find(const struct clb_ruleset *ruleset,
					u8 family,
					const union nf_inet_addr *addr);
struct clb_local_address *clb_pool_take(const struct clb_ruleset *ruleset,
					const struct clb_endpoint *server,
					u32 hash, __be16 *port);
bool clb_pool_uses(const struct clb_ruleset *ruleset,
		   const struct clb_local_address *local);
bool clb_pool_shares(const struct clb_endpoint *a,
		     const struct clb_endpoint *b);
int clb_pool_reserve(struct clb_local_address *local,
		     const struct clb_endpoint *server, __be16 port);
void clb_pool_give(struct clb_local_address *local,
		   const struct clb_endpoint *server, __be16 port);

#endif /* _CLB_POOL_H */
