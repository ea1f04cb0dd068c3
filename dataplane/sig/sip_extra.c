/* SPDX-License-Identifier: BSD-3-Clause */
/* What only some policies ask of an INVITE. Not on the way of every message: one more walk. */
#include <string.h>

#include "dataplane/sig/sip_fields.h"
#include "dataplane/sig/sip_uri.h"

struct word {
	const char *text;
	uint8_t value;
};

static const struct word privacies[] = {
#define X(sym, name) { name, TG_PRIVACY_##sym },
	TG_PRIVACIES(X)
#undef X
};

static bool is_word(struct tg_span s, const char *word)
{
	return s.len > 0 && s.len == strlen(word) && tg_sip_same(s.data, word, s.len);
}

/* The next piece between any of the bytes in `separators` and white space; false at the end. */
static bool next_word(struct tg_span *rest, const char *separators, struct tg_span *word)
{
	const uint8_t *p = rest->data, *const end = rest->data + rest->len;

	while (p < end && (tg_sip_is_lws(*p) || strchr(separators, *p)))
		p++;
	word->data = p;
	while (p < end && !tg_sip_is_lws(*p) && (*p == 0 || !strchr(separators, *p)))
		p++;
	word->len = (uint32_t)(p - word->data);
	rest->len = (uint32_t)(end - p);
	rest->data = p;
	return word->len > 0;
}

/* RFC 3323 §4.2: priv-values between semicolons. */
static void read_privacy(struct tg_span value, struct tg_sig_extra *x)
{
	struct tg_span word;
	unsigned i;

	while (next_word(&value, ";,", &word))
		for (i = 0; i < TG_ARRAY_LEN(privacies); i++)
			if (is_word(word, privacies[i].text))
				x->privacy |= (uint8_t)(1u << privacies[i].value);
	if (x->privacy & ~(1u << TG_PRIVACY_NONE))
		x->traits |= 1u << TG_TRAIT_PRIVACY;
}

/* RFC 3261 §20.26, RFC 7090 §4 */
static void read_priority(struct tg_span value, struct tg_sig_extra *x)
{
	x->priority |= is_word(value, "emergency") || is_word(value, "psap-callback");
}

/* RFC 4412 §3.1: r-values, each namespace "." priority. ets and wps: §12.6.2 and 3; esnet: RFC 7135. */
static void read_resource_priority(struct tg_span value, struct tg_sig_extra *x)
{
	struct tg_span word;

	while (next_word(&value, ",", &word))
		x->priority |= TG_SIP_BEGINS(word.data, word.len, "ets.") ||
			       TG_SIP_BEGINS(word.data, word.len, "wps.") ||
			       TG_SIP_BEGINS(word.data, word.len, "esnet.");
}

/* 3GPP TS 24.229 §7.2A.12: a parameter of the tel URI that says who calls, as Q.763 §3.11 does. */
static void read_cpc(struct tg_span value, struct tg_sig_extra *x)
{
	uint32_t i;

	for (i = 0; i + 5 <= value.len; i++) {
		const uint8_t *const p = value.data + i + 5;
		const uint32_t left = value.len - i - 5;

		if (value.data[i] == ';' && tg_sip_same(value.data + i + 1, "cpc=", 4))
			x->priority |= TG_SIP_BEGINS(p, left, "priority") ||
				       TG_SIP_BEGINS(p, left, "emergency");
	}
}

/* The parameter `name` (lower case, with its ';' and '=') in [from, from + len), ended by a byte of
 * `ends` or white space; quotation marks around it are left out. */
static void find_param(struct tg_span in, const char *name, const char *ends, struct tg_span *out)
{
	const uint32_t n = (uint32_t)strlen(name);
	uint32_t i, end;

	if (out->data)
		return;
	for (i = 0; i + n <= in.len; i++) {
		if (in.data[i] != ';' || !tg_sip_same(in.data + i, name, n))
			continue;
		i += n;
		for (end = i; end < in.len && !tg_sip_is_lws(in.data[end]) && in.data[end] != 0 &&
			      !strchr(ends, in.data[end]);
		     end++)
			;
		if (end - i >= 2 && in.data[i] == '"' && in.data[end - 1] == '"') {
			i++;
			end--;
		}
		if (end > i)
			tg_sip_set_span(out, in.data + i, end - i);
		return;
	}
}

/* RFC 4904 §5: of the Contact's user part, so up to the '@'. */
static void read_contact(struct tg_span value, struct tg_sig_extra *x)
{
	const uint8_t *const at = value.len ? memchr(value.data, '@', value.len) : NULL;

	if (!at)
		return;
	value.len = (uint32_t)(at - value.data);
	find_param(value, ";tgrp=", ";", &x->tgrp);
	find_param(value, ";trunk-context=", ";", &x->trunk_context);
}

static void read_charging_vector(struct tg_span value, struct tg_sig_extra *x)
{
	find_param(value, ";orig-ioi=", ";,", &x->orig_ioi);
}

static void read_identity(struct tg_span value, struct tg_sig_extra *x)
{
	x->traits |= value.len > 0 ? 1u << TG_TRAIT_IDENTITY : 0;
}

static void read_replaces(struct tg_span value, struct tg_sig_extra *x)
{
	x->traits |= value.len > 0 ? 1u << TG_TRAIT_REPLACES : 0;
}

/* To add one: a row. */
static const struct {
	const char *name;
	char compact;
	void (*read)(struct tg_span value, struct tg_sig_extra *x);
} fields[] = {
	{ "privacy", 0, read_privacy },
	{ "priority", 0, read_priority },
	{ "resource-priority", 0, read_resource_priority },
	{ "from", 'f', read_cpc },
	{ "p-asserted-identity", 0, read_cpc },
	{ "contact", 'm', read_contact },
	{ "p-charging-vector", 0, read_charging_vector },
	{ "identity", 'y', read_identity },
	{ "replaces", 0, read_replaces },
	{ "join", 0, read_replaces },
};

static bool cseq_mismatch(const struct tg_sip *sip)
{
	struct tg_span rest = sip->cseq_value, word;

	return sip->cseq_value.len > 0 && next_word(&rest, "", &word) &&
	       !(next_word(&rest, "", &word) && word.len == 6 &&
		 memcmp(word.data, "INVITE", 6) == 0);
}

void tg_sip_extra_read(const struct tg_sip *sip, struct tg_sig_extra *x)
{
	const struct tg_span m = sip->sig.text;
	uint32_t at = tg_sip_fields_begin(m);
	struct tg_sip_field f;
	unsigned i;

	*x = (struct tg_sig_extra){ 0 };
	while (tg_sip_field_next(m, &at, &f)) {
		const struct tg_span value = { m.data + f.value, f.value_end - f.value };

		for (i = 0; i < TG_ARRAY_LEN(fields); i++)
			if (tg_sip_field_is(m, &f, fields[i].name, fields[i].compact))
				fields[i].read(value, x);
	}
	x->traits |= sip->duplicate ? 1u << TG_TRAIT_DUPLICATE : 0;
	x->traits |= cseq_mismatch(sip) ? 1u << TG_TRAIT_CSEQ_MISMATCH : 0;
	x->traits |= sip->sig.ids_left_out ? 1u << TG_TRAIT_IDS_LEFT_OUT : 0;
}
