/* SPDX-License-Identifier: BSD-3-Clause */
/* The IAM in a body, changed in step with the header around it. */
#include <string.h>

#include "dataplane/sig/sip_edit.h"
#include "dataplane/sig/sip_isup.h"

/* An IAM before and after, and where it stands. One octet more, so that six bits at its end have eight. */
struct change {
	struct tg_sip_isup at;
	struct tg_isup isup;
	uint32_t off; /* of at.text in the message */
	uint32_t len; /* octets */
	uint8_t was[TG_SIP_ISUP_MAX + 1];
	uint8_t is[TG_SIP_ISUP_MAX + 1];
};

static bool begin(const struct tg_sip *sip, struct change *c)
{
	if (!tg_sip_isup_find(sip, &c->at) || c->at.several ||
	    !tg_sip_isup_octets(&c->at, c->was, &c->len) ||
	    tg_isup_read_encapsulated((struct tg_span){ c->was, c->len },
				      (enum tg_isup_variant)c->at.variant,
				      &c->isup) != TG_REASON_NONE)
		return false;
	c->off = (uint32_t)(c->at.text.data - sip->sig.text.data);
	c->was[c->len] = 0;
	memcpy(c->is, c->was, c->len + 1);
	return true;
}

/* ---- as it is ---------------------------------------------------------------------------------- */

static bool write_octets(const struct change *c, struct tg_sip_edits *e)
{
	uint32_t from = 0, end = c->len;
	uint8_t *text;

	while (from < end && c->was[from] == c->is[from])
		from++;
	while (end > from && c->was[end - 1] == c->is[end - 1])
		end--;
	if (from == end)
		return true;
	text = tg_sip_edits_add(e, c->off + from, end - from, end - from);
	if (!text)
		return false;
	memcpy(text, c->is + from, end - from);
	return true;
}

/* ---- in base64 --------------------------------------------------------------------------------- */

static unsigned sextet_at(const uint8_t *octets, uint32_t k)
{
	const uint32_t bit = 6 * k;
	const unsigned pair = (unsigned)octets[bit / 8] << 8 | octets[bit / 8 + 1];

	return pair >> (10 - bit % 8) & 63;
}

/* Where the text differs, from the first to the last character; `to`: written there as well, from *from on. */
static void differing(const struct change *c, uint32_t *from, uint32_t *end, uint8_t *to)
{
	const struct tg_span text = c->at.text;
	uint32_t i, k = 0;

	for (i = 0; i < text.len && text.data[i] != '=' && 6 * k < 8 * c->len; i++) {
		if (tg_base64_sextet(text.data[i], TG_SIP_ISUP_BASE64) < 0)
			continue;
		if (sextet_at(c->was, k) != sextet_at(c->is, k)) {
			if (to)
				to[i - *from] = tg_base64_char(sextet_at(c->is, k),
							       TG_SIP_ISUP_BASE64);
			else if (*end == 0)
				*from = i;
			*end = i + 1;
		}
		k++;
	}
}

static bool write_base64(const struct change *c, struct tg_sip_edits *e)
{
	uint32_t from = 0, end = 0;
	uint8_t *text;

	differing(c, &from, &end, NULL);
	if (end == 0)
		return true;
	text = tg_sip_edits_add(e, c->off + from, end - from, end - from);
	if (!text)
		return false;
	memcpy(text, c->at.text.data + from, end - from);
	differing(c, &from, &end, text);
	return true;
}

static bool finish(const struct change *c, struct tg_sip_edits *e)
{
	const struct tg_sip_edits_mark mark = tg_sip_edits_mark(e);

	if (!(c->at.base64 ? write_base64(c, e) : write_octets(c, e)))
		return tg_sip_edits_undo(e, mark);
	return true;
}

/* ---- what may be asked for --------------------------------------------------------------------- */

bool tg_sip_isup_edit_called(const struct tg_sip *sip, struct tg_span digits,
			     struct tg_sip_edits *e)
{
	struct change c;

	return begin(sip, &c) && tg_isup_set_called(c.is, c.len, &c.isup, digits) && finish(&c, e);
}

static bool names_caller(const struct tg_isup *isup)
{
	unsigned i;

	for (i = 0; i < isup->sig.n_ids; i++)
		if (tg_isup_names_caller(&isup->sig.id[i]))
			return true;
	return false;
}

bool tg_sip_isup_edit_restrict(const struct tg_sip *sip, struct tg_sip_edits *e)
{
	struct change c;

	if (!begin(sip, &c))
		return false;
	if (!names_caller(&c.isup))
		return true;
	return tg_isup_restrict(c.is, c.len, &c.isup) && finish(&c, e);
}
