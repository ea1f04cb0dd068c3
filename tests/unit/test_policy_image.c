/* SPDX-License-Identifier: BSD-3-Clause */
/* Trunk matching, and what tg_policy_open refuses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/image_write.h"
#include "control/policy_file.h"
#include "tests/support/tg_test.h"
#include "tollgate/policy.h"

static const char policy_text[] =
	"version: 1\n"
	"trunks:\n"
	"  - { name: tagged, port: 0, vlan: 100, peer: 192.0.2.0/24, mode: enforce, profile: { "
	"country_code: '65', international_prefixes: ['00', '011'], national_prefix: '0', bare: "
	"national, national_min: 8, national_max: 8 } }\n"
	"  - { name: odd-bits, port: 0, vlan: none, peer: 198.51.100.160/27 }\n"
	"  - { name: v6, port: 1, peer: 2001:db8:8000::/33 }\n"
	"  - { name: host, port: any, peer: 203.0.113.7 }\n"
	"  - { name: port-two, port: 2 }\n"
	"answers:\n"
	"  - { name: no, code: 603, phrase: Decline, reason: Q.850;cause=21 }\n"
	"  - { name: off, code: 403, phrase: Forbidden }\n"
	"  - { name: away, code: 302, phrase: Moved, contact: '<sip:a@192.0.2.9>', sink: '+6599' "
	"}\n"
	"marks:\n"
	"  - { name: tag, header: 'X-Tollgate: suspect', display: '[!] ' }\n"
	"rules:\n"
	"  - { name: one, when: { category: [fraud], score: { min: 80 } }, action: reject, answer: "
	"off }\n"
	"  - { name: two, when: { class: [malformed], trunk: [tagged] }, action: drop }\n"
	"  - { name: three, when: { number: ['+65', '+852'], number_not: ['+659'], tgrp: [a, b],\n"
	"      raw_prefix: ['65'], has: [redirected] }, also: [{ role: [called], type: [fixed] "
	"}],\n"
	"      action: divert, answer: away, share: 10,\n"
	"      limit: { per: caller, digits: 7, calls: 5, seconds: 60 } }\n"
	"  - { name: four, when: { role: [caller] }, action: mark, mark: tag, shadow: yes }\n";

struct image {
	uint8_t *bytes;
	uint64_t length;
	struct tg_policy_section *section;
	struct tg_policy_trunk *trunk;
	struct tg_policy_rule *rule;
	struct tg_policy_answer *answer;
	struct tg_policy_mark *mark;
	struct tg_policy_interval *interval;
	struct tg_policy_word *word;
};

static struct image compile(void)
{
	struct tg_error err;
	struct image i;
	void *bytes;

	assert_int_equal(
		tg_policy_compile(policy_text, strlen(policy_text), &bytes, &i.length, &err), 0);
	i.bytes = bytes;
	i.section = (void *)(i.bytes + TG_IMAGE_ALIGN);
	i.trunk = (void *)((uint8_t *)i.section + i.section->trunks_offset);
	i.rule = (void *)((uint8_t *)i.section + i.section->rules_offset);
	i.answer = (void *)((uint8_t *)i.section + i.section->answers_offset);
	i.mark = (void *)((uint8_t *)i.section + i.section->marks_offset);
	i.interval = (void *)((uint8_t *)i.section + i.section->intervals_offset);
	i.word = (void *)((uint8_t *)i.section + i.section->words_offset);
	return i;
}

/* ---- trunks ------------------------------------------------------------------------------------ */

TG_TEST(policy_trunk_find, TG_NEEDS_NOTHING)
{
	static const struct {
		uint16_t port;
		uint16_t vlan;
		uint8_t version;
		uint8_t peer[16];
		const char *trunk;
	} rows[] = {
		{ 0, 100, 4, { 192, 0, 2, 0 }, "tagged" },
		{ 0, 100, 4, { 192, 0, 2, 255 }, "tagged" },
		{ 0, 100, 4, { 192, 0, 3, 0 }, "default" },
		{ 0, 101, 4, { 192, 0, 2, 1 }, "default" },
		{ 1, 100, 4, { 192, 0, 2, 1 }, "default" },
		{ 0, TG_TRUNK_NO_VLAN, 4, { 192, 0, 2, 1 }, "default" },
		{ 0, TG_TRUNK_NO_VLAN, 4, { 198, 51, 100, 160 }, "odd-bits" },
		{ 0, TG_TRUNK_NO_VLAN, 4, { 198, 51, 100, 191 }, "odd-bits" },
		{ 0, TG_TRUNK_NO_VLAN, 4, { 198, 51, 100, 192 }, "default" },
		{ 0, TG_TRUNK_NO_VLAN, 4, { 198, 51, 100, 159 }, "default" },
		{ 0, 0, 4, { 198, 51, 100, 160 }, "odd-bits" }, /* priority tag */
		{ 0, 1, 4, { 198, 51, 100, 160 }, "default" },
		{ 1, 7, 6, { 0x20, 0x01, 0x0d, 0xb8, 0x80 }, "v6" },
		{ 1, 7, 6, { 0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff }, "v6" },
		{ 1, 7, 6, { 0x20, 0x01, 0x0d, 0xb8, 0x7f }, "default" },
		{ 1, 7, 4, { 0x20, 0x01, 0x0d, 0xb8 }, "default" },
		{ 9, 9, 4, { 203, 0, 113, 7 }, "host" },
		{ 9, 9, 4, { 203, 0, 113, 6 }, "default" },
		{ 9, 9, 6, { 203, 0, 113, 7 }, "default" },
		{ 2, 4094, 6, { 0 }, "port-two" },
		{ 2, TG_TRUNK_NO_VLAN, 4, { 203, 0, 113, 7 }, "host" }, /* in order */
	};
	struct image image = compile();
	struct tg_image_error err;
	struct tg_policy p;
	unsigned i;

	assert_int_equal(tg_policy_open(&p, image.bytes, image.length, &err), 0);
	for (i = 0; i < TG_ARRAY_LEN(rows); i++) {
		const size_t len = rows[i].version == 4 ? 4 : 16;
		struct tg_guard peer = tg_guard_copy(rows[i].peer, len);
		const struct tg_trunk_key key = { rows[i].port, rows[i].vlan, rows[i].version,
						  peer.data,	NULL,	      NULL };

		if (strcmp(p.trunk[tg_policy_trunk_find(&p, &key)].name, rows[i].trunk) != 0)
			fail_msg("row %u: %s", i, p.trunk[tg_policy_trunk_find(&p, &key)].name);
		tg_guard_free(&peer);
	}
	free(image.bytes);
}

/* ---- validation -------------------------------------------------------------------------------- */

/* A word in the image, what to set it to, and whether the image must then be refused. Checksums are
 * made right again, so that only the contents are judged. */
struct damage {
	const char *what;
	void *at;
	size_t size;
	uint64_t value;
	bool fine;
};

#define PUT(member, v)                                                                             \
	{                                                                                          \
#member " = " #v, &(member), sizeof(member), (v), false                            \
	}
#define MAY(member, v)                                                                             \
	{                                                                                          \
#member " = " #v, &(member), sizeof(member), (v), true                             \
	}

static void try_damage(const struct image *image, const struct damage *d)
{
	struct tg_image_header h;
	struct tg_image_error err = { .code = TG_IMAGE_ERROR_NONE };
	struct tg_policy p;
	uint64_t old = 0;
	int ret;

	memcpy(&h, image->bytes, sizeof(h));
	memcpy(&old, d->at, d->size);
	memcpy(d->at, &d->value, d->size); /* little endian, as all that Tollgate runs on */
	tg_image_finish(image->bytes, &h);
	ret = tg_policy_open(&p, image->bytes, image->length, &err);
	if ((ret == 0) != d->fine)
		fail_msg("%s: %d", d->what, ret);
	if (!d->fine && (ret != -EINVAL || err.code != TG_IMAGE_ERROR_CONTENT ||
			 err.section != TG_IMAGE_SECTION_POLICY || err.offset < TG_IMAGE_ALIGN ||
			 err.offset >= image->length))
		fail_msg("%s: error %u at %u", d->what, err.code, (unsigned)err.offset);
	memcpy(d->at, &old, d->size);
}

static void try_all(const struct image *image, const struct damage *damages, size_t n)
{
	size_t k;

	for (k = 0; k < n; k++)
		try_damage(image, &damages[k]);
	free(image->bytes);
}

#define TRY(image, damages) try_all(&(image), damages, TG_ARRAY_LEN(damages))

TG_TEST(policy_open_refuses_bad_counts_and_offsets, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	const struct damage damages[] = {
		PUT(i.section->n_trunks, 0),
		PUT(i.section->n_trunks, 5),
		PUT(i.section->n_trunks, 65),
		PUT(i.section->n_trunks, 0xffffffff),
		PUT(i.section->n_rules, 1),
		PUT(i.section->n_rules, 257),
		PUT(i.section->n_rules, 0x80000000),
		PUT(i.section->n_answers, 4),
		PUT(i.section->n_answers, 33),
		PUT(i.section->trunks_offset, 0),
		PUT(i.section->trunks_offset, 0xffffff00),
		PUT(i.section->rules_offset, 28),
		PUT(i.section->answers_offset, 0x7fffffff),
		MAY(i.section->n_trunks, 6),
	};

	TRY(i, damages);
}

TG_TEST(policy_open_refuses_bad_trunks, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	struct tg_policy_trunk *t = i.trunk, *last = &i.trunk[5];
	const struct damage damages[] = {
		PUT(t->name[0], 0),
		PUT(t->name[1], ' '),
		PUT(t->name[2], '"'),
		PUT(t->vlan, 0),
		PUT(t->vlan, 4095),
		PUT(t->vlan, 0xfffd),
		MAY(t->vlan, 4094),
		MAY(t->vlan, TG_TRUNK_NO_VLAN),
		PUT(t->mode, TG_MODE_COUNT),
		PUT(t->international, 2),
		PUT(t->mtu, 575),
		PUT(t->mtu, 9217),
		PUT(t->priority_per_second, 0),
		PUT(t->local.version, 5),
		PUT(t->local.bits, 1),
		PUT(t->local.address[2], 1),
		PUT(t->peer.version, 0),
		PUT(t->peer.version, 5),
		PUT(t->peer.bits, 33),
		PUT(t->peer.bits, 22), /* host bits: 192.0.2.0/22 is 192.0.0.0/22 */
		MAY(t->peer.bits, 32),
		PUT(t->peer.address[3], 1),
		PUT(t->peer.address[15], 1),
		PUT(t->answers_per_second, 0),
		PUT(t->answers_per_second, TG_POLICY_MAX_ANSWER_RATE + 1),
		PUT(t->profile.country_code_len, 4),
		PUT(t->profile.country_code[0], '0'),
		PUT(t->profile.country_code[1], 'x'),
		PUT(t->profile.national_prefix_len, 8),
		PUT(t->profile.international_prefix_len[3], 8),
		PUT(t->profile.international_prefix_len[0], 3),
		PUT(t->profile.international_prefix[1][2], 0),
		PUT(t->profile.bare, 3),
		PUT(t->profile.national_min, 9),
		PUT(t->profile.national_max, 14),
		PUT(t->profile.national_max, 7),
		MAY(t->profile.national_max, 0),
		MAY(t->drops, (1u << TG_EXCEPTION_COUNT) - 1),
		PUT(t->drops, 1u << TG_EXCEPTION_COUNT),
		PUT(last->name[0], 'D'),
		PUT(last->port, 0),
		PUT(last->vlan, 1),
		PUT(last->peer.version, 4),
		PUT(t->opc, 1u << 24),
		MAY(t->opc, (1u << 24) - 1),
		PUT(t->dpc, TG_TRUNK_ANY_POINT_CODE - 1),
		PUT(t->has_network_appearance, 2),
		MAY(t->has_network_appearance, 1),
		PUT(t->mtp3, TG_MTP3_JAPAN + 1),
		PUT(t->isup, TG_ISUP_ANSI + 1),
		PUT(t->sink[0], '1'), /* without a '+' */
		PUT(t->sink[0], '+'), /* and without digits */
		PUT(last->opc, 1),
		PUT(last->dpc, 0),
		PUT(last->has_network_appearance, 1),
	};

	TRY(i, damages);
}

TG_TEST(policy_open_refuses_bad_rules_and_answers, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	struct tg_policy_rule *r = i.rule;
	struct tg_policy_answer *a = i.answer;
	const struct damage damages[] = {
		PUT(r->name[0], 0),
		PUT(r->trunks, 0),
		PUT(r->trunks, 1ull << 6),
		MAY(r->trunks, 1ull << 5),
		PUT(r->categories, 1),
		PUT(r->categories, 1u << TG_CATEGORY_COUNT),
		MAY(r->categories, 1u << (TG_CATEGORY_COUNT - 1)),
		MAY(r->categories, 0),
		PUT(r->classes, 1u << TG_NUM_CLASS_COUNT),
		PUT(r->roles, 0),
		PUT(r->roles, 1u << TG_ROLE_COUNT),
		PUT(r->score_min, 101),
		PUT(r->score_max, 101),
		PUT(r->score_max, 79),
		MAY(r->score_max, 80),
		PUT(r->action, TG_ACTION_DIVERT),
		PUT(r->action, TG_ACTION_MARK),
		PUT(r->action, TG_ACTION_COUNT),
		PUT(r->action, TG_ACTION_PASS), /* with an answer */
		PUT(r->answer, 2),
		MAY(r->answer, 0),
		PUT(r->zero[0], 1),
		PUT(r->zero[2], 1),
		PUT(r->attestations, 1), /* without `extended` */
		PUT(r->protocols, 1),
		PUT(r->calling_categories, 1),
		PUT(r->natures, 1),
		PUT(r->number_plans, 1),
		PUT(r->presentations, 1),
		PUT(r->screenings, 1),
		PUT(r->inns, 1),
		PUT(r->incompletes, 1),
		PUT(r->qualifiers, 1),
		PUT(a->code, 399),
		PUT(a->code, 401),
		PUT(a->code, 407),
		PUT(a->code, 408),
		PUT(a->code, 500),
		PUT(a->code, 503),
		PUT(a->code, 700),
		MAY(a->code, 400),
		MAY(a->code, 699),
		PUT(a->name[0], 0),
		PUT(a->phrase[0], '\r'),
		PUT(a->phrase[3], '\n'),
		PUT(a->reason[0], 0x7f),
		PUT(a->reason[1], 0x1b),
		PUT(a->zero[0], 1),
	};

	TRY(i, damages);
}

TG_TEST(policy_open_refuses_bad_conditions, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	struct tg_policy_rule *r = &i.rule[2], *also = &i.rule[3];
	const struct damage damages[] = {
		PUT(i.rule->also, 1), /* there is no rule before it */
		PUT(also->also, 2),
		MAY(also->also, 0),
		PUT(also->answer, 0),
		PUT(also->action, TG_ACTION_PASS),
		PUT(r->extended, 0),
		PUT(r->extended, 2),
		PUT(i.rule->extended, 1),
		MAY(r->sources, 1u << TG_ID_FROM),
		PUT(also->types, 1u << 12),
		PUT(also->types, 0), /* then it asks for nothing that `extended` says */
		PUT(also->states, 1u << 5),
		MAY(also->states, 1),
		PUT(r->digits_min, 1),
		PUT(r->digits_max, 16),
		MAY(r->digits_max, 15),
		PUT(r->same_prefix, 16),
		MAY(r->same_prefix, 15),
		PUT(r->number.n, 4),
		PUT(r->number.first, 2),
		MAY(r->number.n, 3),
		PUT(r->number_not.first, 3),
		PUT(r->tgrp.n, 0xffff),
		PUT(r->orig_ioi.first, 1), /* of no list */
		PUT(r->has, 1u << 31),
		PUT(r->contradictions, 1u << TG_CONTRADICTION_COUNT),
		MAY(r->contradictions, 1),
		PUT(r->privacy, 1u << TG_PRIVACY_COUNT),
		PUT(r->attestations, 1u << TG_ATTESTATION_COUNT),
		MAY(r->attestations, 1u << TG_ATTESTATION_NONE),
		PUT(r->verifications, 1u << TG_STIR_STATE_COUNT),
		MAY(r->verifications, 1u << TG_STIR_VALID),
		PUT(r->protocols, 1u << TG_PROTOCOL_COUNT),
		MAY(r->protocols, 1u << TG_PROTOCOL_BICC),
		MAY(r->calling_categories, 0xff),
		PUT(i.interval[0].lo, UINT64_MAX),
		PUT(i.interval[0].hi, 0),
		PUT(i.interval[1].hi, 1000000000000000ull),
		PUT(i.word[0].text[0], 0),
		PUT(i.word[0].text[0], 0x1b),
	};

	TRY(i, damages);
}

TG_TEST(policy_open_refuses_bad_conditions_on_isup, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	struct tg_policy_rule *r = &i.rule[2];
	const struct damage damages[] = {
		PUT(r->natures, 1u << TG_ISUP_NATURE_COUNT),
		MAY(r->natures, 1u << TG_ISUP_NATURE_OTHER),
		PUT(r->number_plans, 1u << TG_ISUP_PLAN_COUNT),
		MAY(r->number_plans, 1u << TG_ISUP_PLAN_OTHER),
		PUT(r->presentations, 1u << TG_ISUP_SHOWN_COUNT),
		MAY(r->presentations, 1u << TG_ISUP_SHOWN_UNAVAILABLE),
		PUT(r->screenings, 1u << TG_ISUP_SCREENING_COUNT),
		MAY(r->screenings, 1u << TG_ISUP_SCREENING_NETWORK),
		PUT(r->inns, 1u << TG_ISUP_INN_COUNT),
		MAY(r->inns, 1u << TG_ISUP_INN_NOT_ALLOWED),
		PUT(r->incompletes, 4),
		MAY(r->incompletes, 3),
		MAY(r->qualifiers, 0xff),
	};

	TRY(i, damages);
}

TG_TEST(policy_open_refuses_bad_outcomes, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	struct tg_policy_rule *r = &i.rule[2], *four = &i.rule[4];
	struct tg_policy_answer *away = &i.answer[2];
	struct tg_policy_mark *m = i.mark;
	const struct damage damages[] = {
		PUT(r->answer, 1), /* ends the call, and this rule diverts */
		PUT(r->action, TG_ACTION_REJECT),
		PUT(r->shadow, 2),
		PUT(r->share, 0),
		PUT(r->share, 101),
		PUT(r->limit, TG_LIMIT_COUNT),
		PUT(r->limit_digits, 16),
		PUT(r->limit_ms, 0),
		PUT(r->limit_calls, 0),
		PUT(r->limit_calls, 0x00020000), /* times 60,000 ms is more than 32 bits */
		PUT(four->answer, 1),
		PUT(away->code, 0x100),
		MAY(away->code, 0), /* the sink alone */
		PUT(away->code, 603),
		PUT(away->contact[0], 0),
		PUT(away->sink[1], 'x'),
		PUT(away->sink[1], 0),
		MAY(away->sink[0], 0),
		PUT(away->call_info[0], '\n'),
		PUT(m->flags, 4),
		PUT(m->flags, TG_MARK_ANONYMISE), /* and a display name */
		MAY(m->flags, TG_MARK_PLUS),
		PUT(m->header[0], '\t'),
		PUT(m->header[1], ':'),
		PUT(m->display[0], '"'),
		PUT(m->zero[6], 1),
	};

	TRY(i, damages);
}

/* An image of before the layout had a version begins with how many trunks it has: 1 to 64. */
TG_TEST(policy_open_names_other_layouts, TG_NEEDS_NOTHING)
{
	static const struct {
		uint32_t layout;
		enum tg_image_error_code code;
	} cases[] = {
		{ 1, TG_IMAGE_ERROR_OLD_VERSION },
		{ TG_POLICY_MAX_TRUNKS, TG_IMAGE_ERROR_OLD_VERSION },
		{ TG_POLICY_LAYOUT + 1, TG_IMAGE_ERROR_NEW_VERSION },
	};
	struct image image = compile();
	unsigned n;

	for (n = 0; n < TG_ARRAY_LEN(cases); n++) {
		struct tg_image_error err;
		struct tg_image_header h;
		struct tg_policy p;

		memcpy(&h, image.bytes, sizeof(h));
		image.section->layout = cases[n].layout;
		tg_image_finish(image.bytes, &h);
		assert_int_equal(tg_policy_open(&p, image.bytes, image.length, &err), -EINVAL);
		assert_int_equal(err.code, cases[n].code);
	}
	free(image.bytes);
}

/* Names and texts that run to the end of their array. */
TG_TEST(policy_open_wants_every_string_ended, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	const struct {
		char *text;
		size_t size;
	} strings[] = {
		{ i.trunk[0].name, sizeof(i.trunk[0].name) },
		{ i.rule[1].name, sizeof(i.rule[1].name) },
		{ i.answer[0].name, sizeof(i.answer[0].name) },
		{ i.answer[0].phrase, sizeof(i.answer[0].phrase) },
		{ i.answer[1].reason, sizeof(i.answer[1].reason) },
		{ i.answer[1].call_info, sizeof(i.answer[1].call_info) },
		{ i.mark[0].name, sizeof(i.mark[0].name) },
		{ i.mark[0].display, sizeof(i.mark[0].display) },
		{ i.word[2].text, sizeof(i.word[2].text) },
	};
	unsigned n;

	for (n = 0; n < TG_ARRAY_LEN(strings); n++) {
		char *last = &strings[n].text[strings[n].size - 1];
		char saved[256];

		memcpy(saved, strings[n].text, strings[n].size);
		memset(strings[n].text, 'a', strings[n].size - 1);
		try_damage(&i, &(struct damage){ "ended", last, 1, 0, true });
		try_damage(&i, &(struct damage){ "not ended", last, 1, 'a', false });
		memcpy(strings[n].text, saved, strings[n].size);
	}
	free(i.bytes);
}

static void open_truncated(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_image_error err;
	struct tg_policy p;

	(void)ctx;
	if ((uintptr_t)data % 8 != 0) /* images are mapped, so never at an odd address */
		return;
	assert_int_equal(tg_policy_open(&p, data, len, &err), -EINVAL);
}

TG_TEST(policy_open_refuses_truncated_images, TG_NEEDS_NOTHING)
{
	struct image i = compile();

	tg_guard_truncate(i.bytes, i.length - 1, open_truncated, NULL);
	free(i.bytes);
}

/* A damaged file or memfd: header, padding or contents. */
TG_TEST(policy_open_refuses_any_flipped_byte, TG_NEEDS_NOTHING)
{
	struct image i = compile();
	struct tg_image_error err;
	struct tg_policy p;
	uint64_t n;

	for (n = 0; n < i.length; n++) {
		i.bytes[n] ^= 0x10;
		if (tg_policy_open(&p, i.bytes, i.length, &err) == 0)
			fail_msg("byte %u", (unsigned)n);
		i.bytes[n] ^= 0x10;
	}
	assert_int_equal(tg_policy_open(&p, i.bytes, i.length, &err), 0);
	free(i.bytes);
}

TG_TEST(policy_open_wants_a_policy_section, TG_NEEDS_NOTHING)
{
	struct tg_image_header *image = aligned_alloc(TG_IMAGE_ALIGN, 2 * TG_IMAGE_ALIGN);
	struct tg_image_header h;
	struct tg_image_error err;
	struct tg_policy p;

	memset(image, 0, 2 * TG_IMAGE_ALIGN);
	tg_image_begin(&h, TG_IMAGE_POLICY, 0);
	tg_image_add(&h, TG_IMAGE_SECTION_EXACT, 64);
	tg_image_finish(image, &h);
	assert_int_equal(tg_policy_open(&p, image, h.length, &err), -EINVAL);
	tg_image_begin(&h, TG_IMAGE_POLICY, 0);
	tg_image_add(&h, TG_IMAGE_SECTION_POLICY, sizeof(struct tg_policy_section) - 1);
	tg_image_finish(image, &h);
	assert_int_equal(tg_policy_open(&p, image, h.length, &err), -EINVAL);
	free(image);
}

TG_TEST(policy_names_of_anything, TG_NEEDS_NOTHING)
{
	assert_string_equal(tg_action_name(TG_ACTION_REJECT), "reject");
	assert_string_equal(tg_action_name(TG_ACTION_COUNT), "?");
	assert_string_equal(tg_mode_name(TG_MODE_ENFORCE), "enforce");
	assert_string_equal(tg_mode_name(TG_MODE_COUNT), "?");
}
