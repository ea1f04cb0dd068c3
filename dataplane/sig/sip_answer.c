/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stateless answer (RFC 3261 §8.2.6, §8.2.7) and the keyed hashes that stand in for state.
 */
#include <sodium.h>
#include <string.h>

#include "dataplane/sig/sip_text.h"
#include "dataplane/sig/sip_uri.h"
#include "dataplane/sig/sip_via.h"
#include "dataplane/sig/siphash.h"
#include "tollgate/load.h"
#include "tollgate/sip.h"

static_assert(crypto_shorthash_KEYBYTES == 16, "keys have 16 bytes");
static_assert(crypto_shorthash_BYTES == 8, "a tag is made from 64 bits");

/* ---- keyed hashes ---- */

/* What a hash is for: no tag is ever a transaction key. */
#define PURPOSE_TAG 0x746f2d7461670000ull
#define PURPOSE_CALL 0x63616c6c00000000ull
#define PURPOSE_TRANSACTION 0x7472616e73000000ull

#define INNER_KEY_MASK 0x36

struct fields {
	uint64_t purpose;
	uint64_t cseq;
	uint64_t n;
	uint64_t hash[3];
};

static_assert(sizeof(struct fields) == 48, "hashed as bytes: no padding");

/*
 * Fields of any length without a copy: each is hashed under the inner key, the outer hash is over the
 * fixed-size list of these. Two lists collide only if SipHash does; where one field ends and the
 * next begins cannot be shifted.
 */
static uint64_t hash_fields(const uint8_t *key, uint64_t purpose, uint32_t cseq,
			    const struct tg_span *field, unsigned n)
{
	struct fields f = { .purpose = purpose, .cseq = cseq, .n = n };
	uint8_t inner[crypto_shorthash_KEYBYTES];
	uint64_t out;
	unsigned i;

	for (i = 0; i < sizeof(inner); i++)
		inner[i] = key[i] ^ INNER_KEY_MASK;
	for (i = 0; i < n; i++)
		crypto_shorthash((uint8_t *)&f.hash[i], field[i].len ? field[i].data : inner,
				 field[i].len, inner);
	crypto_shorthash((uint8_t *)&out, (const uint8_t *)&f, sizeof(f), key);
	return out;
}

/* Marks a tag as possibly ours, so that others cost no hash. */
static const char tag_magic[2] = { 't', 'g' };

static_assert(sizeof(tag_magic) + 13 == TG_SIP_TAG_LEN, "13 characters of 5 bits hold 64 bits");

void tg_sip_to_tag(const struct tg_sip *sip, const uint8_t *key, char tag[TG_SIP_TAG_LEN])
{
	static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";
	const struct tg_span field[] = { sip->call_id, sip->from_tag, sip->branch };
	uint64_t h = hash_fields(key, PURPOSE_TAG, sip->cseq, field, TG_ARRAY_LEN(field));
	unsigned i;

	memcpy(tag, tag_magic, sizeof(tag_magic));
	for (i = sizeof(tag_magic); i < TG_SIP_TAG_LEN; i++, h >>= 5)
		tag[i] = base32[h & 31];
}

bool tg_sip_to_tag_is_ours(const struct tg_sip *sip, const uint8_t *key)
{
	char tag[TG_SIP_TAG_LEN];

	if (sip->to_tag.len != TG_SIP_TAG_LEN ||
	    memcmp(sip->to_tag.data, tag_magic, sizeof(tag_magic)) != 0)
		return false;
	tg_sip_to_tag(sip, key, tag);
	return sodium_memcmp(sip->to_tag.data, tag, sizeof(tag)) == 0;
}

/*
 * What is hashed for a transaction or a call of the usual length: two fields one behind the other, for one
 * pass over a copy costs a third of three hashes. The lengths, in front, say where they end.
 */
#define FLAT_HEAD 8
#define FLAT_MAX (TG_SIPHASH_TEXT_MAX - FLAT_HEAD)
#define FLAT_CALL 0x8000 /* no length: tells a call from a transaction */
#define FLAT_COPY 64 /* bytes, copied at once where so many may be read: most fields have less */

static_assert(FLAT_HEAD + FLAT_MAX + FLAT_COPY <= sizeof(((struct tg_siphash_text *)0)->bytes),
	      "room for what a copy at once writes too much");

/* Two fields, and what they are hashed for. */
struct pair {
	uint64_t purpose;
	uint32_t cseq;
	uint16_t flat;
	struct tg_span field[2];
};

static struct pair transaction_of(const struct tg_sip *sip)
{
	return (struct pair){ PURPOSE_TRANSACTION, sip->cseq, 0, { sip->branch, sip->call_id } };
}

static struct pair call_of(const struct tg_sip *sip)
{
	return (struct pair){ PURPOSE_CALL, 0, FLAT_CALL, { sip->from_tag, sip->call_id } };
}

static void copy_field(uint8_t *to, struct tg_span field, struct tg_span message)
{
	const uint8_t *const end = message.data + message.len;

	if (tg_likely(field.len <= FLAT_COPY && field.len > 0 && end - field.data >= FLAT_COPY))
		memcpy(to, field.data, FLAT_COPY);
	else if (field.len > 0)
		memcpy(to, field.data, field.len);
}

/* False: too long to be copied. */
static bool flatten(const struct pair *p, struct tg_span message, struct tg_siphash_text *t)
{
	const struct tg_span one = p->field[0], other = p->field[1];
	const uint16_t len[2] = { (uint16_t)(one.len | p->flat), (uint16_t)other.len };

	if (tg_unlikely(one.len + other.len > FLAT_MAX))
		return false;
	memcpy(t->bytes, &p->cseq, sizeof(p->cseq));
	memcpy(t->bytes + sizeof(p->cseq), len, sizeof(len));
	copy_field(t->bytes + FLAT_HEAD, one, message);
	copy_field(t->bytes + FLAT_HEAD + one.len, other, message);
	t->len = FLAT_HEAD + one.len + other.len;
	return true;
}

/* Texts of n pairs. Returns a bit for each that is too long to be one. */
TG_ALWAYS_INLINE unsigned flatten_pairs(struct pair (*pair_of)(const struct tg_sip *sip),
					const struct tg_sip_keys *keys, unsigned n,
					struct tg_siphash_text *text)
{
	unsigned too_long = 0, i;

	for (i = 0; i < n; i++) {
		const struct pair p = pair_of(keys[i].sip);

		if (tg_unlikely(!flatten(&p, keys[i].sip->sig.text, &text[i]))) {
			too_long |= 1u << i;
			text[i].len = 0;
		}
	}
	return too_long;
}

TG_ALWAYS_INLINE void hash_long_pairs(struct pair (*pair_of)(const struct tg_sip *sip),
				      const uint8_t *key, const struct tg_sip_keys *keys,
				      unsigned too_long, uint64_t *hash)
{
	for (; too_long; too_long &= too_long - 1) {
		const unsigned i = (unsigned)__builtin_ctz(too_long);
		const struct pair p = pair_of(keys[i].sip);

		hash[i] = hash_fields(key, p.purpose, p.cseq, p.field, TG_ARRAY_LEN(p.field));
	}
}

void tg_sip_keys_burst(struct tg_sip_keys *keys, unsigned n, const uint8_t *key)
{
	struct tg_siphash_text text[2 * TG_SIPHASH_LANES];
	uint64_t hash[2 * TG_SIPHASH_LANES];
	unsigned at, part, i;

	for (at = 0; at < n; at += part, keys += part) {
		unsigned long_transactions, long_calls;

		part = n - at < TG_SIPHASH_LANES ? n - at : TG_SIPHASH_LANES;
		long_transactions = flatten_pairs(transaction_of, keys, part, text);
		long_calls = flatten_pairs(call_of, keys, part, text + part);
		/* Few messages have room beside each other for both. */
		if (2 * part <= TG_SIPHASH_LANES) {
			tg_scan->hash(key, text, 2 * part, hash);
		} else {
			tg_scan->hash(key, text, part, hash);
			tg_scan->hash(key, text + part, part, hash + part);
		}
		hash_long_pairs(transaction_of, key, keys, long_transactions, hash);
		hash_long_pairs(call_of, key, keys, long_calls, hash + part);
		for (i = 0; i < part; i++) {
			keys[i].transaction = hash[i];
			keys[i].call = hash[part + i];
		}
	}
}

/* ---- the answer ---- */

struct writer {
	uint8_t *out;
	unsigned n;
	unsigned cap;
	bool failed; /* did not fit, or a line end where none may be; sticky */
};

static void put(struct writer *w, const void *bytes, unsigned n)
{
	if (w->failed || w->cap - w->n < n) {
		w->failed = true;
		return;
	}
	memcpy(w->out + w->n, bytes, n);
	w->n += n;
}

static void put_text(struct writer *w, const char *text)
{
	put(w, text, (unsigned)strlen(text));
}

static void put_number(struct writer *w, unsigned v)
{
	char digits[10];
	unsigned at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	put(w, digits + at, (unsigned)sizeof(digits) - at);
}

/* Bytes without a line end: what somebody else put into a line of ours. */
static void put_line_part(struct writer *w, const uint8_t *p, uint32_t n)
{
	if (n > 0 && (memchr(p, '\r', n) || memchr(p, '\n', n)))
		w->failed = true;
	else if (n > 0)
		put(w, p, n);
}

/*
 * A value as on the wire, on one line: a fold is white space (RFC 3261 §7.3.1), so its line end is
 * left out and the white space behind it stays. Any other CR or LF would end our line: refused.
 */
static void put_value(struct writer *w, const uint8_t *p, uint32_t n)
{
	uint32_t from = 0, lf;

	for (lf = 0; lf < n; lf++) {
		uint32_t end = lf;

		if (p[lf] != '\n')
			continue;
		if (lf + 1 < n && !tg_sip_is_wsp(p[lf + 1]))
			w->failed = true;
		end -= end > from && p[end - 1] == '\r';
		put_line_part(w, p + from, end - from);
		from = lf + 1;
	}
	put_line_part(w, p + from, n - from);
}

static void put_header(struct writer *w, const char *name, struct tg_span value)
{
	put_text(w, name);
	put_value(w, value.data, value.len);
	put_text(w, "\r\n");
}

/* A line of the policy's own. */
static void put_optional(struct writer *w, const char *name, struct tg_span value)
{
	if (value.len == 0)
		return;
	put_text(w, name);
	put_line_part(w, value.data, value.len);
	put_text(w, "\r\n");
}

#define MAX_EDITS 3 /* rport's value; received= and its value, or only its value */

/* Something that replaces bytes [from, to) of the topmost Via: `text`, then a number if not zero. */
struct edit {
	uint32_t from;
	uint32_t to;
	const char *text;
	unsigned number;
};

/* RFC 3261 §18.2.1: textually, or it is a name. An IPv6 sent-by has brackets, a source none. */
static bool is_source(struct tg_span host, const char *source)
{
	const size_t n = strlen(source);

	if (host.len == n + 2 && host.data[0] == '[') {
		host.data++;
		host.len -= 2;
	}
	return host.len == n && memcmp(host.data, source, n) == 0;
}

/*
 * received= when the sent-by host is not the source (RFC 3261 §18.2.1) or rport was asked for
 * (RFC 3581 §4); a received= that the sender wrote is replaced, not believed. Edits in order.
 */
static unsigned plan_edits(const struct tg_sip_value *v, const struct tg_sip_via *via,
			   const struct tg_sip_source *source, struct edit edit[MAX_EDITS])
{
	const bool wants_rport = via->rport.data != NULL;
	const bool wants_received = wants_rport || !is_source(via->host, source->text);
	unsigned n = 0;

	if (wants_received && via->received.data) {
		const uint32_t from = (uint32_t)(via->received.data - v->p);

		edit[n++] = (struct edit){ from, from + via->received.len, source->text, 0 };
	}
	if (wants_rport) {
		const struct edit e = { (uint32_t)(via->rport.data - v->p) + via->rport.len,
					via->rport_end, "=", source->port };

		if (n == 1 && e.from < edit[0].from) {
			edit[1] = edit[0];
			edit[0] = e;
			n++;
		} else {
			edit[n++] = e;
		}
	}
	if (wants_received && !via->received.data) {
		edit[n++] = (struct edit){ via->end, via->end, ";received=", 0 };
		edit[n++] = (struct edit){ via->end, via->end, source->text, 0 };
	}
	return n;
}

static void put_top_via(struct writer *w, const struct tg_sip *sip,
			const struct tg_sip_source *source)
{
	const struct tg_span text = sip->via[0];
	struct tg_sip_value v;
	struct tg_sip_via via;
	struct edit edit[MAX_EDITS];
	uint32_t at = 0;
	unsigned n, i;

	tg_sip_value_init(&v, text);
	tg_sip_via_read(&v, 0, &via);
	if (!via.well_formed) {
		w->failed = true;
		return;
	}
	n = plan_edits(&v, &via, source, edit);
	put_text(w, "Via: ");
	for (i = 0; i < n; i++) {
		put_value(w, text.data + at, edit[i].from - at);
		put_text(w, edit[i].text);
		if (edit[i].number)
			put_number(w, edit[i].number);
		at = edit[i].to;
	}
	put_value(w, text.data + at, text.len - at);
	put_text(w, "\r\n");
}

/* RFC 3261 §8.2.6.2: the request's To and our tag. A tag parameter without value is filled in. */
static void put_to(struct writer *w, struct tg_span to, const char *tag)
{
	struct tg_sip_param p;
	struct tg_sip_value v;
	struct tg_sip_addr a;
	const char *assign = ";tag=";
	uint32_t at = to.len, rest = to.len;

	tg_sip_value_init(&v, to);
	tg_sip_addr_read(&v, 0, false, &a);
	if (tg_sip_param_find(&v, a.params, TG_SIP_NAME("tag"), &p)) {
		assign = "=";
		at = (uint32_t)(p.name.data - to.data) + p.name.len;
		rest = p.end;
		w->failed |= p.value.len > 0;
	}
	w->failed |= !a.well_formed || v.unbalanced;
	put_text(w, "To: ");
	put_value(w, to.data, at);
	put_text(w, assign);
	put(w, tag, TG_SIP_TAG_LEN);
	put_value(w, to.data + rest, to.len - rest);
	put_text(w, "\r\n");
}

static bool can_be_answered(const struct tg_sip *sip, const struct tg_sip_answer *answer,
			    const struct tg_sip_source *source)
{
	return sip->method == TG_SIP_INVITE && !sip->duplicate && !sip->vias_left_out &&
	       sip->n_vias > 0 && sip->from.data && sip->to.data && sip->call_id.data &&
	       sip->cseq_value.data && answer->code >= 300 && answer->code <= 699 &&
	       source->text[0] != 0 && source->port != 0;
}

unsigned tg_sip_answer_build(const struct tg_sip *sip, const struct tg_sip_answer *answer,
			     const struct tg_sip_source *source, const char tag[TG_SIP_TAG_LEN],
			     uint8_t *out, unsigned cap)
{
	struct writer w = { .out = out, .cap = cap };
	unsigned i;

	if (!can_be_answered(sip, answer, source))
		return 0;
	put_text(&w, "SIP/2.0 ");
	put_number(&w, answer->code);
	put_text(&w, " ");
	put_line_part(&w, answer->phrase.data, answer->phrase.len);
	put_text(&w, "\r\n");
	put_top_via(&w, sip, source);
	for (i = 1; i < sip->n_vias; i++)
		put_header(&w, "Via: ", sip->via[i]);
	put_header(&w, "From: ", sip->from);
	put_to(&w, sip->to, tag);
	put_header(&w, "Call-ID: ", sip->call_id);
	put_header(&w, "CSeq: ", sip->cseq_value);
	put_optional(&w, "Contact: ", answer->contact);
	put_optional(&w, "Reason: ", answer->reason);
	put_optional(&w, "Call-Info: ", answer->call_info);
	put_text(&w, "Content-Length: 0\r\n\r\n");
	return w.failed ? 0 : w.n;
}
