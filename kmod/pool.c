// SPDX-License-Identifier: GPL-2.0
/*
 * Local addresses and ports for FNAT.
 *
 * A port must be unique for a server, not for the pool: servers are hashed
 * into 64 port spaces, and each local address has a bitmap of ports for each
 * space in use (8 kB). A second bitmap of full words makes the search three
 * find-next-bit steps at any fill.
 */
#include <linux/bitmap.h>
#include <linux/jhash.h>
#include <linux/slab.h>

#include "address.h"
#include "net.h"
#include "pool.h"
#include "ruleset.h"

#define CLB_PORT_GROUPS (CLB_PORT_COUNT / BITS_PER_LONG)

static struct clb_local_address *local_alloc(struct clb_net *cn, u8 family,
					     const union nf_inet_addr *addr)
{
	struct clb_local_address *local;

	BUILD_BUG_ON(CLB_PORT_COUNT % BITS_PER_LONG);
	BUILD_BUG_ON(BITS_PER_LONG == 64 && sizeof(struct clb_ports) > 8192);
	local = kzalloc(sizeof(*local), GFP_KERNEL_ACCOUNT);
	if (!local)
		return NULL;
	local->address = clb_address_get(cn, family, addr, false);
	if (!local->address) {
		kfree(local);
		return NULL;
	}
	local->cn = cn;
	local->addr = *addr;
	local->family = family;
	spin_lock_init(&local->lock);
	refcount_set(&local->ref, 1);
	spin_lock_bh(&cn->address_lock);
	list_add(&local->node, &cn->local_addresses);
	spin_unlock_bh(&cn->address_lock);
	return local;
}

/* One that is live, be it only for the sessions that still use it. */
static struct clb_local_address *local_revive(struct clb_net *cn, u8 family,
					      const union nf_inet_addr *addr)
{
	struct clb_local_address *local, *found = NULL;

	spin_lock_bh(&cn->address_lock);
	list_for_each_entry(local, &cn->local_addresses, node)
		if (local->family == family &&
		    clb_addr_equal(&local->addr, addr) &&
		    refcount_inc_not_zero(&local->ref)) {
			found = local;
			break;
		}
	spin_unlock_bh(&cn->address_lock);
	return found;
}

/**
 * clb_local_address_make() - the live object of a local address
 * @cn: its namespace
 * @family: family of @addr
 * @addr: the address
 *
 * One that was removed and comes back while sessions use it goes on with the
 * ports they have.
 *
 * Return: the local address with a reference, or NULL without memory.
 * Context: process, configuration lock held; may sleep.
 */
struct clb_local_address *
clb_local_address_make(struct clb_net *cn, u8 family,
		       const union nf_inet_addr *addr)
{
	return local_revive(cn, family, addr) ?:
	       local_alloc(cn, family, addr);
}

static void space_free(struct clb_local_address *local,
		       struct clb_port_space *space)
{
	if (!space->map)
		return;
	kfree(space->map);
	atomic_dec(&local->cn->nr_spaces);
}

/**
 * clb_local_address_put() - release a reference
 * @local: the local address; freed after the last one
 *
 * Context: any but hard interrupts.
 */
void clb_local_address_put(struct clb_local_address *local)
{
	unsigned int i, k;

	if (!refcount_dec_and_test(&local->ref))
		return;
	spin_lock_bh(&local->cn->address_lock);
	list_del(&local->node);
	spin_unlock_bh(&local->cn->address_lock);
	for (i = 0; i < ARRAY_SIZE(local->spaces); i++)
		for (k = 0; k < CLB_PORT_SPACES; k++)
			space_free(local, &local->spaces[i][k]);
	clb_address_put(local->cn, local->address, false);
	kfree_rcu(local, rcu);
}

/**
 * clb_pool_find() - find a local address of a configuration
 * @ruleset: the configuration
 * @family: family of @addr
 * @addr: the address
 *
 * Return: the local address or NULL.
 * Context: any that keeps @ruleset alive.
 */
struct clb_local_address *clb_pool_find(const struct clb_ruleset *ruleset,
					u8 family,
					const union nf_inet_addr *addr)
{
	u32 i;

	for (i = 0; i < ruleset->nr_pool; i++)
		if (ruleset->pool[i].local->family == family &&
		    clb_addr_equal(&ruleset->pool[i].local->addr, addr))
			return ruleset->pool[i].local;
	return NULL;
}

/**
 * clb_pool_uses() - do new sessions use a local address
 * @ruleset: a configuration that was published
 * @local: one of its local addresses
 *
 * Return: false: it belongs to another node.
 * Context: any that keeps @ruleset alive.
 */
bool clb_pool_uses(const struct clb_ruleset *ruleset,
		   const struct clb_local_address *local)
{
	u32 i;

	for (i = 0; i < ruleset->nr_active; i++)
		if (ruleset->pool[i].local == local)
			return true;
	return false;
}

static u32 space_index(const struct clb_endpoint *server)
{
	u32 hash = jhash2(server->addr.all, ARRAY_SIZE(server->addr.all),
			  (__force u32)server->port);

	return hash % CLB_PORT_SPACES;
}

static struct clb_port_space *space_of(struct clb_local_address *local,
				       const struct clb_endpoint *server)
{
	return &local->spaces[server->protocol == IPPROTO_UDP]
			     [space_index(server)];
}

/**
 * clb_pool_shares() - do sessions of two servers use the same ports
 * @a: a server, its port that of the packet
 * @b: another, or the same
 *
 * Return: true if a port that one of them gives back serves the other.
 * Context: any.
 */
bool clb_pool_shares(const struct clb_endpoint *a, const struct clb_endpoint *b)
{
	return a->family == b->family && a->protocol == b->protocol &&
	       space_index(a) == space_index(b);
}

/* A group with a free port, at or after @from, or around the end. */
static u32 group_find(const struct clb_ports *ports, u32 from)
{
	u32 group = find_next_zero_bit(ports->groups, CLB_PORT_GROUPS, from);

	if (group < CLB_PORT_GROUPS)
		return group;
	return find_first_zero_bit(ports->groups, CLB_PORT_GROUPS);
}

/* A free port, at or after the one last taken; there is one. */
static u32 port_find(const struct clb_port_space *space)
{
	const struct clb_ports *ports = space->map;
	u32 group = space->next / BITS_PER_LONG;
	u32 end = (group + 1) * BITS_PER_LONG;
	u32 port = find_next_zero_bit(ports->ports, end, space->next);

	if (port < end)
		return port;
	group = group_find(ports, group + 1);
	return find_next_zero_bit(ports->ports, CLB_PORT_COUNT,
				  group * BITS_PER_LONG);
}

static void port_mark(struct clb_port_space *space, u32 port)
{
	struct clb_ports *ports = space->map;
	u32 group = port / BITS_PER_LONG;

	__set_bit(port, ports->ports);
	if (!~ports->ports[group])
		__set_bit(group, ports->groups);
	space->used++;
}

static void port_take(struct clb_port_space *space, u32 port)
{
	port_mark(space, port);
	space->next = (port + 1) % CLB_PORT_COUNT;
}

/* Made when it is needed; @hash: where the search begins. */
static int space_make(struct clb_local_address *local,
		      struct clb_port_space *space, u32 hash)
{
	struct clb_net *cn = local->cn;
	int err = -ENOSPC;

	if (likely(space->map))
		return 0;
	if (atomic_inc_return(&cn->nr_spaces) > cn->max_spaces)
		goto err_dec;
	space->map = kzalloc(sizeof(*space->map), GFP_ATOMIC | __GFP_NOWARN);
	err = -ENOMEM;
	if (!space->map)
		goto err_dec;
	space->next = hash % CLB_PORT_COUNT;
	return 0;

err_dec:
	atomic_dec(&cn->nr_spaces);
	return err;
}

/*
 * Returns 0, -ENOSPC: all ports are taken, or all spaces that the namespace may
 * have, or -ENOMEM.
 */
static int local_take(struct clb_local_address *local,
		      const struct clb_endpoint *server, u32 hash,
		      __be16 *result)
{
	struct clb_port_space *space = space_of(local, server);
	u32 port;
	int err;

	spin_lock_bh(&local->lock);
	err = space_make(local, space, hash);
	if (likely(!err) && unlikely(space->used == CLB_PORT_COUNT))
		err = -ENOSPC;
	if (likely(!err)) {
		port = port_find(space);
		port_take(space, port);
		*result = htons(CLB_PORT_FIRST + port);
	}
	spin_unlock_bh(&local->lock);
	return err;
}

/**
 * clb_pool_take() - take a local address and port for a session
 * @ruleset: the configuration
 * @server: the server, its port that of the packet
 * @hash: of the client: where to begin
 * @port: the port taken, network order
 *
 * Return: the local address, with a reference for the session, or an error as
 *	a pointer: -ENOSPC where every address of the family is exhausted for
 *	this server, -ENOMEM where one might have served but for want of memory.
 * Context: RCU read side; takes the lock of a local address.
 */
struct clb_local_address *clb_pool_take(const struct clb_ruleset *ruleset,
					const struct clb_endpoint *server,
					u32 hash, __be16 *port)
{
	int err = -ENOSPC, ret;
	u32 start, i;

	if (!ruleset->nr_active)
		return ERR_PTR(err);
	start = hash % ruleset->nr_active;
	for (i = 0; i < ruleset->nr_active; i++) {
		struct clb_local_address *local =
			ruleset->pool[(start + i) % ruleset->nr_active].local;

		if (local->family != server->family)
			continue;
		ret = local_take(local, server, hash, port);
		if (unlikely(ret)) {
			err = err == -ENOMEM ? err : ret;
			continue;
		}
		/* the configuration holds a reference: not the last one */
		clb_local_address_get(local);
		atomic_inc(&local->sessions);
		return local;
	}
	return ERR_PTR(err);
}

/**
 * clb_pool_reserve() - take one certain port of a local address for a session
 * @local: the local address, of a configuration
 * @server: the server, its port that of the packet
 * @port: the port, network order
 *
 * Return: 0, with a reference to @local for the session; -EEXIST: another one
 *	has it, or it is none of the pool's; -ENOSPC: the namespace has all port
 *	spaces it may have; -ENOMEM.
 * Context: RCU read side; takes the lock of a local address.
 */
int clb_pool_reserve(struct clb_local_address *local,
		     const struct clb_endpoint *server, __be16 port)
{
	struct clb_port_space *space = space_of(local, server);
	u32 bit = ntohs(port) - CLB_PORT_FIRST;
	int err;

	if (ntohs(port) < CLB_PORT_FIRST)
		return -EEXIST;
	spin_lock_bh(&local->lock);
	err = space_make(local, space, bit);
	if (!err && test_bit(bit, space->map->ports))
		err = -EEXIST;
	if (!err)
		port_mark(space, bit);
	spin_unlock_bh(&local->lock);
	if (err)
		return err;
	clb_local_address_get(local);
	atomic_inc(&local->sessions);
	return 0;
}

/**
 * clb_pool_give() - the reverse of clb_pool_take()
 * @local: the local address; the session's reference is released
 * @server: as when it was taken
 * @port: the port, network order
 *
 * Context: any but hard interrupts.
 */
void clb_pool_give(struct clb_local_address *local,
		   const struct clb_endpoint *server, __be16 port)
{
	struct clb_port_space *space = space_of(local, server);
	u32 bit = ntohs(port) - CLB_PORT_FIRST;

	spin_lock_bh(&local->lock);
	__clear_bit(bit, space->map->ports);
	__clear_bit(bit / BITS_PER_LONG, space->map->groups);
	space->used--;
	spin_unlock_bh(&local->lock);
	atomic_dec(&local->sessions);
	clb_local_address_put(local);
}
