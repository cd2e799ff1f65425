// SPDX-License-Identifier: MIT
/* Counters, added up and printed. */
#include "clbd/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const unsigned int clbd_times_bounds[CLBD_TIMES_BUCKETS - 1] = {
	1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 10000,
};

void clbd_times_add(struct clbd_times *times, uint64_t ms)
{
	unsigned int i = 0;

	while (i < CLBD_TIMES_BUCKETS - 1 && ms > clbd_times_bounds[i])
		i++;
	times->bucket[i]++;
	times->sum += ms;
}

struct clbd_stats clbd_stats_sum(const struct clbd_shared *shared)
{
	struct clbd_stats sum = { 0 };
	uint64_t i, j;

	for (i = 0; i < shared->workers + CLBD_STATS_OTHERS; i++) {
		const struct clbd_stats *stats = &shared->stats[i];

#define ADD(name, text) sum.name += stats->name;
		CLBD_STATS(ADD)
#undef ADD
		for (j = 0; j < CLBD_TIMES_BUCKETS; j++)
			sum.times.bucket[j] += stats->times.bucket[j];
		sum.times.sum += stats->times.sum;
	}
	return sum;
}

void clbd_stats_print(FILE *file, const struct clbd_stats *stats)
{
#define TELL(name, text) fprintf(file, ",\"" #name "\":%" PRIu64, stats->name);
	CLBD_STATS(TELL)
#undef TELL
}

char *clbd_stats_json(const struct clbd_shared *shared)
{
	struct clbd_stats sum = clbd_stats_sum(shared);
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	fprintf(file,
		"{\"workers\":%" PRIu64 ",\"servers_down\":%" PRIu64
		",\"rule_servers_down\":%" PRIu64,
		shared->workers, *shared->servers_down,
		*shared->rule_servers_down);
	clbd_stats_print(file, &sum);
	fprintf(file, "}\n");
	fclose(file);
	return text;
}
