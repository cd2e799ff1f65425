/* SPDX-License-Identifier: MIT */
/* A bounds-checked walk over netlink attributes. */
#ifndef CLB_LIB_ATTRIBUTE_H
#define CLB_LIB_ATTRIBUTE_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <linux/netlink.h>

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
static inline int clb_attribute_next(struct clb_walk *walk,
				     struct clb_attribute *attribute)
{
	struct nlattr head;
	size_t whole;

	if (!walk->left)
		return 0;
	if (walk->left < sizeof(head))
		return -EBADMSG;
	memcpy(&head, walk->at, sizeof(head));
	if (head.nla_len < sizeof(head) || head.nla_len > walk->left)
		return -EBADMSG;

	attribute->type = head.nla_type & NLA_TYPE_MASK;
	attribute->data = walk->at + sizeof(head);
	attribute->length = head.nla_len - sizeof(head);

	whole = NLA_ALIGN(head.nla_len);
	if (whole > walk->left)
		whole = walk->left;
	walk->at += whole;
	walk->left -= whole;
	return 1;
}

#endif /* CLB_LIB_ATTRIBUTE_H */
