// SPDX-License-Identifier: MIT
/*
 * The client, and the verbs that talk a lot, against a kernel of straw:
 *
 *  clbctl, libclb --mnl_socket_sendto()--> fake_request() --> queue
 *                 <------recvmsg()------------------------------'
 *
 * Both functions are replaced by the linker (--wrap).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "clbctl/clbctl.h"
#include "lib/batch.h"
#include "test.h"

#define FAMILY 33
#define GROUP 7
#define QUEUE_MAX 2048

struct datagram {
	uint8_t *bytes;
	size_t length;
	int err;	/* of recvmsg() instead */
};

/* The kernel of straw. */
static struct {
	struct datagram queue[QUEUE_MAX];
	size_t head, tail;
	char log[65536];	/* one letter for each command */
	size_t logged;
	size_t sends;
	uint16_t refused_port;	/* listener add is refused for it... */
	unsigned int busy;	/* begin is refused so often */
	unsigned int interrupted;	/* so many dumps are */
	bool absent;		/* module not loaded */
	size_t n_sessions;
} fake;

static void fake_reset(void)
{
	while (fake.head < fake.tail)
		free(fake.queue[fake.head++].bytes);
	memset(&fake, 0, sizeof(fake));
}

static void fake_queue(const void *bytes, size_t length, int err)
{
	struct datagram *datagram = &fake.queue[fake.tail++];

	assert_in_range(fake.tail, 1, QUEUE_MAX);
	datagram->bytes = malloc(length + 1);
	assert_non_null(datagram->bytes);
	if (length)
		memcpy(datagram->bytes, bytes, length);
	datagram->length = length;
	datagram->err = err;
}

static void fake_ack(const struct nlmsghdr *request, int code,
		     const char *message, uint32_t offset)
{
	_Alignas(8) uint8_t bytes[256] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
	struct nlmsgerr *error;

	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_flags = NLM_F_CAPPED;
	nlh->nlmsg_seq = request->nlmsg_seq;
	error = mnl_nlmsg_put_extra_header(nlh, sizeof(*error));
	error->error = code;
	error->msg = *request;
	if (message) {
		nlh->nlmsg_flags |= NLM_F_ACK_TLVS;
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, message);
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, offset);
	}
	fake_queue(bytes, nlh->nlmsg_len, 0);
}

static void fake_family(const struct nlmsghdr *request)
{
	_Alignas(8) uint8_t bytes[512] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
	struct nlattr *groups, *group;

	if (fake.absent) {
		fake_ack(request, -ENOENT, NULL, 0);
		return;
	}
	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_seq = request->nlmsg_seq;
	mnl_nlmsg_put_extra_header(nlh, GENL_HDRLEN);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, FAMILY);
	mnl_attr_put_u32(nlh, CTRL_ATTR_VERSION, CLB_GENL_VERSION);
	groups = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	group = mnl_attr_nest_start(nlh, 1);
	mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, GROUP);
	mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME, "events");
	mnl_attr_nest_end(nlh, group);
	mnl_attr_nest_end(nlh, groups);
	fake_queue(bytes, nlh->nlmsg_len, 0);
	fake_ack(request, 0, NULL, 0);
}

/* Queues @message in a datagram of its own. */
static void fake_message(uint32_t sequence, const struct clb_message *message,
			 uint16_t flags)
{
	_Alignas(8) uint8_t bytes[2048] = { 0 };
	struct nlmsghdr *nlh;

	nlh = clb_message_build(bytes, sizeof(bytes), message, FAMILY, 0,
				sequence);
	assert_non_null(nlh);
	nlh->nlmsg_flags = NLM_F_MULTI | flags;
	fake_queue(bytes, nlh->nlmsg_len, 0);
}

static void fake_done(uint32_t sequence)
{
	_Alignas(8) uint8_t bytes[64] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);

	nlh->nlmsg_type = NLMSG_DONE;
	nlh->nlmsg_flags = NLM_F_MULTI;
	nlh->nlmsg_seq = sequence;
	mnl_nlmsg_put_extra_header(nlh, sizeof(int));
	fake_queue(bytes, nlh->nlmsg_len, 0);
}

/* Fills a message from the words of a command. */
static void from_command(const char *command, struct clb_message *message)
{
	const struct clb_subcommand *subcommand;
	const struct clb_verb *verb;
	struct clb_args args = { 0 };
	char line[256], *words[64];

	memset(message, 0, sizeof(*message));
	snprintf(line, sizeof(line), "%s", command);
	args.words = words;
	assert_int_equal(clb_line_split(line, words, 64, &args.count), 0);
	assert_int_equal(clb_verb_find(&args, &verb, &subcommand), 0);
	assert_int_equal(subcommand->parse(&args, message), 0);
	message->command = subcommand->command;
}

/* What the kernel of straw has, in no order. */
static const struct {
	enum clb_cmd get;
	const char *command;
} config[] = {
	{ CLB_CMD_LISTENER_GET, "listener add udp 192.0.2.1:53 mode dr" },
	{ CLB_CMD_LISTENER_GET, "listener add tcp [2001:db8::1]:80" },
	{ CLB_CMD_LISTENER_GET, "listener add tcp 192.0.2.1:80 rate 100m" },
	{ CLB_CMD_SERVER_GET, "server add udp 192.0.2.1:53 10.0.0.3" },
	{ CLB_CMD_SERVER_GET, "server add tcp 192.0.2.1:80 10.0.0.2:81" },
	{ CLB_CMD_SERVER_GET, "server add tcp 192.0.2.1:80 10.0.0.1:81 weight 7" },
	{ CLB_CMD_ACL_GET, "acl add tcp 192.0.2.1:80 10.0.0.0/8 9.0.0.0/8" },
	{ CLB_CMD_LOCAL_ADDRESS_GET, "local add 198.51.100.2" },
	{ CLB_CMD_LOCAL_ADDRESS_GET, "local add 198.51.100.1" },
};

static const char saved[] =
	"local add 198.51.100.1\n"
	"local add 198.51.100.2\n"
	"listener add tcp 192.0.2.1:80 rate 100m\n"
	"server add tcp 192.0.2.1:80 server 10.0.0.1:81 weight 7\n"
	"server add tcp 192.0.2.1:80 server 10.0.0.2:81\n"
	"acl add tcp 192.0.2.1:80 9.0.0.0/8\n"
	"acl add tcp 192.0.2.1:80 10.0.0.0/8\n"
	"listener add tcp [2001:db8::1]:80\n"
	"listener add udp 192.0.2.1:53 mode dr\n"
	"server add udp 192.0.2.1:53 server 10.0.0.3\n";

static void session_fill(struct clb_session *session, size_t i)
{
	size_t k;

	memset(session, 0, sizeof(*session));
	for (k = 0; k < clb_session_object.n_fields; k++)
		clb_field_set(&clb_session_object.fields[k], session, 3);
	clb_field_parse(clb_field_find_name(&clb_session_object, "protocol"),
			"tcp", session);
	clb_field_parse(clb_field_find_name(&clb_session_object,
					    "client-address"),
			"198.51.100.7", session);
	session->client_port = i;
	session->expires = 1500;
}

static void fake_dump(const struct nlmsghdr *request, enum clb_cmd command)
{
	uint16_t flags = fake.interrupted ? NLM_F_DUMP_INTR : 0;
	struct clb_message message = { .command = command };
	size_t i;

	fake.interrupted -= !!fake.interrupted;
	for (i = 0; command == CLB_CMD_SESSION_GET && i < fake.n_sessions;
	     i++) {
		clb_message_add(&message, CLB_A_SESSION);
		session_fill(&message.session, i);
		fake_message(request->nlmsg_seq, &message, flags);
	}
	for (i = 0; i < ARRAY_SIZE(config); i++) {
		if (config[i].get != command)
			continue;
		from_command(config[i].command, &message);
		fake_message(request->nlmsg_seq, &message, flags);
		clb_change_release(&message);
	}
	fake_done(request->nlmsg_seq);
}

static char letter(uint8_t command)
{
	static const char letters[] = {
		[CLB_CMD_LISTENER_ADD] = 'l', [CLB_CMD_SERVER_ADD] = 's',
		[CLB_CMD_ACL_ADD] = 'a', [CLB_CMD_LOCAL_ADDRESS_ADD] = 'p',
		[CLB_CMD_BEGIN] = 'B', [CLB_CMD_COMMIT] = 'C',
		[CLB_CMD_ABORT] = 'A', [CLB_CMD_FLUSH] = 'F',
	};

	return command < sizeof(letters) && letters[command] ?
	       letters[command] : '?';
}

static void fake_change(const struct nlmsghdr *request,
			const struct clb_message *message)
{
	fake.log[fake.logged++] = letter(message->command);
	if (message->command == CLB_CMD_BEGIN && fake.busy) {
		fake.busy--;
		fake_ack(request, -EBUSY, NULL, 0);
	} else if (message->command == CLB_CMD_LISTENER_ADD &&
		   fake.refused_port &&
		   /* ...and for the next, so that two of a batch fail */
		   (message->listener.port == fake.refused_port ||
		    message->listener.port == fake.refused_port + 1)) {
		/* The address is the second attribute of the nest. */
		fake_ack(request, -EEXIST, "listener exists", 32);
	} else if (request->nlmsg_flags & NLM_F_ACK) {
		fake_ack(request, 0, NULL, 0);
	}
}

static void fake_request(const struct nlmsghdr *request)
{
	const uint8_t *payload = mnl_nlmsg_get_payload(request);
	size_t length = mnl_nlmsg_get_payload_len(request);
	struct clb_message message;

	assert_int_equal(request->nlmsg_flags & NLM_F_REQUEST, NLM_F_REQUEST);
	if (request->nlmsg_type == GENL_ID_CTRL) {
		fake_family(request);
		return;
	}
	assert_int_equal(request->nlmsg_type, FAMILY);
	assert_int_equal(clb_message_parse(payload[0], payload + GENL_HDRLEN,
					   length - GENL_HDRLEN, &message), 0);
	if ((request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
		fake_dump(request, message.command);
	else
		fake_change(request, &message);
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket,
				 const void *bytes, size_t length);
ssize_t __wrap_recvmsg(int fd, struct msghdr *head, int flags);
int __wrap_mnl_socket_setsockopt(const struct mnl_socket *socket, int type,
				 void *value, socklen_t length);

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket,
				 const void *bytes, size_t length)
{
	const struct nlmsghdr *nlh = bytes;
	int left = length;

	(void)socket;
	fake.sends++;
	while (mnl_nlmsg_ok(nlh, left)) {
		fake_request(nlh);
		nlh = mnl_nlmsg_next(nlh, &left);
	}
	assert_int_equal(left, 0);
	return length;
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *head, int flags)
{
	struct datagram *datagram = &fake.queue[fake.head];
	size_t length = datagram->length;

	(void)fd;
	if (fake.head == fake.tail) {
		/* A call that would block for ever is a bug. */
		assert_int_equal(flags & MSG_DONTWAIT, MSG_DONTWAIT);
		errno = EAGAIN;
		return -1;
	}
	fake.head++;
	if (datagram->err) {
		errno = datagram->err;
		free(datagram->bytes);
		return -1;
	}
	assert_in_range(length, 0, head->msg_iov[0].iov_len);
	memcpy(head->msg_iov[0].iov_base, datagram->bytes, length);
	head->msg_flags = 0;
	free(datagram->bytes);
	if (fake.head == fake.tail)
		fake.head = fake.tail = 0;
	return length;
}

int __wrap_mnl_socket_setsockopt(const struct mnl_socket *socket, int type,
				 void *value, socklen_t length)
{
	(void)socket;
	if (type == NETLINK_ADD_MEMBERSHIP) {
		assert_int_equal(length, sizeof(uint32_t));
		assert_int_equal(*(uint32_t *)value, GROUP);
	}
	return 0;
}

static struct clb_client *open_client(void)
{
	struct clb_client *client = NULL;
	struct clb_error error;

	assert_int_equal(clb_client_open(&client, &error), 0);
	assert_int_equal(clb_client_version(client), CLB_GENL_VERSION);
	return client;
}

/* Runs a verb with its words; its output and errors are kept. */
struct run {
	struct clb_context context;
	char *out;
	char *err;
	size_t out_size;
	size_t err_size;
};

static int run_verb(struct run *run, const char *command)
{
	FILE *out = stdout, *err = stderr;
	struct clb_args args = { 0 };
	char line[256], *words[64];
	int status;

	snprintf(line, sizeof(line), "%s", command);
	args.words = words;
	assert_int_equal(clb_line_split(line, words, 64, &args.count), 0);
	assert_int_equal(clb_verb_find(&args, &run->context.verb,
				       &run->context.subcommand), 0);
	stdout = open_memstream(&run->out, &run->out_size);
	stderr = open_memstream(&run->err, &run->err_size);
	status = run->context.subcommand->run(&run->context, &args);
	fclose(stdout);
	fclose(stderr);
	stdout = out;
	stderr = err;
	clb_client_close(run->context.client);
	return status;
}

static void run_end(struct run *run)
{
	free(run->out);
	free(run->err);
	memset(run, 0, sizeof(*run));
	fake_reset();
}

static void family(void **state)
{
	struct clb_client *client = NULL;
	struct clb_error error;

	(void)state;
	clb_client_close(open_client());
	fake.absent = true;
	assert_int_equal(clb_client_open(&client, &error), -ENOENT);
	assert_null(client);
	assert_non_null(strstr(error.message, "modprobe clb"));
	fake_reset();
}

static void refused(void **state)
{
	struct run run = { 0 };

	(void)state;
	fake.refused_port = 80;
	assert_int_equal(run_verb(&run, "listener add tcp 192.0.2.1:80"), 1);
	assert_string_equal(run.err, "clbctl: listener add: tcp 192.0.2.1:80: File exists: listener exists (attribute address)\n");
	run_end(&run);
	assert_int_equal(run_verb(&run, "listener add tcp 192.0.2.1:80"), 0);
	assert_string_equal(run.err, "");
	assert_string_equal(run.out, "");
	run_end(&run);
}

/* An answer to a request that was given up on is nobody's. */
static void late_answer(void **state)
{
	struct clb_message request = { .command = CLB_CMD_FLUSH };
	struct clb_client *client = open_client();
	struct nlmsghdr earlier = { 0 };
	struct clb_error error;

	(void)state;
	fake_ack(&earlier, -EPERM, NULL, 0);
	assert_int_equal(clb_client_request(client, &request, NULL, &error), 0);
	clb_client_close(client);
	fake_reset();
}

struct counted {
	size_t count;
	size_t stop;
};

static int count(const struct clb_message *message, void *context)
{
	struct counted *counted = context;

	assert_int_equal(message->session.client_port, counted->count);
	counted->count++;
	return counted->count == counted->stop ? -ECANCELED : 0;
}

static void dump(void **state)
{
	struct clb_message request = { .command = CLB_CMD_SESSION_GET };
	struct clb_client *client = open_client();
	struct counted counted = { 0 };
	struct clb_error error;

	(void)state;
	fake.n_sessions = 1000;
	assert_int_equal(clb_client_dump(client, &request, count, &counted,
					 &error), 0);
	assert_int_equal(counted.count, 1000);

	/* A handler that stops leaves a socket that works. */
	counted = (struct counted){ 0, 10 };
	assert_int_equal(clb_client_dump(client, &request, count, &counted,
					 &error), -ECANCELED);
	assert_int_equal(counted.count, 10);
	counted = (struct counted){ 0 };
	fake.interrupted = 1;
	assert_int_equal(clb_client_dump(client, &request, count, &counted,
					 &error), 1);
	assert_int_equal(counted.count, 1000);
	clb_client_close(client);
	fake_reset();
}

static void batch(void **state)
{
	struct clb_client *client = open_client();
	unsigned long i, failed = 0;
	struct clb_message message;
	struct clb_batch batch;
	struct clb_error error;
	int err = 0;

	(void)state;
	fake.sends = 0;
	fake.refused_port = 701;
	assert_int_equal(clb_batch_init(&batch, client), 0);
	from_command("listener add tcp 192.0.2.1:1", &message);
	for (i = 1; !err && i <= 1000; i++) {
		message.listener.port = i;
		err = clb_batch_add(&batch, &message, i, &failed, &error);
	}
	assert_int_equal(err, -EEXIST);
	assert_int_equal(failed, 701);
	assert_string_equal(error.attribute, "address");
	assert_int_equal(fake.sends, 6);

	/* The batch can be used again. */
	assert_int_equal(clb_batch_add(&batch, &message, 5, &failed, &error),
			 0);
	assert_int_equal(clb_batch_flush(&batch, &failed, &error), 0);
	clb_batch_destroy(&batch);
	clb_client_close(client);
	fake_reset();
}

static char file_name[] = "/tmp/clb-test-XXXXXX";

static void write_file(const char *text)
{
	FILE *file = fopen(file_name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* { file, status, commands the kernel sees, start of the error } */
static const struct {
	const char *file;
	int status;
	const char *log;
	const char *error;
} restores[] = {
	{ "", 0, "BFC", "" },
	{ "# nothing\n\n", 0, "BFC", "" },
	{ saved, 0, "BFpplssaalls" "C", "" },
	{ "listener add tcp 192.0.2.1:80", 0, "BFlC", "" },
	{ "listener add tcp 192.0.2.1:1\nlistener add tcp 192.0.2.1:666\nlistener add tcp 192.0.2.1:3\n",
	  1, "BFlllA", ":2: File exists: listener exists (attribute address)\n" },
	{ "listener add tcp 192.0.2.1:1\n\nlistener add foo\n", 2, "BFA",
	  ":3: protocol: 'foo' is not one of tcp, udp\n" },
	{ "settings set max-sessions 5\n", 2, "BFA", ":1: only " },
	{ "listener show\n", 2, "BFA", ":1: only " },
	{ "frob\n", 2, "BFA", ":1: unknown command 'frob'" },
};

static void restore(void **state)
{
	char command[64];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(restores); i++) {
		struct run run = { 0 };
		const char *error;

		fake.refused_port = 666;
		write_file(restores[i].file);
		snprintf(command, sizeof(command), "restore %s", file_name);
		assert_int_equal(run_verb(&run, command), restores[i].status);
		assert_string_equal(fake.log, restores[i].log);
		error = run.err;
		if (*restores[i].error) {
			assert_memory_equal(error, file_name,
					    strlen(file_name));
			error += strlen(file_name);
		}
		assert_memory_equal(error, restores[i].error,
				    strlen(restores[i].error));
		run_end(&run);
	}
}

static void restore_options(void **state)
{
	struct run run = { .context.add = true };
	char command[64];

	(void)state;
	write_file("listener add tcp 192.0.2.1:80\n");
	snprintf(command, sizeof(command), "restore %s", file_name);
	assert_int_equal(run_verb(&run, command), 0);
	assert_string_equal(fake.log, "BlC");
	run_end(&run);

	fake.busy = 3;
	run.context.wait = 1;
	assert_int_equal(run_verb(&run, command), 0);
	assert_string_equal(fake.log, "BBBBFlC");
	run_end(&run);

	fake.busy = 1000;
	assert_int_equal(run_verb(&run, command), 1);
	assert_string_equal(fake.log, "B");
	assert_string_equal(run.err, "clbctl: restore: Device or resource busy: another process has a transaction open\n");
	run_end(&run);
}

static void save(void **state)
{
	struct run run = { 0 };

	(void)state;
	fake.interrupted = 2;
	assert_int_equal(run_verb(&run, "save"), 0);
	assert_string_equal(run.out, saved);
	assert_string_equal(run.err, "");
	run_end(&run);
}

static void save_json(void **state)
{
	struct run run = { .context.json = true };

	(void)state;
	assert_int_equal(run_verb(&run, "save"), 0);
	assert_string_equal(run.out,
		"{\"local_addresses\":[{\"address\":\"198.51.100.1\"},{\"address\":\"198.51.100.2\"}],"
		"\"listeners\":[{\"protocol\":\"tcp\",\"address\":\"192.0.2.1\",\"port\":80,\"rate\":100000000},"
		"{\"protocol\":\"tcp\",\"address\":\"2001:db8::1\",\"port\":80},"
		"{\"protocol\":\"udp\",\"address\":\"192.0.2.1\",\"port\":53,\"mode\":\"dr\"}],"
		"\"servers\":[{\"listener\":{\"protocol\":\"tcp\",\"address\":\"192.0.2.1\",\"port\":80},"
		"\"address\":\"10.0.0.1\",\"port\":81,\"weight\":7},"
		"{\"listener\":{\"protocol\":\"tcp\",\"address\":\"192.0.2.1\",\"port\":80},"
		"\"address\":\"10.0.0.2\",\"port\":81},"
		"{\"listener\":{\"protocol\":\"udp\",\"address\":\"192.0.2.1\",\"port\":53},"
		"\"address\":\"10.0.0.3\"}],"
		"\"acl\":[{\"listener\":{\"protocol\":\"tcp\",\"address\":\"192.0.2.1\",\"port\":80},"
		"\"address\":\"9.0.0.0\",\"prefix\":8},"
		"{\"listener\":{\"protocol\":\"tcp\",\"address\":\"192.0.2.1\",\"port\":80},"
		"\"address\":\"10.0.0.0\",\"prefix\":8}]}\n");
	run_end(&run);
}

static void sessions(void **state)
{
	struct run run = { 0 };

	(void)state;
	fake.n_sessions = 2;
	assert_int_equal(run_verb(&run, "session show"), 0);
	assert_non_null(strstr(run.out, "\ntcp   established tun  198.51.100.7:1 "));
	run_end(&run);

	fake.n_sessions = 70;
	assert_int_equal(run_verb(&run, "session count"), 0);
	assert_string_equal(run.out, "70\n");
	run_end(&run);

	run.context.json = true;
	assert_int_equal(run_verb(&run, "session show"), 0);
	assert_string_equal(run.out, "[]\n");
	run_end(&run);

	run.context.json = true;
	fake.n_sessions = 2;
	assert_int_equal(run_verb(&run, "session show"), 0);
	assert_memory_equal(run.out, "[{\"protocol\":\"tcp\",", 18);
	assert_non_null(strstr(run.out, "\"expires_ms\":1500},\n{"));
	assert_string_equal(run.out + run.out_size - 3, "}]\n");
	run_end(&run);
}

/* Counts events; the monitor's own loop needs a socket to poll. */
static int count_events(const struct clb_message *message, void *context)
{
	size_t *events = context;

	assert_int_equal(message->command, CLB_CMD_LISTENER_ADD);
	++*events;
	return 0;
}

static void events(void **state)
{
	struct clb_client *client = open_client();
	struct clb_message message;
	struct clb_error error;
	size_t seen = 0;

	(void)state;
	assert_int_equal(clb_client_subscribe(client, &error), 0);
	assert_int_equal(clb_client_events(client, count_events, &seen),
			 -EAGAIN);
	from_command("listener add tcp 192.0.2.1:80", &message);
	fake_message(0, &message, 0);
	fake_queue(NULL, 0, ENOBUFS);
	fake_message(0, &message, 0);
	assert_int_equal(clb_client_events(client, count_events, &seen), 0);
	assert_int_equal(clb_client_events(client, count_events, &seen),
			 -ENOBUFS);
	assert_int_equal(clb_client_events(client, count_events, &seen), 0);
	assert_int_equal(seen, 2);
	clb_client_close(client);
	fake_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(family),
		cmocka_unit_test(refused),
		cmocka_unit_test(late_answer),
		cmocka_unit_test(dump),
		cmocka_unit_test(batch),
		cmocka_unit_test(restore),
		cmocka_unit_test(restore_options),
		cmocka_unit_test(save),
		cmocka_unit_test(save_json),
		cmocka_unit_test(sessions),
		cmocka_unit_test(events),
	};
	int fd = mkstemp(file_name);
	int failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(file_name);
	return failed;
}
