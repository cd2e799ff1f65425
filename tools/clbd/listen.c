// SPDX-License-Identifier: MIT
/*
 * Listening sockets and the configuration's file: what only the parent opens.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clbd/pages.h"
#include "clbd/parent.h"

#define BACKLOG 4096
#define CONFIG_SIZE (64 * 1024 * 1024)

/*
 * A worker each: the kernel spreads connections over them. Those that are
 * accepted have TCP_NODELAY from here.
 */
int clbd_listen(const struct clbd_config_listener *listener)
{
	struct sockaddr_storage name;
	socklen_t length = clbd_config_address(listener->address, &name);
	int save = listener->client_address_from_count > 0;
	int one = 1, err;
	int fd = socket(name.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (name.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_SAVE_SYN, &save, sizeof(save)) ||
	    bind(fd, (const void *)&name, length) || listen(fd, BACKLOG)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* The bytes of a file, in one of memory that workers can be given. */
static int copy_file(int from)
{
	int to = memfd_create("clbd.conf", MFD_CLOEXEC);
	char data[65536];
	size_t total = 0;
	ssize_t n;

	if (to < 0)
		return -errno;
	while ((n = read(from, data, sizeof(data))) > 0) {
		total += n;
		if (total > CONFIG_SIZE)
			errno = EFBIG;
		if (total > CONFIG_SIZE || write(to, data, n) != n)
			goto err;
	}
	if (n < 0)
		goto err;
	return to;
err:
	n = -errno;
	close(to);
	return n;
}

static int collect_pages(const char *path, const char *text, size_t size,
			 struct clbd_source *source,
			 char error[CLBD_CONFIG_ERROR])
{
	struct clbd_config_fault fault = { 0 };

	source->pages = clbd_pages_collect(source->config, &fault);
	if (source->pages >= 0 || source->pages == -ENOENT)
		return 0;
	snprintf(error, CLBD_CONFIG_ERROR, "%s:%u: %s: %s", path,
		 clbd_config_line(text, size, fault.path), fault.path,
		 fault.text);
	return -EINVAL;
}

/* Return: 0 or -errno, with @error; what was made so far stays in @source */
static int parse_text(const char *path, const char *text, size_t size,
		      struct clbd_source *source,
		      char error[CLBD_CONFIG_ERROR])
{
	int err = clbd_config_read(path, text, size, &source->config, error);

	if (err)
		return err;
	err = collect_pages(path, text, size, source, error);
	if (!err)
		err = clbd_checks_list(source->config, &source->checks);
	if (err == -ENOMEM)
		snprintf(error, CLBD_CONFIG_ERROR, "out of memory");
	return err;
}

static int parse_file(const char *path, struct clbd_source *source,
		      char error[CLBD_CONFIG_ERROR])
{
	struct stat stat;
	void *text;
	int err;

	if (fstat(source->file, &stat))
		return -errno;
	if (!stat.st_size) {
		snprintf(error, CLBD_CONFIG_ERROR, "%s: is empty", path);
		return -EINVAL;
	}
	text = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, source->file,
		    0);
	if (text == MAP_FAILED)
		return -errno;
	err = parse_text(path, text, stat.st_size, source, error);
	munmap(text, stat.st_size);
	return err;
}

int clbd_source_read(const char *path, struct clbd_source *source,
		     char error[CLBD_CONFIG_ERROR])
{
	struct clbd_source read = { .file = -1, .pages = -1 };
	int err, file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0) {
		err = -errno;
		snprintf(error, CLBD_CONFIG_ERROR, "%s: %s", path,
			 strerror(errno));
		return err;
	}
	read.file = copy_file(file);
	close(file);
	snprintf(error, CLBD_CONFIG_ERROR, "%s: %s", path,
		 read.file < 0 ? strerror(-read.file) : "cannot be read");
	if (read.file < 0)
		return read.file;
	err = parse_file(path, &read, error);
	if (err)
		clbd_source_free(&read);
	else
		*source = read;
	return err;
}

void clbd_source_free(struct clbd_source *source)
{
	clbd_checks_free(&source->checks);
	clbd_config_free(source->config);
	if (source->file >= 0)
		close(source->file);
	if (source->pages >= 0)
		close(source->pages);
	source->config = NULL;
	source->file = source->pages = -1;
}
