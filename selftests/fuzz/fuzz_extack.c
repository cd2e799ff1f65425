// SPDX-License-Identifier: MIT
/*
 * tools/lib/extack.c: what the kernel says about a request.
 *
 * Input: two bytes, the length of the reply; the reply; the request.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clbctl/clbctl.h"
#include "lib/extack.h"

static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clb_message about = { 0 };
	struct clb_error error = { 0 };
	uint8_t *reply, *sent;
	char text[512];
	size_t length;

	if (size < 2)
		return 0;
	length = data[0] | data[1] << 8;
	data += 2;
	size -= 2;
	if (length > size)
		length = size;
	reply = copy_of(data, length);
	sent = copy_of(data + length, size - length);
	clb_extack_parse(reply, length, NULL, 0, &error);
	if (clb_extack_parse(reply, length, sent, size - length, &error)) {
		if (!memchr(error.message, '\0', sizeof(error.message)))
			abort();
		clb_error_format(&error, &about, text, sizeof(text));
	}
	free(reply);
	free(sent);
	return 0;
}
