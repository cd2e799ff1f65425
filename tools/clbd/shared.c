// SPDX-License-Identifier: MIT
/* Memory of all processes, and each one's copy of where it is. */
#include <stdlib.h>
#include <sys/mman.h>

#include "clbd/meter.h"
#include "clbd/stats.h"

/* What is in it beside the meters. */
struct counters {
	uint64_t servers_down;
	uint64_t rule_servers_down;
	struct clbd_stats stats[];
};

struct clbd_shared *clbd_shared_new(unsigned int workers)
{
	struct clbd_shared *shared = calloc(1, sizeof(*shared));
	struct counters *counters;

	if (!shared)
		return NULL;
	counters = mmap(NULL, sizeof(*counters) +
			(workers + CLBD_STATS_OTHERS) *
				sizeof(struct clbd_stats),
			PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			0);
	shared->meters = clbd_meters_new(workers);
	if (counters == MAP_FAILED || !shared->meters) {
		clbd_shared_free(shared);
		return NULL;
	}
	shared->workers = workers;
	shared->servers_down = &counters->servers_down;
	shared->rule_servers_down = &counters->rule_servers_down;
	shared->stats = counters->stats;
	return shared;
}

void clbd_shared_free(struct clbd_shared *shared)
{
	if (shared)
		free(shared->meters);
	free(shared);
}
