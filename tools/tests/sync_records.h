/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests of session sync's codec share. */
#ifndef CLB_TESTS_SYNC_RECORDS_H
#define CLB_TESTS_SYNC_RECORDS_H

#include "sync_wire.h"

#define CONTENT 1428 /* of 1500 bytes, behind IPv4, UDP, header and tag */

unsigned int unhex(const char *text, u8 *bytes);
union nf_inet_addr address(u8 family, u8 last);
struct clb_endpoint endpoint(u8 family, u8 last, u16 port, u8 protocol);
struct clb_sync_record session(u8 server);
struct clb_sync_record session_of(u8 client, u8 server, u8 protocol, u16 port);

#endif /* CLB_TESTS_SYNC_RECORDS_H */
