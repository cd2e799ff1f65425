// SPDX-License-Identifier: MIT
/* Files of secrets: what is in them, and whose they are. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clbctl/args.h"
#include "lib/secret.h"
#include "test.h"

#define OTHER_USER 1

static char file_name[] = "/tmp/clb-secret-XXXXXX";

static const char digits[] =
	"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

static void write_file(const char *text, const char *end)
{
	FILE *file = fopen(file_name, "w");

	assert_non_null(file);
	fprintf(file, "%s%s", text, end);
	fclose(file);
}

static void read_fails(int err)
{
	uint8_t secret[CLB_SECRET_LENGTH] = { 0 };
	const uint8_t untouched[CLB_SECRET_LENGTH] = { 0 };

	assert_int_equal(clb_secret_read(file_name, secret), err);
	assert_memory_equal(secret, untouched, sizeof(secret));
}

static void contents(void **state)
{
	uint8_t secret[CLB_SECRET_LENGTH];
	int i;

	(void)state;
	write_file(digits, "");
	assert_int_equal(clb_secret_read(file_name, secret), 0);
	for (i = 0; i < CLB_SECRET_LENGTH; i++)
		assert_int_equal(secret[i], i);
	write_file(digits, "\n");
	assert_int_equal(clb_secret_read(file_name, secret), 0);
	write_file(digits, "\n\n");
	read_fails(-EINVAL);
	write_file(digits, "0");
	read_fails(-EINVAL);
	write_file(digits + 1, "");
	read_fails(-EINVAL);
	write_file(digits + 1, "x");
	read_fails(-EINVAL);
	/* in ASCII as far from 0 as A is from a */
	write_file(digits + 1, "\x10");
	read_fails(-EINVAL);
}

static void readers(void **state)
{
	(void)state;
	write_file(digits, "");
	assert_int_equal(chmod(file_name, 0640), 0);
	read_fails(-EPERM);
	assert_int_equal(chmod(file_name, 0604), 0);
	read_fails(-EPERM);
	assert_int_equal(chmod(file_name, 0600), 0);
}

/* What clbctl says of it, too. */
static void owner(void **state)
{
	struct clb_sync sync = { 0 };
	char keyword[] = "secret", *words[] = { keyword, file_name };
	struct clb_args args = { .words = words, .count = 2 };

	(void)state;
	if (geteuid())
		skip();
	write_file(digits, "");
	assert_int_equal(chown(file_name, OTHER_USER, OTHER_USER), 0);
	read_fails(-EKEYREJECTED);
	assert_int_equal(clb_args_changes(&args, &clb_sync_object, &sync),
			 -EINVAL);
	assert_non_null(strstr(args.error, "is neither root's nor yours"));

	/* It is that user's own. */
	assert_int_equal(seteuid(OTHER_USER), 0);
	args.next = 0;
	assert_int_equal(clb_args_changes(&args, &clb_sync_object, &sync), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chown(file_name, 0, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents),
		cmocka_unit_test(readers),
		cmocka_unit_test(owner),
	};
	int fd = mkstemp(file_name);
	int failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file_name);
	return failed;
}
