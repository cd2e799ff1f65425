/* SPDX-License-Identifier: MIT */
/* Numbers as a person writes them: plain, or with a decimal suffix. */
#ifndef CLB_LIB_NUMBER_H
#define CLB_LIB_NUMBER_H

#include <stdint.h>

/* Room for any u64 with a suffix. */
#define CLB_NUMBER_TEXT 24

/**
 * clb_number_parse() - read an unsigned decimal number
 * @text: digits and nothing else
 * @max: largest value accepted
 * @out: result; untouched on failure
 *
 * Return: 0, -EINVAL where @text is no number, -ERANGE where it is too large
 */
int clb_number_parse(const char *text, uint64_t max, uint64_t *out);

/**
 * clb_scaled_parse() - read a number with an optional suffix k, m or g
 * @text: digits, then nothing or one suffix: 10^3, 10^6 or 10^9
 * @max: largest value accepted, after scaling
 * @out: result; untouched on failure
 *
 * Return: 0, -EINVAL or -ERANGE as clb_number_parse()
 */
int clb_scaled_parse(const char *text, uint64_t max, uint64_t *out);

/**
 * clb_scaled_format() - write a number so that clb_scaled_parse() reads it
 * @value: any number
 * @text: result; has a suffix only where nothing is lost by it
 */
void clb_scaled_format(uint64_t value, char text[CLB_NUMBER_TEXT]);

/*
 * Writes a number without a terminating zero and returns the end: where sessions
 * are listed by the million, snprintf() would be most of the time.
 */
char *clb_number_put(char *at, unsigned int number);

#endif /* CLB_LIB_NUMBER_H */
