// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/sync_window.h: which numbers were seen, against a list of them.
 *
 * Input: the number before the first, eight bytes; then numbers, each as a byte
 * that says how, and what that needs.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sync_window.h"

#define NUMBERS 256

/**
 * struct model - the same without a window
 * @begin: all up to it were seen
 * @last: the highest
 * @seen: the others, in the order of their coming
 * @count: of them
 */
struct model {
	u64 begin;
	u64 last;
	u64 seen[NUMBERS];
	unsigned int count;
};

static bool was_seen(const struct model *model, u64 seq)
{
	unsigned int i;

	for (i = 0; i < model->count; i++)
		if (model->seen[i] == seq)
			return true;
	return seq <= model->begin;
}

static enum clb_sync_seen model_see(struct model *model, u64 seq)
{
	enum clb_sync_seen seen = CLB_SYNC_SEEN_LATE;

	if (seq > model->last) {
		seen = seq - model->last == 1 ? CLB_SYNC_SEEN_NEXT
					      : CLB_SYNC_SEEN_AHEAD;
		model->last = seq;
	} else if (model->last - seq >= 1024 || was_seen(model, seq)) {
		return CLB_SYNC_SEEN_REPLAY;
	}
	model->seen[model->count++] = seq;
	return seen;
}

/* What is left of the input; behind its end are zeros. */
struct input {
	const uint8_t *data;
	size_t size;
};

static u64 take(struct input *input, unsigned int bytes)
{
	u64 value = 0;

	for (; bytes; bytes--) {
		value <<= 8;
		if (!input->size)
			continue;
		value |= *input->data++;
		input->size--;
	}
	return value;
}

static u64 next_number(struct input *input, u64 last)
{
	uint8_t how = take(input, 1);

	switch (how % 5) {
	case 0:
		return last + 1 + how / 5;
	case 1:
		return last - how / 5;
	case 2:
		return last + take(input, 2);
	case 3:
		return last - take(input, 2);
	default:
		return take(input, 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct clb_sync_window window;
	static struct model model;
	u64 seq;

	model.begin = model.last = take(&input, 8);
	model.count = 0;
	clb_sync_window_begin(&window, model.begin);
	while (input.size && model.count < NUMBERS) {
		seq = next_number(&input, model.last);
		if (clb_sync_window_see(&window, seq) !=
			    model_see(&model, seq) ||
		    window.last != model.last)
			abort();
	}
	return 0;
}
