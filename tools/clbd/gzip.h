/* SPDX-License-Identifier: MIT */
/* A body on its way through zlib. */
#ifndef CLBD_GZIP_H
#define CLBD_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clbd_gzip;

enum clbd_gzip_flush {
	CLBD_GZIP_MORE, /* follows at once */
	CLBD_GZIP_FLUSH, /* the reader is to see all of it by now */
	CLBD_GZIP_END,
};

/**
 * clbd_gzip_new() - begin a body
 * @level: 1 to 9
 * @length: of it, or UINT64_MAX where it is not known: a short one takes less
 *	memory
 *
 * Return: it, of 270 kB at most, or NULL without memory
 */
struct clbd_gzip *clbd_gzip_new(unsigned int level, uint64_t length);
void clbd_gzip_free(struct clbd_gzip *gzip);

/**
 * clbd_gzip_run() - compress
 * @gzip: the body
 * @in: what comes next
 * @in_size: how much; on return, how much of it was taken
 * @out: where it goes
 * @out_size: how much room there is; on return, how much was written
 * @flush: what is behind @in
 *
 * Return: 0 or -EPROTO
 */
int clbd_gzip_run(struct clbd_gzip *gzip, const void *in, size_t *in_size,
		  void *out, size_t *out_size, enum clbd_gzip_flush flush);

/* It has more to write, of what it was given: call with the same @flush. */
bool clbd_gzip_is_pending(const struct clbd_gzip *gzip);

/* All was written, with the end. */
bool clbd_gzip_is_done(const struct clbd_gzip *gzip);

#endif /* CLBD_GZIP_H */
