// SPDX-License-Identifier: MIT
/* The table of verbs. */
#include <errno.h>
#include <stdio.h>

#include "clbctl.h"

static const struct clb_verb *const verbs[] = {
	&clb_verb_listener,
	&clb_verb_server,
	&clb_verb_check,
	&clb_verb_acl,
	&clb_verb_local,
	&clb_verb_settings,
	&clb_verb_session,
	&clb_verb_stats,
	&clb_verb_sync,
	&clb_verb_node,
	&clb_verb_monitor,
	&clb_verb_save,
	&clb_verb_restore,
	&clb_verb_flush,
	&clb_verb_version,
};

#define N_VERBS (sizeof(verbs) / sizeof(verbs[0]))
#define N_SUBCOMMANDS_MAX 16

static int find_subcommand(struct clb_args *args, const struct clb_verb *verb,
			   const struct clb_subcommand **subcommand)
{
	const char *names[N_SUBCOMMANDS_MAX];
	const char *word = clb_args_take(args);
	size_t n = 0;
	int i;

	while (n < N_SUBCOMMANDS_MAX && verb->subcommands[n].name) {
		names[n] = verb->subcommands[n].name;
		n++;
	}
	i = clb_args_match(args, word ? word : "show", "command", names, n);
	if (i < 0 && !word)
		return clb_args_fail(args, "command missing");
	if (i < 0)
		return -EINVAL;
	*subcommand = &verb->subcommands[i];
	return 0;
}

int clb_verb_find(struct clb_args *args, const struct clb_verb **verb,
		  const struct clb_subcommand **subcommand)
{
	const char *word = clb_args_take(args);
	const char *names[N_VERBS];
	size_t n;
	int i;

	for (n = 0; n < N_VERBS; n++)
		names[n] = verbs[n]->name;
	if (!word)
		return clb_args_fail(args, "command missing");
	i = clb_args_match(args, word, "command", names, N_VERBS);
	if (i < 0)
		return -EINVAL;
	*verb = verbs[i];
	if (verbs[i]->subcommands)
		return find_subcommand(args, verbs[i], subcommand);
	*subcommand = &verbs[i]->itself;
	return 0;
}

void clb_help_print(const struct clb_verb *verb)
{
	size_t i;

	if (verb) {
		fputs(verb->help, stdout);
		return;
	}
	puts("usage: clbctl [-j] [-n NETNS] COMMAND [...]\n"
	     "\n"
	     "Configures and shows the CLB load balancer of a network namespace.\n"
	     "\n"
	     "Commands:");
	for (i = 0; i < N_VERBS; i++)
		printf("  %-10s%s\n", verbs[i]->name, verbs[i]->summary);
	puts("  help      help on a command: clbctl help COMMAND\n"
	     "\n"
	     "Options:\n"
	     "  -j, --json         JSON instead of text\n"
	     "  -n, --netns NAME   work in this network namespace (ip-netns(8))\n"
	     "  -h, --help         this help; after a command, help on it\n"
	     "  -V, --version      version of clbctl\n"
	     "\n"
	     "Commands and keywords may be cut short where that is unambiguous.\n"
	     "Exit status: 0 done, 1 refused by the kernel, 2 wrong usage.\n"
	     "See also clbctl(8).");
}
