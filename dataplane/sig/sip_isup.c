/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of a body (RFC 2046 §5.1), down to the ISUP among them, and what it adds to an INVITE. */
#include "tollgate/sip_isup.h"

#include <string.h>

#include "dataplane/sig/sip_fields.h"
#include "dataplane/sig/sip_isup.h"
#include "dataplane/sig/sip_uri.h"
#include "tollgate/sip_stream.h"

/* ---- one entity: the message itself, or a part ------------------------------------------------- */

struct entity {
	struct tg_span type; /* value of Content-Type */
	struct tg_span body;
	bool base64;
	bool opaque; /* compressed, or in a transfer encoding that is not read */
};

/* RFC 2045 §6.1 */
static void read_transfer_encoding(struct entity *e, const uint8_t *p, uint32_t len)
{
	e->base64 = TG_SIP_IS(p, len, "base64");
	if (!e->base64 && !TG_SIP_IS(p, len, "binary") && !TG_SIP_IS(p, len, "8bit") &&
	    !TG_SIP_IS(p, len, "7bit") && len > 0)
		e->opaque = true;
}

/* Header fields from `at` on, the empty line, the body. */
static void read_entity(struct tg_span text, uint32_t at, struct entity *e)
{
	struct tg_sip_field f;

	*e = (struct entity){ .type = { NULL, 0 }, .body = { NULL, 0 } };
	while (tg_sip_field_next(text, &at, &f)) {
		const uint8_t *const value = text.data + f.value;
		const uint32_t len = f.value_end - f.value;

		if (e->type.len == 0 && tg_sip_field_is(text, &f, "content-type", 'c'))
			e->type = (struct tg_span){ value, len };
		else if (tg_sip_field_is(text, &f, "content-encoding", 'e'))
			e->opaque |= len > 0 && !TG_SIP_IS(value, len, "identity");
		else if (tg_sip_field_is(text, &f, "content-transfer-encoding", 0))
			read_transfer_encoding(e, value, len);
	}
	if (at < text.len && text.data[at] == '\r')
		at++;
	if (at < text.len && text.data[at] == '\n')
		e->body = (struct tg_span){ text.data + at + 1, text.len - at - 1 };
}

static bool is_type(struct tg_span type, const char *lower, uint32_t len)
{
	return type.len >= len && tg_sip_same(type.data, lower, len) &&
	       (type.len == len || type.data[len] == ';' || tg_sip_is_lws(type.data[len]));
}

/* A parameter of the media type, quotation marks left out; {NULL, 0}: it has none. */
static struct tg_span type_parameter(struct tg_span type, struct tg_span name)
{
	const uint8_t *const semicolon = memchr(type.data, ';', type.len);
	struct tg_sip_value v;
	struct tg_sip_param p;

	if (!semicolon)
		return (struct tg_span){ NULL, 0 };
	tg_sip_value_init(&v, type);
	if (!tg_sip_param_find(&v, (uint32_t)(semicolon - type.data), name, &p))
		return (struct tg_span){ NULL, 0 };
	if (p.value.len >= 2 && p.value.data[0] == '"')
		return (struct tg_span){ p.value.data + 1, p.value.len - 2 };
	return p.value;
}

static bool is_ansi(struct tg_span version)
{
	return TG_SIP_BEGINS(version.data, version.len, "ansi") ||
	       TG_SIP_BEGINS(version.data, version.len, "gr");
}

/* RFC 3204 §3.1: `base` is for who does not know `version`. Of those registered, ansi88, ansi00 and gr317 have
 * the IAM of T1.113; itu-t, etsi and ttc that of Q.763. */
static enum tg_isup_variant variant_of(struct tg_span type)
{
	return is_ansi(type_parameter(type, TG_SIP_NAME("version"))) ||
			       is_ansi(type_parameter(type, TG_SIP_NAME("base")))
		       ? TG_ISUP_ANSI
		       : TG_ISUP_ITU;
}

/* ---- multiparts -------------------------------------------------------------------------------- */

#define BOUNDARY_MAX 70 /* RFC 2046 §5.1.1; and no line costs more to compare with */

struct level {
	struct tg_span rest; /* behind the last delimiter */
	struct tg_span boundary;
	bool closed;
};

/* The line at `at` is a delimiter: offset behind it, else 0. */
static uint32_t match_delimiter(struct level *l, uint32_t at)
{
	const uint8_t *const p = l->rest.data;
	const uint32_t end = l->rest.len;

	if (end - at < l->boundary.len + 2 || p[at] != '-' || p[at + 1] != '-' ||
	    memcmp(p + at + 2, l->boundary.data, l->boundary.len) != 0)
		return 0;
	at += 2 + l->boundary.len;
	if (end - at >= 2 && p[at] == '-' && p[at + 1] == '-') {
		l->closed = true;
		return end;
	}
	while (at < end && tg_sip_is_wsp(p[at]))
		at++;
	if (at < end && p[at] == '\r')
		at++;
	if (at == end)
		return at;
	return p[at] == '\n' ? at + 1 : 0;
}

/* What stands before the next delimiter, without the line end that belongs to it; `rest` moves behind. A last
 * part whose delimiter is missing ends with the body. False: there is none. */
static bool next_part(struct level *l, struct tg_span *part)
{
	const uint8_t *const p = l->rest.data;
	uint32_t at = 0, behind;

	if (l->closed || l->rest.len == 0)
		return false;
	do {
		const uint8_t *lf;

		behind = match_delimiter(l, at);
		if (behind > 0)
			break;
		lf = memchr(p + at, '\n', l->rest.len - at);
		at = lf ? (uint32_t)(lf - p) + 1 : l->rest.len;
	} while (at < l->rest.len);
	*part = (struct tg_span){ p, at };
	if (behind == 0) {
		l->closed = true;
		return true;
	}
	part->len -= at > 0;
	part->len -= part->len > 0 && p[part->len - 1] == '\r';
	l->rest = (struct tg_span){ p + behind, l->rest.len - behind };
	return true;
}

struct search {
	struct level level[TG_SIP_ISUP_DEPTH];
	unsigned depth;
	struct tg_sip_isup *at;
	bool found;
};

/* False: nothing below what it is can be read. */
static void look_at(struct search *s, const struct entity *e)
{
	struct tg_span boundary, preamble;

	if (e->opaque || e->type.len == 0 || e->body.len == 0)
		return;
	if (is_type(e->type, "application/isup", sizeof("application/isup") - 1)) {
		s->at->several = s->found;
		if (!s->found)
			*s->at = (struct tg_sip_isup){
				.text = e->body,
				.base64 = e->base64,
				.variant = (uint8_t)variant_of(e->type),
			};
		s->found = true;
		return;
	}
	if (!TG_SIP_BEGINS(e->type.data, e->type.len, "multipart/") ||
	    s->depth == TG_SIP_ISUP_DEPTH)
		return;
	boundary = type_parameter(e->type, TG_SIP_NAME("boundary"));
	if (boundary.len == 0 || boundary.len > BOUNDARY_MAX)
		return;
	s->level[s->depth] = (struct level){ .rest = e->body, .boundary = boundary };
	if (next_part(&s->level[s->depth], &preamble))
		s->depth++;
}

/* Content-Length of a datagram: what is behind the body is nobody's (RFC 3261 §18.3). */
static struct tg_span without_trailer(const struct tg_sip *sip, struct tg_span body)
{
	const int64_t length = tg_sip_content_length(sip->sig.text);

	if (length >= 0 && length < body.len)
		body.len = (uint32_t)length;
	return body;
}

bool tg_sip_isup_find(const struct tg_sip *sip, struct tg_sip_isup *at)
{
	const struct tg_span m = sip->sig.text;
	struct search s = { .at = at };
	struct tg_span part;
	struct entity e;

	if (sip->body_off == 0 || sip->body_off >= m.len)
		return false;
	read_entity(m, tg_sip_fields_begin(m), &e);
	e.body = without_trailer(sip,
				 (struct tg_span){ m.data + sip->body_off, m.len - sip->body_off });
	look_at(&s, &e);
	while (s.depth > 0) {
		if (!next_part(&s.level[s.depth - 1], &part)) {
			s.depth--;
			continue;
		}
		read_entity(part, 0, &e);
		look_at(&s, &e);
	}
	return s.found;
}

/* ---- reading it -------------------------------------------------------------------------------- */

/* RFC 2045 §6.8: characters outside the alphabet are passed over. */
static bool decode(struct tg_span text, uint8_t *out, uint32_t *len)
{
	uint32_t acc = 0, bits = 0, i;

	*len = 0;
	for (i = 0; i < text.len && text.data[i] != '='; i++) {
		const int v = tg_base64_sextet(text.data[i], TG_SIP_ISUP_BASE64);

		if (v < 0)
			continue;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (*len == TG_SIP_ISUP_MAX)
			return false;
		out[(*len)++] = (uint8_t)(acc >> bits);
	}
	return *len > 0;
}

bool tg_sip_isup_octets(const struct tg_sip_isup *at, uint8_t out[TG_SIP_ISUP_MAX], uint32_t *len)
{
	if (at->base64)
		return decode(at->text, out, len);
	*len = at->text.len;
	if (*len > TG_SIP_ISUP_MAX)
		return false;
	memcpy(out, at->text.data, *len);
	return true;
}

static void add_identities(struct tg_sig_msg *m, const struct tg_isup *isup)
{
	const unsigned room = TG_SIG_MAX_IDS - m->n_ids;
	const unsigned n = isup->sig.n_ids < room ? isup->sig.n_ids : room;
	const unsigned left_out = m->ids_left_out + isup->sig.ids_left_out + isup->sig.n_ids - n;

	memcpy(&m->id[m->n_ids], isup->sig.id, n * sizeof(m->id[0]));
	m->n_ids += (uint8_t)n;
	m->ids_left_out = (uint8_t)(left_out < UINT8_MAX ? left_out : UINT8_MAX);
	m->digits = isup->sig.digits;
}

bool tg_sip_isup_read(struct tg_sip *sip, const struct tg_num_profile *profile,
		      struct tg_isup *isup, unsigned *first_party)
{
	uint8_t octets[TG_SIP_ISUP_MAX];
	struct tg_sip_isup at;
	uint32_t len;

	if (!tg_sip_isup_find(sip, &at) || !tg_sip_isup_octets(&at, octets, &len) ||
	    tg_isup_read_encapsulated((struct tg_span){ octets, len },
				      (enum tg_isup_variant)at.variant, isup) != TG_REASON_NONE ||
	    isup->type != TG_ISUP_IAM)
		return false;
	tg_isup_normalise(isup, profile);
	*first_party = sip->sig.n_ids;
	add_identities(&sip->sig, isup);
	return true;
}
