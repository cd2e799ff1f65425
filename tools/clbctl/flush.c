// SPDX-License-Identifier: MIT
#include <errno.h>

#include "clbctl.h"

static int parse(struct clb_args *args, struct clb_message *message)
{
	(void)message;
	return clb_args_end(args);
}

const struct clb_verb clb_verb_flush = {
	.name = "flush",
	.summary = "remove all listeners and local addresses",
	.itself = {
		.command = CLB_CMD_FLUSH,
		.parse = parse,
		.run = clb_change_run,
	},
	.help =
"usage: clbctl flush\n"
"\n"
"Removes all listeners, with their servers and ACLs, and all local addresses\n"
"of the network namespace.\n",
};
