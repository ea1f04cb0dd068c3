/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk over a header. A variant defines, for 64 readable bytes at p, bit i standing for p[i],
 *	static uint64_t line_feeds(const uint8_t *p)
 *	static uint64_t delimiters(const uint8_t *p)		" , : ; < = > ? @ \
 *	static uint64_t specials(const uint8_t *p)		these, and bytes up to the space
 *	static uint64_t low_bits(uint64_t bits, size_t n)	the lowest n, all for n >= 64
 *	static unsigned put_bits(uint64_t bits, uint32_t at, uint16_t *to)
 *		at + i for each bit i, ascending, to to[0...]; returns how many. May write sixteen more.
 * and WALK_NAME, WALK_OPS, WALK_HASH, WALK_HASH_WORDS, then includes this file. Not compiled on its own.
 *
 * Nearly all header fields have one plain form: `From: <sip:+12025550123@192.0.2.7>;tag=1928301774`.
 * That is read straight out of one bit map of 64 bytes, in a register. Whatever is not exactly that goes
 * to the grammar; what is read here must be what the grammar reads, which tests and fuzzing compare
 * (the variant `grammar` has no plain forms). So nothing is stored before the whole form is known.
 */
#include <string.h>

#include "dataplane/sig/sip_reader.h"
#include "tollgate/load.h"

/* ---- bit maps ---------------------------------------------------------------------------------- */

/* Bits for 64 bytes at p, which is before `end`; zero behind it. Near a text's end the block before it is
 * read and shifted; of a text under 64 bytes, a copy. */
TG_ALWAYS_INLINE uint64_t block_at(uint64_t (*read)(const uint8_t *), const uint8_t *text,
				   const uint8_t *end, const uint8_t *p)
{
	const size_t left = (size_t)(end - p);
	uint8_t copy[TG_SCAN_BLOCK];

	if (tg_likely(left >= TG_SCAN_BLOCK))
		return read(p);
	if (end - text >= TG_SCAN_BLOCK)
		return read(end - TG_SCAN_BLOCK) >> (TG_SCAN_BLOCK - left);
	memset(copy, 0, sizeof(copy));
	memcpy(copy, p, left);
	return low_bits(read(copy), left);
}

static void index_range(const uint8_t *text, uint32_t from, uint32_t end, struct tg_scan_index *ix)
{
	uint32_t base;

	for (base = from - from % TG_SCAN_BLOCK; base < end; base += TG_SCAN_BLOCK)
		ix->delimiter[base / TG_SCAN_BLOCK] = block_at(delimiters, text, text + end,
							       text + base);
}

/* The first line feed at or behind p, or `limit`. */
static const uint8_t *find_far_line_feed(const uint8_t *text, const uint8_t *limit,
					 const uint8_t *p)
{
	for (; p < limit; p += TG_SCAN_BLOCK) {
		const uint64_t lf = block_at(line_feeds, text, limit, p);

		if (lf)
			return p + __builtin_ctzll(lf);
	}
	return limit;
}

/*
 * Where the lines of a part of the header end. All of a part first: a search from each line's end to the next
 * one's is a chain of loads, some 20 cycles a line, in which nothing else can begin; blocks do not
 * wait for each other, and then the fields of different lines do not either.
 */
#define PART (16 * TG_SCAN_BLOCK)

struct line_ends {
	const uint8_t *behind; /* the part */
	const uint16_t *last;  /* behind it */
	uint16_t at[PART + 16]; /* offsets into the text */
};

/* From p on, up to where a header seems to end: what is behind that is body, and stays out of the cache. (An
 * end that lies in two blocks, or has no CR, is not seen: then some more is looked at.) */
TG_ALWAYS_INLINE void find_line_ends(const uint8_t *text, const uint8_t *limit, const uint8_t *p,
				     struct line_ends *ends)
{
	const uint8_t *const most = limit - p > PART ? p + PART : limit;
	uint16_t *to = ends->at;
	uint64_t lf;

	do {
		lf = block_at(line_feeds, text, limit, p);
		to += put_bits(lf, (uint32_t)(p - text), to);
		p += TG_SCAN_BLOCK;
	} while (p < most && !(lf & lf << 2));
	ends->behind = p < limit ? p : limit;
	ends->last = to;
}

static inline uint32_t first(uint64_t bits)
{
	return (uint32_t)__builtin_ctzll(bits);
}

static inline uint64_t next(uint64_t bits)
{
	return bits & (bits - 1);
}

/* What a plain form may end at, from p on, which is before the message's end: delimiters, white space and
 * line ends. */
TG_ALWAYS_INLINE uint64_t specials_at(const struct tg_sip_reader *r, const uint8_t *p)
{
	return block_at(specials, r->text, r->end, p);
}

#include "dataplane/sig/sip_plain.inc.c"

/* ---- the header -------------------------------------------------------------------------------- */

/* The grammar wants what it reads in the index. */
static void read_by_grammar(struct tg_sip_reader *r, const uint8_t *line, const uint8_t *end)
{
	index_range(r->text, (uint32_t)(line - r->text), (uint32_t)(end - r->text),
		    &r->value.index);
	tg_sip_read_field(r, (uint32_t)(line - r->text), (uint32_t)(end - r->text));
}

/* The index of the first name with which the line at p, of two bytes at least, can begin. */
static inline unsigned name_slot(const uint8_t *p)
{
	const unsigned pair = tg_sip_load_u16(p);

	return tg_sip_name_slot[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
					? TG_SIP_PAIR_SLOT(pair)
					: TG_SIP_SLOT(p[0], p[1])];
}

/* The end of a field whose first line ends at `lf`: a line that begins with white space goes on with
 * the one before (RFC 3261 §7.3.1). */
static const uint8_t *skip_folds(const uint8_t *text, const uint8_t *limit, const uint8_t *lf)
{
	while (lf + 1 < limit && tg_sip_is_wsp(lf[1]))
		lf = find_far_line_feed(text, limit, lf + 1);
	return lf;
}

/* Bytes from where a name begins to where eight of its value have been compared; there are so many. */
#define PLAIN_MIN 32
static_assert(sizeof("p-preferred-identity: ") - 1 + 8 <= PLAIN_MIN, "the longest of these names");

/* "name: value CRLF"; false: it has another form. */
TG_ALWAYS_INLINE bool plain_field(struct tg_sip_reader *r, const struct tg_sip_name *name,
				  const uint8_t *p, const uint8_t *lf)
{
	static const char colon[2] = ": ";
	const uint8_t *const v = p + name->len + 2;

	if (tg_sip_load_u16(v - 2) != tg_sip_load_u16(colon) || *v <= ' ')
		return false;
	if (name->len > 8 && !tg_sip_same(p + 8, name->text + 8, name->len - 8u))
		return false;
	return plain_value(r, (enum tg_sip_header)name->header, v, lf);
}

/* Folds and all, if it has an end. */
static void read_any_field(struct tg_sip_reader *r, const uint8_t *p, const uint8_t *lf)
{
	const uint8_t *const limit = r->text + r->limit;

	lf = skip_folds(r->text, limit, lf);
	if (lf < limit)
		read_by_grammar(r, p, lf);
}

/* The field that begins at p with the line that ends at `lf`, and that can have name i or a sister. */
TG_ALWAYS_INLINE void read_field(struct tg_sip_reader *r, bool plain, unsigned i, const uint8_t *p,
				 const uint8_t *lf)
{
	if (plain && tg_likely(r->end - p >= PLAIN_MIN)) {
		while ((tg_load_u64(p) & tg_load_u64(tg_sip_name[i].mask)) !=
		       tg_load_u64(tg_sip_name[i].first)) {
			if (tg_sip_name[++i].is_sister)
				continue;
			/* A compact form, and a blank before its colon? `i` is another name by now. */
			if (tg_unlikely(p[1] <= ' '))
				read_any_field(r, p, lf);
			return;
		}
		if (tg_likely(r->text + r->limit - lf >= 2 &&
			      (lf[1] > ' ' || !tg_sip_is_wsp(lf[1]))) &&
		    tg_likely(plain_field(r, &tg_sip_name[i], p, lf)))
			return;
	}
	read_any_field(r, p, lf);
}

/* An INVITE with a To tag belongs to a call that stands: no need to read on (RFC 3261 §12.2). */
static inline bool is_in_dialog(const struct tg_sip *sip)
{
	return sip->to_tag.len > 0 && sip->method == TG_SIP_INVITE;
}

/* Lines from *line on, up to the last end: *line moves behind them. True: the header ends there. */
TG_ALWAYS_INLINE bool walk_lines(struct tg_sip_reader *r, bool plain, const struct line_ends *ends,
				 const uint8_t **line)
{
	const uint8_t *p = *line, *lf;
	const uint16_t *at;
	unsigned i;

	for (at = ends->at; at < ends->last; at++, p = lf + 1) {
		lf = r->text + *at;
		if (tg_unlikely(*p <= ' ')) {
			/* If it is not the empty line, it is a fold: its field has taken it, or carries
			 * nothing. */
			if (p != lf && (p + 1 != lf || *p != '\r'))
				continue;
			*line = lf + 1;
			return true;
		}
		i = name_slot(p);
		if (tg_likely(i == 0))
			continue;
		read_field(r, plain, i, p, lf);
		if (tg_unlikely(is_in_dialog(r->sip)))
			return true;
	}
	*line = p;
	return false;
}

/* All header fields from `line` on. */
TG_ALWAYS_INLINE enum tg_reason walk_fields(struct tg_sip_reader *r, bool plain,
					    const uint8_t *line)
{
	const uint8_t *const limit = r->text + r->limit;
	struct line_ends ends;

	for (ends.behind = line; ends.behind < limit;) {
		find_line_ends(r->text, limit, ends.behind, &ends);
		if (!walk_lines(r, plain, &ends, &line))
			continue;
		if (is_in_dialog(r->sip))
			return TG_REASON_SIP_IN_DIALOG;
		r->sip->body_off = (uint16_t)(line - r->text);
		return TG_REASON_NONE;
	}
	if (limit < r->end)
		return TG_REASON_SIP_OVERSIZE;
	/* No empty line, but cut at a line's end: peers read such a message, and so do we. */
	return line == limit ? TG_REASON_NONE : TG_REASON_SIP_MALFORMED;
}

/* " sip:user@host SIP/2.0 CRLF" at p, as everybody writes it: its end, or NULL. */
TG_ALWAYS_INLINE const uint8_t *plain_request_uri(struct tg_sip_reader *r, const uint8_t *p)
{
	static const char version[8] = " SIP/2.0", crlf[2] = "\r\n";
	const uint8_t *const limit = r->text + r->limit;
	struct plain a;
	uint64_t bits;

	if (limit - p < 8 || !BEGINS(p, " sip:"))
		return NULL;
	p += 5;
	bits = plain_user(r, p, &a);
	while (bits && p[first(bits)] > ' ')
		bits = next(bits);
	if (!bits)
		return NULL;
	p += first(bits);
	if (limit - p < 10 || tg_load_u64(p) != tg_load_u64(version) ||
	    tg_sip_load_u16(p + 8) != tg_sip_load_u16(crlf))
		return NULL;
	r->sip->sig.called = 0;
	add_plain(r, TG_ID_REQUEST_URI, &a);
	return p + 9;
}

TG_ALWAYS_INLINE enum tg_reason walk_message(struct tg_sip_reader *r, bool plain, uint32_t from,
					     uint32_t behind_method)
{
	const uint8_t *const limit = r->text + r->limit;
	const bool invite = r->sip->method == TG_SIP_INVITE;
	const uint8_t *lf = NULL;
	enum tg_reason reason;

	if (plain && invite)
		lf = plain_request_uri(r, r->text + behind_method);
	if (tg_unlikely(!lf)) {
		lf = find_far_line_feed(r->text, limit, r->text + from);
		if (lf == limit && invite)
			return limit < r->end ? TG_REASON_SIP_OVERSIZE : TG_REASON_SIP_MALFORMED;
		index_range(r->text, from, (uint32_t)(lf - r->text), &r->value.index);
		reason = tg_sip_read_start_line(r, behind_method, (uint32_t)(lf - r->text));
		if (reason != TG_REASON_NONE)
			return reason;
	}
	return walk_fields(r, plain, lf + 1);
}

static enum tg_reason walk(struct tg_sip_reader *r, uint32_t from, uint32_t behind_method)
{
	return walk_message(r, true, from, behind_method);
}

const struct tg_scan_ops WALK_OPS = {
	.name = WALK_NAME,
	.index = index_range,
	.walk = walk,
	.hash = WALK_HASH,
	.hash_words = WALK_HASH_WORDS,
};
