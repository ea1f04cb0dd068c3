/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/policy_doc.h"
#include "control/policy_file.h"

#define ANSWERS_PER_SECOND_DEFAULT 1000
#define PRIORITY_PER_SECOND_DEFAULT 10 /* more at once than a region dials in an emergency */
#define MTU_DEFAULT 1500

/* Plain decimal, no more than max; -1 if it is anything else. */
static long decimal(const char *s, unsigned long max)
{
	unsigned long v;

	if (*s == 0 || strlen(s) > 9 || s[strspn(s, "0123456789")] != 0 || (*s == '0' && s[1]))
		return -1;
	v = strtoul(s, NULL, 10);
	return v <= max ? (long)v : -1;
}

static int take_port(const struct policy_draft *d, const char *path, const char *s, uint16_t *port)
{
	const long v = decimal(s, TG_TRUNK_ANY_PORT - 1);

	if (strcmp(s, "any") == 0) {
		*port = TG_TRUNK_ANY_PORT;
		return 0;
	}
	if (v < 0)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "port").text,
				      "port must be a DPDK port number or any, not %s",
				      tg_yaml_quote(s).text);
	*port = (uint16_t)v;
	return 0;
}

static int take_vlan(const struct policy_draft *d, const char *path, const char *s, uint16_t *vlan)
{
	const long v = s ? decimal(s, 4094) : -1;

	if (!s || strcmp(s, "any") == 0) {
		*vlan = TG_TRUNK_ANY_VLAN;
	} else if (strcmp(s, "none") == 0) {
		*vlan = TG_TRUNK_NO_VLAN;
	} else if (v >= 1) {
		*vlan = (uint16_t)v;
	} else {
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "vlan").text,
				      "vlan must be 1 to 4094, any or none, not %s",
				      tg_yaml_quote(s).text);
	}
	return 0;
}

/* Bits of the address below the prefix; false = none are set. */
static bool clear_host_bits(uint8_t addr[16], unsigned bits)
{
	bool any = false;
	unsigned i;

	for (i = bits; i < 128; i++) {
		const uint8_t bit = (uint8_t)(0x80 >> i % 8);

		any |= (addr[i / 8] & bit) != 0;
		addr[i / 8] &= (uint8_t)~bit;
	}
	return any;
}

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. `key` is peer or local. */
static int take_prefix(const struct policy_draft *d, const struct policy_path *where,
		       const char *key, const char *s, struct tg_policy_prefix *p)
{
	char addr[INET6_ADDRSTRLEN] = "", correct[INET6_ADDRSTRLEN];
	const size_t len = s ? strcspn(s, "/") : 0;
	const int family = s && strchr(s, ':') ? AF_INET6 : AF_INET;
	const long max = family == AF_INET6 ? 128 : 32;
	const long bits = s && s[len] ? decimal(s + len + 1, (unsigned long)max) : max;

	if (!s)
		return 0;
	if (len < sizeof(addr))
		memcpy(addr, s, len);
	if (inet_pton(family, addr, p->address) != 1)
		return tg_yaml_refuse(d->yaml, d->err, where->text,
				      "%s %s is no address prefix such as 192.0.2.0/24 or "
				      "2001:db8::/32",
				      key, tg_yaml_quote(s).text);
	if (bits < 0)
		return tg_yaml_refuse(d->yaml, d->err, where->text,
				      "%s %s: the prefix length must be 0 to %ld", key,
				      tg_yaml_quote(s).text, max);
	if (clear_host_bits(p->address, (unsigned)bits)) {
		inet_ntop(family, p->address, correct, sizeof(correct));
		return tg_yaml_refuse(d->yaml, d->err, where->text,
				      "%s %s has bits set beyond its prefix; write %s/%ld", key,
				      tg_yaml_quote(s).text, correct, bits);
	}
	p->version = family == AF_INET6 ? 6 : 4;
	p->bits = (uint8_t)bits;
	return 0;
}

/* ---- SS7 --------------------------------------------------------------------------------------- */

/* Bits of a point code's three parts, most significant first. Japan's are written in orders that differ: as
 * one number only. */
static const struct {
	uint8_t bits[3];
	const char *how;
} point_codes[] = {
	[TG_MTP3_ITU] = { { 3, 8, 3 }, "0 to 16383, or as 2-57-4" },
	[TG_MTP3_ANSI] = { { 8, 8, 8 }, "0 to 16777215, or as 245-12-3" },
	[TG_MTP3_JAPAN] = { { 0, 16, 0 }, "0 to 65535" },
};

bool tg_policy_point_code(const char *s, unsigned variant, uint32_t *pc)
{
	const uint8_t *const bits = point_codes[variant].bits;
	const unsigned long all = 1ul << (bits[0] + bits[1] + bits[2]);
	char part[4];
	uint32_t v = 0;
	unsigned i;

	if (!strchr(s, '-')) {
		const long whole = decimal(s, all - 1);

		*pc = (uint32_t)whole;
		return whole >= 0;
	}
	for (i = 0; i < TG_ARRAY_LEN(point_codes[0].bits); i++) {
		const size_t len = strcspn(s, "-");
		long n;

		if (len >= sizeof(part) || bits[0] == 0 || (s[len] == '-') != (i < 2))
			return false;
		memcpy(part, s, len);
		part[len] = 0;
		n = decimal(part, (1ul << bits[i]) - 1);
		if (n < 0)
			return false;
		v = v << bits[i] | (uint32_t)n;
		s += len + 1;
	}
	*pc = v;
	return true;
}

static int take_point_code(const struct policy_draft *d, const struct policy_path *where,
			   const char *s, unsigned variant, uint32_t *pc)
{
	*pc = TG_TRUNK_ANY_POINT_CODE;
	if (!s || tg_policy_point_code(s, variant, pc))
		return 0;
	return tg_yaml_refuse(d->yaml, d->err, where->text, "%s is a point code, %s, not %s",
			      strrchr(where->text, '.') + 1, point_codes[variant].how,
			      tg_yaml_quote(s).text);
}

static int take_sink(const struct policy_draft *d, const char *path, const char *s,
		     struct tg_policy_trunk *t)
{
	if (!s)
		return 0;
	if (tg_num_kind(tg_num_from_feed(
		    (struct tg_span){ (const uint8_t *)s, (uint32_t)strlen(s) })) != TG_NUM_E164)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "sink").text,
				      "sink is a number, + and digits: the called number of a "
				      "call over SS7 that is to end becomes it, not %s",
				      tg_yaml_quote(s).text);
	memcpy(t->sink, s, strlen(s));
	return 0;
}

static int take_ss7(const struct policy_draft *d, const char *path,
		    const struct policy_doc_trunk *in, struct tg_policy_trunk *t)
{
	const struct policy_path opc = tg_policy_path(path, "opc");
	const struct policy_path dpc = tg_policy_path(path, "dpc");
	int ret;

	t->mtp3 = (uint8_t)in->mtp3;
	t->isup = (uint8_t)in->isup;
	t->has_network_appearance = in->network_appearance != NULL;
	t->network_appearance = in->network_appearance ? *in->network_appearance : 0;
	ret = take_point_code(d, &opc, in->opc, t->mtp3, &t->opc);
	if (ret == 0)
		ret = take_point_code(d, &dpc, in->dpc, t->mtp3, &t->dpc);
	return ret == 0 ? take_sink(d, path, in->sink, t) : ret;
}

/* ---- numbering profile ------------------------------------------------------------------------- */

static int take_digits(const struct policy_draft *d, const char *path, const char *s, size_t max,
		       char *digits, uint8_t *len)
{
	const size_t n = s ? strlen(s) : 0;

	if (n > max || (s && s[strspn(s, "0123456789")] != 0))
		return tg_yaml_refuse(d->yaml, d->err, path, "%s: 1 to %zu digits, not %s", path,
				      max, tg_yaml_quote(s).text);
	if (n > 0)
		memcpy(digits, s, n);
	*len = (uint8_t)n;
	return 0;
}

/* With 00 and 001, 0012025550123 is two numbers; which one was dialled would be a guess. */
static bool begins_another(const struct tg_num_profile *p, unsigned last)
{
	unsigned i;

	for (i = 0; i < last; i++) {
		const uint8_t a = p->international_prefix_len[i];
		const uint8_t b = p->international_prefix_len[last];

		if (a > 0 && b > 0 &&
		    memcmp(p->international_prefix[i], p->international_prefix[last],
			   a < b ? a : b) == 0)
			return true;
	}
	return false;
}

static int take_international_prefixes(const struct policy_draft *d, const char *path,
				       const struct policy_doc_profile *in,
				       struct tg_num_profile *p)
{
	unsigned i;
	int ret;

	for (i = 0; i < in->international_prefixes_count; i++) {
		char entry[2 * POLICY_PATH_MAX];

		snprintf(entry, sizeof(entry), "%s.international_prefixes[%u]", path, i);
		ret = take_digits(d, entry, in->international_prefixes[i], TG_NUM_PREFIX_MAX,
				  p->international_prefix[i], &p->international_prefix_len[i]);
		if (ret != 0)
			return ret;
		if (begins_another(p, i))
			return tg_yaml_refuse(d->yaml, d->err, entry,
					      "%s: %s begins another of them, or is begun by one: "
					      "what follows would be a guess",
					      entry,
					      tg_yaml_quote(in->international_prefixes[i]).text);
	}
	return 0;
}

static int take_national_lengths(const struct policy_draft *d, const char *path,
				 const struct policy_doc_profile *in, struct tg_num_profile *p)
{
	const uint32_t room = TG_NUM_MAX_DIGITS - p->country_code_len;
	const uint32_t min = in->national_min ? *in->national_min : 1;
	const uint32_t max = in->national_max ? *in->national_max : room;

	if (min < 1 || min > room)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "national_min").text,
				      "national_min must be 1 to %u, since a number has %d digits "
				      "at most, country code included",
				      room, TG_NUM_MAX_DIGITS);
	if (max < min || max > room)
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "national_max").text,
				      "national_max must be %u to %u", min, room);
	p->national_min = in->national_min ? (uint8_t)min : 0;
	p->national_max = in->national_max ? (uint8_t)max : 0;
	return 0;
}

static int take_profile(const struct policy_draft *d, const char *path,
			const struct policy_doc_profile *in, struct tg_num_profile *p)
{
	int ret;

	if (!in)
		return 0;
	ret = take_digits(d, tg_policy_path(path, "country_code").text, in->country_code,
			  sizeof(p->country_code), p->country_code, &p->country_code_len);
	if (ret != 0)
		return ret;
	if (p->country_code_len && p->country_code[0] == '0')
		return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "country_code").text,
				      "country_code: no country code begins with 0");
	ret = take_digits(d, tg_policy_path(path, "national_prefix").text, in->national_prefix,
			  TG_NUM_PREFIX_MAX, p->national_prefix, &p->national_prefix_len);
	if (ret != 0)
		return ret;
	ret = take_international_prefixes(d, path, in, p);
	if (ret != 0)
		return ret;
	p->bare = (uint8_t)in->bare;
	if (!p->country_code_len && (p->national_prefix_len || p->bare == TG_NUM_BARE_NATIONAL ||
				     in->national_min || in->national_max))
		return tg_yaml_refuse(d->yaml, d->err, path,
				      "profile: national numbers need a country_code");
	return take_national_lengths(d, path, in, p);
}

/* ---- trunks ------------------------------------------------------------------------------------ */

static bool prefix_covers(const struct tg_policy_prefix *a, const struct tg_policy_prefix *b)
{
	uint8_t narrowed[16];

	if (a->version == 0)
		return true;
	memcpy(narrowed, b->address, sizeof(narrowed));
	clear_host_bits(narrowed, a->bits);
	return a->version == b->version && a->bits <= b->bits &&
	       memcmp(narrowed, a->address, sizeof(narrowed)) == 0;
}

static bool point_code_covers(uint32_t a, uint32_t b)
{
	return a == TG_TRUNK_ANY_POINT_CODE || a == b;
}

/* A trunk that names nothing of SS7 has the calls over SS7 too that no trunk before it has. */
static bool ss7_covers(const struct tg_policy_trunk *a, const struct tg_policy_trunk *b)
{
	return point_code_covers(a->opc, b->opc) && point_code_covers(a->dpc, b->dpc) &&
	       (!a->has_network_appearance ||
		(b->has_network_appearance && a->network_appearance == b->network_appearance));
}

static bool names_ss7(const struct tg_policy_trunk *t)
{
	return t->opc != TG_TRUNK_ANY_POINT_CODE || t->dpc != TG_TRUNK_ANY_POINT_CODE ||
	       t->has_network_appearance;
}

/* Does everything that matches b match a too? Then b, behind a, never gets a call. */
static bool covers(const struct tg_policy_trunk *a, const struct tg_policy_trunk *b)
{
	return (a->port == TG_TRUNK_ANY_PORT || a->port == b->port) &&
	       (a->vlan == TG_TRUNK_ANY_VLAN || a->vlan == b->vlan) &&
	       prefix_covers(&a->peer, &b->peer) && prefix_covers(&a->local, &b->local) &&
	       ss7_covers(a, b);
}

static int check_against_earlier(const struct policy_draft *d, const char *path, uint32_t i)
{
	uint32_t j;

	for (j = 0; j < i; j++) {
		if (strcmp(d->trunk[j].name, d->trunk[i].name) == 0)
			return tg_yaml_refuse(d->yaml, d->err, tg_policy_path(path, "name").text,
					      "two trunks are named %s", d->trunk[i].name);
		if (covers(&d->trunk[j], &d->trunk[i]))
			return tg_yaml_refuse(d->yaml, d->err, path,
					      "trunk %s never gets a call: trunk %s before it "
					      "takes all that it would match",
					      d->trunk[i].name, d->trunk[j].name);
	}
	return 0;
}

static int check_catch_all(const struct policy_draft *d, const char *path,
			   const struct tg_policy_trunk *t, bool last)
{
	if (strcmp(t->name, TG_POLICY_CATCH_ALL) != 0)
		return 0;
	if (!last)
		return tg_yaml_refuse(d->yaml, d->err, path,
				      "trunk default takes what no other trunk matches: it must be "
				      "the last");
	if (t->port != TG_TRUNK_ANY_PORT || t->vlan != TG_TRUNK_ANY_VLAN || t->peer.version != 0 ||
	    t->local.version != 0 || names_ss7(t))
		return tg_yaml_refuse(d->yaml, d->err, path,
				      "trunk default takes what no other trunk matches: port any, "
				      "and neither vlan, peer, local, opc, dpc nor "
				      "network_appearance");
	return 0;
}

/* A whole number of `key`, or what stands for none. */
static int take_number(const struct policy_draft *d, const struct policy_path *where,
		       const uint32_t *given, uint32_t min, uint32_t max)
{
	const char *key = strrchr(where->text, '.') + 1;

	if (given && (*given < min || *given > max))
		return tg_yaml_refuse(d->yaml, d->err, where->text, "%s must be %u to %u", key, min,
				      max);
	return 0;
}

static int take_limits(const struct policy_draft *d, const char *path,
		       const struct policy_doc_trunk *in, struct tg_policy_trunk *t)
{
	const struct policy_path answers = tg_policy_path(path, "answers_per_second");
	const struct policy_path priority = tg_policy_path(path, "priority_per_second");
	const struct policy_path mtu = tg_policy_path(path, "mtu");
	int ret;

	ret = take_number(d, &answers, in->answers_per_second, 1, TG_POLICY_MAX_ANSWER_RATE);
	if (ret == 0)
		ret = take_number(d, &priority, in->priority_per_second, 1,
				  TG_POLICY_MAX_ANSWER_RATE);
	if (ret == 0)
		ret = take_number(d, &mtu, in->mtu, TG_POLICY_MTU_MIN, TG_POLICY_MTU_MAX);
	t->answers_per_second = in->answers_per_second ? *in->answers_per_second
						       : ANSWERS_PER_SECOND_DEFAULT;
	t->priority_per_second = in->priority_per_second ? *in->priority_per_second
							 : PRIORITY_PER_SECOND_DEFAULT;
	t->mtu = in->mtu ? (uint16_t)*in->mtu : MTU_DEFAULT;
	return ret;
}

static uint32_t take_exceptions(const struct policy_doc_exceptions *in)
{
	uint32_t drops = 0;

	if (!in)
		return 0;
#define X(sym, name) drops |= in->sym << TG_EXCEPTION_##sym;
	TG_EXCEPTIONS(X)
#undef X
	return drops;
}

static int take_trunk(struct policy_draft *d, const struct policy_doc *doc, uint32_t i)
{
	const struct policy_doc_trunk *in = &doc->trunks[i];
	struct tg_policy_trunk *t = &d->trunk[i];
	struct policy_path peer, local;
	char path[POLICY_PATH_MAX / 2];
	int ret;

	snprintf(path, sizeof(path), "trunks[%u]", i);
	peer = tg_policy_path(path, "peer");
	local = tg_policy_path(path, "local");
	ret = tg_policy_draft_name(d, path, in->name, t->name);
	if (ret == 0)
		ret = take_port(d, path, in->port, &t->port);
	if (ret == 0)
		ret = take_vlan(d, path, in->vlan, &t->vlan);
	if (ret == 0)
		ret = take_prefix(d, &peer, "peer", in->peer, &t->peer);
	if (ret == 0)
		ret = take_prefix(d, &local, "local", in->local, &t->local);
	if (ret == 0)
		ret = take_limits(d, path, in, t);
	if (ret != 0)
		return ret;
	if (t->peer.version && t->local.version && t->peer.version != t->local.version)
		return tg_yaml_refuse(d->yaml, d->err, local.text,
				      "local and peer are of different IP versions: nothing would "
				      "match");
	t->mode = (uint8_t)in->mode;
	t->international = (uint8_t)in->international;
	t->drops = take_exceptions(in->exceptions);
	ret = take_profile(d, tg_policy_path(path, "profile").text, in->profile, &t->profile);
	if (ret == 0)
		ret = take_ss7(d, path, in, t);
	if (ret == 0)
		ret = check_catch_all(d, path, t, i + 1 == doc->trunks_count);
	return ret == 0 ? check_against_earlier(d, path, i) : ret;
}

int tg_policy_draft_trunks(struct policy_draft *d, const struct policy_doc *doc)
{
	struct tg_policy_trunk *catch_all;
	uint32_t i;
	int ret;

	for (i = 0; i < doc->trunks_count; i++) {
		ret = take_trunk(d, doc, i);
		if (ret != 0)
			return ret;
	}
	d->n_trunks = doc->trunks_count;
	if (i > 0 && strcmp(d->trunk[i - 1].name, TG_POLICY_CATCH_ALL) == 0)
		return 0;
	if (i == TG_POLICY_MAX_TRUNKS)
		return tg_yaml_refuse(d->yaml, d->err, "trunks",
				      "more than %d trunks, and the catch-all default",
				      TG_POLICY_MAX_TRUNKS - 1);
	catch_all = &d->trunk[d->n_trunks++];
	*catch_all = (struct tg_policy_trunk){
		.name = TG_POLICY_CATCH_ALL,
		.port = TG_TRUNK_ANY_PORT,
		.vlan = TG_TRUNK_ANY_VLAN,
		.opc = TG_TRUNK_ANY_POINT_CODE,
		.dpc = TG_TRUNK_ANY_POINT_CODE,
		.mode = TG_MODE_SHADOW,
		.mtu = MTU_DEFAULT,
		.answers_per_second = ANSWERS_PER_SECOND_DEFAULT,
		.priority_per_second = PRIORITY_PER_SECOND_DEFAULT,
	};
	return 0;
}
