/* SPDX-License-Identifier: MIT */
/* clbctl: a table of verbs, each in a file of its own. */
#ifndef CLB_CLBCTL_H
#define CLB_CLBCTL_H

#include "args.h"
#include "lib/client.h"

enum clb_exit {
	CLB_EXIT_OK,
	CLB_EXIT_REFUSED,	/* by the kernel or the system */
	CLB_EXIT_USAGE,
};

struct clb_verb;
struct clb_subcommand;

/**
 * struct clb_context - one run of clbctl
 * @client: socket, from clb_context_open()
 * @verb: what is being run
 * @subcommand: of @verb, or NULL
 * @json: -j
 * @all: -a
 * @add: --add
 * @wait: --wait, in seconds
 * @count: --count, 0: no limit
 * @timeout: --timeout in seconds, 0: none
 */
struct clb_context {
	struct clb_client *client;
	const struct clb_verb *verb;
	const struct clb_subcommand *subcommand;
	bool json;
	bool all;
	bool add;
	unsigned int wait;
	unsigned long count;
	unsigned int timeout;
};

/**
 * struct clb_subcommand - e.g. "add" of "listener"
 * @name: the word
 * @command: for a change of the configuration, what to send
 * @parse: for such a change, reads the words behind the subcommand. Return:
 *	0 or -EINVAL. Also used for the lines of a file.
 * @run: for anything else. Return: enum clb_exit
 */
struct clb_subcommand {
	const char *name;
	enum clb_cmd command;
	int (*parse)(struct clb_args *args, struct clb_message *message);
	int (*run)(struct clb_context *context, struct clb_args *args);
};

/**
 * struct clb_verb - e.g. "listener"
 * @name: the word
 * @summary: one line of help
 * @help: the whole help
 * @options: letters of the options it has beyond those of every verb
 * @subcommands: ended by one without a name; with none of the words, "show",
 *	which must be among them unless a word is needed.
 *	NULL: @itself serves
 * @itself: the verb is its own subcommand
 */
struct clb_verb {
	const char *name;
	const char *summary;
	const char *help;
	const char *options;
	const struct clb_subcommand *subcommands;
	struct clb_subcommand itself;
};

extern const struct clb_verb clb_verb_listener;
extern const struct clb_verb clb_verb_server;
extern const struct clb_verb clb_verb_check;
extern const struct clb_verb clb_verb_acl;
extern const struct clb_verb clb_verb_local;
extern const struct clb_verb clb_verb_settings;
extern const struct clb_verb clb_verb_session;
extern const struct clb_verb clb_verb_stats;
extern const struct clb_verb clb_verb_sync;
extern const struct clb_verb clb_verb_node;
extern const struct clb_verb clb_verb_monitor;
extern const struct clb_verb clb_verb_save;
extern const struct clb_verb clb_verb_restore;
extern const struct clb_verb clb_verb_flush;
extern const struct clb_verb clb_verb_version;

/**
 * clb_verb_find() - find the verb and the subcommand a command begins with
 * @args: takes their words
 * @verb: result, set as soon as the verb is known
 * @subcommand: result
 *
 * Return: 0 or -EINVAL with args->error set
 */
int clb_verb_find(struct clb_args *args, const struct clb_verb **verb,
		  const struct clb_subcommand **subcommand);

/* Opens context->client once; says why not. Return: enum clb_exit */
int clb_context_open(struct clb_context *context);

/* Report on stderr. Return: CLB_EXIT_USAGE or CLB_EXIT_REFUSED */
int clb_report_usage(const struct clb_context *context,
		     const struct clb_args *args);
int clb_report_error(const struct clb_context *context,
		     const struct clb_message *about,
		     const struct clb_error *error);

/**
 * clb_error_format() - why the kernel refused, in words
 * @error: what it said
 * @about: the request
 * @text: result: "File exists: listener exists (attribute address)"
 * @size: of @text
 */
void clb_error_format(const struct clb_error *error,
		      const struct clb_message *about, char *text,
		      size_t size);

/* Parses and sends a change. Return: enum clb_exit */
int clb_change_run(struct clb_context *context, struct clb_args *args);

/* Sends a change. Return: enum clb_exit; errors reported */
int clb_change_send(struct clb_context *context,
		    const struct clb_message *message);

/* Frees what the parser of a change allocated. */
void clb_change_release(struct clb_message *message);

/* Prints the help of @verb, or, with NULL, of clbctl. */
void clb_help_print(const struct clb_verb *verb);

#endif /* CLB_CLBCTL_H */
