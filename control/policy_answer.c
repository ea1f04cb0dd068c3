/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/policy_doc.h"

/* ---- the code ---------------------------------------------------------------------------------- */

static const char *why_not(uint32_t code)
{
	switch (code) {
	case 408:
	case 500:
	case 503:
		return "upstream takes it for a fault of this trunk and fails over, so that the "
		       "call "
		       "comes back on another one";
	case 401:
	case 407:
		return "it asks for credentials, and nobody here would check them";
	default:
		return "an answer that ends a call is 400 to 699";
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

/* ---- answers ----------------------------------------------------------------------------------- */

/* What goes into a header of our answers must not be able to begin another one. */
static int take_text(const struct policy_draft *d, const char *path, const char *given, char *text,
		     size_t size)
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

static int take_answer(struct policy_draft *d, const struct policy_doc_answer *in, uint32_t i)
{
	struct tg_policy_answer *a = &d->answer[i];
	char path[POLICY_PATH_MAX / 2];
	uint32_t j;
	int ret;

	snprintf(path, sizeof(path), "answers[%u]", i);
	ret = tg_policy_draft_name(d, path, in->name, a->name);
	if (ret != 0)
		return ret;
	for (j = 0; j < i; j++) {
		if (strcmp(d->answer[j].name, a->name) == 0)
			return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "name").text,
					      "two answers are named %s", a->name);
	}
	if (!tg_policy_code_valid(in->code))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "code").text,
				      "code %u is not possible: %s", in->code, why_not(in->code));
	a->code = (uint16_t)in->code;
	ret = take_text(d, tg_policy_path(path, "phrase").text, in->phrase, a->phrase,
			sizeof(a->phrase));
	if (ret == 0)
		ret = take_text(d, tg_policy_path(path, "reason").text, in->reason, a->reason,
				sizeof(a->reason));
	if (ret == 0 && in->reason && !reason_is_valid(in->reason))
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "reason").text,
				      "reason is no Reason header value such as Q.850;cause=21;"
				      "text=\"Call rejected\" (RFC 3326)");
	return ret;
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
