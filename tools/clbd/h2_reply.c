// SPDX-License-Identifier: MIT
/* Lines of a head become fields of HTTP/2. Pure. */
#include "clbd/h2_reply.h"

#include <stdbool.h>
#include <string.h>

#include "clbd/field.h"

#define STATUS_LINE (sizeof("HTTP/1.1 200 \r\n") - 1)

static bool is_of_http1(enum clbd_field_id id)
{
	switch (id) {
	case CLBD_FIELD_CONNECTION:
	case CLBD_FIELD_KEEP_ALIVE:
	case CLBD_FIELD_PROXY_CONNECTION:
	case CLBD_FIELD_TRANSFER_ENCODING:
	case CLBD_FIELD_UPGRADE:
		return true;
	default:
		return false;
	}
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

static bool put_field(struct clbd_h2_reply *reply, const char *name,
		      size_t name_size, const char *value, size_t size)
{
	nghttp2_nv *field = &reply->fields[reply->count];

	if (reply->count == CLBD_H2_REPLY_FIELDS)
		return false;
	reply->count++;
	field->name = (uint8_t *)name;
	field->namelen = name_size;
	field->value = (uint8_t *)value;
	field->valuelen = size;
	field->flags = NGHTTP2_NV_FLAG_NONE;
	return true;
}

/* @end: of the line, without CRLF */
static bool read_line(struct clbd_h2_reply *reply, const char *at,
		      const char *end)
{
	const char *colon = memchr(at, ':', end - at), *value;

	if (!colon)
		return false;
	if (is_of_http1(clbd_field_find(at, colon - at)))
		return true;
	value = colon + 1;
	while (value < end && is_space(*value))
		value++;
	while (value < end && is_space(end[-1]))
		end--;
	return put_field(reply, at, colon - at, value, end - value);
}

/* Return: behind the empty line, or NULL */
static const char *read_lines(struct clbd_h2_reply *reply, const char *at,
			      const char *end)
{
	for (;;) {
		const char *line = at;

		at = memchr(at, '\n', end - at);
		if (!at || at == line || at[-1] != '\r')
			return NULL;
		if (at == line + 1)
			return at + 1;
		if (!read_line(reply, line, at - 1))
			return NULL;
		at++;
	}
}

size_t clbd_h2_reply_read(struct clbd_h2_reply *reply, const char *text,
			  size_t size)
{
	const char *end = text + size, *at;
	int i;

	if (size < STATUS_LINE)
		return 0;
	reply->count = 0;
	reply->status = 0;
	memcpy(reply->digits, text + 9, 3);
	for (i = 0; i < 3; i++)
		reply->status = 10 * reply->status + reply->digits[i] - '0';
	put_field(reply, ":status", 7, reply->digits, 3);
	at = memchr(text, '\n', size);
	at = at ? read_lines(reply, at + 1, end) : NULL;
	return at ? at - text : 0;
}

size_t clbd_h2_reply_trailers(struct clbd_h2_reply *reply, const char *text,
			      size_t size)
{
	const char *at;

	reply->count = 0;
	at = read_lines(reply, text, text + size);
	return at ? at - text : 0;
}
