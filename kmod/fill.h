/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_FILL_H
#define _CLB_FILL_H

#include <linux/skbuff.h>

#include "pool.h"
#include "ruleset.h"
#include "session.h"

/*
 * Objects as netlink attributes. All return 0 or -EMSGSIZE, and leave what
 * does not fit out whole.
 */
int clb_fill_listener(struct sk_buff *skb,
		      const struct clb_listener_conf *conf);
int clb_fill_listener_end(struct sk_buff *skb, struct clb_listener *listener);
int clb_fill_listener_key(struct sk_buff *skb, const struct clb_endpoint *key);
int clb_fill_server(struct sk_buff *skb, const struct clb_server_conf *conf);
int clb_fill_server_key(struct sk_buff *skb, const struct clb_endpoint *key);
int clb_fill_acl(struct sk_buff *skb, const struct clb_prefix *prefix,
		 u8 family);
int clb_fill_local_address(struct sk_buff *skb,
			   const struct clb_local_conf *conf, bool active);
int clb_fill_settings(struct sk_buff *skb, const struct clb_net *cn);
int clb_fill_stats(struct sk_buff *skb, const struct clb_net *cn);
int clb_fill_session(struct sk_buff *skb, const struct clb_session *session);

#endif /* _CLB_FILL_H */
