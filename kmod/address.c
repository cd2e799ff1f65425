// SPDX-License-Identifier: GPL-2.0
/*
 * The set of addresses the balancer cares about: VIPs, servers, local
 * addresses. Fragments and pings show no port to find a listener or session
 * by; this set tells in one look-up whether to bother.
 */
#include <linux/random.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>

#include "address.h"
#include "net.h"

struct address_key {
	union nf_inet_addr	addr;
	u32			family;
};

/**
 * struct clb_address - a known address
 * @head: its place in the set
 * @key: the address
 * @users: listeners, servers and local addresses that have it
 * @vips: listeners among them
 * @ident: IPv4 identification of the next tunnel packet to it
 * @rcu: packets in flight
 */
struct clb_address {
	struct rhash_head	head;
	struct address_key	key;
	unsigned int		users;
	unsigned int		vips;
	atomic_t		ident;
	struct rcu_head		rcu;
};

static const struct rhashtable_params address_params = {
	.head_offset = offsetof(struct clb_address, head),
	.key_offset = offsetof(struct clb_address, key),
	.key_len = sizeof(struct address_key),
	.automatic_shrinking = true,
};

static struct clb_address *address_find(struct clb_net *cn,
					const struct address_key *key)
{
	return rhashtable_lookup_fast(&cn->addresses, key, address_params);
}

/* Takes the spare into the set unless the address is there already. */
static struct clb_address *address_share(struct clb_net *cn,
					 struct clb_address *spare, bool vip)
{
	struct clb_address *address;

	spin_lock_bh(&cn->address_lock);
	address = address_find(cn, &spare->key);
	if (!address && !rhashtable_insert_fast(&cn->addresses, &spare->head,
						address_params))
		address = spare;
	if (address) {
		address->users++;
		WRITE_ONCE(address->vips, address->vips + vip);
	}
	spin_unlock_bh(&cn->address_lock);
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
	struct clb_address *spare, *address;

	spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	if (!spare)
		return NULL;
	spare->key.addr = *addr;
	spare->key.family = family;
	atomic_set(&spare->ident, get_random_u32());
	address = address_share(cn, spare, vip);
	if (address != spare)
		kfree(spare);
	return address;
}

/**
 * clb_address_put() - the reverse of clb_address_get()
 * @cn: the namespace
 * @address: the handle
 * @vip: as when it was got
 *
 * Context: any but hard interrupts.
 */
void clb_address_put(struct clb_net *cn, struct clb_address *address, bool vip)
{
	spin_lock_bh(&cn->address_lock);
	WRITE_ONCE(address->vips, address->vips - vip);
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
	struct address_key key = { .addr = *addr, .family = family };

	return address_find(cn, &key);
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
	struct address_key key = { .addr = *addr, .family = family };
	struct clb_address *address = address_find(cn, &key);

	return address && READ_ONCE(address->vips);
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
