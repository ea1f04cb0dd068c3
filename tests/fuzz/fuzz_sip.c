/* SPDX-License-Identifier: BSD-3-Clause */
/* A datagram: all CPU variants read what the grammar alone reads, all spans lie inside, answers have no
 * stray line. */
#include <string.h>

#include "tollgate/sip_isup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool ok)
{
	if (!ok)
		__builtin_trap();
}

/* Every line of an answer ends with CRLF, and only the last one is empty. */
static void check_answer(const uint8_t *p, unsigned n)
{
	unsigned i;

	expect(n > 4 && memcmp(p + n - 4, "\r\n\r\n", 4) == 0);
	for (i = 0; i < n; i++) {
		expect(p[i] != '\r' || p[i + 1] == '\n');
		expect(p[i] != '\n' || (p[i - 1] == '\r' && (i == n - 1 || p[i + 1] != ' ')));
		expect(p[i] != '\n' || i + 2 >= n || p[i + 1] != '\r' || i + 3 == n);
	}
}

/* ISUP in the body: what is found lies in it, and identities stand behind those of the header. */
static void use_body(struct tg_sip *sip, struct tg_span text)
{
	static struct tg_isup isup;
	const unsigned n_ids = sip->sig.n_ids;
	struct tg_sip_isup at;
	unsigned first, i;
	const bool found = tg_sip_isup_find(sip, &at);

	expect(!found || (at.text.data >= text.data + sip->body_off &&
			  at.text.data + at.text.len <= text.data + text.len));
	/* A session description, or what begins like one, and a single byte are not looked into. */
	expect(!found || tg_sip_body(sip, false) != TG_SIP_BODY_CLEAR ||
	       text.data[sip->body_off] == 'v' || text.len - sip->body_off < 2);
	if (!tg_sip_isup_read(sip, NULL, &isup, &first)) {
		expect(sip->sig.n_ids == n_ids);
		return;
	}
	expect(found && first == n_ids && sip->sig.n_ids <= TG_SIG_MAX_IDS);
	for (i = first; i < sip->sig.n_ids; i++) {
		const struct tg_span raw = tg_identity_raw(&sip->sig, i);

		expect(raw.data >= (const uint8_t *)isup.text &&
		       raw.data + raw.len <= (const uint8_t *)isup.text + sizeof(isup.text));
	}
}

static void use(struct tg_sip *sip, struct tg_span text)
{
	static const struct tg_sip_source source = { "192.0.2.77", 5060 };
	static const struct tg_sip_answer answer = { .code = 603,
						     .phrase = { (const uint8_t *)"No", 2 } };
	static const uint8_t key[16];
	static uint8_t out[65536];
	char tag[TG_SIP_TAG_LEN];
	struct tg_sip_keys keys = { .sip = sip };
	struct tg_sig_extra extra;
	unsigned n, i;

	tg_sip_read_passports(sip);
	tg_sip_extra_read(sip, &extra);
	expect(sip->body_off <= text.len && tg_sip_body(sip, false) <= TG_SIP_BODY_ENCODED);
	expect(tg_sip_body(sip, true) >= tg_sip_body(sip, false));
	expect(extra.tgrp.len <= text.len && extra.traits >> TG_TRAIT_COUNT == 0);
	tg_sig_normalise(&sip->sig, NULL);
	for (i = 0; i < sip->sig.n_ids; i++)
		expect((size_t)sip->sig.id[i].raw_off + sip->sig.id[i].raw_len <= text.len);
	use_body(sip, text);
	expect(sip->sig.n_ids <= TG_SIG_MAX_IDS && sip->n_vias <= TG_SIP_MAX_VIAS);
	tg_sip_to_tag(sip, key, tag);
	(void)tg_sip_to_tag_is_ours(sip, key);
	tg_sip_keys_burst(&keys, 1, key);
	n = tg_sip_answer_build(sip, &answer, &source, tag, out, sizeof(out));
	if (n > 0)
		check_answer(out, n);
}

static bool same_span(struct tg_span a, struct tg_span b)
{
	return a.data == b.data && a.len == b.len;
}

static bool same(const struct tg_sip *a, const struct tg_sip *b)
{
	unsigned i;

	for (i = 0; i < a->n_vias && i < b->n_vias; i++)
		if (!same_span(a->via[i], b->via[i]))
			return false;
	return a->sig.n_ids == b->sig.n_ids && a->sig.ids_left_out == b->sig.ids_left_out &&
	       a->sig.caller == b->sig.caller && a->sig.called == b->sig.called &&
	       memcmp(a->sig.id, b->sig.id, a->sig.n_ids * sizeof(a->sig.id[0])) == 0 &&
	       a->method == b->method && a->n_vias == b->n_vias && a->cseq == b->cseq &&
	       same_span(a->from, b->from) && same_span(a->to, b->to) &&
	       same_span(a->from_tag, b->from_tag) && same_span(a->to_tag, b->to_tag) &&
	       same_span(a->call_id, b->call_id) && same_span(a->cseq_value, b->cseq_value) &&
	       same_span(a->branch, b->branch) && same_span(a->via_host, b->via_host) &&
	       same_span(a->rport, b->rport) && same_span(a->received, b->received) &&
	       a->via_port == b->via_port && a->body_off == b->body_off &&
	       a->vias_left_out == b->vias_left_out && a->duplicate == b->duplicate &&
	       a->n_passports == b->n_passports && a->passports_left_out == b->passports_left_out &&
	       (a->n_passports == 0 || same_span(a->passport[0], b->passport[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const variants[] = { "portable", "avx2", "avx512" };
	const struct tg_span text = { data, (uint32_t)size };
	struct tg_sip grammar, sip;
	enum tg_reason reason;
	unsigned v;

	tg_sip_variant_set("grammar");
	reason = tg_sip_parse(text, &grammar);
	for (v = 0; v < sizeof(variants) / sizeof(variants[0]); v++) {
		if (!tg_sip_variant_set(variants[v]))
			continue;
		expect(tg_sip_parse(text, &sip) == reason && same(&sip, &grammar));
	}
	tg_sip_variant_set(NULL);
	if (reason == TG_REASON_NONE)
		use(&sip, text);
	return 0;
}
