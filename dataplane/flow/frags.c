/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/frags.h"

/*
 * The longest datagram that can be put together: what its IP header can say, less the header itself.
 * IPv6 keeps its fragment header in the copy (as an atomic one), which makes 8 bytes less.
 */
#define BYTES_MAX 65535u

enum state {
	STATE_FREE,
	STATE_COLLECTING,
	STATE_PASSING, /* let go or given up: its frames are not held, `reason` is what they count as */
};

/* What is looked at to choose a set, apart from what it holds. */
struct tg_frags_set {
	uint64_t expiry_ms; /* when the copy is dropped */
	uint64_t held_ms;   /* when the oldest frame that is held came */
	uint32_t total;	    /* bytes of the datagram; 0: its last fragment was not seen */
	uint32_t have;	    /* bytes of it that are there: ranges do not overlap */
	uint32_t highest;   /* end of the last range */
	uint32_t older;	    /* in the list by age */
	uint32_t younger;
	uint32_t drops;
	uint16_t n_ranges;
	uint16_t n_held;
	uint16_t head_len;
	uint8_t state;
	uint8_t reason;
	uint8_t ecn; /* one bit per code point seen */
	bool pinned; /* a result of this burst points into it */
} TG_ALIGNED(TG_CACHE_LINE);

struct range {
	uint16_t off;
	uint16_t len;
};

/* bytes[] keeps the head right before the datagram's first byte, so that both are one frame. */
struct tg_frags_body {
	void *held[TG_FRAGS_PIECES];
	struct range range[TG_FRAGS_PIECES];
	uint8_t bytes[TG_FRAGS_HEAD + BYTES_MAX + 1];
} TG_ALIGNED(TG_CACHE_LINE);

static_assert(sizeof(struct tg_frags_set) == TG_CACHE_LINE, "choosing touches one line a set");
static_assert(TG_BURST <= UINT8_MAX, "pins of a burst");

#define NO_SET UINT32_MAX
#define NEVER UINT64_MAX

/* ---- memory ------------------------------------------------------------------------------------ */

static size_t lines(size_t bytes)
{
	return (bytes + TG_CACHE_LINE - 1) / TG_CACHE_LINE * TG_CACHE_LINE;
}

size_t tg_frags_size(uint32_t n_sets, uint32_t n_frames)
{
	return 2 * lines(n_sets * sizeof(uint64_t)) + lines(n_sets * sizeof(uint16_t)) +
	       lines(n_frames * sizeof(struct tg_frags_freed)) +
	       n_sets * (sizeof(struct tg_frags_set) + sizeof(struct tg_frags_body));
}

/* The bodies, nearly all of it, are not touched: pages that no fragment needs stay unused. */
void tg_frags_init(struct tg_frags *f, void *block, uint32_t n_sets, uint32_t n_frames)
{
	uint8_t *at = block;

	memset(f, 0, sizeof(*f));
	f->n_sets = n_sets;
	f->n_frames = n_frames;
	f->next_ms = NEVER;
	f->oldest = NO_SET;
	f->youngest = NO_SET;
	f->key = (uint64_t *)at;
	at += lines(n_sets * sizeof(uint64_t));
	f->source = (uint64_t *)at;
	at += lines(n_sets * sizeof(uint64_t));
	f->unused = (uint16_t *)at;
	at += lines(n_sets * sizeof(uint16_t));
	f->set = (struct tg_frags_set *)at;
	at += n_sets * sizeof(struct tg_frags_set);
	f->freed = (struct tg_frags_freed *)at;
	at += lines(n_frames * sizeof(struct tg_frags_freed));
	f->body = (struct tg_frags_body *)at;
	for (f->n_unused = 0; f->n_unused < n_sets; f->n_unused++)
		f->unused[f->n_unused] = (uint16_t)f->n_unused;
	memset(f->key, 0, n_sets * sizeof(f->key[0]));
	memset(f->source, 0, n_sets * sizeof(f->source[0]));
	memset(f->set, 0, n_sets * sizeof(f->set[0]));
}

void tg_frags_begin(struct tg_frags *f)
{
	unsigned i;

	for (i = 0; i < f->n_pinned; i++) {
		f->set[f->pinned[i]].pinned = false;
		if (f->set[f->pinned[i]].state == STATE_FREE)
			f->unused[f->n_unused++] = f->pinned[i];
	}
	f->n_pinned = 0;
}

/* ---- sets by age ------------------------------------------------------------------------------- */

static void append_set(struct tg_frags *f, uint32_t i)
{
	f->set[i].older = f->youngest;
	f->set[i].younger = NO_SET;
	if (f->youngest != NO_SET)
		f->set[f->youngest].younger = i;
	else
		f->oldest = i;
	f->youngest = i;
}

static void unlink_set(struct tg_frags *f, uint32_t i)
{
	const struct tg_frags_set *s = &f->set[i];

	if (s->older != NO_SET)
		f->set[s->older].younger = s->younger;
	else
		f->oldest = s->younger;
	if (s->younger != NO_SET)
		f->set[s->younger].older = s->older;
	else
		f->youngest = s->older;
}

/* What results of this burst point into is used again after it. */
static void free_set(struct tg_frags *f, uint32_t i)
{
	unlink_set(f, i);
	f->set[i].state = STATE_FREE;
	f->key[i] = 0;
	if (!f->set[i].pinned)
		f->unused[f->n_unused++] = (uint16_t)i;
}

/* ---- giving frames back ------------------------------------------------------------------------ */

static void due_at(struct tg_frags *f, uint64_t ms)
{
	if (ms < f->next_ms)
		f->next_ms = ms;
}

/* To the ring: it has room, because n_out counts what is in it and never exceeds its size. */
static void free_held(struct tg_frags *f, uint32_t i, enum tg_reason reason)
{
	struct tg_frags_set *s = &f->set[i];
	const bool drop = s->drops >> tg_exception_of(reason) & 1;
	unsigned k;

	for (k = 0; k < s->n_held; k++) {
		const uint32_t at = (f->freed_at + f->n_freed++) % f->n_frames;

		f->freed[at] = (struct tg_frags_freed){ f->body[i].held[k], (uint8_t)reason, drop };
	}
	s->n_held = 0;
}

static void drop_set(struct tg_frags *f, uint32_t i, enum tg_reason reason)
{
	free_held(f, i, reason);
	free_set(f, i);
}

static void give_up_late(struct tg_frags *f, uint64_t now_ms)
{
	uint32_t i;

	f->next_ms = NEVER;
	for (i = 0; i < f->n_sets; i++) {
		struct tg_frags_set *s = &f->set[i];

		if (s->state == STATE_FREE)
			continue;
		if (now_ms >= s->expiry_ms) {
			drop_set(f, i, TG_REASON_FRAGMENTS_UNASSEMBLED);
			continue;
		}
		due_at(f, s->expiry_ms);
		if (s->n_held == 0)
			continue;
		if (now_ms >= s->held_ms + TG_FRAGS_HOLD_MS)
			free_held(f, i, TG_REASON_FRAGMENTS_UNASSEMBLED);
		else
			due_at(f, s->held_ms + TG_FRAGS_HOLD_MS);
	}
}

unsigned tg_frags_release(struct tg_frags *f, uint64_t now_ms, struct tg_frags_freed *out,
			  unsigned max)
{
	unsigned n = 0;

	if (now_ms >= f->next_ms)
		give_up_late(f, now_ms);
	for (; n < max && f->n_freed > 0; n++) {
		out[n] = f->freed[f->freed_at];
		f->freed_at = (f->freed_at + 1) % f->n_frames;
		f->n_freed--;
		f->n_out--;
	}
	return n;
}

/* ---- finding and making room ------------------------------------------------------------------- */

/* No early exit, so that the compiler makes vector code of it. */
static uint32_t count_sets(const struct tg_frags *f, uint64_t source)
{
	uint32_t n = 0, i;

	for (i = 0; i < f->n_sets; i++)
		n += (uint32_t)(f->source[i] == source) & (uint32_t)(f->key[i] != 0);
	return n;
}

static uint32_t count_frames(const struct tg_frags *f, uint64_t source)
{
	uint32_t n = 0, i;

	for (i = 0; i < f->n_sets; i++)
		if (f->source[i] == source)
			n += f->set[i].n_held;
	return n;
}

/* Which sets may be given up. */
struct choice {
	uint64_t source;
	bool any_source;
	bool holding; /* only one that holds a frame */
};

/* Pinned ones hold no frame, and are not given away. */
static uint32_t oldest_set(const struct tg_frags *f, const struct choice *c)
{
	uint32_t i;

	for (i = f->oldest; i != NO_SET; i = f->set[i].younger)
		if (!f->set[i].pinned && (c->any_source || f->source[i] == c->source) &&
		    (!c->holding || f->set[i].n_held > 0))
			return i;
	return NO_SET;
}

static uint32_t share(uint32_t of)
{
	return of > TG_FRAGS_SOURCE_SHARE ? of / TG_FRAGS_SOURCE_SHARE : 1;
}

/* A set for a datagram that has none; NO_SET if all are pointed into by this burst's results. */
static uint32_t make_set(struct tg_frags *f, const struct tg_frags_piece *p, uint64_t now_ms)
{
	const bool at_limit = count_sets(f, p->source) >= share(f->n_sets);
	const struct choice c = { .source = p->source, .any_source = !at_limit };
	uint32_t i;

	if (at_limit || f->n_unused == 0) {
		i = oldest_set(f, &c);
		if (i == NO_SET)
			return NO_SET;
		drop_set(f, i, TG_REASON_FRAGMENT_LIMIT);
	}
	i = f->unused[--f->n_unused];
	f->key[i] = p->key;
	f->source[i] = p->source;
	f->set[i] = (struct tg_frags_set){
		.expiry_ms = now_ms + (p->ipv6 ? TG_FRAGS_LIFE_IPV6_MS : TG_FRAGS_LIFE_IPV4_MS),
		.state = STATE_COLLECTING,
		.drops = p->drops,
	};
	append_set(f, i);
	due_at(f, f->set[i].expiry_ms);
	return i;
}

static uint32_t find_set(const struct tg_frags *f, uint64_t key)
{
	uint32_t i;

	for (i = 0; i < f->n_sets; i++)
		if (f->key[i] == key)
			return i;
	return NO_SET;
}

/* ---- pieces ------------------------------------------------------------------------------------ */

/* RFC 791 §3.2 and RFC 8200 §4.5: all but the last are multiples of 8, none is empty. */
static bool is_possible(const struct tg_frags_piece *p)
{
	return p->len > 0 && (!p->more || p->len % 8 == 0) &&
	       p->off + (uint32_t)p->len <= BYTES_MAX &&
	       (p->off > 0 || p->head.len <= TG_FRAGS_HEAD);
}

enum fit {
	FIT_NEW,
	FIT_DUPLICATE,
	FIT_CONFLICT,
};

static enum fit fit_piece(const struct tg_frags *f, uint32_t i, const struct tg_frags_piece *p)
{
	const struct tg_frags_set *s = &f->set[i];
	const struct tg_frags_body *b = &f->body[i];
	const uint32_t end = p->off + (uint32_t)p->len;
	unsigned k;

	if (s->total != 0 && (end > s->total || (!p->more && end != s->total)))
		return FIT_CONFLICT;
	if (!p->more && end < s->highest)
		return FIT_CONFLICT;
	for (k = 0; k < s->n_ranges; k++) {
		const struct range *r = &b->range[k];

		if (end <= r->off || p->off >= r->off + (uint32_t)r->len)
			continue;
		if (p->off != r->off || p->len != r->len ||
		    memcmp(b->bytes + TG_FRAGS_HEAD + p->off, p->data, p->len) != 0)
			return FIT_CONFLICT;
		return FIT_DUPLICATE;
	}
	return FIT_NEW;
}

/* The first piece brings the head; its fragment header or field is the caller's to clear. */
static void copy_piece(struct tg_frags *f, uint32_t i, const struct tg_frags_piece *p)
{
	struct tg_frags_set *s = &f->set[i];
	struct tg_frags_body *b = &f->body[i];
	const uint32_t end = p->off + (uint32_t)p->len;

	memcpy(b->bytes + TG_FRAGS_HEAD + p->off, p->data, p->len);
	if (p->off == 0) {
		s->head_len = (uint16_t)p->head.len;
		memcpy(b->bytes + TG_FRAGS_HEAD - p->head.len, p->head.data, p->head.len);
	}
	b->range[s->n_ranges++] = (struct range){ p->off, p->len };
	s->have += p->len;
	if (end > s->highest)
		s->highest = end;
	if (!p->more)
		s->total = end;
	s->ecn |= (uint8_t)(1u << (p->ecn & 3));
}

/* RFC 3168 §5.3: CE on one fragment and Not-ECT on another is no datagram. */
static bool ecn_disagrees(const struct tg_frags_set *s)
{
	return (s->ecn & 1u << 3) && (s->ecn & 1u << 0);
}

/* ---- results ----------------------------------------------------------------------------------- */

static void pin(struct tg_frags *f, uint32_t i)
{
	if (f->set[i].pinned || f->n_pinned == TG_ARRAY_LEN(f->pinned))
		return;
	f->set[i].pinned = true;
	f->pinned[f->n_pinned++] = (uint16_t)i;
}

/* The frames that were held go with this one. */
static void hand_over(struct tg_frags *f, uint32_t i, struct tg_frags_result *r)
{
	struct tg_frags_set *s = &f->set[i];

	r->held = f->body[i].held;
	r->n_held = s->n_held;
	f->n_out -= s->n_held;
	s->n_held = 0;
	pin(f, i);
}

static void pass(struct tg_frags *f, uint32_t i, enum tg_reason reason, struct tg_frags_result *r)
{
	r->outcome = TG_FRAGS_PASS;
	r->reason = reason;
	if (i == NO_SET)
		return;
	hand_over(f, i, r);
	f->set[i].state = STATE_PASSING;
	f->set[i].reason = (uint8_t)reason;
}

static void show_bytes(struct tg_frags *f, uint32_t i, uint32_t len, struct tg_frags_result *r)
{
	r->head_len = f->set[i].head_len;
	r->bytes = f->body[i].bytes + TG_FRAGS_HEAD - r->head_len;
	r->len = len;
}

/*
 * Room for one more frame? A source that has its share gives up those of its oldest datagram. Where
 * there is none at all, the oldest of anybody's go, which makes room once the caller has taken them.
 */
static bool make_room(struct tg_frags *f, uint32_t i)
{
	const struct choice own = { .source = f->source[i], .holding = true };
	const struct choice all = { .any_source = true, .holding = true };
	uint32_t oldest;

	if (f->set[i].n_held == TG_FRAGS_PIECES)
		return false;
	if (f->n_out < share(f->n_frames))
		return true;
	if (count_frames(f, own.source) >= share(f->n_frames)) {
		oldest = oldest_set(f, &own);
		if (oldest != NO_SET)
			free_held(f, oldest, TG_REASON_FRAGMENT_LIMIT);
	}
	if (f->n_out < f->n_frames)
		return true;
	oldest = oldest_set(f, &all);
	if (f->n_freed == 0 && oldest != NO_SET)
		free_held(f, oldest, TG_REASON_FRAGMENT_LIMIT);
	return false;
}

static void hold(struct tg_frags *f, uint32_t i, const struct tg_frags_piece *p, uint64_t now_ms,
		 struct tg_frags_result *r)
{
	struct tg_frags_set *s = &f->set[i];

	if (!make_room(f, i)) {
		pass(f, NO_SET, TG_REASON_FRAGMENT_LIMIT, r);
		return;
	}
	if (s->n_held == 0) {
		s->held_ms = now_ms;
		due_at(f, now_ms + TG_FRAGS_HOLD_MS);
	}
	f->body[i].held[s->n_held++] = p->handle;
	f->n_out++;
	r->outcome = TG_FRAGS_HELD;
	r->reason = TG_REASON_NONE;
	if (p->off == 0)
		show_bytes(f, i, p->len, r);
}

static void complete(struct tg_frags *f, uint32_t i, struct tg_frags_result *r)
{
	struct tg_frags_set *s = &f->set[i];

	if (s->state == STATE_PASSING)
		pass(f, i, (enum tg_reason)s->reason, r);
	else if (ecn_disagrees(s))
		pass(f, i, TG_REASON_FRAGMENT_MALFORMED, r);
	else {
		r->outcome = TG_FRAGS_WHOLE;
		r->reason = TG_REASON_NONE;
		hand_over(f, i, r);
		show_bytes(f, i, s->total, r);
	}
	free_set(f, i); /* pinned until the next burst; its name may be used again at once */
}

/* A datagram that was given up is not put together any more; one that has nothing to judge is, so that
 * fragments which disagree with what was read are seen. */
static void add_to_set(struct tg_frags *f, uint32_t i, const struct tg_frags_piece *p,
		       uint64_t now_ms, struct tg_frags_result *r)
{
	const struct tg_frags_set *s = &f->set[i];
	enum fit fit;

	if (s->state == STATE_PASSING && s->reason != TG_REASON_FRAGMENT) {
		pass(f, i, (enum tg_reason)s->reason, r);
		return;
	}
	fit = fit_piece(f, i, p);
	if (fit == FIT_CONFLICT || (fit == FIT_NEW && s->n_ranges == TG_FRAGS_PIECES)) {
		pass(f, i,
		     fit == FIT_CONFLICT ? TG_REASON_FRAGMENT_OVERLAP : TG_REASON_FRAGMENT_LIMIT,
		     r);
		return;
	}
	if (fit == FIT_NEW)
		copy_piece(f, i, p);
	if (s->total != 0 && s->have == s->total)
		complete(f, i, r);
	else if (s->state == STATE_PASSING)
		pass(f, i, TG_REASON_FRAGMENT, r);
	else
		hold(f, i, p, now_ms, r);
}

void tg_frags_add(struct tg_frags *f, const struct tg_frags_piece *piece, uint64_t now_ms,
		  struct tg_frags_result *r)
{
	struct tg_frags_piece p = *piece;
	uint32_t i;

	if (p.key == 0)
		p.key = 1; /* 0 names no set */
	*r = (struct tg_frags_result){ .drops = p.drops };
	i = find_set(f, p.key);
	if (i != NO_SET)
		r->drops = f->set[i].drops;
	if (!is_possible(&p)) {
		pass(f, i, TG_REASON_FRAGMENT_MALFORMED, r);
		return;
	}
	if (i == NO_SET)
		i = make_set(f, &p, now_ms);
	if (i == NO_SET) {
		pass(f, NO_SET, TG_REASON_FRAGMENT_LIMIT, r);
		return;
	}
	r->set = (uint16_t)i;
	add_to_set(f, i, &p, now_ms, r);
}

void tg_frags_spare(struct tg_frags *f, const struct tg_frags_result *r)
{
	f->set[r->set].drops = 0;
}

void tg_frags_let_go(struct tg_frags *f, enum tg_reason reason, struct tg_frags_result *r)
{
	f->set[r->set].n_held--; /* this frame: it was the last */
	f->n_out--;
	pass(f, r->set, reason, r);
}
