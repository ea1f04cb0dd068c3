/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "control/policy_doc.h"

/* ---- the code ---------------------------------------------------------------------------------- */

static const char *why_not(uint32_t code)
{
	switch (code) {
	case 408:
	case 500:
	case 503:
		return "upstream takes it for a fault of this trunk and fails over, so that the "
		       "call comes back on another one";
	case 401:
	case 407:
		return "it asks for credentials, and nobody here would check them";
	default:
		return "an answer that ends a call is 400 to 699, one that diverts it 300 to 399";
	}
}

/* ---- the Reason header (RFC 3326 §2) ----------------------------------------------------------- */

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-.!%*_+`'~", c)); /* RFC 3261 §25.1 */
}

static const char *skip_space(const char *s)
{
	return s + strspn(s, " \t");
}

static const char *skip_token(const char *s)
{
	const char *start = s;

	while (is_token(*s))
		s++;
	return s > start ? s : NULL;
}

/* s stands on the opening quote (quoted-string, RFC 3261 §25.1). */
static const char *skip_quoted(const char *s)
{
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && *++s == 0)
			return NULL;
	}
	return *s == '"' ? s + 1 : NULL;
}

/* ";cause=21", ";text="..."", ";location=LN": behind it, or NULL. s stands on the semicolon. */
static const char *skip_parameter(const char *s)
{
	s = skip_token(skip_space(s + 1));
	if (!s)
		return NULL;
	s = skip_space(s);
	if (*s != '=')
		return s;
	s = skip_space(s + 1);
	return *s == '"' ? skip_quoted(s) : skip_token(s);
}

/* reason-value = protocol *(SEMI reason-params), separated by commas. */
static bool reason_is_valid(const char *s)
{
	for (;;) {
		s = skip_token(skip_space(s)); /* "SIP", "Q.850" */
		while (s && *(s = skip_space(s)) == ';')
			s = skip_parameter(s);
		if (!s || *s == 0)
			return s != NULL;
		if (*s++ != ',')
			return false;
	}
}

/* ---- texts ------------------------------------------------------------------------------------- */

/* What goes into a header of ours must not be able to begin another one. */
int tg_policy_draft_text(const struct policy_draft *d, const char *path, const char *given,
			 char *text, size_t size)
{
	const size_t len = given ? strlen(given) : 0;
	const char *key = strrchr(path, '.') + 1;

	if (len >= size)
		return tg_yaml_refuse(d->yaml, d->err, path, "%s is longer than %zu bytes", key,
				      size - 1);
	if (given && !tg_policy_text_valid(given, len + 1))
		return tg_yaml_refuse(d->yaml, d->err, path,
				      "%s has a line end or another control character in it: it "
				      "would break the SIP message",
				      key);
	if (given)
		memcpy(text, given, len);
	return 0;
}

/* ---- answers ----------------------------------------------------------------------------------- */

struct answer_in {
	const struct policy_doc_answer *answer;
	char path[POLICY_PATH_MAX / 2]; /* "answers[3]" */
};

static int refuse(const struct policy_draft *d, const struct answer_in *in, const char *member,
		  const char *why)
{
	return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(in->path, member).text, "%s", why);
}

static int take_code(const struct policy_draft *d, const struct answer_in *in,
		     struct tg_policy_answer *a)
{
	const uint32_t code = in->answer->code ? *in->answer->code : 0;

	if (!in->answer->code)
		return in->answer->sink
			       ? 0
			       : tg_yaml_refuse(d->yaml, d->err, in->path,
						"answer %s has neither a code nor a sink", a->name);
	if (!tg_policy_code_valid(code) && !(code >= 300 && code <= 399))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(in->path, "code").text,
				      "code %u is not possible: %s", code, why_not(code));
	if (!in->answer->phrase)
		return tg_yaml_refuse(d->yaml, d->err, in->path,
				      "answer %s: key \"phrase\" is missing", a->name);
	a->code = (uint16_t)code;
	return 0;
}

/* RFC 3261 §20.10: name-addr, so that what is behind '>' are parameters of the Contact. */
static bool contact_is_valid(const char *s)
{
	const char *end = strchr(s, '>');

	return (strncmp(s, "<sip:", 5) == 0 || strncmp(s, "<sips:", 6) == 0 ||
		strncmp(s, "<tel:", 5) == 0) &&
	       end && end - s > 6 && !strchr(s + 1, '<') && !strchr(s, ',') &&
	       (end[1] == 0 || end[1] == ';');
}

static int check_divert(const struct policy_draft *d, const struct answer_in *in,
			const struct tg_policy_answer *a)
{
	const struct policy_doc_answer *doc = in->answer;
	const bool is_3xx = a->code >= 300 && a->code <= 399;

	if (is_3xx && !doc->contact)
		return refuse(d, in, "code",
			      "a code of 300 to 399 sends the call elsewhere: it needs a contact");
	if (doc->contact && !is_3xx)
		return refuse(d, in, "contact", "only an answer of 300 to 399 has a contact");
	if (doc->contact && !contact_is_valid(doc->contact))
		return refuse(d, in, "contact",
			      "contact is no address such as <sip:+6561234567@192.0.2.9>");
	if (doc->sink && a->code >= 400)
		return refuse(d, in, "sink",
			      "a sink diverts the call: code is 300 to 399, or left out");
	if (doc->sink && (doc->sink[strspn(doc->sink, "+")] == 0 || strchr(doc->sink + 1, '+') ||
			  doc->sink[strspn(doc->sink, "+0123456789")] != 0))
		return refuse(d, in, "sink",
			      "sink is a number, + and digits: the called number becomes "
			      "it, filled with zeros to the length that it had");
	return 0;
}

/* ATIS-1000099: who finds this phrase looks for that text, and nobody else may use it. */
static int check_network_blocked(const struct policy_draft *d, const struct answer_in *in,
				 const struct tg_policy_answer *a)
{
	if (strcasecmp(a->phrase, TG_POLICY_NETWORK_BLOCKED) != 0)
		return 0;
	if (a->code != 603 || !strstr(a->reason, "text=\"v=analytics1;"))
		return refuse(
			d, in, "phrase",
			"Network Blocked is 603 with a reason such as "
			"Q.850;cause=21;text=\"v=analytics1;url=https://...\" (ATIS-1000099)");
	return 0;
}

static int take_texts(const struct policy_draft *d, const struct answer_in *in,
		      struct tg_policy_answer *a)
{
	const struct {
		const char *key;
		const char *given;
		char *text;
		size_t size;
	} texts[] = {
		{ "phrase", in->answer->phrase, a->phrase, sizeof(a->phrase) },
		{ "reason", in->answer->reason, a->reason, sizeof(a->reason) },
		{ "contact", in->answer->contact, a->contact, sizeof(a->contact) },
		{ "call_info", in->answer->call_info, a->call_info, sizeof(a->call_info) },
		{ "sink", in->answer->sink, a->sink, sizeof(a->sink) },
	};
	unsigned i;
	int ret = 0;

	for (i = 0; i < TG_ARRAY_LEN(texts) && ret == 0; i++)
		ret = tg_policy_draft_text(d, tg_policy_path(in->path, texts[i].key).text,
					   texts[i].given, texts[i].text, texts[i].size);
	if (ret == 0 && in->answer->reason && !reason_is_valid(in->answer->reason))
		return refuse(d, in, "reason",
			      "reason is no Reason header value such as Q.850;cause=21;"
			      "text=\"Call rejected\" (RFC 3326)");
	if (ret == 0 && in->answer->call_info &&
	    (in->answer->call_info[0] != '<' || !strchr(in->answer->call_info, '>')))
		return refuse(d, in, "call_info",
			      "call_info is no Call-Info header value such as "
			      "<https://example.net/card>;purpose=jwscard (RFC 8688)");
	return ret;
}

static int take_answer(struct policy_draft *d, const struct policy_doc_answer *doc, uint32_t i)
{
	struct tg_policy_answer *a = &d->answer[i];
	struct answer_in in = { .answer = doc };
	uint32_t j;
	int ret;

	snprintf(in.path, sizeof(in.path), "answers[%u]", i);
	ret = tg_policy_draft_name(d, in.path, doc->name, a->name);
	if (ret != 0)
		return ret;
	for (j = 0; j < i; j++) {
		if (strcmp(d->answer[j].name, a->name) == 0)
			return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(in.path, "name").text,
					      "two answers are named %s", a->name);
	}
	ret = take_code(d, &in, a);
	if (ret == 0)
		ret = check_divert(d, &in, a);
	if (ret == 0)
		ret = take_texts(d, &in, a);
	return ret == 0 ? check_network_blocked(d, &in, a) : ret;
}

int tg_policy_draft_answers(struct policy_draft *d, const struct policy_doc *doc)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < doc->answers_count && ret == 0; i++)
		ret = take_answer(d, &doc->answers[i], i);
	d->n_answers = doc->answers_count;
	return ret;
}

/* ---- marks ------------------------------------------------------------------------------------- */

static int check_mark(const struct policy_draft *d, const char *path,
		      const struct policy_doc_mark *in, const struct tg_policy_mark *m)
{
	if (!in->header && !in->display && !m->flags)
		return tg_yaml_refuse(d->yaml, d->err, path,
				      "mark %s changes nothing: header, display, anonymise or plus",
				      m->name);
	if (in->header && !tg_policy_header_valid(m->header, sizeof(m->header)))
		return tg_yaml_refuse(
			d->yaml, d->err, tg_policy_path(path, "header").text,
			"header is one line such as \"X-Tollgate: suspect\", and not one "
			"that routes the message or says who it is from");
	if (!tg_policy_display_valid(m->display, sizeof(m->display)))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "display").text,
				      "display holds a quotation mark or a backslash");
	if (in->anonymise && (in->display || in->plus))
		return tg_yaml_refuse(d->yaml, d->err, path,
				      "mark %s: who is anonymous has no display name and no number",
				      m->name);
	return 0;
}

static int take_mark(struct policy_draft *d, const struct policy_doc_mark *in, uint32_t i)
{
	struct tg_policy_mark *m = &d->mark[i];
	char path[POLICY_PATH_MAX / 2];
	uint32_t j;
	int ret;

	snprintf(path, sizeof(path), "marks[%u]", i);
	ret = tg_policy_draft_name(d, path, in->name, m->name);
	if (ret != 0)
		return ret;
	for (j = 0; j < i; j++) {
		if (strcmp(d->mark[j].name, m->name) == 0)
			return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "name").text,
					      "two marks are named %s", m->name);
	}
	m->flags = (uint8_t)((in->anonymise ? TG_MARK_ANONYMISE : 0) |
			     (in->plus ? TG_MARK_PLUS : 0));
	ret = tg_policy_draft_text(d, tg_policy_path(path, "header").text, in->header, m->header,
				   sizeof(m->header));
	if (ret == 0)
		ret = tg_policy_draft_text(d, tg_policy_path(path, "display").text, in->display,
					   m->display, sizeof(m->display));
	return ret == 0 ? check_mark(d, path, in, m) : ret;
}

int tg_policy_draft_marks(struct policy_draft *d, const struct policy_doc *doc)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < doc->marks_count && ret == 0; i++)
		ret = take_mark(d, &doc->marks[i], i);
	d->n_marks = doc->marks_count;
	return ret;
}
