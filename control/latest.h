/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the ledger says, as images: a base, built in a worker thread, and the delta of what changed
 * since, built on the spot so that one changed number takes effect in milliseconds. The ledger is asked
 * for what changed since the delta before, which is carried on: what a publication costs does not grow
 * with what changed since the base, but for the copying.
 *
 * After a large import the ledger cannot tell a reasonable delta against the old base; until the new
 * one is built, single numbers are laid over the last delta instead (the overlay), so that they do not
 * wait for it. What else changes in that time (prefixes, ranges, short codes) comes with the base.
 *
 * Threads: the loop's, except tg_latest_build_base.
 */
#ifndef TG_CONTROL_LATEST_H
#define TG_CONTROL_LATEST_H

#include "control/ledger.h"
#include "control/memimage.h"

struct tg_latest_overlay {
	struct tg_build_number number;
	uint64_t batch; /* a base that speaks up to here knows it */
};

struct tg_latest {
	struct tg_ledger *ledger;
	uint64_t fold;		  /* delta entries from which a new base is wanted */
	struct tg_memimage *base; /* NULL: none yet */
	uint64_t base_batch;
	int64_t base_time;
	struct tg_memimage *delta;	    /* NULL: nothing changed since */
	uint64_t batch;			    /* base and delta speak of the ledger up to here */
	bool dirty;			    /* the ledger has moved on, or something expired */
	struct tg_ledger_snapshot snapshot; /* what the delta was built of, the overlay aside */
	int64_t snapshot_time;
	bool has_snapshot;
	bool overdue;			   /* what there is to tell comes with a base only */
	struct tg_latest_overlay *overlay; /* ascending by value */
	size_t n_overlay;
	size_t cap_overlay;
	bool overlay_moved; /* since the last delta */
};

void tg_latest_clear(struct tg_latest *latest);

/* Is it time for a new base? Also when there is none. */
bool tg_latest_wants_base(const struct tg_latest *latest);

/* Rebuilds the delta if dirty. On failure everything is as before. */
int tg_latest_refresh(struct tg_latest *latest, int64_t now, struct tg_error *err);

/* A claim on this number changed. True if refresh will show it, whatever else is pending; false if it
 * has to wait for the next base. */
bool tg_latest_touch(struct tg_latest *latest, const struct tg_record *record, int64_t now);

/* A base as of now, from any thread. */
struct tg_latest_base {
	struct tg_memimage *image;
	uint64_t batch;
	int64_t time;
};
int tg_latest_build_base(struct tg_ledger *ledger, int64_t now, struct tg_latest_base *base,
			 struct tg_error *err);
/* Takes over base->image. The delta against it is due then: dirty. */
void tg_latest_set_base(struct tg_latest *latest, const struct tg_latest_base *base);

#endif
