// SPDX-License-Identifier: MIT
/* What a well-formed head means: framing, host, connection. Pure. */
#include "clbd/meaning.h"

#include <string.h>

#define LENGTH_DIGITS 18
#define CONNECTION_WORDS 16

static bool value_is(const struct clbd_field *field, const char *data,
		     const char *word)
{
	return clbd_bytes_equal(data + field->value.at, field->value.size,
				word);
}

static enum clbd_result read_length(struct clbd_head *head,
				    const struct clbd_field *field,
				    const char *data)
{
	const char *at = data + field->value.at;
	size_t i;

	if (!field->value.size || field->value.size > LENGTH_DIGITS)
		return clbd_head_refuse(head, 400, "Content-Length");
	head->length = 0;
	for (i = 0; i < field->value.size; i++) {
		if (at[i] < '0' || at[i] > '9')
			return clbd_head_refuse(head, 400, "Content-Length");
		head->length = 10 * head->length + at[i] - '0';
	}
	head->framing = CLBD_FRAMING_LENGTH;
	return CLBD_DONE;
}

static enum clbd_result read_coding(struct clbd_head *head,
				    const struct clbd_field *field,
				    const char *data)
{
	if (!head->minor)
		return clbd_head_refuse(head, 400, "Transfer-Encoding on 1.0");
	if (!value_is(field, data, "chunked"))
		return clbd_head_refuse(head, 400, "Transfer-Encoding");
	head->framing = CLBD_FRAMING_CHUNKED;
	return CLBD_DONE;
}

/* One field at most says how long the body is. */
static enum clbd_result read_framing(struct clbd_head *head,
				     const struct clbd_field *field,
				     const char *data)
{
	if (head->framing != CLBD_FRAMING_NONE)
		return clbd_head_refuse(head, 400, "two fields frame the body");
	if (field->id == CLBD_FIELD_CONTENT_LENGTH)
		return read_length(head, field, data);
	return read_coding(head, field, data);
}

/* The name or address in "host:port"; 0 bytes where it is neither. */
static struct clbd_slice name_of_host(struct clbd_slice authority,
				      const char *data)
{
	const char *at = data + authority.at, *end = at + authority.size;
	struct clbd_slice name = authority;
	const char *colon;

	if (clbd_bytes_span(at, authority.size, CLBD_BYTE_HOST) !=
	    authority.size)
		goto bad;
	if (authority.size && *at == '[') {
		colon = memchr(at, ']', authority.size);
		if (!colon || memchr(at + 1, '[', colon - at - 1))
			goto bad;
		colon++;
		if (colon < end && *colon != ':')
			goto bad;
	} else {
		colon = memchr(at, ':', authority.size);
		colon = colon ? colon : end;
		if (memchr(at, '[', colon - at) || memchr(at, ']', colon - at))
			goto bad;
	}
	name.size = colon - at;
	for (colon++; colon < end; colon++) {
		if (*colon < '0' || *colon > '9')
			goto bad;
	}
	return name;
bad:
	name.size = 0;
	return name;
}

static enum clbd_result read_host(struct clbd_head *head,
				  const struct clbd_field *field,
				  const char *data)
{
	if (head->host.size)
		return clbd_head_refuse(head, 400, "two Host fields");
	head->authority = field->value;
	head->host = name_of_host(field->value, data);
	if (!head->host.size)
		return clbd_head_refuse(head, 400, "Host");
	return CLBD_DONE;
}

/* Fields called as in a word of Connection are of this hop. */
static void mark_hop(struct clbd_head *head, const char *data, const char *word,
		     size_t size)
{
	size_t i;

	for (i = 0; i < head->count; i++) {
		struct clbd_field *field = &head->fields[i];

		if (field->name.size == size &&
		    !strncasecmp(data + field->name.at, word, size))
			field->hop = true;
	}
}

static enum clbd_result read_word(struct clbd_head *head, const char *data,
				  const char *word, size_t size, bool *upgrade,
				  bool *keep)
{
	if (clbd_bytes_span(word, size, CLBD_BYTE_TOKEN) != size)
		return clbd_head_refuse(head, 400, "Connection");
	if (clbd_field_is_vital(clbd_field_find(word, size)))
		return clbd_head_refuse(head, 400, "Connection names a field");
	if (clbd_bytes_equal(word, size, "close"))
		head->close = true;
	else if (clbd_bytes_equal(word, size, "keep-alive"))
		*keep = true;
	else if (clbd_bytes_equal(word, size, "upgrade"))
		*upgrade = true;
	else
		mark_hop(head, data, word, size);
	return CLBD_DONE;
}

struct words {
	unsigned int count;
	bool keep;
	bool upgrade;
};

static enum clbd_result read_connection(struct clbd_head *head,
					const struct clbd_field *field,
					const char *data, struct words *words)
{
	const char *at = data + field->value.at, *end = at + field->value.size;

	while (at < end) {
		const char *comma = memchr(at, ',', end - at), *stop;

		comma = comma ? comma : end;
		while (at < comma && (*at == ' ' || *at == '\t'))
			at++;
		for (stop = comma; stop > at; stop--) {
			if (stop[-1] != ' ' && stop[-1] != '\t')
				break;
		}
		if (++words->count > CONNECTION_WORDS)
			return clbd_head_refuse(head, 400, "Connection");
		if (stop > at &&
		    read_word(head, data, at, stop - at, &words->upgrade,
			      &words->keep) == CLBD_BAD)
			return CLBD_BAD;
		at = comma + 1;
	}
	return CLBD_DONE;
}

static enum clbd_result read_expect(struct clbd_head *head,
				    const struct clbd_field *field,
				    const char *data)
{
	if (!value_is(field, data, "100-continue"))
		return clbd_head_refuse(head, 417, "Expect");
	/* One of HTTP/1.0 does not know what it says: RFC 9110 10.1.1. */
	head->expects = head->minor > 0;
	return CLBD_DONE;
}

static enum clbd_result read_field(struct clbd_head *head,
				   struct clbd_field *field, const char *data,
				   struct words *words)
{
	switch (field->id) {
	case CLBD_FIELD_CONTENT_LENGTH:
	case CLBD_FIELD_TRANSFER_ENCODING:
		return read_framing(head, field, data);
	case CLBD_FIELD_CONNECTION:
		field->hop = true;
		return read_connection(head, field, data, words);
	case CLBD_FIELD_HOST:
		return head->response ? CLBD_DONE
				      : read_host(head, field, data);
	case CLBD_FIELD_EXPECT:
		return head->response ? CLBD_DONE
				      : read_expect(head, field, data);
	case CLBD_FIELD_UPGRADE:
		field->hop = true;
		head->websocket = value_is(field, data, "websocket");
		return CLBD_DONE;
	case CLBD_FIELD_KEEP_ALIVE:
	case CLBD_FIELD_PROXY_CONNECTION:
	case CLBD_FIELD_TE:
		field->hop = true;
		return CLBD_DONE;
	default:
		return CLBD_DONE;
	}
}

/* "http://authority/path": the authority is that of Host. */
static enum clbd_result read_absolute(struct clbd_head *head, const char *data)
{
	static const char scheme[] = "http://";
	struct clbd_slice rest = head->target;
	const char *slash;
	size_t size;

	if (rest.size < sizeof(scheme) ||
	    !clbd_bytes_equal(data + rest.at, sizeof(scheme) - 1, scheme))
		return clbd_head_refuse(head, 400, "target");
	rest.at += sizeof(scheme) - 1;
	rest.size -= sizeof(scheme) - 1;
	slash = data + rest.at;
	for (size = 0; size < rest.size; size++) {
		if (slash[size] == '/' || slash[size] == '?')
			break;
	}
	if (size != head->authority.size ||
	    strncasecmp(data + rest.at, data + head->authority.at, size))
		return clbd_head_refuse(head, 400, "target other than Host");
	head->path.at = rest.at + size;
	head->path.size = rest.size - size;
	return CLBD_DONE;
}

static enum clbd_result read_target(struct clbd_head *head, const char *data)
{
	const char *at = data + head->target.at;

	if (head->method == HTTP_CONNECT || head->method == HTTP_TRACE)
		return clbd_head_refuse(head, 405, "method");
	head->path = head->target;
	if (*at == '/')
		return CLBD_DONE;
	if (*at == '*' && head->target.size == 1 &&
	    head->method == HTTP_OPTIONS)
		return CLBD_DONE;
	return read_absolute(head, data);
}

enum clbd_result clbd_head_judge(struct clbd_head *head, const char *data)
{
	struct words words = { 0 };
	size_t i;

	for (i = 0; i < head->count; i++) {
		if (read_field(head, &head->fields[i], data, &words) ==
		    CLBD_BAD)
			return CLBD_BAD;
	}
	if (!head->minor && !words.keep)
		head->close = true;
	if (!words.upgrade || !head->minor)
		head->websocket = false;
	if (head->response)
		return CLBD_DONE;
	if (head->minor && !head->host.size)
		return clbd_head_refuse(head, 400, "no Host");
	if (head->websocket &&
	    (head->method != HTTP_GET || head->framing != CLBD_FRAMING_NONE))
		head->websocket = false;
	return read_target(head, data);
}

void clbd_head_answer(struct clbd_head *response, uint8_t method)
{
	if (method == HTTP_HEAD || response->status < 200 ||
	    response->status == 204 || response->status == 304)
		response->framing = CLBD_FRAMING_NONE;
	else if (response->framing == CLBD_FRAMING_NONE)
		response->framing = CLBD_FRAMING_CLOSE;
	if (response->framing == CLBD_FRAMING_CLOSE)
		response->close = true;
}
