/* SPDX-License-Identifier: MIT */
/* Names of HTTP fields that mean something to clbd, and the bytes they are of. */
#ifndef CLBD_FIELD_H
#define CLBD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum clb_field_id {
	CLB_FIELD_OTHER,
	CLB_FIELD_CONNECTION,
	CLB_FIELD_CONTENT_LENGTH,
	CLB_FIELD_COOKIE,
	CLB_FIELD_EXPECT,
	CLB_FIELD_HOST,
	CLB_FIELD_KEEP_ALIVE,
	CLB_FIELD_PROXY,
	CLB_FIELD_PROXY_CONNECTION,
	CLB_FIELD_REFERER,
	CLB_FIELD_TE,
	CLB_FIELD_TRAILER,
	CLB_FIELD_TRANSFER_ENCODING,
	CLB_FIELD_UPGRADE,
	CLB_FIELD_USER_AGENT,
	CLB_FIELD_X_FORWARDED_FOR,
	CLB_FIELD_X_FORWARDED_PORT,
	CLB_FIELD_X_FORWARDED_PROTO,
	/* of clbd's own making: only it may say them */
	CLB_FIELD_X_CLIENT_PORT,
	CLB_FIELD_X_LISTENER_ADDRESS,
	CLB_FIELD_X_LISTENER_NAME,
};

/* Classes of bytes: tchar, and what a value or a target may hold (RFC 9110). */
enum {
	CLB_BYTE_TOKEN = 1 << 0,
	CLB_BYTE_VALUE = 1 << 1, /* HT, SP, visible, 0x80-0xff */
	CLB_BYTE_TARGET = 1 << 2, /* visible, without # */
	CLB_BYTE_HOST = 1 << 3, /* of a name or address, with port */
};

extern const uint8_t clb_bytes[256];

/* How many bytes from @at on are of @class, @size at most. */
static inline size_t clb_bytes_span(const char *at, size_t size, uint8_t class)
{
	size_t i = 0;

	while (i < size && (clb_bytes[(uint8_t)at[i]] & class))
		i++;
	return i;
}

/* Equal but for the case of ASCII letters; @word is in lower case. */
bool clb_bytes_equal(const char *at, size_t size, const char *word);

enum clb_field_id clb_field_find(const char *name, size_t size);

/* Whether the field frames a message, or says where it goes: never of one hop. */
bool clb_field_is_vital(enum clb_field_id id);

/* Whether a trailer may be so called: RFC 9110 6.5.1. */
bool clb_field_may_trail(const char *name, size_t size);

#endif /* CLBD_FIELD_H */
