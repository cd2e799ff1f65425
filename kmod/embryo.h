/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_EMBRYO_H
#define _CLB_EMBRYO_H

#include "session.h"

struct clb_embryos __percpu *clb_embryos_alloc(void);
void clb_embryo_join(struct clb_session *session);
void clb_embryo_grow_up(struct clb_session *session);
void clb_embryo_die(struct clb_session *session);
struct clb_session *clb_embryo_oldest(struct clb_listener *listener);

#endif /* _CLB_EMBRYO_H */
