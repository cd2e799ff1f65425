/* SPDX-License-Identifier: MIT */
#ifndef CLB_LIB_SECRET_H
#define CLB_LIB_SECRET_H

#include <stdint.h>

#define CLB_SECRET_LENGTH 32

/**
 * clb_secret_read() - read a cluster's secret
 * @path: of a file that holds 64 hexadecimal digits, with or without an end
 *	of line
 * @secret: result; untouched on failure
 *
 * Return: 0; -EINVAL: the file holds something else; -EPERM: others than its
 *	owner may read it; -EKEYREJECTED: its owner is neither root nor who runs
 *	this; or the error of opening or reading it
 */
int clb_secret_read(const char *path, uint8_t secret[CLB_SECRET_LENGTH]);

#endif /* CLB_LIB_SECRET_H */
