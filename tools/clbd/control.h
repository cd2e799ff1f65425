/* SPDX-License-Identifier: MIT */
/*
 * The control socket: a connection brings a command (command.h) and gets an
 * object of JSON, on a line: {"ok":true,...} or {"ok":false,"error":"..."}.
 */
#ifndef CLBD_CONTROL_H
#define CLBD_CONTROL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "clbd/command.h"

struct clbd_parent;

/* What an answer waits for. */
enum clbd_control_wait {
	CLBD_CONTROL_NOTHING,
	CLBD_CONTROL_RELOAD,
	CLBD_CONTROL_UPGRADE,
};

/**
 * struct clbd_control_peer - a connection
 * @fd: -1: none
 * @deadline: ms, for the command to come, or the answer to be taken
 * @held: bytes in @in
 * @out: the answer; NULL: none yet
 * @sent: bytes of it
 */
struct clbd_control_peer {
	int fd;
	uint64_t deadline;
	enum clbd_control_wait waits;
	size_t held;
	char in[CLBD_COMMAND_MAX];
	char *out;
	size_t size;
	size_t sent;
};

#define CLBD_CONTROL_PEERS 8
/* Files to be polled for. */
#define CLBD_CONTROL_POLLS (1 + CLBD_CONTROL_PEERS)

/**
 * struct clbd_control - all of them
 * @fd: the listening socket; -1: none
 * @path: where it is; NULL: none is configured
 * @hidden: it is not there yet, but beside it
 * @device, @inode: the file that it is
 */
struct clbd_control {
	int fd;
	char *path;
	char *hidden;
	dev_t device;
	ino_t inode;
	struct clbd_control_peer peers[CLBD_CONTROL_PEERS];
};

/* Nothing is open. */
void clbd_control_init(struct clbd_control *control);

/* The configuration's, beside its place. Return: 0 or -errno; told */
int clbd_control_open(struct clbd_parent *parent);

/* It takes its place, and that of one before. */
void clbd_control_publish(struct clbd_parent *parent);

/* The next program has one. */
void clbd_control_hand_over(struct clbd_parent *parent);

void clbd_control_close(struct clbd_parent *parent);

void clbd_control_poll(struct clbd_parent *parent,
		       struct pollfd polls[CLBD_CONTROL_POLLS]);
void clbd_control_run(struct clbd_parent *parent,
		      const struct pollfd polls[CLBD_CONTROL_POLLS],
		      uint64_t now);

/* What some wait for is there, or came to nothing: @error. */
void clbd_control_tell(struct clbd_parent *parent, enum clbd_control_wait waits,
		       const char *error);

/* ask.c: be the other end; @path: NULL: that of @config. Return: exit status */
int clbd_control_ask(const char *config, const char *path, char **words,
		     int count);

#endif /* CLBD_CONTROL_H */
