/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_PERSISTENCE_H
#define _CLB_PERSISTENCE_H

#include "session.h"

struct clb_server *clb_persistence_pick(struct clb_net *cn,
					const struct clb_listener_conf *conf,
					const struct clb_tuple *tuple);
void clb_persistence_refresh(struct clb_net *cn,
			     const struct clb_session *session);

#endif /* _CLB_PERSISTENCE_H */
