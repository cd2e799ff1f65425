// SPDX-License-Identifier: MIT
/*
 * clbd's decoder of cookies with a token: it takes tokens out and nothing else,
 * and stays within the field. The first byte says how long the name is.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clbd/sticky.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const char *at, size_t size, char byte)
{
	size_t i, found = 0;

	for (i = 0; i < size; i++)
		found += at[i] == byte;
	return found;
}

static void strip(const uint8_t *data, size_t size, const char *name)
{
	char token[CLBD_COOKIE_TOKEN], *copy = malloc(size ? size : 1);
	bool found = false;
	size_t kept, tokens;

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	kept = clbd_sticky_strip(copy, size, name, token, &found);
	if (kept > size || (size - kept) % (CLBD_COOKIE_TOKEN + 1) ||
	    found != (kept < size))
		abort();
	tokens = (size - kept) / (CLBD_COOKIE_TOKEN + 1);
	if (count(copy + kept, size - kept, ' ') != size - kept ||
	    count(copy, kept, '~') + tokens !=
		    count((const char *)data, size, '~') ||
	    count(copy, kept, ';') != count((const char *)data, size, ';'))
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[8] = "IDIDIDI";

	if (!size)
		return 0;
	name[1 + data[0] % 7] = 0;
	strip(data + 1, size - 1, name);
	if (clbd_sticky_value((const char *)data + 1, size - 1, name) >
	    size - 1)
		abort();
	return 0;
}
