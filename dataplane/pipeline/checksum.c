/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything is summed as it lies in memory: the one's complement sum does not depend on the byte
 * order (RFC 1071 §2 B), so nothing is swapped, and the result is stored as it is.
 */
#include "tollgate/checksum.h"

static uint32_t load_u16(const uint8_t *p)
{
	uint16_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

/*
 * 32 bits a step into 64: 2^14 steps of a 64 KiB datagram stay below 2^46, so no carry is looked at
 * before the end, and the compiler makes vector code of it (16 bytes for five instructions, against
 * eight bytes a cycle of an add-with-carry chain).
 */
static uint64_t sum_bytes(const uint8_t *p, uint32_t len, uint64_t sum)
{
	const uint32_t words = len / 4;
	uint32_t i;

	for (i = 0; i < words; i++)
		sum += tg_load_u32(p + 4 * (size_t)i);
	p += 4 * (size_t)words;
	if (len & 2) {
		sum += load_u16(p);
		p += 2;
	}
	if (len & 1) {
		const uint8_t padded[2] = { p[0], 0 }; /* RFC 1071 §4.1 */

		sum += load_u16(padded);
	}
	return sum;
}

/* 64 -> 32 -> 16 bits; the second line of each pair brings back the carry of the first. */
static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint32_t ipv4_header_len(const uint8_t *ip)
{
	return (ip[0] & 15u) * 4;
}

/* Pseudo-header (RFC 768, RFC 9293 §3.1; RFC 8200 §8.1), header and payload. */
static uint16_t l4_sum(const uint8_t *frame, const struct tg_frame *f)
{
	const uint32_t len = (uint32_t)f->payload_off - f->l4_off + f->payload_len;
	const uint8_t rest[4] = { 0, f->l4_proto, (uint8_t)(len >> 8), (uint8_t)len };
	const uint8_t *ip = frame + f->l3_off;
	uint64_t sum = tg_load_u32(rest);

	sum = f->ip_version == 4 ? sum_bytes(ip + 12, 8, sum) : sum_bytes(ip + 8, 32, sum);
	return fold(sum_bytes(frame + f->l4_off, len, sum));
}

bool tg_checksum_ipv4_ok(const uint8_t *ip)
{
	return fold(sum_bytes(ip, ipv4_header_len(ip), 0)) == 0xffff;
}

bool tg_checksum_udp_ok(const uint8_t *frame, const struct tg_frame *f)
{
	const uint8_t *ip = frame + f->l3_off;

	if (f->ip_version == 4 && !tg_checksum_ipv4_ok(ip))
		return false;
	if (load_u16(frame + f->l4_off + 6) == 0)
		return f->ip_version == 4;
	return l4_sum(frame, f) == 0xffff;
}

bool tg_checksum_tcp_ok(const uint8_t *frame, const struct tg_frame *f)
{
	const uint8_t *ip = frame + f->l3_off;

	if (f->ip_version == 4 && fold(sum_bytes(ip, ipv4_header_len(ip), 0)) != 0xffff)
		return false;
	return l4_sum(frame, f) == 0xffff;
}

static void store_complement(uint8_t *p, uint16_t sum)
{
	const uint16_t v = (uint16_t)~sum;

	__builtin_memcpy(p, &v, sizeof(v));
}

void tg_checksum_ipv4_fill(uint8_t *ip)
{
	tg_store_be16(ip + 10, 0);
	store_complement(ip + 10, fold(sum_bytes(ip, ipv4_header_len(ip), 0)));
}

void tg_checksum_udp_fill(uint8_t *frame, const struct tg_frame *f)
{
	uint8_t *udp = frame + f->l4_off;
	uint16_t sum;

	if (f->ip_version == 4)
		tg_checksum_ipv4_fill(frame + f->l3_off);
	tg_store_be16(udp + 6, 0);
	sum = l4_sum(frame, f);
	/* A checksum that comes out as zero is sent as all ones (RFC 768): zero says "none". */
	store_complement(udp + 6, sum == 0xffff ? 0 : sum);
}
