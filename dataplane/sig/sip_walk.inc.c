/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The walk over a header. A variant defines, for 64 readable bytes at p, bit i standing for p[i],
 *	static uint64_t line_feeds(const uint8_t *p)
 *	static uint64_t delimiters(const uint8_t *p)		" , : ; < = > ? @ \
 *	static uint64_t specials(const uint8_t *p)		these, and bytes up to the space
 *	static uint64_t low_bits(uint64_t bits, size_t n)	the lowest n, all for n >= 64
 *	static unsigned put_bits(uint64_t bits, uint32_t at, uint16_t *to)
 *		at + i for each bit i, ascending, to to[0...]; returns how many. May write three more.
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

/*
 * Where the lines of a part of the header end. All of a part first: a search from each line's end to the next
 * one's is a chain of loads, some 20 cycles a line, in which nothing else can begin; blocks do not
 * wait for each other, and then the fields of different lines do not either.
 */
#define PART (16 * TG_SCAN_BLOCK)

struct line_ends {
	const uint8_t *behind; /* the part */
	const uint16_t *last;  /* behind it */
	uint16_t at[PART + 4]; /* offsets into the text */
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

/* ---- plain forms ------------------------------------------------------------------------------- */

/*
 * Each reads a whole field whose value begins at v and whose line ends with the line feed `lf`, eight bytes
 * behind v at least; false: it has another form. A special that is no white space stands before the line's
 * end, so a byte behind it is there.
 */

/* Eight bytes that begin with a piece of a lower-case name, whatever their case. */
#define BEGINS(p, lower)                                                                           \
	(((tg_load_u64(p) ^ tg_load_u64(lower "\0\0\0\0\0\0\0")) &                                 \
	  ~((tg_load_u64(lower "\0\0\0\0\0\0\0") & 0x4040404040404040ull) >> 1) &                  \
	  FIRST_BYTES(sizeof(lower) - 1)) == 0)
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define FIRST_BYTES(n) (~0ull << (64 - 8 * (n)))
#else
#define FIRST_BYTES(n) (~0ull >> (64 - 8 * (n)))
#endif

/* The value up to the line end, which is CRLF, with nothing that has to be read. */
static inline bool is_trimmed(const uint8_t *lf)
{
	return lf[-1] == '\r' && lf[-2] > ' ';
}

/* An address, and what follows it in its value. */
struct plain {
	const uint8_t *user;
	const uint8_t *user_end;
	const uint8_t *params;
	uint64_t rest; /* specials of a few bytes from there on */
};

TG_ALWAYS_INLINE void add_plain(struct tg_sip_reader *r, enum tg_id_source source,
				const struct plain *a)
{
	struct tg_sig_msg *const m = &r->sip->sig;
	const uint32_t len = (uint32_t)(a->user_end - a->user);
	struct tg_identity *id;

	/* As long as there is room for all whose places are kept, nobody has to be counted. */
	if (tg_unlikely(m->n_ids >= TG_SIG_MAX_IDS - TG_SIP_RESERVED_COUNT)) {
		const struct tg_sip_addr addr = { .user = { a->user, len } };

		tg_sip_add_identity(r, source, &addr);
		return;
	}
	r->reserved &= ~(1u << source);
	id = &m->id[m->n_ids++];
	*id = (struct tg_identity){
		.source = (uint8_t)source,
		.role = tg_sip_source_role[source],
		.cls = TG_NUM_CLASS_ABSENT,
	};
	id->raw_off = (uint16_t)(a->user - r->text);
	id->raw_len = (uint16_t)len;
	tg_sip_read_number(r, (struct tg_span){ a->user, len }, id);
}

/*
 * "user@" at p. Returns the specials behind '@', or 0: something else, a password or parameters in between,
 * or a host that may be anonymous.invalid.
 */
TG_ALWAYS_INLINE uint64_t plain_user(const struct tg_sip_reader *r, const uint8_t *p,
				     struct plain *a)
{
	const uint64_t bits = specials_at(r, p), behind = next(bits);
	uint32_t i;

	if (!behind)
		return 0;
	i = first(bits);
	if (p[i] != '@' || i == 0 || (p[i + 1] | 0x20) == 'a')
		return 0;
	a->user = p;
	a->user_end = p + i;
	return behind;
}

/* Behind "display name" and a space at v; NULL: more than words in it. */
static const uint8_t *plain_display_name(const struct tg_sip_reader *r, const uint8_t *v,
					 const uint8_t *lf)
{
	uint64_t bits = next(specials_at(r, v));

	while (bits && v[first(bits)] == ' ')
		bits = next(bits);
	if (!bits || v[first(bits)] != '"')
		return NULL;
	v += first(bits) + 1;
	v += *v == ' ';
	return lf - v < 8 ? NULL : v;
}

/* [ "display name" ] <sip:user@host...> */
TG_ALWAYS_INLINE bool plain_address(const struct tg_sip_reader *r, const uint8_t *v,
				    const uint8_t *lf, struct plain *a)
{
	uint64_t bits;

	if (tg_unlikely(*v == '"')) {
		v = plain_display_name(r, v, lf);
		if (!v)
			return false;
	}
	if (!BEGINS(v, "<sip:"))
		return false;
	v += 5;
	bits = plain_user(r, v, a);
	for (; bits && v[first(bits)] != '>'; bits = next(bits))
		if (v[first(bits)] <= ' ')
			return false;
	if (!bits)
		return false;
	a->params = v + first(bits) + 1;
	a->rest = bits >> first(bits) >> 1;
	return true;
}

/* The tag, if it is the first parameter, or none if there are none: false if that cannot be told. */
TG_ALWAYS_INLINE bool plain_tag(const struct tg_sip_reader *r, const struct plain *a,
				const uint8_t *lf, struct tg_span *tag)
{
	const uint8_t *p = a->params, *end;
	uint64_t rest = a->rest;

	tg_sip_set_span(tag, NULL, 0);
	if (*p == '\r')
		return p + 1 == lf;
	if (lf - p < 8 || !BEGINS(p, ";tag="))
		return false;
	p += 5;
	rest >>= 5;
	if (tg_unlikely(!rest))
		rest = specials_at(r, p);
	if (!rest || rest & 1)
		return false;
	end = p + first(rest);
	tg_sip_set_span(tag, p, (uint32_t)(end - p));
	return *end == ';' ? is_trimmed(lf) : *end == '\r' && end + 1 == lf;
}

/* From, To. */
TG_ALWAYS_INLINE bool plain_party(struct tg_sip_reader *r, enum tg_sip_header header,
				  const uint8_t *v, const uint8_t *lf)
{
	const bool from = header == TG_SIP_HEADER_FROM;
	struct tg_sip *const sip = r->sip;
	struct tg_span tag;
	struct plain a;

	if (!plain_address(r, v, lf, &a) || !plain_tag(r, &a, lf, &tag))
		return false;
	if (!tg_sip_is_first(r, header))
		return true;
	tg_sip_set_span(from ? &sip->from : &sip->to, v, (uint32_t)(lf - v) - 1);
	tg_sip_set_span(from ? &sip->from_tag : &sip->to_tag, tag.data, tag.len);
	if (sip->method == TG_SIP_INVITE)
		add_plain(r, from ? TG_ID_FROM : TG_ID_TO, &a);
	return true;
}

/* A list of one address without parameters. */
TG_ALWAYS_INLINE bool plain_list(struct tg_sip_reader *r, enum tg_id_source source,
				 const uint8_t *v, const uint8_t *lf)
{
	struct plain a;

	if (!plain_address(r, v, lf, &a) || *a.params != '\r' || a.params + 1 != lf)
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

/* All parameters from p on, *p being the first one's ';'. */
TG_ALWAYS_INLINE bool plain_via_params(const struct tg_sip_reader *r, const uint8_t *p,
				       const uint8_t *lf, struct plain_via *via)
{
	uint64_t bits = specials_at(r, p);
	uint32_t name, equal, stop;

	do {
		name = first(bits) + 1;
		bits = next(bits);
		if (!bits)
			return false;
		equal = stop = first(bits);
		if (p[equal] == '=') {
			bits = next(bits);
			if (!bits)
				return false;
			stop = first(bits);
		}
		if ((p[stop] != ';' && p[stop] != '\r') ||
		    !plain_via_param(p + name, p + equal, p + stop, via))
			return false;
	} while (p[stop] == ';');
	return p + stop + 1 == lf;
}

/* A port of one to five digits; 0 if it is none. */
TG_ALWAYS_INLINE uint32_t plain_port(const uint8_t *p, const uint8_t *end)
{
	uint32_t port = 0;

	if (end - p > 5)
		return 0;
	for (; p < end; p++) {
		if ((uint8_t)(*p - '0') >= 10)
			return 0;
		port = port * 10 + (uint32_t)(*p - '0');
	}
	return port <= UINT16_MAX ? port : 0;
}

/* "SIP/2.0/UDP host[:port];..." */
TG_ALWAYS_INLINE bool plain_via(struct tg_sip_reader *r, const uint8_t *v, const uint8_t *lf)
{
	struct plain_via via = { { NULL, 0 }, { NULL, 0 }, { NULL, 0 } };
	const uint8_t *const host = v + 12, *host_end, *at;
	struct tg_sip *const sip = r->sip;
	uint32_t port = 0;
	uint64_t bits;

	if (lf - v < 16 || !BEGINS(v, "sip/2.0/") || !BEGINS(v + 8, "udp ") || *host == '[')
		return false;
	bits = specials_at(r, host);
	if (!bits || bits & 1)
		return false;
	at = host_end = host + first(bits);
	if (*at == ':') {
		bits = next(bits);
		if (!bits)
			return false;
		at = host + first(bits);
		port = plain_port(host_end + 1, at);
		if (port == 0)
			return false;
	}
	if (*at == ';' ? !plain_via_params(r, at, lf, &via) : *at != '\r' || at + 1 != lf)
		return false;
	tg_sip_set_span(&sip->via[0], v, (uint32_t)(lf - v) - 1);
	tg_sip_set_span(&sip->via_host, host, (uint32_t)(host_end - host));
	tg_sip_set_span(&sip->branch, via.branch.data, via.branch.len);
	tg_sip_set_span(&sip->rport, via.rport.data, via.rport.len);
	tg_sip_set_span(&sip->received, via.received.data, via.received.len);
	sip->via_port = (uint16_t)port;
	sip->n_vias = 1;
	return true;
}

/* Of a Via that is not the topmost nothing is read. */
static inline void plain_further_via(struct tg_sip *sip, const uint8_t *v, const uint8_t *lf)
{
	if (sip->n_vias == TG_SIP_MAX_VIAS)
		sip->vias_left_out = true;
	else
		tg_sip_set_span(&sip->via[sip->n_vias++], v, (uint32_t)(lf - v) - 1);
}

TG_ALWAYS_INLINE bool plain_value(struct tg_sip_reader *r, enum tg_sip_header header,
				  const uint8_t *v, const uint8_t *lf)
{
	switch (header) {
	case TG_SIP_HEADER_VIA:
		if (r->sip->n_vias == 0)
			return plain_via(r, v, lf);
		if (is_trimmed(lf))
			plain_further_via(r->sip, v, lf);
		return is_trimmed(lf);
	case TG_SIP_HEADER_FROM:
		return plain_party(r, TG_SIP_HEADER_FROM, v, lf);
	case TG_SIP_HEADER_TO:
		return plain_party(r, TG_SIP_HEADER_TO, v, lf);
	case TG_SIP_HEADER_CALL_ID:
		if (is_trimmed(lf) && tg_sip_is_first(r, header))
			tg_sip_set_span(&r->sip->call_id, v, (uint32_t)(lf - v) - 1);
		return is_trimmed(lf);
	case TG_SIP_HEADER_CSEQ:
		if (is_trimmed(lf))
			tg_sip_read_cseq(r, (uint32_t)(v - r->text), (uint32_t)(lf - r->text) - 1);
		return is_trimmed(lf);
	case TG_SIP_HEADER_PAI:
		return plain_list(r, TG_ID_PAI, v, lf);
	case TG_SIP_HEADER_PPI:
		return plain_list(r, TG_ID_PPI, v, lf);
	default:
		return false;
	}
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
			/* A compact form, and a blank before its colon? */
			if (tg_unlikely(p[1] <= ' '))
				break;
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
