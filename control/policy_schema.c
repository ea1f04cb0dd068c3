/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shape of a policy's text. Words come from the same lists as the enums, so a new role, category
 * or class is a word here without a change.
 */
#include "control/policy_doc.h"
#include "tollgate/numbering.h"

#define MAX_TEXT 255 /* the exact limits are checked with better words later */
#define OPTIONAL CYAML_FLAG_OPTIONAL
#define OPTIONAL_LIST (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define WORD CYAML_FLAG_STRICT

static const cyaml_strval_t role_words[] = {
#define X(sym, name) { name, 1 << TG_ROLE_##sym },
	TG_ROLES(X)
#undef X
};

static const cyaml_strval_t category_words[] = {
#define X(sym, name, kind) { name, 1 << TG_CATEGORY_##sym },
	TG_CATEGORIES(X)
#undef X
};

static const cyaml_strval_t class_words[] = {
#define X(sym, name) { name, 1 << TG_NUM_CLASS_##sym },
	TG_NUM_CLASSES(X)
#undef X
};

static const cyaml_strval_t source_words[] = {
#define X(sym, name, role) { name, 1 << TG_ID_##sym },
	TG_ID_SOURCES(X)
#undef X
};

static const cyaml_strval_t has_words[] = {
#define X(sym, name, role) { name, 1 << TG_ID_##sym },
	TG_ID_SOURCES(X)
#undef X
#define X(sym, name) { name, 1 << (TG_RULE_HAS_TRAIT + TG_TRAIT_##sym) },
		TG_TRAITS(X)
#undef X
};

static const cyaml_strval_t plan_words[] = {
#define X(sym, name) { name, 1 << TG_NUMBERING_##sym },
	TG_NUMBERING_STATES(X)
#undef X
};

static const cyaml_strval_t type_words[] = {
#define X(sym, name) { name, 1 << TG_NUMBERING_TYPE_##sym },
	TG_NUMBERING_TYPES(X)
#undef X
};

static const cyaml_strval_t contradiction_words[] = {
#define X(sym, name) { name, 1 << TG_CONTRADICTION_##sym },
	TG_CONTRADICTIONS(X)
#undef X
};

static const cyaml_strval_t privacy_words[] = {
#define X(sym, name) { name, 1 << TG_PRIVACY_##sym },
	TG_PRIVACIES(X)
#undef X
};

static const cyaml_strval_t attestation_words[] = {
#define X(sym, name) { name, 1 << TG_ATTESTATION_##sym },
	TG_ATTESTATIONS(X)
#undef X
};

static const cyaml_strval_t verification_words[] = {
#define X(sym, name) { name, 1 << TG_STIR_##sym },
	TG_STIR_STATES(X)
#undef X
};

static const cyaml_strval_t nature_words[] = {
#define X(sym, name) { name, 1 << TG_ISUP_NATURE_##sym },
	TG_ISUP_NATURES(X)
#undef X
};

static const cyaml_strval_t number_plan_words[] = {
#define X(sym, name) { name, 1 << TG_ISUP_PLAN_##sym },
	TG_ISUP_PLANS(X)
#undef X
};

static const cyaml_strval_t presentation_words[] = {
#define X(sym, name) { name, 1 << TG_ISUP_SHOWN_##sym },
	TG_ISUP_SHOWN(X)
#undef X
};

static const cyaml_strval_t screening_words[] = {
#define X(sym, name) { name, 1 << TG_ISUP_SCREENING_##sym },
	TG_ISUP_SCREENINGS(X)
#undef X
};

static const cyaml_strval_t inn_words[] = {
#define X(sym, name) { name, 1 << TG_ISUP_INN_##sym },
	TG_ISUP_INNS(X)
#undef X
};

static const cyaml_strval_t qualifier_words[] = {
#define X(sym, name) { name, 1 << TG_ISUP_QUALIFIER_##sym },
	TG_ISUP_QUALIFIERS(X)
#undef X
};

static const cyaml_strval_t calling_category_words[] = {
#define X(sym, name) { name, 1 << TG_ISUP_CATEGORY_##sym },
	TG_ISUP_CATEGORIES(X)
#undef X
};

/* Those that calls are made in. */
static const cyaml_strval_t protocol_words[] = {
	{ "sip", 1 << TG_PROTOCOL_SIP },
	{ "isup", 1 << TG_PROTOCOL_ISUP },
	{ "bicc", 1 << TG_PROTOCOL_BICC },
};

static const cyaml_strval_t limit_words[] = {
#define X(sym, name) { name, TG_LIMIT_##sym },
	TG_LIMITS(X)
#undef X
};

static const cyaml_strval_t action_words[] = {
#define X(sym, name) { name, TG_ACTION_##sym },
	TG_ACTIONS(X)
#undef X
		{ "anonymise", POLICY_ACTION_ANONYMISE },
};

/* A condition that may be left out; a switch that is off unless it is on. */
static const cyaml_strval_t asked_words[] = { { "yes", POLICY_YES }, { "no", POLICY_NO } };
static const cyaml_strval_t switch_words[] = { { "no", 0 }, { "yes", 1 } };

static const cyaml_strval_t mode_words[] = {
#define X(sym, name) { name, TG_MODE_##sym },
	TG_MODES(X)
#undef X
};

static const cyaml_strval_t mtp3_words[] = {
	{ "itu", TG_MTP3_ITU },
	{ "ansi", TG_MTP3_ANSI },
	{ "japan", TG_MTP3_JAPAN },
};
static const cyaml_strval_t isup_words[] = { { "itu", TG_ISUP_ITU }, { "ansi", TG_ISUP_ANSI } };

static const cyaml_strval_t bare_words[] = {
	{ "unresolved", TG_NUM_BARE_UNRESOLVED },
	{ "international", TG_NUM_BARE_INTERNATIONAL },
	{ "national", TG_NUM_BARE_NATIONAL },
};

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, MAX_TEXT),
};

static const cyaml_schema_field_t profile_fields[] = {
	CYAML_FIELD_STRING_PTR("country_code", OPTIONAL_LIST, struct policy_doc_profile,
			       country_code, 1, MAX_TEXT),
	CYAML_FIELD_SEQUENCE("international_prefixes", OPTIONAL_LIST, struct policy_doc_profile,
			     international_prefixes, &text, 1, TG_NUM_INTL_PREFIXES),
	CYAML_FIELD_STRING_PTR("national_prefix", OPTIONAL_LIST, struct policy_doc_profile,
			       national_prefix, 1, MAX_TEXT),
	CYAML_FIELD_ENUM("bare", OPTIONAL | WORD, struct policy_doc_profile, bare, bare_words,
			 TG_ARRAY_LEN(bare_words)),
	CYAML_FIELD_UINT_PTR("national_min", OPTIONAL, struct policy_doc_profile, national_min),
	CYAML_FIELD_UINT_PTR("national_max", OPTIONAL, struct policy_doc_profile, national_max),
	CYAML_FIELD_END,
};

static const cyaml_strval_t exception_words[] = { { "pass", 0 }, { "drop", 1 } };

static const cyaml_schema_field_t exception_fields[] = {
#define X(sym, name)                                                                               \
	CYAML_FIELD_ENUM(name, OPTIONAL | WORD, struct policy_doc_exceptions, sym,                 \
			 exception_words, TG_ARRAY_LEN(exception_words)),
	TG_EXCEPTIONS(X)
#undef X
		CYAML_FIELD_END,
};

static const cyaml_schema_field_t trunk_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_doc_trunk, name, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("port", CYAML_FLAG_POINTER, struct policy_doc_trunk, port, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("vlan", OPTIONAL_LIST, struct policy_doc_trunk, vlan, 1, MAX_TEXT),
	CYAML_FIELD_STRING_PTR("peer", OPTIONAL_LIST, struct policy_doc_trunk, peer, 1, MAX_TEXT),
	CYAML_FIELD_STRING_PTR("local", OPTIONAL_LIST, struct policy_doc_trunk, local, 1, MAX_TEXT),
	CYAML_FIELD_ENUM("mode", OPTIONAL | WORD, struct policy_doc_trunk, mode, mode_words,
			 TG_ARRAY_LEN(mode_words)),
	CYAML_FIELD_ENUM("international", OPTIONAL | WORD, struct policy_doc_trunk, international,
			 switch_words, TG_ARRAY_LEN(switch_words)),
	CYAML_FIELD_UINT_PTR("mtu", OPTIONAL, struct policy_doc_trunk, mtu),
	CYAML_FIELD_UINT_PTR("priority_per_second", OPTIONAL, struct policy_doc_trunk,
			     priority_per_second),
	CYAML_FIELD_UINT_PTR("answers_per_second", OPTIONAL, struct policy_doc_trunk,
			     answers_per_second),
	CYAML_FIELD_STRING_PTR("opc", OPTIONAL_LIST, struct policy_doc_trunk, opc, 1, MAX_TEXT),
	CYAML_FIELD_STRING_PTR("dpc", OPTIONAL_LIST, struct policy_doc_trunk, dpc, 1, MAX_TEXT),
	CYAML_FIELD_UINT_PTR("network_appearance", OPTIONAL, struct policy_doc_trunk,
			     network_appearance),
	CYAML_FIELD_ENUM("mtp3", OPTIONAL | WORD, struct policy_doc_trunk, mtp3, mtp3_words,
			 TG_ARRAY_LEN(mtp3_words)),
	CYAML_FIELD_ENUM("isup", OPTIONAL | WORD, struct policy_doc_trunk, isup, isup_words,
			 TG_ARRAY_LEN(isup_words)),
	CYAML_FIELD_STRING_PTR("sink", OPTIONAL_LIST, struct policy_doc_trunk, sink, 1, MAX_TEXT),
	CYAML_FIELD_MAPPING_PTR("profile", OPTIONAL, struct policy_doc_trunk, profile,
				profile_fields),
	CYAML_FIELD_MAPPING_PTR("exceptions", OPTIONAL, struct policy_doc_trunk, exceptions,
				exception_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t trunk = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_doc_trunk, trunk_fields),
};

static const cyaml_schema_field_t answer_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_doc_answer, name, 1,
			       MAX_TEXT),
	CYAML_FIELD_UINT_PTR("code", OPTIONAL, struct policy_doc_answer, code),
	CYAML_FIELD_STRING_PTR("phrase", OPTIONAL_LIST, struct policy_doc_answer, phrase, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("reason", OPTIONAL_LIST, struct policy_doc_answer, reason, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("contact", OPTIONAL_LIST, struct policy_doc_answer, contact, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("call_info", OPTIONAL_LIST, struct policy_doc_answer, call_info, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("sink", OPTIONAL_LIST, struct policy_doc_answer, sink, 1, MAX_TEXT),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t answer = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_doc_answer, answer_fields),
};

static const cyaml_schema_field_t mark_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_doc_mark, name, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("header", OPTIONAL_LIST, struct policy_doc_mark, header, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("display", OPTIONAL_LIST, struct policy_doc_mark, display, 1,
			       MAX_TEXT),
	CYAML_FIELD_ENUM("anonymise", OPTIONAL | WORD, struct policy_doc_mark, anonymise,
			 switch_words, TG_ARRAY_LEN(switch_words)),
	CYAML_FIELD_ENUM("plus", OPTIONAL | WORD, struct policy_doc_mark, plus, switch_words,
			 TG_ARRAY_LEN(switch_words)),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t mark = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_doc_mark, mark_fields),
};

static const cyaml_schema_field_t range_fields[] = {
	CYAML_FIELD_UINT_PTR("min", OPTIONAL, struct policy_doc_range, min),
	CYAML_FIELD_UINT_PTR("max", OPTIONAL, struct policy_doc_range, max),
	CYAML_FIELD_END,
};

#define WHEN_LIST(key, member, most)                                                               \
	CYAML_FIELD_SEQUENCE_COUNT(key, OPTIONAL_LIST, struct policy_doc_when, member.word,        \
				   member.n, &text, 1, most)
#define WHEN_FLAGS(key, member, words)                                                             \
	CYAML_FIELD_FLAGS(key, OPTIONAL | WORD, struct policy_doc_when, member, words,             \
			  TG_ARRAY_LEN(words))

/* In the order of dataplane/policy/README.md. */
static const cyaml_schema_field_t when_fields[] = {
	WHEN_FLAGS("role", roles, role_words),
	WHEN_FLAGS("source", sources, source_words),
	WHEN_FLAGS("category", categories, category_words),
	CYAML_FIELD_MAPPING_PTR("score", OPTIONAL, struct policy_doc_when, score, range_fields),
	WHEN_FLAGS("class", classes, class_words),
	WHEN_LIST("number", number, TG_POLICY_MAX_INTERVALS),
	WHEN_LIST("number_not", number_not, TG_POLICY_MAX_INTERVALS),
	WHEN_LIST("region", region, TG_POLICY_MAX_WORDS),
	CYAML_FIELD_ENUM("valid", OPTIONAL | WORD, struct policy_doc_when, valid, asked_words,
			 TG_ARRAY_LEN(asked_words)),
	WHEN_FLAGS("plan", plan, plan_words),
	WHEN_FLAGS("type", types, type_words),
	CYAML_FIELD_MAPPING_PTR("digits", OPTIONAL, struct policy_doc_when, digits, range_fields),
	CYAML_FIELD_UINT_PTR("same_prefix", OPTIONAL, struct policy_doc_when, same_prefix),
	WHEN_LIST("raw_prefix", raw_prefix, TG_POLICY_MAX_WORDS),
	WHEN_LIST("raw_prefix_not", raw_prefix_not, TG_POLICY_MAX_WORDS),
	WHEN_FLAGS("nature", natures, nature_words),
	WHEN_FLAGS("number_plan", number_plans, number_plan_words),
	WHEN_FLAGS("presentation", presentations, presentation_words),
	WHEN_FLAGS("screening", screenings, screening_words),
	WHEN_FLAGS("qualifier", qualifiers, qualifier_words),
	CYAML_FIELD_ENUM("inn", OPTIONAL | WORD, struct policy_doc_when, inn, inn_words,
			 TG_ARRAY_LEN(inn_words)),
	CYAML_FIELD_ENUM("incomplete", OPTIONAL | WORD, struct policy_doc_when, incomplete,
			 asked_words, TG_ARRAY_LEN(asked_words)),
	WHEN_FLAGS("protocol", protocols, protocol_words),
	WHEN_FLAGS("calling_category", calling_categories, calling_category_words),
	WHEN_FLAGS("contradiction", contradictions, contradiction_words),
	WHEN_FLAGS("has", has, has_words),
	WHEN_FLAGS("has_not", has_not, has_words),
	WHEN_FLAGS("privacy", privacy, privacy_words),
	WHEN_FLAGS("attestation", attestations, attestation_words),
	WHEN_FLAGS("verification", verifications, verification_words),
	WHEN_LIST("tgrp", tgrp, TG_POLICY_MAX_WORDS),
	WHEN_LIST("trunk_context", trunk_context, TG_POLICY_MAX_WORDS),
	WHEN_LIST("orig_ioi", orig_ioi, TG_POLICY_MAX_WORDS),
	WHEN_LIST("trunk", trunk, TG_POLICY_MAX_TRUNKS),
	CYAML_FIELD_ENUM("international", OPTIONAL | WORD, struct policy_doc_when, international,
			 asked_words, TG_ARRAY_LEN(asked_words)),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t when = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_doc_when, when_fields),
};

static const cyaml_schema_field_t limit_fields[] = {
	CYAML_FIELD_ENUM("per", WORD, struct policy_doc_limit, per, limit_words,
			 TG_ARRAY_LEN(limit_words)),
	CYAML_FIELD_UINT_PTR("digits", OPTIONAL, struct policy_doc_limit, digits),
	CYAML_FIELD_UINT("calls", CYAML_FLAG_DEFAULT, struct policy_doc_limit, calls),
	CYAML_FIELD_UINT("seconds", CYAML_FLAG_DEFAULT, struct policy_doc_limit, seconds),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t rule_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_doc_rule, name, 1,
			       MAX_TEXT),
	CYAML_FIELD_MAPPING_PTR("when", OPTIONAL, struct policy_doc_rule, when, when_fields),
	CYAML_FIELD_SEQUENCE("also", OPTIONAL_LIST, struct policy_doc_rule, also, &when, 1, 4),
	CYAML_FIELD_ENUM("action", WORD, struct policy_doc_rule, action, action_words,
			 TG_ARRAY_LEN(action_words)),
	CYAML_FIELD_STRING_PTR("answer", OPTIONAL_LIST, struct policy_doc_rule, answer, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("mark", OPTIONAL_LIST, struct policy_doc_rule, mark, 1, MAX_TEXT),
	CYAML_FIELD_ENUM("shadow", OPTIONAL | WORD, struct policy_doc_rule, shadow, switch_words,
			 TG_ARRAY_LEN(switch_words)),
	CYAML_FIELD_UINT_PTR("share", OPTIONAL, struct policy_doc_rule, share),
	CYAML_FIELD_MAPPING_PTR("limit", OPTIONAL, struct policy_doc_rule, limit, limit_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t rule = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_doc_rule, rule_fields),
};

/* The catch-all is added to the text's trunks, unless the last one is it. */
static const cyaml_schema_field_t policy_fields[] = {
	CYAML_FIELD_UINT("version", CYAML_FLAG_DEFAULT, struct policy_doc, version),
	CYAML_FIELD_SEQUENCE("trunks", OPTIONAL_LIST, struct policy_doc, trunks, &trunk, 0,
			     TG_POLICY_MAX_TRUNKS),
	CYAML_FIELD_SEQUENCE("answers", OPTIONAL_LIST, struct policy_doc, answers, &answer, 0,
			     TG_POLICY_MAX_ANSWERS),
	CYAML_FIELD_SEQUENCE("marks", OPTIONAL_LIST, struct policy_doc, marks, &mark, 0,
			     TG_POLICY_MAX_MARKS),
	CYAML_FIELD_SEQUENCE("rules", OPTIONAL_LIST, struct policy_doc, rules, &rule, 0,
			     TG_POLICY_MAX_RULES),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t tg_policy_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct policy_doc, policy_fields),
};
