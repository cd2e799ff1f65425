// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "client_private.h"

/* Room for the errors of a whole batch; beyond it the kernel drops them. */
#define RECEIVE_BUFFER (1024 * 1024)

static void set_options(struct mnl_socket *socket)
{
	int on = 1, size = RECEIVE_BUFFER;
	int fd = mnl_socket_get_fd(socket);

	/* All of these improve what is said on errors; none is vital. */
	mnl_socket_setsockopt(socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_CAP_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static struct clb_client *client_new(void)
{
	struct clb_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->sequence = time(NULL);
	client->out = malloc(CLB_CLIENT_BUFFER);
	client->in = malloc(CLB_CLIENT_BUFFER);
	if (!client->out || !client->in) {
		clb_client_close(client);
		return NULL;
	}
	return client;
}

static int open_failed(struct clb_error *error, int code)
{
	char text[128];

	snprintf(text, sizeof(text), "no netlink socket: %s", strerror(-code));
	return clb_error_set(error, code, text);
}

static int open_client(struct clb_client **out, bool load,
		       struct clb_error *error)
{
	struct clb_client *client;
	int err;

	client = client_new();
	if (!client)
		return open_failed(error, -ENOMEM);
	client->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!client->socket ||
	    mnl_socket_bind(client->socket, 0, MNL_SOCKET_AUTOPID)) {
		err = open_failed(error, -errno);
		goto err_close;
	}
	set_options(client->socket);
	err = clb_client_resolve(client, load, error);
	if (err)
		goto err_close;
	*out = client;
	return 0;

err_close:
	clb_client_close(client);
	return err;
}

int clb_client_open(struct clb_client **out, struct clb_error *error)
{
	return open_client(out, true, error);
}

int clb_client_find(struct clb_client **out, struct clb_error *error)
{
	return open_client(out, false, error);
}

/* There may have been a secret in it, which an error says back. */
static void buffer_free(uint8_t *buffer)
{
	if (buffer)
		explicit_bzero(buffer, CLB_CLIENT_BUFFER);
	free(buffer);
}

void clb_client_close(struct clb_client *client)
{
	if (!client)
		return;
	if (client->socket)
		mnl_socket_close(client->socket);
	buffer_free(client->out);
	buffer_free(client->in);
	free(client);
}

int clb_client_fd(const struct clb_client *client)
{
	return mnl_socket_get_fd(client->socket);
}

unsigned int clb_client_version(const struct clb_client *client)
{
	return client->family.version;
}

int clb_client_send(struct clb_client *client, const void *bytes, size_t length,
		    struct clb_error *error)
{
	ssize_t sent;

	do {
		sent = mnl_socket_sendto(client->socket, bytes, length);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return clb_error_set(error, -errno, "request not sent");
	return 0;
}

ssize_t clb_client_receive(struct clb_client *client, int flags)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { client->in, CLB_CLIENT_BUFFER };
	struct msghdr head = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t length;

	/* Only the kernel, port 0, is listened to. */
	do {
		length = recvmsg(clb_client_fd(client), &head, flags);
	} while ((length < 0 && errno == EINTR) ||
		 (length >= 0 && from.nl_pid));
	if (length < 0)
		return -errno;
	if (head.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return length;
}

/* One answer being read. */
struct answer {
	uint32_t sequence;
	const void *sent;
	size_t sent_length;
	clb_reply_handler handler;
	void *context;
	struct clb_error *error;
	int err; /* of the handler */
	bool interrupted;
	bool done;
};

static int answer_end(struct answer *answer, const struct nlmsghdr *nlh)
{
	struct clb_error error = { 0 };
	int err;

	err = clb_extack_parse(nlh, nlh->nlmsg_len, answer->sent,
			       answer->sent_length, &error);
	answer->done = true;
	if (err == -EBADMSG && !error.code)
		return clb_error_set(answer->error, err, "malformed answer");
	if (err)
		*answer->error = error;
	return err;
}

static int answer_message(struct answer *answer, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_seq != answer->sequence)
		return 0; /* late answer to a request given up on */
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		answer->interrupted = true;
	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
		return answer_end(answer, nlh);

	/* After a failure read on, so that the socket can be used again. */
	if (answer->handler && !answer->err)
		answer->err = answer->handler(mnl_nlmsg_get_payload(nlh),
					      mnl_nlmsg_get_payload_len(nlh),
					      answer->context);
	return 0;
}

static int answer_datagram(struct answer *answer, const uint8_t *bytes,
			   int length)
{
	const struct nlmsghdr *nlh = (const void *)bytes;
	int err = 0;

	while (!answer->done && !err && mnl_nlmsg_ok(nlh, length)) {
		err = answer_message(answer, nlh);
		nlh = mnl_nlmsg_next(nlh, &length);
	}
	return err;
}

int clb_client_answer(struct clb_client *client, uint32_t sequence,
		      const void *sent, size_t sent_length,
		      clb_reply_handler handler, void *context,
		      struct clb_error *error)
{
	struct answer answer = {
		.sequence = sequence,
		.sent = sent,
		.sent_length = sent_length,
		.handler = handler,
		.context = context,
		.error = error,
	};

	while (!answer.done) {
		ssize_t length = clb_client_receive(client, 0);
		int err;

		if (length < 0)
			return clb_error_set(error, length, "answer lost");
		err = answer_datagram(&answer, client->in, length);
		if (err)
			return err;
	}
	if (answer.err)
		return clb_error_set(error, answer.err, "");
	return answer.interrupted;
}

/* Turns netlink payloads into messages for a clb_message_handler. */
struct decode {
	clb_message_handler handler;
	void *context;
};

static int decode_message(const uint8_t *payload, size_t length, void *context)
{
	const struct decode *decode = context;
	struct clb_message message;
	int err;

	if (length < GENL_HDRLEN)
		return -EBADMSG;
	err = clb_message_parse(payload[0], payload + GENL_HDRLEN,
				length - GENL_HDRLEN, &message);
	return err ? err : decode->handler(&message, decode->context);
}

static int keep_reply(const struct clb_message *message, void *context)
{
	struct clb_message *reply = context;

	*reply = *message;
	/* They point into a buffer that the acknowledgment overwrites. */
	reply->attributes = NULL;
	reply->length = 0;
	reply->n_acl_entries = 0;
	return 0;
}

static int transact(struct clb_client *client,
		    const struct clb_message *request, uint16_t flags,
		    struct decode *decode, struct clb_error *error)
{
	struct nlmsghdr *nlh;
	int err;

	nlh = clb_message_build(client->out, CLB_CLIENT_BUFFER, request,
				client->family.id, flags, ++client->sequence);
	if (!nlh)
		return clb_error_set(error, -EMSGSIZE,
				     "too much for one message");
	err = clb_client_send(client, nlh, nlh->nlmsg_len, error);
	if (err)
		return err;
	return clb_client_answer(client, client->sequence, nlh, nlh->nlmsg_len,
				 decode->handler ? decode_message : NULL,
				 decode, error);
}

int clb_client_request(struct clb_client *client,
		       const struct clb_message *request,
		       struct clb_message *reply, struct clb_error *error)
{
	struct decode decode = { reply ? keep_reply : NULL, reply };

	return transact(client, request, NLM_F_ACK, &decode, error);
}

int clb_client_dump(struct clb_client *client,
		    const struct clb_message *request,
		    clb_message_handler handler, void *context,
		    struct clb_error *error)
{
	struct decode decode = { handler, context };

	return transact(client, request, NLM_F_DUMP, &decode, error);
}

static int join(struct clb_client *client, uint32_t group)
{
	if (mnl_socket_setsockopt(client->socket, NETLINK_ADD_MEMBERSHIP,
				  &group, sizeof(group)))
		return -errno;
	return 0;
}

/*
 * Whether there is a module, and which. By a socket of its own: on this one the
 * answer would come after events.
 * Return: 0, or as clb_client_events() where it is another one than before
 */
static int look(struct clb_client *client)
{
	uint16_t before = client->family.id;
	struct clb_client *other;
	struct clb_error error;
	int err;

	err = clb_client_find(&other, &error);
	if (err == -ENOENT) {
		client->family.id = 0;
		return before ? -ENODEV : 0;
	}
	/* nothing of what this one listens to was lost */
	if (err == -ENOBUFS)
		return -EIO;
	if (err)
		return err;
	client->family = other->family;
	clb_client_close(other);
	err = join(client, client->family.group);
	if (err)
		return err;
	return client->family.id == before ? 0 : -ESTALE;
}

/*
 * The kernel ends all memberships in a group with its family. So the notices of
 * the controller are listened to, before the look: none is missed.
 */
int clb_client_subscribe(struct clb_client *client, struct clb_error *error)
{
	int err;

	err = join(client, GENL_ID_CTRL);
	if (!err)
		err = look(client);
	if (err && err != -ESTALE)
		return clb_error_set(error, err, "cannot subscribe to events");
	return 0;
}

/* Of a family that comes or goes. It may have gone again: that is asked. */
static int take_notice(struct clb_client *client, const uint8_t *payload,
		       size_t length)
{
	struct clb_family family = { 0 };
	int err;

	err = clb_family_parse(payload, length, &family);
	if (err || !family.id)
		return err;
	if (payload[0] == CTRL_CMD_NEWFAMILY)
		return look(client);
	if (payload[0] != CTRL_CMD_DELFAMILY || family.id != client->family.id)
		return 0;
	client->family.id = 0;
	return -ENODEV;
}

static int take_event(struct clb_client *client, const struct nlmsghdr *nlh,
		      struct decode *decode)
{
	const uint8_t *payload = mnl_nlmsg_get_payload(nlh);
	size_t length = mnl_nlmsg_get_payload_len(nlh);

	if (nlh->nlmsg_type == GENL_ID_CTRL)
		return take_notice(client, payload, length);
	if (nlh->nlmsg_type == client->family.id)
		return decode_message(payload, length, decode);
	return 0;
}

int clb_client_events(struct clb_client *client, clb_message_handler handler,
		      void *context)
{
	struct decode decode = { handler, context };
	const struct nlmsghdr *nlh = (const void *)client->in;
	ssize_t received = clb_client_receive(client, MSG_DONTWAIT);
	int length = received, err = 0;

	/* a notice may be among those that were lost */
	if (received == -ENOBUFS)
		err = look(client);
	if (received < 0)
		return err ? err : received;
	while (!err && mnl_nlmsg_ok(nlh, length)) {
		err = take_event(client, nlh, &decode);
		nlh = mnl_nlmsg_next(nlh, &length);
	}
	return err;
}
