// SPDX-License-Identifier: MIT
/*
 * usage: netlink DEVICE COUNT SEED NETNS FRONT
 *
 * Sends COUNT messages to the generic netlink family "clb" of this network
 * namespace: such as clbctl would send, most of them with something wrong in
 * them; sync is started on DEVICE. Several sockets take turns, so that
 * transactions get into each other's way. Between them clients open sessions,
 * from FRONT in the namespace NETNS, a file: of a listener that there is then,
 * or of none. In the end each socket must still answer, some of each command
 * must have been taken, and sessions listed. All follows from the seed alone;
 * what is printed last is how many were taken and how many refused.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/clb.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "netlink_build.h"
#include "packet_build.h"
#include "random.h"

#define SOCKETS 4
#define BATCH_BYTES 16384
#define OPENED 64 /* sessions after a batch */
#define BATCH_MESSAGES (BATCH_BYTES / MESSAGE_HEAD + 1)

/**
 * struct counts - what became of messages
 * @sent: all of them
 * @taken: those that were answered with success, by command
 * @refused: the others
 * @listed: objects in answers, by command
 * @error: the others, by their error
 * @command: of the messages on their way, by the number in their header
 */
struct counts {
	unsigned long sent, refused;
	unsigned long taken[256], listed[256];
	unsigned long error[256];
	uint8_t command[BATCH_MESSAGES];
};

/**
 * struct front - where clients are
 * @fd: packet socket, to send packets from their IP header on
 * @node: the node at the other end
 */
struct front {
	int fd;
	struct sockaddr_ll node;
};

uint64_t random_state;

static void die(const char *what)
{
	fprintf(stderr, "netlink: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int socket_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	int size = 1 << 20, one = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	if (random_chance(500))
		setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one,
			   sizeof(one));
	return fd;
}

static void count_end(const struct nlmsghdr *nlh, struct counts *counts)
{
	const struct nlmsgerr *error = NLMSG_DATA(nlh);

	/* what ends a list begins with its error, too */
	if (error->error)
		counts->error[-error->error & 0xff]++;
	else
		counts->taken[counts->command[nlh->nlmsg_seq %
					      BATCH_MESSAGES]]++;
}

static void count_replies(const uint8_t *bytes, int len, struct counts *counts)
{
	const struct nlmsghdr *nlh = (const void *)bytes;
	const struct genlmsghdr *genl;

	for (; NLMSG_OK(nlh, (unsigned int)len); nlh = NLMSG_NEXT(nlh, len)) {
		genl = NLMSG_DATA(nlh);
		if (nlh->nlmsg_type == NLMSG_DONE ||
		    nlh->nlmsg_type == NLMSG_ERROR)
			count_end(nlh, counts);
		else
			counts->listed[genl->cmd]++;
	}
}

/* All that is there; a socket that overflowed says so and goes on. */
static void drain(int fd, struct counts *counts)
{
	_Alignas(8) static uint8_t bytes[65536];
	ssize_t len;

	while ((len = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0 ||
	       (len < 0 && errno == ENOBUFS))
		if (len > 0)
			count_replies(bytes, len, counts);
	if (len == 0 || errno != EAGAIN)
		die("receive");
}

static void batch_send(int fd, const uint8_t *batch, unsigned int len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (len && sendto(fd, batch, len, 0, (struct sockaddr *)&kernel,
			  sizeof(kernel)) < 0)
		die("send");
}

/* Messages that fit, at most @left of them. Returns how many. */
static unsigned long batch_fill(uint8_t *batch, unsigned int *used,
				unsigned long left, uint16_t family,
				uint32_t device, struct counts *counts)
{
	static struct message m;
	unsigned long n;

	m.device = device;
	*used = 0;
	for (n = 0; n < left && *used + MESSAGE_BYTES <= BATCH_BYTES; n++) {
		uint32_t len;

		message_build(&m, family, n + 1);
		if (random_chance(500))
			message_spoil(&m);
		len = m.len;
		memcpy(m.bytes, &len, sizeof(len));
		counts->command[n + 1] = m.bytes[NLMSG_HDRLEN];
		memcpy(batch + *used, m.bytes, len);
		*used += NLMSG_ALIGN(len);
	}
	return n;
}

static unsigned long report_errors(const struct counts *counts)
{
	unsigned long sum = 0;
	int i;

	for (i = 0; i < 256; i++) {
		sum += counts->error[i];
		if (counts->error[i])
			printf("# %s: %lu\n", strerror(i), counts->error[i]);
	}
	return sum;
}

/* Events are no commands. */
static bool is_event(int command)
{
	return command == CLB_CMD_POOL_EXHAUSTED ||
	       command == CLB_CMD_SYNC_READY || command == CLB_CMD_SYNC_PEER ||
	       command == CLB_CMD_LISTENER_END;
}

/* By command: how many were taken, and what they listed. Returns the sum. */
static unsigned long report_taken(const struct counts *counts)
{
	unsigned long sum = 0;
	int i;

	printf("# taken:");
	for (i = 1; i <= CLB_CMD_MAX; i++) {
		sum += counts->taken[i];
		printf(" %d:%lu", i, counts->taken[i]);
		if (counts->listed[i])
			printf("(%lu)", counts->listed[i]);
	}
	putchar('\n');
	return sum;
}

/* Something of all, or the fuzzer has lost its way. */
static bool is_complete(const struct counts *counts)
{
	bool complete = counts->refused;
	int i;

	for (i = 1; i <= CLB_CMD_MAX; i++) {
		if (counts->taken[i] || is_event(i))
			continue;
		printf("# command %d was never taken\n", i);
		complete = false;
	}
	if (!counts->listed[CLB_CMD_SESSION_GET]) {
		printf("# no session was listed\n");
		complete = false;
	}
	return complete;
}

/* --- clients ------------------------------------------------------------- */

static void netns_enter(int fd, const char *name)
{
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(name);
}

/* The node's end has the MAC address 02:00:00:00:00:01. */
static void front_open(struct front *front, const char *netns,
		       const char *device)
{
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(netns, O_RDONLY | O_CLOEXEC);

	netns_enter(there, netns);
	front->node = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(device),
		.sll_halen = ETH_ALEN,
		.sll_addr = { 2, 0, 0, 0, 0, 1 },
	};
	front->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (front->fd < 0 || !front->node.sll_ifindex)
		die(device);
	netns_enter(here, "its own namespace");
	close(there);
	close(here);
}

static void client_choose(struct flow *flow)
{
	unsigned int len;

	memset(flow, 0, sizeof(*flow));
	len = address_choose(flow->dst, VIP_NET, VIPS);
	while (address_choose(flow->src, CLIENT_NET, CLIENTS) != len)
		;
	flow->ipv6 = len == 16;
	flow->protocol = random_chance(500) ? IPPROTO_TCP : IPPROTO_UDP;
	flow->sport = 1024 + random_below(60000);
	flow->dport = VIP_PORT + random_below(VIP_PORTS);
	flow->seq = random_u32();
}

/* What goes through veth is done as a rule when sending returns. */
static void session_open(const struct front *front)
{
	struct sockaddr_ll node = front->node;
	struct packet p;
	struct flow flow;

	client_choose(&flow);
	packet_build(&p, &flow, TCP_SYN);
	node.sll_protocol = htons(p.ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	if (sendto(front->fd, p.bytes, p.len, 0, (struct sockaddr *)&node,
		   sizeof(node)) < 0)
		die("a client's packet");
}

static void sessions_open(const struct front *front)
{
	unsigned int i;

	for (i = 0; i < OPENED; i++)
		session_open(front);
}

/* --- requests ------------------------------------------------------------ */

/* An ordinary request and its answer. Returns the length of that. */
static ssize_t ask(int fd, uint16_t type, uint8_t command, const void *attr,
		   unsigned int attr_len, uint8_t *answer, size_t size)
{
	struct {
		struct nlmsghdr nlh;
		struct genlmsghdr genl;
		uint8_t attr[64];
	} request = {
		.nlh = { .nlmsg_len = MESSAGE_HEAD + attr_len,
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST,
			 .nlmsg_seq = 1 },
		.genl = { .cmd = command, .version = 1 },
	};

	if (attr)
		memcpy(request.attr, attr, attr_len);
	batch_send(fd, (void *)&request, request.nlh.nlmsg_len);
	return recv(fd, answer, size, 0);
}

static uint16_t family_find(int fd)
{
	static const struct {
		struct nlattr nla;
		char name[sizeof(CLB_GENL_NAME)];
	} name = { { NLA_HDRLEN + sizeof(CLB_GENL_NAME),
		     CTRL_ATTR_FAMILY_NAME },
		   CLB_GENL_NAME };
	_Alignas(8) uint8_t answer[8192];
	ssize_t len = ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, &name,
			  sizeof(name), answer, sizeof(answer));
	ssize_t at = MESSAGE_HEAD;

	while (at + NLA_HDRLEN <= len) {
		const struct nlattr *nla = (const void *)(answer + at);

		if (nla->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(const uint16_t *)(nla + 1);
		if (nla->nla_len < NLA_HDRLEN)
			break;
		at += NLA_ALIGN(nla->nla_len);
	}
	fprintf(stderr, "netlink: no family \"clb\"\n");
	exit(1);
}

/* Dumps that were left half way end with their socket. */
static void must_answer(int fd, uint16_t family)
{
	struct timeval patience = { .tv_sec = 60 };
	_Alignas(8) uint8_t answer[8192];
	const struct nlmsghdr *nlh = (const void *)answer;
	static struct counts ignored;
	ssize_t len;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	drain(fd, &ignored);
	len = ask(fd, family, CLB_CMD_SETTINGS_GET, NULL, 0, answer,
		  sizeof(answer));
	if (len < (ssize_t)MESSAGE_HEAD || nlh->nlmsg_type != family)
		die("a socket does not answer");
}

int main(int argc, char **argv)
{
	static _Alignas(8) uint8_t batch[BATCH_BYTES];
	static struct counts counts;
	struct front front;
	int fds[SOCKETS], i;
	time_t begin = time(NULL);
	unsigned long count, taken;
	uint32_t device;
	uint16_t family;
	uint64_t seed;

	if (argc != 6) {
		fprintf(stderr,
			"usage: netlink DEVICE COUNT SEED NETNS FRONT\n");
		return 2;
	}
	device = if_nametoindex(argv[1]);
	count = strtoul(argv[2], NULL, 0);
	seed = strtoull(argv[3], NULL, 0);
	if (!device)
		die(argv[1]);
	front_open(&front, argv[4], argv[5]);
	random_seed(seed);
	printf("# netlink: %lu messages, seed %llu\n", count,
	       (unsigned long long)seed);
	for (i = 0; i < SOCKETS; i++)
		fds[i] = socket_open();
	family = family_find(fds[0]);
	while (counts.sent < count) {
		int fd = fds[random_below(SOCKETS)];
		unsigned int used;

		counts.sent += batch_fill(batch, &used, count - counts.sent,
					  family, device, &counts);
		batch_send(fd, batch, used);
		sessions_open(&front);
		drain(fd, &counts);
	}
	for (i = 0; i < SOCKETS; i++)
		must_answer(fds[i], family);
	counts.refused = report_errors(&counts);
	taken = report_taken(&counts);
	printf("# netlink: %lu sent, %lu taken, %lu refused, %ld s\n",
	       counts.sent, taken, counts.refused, (long)(time(NULL) - begin));
	return is_complete(&counts) ? 0 : 1;
}
