// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "number.h"

/* Reads digits up to the first other character, which *rest points to. */
static int digits(const char *text, uint64_t max, uint64_t *out,
		  const char **rest)
{
	uint64_t value = 0;
	const char *c;

	for (c = text; *c >= '0' && *c <= '9'; c++) {
		unsigned int digit = *c - '0';

		if (digit > max || value > (max - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (c == text)
		return -EINVAL;
	*out = value;
	*rest = c;
	return 0;
}

int clb_number_parse(const char *text, uint64_t max, uint64_t *out)
{
	const char *rest;
	uint64_t value;
	int err;

	err = digits(text, max, &value, &rest);
	if (err)
		return err;
	if (*rest)
		return -EINVAL;
	*out = value;
	return 0;
}

static uint64_t suffix_scale(const char *suffix)
{
	if (!*suffix)
		return 1;
	if (suffix[1])
		return 0;
	switch (*suffix) {
	case 'k':
	case 'K':
		return 1000;
	case 'm':
	case 'M':
		return 1000 * 1000;
	case 'g':
	case 'G':
		return 1000 * 1000 * 1000;
	default:
		return 0;
	}
}

int clb_scaled_parse(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value, scale;
	const char *rest;
	int err;

	err = digits(text, max, &value, &rest);
	if (err)
		return err;
	scale = suffix_scale(rest);
	if (!scale)
		return -EINVAL;
	if (value > max / scale)
		return -ERANGE;
	*out = value * scale;
	return 0;
}

void clb_scaled_format(uint64_t value, char text[CLB_NUMBER_TEXT])
{
	static const char suffixes[] = { 0, 'k', 'm', 'g' };
	unsigned int i = 0;

	while (value && value % 1000 == 0 && i < sizeof(suffixes) - 1) {
		value /= 1000;
		i++;
	}
	if (i)
		snprintf(text, CLB_NUMBER_TEXT, "%" PRIu64 "%c", value,
			 suffixes[i]);
	else
		snprintf(text, CLB_NUMBER_TEXT, "%" PRIu64, value);
}

/* Two digits. */
static char *put_pair(char *at, unsigned int number)
{
	*at++ = (char)('0' + number / 10);
	*at++ = (char)('0' + number % 10);
	return at;
}

/* Millions of these make a list: few steps for few digits. */
char *clb_number_put(char *at, unsigned int number)
{
	if (number >= 100)
		return put_pair(clb_number_put(at, number / 100), number % 100);
	if (number >= 10)
		return put_pair(at, number);
	*at++ = (char)('0' + number);
	return at;
}
