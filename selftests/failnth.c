// SPDX-License-Identifier: MIT
/*
 * For faults.py: system calls in which the kernel runs out of memory once. See
 * fault-injection.rst of the kernel. In C, so that nothing else of the program
 * allocates while a fault is armed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Number of the allocation, from now on, that fails. */
static int arm(int fd, int nth)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", nth);

	return pwrite(fd, text, length, 0) == length ? 0 : -1;
}

/*
 * Does a system call. *nth: which allocation of it fails, counted from 1; 0:
 * none. Afterwards what is left of that count; 0: one has failed. fd:
 * /proc/thread-self/fail-nth. Returns the result or -errno.
 */
long fail_nth_syscall(int fd, int *nth, long number, const long args[6])
{
	char text[16] = "";
	long rc;

	if (*nth && arm(fd, *nth))
		abort();
	rc = syscall(number, args[0], args[1], args[2], args[3], args[4],
		     args[5]);
	if (rc < 0)
		rc = -errno;
	if (*nth) {
		if (pread(fd, text, sizeof(text) - 1, 0) <= 0 || arm(fd, 0))
			abort();
		*nth = atoi(text);
	}
	return rc;
}
