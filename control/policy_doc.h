/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between policy_file.c and its parts: the policy as its text says it, and the arrays of the image
 * that it becomes. Nobody else includes this.
 *
 * To add a key: a member here, a row in policy_schema.c, its meaning in policy_trunk.c or
 * policy_rule.c, a line in dataplane/policy/README.md.
 */
#ifndef TG_CONTROL_POLICY_DOC_H
#define TG_CONTROL_POLICY_DOC_H

#include "control/error.h"
#include "control/yaml_doc.h"
#include "tollgate/policy.h"

/* ---- what the text says: filled by libcyaml; NULL and 0 = absent ------------------------------- */

struct policy_doc_profile {
	char *country_code;
	char **international_prefixes;
	unsigned international_prefixes_count;
	char *national_prefix;
	uint32_t bare; /* enum tg_num_bare */
	uint32_t *national_min;
	uint32_t *national_max;
};

struct policy_doc_trunk {
	char *name;
	char *port;
	char *vlan;
	char *peer;
	uint32_t mode; /* enum tg_mode */
	uint32_t *answers_per_second;
	struct policy_doc_profile *profile;
};

struct policy_doc_answer {
	char *name;
	uint32_t code;
	char *phrase;
	char *reason;
};

struct policy_doc_score {
	uint32_t *min;
	uint32_t *max;
};

struct policy_doc_when {
	uint32_t roles;	     /* bit per enum tg_role */
	uint32_t categories; /* bit per enum tg_category */
	uint32_t classes;    /* bit per enum tg_num_class */
	struct policy_doc_score *score;
	char **trunk;
	unsigned trunk_count;
};

struct policy_doc_rule {
	char *name;
	struct policy_doc_when *when;
	uint32_t action; /* enum tg_action */
	char *answer;
};

struct policy_doc {
	uint32_t version;
	struct policy_doc_trunk *trunks;
	unsigned trunks_count;
	struct policy_doc_answer *answers;
	unsigned answers_count;
	struct policy_doc_rule *rules;
	unsigned rules_count;
};

extern const cyaml_schema_value_t tg_policy_schema; /* of struct policy_doc */

/* ---- what it becomes --------------------------------------------------------------------------- */

struct policy_draft {
	const struct tg_yaml *yaml; /* for the place of an error */
	struct tg_error *err;
	struct tg_policy_trunk trunk[TG_POLICY_MAX_TRUNKS];
	struct tg_policy_answer answer[TG_POLICY_MAX_ANSWERS];
	struct tg_policy_rule rule[TG_POLICY_MAX_RULES];
	uint32_t n_trunks;
	uint32_t n_answers;
	uint32_t n_rules;
};

/* Longest path of a value, as "trunks[63].profile.international_prefixes[3]", with room. */
#define POLICY_PATH_MAX 80

struct policy_path {
	char text[POLICY_PATH_MAX];
};

/* "trunks[3]" and "peer" -> "trunks[3].peer". */
struct policy_path tg_policy_path(const char *element, const char *member);

/* In this order, since rules name the others. The draft is zero at first. 0 or -EINVAL. */
int tg_policy_draft_trunks(struct policy_draft *d, const struct policy_doc *doc);
int tg_policy_draft_answers(struct policy_draft *d, const struct policy_doc *doc);
int tg_policy_draft_rules(struct policy_draft *d, const struct policy_doc *doc);

/* Copies the name of the element at `path` ("rules[2]"), or says why it is none. */
int tg_policy_draft_name(const struct policy_draft *d, const char *path, const char *given,
			 char name[TG_POLICY_NAME_MAX + 1]);

#endif
