// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <string.h>

#include "format.h"

static const char *const command_names[] = {
	[CLB_CMD_LISTENER_ADD] = "listener add",
	[CLB_CMD_LISTENER_SET] = "listener set",
	[CLB_CMD_LISTENER_DEL] = "listener del",
	[CLB_CMD_SERVER_ADD] = "server add",
	[CLB_CMD_SERVER_SET] = "server set",
	[CLB_CMD_SERVER_DEL] = "server del",
	[CLB_CMD_ACL_ADD] = "acl add",
	[CLB_CMD_ACL_DEL] = "acl del",
	[CLB_CMD_LOCAL_ADDRESS_ADD] = "local add",
	[CLB_CMD_LOCAL_ADDRESS_DEL] = "local del",
	[CLB_CMD_SETTINGS_SET] = "settings set",
	[CLB_CMD_SESSION_DEL] = "session del",
	[CLB_CMD_BEGIN] = "begin",
	[CLB_CMD_COMMIT] = "commit",
	[CLB_CMD_ABORT] = "abort",
	[CLB_CMD_FLUSH] = "flush",
	[CLB_CMD_POOL_EXHAUSTED] = "pool exhausted",
	[CLB_CMD_SYNC_START] = "sync start",
	[CLB_CMD_SYNC_STOP] = "sync stop",
	[CLB_CMD_SYNC_READY] = "sync ready",
	[CLB_CMD_SYNC_SECRET_ADD] = "sync add-secret",
	[CLB_CMD_SYNC_SECRET_USE] = "sync use-secret",
	[CLB_CMD_SYNC_SECRET_DEL] = "sync del-secret",
	[CLB_CMD_SYNC_TAKEOVER] = "node takeover",
	[CLB_CMD_SYNC_GIVEBACK] = "node giveback",
	[CLB_CMD_SYNC_PEER] = "sync peer",
	[CLB_CMD_LISTENER_END] = "listener end",
};

const char *clb_command_name(enum clb_cmd command)
{
	const size_t n = sizeof(command_names) / sizeof(command_names[0]);

	if ((size_t)command < n && command_names[command])
		return command_names[command];
	return "unknown";
}

const struct clb_object *clb_command_object(enum clb_cmd command)
{
	switch (command) {
	case CLB_CMD_LISTENER_GET:
	case CLB_CMD_LISTENER_ADD:
	case CLB_CMD_LISTENER_SET:
	case CLB_CMD_LISTENER_DEL:
	case CLB_CMD_LISTENER_END:
		return &clb_listener_object;
	case CLB_CMD_SERVER_GET:
	case CLB_CMD_SERVER_ADD:
	case CLB_CMD_SERVER_SET:
	case CLB_CMD_SERVER_DEL:
		return &clb_server_object;
	case CLB_CMD_ACL_GET:
	case CLB_CMD_ACL_ADD:
	case CLB_CMD_ACL_DEL:
		return &clb_acl_entry_object;
	case CLB_CMD_LOCAL_ADDRESS_GET:
	case CLB_CMD_LOCAL_ADDRESS_ADD:
	case CLB_CMD_LOCAL_ADDRESS_DEL:
	case CLB_CMD_SYNC_TAKEOVER:
	case CLB_CMD_SYNC_GIVEBACK:
		return &clb_local_address_object;
	case CLB_CMD_SETTINGS_GET:
	case CLB_CMD_SETTINGS_SET:
		return &clb_settings_object;
	case CLB_CMD_SESSION_GET:
	case CLB_CMD_SESSION_DEL:
		return &clb_session_object;
	case CLB_CMD_STATS_GET:
		return &clb_stats_object;
	case CLB_CMD_SYNC_START:
	case CLB_CMD_SYNC_STOP:
	case CLB_CMD_SYNC_GET:
	case CLB_CMD_SYNC_READY:
	case CLB_CMD_SYNC_SECRET_ADD:
	case CLB_CMD_SYNC_SECRET_USE:
	case CLB_CMD_SYNC_SECRET_DEL:
		return &clb_sync_object;
	case CLB_CMD_SYNC_PEER_GET:
	case CLB_CMD_SYNC_PEER:
		return &clb_sync_peer_object;
	default:
		return NULL;
	}
}

void clb_listener_format(const struct clb_listener *listener, char *text,
			 size_t size)
{
	const struct clb_field *protocol =
		clb_field_find(&clb_listener_object, CLB_LISTENER_A_PROTOCOL);
	char name[CLB_ADDRESS_TEXT], endpoint[CLB_ADDRESS_TEXT];

	clb_field_format(protocol, listener, name);
	clb_endpoint_format(&listener->address, listener->port, endpoint);
	snprintf(text, size, "%s %s", name, endpoint);
}

void clb_server_format(const struct clb_server *server,
		       char text[CLB_ADDRESS_TEXT])
{
	if (server->port)
		clb_endpoint_format(&server->address, server->port, text);
	else
		clb_address_format(&server->address, text);
}

void clb_message_key_format(const struct clb_message *message, char *text,
			    size_t size)
{
	char server[CLB_ADDRESS_TEXT];
	size_t used;

	*text = '\0';
	if (clb_message_has(message, CLB_A_LOCAL_ADDRESS) &&
	    size >= CLB_ADDRESS_TEXT)
		clb_address_format(&message->local_address.address, text);
	if (clb_message_has(message, CLB_A_LISTENER))
		clb_listener_format(&message->listener, text, size);
	if (!clb_message_has(message, CLB_A_SERVER))
		return;
	used = strlen(text);
	clb_server_format(&message->server, server);
	snprintf(text + used, size - used, "%sserver %s", used ? " " : "",
		 server);
}

static bool is_default(const struct clb_object *object,
		       const struct clb_field *field, const void *value)
{
	uint64_t initial = field->initial;

	if (initial == CLB_DEFAULT_LONGEST)
		initial = 8 * clb_field_address(
			clb_field_find_name(object, "address"), value)->length;
	return clb_field_get(field, value) == initial;
}

void clb_options_print(FILE *file, const struct clb_object *object,
		       const void *value)
{
	char text[CLB_ADDRESS_TEXT];
	size_t i;

	for (i = 0; i < object->n_fields; i++) {
		const struct clb_field *field = &object->fields[i];

		if (field->role != CLB_ROLE_OPTION ||
		    !clb_field_present(field, value) ||
		    is_default(object, field, value))
			continue;
		clb_field_format(field, value, text);
		fprintf(file, " %s %s", field->name, text);
	}
}

static void print_key(FILE *file, const struct clb_message *message)
{
	char text[3 * CLB_ADDRESS_TEXT];

	clb_message_key_format(message, text, sizeof(text));
	if (*text)
		fprintf(file, " %s", text);
}

static void print_acl_entries(FILE *file, const struct clb_message *message)
{
	char text[CLB_ADDRESS_TEXT];
	size_t i;

	if (message->command == CLB_CMD_ACL_DEL && !message->n_acl_entries)
		fputs(" all", file);
	for (i = 0; message->acl_entries && i < message->n_acl_entries; i++) {
		clb_prefix_format(&message->acl_entries[i].address,
				  message->acl_entries[i].prefix, text);
		fprintf(file, " %s", text);
	}
}

void clb_command_print(FILE *file, const struct clb_message *message)
{
	const struct clb_object *object = clb_command_object(message->command);

	fputs(clb_command_name(message->command), file);
	print_key(file, message);
	if (object == &clb_listener_object)
		clb_options_print(file, object, &message->listener);
	else if (object == &clb_server_object)
		clb_options_print(file, object, &message->server);
	else if (object == &clb_local_address_object)
		clb_options_print(file, object, &message->local_address);
	else if (object == &clb_settings_object)
		clb_options_print(file, object, &message->settings);
	else if (object == &clb_sync_peer_object &&
		 clb_message_has(message, CLB_A_SYNC_PEER))
		fprintf(file, " %u %s", message->sync_peer.node,
			message->sync_peer.alive ? "alive" : "dead");
	if (message->command == CLB_CMD_LISTENER_END &&
	    clb_message_has(message, CLB_A_LISTENER))
		fprintf(file, " in-bytes %" PRIu64 " out-bytes %" PRIu64,
			message->listener.in_bytes,
			message->listener.out_bytes);
	print_acl_entries(file, message);
}

static json_t *field_json(const struct clb_field *field, const void *value)
{
	uint64_t number = clb_field_get(field, value);
	char text[CLB_ADDRESS_TEXT];
	const char *name;

	switch (field->format) {
	case CLB_FORMAT_ADDRESS:
		clb_address_format(clb_field_address(field, value), text);
		return json_string(text);
	case CLB_FORMAT_INTERFACE:
	case CLB_FORMAT_SECRET:
		clb_field_format(field, value, text);
		return json_string(text);
	case CLB_FORMAT_NAME:
		name = clb_field_value_name(field, number);
		return name ? json_string(name) : json_integer(number);
	case CLB_FORMAT_SWITCH:
		return json_boolean(number);
	default:
		return json_integer(number);
	}
}

/* Keyword with underscores: timeout_syn */
static void json_key(const char *name, char *key, size_t size)
{
	size_t i;

	for (i = 0; i < size - 1 && name[i]; i++)
		key[i] = name[i] == '-' || name[i] == ' ' ? '_' : name[i];
	key[i] = '\0';
}

static bool wanted(const struct clb_field *field, enum clb_json which)
{
	switch (field->role) {
	case CLB_ROLE_KEY:
		return true;
	case CLB_ROLE_OPTION:
		return which == CLB_JSON_CONFIG || which == CLB_JSON_ALL;
	case CLB_ROLE_OUTPUT:
		return which == CLB_JSON_ALL || which == CLB_JSON_COUNTERS;
	}
	return false;
}

json_t *clb_object_json(const struct clb_object *object, const void *value,
			enum clb_json which)
{
	json_t *json = json_object();
	char key[40];
	size_t i;

	for (i = 0; i < object->n_fields; i++) {
		const struct clb_field *field = &object->fields[i];

		if (!wanted(field, which) || !clb_field_present(field, value))
			continue;
		json_key(field->name, key, sizeof(key));
		json_object_set_new_nocheck(json, key,
					    field_json(field, value));
	}
	return json;
}

json_t *clb_object_json_of(const struct clb_object *object, const void *value,
			   enum clb_json which,
			   const struct clb_listener *listener)
{
	json_t *json = json_object();
	json_t *own;

	json_object_set_new(json, "listener",
			    clb_object_json(&clb_listener_object, listener,
					    CLB_JSON_KEY));
	own = clb_object_json(object, value, which);
	json_object_update(json, own);
	json_decref(own);
	return json;
}

void clb_json_print(json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(json);
}
