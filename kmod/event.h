/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_EVENT_H
#define _CLB_EVENT_H

#include "ruleset.h"

struct clb_net;
struct clb_sync;

void clb_event_listener(struct clb_net *cn, u8 cmd,
			const struct clb_listener_conf *conf);
void clb_event_server(struct clb_net *cn, u8 cmd,
		      const struct clb_listener_conf *conf,
		      const struct clb_server_conf *server);
void clb_event_acl(struct clb_net *cn, u8 cmd,
		   const struct clb_listener_conf *conf,
		   const struct clb_prefix *prefix);
void clb_event_local_address(struct clb_net *cn, u8 cmd,
			     const struct clb_local_conf *conf, bool active);
void clb_event_settings(struct clb_net *cn, u8 cmd);
void clb_event_sync(struct clb_net *cn, u8 cmd);
void clb_event_sync_peer(struct clb_net *cn, struct clb_sync *sync,
			 unsigned int index);
void clb_event_flush(struct clb_net *cn);
void clb_event_takeover(struct clb_net *cn, u8 cmd,
			const struct clb_local_conf *conf, bool active);
void clb_event_generation(struct clb_net *cn, u32 generation);
void clb_events_send(struct clb_net *cn, u32 generation);
void clb_events_drop(struct clb_net *cn);
void clb_event_pool_exhausted(const struct clb_server *server);
void clb_event_listener_end(struct clb_listener *listener);

#endif /* _CLB_EVENT_H */
