/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_HOOK_H
#define _CLB_HOOK_H

#include "net.h"

int clb_hooks_register(struct clb_net *cn);
void clb_hooks_unregister(struct clb_net *cn);

#endif /* _CLB_HOOK_H */
