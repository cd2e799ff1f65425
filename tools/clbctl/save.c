// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>

#include "format.h"
#include "list.h"

#define RETRIES 5

/* The configuration of a namespace. */
struct snapshot {
	struct clb_list local;
	struct clb_list listeners;
	struct clb_list servers;
	struct clb_list acl;
};

static void snapshot_free(struct snapshot *snapshot)
{
	clb_list_free(&snapshot->local);
	clb_list_free(&snapshot->listeners);
	clb_list_free(&snapshot->servers);
	clb_list_free(&snapshot->acl);
}

static int get(struct clb_context *context, enum clb_cmd command,
	       struct clb_list *list)
{
	struct clb_message request = { .command = command };

	return clb_list_get(context, &request, list);
}

static int snapshot_get(struct clb_context *context, struct snapshot *snapshot)
{
	int status;

	*snapshot = (struct snapshot){ 0 };
	status = get(context, CLB_CMD_LOCAL_ADDRESS_GET, &snapshot->local);
	if (!status)
		status = get(context, CLB_CMD_LISTENER_GET,
			     &snapshot->listeners);
	if (!status)
		status = get(context, CLB_CMD_SERVER_GET, &snapshot->servers);
	if (!status)
		status = get(context, CLB_CMD_ACL_GET, &snapshot->acl);
	if (status)
		snapshot_free(snapshot);
	return status;
}

static int note_change(const struct clb_message *message, void *context)
{
	bool *changed = context;

	if (message->command != CLB_CMD_POOL_EXHAUSTED &&
	    message->command != CLB_CMD_LISTENER_END)
		*changed = true;
	return 0;
}

/* Whether anything changed since @watch subscribed, or was asked last. */
static bool has_changed(struct clb_client *watch)
{
	bool changed = false;
	int err;

	while (!(err = clb_client_events(watch, note_change, &changed)))
		;
	return changed || err != -EAGAIN;
}

/*
 * The four lists are no snapshot by themselves: they are taken again until
 * no event says that something changed in between.
 */
static int snapshot_get_stable(struct clb_context *context,
			       struct clb_client *watch,
			       struct snapshot *snapshot)
{
	int tries, status;

	for (tries = 0; tries < RETRIES; tries++) {
		status = snapshot_get(context, snapshot);
		if (status)
			return status;
		if (!has_changed(watch))
			return CLB_EXIT_OK;
		snapshot_free(snapshot);
	}
	fputs("clbctl: save: the configuration keeps changing, try again\n",
	      stderr);
	return CLB_EXIT_REFUSED;
}

static int snapshot_watched(struct clb_context *context,
			    struct snapshot *snapshot)
{
	struct clb_message about = { 0 };
	struct clb_client *watch;
	struct clb_error error;
	int status;

	if (clb_client_open(&watch, &error)) {
		fprintf(stderr, "clbctl: %s\n", error.message);
		return CLB_EXIT_REFUSED;
	}
	if (clb_client_subscribe(watch, &error))
		status = clb_report_error(context, &about, &error);
	else
		status = snapshot_get_stable(context, watch, snapshot);
	clb_client_close(watch);
	return status;
}

static void print_line(const struct clb_message *message)
{
	clb_command_print(stdout, message);
	putchar('\n');
}

static void print_local(const struct clb_list *list)
{
	struct clb_message message = { .command = CLB_CMD_LOCAL_ADDRESS_ADD };
	size_t i;

	clb_message_add(&message, CLB_A_LOCAL_ADDRESS);
	for (i = 0; i < list->count; i++) {
		message.local_address = list->items[i].local_address;
		print_line(&message);
	}
}

static bool is_of(const struct clb_item *item,
		  const struct clb_listener *listener)
{
	return item->listener.protocol == listener->protocol &&
	       item->listener.port == listener->port &&
	       !clb_address_compare(&item->listener.address,
				    &listener->address);
}

/* Prints the servers of one listener; *next moves on. */
static void print_servers(const struct clb_list *list, size_t *next,
			  const struct clb_listener *listener)
{
	struct clb_message message = {
		.command = CLB_CMD_SERVER_ADD,
		.listener = *listener,
	};

	clb_message_add(&message, CLB_A_LISTENER);
	clb_message_add(&message, CLB_A_SERVER);
	for (; *next < list->count && is_of(&list->items[*next], listener);
	     ++*next) {
		message.server = list->items[*next].server;
		print_line(&message);
	}
}

/* One entry a line, which compares well. */
static void print_acl(struct clb_list *list, size_t *next,
		      const struct clb_listener *listener)
{
	struct clb_message message = {
		.command = CLB_CMD_ACL_ADD,
		.listener = *listener,
		.n_acl_entries = 1,
	};

	clb_message_add(&message, CLB_A_LISTENER);
	for (; *next < list->count && is_of(&list->items[*next], listener);
	     ++*next) {
		message.acl_entries = &list->items[*next].acl_entry;
		print_line(&message);
	}
}

/* All lists are sorted by listener, so one pass over each will do. */
static void print_text(struct snapshot *snapshot)
{
	struct clb_message message = { .command = CLB_CMD_LISTENER_ADD };
	size_t i, server = 0, entry = 0;

	clb_message_add(&message, CLB_A_LISTENER);
	print_local(&snapshot->local);
	for (i = 0; i < snapshot->listeners.count; i++) {
		message.listener = snapshot->listeners.items[i].listener;
		print_line(&message);
		print_servers(&snapshot->servers, &server, &message.listener);
		print_acl(&snapshot->acl, &entry, &message.listener);
	}
}

static json_t *json_objects(const struct clb_list *list,
			    const struct clb_object *object, size_t offset)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(array, clb_object_json(object,
			(const char *)&list->items[i] + offset,
			CLB_JSON_CONFIG));
	return array;
}

static json_t *json_objects_of(const struct clb_list *list,
			       const struct clb_object *object, size_t offset)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_array_append_new(array, clb_object_json_of(object,
			(const char *)&list->items[i] + offset,
			CLB_JSON_CONFIG, &list->items[i].listener));
	return array;
}

static void print_json(const struct snapshot *snapshot)
{
	json_t *json = json_object();

	json_object_set_new(json, "local_addresses", json_objects(
		&snapshot->local, &clb_local_address_object,
		offsetof(struct clb_item, local_address)));
	json_object_set_new(json, "listeners", json_objects(
		&snapshot->listeners, &clb_listener_object,
		offsetof(struct clb_item, listener)));
	json_object_set_new(json, "servers", json_objects_of(
		&snapshot->servers, &clb_server_object,
		offsetof(struct clb_item, server)));
	json_object_set_new(json, "acl", json_objects_of(
		&snapshot->acl, &clb_acl_entry_object,
		offsetof(struct clb_item, acl_entry)));
	clb_json_print(json);
}

static int run(struct clb_context *context, struct clb_args *args)
{
	struct snapshot snapshot;
	int status;

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	status = snapshot_watched(context, &snapshot);
	if (status)
		return status;
	if (context->json)
		print_json(&snapshot);
	else
		print_text(&snapshot);
	snapshot_free(&snapshot);
	return CLB_EXIT_OK;
}

const struct clb_verb clb_verb_save = {
	.name = "save",
	.summary = "print the configuration as restore reads it",
	.itself = { .run = run },
	.help =
"usage: clbctl save\n"
"\n"
"Prints listeners, servers, ACLs and local addresses as commands, one a line, in\n"
"an order that stays the same. Values that are the default are left out.\n",
};
