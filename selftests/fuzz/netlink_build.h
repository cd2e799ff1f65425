/* SPDX-License-Identifier: MIT */
/* Messages for netlink.c: built and spoilt. */
#ifndef CLB_FUZZ_NETLINK_BUILD_H
#define CLB_FUZZ_NETLINK_BUILD_H

#include <stdint.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

/* Which addresses messages are about: 198.51.N.0/24 and 2001:db8:N00::/48. */
#define VIP_NET 1
#define CLIENT_NET 2
#define SERVER_NET 100

/* Two of them, with these ports and the ones behind them. */
#define VIPS 2
#define VIP_PORT 80
#define VIP_PORTS 2

/* How many clients. */
#define CLIENTS 200

#define MESSAGE_BYTES 1536
#define MESSAGE_HEAD (NLMSG_HDRLEN + GENL_HDRLEN)

/**
 * struct message - a netlink message
 * @bytes: of the whole; the length in its header is left to who sends it
 * @len: how many
 * @attr: where attributes begin, to spoil their headers
 * @attrs: how many of them
 * @device: index of one that leads to other nodes; of who sends it
 */
struct message {
	_Alignas(8) uint8_t bytes[MESSAGE_BYTES];
	unsigned int len;
	unsigned int attr[64];
	unsigned int attrs;
	uint32_t device;
};

/* One of the first @hosts of such a network. Returns its length in bytes. */
unsigned int address_choose(uint8_t *address, uint8_t net, unsigned int hosts);

/* Any command of @family with attributes such as clbctl would send. */
void message_build(struct message *m, uint16_t family, uint32_t seq);

/* Something wrong in it, or several things. */
void message_spoil(struct message *m);

#endif /* CLB_FUZZ_NETLINK_BUILD_H */
