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
