/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any bytes through every edit. What comes out is a message again, its length is what the script says,
 * and it names the same identities but for those that were edited.
 */
#include <stdlib.h>
#include <string.h>

#include "tollgate/sip_isup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

#define EDITS 7

static struct tg_span span(const char *s)
{
	return (struct tg_span){ (const uint8_t *)s, (uint32_t)strlen(s) };
}

static bool edit(unsigned kind, const struct tg_sip *sip, struct tg_sip_edits *e)
{
	const struct tg_span m = sip->sig.text;

	switch (kind) {
	case 0:
		return tg_sip_edit_sink(m, span("+6599"), e);
	case 1:
		return tg_sip_edit_max_forwards(m, e);
	case 2:
		return tg_sip_edit_header(m, span("X-Tollgate: suspect"), e);
	case 3:
		return tg_sip_edit_display(m, span("[!] "), e);
	case 4:
		return tg_sip_edit_anonymise(m, TG_SIP_ANY_LENGTH, e);
	case 5:
		return tg_sip_edit_anonymise(m, TG_SIP_SAME_LENGTH, e);
	default:
		return tg_sip_edit_plus(sip, e);
	}
}

/* May this edit change what such an identity says? */
static bool may_change(unsigned kind, unsigned source)
{
	const bool caller = source == TG_ID_FROM || source == TG_ID_PAI || source == TG_ID_PPI ||
			    source == TG_ID_RPID;

	return kind == 0 ? source == TG_ID_REQUEST_URI : kind >= 4 && caller;
}

static void compare(unsigned kind, const struct tg_sip *before, const struct tg_sip *after)
{
	unsigned i;

	REQUIRE(before->sig.n_ids == after->sig.n_ids);
	REQUIRE(before->from_tag.len == after->from_tag.len);
	REQUIRE(before->call_id.len == after->call_id.len);
	for (i = 0; i < before->sig.n_ids; i++) {
		const struct tg_span a = tg_identity_raw(&before->sig, i);
		const struct tg_span b = tg_identity_raw(&after->sig, i);

		REQUIRE(before->sig.id[i].source == after->sig.id[i].source);
		if (may_change(kind, before->sig.id[i].source))
			continue;
		REQUIRE(a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0));
	}
}

static void check(unsigned kind, const struct tg_sip *sip)
{
	static uint8_t out[1 << 17];
	const struct tg_span m = sip->sig.text;
	struct tg_sip after;
	struct tg_sip_edits e;
	uint32_t length = m.len;
	unsigned n, i;

	tg_sip_edits_init(&e);
	if (!edit(kind, sip, &e)) {
		REQUIRE(e.n == 0 && !e.failed);
		return;
	}
	REQUIRE(e.n > 0 && !e.failed);
	for (i = 0; i < e.n; i++)
		length += e.edit[i].text_len - e.edit[i].len;
	n = tg_sip_edits_apply(m, &e, out, sizeof(out));
	REQUIRE(n == length);
	REQUIRE(kind > 1 || n == m.len);
	if (tg_sip_edits_same_length(&e)) {
		static uint8_t copy[1 << 17];

		memcpy(copy, m.data, m.len);
		tg_sip_edits_patch(&e, 0, copy, m.len / 3);
		tg_sip_edits_patch(&e, m.len / 3, copy + m.len / 3, m.len - m.len / 3);
		REQUIRE(memcmp(copy, out, m.len) == 0);
	}
	/* A header that only just fits may not any more. */
	if (n <= TG_SIP_MAX_HEADER_BYTES) {
		REQUIRE(tg_sip_parse((struct tg_span){ out, n }, &after) == TG_REASON_NONE);
		compare(kind, sip, &after);
	}
}

/* The IAM in a body: changed as asked, nothing else in it or around it. */
static void check_body(const struct tg_sip *sip, bool restrict_caller)
{
	static const uint8_t nines[TG_ISUP_DIGITS_MAX + 1] = "99999999999999999999999999999999";
	static uint8_t out[1 << 17];
	static struct tg_isup was, is;
	struct tg_sip before = *sip, after;
	struct tg_span digits = { nines, 0 }, raw;
	struct tg_sip_edits e;
	unsigned first, i;

	if (!tg_sip_isup_read(&before, NULL, &was, &first))
		return;
	tg_sip_edits_init(&e);
	digits.len = was.sig.id[was.sig.called].raw_len;
	if (!(restrict_caller ? tg_sip_isup_edit_restrict(sip, &e)
			      : tg_sip_isup_edit_called(sip, digits, &e))) {
		REQUIRE(e.n == 0 && !e.failed);
		return;
	}
	REQUIRE(tg_sip_edits_same_length(&e));
	REQUIRE(tg_sip_edits_apply(sip->sig.text, &e, out, sizeof(out)) == sip->sig.text.len);
	REQUIRE(memcmp(out, sip->sig.text.data, sip->body_off) == 0);
	REQUIRE(tg_sip_parse((struct tg_span){ out, sip->sig.text.len }, &after) == TG_REASON_NONE);
	REQUIRE(tg_sip_isup_read(&after, NULL, &is, &first) && is.sig.n_ids == was.sig.n_ids);
	for (i = 0; i < is.sig.n_ids; i++) {
		const bool called = i == is.sig.called && !restrict_caller;

		raw = tg_identity_raw(&is.sig, i);
		REQUIRE(raw.len == was.sig.id[i].raw_len);
		REQUIRE(memcmp(raw.data, called ? nines : tg_identity_raw(&was.sig, i).data,
			       raw.len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_sip_edits e;
	struct tg_sip sip;
	unsigned kind;

	if (size > 1 << 16)
		return 0;
	tg_sip_edits_init(&e);
	tg_sip_edit_status((struct tg_span){ data, (uint32_t)size }, 603, span("Decline"), &e);
	if (tg_sip_parse((struct tg_span){ data, (uint32_t)size }, &sip) != TG_REASON_NONE ||
	    sip.method != TG_SIP_INVITE)
		return 0;
	tg_sig_normalise(&sip.sig, NULL);
	for (kind = 0; kind < EDITS; kind++)
		check(kind, &sip);
	check_body(&sip, false);
	check_body(&sip, true);
	return 0;
}
