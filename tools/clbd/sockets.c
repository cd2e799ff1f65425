// SPDX-License-Identifier: MIT
/*
 * Listening sockets of the workers, over reloads and from one program to the
 * next.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clbd/parent.h"

/* One that the worker has, or was left by the program before. -ENOENT: none */
static int known_socket(const struct clbd_parent *parent, unsigned int index,
			const char *address)
{
	const struct clbd_config *config = parent->source.config;
	const int *sockets = parent->workers[index].sockets;
	unsigned int i;

	for (i = 0; sockets && i < config->listener_count; i++) {
		if (!strcmp(config->listeners[i].address, address))
			return fcntl(sockets[i], F_DUPFD_CLOEXEC, 0);
	}
	return clbd_upgrade_heir(parent, index, address);
}

int *clbd_sockets_open(const struct clbd_parent *parent, unsigned int index,
		       const struct clbd_config *config,
		       char error[CLBD_CONFIG_ERROR])
{
	int *sockets = calloc(config->listener_count, sizeof(*sockets));
	unsigned int i;

	snprintf(error, CLBD_CONFIG_ERROR, "out of memory");
	for (i = 0; sockets && i < config->listener_count; i++) {
		const char *address = config->listeners[i].address;

		sockets[i] = known_socket(parent, index, address);
		if (sockets[i] < 0)
			sockets[i] = clbd_listen(&config->listeners[i]);
		if (sockets[i] >= 0)
			continue;
		snprintf(error, CLBD_CONFIG_ERROR, "listener %s: %s: %s",
			 config->listeners[i].name, address,
			 strerror(-sockets[i]));
		while (i-- > 0)
			close(sockets[i]);
		free(sockets);
		return NULL;
	}
	return sockets;
}

void clbd_sockets_close(int *sockets, const struct clbd_config *config)
{
	unsigned int i;

	for (i = 0; sockets && i < config->listener_count; i++)
		close(sockets[i]);
	free(sockets);
}

static void drop_sockets(const struct clbd_parent *parent, int **sockets,
			 const struct clbd_config *config)
{
	unsigned int i;

	for (i = 0; i < parent->count; i++)
		clbd_sockets_close(sockets[i], config);
	free(sockets);
}

int **clbd_sockets_open_all(const struct clbd_parent *parent,
			    const struct clbd_config *config,
			    char error[CLBD_CONFIG_ERROR])
{
	int **sockets = calloc(parent->count, sizeof(*sockets));
	unsigned int i;

	snprintf(error, CLBD_CONFIG_ERROR, "out of memory");
	for (i = 0; sockets && i < parent->count; i++) {
		sockets[i] = clbd_sockets_open(parent, i, config, error);
		if (sockets[i])
			continue;
		drop_sockets(parent, sockets, config);
		return NULL;
	}
	return sockets;
}
