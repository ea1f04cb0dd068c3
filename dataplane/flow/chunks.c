/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/chunks_state.h"

/* ---- memory ------------------------------------------------------------------------------------ */

#define SETS_MAX UINT16_MAX /* tg_chunks_result.set */
#define FRAMES_MAX (1u << 20)

static size_t lines(size_t bytes)
{
	return (bytes + TG_CACHE_LINE - 1) / TG_CACHE_LINE * TG_CACHE_LINE;
}

size_t tg_chunks_size(const struct tg_chunks_config *config)
{
	const size_t sets = config->sets, frames = config->frames;

	if (sets == 0 || sets > SETS_MAX || frames == 0 || frames > FRAMES_MAX)
		return 0;
	return sizeof(struct tg_chunks) + lines(sets * sizeof(uint64_t)) +
	       lines(frames * sizeof(struct tg_chunks_line)) +
	       lines(frames * sizeof(struct tg_chunks_frame)) +
	       lines((frames + TG_BURST) * sizeof(void *)) +
	       sets * (sizeof(struct tg_chunks_set) + sizeof(struct tg_chunks_body));
}

/* The bodies, nearly all of it, are not touched: pages that no message needs stay unused. */
struct tg_chunks *tg_chunks_init(void *block, const struct tg_chunks_config *config)
{
	const size_t sets = config->sets, frames = config->frames;
	struct tg_chunks *c = block;
	uint8_t *at = block;
	uint32_t i;

	*c = (struct tg_chunks){ .n_sets = config->sets, .n_frames = config->frames };
	c->next_ms = UINT64_MAX;
	c->burst = 1; /* a set that was never pinned says 0 */
	at += sizeof(*c);
	c->flow = (uint64_t *)at;
	at += lines(sets * sizeof(uint64_t));
	c->line = (struct tg_chunks_line *)at;
	at += lines(frames * sizeof(struct tg_chunks_line));
	c->frame = (struct tg_chunks_frame *)at;
	at += lines(frames * sizeof(struct tg_chunks_frame));
	c->out = (void **)at;
	at += lines((frames + TG_BURST) * sizeof(void *));
	c->set = (struct tg_chunks_set *)at;
	at += sets * sizeof(struct tg_chunks_set);
	c->body = (struct tg_chunks_body *)at;
	memset(c->flow, 0, sets * sizeof(c->flow[0]));
	memset(c->set, 0, sets * sizeof(c->set[0]));
	for (i = 0; i < config->frames; i++)
		c->frame[i].next = i + 1 < config->frames ? i + 1 : TG_CHUNKS_NONE;
	return c;
}

void tg_chunks_begin(struct tg_chunks *c, uint64_t now_ms)
{
	c->now_ms = now_ms;
	c->burst++;
	c->number++;
	c->n_out = 0;
}

/* ---- choosing a set ---------------------------------------------------------------------------- */

/* a - b in serial number arithmetic (RFC 9260 §1.6). */
static int32_t diff(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static bool is_alive(const struct tg_chunks *c, uint32_t i)
{
	return c->set[i].state != TG_CHUNKS_FREE && c->now_ms < c->set[i].expiry_ms;
}

static bool is_collecting(const struct tg_chunks *c, uint32_t i)
{
	return c->set[i].state == TG_CHUNKS_COLLECTING && c->now_ms < c->set[i].expiry_ms;
}

/* What is given away first is the lowest: nothing, a memory, what nobody waits for; and the oldest of each. */
static uint64_t worth(const struct tg_chunks *c, uint32_t i)
{
	uint64_t rank = 3;

	if (!is_alive(c, i))
		rank = 0;
	else if (!is_collecting(c, i))
		rank = 1;
	else if (!c->set[i].holding)
		rank = 2;
	return rank << 62 | c->set[i].born;
}

static uint32_t count_collecting(const struct tg_chunks *c, uint64_t flow)
{
	uint32_t n = 0, i;

	for (i = 0; i < c->n_sets; i++)
		n += c->flow[i] == flow && is_collecting(c, i);
	return n;
}

static void free_set(struct tg_chunks *c, uint32_t i)
{
	tg_chunks_stop(c, i);
	c->flow[i] = 0;
	c->set[i].state = TG_CHUNKS_FREE;
}

/* A flow that has its share gives up its own oldest message. NONE: results of this burst point into all. */
static uint32_t make_set(struct tg_chunks *c, const struct tg_chunks_piece *p, uint32_t index)
{
	const bool own = count_collecting(c, p->flow) >= tg_chunks_share(c->n_sets);
	uint64_t least_worth = UINT64_MAX;
	uint32_t least = TG_CHUNKS_NONE, i;

	for (i = 0; i < c->n_sets; i++) {
		const uint64_t w = worth(c, i);

		if (w >= least_worth || c->set[i].pinned == c->burst ||
		    (own && !(c->flow[i] == p->flow && is_collecting(c, i))))
			continue;
		least = i;
		least_worth = w;
	}
	if (least == TG_CHUNKS_NONE)
		return least;
	free_set(c, least);
	c->flow[least] = p->flow;
	c->set[least] = (struct tg_chunks_set){
		.expiry_ms = c->now_ms + TG_CHUNKS_LIFE_MS,
		.born = c->born++,
		.message = p->message,
		.lo = index,
		.hi = index,
		.stream = p->stream,
		.state = TG_CHUNKS_COLLECTING,
		.unordered = p->unordered,
		.interleaved = p->interleaved,
	};
	return least;
}

/* ---- which message a piece belongs to ---------------------------------------------------------- */

/* A piece's place among its message's: pieces of DATA have consecutive TSNs (RFC 9260 §6.9). */
static uint32_t index_of(const struct tg_chunks_piece *p)
{
	return p->interleaved ? p->fsn : p->tsn;
}

static bool is_inside(const struct tg_chunks_set *s, uint32_t index)
{
	return index - s->lo <= s->hi - s->lo;
}

/* RFC 8260 §2.1: MIDs of unordered messages are counted apart. RFC 9260 §3.3.1: unordered DATA has no SSN. */
static bool is_named(const struct tg_chunks_set *s, const struct tg_chunks_piece *p)
{
	return s->stream == p->stream && s->unordered == p->unordered &&
	       (s->message == p->message || (s->unordered && !s->interleaved));
}

static bool has_index(const struct tg_chunks *c, uint32_t i, uint32_t index)
{
	unsigned k;

	for (k = 0; k < c->set[i].n; k++)
		if (c->body[i].index[k] == index)
			return true;
	return false;
}

enum match {
	MATCH_NONE,
	MATCH_BELOW, /* right before what is there */
	MATCH_ABOVE, /* right behind it */
	MATCH_NAME,
};

/* Messages that only TSNs tell apart: a piece belongs to what it touches, unless one ends or begins there. */
static enum match match_run(const struct tg_chunks_set *s, const struct tg_chunks_piece *p)
{
	if (is_inside(s, p->tsn))
		return MATCH_NAME;
	if (p->tsn == s->hi + 1 && !s->end && !p->begin)
		return MATCH_ABOVE;
	if (p->tsn == s->lo - 1 && !s->begin && !p->end)
		return MATCH_BELOW;
	return MATCH_NONE;
}

/*
 * An SSN comes again after 65,536 messages, and so as many TSNs: what is near is the same message. A TSN that is
 * known under another name is a contradiction, and so belongs here as well.
 */
static enum match match(const struct tg_chunks *c, uint32_t i, const struct tg_chunks_piece *p)
{
	const struct tg_chunks_set *s = &c->set[i];
	const uint32_t far = TG_CHUNKS_PIECES - 1;
	const bool named = is_named(s, p);

	if (s->interleaved != p->interleaved)
		return MATCH_NONE;
	if (s->interleaved)
		return named ? MATCH_NAME : MATCH_NONE;
	if (named && s->unordered)
		return match_run(s, p);
	if (named && p->tsn - (s->lo - far) <= s->hi - s->lo + 2 * far)
		return MATCH_NAME;
	return is_inside(s, p->tsn) && has_index(c, i, p->tsn) ? MATCH_NAME : MATCH_NONE;
}

static uint32_t find_set(const struct tg_chunks *c, const struct tg_chunks_piece *p)
{
	enum match best = MATCH_NONE;
	uint32_t found = TG_CHUNKS_NONE, i;

	for (i = 0; i < c->n_sets; i++) {
		enum match m;

		if (c->flow[i] != p->flow || !is_alive(c, i))
			continue;
		m = match(c, i, p);
		if (m > best) {
			best = m;
			found = i;
		}
	}
	return found;
}

/* ---- pieces ------------------------------------------------------------------------------------ */

enum fit {
	FIT_NEW,
	FIT_REPEATED,
	FIT_CONFLICT,
	FIT_FULL,
};

static bool is_same(const struct tg_chunks *c, uint32_t i, unsigned k,
		    const struct tg_chunks_piece *p)
{
	const struct tg_chunks_set *s = &c->set[i];
	const struct tg_chunks_body *b = &c->body[i];

	return is_named(s, p) && b->part[k].tsn == p->tsn && b->index[k] == index_of(p) &&
	       p->begin == (s->begin && k == 0) && p->end == (s->end && k == s->n - 1u) &&
	       (!p->begin || s->ppid == p->ppid) && b->part[k].len == p->bytes.len &&
	       memcmp(b->bytes + b->part[k].off, p->bytes.data, p->bytes.len) == 0;
}

static bool is_order_wrong(const struct tg_chunks_set *s, const struct tg_chunks_piece *p)
{
	const int32_t from_lo = diff(index_of(p), s->lo), from_hi = diff(index_of(p), s->hi);

	if (s->n == 0)
		return false;
	return (s->begin && (p->begin || from_lo < 0)) || (p->begin && from_lo > 0) ||
	       (s->end && (p->end || from_hi > 0)) || (p->end && from_hi < 0);
}

static enum fit fit_piece(const struct tg_chunks *c, uint32_t i, const struct tg_chunks_piece *p)
{
	const struct tg_chunks_set *s = &c->set[i];
	const struct tg_chunks_body *b = &c->body[i];
	const uint32_t index = index_of(p);
	unsigned k;

	/* RFC 8260 §2.1: the first piece's FSN is 0, though it is not written down. */
	if (p->interleaved && p->begin != (index == 0))
		return FIT_CONFLICT;
	for (k = 0; k < s->n; k++)
		if (b->index[k] == index || b->part[k].tsn == p->tsn)
			return is_same(c, i, k, p) ? FIT_REPEATED : FIT_CONFLICT;
	if (p->interleaved && index >= TG_CHUNKS_PIECES)
		return FIT_FULL;
	if (is_order_wrong(s, p))
		return FIT_CONFLICT;
	if (s->len + p->bytes.len > TG_CHUNKS_MESSAGE_MAX ||
	    diff(index, s->lo) >= TG_CHUNKS_PIECES || diff(s->hi, index) >= TG_CHUNKS_PIECES)
		return FIT_FULL;
	return FIT_NEW;
}

/* A piece was seen, kept or not. */
static void note(struct tg_chunks_set *s, const struct tg_chunks_piece *p)
{
	const uint32_t index = index_of(p);

	if (diff(index, s->lo) < 0)
		s->lo = index;
	if (diff(index, s->hi) > 0)
		s->hi = index;
	s->begin |= p->begin;
	s->end |= p->end;
	if (p->begin)
		s->ppid = p->ppid;
}

/* Room for n pieces, and their bytes, before the k-th. Where the bytes begin. */
static uint16_t open_gap(struct tg_chunks *c, uint32_t i, unsigned k, unsigned n, uint16_t len)
{
	struct tg_chunks_set *s = &c->set[i];
	struct tg_chunks_body *b = &c->body[i];
	const unsigned behind = s->n - k;
	const uint16_t off = k < s->n ? b->part[k].off : s->len;
	unsigned j;

	memmove(b->part + k + n, b->part + k, behind * sizeof(b->part[0]));
	memmove(b->frame + k + n, b->frame + k, behind * sizeof(b->frame[0]));
	memmove(b->index + k + n, b->index + k, behind * sizeof(b->index[0]));
	memmove(b->bytes + off + len, b->bytes + off, (size_t)(s->len - off));
	s->n = (uint16_t)(s->n + n);
	s->len = (uint16_t)(s->len + len);
	for (j = k + n; j < s->n; j++)
		b->part[j].off = (uint16_t)(b->part[j].off + len);
	return off;
}

static void insert(struct tg_chunks *c, uint32_t i, const struct tg_chunks_piece *p)
{
	struct tg_chunks_body *b = &c->body[i];
	const uint16_t len = (uint16_t)p->bytes.len;
	unsigned k = 0;
	uint16_t off;

	while (k < c->set[i].n && diff(b->index[k], index_of(p)) < 0)
		k++;
	off = open_gap(c, i, k, 1, len);
	memcpy(b->bytes + off, p->bytes.data, len);
	b->part[k] = (struct tg_chunks_part){ .tsn = p->tsn, .off = off, .len = len };
	b->frame[k] = c->number;
	b->index[k] = index_of(p);
	note(&c->set[i], p);
}

/* ---- what becomes of a message ----------------------------------------------------------------- */

static void pass_from_now_on(struct tg_chunks *c, uint32_t i, enum tg_reason reason)
{
	tg_chunks_stop(c, i);
	c->set[i].state = TG_CHUNKS_PASSING;
	c->set[i].reason = (uint8_t)reason;
}

/* The run of unordered pieces that begins where this one ends; n_sets: there is none. */
static uint32_t run_above(const struct tg_chunks *c, uint32_t i)
{
	const struct tg_chunks_set *const s = &c->set[i];
	uint32_t j;

	for (j = 0; j < c->n_sets; j++) {
		const struct tg_chunks_set *const upper = &c->set[j];

		if (j != i && c->flow[j] == c->flow[i] && is_collecting(c, j) && upper->unordered &&
		    !upper->interleaved && upper->stream == s->stream && !upper->begin &&
		    upper->lo == s->hi + 1)
			break;
	}
	return j;
}

/*
 * Unordered: the piece that was missing between two runs makes one of them. The upper one has no beginning, so
 * no result points into it. False: together they are too much.
 */
static bool join(struct tg_chunks *c, uint32_t i)
{
	const struct tg_chunks_set *s = &c->set[i];
	const struct tg_chunks_body *from;
	struct tg_chunks_body *b = &c->body[i];
	struct tg_chunks_set *upper;
	uint32_t j;
	uint16_t off;
	unsigned k, n = s->n;

	if (!s->unordered || s->interleaved || s->end)
		return true;
	j = run_above(c, i);
	if (j == c->n_sets)
		return true;
	upper = &c->set[j];
	if (n + upper->n > TG_CHUNKS_PIECES || s->len + upper->len > TG_CHUNKS_MESSAGE_MAX) {
		free_set(c, j);
		return false;
	}
	from = &c->body[j];
	off = open_gap(c, i, n, upper->n, upper->len);
	memcpy(b->bytes + off, from->bytes, upper->len);
	for (k = 0; k < upper->n; k++) {
		b->part[n + k] = from->part[k];
		b->part[n + k].off = (uint16_t)(off + from->part[k].off);
		b->frame[n + k] = from->frame[k];
		b->index[n + k] = from->index[k];
	}
	c->set[i].hi = upper->hi;
	c->set[i].end = upper->end;
	free_set(c, j);
	return true;
}

static bool is_whole(const struct tg_chunks_set *s)
{
	return s->begin && s->end && s->hi - s->lo + 1 == s->n;
}

static void complete(struct tg_chunks *c, uint32_t i, struct tg_chunks_result *r)
{
	const uint64_t here = tg_chunks_first_here(c, c->flow[i]);
	struct tg_chunks_body *b = &c->body[i];
	unsigned k;

	tg_chunks_stop(c, i);
	c->set[i].state = TG_CHUNKS_COMPLETE;
	for (k = 0; k < c->set[i].n; k++)
		b->part[k].gone = b->frame[k] < here;
	r->outcome = TG_CHUNKS_WHOLE;
	r->reason = TG_REASON_NONE;
	r->bytes = (struct tg_span){ b->bytes, c->set[i].len };
	r->ppid = c->set[i].ppid;
	r->part = b->part;
	r->n_parts = c->set[i].n;
}

/* What is there from the beginning on: it only grows, and pieces are inserted behind it. */
static void show_beginning(struct tg_chunks *c, uint32_t i, struct tg_chunks_result *r)
{
	const struct tg_chunks_set *s = &c->set[i];
	const struct tg_chunks_body *b = &c->body[i];
	unsigned k = 1;

	r->outcome = TG_CHUNKS_PART;
	r->reason = TG_REASON_NONE;
	if (!s->begin)
		return;
	while (k < s->n && b->index[k] == b->index[k - 1] + 1)
		k++;
	r->bytes = (struct tg_span){ b->bytes, b->part[k - 1].off + (uint32_t)b->part[k - 1].len };
	r->ppid = s->ppid;
	tg_chunks_hold(c, i);
}

static void add_to_set(struct tg_chunks *c, uint32_t i, const struct tg_chunks_piece *p,
		       struct tg_chunks_result *r)
{
	struct tg_chunks_set *s = &c->set[i];
	const enum fit fit = fit_piece(c, i, p);

	if (s->state == TG_CHUNKS_COMPLETE) {
		if (fit != FIT_REPEATED)
			r->reason = TG_REASON_SCTP_UNASSEMBLED;
		return;
	}
	if (fit == FIT_NEW)
		insert(c, i, p);
	else if (fit != FIT_REPEATED)
		note(s, p);
	if (fit == FIT_CONFLICT)
		pass_from_now_on(c, i, TG_REASON_SCTP_UNASSEMBLED);
	else if (fit == FIT_FULL || !join(c, i))
		pass_from_now_on(c, i, TG_REASON_SCTP_FULL);
	if (s->state == TG_CHUNKS_PASSING)
		r->reason = (enum tg_reason)s->reason;
	else if (is_whole(s))
		complete(c, i, r);
	else
		show_beginning(c, i, r);
}

void tg_chunks_add(struct tg_chunks *c, const struct tg_chunks_piece *piece,
		   struct tg_chunks_result *r)
{
	struct tg_chunks_piece p = *piece;
	uint32_t i;

	*r = (struct tg_chunks_result){ .outcome = TG_CHUNKS_PASS, .reason = TG_REASON_SCTP_PART };
	if (p.flow == 0)
		p.flow = 1; /* 0 names no set */
	if (p.bytes.len == 0 || (p.begin && p.end)) {
		r->reason = TG_REASON_SCTP_UNASSEMBLED;
		return;
	}
	i = find_set(c, &p);
	if (i == TG_CHUNKS_NONE)
		i = make_set(c, &p, index_of(&p));
	if (i == TG_CHUNKS_NONE) {
		r->reason = TG_REASON_SCTP_FULL;
		return;
	}
	r->set = (uint16_t)i;
	c->set[i].pinned = c->burst;
	if (c->set[i].state == TG_CHUNKS_PASSING) {
		note(&c->set[i], &p);
		r->reason = (enum tg_reason)c->set[i].reason;
		return;
	}
	add_to_set(c, i, &p, r);
}

void tg_chunks_let_go(struct tg_chunks *c, uint16_t set)
{
	if (set < c->n_sets && c->set[set].state == TG_CHUNKS_COLLECTING)
		pass_from_now_on(c, set, TG_REASON_SCTP_PART);
}
