/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_SCHEDULER_H
#define _CLB_SCHEDULER_H

#include "ruleset.h"

/**
 * struct clb_schedule - what a scheduler works out when it is configured
 * @pick: chooses a server for a new session
 * @nr_usable: servers that are up and have a weight
 * @size: length of @order
 * @usable: indices of usable servers
 * @order: indices of servers: the round of rr and wrr, the table of mh; NULL
 *	for schedulers that look at all servers
 */
struct clb_schedule {
	struct clb_server *(*pick)(const struct clb_listener_conf *conf,
				   const struct clb_tuple *tuple);
	u32	nr_usable;
	u32	size;
	u16	*usable;
	u16	*order;
};

struct clb_schedule *clb_schedule_build(const struct clb_listener_conf *conf);
void clb_schedule_free(struct clb_schedule *schedule);
int clb_maglev_build(const struct clb_listener_conf *conf,
		     struct clb_schedule *schedule);
struct clb_server *clb_maglev_pick(const struct clb_listener_conf *conf,
				   const struct clb_tuple *tuple);

/**
 * clb_schedule_pick() - choose a server for a new session
 * @conf: the listener
 * @tuple: of the client's packet
 *
 * Return: a server that is up and has room, or NULL.
 * Context: RCU read side.
 */
static inline struct clb_server *
clb_schedule_pick(const struct clb_listener_conf *conf,
		  const struct clb_tuple *tuple)
{
	return conf->schedule->pick(conf, tuple);
}

/* May the server take one more session? */
static inline bool clb_server_has_room(const struct clb_server *server)
{
	u32 max = READ_ONCE(server->max_sessions);

	return likely(READ_ONCE(server->state) == CLB_SERVER_STATE_UP) &&
	       (likely(!max) || clb_server_sessions(server) < max);
}

#endif /* _CLB_SCHEDULER_H */
