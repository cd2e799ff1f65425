/* SPDX-License-Identifier: MIT */
/*
 * Lists of free things of one size, and buffers. Under AddressSanitizer and
 * valgrind nothing is kept, so that they see what is used after its end.
 */
#ifndef CLBD_POOL_H
#define CLBD_POOL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/**
 * struct clbd_pool - free things
 * @size: of each
 * @keep: how many free ones are kept
 * @free: the first, whose first word points to the next
 * @count: of free ones
 * @used: how many are in use
 */
struct clbd_pool {
	size_t size;
	unsigned int keep;
	void *free;
	unsigned int count;
	unsigned int used;
};

void clbd_pool_init(struct clbd_pool *pool, size_t size, unsigned int keep);
void clbd_pool_release(struct clbd_pool *pool);

/* Not cleared. NULL without memory. */
void *clbd_pool_get(struct clbd_pool *pool);
void clbd_pool_put(struct clbd_pool *pool, void *item);

#define CLBD_BUFFER_SIZE (16 * 1024 - 16)
#define CLBD_BUFFER_LARGE (128 * 1024 - 16)

/* Bytes between @start and @end, of @size, are waiting. */
struct clbd_buffer {
	uint32_t start;
	uint32_t end;
	uint32_t size;
	char data[];
};

/* Of a pool of buffers: an empty one. NULL without memory. */
struct clbd_buffer *clbd_buffer_get(struct clbd_pool *pool);

static inline uint32_t clbd_buffer_held(const struct clbd_buffer *buffer)
{
	return buffer ? buffer->end - buffer->start : 0;
}

static inline uint32_t clbd_buffer_room(const struct clbd_buffer *buffer)
{
	return buffer->size - buffer->end;
}

/*
 * What waits moves to the front where there is nothing, or no room behind it.
 */
static inline void clbd_buffer_compact(struct clbd_buffer *buffer)
{
	uint32_t held = clbd_buffer_held(buffer);

	if (held && clbd_buffer_room(buffer))
		return;
	memmove(buffer->data, buffer->data + buffer->start, held);
	buffer->start = 0;
	buffer->end = held;
}

#endif /* CLBD_POOL_H */
