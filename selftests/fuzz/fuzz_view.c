// SPDX-License-Identifier: MIT
/*
 * tools/clbctl: what it prints of answers and events, whatever is in them.
 * This file stands in for tools/lib/client.c. JSON must be JSON, one value or
 * more; text must be lines of printable characters.
 *
 * Input: what is asked, as a place in @questions; flags; then messages: two
 * bytes, the length of the attributes, a byte, the command, and the attributes.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbctl/clbctl.h"
#include "lib/client_private.h"

#define WORDS 16

#define FLAG_JSON 0x01
#define FLAG_ALL 0x02
#define FLAG_REFUSED 0x04
#define FLAG_INTERRUPTED 0x08

static const char *const questions[] = {
	"listener show",  "listener show tcp 192.0.2.1:80",
	"server show",	  "server show tcp 192.0.2.1:80",
	"acl show",	  "local show",
	"settings show",  "session show",
	"session count",  "stats",
	"stats listener", "stats server",
	"sync show",	  "sync peers",
	"monitor",	  "save",
	"version",
};

/* What there is to answer; of the one run there is at a time. */
static struct {
	const uint8_t *data;
	size_t size;
	size_t next; /* event */
	bool noted; /* how events end */
	uint8_t fill; /* what is where no object is */
	uint8_t flags;
} input;

static FILE *nowhere;

static void must(bool condition)
{
	if (!condition)
		abort();
}

/* --- the client ---------------------------------------------------------- */

int clb_client_open(struct clb_client **client, struct clb_error *error)
{
	static struct clb_client one;

	(void)error;
	*client = &one;
	return 0;
}

int clb_client_find(struct clb_client **client, struct clb_error *error)
{
	return clb_client_open(client, error);
}

void clb_client_close(struct clb_client *client)
{
	(void)client;
}

/* There is always something to read. */
int clb_client_fd(const struct clb_client *client)
{
	(void)client;
	return fileno(nowhere);
}

unsigned int clb_client_version(const struct clb_client *client)
{
	(void)client;
	return input.flags;
}

int clb_client_send(struct clb_client *client, const void *bytes, size_t length,
		    struct clb_error *error)
{
	(void)client;
	(void)bytes;
	(void)length;
	return clb_error_set(error, -EIO, "");
}

ssize_t clb_client_receive(struct clb_client *client, int flags)
{
	(void)client;
	(void)flags;
	return -EIO;
}

/*
 * The message at *@at, which moves on. Return: 1, 0: there is none, or what the
 * handler returned.
 */
static int message_tell(size_t *at, clb_message_handler handler, void *context)
{
	const uint8_t *data = input.data + *at;
	struct clb_message message;
	uint8_t *copy;
	size_t length;
	int err;

	if (input.size - *at < 3)
		return 0;
	length = data[0] | data[1] << 8;
	*at += 3;
	if (length > input.size - *at)
		length = input.size - *at;
	*at += length;
	copy = malloc(length ? length : 1);
	must(copy);
	memcpy(copy, data + 3, length);
	memset(&message, input.fill, sizeof(message));
	err = clb_message_parse(data[2], copy, length, &message);
	if (!err)
		err = handler(&message, context);
	free(copy);
	return err ? err : 1;
}

int clb_client_dump(struct clb_client *client,
		    const struct clb_message *request,
		    clb_message_handler handler, void *context,
		    struct clb_error *error)
{
	size_t at = 0;
	int more;

	(void)client;
	(void)request;
	while ((more = message_tell(&at, handler, context)) > 0)
		;
	if (!more && input.flags & FLAG_REFUSED)
		more = -EPERM;
	if (more)
		return clb_error_set(error, more, "");
	return !!(input.flags & FLAG_INTERRUPTED);
}

static int keep_reply(const struct clb_message *message, void *context)
{
	struct clb_message *reply = context;

	*reply = *message;
	reply->attributes = NULL;
	reply->length = 0;
	reply->n_acl_entries = 0;
	return 0;
}

int clb_client_request(struct clb_client *client,
		       const struct clb_message *request,
		       struct clb_message *reply, struct clb_error *error)
{
	struct clb_message ignored;
	int err;

	err = clb_client_dump(client, request, keep_reply,
			      reply ? reply : &ignored, error);
	return err < 0 ? err : 0;
}

int clb_client_subscribe(struct clb_client *client, struct clb_error *error)
{
	(void)client;
	(void)error;
	return 0;
}

/* One at a time; then what there may be to note, and an end. */
int clb_client_events(struct clb_client *client, clb_message_handler handler,
		      void *context)
{
	static const int ends[] = { -ENOBUFS, -ENODEV, -ESTALE, -EAGAIN };
	int more;

	(void)client;
	more = message_tell(&input.next, handler, context);
	if (more)
		return more < 0 ? more : 0;
	if (input.noted)
		return -EIO;
	input.noted = true;
	return ends[input.flags >> 4 & 3];
}

/* --- what is printed ----------------------------------------------------- */

static void expect_json(const char *text, size_t size)
{
	json_error_t error;
	json_t *json;

	while (size && isspace((unsigned char)*text)) {
		text++;
		size--;
	}
	while (size) {
		json = json_loadb(text, size, JSON_DISABLE_EOF_CHECK, &error);
		must(json);
		json_decref(json);
		text += error.position;
		size -= error.position;
		while (size && isspace((unsigned char)*text)) {
			text++;
			size--;
		}
	}
}

static void expect_lines(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		must(isprint((unsigned char)text[i]) || text[i] == '\n');
	must(!size || text[size - 1] == '\n');
}

/* Return: what was printed, checked, whatever the answer was. */
static char *ask(const char *question, struct clb_context *context)
{
	char *words[WORDS], *line = strdup(question), *text = NULL;
	struct clb_args args = { .words = words };
	FILE *out = stdout, *err = stderr;
	size_t size = 0;
	int status;

	must(line);
	must(!clb_line_split(line, words, WORDS, &args.count));
	must(!clb_verb_find(&args, &context->verb, &context->subcommand));
	stdout = open_memstream(&text, &size);
	stderr = nowhere;
	must(stdout != NULL);
	status = context->subcommand->run(context, &args);
	fclose(stdout);
	stdout = out;
	stderr = err;
	must(status == CLB_EXIT_OK || status == CLB_EXIT_REFUSED);
	if (context->json)
		expect_json(text, size);
	else
		expect_lines(text, size);
	free(line);
	return text;
}

static char *ask_filled(const char *question, uint8_t fill)
{
	struct clb_context context = {
		.json = input.flags & FLAG_JSON,
		.all = input.flags & FLAG_ALL,
	};

	input.fill = fill;
	input.next = 0;
	input.noted = false;
	return ask(question, &context);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	nowhere = fopen("/dev/null", "r+");
	must(nowhere);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *question;
	char *once, *twice;

	if (size < 2)
		return 0;
	question =
		questions[data[0] % (sizeof(questions) / sizeof(*questions))];
	input.flags = data[1];
	input.data = data + 2;
	input.size = size - 2;
	/* nobody looks at objects that are not there */
	once = ask_filled(question, 0x5a);
	twice = ask_filled(question, 0xa5);
	must(!strcmp(once, twice));
	free(once);
	free(twice);
	return 0;
}
