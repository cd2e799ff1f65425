// SPDX-License-Identifier: GPL-2.0
/*
 * mh: Maglev hashing (D. Eisenbud et al., NSDI 2016, section 3.4). All nodes
 * of a cluster build the same table from the same servers, in whatever order
 * those were added: the hash has a fixed key and servers are sorted first.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/siphash.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "scheduler.h"

/*
 * Slots of the table, a prime. With 65521 less than 1 % moves for no reason
 * when a server leaves, for any number of servers up to 655 (100 slots for
 * each). Another size moves nearly every client: there is one step only, and
 * it depends on the servers configured, for their state comes and goes.
 */
#define CLB_MAGLEV_SLOTS	65521
#define CLB_MAGLEV_SLOTS_LARGE	524287
#define CLB_MAGLEV_SLOTS_PER_SERVER 100

static const siphash_key_t server_key = { { 0x636c62206d61676cULL, 1 } };
static const siphash_key_t client_key = { { 0x636c62206d61676cULL, 2 } };

/* How often a full server's clients look for another at random places. */
#define CLB_MAGLEV_TRIES 16

/* So many servers are passed over at once in a round that none of them has. */
#define CLB_MAGLEV_BLOCK 64

/**
 * struct turn - a server while the table is filled
 * @next: its next choice of a slot
 * @skip: distance between its choices
 * @weight: its weight
 * @claims: slots it has
 * @due: round of its next claim
 * @soonest: of the first of a block: round of the block's next claim
 * @index: its place in the configuration
 */
struct turn {
	u32	next;
	u32	skip;
	u32	weight;
	u32	claims;
	u32	due;
	u32	soonest;
	u16	index;
};

/**
 * struct fill - a table that is being filled
 * @schedule: its owner
 * @taken: slots that are
 * @heaviest: largest weight: that server claims a slot in each round
 * @round: counts from 1
 * @filled: slots taken
 */
struct fill {
	struct clb_schedule *schedule;
	unsigned long	*taken;
	u32		heaviest;
	u32		round;
	u32		filled;
};

static u32 table_size(u32 servers)
{
	return servers * CLB_MAGLEV_SLOTS_PER_SERVER <= CLB_MAGLEV_SLOTS ?
	       CLB_MAGLEV_SLOTS : CLB_MAGLEV_SLOTS_LARGE;
}

static int endpoint_cmp(const struct clb_endpoint *a,
			const struct clb_endpoint *b)
{
	if (a->family != b->family)
		return (int)a->family - b->family;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr)) ?:
	       (int)ntohs(a->port) - ntohs(b->port);
}

static int turn_cmp(const void *a, const void *b, const void *priv)
{
	const struct clb_listener_conf *conf = priv;
	const struct turn *x = a, *y = b;

	return endpoint_cmp(&conf->servers[x->index].key,
			    &conf->servers[y->index].key);
}

/* Start and step of a server's walk over the slots (figure 5 of the paper). */
static void turn_init(const struct clb_listener_conf *conf, struct turn *turn,
		      u32 size)
{
	const struct clb_server_conf *server = &conf->servers[turn->index];
	u64 where[3] = { 0 };
	u64 hash;

	memcpy(where, &server->key.addr, sizeof(server->key.addr));
	where[2] = ntohs(server->key.port);
	hash = siphash(where, sizeof(where), &server_key);
	turn->next = (u32)hash % size;
	turn->skip = (u32)(hash >> 32) % (size - 1) + 1;
	turn->weight = server->weight;
}

static u32 turn_claim(struct turn *turn, unsigned long *taken, u32 size)
{
	u32 slot;

	do {
		slot = turn->next;
		turn->next = (slot + turn->skip) % size;
	} while (__test_and_set_bit(slot, taken));
	return slot;
}

/* Rounds give a server slots in proportion to its weight, rounded down. */
static void turn_plan(struct turn *turn, u32 heaviest)
{
	/* the product is below CLB_MAGLEV_SLOTS_LARGE * 1000 */
	turn->due = DIV_ROUND_UP((turn->claims + 1) * heaviest, turn->weight);
}

static void block_fill(struct fill *fill, struct turn *block,
		       const struct turn *end)
{
	struct clb_schedule *schedule = fill->schedule;
	struct turn *turn;

	block->soonest = U32_MAX;
	for (turn = block; turn < end; turn++) {
		if (turn->due == fill->round && fill->filled < schedule->size) {
			schedule->order[turn_claim(turn, fill->taken,
						   schedule->size)] =
				turn->index;
			fill->filled++;
			turn->claims++;
			turn_plan(turn, fill->heaviest);
		}
		block->soonest = min(block->soonest, turn->due);
	}
}

/* In each round, servers whose next slot is due claim one. */
static void table_fill(struct clb_schedule *schedule, struct turn *turns,
		       unsigned long *taken)
{
	struct fill fill = {
		.schedule = schedule, .taken = taken, .heaviest = 1,
	};
	u32 i, nr = schedule->nr_usable;

	for (i = 0; i < nr; i++)
		fill.heaviest = max(fill.heaviest, turns[i].weight);
	for (i = 0; i < nr; i++)
		turn_plan(&turns[i], fill.heaviest);
	for (fill.round = 1; fill.filled < schedule->size; fill.round++) {
		for (i = 0; i < nr; i += CLB_MAGLEV_BLOCK)
			if (turns[i].soonest <= fill.round)
				block_fill(&fill, &turns[i], &turns
					   [min(i + CLB_MAGLEV_BLOCK, nr)]);
		cond_resched();
	}
}

/**
 * clb_maglev_build() - fill the table
 * @conf: the listener
 * @schedule: usable servers are filled in
 *
 * Return: 0 or -ENOMEM.
 * Context: process; may sleep.
 */
int clb_maglev_build(const struct clb_listener_conf *conf,
		     struct clb_schedule *schedule)
{
	u32 size = table_size(conf->nr_servers), i;
	unsigned long *taken;
	struct turn *turns;
	int err = -ENOMEM;

	if (!schedule->nr_usable)
		return 0;
	taken = kvcalloc(BITS_TO_LONGS(size), sizeof(long), GFP_KERNEL);
	turns = kvcalloc(schedule->nr_usable, sizeof(*turns), GFP_KERNEL);
	schedule->order = kvmalloc_array(size, sizeof(*schedule->order),
					 GFP_KERNEL_ACCOUNT);
	if (!taken || !turns || !schedule->order)
		goto out;
	schedule->size = size;
	for (i = 0; i < schedule->nr_usable; i++) {
		turns[i].index = schedule->usable[i];
		turn_init(conf, &turns[i], size);
	}
	sort_r(turns, schedule->nr_usable, sizeof(*turns), turn_cmp, NULL,
	       conf);
	table_fill(schedule, turns, taken);
	err = 0;
out:
	kvfree(turns);
	kvfree(taken);
	return err;
}

static u64 client_hash(const struct clb_listener_conf *conf,
		       const struct clb_tuple *tuple)
{
	struct clb_tuple key = { .src = tuple->src };

	if (conf->opt.hash_key == CLB_HASH_KEY_TUPLE) {
		key.dst = tuple->dst;
		key.sport = tuple->sport;
		key.dport = tuple->dport;
	}
	return siphash(&key, sizeof(key), &client_key);
}

/**
 * clb_maglev_pick() - choose a server by the client
 * @conf: the listener
 * @tuple: of the client's packet
 *
 * A client whose server is full goes to a second choice, the same on all
 * nodes as long as they agree on who is full.
 *
 * Return: the server or NULL.
 * Context: RCU read side.
 */
struct clb_server *clb_maglev_pick(const struct clb_listener_conf *conf,
				   const struct clb_tuple *tuple)
{
	const struct clb_schedule *schedule = conf->schedule;
	struct clb_server *server;
	u64 hash;
	u32 i;

	if (unlikely(!schedule->size))
		return NULL;
	hash = client_hash(conf, tuple);
	for (i = 0; i < CLB_MAGLEV_TRIES; i++) {
		u32 slot = (u32)hash % schedule->size;

		server = conf->servers[schedule->order[slot]].server;
		if (likely(clb_server_has_room(server)))
			return server;
		hash = siphash_1u64(hash, &client_key);
	}
	for (i = 0; i < schedule->nr_usable; i++) {
		server = conf->servers[schedule->usable[i]].server;
		if (clb_server_has_room(server))
			return server;
	}
	return NULL;
}
