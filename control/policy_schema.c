/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shape of a policy's text. Words come from the same lists as the enums, so a new role, category
 * or class is a word here without a change.
 */
#include "control/policy_doc.h"

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

static const cyaml_strval_t action_words[] = {
#define X(sym, name) { name, TG_ACTION_##sym },
	TG_ACTIONS(X)
#undef X
};

static const cyaml_strval_t mode_words[] = {
#define X(sym, name) { name, TG_MODE_##sym },
	TG_MODES(X)
#undef X
};

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

static const cyaml_schema_field_t trunk_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_doc_trunk, name, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("port", CYAML_FLAG_POINTER, struct policy_doc_trunk, port, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("vlan", OPTIONAL_LIST, struct policy_doc_trunk, vlan, 1, MAX_TEXT),
	CYAML_FIELD_STRING_PTR("peer", OPTIONAL_LIST, struct policy_doc_trunk, peer, 1, MAX_TEXT),
	CYAML_FIELD_ENUM("mode", OPTIONAL | WORD, struct policy_doc_trunk, mode, mode_words,
			 TG_ARRAY_LEN(mode_words)),
	CYAML_FIELD_UINT_PTR("answers_per_second", OPTIONAL, struct policy_doc_trunk,
			     answers_per_second),
	CYAML_FIELD_MAPPING_PTR("profile", OPTIONAL, struct policy_doc_trunk, profile,
				profile_fields),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t trunk = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_doc_trunk, trunk_fields),
};

static const cyaml_schema_field_t answer_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_doc_answer, name, 1,
			       MAX_TEXT),
	CYAML_FIELD_UINT("code", CYAML_FLAG_DEFAULT, struct policy_doc_answer, code),
	CYAML_FIELD_STRING_PTR("phrase", CYAML_FLAG_POINTER, struct policy_doc_answer, phrase, 1,
			       MAX_TEXT),
	CYAML_FIELD_STRING_PTR("reason", OPTIONAL_LIST, struct policy_doc_answer, reason, 1,
			       MAX_TEXT),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t answer = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct policy_doc_answer, answer_fields),
};

static const cyaml_schema_field_t score_fields[] = {
	CYAML_FIELD_UINT_PTR("min", OPTIONAL, struct policy_doc_score, min),
	CYAML_FIELD_UINT_PTR("max", OPTIONAL, struct policy_doc_score, max),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t when_fields[] = {
	CYAML_FIELD_FLAGS("role", OPTIONAL | WORD, struct policy_doc_when, roles, role_words,
			  TG_ARRAY_LEN(role_words)),
	CYAML_FIELD_FLAGS("category", OPTIONAL | WORD, struct policy_doc_when, categories,
			  category_words, TG_ARRAY_LEN(category_words)),
	CYAML_FIELD_MAPPING_PTR("score", OPTIONAL, struct policy_doc_when, score, score_fields),
	CYAML_FIELD_FLAGS("class", OPTIONAL | WORD, struct policy_doc_when, classes, class_words,
			  TG_ARRAY_LEN(class_words)),
	CYAML_FIELD_SEQUENCE("trunk", OPTIONAL_LIST, struct policy_doc_when, trunk, &text, 1,
			     TG_POLICY_MAX_TRUNKS),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t rule_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct policy_doc_rule, name, 1,
			       MAX_TEXT),
	CYAML_FIELD_MAPPING_PTR("when", OPTIONAL, struct policy_doc_rule, when, when_fields),
	CYAML_FIELD_ENUM("action", WORD, struct policy_doc_rule, action, action_words,
			 TG_ARRAY_LEN(action_words)),
	CYAML_FIELD_STRING_PTR("answer", OPTIONAL_LIST, struct policy_doc_rule, answer, 1,
			       MAX_TEXT),
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
	CYAML_FIELD_SEQUENCE("rules", OPTIONAL_LIST, struct policy_doc, rules, &rule, 0,
			     TG_POLICY_MAX_RULES),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t tg_policy_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct policy_doc, policy_fields),
};
