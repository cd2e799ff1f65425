/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TRANSLATE_H
#define _CLB_TRANSLATE_H

#include <linux/skbuff.h>

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

#endif /* _CLB_TRANSLATE_H */
