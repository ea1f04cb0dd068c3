/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk over a header. A variant defines, for 64 readable bytes at p, bit i standing for p[i],
 *	static uint64_t line_feeds(const uint8_t *p)
 *	static uint64_t delimiters(const uint8_t *p)		" , : ; < = > ? @ \
 *	static uint64_t blanks(const uint8_t *p)		bytes up to the space
 *	static uint64_t low_bits(uint64_t bits, size_t n)	the lowest n, all for n >= 64
 * and WALK_NAME, WALK_OPS, WALK_HASH, then includes this file. Not compiled on its own.
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

/* Most lines have less than 64 bytes, and the lines of a trunk's calls stand in one order: the branch is
 * well predicted, which those of a loop over blocks of the text are not. */
TG_ALWAYS_INLINE const uint8_t *find_line_feed(const uint8_t *text, const uint8_t *limit,
					       const uint8_t *p)
{
	uint64_t lf;

	if (tg_unlikely(limit - p < 2 * TG_SCAN_BLOCK))
		return find_far_line_feed(text, limit, p);
	lf = line_feeds(p);
	if (tg_likely(lf))
		return p + __builtin_ctzll(lf);
	lf = line_feeds(p + TG_SCAN_BLOCK);
	return tg_likely(lf) ? p + TG_SCAN_BLOCK + __builtin_ctzll(lf)
			     : find_far_line_feed(text, limit, p + 2 * TG_SCAN_BLOCK);
}

static inline uint32_t first(uint64_t bits)
{
	return (uint32_t)__builtin_ctzll(bits);
}

static inline uint64_t next(uint64_t bits)
{
	return bits & (bits - 1);
}

/* Delimiters of [p, end), p < end, of at most 64 bytes. */
TG_ALWAYS_INLINE uint64_t delimiters_in(const struct tg_sip_reader *r, const uint8_t *p,
					const uint8_t *end)
{
	return low_bits(block_at(delimiters, r->text, r->end, p), (size_t)(end - p));
}

/* ---- plain forms ------------------------------------------------------------------------------- */

/* Four bytes that are a piece of a lower-case name, whatever their case. */
static inline bool is_word(const uint8_t *p, const char lower[4])
{
	return (uint32_t)tg_sip_differs(tg_load_u32(p), tg_load_u32(lower)) == 0;
}

/* An address, and what follows it in its value. */
struct plain {
	const uint8_t *user;
	const uint8_t *user_end;
	const uint8_t *params;
	uint64_t rest; /* delimiters of [params, end) */
};

TG_ALWAYS_INLINE void add_plain(struct tg_sip_reader *r, enum tg_id_source source,
				const struct plain *a)
{
	struct tg_sig_msg *const m = &r->sip->sig;
	const uint32_t len = (uint32_t)(a->user_end - a->user);

	/* As long as there is room for all whose places are kept, nobody has to be counted. */
	if (tg_unlikely(m->n_ids >= TG_SIG_MAX_IDS - TG_SIP_RESERVED_COUNT)) {
		const struct tg_sip_addr addr = { .user = { a->user, len } };

		tg_sip_add_identity(r, source, &addr);
		return;
	}
	r->reserved &= ~(1u << source);
	m->id[m->n_ids++] = (struct tg_identity){
		.raw_off = (uint16_t)(a->user - r->text),
		.raw_len = (uint16_t)len,
		.source = (uint8_t)source,
		.role = tg_sip_source_role[source],
		.cls = TG_NUM_CLASS_ABSENT,
	};
}

/*
 * "sip:user@" at p, of whose text's delimiters `bits` has 60 at least. Returns the bits from '@' on, or
 * 0: something else, a password or parameters in between, or a host that may be anonymous.invalid.
 */
TG_ALWAYS_INLINE uint64_t plain_user(const uint8_t *p, const uint8_t *end, uint64_t bits,
				     struct plain *a)
{
	uint32_t i;

	bits &= ~0ull << 4; /* the scheme's colon */
	if (end - p < 4 || !is_word(p, "sip:") || !bits)
		return 0;
	i = first(bits);
	if (p[i] != '@' || i == 4 || end - p == i + 1 || (p[i + 1] | 0x20) == 'a')
		return 0;
	a->user = p + 4;
	a->user_end = p + i;
	return bits;
}

/* [ "display name" ] <sip:user@host...> in [p, end). */
TG_ALWAYS_INLINE bool plain_address(const struct tg_sip_reader *r, const uint8_t *p,
				    const uint8_t *end, struct plain *a)
{
	uint64_t bits = delimiters_in(r, p, end);

	if (*p == '"') {
		bits = next(bits);
		if (!bits || p[first(bits)] != '"')
			return false;
		p += first(bits) + 1;
		p += p < end && *p == ' ';
		if (p >= end)
			return false;
		bits = delimiters_in(r, p, end);
	}
	if (*p++ != '<')
		return false;
	bits = plain_user(p, end, bits >> 1, a);
	do {
		bits = next(bits);
		if (!bits)
			return false;
	} while (p[first(bits)] != '>');
	a->params = p + first(bits) + 1;
	if (tg_likely(end - p < TG_SCAN_BLOCK)) {
		a->rest = next(bits) >> first(bits) >> 1;
		return true;
	}
	a->rest = a->params < end ? delimiters_in(r, a->params, end) : 0;
	return end - a->params <= TG_SCAN_BLOCK;
}

/* The tag, if it is the first parameter, or none if there are none: false if that cannot be told. */
TG_ALWAYS_INLINE bool plain_tag(const struct plain *a, const uint8_t *end, struct tg_span *tag)
{
	const uint8_t *const p = a->params;
	uint64_t rest;

	tg_sip_set_span(tag, NULL, 0);
	if (!a->rest)
		return true;
	if (end - p < 6 || p[0] != ';' || !is_word(p + 1, "tag=") || p[5] <= ' ')
		return false;
	rest = a->rest & ~0ull << 5;
	if (rest) {
		end = p + first(rest);
		if (*end != ';' || end == p + 5 || end[-1] <= ' ')
			return false;
	}
	tg_sip_set_span(tag, p + 5, (uint32_t)(end - p) - 5);
	return true;
}

/* From, To. */
TG_ALWAYS_INLINE bool plain_party(struct tg_sip_reader *r, enum tg_sip_header header,
				  const uint8_t *p, const uint8_t *end)
{
	const bool from = header == TG_SIP_HEADER_FROM;
	struct tg_sip *const sip = r->sip;
	struct tg_span tag;
	struct plain a;

	if (!plain_address(r, p, end, &a) || !plain_tag(&a, end, &tag))
		return false;
	if (!tg_sip_is_first(r, header))
		return true;
	tg_sip_set_span(from ? &sip->from : &sip->to, p, (uint32_t)(end - p));
	tg_sip_set_span(from ? &sip->from_tag : &sip->to_tag, tag.data, tag.len);
	if (sip->method == TG_SIP_INVITE)
		add_plain(r, from ? TG_ID_FROM : TG_ID_TO, &a);
	return true;
}

/* A list of one address without parameters. */
TG_ALWAYS_INLINE bool plain_list(struct tg_sip_reader *r, enum tg_id_source source,
				 const uint8_t *p, const uint8_t *end)
{
	struct plain a;

	if (!plain_address(r, p, end, &a) || a.rest)
		return false;
	if (r->sip->method == TG_SIP_INVITE)
		add_plain(r, source, &a);
	return true;
}

/* Of the topmost Via; as in struct tg_sip. */
struct plain_via {
	struct tg_span branch;
	struct tg_span rport;
	struct tg_span received;
};

/* "name" or "name=value", [name, equal) and (equal, end), if `equal` is before `end`. Nothing is empty. */
TG_ALWAYS_INLINE bool plain_via_param(const uint8_t *name, const uint8_t *equal, const uint8_t *end,
				      struct plain_via *via)
{
	const uint32_t len = (uint32_t)(equal - name), value = (uint32_t)(end - equal);

	if (len == 0 || value == 1)
		return false;
	if (TG_SIP_IS(name, len, "branch")) {
		if (value && !via->branch.data)
			tg_sip_set_span(&via->branch, equal + 1, value - 1);
		return value > 0;
	}
	if (TG_SIP_IS(name, len, "rport")) {
		if (!value && !via->rport.data)
			tg_sip_set_span(&via->rport, name, len);
	} else if (TG_SIP_IS(name, len, "received")) {
		if (value && !via->received.data)
			tg_sip_set_span(&via->received, equal + 1, value - 1);
		return value > 0;
	}
	return true;
}

/* All parameters in [p, end), *p being the first one's ';', up to a comma. */
TG_ALWAYS_INLINE bool plain_via_params(const struct tg_sip_reader *r, const uint8_t *p,
				       const uint8_t *end, struct plain_via *via)
{
	const uint32_t n = (uint32_t)(end - p);
	uint32_t name, equal, stop;
	uint64_t bits;

	if (n > TG_SCAN_BLOCK || low_bits(block_at(blanks, r->text, r->end, p), n))
		return false;
	bits = delimiters_in(r, p, end);
	do {
		name = first(bits) + 1;
		bits = next(bits);
		equal = stop = bits ? first(bits) : n;
		if (equal < n && p[equal] == '=') {
			bits = next(bits);
			stop = bits ? first(bits) : n;
		}
		if (stop < n && p[stop] != ';' && p[stop] != ',')
			return false;
		if (!plain_via_param(p + name, p + equal, p + stop, via))
			return false;
	} while (stop < n && p[stop] == ';');
	return true;
}

/* A port of up to five digits behind the colon at *p, which is moved behind it; 0 if it is none. */
TG_ALWAYS_INLINE uint32_t plain_port(const uint8_t **p, const uint8_t *end)
{
	const uint8_t *at = *p + 1, *const most = end - at > 5 ? at + 5 : end;
	uint32_t port = 0;

	for (; at < most && (uint8_t)(*at - '0') < 10; at++)
		port = port * 10 + (uint32_t)(*at - '0');
	*p = at;
	return port <= UINT16_MAX ? port : 0;
}

/* "SIP/2.0/UDP host[:port];..." */
TG_ALWAYS_INLINE bool plain_via(struct tg_sip_reader *r, const uint8_t *p, const uint8_t *end)
{
	struct plain_via via = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
	const uint8_t *const host = p + 12, *host_end, *at;
	struct tg_sip *const sip = r->sip;
	uint32_t port = 0;
	uint64_t bits;

	if (sip->n_vias > 0) {
		if (sip->n_vias == TG_SIP_MAX_VIAS)
			sip->vias_left_out = true;
		else
			tg_sip_set_span(&sip->via[sip->n_vias++], p, (uint32_t)(end - p));
		return true;
	}
	if (end - p < 14 || !tg_sip_same(p, "sip/2.0/", 8) || !is_word(p + 8, "udp ") ||
	    *host <= ' ' || *host == '[')
		return false;
	bits = delimiters_in(r, host, end);
	if (!bits)
		return false;
	at = host_end = host + first(bits);
	if (host_end == host || host_end[-1] <= ' ')
		return false;
	if (*at == ':' && (port = plain_port(&at, end)) == 0)
		return false;
	if (at < end && (*at != ';' || !plain_via_params(r, at, end, &via)))
		return false;
	tg_sip_set_span(&sip->via[0], p, (uint32_t)(end - p));
	tg_sip_set_span(&sip->via_host, host, (uint32_t)(host_end - host));
	tg_sip_set_span(&sip->branch, via.branch.data, via.branch.len);
	tg_sip_set_span(&sip->rport, via.rport.data, via.rport.len);
	tg_sip_set_span(&sip->received, via.received.data, via.received.len);
	sip->via_port = (uint16_t)port;
	sip->n_vias = 1;
	return true;
}

/* The value [p, end), of one byte at least, without white space before and behind it. */
TG_ALWAYS_INLINE bool plain_value(struct tg_sip_reader *r, enum tg_sip_header header,
				  const uint8_t *p, const uint8_t *end)
{
	switch (header) {
	case TG_SIP_HEADER_VIA:
		return plain_via(r, p, end);
	case TG_SIP_HEADER_FROM:
		return plain_party(r, TG_SIP_HEADER_FROM, p, end);
	case TG_SIP_HEADER_TO:
		return plain_party(r, TG_SIP_HEADER_TO, p, end);
	case TG_SIP_HEADER_CALL_ID:
		if (tg_sip_is_first(r, header))
			tg_sip_set_span(&r->sip->call_id, p, (uint32_t)(end - p));
		return true;
	case TG_SIP_HEADER_CSEQ:
		tg_sip_read_cseq(r, (uint32_t)(p - r->text), (uint32_t)(end - r->text));
		return true;
	case TG_SIP_HEADER_PAI:
		return plain_list(r, TG_ID_PAI, p, end);
	case TG_SIP_HEADER_PPI:
		return plain_list(r, TG_ID_PPI, p, end);
	default:
		return false;
	}
}

/* "name: value CR", at least six bytes before the line feed at `end`. */
TG_ALWAYS_INLINE bool plain_field(struct tg_sip_reader *r, const struct tg_sip_name *name,
				  const uint8_t *p, const uint8_t *end)
{
	const uint8_t *const value = p + name->len + 2;

	static const char colon[2] = ": ";

	if (end - value < 2 || tg_sip_load_u16(value - 2) != tg_sip_load_u16(colon) ||
	    *value <= ' ' || end[-1] != '\r' || end[-2] <= ' ')
		return false;
	if (name->len > 8 && !tg_sip_same(p + 8, name->text + 8, name->len - 8u))
		return false;
	return plain_value(r, (enum tg_sip_header)name->header, value, end - 1);
}

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

/* The field [p, end), which can begin with name i and its sisters; `end` is a line feed. */
TG_ALWAYS_INLINE void read_line(struct tg_sip_reader *r, unsigned i, const uint8_t *p,
				const uint8_t *end)
{
	/* A blank before the colon may follow a compact form at once. */
	if (tg_unlikely(!r->plain || p[1] <= ' ' || end - p < 8)) {
		read_by_grammar(r, p, end);
		return;
	}
	do {
		const struct tg_sip_name *const name = &tg_sip_name[i];

		if ((tg_load_u64(p) & tg_load_u64(name->mask)) != tg_load_u64(name->first))
			continue;
		if (!plain_field(r, name, p, end))
			read_by_grammar(r, p, end);
		return;
	} while (tg_sip_name[++i].is_sister);
}

/* An INVITE with a To tag belongs to a call that stands: no need to read on (RFC 3261 §12.2). */
static inline bool is_in_dialog(const struct tg_sip *sip)
{
	return sip->method == TG_SIP_INVITE && sip->to_tag.len > 0;
}

/* The end of a field whose first line ends at `lf`: a line that begins with white space goes on with
 * the one before (RFC 3261 §7.3.1). */
static const uint8_t *skip_folds(const uint8_t *text, const uint8_t *limit, const uint8_t *lf)
{
	while (lf + 1 < limit && tg_sip_is_wsp(lf[1]))
		lf = find_far_line_feed(text, limit, lf + 1);
	return lf;
}

/* Is [line, lf) empty, but for a CR? */
static inline bool is_empty(const uint8_t *line, const uint8_t *lf)
{
	return lf == line || (lf == line + 1 && *line == '\r');
}

/* All header fields from `line` on. */
static enum tg_reason walk_fields(struct tg_sip_reader *r, const uint8_t *line)
{
	const uint8_t *const text = r->text, *const limit = text + r->limit, *lf;

	for (; line < limit; line = lf + 1) {
		unsigned i;

		lf = find_line_feed(text, limit, line);
		if (tg_unlikely(lf >= limit - 1 || lf[1] <= ' ' || *line <= ' ')) {
			if (lf < limit && is_empty(line, lf)) {
				r->sip->body_off = (uint16_t)(lf + 1 - text);
				return TG_REASON_NONE;
			}
			lf = skip_folds(text, limit, lf);
			if (lf >= limit)
				break;
		}
		i = name_slot(line);
		if (tg_likely(i == 0 && line[1] > ' '))
			continue;
		read_line(r, i, line, lf);
		if (is_in_dialog(r->sip))
			return TG_REASON_SIP_IN_DIALOG;
	}
	if (limit < r->end)
		return TG_REASON_SIP_OVERSIZE;
	/* No empty line, but cut at a line's end: peers read such a message, and so do we. */
	return line == limit ? TG_REASON_NONE : TG_REASON_SIP_MALFORMED;
}

/* " sip:user@host SIP/2.0 CR" in [p, end), as everybody writes it; `end` is a line feed. */
TG_ALWAYS_INLINE bool plain_request_uri(struct tg_sip_reader *r, const uint8_t *p,
					const uint8_t *end)
{
	static const char version[8] = " SIP/2.0";
	struct plain a;

	if (!r->plain || end - p < 12 || end[-1] != '\r' ||
	    tg_load_u64(end - 9) != tg_load_u64(version) || end[-10] <= ' ' || p[1] <= ' ')
		return false;
	if (!plain_user(p + 1, end - 9, delimiters_in(r, p + 1, end - 9), &a))
		return false;
	r->sip->sig.called = 0;
	add_plain(r, TG_ID_REQUEST_URI, &a);
	return true;
}

static enum tg_reason walk(struct tg_sip_reader *r, uint32_t from, uint32_t behind_method)
{
	const uint8_t *const limit = r->text + r->limit;
	const uint8_t *const lf = find_line_feed(r->text, limit, r->text + from);
	const uint8_t *const uri = r->text + behind_method;
	const bool invite = r->sip->method == TG_SIP_INVITE;
	enum tg_reason reason;

	if (lf == limit && invite)
		return limit < r->end ? TG_REASON_SIP_OVERSIZE : TG_REASON_SIP_MALFORMED;
	if (!invite || !plain_request_uri(r, uri, lf)) {
		index_range(r->text, from, (uint32_t)(lf - r->text), &r->value.index);
		reason = tg_sip_read_start_line(r, behind_method, (uint32_t)(lf - r->text));
		if (reason != TG_REASON_NONE)
			return reason;
	}
	return walk_fields(r, lf + 1);
}

const struct tg_scan_ops WALK_OPS = {
	.name = WALK_NAME,
	.plain = true,
	.index = index_range,
	.walk = walk,
	.hash = WALK_HASH,
};
