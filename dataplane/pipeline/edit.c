/* SPDX-License-Identifier: BSD-3-Clause */
/* A frame that goes on changed: the script that its verdict asks for, carried out on a copy. */
#include <string.h>

#include "dataplane/pipeline/sctp.h"
#include "dataplane/pipeline/state.h"
#include "dataplane/pipeline/stream.h"
#include "tollgate/checksum.h"
#include "tollgate/load.h"
#include "tollgate/sip_isup.h"

#define UDP_HEADER 8

static struct tg_span text_span(const char *s, size_t size)
{
	return (struct tg_span){ (const uint8_t *)s, (uint32_t)strnlen(s, size) };
}

/* ISUP in a body that was not read: what is changed in the header only would contradict it (traps IS-12). */
static bool hides_isup(const struct tg_result *r, enum tg_sip_length length)
{
	return !r->isup && tg_sip_body(r->sip, length == TG_SIP_SAME_LENGTH) == TG_SIP_BODY_ISUP;
}

static bool script_anonymise(const struct tg_result *r, struct tg_span text,
			     enum tg_sip_length length, struct tg_sip_edits *e)
{
	return !hides_isup(r, length) && tg_sip_edit_anonymise(text, length, e) &&
	       (!r->isup || tg_sip_isup_edit_restrict(r->sip, e));
}

/* The called number of a body, if there is one. */
static bool script_sink_body(const struct tg_policy_trunk *t, const char *sink,
			     const struct tg_result *r, struct tg_sip_edits *e)
{
	const struct tg_isup *const isup = r->isup;
	char digits[TG_ISUP_DIGITS_MAX];
	unsigned called, n;

	if (!isup)
		return true;
	called = isup->sig.called;
	n = isup->sig.id[called].raw_len;
	return tg_policy_sink_digits(t, sink, isup->party[called].nature, n, digits) &&
	       tg_sip_isup_edit_called(r->sip, (struct tg_span){ (const uint8_t *)digits, n }, e);
}

/* All that the mark wants, or nothing. */
static bool script_mark(const struct tg_policy_mark *k, const struct tg_result *r,
			struct tg_sip_edits *e)
{
	const struct tg_sip *const sip = r->sip;
	const struct tg_span m = sip->sig.text;
	bool any = false;

	if (k->flags & TG_MARK_ANONYMISE) {
		if (!script_anonymise(r, m, TG_SIP_ANY_LENGTH, e))
			return false;
		any = true;
	}
	/* Nobody's number lacks its '+': nothing to do, and no failure. */
	if (k->flags & TG_MARK_PLUS)
		any |= tg_sip_edit_plus(sip, e);
	if (k->display[0]) {
		if (!tg_sip_edit_display(m, text_span(k->display, sizeof(k->display)), e))
			return false;
		any = true;
	}
	if (k->header[0]) {
		if (!tg_sip_edit_header(m, text_span(k->header, sizeof(k->header)), e))
			return false;
		any = true;
	}
	return any && !e->failed;
}

/* Of what a mark may want, only this has a place where no byte may be added. */
static bool script_mark_in_place(const struct tg_policy_mark *k, const struct tg_result *r,
				 struct tg_span text, struct tg_sip_edits *e)
{
	return k->flags == TG_MARK_ANONYMISE && !k->header[0] &&
	       script_anonymise(r, text, TG_SIP_SAME_LENGTH, e);
}

/* The policy that had the answer or mark may be gone: then nothing is changed. */
bool tg_edit_script(const struct tg_policy *p, const struct tg_result *r, struct tg_span text,
		    enum tg_sip_length length, struct tg_sip_edits *e)
{
	const struct tg_verdict *const v = &r->verdict;
	const char *sink;

	tg_sip_edits_init(e);
	if (v->action == TG_ACTION_MARK && v->answer < p->n_marks)
		return length == TG_SIP_SAME_LENGTH
			       ? script_mark_in_place(&p->mark[v->answer], r, text, e)
			       : script_mark(&p->mark[v->answer], r, e);
	if (v->action != TG_ACTION_DIVERT || v->answer >= p->n_answers || hides_isup(r, length))
		return false;
	sink = p->answer[v->answer].sink;
	return tg_sip_edit_sink(text, text_span(sink, sizeof(p->answer[0].sink)), e) &&
	       script_sink_body(&p->trunk[v->trunk < p->n_trunks ? v->trunk : 0], sink, r, e);
}

/* RFC 791 §3.1 total length, RFC 8200 §3 payload length, RFC 768 length. The rest of the headers stays as
 * it is: TTL, identification, DF and options are the sender's. */
static void set_lengths(uint8_t *frame, const struct tg_frame *f, unsigned grown)
{
	uint8_t *const ip = frame + f->l3_off, *const udp = frame + f->l4_off;
	const unsigned at = f->ip_version == 6 ? 4 : 2;

	tg_store_be16(ip + at, (uint16_t)(tg_load_be16(ip + at) + grown));
	tg_store_be16(udp + 4, (uint16_t)(UDP_HEADER + f->payload_len));
}

/* The sender did without (RFC 768), and it stays so (traps L3-10). */
static bool has_checksum(const uint8_t *frame, const struct tg_frame *f)
{
	return tg_load_be16(frame + f->l4_off + 6) != 0;
}

/* What its stream has to have changed, in this burst or again. */
static unsigned edit_segment(const struct tg_pipeline *pl, const struct tg_frame_in *in,
			     const struct tg_result *r, uint8_t *out, unsigned cap)
{
	if (in->len > cap)
		return 0;
	memcpy(out, in->data, in->len);
	tg_stream_edit(pl->tcp, r, out);
	return in->len;
}

static unsigned edit_packet(const struct tg_pipeline *pl, const struct tg_frame_in *in,
			    const struct tg_result *r, uint8_t *out, unsigned cap)
{
	if (in->len > cap)
		return 0;
	memcpy(out, in->data, in->len);
	return tg_packet_patch(pl, out, &r->frame, r->association) ? in->len : 0;
}

unsigned tg_edit_held(const struct tg_pipeline *pl, const uint8_t *frame, uint32_t len,
		      uint8_t *out, unsigned cap)
{
	struct tg_frame f;
	uint64_t association;

	if (len > cap || tg_patches_idle(pl->patches, pl->now_ms) ||
	    tg_frame_walk(frame, frame + len, TG_LINK_ETHERNET, &f) != TG_REASON_SCTP)
		return 0;
	association = tg_packet_association(pl, frame, &f);
	/* A checksum that would be made right must not have been wrong. */
	if (!association || !tg_packet_is_patched(pl, frame, &f, association) ||
	    !tg_packet_checksum_ok(frame, &f))
		return 0;
	memcpy(out, frame, len);
	return tg_packet_patch(pl, out, &f, association) ? len : 0;
}

unsigned tg_edit_build(const struct tg_pipeline *pl, const struct tg_generation *gen,
		       const struct tg_frame_in *in, const struct tg_result *r, uint8_t *out,
		       unsigned cap)
{
	const struct tg_policy *const p = &gen->policy;
	struct tg_frame f = r->frame;
	const unsigned ip_len = (unsigned)f.payload_off - f.l3_off + f.payload_len;
	const unsigned mtu = p->trunk[r->verdict.trunk < p->n_trunks ? r->verdict.trunk : 0].mtu;
	struct tg_sip_edits e;
	unsigned len;

	if (r->association)
		return edit_packet(pl, in, r, out, cap);
	if (f.l4_proto == TG_IPPROTO_TCP)
		return edit_segment(pl, in, r, out, cap);
	/* What came in fragments would have to go on in fragments (traps L3-7). */
	if (r->data != in->data || cap <= f.payload_off ||
	    !tg_edit_script(p, r, r->sip->sig.text, TG_SIP_ANY_LENGTH, &e))
		return 0;
	len = tg_sip_edits_apply(r->sip->sig.text, &e, out + f.payload_off, cap - f.payload_off);
	if (len == 0 || (len > f.payload_len && ip_len - f.payload_len + len > mtu))
		return 0;
	memcpy(out, in->data, f.payload_off);
	f.payload_len = (uint16_t)len;
	set_lengths(out, &f, len - r->frame.payload_len);
	if (has_checksum(out, &f))
		tg_checksum_udp_fill(out, &f);
	else
		tg_checksum_ipv4_fill(out + f.l3_off);
	return f.payload_off + len;
}
