// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "clb-announce/announce.h"
#include "lib/number.h"

/* How soon it is seen that the module is there, and what no event tells. */
#define LOOK_AGAIN_MS 1000

static const char usage[] =
"usage: clb-announce [--alone] [--standby] [--table N]\n"
"       clb-announce [--alone] --check ADDRESS\n"
"       clb-announce [--table N] --withdraw\n"
"\n"
"Keeps host routes for the VIPs of clb in a table of the kernel, from which a\n"
"routing daemon announces them: while the node has the sessions of the others\n"
"and a server of the VIP is not down.\n"
"\n"
"  -a, --alone          announce without session sync, too\n"
"  -c, --check ADDRESS  say by the exit status whether it is to be announced\n"
"  -s, --standby        local addresses of other nodes, too, with metric 2048:\n"
"                       to be announced behind those nodes\n"
"  -t, --table N        table of the routes (8850)\n"
"  -w, --withdraw       remove the routes\n"
"  -h, --help           this text\n"
"  -V, --version        version\n";

struct announcer {
	struct mnl_socket *routes;
	struct clb_client *client; /* requests; NULL: no module */
	struct clb_client *events;
	struct wanted wanted;
	uint32_t table;
	bool told; /* that there is no module */
	bool failed; /* to change routes */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void disconnect(struct announcer *announcer)
{
	clb_client_close(announcer->client);
	clb_client_close(announcer->events);
	announcer->client = NULL;
	announcer->events = NULL;
	wanted_forget(&announcer->wanted);
}

/*
 * Subscribes before anything is asked, so that no change is missed. While there
 * is no module this is tried again and again, for which none may be loaded.
 */
static int connect_module(struct announcer *announcer, struct clb_error *error)
{
	int err;

	err = clb_client_find(&announcer->events, error);
	if (err)
		return err;
	err = clb_client_subscribe(announcer->events, error);
	if (!err)
		err = clb_client_find(&announcer->client, error);
	if (err)
		disconnect(announcer);
	return err;
}

static void tell_once(struct announcer *announcer,
		      const struct clb_error *error)
{
	if (!announcer->told)
		fprintf(stderr, "clb-announce: %s\n", error->message);
	announcer->told = true;
}

/* One look at the module, and what follows from it. */
static void round_of(struct announcer *announcer, bool changed)
{
	struct clb_error error;
	int err = 0;

	if (!announcer->client)
		err = connect_module(announcer, &error);
	if (!err)
		err = wanted_update(&announcer->wanted, announcer->client,
				    changed, &error);
	if (err) {
		tell_once(announcer, &error);
		disconnect(announcer);
	} else {
		announcer->told = false;
	}
	/* what fails now is tried again in the next round, without a word */
	announcer->failed = routes_apply(announcer->routes, announcer->table,
					 &announcer->wanted, false,
					 announcer->failed && !changed);
}

static int note_change(const struct clb_message *message, void *context)
{
	bool *changed = context;

	(void)message;
	*changed = true;
	return 0;
}

/* Return: whether something happened; events that were lost are something */
static bool wait_change(struct announcer *announcer, const sigset_t *mask)
{
	const struct timespec timeout = { .tv_sec = LOOK_AGAIN_MS / 1000 };
	struct pollfd poller = { .fd = -1, .events = POLLIN };
	bool changed = false;
	int err;

	if (announcer->events)
		poller.fd = clb_client_fd(announcer->events);
	if (ppoll(&poller, 1, &timeout, mask) <= 0)
		return false;
	do {
		err = clb_client_events(announcer->events, note_change,
					&changed);
	} while (!err);
	return changed || err != -EAGAIN;
}

static int follow(struct announcer *announcer)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t blocked, open;
	bool changed = true;

	/* They come while it waits, and at no other time. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, &open);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	while (!stopped) {
		round_of(announcer, changed);
		changed = wait_change(announcer, &open);
	}
	disconnect(announcer);
	return routes_apply(announcer->routes, announcer->table, NULL, false,
			    false);
}

static int check(struct announcer *announcer, const struct clb_address *address)
{
	struct clb_error error;
	int err;

	err = clb_client_find(&announcer->client, &error);
	if (!err)
		err = wanted_update(&announcer->wanted, announcer->client, true,
				    &error);
	if (err)
		fprintf(stderr, "clb-announce: %s\n", error.message);
	else if (!addresses_have(&announcer->wanted.set, address))
		err = -ENOENT;
	disconnect(announcer);
	return err;
}

/* Strict: the kernel lists the routes of one table, not all of a router's. */
static int open_routes(struct announcer *announcer)
{
	int strict = 1;

	announcer->routes = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (announcer->routes &&
	    !mnl_socket_bind(announcer->routes, 0, MNL_SOCKET_AUTOPID) &&
	    !mnl_socket_setsockopt(announcer->routes, NETLINK_GET_STRICT_CHK,
				   &strict, sizeof(strict)))
		return 0;
	fprintf(stderr, "clb-announce: no netlink socket: %s\n",
		strerror(errno));
	return -1;
}

static int run_routes(struct announcer *announcer, bool withdraw)
{
	int err;

	err = open_routes(announcer);
	if (!err && withdraw)
		err = routes_apply(announcer->routes, announcer->table, NULL,
				   true, false);
	else if (!err)
		err = follow(announcer);
	if (announcer->routes)
		mnl_socket_close(announcer->routes);
	return err;
}

static int bad_usage(void)
{
	fputs(usage, stderr);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "alone", no_argument, NULL, 'a' },
		{ "check", required_argument, NULL, 'c' },
		{ "standby", no_argument, NULL, 's' },
		{ "table", required_argument, NULL, 't' },
		{ "withdraw", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct announcer announcer = { .table = 8850 };
	struct clb_address address = { 0 };
	bool withdraw = false;
	uint64_t number;
	int option, err;

	while ((option = getopt_long(argc, argv, "ac:st:whV", options, NULL)) !=
	       -1) {
		switch (option) {
		case 'a':
			announcer.wanted.alone = true;
			break;
		case 'c':
			if (clb_address_parse(optarg, &address))
				return bad_usage();
			break;
		case 's':
			announcer.wanted.with_standby = true;
			break;
		case 't':
			if (clb_number_parse(optarg, UINT32_MAX, &number) ||
			    !number)
				return bad_usage();
			announcer.table = number;
			break;
		case 'w':
			withdraw = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("clb-announce " CLB_VERSION);
			return 0;
		default:
			return bad_usage();
		}
	}
	if (optind < argc || (withdraw && address.length))
		return bad_usage();
	err = address.length ? check(&announcer, &address) :
			       run_routes(&announcer, withdraw);
	wanted_free(&announcer.wanted);
	return err ? 1 : 0;
}
