// SPDX-License-Identifier: MIT
/* clbd as a client of its control socket. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "clbd/control.h"
#include "clbd/parent.h"

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd >= 0 && !connect(fd, (const void *)&address, sizeof(address)))
		return fd;
	fprintf(stderr, "clbd: %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Return: 0, or -EINVAL for what cannot be a command */
static int write_line(char line[CLBD_COMMAND_MAX + 1], char **words, int count)
{
	struct clbd_command command;
	size_t size = 0;
	const char *why;
	int i;

	for (i = 0; i < count; i++) {
		size += snprintf(line + size, CLBD_COMMAND_MAX + 1 - size,
				 "%s%c", words[i], i + 1 < count ? ' ' : '\n');
		if (size > CLBD_COMMAND_MAX)
			size = CLBD_COMMAND_MAX;
	}
	if (clbd_command_parse(line, size, &command, &why) == CLBD_DONE)
		return 0;
	fprintf(stderr, "clbd: %s: %s\nTry 'clbd --help'.\n", words[0], why);
	return -EINVAL;
}

/* Prints the answer. Return: exit status */
static int talk(int fd, const char *line)
{
	static const char good[] = "{\"ok\":true";
	char data[4096], begin[sizeof(good)] = "";
	size_t total = 0, i;
	ssize_t n;

	if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
		perror("clbd");
	while ((n = recv(fd, data, sizeof(data), 0)) > 0) {
		for (i = 0; i < (size_t)n && total + i < sizeof(good) - 1; i++)
			begin[total + i] = data[i];
		fwrite(data, 1, n, stdout);
		total += n;
	}
	if (n < 0 || !total)
		fprintf(stderr, "clbd: no answer: %s\n",
			n < 0 ? strerror(errno) : "the other end closed");
	return strcmp(begin, good) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Where the control socket is, by the configuration. To be freed; NULL: told */
static char *find_path(const char *config)
{
	char error[CLBD_CONFIG_ERROR], *path = NULL;
	struct clbd_source source;

	if (clbd_source_read(config, &source, error)) {
		fprintf(stderr, "clbd: %s\n", error);
		return NULL;
	}
	if (source.config->control)
		path = strdup(source.config->control);
	else
		fprintf(stderr, "clbd: %s: has no 'control'\n", config);
	clbd_source_free(&source);
	return path;
}

int clbd_control_ask(const char *config, const char *path, char **words,
		     int count)
{
	char line[CLBD_COMMAND_MAX + 1], *found;
	int fd = -1, status = EXIT_FAILURE;

	if (write_line(line, words, count))
		return 2;
	found = path ? strdup(path) : find_path(config);
	if (found)
		fd = connect_to(found);
	if (fd >= 0) {
		status = talk(fd, line);
		close(fd);
	}
	free(found);
	return status;
}
