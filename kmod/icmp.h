/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_ICMP_H
#define _CLB_ICMP_H

#include "xmit.h"

unsigned int clb_icmp_error(struct clb_ctx *ctx);
unsigned int clb_icmp_echo(struct clb_ctx *ctx);

#endif /* _CLB_ICMP_H */
