/* SPDX-License-Identifier: MIT */
/* What libnghttp2 tells of a connection. */
#ifndef CLBD_H2_CALLBACKS_H
#define CLBD_H2_CALLBACKS_H

#include <nghttp2/nghttp2.h>

struct clbd_h2;

/* A server's session for @h2; NULL without memory. */
nghttp2_session *clbd_h2_session(struct clbd_h2 *h2);

/* The last GOAWAY: streams that have begun end, then the connection. */
void clbd_h2_leave(struct clbd_h2 *h2);

#endif /* CLBD_H2_CALLBACKS_H */
