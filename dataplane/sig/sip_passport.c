/* SPDX-License-Identifier: BSD-3-Clause */
/* From Identity header fields to identities of the call. */
#include "tollgate/passport.h"
#include "tollgate/sip.h"

static void add(struct tg_sig_msg *m, enum tg_id_source source, struct tg_num num)
{
	struct tg_identity *id;

	if (m->n_ids == TG_SIG_MAX_IDS) {
		m->ids_left_out += m->ids_left_out < UINT8_MAX;
		return;
	}
	id = &m->id[m->n_ids++];
	*id = (struct tg_identity){
		.num = num,
		.source = (uint8_t)source,
		.role = (uint8_t)tg_id_source_role(source),
		.cls = tg_num_is_none(num) ? TG_NUM_CLASS_UNRESOLVED : TG_NUM_CLASS_E164,
	};
}

void tg_sip_read_passports(struct tg_sip *sip)
{
	struct tg_sig_msg *const m = &sip->sig;
	struct tg_passport p;
	unsigned i;

	m->passports_unread = sip->passports_left_out;
	for (i = 0; i < sip->n_passports; i++) {
		if (!tg_passport_read(sip->passport[i], &p)) {
			m->passports_unread++;
			continue;
		}
		m->passports++;
		if (m->attest == 0)
			m->attest = p.attest;
		if (p.compact) /* its claims are the message's own */
			continue;
		add(m, TG_ID_PASSPORT_ORIG, p.orig);
		if (!tg_num_is_none(p.div))
			add(m, TG_ID_PASSPORT_DIV, p.div);
	}
}
