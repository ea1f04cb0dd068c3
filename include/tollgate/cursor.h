/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one bounds-checked reader of hostile bytes. A read past the end sets `failed` and yields
 * zeros from then on, so that a parser reads straight down and tests once. No parser above the
 * frame walk does pointer arithmetic of its own on binary protocols.
 */
#ifndef TG_CURSOR_H
#define TG_CURSOR_H

#include "tollgate/base.h"
#include "tollgate/load.h"

struct tg_cursor {
	const uint8_t *pos;
	const uint8_t *end;
	bool failed;
};

static inline struct tg_cursor tg_cursor_init(struct tg_span s)
{
	return (struct tg_cursor){ .pos = s.data, .end = s.data + s.len, .failed = false };
}

static inline size_t tg_cursor_left(const struct tg_cursor *c)
{
	return (size_t)(c->end - c->pos);
}

/* The next n bytes as a span, or {NULL, 0} with the error set. */
static inline struct tg_span tg_cursor_take(struct tg_cursor *c, uint32_t n)
{
	struct tg_span s = { NULL, 0 };

	if (c->failed || tg_cursor_left(c) < n) {
		c->failed = true;
		return s;
	}
	s.data = c->pos;
	s.len = n;
	c->pos += n;
	return s;
}

static inline void tg_cursor_skip(struct tg_cursor *c, uint32_t n)
{
	(void)tg_cursor_take(c, n);
}

static inline uint8_t tg_cursor_u8(struct tg_cursor *c)
{
	const struct tg_span s = tg_cursor_take(c, 1);

	return s.data ? s.data[0] : 0;
}

static inline uint16_t tg_cursor_be16(struct tg_cursor *c)
{
	const struct tg_span s = tg_cursor_take(c, 2);

	return s.data ? tg_load_be16(s.data) : 0;
}

static inline uint32_t tg_cursor_be32(struct tg_cursor *c)
{
	const struct tg_span s = tg_cursor_take(c, 4);

	return s.data ? tg_load_be32(s.data) : 0;
}

#endif
