/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plain forms, read straight out of bit maps. Each function reads a whole field whose value begins at v and whose line
 * ends with the line feed `lf`, eight bytes behind v at least; false: it has another form, and nothing has been
 * stored. A special that is no white space stands before the line's end, so a byte behind it is there.
 *
 * A part of sip_walk.inc.c, which says what a plain form is. Not compiled on its own.
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
