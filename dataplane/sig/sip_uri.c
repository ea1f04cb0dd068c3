/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/sip_uri.h"

enum scheme {
	SCHEME_NONE,
	SCHEME_SIP, /* and sips */
	SCHEME_TEL,
	SCHEME_URN,
	SCHEME_OTHER,
};

/* RFC 3261 §25.1 scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ) */
static enum scheme read_scheme(const uint8_t *p, uint32_t len)
{
	uint32_t i;

	if (TG_SIP_IS(p, len, "sip") || TG_SIP_IS(p, len, "sips"))
		return SCHEME_SIP;
	if (TG_SIP_IS(p, len, "tel"))
		return SCHEME_TEL;
	if (TG_SIP_IS(p, len, "urn"))
		return SCHEME_URN;
	if (len == 0 || (uint8_t)((p[0] | 0x20) - 'a') >= 26)
		return SCHEME_NONE;
	for (i = 1; i < len; i++)
		if ((uint8_t)((p[i] | 0x20) - 'a') >= 26 && (uint8_t)(p[i] - '0') >= 10 &&
		    p[i] != '+' && p[i] != '-' && p[i] != '.')
			return SCHEME_NONE;
	return SCHEME_OTHER;
}

/* The first of the delimiters `a` and `b` in [from, to), or `to`. */
static uint32_t find_either(const struct tg_sip_value *v, uint32_t from, uint32_t to,
			    const char either[2])
{
	struct tg_sip_walk w = tg_sip_walk_from(v, from);
	uint32_t i;

	while ((i = tg_sip_walk_next(&w)) < to)
		if (v->p[i] == (uint8_t)either[0] || v->p[i] == (uint8_t)either[1])
			return i;
	return to;
}

/* Does one of the URI parameters ";name=value" in [from, to) say which plan the digits are in?
 * RFC 3966 §5.1.5; in the user part of a SIP URI by RFC 3261 §19.1.6. */
static bool has_phone_context(const struct tg_sip_value *v, uint32_t from, uint32_t to)
{
	uint32_t i;

	for (i = find_either(v, from, to, ";;"); i < to; i = find_either(v, i + 1, to, ";;"))
		if (TG_SIP_BEGINS(v->p + i + 1, to - i - 1, "phone-context="))
			return true;
	return false;
}

/* digits and their parameters are [from, to); the digits end before `end` */
static void set_user(const struct tg_sip_value *v, uint32_t from, uint32_t end, uint32_t to,
		     struct tg_sip_addr *a)
{
	if (end == from)
		return;
	tg_sip_set_span(&a->user, v->p + from, end - from);
	if (v->p[from] != '+' && end < to && has_phone_context(v, end, to))
		a->flags |= TG_ID_FLAG_TEL_LOCAL;
}

static bool is_anonymous_host(const uint8_t *host, uint32_t len)
{
	static const char name[] = "anonymous.invalid";
	const uint32_t n = sizeof(name) - 1;

	if (len < n || !tg_sip_same(host, name, n))
		return false;
	return len == n || host[n] == ':' || host[n] == ';' || host[n] == '?' ||
	       tg_sip_is_lws(host[n]);
}

/* RFC 5031 §4.2: urn:service:sos and its sub-services; service:test.sos is no emergency. */
static bool is_emergency_urn(const uint8_t *p, uint32_t len)
{
	const uint32_t n = sizeof("service:sos") - 1;

	return TG_SIP_BEGINS(p, len, "service:sos") &&
	       (len == n || p[n] == '.' || p[n] == ';' || p[n] == '?');
}

/* Where a URI's delimiters stand; `end` stands for those that it does not have. */
struct marks {
	uint32_t colon;	   /* behind the scheme */
	uint32_t user_end; /* first ':' or ';' behind that: a password, a parameter, a port */
	uint32_t
		at; /* '@' must be escaped in a user part (RFC 3261 §25.1): the first one ends it */
	uint32_t end;
};

/* One walk over [from, to), up to `closing` where that is not zero. */
static void find_marks(const struct tg_sip_value *v, uint32_t from, uint32_t to, uint8_t closing,
		       struct marks *m)
{
	struct tg_sip_walk w = tg_sip_walk_from(v, from);
	uint32_t i = tg_sip_walk_next(&w);

	m->colon = i;
	m->user_end = m->at = UINT32_MAX;
	for (; i < to; i = tg_sip_walk_next(&w)) {
		const uint8_t c = v->p[i];

		if (c == '@' || c == closing)
			break;
		if ((c == ':' || c == ';') && m->user_end == UINT32_MAX && i != m->colon)
			m->user_end = i;
	}
	if (i < to && v->p[i] == '@')
		m->at = i;
	/* Nothing behind the '@' matters here but where the URI ends. */
	if (closing)
		while (i < to && v->p[i] != closing)
			i = tg_sip_walk_next(&w);
	else
		i = to;
	m->end = i < to ? i : to;
}

/* [ userinfo "@" ] hostport; ':' begins the password, ';' the user's parameters (§19.1.6). */
static void read_user_at_host(const struct tg_sip_value *v, uint32_t body, uint32_t end,
			      const struct marks *m, struct tg_sip_addr *a)
{
	uint32_t host = body;

	if (m->at != UINT32_MAX) {
		set_user(v, body, m->user_end < m->at ? m->user_end : m->at, m->at, a);
		host = m->at + 1;
	}
	if (host < end && (v->p[host] | 0x20) == 'a')
		a->anonymous = is_anonymous_host(v->p + host, end - host);
}

/* The URI in [from, m->end) */
static void read_uri(const struct tg_sip_value *v, uint32_t from, const struct marks *m,
		     struct tg_sip_addr *a)
{
	const uint8_t *const p = v->p;
	const uint32_t end = tg_sip_trim_lws(p, from, m->end);
	uint32_t body = m->colon + 1;

	if (m->colon >= end || p[m->colon] != ':') {
		a->well_formed = false;
		return;
	}
	switch (read_scheme(p + from, m->colon - from)) {
	case SCHEME_NONE:
		a->well_formed = false;
		break;
	case SCHEME_TEL: /* RFC 3966 §3: telephone-subscriber up to the parameters */
		set_user(v, body, m->user_end < end ? m->user_end : end, end, a);
		break;
	case SCHEME_URN:
		if (is_emergency_urn(p + body, end - body))
			a->flags |= TG_ID_FLAG_EMERGENCY;
		break;
	case SCHEME_OTHER: /* im:user@host, h323:user@host, http://user@host */
		if (end - body >= 2 && p[body] == '/' && p[body + 1] == '/')
			body += 2;
		/* fall through */
	case SCHEME_SIP:
		read_user_at_host(v, body, end, m, a);
		break;
	}
}

/* Behind the quoted string that begins at `at`; 0 if it is never closed. */
static uint32_t skip_quoted(struct tg_sip_value *v, uint32_t at)
{
	struct tg_sip_walk w = tg_sip_walk_from(v, at + 1);
	uint32_t i;

	if (v->unbalanced)
		return 0;
	while ((i = tg_sip_walk_next(&w)) < v->len) {
		if (v->p[i] == '"')
			return i + 1;
		if (v->p[i] == '\\')
			tg_sip_walk_to(&w, i + 2);
	}
	v->unbalanced = true;
	return 0;
}

/*
 * Where the address's URI begins: behind '<', or at `at` for an addr-spec, of which *end is set. A
 * display name may hold anything in quotes. Not in quotes it may hold no delimiter, but '<' wins
 * over those that came before it, as it does for the peers we know.
 */
static bool find_angle(struct tg_sip_value *v, uint32_t at, bool list, uint32_t *pos)
{
	struct tg_sip_walk w = tg_sip_walk_from(v, at);
	uint32_t i, behind;

	while ((i = tg_sip_walk_next(&w)) < v->len) {
		const uint8_t c = v->p[i];

		if (c == '<' || c == ';' || (list && c == ','))
			break;
		if (c == '"' && (behind = skip_quoted(v, i)) != 0)
			tg_sip_walk_to(&w, behind);
	}
	*pos = i;
	return i < v->len && v->p[i] == '<';
}

void tg_sip_addr_read(struct tg_sip_value *v, uint32_t at, bool list, struct tg_sip_addr *a)
{
	struct marks m;
	uint32_t i;

	*a = (struct tg_sip_addr){ .well_formed = true };
	at = tg_sip_skip_lws(v->p, at, v->len);
	if (find_angle(v, at, list, &i)) {
		at = tg_sip_skip_lws(v->p, i + 1, v->len);
		find_marks(v, at, v->len, '>', &m);
		a->well_formed = m.end < v->len;
		a->params = m.end < v->len ? m.end + 1 : m.end;
	} else {
		/* RFC 3261 §20: without '<', parameters are the header's, not the URI's. */
		find_marks(v, at, i, 0, &m);
		a->params = i;
	}
	read_uri(v, at, &m, a);
	if (v->unbalanced)
		a->well_formed = false;
}

void tg_sip_uri_read(const struct tg_sip_value *v, uint32_t at, struct tg_sip_addr *a)
{
	struct marks m;

	*a = (struct tg_sip_addr){ .well_formed = true, .params = v->len };
	find_marks(v, at, v->len, 0, &m);
	read_uri(v, at, &m, a);
}

bool tg_sip_param_next(struct tg_sip_value *v, uint32_t *at, struct tg_sip_param *p)
{
	uint32_t i = tg_sip_skip_lws(v->p, *at, v->len), end, behind;

	if (i >= v->len || v->p[i] != ';')
		return false;
	i = tg_sip_skip_lws(v->p, i + 1, v->len);
	end = tg_sip_value_next(v, i);
	tg_sip_set_span(&p->name, v->p + i, tg_sip_trim_lws(v->p, i, end) - i);
	tg_sip_set_span(&p->value, NULL, 0);
	p->end = i + p->name.len;
	if (end < v->len && v->p[end] == '=') {
		i = tg_sip_skip_lws(v->p, end + 1, v->len);
		if (i < v->len && v->p[i] == '"' && (behind = skip_quoted(v, i)) != 0)
			end = behind;
		else
			end = find_either(v, i, v->len, ";,");
		p->end = tg_sip_trim_lws(v->p, i, end);
		tg_sip_set_span(&p->value, v->p + i, p->end - i);
	}
	/* Anything between here and the next separator is not a parameter's: passed over. */
	*at = find_either(v, end, v->len, ";,");
	return true;
}

bool tg_sip_param_find(struct tg_sip_value *v, uint32_t at, struct tg_span name,
		       struct tg_sip_param *p)
{
	while (tg_sip_param_next(v, &at, p))
		if (p->name.len == name.len &&
		    tg_sip_same(p->name.data, (const char *)name.data, name.len))
			return true;
	return false;
}

uint32_t tg_sip_member_end(struct tg_sip_value *v, uint32_t at)
{
	struct tg_sip_walk w = tg_sip_walk_from(v, at);
	uint32_t i, behind;

	while ((i = tg_sip_walk_next(&w)) < v->len) {
		const uint8_t c = v->p[i];

		if (c == ',')
			return i;
		if (c == '"' && (behind = skip_quoted(v, i)) != 0)
			tg_sip_walk_to(&w, behind);
	}
	return v->len;
}
