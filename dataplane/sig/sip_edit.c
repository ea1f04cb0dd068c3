/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The script, carrying it out, and the edits that keep every length: what may be done to a message on
 * any transport.
 */
#include "dataplane/sig/sip_edit.h"

#include <string.h>

#include "dataplane/sig/sip_fields.h"
#include "dataplane/sig/sip_text.h"

/* ---- the script -------------------------------------------------------------------------------- */

struct tg_sip_edits_mark tg_sip_edits_mark(const struct tg_sip_edits *e)
{
	return (struct tg_sip_edits_mark){ e->text_used, e->failed };
}

/* Edits are kept in the message's order, so those since the mark may stand anywhere: told by their text. */
bool tg_sip_edits_undo(struct tg_sip_edits *e, struct tg_sip_edits_mark mark)
{
	unsigned i, n = 0;

	for (i = 0; i < e->n; i++)
		if (e->edit[i].text_off < mark.text_used)
			e->edit[n++] = e->edit[i];
	e->n = n;
	e->text_used = mark.text_used;
	e->failed = mark.failed;
	return false;
}

uint8_t *tg_sip_edits_add(struct tg_sip_edits *e, uint32_t off, uint32_t len, uint32_t text_len)
{
	unsigned i = e->n;

	while (i > 0 && e->edit[i - 1].off >= off + len && (len > 0 || e->edit[i - 1].off > off))
		i--;
	if (e->failed || e->n == TG_SIP_EDITS_MAX || text_len == 0 ||
	    text_len > TG_SIP_EDITS_TEXT - e->text_used ||
	    (i > 0 && e->edit[i - 1].off + e->edit[i - 1].len > off)) {
		e->failed = true;
		return NULL;
	}
	memmove(&e->edit[i + 1], &e->edit[i], (e->n - i) * sizeof(e->edit[0]));
	e->edit[i] = (struct tg_sip_edit){
		.off = off,
		.len = len,
		.text_off = (uint16_t)e->text_used,
		.text_len = (uint16_t)text_len,
	};
	e->n++;
	e->text_used += text_len;
	return e->text + e->edit[i].text_off;
}

bool tg_sip_edits_same_length(const struct tg_sip_edits *e)
{
	unsigned i;

	for (i = 0; i < e->n; i++)
		if (e->edit[i].len != e->edit[i].text_len)
			return false;
	return !e->failed;
}

struct room {
	uint8_t *out;
	unsigned n;
	unsigned cap;
};

static bool put(struct room *r, const uint8_t *bytes, uint32_t len)
{
	if (r->cap - r->n < len)
		return false;
	memcpy(r->out + r->n, bytes, len);
	r->n += len;
	return true;
}

unsigned tg_sip_edits_apply(struct tg_span message, const struct tg_sip_edits *e, uint8_t *out,
			    unsigned cap)
{
	struct room r = { .out = out, .cap = cap };
	uint32_t at = 0;
	unsigned i;

	if (e->failed)
		return 0;
	for (i = 0; i < e->n; i++) {
		const struct tg_sip_edit *d = &e->edit[i];

		if (d->off < at || d->off > message.len || d->len > message.len - d->off ||
		    !put(&r, message.data + at, d->off - at) ||
		    !put(&r, e->text + d->text_off, d->text_len))
			return 0;
		at = d->off + d->len;
	}
	return put(&r, message.data + at, message.len - at) ? r.n : 0;
}

void tg_sip_edits_patch(const struct tg_sip_edits *e, uint32_t from, uint8_t *bytes, uint32_t len)
{
	unsigned i;

	for (i = 0; i < e->n; i++) {
		const struct tg_sip_edit *d = &e->edit[i];
		const uint32_t lo = d->off > from ? d->off : from;
		const uint32_t end = d->off + d->len;
		const uint32_t hi = end - from < len ? end : from + len;

		/* `end` before `from` wraps to a large number: nothing in common either way. */
		if (end > from && lo < hi)
			memcpy(bytes + (lo - from), e->text + d->text_off + (lo - d->off), hi - lo);
	}
}

/* ---- same length ------------------------------------------------------------------------------- */

/* The Request-URI's user part, before ':' and ';', and where the URI ends. */
struct target {
	uint32_t user;
	uint32_t user_end;
	uint32_t uri_end;
};

static bool is_uri_end(uint8_t c)
{
	return tg_sip_is_lws(c) || c == '>';
}

/* [scheme ":"] user [":" password] [";" params] "@" host, or a tel URI (RFC 3261 §19.1.1, RFC 3966 §3). */
static bool find_target(struct tg_span m, struct target *t)
{
	const uint32_t end = tg_sip_fields_begin(m);
	uint32_t i = 0, at = UINT32_MAX;

	while (i < end && tg_sip_is_lws(m.data[i]))
		i++;
	while (i < end && !tg_sip_is_lws(m.data[i])) /* the method */
		i++;
	while (i < end && (tg_sip_is_lws(m.data[i]) || m.data[i] == '<'))
		i++;
	t->user = i;
	while (t->user < end && m.data[t->user] != ':' && !is_uri_end(m.data[t->user]))
		t->user++;
	if (t->user == end || m.data[t->user] != ':')
		return false;
	t->uri_end = ++t->user;
	t->user_end = UINT32_MAX;
	for (; t->uri_end < end && !is_uri_end(m.data[t->uri_end]); t->uri_end++) {
		const uint8_t c = m.data[t->uri_end];

		if (c == '@' && at == UINT32_MAX)
			at = t->uri_end;
		if ((c == ':' || c == ';') && t->user_end == UINT32_MAX)
			t->user_end = t->uri_end;
	}
	if (at == UINT32_MAX) {
		if (t->user - i != 4 || !tg_sip_same(m.data + i, "tel:", 4))
			return false;
		at = t->uri_end;
	}
	t->user_end = t->user_end < at ? t->user_end : at;
	t->uri_end = at;
	return t->user_end > t->user;
}

static bool is_separator(uint8_t c)
{
	return c == '-' || c == '.' || c == '(' || c == ')'; /* RFC 3966 §3 visual-separator */
}

/* One character at *i of the user part becomes `c`, in the form that it had. */
static void replace_char(uint8_t *user, uint32_t len, uint32_t *i, uint8_t c)
{
	static const char hex[] = "0123456789ABCDEF";

	if (user[*i] == '%' && len - *i >= 3) {
		user[*i + 1] = (uint8_t)hex[c >> 4];
		user[*i + 2] = (uint8_t)hex[c & 15];
		*i += 3;
		return;
	}
	user[(*i)++] = c;
}

/* RFC 4694 §4: a routing number decides before the number itself; an unknown parameter is passed over
 * (RFC 3966 §5.1). */
static void unname_routing_number(struct tg_span m, const struct target *t, struct tg_sip_edits *e)
{
	uint32_t i;

	for (i = t->user_end; i + 4 <= t->uri_end; i++) {
		if (m.data[i] == ';' && TG_SIP_BEGINS(m.data + i + 1, t->uri_end - i - 1, "rn=")) {
			uint8_t *text = tg_sip_edits_add(e, i + 1, 1, 1);

			if (text)
				*text = 'x';
		}
	}
}

bool tg_sip_edit_sink(struct tg_span message, struct tg_span sink, struct tg_sip_edits *e)
{
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);
	struct target t;
	uint32_t len, i = 0, n = 0;
	uint8_t *user;

	if (sink.len == 0 || !find_target(message, &t))
		return false;
	len = t.user_end - t.user;
	user = tg_sip_edits_add(e, t.user, len, len);
	if (!user)
		return tg_sip_edits_undo(e, mark);
	memcpy(user, message.data + t.user, len);
	while (i < len) {
		if (is_separator(user[i])) {
			i++;
			continue;
		}
		replace_char(user, len, &i, n < sink.len ? sink.data[n] : '0');
		n++;
	}
	unname_routing_number(message, &t, e);
	return (n < sink.len || e->failed) ? tg_sip_edits_undo(e, mark) : true;
}

bool tg_sip_edit_max_forwards(struct tg_span message, struct tg_sip_edits *e)
{
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);
	uint32_t at = tg_sip_fields_begin(message), len, i;
	struct tg_sip_field f;
	bool found = false;
	uint8_t *text;

	/* All of several: which one the next hop reads is not known. */
	while (tg_sip_field_next(message, &at, &f)) {
		if (!tg_sip_field_is(message, &f, "max-forwards", 0))
			continue;
		len = f.value_end - f.value;
		for (i = f.value; i < f.value_end; i++)
			if ((uint8_t)(message.data[i] - '0') > 9)
				return tg_sip_edits_undo(e, mark);
		text = len > 0 ? tg_sip_edits_add(e, f.value, len, len) : NULL;
		if (!text)
			return tg_sip_edits_undo(e, mark);
		memset(text, ' ', len);
		text[len - 1] = '0';
		found = true;
	}
	return found;
}

#define STATUS_CODE 8 /* behind "SIP/2.0 " */
#define STATUS_PHRASE 12

bool tg_sip_edit_status(struct tg_span message, unsigned code, struct tg_span phrase,
			struct tg_sip_edits *e)
{
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);
	uint32_t begin = 0, end, len;
	uint8_t *text;

	while (begin < message.len && (message.data[begin] == '\r' || message.data[begin] == '\n'))
		begin++;
	end = tg_sip_fields_begin(message);
	while (end > begin && (message.data[end - 1] == '\r' || message.data[end - 1] == '\n'))
		end--;
	if (end - begin < STATUS_PHRASE || code < 100 || code > 699 ||
	    !TG_SIP_BEGINS(message.data + begin, end - begin, "sip/2.0 ") ||
	    message.data[begin + STATUS_PHRASE - 1] != ' ')
		return false;
	len = end - begin - STATUS_CODE;
	text = tg_sip_edits_add(e, begin + STATUS_CODE, len, len);
	if (!text)
		return tg_sip_edits_undo(e, mark);
	memset(text, ' ', len);
	text[0] = (uint8_t)('0' + code / 100);
	text[1] = (uint8_t)('0' + code / 10 % 10);
	text[2] = (uint8_t)('0' + code % 10);
	len -= STATUS_PHRASE - STATUS_CODE;
	if (phrase.len > 0 && len > 0)
		memcpy(text + 4, phrase.data, phrase.len < len ? phrase.len : len);
	return true;
}
