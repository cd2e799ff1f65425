/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TRANSLATE_H
#define _CLB_TRANSLATE_H

#include <linux/skbuff.h>

#include "tuple.h"

int clb_translate(struct sk_buff *skb, unsigned int thoff,
		  const struct clb_tuple *other);
int clb_translate_icmp(struct sk_buff *skb, unsigned int thoff,
		       const struct clb_tuple *other);

#endif /* _CLB_TRANSLATE_H */
