/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes of SCTP DATA chunks that go out changed, by the chunk's TSN: so a retransmission, on whatever path and
 * bundled with whatever else, is changed alike (traps SCTP-5). A change is remembered with what stood there; where
 * that is not what stands there now, it is another message's chunk, and stays as it is.
 *
 * Fixed size, one worker's own, no clock. What has no place pushes out the oldest of its set: then a retransmission
 * is judged anew, and the verdict memory makes the same of it.
 */
#ifndef TG_FLOW_PATCHES_H
#define TG_FLOW_PATCHES_H

#include "tollgate/base.h"

#define TG_PATCH_MAX 20 /* bytes of one change; a called number of 30 digits has 15 octets */
#define TG_PATCHES_WAYS 8
/* Association.Max.Retrans (10, RFC 9260 §16) times RTO.Max would be minutes; who retransmits for so long is lost. */
#define TG_PATCHES_LIFE_MS 64000

struct tg_patches;

size_t tg_patches_size(uint32_t entries);
/* `block`: tg_patches_size bytes, cache-line aligned, the caller's. */
struct tg_patches *tg_patches_init(void *block, uint32_t entries);

/* One change within one chunk's user data. */
struct tg_patch {
	uint64_t flow; /* keyed hash, as in chunks.h */
	uint32_t tsn;
	uint16_t off; /* in the chunk's user data */
	uint8_t len;  /* 1 to TG_PATCH_MAX */
	uint8_t was[TG_PATCH_MAX];
	uint8_t is[TG_PATCH_MAX];
};

/*
 * All of them, of one message, or none: false if there is no room (a set would get more of this call's than it has
 * ways) or a length is impossible. The same change twice is one; of two with the same place and the same `was`,
 * the later one holds. No two may overlap otherwise.
 */
bool tg_patches_put(struct tg_patches *p, const struct tg_patch *patch, unsigned n,
		    uint64_t now_ms);

/* Nothing was put for TG_PATCHES_LIFE_MS: nothing has to be looked up. */
bool tg_patches_idle(const struct tg_patches *p, uint64_t now_ms);

/* Has this chunk's user data bytes to be changed, as they stand? */
bool tg_patches_wanted(const struct tg_patches *p, uint64_t flow, uint32_t tsn, struct tg_span user,
		       uint64_t now_ms);

/* Changes them: `user` is the caller's to write. How many changes were made: none if it was changed before. */
unsigned tg_patches_apply(const struct tg_patches *p, uint64_t flow, uint32_t tsn, uint8_t *user,
			  uint32_t len, uint64_t now_ms);

#endif
