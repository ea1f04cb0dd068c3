/* SPDX-License-Identifier: BSD-3-Clause */
/* Conditions on parameters of ISUP, and contradictions between SIP and the ISUP in its body. */
#include "tests/support/policy_compile.h"

/* ---- conditions -------------------------------------------------------------------------------- */

/* Identities of a call, in order, and what stands beside the parameters of ISUP among them. */
struct world {
	struct tg_isup isup;
	struct tg_sig_msg msg; /* SIP-I: the headers, then the body */
	uint32_t listing[TG_SIG_MAX_IDS];
	unsigned first_party;
	bool has_isup;
};

static void add(struct tg_sig_msg *m, enum tg_id_source source, const char *number)
{
	struct tg_identity *id = &m->id[m->n_ids];

	memset(id, 0, sizeof(*id));
	id->source = (uint8_t)source;
	id->role = (uint8_t)tg_id_source_role(source);
	id->cls = number ? TG_NUM_CLASS_E164 : TG_NUM_CLASS_UNRESOLVED;
	if (number)
		id->num = tg_num_from_feed(
			(struct tg_span){ (const uint8_t *)number, (uint32_t)strlen(number) });
	if (id->role == TG_ROLE_CALLER && m->caller == TG_SIG_NO_ID)
		m->caller = m->n_ids;
	if (id->role == TG_ROLE_CALLED && m->called == TG_SIG_NO_ID)
		m->called = m->n_ids;
	m->n_ids++;
}

static void begin(struct world *w, enum tg_protocol protocol)
{
	memset(w, 0, sizeof(*w));
	w->msg.protocol = (uint8_t)protocol;
	w->msg.caller = w->msg.called = TG_SIG_NO_ID;
}

static struct tg_isup_party *add_party(struct world *w, enum tg_id_source source,
				       const char *number, struct tg_isup_party party)
{
	if (!w->has_isup)
		w->first_party = w->msg.n_ids;
	w->has_isup = true;
	add(&w->msg, source, number);
	w->isup.sig.n_ids++;
	w->isup.party[w->msg.n_ids - 1 - w->first_party] = party;
	return &w->isup.party[w->msg.n_ids - 1 - w->first_party];
}

static struct tg_verdict decide(const struct tg_policy *p, const struct world *w)
{
	const struct tg_policy_call call = {
		.msg = &w->msg,
		.listing = w->listing,
		.isup = w->has_isup ? &w->isup : NULL,
		.first_party = w->first_party,
	};
	struct tg_verdict v;

	tg_policy_decide(p, &call, &v);
	return v;
}

/* Does a rule with these conditions end the call? */
static bool rejects(const char *when, const struct world *w)
{
	char text[1024];
	struct tg_policy p;
	struct tg_verdict v;
	void *image;

	snprintf(text, sizeof(text),
		 "version: 1\nanswers:\n  - { name: no, code: 603, phrase: Decline }\n"
		 "rules:\n  - name: r\n    when: { %s }\n    action: reject\n    answer: no\n",
		 when);
	p = compile(text, &image);
	v = decide(&p, w);
	free(image);
	return v.action == TG_ACTION_REJECT;
}

struct party_row {
	const char *when;
	enum tg_id_source source;
	struct tg_isup_party party;
	bool matches;
};

static void check_parties(const struct party_row *rows, unsigned n)
{
	struct world w;
	unsigned i;

	for (i = 0; i < n; i++) {
		begin(&w, TG_PROTOCOL_ISUP);
		add_party(&w, rows[i].source, "+441632960123", rows[i].party);
		if (rejects(rows[i].when, &w) != rows[i].matches)
			fail_msg("row %u: %s of %s", i, rows[i].when,
				 tg_id_source_name(rows[i].source));
		w.has_isup = false; /* nothing says so without the parameter */
		if (rejects(rows[i].when, &w))
			fail_msg("row %u: %s of nothing", i, rows[i].when);
	}
}

#define CALLED TG_ID_CALLED_NUMBER
#define CALLING TG_ID_CALLING_NUMBER
#define GENERIC TG_ID_GENERIC_NUMBER
#define LOCATION TG_ID_LOCATION_NUMBER
#define DIALLED TG_ID_ORIGINAL_CALLED_NUMBER
#define REDIRECTING TG_ID_REDIRECTING_NUMBER

TG_TEST(IS_2_nature_plan_and_indicators_as_conditions, TG_NEEDS_NOTHING)
{
	static const struct party_row rows[] = {
		{ "nature: [international]", CALLED, { .nature = 4 }, true },
		{ "nature: [international]", CALLING, { .nature = 3 }, false },
		{ "nature: [national, subscriber]", CALLING, { .nature = 3 }, true },
		{ "nature: [national, subscriber]", DIALLED, { .nature = 1 }, true },
		{ "nature: [national, subscriber]", DIALLED, { .nature = 2 }, false },
		{ "nature: [unknown]", REDIRECTING, { .nature = 2 }, true },
		{ "nature: [unknown]", REDIRECTING, { .nature = 0 }, false },
		{ "nature: [network_specific]", LOCATION, { .nature = 5 }, true },
		{ "nature: [other]", GENERIC, { .nature = 6 }, true },
		{ "nature: [other], role: [called]", GENERIC, { .nature = 6 }, false },
		{ "number_plan: [e164]", CALLING, { .plan = 1 }, true },
		{ "number_plan: [data, telex, private]", CALLING, { .plan = 1 }, false },
		{ "number_plan: [data, telex, private]", CALLING, { .plan = 5 }, true },
		{ "number_plan: [other]", CALLED, { .plan = 0 }, true },
		{ "presentation: [restricted]", CALLING, { .presentation = 1 }, true },
		{ "presentation: [restricted]", REDIRECTING, { .presentation = 3 }, true },
		{ "presentation: [restricted]", CALLING, { .presentation = 0 }, false },
		{ "presentation: [unavailable]", CALLING, { .presentation = 2 }, true },
		{ "presentation: [allowed]", DIALLED, { .presentation = 0 }, true },
		/* Those bits are spare in a called number (Q.763 §3.9). */
		{ "presentation: [allowed]", CALLED, { .presentation = 0 }, false },
		{ "inn: allowed", CALLED, { .inn_not_allowed = false }, true },
		{ "inn: allowed", CALLED, { .inn_not_allowed = true }, false },
		{ "inn: not_allowed", CALLED, { .inn_not_allowed = true }, true },
		{ "inn: allowed", CALLING, { .inn_not_allowed = false }, false },
		{ "incomplete: yes", CALLING, { .incomplete = true }, true },
		{ "incomplete: no", CALLING, { .incomplete = true }, false },
		{ "incomplete: no", GENERIC, { .incomplete = false }, true },
		/* A location number has routing to internal numbers there (Q.763 §3.30). */
		{ "incomplete: yes", LOCATION, { .incomplete = true }, false },
		{ "incomplete: no", CALLED, { .incomplete = false }, false },
	};

	check_parties(rows, TG_ARRAY_LEN(rows));
}

/* IS-5: of several generic numbers each is known by its qualifier; IS-6: who vouches for a number. */
TG_TEST(IS_5_IS_6_qualifier_and_screening_as_conditions, TG_NEEDS_NOTHING)
{
	static const struct party_row rows[] = {
		{ "qualifier: [additional_calling]", GENERIC, { .qualifier = 6 }, true },
		{ "qualifier: [additional_calling]", GENERIC, { .qualifier = 5 }, false },
		{ "qualifier: [dialled]", GENERIC, { .qualifier = 0 }, true },
		{ "qualifier: [dialled]", CALLING, { .qualifier = 0 }, false },
		{ "qualifier: [other]", GENERIC, { .qualifier = 200 }, true },
		{ "qualifier: [additional_called, additional_redirection]",
		  GENERIC,
		  { .qualifier = 9 },
		  true },
		{ "screening: [not_verified]", CALLING, { .screening = 0 }, true },
		{ "screening: [verified]", CALLING, { .screening = 1 }, true },
		{ "screening: [failed]", GENERIC, { .screening = 2 }, true },
		{ "screening: [network]", LOCATION, { .screening = 3 }, true },
		{ "screening: [network, verified]", CALLING, { .screening = 0 }, false },
		/* Spare there (Q.763 §3.39, §3.44). */
		{ "screening: [not_verified]", DIALLED, { .screening = 0 }, false },
		{ "screening: [not_verified]", REDIRECTING, { .screening = 0 }, false },
		{ "screening: [not_verified]", CALLED, { .screening = 0 }, false },
	};
	struct world w;

	check_parties(rows, TG_ARRAY_LEN(rows));
	/* One identity meets all conditions: here none is both. */
	begin(&w, TG_PROTOCOL_ISUP);
	add_party(&w, CALLED, "+441632960123", (struct tg_isup_party){ .nature = 4 });
	add_party(&w, CALLING, "+12025550123", (struct tg_isup_party){ .screening = 3 });
	add_party(&w, GENERIC, "+12025550199", (struct tg_isup_party){ .qualifier = 5 });
	add_party(&w, GENERIC, "+442079460123",
		  (struct tg_isup_party){ .qualifier = 6, .screening = 0 });
	assert_true(rejects("qualifier: [additional_calling], screening: [not_verified]", &w));
	assert_true(rejects("qualifier: [additional_calling], number: ['+44']", &w));
	assert_true(rejects("source: [generic-number], number: ['+1']", &w));
	assert_false(rejects("qualifier: [additional_calling], screening: [network]", &w));
	assert_false(rejects("qualifier: [additional_connected], number: ['+44']", &w));
	assert_false(rejects("source: [calling-party-number], screening: [not_verified]", &w));
}

/* A rule may name each of them, in `source` and in `has`. */
TG_TEST(IS_1_every_source_of_isup_is_a_word, TG_NEEDS_NOTHING)
{
	unsigned source;

	for (source = TG_ID_CALLED_NUMBER; source < TG_ID_SOURCE_COUNT; source++) {
		char when[64];
		struct world w;

		begin(&w, TG_PROTOCOL_ISUP);
		add_party(&w, (enum tg_id_source)source, "+441632960123",
			  (struct tg_isup_party){ .nature = 4 });
		snprintf(when, sizeof(when), "source: [%s]", tg_id_source_name(source));
		assert_true(rejects(when, &w));
		snprintf(when, sizeof(when), "has: [%s]", tg_id_source_name(source));
		assert_true(rejects(when, &w));
		snprintf(when, sizeof(when), "has_not: [%s]", tg_id_source_name(source));
		assert_false(rejects(when, &w));
		assert_false(rejects("source: [request-uri, to, from]", &w));
		assert_int_equal(rejects("has: [redirected]", &w),
				 source == TG_ID_REDIRECTING_NUMBER);
	}
}

/* What is judged of an IAM as it comes: read, normalised, decided. */
TG_TEST(IS_5_presentation_number_of_an_iam, TG_NEEDS_NOTHING)
{
	static const uint8_t iam[] = { 0x01, 0x00, 0x01, 0x00, 0x20, 0x01, 0x0a,
				       0x00, 0x02, 0x0a, 0x08, 0x04, 0x10, 0x44,
				       0x61, 0x23, 0x69, 0x10, 0x32, /* +441632960123 */
				       0x0a, 0x08, 0x84, 0x13, 0x21, 0x20, 0x55,
				       0x05, 0x21, 0x03, /* +12025550123 */
				       0xc0, 0x09, 0x06, 0x04, 0x10, 0x44, 0x02,
				       0x97, 0x64, 0x10, 0x32, /* +442079460123 */
				       0x00 };
	static const char *const matches[] = {
		"qualifier: [additional_calling], number: ['+44'], screening: [not_verified]",
		"source: [calling-party-number], screening: [network], nature: [international]",
		"role: [called], number: ['+441632'], inn: allowed, calling_category: [ordinary]",
		"contradiction: [caller-called], protocol: [sip]", /* the one that does not */
	};
	static const uint32_t listing[TG_SIG_MAX_IDS];
	struct world w;
	unsigned i;

	memset(&w, 0, sizeof(w));
	assert_int_equal(
		tg_isup_read((struct tg_span){ iam, sizeof(iam) }, TG_ISUP_ITU, false, &w.isup),
		TG_REASON_NONE);
	tg_isup_normalise(&w.isup, NULL);
	w.msg = w.isup.sig;
	w.has_isup = true;
	assert_int_equal(w.msg.n_ids, 3);
	assert_memory_equal(w.listing, listing, sizeof(listing));
	for (i = 0; i < TG_ARRAY_LEN(matches); i++)
		if (rejects(matches[i], &w) != (i + 1 < TG_ARRAY_LEN(matches)))
			fail_msg("%s", matches[i]);
}

TG_TEST(IS_13_protocol_and_calling_category_as_conditions, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *when;
		enum tg_protocol protocol;
		bool isup;
		uint8_t category;
		bool matches;
	} rows[] = {
		{ "protocol: [sip]", TG_PROTOCOL_SIP, false, 0, true },
		{ "protocol: [sip]", TG_PROTOCOL_SIP, true, 0, true }, /* SIP-I is SIP */
		{ "protocol: [sip]", TG_PROTOCOL_ISUP, true, 0, false },
		{ "protocol: [isup]", TG_PROTOCOL_ISUP, true, 0, true },
		{ "protocol: [isup]", TG_PROTOCOL_BICC, true, 0, false },
		{ "protocol: [isup, bicc]", TG_PROTOCOL_BICC, true, 0, true },
		{ "calling_category: [payphone]", TG_PROTOCOL_ISUP, true, 15, true },
		{ "calling_category: [payphone]", TG_PROTOCOL_SIP, true, 15, true },
		{ "calling_category: [payphone]", TG_PROTOCOL_ISUP, true, 10, false },
		{ "calling_category: [unknown]", TG_PROTOCOL_ISUP, true, 0, true },
		/* A call that has none is of no category. */
		{ "calling_category: [unknown]", TG_PROTOCOL_SIP, false, 0, false },
		{ "calling_category: [operator, test]", TG_PROTOCOL_BICC, true, 5, true },
		{ "calling_category: [operator, test]", TG_PROTOCOL_BICC, true, 13, true },
		{ "calling_category: [priority]", TG_PROTOCOL_ISUP, true, 225, true },
		{ "calling_category: [data, ordinary]", TG_PROTOCOL_ISUP, true, 12, true },
		{ "calling_category: [other]", TG_PROTOCOL_ISUP, true, 250, true },
	};
	struct world w;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		begin(&w, rows[i].protocol);
		add(&w.msg, TG_ID_FROM, "+12025550123");
		w.has_isup = rows[i].isup;
		w.first_party = 1;
		w.isup.category = rows[i].category;
		if (rejects(rows[i].when, &w) != rows[i].matches)
			fail_msg("row %u: %s", i, rows[i].when);
	}
}

/* ---- SIP-I ------------------------------------------------------------------------------------- */

/* The parameters stand behind the headers; a header meets no condition on a parameter, wherever it stands. */
TG_TEST(IS_12_parameters_stand_behind_headers, TG_NEEDS_NOTHING)
{
	struct world w;
	unsigned i;

	begin(&w, TG_PROTOCOL_SIP);
	add(&w.msg, TG_ID_REQUEST_URI, "+441632960123");
	add(&w.msg, TG_ID_FROM, "+12025550123");
	add_party(&w, CALLED, "+441632960123", (struct tg_isup_party){ .nature = 4, .plan = 1 });
	add_party(&w, CALLING, "+12025550199", (struct tg_isup_party){ .nature = 3, .plan = 1 });
	assert_true(rejects("nature: [national], number: ['+12025550199']", &w));
	assert_true(rejects("nature: [international], role: [called]", &w));
	assert_false(rejects("nature: [national], role: [called]", &w));
	assert_false(rejects("number_plan: [e164], number: ['+12025550123']", &w));
	assert_true(rejects("has: [calling-party-number, from], protocol: [sip]", &w));
	/* Out of range on either side: no party. */
	w.first_party = 4;
	assert_false(rejects("number_plan: [e164]", &w));
	w.first_party = 0;
	begin(&w, TG_PROTOCOL_SIP);
	for (i = 0; i < TG_SIG_MAX_IDS; i++)
		add(&w.msg, TG_ID_FROM, "+12025550123");
	w.has_isup = true;
	assert_false(rejects("nature: [other]", &w)); /* 0, but of a header */
}

struct statements {
	const char *when;
	const char
		*number[6]; /* of PAI, From, Request-URI; of the body's calling and called number */
	bool matches;
};

TG_TEST(IS_12_contradictions_between_headers_and_body, TG_NEEDS_NOTHING)
{
#define A "+12025550123"
#define B "+442079460123"
#define CALLER "contradiction: [caller-isup]"
#define WHERE "contradiction: [called-isup]"
	static const enum tg_id_source sources[] = { TG_ID_PAI, TG_ID_FROM, TG_ID_REQUEST_URI,
						     TG_ID_CALLING_NUMBER, TG_ID_CALLED_NUMBER };
	/* "" is a form that does not resolve, NULL is not there. */
	static const struct statements rows[] = {
		{ CALLER, { A, A, B, A, B }, false },
		{ CALLER, { A, A, B, B, B }, true },
		{ CALLER, { A, B, B, B, B }, true },	/* From does not matter beside a PAI */
		{ CALLER, { A, B, B, A, B }, false },	/* nor against one */
		{ CALLER, { NULL, A, B, B, B }, true }, /* but without */
		{ CALLER, { NULL, A, B, A, B }, false },
		{ CALLER,
		  { "", A, B, B, B },
		  false }, /* a PAI that is no number contradicts nothing */
		{ CALLER, { NULL, "", B, B, B }, false },
		{ CALLER, { A, A, B, "", B }, false },
		{ CALLER, { A, A, B, NULL, B }, false },
		{ CALLER, { A, A, A, A, B }, false },
		{ WHERE, { A, A, B, A, B }, false },
		{ WHERE, { A, A, A, A, B }, true },
		{ WHERE, { A, A, A, A, "" }, false },
		{ WHERE, { A, A, "", A, B }, false },
		{ WHERE, { A, A, A, A, NULL }, false },
		{ "contradiction: [caller-isup, called-isup]", { A, A, A, B, A }, true },
	};
	unsigned i, k;

	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		struct world w;

		begin(&w, TG_PROTOCOL_SIP);
		for (k = 0; k < TG_ARRAY_LEN(sources); k++) {
			const char *number = rows[i].number[k];

			if (number && sources[k] >= TG_ID_CALLED_NUMBER)
				add_party(&w, sources[k], *number ? number : NULL,
					  (struct tg_isup_party){ .nature = 4 });
			else if (number)
				add(&w.msg, sources[k], *number ? number : NULL);
		}
		if (rejects(rows[i].when, &w) != rows[i].matches)
			fail_msg("row %u: %s", i, rows[i].when);
	}
	/* Any of two asserted numbers will do. */
	{
		struct world w;

		begin(&w, TG_PROTOCOL_SIP);
		add(&w.msg, TG_ID_PAI, A);
		add(&w.msg, TG_ID_PAI, B);
		add_party(&w, CALLING, B, (struct tg_isup_party){ .nature = 4 });
		assert_false(rejects(CALLER, &w));
	}
#undef A
#undef B
#undef CALLER
#undef WHERE
}
