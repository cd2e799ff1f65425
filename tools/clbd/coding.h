/* SPDX-License-Identifier: MIT */
/* Which responses are compressed: RFC 9110 12.5.3 and 8.4. Pure. */
#ifndef CLBD_CODING_H
#define CLBD_CODING_H

#include "clbd/head.h"

/**
 * struct clbd_coding - what a listener compresses
 * @level: 1 to 9
 * @minimum: bytes of a body whose size is known
 * @types: media types, in lower case; "text" and "/" and "*": all of them
 * @type_count: how many
 */
struct clbd_coding {
	unsigned int level;
	uint64_t minimum;
	const char *const *types;
	unsigned int type_count;
};

/* Without types of one's own. */
extern const char *const clbd_coding_types[];
extern const unsigned int clbd_coding_type_count;

/* Whether the client takes gzip, and does not like it less than nothing. */
bool clbd_coding_accepted(const struct clbd_head *request, const char *text);

/*
 * Whether the response, of which the head came and its framing is known, may be
 * compressed for those who take it.
 */
bool clbd_coding_fits(const struct clbd_coding *coding,
		      const struct clbd_head *response, const char *text);

/* Fields that are not true of the compressed body, or are told anew. */
bool clbd_coding_drops(const char *name, size_t size);

bool clbd_coding_is_etag(const char *name, size_t size);

/* Whether "Vary" tells of Accept-Encoding already. */
bool clbd_coding_varies(const struct clbd_head *response, const char *text);

#endif /* CLBD_CODING_H */
