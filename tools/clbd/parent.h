/* SPDX-License-Identifier: MIT */
/* The parent: it has the configuration, the sockets and the children. */
#ifndef CLBD_PARENT_H
#define CLBD_PARENT_H

#include <limits.h>

#include "clbd/checks.h"
#include "clbd/config.h"
#include "clbd/control.h"
#include "clbd/order.h"
#include "clbd/outage.h"
#include "clbd/privilege.h"
#include "clbd/stats.h"
#include "clbd/upgrade.h"

/**
 * struct clbd_child - a worker, the log, or the checks
 * @pid: 0: not running
 * @control: socket to it
 * @started: ms of the monotonic clock
 * @ready: it has taken the present configuration
 * @pipe: both ends of a worker's pipe to the log; they outlive it
 * @sockets: listening sockets of a worker, as many as listeners; so do they
 */
struct clbd_child {
	pid_t pid;
	int control;
	uint64_t started;
	bool ready;
	int pipe[2];
	int *sockets;
};

/*
 * A configuration, what it wants to be checked, its text in a file for the
 * workers, and its pages or -1.
 */
struct clbd_source {
	struct clbd_config *config;
	struct clbd_checks checks;
	int file;
	int pages;
};

/**
 * struct clbd_parent - all that the parent has
 * @path: of the configuration
 * @program: path of what runs here, and is run anew by an upgrade
 * @source: the present one
 * @shared: everybody's counters
 * @log: the log's process
 * @health: that of the checks
 * @outages: servers that are out; workers that start are told
 * @outage_count: how many
 * @workers: the others
 * @count: of workers
 * @signals: file that signals come from
 * @stopping: no child is started again
 * @announced: that all workers are ready was told
 */
struct clbd_parent {
	const char *path;
	char program[PATH_MAX];
	struct clbd_source source;
	struct clbd_control control;
	struct clbd_upgrade upgrade;
	struct clbd_privilege privilege;
	struct clbd_shared *shared;
	struct clbd_child log;
	struct clbd_child health;
	struct clbd_outage *outages;
	unsigned int outage_count;
	struct clbd_child *workers;
	unsigned int count;
	int signals;
	uint64_t kill_at;
	bool stopping;
	bool announced;
};

/* Return: exit status */
int clbd_parent_run(const char *path);

/* ms of the monotonic clock */
uint64_t clbd_parent_now(void);

/* Reads the configuration again. Return: 0 or -errno, with @error; told, too */
int clbd_parent_reload(struct clbd_parent *parent,
		       char error[CLBD_CONFIG_ERROR]);

/* Reads and checks a file. Return: 0 or -errno, with @error */
int clbd_source_read(const char *path, struct clbd_source *source,
		     char error[CLBD_CONFIG_ERROR]);
void clbd_source_free(struct clbd_source *source);

/* listen.c: a listening socket for a listener. Return: it or -errno */
int clbd_listen(const struct clbd_config_listener *listener);

/* logfile.c: opens the log's file, or syslog's socket, and hands it on. */
void clbd_log_send(const struct clbd_parent *parent);
/* The path of the socket where @log, of the configuration, is syslog, or NULL. */
const char *clbd_log_syslog(const char *log);

/*
 * sockets.c: sockets of a worker for the listeners of a configuration: those it
 * has already, or was left, by address, and new ones. Return: them, or NULL,
 * with @error
 */
int *clbd_sockets_open(const struct clbd_parent *parent, unsigned int index,
		       const struct clbd_config *config,
		       char error[CLBD_CONFIG_ERROR]);
void clbd_sockets_close(int *sockets, const struct clbd_config *config);

/* Those of all workers. */
int **clbd_sockets_open_all(const struct clbd_parent *parent,
			    const struct clbd_config *config,
			    char error[CLBD_CONFIG_ERROR]);

/* child.c */
int clbd_child_start(struct clbd_parent *parent, unsigned int index);
int clbd_child_start_log(struct clbd_parent *parent);
int clbd_child_start_health(struct clbd_parent *parent);
/* Sends configuration, sockets and commit. */
int clbd_child_configure(const struct clbd_parent *parent,
			 struct clbd_child *child);
/* An order; a child that takes none is killed. Return: 0 or -errno */
int clbd_child_order(const struct clbd_child *child, enum clbd_order_kind kind,
		     const char *address, int fd);

/* One about a server, in the same way. */
int clbd_child_tell(const struct clbd_child *child, enum clbd_order_kind kind,
		    const char *address, uint64_t number);

#endif /* CLBD_PARENT_H */
