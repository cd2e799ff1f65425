// SPDX-License-Identifier: MIT
/*
 * What a worker may not do, tried as one: see process.py. Ends with 0 if it could,
 * or is killed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clbd/privilege.h"

int main(int argc, char **argv)
{
	struct clbd_privilege privilege = { .change = false };
	struct stat status;

	if (argc != 3 || clbd_privilege_drop(&privilege, true))
		return 2;
	if (!strcmp(argv[1], "name"))
		return stat(argv[2], &status) ? 1 : 0;
	if (!strcmp(argv[1], "kill"))
		return syscall(SYS_tgkill, atoi(argv[2]), atoi(argv[2]), 0) ? 1
									    : 0;
	abort();
}
