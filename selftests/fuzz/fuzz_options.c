// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/toa_options.h: what a client says of its address itself, in the options
 * of a SYN, is gone afterwards; nothing else is changed. Who looks for it is
 * clbd (tools/clbd/toa.c), which finds the module's own option before the rest,
 * as clb_toa_put() puts it there.
 *
 * Input: the options.
 */
#include <stdlib.h>

#include "clbd/toa.h"
#include "toa_options.h"

#define OPTIONS_MAX 40
#define IP_LEN 20
#define TCP_LEN 20

static const uint8_t own[] = { 254, 8, 0x12, 0x34, 192, 0, 2, 1 };

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* What a server that gets these options, a multiple of four, knows. */
static struct clbd_toa told_by(const uint8_t *options, size_t size)
{
	uint8_t syn[IP_LEN + TCP_LEN + OPTIONS_MAX] = { 0x45, [9] = 6 };
	struct clbd_toa toa;

	syn[IP_LEN + 12] = (TCP_LEN + size) / 4 << 4;
	memcpy(syn + IP_LEN + TCP_LEN, options, size);
	must(clbd_toa_parse(syn, IP_LEN + TCP_LEN + size, &toa) == CLBD_DONE);
	return toa;
}

/* NOPs took the place of whole options, and of nothing else. */
static void compare(const uint8_t *before, const uint8_t *after, size_t left)
{
	size_t len;

	for (; left && *before; before += len, after += len, left -= len) {
		len = 1;
		if (*before != 1)
			len = left < 2 || before[1] < 2 || before[1] > left
				      ? left
				      : before[1];
		if (*before != 254)
			must(!memcmp(before, after, len));
		else
			must(*after == 1 && !memcmp(after, after + 1, len - 1));
	}
	must(!memcmp(before, after, left));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *options, whole[OPTIONS_MAX];
	struct clbd_toa toa;
	bool found;

	size &= ~3;
	if (size > OPTIONS_MAX)
		return 0;
	/* memory of just so many bytes, for ASan to see what is behind them */
	options = malloc(size ? size : 1);
	must(options);
	memcpy(options, data, size);
	found = clb_toa_options_erase(options, size);
	must(found == !!memcmp(options, data, size));
	must(found || !told_by(data, size).known);
	compare(data, options, size);
	must(!clb_toa_options_erase(options, size));
	must(!told_by(options, size).known);
	if (size + sizeof(own) <= OPTIONS_MAX) {
		memcpy(whole, own, sizeof(own));
		memcpy(whole + sizeof(own), options, size);
		toa = told_by(whole, sizeof(own) + size);
		must(toa.known && toa.port == 0x1234);
		must(!memcmp(toa.source.bytes, own + 4, 4));
	}
	free(options);
	return 0;
}
