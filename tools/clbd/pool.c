// SPDX-License-Identifier: MIT
/* Lists of free things. */
#include "clbd/pool.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(CLBD_NO_POOLS)
#define KEEP(wanted) ((void)(wanted), 0)
#else
#define KEEP(wanted) (wanted)
#endif

void clbd_pool_init(struct clbd_pool *pool, size_t size, unsigned int keep)
{
	memset(pool, 0, sizeof(*pool));
	pool->size = size;
	pool->keep = KEEP(keep);
}

void clbd_pool_release(struct clbd_pool *pool)
{
	while (pool->free) {
		void *item = pool->free;

		memcpy(&pool->free, item, sizeof(void *));
		free(item);
	}
	pool->count = 0;
}

void *clbd_pool_get(struct clbd_pool *pool)
{
	void *item = pool->free;

	if (item) {
		memcpy(&pool->free, item, sizeof(void *));
		pool->count--;
	} else {
		item = malloc(pool->size);
	}
	if (item)
		pool->used++;
	return item;
}

void clbd_pool_put(struct clbd_pool *pool, void *item)
{
	if (!item)
		return;
	pool->used--;
	if (pool->count >= pool->keep) {
		free(item);
		return;
	}
	memcpy(item, &pool->free, sizeof(void *));
	pool->free = item;
	pool->count++;
}

struct clbd_buffer *clbd_buffer_get(struct clbd_pool *pool)
{
	struct clbd_buffer *buffer = clbd_pool_get(pool);

	if (!buffer)
		return NULL;
	buffer->start = buffer->end = 0;
	buffer->size = pool->size - sizeof(*buffer);
	return buffer;
}
