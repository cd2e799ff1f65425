// SPDX-License-Identifier: MIT
/* Counters, added up and printed. */
#include "clbd/stats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const unsigned int bounds[CLBD_STATS_BUCKETS - 1] = {
	1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 10000,
};

void clbd_stats_time(struct clbd_stats *stats, uint64_t ms)
{
	unsigned int i = 0;

	while (i < CLBD_STATS_BUCKETS - 1 && ms > bounds[i])
		i++;
	stats->time[i]++;
	stats->time_sum += ms;
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
		for (j = 0; j < CLBD_STATS_BUCKETS; j++)
			sum.time[j] += stats->time[j];
		sum.time_sum += stats->time_sum;
	}
	return sum;
}

char *clbd_stats_json(const struct clbd_shared *shared)
{
	struct clbd_stats sum = clbd_stats_sum(shared);
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return NULL;
	fprintf(file, "{\"workers\":%" PRIu64 ",\"servers_down\":%" PRIu64,
		shared->workers, shared->servers_down);
#define TELL(name, text) fprintf(file, ",\"" #name "\":%" PRIu64, sum.name);
	CLBD_STATS(TELL)
#undef TELL
	fprintf(file, "}\n");
	fclose(file);
	return text;
}

/* Where the next line goes, and how much room there is. */
struct output {
	char *out;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3)))
static void line(struct output *output, const char *format, ...)
{
	size_t room = output->used < output->size ? output->size - output->used
						  : 0;
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(room ? output->out + output->used : NULL, room, format,
			 args);
	va_end(args);
	if (size > 0)
		output->used += size;
}

static void counter(struct output *output, const char *name, const char *text,
		    uint64_t value)
{
	line(output,
	     "# HELP clbd_%s_total %s\n# TYPE clbd_%s_total counter\n"
	     "clbd_%s_total %" PRIu64 "\n",
	     name, text, name, name, value);
}

static void gauge(struct output *output, const char *name, const char *text,
		  uint64_t value)
{
	line(output,
	     "# HELP clbd_%s %s\n# TYPE clbd_%s gauge\nclbd_%s %" PRIu64 "\n",
	     name, text, name, name, value);
}

static void times(struct output *output, const struct clbd_stats *sum)
{
	uint64_t count = 0;
	unsigned int i;

	line(output, "# HELP clbd_request_seconds how long requests took\n"
		     "# TYPE clbd_request_seconds histogram\n");
	for (i = 0; i < CLBD_STATS_BUCKETS - 1; i++) {
		count += sum->time[i];
		line(output,
		     "clbd_request_seconds_bucket{le=\"%u.%03u\"} %" PRIu64
		     "\n", bounds[i] / 1000, bounds[i] % 1000, count);
	}
	count += sum->time[i];
	line(output,
	     "clbd_request_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	     "clbd_request_seconds_count %" PRIu64 "\n"
	     "clbd_request_seconds_sum %" PRIu64 ".%03u\n",
	     count, count, sum->time_sum / 1000,
	     (unsigned int)(sum->time_sum % 1000));
}

size_t clbd_stats_metrics(const struct clbd_shared *shared, char *out,
			  size_t size)
{
	struct clbd_stats sum = clbd_stats_sum(shared);
	struct output output = { .out = out, .size = size };

	gauge(&output, "workers", "processes that serve", shared->workers);
	gauge(&output, "servers_down", "servers that checks found down",
	      shared->servers_down);
#define TELL(name, text) counter(&output, #name, text, sum.name);
	CLBD_STATS(TELL)
#undef TELL
	times(&output, &sum);
	return output.used;
}
