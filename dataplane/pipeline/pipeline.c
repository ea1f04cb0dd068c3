/* SPDX-License-Identifier: BSD-3-Clause */
#include <sodium/crypto_shorthash.h>
#include <string.h>
#include <xxhash.h>

#include "dataplane/flow/cap.h"
#include "dataplane/flow/frags.h"
#include "dataplane/flow/memory.h"
#include "dataplane/pipeline/fragment.h"
#include "dataplane/pipeline/layout.h"
#include "dataplane/pipeline/stream.h"
#include "tollgate/checksum.h"

/* A datagram holds one message, a segment may hold many: 3 INVITEs of 400 bytes in one of 1460, 96 in a
 * burst. What is beyond this passes, counted. */
#define MESSAGES_MAX 128
#define KEYS_MAX (MESSAGES_MAX * TG_SIG_MAX_IDS)
#define ENTRIES_MAX (1u << 28) /* 4 GiB of verdict memory: more is a typing error */

static_assert(crypto_shorthash_KEYBYTES == sizeof(((struct tg_pipeline_config *)0)->key),
	      "the configured key is a SipHash key");

/* A message of the burst that may have a verdict: initial INVITE, ACK or CANCEL. */
struct message {
	struct tg_sip *sip;
	uint16_t frame;	    /* index into the burst */
	uint16_t first_key; /* INVITE: its identities stand at listings[first_key...] */
	uint8_t trunk;
	bool has_key;	/* it has a branch and a Call-ID: the memory can tell it apart */
	bool in_stream; /* then `stream` holds; with a response or an INVITE */
	struct tg_memory_key key;
	struct tg_tcp_message stream;
};

struct tg_pipeline {
	struct tg_memory memory;
	struct tg_cap cap;
	struct tg_frags frags;
	struct tg_tcp *tcp;
	uint8_t tag_key[crypto_shorthash_KEYBYTES];
	uint8_t flow_key[crypto_shorthash_KEYBYTES]; /* see derive_flow_key */
	uint64_t print_factor;			     /* see identities_print */
	uint64_t policy_id;			     /* the policy that `epoch` stands for */
	uint8_t epoch;
	struct tg_table_adapt adapt;

	/* The burst in hand. */
	unsigned n_messages;
	unsigned n_keys;
	unsigned n_more;
	struct message message[MESSAGES_MAX];
	unsigned n_nums;
	struct tg_num nums[KEYS_MAX]; /* each number of a message once */
	uint32_t found[KEYS_MAX];     /* what the table says of nums[] */
	uint16_t num_of[KEYS_MAX];    /* index into nums[], for every identity */
	uint32_t listings[KEYS_MAX];
	struct tg_sip sip[MESSAGES_MAX + 1]; /* the last one for what is looked at only */
	struct tg_result more[MESSAGES_MAX]; /* of frames that end several messages */
	struct tg_sip_edits edits;
	uint8_t scratch[TG_ANSWER_MAX]; /* see is_answerable */
} TG_ALIGNED(TG_CACHE_LINE);

/* What every phase needs, so that none takes ten parameters. */
struct burst {
	struct tg_pipeline *pl;
	const struct tg_generation *gen;
	const struct tg_frame_in *in;
	struct tg_result *out;
	unsigned n;
	uint64_t now_ms;
};

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

size_t tg_pipeline_size(const struct tg_pipeline_config *config)
{
	const struct tg_tcp_config tcp = tcp_config(config);

	if (tg_tcp_size(&tcp) == 0 || config->memory_entries == 0 ||
	    config->memory_entries > ENTRIES_MAX || config->cap_entries == 0 ||
	    config->cap_entries > ENTRIES_MAX || config->frag_sets > TG_FRAGS_SETS_MAX ||
	    config->frag_frames > TG_FRAGS_FRAMES_MAX)
		return 0;
	return sizeof(struct tg_pipeline) + tg_memory_size(config->memory_entries) +
	       tg_cap_size(config->cap_entries) +
	       tg_frags_size(frag_sets(config), frag_frames(config)) + tg_tcp_size(&tcp);
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

static uint64_t keyed_hash(const struct tg_pipeline *pl, const void *bytes, size_t len)
{
	uint64_t hash;

	static_assert(crypto_shorthash_BYTES == sizeof(hash), "SipHash-2-4 gives 64 bits");
	crypto_shorthash((unsigned char *)&hash, bytes, len, pl->flow_key);
	return hash;
}

struct tg_pipeline *tg_pipeline_init(void *memory, const struct tg_pipeline_config *config)
{
	const struct tg_tcp_config tcp = tcp_config(config);
	struct tg_pipeline *pl = memory;
	uint8_t *rest = (uint8_t *)memory + sizeof(*pl);

	memset(pl, 0, sizeof(*pl));
	memcpy(pl->tag_key, config->key, sizeof(pl->tag_key));
	derive_flow_key(pl);
	pl->print_factor = keyed_hash(pl, "tg-print", 8) | 1;
	tg_memory_init(&pl->memory, rest, config->memory_entries);
	rest += tg_memory_size(config->memory_entries);
	tg_cap_init(&pl->cap, rest, config->cap_entries);
	rest += tg_cap_size(config->cap_entries);
	tg_frags_init(&pl->frags, rest, frag_sets(config), frag_frames(config));
	rest += tg_frags_size(frag_sets(config), frag_frames(config));
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
static void prefetch_heads(const struct burst *b)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		__builtin_prefetch(b->in[i].data);
		__builtin_prefetch(b->in[i].data + TG_CACHE_LINE);
	}
}

/* ---- phase 2: walk, classify, parse ------------------------------------------------------------ */

#define SIP_PORT 5060

/* RFC 3320 §7: a SigComp message begins with five one bits. On any other port that is media. */
static bool is_sigcomp(const struct tg_frame *f, struct tg_span payload)
{
	return (f->dport == SIP_PORT || f->sport == SIP_PORT) && payload.len > 0 &&
	       payload.data[0] >= 0xf8;
}

/* Would its endpoint take the packet? Otherwise it makes no verdict and no evidence (traps L3-9). */
static bool checksum_ok(const struct tg_frame_in *in, const struct tg_result *r)
{
	if (in->checksum == TG_PIPELINE_CSUM_IGNORE)
		return true;
	/* No NIC has a word on what was put together from several frames. */
	if (r->data == in->data && in->checksum == TG_PIPELINE_CSUM_GOOD)
		return true;
	if (r->data == in->data && in->checksum == TG_PIPELINE_CSUM_BAD)
		return false;
	return tg_checksum_udp_ok(r->data, &r->frame);
}

/* What a whole datagram is, as read_frame says. */
static enum tg_reason read_datagram(const struct tg_frame_in *in, const struct tg_result *r,
				    struct tg_sip *sip)
{
	const struct tg_frame *f = &r->frame;
	const struct tg_span payload = { r->data + f->payload_off, f->payload_len };
	enum tg_reason reason;

	reason = tg_sip_may_begin(payload) ? tg_sip_parse(payload, sip) : TG_REASON_NOT_SIP;
	if (reason == TG_REASON_NOT_SIP && is_sigcomp(f, payload))
		return TG_REASON_SIGCOMP;
	if (reason == TG_REASON_NONE && sip->method == TG_SIP_INVITE &&
	    tg_unlikely(in->checksum == TG_PIPELINE_CSUM_BAD ||
			in->checksum == TG_PIPELINE_CSUM_ALWAYS) &&
	    !checksum_ok(in, r))
		return TG_REASON_BAD_CHECKSUM;
	return reason;
}

/* All messages that a segment ends, and the headers that it does. */
static enum tg_reason read_segment(struct burst *b, unsigned i)
{
	/* Each frame behind this one has its place. */
	const unsigned most = MESSAGES_MAX - (b->n - i - 1);
	struct tg_pipeline *pl = b->pl;
	struct tg_tcp_reader reader;
	struct tg_tcp_message m;
	bool crowded = false;

	if (!tg_stream_open(pl->tcp, pl->flow_key, &b->in[i], &b->out[i], &reader))
		return TG_REASON_BAD_CHECKSUM;
	while (tg_tcp_next(&reader, &pl->sip[pl->n_messages], &m)) {
		if (pl->n_messages >= most) {
			crowded = true;
			continue;
		}
		pl->message[pl->n_messages] = (struct message){
			.sip = &pl->sip[pl->n_messages],
			.frame = (uint16_t)i,
			.in_stream = true,
			.stream = m,
		};
		pl->n_messages++;
	}
	return crowded ? TG_REASON_TCP_FULL : tg_tcp_reason(&reader);
}

/* What the frame is, or completes. TG_REASON_NONE: sip holds an initial INVITE, an ACK or a CANCEL. */
static enum tg_reason read_frame(struct burst *b, unsigned i, struct tg_sip *sip)
{
	const struct tg_frame_in *in = &b->in[i];
	struct tg_result *r = &b->out[i];
	enum tg_reason reason;

	reason = tg_frame_walk(in->data, in->data + in->len, (enum tg_link)in->link, &r->frame);
	if (tg_unlikely(reason == TG_REASON_FRAGMENT))
		reason = tg_fragment_read(&b->pl->frags, b->pl->flow_key, in, b->now_ms, r);
	if (reason != TG_REASON_NONE)
		return reason;
	return r->frame.l4_proto == TG_IPPROTO_TCP ? read_segment(b, i) : read_datagram(in, r, sip);
}

static void read_frames(struct burst *b)
{
	struct tg_pipeline *pl = b->pl;
	unsigned i;

	pl->n_messages = 0;
	pl->n_more = 0;
	tg_frags_begin(&pl->frags);
	tg_tcp_begin_burst(pl->tcp, b->now_ms);
	for (i = 0; i < b->n; i++) {
		struct tg_sip *sip = &pl->sip[pl->n_messages];
		struct tg_result *r = &b->out[i];
		enum tg_reason reason;

		memset(r, 0, sizeof(*r));
		r->fate = TG_FATE_FORWARD;
		r->data = b->in[i].data;
		reason = read_frame(b, i, sip);
		r->reason = (uint8_t)reason;
		if (reason != TG_REASON_NONE)
			continue;
		r->sip = sip;
		pl->message[pl->n_messages++] = (struct message){
			.sip = sip,
			.frame = (uint16_t)i,
		};
	}
}

/* ---- phase 3: trunks, numbers, keys ------------------------------------------------------------ */

/*
 * The identities that the verdict rests on; see struct tg_memory_key. A form that is no number counts by
 * its bytes. The hash begins with the transaction's SipHash, which nobody outside knows: two lists that
 * collide in one transaction say nothing of another, so a product and its two halves a word will do.
 */
static uint16_t identities_print(const struct tg_pipeline *pl, uint64_t transaction,
				 const struct tg_sig_msg *m)
{
	uint64_t h = transaction;
	unsigned i;

	for (i = 0; i < m->n_ids; i++) {
		const struct tg_span raw = tg_identity_raw(m, i);
		const uint64_t word = tg_unlikely(tg_num_is_none(m->id[i].num))
					      ? XXH3_64bits(raw.data, raw.len)
					      : m->id[i].num.v;
		const unsigned __int128 product = (unsigned __int128)(h ^ word) * pl->print_factor;

		h = (uint64_t)product + (uint64_t)(product >> 64);
	}
	return (uint16_t)(h >> 48);
}

static unsigned find_trunk(const struct burst *b, const struct message *m)
{
	const struct tg_frame_in *in = &b->in[m->frame];
	const struct tg_frame *f = &b->out[m->frame].frame;
	const struct tg_trunk_key key = {
		.port = in->port,
		.vlan = tg_layout_vlan(f),
		.ip_version = f->ip_version,
		.peer = tg_layout_source(b->out[m->frame].data, f),
	};

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

static void gather_invite(struct burst *b, struct message *m)
{
	struct tg_pipeline *pl = b->pl;
	struct tg_sig_msg *sig = &m->sip->sig;
	const unsigned first_num = pl->n_nums;
	unsigned i;

	m->trunk = (uint8_t)find_trunk(b, m);
	if (tg_unlikely(m->sip->n_passports > 0))
		tg_sip_read_passports(m->sip);
	tg_sig_normalise(sig, &b->gen->policy.trunk[m->trunk].profile);
	m->first_key = (uint16_t)pl->n_keys;
	for (i = 0; i < sig->n_ids; i++)
		pl->num_of[pl->n_keys++] = (uint16_t)add_num(pl, first_num, sig->id[i].num);
}

/*
 * All numbers first, then all their lines, one request after the other: a request that misses the TLB
 * holds up what follows, and page walks overlap only with those next to them (asked for between calls'
 * other work, a 10 M table without filter cost three times as much, measured). What the keys take to
 * hash is then as long as the lines take to come.
 */
static void gather_numbers(struct burst *b)
{
	struct tg_pipeline *pl = b->pl;
	unsigned i;

	pl->n_keys = 0;
	pl->n_nums = 0;
	for (i = 0; i < pl->n_messages; i++)
		if (pl->message[i].sip->method == TG_SIP_INVITE)
			gather_invite(b, &pl->message[i]);
	tg_table_prefetch(&b->gen->base, &pl->adapt, pl->nums, pl->n_nums);
}

static void gather_keys(struct burst *b)
{
	struct tg_pipeline *pl = b->pl;
	unsigned i;

	for (i = 0; i < pl->n_messages; i++) {
		struct message *m = &pl->message[i];

		/* An ACK is known by its To-tag, not by the memory. */
		m->has_key = m->sip->method != TG_SIP_ACK && m->sip->branch.len > 0 &&
			     m->sip->call_id.len > 0;
		if (!m->has_key)
			continue;
		m->key.key = tg_sip_transaction(m->sip, pl->flow_key);
		tg_memory_prefetch(&pl->memory, m->key.key);
		if (m->sip->method == TG_SIP_INVITE)
			m->key.print = identities_print(pl, m->key.key, &m->sip->sig);
	}
}

/* ---- phase 4: look up --------------------------------------------------------------------------- */

static void look_up(const struct burst *b)
{
	struct tg_pipeline *pl = b->pl;
	unsigned i;

	tg_table_lookup_burst(&b->gen->base, b->gen->has_delta ? &b->gen->delta : NULL, &pl->adapt,
			      pl->nums, pl->n_nums, pl->found);
	for (i = 0; i < pl->n_keys; i++)
		pl->listings[i] = pl->found[pl->num_of[i]];
}

/* ---- phase 5: decide --------------------------------------------------------------------------- */

/*
 * A verdict of some time ago. Its indices are those of the policy of then: under another one the trunk
 * is found anew, the rule has no name any more, and the answer becomes the built-in one
 * (TG_ANSWER_FALLBACK).
 */
static struct tg_verdict verdict_now(const struct burst *b, const struct message *m,
				     struct tg_verdict v, uint8_t epoch)
{
	if (epoch != b->pl->epoch) {
		v.trunk = m->trunk;
		v.rule = TG_RULE_NONE;
		v.answer = TG_ANSWER_FALLBACK;
	}
	if (v.identity >= m->sip->sig.n_ids)
		v.identity = TG_SIG_NO_ID;
	return v;
}

/* The first verdict on this transaction, if it is remembered. */
static bool recall(const struct burst *b, const struct message *m, struct tg_result *r)
{
	struct tg_memory_record rec;

	if (!m->has_key || !tg_memory_find(&b->pl->memory, m->key, b->now_ms, &rec))
		return false;
	r->verdict = verdict_now(b, m, rec.verdict, rec.epoch);
	r->repeated = true;
	return true;
}

/* Found out by doing it: no second list of conditions to keep in step. Rejected calls are few, and
 * building is about as much work as reading was. */
static bool is_answerable(const struct burst *b, const struct message *m, const struct tg_result *r)
{
	return tg_answer_build(b->pl, b->gen, &b->in[m->frame], r, b->pl->scratch,
			       sizeof(b->pl->scratch)) > 0;
}

/* A fresh verdict that keeps a call back has to be possible and remembered, or the call goes on:
 * then its retransmissions and its CANCEL must go the same way. */
static enum tg_reason commit(const struct burst *b, const struct message *m, struct tg_result *r)
{
	const struct tg_memory_record rec = { r->verdict, b->pl->epoch };
	const bool enforced = tg_verdict_enforced(&r->verdict);
	bool remembered;

	if (enforced && r->verdict.action == TG_ACTION_REJECT && !is_answerable(b, m, r))
		return TG_REASON_ANSWER_IMPOSSIBLE;
	if (!m->has_key)
		return TG_REASON_NONE;
	remembered = tg_memory_put(&b->pl->memory, m->key, b->now_ms, &rec);
	return enforced && !remembered ? TG_REASON_MEMORY_FULL : TG_REASON_NONE;
}

static bool may_answer(const struct burst *b, const struct message *m, const struct tg_result *r)
{
	const struct tg_policy_trunk *trunk = &b->gen->policy.trunk[m->trunk];
	const uint8_t *source = tg_layout_source(r->data, &r->frame);
	const uint64_t id = keyed_hash(b->pl, source, r->frame.ip_version == 6 ? 16 : 4);

	return tg_cap_allow(&b->pl->cap, id, trunk->answers_per_second, b->now_ms);
}

/* A packet that its endpoint will discard: as if it had not been judged. */
static void forget(struct tg_result *r)
{
	memset(&r->verdict, 0, sizeof(r->verdict));
	r->repeated = false;
	r->sip = NULL;
	r->listing = NULL;
	r->reason = TG_REASON_BAD_CHECKSUM;
}

/* Nothing is done about it, and nothing is written down: it needs no proof. */
static bool is_clean_pass(const struct tg_verdict *v)
{
	return v->action == TG_ACTION_PASS && v->reason == TG_REASON_UNLISTED;
}

static void decide_invite(const struct burst *b, const struct message *m, struct tg_result *r)
{
	enum tg_reason obstacle = TG_REASON_NONE;
	bool remembered;

	r->listing = &b->pl->listings[m->first_key];
	remembered = recall(b, m, r);
	if (!remembered)
		tg_policy_decide(&b->gen->policy, m->trunk, &m->sip->sig, r->listing, &r->verdict);
	if (tg_unlikely(!is_clean_pass(&r->verdict) && !checksum_ok(&b->in[m->frame], r))) {
		forget(r);
		return;
	}
	r->judged = true;
	if (!remembered)
		obstacle = commit(b, m, r);
	r->reason = obstacle == TG_REASON_NONE ? r->verdict.reason : (uint8_t)obstacle;
	if (obstacle != TG_REASON_NONE || !tg_verdict_enforced(&r->verdict))
		return;
	r->fate = TG_FATE_ABSORB;
	if (r->verdict.action != TG_ACTION_REJECT)
		return;
	if (may_answer(b, m, r))
		r->fate = TG_FATE_ANSWER;
	else
		r->reason = TG_REASON_ANSWER_CAPPED;
}

/* An ACK or CANCEL that belongs to an answer of ours goes no further; any other passes. */
static void decide_other(const struct burst *b, const struct message *m, struct tg_result *r)
{
	const bool ack = m->sip->method == TG_SIP_ACK;
	const bool ours = ack ? tg_sip_to_tag_is_ours(m->sip, b->pl->tag_key)
			      : m->has_key && tg_memory_kept_back(&b->pl->memory, m->key.key,
								  b->now_ms);

	r->reason = TG_REASON_SIP_REQUEST;
	if (!ours)
		return;
	if (!checksum_ok(&b->in[m->frame], r)) {
		r->reason = TG_REASON_BAD_CHECKSUM;
		return;
	}
	r->fate = TG_FATE_ABSORB;
	r->reason = ack ? TG_REASON_ACK_ABSORBED : TG_REASON_CANCEL_ABSORBED;
}

/* ---- phase 5 for streams: nothing of them is answered or kept back ----------------------------- */

/* The call ends at the next hop, or goes on. Remembered either way, but not if it should have ended and
 * could not. */
static void judge_in_stream(const struct burst *b, const struct message *m, struct tg_result *r)
{
	const bool repeated = recall(b, m, r);
	enum tg_reason obstacle = TG_REASON_NONE;

	if (!repeated)
		tg_policy_decide(&b->gen->policy, m->trunk, &m->sip->sig, r->listing, &r->verdict);
	r->reason = r->verdict.reason;
	if (tg_verdict_enforced(&r->verdict)) {
		obstacle = tg_stream_block(b->pl->tcp, &m->stream, &b->pl->edits);
		r->fate = obstacle == TG_REASON_NONE ? TG_FATE_EDIT : TG_FATE_FORWARD;
	}
	if (obstacle != TG_REASON_NONE) {
		r->reason = (uint8_t)obstacle;
	} else if (!repeated && m->has_key) {
		const struct tg_memory_record rec = { r->verdict, b->pl->epoch };

		/* For the 483 that comes back: without room for it, that is what the caller gets. */
		(void)tg_memory_put(&b->pl->memory, m->key, b->now_ms, &rec);
	}
}

/* A segment's first verdict is its frame's; others follow it. */
static void report(const struct burst *b, const struct message *m, const struct tg_result *v)
{
	struct tg_result *first = &b->out[m->frame], *r = first, *last = first;

	if (first->judged) {
		r = &b->pl->more[b->pl->n_more++];
		*r = *first;
		while (last->next)
			last = (struct tg_result *)last->next;
		last->next = r;
		r->next = NULL;
	}
	r->judged = true;
	r->repeated = v->repeated;
	r->fate = v->fate;
	r->reason = v->reason;
	r->verdict = v->verdict;
	r->sip = v->sip;
	r->listing = v->listing;
}

/* Judged when the header is there, which is when it can be acted on; reported when all of it is. */
static void decide_in_stream(const struct burst *b, const struct message *m)
{
	struct tg_tcp_decision *d = tg_tcp_decision(b->pl->tcp, m->stream.place);
	struct tg_result r = {
		.fate = TG_FATE_FORWARD,
		.sip = m->sip,
		.listing = &b->pl->listings[m->first_key],
	};

	if (d->valid) {
		r.verdict = verdict_now(b, m, d->verdict, d->epoch);
		r.repeated = d->repeated;
		r.reason = d->reason;
		r.fate = d->blocked ? TG_FATE_EDIT : TG_FATE_FORWARD;
	} else {
		judge_in_stream(b, m, &r);
	}
	if (m->stream.whole) {
		d->valid = false;
		report(b, m, &r);
		return;
	}
	d->valid = true;
	d->verdict = r.verdict;
	d->epoch = b->pl->epoch;
	d->repeated = r.repeated;
	d->reason = r.reason;
	d->blocked = r.fate == TG_FATE_EDIT;
}

/* 483 to an INVITE that we changed: what policy says goes back, as far as a status line can. */
static void decide_response(const struct burst *b, const struct message *m)
{
	struct tg_memory_record rec;
	struct tg_sip_answer answer;

	if (!m->has_key || !tg_memory_find_kept_back(&b->pl->memory, m->key.key, b->now_ms, &rec) ||
	    rec.verdict.action != TG_ACTION_REJECT)
		return;
	answer = tg_layout_answer(&b->gen->policy, rec.epoch == b->pl->epoch ? rec.verdict.answer
									     : TG_ANSWER_FALLBACK);
	if (tg_stream_answer(b->pl->tcp, &m->stream, answer.code, answer.phrase, &b->pl->edits) &&
	    !b->out[m->frame].judged)
		b->out[m->frame].reason = TG_REASON_ANSWER_EDITED;
}

/* Also frames that bring again what was changed before. */
static void edit_segments(const struct burst *b)
{
	unsigned i;

	for (i = 0; i < b->n; i++)
		if (tg_unlikely(tg_stream_is_edited(b->pl->tcp, &b->out[i])))
			b->out[i].fate = TG_FATE_EDIT;
}

unsigned tg_edit_build(const struct tg_pipeline *pl, const struct tg_frame_in *in,
		       const struct tg_result *r, uint8_t *out, unsigned cap)
{
	if (in->len > cap)
		return 0;
	memcpy(out, in->data, in->len);
	tg_stream_edit(pl->tcp, r, out);
	return in->len;
}

/* In the order of arrival: a retransmission in the same burst finds its first copy's verdict. */
static void decide(const struct burst *b)
{
	unsigned i;

	for (i = 0; i < b->pl->n_messages; i++) {
		const struct message *m = &b->pl->message[i];

		if (m->in_stream && m->stream.is_response)
			decide_response(b, m);
		else if (m->in_stream)
			decide_in_stream(b, m);
		else if (m->sip->method == TG_SIP_INVITE)
			decide_invite(b, m, &b->out[m->frame]);
		else
			decide_other(b, m, &b->out[m->frame]);
	}
}

/* ---- the burst --------------------------------------------------------------------------------- */

static void pass_all(const struct burst *b)
{
	unsigned i;

	for (i = 0; i < b->n; i++) {
		memset(&b->out[i], 0, sizeof(b->out[i]));
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
	unsigned n, i;

	n = tg_frags_release(&pl->frags, now_ms, freed, max < TG_BURST ? max : TG_BURST);
	for (i = 0; i < n; i++)
		out[i] = (struct tg_released){ freed[i].handle, freed[i].reason };
	return n;
}

void tg_pipeline_burst(struct tg_pipeline *pl, const struct tg_generation *gen,
		       const struct tg_frame_in *in, unsigned n, uint64_t now_ms,
		       struct tg_result *out)
{
	struct burst b = { pl, gen, in, out, n, now_ms };

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
	decide(&b);
	edit_segments(&b);
}
