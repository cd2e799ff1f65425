/* SPDX-License-Identifier: MIT */
/*
 * Decoder of bodies: how many of the bytes at hand belong to a message.
 *
 * clbd_body_parse() is given bytes as they arrive, each once. It says how many
 * of them belong to the message, and CLBD_DONE with its last byte; CLBD_MORE
 * where it goes on; CLBD_BAD where no one may be sure where it ends. Chunks,
 * their sizes and the trailers stay as they are, to be passed on, unless
 * @strip: then only the data is left. It allocates nothing, and keeps no
 * pointer but @into.
 */
#ifndef CLBD_BODY_H
#define CLBD_BODY_H

#include "clbd/head.h"

#define CLBD_TRAILER_MAX 4096
#define CLBD_TRAILER_FIELDS 32
#define CLBD_TRAILER_NAME 32

/**
 * struct clbd_body - where in a body we are
 * @framing: enum clbd_framing
 * @state: within a chunk, see body.c
 * @strip: leave the data of chunks alone
 * @digits: of the chunk's size so far
 * @left: bytes of the body, or of the chunk, still to come
 * @total: data so far
 * @trailer: bytes of trailers so far
 * @into: where they are copied to, CLBD_TRAILER_MAX bytes, or NULL
 * @fields: how many of them
 * @name: of the present one, as far as it is of interest
 */
struct clbd_body {
	uint8_t framing;
	uint8_t state;
	bool strip;
	uint8_t digits;
	uint64_t left;
	uint64_t total;
	uint16_t trailer;
	char *into;
	uint8_t fields;
	uint8_t length;
	char name[CLBD_TRAILER_NAME];
};

void clbd_body_init(struct clbd_body *body, enum clbd_framing framing,
		    uint64_t length);

/**
 * clbd_body_parse() - the next bytes of a body
 * @body: where we are
 * @data: the bytes; with @strip, what is kept of them is moved to the front
 * @size: how many
 * @used: how many belong to the message
 * @kept: how many of these are to be passed on
 */
enum clbd_result clbd_body_parse(struct clbd_body *body, char *data,
				 size_t size, size_t *used, size_t *kept);

/* Of a body with a length, @size bytes, at most what is left, went by unseen. */
void clbd_body_skip(struct clbd_body *body, size_t size);

/* A body that lasts until the connection ends has ended. */
void clbd_body_end(struct clbd_body *body);

/* Whether nothing more belongs to the message. */
bool clbd_body_done(const struct clbd_body *body);

#endif /* CLBD_BODY_H */
