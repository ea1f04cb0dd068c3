/* SPDX-License-Identifier: BSD-3-Clause */
/* User messages in pieces, handed to tg_chunks frame by frame. */
#ifndef TG_TESTS_CHUNKS_H
#define TG_TESTS_CHUNKS_H

#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/chunks.h"
#include "tests/support/tg_test.h"

#define CHUNKS_SETS 16
#define CHUNKS_FRAMES 64

struct fixture {
	struct tg_chunks *c;
	uint64_t now;
	uintptr_t next; /* frames are numbered from 1 */
};

static inline void setup_sized(struct fixture *f, uint32_t sets, uint32_t frames)
{
	const struct tg_chunks_config config = { .sets = sets, .frames = frames };
	void *const block = tg_test_block(tg_chunks_size(&config));

	*f = (struct fixture){ .c = tg_chunks_init(block, &config), .now = 1000 };
	tg_chunks_begin(f->c, f->now);
}

static inline void setup(struct fixture *f)
{
	setup_sized(f, CHUNKS_SETS, CHUNKS_FRAMES);
}

static inline void teardown(struct fixture *f)
{
	free(f->c);
}

/* A new burst, some time later. */
static inline void later(struct fixture *f, uint64_t ms)
{
	f->now += ms;
	tg_chunks_begin(f->c, f->now);
}

/* "B123", "123", "123E": which bytes, and whether they begin or end the message. */
static inline void set_bytes(struct tg_chunks_piece *p, const char *text)
{
	const size_t len = strlen(text);

	p->begin = text[0] == 'B';
	p->end = len > 0 && text[len - 1] == 'E';
	p->bytes.data = (const uint8_t *)text + p->begin;
	p->bytes.len = (uint32_t)(len - p->begin - p->end);
}

static inline struct tg_chunks_result add_piece(struct fixture *f, const struct tg_chunks_piece *p)
{
	struct tg_chunks_result r;

	memset(&r, 0x5a, sizeof(r));
	tg_chunks_add(f->c, p, &r);
	return r;
}

/* Of an ordered message on stream 1, PPID 3. */
static inline struct tg_chunks_result add(struct fixture *f, uint64_t flow, uint32_t tsn,
					  uint32_t ssn, const char *text)
{
	struct tg_chunks_piece p = { .flow = flow, .tsn = tsn, .message = ssn, .stream = 1 };

	set_bytes(&p, text);
	p.ppid = p.begin ? 3 : 0;
	return add_piece(f, &p);
}

static inline struct tg_chunks_result add_unordered(struct fixture *f, uint64_t flow, uint32_t tsn,
						    const char *text)
{
	struct tg_chunks_piece p = { .flow = flow, .tsn = tsn, .stream = 1, .unordered = true };

	set_bytes(&p, text);
	p.message = tsn * 7; /* of no meaning */
	return add_piece(f, &p);
}

/* I-DATA on stream 1. */
static inline struct tg_chunks_result add_mid(struct fixture *f, uint32_t tsn, uint32_t mid,
					      uint32_t fsn, const char *text)
{
	struct tg_chunks_piece p = {
		.flow = 7, .tsn = tsn, .message = mid, .fsn = fsn, .stream = 1, .interleaved = true
	};

	set_bytes(&p, text);
	p.ppid = p.begin ? 3 : 0;
	return add_piece(f, &p);
}

/* The frame in hand: does it wait? `held` may be NULL if none is expected. */
static inline bool frame(struct fixture *f, uint64_t flow, struct tg_chunks_held *held)
{
	struct tg_chunks_held none;
	const bool waits = tg_chunks_frame(f->c, flow, (void *)++f->next, held ? held : &none);

	if (!held)
		assert_int_equal(none.n, 0);
	return waits;
}

static inline void assert_held(const struct tg_chunks_held *h, uintptr_t first, unsigned n)
{
	unsigned i;

	assert_int_equal(h->n, n);
	for (i = 0; i < n; i++)
		assert_int_equal((uintptr_t)h->handle[i], first + i);
}

/* What comes out now: frames `first` and those behind it. */
static inline void assert_released(struct fixture *f, uintptr_t first, unsigned n)
{
	void *out[256];
	unsigned i;

	assert_int_equal(tg_chunks_release(f->c, f->now, out, 256), n);
	for (i = 0; i < n; i++)
		assert_int_equal((uintptr_t)out[i], first + i);
}

static inline void assert_bytes(struct tg_span bytes, const char *text)
{
	assert_int_equal(bytes.len, strlen(text));
	assert_memory_equal(bytes.data, text, bytes.len);
}

static inline void assert_part(const struct tg_chunks_result *r, const char *beginning)
{
	assert_int_equal(r->outcome, TG_CHUNKS_PART);
	assert_int_equal(r->reason, TG_REASON_NONE);
	if (beginning)
		assert_bytes(r->bytes, beginning);
	else
		assert_null(r->bytes.data);
}

static inline void assert_whole(const struct tg_chunks_result *r, const char *text, unsigned parts)
{
	uint32_t end = 0;
	unsigned i;

	assert_int_equal(r->outcome, TG_CHUNKS_WHOLE);
	assert_int_equal(r->reason, TG_REASON_NONE);
	assert_bytes(r->bytes, text);
	assert_int_equal(r->n_parts, parts);
	for (i = 0; i < parts; i++) {
		assert_int_equal(r->part[i].off, end);
		end += r->part[i].len;
	}
	assert_int_equal(end, r->bytes.len);
}

static inline void assert_pass(const struct tg_chunks_result *r, enum tg_reason reason)
{
	assert_int_equal(r->outcome, TG_CHUNKS_PASS);
	assert_int_equal(r->reason, reason);
	assert_null(r->bytes.data);
}

#endif
