/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_ACL_H
#define _CLB_ACL_H

#include "tuple.h"

/**
 * struct clb_prefix - a network
 * @addr: its address, bits beyond the prefix zero
 * @len: prefix length
 */
struct clb_prefix {
	union nf_inet_addr	addr;
	u8			len;
};

/**
 * struct clb_addr_number - an address as a number, to compare by
 * @high: its first 64 bits, host order; IPv4 fills the upper half
 * @low: the others
 */
struct clb_addr_number {
	u64	high;
	u64	low;
};

/**
 * struct clb_acl - set of addresses, compiled from prefixes
 * @count: number of ranges
 * @range: disjoint and in ascending order
 */
struct clb_acl {
	u32	count;
	struct clb_range {
		struct clb_addr_number first;
		struct clb_addr_number last;
	} range[];
};

void clb_addr_mask(union nf_inet_addr *addr, u8 family, u8 len);
struct clb_acl *clb_acl_compile(const struct clb_prefix *prefixes, u32 count,
				u8 family);
bool clb_acl_match(const struct clb_acl *acl, const union nf_inet_addr *addr);

#endif /* _CLB_ACL_H */
