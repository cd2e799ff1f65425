// SPDX-License-Identifier: MIT
/* HTTP/2: fields that become a head, heads that become fields, floods. */
#include <stdio.h>
#include <string.h>

#include "clbd/h2.h"
#include "clbd/h2_guard.h"
#include "clbd/h2_head.h"
#include "clbd/h2_reply.h"
#include "test.h"

#define ROOM 2048

struct field {
	const char *name;
	const char *value;
};

#define MAX 8
#define GET { ":method", "GET" }, { ":scheme", "http" }, { ":path", "/a?b" }
#define HOST { ":authority", "a.example" }
#define PLAIN GET, HOST

/*
 * { what it is, fields, whether the stream ends with them, lines that become of
 * them or NULL, 0 or the status that they are refused with }
 */
static const struct {
	const char *name;
	struct field fields[MAX];
	bool ended;
	const char *lines;
	unsigned int status;
} requests[] = {
	{ "plain", { PLAIN }, true, "host: a.example\r\n\r\n", 0 },
	{ "pseudo-header fields in any order",
	  { HOST, { ":path", "/" }, { ":scheme", "https" },
	    { ":method", "GET" }, { "a", "b" } },
	  true, "host: a.example\r\na: b\r\n\r\n", 0 },
	{ "Host alone", { GET, { "a", "b" }, { "host", "h" } }, true,
	  "a: b\r\nhost: h\r\n\r\n", 0 },
	{ "Host that says the same", { PLAIN, { "host", "A.EXAMPLE" } }, true,
	  "host: a.example\r\n\r\n", 0 },
	{ "empty value", { PLAIN, { "a", "" } }, true,
	  "host: a.example\r\na: \r\n\r\n", 0 },
	{ "high bytes", { PLAIN, { "a", "\xc3\xa9" } }, true,
	  "host: a.example\r\na: \xc3\xa9\r\n\r\n", 0 },
	{ "TE", { PLAIN, { "te", "trailers" } }, true,
	  "host: a.example\r\n\r\n", 0 },
	{ "crumbs", { PLAIN, { "cookie", "a=b" }, { "x", "y" },
		      { "cookie", "c=d" } },
	  true, "host: a.example\r\nx: y\r\ncookie: a=b; c=d\r\n\r\n", 0 },
	{ "body of a length", { PLAIN, { "content-length", "5" } }, false,
	  "host: a.example\r\ncontent-length: 5\r\n\r\n", 0 },
	{ "body in chunks", { PLAIN, { "cookie", "a=b" } }, false,
	  "host: a.example\r\ntransfer-encoding: chunked\r\n"
	  "cookie: a=b\r\n\r\n", 0 },
	{ "length of nothing", { PLAIN, { "content-length", "0" } }, true,
	  "host: a.example\r\ncontent-length: 0\r\n\r\n", 0 },
	{ "asterisk",
	  { { ":method", "OPTIONS" }, { ":scheme", "http" }, { ":path", "*" },
	    HOST },
	  true, "host: a.example\r\n\r\n", 0 },

	{ "no method", { { ":scheme", "http" }, { ":path", "/" }, HOST }, true,
	  NULL, 400 },
	{ "no scheme", { { ":method", "GET" }, { ":path", "/" }, HOST }, true,
	  NULL, 400 },
	{ "no path", { { ":method", "GET" }, { ":scheme", "http" }, HOST },
	  true, NULL, 400 },
	{ "empty path", { { ":method", "GET" }, { ":scheme", "http" },
			  { ":path", "" }, HOST }, true, NULL, 400 },
	{ "no host", { GET }, true, NULL, 400 },
	{ "empty authority", { GET, { ":authority", "" } }, true, NULL, 400 },
	{ "two methods", { PLAIN, { ":method", "GET" } }, true, NULL, 400 },
	{ "two schemes", { PLAIN, { ":scheme", "http" } }, true, NULL, 400 },
	{ "two paths", { PLAIN, { ":path", "/" } }, true, NULL, 400 },
	{ "two authorities", { PLAIN, HOST }, true, NULL, 400 },
	{ "unknown pseudo-header field", { PLAIN, { ":a", "b" } }, true, NULL,
	  400 },
	{ "extended CONNECT", { PLAIN, { ":protocol", "websocket" } }, true,
	  NULL, 400 },
	{ "one behind others", { GET, { "a", "b" }, HOST }, true, NULL, 400 },
	{ "upper case", { PLAIN, { "A", "b" } }, true, NULL, 400 },
	{ "empty name", { PLAIN, { "", "b" } }, true, NULL, 400 },
	{ "no token", { PLAIN, { "a b", "c" } }, true, NULL, 400 },
	{ "line in a name", { PLAIN, { "a: b\r\nc", "d" } }, true, NULL, 400 },
	{ "line in a value", { PLAIN, { "a", "b\r\nc: d" } }, true, NULL, 400 },
	{ "CR in a value", { PLAIN, { "a", "b\rc" } }, true, NULL, 400 },
	{ "LF in a crumb", { PLAIN, { "cookie", "b\nc: d" } }, true, NULL,
	  400 },
	{ "space before a value", { PLAIN, { "a", " b" } }, true, NULL, 400 },
	{ "tab behind a value", { PLAIN, { "a", "b\t" } }, true, NULL, 400 },
	{ "line in the path", { { ":method", "GET" }, { ":scheme", "http" },
				{ ":path", "/ HTTP/1.1\r\nX: y" }, HOST },
	  true, NULL, 400 },
	{ "space in the path", { { ":method", "GET" }, { ":scheme", "http" },
				 { ":path", "/a b" }, HOST }, true, NULL, 400 },
	{ "fragment", { { ":method", "GET" }, { ":scheme", "http" },
			{ ":path", "/#a" }, HOST }, true, NULL, 400 },
	{ "absolute form", { { ":method", "GET" }, { ":scheme", "http" },
			     { ":path", "http://a.example/" }, HOST },
	  true, NULL, 400 },
	{ "asterisk of GET", { { ":method", "GET" }, { ":scheme", "http" },
			       { ":path", "*" }, HOST }, true, NULL, 400 },
	{ "another scheme", { { ":method", "GET" }, { ":scheme", "ftp" },
			      { ":path", "/" }, HOST }, true, NULL, 400 },
	{ "another Host", { PLAIN, { "host", "b.example" } }, true, NULL, 400 },
	{ "longer Host", { PLAIN, { "host", "a.example.b" } }, true, NULL,
	  400 },
	{ "two Hosts", { GET, { "host", "a" }, { "host", "a" } }, true, NULL,
	  400 },
	{ "user", { GET, { ":authority", "u@a.example" } }, true, NULL, 400 },
	{ "list of hosts", { GET, { ":authority", "a, b" } }, true, NULL,
	  400 },
	{ "Connection", { PLAIN, { "connection", "x" } }, true, NULL, 400 },
	{ "Keep-Alive", { PLAIN, { "keep-alive", "x" } }, true, NULL, 400 },
	{ "Proxy-Connection", { PLAIN, { "proxy-connection", "x" } }, true,
	  NULL, 400 },
	{ "Transfer-Encoding", { PLAIN, { "transfer-encoding", "chunked" } },
	  false, NULL, 400 },
	{ "Upgrade", { PLAIN, { "upgrade", "websocket" } }, true, NULL, 400 },
	{ "TE with more", { PLAIN, { "te", "trailers, gzip" } }, true, NULL,
	  400 },
	{ "two lengths", { PLAIN, { "content-length", "0" },
			   { "content-length", "0" } }, true, NULL, 400 },
	{ "length with a sign", { PLAIN, { "content-length", "+5" } }, false,
	  NULL, 400 },
	{ "empty length", { PLAIN, { "content-length", "" } }, false, NULL,
	  400 },
	{ "length and no body", { PLAIN, { "content-length", "5" } }, true,
	  NULL, 400 },
	{ "CONNECT", { { ":method", "CONNECT" }, HOST }, true, NULL, 405 },
	{ "CONNECT with more", { { ":method", "CONNECT" }, HOST,
				 { ":scheme", "http" }, { ":path", "/" } },
	  true, NULL, 405 },
	{ "TRACE", { { ":method", "TRACE" }, { ":scheme", "http" },
		     { ":path", "/" }, HOST }, true, NULL, 405 },
	{ "unknown method", { { ":method", "BREW" }, { ":scheme", "http" },
			      { ":path", "/" }, HOST }, true, NULL, 501 },
	{ "method of HTTP/2's preface",
	  { { ":method", "PRI" }, { ":scheme", "http" }, { ":path", "/" },
	    HOST }, true, NULL, 501 },
	{ "method in lower case", { { ":method", "get" },
				    { ":scheme", "http" }, { ":path", "/" },
				    HOST }, true, NULL, 501 },
	{ "method that is none", { { ":method", "GET / HTTP/1.1" },
				   { ":scheme", "http" }, { ":path", "/" },
				   HOST }, true, NULL, 400 },
	{ "Expect", { PLAIN, { "expect", "x" } }, true, NULL, 417 },
};

static char text[ROOM + CLBD_H2_HEAD_SPARE], crumbs[ROOM];

static enum clbd_result give(struct clbd_h2_head *in, const char *name,
			     const char *value)
{
	return clbd_h2_head_field(in, name, strlen(name), value,
				  strlen(value));
}

static void begin(struct clbd_h2_head *in, struct clbd_head *head)
{
	clbd_head_init(head, false);
	clbd_h2_head_begin(in, head, text, crumbs, ROOM);
}

static void request_cases(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct clbd_h2_head in;
		struct clbd_head head;
		enum clbd_result result;
		size_t at;

		begin(&in, &head);
		for (j = 0; j < MAX && requests[i].fields[j].name; j++)
			give(&in, requests[i].fields[j].name,
			     requests[i].fields[j].value);
		result = clbd_h2_head_end(&in, requests[i].ended);
		if (head.status != requests[i].status ||
		    result != (head.status ? CLBD_BAD : CLBD_DONE))
			fail_msg("%s: %u %s", requests[i].name, head.status,
				 head.reason);
		if (head.status)
			continue;
		at = head.fields[0].name.at;
		if (head.size - at != strlen(requests[i].lines) ||
		    memcmp(text + at, requests[i].lines, head.size - at))
			fail_msg("%s: %.*s", requests[i].name,
				 (int)(head.size - at), text + at);
	}
}

static void a_head_says_what_it_says(void **state)
{
	struct clbd_h2_head in;
	struct clbd_head head;

	(void)state;
	begin(&in, &head);
	give(&in, ":method", "PUT");
	give(&in, ":path", "/a?b");
	give(&in, ":authority", "a.example:80");
	give(&in, ":scheme", "http");
	assert_int_equal(clbd_h2_head_end(&in, false), CLBD_DONE);
	assert_int_equal(head.method, HTTP_PUT);
	assert_int_equal(head.minor, 1);
	assert_true(head.h2);
	assert_int_equal(head.framing, CLBD_FRAMING_CHUNKED);
	assert_memory_equal(text + head.path.at, "/a?b", head.path.size);
	assert_memory_equal(text + head.host.at, "a.example", head.host.size);
	assert_int_equal(head.host.size, 9);
	assert_false(head.close);
}

/* What is too much is refused; what is far too much is not read any more. */
static void heads_are_bounded(void **state)
{
	static const char *const names[] = { "a", "cookie" };
	struct clbd_h2_head in;
	struct clbd_head head;
	unsigned int i, n;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin(&in, &head);
		for (n = 0; give(&in, names[i], "bcdef") == CLBD_MORE; n++)
			assert_true(n < CLBD_H2_HEAD_FIELDS);
		assert_int_equal(clbd_h2_head_end(&in, true), CLBD_BAD);
		assert_int_equal(head.status, 431);
	}
	begin(&in, &head);
	for (n = 0; n < CLBD_H2_HEAD_FIELDS; n++)
		assert_int_equal(give(&in, "a", ""), CLBD_MORE);
	assert_int_equal(give(&in, "a", ""), CLBD_BAD);
}

/* However much there is, the end fits into what was kept for it. */
static void the_end_has_room(void **state)
{
	static char value[ROOM];
	size_t size;

	(void)state;
	memset(value, 'v', sizeof(value));
	for (size = ROOM - 100; size < ROOM; size++) {
		struct clbd_h2_head in;
		struct clbd_head head;

		begin(&in, &head);
		give(&in, ":method", "PUT");
		give(&in, ":path", "/");
		give(&in, ":scheme", "http");
		give(&in, ":authority", "a");
		clbd_h2_head_field(&in, "cookie", 6, value, size);
		clbd_h2_head_end(&in, false);
		assert_true(head.size <= ROOM + CLBD_H2_HEAD_SPARE);
		assert_true(!head.status || head.status == 431);
	}
}

static void trailer_cases(void **state)
{
	static const struct {
		struct field field;
		const char *line;
	} cases[] = {
		{ { "a", "b" }, "a: b\r\n" },
		{ { "a", "" }, "a: \r\n" },
		{ { ":path", "/" }, NULL },
		{ { "A", "b" }, NULL },
		{ { "", "b" }, NULL },
		{ { "a", "b\r\nc: d" }, NULL },
		{ { "a\r\nb", "c" }, NULL },
		{ { "a", " b" }, NULL },
	};
	size_t i, size;
	char out[64];

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct field *field = &cases[i].field;

		size = clbd_h2_trailer(out, sizeof(out), field->name,
				       strlen(field->name), field->value,
				       strlen(field->value));
		if (size != (cases[i].line ? strlen(cases[i].line) : 0) ||
		    (size && memcmp(out, cases[i].line, size)))
			fail_msg("%s: %s", field->name, field->value);
	}
	assert_int_equal(clbd_h2_trailer(out, 5, "a", 1, "b", 1), 0);
	assert_int_equal(clbd_h2_trailer(out, 6, "a", 1, "b", 1), 6);
}

static void replies(void **state)
{
	static const char head[] = "HTTP/1.1 207 So so\r\nA-B:  c \r\n"
				   "Connection: close\r\n"
				   "Transfer-Encoding: chunked\r\nEmpty:\r\n"
				   "\r\nbody";
	struct clbd_h2_reply reply;

	(void)state;
	assert_int_equal(clbd_h2_reply_read(&reply, head, sizeof(head) - 1),
			 sizeof(head) - 5);
	assert_int_equal(reply.status, 207);
	assert_int_equal(reply.count, 3);
	assert_memory_equal(reply.fields[0].value, "207", 3);
	assert_int_equal(reply.fields[1].namelen, 3);
	assert_int_equal(reply.fields[1].valuelen, 1);
	assert_memory_equal(reply.fields[1].value, "c", 1);
	assert_int_equal(reply.fields[2].valuelen, 0);
	assert_int_equal(clbd_h2_reply_read(&reply, head, 40), 0);
	assert_int_equal(clbd_h2_reply_trailers(&reply, "a: b\r\n\r\n", 8), 8);
	assert_int_equal(reply.count, 1);
}

static void prefaces(void **state)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(preface) - 1; i++)
		assert_int_equal(clbd_h2_preface(preface, i), CLBD_MORE);
	assert_int_equal(clbd_h2_preface(preface, i), CLBD_DONE);
	assert_int_equal(clbd_h2_preface("PRI * HTTP/2.1", 14), CLBD_BAD);
	assert_int_equal(clbd_h2_preface("GET", 3), CLBD_BAD);
}

static void floods_end(void **state)
{
	struct clbd_h2_guard guard;
	unsigned int i;

	(void)state;
	clbd_h2_guard_init(&guard, 5000);
	for (i = 0; i < CLBD_H2_RESETS; i++)
		assert_true(clbd_h2_guard_reset(&guard, 5000));
	assert_false(clbd_h2_guard_reset(&guard, 5000));
	assert_false(clbd_h2_guard_reset(&guard, 5040));
	assert_true(clbd_h2_guard_reset(&guard, 5050));
	for (i = 0; i < CLBD_H2_FRAMES; i++)
		assert_true(clbd_h2_guard_frame(&guard, 5050));
	assert_false(clbd_h2_guard_frame(&guard, 5050));
	clbd_h2_guard_allow(&guard);
	assert_true(clbd_h2_guard_frame(&guard, 5050));
	assert_true(clbd_h2_guard_frame(&guard, 5050));
	assert_false(clbd_h2_guard_frame(&guard, 5050));
	/* Nobody saves for more than there is at once. */
	for (i = 0; i < CLBD_H2_RESETS; i++)
		assert_true(clbd_h2_guard_reset(&guard, UINT64_C(1) << 50));
	assert_false(clbd_h2_guard_reset(&guard, UINT64_C(1) << 50));
}

/* Each way of cutting it in two finds the same frames. */
static void empty_frames_are_found(void **state)
{
	static const uint8_t data[] =
		NGHTTP2_CLIENT_MAGIC "\0\0\0\4\0\0\0\0\0" /* SETTINGS */
		"\0\0\0\0\0\0\0\0\1" /* DATA, nothing */
		"\0\0\3\0\0\0\0\0\1\0\0\0" /* DATA, three bytes */
		"\0\0\0\0\1\0\0\0\3"; /* DATA, nothing, the end */
	const size_t size = sizeof(data) - 1;
	struct clbd_h2_scan scan;
	unsigned int found;
	size_t cut;

	(void)state;
	for (cut = 0; cut <= size; cut++) {
		clbd_h2_scan_init(&scan);
		found = clbd_h2_scan(&scan, data, cut);
		found += clbd_h2_scan(&scan, data + cut, size - cut);
		assert_int_equal(found, 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_cases),
		cmocka_unit_test(a_head_says_what_it_says),
		cmocka_unit_test(heads_are_bounded),
		cmocka_unit_test(the_end_has_room),
		cmocka_unit_test(trailer_cases),
		cmocka_unit_test(replies),
		cmocka_unit_test(prefaces),
		cmocka_unit_test(floods_end),
		cmocka_unit_test(empty_frames_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
