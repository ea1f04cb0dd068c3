/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The start line and the loop over the header fields. What a datagram is, is known by its start
 * line alone; only an INVITE's identities are read, and only what answering needs of ACK and CANCEL.
 */
#include "tollgate/sip.h"

#include <string.h>

#include "dataplane/sig/sip_reader.h"
#include "dataplane/sig/sip_via.h"
#include "tollgate/sip_stream.h"

/* Longest method read: RFC 3261 sets no limit, those in use have at most 9; RFC 4475's has 43. */
#define METHOD_MAX 64

static_assert(TG_SIP_MAX_HEADER_BYTES <= UINT16_MAX, "offsets of identities are 16 bits");

static void set_empty(struct tg_sip *sip, struct tg_span datagram)
{
	tg_clear(&sip->branch,
		 sizeof(*sip) - offsetof(struct tg_sip, branch)); /* to the end: all spans */
	tg_sip_set_span(&sip->sig.text, datagram.data, datagram.len);
	sip->sig.digits = NULL;
	sip->sig.n_ids = 0;
	sip->sig.ids_left_out = 0;
	sip->sig.caller = TG_SIG_NO_ID;
	sip->sig.called = TG_SIG_NO_ID;
	sip->sig.protocol = TG_PROTOCOL_SIP;
	sip->sig.message = TG_MESSAGE_INVITE;
	sip->sig.attest = 0;
	sip->sig.passports = 0;
	sip->sig.passports_unread = 0;
	sip->sig.verification = 0;
	sip->n_passports = 0;
	sip->passports_left_out = false;
	sip->method = TG_SIP_OTHER;
	sip->cseq = 0;
	sip->n_vias = 0;
	sip->vias_left_out = false;
	sip->duplicate = false;
	sip->via_port = 0;
	sip->body_off = 0;
}

/* The value that is being read, from offset `at` on. */
static void set_value(struct tg_span *s, const struct tg_sip_reader *r, uint32_t at)
{
	tg_sip_set_span(s, r->text + at, r->value.len - at);
}

/* RFC 3261 §20.20 From, §20.39 To: the value from offset `at` on, as in the functions below. */
static void read_party(struct tg_sip_reader *r, enum tg_sip_header header, uint32_t at)
{
	struct tg_span *tag = header == TG_SIP_HEADER_FROM ? &r->sip->from_tag : &r->sip->to_tag;
	struct tg_sip_param p;
	struct tg_sip_addr a;

	if (!tg_sip_is_first(r, header) || at == r->value.len)
		return;
	set_value(header == TG_SIP_HEADER_FROM ? &r->sip->from : &r->sip->to, r, at);
	tg_sip_addr_read(&r->value, at, false, &a);
	if (tg_sip_param_find(&r->value, a.params, TG_SIP_NAME("tag"), &p) && p.value.len > 0)
		tg_sip_set_span(tag, p.value.data, p.value.len);
	if (r->sip->method == TG_SIP_INVITE)
		tg_sip_add_identity(r, (enum tg_id_source)tg_sip_header_source(header), &a);
}

/* A header field with a list of addresses; several rows are one list (RFC 3261 §7.3.1). */
static void read_list(struct tg_sip_reader *r, enum tg_sip_header header, uint32_t at)
{
	const enum tg_id_source source = (enum tg_id_source)tg_sip_header_source(header);
	struct tg_sip_param party;
	struct tg_sip_addr a;

	if (r->sip->method != TG_SIP_INVITE)
		return;
	for (; at < r->value.len; at = tg_sip_member_end(&r->value, a.params) + 1) {
		tg_sip_addr_read(&r->value, at, true, &a);
		if (source == TG_ID_RPID &&
		    tg_sip_param_find(&r->value, a.params, TG_SIP_NAME("party"), &party) &&
		    TG_SIP_IS(party.value.data, party.value.len, "called"))
			a.flags |= TG_ID_FLAG_PARTY_CALLED;
		tg_sip_add_identity(r, source, &a);
	}
}

static void read_via(struct tg_sip_reader *r, uint32_t at)
{
	struct tg_sip *const sip = r->sip;
	struct tg_sip_via via;

	if (sip->n_vias == TG_SIP_MAX_VIAS) {
		sip->vias_left_out = true;
		return;
	}
	set_value(&sip->via[sip->n_vias++], r, at);
	if (sip->n_vias > 1)
		return;
	tg_sip_via_read(&r->value, at, &via);
	tg_sip_set_span(&sip->branch, via.branch.data, via.branch.len);
	tg_sip_set_span(&sip->via_host, via.host.data, via.host.len);
	tg_sip_set_span(&sip->rport, via.rport.data, via.rport.len);
	tg_sip_set_span(&sip->received, via.received.data, via.received.len);
	sip->via_port = via.port;
}

/* The comma that ends the member, or the value's end. A URI in "info" may have commas, too, and is not
 * where an address stands (RFC 8224 §4.1). */
static uint32_t identity_end(const struct tg_sip_value *v, uint32_t at)
{
	bool bracket = false, quoted = false;

	for (; at < v->len; at++) {
		const uint8_t c = v->p[at];

		if (c == '"' && !bracket)
			quoted = !quoted;
		else if ((c == '<' || c == '>') && !quoted)
			bracket = c == '<';
		else if (c == ',' && !quoted && !bracket)
			break;
	}
	return at;
}

/* Each member is a PASSporT; what is in it is read by tg_sip_read_passports. */
static void read_identity(struct tg_sip_reader *r, uint32_t at)
{
	struct tg_sip *const sip = r->sip;

	if (sip->method != TG_SIP_INVITE)
		return;
	while (at < r->value.len) {
		const uint32_t end = identity_end(&r->value, at);

		if (sip->n_passports == TG_SIP_MAX_PASSPORTS) {
			sip->passports_left_out = true;
			return;
		}
		tg_sip_set_span(&sip->passport[sip->n_passports++], r->text + at,
				tg_sip_trim_lws(r->text, at, end) - at);
		at = tg_sip_skip_lws(r->text, end + 1, r->value.len);
	}
}

void tg_sip_read_field(struct tg_sip_reader *r, uint32_t line, uint32_t end)
{
	struct tg_sip_value *const v = &r->value;
	enum tg_sip_header header;
	uint32_t at;

	/* A name has no delimiter, so the first one on the line is its colon. */
	v->len = end;
	at = tg_sip_value_next(v, line);
	if (at == line || at == end || v->p[at] != ':')
		return;
	header = tg_sip_header_find(v->p + line, at - line);
	if (header == TG_SIP_HEADER_OTHER)
		return;
	at = tg_sip_skip_lws(v->p, at + 1, end);
	v->len = tg_sip_trim_lws(v->p, at, end);
	v->unbalanced = false;
	switch (header) {
	case TG_SIP_HEADER_VIA:
		read_via(r, at);
		break;
	case TG_SIP_HEADER_FROM:
	case TG_SIP_HEADER_TO:
		read_party(r, header, at);
		break;
	case TG_SIP_HEADER_CALL_ID:
		if (tg_sip_is_first(r, header) && at < v->len)
			set_value(&r->sip->call_id, r, at);
		break;
	case TG_SIP_HEADER_CSEQ:
		tg_sip_read_cseq(r, at, v->len);
		break;
	case TG_SIP_HEADER_IDENTITY:
		read_identity(r, at);
		break;
	default:
		read_list(r, header, at);
		break;
	}
}

/* RFC 7044 §5: the last entry is the request's current target, so nobody who redirected it. Where entries
 * were left out, which one is the last is not known. */
static void settle_history(struct tg_sig_msg *m)
{
	unsigned i = m->n_ids;

	while (i > 0 && m->id[i - 1].source != TG_ID_HISTORY_INFO)
		i--;
	if (i > 0 && !m->ids_left_out)
		m->id[i - 1].role = TG_ROLE_CALLED;
}

/*
 * architecture §9: the network's own statement, else From. Of several the first that names a user,
 * and none if nobody does.
 */
static uint8_t find_caller(const struct tg_sig_msg *m)
{
	static const uint8_t order[] = { TG_ID_PAI, TG_ID_RPID, TG_ID_FROM };
	unsigned o, i;

	for (o = 0; o < TG_ARRAY_LEN(order); o++)
		for (i = 0; i < m->n_ids; i++)
			if (m->id[i].source == order[o] && m->id[i].raw_len > 0 &&
			    !(m->id[i].flags & TG_ID_FLAG_PARTY_CALLED))
				return (uint8_t)i;
	return TG_SIG_NO_ID;
}

/* The Request-URI, [from, to) of the start line. Angle brackets are not allowed around it but
 * RFC 4475 §3.1.2.8 knows elements that send them. */
static void read_request_uri(struct tg_sip_reader *r, uint32_t at, uint32_t end)
{
	struct tg_sip_addr a;

	r->value.len = end;
	r->value.unbalanced = false;
	if (r->text[at] == '<')
		tg_sip_addr_read(&r->value, at, false, &a);
	else
		tg_sip_uri_read(&r->value, at, &a);
	r->sip->sig.called = 0;
	tg_sip_add_identity(r, TG_ID_REQUEST_URI, &a);
}

/* Behind the method at offset `from`, which a space must follow; 0 if that is not there. */
static uint32_t read_method(struct tg_sip_reader *r, uint32_t from)
{
	static const struct {
		const char *name;
		uint32_t len;
		enum tg_sip_method method;
	} known[] = {
		{ "INVITE", 6, TG_SIP_INVITE },
		{ "ACK", 3, TG_SIP_ACK },
		{ "CANCEL", 6, TG_SIP_CANCEL },
	};
	const uint32_t most = r->limit - from < METHOD_MAX ? r->limit : from + METHOD_MAX;
	uint32_t end = from;
	unsigned i;

	if (r->limit - from >= 7 && memcmp(r->text + from, "INVITE ", 7) == 0) {
		r->sip->method = TG_SIP_INVITE;
		return from + 6;
	}
	while (end < most && tg_sip_is_token(r->text[end]))
		end++;
	if (end == from || end == most || !tg_sip_is_wsp(r->text[end]))
		return 0;
	for (i = 0; i < TG_ARRAY_LEN(known); i++)
		if (end - from == known[i].len &&
		    memcmp(r->text + from, known[i].name, known[i].len) == 0)
			r->sip->method = known[i].method;
	return end;
}

enum tg_reason tg_sip_read_start_line(struct tg_sip_reader *r, uint32_t from, uint32_t end)
{
	if (r->sip->method == TG_SIP_OTHER) /* tg_sip_parse_response has read it */
		return TG_REASON_NONE;
	end = tg_sip_strip_version(r->text, from, end);
	if (end == 0)
		return TG_REASON_NOT_SIP;
	if (r->sip->method != TG_SIP_INVITE)
		return TG_REASON_NONE;
	from = tg_sip_skip_lws(r->text, from, end);
	end = tg_sip_trim_lws(r->text, from, end);
	if (from == end)
		return TG_REASON_SIP_MALFORMED;
	read_request_uri(r, from, end);
	return TG_REASON_NONE;
}

/* A request of which only the start line matters: does it end with the version? */
static enum tg_reason read_other(const struct tg_sip_reader *r, uint32_t from)
{
	const uint8_t *const lf = memchr(r->text + from, '\n', r->limit - from);
	const uint32_t end = lf ? (uint32_t)(lf - r->text) : r->limit;

	return tg_sip_strip_version(r->text, from, end) ? TG_REASON_SIP_REQUEST : TG_REASON_NOT_SIP;
}

/* RFC 3261 §7.1: Method SP Request-URI SP SIP-Version CRLF */
static enum tg_reason read_request(struct tg_sip_reader *r, uint32_t from)
{
	const uint32_t uri = read_method(r, from);
	enum tg_reason reason;

	if (uri == 0)
		return TG_REASON_NOT_SIP;
	if (r->sip->method == TG_SIP_OTHER)
		return read_other(r, uri);
	reason = tg_scan->walk(r, from, uri);
	if (r->sip->method == TG_SIP_INVITE) {
		r->sip->sig.caller = find_caller(&r->sip->sig);
		settle_history(&r->sip->sig);
		return reason;
	}
	return reason == TG_REASON_NONE || reason == TG_REASON_NOT_SIP ? reason
								       : TG_REASON_SIP_REQUEST;
}

static bool is_keepalive(const uint8_t *p, const uint8_t *end)
{
	while (p < end && (*p == '\r' || *p == '\n' || *p == 0))
		p++;
	return p == end;
}

/* datagram.len > 0; *sip is empty */
static void reader_init(struct tg_sip_reader *r, struct tg_span datagram, struct tg_sip *sip)
{
	r->sip = sip;
	r->text = datagram.data;
	r->value.p = datagram.data;
	r->end = datagram.data + datagram.len;
	r->limit = datagram.len < TG_SIP_MAX_HEADER_BYTES ? datagram.len : TG_SIP_MAX_HEADER_BYTES;
	r->reserved = TG_SIP_RESERVED;
	r->seen = 0;
}

enum tg_reason tg_sip_parse(struct tg_span datagram, struct tg_sip *sip)
{
	struct tg_sip_reader r;
	uint32_t from = 0;

	set_empty(sip, datagram);
	if (datagram.len == 0)
		return TG_REASON_SIP_KEEPALIVE;
	reader_init(&r, datagram, sip);
	/* RFC 3261 §7.5: line ends before the start line are passed over. */
	while (from < r.limit && (r.text[from] == '\r' || r.text[from] == '\n'))
		from++;
	if (from == r.limit || r.text[from] == 0)
		return is_keepalive(r.text + from, r.end) ? TG_REASON_SIP_KEEPALIVE
							  : TG_REASON_NOT_SIP;
	/* RFC 3261 §7.2: SIP-Version SP Status-Code SP Reason-Phrase */
	if (TG_SIP_BEGINS(r.text + from, r.limit - from, "sip/2.0 "))
		return TG_REASON_SIP_RESPONSE;
	return read_request(&r, from);
}

void tg_sip_parse_response(struct tg_span head, struct tg_sip *sip)
{
	struct tg_sip_reader r;

	set_empty(sip, head);
	if (head.len == 0)
		return;
	reader_init(&r, head, sip);
	(void)tg_scan->walk(&r, 0, 0);
}
