/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a node does with a datagram, by Documentation/sync-protocol.rst: for
 * sync.c to know which of the node's counters must count it.
 */
#ifndef CLB_FUZZ_SYNC_MODEL_H
#define CLB_FUZZ_SYNC_MODEL_H

#include "sync_window.h"
#include "sync_wire.h"

#define MODEL_PEERS 8

/**
 * enum verdict - of a datagram: done, or why not
 *
 * Of one from a stranger that has more in it than who it is and whom it hears,
 * that alone is done. The others are named after their counters.
 */
enum verdict {
	VERDICT_DONE,
	VERDICT_TRUNCATED,
	VERDICT_FOREIGN,
	VERDICT_VERSION,
	VERDICT_CLUSTER,
	VERDICT_SAME_NODE,
	VERDICT_KEY,
	VERDICT_FORGED,
	VERDICT_REPLAYED,
	VERDICT_LATE,
	VERDICT_MALFORMED,
	VERDICT_STRANGER,
	VERDICTS,
};

/**
 * struct model_peer - what the node knows of another one
 * @epoch: its life
 * @window: its datagrams that were seen
 * @node: its id; 0: none
 * @confirmed: it has named the node in its present life
 */
struct model_peer {
	u64 epoch;
	struct clb_sync_window window;
	u16 node;
	bool confirmed;
};

/**
 * struct model - the node
 * @epoch: its life, which stays
 * @node: its id
 * @cluster: its cluster
 * @key_id: of its only secret
 * @peers: whom it knows
 * @verdicts: how many datagrams had each
 * @sessions: records of sessions that it did
 * @missed: numbers that were passed by
 */
struct model {
	u64 epoch;
	u16 node;
	u32 cluster;
	u8 key_id;
	struct model_peer peers[MODEL_PEERS];
	u64 verdicts[VERDICTS];
	u64 sessions;
	u64 missed;
};

/**
 * struct datagram - one to be sent
 * @bytes: as it is sent
 * @len: of @bytes
 * @content: what is encrypted in it, if it is authentic
 * @content_len: of @content
 * @authentic: made with the secret, and not changed since
 */
struct datagram {
	u8 bytes[20480];
	unsigned int len;
	u8 content[20480];
	unsigned int content_len;
	bool authentic;
};

const struct model_peer *model_peer(const struct model *model, u16 node);
void model_hear(struct model *model, const struct datagram *datagram);
void model_print(const struct model *model);

#endif /* CLB_FUZZ_SYNC_MODEL_H */
