// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>

#include "view.h"

static int parse_names(struct clb_args *args, struct clb_message *message)
{
	clb_message_add(message, CLB_A_LISTENER);
	clb_message_add(message, CLB_A_SERVER);
	if (clb_args_listener(args, &message->listener))
		return -EINVAL;
	return clb_args_server(args, &message->server);
}

static int parse_options(struct clb_args *args, struct clb_message *message)
{
	if (parse_names(args, message))
		return -EINVAL;
	return clb_args_options(args, &clb_server_object, &message->server);
}

static int parse_changes(struct clb_args *args, struct clb_message *message)
{
	if (parse_names(args, message))
		return -EINVAL;
	return clb_args_changes(args, &clb_server_object, &message->server);
}

static int parse_key(struct clb_args *args, struct clb_message *message)
{
	if (parse_names(args, message))
		return -EINVAL;
	return clb_args_end(args);
}

static void set_state(struct clb_message *message, enum clb_server_state state)
{
	clb_field_set(clb_field_find(&clb_server_object, CLB_SERVER_A_STATE),
		      &message->server, state);
}

static int parse_up(struct clb_args *args, struct clb_message *message)
{
	set_state(message, CLB_SERVER_STATE_UP);
	return parse_key(args, message);
}

static int parse_down(struct clb_args *args, struct clb_message *message)
{
	set_state(message, CLB_SERVER_STATE_DOWN);
	return parse_key(args, message);
}

static int parse_drain(struct clb_args *args, struct clb_message *message)
{
	const struct clb_field *timeout =
		clb_field_find(&clb_server_object, CLB_SERVER_A_DRAIN_TIMEOUT);

	set_state(message, CLB_SERVER_STATE_DRAIN);
	if (parse_names(args, message))
		return -EINVAL;
	if (clb_args_accept(args, "timeout") &&
	    clb_args_value(args, timeout, &message->server))
		return -EINVAL;
	return clb_args_end(args);
}

static const struct clb_column columns[] = {
	{ "LISTENER", NULL },
	{ "SERVER", NULL },
	{ "STATE", "state" },
	{ "WEIGHT", "weight" },
	{ "ACTIVE", "active-sessions" },
	{ "INACTIVE", "inactive-sessions" },
	{ "TOTAL", "sessions-total" },
	{ "IN-BYTES", "in-bytes" },
	{ "OUT-BYTES", "out-bytes" },
	{ NULL, NULL },
};

static const struct clb_view view = {
	.object = &clb_server_object,
	.offset = offsetof(struct clb_item, server),
	.of_listener = true,
	.json = CLB_JSON_ALL,
	.columns = columns,
	.fill = clb_view_fill_server,
};

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_SERVER_GET };
	int err = 0;

	if (clb_args_peek(args)) {
		clb_message_add(&request, CLB_A_LISTENER);
		err = clb_args_listener(args, &request.listener);
	}
	if (!err && clb_args_peek(args)) {
		clb_message_add(&request, CLB_A_SERVER);
		err = clb_args_server(args, &request.server);
	}
	if (err || clb_args_end(args))
		return clb_report_usage(context, args);
	if (clb_message_has(&request, CLB_A_SERVER))
		return clb_view_one(context, &request, &view);
	return clb_view_list(context, &request, &view);
}

static const struct clb_subcommand subcommands[] = {
	{ "add", CLB_CMD_SERVER_ADD, parse_options, clb_change_run },
	{ "set", CLB_CMD_SERVER_SET, parse_changes, clb_change_run },
	{ "del", CLB_CMD_SERVER_DEL, parse_key, clb_change_run },
	{ "show", CLB_CMD_SERVER_GET, NULL, show },
	{ "up", CLB_CMD_SERVER_SET, parse_up, clb_change_run },
	{ "drain", CLB_CMD_SERVER_SET, parse_drain, clb_change_run },
	{ "down", CLB_CMD_SERVER_SET, parse_down, clb_change_run },
	{ 0 },
};

const struct clb_verb clb_verb_server = {
	.name = "server",
	.summary = "back ends of a listener",
	.subcommands = subcommands,
	.help =
"usage: clbctl server add KEY [server] SERVER [KEYWORD VALUE]...\n"
"       clbctl server set KEY [server] SERVER [KEYWORD VALUE]...\n"
"       clbctl server del KEY [server] SERVER\n"
"       clbctl server [show [KEY [[server] SERVER]]]\n"
"       clbctl server up KEY [server] SERVER\n"
"       clbctl server drain KEY [server] SERVER [timeout SECONDS]\n"
"       clbctl server down KEY [server] SERVER\n"
"\n"
"KEY is the listener: {tcp|udp} ADDRESS:PORT. SERVER is ADDRESS[:PORT]; without\n"
"a port, packets keep theirs. IPv6 with a port: [ADDRESS]:PORT.\n"
"\n"
"  weight N                 share of new sessions, 0 to 1000 (100)\n"
"  state {up|drain|down}    drain: no new sessions; down: none at all (up)\n"
"  drain-timeout SECONDS    from drain to down (0: never)\n"
"  max-sessions N           open sessions (0: no limit)\n"
"\n"
"up, drain and down are short for set ... state.\n",
};
