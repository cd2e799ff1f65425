// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include "attribute.h"
#include "extack.h"
#include "object.h"

/* The kernel's MAX_ERRNO. */
#define ERRNO_MAX 4095

int clb_error_set(struct clb_error *error, int code, const char *message)
{
	memset(error, 0, sizeof(*error));
	error->code = code;
	snprintf(error->message, sizeof(error->message), "%s", message);
	return code;
}

/* The request as sent, to look an offset up in. */
struct request {
	const uint8_t *bytes;
	size_t length;
};

/* Offset at which the next attribute of the walk begins. */
static size_t offset_of(const struct request *request,
			const struct clb_walk *walk)
{
	return walk->at - request->bytes;
}

static struct clb_walk request_walk(const struct request *request)
{
	const size_t head = NLMSG_HDRLEN + GENL_HDRLEN;
	struct clb_walk walk = { request->bytes, 0 };

	if (request->length > head) {
		walk.at += head;
		walk.left = request->length - head;
	}
	return walk;
}

/* Names the attribute that begins at @target within the nest of @object. */
static void name_inner(const struct request *request,
		       const struct clb_object *object,
		       const struct clb_attribute *nest, size_t target,
		       struct clb_error *error)
{
	struct clb_walk walk = { nest->data, nest->length };
	const struct clb_field *field;
	struct clb_attribute inner;

	for (;;) {
		size_t start = offset_of(request, &walk);

		if (clb_attribute_next(&walk, &inner) <= 0)
			return;
		if (start != target)
			continue;
		field = clb_field_find(object, inner.type);
		if (field)
			error->attribute = field->name;
		return;
	}
}

/* Names the attribute that begins at @target, be it a nest or in one. */
static void name_offset(const struct request *request, size_t target,
			struct clb_error *error)
{
	struct clb_walk walk = request_walk(request);
	struct clb_attribute top;

	for (;;) {
		const struct clb_object *object;
		size_t start = offset_of(request, &walk);

		if (clb_attribute_next(&walk, &top) <= 0)
			return;
		if (target < start || target >= offset_of(request, &walk))
			continue;
		object = clb_object_find(top.type);
		if (!object)
			return;
		error->nest = object->name;
		if (target > start)
			name_inner(request, object, &top, target, error);
		return;
	}
}

/* Names a missing attribute: of a nest, or, with no nest, a nest itself. */
static void name_missing(const struct request *request, const size_t *nest,
			 uint32_t type, struct clb_error *error)
{
	struct clb_walk walk = request_walk(request);
	const struct clb_object *object;
	const struct clb_field *field;
	struct clb_attribute top;

	error->missing = true;
	if (!nest) {
		object = clb_object_find(type);
		error->nest = object ? object->name : NULL;
		return;
	}
	for (;;) {
		size_t start = offset_of(request, &walk);

		if (clb_attribute_next(&walk, &top) <= 0)
			return;
		if (start == *nest)
			break;
	}
	object = clb_object_find(top.type);
	if (!object)
		return;
	error->nest = object->name;
	field = clb_field_find(object, type);
	error->attribute = field ? field->name : NULL;
}

static void copy_text(const struct clb_attribute *attribute, char *out,
		      size_t size)
{
	size_t length = strnlen((const char *)attribute->data,
				attribute->length);

	if (length >= size)
		length = size - 1;
	memcpy(out, attribute->data, length);
	out[length] = '\0';
}

static bool get_u32(const struct clb_attribute *attribute, uint32_t *out)
{
	if (attribute->length != sizeof(*out))
		return false;
	memcpy(out, attribute->data, sizeof(*out));
	return true;
}

static bool get_u64(const struct clb_attribute *attribute, uint64_t *out)
{
	if (attribute->length != sizeof(*out))
		return false;
	memcpy(out, attribute->data, sizeof(*out));
	return true;
}

/* The range of an integer, where the policy has one. */
static void parse_policy(const struct clb_attribute *policy,
			 struct clb_error *error)
{
	struct clb_walk walk = { policy->data, policy->length };
	bool minimum = false, maximum = false;
	struct clb_attribute attribute;

	while (clb_attribute_next(&walk, &attribute) > 0) {
		if (attribute.type == NL_POLICY_TYPE_ATTR_MIN_VALUE_U)
			minimum = get_u64(&attribute, &error->minimum);
		else if (attribute.type == NL_POLICY_TYPE_ATTR_MAX_VALUE_U)
			maximum = get_u64(&attribute, &error->maximum);
	}
	error->has_range = minimum && maximum;
}

static void parse_tlvs(struct clb_walk walk, const struct request *request,
		       struct clb_error *error)
{
	bool has_offset = false, has_missing = false, has_nest = false;
	uint32_t offset = 0, missing = 0, nest = 0;
	struct clb_attribute attribute;
	size_t nest_offset;

	while (clb_attribute_next(&walk, &attribute) > 0) {
		switch (attribute.type) {
		case NLMSGERR_ATTR_MSG:
			copy_text(&attribute, error->message,
				  sizeof(error->message));
			break;
		case NLMSGERR_ATTR_OFFS:
			has_offset = get_u32(&attribute, &offset);
			break;
		case NLMSGERR_ATTR_POLICY:
			parse_policy(&attribute, error);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			has_missing = get_u32(&attribute, &missing);
			break;
		case NLMSGERR_ATTR_MISS_NEST:
			has_nest = get_u32(&attribute, &nest);
			break;
		}
	}
	nest_offset = nest;
	if (!request->bytes)
		return;
	if (has_missing)
		name_missing(request, has_nest ? &nest_offset : NULL, missing,
			     error);
	else if (has_offset)
		name_offset(request, offset, error);
}

/*
 * NLMSG_ERROR: nlmsghdr | s32 error | nlmsghdr of the request | the rest of
 * the request, unless NLM_F_CAPPED | attributes, if NLM_F_ACK_TLVS.
 * NLMSG_DONE of a dump: nlmsghdr | s32 error | attributes.
 */
static int tlvs_start(const struct nlmsghdr *head, const uint8_t *bytes,
		      size_t *start)
{
	struct nlmsghdr inner;

	*start = NLMSG_HDRLEN + sizeof(int32_t);
	if (head->nlmsg_type == NLMSG_DONE)
		return 0;
	if (head->nlmsg_len < *start + sizeof(inner))
		return -EBADMSG;
	memcpy(&inner, bytes + *start, sizeof(inner));
	*start += sizeof(inner);
	if (head->nlmsg_flags & NLM_F_CAPPED)
		return 0;
	if (inner.nlmsg_len < sizeof(inner))
		return -EBADMSG;
	*start += NLMSG_ALIGN(inner.nlmsg_len - sizeof(inner));
	return 0;
}

int clb_extack_parse(const void *reply, size_t length, const void *sent,
		     size_t sent_length, struct clb_error *out)
{
	struct request request = { sent, sent_length };
	struct clb_error error = { 0 };
	const uint8_t *bytes = reply;
	struct nlmsghdr head;
	size_t start;
	int32_t code;

	if (length < NLMSG_HDRLEN + sizeof(code))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.nlmsg_len > length ||
	    head.nlmsg_len < NLMSG_HDRLEN + sizeof(code) ||
	    (head.nlmsg_type != NLMSG_ERROR && head.nlmsg_type != NLMSG_DONE))
		return -EBADMSG;
	memcpy(&code, bytes + NLMSG_HDRLEN, sizeof(code));
	if (tlvs_start(&head, bytes, &start) || code > 0 || code < -ERRNO_MAX)
		return -EBADMSG;
	if (!code)
		return 0;

	error.code = code;
	if (head.nlmsg_flags & NLM_F_ACK_TLVS && start < head.nlmsg_len)
		parse_tlvs((struct clb_walk){ bytes + start,
					      head.nlmsg_len - start },
			   &request, &error);
	*out = error;
	return code;
}
