// SPDX-License-Identifier: MIT
/* Fields of HTTP/2 become a head. Pure. */
#include "clbd/h2_head.h"

#include <string.h>
#include <strings.h>

#include "clbd/meaning.h"

/* ": " and CRLF */
#define LINE_MORE 4

void clbd_h2_head_begin(struct clbd_h2_head *in, struct clbd_head *head,
			char *text, char *cookies, size_t room)
{
	memset(in, 0, sizeof(*in));
	in->head = head;
	in->text = text;
	in->cookies = cookies;
	in->room = room;
	head->h2 = true;
	head->minor = 1;
}

/* The first reason counts. */
static void refuse(struct clbd_h2_head *in, uint16_t status, const char *reason)
{
	if (!in->head->status)
		clbd_head_refuse(in->head, status, reason);
}

static bool has_room(struct clbd_h2_head *in, size_t size)
{
	if (in->used + in->cookies_used + size <= in->room)
		return true;
	refuse(in, 431, "head too long");
	return false;
}

static struct clbd_slice put(struct clbd_h2_head *in, const char *data,
			     size_t size)
{
	struct clbd_slice slice = { .at = in->used, .size = size };

	memcpy(in->text + in->used, data, size);
	in->used += size;
	return slice;
}

static bool is_value(const char *value, size_t size)
{
	if (clbd_bytes_span(value, size, CLBD_BYTE_VALUE) != size)
		return false;
	return !size || !(value[0] == ' ' || value[0] == '\t' ||
			  value[size - 1] == ' ' || value[size - 1] == '\t');
}

static bool is_name(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			return false;
	}
	return size && clbd_bytes_span(name, size, CLBD_BYTE_TOKEN) == size;
}

/* The line of a field, for which there is room. */
static void put_line(struct clbd_h2_head *in, enum clbd_field_id id,
		     const char *name, size_t name_size, const char *value,
		     size_t value_size)
{
	struct clbd_head *head = in->head;
	struct clbd_field *field = &head->fields[head->count];

	if (head->count == CLBD_HEAD_FIELDS) {
		refuse(in, 431, "too many fields");
		return;
	}
	head->count++;
	field->id = id;
	field->hop = false;
	field->name = put(in, name, name_size);
	put(in, ": ", 2);
	field->value = put(in, value, value_size);
	put(in, "\r\n", 2);
}

static void read_method(struct clbd_h2_head *in, const char *value, size_t size)
{
	int method;

	if (in->method)
		refuse(in, 400, "two methods");
	for (method = HTTP_DELETE; method <= HTTP_SOURCE; method++) {
		const char *name = llhttp_method_name(method);

		if (strlen(name) == size && !memcmp(name, value, size)) {
			in->head->method = method;
			in->method = true;
			return;
		}
	}
	if (size && clbd_bytes_span(value, size, CLBD_BYTE_TOKEN) == size)
		refuse(in, 501, "method");
	else
		refuse(in, 400, "method");
}

static void read_scheme(struct clbd_h2_head *in, const char *value, size_t size)
{
	if (in->scheme)
		refuse(in, 400, "two schemes");
	in->scheme = true;
	if (!clbd_bytes_equal(value, size, "http") &&
	    !clbd_bytes_equal(value, size, "https"))
		refuse(in, 400, "scheme");
}

/* A slice that may be set once, and not to nothing. */
static void read_once(struct clbd_h2_head *in, struct clbd_slice *slice,
		      const char *value, size_t size, const char *what)
{
	if (!size || slice->size)
		refuse(in, 400, what);
	else if (has_room(in, size))
		*slice = put(in, value, size);
}

static void read_pseudo(struct clbd_h2_head *in, const char *name,
			size_t name_size, const char *value, size_t size)
{
	if (in->regular)
		refuse(in, 400, "pseudo-header field behind others");
	else if (clbd_bytes_equal(name, name_size, ":method"))
		read_method(in, value, size);
	else if (clbd_bytes_equal(name, name_size, ":scheme"))
		read_scheme(in, value, size);
	else if (clbd_bytes_equal(name, name_size, ":path"))
		read_once(in, &in->head->target, value, size, "path");
	else if (clbd_bytes_equal(name, name_size, ":authority"))
		read_once(in, &in->head->authority, value, size, "authority");
	else
		refuse(in, 400, "pseudo-header field");
}

/* Lines begin, with that of Host; nothing else may be between them. */
static void begin_lines(struct clbd_h2_head *in)
{
	struct clbd_slice authority = in->head->authority;

	if (in->regular)
		return;
	in->regular = true;
	if (!authority.size || !has_room(in, authority.size + LINE_MORE + 4))
		return;
	put_line(in, CLBD_FIELD_HOST, "host", 4, in->text + authority.at,
		 authority.size);
}

/* "; " joins crumbs: RFC 9113 8.2.3. */
static void read_crumb(struct clbd_h2_head *in, const char *value, size_t size)
{
	char *at = in->cookies + in->cookies_used;

	if (!size || !has_room(in, size + 2))
		return;
	if (in->cookies_used) {
		memcpy(at, "; ", 2);
		at += 2;
		in->cookies_used += 2;
	}
	memcpy(at, value, size);
	in->cookies_used += size;
}

/* Host says what :authority said, or is the only one to say it. */
static bool is_same_host(struct clbd_h2_head *in, const char *value,
			 size_t size)
{
	struct clbd_slice authority = in->head->authority;

	return size == authority.size &&
	       !strncasecmp(in->text + authority.at, value, size);
}

static void read_field(struct clbd_h2_head *in, const char *name,
		       size_t name_size, const char *value, size_t size)
{
	enum clbd_field_id id = clbd_field_find(name, name_size);

	switch (id) {
	case CLBD_FIELD_CONNECTION:
	case CLBD_FIELD_KEEP_ALIVE:
	case CLBD_FIELD_PROXY_CONNECTION:
	case CLBD_FIELD_TRANSFER_ENCODING:
	case CLBD_FIELD_UPGRADE:
		refuse(in, 400, "field of HTTP/1");
		return;
	case CLBD_FIELD_TE:
		if (!clbd_bytes_equal(value, size, "trailers"))
			refuse(in, 400, "TE");
		return;
	case CLBD_FIELD_COOKIE:
		read_crumb(in, value, size);
		return;
	case CLBD_FIELD_HOST:
		if (!in->head->authority.size)
			break;
		if (!is_same_host(in, value, size))
			refuse(in, 400, "Host other than :authority");
		return;
	case CLBD_FIELD_CONTENT_LENGTH:
		in->framed = true;
		break;
	default:
		break;
	}
	if (has_room(in, name_size + size + LINE_MORE))
		put_line(in, id, name, name_size, value, size);
}

enum clbd_result clbd_h2_head_field(struct clbd_h2_head *in, const char *name,
				    size_t name_size, const char *value,
				    size_t size)
{
	in->decoded += name_size + size;
	if (++in->fields > CLBD_H2_HEAD_FIELDS ||
	    in->decoded > CLBD_H2_HEAD_TIMES * in->room)
		return CLBD_BAD;
	if (in->head->status)
		return CLBD_MORE;
	if (!is_value(value, size)) {
		refuse(in, 400, "value");
		return CLBD_MORE;
	}
	if (name_size && name[0] == ':') {
		read_pseudo(in, name, name_size, value, size);
		return CLBD_MORE;
	}
	if (!is_name(name, name_size)) {
		refuse(in, 400, "name");
		return CLBD_MORE;
	}
	begin_lines(in);
	read_field(in, name, name_size, value, size);
	return CLBD_MORE;
}

/* What no field of its own could be asked about. */
static void judge_pseudo(struct clbd_h2_head *in)
{
	const struct clbd_head *head = in->head;
	const char *path = in->text + head->target.at;
	size_t size = head->target.size;

	if (in->method && head->method == HTTP_CONNECT)
		refuse(in, 405, "method");
	if (!in->method || !in->scheme || !size) {
		refuse(in, 400, "pseudo-header field missing");
		return;
	}
	if (path[0] != '/' &&
	    !(size == 1 && path[0] == '*' && head->method == HTTP_OPTIONS))
		refuse(in, 400, "path");
	if (clbd_bytes_span(path, size, CLBD_BYTE_TARGET) != size)
		refuse(in, 400, "path");
}

/* These are what there is spare memory for. */
static void put_last_lines(struct clbd_h2_head *in, bool ended)
{
	if (!ended && !in->framed)
		put_line(in, CLBD_FIELD_TRANSFER_ENCODING, "transfer-encoding",
			 17, "chunked", 7);
	if (in->cookies_used)
		put_line(in, CLBD_FIELD_COOKIE, "cookie", 6, in->cookies,
			 in->cookies_used);
	put(in, "\r\n", 2);
	in->head->size = in->used;
}

enum clbd_result clbd_h2_head_end(struct clbd_h2_head *in, bool ended)
{
	struct clbd_head *head = in->head;

	begin_lines(in);
	judge_pseudo(in);
	put_last_lines(in, ended);
	if (head->status)
		return CLBD_BAD;
	if (clbd_head_judge(head, in->text) == CLBD_BAD)
		return CLBD_BAD;
	if (ended && head->length)
		return clbd_head_refuse(head, 400, "Content-Length");
	return CLBD_DONE;
}

size_t clbd_h2_trailer(char *text, size_t room, const char *name,
		       size_t name_size, const char *value, size_t value_size)
{
	size_t size = name_size + value_size + LINE_MORE;

	if (size > room || !is_name(name, name_size) ||
	    !is_value(value, value_size))
		return 0;
	memcpy(text, name, name_size);
	memcpy(text + name_size, ": ", 2);
	memcpy(text + name_size + 2, value, value_size);
	memcpy(text + size - 2, "\r\n", 2);
	return size;
}
