/* SPDX-License-Identifier: BSD-3-Clause */
/* The look at several frames at once says of each what the look at one says, which test_frame.c holds against the walk. */
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/run/media.h"
#include "tests/support/pkt.h"
#include "tests/support/tg_test.h"
#include "tollgate/frame.h"

#define KEPT_MAX 400 /* frames that are kept end there: their heads matter */

struct lab {
	struct rte_mbuf m[TG_BURST];
	struct rte_mbuf *at[TG_BURST];
	unsigned n;
};

static void put(struct lab *lab, const uint8_t *data, size_t len)
{
	struct rte_mbuf *m = &lab->m[lab->n];

	memset(m, 0, sizeof(*m));
	m->buf_addr = (void *)(uintptr_t)data;
	m->nb_segs = 1;
	m->data_len = (uint16_t)len;
	m->pkt_len = (uint32_t)len;
	lab->at[lab->n++] = m;
}

/* One by one, and by the walk: what is called media is a whole datagram that begins as media does. */
static uint32_t expected(const struct lab *lab, uint64_t *bytes)
{
	uint32_t media = 0;
	unsigned i;

	*bytes = 0;
	for (i = 0; i < lab->n; i++) {
		const struct rte_mbuf *m = &lab->m[i];
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
		struct tg_frame f;

		*bytes += m->pkt_len;
		if (m->nb_segs != 1 || !tg_frame_is_media(data, m->data_len))
			continue;
		media |= 1u << i;
		assert_int_equal(tg_frame_walk(data, data + m->data_len, TG_LINK_ETHERNET, &f),
				 TG_REASON_NONE);
		assert_true(f.payload_len > 0 && data[f.payload_off] >> 6 == 2);
	}
	return media;
}

static uint32_t check(const struct lab *lab)
{
	uint64_t bytes, want_bytes;
	const uint32_t want = expected(lab, &want_bytes);

	assert_int_equal(tg_media_find(lab->at, lab->n, &bytes), want);
	assert_int_equal(bytes, want_bytes);
	return want;
}

/* A frame among media of its own form, at each place of a group: alone it would be looked at alone. */
static void check_among(const struct tg_pkt *form, const uint8_t *data, size_t len)
{
	static const uint8_t rtp[160] = { 0x80 };
	static uint8_t media[TG_PKT_MAX];
	const size_t media_len = tg_pkt_build(form, rtp, sizeof(rtp), media);
	unsigned place, i;

	for (place = 0; place < 8; place++) {
		struct lab lab = { .n = 0 };

		for (i = 0; i < 8; i++)
			put(&lab, i == place ? data : media, i == place ? len : media_len);
		assert_int_equal(check(&lab) | 1u << place, 0xff);
	}
}

static const struct tg_pkt forms[] = {
	{ .dport = 20000 },
	{ .dport = 20000, .n_vlan = 1, .vlan = { 7 } },
	{ .dport = 20000, .ipv6 = true },
	{ .dport = 20000, .n_vlan = 1, .vlan = { 7 }, .ipv6 = true },
};

static void check_truncated(void *ctx, const uint8_t *data, size_t len)
{
	check_among(ctx, data, len);
}

static const struct tg_pkt cases[] = {
	{ .dport = 20000 },
	{ .dport = 20000, .pad_to = 100 },
	{ .dport = 20000, .pad_to = 128 },
	{ .dport = TG_PORT_MEDIA_MIN },
	{ .dport = TG_PORT_SCTP },
	{ .dport = TG_PORT_GTPU },
	{ .dport = 5060 },
	{ .dport = 65535, .bad_udp_checksum = true, .bad_ip_checksum = true },
	{ .dport = 20000, .n_vlan = 1, .vlan = { 0xefff } },
	{ .dport = 20000, .n_vlan = 1, .tpid = { TG_ETHERTYPE_QINQ } },
	{ .dport = 20000, .n_vlan = 2, .vlan = { 7, 8 } },
	{ .dport = 20000, .n_mpls = 1 },
	{ .dport = 20000, .ipv4_options = 4 },
	{ .dport = 20000, .ipv4_fragment = 0x2000 },
	{ .dport = 20000, .ipv4_fragment = 0x4000 },
	{ .dport = 20000, .ipv4_fragment = 0x8000 },
	{ .dport = 20000, .ipv4_fragment = 0x0001 },
	{ .dport = 20000, .ipv6 = true },
	{ .dport = 20000, .ipv6 = true, .n_ext = 1 },
	{ .dport = 20000, .n_vlan = 1, .ipv6 = true },
	{ .dport = 20000, .proto = TG_IPPROTO_TCP },
	{ .dport = 20000, .proto = TG_IPPROTO_SCTP },
	{ .dport = 20000, .dscp = 0xb8 },
};

TG_TEST(SIPT_5_media_among_media, TG_NEEDS_NOTHING)
{
	static const uint8_t first[] = { 0x80, 0xbf, 0x7f, 0xc0, 0xf8, 'I', 0 };
	static uint8_t frame[TG_PKT_MAX];
	size_t i, k, f;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		for (k = 0; k < TG_ARRAY_LEN(first); k++) {
			const uint8_t payload[40] = { first[k] };
			const size_t n = tg_pkt_build(&cases[i], payload, sizeof(payload), frame);

			for (f = 0; f < TG_ARRAY_LEN(forms); f++)
				check_among(&forms[f], frame, n);
		}
		for (f = 0; f < TG_ARRAY_LEN(forms); f++)
			tg_guard_truncate(frame, 90, check_truncated, (void *)(uintptr_t)&forms[f]);
	}
}

/* Every value of each byte of a head, and every value of each pair of bytes that are a length or a port. */
TG_TEST(SIPT_5_media_with_spoilt_heads, TG_NEEDS_NOTHING)
{
	static const size_t words[] = { 12, 16, 20, 36, 38 };
	static const uint8_t rtp[60] = { 0x80 };
	static uint8_t frame[TG_PKT_MAX];
	unsigned value;
	size_t f, w, at, n;

	for (f = 0; f < 2; f++) {
		n = tg_pkt_build(&forms[f], rtp, sizeof(rtp), frame);
		for (at = 12; at < 52; at++) {
			const uint8_t was = frame[at];

			for (value = 0; value < 256; value++) {
				frame[at] = (uint8_t)value;
				check_among(&forms[f], frame, n);
			}
			frame[at] = was;
		}
		for (w = 0; w < TG_ARRAY_LEN(words); w++) {
			struct lab lab;

			at = words[w] + (w > 0 ? 4 * f : 0);
			for (value = 0; value < 65536; value++) {
				uint8_t copy[TG_BURST / 4][128];

				lab.n = 0;
				for (unsigned i = 0; i < 8; i++) {
					memcpy(copy[i], frame, n);
					put(&lab, copy[i], n);
				}
				tg_store_be16(copy[value % 8] + at, (uint16_t)value);
				check(&lab);
			}
		}
	}
}

/* Both lengths at once, as far as a word goes round; the frame is as long as a buffer can say, or as short as it may be. */
TG_TEST(SIPT_5_media_with_lengths_that_wrap, TG_NEEDS_NOTHING)
{
	static const uint32_t frame_len[] = { 67, 68, 100, 1500, 65534, 65535 };
	static uint8_t frame[65536];
	static const uint8_t rtp[60] = { 0x80 };
	size_t f, k;
	int udp, more;

	for (f = 0; f < 2; f++) {
		const size_t shift = 4 * f;

		tg_pkt_build(&forms[f], rtp, sizeof(rtp), frame);
		for (k = 0; k < TG_ARRAY_LEN(frame_len); k++) {
			struct lab lab = { .n = 0 };
			uint64_t bytes;

			for (unsigned i = 0; i < 8; i++)
				put(&lab, frame, frame_len[k]);
			for (udp = 0; udp < 65536; udp++) {
				tg_store_be16(frame + 38 + shift, (uint16_t)udp);
				for (more = 18; more <= 22; more++) {
					tg_store_be16(frame + 16 + shift, (uint16_t)(udp + more));
					if ((tg_media_find(lab.at, 8, &bytes) == 0xff) !=
					    tg_frame_is_media(frame, frame_len[k]))
						fail_msg("%d and %d of %u", udp, more,
							 frame_len[k]);
				}
			}
		}
	}
}

/* Any number of frames, most of them media, some spoilt, cut or in several buffers. */
TG_TEST(SIPT_5_media_in_any_burst, TG_NEEDS_NOTHING)
{
	static uint8_t frame[TG_BURST][TG_PKT_MAX];
	static const uint8_t rtp[60] = { 0x80 };
	unsigned round, i;

	srand(7);
	for (round = 0; round < 20000; round++) {
		struct lab lab = { .n = 0 };
		const unsigned n = (unsigned)rand() % (TG_BURST + 1), odd = (unsigned)rand() % 20;
		const struct tg_pkt *const form = &forms[rand() % 4];

		for (i = 0; i < n; i++) {
			const bool is_odd = (unsigned)rand() % 100 < odd;
			size_t len = tg_pkt_build(
				is_odd ? &cases[(unsigned)rand() % TG_ARRAY_LEN(cases)] : form, rtp,
				sizeof(rtp), frame[i]);

			if (is_odd && rand() % 2)
				frame[i][12 + rand() % 40] ^= (uint8_t)(1 << rand() % 8);
			if (is_odd && rand() % 4 == 0)
				len = (unsigned)rand() % len;
			put(&lab, frame[i], len);
			if (is_odd && rand() % 4 == 0)
				lab.m[i].nb_segs = 2;
		}
		check(&lab);
	}
}

static void check_file(const char *path)
{
	size_t len, f;
	uint8_t *const bytes = tg_test_read_file(path, &len);
	struct tg_guard g = tg_guard_copy(bytes, len < KEPT_MAX ? len : KEPT_MAX);

	for (f = 0; f < TG_ARRAY_LEN(forms); f++)
		check_among(&forms[f], g.data, g.len);
	tg_guard_free(&g);
	free(bytes);
}

/* What the frame walk was fuzzed with, and bursts of frames. */
TG_TEST(SIPT_5_media_among_the_corpus, TG_NEEDS_NOTHING)
{
	glob_t found;
	size_t i;

	assert_int_equal(glob("tests/fuzz/corpus/frame/*", 0, NULL, &found), 0);
	assert_true(found.gl_pathc > 10);
	for (i = 0; i < found.gl_pathc; i++)
		check_file(found.gl_pathv[i]);
	globfree(&found);
}
