/* SPDX-License-Identifier: BSD-3-Clause */
/* SIP over TCP in any order: retransmissions, holes, copies that differ, more than there is room for. */
#include "tests/support/tcp_calls.h"

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

/* What was changed and is not acknowledged may be sent again, also when the thread was lost in between: or the
 * sender of a call would have it lost on purpose, say something that nobody can read, and send it again. */
TG_TEST(SIPT_3_changes_outlive_a_lost_thread, TG_NEEDS_NOTHING)
{
	char text[2048], other[2048];
	uint32_t n, m, k;

	setup();
	tcp_lab_connect(&lab);
	n = invite(text, sizeof(text), 1, TG_TEST_FRAUD);
	send(0, 0, text, n);
	assert_int_equal(lab.result[0].fate, TG_FATE_EDIT);
	send(0, n, "what is this\r\n\r\n", 16);
	assert_string_equal(tg_reason_name(lab.result[0].reason), "tcp_unsynced");
	m = n + 16;
	k = invite(other, sizeof(other), 2, TG_TEST_CLEAN);
	send(0, m, other, k);
	assert_line(1, 2, TG_ACTION_PASS, TG_REASON_UNLISTED);
	assert_int_equal(lab.result[0].fate, TG_FATE_FORWARD);
	send(0, 0, text, n);
	assert_int_equal(lab.result[0].fate, TG_FATE_EDIT);
	send(0, 0, text, n / 3);
	send(0, n / 3, text + n / 3, n - n / 3);
	assert_int_equal(lab.result[0].fate, TG_FATE_EDIT);
	/* Acknowledged: nobody sends it again. */
	tcp_lab_send(&lab, &(struct tcp_segment){ .dir = 1, .flags = TCP_ACK, .ack = m + k });
	send(0, 0, text, n);
	assert_int_equal(lab.result[0].fate, TG_FATE_FORWARD);
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
