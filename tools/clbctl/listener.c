// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include "format.h"
#include "list.h"
#include "table.h"

static int parse_options(struct clb_args *args, struct clb_message *message)
{
	clb_message_add(message, CLB_A_LISTENER);
	if (clb_args_listener(args, &message->listener))
		return -EINVAL;
	return clb_args_options(args, &clb_listener_object,
				&message->listener);
}

static int parse_changes(struct clb_args *args, struct clb_message *message)
{
	clb_message_add(message, CLB_A_LISTENER);
	if (clb_args_listener(args, &message->listener))
		return -EINVAL;
	return clb_args_changes(args, &clb_listener_object,
				&message->listener);
}

static int parse_key(struct clb_args *args, struct clb_message *message)
{
	clb_message_add(message, CLB_A_LISTENER);
	if (clb_args_listener(args, &message->listener))
		return -EINVAL;
	return clb_args_end(args);
}

static int print_table(const struct clb_list *list)
{
	static const struct clb_column columns[] = {
		{ "PROTOCOL", "protocol" },
		{ "LISTENER", NULL },
		{ "MODE", "mode" },
		{ "SCHEDULER", "scheduler" },
		{ "ACL", "acl" },
		{ "RATE", "rate" },
		{ "SERVERS", "servers" },
		{ "SESSIONS", "sessions" },
		{ "TOTAL", "sessions-total" },
		{ "IN-BYTES", "in-bytes" },
		{ "OUT-BYTES", "out-bytes" },
		{ "DROPS", "drops" },
		{ NULL, NULL },
	};
	struct clb_table *table = clb_table_new(columns, &clb_listener_object);
	char text[CLB_ADDRESS_TEXT];
	size_t i;

	if (!table)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		const struct clb_listener *listener = &list->items[i].listener;

		clb_table_add(table, listener);
		clb_endpoint_format(&listener->address, listener->port, text);
		clb_table_set(table, 1, text);
	}
	return clb_table_print(table);
}

static void print_json(const struct clb_list *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(array, clb_object_json(
			&clb_listener_object, &list->items[i].listener,
			CLB_JSON_ALL));
	clb_json_print(array);
}

static int show_all(struct clb_context *context)
{
	struct clb_message request = { .command = CLB_CMD_LISTENER_GET };
	struct clb_list list;
	int status;

	status = clb_list_get(context, &request, &list);
	if (status)
		return status;
	if (context->json)
		print_json(&list);
	else if (print_table(&list))
		status = CLB_EXIT_REFUSED;
	clb_list_free(&list);
	return status;
}

static int show_one(struct clb_context *context,
		    const struct clb_message *request)
{
	struct clb_message reply = { 0 };
	struct clb_error error;
	int status;

	status = clb_context_open(context);
	if (status)
		return status;
	if (clb_client_request(context->client, request, &reply, &error))
		return clb_report_error(context, request, &error);
	if (context->json)
		clb_json_print(json_pack("[o]", clb_object_json(
			&clb_listener_object, &reply.listener, CLB_JSON_ALL)));
	else
		clb_fields_print(&clb_listener_object, &reply.listener, true);
	return CLB_EXIT_OK;
}

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_LISTENER_GET };

	if (!clb_args_peek(args))
		return show_all(context);
	if (parse_key(args, &request))
		return clb_report_usage(context, args);
	return show_one(context, &request);
}

static const struct clb_subcommand subcommands[] = {
	{ "add", CLB_CMD_LISTENER_ADD, parse_options, clb_change_run },
	{ "set", CLB_CMD_LISTENER_SET, parse_changes, clb_change_run },
	{ "del", CLB_CMD_LISTENER_DEL, parse_key, clb_change_run },
	{ "show", CLB_CMD_LISTENER_GET, NULL, show },
	{ 0 },
};

const struct clb_verb clb_verb_listener = {
	.name = "listener",
	.summary = "what clients connect to: protocol, address and port",
	.subcommands = subcommands,
	.help =
"usage: clbctl listener add KEY [KEYWORD VALUE]...\n"
"       clbctl listener set KEY [KEYWORD VALUE]...\n"
"       clbctl listener del KEY\n"
"       clbctl listener [show [KEY]]\n"
"\n"
"KEY is {tcp|udp} ADDRESS:PORT; IPv6: [ADDRESS]:PORT; all ports: ADDRESS:all.\n"
"set changes the keywords given and leaves the others.\n"
"\n"
"  mode {nat|fnat|dr|tun}           how packets reach the servers (nat)\n"
"  scheduler {rr|wrr|lc|wlc|mh|fo}  how a server is chosen (wrr)\n"
"  hash {source|tuple}              what mh hashes (source)\n"
"  persistence SECONDS              a client stays with its server (0: off)\n"
"  persistence-prefix LENGTH        clients of one prefix are one (32 or 128)\n"
"  timeout-syn SECONDS              half-open TCP (30)\n"
"  timeout-established SECONDS      established TCP (900)\n"
"  timeout-fin SECONDS              closing TCP (30)\n"
"  timeout-udp SECONDS              UDP (90)\n"
"  reset {on|off}                   answer TCP without a server by RST (on)\n"
"  slow-start SECONDS               a new server's share grows (0: off)\n"
"  max-sessions N                   open sessions (0: no limit)\n"
"  max-new-sessions N               new sessions a second (0: no limit)\n"
"  rate BITS[k|m|g]                 outbound bit/s, nat and fnat (0: none)\n"
"  burst BYTES[k|m|g]               above the rate at once (0: 500 ms of it)\n"
"  acl {off|allow|deny}             meaning of the ACL's entries (off)\n",
};
