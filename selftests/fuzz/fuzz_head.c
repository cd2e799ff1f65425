// SPDX-License-Identifier: MIT
/*
 * clbd's decoder of HTTP/1 heads and bodies. The first byte says whether the
 * rest is a request or a response, and how it is cut. However it is cut, the
 * decoder must say the same; what it takes must follow the grammar by the plain
 * rules below, which know nothing of how the decoder is made.
 */
#include <stdlib.h>
#include <string.h>

#include "clbd/body.h"
#include "clbd/coding.h"
#include "clbd/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory of just so many bytes, for ASan to see what is read behind them. */
static char *copy_of(const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, text, size);
	return copy;
}

static enum clbd_result parse(struct clbd_head *head, bool response,
			      const char *text, size_t size, size_t step)
{
	enum clbd_result result = CLBD_MORE;
	size_t given = 0;

	clbd_head_init(head, response);
	while (result == CLBD_MORE && given < size) {
		char *copy;

		given = size - given > step ? given + step : size;
		copy = copy_of(text, given);
		result = clbd_head_parse(head, copy, given);
		free(copy);
	}
	return result;
}

static void check(bool good)
{
	if (!good)
		abort();
}

/* No line ends but by CRLF, none begins with space, and each has a colon. */
static void check_lines(const struct clbd_head *head, const char *text)
{
	const char *at = memchr(text, '\n', head->size), *end;
	size_t count = 0;

	check(!memchr(text, 0, head->size));
	check(at && at[-1] == '\r');
	for (at++; at < text + head->size - 2; at = end + 1, count++) {
		end = memchr(at, '\n', text + head->size - at);
		check(end && end[-1] == '\r' &&
		      !memchr(at, '\r', end - 1 - at));
		check(*at != ' ' && *at != '\t' && *at != ':');
		check(memchr(at, ':', end - at));
	}
	check(count == head->count);
	check(!memcmp(at, "\r\n", 2));
}

static void check_slice(const struct clbd_head *head, struct clbd_slice slice)
{
	check(slice.at + slice.size <= head->size);
}

static void check_request(const struct clbd_head *head, const char *text)
{
	unsigned int hosts = 0, lengths = 0, codings = 0, i;

	for (i = 0; i < head->count; i++) {
		const struct clbd_field *field = &head->fields[i];

		check_slice(head, field->name);
		check_slice(head, field->value);
		check(text[field->name.at + field->name.size] == ':');
		hosts += field->id == CLBD_FIELD_HOST;
		lengths += field->id == CLBD_FIELD_CONTENT_LENGTH;
		codings += field->id == CLBD_FIELD_TRANSFER_ENCODING;
	}
	check(lengths + codings <= 1);
	check(head->framing == (codings	  ? CLBD_FRAMING_CHUNKED
				: lengths ? CLBD_FRAMING_LENGTH
					  : CLBD_FRAMING_NONE));
	check(!codings || head->minor);
	check_slice(head, head->target);
	check_slice(head, head->path);
	check_slice(head, head->host);
	if (!head->response)
		check(hosts == 1 || (!hosts && !head->minor));
}

/* Bodies: in pieces as in one, and nothing of what follows is taken. */
static void check_body(const struct clbd_head *head, const char *text,
		       size_t size, size_t step)
{
	struct clbd_body whole, cut;
	size_t used, kept, at = 0, total;
	enum clbd_result result, again = CLBD_MORE;
	char *copy = copy_of(text, size);

	clbd_body_init(&whole, head->framing, head->length);
	clbd_body_init(&cut, head->framing, head->length);
	result = clbd_body_parse(&whole, copy, size, &total, &kept);
	free(copy);
	check(total <= size);
	if (clbd_body_done(&cut))
		again = CLBD_DONE;
	while (again == CLBD_MORE && at < size) {
		size_t n = size - at < step ? size - at : step;

		copy = copy_of(text + at, n);
		again = clbd_body_parse(&cut, copy, n, &used, &kept);
		free(copy);
		check(used <= n && kept == used);
		at += used;
	}
	check(result == again);
	check(result == CLBD_BAD || (at == total && whole.total == cut.total));
}

/* Who takes gzip has said so; what is compressed has a type and a body. */
static void check_coding(const struct clbd_head *head, const char *text)
{
	const struct clbd_coding coding = {
		.types = clbd_coding_types,
		.type_count = clbd_coding_type_count,
	};
	char *copy = copy_of(text, head->size);
	size_t i, named = 0;

	for (i = 0; i < head->count; i++)
		named += clbd_bytes_equal(copy + head->fields[i].name.at,
					  head->fields[i].name.size,
					  "accept-encoding");
	check(named || !clbd_coding_accepted(head, copy));
	if (head->response && clbd_coding_fits(&coding, head, copy))
		check(head->count && head->framing != CLBD_FRAMING_NONE);
	clbd_coding_varies(head, copy);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct clbd_head whole, cut;
	const char *text = (const char *)data + 1;
	enum clbd_result result;
	bool response;
	size_t step;

	if (!size || size > CLBD_HEAD_MAX)
		return 0;
	response = data[0] & 1;
	step = 1 + (data[0] >> 1);
	size--;
	result = parse(&whole, response, text, size, size ? size : 1);
	check(parse(&cut, response, text, size, step) == result);
	if (result != CLBD_DONE)
		return 0;
	check(whole.size == cut.size && whole.count == cut.count);
	check(whole.size <= size);
	check_lines(&whole, text);
	check_request(&whole, text);
	check_body(&whole, text + whole.size, size - whole.size, step);
	check_coding(&whole, text);
	return 0;
}
