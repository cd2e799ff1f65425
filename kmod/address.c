// SPDX-License-Identifier: GPL-2.0
/*
 * The set of addresses the balancer cares about: VIPs, servers, local
 * addresses. Fragments and pings show no port to find a listener or session
 * by; this set tells in one look-up whether to bother. Beside them, with their
 * ports, the origins of TCP replies: where packets of servers come from.
 */
#include <linux/random.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/route.h>

#include "address.h"
#include "net.h"

/**
 * struct clb_address - a known address, or the origin of replies
 * @head: its place in the set
 * @key: an address alone has port and protocol 0
 * @users: listeners, servers and local addresses that have it
 * @marked: of an address, listeners among them; of an origin, servers that
 *	send from it nothing but replies
 * @ident: IPv4 identification of the next tunnel packet to it
 * @rcu: packets in flight
 */
struct clb_address {
	struct rhash_head	head;
	struct clb_endpoint	key;
	unsigned int		users;
	unsigned int		marked;
	atomic_t		ident;
	struct rcu_head		rcu;
};

static const struct rhashtable_params address_params = {
	.head_offset = offsetof(struct clb_address, head),
	.key_offset = offsetof(struct clb_address, key),
	.key_len = sizeof(struct clb_endpoint),
	.automatic_shrinking = true,
};

static struct clb_address *address_find(struct clb_net *cn,
					const struct clb_endpoint *key)
{
	return rhashtable_lookup_fast(&cn->addresses, key, address_params);
}

/* Takes the spare into the set unless the address is there already. */
static struct clb_address *address_share(struct clb_net *cn,
					 struct clb_address *spare, bool marked)
{
	struct clb_address *address;

	spin_lock_bh(&cn->address_lock);
	address = address_find(cn, &spare->key);
	if (!address && !rhashtable_insert_fast(&cn->addresses, &spare->head,
						address_params))
		address = spare;
	if (address) {
		address->users++;
		WRITE_ONCE(address->marked, address->marked + marked);
	}
	spin_unlock_bh(&cn->address_lock);
	return address;
}

static struct clb_address *get(struct clb_net *cn,
			       const struct clb_endpoint *key, bool marked)
{
	struct clb_address *spare, *address;

	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return NULL;
	spare->key = *key;
	atomic_set(&spare->ident, get_random_u32());
	address = address_share(cn, spare, marked);
	if (address != spare)
		kfree(spare);
	return address;
}

/**
 * clb_address_get() - make an address known
 * @cn: the namespace
 * @family: family of @addr
 * @addr: the address
 * @vip: it is that of a listener
 *
 * Return: a handle for clb_address_put(), or NULL without memory.
 * Context: process; may sleep.
 */
struct clb_address *clb_address_get(struct clb_net *cn, u8 family,
				    const union nf_inet_addr *addr, bool vip)
{
	const struct clb_endpoint key = { .addr = *addr, .family = family };

	return get(cn, &key, vip);
}

/**
 * clb_address_origin_get() - make the origin of a server's replies known
 * @cn: the namespace
 * @origin: its address and port, neither of them 0
 *
 * Return: a handle for clb_address_put(), not marked, or NULL without memory.
 * Context: process; may sleep.
 */
struct clb_address *clb_address_origin_get(struct clb_net *cn,
					   const struct clb_endpoint *origin)
{
	return get(cn, origin, false);
}

/**
 * clb_address_mark() - change what a user of an address or origin is
 * @cn: the namespace
 * @address: the handle
 * @marked: it is to count among the marked ones; until now it did not, or the
 *	reverse
 *
 * Context: any but hard interrupts.
 */
void clb_address_mark(struct clb_net *cn, struct clb_address *address,
		      bool marked)
{
	spin_lock_bh(&cn->address_lock);
	WRITE_ONCE(address->marked, address->marked + (marked ? 1 : -1));
	spin_unlock_bh(&cn->address_lock);
}

/**
 * clb_address_put() - the reverse of the functions that get a handle
 * @cn: the namespace
 * @address: the handle
 * @marked: it counts among the marked ones
 *
 * Context: any but hard interrupts.
 */
void clb_address_put(struct clb_net *cn, struct clb_address *address,
		     bool marked)
{
	spin_lock_bh(&cn->address_lock);
	WRITE_ONCE(address->marked, address->marked - marked);
	if (!--address->users) {
		rhashtable_remove_fast(&cn->addresses, &address->head,
				       address_params);
		kfree_rcu(address, rcu);
	}
	spin_unlock_bh(&cn->address_lock);
}

/**
 * clb_address_known() - does the balancer care about an address
 * @cn: the namespace
 * @family: family of @addr
 * @addr: source or destination of a packet
 *
 * Return: true for a VIP, a server or a local address.
 * Context: RCU read side.
 */
bool clb_address_known(struct clb_net *cn, u8 family,
		       const union nf_inet_addr *addr)
{
	const struct clb_endpoint key = { .addr = *addr, .family = family };

	return address_find(cn, &key);
}

static bool is_marked(struct clb_net *cn, const struct clb_endpoint *key)
{
	const struct clb_address *address = address_find(cn, key);

	return address && READ_ONCE(address->marked);
}

/**
 * clb_address_vip() - is an address that of a listener
 * @cn: the namespace
 * @family: family of @addr
 * @addr: destination of a packet
 *
 * Return: true for a VIP.
 * Context: RCU read side.
 */
bool clb_address_vip(struct clb_net *cn, u8 family,
		     const union nf_inet_addr *addr)
{
	const struct clb_endpoint key = { .addr = *addr, .family = family };

	return is_marked(cn, &key);
}

/**
 * clb_address_replies_only() - does nothing but replies come from somewhere
 * @cn: the namespace
 * @origin: source address and port of a packet
 *
 * Return: true if it is a server of which a listener says so.
 * Context: RCU read side.
 */
bool clb_address_replies_only(struct clb_net *cn,
			      const struct clb_endpoint *origin)
{
	return is_marked(cn, origin);
}

/**
 * clb_address_here() - has the node itself an address
 * @net: the namespace
 * @family: family of @addr
 * @addr: destination of a packet
 *
 * Return: true if so.
 * Context: RCU read side.
 */
bool clb_address_here(struct net *net, u8 family,
		      const union nf_inet_addr *addr)
{
	if (family == NFPROTO_IPV4)
		return inet_addr_type(net, addr->ip) == RTN_LOCAL;
	return ipv6_chk_addr(net, &addr->in6, NULL, 0);
}

/**
 * clb_address_ident() - identifications for IPv4 packets that we send there
 * @address: where to; nobody else sees the numbers
 * @packets: how many will be sent
 *
 * Return: the first of as many, unique for as long as 16 bits allow.
 * Context: any.
 */
u16 clb_address_ident(struct clb_address *address, unsigned int packets)
{
	return atomic_add_return(packets, &address->ident) - packets;
}

int clb_address_init(struct clb_net *cn)
{
	spin_lock_init(&cn->address_lock);
	INIT_LIST_HEAD(&cn->local_addresses);
	return rhashtable_init(&cn->addresses, &address_params);
}

void clb_address_exit(struct clb_net *cn)
{
	rhashtable_destroy(&cn->addresses);
}
