/* SPDX-License-Identifier: BSD-3-Clause */
/* From a stream's bytes in order to messages, and back to a message when the thread is lost. */
#include <string.h>

#include "dataplane/flow/tcp_state.h"

/* A line of a long header that is longer is no Content-Length: only its first bytes are kept. */
#define LINE_MAX 4096

enum step {
	STEP_AGAIN,   /* something was read */
	STEP_MESSAGE, /* *m holds one */
	STEP_MORE,    /* nothing more in what is here */
	STEP_LOST,    /* this is no message, or no longer */
};

static struct tg_tcp_flow *flow_of(const struct tg_tcp_reader *r)
{
	return &r->t->flow[r->place.flow];
}

/* What is not inspected must be seen; else the last message says what the segment is. */
static void note(struct tg_tcp_reader *r, enum tg_reason reason)
{
	if (tg_reason_kind(r->reason) != TG_REASON_KIND_BLIND ||
	    tg_reason_kind(reason) == TG_REASON_KIND_BLIND)
		r->reason = (uint8_t)reason;
}

/* The sequence number of data[off]. */
static uint32_t seq_at(const struct tg_tcp_reader *r, uint32_t off)
{
	return r->s->next - r->data.len + off;
}

static struct tg_span ahead(const struct tg_tcp_reader *r)
{
	return (struct tg_span){ r->data.data + r->off, r->data.len - r->off };
}

/* ---- one message ------------------------------------------------------------------------------- */

static void give(struct tg_tcp_reader *r, struct tg_span head, bool whole, struct tg_tcp_message *m)
{
	m->head = head;
	m->place = r->place;
	m->place.seq = seq_at(r, r->off);
	m->is_response = false;
	m->whole = whole;
	if (r->s->buffer != TG_TCP_NONE)
		r->t->buffer[r->s->buffer].pinned = r->t->burst;
}

/* Behind the header; what is missing of the body will be skipped when it comes. */
static void end_message(struct tg_tcp_reader *r, uint32_t head_len, int64_t length)
{
	struct tg_tcp_stream *s = r->s;

	r->off += head_len;
	s->skip = length > 0 ? (uint32_t)length : 0;
	s->scanned = 0;
	s->announced = false;
	s->state = length == TG_SIP_LENGTH_BAD ? TG_TCP_UNSYNCED : TG_TCP_READING;
}

/* An INVITE whose body has not all come: given with its header now, and again when it has. A long one
 * keeps its header apart, and its body is not kept; without room for that it is given once, now. */
static enum step begin_invite(struct tg_tcp_reader *r, struct tg_span head, uint64_t total,
			      struct tg_tcp_message *m)
{
	struct tg_tcp_stream *s = r->s;

	if (total <= TG_TCP_MESSAGE_MAX) {
		give(r, head, false, m);
		s->announced = true;
		s->total = (uint32_t)total;
		return STEP_MESSAGE;
	}
	give(r, head, !tg_tcp_head_keep(r->t, s, head), m);
	s->head_seq = m->place.seq;
	end_message(r, head.len, (int64_t)(total - head.len));
	return STEP_MESSAGE;
}

/* The body of a long INVITE has come. */
static void end_invite(struct tg_tcp_reader *r, struct tg_sip *sip, struct tg_tcp_message *m)
{
	struct tg_tcp_buffer *b = &r->t->buffer[r->s->head];
	const struct tg_span head = { b->bytes, b->len };

	(void)tg_sip_parse(head, sip);
	give(r, head, true, m);
	m->place.seq = r->s->head_seq;
	b->pinned = r->t->burst;
	tg_tcp_head_drop(r->t, r->s);
}

static enum step read_message(struct tg_tcp_reader *r, uint32_t head_len, struct tg_sip *sip,
			      struct tg_tcp_message *m)
{
	const struct tg_span head = { r->data.data + r->off, head_len };
	const int64_t length = tg_sip_content_length(head);
	const uint64_t total = head_len + (uint64_t)(length > 0 ? length : 0);
	enum tg_reason reason = tg_sip_parse(head, sip);
	enum step step = STEP_AGAIN;

	flow_of(r)->is_sip = true;
	if (reason == TG_REASON_NONE && sip->method == TG_SIP_INVITE) {
		if (ahead(r).len < total)
			return begin_invite(r, head, total, m);
		give(r, head, true, m);
		step = STEP_MESSAGE;
	} else if (reason == TG_REASON_NONE) {
		note(r, TG_REASON_SIP_REQUEST); /* ACK, CANCEL: nothing of a stream is absorbed */
	} else if (reason == TG_REASON_SIP_RESPONSE && tg_sip_status(head) == 483) {
		tg_sip_parse_response(head, sip);
		give(r, head, true, m);
		m->is_response = true;
		note(r, reason);
		step = STEP_MESSAGE;
	} else {
		note(r, reason);
	}
	end_message(r, head_len, length);
	return step;
}

/*
 * A header above its limit is not read, but its lines are: Content-Length says where the next
 * message begins.
 */
static enum step read_long_head(struct tg_tcp_reader *r)
{
	const struct tg_span left = ahead(r);
	const uint8_t *lf = memchr(left.data, '\n', left.len);
	struct tg_tcp_stream *s = r->s;
	int64_t length;
	uint32_t n;

	note(r, TG_REASON_SIP_OVERSIZE);
	if (!lf) {
		if (left.len < LINE_MAX && !s->mid_line)
			return STEP_MORE;
		s->mid_line = true;
		r->off += left.len;
		return STEP_AGAIN;
	}
	n = (uint32_t)(lf - left.data) + 1;
	if (!s->mid_line && (n == 1 || (n == 2 && left.data[0] == '\r'))) {
		end_message(r, n, s->length);
		return STEP_AGAIN;
	}
	length = s->mid_line ? TG_SIP_LENGTH_ABSENT
			     : tg_sip_content_length((struct tg_span){ left.data, n });
	if (length != TG_SIP_LENGTH_ABSENT)
		s->length = s->length == TG_SIP_LENGTH_ABSENT || s->length == length
				    ? (int32_t)length
				    : TG_SIP_LENGTH_BAD;
	s->mid_line = false;
	r->off += n;
	return STEP_AGAIN;
}

static enum step read_head(struct tg_tcp_reader *r, struct tg_sip *sip, struct tg_tcp_message *m)
{
	const struct tg_span left = ahead(r);
	struct tg_tcp_stream *s = r->s;
	uint32_t head_len;

	if (s->announced && left.len < s->total)
		return STEP_MORE;
	switch (tg_sip_start(left)) {
	case TG_SIP_START_NO:
		return STEP_LOST;
	case TG_SIP_START_MAYBE:
		if (left.len < TG_SIP_MAX_HEADER_BYTES)
			return STEP_MORE;
		note(r, TG_REASON_SIP_OVERSIZE);
		return STEP_LOST;
	default:
		break;
	}
	head_len = tg_sip_head_end(left, s->announced ? 0 : s->scanned);
	if (head_len > 0)
		return read_message(r, head_len, sip, m);
	s->scanned = left.len > 2 ? left.len - 2 : 0;
	if (left.len < TG_SIP_MAX_HEADER_BYTES)
		return STEP_MORE;
	flow_of(r)->is_sip = true;
	s->state = TG_TCP_LONG_HEAD;
	s->length = TG_SIP_LENGTH_ABSENT;
	s->mid_line = false;
	return STEP_AGAIN;
}

static enum step read_on(struct tg_tcp_reader *r, struct tg_sip *sip, struct tg_tcp_message *m)
{
	struct tg_tcp_stream *s = r->s;
	const uint32_t left = r->data.len - r->off;

	if (left == 0)
		return STEP_MORE;
	if (s->state == TG_TCP_UNSYNCED)
		return STEP_LOST;
	if (s->skip > 0) {
		const uint32_t n = left < s->skip ? left : s->skip;

		s->skip -= n;
		r->off += n;
		if (s->skip > 0 || s->head == TG_TCP_NONE)
			return STEP_AGAIN;
		end_invite(r, sip, m);
		return STEP_MESSAGE;
	}
	if (s->state == TG_TCP_LONG_HEAD)
		return read_long_head(r);
	/* RFC 3261 §7.5: line ends before a start line; RFC 5626 §3.5.1: as keep-alives. */
	if (r->data.data[r->off] == '\r' || r->data.data[r->off] == '\n') {
		r->off++;
		if (r->reason == TG_REASON_TCP_PART)
			note(r, TG_REASON_SIP_KEEPALIVE);
		return STEP_AGAIN;
	}
	return read_head(r, sip, m);
}

/* ---- when it is no message --------------------------------------------------------------------- */

static bool begins_with_via(const uint8_t *p, uint32_t n)
{
	uint32_t i;

	if (n < 4 || (p[0] | 0x20) != 'v')
		return false;
	i = (p[1] | 0x20) == 'i' && (p[2] | 0x20) == 'a' ? 3 : 1;
	while (i < n && (p[i] == ' ' || p[i] == '\t'))
		i++;
	return i < n && p[i] == ':';
}

/* One with a Via behind it, as nearly all stacks send it: a body may quote a start line (RFC 3420),
 * and a wrong guess loses a message. */
static bool is_sure_start(struct tg_span s)
{
	const uint8_t *lf = memchr(s.data, '\n', s.len);

	return lf && tg_sip_start(s) >= TG_SIP_START_REQUEST &&
	       begins_with_via(lf + 1, s.len - (uint32_t)(lf + 1 - s.data));
}

/* Offset of a start line among the lines of s, or s.len. */
uint32_t tg_tcp_find_start(struct tg_span s)
{
	uint32_t at = 0;

	while (at < s.len) {
		const struct tg_span line = { s.data + at, s.len - at };
		const uint8_t *lf;

		if (is_sure_start(line))
			return at;
		lf = memchr(line.data, '\n', line.len);
		if (!lf)
			break;
		at = (uint32_t)(lf - s.data) + 1;
	}
	return s.len;
}

static bool mentions(struct tg_span s, const char *lower)
{
	const size_t n = strlen(lower);
	size_t i, j;

	for (i = 0; i + n <= s.len; i++) {
		for (j = 0; j < n && (s.data[i + j] | 0x20) == lower[j]; j++)
			;
		if (j == n)
			return true;
	}
	return false;
}

/*
 * What else may begin where SIP could: TLS (RFC 8446 §5.1: a handshake record of version 3.x), SigComp
 * (RFC 3320 §7), the upgrade to a WebSocket that carries SIP (RFC 7118 §4.1). NONE: none of them.
 */
enum tg_reason tg_tcp_foreign(struct tg_span s, bool sip_port)
{
	if (s.len >= 4 && memcmp(s.data, "GET ", 4) == 0 &&
	    mentions(s, "sec-websocket-protocol:") && mentions(s, "sip"))
		return TG_REASON_WEBSOCKET;
	if (!sip_port || s.len == 0)
		return TG_REASON_NONE;
	if (s.data[0] == 0x16 && (s.len == 1 || s.data[1] == 3))
		return TG_REASON_TLS;
	return s.data[0] >= 0xf8 ? TG_REASON_SIGCOMP : TG_REASON_NONE;
}

void tg_tcp_ignore(struct tg_tcp_flow *f, enum tg_reason reason)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		f->stream[i].state = TG_TCP_IGNORED;
		f->stream[i].reason = (uint8_t)reason;
	}
}

/* Gives up what is in hand: the stream means nothing until the next start line. */
void tg_tcp_desync(struct tg_tcp *t, struct tg_tcp_stream *s)
{
	/* As if a message pointed there: the caller may be reading it. */
	if (s->buffer != TG_TCP_NONE)
		t->buffer[s->buffer].pinned = t->burst;
	tg_tcp_buffer_drop(t, s);
	tg_tcp_head_drop(t, s);
	s->state = TG_TCP_UNSYNCED;
	s->skip = 0;
	s->scanned = 0;
	s->announced = false;
}

/* Reads from `at` in r->data on, as a message's first byte. */
void tg_tcp_resync(struct tg_tcp_reader *r, uint32_t at)
{
	r->data = (struct tg_span){ r->data.data + at, r->data.len - at };
	r->off = 0;
	r->s->state = TG_TCP_READING;
	r->s->skip = 0;
	r->s->scanned = 0;
	r->s->announced = false;
}

/* The stream's first bytes are not SIP. True: read on. */
static void leave(struct tg_tcp_reader *r)
{
	const enum tg_reason reason = tg_tcp_foreign(ahead(r), r->sip_port);

	tg_tcp_desync(r->t, r->s);
	if (reason != TG_REASON_NONE) {
		tg_tcp_ignore(flow_of(r), reason);
		r->reason = (uint8_t)reason;
	} else if (r->sip_port) {
		note(r, TG_REASON_TCP_UNSYNCED);
	} else {
		tg_tcp_remove(r->t, r->place.flow);
		r->place.flow = TG_TCP_NONE;
		r->reason = TG_REASON_NOT_SIP;
	}
	r->s = NULL;
}

/* True: there is a start line further on in what has come. */
static bool recover(struct tg_tcp_reader *r)
{
	uint32_t at;

	if (!flow_of(r)->is_sip && r->s->state == TG_TCP_FRESH) {
		leave(r);
		return false;
	}
	note(r, TG_REASON_TCP_UNSYNCED);
	tg_tcp_desync(r->t, r->s);
	at = r->off + tg_tcp_find_start(ahead(r));
	if (at == r->data.len)
		return false;
	tg_tcp_resync(r, at);
	return true;
}

/* ---- segments ---------------------------------------------------------------------------------- */

/* What is left unread goes into the buffer, and what is next comes to be read. False: that was all. */
static bool refill(struct tg_tcp_reader *r)
{
	struct tg_tcp_stream *s = r->s;
	struct tg_span left = ahead(r);
	struct tg_tcp_buffer *b;
	bool differs = false, full = false;
	uint32_t before, n;

	if (s->buffer != TG_TCP_NONE && left.len == 0 && r->t->buffer[s->buffer].n_ranges == 0)
		tg_tcp_buffer_drop(r->t, s);
	if (s->buffer == TG_TCP_NONE && left.len == 0) {
		r->data = r->rest;
		r->off = 0;
		r->rest.len = 0;
		s->next += r->data.len;
		return r->data.len > 0;
	}
	if (s->buffer == TG_TCP_NONE) {
		b = tg_tcp_buffer(r->t, s);
		full = !b || tg_tcp_buffer_put(b, 0, left, &differs) < left.len;
	} else if (r->off > 0) {
		b = tg_tcp_buffer_shift(r->t, s, r->off);
		full = !b;
	} else {
		b = &r->t->buffer[s->buffer];
	}
	if (full) {
		note(r, TG_REASON_TCP_FULL);
		s->next += r->rest.len;
		tg_tcp_desync(r->t, s);
		return false;
	}
	r->off = 0;
	before = b->len;
	n = tg_tcp_buffer_put(b, b->len, r->rest, &differs);
	s->next += b->len - before;
	r->data = (struct tg_span){ b->bytes, b->len };
	r->rest.data += n;
	r->rest.len -= n;
	if (differs)
		note(r, TG_REASON_TCP_OVERLAP);
	return b->len > before;
}

bool tg_tcp_next(struct tg_tcp_reader *r, struct tg_sip *sip, struct tg_tcp_message *m)
{
	while (r->s) {
		switch (read_on(r, sip, m)) {
		case STEP_AGAIN:
			break;
		case STEP_MESSAGE:
			return true;
		case STEP_MORE:
			if (!refill(r))
				r->s = NULL;
			break;
		case STEP_LOST:
			if (!recover(r))
				r->s = NULL;
			break;
		}
	}
	return false;
}
