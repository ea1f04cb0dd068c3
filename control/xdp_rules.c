/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/xdp_rules.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tollgate/frame.h"

#define MAX_WORDS 4 /* kind, what, action, policy */

#define ACTIONS ((uint32_t)(TG_STEER_RULE_STEER | TG_STEER_RULE_FORWARD))
#define POLICIES ((uint32_t)(TG_STEER_RULE_OPEN | TG_STEER_RULE_CLOSED))

const uint8_t tg_xdp_port_protocol[TG_XDP_PORT_PROTOCOL_COUNT] = {
#define X(sym, name, number) number,
	TG_XDP_PORT_PROTOCOLS(X)
#undef X
};

static const struct {
	const char *name;
	uint32_t flag;
} flag_names[] = {
	{ "steer", TG_STEER_RULE_STEER },
	{ "forward", TG_STEER_RULE_FORWARD },
	{ "open", TG_STEER_RULE_OPEN },
	{ "closed", TG_STEER_RULE_CLOSED },
};

/* For people; every protocol may be given as a number. */
static const struct {
	const char *name;
	uint8_t number;
} protocol_names[] = {
	{ "udp", TG_IPPROTO_UDP },   { "tcp", TG_IPPROTO_TCP },	      { "sctp", TG_IPPROTO_SCTP },
	{ "icmp", TG_IPPROTO_ICMP }, { "icmpv6", TG_IPPROTO_ICMPV6 }, { "gre", TG_IPPROTO_GRE },
	{ "esp", TG_IPPROTO_ESP },   { "ipip", TG_IPPROTO_IPV4 },     { "ipv6", TG_IPPROTO_IPV6 },
};

struct word {
	const char *text;
	size_t len;
	uint32_t column;
};

struct words {
	struct word word[MAX_WORDS];
	unsigned n;
};

static bool is(const struct word *w, const char *text)
{
	return strlen(text) == w->len && memcmp(text, w->text, w->len) == 0;
}

static int split(const char *line, struct words *words, struct tg_error *err)
{
	const char *p = line;

	words->n = 0;
	for (;;) {
		p += strspn(p, " \t\r");
		if (*p == 0 || *p == '#')
			return 0;
		if (words->n == MAX_WORDS)
			return tg_error_at(err, -EINVAL, 0, (uint32_t)(p - line) + 1,
					   "a rule has at most %d words", MAX_WORDS);
		words->word[words->n] = (struct word){ p, strcspn(p, " \t\r#"),
						       (uint32_t)(p - line) + 1 };
		p += words->word[words->n++].len;
	}
}

static int bad(struct tg_error *err, const struct word *w, const char *what)
{
	return tg_error_at(err, -EINVAL, 0, w->column, "\"%.*s\" is %s",
			   (int)(w->len < 64 ? w->len : 64), w->text, what);
}

/* Digits only, up to max; the end of the digits. NULL: not a number, or above max. */
static const char *number(const char *p, const char *end, unsigned long max, unsigned long *value)
{
	*value = 0;
	if (p == end || !isdigit((unsigned char)*p))
		return NULL;
	for (; p < end && isdigit((unsigned char)*p); p++) {
		*value = *value * 10 + (unsigned long)(*p - '0');
		if (*value > max)
			return NULL;
	}
	return p;
}

static int whole_number(const struct word *w, unsigned long max, const char *what,
			unsigned long *value, struct tg_error *err)
{
	if (number(w->text, w->text + w->len, max, value) != w->text + w->len)
		return bad(err, w, what);
	return 0;
}

/* ACTION and POLICY, of those allowed. */
static int parse_flags(const struct words *words, unsigned first, uint32_t allowed, uint32_t *flags,
		       struct tg_error *err)
{
	unsigned i, k;

	*flags = 0;
	for (i = first; i < words->n; i++) {
		const struct word *w = &words->word[i];
		uint32_t flag = 0;

		for (k = 0; k < TG_ARRAY_LEN(flag_names); k++) {
			if (is(w, flag_names[k].name))
				flag = flag_names[k].flag;
		}
		if (!flag)
			return bad(err, w, "none of steer, forward, open, closed");
		if (!(flag & allowed))
			return bad(err, w, "a policy, which only net and vlan rules have");
		if (*flags & (flag & ACTIONS ? ACTIONS : POLICIES))
			return bad(err, w, "one too many: one action and one policy a rule");
		*flags |= flag;
	}
	if (!*flags)
		*flags = TG_STEER_RULE_STEER;
	return 0;
}

/* ---- one function a kind of rule ----------------------------------------------------------------- */

struct edit {
	struct tg_xdp_rules *r;
	enum tg_xdp_rule_op op;
	uint32_t flags;
	const struct word *what; /* the second word */
	struct tg_error *err;
};

static int absent(const struct edit *e)
{
	const struct word *w = e->what;

	return tg_error_at(e->err, -ENOENT, 0, w->column, "there is no rule for \"%.*s\"",
			   (int)(w->len < 64 ? w->len : 64), w->text);
}

static int edit_entry(const struct edit *e, uint8_t *entry)
{
	if (e->op == TG_XDP_RULE_DEL && *entry == 0)
		return absent(e);
	*entry = e->op == TG_XDP_RULE_ADD ? (uint8_t)e->flags : 0;
	return 0;
}

static int edit_ports(const struct edit *e, unsigned protocol)
{
	static const char want[] = "no port or range of ports (1 to 65535)";
	const char *const end = e->what->text + e->what->len;
	uint8_t *const ports = e->r->ports[protocol];
	unsigned long first, last, i;
	unsigned n = 0;
	const char *p;

	p = number(e->what->text, end, 65535, &first);
	if (!p || first == 0)
		return bad(e->err, e->what, want);
	last = first;
	if (p < end && *p == '-')
		p = number(p + 1, end, 65535, &last);
	if (p != end || last < first)
		return bad(e->err, e->what, want);
	for (i = first; i <= last; i++)
		n += ports[i] != 0;
	if (e->op == TG_XDP_RULE_DEL && n != last - first + 1)
		return absent(e);
	if (e->op == TG_XDP_RULE_ADD)
		n = (unsigned)(last - first + 1) - n;
	if (e->op == TG_XDP_RULE_ADD && e->r->n_ports + n > TG_STEER_MAX_PORT_RULES)
		return tg_error_at(
			e->err, -ENOSPC, 0, e->what->column,
			"no room for %u ports more (at most %d); a protocol rule takes all", n,
			TG_STEER_MAX_PORT_RULES);
	e->r->n_ports += e->op == TG_XDP_RULE_ADD ? n : -n;
	for (i = first; i <= last; i++)
		ports[i] = e->op == TG_XDP_RULE_ADD ? (uint8_t)e->flags : 0;
	return 0;
}

static int edit_protocol(const struct edit *e)
{
	unsigned long n;
	unsigned i;
	int rc;

	for (i = 0; i < TG_ARRAY_LEN(protocol_names); i++) {
		if (is(e->what, protocol_names[i].name))
			return edit_entry(e, &e->r->protocols[protocol_names[i].number]);
	}
	rc = whole_number(e->what, TG_STEER_PROTOCOLS - 1, "no IP protocol (name, or 0 to 255)", &n,
			  e->err);
	return rc ? rc : edit_entry(e, &e->r->protocols[n]);
}

static int edit_vlan(const struct edit *e)
{
	unsigned long vid;
	const int rc = whole_number(e->what, TG_STEER_VLANS - 1, "no VLAN ID (0 to 4095)", &vid,
				    e->err);

	return rc ? rc : edit_entry(e, &e->r->vlans[vid]);
}

static int edit_frame(const struct edit *e)
{
	unsigned reason;

	/* A whole UDP datagram has no name among the reasons; a rule of its protocol says that. */
	for (reason = 0; reason < TG_REASON_COUNT; reason++) {
		const enum tg_reason_kind kind = tg_reason_kind(reason);

		if ((kind == TG_REASON_KIND_PASS || kind == TG_REASON_KIND_BLIND) &&
		    is(e->what, tg_reason_name(reason)))
			return edit_entry(e, &e->r->reasons[reason]);
	}
	return bad(e->err, e->what,
		   "no way in which the frame walk ends (mpls, tunnel, fragment, truncated, ...)");
}

/* IPv4 as it is in the key: 96 + length, ::ffff:a.b.c.d. */
static int parse_prefix(const struct word *w, struct tg_steer_net_key *key, struct tg_error *err)
{
	const char *const slash = memchr(w->text, '/', w->len), *const end = w->text + w->len;
	const size_t n = slash ? (size_t)(slash - w->text) : w->len;
	char text[INET6_ADDRSTRLEN];
	unsigned long len, max;
	unsigned i;

	*key = (struct tg_steer_net_key){ .prefix_len = 0 };
	if (n == 0 || n >= sizeof(text))
		return bad(err, w, "no address or prefix");
	memcpy(text, w->text, n);
	text[n] = 0;
	max = 128;
	if (inet_pton(AF_INET, text, key->addr + 12) == 1) {
		key->addr[10] = key->addr[11] = 0xff;
		max = 32;
	} else if (inet_pton(AF_INET6, text, key->addr) != 1) {
		return bad(err, w, "no address or prefix");
	}
	len = max;
	if (slash && number(slash + 1, end, max, &len) != end)
		return bad(err, w, "no prefix: its length");
	key->prefix_len = (uint32_t)(128 - max + len);
	for (i = key->prefix_len; i < 128; i++) {
		if (key->addr[i / 8] & 0x80u >> i % 8)
			return bad(err, w, "no prefix: there are bits behind its length");
	}
	return 0;
}

bool tg_xdp_rules_find_net(const struct tg_xdp_rules *r, const struct tg_steer_net_key *key,
			   unsigned *at)
{
	unsigned low = 0, high = r->n_nets;

	while (low < high) {
		const unsigned mid = low + (high - low) / 2;
		const struct tg_steer_net_key *k = &r->nets[mid].key;
		int order = memcmp(k->addr, key->addr, sizeof(key->addr));

		if (order == 0)
			order = (k->prefix_len > key->prefix_len) -
				(k->prefix_len < key->prefix_len);
		if (order == 0) {
			*at = mid;
			return true;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*at = low;
	return false;
}

static int edit_net(const struct edit *e)
{
	struct tg_xdp_rules *r = e->r;
	struct tg_steer_net_key key;
	const int rc = parse_prefix(e->what, &key, e->err);
	unsigned at;
	bool found;

	if (rc != 0)
		return rc;
	found = tg_xdp_rules_find_net(r, &key, &at);
	if (e->op == TG_XDP_RULE_DEL) {
		if (!found)
			return absent(e);
		memmove(&r->nets[at], &r->nets[at + 1], (--r->n_nets - at) * sizeof(r->nets[0]));
		return 0;
	}
	if (!found) {
		if (r->n_nets == TG_STEER_MAX_NET_RULES)
			return tg_error_at(e->err, -ENOSPC, 0, e->what->column,
					   "no room for more than %d prefixes",
					   TG_STEER_MAX_NET_RULES);
		memmove(&r->nets[at + 1], &r->nets[at], (r->n_nets++ - at) * sizeof(r->nets[0]));
	}
	r->nets[at] = (struct tg_xdp_net){ key, e->flags };
	return 0;
}

/* ---- lines --------------------------------------------------------------------------------------- */

static int edit(const struct edit *e, const struct word *kind)
{
	unsigned i = 0;

#define X(sym, name, number)                                                                       \
	if (is(kind, name))                                                                        \
		i = TG_XDP_##sym + 1;
	TG_XDP_PORT_PROTOCOLS(X)
#undef X
	if (i)
		return edit_ports(e, i - 1);
	if (is(kind, "protocol"))
		return edit_protocol(e);
	if (is(kind, "net"))
		return edit_net(e);
	if (is(kind, "vlan"))
		return edit_vlan(e);
	return edit_frame(e);
}

static bool is_kind(const struct word *w)
{
	return is(w, "udp") || is(w, "tcp") || is(w, "sctp") || is(w, "protocol") || is(w, "net") ||
	       is(w, "vlan") || is(w, "frame");
}

int tg_xdp_rules_apply(struct tg_xdp_rules *r, enum tg_xdp_rule_op op, const char *line,
		       struct tg_error *err)
{
	struct words words;
	struct edit e = { .r = r, .op = op, .err = err };
	const struct word *kind = &words.word[0];
	uint32_t allowed = ACTIONS;
	int rc;

	rc = split(line, &words, err);
	if (rc != 0 || words.n == 0)
		return rc;
	if (!is_kind(kind))
		return bad(err, kind, "no rule: udp, tcp, sctp, protocol, net, vlan or frame");
	if (words.n == 1)
		return tg_error_at(err, -EINVAL, 0, kind->column + (uint32_t)kind->len,
				   "\"%.*s\" of what?", (int)kind->len, kind->text);
	if (op == TG_XDP_RULE_DEL && words.n > 2)
		return bad(err, &words.word[2], "more than names a rule to delete");
	if (is(kind, "net") || is(kind, "vlan"))
		allowed |= POLICIES;
	rc = parse_flags(&words, 2, allowed, &e.flags, err);
	if (rc != 0)
		return rc;
	e.what = &words.word[1];
	return edit(&e, kind);
}

int tg_xdp_rules_parse(struct tg_xdp_rules *r, const char *text, struct tg_error *err)
{
	struct tg_error why;
	uint64_t n = 0;
	int rc = 0;

	memset(r, 0, sizeof(*r));
	while (*text && rc == 0) {
		const size_t len = strcspn(text, "\n");
		char *line = strndup(text, len);

		n++;
		if (!line)
			return tg_error_set(err, -ENOMEM, "no memory");
		rc = tg_xdp_rules_apply(r, TG_XDP_RULE_ADD, line, &why);
		free(line);
		text += len + (text[len] == '\n');
	}
	return rc == 0 ? 0 : tg_error_at(err, rc, n, why.column, "%s", why.text);
}

void tg_xdp_rules_default(struct tg_xdp_rules *r)
{
	/* What tollgate-dp judges, where it is by default; M3UA, M2PA and the rest ride on SCTP. */
	tg_xdp_rules_parse(r, "udp 5060\ntcp 5060\nprotocol sctp\n", NULL);
}

/* ---- and back ------------------------------------------------------------------------------------ */

struct writer {
	void (*line)(void *ctx, const char *text);
	void *ctx;
};

static void write_rule(const struct writer *w, const char *kind, const char *what, uint32_t flags)
{
	char text[TG_XDP_RULE_TEXT_MAX];
	size_t n;
	unsigned i;

	n = (size_t)snprintf(text, sizeof(text), "%s %s", kind, what);
	for (i = 0; i < TG_ARRAY_LEN(flag_names); i++) {
		if (flags & flag_names[i].flag)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " %s",
					      flag_names[i].name);
	}
	w->line(w->ctx, text);
}

static void write_ports(const struct writer *w, const char *kind, const uint8_t *ports)
{
	unsigned first, last;
	char text[16];

	for (first = 1; first < 65536; first = last + 1) {
		last = first;
		if (!ports[first])
			continue;
		while (last < 65535 && ports[last + 1] == ports[first])
			last++;
		if (first == last)
			snprintf(text, sizeof(text), "%u", first);
		else
			snprintf(text, sizeof(text), "%u-%u", first, last);
		write_rule(w, kind, text, ports[first]);
	}
}

static void write_protocols(const struct writer *w, const struct tg_xdp_rules *r)
{
	unsigned i, k;
	char text[16];

	for (i = 0; i < TG_STEER_PROTOCOLS; i++) {
		if (!r->protocols[i])
			continue;
		snprintf(text, sizeof(text), "%u", i);
		for (k = 0; k < TG_ARRAY_LEN(protocol_names); k++) {
			if (protocol_names[k].number == i)
				snprintf(text, sizeof(text), "%s", protocol_names[k].name);
		}
		write_rule(w, "protocol", text, r->protocols[i]);
	}
}

static void write_net(const struct writer *w, const struct tg_xdp_net *net)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const bool ipv4 = net->key.prefix_len >= 96 && memcmp(net->key.addr, mapped, 12) == 0;
	char addr[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

	inet_ntop(ipv4 ? AF_INET : AF_INET6, net->key.addr + (ipv4 ? 12 : 0), addr, sizeof(addr));
	snprintf(text, sizeof(text), "%s/%u", addr, net->key.prefix_len - (ipv4 ? 96 : 0));
	write_rule(w, "net", text, net->flags);
}

void tg_xdp_rules_each(const struct tg_xdp_rules *r, void (*line)(void *ctx, const char *text),
		       void *ctx)
{
	const struct writer w = { line, ctx };
	char text[16];
	unsigned i;

	for (i = 0; i < r->n_nets; i++)
		write_net(&w, &r->nets[i]);
	for (i = 0; i < TG_STEER_VLANS; i++) {
		snprintf(text, sizeof(text), "%u", i);
		if (r->vlans[i])
			write_rule(&w, "vlan", text, r->vlans[i]);
	}
#define X(sym, name, number) write_ports(&w, name, r->ports[TG_XDP_##sym]);
	TG_XDP_PORT_PROTOCOLS(X)
#undef X
	write_protocols(&w, r);
	for (i = 0; i < TG_REASON_COUNT; i++) {
		if (r->reasons[i])
			write_rule(&w, "frame", tg_reason_name(i), r->reasons[i]);
	}
}
