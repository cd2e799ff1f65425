// SPDX-License-Identifier: GPL-2.0
/* ACLs against the plain reading of their prefixes. */
#include <linux/mm.h>
#include <linux/prandom.h>

#include "../acl.h"
#include "test.h"

#define RANDOM_PREFIXES 300
#define RANDOM_ADDRESSES 3000

static bool covers(const struct clb_prefix *prefix, u8 family,
		   const union nf_inet_addr *addr)
{
	union nf_inet_addr masked = *addr;

	clb_addr_mask(&masked, family, prefix->len);
	return clb_addr_equal(&masked, &prefix->addr);
}

static bool any_covers(const struct clb_prefix *prefixes, u32 count, u8 family,
		       const union nf_inet_addr *addr)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (covers(&prefixes[i], family, addr))
			return true;
	return false;
}

static const struct mask_case {
	const char	*addr;
	u8		len;
	const char	*want;
} mask_cases[] = {
	{ "255.255.255.255", 0, "0.0.0.0" },
	{ "255.255.255.255", 1, "128.0.0.0" },
	{ "255.255.255.255", 8, "255.0.0.0" },
	{ "255.255.255.255", 17, "255.255.128.0" },
	{ "255.255.255.255", 31, "255.255.255.254" },
	{ "255.255.255.255", 32, "255.255.255.255" },
	{ "ffff:ffff::ffff:ffff", 0, "::" },
	{ "ffff:ffff::ffff:ffff", 31, "ffff:fffe::" },
	{ "ffff:ffff::ffff:ffff", 96, "ffff:ffff::" },
	{ "ffff:ffff::ffff:ffff", 127, "ffff:ffff::ffff:fffe" },
	{ "ffff:ffff::ffff:ffff", 128, "ffff:ffff::ffff:ffff" },
};

static void masks(struct kunit *test)
{
	union nf_inet_addr addr, want;
	unsigned int i;
	u8 family;

	for (i = 0; i < ARRAY_SIZE(mask_cases); i++) {
		family = clb_test_addr(test, mask_cases[i].addr, &addr);
		clb_test_addr(test, mask_cases[i].want, &want);
		clb_addr_mask(&addr, family, mask_cases[i].len);
		KUNIT_EXPECT_TRUE_MSG(test, clb_addr_equal(&addr, &want),
				      "%s/%u", mask_cases[i].addr,
				      mask_cases[i].len);
	}
}

static const struct match_case {
	const char	*name;
	const char	*prefix[4];
	u8		len[4];
	const char	*in[4];
	const char	*out[4];
} match_cases[] = {
	{ "nothing", { NULL }, { 0 }, { NULL }, { "0.0.0.0", "::" } },
	{ "all of IPv4", { "0.0.0.0" }, { 0 },
	  { "0.0.0.0", "127.0.0.1", "255.255.255.255" }, { NULL } },
	{ "all of IPv6", { "::" }, { 0 },
	  { "::", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	  { NULL } },
	{ "one address", { "192.0.2.1" }, { 32 }, { "192.0.2.1" },
	  { "192.0.2.0", "192.0.2.2", "193.0.2.1" } },
	{ "ends of a network", { "192.0.2.128" }, { 25 },
	  { "192.0.2.128", "192.0.2.255" }, { "192.0.2.127", "192.0.3.0" } },
	{ "a network in another", { "10.1.0.0", "10.0.0.0", "10.1.2.0" },
	  { 16, 8, 24 }, { "10.0.0.0", "10.1.2.3", "10.255.255.255" },
	  { "9.255.255.255", "11.0.0.0" } },
	{ "neighbours", { "10.0.2.0", "10.0.0.0", "10.0.1.0" }, { 24, 24, 24 },
	  { "10.0.0.0", "10.0.1.255", "10.0.2.255" },
	  { "10.0.3.0", "9.255.255.255" } },
	{ "a gap", { "10.0.0.0", "10.0.2.0" }, { 24, 24 },
	  { "10.0.0.255", "10.0.2.0" }, { "10.0.1.0", "10.0.1.255" } },
	{ "the same twice", { "10.0.0.0", "10.0.0.0" }, { 24, 24 },
	  { "10.0.0.9" }, { "10.0.1.0" } },
	{ "IPv6 networks", { "2001:db8::", "2001:db8:0:8000::" }, { 64, 49 },
	  { "2001:db8::1", "2001:db8:0:8000::", "2001:db8:0:ffff::" },
	  { "2001:db8:0:1::", "2001:db8:0:7fff:ffff::", "2001:db8:1::" } },
};

static void match_name(const struct match_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(match, match_cases, match_name);

static void expect_match(struct kunit *test, const struct clb_acl *acl,
			 const char *const *addrs, bool want)
{
	union nf_inet_addr addr;
	int i;

	for (i = 0; i < 4 && addrs[i]; i++) {
		clb_test_addr(test, addrs[i], &addr);
		KUNIT_EXPECT_EQ_MSG(test, clb_acl_match(acl, &addr), want,
				    "%s", addrs[i]);
	}
}

static void matches(struct kunit *test)
{
	const struct match_case *c = test->param_value;
	struct clb_prefix prefixes[4] = {};
	u8 family = NFPROTO_IPV4;
	struct clb_acl *acl;
	u32 count;

	for (count = 0; count < 4 && c->prefix[count]; count++) {
		family = clb_test_addr(test, c->prefix[count],
				       &prefixes[count].addr);
		prefixes[count].len = c->len[count];
	}
	acl = clb_acl_compile(prefixes, count, family);
	KUNIT_ASSERT_NOT_NULL(test, acl);
	expect_match(test, acl, c->in, true);
	expect_match(test, acl, c->out, false);
	kvfree(acl);
}

static void random_addr(struct rnd_state *rnd, u8 family,
			union nf_inet_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	prandom_bytes_state(rnd, addr, clb_addr_len(family));
	/* close together, so that many hit */
	addr->ip &= htonl(0x3ffff);
}

static void agrees(struct kunit *test, u8 family)
{
	struct clb_prefix *prefixes;
	union nf_inet_addr addr;
	struct rnd_state rnd;
	struct clb_acl *acl;
	u32 i, hits = 0;

	prandom_seed_state(&rnd, 4);
	prefixes = kunit_kcalloc(test, RANDOM_PREFIXES, sizeof(*prefixes),
				 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, prefixes);
	for (i = 0; i < RANDOM_PREFIXES; i++) {
		random_addr(&rnd, family, &prefixes[i].addr);
		prefixes[i].len = 20 + prandom_u32_state(&rnd) %
				  (clb_addr_bits(family) - 19);
		clb_addr_mask(&prefixes[i].addr, family, prefixes[i].len);
	}
	acl = clb_acl_compile(prefixes, RANDOM_PREFIXES, family);
	KUNIT_ASSERT_NOT_NULL(test, acl);
	for (i = 0; i < RANDOM_ADDRESSES; i++) {
		bool want;

		random_addr(&rnd, family, &addr);
		want = any_covers(prefixes, RANDOM_PREFIXES, family, &addr);
		hits += want;
		KUNIT_EXPECT_EQ(test, clb_acl_match(acl, &addr), want);
	}
	kvfree(acl);
	KUNIT_EXPECT_GT(test, hits, 0);
	KUNIT_EXPECT_LT(test, hits, RANDOM_ADDRESSES);
}

static void agrees4(struct kunit *test) { agrees(test, NFPROTO_IPV4); }

static void agrees6(struct kunit *test) { agrees(test, NFPROTO_IPV6); }

static struct kunit_case acl_cases[] = {
	KUNIT_CASE(masks),
	KUNIT_CASE_PARAM(matches, match_gen_params),
	KUNIT_CASE(agrees4),
	KUNIT_CASE(agrees6),
	{}
};

struct kunit_suite clb_test_acl = {
	.name = "clb_acl",
	.test_cases = acl_cases,
};
