/* SPDX-License-Identifier: MIT */
/* Frames that wait to be written to a client: whole ones, in buffers. */
#ifndef CLBD_H2_OUT_H
#define CLBD_H2_OUT_H

#include "clbd/conn.h"

#define CLBD_H2_OUT_BUFFERS 4

/* The largest frame, as we and clients have SETTINGS_MAX_FRAME_SIZE. */
#define CLBD_H2_FRAME_HEAD 9
#define CLBD_H2_FRAME (CLBD_H2_FRAME_HEAD + 16384)

/**
 * struct clbd_h2_out - bytes to be written
 * @buffers: those that hold some, in order
 * @count: of them
 */
struct clbd_h2_out {
	struct clbd_buffer *buffers[CLBD_H2_OUT_BUFFERS];
	unsigned int count;
};

size_t clbd_h2_out_room(const struct clbd_h2_out *out);

/* There must be room. Return: 0 or -ENOMEM */
int clbd_h2_out_put(struct clbd_h2_out *out, struct clbd_pool *pool,
		    const void *data, size_t size);

/* What the client takes now. Return: bytes, or -errno */
ssize_t clbd_h2_out_write(struct clbd_h2_out *out, struct clbd_pool *pool,
			  struct clbd_conn *conn);

void clbd_h2_out_clear(struct clbd_h2_out *out, struct clbd_pool *pool);

#endif /* CLBD_H2_OUT_H */
