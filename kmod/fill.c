// SPDX-License-Identifier: GPL-2.0
/* Objects to netlink attributes: replies, dumps and events share these. */
#include <net/netlink.h>

#include "fill.h"
#include "net.h"

static int put_address(struct sk_buff *skb, int type, u8 family,
		       const union nf_inet_addr *addr)
{
	return nla_put(skb, type, clb_addr_len(family), addr);
}

/* Ends the nest, or takes it back where its content did not fit. */
static int nest_close(struct sk_buff *skb, struct nlattr *nest, int err)
{
	if (err)
		nla_nest_cancel(skb, nest);
	else
		nla_nest_end(skb, nest);
	return err;
}

static int put_listener_key(struct sk_buff *skb,
			    const struct clb_endpoint *key)
{
	return nla_put_u8(skb, CLB_LISTENER_A_PROTOCOL, key->protocol) ?:
	       put_address(skb, CLB_LISTENER_A_ADDRESS, key->family,
			   &key->addr) ?:
	       nla_put_be16(skb, CLB_LISTENER_A_PORT, key->port);
}

int clb_fill_listener_key(struct sk_buff *skb, const struct clb_endpoint *key)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_LISTENER);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest, put_listener_key(skb, key));
}

static int put_listener_options(struct sk_buff *skb,
				const struct clb_listener_options *opt)
{
	const u32 *timeouts = opt->timeouts;

	return nla_put_u8(skb, CLB_LISTENER_A_MODE, opt->mode) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_SCHEDULER, opt->scheduler) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_HASH_KEY, opt->hash_key) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_PERSISTENCE,
			   opt->persistence) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_PERSISTENCE_PREFIX,
			  opt->persistence_prefix) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_TIMEOUT_SYN,
			   timeouts[CLB_TIMEOUT_SYN]) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_TIMEOUT_ESTABLISHED,
			   timeouts[CLB_TIMEOUT_ESTABLISHED]) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_TIMEOUT_FIN,
			   timeouts[CLB_TIMEOUT_FIN]) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_TIMEOUT_UDP,
			   timeouts[CLB_TIMEOUT_UDP]) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_RESET, opt->reset) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_SLOW_START, opt->slow_start) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_MAX_SESSIONS,
			   opt->max_sessions) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_MAX_NEW_SESSIONS,
			   opt->max_new_sessions) ?:
	       nla_put_u64_64bit(skb, CLB_LISTENER_A_RATE, opt->rate,
				 CLB_LISTENER_A_PAD) ?:
	       nla_put_u32(skb, CLB_LISTENER_A_BURST, opt->burst) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_ACL_MODE, opt->acl_mode) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_SYNC, opt->sync) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_DIRECT_ACCESS,
			  opt->direct_access) ?:
	       nla_put_u8(skb, CLB_LISTENER_A_CLIENT_ADDRESS,
			  opt->client_address);
}

static int put_listener_counter(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, CLB_LISTENER_A_PAD);
}

/* A listener that is not yet in force has counted nothing. */
static int put_listener_counters(struct sk_buff *skb,
				 struct clb_listener *listener)
{
	struct clb_totals totals = { .sessions = 0 };
	const struct clb_traffic *t = &totals.traffic;
	u32 sessions = 0;
	u64 drops = 0;

	if (listener) {
		clb_listener_totals(listener, &totals);
		sessions = atomic_read(&listener->sessions);
		drops = clb_listener_drops(listener);
	}
	return nla_put_u32(skb, CLB_LISTENER_A_SESSIONS, sessions) ?:
	       put_listener_counter(skb, CLB_LISTENER_A_SESSIONS_TOTAL,
				    totals.sessions) ?:
	       put_listener_counter(skb, CLB_LISTENER_A_IN_PACKETS,
				    t->packets[CLB_DIR_ORIGINAL]) ?:
	       put_listener_counter(skb, CLB_LISTENER_A_IN_BYTES,
				    t->bytes[CLB_DIR_ORIGINAL]) ?:
	       put_listener_counter(skb, CLB_LISTENER_A_OUT_PACKETS,
				    t->packets[CLB_DIR_REPLY]) ?:
	       put_listener_counter(skb, CLB_LISTENER_A_OUT_BYTES,
				    t->bytes[CLB_DIR_REPLY]) ?:
	       put_listener_counter(skb, CLB_LISTENER_A_DROPS, drops);
}

int clb_fill_listener(struct sk_buff *skb,
		      const struct clb_listener_conf *conf)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_LISTENER);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest,
			  put_listener_key(skb, &conf->key) ?:
			  put_listener_options(skb, &conf->opt) ?:
			  nla_put_u32(skb, CLB_LISTENER_A_SERVERS,
				      conf->nr_servers) ?:
			  nla_put_u32(skb, CLB_LISTENER_A_ACL_ENTRIES,
				      conf->nr_acl) ?:
			  put_listener_counters(skb, conf->listener));
}

/* Without the options: they were the configuration's. */
int clb_fill_listener_end(struct sk_buff *skb, struct clb_listener *listener)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_LISTENER);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest,
			  put_listener_key(skb, &listener->key) ?:
			  put_listener_counters(skb, listener));
}

static int put_server_key(struct sk_buff *skb, const struct clb_endpoint *key)
{
	return put_address(skb, CLB_SERVER_A_ADDRESS, key->family,
			   &key->addr) ?:
	       nla_put_be16(skb, CLB_SERVER_A_PORT, key->port);
}

int clb_fill_server_key(struct sk_buff *skb, const struct clb_endpoint *key)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_SERVER);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest, put_server_key(skb, key));
}

static int put_server_counter(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, CLB_SERVER_A_PAD);
}

static int put_server_counters(struct sk_buff *skb,
			       const struct clb_server *server)
{
	struct clb_traffic t = { .packets = { 0 } };
	u32 active = 0, inactive = 0;
	u64 total = 0;

	if (server) {
		clb_meter_read(server->meter, &t);
		active = atomic_read(&server->active);
		inactive = atomic_read(&server->inactive);
		total = atomic64_read(&server->total);
	}
	return nla_put_u32(skb, CLB_SERVER_A_ACTIVE_SESSIONS, active) ?:
	       nla_put_u32(skb, CLB_SERVER_A_INACTIVE_SESSIONS, inactive) ?:
	       put_server_counter(skb, CLB_SERVER_A_SESSIONS_TOTAL, total) ?:
	       put_server_counter(skb, CLB_SERVER_A_IN_PACKETS,
				  t.packets[CLB_DIR_ORIGINAL]) ?:
	       put_server_counter(skb, CLB_SERVER_A_IN_BYTES,
				  t.bytes[CLB_DIR_ORIGINAL]) ?:
	       put_server_counter(skb, CLB_SERVER_A_OUT_PACKETS,
				  t.packets[CLB_DIR_REPLY]) ?:
	       put_server_counter(skb, CLB_SERVER_A_OUT_BYTES,
				  t.bytes[CLB_DIR_REPLY]);
}

int clb_fill_server(struct sk_buff *skb, const struct clb_server_conf *conf)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_SERVER);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest,
			  put_server_key(skb, &conf->key) ?:
			  nla_put_u16(skb, CLB_SERVER_A_WEIGHT,
				      conf->weight) ?:
			  nla_put_u8(skb, CLB_SERVER_A_STATE, conf->state) ?:
			  nla_put_u32(skb, CLB_SERVER_A_DRAIN_TIMEOUT,
				      conf->drain_timeout) ?:
			  nla_put_u32(skb, CLB_SERVER_A_MAX_SESSIONS,
				      conf->max_sessions) ?:
			  put_server_counters(skb, conf->server));
}

int clb_fill_acl(struct sk_buff *skb, const struct clb_prefix *prefix,
		 u8 family)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_ACL_ENTRY);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest,
			  put_address(skb, CLB_ACL_A_ADDRESS, family,
				      &prefix->addr) ?:
			  nla_put_u8(skb, CLB_ACL_A_PREFIX, prefix->len));
}

int clb_fill_local_address(struct sk_buff *skb,
			   const struct clb_local_conf *conf, bool active)
{
	const struct clb_local_address *local = conf->local;
	struct nlattr *nest = nla_nest_start(skb, CLB_A_LOCAL_ADDRESS);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest,
			  put_address(skb, CLB_LOCAL_ADDRESS_A_ADDRESS,
				      local->family, &local->addr) ?:
			  nla_put_u32(skb, CLB_LOCAL_ADDRESS_A_SESSIONS,
				      atomic_read(&local->sessions)) ?:
			  nla_put_u16(skb, CLB_LOCAL_ADDRESS_A_NODE,
				      conf->node) ?:
			  nla_put_u8(skb, CLB_LOCAL_ADDRESS_A_ACTIVE,
				     active));
}

/*
 * Millions of sessions make a list. That there is room is looked at once for
 * all attributes of one, not for each, which would take longer than to write
 * them.
 */
static __always_inline u8 *write_attr(u8 *at, int type, const void *value,
				      int size)
{
	struct nlattr *nla = (struct nlattr *)at;

	nla->nla_len = nla_attr_size(size);
	nla->nla_type = type;
	memcpy(nla_data(nla), value, size);
	memset(nla_data(nla) + size, 0, nla_padlen(size));
	return at + nla_total_size(size);
}

static __always_inline u8 *write_u8(u8 *at, int type, u8 value)
{
	return write_attr(at, type, &value, sizeof(value));
}

static __always_inline u8 *write_endpoint(u8 *at, int address, u8 family,
					  const union nf_inet_addr *addr,
					  int port, __be16 value)
{
	if (family == NFPROTO_IPV4)
		at = write_attr(at, address, addr, sizeof(addr->in));
	else
		at = write_attr(at, address, addr, sizeof(addr->in6));
	return write_attr(at, port, &value, sizeof(value));
}

static u8 *write_session_server(u8 *at, const struct clb_session *session)
{
	const struct clb_tuple *reply = clb_session_tuple(session,
							  CLB_DIR_REPLY);
	const struct clb_endpoint *key = &session->server->key;
	__be16 port = clb_session_one_way(session) ? key->port : reply->sport;

	if (session->mode == CLB_MODE_FNAT)
		at = write_endpoint(at, CLB_SESSION_A_LOCAL_ADDRESS,
				    reply->family, &reply->dst,
				    CLB_SESSION_A_LOCAL_PORT, reply->dport);
	return write_endpoint(at, CLB_SESSION_A_SERVER_ADDRESS, key->family,
			      &key->addr, CLB_SESSION_A_SERVER_PORT, port);
}

static u32 session_expires(const struct clb_session *session)
{
	s32 left = READ_ONCE(session->deadline) - (u32)jiffies;

	return left > 0 ? jiffies_to_msecs(left) : 0;
}

/* Protocol, state, mode; client, VIP, local address, server; expires. */
#define SESSION_SIZE	(nla_total_size(0) + 3 * nla_total_size(1) +	\
			 4 * (nla_total_size(sizeof(union nf_inet_addr)) + \
			      nla_total_size(sizeof(__be16))) +		\
			 nla_total_size(sizeof(u32)))

int clb_fill_session(struct sk_buff *skb, const struct clb_session *session)
{
	const struct clb_tuple *tuple = clb_session_tuple(session,
							  CLB_DIR_ORIGINAL);
	u32 expires = session_expires(session);
	struct nlattr *nest = (struct nlattr *)skb_tail_pointer(skb);
	u8 *at = nla_data(nest);

	if (skb_tailroom(skb) < SESSION_SIZE)
		return -EMSGSIZE;
	at = write_u8(at, CLB_SESSION_A_PROTOCOL, tuple->protocol);
	at = write_u8(at, CLB_SESSION_A_STATE, READ_ONCE(session->state));
	at = write_u8(at, CLB_SESSION_A_MODE, session->mode);
	at = write_endpoint(at, CLB_SESSION_A_CLIENT_ADDRESS, tuple->family,
			    &tuple->src, CLB_SESSION_A_CLIENT_PORT,
			    tuple->sport);
	at = write_endpoint(at, CLB_SESSION_A_ADDRESS, tuple->family,
			    &tuple->dst, CLB_SESSION_A_PORT, tuple->dport);
	at = write_session_server(at, session);
	at = write_attr(at, CLB_SESSION_A_EXPIRES, &expires, sizeof(expires));
	nest->nla_type = CLB_A_SESSION | NLA_F_NESTED;
	nest->nla_len = at - (u8 *)nest;
	skb_put(skb, nest->nla_len);
	return 0;
}

int clb_fill_settings(struct sk_buff *skb, const struct clb_net *cn)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_SETTINGS);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest,
			  nla_put_u32(skb, CLB_SETTINGS_A_MAX_SESSIONS,
				      READ_ONCE(cn->max_sessions)) ?:
			  nla_put_u8(skb, CLB_SETTINGS_A_FAST_PATH,
				     READ_ONCE(cn->fast_path)));
}

static int put_stats(struct sk_buff *skb, const struct clb_net *cn)
{
	int which, err;

	err = nla_put_u64_64bit(skb, CLB_STATS_A_SESSIONS,
				atomic_read(&cn->nr_sessions),
				CLB_STATS_A_PAD) ?:
	      nla_put_u64_64bit(skb, CLB_STATS_A_TABLE_BUCKETS,
				clb_table_buckets(&cn->table),
				CLB_STATS_A_PAD);
	for (which = CLB_STATS_A_TABLE_BUCKETS + 1;
	     which <= CLB_STATS_A_MAX && !err; which++)
		err = nla_put_u64_64bit(skb, which,
					clb_stats_read(cn->stats, which),
					CLB_STATS_A_PAD);
	return err;
}

int clb_fill_stats(struct sk_buff *skb, const struct clb_net *cn)
{
	struct nlattr *nest = nla_nest_start(skb, CLB_A_STATS);

	if (!nest)
		return -EMSGSIZE;
	return nest_close(skb, nest, put_stats(skb, cn));
}
