// SPDX-License-Identifier: GPL-2.0
/*
 * Codec of session sync, as the kernel builds it. The tables of what is
 * hostile are in tools/tests/test_sync_hostile.c.
 */
#include <linux/slab.h>

#include "../sync_wire.h"
#include "test.h"

#define CONTENT 1428

static struct clb_sync_record session_of(struct kunit *test, const char *vip,
					 const char *server, const char *client,
					 u8 mode)
{
	struct clb_sync_record record = { .type = CLB_SYNC_SESSION };
	struct clb_sync_session *s = &record.session;

	memset(s, 0, sizeof(*s));
	s->listener = clb_test_endpoint(test, vip, 80, IPPROTO_TCP);
	s->server = clb_test_endpoint(test, server, 8080, IPPROTO_TCP);
	clb_test_addr(test, client, &s->client);
	s->client_port = htons(40001);
	s->port = htons(80);
	s->born = 0x01020304;
	s->state = CLB_SESSION_STATE_ESTABLISHED;
	s->mode = mode;
	return record;
}

static struct clb_sync_writer *writer_of(struct kunit *test)
{
	struct clb_sync_writer *writer;
	u8 *data;

	writer = kunit_kzalloc(test, sizeof(*writer), GFP_KERNEL);
	data = kunit_kzalloc(test, CONTENT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, writer);
	KUNIT_ASSERT_NOT_NULL(test, data);
	clb_sync_writer_init(writer, data, CONTENT);
	return writer;
}

static struct clb_sync_reader *reader_of(struct kunit *test,
					 const struct clb_sync_writer *writer)
{
	struct clb_sync_reader *reader;

	reader = kunit_kzalloc(test, sizeof(*reader), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, reader);
	clb_sync_reader_init(reader, writer->data, writer->len);
	return reader;
}

static void bytes(struct kunit *test)
{
	static const u8 want[] = {
		1, 7, 6, 0, 80, 203, 0, 113, 1,
		2, 7, 0, 0x1f, 0x90, 198, 51, 100, 11,
		3, 13, 0, 3, 0x9c, 0x41, 1, 2, 3, 4, 0, 192, 0, 2, 77,
	};
	struct clb_sync_record record = session_of(test, "203.0.113.1",
						   "198.51.100.11",
						   "192.0.2.77", CLB_MODE_NAT);
	struct clb_sync_writer *writer = writer_of(test);

	KUNIT_EXPECT_TRUE(test, clb_sync_put(writer, &record));
	KUNIT_ASSERT_EQ(test, writer->len, sizeof(want));
	KUNIT_EXPECT_EQ(test, memcmp(writer->data, want, sizeof(want)), 0);
}

/* Three names, then the session as it was told. */
static void comes_back(struct kunit *test, const char *vip,
		       const char *server, const char *client, u8 mode)
{
	struct clb_sync_record record = session_of(test, vip, server, client,
						   mode), back;
	struct clb_sync_writer *writer = writer_of(test);
	struct clb_sync_reader *reader;

	if (mode == CLB_MODE_FNAT) {
		record.session.local = record.session.server.addr;
		record.session.local_port = htons(1024);
	}
	record.session.flags = CLB_SYNC_F_TOLD;
	record.session.time = 900000;
	record.session.numbers[1] = 7;
	KUNIT_ASSERT_TRUE(test, clb_sync_put(writer, &record));
	reader = reader_of(test, writer);
	KUNIT_EXPECT_EQ(test, clb_sync_next(reader, &back), CLB_SYNC_DONE);
	KUNIT_EXPECT_EQ(test, clb_sync_next(reader, &back), CLB_SYNC_DONE);
	KUNIT_EXPECT_EQ(test, clb_sync_next(reader, &back), CLB_SYNC_DONE);
	KUNIT_EXPECT_EQ(test, back.type, CLB_SYNC_SESSION);
	KUNIT_EXPECT_EQ(test, memcmp(&back.session, &record.session,
				     sizeof(back.session)), 0);
	KUNIT_EXPECT_EQ(test, clb_sync_next(reader, &back), CLB_SYNC_END);
}

static void roundtrip(struct kunit *test)
{
	comes_back(test, "203.0.113.1", "198.51.100.11", "192.0.2.77",
		   CLB_MODE_NAT);
	comes_back(test, "203.0.113.1", "198.51.100.11", "192.0.2.77",
		   CLB_MODE_FNAT);
	comes_back(test, "2001:db8:f::1", "2001:db8:5::11", "2001:db8:c::77",
		   CLB_MODE_FNAT);
	comes_back(test, "2001:db8:f::1", "198.51.100.11", "2001:db8:c::77",
		   CLB_MODE_TUN);
	comes_back(test, "203.0.113.1", "2001:db8:5::11", "192.0.2.77",
		   CLB_MODE_TUN);
}

/* Cut anywhere, it ends with a record or is refused. */
static void truncated(struct kunit *test)
{
	struct clb_sync_record record = session_of(test, "203.0.113.1",
						   "198.51.100.11",
						   "192.0.2.77", CLB_MODE_NAT);
	struct clb_sync_writer *writer = writer_of(test);
	struct clb_sync_reader *reader = reader_of(test, writer);
	enum clb_sync_read ret;
	unsigned int len;
	u8 *copy;

	KUNIT_ASSERT_TRUE(test, clb_sync_put(writer, &record));
	for (len = 0; len < writer->len; len++) {
		copy = kmemdup(writer->data, len, GFP_KERNEL);
		clb_sync_reader_init(reader, copy, len);
		do {
			ret = clb_sync_next(reader, &record);
		} while (ret == CLB_SYNC_DONE);
		KUNIT_EXPECT_EQ(test, ret, len == 0 || len == 9 || len == 18 ?
				CLB_SYNC_END : CLB_SYNC_MALFORMED);
		kfree(copy);
	}
}

static struct kunit_case wire_cases[] = {
	KUNIT_CASE(bytes),
	KUNIT_CASE(roundtrip),
	KUNIT_CASE(truncated),
	{ }
};

struct kunit_suite clb_test_sync_wire = {
	.name = "clb_sync_wire",
	.test_cases = wire_cases,
};
