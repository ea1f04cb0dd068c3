/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first byte says what the rest is: an image as it stands, or the contents of a policy section,
 * around which header and checksums are made right, so that the fuzzer gets past them.
 */
#include <stdlib.h>
#include <string.h>

#include "control/image_write.h"
#include "tollgate/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool spend_none(void *ctx, const struct tg_policy_rule *rule, uint64_t of)
{
	(void)ctx;
	(void)rule;
	(void)of;
	return false;
}

static void decide(const struct tg_policy *p, const uint8_t *data, size_t size)
{
	struct tg_sig_msg msg = { .n_ids = TG_SIG_MAX_IDS, .caller = 0, .called = 1 };
	uint32_t listing[TG_SIG_MAX_IDS];
	struct tg_sig_extra extra = { .traits = data[0], .privacy = data[1] };
	struct tg_isup isup = { .category = data[4] };
	struct tg_verdict v;
	char digits[24];
	unsigned i;

	msg.protocol = data[5] % TG_PROTOCOL_COUNT;
	msg.attest = data[2] % 2 ? (char)('A' + data[2] / 2 % 3) : 0;
	msg.passports = data[3] % 2;
	msg.verification = data[3] / 2 % TG_STIR_STATE_COUNT;
	msg.text = extra.tgrp = extra.orig_ioi = (struct tg_span){ data, (uint32_t)size };
	msg.digits = data;
	/* Identities out of the image's own bytes: they vary as it does. */
	for (i = 0; i < TG_SIG_MAX_IDS; i++) {
		const uint8_t *b = &data[i * 7 % (size - 4)];

		memcpy(&listing[i], b, sizeof(listing[i]));
		msg.id[i].role = b[1] % TG_ROLE_COUNT;
		msg.id[i].cls = b[2] % TG_NUM_CLASS_COUNT;
		msg.id[i].flags = b[3] & 2;
		msg.id[i].source = b[0] % TG_ID_SOURCE_COUNT;
		msg.id[i].raw_len = (uint16_t)(b[2] % 16 < size ? b[2] % 16 : size);
		msg.id[i].num = b[1] & 1 ? tg_num_make(TG_NUM_E164, 8, 65000000 + b[2])
					 : (struct tg_num){ 0 };
		isup.party[i].nature = b[0];
		isup.party[i].plan = b[1] & 7;
		isup.party[i].presentation = b[2] & 3;
		isup.party[i].screening = b[3] & 3;
		isup.party[i].qualifier = b[2];
		isup.party[i].inn_not_allowed = b[1] & 1;
		isup.party[i].incomplete = b[2] & 1;
	}
	for (i = 0; i < p->n_trunks; i++) {
		const struct tg_mtp3 mtp3 = { .opc = p->trunk[i].opc,
					      .dpc = p->trunk[i].dpc,
					      .network_appearance = p->trunk[i].network_appearance,
					      .has_network_appearance = data[6] & 1 };
		const struct tg_trunk_key key = {
			p->trunk[i].port,	   p->trunk[i].vlan,
			p->trunk[i].peer.version,  p->trunk[i].peer.address,
			p->trunk[i].local.address, data[6] & 2 ? &mtp3 : NULL
		};
		const struct tg_policy_call call = { .trunk = tg_policy_trunk_find(p, &key),
						     .msg = &msg,
						     .listing = listing,
						     .extra = &extra,
						     .isup = data[6] & 4 ? &isup : NULL,
						     .first_party = data[7] % 20,
						     .share = listing[0],
						     .spend = i & 1 ? spend_none : NULL };

		tg_policy_decide(p, &call, &v);
		if (v.action >= TG_ACTION_COUNT || v.reason >= TG_REASON_COUNT ||
		    v.trunk >= p->n_trunks || v.mode >= TG_MODE_COUNT ||
		    ((v.action == TG_ACTION_REJECT || v.action == TG_ACTION_DIVERT) &&
		     v.answer >= p->n_answers) ||
		    (v.action == TG_ACTION_MARK && v.answer >= p->n_marks) ||
		    strlen(tg_policy_rule_name(p, v.rule)) > TG_POLICY_NAME_MAX)
			abort();
		tg_policy_sink_digits(&p->trunk[i], p->n_answers ? p->answer[0].sink : "",
				      data[6] % 6, data[7] % sizeof(digits), digits);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_image_error err;
	struct tg_image_header h;
	struct tg_policy p;
	uint64_t length;
	uint8_t *image;
	void *memory;

	if (size < 8 || size > 1u << 17)
		return 0;
	tg_image_begin(&h, TG_IMAGE_POLICY, 0);
	tg_image_add(&h, TG_IMAGE_SECTION_POLICY, size - 1);
	length = data[0] & 1 ? h.length : size - 1;
	if (posix_memalign(&memory, TG_IMAGE_ALIGN, length) != 0)
		return 0;
	image = memory;
	memset(image, 0, length);
	if (data[0] & 1) {
		memcpy(image + h.section[0].offset, data + 1, size - 1);
		tg_image_finish(image, &h);
	} else {
		memcpy(image, data + 1, size - 1);
	}
	if (tg_policy_open(&p, image, length, &err) == 0)
		decide(&p, data, size);
	free(image);
	return 0;
}
