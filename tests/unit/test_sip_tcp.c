/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP over TCP through the whole pipeline: what is judged, and what the far end reads. */
#include <stdio.h>
#include <string.h>

#include "tests/support/generation.h"
#include "tests/support/tcp.h"
#include "tests/support/tg_test.h"

#define BODY "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"

static struct tg_test_generation g;
static struct tcp_lab lab;
static void *memory;

static void setup(void)
{
	static const struct tg_pipeline_config config = {
		.memory_entries = 65536,
		.cap_entries = 64,
		.key = "test",
		.tcp_flows = 64,
		.tcp_buffers = 40,
	};

	assert_true(tg_test_generation_init(&g, false));
	memory = aligned_alloc(TG_CACHE_LINE, tg_pipeline_size(&config));
	assert_non_null(memory);
	tcp_lab_init(&lab, &g.gen, tg_pipeline_init(memory, &config));
}

static void teardown(void)
{
	tg_test_generation_fini(&g);
	free(memory);
}

/* An INVITE with Call-ID c<call>, body BODY; Max-Forwards in the middle. */
static uint32_t invite(char *out, size_t size, unsigned call, const char *from)
{
	return (uint32_t)snprintf(
		out, size,
		"INVITE sip:" TG_TEST_CLEAN_CALLED "@b.example SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK%u\r\n"
		"From: <sip:%s@a.example>;tag=f%u\r\n"
		"Max-Forwards: 70\r\n"
		"To: <sip:" TG_TEST_CLEAN_CALLED "@b.example>\r\n"
		"Call-ID: c%u\r\nCSeq: 1 INVITE\r\nContent-Length: %zu\r\n\r\n" BODY,
		call, from, call, call, strlen(BODY));
}

/* The next hop's answer to it. */
static uint32_t too_many_hops(char *out, size_t size, unsigned call)
{
	return (uint32_t)snprintf(
		out, size,
		"SIP/2.0 483 Too Many Hops\r\n"
		"Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK%u\r\n"
		"From: <sip:x@a.example>;tag=f%u\r\nTo: <sip:y@b.example>;tag=t\r\n"
		"Call-ID: c%u\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
		call, call, call);
}

static void send(unsigned dir, uint32_t off, const char *bytes, uint32_t len)
{
	tcp_lab_send(&lab,
		     &(struct tcp_segment){ .dir = dir, .off = off, .bytes = bytes, .len = len });
}

static bool far_end_reads(unsigned dir, const char *text)
{
	lab.out[dir][lab.have[dir]] = 0;
	return strstr((const char *)lab.out[dir], text) != NULL;
}

static void assert_line(unsigned i, unsigned call, enum tg_action action, enum tg_reason counted)
{
	assert_true(i < lab.n_lines);
	assert_int_equal(lab.line[i].call, call);
	assert_int_equal(lab.line[i].action, action);
	assert_int_equal(lab.line[i].counted, counted);
}

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

TG_TEST(SIPT_3_retransmission_is_changed_alike, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n, at, i;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	at = (uint32_t)(strstr(text, "70\r\n") - text);
	send(0, 0, text, n);
	/* The receiver got none of it; other boundaries, one of them between the two digits. */
	memset(lab.got, 0, sizeof(lab.got));
	lab.have[0] = 0;
	for (i = 0; i < n; i += i == 0 ? at + 1 : 100)
		send(0, i, text + i, i == 0 ? at + 1 : n - i < 100 ? n - i : 100);
	assert_int_equal(lab.have[0], n);
	assert_true(far_end_reads(0, "Max-Forwards:  0\r\n"));
	assert_int_equal(lab.n_lines, 1);
	/* A copy with a wrong checksum is nobody's, and stays as it is. */
	tcp_lab_send(&lab, &(struct tcp_segment){ .bytes = text, .len = n, .bad_checksum = true });
	assert_int_equal(lab.result[0].fate, TG_FATE_FORWARD);
	assert_int_equal(lab.reason[TG_REASON_BAD_CHECKSUM], 1);
	/* Acknowledged: never sent again, and forgotten. */
	tcp_lab_send(&lab, &(struct tcp_segment){ .dir = 1, .flags = TCP_ACK, .ack = n });
	i = lab.n_edited;
	send(0, 0, text, n);
	assert_int_equal(lab.n_edited, i);
	teardown();
}

TG_TEST(SIPT_3_out_of_order, TG_NEEDS_NOTHING)
{
	char text[4096];
	uint32_t n, i, cut;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	/* The last piece first, all in one burst. */
	for (i = 0; i < n; i += 50)
		tcp_lab_queue(&lab,
			      &(struct tcp_segment){ .off = n - i < 50 ? 0 : n - i - 50,
						     .bytes = text + (n - i < 50 ? 0 : n - i - 50),
						     .len = n - i < 50 ? n - i : 50 });
	tcp_lab_run(&lab);
	assert_line(0, 1, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_true(far_end_reads(0, "Max-Forwards:  0\r\n"));
	/* A hole that is filled in a later burst; what is changed lies in it. */
	i = lab.have[0];
	n = invite(text, sizeof(text), 2, TG_TEST_FRAUD);
	cut = (uint32_t)(strstr(text, "To: ") - text);
	send(0, i + cut, text + cut, n - cut);
	assert_int_equal(lab.n_lines, 1);
	send(0, i, text, cut);
	assert_line(1, 2, TG_ACTION_REJECT, TG_REASON_FRAUD);
	teardown();
}

TG_TEST(SIPT_3_overlap_with_other_bytes, TG_NEEDS_NOTHING)
{
	char good[2048], bad[2048];
	uint32_t n;

	setup();
	tcp_lab_connect(&lab);
	n = invite(good, sizeof(good), 1, TG_TEST_CLEAN);
	assert_int_equal(invite(bad, sizeof(bad), 1, TG_TEST_FRAUD), n);
	/* Ahead of a hole one text, then all of it with another: the first is believed, and it shows. */
	send(0, 100, good + 100, 200);
	send(0, 0, bad, n);
	assert_int_equal(lab.n_lines, 1);
	assert_line(0, 1, TG_ACTION_PASS, TG_REASON_UNLISTED);
	/* In order first, other bytes while the message is still in pieces. */
	send(0, n, good, 200);
	send(0, n + 100, bad + 100, 100);
	assert_int_equal(lab.reason[TG_REASON_TCP_OVERLAP], 1);
	/* A keep-alive's byte may be any (RFC 9293 §3.8.4). */
	send(0, n + 199, "?", 1);
	assert_int_equal(lab.reason[TG_REASON_TCP_OVERLAP], 1);
	teardown();
}

/* A zero window's probes bring one byte; it is sent again when the window opens. */
TG_TEST(SIPT_3_zero_window_probes, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n, i;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_CLEAN);
	for (i = 0; i < 5; i++)
		send(0, 0, text, 1);
	send(0, 0, text, n);
	assert_int_equal(lab.n_lines, 1);
	assert_line(0, 1, TG_ACTION_PASS, TG_REASON_UNLISTED);
	assert_int_equal(lab.reason[TG_REASON_TCP_OVERLAP], 0);
	teardown();
}

/* Picked up in the middle: nothing until a start line, then everything. */
TG_TEST(SIPT_3_mid_stream, TG_NEEDS_NOTHING)
{
	char text[4096];
	uint32_t n, m;

	setup();
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 100, text + 100, n - 100);
	assert_int_equal(lab.n_lines, 0);
	assert_int_equal(lab.reason[TG_REASON_TCP_UNSYNCED], 1);
	/* Inside a segment too, if a Via says that it is one; in the body of another it may be a quotation. */
	n = (uint32_t)snprintf(text, sizeof(text), "half a line\r\n\r\nSIP/2.0 200 OK\r\n\r\n");
	send(0, 5000, text, n);
	assert_int_equal(lab.reason[TG_REASON_TCP_UNSYNCED], 2);
	m = 5000 + n;
	n = invite(text, sizeof(text), 2, TG_TEST_FRAUD);
	send(0, m, text, n);
	assert_int_equal(lab.n_lines, 1);
	assert_line(0, 2, TG_ACTION_REJECT, TG_REASON_FRAUD);
	teardown();
}

/* Bytes that only the receiver got: in a body they are passed over, elsewhere the stream is read anew. */
TG_TEST(SIPT_3_hole_that_the_receiver_does_not_have, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n, m;

	setup();
	tcp_lab_connect(&lab);
	n = (uint32_t)snprintf(text, sizeof(text),
			       "MESSAGE sip:b SIP/2.0\r\nVia: x\r\nContent-Length: 5000\r\n\r\n");
	send(0, 0, text, n);
	/* 5000 bytes of body of which 1000 to 2000 go another way. */
	memset(text, 'x', 1000);
	send(0, n, text, 1000);
	send(0, n + 2000, text, 1000);
	send(0, n + 3000, text, 1000);
	tcp_lab_send(&lab, &(struct tcp_segment){ .dir = 1, .flags = TCP_ACK, .ack = n + 4000 });
	send(0, n + 4000, text, 1000);
	m = n + 5000;
	n = invite(text, sizeof(text), 2, TG_TEST_FRAUD);
	send(0, m, text, n);
	assert_line(0, 2, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_int_equal(lab.reason[TG_REASON_TCP_UNSYNCED], 0);
	/* And now in a header. */
	m += n;
	n = invite(text, sizeof(text), 3, TG_TEST_FRAUD);
	send(0, m, text, 100);
	send(0, m + 200, text + 200, n - 200);
	tcp_lab_send(&lab, &(struct tcp_segment){ .dir = 1, .flags = TCP_ACK, .ack = m + n });
	assert_int_equal(lab.n_lines, 1);
	m += n;
	n = invite(text, sizeof(text), 4, TG_TEST_FRAUD);
	send(0, m, text, n);
	assert_line(1, 4, TG_ACTION_REJECT, TG_REASON_FRAUD);
	teardown();
}

TG_TEST(SIPT_3_port_reuse, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 0, text, n / 2);
	/* A SYN that nobody answers changes nothing. */
	lab.isn[0] += 1000000;
	tcp_lab_send(&lab, &(struct tcp_segment){ .flags = TCP_SYN, .syn = true, .no_ack = true });
	lab.isn[0] -= 1000000;
	send(0, n / 2, text + n / 2, n - n / 2);
	assert_int_equal(lab.n_lines, 1);
	/* One that is answered begins a connection anew. */
	send(0, n, text, 50);
	memset(lab.got, 0, sizeof(lab.got));
	memset(lab.have, 0, sizeof(lab.have));
	lab.isn[0] += 2000000;
	lab.isn[1] += 3000000;
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 2, TG_TEST_FRAUD);
	send(0, 0, text, n);
	assert_line(1, 2, TG_ACTION_REJECT, TG_REASON_FRAUD);
	assert_true(far_end_reads(0, "Max-Forwards:  0\r\n"));
	/* RST, and the ports are used again. */
	tcp_lab_send(&lab, &(struct tcp_segment){ .dir = 1, .flags = TCP_RST });
	lab.isn[0] -= 77;
	memset(lab.got, 0, sizeof(lab.got));
	memset(lab.have, 0, sizeof(lab.have));
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 3, TG_TEST_FRAUD);
	send(0, 0, text, n);
	assert_line(2, 3, TG_ACTION_REJECT, TG_REASON_FRAUD);
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

/* More connections than there are places: those that nobody answers make room. */
TG_TEST(OP_9_forged_connections_make_room, TG_NEEDS_NOTHING)
{
	char text[2048];
	uint32_t n, half;
	unsigned i;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	half = n / 2;
	send(0, 0, text, half);
	for (i = 1; i < 2000; i++) {
		lab.port[0] = (uint16_t)(49152 + i);
		tcp_lab_send(&lab, &(struct tcp_segment){
					   .flags = TCP_SYN, .syn = true, .no_ack = true });
		tcp_lab_send(&lab, &(struct tcp_segment){ .off = 10, .bytes = text, .len = 100 });
		lab.now_ms += 1;
	}
	lab.port[0] = 49152;
	send(0, half, text + half, n - half);
	assert_int_equal(lab.n_lines, 1);
	teardown();
}

/* ---- any boundaries, any order, any repetitions ------------------------------------------------ */

#define STREAM_CALLS 12

static uint32_t random_stream(char *text, size_t size, uint64_t *seed)
{
	static const char *const from[] = { TG_TEST_CLEAN, TG_TEST_FRAUD, TG_TEST_SPAM,
					    TG_TEST_ALLOWED, TG_TEST_SCAM_BY_PREFIX };
	static const char *const between[] = {
		"",
		"\r\n",
		"\r\n\r\n",
		"\n",
		"BYE sip:b SIP/2.0\r\nl: 3\r\n\r\nxyz",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP b\r\nContent-Length: 4\r\n\r\n\r\n\r\n",
		"OPTIONS sip:b SIP/2.0\r\nContent-Length: 0\r\n\r\n",
	};
	uint32_t n = 0;
	unsigned i;

	for (i = 1; i <= STREAM_CALLS; i++) {
		n += (uint32_t)snprintf(text + n, size - n, "%s",
					between[tg_test_random(seed) % TG_ARRAY_LEN(between)]);
		n += invite(text + n, size - n, i, from[tg_test_random(seed) % TG_ARRAY_LEN(from)]);
	}
	return n;
}

struct cuts {
	uint32_t at[2048];
	unsigned n;
};

static void random_cuts(struct cuts *c, uint32_t len, uint32_t longest, uint64_t *seed)
{
	uint32_t at = 0;

	c->n = 0;
	while (at < len && c->n + 1 < TG_ARRAY_LEN(c->at)) {
		c->at[c->n++] = at;
		at += 1 + (uint32_t)(tg_test_random(seed) % longest);
	}
	c->at[c->n] = len;
}

static void send_piece(const struct cuts *c, const char *text, unsigned i)
{
	tcp_lab_queue(&lab, &(struct tcp_segment){ .off = c->at[i],
						   .bytes = text + c->at[i],
						   .len = c->at[i + 1] - c->at[i] });
}

/* Neighbours change places, some come twice, some of them much later and in other pieces. */
static void send_shuffled(const struct cuts *c, const char *text, uint32_t len, uint64_t *seed)
{
	unsigned i;

	for (i = 0; i < c->n; i++) {
		const uint64_t dice = tg_test_random(seed);

		if ((dice & 7) == 0 && i + 1 < c->n) {
			send_piece(c, text, i + 1);
			send_piece(c, text, i);
			i++;
		} else {
			send_piece(c, text, i);
		}
		if ((dice >> 8 & 7) == 0)
			send_piece(c, text, i);
		if ((dice >> 16 & 7) == 0 && i > 3) {
			const uint32_t from = c->at[i - 3] + 1;

			tcp_lab_queue(&lab, &(struct tcp_segment){
						    .off = from,
						    .bytes = text + from,
						    .len = len - from < 200 ? len - from : 200 });
		}
	}
	if (lab.n > 0)
		tcp_lab_run(&lab);
}

static void assert_same_lines(const struct tcp_line *want, unsigned n, bool late)
{
	unsigned i;

	assert_int_equal(lab.n_lines, n);
	for (i = 0; i < n; i++) {
		assert_int_equal(lab.line[i].call, want[i].call);
		assert_int_equal(lab.line[i].action, want[i].action);
		assert_int_equal(lab.line[i].reason, want[i].reason);
		if (!late || lab.line[i].counted != TG_REASON_TCP_TOO_LATE)
			assert_int_equal(lab.line[i].counted, want[i].counted);
	}
}

/*
 * The same verdicts as of the uncut stream, and, where all of a message is in one burst, the same
 * bytes at the far end. In bursts of one the verdicts stay, and a call that came too late shows.
 */
TG_TEST(SIPT_3_any_boundaries_any_order_same_verdicts, TG_NEEDS_NOTHING)
{
	static struct tcp_line want[STREAM_CALLS];
	static uint8_t read[32768];
	static char text[32768];
	static struct cuts cuts;
	uint64_t seed = 20260704;
	uint32_t len, at;
	unsigned round, n, i;

	for (round = 0; round < 60; round++) {
		setup();
		tcp_lab_connect(&lab);
		len = random_stream(text, sizeof(text), &seed);
		for (at = 0; at < len; at += 8000)
			tcp_lab_queue(&lab, &(struct tcp_segment){ .off = at,
								   .bytes = text + at,
								   .len = len - at < 8000 ? len - at
											  : 8000 });
		tcp_lab_run(&lab);
		n = lab.n_lines;
		assert_int_equal(n, STREAM_CALLS);
		memcpy(want, lab.line, n * sizeof(want[0]));
		memcpy(read, lab.out[0], len);
		teardown();

		/* As many pieces as a burst has frames: nothing has gone out when it is judged. */
		setup();
		tcp_lab_connect(&lab);
		random_cuts(&cuts, len, len / 8, &seed);
		if (cuts.n <= TG_BURST) {
			for (i = 0; i < cuts.n; i++)
				send_piece(&cuts, text,
					   (i * (cuts.n % 7 ? 7 : 5) + round) % cuts.n);
			if (lab.n > 0)
				tcp_lab_run(&lab);
			assert_int_equal(lab.have[0], len);
			assert_same_lines(want, n, false);
			assert_memory_equal(lab.out[0], read, len);
		}
		teardown();

		setup();
		tcp_lab_connect(&lab);
		random_cuts(&cuts, len, 4 + 40 * (round % 30), &seed);
		send_shuffled(&cuts, text, len, &seed);
		if (lab.have[0] == len)
			assert_same_lines(want, n, true);
		for (i = 0; i < lab.n_lines; i++)
			if (lab.line[i].counted != want[i].counted)
				assert_int_equal(lab.line[i].counted, TG_REASON_TCP_TOO_LATE);
		assert_int_equal(lab.reason[TG_REASON_TCP_OVERLAP], 0);
		teardown();
	}
}
