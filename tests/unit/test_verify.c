/* SPDX-License-Identifier: BSD-3-Clause */
/* PASSporTs from the pipeline to the thread that verifies them and back. */
#include <pthread.h>
#include <time.h>

#include "control/build.h"
#include "dataplane/run/verify.h"
#include "tests/support/pkt.h"
#include "tests/support/policy_text.h"
#include "tests/support/stir_world.h"
#include "tollgate/event_json.h"

#define RULES                                                                                      \
	"version: 1\n"                                                                             \
	"trunks: [ { name: outside, port: 0, mode: enforce } ]\n"                                  \
	"answers: [ { name: no, code: 403, phrase: Stale or bad } ]\n"                             \
	"rules:\n"                                                                                 \
	"  - { name: forged, when: { verification: [bad_signature] }, action: reject,\n"           \
	"      answer: no }\n"                                                                     \
	"  - { name: proved, when: { verification: [valid], attestation: [A] }, action: pass }\n"

struct path {
	struct world world;
	struct tg_verifier *verifier;
	struct tg_verify_port *port;
	pthread_t thread;
	struct tg_pipeline *pl;
	void *table, *policy;
	struct tg_generation gen;
	struct tg_stats stats;
	uint64_t now_ms;
	uint8_t frame[TG_PKT_MAX];
	struct tg_frame_in in;
};

static void open_table(struct path *p)
{
	const struct tg_build_input empty = { .kind = TG_IMAGE_BASE, .hash_key = 1 };
	struct tg_image_error ierr;
	struct tg_error err;
	struct tg_build *build;
	uint64_t length, id;

	assert_int_equal(tg_build_plan(&empty, &build, &length, &err), 0);
	p->table = aligned_alloc(TG_IMAGE_ALIGN,
				 (length + TG_IMAGE_ALIGN - 1) / TG_IMAGE_ALIGN * TG_IMAGE_ALIGN);
	assert_int_equal(tg_build_write(build, p->table, &id, &err), 0);
	tg_build_free(build);
	assert_int_equal(tg_table_open(&p->gen.base, p->table, length, TG_IMAGE_BASE, &ierr), 0);
	assert_int_equal(tg_policy_compile(RULES, strlen(RULES), &p->policy, &length, &err), 0);
	assert_int_equal(tg_policy_open(&p->gen.policy, p->policy, length, &ierr), 0);
	p->gen.number = 1;
}

static void open_path(struct path *p, uint32_t entries)
{
	const struct tg_pipeline_config config = { .memory_entries = 64,
						   .cap_entries = 64,
						   .verified_entries = entries };
	struct tg_why why;

	memset(p, 0, sizeof(*p));
	open_world(&p->world, (uint64_t)time(NULL));
	open_table(p);
	if (tg_verifier_open(&p->verifier, p->world.dir, 1, &why) != 0)
		fail_msg("%s", why.text);
	p->port = tg_verifier_port(p->verifier, 0);
	p->pl = tg_pipeline_init(aligned_alloc(TG_CACHE_LINE, tg_pipeline_size(&config)), &config);
	p->now_ms = 1000;
}

static void start(struct path *p)
{
	assert_int_equal(pthread_create(&p->thread, NULL, tg_verifier_run, p->verifier), 0);
}

static void stop(struct path *p)
{
	tg_verifier_stop(p->verifier);
	pthread_join(p->thread, NULL);
}

static void close_path(struct path *p)
{
	tg_verifier_close(p->verifier);
	free(p->pl);
	free(p->table);
	free(p->policy);
	close_world(&p->world);
}

/* An INVITE of call `call` with this Identity, judged as a worker does it: then its PASSporT is asked. */
static struct tg_result bring(struct path *p, const char *identity, unsigned call, unsigned cseq)
{
	char extra[STIR_VALUE_MAX + 32], text[TG_SIP_TEXT_MAX];
	const struct tg_sip_text t = { .extra = extra, .call = call, .cseq = cseq };
	const struct tg_pkt pkt = { 0 };
	struct tg_result r;

	extra[0] = 0;
	if (identity)
		snprintf(extra, sizeof(extra), "Identity: %s\r\n", identity);
	p->in = (struct tg_frame_in){ .data = p->frame };
	p->in.len = (uint32_t)tg_pkt_build(&pkt, text, tg_sip_text(&t, text), p->frame);
	tg_pipeline_burst(p->pl, &p->gen, &p->in, 1, p->now_ms, &r);
	assert_true(r.judged);
	if (r.sip->n_passports > 0)
		tg_verify_ask(p->port, p->pl, &r, p->now_ms, &p->stats);
	return r;
}

static void wait_for(struct path *p, enum tg_stir_state state, uint64_t n)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	unsigned i;

	for (i = 0; i < 60000 && p->stats.passports[state] < n; i++) {
		tg_verify_collect(p->port, p->pl, p->now_ms, &p->stats);
		nanosleep(&pause, NULL);
	}
	if (p->stats.passports[state] < n)
		fail_msg("no %s", tg_stir_state_name(state));
}

static void expect(const struct tg_result *r, enum tg_stir_state state, enum tg_action action)
{
	assert_string_equal(tg_stir_state_name(r->sip->sig.verification),
			    tg_stir_state_name(state));
	assert_string_equal(tg_action_name(r->verdict.action), tg_action_name(action));
}

static const char *forged(struct path *p)
{
	static char value[STIR_VALUE_MAX];
	EVP_PKEY *other = EVP_EC_gen("P-256");

	memcpy(value, make_value(other, STIR_URL, (uint64_t)time(NULL)), sizeof(value));
	EVP_PKEY_free(other);
	(void)p;
	return value;
}

TG_TEST(SIP_39_call_is_judged_before_its_signature, TG_NEEDS_NOTHING)
{
	struct path p;
	const char *value;
	struct tg_result r;

	open_path(&p, 64);
	value = forged(&p);
	start(&p);
	/* Never held: unverified, and on its way. */
	r = bring(&p, value, 1, 1);
	expect(&r, TG_STIR_UNVERIFIED, TG_ACTION_PASS);
	assert_int_equal(r.fate, TG_FATE_FORWARD);
	wait_for(&p, TG_STIR_BAD_SIGNATURE, 1);
	/* Its retransmission goes where it went (P4), ... */
	r = bring(&p, value, 1, 1);
	assert_true(r.repeated);
	expect(&r, TG_STIR_BAD_SIGNATURE, TG_ACTION_PASS);
	/* ... with credentials, or by another branch, it is judged with what is known by now, ... */
	r = bring(&p, value, 1, 2);
	assert_true(r.same_call && !r.repeated);
	expect(&r, TG_STIR_BAD_SIGNATURE, TG_ACTION_REJECT);
	/* ... and so is another call under the same PASSporT. */
	r = bring(&p, value, 2, 1);
	expect(&r, TG_STIR_BAD_SIGNATURE, TG_ACTION_REJECT);
	assert_int_equal(r.fate, TG_FATE_ANSWER);
	/* It was asked once. */
	assert_int_equal(p.stats.passports[TG_STIR_BAD_SIGNATURE], 1);
	assert_false(tg_verify_waits(p.port));
	stop(&p);
	close_path(&p);
}

TG_TEST(SIP_39_signature_of_other_claims_is_not_borrowed, TG_NEEDS_NOTHING)
{
	struct path p;
	char value[STIR_VALUE_MAX], *claims;
	struct tg_result r;

	open_path(&p, 64);
	start(&p);
	memcpy(value, make_value(p.world.key, STIR_URL, (uint64_t)time(NULL)), sizeof(value));
	(void)bring(&p, value, 1, 1);
	wait_for(&p, TG_STIR_VALID, 1);
	r = bring(&p, value, 2, 1);
	expect(&r, TG_STIR_VALID, TG_ACTION_PASS);
	assert_string_equal(tg_policy_rule_name(&p.gen.policy, r.verdict.rule), "proved");
	/* The same certificate and signature under other claims: of the caller's number, one digit. */
	claims = strchr(value, '.');
	assert_non_null(claims);
	{
		char other[STIR_VALUE_MAX], *dot;
		const size_t n = make_signed_part(STIR_URL, (uint64_t)time(NULL) + 1, other);

		dot = strchr(claims + 1, '.');
		assert_non_null(dot);
		assert_int_equal(n, dot - value);
		memcpy(value, other, n);
	}
	r = bring(&p, value, 3, 1);
	expect(&r, TG_STIR_UNVERIFIED, TG_ACTION_PASS);
	wait_for(&p, TG_STIR_BAD_SIGNATURE, 1);
	r = bring(&p, value, 4, 1);
	expect(&r, TG_STIR_BAD_SIGNATURE, TG_ACTION_REJECT);
	stop(&p);
	close_path(&p);
}

TG_TEST(SIP_39_full_queue_leaves_calls_unverified, TG_NEEDS_NOTHING)
{
	char value[128];
	struct path p;
	struct tg_result r;
	unsigned i;

	open_path(&p, 4096);
	for (i = 0; i <= TG_VERIFY_QUEUE + 9; i++) { /* nobody is at work yet */
		snprintf(value, sizeof(value), "..c2ln%u;info=<https://a>", i);
		r = bring(&p, value, i, 1);
		expect(&r, TG_STIR_UNVERIFIED, TG_ACTION_PASS);
	}
	assert_int_equal(p.stats.passports[TG_STIR_UNVERIFIED], 10);
	/* What was asked is not asked again; what found no room is. */
	(void)bring(&p, "..c2ln0;info=<https://a>", 1000, 1);
	assert_int_equal(p.stats.passports[TG_STIR_UNVERIFIED], 10);
	(void)bring(&p, value, 1001, 1);
	assert_int_equal(p.stats.passports[TG_STIR_UNVERIFIED], 11);
	start(&p);
	wait_for(&p, TG_STIR_UNSUPPORTED, TG_VERIFY_QUEUE);
	assert_false(tg_verify_waits(p.port));
	(void)bring(&p, value, 1002, 1); /* now there is room */
	wait_for(&p, TG_STIR_UNSUPPORTED, TG_VERIFY_QUEUE + 1);
	assert_int_equal(p.stats.passports[TG_STIR_UNVERIFIED], 11);
	stop(&p);
	close_path(&p);
}

/* One that lies beyond it would be copied in part, and be bad for that. */
TG_TEST(SIP_37_value_longer_than_a_question_is_unsupported, TG_NEEDS_NOTHING)
{
	char value[TG_PASSPORT_VALUE_MAX + 2];
	struct tg_result r;
	struct path p;

	open_path(&p, 64);
	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	{
		char text[TG_SIP_TEXT_MAX], extra[sizeof(value) + 32];
		const struct tg_sip_text t = { .extra = extra };
		const struct tg_pkt pkt = { 0 };
		struct tg_unverified out[TG_SIP_MAX_PASSPORTS];
		unsigned cut;

		for (cut = 0; cut < 2; cut++) {
			value[sizeof(value) - 1 - cut] = 0;
			snprintf(extra, sizeof(extra), "Identity: %s\r\n", value);
			p.in = (struct tg_frame_in){ .data = p.frame };
			p.in.len = (uint32_t)tg_pkt_build(&pkt, text, tg_sip_text(&t, text),
							  p.frame);
			tg_pipeline_burst(p.pl, &p.gen, &p.in, 1, p.now_ms, &r);
			assert_int_equal(r.sip->sig.verification,
					 cut ? TG_STIR_UNVERIFIED : TG_STIR_UNSUPPORTED);
			assert_int_equal(tg_pipeline_unverified(p.pl, &r, p.now_ms, out), cut);
		}
	}
	close_path(&p);
}

TG_TEST(SIP_38_valid_no_longer_than_fresh, TG_NEEDS_NOTHING)
{
	const uint64_t signed_at = (uint64_t)time(NULL) - TG_STIR_FRESH_SECONDS + 30;
	const char *value;
	struct tg_result r;
	struct path p;

	open_path(&p, 64);
	start(&p);
	value = make_value(p.world.key, STIR_URL, signed_at);
	(void)bring(&p, value, 1, 1);
	wait_for(&p, TG_STIR_VALID, 1); /* within 30 s, or the machine is past helping */
	r = bring(&p, value, 2, 1);
	expect(&r, TG_STIR_VALID, TG_ACTION_PASS);
	p.now_ms += 31001; /* less than a result is kept for */
	r = bring(&p, value, 3, 1);
	expect(&r, TG_STIR_UNVERIFIED, TG_ACTION_PASS);
	stop(&p);
	close_path(&p);
}

/* Without anybody who verifies nothing is known, and nothing is asked. */
TG_TEST(SIP_39_nobody_verifies, TG_NEEDS_NOTHING)
{
	struct tg_unverified out[TG_SIP_MAX_PASSPORTS];
	const struct tg_verification v = { 1, 1000, TG_STIR_VALID, { 0 } };
	struct tg_result r;
	struct path p;

	open_path(&p, 0);
	r = bring(&p, forged(&p), 1, 1);
	expect(&r, TG_STIR_UNVERIFIED, TG_ACTION_PASS);
	tg_pipeline_verified(p.pl, &v, p.now_ms);
	r = bring(&p, NULL, 2, 1);
	assert_int_equal(r.sip->sig.verification, TG_STIR_UNVERIFIED);
	assert_int_equal(tg_pipeline_unverified(p.pl, &r, p.now_ms, out), 0);
	close_path(&p);
}

TG_TEST(SIP_38_event_says_what_the_passport_does, TG_NEEDS_NOTHING)
{
	struct tg_event e;
	struct tg_result r;
	struct path p;
	json_t *j, *o;

	open_path(&p, 64);
	r = bring(&p, forged(&p), 1, 1);
	tg_event_fill(&e, &p.gen, &p.in, &r);
	j = tg_event_json(&e, TG_EVENT_SHOW_NUMBERS);
	o = json_object_get(j, "passports");
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 1);
	assert_string_equal(json_string_value(json_object_get(o, "attestation")), "A");
	assert_string_equal(json_string_value(json_object_get(o, "verification")), "unverified");
	json_decref(j);
	r = bring(&p, NULL, 2, 1);
	tg_event_fill(&e, &p.gen, &p.in, &r);
	j = tg_event_json(&e, TG_EVENT_SHOW_NUMBERS);
	assert_null(json_object_get(j, "passports"));
	json_decref(j);
	close_path(&p);
}
