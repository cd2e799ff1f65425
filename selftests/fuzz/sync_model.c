// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "sync_model.h"

#define DATAGRAM_MAX 9000 /* what a node takes */

static const char *const names[VERDICTS] = {
	[VERDICT_DONE] = "done",
	[VERDICT_TRUNCATED] = "drop_truncated",
	[VERDICT_FOREIGN] = "drop_foreign",
	[VERDICT_VERSION] = "drop_version",
	[VERDICT_CLUSTER] = "drop_cluster",
	[VERDICT_SAME_NODE] = "drop_same_node",
	[VERDICT_KEY] = "drop_key",
	[VERDICT_FORGED] = "drop_forged",
	[VERDICT_REPLAYED] = "drop_replayed",
	[VERDICT_LATE] = "drop_late",
	[VERDICT_MALFORMED] = "drop_malformed",
	[VERDICT_STRANGER] = "drop_stranger",
};

static struct model_peer *peer_find(struct model *model, u16 node)
{
	unsigned int i;

	for (i = 0; i < MODEL_PEERS; i++)
		if (model->peers[i].node == node)
			return &model->peers[i];
	return NULL;
}

/* There are fewer senders than places. */
static struct model_peer *peer_meet(struct model *model,
				    struct model_peer *peer,
				    const struct clb_sync_header *header)
{
	peer = peer ? peer : peer_find(model, 0);
	if (!peer)
		abort();
	peer->node = header->node;
	peer->epoch = header->epoch;
	peer->confirmed = false;
	clb_sync_window_begin(&peer->window, header->seq - 1);
	return peer;
}

static enum verdict judge_header(const struct model *model,
				 const struct datagram *datagram,
				 struct clb_sync_header *header)
{
	if (datagram->len > DATAGRAM_MAX)
		return VERDICT_TRUNCATED;
	switch (clb_sync_header_read(datagram->bytes, datagram->len, header)) {
	case CLB_SYNC_TRUNCATED:
		return VERDICT_TRUNCATED;
	case CLB_SYNC_FOREIGN:
		return VERDICT_FOREIGN;
	case CLB_SYNC_OTHER_VERSION:
		return VERDICT_VERSION;
	default:
		break;
	}
	if (header->cluster != model->cluster)
		return VERDICT_CLUSTER;
	if (header->to)
		return VERDICT_FOREIGN;
	return header->node == model->node ? VERDICT_SAME_NODE : VERDICT_DONE;
}

static enum verdict judge_number(struct model *model, struct model_peer *peer,
				 u64 seq)
{
	u64 last = peer->window.last;

	switch (clb_sync_window_see(&peer->window, seq)) {
	case CLB_SYNC_SEEN_LATE:
		return VERDICT_LATE;
	case CLB_SYNC_SEEN_REPLAY:
		return VERDICT_REPLAYED;
	case CLB_SYNC_SEEN_AHEAD:
		model->missed += seq - last - 1;
		break;
	case CLB_SYNC_SEEN_NEXT:
		break;
	}
	return VERDICT_DONE;
}

static enum verdict judge_sender(struct model *model,
				 const struct clb_sync_header *header,
				 bool authentic, struct model_peer **from)
{
	struct model_peer *peer = peer_find(model, header->node);

	if (!header->seq || !header->node)
		return VERDICT_MALFORMED;
	if (peer && header->epoch < peer->epoch)
		return VERDICT_REPLAYED;
	if (header->key_id != model->key_id)
		return VERDICT_KEY;
	if (!authentic)
		return VERDICT_FORGED;
	if (!peer || header->epoch > peer->epoch)
		peer = peer_meet(model, peer, header);
	*from = peer;
	return judge_number(model, peer, header->seq);
}

static bool is_valid(const struct datagram *datagram)
{
	static struct clb_sync_reader reader;
	struct clb_sync_record record;
	enum clb_sync_read outcome;

	clb_sync_reader_init(&reader, datagram->content, datagram->content_len);
	do {
		outcome = clb_sync_next(&reader, &record);
	} while (outcome == CLB_SYNC_DONE);
	return outcome == CLB_SYNC_END;
}

static bool is_strange(const struct model_peer *peer, u8 type)
{
	return !peer->confirmed && type > CLB_SYNC_SERVER &&
	       type != CLB_SYNC_HEARTBEAT && type != CLB_SYNC_PEER;
}

static enum verdict judge_content(struct model *model, struct model_peer *peer,
				  const struct datagram *datagram)
{
	static struct clb_sync_reader reader;
	enum verdict verdict = VERDICT_DONE;
	struct clb_sync_record record;

	if (!is_valid(datagram))
		return VERDICT_MALFORMED;
	clb_sync_reader_init(&reader, datagram->content, datagram->content_len);
	while (clb_sync_next(&reader, &record) == CLB_SYNC_DONE) {
		if (record.type == CLB_SYNC_PEER &&
		    record.peer.node == model->node &&
		    record.peer.epoch == model->epoch)
			peer->confirmed = true;
		if (is_strange(peer, record.type))
			verdict = VERDICT_STRANGER;
		else if (record.type == CLB_SYNC_SESSION)
			model->sessions++;
	}
	return verdict;
}

static enum verdict judge(struct model *model, const struct datagram *datagram)
{
	struct clb_sync_header header;
	struct model_peer *peer;
	enum verdict verdict = judge_header(model, datagram, &header);

	if (verdict == VERDICT_DONE)
		verdict = judge_sender(model, &header, datagram->authentic,
				       &peer);
	return verdict == VERDICT_DONE ? judge_content(model, peer, datagram)
				       : verdict;
}

/* What the node knows of another one, or NULL. */
const struct model_peer *model_peer(const struct model *model, u16 node)
{
	return peer_find((struct model *)model, node);
}

/* The node gets a datagram. */
void model_hear(struct model *model, const struct datagram *datagram)
{
	model->verdicts[judge(model, datagram)]++;
}

/* "expect COUNTER NUMBER" for each counter. */
void model_print(const struct model *model)
{
	u64 all = 0;
	int i;

	for (i = 0; i < VERDICTS; i++) {
		all += model->verdicts[i];
		printf("%s %s %llu\n", i ? "expect" : "#", names[i],
		       (unsigned long long)model->verdicts[i]);
	}
	printf("expect received_datagrams %llu\n", (unsigned long long)all);
	printf("expect missed %llu\n", (unsigned long long)model->missed);
	printf("expect sessions %llu\n", (unsigned long long)model->sessions);
}
