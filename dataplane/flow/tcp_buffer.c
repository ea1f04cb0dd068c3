/* SPDX-License-Identifier: BSD-3-Clause */
/* A stream's bytes while a message is in pieces, or while bytes are ahead of a hole. */
#include <string.h>

#include "dataplane/flow/tcp_state.h"

static uint16_t acquire(struct tg_tcp *t)
{
	const uint16_t i = t->free_buffer;
	struct tg_tcp_buffer *b;

	if (i == TG_TCP_NONE)
		return i;
	b = &t->buffer[i];
	t->free_buffer = b->link;
	b->len = 0;
	b->n_ranges = 0;
	b->pinned = t->burst - 1;
	return i;
}

static void release(struct tg_tcp *t, uint16_t *index)
{
	struct tg_tcp_buffer *b;

	if (*index == TG_TCP_NONE)
		return;
	b = &t->buffer[*index];
	if (b->pinned == t->burst) {
		b->link = t->retired;
		t->retired = *index;
	} else {
		b->link = t->free_buffer;
		t->free_buffer = *index;
	}
	*index = TG_TCP_NONE;
}

struct tg_tcp_buffer *tg_tcp_buffer(struct tg_tcp *t, struct tg_tcp_stream *s)
{
	if (s->buffer == TG_TCP_NONE)
		s->buffer = acquire(t);
	return s->buffer == TG_TCP_NONE ? NULL : &t->buffer[s->buffer];
}

void tg_tcp_buffer_drop(struct tg_tcp *t, struct tg_tcp_stream *s)
{
	release(t, &s->buffer);
}

void tg_tcp_head_drop(struct tg_tcp *t, struct tg_tcp_stream *s)
{
	release(t, &s->head);
}

bool tg_tcp_head_keep(struct tg_tcp *t, struct tg_tcp_stream *s, struct tg_span head)
{
	struct tg_tcp_buffer *b;

	s->head = acquire(t);
	if (s->head == TG_TCP_NONE)
		return false;
	b = &t->buffer[s->head];
	b->len = head.len;
	memcpy(b->bytes, head.data, head.len);
	return true;
}

void tg_tcp_buffer_free_retired(struct tg_tcp *t)
{
	while (t->retired != TG_TCP_NONE) {
		const uint16_t i = t->retired;

		t->retired = t->buffer[i].link;
		t->buffer[i].link = t->free_buffer;
		t->free_buffer = i;
	}
}

/* The parts of [from, to) that lie between what is there are copied, the others compared. */
static void merge_bytes(struct tg_tcp_buffer *b, uint32_t from, uint32_t to, const uint8_t *bytes,
			bool *differs)
{
	const uint32_t start = from;
	struct tg_tcp_range have = { 0, b->len };
	unsigned i;

	for (i = 0;; i++) {
		if (from < have.from) {
			const uint32_t end = to < have.from ? to : have.from;

			memcpy(b->bytes + from, bytes + (from - start), end - from);
			from = end;
		}
		if (from >= to)
			return;
		if (from < have.to) {
			const uint32_t end = to < have.to ? to : have.to;

			*differs |= memcmp(b->bytes + from, bytes + (from - start), end - from) !=
				    0;
			from = end;
		}
		if (i == b->n_ranges)
			break;
		have = b->range[i];
	}
	if (from < to)
		memcpy(b->bytes + from, bytes + (from - start), to - from);
}

/* What is there once [from, to) has joined it. */
struct merged {
	uint32_t len;
	unsigned n;
	struct tg_tcp_range range[TG_TCP_RANGES + 1];
};

static void merge_ranges(const struct tg_tcp_buffer *b, uint32_t from, uint32_t to,
			 struct merged *m)
{
	unsigned i = 0;

	m->len = b->len;
	m->n = 0;
	while (i < b->n_ranges && b->range[i].to < from)
		m->range[m->n++] = b->range[i++];
	for (; i < b->n_ranges && b->range[i].from <= to; i++) {
		from = from < b->range[i].from ? from : b->range[i].from;
		to = to > b->range[i].to ? to : b->range[i].to;
	}
	m->range[m->n++] = (struct tg_tcp_range){ from, to };
	while (i < b->n_ranges)
		m->range[m->n++] = b->range[i++];
	/* Ranges are apart, so only the first can touch what is in order. */
	if (m->range[0].from <= m->len) {
		m->len = m->range[0].to > m->len ? m->range[0].to : m->len;
		memmove(m->range, m->range + 1, --m->n * sizeof(m->range[0]));
	}
}

uint32_t tg_tcp_buffer_put(struct tg_tcp_buffer *b, uint32_t at, struct tg_span bytes,
			   bool *differs)
{
	const uint32_t room = at < TG_TCP_WINDOW ? TG_TCP_WINDOW - at : 0;
	const uint32_t n = bytes.len < room ? bytes.len : room;
	struct merged m;

	if (n == 0)
		return 0;
	merge_ranges(b, at, at + n, &m);
	if (m.n > TG_TCP_RANGES)
		return 0;
	merge_bytes(b, at, at + n, bytes.data, differs);
	b->len = m.len;
	b->n_ranges = (uint16_t)m.n;
	memcpy(b->range, m.range, m.n * sizeof(m.range[0]));
	return n;
}

static uint32_t buffer_end(const struct tg_tcp_buffer *b)
{
	return b->n_ranges ? b->range[b->n_ranges - 1].to : b->len;
}

struct tg_tcp_buffer *tg_tcp_buffer_shift(struct tg_tcp *t, struct tg_tcp_stream *s, uint32_t n)
{
	struct tg_tcp_buffer *from = &t->buffer[s->buffer], *to = from;
	unsigned i;

	if (from->pinned == t->burst) {
		tg_tcp_buffer_drop(t, s);
		to = tg_tcp_buffer(t, s);
		if (!to)
			return NULL;
	}
	memmove(to->bytes, from->bytes + n, buffer_end(from) - n);
	for (i = 0; i < from->n_ranges; i++)
		to->range[i] = (struct tg_tcp_range){ from->range[i].from - n,
						      from->range[i].to - n };
	to->n_ranges = from->n_ranges;
	to->hole_ms = from->hole_ms;
	to->len = from->len - n;
	return to;
}
