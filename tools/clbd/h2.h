/* SPDX-License-Identifier: MIT */
/* A client's connection that speaks HTTP/2. */
#ifndef CLBD_H2_H
#define CLBD_H2_H

#include "clbd/head.h"

struct clbd_client;
struct clbd_h2;

/* Are these the first bytes of a connection of HTTP/2? Pure. */
enum clbd_result clbd_h2_preface(const char *data, size_t size);

/* They are: @client is one from now on, and may be gone afterwards. */
void clbd_h2_begin(struct clbd_client *client);

/* The worker stops: no further streams. @client may be gone afterwards. */
void clbd_h2_stop(struct clbd_h2 *h2);

/* The connection ends: all streams do. */
void clbd_h2_free(struct clbd_h2 *h2);

#endif /* CLBD_H2_H */
