// SPDX-License-Identifier: GPL-2.0
/*
 * Decoder of session sync: Documentation/sync-protocol.rst, byte by byte. Pure:
 * bounds first, no allocation, no side effects. It takes nothing that the
 * encoder (sync_write.c) would not write, but for what later releases may add:
 * types it does not know, and bytes behind the fields it knows.
 */
#include <linux/in.h>
#include <linux/string.h>

#include "sync_wire.h"

#define STATE_MASK	0x1f
#define MODE_MASK	0x03

static u16 get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
	return (u32)get16(p) << 16 | get16(p + 2);
}

static u64 get64(const u8 *p)
{
	return (u64)get32(p) << 32 | get32(p + 4);
}

static __be16 get_port(const u8 *p)
{
	__be16 port;

	memcpy(&port, p, sizeof(port));
	return port;
}

/* What is left of a body. */
struct span {
	const u8	*at;
	unsigned int	len;
};

/* The next @len bytes, or NULL. */
static const u8 *take(struct span *body, unsigned int len)
{
	const u8 *at = body->at;

	if (body->len < len)
		return NULL;
	body->at += len;
	body->len -= len;
	return at;
}

static bool take_address(struct span *body, u8 family,
			 union nf_inet_addr *addr)
{
	const u8 *p = take(body, clb_addr_len(family));

	if (p)
		memcpy(addr, p, clb_addr_len(family));
	return p;
}

static bool take_port(struct span *body, __be16 *port)
{
	const u8 *p = take(body, sizeof(*port));

	if (p)
		*port = get_port(p);
	return p;
}

/**
 * clb_sync_header_read() - read the header of a datagram
 * @data: the datagram
 * @len: its length
 * @header: what it says
 *
 * Return: CLB_SYNC_DONE, or why it is not to be had: CLB_SYNC_TRUNCATED,
 *	CLB_SYNC_FOREIGN or CLB_SYNC_OTHER_VERSION. A datagram that is done has
 *	room for header and tag.
 * Context: any.
 */
enum clb_sync_read clb_sync_header_read(const u8 *data, unsigned int len,
					struct clb_sync_header *header)
{
	if (len < CLB_SYNC_HEADER_LEN + CLB_SYNC_TAG_LEN)
		return CLB_SYNC_TRUNCATED;
	if (get16(data) != CLB_SYNC_MAGIC)
		return CLB_SYNC_FOREIGN;
	if (data[2] != CLB_SYNC_VERSION)
		return CLB_SYNC_OTHER_VERSION;
	header->key_id = data[3];
	header->cluster = get32(data + 4);
	header->epoch = get64(data + 8);
	header->seq = get64(data + 16);
	header->node = get16(data + 24);
	header->to = get16(data + 26);
	return CLB_SYNC_DONE;
}

/**
 * clb_sync_reader_init() - begin to read the content of a datagram
 * @reader: the reading place
 * @data: the content, which must stay
 * @len: its length
 *
 * Context: any.
 */
void clb_sync_reader_init(struct clb_sync_reader *reader, const u8 *data,
			  unsigned int len)
{
	reader->at = data;
	reader->left = len;
	reader->names.nr_listeners = 0;
	reader->names.nr_servers = 0;
}

/* Port and address, which are the rest of the body: its length tells. */
static bool read_endpoint(struct span *body, struct clb_endpoint *endpoint)
{
	memset(endpoint, 0, sizeof(*endpoint));
	if (!take_port(body, &endpoint->port))
		return false;
	endpoint->family = body->len == sizeof(struct in_addr) ?
			   NFPROTO_IPV4 : NFPROTO_IPV6;
	return body->len == clb_addr_len(endpoint->family) &&
	       take_address(body, endpoint->family, &endpoint->addr);
}

static bool read_listener(struct clb_sync_names *names, struct span *body)
{
	struct clb_endpoint *listener = &names->listeners[names->nr_listeners];
	const u8 *protocol = take(body, 1);

	if (!protocol || names->nr_listeners == CLB_SYNC_NAMES ||
	    (*protocol != IPPROTO_TCP && *protocol != IPPROTO_UDP) ||
	    !read_endpoint(body, listener))
		return false;
	listener->protocol = *protocol;
	names->nr_listeners++;
	return true;
}

static bool read_server(struct clb_sync_names *names, struct span *body)
{
	struct clb_endpoint *server = &names->servers[names->nr_servers];
	const u8 *listener = take(body, 1);

	if (!listener || names->nr_servers == CLB_SYNC_NAMES ||
	    *listener >= names->nr_listeners || !read_endpoint(body, server))
		return false;
	server->protocol = names->listeners[*listener].protocol;
	names->listener_of[names->nr_servers++] = *listener;
	return true;
}

static bool state_fits(u8 state, u8 protocol)
{
	if (state == CLB_SESSION_STATE_PERSISTENCE)
		return true;
	if (protocol == IPPROTO_TCP)
		return state <= CLB_SESSION_STATE_CLOSED;
	return state == CLB_SESSION_STATE_UDP_NEW ||
	       state == CLB_SESSION_STATE_UDP;
}

static bool read_options(struct span *body, u8 flags,
			 struct clb_sync_session *session)
{
	const u8 *p;

	session->port = session->listener.port;
	if (flags & CLB_SYNC_F_PORT && !take_port(body, &session->port))
		return false;
	if (flags & CLB_SYNC_F_LOCAL &&
	    (!take_port(body, &session->local_port) ||
	     !take_address(body, session->server.family, &session->local)))
		return false;
	if (flags & CLB_SYNC_F_TIME) {
		p = take(body, 4);
		if (!p)
			return false;
		session->time = get32(p);
	}
	if (flags & CLB_SYNC_F_NUMBERS) {
		p = take(body, 8);
		if (!p)
			return false;
		session->numbers[0] = get32(p);
		session->numbers[1] = get32(p + 4);
	}
	return true;
}

static bool read_session(const struct clb_sync_names *names,
			 struct span *body, struct clb_sync_session *session)
{
	const u8 *p = take(body, CLB_SYNC_SESSION_LEN);
	u8 flags;

	if (!p || p[0] >= names->nr_servers)
		return false;
	memset(session, 0, sizeof(*session));
	session->server_number = p[0];
	session->server = names->servers[p[0]];
	session->listener = names->listeners[names->listener_of[p[0]]];
	session->state = p[1] & STATE_MASK;
	session->client_port = get_port(p + 2);
	session->born = get32(p + 4);
	flags = p[8];
	session->mode = flags & MODE_MASK;
	session->flags = flags & CLB_SYNC_F_TOLD;
	if (!state_fits(session->state, session->listener.protocol) ||
	    clb_sync_session_fields(session) !=
	    (flags & (CLB_SYNC_F_PORT | CLB_SYNC_F_LOCAL)) ||
	    (session->state == CLB_SESSION_STATE_PERSISTENCE &&
	     session->client_port))
		return false;
	return take_address(body, session->listener.family,
			    &session->client) &&
	       read_options(body, flags, session);
}

static bool read_gone(const struct clb_sync_names *names, struct span *body,
		      struct clb_sync_gone *gone)
{
	const u8 *p = take(body, CLB_SYNC_GONE_LEN);

	if (!p || p[0] >= names->nr_listeners)
		return false;
	memset(gone, 0, sizeof(*gone));
	gone->listener = names->listeners[p[0]];
	gone->client_port = get_port(p + 1);
	gone->born = get32(p + 3);
	gone->port = gone->listener.port;
	return take_address(body, gone->listener.family, &gone->client) &&
	       (gone->port || take_port(body, &gone->port));
}

static bool read_heartbeat(struct span *body,
			   struct clb_sync_heartbeat *heartbeat)
{
	const u8 *p = take(body, CLB_SYNC_HEARTBEAT_LEN);

	if (!p)
		return false;
	heartbeat->flags = p[0] & CLB_SYNC_HEARTBEAT_READY;
	heartbeat->sessions = get32(p + 1);
	return true;
}

static bool read_peer(struct span *body, struct clb_sync_peer_seen *peer)
{
	const u8 *p = take(body, CLB_SYNC_PEER_LEN);

	if (!p)
		return false;
	peer->node = get16(p);
	peer->epoch = get64(p + 2);
	peer->seq = get64(p + 10);
	return true;
}

static bool read_range(struct span *body, u8 type,
		       struct clb_sync_range *range)
{
	bool repair = type == CLB_SYNC_REPAIR;
	const u8 *p = take(body, repair ? CLB_SYNC_REPAIR_LEN :
					  CLB_SYNC_GAP_LEN);

	if (!p)
		return false;
	range->node = get16(p);
	range->first = get64(p + 2);
	range->last = get64(p + 10);
	range->flags = repair ? p[18] & CLB_SYNC_REPAIR_LOST : 0;
	return range->first && range->first <= range->last;
}

static bool read_bulk(struct span *body, u8 type, struct clb_sync_bulk *bulk)
{
	bool get = type == CLB_SYNC_BULK_GET;
	const u8 *p = take(body, get ? CLB_SYNC_BULK_GET_LEN :
				       CLB_SYNC_BULK_MARK_LEN);

	if (!p)
		return false;
	memset(bulk, 0, sizeof(*bulk));
	if (get) {
		bulk->node = get16(p);
		bulk->position = get32(p + 2);
		bulk->datagrams = get16(p + 6);
		bulk->flags = p[8] & CLB_SYNC_BULK_OWN;
		return true;
	}
	bulk->position = get32(p);
	bulk->next = get32(p + 4);
	bulk->datagrams = get16(p + 8);
	bulk->flags = p[10] & (CLB_SYNC_BULK_OWN | CLB_SYNC_BULK_END);
	return true;
}

/* Types that are not known are fine. */
static bool read_body(struct clb_sync_reader *reader, struct span *body,
		      struct clb_sync_record *record)
{
	struct clb_sync_names *names = &reader->names;

	switch (record->type) {
	case CLB_SYNC_LISTENER:
		return read_listener(names, body);
	case CLB_SYNC_SERVER:
		return read_server(names, body);
	case CLB_SYNC_SESSION:
		return read_session(names, body, &record->session);
	case CLB_SYNC_GONE:
		return read_gone(names, body, &record->gone);
	case CLB_SYNC_HEARTBEAT:
		return read_heartbeat(body, &record->heartbeat);
	case CLB_SYNC_PEER:
		return read_peer(body, &record->peer);
	case CLB_SYNC_GAP:
	case CLB_SYNC_REPAIR:
		return read_range(body, record->type, &record->range);
	case CLB_SYNC_BULK_GET:
	case CLB_SYNC_BULK_MARK:
		return read_bulk(body, record->type, &record->bulk);
	}
	return true;
}

/**
 * clb_sync_next() - read the next record
 * @reader: the reading place, moved on
 * @record: what it says; of a type that is not known, the type alone
 *
 * Return: CLB_SYNC_DONE, CLB_SYNC_END, or CLB_SYNC_MALFORMED, after which
 *	nothing of the datagram is to be believed.
 * Context: any.
 */
enum clb_sync_read clb_sync_next(struct clb_sync_reader *reader,
				 struct clb_sync_record *record)
{
	struct span body;

	if (!reader->left)
		return CLB_SYNC_END;
	if (reader->left < CLB_SYNC_RECORD_LEN)
		return CLB_SYNC_MALFORMED;
	record->type = reader->at[0];
	body.at = reader->at + CLB_SYNC_RECORD_LEN;
	body.len = reader->at[1];
	if (reader->left - CLB_SYNC_RECORD_LEN < body.len)
		return CLB_SYNC_MALFORMED;
	reader->at = body.at + body.len;
	reader->left -= CLB_SYNC_RECORD_LEN + body.len;
	return read_body(reader, &body, record) ? CLB_SYNC_DONE :
						  CLB_SYNC_MALFORMED;
}
