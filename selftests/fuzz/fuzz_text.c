// SPDX-License-Identifier: MIT
/*
 * What people type: numbers, addresses, and the commands that clbctl restore
 * reads. What was understood and printed must be understood alike.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clbctl/clbctl.h"
#include "clbctl/filter.h"
#include "clbctl/format.h"
#include "lib/number.h"

#define WORDS 256

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void numbers(const char *text)
{
	char again[CLB_NUMBER_TEXT];
	uint64_t value, same;

	if (!clb_number_parse(text, UINT64_MAX, &value))
		must(!clb_scaled_parse(text, UINT64_MAX, &same) &&
		     same == value);
	if (clb_scaled_parse(text, UINT64_MAX, &value))
		return;
	clb_scaled_format(value, again);
	must(!clb_scaled_parse(again, UINT64_MAX, &same) && same == value);
}

static void addresses(const char *text)
{
	struct clb_address address, same;
	char again[CLB_ADDRESS_TEXT];
	uint8_t prefix, prefix_same;
	uint16_t port, port_same;
	bool has_port;

	if (!clb_address_parse(text, &address)) {
		clb_address_format(&address, again);
		must(!clb_address_parse(again, &same));
		must(!clb_address_compare(&address, &same));
	}
	if (!clb_endpoint_parse(text, &address, &port, &has_port)) {
		clb_endpoint_format(&address, port, again);
		must(!clb_endpoint_parse(again, &same, &port_same, &has_port));
		must(!clb_address_compare(&address, &same));
		must(port == port_same && has_port);
	}
	if (!clb_prefix_parse(text, &address, &prefix)) {
		clb_prefix_format(&address, prefix, again);
		must(!clb_prefix_parse(again, &same, &prefix_same));
		must(!clb_address_compare(&address, &same));
		must(prefix == prefix_same);
	}
}

/* Return: the command as it is printed, or NULL where it is refused. */
static char *read_command(const char *text, uint8_t *command)
{
	const struct clb_subcommand *subcommand;
	struct clb_message message = { 0 };
	struct clb_args args = { 0 };
	char *words[WORDS], *line = strdup(text), *printed = NULL;
	const struct clb_verb *verb;
	FILE *file;
	size_t size;

	must(line);
	args.words = words;
	if (!clb_line_split(line, words, WORDS, &args.count) && args.count &&
	    !clb_verb_find(&args, &verb, &subcommand) && subcommand->parse) {
		message.command = *command = subcommand->command;
		if (!subcommand->parse(&args, &message)) {
			file = open_memstream(&printed, &size);
			must(file);
			clb_command_print(file, &message);
			fclose(file);
		} else {
			must(args.error[0]);
		}
		clb_change_release(&message);
	}
	free(line);
	return printed;
}

/* A "set" to what is the default anyway prints without saying so. */
static bool prints_all(uint8_t command)
{
	return command != CLB_CMD_LISTENER_SET &&
	       command != CLB_CMD_SERVER_SET && command != CLB_CMD_SETTINGS_SET;
}

static void commands(const char *text)
{
	char *once, *twice;
	uint8_t command;

	once = read_command(text, &command);
	if (once && prints_all(command)) {
		twice = read_command(once, &command);
		must(twice && !strcmp(once, twice));
		free(twice);
	}
	free(once);
}

static void filters(const char *text)
{
	struct clb_message message = { 0 };
	struct clb_args args = { 0 };
	char *words[WORDS], *line = strdup(text);

	must(line);
	args.words = words;
	if (!clb_line_split(line, words, WORDS, &args.count) &&
	    clb_filter_parse(&args, &message))
		must(args.error[0]);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	numbers(text);
	addresses(text);
	commands(text);
	filters(text);
	free(text);
	return 0;
}
