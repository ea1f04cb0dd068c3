/* SPDX-License-Identifier: BSD-3-Clause */
#include <sodium/crypto_shorthash.h>
#include <string.h>
#include <xxhash.h>

#include "dataplane/pipeline/fragment.h"
#include "dataplane/pipeline/layout.h"
#include "dataplane/pipeline/sctp.h"
#include "dataplane/pipeline/ss7.h"
#include "dataplane/pipeline/state.h"
#include "dataplane/pipeline/stream.h"
#include "tollgate/checksum.h"
#include "tollgate/sip_isup.h"

/* Changes of a call over SS7, one or two each: at 1 % of 6,000 calls a second, the 64 s for which they are kept. */
#define PATCHES 8192
/* Calls that may be continued: 200 a second for the 20 s for which they are known, 2.6 MiB. */
#define CIRCUITS 4096
#define ENTRIES_MAX (1u << 28) /* 4 GiB of verdict memory: more is a typing error */

static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct tg_pipeline_config *)0)->key),
	      "the configured key is a SipHash key");

static uint32_t frag_sets(const struct tg_pipeline_config *config)
{
	return config->frag_sets ? config->frag_sets : TG_PIPELINE_FRAG_SETS_DEFAULT;
}

static uint32_t frag_frames(const struct tg_pipeline_config *config)
{
	return config->frag_frames ? config->frag_frames : TG_PIPELINE_FRAG_FRAMES_DEFAULT;
}

static struct tg_tcp_config tcp_config(const struct tg_pipeline_config *config)
{
	return (struct tg_tcp_config){
		.flows = config->tcp_flows ? config->tcp_flows : TG_PIPELINE_TCP_FLOWS_DEFAULT,
		.buffers = config->tcp_buffers ? config->tcp_buffers
					       : TG_PIPELINE_TCP_BUFFERS_DEFAULT,
		.patches = TG_TCP_PATCHES_DEFAULT,
	};
}

static struct tg_chunks_config chunks_config(const struct tg_pipeline_config *config)
{
	return (struct tg_chunks_config){
		.sets = config->sctp_sets ? config->sctp_sets : TG_PIPELINE_SCTP_SETS_DEFAULT,
		.frames = config->sctp_frames ? config->sctp_frames
					      : TG_PIPELINE_SCTP_FRAMES_DEFAULT,
	};
}

static uint32_t limit_entries(const struct tg_pipeline_config *config)
{
	return config->limit_entries ? config->limit_entries : TG_PIPELINE_LIMITS_DEFAULT;
}

/* Most calls have one transaction and end before it is forgotten: half as many will do. */
static uint32_t call_entries(const struct tg_pipeline_config *config)
{
	return (config->memory_entries + 1) / 2;
}

size_t tg_pipeline_size(const struct tg_pipeline_config *config)
{
	const struct tg_chunks_config chunks = chunks_config(config);
	const struct tg_tcp_config tcp = tcp_config(config);

	if (tg_tcp_size(&tcp) == 0 || tg_chunks_size(&chunks) == 0 || config->memory_entries == 0 ||
	    config->memory_entries > ENTRIES_MAX || config->cap_entries == 0 ||
	    config->cap_entries > ENTRIES_MAX || config->limit_entries > ENTRIES_MAX ||
	    config->verified_entries > ENTRIES_MAX || config->frag_sets > TG_FRAGS_SETS_MAX ||
	    config->frag_frames > TG_FRAGS_FRAMES_MAX)
		return 0;
	return sizeof(struct tg_pipeline) + tg_memory_size(config->memory_entries) +
	       tg_memory_size(call_entries(config)) + tg_cap_size(config->cap_entries) +
	       tg_cap_size(limit_entries(config)) + tg_verified_size(config->verified_entries) +
	       tg_frags_size(frag_sets(config), frag_frames(config)) + tg_chunks_size(&chunks) +
	       tg_patches_size(PATCHES) + tg_circuits_size(CIRCUITS) + tg_tcp_size(&tcp);
}

/*
 * To-tags are hashes that everybody may ask for, by sending a call that is rejected. What they are
 * made with must not also place transactions and sources in our tables, or an attacker could aim.
 */
static void derive_flow_key(struct tg_pipeline *pl)
{
	static const char label[2][8] = { "tg-flow", "tg-FLOW" };
	unsigned i;

	for (i = 0; i < 2; i++)
		crypto_shorthash(pl->flow_key + i * crypto_shorthash_BYTES,
				 (const unsigned char *)label[i], sizeof(label[i]), pl->tag_key);
}

uint64_t tg_state_hash(const struct tg_pipeline *pl, const void *bytes, size_t len)
{
	uint64_t hash;

	static_assert(crypto_shorthash_BYTES == sizeof(hash), "SipHash-2-4 gives 64 bits");
	crypto_shorthash((unsigned char *)&hash, bytes, len, pl->flow_key);
	return hash;
}

uint64_t tg_state_name_hash(const struct tg_pipeline *pl, const uint64_t word[2])
{
	const uint64_t hash = tg_state_hash(pl, word, 2 * sizeof(word[0]));

	return hash + (hash == 0);
}

struct tg_pipeline *tg_pipeline_init(void *memory, const struct tg_pipeline_config *config)
{
	const struct tg_chunks_config chunks = chunks_config(config);
	const struct tg_tcp_config tcp = tcp_config(config);
	struct tg_pipeline *pl = memory;
	uint8_t *rest = (uint8_t *)memory + sizeof(*pl);

	memset(pl, 0, sizeof(*pl));
	memcpy(pl->tag_key, config->key, sizeof(pl->tag_key));
	derive_flow_key(pl);
	pl->print_factor = tg_state_hash(pl, "tg-print", 8) | 1;
	tg_memory_init(&pl->memory, rest, config->memory_entries);
	rest += tg_memory_size(config->memory_entries);
	tg_memory_init(&pl->calls, rest, call_entries(config));
	rest += tg_memory_size(call_entries(config));
	tg_cap_init(&pl->cap, rest, config->cap_entries);
	rest += tg_cap_size(config->cap_entries);
	tg_cap_init(&pl->limits, rest, limit_entries(config));
	rest += tg_cap_size(limit_entries(config));
	tg_verified_init(&pl->verified, rest, config->verified_entries);
	rest += tg_verified_size(config->verified_entries);
	tg_frags_init(&pl->frags, rest, frag_sets(config), frag_frames(config));
	rest += tg_frags_size(frag_sets(config), frag_frames(config));
	pl->chunks = tg_chunks_init(rest, &chunks);
	rest += tg_chunks_size(&chunks);
	pl->patches = tg_patches_init(rest, PATCHES);
	rest += tg_patches_size(PATCHES);
	pl->circuits = tg_circuits_init(rest, CIRCUITS);
	rest += tg_circuits_size(CIRCUITS);
	pl->tcp = tg_tcp_init(rest, &tcp);
	return pl;
}

const struct tg_table_adapt *tg_pipeline_adapt(const struct tg_pipeline *pl)
{
	return &pl->adapt;
}

const uint8_t *tg_layout_key(const struct tg_pipeline *pl)
{
	return pl->tag_key;
}

uint64_t tg_generation_hash(const struct tg_generation *g)
{
	const uint64_t ids[3] = {
		g->base.header ? g->base.header->id : 0,
		g->has_delta && g->delta.header ? g->delta.header->id : 0,
		g->policy.header ? g->policy.header->id : 0,
	};

	return XXH3_64bits(ids, sizeof(ids));
}

/* ---- phase 1: heads of frames ------------------------------------------------------------------ */

/* Ethernet 14 + three tags 12 + IPv6 40 + UDP 8 = 74 bytes, and a start line: two cache lines. From
 * there on the parser reads straight ahead, which the hardware prefetcher sees by itself. */
static void prefetch_heads(const struct tg_burst_state *b)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		__builtin_prefetch(b->in[i].data);
		__builtin_prefetch(b->in[i].data + TG_CACHE_LINE);
	}
}

/* ---- phase 2: walk, classify, parse ------------------------------------------------------------ */

#define SIP_PORT 5060

/* What is no SIP on SIP's port, where media is not expected: a SigComp message begins with five one
 * bits (RFC 3320 §7); a DTLS record with 20 to 63 (RFC 7983 §7) and a version of 254.x (RFC 6347 §4.1). */
static enum tg_reason other_than_sip(const struct tg_frame *f, struct tg_span payload)
{
	if ((f->dport != SIP_PORT && f->sport != SIP_PORT) || payload.len < 2)
		return TG_REASON_NOT_SIP;
	if (payload.data[0] >= 0xf8)
		return TG_REASON_SIGCOMP;
	return payload.data[0] >= 20 && payload.data[0] <= 63 && payload.data[1] == 0xfe
		       ? TG_REASON_TLS
		       : TG_REASON_NOT_SIP;
}

/* Would its endpoint take the packet? Otherwise it makes no verdict and no evidence (traps L3-9). */
bool tg_state_checksum_ok(const struct tg_frame_in *in, const struct tg_result *r)
{
	if (in->checksum == TG_PIPELINE_CSUM_IGNORE || in->link == TG_LINK_MTP3)
		return true;
	/* No NIC has a word on what was put together from several frames. */
	if (r->data == in->data && in->checksum == TG_PIPELINE_CSUM_GOOD)
		return true;
	if (r->data == in->data && in->checksum == TG_PIPELINE_CSUM_BAD)
		return false;
	return r->association ? tg_packet_checksum_ok(r->data, &r->frame)
			      : tg_checksum_udp_ok(r->data, &r->frame);
}

/* What a whole datagram is, as read_frame says. */
static enum tg_reason read_datagram(const struct tg_frame_in *in, const struct tg_result *r,
				    struct tg_sip *sip)
{
	const struct tg_frame *f = &r->frame;
	const struct tg_span payload = { r->data + f->payload_off, f->payload_len };
	enum tg_reason reason;

	reason = tg_sip_may_begin(payload) ? tg_sip_parse(payload, sip) : TG_REASON_NOT_SIP;
	if (reason == TG_REASON_NOT_SIP)
		return other_than_sip(f, payload);
	if (reason == TG_REASON_NONE && sip->method == TG_SIP_INVITE &&
	    tg_unlikely(in->checksum == TG_PIPELINE_CSUM_BAD ||
			in->checksum == TG_PIPELINE_CSUM_ALWAYS) &&
	    !tg_state_checksum_ok(in, r))
		return TG_REASON_BAD_CHECKSUM;
	return reason;
}

/* All messages that a segment ends, and the headers that it does. */
static enum tg_reason read_segment(struct tg_burst_state *b, unsigned i)
{
	/* Each frame behind this one has its place. */
	const unsigned most = TG_MESSAGES_MAX - (b->n - i - 1);
	struct tg_pipeline *pl = b->pl;
	struct tg_tcp_reader reader;
	struct tg_tcp_message m;
	struct tg_sip *sip;
	bool crowded = false;

	if (!tg_stream_open(pl->tcp, pl->flow_key, &b->in[i], &b->out[i], &reader))
		return TG_REASON_BAD_CHECKSUM;
	while (tg_tcp_next(&reader, &pl->sip[pl->n_messages], &m)) {
		if (pl->n_messages >= most) {
			crowded = true;
			continue;
		}
		sip = &pl->sip[pl->n_messages];
		pl->message[pl->n_messages] = (struct tg_message){
			.sig = sip->method == TG_SIP_INVITE ? &sip->sig : NULL,
			.sip = sip,
			.frame = (uint16_t)i,
			.in_stream = true,
			.stream = m,
		};
		pl->n_messages++;
	}
	return crowded ? TG_REASON_TCP_FULL : tg_tcp_reason(&reader);
}

/* What the frame is, or completes. TG_REASON_NONE: sip holds an initial INVITE, an ACK or a CANCEL. */
static enum tg_reason read_frame(struct tg_burst_state *b, unsigned i, struct tg_sip *sip)
{
	const struct tg_frame_in *in = &b->in[i];
	struct tg_result *r = &b->out[i];
	enum tg_reason reason;

	if (in->link == TG_LINK_MTP3)
		return tg_ss7_read_msu(b, i);
	reason = tg_frame_walk(in->data, in->data + in->len, (enum tg_link)in->link, &r->frame);
	if (reason == TG_REASON_SCTP)
		return tg_packet_read(b, i);
	/* What fragments carried of SCTP is not read: there is no one frame of it to be changed. */
	if (tg_unlikely(reason == TG_REASON_FRAGMENT))
		reason = tg_fragment_read(b, i);
	if (reason != TG_REASON_NONE)
		return reason;
	return r->frame.l4_proto == TG_IPPROTO_TCP ? read_segment(b, i) : read_datagram(in, r, sip);
}

static void read_frames(struct tg_burst_state *b)
{
	struct tg_pipeline *pl = b->pl;
	unsigned i;

	pl->n_messages = 0;
	pl->n_more = 0;
	pl->n_ss7 = 0;
	pl->may_be_patched = !tg_patches_idle(pl->patches, b->now_ms);
	pl->is_patched = 0;
	pl->new_patches = 0;
	pl->now_ms = b->now_ms;
	tg_frags_begin(&pl->frags);
	tg_chunks_begin(pl->chunks, b->now_ms);
	tg_tcp_begin_burst(pl->tcp, b->now_ms);
	for (i = 0; i < b->n; i++) {
		struct tg_sip *sip = &pl->sip[pl->n_messages];
		struct tg_result *r = &b->out[i];
		enum tg_reason reason;
		struct tg_message *m;

		tg_clear(r, sizeof(*r));
		r->fate = TG_FATE_FORWARD;
		r->data = b->in[i].data;
		reason = read_frame(b, i, sip);
		r->reason = (uint8_t)reason;
		if (reason != TG_REASON_NONE)
			continue;
		r->sip = sip;
		m = &pl->message[pl->n_messages++];
		tg_clear(m, sizeof(*m));
		m->sig = sip->method == TG_SIP_INVITE ? &sip->sig : NULL;
		m->sip = sip;
		m->frame = (uint16_t)i;
	}
}

/* ---- phase 3: trunks, numbers, keys ------------------------------------------------------------ */

/*
 * The identities that the verdict rests on; see struct tg_memory_key. The hash begins with the transaction's or the
 * call's SipHash: two lists that collide in one transaction say nothing of another.
 */
static void mix_identities(const struct tg_pipeline *pl, const struct tg_sig_msg *sig,
			   uint64_t *transaction, uint64_t *call)
{
	unsigned i;

	for (i = 0; i < sig->n_ids; i++) {
		const uint64_t word = tg_state_identity(pl, sig, i);

		*transaction = tg_state_mix(pl, *transaction, word);
		*call = tg_state_mix(pl, *call, word);
	}
}

struct tg_trunk_key tg_state_trunk_key(const struct tg_frame_in *in, const struct tg_result *r,
				       const struct tg_mtp3 *mtp3)
{
	const bool is_ip = r->frame.ip_version != 0; /* captures may begin above it */

	return (struct tg_trunk_key){
		.port = in->port,
		.vlan = tg_layout_vlan(&r->frame),
		.ip_version = r->frame.ip_version,
		.peer = is_ip ? tg_layout_source(r->data, &r->frame) : NULL,
		.local = is_ip ? tg_layout_destination(r->data, &r->frame) : NULL,
		.mtp3 = mtp3,
	};
}

unsigned tg_state_trunk(const struct tg_burst_state *b, unsigned i)
{
	const struct tg_trunk_key key = tg_state_trunk_key(&b->in[i], &b->out[i], NULL);

	return tg_policy_trunk_find(&b->gen->policy, &key);
}

/* The number's place among those of its message. Request-URI and To mostly have the same, From and
 * P-Asserted-Identity too: half of the lookups are saved for two comparisons an identity. */
static unsigned add_num(struct tg_pipeline *pl, unsigned first, struct tg_num num)
{
	unsigned i;

	for (i = first; i < pl->n_nums; i++)
		if (pl->nums[i].v == num.v)
			return i;
	pl->nums[pl->n_nums++] = num;
	return i;
}

/* Identities in the body, if it is ISUP (SIP-I). Of a stream only the header is at hand. */
static void read_body(struct tg_burst_state *b, struct tg_message *m)
{
	struct tg_isup *const isup = &b->pl->ss7[b->pl->n_ss7].ss7.isup;
	unsigned first;

	if (!tg_sip_isup_read(m->sip, &b->gen->policy.trunk[m->trunk].profile, isup, &first))
		return;
	b->pl->n_ss7++;
	m->isup = isup;
	m->first_party = (uint8_t)first;
}

/* Numbers and classes, under the profile of its trunk. */
static void normalise(struct tg_burst_state *b, struct tg_message *m)
{
	const struct tg_policy *const p = &b->gen->policy;

	if (m->ss7) {
		tg_isup_normalise(&m->ss7->ss7.isup, &p->trunk[m->trunk].profile);
		return;
	}
	m->trunk = (uint8_t)tg_state_trunk(b, m->frame);
	if (tg_unlikely(m->sip->n_passports > 0)) {
		tg_sip_read_passports(m->sip);
		tg_verification_read(b, m->sip);
	}
	tg_sig_normalise(m->sig, &p->trunk[m->trunk].profile);
	if (!m->in_stream && tg_unlikely(tg_sip_body(m->sip, false) == TG_SIP_BODY_ISUP))
		read_body(b, m);
}

static void gather_call(struct tg_burst_state *b, struct tg_message *m)
{
	struct tg_pipeline *pl = b->pl;
	const unsigned first_num = pl->n_nums;
	unsigned i;

	normalise(b, m);
	m->first_key = (uint16_t)pl->n_keys;
	for (i = 0; i < m->sig->n_ids; i++)
		pl->num_of[pl->n_keys++] = (uint16_t)add_num(pl, first_num, m->sig->id[i].num);
}

/*
 * All numbers first, then all their lines, one request after the other: a request that misses the TLB
 * holds up what follows, and page walks overlap only with those next to them (asked for between calls'
 * other work, a 10 M table without filter cost three times as much, measured). What the keys take to
 * hash is then as long as the lines take to come.
 */
static void gather_numbers(struct tg_burst_state *b)
{
	struct tg_pipeline *pl = b->pl;
	unsigned i;

	pl->n_keys = 0;
	pl->n_nums = 0;
	for (i = 0; i < pl->n_messages; i++)
		if (pl->message[i].sig)
			gather_call(b, &pl->message[i]);
	tg_table_prefetch(&b->gen->base, &pl->adapt, pl->nums, pl->n_nums);
}

static void take_keys(struct tg_pipeline *pl, struct tg_message *m, const struct tg_sip_keys *k)
{
	uint64_t transaction = k->transaction, call;

	m->key.key = k->transaction;
	tg_memory_prefetch(&pl->memory, k->transaction);
	if (!m->sig)
		return;
	m->call.key = k->call;
	tg_memory_prefetch(&pl->calls, k->call);
	/* What has become known of its PASSporTs since makes another transaction of the call a thing to be
	 * judged anew; a retransmission never is. */
	call = k->call ^ m->sig->verification;
	mix_identities(pl, m->sig, &transaction, &call);
	m->key.print = (uint16_t)(transaction >> 48);
	m->call.print = (uint16_t)(call >> 48);
}

static void gather_keys(struct tg_burst_state *b)
{
	struct tg_pipeline *pl = b->pl;
	struct tg_sip_keys keys[TG_MESSAGES_MAX];
	uint16_t of[TG_MESSAGES_MAX];
	unsigned n = 0, i;

	for (i = 0; i < pl->n_messages; i++) {
		struct tg_message *m = &pl->message[i];

		if (m->ss7)
			continue;
		/* An ACK is known by its To-tag, and by the memory only if it may have to follow its
		 * INVITE to a sink. */
		m->has_key = (m->sip->method != TG_SIP_ACK || b->gen->policy.has_sinks) &&
			     m->sip->branch.len > 0 && m->sip->call_id.len > 0;
		keys[n].sip = m->sip;
		of[n] = (uint16_t)i;
		n += m->has_key;
	}
	tg_sip_keys_burst(keys, n, pl->flow_key);
	for (i = 0; i < n; i++)
		take_keys(pl, &pl->message[of[i]], &keys[i]);
	if (pl->n_ss7)
		tg_ss7_keys_burst(b);
}

/* ---- phase 4: look up --------------------------------------------------------------------------- */

static void look_up(const struct tg_burst_state *b)
{
	struct tg_pipeline *pl = b->pl;
	unsigned i;

	tg_table_lookup_burst(&b->gen->base, b->gen->has_delta ? &b->gen->delta : NULL, &pl->adapt,
			      pl->nums, pl->n_nums, pl->found);
	for (i = 0; i < pl->n_keys; i++)
		pl->listings[i] = pl->found[pl->num_of[i]];
}

/* ---- the burst --------------------------------------------------------------------------------- */

static void pass_all(const struct tg_burst_state *b)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		tg_clear(&b->out[i], sizeof(b->out[i]));
		b->out[i].fate = TG_FATE_FORWARD;
		b->out[i].data = b->in[i].data;
		b->out[i].reason = TG_REASON_NO_GENERATION;
	}
}

/* Numbers the policies that this pipeline has seen, so that a remembered verdict knows whether its
 * indices still hold. 128 swaps within 32 s would come round: then an index is at worst another's,
 * and is checked where it is used. */
static void note_policy(struct tg_pipeline *pl, const struct tg_policy *p)
{
	if (p->header->id == pl->policy_id)
		return;
	pl->policy_id = p->header->id;
	pl->epoch = (uint8_t)((pl->epoch + 1) % TG_MEMORY_EPOCHS);
}

unsigned tg_pipeline_release(struct tg_pipeline *pl, uint64_t now_ms, struct tg_released *out,
			     unsigned max)
{
	struct tg_frags_freed freed[TG_BURST];
	void *handle[TG_BURST];
	unsigned n, waited, i;

	if (max > TG_BURST)
		max = TG_BURST;
	n = tg_frags_release(&pl->frags, now_ms, freed, max);
	for (i = 0; i < n; i++)
		out[i] = (struct tg_released){ freed[i].handle, freed[i].reason, freed[i].drop,
					       false };
	waited = tg_chunks_release(pl->chunks, now_ms, handle, max - n);
	for (i = 0; i < waited; i++)
		out[n + i] = (struct tg_released){ handle[i], TG_REASON_SCTP_PART, false, true };
	return n + waited;
}

void tg_pipeline_burst(struct tg_pipeline *pl, const struct tg_generation *gen,
		       const struct tg_frame_in *in, unsigned n, uint64_t now_ms,
		       struct tg_result *out)
{
	struct tg_burst_state b = { pl, gen, in, out, n, now_ms };

	if (!gen) {
		pass_all(&b);
		return;
	}
	note_policy(pl, &gen->policy);
	prefetch_heads(&b);
	read_frames(&b);
	gather_numbers(&b);
	gather_keys(&b);
	look_up(&b);
	tg_decide_burst(&b);
	tg_decide_segments(&b);
	tg_decide_packets(&b);
	tg_decide_exceptions(&b);
}
