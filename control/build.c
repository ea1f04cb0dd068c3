/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/build_priv.h"
#include "control/image_write.h"
#include "tollgate/num.h"

struct tg_build {
	struct tg_build_input in; /* the arrays stay the caller's */
	struct tg_flat_ranges ranges;
	struct tg_image_header header;
};

static int check_numbers(const struct tg_build_input *in, struct tg_error *err)
{
	uint64_t i;

	for (i = 0; i < in->n_numbers; i++) {
		const struct tg_build_number *n = &in->numbers[i];
		const bool tombstone = in->kind == TG_IMAGE_DELTA &&
				       n->listing == TG_LISTING_TOMBSTONE;

		if (n->value == 0 || n->value >= TG_NUMBERS_END)
			return tg_error_set(err, -EINVAL, "%" PRIu64 " is no E.164 number",
					    n->value);
		if (!tombstone && !tg_listing_is_legal(n->listing))
			return tg_error_set(err, -EINVAL, "+%" PRIu64 " has no legal listing (%#x)",
					    n->value, n->listing);
	}
	return 0;
}

static int check_intervals(const struct tg_build_input *in, struct tg_error *err)
{
	uint64_t i;

	for (i = 0; i < in->n_intervals; i++) {
		const struct tg_build_interval *v = &in->intervals[i];

		if (v->lo > v->hi || v->hi >= TG_NUMBERS_END || v->digits_min == 0 ||
		    v->digits_min > v->digits_max || v->digits_max > TG_NUM_MAX_DIGITS)
			return tg_error_set(err, -EINVAL,
					    "interval %" PRIu64 "-%" PRIu64 " for %u to %u digits",
					    v->lo, v->hi, v->digits_min, v->digits_max);
		if (!tg_listing_is_legal(v->listing))
			return tg_error_set(err, -EINVAL,
					    "interval %" PRIu64 "-%" PRIu64
					    " has no legal listing (%#x)",
					    v->lo, v->hi, v->listing);
	}
	return 0;
}

static int check_shorts(const struct tg_build_input *in, struct tg_error *err)
{
	uint64_t i;

	for (i = 0; i < in->n_shorts; i++)
		if (in->shorts[i].num >> TG_NUM_KIND_SHIFT != TG_NUM_SHORT ||
		    !tg_listing_is_legal(in->shorts[i].listing))
			return tg_error_set(err, -EINVAL, "short code %" PRIu64 " of %" PRIu64,
					    i + 1, in->n_shorts);
	return 0;
}

static int check_input(const struct tg_build_input *in, struct tg_error *err)
{
	int rc;

	if (in->kind != TG_IMAGE_BASE && in->kind != TG_IMAGE_DELTA)
		return tg_error_set(err, -EINVAL, "no kind of table: %d", (int)in->kind);
	if ((in->kind == TG_IMAGE_DELTA) != (in->base_id != 0))
		return tg_error_set(err, -EINVAL, "a delta, and nothing else, has a base");
	if (in->kind == TG_IMAGE_BASE && in->replaces_ranges)
		return tg_error_set(err, -EINVAL, "a base replaces nothing");
	if (in->kind == TG_IMAGE_DELTA && !in->replaces_ranges && (in->n_intervals || in->n_shorts))
		return tg_error_set(err, -EINVAL, "a delta replaces all ranges or none");
	if (in->n_numbers && tg_build_buckets(in->n_numbers) > TG_BUCKETS_MAX)
		return tg_error_set(err, -E2BIG, "%" PRIu64 " numbers are too many", in->n_numbers);
	/* Bounds, of which an interval makes two, are counted in 32 bits. */
	if (in->n_intervals > UINT32_MAX / 4)
		return tg_error_set(err, -E2BIG, "%" PRIu64 " ranges are too many",
				    in->n_intervals);
	rc = check_numbers(in, err);
	if (rc == 0)
		rc = check_intervals(in, err);
	if (rc == 0)
		rc = check_shorts(in, err);
	return rc;
}

static uint64_t next_key(uint64_t key)
{
	return ((key * 6364136223846793005ull + 1442695040888963407ull) & TG_KEY_MASK) | 1;
}

/* Secret, so that nobody can send a feed of numbers that all want the same bucket. */
static int choose_key(uint64_t *key, struct tg_error *err)
{
	uint64_t k;

	if (getrandom(&k, sizeof(k), 0) != sizeof(k))
		return tg_error_set(err, -errno, "no random hash key: %s", strerror(errno));
	*key = (k & TG_KEY_MASK) | 1;
	return 0;
}

static void lay_out(struct tg_build *b)
{
	const struct tg_build_input *in = &b->in;
	struct tg_image_header *h = &b->header;
	const uint64_t blocks = in->kind == TG_IMAGE_BASE ? tg_build_filter_blocks(in->n_numbers)
							  : 0;

	tg_image_begin(h, in->kind, in->created);
	h->base_id = in->base_id;
	h->n_exact = in->n_numbers;
	h->n_ranges = in->n_intervals;
	h->n_short = in->n_shorts;
	h->hash_key = in->n_numbers ? in->hash_key : 0;
	h->replaces_ranges = in->replaces_ranges;
	if (in->n_numbers)
		tg_image_add(h, TG_IMAGE_SECTION_EXACT,
			     tg_build_buckets(in->n_numbers) * TG_BUCKET_BYTES);
	if (blocks)
		tg_image_add(h, TG_IMAGE_SECTION_FILTER, blocks * TG_FILTER_BLOCK_BYTES);
	if (in->n_intervals) {
		tg_image_add(h, TG_IMAGE_SECTION_RANGE_INDEX,
			     (tg_range_cells(b->ranges.shift) + 1) * sizeof(uint32_t));
		tg_image_add(h, TG_IMAGE_SECTION_RANGE_BOUNDS,
			     b->ranges.n_bounds * sizeof(struct tg_range_bound));
		tg_image_add(h, TG_IMAGE_SECTION_RANGE_SETS,
			     b->ranges.n_sets * sizeof(struct tg_range_set));
	}
	if (in->n_shorts)
		tg_image_add(h, TG_IMAGE_SECTION_SHORT,
			     in->n_shorts * sizeof(struct tg_short_entry));
}

int tg_build_plan(const struct tg_build_input *in, struct tg_build **build, uint64_t *length,
		  struct tg_error *err)
{
	struct tg_build *b;
	int rc;

	*build = NULL;
	rc = check_input(in, err);
	if (rc)
		return rc;
	b = calloc(1, sizeof(*b));
	if (!b)
		return tg_error_set(err, -ENOMEM, "no memory to plan a table");
	b->in = *in;
	b->in.hash_key = (in->hash_key & TG_KEY_MASK) | 1;
	if (in->hash_key == 0)
		rc = choose_key(&b->in.hash_key, err);
	if (rc == 0 && in->n_intervals) {
		rc = tg_build_flatten(in->intervals, in->n_intervals, &b->ranges);
		if (rc)
			tg_error_set(err, rc, "no memory to flatten %" PRIu64 " ranges",
				     in->n_intervals);
	}
	if (rc) {
		tg_build_free(b);
		return rc;
	}
	lay_out(b);
	*build = b;
	*length = b->header.length;
	return 0;
}

static void *section_of(const struct tg_build *b, void *image, enum tg_image_section_kind kind,
			uint64_t *length)
{
	const struct tg_image_section *s = tg_image_find(&b->header, kind);

	*length = s ? s->length : 0;
	return s ? (uint8_t *)image + s->offset : NULL;
}

/* At a load of .80 a key leaves nobody without a place; a second one is for the key that was made to
 * fail, sixteen for certainty. */
#define KEYS_MAX 16

static int write_exact(struct tg_build *b, void *image, struct tg_error *err)
{
	const struct tg_build_input *in = &b->in;
	struct tg_exact_shape shape;
	uint64_t length, filter_length, twice = 0;
	uint64_t *buckets = section_of(b, image, TG_IMAGE_SECTION_EXACT, &length);
	uint32_t *filter = section_of(b, image, TG_IMAGE_SECTION_FILTER, &filter_length);
	unsigned tries = 0;
	int rc = 0;

	if (!buckets)
		return 0;
	do {
		if (tries) {
			b->header.hash_key = next_key(b->header.hash_key);
			memset(buckets, 0, length);
		}
		shape = tg_exact_shape(b->header.hash_key, (uint32_t)(length / TG_BUCKET_BYTES));
		rc = tg_build_exact(&shape, in->numbers, in->n_numbers, buckets, &twice);
	} while (rc == -EAGAIN && ++tries < KEYS_MAX);
	if (rc == -EEXIST)
		return tg_error_set(err, rc, "+%" PRIu64 " stands twice", twice);
	if (rc)
		return tg_error_set(err, rc, "cannot place %" PRIu64 " numbers: %s", in->n_numbers,
				    strerror(-rc));
	if (filter)
		tg_build_filter(&shape, in->numbers, in->n_numbers, filter,
				(uint32_t)(filter_length / TG_FILTER_BLOCK_BYTES));
	return 0;
}

static void write_ranges(const struct tg_build *b, void *image)
{
	uint64_t length;
	void *p = section_of(b, image, TG_IMAGE_SECTION_RANGE_INDEX, &length);

	if (!p)
		return;
	tg_build_range_index(&b->ranges, p);
	p = section_of(b, image, TG_IMAGE_SECTION_RANGE_BOUNDS, &length);
	memcpy(p, b->ranges.bounds, length);
	p = section_of(b, image, TG_IMAGE_SECTION_RANGE_SETS, &length);
	memcpy(p, b->ranges.sets, length);
}

static int compare_shorts(const void *a, const void *b)
{
	const struct tg_short_entry *x = a, *y = b;

	return x->num < y->num ? -1 : x->num > y->num;
}

static int write_shorts(const struct tg_build *b, void *image, struct tg_error *err)
{
	uint64_t length, i;
	struct tg_short_entry *e = section_of(b, image, TG_IMAGE_SECTION_SHORT, &length);
	char text[TG_NUM_TEXT_MAX];

	if (!e)
		return 0;
	for (i = 0; i < b->in.n_shorts; i++)
		e[i] = (struct tg_short_entry){ b->in.shorts[i].num, b->in.shorts[i].listing, 0 };
	qsort(e, b->in.n_shorts, sizeof(*e), compare_shorts);
	for (i = 1; i < b->in.n_shorts; i++)
		if (e[i].num == e[i - 1].num) {
			tg_num_format((struct tg_num){ e[i].num }, text);
			return tg_error_set(err, -EEXIST, "%s stands twice", text);
		}
	return 0;
}

int tg_build_write(struct tg_build *build, void *image, uint64_t *id, struct tg_error *err)
{
	int rc;

	rc = write_exact(build, image, err);
	if (rc == 0)
		rc = write_shorts(build, image, err);
	if (rc)
		return rc;
	write_ranges(build, image);
	*id = tg_image_finish(image, &build->header);
	return 0;
}

void tg_build_free(struct tg_build *build)
{
	if (!build)
		return;
	tg_build_flat_free(&build->ranges);
	free(build);
}
