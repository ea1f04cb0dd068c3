/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of connections. */
#include <string.h>

#include "dataplane/flow/tcp_state.h"

static uint64_t n_sets_for(uint32_t flows)
{
	return ((uint64_t)flows + TG_TCP_WAYS - 1) / TG_TCP_WAYS;
}

static size_t lines(size_t bytes)
{
	return (bytes + TG_CACHE_LINE - 1) / TG_CACHE_LINE * TG_CACHE_LINE;
}

size_t tg_tcp_size(const struct tg_tcp_config *c)
{
	if (c->flows == 0 || c->flows > TG_TCP_LIMIT || c->buffers == 0 ||
	    c->buffers > TG_TCP_LIMIT || c->patches == 0 || c->patches > TG_TCP_LIMIT)
		return 0;
	return lines(sizeof(struct tg_tcp)) + n_sets_for(c->flows) * sizeof(struct tg_tcp_set) +
	       n_sets_for(c->flows) * TG_TCP_WAYS * sizeof(struct tg_tcp_flow) +
	       c->buffers * sizeof(struct tg_tcp_buffer) +
	       lines(c->patches * sizeof(struct tg_tcp_patch));
}

struct tg_tcp *tg_tcp_init(void *block, const struct tg_tcp_config *c)
{
	struct tg_tcp *t = block;
	uint8_t *rest = (uint8_t *)block + lines(sizeof(*t));
	uint32_t i;

	memset(t, 0, sizeof(*t));
	t->n_sets = n_sets_for(c->flows);
	t->set = (struct tg_tcp_set *)rest;
	rest += t->n_sets * sizeof(*t->set);
	t->flow = (struct tg_tcp_flow *)rest;
	rest += t->n_sets * TG_TCP_WAYS * sizeof(*t->flow);
	t->buffer = (struct tg_tcp_buffer *)rest;
	rest += c->buffers * sizeof(*t->buffer);
	t->patch = (struct tg_tcp_patch *)rest;
	memset(t->set, 0, t->n_sets * sizeof(*t->set));
	memset(t->flow, 0, t->n_sets * TG_TCP_WAYS * sizeof(*t->flow));
	for (i = 0; i < c->buffers; i++)
		t->buffer[i].link = (uint16_t)(i + 1 < c->buffers ? i + 1 : TG_TCP_NONE);
	for (i = 0; i < c->patches; i++)
		t->patch[i].link = (uint16_t)(i + 1 < c->patches ? i + 1 : TG_TCP_NONE);
	t->retired = TG_TCP_NONE;
	return t;
}

void tg_tcp_begin_burst(struct tg_tcp *t, uint64_t now_ms)
{
	t->burst++;
	t->now_ms = now_ms;
	tg_tcp_buffer_free_retired(t);
}

static uint64_t set_of(const struct tg_tcp *t, uint64_t id)
{
	return (uint64_t)((unsigned __int128)id * t->n_sets >> 64);
}

uint16_t tg_tcp_find(const struct tg_tcp *t, uint64_t id)
{
	const uint64_t at = set_of(t, id);
	unsigned i;

	for (i = 0; i < TG_TCP_WAYS; i++) {
		if (t->set[at].id[i] == id)
			return (uint16_t)(at * TG_TCP_WAYS + i);
	}
	return TG_TCP_NONE;
}

/*
 * How willingly a place is given; 0 = not at all. Empty ones first, then closed ones first, then those to which nobody has
 * answered (a flood of forged segments takes from itself), then the idle. Of equals the oldest.
 */
static uint64_t expendable(const struct tg_tcp *t, uint64_t id, const struct tg_tcp_flow *f)
{
	const uint32_t age = (uint32_t)t->now_ms - f->seen_ms;

	if (f->burst == t->burst)
		return 0; /* messages of this burst name it, or the one that had its place */
	if (id == 0)
		return UINT64_MAX;
	if (f->is_closed)
		return 3ull << 32 | age;
	if (!f->is_answered)
		return 2ull << 32 | age;
	return age >= TG_TCP_IDLE_MS ? 1ull << 32 | age : 0;
}

uint16_t tg_tcp_add(struct tg_tcp *t, uint64_t id)
{
	const uint64_t at = set_of(t, id);
	unsigned way = TG_TCP_WAYS, i;
	struct tg_tcp_flow *f;
	uint64_t most = 0;

	for (i = 0; i < TG_TCP_WAYS; i++) {
		const uint64_t e = expendable(t, t->set[at].id[i], &t->flow[at * TG_TCP_WAYS + i]);

		if (e > most) {
			most = e;
			way = i;
		}
	}
	if (way == TG_TCP_WAYS)
		return TG_TCP_NONE;
	f = &t->flow[at * TG_TCP_WAYS + way];
	if (t->set[at].id[way] != 0)
		tg_tcp_remove(t, (uint16_t)(at * TG_TCP_WAYS + way));
	memset(f, 0, sizeof(*f));
	for (i = 0; i < 2; i++) {
		f->stream[i].buffer = TG_TCP_NONE;
		f->stream[i].head = TG_TCP_NONE;
		f->stream[i].patch = TG_TCP_NONE;
	}
	f->burst = t->burst;
	f->seen_ms = (uint32_t)t->now_ms;
	t->set[at].id[way] = id;
	return (uint16_t)(at * TG_TCP_WAYS + way);
}

void tg_tcp_remove(struct tg_tcp *t, uint16_t flow)
{
	unsigned i;

	for (i = 0; i < 2; i++) {
		tg_tcp_buffer_drop(t, &t->flow[flow].stream[i]);
		tg_tcp_head_drop(t, &t->flow[flow].stream[i]);
		tg_tcp_patch_drop(t, &t->flow[flow].stream[i]);
	}
	t->set[flow / TG_TCP_WAYS].id[flow % TG_TCP_WAYS] = 0;
}

struct tg_tcp_decision *tg_tcp_decision(struct tg_tcp *t, struct tg_tcp_place message)
{
	struct tg_tcp_decision *d = &t->flow[message.flow].stream[message.dir].decision;

	if (d->seq != message.seq) {
		d->seq = message.seq;
		d->valid = false;
	}
	return d;
}
