/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sequences of fragments through the pipeline: what goes in comes out exactly once, and a datagram
 * whose bytes were not touched is judged as what it is. An operation is four bytes:
 *
 *	0  bit 0-2 which datagram (bit 0: IPv6, bit 1: a listed caller), bit 3: M, bit 4: a wrong byte,
 *	   bit 5-7: milliseconds passed before, times 40
 *	1  where it begins, in eighths of 256 bytes; 2  how long it is, likewise; 3  added bytes
 */
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/cut.h"
#include "tests/support/generation.h"
#include "tests/support/sip_text.h"
#include "tollgate/checksum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DATAGRAMS 8
#define OPERATIONS 512
#define OPERATION 4

static struct tg_test_generation g;
static struct tg_pipeline *pl;
static struct {
	uint8_t frame[4096];
	size_t len;
	uint32_t total;
} whole[DATAGRAMS];

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void make_datagram(unsigned i)
{
	const bool ipv6 = i & 1;
	const struct tg_sip_text t = { .from = i & 2 ? TG_TEST_FRAUD : TG_TEST_CLEAN, .call = i };
	const size_t l3 = 14, l4 = l3 + (ipv6 ? 40 : 20);
	uint8_t *p = whole[i].frame;
	char text[TG_SIP_TEXT_MAX];
	const uint16_t n = (uint16_t)tg_sip_text(&t, text);
	struct tg_frame f;

	p[12] = ipv6 ? 0x86 : 0x08;
	p[13] = ipv6 ? 0xdd : 0;
	p[l3] = ipv6 ? 0x60 : 0x45;
	tg_store_be16(p + l3 + (ipv6 ? 4 : 2), (uint16_t)(8 + n + (ipv6 ? 0 : 20)));
	p[l3 + (ipv6 ? 6 : 9)] = TG_IPPROTO_UDP;
	p[l3 + (ipv6 ? 8 : 12)] = 10;
	p[l3 + (ipv6 ? 24 : 16)] = 20;
	tg_store_be16(p + l4, 5060);
	tg_store_be16(p + l4 + 2, 5060);
	tg_store_be16(p + l4 + 4, (uint16_t)(8 + n));
	memcpy(p + l4 + 8, text, n);
	whole[i].len = l4 + 8 + n;
	whole[i].total = 8u + n;
	require(tg_frame_walk(p, p + whole[i].len, TG_LINK_ETHERNET, &f) == TG_REASON_NONE);
	tg_checksum_udp_fill(p, &f);
}

static void setup(void)
{
	/* small, so that every limit is met */
	static const struct tg_pipeline_config config = { .memory_entries = 1024,
							  .cap_entries = 64,
							  .key = "fuzz",
							  .frag_sets = 5,
							  .frag_frames = 24 };
	unsigned i;

	require(tg_test_generation_init(&g, false));
	pl = aligned_alloc(TG_CACHE_LINE, tg_pipeline_size(&config));
	require(pl && tg_pipeline_init(pl, &config));
	for (i = 0; i < DATAGRAMS; i++)
		make_datagram(i);
}

/* How often each frame came out; handle = its number + 1. */
struct frames {
	uint8_t out[OPERATIONS];
	unsigned n;
	bool touched
		[DATAGRAMS]; /* its call was seen with a wrong byte: anything may have been judged */
};

static void came_out(struct frames *f, const void *handle)
{
	const uintptr_t h = (uintptr_t)handle;

	require(h >= 1 && h <= f->n && f->out[h - 1]++ == 0);
}

static void take_released(struct frames *f, uint64_t now_ms)
{
	struct tg_released freed[3];
	unsigned n, i;

	do {
		n = tg_pipeline_release(pl, now_ms, freed, 3);
		for (i = 0; i < n; i++) {
			require(freed[i].reason == TG_REASON_FRAGMENTS_UNASSEMBLED ||
				freed[i].reason == TG_REASON_FRAGMENT_LIMIT);
			require(!freed[i].drop || g.gen.policy.has_drops);
			came_out(f, freed[i].handle);
		}
	} while (n == 3);
}

static void check_answer(const struct tg_frame_in *in, const struct tg_result *r)
{
	static uint8_t out[TG_ANSWER_MAX];
	const unsigned len = tg_answer_build(pl, &g.gen, in, r, out, sizeof(out));
	struct tg_frame f;

	require(len > 0 && len <= sizeof(out));
	require(tg_frame_walk(out, out + len, TG_LINK_ETHERNET, &f) == TG_REASON_NONE);
	require(tg_checksum_udp_ok(out, &f));
}

static void check_result(struct frames *f, const struct tg_frame_in *in, const struct tg_result *r,
			 unsigned which)
{
	unsigned i;

	require(r->reason < TG_REASON_COUNT && r->fate <= TG_FATE_HOLD);
	if (r->fate != TG_FATE_HOLD)
		came_out(f, in->handle);
	else
		require(r->n_held == 0);
	for (i = 0; i < r->n_held; i++)
		came_out(f, r->held[i]);
	if (r->fate == TG_FATE_ANSWER)
		check_answer(in, r);
	if (r->judged && !f->touched[which])
		require((r->verdict.action == TG_ACTION_REJECT) == ((which & 2) != 0));
}

static void operate(struct frames *f, const uint8_t *op, uint64_t now_ms)
{
	const unsigned which = op[0] & 7;
	uint8_t frame[4096];
	struct tg_frame_in in = { .data = frame, .handle = (void *)(uintptr_t)++f->n };
	struct tg_cut c = { .more = op[0] >> 3 & 1, .id = which + 1 };
	struct tg_result r;

	c.off = op[1] * 8u;
	c.len = op[2] * 8u + op[3] % 8;
	if (c.off > whole[which].total)
		c.off = whole[which].total / 8 * 8;
	if (c.len > whole[which].total - c.off)
		c.len = whole[which].total - c.off;
	in.len = (uint32_t)tg_cut(whole[which].frame, whole[which].len, &c, frame);
	if (op[0] & 0x10) {
		frame[in.len - 1] ^= 0x20;
		f->touched[which] = true;
	}
	tg_pipeline_burst(pl, &g.gen, &in, 1, now_ms, &r);
	check_result(f, &in, &r, which);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t now_ms;
	struct frames f = { 0 };
	size_t at;
	unsigned i;

	if (!pl)
		setup();
	now_ms += 200000;		   /* what came before is forgotten */
	g.gen.policy.has_drops = size & 1; /* the trunk drops what is not put together */
	g.trunk[0].drops = size & 1 ? (1u << TG_EXCEPTION_COUNT) - 1 : 0;
	for (at = 0; at + OPERATION <= size && f.n < OPERATIONS; at += OPERATION) {
		now_ms += (data[at] >> 5) * 40u;
		operate(&f, data + at, now_ms);
		if (data[at + 3] & 0x80)
			take_released(&f, now_ms);
	}
	take_released(&f, UINT64_MAX);
	for (i = 0; i < f.n; i++)
		require(f.out[i] == 1);
	return 0;
}
