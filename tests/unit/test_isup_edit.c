/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/isup_message.h"

TG_TEST(IS_11_sink_keeps_length_parity_and_order, TG_NEEDS_NOTHING)
{
	const struct message original = usual_iam();
	struct message m = original;
	struct tg_isup isup;
	uint32_t i;

	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_false(tg_isup_set_called(m.data, m.len, &isup,
					(struct tg_span){ (const uint8_t *)"123", 3 }));
	assert_false(tg_isup_set_called(m.data, m.len, &isup,
					(struct tg_span){ (const uint8_t *)"44207946099A", 12 }));
	assert_memory_equal(m.data, original.data, m.len);
	assert_true(tg_isup_set_called(m.data, m.len, &isup,
				       (struct tg_span){ (const uint8_t *)"999900001111", 12 }));
	for (i = 0; i < m.len; i++)
		if (i < 13 || i >= 19)
			assert_int_equal(m.data[i], original.data[i]);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_memory_equal(tg_identity_raw(&isup.sig, 0).data, "999900001111", 12);
	check_id(&isup, 1, TG_ID_CALLING_NUMBER, "-");
}

TG_TEST(IS_11_sink_keeps_end_of_pulsing_and_filler, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("12025550123F", INTERNATIONAL);
	struct tg_isup isup;

	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_true(tg_isup_set_called(m.data, m.len, &isup,
				       (struct tg_span){ (const uint8_t *)"99990000111", 11 }));
	assert_int_equal(m.data[18], 0xf1);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_true(isup.end_of_digits);
}

TG_TEST(isup_restrict_hides_the_caller_only, TG_NEEDS_NOTHING)
{
	struct message m = usual_iam();
	struct tg_isup isup;

	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_true(tg_isup_restrict(m.data, m.len, &isup));
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(isup.party[1].presentation, TG_ISUP_RESTRICTED);
	assert_int_equal(isup.party[1].screening, 3);
	assert_int_equal(isup.party[2].presentation, TG_ISUP_ALLOWED);
	assert_int_equal(isup.party[4].presentation, TG_ISUP_RESTRICTED);
	tg_isup_normalise(&isup, NULL);
	check_id(&isup, 1, TG_ID_CALLING_NUMBER, "+12025550123");
}

TG_TEST(isup_restrict_where_there_is_nothing_to_hide, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL), original;
	struct tg_isup isup;

	put_generic(&m, 6, "12025550199");
	put(&m, 0);
	original = m;
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_false(tg_isup_restrict(m.data, m.len, &isup)); /* nobody calls */
	assert_memory_equal(m.data, original.data, m.len);

	m = begin_iam("442079460123", INTERNATIONAL);
	put_calling(&m, 0x0a, "", 0, TG_ISUP_NOT_AVAILABLE << 2);
	put_generic(&m, 1, "12025550199"); /* additional called number: not the caller's */
	put(&m, 0);
	original = m;
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_true(tg_isup_restrict(m.data, m.len, &isup));
	assert_memory_equal(m.data, original.data, m.len);
}

/* The optional part begins inside the called number: whose digits are whose cannot be told. */
TG_TEST(isup_no_edit_where_parameters_overlap, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("4420794601A04", INTERNATIONAL), original;
	struct tg_isup isup;

	m.data[9] = 9; /* to the digits "A0" and "4": a calling number's name and length */
	put(&m, 0x83);
	put(&m, 0x10);
	put(&m, 0x21);
	put(&m, 0x03);
	put(&m, 0);
	original = m;
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(isup.sig.n_ids, 2);
	assert_false(tg_isup_set_called(m.data, m.len, &isup,
					(struct tg_span){ (const uint8_t *)"9999999999999", 13 }));
	assert_memory_equal(m.data, original.data, m.len);
}

/* ---- N2 ---------------------------------------------------------------------------------------- */

/* As any exchange would read what the message has become: optional parameters up to the end. */
static void check_null(const uint8_t *message, uint32_t len, uint32_t circuit_octets)
{
	uint32_t at = circuit_octets + 2;

	assert_int_equal(message[circuit_octets], 0x70);
	assert_int_equal(message[circuit_octets + 1], 1);
	assert_int_equal(message[at], 0x38);
	assert_int_equal(message[at + 1], 1);
	/* Last octet, transit interpretation, discard, no release, no notification. */
	assert_int_equal(message[at + 2], 0xb8);
	at += 3;
	while (at < len - 1) {
		assert_int_equal(message[at], 0x7e);
		at += 2 + message[at + 1];
	}
	assert_int_equal(at, len - 1);
	assert_int_equal(message[at], 0);
}

static void check_nulled(const struct message *original, enum tg_isup_variant variant, bool bicc)
{
	const uint32_t circuit = bicc ? 4 : 2;
	struct message m = *original;
	struct tg_isup isup, after;
	unsigned changed = 0;
	uint32_t i;

	assert_int_equal(tg_isup_read((struct tg_span){ m.data, m.len }, variant, bicc, &isup),
			 TG_REASON_NONE);
	assert_true(tg_isup_null(m.data, m.len, &isup));
	check_null(m.data, m.len, circuit);
	for (i = 0; i < m.len; i++)
		changed += m.data[i] != original->data[i];
	assert_in_range(changed, 1, 8 + 2 * (m.len / 257));
	assert_memory_equal(m.data, original->data, circuit);
	assert_int_equal(tg_isup_read((struct tg_span){ m.data, m.len }, variant, bicc, &after),
			 TG_REASON_ISUP_OTHER);
	assert_int_equal(after.cic, isup.cic);
	assert_false(tg_isup_null(m.data, m.len, &isup)); /* it is no IAM any more */
}

TG_TEST(isup_null_is_discarded_by_any_exchange, TG_NEEDS_NOTHING)
{
	struct message m = usual_iam(), bicc = { .len = 2 };
	unsigned extra;

	check_nulled(&m, TG_ISUP_ITU, false);
	memcpy(bicc.data + 2, m.data, m.len);
	bicc.len += m.len;
	check_nulled(&bicc, TG_ISUP_ITU, true);
	m = begin_iam("", INTERNATIONAL); /* the shortest there is */
	m.data[9] = 0;
	check_nulled(&m, TG_ISUP_ITU, false);
	/* All lengths of an optional part, around those that one filler holds. */
	for (extra = 0; extra < 440; extra++) {
		unsigned left = extra;

		m = begin_iam("442079460123", INTERNATIONAL);
		while (left >= 2) {
			const unsigned n = left - 2 < 200 ? left - 2 : 200;

			put(&m, 0x20);
			put(&m, n);
			m.len += n;
			left -= 2 + n;
		}
		put(&m, 0);
		m.len += left; /* behind the end */
		check_nulled(&m, TG_ISUP_ITU, false);
	}
}

TG_TEST(isup_null_of_an_ansi_iam, TG_NEEDS_NOTHING)
{
	struct message m = { .len = 0 };
	static const uint8_t ansi[] = {
		0x34, 0x02, TG_ISUP_IAM, 0x00, 0x20, 0x01, 10,	 3,    6,
		0,    3,    0x80,	 0x90, 0xa2, 3,	   0x83, 0x10, 0x02
	};

	memcpy(m.data, ansi, sizeof(ansi));
	m.len = sizeof(ansi);
	check_nulled(&m, TG_ISUP_ANSI, false);
}

TG_TEST(isup_null_of_what_is_no_iam_or_too_short, TG_NEEDS_NOTHING)
{
	struct message m = usual_iam(), original = m;
	struct tg_isup isup;
	uint32_t len;

	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	for (len = 0; len < 2 + 5 + 2 + 1; len++)
		assert_false(tg_isup_null(m.data, len, &isup));
	isup.type = TG_ISUP_SGM;
	assert_false(tg_isup_null(m.data, m.len, &isup));
	assert_memory_equal(m.data, original.data, m.len);
}

/* ---- what later messages add ------------------------------------------------------------------- */

static bool append(struct tg_isup *isup, const char *digits)
{
	return tg_isup_append(
		isup, (struct tg_span){ (const uint8_t *)digits, (uint32_t)strlen(digits) });
}

static void check_raw(const struct tg_isup *isup, unsigned i, const char *want)
{
	const struct tg_span raw = tg_identity_raw(&isup->sig, i);

	assert_true(i < isup->sig.n_ids);
	assert_int_equal(raw.len, strlen(want));
	assert_memory_equal(raw.data, want, raw.len);
}

TG_TEST(IS_3_overlap_sending_adds_up, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("44207", INTERNATIONAL), original;
	struct tg_isup isup;

	put_calling(&m, 0x0a, "12025550123", INTERNATIONAL, ALLOWED_BY_NETWORK);
	put_generic(&m, 6, "12025550199");
	put(&m, 0);
	original = m;
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_true(append(&isup, "946"));
	assert_true(append(&isup, ""));
	assert_true(append(&isup, "0123"));
	check_raw(&isup, 0, "442079460123");
	check_raw(&isup, 1, "12025550123");
	check_raw(&isup, 2, "12025550199");
	tg_isup_normalise(&isup, NULL);
	check_id(&isup, 0, TG_ID_CALLED_NUMBER, "+442079460123");
	/* The message has fewer digits than that. */
	assert_false(tg_isup_set_called(m.data, m.len, &isup,
					(struct tg_span){ (const uint8_t *)"999900001111", 12 }));
	assert_false(tg_isup_restrict(m.data, m.len, &isup));
	assert_memory_equal(m.data, original.data, m.len);
}

TG_TEST(IS_3_more_digits_than_there_is_room_for, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);
	struct tg_isup isup;

	put_calling(&m, 0x0a, "12025550123", INTERNATIONAL, ALLOWED_BY_NETWORK);
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_false(append(&isup, "123456789012345678901"));
	check_raw(&isup, 0, "442079460123");
	assert_true(append(&isup, "12345678901234567890"));
	assert_false(append(&isup, "1"));
	check_raw(&isup, 0, "44207946012312345678901234567890");
	check_raw(&isup, 1, "12025550123");
	tg_isup_normalise(&isup, NULL);
	check_id(&isup, 0, TG_ID_CALLED_NUMBER, "-");
	check_id(&isup, 1, TG_ID_CALLING_NUMBER, "+12025550123");
}

TG_TEST(IS_3_nothing_to_add_to, TG_NEEDS_NOTHING)
{
	struct message m = { .len = 2 };
	struct tg_isup isup;

	put(&m, TG_ISUP_SGM);
	put(&m, 1);
	put_generic(&m, 6, "12025550199");
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_false(append(&isup, "1"));
	m = begin_iam("44207946012300000000000000000000000000000000", INTERNATIONAL);
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_false(append(&isup, "1"));
}

static struct message segment(unsigned n)
{
	struct message m = { .len = 2 };

	put(&m, TG_ISUP_SGM);
	put(&m, 1);
	while (n-- > 0)
		put_generic(&m, 6, "12025550199");
	put(&m, 0);
	return m;
}

TG_TEST(IS_4_segment_is_part_of_the_iam, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL), sgm = segment(2);
	struct tg_isup isup, later;

	put(&m, 0x08);
	put(&m, 1);
	put(&m, 0x04);
	put_calling(&m, 0x0a, "447700900123", INTERNATIONAL, ALLOWED_BY_NETWORK);
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(read_message(&sgm, &later), TG_REASON_NONE);
	tg_isup_merge(&isup, &later);
	assert_false(isup.more_follows);
	assert_true(append(&isup, "4"));
	tg_isup_normalise(&isup, NULL);
	assert_int_equal(isup.sig.n_ids, 4);
	check_id(&isup, 0, TG_ID_CALLED_NUMBER, "+4420794601234");
	check_id(&isup, 1, TG_ID_CALLING_NUMBER, "+447700900123");
	check_id(&isup, 3, TG_ID_GENERIC_NUMBER, "+12025550199");
	assert_int_equal(isup.party[3].qualifier, 6);
	assert_int_equal(isup.sig.caller, 1);
	assert_int_equal(isup.sig.ids_left_out, 0);
}

TG_TEST(IS_4_segment_that_was_copied, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL), sgm = segment(1);
	struct tg_isup isup, later;

	put(&m, 0);
	assert_int_equal(read_message(&sgm, &isup), TG_REASON_NONE);
	later = isup;
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	tg_isup_merge(&isup, &later);
	check_raw(&isup, 0, "442079460123");
	check_raw(&isup, 1, "12025550199");
}

TG_TEST(IS_4_segment_with_more_identities_than_kept, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL), sgm = segment(20);
	struct tg_isup isup, later;

	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(read_message(&sgm, &later), TG_REASON_NONE);
	tg_isup_merge(&isup, &later);
	assert_int_equal(isup.sig.n_ids, TG_SIG_MAX_IDS);
	assert_int_equal(isup.sig.ids_left_out, 20 - (TG_SIG_MAX_IDS - 1));
	check_raw(&isup, TG_SIG_MAX_IDS - 1, "12025550199");
}
