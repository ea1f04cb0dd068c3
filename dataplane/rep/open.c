/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opens a table image: after what every image must hold (image.c), what each section must hold so that
 * lookups need no checks of their own.
 */
#include <errno.h>

#include "tollgate/table.h"

/* The image under examination. */
struct opening {
	const uint8_t *bytes;
	const struct tg_image_header *header;
	struct tg_table *table;
	struct tg_image_error *err;
};

static int refuse(const struct opening *o, enum tg_image_error_code code,
		  enum tg_image_section_kind section, uint64_t offset, uint64_t length)
{
	*o->err = (struct tg_image_error){ code, section, offset, length };
	return -EINVAL;
}

static int refuse_header(const struct opening *o, enum tg_image_error_code code, uint64_t offset)
{
	return refuse(o, code, TG_IMAGE_SECTION_HEADER, offset, sizeof(uint64_t));
}

#define AT(field) offsetof(struct tg_image_header, field)

/* Something wrong with `length` bytes of a section, `at` bytes into it. */
static int refuse_in(const struct opening *o, const struct tg_image_section *s, uint64_t at,
		     uint64_t length)
{
	return refuse(o, TG_IMAGE_ERROR_CONTENT, (enum tg_image_section_kind)s->kind,
		      s->offset + at, length);
}

static int check_entries(const struct opening *o, const struct tg_image_section *s)
{
	const struct tg_table *t = o->table;
	const uint64_t n = (uint64_t)t->exact.n_buckets * TG_BUCKET_ENTRIES;
	const bool delta = o->header->kind == TG_IMAGE_DELTA;
	uint64_t used = 0, i;

	for (i = 0; i < n; i++) {
		const uint64_t entry = t->buckets[i];
		const uint64_t listing = tg_exact_listing(&t->exact, entry);

		if (!(entry & ~TG_ENTRY_OVERFLOW))
			continue;
		if (!tg_listing_is_legal(listing) && !(delta && listing == TG_LISTING_TOMBSTONE))
			return refuse_in(o, s, i * sizeof(entry), sizeof(entry));
		used++;
	}
	return used == o->header->n_exact ? 0
					  : refuse_header(o, TG_IMAGE_ERROR_CONTENT, AT(n_exact));
}

static int open_exact(const struct opening *o)
{
	const struct tg_image_section *s = tg_image_find(o->header, TG_IMAGE_SECTION_EXACT);
	struct tg_table *t = o->table;
	uint64_t n_buckets;

	if (!s)
		return o->header->n_exact ? refuse_header(o, TG_IMAGE_ERROR_LAYOUT, AT(n_exact))
					  : 0;
	n_buckets = s->length / TG_BUCKET_BYTES;
	if (s->length % TG_BUCKET_BYTES || n_buckets < TG_BUCKETS_MIN || n_buckets > TG_BUCKETS_MAX)
		return refuse_in(o, s, 0, s->length);
	if (!(o->header->hash_key & 1) || o->header->hash_key > TG_KEY_MASK)
		return refuse_header(o, TG_IMAGE_ERROR_CONTENT, AT(hash_key));
	t->buckets = (const uint64_t *)(const void *)(o->bytes + s->offset);
	t->exact = tg_exact_shape(o->header->hash_key, (uint32_t)n_buckets);
	return check_entries(o, s);
}

static int open_filter(const struct opening *o)
{
	const struct tg_image_section *s = tg_image_find(o->header, TG_IMAGE_SECTION_FILTER);
	uint64_t n_blocks;

	if (!s)
		return 0;
	n_blocks = s->length / TG_FILTER_BLOCK_BYTES;
	if (!o->table->buckets || s->length % TG_FILTER_BLOCK_BYTES || n_blocks == 0 ||
	    n_blocks > UINT32_MAX)
		return refuse_in(o, s, 0, s->length);
	o->table->filter = (const uint32_t *)(const void *)(o->bytes + s->offset);
	o->table->n_filter_blocks = (uint32_t)n_blocks;
	return 0;
}

static int check_sets(const struct opening *o, const struct tg_image_section *s)
{
	const uint32_t *listing = o->table->range_sets[0].listing;
	const uint64_t n = s->length / sizeof(*listing);
	uint64_t i;

	for (i = 0; i < n; i++) {
		const bool empty = i < 16 || i % 16 == 0; /* set 0, and a number of no digits */

		if (listing[i] && (empty || !tg_listing_is_legal(listing[i])))
			return refuse_in(o, s, i * sizeof(*listing), sizeof(*listing));
	}
	return 0;
}

static int check_bounds(const struct opening *o, const struct tg_image_section *s, uint64_t n_sets)
{
	const struct tg_range_bound *b = o->table->range_bounds;
	uint64_t i;

	for (i = 0; i < o->table->n_range_bounds; i++) {
		const bool ordered = i == 0 ? b[0].from == 0 : b[i].from > b[i - 1].from;

		if (!ordered || b[i].from >= TG_NUMBERS_END || b[i].set >= n_sets || b[i].zero)
			return refuse_in(o, s, i * sizeof(*b), sizeof(*b));
	}
	return 0;
}

/* Every cell names the very bound that its first number falls to; the last word is the last bound.
 * So neighbours ascend, and a search between them stays inside and finds. */
static int check_index(const struct opening *o, const struct tg_image_section *s, uint64_t cells)
{
	const struct tg_table *t = o->table;
	uint64_t bound = 0, i;

	for (i = 0; i <= cells; i++) {
		while (bound + 1 < t->n_range_bounds &&
		       (i == cells || t->range_bounds[bound + 1].from <= i << t->range_shift))
			bound++;
		if (t->range_index[i] != bound)
			return refuse_in(o, s, i * sizeof(uint32_t), sizeof(uint32_t));
	}
	return 0;
}

static int open_index(const struct opening *o, const struct tg_image_section *s)
{
	const uint64_t words = s->length / sizeof(uint32_t);
	unsigned shift = 0;

	while (shift < TG_KEY_BITS && tg_range_cells(shift) + 1 > words)
		shift++;
	if (s->length % sizeof(uint32_t) || tg_range_cells(shift) + 1 != words)
		return refuse_in(o, s, 0, s->length);
	o->table->range_index = (const uint32_t *)(const void *)(o->bytes + s->offset);
	o->table->range_shift = shift;
	return check_index(o, s, words - 1);
}

static int open_ranges(const struct opening *o)
{
	const struct tg_image_section *index = tg_image_find(o->header,
							     TG_IMAGE_SECTION_RANGE_INDEX);
	const struct tg_image_section *bounds = tg_image_find(o->header,
							      TG_IMAGE_SECTION_RANGE_BOUNDS);
	const struct tg_image_section *sets = tg_image_find(o->header, TG_IMAGE_SECTION_RANGE_SETS);
	struct tg_table *t = o->table;
	int rc;

	if (!index && !bounds && !sets)
		return o->header->n_ranges ? refuse_header(o, TG_IMAGE_ERROR_LAYOUT, AT(n_ranges))
					   : 0;
	if (!index || !bounds || !sets || !o->header->n_ranges)
		return refuse_header(o, TG_IMAGE_ERROR_LAYOUT, AT(n_ranges));
	if (sets->length == 0 || sets->length % sizeof(struct tg_range_set))
		return refuse_in(o, sets, 0, sets->length);
	t->n_range_bounds = bounds->length / sizeof(struct tg_range_bound);
	if (t->n_range_bounds == 0 || t->n_range_bounds > UINT32_MAX ||
	    bounds->length % sizeof(struct tg_range_bound))
		return refuse_in(o, bounds, 0, bounds->length);
	t->range_sets = (const void *)(o->bytes + sets->offset);
	t->range_bounds = (const void *)(o->bytes + bounds->offset);
	rc = check_sets(o, sets);
	if (rc == 0)
		rc = check_bounds(o, bounds, sets->length / sizeof(struct tg_range_set));
	if (rc == 0)
		rc = open_index(o, index);
	return rc;
}

static int open_shorts(const struct opening *o)
{
	const struct tg_image_section *s = tg_image_find(o->header, TG_IMAGE_SECTION_SHORT);
	const uint64_t n = s ? s->length / sizeof(struct tg_short_entry) : 0;
	const struct tg_short_entry *e;
	uint64_t i;

	if (n != o->header->n_short)
		return refuse_header(o, TG_IMAGE_ERROR_LAYOUT, AT(n_short));
	if (!s)
		return 0;
	if (n == 0 || s->length % sizeof(*e))
		return refuse_in(o, s, 0, s->length);
	e = (const void *)(o->bytes + s->offset);
	for (i = 0; i < n; i++)
		if ((i > 0 && e[i].num <= e[i - 1].num) ||
		    e[i].num >> TG_NUM_KIND_SHIFT != TG_NUM_SHORT ||
		    !tg_listing_is_legal(e[i].listing) || e[i].zero)
			return refuse_in(o, s, i * sizeof(*e), sizeof(*e));
	o->table->shorts = e;
	o->table->n_shorts = n;
	return 0;
}

static int open_sections(const struct opening *o)
{
	const struct tg_image_header *h = o->header;
	const bool delta = h->kind == TG_IMAGE_DELTA;
	int rc;

	if (h->replaces_ranges > (delta ? 1 : 0))
		return refuse_header(o, TG_IMAGE_ERROR_CONTENT, AT(replaces_ranges));
	if (delta != (h->base_id != 0))
		return refuse_header(o, TG_IMAGE_ERROR_CONTENT, AT(base_id));
	if (delta && !h->replaces_ranges && (h->n_ranges || h->n_short))
		return refuse_header(o, TG_IMAGE_ERROR_CONTENT, AT(n_ranges));
	if (tg_image_find(h, TG_IMAGE_SECTION_POLICY))
		return refuse_header(o, TG_IMAGE_ERROR_LAYOUT, AT(section));
	rc = open_exact(o);
	if (rc == 0)
		rc = open_filter(o);
	if (rc == 0)
		rc = open_ranges(o);
	if (rc == 0)
		rc = open_shorts(o);
	return rc;
}

int tg_table_open(struct tg_table *t, const void *image, uint64_t length, enum tg_image_kind kind,
		  struct tg_image_error *err)
{
	const struct opening o = { image, image, t, err };
	int rc;

	*t = (struct tg_table){ 0 };
	rc = tg_image_check(image, length, kind, err);
	if (rc == 0)
		rc = open_sections(&o);
	if (rc == 0)
		t->header = image;
	else
		*t = (struct tg_table){ 0 };
	return rc;
}

int tg_table_check_delta(const struct tg_table *base, const struct tg_table *delta,
			 struct tg_image_error *err)
{
	*err = (struct tg_image_error){ .code = TG_IMAGE_ERROR_NONE };
	if (base->header->id == delta->header->base_id)
		return 0;
	*err = (struct tg_image_error){ TG_IMAGE_ERROR_WRONG_BASE, TG_IMAGE_SECTION_HEADER,
					AT(base_id), sizeof(uint64_t) };
	return -EINVAL;
}
