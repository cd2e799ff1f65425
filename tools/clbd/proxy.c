// SPDX-License-Identifier: MIT
/*
 * The PROXY protocol. Pure.
 *
 *	version 1	"PROXY TCP4 SOURCE DESTINATION PORT PORT\r\n"
 *			"PROXY UNKNOWN ...\r\n"
 *	version 2	signature (12), version and command (1), family (1),
 *			length of what follows (2): source, destination, port,
 *			port, and extensions that are skipped
 */
#include "clbd/proxy.h"

#include <string.h>

#include "lib/number.h"

#define LINE_MAX_SIZE 107

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* The next word of a line, as text. Return: whether there is one that fits */
static bool next_word(const char **at, const char *end,
		      char word[CLB_ADDRESS_TEXT])
{
	const char *space = memchr(*at, ' ', end - *at);
	size_t size = (space ? space : end) - *at;

	if (!size || size >= CLB_ADDRESS_TEXT || memchr(*at, 0, size))
		return false;
	memcpy(word, *at, size);
	word[size] = 0;
	*at += size + (space ? 1 : 0);
	return true;
}

static bool read_address(const char **at, const char *end, uint8_t length,
			 struct clb_address *address)
{
	char word[CLB_ADDRESS_TEXT];

	return next_word(at, end, word) && !clb_address_parse(word, address) &&
	       address->length == length;
}

static bool read_port(const char **at, const char *end, uint16_t *port)
{
	char word[CLB_ADDRESS_TEXT];
	uint64_t number;

	if (!next_word(at, end, word) ||
	    clb_number_parse(word, UINT16_MAX, &number))
		return false;
	*port = number;
	return true;
}

/* Between "PROXY " and the end of the line. */
static enum clbd_result parse_words(const char *at, const char *end,
				    struct clbd_proxy *proxy)
{
	struct clb_address destination;
	struct clbd_proxy found = { .known = true };
	char word[CLB_ADDRESS_TEXT];
	uint16_t port;
	uint8_t length;

	if (!next_word(&at, end, word))
		return CLBD_BAD;
	if (!strcmp(word, "UNKNOWN")) {
		*proxy = (struct clbd_proxy){ .known = false };
		return CLBD_DONE;
	}
	if (!strcmp(word, "TCP4"))
		length = 4;
	else if (!strcmp(word, "TCP6"))
		length = 16;
	else
		return CLBD_BAD;
	if (!read_address(&at, end, length, &found.source) ||
	    !read_address(&at, end, length, &destination) ||
	    !read_port(&at, end, &found.port) || !read_port(&at, end, &port) ||
	    at != end || end[-1] == ' ')
		return CLBD_BAD;
	*proxy = found;
	return CLBD_DONE;
}

static enum clbd_result parse_line(const char *data, size_t size,
				   struct clbd_proxy *proxy, size_t *used)
{
	static const char start[] = "PROXY ";
	size_t most = size < LINE_MAX_SIZE ? size : LINE_MAX_SIZE;
	size_t same = most < sizeof(start) - 1 ? most : sizeof(start) - 1;
	const char *end = memchr(data, '\n', most);
	enum clbd_result result;

	if (memcmp(data, start, same))
		return CLBD_BAD;
	if (!end)
		return size < LINE_MAX_SIZE ? CLBD_MORE : CLBD_BAD;
	if (end < data + sizeof(start) || end[-1] != '\r')
		return CLBD_BAD;
	result = parse_words(data + sizeof(start) - 1, end - 1, proxy);
	if (result == CLBD_DONE)
		*used = end + 1 - data;
	return result;
}

static uint16_t number_at(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* Family: TCP over IPv4 or IPv6; others have no address for us. */
static enum clbd_result parse_addresses(const uint8_t *at, size_t size,
					uint8_t family,
					struct clbd_proxy *proxy)
{
	struct clbd_proxy found = { .known = true };

	switch (family) {
	case 0x11:
		found.source.length = 4;
		break;
	case 0x21:
		found.source.length = 16;
		break;
	default:
		found.known = false;
	}
	if (found.known) {
		if (size < 2u * found.source.length + 4)
			return CLBD_BAD;
		memcpy(found.source.bytes, at, found.source.length);
		found.port = number_at(at + 2 * found.source.length);
	}
	*proxy = found;
	return CLBD_DONE;
}

static enum clbd_result parse_binary(const uint8_t *data, size_t size,
				     struct clbd_proxy *proxy, size_t *used)
{
	enum clbd_result result;
	size_t length;

	if (size < 16)
		return CLBD_MORE;
	length = number_at(data + 14);
	/* version 2, command LOCAL or PROXY */
	if ((data[12] & 0xfe) != 0x20 || length > CLBD_PROXY_MAX - 16)
		return CLBD_BAD;
	if (size - 16 < length)
		return CLBD_MORE;
	result = parse_addresses(data + 16, length, data[12] & 1 ? data[13] : 0,
				 proxy);
	if (result == CLBD_DONE)
		*used = 16 + length;
	return result;
}

enum clbd_result clbd_proxy_parse(const char *data, size_t size,
				  struct clbd_proxy *proxy, size_t *used)
{
	size_t same = size < sizeof(signature) ? size : sizeof(signature);

	if (!size)
		return CLBD_MORE;
	if (!memcmp(data, signature, same))
		return parse_binary((const uint8_t *)data, size, proxy, used);
	return parse_line(data, size, proxy, used);
}

static bool has(const struct clbd_prefix *prefix,
		const struct clb_address *address)
{
	unsigned int whole = prefix->length / 8, rest = prefix->length % 8;

	if (prefix->address.length != address->length ||
	    memcmp(prefix->address.bytes, address->bytes, whole))
		return false;
	return !rest ||
	       !((prefix->address.bytes[whole] ^ address->bytes[whole]) >>
		 (8 - rest));
}

bool clbd_prefix_has(const struct clbd_prefix *prefixes, size_t count,
		     const struct clb_address *address)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (has(&prefixes[i], address))
			return true;
	}
	return false;
}
