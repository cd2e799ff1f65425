// SPDX-License-Identifier: GPL-2.0
/*
 * Encoder of session sync: Documentation/sync-protocol.rst, byte by byte, as
 * pure as the decoder (sync_read.c). Listeners and servers get their numbers
 * when the first record needs them.
 */
#include <linux/in.h>
#include <linux/string.h>

#include "sync_wire.h"

static u8 *put16(u8 *p, u16 value)
{
	p[0] = value >> 8;
	p[1] = value;
	return p + 2;
}

static u8 *put32(u8 *p, u32 value)
{
	return put16(put16(p, value >> 16), value);
}

static u8 *put64(u8 *p, u64 value)
{
	return put32(put32(p, value >> 32), value);
}

static u8 *put_port(u8 *p, __be16 port)
{
	memcpy(p, &port, sizeof(port));
	return p + sizeof(port);
}

static u8 *put_address(u8 *p, u8 family, const union nf_inet_addr *addr)
{
	memcpy(p, addr, clb_addr_len(family));
	return p + clb_addr_len(family);
}

/**
 * clb_sync_header_write() - write the header of a datagram
 * @data: room for CLB_SYNC_HEADER_LEN bytes
 * @header: what to say
 *
 * Context: any.
 */
void clb_sync_header_write(u8 *data, const struct clb_sync_header *header)
{
	data = put16(data, CLB_SYNC_MAGIC);
	*data++ = CLB_SYNC_VERSION;
	*data++ = header->key_id;
	data = put32(data, header->cluster);
	data = put64(data, header->epoch);
	data = put64(data, header->seq);
	data = put16(data, header->node);
	put16(data, header->to);
}

/**
 * clb_sync_key_context() - what tells the keys of one secret apart
 * @data: room for CLB_SYNC_CONTEXT_LEN bytes
 * @header: of a datagram of the stream
 *
 * Context: any.
 */
void clb_sync_key_context(u8 *data, const struct clb_sync_header *header)
{
	static const char label[12] = "clb sync 1";

	memcpy(data, label, sizeof(label));
	data = put32(data + sizeof(label), header->cluster);
	data = put64(data, header->epoch);
	data = put16(data, header->node);
	put16(data, header->to);
}

/**
 * clb_sync_writer_init() - begin the content of a datagram
 * @writer: the content
 * @data: where it is put
 * @size: room there
 *
 * Context: any.
 */
void clb_sync_writer_init(struct clb_sync_writer *writer, u8 *data,
			  unsigned int size)
{
	writer->data = data;
	writer->len = 0;
	writer->size = size;
	writer->names.nr_listeners = 0;
	writer->names.nr_servers = 0;
}

/* The body of a new record, or NULL where it has no room. */
static u8 *record_add(struct clb_sync_writer *writer, u8 type,
		      unsigned int len)
{
	u8 *p = writer->data + writer->len;

	if (writer->size - writer->len < CLB_SYNC_RECORD_LEN + len)
		return NULL;
	writer->len += CLB_SYNC_RECORD_LEN + len;
	*p++ = type;
	*p++ = len;
	return p;
}

static bool put_endpoint(struct clb_sync_writer *writer, u8 type, u8 first,
			 const struct clb_endpoint *endpoint)
{
	u8 *p = record_add(writer, type, 3 + clb_addr_len(endpoint->family));

	if (!p)
		return false;
	*p++ = first;
	put_address(put_port(p, endpoint->port), endpoint->family,
		    &endpoint->addr);
	return true;
}

/*
 * The number of a listener, which is named if it is not yet, or -1. The last
 * one is the likeliest.
 */
static int listener_number(struct clb_sync_writer *writer,
			   const struct clb_endpoint *listener)
{
	struct clb_sync_names *names = &writer->names;
	int i;

	for (i = names->nr_listeners - 1; i >= 0; i--)
		if (clb_endpoint_equal(&names->listeners[i], listener))
			return i;
	if (names->nr_listeners == CLB_SYNC_NAMES ||
	    !put_endpoint(writer, CLB_SYNC_LISTENER, listener->protocol,
			  listener))
		return -1;
	names->listeners[names->nr_listeners] = *listener;
	return names->nr_listeners++;
}

static int server_number(struct clb_sync_writer *writer,
			 const struct clb_endpoint *server,
			 const struct clb_endpoint *listener)
{
	struct clb_sync_names *names = &writer->names;
	int number = listener_number(writer, listener), i;

	if (number < 0)
		return -1;
	for (i = names->nr_servers - 1; i >= 0; i--)
		if (names->listener_of[i] == number &&
		    clb_endpoint_equal(&names->servers[i], server))
			return i;
	if (names->nr_servers == CLB_SYNC_NAMES ||
	    !put_endpoint(writer, CLB_SYNC_SERVER, number, server))
		return -1;
	names->servers[names->nr_servers] = *server;
	names->listener_of[names->nr_servers] = number;
	return names->nr_servers++;
}

static unsigned int session_len(const struct clb_sync_session *session,
				u8 flags)
{
	unsigned int len = CLB_SYNC_SESSION_LEN +
			   clb_addr_len(session->listener.family);

	if (flags & CLB_SYNC_F_PORT)
		len += 2;
	if (flags & CLB_SYNC_F_LOCAL)
		len += 2 + clb_addr_len(session->server.family);
	if (flags & CLB_SYNC_F_TIME)
		len += 4;
	if (flags & CLB_SYNC_F_NUMBERS)
		len += 8;
	return len;
}

static void put_options(u8 *p, u8 flags,
			const struct clb_sync_session *session)
{
	if (flags & CLB_SYNC_F_PORT)
		p = put_port(p, session->port);
	if (flags & CLB_SYNC_F_LOCAL)
		p = put_address(put_port(p, session->local_port),
				session->server.family, &session->local);
	if (flags & CLB_SYNC_F_TIME)
		p = put32(p, session->time);
	if (flags & CLB_SYNC_F_NUMBERS)
		put32(put32(p, session->numbers[0]), session->numbers[1]);
}

static bool put_session(struct clb_sync_writer *writer,
			const struct clb_sync_session *session)
{
	int server = server_number(writer, &session->server,
				   &session->listener);
	u8 flags = (session->flags & CLB_SYNC_F_TOLD) |
		   clb_sync_session_fields(session);
	u8 *p;

	if (server < 0)
		return false;
	p = record_add(writer, CLB_SYNC_SESSION, session_len(session, flags));
	if (!p)
		return false;
	*p++ = server;
	*p++ = session->state;
	p = put32(put_port(p, session->client_port), session->born);
	*p++ = flags | session->mode;
	p = put_address(p, session->listener.family, &session->client);
	put_options(p, flags, session);
	return true;
}

static bool put_gone(struct clb_sync_writer *writer,
		     const struct clb_sync_gone *gone)
{
	int listener = listener_number(writer, &gone->listener);
	bool all_ports = !gone->listener.port;
	u8 *p;

	if (listener < 0)
		return false;
	p = record_add(writer, CLB_SYNC_GONE,
		       CLB_SYNC_GONE_LEN + 2 * all_ports +
		       clb_addr_len(gone->listener.family));
	if (!p)
		return false;
	*p++ = listener;
	p = put32(put_port(p, gone->client_port), gone->born);
	p = put_address(p, gone->listener.family, &gone->client);
	if (all_ports)
		put_port(p, gone->port);
	return true;
}

static bool put_heartbeat(struct clb_sync_writer *writer,
			  const struct clb_sync_heartbeat *heartbeat)
{
	u8 *p = record_add(writer, CLB_SYNC_HEARTBEAT,
			   CLB_SYNC_HEARTBEAT_LEN);

	if (!p)
		return false;
	*p++ = heartbeat->flags;
	put32(p, heartbeat->sessions);
	return true;
}

static bool put_peer(struct clb_sync_writer *writer,
		     const struct clb_sync_peer_seen *peer)
{
	u8 *p = record_add(writer, CLB_SYNC_PEER, CLB_SYNC_PEER_LEN);

	if (!p)
		return false;
	put64(put64(put16(p, peer->node), peer->epoch), peer->seq);
	return true;
}

static bool put_range(struct clb_sync_writer *writer, u8 type,
		      const struct clb_sync_range *range)
{
	bool repair = type == CLB_SYNC_REPAIR;
	u8 *p = record_add(writer, type, repair ? CLB_SYNC_REPAIR_LEN :
						  CLB_SYNC_GAP_LEN);

	if (!p)
		return false;
	p = put64(put64(put16(p, range->node), range->first), range->last);
	if (repair)
		*p = range->flags;
	return true;
}

static bool put_bulk(struct clb_sync_writer *writer, u8 type,
		     const struct clb_sync_bulk *bulk)
{
	bool get = type == CLB_SYNC_BULK_GET;
	u8 *p = record_add(writer, type, get ? CLB_SYNC_BULK_GET_LEN :
					       CLB_SYNC_BULK_MARK_LEN);

	if (!p)
		return false;
	if (get)
		p = put16(p, bulk->node);
	p = put32(p, bulk->position);
	if (!get)
		p = put32(p, bulk->next);
	p = put16(p, bulk->datagrams);
	*p = bulk->flags;
	return true;
}

static bool put_record(struct clb_sync_writer *writer,
		       const struct clb_sync_record *record)
{
	switch (record->type) {
	case CLB_SYNC_SESSION:
		return put_session(writer, &record->session);
	case CLB_SYNC_GONE:
		return put_gone(writer, &record->gone);
	case CLB_SYNC_HEARTBEAT:
		return put_heartbeat(writer, &record->heartbeat);
	case CLB_SYNC_PEER:
		return put_peer(writer, &record->peer);
	case CLB_SYNC_GAP:
	case CLB_SYNC_REPAIR:
		return put_range(writer, record->type, &record->range);
	case CLB_SYNC_BULK_GET:
	case CLB_SYNC_BULK_MARK:
		return put_bulk(writer, record->type, &record->bulk);
	}
	return false;
}

/**
 * clb_sync_put() - add a record, and the names it needs
 * @writer: the content
 * @record: what to say; listeners and servers are named by themselves
 *
 * Return: true if it was added, false if it has no room: then all is as it was.
 * Context: any.
 */
bool clb_sync_put(struct clb_sync_writer *writer,
		  const struct clb_sync_record *record)
{
	unsigned int nr_listeners = writer->names.nr_listeners;
	unsigned int nr_servers = writer->names.nr_servers;
	unsigned int len = writer->len;

	if (put_record(writer, record))
		return true;
	writer->len = len;
	writer->names.nr_listeners = nr_listeners;
	writer->names.nr_servers = nr_servers;
	return false;
}
