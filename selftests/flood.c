// SPDX-License-Identifier: MIT
/*
 * Packets that open sessions, cheaply: each from a client of its own.
 *
 * flood syn|udp VIP PORT COUNT SOURCE SOURCES [SECONDS]
 *
 * COUNT packets, 0: without end, from the SOURCES addresses from SOURCE on in
 * turn, the port going up with each round, for at most SECONDS. Prints how many
 * were sent. IPv4; nobody needs to hold the sources.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FIRST_PORT 1024
#define PORTS (65536 - FIRST_PORT)

struct flood {
	struct sockaddr_in to;
	unsigned long count;
	unsigned int source;
	unsigned int sources;
	bool syn;
};

static unsigned int sum16(const void *data, size_t length, unsigned int sum)
{
	const unsigned char *byte = data;
	size_t i;

	for (i = 0; i < length; i++)
		sum += i % 2 ? byte[i] : byte[i] << 8;
	return sum;
}

static unsigned short fold(unsigned int sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* The kernel fills in length, identification and checksum. */
static size_t put_ip(struct iphdr *ip, const struct flood *flood,
		     unsigned int src, size_t payload)
{
	*ip = (struct iphdr) {
		.version = 4, .ihl = 5, .ttl = 64,
		.protocol = flood->syn ? IPPROTO_TCP : IPPROTO_UDP,
		.saddr = htonl(src), .daddr = flood->to.sin_addr.s_addr,
	};
	return sizeof(*ip) + payload;
}

static size_t put_syn(unsigned char *packet, const struct flood *flood,
		      unsigned int src, unsigned short port, unsigned int seq)
{
	struct tcphdr *th = (void *)(packet + sizeof(struct iphdr));
	unsigned int sum = IPPROTO_TCP + sizeof(*th);
	unsigned int from = htonl(src);

	*th = (struct tcphdr) {
		.source = htons(port), .dest = flood->to.sin_port,
		.seq = htonl(seq), .doff = 5, .syn = 1, .window = htons(65535),
	};
	sum = sum16(&from, sizeof(from), sum);
	sum = sum16(&flood->to.sin_addr, sizeof(flood->to.sin_addr), sum);
	th->check = fold(sum16(th, sizeof(*th), sum));
	return put_ip((void *)packet, flood, src, sizeof(*th));
}

static size_t put_udp(unsigned char *packet, const struct flood *flood,
		      unsigned int src, unsigned short port)
{
	struct udphdr *uh = (void *)(packet + sizeof(struct iphdr));

	*uh = (struct udphdr) {
		.source = htons(port), .dest = flood->to.sin_port,
		.len = htons(sizeof(*uh) + 1),
	};
	packet[sizeof(struct iphdr) + sizeof(*uh)] = 'x';
	return put_ip((void *)packet, flood, src, sizeof(*uh) + 1);
}

static void send_one(int sock, const struct flood *flood, unsigned long i)
{
	unsigned int src = flood->source + i % flood->sources;
	unsigned short port = FIRST_PORT + i / flood->sources % PORTS;
	unsigned char packet[64];
	size_t length;

	length = flood->syn ? put_syn(packet, flood, src, port, i * 7919) :
			      put_udp(packet, flood, src, port);
	while (sendto(sock, packet, length, 0, (const void *)&flood->to,
		      sizeof(flood->to)) < 0)
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR &&
		    errno != EPERM && errno != ENETUNREACH) {
			perror("flood");
			exit(1);
		}
}

int main(int argc, char **argv)
{
	int sock = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	struct flood flood = { .to.sin_family = AF_INET };
	time_t end = 0;
	unsigned long i;

	if (argc < 7 || sock < 0 ||
	    inet_pton(AF_INET, argv[2], &flood.to.sin_addr) != 1) {
		fputs("flood syn|udp VIP PORT COUNT SOURCE SOURCES [SECONDS]\n",
		      stderr);
		return 2;
	}
	flood.syn = !strcmp(argv[1], "syn");
	flood.to.sin_port = htons(atoi(argv[3]));
	flood.count = strtoul(argv[4], NULL, 0);
	flood.source = ntohl(inet_addr(argv[5]));
	flood.sources = atoi(argv[6]);
	if (argc > 7)
		end = time(NULL) + atoi(argv[7]);
	for (i = 0; !flood.count || i < flood.count; i++) {
		if (end && time(NULL) > end)
			break;
		send_one(sock, &flood, i);
	}
	printf("%lu\n", i);
	return 0;
}
