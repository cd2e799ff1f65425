// SPDX-License-Identifier: MIT
/* Heads and bodies: what is taken, what is refused, however it arrives. */
#include <stdio.h>
#include <string.h>

#include "clbd/body.h"
#include "clbd/head.h"
#include "test.h"

/* Gives @size bytes in pieces of @step; returns the first answer but MORE. */
static enum clbd_result parse(struct clbd_head *head, bool response,
			      const char *text, size_t size, size_t step)
{
	enum clbd_result result = CLBD_MORE;
	size_t given = 0;

	clbd_head_init(head, response);
	while (result == CLBD_MORE && given < size) {
		given = given + step < size ? given + step : size;
		result = clbd_head_parse(head, text, given);
	}
	return result;
}

#define G "GET / HTTP/1.1\r\n"
#define H "Host: a.example\r\n"
#define P "POST / HTTP/1.1\r\n" H

/* { what it is, a request, 0: taken, or the status that it is refused with } */
static const struct {
	const char *name;
	const char *text;
	unsigned int status;
} requests[] = {
	{ "plain", G H "\r\n", 0 },
	{ "HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", 0 },
	{ "empty value", G H "X:\r\n\r\n", 0 },
	{ "value with space around", G H "X: \t a b \t \r\n\r\n", 0 },
	{ "value with high bytes", G H "X: \xc3\xa9\xff\r\n\r\n", 0 },
	{ "no space after the colon", G "Host:a.example\r\n\r\n", 0 },
	{ "length", P "Content-Length: 5\r\n\r\n", 0 },
	{ "chunked", P "Transfer-Encoding: chunked\r\n\r\n", 0 },
	{ "chunked in capitals", P "transfer-encoding: CHUNKED\r\n\r\n", 0 },
	{ "port", G "Host: a.example:8080\r\n\r\n", 0 },
	{ "IPv6", G "Host: [2001:db8::1]:8080\r\n\r\n", 0 },
	{ "absolute form", "GET http://a.example/x HTTP/1.1\r\n" H "\r\n", 0 },
	{ "absolute form, no path", "GET http://A.example HTTP/1.1\r\n" H "\r\n", 0 },
	{ "asterisk form", "OPTIONS * HTTP/1.1\r\n" H "\r\n", 0 },
	{ "100-continue", P "Expect: 100-Continue\r\n\r\n", 0 },

	/* where lines end */
	{ "LF alone after the request line", "GET / HTTP/1.1\n" H "\r\n", 400 },
	{ "LF alone after a field", G "Host: a.example\n\r\n", 400 },
	{ "LF alone at the end", G H "\n", 400 },
	{ "CR within a value", G H "X: a\rb\r\n\r\n", 400 },
	{ "CR CR LF", G H "X: a\r\r\n\r\n", 400 },
	{ "obs-fold with space", G H "X: a\r\n b\r\n\r\n", 400 },
	{ "obs-fold with tab", G H "X: a\r\n\tb\r\n\r\n", 400 },
	{ "obs-fold before the first field", G " X: a\r\n" H "\r\n", 400 },
	{ "obs-fold of an empty value", G H "X:\r\n a\r\n\r\n", 400 },
	{ "folded Transfer-Encoding",
	  P "Transfer-Encoding:\r\n chunked\r\n\r\n", 400 },

	/* names and values */
	{ "space before the colon", G "Host : a.example\r\n\r\n", 400 },
	{ "tab before the colon", G "Host\t: a.example\r\n\r\n", 400 },
	{ "space before a name", G H " X: a\r\n\r\n", 400 },
	{ "space in a name", G H "X Y: a\r\n\r\n", 400 },
	{ "empty name", G H ": a\r\n\r\n", 400 },
	{ "no colon", G H "X\r\n\r\n", 400 },
	{ "bracket in a name", G H "X[]: a\r\n\r\n", 400 },
	{ "high byte in a name", G H "X\xff: a\r\n\r\n", 400 },
	{ "control byte in a value", G H "X: a\x01\r\n\r\n", 400 },
	{ "DEL in a value", G H "X: a\x7f\r\n\r\n", 400 },
	{ "vertical tab around a value",
	  P "Transfer-Encoding: \vchunked\r\n\r\n", 400 },

	/* what frames the body */
	{ "length and chunked",
	  P "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "chunked and length",
	  P "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400 },
	{ "two lengths",
	  P "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400 },
	{ "two lengths alike",
	  P "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400 },
	{ "list of lengths", P "Content-Length: 5, 5\r\n\r\n", 400 },
	{ "length with a sign", P "Content-Length: +5\r\n\r\n", 400 },
	{ "negative length", P "Content-Length: -5\r\n\r\n", 400 },
	{ "length in hex", P "Content-Length: 0x5\r\n\r\n", 400 },
	{ "length with a space", P "Content-Length: 5 5\r\n\r\n", 400 },
	{ "empty length", P "Content-Length:\r\n\r\n", 400 },
	{ "length that overflows",
	  P "Content-Length: 18446744073709551617\r\n\r\n", 400 },
	{ "length of 19 digits",
	  P "Content-Length: 1000000000000000000\r\n\r\n", 400 },
	{ "chunked twice",
	  P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	  400 },
	{ "chunked, chunked", P "Transfer-Encoding: chunked, chunked\r\n\r\n", 400 },
	{ "identity", P "Transfer-Encoding: identity\r\n\r\n", 400 },
	{ "gzip, chunked", P "Transfer-Encoding: gzip, chunked\r\n\r\n", 400 },
	{ "chunked, identity",
	  P "Transfer-Encoding: chunked, identity\r\n\r\n", 400 },
	{ "xchunked", P "Transfer-Encoding: xchunked\r\n\r\n", 400 },
	{ "quoted chunked", P "Transfer-Encoding: \"chunked\"\r\n\r\n", 400 },
	{ "chunked with a parameter",
	  P "Transfer-Encoding: chunked;q=1\r\n\r\n", 400 },
	{ "empty Transfer-Encoding", P "Transfer-Encoding:\r\n\r\n", 400 },
	{ "Transfer-Encoding on HTTP/1.0",
	  "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ "Connection takes the length away",
	  P "Content-Length: 5\r\nConnection: content-length\r\n\r\n", 400 },
	{ "Connection takes Host away",
	  G H "Connection: close, Host\r\n\r\n", 400 },

	/* where it goes */
	{ "no Host", G "\r\n", 400 },
	{ "two Hosts", G H H "\r\n", 400 },
	{ "two Hosts on HTTP/1.0", "GET / HTTP/1.0\r\n" H H "\r\n", 400 },
	{ "empty Host", G "Host:\r\n\r\n", 400 },
	{ "Host with a path", G "Host: a.example/x\r\n\r\n", 400 },
	{ "Host with a user", G "Host: b@a.example\r\n\r\n", 400 },
	{ "list of Hosts", G "Host: a.example, b.example\r\n\r\n", 400 },
	{ "Host with a space", G "Host: a.example b\r\n\r\n", 400 },
	{ "port that is none", G "Host: a.example:8x\r\n\r\n", 400 },
	{ "two ports", G "Host: a.example:80:80\r\n\r\n", 400 },
	{ "brackets", G "Host: [::1\r\n\r\n", 400 },
	{ "target of another host",
	  "GET http://b.example/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "target with a user",
	  "GET http://a@a.example/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "target of another scheme",
	  "GET https://a.example/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "target without a slash", "GET x HTTP/1.1\r\n" H "\r\n", 400 },
	{ "asterisk for GET", "GET * HTTP/1.1\r\n" H "\r\n", 400 },
	{ "high byte in the target", "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n", 400 },
	{ "fragment", "GET /#x HTTP/1.1\r\n" H "\r\n", 400 },
	{ "space in the target", "GET /a b HTTP/1.1\r\n" H "\r\n", 400 },
	{ "two spaces", "GET  / HTTP/1.1\r\n" H "\r\n", 400 },
	{ "tab for a space", "GET\t/ HTTP/1.1\r\n" H "\r\n", 400 },
	{ "space at the end of the line", "GET / HTTP/1.1 \r\n" H "\r\n", 400 },

	/* methods and versions */
	{ "CONNECT", "CONNECT a.example:80 HTTP/1.1\r\n" H "\r\n", 405 },
	{ "TRACE", "TRACE / HTTP/1.1\r\n" H "\r\n", 405 },
	{ "unknown method", "FROB / HTTP/1.1\r\n" H "\r\n", 501 },
	{ "method in small letters", "get / HTTP/1.1\r\n" H "\r\n", 501 },
	{ "TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400 },
	{ "HTTP/0.9", "GET / HTTP/0.9\r\n" H "\r\n", 505 },
	{ "HTTP/1.2", "GET / HTTP/1.2\r\n" H "\r\n", 505 },
	{ "HTTP/2.0", "GET / HTTP/2.0\r\n" H "\r\n", 505 },
	{ "HTTP/0.9 without a version", "GET /\r\n" H "\r\n", 505 },
	{ "version in small letters", "GET / http/1.1\r\n" H "\r\n", 400 },
	{ "another expectation", P "Expect: 200-ok\r\n\r\n", 417 },
};

static void request_cases(void **state)
{
	struct clbd_head head;
	size_t i, step;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		const char *text = requests[i].text;
		size_t size = strlen(text);

		for (step = 1; step <= size; step++) {
			enum clbd_result result = parse(&head, false, text,
							size, step);

			if (result != (requests[i].status ? CLBD_BAD :
							    CLBD_DONE))
				fail_msg("%s, by %zu: result %d, %s",
					 requests[i].name, step, result,
					 head.reason ? head.reason : "");
			if (head.status != requests[i].status)
				fail_msg("%s, by %zu: %u, %s",
					 requests[i].name, step, head.status,
					 head.reason);
			if (result == CLBD_DONE)
				assert_int_equal(head.size, size);
		}
	}
}

/* NUL ends a string of C, but is a byte like others on the wire. */
static void nul_is_refused_everywhere(void **state)
{
	static const char good[] = G H "X: abc\r\nY: d\r\n\r\n";
	struct clbd_head head;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++) {
		char text[sizeof(good)];

		memcpy(text, good, sizeof(text));
		text[i] = 0;
		assert_int_not_equal(parse(&head, false, text,
					   sizeof(good) - 1, sizeof(good)),
				     CLBD_DONE);
	}
}

/* { what it is, a response, whether it is taken } */
static const struct {
	const char *name;
	const char *text;
	bool good;
} responses[] = {
	{ "plain", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true },
	{ "no phrase", "HTTP/1.1 200 \r\n\r\n", true },
	{ "no phrase, no space", "HTTP/1.1 200\r\n\r\n", true },
	{ "HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", true },
	{ "1xx", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", true },
	{ "two lengths",
	  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
	  false },
	{ "length and chunked",
	  "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
	  false },
	{ "chunked on HTTP/1.0",
	  "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false },
	{ "gzip, chunked",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false },
	{ "LF alone", "HTTP/1.1 200 OK\nContent-Length: 5\n\n", false },
	{ "obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", false },
	{ "space before the colon", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", false },
	{ "control byte in the phrase", "HTTP/1.1 200 O\x01K\r\n\r\n", false },
	{ "four digits", "HTTP/1.1 2000 OK\r\n\r\n", false },
	{ "two digits", "HTTP/1.1 20 OK\r\n\r\n", false },
	{ "status 000", "HTTP/1.1 000 OK\r\n\r\n", false },
	{ "status 600", "HTTP/1.1 600 OK\r\n\r\n", false },
	{ "HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", false },
	{ "HTTP/0.9", "<html>", false },
};

static void response_cases(void **state)
{
	struct clbd_head head;
	size_t i, step;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(responses); i++) {
		const char *text = responses[i].text;
		size_t size = strlen(text);

		for (step = 1; step <= size; step++) {
			enum clbd_result result = parse(&head, true, text, size,
							step);

			if (result != (responses[i].good ? CLBD_DONE :
							   CLBD_BAD))
				fail_msg("%s, by %zu: %d, %s",
					 responses[i].name, step, result,
					 head.reason ? head.reason : "");
		}
	}
}

static void meaning_of_a_request(void **state)
{
	static const char text[] =
		"GET http://A.example:80/p?q HTTP/1.1\r\n"
		"host: a.EXAMPLE:80\r\n"
		"Connection: Upgrade, x-mine\r\n"
		"Upgrade: websocket\r\n"
		"X-Mine: 1\r\n"
		"X-Yours: 2\r\n\r\nbody";
	struct clbd_head head;

	(void)state;
	assert_int_equal(parse(&head, false, text, sizeof(text) - 1, 7),
			 CLBD_DONE);
	assert_int_equal(head.size, sizeof(text) - 1 - 4);
	assert_int_equal(head.method, HTTP_GET);
	assert_int_equal(head.minor, 1);
	assert_int_equal(head.path.size, 4);
	assert_memory_equal(text + head.path.at, "/p?q", 4);
	assert_int_equal(head.host.size, 9);
	assert_memory_equal(text + head.host.at, "a.EXAMPLE", 9);
	assert_int_equal(head.count, 5);
	assert_true(head.websocket);
	assert_false(head.close);
	assert_false(head.fields[0].hop);
	assert_true(head.fields[1].hop);
	assert_true(head.fields[2].hop);
	assert_true(head.fields[3].hop);
	assert_false(head.fields[4].hop);
	assert_int_equal(head.framing, CLBD_FRAMING_NONE);
}

static void whether_the_connection_goes_on(void **state)
{
	static const struct {
		const char *text;
		bool close;
	} cases[] = {
		{ G H "\r\n", false },
		{ G H "Connection: close\r\n\r\n", true },
		{ G H "Connection: keep-alive, Close\r\n\r\n", true },
		{ G H "Connection: x\r\nConnection: close\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false },
		{ "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
		  true },
	};
	struct clbd_head head;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(parse(&head, false, cases[i].text,
				       strlen(cases[i].text), 100), CLBD_DONE);
		if (head.close != cases[i].close)
			fail_msg("%s", cases[i].text);
	}
}

/* Only a bodiless GET of HTTP/1.1 that says so in Connection, for websocket. */
static void who_may_upgrade(void **state)
{
	static const char *const refused[] = {
		G H "Upgrade: websocket\r\n\r\n",
		G H "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n",
		G H "Connection: upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
		P "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
		G H "Connection: upgrade\r\nUpgrade: websocket\r\n"
		    "Content-Length: 1\r\n\r\n",
		"GET / HTTP/1.0\r\n" H
		"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
	};
	struct clbd_head head;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		assert_int_equal(parse(&head, false, refused[i],
				       strlen(refused[i]), 1000), CLBD_DONE);
		if (head.websocket)
			fail_msg("%s", refused[i]);
	}
}

static void as_many_fields_as_there_is_room_for(void **state)
{
	char text[4096] = G H;
	struct clbd_head head;
	size_t i;

	(void)state;
	for (i = 1; i < CLBD_HEAD_FIELDS; i++)
		strcat(text, "X: y\r\n");
	strcat(text, "\r\n");
	assert_int_equal(parse(&head, false, text, strlen(text), 10),
			 CLBD_DONE);
	assert_int_equal(head.count, CLBD_HEAD_FIELDS);
	strcpy(text + strlen(text) - 2, "X: y\r\n\r\n");
	assert_int_equal(parse(&head, false, text, strlen(text), 10),
			 CLBD_BAD);
	assert_int_equal(head.status, 431);
}

static void what_ends_a_response(void **state)
{
	static const struct {
		unsigned int status;
		uint8_t method;
		const char *field;
		enum clbd_framing framing;
	} cases[] = {
		{ 200, HTTP_GET, "", CLBD_FRAMING_CLOSE },
		{ 200, HTTP_GET, "Content-Length: 0\r\n", CLBD_FRAMING_LENGTH },
		{ 200, HTTP_HEAD, "Content-Length: 5\r\n", CLBD_FRAMING_NONE },
		{ 200, HTTP_HEAD, "", CLBD_FRAMING_NONE },
		{ 204, HTTP_GET, "Content-Length: 5\r\n", CLBD_FRAMING_NONE },
		{ 304, HTTP_GET, "Content-Length: 5\r\n", CLBD_FRAMING_NONE },
		{ 404, HTTP_GET, "Transfer-Encoding: chunked\r\n",
		  CLBD_FRAMING_CHUNKED },
		{ 100, HTTP_POST, "", CLBD_FRAMING_NONE },
	};
	struct clbd_head head;
	char text[128];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(text, sizeof(text), "HTTP/1.1 %u X\r\n%s\r\n",
			 cases[i].status, cases[i].field);
		assert_int_equal(parse(&head, true, text, strlen(text), 5),
				 CLBD_DONE);
		clbd_head_answer(&head, cases[i].method);
		assert_int_equal(head.framing, cases[i].framing);
	}
}

/* { chunks, whether they are good, the data in them } */
static const struct {
	const char *text;
	enum clbd_result result;
	const char *data;
} chunks[] = {
	{ "0\r\n\r\n", CLBD_DONE, "" },
	{ "5\r\nhello\r\n0\r\n\r\n", CLBD_DONE, "hello" },
	{ "0005\r\nhello\r\n00\r\n\r\n", CLBD_DONE, "hello" },
	{ "A\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n", CLBD_DONE, "0123456789x" },
	{ "2\r\n\r\n\r\n0\r\n\r\n", CLBD_DONE, "\r\n" },
	{ "1\r\nx\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\n", CLBD_DONE, "x" },
	{ "5\r\nhell", CLBD_MORE, "hell" },
	{ "", CLBD_MORE, "" },
	{ "5\nhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "5\r\rhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "5\r\nhello\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "5\r\nhelloX0\r\n\r\n", CLBD_BAD, NULL },
	{ "5\r\nhello0\r\n\r\n", CLBD_BAD, NULL },
	{ "5 \r\nhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ " 5\r\nhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "5;x=y\r\nhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "0x5\r\nhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "+5\r\nhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "-5\r\nhello\r\n0\r\n\r\n", CLBD_BAD, NULL },
	{ "g\r\n", CLBD_BAD, NULL },
	{ "\r\n", CLBD_BAD, NULL },
	{ "1000000000000000\r\n", CLBD_BAD, NULL },
	{ "0\r\nContent-Length: 5\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\ntransfer-encoding: chunked\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\nHost: b.example\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\nX : 1\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\n X: 1\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\nX: 1\n\r\n", CLBD_BAD, NULL },
	{ "0\r\nX: a\x01\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\n: 1\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\nX\r\n\r\n", CLBD_BAD, NULL },
	{ "0\r\n\n", CLBD_BAD, NULL },
	{ "0\n\n", CLBD_BAD, NULL },
};

/* What came out is added to @out. */
static enum clbd_result parse_body(struct clbd_body *body, const char *text,
				   size_t size, size_t step, char *out)
{
	enum clbd_result result = CLBD_MORE;
	size_t at = 0;

	while (result == CLBD_MORE && at < size) {
		size_t n = size - at < step ? size - at : step, used, kept;
		char data[256];

		memcpy(data, text + at, n);
		result = clbd_body_parse(body, data, n, &used, &kept);
		if (result == CLBD_MORE)
			assert_int_equal(used, n);
		assert_true(kept <= used && used <= n);
		strncat(out, data, kept);
		at += used;
	}
	if (result == CLBD_DONE)
		assert_int_equal(at, size);
	return result;
}

static void chunk_cases(void **state)
{
	struct clbd_body body;
	size_t i, step;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(chunks); i++) {
		const char *text = chunks[i].text;
		size_t size = strlen(text);

		for (step = 1; step <= size; step++) {
			char whole[256] = "", data[256] = "";
			enum clbd_result result;

			clbd_body_init(&body, CLBD_FRAMING_CHUNKED, 0);
			result = parse_body(&body, text, size, step, whole);
			if (result != chunks[i].result)
				fail_msg("%zu, by %zu: %d", i, step, result);
			if (result == CLBD_BAD)
				continue;
			assert_string_equal(whole, text);
			clbd_body_init(&body, CLBD_FRAMING_CHUNKED, 0);
			body.strip = true;
			parse_body(&body, text, size, step, data);
			assert_string_equal(data, chunks[i].data);
		}
	}
}

static void a_length_ends_where_it_says(void **state)
{
	char data[] = "helloGET /";
	struct clbd_body body;
	size_t used, kept;

	(void)state;
	clbd_body_init(&body, CLBD_FRAMING_LENGTH, 5);
	assert_int_equal(clbd_body_parse(&body, data, 3, &used, &kept),
			 CLBD_MORE);
	assert_int_equal(used, 3);
	assert_int_equal(clbd_body_parse(&body, data + 3, 7, &used, &kept),
			 CLBD_DONE);
	assert_int_equal(used, 2);
	assert_int_equal(clbd_body_parse(&body, data + 5, 5, &used, &kept),
			 CLBD_DONE);
	assert_int_equal(used, 0);
	clbd_body_init(&body, CLBD_FRAMING_LENGTH, 0);
	assert_true(clbd_body_done(&body));
}

static void trailers_are_bounded(void **state)
{
	char text[CLBD_TRAILER_MAX + 64], out[2 * sizeof(text)];
	struct clbd_body body;
	size_t used, kept;

	(void)state;
	(void)out;
	memset(text, 'a', sizeof(text));
	memcpy(text, "0\r\nX:", 5);
	clbd_body_init(&body, CLBD_FRAMING_CHUNKED, 0);
	assert_int_equal(clbd_body_parse(&body, text, CLBD_TRAILER_MAX, &used,
					 &kept), CLBD_MORE);
	assert_int_equal(clbd_body_parse(&body, text, sizeof(text), &used,
					 &kept), CLBD_BAD);
}

static void every_field_is_found_by_its_name(void **state)
{
	static const char *const names[] = {
		"Connection", "Content-Length", "Cookie", "Expect", "Host",
		"Keep-Alive", "Proxy", "Proxy-Connection", "Referer",
		"Set-Cookie", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
		"User-Agent", "X-Forwarded-For", "X-Forwarded-Port",
		"X-Forwarded-Proto", "X-Forwarded-Client-srcport",
		"X-Listener-Address", "X-Listener-Name",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(clbd_field_find(names[i], strlen(names[i])),
				 i + 1);
	assert_int_equal(clbd_field_find("X_Forwarded-for", 15),
			 CLBD_FIELD_DISGUISED);
	assert_int_equal(clbd_field_find("X_Forwarded_By", 14),
			 CLBD_FIELD_OTHER);
	assert_int_equal(clbd_field_find("Hosts", 5), CLBD_FIELD_OTHER);
	assert_int_equal(clbd_field_find("", 0), CLBD_FIELD_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_cases),
		cmocka_unit_test(nul_is_refused_everywhere),
		cmocka_unit_test(response_cases),
		cmocka_unit_test(meaning_of_a_request),
		cmocka_unit_test(whether_the_connection_goes_on),
		cmocka_unit_test(who_may_upgrade),
		cmocka_unit_test(as_many_fields_as_there_is_room_for),
		cmocka_unit_test(what_ends_a_response),
		cmocka_unit_test(chunk_cases),
		cmocka_unit_test(a_length_ends_where_it_says),
		cmocka_unit_test(trailers_are_bounded),
		cmocka_unit_test(every_field_is_found_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
