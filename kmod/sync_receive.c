// SPDX-License-Identifier: GPL-2.0
/*
 * The receiving thread: a datagram is opened, checked whole, and then done. It
 * alone changes what is known of the other nodes. Whatever is not done has a
 * counter.
 */
#include <linux/kthread.h>
#include <linux/string.h>

#include "sync_engine.h"
#include "takeover.h"

/* Of clocks that go until 2262; beyond there is room for later lives. */
#define EPOCH_MAX S64_MAX

/* How long datagrams wait although the time is over, while others come. */
#define HASTE (HZ / 10)

/* A free place, or that of a node that was not heard for long. */
static struct clb_sync_peer *peer_place(struct clb_sync *sync)
{
	struct clb_sync_peer *free = clb_sync_peer_find(sync, 0);
	unsigned int i;

	/* one whose death nobody was told of yet keeps its place for a beat */
	for (i = 0; i < CLB_SYNC_PEERS && !free; i++)
		if (!READ_ONCE(sync->peers[i].announced) &&
		    time_after(jiffies, sync->peers[i].heard +
			       CLB_SYNC_PEER_TIMEOUT))
			free = &sync->peers[i];
	return free;
}

/* Its words count once it has named us: let it hear of us. */
static void peer_meet(struct clb_sync *sync, struct clb_sync_peer *peer,
		      const struct clb_sync_header *header)
{
	spin_lock(&sync->lock);
	if (peer->node != header->node) {
		memset(peer->counts, 0, sizeof(peer->counts));
		peer->announced = false;
	}
	peer->node = header->node;
	peer->epoch = header->epoch;
	peer->confirmed = false;
	peer->ready = false;
	peer->beaten = false;
	peer->furnished = false;
	/* what it said before will not be said again */
	peer->lost = true;
	peer->lost_at = jiffies;
	peer->stalled = 0;
	peer->inherited = false;
	peer->told = 0;
	peer->told_at = jiffies;
	peer->lag = 0;
	peer->sessions = 0;
	memset(peer->gaps, 0, sizeof(peer->gaps));
	clb_sync_window_begin(&peer->window, header->seq - 1);
	if (sync->fetch.giver == header->node)
		sync->fetch.from = header->seq - 1;
	spin_unlock(&sync->lock);
	WRITE_ONCE(sync->beat, true);
	clb_sync_wake(sync);
}

/* Of a datagram that bears the id of @peer, if that is known. */
static void drop_count(struct clb_sync *sync, struct clb_sync_peer *peer,
		       enum clb_sync_attr why)
{
	static const u8 of_peer[CLB_SYNC_A_MAX + 1] = {
		[CLB_SYNC_A_DROP_FORGED] = CLB_SYNC_PEER_A_DROP_FORGED,
		[CLB_SYNC_A_DROP_REPLAYED] = CLB_SYNC_PEER_A_DROP_REPLAYED,
		[CLB_SYNC_A_DROP_LATE] = CLB_SYNC_PEER_A_DROP_LATE,
	};

	clb_sync_count(sync, why);
	if (peer && of_peer[why])
		clb_sync_peer_add(peer, of_peer[why], 1);
}

static struct clb_sync_peer *refuse(struct clb_sync *sync,
				    struct clb_sync_peer *peer,
				    enum clb_sync_attr why)
{
	drop_count(sync, peer, why);
	return NULL;
}

/* Returns false if the datagram is none that comes next. */
static bool peer_see(struct clb_sync *sync, struct clb_sync_peer *peer,
		     const struct clb_sync_header *header,
		     const union nf_inet_addr *from)
{
	enum clb_sync_seen seen;
	u64 seq = header->seq;
	u64 last;

	spin_lock(&sync->lock);
	last = peer->window.last;
	seen = clb_sync_window_see(&peer->window, seq);
	if (seen == CLB_SYNC_SEEN_AHEAD) {
		clb_sync_gap_add(peer, last + 1, seq - 1);
		clb_sync_fall_behind(sync);
	}
	if (seen != CLB_SYNC_SEEN_REPLAY) {
		peer->heard = jiffies;
		peer->inherited = false;
	}
	if (seen == CLB_SYNC_SEEN_AHEAD || seen == CLB_SYNC_SEEN_NEXT) {
		peer->sends = header->key_id;
		peer->address = *from;
	}
	spin_unlock(&sync->lock);
	switch (seen) {
	case CLB_SYNC_SEEN_AHEAD:
		clb_sync_add(sync, CLB_SYNC_A_MISSED, seq - last - 1);
		clb_sync_peer_add(peer, CLB_SYNC_PEER_A_MISSED,
				  seq - last - 1);
		clb_sync_wake(sync);
		return true;
	case CLB_SYNC_SEEN_NEXT:
		return true;
	case CLB_SYNC_SEEN_LATE:
		drop_count(sync, peer, CLB_SYNC_A_DROP_LATE);
		return false;
	case CLB_SYNC_SEEN_REPLAY:
		drop_count(sync, peer, CLB_SYNC_A_DROP_REPLAYED);
		return false;
	}
	return false;
}

static bool content_valid(struct clb_sync *sync, const u8 *content,
			  unsigned int len)
{
	struct clb_sync_record record;
	enum clb_sync_read ret;

	clb_sync_reader_init(&sync->reader, content, len);
	do {
		ret = clb_sync_next(&sync->reader, &record);
	} while (ret == CLB_SYNC_DONE);
	return ret == CLB_SYNC_END;
}

static void hear_heartbeat(struct clb_sync *sync, struct clb_sync_peer *peer,
			   const struct clb_sync_heartbeat *heartbeat)
{
	bool returned;

	spin_lock(&sync->lock);
	peer->ready = heartbeat->flags & CLB_SYNC_HEARTBEAT_READY;
	if (!peer->beaten)
		peer->furnished = heartbeat->sessions;
	peer->beaten = true;
	peer->sessions = heartbeat->sessions;
	returned = peer->ready && clb_sync_peer_lives(peer);
	spin_unlock(&sync->lock);
	if (returned)
		clb_takeover_returned(sync->cn, peer->node);
}

/*
 * It names this node: in its present life, or in one we know nothing of. A peer
 * that has heard more of this life than was said in it remembers what a machine
 * set back has forgotten.
 */
static void hear_of_us(struct clb_sync *sync, struct clb_sync_peer *peer,
		       const struct clb_sync_peer_seen *seen)
{
	u64 epoch = READ_ONCE(sync->epoch);
	u64 seq = READ_ONCE(sync->seq);

	spin_lock(&sync->lock);
	if (seen->epoch == epoch && seen->seq <= seq) {
		peer->confirmed = true;
		peer->lag = seq - seen->seq;
		if (clb_sync_peer_missed(peer))
			clb_sync_fall_behind(sync);
	} else if (seen->epoch >= epoch && seen->epoch < EPOCH_MAX) {
		sync->epoch_least = max(sync->epoch_least, seen->epoch);
	}
	spin_unlock(&sync->lock);
}

/* It names a third node: it may have heard more of that than we. */
static void hear_of_other(struct clb_sync *sync,
			  const struct clb_sync_peer_seen *seen)
{
	struct clb_sync_peer *other = clb_sync_peer_find(sync, seen->node);

	if (!other)
		return;
	spin_lock(&sync->lock);
	if (seen->epoch == other->epoch && seen->seq > other->told) {
		other->told = seen->seq;
		other->told_at = jiffies;
		other->inherited = false;
	}
	spin_unlock(&sync->lock);
}

static void hear_peer(struct clb_sync *sync, struct clb_sync_peer *peer,
		      const struct clb_sync_peer_seen *seen)
{
	if (seen->node == sync->config.node)
		hear_of_us(sync, peer, seen);
	else
		hear_of_other(sync, seen);
}

/* What a node that is known says. */
static void record_do(struct clb_sync *sync, struct clb_sync_peer *peer,
		      const struct clb_sync_record *record)
{
	switch (record->type) {
	case CLB_SYNC_SESSION:
		clb_sync_apply(sync, &record->session);
		break;
	case CLB_SYNC_GONE:
		clb_sync_apply_gone(sync, &record->gone);
		break;
	case CLB_SYNC_GAP:
		if (record->range.node == sync->config.node)
			clb_sync_repair_want(sync, &record->range);
		break;
	case CLB_SYNC_REPAIR:
		if (record->range.node == peer->node)
			clb_sync_gap_close(sync, peer, &record->range);
		break;
	case CLB_SYNC_BULK_GET:
		if (record->bulk.node == sync->config.node)
			clb_sync_give_want(sync, &record->bulk);
		break;
	case CLB_SYNC_BULK_MARK:
		clb_sync_fetch_mark(sync, peer, &record->bulk);
		break;
	}
}

/* What counts of a stranger's words is whether it heard us. */
static bool is_strange(const struct clb_sync_peer *peer,
		       const struct clb_sync_record *record)
{
	return !peer->confirmed && record->type > CLB_SYNC_SERVER &&
	       record->type != CLB_SYNC_HEARTBEAT &&
	       record->type != CLB_SYNC_PEER;
}

/* As on the packet path, but for some sessions in a row. */
static void content_do(struct clb_sync *sync, struct clb_sync_peer *peer,
		       const u8 *content, unsigned int len)
{
	struct clb_sync_record record;
	bool strange = false;

	clb_sync_reader_init(&sync->reader, content, len);
	while (clb_sync_next(&sync->reader, &record) == CLB_SYNC_DONE) {
		if (record.type == CLB_SYNC_HEARTBEAT)
			hear_heartbeat(sync, peer, &record.heartbeat);
		if (record.type == CLB_SYNC_PEER)
			hear_peer(sync, peer, &record.peer);
		if (is_strange(peer, &record)) {
			strange = true;
			continue;
		}
		local_bh_disable();
		rcu_read_lock();
		record_do(sync, peer, &record);
		rcu_read_unlock();
		local_bh_enable();
	}
	if (strange)
		clb_sync_count(sync, CLB_SYNC_A_DROP_STRANGER);
}

/* One that has its turn, or had it. */
static void turn_take(struct clb_sync *sync, struct clb_sync_peer *peer,
		      const struct clb_sync_early_datagram *datagram,
		      const u8 *content)
{
	if (!peer_see(sync, peer, &datagram->header, &datagram->from))
		return;
	if (content_valid(sync, content, datagram->len))
		content_do(sync, peer, content, datagram->len);
	else
		clb_sync_count(sync, CLB_SYNC_A_DROP_MALFORMED);
}

/* Those that waited and have their turn, or are told to wait no more. */
static void early_do(struct clb_sync *sync, struct clb_sync_peer *peer,
		     u64 upto)
{
	struct clb_sync_early_datagram *first;

	if (!sync->early.count)
		return;
	while ((first = clb_sync_early_first(&sync->early, peer->node)) &&
	       (first->header.seq <= upto ||
		first->header.seq == peer->window.last + 1)) {
		turn_take(sync, peer, first,
			  clb_sync_early_content(&sync->early, first));
		clb_sync_early_free(&sync->early, first);
		cond_resched();
	}
	if (!sync->early.count)
		clb_sync_behind_check(sync);
}

/* A life that is not known; its datagram is authentic. */
static struct clb_sync_peer *stranger_meet(struct clb_sync *sync,
					   struct clb_sync_peer *peer,
					   const struct clb_sync_header *header)
{
	peer = peer ?: peer_place(sync);
	if (!peer)
		return refuse(sync, NULL, CLB_SYNC_A_DROP_STRANGER);
	/* there is nothing more to wait for of the life before */
	if (peer->node)
		early_do(sync, peer, U64_MAX);
	peer_meet(sync, peer, header);
	return peer;
}

static void peer_key_set(struct clb_sync_peer *peer, u8 key_id, const u8 *key)
{
	memcpy(peer->key, key, CLB_SYNC_KEY_LEN);
	peer->key_id = key_id;
	peer->keyed = true;
}

/*
 * A life that is not known, or another secret than with its last datagram: the
 * key is made, and kept if the datagram is authentic.
 */
static struct clb_sync_peer *
datagram_open_anew(struct clb_sync *sync, struct clb_sync_peer *peer,
		   const struct clb_sync_header *header, unsigned int len)
{
	const struct clb_sync_secret *secret;
	u8 key[CLB_SYNC_KEY_LEN];

	secret = clb_sync_secret_find(sync, header->key_id);
	if (!secret) {
		WRITE_ONCE(sync->unread, jiffies);
		return refuse(sync, peer, CLB_SYNC_A_DROP_KEY);
	}
	clb_sync_key_make(key, secret->bytes, header);
	if (!clb_sync_open(sync->in, len, header->seq, key))
		peer = refuse(sync, peer, CLB_SYNC_A_DROP_FORGED);
	else if (!peer || header->epoch > peer->epoch)
		peer = stranger_meet(sync, peer, header);
	if (peer)
		peer_key_set(peer, header->key_id, key);
	memzero_explicit(key, sizeof(key));
	return peer;
}

/* The node it is from, its content decrypted, or NULL: it was refused. */
static struct clb_sync_peer *datagram_open(struct clb_sync *sync,
					   const struct clb_sync_header *header,
					   unsigned int len)
{
	struct clb_sync_peer *peer = clb_sync_peer_find(sync, header->node);

	if (!header->seq || !header->node)
		return refuse(sync, peer, CLB_SYNC_A_DROP_MALFORMED);
	if (peer && header->epoch < peer->epoch)
		return refuse(sync, peer, CLB_SYNC_A_DROP_REPLAYED);
	if (!peer || header->epoch > peer->epoch || !peer->keyed ||
	    header->key_id != peer->key_id)
		return datagram_open_anew(sync, peer, header, len);
	if (clb_sync_open(sync->in, len, header->seq, peer->key))
		return peer;
	return refuse(sync, peer, CLB_SYNC_A_DROP_FORGED);
}

/* Their time is over, and with it that of those before them. */
static void early_expire(struct clb_sync *sync, unsigned long now)
{
	struct clb_sync_early_datagram *due;

	while ((due = clb_sync_early_due(&sync->early, now)))
		early_do(sync, clb_sync_peer_find(sync, due->header.node),
			 due->header.seq);
}

/* It is heard, though not yet understood, and until then others know more. */
static void early_hear(struct clb_sync *sync, struct clb_sync_peer *peer,
		       const struct clb_sync_early_datagram *datagram)
{
	spin_lock(&sync->lock);
	peer->heard = jiffies;
	peer->inherited = false;
	peer->sends = datagram->header.key_id;
	clb_sync_fall_behind(sync);
	spin_unlock(&sync->lock);
	clb_sync_count(sync, CLB_SYNC_A_EARLY);
}

/* Returns false if it is not early, or must not wait. */
static bool early_keep(struct clb_sync *sync, struct clb_sync_peer *peer,
		       struct clb_sync_early_datagram *datagram,
		       const u8 *content)
{
	if (!sync->config.reorder || !peer->confirmed ||
	    datagram->header.seq <= peer->window.last + 1)
		return false;
	/* one more, for the one that has begun */
	datagram->until = jiffies + clb_sync_reorder_time(sync) + 1;
	switch (clb_sync_early_put(&sync->early, datagram, content)) {
	case CLB_SYNC_EARLY_KEPT:
		early_hear(sync, peer, datagram);
		return true;
	case CLB_SYNC_EARLY_TWICE:
		drop_count(sync, peer, CLB_SYNC_A_DROP_REPLAYED);
		return true;
	case CLB_SYNC_EARLY_FULL:
		break;
	}
	early_do(sync, peer, datagram->header.seq);
	return false;
}

static bool header_take(struct clb_sync *sync, unsigned int len,
			struct clb_sync_header *header)
{
	static const enum clb_sync_attr counters[] = {
		[CLB_SYNC_TRUNCATED] = CLB_SYNC_A_DROP_TRUNCATED,
		[CLB_SYNC_FOREIGN] = CLB_SYNC_A_DROP_FOREIGN,
		[CLB_SYNC_OTHER_VERSION] = CLB_SYNC_A_DROP_VERSION,
	};
	enum clb_sync_read ret = clb_sync_header_read(sync->in, len, header);
	enum clb_sync_attr why = 0;

	if (ret != CLB_SYNC_DONE)
		why = counters[ret];
	else if (header->cluster != sync->config.cluster)
		why = CLB_SYNC_A_DROP_CLUSTER;
	else if (header->to)
		why = CLB_SYNC_A_DROP_FOREIGN;
	else if (header->node == sync->config.node)
		why = CLB_SYNC_A_DROP_SAME_NODE;
	if (!why)
		return true;
	clb_sync_count(sync, why);
	return false;
}

static void datagram_do(struct clb_sync *sync, unsigned int len)
{
	const u8 *content = sync->in + CLB_SYNC_HEADER_LEN;
	struct clb_sync_early_datagram datagram = { .from = sync->from };
	struct clb_sync_peer *peer;

	if (!header_take(sync, len, &datagram.header))
		return;
	down_read(&sync->secrets_lock);
	peer = datagram_open(sync, &datagram.header, len);
	up_read(&sync->secrets_lock);
	if (!peer)
		return;
	datagram.len = len - CLB_SYNC_HEADER_LEN - CLB_SYNC_TAG_LEN;
	if (early_keep(sync, peer, &datagram, content))
		return;
	turn_take(sync, peer, &datagram, content);
	early_do(sync, peer, 0);
}

/*
 * What some wait for may have come, but not been seen. That is seen first, if
 * it does not take long: others may send more than can be seen.
 */
static int datagram_await(struct clb_sync *sync)
{
	int len;

	if (!sync->early.count)
		return clb_sync_socket_receive(sync, 0);
	early_expire(sync, jiffies - HASTE);
	len = clb_sync_socket_receive(sync, MSG_DONTWAIT);
	if (len != -EAGAIN)
		return len;
	early_expire(sync, jiffies);
	return clb_sync_socket_receive(sync, 0);
}

/**
 * clb_sync_receiver() - the receiving thread
 * @data: sync
 *
 * Return: 0, when it is stopped.
 * Context: thread.
 */
int clb_sync_receiver(void *data)
{
	struct clb_sync *sync = data;
	int len;

	while (!kthread_should_stop()) {
		len = datagram_await(sync);
		if (kthread_should_stop())
			break;
		/* none, closing, or an error that a packet of ours met */
		if (len < 0) {
			cond_resched();
			continue;
		}
		clb_sync_count(sync, CLB_SYNC_A_RECEIVED_DATAGRAMS);
		if (len > (int)sizeof(sync->in))
			clb_sync_count(sync, CLB_SYNC_A_DROP_TRUNCATED);
		else
			datagram_do(sync, len);
		cond_resched();
	}
	return 0;
}
