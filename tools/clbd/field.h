/* SPDX-License-Identifier: MIT */
/*
 * Names of HTTP fields that mean something to clbd, and the bytes they are of.
 */
#ifndef CLBD_FIELD_H
#define CLBD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum clbd_field_id {
	CLBD_FIELD_OTHER,
	CLBD_FIELD_CONNECTION,
	CLBD_FIELD_CONTENT_LENGTH,
	CLBD_FIELD_COOKIE,
	CLBD_FIELD_EXPECT,
	CLBD_FIELD_HOST,
	CLBD_FIELD_KEEP_ALIVE,
	CLBD_FIELD_PROXY,
	CLBD_FIELD_PROXY_CONNECTION,
	CLBD_FIELD_REFERER,
	CLBD_FIELD_SET_COOKIE,
	CLBD_FIELD_TE,
	CLBD_FIELD_TRAILER,
	CLBD_FIELD_TRANSFER_ENCODING,
	CLBD_FIELD_UPGRADE,
	CLBD_FIELD_USER_AGENT,
	CLBD_FIELD_X_FORWARDED_FOR,
	CLBD_FIELD_X_FORWARDED_PORT,
	CLBD_FIELD_X_FORWARDED_PROTO,
	/* of clbd's own making: only it may say them */
	CLBD_FIELD_X_CLIENT_PORT,
	CLBD_FIELD_X_LISTENER_ADDRESS,
	CLBD_FIELD_X_LISTENER_NAME,
	/* one of these, with underscores for dashes */
	CLBD_FIELD_DISGUISED,
};

/* Classes of bytes: tchar, and what a value or a target may hold (RFC 9110). */
enum {
	CLBD_BYTE_TOKEN = 1 << 0,
	CLBD_BYTE_VALUE = 1 << 1, /* HT, SP, visible, 0x80-0xff */
	CLBD_BYTE_TARGET = 1 << 2, /* visible, without # */
	CLBD_BYTE_HOST = 1 << 3, /* of a name or address, with port */
};

extern const uint8_t clbd_bytes[256];

/* How many bytes from @at on are of @class, @size at most. */
static inline size_t clbd_bytes_span(const char *at, size_t size, uint8_t class)
{
	size_t i = 0;

	while (i < size && (clbd_bytes[(uint8_t)at[i]] & class))
		i++;
	return i;
}

/* Equal but for the case of ASCII letters; @word is in lower case. */
bool clbd_bytes_equal(const char *at, size_t size, const char *word);

enum clbd_field_id clbd_field_find(const char *name, size_t size);

/*
 * Whether the field frames a message, or says where it goes: never of one hop.
 */
bool clbd_field_is_vital(enum clbd_field_id id);

/* Whether a trailer may be so called: RFC 9110 6.5.1. */
bool clbd_field_may_trail(const char *name, size_t size);

#endif /* CLBD_FIELD_H */
