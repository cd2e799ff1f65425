/* SPDX-License-Identifier: MIT */
/* Counters as Prometheus reads them: piece by piece, as they may be many. */
#ifndef CLBD_METRICS_H
#define CLBD_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clbd/meter.h"

/* The first piece needs so much room; the others, less. */
#define CLBD_METRICS_ROOM 10240

/* What comes next: of which metric, and of which place. */
struct clbd_metrics {
	uint16_t metric;
	uint16_t place;
	bool done;
};

/**
 * clbd_metrics_write() - write what comes next, in whole lines
 * @metrics: where we are; moved on, and done with the last line
 * @shared: everybody's counters
 * @out: where to
 * @size: room, CLBD_METRICS_ROOM at least
 *
 * Return: bytes
 */
size_t clbd_metrics_write(struct clbd_metrics *metrics,
			  const struct clbd_shared *shared, char *out,
			  size_t size);

#endif /* CLBD_METRICS_H */
