// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams that came early wait here for those with lower numbers, so that
 * what was sent in one order is done in it. Builds in user space, too.
 */
#include <linux/string.h>

#include "sync_early.h"

static u8 *bytes_of(const struct clb_sync_early *early,
		    const struct clb_sync_early_datagram *datagram)
{
	return early->bytes + (datagram - early->datagrams) * early->size;
}

/**
 * clb_sync_early_put() - keep a datagram
 * @early: those that are kept
 * @datagram: one of a life of its node of which all others here are
 * @content: its content
 *
 * Return: what became of it.
 * Context: any; one caller at a time.
 */
enum clb_sync_early_put
clb_sync_early_put(struct clb_sync_early *early,
		   const struct clb_sync_early_datagram *datagram,
		   const u8 *content)
{
	struct clb_sync_early_datagram *free = NULL, *other;
	unsigned int i;

	for (i = 0; i < CLB_SYNC_EARLY; i++) {
		other = &early->datagrams[i];
		if (!other->header.node)
			free = other;
		else if (other->header.node == datagram->header.node &&
			 other->header.seq == datagram->header.seq)
			return CLB_SYNC_EARLY_TWICE;
	}
	if (!free || datagram->len > early->size)
		return CLB_SYNC_EARLY_FULL;
	*free = *datagram;
	memcpy(bytes_of(early, free), content, datagram->len);
	WRITE_ONCE(early->count, early->count + 1);
	return CLB_SYNC_EARLY_KEPT;
}

/**
 * clb_sync_early_first() - the one with the lowest number
 * @early: those that are kept
 * @node: of this node
 *
 * Return: the datagram or NULL.
 * Context: any; one caller at a time.
 */
struct clb_sync_early_datagram *
clb_sync_early_first(struct clb_sync_early *early, u16 node)
{
	struct clb_sync_early_datagram *first = NULL, *datagram;
	unsigned int i;

	for (i = 0; i < CLB_SYNC_EARLY && early->count; i++) {
		datagram = &early->datagrams[i];
		if (datagram->header.node == node &&
		    (!first || datagram->header.seq < first->header.seq))
			first = datagram;
	}
	return first;
}

/**
 * clb_sync_early_due() - one that has waited long enough
 * @early: those that are kept
 * @now: jiffies
 *
 * Return: the datagram or NULL.
 * Context: any; one caller at a time.
 */
struct clb_sync_early_datagram *
clb_sync_early_due(struct clb_sync_early *early, unsigned long now)
{
	unsigned int i;

	for (i = 0; i < CLB_SYNC_EARLY && early->count; i++) {
		struct clb_sync_early_datagram *datagram =
			&early->datagrams[i];

		if (datagram->header.node &&
		    (long)(now - datagram->until) >= 0)
			return datagram;
	}
	return NULL;
}

/**
 * clb_sync_early_content() - what is in a datagram
 * @early: those that are kept
 * @datagram: one of them
 *
 * Return: @datagram->len bytes.
 * Context: any; one caller at a time.
 */
const u8 *
clb_sync_early_content(const struct clb_sync_early *early,
		       const struct clb_sync_early_datagram *datagram)
{
	return bytes_of(early, datagram);
}

/**
 * clb_sync_early_free() - keep a datagram no longer
 * @early: those that are kept
 * @datagram: one of them
 *
 * Context: any; one caller at a time.
 */
void clb_sync_early_free(struct clb_sync_early *early,
			 struct clb_sync_early_datagram *datagram)
{
	datagram->header.node = 0;
	WRITE_ONCE(early->count, early->count - 1);
}
