// SPDX-License-Identifier: GPL-2.0
/*
 * The cluster's secrets: one, or two while one replaces the other. Who sends or
 * opens a datagram holds the lock for reading, so that after a change none is
 * made with what was before.
 */
#include <linux/string.h>
#include <net/netlink.h>

#include "sync_engine.h"

/**
 * clb_sync_secret_init() - take the first secret out of the configuration
 * @sync: sync, not yet started
 *
 * Context: process.
 */
void clb_sync_secret_init(struct clb_sync *sync)
{
	struct clb_sync_config *config = &sync->config;

	init_rwsem(&sync->secrets_lock);
	sync->secrets[0].id = config->key_id;
	sync->secrets[0].known = true;
	memcpy(sync->secrets[0].bytes, config->secret, CLB_SYNC_KEY_LEN);
	memzero_explicit(config->secret, sizeof(config->secret));
}

static int secret_index(const struct clb_sync *sync, u8 id)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(sync->secrets); i++)
		if (sync->secrets[i].known && sync->secrets[i].id == id)
			return i;
	return -ENOENT;
}

/**
 * clb_sync_secret_find() - the secret of a key id
 * @sync: sync
 * @id: the key id
 *
 * Return: the secret, or NULL.
 * Context: process, secrets_lock held.
 */
const struct clb_sync_secret *clb_sync_secret_find(const struct clb_sync *sync,
						   u8 id)
{
	int i = secret_index(sync, id);

	lockdep_assert_held(&sync->secrets_lock);
	return i < 0 ? NULL : &sync->secrets[i];
}

/**
 * clb_sync_secret_fill() - key ids of the secrets there are
 * @skb: message, in the nest of sync
 * @sync: sync
 *
 * Return: 0 or -EMSGSIZE.
 * Context: process, RCU read side: what changes meanwhile is told as it was or
 *	as it will be.
 */
int clb_sync_secret_fill(struct sk_buff *skb, const struct clb_sync *sync)
{
	unsigned int sending = READ_ONCE(sync->sending);
	const struct clb_sync_secret *other = &sync->secrets[!sending];

	return nla_put_u8(skb, CLB_SYNC_A_KEY_ID,
			  READ_ONCE(sync->secrets[sending].id)) ?:
	       (READ_ONCE(other->known) ?
		nla_put_u8(skb, CLB_SYNC_A_OTHER_KEY_ID,
			   READ_ONCE(other->id)) : 0);
}

static int secret_add(struct clb_sync *sync, u8 id, const u8 *bytes,
		      struct netlink_ext_ack *extack)
{
	struct clb_sync_secret *secret = &sync->secrets[!sync->sending];

	if (secret_index(sync, id) >= 0) {
		NL_SET_ERR_MSG(extack, "there is a secret of this key id");
		return -EEXIST;
	}
	if (secret->known) {
		NL_SET_ERR_MSG(extack, "there are two secrets, remove one");
		return -ENOSPC;
	}
	memcpy(secret->bytes, bytes, sizeof(secret->bytes));
	WRITE_ONCE(secret->id, id);
	WRITE_ONCE(secret->known, true);
	return 0;
}

static int secret_missing(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "no secret of this key id");
	return -ENOENT;
}

static int secret_use(struct clb_sync *sync, u8 id, const u8 *bytes,
		      struct netlink_ext_ack *extack)
{
	int i = secret_index(sync, id);

	if (i < 0)
		return secret_missing(extack);
	WRITE_ONCE(sync->sending, i);
	/* the sender makes it with its next datagram */
	sync->keyed = false;
	memzero_explicit(sync->key, sizeof(sync->key));
	return 0;
}

/* Does another node send with it, as far as one knows? */
static bool is_heard(struct clb_sync *sync, u8 id)
{
	bool heard = false;
	unsigned int i;

	spin_lock(&sync->lock);
	for (i = 0; i < CLB_SYNC_PEERS; i++)
		heard |= sync->peers[i].sends == id &&
			 clb_sync_peer_lives(&sync->peers[i]);
	spin_unlock(&sync->lock);
	return heard;
}

static void keys_forget(struct clb_sync *sync, u8 id)
{
	unsigned int i;

	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		struct clb_sync_peer *peer = &sync->peers[i];

		if (peer->key_id != id)
			continue;
		peer->keyed = false;
		memzero_explicit(peer->key, sizeof(peer->key));
	}
}

static int secret_del(struct clb_sync *sync, u8 id, const u8 *bytes,
		      struct netlink_ext_ack *extack)
{
	int i = secret_index(sync, id);

	if (i < 0)
		return secret_missing(extack);
	if (i == sync->sending) {
		NL_SET_ERR_MSG(extack, "this node sends with it: use another");
		return -EBUSY;
	}
	if (is_heard(sync, id)) {
		NL_SET_ERR_MSG(extack, "another node sends with it: see peers");
		return -EBUSY;
	}
	WRITE_ONCE(sync->secrets[i].known, false);
	memzero_explicit(sync->secrets[i].bytes, CLB_SYNC_KEY_LEN);
	keys_forget(sync, id);
	return 0;
}

static int secrets_change(struct clb_net *cn, u8 id, const u8 *bytes,
			  struct netlink_ext_ack *extack,
			  int (*change)(struct clb_sync *sync, u8 id,
					const u8 *bytes,
					struct netlink_ext_ack *extack))
{
	struct clb_sync *sync;
	int err;

	sync = rcu_dereference_protected(cn->sync,
					 lockdep_is_held(&cn->config_lock));
	if (!sync) {
		NL_SET_ERR_MSG(extack, "sync is not started");
		return -ENOENT;
	}
	down_write(&sync->secrets_lock);
	err = change(sync, id, bytes, extack);
	up_write(&sync->secrets_lock);
	return err;
}

/**
 * clb_sync_secret_add() - take datagrams that are made with a second secret
 * @cn: the namespace
 * @id: its key id
 * @secret: CLB_SYNC_KEY_LEN bytes
 * @extack: says what is wrong
 *
 * Return: 0; -EEXIST: the key id is in use; -ENOSPC: there are two; -ENOENT:
 *	sync is not started.
 * Context: process, configuration lock held; may sleep.
 */
int clb_sync_secret_add(struct clb_net *cn, u8 id, const u8 *secret,
			struct netlink_ext_ack *extack)
{
	return secrets_change(cn, id, secret, extack, secret_add);
}

/**
 * clb_sync_secret_use() - send with one of the secrets
 * @cn: the namespace
 * @id: its key id
 * @extack: says what is wrong
 *
 * When it returns no datagram leaves with the other one any more.
 *
 * Return: 0; -ENOENT: there is none of this id, or sync is not started.
 * Context: process, configuration lock held; may sleep.
 */
int clb_sync_secret_use(struct clb_net *cn, u8 id,
			struct netlink_ext_ack *extack)
{
	return secrets_change(cn, id, NULL, extack, secret_use);
}

/**
 * clb_sync_secret_del() - forget a secret, and the keys made from it
 * @cn: the namespace
 * @id: its key id
 * @extack: says what is wrong
 *
 * Return: 0; -ENOENT: there is none of this id, or sync is not started;
 *	-EBUSY: this node sends with it, or another was heard to.
 * Context: process, configuration lock held; may sleep.
 */
int clb_sync_secret_del(struct clb_net *cn, u8 id,
			struct netlink_ext_ack *extack)
{
	return secrets_change(cn, id, NULL, extack, secret_del);
}
