// SPDX-License-Identifier: MIT
/* Lines of the access log, as workers write them. */
#include "clbd/log.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "clbd/client.h"
#include "clbd/h2_stream.h"
#include "clbd/session.h"
#include "clbd/worker.h"
#include "lib/number.h"

/* Lines wait so long at most, or until there are so many bytes. */
#define WAIT_MS 200
#define WAIT_BYTES (16 * 1024)

int clbd_log_open(struct clbd_log *log, int pipe, struct clbd_stats *stats)
{
	log->pipe = pipe;
	log->stats = stats;
	log->data = malloc(CLBD_LOG_BUFFER);
	return log->data ? 0 : -ENOMEM;
}

/* As much as the pipe has room for; the rest stays. */
static void flush(struct clbd_log *log)
{
	ssize_t n;

	if (!log->size)
		return;
	n = write(log->pipe, log->data, log->size);
	if (n <= 0)
		return;
	memmove(log->data, log->data + n, log->size - n);
	log->size -= n;
}

void clbd_log_close(struct clbd_log *log)
{
	flush(log);
	free(log->data);
	log->data = NULL;
}

void clbd_log_enable(struct clbd_log *log, bool enabled)
{
	log->enabled = enabled;
}

void clbd_log_tick(struct clbd_log *log, uint64_t now)
{
	if (log->size < WAIT_BYTES && now - log->since < WAIT_MS)
		return;
	log->since = now;
	flush(log);
}

/* A line that grows; one that finds no room is no line. */
struct line {
	char *at;
	char *end;
	bool full;
};

static void put(struct line *line, const char *text, size_t size)
{
	if (size > (size_t)(line->end - line->at)) {
		line->full = true;
		return;
	}
	memcpy(line->at, text, size);
	line->at += size;
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* What one string may take of a line: with all of them it is no line too long. */
#define STRING_MAX 10000
#define ESCAPE 6

/* How many bytes of a text there is room for, as they are written. */
static size_t cut(const char *text, size_t size)
{
	size_t i, written = 0;

	if (size <= STRING_MAX / ESCAPE)
		return size;
	for (i = 0; i < size; i++) {
		written += is_plain(text[i]) ? 1 : ESCAPE;
		if (written > STRING_MAX)
			break;
	}
	return i;
}

/* Bytes that are no ASCII are told one by one: a line is always JSON. */
static void put_escaped(struct line *line, const char *text, size_t size)
{
	size_t i, from = 0;

	size = cut(text, size);
	for (i = 0; i < size; i++) {
		unsigned char c = text[i];
		char escape[8];

		if (is_plain(c))
			continue;
		put(line, text + from, i - from);
		snprintf(escape, sizeof(escape), "\\u%04x", c);
		put(line, escape, ESCAPE);
		from = i + 1;
	}
	put(line, text + from, size - from);
}

static void put_name(struct line *line, const char *name)
{
	put_text(line, ",\"");
	put_text(line, name);
	put_text(line, "\":");
}

static void put_string(struct line *line, const char *name, const char *text,
		       size_t size)
{
	put_name(line, name);
	put(line, "\"", 1);
	put_escaped(line, text, size);
	put(line, "\"", 1);
}

static void put_number(struct line *line, const char *name, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	put_name(line, name);
	put_text(line, digits);
}

/* Milliseconds, as seconds. */
static void put_time(struct line *line, const char *name, uint64_t ms)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%" PRIu64 ".%03u", ms / 1000,
		 (unsigned int)(ms % 1000));
	put_name(line, name);
	put_text(line, digits);
}

static void put_field(struct line *line, const char *name,
		      const struct clbd_session *session, enum clbd_field_id id)
{
	const struct clbd_head *head = &session->request;
	size_t i;

	for (i = 0; session->text && i < head->count; i++) {
		const struct clbd_field *field = &head->fields[i];

		if (field->id == id) {
			put_string(line, name, session->text + field->value.at,
				   field->value.size);
			return;
		}
	}
	put_string(line, name, "", 0);
}

/* Made once a second. */
static const char *date_of(struct clbd_log *log)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != log->second) {
		log->second = now.tv_sec;
		gmtime_r(&now.tv_sec, &tm);
		snprintf(log->date, sizeof(log->date),
			 "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
			 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec);
	}
	return log->date;
}

static const char *const endings[] = {
	[CLBD_ENDING_NORMAL] = "normal",   [CLBD_ENDING_REFUSED] = "refused",
	[CLBD_ENDING_CLIENT] = "client",   [CLBD_ENDING_SERVER] = "server",
	[CLBD_ENDING_CONNECT] = "connect", [CLBD_ENDING_TIMEOUT] = "timeout",
	[CLBD_ENDING_LIMIT] = "limit",
};

static void put_request(struct line *line, const struct clbd_session *session)
{
	const struct clbd_head *head = &session->request;
	const char *text = session->text;
	const char *method = text ? llhttp_method_name(head->method) : "";

	put_string(line, "request_method", method, strlen(method));
	put_string(line, "request_uri", text ? text + head->target.at : "",
		   text ? head->target.size : 0);
	put_string(line, "server_protocol",
		   head->h2      ? "HTTP/2.0"
		   : head->minor ? "HTTP/1.1"
				 : "HTTP/1.0",
		   8);
	put_string(line, "host", text ? text + head->host.at : "",
		   text ? head->host.size : 0);
	put_field(line, "http_host", session, CLBD_FIELD_HOST);
	put_field(line, "http_referer", session, CLBD_FIELD_REFERER);
	put_field(line, "http_user_agent", session, CLBD_FIELD_USER_AGENT);
	put_field(line, "http_x_forwarded_for", session,
		  CLBD_FIELD_X_FORWARDED_FOR);
	put_number(line, "request_length", head->size + session->sent);
}

/* A stream has none of its own: that of its connection. */
static int socket_of(const struct clbd_session *session)
{
	const struct clbd_stream *stream = (const void *)session->client;

	return session->request.h2 ? stream->h2->client->conn.fd
				   : session->client->conn.fd;
}

/* In microseconds, as the kernel has it; 0 of a socket that is closed. */
static uint32_t round_trip(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t size = offsetof(struct tcp_info, tcpi_rttvar);

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
	return info.tcpi_rtt;
}

/* How long it took to come, and how long its response took to go. */
static void put_times(struct line *line, const struct clbd_session *session,
		      uint64_t now)
{
	put_time(line, "request_time", now - session->start);
	put_time(line, "read_request_time",
		 (session->received ? session->received : now) -
			 session->start);
	put_time(line, "write_response_time",
		 session->headed ? now - session->answered : 0);
	put_number(line, "tcpinfo_rtt", round_trip(socket_of(session)));
}

static void put_response(struct line *line, const struct clbd_session *session,
			 uint64_t now)
{
	const struct clbd_server *server = session->server;

	put_number(line, "status", session->status);
	put_number(line, "body_bytes_sent", session->bytes);
	put_times(line, session, now);
	put_string(line, "upstream_addr", server ? server->text : "",
		   server ? strlen(server->text) : 0);
	put_number(line, "upstream_status",
		   session->answering ? 0 : session->status);
	put_time(line, "upstream_response_time",
		 session->asked && session->answered
			 ? session->answered - session->asked
			 : 0);
	put_number(line, "tries", session->tries);
	put_string(line, "ending", endings[session->ending],
		   strlen(endings[session->ending]));
	if (session->request.reason)
		put_string(line, "reason", session->request.reason,
			   strlen(session->request.reason));
}

/* Return: whether there was room for it */
static bool put_session(struct clbd_log *log,
			const struct clbd_session *session)
{
	const struct clbd_client *client = session->client;
	const struct clbd_config_listener *listener = session->listener->config;
	struct line line = {
		.at = log->data + log->size,
		.end = log->data + CLBD_LOG_BUFFER,
	};

	put_text(&line, "{\"time\":\"");
	put_text(&line, date_of(log));
	put_text(&line, "\"");
	put_string(&line, "listener", listener->name, strlen(listener->name));
	put_string(&line, "vip_addr", listener->address,
		   strlen(listener->address));
	put_number(&line, "slb_vport",
		   atoi(strrchr(listener->address, ':') + 1));
	put_string(&line, "client_ip", client->peer, client->peer_size);
	put_number(&line, "client_port", client->peer_port);
	put_string(&line, "scheme", "http", 4);
	put_request(&line, session);
	put_response(&line, session, client->conn.worker->now);
	put_text(&line, "}\n");
	if (line.full)
		return false;
	log->size = line.at - log->data;
	return true;
}

void clbd_log_session(struct clbd_log *log, const struct clbd_session *session)
{
	if (!log->enabled || put_session(log, session))
		return;
	flush(log);
	if (!put_session(log, session))
		log->stats->log_lost++;
}
