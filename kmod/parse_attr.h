/* SPDX-License-Identifier: GPL-2.0 */
/* What the files that parse netlink attributes share. */
#ifndef _CLB_PARSE_ATTR_H
#define _CLB_PARSE_ATTR_H

#include <linux/in.h>
#include <linux/netfilter.h>
#include <net/netlink.h>

#define ADDRESS_POLICY NLA_POLICY_RANGE(NLA_BINARY, sizeof(struct in_addr), \
					sizeof(struct in6_addr))

int clb_parse_nest(struct nlattr * const *attrs, int type, int max,
		   const struct nla_policy *policy, struct nlattr **tb,
		   struct netlink_ext_ack *extack);
int clb_parse_require(struct netlink_ext_ack *extack, struct nlattr *nest,
		      struct nlattr **tb, int type);
int clb_parse_address(const struct nlattr *attr, u8 *family,
		      union nf_inet_addr *addr,
		      struct netlink_ext_ack *extack);

/* Of what is not said, @to stays as it is. */
static inline void take_u8(const struct nlattr *attr, u8 *to)
{
	if (attr)
		*to = nla_get_u8(attr);
}

static inline void take_u32(const struct nlattr *attr, u32 *to)
{
	if (attr)
		*to = nla_get_u32(attr);
}

#endif /* _CLB_PARSE_ATTR_H */
