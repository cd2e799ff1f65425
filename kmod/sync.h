/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_SYNC_H
#define _CLB_SYNC_H

#include <linux/jump_label.h>

#include "net.h"
#include "session.h"

struct sk_buff;

#define CLB_SYNC_KEY_LEN	32
#define CLB_SYNC_PORT		8850
#define CLB_SYNC_MTU_MIN	576
#define CLB_SYNC_MTU_MAX	9000
#define CLB_SYNC_PEERS		64
#define CLB_SYNC_REORDER	10	/* ms */

/**
 * struct clb_sync_config - how a namespace takes part in a cluster
 * @group: multicast group
 * @family: of @group
 * @port: network order
 * @ifindex: device to the other nodes
 * @mtu: largest packet; 0: that of the device
 * @cluster: cluster id
 * @node: node id, not 0
 * @reorder: ms, how long early datagrams wait
 * @ttl: of what is sent
 * @key_id: of @secret
 * @secret: of the cluster, to begin with; never given out
 */
struct clb_sync_config {
	union nf_inet_addr	group;
	u8			family;
	__be16			port;
	u32			ifindex;
	u16			mtu;
	u32			cluster;
	u16			node;
	u16			reorder;
	u8			ttl;
	u8			key_id;
	u8			secret[CLB_SYNC_KEY_LEN];
};

DECLARE_STATIC_KEY_FALSE(clb_sync_used);
DECLARE_STATIC_KEY_FALSE(clb_sync_births);

int clb_sync_start(struct clb_net *cn, const struct clb_sync_config *config,
		   struct netlink_ext_ack *extack);
int clb_sync_stop(struct clb_net *cn);
void clb_sync_exit(struct clb_net *cn);
int clb_sync_fill(struct sk_buff *skb, struct clb_net *cn);
int clb_sync_peer_fill(struct sk_buff *skb, struct clb_sync *sync,
		       unsigned int index);
int clb_sync_secret_add(struct clb_net *cn, u8 id, const u8 *secret,
			struct netlink_ext_ack *extack);
int clb_sync_secret_use(struct clb_net *cn, u8 id,
			struct netlink_ext_ack *extack);
int clb_sync_secret_del(struct clb_net *cn, u8 id,
			struct netlink_ext_ack *extack);
void clb_sync_ends_wait(struct clb_net *cn);

void __clb_sync_born(struct clb_session *session);
void __clb_sync_created(const struct clb_session *session);
void __clb_sync_changed(const struct clb_session *session, u32 old, u32 new);
void __clb_sync_ending(const struct clb_session *session);
void __clb_sync_ended(const struct clb_session *session);
void __clb_sync_lacks(const struct clb_session *session);
void __clb_sync_gained(struct clb_net *cn);
void __clb_sync_swept(struct clb_net *cn);
bool __clb_sync_learns(const struct clb_net *cn);

/*
 * What the packet path and the collector say of a session of this node. Of no
 * cost where no namespace has sync. Context: RCU read side, softirqs off.
 */

/*
 * It gets its time of birth, before it can be seen; while sync is stopped, too,
 * as others may have copies of what was before it.
 */
static inline void clb_sync_born(struct clb_session *session)
{
	if (static_branch_unlikely(&clb_sync_births))
		__clb_sync_born(session);
}

/* It is in the table. */
static inline void clb_sync_created(const struct clb_session *session)
{
	if (static_branch_unlikely(&clb_sync_used))
		__clb_sync_created(session);
}

/* It passed into another state. */
static inline void clb_sync_changed(const struct clb_session *session, u32 old,
				    u32 new)
{
	if (static_branch_unlikely(&clb_sync_used))
		__clb_sync_changed(session, old, new);
}

/* It is about to be ended on request: no older word may make it again. */
static inline void clb_sync_ending(const struct clb_session *session)
{
	if (static_branch_unlikely(&clb_sync_used))
		__clb_sync_ending(session);
}

/* It was ended on request. */
static inline void clb_sync_ended(const struct clb_session *session)
{
	if (static_branch_unlikely(&clb_sync_used))
		__clb_sync_ended(session);
}

/* It is about to be ended for its server, which others may find well. */
static inline void clb_sync_lacks(const struct clb_session *session)
{
	if (static_branch_unlikely(&clb_sync_used))
		__clb_sync_lacks(session);
}

/*
 * A server is in force that was not before, or was down. Context: process,
 * configuration lock held; may sleep.
 */
static inline void clb_sync_gained(struct clb_net *cn)
{
	if (static_branch_unlikely(&clb_sync_used))
		__clb_sync_gained(cn);
}

/*
 * The collector has looked at all sessions: those of servers that were away are
 * over. Context: process; may not sleep.
 */
static inline void clb_sync_swept(struct clb_net *cn)
{
	if (static_branch_unlikely(&clb_sync_used))
		__clb_sync_swept(cn);
}

/* The namespace takes part in a cluster. */
static inline bool clb_sync_runs(const struct clb_net *cn)
{
	return static_branch_unlikely(&clb_sync_used) &&
	       rcu_access_pointer(cn->sync);
}

/* A packet without a session may be of one that only others know so far. */
static inline bool clb_sync_learns(const struct clb_net *cn)
{
	return static_branch_unlikely(&clb_sync_used) && __clb_sync_learns(cn);
}

#endif /* _CLB_SYNC_H */
