/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_HOOK_H
#define _CLB_HOOK_H

#include "xmit.h"

bool clb_flow_open(struct clb_ctx *ctx, unsigned int *verdict);
bool clb_hook_is_first(const struct net *net, u8 family);
int clb_hooks_register(struct clb_net *cn);
void clb_hooks_unregister(struct clb_net *cn);

#endif /* _CLB_HOOK_H */
