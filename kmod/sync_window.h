/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _CLB_SYNC_WINDOW_H
#define _CLB_SYNC_WINDOW_H

#include <linux/types.h>

#define CLB_SYNC_WINDOW 1024

/**
 * enum clb_sync_seen - what a window says of a sequence number
 * @CLB_SYNC_SEEN_NEXT: the one after the last
 * @CLB_SYNC_SEEN_AHEAD: beyond it: there is a gap
 * @CLB_SYNC_SEEN_LATE: not the last, and never seen
 * @CLB_SYNC_SEEN_REPLAY: seen before, or too old to tell
 */
enum clb_sync_seen {
	CLB_SYNC_SEEN_NEXT,
	CLB_SYNC_SEEN_AHEAD,
	CLB_SYNC_SEEN_LATE,
	CLB_SYNC_SEEN_REPLAY,
};

/**
 * struct clb_sync_window - sequence numbers of a stream that were seen
 * @last: the highest
 * @seen: bit seq % CLB_SYNC_WINDOW, for those up to @last
 */
struct clb_sync_window {
	u64	last;
	u64	seen[CLB_SYNC_WINDOW / 64];
};

static inline u64 clb_sync_window_bit(u64 seq)
{
	return 1ULL << seq % 64;
}

static inline u64 *clb_sync_window_word(struct clb_sync_window *window,
					u64 seq)
{
	return &window->seen[seq % CLB_SYNC_WINDOW / 64];
}

/**
 * clb_sync_window_begin() - what came before does not count
 * @window: the window
 * @last: everything up to this number was seen
 *
 * Context: any.
 */
static inline void clb_sync_window_begin(struct clb_sync_window *window,
					 u64 last)
{
	unsigned int i;

	window->last = last;
	for (i = 0; i < CLB_SYNC_WINDOW / 64; i++)
		window->seen[i] = ~0ULL;
}

/* Numbers that a jump passes by were not seen. */
static inline void clb_sync_window_advance(struct clb_sync_window *window,
					   u64 seq)
{
	u64 from = window->last + 1;

	if (seq - window->last > CLB_SYNC_WINDOW)
		from = seq - CLB_SYNC_WINDOW + 1;
	for (; from < seq; from++)
		*clb_sync_window_word(window, from) &=
			~clb_sync_window_bit(from);
	window->last = seq;
}

/**
 * clb_sync_window_see() - a datagram with this number came, and is authentic
 * @window: the window, changed
 * @seq: the number
 *
 * Return: what it is.
 * Context: any; one caller at a time.
 */
static inline enum clb_sync_seen
clb_sync_window_see(struct clb_sync_window *window, u64 seq)
{
	enum clb_sync_seen seen = CLB_SYNC_SEEN_LATE;
	u64 *word = clb_sync_window_word(window, seq);
	u64 bit = clb_sync_window_bit(seq);

	if (seq > window->last) {
		seen = seq == window->last + 1 ? CLB_SYNC_SEEN_NEXT :
						 CLB_SYNC_SEEN_AHEAD;
		clb_sync_window_advance(window, seq);
	} else if (window->last - seq >= CLB_SYNC_WINDOW || *word & bit) {
		return CLB_SYNC_SEEN_REPLAY;
	}
	*word |= bit;
	return seen;
}

#endif /* _CLB_SYNC_WINDOW_H */
