// SPDX-License-Identifier: MIT
/*
 * clbd's decoder of the PROXY protocol: however many bytes it is given at a
 * time, it says the same, and what it tells fits into the input.
 */
#include <stdlib.h>
#include <string.h>

#include "clbd/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory of just so many bytes, for ASan to see what is read behind them. */
static enum clbd_result parse(const uint8_t *data, size_t size,
			      struct clbd_proxy *proxy, size_t *used)
{
	char *copy = malloc(size ? size : 1);
	enum clbd_result result;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	result = clbd_proxy_parse(copy, size, proxy, used);
	free(copy);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clbd_proxy whole = { 0 }, cut = { 0 };
	size_t used = 0, cut_used = 0, given;
	enum clbd_result result, again = CLBD_MORE;

	result = parse(data, size, &whole, &used);
	for (given = 0; again == CLBD_MORE && given <= size; given++)
		again = parse(data, given, &cut, &cut_used);
	if (again != result || used != cut_used || used > size)
		abort();
	if (result == CLBD_MORE && size >= CLBD_PROXY_MAX)
		abort();
	if (result != CLBD_DONE)
		return 0;
	if (whole.known != cut.known || whole.port != cut.port ||
	    memcmp(&whole.source, &cut.source, sizeof(cut.source)))
		abort();
	if (whole.known && whole.source.length != 4 &&
	    whole.source.length != 16)
		abort();
	return 0;
}
