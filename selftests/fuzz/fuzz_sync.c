// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/sync_read.c, sync_write.c: whatever the bytes, the decoder reads none
 * that are not there; what it takes, the encoder writes in no more room, and
 * that reads as the same.
 *
 * Input: the content of a datagram.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sync_wire.h"

static void must(bool condition)
{
	if (!condition)
		abort();
}

static bool is_name(const struct clb_sync_record *record)
{
	return record->type == CLB_SYNC_LISTENER ||
	       record->type == CLB_SYNC_SERVER;
}

static bool is_known(const struct clb_sync_record *record)
{
	return record->type && record->type <= CLB_SYNC_BULK_MARK;
}

static void check_session(const struct clb_sync_reader *reader,
			  const struct clb_sync_session *session)
{
	const struct clb_sync_names *names = &reader->names;

	must(session->server_number < names->nr_servers);
	must(clb_endpoint_equal(&session->server,
				&names->servers[session->server_number]));
	must(session->state <= CLB_SESSION_STATE_MAX);
	must(session->mode <= CLB_MODE_MAX);
	must(!(session->flags & ~CLB_SYNC_F_TOLD));
}

/* Reads all; what is not a name goes into @writer, if there is one. */
static enum clb_sync_read read_all(const u8 *data, unsigned int len,
				   struct clb_sync_writer *writer)
{
	static struct clb_sync_reader reader;
	struct clb_sync_record record;
	enum clb_sync_read outcome;

	memset(&record, 0, sizeof(record));
	clb_sync_reader_init(&reader, data, len);
	while ((outcome = clb_sync_next(&reader, &record)) == CLB_SYNC_DONE) {
		must(reader.left <= len);
		must(reader.names.nr_listeners <= CLB_SYNC_NAMES);
		must(reader.names.nr_servers <= CLB_SYNC_NAMES);
		if (record.type == CLB_SYNC_SESSION)
			check_session(&reader, &record.session);
		if (writer && is_known(&record) && !is_name(&record))
			must(clb_sync_put(writer, &record));
		memset(&record, 0, sizeof(record));
	}
	return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct clb_sync_writer first, second;
	u8 *copy, *once, *twice;

	if (size > 65535)
		return 0;
	copy = malloc(size ? size : 1);
	once = malloc(size ? size : 1);
	twice = malloc(size ? size : 1);
	must(copy && once && twice);
	memcpy(copy, data, size);
	if (read_all(copy, size, NULL) == CLB_SYNC_END) {
		clb_sync_writer_init(&first, once, size);
		must(read_all(copy, size, &first) == CLB_SYNC_END);
		clb_sync_writer_init(&second, twice, first.len);
		must(read_all(once, first.len, &second) == CLB_SYNC_END);
		must(first.len == second.len &&
		     !memcmp(once, twice, first.len));
	}
	free(copy);
	free(once);
	free(twice);
	return 0;
}
