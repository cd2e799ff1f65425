// SPDX-License-Identifier: MIT
/* Asks the generic netlink controller for the family "clb". */
#include <errno.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "attribute.h"
#include "client_private.h"

static void parse_group(const struct clb_attribute *nest,
			struct clb_family *family)
{
	static const char name[] = CLB_GENL_MCGRP_EVENTS;
	struct clb_walk walk = { nest->data, nest->length };
	struct clb_attribute attribute;
	bool ours = false;
	uint32_t id = 0;

	while (clb_attribute_next(&walk, &attribute) > 0) {
		if (attribute.type == CTRL_ATTR_MCAST_GRP_NAME)
			ours = attribute.length == sizeof(name) &&
			       !memcmp(attribute.data, name, sizeof(name));
		else if (attribute.type == CTRL_ATTR_MCAST_GRP_ID &&
			 attribute.length == sizeof(id))
			memcpy(&id, attribute.data, sizeof(id));
	}
	if (ours)
		family->group = id;
}

static void parse_groups(const struct clb_attribute *nest,
			 struct clb_family *family)
{
	struct clb_walk walk = { nest->data, nest->length };
	struct clb_attribute attribute;

	while (clb_attribute_next(&walk, &attribute) > 0)
		parse_group(&attribute, family);
}

int clb_family_parse(const uint8_t *payload, size_t length, void *context)
{
	static const char name[] = CLB_GENL_NAME;
	struct clb_family *ours = context;
	struct clb_family family = { 0 };
	struct clb_attribute attribute;
	struct clb_walk walk;
	bool named = false;

	if (length < GENL_HDRLEN)
		return -EBADMSG;
	walk.at = payload + GENL_HDRLEN;
	walk.left = length - GENL_HDRLEN;
	while (clb_attribute_next(&walk, &attribute) > 0) {
		if (attribute.type == CTRL_ATTR_FAMILY_NAME)
			named = attribute.length == sizeof(name) &&
				!memcmp(attribute.data, name, sizeof(name));
		else if (attribute.type == CTRL_ATTR_FAMILY_ID &&
			 attribute.length == sizeof(family.id))
			memcpy(&family.id, attribute.data, sizeof(family.id));
		else if (attribute.type == CTRL_ATTR_VERSION &&
			 attribute.length == sizeof(family.version))
			memcpy(&family.version, attribute.data,
			       sizeof(family.version));
		else if (attribute.type == CTRL_ATTR_MCAST_GROUPS)
			parse_groups(&attribute, &family);
	}
	if (named)
		*ours = family;
	return 0;
}

int clb_client_resolve(struct clb_client *client, bool load,
		       struct clb_error *error)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;
	int err;

	nlh = mnl_nlmsg_put_header(client->out);
	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_flags = NLM_F_REQUEST | (load ? NLM_F_ACK : NLM_F_DUMP);
	nlh->nlmsg_seq = ++client->sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	if (load)
		mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, CLB_GENL_NAME);

	err = clb_client_send(client, nlh, nlh->nlmsg_len, error);
	if (err)
		return err;
	err = clb_client_answer(client, nlh->nlmsg_seq, NULL, 0,
				clb_family_parse, &client->family, error);
	if (err >= 0)
		err = client->family.id ? 0 : -ENOENT;
	if (err == -ENOENT)
		clb_error_set(
			error, err,
			"module not loaded: run modprobe clb (or insmod clb.ko)");
	else if (err)
		clb_error_set(error, err, "cannot find the netlink family clb");
	return err;
}
