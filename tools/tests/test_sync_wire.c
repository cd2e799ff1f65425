// SPDX-License-Identifier: GPL-2.0
/*
 * Codec of session sync (kmod/sync_*.[ch]) against
 * Documentation/sync-protocol.rst: bytes written by hand, and what the encoder
 * makes read back.
 */
#include <stdlib.h>

#include "sync_records.h"
#include "test.h"

static void assert_bytes(const u8 *got, unsigned int len, const char *want)
{
	u8 bytes[1024];

	assert_int_equal(len, unhex(want, bytes));
	assert_memory_equal(got, bytes, len);
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
		assert_int_equal(
			clb_sync_header_read(data, sizeof(data), &back),
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
	struct clb_sync_record record = session_of(NFPROTO_IPV4, NFPROTO_IPV4,
						   IPPROTO_TCP, 0);
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
		struct clb_sync_record record = session_of(
			client, server, protocols[i >> 2 & 1], i & 8 ? 53 : 0);

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
	struct clb_sync_record record = session_of(NFPROTO_IPV6, NFPROTO_IPV6,
						   IPPROTO_UDP, 53);

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
		    .bulk = { .node = 2,
			      .position = 3,
			      .datagrams = 4,
			      .flags = 1 } },
		  "09 09 0002 00000003 0004 01" },
		{ { .type = CLB_SYNC_BULK_MARK,
		    .bulk = { .position = 3,
			      .next = 5,
			      .datagrams = 4,
			      .flags = CLB_SYNC_BULK_END } },
		  "0a 0b 00000003 00000005 0004 02" },
		{ { .type = CLB_SYNC_BULK_MARK,
		    .bulk = { .position = 3,
			      .next = 5,
			      .datagrams = 4,
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
