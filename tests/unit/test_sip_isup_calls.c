/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP-I calls through the pipeline: judged by header and body, changed in both. */
#include "control/policy_file.h"
#include "tests/support/shots.h"
#include "tests/support/sip_isup_message.h"
#include "tollgate/checksum.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"trunks:\n"                                                                                \
	"  - name: abroad\n    port: 0\n    mode: enforce\n"                                       \
	"answers:\n"                                                                               \
	"  - { name: no, code: 603, phrase: Decline }\n"                                           \
	"  - { name: sink, sink: '+65990' }\n"                                                     \
	"  - { name: sink_or_no, sink: '+65990', code: 302, phrase: Moved, contact: '<sip:x@y>' "  \
	"}\n"                                                                                      \
	"marks:\n"                                                                                 \
	"  - { name: hide, anonymise: yes }\n"                                                     \
	"rules:\n"                                                                                 \
	"  - name: r\n    "

struct lab {
	struct fixture f;
	void *image;
	uint8_t out[TG_ANSWER_MAX];
	struct shot *shot;
	struct tg_result r;
};

static void start(struct lab *lab, const char *text)
{
	struct tg_image_error ierr;
	struct tg_error err;
	uint64_t length;

	memset(lab, 0, sizeof(*lab));
	setup(&lab->f);
	if (!text)
		return;
	if (tg_policy_compile(text, strlen(text), &lab->image, &length, &err) != 0)
		fail_msg("%u:%u: %s", (unsigned)err.line, err.column, err.text);
	assert_int_equal(tg_policy_open(&lab->f.g.gen.policy, lab->image, length, &ierr), 0);
}

static void stop(struct lab *lab)
{
	free(lab->image);
	teardown(&lab->f);
}

/* Each is a call of its own. */
static const struct tg_result *call(struct lab *lab, const char *fields, const char *body,
				    const struct message *iam)
{
	static const struct tg_pkt plain;
	struct text t = invite(fields, body, iam);
	static unsigned n;
	uint8_t *branch = (uint8_t *)memmem(t.data, t.len, "asdhds", 6);
	uint8_t *call_id = (uint8_t *)memmem(t.data, t.len, "a84b4c76", 8);

	assert_non_null(branch);
	assert_non_null(call_id);
	n++;
	branch[0] = (uint8_t)('a' + n / 26 % 26);
	branch[1] = (uint8_t)('a' + n % 26);
	memcpy(call_id, branch, 2);
	lab->shot = shoot(&plain, t.data, t.len);
	lab->r = judge_in(&lab->f, &lab->f.g.gen, &lab->shot->in);
	return &lab->r;
}

/* What goes on, read again. */
static void edited(struct lab *lab, struct tg_sip *sip, struct tg_isup *isup)
{
	struct tg_frame f;
	unsigned len, first;

	assert_int_equal(lab->r.fate, TG_FATE_EDIT);
	len = tg_edit_build(lab->f.pl, &lab->f.g.gen, &lab->shot->in, &lab->r, lab->out,
			    sizeof(lab->out));
	assert_true(len > 0);
	assert_int_equal(tg_frame_walk(lab->out, lab->out + len, TG_LINK_ETHERNET, &f),
			 TG_REASON_NONE);
	assert_true(tg_checksum_udp_ok(lab->out, &f));
	assert_int_equal(
		tg_sip_parse((struct tg_span){ lab->out + f.payload_off, f.payload_len }, sip),
		TG_REASON_NONE);
	tg_sig_normalise(&sip->sig, NULL);
	assert_true(tg_sip_isup_read(sip, NULL, isup, &first));
}

static struct message iam_from(const char *calling)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);

	put_calling(&m, 0x0a, calling, INTERNATIONAL, ALLOWED_BY_NETWORK);
	put(&m, 0);
	return m;
}

#define ALONE "Content-Type: application/isup;version=itu-t92+\r\n"
#define FRAUD_DIGITS (&TG_TEST_FRAUD[1])

TG_TEST(SIP_18_listed_in_the_body_only, TG_NEEDS_NOTHING)
{
	const struct message bad = iam_from(FRAUD_DIGITS), good = iam_from("12025550178");
	struct tg_event e;
	struct lab lab;
	unsigned i;

	start(&lab, NULL);
	assert_result(call(&lab, ALONE, "@", &good), true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_result(call(&lab, MULTIPART, SDP_PART BASE64_PART "--b1--", &bad), true,
		      TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_int_equal(lab.r.sig->id[lab.r.verdict.identity].source, TG_ID_CALLING_NUMBER);
	tg_event_fill(&e, &lab.f.g.gen, &lab.shot->in, &lab.r);
	for (i = 0; i < e.n_ids; i++) {
		assert_int_equal(e.id[i].has_party, i >= lab.r.first_party);
		if (!e.id[i].has_party)
			continue;
		assert_int_equal(e.id[i].nature, INTERNATIONAL);
		if (e.id[i].source == TG_ID_CALLING_NUMBER) {
			assert_int_equal(e.id[i].raw_len, strlen(FRAUD_DIGITS));
			assert_memory_equal(e.id[i].raw, FRAUD_DIGITS, e.id[i].raw_len);
		}
	}
	assert_int_equal(e.protocol, TG_PROTOCOL_SIP);
	assert_false(e.has_mtp3);
	/* Not read: judged by its header. */
	assert_result(call(&lab, ALONE "Content-Encoding: gzip\r\n", "@", &bad), true,
		      TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_null(lab.r.isup);
	stop(&lab);
}

TG_TEST(IS_12_contradiction_of_header_and_body, TG_NEEDS_NOTHING)
{
	const struct message same = iam_from("12025550123"), other = iam_from("447700900123");
	struct lab lab;

	start(&lab, HEAD "when: { contradiction: [caller-isup] }\n    action: reject\n"
			 "    answer: no\n");
	call(&lab, ALONE, "@", &same);
	assert_int_equal(lab.r.fate, TG_FATE_FORWARD);
	assert_result(call(&lab, ALONE, "@", &other), true, TG_FATE_ANSWER,
		      TG_REASON_CONTRADICTION);
	stop(&lab);
}

TG_TEST(IS_12_diverted_in_both_places, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	struct tg_isup isup;
	struct tg_sip sip;
	struct lab lab;
	struct tg_span raw;

	start(&lab, HEAD "when: { trunk: [abroad] }\n    action: divert\n    answer: sink\n");
	call(&lab, MULTIPART, SDP_PART BASE64_PART "--b1--", &iam);
	edited(&lab, &sip, &isup);
	assert_string_equal(sip_test_raw(&sip, TG_ID_REQUEST_URI, 0), "+65990000000");
	raw = tg_identity_raw(&isup.sig, isup.sig.called);
	assert_string_equal(sip_test_text(raw), "659900000000");
	assert_string_equal(sip_test_raw(&sip, TG_ID_CALLING_NUMBER, 0), "12025550123");
	stop(&lab);
}

/* Where one of the two cannot be, neither is. */
TG_TEST(IS_12_no_edit_of_one_place_only, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *fields;
		const char *body;
	} hidden[] = {
		{ ALONE "Content-Transfer-Encoding: quoted-printable\r\n", "@" },
		{ MULTIPART, ISUP_PART ISUP_PART "--b1--" },
	};
	struct message iam = begin_iam("442079460123", 2); /* no sink has an unknown nature */
	struct lab lab;
	size_t i;

	put(&iam, 0);
	start(&lab, HEAD "when: { trunk: [abroad] }\n    action: divert\n    answer: sink\n");
	assert_result(call(&lab, ALONE, "@", &iam), true, TG_FATE_FORWARD,
		      TG_REASON_EDIT_IMPOSSIBLE);
	iam = usual_iam();
	for (i = 0; i < TG_ARRAY_LEN(hidden); i++)
		assert_result(call(&lab, hidden[i].fields, hidden[i].body, &iam), true,
			      TG_FATE_FORWARD, TG_REASON_EDIT_IMPOSSIBLE);
	stop(&lab);
	start(&lab, HEAD "when: { trunk: [abroad] }\n    action: divert\n    answer: sink_or_no\n");
	call(&lab, hidden[0].fields, "@", &iam);
	assert_int_equal(lab.r.fate, TG_FATE_ANSWER);
	stop(&lab);
	start(&lab, HEAD "when: { trunk: [abroad] }\n    action: mark\n    mark: hide\n");
	for (i = 0; i < TG_ARRAY_LEN(hidden); i++)
		assert_result(call(&lab, hidden[i].fields, hidden[i].body, &iam), true,
			      TG_FATE_FORWARD, TG_REASON_EDIT_IMPOSSIBLE);
	stop(&lab);
}

TG_TEST(IS_12_anonymous_in_both_places, TG_NEEDS_NOTHING)
{
	const struct message iam = usual_iam();
	struct tg_isup isup;
	struct tg_sip sip;
	struct lab lab;

	start(&lab, HEAD "when: { trunk: [abroad] }\n    action: mark\n    mark: hide\n");
	call(&lab, MULTIPART, ISUP_PART SDP_PART "--b1--", &iam);
	edited(&lab, &sip, &isup);
	assert_string_equal(sip_test_raw(&sip, TG_ID_FROM, 0), "anonymous");
	assert_int_equal(isup.party[1].presentation, TG_ISUP_RESTRICTED);
	stop(&lab);
}

TG_TEST(IS_13_priority_category_in_a_body, TG_NEEDS_NOTHING)
{
	struct message iam = iam_from(FRAUD_DIGITS);
	struct lab lab;

	start(&lab, NULL);
	iam.data[6] = 11; /* calling subscriber with priority */
	assert_result(call(&lab, ALONE, "@", &iam), true, TG_FATE_FORWARD, TG_REASON_PRIORITY);
	stop(&lab);
}
