/* SPDX-License-Identifier: MIT */
/* What client.c, family.c and batch.c share. */
#ifndef CLB_LIB_CLIENT_PRIVATE_H
#define CLB_LIB_CLIENT_PRIVATE_H

#include <sys/types.h>

#include "client.h"

struct mnl_socket;

/*
 * Requests: the kernel takes up to the socket's send buffer, 208 kB by
 * default. Replies: it fills what is offered, up to 32 kB; an event with a
 * long ACL may be longer.
 */
#define CLB_CLIENT_BUFFER (128 * 1024)

/* The family "clb", as the generic netlink controller knows it. */
struct clb_family {
	uint16_t id; /* 0: there is none */
	uint32_t group;
	uint32_t version;
};

struct clb_client {
	struct mnl_socket *socket;
	struct clb_family family;
	uint32_t sequence; /* of the last request */
	uint8_t *out; /* CLB_CLIENT_BUFFER each */
	uint8_t *in;
};

/**
 * clb_client_resolve() - find the family and its group
 * @client: socket
 * @load: ask by name, for which the kernel loads the module if it can
 * @error: why it failed
 *
 * Return: 0 or a negative errno; -ENOENT: there is none
 */
int clb_client_resolve(struct clb_client *client, bool load,
		       struct clb_error *error);

/**
 * clb_family_parse() - read what the controller says of a family
 * @payload: its message
 * @length: size of @payload
 * @context: struct clb_family; untouched if it is about another one
 *
 * Return: 0 or -EBADMSG
 */
int clb_family_parse(const uint8_t *payload, size_t length, void *context);

/* Return: 0 or a negative errno */
int clb_client_send(struct clb_client *client, const void *bytes, size_t length,
		    struct clb_error *error);

/*
 * Called for each message that is not NLMSG_ERROR or NLMSG_DONE.
 * Return: 0 or a negative errno.
 */
typedef int (*clb_reply_handler)(const uint8_t *payload, size_t length,
				 void *context);

/**
 * clb_client_answer() - read until a request is answered
 * @client: socket
 * @sequence: of the request
 * @sent: the request, to name attributes in errors
 * @sent_length: its size
 * @handler: for messages in between; may be NULL
 * @context: for @handler
 * @error: why it failed
 *
 * Return: 0, 1 for a dump that was interrupted, or a negative errno
 */
int clb_client_answer(struct clb_client *client, uint32_t sequence,
		      const void *sent, size_t sent_length,
		      clb_reply_handler handler, void *context,
		      struct clb_error *error);

/**
 * clb_client_receive() - read one datagram from the kernel into client->in
 * @client: socket
 * @flags: for recvmsg()
 *
 * Return: its length or a negative errno
 */
ssize_t clb_client_receive(struct clb_client *client, int flags);

#endif /* CLB_LIB_CLIENT_PRIVATE_H */
