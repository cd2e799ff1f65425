// SPDX-License-Identifier: MIT
/* Parts of clbd by themselves: rates, deadlines, PROXY protocol, cookies. */
#include <stdlib.h>
#include <string.h>

#include "clbd/cookie.h"
#include "clbd/health.h"
#include "clbd/proxy.h"
#include "clbd/rate.h"
#include "clbd/wheel.h"
#include "test.h"

static void rates_let_pass(void **state)
{
	static const struct {
		uint32_t requests;
		uint32_t burst;
		uint64_t parts;
		uint32_t at_once;
		uint64_t next; /* ms until one more */
	} cases[] = {
		{ 10, 0, 1, 10, 100 },	 { 10, 3, 1, 3, 100 },
		{ 1, 1, 1, 1, 1000 },	 { 1, 1, 4, 1, 4000 },
		{ 10, 20, 4, 5, 400 },	 { 10000000, 0, 1, 10000000, 1 },
		{ 1, 10000000, 1, 10000000, 1000 },
	};
	struct clbd_rate rate;
	uint64_t now = 5;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		clbd_rate_init(&rate, cases[i].requests, cases[i].burst,
			       cases[i].parts, now);
		for (j = 0; j < cases[i].at_once; j++)
			assert_true(clbd_rate_take(&rate, now));
		assert_false(clbd_rate_take(&rate, now));
		now += cases[i].next - 1;
		assert_false(clbd_rate_take(&rate, now));
		assert_true(clbd_rate_take(&rate, ++now));
		/* However long nobody came, no more than at first. */
		now += 1ull << 60;
		for (j = 0; j < cases[i].at_once; j++)
			assert_true(clbd_rate_take(&rate, now));
		assert_false(clbd_rate_take(&rate, now));
	}
	clbd_rate_init(&rate, 0, 0, 1, now);
	for (j = 0; j < 100; j++)
		assert_true(clbd_rate_take(&rate, now));
}

static unsigned int expire_all(struct clbd_wheel *wheel, uint64_t now)
{
	unsigned int count = 0;

	while (clbd_wheel_expired(wheel, now))
		count++;
	return count;
}

static void deadlines_pass(void **state)
{
	struct clbd_timer timers[3] = { { 0 } };
	static struct clbd_wheel wheel;
	uint64_t start = 1000000;

	(void)state;
	clbd_wheel_init(&wheel, start);
	clbd_timer_set(&wheel, &timers[0], start + 1000);
	clbd_timer_set(&wheel, &timers[1], start + 1000000);
	clbd_timer_set(&wheel, &timers[2], start + 2000);
	assert_int_equal(expire_all(&wheel, start + 999), 0);
	assert_int_equal(expire_all(&wheel, start + 1000 + 2 * CLBD_WHEEL_TICK),
			 1);
	/* put off */
	clbd_timer_set(&wheel, &timers[2], start + 9000);
	assert_int_equal(expire_all(&wheel, start + 8999), 0);
	/* earlier than its place */
	clbd_timer_set(&wheel, &timers[2], start + 9100);
	assert_int_equal(expire_all(&wheel, start + 9100 + 2 * CLBD_WHEEL_TICK),
			 1);
	assert_int_equal(expire_all(&wheel, start + 999999), 0);
	assert_int_equal(expire_all(&wheel, start + 1000000 +
					    2 * CLBD_WHEEL_TICK), 1);
	clbd_timer_set(&wheel, &timers[0], start + 2000000);
	clbd_timer_stop(&timers[0]);
	assert_int_equal(expire_all(&wheel, start + 9000000), 0);
}

/* At random, against the plain rule: never early, late by two ticks at most. */
static void deadlines_by_chance(void **state)
{
	enum { COUNT = 200 };
	static struct clbd_timer timers[COUNT];
	static struct clbd_wheel wheel;
	struct clbd_timer *timer;
	uint64_t now = 5000000;
	unsigned int i;

	(void)state;
	srandom(1);
	clbd_wheel_init(&wheel, now);
	for (i = 0; i < 200000; i++) {
		size_t n = random() % COUNT;

		if (random() % 4)
			clbd_timer_set(&wheel, &timers[n],
				       now + random() % 100000);
		else
			clbd_timer_stop(&timers[n]);
		now += random() % 50;
		while ((timer = clbd_wheel_expired(&wheel, now))) {
			assert_true(timer->deadline <= now);
			timer->deadline = 0;
		}
		n = random() % COUNT;
		assert_true(!timers[n].deadline ||
			    timers[n].deadline + 2 * CLBD_WHEEL_TICK > now);
	}
}

#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define TEXT(text) text, sizeof(text) - 1

/* { bytes, how many, what they are, client; rest: bytes behind the header } */

static const struct {
	const char *data;
	size_t size;
	enum clbd_result result;
	const char *source;
	uint16_t port;
	size_t rest;
} proxies[] = {
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n"), CLBD_DONE,
	  "192.0.2.1", 1000, 0 },
	{ TEXT("PROXY TCP6 2001:db8::1 2001:db8::2 65535 80\r\nGET"),
	  CLBD_DONE, "2001:db8::1", 65535, 3 },
	{ TEXT("PROXY UNKNOWN\r\n"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT("PROXY UNKNOWN a b c\r\n"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\x03\xe8\0\x50"),
	  CLBD_DONE, "192.0.2.1", 1000, 0 },
	{ TEXT(V2 "\x21\x11\0\x0f\xc0\0\2\1\xc0\0\2\2\x03\xe8\0\x50"
	       "\4\0\0" "xy"), CLBD_DONE, "192.0.2.1", 1000, 2 },
	{ TEXT(V2 "\x21\x21\0\x24" "abcdefghijklmnop" "abcdefghijklmnop"
	       "\0\1\0\2"), CLBD_DONE,
	  "6162:6364:6566:6768:696a:6b6c:6d6e:6f70", 1, 0 },
	{ TEXT(V2 "\x20\0\0\0"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x20\x11\0\0"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x31\0\1x"), CLBD_DONE, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x11\0\x0b\xc0\0\2\1\xc0\0\2\2\x03\xe8\0"),
	  CLBD_BAD, NULL, 0, 0 },
	{ TEXT(V2 "\x11\x11\0\x0c"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT(V2 "\x22\x11\0\x0c"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT(V2 "\x21\x11\xff\xff"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("GET / HTTP/1.1\r\n"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\n"), CLBD_BAD, NULL, 0,
	  0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000\r\n"), CLBD_BAD, NULL, 0,
	  0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 80 \r\n"), CLBD_BAD, NULL,
	  0, 0 },
	{ TEXT("PROXY TCP4 192.0.2.1  192.0.2.2 1000 80\r\n"), CLBD_BAD, NULL,
	  0, 0 },
	{ TEXT("PROXY TCP4 192.0.2.1 192.0.2.2 1000 65536\r\n"), CLBD_BAD,
	  NULL, 0, 0 },
	{ TEXT("PROXY TCP4 ::1 ::1 1 2\r\n"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("PROXY TCP5 192.0.2.1 192.0.2.2 1 2\r\n"), CLBD_BAD, NULL, 0,
	  0 },
	{ TEXT("PROXY \r\n"), CLBD_BAD, NULL, 0, 0 },
	{ TEXT("PROXY UNKNOWN 0123456789012345678901234567890123456789012345678"
	       "90123456789012345678901234567890123456789012345678\r\n"),
	  CLBD_BAD, NULL, 0, 0 },
};

/* The same, however it is cut; before it is complete, more is asked for. */
static void proxy_cases(void **state)
{
	char text[CLB_ADDRESS_TEXT];
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(proxies); i++) {
		enum clbd_result result = CLBD_MORE;
		struct clbd_proxy proxy;
		size_t used = 0;

		for (size = 0; result == CLBD_MORE && size <= proxies[i].size;
		     size++)
			result = clbd_proxy_parse(proxies[i].data, size, &proxy,
						  &used);
		if (result != proxies[i].result)
			fail_msg("%zu: %d", i, result);
		if (result != CLBD_DONE)
			continue;
		assert_int_equal(used, proxies[i].size - proxies[i].rest);
		assert_int_equal(proxy.known, !!proxies[i].source);
		if (!proxy.known)
			continue;
		clb_address_format(&proxy.source, text);
		assert_string_equal(text, proxies[i].source);
		assert_int_equal(proxy.port, proxies[i].port);
	}
}

static void cookies_are_found(void **state)
{
	static const struct {
		const char *field;
		const char *values;
	} cases[] = {
		{ "", "" },
		{ "S=1", "1|" },
		{ "S=", "|" },
		{ "S", "" },
		{ "a=b; S=1", "1|" },
		{ "a=b;S=1;c=d", "1|" },
		{ "S=1; S=2", "1|2|" },
		{ "XS=1; s=2; S2=3", "" },
		{ "a=S=1", "" },
		{ ";;; \tS=x=y ;", "x=y |" },
	};
	size_t i, size;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = cases[i].field, *end = at + strlen(at), *value;
		char values[64] = "";

		while (clbd_cookie_next(&at, end, "S", &value, &size)) {
			strncat(values, value, size);
			strcat(values, "|");
		}
		assert_string_equal(values, cases[i].values);
	}
}

/* HMAC-SHA256 as others compute it, its first half. */
static void tokens_are_keyed(void **state)
{
	char token[CLBD_COOKIE_TOKEN];

	(void)state;
	assert_int_equal(clbd_cookie_token("Jefe",
					   "what do ya want for nothing?",
					   token), 0);
	assert_memory_equal(token, "5bdcc146bf60754e6a042426089575c7",
			    sizeof(token));
}

/* A configuration with so many servers, and names that need escapes. */

static void status_of_an_answer(void **state)
{
	static const struct {
		const char *data;
		int status;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\n", 200 },
		{ "HTTP/1.0 404", 404 },
		{ "HTTP/1.1 599", 599 },
		{ "", 0 },
		{ "HTTP/1.1 20", 0 },
		{ "HTTP/1.1 099", -1 },
		{ "HTTP/1.1 600", -1 },
		{ "HTTP/1.1 2x0", -1 },
		{ "HTTP/2.0 200", -1 },
		{ "SSH-2.0", -1 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(clbd_health_status(cases[i].data,
						    strlen(cases[i].data)),
				 cases[i].status);
}

static void prefixes_have_addresses(void **state)
{
	static const struct {
		const char *prefix;
		const char *address;
		bool has;
	} cases[] = {
		{ "10.0.0.0/8", "10.1.2.3", true },
		{ "10.0.0.0/8", "11.1.2.3", false },
		{ "192.0.2.128/25", "192.0.2.200", true },
		{ "192.0.2.128/25", "192.0.2.100", false },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.3", false },
		{ "0.0.0.0/0", "192.0.2.1", true },
		{ "0.0.0.0/0", "::1", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clb_address address;
		struct clbd_prefix prefix;

		assert_int_equal(clb_prefix_parse(cases[i].prefix,
						  &prefix.address,
						  &prefix.length), 0);
		assert_int_equal(clb_address_parse(cases[i].address, &address),
				 0);
		if (clbd_prefix_has(&prefix, 1, &address) != cases[i].has)
			fail_msg("%s %s", cases[i].prefix, cases[i].address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_let_pass),
		cmocka_unit_test(deadlines_pass),
		cmocka_unit_test(deadlines_by_chance),
		cmocka_unit_test(proxy_cases),
		cmocka_unit_test(cookies_are_found),
		cmocka_unit_test(status_of_an_answer),
		cmocka_unit_test(tokens_are_keyed),
		cmocka_unit_test(prefixes_have_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
