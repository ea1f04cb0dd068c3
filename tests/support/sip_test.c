/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/sip_test.h"

#include <string.h>

static const char *const variants[] = { "avx512", "avx2", "portable", "grammar" };

static bool same_span(struct tg_span a, struct tg_span b)
{
	return a.data == b.data && a.len == b.len;
}

static bool same_identity(const struct tg_identity *a, const struct tg_identity *b)
{
	return a->num.v == b->num.v && a->raw_off == b->raw_off && a->raw_len == b->raw_len &&
	       a->source == b->source && a->role == b->role && a->cls == b->cls &&
	       a->flags == b->flags;
}

bool sip_test_same(const struct tg_sip *a, const struct tg_sip *b)
{
	unsigned i;

	for (i = 0; i < a->sig.n_ids && i < b->sig.n_ids; i++)
		if (!same_identity(&a->sig.id[i], &b->sig.id[i]))
			return false;
	for (i = 0; i < a->n_vias && i < b->n_vias; i++)
		if (!same_span(a->via[i], b->via[i]))
			return false;
	return a->sig.n_ids == b->sig.n_ids && a->sig.ids_left_out == b->sig.ids_left_out &&
	       a->sig.caller == b->sig.caller && a->sig.called == b->sig.called &&
	       a->method == b->method && a->cseq == b->cseq && a->n_vias == b->n_vias &&
	       a->vias_left_out == b->vias_left_out && a->duplicate == b->duplicate &&
	       a->via_port == b->via_port && same_span(a->branch, b->branch) &&
	       same_span(a->via_host, b->via_host) && same_span(a->rport, b->rport) &&
	       same_span(a->received, b->received) && same_span(a->from, b->from) &&
	       same_span(a->to, b->to) && same_span(a->call_id, b->call_id) &&
	       same_span(a->cseq_value, b->cseq_value) && same_span(a->from_tag, b->from_tag) &&
	       same_span(a->to_tag, b->to_tag);
}

static void check_inside(const uint8_t *data, size_t len, struct tg_span s)
{
	if (s.len > 0)
		assert_true(s.data >= data && s.data + s.len <= data + len);
}

static void check_variants(void *ctx, const uint8_t *data, size_t len)
{
	const struct tg_span text = { data, (uint32_t)len };
	enum tg_reason reason[TG_ARRAY_LEN(variants)];
	struct tg_sip sip[TG_ARRAY_LEN(variants)];
	unsigned v, n = 0, i;

	(void)ctx;
	for (v = 0; v < TG_ARRAY_LEN(variants); v++) {
		memset(&sip[n], 0x5a, sizeof(sip[n]));
		if (!tg_sip_variant_set(variants[v]))
			continue;
		assert_string_equal(tg_sip_variant(), variants[v]);
		reason[n] = tg_sip_parse(text, &sip[n]);
		n++;
	}
	tg_sip_variant_set(NULL);
	for (v = 1; v < n; v++) {
		assert_int_equal(reason[v], reason[0]);
		assert_true(sip_test_same(&sip[v], &sip[0]));
	}
	for (i = 0; i < sip[0].sig.n_ids; i++)
		check_inside(data, len, tg_identity_raw(&sip[0].sig, i));
	for (i = 0; i < sip[0].n_vias; i++)
		check_inside(data, len, sip[0].via[i]);
	check_inside(data, len, sip[0].from);
	check_inside(data, len, sip[0].to);
	check_inside(data, len, sip[0].call_id);
	check_inside(data, len, sip[0].cseq_value);
	check_inside(data, len, sip[0].branch);
}

enum tg_reason sip_test_parse(const void *text, size_t len, struct tg_sip *sip)
{
	tg_guard_truncate(text, len, check_variants, NULL);
	return tg_sip_parse((struct tg_span){ text, (uint32_t)len }, sip);
}

const char *sip_test_text(struct tg_span s)
{
	static char texts[4][20000];
	static unsigned at;
	char *text = texts[at++ % TG_ARRAY_LEN(texts)];

	if (!s.data)
		return "(none)";
	assert_true(s.len < sizeof(texts[0]));
	memcpy(text, s.data, s.len);
	text[s.len] = 0;
	return text;
}

const char *sip_test_raw(const struct tg_sip *sip, enum tg_id_source source, unsigned nth)
{
	unsigned i;

	for (i = 0; i < sip->sig.n_ids; i++)
		if (sip->sig.id[i].source == source && nth-- == 0)
			return sip_test_text(tg_identity_raw(&sip->sig, i));
	return NULL;
}
