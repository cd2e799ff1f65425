/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_ADDRESS_H
#define _CLB_ADDRESS_H

#include "endpoint.h"

struct clb_address;
struct clb_net;
struct net;

int clb_address_init(struct clb_net *cn);
void clb_address_exit(struct clb_net *cn);
struct clb_address *clb_address_get(struct clb_net *cn, u8 family,
				    const union nf_inet_addr *addr, bool vip);
struct clb_address *clb_address_origin_get(struct clb_net *cn,
					   const struct clb_endpoint *origin);
void clb_address_mark(struct clb_net *cn, struct clb_address *address,
		      bool marked);
void clb_address_put(struct clb_net *cn, struct clb_address *address,
		     bool marked);
bool clb_address_vip(struct clb_net *cn, u8 family,
		     const union nf_inet_addr *addr);
bool clb_address_known(struct clb_net *cn, u8 family,
		       const union nf_inet_addr *addr);
bool clb_address_replies_only(struct clb_net *cn,
			      const struct clb_endpoint *origin);
bool clb_address_here(struct net *net, u8 family,
		      const union nf_inet_addr *addr);
u16 clb_address_ident(struct clb_address *address, unsigned int packets);

#endif /* _CLB_ADDRESS_H */
