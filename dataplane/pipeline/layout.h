/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the files of this room share: where the addresses of a walked frame stand, and the pipeline's
 * key. Every frame here was accepted by tg_frame_walk, so the fixed IP header is inside it.
 */
#ifndef TG_PIPELINE_LAYOUT_H
#define TG_PIPELINE_LAYOUT_H

#include "tollgate/pipeline.h"

/* RFC 791 §3.1 and RFC 8200 §3: 4 or 16 bytes. */
static inline const uint8_t *tg_layout_source(const uint8_t *data, const struct tg_frame *f)
{
	return data + f->l3_off + (f->ip_version == 6 ? 8 : 12);
}

static inline const uint8_t *tg_layout_destination(const uint8_t *data, const struct tg_frame *f)
{
	return data + f->l3_off + (f->ip_version == 6 ? 24 : 16);
}

/* A priority tag (VID 0, IEEE 802.1Q §6.9.1) says nothing of a VLAN: the frame is untagged. */
static inline uint16_t tg_layout_vlan(const struct tg_frame *f)
{
	return f->n_vlan > 0 && f->vlan[0] != 0 ? f->vlan[0] : TG_TRUNK_NO_VLAN;
}

/* What policy says for an answer's index, or the built-in one if it has none of it. */
struct tg_sip_answer tg_layout_answer(const struct tg_policy *p, unsigned index);

/* The SipHash key that To-tags are made with. */
const uint8_t *tg_layout_key(const struct tg_pipeline *pl);

#endif
