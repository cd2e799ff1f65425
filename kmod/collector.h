/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_COLLECTOR_H
#define _CLB_COLLECTOR_H

#include "net.h"
#include "session.h"

void clb_collector_init(struct clb_net *cn);
void clb_collector_start(struct clb_net *cn);
void clb_collector_sweep(struct clb_net *cn);
void clb_collector_stop(struct clb_net *cn);
void clb_table_kick(struct clb_net *cn);
u32 clb_sessions_end(struct clb_net *cn,
		     const struct clb_session_filter *filter);

#endif /* _CLB_COLLECTOR_H */
