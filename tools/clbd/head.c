// SPDX-License-Identifier: MIT
/* Reading heads: llhttp, and whether every byte is where it should be. */
#include "clbd/head.h"

#include <string.h>

#include "clbd/meaning.h"

static struct clbd_head *head_of(llhttp_t *parser)
{
	return parser->data;
}

/* A slice may come in pieces; they follow each other in the buffer. */
static void extend(struct clbd_slice *slice, const struct clbd_head *head,
		   const char *at, size_t size)
{
	if (!slice->size)
		slice->at = at - head->base;
	slice->size = at + size - head->base - slice->at;
}

static int on_target(llhttp_t *parser, const char *at, size_t size)
{
	struct clbd_head *head = head_of(parser);

	extend(&head->target, head, at, size);
	return 0;
}

static int on_phrase(llhttp_t *parser, const char *at, size_t size)
{
	struct clbd_head *head = head_of(parser);

	extend(&head->phrase, head, at, size);
	return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t size)
{
	struct clbd_head *head = head_of(parser);

	if (head->named) {
		if (head->count == CLBD_HEAD_FIELDS) {
			head->overfull = true;
			return -1;
		}
		memset(&head->fields[head->count], 0, sizeof(head->fields[0]));
		head->count++;
		head->named = false;
	}
	extend(&head->fields[head->count - 1].name, head, at, size);
	return 0;
}

static int on_name_complete(llhttp_t *parser)
{
	head_of(parser)->named = true;
	return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
	struct clbd_head *head = head_of(parser);

	if (!head->count)
		return -1;
	extend(&head->fields[head->count - 1].value, head, at, size);
	return 0;
}

static int on_complete(llhttp_t *parser)
{
	head_of(parser)->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_url = on_target,
	.on_status = on_phrase,
	.on_header_field = on_name,
	.on_header_field_complete = on_name_complete,
	.on_header_value = on_value,
	.on_headers_complete = on_complete,
};

void clbd_head_init(struct clbd_head *head, bool response)
{
	memset(head, 0, offsetof(struct clbd_head, fields));
	llhttp_init(&head->parser, response ? HTTP_RESPONSE : HTTP_REQUEST,
		    &callbacks);
	head->parser.data = head;
	head->response = response;
	head->named = true;
}

enum clbd_result clbd_head_refuse(struct clbd_head *head, uint16_t status,
				  const char *reason)
{
	head->status = status;
	head->reason = reason;
	return CLBD_BAD;
}

/*
 * Walks over the head as the grammar has it. Each function takes the place
 * where its part begins and returns where the next one does, or 0.
 */
static size_t expect(const char *data, size_t at, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (size - at < length || memcmp(data + at, text, length))
		return 0;
	return at + length;
}

static size_t walk_version(struct clbd_head *head, const char *data, size_t at,
			   size_t size)
{
	at = expect(data, at, size, "HTTP/1.");
	if (!at || at == size || (data[at] != '0' && data[at] != '1'))
		return 0;
	head->minor = data[at] - '0';
	return at + 1;
}

static size_t walk_request_line(struct clbd_head *head, const char *data,
				size_t size)
{
	size_t at;

	head->method = llhttp_get_method(&head->parser);
	at = expect(data, 0, size, llhttp_method_name(head->method));
	if (!at || !head->target.size || head->target.at != at + 1)
		return 0;
	at = expect(data, at, size, " ");
	if (!at)
		return 0;
	if (clbd_bytes_span(data + at, head->target.size, CLBD_BYTE_TARGET) !=
	    head->target.size)
		return 0;
	at = expect(data, at + head->target.size, size, " ");
	if (at)
		at = walk_version(head, data, at, size);
	return at ? expect(data, at, size, "\r\n") : 0;
}

/* The phrase may be empty, and the space before it missing then. */
static size_t walk_status_line(struct clbd_head *head, const char *data,
			       size_t size)
{
	size_t at = walk_version(head, data, 0, size), i;

	at = at ? expect(data, at, size, " ") : 0;
	if (!at || size - at < 4)
		return 0;
	head->status = 0;
	for (i = 0; i < 3; i++, at++) {
		if (data[at] < '0' || data[at] > '9')
			return 0;
		head->status = 10 * head->status + data[at] - '0';
	}
	if (head->status != llhttp_get_status_code(&head->parser) ||
	    head->status < 100 || head->status > 599)
		return 0;
	if (data[at] == ' ')
		at++;
	head->phrase.at = at;
	head->phrase.size = clbd_bytes_span(data + at, size - at,
					    CLBD_BYTE_VALUE);
	return expect(data, at + head->phrase.size, size, "\r\n");
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * The value of a field, between the colon and CRLF; llhttp's must be the same.
 */
static size_t walk_value(struct clbd_field *field, const char *data, size_t at,
			 size_t size)
{
	struct clbd_slice other = field->value;
	size_t end;

	while (at < size && is_space(data[at]))
		at++;
	end = at + clbd_bytes_span(data + at, size - at, CLBD_BYTE_VALUE);
	field->value.at = at;
	field->value.size = end - at;
	while (field->value.size && is_space(data[at + field->value.size - 1]))
		field->value.size--;
	while (other.size && is_space(data[other.at + other.size - 1]))
		other.size--;
	if (other.size != field->value.size || (other.size && other.at != at))
		return 0;
	return expect(data, end, size, "\r\n");
}

static size_t walk_field(struct clbd_field *field, const char *data, size_t at,
			 size_t size)
{
	size_t length = field->name.size;

	if (!length || field->name.at != at || size - at < length ||
	    clbd_bytes_span(data + at, length, CLBD_BYTE_TOKEN) != length)
		return 0;
	field->id = clbd_field_find(data + at, length);
	at = expect(data, at + length, size, ":");
	return at ? walk_value(field, data, at, size) : 0;
}

static enum clbd_result walk(struct clbd_head *head, const char *data,
			     size_t size)
{
	size_t at, i;

	at = head->response ? walk_status_line(head, data, size)
			    : walk_request_line(head, data, size);
	if (!at)
		return clbd_head_refuse(head, 400, "first line");
	for (i = 0; i < head->count; i++) {
		at = walk_field(&head->fields[i], data, at, size);
		if (!at)
			return clbd_head_refuse(head, 400, "field");
	}
	at = expect(data, at, size, "\r\n");
	if (!at)
		return clbd_head_refuse(head, 400, "end of the fields");
	head->size = at;
	return CLBD_DONE;
}

/* "GET / HTTP/2.0": the version is the fault of such a line, and none other. */
static bool is_other_version(const struct clbd_head *head)
{
	return head->parser.http_major != 1 || head->parser.http_minor > 1;
}

static enum clbd_result refuse_error(struct clbd_head *head, const char *data,
				     size_t size)
{
	size_t length;

	switch (llhttp_get_errno(&head->parser)) {
	case HPE_INVALID_METHOD:
		length = clbd_bytes_span(data, size, CLBD_BYTE_TOKEN);
		if (length && (length == size || data[length] == ' '))
			return clbd_head_refuse(head, 501, "method");
		return clbd_head_refuse(head, 400, "method");
	case HPE_INVALID_VERSION:
		return clbd_head_refuse(
			head, is_other_version(head) ? 505 : 400, "version");
	case HPE_PAUSED_H2_UPGRADE:
		return clbd_head_refuse(head, 505, "version");
	default:
		if (head->overfull)
			return clbd_head_refuse(head, 431, "too many fields");
		return clbd_head_refuse(head, 400, "syntax");
	}
}

enum clbd_result clbd_head_parse(struct clbd_head *head, const char *data,
				 size_t size)
{
	enum clbd_result result;

	if (size > CLBD_HEAD_MAX)
		size = CLBD_HEAD_MAX;
	head->base = data;
	llhttp_execute(&head->parser, data + head->parsed, size - head->parsed);
	head->base = NULL;
	head->parsed = size;
	if (!head->complete) {
		if (llhttp_get_errno(&head->parser) == HPE_OK)
			return CLBD_MORE;
		return refuse_error(head, data, size);
	}
	if (is_other_version(head))
		return clbd_head_refuse(head, 505, "version");
	result = walk(head, data, size);
	return result == CLBD_DONE ? clbd_head_judge(head, data) : result;
}

void clbd_head_too_long(struct clbd_head *head, const char *data, size_t size)
{
	if (memchr(data, '\n', size))
		clbd_head_refuse(head, 431, "head too long");
	else
		clbd_head_refuse(head, 414, "request line too long");
}
