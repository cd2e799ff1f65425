/* SPDX-License-Identifier: GPL-2.0 */
/* Datagrams of session sync for sync.c: built, and spoilt. */
#ifndef CLB_FUZZ_SYNC_BUILD_H
#define CLB_FUZZ_SYNC_BUILD_H

#include "sync_model.h"

#define SECRET_LEN 32

void build_init(const u8 *secret, u64 epoch);
void build_random(const struct model *model, struct datagram *datagram);
void build_kept(const struct model *model, struct datagram *datagram,
		unsigned int first, unsigned int count);

#endif /* CLB_FUZZ_SYNC_BUILD_H */
