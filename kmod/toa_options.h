/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_TOA_OPTIONS_H
#define _CLB_TOA_OPTIONS_H

#include <linux/string.h>
#include <linux/types.h>
#include <net/tcp.h>

/* Pure; builds in user space, too, where it is fuzzed. */
#define CLB_TOA_KIND	254

/* One that cannot be right ends the list (RFC 9293, 3.1): all of the rest. */
static inline unsigned int clb_toa_option_len(const u8 *opt, unsigned int left)
{
	if (*opt == TCPOPT_NOP)
		return 1;
	return left < 2 || opt[1] < 2 || opt[1] > left ? left : opt[1];
}

/**
 * clb_toa_options_erase() - no option of a list tells a client
 * @opt: options of a TCP header
 * @left: their length
 *
 * Return: true if there was one.
 * Context: any.
 */
static inline bool clb_toa_options_erase(u8 *opt, unsigned int left)
{
	bool found = false;
	unsigned int len;

	for (; left && *opt != TCPOPT_EOL; opt += len, left -= len) {
		len = clb_toa_option_len(opt, left);
		if (likely(*opt != CLB_TOA_KIND))
			continue;
		memset(opt, TCPOPT_NOP, len);
		found = true;
	}
	return found;
}

#endif /* _CLB_TOA_OPTIONS_H */
