/* SPDX-License-Identifier: BSD-3-Clause */
/* What cannot be read, or not carried out: each condition is provoked, and passes unless its trunk drops it. */
#include "tests/support/shots.h"
#include "tollgate/stats.h"

/* The frame of a condition. */
struct fault {
	struct tg_frame_in in;
	uint8_t frame[TG_PKT_MAX];
	char text[TG_SIP_MAX_HEADER_BYTES + 4096];
};

static void build(struct fault *x, const char *text, size_t len)
{
	const struct tg_pkt p = { 0 };

	x->in = (struct tg_frame_in){ .data = x->frame };
	x->in.len = (uint32_t)tg_pkt_build(&p, text, len, x->frame);
}

static void build_sip(struct fault *x, const struct tg_sip_text *t)
{
	char text[TG_SIP_TEXT_MAX];

	build(x, text, tg_sip_text(t, text));
}

/* Nobody can be answered who has two From fields. */
static void unanswerable(struct fixture *f, struct fault *x)
{
	const struct tg_sip_text t = { .from = TG_TEST_FRAUD,
				       .extra = "From: <sip:a@b>;tag=1\r\n" };

	(void)f;
	build_sip(x, &t);
}

/* A sink that is longer than the number that it would take the place of. */
static void uneditable(struct fixture *f, struct fault *x)
{
	const struct tg_sip_text t = { .called = TG_TEST_IRSF_CALLED };

	f->g.rule[1].action = TG_ACTION_DIVERT;
	f->g.answer[1] = (struct tg_policy_answer){ .name = "sink", .sink = "+999999999999999" };
	f->g.gen.policy.has_sinks = true;
	build_sip(x, &t);
}

static void unmemorable(struct fixture *f, struct fault *x)
{
	struct tg_pipeline_config small = pipeline_config;
	struct tg_sip_text t = { .from = TG_TEST_FRAUD };

	free(f->pl);
	small.memory_entries = 4;
	f->pl = pipeline_make(&small);
	for (t.call = 0; t.call < 4; t.call++)
		assert_int_equal(judge(f, &t).fate, TG_FATE_ANSWER);
	build_sip(x, &t);
}

static void malformed(struct fixture *f, struct fault *x)
{
	static const char text[] = "INVITE sip:a@b.example SIP/2.0\r\nTo: <sip:a@b.example>\r\nSub";

	(void)f;
	build(x, text, sizeof(text) - 1);
}

/* A header field that goes on beyond what is read, before or behind what makes a call spared. */
static void oversize_with(struct fault *x, const char *uri, const char *line)
{
	int n = snprintf(x->text, sizeof(x->text), "INVITE %s SIP/2.0\r\n%sX-Long: ", uri, line);

	memset(x->text + n, 'x', TG_SIP_MAX_HEADER_BYTES);
	build(x, x->text, (size_t)n + TG_SIP_MAX_HEADER_BYTES);
}

static void oversize(struct fixture *f, struct fault *x)
{
	(void)f;
	oversize_with(x, "sip:a@b.example", "");
}

static const struct {
	void (*provoke)(struct fixture *f, struct fault *x);
	enum tg_exception exception;
	enum tg_reason reason;
	bool judged;
} conditions[] = {
	{ unanswerable, TG_EXCEPTION_ANSWER_IMPOSSIBLE, TG_REASON_ANSWER_IMPOSSIBLE, true },
	{ uneditable, TG_EXCEPTION_EDIT_IMPOSSIBLE, TG_REASON_EDIT_IMPOSSIBLE, true },
	{ unmemorable, TG_EXCEPTION_MEMORY_FULL, TG_REASON_MEMORY_FULL, true },
	{ malformed, TG_EXCEPTION_SIP_MALFORMED, TG_REASON_SIP_MALFORMED, false },
	{ oversize, TG_EXCEPTION_SIP_OVERSIZE, TG_REASON_SIP_OVERSIZE, false },
};

static void set_drops(struct fixture *f, uint32_t drops)
{
	f->g.trunk[0].drops = drops;
	f->g.gen.policy.has_drops = drops != 0;
}

#define ALL ((1u << TG_EXCEPTION_COUNT) - 1)

/* Fail-open unless told otherwise, for this condition, on this trunk, where it is enforced. */
TG_TEST(P2_each_exception_passes_unless_its_trunk_drops_it, TG_NEEDS_NOTHING)
{
	static struct fault x;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(conditions); i++) {
		const uint32_t bit = 1u << conditions[i].exception;
		struct fixture f;
		struct tg_result r;
		const struct {
			uint32_t drops;
			enum tg_mode mode;
			uint16_t port; /* 1: trunk default */
			enum tg_fate fate;
		} rows[] = {
			{ 0, TG_MODE_ENFORCE, 0, TG_FATE_FORWARD },
			{ ALL & ~bit, TG_MODE_ENFORCE, 0, TG_FATE_FORWARD },
			{ bit, TG_MODE_ENFORCE, 0, TG_FATE_ABSORB },
			{ bit, TG_MODE_ENFORCE, 0,
			  TG_FATE_ABSORB }, /* its retransmission as well */
			{ bit, TG_MODE_ENFORCE, 1, TG_FATE_FORWARD },
			{ bit, TG_MODE_SHADOW, 0, TG_FATE_FORWARD },
		};
		unsigned k;

		setup(&f);
		conditions[i].provoke(&f, &x);
		for (k = 0; k < TG_ARRAY_LEN(rows); k++) {
			set_drops(&f, rows[k].drops);
			f.g.trunk[0].mode = (uint8_t)rows[k].mode;
			x.in.port = rows[k].port;
			r = judge_in(&f, &f.g.gen, &x.in);
			assert_int_equal(r.fate, rows[k].fate);
			assert_int_equal(r.judged, conditions[i].judged);
			/* Under a verdict in shadow nothing stands in the way. */
			if (!r.judged || (rows[k].mode == TG_MODE_ENFORCE && rows[k].port == 0))
				assert_string_equal(tg_reason_name(r.reason),
						    tg_reason_name(conditions[i].reason));
		}
		teardown(&f);
	}
}

/* No policy keeps an emergency call back, nor what belongs to a call that stands. */
TG_TEST(SIP_36_exceptions_spare_emergency_and_dialogs, TG_NEEDS_NOTHING)
{
	static const char number[] = "sip:+12025550123@b.example";
	static const struct {
		const char *uri;
		const char *line;
		enum tg_fate fate;
		bool in_dialog;
	} cases[] = {
		{ number, "", TG_FATE_ABSORB, false },
		{ number, "To: <sip:a@b>\r\n", TG_FATE_ABSORB, false },
		{ number, "Priority: normal\r\n", TG_FATE_ABSORB, false },
		{ "urn:service:sos.fire", "", TG_FATE_FORWARD, false },
		{ "sip:112@b.example", "", TG_FATE_FORWARD, false },
		{ number, "Priority: emergency\r\n", TG_FATE_FORWARD, false },
		{ number, "To: <sip:a@b>;tag=7\r\n", TG_FATE_FORWARD, true },
	};
	static struct fault x;
	struct fixture f;
	unsigned i;

	setup(&f);
	set_drops(&f, ALL);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct tg_result r;
		int n;

		oversize_with(&x, cases[i].uri, cases[i].line);
		r = judge_in(&f, &f.g.gen, &x.in);
		assert_result(&r, false, cases[i].fate,
			      cases[i].in_dialog ? TG_REASON_SIP_IN_DIALOG
						 : TG_REASON_SIP_OVERSIZE);
		n = snprintf(x.text, sizeof(x.text), "INVITE %s SIP/2.0\r\n%sSub", cases[i].uri,
			     cases[i].line);
		build(&x, x.text, (size_t)n);
		r = judge_in(&f, &f.g.gen, &x.in);
		assert_result(&r, false, cases[i].fate,
			      cases[i].in_dialog ? TG_REASON_SIP_IN_DIALOG
						 : TG_REASON_SIP_MALFORMED);
	}
	teardown(&f);
}

/* What else may happen to a frame is nobody's to drop. */
TG_TEST(P2_other_reasons_pass_whatever_the_trunk_says, TG_NEEDS_NOTHING)
{
	static const char dtls[] = "\x16\xfe\xfd\x00\x00", media[] = "\x80\x08\x00\x01";
	static const struct tg_pkt bad = { .bad_udp_checksum = true };
	const struct tg_sip_text good = { 0 }, call = { .from = TG_TEST_FRAUD, .call = 1 };
	char text[TG_SIP_TEXT_MAX];
	static struct fault x;
	struct fixture f;
	struct tg_result r;

	setup(&f);
	set_drops(&f, ALL);
	build_sip(&x, &good);
	r = judge_in(&f, &f.g.gen, &x.in);
	assert_result(&r, true, TG_FATE_FORWARD, TG_REASON_UNLISTED);
	build(&x, dtls, sizeof(dtls) - 1);
	r = judge_in(&f, &f.g.gen, &x.in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_TLS);
	build(&x, media, sizeof(media) - 1);
	r = judge_in(&f, &f.g.gen, &x.in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_NOT_SIP);
	x.in.len = (uint32_t)tg_pkt_build(&bad, text, tg_sip_text(&call, text), x.frame);
	r = judge_in(&f, &f.g.gen, &x.in);
	assert_result(&r, false, TG_FATE_FORWARD, TG_REASON_BAD_CHECKSUM);
	teardown(&f);
}

TG_TEST(P2_exceptions_are_named_and_counted_as_their_reasons, TG_NEEDS_NOTHING)
{
	static struct tg_stats s;
	unsigned reason, n = 0;

	memset(&s, 0, sizeof(s));
	for (reason = 0; reason <= TG_REASON_COUNT; reason++) {
		const enum tg_exception e = tg_exception_of(reason);
		struct tg_stats_exception x;

		if (e == TG_EXCEPTION_COUNT)
			continue;
		n++;
		assert_string_equal(tg_exception_name(e), tg_reason_name(reason));
		s.reason[reason] = 10 + reason;
		s.exceptions_dropped[e] = 4;
		x = tg_stats_exception(&s, e);
		assert_int_equal(x.passed, 6 + reason);
		assert_int_equal(x.dropped, 4);
		s.exceptions_dropped[e] = 1000; /* one counter ahead of the other */
		assert_int_equal(tg_stats_exception(&s, e).passed, 0);
	}
	assert_int_equal(n, TG_EXCEPTION_COUNT);
	assert_string_equal(tg_exception_name(TG_EXCEPTION_COUNT), "?");
}
