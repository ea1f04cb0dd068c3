/* SPDX-License-Identifier: BSD-3-Clause */
/* Rules of an operator's: what is taken is written as lines that say the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/xdp_rules.h"

struct text {
	char *bytes;
	size_t len;
};

static void append(void *ctx, const char *line)
{
	struct text *t = ctx;
	const size_t n = strlen(line);

	t->bytes = realloc(t->bytes, t->len + n + 2);
	memcpy(t->bytes + t->len, line, n);
	memcpy(t->bytes + t->len + n, "\n", 2);
	t->len += n + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tg_xdp_rules rules, again;
	struct text out = { strdup(""), 0 };
	char *text = strndup((const char *)data, size);
	struct tg_error err;

	if (tg_xdp_rules_parse(&rules, text, &err) == 0) {
		tg_xdp_rules_each(&rules, append, &out);
		if (tg_xdp_rules_parse(&again, out.bytes, &err) != 0 ||
		    memcmp(&rules, &again, sizeof(rules)) != 0)
			abort();
	} else if (err.line == 0 || err.column == 0) {
		abort();
	}
	free(out.bytes);
	free(text);
	return 0;
}
