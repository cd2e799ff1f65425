// SPDX-License-Identifier: MIT
/* Changes of the configuration that are one message each. */
#include <stdlib.h>

#include "clbctl.h"

void clb_change_release(struct clb_message *message)
{
	free(message->acl_entries);
	message->acl_entries = NULL;
	message->n_acl_entries = 0;
}

int clb_change_send(struct clb_context *context,
		    const struct clb_message *message)
{
	struct clb_error error;
	int status;

	status = clb_context_open(context);
	if (status)
		return status;
	if (clb_client_request(context->client, message, NULL, &error))
		return clb_report_error(context, message, &error);
	return CLB_EXIT_OK;
}

int clb_change_run(struct clb_context *context, struct clb_args *args)
{
	struct clb_message message = {
		.command = context->subcommand->command,
	};
	int status;

	if (context->subcommand->parse(args, &message))
		status = clb_report_usage(context, args);
	else
		status = clb_change_send(context, &message);
	clb_change_release(&message);
	return status;
}
