// SPDX-License-Identifier: MIT
/*
 * What the memory of this machine takes for a session picked at random, and
 * nothing else: the bucket, the entry it points to, the state that a packet
 * changes, laid out as in kmod/session.h.
 *
 * usage: memory SESSIONS...
 *
 * For each number of sessions three results, in ns for a session:
 * limit/memory/line, one look into memory and no more: the bucket.
 * limit/memory/alone, where nothing is known of the next session before this
 * one is done, as with packets that are handled one by one; and
 * limit/memory/together, where four sessions at a time are on their way from
 * memory, as if packets were held back until more of them are there.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define LOOKUPS 2000000
#define TOGETHER 4
#define LARGE_PAGE (2UL << 20)

struct session {
	uint64_t tuples[16];
	uint64_t state[8];
} __attribute__((aligned(64)));

static struct session *sessions;
static struct session **buckets;	/* two for each session */
static uint32_t *order;			/* buckets to look up */

static void *pages(size_t size)
{
	void *memory;

	size = (size + LARGE_PAGE - 1) & -LARGE_PAGE;
	memory = aligned_alloc(LARGE_PAGE, size);
	if (!memory)
		err(1, "memory");
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

/* xorshift64: G. Marsaglia, Journal of Statistical Software 8 (2003) */
static uint64_t chance(uint64_t below)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % below;
}

static void set_up(size_t n)
{
	size_t i;

	sessions = pages(n * sizeof(*sessions));
	buckets = pages(2 * n * sizeof(*buckets));
	order = pages((LOOKUPS + 2 * TOGETHER) * sizeof(*order));
	for (i = 0; i < n; i++) {
		sessions[i] = (struct session){ .tuples = { i } };
		buckets[2 * i] = &sessions[i];
		buckets[2 * i + 1] = NULL;
	}
	for (i = n - 1; i > 0; i--) {
		size_t other = chance(i + 1);
		struct session *session = buckets[2 * i];

		buckets[2 * i] = buckets[2 * other];
		buckets[2 * other] = session;
	}
	for (i = 0; i < LOOKUPS + 2 * TOGETHER; i++)
		order[i] = 2 * chance(n);
}

static uint64_t use(struct session *session)
{
	session->state[0] += session->tuples[0] + session->tuples[5];
	session->state[1]++;
	return session->state[0];
}

/* The next bucket is not known before the state of this session is. */
static void alone(void)
{
	static volatile uint64_t none;
	uint64_t zero = none, last = 0;
	size_t i;

	for (i = 0; i < LOOKUPS; i++)
		last = use(buckets[order[i] + (last & zero)]);
}

/* The least that any table has to wait for. */
static void line(void)
{
	static volatile uint64_t none;
	uint64_t zero = none, last = 0;
	size_t i;

	for (i = 0; i < LOOKUPS; i++)
		last = (uintptr_t)buckets[order[i] + (last & zero)];
	if (last == 1)
		errx(1, "no address of a session");
}

static void together(void)
{
	struct session *soon;
	size_t i;

	for (i = 0; i < LOOKUPS; i++) {
		__builtin_prefetch(&buckets[order[i + 2 * TOGETHER]]);
		soon = buckets[order[i + TOGETHER]];
		__builtin_prefetch(soon->tuples);
		__builtin_prefetch(soon->state, 1);
		use(buckets[order[i]]);
	}
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void measure(const char *name, size_t n, void (*how)(void))
{
	double best = 1e9, start, took;
	int i;

	for (i = 0; i < 3; i++) {
		start = seconds();
		how();
		took = seconds() - start;
		best = took < best ? took : best;
	}
	printf("result limit/memory/%s@%zu %.0f ns\n", name, n,
	       best / LOOKUPS * 1e9);
}

int main(int argc, char **argv)
{
	size_t n;

	for (; *++argv;) {
		n = strtoul(*argv, NULL, 10);
		if (n < 1 || n > 100000000)
			errx(2, "'%s' is no number of sessions", *argv);
		set_up(n);
		measure("line", n, line);
		measure("alone", n, alone);
		measure("together", n, together);
		free(sessions);
		free(buckets);
		free(order);
	}
	return argc < 2;
}
