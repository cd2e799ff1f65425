// SPDX-License-Identifier: MIT
/* Access to one field of an object through its table entry. */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "number.h"
#include "object.h"

const struct clb_field *clb_field_find(const struct clb_object *object,
				       uint16_t attr)
{
	size_t i = attr - 1;

	/* most tables are in the order of the attributes */
	if (i < object->n_fields && object->fields[i].attr == attr)
		return &object->fields[i];
	for (i = 0; i < object->n_fields; i++)
		if (object->fields[i].attr == attr)
			return &object->fields[i];
	return NULL;
}

const struct clb_field *clb_field_find_name(const struct clb_object *object,
					    const char *name)
{
	size_t i;

	for (i = 0; i < object->n_fields; i++)
		if (!strcmp(object->fields[i].name, name))
			return &object->fields[i];
	return NULL;
}

static const void *value_of(const struct clb_field *field, const void *object)
{
	return (const char *)object + field->offset;
}

bool clb_field_present(const struct clb_field *field, const void *object)
{
	return *(const uint64_t *)object & 1ULL << field->attr;
}

uint64_t clb_field_get(const struct clb_field *field, const void *object)
{
	const void *value = value_of(field, object);

	if (!clb_field_present(field, object))
		return 0;
	switch (field->type) {
	case CLB_TYPE_U8:
		return *(const uint8_t *)value;
	case CLB_TYPE_U16:
	case CLB_TYPE_PORT:
		return *(const uint16_t *)value;
	case CLB_TYPE_U32:
		return *(const uint32_t *)value;
	case CLB_TYPE_U64:
		return *(const uint64_t *)value;
	case CLB_TYPE_ADDRESS:
	case CLB_TYPE_SECRET:
		break;
	}
	return 0;
}

const struct clb_address *clb_field_address(const struct clb_field *field,
					    const void *object)
{
	static const struct clb_address none;

	if (field->type != CLB_TYPE_ADDRESS ||
	    !clb_field_present(field, object))
		return &none;
	return value_of(field, object);
}

void clb_field_set(const struct clb_field *field, void *object, uint64_t value)
{
	void *place = (char *)object + field->offset;

	switch (field->type) {
	case CLB_TYPE_U8:
		*(uint8_t *)place = value;
		break;
	case CLB_TYPE_U16:
	case CLB_TYPE_PORT:
		*(uint16_t *)place = value;
		break;
	case CLB_TYPE_U32:
		*(uint32_t *)place = value;
		break;
	case CLB_TYPE_U64:
		*(uint64_t *)place = value;
		break;
	case CLB_TYPE_ADDRESS:
	case CLB_TYPE_SECRET:
		return;
	}
	clb_field_mark(field, object);
}

void clb_field_set_address(const struct clb_field *field, void *object,
			   const struct clb_address *address)
{
	if (field->type != CLB_TYPE_ADDRESS)
		return;
	memcpy((char *)object + field->offset, address, sizeof(*address));
	clb_field_mark(field, object);
}

uint64_t clb_field_max(const struct clb_field *field)
{
	switch (field->type) {
	case CLB_TYPE_U8:
		return UINT8_MAX;
	case CLB_TYPE_U16:
	case CLB_TYPE_PORT:
		return UINT16_MAX;
	case CLB_TYPE_U32:
		return UINT32_MAX;
	case CLB_TYPE_U64:
		return UINT64_MAX;
	case CLB_TYPE_ADDRESS:
	case CLB_TYPE_SECRET:
		break;
	}
	return 0;
}

const char *clb_field_value_name(const struct clb_field *field, uint64_t value)
{
	return value < field->n_names ? field->names[value] : NULL;
}

static int parse_name(const struct clb_field *field, const char *text,
		      uint64_t *value)
{
	size_t i;

	for (i = 0; i < field->n_names; i++) {
		if (field->names[i] && !strcmp(field->names[i], text)) {
			*value = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_switch(const char *text, uint64_t *value)
{
	bool on = !strcmp(text, "on");

	if (!on && strcmp(text, "off"))
		return -EINVAL;
	*value = on;
	return 0;
}

static int parse_address(const struct clb_field *field, const char *text,
			 void *object)
{
	struct clb_address address;
	int err;

	err = clb_address_parse(text, &address);
	if (!err)
		clb_field_set_address(field, object, &address);
	return err;
}

static int parse_secret(const struct clb_field *field, const char *path,
			void *object)
{
	int err;

	err = clb_secret_read(path, (uint8_t *)object + field->offset);
	if (!err)
		clb_field_mark(field, object);
	return err;
}

static int parse_interface(const char *text, uint64_t *value)
{
	*value = if_nametoindex(text);
	return *value ? 0 : -EINVAL;
}

int clb_field_parse(const struct clb_field *field, const char *text,
		    void *object)
{
	uint64_t value = 0;
	int err = -EINVAL;

	switch (field->format) {
	case CLB_FORMAT_ADDRESS:
		return parse_address(field, text, object);
	case CLB_FORMAT_SECRET:
		return parse_secret(field, text, object);
	case CLB_FORMAT_INTERFACE:
		err = parse_interface(text, &value);
		break;
	case CLB_FORMAT_NUMBER:
		err = clb_number_parse(text, clb_field_max(field), &value);
		break;
	case CLB_FORMAT_SCALED:
		err = clb_scaled_parse(text, clb_field_max(field), &value);
		break;
	case CLB_FORMAT_NAME:
		err = parse_name(field, text, &value);
		break;
	case CLB_FORMAT_SWITCH:
		err = parse_switch(text, &value);
		break;
	}
	if (!err)
		clb_field_set(field, object, value);
	return err;
}

static void format_name(const struct clb_field *field, uint64_t value,
			char text[CLB_ADDRESS_TEXT])
{
	const char *name = clb_field_value_name(field, value);

	/* A newer kernel may know values this program does not. */
	if (name)
		*stpncpy(text, name, CLB_ADDRESS_TEXT - 1) = '\0';
	else
		snprintf(text, CLB_ADDRESS_TEXT, "%" PRIu64, value);
}

/* A device may be gone, or be called otherwise by now. */
static void format_interface(uint64_t value, char text[CLB_ADDRESS_TEXT])
{
	char name[IF_NAMESIZE];

	if (if_indextoname(value, name))
		snprintf(text, CLB_ADDRESS_TEXT, "%s", name);
	else
		snprintf(text, CLB_ADDRESS_TEXT, "%" PRIu64, value);
}

void clb_field_format(const struct clb_field *field, const void *object,
		      char text[CLB_ADDRESS_TEXT])
{
	uint64_t value = clb_field_get(field, object);

	switch (field->format) {
	case CLB_FORMAT_ADDRESS:
		clb_address_format(clb_field_address(field, object), text);
		break;
	case CLB_FORMAT_NUMBER:
		snprintf(text, CLB_ADDRESS_TEXT, "%" PRIu64, value);
		break;
	case CLB_FORMAT_SCALED:
		clb_scaled_format(value, text);
		break;
	case CLB_FORMAT_NAME:
		format_name(field, value, text);
		break;
	case CLB_FORMAT_SWITCH:
		strcpy(text, value ? "on" : "off");
		break;
	case CLB_FORMAT_INTERFACE:
		format_interface(value, text);
		break;
	case CLB_FORMAT_SECRET:
		strcpy(text, "(secret)");
		break;
	}
}
