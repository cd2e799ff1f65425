// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "secret.h"

#define DIGITS (2 * CLB_SECRET_LENGTH)

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit |= 0x20;
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static int decode(const char *text, size_t length,
		  uint8_t secret[CLB_SECRET_LENGTH])
{
	uint8_t bytes[CLB_SECRET_LENGTH];
	int high, low, i, err = -EINVAL;

	if (length == DIGITS + 1 && text[DIGITS] == '\n')
		length--;
	if (length != DIGITS)
		return -EINVAL;
	for (i = 0; i < CLB_SECRET_LENGTH; i++) {
		high = digit_value(text[2 * i]);
		low = digit_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			goto out;
		bytes[i] = high << 4 | low;
	}
	memcpy(secret, bytes, sizeof(bytes));
	err = 0;
out:
	/* all but one digit of a secret is as good as a secret */
	explicit_bzero(bytes, sizeof(bytes));
	return err;
}

/* One byte more than there should be, to see that there is none. */
static int read_from(int fd, uint8_t secret[CLB_SECRET_LENGTH])
{
	char text[DIGITS + 2];
	struct stat status;
	ssize_t length;
	int err;

	if (fstat(fd, &status))
		return -errno;
	if (status.st_mode & (S_IRGRP | S_IROTH))
		return -EPERM;
	if (status.st_uid && status.st_uid != geteuid())
		return -EKEYREJECTED;
	length = read(fd, text, sizeof(text));
	err = length < 0 ? -errno : decode(text, length, secret);
	explicit_bzero(text, sizeof(text));
	return err;
}

int clb_secret_read(const char *path, uint8_t secret[CLB_SECRET_LENGTH])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = read_from(fd, secret);
	close(fd);
	return err;
}
