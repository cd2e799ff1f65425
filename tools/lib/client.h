/* SPDX-License-Identifier: MIT */
/* A netlink socket that talks to clb.ko in the current network namespace. */
#ifndef CLB_LIB_CLIENT_H
#define CLB_LIB_CLIENT_H

#include "extack.h"
#include "message.h"

struct clb_client;

/*
 * Called for each message of a dump or for each event. The message and what
 * it points to live until the handler returns.
 *
 * Return: 0, or a negative errno, which ends the listing and is passed on
 */
typedef int (*clb_message_handler)(const struct clb_message *message,
				   void *context);

/**
 * clb_client_open() - open a socket and find the family
 * @client: result, for clb_client_close(); untouched on failure
 * @error: on failure, a message that stands alone
 *
 * Return: 0 or a negative errno; -ENOENT: the module is not loaded
 */
int clb_client_open(struct clb_client **client, struct clb_error *error);

/* The same, but the kernel does not load the module for it. */
int clb_client_find(struct clb_client **client, struct clb_error *error);

/* Also ends a transaction the socket owns: nothing of it takes effect. */
void clb_client_close(struct clb_client *client);

/* For poll(). */
int clb_client_fd(const struct clb_client *client);

/* Version of the generic netlink family. */
unsigned int clb_client_version(const struct clb_client *client);

/**
 * clb_client_request() - send one command and wait for its answer
 * @client: socket
 * @request: what to do
 * @reply: what a GET command returns, without ACL entries; may be NULL
 * @error: why it failed
 *
 * Return: 0 or a negative errno
 */
int clb_client_request(struct clb_client *client,
		       const struct clb_message *request,
		       struct clb_message *reply, struct clb_error *error);

/**
 * clb_client_dump() - list objects
 * @client: socket
 * @request: a GET command, with its filters
 * @handler: called for each message, in constant memory
 * @context: for @handler
 * @error: why it failed
 *
 * Return: 0; 1: all was listed, but changed meanwhile, so that objects may
 * be absent or double; or a negative errno
 */
int clb_client_dump(struct clb_client *client,
		    const struct clb_message *request,
		    clb_message_handler handler, void *context,
		    struct clb_error *error);

/**
 * clb_client_subscribe() - receive events on this socket from now on, also
 *	those of a module that is loaded later
 * @client: socket, from now on for clb_client_events() alone
 * @error: why it failed
 *
 * Return: 0 or a negative errno
 */
int clb_client_subscribe(struct clb_client *client, struct clb_error *error);

/**
 * clb_client_events() - take the events that wait, without blocking
 * @client: socket that subscribed
 * @handler: called for each event
 * @context: for @handler
 *
 * Return: 0; -EAGAIN: none; -ENOBUFS: events were lost; -ENODEV: the module was
 * unloaded; -ESTALE: it was loaded anew, with nothing configured, and its first
 * events may be lost; or another negative errno
 */
int clb_client_events(struct clb_client *client, clb_message_handler handler,
		      void *context);

#endif /* CLB_LIB_CLIENT_H */
