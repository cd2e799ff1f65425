// SPDX-License-Identifier: GPL-2.0
/* The other nodes, and what is known of them for whoever asks. */
#include <net/netlink.h>

#include "sync_engine.h"

/**
 * clb_sync_peer_find() - another node by its id
 * @sync: sync
 * @node: its id, or 0: a free place
 *
 * Return: the node, or NULL.
 * Context: the receiver; others with clb_sync.lock held.
 */
struct clb_sync_peer *clb_sync_peer_find(struct clb_sync *sync, u16 node)
{
	unsigned int i;

	for (i = 0; i < CLB_SYNC_PEERS; i++)
		if (sync->peers[i].node == node)
			return &sync->peers[i];
	return NULL;
}

static u32 gaps_open(const struct clb_sync_peer *peer)
{
	u32 open = 0;
	unsigned int i;

	for (i = 0; i < CLB_SYNC_GAPS; i++)
		open += peer->gaps[i].first != 0;
	return open;
}

static int put_u64(struct sk_buff *skb, int type, u64 value)
{
	return nla_put_u64_64bit(skb, type, value, CLB_SYNC_PEER_A_PAD);
}

static int put_count(struct sk_buff *skb, const struct clb_sync_peer *peer,
		     enum clb_sync_peer_attr which)
{
	return put_u64(skb, which, READ_ONCE(peer->counts[which]));
}

static int put_counts(struct sk_buff *skb, const struct clb_sync_peer *peer)
{
	return put_count(skb, peer, CLB_SYNC_PEER_A_MISSED) ?:
	       nla_put_u32(skb, CLB_SYNC_PEER_A_GAPS, gaps_open(peer)) ?:
	       put_count(skb, peer, CLB_SYNC_PEER_A_GAPS_REPAIRED) ?:
	       put_count(skb, peer, CLB_SYNC_PEER_A_GAPS_LOST) ?:
	       put_count(skb, peer, CLB_SYNC_PEER_A_DROP_FORGED) ?:
	       put_count(skb, peer, CLB_SYNC_PEER_A_DROP_REPLAYED) ?:
	       put_count(skb, peer, CLB_SYNC_PEER_A_DROP_LATE);
}

static int put_peer(struct sk_buff *skb, const struct clb_sync_peer *peer,
		    u8 family)
{
	return nla_put_u16(skb, CLB_SYNC_PEER_A_NODE, peer->node) ?:
	       nla_put(skb, CLB_SYNC_PEER_A_ADDRESS, clb_addr_len(family),
		       &peer->address) ?:
	       put_u64(skb, CLB_SYNC_PEER_A_EPOCH, peer->epoch) ?:
	       nla_put_u8(skb, CLB_SYNC_PEER_A_ALIVE,
			  clb_sync_peer_lives(peer)) ?:
	       nla_put_u8(skb, CLB_SYNC_PEER_A_READY, peer->ready) ?:
	       nla_put_u8(skb, CLB_SYNC_PEER_A_KEY_ID, peer->sends) ?:
	       nla_put_u32(skb, CLB_SYNC_PEER_A_HEARD,
			   jiffies_to_msecs(jiffies - peer->heard)) ?:
	       nla_put_u32(skb, CLB_SYNC_PEER_A_SESSIONS, peer->sessions) ?:
	       put_u64(skb, CLB_SYNC_PEER_A_SEQUENCE, peer->window.last) ?:
	       put_u64(skb, CLB_SYNC_PEER_A_LAG, peer->lag) ?:
	       put_counts(skb, peer);
}

/**
 * clb_sync_peer_fill() - what there is to say of another node
 * @skb: message
 * @sync: sync
 * @index: its place, below CLB_SYNC_PEERS
 *
 * Return: 0, -ENOENT: there is none at this place, or -EMSGSIZE.
 * Context: process, RCU read side.
 */
int clb_sync_peer_fill(struct sk_buff *skb, struct clb_sync *sync,
		       unsigned int index)
{
	const struct clb_sync_peer *peer = &sync->peers[index];
	struct nlattr *nest;
	int err = -ENOENT;

	nest = nla_nest_start(skb, CLB_A_SYNC_PEER);
	if (!nest)
		return -EMSGSIZE;
	spin_lock(&sync->lock);
	if (peer->node)
		err = put_peer(skb, peer, sync->config.family);
	spin_unlock(&sync->lock);
	if (err)
		nla_nest_cancel(skb, nest);
	else
		nla_nest_end(skb, nest);
	return err;
}
