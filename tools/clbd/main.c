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
	"\n"
	"  -f, --file FILE   configuration (" DEFAULT_PATH ")\n"
	"  -c, --check       check it and exit\n"
	"  -h, --help        this\n"
	"  -V, --version     version\n"
	"\n"
	"signals: HUP  reload       TERM, INT  stop when all is answered\n"
	"         USR1 reopen log   USR2       counters to standard error\n";

static const struct option options[] = {
	{ "file", required_argument, NULL, 'f' },
	{ "check", no_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int check(const char *path)
{
	struct clbd_source source;

	if (clbd_source_read(path, &source))
		return EXIT_FAILURE;
	clbd_source_free(&source);
	printf("%s: good\n", path);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const char *path = DEFAULT_PATH;
	int checks = 0, option;

	while ((option = getopt_long(argc, argv, "f:chV", options, NULL)) !=
	       -1) {
		switch (option) {
		case 'f':
			path = optarg;
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
	if (optind < argc) {
		fprintf(stderr, "clbd: '%s': one word too many\n",
			argv[optind]);
		return 2;
	}
	return checks ? check(path) : clbd_parent_run(path);
}
