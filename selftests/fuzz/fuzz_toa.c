// SPDX-License-Identifier: MIT
/*
 * clbd's decoder of saved SYNs: however few bytes it is given, it says "more"
 * until it says what it says of all of them, and the client that it tells is in
 * the input, byte for byte.
 */
#include <stdlib.h>
#include <string.h>

#include "clbd/toa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory of just so many bytes, for ASan to see what is read behind them. */
static enum clbd_result parse(const uint8_t *data, size_t size,
			      struct clbd_toa *toa)
{
	uint8_t *copy = malloc(size ? size : 1);
	enum clbd_result result;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	result = clbd_toa_parse(copy, size, toa);
	free(copy);
	return result;
}

static void expect_option(const uint8_t *data, size_t size,
			  const struct clbd_toa *toa)
{
	uint8_t option[20] = { 254, toa->source.length + 4, toa->port >> 8,
			       toa->port & 0xff };

	if (toa->source.length != 4 && toa->source.length != 16)
		abort();
	memcpy(option + 4, toa->source.bytes, toa->source.length);
	if (!memmem(data, size, option, option[1]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clbd_toa whole = { 0 }, cut = { 0 };
	enum clbd_result result, again = CLBD_MORE;
	size_t given;

	result = parse(data, size, &whole);
	for (given = 0; again == CLBD_MORE && given <= size; given++)
		again = parse(data, given, &cut);
	if (again != result || whole.known != cut.known ||
	    whole.port != cut.port ||
	    memcmp(&whole.source, &cut.source, sizeof(cut.source)))
		abort();
	if (result == CLBD_DONE && whole.known)
		expect_option(data, size, &whole);
	return 0;
}
