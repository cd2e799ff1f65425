// SPDX-License-Identifier: MIT
/*
 * clbd's way from the fields of HTTP/2 to a head. The first byte says whether
 * the rest is HPACK, as libnghttp2 reads it, or fields with their lengths before
 * them, which no library has looked at. A request that is taken, written as one
 * of HTTP/1.1, must be one to the decoder of those, and mean the same.
 */
#include <stdlib.h>
#include <string.h>

#include <nghttp2/nghttp2.h>

#include "clbd/h2_head.h"
#include "clbd/h2_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM 1024

struct input {
	struct clbd_h2_head in;
	struct clbd_head head;
	char *text;
	char *cookies;
	bool ended;
};

static void check(bool good)
{
	if (!good)
		abort();
}

/* Memory of just so many bytes, for ASan to see what is read behind them. */
static char *copy_of(const void *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	check(copy);
	memcpy(copy, data, size);
	return copy;
}

static bool give(struct input *input, const uint8_t *name, size_t name_size,
		 const uint8_t *value, size_t value_size)
{
	char *first = copy_of(name, name_size);
	char *second = copy_of(value, value_size);
	char line[64];
	enum clbd_result result;

	result = clbd_h2_head_field(&input->in, first, name_size, second,
				    value_size);
	check(clbd_h2_trailer(line, sizeof(line), first, name_size, second,
			      value_size) <= sizeof(line));
	free(first);
	free(second);
	return result == CLBD_MORE;
}

static bool give_plain(struct input *input, const uint8_t *data, size_t size)
{
	while (size >= 2) {
		size_t name = data[0], value = data[1];

		data += 2;
		size -= 2;
		name = name < size ? name : size;
		value = value < size - name ? value : size - name;
		if (!give(input, data, name, data + name, value))
			return false;
		data += name + value;
		size -= name + value;
	}
	return true;
}

static bool give_hpack(struct input *input, const uint8_t *data, size_t size)
{
	nghttp2_hd_inflater *inflater;
	bool good = true;

	check(!nghttp2_hd_inflate_new(&inflater));
	while (good) {
		nghttp2_nv field;
		int flags = 0;
		ssize_t used = nghttp2_hd_inflate_hd2(inflater, &field, &flags,
						      data, size, 1);

		if (used < 0)
			break;
		data += used;
		size -= used;
		if (flags & NGHTTP2_HD_INFLATE_EMIT)
			good = give(input, field.name, field.namelen,
				    field.value, field.valuelen);
		else
			break;
	}
	nghttp2_hd_inflate_del(inflater);
	return good;
}

/* The text that a server would get. Return: its bytes */
static size_t as_http1(const struct input *input, char *out)
{
	const struct clbd_head *head = &input->head;
	size_t lines = head->fields[0].name.at;
	size_t size = 0;

	size += strlen(strcpy(out, llhttp_method_name(head->method)));
	out[size++] = ' ';
	memcpy(out + size, input->text + head->path.at, head->path.size);
	size += head->path.size;
	memcpy(out + size, " HTTP/1.1\r\n", 11);
	size += 11;
	memcpy(out + size, input->text + lines, head->size - lines);
	return size + head->size - lines;
}

static bool same(struct clbd_slice a, const char *a_text, struct clbd_slice b,
		 const char *b_text)
{
	return a.size == b.size &&
	       !memcmp(a_text + a.at, b_text + b.at, a.size);
}

static void check_taken(const struct input *input)
{
	char out[2 * ROOM + 2 * CLBD_H2_HEAD_SPARE];
	const struct clbd_head *head = &input->head;
	size_t size = as_http1(input, out), i;
	struct clbd_head again;

	clbd_head_init(&again, false);
	check(clbd_head_parse(&again, out, size) == CLBD_DONE);
	check(again.size == size && again.count == head->count);
	check(again.framing == head->framing && again.length == head->length);
	check(again.method == head->method && !again.close);
	check(same(again.host, out, head->host, input->text));
	check(same(again.path, out, head->path, input->text));
	check(input->ended
		      ? head->framing != CLBD_FRAMING_CHUNKED && !head->length
		      : head->framing != CLBD_FRAMING_NONE);
	for (i = 0; i < head->count; i++) {
		check(same(again.fields[i].name, out, head->fields[i].name,
			   input->text));
		check(same(again.fields[i].value, out, head->fields[i].value,
			   input->text));
		check(!head->fields[i].hop);
	}
}

static void read_reply(const uint8_t *data, size_t size)
{
	struct clbd_h2_reply reply;
	char *text = copy_of(data, size);

	check(clbd_h2_reply_read(&reply, text, size) <= size);
	check(clbd_h2_reply_trailers(&reply, text, size) <= size);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct input input;
	bool good;

	if (!size)
		return 0;
	input.ended = data[0] & 2;
	input.text = malloc(ROOM + CLBD_H2_HEAD_SPARE);
	input.cookies = malloc(ROOM);
	check(input.text && input.cookies);
	clbd_head_init(&input.head, false);
	clbd_h2_head_begin(&input.in, &input.head, input.text, input.cookies,
			   ROOM);
	if (data[0] & 1)
		good = give_hpack(&input, data + 1, size - 1);
	else
		good = give_plain(&input, data + 1, size - 1);
	if (good && clbd_h2_head_end(&input.in, input.ended) == CLBD_DONE)
		check_taken(&input);
	free(input.text);
	free(input.cookies);
	read_reply(data + 1, size - 1);
	return 0;
}
