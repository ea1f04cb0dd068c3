/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A frame through the whole pipeline, twice (the second is a retransmission), and the answer if there
 * is one; a segment of TCP that is changed is changed alike both times. The first byte chooses: bit 0 the frame begins at the IP header, bit 1 it enters at port 1
 * (shadow), bit 2 checksums count, bit 3 the outside trunk drops what it cannot read or do.
 */
#include <stdint.h>
#include <stdlib.h>

#include "tests/support/generation.h"
#include "tollgate/checksum.h"
#include "tollgate/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tg_test_generation g;
static struct tg_pipeline *pl;

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* A pipeline that has seen nothing, so that an input does the same whatever it follows. Small, since it is
 * made for each. */
static void begin(void)
{
	static const struct tg_pipeline_config config = {
		.memory_entries = 64,
		.cap_entries = 16,
		.limit_entries = 16,
		.frag_sets = 2,
		.frag_frames = 8,
		.tcp_flows = 8,
		.tcp_buffers = 2,
		.key = "fuzz",
	};

	if (!pl) {
		require(tg_test_generation_init(&g, false));
		pl = aligned_alloc(TG_CACHE_LINE, tg_pipeline_size(&config));
	}
	require(pl && tg_pipeline_init(pl, &config));
}

static struct tg_result judge(const struct tg_frame_in *in)
{
	struct tg_result r;
	struct tg_event e;

	tg_pipeline_burst(pl, &g.gen, in, 1, 1000, &r);
	require(r.reason < TG_REASON_COUNT && r.fate <= TG_FATE_EDIT);
	require(r.judged || r.fate != TG_FATE_ANSWER);
	/* Dropped is what a verdict or its ACK keeps back, and what the trunk says. */
	if (r.fate == TG_FATE_ABSORB && tg_exception_of(r.reason) != TG_EXCEPTION_COUNT)
		require(g.gen.policy.has_drops && in->port == 0 &&
			r.frame.l4_proto == TG_IPPROTO_UDP);
	if (r.judged)
		tg_event_fill(&e, &g.gen, in, &r);
	return r;
}

/* Our answer is a good frame, no longer than promised, and nobody answers it. */
static void check_answer(const struct tg_frame_in *in, const struct tg_result *r)
{
	static uint8_t out[TG_ANSWER_MAX];
	struct tg_frame_in back = { .data = out, .link = in->link };
	struct tg_frame f;

	back.len = tg_answer_build(pl, &g.gen, in, r, out, sizeof(out));
	require(back.len > 0 && back.len <= sizeof(out));
	require(tg_frame_walk(out, out + back.len, (enum tg_link)in->link, &f) == TG_REASON_NONE);
	require(tg_checksum_udp_ok(out, &f));
	require(judge(&back).reason == TG_REASON_SIP_RESPONSE);
}

static bool is_tcp(const struct tg_result *r)
{
	return r->frame.l4_proto == TG_IPPROTO_TCP;
}

/* Of TCP, here only: no rule changes a datagram. As long as it was, and right if it was right. */
static unsigned edit(const struct tg_frame_in *in, const struct tg_result *r, uint8_t *out)
{
	unsigned len;

	if (r->fate != TG_FATE_EDIT)
		return 0;
	len = tg_edit_build(pl, &g.gen, in, r, out, TG_ANSWER_MAX);
	require(is_tcp(r) && (len == in->len || (len == 0 && in->len > TG_ANSWER_MAX)));
	if (len > 0 && tg_checksum_tcp_ok(in->data, &r->frame))
		require(tg_checksum_tcp_ok(out, &r->frame));
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_frame_in in;
	static uint8_t changed[2][TG_ANSWER_MAX];
	struct tg_result first, again;
	unsigned len;

	if (size == 0)
		return 0;
	begin();
	in = (struct tg_frame_in){
		.data = data + 1,
		.len = (uint32_t)(size - 1),
		.port = data[0] >> 1 & 1,
		.link = data[0] & 1 ? TG_LINK_IP : TG_LINK_ETHERNET,
		.checksum = data[0] & 4 ? TG_PIPELINE_CSUM_UNKNOWN : TG_PIPELINE_CSUM_IGNORE,
	};
	g.gen.policy.has_drops = data[0] & 8;
	g.trunk[0].drops = data[0] & 8 ? (1u << TG_EXCEPTION_COUNT) - 1 : 0;
	first = judge(&in);
	if (first.fate == TG_FATE_ANSWER)
		check_answer(&in, &first);
	len = edit(&in, &first, changed[0]);
	again = judge(&in);
	if (is_tcp(&first)) { /* what was judged is not, when it comes again */
		require(again.fate == first.fate && edit(&in, &again, changed[1]) == len &&
			memcmp(changed[0], changed[1], len) == 0);
		return 0;
	}
	require(again.judged == first.judged && again.fate == first.fate);
	require(again.verdict.action == first.verdict.action);
	return 0;
}
