// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stddef.h>

#include "view.h"

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

static void fill(struct clb_table *table, const struct clb_item *item)
{
	char text[CLB_ADDRESS_TEXT];

	clb_endpoint_format(&item->listener.address, item->listener.port,
			    text);
	clb_table_set(table, 1, text);
}

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

static const struct clb_view view = {
	.object = &clb_listener_object,
	.offset = offsetof(struct clb_item, listener),
	.json = CLB_JSON_ALL,
	.columns = columns,
	.fill = fill,
};

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_LISTENER_GET };

	if (!clb_args_peek(args))
		return clb_view_list(context, &request, &view);
	if (parse_key(args, &request))
		return clb_report_usage(context, args);
	return clb_view_one(context, &request, &view);
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
"  burst BYTES[k|m|g]               at once above it, 131072 or more (0: 500 ms)\n"
"  acl {off|allow|deny}             meaning of the ACL's entries (off)\n"
"  sync {first|established|off}     when other nodes know a session (first)\n"
"  direct-access {on|off}           servers are reached past the VIP, too (off)\n"
"  client-address {on|off}          tell servers the client, fnat and TCP (off)\n",
};
