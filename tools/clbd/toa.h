/* SPDX-License-Identifier: MIT */
/*
 * Decoder of a SYN as the kernel keeps it (TCP_SAVED_SYN): who the client is,
 * told by clb.ko in a TCP option (Documentation/client-address.rst).
 *
 * clbd_toa_parse() says CLBD_DONE where the headers are whole; CLBD_MORE where
 * they are cut short; CLBD_BAD where they are none. It allocates nothing and
 * keeps no pointer; outputs are untouched but for CLBD_DONE.
 */
#ifndef CLBD_TOA_H
#define CLBD_TOA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clbd/head.h"
#include "lib/address.h"

/* Headers of IP with what may be between them and TCP's; more is not looked at. */
#define CLBD_TOA_MAX 1024

/**
 * struct clbd_toa - what a SYN tells
 * @known: whether the option is there
 * @source: the client
 * @port: its port
 */
struct clbd_toa {
	bool known;
	struct clb_address source;
	uint16_t port;
};

enum clbd_result clbd_toa_parse(const uint8_t *data, size_t size,
				struct clbd_toa *toa);

#endif /* CLBD_TOA_H */
