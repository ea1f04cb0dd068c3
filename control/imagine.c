/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/imagine.h"

#include <errno.h>
#include <string.h>

#include "control/policy_file.h"

#define E164_PLAN 1 /* Q.763 §3.9 d */

/* ---- trunks ------------------------------------------------------------------------------------ */

static bool names_ss7(const struct tg_policy_trunk *t)
{
	return t->opc != TG_TRUNK_ANY_POINT_CODE || t->dpc != TG_TRUNK_ANY_POINT_CODE ||
	       t->has_network_appearance;
}

/* As the trunk counts: what is not said is none that a trunk names. */
static bool read_label(const struct tg_imagine *how, unsigned variant, struct tg_mtp3 *m)
{
	*m = (struct tg_mtp3){
		.opc = TG_TRUNK_ANY_POINT_CODE,
		.dpc = TG_TRUNK_ANY_POINT_CODE,
		.network_appearance = how->appearance,
		.has_network_appearance = how->network_appearance != NULL,
	};
	return (!how->opc || tg_policy_point_code(how->opc, variant, &m->opc)) &&
	       (!how->dpc || tg_policy_point_code(how->dpc, variant, &m->dpc));
}

/* The trunk that gets the call where trunk i would: on its port, from its peer. */
static unsigned taken_by(const struct tg_policy *p, unsigned i, const struct tg_imagine *how)
{
	const struct tg_policy_trunk *t = &p->trunk[i];
	struct tg_mtp3 mtp3;
	const struct tg_trunk_key key = {
		.port = t->port,
		.vlan = t->vlan,
		.ip_version = t->peer.version ? t->peer.version : t->local.version,
		.peer = t->peer.address,
		.local = t->local.address,
		.mtp3 = &mtp3,
	};

	return read_label(how, t->mtp3, &mtp3) ? tg_policy_trunk_find(p, &key) : p->n_trunks;
}

static int find_named(const struct tg_policy *p, const struct tg_imagine *how, const char *name,
		      unsigned *trunk, struct tg_error *err)
{
	const bool has_label = how->opc || how->dpc || how->network_appearance;
	unsigned i, taken;

	for (i = 0; i < p->n_trunks; i++)
		if (strcmp(p->trunk[i].name, name) == 0)
			break;
	if (i == p->n_trunks)
		return tg_error_set(err, -ENOENT, "the policy in force has no trunk \"%.40s\"",
				    name);
	*trunk = i;
	taken = has_label ? taken_by(p, i, how) : i;
	if (taken == p->n_trunks)
		return tg_error_set(err, -ENOENT, "trunk %s has no point codes like that", name);
	return taken == i ? 0
			  : tg_error_set(err, -ENOENT,
					 "trunk %s has no calls with these point codes: trunk %s "
					 "has them",
					 name, p->trunk[taken].name);
}

int tg_imagine_trunk(const struct tg_policy *p, const struct tg_imagine *how, const char *name,
		     unsigned *trunk, struct tg_error *err)
{
	unsigned i;

	*trunk = p->n_trunks - 1;
	if (name)
		return find_named(p, how, name, trunk, err);
	if (!how->opc && !how->dpc && !how->network_appearance)
		return 0;
	for (i = 0; i < p->n_trunks; i++) {
		if (names_ss7(&p->trunk[i]) && taken_by(p, i, how) == i) {
			*trunk = i;
			return 0;
		}
	}
	return tg_error_set(err, -ENOENT,
			    "no trunk of the policy in force names these point codes: say which "
			    "with --trunk");
}

/* ---- SIP --------------------------------------------------------------------------------------- */

static void add_header(struct tg_imagined *im, enum tg_id_source source, struct tg_num num)
{
	struct tg_identity *id = &im->sip.id[im->sip.n_ids];
	char text[TG_NUM_TEXT_MAX];

	if (tg_num_is_none(num))
		return;
	id->raw_off = (uint16_t)im->len;
	id->raw_len = (uint16_t)tg_num_format(num, text);
	memcpy(im->text + im->len, text, id->raw_len);
	im->len += id->raw_len;
	id->source = (uint8_t)source;
	id->role = (uint8_t)tg_id_source_role(source);
	if (source == TG_ID_REQUEST_URI)
		im->sip.called = im->sip.n_ids;
	else
		im->sip.caller = im->sip.n_ids;
	if (source == TG_ID_REQUEST_URI &&
	    tg_num_is_emergency((struct tg_span){ (const uint8_t *)text, id->raw_len }))
		id->flags |= TG_ID_FLAG_EMERGENCY;
	im->sip.n_ids++;
}

static void imagine_sip(const struct tg_imagine *how, const struct tg_num party[2],
			struct tg_imagined *im)
{
	im->sip.protocol = TG_PROTOCOL_SIP;
	im->sip.caller = TG_SIG_NO_ID;
	im->sip.called = TG_SIG_NO_ID;
	im->sip.attest = how->attest;
	im->sip.passports = how->has_passport;
	im->sip.verification = how->verification;
	add_header(im, TG_ID_REQUEST_URI, party[1]);
	add_header(im, TG_ID_FROM, party[0]);
	im->sip.text = (struct tg_span){ (const uint8_t *)im->text, im->len };
}

/* ---- ISUP and BICC ----------------------------------------------------------------------------- */

/* A number without '+' is a code that is dialled in a network: of no stated nature. */
static enum tg_isup_nature nature_of(int asked, struct tg_num num)
{
	if (asked >= 0)
		return (enum tg_isup_nature)asked;
	return tg_num_kind(num) == TG_NUM_E164 ? TG_ISUP_NATURE_INTERNATIONAL
					       : TG_ISUP_NATURE_UNKNOWN;
}

/* Its digits as a parameter of that nature has them: national, without the country code of the trunk. */
static const char *digits_of(const char *text, enum tg_isup_nature nature,
			     const struct tg_num_profile *profile)
{
	if (text[0] != '+')
		return text;
	text++;
	if (nature != TG_ISUP_NATURE_NATIONAL)
		return text;
	if (profile->country_code_len == 0 ||
	    strncmp(text, profile->country_code, profile->country_code_len) != 0)
		return NULL;
	return text + profile->country_code_len;
}

/* A generic number is the presentation number, a redirecting one the switch's: shown, and the network's word. */
static struct tg_isup_party indicators_of(const struct tg_imagine *how,
					  const struct tg_imagine_number *n)
{
	struct tg_isup_party p = {
		.plan = E164_PLAN,
		.qualifier = n->qualifier,
		.presentation = TG_ISUP_SHOWN_ALLOWED,
		.screening = TG_ISUP_SCREENING_NETWORK,
	};
	int nature = -1;

	if (n->source == TG_ID_CALLED_NUMBER) {
		nature = how->nature_to;
		p.screening = 0;
	} else if (n->source == TG_ID_CALLING_NUMBER) {
		nature = how->nature_from;
		p.presentation = how->presentation;
		p.screening = how->screening;
	}
	p.nature = (uint8_t)tg_isup_nature_wire(nature_of(nature, n->num));
	return p;
}

static int add_parameter(struct tg_imagined *im, const struct tg_imagine *how,
			 const struct tg_policy_trunk *trunk, const struct tg_imagine_number *n)
{
	const struct tg_isup_party party = indicators_of(how, n);
	struct tg_sig_msg *m = &im->isup.sig;
	struct tg_identity *id = &m->id[m->n_ids];
	const unsigned used = m->n_ids ? id[-1].raw_off + id[-1].raw_len : 0u;
	char text[TG_NUM_TEXT_MAX];
	const char *digits;

	if (tg_num_is_none(n->num))
		return 0;
	tg_num_format(n->num, text);
	digits = digits_of(text, tg_isup_nature(party.nature), &trunk->profile);
	if (!digits)
		return -EINVAL;
	id->source = n->source;
	id->role = n->source == TG_ID_GENERIC_NUMBER ? (uint8_t)tg_isup_generic_role(n->qualifier)
						     : (uint8_t)tg_id_source_role(n->source);
	id->raw_off = (uint16_t)used;
	id->raw_len = (uint16_t)strlen(digits);
	memcpy(im->isup.text + used, digits, id->raw_len);
	if (n->source == TG_ID_CALLED_NUMBER)
		m->called = m->n_ids;
	else if (n->source == TG_ID_CALLING_NUMBER)
		m->caller = m->n_ids;
	im->isup.party[m->n_ids++] = party;
	return 0;
}

static int imagine_isup(const struct tg_imagine *how, const struct tg_policy_trunk *trunk,
			const struct tg_num party[2], struct tg_imagined *im)
{
	const struct tg_imagine_number called = { party[1], TG_ID_CALLED_NUMBER, 0 };
	const struct tg_imagine_number calling = { party[0], TG_ID_CALLING_NUMBER, 0 };
	unsigned i;
	int ret = 0;

	im->has_isup = true;
	im->isup.type = TG_ISUP_IAM;
	im->isup.variant = trunk->isup;
	im->isup.bicc = how->protocol == TG_PROTOCOL_BICC;
	im->isup.category = how->category;
	im->isup.sig.protocol = how->protocol;
	im->isup.sig.message = TG_MESSAGE_IAM;
	im->isup.sig.text = (struct tg_span){ (const uint8_t *)im->isup.text,
					      sizeof(im->isup.text) };
	im->isup.sig.digits = im->isup.sig.text.data;
	im->isup.sig.caller = TG_SIG_NO_ID;
	im->isup.sig.called = TG_SIG_NO_ID;
	if (im->is_ss7)
		ret = add_parameter(im, how, trunk, &called);
	if (im->is_ss7 && ret == 0)
		ret = add_parameter(im, how, trunk, &calling);
	for (i = 0; i < how->n_more && ret == 0; i++)
		ret = add_parameter(im, how, trunk, &how->more[i]);
	tg_isup_normalise(&im->isup, &trunk->profile);
	tg_isup_extra_add(&im->isup, &im->extra);
	return ret;
}

/* As tg_sip_isup_read does it. */
static void add_body(struct tg_imagined *im)
{
	struct tg_sig_msg *const m = &im->sip;
	const struct tg_sig_msg *const body = &im->isup.sig;

	im->first_party = m->n_ids;
	memcpy(&m->id[m->n_ids], body->id, body->n_ids * sizeof(m->id[0]));
	m->n_ids += body->n_ids;
	m->digits = body->digits;
}

int tg_imagine(const struct tg_imagine *how, const struct tg_policy_trunk *trunk,
	       const struct tg_num party[2], struct tg_imagined *im, struct tg_error *err)
{
	int ret = 0;

	memset(im, 0, sizeof(*im));
	im->is_ss7 = how->protocol != TG_PROTOCOL_SIP;
	im->msg = im->is_ss7 ? &im->isup.sig : &im->sip;
	if (!im->is_ss7) {
		imagine_sip(how, party, im);
		tg_sig_normalise(&im->sip, &trunk->profile);
	}
	if (how->has_isup)
		ret = imagine_isup(how, trunk, party, im);
	if (ret == 0) {
		if (how->has_isup && !im->is_ss7)
			add_body(im);
		return 0;
	}
	return tg_error_set(err, -EINVAL,
			    "a national number has the country code of its trunk, and one of these "
			    "has not that of trunk %s (%.*s)",
			    trunk->name,
			    trunk->profile.country_code_len ? trunk->profile.country_code_len : 4,
			    trunk->profile.country_code_len ? trunk->profile.country_code : "none");
}

/* ---- on the wire ------------------------------------------------------------------------------- */

json_t *tg_imagined_wire(const struct tg_policy *p, const struct tg_imagined *im,
			 const struct tg_verdict *v)
{
	static const struct {
		const char *level; /* traps N0 to N2 */
		const char *name;
	} effects[] = {
		[TG_SS7_NONE] = { "N0", "none" },
		[TG_SS7_RESTRICT] = { "N1", "restrict" },
		[TG_SS7_SINK] = { "N1", "sink" },
		[TG_SS7_NULL] = { "N2", "null" },
	};
	const struct tg_sig_msg *const m = &im->isup.sig;
	char digits[TG_ISUP_DIGITS_MAX];
	enum tg_ss7_effect effect;
	json_t *j;

	if (v->action == TG_ACTION_PASS)
		return NULL;
	effect = tg_policy_ss7_effect(p, v, &im->isup, digits);
	j = json_pack("{s:s, s:s}", "level",
		      v->mode == TG_MODE_ENFORCE ? effects[effect].level : "N0", "effect",
		      effects[effect].name);
	if (effect == TG_SS7_SINK)
		json_object_set_new(j, "called", json_stringn(digits, m->id[m->called].raw_len));
	return j;
}
