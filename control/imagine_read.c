/* SPDX-License-Identifier: BSD-3-Clause */
/* What a request says of the call that is to be imagined, in words of rules. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/imagine.h"

/* ---- words ------------------------------------------------------------------------------------- */

static const char *const protocols[] = {
	[TG_PROTOCOL_SIP] = "sip",
	[TG_PROTOCOL_ISUP] = "isup",
	[TG_PROTOCOL_BICC] = "bicc",
};

static const char *const attestations[] = {
#define X(sym, name) name,
	TG_ATTESTATIONS(X)
#undef X
};

static const char *const verifications[] = {
#define X(sym, name) name,
	TG_STIR_STATES(X)
#undef X
};

static const char *const natures[] = {
#define X(sym, name) name,
	TG_ISUP_NATURES(X)
#undef X
};

static const char *const shown[] = {
#define X(sym, name) name,
	TG_ISUP_SHOWN(X)
#undef X
};

static const char *const screenings[] = {
#define X(sym, name) name,
	TG_ISUP_SCREENINGS(X)
#undef X
};

static const char *const qualifiers[] = {
#define X(sym, name) name,
	TG_ISUP_QUALIFIERS(X)
#undef X
};

static const char *const categories[] = {
#define X(sym, name) name,
	TG_ISUP_CATEGORIES(X)
#undef X
};

/* Where a member belongs. */
enum place {
	IN_SIP,
	IN_ISUP, /* over SS7, and in the body of SIP */
	IN_SS7,
};

/* A member that is one of a rule's words. */
struct member {
	const char *key;
	const char *const *words; /* NULL: any text */
	unsigned n;
	enum place place;
};

static const struct member members[] = {
#define WORDS(key, words, place)                                                                   \
	{                                                                                          \
		key, words, TG_ARRAY_LEN(words), place                                             \
	}
	WORDS("attestation", attestations, IN_SIP),
	WORDS("verification", verifications, IN_SIP),
	WORDS("nature-from", natures, IN_ISUP),
	WORDS("nature-to", natures, IN_ISUP),
	WORDS("presentation", shown, IN_ISUP),
	WORDS("screening", screenings, IN_ISUP),
	WORDS("calling-category", categories, IN_ISUP),
#undef WORDS
	{ "opc", NULL, 0, IN_SS7 },
	{ "dpc", NULL, 0, IN_SS7 },
	{ "network-appearance", NULL, 0, IN_SS7 },
	{ "called-party-number", NULL, 0, IN_SIP },
	{ "calling-party-number", NULL, 0, IN_SIP },
	{ "redirecting-number", NULL, 0, IN_ISUP },
	{ "original-called-number", NULL, 0, IN_ISUP },
	{ "location-number", NULL, 0, IN_ISUP },
	{ "generic-number", NULL, 0, IN_ISUP },
};

enum {
	ATTESTATION,
	VERIFICATION,
	NATURE_FROM,
	NATURE_TO,
	PRESENTATION,
	SCREENING,
	CATEGORY,
	N_WORDS
};

static int refuse_word(const struct member *m, const char *given, struct tg_error *err)
{
	char list[256] = "";
	unsigned i;

	for (i = 0; i < m->n; i++) {
		strncat(list, i ? ", " : "", sizeof(list) - strlen(list) - 1);
		strncat(list, m->words[i], sizeof(list) - strlen(list) - 1);
	}
	return tg_error_set(err, -EINVAL, "there is no %s \"%.40s\"; one of: %s", m->key, given,
			    list);
}

/* `given` need not end with a zero. */
static int find_word(const struct member *m, const char *given, size_t len)
{
	unsigned i;

	for (i = 0; i < m->n; i++)
		if (strlen(m->words[i]) == len && memcmp(given, m->words[i], len) == 0)
			return (int)i;
	return -1;
}

/* The word's place, or -1 if nothing is said. */
static int read_word(const json_t *request, const struct member *m, int *which,
		     struct tg_error *err)
{
	const char *given = json_string_value(json_object_get(request, m->key));

	*which = given ? find_word(m, given, strlen(given)) : -1;
	return given && *which < 0 ? refuse_word(m, given, err) : 0;
}

static int check_places(const json_t *request, unsigned protocol, struct tg_error *err)
{
	const bool ss7 = protocol != TG_PROTOCOL_SIP;
	const bool has_body = !ss7 && json_object_get(request, "called-party-number");
	const bool may[] = { [IN_SIP] = !ss7, [IN_ISUP] = ss7 || has_body, [IN_SS7] = ss7 };
	static const char *const where[] = {
		[IN_SIP] = "sip",
		[IN_ISUP] = "isup or bicc, or of sip with a called-party-number in its body",
		[IN_SS7] = "isup or bicc",
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(members); i++)
		if (!may[members[i].place] && json_object_get(request, members[i].key))
			return tg_error_set(err, -EINVAL, "%s is of protocol %s", members[i].key,
					    where[members[i].place]);
	if (!ss7 && !has_body && json_object_get(request, "calling-party-number"))
		return tg_error_set(err, -EINVAL,
				    "calling-party-number needs a called-party-number beside it");
	return 0;
}

static int read_appearance(const json_t *request, struct tg_imagine *how, struct tg_error *err)
{
	const char *s = json_string_value(json_object_get(request, "network-appearance"));

	how->network_appearance = s;
	if (!s)
		return 0;
	if (!*s || strlen(s) > 10 || s[strspn(s, "0123456789")] != 0 ||
	    strtoull(s, NULL, 10) > UINT32_MAX)
		return tg_error_set(err, -EINVAL, "network-appearance is 0 to 4294967295");
	how->appearance = (uint32_t)strtoull(s, NULL, 10);
	return 0;
}

/* ---- numbers beside caller and called ------------------------------------------------------------ */

static int add_number(struct tg_imagine *how, enum tg_id_source source, unsigned qualifier,
		      struct tg_span text, struct tg_error *err)
{
	const struct tg_num num = tg_num_from_feed(text);

	if (tg_num_is_none(num))
		return tg_error_set(
			err, -EINVAL,
			"%s: \"%.*s\" is no number: \"+\" and up to 15 digits, or a short "
			"code",
			tg_id_source_name(source), text.len < 40 ? (int)text.len : 40,
			(const char *)text.data);
	if (how->n_more == TG_IMAGINE_MORE)
		return tg_error_set(err, -EINVAL, "too many numbers");
	how->more[how->n_more++] = (struct tg_imagine_number){
		.num = num,
		.source = (uint8_t)source,
		.qualifier = (uint8_t)qualifier,
	};
	return 0;
}

/* QUALIFIER=NUMBER, and more of them behind commas. */
static int read_generic_numbers(const char *s, struct tg_imagine *how, struct tg_error *err)
{
	static const struct member qualifier = { "qualifier", qualifiers, TG_ARRAY_LEN(qualifiers),
						 IN_ISUP };
	int ret = 0;

	for (; ret == 0; s++) {
		const size_t len = strcspn(s, "=,"), end = strcspn(s, ",");
		const int which = find_word(&qualifier, s, len);

		if (which < 0)
			return refuse_word(&qualifier, s, err);
		if (s[len] != '=')
			return tg_error_set(err, -EINVAL,
					    "generic-number is QUALIFIER=NUMBER, not \"%.40s\"", s);
		ret = add_number(
			how, TG_ID_GENERIC_NUMBER,
			tg_isup_qualifier_wire((enum tg_isup_qualifier)which),
			(struct tg_span){ (const uint8_t *)s + len + 1, (uint32_t)(end - len - 1) },
			err);
		s += end;
		if (!*s)
			break;
	}
	return ret;
}

/* A parameter's member has the name that rules have for it. */
static int read_numbers(const json_t *request, struct tg_imagine *how, struct tg_error *err)
{
	static const enum tg_id_source sources[] = { TG_ID_CALLED_NUMBER, TG_ID_CALLING_NUMBER,
						     TG_ID_REDIRECTING_NUMBER,
						     TG_ID_ORIGINAL_CALLED_NUMBER,
						     TG_ID_LOCATION_NUMBER };
	const char *s;
	unsigned i;
	int ret;

	for (i = 0; i < TG_ARRAY_LEN(sources); i++) {
		s = json_string_value(json_object_get(request, tg_id_source_name(sources[i])));
		if (!s)
			continue;
		ret = add_number(how, sources[i], 0,
				 (struct tg_span){ (const uint8_t *)s, (uint32_t)strlen(s) }, err);
		if (ret != 0)
			return ret;
	}
	how->has_isup = how->protocol != TG_PROTOCOL_SIP || how->n_more > 0;
	s = json_string_value(json_object_get(request, tg_id_source_name(TG_ID_GENERIC_NUMBER)));
	return s ? read_generic_numbers(s, how, err) : 0;
}

/* ---- the request ------------------------------------------------------------------------------- */

int tg_imagine_read(const json_t *request, struct tg_imagine *how, struct tg_error *err)
{
	static const struct member protocol = { "protocol", protocols, TG_ARRAY_LEN(protocols),
						IN_SIP };
	int which[N_WORDS], of_protocol, ret;
	unsigned i;

	ret = read_word(request, &protocol, &of_protocol, err);
	for (i = 0; i < N_WORDS && ret == 0; i++)
		ret = read_word(request, &members[i], &which[i], err);
	if (ret == 0)
		ret = check_places(request,
				   of_protocol < 0 ? TG_PROTOCOL_SIP : (unsigned)of_protocol, err);
	if (ret != 0)
		return ret;
	*how = (struct tg_imagine){
		.protocol = (uint8_t)(of_protocol < 0 ? TG_PROTOCOL_SIP : of_protocol),
		.has_passport = which[ATTESTATION] >= 0 || which[VERIFICATION] >= 0,
		.verification = (uint8_t)(which[VERIFICATION] < 0 ? TG_STIR_UNVERIFIED
								  : which[VERIFICATION]),
		.opc = json_string_value(json_object_get(request, "opc")),
		.dpc = json_string_value(json_object_get(request, "dpc")),
		.nature_from = which[NATURE_FROM],
		.nature_to = which[NATURE_TO],
		.presentation = (uint8_t)(which[PRESENTATION] < 0 ? TG_ISUP_SHOWN_ALLOWED
								  : which[PRESENTATION]),
		.screening = (uint8_t)(which[SCREENING] < 0 ? TG_ISUP_SCREENING_NETWORK
							    : which[SCREENING]),
		.category = (uint8_t)tg_isup_category_wire(
			which[CATEGORY] < 0 ? TG_ISUP_CATEGORY_ORDINARY
					    : (enum tg_isup_category)which[CATEGORY]),
	};
	if (which[ATTESTATION] >= 0 && which[ATTESTATION] != TG_ATTESTATION_NONE)
		how->attest = (char)('A' + which[ATTESTATION]);
	ret = read_appearance(request, how, err);
	return ret ? ret : read_numbers(request, how, err);
}
