// SPDX-License-Identifier: MIT
/* Connections of clients: requests are read here and then served one by one. */
#include "clbd/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clbd/h2.h"
#include "clbd/port.h"
#include "clbd/toa.h"
#include "clbd/worker.h"

static void put_input(struct clbd_client *client)
{
	clbd_worker_put_buffer(client->conn.worker, client->in);
	client->in = NULL;
}

static void end_session(struct clbd_client *client)
{
	if (client->session)
		clbd_session_free(client->session);
	client->session = NULL;
}

void clbd_client_uncount(struct clbd_worker *worker)
{
	if (worker->client_count-- == worker->client_max)
		clbd_port_resume(worker);
}

static void end_h2(struct clbd_client *client)
{
	if (client->h2)
		clbd_h2_free(client->h2);
	client->h2 = NULL;
}

static void close_client(struct clbd_client *client)
{
	struct clbd_worker *worker = client->conn.worker;

	end_session(client);
	end_h2(client);
	put_input(client);
	*client->link = client->next;
	if (client->next)
		client->next->link = client->link;
	client->meter->ended++;
	clbd_port_leave(client->port);
	clbd_conn_free(&client->conn, &worker->client_pool);
	clbd_client_uncount(worker);
}

/* With a reset: what was sent of a response must not look complete. */
static void abort_client(struct clbd_client *client)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(client->conn.fd, SOL_SOCKET, SO_LINGER, &linger,
		   sizeof(linger));
	close_client(client);
}

static const struct clbd_conn_ops ops;

void clbd_client_linger(struct clbd_client *client)
{
	uint32_t ms = client->port->listener->idle_ms;

	end_session(client);
	end_h2(client);
	put_input(client);
	client->conn.ops = &ops;
	client->lingering = true;
	shutdown(client->conn.fd, SHUT_WR);
	clbd_conn_deadline(&client->conn, ms);
}

static void read_on(struct clbd_client *client)
{
	char data[16384];

	clbd_conn_read(&client->conn, data, sizeof(data));
	if (client->conn.ended)
		close_client(client);
	else if (client->conn.readable)
		clbd_conn_again(&client->conn);
}

/*
 * One empty line before a request is nothing: RFC 9112 2.2. Return: whether
 * something is behind it; a CR alone may be half of one
 */
static bool skip_line(struct clbd_buffer *in)
{
	if (clbd_buffer_held(in) >= 2 &&
	    !memcmp(in->data + in->start, "\r\n", 2))
		in->start += 2;
	return clbd_buffer_held(in) > 1 ||
	       (clbd_buffer_held(in) && in->data[in->start] != '\r');
}

/*
 * The session keeps the head: the whole buffer where nothing follows it, or
 * else a copy.
 */
static int keep_head(struct clbd_client *client)
{
	struct clbd_session *session = client->session;
	struct clbd_buffer *in = client->in;
	uint16_t size = session->request.size;

	if (clbd_buffer_held(in) == size) {
		session->raw = in;
		session->text = in->data + in->start;
		client->in = NULL;
		return 0;
	}
	session->raw = clbd_worker_buffer(client->conn.worker);
	if (!session->raw)
		return -ENOMEM;
	memcpy(session->raw->data, in->data + in->start, size);
	session->text = session->raw->data;
	in->start += size;
	return 0;
}

enum reading {
	READING_WAITS,
	READING_DONE, /* the session has a request, or an answer */
	READING_ENDED, /* the client is gone */
	READING_H2, /* it speaks HTTP/2 */
};

static void set_peer(struct clbd_client *client,
		     const struct clb_address *address, uint16_t port)
{
	char text[CLB_ADDRESS_TEXT];

	clb_address_format(address, text);
	snprintf(client->peer, sizeof(client->peer), "%.45s", text);
	client->peer_size = strlen(client->peer);
	client->peer_port = port;
}

/* The header of the PROXY protocol, where one must be. */
static enum reading parse_proxy(struct clbd_client *client)
{
	struct clbd_buffer *in = client->in;
	struct clbd_proxy proxy;
	size_t used;

	switch (clbd_proxy_parse(in->data + in->start, clbd_buffer_held(in),
				 &proxy, &used)) {
	case CLBD_MORE:
		return READING_WAITS;
	case CLBD_BAD:
		client->conn.worker->stats->proxy_errors++;
		return READING_ENDED;
	default:
		in->start += used;
		client->announced = false;
		if (proxy.known)
			set_peer(client, &proxy.source, proxy.port);
		return READING_DONE;
	}
}

/* HTTP/2, where the listener has it, begins with the connection. */
static enum reading parse_preface(struct clbd_client *client)
{
	const struct clbd_buffer *in = client->in;
	enum clbd_result result = CLBD_BAD;

	if (client->port->listener->config->http2)
		result = clbd_h2_preface(in->data + in->start,
					 clbd_buffer_held(in));
	client->fresh = result == CLBD_MORE;
	if (result == CLBD_BAD)
		return READING_DONE;
	return result == CLBD_MORE ? READING_WAITS : READING_H2;
}

/* Bytes are there: are they a head? */
static enum reading parse_head(struct clbd_client *client)
{
	struct clbd_buffer *in = client->in;
	struct clbd_session *session = client->session;
	enum reading reading;
	uint32_t held;

	if (client->announced) {
		reading = parse_proxy(client);
		if (reading != READING_DONE)
			return reading;
	}
	if (client->fresh) {
		reading = parse_preface(client);
		if (reading != READING_DONE)
			return reading;
	}
	if (!session) {
		if (!skip_line(in))
			return READING_WAITS;
		session = client->session = clbd_session_new(client);
		if (!session)
			return READING_ENDED;
		client->asked = true;
		clbd_conn_deadline(&client->conn, session->listener->idle_ms);
	}
	held = clbd_buffer_held(in);
	switch (clbd_head_parse(&session->request, in->data + in->start,
				held)) {
	case CLBD_DONE:
		if (session->request.size > session->setup->head_max)
			break;
		if (keep_head(client))
			return READING_ENDED;
		clbd_session_start(session);
		return READING_DONE;
	case CLBD_MORE:
		if (held <= session->setup->head_max)
			return READING_WAITS;
		break;
	case CLBD_BAD:
		clbd_session_refuse(session);
		return READING_DONE;
	}
	clbd_head_too_long(&session->request, in->data + in->start, held);
	clbd_session_refuse(session);
	return READING_DONE;
}

static enum reading read_head(struct clbd_client *client)
{
	for (;;) {
		enum reading reading = READING_WAITS;
		ssize_t n;

		if (clbd_buffer_held(client->in))
			reading = parse_head(client);
		if (reading != READING_WAITS || !client->conn.readable)
			return reading;
		if (!client->in)
			client->in = clbd_worker_buffer(client->conn.worker);
		if (!client->in)
			return READING_ENDED;
		clbd_buffer_compact(client->in);
		n = clbd_conn_read(&client->conn,
				   client->in->data + client->in->end,
				   clbd_buffer_room(client->in));
		if (n > 0)
			client->in->end += n;
		else
			return client->conn.ended ? READING_ENDED
						  : READING_WAITS;
	}
}

/* Between requests a connection has no buffer. */
static void idle(struct clbd_client *client)
{
	uint32_t ms = client->session->listener->idle_ms;

	end_session(client);
	if (!clbd_buffer_held(client->in))
		put_input(client);
	clbd_conn_deadline(&client->conn, ms);
}

/* Return: whether there may be more to do */
static bool serve(struct clbd_client *client)
{
	switch (clbd_session_run(client->session)) {
	case CLBD_WAIT:
		return false;
	case CLBD_NEXT:
		idle(client);
		return true;
	case CLBD_LINGER:
		clbd_client_linger(client);
		return true;
	case CLBD_ABORT:
		abort_client(client);
		return false;
	default:
		close_client(client);
		return false;
	}
}

static bool has_request(const struct clbd_client *client)
{
	return client->session &&
	       (client->session->text || client->session->answering);
}

/* So many requests in a row; then it is the others' turn. */
#define ROUNDS 16

static void run(struct clbd_client *client)
{
	unsigned int rounds = 0;

	do {
		if (client->lingering) {
			read_on(client);
			return;
		}
		if (++rounds > ROUNDS) {
			clbd_conn_again(&client->conn);
			return;
		}
		if (has_request(client))
			continue;
		switch (read_head(client)) {
		case READING_WAITS:
			if (!clbd_buffer_held(client->in))
				put_input(client);
			return;
		case READING_ENDED:
			close_client(client);
			return;
		case READING_H2:
			clbd_h2_begin(client);
			return;
		case READING_DONE:
			break;
		}
	} while (serve(client));
}

static void wake(struct clbd_conn *conn)
{
	run((struct clbd_client *)conn);
}

static void expire(struct clbd_conn *conn)
{
	struct clbd_client *client = (struct clbd_client *)conn;

	/* Nothing came, or not even the answer was taken. */
	if (!client->session || client->session->answering) {
		close_client(client);
		return;
	}
	if (!client->session->text) {
		client->session->request.status = 408;
		client->session->request.reason = "timeout";
		client->conn.worker->stats->timeouts++;
		clbd_session_refuse(client->session);
		clbd_conn_deadline(conn, client->session->listener->idle_ms);
		clbd_client_run(client);
		return;
	}
	if (clbd_session_expire(client->session) == CLBD_ABORT)
		abort_client(client);
	else
		clbd_client_run(client);
}

static const struct clbd_conn_ops ops = { .wake = wake, .expire = expire };

/* Who the client is by its SYN, which the kernel tells once. */
static void ask_syn(struct clbd_client *client)
{
	uint8_t syn[CLBD_TOA_MAX];
	socklen_t size = sizeof(syn);
	struct clbd_toa toa;

	if (getsockopt(client->conn.fd, IPPROTO_TCP, TCP_SAVED_SYN, syn,
		       &size) ||
	    clbd_toa_parse(syn, size, &toa) != CLBD_DONE || !toa.known)
		client->conn.worker->stats->client_address_missing++;
	else
		set_peer(client, &toa.source, toa.port);
}

static void note_peer(struct clbd_client *client,
		      const struct sockaddr_storage *peer)
{
	const struct clbd_listener *listener = client->port->listener;
	const struct sockaddr_in6 *in6 = (const void *)peer;
	const struct sockaddr_in *in = (const void *)peer;
	struct clb_address address = { .length = 4 };

	if (peer->ss_family == AF_INET6) {
		address.length = 16;
		memcpy(address.bytes, &in6->sin6_addr, 16);
	} else {
		memcpy(address.bytes, &in->sin_addr, 4);
	}
	/* The port is at the same place in both. */
	set_peer(client, &address, ntohs(in->sin_port));
	client->announced = clbd_prefix_has(listener->proxies,
					    listener->proxy_count, &address);
	if (clbd_prefix_has(listener->tellers, listener->teller_count,
			    &address))
		ask_syn(client);
}

void clbd_client_accept(struct clbd_port *port, int fd,
			const struct sockaddr_storage *peer)
{
	struct clbd_worker *worker = port->conn.worker;
	struct clbd_client *client = clbd_pool_get(&worker->client_pool);

	if (!client) {
		close(fd);
		return;
	}
	memset(client, 0, sizeof(*client));
	if (clbd_conn_open(&client->conn, worker, fd, &ops)) {
		clbd_pool_put(&worker->client_pool, client);
		close(fd);
		return;
	}
	client->port = port;
	client->fresh = true;
	note_peer(client, peer);
	port->clients++;
	client->next = worker->clients;
	client->link = &worker->clients;
	if (client->next)
		client->next->link = &client->next;
	worker->clients = client;
	worker->client_count++;
	worker->stats->connections++;
	client->meter = port->listener->meter;
	client->meter->begun++;
	clbd_conn_deadline(&client->conn, port->listener->idle_ms);
	/* The request is often there by now. */
	client->conn.readable = client->conn.writable = true;
	clbd_client_run(client);
}

void clbd_client_close(struct clbd_client *client)
{
	close_client(client);
}

/* Who has just connected is about to ask. */
#define FIRST_REQUEST_MS 1000

/* A request may have come that no event told about yet. */
void clbd_client_stop(struct clbd_client *client)
{
	if (client->h2) {
		clbd_h2_stop(client->h2);
	} else if (!client->session && !client->lingering) {
		client->conn.readable = true;
		clbd_client_run(client);
		if (client->conn.fd < 0 || client->session ||
		    client->lingering)
			return;
		if (client->asked)
			close_client(client);
		else
			clbd_conn_deadline(&client->conn, FIRST_REQUEST_MS);
	} else if (client->session) {
		client->session->close = true;
	}
}
