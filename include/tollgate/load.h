/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unaligned loads and stores in a named byte order. They compile to one mov (and bswap); a struct
 * overlay on packet bytes would be misaligned after a 14-byte Ethernet header. Shared with BPF.
 */
#ifndef TG_LOAD_H
#define TG_LOAD_H

#include "tollgate/base.h"

static inline uint16_t tg_load_be16(const uint8_t *p)
{
	return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}

static inline uint32_t tg_load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void tg_store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void tg_store_be32(uint8_t *p, uint32_t v)
{
	tg_store_be16(p, (uint16_t)(v >> 16));
	tg_store_be16(p + 2, (uint16_t)v);
}

/* Host order: for hashing and comparing, never for a protocol field. */
static inline uint64_t tg_load_u64(const void *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t tg_load_u32(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

#endif
