// SPDX-License-Identifier: GPL-2.0
/* TCP: segments, one after the other, and the state they lead to. */
#include <linux/jiffies.h>

#include "../tcp.h"
#include "test.h"

#define FIN CLB_TCP_FIN
#define SYN CLB_TCP_SYN
#define RST CLB_TCP_RST
#define ACK CLB_TCP_ACK

#define NONE CLB_SESSION_STATE_NONE
#define SYN_SENT CLB_SESSION_STATE_SYN_SENT
#define SYN_RECV CLB_SESSION_STATE_SYN_RECV
#define ESTABLISHED CLB_SESSION_STATE_ESTABLISHED
#define FIN_CLIENT CLB_SESSION_STATE_FIN_CLIENT
#define FIN_SERVER CLB_SESSION_STATE_FIN_SERVER
#define CLOSING CLB_SESSION_STATE_CLOSING
#define WAITING CLB_SESSION_STATE_TIME_WAIT
#define CLOSED CLB_SESSION_STATE_CLOSED

/* What both sides say, as number and as acknowledgment. */
#define SEQ 0xfffffff0U

/* So far from it that nobody who knows the connection says it. */
#define FAR 0x40000000

static const unsigned int seconds[] = {
	[NONE] = 11, [SYN_SENT] = 11, [SYN_RECV] = 11, [ESTABLISHED] = 500,
	[FIN_CLIENT] = 22, [FIN_SERVER] = 22, [CLOSING] = 22,
	[WAITING] = 22, [CLOSED] = 22,
};

/**
 * struct tcp_case - a connection
 * @name: what happens to it
 * @mode: enum clb_mode
 * @step: segments: from the client ('C') or the server ('S'), their flags, how
 *	far their number is from SEQ, the state afterwards, and how far their
 *	acknowledgment is from SEQ
 */
struct tcp_case {
	const char	*name;
	u8		mode;
	struct {
		char	from;
		u8	flags;
		s32	off;
		u8	state;
		s32	ack_off;
	} step[9];
};

static const struct tcp_case tcp_cases[] = {
	{ "closed by the client", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED }, { 'S', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, 0, FIN_CLIENT }, { 'S', ACK, 0, FIN_CLIENT },
		{ 'S', FIN | ACK, 0, CLOSING }, { 'C', ACK, 0, WAITING },
		{ 'C', ACK, 0, WAITING } } },
	{ "closed by the server", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'S', FIN | ACK, 0, FIN_SERVER }, { 'C', ACK, 0, FIN_SERVER },
		{ 'C', FIN | ACK, 0, CLOSING }, { 'S', ACK, 0, WAITING } } },
	{ "closed by both at once", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, 0, FIN_CLIENT },
		{ 'S', FIN | ACK, 0, CLOSING }, { 'S', ACK, 0, WAITING } } },
	{ "opened by both at once", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN, 0, SYN_RECV },
		{ 'C', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED } } },
	{ "SYN again and again", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'C', SYN, 0, SYN_SENT },
		{ 'S', SYN | ACK, 0, SYN_RECV }, { 'C', SYN, 0, SYN_RECV },
		{ 'S', SYN | ACK, 0, SYN_RECV }, { 'C', ACK, 0, ESTABLISHED },
		{ 'S', SYN | ACK, 0, ESTABLISHED } } },
	{ "an ACK alone opens nothing", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'C', ACK, 0, SYN_SENT },
		{ 'S', ACK, 0, SYN_SENT }, { 'C', 0, 0, SYN_SENT } } },
	{ "refused", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', RST | ACK, 0, CLOSED },
		{ 'C', ACK, 0, CLOSED } } },
	{ "half-open, reset by any number", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT },
		{ 'S', RST | ACK, 12345, CLOSED } } },
	{ "reset by the client", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED }, { 'C', RST, 0, CLOSED } } },
	{ "reset by the server", CLB_MODE_FNAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED }, { 'S', ACK, 0, ESTABLISHED },
		{ 'S', RST | ACK, 1000, CLOSED } } },
	{ "blind resets", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED }, { 'S', ACK, 0, ESTABLISHED },
		{ 'C', RST, -SZ_16M - 1, ESTABLISHED },
		{ 'S', RST, SZ_16M, ESTABLISHED },
		{ 'S', RST, 1 << 30, ESTABLISHED },
		{ 'S', RST, SZ_16M - 1, CLOSED } } },
	{ "blind FINs", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED }, { 'S', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, FAR, ESTABLISHED, FAR },
		{ 'S', FIN | ACK, -FAR, ESTABLISHED, FAR },
		{ 'C', FIN, 0, ESTABLISHED },
		{ 'C', FIN | ACK, 0, FIN_CLIENT } } },
	{ "blind ACKs before a reset", CLB_MODE_FNAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', ACK, FAR, ESTABLISHED, FAR },
		{ 'C', ACK, FAR, ESTABLISHED, FAR },
		{ 'C', RST, FAR, ESTABLISHED },
		{ 'S', ACK, -FAR, ESTABLISHED, FAR },
		{ 'S', RST, -FAR, ESTABLISHED },
		{ 'C', RST, 0, CLOSED } } },
	{ "blind SYN+ACK of a client", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', SYN | ACK, FAR, ESTABLISHED, FAR },
		{ 'C', RST, FAR, ESTABLISHED } } },
	{ "the client has gone far", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, FAR, FIN_CLIENT },
		{ 'C', RST, FAR, CLOSED } } },
	{ "the server has gone far", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, 0, FIN_CLIENT, FAR },
		{ 'S', RST, FAR, CLOSED } } },
	{ "begun anew by both", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', SYN, FAR, ESTABLISHED },
		{ 'S', SYN | ACK, -FAR, ESTABLISHED, FAR },
		{ 'C', ACK, FAR, ESTABLISHED, -FAR },
		{ 'C', FIN | ACK, FAR, FIN_CLIENT, -FAR } } },
	{ "reset in TIME_WAIT", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, 0, FIN_CLIENT },
		{ 'S', FIN | ACK, 0, CLOSING }, { 'C', ACK, 0, WAITING },
		{ 'S', RST, 0, WAITING } } },
	{ "one way: handshake and close", CLB_MODE_DR, {
		{ 'C', SYN, 0, SYN_SENT }, { 'C', SYN, 0, SYN_SENT },
		{ 'C', ACK, 0, ESTABLISHED }, { 'C', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, 0, FIN_CLIENT },
		{ 'C', ACK, 0, FIN_CLIENT } } },
	{ "one way: blind segments", CLB_MODE_DR, {
		{ 'C', SYN, 0, SYN_SENT }, { 'C', ACK, 0, ESTABLISHED },
		{ 'C', FIN | ACK, FAR, ESTABLISHED, FAR },
		{ 'C', ACK, FAR, ESTABLISHED, FAR },
		{ 'C', RST, FAR, ESTABLISHED },
		{ 'C', ACK, 1000, ESTABLISHED, FAR },
		{ 'C', FIN | ACK, 1000, FIN_CLIENT, FAR } } },
	{ "reset with what was acknowledged", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED },
		{ 'C', RST, -SZ_16M, CLOSED } } },
	{ "one way: resets", CLB_MODE_TUN, {
		{ 'C', SYN, 0, SYN_SENT }, { 'C', ACK, 0, ESTABLISHED },
		{ 'C', RST, -SZ_16M - 1, ESTABLISHED },
		{ 'C', RST, 0, CLOSED } } },
	{ "FIN without a handshake", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'C', FIN, 0, SYN_SENT },
		{ 'C', FIN | ACK, 0, SYN_SENT },
		{ 'S', FIN | ACK, 0, FIN_SERVER } } },
	{ "nothing before a SYN", CLB_MODE_NAT, {
		{ 'C', FIN | ACK, 0, NONE }, { 'C', ACK, 0, NONE } } },
	{ "handshake of who did not see the SYN+ACK", CLB_MODE_FNAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, SYN_RECV, SZ_64K },
		{ 'C', ACK, 0, SYN_RECV, -SZ_64K - 1 },
		{ 'C', FIN | ACK, 0, SYN_RECV, FAR },
		{ 'C', FIN, 0, SYN_RECV },
		{ 'C', SYN | ACK, 0, SYN_RECV, FAR },
		{ 'C', ACK, 0, SYN_RECV, FAR },
		{ 'C', ACK, 0, ESTABLISHED } } },
	{ "the first ACK acknowledges data, too", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', ACK, 0, ESTABLISHED, SZ_64K - 1 } } },
	{ "a FIN completes the handshake", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'C', FIN | ACK, 0, FIN_CLIENT } } },
	{ "the client answered an earlier SYN+ACK", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'S', SYN | ACK, 0, SYN_RECV },
		{ 'S', SYN | ACK, FAR, SYN_RECV }, { 'C', ACK, 0, SYN_RECV },
		{ 'S', ACK, 0, SYN_RECV }, { 'C', ACK, 0, ESTABLISHED } } },
	{ "a RST with a SYN is a RST", CLB_MODE_NAT, {
		{ 'C', SYN, 0, SYN_SENT }, { 'C', SYN | RST, 0, CLOSED } } },
};

static void tcp_name(const struct tcp_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(tcp, tcp_cases, tcp_name);

static void configure(struct kunit *test, u8 mode)
{
	struct clb_endpoint key = clb_test_endpoint(test, "203.0.113.1", 80,
						    IPPROTO_TCP);
	struct clb_session *session = clb_test_open(test, mode, &key);
	struct clb_listener *listener;

	KUNIT_ASSERT_NOT_NULL(test, session);
	listener = session->server->listener;
	listener->timeouts[CLB_TIMEOUT_SYN] = 11 * HZ;
	listener->timeouts[CLB_TIMEOUT_ESTABLISHED] = 500 * HZ;
	listener->timeouts[CLB_TIMEOUT_FIN] = 22 * HZ;
	test->priv = session;
}

static void expect_state(struct kunit *test, struct clb_session *session,
			 u8 state, int step)
{
	struct clb_server *server = session->server;
	s32 left = (READ_ONCE(session->deadline) - (u32)jiffies) / HZ;
	bool active = state == ESTABLISHED;

	KUNIT_EXPECT_EQ_MSG(test, session->state, state, "step %d", step);
	KUNIT_EXPECT_LE_MSG(test, left, seconds[state], "step %d", step);
	KUNIT_EXPECT_GE_MSG(test, left, seconds[state] - 8, "step %d", step);
	KUNIT_EXPECT_EQ(test, atomic_read(&server->active), active);
	KUNIT_EXPECT_EQ(test, atomic_read(&server->inactive), !active);
}

/* As the packet path does: a segment of the client ('C') or server ('S'). */
static void see(struct clb_session *session, char from, struct clb_packet *pkt)
{
	pkt->tuple.protocol = IPPROTO_TCP;
	local_bh_disable();
	rcu_read_lock();
	clb_session_track(session, from == 'C' ? CLB_DIR_ORIGINAL :
						 CLB_DIR_REPLY, pkt);
	rcu_read_unlock();
	local_bh_enable();
}

static void follows(struct kunit *test)
{
	const struct tcp_case *c = test->param_value;
	struct clb_session *session;
	struct clb_packet pkt = {};
	unsigned int i;

	configure(test, c->mode);
	session = test->priv;
	for (i = 0; i < ARRAY_SIZE(c->step) && c->step[i].from; i++) {
		pkt.seq = SEQ + c->step[i].off;
		pkt.ack = SEQ + c->step[i].ack_off;
		pkt.tcp_flags = c->step[i].flags;
		see(session, c->step[i].from, &pkt);
		expect_state(test, session, c->step[i].state, i);
	}
}

struct segment {
	char	from;
	u8	flags;
	u32	seq;
	u32	len;
	u32	ack;
};

/**
 * struct number_case - the numbers with which a connection would be reset
 * @name: what was seen of it
 * @mode: enum clb_mode
 * @step: segments after the handshake: from the client ('C') or the server
 *	('S'), their flags, number, length and acknowledgment
 * @towards: numbers of resets, by who is sent them: server, client
 */
struct number_case {
	const char	*name;
	u8		mode;
	struct segment	step[3];
	u32		towards[CLB_DIR_MAX];
};

#define C0 0xfffffff0U	/* the client's first number, the server's */
#define S0 0x7ffffff0U

static const struct segment handshake[] = {
	{ 'C', SYN, C0, 1 }, { 'S', SYN | ACK, S0, 1, C0 + 1 },
	{ 'C', ACK, C0 + 1, 0, S0 + 1 },
};

static const struct number_case number_cases[] = {
	{ "handshake", CLB_MODE_NAT, {}, { C0 + 1, S0 + 1 } },
	{ "acknowledged", CLB_MODE_NAT, {
		{ 'C', ACK, C0 + 1, 50, S0 + 1 },
		{ 'S', ACK, S0 + 1, 70, C0 + 51 },
		{ 'C', ACK, C0 + 51, 0, S0 + 71 } }, { C0 + 51, S0 + 71 } },
	{ "not acknowledged yet", CLB_MODE_FNAT, {
		{ 'C', ACK, C0 + 1, 50, S0 + 1 },
		{ 'S', ACK, S0 + 1, 70, C0 + 1 },
		{ 'C', ACK, C0 + 51, 10, S0 + 1 } }, { C0 + 61, S0 + 71 } },
	{ "acknowledged before it is seen", CLB_MODE_NAT, {
		{ 'C', ACK, C0 + 1, 50, S0 + 1001 } },
		{ C0 + 51, S0 + 1001 } },
	{ "sent once more, then acknowledged", CLB_MODE_NAT, {
		{ 'S', ACK, S0 + 1001, 100, C0 + 1 },
		{ 'S', ACK, S0 + 1, 100, C0 + 1 },
		{ 'C', ACK, C0 + 1, 0, S0 + 1101 } },
		{ C0 + 1, S0 + 1101 } },
	{ "a forged number, and what comes next", CLB_MODE_NAT, {
		{ 'S', ACK, S0 + 1, 100, C0 + 1 },
		{ 'S', ACK, S0 + 0x20000000, 100, C0 + 1 },
		{ 'C', ACK, C0 + 1, 0, S0 + 101 } }, { C0 + 1, S0 + 101 } },
	{ "one way: asked whether it lives", CLB_MODE_DR, {
		{ 'C', ACK, C0 + 1, 50, S0 + 1 },
		{ 'C', ACK, C0 + 50, 0, S0 + 1 } }, { C0 + 51, S0 + 1 } },
	{ "one way: sent once more", CLB_MODE_TUN, {
		{ 'C', ACK, C0 + 1, 50, S0 + 1 },
		{ 'C', ACK, C0 + 51, 50, S0 + 1 },
		{ 'C', ACK, C0 + 1, 50, S0 + 1 } }, { C0 + 101, S0 + 1 } },
	{ "far back", CLB_MODE_NAT, {
		{ 'C', ACK, C0 + 1 - FAR, 50, S0 + 1 } },
		{ C0 + 51 - FAR, S0 + 1 } },
	{ "blind", CLB_MODE_NAT, {
		{ 'C', ACK, C0 + FAR, 50, S0 + FAR },
		{ 'C', ACK, C0 + FAR, 50, S0 + FAR },
		{ 'S', ACK, S0 + FAR, 50, C0 - FAR } }, { C0 + 1, S0 + 1 } },
	{ "more on its way than is near", CLB_MODE_NAT, {
		{ 'S', ACK, S0 + 1, FAR, C0 + 1 },
		{ 'C', ACK, C0 + 1, 50, S0 + 1 },
		{ 'S', ACK, S0 + 1 + FAR, 100, C0 + 1 } },
		{ C0 + 51, S0 + 101 + FAR } },
	{ "one way", CLB_MODE_DR, {
		{ 'C', ACK, C0 + 1, 50, S0 + 1 },
		{ 'C', ACK, C0 + 51, 0, S0 + 71 } }, { C0 + 51, S0 + 71 } },
};

static void number_name(const struct number_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(number, number_cases, number_name);

static void see_segment(struct clb_session *session,
			const struct segment *segment)
{
	struct clb_packet pkt = {
		.tcp_flags = segment->flags,
		.tcp_len = segment->len,
		.seq = segment->seq,
		.ack = segment->ack,
	};

	see(session, segment->from, &pkt);
}

static void numbers(struct kunit *test)
{
	const struct number_case *c = test->param_value;
	struct clb_session *session;
	unsigned int i;

	configure(test, c->mode);
	session = test->priv;
	for (i = 0; i < ARRAY_SIZE(handshake); i++)
		if (handshake[i].from == 'C' || !clb_session_one_way(session))
			see_segment(session, &handshake[i]);
	for (i = 0; i < ARRAY_SIZE(c->step) && c->step[i].from; i++)
		see_segment(session, &c->step[i]);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_ORIGINAL],
			c->towards[0]);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_REPLY],
			c->towards[1]);
}

/* Another node told of the session: its first segment here has the numbers. */
static void copied(struct kunit *test)
{
	const struct segment first = { 'S', ACK, S0, 100, C0 };
	const struct segment blind = { 'C', FIN | ACK, C0 + FAR, 1, S0 + FAR };
	struct clb_session *session;

	configure(test, CLB_MODE_NAT);
	session = test->priv;
	clb_session_set_state(session, session->state, ESTABLISHED);
	see_segment(session, &first);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_ORIGINAL], C0);
	KUNIT_EXPECT_EQ(test, session->reset_seq[CLB_DIR_REPLY], S0 + 100);
	see_segment(session, &blind);
	KUNIT_EXPECT_EQ(test, session->state, ESTABLISHED);
}

/* What a segment makes of a session that another node told of. */
static void leads_copy(struct kunit *test, u32 state,
		       const struct segment *segment, u32 then)
{
	struct clb_session *session;

	configure(test, CLB_MODE_NAT);
	session = test->priv;
	clb_session_set_state(session, session->state, state);
	see_segment(session, segment);
	KUNIT_EXPECT_EQ(test, session->state, then);
}

/* Half-open, with no number known: the client's ACK comes here. */
static void copied_half_open(struct kunit *test)
{
	const struct segment first = { 'C', ACK, C0, 0, S0 };

	leads_copy(test, SYN_RECV, &first, ESTABLISHED);
}

static void copied_and_reset(struct kunit *test)
{
	const struct segment reset = { 'S', RST, S0 };

	leads_copy(test, ESTABLISHED, &reset, CLOSED);
}

static void opens(struct kunit *test)
{
	struct clb_packet pkt = {};
	u16 flags;

	for (flags = 0; flags <= 0xff; flags++) {
		pkt.tcp_flags = flags;
		/* whatever PSH, URG, ECE and CWR say */
		KUNIT_EXPECT_EQ(test, clb_tcp_opens(&pkt),
				(flags & 0x17) == SYN);
	}
}

static struct kunit_case tcp_cases_list[] = {
	KUNIT_CASE_PARAM(follows, tcp_gen_params),
	KUNIT_CASE_PARAM(numbers, number_gen_params),
	KUNIT_CASE(copied),
	KUNIT_CASE(copied_half_open),
	KUNIT_CASE(copied_and_reset),
	KUNIT_CASE(opens),
	{}
};

struct kunit_suite clb_test_tcp = {
	.name = "clb_tcp",
	.exit = clb_test_flush,
	.test_cases = tcp_cases_list,
};
