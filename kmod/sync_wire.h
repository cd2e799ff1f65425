/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_SYNC_WIRE_H
#define _CLB_SYNC_WIRE_H

#include <linux/clb.h>

#include "endpoint.h"

/*
 * Documentation/sync-protocol.rst draws what is here. Builds in user space,
 * too, where it is fuzzed.
 */
#define CLB_SYNC_MAGIC		0xc1b5
#define CLB_SYNC_VERSION	1
#define CLB_SYNC_HEADER_LEN	28
#define CLB_SYNC_TAG_LEN	16
#define CLB_SYNC_NAMES		256	/* listeners, and servers, a datagram */
#define CLB_SYNC_CONTEXT_LEN	28

/**
 * enum clb_sync_type - of a record
 * @CLB_SYNC_LISTENER: gives a listener a number
 * @CLB_SYNC_SERVER: gives a server a number
 * @CLB_SYNC_SESSION: a session is so
 * @CLB_SYNC_GONE: a session has ended
 * @CLB_SYNC_HEARTBEAT: the sender is alive
 * @CLB_SYNC_PEER: whom it hears
 * @CLB_SYNC_GAP: datagrams are missing
 * @CLB_SYNC_REPAIR: what they said was said again
 * @CLB_SYNC_BULK_GET: a part of the table is wanted
 * @CLB_SYNC_BULK_MARK: a part of the table was sent
 */
enum clb_sync_type {
	CLB_SYNC_LISTENER = 1,
	CLB_SYNC_SERVER,
	CLB_SYNC_SESSION,
	CLB_SYNC_GONE,
	CLB_SYNC_HEARTBEAT,
	CLB_SYNC_PEER,
	CLB_SYNC_GAP,
	CLB_SYNC_REPAIR,
	CLB_SYNC_BULK_GET,
	CLB_SYNC_BULK_MARK,
};

/**
 * enum clb_sync_read - outcome of reading
 * @CLB_SYNC_DONE: the output is valid
 * @CLB_SYNC_END: there is no further record
 * @CLB_SYNC_TRUNCATED: shorter than a header and a tag
 * @CLB_SYNC_FOREIGN: nothing of ours
 * @CLB_SYNC_OTHER_VERSION: of another version of the protocol
 * @CLB_SYNC_MALFORMED: lengths or values that cannot be
 */
enum clb_sync_read {
	CLB_SYNC_DONE,
	CLB_SYNC_END,
	CLB_SYNC_TRUNCATED,
	CLB_SYNC_FOREIGN,
	CLB_SYNC_OTHER_VERSION,
	CLB_SYNC_MALFORMED,
};

/**
 * struct clb_sync_header - header of a datagram
 * @epoch: life of the sender
 * @seq: number in the stream
 * @cluster: cluster id
 * @node: node id of the sender
 * @to: node id of the receiver, 0: all
 * @key_id: which secret
 */
struct clb_sync_header {
	u64	epoch;
	u64	seq;
	u32	cluster;
	u16	node;
	u16	to;
	u8	key_id;
};

/* Optional fields and flags of a session, as on the wire. */
#define CLB_SYNC_F_PORT		0x04
#define CLB_SYNC_F_LOCAL	0x08
#define CLB_SYNC_F_TIME		0x10
#define CLB_SYNC_F_NUMBERS	0x20
#define CLB_SYNC_F_CONFIRMED	0x40

/* Flags that say something of their own; the others follow from the rest. */
#define CLB_SYNC_F_TOLD \
	(CLB_SYNC_F_TIME | CLB_SYNC_F_NUMBERS | CLB_SYNC_F_CONFIRMED)

/* Lengths of what is fixed. */
#define CLB_SYNC_RECORD_LEN	2	/* type, length */
#define CLB_SYNC_SESSION_LEN	9	/* up to the client's address */
#define CLB_SYNC_GONE_LEN	7	/* the same */
#define CLB_SYNC_HEARTBEAT_LEN	5
#define CLB_SYNC_PEER_LEN	18
#define CLB_SYNC_GAP_LEN	18
#define CLB_SYNC_REPAIR_LEN	19
#define CLB_SYNC_BULK_GET_LEN	9
#define CLB_SYNC_BULK_MARK_LEN	11

/**
 * struct clb_sync_session - a session as it is told
 * @listener: its listener, by what it is
 * @server: its server
 * @client: address, of the listener's family
 * @local: FNAT: local address, of the server's family; else zero
 * @born: when it began
 * @time: with CLB_SYNC_F_TIME, milliseconds it has left; else 0
 * @numbers: with CLB_SYNC_F_NUMBERS, what client and server accept in a reset;
 *	else 0
 * @client_port: network order
 * @port: at the VIP, network order
 * @local_port: FNAT, network order; else 0
 * @state: enum clb_session_state
 * @mode: enum clb_mode
 * @flags: those of CLB_SYNC_F_TOLD
 * @server_number: which of the datagram's servers; output
 */
struct clb_sync_session {
	struct clb_endpoint	listener;
	struct clb_endpoint	server;
	union nf_inet_addr	client;
	union nf_inet_addr	local;
	u32			born;
	u32			time;
	u32			numbers[2];
	__be16			client_port;
	__be16			port;
	__be16			local_port;
	u8			state;
	u8			mode;
	u8			flags;
	u8			server_number;
};

/* The fields that must be there, and no others. */
static inline u8
clb_sync_session_fields(const struct clb_sync_session *session)
{
	u8 fields = 0;

	if (session->state == CLB_SESSION_STATE_PERSISTENCE)
		return 0;
	if (!session->listener.port)
		fields |= CLB_SYNC_F_PORT;
	if (session->mode == CLB_MODE_FNAT)
		fields |= CLB_SYNC_F_LOCAL;
	return fields;
}

/**
 * struct clb_sync_gone - a session that has ended
 * @listener: its listener
 * @client: address, of the listener's family
 * @born: it was born then, or earlier
 * @client_port: network order
 * @port: at the VIP, network order
 */
struct clb_sync_gone {
	struct clb_endpoint	listener;
	union nf_inet_addr	client;
	u32			born;
	__be16			client_port;
	__be16			port;
};

#define CLB_SYNC_HEARTBEAT_READY	0x01

struct clb_sync_heartbeat {
	u32	sessions;
	u8	flags;
};

/**
 * struct clb_sync_peer_seen - a node that the sender hears
 * @epoch: its life
 * @seq: its last datagram
 * @node: its id
 */
struct clb_sync_peer_seen {
	u64	epoch;
	u64	seq;
	u16	node;
};

#define CLB_SYNC_REPAIR_LOST	0x01

/**
 * struct clb_sync_range - datagrams of a node's stream to all
 * @first: the first one
 * @last: the last one
 * @node: whose
 * @flags: of a repair
 */
struct clb_sync_range {
	u64	first;
	u64	last;
	u16	node;
	u8	flags;
};

#define CLB_SYNC_BULK_OWN	0x01
#define CLB_SYNC_BULK_END	0x02

/**
 * struct clb_sync_bulk - a part of the table
 * @position: where it begins
 * @next: of a mark: where the next part begins
 * @datagrams: how many are wanted, or were sent
 * @node: of a request: who is asked
 * @flags: CLB_SYNC_BULK_OWN of both, CLB_SYNC_BULK_END of a mark
 */
struct clb_sync_bulk {
	u32	position;
	u32	next;
	u16	datagrams;
	u16	node;
	u8	flags;
};

/**
 * struct clb_sync_record - a record
 * @type: enum clb_sync_type; says which of the others is valid. Listeners and
 *	servers are in the names
 */
struct clb_sync_record {
	u8	type;
	union {
		struct clb_sync_session		session;
		struct clb_sync_gone		gone;
		struct clb_sync_heartbeat	heartbeat;
		struct clb_sync_peer_seen	peer;
		struct clb_sync_range		range;
		struct clb_sync_bulk		bulk;
	};
};

/**
 * struct clb_sync_names - listeners and servers named in a datagram
 * @nr_listeners: how many listeners
 * @nr_servers: how many servers
 * @listeners: by number
 * @servers: by number
 * @listener_of: number of a server's listener
 */
struct clb_sync_names {
	unsigned int		nr_listeners;
	unsigned int		nr_servers;
	struct clb_endpoint	listeners[CLB_SYNC_NAMES];
	struct clb_endpoint	servers[CLB_SYNC_NAMES];
	u8			listener_of[CLB_SYNC_NAMES];
};

/**
 * struct clb_sync_reader - reading place in the content of a datagram
 * @at: next record
 * @left: bytes from there on
 * @names: those seen so far
 */
struct clb_sync_reader {
	const u8		*at;
	unsigned int		left;
	struct clb_sync_names	names;
};

/**
 * struct clb_sync_writer - content of a datagram in the making
 * @data: where it is put
 * @len: how much there is
 * @size: room at @data
 * @names: those in it
 */
struct clb_sync_writer {
	u8			*data;
	unsigned int		len;
	unsigned int		size;
	struct clb_sync_names	names;
};

enum clb_sync_read clb_sync_header_read(const u8 *data, unsigned int len,
					struct clb_sync_header *header);
void clb_sync_header_write(u8 *data, const struct clb_sync_header *header);
void clb_sync_key_context(u8 *data, const struct clb_sync_header *header);

void clb_sync_reader_init(struct clb_sync_reader *reader, const u8 *data,
			  unsigned int len);
enum clb_sync_read clb_sync_next(struct clb_sync_reader *reader,
				 struct clb_sync_record *record);

void clb_sync_writer_init(struct clb_sync_writer *writer, u8 *data,
			  unsigned int size);
bool clb_sync_put(struct clb_sync_writer *writer,
		  const struct clb_sync_record *record);

#endif /* _CLB_SYNC_WIRE_H */
