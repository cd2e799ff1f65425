// SPDX-License-Identifier: MIT
/*
 * usage: packets COUNT [SEED]
 *
 * Plays clients and servers of a node at once, by packet sockets on the other
 * ends of its veth devices, "front" and "back" (topology: test_fuzz.sh), until
 * COUNT packets have gone into the node: handshakes and what follows, answered by what the node makes of them,
 * so that there are sessions in all states; and among them packets with
 * something wrong: headers, lengths, options, extension headers, fragments,
 * ICMP errors about packets that were seen, offload headers.
 *
 * What comes out of the node must be well formed, and where the packet that
 * went in had nothing wrong, so must its checksum be. The packets follow from
 * the seed, and from what the node answers.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>

#include "packet_build.h"
#include "random.h"

#define FLOWS 4096
#define BATCH 32

/* As PACKET_VNET_HDR has them: offload header, Ethernet, packet. */
struct frame {
	struct virtio_net_hdr vnet;
	struct ethhdr eth;
	uint8_t packet[PACKET_MAX];
} __attribute__((packed));

#define FRAME_HEAD (sizeof(struct virtio_net_hdr) + sizeof(struct ethhdr))

/**
 * struct wire - one side of the node
 * @fd: packet socket
 * @node: the node's MAC address there
 * @queued: frames that wait
 * @frames: these
 * @iov: and their lengths
 */
struct wire {
	int fd;
	uint8_t node[ETH_ALEN];
	unsigned int queued;
	struct frame frames[BATCH];
	struct iovec iov[BATCH];
};

struct state {
	struct wire front;
	struct wire back;
	struct flow flows[FLOWS];
	unsigned long sent;
	unsigned long refused;
	unsigned long to_servers;
	unsigned long to_clients;
	unsigned long checked;
	unsigned long bad;
};

uint64_t random_state;

static void die(const char *what)
{
	fprintf(stderr, "packets: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The node's end has the MAC address 02:00:00:00:00:@last. */
static void wire_open(struct wire *wire, const char *name, uint8_t last)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int one = 1, size = 1 << 26;

	wire->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  htons(ETH_P_ALL));
	if (wire->fd < 0 || !addr.sll_ifindex ||
	    setsockopt(wire->fd, SOL_PACKET, PACKET_VNET_HDR, &one,
		       sizeof(one)) ||
	    setsockopt(wire->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		       sizeof(one)) ||
	    setsockopt(wire->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) ||
	    bind(wire->fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(name);
	wire->node[0] = 2;
	wire->node[5] = last;
}

/* --- into the node ------------------------------------------------------- */

/* Checksums left to a device that does not exist, segments yet to be cut. */
static struct virtio_net_hdr offload(const struct packet *p)
{
	static const uint8_t types[] = {
		VIRTIO_NET_HDR_GSO_NONE,
		VIRTIO_NET_HDR_GSO_TCPV4,
		VIRTIO_NET_HDR_GSO_TCPV6,
		VIRTIO_NET_HDR_GSO_UDP,
		VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN,
	};

	struct virtio_net_hdr vnet = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = sizeof(struct ethhdr) + p->thoff,
		.csum_offset = p->protocol == IPPROTO_TCP ? 16 : 6,
	};

	if (p->odd && random_chance(500))
		vnet.csum_start = random_below(100);
	if (p->odd && random_chance(500))
		vnet.csum_offset = random_below(40);
	if (!p->odd || random_chance(300))
		return vnet;
	vnet.gso_type = types[random_below(sizeof(types))];
	vnet.gso_size = random_below(1500);
	vnet.hdr_len = sizeof(struct ethhdr) + p->thoff + 20;
	return vnet;
}

/* One that is refused, as too long for the device, is passed over. */
static void wire_flush(struct state *s, struct wire *wire)
{
	struct mmsghdr messages[BATCH];
	unsigned int i, done = 0;

	memset(messages, 0, sizeof(messages));
	for (i = 0; i < wire->queued; i++) {
		messages[i].msg_hdr.msg_iov = &wire->iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < wire->queued) {
		int sent = sendmmsg(wire->fd, messages + done,
				    wire->queued - done, 0);

		if (sent > 0) {
			s->sent += sent;
			done += sent;
		} else {
			s->refused++;
			done++;
		}
	}
	wire->queued = 0;
}

static void frame_send(struct state *s, struct wire *wire,
		       const struct packet *p)
{
	static const uint8_t source[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };
	struct frame *frame;

	if (wire->queued == BATCH)
		wire_flush(s, wire);
	frame = &wire->frames[wire->queued];
	memset(frame, 0, FRAME_HEAD);
	memcpy(frame->eth.h_dest, wire->node, ETH_ALEN);
	memcpy(frame->eth.h_source, source, ETH_ALEN);
	frame->eth.h_proto = htons(p->ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	if (p->spoilt && random_chance(50))
		frame->eth.h_proto = random_u32();
	if (p->spoilt && random_chance(30))
		frame->eth.h_dest[0] ^= 1 + random_below(4);
	if (p->partial)
		frame->vnet = offload(p);
	memcpy(frame->packet, p->bytes, p->len);
	wire->iov[wire->queued].iov_base = frame;
	wire->iov[wire->queued++].iov_len = FRAME_HEAD + p->len;
}

/* As it is, spoilt, or in pieces. */
static void packet_send(struct state *s, struct wire *wire, struct packet *p)
{
	struct packet pieces[FRAGMENTS_MAX];
	unsigned int i, n;

	if (random_chance(40)) {
		n = packet_fragment(p, pieces);
		for (i = 0; i < n; i++)
			if (!random_chance(50))
				frame_send(s, wire, &pieces[i]);
		return;
	}
	if (random_chance(350))
		packet_spoil(p);
	else if (random_chance(60))
		packet_partial(p);
	frame_send(s, wire, p);
}

/* The next packet of a client, and sometimes one out of turn. */
static uint8_t client_flags(struct flow *flow)
{
	static const uint8_t script[] = {
		TCP_SYN,	   TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK,
		TCP_ACK | TCP_PSH, TCP_ACK, TCP_FIN | TCP_ACK, TCP_ACK,
	};

	if (random_chance(50))
		return random_u32();
	if (random_chance(10))
		return TCP_RST;
	if (flow->step >= sizeof(script))
		flow->step = 0;
	return script[flow->step++];
}

static void client_packet(struct state *s)
{
	struct flow *flow = &s->flows[random_below(FLOWS)];
	struct packet p;

	/* keep to a few for a while, so that they get somewhere */
	if (random_chance(900))
		flow = &s->flows[(s->sent >> 12 << 6 | random_below(64)) %
				 FLOWS];
	if (random_chance(5))
		flow_choose(flow);
	packet_build(&p, flow, client_flags(flow));
	packet_send(s, &s->front, &p);
}

/* --- out of the node ----------------------------------------------------- */

static void bad_packet(struct state *s, const struct packet *p,
		       const char *what)
{
	unsigned int i;

	if (s->bad++ >= 10)
		return;
	printf("# %s (packet %lu):", what, s->sent);
	for (i = 0; i < p->len && i < 128; i++)
		printf(" %02x", p->bytes[i]);
	printf("\n");
}

static void packet_check(struct state *s, const struct packet *p, bool partial)
{
	const char *wrong = packet_wrong(p);

	if (wrong) {
		bad_packet(s, p, wrong);
		return;
	}
	if (partial || !packet_is_clean(p))
		return;
	s->checked++;
	if (!packet_checksum_right(p))
		bad_packet(s, p, "checksum is wrong");
}

static uint8_t server_flags(uint8_t flags)
{
	if (random_chance(30))
		return random_u32();
	if (flags & TCP_SYN)
		return TCP_SYN | TCP_ACK;
	if (flags & TCP_FIN)
		return TCP_FIN | TCP_ACK;
	return TCP_ACK | (random_chance(300) ? TCP_PSH : 0);
}

/* Answers, and complaints, to what a server or client was sent. */
static void answer(struct state *s, struct wire *wire, const struct packet *in,
		   bool server)
{
	struct packet out;
	struct flow flow;

	if (random_chance(40) && packet_error(&out, in)) {
		if (random_chance(200))
			packet_spoil(&out);
		frame_send(s, wire, &out);
	}
	if (!packet_flow(in, &flow) || !random_chance(server ? 700 : 300))
		return;
	packet_build_reply(&out, in, &flow,
			   server ? server_flags(in->tcp_flags) : TCP_ACK);
	packet_send(s, wire, &out);
}

static void frame_read(struct state *s, struct wire *wire, bool server,
		       const struct frame *frame, unsigned int len)
{
	struct packet p;

	if (len < FRAME_HEAD ||
	    !packet_read(&p, frame->packet, len - FRAME_HEAD,
			 ntohs(frame->eth.h_proto)))
		return;
	*(server ? &s->to_servers : &s->to_clients) += 1;
	packet_check(s, &p, frame->vnet.flags || frame->vnet.gso_type);
	answer(s, wire, &p, server);
}

static void drain(struct state *s, struct wire *wire, bool server)
{
	static struct frame frames[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	int i, n;

	wire_flush(s, wire);
	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = &frames[i];
		iov[i].iov_len = sizeof(frames[i]);
		memset(&messages[i], 0, sizeof(messages[i]));
		messages[i].msg_hdr.msg_iov = &iov[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while ((n = recvmmsg(wire->fd, messages, BATCH, 0, NULL)) > 0)
		for (i = 0; i < n; i++)
			frame_read(s, wire, server, &frames[i],
				   messages[i].msg_len);
	if (n == 0 || errno != EAGAIN)
		die("receive");
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0)
				 : (uint64_t)time(NULL);
	time_t begin = time(NULL);
	static struct state s;
	unsigned int i;

	random_seed(seed);
	printf("# packets: %lu, seed %llu\n", count, (unsigned long long)seed);
	fflush(stdout);
	wire_open(&s.front, "front", 1);
	wire_open(&s.back, "back", 2);
	for (i = 0; i < FLOWS; i++)
		flow_choose(&s.flows[i]);
	while (s.sent < count) {
		for (i = 0; i < BATCH; i++)
			client_packet(&s);
		wire_flush(&s, &s.front);
		drain(&s, &s.back, true);
		drain(&s, &s.front, false);
	}
	printf("# packets: %lu in (%lu more refused by the socket), %lu to servers, %lu to clients, %lu checksums verified, %lu bad, %ld s\n",
	       s.sent, s.refused, s.to_servers, s.to_clients, s.checked, s.bad,
	       (long)(time(NULL) - begin));
	/* all three, or the fuzzer has lost its way */
	return s.bad || !s.to_servers || !s.to_clients || !s.checked;
}
