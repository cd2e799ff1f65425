// SPDX-License-Identifier: MIT
/*
 * To be preloaded: of the memory the kernel allocates while it handles what
 * the program sends with sendto(), allocation number $FAIL_NTH fails, counted
 * over all that is sent. If the program ends before it, the file
 * $FAIL_NTH_LEFT is made. See fault-injection.rst of the kernel.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int left;
static int fd = -1;

__attribute__((constructor)) static void start(void)
{
	const char *nth = getenv("FAIL_NTH");

	if (!nth)
		return;
	left = atoi(nth);
	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror("fail-nth");
		_exit(99);
	}
}

static void arm(int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fd, text, length, 0) != length)
		_exit(99);
}

/* What is left of the count; 0: an allocation has failed. */
static int disarm(void)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		_exit(99);
	arm(0);
	return atoi(text);
}

ssize_t sendto(int sock, const void *bytes, size_t length, int flags,
	       const struct sockaddr *to, socklen_t to_length)
{
	__typeof__(sendto) *next = dlsym(RTLD_NEXT, "sendto");
	ssize_t sent;

	if (left)
		arm(left);
	sent = next(sock, bytes, length, flags, to, to_length);
	if (left)
		left = disarm();
	return sent;
}

__attribute__((destructor)) static void end(void)
{
	const char *file = getenv("FAIL_NTH_LEFT");

	if (left && file)
		close(open(file, O_CREAT | O_WRONLY, 0600));
}
