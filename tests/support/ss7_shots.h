/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls over SS7, shot at a pipeline packet by packet; frames that it holds are kept by number. */
#ifndef TG_TESTS_SS7_SHOTS_H
#define TG_TESTS_SS7_SHOTS_H

#include "tests/support/shots.h"
#include "tests/support/ss7.h"

#define TG_SS7_SINK "+44207946"
#define TG_SS7_LISTED "12025550101" /* TG_TEST_FRAUD */
#define TG_SS7_FRAMES 64

/* A pipeline with an enforcing trunk on port 0 that has a sink, and every frame that was shot. */
struct ss7_fixture {
	struct fixture f;
	unsigned n_frames;
	struct {
		uint8_t bytes[TG_SS7_PACKET_MAX];
		uint32_t len;
	} frame[TG_SS7_FRAMES];
};

static inline void ss7_setup(struct ss7_fixture *s)
{
	setup(&s->f);
	s->n_frames = 0;
	memcpy(s->f.g.trunk[0].sink, TG_SS7_SINK, sizeof(TG_SS7_SINK));
}

static inline void ss7_teardown(struct ss7_fixture *s)
{
	teardown(&s->f);
}

static const struct tg_pkt ss7_pkt = { .proto = TG_IPPROTO_SCTP };

/* The frame stays until the fixture goes; its handle is its number + 1. */
static inline struct tg_frame_in ss7_frame(struct ss7_fixture *s, const struct tg_pkt *p,
					   const struct tg_ss7_packet *packet)
{
	static uint8_t room[TG_PKT_MAX];
	const size_t len = tg_pkt_build(p, packet->data, packet->len, room);
	const unsigned i = s->n_frames++;

	assert_true(i < TG_SS7_FRAMES && len <= TG_SS7_PACKET_MAX);
	memcpy(s->frame[i].bytes, room, len);
	s->frame[i].len = (uint32_t)len;
	return (struct tg_frame_in){ .data = s->frame[i].bytes,
				     .len = (uint32_t)len,
				     .handle = (void *)(uintptr_t)(i + 1) };
}

static inline struct tg_result ss7_judge(struct ss7_fixture *s, const struct tg_frame_in *in)
{
	return judge_in(&s->f, &s->f.g.gen, in);
}

/* One message in one chunk in one packet. */
static inline struct tg_frame_in ss7_shoot(struct ss7_fixture *s, const struct tg_ss7_text *message,
					   const struct tg_ss7_data *d)
{
	struct tg_ss7_packet p;

	tg_ss7_packet_begin(&p, 0);
	tg_ss7_packet_data(&p, d, message->data, message->len);
	tg_ss7_packet_end(&p);
	return ss7_frame(s, &ss7_pkt, &p);
}

static inline struct tg_frame_in ss7_shoot_call(struct ss7_fixture *s, const struct tg_ss7_call *c,
						uint32_t tsn)
{
	const struct tg_ss7_text m = tg_ss7_message(c);

	return ss7_shoot(s, &m, &(struct tg_ss7_data){ .tsn = tsn });
}

/* A call in a packet of its own, judged. */
static inline struct tg_result ss7_judge_call(struct ss7_fixture *s, const struct tg_ss7_call *c,
					      uint32_t tsn)
{
	const struct tg_frame_in in = ss7_shoot_call(s, c, tsn);

	return ss7_judge(s, &in);
}

/* As many calls as a packet takes, from *tsn on; every tenth is listed. */
static inline struct tg_frame_in ss7_full_packet(struct ss7_fixture *s, unsigned *tsn)
{
	struct tg_ss7_packet p;

	tg_ss7_packet_begin(&p, 0);
	for (;; (*tsn)++) {
		const struct tg_ss7_call c = {
			.calling = *tsn % 10 ? TG_SS7_CALLING_DEFAULT : TG_SS7_LISTED,
			.cic = *tsn,
		};
		const struct tg_ss7_text m = tg_ss7_message(&c);

		if (p.len + 16 + m.len + 3 > 1500 - 20)
			break;
		tg_ss7_packet_data(&p, &(struct tg_ss7_data){ .tsn = *tsn }, m.data, m.len);
	}
	tg_ss7_packet_end(&p);
	return ss7_frame(s, &ss7_pkt, &p);
}

/* How the frame goes on: as it came, or changed. Checks that all is right with what is changed. */
struct ss7_sent {
	uint8_t bytes[TG_SS7_PACKET_MAX];
	uint32_t len;
	bool changed;
};

static inline struct ss7_sent ss7_send(struct ss7_fixture *s, const struct tg_frame_in *in,
				       const struct tg_result *r)
{
	struct ss7_sent out = { .len = in->len };
	struct tg_frame f;

	memcpy(out.bytes, in->data, in->len);
	if (r->fate == TG_FATE_EDIT) {
		uint8_t room[TG_ANSWER_MAX];

		out.changed = true;
		assert_int_equal(tg_edit_build(s->f.pl, &s->f.g.gen, in, r, room, sizeof(room)),
				 in->len);
		memcpy(out.bytes, room, in->len);
	}
	if (out.changed) {
		assert_int_equal(
			tg_frame_walk(out.bytes, out.bytes + out.len, TG_LINK_ETHERNET, &f),
			TG_REASON_SCTP);
		assert_true(tg_sctp_checksum_ok(
			(struct tg_span){ out.bytes + f.payload_off, f.payload_len }));
	}
	return out;
}

/* A held frame as it goes on. */
static inline struct ss7_sent ss7_send_held(struct ss7_fixture *s, void *handle)
{
	const unsigned i = (unsigned)(uintptr_t)handle - 1;
	struct ss7_sent out = { .len = s->frame[i].len };
	uint8_t room[TG_ANSWER_MAX];

	assert_true(i < s->n_frames);
	memcpy(out.bytes, s->frame[i].bytes, out.len);
	if (tg_edit_held(s->f.pl, out.bytes, out.len, room, sizeof(room)) == out.len) {
		memcpy(out.bytes, room, out.len);
		out.changed = true;
	}
	return out;
}

/* The ISUP message in the frame's k-th DATA chunk, which has to be whole and in M3UA. */
static inline void ss7_read_back(const struct ss7_sent *sent, unsigned k, struct tg_isup *isup)
{
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_mtp3 m;
	struct tg_frame f;
	struct tg_sctp s;

	assert_int_equal(tg_frame_walk(sent->bytes, sent->bytes + sent->len, TG_LINK_ETHERNET, &f),
			 TG_REASON_SCTP);
	assert_true(
		tg_sctp_open((struct tg_span){ sent->bytes + f.payload_off, f.payload_len }, &s));
	do {
		assert_true(tg_sctp_next(&s, &c));
	} while (!tg_sctp_data_read(&c, &d) || k-- > 0);
	assert_int_equal(tg_m3ua_read(d.user, &m), TG_REASON_NONE);
	(void)tg_isup_read(m.user, TG_ISUP_ITU, m.si == TG_SI_BICC, isup);
}

static inline void assert_digits(const struct tg_isup *isup, unsigned i, const char *want)
{
	const struct tg_span raw = tg_identity_raw(&isup->sig, i);

	assert_true(i < isup->sig.n_ids);
	assert_int_equal(raw.len, strlen(want));
	assert_memory_equal(raw.data, want, raw.len);
}

#endif
