/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a feed: records that keep the rules, or an error that says where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tg_feed_options opt = { .force = true };
	struct tg_records records;
	struct tg_build_input in;
	struct tg_error err = { 0 };
	size_t i;
	FILE *f;

	if (size == 0 || !(f = fmemopen((void *)(uintptr_t)data, size, "r")))
		return 0;
	if (tg_records_load_feed(f, &opt, &records, &err) != 0) {
		if (err.line == 0 || err.column == 0 || err.text[0] == 0)
			abort();
	} else {
		for (i = 0; i < records.n; i++) {
			const struct tg_row *r = &records.rows[i];

			if (tg_row_lo(r) > tg_row_hi(r) || tg_row_roles(r) == 0 ||
			    tg_row_category(r) == 0 || tg_row_category(r) >= TG_CATEGORY_COUNT ||
			    tg_row_score(r) > TG_SCORE_MAX)
				abort();
		}
		if (tg_records_build_input(&records, 1, &in, &err) != 0)
			abort();
		tg_records_input_free(&in);
		tg_records_free(&records);
	}
	fclose(f);
	return 0;
}
