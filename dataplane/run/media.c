/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/media.h"

#include "tollgate/frame.h"

/* What a group below has read, and tg_frame_is_media wants: longer than any head that it knows. */
#define HEAD_MIN 67

static uint32_t find_one_by_one(struct rte_mbuf *const *mbuf, unsigned n, uint64_t *bytes)
{
	uint32_t media = 0, bit = 1;
	unsigned i;

	for (i = 0; i < n; i++, bit += bit) {
		const struct rte_mbuf *m = mbuf[i];

		*bytes += m->pkt_len;
		if (m->nb_segs == 1 &&
		    tg_frame_is_media(rte_pktmbuf_mtod(m, const uint8_t *), m->data_len))
			media += bit;
	}
	return media;
}

#if defined(__SSE4_1__)
#include <smmintrin.h>

/*
 * Several frames at once, all of one form: IPv4 without options, no fragment, UDP, with one VLAN tag or none. The
 * fields that matter become eight words, those of the head less those of the tail, and each word of all
 * frames has to lie between two bounds: their minimum and maximum are compared. A group in which a frame
 * is anything else is looked at one by one.
 *
 *	word 0	EtherType
 *	word 1	EtherType behind the tag, or nothing
 *	word 2	version and header length, protocol
 *	word 3	fragment, but for the bit that forbids it and the one that is reserved (masked)
 *	word 4	total length - UDP length: 20
 *	word 5	- destination port
 *	word 6	frame length - UDP length: the headers, and what a short frame is padded with
 *	word 7	- the payload's first byte, as the high one
 *
 * Words wrap, but nothing else becomes right by it: with a frame of HEAD_MIN bytes, word 6 says that the UDP
 * length is 9 at least and ends in the frame, and word 4 then what the total length is.
 */
#define GROUP 8

struct form {
	unsigned tail; /* where it begins; the head is at 12. 16 bytes each */
	uint8_t of_head[16];
	uint8_t of_tail[16];
	uint16_t mask[8];
	uint16_t least[8];
	uint16_t most[8];
};

#define NONE 0x80 /* a byte of zero (PSHUFB) */
#define PADDING_MAX 58
#define PORT (uint16_t) - TG_PORT_MEDIA_MIN
#define UDP_HEAD 0x1145 /* TG_IPPROTO_UDP, and version 4 with five words */

static_assert(HEAD_MIN - PADDING_MAX == 9, "a UDP header and a byte");
static_assert(TG_IPPROTO_UDP == 0x11, "in UDP_HEAD");

static const struct form plain = {
	.tail = 28,
	.of_head = { 0, 1, NONE, NONE, 2, 11, 8, 9, 5, 4, NONE, NONE, NONE, NONE, NONE, NONE },
	.of_tail = { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 11, 10, 9, 8, 11, 10, NONE,
		     14 },
	.mask = { 0xffff, 0xffff, 0xffff, 0xff3f, 0xffff, 0xffff, 0xffff, 0xffff },
	.least = { 0x0008, 0, UDP_HEAD, 0, 20, 1, 34, 0x4100 },
	.most = { 0x0008, 0, UDP_HEAD, 0, 20, PORT, PADDING_MAX, 0x8000 },
};

static const struct form tagged = {
	.tail = 32,
	.of_head = { 0, 1, 4, 5, 6, 15, 12, 13, 9, 8, NONE, NONE, NONE, NONE, NONE, NONE },
	.of_tail = { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, 11, 10, 9, 8, 11, 10, NONE,
		     14 },
	.mask = { 0xffff, 0xffff, 0xffff, 0xff3f, 0xffff, 0xffff, 0xffff, 0xffff },
	.least = { 0x0081, 0x0008, UDP_HEAD, 0, 20, 1, 38, 0x4100 },
	.most = { 0x0081, 0x0008, UDP_HEAD, 0, 20, PORT, PADDING_MAX, 0x8000 },
};

TG_ALWAYS_INLINE __m128i load(const void *p)
{
	return _mm_loadu_si128(p);
}

/* All media, of the one form? *bytes has then what they have more. */
TG_ALWAYS_INLINE bool is_group_of(struct rte_mbuf *const *mbuf, const struct form *form,
				  uint64_t *bytes)
{
	const __m128i of_head = load(form->of_head), of_tail = load(form->of_tail);
	const __m128i mask = load(form->mask);
	__m128i min = _mm_set1_epi8(-1), max = _mm_setzero_si128(), words;
	uint32_t sum = 0;
	unsigned i;

#pragma GCC unroll 8
	for (i = 0; i < GROUP; i++) {
		const struct rte_mbuf *const m = mbuf[i];
		const uint8_t *const p = rte_pktmbuf_mtod(m, const uint8_t *);
		const uint32_t len = m->data_len;
		__m128i tail;

		if (tg_unlikely(len < HEAD_MIN || m->nb_segs != 1))
			return false;
		sum += len;
		words = _mm_insert_epi16(_mm_shuffle_epi8(load(p + 12), of_head), (int)len, 6);
		tail = _mm_shuffle_epi8(load(p + form->tail), of_tail);
		words = _mm_and_si128(_mm_sub_epi16(words, tail), mask);
		min = _mm_min_epu16(min, words);
		max = _mm_max_epu16(max, words);
	}
	words = _mm_or_si128(_mm_subs_epu16(load(form->least), min),
			     _mm_subs_epu16(max, load(form->most)));
	if (!_mm_test_all_zeros(words, words))
		return false;
	*bytes += sum;
	return true;
}

static bool is_group(struct rte_mbuf *const *mbuf, uint64_t *bytes)
{
	const uint8_t *const p = rte_pktmbuf_mtod(mbuf[0], const uint8_t *);
	unsigned type;

	if (tg_unlikely(mbuf[0]->data_len < HEAD_MIN))
		return false;
	type = tg_load_be16(p + 12);
	if (tg_likely(type == TG_ETHERTYPE_IPV4))
		return is_group_of(mbuf, &plain, bytes);
	return type == TG_ETHERTYPE_VLAN && is_group_of(mbuf, &tagged, bytes);
}
#else
#define GROUP 1

static bool is_group(struct rte_mbuf *const *mbuf, uint64_t *bytes)
{
	(void)mbuf;
	(void)bytes;
	return false;
}
#endif

uint32_t tg_media_find(struct rte_mbuf *const *mbuf, unsigned n, uint64_t *bytes)
{
	uint32_t media = 0;
	unsigned i;

	static_assert(TG_BURST == 32, "a bit a frame");
	*bytes = 0;
	for (i = 0; i + GROUP <= n; i += GROUP) {
		if (tg_likely(is_group(mbuf + i, bytes)))
			media |= ((1u << GROUP) - 1) << i;
		else
			media |= find_one_by_one(mbuf + i, GROUP, bytes) << i;
	}
	if (i < n)
		media |= find_one_by_one(mbuf + i, n - i, bytes) << i;
	return media;
}
