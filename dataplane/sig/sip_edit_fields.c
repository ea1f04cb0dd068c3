/* SPDX-License-Identifier: BSD-3-Clause */
/* Edits to header fields: marks and anonymity. */
#include <string.h>

#include "dataplane/sig/sip_edit.h"
#include "dataplane/sig/sip_fields.h"
#include "dataplane/sig/sip_uri.h"

static struct tg_span literal(const char *s)
{
	return (struct tg_span){ (const uint8_t *)s, (uint32_t)strlen(s) };
}

static void add(struct tg_sip_edits *e, uint32_t off, uint32_t len, struct tg_span text)
{
	uint8_t *to = tg_sip_edits_add(e, off, len, text.len);

	if (to)
		memcpy(to, text.data, text.len);
}

static void insert(struct tg_sip_edits *e, uint32_t off, const char *text)
{
	add(e, off, 0, literal(text));
}

/* ---- header lines ------------------------------------------------------------------------------ */

bool tg_sip_edit_header(struct tg_span message, struct tg_span line, struct tg_sip_edits *e)
{
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);
	uint32_t at = tg_sip_fields_begin(message);
	struct tg_sip_field f;

	while (tg_sip_field_next(message, &at, &f))
		;
	/* A header that was cut, or is too long to be read, has no end to write at. */
	if (line.len == 0 || at == 0 || message.data[at - 1] != '\n' ||
	    (at == TG_SIP_MAX_HEADER_BYTES && at < message.len))
		return false;
	add(e, at, 0, line);
	insert(e, at, "\r\n");
	return e->failed ? tg_sip_edits_undo(e, mark) : true;
}

/* ---- addresses --------------------------------------------------------------------------------- */

/* One address in a header field. Offsets into the message. */
struct place {
	uint32_t begin;
	uint32_t end;  /* behind '>', or behind an addr-spec */
	uint32_t next; /* where the next member of a list begins; 0 = none */
	bool angle;
	struct tg_sip_addr addr;
};

/* The address at `at`; false if it is not well formed: then nobody can tell what would be changed. */
static bool read_place(struct tg_span message, const struct tg_sip_field *f, uint32_t at, bool list,
		       struct place *pl)
{
	const uint8_t *const p = message.data;
	struct tg_sip_value v;
	uint32_t end;

	at = tg_sip_skip_lws(p, at, f->value_end);
	if (at == f->value_end)
		return false;
	tg_sip_value_init(&v, (struct tg_span){ p + at, f->value_end - at });
	tg_sip_addr_read(&v, 0, list, &pl->addr);
	end = list ? tg_sip_member_end(&v, pl->addr.params) : v.len;
	if (!pl->addr.well_formed || v.unbalanced || pl->addr.params == 0)
		return false;
	pl->begin = at;
	pl->end = tg_sip_trim_lws(p, at, at + pl->addr.params);
	pl->angle = p[pl->end - 1] == '>';
	pl->next = end < v.len ? at + end + 1 : 0;
	return pl->end > at;
}

/* ---- display names ----------------------------------------------------------------------------- */

static bool prefix_place(struct tg_span message, const struct place *pl, struct tg_span prefix,
			 struct tg_sip_edits *e)
{
	const uint8_t *const p = message.data + pl->begin;
	const uint32_t len = pl->end - pl->begin;
	const uint8_t *angle;
	uint32_t display;

	if (p[0] == '"') {
		add(e, pl->begin + 1, 0, prefix);
		return true;
	}
	angle = pl->angle ? memchr(p, '<', len) : p;
	if (!angle || (!pl->angle && (memchr(p, '<', len) || memchr(p, '>', len))))
		return false;
	display = tg_sip_trim_lws(p, 0, (uint32_t)(angle - p));
	/* RFC 3261 §25.1: tokens and white space, which quotation marks may hold as well. */
	if (display > 0 && (memchr(p, '"', display) || memchr(p, '\\', display)))
		return false;
	insert(e, pl->begin, "\"");
	add(e, pl->begin, 0, prefix);
	insert(e, pl->begin + display, "\"");
	if (display == 0)
		insert(e, pl->begin, " ");
	if (!pl->angle) {
		insert(e, pl->begin, "<");
		insert(e, pl->end, ">");
	}
	return true;
}

bool tg_sip_edit_display(struct tg_span message, struct tg_span prefix, struct tg_sip_edits *e)
{
	static const struct {
		const char *name;
		char compact;
	} fields[] = { { "from", 'f' }, { "p-asserted-identity", 0 } };
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);
	struct tg_sip_field f;
	struct place pl;
	unsigned i;

	if (prefix.len == 0)
		return false;
	for (i = 0; i < TG_ARRAY_LEN(fields); i++) {
		if (!tg_sip_field_find(message, fields[i].name, fields[i].compact, &f))
			continue;
		if (!read_place(message, &f, f.value, i > 0, &pl) ||
		    !prefix_place(message, &pl, prefix, e))
			return tg_sip_edits_undo(e, mark);
	}
	return e->failed ? tg_sip_edits_undo(e, mark) : e->text_used > mark.text_used;
}

/* ---- anonymity --------------------------------------------------------------------------------- */

/* RFC 3323 §4.1.1.3, RFC 3261 §8.1.1.3 */
#define ANONYMOUS_USER "<sip:anonymous@"
#define ANONYMOUS_ADDRESS ANONYMOUS_USER "anonymous.invalid>"
#define ANONYMOUS "\"Anonymous\" " ANONYMOUS_ADDRESS

/* The longest of them that is no longer than the address, filled with spaces behind it. */
static bool hide_in_place(struct tg_span message, const struct place *pl, struct tg_sip_edits *e)
{
	const uint32_t len = pl->end - pl->begin;
	const uint8_t *const p = message.data + pl->begin;
	struct tg_span text = literal(ANONYMOUS), host = { NULL, 0 };
	const uint8_t *at;
	uint8_t *to;

	if (text.len > len)
		text = literal(ANONYMOUS_ADDRESS);
	if (text.len > len) {
		text = literal(ANONYMOUS_USER);
		at = pl->addr.user.data ? memchr(pl->addr.user.data, '@',
						 (size_t)(p + len - pl->addr.user.data))
					: NULL;
		if (!at)
			return false;
		host = (struct tg_span){ at + 1, (uint32_t)(p + len - at) - 1 - pl->angle };
		if (memchr(host.data, '<', host.len) || memchr(host.data, '>', host.len))
			return false;
	}
	if (text.len + host.len + (host.data != NULL) > len)
		return false;
	to = tg_sip_edits_add(e, pl->begin, len, len);
	if (!to)
		return false;
	memset(to, ' ', len);
	memcpy(to, text.data, text.len);
	if (host.data) {
		memcpy(to + text.len, host.data, host.len);
		to[text.len + host.len] = '>';
	}
	return true;
}

static bool hide_field(struct tg_span message, const struct tg_sip_field *f, bool list,
		       enum tg_sip_length length, struct tg_sip_edits *e)
{
	uint32_t at = f->value;
	struct place pl;

	do {
		if (!read_place(message, f, at, list, &pl))
			return false;
		if (length == TG_SIP_ANY_LENGTH)
			add(e, pl.begin, pl.end - pl.begin, literal(ANONYMOUS));
		else if (!hide_in_place(message, &pl, e))
			return false;
		at = pl.next;
	} while (at != 0);
	return true;
}

/* RFC 3323 §4.2: "none" asks for the opposite; anything else already asks for privacy. */
static void ask_for_privacy(struct tg_span message, struct tg_sip_edits *e)
{
	struct tg_sip_field f;

	if (!tg_sip_field_find(message, "privacy", 0, &f))
		tg_sip_edit_header(message, literal("Privacy: id"), e);
	else if (TG_SIP_IS(message.data + f.value, f.value_end - f.value, "none"))
		add(e, f.value, f.value_end - f.value, literal("id"));
}

bool tg_sip_edit_anonymise(struct tg_span message, enum tg_sip_length length,
			   struct tg_sip_edits *e)
{
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);
	uint32_t at = tg_sip_fields_begin(message);
	struct tg_sip_field f;
	bool from = false;

	while (tg_sip_field_next(message, &at, &f)) {
		const bool is_from = tg_sip_field_is(message, &f, "from", 'f');

		if (!is_from && !tg_sip_field_is(message, &f, "p-asserted-identity", 0) &&
		    !tg_sip_field_is(message, &f, "p-preferred-identity", 0) &&
		    !tg_sip_field_is(message, &f, "remote-party-id", 0))
			continue;
		from |= is_from;
		if (!hide_field(message, &f, !is_from, length, e))
			return tg_sip_edits_undo(e, mark);
	}
	if (!from)
		return tg_sip_edits_undo(e, mark);
	if (length == TG_SIP_ANY_LENGTH)
		ask_for_privacy(message, e);
	return e->failed ? tg_sip_edits_undo(e, mark) : true;
}

/* ---- numbers ----------------------------------------------------------------------------------- */

bool tg_sip_edit_plus(const struct tg_sip *sip, struct tg_sip_edits *e)
{
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);
	const struct tg_sig_msg *m = &sip->sig;
	unsigned i;

	for (i = 0; i < m->n_ids; i++) {
		const struct tg_identity *id = &m->id[i];
		char text[TG_NUM_TEXT_MAX];
		struct tg_span number = { (const uint8_t *)text, 0 };

		if ((id->source != TG_ID_FROM && id->source != TG_ID_PAI) ||
		    tg_num_kind(id->num) != TG_NUM_E164)
			continue;
		number.len = tg_num_format(id->num, text);
		if (number.len != id->raw_len ||
		    memcmp(m->text.data + id->raw_off, text, number.len) != 0)
			add(e, id->raw_off, id->raw_len, number);
	}
	return e->failed ? tg_sip_edits_undo(e, mark) : e->text_used > mark.text_used;
}
