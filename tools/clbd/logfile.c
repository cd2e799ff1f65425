// SPDX-License-Identifier: MIT
/* Where the access log goes: opened by the parent, which may. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clbd/log.h"
#include "clbd/order.h"
#include "clbd/parent.h"

/* Never waits: a FIFO that nobody reads is an error. */
static int open_log(const char *path)
{
	int file = open(path,
			O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
			0640);

	if (file >= 0)
		fcntl(file, F_SETFL, O_APPEND);
	return file;
}

/* Who listens there may be started again: then the log's process asks anew. */
static int open_syslog(const char *path)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int err, file = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (file < 0)
		return -1;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s", path);
	if (!connect(file, (const void *)&name, sizeof(name)))
		return file;
	err = errno;
	close(file);
	errno = err;
	return -1;
}

const char *clbd_log_syslog(const char *log)
{
	static const char prefix[] = "syslog:";

	if (!log || strncmp(log, prefix, sizeof(prefix) - 1))
		return NULL;
	log += sizeof(prefix) - 1;
	return *log ? log : "/dev/log";
}

/* What goes before each line: format and facility, for logger.c. */
static void tell_manner(const struct clbd_config_syslog *config, char *out,
			size_t size)
{
	snprintf(out, size, "%u %u", config->format,
		 config->facility ? config->facility : 16);
}

void clbd_log_send(const struct clbd_parent *parent)
{
	const struct clbd_config *config = parent->source.config;
	const char *path = config->log, *syslog = clbd_log_syslog(path);
	char manner[CLB_ADDRESS_TEXT] = "";
	int file = -1;

	if (syslog) {
		file = open_syslog(syslog);
		tell_manner(&config->syslog, manner, sizeof(manner));
	} else if (path && !strcmp(path, "-")) {
		file = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	} else if (path) {
		file = open_log(path);
	}
	if (path && file < 0)
		fprintf(stderr, "clbd: %s: %s\n", path, strerror(errno));
	clbd_child_order(&parent->log, CLBD_ORDER_LOG, manner, file);
	if (file >= 0)
		close(file);
}
