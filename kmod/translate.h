/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TRANSLATE_H
#define _CLB_TRANSLATE_H

#include <linux/skbuff.h>
#include <net/checksum.h>

#include "tuple.h"

int clb_translate(struct sk_buff *skb, unsigned int thoff,
		  const struct clb_tuple *other);
int clb_translate_icmp(struct sk_buff *skb, unsigned int thoff,
		       const struct clb_tuple *other);

/* skb_ensure_writable(), without a call where there is nothing to do. */
static inline int clb_ensure_writable(struct sk_buff *skb, unsigned int len)
{
	if (likely(!skb_cloned(skb) && len <= skb_headlen(skb)))
		return 0;
	return skb_ensure_writable(skb, len);
}

static __always_inline void clb_check_mend(__sum16 *check, __wsum diff)
{
	*check = csum_fold(csum_add(diff, ~csum_unfold(*check)));
}

/*
 * What a change does to the checksum of a transport: @pseudo to the pseudo
 * header, @rest to what else is summed up. The field holds the checksum, or, if
 * that is left to the device, the sum over the pseudo header, which has no
 * ports in it. A sum that the device made over the whole packet, IPv6 header
 * included, does not change, for the field makes up for the rest; that of an
 * IPv4 header is always zero, so there the pseudo header is missing.
 */
static __always_inline void clb_check_update(struct sk_buff *skb,
					     __sum16 *check, __wsum pseudo,
					     __wsum rest)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		*check = ~csum_fold(csum_add(pseudo, csum_unfold(*check)));
		return;
	}
	if (skb->ip_summed == CHECKSUM_COMPLETE &&
	    skb->protocol == htons(ETH_P_IP))
		skb->csum = csum_sub(skb->csum, pseudo);
	clb_check_mend(check, csum_add(pseudo, rest));
}

#endif /* _CLB_TRANSLATE_H */
