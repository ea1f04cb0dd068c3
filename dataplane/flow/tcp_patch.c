/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes of streams that go out changed, whenever they are sent. */
#include <string.h>

#include "dataplane/flow/tcp_state.h"
#include "tollgate/load.h"

#define CHECKSUM_OFF 16 /* RFC 9293 §3.1 */

/* No window is larger (RFC 7323 §2.3: 2^30): what lies further back is never sent again. */
#define WINDOW_MAX (1 << 30)

static void put_back(struct tg_tcp *t, uint16_t i)
{
	t->patch[i].link = t->free_patch;
	t->free_patch = i;
}

void tg_tcp_patch_drop(struct tg_tcp *t, struct tg_tcp_stream *s)
{
	while (s->patch != TG_TCP_NONE) {
		const uint16_t i = s->patch;

		s->patch = t->patch[i].link;
		put_back(t, i);
	}
}

void tg_tcp_patch_acked(struct tg_tcp *t, struct tg_tcp_stream *s, uint32_t ack)
{
	uint16_t *link = &s->patch;

	while (*link != TG_TCP_NONE) {
		const uint16_t i = *link;
		const int32_t behind = tg_tcp_diff(ack, t->patch[i].seq + t->patch[i].len);

		if (behind < 0 || behind > WINDOW_MAX) {
			link = &t->patch[i].link;
			continue;
		}
		*link = t->patch[i].link;
		put_back(t, i);
	}
}

/* Did any of it go out before this burst? */
static bool was_sent(const struct tg_tcp_stream *s, uint32_t seq, uint32_t len)
{
	if (tg_tcp_diff(seq, s->sent) < 0)
		return true;
	return s->ahead_from != s->ahead_to && tg_tcp_diff(seq, s->ahead_to) < 0 &&
	       tg_tcp_diff(seq + len, s->ahead_from) > 0;
}

static struct tg_tcp_patch *find(const struct tg_tcp *t, const struct tg_tcp_stream *s,
				 uint32_t seq)
{
	uint16_t i;

	for (i = s->patch; i != TG_TCP_NONE; i = t->patch[i].link)
		if (t->patch[i].seq == seq)
			return &t->patch[i];
	return NULL;
}

static bool has_room(const struct tg_tcp *t, unsigned n)
{
	uint16_t i = t->free_patch;

	for (; n > 0 && i != TG_TCP_NONE; n--)
		i = t->patch[i].link;
	return n == 0;
}

static void remember(struct tg_tcp *t, struct tg_tcp_stream *s, uint32_t seq, const uint8_t *bytes,
		     uint32_t len)
{
	struct tg_tcp_patch *to = find(t, s, seq);

	if (!to) {
		const uint16_t i = t->free_patch;

		to = &t->patch[i];
		t->free_patch = to->link;
		to->link = s->patch;
		s->patch = i;
	}
	to->seq = seq;
	to->len = (uint8_t)len;
	memcpy(to->bytes, bytes, len);
}

/* How long the piece at offset `at` of an edit is. */
static uint32_t piece(const struct tg_sip_edit *e, uint32_t at)
{
	return e->len - at < TG_TCP_PATCH ? e->len - at : TG_TCP_PATCH;
}

enum tg_reason tg_tcp_patch(struct tg_tcp *t, struct tg_tcp_place message,
			    const struct tg_sip_edits *e)
{
	struct tg_tcp_stream *s = &t->flow[message.flow].stream[message.dir];
	unsigned i, fresh = 0;
	uint32_t at;

	for (i = 0; i < e->n; i++) {
		const uint32_t seq = message.seq + e->edit[i].off;

		/* A message that is read a second time has its patches, and may have gone out with them. */
		if (!find(t, s, seq) && was_sent(s, seq, e->edit[i].len))
			return TG_REASON_TCP_TOO_LATE;
		for (at = 0; at < e->edit[i].len; at += TG_TCP_PATCH)
			fresh += !find(t, s, seq + at);
	}
	if (!has_room(t, fresh))
		return TG_REASON_MEMORY_FULL;
	for (i = 0; i < e->n; i++)
		for (at = 0; at < e->edit[i].len; at += TG_TCP_PATCH)
			remember(t, s, message.seq + e->edit[i].off + at,
				 e->text + e->edit[i].text_off + at, piece(&e->edit[i], at));
	return TG_REASON_NONE;
}

/* Which bytes of the segment the patch is about: [*from, *to), empty if none. */
static bool overlap(const struct tg_tcp_patch *p, uint32_t seq, uint32_t len, uint32_t *from,
		    uint32_t *to)
{
	const int32_t begin = tg_tcp_diff(p->seq, seq);
	const int32_t end = begin + p->len;

	if (end <= 0 || begin >= (int32_t)len)
		return false;
	*from = begin > 0 ? (uint32_t)begin : 0;
	*to = (uint32_t)end < len ? (uint32_t)end : len;
	return true;
}

bool tg_tcp_is_patched(const struct tg_tcp *t, struct tg_tcp_place segment, uint32_t len)
{
	uint32_t from, to;
	uint16_t i;

	if (segment.flow == TG_TCP_NONE)
		return false;
	for (i = t->flow[segment.flow].stream[segment.dir].patch; i != TG_TCP_NONE;
	     i = t->patch[i].link)
		if (overlap(&t->patch[i], segment.seq, len, &from, &to))
			return true;
	return false;
}

/* RFC 1624 §3, eqn. 3: HC' = ~(~HC + ~m + m'), byte by byte; `odd`: it is the low half of its word. */
static uint32_t change_sum(uint32_t sum, uint8_t old, uint8_t new, bool odd)
{
	const unsigned shift = odd ? 0 : 8;

	sum += (~((uint32_t)old << shift) & 0xffff) + ((uint32_t) new << shift);
	return (sum & 0xffff) + (sum >> 16);
}

void tg_tcp_apply(const struct tg_tcp *t, struct tg_tcp_place segment, uint8_t *tcp,
		  uint32_t header_len, uint32_t len)
{
	const struct tg_tcp_stream *s = &t->flow[segment.flow].stream[segment.dir];
	uint32_t sum = ~(uint32_t)tg_load_be16(tcp + CHECKSUM_OFF) & 0xffff;
	uint32_t from, to;
	uint16_t i;

	for (i = s->patch; i != TG_TCP_NONE; i = t->patch[i].link) {
		const struct tg_tcp_patch *p = &t->patch[i];

		if (!overlap(p, segment.seq, len, &from, &to))
			continue;
		for (; from < to; from++) {
			uint8_t *byte = tcp + header_len + from;
			const uint8_t new = p->bytes[segment.seq + from - p->seq];

			sum = change_sum(sum, *byte, new, (header_len + from) & 1);
			*byte = new;
		}
	}
	sum = (sum & 0xffff) + (sum >> 16);
	tg_store_be16(tcp + CHECKSUM_OFF, (uint16_t)~sum);
}
