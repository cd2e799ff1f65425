// SPDX-License-Identifier: GPL-2.0
/*
 * ACL: prefixes become disjoint ranges of addresses in ascending order, so
 * that a match is one binary search. n prefixes of at most p bits make no
 * more than 2^(p+1) ranges: never more than p + 1 steps, nine for 300 entries.
 */
#include <linux/mm.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "acl.h"

/* Order of addresses as of big-endian numbers; IPv4 fills the first word. */
int clb_addr_cmp(const union nf_inet_addr *a, const union nf_inet_addr *b)
{
	return memcmp(a, b, sizeof(*a));
}

/**
 * clb_addr_mask() - clear the bits of an address beyond a prefix
 * @addr: the address
 * @family: its family
 * @len: prefix length
 *
 * Context: any.
 */
void clb_addr_mask(union nf_inet_addr *addr, u8 family, u8 len)
{
	u8 *bytes = (u8 *)addr;
	unsigned int i;

	for (i = 0; i < clb_addr_len(family); i++) {
		unsigned int keep = clamp((int)len - (int)i * 8, 0, 8);

		bytes[i] &= 0xff00 >> keep;
	}
}

static void prefix_range(const struct clb_prefix *prefix, u8 family,
			 struct clb_range *range)
{
	u8 *last = (u8 *)&range->last;
	unsigned int bit;

	range->first = prefix->addr;
	range->last = prefix->addr;
	for (bit = prefix->len; bit < clb_addr_bits(family); bit++)
		last[bit / 8] |= 0x80 >> bit % 8;
}

static int range_cmp(const void *a, const void *b)
{
	const struct clb_range *x = a, *y = b;

	/* of two that begin alike the larger comes first */
	return clb_addr_cmp(&x->first, &y->first) ?:
	       clb_addr_cmp(&y->last, &x->last);
}

/* Prefixes nest or are apart: drop those that lie inside the one before. */
static u32 ranges_merge(struct clb_range *range, u32 count)
{
	u32 i, kept = 0;

	for (i = 0; i < count; i++) {
		if (kept && clb_addr_cmp(&range[i].first,
					 &range[kept - 1].last) <= 0)
			continue;
		range[kept++] = range[i];
	}
	return kept;
}

/**
 * clb_acl_compile() - make a searchable set of prefixes
 * @prefixes: the prefixes, in any order
 * @count: how many, may be 0
 * @family: their family
 *
 * Return: the set, to be freed by kvfree(), or NULL without memory.
 * Context: process; may sleep.
 */
struct clb_acl *clb_acl_compile(const struct clb_prefix *prefixes, u32 count,
				u8 family)
{
	struct clb_acl *acl;
	u32 i;

	acl = kvzalloc(struct_size(acl, range, count), GFP_KERNEL_ACCOUNT);
	if (!acl)
		return NULL;
	acl->family = family;
	for (i = 0; i < count; i++)
		prefix_range(&prefixes[i], family, &acl->range[i]);
	sort(acl->range, count, sizeof(acl->range[0]), range_cmp, NULL);
	acl->count = ranges_merge(acl->range, count);
	return acl;
}

/**
 * clb_acl_match() - is an address in a set
 * @acl: the set
 * @addr: the address, of the set's family
 *
 * Return: true if some prefix of the set covers it.
 * Context: any.
 */
bool clb_acl_match(const struct clb_acl *acl, const union nf_inet_addr *addr)
{
	u32 low = 0, high = acl->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (clb_addr_cmp(addr, &acl->range[mid].first) < 0)
			high = mid;
		else if (clb_addr_cmp(addr, &acl->range[mid].last) > 0)
			low = mid + 1;
		else
			return true;
	}
	return false;
}
