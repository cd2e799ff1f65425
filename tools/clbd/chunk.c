// SPDX-License-Identifier: MIT
/* Chunks that clbd makes itself. */
#include "clbd/chunk.h"

#include <stdio.h>
#include <string.h>

static void put(struct clbd_buffer *out, const char *text)
{
	size_t size = strlen(text);

	memcpy(out->data + out->end, text, size);
	out->end += size;
}

void clbd_chunk_close(struct clbd_buffer *out, size_t size, bool last)
{
	char head[CLBD_CHUNK_HEAD + 1];

	if (size) {
		snprintf(head, sizeof(head), "%04zx\r\n", size & 0xffff);
		put(out, head);
		out->end += size;
		put(out, "\r\n");
	}
	if (last)
		put(out, "0\r\n\r\n");
}
