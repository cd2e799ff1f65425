/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_PACKET_H
#define _CLB_PACKET_H

#include "tuple.h"

/**
 * enum clb_packet_kind - what a packet is to the balancer
 * @CLB_PACKET_OTHER: nothing the balancer handles
 * @CLB_PACKET_FLOW: TCP or UDP, whole header at hand
 * @CLB_PACKET_FRAGMENT: fragment; the tuple holds addresses and protocol only
 * @CLB_PACKET_ICMP_ERROR: ICMP error; @thoff is that of the ICMP header
 * @CLB_PACKET_ECHO: ICMP echo request
 * @CLB_PACKET_SYN: CLB_PACKET_FLOW that is to tell a server its client; set by
 *	who has found the session, not by the decoder
 */
enum clb_packet_kind {
	CLB_PACKET_OTHER,
	CLB_PACKET_FLOW,
	CLB_PACKET_FRAGMENT,
	CLB_PACKET_ICMP_ERROR,
	CLB_PACKET_ECHO,
	CLB_PACKET_SYN,
};

/**
 * enum clb_parse - outcome of a decoder
 * @CLB_PARSE_DONE: the output is valid
 * @CLB_PARSE_MORE: more bytes are needed in one piece, @need says how many
 * @CLB_PARSE_MALFORMED: cut short, or lengths that contradict each other
 */
enum clb_parse {
	CLB_PARSE_DONE,
	CLB_PARSE_MORE,
	CLB_PARSE_MALFORMED,
};

/**
 * struct clb_packet - a decoded packet
 * @tuple: identity of the flow
 * @hash: of @tuple; set by who looks the session up, not by the decoder
 * @thoff: offset of the transport header
 * @need: bytes wanted when the outcome is CLB_PARSE_MORE
 * @seq: TCP sequence number, host order
 * @ack: TCP acknowledgment number, host order
 * @tcp_len: sequence space the TCP segment takes (payload, SYN, FIN)
 * @kind: enum clb_packet_kind
 * @tcp_flags: byte 13 of the TCP header
 * @source_route: an IPv4 source route option is there
 */
struct clb_packet {
	struct clb_tuple	tuple;
	u32			hash;
	unsigned int		thoff;
	unsigned int		need;
	u32			seq;
	u32			ack;
	u32			tcp_len;
	u8			kind;
	u8			tcp_flags;
	bool			source_route;
};

#define CLB_TCP_FIN	0x01
#define CLB_TCP_SYN	0x02
#define CLB_TCP_RST	0x04
#define CLB_TCP_ACK	0x10

enum clb_parse clb_packet_parse(const u8 *data, unsigned int avail,
				unsigned int len, u8 family,
				struct clb_packet *pkt);
enum clb_parse clb_packet_parse_embedded(const u8 *data, unsigned int avail,
					 unsigned int len, u8 family,
					 struct clb_packet *pkt);

#endif /* _CLB_PACKET_H */
