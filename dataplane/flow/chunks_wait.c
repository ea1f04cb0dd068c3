/* SPDX-License-Identifier: BSD-3-Clause */
/* The frames that wait for a message's rest, and those behind them. */
#include "dataplane/flow/chunks_state.h"

static uint32_t find_line(const struct tg_chunks *c, uint64_t flow)
{
	uint32_t i;

	for (i = 0; i < c->n_lines; i++)
		if (c->line[i].flow == flow)
			return i;
	return TG_CHUNKS_NONE;
}

static uint64_t head_number(const struct tg_chunks *c, uint32_t line)
{
	return c->frame[c->line[line].first].number;
}

uint64_t tg_chunks_first_here(const struct tg_chunks *c, uint64_t flow)
{
	const uint32_t line = find_line(c, flow);

	return line == TG_CHUNKS_NONE ? c->number : head_number(c, line);
}

/* ---- what is waited for ------------------------------------------------------------------------ */

void tg_chunks_hold(struct tg_chunks *c, uint32_t i)
{
	const uint64_t here = tg_chunks_first_here(c, c->flow[i]);
	struct tg_chunks_set *s = &c->set[i];
	unsigned k;

	if (s->over)
		return;
	c->n_holding += !s->holding;
	s->holding = true;
	c->hand = c->flow[i];
	s->first_frame = c->number;
	for (k = 0; k < s->n; k++)
		if (c->body[i].frame[k] >= here && c->body[i].frame[k] < s->first_frame)
			s->first_frame = c->body[i].frame[k];
}

void tg_chunks_stop(struct tg_chunks *c, uint32_t i)
{
	struct tg_chunks_set *s = &c->set[i];

	c->n_holding -= s->holding;
	c->loose |= s->holding;
	s->holding = false;
	s->over = true;
}

/* The first frame of the flow that something is waited for with; UINT64_MAX: none. */
static uint64_t first_needed(const struct tg_chunks *c, uint64_t flow)
{
	uint64_t first = UINT64_MAX;
	uint32_t i;

	if (c->n_holding == 0)
		return first;
	for (i = 0; i < c->n_sets; i++)
		if (c->flow[i] == flow && c->set[i].holding && c->set[i].first_frame < first)
			first = c->set[i].first_frame;
	return first;
}

/* Stops the flow's sets that need frames up to this one. */
static void stop_needing(struct tg_chunks *c, uint64_t flow, uint64_t number)
{
	uint32_t i;

	for (i = 0; i < c->n_sets; i++)
		if (c->flow[i] == flow && c->set[i].holding && c->set[i].first_frame <= number)
			tg_chunks_stop(c, i);
}

/* ---- lines ------------------------------------------------------------------------------------- */

static void due_at(struct tg_chunks *c, uint64_t ms)
{
	if (ms < c->next_ms)
		c->next_ms = ms;
}

static void *pop(struct tg_chunks *c, uint32_t line)
{
	struct tg_chunks_line *l = &c->line[line];
	const uint32_t i = l->first;
	struct tg_chunks_frame *f = &c->frame[i];

	l->first = f->next;
	l->n--;
	f->next = c->free_frame;
	c->free_frame = i;
	c->n_waiting--;
	return f->handle;
}

/* An empty one: the last takes its place, so that those there are stand together. */
static void close_line(struct tg_chunks *c, uint32_t line)
{
	c->line[line] = c->line[--c->n_lines];
}

/* TG_CHUNKS_NONE: no room for one more frame of this flow. */
static uint32_t line_with_room(struct tg_chunks *c, uint64_t flow, uint32_t line)
{
	if (c->free_frame == TG_CHUNKS_NONE || c->n_out + c->n_waiting == c->n_frames + TG_BURST)
		return TG_CHUNKS_NONE;
	if (line != TG_CHUNKS_NONE)
		return c->line[line].n < tg_chunks_share(c->n_frames) ? line : TG_CHUNKS_NONE;
	c->line[c->n_lines] = (struct tg_chunks_line){ .flow = flow, .first = TG_CHUNKS_NONE };
	return c->n_lines++;
}

static bool append(struct tg_chunks *c, uint64_t flow, uint32_t line, void *handle)
{
	const uint32_t i = c->free_frame;
	struct tg_chunks_line *l;

	line = line_with_room(c, flow, line);
	if (line == TG_CHUNKS_NONE)
		return false;
	l = &c->line[line];
	c->free_frame = c->frame[i].next;
	c->frame[i] = (struct tg_chunks_frame){ handle, c->number, c->now_ms, TG_CHUNKS_NONE };
	if (l->n++ == 0)
		l->first = i;
	else
		c->frame[l->last].next = i;
	l->last = i;
	c->n_waiting++;
	due_at(c, c->now_ms + TG_CHUNKS_HOLD_MS);
	return true;
}

static void give_all(struct tg_chunks *c, uint32_t line, struct tg_chunks_held *held)
{
	held->handle = c->out + c->n_out;
	held->n = c->line[line].n;
	while (c->line[line].n > 0)
		c->out[c->n_out++] = pop(c, line);
	close_line(c, line);
}

/*
 * No room at all: the flow that has waited longest has had most of its chance, and goes with the next release, if
 * nothing goes then anyhow.
 */
static void make_room(struct tg_chunks *c)
{
	uint32_t oldest = 0, i;

	if (c->loose || c->n_lines == 0)
		return;
	for (i = 1; i < c->n_lines; i++)
		if (head_number(c, i) < head_number(c, oldest))
			oldest = i;
	stop_needing(c, c->line[oldest].flow, UINT64_MAX);
}

bool tg_chunks_frame(struct tg_chunks *c, uint64_t flow, void *handle, struct tg_chunks_held *held)
{
	bool wanted, waits;
	uint32_t line;

	*held = (struct tg_chunks_held){ .reason = TG_REASON_NONE };
	flow = flow ? flow : 1; /* 0 names no set */
	line = find_line(c, flow);
	/* Only with frames that wait, or with this one: most flows need no look at the sets. */
	wanted = (line != TG_CHUNKS_NONE || c->hand == flow) && first_needed(c, flow) != UINT64_MAX;
	waits = wanted && append(c, flow, line, handle);
	if (wanted && !waits) {
		held->reason = TG_REASON_SCTP_FULL;
		if (line == TG_CHUNKS_NONE)
			make_room(c);
		stop_needing(c, flow, UINT64_MAX);
	}
	if (!waits && line != TG_CHUNKS_NONE)
		give_all(c, line, held);
	c->hand = 0;
	c->number++;
	return waits;
}

bool tg_chunks_idle(const struct tg_chunks *c)
{
	return c->n_waiting == 0;
}

/* ---- time -------------------------------------------------------------------------------------- */

/* Frames from the head of the line that nothing waits for, or not any longer. */
static unsigned release_line(struct tg_chunks *c, uint32_t line, uint64_t now_ms, void **handle,
			     unsigned max)
{
	const struct tg_chunks_line *l = &c->line[line];
	uint64_t needed = first_needed(c, l->flow);
	unsigned n = 0;

	while (n < max && l->n > 0) {
		const struct tg_chunks_frame *head = &c->frame[l->first];

		if (head->number < needed) {
			handle[n++] = pop(c, line);
		} else if (now_ms >= head->ms + TG_CHUNKS_HOLD_MS) {
			stop_needing(c, l->flow, head->number);
			needed = first_needed(c, l->flow);
		} else {
			due_at(c, head->ms + TG_CHUNKS_HOLD_MS);
			break;
		}
	}
	return n;
}

unsigned tg_chunks_release(struct tg_chunks *c, uint64_t now_ms, void **handle, unsigned max)
{
	unsigned n = 0;
	uint32_t i;

	if (!c->loose && now_ms < c->next_ms)
		return 0;
	c->next_ms = UINT64_MAX;
	for (i = c->n_lines; i-- > 0 && n < max;) {
		n += release_line(c, i, now_ms, handle + n, max - n);
		if (c->line[i].n == 0)
			close_line(c, i);
	}
	c->loose = n == max; /* cut short, it goes on with the next call */
	return n;
}
