/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_RESET_H
#define _CLB_RESET_H

#include "xmit.h"

void clb_reset_packet(struct clb_ctx *ctx, struct clb_listener *listener);
bool clb_session_end(struct clb_net *cn, struct clb_session *session);

#endif /* _CLB_RESET_H */
