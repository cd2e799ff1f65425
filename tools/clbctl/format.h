/* SPDX-License-Identifier: MIT */
/* Objects and messages as text and as JSON. */
#ifndef CLB_CLBCTL_FORMAT_H
#define CLB_CLBCTL_FORMAT_H

#include <jansson.h>
#include <stdio.h>

#include "lib/message.h"

/* The object a command is about, or NULL: begin, commit, flush... */
const struct clb_object *clb_command_object(enum clb_cmd command);

/* The words of a command or event, e.g. "listener add", "commit". */
const char *clb_command_name(enum clb_cmd command);

/* tcp 192.0.2.1:80 */
void clb_listener_format(const struct clb_listener *listener, char *text,
			 size_t size);

/* 192.0.2.9:8080, or 192.0.2.9 where the server has no port of its own */
void clb_server_format(const struct clb_server *server,
		       char text[CLB_ADDRESS_TEXT]);

/* What a message is about: listener, server, local address; may be empty. */
void clb_message_key_format(const struct clb_message *message, char *text,
			    size_t size);

/* Writes " KEYWORD VALUE" for each option that has not its default. */
void clb_options_print(FILE *file, const struct clb_object *object,
		       const void *value);

/**
 * clb_command_print() - write a message as the command that stands for it
 * @file: where to; no end of line is written
 * @message: a change or an event; entries of an ACL are in @acl_entries
 *
 * Options that have their default are left out. clbctl restore reads the
 * result.
 */
void clb_command_print(FILE *file, const struct clb_message *message);

/* Which fields of an object go into JSON. */
enum clb_json {
	CLB_JSON_KEY,		/* what names it */
	CLB_JSON_CONFIG,	/* and its options */
	CLB_JSON_ALL,		/* and its output */
	CLB_JSON_COUNTERS,	/* key and output alone */
};

/* A new JSON object of the fields that are present. */
json_t *clb_object_json(const struct clb_object *object, const void *value,
			enum clb_json which);

/* As clb_object_json(), with the key of @listener as "listener". */
json_t *clb_object_json_of(const struct clb_object *object, const void *value,
			   enum clb_json which,
			   const struct clb_listener *listener);

/* Prints @json on one line and frees it. */
void clb_json_print(json_t *json);

#endif /* CLB_CLBCTL_FORMAT_H */
