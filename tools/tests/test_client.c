// SPDX-License-Identifier: MIT
/* The client, and the verbs that talk a lot, against a kernel of straw. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "clbctl/clbctl.h"
#include "fake_kernel.h"
#include "lib/batch.h"

/* What "save" makes of what the kernel of straw has. */
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
	assert_int_equal(fake.asked, 2);
	assert_int_equal(clb_client_find(&client, &error), -ENOENT);
	assert_null(client);
	assert_non_null(strstr(error.message, "modprobe clb"));
	fake.absent = false;
	assert_int_equal(clb_client_find(&client, &error), 0);
	assert_int_equal(clb_client_version(client), CLB_GENL_VERSION);
	clb_client_close(client);
	assert_int_equal(fake.asked, 2);
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
	assert_int_equal(clb_client_events(client, count_events, &seen), 0);
	fake_queue(NULL, 0, ENOBUFS);
	assert_int_equal(clb_client_events(client, count_events, &seen),
			 -ENOBUFS);
	fake_message(0, &message, 0);
	assert_int_equal(clb_client_events(client, count_events, &seen), 0);
	assert_int_equal(seen, 2);
	clb_client_close(client);
	fake_reset();
}

static int next_event(struct clb_client *client, size_t *seen)
{
	int err = clb_client_events(client, count_events, seen);

	assert_int_equal(clb_client_events(client, count_events, seen),
			 -EAGAIN);
	return err;
}

/* The module goes and comes, and is listened to again. */
static void notices(void **state)
{
	struct clb_client *client = open_client();
	struct clb_message message;
	struct clb_error error;
	size_t seen = 0;

	(void)state;
	assert_int_equal(clb_client_subscribe(client, &error), 0);
	fake_notice(CTRL_CMD_NEWFAMILY, "other");
	assert_int_equal(next_event(client, &seen), 0);
	fake_notice(CTRL_CMD_DELFAMILY, "other");
	assert_int_equal(next_event(client, &seen), 0);
	fake_notice(CTRL_CMD_NEWMCAST_GRP, "clb");
	assert_int_equal(next_event(client, &seen), 0);
	fake.absent = true;
	fake_notice(CTRL_CMD_DELFAMILY, "clb");
	assert_int_equal(next_event(client, &seen), -ENODEV);

	/* It had gone again when it was looked for. */
	fake_notice(CTRL_CMD_NEWFAMILY, "clb");
	assert_int_equal(next_event(client, &seen), 0);
	fake_notice(CTRL_CMD_DELFAMILY, "clb");
	assert_int_equal(next_event(client, &seen), 0);
	fake.absent = false;
	fake.reloads++;
	fake_notice(CTRL_CMD_NEWFAMILY, "clb");
	assert_int_equal(next_event(client, &seen), -ESTALE);
	assert_int_not_equal(fake.joined, GENL_ID_CTRL);
	from_command("listener add tcp 192.0.2.1:80", &message);
	fake_message(0, &message, 0);
	assert_int_equal(next_event(client, &seen), 0);
	assert_int_equal(seen, 1);

	/* Notices that did not fit. */
	fake.reloads++;
	fake_queue(NULL, 0, ENOBUFS);
	assert_int_equal(next_event(client, &seen), -ESTALE);
	fake.absent = true;
	fake_queue(NULL, 0, ENOBUFS);
	assert_int_equal(next_event(client, &seen), -ENODEV);
	fake_queue(NULL, 0, ENOBUFS);
	assert_int_equal(next_event(client, &seen), -ENOBUFS);
	assert_int_equal(fake.asked, 1);
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
		cmocka_unit_test(notices),
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
