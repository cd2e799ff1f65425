/* SPDX-License-Identifier: MIT */
/* Chunks that clbd makes itself: each is framed when its bytes are there. */
#ifndef CLBD_CHUNK_H
#define CLBD_CHUNK_H

#include <stdbool.h>
#include <stddef.h>

#include "clbd/pool.h"

/* Its size, in four digits. */
#define CLBD_CHUNK_HEAD 6
/* That, what is behind it, and the last chunk, which is empty. */
#define CLBD_CHUNK_FRAME (CLBD_CHUNK_HEAD + 2 + 5)

/**
 * clbd_chunk_close() - make a chunk of bytes
 * @out: where they were put, CLBD_CHUNK_HEAD behind its end
 * @size: how many, 65535 at most
 * @last: no other chunk follows
 */
void clbd_chunk_close(struct clbd_buffer *out, size_t size, bool last);

#endif /* CLBD_CHUNK_H */
