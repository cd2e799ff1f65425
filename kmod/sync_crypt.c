// SPDX-License-Identifier: GPL-2.0
/*
 * Keys and seals of session sync: ChaCha20-Poly1305 with a key for each node,
 * life and stream, made from the cluster's secret by BLAKE2s.
 */
#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <linux/random.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "sync_engine.h"

#define EPOCH_RANDOM_BITS 20

/**
 * clb_sync_epoch_new() - begin a life
 * @least: it must be later than this one
 *
 * The time, so that it is later than all before; random in its last bits, so
 * that two nodes with the same id by mistake do not use the same key.
 *
 * Return: the epoch, never 0.
 * Context: process.
 */
u64 clb_sync_epoch_new(u64 least)
{
	u64 unit = BIT_ULL(EPOCH_RANDOM_BITS);
	u64 now = max_t(u64, ktime_get_real_ns(), least + unit);

	return (now & ~(unit - 1)) | get_random_u32() % unit;
}

/**
 * clb_sync_key_make() - the key of a stream
 * @key: result, CLB_SYNC_KEY_LEN bytes
 * @secret: of the cluster
 * @header: of a datagram of the stream
 *
 * Context: any.
 */
void clb_sync_key_make(u8 *key, const u8 *secret,
		       const struct clb_sync_header *header)
{
	u8 context[CLB_SYNC_CONTEXT_LEN];

	BUILD_BUG_ON(CLB_SYNC_KEY_LEN != CHACHA20POLY1305_KEY_SIZE);
	BUILD_BUG_ON(CLB_SYNC_KEY_LEN != BLAKE2S_HASH_SIZE);
	BUILD_BUG_ON(CLB_SYNC_TAG_LEN != CHACHA20POLY1305_AUTHTAG_SIZE);
	clb_sync_key_context(context, header);
	blake2s(key, context, secret, CLB_SYNC_KEY_LEN, sizeof(context),
		CLB_SYNC_KEY_LEN);
}

/**
 * clb_sync_seal() - encrypt a datagram in its place
 * @datagram: header and content, with room for the tag behind it
 * @content: length of the content
 * @seq: its number, never used before with @key
 * @key: of the stream
 *
 * Context: process.
 */
void clb_sync_seal(u8 *datagram, unsigned int content, u64 seq,
		   const u8 *key)
{
	u8 *data = datagram + CLB_SYNC_HEADER_LEN;

	chacha20poly1305_encrypt(data, data, content, datagram,
				 CLB_SYNC_HEADER_LEN, seq, key);
}

/**
 * clb_sync_open() - decrypt a datagram in its place
 * @datagram: header, content, tag
 * @len: length of all
 * @seq: its number
 * @key: of the stream
 *
 * Return: false if it was not made with @key, or changed on its way.
 * Context: process.
 */
bool clb_sync_open(u8 *datagram, unsigned int len, u64 seq, const u8 *key)
{
	u8 *data = datagram + CLB_SYNC_HEADER_LEN;

	return chacha20poly1305_decrypt(data, data, len - CLB_SYNC_HEADER_LEN,
					datagram, CLB_SYNC_HEADER_LEN, seq,
					key);
}
