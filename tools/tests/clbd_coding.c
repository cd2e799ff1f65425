// SPDX-License-Identifier: MIT
/* What is compressed, for whom, and that it can be read again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "clbd/coding.h"
#include "clbd/gzip.h"
#include "test.h"

static void parse(struct clbd_head *head, bool response, const char *text)
{
	clbd_head_init(head, response);
	assert_int_equal(clbd_head_parse(head, text, strlen(text)), CLBD_DONE);
	if (response)
		clbd_head_answer(head, HTTP_GET);
}

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"

static const struct {
	const char *fields;
	bool accepted;
} requests[] = {
	{ "", false },
	{ "Accept-Encoding:\r\n", false },
	{ "Accept-Encoding: gzip\r\n", true },
	{ "accept-encoding: br ,\tGZip\r\n", true },
	{ "Accept-Encoding: x-gzip\r\n", true },
	{ "Accept-Encoding: gzip;q=0\r\n", false },
	{ "Accept-Encoding: gzip; q=0.000\r\n", false },
	{ "Accept-Encoding: gzip; Q=0.001\r\n", true },
	{ "Accept-Encoding: gzip;q=0.5, identity\r\n", false },
	{ "Accept-Encoding: gzip;q=0.5, identity;q=0.5\r\n", true },
	{ "Accept-Encoding: *\r\n", true },
	{ "Accept-Encoding: *, gzip;q=0\r\n", false },
	{ "Accept-Encoding: *;q=0, gzip\r\n", true },
	{ "Accept-Encoding: gzip;q=1.001\r\n", false },
	{ "Accept-Encoding: gzip;q=0.0001\r\n", false },
	{ "Accept-Encoding: gzip;q=\r\n", false },
	{ "Accept-Encoding: gzip;q=.5\r\n", false },
	{ "Accept-Encoding: ,,;,gzi, pgzip\r\n", false },
	{ "Accept-Encoding: br\r\nAccept-Encoding: gzip\r\n", true },
};

static void who_takes_it(void **state)
{
	struct clbd_head head;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		snprintf(text, sizeof(text), GET "%s\r\n", requests[i].fields);
		parse(&head, false, text);
		if (clbd_coding_accepted(&head, text) != requests[i].accepted)
			fail_msg("%s", requests[i].fields);
	}
}

#define OK "HTTP/1.1 200 OK\r\n"
#define PLAIN "Content-Type: text/plain\r\n"

static const struct {
	const char *text;
	bool fits;
} responses[] = {
	{ OK PLAIN "Content-Length: 100\r\n\r\n", true },
	{ OK PLAIN "Content-Length: 99\r\n\r\n", false },
	{ OK PLAIN "Transfer-Encoding: chunked\r\n\r\n", true },
	{ OK PLAIN "\r\n", true },
	{ OK "\r\n", false },
	{ OK "Content-Type:\r\n\r\n", false },
	{ OK "content-type: TEXT/x;charset=a\r\n\r\n", true },
	{ OK "Content-Type: application/json ; a\r\n\r\n", true },
	{ OK "Content-Type: application/jsonx\r\n\r\n", false },
	{ OK "Content-Type: text/\r\n\r\n", false },
	{ OK PLAIN PLAIN "\r\n", false },
	{ OK PLAIN "Content-Encoding: gzip\r\n\r\n", false },
	{ OK PLAIN "Content-Encoding: identity\r\n\r\n", false },
	{ OK PLAIN "Content-Range: bytes 0-1/2\r\n\r\n", false },
	{ OK PLAIN "Cache-Control: public, no-transform\r\n\r\n", false },
	{ OK PLAIN "Cache-Control: public\r\n\r\n", true },
	{ "HTTP/1.1 206 Part\r\n" PLAIN "\r\n", false },
	{ "HTTP/1.1 304 Same\r\n" PLAIN "\r\n", false },
	{ "HTTP/1.1 204 None\r\n" PLAIN "\r\n", false },
	{ "HTTP/1.1 404 None\r\n" PLAIN "\r\n", true },
};

static void what_is_compressed(void **state)
{
	const struct clbd_coding coding = {
		.minimum = 100,
		.types = clbd_coding_types,
		.type_count = clbd_coding_type_count,
	};
	struct clbd_head head;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(responses); i++) {
		parse(&head, true, responses[i].text);
		if (clbd_coding_fits(&coding, &head, responses[i].text) !=
		    responses[i].fits)
			fail_msg("%s", responses[i].text);
	}
}

#define BODY 60000

/* Reads @size bytes again, and compares. */
static void read_again(unsigned char *packed, size_t size,
		       const unsigned char *body)
{
	unsigned char *again = malloc(BODY + 1);
	z_stream stream = { .next_in = packed, .avail_in = size };

	stream.next_out = again;
	stream.avail_out = BODY + 1;
	assert_int_equal(inflateInit2(&stream, 31), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	assert_int_equal(stream.total_out, BODY);
	assert_memory_equal(again, body, BODY);
	inflateEnd(&stream);
	free(again);
}

/* Pieces in and out of any size, each of them flushed. */
static void in_pieces(void **state)
{
	static unsigned char body[BODY], packed[4 * BODY];
	static const size_t steps[] = { 7, 1000, BODY };
	size_t s, t, i;

	(void)state;
	for (i = 0; i < BODY; i++)
		body[i] = i % 251 ^ i / 3000 * 7;
	for (s = 0; s < ARRAY_SIZE(steps); s++) {
		for (t = 0; t < ARRAY_SIZE(steps); t++) {
			struct clbd_gzip *gzip = clbd_gzip_new(1, BODY);
			size_t at = 0, size = 0;

			while (!clbd_gzip_is_done(gzip)) {
				size_t in = BODY - at < steps[s] ? BODY - at
								 : steps[s];
				size_t out = steps[t];

				assert_true(size + out <= sizeof(packed));
				assert_int_equal(
					clbd_gzip_run(gzip, body + at, &in,
						      packed + size, &out,
						      at + in < BODY
							      ? CLBD_GZIP_FLUSH
							      : CLBD_GZIP_END),
					0);
				at += in;
				size += out;
			}
			clbd_gzip_free(gzip);
			assert_int_equal(at, BODY);
			read_again(packed, size, body);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_takes_it),
		cmocka_unit_test(what_is_compressed),
		cmocka_unit_test(in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
