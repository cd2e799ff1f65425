/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TOA_H
#define _CLB_TOA_H

#include "tcp.h"

int clb_toa_erase(struct sk_buff *skb, unsigned int thoff);
int clb_toa_put(struct sk_buff *skb, unsigned int thoff,
		const struct clb_tuple *client, unsigned int mtu);

/**
 * clb_toa_wanted() - is a server to be told its client by a packet
 * @session: the packet's session
 * @dir: the direction in which it travels
 * @pkt: the packet
 *
 * Return: true for a client's SYN in FNAT where the listener says so.
 * Context: RCU read side.
 */
static inline bool clb_toa_wanted(const struct clb_session *session,
				  enum clb_dir dir,
				  const struct clb_packet *pkt)
{
	return clb_tcp_opens(pkt) && dir == CLB_DIR_ORIGINAL &&
	       session->mode == CLB_MODE_FNAT &&
	       READ_ONCE(session->server->listener->client_address);
}

#endif /* _CLB_TOA_H */
