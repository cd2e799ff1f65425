/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_FUZZ_SHIM_IP_H
#define _CLB_FUZZ_SHIM_IP_H

#include <linux/ipv6.h>

#define IP_MF 0x2000
#define IP_OFFSET 0x1fff
#define IP6_MF 0x0001
#define IP6_OFFSET 0xfff8

#define NEXTHDR_HOP 0
#define NEXTHDR_ROUTING 43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_AUTH 51
#define NEXTHDR_DEST 60

struct frag_hdr {
	__u8 nexthdr;
	__u8 reserved;
	__be16 frag_off;
	__be32 identification;
};

#define ipv6_authlen(p) (((p)->hdrlen + 2) << 2)
#define ipv6_optlen(p) (((p)->hdrlen + 1) << 3)

#endif /* _CLB_FUZZ_SHIM_IP_H */
