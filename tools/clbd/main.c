// SPDX-License-Identifier: MIT
/* clbd: the HTTP daemon. clbd(8) says how it is used. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "clbd/parent.h"

#define DEFAULT_PATH "/etc/clb/clbd.conf"

static const char help[] =
	"usage: clbd [-f FILE]           run, in the foreground\n"
	"       clbd --check [-f FILE]   say what is wrong with FILE\n"
	"       clbd [-f FILE | -s SOCKET] COMMAND\n"
	"                                tell a clbd that runs what to do\n"
	"\n"
	"  status                        what it is doing, and its counters\n"
	"  reload                        read the configuration again\n"
	"  upgrade                       go over to the program that is there now\n"
	"  drain ADDRESS:PORT [SECONDS]  no new clients for a server; after SECONDS\n"
	"                                not even those that a cookie binds\n"
	"  up ADDRESS:PORT               the end of that\n"
	"\n"
	"  -f, --file FILE   configuration (" DEFAULT_PATH ")\n"
	"  -s, --socket PATH control socket, unless that of the configuration\n"
	"  -c, --check       check it and exit\n"
	"  -h, --help        this\n"
	"  -V, --version     version\n"
	"\n"
	"signals: HUP  reload       TERM, INT  stop when all is answered\n"
	"         USR1 reopen log   USR2       counters to standard error\n";

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "socket", required_argument, NULL, 's' },
	{ "check", no_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int check(const char *path)
{
	char error[CLBD_CONFIG_ERROR];
	struct clbd_source source;

	if (clbd_source_read(path, &source, error)) {
		fprintf(stderr, "clbd: %s\n", error);
		return EXIT_FAILURE;
	}
	clbd_source_free(&source);
	printf("%s: good\n", path);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *path = DEFAULT_PATH, *socket = NULL;
	int checks = 0, option;

	while ((option = getopt_long(argc, argv, "f:s:chV", options, NULL)) !=
	       -1) {
		switch (option) {
		case 'f':
			path = optarg;
			break;
		case 's':
			socket = optarg;
			break;
		case 'c':
			checks = 1;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("clbd " CLB_VERSION);
			return EXIT_SUCCESS;
		default:
			fputs(help, stderr);
			return 2;
		}
	}
	if (optind < argc && !checks)
		return clbd_control_ask(path, socket, argv + optind,
					argc - optind);
	if (optind < argc || socket) {
		fprintf(stderr, "clbd: '%s': one word too many\n",
			socket ? socket : argv[optind]);
		return 2;
	}
	return checks ? check(path) : clbd_parent_run(path);
}
