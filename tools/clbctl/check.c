// SPDX-License-Identifier: MIT
/*
 * Health checks: connect to every server at once, see who takes it, set the
 * states, wait for the next round. What was taken out here, and nothing else,
 * is brought back here.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "list.h"

enum {
	OPTION_INTERVAL = 1,
	OPTION_TIMEOUT,
	OPTION_RISE,
	OPTION_FALL,
	OPTION_PORT,
	OPTION_ADOPT,
};

struct options {
	uint64_t present;
	uint32_t interval;
	uint32_t timeout;
	uint32_t rise;
	uint32_t fall;
	uint16_t port;
	uint8_t adopt;
};

#define OPTION(member, number, text, value_type, value_format, value)	\
	{ .name = #member, .what = (text), .attr = (number),		\
	  .offset = offsetof(struct options, member),			\
	  .type = (value_type), .format = (value_format),		\
	  .role = CLB_ROLE_OPTION, .initial = (value) }
#define COUNT(member, number, text, value)				\
	OPTION(member, number, text, CLB_TYPE_U32, CLB_FORMAT_NUMBER, value)

static const struct clb_field option_fields[] = {
	COUNT(interval, OPTION_INTERVAL, "SECONDS", 2),
	COUNT(timeout, OPTION_TIMEOUT, "SECONDS", 2),
	COUNT(rise, OPTION_RISE, "N", 3),
	COUNT(fall, OPTION_FALL, "N", 3),
	OPTION(port, OPTION_PORT, "N", CLB_TYPE_U16, CLB_FORMAT_NUMBER, 0),
	OPTION(adopt, OPTION_ADOPT, "on|off", CLB_TYPE_U8, CLB_FORMAT_SWITCH,
	       0),
};

#define N_OPTIONS (sizeof(option_fields) / sizeof(option_fields[0]))

static const struct clb_object options_object = {
	.name = "check",
	.size = sizeof(struct options),
	.fields = option_fields,
	.n_fields = N_OPTIONS,
};

enum result {
	RESULT_NONE,	/* not checked, for want of a port or of files */
	RESULT_GOOD,
	RESULT_BAD,
};

/**
 * struct probe - a server and how it fares
 * @item: the server as the kernel last had it; first, for bsearch()
 * @ours: it was taken out here
 * @streak: results in a row that speak against its state
 * @result: of this round
 * @fd: of a probe under way; -1: none
 */
struct probe {
	struct clb_item item;
	bool ours;
	uint32_t streak;
	enum result result;
	int fd;
};

/**
 * struct checker - all servers, in the order of lists
 * @polls: of the probes under way, in the same order
 */
struct checker {
	struct clb_context *context;
	struct clb_message request;
	struct options options;
	struct probe *probes;
	struct pollfd *polls;
	size_t count;
	bool begun;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int probe_compare(const void *a, const void *b)
{
	const struct probe *x = a, *y = b;

	return clb_item_compare_servers(&x->item, &y->item);
}

static bool is_down(const struct probe *probe)
{
	return probe->item.server.state == CLB_SERVER_STATE_DOWN;
}

/*
 * What is known of the servers that stay is kept. One whose state somebody else
 * has changed is another: no result is for it.
 */
static void take_item(struct checker *checker, struct probe *probe,
		      const struct clb_item *item)
{
	const struct probe key = { .item = *item };
	const struct probe *old = NULL;

	if (checker->count)
		old = bsearch(&key, checker->probes, checker->count,
			      sizeof(*old), probe_compare);
	*probe = key;
	if (old && old->item.server.state == item->server.state) {
		probe->ours = old->ours;
		probe->streak = old->streak;
		probe->result = old->result;
	}
	if (!checker->begun && checker->options.adopt)
		probe->ours = is_down(probe);
}

/* Return: enum clb_exit */
static int refresh(struct checker *checker)
{
	struct probe *probes;
	struct pollfd *polls;
	struct clb_list list;
	size_t i;
	int status;

	status = clb_list_get(checker->context, &checker->request, &list);
	if (status)
		return status;
	probes = calloc(list.count + 1, sizeof(*probes));
	polls = calloc(list.count + 1, sizeof(*polls));
	if (!probes || !polls) {
		fputs("clbctl: check: out of memory\n", stderr);
		free(probes);
		free(polls);
		clb_list_free(&list);
		return CLB_EXIT_REFUSED;
	}
	for (i = 0; i < list.count; i++)
		take_item(checker, &probes[i], &list.items[i]);
	free(checker->probes);
	free(checker->polls);
	checker->probes = probes;
	checker->polls = polls;
	checker->count = list.count;
	checker->begun = true;
	clb_list_free(&list);
	return CLB_EXIT_OK;
}

static uint16_t port_of(const struct checker *checker,
			const struct clb_item *item)
{
	if (checker->options.port)
		return checker->options.port;
	return item->server.port ? item->server.port : item->listener.port;
}

static socklen_t address_of(const struct clb_address *address, uint16_t port,
			    struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (void *)out;
	struct sockaddr_in *in = (void *)out;

	memset(out, 0, sizeof(*out));
	if (address->length == 4) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, address->bytes, 4);
		return sizeof(*in);
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, address->bytes, 16);
	return sizeof(*in6);
}

static bool is_checked(const struct checker *checker, const struct probe *probe)
{
	const struct clb_item *item = &probe->item;

	return item->listener.protocol == IPPROTO_TCP &&
	       port_of(checker, item) &&
	       (item->server.state == CLB_SERVER_STATE_UP ||
		(is_down(probe) && probe->ours));
}

/* Return: whether there was a file for it */
static bool begin(const struct checker *checker, struct probe *probe)
{
	struct sockaddr_storage address;
	socklen_t size;
	int fd;

	if (!is_checked(checker, probe))
		return true;
	size = address_of(&probe->item.server.address,
			  port_of(checker, &probe->item), &address);
	fd = socket(address.ss_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	probe->result = RESULT_BAD;
	if (!connect(fd, (const void *)&address, size))
		probe->result = RESULT_GOOD;
	else if (errno == EINPROGRESS)
		probe->fd = fd;
	if (probe->fd < 0)
		close(fd);
	return true;
}

static void end(struct probe *probe, enum result result)
{
	close(probe->fd);
	probe->fd = -1;
	probe->result = result;
}

/* Return: how many of these are under way */
static size_t fill_polls(const struct checker *checker, size_t first,
			 size_t last)
{
	size_t i, count = 0;

	for (i = first; i < last; i++) {
		int fd = checker->probes[i].fd;

		if (fd >= 0)
			checker->polls[count++] =
				(struct pollfd){ fd, POLLOUT, 0 };
	}
	return count;
}

/* @polls are of these. */
static void take_results(struct checker *checker, size_t first, size_t last)
{
	const struct pollfd *poller = checker->polls;
	size_t i;

	for (i = first; i < last; i++) {
		struct probe *probe = &checker->probes[i];
		socklen_t length = sizeof(int);
		int error = 0;

		if (probe->fd < 0 || !poller++->revents)
			continue;
		getsockopt(probe->fd, SOL_SOCKET, SO_ERROR, &error, &length);
		end(probe, error ? RESULT_BAD : RESULT_GOOD);
	}
}

static void end_all(struct checker *checker, size_t first, size_t last,
		    enum result result)
{
	size_t i;

	for (i = first; i < last; i++) {
		if (checker->probes[i].fd >= 0)
			end(&checker->probes[i], result);
	}
}

/*
 * Those that have not been taken when the time is over are bad. That there is
 * no socket to be had, or no waiting, says nothing about servers.
 */
static void wait_for_results(struct checker *checker, size_t first, size_t last)
{
	int64_t until = now_ms() + checker->options.timeout * 1000LL, left;
	enum result others = RESULT_BAD;
	size_t count;

	while ((count = fill_polls(checker, first, last))) {
		left = until - now_ms();
		if (left <= 0)
			break;
		if (poll(checker->polls, count, left) < 0) {
			others = RESULT_NONE;
			break;
		}
		take_results(checker, first, last);
	}
	end_all(checker, first, last, others);
}

/* As many at a time as files may be open. */
static void probe_all(struct checker *checker)
{
	size_t first = 0, last, i;

	for (i = 0; i < checker->count; i++) {
		checker->probes[i].result = RESULT_NONE;
		checker->probes[i].fd = -1;
	}
	while (first < checker->count) {
		last = first;
		while (last < checker->count &&
		       begin(checker, &checker->probes[last]))
			last++;
		wait_for_results(checker, first, last);
		first = last > first ? last : first + 1;
	}
}

static void tell(const struct checker *checker,
		 const struct clb_message *message)
{
	char listener[2 * CLB_ADDRESS_TEXT], server[CLB_ADDRESS_TEXT];

	if (checker->context->json) {
		clb_json_print(clb_object_json_of(&clb_server_object,
						  &message->server,
						  CLB_JSON_CONFIG,
						  &message->listener));
	} else {
		clb_listener_format(&message->listener, listener,
				    sizeof(listener));
		clb_server_format(&message->server, server);
		printf("server %s %s %s\n",
		       message->server.state == CLB_SERVER_STATE_UP ? "up"
								    : "down",
		       listener, server);
	}
	fflush(stdout);
}

/* It may have gone meanwhile: the next round will tell. */
static void set_state(struct checker *checker, struct probe *probe,
		      enum clb_server_state state)
{
	struct clb_message message = { .command = CLB_CMD_SERVER_SET };
	struct clb_error error;

	clb_message_add(&message, CLB_A_LISTENER);
	clb_message_add(&message, CLB_A_SERVER);
	message.listener = probe->item.listener;
	message.server.address = probe->item.server.address;
	message.server.port = probe->item.server.port;
	message.server.present = probe->item.server.present &
				 (1ULL << CLB_SERVER_A_ADDRESS |
				  1ULL << CLB_SERVER_A_PORT);
	clb_field_set(clb_field_find(&clb_server_object, CLB_SERVER_A_STATE),
		      &message.server, state);
	if (clb_client_request(checker->context->client, &message, NULL,
			       &error)) {
		clb_report_error(checker->context, &message, &error);
		return;
	}
	probe->item.server.state = state;
	probe->ours = state == CLB_SERVER_STATE_DOWN;
	probe->streak = 0;
	tell(checker, &message);
}

/* Whether its result, and those before it, change its state. */
static bool is_due(const struct checker *checker, const struct probe *probe)
{
	bool good = probe->result == RESULT_GOOD;

	return probe->result != RESULT_NONE && good == is_down(probe) &&
	       probe->streak + 1 >= (good ? checker->options.rise
					  : checker->options.fall);
}

static bool any_due(const struct checker *checker)
{
	size_t i;

	for (i = 0; i < checker->count; i++) {
		if (is_due(checker, &checker->probes[i]))
			return true;
	}
	return false;
}

static void judge(struct checker *checker, struct probe *probe)
{
	bool good = probe->result == RESULT_GOOD;

	if (is_due(checker, probe))
		set_state(checker, probe, good ? CLB_SERVER_STATE_UP
					       : CLB_SERVER_STATE_DOWN);
	else if (probe->result != RESULT_NONE)
		probe->streak = good == is_down(probe) ? probe->streak + 1 : 0;
}

static int check(struct checker *checker)
{
	unsigned long rounds = 0, most = checker->context->count;
	int64_t next = now_ms(), left;
	int status;
	size_t i;

	for (;;) {
		status = refresh(checker);
		if (status)
			return status;
		probe_all(checker);
		/* That took a while: an operator may have set states. */
		status = any_due(checker) ? refresh(checker) : CLB_EXIT_OK;
		if (status)
			return status;
		for (i = 0; i < checker->count; i++)
			judge(checker, &checker->probes[i]);
		if (ferror(stdout))
			return CLB_EXIT_REFUSED;
		if (most && ++rounds >= most)
			return CLB_EXIT_OK;
		next += checker->options.interval * 1000LL;
		left = next - now_ms();
		if (left > 0)
			poll(NULL, 0, left);
		else
			next = now_ms();
	}
}

/* What is not given is the default, and some may not be 0. */
static int complete(struct clb_args *args, struct options *options)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++) {
		const struct clb_field *field = &option_fields[i];

		if (!clb_field_present(field, options))
			clb_field_set(field, options, field->initial);
		if (field->initial && !clb_field_get(field, options))
			return clb_args_fail(args, "%s: 0 is too small",
					     field->name);
		if (field->attr <= OPTION_TIMEOUT &&
		    clb_field_get(field, options) > 86400)
			return clb_args_fail(args, "%s: more than 86400",
					     field->name);
	}
	return 0;
}

static bool is_key(const char *word)
{
	return word && (!strcmp(word, "tcp") || !strcmp(word, "udp"));
}

static int parse(struct clb_args *args, struct checker *checker)
{
	struct clb_message *request = &checker->request;

	request->command = CLB_CMD_SERVER_GET;
	if (is_key(clb_args_peek(args))) {
		clb_message_add(request, CLB_A_LISTENER);
		if (clb_args_listener(args, &request->listener))
			return -EINVAL;
		if (request->listener.protocol != IPPROTO_TCP)
			return clb_args_fail(args, "TCP alone can be checked");
	}
	if (clb_args_options(args, &options_object, &checker->options))
		return -EINVAL;
	return complete(args, &checker->options);
}

/* A file for each server. */
static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int run(struct clb_context *context, struct clb_args *args)
{
	struct checker checker = { .context = context };
	int status;

	if (parse(args, &checker))
		return clb_report_usage(context, args);
	raise_files();
	status = check(&checker);
	free(checker.probes);
	free(checker.polls);
	return status;
}

const struct clb_verb clb_verb_check = {
	.name = "check",
	.summary = "take servers out that are not well, and back in",
	.options = "c",
	.itself = { .run = run },
	.help =
"usage: clbctl check [KEY] [KEYWORD VALUE]... [--count N]\n"
"\n"
"Connects to the servers of a TCP listener, or of all of them, again and again.\n"
"One that takes no connection is set down, and up when it does again; each such\n"
"command is printed. Servers that somebody else has set down stay down; those\n"
"that were taken out by a check before this one are told apart by adopt.\n"
"\n"
"  interval SECONDS   from one round to the next (2)\n"
"  timeout SECONDS    for a server to take the connection (2)\n"
"  rise N             good rounds in a row for it to be up again (3)\n"
"  fall N             bad ones for it to be down (3)\n"
"  port N             where to connect to (0: the server's)\n"
"  adopt {on|off}     whether all that are down at the start are such (off)\n"
"  --count N          stop after N rounds\n",
};
