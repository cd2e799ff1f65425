// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "attribute.h"
#include "message.h"

void *clb_message_object(struct clb_message *message, uint16_t attr)
{
	switch (attr) {
	case CLB_A_LISTENER:
		return &message->listener;
	case CLB_A_SERVER:
		return &message->server;
	case CLB_A_LOCAL_ADDRESS:
		return &message->local_address;
	case CLB_A_SETTINGS:
		return &message->settings;
	case CLB_A_SESSION:
		return &message->session;
	case CLB_A_STATS:
		return &message->stats;
	case CLB_A_SYNC:
		return &message->sync;
	case CLB_A_SYNC_PEER:
		return &message->sync_peer;
	default:
		return NULL;
	}
}

static int parse_address(const struct clb_attribute *attribute,
			 struct clb_address *out)
{
	if (attribute->length != 4 && attribute->length != 16)
		return -EBADMSG;
	out->length = attribute->length;
	memcpy(out->bytes, attribute->data, attribute->length);
	return 0;
}

static int parse_number(const struct clb_attribute *attribute, void *out,
			size_t size)
{
	if (attribute->length != size)
		return -EBADMSG;
	memcpy(out, attribute->data, size);
	return 0;
}

static int parse_value(const struct clb_field *field,
		       const struct clb_attribute *attribute, void *out)
{
	uint16_t port;

	switch (field->type) {
	case CLB_TYPE_U8:
		return parse_number(attribute, out, sizeof(uint8_t));
	case CLB_TYPE_U16:
		return parse_number(attribute, out, sizeof(uint16_t));
	case CLB_TYPE_PORT:
		if (parse_number(attribute, &port, sizeof(port)))
			return -EBADMSG;
		*(uint16_t *)out = ntohs(port);
		return 0;
	case CLB_TYPE_U32:
		return parse_number(attribute, out, sizeof(uint32_t));
	case CLB_TYPE_U64:
		return parse_number(attribute, out, sizeof(uint64_t));
	case CLB_TYPE_ADDRESS:
		return parse_address(attribute, out);
	case CLB_TYPE_SECRET:
		break;
	}
	return -EBADMSG;
}

static int parse_field(const struct clb_field *field,
		       const struct clb_attribute *attribute, void *object)
{
	/* the kernel gives none */
	if (field->type == CLB_TYPE_SECRET)
		return 0;
	if (parse_value(field, attribute, (char *)object + field->offset))
		return -EBADMSG;
	clb_field_mark(field, object);
	return 0;
}

int clb_object_parse(const struct clb_object *object, const void *data,
		     size_t length, void *out)
{
	struct clb_walk walk = { data, length };
	struct clb_attribute attribute;
	int more;

	memset(out, 0, object->size);
	while ((more = clb_attribute_next(&walk, &attribute)) > 0) {
		const struct clb_field *field;

		field = clb_field_find(object, attribute.type);
		if (field && parse_field(field, &attribute, out))
			return -EBADMSG;
	}
	return more;
}

static int parse_top(const struct clb_attribute *attribute,
		     struct clb_message *message)
{
	const struct clb_object *object = clb_object_find(attribute->type);
	struct clb_acl_entry entry;
	void *out = &entry;
	int err;

	if (attribute->type == CLB_A_GENERATION) {
		if (attribute->length != sizeof(message->generation))
			return -EBADMSG;
		memcpy(&message->generation, attribute->data,
		       sizeof(message->generation));
	} else if (object) {
		if (attribute->type != CLB_A_ACL_ENTRY)
			out = clb_message_object(message, attribute->type);
		err = clb_object_parse(object, attribute->data,
				       attribute->length, out);
		if (err)
			return err;
		message->n_acl_entries += attribute->type == CLB_A_ACL_ENTRY;
	} else {
		return 0;
	}
	clb_message_add(message, attribute->type);
	return 0;
}

/* Millions of messages make a list: objects that are not in it stay as they are. */
static void begin(struct clb_message *message, uint8_t command,
		  const void *attributes, size_t length)
{
	uint16_t attr;

	for (attr = 0; attr <= CLB_A_MAX; attr++) {
		uint64_t *present = clb_message_object(message, attr);

		if (present)
			*present = 0;
	}
	message->command = command;
	message->present = 0;
	message->generation = 0;
	message->acl_entries = NULL;
	message->n_acl_entries = 0;
	message->attributes = attributes;
	message->length = length;
}

int clb_message_parse(uint8_t command, const void *attributes, size_t length,
		      struct clb_message *out)
{
	struct clb_walk walk = { attributes, length };
	struct clb_attribute attribute;
	int more;

	begin(out, command, attributes, length);
	while ((more = clb_attribute_next(&walk, &attribute)) > 0)
		if (parse_top(&attribute, out))
			return -EBADMSG;
	return more;
}

void clb_message_acl_entries(const struct clb_message *message,
			     struct clb_acl_entry *entries)
{
	struct clb_walk walk = { message->attributes, message->length };
	struct clb_attribute attribute;

	while (clb_attribute_next(&walk, &attribute) > 0)
		if (attribute.type == CLB_A_ACL_ENTRY)
			clb_object_parse(&clb_acl_entry_object, attribute.data,
					 attribute.length, entries++);
}

static bool put_field(struct nlmsghdr *nlh, size_t size,
		      const struct clb_field *field, const void *object)
{
	const struct clb_address *address;
	uint64_t value;

	if (field->type == CLB_TYPE_ADDRESS) {
		address = clb_field_address(field, object);
		return mnl_attr_put_check(nlh, size, field->attr,
					  address->length, address->bytes);
	}

	if (field->type == CLB_TYPE_SECRET)
		return mnl_attr_put_check(nlh, size, field->attr,
					  CLB_SECRET_LENGTH,
					  (const char *)object + field->offset);

	value = clb_field_get(field, object);
	switch (field->type) {
	case CLB_TYPE_U8:
		return mnl_attr_put_u8_check(nlh, size, field->attr, value);
	case CLB_TYPE_U16:
		return mnl_attr_put_u16_check(nlh, size, field->attr, value);
	case CLB_TYPE_PORT:
		return mnl_attr_put_u16_check(nlh, size, field->attr,
					      htons(value));
	case CLB_TYPE_U32:
		return mnl_attr_put_u32_check(nlh, size, field->attr, value);
	default:
		return mnl_attr_put_u64_check(nlh, size, field->attr, value);
	}
}

static bool put_object(struct nlmsghdr *nlh, size_t size,
		       const struct clb_object *object, const void *value)
{
	struct nlattr *nest;
	size_t i;

	nest = mnl_attr_nest_start_check(nlh, size, object->attr);
	if (!nest)
		return false;
	for (i = 0; i < object->n_fields; i++) {
		const struct clb_field *field = &object->fields[i];

		if (clb_field_present(field, value) &&
		    !put_field(nlh, size, field, value))
			return false;
	}
	mnl_attr_nest_end(nlh, nest);
	return true;
}

static bool put_acl_entries(struct nlmsghdr *nlh, size_t size,
			    const struct clb_message *message)
{
	size_t i;

	for (i = 0; i < message->n_acl_entries; i++)
		if (!put_object(nlh, size, &clb_acl_entry_object,
				&message->acl_entries[i]))
			return false;
	return true;
}

static bool put_objects(struct nlmsghdr *nlh, size_t size,
			const struct clb_message *message)
{
	/* Only looked at: clb_message_object() serves the parser as well. */
	struct clb_message *mutable = (struct clb_message *)message;
	uint16_t attr;

	for (attr = CLB_A_LISTENER; attr <= CLB_A_MAX; attr++) {
		const void *object = clb_message_object(mutable, attr);

		if (object && clb_message_has(message, attr) &&
		    !put_object(nlh, size, clb_object_find(attr), object))
			return false;
	}
	return put_acl_entries(nlh, size, message);
}

struct nlmsghdr *clb_message_build(void *buffer, size_t size,
				   const struct clb_message *message,
				   uint16_t type, uint16_t flags,
				   uint32_t sequence)
{
	struct genlmsghdr *genl;
	struct nlmsghdr *nlh;

	if (size < MNL_NLMSG_HDRLEN + GENL_HDRLEN)
		return NULL;
	nlh = mnl_nlmsg_put_header(buffer);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = message->command;
	genl->version = CLB_GENL_VERSION;
	return put_objects(nlh, size, message) ? nlh : NULL;
}
