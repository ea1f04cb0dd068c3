/* SPDX-License-Identifier: BSD-3-Clause */
/* An SCTP packet, down to the digits of ISUP messages and back; the first octet chooses variants. */
#include <string.h>

#include "tollgate/isup.h"
#include "tollgate/mtp3.h"
#include "tollgate/sctp.h"
#include "tollgate/sua.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define USER_MAX 4096

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static bool is_within(struct tg_span inner, struct tg_span outer)
{
	return inner.data >= outer.data && inner.data + inner.len <= outer.data + outer.len;
}

/* An edit changes what it is to change, in place, and nothing that is read otherwise. */
static void check_edits(struct tg_span user, const struct tg_isup *isup,
			enum tg_isup_variant variant, bool bicc)
{
	static const uint8_t nines[TG_ISUP_DIGITS_MAX + 1] = "99999999999999999999999999999999";
	uint8_t copy[USER_MAX];
	struct tg_isup again;
	struct tg_span sink = { nines, 0 };

	if (user.len > sizeof(copy) || isup->sig.called == TG_SIG_NO_ID)
		return;
	memcpy(copy, user.data, user.len);
	sink.len = isup->sig.id[isup->sig.called].raw_len;
	if (!tg_isup_set_called(copy, user.len, isup, sink))
		return;
	must(tg_isup_read((struct tg_span){ copy, user.len }, variant, bicc, &again) ==
	     TG_REASON_NONE);
	must(again.sig.n_ids == isup->sig.n_ids);
	must(memcmp(tg_identity_raw(&again.sig, again.sig.called).data, nines, sink.len) == 0);
	if (!tg_isup_restrict(copy, user.len, &again))
		return;
	must(tg_isup_read((struct tg_span){ copy, user.len }, variant, bicc, &again) ==
	     TG_REASON_NONE);
	must(again.sig.n_ids == isup->sig.n_ids);
}

/* Whatever an IAM was like, it becomes a message that is not read. */
static void check_null(struct tg_span user, const struct tg_isup *isup,
		       enum tg_isup_variant variant, bool bicc)
{
	uint8_t copy[USER_MAX];
	struct tg_isup again;

	if (user.len > sizeof(copy))
		return;
	memcpy(copy, user.data, user.len);
	if (!tg_isup_null(copy, user.len, isup)) {
		must(isup->type != TG_ISUP_IAM && memcmp(copy, user.data, user.len) == 0);
		return;
	}
	must(tg_isup_read((struct tg_span){ copy, user.len }, variant, bicc, &again) ==
	     TG_REASON_ISUP_OTHER);
	must(again.cic == isup->cic && copy[user.len - 1] == 0);
}

static void check_additions(struct tg_isup *isup)
{
	static struct tg_isup copy;
	unsigned i;

	copy = *isup;
	copy.sig.text.data = copy.sig.digits = (const uint8_t *)copy.text;
	tg_isup_append(isup, (struct tg_span){ (const uint8_t *)"0123456789", 10 });
	tg_isup_merge(isup, &copy);
	must(!isup->more_follows && isup->sig.n_ids <= TG_SIG_MAX_IDS);
	for (i = 0; i < isup->sig.n_ids; i++)
		must(is_within(tg_identity_raw(&isup->sig, i), isup->sig.text));
	for (i = 0; i < copy.sig.n_ids; i++) {
		const struct tg_span a = tg_identity_raw(&isup->sig, i);
		const struct tg_span b = tg_identity_raw(&copy.sig, i);

		must(a.len >= b.len && memcmp(a.data, b.data, b.len) == 0);
	}
	tg_isup_normalise(isup, NULL);
}

static void check_isup(struct tg_span user, uint8_t choice, bool bicc)
{
	const enum tg_isup_variant variant = choice & 1 ? TG_ISUP_ANSI : TG_ISUP_ITU;
	struct tg_isup isup;
	unsigned i;

	if (tg_isup_read(user, variant, bicc, &isup) != TG_REASON_NONE)
		return;
	must(isup.sig.n_ids <= TG_SIG_MAX_IDS);
	for (i = 0; i < isup.sig.n_ids; i++) {
		const struct tg_isup_party *p = &isup.party[i];

		must(is_within(tg_identity_raw(&isup.sig, i), isup.sig.text));
		must((uint32_t)p->digits_off + p->digits_len <= user.len);
	}
	tg_isup_normalise(&isup, NULL);
	check_edits(user, &isup, variant, bicc);
	check_null(user, &isup, variant, bicc);
	check_additions(&isup);
}

static void check_sua(struct tg_span message)
{
	struct tg_num num;
	struct tg_sua s;

	if (tg_sua_read(message, &s) != TG_REASON_NONE)
		return;
	must(!s.data.data || is_within(s.data, message));
	must(!s.source.title.digits.data || is_within(s.source.title.digits, message));
	tg_sua_number(&s.source.title, NULL, &num);
	tg_sua_number(&s.destination.title, NULL, &num);
}

static void check_message(struct tg_span message, uint32_t ppid, uint8_t choice)
{
	const enum tg_mtp3_variant variant = (enum tg_mtp3_variant)((choice >> 1) % 3);
	enum tg_reason reason;
	struct tg_mtp3 m;

	check_sua(message);
	if (ppid == TG_PPID_M3UA)
		reason = tg_m3ua_read(message, &m);
	else if (ppid == TG_PPID_M2PA)
		reason = tg_m2pa_read(message, variant, &m);
	else if (ppid == TG_PPID_M2UA)
		reason = tg_m2ua_read(message, variant, &m);
	else
		reason = tg_mtp3_read(message, variant, &m);
	if (reason != TG_REASON_NONE)
		return;
	must(m.user.len > 0 && is_within(m.user, message));
	check_isup(m.user, choice, m.si == TG_SI_BICC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tg_sctp_chunk c;
	struct tg_sctp_data d;
	struct tg_span packet;
	struct tg_sctp s;

	if (size < 1)
		return 0;
	packet = (struct tg_span){ data + 1, (uint32_t)size - 1 };
	check_isup(packet, data[0], data[0] & 128);
	if (!tg_sctp_open(packet, &s))
		return 0;
	tg_sctp_checksum_ok(packet);
	while (tg_sctp_next(&s, &c)) {
		must(is_within(c.value, packet));
		if (tg_sctp_data_read(&c, &d)) {
			must(is_within(d.user, packet));
			check_message(d.user, tg_sctp_ppid(d.ppid), data[0]);
		}
	}
	return 0;
}
