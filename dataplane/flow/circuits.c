/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "dataplane/flow/circuits.h"

/* Digits of SAMs stand in order of TSN: one that was lost and sent again is read where it was sent. */
struct call {
	uint32_t iam_tsn;
	uint32_t tsn[TG_CIRCUITS_DIGITS_MAX]; /* per SAM: each has a digit at least */
	uint8_t n_of_sam[TG_CIRCUITS_DIGITS_MAX];
	uint8_t digits[TG_CIRCUITS_DIGITS_MAX];
	uint8_t iam[TG_CIRCUITS_IAM_MAX];
	uint16_t iam_len;
	uint8_t n_digits;
	uint8_t n_sams;
} TG_ALIGNED(TG_CACHE_LINE);

static_assert(sizeof(struct call) == 640, "as the README counts");

struct set {
	uint64_t circuit[TG_CIRCUITS_WAYS];
	uint64_t expiry_ms[TG_CIRCUITS_WAYS]; /* 0: nothing is known */
	struct call call[TG_CIRCUITS_WAYS];
} TG_ALIGNED(TG_CACHE_LINE);

static_assert(offsetof(struct set, call) == TG_CACHE_LINE, "looking one up touches one line");

struct tg_circuits {
	struct set *set;
	uint64_t n_sets;
	uint64_t last_ms; /* when the last call is forgotten; 0: there was none */
} TG_ALIGNED(TG_CACHE_LINE);

static uint64_t n_sets_for(uint32_t entries)
{
	const uint64_t n = ((uint64_t)entries + TG_CIRCUITS_WAYS - 1) / TG_CIRCUITS_WAYS;

	return n ? n : 1;
}

size_t tg_circuits_size(uint32_t entries)
{
	return sizeof(struct tg_circuits) + n_sets_for(entries) * sizeof(struct set);
}

struct tg_circuits *tg_circuits_init(void *block, uint32_t entries)
{
	struct tg_circuits *c = block;
	uint64_t i;

	c->set = (struct set *)((uint8_t *)block + sizeof(*c));
	c->n_sets = n_sets_for(entries);
	c->last_ms = 0;
	for (i = 0; i < c->n_sets; i++)
		memset(&c->set[i], 0, offsetof(struct set, call));
	return c;
}

static struct set *set_of(struct tg_circuits *c, uint64_t circuit)
{
	return &c->set[(unsigned __int128)circuit * c->n_sets >> 64];
}

/* Its way, or TG_CIRCUITS_WAYS. */
static unsigned find_way(const struct set *s, uint64_t circuit, uint64_t now_ms)
{
	unsigned i;

	for (i = 0; i < TG_CIRCUITS_WAYS; i++)
		if (s->circuit[i] == circuit && now_ms < s->expiry_ms[i])
			break;
	return i;
}

static bool is_repeated(const struct call *call, uint32_t tsn, struct tg_span iam)
{
	return call->iam_tsn == tsn && call->iam_len == iam.len &&
	       memcmp(call->iam, iam.data, iam.len) == 0;
}

void tg_circuits_begin(struct tg_circuits *c, uint64_t circuit, uint32_t tsn, struct tg_span iam,
		       uint64_t now_ms)
{
	struct set *s = set_of(c, circuit);
	unsigned way = find_way(s, circuit, now_ms), i;

	if (iam.len > 0 && way < TG_CIRCUITS_WAYS && is_repeated(&s->call[way], tsn, iam))
		return;
	tg_circuits_end(c, circuit);
	if (iam.len == 0 || iam.len > TG_CIRCUITS_IAM_MAX)
		return;
	way = 0;
	for (i = 1; i < TG_CIRCUITS_WAYS; i++)
		if (s->expiry_ms[i] < s->expiry_ms[way])
			way = i;
	s->circuit[way] = circuit;
	s->expiry_ms[way] = c->last_ms = now_ms + TG_CIRCUITS_LIFE_MS;
	s->call[way].iam_tsn = tsn;
	s->call[way].n_digits = 0;
	s->call[way].n_sams = 0;
	s->call[way].iam_len = (uint16_t)iam.len;
	memcpy(s->call[way].iam, iam.data, iam.len);
}

static void show(const struct call *from, struct tg_circuits_call *call)
{
	call->iam = (struct tg_span){ from->iam, from->iam_len };
	call->digits = (struct tg_span){ from->digits, from->n_digits };
}

/* False: more than are kept. */
static bool add_digits(struct call *to, uint32_t tsn, struct tg_span digits)
{
	const uint8_t n = (uint8_t)digits.len;
	unsigned k = 0, at = 0;

	while (k < to->n_sams && (int32_t)(to->tsn[k] - tsn) < 0)
		at += to->n_of_sam[k++];
	if (digits.len == 0 || (k < to->n_sams && to->tsn[k] == tsn))
		return true;
	if (digits.len > TG_CIRCUITS_DIGITS_MAX - (uint32_t)to->n_digits)
		return false;
	memmove(to->tsn + k + 1, to->tsn + k, (to->n_sams - k) * sizeof(to->tsn[0]));
	memmove(to->n_of_sam + k + 1, to->n_of_sam + k, to->n_sams - k);
	memmove(to->digits + at + n, to->digits + at, to->n_digits - at);
	memcpy(to->digits + at, digits.data, n);
	to->tsn[k] = tsn;
	to->n_of_sam[k] = n;
	to->n_sams++;
	to->n_digits = (uint8_t)(to->n_digits + n);
	return true;
}

bool tg_circuits_add(struct tg_circuits *c, uint64_t circuit, uint32_t tsn, struct tg_span digits,
		     uint64_t now_ms, struct tg_circuits_call *call)
{
	struct set *s = set_of(c, circuit);
	const unsigned way = find_way(s, circuit, now_ms);

	*call = (struct tg_circuits_call){ 0 };
	if (way == TG_CIRCUITS_WAYS)
		return false;
	if (!add_digits(&s->call[way], tsn, digits)) {
		tg_circuits_end(c, circuit);
		return false;
	}
	s->expiry_ms[way] = c->last_ms = now_ms + TG_CIRCUITS_LIFE_MS;
	show(&s->call[way], call);
	return true;
}

bool tg_circuits_find(struct tg_circuits *c, uint64_t circuit, uint64_t now_ms,
		      struct tg_circuits_call *call)
{
	const struct set *s = set_of(c, circuit);
	const unsigned way = find_way(s, circuit, now_ms);

	*call = (struct tg_circuits_call){ 0 };
	if (way == TG_CIRCUITS_WAYS)
		return false;
	show(&s->call[way], call);
	return true;
}

bool tg_circuits_idle(const struct tg_circuits *c, uint64_t now_ms)
{
	return now_ms >= c->last_ms;
}

void tg_circuits_end(struct tg_circuits *c, uint64_t circuit)
{
	struct set *s = set_of(c, circuit);
	unsigned i;

	for (i = 0; i < TG_CIRCUITS_WAYS; i++)
		if (s->circuit[i] == circuit)
			s->expiry_ms[i] = 0;
}
