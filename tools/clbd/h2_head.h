/* SPDX-License-Identifier: MIT */
/*
 * Requests of HTTP/2 as HTTP/1.1 would have them.
 *
 * The fields of a request are given to clbd_h2_head_field() one by one, as
 * HPACK gave them; clbd_h2_head_end() then says what clbd_head_parse() says of a head
 * of HTTP/1.1: CLBD_DONE, or CLBD_BAD, with @status and @reason in the head.
 * Nothing is believed that libnghttp2 might have checked before. It allocates
 * nothing, and writes into the memory it was given.
 *
 * The text is: values of pseudo-header fields, in any order; the lines of the
 * fields, Host first, Cookie last; the empty line. There is no request line:
 * slices of the head say where method, target and host are.
 */
#ifndef CLBD_H2_HEAD_H
#define CLBD_H2_HEAD_H

#include "clbd/head.h"

/* For what is not the client's: a coding, the name of Cookie, the end. */
#define CLBD_H2_HEAD_SPARE 64

/* Decoded, it may be so many times as long as it should be, or have so many. */
#define CLBD_H2_HEAD_TIMES 4
#define CLBD_H2_HEAD_FIELDS 1000

/**
 * struct clbd_h2_head - a head that is being read
 * @head: what it says; its slices are of @text
 * @text: memory for it, of @room and CLBD_H2_HEAD_SPARE bytes
 * @cookies: memory for crumbs of Cookie, which are joined, of @room bytes
 * @room: how long it may be
 * @used: of @text
 * @cookies_used: of @cookies
 * @decoded: bytes of all names and values
 * @fields: how many there were
 * @method: there was one that is known
 * @scheme: there was one
 * @regular: fields other than pseudo-header fields have begun
 * @framed: there was a Content-Length
 */
struct clbd_h2_head {
	struct clbd_head *head;
	char *text;
	char *cookies;
	size_t room;
	size_t used;
	size_t cookies_used;
	size_t decoded;
	unsigned int fields;
	bool method;
	bool scheme;
	bool regular;
	bool framed;
};

void clbd_h2_head_begin(struct clbd_h2_head *in, struct clbd_head *head,
			char *text, char *cookies, size_t room);

/*
 * Return: CLBD_MORE, also where the request is refused already; CLBD_BAD: no
 * more of this is to be read
 */
enum clbd_result clbd_h2_head_field(struct clbd_h2_head *in, const char *name,
				    size_t name_size, const char *value,
				    size_t value_size);

/* @ended: no body follows */
enum clbd_result clbd_h2_head_end(struct clbd_h2_head *in, bool ended);

/**
 * clbd_h2_trailer() - a field behind the body
 * @text: where the line goes
 * @room: bytes there
 *
 * What may be a trailer, body.c says.
 * Return: bytes of the line; 0 where it is none, or has no room
 */
size_t clbd_h2_trailer(char *text, size_t room, const char *name,
		       size_t name_size, const char *value, size_t value_size);

#endif /* CLBD_H2_HEAD_H */
