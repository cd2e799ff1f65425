// SPDX-License-Identifier: MIT
/*
 * Messages of the family "clb" for netlink.c: built from a table of commands
 * and attributes, and spoilt.
 */
#include <string.h>

#include <linux/clb.h>

#include "netlink_build.h"
#include "random.h"

/* Largest numbers of nodes, and of secrets, that mean something. */
#define NODES 4
#define KEY_IDS 2

enum kind {
	KIND_U8,
	KIND_U16,
	KIND_U32,
	KIND_U64,
	KIND_PROTOCOL,
	KIND_VIP,
	KIND_VIP_PORT,
	KIND_SERVER,
	KIND_SERVER_PORT,
	KIND_CLIENT,
	KIND_PREFIX,
	KIND_LOCAL,
	KIND_DEVICE,
	KIND_GROUP,
	KIND_SYNC_PORT,
	KIND_SECRET,
};

/**
 * struct field - an attribute inside a nest
 * @type: its type
 * @kind: what is in it
 * @max: its largest value
 * @permille: how often it is given
 */
struct field {
	uint16_t type;
	uint8_t kind;
	uint32_t max;
	uint16_t permille;
};

static const struct field listener_fields[] = {
	{ CLB_LISTENER_A_PROTOCOL, KIND_PROTOCOL, 0, 1000 },
	{ CLB_LISTENER_A_ADDRESS, KIND_VIP, 0, 1000 },
	{ CLB_LISTENER_A_PORT, KIND_VIP_PORT, 0, 1000 },
	{ CLB_LISTENER_A_MODE, KIND_U8, CLB_MODE_MAX, 100 },
	{ CLB_LISTENER_A_SCHEDULER, KIND_U8, CLB_SCHEDULER_MAX, 100 },
	{ CLB_LISTENER_A_HASH_KEY, KIND_U8, CLB_HASH_KEY_MAX, 30 },
	{ CLB_LISTENER_A_PERSISTENCE, KIND_U32, 86400, 30 },
	{ CLB_LISTENER_A_PERSISTENCE_PREFIX, KIND_U8, 128, 30 },
	{ CLB_LISTENER_A_TIMEOUT_SYN, KIND_U32, 900, 30 },
	{ CLB_LISTENER_A_TIMEOUT_ESTABLISHED, KIND_U32, 900, 30 },
	{ CLB_LISTENER_A_TIMEOUT_FIN, KIND_U32, 900, 30 },
	{ CLB_LISTENER_A_TIMEOUT_UDP, KIND_U32, 900, 30 },
	{ CLB_LISTENER_A_RESET, KIND_U8, 1, 30 },
	{ CLB_LISTENER_A_SLOW_START, KIND_U32, 900, 30 },
	{ CLB_LISTENER_A_MAX_SESSIONS, KIND_U32, 1000, 30 },
	{ CLB_LISTENER_A_MAX_NEW_SESSIONS, KIND_U32, 10000000, 30 },
	{ CLB_LISTENER_A_RATE, KIND_U64, 1000000000, 30 },
	{ CLB_LISTENER_A_BURST, KIND_U32, 1000000000, 30 },
	{ CLB_LISTENER_A_ACL_MODE, KIND_U8, CLB_ACL_MODE_MAX, 50 },
	{ CLB_LISTENER_A_SERVERS, KIND_U32, 1000, 3 },
	{ CLB_LISTENER_A_SYNC, KIND_U8, CLB_SYNC_MODE_MAX, 30 },
	{ CLB_LISTENER_A_DIRECT_ACCESS, KIND_U8, 1, 30 },
	{ CLB_LISTENER_A_CLIENT_ADDRESS, KIND_U8, 1, 30 },
	{ 0 }
};

static const struct field listener_key[] = {
	{ CLB_LISTENER_A_PROTOCOL, KIND_PROTOCOL, 0, 1000 },
	{ CLB_LISTENER_A_ADDRESS, KIND_VIP, 0, 1000 },
	{ CLB_LISTENER_A_PORT, KIND_VIP_PORT, 0, 1000 },
	{ 0 }
};

static const struct field server_fields[] = {
	{ CLB_SERVER_A_ADDRESS, KIND_SERVER, 0, 1000 },
	{ CLB_SERVER_A_PORT, KIND_SERVER_PORT, 0, 700 },
	{ CLB_SERVER_A_WEIGHT, KIND_U16, 1000, 300 },
	{ CLB_SERVER_A_STATE, KIND_U8, CLB_SERVER_STATE_MAX, 300 },
	{ CLB_SERVER_A_DRAIN_TIMEOUT, KIND_U32, 86400, 100 },
	{ CLB_SERVER_A_MAX_SESSIONS, KIND_U32, 1000, 100 },
	{ 0 }
};

static const struct field server_key[] = {
	{ CLB_SERVER_A_ADDRESS, KIND_SERVER, 0, 1000 },
	{ CLB_SERVER_A_PORT, KIND_SERVER_PORT, 0, 700 },
	{ 0 }
};

static const struct field acl_fields[] = {
	{ CLB_ACL_A_ADDRESS, KIND_PREFIX, 0, 1000 },
	{ CLB_ACL_A_PREFIX, KIND_U8, 32, 800 },
	{ 0 }
};

static const struct field local_fields[] = {
	{ CLB_LOCAL_ADDRESS_A_ADDRESS, KIND_LOCAL, 0, 1000 },
	{ CLB_LOCAL_ADDRESS_A_NODE, KIND_U16, NODES, 500 },
	{ 0 }
};

static const struct field local_key[] = {
	{ CLB_LOCAL_ADDRESS_A_ADDRESS, KIND_LOCAL, 0, 1000 }, { 0 }
};

static const struct field settings_fields[] = {
	{ CLB_SETTINGS_A_MAX_SESSIONS, KIND_U32, 100000, 500 },
	{ CLB_SETTINGS_A_FAST_PATH, KIND_U8, 1, 500 },
	{ 0 }
};

static const struct field session_fields[] = {
	{ CLB_SESSION_A_STATE, KIND_U8, CLB_SESSION_STATE_MAX, 300 },
	{ CLB_SESSION_A_CLIENT_ADDRESS, KIND_CLIENT, 0, 300 },
	{ CLB_SESSION_A_CLIENT_PORT, KIND_U16, 65535, 300 },
	{ 0 }
};

static const struct field sync_fields[] = {
	{ CLB_SYNC_A_CLUSTER, KIND_U32, 3, 300 },
	{ CLB_SYNC_A_NODE, KIND_U16, NODES, 1000 },
	{ CLB_SYNC_A_INTERFACE, KIND_DEVICE, 0, 1000 },
	{ CLB_SYNC_A_GROUP, KIND_GROUP, 0, 1000 },
	{ CLB_SYNC_A_PORT, KIND_SYNC_PORT, 0, 300 },
	{ CLB_SYNC_A_TTL, KIND_U8, 255, 100 },
	{ CLB_SYNC_A_MTU, KIND_U16, 9000, 100 },
	{ CLB_SYNC_A_KEY_ID, KIND_U8, KEY_IDS, 500 },
	{ CLB_SYNC_A_SECRET, KIND_SECRET, 0, 1000 },
	{ CLB_SYNC_A_REORDER, KIND_U16, 200, 100 },
	{ 0 }
};

static const struct field sync_secret_fields[] = {
	{ CLB_SYNC_A_KEY_ID, KIND_U8, KEY_IDS, 1000 },
	{ CLB_SYNC_A_SECRET, KIND_SECRET, 0, 1000 },
	{ 0 }
};

static const struct field sync_key_id_fields[] = {
	{ CLB_SYNC_A_KEY_ID, KIND_U8, KEY_IDS, 1000 }, { 0 }
};

static const struct field sync_peer_fields[] = {
	{ CLB_SYNC_PEER_A_NODE, KIND_U16, NODES, 1000 }, { 0 }
};

static const struct field no_fields[] = { { 0 } };

/**
 * struct command - a command and what it takes
 * @command: enum clb_cmd
 * @often: how often it is sent, against the others
 * @dump: how often as a dump, in a thousand
 * @nest: what is in it, by type and fields
 */
struct command {
	uint8_t command;
	uint16_t often;
	uint16_t dump;
	struct {
		uint16_t type;
		uint16_t permille;
		const struct field *fields;
	} nest[4];
};

static const struct command commands[] = {
	{ CLB_CMD_LISTENER_GET,
	  5,
	  300,
	  { { CLB_A_LISTENER, 900, listener_key } } },
	{ CLB_CMD_LISTENER_ADD,
	  40,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_fields } } },
	{ CLB_CMD_LISTENER_SET,
	  15,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_fields } } },
	{ CLB_CMD_LISTENER_DEL,
	  3,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_key } } },
	{ CLB_CMD_SERVER_GET,
	  10,
	  300,
	  { { CLB_A_LISTENER, 900, listener_key },
	    { CLB_A_SERVER, 800, server_key } } },
	{ CLB_CMD_SERVER_ADD,
	  40,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_key },
	    { CLB_A_SERVER, 1000, server_fields } } },
	{ CLB_CMD_SERVER_SET,
	  30,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_key },
	    { CLB_A_SERVER, 1000, server_fields } } },
	{ CLB_CMD_SERVER_DEL,
	  15,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_key },
	    { CLB_A_SERVER, 1000, server_key } } },
	{ CLB_CMD_ACL_GET, 4, 900, { { CLB_A_LISTENER, 700, listener_key } } },
	{ CLB_CMD_ACL_ADD,
	  8,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_key },
	    { CLB_A_ACL_ENTRY, 1000, acl_fields },
	    { CLB_A_ACL_ENTRY, 500, acl_fields },
	    { CLB_A_ACL_ENTRY, 500, acl_fields } } },
	{ CLB_CMD_ACL_DEL,
	  8,
	  0,
	  { { CLB_A_LISTENER, 1000, listener_key },
	    { CLB_A_ACL_ENTRY, 900, acl_fields },
	    { CLB_A_ACL_ENTRY, 200, acl_fields } } },
	{ CLB_CMD_LOCAL_ADDRESS_GET, 3, 900, { { 0, 0, no_fields } } },
	{ CLB_CMD_LOCAL_ADDRESS_ADD,
	  4,
	  0,
	  { { CLB_A_LOCAL_ADDRESS, 1000, local_fields } } },
	{ CLB_CMD_LOCAL_ADDRESS_DEL,
	  4,
	  0,
	  { { CLB_A_LOCAL_ADDRESS, 1000, local_key } } },
	{ CLB_CMD_SETTINGS_GET, 2, 100, { { 0, 0, no_fields } } },
	{ CLB_CMD_SETTINGS_SET,
	  2,
	  0,
	  { { CLB_A_SETTINGS, 1000, settings_fields } } },
	{ CLB_CMD_SESSION_GET,
	  5,
	  900,
	  { { CLB_A_LISTENER, 300, listener_key },
	    { CLB_A_SERVER, 300, server_key },
	    { CLB_A_SESSION, 500, session_fields } } },
	{ CLB_CMD_SESSION_DEL,
	  4,
	  0,
	  { { CLB_A_LISTENER, 300, listener_key },
	    { CLB_A_SERVER, 300, server_key },
	    { CLB_A_SESSION, 500, session_fields } } },
	{ CLB_CMD_STATS_GET, 2, 100, { { 0, 0, no_fields } } },
	{ CLB_CMD_BEGIN, 1, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_COMMIT, 9, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_ABORT, 3, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_FLUSH, 1, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_POOL_EXHAUSTED, 1, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_SYNC_START, 8, 0, { { CLB_A_SYNC, 1000, sync_fields } } },
	{ CLB_CMD_SYNC_STOP, 1, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_SYNC_GET, 2, 100, { { 0, 0, no_fields } } },
	{ CLB_CMD_SYNC_READY, 1, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_SYNC_PEER, 1, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_LISTENER_END, 1, 0, { { 0, 0, no_fields } } },
	{ CLB_CMD_SYNC_PEER_GET, 2, 900, { { 0, 0, no_fields } } },
	{ CLB_CMD_SYNC_SECRET_ADD,
	  4,
	  0,
	  { { CLB_A_SYNC, 1000, sync_secret_fields } } },
	{ CLB_CMD_SYNC_SECRET_USE,
	  4,
	  0,
	  { { CLB_A_SYNC, 1000, sync_key_id_fields } } },
	{ CLB_CMD_SYNC_SECRET_DEL,
	  4,
	  0,
	  { { CLB_A_SYNC, 1000, sync_key_id_fields } } },
	{ CLB_CMD_SYNC_TAKEOVER,
	  6,
	  0,
	  { { CLB_A_SYNC_PEER, 1000, sync_peer_fields } } },
	{ CLB_CMD_SYNC_GIVEBACK,
	  4,
	  0,
	  { { CLB_A_SYNC_PEER, 1000, sync_peer_fields } } },
};

/* --- building ------------------------------------------------------------ */

static void put(struct message *m, const void *data, unsigned int len)
{
	if (m->len + len > sizeof(m->bytes))
		return;
	memcpy(m->bytes + m->len, data, len);
	m->len += len;
}

static void align(struct message *m)
{
	static const uint8_t zero[4];

	put(m, zero, -m->len & 3);
}

/* Returns where it begins, for attr_end(). */
static unsigned int attr_begin(struct message *m, uint16_t type)
{
	struct nlattr nla = { .nla_type = type };
	unsigned int start = m->len;

	if (m->attrs < sizeof(m->attr) / sizeof(m->attr[0]))
		m->attr[m->attrs++] = start;
	put(m, &nla, sizeof(nla));
	return start;
}

static void attr_end(struct message *m, unsigned int start)
{
	uint16_t len = m->len - start;

	if (start + sizeof(len) <= sizeof(m->bytes))
		memcpy(m->bytes + start, &len, sizeof(len));
	align(m);
}

static void put_number(struct message *m, const struct field *f,
		       unsigned int size)
{
	uint64_t value;

	if (random_chance(5))
		value = random_u32();
	else if (random_chance(30))
		value = random_chance(500) ? f->max : f->max + 1;
	else
		value = random_below(f->max + 1);
	put(m, &value, size);
}

unsigned int address_choose(uint8_t *address, uint8_t net, unsigned int hosts)
{
	uint8_t v4[4] = { 198, 51, net, 1 + random_below(hosts) };
	uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, net };
	bool ipv6 = random_chance(300);

	v6[15] = v4[3];
	memcpy(address, ipv6 ? v6 : v4, ipv6 ? sizeof(v6) : sizeof(v4));
	return ipv6 ? sizeof(v6) : sizeof(v4);
}

static void put_address(struct message *m, uint8_t net, unsigned int hosts)
{
	uint8_t address[16] = { 0 };
	unsigned int len = address_choose(address, net, hosts);

	put(m, address, len);
}

static void put_prefix(struct message *m)
{
	uint8_t v4[4] = { 10, random_below(16) << 4 };

	put(m, v4, sizeof(v4));
}

static void put_port(struct message *m, uint16_t first, unsigned int ports)
{
	uint16_t port = first + random_below(ports);
	uint8_t bytes[2] = { port >> 8, port };

	if (random_chance(50))
		memset(bytes, 0, sizeof(bytes));
	put(m, bytes, sizeof(bytes));
}

static void put_device(struct message *m, uint32_t device)
{
	if (random_chance(50))
		device = random_below(8);
	put(m, &device, sizeof(device));
}

static void put_group(struct message *m)
{
	uint8_t v4[4] = { 239, 7, 0, random_below(4) };
	uint8_t v6[16] = { 0xff, 0x02, [15] = 7 };

	if (random_chance(300))
		put(m, v6, sizeof(v6));
	else
		put(m, v4, sizeof(v4));
}

static void put_secret(struct message *m)
{
	uint8_t secret[32];
	unsigned int i;

	for (i = 0; i < sizeof(secret); i++)
		secret[i] = random_u32();
	put(m, secret, sizeof(secret));
}

static void put_value(struct message *m, const struct field *f)
{
	uint8_t protocol = random_chance(500) ? 6 : 17;

	switch (f->kind) {
	case KIND_U8:
		return put_number(m, f, 1);
	case KIND_U16:
		return put_number(m, f, 2);
	case KIND_U32:
		return put_number(m, f, 4);
	case KIND_U64:
		return put_number(m, f, 8);
	case KIND_PROTOCOL:
		return put(m, &protocol, 1);
	case KIND_VIP:
		return put_address(m, VIP_NET, VIPS);
	case KIND_VIP_PORT:
		return put_port(m, VIP_PORT, VIP_PORTS);
	case KIND_SERVER:
		return put_address(m, SERVER_NET, 2);
	case KIND_SERVER_PORT:
		return put_port(m, 80, 2);
	case KIND_CLIENT:
		return put_address(m, CLIENT_NET, CLIENTS);
	case KIND_LOCAL:
		return put_address(m, SERVER_NET, 9);
	case KIND_PREFIX:
		return put_prefix(m);
	case KIND_DEVICE:
		return put_device(m, m->device);
	case KIND_GROUP:
		return put_group(m);
	case KIND_SYNC_PORT:
		return put_port(m, 8850, 2);
	case KIND_SECRET:
		return put_secret(m);
	}
}

static void put_field(struct message *m, const struct field *f)
{
	unsigned int start = attr_begin(m, f->type);

	put_value(m, f);
	attr_end(m, start);
}

static void put_nest(struct message *m, uint16_t type,
		     const struct field *fields)
{
	unsigned int start = attr_begin(m, type | NLA_F_NESTED);

	for (; fields->type; fields++)
		if (random_chance(fields->permille))
			put_field(m, fields);
	attr_end(m, start);
}

static const struct command *command_choose(void)
{
	unsigned int sum = 0, i, turn;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		sum += commands[i].often;
	turn = random_below(sum);
	for (i = 0; turn >= commands[i].often; i++)
		turn -= commands[i].often;
	return &commands[i];
}

void message_build(struct message *m, uint16_t family, uint32_t seq)
{
	const struct command *c = command_choose();
	struct nlmsghdr nlh = {
		.nlmsg_type = family,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
		.nlmsg_seq = seq,
	};
	struct genlmsghdr genl = {
		.cmd = c->command,
		.version = CLB_GENL_VERSION,
	};
	unsigned int i;

	m->len = m->attrs = 0;
	if (random_chance(c->dump))
		nlh.nlmsg_flags |= NLM_F_DUMP;
	put(m, &nlh, sizeof(nlh));
	put(m, &genl, sizeof(genl));
	for (i = 0; i < 4; i++)
		if (random_chance(c->nest[i].permille))
			put_nest(m, c->nest[i].type, c->nest[i].fields);
}

/* --- spoiling ------------------------------------------------------------ */

static unsigned int any_attr(const struct message *m)
{
	return m->attr[random_below(m->attrs)];
}

static void spoil_type(struct message *m)
{
	uint16_t type = random_chance(800) ? random_below(40) : random_u32();

	if (random_chance(300))
		type |= NLA_F_NESTED;
	memcpy(m->bytes + any_attr(m) + 2, &type, sizeof(type));
}

static void spoil_length(struct message *m)
{
	unsigned int at = any_attr(m);
	uint16_t len;

	memcpy(&len, m->bytes + at, sizeof(len));
	switch (random_below(4)) {
	case 0:
		len = random_u32();
		break;
	case 1:
		len = random_below(8);
		break;
	default:
		len += random_below(9) - 4;
	}
	memcpy(m->bytes + at, &len, sizeof(len));
}

static void spoil_nested_flag(struct message *m)
{
	m->bytes[any_attr(m) + 3] ^= NLA_F_NESTED >> 8;
}

static void spoil_byte(struct message *m)
{
	m->bytes[MESSAGE_HEAD + random_below(m->len - MESSAGE_HEAD)] =
		random_u32();
}

static void spoil_bit(struct message *m)
{
	m->bytes[MESSAGE_HEAD + random_below(m->len - MESSAGE_HEAD)] ^=
		1 << random_below(8);
}

static void spoil_truncate(struct message *m)
{
	m->len = MESSAGE_HEAD + random_below(m->len - MESSAGE_HEAD);
}

/* The same again, or what another message has. */
static void spoil_duplicate(struct message *m)
{
	unsigned int at = any_attr(m);
	uint16_t len;

	memcpy(&len, m->bytes + at, sizeof(len));
	if (len >= 4 && at + len <= m->len)
		put(m, m->bytes + at, len);
	align(m);
}

static void spoil_append(struct message *m)
{
	uint8_t junk[64];
	unsigned int i;

	for (i = 0; i < sizeof(junk); i++)
		junk[i] = random_u32();
	put(m, junk, random_below(sizeof(junk)));
}

/* Nests in nests in nests. */
static void spoil_depth(struct message *m)
{
	unsigned int start[16], i, n = 1 + random_below(16);

	for (i = 0; i < n; i++)
		start[i] = attr_begin(m, (1 + random_below(9)) | NLA_F_NESTED);
	while (i--)
		attr_end(m, start[i]);
}

static void spoil_command(struct message *m)
{
	m->bytes[NLMSG_HDRLEN] = random_chance(900)
					 ? random_below(CLB_CMD_MAX + 2)
					 : random_u32();
}

static void spoil_header(struct message *m)
{
	uint16_t flags = random_u32() | NLM_F_REQUEST;

	if (random_chance(500))
		m->bytes[NLMSG_HDRLEN + 1 + random_below(3)] = random_u32();
	else
		memcpy(m->bytes + 6, &flags, sizeof(flags));
}

static void (*const spoils[])(struct message *m) = {
	spoil_type,  spoil_length,   spoil_nested_flag, spoil_byte,
	spoil_bit,   spoil_truncate, spoil_duplicate,	spoil_append,
	spoil_depth, spoil_command,  spoil_header,
};

void message_spoil(struct message *m)
{
	unsigned int i, n = 1 + random_below(3);

	for (i = 0; i < n && m->len > MESSAGE_HEAD && m->attrs; i++)
		spoils[random_below(sizeof(spoils) / sizeof(*spoils))](m);
}
