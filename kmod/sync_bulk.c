// SPDX-License-Identifier: GPL-2.0
/*
 * A node that starts fetches the sessions of the others before it calls itself
 * ready: it asks one that is ready for one part of its table after the other.
 * A node that missed more than can be repaired does the same with what the
 * other node saw itself, or, when that one has died, with all of a third one.
 */
#include "event.h"
#include "sync_engine.h"

#define PART_DATAGRAMS	64		/* asked for, and given, at once */
#define PART_BUCKETS	BIT(16)		/* looked at for them */
#define SERVE_BUCKETS	128		/* without a look at others */
#define ASK_AGAIN	(HZ / 2)
#define ALONE_AFTER	(3 * HZ)	/* with nobody to wait for */
#define MEET_AFTER	(30 * HZ)	/* with somebody, or a link */
#define HOLD_TIME	(5 * HZ)	/* no merges after a request */
#define STALL_TIME	(15 * HZ)	/* for a part that does not come */
#define LEARN_TIME	(60 * HZ)
#define SILENCE		(3 * CLB_SYNC_BEAT)

/**
 * clb_sync_fall_behind() - others know sessions that this node does not
 * @sync: sync
 *
 * Context: @sync->lock held, or nobody else knows @sync.
 */
void clb_sync_fall_behind(struct clb_sync *sync)
{
	WRITE_ONCE(sync->behind, true);
}

static bool is_fresh(unsigned long since)
{
	return time_before(jiffies, since + LEARN_TIME);
}

/**
 * clb_sync_peer_missed() - was more of it missed lately than can be repaired
 * @peer: the peer
 *
 * Return: true if so, and it may be mended yet.
 * Context: @sync->lock held.
 */
bool clb_sync_peer_missed(const struct clb_sync_peer *peer)
{
	return peer->lost && !peer->stalled && is_fresh(peer->lost_at);
}

static bool has_fresh_gaps(const struct clb_sync_peer *peer)
{
	unsigned int i;

	for (i = 0; i < CLB_SYNC_GAPS; i++)
		if (peer->gaps[i].first && is_fresh(peer->gaps[i].since))
			return true;
	return false;
}

static bool has_gaps(const struct clb_sync_peer *peer)
{
	unsigned int i;

	for (i = 0; i < CLB_SYNC_GAPS; i++)
		if (peer->gaps[i].first)
			return true;
	return false;
}

/* Those that it knew are not heard: they are dead, or this node is cut off. */
static bool is_cut_off(const struct clb_sync *sync)
{
	unsigned long heard = jiffies - SILENCE - LEARN_TIME;
	unsigned int i;

	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		const struct clb_sync_peer *peer = &sync->peers[i];

		if (peer->node && peer->confirmed &&
		    time_after(peer->heard, heard))
			heard = peer->heard;
	}
	return time_after(jiffies, heard + SILENCE) &&
	       time_before(jiffies, heard + SILENCE + LEARN_TIME);
}

static bool is_fetching(struct clb_sync *sync)
{
	const struct clb_sync_peer *giver;

	if (!sync->fetch.giver || !is_fresh(sync->fetch.began))
		return false;
	giver = clb_sync_peer_find(sync, sync->fetch.giver);
	return giver && !giver->stalled;
}

/* What is missing for more than a minute may stay so: it counts no more. */
static bool is_behind(struct clb_sync *sync)
{
	unsigned int i;

	if (is_fetching(sync) || READ_ONCE(sync->early.count) ||
	    is_cut_off(sync) || time_before(jiffies, sync->resumed + SILENCE) ||
	    (!sync->fetch.whole && is_fresh(sync->started)))
		return true;
	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		const struct clb_sync_peer *peer = &sync->peers[i];

		if (clb_sync_peer_lives(peer) &&
		    (clb_sync_peer_missed(peer) || has_fresh_gaps(peer)))
			return true;
	}
	return false;
}

/* The sender did not run: what was said meanwhile comes, or is missing. */
static void standstill_see(struct clb_sync *sync)
{
	if (time_before_eq(jiffies, READ_ONCE(sync->awake) + SILENCE))
		return;
	sync->resumed = jiffies;
	sync->fetch.progress = jiffies;
}

/**
 * clb_sync_behind_check() - see whether others know more than this node
 * @sync: sync
 *
 * Context: the sender, or the receiver; takes @sync->lock.
 */
void clb_sync_behind_check(struct clb_sync *sync)
{
	spin_lock(&sync->lock);
	standstill_see(sync);
	WRITE_ONCE(sync->behind, is_behind(sync));
	spin_unlock(&sync->lock);
}

/**
 * __clb_sync_learns() - may others know sessions that this node does not
 * @cn: the namespace
 *
 * So it is while it starts, after datagrams were missed until that is mended,
 * and when nobody is heard any more; but for none of these for longer than a
 * minute. A node that stood still, as a virtual machine may, has missed what
 * was said meanwhile and does not know that yet.
 *
 * Return: true if so.
 * Context: RCU read side.
 */
bool __clb_sync_learns(const struct clb_net *cn)
{
	const struct clb_sync *sync = rcu_dereference(cn->sync);

	if (!sync)
		return false;
	if (time_after(jiffies, READ_ONCE(sync->awake) + SILENCE))
		return true;
	return READ_ONCE(sync->behind);
}

/*
 * A server is back, and copies were refused or ended while it was away. Those
 * that the collector has yet to end would be missing again.
 */
static void lacking_fetch(struct clb_sync *sync)
{
	const struct clb_net *cn = sync->cn;
	unsigned int i;

	/* pairs with itself: who is later of collector and gain sees both */
	smp_mb();
	/* pairs with __clb_sync_gained(): the sweep is that of the gain */
	if (!smp_load_acquire(&sync->gained) ||
	    (s32)(READ_ONCE(cn->sweeps_done) -
		  READ_ONCE(sync->gained_sweep)) < 0 ||
	    !xchg(&sync->gained, false) || !xchg(&sync->lacking, false))
		return;
	spin_lock(&sync->lock);
	for (i = 0; i < CLB_SYNC_PEERS; i++)
		if (sync->peers[i].node)
			clb_sync_peer_lose(&sync->peers[i]);
	clb_sync_fall_behind(sync);
	spin_unlock(&sync->lock);
	clb_sync_wake(sync);
}

/**
 * __clb_sync_swept() - the collector has been through the table
 * @cn: the namespace
 *
 * Context: process.
 */
void __clb_sync_swept(struct clb_net *cn)
{
	struct clb_sync *sync;

	rcu_read_lock();
	sync = rcu_dereference(cn->sync);
	if (sync)
		lacking_fetch(sync);
	rcu_read_unlock();
}

/**
 * __clb_sync_gained() - a server is here, or up, that was not
 * @cn: the namespace, its configuration in force
 *
 * Copies that were refused or ended for its sake are fetched, once all are that
 * will be.
 *
 * Context: process, configuration lock held; may sleep.
 */
void __clb_sync_gained(struct clb_net *cn)
{
	struct clb_sync *sync =
		rcu_dereference_protected(cn->sync,
					  lockdep_is_held(&cn->config_lock));

	if (!sync)
		return;
	/* those that saw the configuration before have said what they lack */
	synchronize_rcu();
	WRITE_ONCE(sync->gained_sweep, cn->sweeps_wanted);
	/* pairs with lacking_fetch() */
	smp_store_release(&sync->gained, true);
	lacking_fetch(sync);
}

/* The ready one with the lowest id, rather one that did not stall; or NULL. */
static struct clb_sync_peer *giver_choose(struct clb_sync *sync)
{
	struct clb_sync_peer *best = NULL;
	unsigned int i;

	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		struct clb_sync_peer *peer = &sync->peers[i];

		if (clb_sync_peer_lives(peer) && peer->ready &&
		    (!best || peer->stalled < best->stalled ||
		     (peer->stalled == best->stalled &&
		      peer->node < best->node)))
			best = peer;
	}
	return best;
}

/* Of whom; from the beginning. What was missed of it will be there. */
static void fetch_begin(struct clb_sync_fetch *fetch,
			struct clb_sync_peer *giver, bool own)
{
	giver->lost = false;
	if (!fetch->giver)
		fetch->began = jiffies;
	fetch->from = giver->window.last;
	fetch->giver = giver->node;
	fetch->of_ready = giver->ready;
	fetch->own = own;
	fetch->position = 0;
	fetch->asked = jiffies - ASK_AGAIN;
	fetch->progress = jiffies;
	fetch->done = false;
}

static void fetch_end(struct clb_sync_fetch *fetch)
{
	fetch->giver = 0;
	fetch->since = jiffies;
}

/* Its giver is gone, or stalls: what it was about is still missing. */
static void fetch_break(struct clb_sync *sync, struct clb_sync_peer *giver)
{
	unsigned int i;

	if (giver)
		clb_sync_peer_lose(giver);
	if (!sync->fetch.own)
		for (i = 0; i < CLB_SYNC_PEERS; i++)
			sync->peers[i].inherited = false;
	fetch_end(&sync->fetch);
}

/*
 * It is heard, but does not hear, or the path to here is not for datagrams as
 * large as its own. Others may do better.
 */
static bool giver_stalls(const struct clb_sync *sync)
{
	return time_after(jiffies, sync->fetch.progress + STALL_TIME);
}

/* All has been given. What was lost on the way is fetched again. */
static void fetch_finish(struct clb_sync_fetch *fetch,
			 struct clb_sync_peer *giver)
{
	if (giver->lost) {
		fetch_begin(fetch, giver, fetch->own);
		return;
	}
	giver->stalled = 0;
	if (!fetch->own) {
		fetch->ready = true;
		if (fetch->of_ready)
			WRITE_ONCE(fetch->whole, true);
	}
	fetch_end(fetch);
}

/*
 * One that missed too much of a node, or what it said before they met, fetches
 * what that node saw itself; there is nobody else to ask. Who was ready before
 * anybody was met has those with sessions give all, until one did that was
 * ready: they may have copies of what we, or one that is gone, had in an
 * earlier life. With @stalled, of those that stalled before.
 */
static bool lost_choose(struct clb_sync *sync, bool stalled)
{
	struct clb_sync_peer *best = NULL;
	unsigned int i;

	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		struct clb_sync_peer *peer = &sync->peers[i];

		if (peer->lost && clb_sync_peer_lives(peer) &&
		    !peer->stalled == !stalled &&
		    (peer->beaten || sync->fetch.whole) &&
		    (!best || peer->stalled < best->stalled ||
		     (peer->stalled == best->stalled &&
		      peer->ready > best->ready)))
			best = peer;
	}
	if (best)
		fetch_begin(&sync->fetch, best,
			    sync->fetch.whole || !best->furnished);
	return best;
}

/*
 * Nobody hears it any more, and something of it was missed: a gap, or the end
 * of what others have got.
 */
static bool is_orphaned(const struct clb_sync_peer *peer)
{
	return peer->node && peer->confirmed && !peer->inherited &&
	       !clb_sync_peer_lives(peer) &&
	       time_after(jiffies, peer->told_at + CLB_SYNC_PEER_TIMEOUT) &&
	       (peer->lost || has_gaps(peer) ||
		peer->told > peer->window.last);
}

/* Others may have what was missed of the dead: who is ready gives all. */
static bool orphans_inherit(struct clb_sync *sync)
{
	struct clb_sync_peer *giver = giver_choose(sync);
	bool any = false;
	unsigned int i;

	if (!giver || giver->stalled)
		return false;
	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		if (!is_orphaned(&sync->peers[i]))
			continue;
		sync->peers[i].inherited = true;
		any = true;
	}
	if (any)
		fetch_begin(&sync->fetch, giver, false);
	return any;
}

/*
 * Heard, but not yet heard by it; or due to be ready first, for of nodes that
 * start together the one with the lowest id is.
 */
static bool is_awaited(const struct clb_sync *sync,
		       const struct clb_sync_peer *peer)
{
	return peer->node &&
	       time_before(jiffies, peer->heard + CLB_SYNC_PEER_TIMEOUT) &&
	       (!peer->confirmed || peer->node < sync->config.node);
}

/* Who replays what others said can hold us up, but not for ever. */
static unsigned long patience(const struct clb_sync *sync)
{
	unsigned int i;

	if (time_before(jiffies, READ_ONCE(sync->unread) +
			CLB_SYNC_PEER_TIMEOUT))
		return MEET_AFTER;
	for (i = 0; i < CLB_SYNC_PEERS; i++)
		if (is_awaited(sync, &sync->peers[i]))
			return MEET_AFTER;
	return ALONE_AFTER;
}

/* The device is set up, but a link may take its time. */
static bool link_is_awaited(const struct clb_sync *sync)
{
	const struct net_device *dev;
	bool awaited;

	rcu_read_lock();
	dev = dev_get_by_index_rcu(sync->cn->net, sync->config.ifindex);
	awaited = dev && netif_running(dev) && !netif_oper_up(dev);
	rcu_read_unlock();
	return awaited;
}

static void giver_find(struct clb_sync *sync)
{
	struct clb_sync_peer *giver;

	if (sync->fetch.ready) {
		if (!lost_choose(sync, false) && !orphans_inherit(sync))
			lost_choose(sync, true);
		return;
	}
	if (link_is_awaited(sync) &&
	    time_before(jiffies, sync->started + MEET_AFTER))
		sync->fetch.since = jiffies;
	giver = giver_choose(sync);
	if (giver)
		fetch_begin(&sync->fetch, giver, false);
	else if (time_after(jiffies, sync->fetch.since + patience(sync)))
		sync->fetch.ready = true;
}

/* Whoever is to be asked next; if that is the same, from where it was. */
static void fetch_stall(struct clb_sync *sync, struct clb_sync_peer *giver)
{
	struct clb_sync_fetch *fetch = &sync->fetch, before = *fetch;
	bool lost = giver->lost;

	giver->stalled++;
	fetch_break(sync, giver);
	giver_find(sync);
	if (fetch->giver != before.giver || fetch->own != before.own)
		return;
	giver->lost = lost;
	fetch->from = before.from;
	fetch->position = before.position;
	fetch->of_ready = before.of_ready;
	fetch->done = before.done;
}

/* Returns true if there is something to ask now. */
static bool fetch_step(struct clb_sync *sync, struct clb_sync_bulk *get)
{
	struct clb_sync_fetch *fetch = &sync->fetch;
	struct clb_sync_peer *giver;

	if (!fetch->giver)
		giver_find(sync);
	if (!fetch->giver)
		return false;
	giver = clb_sync_peer_find(sync, fetch->giver);
	if (!giver || !clb_sync_peer_lives(giver))
		fetch_break(sync, giver);
	else if (fetch->done && !has_gaps(giver))
		fetch_finish(fetch, giver);
	else if (giver_stalls(sync))
		fetch_stall(sync, giver);
	if (!fetch->giver || fetch->done ||
	    time_before(jiffies, fetch->asked + ASK_AGAIN))
		return false;
	fetch->asked = jiffies;
	*get = (struct clb_sync_bulk) {
		.position = fetch->position, .datagrams = PART_DATAGRAMS,
		.node = fetch->giver,
		.flags = fetch->own ? CLB_SYNC_BULK_OWN : 0,
	};
	return true;
}

/**
 * clb_sync_fetch_send() - go on to fetch the sessions of others
 * @sync: sync
 *
 * Context: the sender; may sleep.
 */
void clb_sync_fetch_send(struct clb_sync *sync)
{
	struct clb_sync_record record = { .type = CLB_SYNC_BULK_GET };
	bool was_ready = sync->fetch.ready, ask, ready;

	spin_lock(&sync->lock);
	ask = fetch_step(sync, &record.bulk);
	ready = sync->fetch.ready;
	spin_unlock(&sync->lock);
	if (ask)
		clb_sync_record_send(sync, &record);
	if (!ready || was_ready)
		return;
	WRITE_ONCE(sync->beat, true);
	clb_event_sync(sync->cn, CLB_CMD_SYNC_READY);
}

/**
 * clb_sync_fetch_mark() - a part of a table has come
 * @sync: sync
 * @peer: whose
 * @mark: which
 *
 * Context: the receiver.
 */
void clb_sync_fetch_mark(struct clb_sync *sync,
			 const struct clb_sync_peer *peer,
			 const struct clb_sync_bulk *mark)
{
	struct clb_sync_fetch *fetch = &sync->fetch;

	spin_lock(&sync->lock);
	/* of one that began before, as somebody else's, not all was believed */
	if (fetch->giver == peer->node && !fetch->done &&
	    fetch->own == !!(mark->flags & CLB_SYNC_BULK_OWN) &&
	    fetch->position == mark->position &&
	    peer->window.last > fetch->from + mark->datagrams) {
		fetch->position = mark->next;
		fetch->done = mark->flags & CLB_SYNC_BULK_END;
		fetch->asked = jiffies - ASK_AGAIN;
		fetch->progress = jiffies;
	}
	spin_unlock(&sync->lock);
	clb_sync_wake(sync);
}

/**
 * clb_sync_give_want() - another node wants a part of our table
 * @sync: sync
 * @get: which; forgotten, and asked for again, while another one is given
 *
 * Context: the receiver.
 */
void clb_sync_give_want(struct clb_sync *sync, const struct clb_sync_bulk *get)
{
	spin_lock(&sync->lock);
	if (!sync->give.datagrams) {
		sync->give = *get;
		sync->give.datagrams = min_t(u16, get->datagrams,
					     PART_DATAGRAMS);
	}
	spin_unlock(&sync->lock);
	clb_sync_wake(sync);
}

static void bucket_read(struct clb_sync *sync, u32 index, u32 skip, bool own)
{
	struct clb_tuplehash *entry;

	sync->nr_found = 0;
	clb_chain_for_each(entry, clb_table_bucket(&sync->cn->table, index)) {
		if (entry->tuple.dir != CLB_DIR_ORIGINAL ||
		    !clb_sync_tellable(clb_session_of(entry), own) ||
		    (skip && skip--))
			continue;
		if (sync->nr_found == CLB_SYNC_FOUND)
			break;
		sync->found[sync->nr_found++] = (struct clb_sync_key) {
			.tuple = entry->tuple,
		};
	}
}

/* Up to as many keys as there is room for, from the @skip-th on. */
static u32 bucket_gather(struct clb_sync *sync, u32 index, u32 skip, bool own)
{
	struct clb_table *table = &sync->cn->table;
	unsigned int seq;

	rcu_read_lock();
	/* entries that move meanwhile can lead out of the bucket */
	do {
		seq = read_seqcount_begin(&table->seq);
		bucket_read(sync, index, skip, own);
	} while (read_seqcount_retry(&table->seq, seq));
	rcu_read_unlock();
	return sync->nr_found;
}

static void bucket_give(struct clb_sync *sync, u32 index, bool own)
{
	u32 skip = 0, found, i;

	do {
		found = bucket_gather(sync, index, skip, own);
		for (i = 0; i < found; i++)
			clb_sync_key_send(sync, &sync->found[i],
					  CLB_SYNC_F_TIME);
		skip += found;
		if (found || index % SERVE_BUCKETS == 0)
			clb_sync_serve(sync);
		cond_resched();
	} while (found == CLB_SYNC_FOUND);
}

/* Sessions must not move to buckets that were given already. */
static void merges_hold(struct clb_sync *sync)
{
	if (!sync->holding)
		clb_table_walk_begin(&sync->cn->table);
	sync->holding = true;
	sync->hold_until = jiffies + HOLD_TIME;
}

/**
 * clb_sync_merges_release() - nobody fetches any more
 * @sync: sync
 *
 * Context: the sender, or after it was stopped.
 */
void clb_sync_merges_release(struct clb_sync *sync)
{
	if (sync->holding)
		clb_table_walk_end(&sync->cn->table);
	sync->holding = false;
}

static void part_give(struct clb_sync *sync, const struct clb_sync_bulk *get)
{
	struct clb_sync_record record = { .type = CLB_SYNC_BULK_MARK };
	struct clb_table *table = &sync->cn->table;
	bool own = get->flags & CLB_SYNC_BULK_OWN;
	u32 position = get->position;
	u64 first = sync->seq;

	while (position < clb_table_buckets(table) &&
	       position - get->position < PART_BUCKETS &&
	       sync->seq - first < get->datagrams)
		bucket_give(sync, position++, own);
	/* in the datagram up to which is counted */
	clb_sync_room_make(sync,
			   CLB_SYNC_RECORD_LEN + CLB_SYNC_BULK_MARK_LEN);
	record.bulk = (struct clb_sync_bulk) {
		.position = get->position, .next = position,
		.datagrams = sync->seq - first,
		.flags = get->flags & CLB_SYNC_BULK_OWN,
	};
	if (position >= clb_table_buckets(table))
		record.bulk.flags |= CLB_SYNC_BULK_END;
	clb_sync_record_send(sync, &record);
}

/**
 * clb_sync_give_send() - give another node the part of the table it asked for
 * @sync: sync
 *
 * Context: the sender; may sleep.
 */
void clb_sync_give_send(struct clb_sync *sync)
{
	struct clb_sync_bulk get;

	spin_lock(&sync->lock);
	get = sync->give;
	sync->give.datagrams = 0;
	spin_unlock(&sync->lock);
	if (get.datagrams) {
		merges_hold(sync);
		part_give(sync, &get);
	} else if (sync->holding && time_after(jiffies, sync->hold_until)) {
		clb_sync_merges_release(sync);
	}
}

/**
 * clb_sync_bulk_waits() - is there something to fetch or to give
 * @sync: sync
 *
 * Return: true if so.
 * Context: the sender.
 */
bool clb_sync_bulk_waits(struct clb_sync *sync)
{
	bool waits;

	spin_lock(&sync->lock);
	waits = !sync->fetch.ready || sync->fetch.giver ||
		sync->give.datagrams;
	spin_unlock(&sync->lock);
	return waits || sync->holding;
}
