// SPDX-License-Identifier: MIT
/* Compression, as zlib does it. */
#include "clbd/gzip.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

/* Bits of the window, for zlib; with the second, it writes gzip's frame. */
#define WINDOW_LEAST 9
#define WINDOW_MOST 15
#define FRAME 16

struct clbd_gzip {
	z_stream stream;
	bool pending;
	bool done;
};

/* A window larger than the body is of no use. */
static int window_of(uint64_t length)
{
	int bits = WINDOW_LEAST;

	while (bits < WINDOW_MOST && length > (1ull << bits))
		bits++;
	return bits;
}

struct clbd_gzip *clbd_gzip_new(unsigned int level, uint64_t length)
{
	struct clbd_gzip *gzip = calloc(1, sizeof(*gzip));
	int window = window_of(length);

	if (!gzip)
		return NULL;
	if (deflateInit2(&gzip->stream, level, Z_DEFLATED, window + FRAME,
			 window - 7, Z_DEFAULT_STRATEGY) == Z_OK)
		return gzip;
	free(gzip);
	return NULL;
}

void clbd_gzip_free(struct clbd_gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->stream);
	free(gzip);
}

int clbd_gzip_run(struct clbd_gzip *gzip, const void *in, size_t *in_size,
		  void *out, size_t *out_size, enum clbd_gzip_flush flush)
{
	static const int modes[] = {
		[CLBD_GZIP_MORE] = Z_NO_FLUSH,
		[CLBD_GZIP_FLUSH] = Z_SYNC_FLUSH,
		[CLBD_GZIP_END] = Z_FINISH,
	};
	z_stream *stream = &gzip->stream;
	int result;

	stream->next_in = (void *)in;
	stream->avail_in = *in_size;
	stream->next_out = out;
	stream->avail_out = *out_size;
	result = deflate(stream, modes[flush]);
	/* Without anything to do it says so; that is no error. */
	if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
		return -EPROTO;
	*in_size -= stream->avail_in;
	*out_size -= stream->avail_out;
	gzip->done = result == Z_STREAM_END;
	gzip->pending = !gzip->done && !stream->avail_out &&
			flush != CLBD_GZIP_MORE;
	return 0;
}

bool clbd_gzip_is_pending(const struct clbd_gzip *gzip)
{
	return gzip->pending;
}

bool clbd_gzip_is_done(const struct clbd_gzip *gzip)
{
	return gzip->done;
}
