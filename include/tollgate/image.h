/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The byte layout that every image begins with: base and delta tables, and policies. Flat and
 * position-independent: offsets from the first byte, no pointers. Host byte order, checked.
 *
 * Writer: control. Reader: rep and policy, which validate once, before anything is looked up.
 */
#ifndef TG_IMAGE_H
#define TG_IMAGE_H

#include "tollgate/base.h"

#define TG_IMAGE_MAGIC 0x474d492e454c4c54ull /* "TLLE.IMG" */
#define TG_IMAGE_VERSION 1
#define TG_IMAGE_BYTE_ORDER 0x01020304u
#define TG_IMAGE_ALIGN                                                                             \
	4096 /* of every section, so that mapped sections keep cache-line alignment */
#define TG_IMAGE_MAX_SECTIONS 8

enum tg_image_kind {
	TG_IMAGE_BASE = 1,
	TG_IMAGE_DELTA,
	TG_IMAGE_POLICY,
};

#define TG_IMAGE_SECTIONS(X)                                                                       \
	X(EXACT, "exact")                                                                          \
	X(FILTER, "filter")                                                                        \
	X(RANGE_INDEX, "range-index")                                                              \
	X(RANGE_BOUNDS, "range-bounds")                                                            \
	X(RANGE_SETS, "range-sets")                                                                \
	X(SHORT, "short")                                                                          \
	X(POLICY, "policy")

enum tg_image_section_kind {
	TG_IMAGE_SECTION_HEADER, /* the header itself, for errors */
#define X(sym, name) TG_IMAGE_SECTION_##sym,
	TG_IMAGE_SECTIONS(X)
#undef X
	TG_IMAGE_SECTION_COUNT
};

struct tg_image_section {
	uint32_t kind; /* enum tg_image_section_kind, each at most once, ascending */
	uint32_t zero;
	uint64_t offset;   /* multiple of TG_IMAGE_ALIGN, ascending, not overlapping */
	uint64_t length;   /* bytes used; the gap to the next section is zero */
	uint64_t checksum; /* XXH3-64 of those bytes */
};

struct tg_image_header {
	uint64_t magic;
	uint32_t version;
	uint32_t byte_order;
	uint32_t kind; /* enum tg_image_kind */
	uint32_t n_sections;
	uint64_t length;   /* of the whole image: the end of its last section */
	uint64_t id;	   /* what the image says, whenever it was made: tg_image_id */
	uint64_t base_id;  /* delta: id of the base it changes; else 0 */
	uint64_t created;  /* seconds since the epoch, UTC */
	uint64_t n_exact;  /* numbers in it; delta: with tombstones */
	uint64_t n_ranges; /* prefixes and ranges as fed */
	uint64_t n_short;
	uint64_t hash_key; /* odd multiplier of the exact table's bijection, secret per image */
	uint64_t
		replaces_ranges; /* delta: 1 = its ranges and short codes stand in for the base's */
	uint64_t reserved[3];	 /* zero */
	struct tg_image_section section[TG_IMAGE_MAX_SECTIONS];
	uint64_t checksum; /* XXH3-64 of this header up to here */
};

#define TG_IMAGE_ERRORS(X)                                                                         \
	X(NONE, "valid")                                                                           \
	X(SHORT_FILE, "shorter than an image header")                                              \
	X(MAGIC, "not a Tollgate image")                                                           \
	X(BYTE_ORDER, "made on a machine of the other byte order")                                 \
	X(OLD_VERSION, "made by an older, incompatible version")                                   \
	X(NEW_VERSION, "made by a newer version")                                                  \
	X(HEADER_CHECKSUM, "header is damaged")                                                    \
	X(KIND, "image of another kind than expected")                                             \
	X(LENGTH, "length differs from what the header says")                                      \
	X(LAYOUT, "sections are missing, overlap or lie outside")                                  \
	X(PADDING, "bytes between sections are not zero")                                          \
	X(CHECKSUM, "section is damaged")                                                          \
	X(ID, "identity does not fit the contents")                                                \
	X(CONTENT, "section's contents contradict themselves")                                     \
	X(WRONG_BASE, "delta was made for another base")

enum tg_image_error_code {
#define X(sym, text) TG_IMAGE_ERROR_##sym,
	TG_IMAGE_ERRORS(X)
#undef X
	TG_IMAGE_ERROR_COUNT
};

/* What is wrong, and where: the section and the offset in the image at which it was noticed. */
struct tg_image_error {
	enum tg_image_error_code code;
	enum tg_image_section_kind section;
	uint64_t offset;
	uint64_t length; /* of the stretch that is known to be damaged, 0 = unknown */
};

/*
 * XXH3-64 over 64-bit words in host order: {kind, base_id, hash_key, replaces_ranges}, then {kind,
 * checksum} of each section in order. Counts and the time of making are not part of it: the same
 * contents have the same id. Writer and reader both call this; n_sections must be checked before.
 */
uint64_t tg_image_id(const struct tg_image_header *h);

const char *tg_image_error_text(unsigned code);
const char *tg_image_section_name(unsigned kind);

/* Everything that can be checked without knowing the sections' contents. 0 or -EINVAL with *err. */
int tg_image_check(const void *image, uint64_t length, enum tg_image_kind kind,
		   struct tg_image_error *err);

/* The section's header, or NULL. Only for an image that tg_image_check accepted. */
const struct tg_image_section *tg_image_find(const struct tg_image_header *h,
					     enum tg_image_section_kind kind);

#endif
