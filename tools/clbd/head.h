/* SPDX-License-Identifier: MIT */
/*
 * Decoder of HTTP/1 heads: request line or status line, and fields.
 *
 * Bytes of a message are given to clbd_head_parse() as they arrive, always from
 * the first one on. It says CLBD_MORE until the head is complete, then
 * CLBD_DONE, or CLBD_BAD as soon as it is none that everyone reads alike: then
 * @status and
 * @reason say what to answer. It allocates nothing, keeps no pointer and looks
 * at each byte a bounded number of times, however the message was cut.
 *
 * llhttp reads the head; head.c then accounts for every byte of it, and
 * decides what the message means. Documentation/l7.rst has the table.
 */
#ifndef CLBD_HEAD_H
#define CLBD_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <llhttp.h>

#include "clbd/field.h"

enum clbd_result {
	CLBD_DONE,
	CLBD_MORE,
	CLBD_BAD,
};

#define CLBD_HEAD_MAX 65535
#define CLBD_HEAD_FIELDS 100

/* A part of the head, by its place: buffers may move between calls. */
struct clbd_slice {
	uint16_t at;
	uint16_t size;
};

struct clbd_field {
	struct clbd_slice name;
	struct clbd_slice value; /* without space around it */
	uint8_t id; /* enum clbd_field_id */
	bool hop; /* for this connection alone, not to be forwarded */
};

enum clbd_framing {
	CLBD_FRAMING_NONE, /* no body */
	CLBD_FRAMING_LENGTH,
	CLBD_FRAMING_CHUNKED,
	CLBD_FRAMING_CLOSE, /* a response until the connection ends */
};

/**
 * struct clbd_head - what a head says
 * @status: a response's status; of a request refused, what to answer it with
 * @reason: why it was refused
 * @size: bytes of the head, with the empty line
 * @method: enum llhttp_method
 * @minor: of the version 1.x
 * @h2: came by HTTP/2, whose frames say where bodies end; @minor is 1
 * @target: as it was sent
 * @path: path and query of @target, or "*"; may lack the first slash
 * @host: Host without port
 * @authority: Host as it was sent; empty where there is none
 * @phrase: the status in words
 * @length: of a body with CLBD_FRAMING_LENGTH
 * @framing: of the body; of a response see clbd_head_answer()
 * @close: no further message may follow on the connection
 * @websocket: asks, or agrees, to switch to it
 * @expects: a client waits for 100 before it sends the body
 * @count: of @fields
 */
struct clbd_head {
	llhttp_t parser;
	const char *base;
	size_t parsed;
	bool response;
	bool complete;
	bool named;
	bool overfull;

	uint16_t status;
	const char *reason;
	uint16_t size;
	uint8_t method;
	uint8_t minor;
	bool h2;
	struct clbd_slice target;
	struct clbd_slice path;
	struct clbd_slice host;
	struct clbd_slice authority;
	struct clbd_slice phrase;
	uint64_t length;
	enum clbd_framing framing;
	bool close;
	bool websocket;
	bool expects;
	uint8_t count;
	struct clbd_field fields[CLBD_HEAD_FIELDS];
};

void clbd_head_init(struct clbd_head *head, bool response);

/**
 * clbd_head_parse() - read on
 * @head: initialized, and given the bytes before by earlier calls
 * @data: the message from its first byte
 * @size: how many there are by now
 */
enum clbd_result clbd_head_parse(struct clbd_head *head, const char *data,
				 size_t size);

/* What to refuse a head with that is longer than there is room for. */
void clbd_head_too_long(struct clbd_head *head, const char *data, size_t size);

/* What @response has for a body, as the answer to @method: RFC 9112 6.3. */
void clbd_head_answer(struct clbd_head *response, uint8_t method);

#endif /* CLBD_HEAD_H */
