/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/siphash.h"

#include <sodium/crypto_shorthash.h>

#include "dataplane/sig/scan.h"

void tg_siphash_portable(const uint8_t *key, struct tg_siphash_text *text, unsigned n,
			 uint64_t *hash)
{
	unsigned i;

	for (i = 0; i < n; i++)
		crypto_shorthash((unsigned char *)&hash[i], text[i].bytes, text[i].len, key);
}

void tg_siphash_burst(const uint8_t *key, struct tg_siphash_text *text, unsigned n, uint64_t *hash)
{
	tg_scan->hash(key, text, n, hash);
}
