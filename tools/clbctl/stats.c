// SPDX-License-Identifier: MIT
#include <stddef.h>

#include "view.h"

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

static const struct clb_view listener_view = {
	.object = &clb_listener_object,
	.offset = offsetof(struct clb_item, listener),
	.json = CLB_JSON_COUNTERS,
	.columns = listener_columns,
	.fill = clb_view_fill_listener,
};

static const struct clb_view server_view = {
	.object = &clb_server_object,
	.offset = offsetof(struct clb_item, server),
	.of_listener = true,
	.json = CLB_JSON_COUNTERS,
	.columns = server_columns,
	.fill = clb_view_fill_server,
};

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
	static const struct clb_view *const views[] = {
		&listener_view, &server_view,
	};
	static const enum clb_cmd commands[] = {
		CLB_CMD_LISTENER_GET, CLB_CMD_SERVER_GET,
	};
	const char *word = clb_args_take(args);
	struct clb_message request = { 0 };
	int i;

	if (!word)
		return show_namespace(context);
	i = clb_args_match(args, word, "keyword", names, 2);
	if (i < 0 || clb_args_end(args))
		return clb_report_usage(context, args);
	request.command = commands[i];
	return clb_view_list(context, &request, views[i]);
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
