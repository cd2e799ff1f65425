// SPDX-License-Identifier: GPL-2.0
/*
 * Most datagrams are what a node would say, in random words: sessions of the
 * listeners of test_fuzz.sh and all other records. Half of the contents are
 * spoilt, and then encrypted; headers say what they should not; and some are
 * changed after that.
 */
#include <stdlib.h>

#include "random.h"
#include "sync_build.h"
#include "sync_seal.h"

#define SENDERS 4
#define FIRST_SENDER 101 /* node id */
#define KEEPER 100
#define CONTENT_MAX 1400
#define AGAIN 64 /* datagrams that may be sent once more */
#define RECENT 64 /* sessions whose flows come again */
#define CLIENT_PORTS 2048

/* Clients of sessions that nothing may change: 10.8.0.0/16. */
#define KEPT htonl(0x0a080000)
#define KEPT_MASK htonl(0xffff0000)

/* Listeners of test_fuzz.sh: an address by its last byte, a port, a mode. */
static const struct {
	u8 family;
	u8 vip;
	u16 port;
	u8 mode;
} listeners[] = {
	{ NFPROTO_IPV4, 1, 80, CLB_MODE_NAT },
	{ NFPROTO_IPV4, 1, 81, CLB_MODE_FNAT },
	{ NFPROTO_IPV4, 1, 82, CLB_MODE_DR },
	{ NFPROTO_IPV4, 1, 83, CLB_MODE_TUN },
	{ NFPROTO_IPV4, 2, 80, CLB_MODE_NAT },
	{ NFPROTO_IPV4, 2, 84, CLB_MODE_NAT },
	{ NFPROTO_IPV4, 2, 85, CLB_MODE_FNAT },
	{ NFPROTO_IPV4, 3, 0, CLB_MODE_NAT },
	{ NFPROTO_IPV6, 1, 80, CLB_MODE_NAT },
	{ NFPROTO_IPV6, 1, 81, CLB_MODE_FNAT },
	{ NFPROTO_IPV6, 1, 82, CLB_MODE_DR },
	{ NFPROTO_IPV6, 1, 83, CLB_MODE_TUN },
	{ NFPROTO_IPV6, 2, 84, CLB_MODE_FNAT },
	{ NFPROTO_IPV6, 3, 0, CLB_MODE_NAT },
};

static u8 secret[SECRET_LEN];
static u64 first_epoch;
static struct datagram again[AGAIN];
static struct clb_sync_session recent[RECENT];

void build_init(const u8 *bytes, u64 epoch)
{
	memcpy(secret, bytes, sizeof(secret));
	first_epoch = epoch;
}

static u64 random_u64(void)
{
	return (u64)random_u32() << 32 | random_u32();
}

/* 10.NET.0.HOST or 2001:db8:NET::HOST */
static union nf_inet_addr address(u8 family, u8 net, u8 host)
{
	union nf_inet_addr addr = { .all = { 0 } };

	if (family == NFPROTO_IPV4) {
		addr.ip = htonl(0x0a000000 | net << 16 | host);
		return addr;
	}
	addr.all[0] = htonl(0x20010db8);
	addr.all[1] = htonl((u32)net << 16);
	addr.all[3] = htonl(host);
	return addr;
}

/* --- records ------------------------------------------------------------- */

static void choose_listener(struct clb_endpoint *listener, u8 *mode)
{
	unsigned int i = random_below(sizeof(listeners) / sizeof(*listeners));

	*mode = listeners[i].mode;
	*listener = (struct clb_endpoint){
		.addr = address(listeners[i].family, 2, listeners[i].vip),
		.port = htons(listeners[i].port),
		.family = listeners[i].family,
		.protocol = random_chance(600) ? IPPROTO_TCP : IPPROTO_UDP,
	};
	if (random_chance(20))
		listener->port = htons(random_u32());
}

static void choose_state(struct clb_sync_session *session)
{
	if (random_chance(50)) {
		session->state = CLB_SESSION_STATE_PERSISTENCE;
		session->client_port = 0;
	} else if (session->listener.protocol == IPPROTO_TCP) {
		session->state = random_below(CLB_SESSION_STATE_CLOSED + 1);
	} else {
		session->state = random_chance(500) ? CLB_SESSION_STATE_UDP
						    : CLB_SESSION_STATE_UDP_NEW;
	}
}

/* The place of one told before; empty at first. */
static struct clb_sync_session *recent_session(void)
{
	return &recent[random_below(RECENT)];
}

static bool is_told(const struct clb_sync_session *session)
{
	return session->listener.family;
}

static u32 born_now(void)
{
	return first_epoch >> 24 & 0xffffffff;
}

static void choose_flow(struct clb_sync_session *session)
{
	const struct clb_sync_session *known = recent_session();
	u8 mode;

	if (is_told(known) && random_chance(100)) {
		*session = *known;
		return;
	}
	choose_listener(&session->listener, &mode);
	session->mode = random_chance(50) ? random_below(CLB_MODE_MAX + 1)
					  : mode;
	session->client = address(session->listener.family, 1,
				  1 + random_below(200));
	session->client_port = htons(1024 + random_below(CLIENT_PORTS));
	session->port = session->listener.port ? session->listener.port
					       : htons(80);
	session->server.family = session->listener.family;
	if (mode == CLB_MODE_TUN && random_chance(300))
		session->server.family = random_chance(500) ? NFPROTO_IPV4
							    : NFPROTO_IPV6;
	session->server.protocol = session->listener.protocol;
}

static void build_session(struct clb_sync_record *record)
{
	struct clb_sync_session *s = &record->session;

	memset(s, 0, sizeof(*s));
	choose_flow(s);
	s->server.addr = address(s->server.family, 3, 1 + random_below(4));
	choose_state(s);
	s->born = random_chance(200) ? random_u32() : born_now();
	if (s->mode == CLB_MODE_FNAT) {
		s->local = address(s->server.family, 3, 254);
		s->local_port = htons(1024 + random_below(CLIENT_PORTS));
	}
	s->flags = random_u32() & CLB_SYNC_F_TOLD;
	s->time = 0;
	if (s->flags & CLB_SYNC_F_TIME)
		s->time = random_chance(100) ? random_u32()
					     : random_below(10000);
	if (s->state != CLB_SESSION_STATE_PERSISTENCE)
		*recent_session() = *s;
}

/* Of a session that was told, or of any flow. */
static void build_gone(struct clb_sync_record *record)
{
	const struct clb_sync_session *known = recent_session();
	struct clb_sync_gone *gone = &record->gone;
	u8 mode;

	memset(gone, 0, sizeof(*gone));
	if (is_told(known) && random_chance(500)) {
		gone->listener = known->listener;
		gone->client = known->client;
		gone->client_port = known->client_port;
		gone->port = known->port;
	} else {
		choose_listener(&gone->listener, &mode);
		gone->client = address(gone->listener.family, 1,
				       1 + random_below(200));
		gone->client_port = htons(1024 + random_below(CLIENT_PORTS));
		gone->port = gone->listener.port ? gone->listener.port
						 : htons(80);
	}
	gone->born = random_chance(500) ? random_u32() : born_now();
}

static u16 random_sender(void)
{
	return FIRST_SENDER + random_below(SENDERS);
}

static u16 random_node(const struct model *model)
{
	if (random_chance(100))
		return random_u32();
	return random_chance(600) ? model->node : random_sender();
}

static void build_peer(const struct model *model,
		       struct clb_sync_record *record)
{
	record->peer = (struct clb_sync_peer_seen){
		.node = random_node(model),
		.epoch = random_chance(900) ? model->epoch : random_u64(),
		.seq = random_chance(900) ? random_below(2) : random_u64(),
	};
}

/* Of the node's stream, which is short, or of a sender's. */
static void build_range(const struct model *model,
			struct clb_sync_record *record)
{
	struct clb_sync_range *range = &record->range;
	const struct model_peer *peer;

	range->node = random_node(model);
	peer = model_peer(model, range->node);
	range->first = random_chance(950) ? 1 + random_below(5000)
					  : random_u64();
	range->last = range->first + random_below(1200);
	if (peer && random_chance(500))
		range->last += peer->window.last;
	range->flags = random_u32();
}

static void build_bulk(const struct model *model,
		       struct clb_sync_record *record)
{
	record->bulk = (struct clb_sync_bulk){
		.position = random_chance(500) ? 0 : random_u32(),
		.next = random_u32(),
		.datagrams = random_u32(),
		.node = random_node(model),
		.flags = random_u32(),
	};
}

static void build_record(const struct model *model,
			 struct clb_sync_record *record)
{
	static const u8 rare[] = { CLB_SYNC_GAP, CLB_SYNC_REPAIR,
				   CLB_SYNC_BULK_GET, CLB_SYNC_BULK_MARK };
	unsigned int chance = random_below(1000);

	memset(record, 0, sizeof(*record));
	if (chance < 700) {
		record->type = CLB_SYNC_SESSION;
		build_session(record);
	} else if (chance < 800) {
		record->type = CLB_SYNC_GONE;
		build_gone(record);
	} else if (chance < 900) {
		record->type = CLB_SYNC_PEER;
		build_peer(model, record);
	} else if (chance < 960) {
		record->type = CLB_SYNC_HEARTBEAT;
		record->heartbeat.sessions = random_u32();
		record->heartbeat.flags = random_u32();
	} else {
		record->type = rare[random_below(sizeof(rare))];
		if (record->type == CLB_SYNC_GAP ||
		    record->type == CLB_SYNC_REPAIR)
			build_range(model, record);
		else
			build_bulk(model, record);
	}
}

static void content_build(const struct model *model, struct datagram *datagram)
{
	static struct clb_sync_writer writer;
	unsigned int n = random_below(random_chance(30) ? 100 : 8);
	struct clb_sync_record record;

	clb_sync_writer_init(&writer, datagram->content, CONTENT_MAX);
	while (n--) {
		build_record(model, &record);
		if (!clb_sync_put(&writer, &record))
			break;
	}
	datagram->content_len = writer.len;
}

/* --- spoiling ------------------------------------------------------------ */

static void bytes_change(u8 *bytes, unsigned int len)
{
	unsigned int n = 1 + random_below(4);

	while (n-- && len) {
		u8 *at = &bytes[random_below(len)];

		*at = random_chance(500) ? *at ^ 1U << random_below(8)
					 : random_u32();
	}
}

/* Where a record begins, so that a change hits its type or length. */
static unsigned int record_at(const u8 *bytes, unsigned int len)
{
	unsigned int at = 0, n = random_below(12);

	while (n-- && at + 2 < len && at + 2 + bytes[at + 1] < len)
		at += 2 + bytes[at + 1];
	return at;
}

static void record_change(u8 *bytes, unsigned int len)
{
	unsigned int at = record_at(bytes, len);

	if (at + 2 > len)
		return;
	if (random_chance(500))
		bytes[at] = random_below(14);
	else
		bytes[at + 1] += random_chance(500) ? 1 : -1;
}

static void records_move(u8 *bytes, unsigned int *len)
{
	unsigned int from = record_at(bytes, *len);
	unsigned int to = record_at(bytes, *len);
	unsigned int n = *len - from;

	/* from there on once more, elsewhere */
	if (to + n > CONTENT_MAX)
		return;
	memmove(bytes + to, bytes + from, n);
	*len = to + n > *len ? to + n : *len;
}

static void content_spoil(struct datagram *datagram)
{
	u8 *bytes = datagram->content;
	unsigned int i;

	switch (random_below(6)) {
	case 0:
		record_change(bytes, datagram->content_len);
		break;
	case 1:
		records_move(bytes, &datagram->content_len);
		break;
	case 2:
		datagram->content_len = random_below(datagram->content_len + 1);
		break;
	case 3:
		datagram->content_len = random_below(300);
		for (i = 0; i < datagram->content_len; i++)
			bytes[i] = random_u32();
		break;
	default:
		bytes_change(bytes, datagram->content_len);
	}
}

static bool is_kept(u8 family, const union nf_inet_addr *addr)
{
	return family == NFPROTO_IPV4 && (addr->ip & KEPT_MASK) == KEPT;
}

static bool is_out_of_bounds(const struct model *model,
			     const struct clb_sync_record *record)
{
	const struct clb_sync_session *session = &record->session;

	switch (record->type) {
	case CLB_SYNC_SESSION:
		return is_kept(session->listener.family, &session->client) ||
		       is_kept(session->server.family, &session->local);
	case CLB_SYNC_GONE:
		return is_kept(record->gone.listener.family,
			       &record->gone.client);
	case CLB_SYNC_PEER:
		/*
		 * the node would begin a new life, nobody knows when: it is told
		 * of a later one, or of more of this than it has said
		 */
		return record->peer.node == model->node &&
		       (record->peer.epoch == model->epoch
				? record->peer.seq > 1
				: record->peer.epoch > model->epoch &&
					  !(record->peer.epoch >> 63));
	}
	return false;
}

/* Something of it would make what comes next unforeseeable. */
static bool is_avoided(const struct model *model,
		       const struct datagram *datagram)
{
	static struct clb_sync_reader reader;
	struct clb_sync_record record;

	clb_sync_reader_init(&reader, datagram->content, datagram->content_len);
	while (clb_sync_next(&reader, &record) == CLB_SYNC_DONE)
		if (is_out_of_bounds(model, &record))
			return true;
	return false;
}

static void content_make(const struct model *model, struct datagram *datagram)
{
	do {
		content_build(model, datagram);
		if (random_chance(500))
			content_spoil(datagram);
	} while (is_avoided(model, datagram));
}

/* --- datagrams ----------------------------------------------------------- */

/* The next one of a sender, which may be unknown yet. */
static struct clb_sync_header header_next(const struct model *model, u16 node)
{
	const struct model_peer *peer = model_peer(model, node);

	return (struct clb_sync_header){
		.epoch = peer ? peer->epoch : first_epoch,
		.seq = peer ? peer->window.last + 1 : 1,
		.cluster = model->cluster,
		.node = node,
		.key_id = model->key_id,
	};
}

static void header_spoil(const struct model *model,
			 struct clb_sync_header *header)
{
	switch (random_below(10)) {
	case 0:
		header->epoch++;
		header->seq = 1 + random_below(1000);
		break;
	case 1:
		header->epoch -= 1 + random_below(3);
		break;
	case 2:
	case 3:
		header->seq += 1 + random_below(2000);
		break;
	case 4:
	case 5:
		header->seq -= random_below(header->seq < 1100 ? header->seq
							       : 1100);
		break;
	case 6:
		header->cluster ^= 1 << random_below(32);
		break;
	case 7:
		header->to = 1 + random_below(3);
		break;
	case 8:
		header->key_id ^= 1 << random_below(8);
		break;
	case 9:
		header->node = random_chance(500) ? model->node : 0;
		break;
	}
}

static void datagram_seal(struct datagram *datagram,
			  const struct clb_sync_header *header)
{
	u8 other[SECRET_LEN] = { 0 };

	datagram->authentic = !random_chance(20);
	datagram->len = seal(datagram->bytes, header,
			     datagram->authentic ? secret : other,
			     datagram->content, datagram->content_len);
}

/* What is no more authentic, but for what is longer than a node takes. */
static void datagram_spoil(struct datagram *datagram)
{
	unsigned int len = datagram->len;

	datagram->authentic = false;
	switch (random_below(8)) {
	case 0:
		datagram->len = random_below(len);
		return;
	case 1:
		datagram->len += 1 + random_below(40);
		memset(datagram->bytes + len, 0, datagram->len - len);
		return;
	case 2:
		if (!random_chance(50))
			break;
		datagram->len = 9001 + random_below(9000);
		memset(datagram->bytes + len, 0, datagram->len - len);
		return;
	case 3:
	case 4:
		datagram->bytes[random_below(CLB_SYNC_HEADER_LEN)] ^=
			1 << random_below(8);
		return;
	}
	datagram->bytes[random_below(len)] ^= 1 << random_below(8);
}

/* A random one. */
void build_random(const struct model *model, struct datagram *datagram)
{
	struct datagram *kept = &again[random_below(AGAIN)];
	struct clb_sync_header header;

	if (kept->len && random_chance(50)) {
		memcpy(datagram, kept, sizeof(*datagram));
		return;
	}
	header = header_next(model, random_sender());
	if (random_chance(100))
		header_spoil(model, &header);
	content_make(model, datagram);
	datagram_seal(datagram, &header);
	if (random_chance(100))
		datagram_spoil(datagram);
	if (random_chance(100))
		memcpy(kept, datagram, sizeof(*kept));
}

static void kept_session(struct clb_sync_record *record, unsigned int number)
{
	struct clb_sync_session *s = &record->session;

	*record = (struct clb_sync_record){ .type = CLB_SYNC_SESSION };
	memset(s, 0, sizeof(*s));
	s->listener = (struct clb_endpoint){
		.addr = address(NFPROTO_IPV4, 2, 9),
		.port = htons(80),
		.family = NFPROTO_IPV4,
		.protocol = IPPROTO_TCP,
	};
	s->server = s->listener;
	s->server.addr = address(NFPROTO_IPV4, 3, 1 + number % 3);
	s->server.port = 0;
	s->client.ip = KEPT | htonl(number);
	s->client_port = htons(1024 + number);
	s->port = s->listener.port;
	s->born = first_epoch >> 24 & 0xffffffff;
	s->state = CLB_SESSION_STATE_ESTABLISHED;
}

/* Sessions that nothing of the others may change, @count of them. */
void build_kept(const struct model *model, struct datagram *datagram,
		unsigned int first, unsigned int count)
{
	static struct clb_sync_writer writer;
	struct clb_sync_header header = header_next(model, KEEPER);
	struct clb_sync_record record = {
		.type = CLB_SYNC_PEER,
		.peer = { .node = model->node, .epoch = model->epoch },
	};

	clb_sync_writer_init(&writer, datagram->content, CONTENT_MAX);
	clb_sync_put(&writer, &record);
	while (count--) {
		kept_session(&record, first++);
		if (!clb_sync_put(&writer, &record))
			abort();
	}
	datagram->content_len = writer.len;
	datagram->authentic = true;
	datagram->len = seal(datagram->bytes, &header, secret,
			     datagram->content, datagram->content_len);
}
