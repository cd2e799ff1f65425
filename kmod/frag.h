/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_FRAG_H
#define _CLB_FRAG_H

#include "xmit.h"

unsigned int clb_frag_gather(struct clb_ctx *ctx);

#endif /* _CLB_FRAG_H */
