/* SPDX-License-Identifier: BSD-3-Clause */
/* From segments to a stream's bytes in order: beginnings and ends, holes, repetitions. */
#include <string.h>

#include "dataplane/flow/tcp_state.h"

/* Further away than any window that is in use: another stream than the one that was read. */
#define FAR (1 << 24)

/* Before anything changes in this burst: what of the stream has gone out. */
static void note_sent(const struct tg_tcp *t, struct tg_tcp_stream *s)
{
	const struct tg_tcp_buffer *b;

	if (s->burst == t->burst)
		return;
	s->burst = t->burst;
	s->sent = s->next;
	s->ahead_from = s->ahead_to = 0;
	if (s->buffer == TG_TCP_NONE)
		return;
	b = &t->buffer[s->buffer];
	if (b->n_ranges > 0) {
		s->ahead_from = s->next - b->len + b->range[0].from;
		s->ahead_to = s->next - b->len + b->range[b->n_ranges - 1].to;
	}
}

static void begin_stream(struct tg_tcp *t, struct tg_tcp_stream *s, uint32_t seq,
			 enum tg_tcp_stream_state state)
{
	tg_tcp_buffer_drop(t, s);
	tg_tcp_head_drop(t, s);
	tg_tcp_patch_drop(t, s);
	memset(s, 0, sizeof(*s));
	s->buffer = TG_TCP_NONE;
	s->head = TG_TCP_NONE;
	s->patch = TG_TCP_NONE;
	s->state = (uint8_t)state;
	s->next = seq;
	s->sent = seq;
	s->burst = t->burst;
}

/*
 * The same stream, read anew from `seq` on: what was changed before and is not acknowledged may be sent again
 * yet. Where it lies further away than any window, it was another stream's.
 */
static void resume_stream(struct tg_tcp *t, struct tg_tcp_stream *s, uint32_t seq)
{
	const int32_t away = tg_tcp_diff(seq, s->next);
	const bool same = away <= FAR && away >= -FAR;
	const uint16_t patch = s->patch;

	if (same)
		s->patch = TG_TCP_NONE;
	begin_stream(t, s, seq, TG_TCP_READING);
	if (same)
		s->patch = patch;
}

static bool is_unused(const struct tg_tcp_stream *s)
{
	return (s->state == TG_TCP_UNSYNCED || s->state == TG_TCP_FRESH) &&
	       s->buffer == TG_TCP_NONE;
}

static void reset_flow(struct tg_tcp *t, struct tg_tcp_flow *f)
{
	begin_stream(t, &f->stream[0], 0, TG_TCP_UNSYNCED);
	begin_stream(t, &f->stream[1], 0, TG_TCP_UNSYNCED);
	f->is_sip = false;
	f->is_answered = false;
	f->is_closed = false;
}

/*
 * RFC 9293 §3.5. A SYN for a connection that lives is believed when it is answered: anybody can send
 * one, and endpoints do not believe it either (RFC 5961 §4).
 */
static void take_syn(struct tg_tcp *t, struct tg_tcp_flow *f, const struct tg_tcp_segment *seg)
{
	struct tg_tcp_stream *s = &f->stream[seg->dir], *other = &f->stream[!seg->dir];

	if (!(seg->flags & TG_TCP_FLAG_ACK)) {
		if (!f->is_closed && (f->is_sip || !is_unused(s) || !is_unused(other))) {
			s->isn = seg->seq;
			s->syn = true;
			return;
		}
		reset_flow(t, f);
		begin_stream(t, s, seg->seq + 1, TG_TCP_FRESH);
		return;
	}
	if (f->is_closed || (other->syn && seg->ack == other->isn + 1))
		reset_flow(t, f);
	if (f->is_sip || !is_unused(s) || !is_unused(other))
		return;
	begin_stream(t, s, seg->seq + 1, TG_TCP_FRESH);
	begin_stream(t, other, seg->ack, TG_TCP_FRESH);
}

/*
 * The receiver has what we have not: it went another way. In a body that does not matter; anywhere
 * else the stream is lost.
 */
static void give_up_hole(struct tg_tcp *t, struct tg_tcp_stream *s)
{
	struct tg_tcp_buffer *b = &t->buffer[s->buffer];
	const uint32_t gap = b->range[0].from;

	if (s->state != TG_TCP_READING || b->len > 0 || s->skip < gap) {
		tg_tcp_desync(t, s);
		return;
	}
	b->len = b->range[0].to;
	s->next += b->len;
	s->skip -= gap;
	b->n_ranges--;
	memmove(b->range, b->range + 1, b->n_ranges * sizeof(b->range[0]));
	b->hole_ms = t->now_ms;
	if (!tg_tcp_buffer_shift(t, s, gap))
		tg_tcp_desync(t, s);
}

static bool has_hole(const struct tg_tcp *t, const struct tg_tcp_stream *s)
{
	return s->buffer != TG_TCP_NONE && t->buffer[s->buffer].n_ranges > 0;
}

static void take_ack(struct tg_tcp *t, struct tg_tcp_flow *f, const struct tg_tcp_segment *seg)
{
	struct tg_tcp_stream *other = &f->stream[!seg->dir];
	const int32_t behind = tg_tcp_diff(other->next, seg->ack);

	if (other->state == TG_TCP_UNSYNCED || behind > FAR || behind < -FAR)
		return;
	f->is_answered = true;
	tg_tcp_patch_acked(t, other, seg->ack);
	note_sent(t, other);
	if (behind < 0 && has_hole(t, other) &&
	    tg_tcp_diff(seg->ack, other->next - t->buffer[other->buffer].len +
					  t->buffer[other->buffer].range[0].from) >= 0)
		give_up_hole(t, other);
}

/* A segment without a flow: is it the beginning of one? TG_TCP_NONE: no, *reason says what it is. */
static uint16_t first_segment(struct tg_tcp *t, const struct tg_tcp_segment *seg, uint8_t *reason)
{
	struct tg_span s = seg->payload;
	enum tg_reason other;
	uint16_t i;

	if (seg->flags & TG_TCP_FLAG_RST)
		return TG_TCP_NONE;
	if (seg->flags & TG_TCP_FLAG_SYN)
		return tg_tcp_add(t, seg->flow);
	while (s.len > 0 && (s.data[0] == '\r' || s.data[0] == '\n')) {
		s.data++;
		s.len--;
	}
	if (s.len == 0) {
		if (seg->payload.len > 0)
			*reason = seg->sip_port ? TG_REASON_SIP_KEEPALIVE : TG_REASON_NOT_SIP;
		return TG_TCP_NONE;
	}
	other = tg_tcp_foreign(s, seg->sip_port);
	if (other == TG_REASON_NONE && tg_sip_start(s) == TG_SIP_START_NO) {
		*reason = seg->sip_port ? TG_REASON_TCP_UNSYNCED : TG_REASON_NOT_SIP;
		return TG_TCP_NONE;
	}
	i = tg_tcp_add(t, seg->flow);
	if (i == TG_TCP_NONE)
		*reason = TG_REASON_TCP_FULL;
	else if (other != TG_REASON_NONE)
		tg_tcp_ignore(&t->flow[i], other);
	else
		begin_stream(t, &t->flow[i].stream[seg->dir], seg->seq, TG_TCP_FRESH);
	return i;
}

/* Nothing is known of where the stream stands: is there a start line in this segment? */
static void take_unsynced(struct tg_tcp_reader *r, const struct tg_tcp_flow *f, struct tg_span data)
{
	uint32_t at = 0;

	while (at < data.len && (data.data[at] == '\r' || data.data[at] == '\n'))
		at++;
	r->reason = TG_REASON_TCP_PART;
	if (tg_sip_start((struct tg_span){ data.data + at, data.len - at }) <
	    TG_SIP_START_REQUEST) {
		r->reason = f->is_sip || r->sip_port ? TG_REASON_TCP_UNSYNCED : TG_REASON_NOT_SIP;
		at = tg_tcp_find_start(data);
	}
	if (at == data.len) {
		r->s = NULL;
		return;
	}
	resume_stream(r->t, r->s, r->place.seq);
	r->s->next = r->place.seq + data.len;
	r->data = data;
	tg_tcp_resync(r, at);
}

/* Bytes that were here before: still the same? One byte before the next is how a keep-alive looks
 * (RFC 9293 §3.8.4), and it may be any byte. */
static bool old_bytes_differ(const struct tg_tcp *t, const struct tg_tcp_stream *s, uint32_t seq,
			     struct tg_span data)
{
	const struct tg_tcp_buffer *b;
	int32_t at;

	if (s->buffer == TG_TCP_NONE || (data.len == 1 && seq + 1 == s->next))
		return false;
	b = &t->buffer[s->buffer];
	at = (int32_t)b->len + tg_tcp_diff(seq, s->next);
	if (at < 0) {
		if ((uint32_t)-at >= data.len)
			return false;
		data.data += -at;
		data.len -= (uint32_t)-at;
		at = 0;
	}
	if (data.len > b->len - (uint32_t)at)
		data.len = b->len - (uint32_t)at;
	return memcmp(b->bytes + at, data.data, data.len) != 0;
}

/* Ahead of a hole: kept until that is filled. */
static void take_ahead(struct tg_tcp_reader *r, uint32_t gap, struct tg_span data)
{
	struct tg_tcp_buffer *b = tg_tcp_buffer(r->t, r->s);
	bool differs = false;
	uint32_t n = 0;

	if (b) {
		if (b->n_ranges == 0)
			b->hole_ms = r->t->now_ms;
		n = tg_tcp_buffer_put(b, b->len + gap, data, &differs);
	}
	if (n < data.len)
		r->reason = TG_REASON_TCP_FULL;
	if (differs)
		r->reason = TG_REASON_TCP_OVERLAP;
	r->s = NULL;
}

static void take_data(struct tg_tcp_reader *r, struct tg_tcp_flow *f, struct tg_span data)
{
	const int32_t gap = tg_tcp_diff(r->place.seq, r->s->next);
	struct tg_tcp_stream *s = r->s;

	if (s->state == TG_TCP_IGNORED) {
		r->reason = s->reason;
		r->s = NULL;
		return;
	}
	if (s->state != TG_TCP_UNSYNCED && gap > 0 && has_hole(r->t, s) &&
	    r->t->now_ms - r->t->buffer[s->buffer].hole_ms > TG_TCP_HOLE_MS)
		tg_tcp_desync(r->t, s);
	if (s->state == TG_TCP_UNSYNCED || gap > FAR || gap < -FAR) {
		take_unsynced(r, f, data);
		return;
	}
	r->reason = TG_REASON_TCP_PART;
	if (gap > 0) {
		take_ahead(r, (uint32_t)gap, data);
		return;
	}
	if (gap < 0) {
		if (old_bytes_differ(r->t, s, r->place.seq, data))
			r->reason = TG_REASON_TCP_OVERLAP;
		if ((uint32_t)-gap >= data.len) {
			r->s = NULL;
			return;
		}
		data.data += -gap;
		data.len -= (uint32_t)-gap;
	}
	r->rest = data;
	if (s->buffer != TG_TCP_NONE)
		r->data = (struct tg_span){ r->t->buffer[s->buffer].bytes,
					    r->t->buffer[s->buffer].len };
}

void tg_tcp_open(struct tg_tcp *t, const struct tg_tcp_segment *seg, struct tg_tcp_reader *r)
{
	struct tg_tcp_flow *f;
	uint16_t i;

	*r = (struct tg_tcp_reader){
		.t = t,
		.data = { seg->payload.data, 0 },
		.rest = { seg->payload.data, 0 },
		.place = { seg->seq + !!(seg->flags & TG_TCP_FLAG_SYN), TG_TCP_NONE, seg->dir },
		.sip_port = seg->sip_port,
		.reason = TG_REASON_TCP_NO_DATA,
	};
	i = tg_tcp_find(t, seg->flow);
	if (i == TG_TCP_NONE)
		i = first_segment(t, seg, &r->reason);
	if (i == TG_TCP_NONE)
		return;
	f = &t->flow[i];
	f->seen_ms = (uint32_t)t->now_ms;
	f->burst = t->burst;
	note_sent(t, &f->stream[seg->dir]);
	if (seg->flags & TG_TCP_FLAG_SYN)
		take_syn(t, f, seg);
	if (seg->flags & TG_TCP_FLAG_ACK)
		take_ack(t, f, seg);
	if (seg->flags & (TG_TCP_FLAG_FIN | TG_TCP_FLAG_RST))
		f->is_closed = true;
	if (seg->payload.len == 0)
		return;
	r->place.flow = i;
	r->s = &f->stream[seg->dir];
	take_data(r, f, seg->payload);
}
