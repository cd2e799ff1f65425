/* SPDX-License-Identifier: MIT */
/* Addresses, ports and prefixes, and their text forms. */
#ifndef CLB_LIB_ADDRESS_H
#define CLB_LIB_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

/* An IPv4 or IPv6 address in network order; the length says which. */
struct clb_address {
	uint8_t length; /* 4, 16, or 0: none */
	uint8_t bytes[16];
};

/* Room for any text form: address, endpoint or prefix. */
#define CLB_ADDRESS_TEXT 64

/*
 * The parsers below return 0 or -EINVAL and leave their outputs untouched on
 * failure. They never resolve names.
 */

/* 192.0.2.1 or 2001:db8::1 */
int clb_address_parse(const char *text, struct clb_address *out);

/* 0 to 65535, or "all", which is 0 */
int clb_port_parse(const char *text, uint16_t *out);

/**
 * clb_endpoint_parse() - read an address with an optional port
 * @text: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1] or
 *	[2001:db8::1]:80
 * @address: the address
 * @port: the port in host order, 0 where there is none
 * @has_port: whether @text has one
 */
int clb_endpoint_parse(const char *text, struct clb_address *address,
		       uint16_t *port, bool *has_port);

/* ADDRESS[/LENGTH]; without a length the longest. Host bits may be set. */
int clb_prefix_parse(const char *text, struct clb_address *address,
		     uint8_t *prefix);

void clb_address_format(const struct clb_address *address,
			char text[CLB_ADDRESS_TEXT]);

/*
 * As the two formats, without a terminator: for text that goes on. Return the
 * end of what was written.
 */
char *clb_address_put(char *at, const struct clb_address *address);
char *clb_endpoint_put(char *at, const struct clb_address *address,
		       uint16_t port);

/* ADDRESS:PORT, brackets around IPv6, "all" for port 0. */
void clb_endpoint_format(const struct clb_address *address, uint16_t port,
			 char text[CLB_ADDRESS_TEXT]);

void clb_prefix_format(const struct clb_address *address, uint8_t prefix,
		       char text[CLB_ADDRESS_TEXT]);

/* IPv4 before IPv6, then by value: <0, 0 or >0 as memcmp(). */
int clb_address_compare(const struct clb_address *a,
			const struct clb_address *b);

#endif /* CLB_LIB_ADDRESS_H */
