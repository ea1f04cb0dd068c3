/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/pipeline/stream.h"

#include <sodium/crypto_shorthash.h>
#include <string.h>

#include "dataplane/pipeline/layout.h"
#include "tollgate/checksum.h"
#include "tollgate/load.h"
#include "tollgate/sip_edit.h"

#define SIP_PORT 5060

/* What a connection is known by: both ends, the lower one first, and the VLAN, since the same
 * addresses may be other hosts there. */
struct connection {
	uint8_t address[2][16];
	uint16_t port[2];
	uint16_t vlan;
	uint16_t ip_version;
};

static_assert(sizeof(struct connection) == 40, "nothing between the fields is hashed");

/* Returns the direction: 1 if the source is the higher end. */
static uint8_t name_connection(const uint8_t *data, const struct tg_frame *f, struct connection *c)
{
	const uint32_t n = f->ip_version == 6 ? 16 : 4;
	const uint8_t *src = tg_layout_source(data, f), *dst = tg_layout_destination(data, f);
	const int order = memcmp(src, dst, n);
	const uint8_t dir = order != 0 ? order > 0 : f->sport > f->dport;

	memset(c, 0, sizeof(*c));
	memcpy(c->address[dir], src, n);
	memcpy(c->address[!dir], dst, n);
	c->port[dir] = f->sport;
	c->port[!dir] = f->dport;
	c->vlan = tg_layout_vlan(f);
	c->ip_version = f->ip_version;
	return dir;
}

static bool checksum_ok(const struct tg_frame_in *in, const struct tg_frame *f)
{
	switch (in->checksum) {
	case TG_PIPELINE_CSUM_GOOD:
	case TG_PIPELINE_CSUM_IGNORE:
		return true;
	case TG_PIPELINE_CSUM_BAD:
		return false;
	default:
		return tg_checksum_tcp_ok(in->data, f);
	}
}

bool tg_stream_open(struct tg_tcp *t, const uint8_t *key, const struct tg_frame_in *in,
		    struct tg_result *r, struct tg_tcp_reader *reader)
{
	const struct tg_frame *f = &r->frame;
	const uint8_t *tcp = in->data + f->l4_off;
	struct tg_tcp_segment seg;
	struct connection c;

	/* Every one: a segment that is not the endpoint's would put its stream out of step here. */
	if (!checksum_ok(in, f))
		return false;
	seg = (struct tg_tcp_segment){
		.flags = tcp[TG_TCP_OFF_FLAGS],
		.sip_port = f->sport == SIP_PORT || f->dport == SIP_PORT,
		.seq = tg_load_be32(tcp + TG_TCP_OFF_SEQ),
		.ack = tg_load_be32(tcp + TG_TCP_OFF_ACK),
		.payload = { in->data + f->payload_off, f->payload_len },
	};
	seg.dir = name_connection(in->data, f, &c);
	static_assert(crypto_shorthash_BYTES == sizeof(seg.flow), "SipHash-2-4 gives 64 bits");
	crypto_shorthash((unsigned char *)&seg.flow, (const unsigned char *)&c, sizeof(c), key);
	seg.flow |= seg.flow == 0; /* 0 is an empty place */
	tg_tcp_open(t, &seg, reader);
	if (reader->place.flow != TG_TCP_NONE) {
		r->stream = (uint16_t)(reader->place.flow + 1);
		r->stream_seq = reader->place.seq;
		r->stream_dir = reader->place.dir;
	}
	return true;
}

enum tg_reason tg_stream_block(struct tg_tcp *t, const struct tg_tcp_message *m,
			       struct tg_sip_edits *scratch)
{
	tg_sip_edits_init(scratch);
	if (!tg_sip_edit_max_forwards(m->head, scratch))
		return TG_REASON_ANSWER_IMPOSSIBLE;
	return tg_tcp_patch(t, m->place, scratch);
}

bool tg_stream_answer(struct tg_tcp *t, const struct tg_tcp_message *m, unsigned code,
		      struct tg_span phrase, struct tg_sip_edits *scratch)
{
	tg_sip_edits_init(scratch);
	return tg_sip_edit_status(m->head, code, phrase, scratch) &&
	       tg_tcp_patch(t, m->place, scratch) == TG_REASON_NONE;
}

static struct tg_tcp_place place_of(const struct tg_result *r)
{
	return (struct tg_tcp_place){
		.seq = r->stream_seq,
		.flow = (uint16_t)(r->stream - 1),
		.dir = r->stream_dir,
	};
}

bool tg_stream_is_edited(const struct tg_tcp *t, const struct tg_result *r)
{
	return r->stream != 0 && tg_tcp_is_patched(t, place_of(r), r->frame.payload_len);
}

void tg_stream_edit(const struct tg_tcp *t, const struct tg_result *r, uint8_t *frame)
{
	const struct tg_frame *f = &r->frame;

	if (r->stream != 0)
		tg_tcp_apply(t, place_of(r), frame + f->l4_off,
			     (uint32_t)f->payload_off - f->l4_off, f->payload_len);
}
