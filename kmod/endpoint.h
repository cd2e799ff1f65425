/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_ENDPOINT_H
#define _CLB_ENDPOINT_H

#include "tuple.h"

/**
 * struct clb_endpoint - address and port of a listener or server
 * @addr: unused bytes zero
 * @port: network order
 * @family: NFPROTO_IPV4 or NFPROTO_IPV6
 * @protocol: IPPROTO_TCP or IPPROTO_UDP
 */
struct clb_endpoint {
	union nf_inet_addr	addr;
	__be16			port;
	u8			family;
	u8			protocol;
};

static inline bool clb_endpoint_equal(const struct clb_endpoint *a,
				      const struct clb_endpoint *b)
{
	return a->port == b->port && a->family == b->family &&
	       a->protocol == b->protocol && clb_addr_equal(&a->addr, &b->addr);
}

#endif /* _CLB_ENDPOINT_H */
