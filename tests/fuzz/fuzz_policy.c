/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text: a complaint, or an image that opens and decides. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy_file.h"
#include "tollgate/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decide(const struct tg_policy *p)
{
	static const uint8_t peer[16];
	const struct tg_trunk_key key = { 0, TG_TRUNK_NO_VLAN, 4, peer, peer, NULL };
	const uint32_t listing[2] = { tg_listing_slot(TG_CATEGORY_FRAUD, 90), 0 };
	struct tg_sig_msg msg = { .n_ids = 2, .caller = 0, .called = 1 };
	const struct tg_policy_call call = { .trunk = tg_policy_trunk_find(p, &key),
					     .msg = &msg,
					     .listing = listing };
	struct tg_verdict v;

	msg.id[1].role = TG_ROLE_CALLED;
	tg_policy_decide(p, &call, &v);
	if (v.action >= TG_ACTION_COUNT || v.reason >= TG_REASON_COUNT || v.trunk >= p->n_trunks ||
	    ((v.action == TG_ACTION_REJECT || v.action == TG_ACTION_DIVERT) &&
	     v.answer >= p->n_answers) ||
	    (v.action == TG_ACTION_MARK && v.answer >= p->n_marks))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_image_error ierr;
	struct tg_error err = { 0 };
	struct tg_policy p;
	uint64_t length;
	void *image;

	if (tg_policy_compile((const char *)data, size, &image, &length, &err) != 0) {
		if (err.code == 0 || !err.text[0] || strchr(err.text, '\n') ||
		    (err.code == -EINVAL && err.line == 0))
			abort();
		return 0;
	}
	if (tg_policy_open(&p, image, length, &ierr) != 0)
		abort();
	decide(&p);
	free(image);
	return 0;
}
