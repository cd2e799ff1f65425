/* SPDX-License-Identifier: MIT */
/* Cookies that bind a client to a server. */
#ifndef CLBD_COOKIE_H
#define CLBD_COOKIE_H

#include <stdbool.h>
#include <stddef.h>

#define CLBD_COOKIE_TOKEN 32

/*
 * To be called before rights are given up: libcrypto looks for files at its
 * first use.
 */
void clbd_cookie_prepare(void);

/**
 * clbd_cookie_token() - the value for a server
 * @secret: key
 * @server: its address, as text
 * @token: hexadecimal digits, not terminated
 *
 * Return: 0 or -ENOMEM
 */
int clbd_cookie_token(const char *secret, const char *server,
		      char token[CLBD_COOKIE_TOKEN]);

/**
 * clbd_cookie_next() - the next cookie of a name in a Cookie field
 * @at: where to look from; moved behind what was found
 * @end: of the field's value
 * @name: of the cookie
 * @value: its value, in the field
 * @size: bytes of that
 *
 * Pure. Return: whether there is one
 */
bool clbd_cookie_next(const char **at, const char *end, const char *name,
		      const char **value, size_t *size);

#endif /* CLBD_COOKIE_H */
