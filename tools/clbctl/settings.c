// SPDX-License-Identifier: MIT
#include <errno.h>

#include "clbctl.h"
#include "format.h"
#include "table.h"

static int parse_set(struct clb_args *args, struct clb_message *message)
{
	clb_message_add(message, CLB_A_SETTINGS);
	return clb_args_changes(args, &clb_settings_object,
				&message->settings);
}

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_SETTINGS_GET };
	struct clb_message reply = { 0 };
	struct clb_error error;
	int status;

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	status = clb_context_open(context);
	if (status)
		return status;
	if (clb_client_request(context->client, &request, &reply, &error))
		return clb_report_error(context, &request, &error);
	if (context->json)
		clb_json_print(clb_object_json(&clb_settings_object,
					       &reply.settings,
					       CLB_JSON_ALL));
	else
		clb_fields_print(&clb_settings_object, &reply.settings, true);
	return CLB_EXIT_OK;
}

static const struct clb_subcommand subcommands[] = {
	{ "show", CLB_CMD_SETTINGS_GET, NULL, show },
	{ "set", CLB_CMD_SETTINGS_SET, parse_set, clb_change_run },
	{ 0 },
};

const struct clb_verb clb_verb_settings = {
	.name = "settings",
	.summary = "settings of the network namespace",
	.subcommands = subcommands,
	.help =
"usage: clbctl settings set [max-sessions N] [fast-path on|off]\n"
"       clbctl settings [show]\n"
"\n"
"  max-sessions N    open sessions in this network namespace, up to the module\n"
"                    parameter max_sessions\n"
"  fast-path on|off  packets of sessions pass from device to device (on), or\n"
"                    all packets through the netfilter hooks (off)\n"
"\n"
"Settings take effect at once; save and restore do not know them.\n",
};
