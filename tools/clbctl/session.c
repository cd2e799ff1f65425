// SPDX-License-Identifier: MIT
/*
 * There may be millions of sessions: each is printed as it comes, in columns
 * of fixed width, and forgotten.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clbctl.h"
#include "filter.h"
#include "format.h"
#include "lib/number.h"

/* 255.255.255.255:65535, and an IPv6 endpoint of common length. */
#define WIDTH_IPV4 21
#define WIDTH_IPV6 41

struct listing {
	struct clb_context *context;
	uint64_t count;
	int width;
};

static void print_heading(struct listing *listing,
			  const struct clb_session *session)
{
	listing->width = session->client_address.length == 16 ? WIDTH_IPV6 :
								WIDTH_IPV4;
	printf("%-5s %-11s %-4s %-*s %-*s %-*s %-*s %s\n", "PROTO", "STATE",
	       "MODE", listing->width, "CLIENT", listing->width, "VIP",
	       listing->width, "LOCAL", listing->width, "SERVER", "EXPIRES");
}

/*
 * These write a column at @at and return where the next one begins: behind
 * WIDTH characters or what it takes, and a space.
 */
static char *pad(char *column, char *at, int width)
{
	char *next = (at < column + width ? column + width : at) + 1;

	memset(at, ' ', next - at);
	return next;
}

static char *put_field(char *at, const struct clb_session *session,
		       enum clb_session_attr attr, int width)
{
	clb_field_format(clb_field_find(&clb_session_object, attr), session,
			 at);
	return pad(at, at + strlen(at), width);
}

/* A persistence entry has no client port, a DR session no local one. */
static char *put_endpoint(char *at, const struct clb_address *address,
			  uint16_t port, int width)
{
	char *end = address->length && port ?
			    clb_endpoint_put(at, address, port) :
			    clb_address_put(at, address);

	return pad(at, end, width);
}

static char *put_seconds(char *at, uint32_t ms)
{
	uint32_t rest = ms % 1000;

	at = clb_number_put(at, ms / 1000);
	*at++ = '.';
	*at++ = (char)('0' + rest / 100);
	*at++ = (char)('0' + rest / 10 % 10);
	*at++ = (char)('0' + rest % 10);
	*at++ = 's';
	return at;
}

/* Not by printf(), which would be most of the time. */
static void print_row(struct listing *listing,
		      const struct clb_session *session)
{
	char row[9 * CLB_ADDRESS_TEXT], *at = row;
	int width = listing->width;

	at = put_field(at, session, CLB_SESSION_A_PROTOCOL, 5);
	at = put_field(at, session, CLB_SESSION_A_STATE, 11);
	at = put_field(at, session, CLB_SESSION_A_MODE, 4);
	at = put_endpoint(at, &session->client_address, session->client_port,
			  width);
	at = pad(at, clb_endpoint_put(at, &session->address, session->port),
		 width);
	at = put_endpoint(at, &session->local_address, session->local_port,
			  width);
	at = put_endpoint(at, &session->server_address, session->server_port,
			  width);
	at = put_seconds(at, session->expires);
	*at++ = '\n';
	fwrite_unlocked(row, 1, at - row, stdout);
}

static int show_text(const struct clb_message *message, void *context)
{
	struct listing *listing = context;

	if (!clb_message_has(message, CLB_A_SESSION))
		return 0;
	if (!listing->count++)
		print_heading(listing, &message->session);
	print_row(listing, &message->session);
	return 0;
}

static int show_json(const struct clb_message *message, void *context)
{
	struct listing *listing = context;
	json_t *json;

	if (!clb_message_has(message, CLB_A_SESSION))
		return 0;
	json = clb_object_json(&clb_session_object, &message->session,
			       CLB_JSON_ALL);
	fputs(listing->count++ ? ",\n" : "[", stdout);
	json_dumpf(json, stdout, JSON_COMPACT);
	json_decref(json);
	return 0;
}

static int count_one(const struct clb_message *message, void *context)
{
	struct listing *listing = context;

	listing->count += clb_message_has(message, CLB_A_SESSION);
	return 0;
}

static int list(struct listing *listing, struct clb_args *args,
		clb_message_handler handler)
{
	struct clb_message request = { .command = CLB_CMD_SESSION_GET };
	struct clb_context *context = listing->context;
	struct clb_error error;
	int status, err;

	if (clb_filter_parse(args, &request))
		return clb_report_usage(context, args);
	status = clb_context_open(context);
	if (status)
		return status;
	err = clb_client_dump(context->client, &request, handler, listing,
			      &error);
	if (err < 0)
		return clb_report_error(context, &request, &error);
	if (err)
		fputs("clbctl: warning: the table changed meanwhile, sessions may be absent or double\n",
		      stderr);
	return CLB_EXIT_OK;
}

static int show(struct clb_context *context, struct clb_args *args)
{
	struct listing listing = { .context = context };
	static char buffer[1 << 16];
	int fd = fileno(stdout);
	int status;

	/* Large writes; to a terminal the lines come as they are. */
	if (fd >= 0 && !isatty(fd))
		setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	status = list(&listing, args, context->json ? show_json : show_text);
	/* An array is closed even where the listing broke off. */
	if (context->json && (listing.count || status == CLB_EXIT_OK))
		puts(listing.count ? "]" : "[]");
	return status;
}

static int count(struct clb_context *context, struct clb_args *args)
{
	struct listing listing = { .context = context };
	int status;

	status = list(&listing, args, count_one);
	if (status)
		return status;
	if (context->json)
		clb_json_print(json_pack("{s:I}", "count",
					 (json_int_t)listing.count));
	else
		printf("%" PRIu64 "\n", listing.count);
	return CLB_EXIT_OK;
}

static const struct clb_subcommand subcommands[] = {
	{ "show", CLB_CMD_SESSION_GET, NULL, show },
	{ "del", CLB_CMD_SESSION_DEL, clb_filter_parse, clb_change_run },
	{ "count", CLB_CMD_SESSION_GET, NULL, count },
	{ 0 },
};

const struct clb_verb clb_verb_session = {
	.name = "session",
	.summary = "connections and UDP flows",
	.subcommands = subcommands,
	.help =
"usage: clbctl session [show] [FILTER]...\n"
"       clbctl session count [FILTER]...\n"
"       clbctl session del [FILTER]...\n"
"\n"
"Filters, all of which must match; with none, every session is meant:\n"
"  listener {tcp|udp} ADDRESS:PORT\n"
"  server ADDRESS[:PORT]\n"
"  client ADDRESS[:PORT]\n"
"  state NAME    none, syn-sent, syn-recv, established, fin-client, fin-server,\n"
"                closing, time-wait, closed, udp-new, udp or persistence\n"
"\n"
"del ends sessions; TCP is reset where the listener says so.\n",
};
