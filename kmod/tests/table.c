// SPDX-License-Identifier: GPL-2.0
/* The session table by itself, with entries that are no sessions. */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>

#include "../table.h"
#include "test.h"

#define ENTRIES 5000

struct fixture {
	struct clb_table	table;
	struct clb_tuplehash	entry[ENTRIES];
};

static int table_init(struct kunit *test)
{
	struct fixture *f = kvzalloc(sizeof(*f), GFP_KERNEL);
	u32 i;

	if (!f || clb_table_init(&f->table)) {
		kvfree(f);
		return -ENOMEM;
	}
	for (i = 0; i < ENTRIES; i++)
		f->entry[i].tuple = (struct clb_tuple) {
			.src.ip = htonl(0x0a000000 + i),
			.dst.ip = htonl(0xcb007101),
			.sport = htons(i), .dport = htons(80),
			.family = NFPROTO_IPV4, .protocol = IPPROTO_TCP,
		};
	test->priv = f;
	return 0;
}

static void table_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	synchronize_rcu();
	clb_table_destroy(&f->table);
	kvfree(f);
}

static struct clb_tuplehash *insert(struct fixture *f,
				    struct clb_tuplehash *entry)
{
	struct clb_tuplehash *there;

	entry->hash = clb_table_hash(&f->table, &entry->tuple);
	local_bh_disable();
	there = clb_table_insert(&f->table, entry);
	local_bh_enable();
	return there;
}

static struct clb_tuplehash *find(struct fixture *f,
				  const struct clb_tuple *tuple)
{
	struct clb_tuplehash *entry;

	rcu_read_lock();
	entry = clb_table_find(&f->table, tuple,
			       clb_table_hash(&f->table, tuple));
	rcu_read_unlock();
	return entry;
}

static void remove(struct fixture *f, u32 i)
{
	local_bh_disable();
	clb_table_remove(&f->table, &f->entry[i]);
	local_bh_enable();
}

static void insert_all(struct kunit *test, struct fixture *f, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		KUNIT_ASSERT_NULL(test, insert(f, &f->entry[i]));
}

/* Entries that are found, each where it should be. */
static u32 found(struct fixture *f)
{
	u32 i, sum = 0;

	for (i = 0; i < ENTRIES; i++)
		sum += find(f, &f->entry[i].tuple) == &f->entry[i];
	return sum;
}

static void insert_find_remove(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_EXPECT_NULL(test, find(f, &f->entry[0].tuple));
	insert_all(test, f, 100);
	KUNIT_EXPECT_EQ(test, found(f), 100);
	remove(f, 7);
	KUNIT_EXPECT_NULL(test, find(f, &f->entry[7].tuple));
	KUNIT_EXPECT_EQ(test, found(f), 99);
	synchronize_rcu();
	KUNIT_EXPECT_NULL(test, insert(f, &f->entry[7]));
	KUNIT_EXPECT_EQ(test, found(f), 100);
}

/* Of two entries with one key the first stays. */
static void key_is_unique(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->entry[1].tuple = f->entry[0].tuple;
	f->entry[1].tuple.dir = CLB_DIR_REPLY;
	KUNIT_EXPECT_NULL(test, insert(f, &f->entry[0]));
	KUNIT_EXPECT_PTR_EQ(test, insert(f, &f->entry[1]), &f->entry[0]);
	KUNIT_EXPECT_PTR_EQ(test, find(f, &f->entry[1].tuple), &f->entry[0]);
}

/* Every field of a tuple but its direction tells entries apart. */
static void every_field_counts(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct clb_tuple tuple = clb_test_tuple(test, "2001:db8::1", 1,
						"2001:db8::2", 2, IPPROTO_TCP);
	u32 i, bits = offsetof(struct clb_tuple, dir) * 8;

	for (i = 0; i < bits; i++) {
		f->entry[i].tuple = tuple;
		/* the two families are all there are */
		if (i / 8 == offsetof(struct clb_tuple, family))
			continue;
		((u8 *)&f->entry[i].tuple)[i / 8] ^= BIT(i % 8);
		KUNIT_EXPECT_NULL(test, insert(f, &f->entry[i]));
	}
	KUNIT_EXPECT_NULL(test, find(f, &tuple));
	for (i = 0; i < bits; i++)
		if (i / 8 != offsetof(struct clb_tuple, family))
			KUNIT_EXPECT_PTR_EQ(test, find(f, &f->entry[i].tuple),
					    &f->entry[i]);
}

static void grows_and_shrinks(struct kunit *test)
{
	struct fixture *f = test->priv;
	u32 least = clb_table_buckets(&f->table), i;

	insert_all(test, f, ENTRIES);
	clb_table_resize(&f->table, ENTRIES);
	KUNIT_EXPECT_GE(test, clb_table_buckets(&f->table), ENTRIES);
	KUNIT_EXPECT_EQ(test, found(f), ENTRIES);
	for (i = 100; i < ENTRIES; i++)
		remove(f, i);
	/* not yet: a tenth of it is in use */
	i = clb_table_buckets(&f->table);
	clb_table_resize(&f->table, i / 10 + 1);
	KUNIT_EXPECT_EQ(test, clb_table_buckets(&f->table), i);
	clb_table_walk_begin(&f->table);
	clb_table_resize(&f->table, 100);
	KUNIT_EXPECT_EQ(test, clb_table_buckets(&f->table), i);
	clb_table_walk_end(&f->table);
	clb_table_resize(&f->table, 100);
	KUNIT_EXPECT_EQ(test, clb_table_buckets(&f->table), least);
	KUNIT_EXPECT_EQ(test, found(f), 100);
}

/* A walk over the buckets, one locked after the other, meets all. */
static void walk_meets_all(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct clb_tuplehash *entry;
	u32 i, met = 0;

	insert_all(test, f, ENTRIES);
	clb_table_resize(&f->table, 3000);
	for (i = 0; i < clb_table_buckets(&f->table); i++) {
		rcu_read_lock();
		clb_table_lock(&f->table, i);
		clb_chain_for_each(entry, clb_table_bucket(&f->table, i))
			met++;
		clb_table_unlock(&f->table, i);
		rcu_read_unlock();
	}
	KUNIT_EXPECT_EQ(test, met, ENTRIES);
}

/*
 * A walk that follows what is split meets each entry once, while the table
 * grows by three buckets with every four.
 */
static void walk_meets_once(struct kunit *test)
{
	struct clb_table_walk walk = {};
	struct fixture *f = test->priv;
	struct clb_tuplehash *entry;
	u32 chains = 0, bucket, i;

	insert_all(test, f, ENTRIES);
	clb_table_resize(&f->table, 1500);
	walk.begun = clb_table_walk_begin(&f->table);
	KUNIT_EXPECT_EQ(test, walk.begun, 1500);
	while (walk.bucket < walk.begun) {
		clb_table_resize(&f->table, walk.begun + chains++ * 3 / 4);
		bucket = walk.bucket;
		rcu_read_lock();
		clb_chain_for_each(entry, clb_table_walk_lock(&f->table, &walk))
			entry->note++;
		clb_table_walk_next(&f->table, &walk);
		clb_table_unlock(&f->table, bucket);
		rcu_read_unlock();
	}
	clb_table_walk_end(&f->table);
	KUNIT_EXPECT_GT(test, clb_table_buckets(&f->table), 2 * walk.begun);
	for (i = 0; i < ENTRIES; i++)
		KUNIT_EXPECT_EQ(test, f->entry[i].note, 1);
}

struct reader {
	struct fixture		*f;
	struct completion	ready;
	u32			missed;
	u32			rounds;
};

static int reader_run(void *data)
{
	struct reader *r = data;
	u32 i;

	for (i = 0; !kthread_should_stop(); i = (i + 1) % 1000) {
		r->missed += find(r->f, &r->f->entry[i].tuple) !=
			     &r->f->entry[i];
		if (i == 999 && !r->rounds++)
			complete(&r->ready);
		cond_resched();
	}
	return 0;
}

/* Entries that stay are found all the time, whatever else goes on. */
static void readers_miss_nothing(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct reader r = { .f = f };
	struct task_struct *task;
	u32 round, i;

	init_completion(&r.ready);
	insert_all(test, f, 1000);
	task = kthread_run(reader_run, &r, "clb_test_reader");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	for (round = 0; round < 5; round++) {
		for (i = 1000; i < ENTRIES; i++)
			insert(f, &f->entry[i]);
		clb_table_resize(&f->table, ENTRIES);
		for (i = 1000; i < ENTRIES; i++)
			remove(f, i);
		synchronize_rcu();
		/* below a tenth: the table shrinks under the reader */
		clb_table_resize(&f->table, 400);
	}
	wait_for_completion(&r.ready);
	kthread_stop(task);
	KUNIT_EXPECT_GT(test, r.rounds, 0);
	KUNIT_EXPECT_EQ(test, r.missed, 0);
}

static struct kunit_case table_cases[] = {
	KUNIT_CASE(insert_find_remove),
	KUNIT_CASE(key_is_unique),
	KUNIT_CASE(every_field_counts),
	KUNIT_CASE(grows_and_shrinks),
	KUNIT_CASE(walk_meets_all),
	KUNIT_CASE(walk_meets_once),
	KUNIT_CASE(readers_miss_nothing),
	{}
};

struct kunit_suite clb_test_table = {
	.name = "clb_table",
	.init = table_init,
	.exit = table_exit,
	.test_cases = table_cases,
};
