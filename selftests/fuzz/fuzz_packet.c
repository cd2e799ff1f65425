// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/packet.c: whatever the bytes, it reads none that are not at hand, and
 * what it says does not depend on how many are, as long as they suffice.
 *
 * Input: a byte of flags, a byte that says how much is at hand, the packet.
 */
#include <stdint.h>
#include <stdlib.h>

#include "packet.h"

#define FLAG_IPV6 0x01
#define FLAG_EMBEDDED 0x02

typedef enum clb_parse (*parser)(const u8 *data, unsigned int avail,
				 unsigned int len, u8 family,
				 struct clb_packet *pkt);

/* The first @avail bytes, in a place that ends with them. */
static enum clb_parse parse_some(parser parse, const uint8_t *data,
				 unsigned int avail, unsigned int len,
				 u8 family, struct clb_packet *pkt)
{
	uint8_t *copy = malloc(avail ? avail : 1);
	enum clb_parse ret;

	if (!copy)
		abort();
	memcpy(copy, data, avail);
	ret = parse(copy, avail, len, family, pkt);
	free(copy);
	return ret;
}

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_done(const struct clb_packet *pkt, unsigned int len,
		       u8 family)
{
	must(pkt->tuple.family == family);
	must(pkt->thoff >= (family == NFPROTO_IPV4 ? 20 : 40));
	if (pkt->kind == CLB_PACKET_FLOW)
		must(pkt->thoff + 8 <= len);
	must(pkt->tcp_len <= len + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct clb_packet whole, piece;
	enum clb_parse ret, want;
	unsigned int avail, len;
	parser parse;
	u8 family;

	if (size < 2 || size > 65535)
		return 0;
	family = data[0] & FLAG_IPV6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	parse = data[0] & FLAG_EMBEDDED ? clb_packet_parse_embedded
					: clb_packet_parse;
	len = size - 2;
	avail = data[1] < len ? data[1] : len;
	data += 2;
	want = parse_some(parse, data, len, len, family, &whole);
	must(want != CLB_PARSE_MORE);
	if (want == CLB_PARSE_DONE)
		check_done(&whole, len, family);
	while ((ret = parse_some(parse, data, avail, len, family, &piece)) ==
	       CLB_PARSE_MORE) {
		must(piece.need > avail && piece.need <= len);
		avail = piece.need;
	}
	must(ret == want);
	if (ret == CLB_PARSE_DONE) {
		piece.need = whole.need;
		must(!memcmp(&piece, &whole, sizeof(whole)));
	}
	return 0;
}
