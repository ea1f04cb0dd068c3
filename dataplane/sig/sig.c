/* SPDX-License-Identifier: BSD-3-Clause */
/* Names, and from raw forms to numbers: what all protocols share. */
#include "tollgate/sig.h"

const char *tg_role_name(unsigned role)
{
	static const char *const names[TG_ROLE_COUNT] = {
#define X(sym, name) [TG_ROLE_##sym] = (name),
		TG_ROLES(X)
#undef X
	};

	return role < TG_ROLE_COUNT ? names[role] : "?";
}

const char *tg_id_source_name(unsigned source)
{
	static const char *const names[TG_ID_SOURCE_COUNT] = {
#define X(sym, name, role) [TG_ID_##sym] = (name),
		TG_ID_SOURCES(X)
#undef X
	};

	return source < TG_ID_SOURCE_COUNT ? names[source] : "?";
}

const char *tg_protocol_name(unsigned protocol)
{
	static const char *const names[TG_PROTOCOL_COUNT] = {
#define X(sym, name) [TG_PROTOCOL_##sym] = (name),
		TG_PROTOCOLS(X)
#undef X
	};

	return protocol < TG_PROTOCOL_COUNT ? names[protocol] : "?";
}

const char *tg_message_name(unsigned message)
{
	static const char *const names[TG_MESSAGE_COUNT] = {
#define X(sym, name) [TG_MESSAGE_##sym] = (name),
		TG_MESSAGES(X)
#undef X
	};

	return message < TG_MESSAGE_COUNT ? names[message] : "?";
}

enum tg_role tg_id_source_role(unsigned source)
{
	static const uint8_t roles[TG_ID_SOURCE_COUNT] = {
#define X(sym, name, role) [TG_ID_##sym] = TG_ROLE_##role,
		TG_ID_SOURCES(X)
#undef X
	};

	return source < TG_ID_SOURCE_COUNT ? (enum tg_role)roles[source] : TG_ROLE_CALLER;
}

static void normalise(struct tg_identity *id, struct tg_span raw,
		      const struct tg_num_profile *profile)
{
	const bool host_withheld = id->cls == TG_NUM_CLASS_WITHHELD;
	enum tg_num_class cls;

	/* A local number is in the plan that its context names, not in the trunk's. */
	if (id->flags & TG_ID_FLAG_TEL_LOCAL)
		profile = NULL;
	cls = tg_num_from_text(raw, profile, &id->num);
	/* anonymous.invalid says "withheld" of a name, but not of a number that is there. */
	if (host_withheld && (cls == TG_NUM_CLASS_ABSENT || cls == TG_NUM_CLASS_ALPHANUMERIC))
		cls = TG_NUM_CLASS_WITHHELD;
	id->cls = (uint8_t)cls;
	/* Of where the call goes only: anybody may write 112 into a To or a Diversion. */
	if (id->role != TG_ROLE_CALLED)
		id->flags &= (uint8_t)~TG_ID_FLAG_EMERGENCY;
	else if (tg_num_is_emergency(raw))
		id->flags |= TG_ID_FLAG_EMERGENCY;
}

/* Sources are in order: text, PASSporTs, ISUP. */
static_assert(TG_ID_HISTORY_INFO < TG_ID_PASSPORT_ORIG && TG_ID_PASSPORT_DIV < TG_ID_CALLED_NUMBER,
	      "what is no text comes last");

void tg_sig_normalise(struct tg_sig_msg *m, const struct tg_num_profile *profile)
{
	unsigned i;

	/* Who has a number has been read: it depends on no profile, and is nobody's emergency number. */
	for (i = 0; i < m->n_ids; i++)
		if (tg_unlikely(tg_num_is_none(m->id[i].num) &&
				m->id[i].source < TG_ID_PASSPORT_ORIG))
			normalise(&m->id[i], tg_identity_raw(m, i), profile);
}
