// SPDX-License-Identifier: GPL-2.0
/*
 * Schedulers. What depends on the configuration alone is worked out when it
 * is published, so that rr, wrr and mh choose in constant time, without a
 * lock, however many servers there are.
 */
#include <linux/gcd.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "scheduler.h"

/* Longest round of wrr; where weights make a longer one they are rounded. */
#define CLB_WRR_MAX_ROUND 131072

/* Turns that full servers and those in their slow start may pass on. */
#define CLB_ROUND_TRIES 16

/* Unit of weights that vary in time. */
#define CLB_WEIGHT_SHIFT 10

static struct clb_server *server_at(const struct clb_listener_conf *conf,
				    u32 index)
{
	return conf->servers[index].server;
}

/*
 * Share of its weight a server gets, 1 to 1024 of 1024: less than whole for
 * the time of the slow start.
 */
static u32 server_share(const struct clb_server *server)
{
	u32 period = READ_ONCE(server->slow_start);
	unsigned long age;

	if (likely(!period))
		return 1U << CLB_WEIGHT_SHIFT;
	age = jiffies - READ_ONCE(server->up_at);
	if (age >= period)
		return 1U << CLB_WEIGHT_SHIFT;
	return max_t(u32, 1, ((u64)age << CLB_WEIGHT_SHIFT) / period);
}

/* A server in its slow start declines at random. */
static bool server_declines(const struct clb_server *server)
{
	u32 share = server_share(server);

	return unlikely(share < 1U << CLB_WEIGHT_SHIFT) &&
	       prandom_u32_max(1U << CLB_WEIGHT_SHIFT) >= share;
}

/* Any server with room; one draw respects the weights. */
static struct clb_server *pick_any(const struct clb_listener_conf *conf)
{
	const struct clb_schedule *schedule = conf->schedule;
	u32 start = prandom_u32_max(schedule->nr_usable);
	struct clb_server *server;
	u32 i;

	i = prandom_u32_max(schedule->size);
	server = server_at(conf, schedule->order[i]);
	if (clb_server_has_room(server))
		return server;
	for (i = 0; i < schedule->nr_usable; i++) {
		u32 turn = (start + i) % schedule->nr_usable;

		server = server_at(conf, schedule->usable[turn]);
		if (clb_server_has_room(server))
			return server;
	}
	return NULL;
}

/*
 * rr and wrr: the next in the round. One that is full or declines gives its
 * turn to the one behind it; after some such any that has room will do, at
 * random. The next would be the same each time, if their number divides those.
 */
static struct clb_server *pick_round(const struct clb_listener_conf *conf,
				     const struct clb_tuple *tuple)
{
	const struct clb_schedule *schedule = conf->schedule;
	struct clb_server *server;
	u32 next, tries;

	if (unlikely(!schedule->size))
		return NULL;
	for (tries = 0; tries < CLB_ROUND_TRIES; tries++) {
		next = atomic_inc_return(&conf->listener->next);
		server = server_at(conf,
				   schedule->order[next % schedule->size]);
		if (likely(clb_server_has_room(server) &&
			   !server_declines(server)))
			return server;
	}
	return pick_any(conf);
}

/*
 * A session that moves bytes weighs more than one that opens or closes
 * (net/netfilter/ipvs/ip_vs_wlc.c: 256 to 1).
 */
static u64 server_load(const struct clb_server *server)
{
	return ((u64)atomic_read(&server->active) << 8) +
	       atomic_read(&server->inactive) + 1;
}

static u32 server_weight(const struct clb_listener_conf *conf, u32 index)
{
	u32 share = server_share(server_at(conf, index));

	if (conf->opt.scheduler == CLB_SCHEDULER_LC)
		return share;
	return share * conf->servers[index].weight;
}

/* lc and wlc: the lowest load for its weight. */
static struct clb_server *pick_least(const struct clb_listener_conf *conf,
				     const struct clb_tuple *tuple)
{
	const struct clb_schedule *schedule = conf->schedule;
	struct clb_server *best = NULL;
	u64 best_load = 0;
	u32 best_weight = 1;
	u32 i;

	for (i = 0; i < schedule->nr_usable; i++) {
		struct clb_server *server = server_at(conf,
						      schedule->usable[i]);
		u32 weight = server_weight(conf, schedule->usable[i]);
		u64 load = server_load(server);

		if (!clb_server_has_room(server))
			continue;
		/* load / weight < best_load / best_weight */
		if (best && load * best_weight >= best_load * weight)
			continue;
		best = server;
		best_load = load;
		best_weight = weight;
	}
	return best;
}

/* fo: the highest weight; of equal ones the first. */
static struct clb_server *pick_failover(const struct clb_listener_conf *conf,
					const struct clb_tuple *tuple)
{
	const struct clb_schedule *schedule = conf->schedule;
	const struct clb_server_conf *best = NULL;
	u32 i;

	for (i = 0; i < schedule->nr_usable; i++) {
		const struct clb_server_conf *server =
			&conf->servers[schedule->usable[i]];

		if (best && server->weight <= best->weight)
			continue;
		if (clb_server_has_room(server->server))
			best = server;
	}
	return best ? best->server : NULL;
}

static int build_rr(const struct clb_listener_conf *conf,
		    struct clb_schedule *schedule)
{
	u32 i;

	schedule->size = schedule->nr_usable;
	schedule->order = kvmalloc_array(schedule->size ?: 1,
					 sizeof(*schedule->order),
					 GFP_KERNEL_ACCOUNT);
	if (!schedule->order)
		return -ENOMEM;
	for (i = 0; i < schedule->size; i++)
		schedule->order[i] = schedule->usable[i];
	return 0;
}

struct wrr_round {
	u32	divisor;	/* greatest common divisor of the weights */
	u32	total;		/* sum of the weights, divided */
	u32	size;		/* length of the round, not above the maximum */
};

static u32 wrr_turns(const struct clb_listener_conf *conf,
		     const struct wrr_round *round, u32 index)
{
	u32 weight = conf->servers[index].weight / round->divisor;

	if (round->total <= CLB_WRR_MAX_ROUND)
		return weight;
	return max_t(u64, 1, (u64)weight * CLB_WRR_MAX_ROUND / round->total);
}

static struct wrr_round wrr_measure(const struct clb_listener_conf *conf,
				    const struct clb_schedule *schedule)
{
	struct wrr_round round = { .divisor = 0 };
	u32 i;

	for (i = 0; i < schedule->nr_usable; i++)
		round.divisor = gcd(round.divisor, conf->servers
				    [schedule->usable[i]].weight);
	round.divisor = round.divisor ?: 1;
	for (i = 0; i < schedule->nr_usable; i++)
		round.total += conf->servers[schedule->usable[i]].weight /
			       round.divisor;
	for (i = 0; i < schedule->nr_usable; i++)
		round.size += wrr_turns(conf, &round, schedule->usable[i]);
	return round;
}

/* Where turn @turn of @turns falls in a round of @size, evenly spread. */
static u32 wrr_slot(u32 turn, u32 turns, u32 size)
{
	return div_u64((2 * (u64)turn + 1) * size, 2 * turns);
}

/*
 * Turns of all servers in the order of their slots: a counting sort. @start
 * has @round->size + 1 zeroed elements.
 */
static void wrr_fill(const struct clb_listener_conf *conf,
		     const struct wrr_round *round,
		     struct clb_schedule *schedule, u32 *start)
{
	u32 i, k, turns;

	for (i = 0; i < schedule->nr_usable; i++) {
		turns = wrr_turns(conf, round, schedule->usable[i]);
		for (k = 0; k < turns; k++)
			start[wrr_slot(k, turns, round->size) + 1]++;
	}
	for (i = 0; i < round->size; i++)
		start[i + 1] += start[i];
	for (i = 0; i < schedule->nr_usable; i++) {
		turns = wrr_turns(conf, round, schedule->usable[i]);
		for (k = 0; k < turns; k++) {
			u32 slot = wrr_slot(k, turns, round->size);

			schedule->order[start[slot]++] = schedule->usable[i];
		}
	}
}

static int build_wrr(const struct clb_listener_conf *conf,
		     struct clb_schedule *schedule)
{
	struct wrr_round round = wrr_measure(conf, schedule);
	u32 *start;

	start = kvcalloc(round.size + 1, sizeof(*start), GFP_KERNEL);
	if (!start)
		return -ENOMEM;
	schedule->order = kvmalloc_array(round.size ?: 1,
					 sizeof(*schedule->order),
					 GFP_KERNEL_ACCOUNT);
	if (schedule->order) {
		schedule->size = round.size;
		wrr_fill(conf, &round, schedule, start);
	}
	kvfree(start);
	return schedule->order ? 0 : -ENOMEM;
}

static int build_none(const struct clb_listener_conf *conf,
		      struct clb_schedule *schedule)
{
	return 0;
}

static const struct {
	int (*build)(const struct clb_listener_conf *conf,
		     struct clb_schedule *schedule);
	struct clb_server *(*pick)(const struct clb_listener_conf *conf,
				   const struct clb_tuple *tuple);
} schedulers[] = {
	[CLB_SCHEDULER_RR] = { build_rr, pick_round },
	[CLB_SCHEDULER_WRR] = { build_wrr, pick_round },
	[CLB_SCHEDULER_LC] = { build_none, pick_least },
	[CLB_SCHEDULER_WLC] = { build_none, pick_least },
	[CLB_SCHEDULER_MH] = { clb_maglev_build, clb_maglev_pick },
	[CLB_SCHEDULER_FO] = { build_none, pick_failover },
};

static void usable_fill(const struct clb_listener_conf *conf,
			struct clb_schedule *schedule)
{
	u32 i;

	for (i = 0; i < conf->nr_servers; i++)
		if (conf->servers[i].state == CLB_SERVER_STATE_UP &&
		    conf->servers[i].weight)
			schedule->usable[schedule->nr_usable++] = i;
}

/**
 * clb_schedule_build() - work out the schedule of a listener
 * @conf: the listener, servers complete
 *
 * Return: the schedule or NULL without memory.
 * Context: process; may sleep.
 */
struct clb_schedule *clb_schedule_build(const struct clb_listener_conf *conf)
{
	struct clb_schedule *schedule;

	BUILD_BUG_ON(CLB_MAX_SERVERS > U16_MAX);
	schedule = kzalloc(sizeof(*schedule), GFP_KERNEL_ACCOUNT);
	if (!schedule)
		return NULL;
	schedule->usable = kvmalloc_array(conf->nr_servers ?: 1,
					  sizeof(*schedule->usable),
					  GFP_KERNEL_ACCOUNT);
	if (!schedule->usable)
		goto err_free;
	usable_fill(conf, schedule);
	schedule->pick = schedulers[conf->opt.scheduler].pick;
	if (!schedulers[conf->opt.scheduler].build(conf, schedule))
		return schedule;
err_free:
	clb_schedule_free(schedule);
	return NULL;
}

/**
 * clb_schedule_free() - free a schedule
 * @schedule: the schedule, may be NULL; no reader left
 *
 * Context: any but hard interrupts.
 */
void clb_schedule_free(struct clb_schedule *schedule)
{
	if (!schedule)
		return;
	kvfree(schedule->usable);
	kvfree(schedule->order);
	kfree(schedule);
}
