// SPDX-License-Identifier: MIT
/* Cookies that bind a client to a server. */
#include "clbd/cookie.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

void clbd_cookie_prepare(void)
{
	char token[CLBD_COOKIE_TOKEN];

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	clbd_cookie_token("", "", token);
}

/* Half of an HMAC: who does not know the secret cannot make one. */
int clbd_cookie_token(const char *secret, const char *server,
		      char token[CLBD_COOKIE_TOKEN])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned int size, i;

	if (!HMAC(EVP_sha256(), secret, strlen(secret),
		  (const unsigned char *)server, strlen(server), mac, &size))
		return -ENOMEM;
	for (i = 0; i < CLBD_COOKIE_TOKEN / 2; i++) {
		token[2 * i] = digits[mac[i] >> 4];
		token[2 * i + 1] = digits[mac[i] & 15];
	}
	return 0;
}

bool clbd_cookie_next(const char **at, const char *end, const char *name,
		      const char **value, size_t *size)
{
	size_t length = strlen(name);

	while (*at < end) {
		const char *pair = *at, *stop = memchr(pair, ';', end - pair);

		stop = stop ? stop : end;
		*at = stop < end ? stop + 1 : end;
		while (pair < stop && (*pair == ' ' || *pair == '\t'))
			pair++;
		if ((size_t)(stop - pair) <= length || pair[length] != '=' ||
		    memcmp(pair, name, length))
			continue;
		*value = pair + length + 1;
		*size = stop - *value;
		return true;
	}
	return false;
}
