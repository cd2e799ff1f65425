// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "batch.h"
#include "client_private.h"

int clb_batch_init(struct clb_batch *batch, struct clb_client *client)
{
	memset(batch, 0, sizeof(*batch));
	batch->client = client;
	batch->bytes = malloc(CLB_CLIENT_BUFFER);
	return batch->bytes ? 0 : -ENOMEM;
}

void clb_batch_destroy(struct clb_batch *batch)
{
	free(batch->bytes);
	batch->bytes = NULL;
}

static struct nlmsghdr *command(const struct clb_batch *batch, unsigned int i)
{
	return (struct nlmsghdr *)(batch->bytes + batch->offsets[i]);
}

/* Result of a flush so far. */
struct outcome {
	unsigned int failed; /* index of the first command that failed */
	int err;
	bool done;
};

static void take_answer(const struct clb_batch *batch,
			const struct nlmsghdr *nlh, struct outcome *outcome,
			struct clb_error *error)
{
	unsigned int i = nlh->nlmsg_seq - batch->first;
	struct clb_error one = { 0 };
	int err;

	if (i >= batch->count || nlh->nlmsg_type != NLMSG_ERROR)
		return;
	err = clb_extack_parse(nlh, nlh->nlmsg_len, command(batch, i),
			       command(batch, i)->nlmsg_len, &one);
	/* Commands are run in order: the first error is the one that counts. */
	if (err && !outcome->err) {
		if (!one.code)
			clb_error_set(&one, err, "malformed answer");
		outcome->err = err;
		outcome->failed = i;
		*error = one;
	}
	outcome->done = i == batch->count - 1;
}

static int read_answers(struct clb_batch *batch, struct outcome *outcome,
			struct clb_error *error)
{
	while (!outcome->done) {
		const struct nlmsghdr *nlh = (void *)batch->client->in;
		ssize_t received = clb_client_receive(batch->client, 0);
		int length = received;

		if (received < 0)
			return clb_error_set(error, received, "answer lost");
		while (!outcome->done && mnl_nlmsg_ok(nlh, length)) {
			take_answer(batch, nlh, outcome, error);
			nlh = mnl_nlmsg_next(nlh, &length);
		}
	}
	return outcome->err;
}

int clb_batch_flush(struct clb_batch *batch, unsigned long *failed,
		    struct clb_error *error)
{
	struct outcome outcome = { 0 };
	int err;

	if (!batch->count)
		return 0;
	command(batch, batch->count - 1)->nlmsg_flags |= NLM_F_ACK;
	err = clb_client_send(batch->client, batch->bytes, batch->used, error);
	if (!err)
		err = read_answers(batch, &outcome, error);
	if (err)
		*failed = batch->tags[outcome.failed];
	batch->count = 0;
	batch->used = 0;
	return err;
}

static bool put(struct clb_batch *batch, const struct clb_message *message,
		unsigned long tag)
{
	struct clb_client *client = batch->client;
	struct nlmsghdr *nlh;

	if (batch->count == CLB_BATCH_MAX)
		return false;
	nlh = clb_message_build(batch->bytes + batch->used,
				CLB_CLIENT_BUFFER - batch->used, message,
				client->family.id, 0, client->sequence + 1);
	if (!nlh)
		return false;
	client->sequence++;
	if (!batch->count)
		batch->first = client->sequence;
	batch->offsets[batch->count] = batch->used;
	batch->tags[batch->count++] = tag;
	batch->used += NLMSG_ALIGN(nlh->nlmsg_len);
	return true;
}

int clb_batch_add(struct clb_batch *batch, const struct clb_message *message,
		  unsigned long tag, unsigned long *failed,
		  struct clb_error *error)
{
	int err;

	if (put(batch, message, tag))
		return 0;
	err = clb_batch_flush(batch, failed, error);
	if (err)
		return err;
	if (put(batch, message, tag))
		return 0;
	*failed = tag;
	return clb_error_set(error, -EMSGSIZE, "too much for one message");
}
