/* SPDX-License-Identifier: BSD-3-Clause */
/* What a policy says of trunks over SS7, and the words that it has for what ISUP says. */
#include "tests/support/policy_compile.h"

/* ---- sinks ------------------------------------------------------------------------------------- */

#define NATIONAL 3
#define INTERNATIONAL 4

static const struct tg_policy_trunk uk = {
	.sink = "+441632960999",
	.profile = { .country_code_len = 2, .country_code = "44" },
};

/* `want` NULL: there are none. */
static void expect_sink(const struct tg_policy_trunk *t, const char *answer, unsigned nature,
			const char *want)
{
	const unsigned n = want ? (unsigned)strlen(want) : 12;
	char digits[33];

	memset(digits, 'x', sizeof(digits));
	assert_int_equal(tg_policy_sink_digits(t, answer, nature, n, digits), want != NULL);
	if (want)
		assert_memory_equal(digits, want, n);
	assert_int_equal(digits[want ? n : 0], 'x'); /* nothing written behind, or at all */
}

TG_TEST(IS_11_sink_has_the_form_and_the_length_of_the_called_number, TG_NEEDS_NOTHING)
{
	expect_sink(&uk, "", INTERNATIONAL, "441632960999");
	expect_sink(&uk, "", INTERNATIONAL, "44163296099900");
	expect_sink(&uk, "", NATIONAL, "1632960999");
	expect_sink(&uk, "", NATIONAL, "163296099900000000000000");
	expect_sink(&uk, "+442079460999", INTERNATIONAL, "442079460999"); /* the answer's own */
	expect_sink(&uk, "+442079460999", NATIONAL, "2079460999");
}

TG_TEST(IS_11_no_sink_where_its_digits_have_no_place, TG_NEEDS_NOTHING)
{
	static const struct tg_policy_trunk none = { .profile = { .country_code_len = 0 } };
	struct tg_policy_trunk t = uk;
	char digits[12] = "x";
	unsigned nature;

	for (nature = 0; nature < 128; nature++)
		if (nature != NATIONAL && nature != INTERNATIONAL)
			expect_sink(&uk, "", nature, NULL);
	assert_false(tg_policy_sink_digits(&uk, "", INTERNATIONAL, 11, digits));
	assert_false(tg_policy_sink_digits(&uk, "", NATIONAL, 9, digits));
	assert_false(tg_policy_sink_digits(&uk, "", INTERNATIONAL, 0, digits));
	assert_int_equal(digits[0], 'x');
	expect_sink(&none, "", INTERNATIONAL, NULL);
	/* Of another country, or of one that the trunk does not name: no national form. */
	expect_sink(&uk, "+12025550199", NATIONAL, NULL);
	expect_sink(&none, "+441632960999", NATIONAL, NULL);
	expect_sink(&none, "+441632960999", INTERNATIONAL, "441632960999");
	/* Nothing but the country code would be left of it. */
	expect_sink(&uk, "+44", NATIONAL, NULL);
	/* Without a '+' nobody says in what form it is. */
	expect_sink(&uk, "6599", INTERNATIONAL, NULL);
	/* No sink is longer than a called number of full length, in either form. */
	memcpy(t.sink, "+441632960999123", sizeof("+441632960999123"));
	expect_sink(&t, "", INTERNATIONAL, "441632960999123");
	expect_sink(&t, "", NATIONAL, "1632960999123");
}

/* What is decided is one thing, what is written another; the same for `tgctl explain` and for packets. */
TG_TEST(IS_11_what_a_verdict_writes_over_an_iam, TG_NEEDS_NOTHING)
{
	static const char text[] = "version: 1\n"
				   "trunks:\n"
				   "  - { name: uk, port: 0, sink: '+441632960999', profile: { "
				   "country_code: '44' } }\n"
				   "answers:\n"
				   "  - { name: away, sink: '+442079460999' }\n"
				   "marks:\n"
				   "  - { name: hide, anonymise: yes, header: 'X-A: b' }\n"
				   "  - { name: tag, header: 'X-A: b' }\n";
	static const struct {
		enum tg_action action;
		uint8_t answer;
		uint8_t caller, called;
		uint16_t dialled; /* digits */
		enum tg_ss7_effect effect;
		const char *digits;
	} rows[] = {
		{ TG_ACTION_PASS, 0, 1, 0, 12, TG_SS7_NONE, "" },
		{ TG_ACTION_REJECT, 0, 1, 0, 12, TG_SS7_SINK, "441632960999" },
		{ TG_ACTION_DROP, 0, 1, 0, 13, TG_SS7_SINK, "4416329609990" },
		{ TG_ACTION_DIVERT, 0, 1, 0, 12, TG_SS7_SINK, "442079460999" },
		/* Of a policy that is gone: the trunk's. */
		{ TG_ACTION_DIVERT, 9, 1, 0, 12, TG_SS7_SINK, "441632960999" },
		{ TG_ACTION_REJECT, 0, 1, 0, 11, TG_SS7_NULL, "" },
		{ TG_ACTION_REJECT, 0, 1, TG_SIG_NO_ID, 12, TG_SS7_NULL, "" },
		{ TG_ACTION_MARK, 0, 1, 0, 12, TG_SS7_RESTRICT, "" },
		{ TG_ACTION_MARK, 0, TG_SIG_NO_ID, 0, 12, TG_SS7_NONE, "" },
		{ TG_ACTION_MARK, 1, 1, 0, 12, TG_SS7_NONE, "" },
		{ TG_ACTION_MARK, 9, 1, 0, 12, TG_SS7_NONE, "" },
	};
	struct tg_policy p;
	unsigned i, mode;
	void *image;

	p = compile(text, &image);
	for (i = 0; i < TG_ARRAY_LEN(rows); i++)
		for (mode = 0; mode < 2; mode++) {
			const struct tg_verdict v = { .action = (uint8_t)rows[i].action,
						      .answer = rows[i].answer,
						      .mode = (uint8_t)mode };
			struct tg_isup isup = { .sig = { .n_ids = 2,
							 .caller = rows[i].caller,
							 .called = rows[i].called } };
			char digits[TG_ISUP_DIGITS_MAX] = "";

			isup.sig.id[0].raw_len = rows[i].dialled;
			isup.party[0].nature = INTERNATIONAL;
			assert_int_equal(tg_policy_ss7_effect(&p, &v, &isup, digits),
					 rows[i].effect);
			assert_string_equal(digits, rows[i].digits);
		}
	free(image);
}

/* ---- trunks ------------------------------------------------------------------------------------ */

static const char trunks_text[] =
	"version: 1\n"
	"trunks:\n"
	"  - { name: itu, port: 0, opc: 2-57-4, dpc: 2-57-5 }\n"
	"  - { name: itu-back, port: 0, opc: 4557, dpc: 4556 }\n"
	"  - { name: ansi, port: 0, opc: 245-12-3, mtp3: ansi, isup: ansi }\n"
	"  - { name: japan, port: 1, dpc: 65535, mtp3: japan }\n"
	"  - { name: appearance, port: 0, network_appearance: 4294967295 }\n"
	"  - { name: both, port: 0, network_appearance: 7, opc: 1 }\n"
	"  - { name: plain, port: 0 }\n"
	"  - { name: other, port: 2, opc: 0, mtp3: ansi, sink: '+441632960999' }\n";

/* M3-4: point codes of 14, 24 and 16 bits, and M3UA's appearance. */
TG_TEST(M3_4_trunks_by_point_codes_and_appearance, TG_NEEDS_NOTHING)
{
	static const struct {
		uint16_t port;
		bool sip;
		struct tg_mtp3 mtp3;
		const char *trunk;
	} rows[] = {
		/* 2-57-4 is 2 << 11 | 57 << 3 | 4 */
		{ 0, false, { .opc = 4556, .dpc = 4557 }, "itu" },
		{ 0, false, { .opc = 4557, .dpc = 4556 }, "itu-back" },
		{ 0, false, { .opc = 4556, .dpc = 4556 }, "plain" },
		{ 1, false, { .opc = 4556, .dpc = 4557 }, "default" },
		{ 0, true, { .opc = 4556, .dpc = 4557 }, "plain" }, /* SIP has none */
		/* 245-12-3 is 245 << 16 | 12 << 8 | 3 */
		{ 0, false, { .opc = 16059395, .dpc = 1 }, "ansi" },
		{ 0, false, { .opc = 16059395, .dpc = 0 }, "ansi" },
		{ 1, false, { .opc = 9, .dpc = 65535 }, "japan" },
		{ 1, false, { .opc = 65535, .dpc = 9 }, "default" },
		{ 1, true, { .dpc = 65535 }, "default" },
		{ 0,
		  false,
		  { .network_appearance = UINT32_MAX, .has_network_appearance = true },
		  "appearance" },
		{ 0, false, { .network_appearance = UINT32_MAX }, "plain" }, /* has none */
		{ 0,
		  false,
		  { .opc = 1, .network_appearance = 7, .has_network_appearance = true },
		  "both" },
		{ 0,
		  false,
		  { .opc = 2, .network_appearance = 7, .has_network_appearance = true },
		  "plain" },
		{ 0, false, { .opc = 1 }, "plain" },
		{ 2, false, { .opc = 0, .dpc = 77 }, "other" },
		{ 2, false, { .opc = 1, .dpc = 77 }, "default" },
		{ 2, true, { .opc = 0 }, "default" },
	};
	struct tg_policy p;
	unsigned i, trunk;
	void *image;

	p = compile(trunks_text, &image);
	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		const struct tg_trunk_key key = { .port = rows[i].port,
						  .vlan = TG_TRUNK_NO_VLAN,
						  .mtp3 = rows[i].sip ? NULL : &rows[i].mtp3 };

		trunk = tg_policy_trunk_find(&p, &key);
		if (strcmp(p.trunk[trunk].name, rows[i].trunk) != 0)
			fail_msg("row %u: %s, not %s", i, p.trunk[trunk].name, rows[i].trunk);
	}
	free(image);
}

/* IS-10: the variants are the trunk's; the label's has to be known before the point codes are. */
TG_TEST(IS_10_variants_and_sinks_of_trunks, TG_NEEDS_NOTHING)
{
	struct tg_trunk_key key = { .port = 1, .vlan = TG_TRUNK_NO_VLAN };
	struct tg_policy p;
	void *image;

	p = compile(trunks_text, &image);
	assert_int_equal(p.trunk[0].mtp3, TG_MTP3_ITU);
	assert_int_equal(p.trunk[0].isup, TG_ISUP_ITU);
	assert_int_equal(p.trunk[2].mtp3, TG_MTP3_ANSI);
	assert_int_equal(p.trunk[2].isup, TG_ISUP_ANSI);
	assert_int_equal(p.trunk[7].isup, TG_ISUP_ITU); /* 24 bits and ITU, as in China */
	assert_string_equal(p.trunk[7].sink, "+441632960999");
	assert_string_equal(p.trunk[0].sink, "");
	assert_int_equal(tg_policy_mtp3_variant(&p, &key), TG_MTP3_JAPAN);
	key.port = 0;
	assert_int_equal(tg_policy_mtp3_variant(&p, &key), TG_MTP3_ITU);
	key.port = 2;
	assert_int_equal(tg_policy_mtp3_variant(&p, &key), TG_MTP3_ANSI);
	key.port = 3;
	assert_int_equal(tg_policy_mtp3_variant(&p, &key), TG_MTP3_ITU);
	free(image);
}

TG_TEST(policy_file_refuses_impossible_ss7, TG_NEEDS_NOTHING)
{
	static const struct refusal rows[] = {
		{ TRUNK("opc: 16384"), "3:30: opc is a point code, 0 to 16383, or as 2-57-4, not" },
		{ TRUNK("dpc: 8-0-0"), "3:30: dpc is a point code, 0 to 16383" },
		{ TRUNK("dpc: 0-256-0"), "3:30: dpc is a point code" },
		{ TRUNK("dpc: 0-0-8"), "3:30: dpc is a point code" },
		{ TRUNK("opc: 1-2"), "3:30: opc is a point code" },
		{ TRUNK("opc: 1-2-3-4"), "3:30: opc is a point code" },
		{ TRUNK("opc: 1--3"), "3:30: opc is a point code" },
		{ TRUNK("opc: -1"), "3:30: opc is a point code" },
		{ TRUNK("opc: 1-2-"), "3:30: opc is a point code" },
		{ TRUNK("opc: 010"), "3:30: opc is a point code" },
		{ TRUNK("opc: 1-02-3"), "3:30: opc is a point code" },
		{ TRUNK("opc: any"), "3:30: opc is a point code" },
		{ TRUNK("mtp3: ansi, opc: 256-0-0"), "3:42: opc is a point code, 0 to 16777215" },
		{ TRUNK("mtp3: ansi, opc: 16777216"), "3:42: opc is a point code" },
		{ TRUNK("mtp3: japan, opc: 65536"), "3:43: opc is a point code, 0 to 65535, not" },
		{ TRUNK("mtp3: japan, opc: 0-1-0"), "3:43: opc is a point code" },
		{ TRUNK("mtp3: etsi"), "3:31: unknown mtp3 \"etsi\" (did you mean \"ansi\"?)" },
		{ TRUNK("isup: japan"), "3:31: unknown isup \"japan\"; one of: itu, ansi" },
		{ TRUNK("network_appearance: 4294967296"),
		  "3:45: network_appearance is too large" },
		{ TRUNK("sink: '441632960999'"), "3:31: sink is a number, + and digits: the" },
		{ TRUNK("sink: '+'"), "3:31: sink is a number" },
		{ TRUNK("sink: '+0123'"), "3:31: sink is a number" },
		{ TRUNK("sink: '+1234567890123456'"), "3:31: sink is a number" },
		{ TRUNK("opc: 1") "  - { name: b, port: 0, opc: 1, dpc: 2 }\n",
		  "4:5: trunk b never gets a call: trunk a before it" },
		{ TRUNK("network_appearance: 0") "  - { name: b, port: 0, opc: 1, "
						 "network_appearance: 0 }\n",
		  "4:5: trunk b never gets a call" },
		{ TRUNK("vlan: any") "  - { name: b, port: 0, opc: 1 }\n",
		  "4:5: trunk b never gets a call" },
		{ "version: 1\ntrunks:\n  - { name: default, port: any, opc: 1 }\n",
		  "3:5: trunk default takes what no other trunk matches: port any" },
		{ "version: 1\ntrunks:\n  - { name: default, port: any, network_appearance: 0 }\n",
		  "3:5: trunk default takes" },
		{ REJECT("when: { nature: [foreign] }"), "8:22: unknown nature \"foreign\"" },
		{ REJECT("when: { protocol: [map] }"), "8:24: unknown protocol \"map\"" },
		{ REJECT("when: { inn: yes }"), "8:18: unknown inn \"yes\"" },
		{ REJECT("when: { nature: [national], source: [from] }"),
		  "8:21: nature is of parameters of ISUP, and source names none" },
		{ REJECT("when: { source: [called-party-number], screening: [network] }"),
		  "8:55: screening is of calling, generic and location numbers" },
		{ REJECT("when: { source: [location-number], incomplete: yes }"),
		  "8:52: incomplete is of calling and generic numbers" },
		{ REJECT("when: { category: [spam] }\n    also: [{ qualifier: [other], source: "
			 "[from, calling-party-number] }]"),
		  "9:25: qualifier is of generic numbers, and source names none" },
	};
	static const char *const fine[] = {
		TRUNK("opc: 1") "  - { name: b, port: 0, opc: 2 }\n  - { name: c, port: 0 }\n",
		TRUNK("opc: 1, dpc: 2") "  - { name: b, port: 0, opc: 1 }\n",
		TRUNK("network_appearance: 1") "  - { name: b, port: 0, network_appearance: 2 }\n  "
					       "- { name: c, port: 0, opc: 1 }\n",
		TRUNK("mode: enforce"), /* and no sink: N2 */
	};
	unsigned i;

	CHECK(rows);
	for (i = 0; i < TG_ARRAY_LEN(fine); i++) {
		void *image;

		compile(fine[i], &image);
		free(image);
	}
}

/* ---- words of the wire ------------------------------------------------------------------------- */

struct range {
	unsigned first, last, is;
};

/* Every value that an octet has, but those in `ranges`, is `other`. */
static void expect_words(const struct range *ranges, size_t n, unsigned other,
			 unsigned (*word)(unsigned value))
{
	unsigned value, want;
	size_t i;

	for (value = 0; value < 256; value++) {
		want = other;
		for (i = 0; i < n; i++)
			if (value >= ranges[i].first && value <= ranges[i].last)
				want = ranges[i].is;
		if (word(value) != want)
			fail_msg("%u: %u, not %u", value, word(value), want);
	}
}

static unsigned nature_word(unsigned value)
{
	return tg_isup_nature(value);
}

static unsigned plan_word(unsigned value)
{
	return tg_isup_plan(value);
}

static unsigned qualifier_word(unsigned value)
{
	return tg_isup_qualifier(value);
}

static unsigned category_word(unsigned value)
{
	return tg_isup_category(value);
}

TG_TEST(IS_2_words_for_what_parameters_say, TG_NEEDS_NOTHING)
{
	static const struct range natures[] = {
		{ 1, 1, TG_ISUP_NATURE_SUBSCRIBER },
		{ 2, 2, TG_ISUP_NATURE_UNKNOWN },
		{ 3, 3, TG_ISUP_NATURE_NATIONAL },
		{ 4, 4, TG_ISUP_NATURE_INTERNATIONAL },
		{ 5, 5, TG_ISUP_NATURE_NETWORK_SPECIFIC },
		{ 0x72, 0x72, TG_ISUP_NATURE_NATIONAL },
		{ 0x73, 0x73, TG_ISUP_NATURE_INTERNATIONAL },
	};
	static const struct range plans[] = {
		{ 1, 1, TG_ISUP_PLAN_E164 },
		{ 3, 3, TG_ISUP_PLAN_DATA },
		{ 4, 4, TG_ISUP_PLAN_TELEX },
		{ 5, 5, TG_ISUP_PLAN_PRIVATE },
	};
	unsigned i;

	expect_words(natures, TG_ARRAY_LEN(natures), TG_ISUP_NATURE_OTHER, nature_word);
	expect_words(plans, TG_ARRAY_LEN(plans), TG_ISUP_PLAN_OTHER, plan_word);
	assert_int_equal(tg_isup_shown(0), TG_ISUP_SHOWN_ALLOWED);
	assert_int_equal(tg_isup_shown(1), TG_ISUP_SHOWN_RESTRICTED);
	assert_int_equal(tg_isup_shown(2), TG_ISUP_SHOWN_UNAVAILABLE);
	assert_int_equal(tg_isup_shown(3), TG_ISUP_SHOWN_RESTRICTED);
	for (i = 0; i < TG_ISUP_NATURE_COUNT; i++)
		assert_int_equal(tg_isup_nature(tg_isup_nature_wire((enum tg_isup_nature)i)), i);
}

TG_TEST(IS_5_words_for_qualifiers, TG_NEEDS_NOTHING)
{
	static const struct range qualifiers[] = {
		{ 0, 0, TG_ISUP_QUALIFIER_DIALLED },
		{ 1, 1, TG_ISUP_QUALIFIER_ADDITIONAL_CALLED },
		{ 5, 5, TG_ISUP_QUALIFIER_ADDITIONAL_CONNECTED },
		{ 6, 6, TG_ISUP_QUALIFIER_ADDITIONAL_CALLING },
		{ 7, 7, TG_ISUP_QUALIFIER_ADDITIONAL_ORIGINAL_CALLED },
		{ 8, 8, TG_ISUP_QUALIFIER_ADDITIONAL_REDIRECTING },
		{ 9, 9, TG_ISUP_QUALIFIER_ADDITIONAL_REDIRECTION },
	};

	unsigned i;

	expect_words(qualifiers, TG_ARRAY_LEN(qualifiers), TG_ISUP_QUALIFIER_OTHER, qualifier_word);
	for (i = 0; i < TG_ISUP_QUALIFIER_COUNT; i++)
		assert_int_equal(
			tg_isup_qualifier(tg_isup_qualifier_wire((enum tg_isup_qualifier)i)), i);
}

TG_TEST(IS_13_words_for_calling_categories, TG_NEEDS_NOTHING)
{
	static const struct range categories[] = {
		{ 0, 0, TG_ISUP_CATEGORY_UNKNOWN },    { 1, 9, TG_ISUP_CATEGORY_OPERATOR },
		{ 10, 10, TG_ISUP_CATEGORY_ORDINARY }, { 11, 11, TG_ISUP_CATEGORY_PRIORITY },
		{ 12, 12, TG_ISUP_CATEGORY_DATA },     { 13, 13, TG_ISUP_CATEGORY_TEST },
		{ 15, 15, TG_ISUP_CATEGORY_PAYPHONE }, { 224, 226, TG_ISUP_CATEGORY_PRIORITY },
	};
	unsigned i;

	expect_words(categories, TG_ARRAY_LEN(categories), TG_ISUP_CATEGORY_OTHER, category_word);
	for (i = 0; i < TG_ISUP_CATEGORY_COUNT; i++)
		assert_int_equal(tg_isup_category(tg_isup_category_wire((enum tg_isup_category)i)),
				 i);
}
