/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP over TCP through the whole pipeline: what is judged, and what the far end reads. */
#include "tests/support/policy_compile.h"
#include "tests/support/tcp_calls.h"

TG_TEST(SIPT_2_listed_call_ends_at_the_next_hop, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 0, text, n);
	assert_int_equal(lab.n_lines, 1);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_int_equal(lab.line[0].fate, TG_FATE_EDIT);
	assert_true(far_end_reads(0, "Max-Forwards:  0\r\n"));
	assert_int_equal(lab.have[0], n);
	/* What comes back says what policy says, at the same length. */
	n = too_many_hops(text, sizeof(text), 1);
	send(1, 0, text, n);
	assert_true(far_end_reads(1, "SIP/2.0 603 Decline      \r\nVia"));
	assert_int_equal(lab.reason[TG_REASON_ANSWER_EDITED], 1);
	/* A clean call in the same connection is none of our business, nor is its 483. */
	n = invite(text, sizeof(text), 2, TG_TEST_CLEAN);
	send(0, lab.have[0], text, n);
	assert_line(1, 2, TG_ACTION_PASS, TG_REASON_UNLISTED);
	n = too_many_hops(text, sizeof(text), 2);
	send(1, lab.have[1], text, n);
	assert_int_equal(lab.n_edited, 2);
	assert_true(far_end_reads(1, "SIP/2.0 483 Too Many Hops"));
	teardown();
}

TG_TEST(SIPT_2_several_messages_in_a_segment, TG_NEEDS_NOTHING)
{
	static const char bye[] = "BYE sip:b SIP/2.0\r\nCall-ID: x\r\nContent-Length: 0\r\n\r\n";
	char text[4096];
	uint32_t n = 0;

	setup();
	tcp_lab_connect(&lab);
	n += invite(text + n, sizeof(text) - n, 1, TG_TEST_CLEAN);
	n += (uint32_t)snprintf(text + n, sizeof(text) - n, "\r\n\r\n%s", bye);
	n += invite(text + n, sizeof(text) - n, 2, TG_TEST_FRAUD);
	n += invite(text + n, sizeof(text) - n, 3, TG_TEST_SPAM);
	send(0, 0, text, n);
	assert_int_equal(lab.n_lines, 3);
	assert_line(0, 1, TG_ACTION_PASS, TG_REASON_UNLISTED);
	assert_line(1, 2, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_line(2, 3, TG_ACTION_PASS, TG_REASON_SPAM);
	assert_int_equal(lab.n_edited, 1);
	/* One of three is changed. */
	lab.out[0][n] = 0;
	text[n] = 0;
	*strstr(strstr(text, "Call-ID: x"), "70\r\n") = ' ';
	assert_true(far_end_reads(0, "Max-Forwards:  0\r\n"));
	assert_ptr_equal(strstr(strstr((char *)lab.out[0], "  0\r\n") + 1, "  0\r\n"), NULL);
	teardown();
}

/* One byte a segment, all in bursts of their own: what is judged stays, but it is too late. */
TG_TEST(SIPT_2_one_byte_segments, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n, i;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	for (i = 0; i < n; i++)
		send(0, i, text + i, 1);
	assert_int_equal(lab.n_lines, 1);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_TCP_TOO_LATE);
	assert_int_equal(lab.line[0].fate, TG_FATE_FORWARD);
	assert_int_equal(lab.n_edited, 0);
	assert_memory_equal(lab.out[0], text, n);
	/* Without a SYN, and then it is the first byte that says what begins. */
	assert_int_equal(lab.reason[TG_REASON_TCP_PART], n - 1);
	teardown();
}

/* The header in two bursts: Max-Forwards is in the second, which is early enough. */
TG_TEST(SIPT_2_edit_lies_ahead, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n, cut;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	cut = (uint32_t)(strstr(text, "Max-Forwards") - text) + 3;
	send(0, 0, text, cut);
	assert_int_equal(lab.n_lines, 0);
	send(0, cut, text + cut, n - cut);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_true(far_end_reads(0, "Max-Forwards:  0\r\n"));
	teardown();
}

/* Judged with the header, reported with the last byte: the table may be another by then. */
TG_TEST(P4_stream_verdict_is_that_of_the_header, TG_NEEDS_NOTHING)
{
	static struct tg_test_generation empty;
	char text[2048];
	uint32_t n;

	setup();
	assert_true(tg_test_generation_init(&empty, true));
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 0, text, n - 5);
	assert_int_equal(lab.n_lines, 0);
	assert_int_equal(lab.n_edited, 1);
	lab.gen = &empty.gen;
	send(0, n - 5, text + n - 5, 5);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_int_equal(lab.line[0].fate, TG_FATE_EDIT);
	assert_false(lab.line[0].repeated);
	tg_test_generation_fini(&empty);
	teardown();
}

TG_TEST(SIPT_4_not_in_the_clear, TG_NEEDS_NOTHING)
{
	static const struct {
		uint16_t port;
		const char *first;
		uint32_t len;
		enum tg_reason reason, then;
	} cases[] = {
		{ 5060, "\x16\x03\x01\x00\x05hello", 10, TG_REASON_TLS, TG_REASON_TLS },
		{ 8080,
		  "GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n", 67,
		  TG_REASON_WEBSOCKET, TG_REASON_WEBSOCKET },
		{ 5060, "\xf8\x01\x02\x03", 4, TG_REASON_SIGCOMP, TG_REASON_SIGCOMP },
		{ 5060, "HTTP on this port\r\n", 19, TG_REASON_TCP_UNSYNCED,
		  TG_REASON_TCP_UNSYNCED },
		/* Elsewhere what is not SIP is not our business. */
		{ 80, "GET / HTTP/1.1\r\n\r\n", 18, TG_REASON_NOT_SIP, TG_REASON_NOT_SIP },
		{ 22, "SSH-2.0-x\r\n", 11, TG_REASON_NOT_SIP, TG_REASON_NOT_SIP },
	};
	unsigned i, syn;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		for (syn = 0; syn < 2; syn++) {
			setup();
			lab.port[1] = cases[i].port;
			if (syn)
				tcp_lab_connect(&lab);
			send(0, 0, cases[i].first, cases[i].len);
			assert_int_equal(lab.result[0].reason, cases[i].reason);
			send(0, cases[i].len, "\1more of it", 11);
			assert_int_equal(lab.result[0].reason, cases[i].then);
			assert_int_equal(lab.n_lines, 0);
			teardown();
		}
	}
}

TG_TEST(SIPT_5_any_port, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n;

	setup();
	lab.port[1] = 7777;
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 0, text, 1);
	send(0, 1, text + 1, n - 1);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_FRAUD);
	teardown();
}

TG_TEST(SIPT_7_keepalives, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n;

	setup();
	tcp_lab_connect(&lab);
	send(0, 0, "\r\n\r\n", 4);
	assert_int_equal(lab.result[0].reason, TG_REASON_SIP_KEEPALIVE);
	send(1, 0, "\r\n", 2);
	assert_int_equal(lab.result[0].reason, TG_REASON_SIP_KEEPALIVE);
	n = invite(text, sizeof(text), 1, TG_TEST_CLEAN);
	send(0, 4, text, n);
	assert_line(0, 1, TG_ACTION_PASS, TG_REASON_UNLISTED);
	teardown();
}

/* A header above its limit passes, counted; its Content-Length still says where the next one begins. */
TG_TEST(SIPT_9_oversize, TG_NEEDS_NOTHING)
{
	static char text[60000];
	uint32_t n, end, i, size;

	for (size = 1; size <= 9000; size += 8999) {
		setup();
		tcp_lab_connect(&lab);
		n = (uint32_t)sprintf(text, "INVITE sip:x SIP/2.0\r\nCall-ID: c9\r\n");
		for (i = 0; i < 40; i++)
			n += (uint32_t)sprintf(text + n, "X-Long: %01000d\r\n", i);
		n += (uint32_t)sprintf(text + n, "Content-Length: 5\r\n\r\nabcde");
		end = n + invite(text + n, sizeof(text) - n, 1, TG_TEST_FRAUD);
		for (i = 0; i < end; i += size)
			send(0, i, text + i, end - i < size ? end - i : size);
		assert_int_equal(lab.n_lines, 1);
		assert_int_equal(lab.line[0].call, 1);
		assert_true(lab.reason[TG_REASON_SIP_OVERSIZE] > 0);
		assert_int_equal(lab.reason[TG_REASON_TCP_UNSYNCED], 0);
		teardown();
	}
}

/* A body of 100 KiB, in segments that go astray in it: one line, with the last byte. */
TG_TEST(SIPT_9_long_body, TG_NEEDS_NOTHING)
{
	static char text[110000];
	uint32_t n, i;
	char *at;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	at = strstr(text, "Content-Length: ");
	n = (uint32_t)(at - text) + (uint32_t)sprintf(at, "Content-Length: 100000\r\n\r\n");
	memset(text + n, 'b', 100000);
	n += 100000;
	for (i = 0; i < n; i += 3000)
		send(0, (i / 3000 ^ 1) * 3000 < n ? (i / 3000 ^ 1) * 3000 : i,
		     text + ((i / 3000 ^ 1) * 3000 < n ? (i / 3000 ^ 1) * 3000 : i),
		     n - ((i / 3000 ^ 1) * 3000) < 3000 ? n - (i / 3000 ^ 1) * 3000 : 3000);
	assert_int_equal(lab.n_lines, 1);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_true(far_end_reads(0, "Max-Forwards:  0\r\n"));
	teardown();
}

TG_TEST(SIPT_2_content_length, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *field;
		unsigned judged; /* of two: this message, and the one behind its five bytes */
	} cases[] = {
		{ "Content-Length: 5\r\n", 2 },
		{ "l:5\r\n", 2 },
		{ "CONTENT-LENGTH \t:\r\n 005 \r\n", 2 },
		{ "l: 5\r\nContent-Length: 5\r\n", 2 },
		/* Where the body ends is a guess: the next start line with a Via behind it is none. */
		{ "", 2 },
		{ "l: 5\r\nl: 6\r\n", 2 },
		{ "l: five\r\n", 2 },
		{ "l: 99999999999\r\n", 2 },
		{ "l: -1\r\n", 2 },
	};
	char text[4096];
	uint32_t n;
	unsigned i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		setup();
		tcp_lab_connect(&lab);
		n = (uint32_t)sprintf(
			text,
			"INVITE sip:" TG_TEST_CLEAN_CALLED "@b SIP/2.0\r\nVia: SIP/2.0/TCP "
			"a;branch=z9hG4bKq\r\nCall-ID: c7\r\nCSeq: 1 INVITE\r\n%s\r\nbod\r\n",
			cases[i].field);
		n += invite(text + n, sizeof(text) - n, 1, TG_TEST_FRAUD);
		send(0, 0, text, n);
		assert_int_equal(lab.n_lines, cases[i].judged);
		teardown();
	}
}

/* Nothing is kept back or answered in a stream, whatever its transaction. */
TG_TEST(SIPT_2_cancel_and_ack_pass, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n, at;

	setup();
	tcp_lab_connect(&lab);
	at = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 0, text, at);
	n = (uint32_t)sprintf(
		text, "CANCEL sip:x SIP/2.0\r\nVia: SIP/2.0/TCP "
		      "192.0.2.1;branch=z9hG4bK1\r\nCall-ID: c1\r\nCSeq: 1 CANCEL\r\nl: 0\r\n\r\n");
	send(0, at, text, n);
	assert_int_equal(lab.result[0].reason, TG_REASON_SIP_REQUEST);
	assert_int_equal(lab.result[0].fate, TG_FATE_FORWARD);
	teardown();
}

TG_TEST(SIPT_2_shadow_changes_nothing, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n;

	setup();
	lab.pipeline_port[0] = 1;
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 0, text, n);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_int_equal(lab.n_edited, 0);
	assert_memory_equal(lab.out[0], text, n);
	teardown();
}

TG_TEST(SIPT_2_no_max_forwards_no_edit, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	memcpy(strstr(text, "Max-Forwards"), "Xax-Forwards", 12);
	send(0, 0, text, n);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_ANSWER_IMPOSSIBLE);
	assert_int_equal(lab.n_edited, 0);
	teardown();
}

/* A change of the header alone would contradict an IAM in the body, of which a stream shows only the type. */
TG_TEST(IS_12_in_a_stream_no_header_is_changed_in_front_of_isup, TG_NEEDS_NOTHING)
{
	static const char policy[] =
		"version: 1\ntrunks:\n  - { name: a, port: 0, mode: enforce }\n"
		"answers:\n  - { name: sink, sink: '+65990' }\n"
		"rules:\n  - { name: r, when: { trunk: [a] }, action: divert, answer: sink }\n";
	static const char *const types[] = { "application/sdp", "application/ISUP;version=itu-t92+",
					     "multipart/mixed;boundary=b1" };
	struct tg_image_error ierr;
	struct tg_error err;
	uint64_t length;
	uint32_t off = 0;
	void *image;
	unsigned i;

	setup();
	tcp_lab_connect(&lab);
	if (tg_policy_compile(policy, strlen(policy), &image, &length, &err) != 0)
		fail_msg("%u:%u: %s", (unsigned)err.line, err.column, err.text);
	assert_int_equal(tg_policy_open(&g.gen.policy, image, length, &ierr), 0);
	for (i = 0; i < TG_ARRAY_LEN(types); i++) {
		char text[1024];
		const int len = snprintf(
			text, sizeof(text),
			"INVITE sip:" TG_TEST_CLEAN_CALLED "@b.example SIP/2.0\r\n"
			"Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK%u\r\n"
			"From: <sip:+12025550123@a.example>;tag=f\r\n"
			"To: <sip:" TG_TEST_CLEAN_CALLED "@b.example>\r\nContent-Type: %s\r\n"
			"Call-ID: c%u\r\nCSeq: 1 INVITE\r\nContent-Length: 4\r\n\r\nbody",
			i, types[i], i);

		send(0, off, text, (uint32_t)len);
		assert_line(i, i, TG_ACTION_DIVERT,
			    i == 0 ? TG_REASON_RULE : TG_REASON_EDIT_IMPOSSIBLE);
		if (i == 0)
			memcpy(strstr(text, TG_TEST_CLEAN_CALLED), "+65990000000", 12);
		assert_memory_equal(lab.out[0] + off, text, len);
		off += (uint32_t)len;
	}
	free(image);
	teardown();
}

/* With credentials, and its body in a segment of its own: still the same call. */
TG_TEST(SIP_22_same_call_when_the_body_comes_later, TG_NEEDS_NOTHING)
{
	char text[2048], again[2048], *branch;
	uint32_t n, header;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_CLEAN);
	memcpy(again, text, sizeof(text));
	branch = strstr(again, "z9hG4bK1");
	assert_non_null(branch);
	branch[7] = '9'; /* another transaction */
	header = (uint32_t)(strstr(again, "\r\n\r\n") + 4 - again);
	send(0, 0, text, n);
	assert_true(lab.result[0].judged && !lab.result[0].same_call);
	send(0, n, again, header);
	assert_false(lab.result[0].judged);
	send(0, n + header, again + header, n - header);
	assert_true(lab.result[0].judged && lab.result[0].same_call);
	teardown();
}
