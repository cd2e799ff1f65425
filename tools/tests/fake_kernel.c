// SPDX-License-Identifier: MIT
/*
 * A kernel of straw for test_client.c, in place of the real one:
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

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "clbctl/clbctl.h"
#include "fake_kernel.h"

#define FAMILY (33 + fake.reloads)
#define GROUP (7 + fake.reloads)

struct fake_kernel fake;

void fake_reset(void)
{
	while (fake.head < fake.tail)
		free(fake.queue[fake.head++].bytes);
	memset(&fake, 0, sizeof(fake));
}

void fake_queue(const void *bytes, size_t length, int err)
{
	struct datagram *datagram = &fake.queue[fake.tail++];

	assert_in_range(fake.tail, 1, FAKE_QUEUE_MAX);
	datagram->bytes = malloc(length + 1);
	assert_non_null(datagram->bytes);
	if (length)
		memcpy(datagram->bytes, bytes, length);
	datagram->length = length;
	datagram->err = err;
}

void fake_ack(const struct nlmsghdr *request, int code,
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

static void fake_family(uint32_t sequence, uint8_t command, const char *name,
			uint16_t id)
{
	_Alignas(8) uint8_t bytes[512] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(bytes);
	struct nlattr *groups, *group;
	struct genlmsghdr *genl;

	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_seq = sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, GENL_HDRLEN);
	genl->cmd = command;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, id);
	mnl_attr_put_u32(nlh, CTRL_ATTR_VERSION, CLB_GENL_VERSION);
	groups = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	group = mnl_attr_nest_start(nlh, 1);
	mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, GROUP);
	mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME, "events");
	mnl_attr_nest_end(nlh, group);
	mnl_attr_nest_end(nlh, groups);
	fake_queue(bytes, nlh->nlmsg_len, 0);
}

void fake_notice(uint8_t command, const char *name)
{
	fake_family(0, command, name, FAMILY);
}

/* Queues @message in a datagram of its own. */
void fake_message(uint32_t sequence, const struct clb_message *message,
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

/* By name, or a list of all. */
static void fake_families(const struct nlmsghdr *request)
{
	uint32_t sequence = request->nlmsg_seq;
	bool all = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	if (all)
		fake_family(sequence, CTRL_CMD_NEWFAMILY, "other", 32);
	else
		fake.asked++;
	if (!fake.absent)
		fake_family(sequence, CTRL_CMD_NEWFAMILY, "clb", FAMILY);
	if (all)
		fake_done(sequence);
	else
		fake_ack(request, fake.absent ? -ENOENT : 0, NULL, 0);
}

void from_command(const char *command, struct clb_message *message)
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
		fake_families(request);
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
		fake.joined = *(uint32_t *)value;
		if (fake.joined != GENL_ID_CTRL)
			assert_int_equal(fake.joined, GROUP);
	}
	return 0;
}
