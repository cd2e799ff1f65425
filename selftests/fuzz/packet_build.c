// SPDX-License-Identifier: MIT
#include <string.h>

#include "packet_build.h"
#include "random.h"

/* At the beginning of the payload of packets with nothing wrong. */
static const uint8_t clean[8] = "CLBclean";

static uint16_t get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

static void set16(uint8_t *at, uint16_t value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static void set32(uint8_t *at, uint32_t value)
{
	set16(at, value >> 16);
	set16(at + 2, value);
}

/* --- checksums ----------------------------------------------------------- */

static uint64_t sum(uint64_t start, const uint8_t *data, unsigned int len)
{
	unsigned int i;

	for (i = 0; i + 1 < len; i += 2)
		start += get16(data + i);
	if (len & 1)
		start += data[len - 1] << 8;
	return start;
}

static uint16_t fold(uint64_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return value;
}

static unsigned int check_offset(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	}
	return 2;
}

static uint64_t pseudo(const struct packet *p)
{
	unsigned int at = p->ipv6 ? 8 : 12, len = p->ipv6 ? 32 : 8;

	if (p->protocol == IPPROTO_ICMP)
		return 0;
	return sum(p->protocol + p->len - p->thoff, p->bytes + at, len);
}

static uint16_t transport_sum(const struct packet *p)
{
	return fold(sum(pseudo(p), p->bytes + p->thoff, p->len - p->thoff));
}

static void ip_check(struct packet *p)
{
	unsigned int len = (p->bytes[0] & 0xf) * 4;

	if (p->ipv6 || len > p->len)
		return;
	set16(p->bytes + 10, 0);
	set16(p->bytes + 10, ~fold(sum(0, p->bytes, len)));
}

static void transport_check(struct packet *p)
{
	uint8_t *check = p->bytes + p->thoff + check_offset(p->protocol);
	uint16_t value;

	if (check + 2 > p->bytes + p->len)
		return;
	set16(check, 0);
	value = ~transport_sum(p);
	set16(check, value || p->protocol != IPPROTO_UDP ? value : 0xffff);
}

/* --- building ------------------------------------------------------------ */

/* VIPs, mostly; see test_fuzz.sh for what listens there. */
static const uint16_t ports[] = { 80, 81, 82, 83, 84, 85, 443, 8080 };

static void address_set(uint8_t *at, bool ipv6, uint8_t net, uint8_t host)
{
	static const uint8_t v6[4] = { 0x20, 0x01, 0x0d, 0xb8 };

	memset(at, 0, 16);
	if (ipv6) {
		memcpy(at, v6, sizeof(v6));
		at[5] = net;
		at[15] = host;
		return;
	}
	at[0] = 10;
	at[1] = net;
	at[3] = host;
}

#define NET_CLIENTS 1
#define NET_VIPS 2
#define NET_SERVERS 3

void flow_choose(struct flow *flow)
{
	memset(flow, 0, sizeof(*flow));
	flow->ipv6 = random_chance(400);
	flow->protocol = random_chance(600) ? IPPROTO_TCP : IPPROTO_UDP;
	address_set(flow->src, flow->ipv6, NET_CLIENTS, 1 + random_below(200));
	address_set(flow->dst, flow->ipv6, NET_VIPS, 1 + random_below(3));
	flow->sport = 1024 + random_below(60000);
	flow->dport = ports[random_below(sizeof(ports) / sizeof(*ports))];
	flow->seq = random_u32();
	if (random_chance(20))
		address_set(flow->src, flow->ipv6, NET_SERVERS,
			    1 + random_below(8));
	if (random_chance(20))
		address_set(flow->dst, flow->ipv6, NET_SERVERS,
			    1 + random_below(8));
}

static void network_build(struct packet *p, const struct flow *flow,
			  unsigned int len)
{
	uint8_t *at = p->bytes;

	p->ipv6 = flow->ipv6;
	p->thoff = p->ipv6 ? 40 : 20;
	p->protocol = flow->protocol;
	p->len = p->thoff + len;
	memset(at, 0, p->thoff);
	if (p->ipv6) {
		at[0] = 0x60;
		set16(at + 4, len);
		at[6] = p->protocol;
		at[7] = 64;
		memcpy(at + 8, flow->src, 16);
		memcpy(at + 24, flow->dst, 16);
		return;
	}
	at[0] = 0x45;
	set16(at + 2, p->len);
	set16(at + 4, random_u32());
	at[6] = random_chance(500) ? 0x40 : 0;
	at[8] = 64;
	at[9] = p->protocol;
	memcpy(at + 12, flow->src, 4);
	memcpy(at + 16, flow->dst, 4);
}

/* So many bytes: of a SYN, as a client may make them, right or not. */
static unsigned int tcp_options_len(uint8_t flags)
{
	return flags & TCP_SYN && random_chance(500) ? random_below(11) * 4 : 0;
}

static void tcp_options_build(uint8_t *at, unsigned int size)
{
	static const uint8_t kinds[] = { 0, 1, 1, 2, 3, 5, 8, 254, 254 };
	unsigned int i, len;

	for (i = 0; i < size; i++)
		at[i] = random_u32();
	for (i = 0; i + 1 < size; i += len) {
		len = random_below(10) + 2;
		at[i] = kinds[random_below(sizeof(kinds))];
		if (random_chance(950))
			at[i + 1] = len;
	}
}

static unsigned int tcp_build(uint8_t *at, struct flow *flow, uint8_t flags,
			      unsigned int options)
{
	memset(at, 0, 20);
	set16(at, flow->sport);
	set16(at + 2, flow->dport);
	set32(at + 4, flow->seq);
	set32(at + 8, flow->seq + 1);
	at[12] = 0x50 + options * 4;
	at[13] = flags;
	set16(at + 14, 1000);
	tcp_options_build(at + 20, options);
	return 20 + options;
}

static unsigned int udp_build(uint8_t *at, struct flow *flow,
			      unsigned int payload)
{
	set16(at, flow->sport);
	set16(at + 2, flow->dport);
	set16(at + 4, 8 + payload);
	set16(at + 6, 0);
	return 8;
}

static unsigned int payload_len(void)
{
	if (random_chance(700))
		return random_below(64);
	return random_chance(900) ? random_below(1400) : random_below(4000);
}

void packet_build(struct packet *p, struct flow *flow, uint8_t tcp_flags)
{
	unsigned int payload = payload_len();
	unsigned int options = flow->protocol == IPPROTO_TCP
				       ? tcp_options_len(tcp_flags)
				       : 0;
	unsigned int head = flow->protocol == IPPROTO_TCP ? 20 + options : 8;
	uint8_t *at;

	network_build(p, flow, head + payload);
	p->spoilt = p->partial = p->odd = false;
	p->tcp_flags = tcp_flags;
	at = p->bytes + p->thoff;
	at += flow->protocol == IPPROTO_TCP
		      ? tcp_build(at, flow, tcp_flags, options)
		      : udp_build(at, flow, payload);
	memset(at, 'x', payload);
	if (payload >= sizeof(clean))
		memcpy(at, clean, sizeof(clean));
	ip_check(p);
	if (flow->protocol != IPPROTO_UDP || flow->ipv6 || random_chance(900))
		transport_check(p);
}

void packet_build_reply(struct packet *p, const struct packet *in,
			struct flow *flow, uint8_t tcp_flags)
{
	struct flow back = *flow;

	(void)in;
	memcpy(back.src, flow->dst, sizeof(back.src));
	memcpy(back.dst, flow->src, sizeof(back.dst));
	back.sport = flow->dport;
	back.dport = flow->sport;
	packet_build(p, &back, tcp_flags);
}

static uint8_t error_type(bool ipv6)
{
	static const uint8_t v4[] = { 3, 3, 3, 4, 5, 11, 12 };
	static const uint8_t v6[] = { 1, 2, 2, 3, 4 };

	return ipv6 ? v6[random_below(sizeof(v6))]
		    : v4[random_below(sizeof(v4))];
}

/* From its receiver, or a router on the way, to its sender. */
bool packet_error(struct packet *p, const struct packet *about)
{
	struct flow flow = {
		.ipv6 = about->ipv6,
		.protocol = about->ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
	};
	unsigned int quoted = random_chance(500) ? about->thoff + 8
						 : random_below(600);
	unsigned int size = about->ipv6 ? 16 : 4;
	unsigned int at = about->ipv6 ? 8 : 12;
	uint8_t *icmp;

	if (about->len < at + 2 * size)
		return false;
	if (quoted > about->len)
		quoted = about->len;
	memcpy(flow.src, about->bytes + at + size, size);
	memcpy(flow.dst, about->bytes + at, size);
	if (random_chance(300))
		address_set(flow.src, flow.ipv6, NET_SERVERS, 200);
	network_build(p, &flow, 8 + quoted);
	p->spoilt = p->partial = p->odd = false;
	icmp = p->bytes + p->thoff;
	icmp[0] = error_type(p->ipv6);
	icmp[1] = random_chance(500) ? 4 : random_below(16);
	set16(icmp + 2, 0);
	set32(icmp + 4,
	      random_chance(800) ? 500 + random_below(1000) : random_u32());
	memcpy(icmp + 8, about->bytes, quoted);
	ip_check(p);
	transport_check(p);
	return true;
}

/* --- spoiling ------------------------------------------------------------ */

static void spoil_network(struct packet *p)
{
	p->bytes[random_below(p->thoff)] = random_u32();
}

static void spoil_transport(struct packet *p)
{
	unsigned int len = p->len - p->thoff;

	if (len)
		p->bytes[p->thoff + random_below(len < 20 ? len : 20)] =
			random_u32();
}

static void spoil_bit(struct packet *p)
{
	if (p->len)
		p->bytes[random_below(p->len)] ^= 1 << random_below(8);
}

static void spoil_truncate(struct packet *p)
{
	p->len = random_below(p->len + 1);
}

static void spoil_length(struct packet *p)
{
	uint8_t *at = p->bytes + (p->ipv6 ? 4 : 2);

	set16(at, random_chance(500) ? get16(at) + random_below(17) - 8
				     : random_u32());
}

static void spoil_hops(struct packet *p)
{
	p->bytes[p->ipv6 ? 7 : 8] = random_below(3);
}

static void spoil_protocol(struct packet *p)
{
	static const uint8_t protocols[] = {
		0, 1, 2, 4, 6, 17, 41, 43, 44, 47, 50, 51, 58, 59, 60, 132,
	};

	p->bytes[p->ipv6 ? 6 : 9] = protocols[random_below(sizeof(protocols))];
}

static void spoil_fragment(struct packet *p)
{
	if (!p->ipv6)
		set16(p->bytes + 6, random_u32());
}

/* Room at @at, if there is; what stood there moves back. */
static bool make_room(struct packet *p, unsigned int at, unsigned int len)
{
	if (at > p->len || p->len + len > sizeof(p->bytes))
		return false;
	memmove(p->bytes + at + len, p->bytes + at, p->len - at);
	p->len += len;
	p->thoff += len;
	return true;
}

static void option_random(uint8_t *at, unsigned int len)
{
	static const uint8_t options[] = { 0, 1, 7, 68, 130, 131, 137, 148 };
	unsigned int i;

	for (i = 0; i < len; i++)
		at[i] = random_chance(500) ? 1 : random_u32();
	at[0] = options[random_below(sizeof(options))];
	at[1] = random_chance(700) ? len : random_u32();
	at[2] = random_chance(700) ? 4 : random_u32();
}

static void spoil_options4(struct packet *p)
{
	unsigned int len = 4 * (1 + random_below(10));

	if (p->bytes[0] != 0x45 || !make_room(p, 20, len))
		return;
	p->bytes[0] += len / 4;
	set16(p->bytes + 2, p->len);
	option_random(p->bytes + 20, len);
}

static void extension_put(uint8_t *at, uint8_t kind, uint8_t next,
			  unsigned int len)
{
	unsigned int i;

	for (i = 2; i < len; i++)
		at[i] = random_chance(700) ? 0 : random_u32();
	at[0] = next;
	at[1] = kind == 51 ? len / 4 - 2 : len / 8 - 1;
	if (random_chance(100))
		at[1] = random_u32();
}

static void spoil_options6(struct packet *p)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60, 60, 135, 140 };
	unsigned int n = random_chance(900) ? 1 + random_below(3)
					    : random_below(12);

	while (n--) {
		uint8_t kind = kinds[random_below(sizeof(kinds))];
		unsigned int len = kind == 44 ? 8 : 8 * (1 + random_below(3));

		if (p->len < 40 || !make_room(p, 40, len))
			return;
		extension_put(p->bytes + 40, kind, p->bytes[6], len);
		p->bytes[6] = kind;
		set16(p->bytes + 4, p->len - 40);
	}
}

static void spoil_options(struct packet *p)
{
	if (p->ipv6)
		spoil_options6(p);
	else
		spoil_options4(p);
}

static void spoil_address(struct packet *p)
{
	static const uint8_t odd[][4] = {
		{ 0, 0, 0, 0 },		{ 127, 0, 0, 1 }, { 224, 0, 0, 1 },
		{ 255, 255, 255, 255 }, { 240, 0, 0, 1 }, { 10, 3, 0, 254 },
	};
	unsigned int size = p->ipv6 ? 16 : 4, at = p->ipv6 ? 8 : 12;

	at += random_chance(500) ? size : 0;
	if (at + size > p->len)
		return;
	if (p->ipv6 && random_chance(500))
		memset(p->bytes + at, random_chance(500) ? 0 : 0xff, size);
	memcpy(p->bytes + at + (random_chance(500) ? 0 : size - 4),
	       odd[random_below(6)], 4);
}

static void spoil_junk(struct packet *p)
{
	unsigned int i;

	p->len = random_below(120);
	for (i = 0; i < p->len; i++)
		p->bytes[i] = random_u32();
	if (p->len && random_chance(800))
		p->bytes[0] = p->ipv6 ? 0x60 : 0x45;
}

static void (*const spoils[])(struct packet *p) = {
	spoil_network,	spoil_transport, spoil_transport, spoil_bit,
	spoil_truncate, spoil_length,	 spoil_hops,	  spoil_protocol,
	spoil_fragment, spoil_options,	 spoil_options,	  spoil_address,
	spoil_junk,
};

static void unclean(struct packet *p)
{
	unsigned int i;

	for (i = 0; i + sizeof(clean) <= p->len; i++)
		if (!memcmp(p->bytes + i, clean, sizeof(clean)))
			p->bytes[i] = 'x';
}

/*
 * The sum over the pseudo header alone, as for a device that does the rest.
 * Some say of the rest what is not so.
 */
void packet_partial(struct packet *p)
{
	uint8_t *check = p->bytes + p->thoff + check_offset(p->protocol);

	set16(check, fold(pseudo(p)));
	p->partial = true;
	p->odd = random_chance(200);
	if (p->odd)
		unclean(p);
}

void packet_spoil(struct packet *p)
{
	unsigned int i, n = 1 + random_below(3);

	p->spoilt = true;
	p->partial = p->odd = random_chance(50);
	for (i = 0; i < n; i++)
		spoils[random_below(sizeof(spoils) / sizeof(*spoils))](p);
	/* last, for what was spoilt may have come to look clean again */
	unclean(p);
	/* else the kernel drops it before anybody sees it */
	if (!p->ipv6 && p->len >= 20 && random_chance(950))
		ip_check(p);
	if (p->thoff < p->len && random_chance(300))
		transport_check(p);
}

/* --- fragments ----------------------------------------------------------- */

static void fragment_cut4(struct packet *piece, const struct packet *p,
			  unsigned int from, unsigned int to, bool last)
{
	memcpy(piece->bytes, p->bytes, 20);
	memcpy(piece->bytes + 20, p->bytes + 20 + from, to - from);
	piece->len = 20 + to - from;
	set16(piece->bytes + 2, piece->len);
	set16(piece->bytes + 6, from / 8 | (last ? 0 : 0x2000));
	ip_check(piece);
}

static void fragment_cut6(struct packet *piece, const struct packet *p,
			  unsigned int from, unsigned int to, bool last,
			  uint32_t id)
{
	memcpy(piece->bytes, p->bytes, 40);
	piece->bytes[6] = 44;
	piece->bytes[40] = p->bytes[6];
	piece->bytes[41] = 0;
	set16(piece->bytes + 42, from | !last);
	set32(piece->bytes + 44, id);
	memcpy(piece->bytes + 48, p->bytes + 40 + from, to - from);
	piece->len = 48 + to - from;
	set16(piece->bytes + 4, piece->len - 40);
}

/* Pieces in some order, now and then with overlaps. Returns how many. */
unsigned int packet_fragment(const struct packet *p, struct packet *pieces)
{
	unsigned int len = p->len - p->thoff, from = 0, n = 0, i;
	unsigned int step = (len / (1 + random_below(6)) / 8 + 1) * 8;
	uint32_t id = random_u32();

	for (; from < len && n < FRAGMENTS_MAX; n++, from += step) {
		unsigned int to = from + step < len ? from + step : len;
		unsigned int start = from;

		if (from && random_chance(50))
			start -= 8;
		pieces[n].ipv6 = p->ipv6;
		pieces[n].spoilt = pieces[n].partial = pieces[n].odd = false;
		pieces[n].thoff = p->thoff;
		pieces[n].protocol = p->protocol;
		if (p->ipv6)
			fragment_cut6(&pieces[n], p, start, to, to == len, id);
		else
			fragment_cut4(&pieces[n], p, start, to, to == len);
	}
	for (i = 0; i + 1 < n; i++) {
		unsigned int j = i + random_below(n - i);
		static struct packet swap;

		swap = pieces[i];
		pieces[i] = pieces[j];
		pieces[j] = swap;
	}
	return n;
}

/* --- reading ------------------------------------------------------------- */

/* False for what is no IP at all: the node's ARP and the like. */
bool packet_read(struct packet *p, const void *bytes, unsigned int len,
		 uint16_t ethertype)
{
	p->ipv6 = ethertype == 0x86dd;
	if ((!p->ipv6 && ethertype != 0x0800) || len < (p->ipv6 ? 40 : 20) ||
	    len > sizeof(p->bytes))
		return false;
	memcpy(p->bytes, bytes, len);
	p->len = len;
	p->thoff = p->ipv6 ? 40 : (p->bytes[0] & 0xf) * 4;
	p->protocol = p->bytes[p->ipv6 ? 6 : 9];
	p->tcp_flags = 0;
	p->spoilt = p->partial = p->odd = false;
	if (p->protocol == IPPROTO_TCP && p->thoff + 20 <= len)
		p->tcp_flags = p->bytes[p->thoff + 13];
	return true;
}

static bool is_fragment(const struct packet *p)
{
	return !p->ipv6 && get16(p->bytes + 6) & 0x3fff;
}

/* Whom to answer: only what is a flow, without extension headers. */
bool packet_flow(const struct packet *p, struct flow *flow)
{
	unsigned int size = p->ipv6 ? 16 : 4, at = p->ipv6 ? 8 : 12;

	if ((p->protocol != IPPROTO_TCP && p->protocol != IPPROTO_UDP) ||
	    p->thoff + 8 > p->len || is_fragment(p))
		return false;
	memset(flow, 0, sizeof(*flow));
	flow->ipv6 = p->ipv6;
	flow->protocol = p->protocol;
	memcpy(flow->src, p->bytes + at, size);
	memcpy(flow->dst, p->bytes + at + size, size);
	flow->sport = get16(p->bytes + p->thoff);
	flow->dport = get16(p->bytes + p->thoff + 2);
	/* what is acknowledged is what the other side said */
	if (p->protocol == IPPROTO_TCP && p->thoff + 12 <= p->len)
		flow->seq = get16(p->bytes + p->thoff + 8) << 16 |
			    get16(p->bytes + p->thoff + 10);
	return true;
}

/* What no router would send on. Returns NULL where nothing is wrong. */
const char *packet_wrong(const struct packet *p)
{
	unsigned int len = p->ipv6 ? 40U + get16(p->bytes + 4)
				   : get16(p->bytes + 2);

	if (p->bytes[0] >> 4 != (p->ipv6 ? 6 : 4))
		return "version is wrong";
	if (len > p->len || (!p->ipv6 && len < p->thoff))
		return "length is wrong";
	if (p->ipv6)
		return p->bytes[7] ? NULL : "hop limit is 0";
	if (p->thoff < 20)
		return "header is too short";
	if (!p->bytes[8])
		return "TTL is 0";
	return NULL;
}

static unsigned int payload_offset(const struct packet *p)
{
	if (p->protocol != IPPROTO_TCP)
		return p->thoff + 8;
	if (p->thoff + 20 > p->len)
		return p->len;
	return p->thoff + (p->bytes[p->thoff + 12] >> 4) * 4;
}

bool packet_is_clean(const struct packet *p)
{
	unsigned int at = payload_offset(p);

	return (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) &&
	       !is_fragment(p) && at + sizeof(clean) <= p->len &&
	       !memcmp(p->bytes + at, clean, sizeof(clean));
}

bool packet_checksum_right(const struct packet *p)
{
	struct packet trimmed = *p;

	if (!p->ipv6 && fold(sum(0, p->bytes, p->thoff)) != 0xffff)
		return false;
	trimmed.len = p->ipv6 ? 40U + get16(p->bytes + 4) : get16(p->bytes + 2);
	if (p->protocol == IPPROTO_UDP && !p->ipv6 &&
	    !get16(p->bytes + p->thoff + 6))
		return true;
	return transport_sum(&trimmed) == 0xffff;
}
