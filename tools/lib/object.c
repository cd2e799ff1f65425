// SPDX-License-Identifier: MIT
/* The tables of fields. Reading and writing them is field.c. */
#include <netinet/in.h>

#include "object.h"

/* Tables, to be read as such. */
/* clang-format off */
static const char *const protocol_names[] = {
	[IPPROTO_TCP] = "tcp",
	[IPPROTO_UDP] = "udp",
};

static const char *const mode_names[] = {
	[CLB_MODE_NAT] = "nat",
	[CLB_MODE_FNAT] = "fnat",
	[CLB_MODE_DR] = "dr",
	[CLB_MODE_TUN] = "tun",
};

static const char *const scheduler_names[] = {
	[CLB_SCHEDULER_RR] = "rr",
	[CLB_SCHEDULER_WRR] = "wrr",
	[CLB_SCHEDULER_LC] = "lc",
	[CLB_SCHEDULER_WLC] = "wlc",
	[CLB_SCHEDULER_MH] = "mh",
	[CLB_SCHEDULER_FO] = "fo",
};

static const char *const hash_names[] = {
	[CLB_HASH_KEY_SOURCE] = "source",
	[CLB_HASH_KEY_TUPLE] = "tuple",
};

static const char *const acl_mode_names[] = {
	[CLB_ACL_MODE_OFF] = "off",
	[CLB_ACL_MODE_ALLOW] = "allow",
	[CLB_ACL_MODE_DENY] = "deny",
};

static const char *const sync_mode_names[] = {
	[CLB_SYNC_MODE_FIRST] = "first",
	[CLB_SYNC_MODE_ESTABLISHED] = "established",
	[CLB_SYNC_MODE_OFF] = "off",
};

static const char *const server_state_names[] = {
	[CLB_SERVER_STATE_UP] = "up",
	[CLB_SERVER_STATE_DRAIN] = "drain",
	[CLB_SERVER_STATE_DOWN] = "down",
};

static const char *const session_state_names[] = {
	[CLB_SESSION_STATE_NONE] = "none",
	[CLB_SESSION_STATE_SYN_SENT] = "syn-sent",
	[CLB_SESSION_STATE_SYN_RECV] = "syn-recv",
	[CLB_SESSION_STATE_ESTABLISHED] = "established",
	[CLB_SESSION_STATE_FIN_CLIENT] = "fin-client",
	[CLB_SESSION_STATE_FIN_SERVER] = "fin-server",
	[CLB_SESSION_STATE_CLOSING] = "closing",
	[CLB_SESSION_STATE_TIME_WAIT] = "time-wait",
	[CLB_SESSION_STATE_CLOSED] = "closed",
	[CLB_SESSION_STATE_UDP_NEW] = "udp-new",
	[CLB_SESSION_STATE_UDP] = "udp",
	[CLB_SESSION_STATE_PERSISTENCE] = "persistence",
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * OBJECT is struct clb_##, PREFIX the start of the attribute's name, MEMBER
 * the struct's member, ATTR the rest of the attribute's name.
 */
#define FIELD(OBJECT, PREFIX, MEMBER, ATTR, NAME, TYPE, FORMAT, ROLE)	\
	.name = (NAME), .attr = PREFIX##_A_##ATTR,			\
	.offset = offsetof(struct OBJECT, MEMBER),			\
	.type = CLB_TYPE_##TYPE, .format = CLB_FORMAT_##FORMAT,		\
	.role = CLB_ROLE_##ROLE
#define NAMES(NAME_TABLE)						\
	.names = (NAME_TABLE), .n_names = ARRAY_SIZE(NAME_TABLE)

#define LISTENER(...) FIELD(clb_listener, CLB_LISTENER, __VA_ARGS__)
#define SERVER(...) FIELD(clb_server, CLB_SERVER, __VA_ARGS__)
#define SESSION(...) FIELD(clb_session, CLB_SESSION, __VA_ARGS__)
#define SYNC(...) FIELD(clb_sync, CLB_SYNC, __VA_ARGS__)
#define SYNC_COUNTER(ATTR, NAME)					\
	FIELD(clb_sync, CLB_SYNC, counters[CLB_SYNC_A_##ATTR], ATTR,	\
	      NAME, U64, NUMBER, OUTPUT)
#define PEER(...) FIELD(clb_sync_peer, CLB_SYNC_PEER, __VA_ARGS__)
#define PEER_COUNTER(ATTR, NAME)					\
	FIELD(clb_sync_peer, CLB_SYNC_PEER,				\
	      counters[CLB_SYNC_PEER_A_##ATTR], ATTR, NAME, U64, NUMBER,	\
	      OUTPUT)
#define STATS(ATTR, NAME)						\
	FIELD(clb_stats, CLB_STATS, counters[CLB_STATS_A_##ATTR], ATTR,	\
	      NAME, U64, NUMBER, OUTPUT)

static const struct clb_field listener_fields[] = {
	{ LISTENER(protocol, PROTOCOL, "protocol", U8, NAME, KEY),
	  NAMES(protocol_names) },
	{ LISTENER(address, ADDRESS, "address", ADDRESS, ADDRESS, KEY) },
	{ LISTENER(port, PORT, "port", PORT, NUMBER, KEY) },
	{ LISTENER(mode, MODE, "mode", U8, NAME, OPTION),
	  NAMES(mode_names), .initial = CLB_MODE_NAT },
	{ LISTENER(scheduler, SCHEDULER, "scheduler", U8, NAME, OPTION),
	  NAMES(scheduler_names), .initial = CLB_SCHEDULER_WRR },
	{ LISTENER(hash_key, HASH_KEY, "hash", U8, NAME, OPTION),
	  NAMES(hash_names), .initial = CLB_HASH_KEY_SOURCE },
	{ LISTENER(persistence, PERSISTENCE, "persistence", U32, NUMBER,
		   OPTION), .what = "SECONDS" },
	{ LISTENER(persistence_prefix, PERSISTENCE_PREFIX,
		   "persistence-prefix", U8, NUMBER, OPTION),
	  .what = "LENGTH", .initial = CLB_DEFAULT_LONGEST },
	{ LISTENER(timeout_syn, TIMEOUT_SYN, "timeout-syn", U32, NUMBER,
		   OPTION), .what = "SECONDS", .initial = 30 },
	{ LISTENER(timeout_established, TIMEOUT_ESTABLISHED,
		   "timeout-established", U32, NUMBER, OPTION),
	  .what = "SECONDS", .initial = 900 },
	{ LISTENER(timeout_fin, TIMEOUT_FIN, "timeout-fin", U32, NUMBER,
		   OPTION), .what = "SECONDS", .initial = 30 },
	{ LISTENER(timeout_udp, TIMEOUT_UDP, "timeout-udp", U32, NUMBER,
		   OPTION), .what = "SECONDS", .initial = 90 },
	{ LISTENER(reset, RESET, "reset", U8, SWITCH, OPTION), .initial = 1 },
	{ LISTENER(slow_start, SLOW_START, "slow-start", U32, NUMBER, OPTION),
	  .what = "SECONDS" },
	{ LISTENER(max_sessions, MAX_SESSIONS, "max-sessions", U32, NUMBER,
		   OPTION), .what = "N" },
	{ LISTENER(max_new_sessions, MAX_NEW_SESSIONS, "max-new-sessions",
		   U32, NUMBER, OPTION), .what = "N" },
	{ LISTENER(rate, RATE, "rate", U64, SCALED, OPTION),
	  .what = "BITS[k|m|g]" },
	{ LISTENER(burst, BURST, "burst", U32, SCALED, OPTION),
	  .what = "BYTES[k|m|g]" },
	{ LISTENER(acl_mode, ACL_MODE, "acl", U8, NAME, OPTION),
	  NAMES(acl_mode_names), .initial = CLB_ACL_MODE_OFF },
	{ LISTENER(sync, SYNC, "sync", U8, NAME, OPTION),
	  NAMES(sync_mode_names), .initial = CLB_SYNC_MODE_FIRST },
	{ LISTENER(direct_access, DIRECT_ACCESS, "direct-access", U8, SWITCH,
		   OPTION) },
	{ LISTENER(client_address, CLIENT_ADDRESS, "client-address", U8,
		   SWITCH, OPTION) },
	{ LISTENER(servers, SERVERS, "servers", U32, NUMBER, OUTPUT) },
	{ LISTENER(acl_entries, ACL_ENTRIES, "acl-entries", U32, NUMBER,
		   OUTPUT) },
	{ LISTENER(sessions, SESSIONS, "sessions", U32, NUMBER, OUTPUT) },
	{ LISTENER(sessions_total, SESSIONS_TOTAL, "sessions-total", U64,
		   NUMBER, OUTPUT) },
	{ LISTENER(in_packets, IN_PACKETS, "in-packets", U64, NUMBER,
		   OUTPUT) },
	{ LISTENER(in_bytes, IN_BYTES, "in-bytes", U64, NUMBER, OUTPUT) },
	{ LISTENER(out_packets, OUT_PACKETS, "out-packets", U64, NUMBER,
		   OUTPUT) },
	{ LISTENER(out_bytes, OUT_BYTES, "out-bytes", U64, NUMBER, OUTPUT) },
	{ LISTENER(drops, DROPS, "drops", U64, NUMBER, OUTPUT) },
};

static const struct clb_field server_fields[] = {
	{ SERVER(address, ADDRESS, "address", ADDRESS, ADDRESS, KEY) },
	{ SERVER(port, PORT, "port", PORT, NUMBER, KEY) },
	{ SERVER(weight, WEIGHT, "weight", U16, NUMBER, OPTION), .what = "N",
	  .initial = 100 },
	{ SERVER(state, STATE, "state", U8, NAME, OPTION),
	  NAMES(server_state_names), .initial = CLB_SERVER_STATE_UP },
	{ SERVER(drain_timeout, DRAIN_TIMEOUT, "drain-timeout", U32, NUMBER,
		 OPTION), .what = "SECONDS" },
	{ SERVER(max_sessions, MAX_SESSIONS, "max-sessions", U32, NUMBER,
		 OPTION), .what = "N" },
	{ SERVER(active_sessions, ACTIVE_SESSIONS, "active-sessions", U32,
		 NUMBER, OUTPUT) },
	{ SERVER(inactive_sessions, INACTIVE_SESSIONS, "inactive-sessions",
		 U32, NUMBER, OUTPUT) },
	{ SERVER(sessions_total, SESSIONS_TOTAL, "sessions-total", U64,
		 NUMBER, OUTPUT) },
	{ SERVER(in_packets, IN_PACKETS, "in-packets", U64, NUMBER, OUTPUT) },
	{ SERVER(in_bytes, IN_BYTES, "in-bytes", U64, NUMBER, OUTPUT) },
	{ SERVER(out_packets, OUT_PACKETS, "out-packets", U64, NUMBER,
		 OUTPUT) },
	{ SERVER(out_bytes, OUT_BYTES, "out-bytes", U64, NUMBER, OUTPUT) },
};

static const struct clb_field acl_entry_fields[] = {
	{ FIELD(clb_acl_entry, CLB_ACL, address, ADDRESS, "address", ADDRESS,
		ADDRESS, KEY) },
	{ FIELD(clb_acl_entry, CLB_ACL, prefix, PREFIX, "prefix", U8, NUMBER,
		KEY) },
};

static const struct clb_field local_address_fields[] = {
	{ FIELD(clb_local_address, CLB_LOCAL_ADDRESS, address, ADDRESS,
		"address", ADDRESS, ADDRESS, KEY) },
	{ FIELD(clb_local_address, CLB_LOCAL_ADDRESS, sessions, SESSIONS,
		"sessions", U32, NUMBER, OUTPUT) },
	{ FIELD(clb_local_address, CLB_LOCAL_ADDRESS, node, NODE, "node",
		U16, NUMBER, OPTION), .what = "ID" },
	{ FIELD(clb_local_address, CLB_LOCAL_ADDRESS, active, ACTIVE,
		"active", U8, SWITCH, OUTPUT) },
};

static const struct clb_field settings_fields[] = {
	{ FIELD(clb_settings, CLB_SETTINGS, max_sessions, MAX_SESSIONS,
		"max-sessions", U32, NUMBER, OPTION), .what = "N" },
	{ FIELD(clb_settings, CLB_SETTINGS, fast_path, FAST_PATH,
		"fast-path", U8, SWITCH, OPTION), .initial = 1 },
};

static const struct clb_field session_fields[] = {
	{ SESSION(protocol, PROTOCOL, "protocol", U8, NAME, OUTPUT),
	  NAMES(protocol_names) },
	{ SESSION(state, STATE, "state", U8, NAME, OPTION),
	  NAMES(session_state_names) },
	{ SESSION(mode, MODE, "mode", U8, NAME, OUTPUT), NAMES(mode_names) },
	{ SESSION(client_address, CLIENT_ADDRESS, "client-address", ADDRESS,
		  ADDRESS, KEY) },
	{ SESSION(client_port, CLIENT_PORT, "client-port", PORT, NUMBER,
		  KEY) },
	{ SESSION(address, ADDRESS, "address", ADDRESS, ADDRESS, OUTPUT) },
	{ SESSION(port, PORT, "port", PORT, NUMBER, OUTPUT) },
	{ SESSION(local_address, LOCAL_ADDRESS, "local-address", ADDRESS,
		  ADDRESS, OUTPUT) },
	{ SESSION(local_port, LOCAL_PORT, "local-port", PORT, NUMBER,
		  OUTPUT) },
	{ SESSION(server_address, SERVER_ADDRESS, "server-address", ADDRESS,
		  ADDRESS, OUTPUT) },
	{ SESSION(server_port, SERVER_PORT, "server-port", PORT, NUMBER,
		  OUTPUT) },
	{ SESSION(expires, EXPIRES, "expires-ms", U32, NUMBER, OUTPUT) },
};

static const struct clb_field stats_fields[] = {
	{ STATS(SESSIONS, "sessions") },
	{ STATS(TABLE_BUCKETS, "table-buckets") },
	{ STATS(SESSIONS_CREATED, "sessions-created") },
	{ STATS(SESSIONS_EXPIRED, "sessions-expired") },
	{ STATS(SESSIONS_EVICTED, "sessions-evicted") },
	{ STATS(SESSIONS_MOVED, "sessions-moved") },
	{ STATS(RESETS_SENT, "resets-sent") },
	{ STATS(ICMP_TRANSLATED, "icmp-translated") },
	{ STATS(ECHO_REPLIES, "echo-replies") },
	{ STATS(FRAGMENTS, "fragments") },
	{ STATS(FAST_PACKETS, "fast-packets") },
	{ STATS(DROP_MALFORMED, "drop-malformed") },
	{ STATS(DROP_FRAGMENT, "drop-fragment") },
	{ STATS(DROP_CHECKSUM, "drop-checksum") },
	{ STATS(DROP_SOURCE_ROUTE, "drop-source-route") },
	{ STATS(DROP_ACL, "drop-acl") },
	{ STATS(DROP_NO_SERVER, "drop-no-server") },
	{ STATS(DROP_NO_SESSION, "drop-no-session") },
	{ STATS(DROP_SERVER_GONE, "drop-server-gone") },
	{ STATS(DROP_SESSION_LIMIT, "drop-session-limit") },
	{ STATS(DROP_LISTENER_LIMIT, "drop-listener-limit") },
	{ STATS(DROP_NEW_RATE, "drop-new-rate") },
	{ STATS(DROP_RATE, "drop-rate") },
	{ STATS(DROP_POOL_EXHAUSTED, "drop-pool-exhausted") },
	{ STATS(DROP_NO_MEMORY, "drop-no-memory") },
	{ STATS(DROP_NO_ROUTE, "drop-no-route") },
	{ STATS(DROP_TTL, "drop-ttl") },
	{ STATS(DROP_TOO_BIG, "drop-too-big") },
	{ STATS(DROP_REPLY_UNKNOWN, "drop-reply-unknown") },
	{ STATS(CLIENT_ADDRESS_REMOVED, "client-address-removed") },
	{ STATS(CLIENT_ADDRESS_OMITTED, "client-address-omitted") },
};

static const struct clb_field sync_fields[] = {
	{ SYNC(running, RUNNING, "running", U8, SWITCH, OUTPUT) },
	{ SYNC(ready, READY, "ready", U8, SWITCH, OUTPUT) },
	{ SYNC(node, NODE, "node", U16, NUMBER, OPTION), .what = "ID" },
	{ SYNC(interface, INTERFACE, "interface", U32, INTERFACE, OPTION),
	  .what = "a network device" },
	{ SYNC(group, GROUP, "group", ADDRESS, ADDRESS, OPTION),
	  .what = "an address" },
	{ SYNC(secret, SECRET, "secret", SECRET, SECRET, OPTION),
	  .what = "a file of 64 hexadecimal digits" },
	{ SYNC(cluster, CLUSTER, "cluster", U32, NUMBER, OPTION),
	  .what = "ID" },
	{ SYNC(port, PORT, "port", PORT, NUMBER, OPTION), .what = "PORT",
	  .initial = 8850 },
	{ SYNC(ttl, TTL, "ttl", U8, NUMBER, OPTION), .what = "HOPS",
	  .initial = 1 },
	{ SYNC(mtu, MTU, "mtu", U16, NUMBER, OPTION), .what = "BYTES" },
	{ SYNC(reorder, REORDER, "reorder", U16, NUMBER, OPTION),
	  .what = "MS", .initial = 10 },
	{ SYNC(key_id, KEY_ID, "key-id", U8, NUMBER, OPTION), .what = "ID" },
	{ SYNC(other_key_id, OTHER_KEY_ID, "other-key-id", U8, NUMBER,
	       OUTPUT) },
	{ SYNC(epoch, EPOCH, "epoch", U64, NUMBER, OUTPUT) },
	{ SYNC(peers, PEERS, "peers", U32, NUMBER, OUTPUT) },
	{ SYNC(queue, QUEUE, "queue", U32, NUMBER, OUTPUT) },
	{ SYNC_COUNTER(SENT_DATAGRAMS, "sent-datagrams") },
	{ SYNC_COUNTER(SENT_BYTES, "sent-bytes") },
	{ SYNC_COUNTER(SENT_SESSIONS, "sent-sessions") },
	{ SYNC_COUNTER(SENT_GONE, "sent-gone") },
	{ SYNC_COUNTER(SENT_REPAIRS, "sent-repairs") },
	{ SYNC_COUNTER(SEND_ERRORS, "send-errors") },
	{ SYNC_COUNTER(QUEUE_FULL, "queue-full") },
	{ SYNC_COUNTER(RECEIVED_DATAGRAMS, "received-datagrams") },
	{ SYNC_COUNTER(EARLY, "early") },
	{ SYNC_COUNTER(CREATED, "created") },
	{ SYNC_COUNTER(UPDATED, "updated") },
	{ SYNC_COUNTER(ENDED, "ended") },
	{ SYNC_COUNTER(MISSED, "missed") },
	{ SYNC_COUNTER(GAPS_REPAIRED, "gaps-repaired") },
	{ SYNC_COUNTER(GAPS_LOST, "gaps-lost") },
	{ SYNC_COUNTER(DROP_TRUNCATED, "drop-truncated") },
	{ SYNC_COUNTER(DROP_FOREIGN, "drop-foreign") },
	{ SYNC_COUNTER(DROP_VERSION, "drop-version") },
	{ SYNC_COUNTER(DROP_CLUSTER, "drop-cluster") },
	{ SYNC_COUNTER(DROP_KEY, "drop-key") },
	{ SYNC_COUNTER(DROP_FORGED, "drop-forged") },
	{ SYNC_COUNTER(DROP_REPLAYED, "drop-replayed") },
	{ SYNC_COUNTER(DROP_LATE, "drop-late") },
	{ SYNC_COUNTER(DROP_MALFORMED, "drop-malformed") },
	{ SYNC_COUNTER(DROP_STRANGER, "drop-stranger") },
	{ SYNC_COUNTER(DROP_SAME_NODE, "drop-same-node") },
	{ SYNC_COUNTER(REFUSED_LISTENER, "refused-listener") },
	{ SYNC_COUNTER(REFUSED_SERVER, "refused-server") },
	{ SYNC_COUNTER(REFUSED_UNFIT, "refused-unfit") },
	{ SYNC_COUNTER(REFUSED_ENDED, "refused-ended") },
	{ SYNC_COUNTER(REFUSED_LIMIT, "refused-limit") },
	{ SYNC_COUNTER(REFUSED_CONFLICT, "refused-conflict") },
	{ SYNC_COUNTER(REFUSED_NO_MEMORY, "refused-no-memory") },
};

static const struct clb_field sync_peer_fields[] = {
	{ PEER(node, NODE, "node", U16, NUMBER, KEY), .what = "ID" },
	{ PEER(address, ADDRESS, "address", ADDRESS, ADDRESS, OUTPUT) },
	{ PEER(epoch, EPOCH, "epoch", U64, NUMBER, OUTPUT) },
	{ PEER(alive, ALIVE, "alive", U8, SWITCH, OUTPUT) },
	{ PEER(ready, READY, "ready", U8, SWITCH, OUTPUT) },
	{ PEER(key_id, KEY_ID, "key-id", U8, NUMBER, OUTPUT) },
	{ PEER(heard, HEARD, "heard-ms", U32, NUMBER, OUTPUT) },
	{ PEER(sessions, SESSIONS, "sessions", U32, NUMBER, OUTPUT) },
	{ PEER(sequence, SEQUENCE, "sequence", U64, NUMBER, OUTPUT) },
	{ PEER(lag, LAG, "lag", U64, NUMBER, OUTPUT) },
	{ PEER_COUNTER(MISSED, "missed") },
	{ PEER(gaps, GAPS, "gaps", U32, NUMBER, OUTPUT) },
	{ PEER_COUNTER(GAPS_REPAIRED, "gaps-repaired") },
	{ PEER_COUNTER(GAPS_LOST, "gaps-lost") },
	{ PEER_COUNTER(DROP_FORGED, "drop-forged") },
	{ PEER_COUNTER(DROP_REPLAYED, "drop-replayed") },
	{ PEER_COUNTER(DROP_LATE, "drop-late") },
};

#define OBJECT(NOUN, WORD, ATTR)					\
	const struct clb_object clb_##NOUN##_object = {			\
		.name = (WORD),						\
		.attr = CLB_A_##ATTR,					\
		.size = sizeof(struct clb_##NOUN),			\
		.fields = NOUN##_fields,				\
		.n_fields = ARRAY_SIZE(NOUN##_fields),			\
	}

OBJECT(listener, "listener", LISTENER);
OBJECT(server, "server", SERVER);
OBJECT(acl_entry, "acl", ACL_ENTRY);
OBJECT(local_address, "local", LOCAL_ADDRESS);
OBJECT(settings, "settings", SETTINGS);
OBJECT(session, "session", SESSION);
OBJECT(stats, "stats", STATS);
OBJECT(sync, "sync", SYNC);
OBJECT(sync_peer, "peer", SYNC_PEER);

/* clang-format on */

const struct clb_object *clb_object_find(uint16_t attr)
{
	static const struct clb_object *const objects[] = {
		[CLB_A_LISTENER] = &clb_listener_object,
		[CLB_A_SERVER] = &clb_server_object,
		[CLB_A_ACL_ENTRY] = &clb_acl_entry_object,
		[CLB_A_LOCAL_ADDRESS] = &clb_local_address_object,
		[CLB_A_SETTINGS] = &clb_settings_object,
		[CLB_A_SESSION] = &clb_session_object,
		[CLB_A_STATS] = &clb_stats_object,
		[CLB_A_SYNC] = &clb_sync_object,
		[CLB_A_SYNC_PEER] = &clb_sync_peer_object,
	};

	return attr < ARRAY_SIZE(objects) ? objects[attr] : NULL;
}
