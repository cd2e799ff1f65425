// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "format.h"
#include "list.h"
#include "table.h"

static int parse_entry(struct clb_args *args, struct clb_acl_entry *entry)
{
	const char *word = clb_args_take(args);
	struct clb_address address;
	uint8_t prefix;

	if (clb_prefix_parse(word, &address, &prefix))
		return clb_args_fail(args, "'%.60s' is not ADDRESS[/LENGTH]",
				     word);
	clb_field_set_address(clb_field_find(&clb_acl_entry_object,
					     CLB_ACL_A_ADDRESS),
			      entry, &address);
	clb_field_set(clb_field_find(&clb_acl_entry_object, CLB_ACL_A_PREFIX),
		      entry, prefix);
	return 0;
}

static int parse_entries(struct clb_args *args, struct clb_message *message)
{
	size_t i, n;

	clb_message_add(message, CLB_A_LISTENER);
	if (clb_args_listener(args, &message->listener))
		return -EINVAL;
	n = args->count - args->next;
	if (!n)
		return clb_args_fail(args, "prefix missing: ADDRESS[/LENGTH]");
	message->acl_entries = calloc(n, sizeof(*message->acl_entries));
	if (!message->acl_entries)
		return clb_args_fail(args, "out of memory");
	message->n_acl_entries = n;
	clb_message_add(message, CLB_A_ACL_ENTRY);
	for (i = 0; i < n; i++)
		if (parse_entry(args, &message->acl_entries[i]))
			return -EINVAL;
	return 0;
}

/* "all" stands for no entry at all, which the kernel takes for every one. */
static int parse_del(struct clb_args *args, struct clb_message *message)
{
	struct clb_args ahead = *args;
	struct clb_listener ignored = { 0 };

	if (clb_args_listener(&ahead, &ignored) ||
	    !clb_args_accept(&ahead, "all"))
		return parse_entries(args, message);
	clb_message_add(message, CLB_A_LISTENER);
	clb_args_listener(args, &message->listener);
	clb_args_take(args);
	return clb_args_end(args);
}

static int print_table(const struct clb_list *list)
{
	static const struct clb_column columns[] = {
		{ "LISTENER", NULL },
		{ "PREFIX", NULL },
		{ NULL, NULL },
	};
	struct clb_table *table = clb_table_new(columns,
						&clb_acl_entry_object);
	char text[2 * CLB_ADDRESS_TEXT];
	size_t i;

	if (!table)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		const struct clb_item *item = &list->items[i];

		clb_table_add(table, &item->acl_entry);
		clb_listener_format(&item->listener, text, sizeof(text));
		clb_table_set(table, 0, text);
		clb_prefix_format(&item->acl_entry.address,
				  item->acl_entry.prefix, text);
		clb_table_set(table, 1, text);
	}
	return clb_table_print(table);
}

static void print_json(const struct clb_list *list)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(array, clb_object_json_of(
			&clb_acl_entry_object, &list->items[i].acl_entry,
			CLB_JSON_ALL, &list->items[i].listener));
	clb_json_print(array);
}

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_ACL_GET };
	struct clb_list list;
	int status, err = 0;

	if (clb_args_peek(args)) {
		clb_message_add(&request, CLB_A_LISTENER);
		err = clb_args_listener(args, &request.listener);
	}
	if (err || clb_args_end(args))
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
	{ "add", CLB_CMD_ACL_ADD, parse_entries, clb_change_run },
	{ "del", CLB_CMD_ACL_DEL, parse_del, clb_change_run },
	{ "show", CLB_CMD_ACL_GET, NULL, show },
	{ 0 },
};

const struct clb_verb clb_verb_acl = {
	.name = "acl",
	.summary = "which clients a listener lets in",
	.subcommands = subcommands,
	.help =
"usage: clbctl acl add KEY PREFIX...\n"
"       clbctl acl del KEY {PREFIX...|all}\n"
"       clbctl acl [show [KEY]]\n"
"\n"
"KEY is the listener: {tcp|udp} ADDRESS:PORT. PREFIX is ADDRESS[/LENGTH]; bits\n"
"behind the length must be zero. What the entries mean is for the listener to\n"
"say: clbctl listener set KEY acl {off|allow|deny}.\n",
};
