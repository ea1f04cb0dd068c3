/* SPDX-License-Identifier: BSD-3-Clause */
/* What `tgctl explain` imagines: calls over SS7, the trunk that has them, and what is done to them. */
#include "control/imagine.h"
#include "tests/support/policy_compile.h"

static const char policy_text[] =
	"version: 1\n"
	"trunks:\n"
	"  - { name: itu, port: 0, opc: 2-57-4, dpc: 2-57-5, sink: '+441632960999', mode: "
	"enforce,\n"
	"      profile: { country_code: '44', international_prefixes: ['00'] } }\n"
	"  - { name: ansi, port: 0, mtp3: ansi, isup: ansi, opc: 245-12-3, network_appearance: 7 "
	"}\n"
	"  - { name: plain, port: 0, peer: 192.0.2.0/24, mode: enforce }\n"
	"  - { name: by-dpc, port: 1, dpc: 9 }\n"
	"  - { name: by-opc, port: 1, opc: 9 }\n"
	"answers:\n"
	"  - { name: no, code: 603, phrase: Decline }\n"
	"  - { name: away, sink: '+442079460999' }\n"
	"marks:\n"
	"  - { name: tag, header: 'X-Tollgate: suspect' }\n"
	"rules:\n"
	"  - { name: test, when: { calling_category: [test] }, action: pass }\n"
	"  - { name: hide, when: { presentation: [restricted] }, action: anonymise }\n"
	"  - { name: screened, when: { screening: [failed] }, action: divert, answer: away }\n"
	"  - { name: tag, when: { nature: [network_specific] }, action: mark, mark: tag }\n"
	"  - { name: bicc, when: { protocol: [bicc] }, action: drop }\n"
	"  - { name: all, when: { role: [caller], number: ['+1', '+44'] }, action: reject, answer: "
	"no }\n";

#define US "+12025550123"
#define UK "+441632960123"

static struct tg_num num(const char *text)
{
	return tg_num_from_feed((struct tg_span){ (const uint8_t *)text, (uint32_t)strlen(text) });
}

/* The explanation of a call from `from` to `to`, either may be NULL, as "verdict rule level effect called" or
 * as what is complained of. `request` is JSON. */
static void explain(const struct tg_policy *p, const char *request, const char *from,
		    const char *to, char out[256])
{
	const struct tg_num party[] = { from ? num(from) : (struct tg_num){ 0 },
					to ? num(to) : (struct tg_num){ 0 } };
	static const uint32_t listing[TG_SIG_MAX_IDS];
	struct tg_policy_call call = { .listing = listing };
	json_t *j = json_loads(request, 0, NULL), *wire;
	struct tg_error err = { .code = 0 };
	struct tg_imagined im;
	struct tg_imagine how;
	struct tg_verdict v;

	assert_non_null(j);
	if (tg_imagine_read(j, &how, &err) != 0 ||
	    tg_imagine_trunk(p, &how, json_string_value(json_object_get(j, "trunk")), &call.trunk,
			     &err) != 0 ||
	    tg_imagine(&how, &p->trunk[call.trunk], party, &im, &err) != 0) {
		snprintf(out, 256, "%.250s", err.text);
		json_decref(j);
		return;
	}
	call.msg = im.msg;
	call.isup = im.has_isup ? &im.isup : NULL;
	call.first_party = im.first_party;
	call.extra = &im.extra;
	tg_policy_decide(p, &call, &v);
	wire = im.is_ss7 ? tg_imagined_wire(p, &im, &v) : NULL;
	snprintf(out, 256, "%s: %s %s", p->trunk[v.trunk].name, tg_action_name(v.action),
		 tg_policy_rule_name(p, v.rule));
	if (wire)
		snprintf(out + strlen(out), 256 - strlen(out), " %s %s %s",
			 json_string_value(json_object_get(wire, "level")),
			 json_string_value(json_object_get(wire, "effect")),
			 json_object_get(wire, "called")
				 ? json_string_value(json_object_get(wire, "called"))
				 : "-");
	json_decref(wire);
	json_decref(j);
}

struct row {
	const char *request;
	const char *from, *to;
	const char *want; /* its beginning */
};

static void check(const char *policy, const struct row *rows, unsigned n)
{
	struct tg_policy p;
	char said[256];
	unsigned i;
	void *image;

	p = compile(policy, &image);
	for (i = 0; i < n; i++) {
		explain(&p, rows[i].request, rows[i].from, rows[i].to, said);
		if (strncmp(said, rows[i].want, strlen(rows[i].want)) != 0)
			fail_msg("row %u: %s: %s, not %s", i, rows[i].request, said, rows[i].want);
	}
	free(image);
}

#define CHECK_ROWS(rows) check(policy_text, rows, TG_ARRAY_LEN(rows))

TG_TEST(explain_finds_the_trunk_by_point_codes, TG_NEEDS_NOTHING)
{
	static const struct row rows[] = {
		{ "{\"protocol\": \"isup\", \"opc\": \"2-57-4\", \"dpc\": \"4557\"}", US, UK,
		  "itu: reject all N1 sink 441632960999" },
		{ "{\"protocol\": \"isup\", \"opc\": \"245-12-3\", \"network-appearance\": \"7\"}",
		  US, UK, "ansi: reject all N0 null" },
		{ "{\"protocol\": \"isup\", \"opc\": \"16059395\", \"network-appearance\": \"7\"}",
		  US, UK, "ansi: reject all" },
		{ "{\"protocol\": \"isup\"}", US, UK, "default: reject all N0 null" },
		{ "{}", US, UK, "default: reject all" },
		{ "{\"protocol\": \"isup\", \"trunk\": \"plain\"}", US, UK,
		  "plain: reject all N2 null" },
		{ "{\"protocol\": \"isup\", \"trunk\": \"plain\", \"opc\": \"1\"}", US, UK,
		  "plain:" },
		/* Half of a label is another label. */
		{ "{\"protocol\": \"isup\", \"opc\": \"2-57-4\"}", US, UK,
		  "no trunk of the policy" },
		{ "{\"protocol\": \"isup\", \"opc\": \"2-57-9\"}", US, UK,
		  "no trunk of the policy" },
		{ "{\"protocol\": \"isup\", \"opc\": \"9\", \"dpc\": \"9\"}", US, UK, "by-dpc:" },
		{ "{\"protocol\": \"isup\", \"opc\": \"9\", \"dpc\": \"8\"}", US, UK, "by-opc:" },
		{ "{\"protocol\": \"isup\", \"opc\": \"9\", \"dpc\": \"9\", \"trunk\": \"by-opc\"}",
		  US, UK,
		  "trunk by-opc has no calls with these point codes: trunk by-dpc has them" },
		{ "{\"protocol\": \"isup\", \"opc\": \"x\", \"trunk\": \"itu\"}", US, UK,
		  "trunk itu has no point codes like that" },
		{ "{\"protocol\": \"isup\", \"trunk\": \"nobody\"}", US, UK,
		  "the policy in force has no trunk \"nobody\"" },
	};

	CHECK_ROWS(rows);
}

#define ON_ITU "{\"protocol\": \"isup\", \"trunk\": \"itu\", "

/* IS-11, IS-13: digits, level and guards as in the packet path. */
TG_TEST(explain_says_what_happens_on_the_wire, TG_NEEDS_NOTHING)
{
	static const struct row rows[] = {
		{ ON_ITU "\"nature-to\": \"national\"}", US, UK,
		  "itu: reject all N1 sink 1632960999" },
		{ ON_ITU "\"nature-to\": \"international\"}", US, "+4412345678901",
		  "itu: reject all N1 sink 4416329609990" },
		{ ON_ITU "\"nature-to\": \"international\"}", US, "+4412345",
		  "itu: reject all N2 null -" },
		{ ON_ITU "\"nature-to\": \"unknown\"}", US, UK, "itu: reject all N2 null -" },
		{ ON_ITU "\"nature-to\": \"national\"}", US, "+12025550199",
		  "a national number has the country code of its trunk" },
		{ "{\"protocol\": \"isup\", \"trunk\": \"plain\", \"nature-to\": \"national\"}", US,
		  UK,
		  "a national number has the country code of its trunk, and one of these has not "
		  "that of trunk plain (none)" },
		/* What a number resolves to is what the trunk makes of its digits and nature. */
		{ ON_ITU "\"nature-from\": \"national\"}", "+442079460123", UK,
		  "itu: reject all N1 sink 441632960999" },
		{ ON_ITU "\"nature-from\": \"unknown\"}", US, UK, "itu: pass -" },
		{ ON_ITU "\"presentation\": \"restricted\"}", US, UK,
		  "itu: mark hide N1 restrict" },
		{ ON_ITU "\"presentation\": \"unavailable\"}", US, UK, "itu: pass -" },
		{ ON_ITU "\"screening\": \"failed\"}", US, UK,
		  "itu: divert screened N1 sink 442079460999" },
		{ ON_ITU "\"nature-from\": \"network_specific\"}", US, UK,
		  "itu: mark tag N0 none" },
		{ ON_ITU "\"calling-category\": \"test\"}", US, UK, "itu: pass test" },
		{ "{\"protocol\": \"bicc\", \"trunk\": \"itu\"}", US, UK,
		  "itu: drop bicc N1 sink 441632960999" },
		/* An emergency number has its digits in any nature, and passes. */
		{ ON_ITU "\"nature-from\": \"international\"}", US, "112", "itu: pass -" },
		{ ON_ITU "\"presentation\": \"restricted\"}", US, NULL,
		  "itu: mark hide N1 restrict" },
		{ ON_ITU "\"screening\": \"failed\"}", US, NULL, "itu: divert screened N2 null" },
		{ ON_ITU "\"screening\": \"failed\"}", NULL, UK, "itu: pass -" },
	};

	CHECK_ROWS(rows);
}

TG_TEST(explain_refuses_words_that_rules_do_not_have, TG_NEEDS_NOTHING)
{
	static const struct row rows[] = {
		{ "{\"protocol\": \"map\"}", US, UK,
		  "there is no protocol \"map\"; one of: sip, isup, bicc" },
		{ "{\"protocol\": \"isup\", \"nature-to\": \"foreign\"}", US, UK,
		  "there is no nature-to \"foreign\"; one of: unknown, subscriber, national, "
		  "international, network_specific, other" },
		{ "{\"protocol\": \"isup\", \"screening\": \"3\"}", US, UK,
		  "there is no screening \"3\"" },
		{ "{\"protocol\": \"isup\", \"calling-category\": \"\"}", US, UK,
		  "there is no calling-category" },
		{ "{\"presentation\": \"restricted\"}", US, UK,
		  "presentation is of protocol isup or bicc" },
		{ "{\"protocol\": \"sip\", \"opc\": \"1\"}", US, UK,
		  "opc is of protocol isup or bicc" },
		{ "{\"protocol\": \"bicc\", \"attestation\": \"A\"}", US, UK,
		  "attestation is of protocol sip" },
		{ "{\"attestation\": \"D\"}", US, UK,
		  "there is no attestation \"D\"; one of: A, B, C" },
		{ "{\"verification\": \"failed\"}", US, UK, "there is no verification \"failed\"" },
		{ "{\"protocol\": \"isup\", \"network-appearance\": \"4294967296\"}", US, UK,
		  "network-appearance is 0 to 4294967295" },
		{ "{\"protocol\": \"isup\", \"network-appearance\": \"\"}", US, UK,
		  "network-appearance is" },
		{ ON_ITU "\"generic-number\": \"presentation=+12025550199\"}", US, UK,
		  "there is no qualifier \"presentation=+12025550199\"; one of: dialled, "
		  "additional_called, " },
		{ ON_ITU "\"generic-number\": \"dialled\"}", US, UK,
		  "generic-number is QUALIFIER=NUMBER, not \"dialled\"" },
		{ ON_ITU "\"generic-number\": \"dialled=\"}", US, UK,
		  "generic-number: \"\" is no number" },
		{ ON_ITU "\"generic-number\": \"dialled=112,\"}", US, UK,
		  "there is no qualifier \"\"" },
		{ ON_ITU "\"redirecting-number\": \"you\"}", US, UK,
		  "redirecting-number: \"you\" is no number" },
		{ "{\"location-number\": \"+12025550199\"}", US, UK,
		  "location-number is of protocol isup or bicc, or of sip with a "
		  "called-party-number" },
		{ ON_ITU "\"called-party-number\": \"+12025550199\"}", US, UK,
		  "called-party-number is of protocol sip" },
		{ "{\"calling-party-number\": \"+12025550199\"}", US, UK,
		  "calling-party-number needs a called-party-number" },
		{ "{\"called-party-number\": \"+12025550199\", \"dpc\": \"1\"}", US, UK,
		  "dpc is of protocol isup or bicc" },
	};

	CHECK_ROWS(rows);
}

static const char more_text[] =
	"version: 1\n"
	"answers:\n"
	"  - { name: no, code: 603, phrase: Decline }\n"
	"rules:\n"
	"  - { name: shown, when: { qualifier: [additional_calling], number: ['+1'] }, action: "
	"reject, answer: no }\n"
	"  - { name: dialled, when: { qualifier: [additional_original_called], role: "
	"[original_called] }, action: reject, answer: no }\n"
	"  - { name: forwarded, when: { role: [redirecting], number: ['+44'] }, action: reject, "
	"answer: no }\n"
	"  - { name: at-first, when: { source: [original-called-number], class: [short_code] }, "
	"action: reject, answer: no }\n"
	"  - { name: where, when: { has: [location-number] }, action: anonymise }\n"
	"  - { name: other-caller, when: { contradiction: [caller-isup] }, action: reject, answer: "
	"no }\n"
	"  - { name: other-called, when: { contradiction: [called-isup] }, action: reject, answer: "
	"no }\n"
	"  - { name: hidden, when: { privacy: [id] }, action: anonymise }\n"
	"  - { name: body, when: { source: [called-party-number], protocol: [sip] }, action: "
	"anonymise }\n";

#define ISUP "{\"protocol\": \"isup\", "
#define BODY "{\"called-party-number\": \"" UK "\", "

/* IS-5, IS-12: what stands beside caller and called is judged as in a message that has it. */
TG_TEST(explain_imagines_further_parameters_and_bodies, TG_NEEDS_NOTHING)
{
	static const struct row rows[] = {
		{ ISUP "\"generic-number\": \"additional_calling=+12025550199\"}", UK, UK,
		  "default: reject shown" },
		{ ISUP "\"generic-number\": \"additional_called=+12025550199\"}", UK, UK,
		  "default: pass" },
		{ ISUP "\"generic-number\": \"dialled=112,additional_original_called=" UK "\"}", US,
		  UK, "default: reject dialled" },
		{ ISUP "\"generic-number\": \"additional_redirecting=" UK "\"}", US, UK,
		  "default: reject forwarded" },
		{ "{\"protocol\": \"bicc\", \"redirecting-number\": \"" UK "\"}", US, UK,
		  "default: reject forwarded" },
		{ ISUP "\"redirecting-number\": \"" US "\"}", US, UK, "default: pass" },
		{ ISUP "\"original-called-number\": \"118\"}", US, UK, "default: reject at-first" },
		{ ISUP "\"location-number\": \"" US "\"}", US, UK, "default: mark where" },
		{ BODY "\"calling-party-number\": \"" US "\"}", US, UK, "default: mark body" },
		{ BODY "\"calling-party-number\": \"+12025550199\"}", US, UK,
		  "default: reject other-caller" },
		{ "{\"called-party-number\": \"+441632960199\"}", US, UK,
		  "default: reject other-called" },
		{ BODY "\"calling-party-number\": \"" US "\", \"presentation\": \"restricted\"}",
		  US, UK, "default: mark hidden" },
		{ BODY "\"redirecting-number\": \"" UK "\"}", US, UK, "default: reject forwarded" },
	};

	check(more_text, rows, TG_ARRAY_LEN(rows));
}
