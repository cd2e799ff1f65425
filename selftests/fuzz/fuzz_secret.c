// SPDX-License-Identifier: MIT
/*
 * tools/lib/secret.c: a file is a secret where it holds 64 hexadecimal digits
 * and perhaps an end of line, and nothing else; then it is these bytes, and
 * else there is none.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/secret.h"

#define DIGITS (2 * CLB_SECRET_LENGTH)

static void must(int condition)
{
	if (!condition)
		abort();
}

/* A file that its owner alone may read. */
static int file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("secret", MFD_CLOEXEC);

	must(fd >= 0);
	must(!fchmod(fd, 0600));
	must(write(fd, data, size) == (ssize_t)size);
	return fd;
}

static int is_secret(const uint8_t *data, size_t size)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	char text[DIGITS + 1] = "";

	if (size == DIGITS + 1 && data[DIGITS] == '\n')
		size--;
	if (size != DIGITS)
		return 0;
	memcpy(text, data, DIGITS);
	return strspn(text, digits) == DIGITS;
}

static void expect_bytes(const uint8_t *data, const uint8_t *secret)
{
	unsigned int byte, i;

	for (i = 0; i < CLB_SECRET_LENGTH; i++) {
		must(sscanf((const char *)data + 2 * i, "%2x", &byte) == 1);
		must(secret[i] == byte);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t secret[CLB_SECRET_LENGTH], untouched[CLB_SECRET_LENGTH];
	char path[64], text[DIGITS + 1] = "";
	int fd = file_of(data, size);
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(untouched, 0x5a, sizeof(untouched));
	memcpy(secret, untouched, sizeof(secret));
	err = clb_secret_read(path, secret);
	close(fd);
	must((err == 0) == is_secret(data, size));
	if (err) {
		must(!memcmp(secret, untouched, sizeof(secret)));
		return 0;
	}
	memcpy(text, data, DIGITS);
	expect_bytes((const uint8_t *)text, secret);
	return 0;
}
