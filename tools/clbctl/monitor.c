// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clbctl.h"
#include "format.h"

struct monitor {
	struct clb_context *context;
	unsigned long count;
};

static bool is_enough(const struct monitor *monitor)
{
	return monitor->context->count &&
	       monitor->count >= monitor->context->count;
}

static void print_text(const struct clb_message *message)
{
	clb_command_print(stdout, message);
	if (clb_message_has(message, CLB_A_GENERATION))
		printf(" generation %" PRIu32, message->generation);
	putchar('\n');
}

static json_t *json_entries(const struct clb_message *message)
{
	json_t *array = json_array();
	size_t i;

	for (i = 0; i < message->n_acl_entries; i++)
		json_array_append_new(array, clb_object_json(
			&clb_acl_entry_object, &message->acl_entries[i],
			CLB_JSON_ALL));
	return array;
}

/* The word for an object in an event. */
static const char *json_name(const struct clb_object *object)
{
	return object == &clb_local_address_object ? "local_address" :
						     object->name;
}

static void print_json(struct clb_message *message)
{
	json_t *json = json_object();
	char name[32];
	uint16_t attr;
	char *blank;

	snprintf(name, sizeof(name), "%s", clb_command_name(message->command));
	blank = strchr(name, ' ');
	if (blank)
		*blank = '-';
	json_object_set_new(json, "event", json_string(name));
	for (attr = CLB_A_LISTENER; attr <= CLB_A_MAX; attr++) {
		const struct clb_object *object = clb_object_find(attr);
		void *value = clb_message_object(message, attr);

		if (value && clb_message_has(message, attr))
			json_object_set_new(json, json_name(object),
					    clb_object_json(object, value,
							    CLB_JSON_ALL));
	}
	if (message->n_acl_entries)
		json_object_set_new(json, "acl", json_entries(message));
	if (clb_message_has(message, CLB_A_GENERATION))
		json_object_set_new(json, "generation",
				    json_integer(message->generation));
	clb_json_print(json);
}

static int print_event(const struct clb_message *event, void *context)
{
	struct monitor *monitor = context;
	struct clb_message message = *event;

	if (is_enough(monitor))
		return 0;
	if (event->n_acl_entries) {
		message.acl_entries = calloc(event->n_acl_entries,
					     sizeof(*message.acl_entries));
		if (!message.acl_entries)
			return -ENOMEM;
		clb_message_acl_entries(event, message.acl_entries);
	}
	if (monitor->context->json)
		print_json(&message);
	else
		print_text(&message);
	fflush(stdout);
	monitor->count++;
	free(message.acl_entries);
	return 0;
}

/* What clb_client_events() says of itself. */
static const struct {
	int err;
	const char *event;
	const char *text;
} notes[] = {
	{ -ENOBUFS, "lost", "some events did not fit into the buffer" },
	{ -ENODEV, "gone", "the module was unloaded" },
	{ -ESTALE, "lost", "the module was loaded anew" },
};

/* Return: 0, or @err where it is none of these */
static int print_note(const struct monitor *monitor, int err)
{
	size_t i;

	for (i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
		if (notes[i].err != err)
			continue;
		if (monitor->context->json)
			printf("{\"event\":\"%s\"}\n", notes[i].event);
		else
			printf("%s: %s\n", notes[i].event, notes[i].text);
		fflush(stdout);
		return 0;
	}
	return err;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Return: 1: something to read, 0: the time is over, or a negative errno */
static int wait_event(const struct clb_client *client, int64_t deadline)
{
	struct pollfd poller = { clb_client_fd(client), POLLIN, 0 };
	int64_t left = -1;
	int ready;

	do {
		if (deadline) {
			left = deadline - now_ms();
			if (left <= 0)
				return 0;
			if (left > 3600 * 1000)
				left = 3600 * 1000;
		}
		ready = poll(&poller, 1, left);
	} while (!ready || (ready < 0 && errno == EINTR));
	return ready < 0 ? -errno : 1;
}

static int watch(struct monitor *monitor, struct clb_client *client)
{
	unsigned int timeout = monitor->context->timeout;
	int64_t deadline = timeout ? now_ms() + timeout * 1000LL : 0;
	int err;

	while (!is_enough(monitor)) {
		err = wait_event(client, deadline);
		if (err <= 0)
			return err;
		err = clb_client_events(client, print_event, monitor);
		if (err && err != -EAGAIN)
			err = print_note(monitor, err);
		if (err && err != -EAGAIN)
			return err;
		if (ferror(stdout))
			return -EPIPE;
	}
	return 0;
}

static int run(struct clb_context *context, struct clb_args *args)
{
	struct monitor monitor = { .context = context };
	struct clb_message about = { 0 };
	struct clb_error error;
	int status, err;

	if (clb_args_end(args))
		return clb_report_usage(context, args);
	status = clb_context_open(context);
	if (status)
		return status;
	if (clb_client_subscribe(context->client, &error))
		return clb_report_error(context, &about, &error);
	err = watch(&monitor, context->client);
	if (err) {
		clb_error_set(&error, err, "");
		return clb_report_error(context, &about, &error);
	}
	return CLB_EXIT_OK;
}

const struct clb_verb clb_verb_monitor = {
	.name = "monitor",
	.summary = "print changes as they happen",
	.options = "ct",
	.itself = { .run = run },
	.help =
"usage: clbctl monitor [--count N] [--timeout SECONDS]\n"
"\n"
"Prints each change of the configuration on a line of its own, as the command\n"
"that made it, without options that have their default. With -j, one JSON object\n"
"a line. Says when events were lost, and when the module is gone: then it waits\n"
"until it is loaded again.\n"
"\n"
"  --count N            stop after N events\n"
"  --timeout SECONDS    stop after this time\n",
};
