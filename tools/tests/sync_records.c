// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "sync_records.h"

/* Bytes from hexadecimal digits; blanks are for the reader. */
unsigned int unhex(const char *text, u8 *bytes)
{
	unsigned int n = 0, value;

	for (; *text; text += *text == ' ' ? 1 : 2)
		if (*text != ' ' && sscanf(text, "%2x", &value) == 1)
			bytes[n++] = value;
	return n;
}

union nf_inet_addr address(u8 family, u8 last)
{
	union nf_inet_addr addr = { .all = { 0 } };

	if (family == NFPROTO_IPV4)
		addr.ip = htonl(0xc0000200 | last);
	else
		addr.in6.s6_addr[0] = 0x20, addr.in6.s6_addr[15] = last;
	return addr;
}

struct clb_endpoint endpoint(u8 family, u8 last, u16 port, u8 protocol)
{
	return (struct clb_endpoint){
		.addr = address(family, last),
		.port = htons(port),
		.family = family,
		.protocol = protocol,
	};
}

/* A client's session with 192.0.2.1:80 and a server, NAT, established. */
struct clb_sync_record session(u8 server)
{
	struct clb_sync_record record = { .type = CLB_SYNC_SESSION };
	struct clb_sync_session *s = &record.session;

	memset(s, 0, sizeof(*s));
	s->listener = endpoint(NFPROTO_IPV4, 1, 80, IPPROTO_TCP);
	s->server = endpoint(NFPROTO_IPV4, server, 8080, IPPROTO_TCP);
	s->client = address(NFPROTO_IPV4, 99);
	s->client_port = htons(40001);
	s->port = htons(80);
	s->born = 0x01020304;
	s->state = CLB_SESSION_STATE_ESTABLISHED;
	s->mode = CLB_MODE_NAT;
	return record;
}

struct clb_sync_record session_of(u8 client, u8 server, u8 protocol, u16 port)
{
	struct clb_sync_record record = session(0);
	struct clb_sync_session *s = &record.session;

	s->listener = endpoint(client, 1, port, protocol);
	s->server = endpoint(server, 2, 0, protocol);
	s->client = address(client, 99);
	s->port = htons(port ? port : 7777);
	if (protocol == IPPROTO_UDP)
		s->state = CLB_SESSION_STATE_UDP;
	return record;
}
