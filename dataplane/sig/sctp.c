/* SPDX-License-Identifier: BSD-3-Clause */
#include "tollgate/sctp.h"

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

/* ---- CRC32c ------------------------------------------------------------------------------------ */

#ifdef __SSE4_2__
static uint32_t crc32c(uint32_t crc, const uint8_t *p, uint32_t len)
{
	uint64_t wide = crc;

	for (; len >= 8; len -= 8, p += 8)
		wide = _mm_crc32_u64(wide, tg_load_u64(p));
	crc = (uint32_t)wide;
	for (; len > 0; len--, p++)
		crc = _mm_crc32_u8(crc, *p);
	return crc;
}
#else
/* A nibble a step, one cache line of table: remainders modulo the reflected polynomial 0x82f63b78. */
static uint32_t crc32c(uint32_t crc, const uint8_t *p, uint32_t len)
{
	static const uint32_t remainder[16] = {
		0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u,
		0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
		0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u,
	};

	for (; len > 0; len--, p++) {
		crc ^= *p;
		crc = crc >> 4 ^ remainder[crc & 15];
		crc = crc >> 4 ^ remainder[crc & 15];
	}
	return crc;
}
#endif

static const uint8_t no_checksum[TG_SCTP_HEADER - TG_SCTP_CHECKSUM_OFFSET];

uint32_t tg_sctp_checksum(struct tg_span packet)
{
	uint32_t crc = ~0u;

	crc = crc32c(crc, packet.data, TG_SCTP_CHECKSUM_OFFSET);
	crc = crc32c(crc, no_checksum, sizeof(no_checksum));
	crc = crc32c(crc, packet.data + TG_SCTP_HEADER, packet.len - TG_SCTP_HEADER);
	/* Appendix A: the reflected remainder, least significant byte first, is what goes on the wire. */
	return __builtin_bswap32(~crc);
}

/* ---- Adler-32 ---------------------------------------------------------------------------------- */

/* RFC 1950 §9; two sums of 64 KiB of 255 stay below 2^40, so the remainder is taken once. */
static void adler32(uint64_t sum[2], const uint8_t *p, uint32_t len)
{
	for (; len > 0; len--, p++) {
		sum[0] += *p;
		sum[1] += sum[0];
	}
}

static uint32_t old_checksum(struct tg_span packet)
{
	uint64_t sum[2] = { 1, 0 };

	adler32(sum, packet.data, TG_SCTP_CHECKSUM_OFFSET);
	adler32(sum, no_checksum, sizeof(no_checksum));
	adler32(sum, packet.data + TG_SCTP_HEADER, packet.len - TG_SCTP_HEADER);
	return (uint32_t)(sum[1] % 65521) << 16 | (uint32_t)(sum[0] % 65521);
}

/* ---- whichever it is --------------------------------------------------------------------------- */

enum tg_sctp_sum tg_sctp_checksum_kind(struct tg_span packet)
{
	uint32_t found;

	if (packet.len < TG_SCTP_HEADER)
		return TG_SCTP_SUM_WRONG;
	found = tg_load_be32(packet.data + TG_SCTP_CHECKSUM_OFFSET);
	if (found == tg_sctp_checksum(packet))
		return TG_SCTP_SUM_CRC32C;
	if (found == 0)
		return TG_SCTP_SUM_ZERO;
	return found == old_checksum(packet) ? TG_SCTP_SUM_ADLER32 : TG_SCTP_SUM_WRONG;
}

bool tg_sctp_checksum_ok(struct tg_span packet)
{
	return tg_sctp_checksum_kind(packet) != TG_SCTP_SUM_WRONG;
}

void tg_sctp_checksum_fill(uint8_t *packet, uint32_t len, enum tg_sctp_sum kind)
{
	const struct tg_span p = { packet, len };

	if (kind == TG_SCTP_SUM_CRC32C || kind == TG_SCTP_SUM_WRONG)
		tg_store_be32(packet + TG_SCTP_CHECKSUM_OFFSET, tg_sctp_checksum(p));
	else if (kind == TG_SCTP_SUM_ADLER32)
		tg_store_be32(packet + TG_SCTP_CHECKSUM_OFFSET, old_checksum(p));
}
