// SPDX-License-Identifier: MIT
/*
 * clbd's decoder of commands on the control socket: however many bytes it is
 * given at a time, it says the same, and a server is one that can be parsed,
 * in the only way that it is written.
 */
#include <stdlib.h>
#include <string.h>

#include "clbd/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory of just so many bytes, for ASan to see what is read behind them. */
static enum clbd_result parse(const uint8_t *data, size_t size,
			      struct clbd_command *command)
{
	char *copy = malloc(size ? size : 1);
	enum clbd_result result;
	const char *why;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	result = clbd_command_parse(copy, size, command, &why);
	if (result == CLBD_BAD && (!why || !*why))
		abort();
	free(copy);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clbd_command whole = { 0 }, cut = { 0 };
	enum clbd_result result, again = CLBD_MORE;
	struct clb_address address;
	size_t given;
	char text[CLB_ADDRESS_TEXT];
	uint16_t port;
	bool has_port;

	result = parse(data, size, &whole);
	for (given = 0; again == CLBD_MORE && given <= size; given++)
		again = parse(data, given, &cut);
	if (again != result || memcmp(&whole, &cut, sizeof(cut)))
		abort();
	if (result == CLBD_MORE && size >= CLBD_COMMAND_MAX)
		abort();
	if (result != CLBD_DONE || whole.kind < CLBD_COMMAND_DRAIN)
		return 0;
	if (clb_endpoint_parse(whole.server, &address, &port, &has_port) ||
	    whole.seconds > CLBD_COMMAND_SECONDS_MAX)
		abort();
	clb_endpoint_format(&address, port, text);
	if (strcmp(text, whole.server))
		abort();
	return 0;
}
