// SPDX-License-Identifier: MIT
/* The pool of local addresses FNAT sends from. */
#include <errno.h>
#include <stddef.h>

#include "view.h"

static int take_address(struct clb_args *args, struct clb_message *message)
{
	const char *word = clb_args_take(args);
	struct clb_address address;

	if (!word)
		return clb_args_fail(args, "address missing");
	if (clb_address_parse(word, &address))
		return clb_args_fail(args, "'%.60s' is not an address", word);
	clb_message_add(message, CLB_A_LOCAL_ADDRESS);
	clb_field_set_address(clb_field_find(&clb_local_address_object,
					     CLB_LOCAL_ADDRESS_A_ADDRESS),
			      &message->local_address, &address);
	return 0;
}

static int parse_add(struct clb_args *args, struct clb_message *message)
{
	if (take_address(args, message))
		return -EINVAL;
	return clb_args_options(args, &clb_local_address_object,
				&message->local_address);
}

static int parse_del(struct clb_args *args, struct clb_message *message)
{
	if (take_address(args, message))
		return -EINVAL;
	return clb_args_end(args);
}

static const struct clb_column columns[] = {
	{ "ADDRESS", "address" },
	{ "NODE", "node" },
	{ "ACTIVE", "active" },
	{ "SESSIONS", "sessions" },
	{ NULL, NULL },
};

static const struct clb_view view = {
	.object = &clb_local_address_object,
	.offset = offsetof(struct clb_item, local_address),
	.json = CLB_JSON_ALL,
	.columns = columns,
};

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_LOCAL_ADDRESS_GET };

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	return clb_view_list(context, &request, &view);
}

static const struct clb_subcommand subcommands[] = {
	{ "add", CLB_CMD_LOCAL_ADDRESS_ADD, parse_add, clb_change_run },
	{ "del", CLB_CMD_LOCAL_ADDRESS_DEL, parse_del, clb_change_run },
	{ "show", CLB_CMD_LOCAL_ADDRESS_GET, NULL, show },
	{ 0 },
};

const struct clb_verb clb_verb_local = {
	.name = "local",
	.summary = "local addresses, the sources of fnat",
	.subcommands = subcommands,
	.help =
"usage: clbctl local add ADDRESS [node ID]\n"
"       clbctl local del ADDRESS\n"
"       clbctl local [show]\n"
"\n"
"Listeners in mode fnat send to their servers from these addresses, which must\n"
"be routed to this node. Sessions of an address that is removed live on.\n"
"\n"
"  node ID    of the node it belongs to (0: this one), so that all nodes may have\n"
"             the same list; clbctl node takeover uses those of a dead node\n",
};
