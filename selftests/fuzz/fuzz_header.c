// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/sync_read.c: the header of a datagram, which is read before anything
 * says that it is authentic. What is refused leaves nothing behind; what is
 * taken is written as the same bytes, and has room for a tag.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sync_wire.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* What the first bytes say, in so many words. */
static enum clb_sync_read expected(const uint8_t *data, size_t size)
{
	if (size < 28 + 16)
		return CLB_SYNC_TRUNCATED;
	if (data[0] != 0xc1 || data[1] != 0xb5)
		return CLB_SYNC_FOREIGN;
	return data[2] == 1 ? CLB_SYNC_DONE : CLB_SYNC_OTHER_VERSION;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clb_sync_header header, untouched;
	u8 again[CLB_SYNC_HEADER_LEN];
	enum clb_sync_read outcome;
	u8 *copy;

	/* memory of just so many bytes, for ASan to see what is behind them */
	copy = malloc(size ? size : 1);
	must(copy);
	memcpy(copy, data, size);
	memset(&header, 0x5a, sizeof(header));
	untouched = header;
	outcome = clb_sync_header_read(copy, size, &header);
	must(outcome == expected(data, size));
	if (outcome == CLB_SYNC_DONE) {
		clb_sync_header_write(again, &header);
		must(!memcmp(again, data, sizeof(again)));
	} else {
		must(!memcmp(&header, &untouched, sizeof(header)));
	}
	free(copy);
	return 0;
}
