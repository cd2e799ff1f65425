// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "number.h"

static int family(const struct clb_address *address)
{
	return address->length == 16 ? AF_INET6 : AF_INET;
}

int clb_address_parse(const char *text, struct clb_address *out)
{
	struct clb_address address = { .length = 4 };

	if (strchr(text, ':'))
		address.length = 16;
	if (inet_pton(family(&address), text, address.bytes) != 1)
		return -EINVAL;
	*out = address;
	return 0;
}

/* As clb_address_parse() for text that does not end where the address does. */
static int parse_part(const char *text, size_t length, struct clb_address *out)
{
	char part[CLB_ADDRESS_TEXT];

	if (length >= sizeof(part))
		return -EINVAL;
	memcpy(part, text, length);
	part[length] = '\0';
	return clb_address_parse(part, out);
}

int clb_port_parse(const char *text, uint16_t *out)
{
	uint64_t value;

	if (!strcmp(text, "all")) {
		*out = 0;
		return 0;
	}
	if (clb_number_parse(text, UINT16_MAX, &value))
		return -EINVAL;
	*out = value;
	return 0;
}

/*
 * Finds where the address starts and ends, and the text of the port, NULL
 * where there is none. More than one colon without brackets is a bare IPv6
 * address: the last group of one is never taken for a port.
 */
static int endpoint_split(const char *text, const char **start, size_t *length,
			  const char **port)
{
	const char *end, *after;

	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || !memchr(text, ':', end - text))
			return -EINVAL;
		*start = text + 1;
		after = end + 1;
	} else {
		end = strchr(text, ':');
		if (!end || strchr(end + 1, ':'))
			end = text + strlen(text);
		*start = text;
		after = end;
	}
	if (*after && *after != ':')
		return -EINVAL;
	*length = end - *start;
	*port = *after ? after + 1 : NULL;
	return 0;
}

int clb_endpoint_parse(const char *text, struct clb_address *address,
		       uint16_t *port, bool *has_port)
{
	const char *start, *port_text;
	struct clb_address parsed;
	uint16_t number = 0;
	size_t length;

	if (endpoint_split(text, &start, &length, &port_text))
		return -EINVAL;
	if (parse_part(start, length, &parsed))
		return -EINVAL;
	if (port_text && clb_port_parse(port_text, &number))
		return -EINVAL;
	*address = parsed;
	*port = number;
	*has_port = port_text;
	return 0;
}

int clb_prefix_parse(const char *text, struct clb_address *address,
		     uint8_t *prefix)
{
	const char *slash = strchrnul(text, '/');
	struct clb_address parsed;
	uint64_t length;

	if (parse_part(text, slash - text, &parsed))
		return -EINVAL;
	length = parsed.length * 8;
	if (*slash && clb_number_parse(slash + 1, length, &length))
		return -EINVAL;
	*address = parsed;
	*prefix = length;
	return 0;
}

static char *put_ipv4(char *at, const uint8_t *bytes)
{
	int i;

	for (i = 0; i < 4; i++) {
		if (i)
			*at++ = '.';
		at = clb_number_put(at, bytes[i]);
	}
	return at;
}

char *clb_address_put(char *at, const struct clb_address *address)
{
	if (address->length == 4)
		return put_ipv4(at, address->bytes);
	if (!address->length ||
	    !inet_ntop(family(address), address->bytes, at, INET6_ADDRSTRLEN))
		strcpy(at, "-");
	return at + strlen(at);
}

char *clb_endpoint_put(char *at, const struct clb_address *address,
		       uint16_t port)
{
	bool v6 = address->length == 16;

	if (v6)
		*at++ = '[';
	at = clb_address_put(at, address);
	if (v6)
		*at++ = ']';
	*at++ = ':';
	if (!port)
		return stpcpy(at, "all");
	return clb_number_put(at, port);
}

void clb_address_format(const struct clb_address *address,
			char text[CLB_ADDRESS_TEXT])
{
	*clb_address_put(text, address) = '\0';
}

void clb_endpoint_format(const struct clb_address *address, uint16_t port,
			 char text[CLB_ADDRESS_TEXT])
{
	*clb_endpoint_put(text, address, port) = '\0';
}

void clb_prefix_format(const struct clb_address *address, uint8_t prefix,
		       char text[CLB_ADDRESS_TEXT])
{
	char ip[CLB_ADDRESS_TEXT];

	clb_address_format(address, ip);
	snprintf(text, CLB_ADDRESS_TEXT, "%.46s/%u", ip, prefix);
}

int clb_address_compare(const struct clb_address *a,
			const struct clb_address *b)
{
	if (a->length != b->length)
		return a->length - b->length;
	return memcmp(a->bytes, b->bytes, a->length);
}
