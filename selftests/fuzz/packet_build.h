/* SPDX-License-Identifier: MIT */
/* Packets for packets.c: built, spoilt, cut up, and read. */
#ifndef CLB_FUZZ_PACKET_BUILD_H
#define CLB_FUZZ_PACKET_BUILD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define PACKET_MAX 9000
#define FRAGMENTS_MAX 8

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10

/**
 * struct flow - a client and what it talks to
 * @src: the client's address; of IPv4 the first four bytes
 * @dst: a VIP, or what else there is
 * @sport: its port
 * @dport: that of the VIP
 * @step: how far it has come
 * @seq: number of the next segment
 * @ipv6: family
 * @protocol: TCP, UDP or anything
 */
struct flow {
	uint8_t src[16];
	uint8_t dst[16];
	uint16_t sport;
	uint16_t dport;
	uint32_t step;
	uint32_t seq;
	bool ipv6;
	uint8_t protocol;
};

/**
 * struct packet - a packet, from the IP header on
 * @bytes: the packet
 * @len: of @bytes
 * @thoff: offset of the transport header
 * @protocol: of that
 * @tcp_flags: of TCP, as it was read
 * @ipv6: family
 * @spoilt: something is wrong with it
 * @partial: to be sent with its checksum left to the device
 * @odd: and with an offload header that does not fit
 */
struct packet {
	uint8_t bytes[PACKET_MAX];
	unsigned int len;
	unsigned int thoff;
	uint8_t protocol;
	uint8_t tcp_flags;
	bool ipv6;
	bool spoilt;
	bool partial;
	bool odd;
};

void flow_choose(struct flow *flow);
void packet_build(struct packet *p, struct flow *flow, uint8_t tcp_flags);
void packet_build_reply(struct packet *p, const struct packet *in,
			struct flow *flow, uint8_t tcp_flags);
bool packet_error(struct packet *p, const struct packet *about);
void packet_partial(struct packet *p);
void packet_spoil(struct packet *p);
unsigned int packet_fragment(const struct packet *p, struct packet *pieces);

bool packet_read(struct packet *p, const void *bytes, unsigned int len,
		 uint16_t ethertype);
bool packet_flow(const struct packet *p, struct flow *flow);
const char *packet_wrong(const struct packet *p);
bool packet_is_clean(const struct packet *p);
bool packet_checksum_right(const struct packet *p);

#endif /* CLB_FUZZ_PACKET_BUILD_H */
