// SPDX-License-Identifier: MIT
/* What a saved SYN tells: whole, and cut at each of its bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clbd/toa.h"

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define IPV4(first, protocol)                                                  \
	first "\0\0\0\0\0\0\0\x40" protocol "\0\0\xc0\0\2\1\xc0\0\2\2"
#define IPV6(next)                                                             \
	"\x60\0\0\0\0\0" next "\x40"                                           \
	"abcdefghijklmnop"                                                     \
	"abcdefghijklmnop"
/* @words: how many it has, of four bytes, in the upper half */
#define TCP(words) "\1\2\0\x50\0\0\0\0\0\0\0\0" words "\2\xff\xff\0\0\0\0"
#define MSS "\2\4\5\xb4"
#define OPTION4 "\xfe\x08\x9c\x41\xc0\0\2\x4d"
#define OPTION6                                                                \
	"\xfe\x14\x9c\x41\x20\1\x0d\xb8\0\x0c\0\0\0\0\0\0\0\0\0\x77"
#define PAD "\6\0\1\4\0\0\0\0"

#define TEXT(text) text, sizeof(text) - 1

/* { name, bytes, how many, what they are, the client } */
static const struct {
	const char *name;
	const char *data;
	size_t size;
	enum clbd_result result;
	const char *source;
} cases[] = {
	{ "IPv4", TEXT(IPV4("\x45", "\6")
		       TCP("\x70") OPTION4), CLBD_DONE, "192.0.2.77" },
	{ "IPv6 in IPv4", TEXT(IPV4("\x45", "\6")
			       TCP("\xb0") MSS OPTION6), CLBD_DONE,
	  "2001:db8:c::77" },
	{ "IP options", TEXT(IPV4("\x46", "\6")
			     "\1\1\1\0" TCP("\x70") OPTION4), CLBD_DONE,
	  "192.0.2.77" },
	{ "IPv6", TEXT(IPV6("\6") TCP("\xa0") OPTION6), CLBD_DONE,
	  "2001:db8:c::77" },
	{ "IPv4 in IPv6", TEXT(IPV6("\6") TCP("\x80") MSS OPTION4), CLBD_DONE,
	  "192.0.2.77" },
	{ "extension headers", TEXT(IPV6("\0") "\x2b\0\1\4\0\0\0\0"
				    "\x3c\0\0\0\0\0\0\0"
				    "\x2c\1\1\4\0\0\0\0\0\0\0\0\0\0\0\0"
				    "\x33\0\0\0\0\0\0\0" "\6\1\0\0\0\0\0\0\0\0\0\0"
				    TCP("\x70") OPTION4), CLBD_DONE,
	  "192.0.2.77" },
	{ "no options", TEXT(IPV6("\6") TCP("\x50")), CLBD_DONE, NULL },
	{ "others", TEXT(IPV6("\6") TCP("\x70") MSS "\1\1\4\2"), CLBD_DONE,
	  NULL },
	{ "behind others", TEXT(IPV6("\6") TCP("\xa0") "\1\1" MSS "\3\3\7"
				OPTION4 "\1\1\1"), CLBD_DONE, "192.0.2.77" },
	{ "the first", TEXT(IPV6("\6") TCP("\x90") OPTION4
			    "\xfe\x08\0\7\1\2\3\4"), CLBD_DONE, "192.0.2.77" },
	{ "after another length", TEXT(IPV6("\6") TCP("\x80") "\xfe\4\0\7"
				       OPTION4), CLBD_DONE, "192.0.2.77" },
	{ "behind the end", TEXT(IPV6("\6") TCP("\x90") MSS "\0\0\0\0"
				 OPTION4), CLBD_DONE, NULL },
	{ "after one of length 0", TEXT(IPV6("\6") TCP("\x80") "\5\0\1\1"
					OPTION4), CLBD_DONE, NULL },
	{ "after one of length 1", TEXT(IPV6("\6") TCP("\x80") "\5\1\1\1"
					OPTION4), CLBD_DONE, NULL },
	{ "longer than the header", TEXT(IPV6("\6") TCP("\x60") "\xfe\x08\0\7"
					 "\1\2\3\4"), CLBD_DONE, NULL },
	{ "in the data", TEXT(IPV6("\6") TCP("\x50") OPTION4), CLBD_DONE,
	  NULL },
	{ "UDP", TEXT(IPV4("\x45", "\x11")),
	  CLBD_BAD, NULL },
	{ "short header", TEXT(IPV4("\x44", "\6")),
	  CLBD_BAD, NULL },
	{ "UDP over IPv6", TEXT(IPV6("\x11") "\0\0"), CLBD_BAD, NULL },
	{ "no next header", TEXT(IPV6("\x3c") "\x3b\0\1\4\0\0\0\0" "\0\0"),
	  CLBD_BAD, NULL },
	{ "short TCP header", TEXT(IPV6("\6") TCP("\x40")), CLBD_BAD, NULL },
	{ "neither", TEXT("\x50"), CLBD_BAD, NULL },
};

/* In memory of just so many bytes, for ASan to see what is read behind them. */
static enum clbd_result parse(const char *data, size_t size,
			      struct clbd_toa *toa)
{
	uint8_t *copy = malloc(size ? size : 1);
	enum clbd_result result;

	assert_non_null(copy);
	memcpy(copy, data, size);
	result = clbd_toa_parse(copy, size, toa);
	free(copy);
	return result;
}

/* Cut short, it is not yet known; and then it is what it stays. */
static void cut_everywhere(size_t i)
{
	struct clbd_toa toa;
	enum clbd_result result = CLBD_MORE;
	size_t size;

	for (size = 0; size <= cases[i].size; size++) {
		enum clbd_result before = result;

		memset(&toa, 0xee, sizeof(toa));
		result = parse(cases[i].data, size, &toa);
		if (before != CLBD_MORE && result != before)
			fail_msg("%s: %zu bytes: %d", cases[i].name, size,
				 result);
		if (result != CLBD_DONE)
			assert_int_equal(toa.port, 0xeeee);
	}
}

static void syns_tell(void **state)
{
	char text[CLB_ADDRESS_TEXT];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clbd_toa toa;
		enum clbd_result result = parse(cases[i].data, cases[i].size,
						&toa);

		if (result != cases[i].result)
			fail_msg("%s: %d", cases[i].name, result);
		cut_everywhere(i);
		if (result != CLBD_DONE)
			continue;
		if (toa.known != !!cases[i].source)
			fail_msg("%s: known: %d", cases[i].name, toa.known);
		if (!toa.known)
			continue;
		clb_address_format(&toa.source, text);
		assert_string_equal(text, cases[i].source);
		assert_int_equal(toa.port, 40001);
	}
}

/* Of one with all there may be, each byte becomes each other one. */
static void any_byte(void **state)
{
	static const char syn[] = IPV6("\0") "\x3c\0\1\4\0\0\0\0" PAD
				  TCP("\xb0") MSS OPTION6;
	char data[sizeof(syn) - 1];
	struct clbd_toa toa;
	size_t i;
	int byte;

	(void)state;
	for (i = 0; i < sizeof(data); i++) {
		memcpy(data, syn, sizeof(data));
		for (byte = 0; byte < 256; byte++) {
			data[i] = byte;
			if (parse(data, sizeof(data), &toa) == CLBD_DONE &&
			    toa.known)
				assert_true(toa.source.length == 4 ||
					    toa.source.length == 16);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syns_tell),
		cmocka_unit_test(any_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
