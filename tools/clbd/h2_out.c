// SPDX-License-Identifier: MIT
/* Frames on their way to a client. */
#include "clbd/h2_out.h"

#include <errno.h>
#include <string.h>

size_t clbd_h2_out_room(const struct clbd_h2_out *out)
{
	size_t room = (CLBD_H2_OUT_BUFFERS - out->count) * CLBD_BUFFER_SIZE;

	if (out->count)
		room += clbd_buffer_room(out->buffers[out->count - 1]);
	return room;
}

static struct clbd_buffer *last_with_room(struct clbd_h2_out *out,
					  struct clbd_pool *pool)
{
	struct clbd_buffer *last;

	if (out->count) {
		last = out->buffers[out->count - 1];
		if (clbd_buffer_room(last))
			return last;
	}
	if (out->count == CLBD_H2_OUT_BUFFERS)
		return NULL;
	last = clbd_buffer_get(pool);
	if (!last)
		return NULL;
	last->start = 0;
	last->end = 0;
	out->buffers[out->count++] = last;
	return last;
}

int clbd_h2_out_put(struct clbd_h2_out *out, struct clbd_pool *pool,
		    const void *data, size_t size)
{
	while (size) {
		struct clbd_buffer *last = last_with_room(out, pool);
		size_t n = size;

		if (!last)
			return -ENOMEM;
		if (n > clbd_buffer_room(last))
			n = clbd_buffer_room(last);
		memcpy(last->data + last->end, data, n);
		last->end += n;
		data = (const char *)data + n;
		size -= n;
	}
	return 0;
}

static void drop_first(struct clbd_h2_out *out, struct clbd_pool *pool)
{
	clbd_pool_put(pool, out->buffers[0]);
	out->count--;
	memmove(out->buffers, out->buffers + 1,
		out->count * sizeof(out->buffers[0]));
}

ssize_t clbd_h2_out_write(struct clbd_h2_out *out, struct clbd_pool *pool,
			  struct clbd_conn *conn)
{
	struct iovec iov[CLBD_H2_OUT_BUFFERS];
	ssize_t written, left;
	unsigned int i;

	for (i = 0; i < out->count; i++) {
		struct clbd_buffer *buffer = out->buffers[i];

		iov[i].iov_base = buffer->data + buffer->start;
		iov[i].iov_len = clbd_buffer_held(buffer);
	}
	written = clbd_conn_write(conn, iov, out->count, false);
	for (left = written; left > 0;) {
		struct clbd_buffer *first = out->buffers[0];
		uint32_t n = clbd_buffer_held(first);

		if (left < n) {
			first->start += left;
			break;
		}
		left -= n;
		drop_first(out, pool);
	}
	return written;
}

void clbd_h2_out_clear(struct clbd_h2_out *out, struct clbd_pool *pool)
{
	while (out->count)
		drop_first(out, pool);
}
