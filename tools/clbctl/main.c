// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clbctl.h"
#include "lib/number.h"

#define NETNS_DIRECTORY "/run/netns/"
#define DEFAULT_WAIT 5

enum {
	OPTION_ADD = 256,
	OPTION_WAIT,
	OPTION_COUNT,
	OPTION_TIMEOUT,
};

static const struct option options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "netns", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "all", no_argument, NULL, 'a' },
	{ "add", no_argument, NULL, OPTION_ADD },
	{ "wait", required_argument, NULL, OPTION_WAIT },
	{ "count", required_argument, NULL, OPTION_COUNT },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ 0 },
};

/* What the command line says besides its words. */
struct invocation {
	struct clb_context context;
	const char *netns;
	char given[8];	/* letters of the options only some verbs have */
	bool help;
	bool version;
};

static int usage(const char *text, const char *what)
{
	fprintf(stderr, "clbctl: %s%s\nTry 'clbctl help'.\n", text, what);
	return CLB_EXIT_USAGE;
}

/* Remembers an option of some verbs, for check_options(). */
static void note_given(struct invocation *invocation, char letter)
{
	size_t n = strlen(invocation->given);

	if (!strchr(invocation->given, letter) &&
	    n < sizeof(invocation->given) - 1)
		invocation->given[n] = letter;
}

static int parse_number(const char *text, uint64_t *value)
{
	if (clb_number_parse(text, UINT32_MAX / 1000, value))
		return usage("not a number: ", text);
	return CLB_EXIT_OK;
}

static int apply_number(struct invocation *invocation, int option)
{
	struct clb_context *context = &invocation->context;
	uint64_t value;

	if (parse_number(optarg, &value))
		return CLB_EXIT_USAGE;
	switch (option) {
	case OPTION_WAIT:
		context->wait = value;
		note_given(invocation, 'w');
		break;
	case OPTION_COUNT:
		context->count = value;
		note_given(invocation, 'c');
		break;
	default:
		context->timeout = value;
		note_given(invocation, 't');
	}
	return CLB_EXIT_OK;
}

static int apply_option(struct invocation *invocation, int option)
{
	switch (option) {
	case 'j':
		invocation->context.json = true;
		return CLB_EXIT_OK;
	case 'n':
		invocation->netns = optarg;
		return CLB_EXIT_OK;
	case 'h':
		invocation->help = true;
		return CLB_EXIT_OK;
	case 'V':
		invocation->version = true;
		return CLB_EXIT_OK;
	case 'a':
		invocation->context.all = true;
		note_given(invocation, 'a');
		return CLB_EXIT_OK;
	case OPTION_ADD:
		invocation->context.add = true;
		note_given(invocation, 'A');
		return CLB_EXIT_OK;
	case OPTION_WAIT:
	case OPTION_COUNT:
	case OPTION_TIMEOUT:
		return apply_number(invocation, option);
	default:
		/* getopt_long() has said what is wrong. */
		fputs("Try 'clbctl help'.\n", stderr);
		return CLB_EXIT_USAGE;
	}
}

static int parse_options(struct invocation *invocation, int argc, char **argv)
{
	int option, status = CLB_EXIT_OK;

	while (!status && (option = getopt_long(argc, argv, "jn:hVa", options,
						NULL)) != -1)
		status = apply_option(invocation, option);
	return status;
}

/* An option of another verb is a mistake, not to be passed over. */
static int check_options(const struct invocation *invocation)
{
	const struct clb_verb *verb = invocation->context.verb;
	const char *letter;

	for (letter = invocation->given; *letter; letter++)
		if (!verb->options || !strchr(verb->options, *letter))
			return usage("option does not belong to this command: ",
				     verb->name);
	return CLB_EXIT_OK;
}

static int enter_netns(const char *name)
{
	char path[256];
	int fd, err;

	/* A path as well as a name, e.g. /proc/PID/ns/net. */
	snprintf(path, sizeof(path), "%s%s",
		 strchr(name, '/') ? "" : NETNS_DIRECTORY, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "clbctl: network namespace %s: %m\n", path);
		return CLB_EXIT_REFUSED;
	}
	err = setns(fd, CLONE_NEWNET);
	if (err)
		fprintf(stderr, "clbctl: network namespace %s: %m\n", path);
	close(fd);
	return err ? CLB_EXIT_REFUSED : CLB_EXIT_OK;
}

/* Output that got lost, on a full disk for one, is a failure. */
static int close_output(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "clbctl: output: %m\n");
		return status ? status : CLB_EXIT_REFUSED;
	}
	return status;
}

static bool is_help(const char *word)
{
	static const char *const help[] = { "help" };

	return word && clb_word_match(word, help, 1) == 0;
}

static int run_help(struct clb_context *context, struct clb_args *args)
{
	const struct clb_subcommand *ignored;

	/* One word: no subcommand is looked for. */
	if (args->count > args->next + 1)
		args->count = args->next + 1;
	if (clb_args_peek(args) &&
	    clb_verb_find(args, &context->verb, &ignored) && !context->verb)
		return clb_report_usage(context, args);
	clb_help_print(context->verb);
	return CLB_EXIT_OK;
}

/* Whether help was asked for, in any of the places it may stand. */
static bool wants_help(const struct invocation *invocation,
		       struct clb_args *args)
{
	size_t left = args->count;

	if (invocation->help || !left)
		return true;
	if (is_help(args->words[0])) {
		args->next = 1;
		return true;
	}
	return (left > 1 && !strcmp(args->words[1], "help")) ||
	       (left > 2 && !strcmp(args->words[2], "help"));
}

static int run_verb(struct invocation *invocation, struct clb_args *args)
{
	struct clb_context *context = &invocation->context;
	int status;

	if (clb_verb_find(args, &context->verb, &context->subcommand))
		return clb_report_usage(context, args);
	status = check_options(invocation);
	if (!status && invocation->netns)
		status = enter_netns(invocation->netns);
	if (status)
		return status;
	status = context->subcommand->run(context, args);
	clb_client_close(context->client);
	return status;
}

int main(int argc, char **argv)
{
	struct invocation invocation = { .context.wait = DEFAULT_WAIT };
	struct clb_args args = { 0 };
	int status;

	if (argc)
		argv[0] = "clbctl";	/* the name getopt_long() reports */
	status = parse_options(&invocation, argc, argv);
	if (status)
		return status;
	args.words = argv + optind;
	args.count = argc - optind;

	if (invocation.version) {
		puts(invocation.context.json ?
		     "{\"clbctl\":\"" CLB_VERSION "\"}" :
		     "clbctl " CLB_VERSION);
	} else if (wants_help(&invocation, &args)) {
		status = run_help(&invocation.context, &args);
		if (!invocation.help && !args.count)
			status = CLB_EXIT_USAGE;
	} else {
		status = run_verb(&invocation, &args);
	}
	return close_output(status);
}
