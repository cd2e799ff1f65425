/* SPDX-License-Identifier: MIT */
/* A kernel of straw: what it has, what it answers, what it was asked. */
#ifndef CLB_TESTS_FAKE_KERNEL_H
#define CLB_TESTS_FAKE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include "lib/batch.h"
#include "test.h"

#define FAKE_QUEUE_MAX 2048

struct datagram {
	uint8_t *bytes;
	size_t length;
	int err;	/* of recvmsg() instead */
};

struct fake_kernel {
	struct datagram queue[FAKE_QUEUE_MAX];
	size_t head, tail;
	char log[65536];	/* one letter for each command */
	size_t logged;
	size_t sends;
	uint16_t refused_port;	/* listener add is refused for it... */
	unsigned int busy;	/* begin is refused so often */
	unsigned int interrupted;	/* so many dumps are */
	bool absent;		/* module not loaded */
	unsigned int asked;	/* for it by name, so that it is loaded */
	uint16_t reloads;	/* of the module */
	uint32_t joined;	/* the last group */
	size_t n_sessions;
};

extern struct fake_kernel fake;

void fake_reset(void);
void fake_queue(const void *bytes, size_t length, int err);
void fake_ack(const struct nlmsghdr *request, int code,
	      const char *message, uint32_t offset);
/* The controller's word on a family of this name. */
void fake_notice(uint8_t command, const char *name);
void fake_message(uint32_t sequence, const struct clb_message *message,
		  uint16_t flags);

/* Fills a message from the words of a command. */
void from_command(const char *command, struct clb_message *message);

#endif /* CLB_TESTS_FAKE_KERNEL_H */
