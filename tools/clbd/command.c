// SPDX-License-Identifier: MIT
/* Commands on the control socket. */
#include "clbd/command.h"

#include <stdbool.h>
#include <string.h>

#include "lib/number.h"

#define WORDS_MAX 3

static const struct {
	const char *name;
	size_t least; /* words behind it */
	size_t most;
} commands[] = {
	[CLBD_COMMAND_STATUS] = { "status", 0, 0 },
	[CLBD_COMMAND_RELOAD] = { "reload", 0, 0 },
	[CLBD_COMMAND_UPGRADE] = { "upgrade", 0, 0 },
	[CLBD_COMMAND_DRAIN] = { "drain", 1, 2 },
	[CLBD_COMMAND_UP] = { "up", 1, 1 },
};

/* Return: how many words there are, or WORDS_MAX + 1 for too many */
static size_t split(char *line, char **words)
{
	size_t count = 0;
	char *at = line;

	for (;;) {
		if (count == WORDS_MAX)
			return WORDS_MAX + 1;
		words[count++] = at;
		at = strchr(at, ' ');
		if (!at)
			return count;
		*at++ = 0;
	}
}

/* As the configuration's are, however it is written. */
static bool read_server(struct clbd_command *command, const char *word)
{
	struct clb_address address;
	bool has_port = false;
	uint16_t port = 0;

	if (clb_endpoint_parse(word, &address, &port, &has_port) || !has_port ||
	    !port)
		return false;
	clb_endpoint_format(&address, port, command->server);
	return true;
}

static bool read_seconds(struct clbd_command *command, const char *word)
{
	uint64_t seconds;

	if (clb_number_parse(word, CLBD_COMMAND_SECONDS_MAX, &seconds))
		return false;
	command->seconds = seconds;
	return true;
}

static const char *read_words(struct clbd_command *command, char **words,
			      size_t count)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(commands[i].name, words[0]))
			break;
	}
	if (i == sizeof(commands) / sizeof(commands[0]))
		return "not one of status, reload, upgrade, drain, up";
	command->kind = i;
	if (count - 1 < commands[i].least)
		return "ADDRESS:PORT missing";
	if (count - 1 > commands[i].most)
		return "one word too many";
	if (count > 1 && !read_server(command, words[1]))
		return "not ADDRESS:PORT";
	if (count > 2 && !read_seconds(command, words[2]))
		return "not seconds, up to 86400";
	return NULL;
}

enum clbd_result clbd_command_parse(const char *data, size_t size,
				    struct clbd_command *command,
				    const char **why)
{
	struct clbd_command read = { 0 };
	char line[CLBD_COMMAND_MAX], *words[WORDS_MAX];
	const char *end;
	size_t count;

	end = memchr(data, '\n',
		     size < CLBD_COMMAND_MAX ? size : CLBD_COMMAND_MAX);
	*why = "too long";
	if (!end)
		return size < CLBD_COMMAND_MAX ? CLBD_MORE : CLBD_BAD;
	memcpy(line, data, end - data);
	line[end - data] = 0;
	*why = "one word too many";
	count = split(line, words);
	if (count > WORDS_MAX)
		return CLBD_BAD;
	*why = "has a byte that is 0";
	if (strlen(words[count - 1]) + (words[count - 1] - line) !=
	    (size_t)(end - data))
		return CLBD_BAD;
	*why = read_words(&read, words, count);
	if (*why)
		return CLBD_BAD;
	*command = read;
	return CLBD_DONE;
}
