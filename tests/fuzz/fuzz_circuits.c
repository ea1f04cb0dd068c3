/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls on circuits and changes of chunks, against plain lists of them. Calls are in sets of their own, so what is
 * known of them is known exactly; a change may have been pushed out. An operation is four bytes:
 *
 *	0  bit 0-2 begin, add, find, end; put one, put three, apply twice; bit 3-7 milliseconds passed before,
 *	   times 1000
 *	1  bit 0-2 circuit, or flow; bit 3-7 TSN, from 16 before the wrap on
 *	2  bit 0-4 length in digits, or 13 bytes; or bit 0 which place in the chunk, bit 1-2 what stands there
 *	3  bytes
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/flow/circuits.h"
#include "dataplane/flow/patches.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OPERATION 4
#define KEYS 8
#define TSNS 32

static struct tg_circuits *c;
static struct tg_patches *p;

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* ---- circuits ---------------------------------------------------------------------------------- */

struct call {
	bool known;
	uint64_t ms; /* heard of last */
	uint8_t iam[512];
	uint32_t iam_tsn;
	uint32_t iam_len;
	struct {
		bool there;
		uint8_t n;
		uint8_t digits[32];
	} sam[TSNS]; /* by TSN, from 16 before the wrap on */
};

static struct call calls[KEYS];

/* One set each. */
static uint64_t key_of(const uint8_t *op)
{
	return (uint64_t)(op[1] & 7) << 61 | 1;
}

static uint32_t tsn_of(const uint8_t *op)
{
	return (op[1] >> 3) - 16u;
}

static void check_call(const struct call *k, const struct tg_circuits_call *got)
{
	uint8_t digits[TSNS * 32];
	unsigned i, n = 0;

	for (i = 0; i < TSNS; i++) {
		if (!k->sam[i].there)
			continue;
		memcpy(digits + n, k->sam[i].digits, k->sam[i].n);
		n += k->sam[i].n;
	}
	require(got->iam.len == k->iam_len && memcmp(got->iam.data, k->iam, k->iam_len) == 0);
	require(got->digits.len == n && memcmp(got->digits.data, digits, n) == 0);
}

static void begin(struct call *k, const uint8_t *op, uint64_t now)
{
	const uint32_t len = (op[2] & 31) * 13u; /* up to 403 */
	uint8_t iam[512];

	memset(iam, op[3], sizeof(iam));
	tg_circuits_begin(c, key_of(op), tsn_of(op), (struct tg_span){ iam, len }, now);
	if (k->known && k->iam_tsn == tsn_of(op) && k->iam_len == len &&
	    memcmp(k->iam, iam, len) == 0)
		return;
	memset(k, 0, sizeof(*k));
	k->iam_tsn = tsn_of(op);
	k->iam_len = len;
	memcpy(k->iam, iam, len);
	k->known = len > 0 && len <= TG_CIRCUITS_IAM_MAX;
	k->ms = now;
}

static void add(struct call *k, const uint8_t *op, uint64_t now)
{
	const unsigned slot = op[1] >> 3;
	struct tg_circuits_call got;
	uint8_t digits[31];
	unsigned n = op[2] & 31, total = n, i;
	bool known;

	memset(digits, op[3], sizeof(digits));
	known = tg_circuits_add(c, key_of(op), tsn_of(op), (struct tg_span){ digits, n }, now,
				&got);
	if (!k->known) {
		require(!known);
		return;
	}
	for (i = 0; i < TSNS; i++)
		total += k->sam[i].there ? k->sam[i].n : 0;
	if (n > 0 && !k->sam[slot].there) {
		k->known = total <= TG_CIRCUITS_DIGITS_MAX;
		k->sam[slot].there = true;
		k->sam[slot].n = (uint8_t)n;
		memcpy(k->sam[slot].digits, digits, n);
	}
	k->ms = now;
	require(known == k->known);
	if (known)
		check_call(k, &got);
}

static void find(const struct call *k, const uint8_t *op, uint64_t now)
{
	struct tg_circuits_call got;

	require(tg_circuits_find(c, key_of(op), now, &got) == k->known);
	if (k->known)
		check_call(k, &got);
}

static void operate_call(const uint8_t *op, uint64_t now)
{
	struct call *k = &calls[op[1] & 7];

	k->known &= now < k->ms + TG_CIRCUITS_LIFE_MS;
	switch (op[0] & 3) {
	case 0:
		begin(k, op, now);
		break;
	case 1:
		add(k, op, now);
		break;
	case 2:
		find(k, op, now);
		break;
	default:
		tg_circuits_end(c, key_of(op));
		k->known = false;
	}
}

/* ---- changes ----------------------------------------------------------------------------------- */

#define PLACES 2
#define KINDS 4

/* What was put last for bytes of that kind at that place of that chunk. */
static struct change {
	bool known;
	uint64_t ms;
	uint8_t is[TG_PATCH_MAX];
} changes[KEYS][TSNS + 2][PLACES][KINDS];

static void fill_user(uint8_t user[PLACES * TG_PATCH_MAX], unsigned kind)
{
	memset(user, 'a' + (int)kind, PLACES * TG_PATCH_MAX);
}

/* Each place is as it was, or as was put last; `wanted`: this one must have been changed. */
static void apply(const uint8_t *op, unsigned slot, uint64_t now, bool wanted)
{
	const unsigned kind = op[2] >> 1 & 3;
	uint8_t user[PLACES * TG_PATCH_MAX], before[PLACES * TG_PATCH_MAX];
	unsigned i, n, changed = 0;
	bool any;

	fill_user(user, kind);
	fill_user(before, kind);
	any = tg_patches_wanted(p, op[1] & 7, slot - 16u, (struct tg_span){ user, sizeof(user) },
				now);
	n = tg_patches_apply(p, op[1] & 7, slot - 16u, user, sizeof(user), now);
	require(any == (n > 0) && (n == 0 || !tg_patches_idle(p, now)));
	for (i = 0; i < PLACES; i++) {
		const struct change *ch = &changes[op[1] & 7][slot][i][kind];
		const bool alive = ch->known && now < ch->ms + TG_PATCHES_LIFE_MS;
		const uint8_t *at = user + i * TG_PATCH_MAX;

		if (alive && memcmp(at, ch->is, TG_PATCH_MAX) == 0) {
			changed++;
			continue;
		}
		require(memcmp(at, before, TG_PATCH_MAX) == 0);
		require(!(wanted && i == (op[2] & 1u)));
	}
	require(n <= changed);
}

static void put(const uint8_t *op, unsigned n, uint64_t now)
{
	const unsigned first = op[1] >> 3, place = op[2] & 1, kind = op[2] >> 1 & 3;
	struct tg_patch patch[3] = { 0 };
	unsigned i;

	for (i = 0; i < n; i++) {
		struct change *ch = &changes[op[1] & 7][first + i][place][kind];

		patch[i] = (struct tg_patch){ .flow = op[1] & 7,
					      .tsn = first + i - 16u,
					      .off = (uint16_t)(place * TG_PATCH_MAX),
					      .len = TG_PATCH_MAX };
		memset(patch[i].was, 'a' + (int)kind, TG_PATCH_MAX);
		memset(patch[i].is, op[3] + (int)i, TG_PATCH_MAX);
		ch->known = true;
		ch->ms = now;
		memcpy(ch->is, patch[i].is, TG_PATCH_MAX);
	}
	require(tg_patches_put(p, patch, n, now));
	for (i = 0; i < n; i++)
		apply(op, first + i, now, true);
}

static void operate_change(const uint8_t *op, uint64_t now)
{
	switch (op[0] & 3) {
	case 0:
		put(op, 1, now);
		break;
	case 1:
		put(op, 3, now);
		break;
	default:
		apply(op, op[1] >> 3, now, false);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint32_t n_calls = KEYS * TG_CIRCUITS_WAYS, n_changes = 4 * TG_PATCHES_WAYS;
	uint64_t now = 0;
	size_t at;

	if (!c) {
		c = aligned_alloc(TG_CACHE_LINE, tg_circuits_size(n_calls));
		p = aligned_alloc(TG_CACHE_LINE, tg_patches_size(n_changes));
	}
	require(c && p);
	c = tg_circuits_init(c, n_calls);
	p = tg_patches_init(p, n_changes);
	memset(calls, 0, sizeof(calls));
	memset(changes, 0, sizeof(changes));
	for (at = 0; at + OPERATION <= size; at += OPERATION) {
		now += (data[at] >> 3) * 1000u;
		if (data[at] & 4)
			operate_change(data + at, now);
		else
			operate_call(data + at, now);
	}
	return 0;
}
