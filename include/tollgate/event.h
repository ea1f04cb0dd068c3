/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One judged call, copied out of the packet: what the dataplane's event ring carries and what
 * `tgctl replay --json` prints. Fixed size; raw forms longer than their field are cut and say so.
 */
#ifndef TG_EVENT_H
#define TG_EVENT_H

#include "tollgate/base.h"
#include "tollgate/num.h"
#include "tollgate/pipeline.h"

#define TG_EVENT_RAW_MAX 38

struct tg_event_identity {
	struct tg_num num;
	uint32_t listing;
	uint8_t source;
	uint8_t role;
	uint8_t cls;
	uint8_t raw_len; /* of the message's raw form; what fits is in raw, the rest is cut */
	/* Of ISUP, as on the wire (struct tg_isup_party); else 0. */
	uint8_t has_party;
	uint8_t nature;
	uint8_t plan;
	uint8_t presentation;
	uint8_t screening;
	uint8_t qualifier;
	char raw[TG_EVENT_RAW_MAX];
};

struct tg_event {
	uint64_t time_ns; /* UTC, since the epoch */
	uint64_t generation;
	uint64_t generation_hash;
	/* Unkeyed, to find the call again: of the Call-ID; of point codes, circuit and who calls whom. */
	uint64_t call_key;
	uint64_t frame_number; /* replay; 0 live */
	struct tg_verdict verdict;
	uint8_t protocol;
	uint8_t message; /* enum tg_message_type */
	uint8_t fate;
	uint8_t reason; /* the frame's own, differs from the verdict's for memory_full etc. */
	uint8_t n_ids;
	uint8_t caller;
	uint8_t called;
	bool repeated;
	uint8_t ip_version;
	uint16_t port;
	uint16_t vlan; /* TG_TRUNK_NO_VLAN */
	uint16_t sport;
	uint16_t dport;
	uint8_t src[16];
	uint8_t dst[16];
	bool same_call;
	/* Over SS7; then has_mtp3. */
	bool has_mtp3;
	bool has_network_appearance;
	uint8_t calling_category;
	uint32_t opc;
	uint32_t dpc;
	uint32_t network_appearance;
	uint32_t cic;
	char attest;				  /* as in struct tg_sig_msg */
	uint8_t passports;			  /* in the message, readable or not */
	uint8_t verification;			  /* enum tg_stir_state, with passports */
	uint16_t answer_code;			  /* of a reject or divert, sent or not; else 0 */
	char trunk[TG_POLICY_NAME_MAX + 1];	  /* names, because the policy may be gone by now */
	char rule[TG_POLICY_NAME_MAX + 1];	  /* "-" if none */
	char shadow_rule[TG_POLICY_NAME_MAX + 1]; /* likewise */
	char mark[TG_POLICY_NAME_MAX + 1];	  /* of a mark, else empty */
	struct tg_event_identity id[TG_SIG_MAX_IDS];
};

/* From a judged result. `time_ns` and `frame_number` are the caller's. */
void tg_event_fill(struct tg_event *e, const struct tg_generation *gen,
		   const struct tg_frame_in *in, const struct tg_result *r);

#endif
