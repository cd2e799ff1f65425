// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "lib/address.h"
#include "test.h"

/* { text, text as printed (NULL: refused), port (-1: none) } */
static const struct {
	const char *text;
	const char *printed;
	int port;
} endpoints[] = {
	{ "192.0.2.1", "192.0.2.1:all", -1 },
	{ "192.0.2.1:80", "192.0.2.1:80", 80 },
	{ "192.0.2.1:65535", "192.0.2.1:65535", 65535 },
	{ "192.0.2.1:0", "192.0.2.1:all", 0 },
	{ "192.0.2.1:all", "192.0.2.1:all", 0 },
	{ "2001:db8::1", "[2001:db8::1]:all", -1 },
	{ "2001:db8::1:80", "[2001:db8::1:80]:all", -1 },
	{ "[2001:db8::1]", "[2001:db8::1]:all", -1 },
	{ "[2001:db8::1]:443", "[2001:db8::1]:443", 443 },
	{ "[::]:all", "[::]:all", 0 },
	{ "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:all", -1 },
	{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 65535 },
	{ "", NULL, 0 },
	{ ":", NULL, 0 },
	{ ":80", NULL, 0 },
	{ "192.0.2.1:", NULL, 0 },
	{ "192.0.2.1:65536", NULL, 0 },
	{ "192.0.2.1:-1", NULL, 0 },
	{ "192.0.2.1:http", NULL, 0 },
	{ "192.0.2.1:al", NULL, 0 },
	{ "192.0.2", NULL, 0 },
	{ "192.0.2.256", NULL, 0 },
	{ "192.0.2.01", NULL, 0 },
	{ "0x7f000001", NULL, 0 },
	{ "localhost:80", NULL, 0 },
	{ "[192.0.2.1]:80", NULL, 0 },
	{ "[2001:db8::1", NULL, 0 },
	{ "[2001:db8::1]80", NULL, 0 },
	{ "[2001:db8::1]:", NULL, 0 },
	{ "2001:db8::1]:80", NULL, 0 },
	{ "[]:80", NULL, 0 },
	{ "fe80::1%eth0", NULL, 0 },
	{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd",
	  NULL, 0 },
};

static void endpoint_cases(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(endpoints); i++) {
		struct clb_address address = { .length = 99 };
		char text[CLB_ADDRESS_TEXT];
		uint16_t port = 4711;
		bool has_port = true;
		int err = clb_endpoint_parse(endpoints[i].text, &address,
					     &port, &has_port);

		if (!endpoints[i].printed) {
			assert_int_equal(err, -EINVAL);
			assert_int_equal(address.length, 99);
			assert_int_equal(port, 4711);
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(has_port, endpoints[i].port >= 0);
		assert_int_equal(port, has_port ? endpoints[i].port : 0);
		clb_endpoint_format(&address, port, text);
		assert_string_equal(text, endpoints[i].printed);
	}
}

static void prefix_cases(void **state)
{
	static const struct {
		const char *text;
		const char *printed;
	} cases[] = {
		{ "10.0.0.0/8", "10.0.0.0/8" },
		{ "10.0.0.0/0", "10.0.0.0/0" },
		{ "10.0.0.1", "10.0.0.1/32" },
		{ "10.0.0.1/8", "10.0.0.1/8" },
		{ "2001:db8::/32", "2001:db8::/32" },
		{ "2001:db8::1", "2001:db8::1/128" },
		{ "::/0", "::/0" },
		{ "10.0.0.0/33", NULL },
		{ "2001:db8::/129", NULL },
		{ "10.0.0.0/", NULL },
		{ "10.0.0.0/-1", NULL },
		{ "10.0.0.0/8/8", NULL },
		{ "10.0.0.0/255.0.0.0", NULL },
		{ "/8", NULL },
		{ "all", NULL },
		{ "", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clb_address address = { .length = 99 };
		char text[CLB_ADDRESS_TEXT];
		uint8_t prefix = 99;
		int err = clb_prefix_parse(cases[i].text, &address, &prefix);

		assert_int_equal(err, cases[i].printed ? 0 : -EINVAL);
		if (err) {
			assert_int_equal(address.length, 99);
			assert_int_equal(prefix, 99);
			continue;
		}
		clb_prefix_format(&address, prefix, text);
		assert_string_equal(text, cases[i].printed);
	}
}

static void order(void **state)
{
	static const char *const sorted[] = {
		"0.0.0.0", "9.255.255.255", "10.0.0.0", "192.0.2.1",
		"::", "2001:db8::1", "2001:db8::2",
	};
	struct clb_address a, b;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(sorted); i++) {
		for (j = 0; j < ARRAY_SIZE(sorted); j++) {
			int result;

			assert_int_equal(clb_address_parse(sorted[i], &a), 0);
			assert_int_equal(clb_address_parse(sorted[j], &b), 0);
			result = clb_address_compare(&a, &b);
			assert_int_equal(result < 0, i < j);
			assert_int_equal(result > 0, i > j);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoint_cases),
		cmocka_unit_test(prefix_cases),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
