/* SPDX-License-Identifier: BSD-3-Clause */
/* Do the PASSporTs of a call hold, as far as is known by now? Whoever verifies is not waited for. */
#include "dataplane/pipeline/state.h"

/* A second INVITE of the call, or whoever verifies, is not asked again before this: a hundred times what a
 * full queue takes to be worked off. Then its question or its answer was lost. */
#define ASKED_MS 5000

/* Every byte counts: what a verifier may have missed between two values is no reason to think them one. */
static uint64_t key_of(const struct tg_pipeline *pl, struct tg_span value)
{
	return tg_state_hash(pl, value.data, value.len);
}

void tg_verification_read(const struct tg_burst_state *b, struct tg_sip *sip)
{
	enum tg_stir_state all = sip->passports_left_out ? TG_STIR_UNSUPPORTED : TG_STIR_VALID;
	unsigned i;

	if (b->pl->verified.n_sets == 0)
		return; /* nobody verifies */
	for (i = 0; i < sip->n_passports; i++) {
		uint8_t state = TG_STIR_UNVERIFIED;

		if (sip->passport[i].len > TG_PASSPORT_VALUE_MAX)
			state = TG_STIR_UNSUPPORTED;
		else
			(void)tg_verified_find(&b->pl->verified, key_of(b->pl, sip->passport[i]),
					       b->now_ms, &state);
		all = tg_stir_worse(all, (enum tg_stir_state)state);
	}
	sip->sig.verification = (uint8_t)all;
}

unsigned tg_pipeline_unverified(const struct tg_pipeline *pl, const struct tg_result *r,
				uint64_t now_ms, struct tg_unverified out[TG_SIP_MAX_PASSPORTS])
{
	const struct tg_sip *const sip = r->sip;
	unsigned i, n = 0;
	uint8_t state;

	if (sip->sig.verification != TG_STIR_UNVERIFIED)
		return 0;
	for (i = 0; i < sip->n_passports; i++) {
		const struct tg_span value = sip->passport[i];
		const uint64_t key = key_of(pl, value);

		if (value.len <= TG_PASSPORT_VALUE_MAX &&
		    !tg_verified_find(&pl->verified, key, now_ms, &state))
			out[n++] = (struct tg_unverified){ key, value };
	}
	return n;
}

void tg_pipeline_asked(struct tg_pipeline *pl, uint64_t key, uint64_t now_ms)
{
	tg_verified_put(&pl->verified, key, TG_STIR_UNVERIFIED, ASKED_MS, now_ms);
}

void tg_pipeline_verified(struct tg_pipeline *pl, const struct tg_verification *v, uint64_t now_ms)
{
	if (v->state < TG_STIR_STATE_COUNT)
		tg_verified_put(&pl->verified, v->key, v->state, v->for_ms, now_ms);
}
