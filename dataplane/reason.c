/* SPDX-License-Identifier: BSD-3-Clause */
#include "tollgate/reason.h"

static const struct {
	const char *name;
	enum tg_reason_kind kind;
} reasons[TG_REASON_COUNT] = {
#define X(sym, name, kind) { name, TG_REASON_KIND_##kind },
	TG_REASONS(X)
#undef X
};

const char *tg_reason_name(unsigned reason)
{
	return reason < TG_REASON_COUNT ? reasons[reason].name : "?";
}

enum tg_reason_kind tg_reason_kind(unsigned reason)
{
	return reason < TG_REASON_COUNT ? reasons[reason].kind : TG_REASON_KIND_BLIND;
}
