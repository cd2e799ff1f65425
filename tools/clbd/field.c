// SPDX-License-Identifier: MIT
/* Names of HTTP fields. Pure: nothing is allocated or kept. */
#include "clbd/field.h"

#include <string.h>

#define TOKEN CLBD_BYTE_TOKEN
#define VALUE CLBD_BYTE_VALUE
#define TARGET CLBD_BYTE_TARGET
#define HOST CLBD_BYTE_HOST
#define ALNUM (TOKEN | VALUE | TARGET | HOST)

const uint8_t clbd_bytes[256] = {
	['\t'] = VALUE,
	[' '] = VALUE,
	['!'] = TOKEN | VALUE | TARGET,
	['"'] = VALUE | TARGET,
	['#'] = TOKEN | VALUE,
	['$' ... '\''] = TOKEN | VALUE | TARGET,
	['(' ... ')'] = VALUE | TARGET,
	['*' ... '+'] = TOKEN | VALUE | TARGET,
	[','] = VALUE | TARGET,
	['-' ... '.'] = ALNUM,
	['/'] = VALUE | TARGET,
	['0' ... '9'] = ALNUM,
	[':'] = VALUE | TARGET | HOST,
	[';' ... '@'] = VALUE | TARGET,
	['A' ... 'Z'] = ALNUM,
	['['] = VALUE | TARGET | HOST,
	['\\'] = VALUE | TARGET,
	[']'] = VALUE | TARGET | HOST,
	['^'] = TOKEN | VALUE | TARGET,
	['_'] = ALNUM,
	['`'] = TOKEN | VALUE | TARGET,
	['a' ... 'z'] = ALNUM,
	['{'] = VALUE | TARGET,
	['|'] = TOKEN | VALUE | TARGET,
	['}'] = VALUE | TARGET,
	['~'] = TOKEN | VALUE | TARGET,
	[0x80 ... 0xff] = VALUE,
};

bool clbd_bytes_equal(const char *at, size_t size, const char *word)
{
	size_t i;

	for (i = 0; i < size; i++) {
		char c = at[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != word[i] || !c)
			return false;
	}
	return !word[size];
}

struct name {
	const char *text;
	enum clbd_field_id id;
};

#define NAMES(length) [length] = (const struct name[])

/* By length: few are left to compare with. */
static const struct name *const names[] = {
	NAMES(2) { { "te", CLBD_FIELD_TE }, { NULL, 0 } },
	NAMES(4) { { "host", CLBD_FIELD_HOST }, { NULL, 0 } },
	NAMES(5) { { "proxy", CLBD_FIELD_PROXY }, { NULL, 0 } },
	NAMES(6) {
		{ "cookie", CLBD_FIELD_COOKIE },
		{ "expect", CLBD_FIELD_EXPECT },
		{ NULL, 0 },
	},
	NAMES(7) {
		{ "referer", CLBD_FIELD_REFERER },
		{ "trailer", CLBD_FIELD_TRAILER },
		{ "upgrade", CLBD_FIELD_UPGRADE },
		{ NULL, 0 },
	},
	NAMES(10) {
		{ "connection", CLBD_FIELD_CONNECTION },
		{ "keep-alive", CLBD_FIELD_KEEP_ALIVE },
		{ "set-cookie", CLBD_FIELD_SET_COOKIE },
		{ "user-agent", CLBD_FIELD_USER_AGENT },
		{ NULL, 0 },
	},
	NAMES(14) { { "content-length", CLBD_FIELD_CONTENT_LENGTH },
		    { NULL, 0 } },
	NAMES(15) {
		{ "x-forwarded-for", CLBD_FIELD_X_FORWARDED_FOR },
		{ "x-listener-name", CLBD_FIELD_X_LISTENER_NAME },
		{ NULL, 0 },
	},
	NAMES(16) {
		{ "proxy-connection", CLBD_FIELD_PROXY_CONNECTION },
		{ "x-forwarded-port", CLBD_FIELD_X_FORWARDED_PORT },
		{ NULL, 0 },
	},
	NAMES(17) {
		{ "transfer-encoding", CLBD_FIELD_TRANSFER_ENCODING },
		{ "x-forwarded-proto", CLBD_FIELD_X_FORWARDED_PROTO },
		{ NULL, 0 },
	},
	NAMES(18) { { "x-listener-address", CLBD_FIELD_X_LISTENER_ADDRESS },
		    { NULL, 0 } },
	NAMES(26) { { "x-forwarded-client-srcport", CLBD_FIELD_X_CLIENT_PORT },
		    { NULL, 0 } },
};

#define LONGEST (sizeof(names) / sizeof(names[0]) - 1)

static enum clbd_field_id find(const char *name, size_t size)
{
	const struct name *at;

	if (!names[size])
		return CLBD_FIELD_OTHER;
	for (at = names[size]; at->text; at++) {
		if (clbd_bytes_equal(name, size, at->text))
			return at->id;
	}
	return CLBD_FIELD_OTHER;
}

/* As CGI programs see it, to whom dashes and underscores are the same. */
static bool is_disguised(const char *name, size_t size)
{
	char dashed[LONGEST];
	size_t i;

	if (!memchr(name, '_', size))
		return false;
	for (i = 0; i < size; i++)
		dashed[i] = name[i] == '_' ? '-' : name[i];
	return find(dashed, size) != CLBD_FIELD_OTHER;
}

enum clbd_field_id clbd_field_find(const char *name, size_t size)
{
	enum clbd_field_id id;

	if (size > LONGEST)
		return CLBD_FIELD_OTHER;
	id = find(name, size);
	if (id == CLBD_FIELD_OTHER && is_disguised(name, size))
		return CLBD_FIELD_DISGUISED;
	return id;
}

bool clbd_field_is_vital(enum clbd_field_id id)
{
	switch (id) {
	case CLBD_FIELD_CONTENT_LENGTH:
	case CLBD_FIELD_COOKIE:
	case CLBD_FIELD_EXPECT:
	case CLBD_FIELD_HOST:
	case CLBD_FIELD_TRANSFER_ENCODING:
	case CLBD_FIELD_X_FORWARDED_FOR:
	case CLBD_FIELD_X_FORWARDED_PORT:
	case CLBD_FIELD_X_FORWARDED_PROTO:
		return true;
	default:
		return false;
	}
}

bool clbd_field_may_trail(const char *name, size_t size)
{
	static const char *const refused[] = {
		"authorization", "cache-control", "content-encoding",
		"content-range", "content-type", "max-forwards", "range",
		"www-authenticate",
	};
	size_t i;

	if (clbd_field_find(name, size) != CLBD_FIELD_OTHER)
		return false;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (clbd_bytes_equal(name, size, refused[i]))
			return false;
	}
	return true;
}
