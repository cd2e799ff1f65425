/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TUPLE_H
#define _CLB_TUPLE_H

#include <linux/netfilter.h>
#include <linux/siphash.h>
#include <linux/types.h>

/**
 * enum clb_dir - which way a packet of a session travels
 * @CLB_DIR_ORIGINAL: from the client
 * @CLB_DIR_REPLY: from the server
 */
enum clb_dir {
	CLB_DIR_ORIGINAL,
	CLB_DIR_REPLY,
	CLB_DIR_MAX
};

/**
 * enum clb_tuple_kind - keeps flows and what is not a flow apart in one table
 * @CLB_TUPLE_FLOW: addresses and ports as they are in packets
 * @CLB_TUPLE_PERSISTENCE: client network to VIP; the client's port is 0
 */
enum clb_tuple_kind {
	CLB_TUPLE_FLOW,
	CLB_TUPLE_PERSISTENCE,
};

/**
 * struct clb_tuple - what identifies a packet's flow in one direction
 * @src: source address, unused bytes zero
 * @dst: destination address, unused bytes zero
 * @sport: source port, network order
 * @dport: destination port, network order
 * @ports: both
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 * @kind: enum clb_tuple_kind
 * @dir: enum clb_dir of the tuple in its session; not part of the identity
 * @words: all of it, to compare by
 */
struct clb_tuple {
	union {
		struct {
			union nf_inet_addr	src;
			union nf_inet_addr	dst;
			union {
				struct {
					__be16	sport;
					__be16	dport;
				};
				u32		ports;
			};
			u8			family;
			u8			protocol;
			u8			kind;
			u8			dir;
		};
		u64				words[5];
	};
};

/* All of the last word but @dir. */
#define CLB_TUPLE_LAST_WORD ((__force u64)cpu_to_be64(~0xffULL))

static inline bool clb_addr_equal(const union nf_inet_addr *a,
				  const union nf_inet_addr *b)
{
	return !((a->all[0] ^ b->all[0]) | (a->all[1] ^ b->all[1]) |
		 (a->all[2] ^ b->all[2]) | (a->all[3] ^ b->all[3]));
}

static inline unsigned int clb_addr_len(u8 family)
{
	return family == NFPROTO_IPV4 ? sizeof(struct in_addr) :
					sizeof(struct in6_addr);
}

static inline unsigned int clb_addr_bits(u8 family)
{
	return clb_addr_len(family) * BITS_PER_BYTE;
}

static inline bool clb_tuple_equal(const struct clb_tuple *a,
				   const struct clb_tuple *b)
{
	return !((a->words[0] ^ b->words[0]) | (a->words[1] ^ b->words[1]) |
		 (a->words[2] ^ b->words[2]) | (a->words[3] ^ b->words[3]) |
		 ((a->words[4] ^ b->words[4]) & CLB_TUPLE_LAST_WORD));
}

/**
 * clb_tuple_hash_of() - keyed hash of a tuple, whose family is known
 * @t: the tuple
 * @family: its family
 * @key: secret of the table: clients choose their ports, so an unkeyed hash
 *	would let them build one long chain
 *
 * Addresses and ports alone: protocols and kinds are so few that those who
 * share them make no long chain.
 *
 * Return: 32 well mixed bits.
 */
static __always_inline u32 clb_tuple_hash_of(const struct clb_tuple *t,
					     u8 family,
					     const hsiphash_key_t *key)
{
	if (family == NFPROTO_IPV4)
		return hsiphash_3u32((__force u32)t->src.ip,
				     (__force u32)t->dst.ip,
				     t->ports, key);
	/* both addresses and both ports lie side by side */
	return hsiphash(t, offsetof(struct clb_tuple, family), key);
}

static inline u32 clb_tuple_hash(const struct clb_tuple *t,
				 const hsiphash_key_t *key)
{
	return clb_tuple_hash_of(t, t->family, key);
}

/* The tuple of the packets that answer @t, as they arrive. */
static inline void clb_tuple_invert(struct clb_tuple *to,
				    const struct clb_tuple *t)
{
	*to = *t;
	to->src = t->dst;
	to->dst = t->src;
	to->sport = t->dport;
	to->dport = t->sport;
}

#endif /* _CLB_TUPLE_H */
