/* SPDX-License-Identifier: BSD-3-Clause */
/* A pipeline over the small generation (generation.h), and frames shot at it one by one. */
#ifndef TG_TESTS_SHOTS_H
#define TG_TESTS_SHOTS_H

#include <stdlib.h>
#include <string.h>

#include "tests/support/generation.h"
#include "tests/support/pkt.h"
#include "tests/support/sip_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/event.h"

static const struct tg_pipeline_config pipeline_config = {
	.memory_entries = 1024,
	.cap_entries = 64,
	.key = "0123456789abcde",
};

struct fixture {
	struct tg_test_generation g;
	struct tg_test_generation empty;
	struct tg_pipeline *pl;
	uint64_t now;
};

static inline struct tg_pipeline *pipeline_make(const struct tg_pipeline_config *c)
{
	return tg_pipeline_init(tg_test_block(tg_pipeline_size(c)), c);
}

static inline void setup(struct fixture *f)
{
	assert_true(tg_test_generation_init(&f->g, false));
	assert_true(tg_test_generation_init(&f->empty, true));
	f->pl = pipeline_make(&pipeline_config);
	f->now = 1000;
}

static inline void teardown(struct fixture *f)
{
	tg_test_generation_fini(&f->g);
	tg_test_generation_fini(&f->empty);
	free(f->pl);
}

/* One frame at a time; a frame stays until the next but TG_BURST. */
struct shot {
	uint8_t frame[TG_PKT_MAX];
	struct tg_frame_in in;
};

static inline struct shot *shoot(const struct tg_pkt *p, const void *payload, size_t len)
{
	static struct shot shots[TG_BURST];
	static unsigned next;
	struct shot *s = &shots[next++ % TG_BURST];

	s->in = (struct tg_frame_in){ .data = s->frame };
	s->in.len = (uint32_t)tg_pkt_build(p, payload, len, s->frame);
	return s;
}

static inline struct shot *shoot_sip(const struct tg_sip_text *t)
{
	const struct tg_pkt p = { 0 };
	char text[TG_SIP_TEXT_MAX];

	return shoot(&p, text, tg_sip_text(t, text));
}

static inline struct tg_result judge_in(struct fixture *f, const struct tg_generation *gen,
					const struct tg_frame_in *in)
{
	struct tg_result r;

	memset(&r, 0xee, sizeof(r));
	tg_pipeline_burst(f->pl, gen, in, 1, f->now, &r);
	assert_true(r.reason < TG_REASON_COUNT);
	return r;
}

static inline struct tg_result judge(struct fixture *f, const struct tg_sip_text *t)
{
	return judge_in(f, &f->g.gen, &shoot_sip(t)->in);
}

static inline void assert_result(const struct tg_result *r, bool judged, enum tg_fate fate,
				 enum tg_reason reason)
{
	assert_string_equal(tg_reason_name(r->reason), tg_reason_name(reason));
	assert_int_equal(r->judged, judged);
	assert_int_equal(r->fate, fate);
}

/* The To-tag of the answer that we give to `t`. */
static inline void our_tag(struct fixture *f, const struct tg_sip_text *t,
			   char tag[TG_SIP_TAG_LEN + 1])
{
	struct tg_result r = judge(f, t);

	assert_int_equal(r.fate, TG_FATE_ANSWER);
	tg_sip_to_tag(r.sip, pipeline_config.key, tag);
	tag[TG_SIP_TAG_LEN] = 0;
}

#endif
