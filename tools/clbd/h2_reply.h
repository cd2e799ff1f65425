/* SPDX-License-Identifier: MIT */
/* Heads of responses, as the fields of HTTP/2. Pure. */
#ifndef CLBD_H2_REPLY_H
#define CLBD_H2_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include <nghttp2/nghttp2.h>

#define CLBD_H2_REPLY_FIELDS 128

/**
 * struct clbd_h2_reply - fields of a response, or trailers
 * @status: of the response
 * @digits: the same as text
 * @count: of @fields
 * @fields: they point into the text and to @digits; names are as they were
 */
struct clbd_h2_reply {
	uint16_t status;
	char digits[3];
	size_t count;
	nghttp2_nv fields[CLBD_H2_REPLY_FIELDS];
};

/**
 * clbd_h2_reply_read() - a head that clbd has made for a client of HTTP/1.1
 * @reply: the result, without fields of HTTP/1 alone
 * @text: the head, and what follows it
 * @size: bytes of both
 *
 * Return: bytes of the head, or 0 where it is none, or has too many fields
 */
size_t clbd_h2_reply_read(struct clbd_h2_reply *reply, const char *text,
			  size_t size);

/* The same for lines of trailers and the empty line behind them. */
size_t clbd_h2_reply_trailers(struct clbd_h2_reply *reply, const char *text,
			      size_t size);

#endif /* CLBD_H2_REPLY_H */
