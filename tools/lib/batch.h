/* SPDX-License-Identifier: MIT */
/*
 * Many commands in few system calls, as a large transaction needs. Commands
 * gather in a buffer that is sent as one datagram; the kernel answers those
 * that fail, and the last one in any case.
 */
#ifndef CLB_LIB_BATCH_H
#define CLB_LIB_BATCH_H

#include "client.h"

/*
 * Commands in one datagram. So many errors fit into the receive buffer, as
 * small as an unprivileged user may have it.
 */
#define CLB_BATCH_MAX 128

/**
 * struct clb_batch - commands not sent yet
 * @client: socket
 * @bytes: commands one behind the other
 * @used: size of @bytes in use
 * @count: commands in @bytes
 * @first: sequence number of the first of them
 * @offsets: where each begins
 * @tags: what the caller calls each, e.g. a line number
 */
struct clb_batch {
	struct clb_client *client;
	uint8_t *bytes;
	size_t used;
	unsigned int count;
	uint32_t first;
	uint32_t offsets[CLB_BATCH_MAX];
	unsigned long tags[CLB_BATCH_MAX];
};

/* Return: 0 or -ENOMEM */
int clb_batch_init(struct clb_batch *batch, struct clb_client *client);

/* Forgets commands not sent. */
void clb_batch_destroy(struct clb_batch *batch);

/**
 * clb_batch_add() - queue a command; sends what is queued when full
 * @batch: queue
 * @message: the command
 * @tag: what to call it
 * @failed: on failure, tag of the first command that failed
 * @error: on failure, why
 *
 * Return: 0 or a negative errno
 */
int clb_batch_add(struct clb_batch *batch, const struct clb_message *message,
		  unsigned long tag, unsigned long *failed,
		  struct clb_error *error);

/* Sends what is queued. Arguments and Return: as clb_batch_add() */
int clb_batch_flush(struct clb_batch *batch, unsigned long *failed,
		    struct clb_error *error);

#endif /* CLB_LIB_BATCH_H */
