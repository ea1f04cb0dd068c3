/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/support/isup_message.h"

TG_TEST(IS_1_iam_with_fixed_variable_and_optional_part, TG_NEEDS_NOTHING)
{
	const struct message m = usual_iam();
	struct tg_isup isup;

	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	tg_isup_normalise(&isup, NULL);
	assert_int_equal(isup.type, TG_ISUP_IAM);
	assert_int_equal(isup.cic, 0x0234);
	assert_int_equal(isup.category, 10);
	assert_int_equal(isup.sig.protocol, TG_PROTOCOL_ISUP);
	assert_int_equal(isup.sig.message, TG_MESSAGE_IAM);
	assert_int_equal(isup.sig.n_ids, 5);
	check_id(&isup, 0, TG_ID_CALLED_NUMBER, "+442079460123");
	check_id(&isup, 1, TG_ID_CALLING_NUMBER, "+12025550123");
	check_id(&isup, 2, TG_ID_ORIGINAL_CALLED_NUMBER, "+447700900123");
	check_id(&isup, 3, TG_ID_REDIRECTING_NUMBER, "+6591234567");
	check_id(&isup, 4, TG_ID_GENERIC_NUMBER, "+12025550199");
	assert_int_equal(isup.sig.called, 0);
	assert_int_equal(isup.sig.caller, 1);
	assert_int_equal(isup.party[1].screening, 3);
	assert_int_equal(isup.party[3].presentation, TG_ISUP_RESTRICTED);
	assert_false(isup.more_follows);
}

TG_TEST(IS_1_bicc_differs_in_its_call_instance, TG_NEEDS_NOTHING)
{
	struct message isup_message = usual_iam(), m = { .len = 0 };
	struct tg_isup isup;

	put(&m, 0x78);
	put(&m, 0x56);
	put(&m, 0x34);
	put(&m, 0x12);
	memcpy(m.data + 4, isup_message.data + 2, isup_message.len - 2);
	m.len = isup_message.len + 2;
	assert_int_equal(tg_isup_read((struct tg_span){ m.data, m.len }, TG_ISUP_ITU, true, &isup),
			 TG_REASON_NONE);
	assert_int_equal(isup.cic, 0x12345678);
	assert_int_equal(isup.sig.protocol, TG_PROTOCOL_BICC);
	assert_int_equal(isup.sig.n_ids, 5);
}

TG_TEST(IS_1_encapsulated_has_no_circuit, TG_NEEDS_NOTHING)
{
	struct message m = usual_iam();
	struct tg_isup isup;

	assert_int_equal(tg_isup_read_encapsulated((struct tg_span){ m.data + 2, m.len - 2 },
						   TG_ISUP_ITU, &isup),
			 TG_REASON_NONE);
	assert_int_equal(isup.sig.n_ids, 5);
	assert_true(tg_isup_set_called(m.data + 2, m.len - 2, &isup,
				       (struct tg_span){ (const uint8_t *)"999900001111", 12 }));
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_memory_equal(tg_identity_raw(&isup.sig, 0).data, "999900001111", 12);
}

TG_TEST(IS_1_no_optional_part, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);
	struct tg_isup isup;

	m.data[9] = 0;
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(isup.sig.n_ids, 1);
	assert_int_equal(isup.sig.caller, TG_SIG_NO_ID);
}

TG_TEST(IS_1_end_of_optional_part_missing, TG_NEEDS_NOTHING)
{
	struct message m = usual_iam();
	struct tg_isup isup;

	m.len--;
	assert_int_equal(read_message(&m, &isup), TG_REASON_ISUP_MALFORMED);
	m.data[8] = 0; /* a mandatory parameter's pointer */
	assert_int_equal(read_message(&m, &isup), TG_REASON_ISUP_MALFORMED);
	m.data[8] = 250;
	assert_int_equal(read_message(&m, &isup), TG_REASON_ISUP_MALFORMED);
}

TG_TEST(IS_2_digits_end_of_pulsing_and_natures, TG_NEEDS_NOTHING)
{
	static const struct tg_num_profile uk = {
		.country_code = "44",
		.country_code_len = 2,
		.national_prefix = "0",
		.national_prefix_len = 1,
		.international_prefix = { "00" },
		.international_prefix_len = { 2 },
		.national_min = 7,
		.national_max = 10,
	};
	static const struct {
		const char *digits;
		unsigned nature;
		const char *number;
		bool complete;
	} cases[] = {
		{ "442079460123F", INTERNATIONAL, "+442079460123", true },
		{ "442079460123F0", INTERNATIONAL, "+442079460123", true },
		{ "12025550123", INTERNATIONAL, "+12025550123", false },
		{ "2079460123", NATIONAL, "+442079460123", false },
		{ "02079460123", 2, "+442079460123", false },
		{ "0012025550123", 2, "+12025550123", false },
		{ "2079460123", 1, "-", false },
		{ "44207946012B", INTERNATIONAL, "-", false },
		{ "4420794601231234", INTERNATIONAL, "-", false },
		{ "", INTERNATIONAL, "-", false },
		{ "44207946012300000000000000000000000000000000", INTERNATIONAL, "-", false },
	};
	struct tg_isup isup;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		struct message m = begin_iam(cases[i].digits, cases[i].nature);

		put(&m, 0);
		assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
		tg_isup_normalise(&isup, &uk);
		check_id(&isup, 0, TG_ID_CALLED_NUMBER, cases[i].number);
		assert_int_equal(isup.end_of_digits, cases[i].complete);
	}
}

TG_TEST(IS_2_plan_and_presentation, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);
	struct tg_isup isup;

	put_calling(&m, 0x0a, "", 0, TG_ISUP_NOT_AVAILABLE << 2);
	put_generic(&m, 6, "12025550199");
	m.data[m.len - octets("12025550199") - 1] = 0x30; /* data numbering plan, X.121 */
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	tg_isup_normalise(&isup, NULL);
	assert_int_equal(isup.sig.id[1].cls, TG_NUM_CLASS_UNAVAILABLE);
	assert_int_equal(isup.sig.id[2].cls, TG_NUM_CLASS_UNRESOLVED);
}

TG_TEST(IS_3_subsequent_digits, TG_NEEDS_NOTHING)
{
	static const uint8_t sam[] = { 0x34, 0x02, TG_ISUP_SAM, 2, 0, 3, 0x80, 0x21, 0x03 };
	struct message m = { .len = sizeof(sam) };
	struct tg_isup isup;

	memcpy(m.data, sam, sizeof(sam));
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(isup.sig.message, TG_MESSAGE_SAM);
	assert_int_equal(isup.sig.n_ids, 1);
	assert_int_equal(isup.sig.id[0].raw_len, 3);
	assert_memory_equal(tg_identity_raw(&isup.sig, 0).data, "123", 3);
}

TG_TEST(IS_4_segmentation, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);
	struct tg_isup isup;

	put(&m, 0x08);
	put(&m, 1);
	put(&m, 0x04);
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_true(isup.more_follows);
	m.len = 2;
	put(&m, TG_ISUP_SGM);
	put(&m, 1);
	put_generic(&m, 6, "12025550199");
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(isup.sig.message, TG_MESSAGE_SGM);
	tg_isup_normalise(&isup, NULL);
	check_id(&isup, 0, TG_ID_GENERIC_NUMBER, "+12025550199");
}

TG_TEST(IS_5_generic_numbers_by_qualifier, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);
	struct tg_isup isup;

	put_generic(&m, 6, "12025550199");
	put_generic(&m, 7, "12025550198");
	put_generic(&m, 8, "12025550197");
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(isup.sig.id[1].role, TG_ROLE_CALLER);
	assert_int_equal(isup.sig.id[2].role, TG_ROLE_ORIGINAL_CALLED);
	assert_int_equal(isup.sig.id[3].role, TG_ROLE_REDIRECTING);
}

TG_TEST(IS_7_other_messages_pass, TG_NEEDS_NOTHING)
{
	struct message m = { .len = 2 };
	struct tg_isup isup;
	unsigned type;

	put(&m, 0);
	for (type = 0; type < 256; type++) {
		if (type == TG_ISUP_IAM || type == TG_ISUP_SAM || type == TG_ISUP_SGM)
			continue;
		m.data[2] = (uint8_t)type;
		assert_int_equal(read_message(&m, &isup), TG_REASON_ISUP_OTHER);
	}
}

TG_TEST(IS_10_ansi_iam, TG_NEEDS_NOTHING)
{
	static const uint8_t
		ansi
			[] = {
				0x34, 0x02, TG_ISUP_IAM, 0x00, 0x20, 0x01, 10,	 3,
				6,    13, /* user service information, called number, optional part */
				3,    0x80, 0x90,	 0xa2, 7,    0x03, 0x10, 0x02,
				0x52, 0x55, 0x10,	 0x32, 0x0a, 7,	   0x03, 0x13,
				0x02, 0x52, 0x55,	 0x10, 0x99, 0x00,
			};
	static const struct tg_num_profile us = {
		.country_code = "1", .country_code_len = 1, .national_min = 10, .national_max = 10
	};
	struct tg_isup isup;

	assert_int_equal(
		tg_isup_read((struct tg_span){ ansi, sizeof(ansi) }, TG_ISUP_ANSI, false, &isup),
		TG_REASON_NONE);
	tg_isup_normalise(&isup, &us);
	check_id(&isup, 0, TG_ID_CALLED_NUMBER, "+12025550123");
	check_id(&isup, 1, TG_ID_CALLING_NUMBER, "+12025550199");
}

TG_TEST(IS_13_priority_category, TG_NEEDS_NOTHING)
{
	struct message m = usual_iam();
	struct tg_isup isup;

	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_false(tg_isup_is_priority(&isup));
	m.data[6] = 11;
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_true(tg_isup_is_priority(&isup));
}

TG_TEST(isup_second_calling_number, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);
	struct tg_isup isup;

	put_calling(&m, 0x0a, "12025550123", INTERNATIONAL, ALLOWED_BY_NETWORK);
	put_calling(&m, 0x0a, "6591234567", INTERNATIONAL, ALLOWED_BY_NETWORK);
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	tg_isup_normalise(&isup, NULL);
	assert_int_equal(isup.sig.caller, 1);
	check_id(&isup, 1, TG_ID_CALLING_NUMBER, "+12025550123");
	check_id(&isup, 2, TG_ID_CALLING_NUMBER, "+6591234567");
	assert_int_equal(isup.sig.id[2].role, TG_ROLE_CALLER);
}

TG_TEST(isup_more_identities_than_kept, TG_NEEDS_NOTHING)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);
	struct tg_isup isup;
	unsigned i;

	for (i = 0; i < TG_SIG_MAX_IDS + 3; i++)
		put_generic(&m, 6, "12025550199");
	put(&m, 0);
	assert_int_equal(read_message(&m, &isup), TG_REASON_NONE);
	assert_int_equal(isup.sig.n_ids, TG_SIG_MAX_IDS);
	assert_int_equal(isup.sig.ids_left_out, 4);
}

static void truncated(void *ctx, const uint8_t *data, size_t len)
{
	const size_t whole = *(const size_t *)ctx;
	struct tg_isup isup;
	const enum tg_reason reason = tg_isup_read((struct tg_span){ data, (uint32_t)len },
						   TG_ISUP_ITU, false, &isup);

	assert_int_equal(reason, len == whole ? TG_REASON_NONE : TG_REASON_ISUP_MALFORMED);
}

TG_TEST(isup_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	const struct message m = usual_iam();
	size_t whole = m.len;

	tg_guard_truncate(m.data, m.len, truncated, &whole);
}
