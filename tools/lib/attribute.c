// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include <linux/netlink.h>

#include "attribute.h"

int clb_attribute_next(struct clb_walk *walk, struct clb_attribute *attribute)
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
