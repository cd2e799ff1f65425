// SPDX-License-Identifier: MIT
/*
 * Bodies: a length, chunks, or all until the end. Pure.
 *
 *	chunk	= 1*15HEXDIG CRLF data CRLF
 *	last	= 1*15"0" CRLF *( field CRLF ) CRLF
 */
#include "clbd/body.h"

#include <string.h>

#define SIZE_DIGITS 15

enum state {
	SIZE, /* first digit is zero: nothing read yet */
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	LINE, /* of a trailer, or the empty one */
	NAME,
	VALUE,
	VALUE_LF,
	LAST_LF,
	DONE,
	FAILED,
};

void clbd_body_init(struct clbd_body *body, enum clbd_framing framing,
		    uint64_t length)
{
	memset(body, 0, sizeof(*body));
	body->framing = framing;
	if (framing == CLBD_FRAMING_LENGTH)
		body->left = length;
	if (framing == CLBD_FRAMING_NONE ||
	    (framing == CLBD_FRAMING_LENGTH && !length))
		body->state = DONE;
}

bool clbd_body_done(const struct clbd_body *body)
{
	return body->state == DONE;
}

void clbd_body_end(struct clbd_body *body)
{
	body->state = DONE;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum state read_size(struct clbd_body *body, char c)
{
	int digit = hex(c);

	if (digit >= 0 && body->digits < SIZE_DIGITS) {
		body->digits++;
		body->left = body->left << 4 | digit;
		return SIZE;
	}
	return c == '\r' && body->digits ? SIZE_LF : FAILED;
}

static enum state end_size(struct clbd_body *body)
{
	body->digits = 0;
	return body->left ? DATA : LINE;
}

static enum state read_name(struct clbd_body *body, char c)
{
	if (clbd_bytes[(uint8_t)c] & CLBD_BYTE_TOKEN) {
		if (body->length < CLBD_TRAILER_NAME)
			body->name[body->length++] = c;
		return NAME;
	}
	if (c != ':' || !body->length ||
	    !clbd_field_may_trail(body->name, body->length))
		return FAILED;
	return VALUE;
}

static enum state begin_line(struct clbd_body *body, char c)
{
	if (c == '\r')
		return LAST_LF;
	body->length = 0;
	if (++body->fields > CLBD_TRAILER_FIELDS)
		return FAILED;
	return read_name(body, c);
}

static enum state read_value(char c)
{
	if (c == '\r')
		return VALUE_LF;
	return clbd_bytes[(uint8_t)c] & CLBD_BYTE_VALUE ? VALUE : FAILED;
}

/* One byte that is not data. */
static enum state step(struct clbd_body *body, char c)
{
	if (body->state >= LINE) {
		if (++body->trailer > CLBD_TRAILER_MAX)
			return FAILED;
		if (body->into)
			body->into[body->trailer - 1] = c;
	}
	switch ((enum state)body->state) {
	case SIZE:
		return read_size(body, c);
	case SIZE_LF:
		return c == '\n' ? end_size(body) : FAILED;
	case DATA_CR:
		return c == '\r' ? DATA_LF : FAILED;
	case DATA_LF:
		return c == '\n' ? SIZE : FAILED;
	case LINE:
		return begin_line(body, c);
	case NAME:
		return read_name(body, c);
	case VALUE:
		return read_value(c);
	case VALUE_LF:
		return c == '\n' ? LINE : FAILED;
	case LAST_LF:
		return c == '\n' ? DONE : FAILED;
	default:
		return FAILED;
	}
}

static size_t take_data(struct clbd_body *body, size_t size)
{
	if (size > body->left)
		size = body->left;
	body->left -= size;
	body->total += size;
	return size;
}

static enum clbd_result parse_chunks(struct clbd_body *body, char *data,
				     size_t size, size_t *used, size_t *kept)
{
	size_t at = 0, out = 0, n;

	while (at < size && body->state != DONE) {
		if (body->state != DATA) {
			body->state = step(body, data[at++]);
			if (body->state == FAILED)
				return CLBD_BAD;
			continue;
		}
		n = take_data(body, size - at);
		if (body->strip && out != at)
			memmove(data + out, data + at, n);
		out += n;
		at += n;
		if (!body->left)
			body->state = DATA_CR;
	}
	*used = at;
	*kept = body->strip ? out : at;
	return body->state == DONE ? CLBD_DONE : CLBD_MORE;
}

void clbd_body_skip(struct clbd_body *body, size_t size)
{
	take_data(body, size);
	if (!body->left)
		body->state = DONE;
}

enum clbd_result clbd_body_parse(struct clbd_body *body, char *data,
				 size_t size, size_t *used, size_t *kept)
{
	*used = *kept = 0;
	if (body->state == DONE)
		return CLBD_DONE;
	switch (body->framing) {
	case CLBD_FRAMING_CHUNKED:
		return parse_chunks(body, data, size, used, kept);
	case CLBD_FRAMING_LENGTH:
		*used = *kept = size < body->left ? size : body->left;
		clbd_body_skip(body, *used);
		return body->left ? CLBD_MORE : CLBD_DONE;
	default:
		body->total += size;
		*used = *kept = size;
		return CLBD_MORE;
	}
}
