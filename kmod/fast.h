/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_FAST_H
#define _CLB_FAST_H

#include "net.h"

int clb_fast_init(void);
void clb_fast_exit(void);
void clb_fast_start(struct clb_net *cn);
void clb_fast_stop(struct clb_net *cn);

#endif /* _CLB_FAST_H */
