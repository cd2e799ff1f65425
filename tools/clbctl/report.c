// SPDX-License-Identifier: MIT
/* Errors: what was tried, on what, what is wrong, what to do about it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clbctl.h"
#include "format.h"

/* What to do about an error, where the kernel said nothing better. */
static const char *hint(int code)
{
	switch (-code) {
	case EPERM:
	case EACCES:
		return "needs CAP_NET_ADMIN in this network namespace";
	case EBUSY:
		return "another process has a transaction open";
	case EMSGSIZE:
		return "too much for one message, split the command";
	case ENOBUFS:
		return "the socket's buffer is full, try again";
	default:
		return NULL;
	}
}

static void format_attribute(const struct clb_error *error,
			     const struct clb_message *about, char *text,
			     size_t size)
{
	const struct clb_object *own = clb_command_object(about->command);
	const char *nest = error->nest;
	char range[64] = "";

	/* The object the command is about need not be named. */
	if (error->attribute && own && !strcmp(own->name, nest))
		nest = NULL;
	if (error->has_range)
		snprintf(range, sizeof(range), ", %" PRIu64 " to %" PRIu64,
			 error->minimum, error->maximum);
	snprintf(text, size, " (%sattribute %s%s%s%s)",
		 error->missing ? "missing " : "", nest ? nest : "",
		 nest && error->attribute ? " " : "",
		 error->attribute ? error->attribute : "", range);
}

void clb_error_format(const struct clb_error *error,
		      const struct clb_message *about, char *text,
		      size_t size)
{
	const char *message = error->message;
	char attribute[128] = "";

	if (!*message && hint(error->code))
		message = hint(error->code);
	if (error->nest)
		format_attribute(error, about, attribute, sizeof(attribute));
	snprintf(text, size, "%s%s%s%s", strerror(-error->code),
		 *message ? ": " : "", message, attribute);
}

static void print_command(const struct clb_context *context)
{
	const struct clb_subcommand *subcommand = context->subcommand;

	fputs("clbctl: ", stderr);
	if (!context->verb)
		return;
	fputs(context->verb->name, stderr);
	if (subcommand && subcommand->name)
		fprintf(stderr, " %s", subcommand->name);
	fputs(": ", stderr);
}

int clb_report_usage(const struct clb_context *context,
		     const struct clb_args *args)
{
	print_command(context);
	fprintf(stderr, "%s\nTry 'clbctl %s%shelp'.\n", args->error,
		context->verb ? context->verb->name : "",
		context->verb ? " " : "");
	return CLB_EXIT_USAGE;
}

int clb_report_error(const struct clb_context *context,
		     const struct clb_message *about,
		     const struct clb_error *error)
{
	char text[512], key[3 * CLB_ADDRESS_TEXT];

	clb_error_format(error, about, text, sizeof(text));
	clb_message_key_format(about, key, sizeof(key));
	print_command(context);
	fprintf(stderr, "%s%s%s\n", key, *key ? ": " : "", text);
	return CLB_EXIT_REFUSED;
}

int clb_context_open(struct clb_context *context)
{
	struct clb_error error;

	if (context->client)
		return CLB_EXIT_OK;
	if (!clb_client_open(&context->client, &error))
		return CLB_EXIT_OK;
	fprintf(stderr, "clbctl: %s\n", error.message);
	return CLB_EXIT_REFUSED;
}
