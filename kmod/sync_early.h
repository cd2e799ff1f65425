/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_SYNC_EARLY_H
#define _CLB_SYNC_EARLY_H

#include "sync_wire.h"

#define CLB_SYNC_EARLY 128

/**
 * struct clb_sync_early_datagram - one that came before those it follows
 * @header: of it; node 0: the place is free
 * @from: whence it came
 * @len: of its content, which was authentic
 * @until: jiffies, then those before it count as missed
 */
struct clb_sync_early_datagram {
	struct clb_sync_header	header;
	union nf_inet_addr	from;
	unsigned int		len;
	unsigned long		until;
};

/**
 * struct clb_sync_early - datagrams that came early
 * @datagrams: they
 * @bytes: their contents, @size each
 * @size: most that one may hold
 * @count: how many there are; others may look
 */
struct clb_sync_early {
	struct clb_sync_early_datagram datagrams[CLB_SYNC_EARLY];
	u8		*bytes;
	unsigned int	size;
	unsigned int	count;
};

/**
 * enum clb_sync_early_put - what became of a datagram that came early
 * @CLB_SYNC_EARLY_KEPT: it is kept
 * @CLB_SYNC_EARLY_TWICE: the same is kept already
 * @CLB_SYNC_EARLY_FULL: there is no room for it
 */
enum clb_sync_early_put {
	CLB_SYNC_EARLY_KEPT,
	CLB_SYNC_EARLY_TWICE,
	CLB_SYNC_EARLY_FULL,
};

enum clb_sync_early_put
clb_sync_early_put(struct clb_sync_early *early,
		   const struct clb_sync_early_datagram *datagram,
		   const u8 *content);
struct clb_sync_early_datagram *
clb_sync_early_first(struct clb_sync_early *early, u16 node);
struct clb_sync_early_datagram *
clb_sync_early_due(struct clb_sync_early *early, unsigned long now);
const u8 *
clb_sync_early_content(const struct clb_sync_early *early,
		       const struct clb_sync_early_datagram *datagram);
void clb_sync_early_free(struct clb_sync_early *early,
			 struct clb_sync_early_datagram *datagram);

#endif /* _CLB_SYNC_EARLY_H */
