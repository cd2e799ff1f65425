// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "view.h"

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

static void fill(struct clb_table *table, const struct clb_item *item)
{
	char text[2 * CLB_ADDRESS_TEXT];

	clb_view_fill_listener(table, item);
	clb_prefix_format(&item->acl_entry.address, item->acl_entry.prefix,
			  text);
	clb_table_set(table, 1, text);
}

static const struct clb_column columns[] = {
	{ "LISTENER", NULL },
	{ "PREFIX", NULL },
	{ NULL, NULL },
};

static const struct clb_view view = {
	.object = &clb_acl_entry_object,
	.offset = offsetof(struct clb_item, acl_entry),
	.of_listener = true,
	.json = CLB_JSON_ALL,
	.columns = columns,
	.fill = fill,
};

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_ACL_GET };
	int err = 0;

	if (clb_args_peek(args)) {
		clb_message_add(&request, CLB_A_LISTENER);
		err = clb_args_listener(args, &request.listener);
	}
	if (err || clb_args_end(args))
		return clb_report_usage(context, args);
	return clb_view_list(context, &request, &view);
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
