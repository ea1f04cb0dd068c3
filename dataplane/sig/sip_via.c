/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/sig/sip_via.h"

#include "dataplane/sig/sip_uri.h"

/* Behind [ word ] LWS, where a word ends at LWS or '/'. */
static uint32_t skip_word(const struct tg_sip_value *v, uint32_t i)
{
	while (i < v->len && v->p[i] != '/' && !tg_sip_is_lws(v->p[i]))
		i++;
	return tg_sip_skip_lws(v->p, i, v->len);
}

/* sent-protocol LWS: "SIP" SLASH "2.0" SLASH transport, white space around the slashes allowed.
 * Returns where sent-by begins, 0 if this is no Via of SIP/2.0. */
static uint32_t skip_protocol(const struct tg_sip_value *v, uint32_t i)
{
	static const char *const word[] = { "sip", "2.0" };
	unsigned w;

	if (TG_SIP_BEGINS(v->p + i, v->len - i, "sip/2.0/")) /* as nearly everybody writes it */
		return skip_word(v, i + 8);
	for (w = 0; w < TG_ARRAY_LEN(word); w++) {
		if (v->len - i < 3 || !tg_sip_same(v->p + i, word[w], 3))
			return 0;
		i = tg_sip_skip_lws(v->p, i + 3, v->len);
		if (i == v->len || v->p[i] != '/')
			return 0;
		i = tg_sip_skip_lws(v->p, i + 1, v->len);
	}
	return skip_word(v, i);
}

/* host [ COLON port ]; returns the offset behind it, `via` says whether it could be read */
static uint32_t read_sent_by(const struct tg_sip_value *v, uint32_t i, struct tg_sip_via *via)
{
	const uint32_t from = i;
	uint32_t port = 0, digits;

	if (i < v->len && v->p[i] == '[') {
		while (i < v->len && v->p[i] != ']')
			i++;
		i += i < v->len;
	} else {
		i = tg_sip_trim_lws(v->p, from, tg_sip_value_next(v, i));
	}
	tg_sip_set_span(&via->host, v->p + from, i - from);
	via->end = i;
	i = tg_sip_skip_lws(v->p, i, v->len);
	if (i == v->len || v->p[i] != ':')
		return i;
	digits = i = tg_sip_skip_lws(v->p, i + 1, v->len);
	while (i < v->len && (uint8_t)(v->p[i] - '0') < 10 && i - digits < 6)
		port = port * 10 + (uint32_t)(v->p[i++] - '0');
	if (i == digits || port == 0 || port > 65535)
		via->well_formed = false;
	else
		via->port = (uint16_t)port;
	via->end = i;
	return tg_sip_skip_lws(v->p, i, v->len);
}

static void take_param(const struct tg_sip_value *v, const struct tg_sip_param *p,
		       struct tg_sip_via *via)
{
	if (p->name.len == 0)
		via->well_formed = false;
	if (!via->branch.data && TG_SIP_IS(p->name.data, p->name.len, "branch")) {
		tg_sip_set_span(&via->branch, p->value.data, p->value.len);
	} else if (!via->rport.data && TG_SIP_IS(p->name.data, p->name.len, "rport") &&
		   p->value.len == 0) {
		tg_sip_set_span(&via->rport, p->name.data, p->name.len);
		via->rport_end = (uint32_t)(p->name.data - v->p) + p->name.len;
		if (p->value.data)
			via->rport_end = p->end;
	} else if (!via->received.data && TG_SIP_IS(p->name.data, p->name.len, "received")) {
		tg_sip_set_span(&via->received, p->value.data, p->value.len);
	}
}

static void set_empty(struct tg_sip_via *via)
{
	tg_sip_set_span(&via->host, NULL, 0);
	tg_sip_set_span(&via->branch, NULL, 0);
	tg_sip_set_span(&via->rport, NULL, 0);
	tg_sip_set_span(&via->received, NULL, 0);
	via->port = 0;
	via->rport_end = 0;
	via->end = 0;
	via->well_formed = true;
}

void tg_sip_via_read(struct tg_sip_value *v, uint32_t at, struct tg_sip_via *via)
{
	struct tg_sip_param p;
	uint32_t i = tg_sip_skip_lws(v->p, at, v->len);

	set_empty(via);
	i = skip_protocol(v, i);
	if (i == 0) {
		via->well_formed = false;
		return;
	}
	i = read_sent_by(v, i, via);
	if (via->host.len == 0)
		via->well_formed = false;
	while (tg_sip_param_next(v, &i, &p)) {
		take_param(v, &p, via);
		via->end = p.end;
	}
	i = tg_sip_skip_lws(v->p, i, v->len);
	if ((i < v->len && v->p[i] != ',') || v->unbalanced)
		via->well_formed = false;
}
