// SPDX-License-Identifier: MIT
/* The grammar: words, abbreviations, and what commands mean. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clbctl/clbctl.h"
#include "clbctl/filter.h"
#include "clbctl/format.h"
#include "test.h"

static void match_cases(void **state)
{
	static const char *const names[] = {
		"listener", "local", "server", "session", "set", "settings",
	};
	static const struct {
		const char *word;
		int index;
	} cases[] = {
		{ "listener", 0 }, { "li", 0 }, { "lo", 1 },
		{ "l", CLB_WORD_AMBIGUOUS }, { "se", CLB_WORD_AMBIGUOUS },
		{ "ser", 2 }, { "ses", 3 }, { "set", 4 }, { "sett", 5 },
		{ "", CLB_WORD_UNKNOWN }, { "x", CLB_WORD_UNKNOWN },
		{ "listeners", CLB_WORD_UNKNOWN }, { "LI", CLB_WORD_UNKNOWN },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(clb_word_match(cases[i].word, names,
						ARRAY_SIZE(names)),
				 cases[i].index);
}

static void line_cases(void **state)
{
	static const struct {
		const char *line;
		const char *joined;
	} cases[] = {
		{ "", "" },
		{ "\n", "" },
		{ " \t\r\n", "" },
		{ "# comment", "" },
		{ "  # comment", "" },
		{ "a b\tc\n", "a|b|c|" },
		{ "  a  b  ", "a|b|" },
		{ "a # b c", "a|" },
		{ "a #b", "a|" },
		{ "a#b c", "a#b|c|" },
		{ "a b\r\n", "a|b|" },
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[64], joined[64] = "";
		char *words[8];
		size_t count = 99;

		strcpy(line, cases[i].line);
		assert_int_equal(clb_line_split(line, words, 8, &count), 0);
		for (j = 0; j < count; j++) {
			strcat(joined, words[j]);
			strcat(joined, "|");
		}
		assert_string_equal(joined, cases[i].joined);
	}
}

static void line_too_long(void **state)
{
	char exact[] = "a b c", over[] = "a b c d";
	char *words[3];
	size_t count = 99;

	(void)state;
	assert_int_equal(clb_line_split(over, words, 3, &count), -E2BIG);
	assert_int_equal(count, 99);
	assert_int_equal(clb_line_split(exact, words, 3, &count), 0);
	assert_int_equal(count, 3);
}

/*
 * { command, the same as printed; NULL: refused }. What is printed is read
 * again and must print the same.
 */
static const struct {
	const char *command;
	const char *printed;
} commands[] = {
	{ "listener add tcp 192.0.2.1:80",
	  "listener add tcp 192.0.2.1:80" },
	{ "li a udp [2001:db8::1]:0 mod fnat sch mh ha tuple",
	  "listener add udp [2001:db8::1]:all mode fnat scheduler mh hash tuple" },
	{ "listener set tcp 192.0.2.1:80 persistence 300 persistence-prefix 24",
	  "listener set tcp 192.0.2.1:80 persistence 300 persistence-prefix 24" },
	{ "listener add tcp 192.0.2.1:80 timeout-syn 5 timeout-established 10 timeout-fin 6 timeout-udp 7 reset off slow-start 8 max-sessions 9 max-new-sessions 10 rate 100m burst 256k acl deny",
	  "listener add tcp 192.0.2.1:80 timeout-syn 5 timeout-established 10 timeout-fin 6 timeout-udp 7 reset off slow-start 8 max-sessions 9 max-new-sessions 10 rate 100m burst 256k acl deny" },
	{ "listener add tcp 192.0.2.1:80 mode nat scheduler wrr hash source persistence 0 persistence-prefix 32 timeout-syn 30 timeout-established 900 timeout-fin 30 timeout-udp 90 reset on slow-start 0 max-sessions 0 max-new-sessions 0 rate 0 burst 0 acl off",
	  "listener add tcp 192.0.2.1:80" },
	{ "listener add tcp [2001:db8::1]:80 persistence-prefix 32",
	  "listener add tcp [2001:db8::1]:80 persistence-prefix 32" },
	{ "listener add tcp [2001:db8::1]:80 persistence-prefix 128",
	  "listener add tcp [2001:db8::1]:80" },
	{ "listener del tcp 192.0.2.1:80", "listener del tcp 192.0.2.1:80" },
	{ "listener del tcp 192.0.2.1:80 mode nat", NULL },
	{ "listener add icmp 192.0.2.1:80", NULL },
	{ "listener add tcp 192.0.2.1", NULL },
	{ "listener add tcp", NULL },
	{ "listener add", NULL },
	{ "listener add tcp 192.0.2.1:80 mode", NULL },
	{ "listener add tcp 192.0.2.1:80 mode n", NULL },
	{ "listener add tcp 192.0.2.1:80 sessions 5", NULL },
	{ "listener add tcp 192.0.2.1:80 timeout 5", NULL },
	{ "listener add tcp 192.0.2.1:80 mode nat mode nat", NULL },
	{ "listener add tcp 192.0.2.1:80 persistence 4294967296", NULL },
	{ "listener set tcp 192.0.2.1:80", NULL },
	{ "server add tcp 192.0.2.1:80 10.0.0.1:8080 weight 5",
	  "server add tcp 192.0.2.1:80 server 10.0.0.1:8080 weight 5" },
	{ "server add tcp 192.0.2.1:80 server 10.0.0.1",
	  "server add tcp 192.0.2.1:80 server 10.0.0.1" },
	{ "server add tcp 192.0.2.1:80 server 10.0.0.1:all weight 100 state up",
	  "server add tcp 192.0.2.1:80 server 10.0.0.1" },
	{ "server add tcp [2001:db8::1]:all 2001:db8::2 max 3",
	  "server add tcp [2001:db8::1]:all server 2001:db8::2 max-sessions 3" },
	{ "server drain tcp 192.0.2.1:80 10.0.0.1:80 timeout 60",
	  "server set tcp 192.0.2.1:80 server 10.0.0.1:80 state drain drain-timeout 60" },
	{ "server down tcp 192.0.2.1:80 s 10.0.0.1:80",
	  "server set tcp 192.0.2.1:80 server 10.0.0.1:80 state down" },
	{ "server del tcp 192.0.2.1:80 10.0.0.1:80",
	  "server del tcp 192.0.2.1:80 server 10.0.0.1:80" },
	{ "server set tcp 192.0.2.1:80 10.0.0.1:80 weight 0",
	  "server set tcp 192.0.2.1:80 server 10.0.0.1:80 weight 0" },
	{ "server set tcp 192.0.2.1:80 10.0.0.1:80", NULL },
	{ "server add tcp 192.0.2.1:80", NULL },
	{ "server add tcp 192.0.2.1:80 server", NULL },
	{ "server add tcp 192.0.2.1:80 10.0.0.1:80 weight 65536", NULL },
	{ "server d tcp 192.0.2.1:80 10.0.0.1:80", NULL },
	{ "server up tcp 192.0.2.1:80 10.0.0.1:80 weight 5", NULL },
	{ "acl add tcp 192.0.2.1:80 10.0.0.0/8 192.0.2.7",
	  "acl add tcp 192.0.2.1:80 10.0.0.0/8 192.0.2.7/32" },
	{ "acl del tcp 192.0.2.1:80 10.0.0.0/8",
	  "acl del tcp 192.0.2.1:80 10.0.0.0/8" },
	{ "acl add tcp 192.0.2.1:80", NULL },
	{ "acl add tcp 192.0.2.1:80 all", NULL },
	{ "acl del tcp 192.0.2.1:80", NULL },
	{ "acl del tcp 192.0.2.1:80 all 10.0.0.0/8", NULL },
	{ "local add 198.51.100.1", "local add 198.51.100.1" },
	{ "lo d 2001:db8::3", "local del 2001:db8::3" },
	{ "local add 198.51.100.1/24", NULL },
	{ "local add", NULL },
	{ "settings set max-sessions 1000", "settings set max-sessions 1000" },
	{ "settings set", NULL },
	{ "flush", "flush" },
	{ "flush all", NULL },
	{ "frobnicate", NULL },
};

/* Reads a command and prints it. Return: 0 or -EINVAL */
static int read_command(const char *command, char *printed, size_t size)
{
	const struct clb_subcommand *subcommand;
	struct clb_message message = { 0 };
	const struct clb_verb *verb;
	struct clb_args args = { 0 };
	char line[512], *words[64];
	FILE *file;
	int err;

	snprintf(line, sizeof(line), "%s", command);
	args.words = words;
	assert_int_equal(clb_line_split(line, words, 64, &args.count), 0);
	err = clb_verb_find(&args, &verb, &subcommand);
	if (!err) {
		assert_non_null(subcommand->parse);
		message.command = subcommand->command;
		err = subcommand->parse(&args, &message);
	}
	if (err) {
		assert_string_not_equal(args.error, "");
	} else {
		file = fmemopen(printed, size, "w");
		assert_non_null(file);
		clb_command_print(file, &message);
		fclose(file);
	}
	clb_change_release(&message);
	return err;
}

static void command_cases(void **state)
{
	char once[512], twice[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		int err = read_command(commands[i].command, once,
				       sizeof(once));

		if (err != (commands[i].printed ? 0 : -EINVAL))
			fail_msg("%s: %d", commands[i].command, err);
		if (err)
			continue;
		assert_string_equal(once, commands[i].printed);
		/* "set" with nothing but defaults is not printed in full. */
		assert_int_equal(read_command(once, twice, sizeof(twice)), 0);
		assert_string_equal(once, twice);
	}
}

static void acl_del_all(void **state)
{
	char printed[512];

	(void)state;
	assert_int_equal(read_command("acl del tcp 192.0.2.1:80 all", printed,
				      sizeof(printed)), 0);
	assert_string_equal(printed, "acl del tcp 192.0.2.1:80 all");
}

static int read_filter(const char *text, struct clb_message *message)
{
	struct clb_args args = { 0 };
	char line[256], *words[32];

	memset(message, 0, sizeof(*message));
	strcpy(line, text);
	args.words = words;
	assert_int_equal(clb_line_split(line, words, 32, &args.count), 0);
	return clb_filter_parse(&args, message);
}

static void filter_cases(void **state)
{
	static const char *const refused[] = {
		"listener", "listener tcp", "listener 192.0.2.1:80",
		"client", "client x", "state", "state est", "s server",
		"state udp state udp", "client 10.0.0.1 client 10.0.0.1",
		"server 10.0.0.1 server 10.0.0.1", "10.0.0.1",
		"listener tcp 192.0.2.1:80 listener tcp 192.0.2.1:80",
	};
	struct clb_message message;
	size_t i;

	(void)state;
	assert_int_equal(read_filter("", &message), 0);
	assert_int_equal(message.present, 0);
	assert_int_equal(read_filter("l tcp 192.0.2.1:80 se 10.0.0.1 c 198.51.100.7:999 st syn-sent",
				     &message), 0);
	assert_int_equal(message.present, 1 << CLB_A_LISTENER |
			 1 << CLB_A_SERVER | 1 << CLB_A_SESSION);
	assert_int_equal(message.server.present, 1 << CLB_SERVER_A_ADDRESS);
	assert_int_equal(message.session.client_port, 999);
	assert_int_equal(message.session.state, CLB_SESSION_STATE_SYN_SENT);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(read_filter(refused[i], &message), -EINVAL);
}

/* Every verb has help that names it. */
static void verbs_have_help(void **state)
{
	static const struct clb_verb *const verbs[] = {
		&clb_verb_listener, &clb_verb_server, &clb_verb_acl,
		&clb_verb_local, &clb_verb_settings, &clb_verb_session,
		&clb_verb_stats, &clb_verb_monitor, &clb_verb_save,
		&clb_verb_restore, &clb_verb_flush, &clb_verb_version,
	};
	char start[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		snprintf(start, sizeof(start), "usage: clbctl %s",
			 verbs[i]->name);
		assert_memory_equal(verbs[i]->help, start, strlen(start));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(match_cases),
		cmocka_unit_test(line_cases),
		cmocka_unit_test(line_too_long),
		cmocka_unit_test(command_cases),
		cmocka_unit_test(acl_del_all),
		cmocka_unit_test(filter_cases),
		cmocka_unit_test(verbs_have_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
