/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operations of the operator's socket, for each other. To add one: a line in TG_OPS and a function.
 * Requests and replies are described in control/README.md.
 */
#ifndef TG_CONTROL_OPS_H
#define TG_CONTROL_OPS_H

#include "control/daemon.h"

/* C name, name on the wire */
#define TG_OPS(X)                                                                                  \
	X(status, "status")                                                                        \
	X(import, "import")                                                                        \
	X(add, "add")                                                                              \
	X(del, "del")                                                                              \
	X(lookup, "lookup")                                                                        \
	X(explain, "explain")                                                                      \
	X(table_list, "table.list")                                                                \
	X(table_rollback, "table.rollback")                                                        \
	X(table_activate, "table.activate")                                                        \
	X(policy_load, "policy.load")                                                              \
	X(policy_show, "policy.show")                                                              \
	X(sources, "sources")                                                                      \
	X(index, "index")                                                                          \
	X(verify, "verify")

#define X(sym, name) void tg_op_##sym(struct tg_daemon *d, struct tg_request *rq);
TG_OPS(X)
#undef X

/* Members of a request: NULL or the fallback when absent. */
const char *tg_op_text(const struct tg_request *rq, const char *key, const char *fallback);
bool tg_op_flag(const struct tg_request *rq, const char *key);

void tg_op_refuse(struct tg_request *rq, enum tg_exit exit_code, const char *fmt, ...)
	TG_PRINTF(3, 4);

/* The exit code that tells a person's mistake from the machine's. */
enum tg_exit tg_op_exit(const struct tg_error *err);

/*
 * The end of every operation that changes something: starts the publication, and answers with `reply`
 * (taken over) plus in_force, generation, swap_ns, durable_ns and effect_ns (from the request's
 * arrival) or why not.
 */
void tg_op_take_effect(struct tg_daemon *d, struct tg_request *rq, json_t *reply);
/* The same after the ledger changed: waits for the journal's flush too, and sees to SQLite, expiry and
 * the empty-table alarm. `batch`: the ledger up to which it has to be in force, 0 = the change itself.
 * While pinned the answer is "not in force". */
void tg_op_ledger_changed(struct tg_daemon *d, struct tg_request *rq, json_t *reply,
			  uint64_t batch);

/* Forms that several replies share. */
json_t *tg_op_time(int64_t seconds); /* RFC 3339, or null for 0 */
json_t *tg_op_id(uint64_t id);	     /* hexadecimal, or null for 0 */
json_t *
tg_op_listing(uint32_t listing); /* {"caller": {category, score, by} or null, "called": ...} */
json_t *tg_op_claims(const struct tg_claim *claims, size_t n);

/* A number as a feed writes it; none: answered already. */
struct tg_num tg_op_number(struct tg_request *rq, const char *key);

/* {"number", "claims", "merged", "in_force"}: what sources say, what the ledger makes of it, and what
 * the dataplane is asked with. NULL: answered already. */
json_t *tg_op_number_json(struct tg_daemon *d, struct tg_request *rq, struct tg_num num);

/* What the images in force say. False: no table in memory. */
bool tg_op_table_lookup(const struct tg_daemon *d, struct tg_num num, uint32_t *listing);

/* An operation that is still going on when its client may leave. `gone` is called then. */
struct tg_op_work {
	void (*gone)(struct tg_op_work *work);
};

#endif
