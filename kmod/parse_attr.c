// SPDX-License-Identifier: GPL-2.0
#include <linux/ipv6.h>

#include "parse_attr.h"

/**
 * clb_parse_nest() - the attributes in the nest of an object
 * @attrs: attributes of a request
 * @type: the nest
 * @max: highest type in it
 * @policy: for types up to @max
 * @tb: result
 * @extack: says what is wrong
 *
 * Return: 0 or a negative errno: it is missing, or does not fit.
 * Context: any.
 */
int clb_parse_nest(struct nlattr * const *attrs, int type, int max,
		   const struct nla_policy *policy, struct nlattr **tb,
		   struct netlink_ext_ack *extack)
{
	if (!attrs[type]) {
		NL_SET_ERR_ATTR_MISS(extack, NULL, type);
		NL_SET_ERR_MSG(extack, "attribute is missing");
		return -EINVAL;
	}
	return nla_parse_nested(tb, max, attrs[type], policy, extack);
}

/**
 * clb_parse_require() - an object is nothing without an attribute
 * @extack: says that it is missing
 * @nest: of the object
 * @tb: its attributes
 * @type: the one that must be there
 *
 * Return: 0 or -EINVAL.
 * Context: any.
 */
int clb_parse_require(struct netlink_ext_ack *extack, struct nlattr *nest,
		      struct nlattr **tb, int type)
{
	if (tb[type])
		return 0;
	NL_SET_ERR_ATTR_MISS(extack, nest, type);
	NL_SET_ERR_MSG(extack, "attribute is missing");
	return -EINVAL;
}

/**
 * clb_parse_address() - an address, whose length tells the family
 * @attr: attribute
 * @family: result
 * @addr: result
 * @extack: says what is wrong
 *
 * Return: 0, -EINVAL, or -EAFNOSUPPORT for IPv6 where the host has it off: the
 *	kernel has set nothing of it up then, and none of it may be configured.
 * Context: any.
 */
int clb_parse_address(const struct nlattr *attr, u8 *family,
		      union nf_inet_addr *addr,
		      struct netlink_ext_ack *extack)
{
	memset(addr, 0, sizeof(*addr));
	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		*family = NFPROTO_IPV4;
		break;
	case sizeof(struct in6_addr):
		*family = NFPROTO_IPV6;
		break;
	default:
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "address must have 4 or 16 bytes");
		return -EINVAL;
	}
	if (*family == NFPROTO_IPV6 && !ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "IPv6 is off on this host");
		return -EAFNOSUPPORT;
	}
	nla_memcpy(addr, attr, sizeof(*addr));
	return 0;
}
