// SPDX-License-Identifier: MIT
/* A limit of requests a second. */
#include "clbd/rate.h"

#define ONE 1000000ull

void clbd_rate_init(struct clbd_rate *rate, uint32_t requests, uint32_t burst,
		    uint64_t parts, uint64_t now)
{
	rate->gain = requests * (ONE / 1000) / parts;
	if (requests && !rate->gain)
		rate->gain = 1;
	rate->most = (burst ? burst : requests) * ONE / parts;
	if (rate->most < ONE)
		rate->most = ONE;
	rate->level = rate->most;
	rate->time = now;
}

bool clbd_rate_take(struct clbd_rate *rate, uint64_t now)
{
	uint64_t passed = now - rate->time;

	if (!rate->gain)
		return true;
	rate->time = now;
	/* Compared by division: after a long time the product is too large. */
	if (passed > (rate->most - rate->level) / rate->gain)
		rate->level = rate->most;
	else
		rate->level += passed * rate->gain;
	if (rate->level < ONE)
		return false;
	rate->level -= ONE;
	return true;
}
