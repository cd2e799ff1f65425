// SPDX-License-Identifier: GPL-2.0
/*
 * Codec and replay window of session sync (kmod/sync_*.[ch]) against
 * Documentation/sync-protocol.rst: bytes written by hand, what the encoder
 * makes read back, and datagrams that mean harm.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sync_window.h"
#include "sync_wire.h"
#include "test.h"

#define CONTENT 1428 /* of 1500 bytes, behind IPv4, UDP, header and tag */

/* Bytes from hexadecimal digits; blanks are for the reader. */
static unsigned int unhex(const char *text, u8 *bytes)
{
	unsigned int n = 0, value;

	for (; *text; text += *text == ' ' ? 1 : 2)
		if (*text != ' ' && sscanf(text, "%2x", &value) == 1)
			bytes[n++] = value;
	return n;
}

static void assert_bytes(const u8 *got, unsigned int len, const char *want)
{
	u8 bytes[1024];

	assert_int_equal(len, unhex(want, bytes));
	assert_memory_equal(got, bytes, len);
}

static union nf_inet_addr address(u8 family, u8 last)
{
	union nf_inet_addr addr = { .all = { 0 } };

	if (family == NFPROTO_IPV4)
		addr.ip = htonl(0xc0000200 | last);
	else
		addr.in6.s6_addr[0] = 0x20, addr.in6.s6_addr[15] = last;
	return addr;
}

static struct clb_endpoint endpoint(u8 family, u8 last, u16 port, u8 protocol)
{
	return (struct clb_endpoint){
		.addr = address(family, last),
		.port = htons(port),
		.family = family,
		.protocol = protocol,
	};
}

/* A client's session with 192.0.2.1:80 and a server, NAT, established. */
static struct clb_sync_record session(u8 server)
{
	struct clb_sync_record record = { .type = CLB_SYNC_SESSION };
	struct clb_sync_session *s = &record.session;

	memset(s, 0, sizeof(*s));
	s->listener = endpoint(NFPROTO_IPV4, 1, 80, IPPROTO_TCP);
	s->server = endpoint(NFPROTO_IPV4, server, 8080, IPPROTO_TCP);
	s->client = address(NFPROTO_IPV4, 99);
	s->client_port = htons(40001);
	s->port = htons(80);
	s->born = 0x01020304;
	s->state = CLB_SESSION_STATE_ESTABLISHED;
	s->mode = CLB_MODE_NAT;
	return record;
}

static struct clb_sync_record session_of(u8 client, u8 server, u8 protocol,
					 u16 port)
{
	struct clb_sync_record record = session(0);
	struct clb_sync_session *s = &record.session;

	s->listener = endpoint(client, 1, port, protocol);
	s->server = endpoint(server, 2, 0, protocol);
	s->client = address(client, 99);
	s->port = htons(port ? port : 7777);
	if (protocol == IPPROTO_UDP)
		s->state = CLB_SESSION_STATE_UDP;
	return record;
}

static struct clb_sync_record read_one(const u8 *data, unsigned int len)
{
	static struct clb_sync_reader reader;
	struct clb_sync_record record, end;

	clb_sync_reader_init(&reader, data, len);
	do {
		assert_int_equal(clb_sync_next(&reader, &record),
				 CLB_SYNC_DONE);
	} while (record.type == CLB_SYNC_LISTENER ||
		 record.type == CLB_SYNC_SERVER);
	assert_int_equal(clb_sync_next(&reader, &end), CLB_SYNC_END);
	return record;
}

static void assert_same_session(const struct clb_sync_session *a,
				const struct clb_sync_session *b)
{
	assert_true(clb_endpoint_equal(&a->listener, &b->listener));
	assert_true(clb_endpoint_equal(&a->server, &b->server));
	assert_memory_equal(&a->client, &b->client, sizeof(a->client));
	assert_memory_equal(&a->local, &b->local, sizeof(a->local));
	assert_int_equal(a->born, b->born);
	assert_int_equal(a->time, b->time);
	assert_int_equal(a->numbers[0], b->numbers[0]);
	assert_int_equal(a->numbers[1], b->numbers[1]);
	assert_int_equal(a->client_port, b->client_port);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->local_port, b->local_port);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->flags, b->flags);
}

/* Written, and read from a place that ends where the content does. */
static void assert_comes_back(const struct clb_sync_record *record)
{
	static struct clb_sync_writer writer;
	struct clb_sync_record back;
	u8 data[CONTENT], *copy;

	clb_sync_writer_init(&writer, data, sizeof(data));
	assert_true(clb_sync_put(&writer, record));
	copy = malloc(writer.len);
	assert_non_null(copy);
	memcpy(copy, data, writer.len);
	back = read_one(copy, writer.len);
	free(copy);
	assert_int_equal(back.type, record->type);
	assert_same_session(&record->session, &back.session);
}

static const struct clb_sync_header header = {
	.key_id = 7,
	.cluster = 0x01020304,
	.epoch = 0x1112131415161718,
	.seq = 0x2122232425262728,
	.node = 0x3132,
	.to = 0x4142,
};

static const char header_bytes[] = "c1b5 01 07 01020304 1112131415161718 "
				   "2122232425262728 3132 4142";

static void header_is_as_drawn(void **state)
{
	u8 data[CLB_SYNC_HEADER_LEN + CLB_SYNC_TAG_LEN] = { 0 };
	struct clb_sync_header back;

	(void)state;
	clb_sync_header_write(data, &header);
	assert_bytes(data, CLB_SYNC_HEADER_LEN, header_bytes);
	assert_int_equal(clb_sync_header_read(data, sizeof(data), &back),
			 CLB_SYNC_DONE);
	assert_int_equal(back.key_id, header.key_id);
	assert_int_equal(back.cluster, header.cluster);
	assert_true(back.epoch == header.epoch);
	assert_true(back.seq == header.seq);
	assert_int_equal(back.node, header.node);
	assert_int_equal(back.to, header.to);
}

static void header_is_refused(void **state)
{
	static const struct {
		unsigned int at;
		u8 value;
		enum clb_sync_read outcome;
	} cases[] = {
		{ 0, 0xc0, CLB_SYNC_FOREIGN },
		{ 1, 0xb4, CLB_SYNC_FOREIGN },
		{ 2, 0, CLB_SYNC_OTHER_VERSION },
		{ 2, 2, CLB_SYNC_OTHER_VERSION },
	};
	struct clb_sync_header back;
	unsigned int len;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 data[CLB_SYNC_HEADER_LEN + CLB_SYNC_TAG_LEN] = { 0 };

		clb_sync_header_write(data, &header);
		data[cases[i].at] = cases[i].value;
		assert_int_equal(clb_sync_header_read(data, sizeof(data),
						      &back),
				 cases[i].outcome);
	}
	for (len = 0; len < CLB_SYNC_HEADER_LEN + CLB_SYNC_TAG_LEN; len++) {
		u8 *data = calloc(1, len + !len);

		assert_int_equal(clb_sync_header_read(data, len, &back),
				 CLB_SYNC_TRUNCATED);
		free(data);
	}
}

static void key_context_is_as_drawn(void **state)
{
	u8 data[CLB_SYNC_CONTEXT_LEN];

	(void)state;
	clb_sync_key_context(data, &header);
	assert_bytes(data, sizeof(data),
		     "636c622073796e632031 0000 01020304 1112131415161718 "
		     "3132 4142");
}

static void session_is_as_drawn(void **state)
{
	static struct clb_sync_writer writer;
	struct clb_sync_record record = session(11);
	u8 data[CONTENT];

	(void)state;
	clb_sync_writer_init(&writer, data, sizeof(data));
	assert_true(clb_sync_put(&writer, &record));
	/* the second time the names are there */
	record.session.flags = CLB_SYNC_F_TIME | CLB_SYNC_F_NUMBERS;
	record.session.time = 0x51525354;
	record.session.numbers[0] = 0x61626364;
	record.session.numbers[1] = 0x71727374;
	assert_true(clb_sync_put(&writer, &record));
	assert_bytes(data, writer.len,
		     "01 07 06 0050 c0000201 "
		     "02 07 00 1f90 c000020b "
		     "03 0d 00 03 9c41 01020304 00 c0000263 "
		     "03 19 00 03 9c41 01020304 30 c0000263 "
		     "51525354 61626364 71727374");
}

static void full_nat_and_all_ports_are_as_drawn(void **state)
{
	static struct clb_sync_writer writer;
	struct clb_sync_record record =
		session_of(NFPROTO_IPV4, NFPROTO_IPV4, IPPROTO_TCP, 0);
	u8 data[CONTENT];

	(void)state;
	record.session.mode = CLB_MODE_FNAT;
	record.session.local = address(NFPROTO_IPV4, 50);
	record.session.local_port = htons(1024);
	clb_sync_writer_init(&writer, data, sizeof(data));
	assert_true(clb_sync_put(&writer, &record));
	assert_bytes(data, writer.len,
		     "01 07 06 0000 c0000201 "
		     "02 07 00 0000 c0000202 "
		     "03 15 00 03 9c41 01020304 0d c0000263 "
		     "1e61 0400 c0000232");
}

static void sessions_come_back(void **state)
{
	static const u8 families[] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	static const u8 protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	unsigned int i, mode;

	(void)state;
	for (i = 0; i < 32; i++) {
		u8 client = families[i & 1], server = families[i >> 1 & 1];
		struct clb_sync_record record =
			session_of(client, server, protocols[i >> 2 & 1],
				   i & 8 ? 53 : 0);

		if (i & 16) {
			record.session.flags = CLB_SYNC_F_TOLD;
			record.session.time = i;
			record.session.numbers[0] = ~i;
			record.session.numbers[1] = i << 8;
		}
		for (mode = 0; mode <= CLB_MODE_MAX; mode++) {
			record.session.mode = mode;
			if (mode == CLB_MODE_FNAT) {
				record.session.local = address(server, 50);
				record.session.local_port = htons(2000);
			}
			assert_comes_back(&record);
			memset(&record.session.local, 0,
			       sizeof(record.session.local));
			record.session.local_port = 0;
		}
	}
}

static void persistence_comes_back(void **state)
{
	struct clb_sync_record record =
		session_of(NFPROTO_IPV6, NFPROTO_IPV6, IPPROTO_UDP, 53);

	(void)state;
	record.session.state = CLB_SESSION_STATE_PERSISTENCE;
	record.session.client_port = 0;
	record.session.mode = CLB_MODE_DR;
	record.session.flags = CLB_SYNC_F_TIME | CLB_SYNC_F_CONFIRMED;
	record.session.time = 86400000;
	assert_comes_back(&record);
}

static void gone_is_as_drawn(void **state)
{
	static struct clb_sync_writer writer;
	struct clb_sync_record record = { .type = CLB_SYNC_GONE }, back;
	struct clb_sync_gone *gone = &record.gone;
	u8 data[CONTENT];

	(void)state;
	memset(gone, 0, sizeof(*gone));
	gone->listener = endpoint(NFPROTO_IPV4, 1, 0, IPPROTO_UDP);
	gone->client = address(NFPROTO_IPV4, 99);
	gone->client_port = htons(40001);
	gone->port = htons(53);
	gone->born = 0x01020304;
	clb_sync_writer_init(&writer, data, sizeof(data));
	assert_true(clb_sync_put(&writer, &record));
	assert_bytes(data, writer.len,
		     "01 07 11 0000 c0000201 "
		     "04 0d 00 9c41 01020304 c0000263 0035");
	back = read_one(data, writer.len);
	assert_memory_equal(&back.gone, gone, sizeof(*gone));
}

static void control_is_as_drawn(void **state)
{
	static const struct {
		struct clb_sync_record record;
		const char *bytes;
	} cases[] = {
		{ { .type = CLB_SYNC_HEARTBEAT,
		    .heartbeat = { .sessions = 0x01020304, .flags = 1 } },
		  "05 05 01 01020304" },
		{ { .type = CLB_SYNC_PEER,
		    .peer = { .node = 2, .epoch = 3, .seq = 4 } },
		  "06 12 0002 0000000000000003 0000000000000004" },
		{ { .type = CLB_SYNC_GAP,
		    .range = { .node = 2, .first = 3, .last = 4 } },
		  "07 12 0002 0000000000000003 0000000000000004" },
		{ { .type = CLB_SYNC_REPAIR,
		    .range = { .node = 2, .first = 4, .last = 4, .flags = 1 } },
		  "08 13 0002 0000000000000004 0000000000000004 01" },
		{ { .type = CLB_SYNC_BULK_GET,
		    .bulk = { .node = 2, .position = 3, .datagrams = 4,
			      .flags = 1 } },
		  "09 09 0002 00000003 0004 01" },
		{ { .type = CLB_SYNC_BULK_MARK,
		    .bulk = { .position = 3, .next = 5, .datagrams = 4,
			      .flags = CLB_SYNC_BULK_END } },
		  "0a 0b 00000003 00000005 0004 02" },
		{ { .type = CLB_SYNC_BULK_MARK,
		    .bulk = { .position = 3, .next = 5, .datagrams = 4,
			      .flags = CLB_SYNC_BULK_OWN } },
		  "0a 0b 00000003 00000005 0004 01" },
	};
	static struct clb_sync_writer writer, again;
	u8 data[CONTENT], other[CONTENT];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct clb_sync_record back;

		clb_sync_writer_init(&writer, data, sizeof(data));
		assert_true(clb_sync_put(&writer, &cases[i].record));
		assert_bytes(data, writer.len, cases[i].bytes);
		back = read_one(data, writer.len);
		clb_sync_writer_init(&again, other, sizeof(other));
		assert_true(clb_sync_put(&again, &back));
		assert_bytes(other, again.len, cases[i].bytes);
	}
}

/* The figures of the document. */
static void a_datagram_holds_93_sessions(void **state)
{
	static struct clb_sync_writer writer;
	struct clb_sync_record record;
	unsigned int n = 0;
	u8 data[CONTENT];

	(void)state;
	clb_sync_writer_init(&writer, data, sizeof(data));
	do {
		record = session(11 + n % 2);
		record.session.client_port = htons(n);
	} while (clb_sync_put(&writer, &record) && ++n);
	assert_int_equal(n, 93);
	assert_in_range(1500 * 10 / n, 155, 165);
	assert_int_equal(writer.names.nr_listeners, 1);
	assert_int_equal(writer.names.nr_servers, 2);
}

static void what_has_no_room_leaves_no_trace(void **state)
{
	static struct clb_sync_writer writer;
	struct clb_sync_record record = session(11);
	unsigned int size;

	(void)state;
	for (size = 0; size <= 33; size++) {
		u8 *data = malloc(size + !size);

		clb_sync_writer_init(&writer, data, size);
		assert_int_equal(clb_sync_put(&writer, &record), size == 33);
		assert_int_equal(writer.len, size == 33 ? 33 : 0);
		assert_int_equal(writer.names.nr_listeners, size == 33);
		assert_int_equal(writer.names.nr_servers, size == 33);
		free(data);
	}
}

static void a_name_too_many_is_refused(void **state)
{
	static struct clb_sync_writer writer;
	static struct clb_sync_reader reader;
	static u8 data[65536];
	struct clb_sync_record record;
	unsigned int n;

	(void)state;
	clb_sync_writer_init(&writer, data, sizeof(data));
	for (n = 0; n < CLB_SYNC_NAMES; n++) {
		record = session(11);
		record.session.server.port = htons(n);
		assert_true(clb_sync_put(&writer, &record));
	}
	record.session.server.port = htons(n);
	assert_false(clb_sync_put(&writer, &record));
	clb_sync_reader_init(&reader, data, writer.len);
	for (n = 0; n < 2 * CLB_SYNC_NAMES + 1; n++)
		assert_int_equal(clb_sync_next(&reader, &record),
				 CLB_SYNC_DONE);
	assert_int_equal(record.session.server_number, 255);
	assert_int_equal(clb_sync_next(&reader, &record), CLB_SYNC_END);
	/* one more, written by hand */
	unhex("02 07 00 ffff c000020b", data + writer.len);
	clb_sync_reader_init(&reader, data, writer.len + 9);
	while (reader.left > 9)
		clb_sync_next(&reader, &record);
	assert_int_equal(clb_sync_next(&reader, &record), CLB_SYNC_MALFORMED);
}

#define LISTENER "01 07 06 0050 c0000201 "
#define ANY_PORT "01 07 06 0000 c0000201 "
#define UDP_LISTENER "01 07 11 0035 c0000201 "
#define SERVER "02 07 00 1f90 c000020b "

/* Each is read to its end, or to the record that is wrong. */
static const struct {
	const char *name;
	const char *bytes;
	enum clb_sync_read outcome;
} hostile[] = {
	{ "nothing", "", CLB_SYNC_END },
	{ "a type without a length", "03", CLB_SYNC_MALFORMED },
	{ "a body that is cut", "05 05 00 000000", CLB_SYNC_MALFORMED },
	{ "a body longer than the rest", "63 ff 00", CLB_SYNC_MALFORMED },
	{ "type 0", "00 00", CLB_SYNC_END },
	{ "an unknown type", "63 02 ffff", CLB_SYNC_END },
	{ "an unknown type before a known one", "ff 00 05 05 0000000000",
	  CLB_SYNC_END },
	{ "more than is known of a heartbeat", "05 07 0000000000 1234",
	  CLB_SYNC_END },
	{ "more than is known of a session",
	  LISTENER SERVER "03 0f 00 03 9c41 01020304 80 c0000263 abcd",
	  CLB_SYNC_END },
	{ "a heartbeat too short", "05 04 00000000", CLB_SYNC_MALFORMED },
	{ "a peer too short", "06 11 0002 0000000000000003 00000000000000",
	  CLB_SYNC_MALFORMED },
	{ "a listener without address", "01 03 06 0050", CLB_SYNC_MALFORMED },
	{ "a listener of 3 bytes of address", "01 06 06 0050 c00002",
	  CLB_SYNC_MALFORMED },
	{ "a listener of 5 bytes of address", "01 08 06 0050 c000020101",
	  CLB_SYNC_MALFORMED },
	{ "a listener of 17 bytes of address",
	  "01 14 06 0050 2000000000000000000000000000000001",
	  CLB_SYNC_MALFORMED },
	{ "a listener of no bytes", "01 00", CLB_SYNC_MALFORMED },
	{ "a listener of ICMP", "01 07 01 0050 c0000201",
	  CLB_SYNC_MALFORMED },
	{ "a server of no listener", SERVER, CLB_SYNC_MALFORMED },
	{ "a server of a listener to come",
	  LISTENER "02 07 01 1f90 c000020b " LISTENER, CLB_SYNC_MALFORMED },
	{ "a session of no server",
	  LISTENER "03 0d 00 03 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a session of a server to come",
	  LISTENER SERVER "03 0d 01 03 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a session without client",
	  LISTENER SERVER "03 09 00 03 9c41 01020304 00", CLB_SYNC_MALFORMED },
	{ "a session cut in the client",
	  LISTENER SERVER "03 0c 00 03 9c41 01020304 00 c00002",
	  CLB_SYNC_MALFORMED },
	{ "a TCP session in a state of UDP",
	  LISTENER SERVER "03 0d 00 0a 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a TCP session in no state",
	  LISTENER SERVER "03 0d 00 0c 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a UDP session in a state of TCP",
	  UDP_LISTENER SERVER "03 0d 00 03 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a session that is dead",
	  LISTENER SERVER "03 0d 00 1f 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a binding of a client's port",
	  LISTENER SERVER "03 0d 00 0b 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a binding with a local address",
	  LISTENER SERVER
	  "03 13 00 0b 0000 01020304 09 c0000263 0400 c0000232",
	  CLB_SYNC_MALFORMED },
	{ "a port where the listener has one",
	  LISTENER SERVER "03 0f 00 03 9c41 01020304 04 c0000263 0050",
	  CLB_SYNC_MALFORMED },
	{ "no port where the listener has none",
	  ANY_PORT SERVER "03 0d 00 03 9c41 01020304 00 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "a port that is cut",
	  ANY_PORT SERVER "03 0e 00 03 9c41 01020304 04 c0000263 00",
	  CLB_SYNC_MALFORMED },
	{ "full NAT without local address",
	  LISTENER SERVER "03 0d 00 03 9c41 01020304 01 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "full NAT with half a local address",
	  LISTENER SERVER "03 11 00 03 9c41 01020304 09 c0000263 0400 c000",
	  CLB_SYNC_MALFORMED },
	{ "a local address in DR",
	  LISTENER SERVER
	  "03 13 00 03 9c41 01020304 0a c0000263 0400 c0000232",
	  CLB_SYNC_MALFORMED },
	{ "a time that is cut",
	  LISTENER SERVER "03 10 00 03 9c41 01020304 10 c0000263 000000",
	  CLB_SYNC_MALFORMED },
	{ "numbers that are cut",
	  LISTENER SERVER
	  "03 14 00 03 9c41 01020304 20 c0000263 00000000000000",
	  CLB_SYNC_MALFORMED },
	{ "gone of no listener", "04 0b 00 9c41 01020304 c0000263",
	  CLB_SYNC_MALFORMED },
	{ "gone without the port it needs",
	  ANY_PORT "04 0b 00 9c41 01020304 c0000263", CLB_SYNC_MALFORMED },
	{ "gone that is cut", LISTENER "04 0a 00 9c41 01020304 c00002",
	  CLB_SYNC_MALFORMED },
	{ "a gap from 0", "07 12 0002 0000000000000000 0000000000000004",
	  CLB_SYNC_MALFORMED },
	{ "a gap that ends before it begins",
	  "07 12 0002 0000000000000005 0000000000000004",
	  CLB_SYNC_MALFORMED },
	{ "a repair without flags",
	  "08 12 0002 0000000000000004 0000000000000004",
	  CLB_SYNC_MALFORMED },
	{ "a request for bulk too short", "09 08 0002 00000003 0004",
	  CLB_SYNC_MALFORMED },
	{ "a mark of bulk too short", "0a 0a 00000003 00000005 0004",
	  CLB_SYNC_MALFORMED },
};

/* In a place that ends with it: a read beyond is a fault. */
static enum clb_sync_read read_all(const u8 *data, unsigned int len)
{
	static struct clb_sync_reader reader;
	struct clb_sync_record record;
	enum clb_sync_read outcome;
	u8 *copy = malloc(len + !len);

	assert_non_null(copy);
	memcpy(copy, data, len);
	clb_sync_reader_init(&reader, copy, len);
	do {
		outcome = clb_sync_next(&reader, &record);
	} while (outcome == CLB_SYNC_DONE);
	free(copy);
	return outcome;
}

static void hostile_content_is_refused(void **state)
{
	u8 data[1024];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(hostile); i++) {
		unsigned int len = unhex(hostile[i].bytes, data);
		enum clb_sync_read outcome = read_all(data, len);

		if (outcome != hostile[i].outcome)
			print_error("%s\n", hostile[i].name);
		assert_int_equal(outcome, hostile[i].outcome);
	}
}

/* All kinds of records, and where each ends. */
static unsigned int all_records(u8 *data, unsigned int size, bool *ends)
{
	static const u8 types[] = {
		CLB_SYNC_HEARTBEAT, CLB_SYNC_PEER, CLB_SYNC_GAP,
		CLB_SYNC_REPAIR, CLB_SYNC_BULK_GET, CLB_SYNC_BULK_MARK,
	};
	static struct clb_sync_writer writer;
	struct clb_sync_record record = session(11);
	unsigned int at;
	size_t i;

	clb_sync_writer_init(&writer, data, size);
	assert_true(clb_sync_put(&writer, &record));
	record = session_of(NFPROTO_IPV6, NFPROTO_IPV4, IPPROTO_UDP, 0);
	record.session.flags = CLB_SYNC_F_TOLD;
	assert_true(clb_sync_put(&writer, &record));
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		record = (struct clb_sync_record){ .type = types[i] };
		if (types[i] == CLB_SYNC_GAP || types[i] == CLB_SYNC_REPAIR)
			record.range.first = record.range.last = 1;
		assert_true(clb_sync_put(&writer, &record));
	}
	for (at = 0; at < writer.len; at += 2 + data[at + 1])
		ends[at] = true;
	ends[at] = true;
	return writer.len;
}

static void content_cut_anywhere_is_refused(void **state)
{
	bool ends[CONTENT] = { false };
	unsigned int len, cut;
	u8 data[CONTENT];

	(void)state;
	len = all_records(data, sizeof(data), ends);
	for (cut = 0; cut <= len; cut++)
		assert_int_equal(read_all(data, cut),
				 ends[cut] ? CLB_SYNC_END :
					     CLB_SYNC_MALFORMED);
}

static void no_flipped_bit_leads_out_of_bounds(void **state)
{
	bool ends[CONTENT] = { false };
	unsigned int len, bit;
	u8 data[CONTENT];

	(void)state;
	len = all_records(data, sizeof(data), ends);
	for (bit = 0; bit < 8 * len; bit++) {
		data[bit / 8] ^= 1 << bit % 8;
		read_all(data, len);
		data[bit / 8] ^= 1 << bit % 8;
	}
}

static void window_tells_replays(void **state)
{
	static const struct {
		u64 seq;
		enum clb_sync_seen seen;
	} cases[] = {
		{ 100, CLB_SYNC_SEEN_REPLAY }, /* where it began */
		{ 1, CLB_SYNC_SEEN_REPLAY },
		{ 101, CLB_SYNC_SEEN_NEXT },
		{ 101, CLB_SYNC_SEEN_REPLAY },
		{ 105, CLB_SYNC_SEEN_AHEAD },
		{ 103, CLB_SYNC_SEEN_LATE },
		{ 103, CLB_SYNC_SEEN_REPLAY },
		{ 105, CLB_SYNC_SEEN_REPLAY },
		{ 106, CLB_SYNC_SEEN_NEXT },
		{ 106 + CLB_SYNC_WINDOW, CLB_SYNC_SEEN_AHEAD },
		{ 106, CLB_SYNC_SEEN_REPLAY }, /* just too old */
		{ 107, CLB_SYNC_SEEN_LATE }, /* just not */
		{ 107, CLB_SYNC_SEEN_REPLAY },
		{ 1000000, CLB_SYNC_SEEN_AHEAD },
		{ 1000000 - CLB_SYNC_WINDOW + 1, CLB_SYNC_SEEN_LATE },
		{ 1000000 - CLB_SYNC_WINDOW, CLB_SYNC_SEEN_REPLAY },
		{ 999999, CLB_SYNC_SEEN_LATE },
		{ 0, CLB_SYNC_SEEN_REPLAY },
		{ ~0ULL, CLB_SYNC_SEEN_AHEAD },
		{ ~0ULL, CLB_SYNC_SEEN_REPLAY },
		{ 0, CLB_SYNC_SEEN_REPLAY },
	};
	struct clb_sync_window window;
	size_t i;

	(void)state;
	clb_sync_window_begin(&window, 100);
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(clb_sync_window_see(&window, cases[i].seq),
				 cases[i].seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_as_drawn),
		cmocka_unit_test(header_is_refused),
		cmocka_unit_test(key_context_is_as_drawn),
		cmocka_unit_test(session_is_as_drawn),
		cmocka_unit_test(full_nat_and_all_ports_are_as_drawn),
		cmocka_unit_test(sessions_come_back),
		cmocka_unit_test(persistence_comes_back),
		cmocka_unit_test(gone_is_as_drawn),
		cmocka_unit_test(control_is_as_drawn),
		cmocka_unit_test(a_datagram_holds_93_sessions),
		cmocka_unit_test(what_has_no_room_leaves_no_trace),
		cmocka_unit_test(a_name_too_many_is_refused),
		cmocka_unit_test(hostile_content_is_refused),
		cmocka_unit_test(content_cut_anywhere_is_refused),
		cmocka_unit_test(no_flipped_bit_leads_out_of_bounds),
		cmocka_unit_test(window_tells_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
