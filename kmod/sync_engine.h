/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the sync engine share; of no use to others. */
#ifndef _CLB_SYNC_ENGINE_H
#define _CLB_SYNC_ENGINE_H

#include <linux/net.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "sync.h"
#include "sync_early.h"
#include "sync_window.h"
#include "sync_wire.h"

#define CLB_SYNC_QUEUE		4096	/* keys, a power of 2 */
#define CLB_SYNC_FOUND		64	/* keys a walk gathers */
#define CLB_SYNC_PEER_TIMEOUT	(10 * HZ)
#define CLB_SYNC_BEAT		HZ
#define CLB_SYNC_TRAIL		3
#define CLB_SYNC_TRAIL_BEAT	(CLB_SYNC_BEAT / 8)
#define CLB_SYNC_HISTORY	1024	/* datagrams that can be said again */
#define CLB_SYNC_GAPS		16	/* of one peer */
#define CLB_SYNC_ASK		(HZ / 10)
#define CLB_SYNC_REPAIRS	32	/* that wait to be done */

/* A copy is refreshed by walks over the table that take so long. */
#define CLB_SYNC_WALK		(2 * HZ)

/**
 * struct clb_sync_key - names a session that others are to be told of
 * @tuple: of its original direction
 * @born: when it was
 * @ended: it was ended on request
 * @news: only if others were not told by now
 */
struct clb_sync_key {
	struct clb_tuple	tuple;
	u32			born;
	bool			ended;
	bool			news;
};

/**
 * struct clb_sync_queue - keys from one CPU to the sending thread
 * @head: how many were put in; by the CPU, softirqs off
 * @tail: how many were taken out; by the thread
 * @keys: key n is at n % CLB_SYNC_QUEUE
 */
struct clb_sync_queue {
	u32			head;
	u32			tail ____cacheline_aligned_in_smp;
	struct clb_sync_key	keys[CLB_SYNC_QUEUE];
};

/**
 * struct clb_sync_stats - counters of one CPU
 * @count: by enum clb_sync_attr; those that are not events stay 0
 */
struct clb_sync_stats {
	unsigned long	count[CLB_SYNC_A_MAX + 1];
};

/**
 * struct clb_sync_gap - datagrams of another node that are missing
 * @first: the first one; 0: none
 * @last: the last one
 * @asked: when it was asked for, jiffies
 * @since: when the last of it was missed, jiffies
 */
struct clb_sync_gap {
	u64		first;
	u64		last;
	unsigned long	asked;
	unsigned long	since;
};

/**
 * struct clb_sync_said - content of a datagram that was sent
 * @seq: its number; 0: none
 * @len: its length
 */
struct clb_sync_said {
	u64		seq;
	unsigned int	len;
};

/**
 * struct clb_sync_fetch - how far the sessions of another node are fetched
 * @since: jiffies, when there was last somebody to ask, or no link, or the
 *	start
 * @asked: jiffies, the last request
 * @began: jiffies, with the first giver that was asked
 * @progress: jiffies, the beginning, or when the last part came
 * @position: bucket of the other node from which on they are missing
 * @giver: who is asked; 0: nobody
 * @from: the last datagram of @giver before
 * @own: for what it saw itself alone
 * @done: all has been given
 * @ready: this node has the sessions of the others, or found none to ask
 * @whole: it fetched all that another one had, which was ready; changed under
 *	the lock
 * @of_ready: @giver was ready when that began
 */
struct clb_sync_fetch {
	unsigned long	since;
	unsigned long	asked;
	unsigned long	began;
	unsigned long	progress;
	u64		from;
	u32		position;
	u16		giver;
	bool		own;
	bool		done;
	bool		ready;
	bool		whole;
	bool		of_ready;
};

/**
 * struct clb_sync_secret - one of the cluster's secrets
 * @id: its key id
 * @known: there is one
 * @bytes: the secret
 */
struct clb_sync_secret {
	u8	id;
	bool	known;
	u8	bytes[CLB_SYNC_KEY_LEN];
};

/**
 * struct clb_sync_peer - another node, in one life
 * @epoch: its life
 * @window: its datagrams that were seen
 * @heard: jiffies, the last one of them
 * @gaps: those that are missing
 * @lag: datagrams of ours that it had not got when it last named us
 * @counts: of its datagrams, by enum clb_sync_peer_attr; the receiver's
 * @address: from where its last datagram came
 * @sessions: it said it has
 * @node: its id; 0: the place is free
 * @sends: key id of the secret its last datagram was made with
 * @key_id: of the secret that @key is made from
 * @confirmed: it has named us in our present life: what it says is new
 * @beaten: a heartbeat of it was heard
 * @furnished: it had sessions at the first one: before we met
 * @ready: it has all sessions
 * @lost: we missed more of it than can be repaired, as what it said before
 *	we met
 * @announced: readers of events know it to be alive; @sender
 * @lost_at: jiffies, when that began
 * @stalled: so often in a row not all came of what it was asked for: others
 *	are asked first
 * @inherited: it died, and another one was asked for what we had missed of it
 * @told: its last datagram that another node has got, by that one's word
 * @told_at: jiffies, when @told last changed: somebody hears it
 * @keyed: @key is made
 * @key: of what it sends to all
 */
struct clb_sync_peer {
	u64			epoch;
	struct clb_sync_window	window;
	unsigned long		heard;
	struct clb_sync_gap	gaps[CLB_SYNC_GAPS];
	u64			lag;
	u64			told;
	unsigned long		told_at;
	u64			counts[CLB_SYNC_PEER_A_MAX + 1];
	union nf_inet_addr	address;
	unsigned long		lost_at;
	u32			stalled;
	u32			sessions;
	u16			node;
	u8			sends;
	u8			key_id;
	bool			confirmed;
	bool			beaten;
	bool			furnished;
	bool			ready;
	bool			lost;
	bool			announced;
	bool			inherited;
	bool			keyed;
	u8			key[CLB_SYNC_KEY_LEN];
};

/**
 * clb_sync_peer_lose() - more of a peer was missed than can be repaired
 * @peer: the peer
 *
 * Context: the lock of its sync held.
 */
static inline void clb_sync_peer_lose(struct clb_sync_peer *peer)
{
	if (!peer->lost)
		peer->lost_at = jiffies;
	peer->lost = true;
}

/**
 * struct clb_sync - the part of a namespace in a cluster
 * @cn: the namespace
 * @config: as started, but for the secret
 * @secrets_lock: protects @secrets, @sending, @key and those of peers; taken
 *	before @lock
 * @secrets: one or two; changed with the configuration lock held, too
 * @sending: which of them is sent with
 * @sock: to and from the other nodes
 * @sender: thread
 * @receiver: thread
 * @started: jiffies
 * @stats: counters
 * @queues: keys of sessions that others are to be told of, by CPU
 * @tombs: what was ended
 * @wait: where @sender sleeps while there is nothing to do
 * @idle: it sleeps there
 * @sweep: a key was lost: look for sessions of which nobody was told
 * @beat: a heartbeat is due at once
 * @awake: jiffies, when @sender last looked for a heartbeat to send
 * @behind: others know, or may know, sessions that this node does not; changed
 *	under @lock
 * @resumed: jiffies, when @sender was last found to have stood still
 * @unread: jiffies, when a datagram came with a key id that is not known
 * @gained: a server is here, or up, that was not: what lacked is fetched
 * @gained_sweep: once the collector has swept so often
 * @lacking: sessions were refused, or copies ended, for a server that is not
 *	here or is down
 * @lock: protects @peers, @repairs, @fetch, @give and @epoch_least
 * @peers: other nodes; changed by @receiver, @lost by whoever misses something
 * @repairs: datagrams of ours that others miss
 * @fetch: sessions of others that this node misses
 * @give: part of the table that another node wants, if of any datagrams
 * @epoch_least: unless 0, others know of a life of this node that is later
 * @epoch: present life; read by @receiver; changed by @sender
 * @seq: last datagram; @sender
 * @keyed: @key is made
 * @key: of what is sent; @sender
 * @cursor: bucket where the walk goes on; @sender
 * @nr_found: keys in @found; @sender
 * @found: keys that the walk found; @sender
 * @walked: jiffies of the last step; @sender
 * @life_since: jiffies at which the present life began; @sender
 * @next_beat: jiffies of the next heartbeat; @sender
 * @trail: how many come sooner, after the last words; @sender
 * @next_trail: jiffies of the next of these; @sender
 * @hold_until: jiffies, until then no buckets are merged; @sender
 * @holding: they are held; @sender
 * @writer: content of the datagram in the making; @sender
 * @out: the datagram, header first; @sender
 * @history: content of the last datagrams, @history_size bytes each; @sender
 * @said: what is in @history: number n at n % CLB_SYNC_HISTORY; @sender
 * @history_size: most that a datagram can hold
 * @again: one of them, to be read again; @sender
 * @repeat: reads it; @sender
 * @reader: content of the datagram that came; @receiver
 * @from: whence it came; @receiver
 * @in: the datagram; @receiver
 * @early: datagrams that wait for those before them; @receiver
 */
struct clb_sync {
	struct clb_net		*cn;
	struct clb_sync_config	config;
	struct rw_semaphore	secrets_lock;
	struct clb_sync_secret	secrets[2];
	unsigned int		sending;
	struct socket		*sock;
	struct task_struct	*sender;
	struct task_struct	*receiver;
	unsigned long		started;
	struct clb_sync_stats __percpu *stats;
	struct clb_sync_queue	**queues;
	struct clb_sync_tombs	*tombs;
	wait_queue_head_t	wait;
	bool			idle;
	bool			sweep;
	bool			beat;
	unsigned long		awake;
	bool			behind;
	unsigned long		resumed;
	unsigned long		unread;
	bool			gained;
	u32			gained_sweep;
	bool			lacking;
	spinlock_t		lock;
	struct clb_sync_peer	peers[CLB_SYNC_PEERS];
	struct clb_sync_gap	repairs[CLB_SYNC_REPAIRS];
	struct clb_sync_fetch	fetch;
	struct clb_sync_bulk	give;
	u64			epoch_least;
	u64			epoch;
	u64			seq;
	bool			keyed;
	u8			key[CLB_SYNC_KEY_LEN];
	u32			cursor;
	unsigned int		nr_found;
	struct clb_sync_key	found[CLB_SYNC_FOUND];
	unsigned long		walked;
	unsigned long		life_since;
	unsigned long		next_beat;
	unsigned int		trail;
	unsigned long		next_trail;
	unsigned long		hold_until;
	bool			holding;
	u64			flushed;
	struct clb_sync_writer	writer;
	u8			out[CLB_SYNC_MTU_MAX];
	u8			*history;
	struct clb_sync_said	said[CLB_SYNC_HISTORY];
	unsigned int		history_size;
	u8			again[CLB_SYNC_MTU_MAX];
	struct clb_sync_reader	repeat;
	struct clb_sync_reader	reader;
	union nf_inet_addr	from;
	u8			in[CLB_SYNC_MTU_MAX];
	struct clb_sync_early	early;
};

/* jiffies */
static inline unsigned long clb_sync_reorder_time(const struct clb_sync *sync)
{
	return msecs_to_jiffies(sync->config.reorder);
}

static inline void clb_sync_count(struct clb_sync *sync,
				  enum clb_sync_attr which)
{
	this_cpu_inc(sync->stats->count[which]);
}

static inline void clb_sync_add(struct clb_sync *sync,
				enum clb_sync_attr which, unsigned long n)
{
	this_cpu_add(sync->stats->count[which], n);
}

/* Counts of a peer are the receiver's; others may look. */
static inline void clb_sync_peer_add(struct clb_sync_peer *peer,
				     enum clb_sync_peer_attr which, u64 n)
{
	WRITE_ONCE(peer->counts[which], peer->counts[which] + n);
}

/*
 * Positive: a session born at @a came later than one born at @b (RFC 1982). 0
 * is before sync, and thereby before all.
 */
static inline s32 clb_sync_born_order(u32 a, u32 b)
{
	if (a && b)
		return a - b;
	return (a ? S32_MAX : 0) - (b ? S32_MAX : 0);
}

/* Heard, and it heard us. Context: clb_sync.lock held. */
static inline bool clb_sync_peer_lives(const struct clb_sync_peer *peer)
{
	return peer->node && peer->confirmed &&
	       time_before(jiffies, peer->heard + CLB_SYNC_PEER_TIMEOUT);
}

/* sync_peer.c */
struct clb_sync_peer *clb_sync_peer_find(struct clb_sync *sync, u16 node);

/* sync_queue.c */
int clb_sync_queues_alloc(struct clb_sync *sync);
void clb_sync_queues_free(struct clb_sync *sync);
u32 clb_sync_queues_len(const struct clb_sync *sync);
bool clb_sync_queues_empty(const struct clb_sync *sync);
void clb_sync_wake(struct clb_sync *sync);
void clb_sync_gone_again(struct clb_sync *sync, const struct clb_tuple *tuple,
			 u32 born);
void clb_sync_say_again(struct clb_sync *sync, struct clb_session *session);

/* sync_tomb.c */
#define CLB_SYNC_TOMB_LIFETIME	(1200 * HZ)

int clb_sync_tombs_alloc(struct clb_sync *sync);
void clb_sync_tombs_free(struct clb_sync *sync);
void clb_sync_tomb_put(struct clb_sync *sync, const struct clb_tuple *tuple,
		       u32 born, u32 now);
bool clb_sync_tomb_find(struct clb_sync *sync, const struct clb_tuple *tuple,
			u32 now, u32 *born);

/* sync_crypt.c */
u64 clb_sync_epoch_new(u64 least);
void clb_sync_key_make(u8 *key, const u8 *secret,
		       const struct clb_sync_header *header);
void clb_sync_seal(u8 *datagram, unsigned int content, u64 seq,
		   const u8 *key);
bool clb_sync_open(u8 *datagram, unsigned int len, u64 seq, const u8 *key);

/* sync_secret.c */
void clb_sync_secret_init(struct clb_sync *sync);
const struct clb_sync_secret *clb_sync_secret_find(const struct clb_sync *sync,
						   u8 id);
int clb_sync_secret_fill(struct sk_buff *skb, const struct clb_sync *sync);

/* sync_socket.c */
int clb_sync_socket_open(struct clb_sync *sync,
			 struct netlink_ext_ack *extack);
void clb_sync_socket_close(struct clb_sync *sync);
int clb_sync_socket_send(struct clb_sync *sync, u8 *data, unsigned int len);
int clb_sync_socket_receive(struct clb_sync *sync, int flags);

/* sync_send.c, sync_receive.c: threads */
void clb_sync_life_begin(struct clb_sync *sync, u64 least);
int clb_sync_sender(void *data);
int clb_sync_receiver(void *data);
void clb_sync_serve(struct clb_sync *sync);

void clb_sync_key_send(struct clb_sync *sync, const struct clb_sync_key *key,
		       u8 flags);
void clb_sync_record_send(struct clb_sync *sync,
			  const struct clb_sync_record *record);
void clb_sync_room_make(struct clb_sync *sync, unsigned int len);

/* sync_repair.c */
int clb_sync_history_alloc(struct clb_sync *sync);
void clb_sync_history_free(struct clb_sync *sync);
void clb_sync_history_put(struct clb_sync *sync);
void clb_sync_gap_add(struct clb_sync_peer *peer, u64 first, u64 last);
void clb_sync_gap_close(struct clb_sync *sync, struct clb_sync_peer *peer,
			const struct clb_sync_range *range);
void clb_sync_repair_want(struct clb_sync *sync,
			  const struct clb_sync_range *range);
bool clb_sync_repairs_wait(struct clb_sync *sync);
void clb_sync_repairs_send(struct clb_sync *sync);

/* sync_bulk.c */
void clb_sync_fall_behind(struct clb_sync *sync);
bool clb_sync_peer_missed(const struct clb_sync_peer *peer);
void clb_sync_behind_check(struct clb_sync *sync);
void clb_sync_fetch_send(struct clb_sync *sync);
void clb_sync_fetch_mark(struct clb_sync *sync,
			 const struct clb_sync_peer *peer,
			 const struct clb_sync_bulk *mark);
void clb_sync_give_want(struct clb_sync *sync,
			const struct clb_sync_bulk *get);
void clb_sync_give_send(struct clb_sync *sync);
void clb_sync_merges_release(struct clb_sync *sync);
bool clb_sync_bulk_waits(struct clb_sync *sync);

/* sync_session.c */

/* What a session remembers of the last word on it, and what of this one. */
struct clb_sync_memory {
	u16 before;
	u16 after;
};

bool clb_sync_wanted(const struct clb_session *session, u32 state);
void clb_sync_forget(struct clb_session *session);
bool clb_sync_stale(const struct clb_session *session);
bool clb_sync_tellable(const struct clb_session *session, bool own);
bool clb_sync_word(const struct clb_session *session, u8 flags,
		   struct clb_sync_session *told,
		   struct clb_sync_memory *memory);
void clb_sync_remember(struct clb_session *session,
		       const struct clb_sync_memory *memory);
bool clb_sync_tell(struct clb_session *session, u8 flags,
		   struct clb_sync_session *told);
void clb_sync_session_tuple(const struct clb_sync_session *told,
			    struct clb_tuple *tuple);
void clb_sync_gone_tuple(const struct clb_sync_gone *gone,
			 struct clb_tuple *tuple);
void clb_sync_apply(struct clb_sync *sync,
		    const struct clb_sync_session *told);
void clb_sync_apply_gone(struct clb_sync *sync,
			 const struct clb_sync_gone *gone);

#endif /* _CLB_SYNC_ENGINE_H */
