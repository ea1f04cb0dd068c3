/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Between policy_file.c and its parts: the policy as its text says it, and the arrays of the image
 * that it becomes. Nobody else includes this.
 *
 * To add a key: a member here, a row in policy_schema.c, its meaning in policy_trunk.c, policy_answer.c,
 * policy_when.c (conditions) or policy_rule.c (what then), a line in dataplane/policy/README.md.
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

/* A member an exception: 0 = pass, 1 = drop. */
struct policy_doc_exceptions {
#define X(sym, name) uint32_t sym;
	TG_EXCEPTIONS(X)
#undef X
};

struct policy_doc_trunk {
	char *name;
	char *port;
	char *vlan;
	char *peer;
	char *local;
	uint32_t mode;		/* enum tg_mode */
	uint32_t international; /* 0, 1 */
	uint32_t *mtu;
	uint32_t *answers_per_second;
	uint32_t *priority_per_second;
	char *opc;
	char *dpc;
	uint32_t *network_appearance;
	uint32_t mtp3; /* enum tg_mtp3_variant */
	uint32_t isup; /* enum tg_isup_variant */
	char *sink;
	struct policy_doc_profile *profile;
	struct policy_doc_exceptions *exceptions;
};

struct policy_doc_answer {
	char *name;
	uint32_t *code;
	char *phrase;
	char *reason;
	char *contact;
	char *call_info;
	char *sink;
};

struct policy_doc_mark {
	char *name;
	char *header;
	char *display;
	uint32_t anonymise; /* 0, 1 */
	uint32_t plus;	    /* 0, 1 */
};

struct policy_doc_range {
	uint32_t *min;
	uint32_t *max;
};

struct policy_doc_list {
	char **word;
	unsigned n;
};

struct policy_doc_when {
	uint32_t roles;	     /* bit per enum tg_role */
	uint32_t sources;    /* bit per enum tg_id_source */
	uint32_t categories; /* bit per enum tg_category */
	struct policy_doc_range *score;
	uint32_t classes; /* bit per enum tg_num_class */
	struct policy_doc_list number;
	struct policy_doc_list number_not;
	struct policy_doc_list region;
	uint32_t valid; /* 0 = not asked, YES, NO */
	uint32_t plan;	/* bit per enum tg_numbering_state */
	uint32_t types; /* bit per enum tg_numbering_type */
	struct policy_doc_range *digits;
	uint32_t *same_prefix;
	struct policy_doc_list raw_prefix;
	struct policy_doc_list raw_prefix_not;
	uint32_t natures;	 /* bit per enum tg_isup_nature */
	uint32_t number_plans;	 /* bit per enum tg_isup_plan */
	uint32_t presentations;	 /* bit per enum tg_isup_shown */
	uint32_t screenings;	 /* bit per enum tg_isup_screening */
	uint32_t inn;		 /* bit per enum tg_isup_inn: one or none */
	uint32_t incomplete;	 /* 0 = not asked, YES, NO */
	uint32_t qualifiers;	 /* bit per enum tg_isup_qualifier */
	uint32_t contradictions; /* bit per enum tg_contradiction */
	uint64_t has;		 /* as in struct tg_policy_rule */
	uint64_t has_not;
	uint32_t privacy;	     /* bit per enum tg_privacy */
	uint32_t attestations;	     /* bit per enum tg_attestation */
	uint32_t verifications;	     /* bit per enum tg_stir_state */
	uint32_t protocols;	     /* bit per enum tg_protocol */
	uint32_t calling_categories; /* bit per enum tg_isup_category */
	struct policy_doc_list tgrp;
	struct policy_doc_list trunk_context;
	struct policy_doc_list orig_ioi;
	struct policy_doc_list trunk;
	uint32_t international; /* 0 = not asked, YES, NO */
};

#define POLICY_YES 1
#define POLICY_NO 2

struct policy_doc_limit {
	uint32_t per; /* enum tg_limit */
	uint32_t *digits;
	uint32_t calls;
	uint32_t seconds;
};

/* One past the actions of a verdict: a MARK that needs no entry among the marks. */
#define POLICY_ACTION_ANONYMISE TG_ACTION_COUNT

struct policy_doc_rule {
	char *name;
	struct policy_doc_when *when;
	struct policy_doc_when *also;
	unsigned also_count;
	uint32_t action; /* enum tg_action, or POLICY_ACTION_ANONYMISE */
	char *answer;
	char *mark;
	uint32_t shadow; /* 0, 1 */
	uint32_t *share;
	struct policy_doc_limit *limit;
};

struct policy_doc {
	uint32_t version;
	struct policy_doc_trunk *trunks;
	unsigned trunks_count;
	struct policy_doc_answer *answers;
	unsigned answers_count;
	struct policy_doc_mark *marks;
	unsigned marks_count;
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
	struct tg_policy_mark mark[TG_POLICY_MAX_MARKS];
	struct tg_policy_rule rule[TG_POLICY_MAX_RULES];
	struct tg_policy_interval interval[TG_POLICY_MAX_INTERVALS];
	struct tg_policy_word word[TG_POLICY_MAX_WORDS];
	uint32_t n_trunks;
	uint32_t n_answers;
	uint32_t n_marks;
	uint32_t n_rules;
	uint32_t n_intervals;
	uint32_t n_words;
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
int tg_policy_draft_marks(struct policy_draft *d, const struct policy_doc *doc);
int tg_policy_draft_rules(struct policy_draft *d, const struct policy_doc *doc);

/* The conditions of the entry at `path` ("rules[2].when", "rules[2].also[0]"): all of *r but its name and
 * what then. */
int tg_policy_draft_when(struct policy_draft *d, const char *path,
			 const struct policy_doc_when *when, struct tg_policy_rule *r);

/* "there is no trunk x (did you mean y?)", at `path`. */
int tg_policy_draft_unknown(const struct policy_draft *d, const char *path, const char *kind,
			    const char *given, const char *const *names, size_t n);

/* Copies a text that goes into a SIP message, NULL as the empty one; `path` ends with its key. */
int tg_policy_draft_text(const struct policy_draft *d, const char *path, const char *given,
			 char *text, size_t size);

/* Copies the name of the element at `path` ("rules[2]"), or says why it is none. */
int tg_policy_draft_name(const struct policy_draft *d, const char *path, const char *given,
			 char name[TG_POLICY_NAME_MAX + 1]);

#endif
