/* SPDX-License-Identifier: BSD-3-Clause */
/* An Identity value; and the octets as claims, which base64 keeps a fuzzer from reaching. */
#include <string.h>

#include "tollgate/passport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VALUE_MAX 4096

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static void check(struct tg_span value)
{
	struct tg_passport p;

	if (!tg_passport_read(value, &p))
		return;
	must(p.signature.len > 0 && p.type < TG_PASSPORT_TYPE_COUNT &&
	     p.n_dest <= TG_PASSPORT_MAX_DEST);
	must(p.attest == 0 || (p.attest >= 'A' && p.attest <= 'C'));
	must(p.compact ? tg_num_is_none(p.orig) : p.header.len > 0);
	must(p.signature.data >= value.data &&
	     p.signature.data + p.signature.len <= value.data + value.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	static const char head[] = "eyJhbGciOiJFUzI1NiJ9.";
	uint8_t value[VALUE_MAX];
	uint32_t n = sizeof(head) - 1, acc = 0;
	unsigned bits = 0;
	size_t i;

	check((struct tg_span){ data, (uint32_t)size });
	if (size > VALUE_MAX / 2)
		return 0;
	memcpy(value, head, n);
	for (i = 0; i < size; i++) {
		acc = acc << 8 | data[i];
		for (bits += 8; bits >= 6; bits -= 6)
			value[n++] = (uint8_t)alphabet[acc >> (bits - 6) & 63];
	}
	if (bits)
		value[n++] = (uint8_t)alphabet[acc << (6 - bits) & 63];
	memcpy(value + n, ".c2ln", 5);
	check((struct tg_span){ value, n + 5 });
	return 0;
}
