/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls over one TCP connection (tcp.h) through a pipeline of its own. */
#ifndef TG_TESTS_TCP_CALLS_H
#define TG_TESTS_TCP_CALLS_H

#include <stdio.h>
#include <string.h>

#include "tests/support/generation.h"
#include "tests/support/tcp.h"
#include "tests/support/tg_test.h"

#define BODY "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"

static struct tg_test_generation g;
static struct tcp_lab lab;
static void *memory;

static inline void setup(void)
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

static inline void teardown(void)
{
	tg_test_generation_fini(&g);
	free(memory);
}

/* An INVITE with Call-ID c<call>, body BODY; Max-Forwards in the middle. */
static inline uint32_t invite(char *out, size_t size, unsigned call, const char *from)
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
static inline uint32_t too_many_hops(char *out, size_t size, unsigned call)
{
	return (uint32_t)snprintf(
		out, size,
		"SIP/2.0 483 Too Many Hops\r\n"
		"Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK%u\r\n"
		"From: <sip:x@a.example>;tag=f%u\r\nTo: <sip:y@b.example>;tag=t\r\n"
		"Call-ID: c%u\r\nCSeq: 1 INVITE\r\nl: 0\r\n\r\n",
		call, call, call);
}

static inline void send(unsigned dir, uint32_t off, const char *bytes, uint32_t len)
{
	tcp_lab_send(&lab,
		     &(struct tcp_segment){ .dir = dir, .off = off, .bytes = bytes, .len = len });
}

static inline bool far_end_reads(unsigned dir, const char *text)
{
	lab.out[dir][lab.have[dir]] = 0;
	return strstr((const char *)lab.out[dir], text) != NULL;
}

static inline void assert_line(unsigned i, unsigned call, enum tg_action action,
			       enum tg_reason counted)
{
	assert_true(i < lab.n_lines);
	assert_int_equal(lab.line[i].call, call);
	assert_int_equal(lab.line[i].action, action);
	assert_int_equal(lab.line[i].counted, counted);
}

#endif
