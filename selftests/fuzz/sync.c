// SPDX-License-Identifier: GPL-2.0
/*
 * usage: sync keep|fuzz COUNT SEED NETNS DEVICE GROUP NODE EPOCH SECRET
 *
 * Speaks session sync to the node NODE, which lives since EPOCH and has the one
 * secret of the file SECRET, key id 0, in cluster 0. To be run in the node's
 * network namespace, which says when it has read what was sent; sends from
 * DEVICE in the namespace NETNS, a file, to GROUP, an IPv4 address.
 *
 * keep: tells it of COUNT sessions. fuzz: COUNT datagrams, most of them such as
 * nodes would send, but with something wrong in them: before they were sealed,
 * or afterwards. They follow from the seed alone, but for EPOCH and the time.
 *
 * Prints "expect COUNTER NUMBER": by how much the node's counters must have
 * risen. "sessions" are those told by datagrams that were done.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "random.h"
#include "sync_build.h"

#define PORT 8850
#define BATCH 64 /* datagrams a system call */
#define AHEAD (4 * BATCH) /* that the node may not have read */
#define PATIENCE 600 /* seconds until it has */
#define KEPT_TOGETHER 50

uint64_t random_state;

struct sender {
	int sock;
	int seen; /* /proc/net/snmp of the node */
	unsigned long read; /* that it had read before */
	unsigned long sent;
	unsigned int batch;
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	struct datagram datagrams[BATCH];
};

static void die(const char *what)
{
	fprintf(stderr, "sync: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Datagrams of UDP that were read in the node's namespace. */
static unsigned long datagrams_read(int fd)
{
	char text[16384], *line;
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	unsigned long n;

	if (len <= 0)
		die("/proc/self/net/snmp");
	text[len] = '\0';
	line = strstr(text, "\nUdp: ");
	line = line ? strstr(line + 1, "\nUdp: ") : NULL;
	if (!line || sscanf(line, "\nUdp: %lu", &n) != 1)
		die("no counters of UDP");
	return n;
}

static void wait_read(struct sender *sender)
{
	const struct timespec moment = { .tv_nsec = 50000 };
	time_t end = time(NULL) + PATIENCE;

	while (datagrams_read(sender->seen) - sender->read < sender->sent) {
		if (time(NULL) > end) {
			fprintf(stderr, "sync: the node does not read\n");
			exit(1);
		}
		nanosleep(&moment, NULL);
	}
}

static void socket_open(struct sender *sender, const char *netns,
			const char *device, const char *group)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(PORT) };
	struct ip_mreqn from = { 0 };
	int size = 1 << 22, fd;

	sender->seen = open("/proc/thread-self/net/snmp", O_RDONLY | O_CLOEXEC);
	if (sender->seen < 0)
		die("/proc/self/net/snmp");
	sender->read = datagrams_read(sender->seen);
	fd = open(netns, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(netns);
	close(fd);
	from.imr_ifindex = if_nametoindex(device);
	sender->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!from.imr_ifindex || sender->sock < 0 ||
	    inet_pton(AF_INET, group, &to.sin_addr) != 1 ||
	    setsockopt(sender->sock, SOL_SOCKET, SO_SNDBUFFORCE, &size,
		       sizeof(size)) ||
	    setsockopt(sender->sock, IPPROTO_IP, IP_MULTICAST_IF, &from,
		       sizeof(from)) ||
	    connect(sender->sock, (struct sockaddr *)&to, sizeof(to)))
		die("socket");
}

static void batch_send(struct sender *sender)
{
	unsigned int done = 0;
	int n;

	while (done < sender->batch) {
		n = sendmmsg(sender->sock, sender->msgs + done,
			     sender->batch - done, 0);
		if (n <= 0)
			die("send");
		done += n;
	}
	sender->sent += sender->batch;
	sender->batch = 0;
	if (sender->sent % AHEAD == 0)
		wait_read(sender);
}

/* The datagram in the making. */
static struct datagram *datagram_of(struct sender *sender)
{
	return &sender->datagrams[sender->batch];
}

static void datagram_send(struct sender *sender, struct model *model)
{
	struct datagram *datagram = datagram_of(sender);

	model_hear(model, datagram);
	sender->iov[sender->batch] = (struct iovec){
		.iov_base = datagram->bytes,
		.iov_len = datagram->len,
	};
	sender->msgs[sender->batch].msg_hdr = (struct msghdr){
		.msg_iov = &sender->iov[sender->batch],
		.msg_iovlen = 1,
	};
	if (++sender->batch == BATCH)
		batch_send(sender);
}

static void keep(struct sender *sender, struct model *model,
		 unsigned long count)
{
	unsigned long i, n;

	for (i = 0; i < count; i += n) {
		n = count - i < KEPT_TOGETHER ? count - i : KEPT_TOGETHER;
		build_kept(model, datagram_of(sender), i, n);
		datagram_send(sender, model);
	}
}

static void fuzz(struct sender *sender, struct model *model,
		 unsigned long count)
{
	while (count--) {
		build_random(model, datagram_of(sender));
		datagram_send(sender, model);
	}
}

/* 64 hexadecimal digits. */
static void secret_read(const char *path, u8 *secret)
{
	FILE *file = fopen(path, "r");
	unsigned int i, byte;

	if (!file)
		die(path);
	for (i = 0; i < SECRET_LEN; i++) {
		if (fscanf(file, "%2x", &byte) != 1)
			die(path);
		secret[i] = byte;
	}
	fclose(file);
}

static u64 epoch_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

int main(int argc, char **argv)
{
	static struct sender sender;
	static struct model model;
	time_t begin = time(NULL);
	u8 secret[SECRET_LEN];
	unsigned long count;

	if (argc != 10) {
		fprintf(stderr, "usage: sync keep|fuzz COUNT SEED NETNS DEVICE "
				"GROUP NODE EPOCH SECRET\n");
		return 2;
	}
	count = strtoul(argv[2], NULL, 0);
	random_seed(strtoull(argv[3], NULL, 0));
	model.node = strtoul(argv[7], NULL, 0);
	model.epoch = strtoull(argv[8], NULL, 0);
	secret_read(argv[9], secret);
	build_init(secret, epoch_now());
	socket_open(&sender, argv[4], argv[5], argv[6]);
	(!strcmp(argv[1], "keep") ? keep : fuzz)(&sender, &model, count);
	batch_send(&sender);
	wait_read(&sender);
	printf("# %s: %lu datagrams in %ld s\n", argv[1], sender.sent,
	       (long)(time(NULL) - begin));
	model_print(&model);
	return 0;
}
