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
 * struct clb_acl - set of addresses, compiled from prefixes
 * @count: number of ranges
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @range: disjoint and in ascending order
 */
struct clb_acl {
	u32	count;
	u8	family;
	struct clb_range {
		union nf_inet_addr first;
		union nf_inet_addr last;
	} range[];
};

int clb_addr_cmp(const union nf_inet_addr *a, const union nf_inet_addr *b);
void clb_addr_mask(union nf_inet_addr *addr, u8 family, u8 len);
struct clb_acl *clb_acl_compile(const struct clb_prefix *prefixes, u32 count,
				u8 family);
bool clb_acl_match(const struct clb_acl *acl, const union nf_inet_addr *addr);

#endif /* _CLB_ACL_H */
