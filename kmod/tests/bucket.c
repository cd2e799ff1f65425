// SPDX-License-Identifier: GPL-2.0
/*
 * Token buckets. Rates are so low that nothing flows back while a case runs;
 * time passes by moving the moment at which the bucket is full.
 */
#include <linux/ktime.h>

#include "../bucket.h"
#include "test.h"

/* As if so much time had passed. */
static void pass(struct clb_bucket *bucket, u64 ns)
{
	atomic64_sub(ns, &bucket->full_at);
}

/* One unit in 1000 s, and so many at once. */
static void set_slow(struct clb_bucket *bucket, u32 burst)
{
	clb_bucket_set(bucket, 1, burst);
	bucket->cost *= 1000;
	bucket->burst *= 1000;
}

#define UNIT (1000ULL * NSEC_PER_SEC)

static void no_limit(struct kunit *test)
{
	struct clb_bucket bucket = {};

	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, U32_MAX));
	clb_bucket_set(&bucket, 1, 1);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 1));
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
	clb_bucket_set(&bucket, 0, 0);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, U32_MAX));
}

static void burst_and_no_more(struct kunit *test)
{
	struct clb_bucket bucket = {};
	int i;

	set_slow(&bucket, 10);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 1));
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
}

/* Who finds one unit gets all; the next waits until the debt is paid. */
static void debt_is_carried(struct kunit *test)
{
	struct clb_bucket bucket = {};

	set_slow(&bucket, 10);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 11));
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
	pass(&bucket, UNIT);
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
	pass(&bucket, UNIT);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 1));
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
}

static void refusal_takes_nothing(struct kunit *test)
{
	struct clb_bucket bucket = {};
	s64 full_at;

	set_slow(&bucket, 10);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 10));
	full_at = atomic64_read(&bucket.full_at);
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 5));
	KUNIT_EXPECT_EQ(test, atomic64_read(&bucket.full_at), full_at);
}

static void flows_back(struct kunit *test)
{
	struct clb_bucket bucket = {};

	set_slow(&bucket, 10);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 10));
	pass(&bucket, 3 * UNIT);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 3));
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
}

static void is_never_overfull(struct kunit *test)
{
	struct clb_bucket bucket = {};

	set_slow(&bucket, 10);
	pass(&bucket, 1000 * UNIT);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 10));
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
}

/* A bucket that owes an hour at a low rate owes the burst at a high one. */
static void change_forgives_debt(struct kunit *test)
{
	struct clb_bucket bucket = {};

	clb_bucket_set(&bucket, 1, 3600);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 3600));
	clb_bucket_set(&bucket, 1000, 1000);
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1000));
	pass(&bucket, NSEC_PER_SEC);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 1000));
}

/* The highest rate and the largest packet overflow nothing. */
static void extremes(struct kunit *test)
{
	struct clb_bucket bucket = {};

	clb_bucket_set(&bucket, 1ULL << 40, 128 * 1024);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 65535));
	clb_bucket_set(&bucket, 1000, U32_MAX);
	atomic64_set(&bucket.full_at, 0);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 65535 * 64));
	clb_bucket_set(&bucket, 1, 1);
	atomic64_set(&bucket.full_at, 0);
	KUNIT_EXPECT_TRUE(test, clb_bucket_take(&bucket, 65535));
	KUNIT_EXPECT_FALSE(test, clb_bucket_take(&bucket, 1));
}

static struct kunit_case bucket_cases[] = {
	KUNIT_CASE(no_limit),
	KUNIT_CASE(burst_and_no_more),
	KUNIT_CASE(debt_is_carried),
	KUNIT_CASE(refusal_takes_nothing),
	KUNIT_CASE(flows_back),
	KUNIT_CASE(is_never_overfull),
	KUNIT_CASE(change_forgives_debt),
	KUNIT_CASE(extremes),
	{}
};

struct kunit_suite clb_test_bucket = {
	.name = "clb_bucket",
	.test_cases = bucket_cases,
};
