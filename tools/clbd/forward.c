// SPDX-License-Identifier: MIT
/* Heads as they are passed on: fields of one hop left out, ours put in. */
#include "clbd/forward.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clbd/client.h"
#include "clbd/coding.h"
#include "clbd/stage.h"
#include "clbd/sticky.h"
#include "clbd/worker.h"
#include "lib/number.h"

/* Writes behind what a buffer holds; what has no room is noted. */
struct writer {
	char *at;
	char *end;
	bool full;
};

static struct writer begin(struct clbd_buffer *out)
{
	return (struct writer){
		.at = out->data + out->end,
		.end = out->data + out->size - CLBD_FORWARD_SPARE,
	};
}

static int finish(const struct writer *writer, struct clbd_buffer *out)
{
	if (writer->full)
		return -ENOBUFS;
	out->end = writer->at - out->data;
	return 0;
}

static void put(struct writer *writer, const void *data, size_t size)
{
	if (size > (size_t)(writer->end - writer->at)) {
		writer->full = true;
		return;
	}
	memcpy(writer->at, data, size);
	writer->at += size;
}

#define PUT(writer, literal) put(writer, literal, sizeof(literal) - 1)

static void put_slice(struct writer *writer, const char *text,
		      struct clbd_slice slice)
{
	put(writer, text + slice.at, slice.size);
}

static void put_number(struct writer *writer, unsigned int number)
{
	char digits[12];

	put(writer, digits, clb_number_put(digits, number) - digits);
}

/* Where the line of field @i begins; of that behind the last, the empty one. */
static size_t line_of(const struct clbd_head *head, size_t i)
{
	return i < head->count ? head->fields[i].name.at : head->size - 2u;
}

/* Copies the lines of fields that are to be passed on, as few pieces. */
static void put_fields(struct writer *writer, const struct clbd_head *head,
		       const char *text,
		       bool (*drop)(const struct clbd_head *head,
				    const struct clbd_field *field,
				    const char *text))
{
	size_t from = line_of(head, 0), i;

	for (i = 0; i < head->count; i++) {
		if (!head->fields[i].hop && !drop(head, &head->fields[i], text))
			continue;
		put(writer, text + from, line_of(head, i) - from);
		from = line_of(head, i + 1);
	}
	put(writer, text + from, line_of(head, head->count) - from);
}

static bool drop_of_request(const struct clbd_head *head,
			    const struct clbd_field *field, const char *text)
{
	(void)text;
	switch (field->id) {
	case CLBD_FIELD_EXPECT:
		return !head->expects;
	case CLBD_FIELD_DISGUISED:
	case CLBD_FIELD_PROXY:
	case CLBD_FIELD_X_FORWARDED_FOR:
	case CLBD_FIELD_X_FORWARDED_PORT:
	case CLBD_FIELD_X_FORWARDED_PROTO:
	case CLBD_FIELD_X_CLIENT_PORT:
	case CLBD_FIELD_X_LISTENER_ADDRESS:
	case CLBD_FIELD_X_LISTENER_NAME:
		return true;
	default:
		return false;
	}
}

/* What came, in one line, and the client behind it. */
static void put_forwarded_for(struct writer *writer,
			      const struct clbd_session *session)
{
	const struct clbd_head *head = &session->request;
	const struct clbd_client *client = session->client;
	size_t i;

	PUT(writer, "X-Forwarded-For: ");
	for (i = 0; i < head->count; i++) {
		const struct clbd_field *field = &head->fields[i];

		if (field->id != CLBD_FIELD_X_FORWARDED_FOR ||
		    !field->value.size)
			continue;
		put_slice(writer, session->text, field->value);
		PUT(writer, ", ");
	}
	put(writer, client->peer, client->peer_size);
	PUT(writer, "\r\n");
}

static void put_request_line(struct writer *writer,
			     const struct clbd_session *session)
{
	const struct clbd_head *head = &session->request;
	const char *method = llhttp_method_name(head->method);

	put(writer, method, strlen(method));
	PUT(writer, " ");
	/* "http://host" and "http://host?query" lack the slash. */
	if (!head->path.size || session->text[head->path.at] == '?')
		PUT(writer, "/");
	put_slice(writer, session->text, head->path);
	PUT(writer, " HTTP/1.1\r\n");
}

int clbd_forward_request(const struct clbd_session *session,
			 struct clbd_buffer *out)
{
	const struct clbd_listener *listener = session->listener;
	const struct clbd_head *head = &session->request;
	struct writer writer = begin(out);

	put_request_line(&writer, session);
	if (!head->host.size) {
		PUT(&writer, "Host: ");
		put(&writer, listener->config->address,
		    strlen(listener->config->address));
		PUT(&writer, "\r\n");
	}
	put_fields(&writer, head, session->text, drop_of_request);
	put_forwarded_for(&writer, session);
	put(&writer, listener->stamp, listener->stamp_size);
	if (listener->client_port) {
		PUT(&writer, "X-Forwarded-Client-srcport: ");
		put_number(&writer, session->client->peer_port);
		PUT(&writer, "\r\n");
	}
	if (head->websocket)
		PUT(&writer, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
	PUT(&writer, "\r\n");
	return finish(&writer, out);
}

static bool drop_of_response(const struct clbd_head *head,
			     const struct clbd_field *field, const char *text)
{
	bool bodiless = head->status < 200 || head->status == 204;

	(void)text;
	return bodiless && (field->id == CLBD_FIELD_CONTENT_LENGTH ||
			    field->id == CLBD_FIELD_TRANSFER_ENCODING);
}

/* A client of HTTP/1.0 gets chunked bodies without the chunks. */
static bool drop_of_old_response(const struct clbd_head *head,
				 const struct clbd_field *field,
				 const char *text)
{
	return field->id == CLBD_FIELD_TRANSFER_ENCODING ||
	       field->id == CLBD_FIELD_TRAILER ||
	       drop_of_response(head, field, text);
}

/* A compressed one is framed anew, and other bytes than it was tagged for. */
static bool drop_of_packed_response(const struct clbd_head *head,
				    const struct clbd_field *field,
				    const char *text)
{
	(void)head;
	return clbd_coding_drops(text + field->name.at, field->name.size);
}

/* The tag is told anew. */
static bool drop_of_weak_response(const struct clbd_head *head,
				  const struct clbd_field *field,
				  const char *text)
{
	return clbd_coding_is_etag(text + field->name.at, field->name.size) ||
	       drop_of_response(head, field, text);
}

/* The same bytes are not sent again another time: the tag is a weak one. */
static void put_etag(struct writer *writer, const struct clbd_head *head,
		     const char *text)
{
	size_t i;

	for (i = 0; i < head->count; i++) {
		const struct clbd_field *field = &head->fields[i];

		if (!clbd_coding_is_etag(text + field->name.at,
					 field->name.size))
			continue;
		PUT(writer, "ETag: ");
		if (field->value.size && text[field->value.at] == '"')
			PUT(writer, "W/");
		put_slice(writer, text, field->value);
		PUT(writer, "\r\n");
	}
}

static void put_coding(struct writer *writer,
		       const struct clbd_session *session, const char *text)
{
	if (session->weak)
		put_etag(writer, &session->response, text);
	if (session->gzip)
		PUT(writer, "Content-Encoding: gzip\r\n");
	if (session->gzip || session->chunking)
		PUT(writer, "Transfer-Encoding: chunked\r\n");
	if (session->varies && !clbd_coding_varies(&session->response, text))
		PUT(writer, "Vary: Accept-Encoding\r\n");
}

static void put_connection(struct writer *writer,
			   const struct clbd_session *session, uint16_t status)
{
	if (status == 101)
		PUT(writer, "Connection: Upgrade\r\nUpgrade: websocket\r\n");
	else if (status < 200)
		return;
	else if (session->close)
		PUT(writer, "Connection: close\r\n");
	else if (!session->request.minor)
		PUT(writer, "Connection: keep-alive\r\n");
}

static void put_cookie(struct writer *writer,
		       const struct clbd_session *session)
{
	const struct clbd_group *group = session->group;

	PUT(writer, "Set-Cookie: ");
	put(writer, group->cookie, strlen(group->cookie));
	PUT(writer, "=");
	put(writer, group->tokens[session->index], CLBD_COOKIE_TOKEN);
	PUT(writer, "; Path=/; HttpOnly");
	if (group->cookie_lifetime) {
		PUT(writer, "; Max-Age=");
		put_number(writer, group->cookie_lifetime);
	}
	PUT(writer, "\r\n");
}

/* The servers' own: before its value, whose it is. */
static void put_server_cookies(struct writer *writer,
			       const struct clbd_session *session,
			       const char *text)
{
	const struct clbd_head *head = &session->response;
	const struct clbd_group *group = session->group;
	size_t i, begin;

	for (i = 0; group->server_cookie && i < head->count; i++) {
		const struct clbd_field *field = &head->fields[i];
		const char *value = text + field->value.at;

		if (!clbd_sticky_is_set(session, field, text))
			continue;
		begin = clbd_sticky_value(value, field->value.size,
					  group->server_cookie);
		PUT(writer, "Set-Cookie: ");
		put(writer, value, begin);
		put(writer, group->tokens[session->index], CLBD_COOKIE_TOKEN);
		PUT(writer, "~");
		put(writer, value + begin, field->value.size - begin);
		PUT(writer, "\r\n");
	}
}

int clbd_forward_response(const struct clbd_session *session, const char *text,
			  struct clbd_buffer *out)
{
	const struct clbd_head *head = &session->response;
	struct writer writer = begin(out);

	PUT(&writer, "HTTP/1.1 ");
	put_number(&writer, head->status);
	PUT(&writer, " ");
	put_slice(&writer, text, head->phrase);
	PUT(&writer, "\r\n");
	put_fields(&writer, head, text,
		   session->gzip	    ? drop_of_packed_response
		   : session->weak	    ? drop_of_weak_response
		   : session->request.minor ? drop_of_response
					    : drop_of_old_response);
	put_coding(&writer, session, text);
	if (clbd_session_binds(session))
		put_cookie(&writer, session);
	put_server_cookies(&writer, session, text);
	put_connection(&writer, session, head->status);
	PUT(&writer, "\r\n");
	return finish(&writer, out);
}

static const char *phrase_of(uint16_t status)
{
	static const struct {
		uint16_t status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" },
		{ 301, "Moved Permanently" },
		{ 302, "Found" },
		{ 303, "See Other" },
		{ 307, "Temporary Redirect" },
		{ 308, "Permanent Redirect" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 417, "Expectation Failed" },
		{ 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 501, "Not Implemented" },
		{ 502, "Bad Gateway" },
		{ 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
		if (phrases[i].status == status)
			return phrases[i].phrase;
	}
	return "Error";
}

/* $host and $uri are those of the request; both were checked by the decoder. */
static void put_location(struct writer *writer,
			 const struct clbd_session *session)
{
	const struct clbd_head *head = &session->request;
	const char *at = session->target->redirect;

	PUT(writer, "Location: ");
	while (*at) {
		size_t size = strcspn(at, "$");

		put(writer, at, size);
		at += size;
		if (!strncmp(at, "$host", 5)) {
			put_slice(writer, session->text, head->host);
			at += 5;
		} else if (!strncmp(at, "$uri", 4)) {
			put_slice(writer, session->text, head->path);
			at += 4;
		} else if (*at) {
			put(writer, at++, 1);
		}
	}
	PUT(writer, "\r\n");
}

/* What an answer says, in words of its own or of a page. */
struct answer {
	const char *type;
	const char *text;
	size_t size;
	char own[64];
};

/* What the head of an answer has at most, with a location. */
#define HEAD_MOST 2048

/* One for which there is room behind 1xx responses that were not sent yet. */
static const struct clbd_page *page_of(const struct clbd_session *session,
				       uint16_t status, uint32_t room)
{
	const struct clbd_listener *listener = session->listener;
	uint32_t i;

	for (i = 0; listener->pages && i < listener->config->page_count; i++) {
		if (listener->pages[i].status == status &&
		    listener->pages[i].size + HEAD_MOST <= room)
			return &listener->pages[i];
	}
	return NULL;
}

static void fill_answer(const struct clbd_session *session, uint16_t status,
			uint32_t room, struct answer *answer)
{
	const struct clbd_page *page = page_of(session, status, room);

	answer->type = "text/plain";
	answer->text = answer->own;
	if (page) {
		answer->type = page->type;
		answer->text = page->text;
		answer->size = page->size;
	} else {
		answer->size = snprintf(answer->own, sizeof(answer->own),
					"%u %s\n", status, phrase_of(status));
	}
}

int clbd_forward_metrics(const struct clbd_session *session,
			 struct clbd_buffer *out)
{
	struct writer writer = begin(out);

	PUT(&writer, "HTTP/1.1 200 OK\r\n"
		     "Content-Type: text/plain; version=0.0.4\r\n");
	if (session->request.minor)
		PUT(&writer, "Transfer-Encoding: chunked\r\n");
	put_connection(&writer, session, 200);
	PUT(&writer, "\r\n");
	return finish(&writer, out);
}

int clbd_forward_answer(const struct clbd_session *session, uint16_t status,
			struct clbd_buffer *out)
{
	struct writer writer = begin(out);
	const char *more = "";
	struct answer answer;
	char head[400];
	int size;

	if (status == 405)
		more = "Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, "
		       "PATCH\r\n";
	else if (status == 429)
		more = "Retry-After: 1\r\n";
	fill_answer(session, status, clbd_buffer_room(out), &answer);
	size = snprintf(head, sizeof(head),
			"HTTP/1.1 %u %s\r\n"
			"Content-Type: %s\r\n"
			"Content-Length: %zu\r\n%s",
			status, phrase_of(status), answer.type, answer.size,
			more);
	put(&writer, head, size);
	if (status >= 300 && status < 400)
		put_location(&writer, session);
	put_connection(&writer, session, status);
	PUT(&writer, "\r\n");
	if (session->request.method != HTTP_HEAD || !session->text)
		put(&writer, answer.text, answer.size);
	return finish(&writer, out);
}
