// SPDX-License-Identifier: GPL-2.0
/*
 * Decoder and replay window of session sync (kmod/sync_*.[ch]) against what means
 * harm: contents that are wrong, cut or changed, numbers that were seen.
 */
#include <stdlib.h>

#include "sync_records.h"
#include "sync_window.h"
#include "test.h"

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
	{ "a listener of ICMP", "01 07 01 0050 c0000201", CLB_SYNC_MALFORMED },
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
	  LISTENER SERVER "03 13 00 0b 0000 01020304 09 c0000263 0400 c0000232",
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
	  LISTENER SERVER "03 13 00 03 9c41 01020304 0a c0000263 0400 c0000232",
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
	  "07 12 0002 0000000000000005 0000000000000004", CLB_SYNC_MALFORMED },
	{ "a repair without flags",
	  "08 12 0002 0000000000000004 0000000000000004", CLB_SYNC_MALFORMED },
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
		CLB_SYNC_HEARTBEAT, CLB_SYNC_PEER,     CLB_SYNC_GAP,
		CLB_SYNC_REPAIR,    CLB_SYNC_BULK_GET, CLB_SYNC_BULK_MARK,
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
				 ends[cut] ? CLB_SYNC_END : CLB_SYNC_MALFORMED);
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
		cmocka_unit_test(hostile_content_is_refused),
		cmocka_unit_test(content_cut_anywhere_is_refused),
		cmocka_unit_test(no_flipped_bit_leads_out_of_bounds),
		cmocka_unit_test(window_tells_replays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
