/* SPDX-License-Identifier: GPL-2.0 */
/* Keys and seals of session sync in user space. */
#ifndef CLB_FUZZ_SYNC_SEAL_H
#define CLB_FUZZ_SYNC_SEAL_H

#include "sync_wire.h"

unsigned int seal(u8 *datagram, const struct clb_sync_header *header,
		  const u8 *secret, const u8 *content, unsigned int len);

#endif /* CLB_FUZZ_SYNC_SEAL_H */
