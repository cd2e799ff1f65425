// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/sync_early.c: datagrams that wait, against a list of them.
 *
 * Input: what is done, each a byte that says what, and what that needs.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sync_early.h"

#define SIZE 16
#define NODES 3

/**
 * struct waiting - a datagram that waits
 * @node: its node
 * @seq: its number
 * @len: its length
 * @until: when its time is over
 */
struct waiting {
	u16 node;
	u64 seq;
	unsigned int len;
	unsigned long until;
};

static struct waiting list[CLB_SYNC_EARLY];
static unsigned int count;
static struct clb_sync_early early;

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t take(struct input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->data++;
}

static void require(bool right)
{
	if (!right)
		abort();
}

static struct waiting *list_find(u16 node, u64 seq)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (list[i].node == node && list[i].seq == seq)
			return &list[i];
	return NULL;
}

static struct waiting *list_first(u16 node)
{
	struct waiting *first = NULL;
	unsigned int i;

	for (i = 0; i < count; i++)
		if (list[i].node == node &&
		    (!first || list[i].seq < first->seq))
			first = &list[i];
	return first;
}

static void list_remove(struct waiting *waiting)
{
	*waiting = list[--count];
}

/* Its content says whose it is. */
static void put(struct input *input, unsigned long now)
{
	struct clb_sync_early_datagram datagram = {
		.header.seq = take(input),
		.header.node = take(input) % NODES + 1,
	};
	enum clb_sync_early_put expected = CLB_SYNC_EARLY_KEPT;
	u8 content[SIZE + 1];

	datagram.len = take(input) % (SIZE + 2);
	datagram.until = now + take(input) % 8;
	memset(content, (int)(datagram.header.seq ^ datagram.header.node),
	       sizeof(content));
	if (list_find(datagram.header.node, datagram.header.seq))
		expected = CLB_SYNC_EARLY_TWICE;
	else if (count == CLB_SYNC_EARLY || datagram.len > SIZE)
		expected = CLB_SYNC_EARLY_FULL;
	require(clb_sync_early_put(&early, &datagram, content) == expected);
	if (expected == CLB_SYNC_EARLY_KEPT)
		list[count++] = (struct waiting){
			datagram.header.node,
			datagram.header.seq,
			datagram.len,
			datagram.until,
		};
}

/* It is as it was when it came. */
static void take_out(struct clb_sync_early_datagram *datagram,
		     struct waiting *waiting)
{
	const u8 *content = clb_sync_early_content(&early, datagram);
	unsigned int i;

	require(datagram->len == waiting->len);
	for (i = 0; i < waiting->len; i++)
		require(content[i] == (u8)(waiting->seq ^ waiting->node));
	clb_sync_early_free(&early, datagram);
	list_remove(waiting);
}

static void take_first(u16 node)
{
	struct clb_sync_early_datagram *first = clb_sync_early_first(&early,
								     node);
	struct waiting *waiting = list_first(node);

	require(!first == !waiting);
	if (!first)
		return;
	require(first->header.node == node &&
		first->header.seq == waiting->seq);
	take_out(first, waiting);
}

static void take_due(unsigned long now)
{
	struct clb_sync_early_datagram *due;
	struct waiting *waiting;
	unsigned int i;

	while ((due = clb_sync_early_due(&early, now))) {
		waiting = list_find(due->header.node, due->header.seq);
		require(waiting && (long)(now - waiting->until) >= 0);
		take_out(due, waiting);
	}
	for (i = 0; i < count; i++)
		require((long)(now - list[i].until) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static u8 bytes[CLB_SYNC_EARLY * SIZE];
	struct input input = { data, size };
	/* soon it begins again at 0 */
	unsigned long now = -4UL;

	memset(&early, 0, sizeof(early));
	early.bytes = bytes;
	early.size = SIZE;
	count = 0;
	while (input.size) {
		switch (take(&input) % 3) {
		case 0:
			put(&input, now);
			break;
		case 1:
			now += take(&input) % 4;
			take_due(now);
			break;
		case 2:
			take_first(take(&input) % NODES + 1);
			break;
		}
		require(early.count == count);
	}
	return 0;
}
