/* SPDX-License-Identifier: MIT */
/*
 * Stickiness by a cookie of the servers' own: its value is preceded, on the way
 * to the client, by the token of the server that set it, and a tilde; on the way
 * back these are taken away.
 *
 *	server:  Set-Cookie: ID=abc; Path=/
 *	client:  Set-Cookie: ID=TOKEN~abc; Path=/
 *
 *	client:  Cookie: a=b; ID=TOKEN~abc
 *	server:  Cookie: a=b; ID=abc
 */
#ifndef CLBD_STICKY_H
#define CLBD_STICKY_H

#include <stdbool.h>
#include <stddef.h>

#include "clbd/cookie.h"

struct clbd_field;
struct clbd_session;

/**
 * clbd_sticky_strip() - take tokens out of the value of a Cookie field
 * @value: the field's; what is left of it moves up, and spaces follow
 * @size: its bytes
 * @name: of the cookie
 * @token: the first of them; untouched where @found was set before
 * @found: set where there is one
 *
 * Pure. Return: bytes that are left
 */
size_t clbd_sticky_strip(char *value, size_t size, const char *name,
			 char token[CLBD_COOKIE_TOKEN], bool *found);

/**
 * clbd_sticky_value() - where the value of a cookie begins
 * @field: value of a Set-Cookie field
 * @size: its bytes
 * @name: of the cookie
 *
 * Pure. Return: how many bytes are before it; 0: another cookie is set
 */
size_t clbd_sticky_value(const char *field, size_t size, const char *name);

/* Before the request's head is passed on: whose token it has is noted. */
void clbd_sticky_request(struct clbd_session *session);

/* Whether a field of the response is to be passed on with a token. */
bool clbd_sticky_is_set(const struct clbd_session *session,
			const struct clbd_field *field, const char *text);

/* Before the response's head is: such fields are kept out of the rest. */
void clbd_sticky_response(struct clbd_session *session, const char *text);

#endif /* CLBD_STICKY_H */
