/* SPDX-License-Identifier: MIT */
/* A bounds-checked walk over netlink attributes. */
#ifndef CLB_LIB_ATTRIBUTE_H
#define CLB_LIB_ATTRIBUTE_H

#include <stddef.h>
#include <stdint.h>

struct clb_walk {
	const uint8_t *at;
	size_t left;
};

struct clb_attribute {
	uint16_t type; /* without the flags */
	const uint8_t *data; /* of any alignment */
	size_t length;
};

/*
 *  0                   1                   2                   3
 *  |            length             |N|B|           type            |
 *  | length - 4 bytes of payload, padded to 4 bytes                |
 *
 * The padding of the last attribute may be missing.
 */

/**
 * clb_attribute_next() - take the next attribute
 * @walk: what is left; moved on
 * @attribute: result; untouched unless 1 is returned
 *
 * Return: 1, 0 at the end, -EBADMSG where the bytes are no attribute
 */
int clb_attribute_next(struct clb_walk *walk, struct clb_attribute *attribute);

#endif /* CLB_LIB_ATTRIBUTE_H */
