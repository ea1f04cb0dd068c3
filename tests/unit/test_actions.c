/* SPDX-License-Identifier: BSD-3-Clause */
/* What policies do to frames: marks, diversions, limits, shares, priority, and calls of several parts. */
#include "control/policy_file.h"
#include "tests/support/shots.h"
#include "tollgate/checksum.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"trunks:\n"                                                                                \
	"  - { name: abroad, port: 0, mode: enforce, international: yes, priority_per_second: 2 "  \
	"}\n"                                                                                      \
	"answers:\n"                                                                               \
	"  - { name: no, code: 603, phrase: Decline, reason: 'Q.850;cause=21' }\n"                 \
	"  - { name: moved, code: 302, phrase: Moved, contact: '<sip:+6561234567@192.0.2.9>' }\n"  \
	"  - { name: sink, sink: '+65990' }\n"                                                     \
	"  - { name: card, code: 608, phrase: Rejected, call_info: "                               \
	"'<https://example.net/c>;purpose=jwscard' }\n"                                            \
	"marks:\n"                                                                                 \
	"  - { name: tag, header: 'X-Tollgate: suspect', display: '[?] ' }\n"                      \
	"rules:\n"
#define ACT(what) HEAD "  - name: r\n    when: { role: [caller], class: [e164] }\n    " what "\n"

struct lab {
	struct fixture f;
	void *image;
	uint8_t out[TG_ANSWER_MAX];
	struct tg_frame_in in;
	struct tg_result r;
};

static void load(struct lab *lab, const char *text)
{
	struct tg_image_error ierr;
	struct tg_error err;
	uint64_t length;

	free(lab->image);
	if (tg_policy_compile(text, strlen(text), &lab->image, &length, &err) != 0)
		fail_msg("%u:%u: %s", (unsigned)err.line, err.column, err.text);
	assert_int_equal(tg_policy_open(&lab->f.g.gen.policy, lab->image, length, &ierr), 0);
}

static void start(struct lab *lab, const char *text)
{
	memset(lab, 0, sizeof(*lab));
	setup(&lab->f);
	load(lab, text);
}

static void stop(struct lab *lab)
{
	free(lab->image);
	teardown(&lab->f);
}

static const struct tg_result *send_in(struct lab *lab, const struct tg_pkt *p,
				       const struct tg_sip_text *t)
{
	char text[TG_SIP_TEXT_MAX];

	lab->in = shoot(p, text, tg_sip_text(t, text))->in;
	lab->r = judge_in(&lab->f, &lab->f.g.gen, &lab->in);
	return &lab->r;
}

static const struct tg_result *send(struct lab *lab, const struct tg_sip_text *t)
{
	static const struct tg_pkt plain;

	return send_in(lab, &plain, t);
}

/* The message in the frame that goes on, or back; its headers are checked on the way. */
static const char *message(struct lab *lab, unsigned len)
{
	struct tg_frame f;

	assert_true(len > 0 && len < sizeof(lab->out));
	assert_int_equal(tg_frame_walk(lab->out, lab->out + len, TG_LINK_ETHERNET, &f),
			 TG_REASON_NONE);
	assert_int_equal(f.payload_off + f.payload_len, len);
	assert_true(tg_checksum_udp_ok(lab->out, &f));
	lab->out[len] = 0;
	return (const char *)lab->out + f.payload_off;
}

static const char *edited(struct lab *lab)
{
	assert_int_equal(lab->r.fate, TG_FATE_EDIT);
	return message(lab, tg_edit_build(lab->f.pl, &lab->f.g.gen, &lab->in, &lab->r, lab->out,
					  sizeof(lab->out)));
}

static const char *answered(struct lab *lab)
{
	assert_int_equal(lab->r.fate, TG_FATE_ANSWER);
	return message(lab, tg_answer_build(lab->f.pl, &lab->f.g.gen, &lab->in, &lab->r, lab->out,
					    sizeof(lab->out)));
}

/* ---- marks ------------------------------------------------------------------------------------- */

TG_TEST(L3_7_a_mark_changes_nothing_but_what_it_says, TG_NEEDS_NOTHING)
{
	static const struct tg_pkt pkts[] = {
		{ 0 },
		{ .n_vlan = 2, .vlan = { 5, 6 }, .dscp = 0xb8, .ipv4_options = 8 },
		{ .ipv6 = true, .ext = { 0, 60 }, .n_ext = 2 },
		{ .ipv4_fragment = 0x4000 },
		{ .zero_udp_checksum = true },
	};
	struct lab lab;
	unsigned i;

	start(&lab, ACT("action: mark\n    mark: tag"));
	for (i = 0; i < TG_ARRAY_LEN(pkts); i++) {
		const struct tg_sip_text t = { .call = i };
		const struct tg_frame *f;
		const char *text;
		unsigned at;

		send_in(&lab, &pkts[i], &t);
		assert_string_equal(tg_reason_name(lab.r.reason), "rule");
		text = edited(&lab);
		assert_non_null(strstr(text, "From: \"[?] A\" <sip:" TG_TEST_CLEAN));
		assert_non_null(strstr(text, "Content-Length: 0\r\nX-Tollgate: suspect\r\n\r\n"));
		/* MACs, tags, TTL, identification, DF, options: as they were, but for two lengths
		 * and the checksums. */
		f = &lab.r.frame;
		for (at = 0; at < f->payload_off; at++) {
			const unsigned l3 = at - f->l3_off;
			const bool ip = f->ip_version == 6
						? l3 == 4 || l3 == 5
						: l3 == 2 || l3 == 3 || l3 == 10 || l3 == 11;

			if (!ip && at - f->l4_off > 7)
				assert_int_equal(lab.out[at], lab.in.data[at]);
			else if (at - f->l4_off < 4)
				assert_int_equal(lab.out[at], lab.in.data[at]);
		}
		/* L3-10 */
		assert_int_equal(lab.out[f->l4_off + 6] | lab.out[f->l4_off + 7],
				 pkts[i].zero_udp_checksum
					 ? 0
					 : lab.out[f->l4_off + 6] | lab.out[f->l4_off + 7]);
		if (pkts[i].zero_udp_checksum)
			assert_int_equal(tg_load_be16(lab.out + f->l4_off + 6), 0);
		/* A retransmission is marked alike. */
		send_in(&lab, &pkts[i], &t);
		assert_true(lab.r.repeated);
		assert_non_null(strstr(edited(&lab), "X-Tollgate: suspect"));
	}
	stop(&lab);
}

/* What would get longer than the link takes goes on unmarked, counted: to the byte. */
TG_TEST(L3_7_no_mark_beyond_the_mtu, TG_NEEDS_NOTHING)
{
	static const unsigned growth = sizeof("[?] ") + sizeof("X-Tollgate: suspect\r\n") - 2;
	unsigned pad, marked = 0;
	struct lab lab;

	start(&lab, ACT("action: mark\n    mark: tag"));
	for (pad = 1000; pad < 1400; pad += 1 + (pad < 1080)) {
		char extra[1500] = "Subject: ";
		const struct tg_sip_text t = { .call = pad, .extra = extra };
		bool fits;

		memset(extra + 9, 'x', pad);
		memcpy(extra + 9 + pad, "\r\n", 3);
		send(&lab, &t);
		fits = lab.in.len - 14 + growth <= 1500;
		marked += fits;
		assert_int_equal(lab.r.verdict.action, TG_ACTION_MARK);
		assert_int_equal(lab.r.fate, fits ? TG_FATE_EDIT : TG_FATE_FORWARD);
		assert_int_equal(lab.r.reason, fits ? TG_REASON_RULE : TG_REASON_EDIT_IMPOSSIBLE);
		if (fits)
			assert_true(strlen(edited(&lab)) + 28 <= 1500);
	}
	assert_in_range(marked, 10, 390);
	stop(&lab);
}

TG_TEST(actions_anonymise, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .extra = "P-Asserted-Identity: <sip:" TG_TEST_CLEAN
						"@h>\r\n" };
	const char *text;
	struct lab lab;

	start(&lab, ACT("action: anonymise"));
	send(&lab, &t);
	text = edited(&lab);
	assert_non_null(
		strstr(text, "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=f0"));
	assert_non_null(strstr(text, "P-Asserted-Identity: \"Anonymous\" <sip:anonymous@"));
	assert_non_null(strstr(text, "\r\nPrivacy: id\r\n"));
	stop(&lab);
}

/* ---- diversions and answers -------------------------------------------------------------------- */

TG_TEST(actions_divert_by_302_and_608_with_its_card, TG_NEEDS_NOTHING)
{
	/* OP-8: only in an answer that stays below its request. */
	static const char body[] = "Subject: a request as long as most are, with a description\r\n"
				   "User-Agent: the tests of what policies do to frames\r\n";
	const struct tg_sip_text t = { .call = 1 }, u = { .call = 2, .extra = body },
				 v = { .call = 3 };
	const char *text;
	struct lab lab;

	start(&lab, ACT("action: divert\n    answer: moved"));
	send(&lab, &t);
	text = answered(&lab);
	assert_int_equal(strncmp(text, "SIP/2.0 302 Moved\r\n", 19), 0);
	assert_non_null(strstr(text, "\r\nContact: <sip:+6561234567@192.0.2.9>\r\n"));
	load(&lab, ACT("action: reject\n    answer: card"));
	send(&lab, &u);
	text = answered(&lab);
	assert_int_equal(strncmp(text, "SIP/2.0 608 Rejected\r\n", 22), 0);
	assert_non_null(strstr(text, "\r\nCall-Info: <https://example.net/c>;purpose=jwscard\r\n"));
	send(&lab, &v);
	text = answered(&lab);
	assert_int_equal(strncmp(text, "SIP/2.0 608 Rejected\r\n", 22), 0);
	assert_null(strstr(text, "Call-Info"));
	stop(&lab);
}

/* What may end a call, as it goes out: code, phrase and Reason (RFC 8197, RFC 8688, ATIS-1000099). */
TG_TEST(SIP_30_each_answer_on_the_wire, TG_NEEDS_NOTHING)
{
	static const char long_request[] =
		"Subject: a request as long as most are, and then some, so that "
		"there is room for a Reason\r\n";
	static const struct {
		const char *answer;
		const char *line;
		const char *header; /* NULL: no Reason */
	} cases[] = {
		{ "code: 403, phrase: Forbidden", "SIP/2.0 403 Forbidden\r\n", NULL },
		{ "code: 404, phrase: Not Found", "SIP/2.0 404 Not Found\r\n", NULL },
		{ "code: 603, phrase: Decline, reason: 'Q.850;cause=21'", "SIP/2.0 603 Decline\r\n",
		  "\r\nReason: Q.850;cause=21\r\n" },
		{ "code: 603, phrase: Network Blocked, reason: "
		  "'SIP;cause=603;text=\"v=analytics1;url=https://r.example\"'",
		  "SIP/2.0 603 Network Blocked\r\n",
		  "\r\nReason: SIP;cause=603;text=\"v=analytics1;url=https://r.example\"\r\n" },
		{ "code: 607, phrase: Unwanted", "SIP/2.0 607 Unwanted\r\n", NULL },
		{ "code: 608, phrase: Rejected", "SIP/2.0 608 Rejected\r\n", NULL },
	};
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_sip_text t = { .extra = long_request };
		char policy[1024];
		const char *text;
		struct lab lab;

		snprintf(policy, sizeof(policy),
			 "version: 1\ntrunks: [ { name: t, port: 0, mode: enforce } ]\n"
			 "answers: [ { name: a, %s } ]\n"
			 "rules:\n  - { name: r, when: { role: [caller], class: [e164] }, action: "
			 "reject, answer: a }\n",
			 cases[i].answer);
		start(&lab, policy);
		send(&lab, &t);
		text = answered(&lab);
		assert_int_equal(strncmp(text, cases[i].line, strlen(cases[i].line)), 0);
		if (cases[i].header)
			assert_non_null(strstr(text, cases[i].header));
		else
			assert_null(strstr(text, "\r\nReason:"));
		stop(&lab);
	}
}

/* The called number becomes the sink's, at the same length; the CANCEL and the ACK follow it there. */
TG_TEST(SIP_26_what_follows_an_invite_to_a_sink, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .call = 1 };
	struct lab lab;

	start(&lab, ACT("action: divert\n    answer: sink"));
	send(&lab, &t);
	assert_int_equal(strncmp(edited(&lab), "INVITE sip:+65990000000@example.net SIP/2.0", 43),
			 0);
	assert_non_null(strstr(edited(&lab), "To: <sip:" TG_TEST_CLEAN_CALLED "@"));
	t.method = "CANCEL";
	send(&lab, &t);
	assert_false(lab.r.judged);
	assert_int_equal(lab.r.reason, TG_REASON_SIP_REQUEST);
	assert_int_equal(strncmp(edited(&lab), "CANCEL sip:+65990000000@", 24), 0);
	t.method = "ACK";
	t.to_tag = "far";
	send(&lab, &t);
	assert_int_equal(strncmp(edited(&lab), "ACK sip:+65990000000@", 21), 0);
	/* Another call's do not. */
	t.call = 2;
	send(&lab, &t);
	assert_int_equal(lab.r.fate, TG_FATE_FORWARD);
	/* A number that is too short for the sink goes on, counted. */
	t = (struct tg_sip_text){ .call = 3, .called = "12345" };
	send(&lab, &t);
	assert_int_equal(lab.r.fate, TG_FATE_FORWARD);
	assert_int_equal(lab.r.reason, TG_REASON_EDIT_IMPOSSIBLE);
	stop(&lab);
}

/* ---- limits and shares ------------------------------------------------------------------------- */

TG_TEST(actions_limit_lets_so_many_pass, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .from = TG_TEST_CLEAN };
	struct lab lab;

	start(&lab, ACT("action: reject\n    answer: no\n    limit: { per: caller, calls: 3, "
			"seconds: 60 }"));
	for (t.call = 0; t.call < 6; t.call++) {
		send(&lab, &t);
		assert_int_equal(lab.r.fate, t.call < 3 ? TG_FATE_FORWARD : TG_FATE_ANSWER);
		assert_int_equal(lab.r.reason, t.call < 3 ? TG_REASON_UNLISTED : TG_REASON_RATE);
		/* A retransmission takes nothing, and a packet that nobody will read neither. */
		send(&lab, &t);
		assert_int_equal(lab.r.fate, t.call < 3 ? TG_FATE_FORWARD : TG_FATE_ANSWER);
		send_in(&lab, &(struct tg_pkt){ .bad_udp_checksum = true },
			&(struct tg_sip_text){ .call = 50 + t.call });
		assert_int_equal(lab.r.reason, TG_REASON_BAD_CHECKSUM);
	}
	/* Another number has its own; a policy that is loaded again goes on counting. */
	send(&lab, &(struct tg_sip_text){ .from = "+447700900321", .call = 20 });
	assert_int_equal(lab.r.fate, TG_FATE_FORWARD);
	load(&lab, ACT("action: reject\n    answer: no\n    limit: { per: caller, calls: 3, "
		       "seconds: 61 }"));
	send(&lab, &(struct tg_sip_text){ .call = 21 });
	assert_int_equal(lab.r.fate, TG_FATE_ANSWER);
	lab.f.now += 20400; /* a third of the time: one more */
	send(&lab, &(struct tg_sip_text){ .call = 22 });
	assert_int_equal(lab.r.fate, TG_FATE_FORWARD);
	stop(&lab);
}

TG_TEST(actions_share_is_the_same_for_a_call_and_near_its_figure, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .from = TG_TEST_CLEAN };
	unsigned enforced = 0;
	struct lab lab;

	start(&lab, ACT("action: drop\n    share: 20"));
	for (t.call = 0; t.call < 1000; t.call++) {
		const bool kept = send(&lab, &t)->fate == TG_FATE_ABSORB;

		assert_int_equal(lab.r.verdict.action, TG_ACTION_DROP);
		assert_int_equal(lab.r.verdict.mode, kept ? TG_MODE_ENFORCE : TG_MODE_SHADOW);
		enforced += kept;
		if (t.call % 100 == 0) { /* also when nothing is remembered of it any more */
			lab.f.now += 40000;
			assert_int_equal(send(&lab, &t)->fate == TG_FATE_ABSORB, kept);
			lab.f.now += 40000;
		}
	}
	/* 200 of 1000; the standard deviation is 12.6, and the key is fixed. */
	assert_in_range(enforced, 150, 250);
	stop(&lab);
}

/* ---- priority ---------------------------------------------------------------------------------- */

TG_TEST(SIP_36_priority_passes_and_is_told_apart_beyond_a_rate, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .from = TG_TEST_FRAUD, .extra = "Priority: emergency\r\n" };
	struct lab lab;

	start(&lab, ACT("action: reject\n    answer: no"));
	for (t.call = 0; t.call < 5; t.call++) {
		send(&lab, &t);
		assert_int_equal(lab.r.fate, TG_FATE_FORWARD);
		assert_int_equal(lab.r.verdict.action, TG_ACTION_PASS);
		assert_int_equal(lab.r.reason,
				 t.call < 2 ? TG_REASON_PRIORITY : TG_REASON_PRIORITY_EXCESS);
	}
	t.extra = NULL;
	assert_int_equal(send(&lab, &t)->fate, TG_FATE_ANSWER);
	/* Nothing marks or diverts it either. */
	load(&lab, ACT("action: mark\n    mark: tag"));
	t = (struct tg_sip_text){ .call = 30, .extra = "Resource-Priority: ets.0\r\n" };
	assert_int_equal(send(&lab, &t)->fate, TG_FATE_FORWARD);
	stop(&lab);
}

/* ---- calls of several transactions ------------------------------------------------------------- */

/* SIP-22: the INVITE again with credentials keeps the verdict, whatever was published in between. */
TG_TEST(SIP_22_credentials_keep_the_verdict, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD, .call = 7 };
	const struct tg_sip_text again = { .from = TG_TEST_FRAUD,
					   .call = 7,
					   .cseq = 2,
					   .via = "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKb" };
	struct tg_result r;
	struct fixture f;

	setup(&f);
	r = judge_in(&f, &f.empty.gen, &shoot_sip(&t)->in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_false(r.same_call);
	r = judge_in(&f, &f.g.gen, &shoot_sip(&again)->in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_true(r.same_call && !r.repeated);
	/* Its own retransmission. */
	r = judge_in(&f, &f.g.gen, &shoot_sip(&again)->in);
	assert_true(r.repeated);
	/* After 32 s it is a new call. */
	f.now += 40000;
	r = judge_in(&f, &f.g.gen, &shoot_sip(&again)->in);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_FRAUD);
	assert_false(r.same_call);
	teardown(&f);
}

/* SIP-24, SIP-25: a fork keeps the verdict, a spiral to another number is judged; both count once. */
TG_TEST(SIP_24_SIP_25_forks_and_spirals_count_once, TG_NEEDS_NOTHING)
{
	struct tg_sip_text t = { .call = 9 };
	struct tg_result r;
	struct fixture f;

	setup(&f);
	r = judge(&f, &t);
	assert_false(r.same_call);
	t.via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKfork";
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	assert_true(r.same_call && !r.repeated);
	t.via = "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKspiral";
	t.called = TG_TEST_IRSF_CALLED;
	r = judge(&f, &t);
	assert_result(&r, true, TG_FATE_ANSWER, TG_REASON_IRSF);
	assert_true(r.same_call && !r.repeated);
	teardown(&f);
}

/* One Call-ID is no ticket for any number of calls. */
TG_TEST(OP_9_one_call_id_does_not_evade_a_limit, TG_NEEDS_NOTHING)
{
	struct lab lab;
	unsigned i;

	start(&lab, ACT("action: reject\n    answer: no\n    limit: { per: caller, calls: 2, "
			"seconds: 60 }"));
	for (i = 0; i < 4; i++) {
		char via[64];
		const struct tg_sip_text t = { .call = 1, .cseq = i + 1, .via = via };

		snprintf(via, sizeof(via), "SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK-%u", i);
		send(&lab, &t);
		assert_int_equal(lab.r.fate, i < 2 ? TG_FATE_FORWARD : TG_FATE_ANSWER);
	}
	stop(&lab);
}

/* SIP-27: after the memory has forgotten, the same request gets the same To-tag. */
TG_TEST(SIP_27_late_retransmission_has_the_same_tag, TG_NEEDS_NOTHING)
{
	const struct tg_sip_text t = { .call = 1 };
	char first[32];
	const char *tag;
	struct lab lab;

	start(&lab, ACT("action: reject\n    answer: no"));
	send(&lab, &t);
	tag = strstr(answered(&lab), ";tag=tg");
	assert_non_null(tag);
	snprintf(first, sizeof(first), "%.20s", tag);
	lab.f.now += 60000;
	send(&lab, &t);
	assert_false(lab.r.repeated);
	tag = strstr(answered(&lab), ";tag=tg");
	assert_non_null(tag);
	assert_memory_equal(first, tag, 20);
	stop(&lab);
}
