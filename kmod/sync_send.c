// SPDX-License-Identifier: GPL-2.0
/*
 * The sending thread: takes keys from the queues and says what is true of
 * their sessions, walks the table for sessions that need to be refreshed or
 * told of for the first time, and sends heartbeats. It alone owns the number of
 * the last datagram.
 */
#include <linux/freezer.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/random.h>

#include "event.h"
#include "ruleset.h"
#include "sync_engine.h"

#define FLUSH_TIME	(5 * NSEC_PER_MSEC)
#define FLUSH_SLACK	(2 * NSEC_PER_MSEC)
#define WALK_BATCH	128	/* buckets, without a look at others */

/* IPv4 or IPv6 and UDP. */
static unsigned int packet_overhead(const struct clb_sync *sync)
{
	return (sync->config.family == NFPROTO_IPV4 ? 20 : 40) + 8;
}

static void content_begin(struct clb_sync *sync)
{
	clb_sync_writer_init(&sync->writer, sync->out + CLB_SYNC_HEADER_LEN,
			     sync->config.mtu - packet_overhead(sync) -
			     CLB_SYNC_HEADER_LEN - CLB_SYNC_TAG_LEN);
}

static struct clb_sync_header header_of(const struct clb_sync *sync)
{
	return (struct clb_sync_header) {
		.epoch = sync->epoch, .seq = sync->seq,
		.cluster = sync->config.cluster, .node = sync->config.node,
		.key_id = sync->secrets[sync->sending].id,
	};
}

/**
 * clb_sync_life_begin() - begin to count datagrams, with a new key
 * @sync: sync
 * @least: the life must be later than this one
 *
 * Context: process; the sender, or before it runs.
 */
void clb_sync_life_begin(struct clb_sync *sync, u64 least)
{
	WRITE_ONCE(sync->epoch, clb_sync_epoch_new(least));
	sync->life_since = jiffies;
	WRITE_ONCE(sync->seq, 0);
	memset(sync->said, 0, sizeof(sync->said));
	sync->keyed = false;
	content_begin(sync);
}

/* With the secret that is to be sent with at this moment. */
static int datagram_send(struct clb_sync *sync, unsigned int content)
{
	unsigned int len = CLB_SYNC_HEADER_LEN + content + CLB_SYNC_TAG_LEN;
	struct clb_sync_header header;
	int err;

	down_read(&sync->secrets_lock);
	header = header_of(sync);
	if (unlikely(!sync->keyed))
		clb_sync_key_make(sync->key,
				  sync->secrets[sync->sending].bytes, &header);
	sync->keyed = true;
	clb_sync_header_write(sync->out, &header);
	clb_sync_seal(sync->out, content, sync->seq, sync->key);
	err = clb_sync_socket_send(sync, sync->out, len);
	up_read(&sync->secrets_lock);
	return err;
}

static void content_send(struct clb_sync *sync)
{
	unsigned int content = sync->writer.len;

	sync->flushed = ktime_get_ns();
	if (!content)
		return;
	WRITE_ONCE(sync->seq, sync->seq + 1);
	clb_sync_history_put(sync);
	if (datagram_send(sync, content)) {
		clb_sync_count(sync, CLB_SYNC_A_SEND_ERRORS);
	} else {
		clb_sync_count(sync, CLB_SYNC_A_SENT_DATAGRAMS);
		clb_sync_add(sync, CLB_SYNC_A_SENT_BYTES,
			     CLB_SYNC_HEADER_LEN + content + CLB_SYNC_TAG_LEN +
			     packet_overhead(sync));
	}
	content_begin(sync);
}

/* Who loses the last words learns of that from the heartbeats behind them. */
static void trail_begin(struct clb_sync *sync)
{
	sync->trail = CLB_SYNC_TRAIL;
	sync->next_trail = jiffies + CLB_SYNC_TRAIL_BEAT;
}

/**
 * clb_sync_record_send() - say something with the next datagram
 * @sync: sync
 * @record: what to say; any one record fits into an empty datagram
 *
 * Context: the sender.
 */
void clb_sync_record_send(struct clb_sync *sync,
			  const struct clb_sync_record *record)
{
	/* the others are said again until there is an answer */
	if (record->type == CLB_SYNC_SESSION || record->type == CLB_SYNC_GONE)
		trail_begin(sync);
	if (clb_sync_put(&sync->writer, record))
		return;
	content_send(sync);
	clb_sync_put(&sync->writer, record);
}

/**
 * clb_sync_room_make() - have room in the datagram that is in the making
 * @sync: sync
 * @len: in bytes, for a record with its header; it must name no listener
 *
 * Context: the sender.
 */
void clb_sync_room_make(struct clb_sync *sync, unsigned int len)
{
	if (sync->writer.size - sync->writer.len < len)
		content_send(sync);
}

/* Of a listener that is gone nobody needs to be told. */
static bool gone_make(struct clb_sync *sync, const struct clb_sync_key *key,
		      struct clb_sync_record *record)
{
	const struct clb_tuple *tuple = &key->tuple;
	const struct clb_endpoint vip = {
		.addr = tuple->dst, .port = tuple->dport,
		.family = tuple->family, .protocol = tuple->protocol,
	};
	const struct clb_listener_conf *conf;

	conf = clb_ruleset_match(rcu_dereference(sync->cn->ruleset), vip);
	if (!conf || tuple->kind != CLB_TUPLE_FLOW)
		return false;
	record->type = CLB_SYNC_GONE;
	record->gone = (struct clb_sync_gone) {
		.listener = conf->key, .client = tuple->src,
		.born = key->born, .client_port = tuple->sport,
		.port = tuple->dport,
	};
	return true;
}

/* Of a session that began later its end says nothing. */
static bool is_over(const struct clb_sync_key *key,
		    const struct clb_tuplehash *entry)
{
	return key->ended &&
	       (!entry || entry->tuple.dir != CLB_DIR_ORIGINAL ||
		clb_sync_born_order(clb_session_born(clb_session_of(entry)),
				    key->born) > 0);
}

/* Whatever made the key: what is true by now. Returns false: nothing. */
static bool record_make(struct clb_sync *sync, const struct clb_sync_key *key,
			u8 flags, struct clb_sync_record *record)
{
	struct clb_table *table = &sync->cn->table;
	struct clb_session *session;
	struct clb_tuplehash *entry;

	entry = clb_table_find(table, &key->tuple,
			       clb_table_hash(table, &key->tuple));
	if (is_over(key, entry))
		return gone_make(sync, key, record);
	if (!entry || entry->tuple.dir != CLB_DIR_ORIGINAL)
		return false;
	session = clb_session_of(entry);
	if (key->news && !clb_sync_stale(session))
		return false;
	record->type = CLB_SYNC_SESSION;
	return clb_sync_tell(session, flags, &record->session);
}

/**
 * clb_sync_key_send() - say what is true of a session by now
 * @sync: sync
 * @key: which
 * @flags: as clb_sync_tell()
 *
 * Context: the sender; may sleep.
 */
void clb_sync_key_send(struct clb_sync *sync, const struct clb_sync_key *key,
		       u8 flags)
{
	struct clb_sync_record record;
	bool made;

	rcu_read_lock();
	made = record_make(sync, key, flags, &record);
	/* to send may take time */
	rcu_read_unlock();
	if (!made)
		return;
	clb_sync_record_send(sync, &record);
	clb_sync_count(sync, record.type == CLB_SYNC_SESSION ?
			     CLB_SYNC_A_SENT_SESSIONS : CLB_SYNC_A_SENT_GONE);
}

static void queue_send(struct clb_sync *sync, struct clb_sync_queue *queue)
{
	/* pairs with the release of the CPU: keys up to here are whole */
	u32 head = smp_load_acquire(&queue->head);

	while (queue->tail != head) {
		clb_sync_key_send(sync, &queue->keys[queue->tail %
						     CLB_SYNC_QUEUE], 0);
		/* the CPU may use the place again */
		smp_store_release(&queue->tail, queue->tail + 1);
	}
}

static void queues_send(struct clb_sync *sync)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		queue_send(sync, sync->queues[cpu]);
		cond_resched();
	}
}

static void beat_send(struct clb_sync *sync)
{
	struct clb_sync_record record = { .type = CLB_SYNC_HEARTBEAT };
	unsigned int i;

	record.heartbeat = (struct clb_sync_heartbeat) {
		.sessions = atomic_read(&sync->cn->nr_sessions),
		.flags = sync->fetch.ready ? CLB_SYNC_HEARTBEAT_READY : 0,
	};
	clb_sync_record_send(sync, &record);
	record.type = CLB_SYNC_PEER;
	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		const struct clb_sync_peer *peer = &sync->peers[i];

		spin_lock(&sync->lock);
		record.peer = (struct clb_sync_peer_seen) {
			.epoch = peer->epoch, .seq = peer->window.last,
			.node = peer->node,
		};
		spin_unlock(&sync->lock);
		/* dead or alive: it may return with an older clock */
		if (record.peer.node)
			clb_sync_record_send(sync, &record);
	}
}

/* That a node is dead nobody says: it has not been heard for a while. */
static void peers_announce(struct clb_sync *sync)
{
	bool changed, lives;
	unsigned int i;

	for (i = 0; i < CLB_SYNC_PEERS; i++) {
		struct clb_sync_peer *peer = &sync->peers[i];

		spin_lock(&sync->lock);
		lives = clb_sync_peer_lives(peer);
		changed = lives != peer->announced;
		WRITE_ONCE(peer->announced, lives);
		spin_unlock(&sync->lock);
		if (changed)
			clb_event_sync_peer(sync->cn, sync, i);
	}
}

static unsigned long beat_due(const struct clb_sync *sync)
{
	if (sync->trail && time_before(sync->next_trail, sync->next_beat))
		return sync->next_trail;
	return sync->next_beat;
}

/* No two nodes keep step: each would name the other's last but one for ever. */
static void beats_send(struct clb_sync *sync)
{
	WRITE_ONCE(sync->awake, jiffies);
	if (!xchg(&sync->beat, false) && time_before(jiffies, beat_due(sync)))
		return;
	sync->next_beat = jiffies + CLB_SYNC_BEAT -
			  prandom_u32_max(CLB_SYNC_BEAT / 8);
	sync->next_trail = jiffies + CLB_SYNC_TRAIL_BEAT;
	if (sync->trail)
		sync->trail--;
	beat_send(sync);
	peers_announce(sync);
}

/* During long work, in which datagrams need not become full. */
static void content_flush(struct clb_sync *sync)
{
	if ((s64)(ktime_get_ns() - sync->flushed) > FLUSH_TIME)
		content_send(sync);
}

/**
 * clb_sync_serve() - do what does not wait for the end of long work
 * @sync: sync
 *
 * Context: the sender; may sleep.
 */
void clb_sync_serve(struct clb_sync *sync)
{
	beats_send(sync);
	queues_send(sync);
	content_flush(sync);
}

/* Returns false if there is no room for more. */
static bool bucket_walk(struct clb_sync *sync, u32 index)
{
	struct clb_tuplehash *entry;

	clb_chain_for_each(entry, clb_table_bucket(&sync->cn->table, index)) {
		struct clb_session *session = clb_session_of(entry);

		if (entry->tuple.dir != CLB_DIR_ORIGINAL)
			continue;
		clb_sync_forget(session);
		if (!clb_sync_stale(session))
			continue;
		if (sync->nr_found == ARRAY_SIZE(sync->found))
			return false;
		sync->found[sync->nr_found++] = (struct clb_sync_key) {
			.tuple = entry->tuple,
		};
	}
	return true;
}

/*
 * A bucket that splits meanwhile is met again in the next walk; those that are
 * merged are no more. Returns true while there are others up to @end.
 */
static bool buckets_walk(struct clb_sync *sync, u32 end)
{
	struct clb_table *table = &sync->cn->table;
	bool done = true;
	u32 stop;

	rcu_read_lock();
	end = min(end, clb_table_buckets(table));
	stop = min(end, sync->cursor + WALK_BATCH);
	while (done && sync->cursor < stop) {
		if (sync->cursor + CLB_TABLE_AHEAD < end)
			clb_table_prefetch(table,
					   sync->cursor + CLB_TABLE_AHEAD);
		done = bucket_walk(sync, sync->cursor);
		sync->cursor += done;
	}
	rcu_read_unlock();
	return sync->cursor < end;
}

/* Those told of are stale no more, so that the walk gets ahead. */
static void walk_to(struct clb_sync *sync, u32 end)
{
	bool more = true;
	unsigned int i;

	while (more && !kthread_should_stop()) {
		sync->nr_found = 0;
		more = buckets_walk(sync, end);
		for (i = 0; i < sync->nr_found; i++)
			clb_sync_key_send(sync, &sync->found[i], 0);
		clb_sync_serve(sync);
	}
}

/* As many buckets as the time that went by is of CLB_SYNC_WALK, or all. */
static void table_walk(struct clb_sync *sync)
{
	u32 buckets = clb_table_buckets(&sync->cn->table);
	unsigned long now = jiffies;
	u64 share = (u64)buckets * (now - sync->walked);

	share = div_u64(share, CLB_SYNC_WALK);
	if (xchg(&sync->sweep, false)) {
		sync->cursor = 0;
		share = buckets;
	}
	if (!share)
		return;
	sync->walked = now;
	if (sync->cursor >= buckets)
		sync->cursor = 0;
	walk_to(sync, min_t(u64, buckets, sync->cursor + share));
}

/*
 * Others know of a later life: the clock went back. Two nodes with one id, of
 * which a third tells, outbid each other in vain, but in no haste.
 */
static void life_check(struct clb_sync *sync)
{
	u64 least;

	spin_lock(&sync->lock);
	least = sync->epoch_least;
	spin_unlock(&sync->lock);
	if (likely(least < sync->epoch) ||
	    time_before(jiffies, sync->life_since + CLB_SYNC_BEAT))
		return;
	clb_sync_life_begin(sync, least);
	WRITE_ONCE(sync->beat, true);
}

static bool work_waits(struct clb_sync *sync)
{
	return READ_ONCE(sync->sweep) || READ_ONCE(sync->beat) ||
	       kthread_should_stop() || !clb_sync_queues_empty(sync) ||
	       clb_sync_repairs_wait(sync) || clb_sync_bulk_waits(sync);
}

/* Records are gathered for a moment, if there were any in the last one. */
static void gather(void)
{
	ktime_t time = FLUSH_TIME;

	set_current_state(TASK_IDLE);
	if (!kthread_should_stop())
		schedule_hrtimeout_range(&time, FLUSH_SLACK, HRTIMER_MODE_REL);
	__set_current_state(TASK_RUNNING);
}

/* Nothing happens: until something does, or the next heartbeat. */
static void doze(struct clb_sync *sync)
{
	long left = beat_due(sync) - jiffies;

	WRITE_ONCE(sync->idle, true);
	/* pairs with clb_sync_wake(): it sees @idle, or we see its work */
	smp_mb();
	if (left > 0 && !work_waits(sync))
		wait_event_interruptible_timeout(sync->wait,
						 !READ_ONCE(sync->idle) ||
						 kthread_should_stop(), left);
	WRITE_ONCE(sync->idle, false);
}

/**
 * clb_sync_sender() - the sending thread
 * @data: sync
 *
 * Return: 0, when it is stopped.
 * Context: thread.
 */
int clb_sync_sender(void *data)
{
	struct clb_sync *sync = data;
	u64 sent;

	while (!kthread_should_stop()) {
		sent = sync->seq;
		life_check(sync);
		clb_sync_behind_check(sync);
		beats_send(sync);
		clb_sync_repairs_send(sync);
		clb_sync_fetch_send(sync);
		clb_sync_give_send(sync);
		queues_send(sync);
		/* what happened goes before what is merely due */
		content_send(sync);
		table_walk(sync);
		content_send(sync);
		if (sync->seq == sent)
			doze(sync);
		if (!kthread_should_stop())
			gather();
	}
	/* nobody puts anything into the queues any more */
	queues_send(sync);
	content_send(sync);
	return 0;
}
