/* SPDX-License-Identifier: MIT */
/*
 * Commands on the control socket: a line of words with a space between them.
 *
 *	status
 *	reload
 *	upgrade
 *	drain ADDRESS:PORT [SECONDS]
 *	up ADDRESS:PORT
 */
#ifndef CLBD_COMMAND_H
#define CLBD_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "clbd/head.h"
#include "lib/address.h"

#define CLBD_COMMAND_MAX 128
#define CLBD_COMMAND_SECONDS_MAX 86400

enum clbd_command_kind {
	CLBD_COMMAND_STATUS,
	CLBD_COMMAND_RELOAD,
	CLBD_COMMAND_UPGRADE,
	CLBD_COMMAND_DRAIN,
	CLBD_COMMAND_UP,
};

/**
 * struct clbd_command - what is wanted
 * @server: of drain and up, as clb_endpoint_format() writes it
 * @seconds: of drain; 0: none were given
 */
struct clbd_command {
	enum clbd_command_kind kind;
	char server[CLB_ADDRESS_TEXT];
	uint32_t seconds;
};

/**
 * clbd_command_parse() - read a command
 * @data: what has come; nothing behind the line is looked at
 * @size: its bytes
 * @command: the result; untouched unless done
 * @why: what is wrong
 *
 * Pure. Return: CLBD_DONE, CLBD_MORE, of which there can be none for
 * CLBD_COMMAND_MAX bytes, or CLBD_BAD
 */
enum clbd_result clbd_command_parse(const char *data, size_t size,
				    struct clbd_command *command,
				    const char **why);

#endif /* CLBD_COMMAND_H */
