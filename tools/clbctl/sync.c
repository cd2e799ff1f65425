// SPDX-License-Identifier: MIT
#include <stddef.h>
#include <string.h>

#include "view.h"

static int request_send(struct clb_context *context,
			const struct clb_message *request,
			struct clb_message *reply)
{
	struct clb_error error;
	int status;

	status = clb_context_open(context);
	if (status)
		return status;
	if (clb_client_request(context->client, request, reply, &error))
		return clb_report_error(context, request, &error);
	return CLB_EXIT_OK;
}

/*
 * Not a change of the configuration: it is no line of a file, so that no
 * secret is read because a file says so.
 */
static int change(struct clb_context *context, struct clb_args *args,
		  enum clb_cmd command)
{
	struct clb_message request = { .command = command };
	int status;

	clb_message_add(&request, CLB_A_SYNC);
	if (clb_args_changes(args, &clb_sync_object, &request.sync))
		status = clb_report_usage(context, args);
	else
		status = request_send(context, &request, NULL);
	explicit_bzero(&request, sizeof(request));
	return status;
}

static int start(struct clb_context *context, struct clb_args *args)
{
	return change(context, args, CLB_CMD_SYNC_START);
}

static int add_secret(struct clb_context *context, struct clb_args *args)
{
	return change(context, args, CLB_CMD_SYNC_SECRET_ADD);
}

static int use_secret(struct clb_context *context, struct clb_args *args)
{
	return change(context, args, CLB_CMD_SYNC_SECRET_USE);
}

static int del_secret(struct clb_context *context, struct clb_args *args)
{
	return change(context, args, CLB_CMD_SYNC_SECRET_DEL);
}

static int stop(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_SYNC_STOP };

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	return request_send(context, &request, NULL);
}

static int show(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_SYNC_GET };
	struct clb_message reply = { 0 };
	int status;

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	status = request_send(context, &request, &reply);
	if (status)
		return status;
	if (context->json)
		clb_json_print(clb_object_json(&clb_sync_object, &reply.sync,
					       CLB_JSON_ALL));
	else
		clb_fields_print(&clb_sync_object, &reply.sync, true);
	return CLB_EXIT_OK;
}

static const struct clb_column peer_columns[] = {
	{ "NODE", "node" },
	{ "ADDRESS", "address" },
	{ "ALIVE", "alive" },
	{ "READY", "ready" },
	{ "KEY", "key-id" },
	{ "HEARD-MS", "heard-ms" },
	{ "SESSIONS", "sessions" },
	{ "SEQUENCE", "sequence" },
	{ "LAG", "lag" },
	{ "MISSED", "missed" },
	{ "GAPS", "gaps" },
	{ "REPAIRED", "gaps-repaired" },
	{ "LOST", "gaps-lost" },
	{ "FORGED", "drop-forged" },
	{ "REPLAYED", "drop-replayed" },
	{ NULL, NULL },
};

static const struct clb_view peer_view = {
	.object = &clb_sync_peer_object,
	.offset = offsetof(struct clb_item, sync_peer),
	.json = CLB_JSON_ALL,
	.columns = peer_columns,
};

static int peers(struct clb_context *context, struct clb_args *args)
{
	struct clb_message request = { .command = CLB_CMD_SYNC_PEER_GET };

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	return clb_view_list(context, &request, &peer_view);
}

static const struct clb_subcommand subcommands[] = {
	{ .name = "show", .run = show },
	{ .name = "status", .run = show },
	{ .name = "start", .run = start },
	{ .name = "stop", .run = stop },
	{ .name = "peers", .run = peers },
	{ .name = "add-secret", .run = add_secret },
	{ .name = "use-secret", .run = use_secret },
	{ .name = "del-secret", .run = del_secret },
	{ 0 },
};

const struct clb_verb clb_verb_sync = {
	.name = "sync",
	.summary = "share sessions with other nodes",
	.subcommands = subcommands,
	.help =
"usage: clbctl sync start node ID interface DEVICE group ADDRESS secret FILE\n"
"                         [KEYWORD VALUE]...\n"
"       clbctl sync stop\n"
"       clbctl sync [status]\n"
"       clbctl sync peers\n"
"       clbctl sync add-secret key-id ID secret FILE\n"
"       clbctl sync use-secret key-id ID\n"
"       clbctl sync del-secret key-id ID\n"
"\n"
"  node ID           1 to 65535, unique in the cluster\n"
"  interface DEVICE  leads to the other nodes\n"
"  group ADDRESS     multicast group\n"
"  secret FILE       of 64 hexadecimal digits, the same on all nodes, which its\n"
"                    owner alone may read\n"
"  cluster ID        the same on all nodes (0)\n"
"  port PORT         UDP port (8850)\n"
"  ttl HOPS          that datagrams may make (1)\n"
"  mtu BYTES         largest packet (that of the device)\n"
"  reorder MS        how long a datagram that comes early waits for those before\n"
"                    it, 0 to 200 (10)\n"
"  key-id ID         number of the secret (0)\n"
"\n"
"Which sessions of a listener the others know of: its keyword sync. To make a\n"
"secret: (umask 077 && openssl rand -hex 32 >FILE). To replace it: add the new\n"
"one on all nodes, then use it on all, then delete the old one on all.\n",
};
