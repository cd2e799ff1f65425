// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>

#include <openssl/evp.h>

#include "sync_seal.h"

#define KEY_LEN 32
#define NONCE_LEN 12

static void must(int condition)
{
	if (!condition)
		abort();
}

static void key_make(u8 *key, const u8 *secret,
		     const struct clb_sync_header *header)
{
	static EVP_MAC_CTX *mac;
	u8 context[CLB_SYNC_CONTEXT_LEN];
	size_t len;

	if (!mac)
		mac = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "BLAKE2SMAC", NULL));
	must(mac != NULL);
	clb_sync_key_context(context, header);
	must(EVP_MAC_init(mac, secret, KEY_LEN, NULL) == 1 &&
	     EVP_MAC_update(mac, context, sizeof(context)) == 1 &&
	     EVP_MAC_final(mac, key, &len, KEY_LEN) == 1 && len == KEY_LEN);
}

/* Makes a datagram; returns its length. */
unsigned int seal(u8 *datagram, const struct clb_sync_header *header,
		  const u8 *secret, const u8 *content, unsigned int len)
{
	static EVP_CIPHER_CTX *cipher;
	u8 *text = datagram + CLB_SYNC_HEADER_LEN;
	u8 key[KEY_LEN], nonce[NONCE_LEN] = { 0 };
	u64 seq = htole64(header->seq);
	int n;

	if (!cipher)
		cipher = EVP_CIPHER_CTX_new();
	must(cipher != NULL);
	clb_sync_header_write(datagram, header);
	key_make(key, secret, header);
	memcpy(nonce + 4, &seq, sizeof(seq));
	must(EVP_EncryptInit_ex(cipher, EVP_chacha20_poly1305(), NULL, key,
				nonce) == 1 &&
	     EVP_EncryptUpdate(cipher, NULL, &n, datagram,
			       CLB_SYNC_HEADER_LEN) == 1 &&
	     EVP_EncryptUpdate(cipher, text, &n, content, len) == 1 &&
	     EVP_EncryptFinal_ex(cipher, text + len, &n) == 1 &&
	     EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG,
				 CLB_SYNC_TAG_LEN, text + len) == 1);
	return CLB_SYNC_HEADER_LEN + len + CLB_SYNC_TAG_LEN;
}
