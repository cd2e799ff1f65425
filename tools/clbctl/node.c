// SPDX-License-Identifier: MIT
#include "clbctl.h"

/*
 * Not a change of the configuration, and no line of a file: who takes over is
 * for whoever asks to know at that moment.
 */
static int change(struct clb_context *context, struct clb_args *args,
		  enum clb_cmd command)
{
	struct clb_message request = { .command = command };

	clb_message_add(&request, CLB_A_SYNC_PEER);
	if (clb_args_value(args, clb_field_find(&clb_sync_peer_object,
						CLB_SYNC_PEER_A_NODE),
			   &request.sync_peer) ||
	    clb_args_end(args))
		return clb_report_usage(context, args);
	return clb_change_send(context, &request);
}

static int takeover(struct clb_context *context, struct clb_args *args)
{
	return change(context, args, CLB_CMD_SYNC_TAKEOVER);
}

static int giveback(struct clb_context *context, struct clb_args *args)
{
	return change(context, args, CLB_CMD_SYNC_GIVEBACK);
}

static const struct clb_subcommand subcommands[] = {
	{ .name = "takeover", .run = takeover },
	{ .name = "giveback", .run = giveback },
	{ 0 },
};

const struct clb_verb clb_verb_node = {
	.name = "node",
	.summary = "take over from a node that died",
	.subcommands = subcommands,
	.help =
"usage: clbctl node takeover NODE\n"
"       clbctl node giveback NODE\n"
"\n"
"takeover: the local addresses of a node that is dead, known by its id, are used\n"
"by this one, until that is heard to be ready again, or they are given back.\n"
"An event for each address says that it must be routed to this node from now on,\n"
"or no more.\n",
};
