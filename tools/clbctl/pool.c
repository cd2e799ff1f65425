// SPDX-License-Identifier: MIT
/* The pool of local addresses FNAT sends from. */
#include <errno.h>

#include "format.h"
#include "list.h"
#include "table.h"

static int parse_address(struct clb_args *args, struct clb_message *message)
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
	return clb_args_end(args);
}

static int print_table(const struct clb_list *list)
{
	static const struct clb_column columns[] = {
		{ "ADDRESS", "address" },
		{ "SESSIONS", "sessions" },
		{ NULL, NULL },
	};
	struct clb_table *table = clb_table_new(columns,
						&clb_local_address_object);
	size_t i;

	if (!table)
		return -ENOMEM;
	for (i = 0; i < list->count; i++)
		clb_table_add(table, &list->items[i].local_address);
	return clb_table_print(table);
}

static void print_json(const struct clb_list *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(array, clb_object_json(
			&clb_local_address_object,
			&list->items[i].local_address, CLB_JSON_ALL));
	clb_json_print(array);
}

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_LOCAL_ADDRESS_GET };
	struct clb_list list;
	int status;

	if (clb_args_end(args))
		return clb_report_usage(context, args);
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

static const struct clb_subcommand subcommands[] = {
	{ "add", CLB_CMD_LOCAL_ADDRESS_ADD, parse_address, clb_change_run },
	{ "del", CLB_CMD_LOCAL_ADDRESS_DEL, parse_address, clb_change_run },
	{ "show", CLB_CMD_LOCAL_ADDRESS_GET, NULL, show },
	{ 0 },
};

const struct clb_verb clb_verb_local = {
	.name = "local",
	.summary = "local addresses, the sources of fnat",
	.subcommands = subcommands,
	.help =
"usage: clbctl local add ADDRESS\n"
"       clbctl local del ADDRESS\n"
"       clbctl local [show]\n"
"\n"
"Listeners in mode fnat send to their servers from these addresses, which must\n"
"be routed to this node. Sessions of an address that is removed live on.\n",
};
