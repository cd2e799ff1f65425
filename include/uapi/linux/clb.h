/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * CLB load balancer: generic netlink interface.
 *
 * The same interface in YNL form is Documentation/netlink/specs/clb.yaml;
 * Documentation/netlink.rst says how to use it. A test holds the two equal.
 *
 * Every message carries one nest per object it is about: CLB_A_LISTENER names
 * a listener in all commands that work inside one (servers, ACL entries).
 * Addresses and ports are in network byte order, everything else in host
 * byte order. The length of an address, 4 or 16 bytes, says its family.
 */
#ifndef _UAPI_LINUX_CLB_H
#define _UAPI_LINUX_CLB_H

#define CLB_GENL_NAME		"clb"
#define CLB_GENL_VERSION	1
#define CLB_GENL_MCGRP_EVENTS	"events"

/**
 * enum clb_cmd - commands and events
 * @CLB_CMD_UNSPEC: not used
 * @CLB_CMD_LISTENER_GET: one listener (do) or all of them (dump;
 *	CLB_A_LISTENER filters)
 * @CLB_CMD_LISTENER_ADD: add a listener. -EEXIST where it exists
 * @CLB_CMD_LISTENER_SET: change attributes of a listener; those not given stay
 * @CLB_CMD_LISTENER_DEL: remove a listener and its servers
 * @CLB_CMD_SERVER_GET: one server (do) or all (dump; CLB_A_LISTENER filters)
 * @CLB_CMD_SERVER_ADD: add a server to a listener
 * @CLB_CMD_SERVER_SET: change weight, state or limits of a server
 * @CLB_CMD_SERVER_DEL: remove a server from a listener
 * @CLB_CMD_ACL_GET: ACL entries (dump; CLB_A_LISTENER filters)
 * @CLB_CMD_ACL_ADD: add one or more CLB_A_ACL_ENTRY to a listener
 * @CLB_CMD_ACL_DEL: remove one or more CLB_A_ACL_ENTRY; none given: all
 * @CLB_CMD_LOCAL_ADDRESS_GET: local addresses for FNAT (dump)
 * @CLB_CMD_LOCAL_ADDRESS_ADD: add a local address to the pool
 * @CLB_CMD_LOCAL_ADDRESS_DEL: remove a local address; its sessions live on
 * @CLB_CMD_SETTINGS_GET: settings of the network namespace, and
 *	CLB_A_GENERATION
 * @CLB_CMD_SETTINGS_SET: change settings; takes effect at once, outside
 *	of transactions
 * @CLB_CMD_SESSION_GET: sessions (dump). CLB_A_LISTENER, CLB_A_SERVER
 *	(address and port) and CLB_A_SESSION (client address, client port,
 *	state) filter
 * @CLB_CMD_SESSION_DEL: remove sessions that match the same filters; with
 *	none given, all. TCP sessions are reset where the listener says so
 * @CLB_CMD_STATS_GET: counters of the network namespace
 * @CLB_CMD_BEGIN: begin a transaction, owned by the sending socket. -EBUSY
 *	while another socket owns one
 * @CLB_CMD_COMMIT: make all changes of the transaction visible at once. As
 *	an event: a new configuration with CLB_A_GENERATION is in force
 * @CLB_CMD_ABORT: drop the transaction; closing the socket does the same
 * @CLB_CMD_FLUSH: remove all listeners and local addresses
 * @CLB_CMD_POOL_EXHAUSTED: event only: no local address and port is free for
 *	CLB_A_LISTENER, CLB_A_SERVER. At most one a second
 * @CLB_CMD_SYNC_START: take part in a cluster. -EBUSY if it does
 * @CLB_CMD_SYNC_STOP: part with it; sessions stay. -ENOENT if it does not
 * @CLB_CMD_SYNC_GET: configuration, without the secret, and counters
 * @CLB_CMD_SYNC_READY: event only: this node has the sessions of the others,
 *	its VIPs may be announced
 * @CLB_CMD_SYNC_PEER_GET: the other nodes (dump); none while sync is not
 *	started
 * @CLB_CMD_SYNC_SECRET_ADD: a second secret, with its key id: datagrams made
 *	with either are taken. -EEXIST: the key id is in use. -ENOSPC: there
 *	are two. -ENOENT: sync is not started
 * @CLB_CMD_SYNC_SECRET_USE: send with the secret of this key id. -ENOENT:
 *	there is none of it, or sync is not started
 * @CLB_CMD_SYNC_SECRET_DEL: forget the secret of this key id. -ENOENT as
 *	above. -EBUSY: this node sends with it, or another one was heard to
 * @CLB_CMD_SYNC_TAKEOVER: use the local addresses of CLB_A_SYNC_PEER (node),
 *	which is dead, for new sessions, too. -EALREADY: they are used. -ENOENT:
 *	there are none, or sync was never started. -ENOSPC: of too many nodes.
 *	As an event: CLB_A_LOCAL_ADDRESS is used from now on and must be routed
 *	to this node; one event for each address
 * @CLB_CMD_SYNC_GIVEBACK: use them no more; those of a node that is heard to be
 *	ready are given back without. -ENOENT: they were not taken over. As an
 *	event: CLB_A_LOCAL_ADDRESS is its owner's again and need not be routed
 *	to this node any more
 * @CLB_CMD_SYNC_PEER: event only: CLB_A_SYNC_PEER is alive, or not any more
 * @CLB_CMD_LISTENER_END: event only: the last session of a CLB_A_LISTENER that
 *	was removed is gone; it carries the key and the counters, which are
 *	final: what they counted after the removal is in no other event
 *
 * Events carry the command that caused the change and the objects in the
 * form in which the matching GET command returns them.
 */
enum clb_cmd {
	CLB_CMD_UNSPEC,
	CLB_CMD_LISTENER_GET,
	CLB_CMD_LISTENER_ADD,
	CLB_CMD_LISTENER_SET,
	CLB_CMD_LISTENER_DEL,
	CLB_CMD_SERVER_GET,
	CLB_CMD_SERVER_ADD,
	CLB_CMD_SERVER_SET,
	CLB_CMD_SERVER_DEL,
	CLB_CMD_ACL_GET,
	CLB_CMD_ACL_ADD,
	CLB_CMD_ACL_DEL,
	CLB_CMD_LOCAL_ADDRESS_GET,
	CLB_CMD_LOCAL_ADDRESS_ADD,
	CLB_CMD_LOCAL_ADDRESS_DEL,
	CLB_CMD_SETTINGS_GET,
	CLB_CMD_SETTINGS_SET,
	CLB_CMD_SESSION_GET,
	CLB_CMD_SESSION_DEL,
	CLB_CMD_STATS_GET,
	CLB_CMD_BEGIN,
	CLB_CMD_COMMIT,
	CLB_CMD_ABORT,
	CLB_CMD_FLUSH,
	CLB_CMD_POOL_EXHAUSTED,
	CLB_CMD_SYNC_START,
	CLB_CMD_SYNC_STOP,
	CLB_CMD_SYNC_GET,
	CLB_CMD_SYNC_READY,
	CLB_CMD_SYNC_PEER_GET,
	CLB_CMD_SYNC_SECRET_ADD,
	CLB_CMD_SYNC_SECRET_USE,
	CLB_CMD_SYNC_SECRET_DEL,
	CLB_CMD_SYNC_TAKEOVER,
	CLB_CMD_SYNC_GIVEBACK,
	CLB_CMD_SYNC_PEER,
	CLB_CMD_LISTENER_END,

	__CLB_CMD_MAX,
	CLB_CMD_MAX = __CLB_CMD_MAX - 1
};

/**
 * enum clb_attr - top-level attributes
 * @CLB_A_UNSPEC: not used
 * @CLB_A_LISTENER: nest of enum clb_listener_attr
 * @CLB_A_SERVER: nest of enum clb_server_attr
 * @CLB_A_ACL_ENTRY: nest of enum clb_acl_attr; may be given many times
 * @CLB_A_LOCAL_ADDRESS: nest of enum clb_local_address_attr
 * @CLB_A_SETTINGS: nest of enum clb_settings_attr
 * @CLB_A_SESSION: nest of enum clb_session_attr
 * @CLB_A_STATS: nest of enum clb_stats_attr
 * @CLB_A_GENERATION: u32, number of the configuration in force; every change
 *	or committed transaction adds one
 * @CLB_A_SYNC: nest of enum clb_sync_attr
 * @CLB_A_SYNC_PEER: nest of enum clb_sync_peer_attr
 */
enum clb_attr {
	CLB_A_UNSPEC,
	CLB_A_LISTENER,
	CLB_A_SERVER,
	CLB_A_ACL_ENTRY,
	CLB_A_LOCAL_ADDRESS,
	CLB_A_SETTINGS,
	CLB_A_SESSION,
	CLB_A_STATS,
	CLB_A_GENERATION,
	CLB_A_SYNC,
	CLB_A_SYNC_PEER,

	__CLB_A_MAX,
	CLB_A_MAX = __CLB_A_MAX - 1
};

/**
 * enum clb_mode - how packets reach the servers of a listener
 * @CLB_MODE_NAT: destination translated, client address kept; the server's
 *	route to the client leads through the node
 * @CLB_MODE_FNAT: full NAT: the source becomes an address of the local pool
 * @CLB_MODE_DR: direct routing: only the MAC address changes; the server
 *	holds the VIP and answers the client itself
 * @CLB_MODE_TUN: packets are encapsulated in IPv4 or IPv6 (IPIP, 6in4, 4in6,
 *	6in6); the server holds the VIP and answers the client itself
 */
enum clb_mode {
	CLB_MODE_NAT,
	CLB_MODE_FNAT,
	CLB_MODE_DR,
	CLB_MODE_TUN,

	__CLB_MODE_MAX,
	CLB_MODE_MAX = __CLB_MODE_MAX - 1
};

/**
 * enum clb_scheduler - how a server is chosen for a new session
 * @CLB_SCHEDULER_RR: round robin
 * @CLB_SCHEDULER_WRR: weighted round robin, evenly interleaved
 * @CLB_SCHEDULER_LC: fewest sessions; 256 half-open or closing ones count as
 *	one
 * @CLB_SCHEDULER_WLC: fewest sessions for its weight
 * @CLB_SCHEDULER_MH: Maglev hash of the client address or of the 4-tuple
 * @CLB_SCHEDULER_FO: failover: the usable server with the highest weight
 */
enum clb_scheduler {
	CLB_SCHEDULER_RR,
	CLB_SCHEDULER_WRR,
	CLB_SCHEDULER_LC,
	CLB_SCHEDULER_WLC,
	CLB_SCHEDULER_MH,
	CLB_SCHEDULER_FO,

	__CLB_SCHEDULER_MAX,
	CLB_SCHEDULER_MAX = __CLB_SCHEDULER_MAX - 1
};

/**
 * enum clb_hash_key - what the mh scheduler hashes
 * @CLB_HASH_KEY_SOURCE: client address
 * @CLB_HASH_KEY_TUPLE: client address and port, VIP and port
 */
enum clb_hash_key {
	CLB_HASH_KEY_SOURCE,
	CLB_HASH_KEY_TUPLE,

	__CLB_HASH_KEY_MAX,
	CLB_HASH_KEY_MAX = __CLB_HASH_KEY_MAX - 1
};

/**
 * enum clb_acl_mode - meaning of a listener's ACL entries
 * @CLB_ACL_MODE_OFF: entries are kept but not looked at
 * @CLB_ACL_MODE_ALLOW: only clients in an entry may open sessions; with no
 *	entry, nobody may
 * @CLB_ACL_MODE_DENY: clients in an entry may not open sessions
 */
enum clb_acl_mode {
	CLB_ACL_MODE_OFF,
	CLB_ACL_MODE_ALLOW,
	CLB_ACL_MODE_DENY,

	__CLB_ACL_MODE_MAX,
	CLB_ACL_MODE_MAX = __CLB_ACL_MODE_MAX - 1
};

/**
 * enum clb_sync_mode - from when on other nodes know of a listener's sessions
 * @CLB_SYNC_MODE_FIRST: from the first packet
 * @CLB_SYNC_MODE_ESTABLISHED: TCP from the end of the handshake, UDP from the
 *	first answer; where answers bypass the node, from the first packet
 * @CLB_SYNC_MODE_OFF: never
 */
enum clb_sync_mode {
	CLB_SYNC_MODE_FIRST,
	CLB_SYNC_MODE_ESTABLISHED,
	CLB_SYNC_MODE_OFF,

	__CLB_SYNC_MODE_MAX,
	CLB_SYNC_MODE_MAX = __CLB_SYNC_MODE_MAX - 1
};

/**
 * enum clb_listener_attr - a listener
 * @CLB_LISTENER_A_UNSPEC: not used
 * @CLB_LISTENER_A_PAD: alignment of 64-bit attributes
 * @CLB_LISTENER_A_PROTOCOL: u8, 6 (TCP) or 17 (UDP); part of the key
 * @CLB_LISTENER_A_ADDRESS: binary, 4 or 16 bytes, network order: the VIP, a
 *	unicast address; part of the key
 * @CLB_LISTENER_A_PORT: u16, network order; 0: all ports; part of the key
 * @CLB_LISTENER_A_MODE: u8, enum clb_mode (default NAT)
 * @CLB_LISTENER_A_SCHEDULER: u8, enum clb_scheduler (default WRR)
 * @CLB_LISTENER_A_HASH_KEY: u8, enum clb_hash_key (default SOURCE)
 * @CLB_LISTENER_A_PERSISTENCE: u32, seconds a client stays with its server
 *	after its last session was seen open, 0 to 86400 (default 0: off). One
 *	that did not go on after an answer is bound for the timeout of a
 *	half-open or unanswered session at most; but by UDP in DR and TUN,
 *	whose answers bypass the node, for all of it
 * @CLB_LISTENER_A_PERSISTENCE_PREFIX: u8, prefix length by which clients are
 *	told apart, 1 to 32 or 128 (default the longest)
 * @CLB_LISTENER_A_TIMEOUT_SYN: u32, seconds, half-open TCP, 1 to 900
 *	(default 30)
 * @CLB_LISTENER_A_TIMEOUT_ESTABLISHED: u32, seconds, established TCP, 10 to
 *	900 (default 900)
 * @CLB_LISTENER_A_TIMEOUT_FIN: u32, seconds, closing TCP, 1 to 900 (default
 *	30)
 * @CLB_LISTENER_A_TIMEOUT_UDP: u32, seconds, UDP, 1 to 900 (default 90)
 * @CLB_LISTENER_A_RESET: u8, 0 or 1 (default 1): sessions whose server is
 *	down or gone, and TCP packets that belong to no session, are answered
 *	with a reset; 0: dropped in silence
 * @CLB_LISTENER_A_SLOW_START: u32, seconds over which the share of a server
 *	that came up grows to its weight, 0 to 900 (default 0: off); rr, wrr,
 *	lc and wlc
 * @CLB_LISTENER_A_MAX_SESSIONS: u32, 0: no limit (default)
 * @CLB_LISTENER_A_MAX_NEW_SESSIONS: u32, new sessions a second, at most
 *	10,000,000; 0: no limit (default)
 * @CLB_LISTENER_A_RATE: u64, limit of the outbound traffic in bit/s at the
 *	IP layer, 0: none (default), else 8000 to 10^12. NAT and FNAT alone:
 *	-EOPNOTSUPP for DR and TUN, whose replies bypass the node
 * @CLB_LISTENER_A_BURST: u32, bytes that may exceed the rate at once; 0
 *	(default): 500 ms of the rate, at least 131072; else at least 131072:
 *	two packets of the largest kind. A packet is sent whole or not at
 *	all: the last of a burst may exceed it
 * @CLB_LISTENER_A_ACL_MODE: u8, enum clb_acl_mode (default OFF)
 * @CLB_LISTENER_A_SERVERS: u32, number of servers (output)
 * @CLB_LISTENER_A_ACL_ENTRIES: u32, number of ACL entries (output)
 * @CLB_LISTENER_A_SESSIONS: u32, open sessions (output)
 * @CLB_LISTENER_A_SESSIONS_TOTAL: u64, sessions ever opened (output)
 * @CLB_LISTENER_A_IN_PACKETS: u64, packets from clients (output); this and
 *	the next three count at the IP layer on the client's side, as on the
 *	wire: a GSO packet counts as its segments
 * @CLB_LISTENER_A_IN_BYTES: u64, bytes from clients (output)
 * @CLB_LISTENER_A_OUT_PACKETS: u64, packets to clients (output)
 * @CLB_LISTENER_A_OUT_BYTES: u64, bytes to clients (output)
 * @CLB_LISTENER_A_DROPS: u64, packets dropped for a reason of this listener:
 *	ACL, limits, rate, no server, TCP of no session, no local port, no
 *	memory for a session, a source that cannot be (output)
 * @CLB_LISTENER_A_SYNC: u8, enum clb_sync_mode (default FIRST)
 * @CLB_LISTENER_A_DIRECT_ACCESS: u8, 0 or 1 (default 0), NAT, TCP: clients
 *	reach its servers past the VIP, too, at the same port, and the answers
 *	pass this node. 0: such packets of no session are taken for answers to
 *	sessions of other nodes, and dropped where sync runs and is not OFF
 * @CLB_LISTENER_A_CLIENT_ADDRESS: u8, 0 or 1 (default 0), FNAT, TCP: the SYN
 *	tells servers the client's address and port by a TCP option (kind 254);
 *	-EOPNOTSUPP for others
 */
enum clb_listener_attr {
	CLB_LISTENER_A_UNSPEC,
	CLB_LISTENER_A_PAD,
	CLB_LISTENER_A_PROTOCOL,
	CLB_LISTENER_A_ADDRESS,
	CLB_LISTENER_A_PORT,
	CLB_LISTENER_A_MODE,
	CLB_LISTENER_A_SCHEDULER,
	CLB_LISTENER_A_HASH_KEY,
	CLB_LISTENER_A_PERSISTENCE,
	CLB_LISTENER_A_PERSISTENCE_PREFIX,
	CLB_LISTENER_A_TIMEOUT_SYN,
	CLB_LISTENER_A_TIMEOUT_ESTABLISHED,
	CLB_LISTENER_A_TIMEOUT_FIN,
	CLB_LISTENER_A_TIMEOUT_UDP,
	CLB_LISTENER_A_RESET,
	CLB_LISTENER_A_SLOW_START,
	CLB_LISTENER_A_MAX_SESSIONS,
	CLB_LISTENER_A_MAX_NEW_SESSIONS,
	CLB_LISTENER_A_RATE,
	CLB_LISTENER_A_BURST,
	CLB_LISTENER_A_ACL_MODE,
	CLB_LISTENER_A_SERVERS,
	CLB_LISTENER_A_ACL_ENTRIES,
	CLB_LISTENER_A_SESSIONS,
	CLB_LISTENER_A_SESSIONS_TOTAL,
	CLB_LISTENER_A_IN_PACKETS,
	CLB_LISTENER_A_IN_BYTES,
	CLB_LISTENER_A_OUT_PACKETS,
	CLB_LISTENER_A_OUT_BYTES,
	CLB_LISTENER_A_DROPS,
	CLB_LISTENER_A_SYNC,
	CLB_LISTENER_A_DIRECT_ACCESS,
	CLB_LISTENER_A_CLIENT_ADDRESS,

	__CLB_LISTENER_A_MAX,
	CLB_LISTENER_A_MAX = __CLB_LISTENER_A_MAX - 1
};

/**
 * enum clb_server_state - life of a server
 * @CLB_SERVER_STATE_UP: takes new sessions
 * @CLB_SERVER_STATE_DRAIN: takes no new sessions, keeps those it has until
 *	CLB_SERVER_A_DRAIN_TIMEOUT, then goes down
 * @CLB_SERVER_STATE_DOWN: its UDP sessions move to another server with the
 *	next packet, its TCP sessions are reset
 */
enum clb_server_state {
	CLB_SERVER_STATE_UP,
	CLB_SERVER_STATE_DRAIN,
	CLB_SERVER_STATE_DOWN,

	__CLB_SERVER_STATE_MAX,
	CLB_SERVER_STATE_MAX = __CLB_SERVER_STATE_MAX - 1
};

/**
 * enum clb_server_attr - a server of a listener
 * @CLB_SERVER_A_UNSPEC: not used
 * @CLB_SERVER_A_PAD: alignment of 64-bit attributes
 * @CLB_SERVER_A_ADDRESS: binary, 4 or 16 bytes, network order; of the
 *	listener's family, but for TUN; part of the key
 * @CLB_SERVER_A_PORT: u16, network order; 0 (default): the port of the
 *	packet; DR and TUN do not translate ports: 0 or the listener's;
 *	part of the key
 * @CLB_SERVER_A_WEIGHT: u16, 0 to 1000 (default 100); 0: no new sessions
 * @CLB_SERVER_A_STATE: u8, enum clb_server_state (default UP)
 * @CLB_SERVER_A_DRAIN_TIMEOUT: u32, seconds, 0 (default): no deadline, at
 *	most 86400; counted from the moment the state becomes DRAIN
 * @CLB_SERVER_A_MAX_SESSIONS: u32, 0: no limit (default)
 * @CLB_SERVER_A_ACTIVE_SESSIONS: u32, established TCP and UDP (output)
 * @CLB_SERVER_A_INACTIVE_SESSIONS: u32, half-open and closing TCP (output)
 * @CLB_SERVER_A_SESSIONS_TOTAL: u64 (output)
 * @CLB_SERVER_A_IN_PACKETS: u64, to the server (output)
 * @CLB_SERVER_A_IN_BYTES: u64 (output)
 * @CLB_SERVER_A_OUT_PACKETS: u64, from the server to clients (output)
 * @CLB_SERVER_A_OUT_BYTES: u64 (output)
 */
enum clb_server_attr {
	CLB_SERVER_A_UNSPEC,
	CLB_SERVER_A_PAD,
	CLB_SERVER_A_ADDRESS,
	CLB_SERVER_A_PORT,
	CLB_SERVER_A_WEIGHT,
	CLB_SERVER_A_STATE,
	CLB_SERVER_A_DRAIN_TIMEOUT,
	CLB_SERVER_A_MAX_SESSIONS,
	CLB_SERVER_A_ACTIVE_SESSIONS,
	CLB_SERVER_A_INACTIVE_SESSIONS,
	CLB_SERVER_A_SESSIONS_TOTAL,
	CLB_SERVER_A_IN_PACKETS,
	CLB_SERVER_A_IN_BYTES,
	CLB_SERVER_A_OUT_PACKETS,
	CLB_SERVER_A_OUT_BYTES,

	__CLB_SERVER_A_MAX,
	CLB_SERVER_A_MAX = __CLB_SERVER_A_MAX - 1
};

/**
 * enum clb_acl_attr - one entry of a listener's ACL
 * @CLB_ACL_A_UNSPEC: not used
 * @CLB_ACL_A_ADDRESS: binary, 4 or 16 bytes, network order, of the listener's
 *	family; bits beyond the prefix must be zero
 * @CLB_ACL_A_PREFIX: u8, prefix length, 0 to 32 or 128 (default the longest)
 */
enum clb_acl_attr {
	CLB_ACL_A_UNSPEC,
	CLB_ACL_A_ADDRESS,
	CLB_ACL_A_PREFIX,

	__CLB_ACL_A_MAX,
	CLB_ACL_A_MAX = __CLB_ACL_A_MAX - 1
};

/**
 * enum clb_local_address_attr - an address of the FNAT pool
 * @CLB_LOCAL_ADDRESS_A_UNSPEC: not used
 * @CLB_LOCAL_ADDRESS_A_ADDRESS: binary, 4 or 16 bytes, network order; must be
 *	routed to the node, best as a local address of it
 * @CLB_LOCAL_ADDRESS_A_SESSIONS: u32, sessions that use it (output)
 * @CLB_LOCAL_ADDRESS_A_NODE: u16, id of the node it belongs to, so that all
 *	nodes may be configured alike; 0 (default): to this one
 * @CLB_LOCAL_ADDRESS_A_ACTIVE: u8, 1: new sessions use it; 0: it belongs to
 *	another node, of which this one serves sessions it was told of (output)
 */
enum clb_local_address_attr {
	CLB_LOCAL_ADDRESS_A_UNSPEC,
	CLB_LOCAL_ADDRESS_A_ADDRESS,
	CLB_LOCAL_ADDRESS_A_SESSIONS,
	CLB_LOCAL_ADDRESS_A_NODE,
	CLB_LOCAL_ADDRESS_A_ACTIVE,

	__CLB_LOCAL_ADDRESS_A_MAX,
	CLB_LOCAL_ADDRESS_A_MAX = __CLB_LOCAL_ADDRESS_A_MAX - 1
};

/**
 * enum clb_settings_attr - settings of a network namespace
 * @CLB_SETTINGS_A_UNSPEC: not used
 * @CLB_SETTINGS_A_MAX_SESSIONS: u32, 1 up to the module parameter
 *	max_sessions; when full, half-open sessions make room for new ones
 * @CLB_SETTINGS_A_FAST_PATH: u8, 0 or 1 (default 1): packets of sessions go
 *	from device to device at NETDEV ingress; 0: all packets pass
 *	PRE_ROUTING and POST_ROUTING
 */
enum clb_settings_attr {
	CLB_SETTINGS_A_UNSPEC,
	CLB_SETTINGS_A_MAX_SESSIONS,
	CLB_SETTINGS_A_FAST_PATH,

	__CLB_SETTINGS_A_MAX,
	CLB_SETTINGS_A_MAX = __CLB_SETTINGS_A_MAX - 1
};

/**
 * enum clb_session_state - state of a session
 * @CLB_SESSION_STATE_NONE: no packet judged yet
 * @CLB_SESSION_STATE_SYN_SENT: TCP, SYN of the client seen
 * @CLB_SESSION_STATE_SYN_RECV: TCP, SYN+ACK of the server seen
 * @CLB_SESSION_STATE_ESTABLISHED: TCP
 * @CLB_SESSION_STATE_FIN_CLIENT: TCP, the client closed its side
 * @CLB_SESSION_STATE_FIN_SERVER: TCP, the server closed its side
 * @CLB_SESSION_STATE_CLOSING: TCP, both sides closed, last ACK to come
 * @CLB_SESSION_STATE_TIME_WAIT: TCP, closed in order
 * @CLB_SESSION_STATE_CLOSED: TCP, reset
 * @CLB_SESSION_STATE_UDP_NEW: UDP, no reply seen (or none can be: DR, TUN)
 * @CLB_SESSION_STATE_UDP: UDP, packets in both directions
 * @CLB_SESSION_STATE_PERSISTENCE: not a flow: a client bound to a server
 */
enum clb_session_state {
	CLB_SESSION_STATE_NONE,
	CLB_SESSION_STATE_SYN_SENT,
	CLB_SESSION_STATE_SYN_RECV,
	CLB_SESSION_STATE_ESTABLISHED,
	CLB_SESSION_STATE_FIN_CLIENT,
	CLB_SESSION_STATE_FIN_SERVER,
	CLB_SESSION_STATE_CLOSING,
	CLB_SESSION_STATE_TIME_WAIT,
	CLB_SESSION_STATE_CLOSED,
	CLB_SESSION_STATE_UDP_NEW,
	CLB_SESSION_STATE_UDP,
	CLB_SESSION_STATE_PERSISTENCE,

	__CLB_SESSION_STATE_MAX,
	CLB_SESSION_STATE_MAX = __CLB_SESSION_STATE_MAX - 1
};

/**
 * enum clb_session_attr - a session
 * @CLB_SESSION_A_UNSPEC: not used
 * @CLB_SESSION_A_PROTOCOL: u8, 6 or 17
 * @CLB_SESSION_A_STATE: u8, enum clb_session_state; also a filter
 * @CLB_SESSION_A_MODE: u8, enum clb_mode
 * @CLB_SESSION_A_CLIENT_ADDRESS: binary, network order; also a filter
 * @CLB_SESSION_A_CLIENT_PORT: u16, network order; also a filter
 * @CLB_SESSION_A_ADDRESS: binary, network order: the VIP
 * @CLB_SESSION_A_PORT: u16, network order: port at the VIP
 * @CLB_SESSION_A_LOCAL_ADDRESS: binary, network order (FNAT)
 * @CLB_SESSION_A_LOCAL_PORT: u16, network order (FNAT)
 * @CLB_SESSION_A_SERVER_ADDRESS: binary, network order
 * @CLB_SESSION_A_SERVER_PORT: u16, network order
 * @CLB_SESSION_A_EXPIRES: u32, milliseconds until the session ends if no
 *	packet comes
 */
enum clb_session_attr {
	CLB_SESSION_A_UNSPEC,
	CLB_SESSION_A_PROTOCOL,
	CLB_SESSION_A_STATE,
	CLB_SESSION_A_MODE,
	CLB_SESSION_A_CLIENT_ADDRESS,
	CLB_SESSION_A_CLIENT_PORT,
	CLB_SESSION_A_ADDRESS,
	CLB_SESSION_A_PORT,
	CLB_SESSION_A_LOCAL_ADDRESS,
	CLB_SESSION_A_LOCAL_PORT,
	CLB_SESSION_A_SERVER_ADDRESS,
	CLB_SESSION_A_SERVER_PORT,
	CLB_SESSION_A_EXPIRES,

	__CLB_SESSION_A_MAX,
	CLB_SESSION_A_MAX = __CLB_SESSION_A_MAX - 1
};

/**
 * enum clb_stats_attr - counters of a network namespace, all u64
 * @CLB_STATS_A_UNSPEC: not used
 * @CLB_STATS_A_PAD: alignment
 * @CLB_STATS_A_SESSIONS: open sessions
 * @CLB_STATS_A_TABLE_BUCKETS: buckets of the session table, which is fitted in
 *	the background to two for each session
 * @CLB_STATS_A_SESSIONS_CREATED: sessions ever opened
 * @CLB_STATS_A_SESSIONS_EXPIRED: sessions ended by their timeout
 * @CLB_STATS_A_SESSIONS_EVICTED: half-open or unanswered sessions, or
 *	bindings of clients by such, that made room for new ones
 * @CLB_STATS_A_SESSIONS_MOVED: UDP sessions moved off a server that was down
 *	or gone
 * @CLB_STATS_A_RESETS_SENT: TCP resets the node sent
 * @CLB_STATS_A_ICMP_TRANSLATED: ICMP errors translated and passed on
 * @CLB_STATS_A_ECHO_REPLIES: pings of a VIP the node answered itself
 * @CLB_STATS_A_FRAGMENTS: packets put together from fragments
 * @CLB_STATS_A_FAST_PACKETS: packets of sessions that took the fast path
 * @CLB_STATS_A_DROP_MALFORMED: header cut short or with impossible lengths; a
 *	source that no client elsewhere can have; a packet from outside with
 *	the address of a client on this node; one that a device merged (LRO)
 * @CLB_STATS_A_DROP_FRAGMENT: fragments that could not be put together
 * @CLB_STATS_A_DROP_CHECKSUM: ICMP error with a wrong checksum
 * @CLB_STATS_A_DROP_SOURCE_ROUTE: IPv4 source route option
 * @CLB_STATS_A_DROP_ACL: refused by the ACL
 * @CLB_STATS_A_DROP_NO_SERVER: no server is up or all are full
 * @CLB_STATS_A_DROP_NO_SESSION: TCP packet to a listener, no SYN and of no
 *	session
 * @CLB_STATS_A_DROP_SERVER_GONE: packet of a TCP session whose server is down
 *	or gone
 * @CLB_STATS_A_DROP_SESSION_LIMIT: namespace full, nothing to evict
 * @CLB_STATS_A_DROP_LISTENER_LIMIT: listener full, nothing to evict
 * @CLB_STATS_A_DROP_NEW_RATE: too many new sessions in this second
 * @CLB_STATS_A_DROP_RATE: outbound packet over the listener's rate
 * @CLB_STATS_A_DROP_POOL_EXHAUSTED: no free local address and port (FNAT)
 * @CLB_STATS_A_DROP_NO_MEMORY: out of memory
 * @CLB_STATS_A_DROP_NO_ROUTE: no route to the server or client
 * @CLB_STATS_A_DROP_TTL: TTL or hop limit used up (ICMP error sent)
 * @CLB_STATS_A_DROP_TOO_BIG: packet larger than the path (ICMP error sent)
 * @CLB_STATS_A_DROP_REPLY_UNKNOWN: TCP packet of a server of a NAT listener, no
 *	SYN and of no session, while sync runs (CLB_LISTENER_A_DIRECT_ACCESS)
 * @CLB_STATS_A_CLIENT_ADDRESS_REMOVED: SYNs that came with an option like the
 *	one of CLB_LISTENER_A_CLIENT_ADDRESS, which was removed
 * @CLB_STATS_A_CLIENT_ADDRESS_OMITTED: SYNs sent without that option, for which
 *	there was no room
 */
enum clb_stats_attr {
	CLB_STATS_A_UNSPEC,
	CLB_STATS_A_PAD,
	CLB_STATS_A_SESSIONS,
	CLB_STATS_A_TABLE_BUCKETS,
	CLB_STATS_A_SESSIONS_CREATED,
	CLB_STATS_A_SESSIONS_EXPIRED,
	CLB_STATS_A_SESSIONS_EVICTED,
	CLB_STATS_A_SESSIONS_MOVED,
	CLB_STATS_A_RESETS_SENT,
	CLB_STATS_A_ICMP_TRANSLATED,
	CLB_STATS_A_ECHO_REPLIES,
	CLB_STATS_A_FRAGMENTS,
	CLB_STATS_A_FAST_PACKETS,
	CLB_STATS_A_DROP_MALFORMED,
	CLB_STATS_A_DROP_FRAGMENT,
	CLB_STATS_A_DROP_CHECKSUM,
	CLB_STATS_A_DROP_SOURCE_ROUTE,
	CLB_STATS_A_DROP_ACL,
	CLB_STATS_A_DROP_NO_SERVER,
	CLB_STATS_A_DROP_NO_SESSION,
	CLB_STATS_A_DROP_SERVER_GONE,
	CLB_STATS_A_DROP_SESSION_LIMIT,
	CLB_STATS_A_DROP_LISTENER_LIMIT,
	CLB_STATS_A_DROP_NEW_RATE,
	CLB_STATS_A_DROP_RATE,
	CLB_STATS_A_DROP_POOL_EXHAUSTED,
	CLB_STATS_A_DROP_NO_MEMORY,
	CLB_STATS_A_DROP_NO_ROUTE,
	CLB_STATS_A_DROP_TTL,
	CLB_STATS_A_DROP_TOO_BIG,
	CLB_STATS_A_DROP_REPLY_UNKNOWN,
	CLB_STATS_A_CLIENT_ADDRESS_REMOVED,
	CLB_STATS_A_CLIENT_ADDRESS_OMITTED,

	__CLB_STATS_A_MAX,
	CLB_STATS_A_MAX = __CLB_STATS_A_MAX - 1
};

/**
 * enum clb_sync_attr - the part in a cluster
 * @CLB_SYNC_A_UNSPEC: not used
 * @CLB_SYNC_A_PAD: alignment of 64-bit attributes
 * @CLB_SYNC_A_CLUSTER: u32, cluster id; must agree on all nodes (default 0)
 * @CLB_SYNC_A_NODE: u16, node id, 1 to 65535, unique in the cluster
 * @CLB_SYNC_A_INTERFACE: u32, index of the device to the other nodes
 * @CLB_SYNC_A_GROUP: binary, 4 or 16 bytes, network order: the multicast group
 * @CLB_SYNC_A_PORT: u16, network order; UDP port, at least 1 (default 8850)
 * @CLB_SYNC_A_TTL: u8, hops that datagrams may make, 1 to 255 (default 1)
 * @CLB_SYNC_A_MTU: u16, largest packet to send, 576 to 9000 (default: that of
 *	the device, within these limits)
 * @CLB_SYNC_A_KEY_ID: u8, tells the secret from another one (default 0); in
 *	replies that of the secret this node sends with
 * @CLB_SYNC_A_SECRET: binary, 32 bytes, the same on all nodes; never in a
 *	reply
 * @CLB_SYNC_A_RUNNING: u8, 0: sync is not started, and nothing else is told
 *	(output)
 * @CLB_SYNC_A_READY: u8, 1: this node has the sessions of the others (output)
 * @CLB_SYNC_A_EPOCH: u64, the present life (output)
 * @CLB_SYNC_A_PEERS: u32, nodes that are heard and have heard this one
 *	(output)
 * @CLB_SYNC_A_QUEUE: u32, sessions of which others are about to be told
 *	(output)
 * @CLB_SYNC_A_SENT_DATAGRAMS: u64, datagrams sent (output)
 * @CLB_SYNC_A_SENT_BYTES: u64, their bytes at the IP layer (output)
 * @CLB_SYNC_A_SENT_SESSIONS: u64, sessions told (output)
 * @CLB_SYNC_A_SENT_GONE: u64, ends of sessions told (output)
 * @CLB_SYNC_A_SENT_REPAIRS: u64, gaps of others that were answered: what is
 *	true by now was said, or that this node does not know any more what they
 *	were about (output)
 * @CLB_SYNC_A_SEND_ERRORS: u64, datagrams that could not be sent (output)
 * @CLB_SYNC_A_QUEUE_FULL: u64, sessions that found a queue full, so that the
 *	table was searched for them; the end of one by hand is not told then
 *	(output)
 * @CLB_SYNC_A_RECEIVED_DATAGRAMS: u64, datagrams received (output)
 * @CLB_SYNC_A_CREATED: u64, sessions made because another node told of them
 *	(output)
 * @CLB_SYNC_A_UPDATED: u64, times another node told of a session that was
 *	there (output)
 * @CLB_SYNC_A_ENDED: u64, sessions ended because another node said so, or told
 *	of another one with their tuple that goes before (output)
 * @CLB_SYNC_A_MISSED: u64, datagrams of others that did not come, or not in
 *	order (output)
 * @CLB_SYNC_A_GAPS_REPAIRED: u64, gaps after which the other node said what is
 *	true by now (output)
 * @CLB_SYNC_A_GAPS_LOST: u64, gaps that the other node could not mend any more
 *	(output)
 * @CLB_SYNC_A_DROP_TRUNCATED: u64, datagrams too short, or too long (output)
 * @CLB_SYNC_A_DROP_FOREIGN: u64, datagrams of another protocol or for others
 *	(output)
 * @CLB_SYNC_A_DROP_VERSION: u64, of another version (output)
 * @CLB_SYNC_A_DROP_CLUSTER: u64, of another cluster (output)
 * @CLB_SYNC_A_DROP_KEY: u64, with a secret of another key id (output)
 * @CLB_SYNC_A_DROP_FORGED: u64, not made with the secret, or changed (output)
 * @CLB_SYNC_A_DROP_REPLAYED: u64, seen before, or of a past life (output)
 * @CLB_SYNC_A_DROP_LATE: u64, overtaken by a later one (output)
 * @CLB_SYNC_A_DROP_MALFORMED: u64, no sense in it: made with the secret, or of
 *	number or node 0 (output)
 * @CLB_SYNC_A_DROP_STRANGER: u64, of a node that has not yet named this one,
 *	or of one more than 64 others (output)
 * @CLB_SYNC_A_DROP_SAME_NODE: u64, of another node with this node's id
 *	(output)
 * @CLB_SYNC_A_REFUSED_LISTENER: u64, sessions of listeners that this node has
 *	not (output)
 * @CLB_SYNC_A_REFUSED_SERVER: u64, sessions of servers that this node has not,
 *	or are down here (output)
 * @CLB_SYNC_A_REFUSED_UNFIT: u64, sessions whose mode does not fit (output)
 * @CLB_SYNC_A_REFUSED_ENDED: u64, words on sessions that had been ended by hand
 *	(output)
 * @CLB_SYNC_A_REFUSED_LIMIT: u64, sessions beyond a limit (output)
 * @CLB_SYNC_A_REFUSED_CONFLICT: u64, sessions whose place another one keeps
 *	(output)
 * @CLB_SYNC_A_REFUSED_NO_MEMORY: u64, sessions without memory (output)
 * @CLB_SYNC_A_OTHER_KEY_ID: u8, key id of the second secret, with which this
 *	node does not send; not there: it has one (output)
 * @CLB_SYNC_A_REORDER: u16, ms, 0 to 200: how long datagrams that come early
 *	wait for those with lower numbers, before these count as missed
 *	(default 10)
 * @CLB_SYNC_A_EARLY: u64, datagrams that waited for those with lower numbers
 *	(output)
 */
enum clb_sync_attr {
	CLB_SYNC_A_UNSPEC,
	CLB_SYNC_A_PAD,
	CLB_SYNC_A_CLUSTER,
	CLB_SYNC_A_NODE,
	CLB_SYNC_A_INTERFACE,
	CLB_SYNC_A_GROUP,
	CLB_SYNC_A_PORT,
	CLB_SYNC_A_TTL,
	CLB_SYNC_A_MTU,
	CLB_SYNC_A_KEY_ID,
	CLB_SYNC_A_SECRET,
	CLB_SYNC_A_RUNNING,
	CLB_SYNC_A_READY,
	CLB_SYNC_A_EPOCH,
	CLB_SYNC_A_PEERS,
	CLB_SYNC_A_QUEUE,
	CLB_SYNC_A_SENT_DATAGRAMS,
	CLB_SYNC_A_SENT_BYTES,
	CLB_SYNC_A_SENT_SESSIONS,
	CLB_SYNC_A_SENT_GONE,
	CLB_SYNC_A_SENT_REPAIRS,
	CLB_SYNC_A_SEND_ERRORS,
	CLB_SYNC_A_QUEUE_FULL,
	CLB_SYNC_A_RECEIVED_DATAGRAMS,
	CLB_SYNC_A_CREATED,
	CLB_SYNC_A_UPDATED,
	CLB_SYNC_A_ENDED,
	CLB_SYNC_A_MISSED,
	CLB_SYNC_A_GAPS_REPAIRED,
	CLB_SYNC_A_GAPS_LOST,
	CLB_SYNC_A_DROP_TRUNCATED,
	CLB_SYNC_A_DROP_FOREIGN,
	CLB_SYNC_A_DROP_VERSION,
	CLB_SYNC_A_DROP_CLUSTER,
	CLB_SYNC_A_DROP_KEY,
	CLB_SYNC_A_DROP_FORGED,
	CLB_SYNC_A_DROP_REPLAYED,
	CLB_SYNC_A_DROP_LATE,
	CLB_SYNC_A_DROP_MALFORMED,
	CLB_SYNC_A_DROP_STRANGER,
	CLB_SYNC_A_DROP_SAME_NODE,
	CLB_SYNC_A_REFUSED_LISTENER,
	CLB_SYNC_A_REFUSED_SERVER,
	CLB_SYNC_A_REFUSED_UNFIT,
	CLB_SYNC_A_REFUSED_ENDED,
	CLB_SYNC_A_REFUSED_LIMIT,
	CLB_SYNC_A_REFUSED_CONFLICT,
	CLB_SYNC_A_REFUSED_NO_MEMORY,
	CLB_SYNC_A_OTHER_KEY_ID,
	CLB_SYNC_A_REORDER,
	CLB_SYNC_A_EARLY,

	__CLB_SYNC_A_MAX,
	CLB_SYNC_A_MAX = __CLB_SYNC_A_MAX - 1
};

/**
 * enum clb_sync_peer_attr - another node, as this one knows it
 * @CLB_SYNC_PEER_A_UNSPEC: not used
 * @CLB_SYNC_PEER_A_PAD: alignment of 64-bit attributes
 * @CLB_SYNC_PEER_A_NODE: u16, its id, 1 to 65535
 * @CLB_SYNC_PEER_A_ADDRESS: binary, 4 or 16 bytes, network order: from where
 *	its last datagram came (output)
 * @CLB_SYNC_PEER_A_EPOCH: u64, its present life (output)
 * @CLB_SYNC_PEER_A_ALIVE: u8, 1: heard within the last ten seconds, and it has
 *	heard this node: what it says is believed (output)
 * @CLB_SYNC_PEER_A_READY: u8, 1: when it was last heard it had the sessions of
 *	the others (output)
 * @CLB_SYNC_PEER_A_KEY_ID: u8, the secret that its last datagram was made with
 *	(output)
 * @CLB_SYNC_PEER_A_HEARD: u32, milliseconds since its last datagram (output)
 * @CLB_SYNC_PEER_A_SESSIONS: u32, sessions it had, by its last heartbeat
 *	(output)
 * @CLB_SYNC_PEER_A_SEQUENCE: u64, number of its last datagram (output)
 * @CLB_SYNC_PEER_A_LAG: u64, datagrams of this node that it had not got when
 *	it last named this node, once a second; those on their way count
 *	(output)
 * @CLB_SYNC_PEER_A_MISSED: u64, datagrams of it that did not come, or not in
 *	order (output); this and the following count since it was first heard
 * @CLB_SYNC_PEER_A_GAPS: u32, gaps in them that are open at present (output)
 * @CLB_SYNC_PEER_A_GAPS_REPAIRED: u64, gaps after which it said what is true
 *	by now (output)
 * @CLB_SYNC_PEER_A_GAPS_LOST: u64, gaps that it could not mend (output)
 * @CLB_SYNC_PEER_A_DROP_FORGED: u64, datagrams with its id that were not made
 *	with the secret, or changed (output)
 * @CLB_SYNC_PEER_A_DROP_REPLAYED: u64, datagrams with its id that were seen
 *	before, or of a past life (output)
 * @CLB_SYNC_PEER_A_DROP_LATE: u64, datagrams overtaken by a later one (output)
 */
enum clb_sync_peer_attr {
	CLB_SYNC_PEER_A_UNSPEC,
	CLB_SYNC_PEER_A_PAD,
	CLB_SYNC_PEER_A_NODE,
	CLB_SYNC_PEER_A_ADDRESS,
	CLB_SYNC_PEER_A_EPOCH,
	CLB_SYNC_PEER_A_ALIVE,
	CLB_SYNC_PEER_A_READY,
	CLB_SYNC_PEER_A_KEY_ID,
	CLB_SYNC_PEER_A_HEARD,
	CLB_SYNC_PEER_A_SESSIONS,
	CLB_SYNC_PEER_A_SEQUENCE,
	CLB_SYNC_PEER_A_LAG,
	CLB_SYNC_PEER_A_MISSED,
	CLB_SYNC_PEER_A_GAPS,
	CLB_SYNC_PEER_A_GAPS_REPAIRED,
	CLB_SYNC_PEER_A_GAPS_LOST,
	CLB_SYNC_PEER_A_DROP_FORGED,
	CLB_SYNC_PEER_A_DROP_REPLAYED,
	CLB_SYNC_PEER_A_DROP_LATE,

	__CLB_SYNC_PEER_A_MAX,
	CLB_SYNC_PEER_A_MAX = __CLB_SYNC_PEER_A_MAX - 1
};

#endif /* _UAPI_LINUX_CLB_H */
