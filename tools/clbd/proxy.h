/* SPDX-License-Identifier: MIT */
/*
 * Decoder of the PROXY protocol, versions 1 and 2: who a connection is from,
 * told by the balancer before this one.
 *
 * clbd_proxy_parse() is given all bytes of a connection from the first one on.
 * It says CLBD_MORE until the header is complete; CLBD_DONE with its size in
 * @used; CLBD_BAD where it is none, or longer than CLBD_PROXY_MAX. It allocates
 * nothing and keeps no pointer; outputs are untouched but for CLBD_DONE.
 */
#ifndef CLBD_PROXY_H
#define CLBD_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clbd/head.h"
#include "lib/address.h"

#define CLBD_PROXY_MAX 1024

/**
 * struct clbd_proxy - what a header says
 * @known: whether it tells an address; a balancer's own checks do not
 * @source: the client
 * @port: its port
 */
struct clbd_proxy {
	bool known;
	struct clb_address source;
	uint16_t port;
};

enum clbd_result clbd_proxy_parse(const char *data, size_t size,
				  struct clbd_proxy *proxy, size_t *used);

/* Who is believed. */
struct clbd_prefix {
	struct clb_address address;
	uint8_t length;
};

bool clbd_prefix_has(const struct clbd_prefix *prefixes, size_t count,
		     const struct clb_address *address);

#endif /* CLBD_PROXY_H */
