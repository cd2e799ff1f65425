/* SPDX-License-Identifier: MIT */
/* Heads as they are passed on. */
#ifndef CLBD_FORWARD_H
#define CLBD_FORWARD_H

#include "clbd/session.h"

/* They leave so many bytes for the first chunk's size. */
#define CLBD_FORWARD_SPARE 32

/*
 * Both write into the buffer behind what it holds.
 * Return: 0, or -ENOBUFS where it has no room, and is unchanged
 */
int clbd_forward_request(const struct clbd_session *session,
			 struct clbd_buffer *out);
int clbd_forward_response(const struct clbd_session *session, const char *text,
			  struct clbd_buffer *out);

/* The head of the answer with the counters, which follow: tell.c. */
int clbd_forward_metrics(const struct clbd_session *session,
			 struct clbd_buffer *out);

/* An answer of clbd's own, with a body that says what it is. */
int clbd_forward_answer(const struct clbd_session *session, uint16_t status,
			struct clbd_buffer *out);

#endif /* CLBD_FORWARD_H */
