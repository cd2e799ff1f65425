// SPDX-License-Identifier: MIT
#include <errno.h>

#include "lib/number.h"
#include "test.h"

static void number_cases(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int err;
		uint64_t value;
	} cases[] = {
		{ "0", 10, 0, 0 },
		{ "10", 10, 0, 10 },
		{ "007", 10, 0, 7 },
		{ "11", 10, -ERANGE, 0 },
		{ "5", 3, -ERANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ "+1", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "0x1", 10, -EINVAL, 0 },
		{ "1k", 10, -EINVAL, 0 },
		{ "1.5", 10, -EINVAL, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 4711;
		int err = clb_number_parse(cases[i].text, cases[i].max,
					   &value);

		assert_int_equal(err, cases[i].err);
		assert_int_equal(value, err ? 4711 : cases[i].value);
	}
}

static void scaled_cases(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int err;
		uint64_t value;
	} cases[] = {
		{ "8000", UINT64_MAX, 0, 8000 },
		{ "8k", UINT64_MAX, 0, 8000 },
		{ "100m", UINT64_MAX, 0, 100000000 },
		{ "100M", UINT64_MAX, 0, 100000000 },
		{ "1000g", UINT64_MAX, 0, 1000000000000 },
		{ "4294967295", UINT32_MAX, 0, UINT32_MAX },
		{ "4294968k", UINT32_MAX, -ERANGE, 0 },
		{ "18446744073709551615k", UINT64_MAX, -ERANGE, 0 },
		{ "k", UINT64_MAX, -EINVAL, 0 },
		{ "1kk", UINT64_MAX, -EINVAL, 0 },
		{ "1t", UINT64_MAX, -EINVAL, 0 },
		{ "1.5g", UINT64_MAX, -EINVAL, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 4711;
		int err = clb_scaled_parse(cases[i].text, cases[i].max,
					   &value);

		assert_int_equal(err, cases[i].err);
		assert_int_equal(value, err ? 4711 : cases[i].value);
	}
}

static void scaled_round_trip(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0" }, { 1, "1" }, { 999, "999" }, { 1000, "1k" },
		{ 1001, "1001" }, { 1500000, "1500k" },
		{ 100000000, "100m" }, { 1000000000000, "1000g" },
		{ UINT64_MAX, "18446744073709551615" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[CLB_NUMBER_TEXT];
		uint64_t value = 4711;

		clb_scaled_format(cases[i].value, text);
		assert_string_equal(text, cases[i].text);
		assert_int_equal(clb_scaled_parse(text, UINT64_MAX, &value), 0);
		assert_int_equal(value, cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_cases),
		cmocka_unit_test(scaled_cases),
		cmocka_unit_test(scaled_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
