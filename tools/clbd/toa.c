// SPDX-License-Identifier: MIT
/*
 * A SYN: the header of IPv4 or of IPv6 with its extension headers, TCP's, and in
 * that the option (TOA). Pure.
 *
 *	kind 254 (1), length 8 or 20 (1), port (2), address (4 or 16)
 */
#include "clbd/toa.h"

#include <netinet/in.h>
#include <string.h>

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_TOA 254

/* Where a header begins that is whole, so far. */
struct cursor {
	const uint8_t *at;
	size_t left;
};

static enum clbd_result step(struct cursor *cursor, size_t size)
{
	if (size > cursor->left)
		return CLBD_MORE;
	cursor->at += size;
	cursor->left -= size;
	return CLBD_DONE;
}

static enum clbd_result skip_ipv4(struct cursor *cursor)
{
	size_t size;

	if (cursor->left < 20)
		return CLBD_MORE;
	size = (cursor->at[0] & 15) * 4;
	if (size < 20 || cursor->at[9] != IPPROTO_TCP)
		return CLBD_BAD;
	return step(cursor, size);
}

/* Of an extension header that has its length where it should; 0: it is none */
static size_t extension_size(uint8_t kind, const uint8_t *at)
{
	switch (kind) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (at[1] + 1) * 8;
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return (at[1] + 2) * 4;
	default:
		return 0;
	}
}

static enum clbd_result skip_ipv6(struct cursor *cursor)
{
	enum clbd_result result;
	uint8_t kind;

	if (cursor->left < 40)
		return CLBD_MORE;
	kind = cursor->at[6];
	result = step(cursor, 40);
	while (result == CLBD_DONE && kind != IPPROTO_TCP) {
		size_t size;

		if (cursor->left < 2)
			return CLBD_MORE;
		size = extension_size(kind, cursor->at);
		if (!size)
			return CLBD_BAD;
		kind = cursor->at[0];
		result = step(cursor, size);
	}
	return result;
}

/*
 * The first one of the right kind and length: clb.ko has it before all others.
 * One that cannot be right ends the list, as for the kernel.
 */
static void find_option(const uint8_t *at, size_t left, struct clbd_toa *toa)
{
	size_t size;

	for (; left && *at != OPTION_END; at += size, left -= size) {
		size = 1;
		if (*at == OPTION_NOP)
			continue;
		if (left < 2 || at[1] < 2 || at[1] > left)
			return;
		size = at[1];
		if (*at != OPTION_TOA || (size != 8 && size != 20))
			continue;
		toa->known = true;
		toa->port = at[2] << 8 | at[3];
		toa->source.length = size - 4;
		memcpy(toa->source.bytes, at + 4, size - 4);
		return;
	}
}

static enum clbd_result parse_tcp(const struct cursor *cursor,
				  struct clbd_toa *toa)
{
	struct clbd_toa found = { .known = false };
	size_t size;

	if (cursor->left < 20)
		return CLBD_MORE;
	size = (cursor->at[12] >> 4) * 4;
	if (size < 20)
		return CLBD_BAD;
	if (size > cursor->left)
		return CLBD_MORE;
	find_option(cursor->at + 20, size - 20, &found);
	*toa = found;
	return CLBD_DONE;
}

enum clbd_result clbd_toa_parse(const uint8_t *data, size_t size,
				struct clbd_toa *toa)
{
	struct cursor cursor = { .at = data, .left = size };
	enum clbd_result result;

	if (!size)
		return CLBD_MORE;
	switch (*data >> 4) {
	case 4:
		result = skip_ipv4(&cursor);
		break;
	case 6:
		result = skip_ipv6(&cursor);
		break;
	default:
		return CLBD_BAD;
	}
	return result == CLBD_DONE ? parse_tcp(&cursor, toa) : result;
}
