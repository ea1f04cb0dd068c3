/* SPDX-License-Identifier: BSD-3-Clause */
/* Phase 2 for SCTP: packets to user messages, also of several packets; and bytes that go out changed. */
#include "dataplane/pipeline/sctp.h"

#include "dataplane/pipeline/ss7.h"
#include "tollgate/checksum.h"
#include "tollgate/sctp.h"

/*
 * The association's direction: the verification tag is the receiver's choice, 32 random bits, and the same on all
 * of its addresses (traps SCTP-6); so neither addresses nor VLAN are part of the name.
 */
static void name_association(const struct tg_sctp *s, uint64_t word[2])
{
	static const char label[8] = "sctp";

	word[0] = s->name;
	word[1] = tg_load_u64(label);
}

/* ---- chunks ------------------------------------------------------------------------------------ */

static void read_piece(struct tg_ss7_reader *p, const struct tg_sctp_data *d)
{
	struct tg_pipeline *const pl = p->b->pl;
	const struct tg_chunks_piece piece = {
		.flow = p->b->out[p->frame].association,
		.tsn = d->tsn,
		.message = d->message,
		.fsn = d->fsn,
		.ppid = d->ppid,
		.stream = d->stream,
		.begin = d->begin,
		.end = d->end,
		.unordered = d->unordered,
		.interleaved = d->interleaved,
		.bytes = d->user,
	};
	struct tg_chunks_result got;

	/* Every one that brings a piece: what is not the endpoint's would spoil the message here. */
	if (!p->in_pieces && !tg_state_checksum_ok(&p->b->in[p->frame], &p->b->out[p->frame])) {
		tg_ss7_note(p, TG_REASON_BAD_CHECKSUM);
		return;
	}
	p->in_pieces = true;
	tg_chunks_add(pl->chunks, &piece, &got);
	switch (got.outcome) {
	case TG_CHUNKS_WHOLE:
		tg_ss7_read_message(p, &(struct tg_ss7_user){
					       .bytes = got.bytes,
					       .ppid = got.ppid,
					       .part = got.part,
					       .n_parts = got.n_parts,
				       });
		break;
	case TG_CHUNKS_PART:
		if (got.bytes.data && tg_ss7_is_no_call(got.ppid, got.bytes))
			tg_chunks_let_go(pl->chunks, got.set);
		tg_ss7_note(p, TG_REASON_SCTP_PART);
		break;
	default:
		tg_ss7_note(p, got.reason);
	}
}

static void read_chunk(struct tg_ss7_reader *p, const struct tg_sctp_chunk *c)
{
	struct tg_sctp_data d;

	if (c->type == TG_SCTP_AUTH)
		p->is_signed = true;
	if (c->type != TG_SCTP_DATA && c->type != TG_SCTP_I_DATA)
		return;
	if (!tg_sctp_data_read(c, &d)) {
		tg_ss7_note(p, TG_REASON_SCTP_MALFORMED);
		return;
	}
	if (p->b->pl->may_be_patched && !p->is_signed &&
	    tg_patches_wanted(p->b->pl->patches, p->b->out[p->frame].association, d.tsn, d.user,
			      p->b->now_ms))
		p->b->pl->is_patched |= 1u << p->frame;
	if (!d.begin || !d.end) {
		read_piece(p, &d);
		return;
	}
	tg_ss7_read_message(p, &(struct tg_ss7_user){
				       .bytes = d.user,
				       .ppid = d.ppid,
				       .tsn = d.tsn,
			       });
}

/* Pieces make their frame wait, and a frame that waits all behind it: order is how the peer knows of loss. */
static void settle_frame(struct tg_ss7_reader *p)
{
	struct tg_pipeline *const pl = p->b->pl;
	struct tg_result *const r = &p->b->out[p->frame];
	struct tg_chunks_held held;

	if (!p->in_pieces && tg_chunks_idle(pl->chunks))
		return;
	if (tg_chunks_frame(pl->chunks, r->association, p->b->in[p->frame].handle, &held)) {
		r->fate = TG_FATE_HOLD;
		return;
	}
	if (held.reason != TG_REASON_NONE)
		tg_ss7_note(p, held.reason);
	r->held = held.handle;
	r->n_held = (uint16_t)held.n;
	r->held_reason = TG_REASON_SCTP_PART;
	r->held_changes = held.n > 0;
}

static struct tg_span packet_of(const uint8_t *frame, const struct tg_frame *f)
{
	return (struct tg_span){ frame + f->payload_off, f->payload_len };
}

/*
 * The first two lines of each frame have been asked for (pipeline.c), and chunks are read from behind: of what comes
 * after, the hardware guesses nothing when a packet is short. Two packets ahead are a few hundred nanoseconds.
 */
#define AHEAD 2
#define LINES_AHEAD 8 /* of those, six: 512 octets have four IAMs */

static void prefetch_rest(const struct tg_burst_state *b, unsigned i)
{
	unsigned at;

	if (i >= b->n)
		return;
	for (at = 2 * TG_CACHE_LINE; at < b->in[i].len && at < LINES_AHEAD * TG_CACHE_LINE;
	     at += TG_CACHE_LINE)
		__builtin_prefetch(b->in[i].data + at);
}

static_assert(TG_BURST <= 32, "a bit a frame");

enum tg_reason tg_packet_read(struct tg_burst_state *b, unsigned i)
{
	const struct tg_frame_in *const in = &b->in[i];
	struct tg_result *const r = &b->out[i];
	struct tg_ss7_reader p = { .b = b, .frame = i, .reason = TG_REASON_SCTP_CONTROL };
	struct tg_sctp_chunk c;
	struct tg_sctp s;
	uint64_t name[2];

	prefetch_rest(b, i + AHEAD);
	if (!tg_sctp_open(packet_of(in->data, &r->frame), &s))
		return TG_REASON_SCTP_MALFORMED;
	name_association(&s, name);
	r->association = tg_state_name(b->pl, name);
	if (tg_unlikely(in->checksum == TG_PIPELINE_CSUM_BAD ||
			in->checksum == TG_PIPELINE_CSUM_ALWAYS) &&
	    !tg_state_checksum_ok(in, r))
		return TG_REASON_BAD_CHECKSUM;
	while (tg_sctp_next(&s, &c))
		read_chunk(&p, &c);
	if (s.chunks.failed)
		tg_ss7_note(&p, TG_REASON_SCTP_MALFORMED);
	settle_frame(&p);
	return p.reason;
}

/* ---- bytes that go out changed ----------------------------------------------------------------- */

uint64_t tg_packet_association(const struct tg_pipeline *pl, const uint8_t *frame,
			       const struct tg_frame *f)
{
	struct tg_sctp s;
	uint64_t name[2];

	if (!tg_sctp_open(packet_of(frame, f), &s))
		return 0;
	name_association(&s, name);
	return tg_state_name_hash(pl, name);
}

bool tg_packet_is_patched(const struct tg_pipeline *pl, const uint8_t *frame,
			  const struct tg_frame *f, uint64_t association)
{
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_sctp s;

	if (!tg_sctp_open(packet_of(frame, f), &s))
		return false;
	while (tg_sctp_next(&s, &c)) {
		if (c.type == TG_SCTP_AUTH)
			return false;
		if (tg_sctp_data_read(&c, &d) &&
		    tg_patches_wanted(pl->patches, association, d.tsn, d.user, pl->now_ms))
			return true;
	}
	return false;
}

bool tg_packet_patch(const struct tg_pipeline *pl, uint8_t *frame, const struct tg_frame *f,
		     uint64_t association)
{
	const enum tg_sctp_sum kind = tg_sctp_checksum_kind(packet_of(frame, f));
	unsigned changes = 0;
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_sctp s;

	if (!tg_sctp_open(packet_of(frame, f), &s))
		return false;
	while (tg_sctp_next(&s, &c) && c.type != TG_SCTP_AUTH) {
		if (tg_sctp_data_read(&c, &d))
			changes += tg_patches_apply(pl->patches, association, d.tsn,
						    frame + (d.user.data - frame), d.user.len,
						    pl->now_ms);
	}
	if (changes == 0)
		return false;
	tg_sctp_checksum_fill(frame + f->payload_off, f->payload_len, kind);
	if (f->l4_proto == TG_IPPROTO_UDP && tg_load_be16(frame + f->l4_off + 6) != 0)
		tg_checksum_udp_fill(frame, f);
	return true;
}

bool tg_packet_checksum_ok(const uint8_t *frame, const struct tg_frame *f)
{
	if (f->l4_proto == TG_IPPROTO_UDP
		    ? !tg_checksum_udp_ok(frame, f)
		    : f->ip_version == 4 && !tg_checksum_ipv4_ok(frame + f->l3_off))
		return false;
	return tg_sctp_checksum_ok(packet_of(frame, f));
}
