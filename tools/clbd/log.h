/* SPDX-License-Identifier: MIT */
/*
 * The access log: JSON lines, through a pipe to the process that writes them.
 */
#ifndef CLBD_LOG_H
#define CLBD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clbd/stats.h"

struct clbd_session;

#define CLBD_LOG_BUFFER (64 * 1024)

/**
 * struct clbd_log - a worker's end of it
 * @pipe: to the log
 * @enabled: the configuration wants one
 * @size: bytes that wait in @data
 * @since: ms when they were last written
 * @second: of @date
 * @date: as the lines have it
 */
struct clbd_log {
	int pipe;
	bool enabled;
	size_t size;
	uint64_t since;
	struct clbd_stats *stats;
	int64_t second;
	char date[80];
	char *data;
};

int clbd_log_open(struct clbd_log *log, int pipe, struct clbd_stats *stats);
void clbd_log_close(struct clbd_log *log);
void clbd_log_enable(struct clbd_log *log, bool enabled);

/* A line for a session that ends. Never waits: lines are lost, and counted. */
void clbd_log_session(struct clbd_log *log, const struct clbd_session *session);

/* Writes what waits, if it has waited long enough. */
void clbd_log_tick(struct clbd_log *log, uint64_t now);

/*
 * The log's process: lines from @pipes, to the files that come with orders;
 * what is lost is counted in @stats.
 */
int clbd_log_run(int control, const int *pipes, unsigned int count,
		 struct clbd_stats *stats);

#endif /* CLBD_LOG_H */
