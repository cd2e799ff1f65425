/* SPDX-License-Identifier: MIT */
/* What the kernel says about a request it refuses. */
#ifndef CLB_LIB_EXTACK_H
#define CLB_LIB_EXTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct clb_error - why something failed
 * @code: negative errno
 * @message: the kernel's words, or this library's; may be empty
 * @nest: name of the object that holds the attribute at fault, or NULL
 * @attribute: name of the attribute, or NULL where only the nest is known
 * @missing: the attribute is not wrong but absent
 * @has_range: the kernel told which values it takes
 * @minimum: smallest of them
 * @maximum: largest of them
 */
struct clb_error {
	int code;
	char message[160];
	const char *nest;
	const char *attribute;
	bool missing;
	bool has_range;
	uint64_t minimum;
	uint64_t maximum;
};

/* Sets code and message, clears the rest. Return: @code */
int clb_error_set(struct clb_error *error, int code, const char *message);

/**
 * clb_extack_parse() - decode an NLMSG_ERROR or NLMSG_DONE message
 * @reply: the whole message, from its struct nlmsghdr on
 * @length: bytes there are
 * @sent: the request it answers, to name attributes; may be NULL
 * @sent_length: its size
 * @out: result; untouched unless the kernel reports an error
 *
 * Pure: no allocation, no side effects. Extended data that is malformed is
 * left out: the error code counts.
 *
 * Return: 0: success, -EBADMSG: not such a message, or cut short; else the
 * error code, as in @out
 */
int clb_extack_parse(const void *reply, size_t length, const void *sent,
		     size_t sent_length, struct clb_error *out);

#endif /* CLB_LIB_EXTACK_H */
