/* SPDX-License-Identifier: BSD-3-Clause */
/* Acquire and release as the language has them, for the thread sanitizer: see verify.c. */
#define RTE_USE_C11_MEM_MODEL 1

#include "dataplane/run/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring.h>

#include "tollgate/frame.h"

/* Two bursts: less than a worker receives and judges between two of the other's rounds. */
#define RING_MIN 64
/* An owner that has not come round for so long is not waited for: as long as the kernel waits for its heart
 * to beat, where an XDP program is in front. */
#define PATIENCE_DIVISOR (1000000000ull / TG_STEER_LIMIT_DEFAULT_NS)
#define SCTP_HEADER 12
#define UDP_HEADER 8

struct worker {
	/* Written by it in every round, read by others when they have something for it: a line of its own. */
	uint64_t round TG_ALIGNED(TG_CACHE_LINE);
	unsigned n_inboxes TG_ALIGNED(TG_CACHE_LINE);
	struct tg_dispatch_inbox *inbox;
};

struct tg_dispatch {
	unsigned receiving TG_ALIGNED(TG_CACHE_LINE); /* workers that may still hand something on */
	unsigned n_workers TG_ALIGNED(TG_CACHE_LINE);
	unsigned n_pairs;
	struct tg_dispatch_route **route; /* [worker][pair][side] */
	struct worker worker[];
};

/* ---- whose it is --------------------------------------------------------------------------------- */

/* What nearly all frames are: UDP or TCP in IPv4 without options, or in IPv6, not more than one tag. */
static bool is_plainly_not(const uint8_t *p, uint32_t len)
{
	uint32_t off = 14;
	uint8_t proto;

	if (len < 14 + 4 + 40 + UDP_HEADER)
		return false;
	if (tg_load_be16(p + 12) == TG_ETHERTYPE_VLAN)
		off += 4;
	if (tg_load_be16(p + off - 2) == TG_ETHERTYPE_IPV4 && p[off] == 0x45) {
		proto = p[off + 9];
		off += 20;
	} else if (tg_load_be16(p + off - 2) == TG_ETHERTYPE_IPV6) {
		proto = p[off + 6];
		off += 40;
	} else {
		return false;
	}
	return proto == TG_IPPROTO_TCP ||
	       (proto == TG_IPPROTO_UDP && tg_load_be16(p + off) != TG_PORT_SCTP &&
		tg_load_be16(p + off + 2) != TG_PORT_SCTP);
}

/* Where SCTP's common header is, 0: there is none. Of a frame in several buffers this is the first. */
static uint32_t find_sctp(const uint8_t *p, uint32_t len)
{
	struct tg_frame f;
	enum tg_reason reason;
	uint32_t off = 0;

	if (is_plainly_not(p, len))
		return 0;
	reason = tg_frame_walk(p, p + len, TG_LINK_ETHERNET, &f);
	if (reason == TG_REASON_FRAGMENT || f.l4_off == 0)
		return 0;
	if (f.l4_proto == TG_IPPROTO_SCTP)
		off = f.l4_off;
	else if (f.l4_proto == TG_IPPROTO_UDP &&
		 (f.sport == TG_PORT_SCTP || f.dport == TG_PORT_SCTP) &&
		 (reason == TG_REASON_SCTP || reason == TG_REASON_TRUNCATED))
		off = f.l4_off + UDP_HEADER;
	return off + SCTP_HEADER <= len ? off : 0;
}

/* Tags are random by RFC 9260 §5.3.1, but not everybody's; every bit of tag and ports counts. */
static uint32_t mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccd; /* MurmurHash3's finalizer */
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53;
	return (uint32_t)(x >> 32);
}

int tg_dispatch_owner(const uint8_t *frame, uint32_t len, unsigned n)
{
	const uint32_t off = find_sctp(frame, len);

	if (off == 0)
		return -1;
	/* RFC 9260 §3.1: ports, then the tag */
	return (int)((uint64_t)mix((uint64_t)tg_load_be32(frame + off) << 32 |
				   tg_load_be32(frame + off + 4)) *
			     n >>
		     32);
}

/* ---- handing on ---------------------------------------------------------------------------------- */

/* For the worker that fills it. rte_ring_empty reads what another thread writes with plain loads. */
static bool is_empty(const struct rte_ring *r)
{
	return __atomic_load_n(&r->cons.tail, __ATOMIC_ACQUIRE) == r->prod.tail;
}

/*
 * Relaxed: the time is compared, and nothing else is read by it. A worker that is late to be seen alive is
 * given nothing for a moment longer.
 */
static bool is_open(struct tg_dispatch_to *to, uint64_t now, uint64_t patience)
{
	const uint64_t round = __atomic_load_n(to->round, __ATOMIC_RELAXED);

	/* Another core's clock may be some cycles ahead of ours. */
	if (round != 0 && round < now && now - round > patience)
		to->shut = true;
	else if (to->shut && is_empty(to->ring))
		to->shut = false;
	return !to->shut;
}

/* Those of mbuf that are in *mask; what finds no room stays in it. */
static void hand_on(struct tg_dispatch_to *to, struct rte_mbuf **mbuf, uint32_t *mask, uint64_t now)
{
	void *mine[TG_BURST] = { NULL };
	uint32_t rest = *mask;
	unsigned n = 0, sent;

	for (; rest; rest &= rest - 1) {
		struct rte_mbuf *m = mbuf[__builtin_ctz(rest)];

		m->hash.usr = (uint32_t)now;
		mine[n++] = m;
	}
	sent = rte_ring_sp_enqueue_burst(to->ring, mine, n, NULL);
	to->shut = sent < n;
	for (; sent > 0; sent--)
		*mask &= *mask - 1;
}

unsigned tg_dispatch_burst(struct tg_dispatch_route *route, struct rte_mbuf **mbuf, unsigned n,
			   uint64_t now, unsigned *refused)
{
	uint32_t of[TG_CONFIG_MAX_QUEUES] = { 0 }; /* bit i: mbuf[i] belongs to this owner */
	uint32_t gone = 0;
	unsigned i, kept = 0;

	static_assert(TG_BURST == 32, "a bit a frame");
	*refused = 0;
	for (i = 0; i < n; i++)
		__builtin_prefetch(rte_pktmbuf_mtod(mbuf[i], const uint8_t *));
	for (i = 0; i < n; i++) {
		const int owner = tg_dispatch_owner(rte_pktmbuf_mtod(mbuf[i], const uint8_t *),
						    mbuf[i]->data_len, route->n);

		if (owner >= 0 && route->to[owner].ring) {
			of[owner] |= (uint32_t)1 << i;
			gone |= (uint32_t)1 << i;
		}
	}
	if (gone == 0)
		return n;
	for (i = 0; i < route->n; i++) {
		if (of[i] && is_open(&route->to[i], now, route->patience))
			hand_on(&route->to[i], mbuf, &of[i], now);
		gone &= ~of[i];
		*refused += (unsigned)__builtin_popcount(of[i]);
	}
	for (i = 0; i < n; i++) {
		if (!(gone >> i & 1))
			mbuf[kept++] = mbuf[i];
	}
	return kept;
}

unsigned tg_dispatch_take(const struct tg_dispatch_inbox *inbox, struct rte_mbuf **mbuf,
			  uint64_t now, uint64_t *waited)
{
	const unsigned n = rte_ring_sc_dequeue_burst(inbox->ring, (void **)mbuf, TG_BURST, NULL);

	/* 2^32 cycles are a second and more; clocks that differ by some cycles make it 0. */
	*waited = 0;
	if (n > 0 && (int32_t)((uint32_t)now - mbuf[0]->hash.usr) > 0)
		*waited = (uint32_t)now - mbuf[0]->hash.usr;
	return n;
}

bool tg_dispatch_waits(const struct tg_dispatch *d, unsigned worker)
{
	unsigned i, k;

	for (i = 0; i < 2 * d->n_pairs; i++) {
		const struct tg_dispatch_route *r = d->route[worker * 2 * d->n_pairs + i];

		for (k = 0; r && k < r->n; k++) {
			if (r->to[k].ring && !is_empty(r->to[k].ring))
				return true;
		}
	}
	return false;
}

void tg_dispatch_round(struct tg_dispatch *d, unsigned worker, uint64_t now)
{
	__atomic_store_n(&d->worker[worker].round, now, __ATOMIC_RELAXED);
}

/* Release and acquire: who sees the last worker done sees all that it put into rings. */
void tg_dispatch_done(struct tg_dispatch *d)
{
	__atomic_sub_fetch(&d->receiving, 1, __ATOMIC_RELEASE);
}

bool tg_dispatch_all_done(const struct tg_dispatch *d)
{
	return __atomic_load_n(&d->receiving, __ATOMIC_ACQUIRE) == 0;
}

/* ---- making the rings ---------------------------------------------------------------------------- */

struct tg_dispatch_route *tg_dispatch_route(struct tg_dispatch *d, unsigned worker, unsigned pair,
					    unsigned side)
{
	return d ? d->route[(worker * d->n_pairs + pair) * 2 + side] : NULL;
}

const struct tg_dispatch_inbox *tg_dispatch_inboxes(const struct tg_dispatch *d, unsigned worker,
						    unsigned *n)
{
	*n = d ? d->worker[worker].n_inboxes : 0;
	return d ? d->worker[worker].inbox : NULL;
}

/* An owner's rings of one direction hold TG_DISPATCH_ROOM frames together, or a little less. */
static struct rte_ring *make_ring(unsigned n_owners)
{
	const unsigned each = rte_align32prevpow2(TG_DISPATCH_ROOM / (n_owners - 1));
	const unsigned places = each < RING_MIN ? RING_MIN : each;
	const ssize_t size = rte_ring_get_memsize(places);
	struct rte_ring *r = size > 0 ? aligned_alloc(TG_CACHE_LINE, (size_t)size) : NULL;

	if (r && rte_ring_init(r, "tg_dispatch", places, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0) {
		free(r);
		r = NULL;
	}
	return r;
}

static int add_inbox(struct worker *w, const struct tg_dispatch_inbox *inbox)
{
	struct tg_dispatch_inbox *more = realloc(w->inbox, (w->n_inboxes + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	w->inbox = more;
	more[w->n_inboxes++] = *inbox;
	return 0;
}

/* From owner `from` of a pair to all its others. */
static int make_route(struct tg_dispatch *d, const struct tg_dispatch_pair *pair, unsigned from,
		      uint8_t side, struct tg_dispatch_route **route)
{
	unsigned i;

	*route = calloc(1, sizeof(**route) + pair->n * sizeof((*route)->to[0]));
	if (!*route)
		return -ENOMEM;
	for (i = 0; i < pair->n; i++, (*route)->n++) {
		struct worker *w = &d->worker[pair->owner[i].worker];
		struct tg_dispatch_inbox inbox = { .unit = pair->owner[i].unit, .side = side };

		if (i == from)
			continue;
		inbox.ring = make_ring(pair->n);
		if (!inbox.ring || add_inbox(w, &inbox) != 0) {
			free(inbox.ring);
			return -ENOMEM;
		}
		(*route)->to[i].ring = inbox.ring;
		(*route)->to[i].round = &w->round;
	}
	return 0;
}

static int make_routes(struct tg_dispatch *d, const struct tg_dispatch_pair *pair, uint64_t tsc_hz)
{
	unsigned i, k;
	uint8_t side;

	for (i = 0; i < d->n_pairs; i++) {
		for (k = 0; pair[i].n > 1 && k < pair[i].n; k++) {
			for (side = 0; side < 2; side++) {
				struct tg_dispatch_route **r =
					&d->route[(pair[i].owner[k].worker * d->n_pairs + i) * 2 +
						  side];

				if (make_route(d, &pair[i], k, side, r) != 0)
					return -ENOMEM;
				(*r)->patience = tsc_hz / PATIENCE_DIVISOR;
			}
		}
	}
	return 0;
}

int tg_dispatch_open(struct tg_dispatch **dispatch, unsigned n_workers,
		     const struct tg_dispatch_pair *pair, unsigned n_pairs, uint64_t tsc_hz)
{
	const size_t size = sizeof(struct tg_dispatch) + n_workers * sizeof(struct worker);
	struct tg_dispatch *d;
	unsigned i;

	*dispatch = NULL;
	for (i = 0; i < n_pairs && pair[i].n < 2; i++)
		;
	if (i == n_pairs)
		return 0;
	d = aligned_alloc(TG_CACHE_LINE, size);
	if (!d)
		return -ENOMEM;
	memset(d, 0, size);
	d->receiving = n_workers;
	d->n_workers = n_workers;
	d->n_pairs = n_pairs;
	d->route = calloc((size_t)n_workers * n_pairs * 2, sizeof(void *));
	if (!d->route || make_routes(d, pair, tsc_hz) != 0) {
		tg_dispatch_close(d);
		return -ENOMEM;
	}
	*dispatch = d;
	return 0;
}

static void free_ring(struct rte_ring *ring)
{
	void *m;

	while (rte_ring_sc_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	free(ring);
}

void tg_dispatch_close(struct tg_dispatch *d)
{
	unsigned i, k;

	if (!d)
		return;
	for (i = 0; i < d->n_workers; i++) {
		for (k = 0; k < d->worker[i].n_inboxes; k++)
			free_ring(d->worker[i].inbox[k].ring);
		free(d->worker[i].inbox);
	}
	for (i = 0; d->route && i < d->n_workers * d->n_pairs * 2; i++)
		free(d->route[i]);
	free(d->route);
	free(d);
}
