// SPDX-License-Identifier: MIT
#include <errno.h>

#include "clbctl.h"
#include "format.h"
#include "list.h"
#include "table.h"

/*
 * Counters of listeners or of servers: a heading for the key, then one column
 * for each field.
 */
static const struct clb_column listener_columns[] = {
	{ "LISTENER", NULL },
	{ "SESSIONS", "sessions" },
	{ "TOTAL", "sessions-total" },
	{ "IN-PACKETS", "in-packets" },
	{ "IN-BYTES", "in-bytes" },
	{ "OUT-PACKETS", "out-packets" },
	{ "OUT-BYTES", "out-bytes" },
	{ "DROPS", "drops" },
	{ NULL, NULL },
};

static const struct clb_column server_columns[] = {
	{ "LISTENER", NULL },
	{ "SERVER", NULL },
	{ "ACTIVE", "active-sessions" },
	{ "INACTIVE", "inactive-sessions" },
	{ "TOTAL", "sessions-total" },
	{ "IN-PACKETS", "in-packets" },
	{ "IN-BYTES", "in-bytes" },
	{ "OUT-PACKETS", "out-packets" },
	{ "OUT-BYTES", "out-bytes" },
	{ NULL, NULL },
};

static int print_listeners(const struct clb_list *list)
{
	struct clb_table *table = clb_table_new(listener_columns,
						&clb_listener_object);
	char text[2 * CLB_ADDRESS_TEXT];
	size_t i;

	if (!table)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		clb_table_add(table, &list->items[i].listener);
		clb_listener_format(&list->items[i].listener, text,
				    sizeof(text));
		clb_table_set(table, 0, text);
	}
	return clb_table_print(table);
}

static int print_servers(const struct clb_list *list)
{
	struct clb_table *table = clb_table_new(server_columns,
						&clb_server_object);
	char text[2 * CLB_ADDRESS_TEXT];
	size_t i;

	if (!table)
		return -ENOMEM;
	for (i = 0; i < list->count; i++) {
		clb_table_add(table, &list->items[i].server);
		clb_listener_format(&list->items[i].listener, text,
				    sizeof(text));
		clb_table_set(table, 0, text);
		clb_server_format(&list->items[i].server, text);
		clb_table_set(table, 1, text);
	}
	return clb_table_print(table);
}

static void print_json(const struct clb_list *list, bool servers)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct clb_item *item = &list->items[i];

		json_array_append_new(array, servers ?
			clb_object_json_of(&clb_server_object, &item->server,
					   CLB_JSON_COUNTERS,
					   &item->listener) :
			clb_object_json(&clb_listener_object, &item->listener,
					CLB_JSON_COUNTERS));
	}
	clb_json_print(array);
}

static int show_list(struct clb_context *context, bool servers)
{
	struct clb_message request = {
		.command = servers ? CLB_CMD_SERVER_GET : CLB_CMD_LISTENER_GET,
	};
	struct clb_list list;
	int status, err = 0;

	status = clb_list_get(context, &request, &list);
	if (status)
		return status;
	if (context->json)
		print_json(&list, servers);
	else
		err = servers ? print_servers(&list) : print_listeners(&list);
	clb_list_free(&list);
	return err ? CLB_EXIT_REFUSED : CLB_EXIT_OK;
}

static int show_namespace(struct clb_context *context)
{
	struct clb_message request = { .command = CLB_CMD_STATS_GET };
	struct clb_message reply = { 0 };
	struct clb_error error;
	int status;

	status = clb_context_open(context);
	if (status)
		return status;
	if (clb_client_request(context->client, &request, &reply, &error))
		return clb_report_error(context, &request, &error);
	if (context->json)
		clb_json_print(clb_object_json(&clb_stats_object,
					       &reply.stats, CLB_JSON_ALL));
	else
		clb_fields_print(&clb_stats_object, &reply.stats,
				 context->all);
	return CLB_EXIT_OK;
}

static int run(struct clb_context *context, struct clb_args *args)
{
	static const char *const names[] = { "listener", "server" };
	const char *word = clb_args_take(args);
	int i = -1;

	if (word) {
		i = clb_args_match(args, word, "keyword", names, 2);
		if (i < 0 || clb_args_end(args))
			return clb_report_usage(context, args);
	}
	return i < 0 ? show_namespace(context) : show_list(context, i == 1);
}

const struct clb_verb clb_verb_stats = {
	.name = "stats",
	.summary = "counters",
	.options = "a",
	.itself = { .run = run },
	.help =
"usage: clbctl stats [-a] [listener|server]\n"
"\n"
"Counters of the network namespace, or of each listener or server.\n"
"\n"
"  -a, --all    counters of the namespace that are zero, too (JSON: always)\n",
};
