/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TAKEOVER_H
#define _CLB_TAKEOVER_H

#include "net.h"

struct netlink_ext_ack;

void clb_takeover_init(struct clb_net *cn);
void clb_takeover_exit(struct clb_net *cn);
bool clb_takeover_active(const struct clb_net *cn, u16 node);
void clb_takeover_arrange(const struct clb_net *cn,
			  struct clb_ruleset *draft);
int clb_takeover_mark(struct clb_net *cn, const struct clb_ruleset *ruleset);
int clb_takeover_own(struct clb_net *cn, u16 node);
int clb_takeover(struct clb_net *cn, u16 node,
		 struct netlink_ext_ack *extack);
int clb_giveback(struct clb_net *cn, u16 node,
		 struct netlink_ext_ack *extack);
void clb_takeover_returned(struct clb_net *cn, u16 node);

#endif /* _CLB_TAKEOVER_H */
