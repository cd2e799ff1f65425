// SPDX-License-Identifier: GPL-2.0
/*
 * ACL: prefixes become disjoint ranges of addresses in ascending order, so
 * that a match is one binary search. n prefixes of at most p bits make no
 * more than 2^(p+1) ranges: never more than p + 1 steps, nine for 300 entries.
 */
#include <linux/mm.h>
#include <linux/sort.h>

#include "acl.h"

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

static u64 number_word(const union nf_inet_addr *addr, unsigned int i)
{
	return (u64)ntohl((__force __be32)addr->all[i]) << 32 |
	       ntohl((__force __be32)addr->all[i + 1]);
}

static struct clb_addr_number number(const union nf_inet_addr *addr)
{
	return (struct clb_addr_number) {
		.high = number_word(addr, 0), .low = number_word(addr, 2),
	};
}

static bool number_le(const struct clb_addr_number *a,
		      const struct clb_addr_number *b)
{
	return a->high < b->high || (a->high == b->high && a->low <= b->low);
}

static void prefix_range(const struct clb_prefix *prefix, u8 family,
			 struct clb_range *range)
{
	union nf_inet_addr last = prefix->addr;
	u8 *bytes = (u8 *)&last;
	unsigned int bit;

	for (bit = prefix->len; bit < clb_addr_bits(family); bit++)
		bytes[bit / 8] |= 0x80 >> bit % 8;
	range->first = number(&prefix->addr);
	range->last = number(&last);
}

static int number_cmp(const struct clb_addr_number *a,
		      const struct clb_addr_number *b)
{
	return number_le(b, a) - number_le(a, b);
}

static int range_cmp(const void *a, const void *b)
{
	const struct clb_range *x = a, *y = b;

	/* of two that begin alike the larger comes first */
	return number_cmp(&x->first, &y->first) ?:
	       number_cmp(&y->last, &x->last);
}

/* Prefixes nest or are apart: drop those that lie inside the one before. */
static u32 ranges_merge(struct clb_range *range, u32 count)
{
	u32 i, kept = 0;

	for (i = 0; i < count; i++) {
		if (kept && number_le(&range[i].first, &range[kept - 1].last))
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
	const struct clb_addr_number key = number(addr);
	const struct clb_range *range = acl->range;
	u32 left = acl->count;

	if (!left)
		return false;
	/* the last range that does not begin behind it */
	while (left > 1) {
		u32 half = left / 2;

		if (number_le(&range[half].first, &key))
			range += half;
		left -= half;
	}
	return number_le(&range->first, &key) && number_le(&key, &range->last);
}
