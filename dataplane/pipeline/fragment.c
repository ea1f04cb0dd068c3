/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a fragment is: a datagram's name, its bytes, and what the first of them says. What was put
 * together is read as the frame that the sender's network would have carried whole.
 */
#include <sodium/crypto_shorthash.h>
#include <string.h>

#include "dataplane/pipeline/fragment.h"
#include "dataplane/pipeline/layout.h"
#include "tollgate/checksum.h"

#define UDP_HEADER 8
#define IPV6_HEADER 40
#define IP_LEN_MAX 65535u
/* An INVITE's header ends within this; so much of the first fragment's payload is looked at. */
#define START_LINE_MAX 4096u

static uint64_t keyed(const uint8_t *key, const void *bytes, size_t len)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, bytes, len, key);
	return hash;
}

/*
 * RFC 791 §3.2: source, destination, identification and protocol; RFC 8200 §4.5: without the
 * protocol. And the way it came, because other VLANs may have the same addresses. The number of labels
 * only so that all heads are equally long.
 */
static void name_piece(const struct tg_frame_in *in, const struct tg_frame *f, const uint8_t *key,
		       struct tg_frags_piece *p)
{
	const unsigned address = f->ip_version == 6 ? 16 : 4;
	struct {
		uint8_t src[16];
		uint8_t dst[16];
		uint32_t id;
		uint16_t port;
		uint16_t vlan[TG_FRAME_MAX_VLAN];
		uint8_t link, version, protocol, n_vlan, n_mpls, zero[3];
	} name;

	static_assert(sizeof(name) == 52, "no padding, whose bytes would be hashed as well");
	memset(&name, 0, sizeof(name));
	memcpy(name.src, tg_layout_source(in->data, f), address);
	memcpy(name.dst, tg_layout_destination(in->data, f), address);
	name.id = f->frag_id;
	name.port = in->port;
	memcpy(name.vlan, f->vlan, sizeof(name.vlan));
	name.link = in->link;
	name.version = f->ip_version;
	name.protocol = f->ip_version == 4 ? f->l4_proto : 0;
	name.n_vlan = f->n_vlan;
	name.n_mpls = f->n_mpls;
	p->key = keyed(key, &name, sizeof(name));
	p->source = keyed(key, name.src, sizeof(name.src));
}

/* Why a fragment is not even looked at, or NONE. Its endpoint checks each IPv4 header before it puts
 * anything together, so a wrong one takes no part (traps L3-9). The NIC's word is about UDP as well,
 * which a fragment has not. */
static enum tg_reason refuse_piece(const struct tg_frame_in *in, const struct tg_frame *f)
{
	if (f->l4_off + (uint32_t)f->frag_len > in->len)
		return TG_REASON_TRUNCATED;
	if (f->l4_proto != TG_IPPROTO_UDP &&
	    (f->ip_version == 4 || !tg_frame_is_extension(f->l4_proto)))
		return TG_REASON_FRAGMENT_NOT_UDP;
	if (f->ip_version == 4 && in->checksum != TG_PIPELINE_CSUM_IGNORE &&
	    !tg_checksum_ipv4_ok(in->data + f->l3_off))
		return TG_REASON_BAD_CHECKSUM;
	return TG_REASON_NONE;
}

/* Makes the first fragment's head that of a whole packet. IPv6 keeps its fragment header, with offset
 * and M 0 (RFC 6946). false: longer than an IP packet can be. */
static bool make_whole(const struct tg_frame *f, const struct tg_frags_result *r)
{
	uint8_t *ip = r->bytes + f->l3_off;
	uint32_t len = r->head_len - f->l3_off + r->len;

	if (f->ip_version == 6) {
		len -= IPV6_HEADER;
		if (len > IP_LEN_MAX)
			return false;
		tg_store_be16(ip + 4, (uint16_t)len);
		tg_store_be16(r->bytes + r->head_len - 6, 0);
		return true;
	}
	if (len > IP_LEN_MAX)
		return false;
	tg_store_be16(ip + 2, (uint16_t)len);
	tg_store_be16(ip + 6, 0);
	tg_checksum_ipv4_fill(ip);
	return true;
}

/* Could these bytes, the first of a UDP payload, begin a message that has a verdict? A start line that
 * is not all there may become one. */
static enum tg_reason read_start(struct tg_span payload, struct tg_sip *sip)
{
	enum tg_reason reason;

	if (payload.len > START_LINE_MAX)
		payload.len = START_LINE_MAX;
	if (payload.len > 0 && !tg_sip_may_begin(payload))
		return TG_REASON_NOT_SIP;
	if (payload.len == 0 || !memchr(payload.data, '\n', payload.len))
		return TG_REASON_NONE;
	reason = tg_sip_parse(payload, sip);
	switch (reason) {
	case TG_REASON_NOT_SIP:
	case TG_REASON_SIP_RESPONSE:
	case TG_REASON_SIP_IN_DIALOG:
		return reason;
	case TG_REASON_SIP_REQUEST:
		return sip->method == TG_SIP_OTHER ? reason : TG_REASON_NONE;
	default:
		return TG_REASON_NONE;
	}
}

/*
 * What the first fragment says: NONE while there may be a call in the datagram. Most fragmented
 * datagrams are none, and wait for nothing. Where it does not reach to the UDP header's end, IPv4 says
 * nothing yet (traps L3-4), and IPv6's endpoint discards it (RFC 8200 §4.5, RFC 7112 §5). *text is then what
 * there is of the message.
 */
static enum tg_reason read_first(const struct tg_frame_in *in, const struct tg_frame *piece,
				 const struct tg_frags_result *r, struct tg_span *text)
{
	const uint8_t *end = r->bytes + r->head_len + r->len;
	struct tg_span payload;
	enum tg_reason reason;
	struct tg_frame f;
	struct tg_sip sip;

	*text = (struct tg_span){ NULL, 0 };

	if (!make_whole(piece, r))
		return TG_REASON_FRAGMENT_MALFORMED;
	reason = tg_frame_walk(r->bytes, end, (enum tg_link)in->link, &f);
	if (reason == TG_REASON_IP_EXTENSION)
		return reason;
	if (f.l4_off == 0)
		return TG_REASON_FRAGMENT_MALFORMED; /* headers go on in the next fragment */
	if (f.l4_proto != TG_IPPROTO_UDP)
		return TG_REASON_FRAGMENT_NOT_UDP;
	if (r->bytes + f.l4_off + UDP_HEADER > end)
		return f.ip_version == 6 ? TG_REASON_FRAGMENT_MALFORMED : TG_REASON_NONE;
	if (reason != TG_REASON_NONE && reason != TG_REASON_UDP_MALFORMED)
		return reason;
	/* The length is that of the whole datagram, so the walk went no further. */
	payload.data = r->bytes + f.l4_off + UDP_HEADER;
	payload.len = (uint32_t)(end - payload.data);
	f.payload_len = (uint16_t)payload.len;
	reason = tg_frame_udp_inside(payload.data, end, &f);
	if (reason != TG_REASON_NONE)
		return payload.len < 3 ? TG_REASON_NONE
				       : reason; /* text takes three bytes to tell */
	*text = payload;
	return read_start(payload, &sip);
}

/* What those fragments count as that bring no reason of their own. */
static enum tg_reason reason_of_rest(enum tg_reason reason)
{
	return reason != TG_REASON_NONE && tg_reason_kind(reason) == TG_REASON_KIND_BLIND
		       ? reason
		       : TG_REASON_FRAGMENT;
}

/* The frames that were held go where this one goes. */
static void take_held(struct tg_result *r, const struct tg_frags_result *got, enum tg_reason reason)
{
	if (got->drops >> tg_exception_of(reason) & 1)
		r->fate = TG_FATE_ABSORB;
	r->held = got->held;
	r->n_held = (uint16_t)got->n_held;
	r->held_reason = (uint8_t)reason;
}

/* The first piece has been held. NONE: there may be a call in the datagram. */
static enum tg_reason look_at_first(const struct tg_burst_state *b, unsigned i,
				    const struct tg_frame *piece, struct tg_frags_result *got)
{
	enum tg_reason reason;
	struct tg_span text;

	reason = read_first(&b->in[i], piece, got, &text);
	if (reason != TG_REASON_NONE)
		tg_frags_let_go(&b->pl->frags, reason_of_rest(reason), got);
	else if (tg_unlikely(got->drops) && tg_exception_is_spared(b, i, text))
		tg_frags_spare(&b->pl->frags, got);
	return reason;
}

enum tg_reason tg_fragment_read(const struct tg_burst_state *b, unsigned i)
{
	const struct tg_frame_in *const in = &b->in[i];
	struct tg_result *const r = &b->out[i];
	const struct tg_frame piece = r->frame;
	struct tg_frags_piece p = {
		.head = { in->data, piece.l4_off },
		.data = in->data + piece.l4_off,
		.len = piece.frag_len,
		.off = piece.frag_off,
		.more = piece.frag_more,
		.ecn = piece.dscp & 3,
		.ipv6 = piece.ip_version == 6,
		.handle = in->handle,
	};
	struct tg_frags_result got;
	enum tg_reason reason = refuse_piece(in, &piece);

	if (reason != TG_REASON_NONE)
		return reason;
	name_piece(in, &piece, b->pl->flow_key, &p);
	p.drops = tg_exception_drops(b, i);
	tg_frags_add(&b->pl->frags, &p, b->now_ms, &got);
	if (got.outcome == TG_FRAGS_HELD) {
		reason = got.bytes ? look_at_first(b, i, &piece, &got) : TG_REASON_NONE;
		if (reason == TG_REASON_NONE) {
			r->fate = TG_FATE_HOLD;
			return TG_REASON_FRAGMENT;
		}
		take_held(r, &got, got.reason);
		return reason;
	}
	if (got.outcome == TG_FRAGS_PASS || !make_whole(&piece, &got)) {
		reason = got.outcome == TG_FRAGS_PASS ? got.reason : TG_REASON_FRAGMENT_MALFORMED;
		take_held(r, &got, reason);
		return reason;
	}
	r->data = got.bytes;
	reason = tg_frame_walk(got.bytes, got.bytes + got.head_len + got.len,
			       (enum tg_link)in->link, &r->frame);
	take_held(r, &got, reason_of_rest(reason));
	return reason;
}
