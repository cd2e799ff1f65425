// SPDX-License-Identifier: MIT
/* One transaction: begin, flush, the lines of a file, commit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "clbctl.h"
#include "lib/batch.h"

#define RETRY_MS 100

struct restore {
	struct clb_context *context;
	struct clb_batch batch;
	FILE *file;
	const char *name;
	unsigned long line;
	char *words[CLB_ARGS_MAX];
};

/*
 * A command in the batch is known by its line and by what it is about, which
 * is all that is left of it when an error comes back.
 */
static unsigned long tag_make(unsigned long line, uint8_t command)
{
	return line << 8 | command;
}

static int report_line(const struct restore *restore, unsigned long line,
		       const char *text, int status)
{
	fprintf(stderr, "%s:%lu: %s\n", restore->name, line, text);
	return status;
}

static int report_tag(const struct restore *restore, unsigned long tag,
		      const struct clb_error *error)
{
	struct clb_message about = { .command = tag & 0xff };
	char text[512];

	clb_error_format(error, &about, text, sizeof(text));
	return report_line(restore, tag >> 8, text, CLB_EXIT_REFUSED);
}

/* Sends one of the commands around the lines. */
static int control(struct restore *restore, enum clb_cmd command)
{
	struct clb_message message = { .command = command };
	struct clb_context *context = restore->context;
	struct clb_error error;

	if (clb_client_request(context->client, &message, NULL, &error))
		return clb_report_error(context, &message, &error);
	return CLB_EXIT_OK;
}

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* Waits while another process has a transaction open, up to --wait. */
static int begin(struct restore *restore)
{
	struct clb_message message = { .command = CLB_CMD_BEGIN };
	struct clb_context *context = restore->context;
	unsigned int waited = 0;
	struct clb_error error;
	int err;

	while ((err = clb_client_request(context->client, &message, NULL,
					 &error)) == -EBUSY &&
	       waited < context->wait * 1000) {
		sleep_ms(RETRY_MS);
		waited += RETRY_MS;
	}
	return err ? clb_report_error(context, &message, &error) : CLB_EXIT_OK;
}

/* Commands that take part in a transaction. */
static bool is_transactional(enum clb_cmd command)
{
	switch (command) {
	case CLB_CMD_LISTENER_ADD:
	case CLB_CMD_LISTENER_SET:
	case CLB_CMD_LISTENER_DEL:
	case CLB_CMD_SERVER_ADD:
	case CLB_CMD_SERVER_SET:
	case CLB_CMD_SERVER_DEL:
	case CLB_CMD_ACL_ADD:
	case CLB_CMD_ACL_DEL:
	case CLB_CMD_LOCAL_ADDRESS_ADD:
	case CLB_CMD_LOCAL_ADDRESS_DEL:
	case CLB_CMD_FLUSH:
		return true;
	default:
		return false;
	}
}

static int parse_words(struct clb_args *args, struct clb_message *message)
{
	const struct clb_subcommand *subcommand;
	const struct clb_verb *verb;

	if (clb_verb_find(args, &verb, &subcommand))
		return -EINVAL;
	if (!subcommand->parse || !is_transactional(subcommand->command))
		return clb_args_fail(args,
				     "only listener, server, acl, local and flush commands that change something can be restored");
	message->command = subcommand->command;
	return subcommand->parse(args, message);
}

static int run_words(struct restore *restore, struct clb_args *args)
{
	struct clb_message message = { 0 };
	struct clb_error error;
	unsigned long failed;
	int status = CLB_EXIT_OK;

	if (parse_words(args, &message))
		status = report_line(restore, restore->line, args->error,
				     CLB_EXIT_USAGE);
	else if (clb_batch_add(&restore->batch, &message,
			       tag_make(restore->line, message.command),
			       &failed, &error))
		status = report_tag(restore, failed, &error);
	clb_change_release(&message);
	return status;
}

static int run_line(struct restore *restore, char *line, size_t length)
{
	struct clb_args args = { .words = restore->words };

	if (strlen(line) != length)
		return report_line(restore, restore->line, "NUL byte in line",
				   CLB_EXIT_USAGE);
	if (clb_line_split(line, restore->words, CLB_ARGS_MAX, &args.count))
		return report_line(restore, restore->line,
				   "too many words, use several lines",
				   CLB_EXIT_USAGE);
	return args.count ? run_words(restore, &args) : CLB_EXIT_OK;
}

static int run_lines(struct restore *restore)
{
	struct clb_error error;
	unsigned long failed;
	int status = CLB_EXIT_OK;
	char *line = NULL;
	ssize_t length;
	size_t size = 0;

	while (!status &&
	       (length = getline(&line, &size, restore->file)) >= 0) {
		restore->line++;
		status = run_line(restore, line, length);
	}
	if (!status && ferror(restore->file)) {
		fprintf(stderr, "clbctl: restore: %s: %m\n", restore->name);
		status = CLB_EXIT_REFUSED;
	}
	if (!status && clb_batch_flush(&restore->batch, &failed, &error))
		status = report_tag(restore, failed, &error);
	free(line);
	return status;
}

static int run_transaction(struct restore *restore)
{
	struct clb_message abort = { .command = CLB_CMD_ABORT };
	struct clb_error ignored;
	int status;

	status = begin(restore);
	if (status)
		return status;
	if (!restore->context->add)
		status = control(restore, CLB_CMD_FLUSH);
	if (!status)
		status = run_lines(restore);
	if (!status)
		status = control(restore, CLB_CMD_COMMIT);
	if (status)
		clb_client_request(restore->context->client, &abort, NULL,
				   &ignored);
	return status;
}

static int run_file(struct restore *restore)
{
	int status;

	status = clb_context_open(restore->context);
	if (status)
		return status;
	if (clb_batch_init(&restore->batch, restore->context->client)) {
		fputs("clbctl: restore: out of memory\n", stderr);
		return CLB_EXIT_REFUSED;
	}
	status = run_transaction(restore);
	clb_batch_destroy(&restore->batch);
	return status;
}

/*
 * All of a pipe is taken in first: a slow writer must not hold a transaction
 * open, which keeps everybody else out.
 */
static FILE *spool(FILE *input)
{
	FILE *copy = tmpfile();
	char bytes[16384];
	size_t n;

	while (copy && (n = fread(bytes, 1, sizeof(bytes), input))) {
		if (fwrite(bytes, 1, n, copy) != n)
			break;
	}
	if (copy && (ferror(input) || ferror(copy) || fflush(copy))) {
		fclose(copy);
		return NULL;
	}
	if (copy)
		rewind(copy);
	return copy;
}

static FILE *open_input(const char *name)
{
	bool is_stdin = !strcmp(name, "-");
	FILE *input = is_stdin ? stdin : fopen(name, "re");
	struct stat status;
	FILE *copy;

	if (!input || (!fstat(fileno(input), &status) &&
		       S_ISREG(status.st_mode)))
		return input;
	copy = spool(input);
	if (!is_stdin)
		fclose(input);
	return copy;
}

static int run(struct clb_context *context, struct clb_args *args)
{
	struct restore restore = { .context = context, .name = "-" };
	const char *name = clb_args_take(args);
	int status;

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	if (name)
		restore.name = name;
	restore.file = open_input(restore.name);
	if (!restore.file) {
		fprintf(stderr, "clbctl: restore: %s: %m\n", restore.name);
		return CLB_EXIT_REFUSED;
	}
	if (!strcmp(restore.name, "-"))
		restore.name = "<stdin>";
	status = run_file(&restore);
	if (restore.file != stdin)
		fclose(restore.file);
	return status;
}

const struct clb_verb clb_verb_restore = {
	.name = "restore",
	.summary = "replace the configuration by that of a file, at once",
	.options = "Aw",
	.itself = { .run = run },
	.help =
"usage: clbctl restore [--add] [--wait SECONDS] [FILE|-]\n"
"\n"
"Reads commands, one a line, as save prints them, and puts all of them into force\n"
"at once; if one is refused, none. Sessions stay. # begins a comment.\n"
"\n"
"  --add             keep what is there, do not begin by flush\n"
"  --wait SECONDS    how long to wait for another transaction (5)\n",
};
