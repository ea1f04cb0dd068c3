/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls in fragments, shot at a pipeline piece by piece. */
#ifndef TG_TESTS_PIECES_H
#define TG_TESTS_PIECES_H

#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/frags.h"
#include "tests/support/cut.h"
#include "tests/support/generation.h"
#include "tests/support/pkt.h"
#include "tests/support/sip_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/event.h"

#define SETS 16
#define FRAMES 512 /* a source's share is 128: as many as a datagram may have */

struct fixture {
	struct tg_test_generation g;
	struct tg_pipeline *pl;
	uint64_t now;
	uint8_t whole[TG_PKT_MAX]; /* the frame that is cut */
	size_t len;
	uint32_t total;
	uintptr_t next_handle; /* frames are numbered from 1 */
	uint8_t frame[TG_BURST][4096];
	unsigned n_frames;
};

static inline void setup(struct fixture *f)
{
	static const struct tg_pipeline_config config = { .memory_entries = 1024,
							  .cap_entries = 64,
							  .key = "0123456789abcde",
							  .frag_sets = SETS,
							  .frag_frames = FRAMES };

	memset(f, 0, sizeof(*f));
	assert_true(tg_test_generation_init(&f->g, false));
	f->pl = tg_pipeline_init(tg_test_block(tg_pipeline_size(&config)), &config);
	f->now = 1000;
}

static inline void teardown(struct fixture *f)
{
	tg_test_generation_fini(&f->g);
	free(f->pl);
}

/* A call of some 3 KiB: three frames at an MTU of 1500. */
static inline void load_call(struct fixture *f, const struct tg_pkt *p, const char *from,
			     unsigned call)
{
	static char identity[2900];
	struct tg_sip_text t = { .from = from, .call = call, .extra = identity };
	char text[TG_SIP_TEXT_MAX];
	unsigned n;

	n = (unsigned)snprintf(identity, sizeof(identity), "Identity: ");
	memset(identity + n, 'e', sizeof(identity) - n - 3);
	memcpy(identity + sizeof(identity) - 3, "\r\n", 3);
	f->len = tg_pkt_build(p, text, tg_sip_text(&t, text), f->whole);
	f->total = tg_cut_total(f->whole, f->len);
}

/* As long as that call, but of another kind: `begin`, then spaces. */
static inline void load_payload(struct fixture *f, const struct tg_pkt *p, const char *begin)
{
	static uint8_t payload[3000];

	memset(payload, 0x20, sizeof(payload));
	memcpy(payload, begin, strlen(begin));
	f->len = tg_pkt_build(p, payload, sizeof(payload), f->whole);
	f->total = tg_cut_total(f->whole, f->len);
}

static inline struct tg_frame_in cut_in(struct fixture *f, const struct tg_cut *c)
{
	uint8_t *frame = f->frame[f->n_frames++ % TG_BURST];

	return (struct tg_frame_in){ .data = frame,
				     .len = (uint32_t)tg_cut(f->whole, f->len, c, frame),
				     .handle = (void *)++f->next_handle };
}

static inline struct tg_result judge_in(struct fixture *f, const struct tg_frame_in *in)
{
	struct tg_result r;

	memset(&r, 0xee, sizeof(r));
	tg_pipeline_burst(f->pl, &f->g.gen, in, 1, f->now, &r);
	return r;
}

static inline struct tg_result judge(struct fixture *f, const struct tg_cut *c)
{
	const struct tg_frame_in in = cut_in(f, c);

	return judge_in(f, &in);
}

/* From `off` on, `len` bytes or what there is. */
static inline struct tg_cut part(const struct fixture *f, uint32_t off, uint32_t len, uint32_t id)
{
	const bool more = off + len < f->total;

	return (struct tg_cut){ off, more ? len : f->total - off, more, id };
}

static inline struct tg_result judge_part(struct fixture *f, uint32_t off, uint32_t len,
					  uint32_t id)
{
	const struct tg_cut c = part(f, off, len, id);

	return judge(f, &c);
}

static inline void assert_result(const struct tg_result *r, enum tg_fate fate,
				 enum tg_reason reason)
{
	assert_string_equal(tg_reason_name(r->reason), tg_reason_name(reason));
	assert_int_equal(r->fate, fate);
}

static inline void assert_held(const struct tg_result *r, const uintptr_t *handles, unsigned n,
			       enum tg_reason reason)
{
	unsigned i;

	assert_int_equal(r->n_held, n);
	if (n > 0)
		assert_string_equal(tg_reason_name(r->held_reason), tg_reason_name(reason));
	for (i = 0; i < n; i++)
		assert_int_equal((uintptr_t)r->held[i], handles[i]);
}

static const struct tg_pkt families[] = { { 0 },
					  { .ipv6 = true },
					  { .n_vlan = 3 },
					  { .n_vlan = 1, .ipv6 = true },
					  { .ipv4_options = 8 } };

#endif
