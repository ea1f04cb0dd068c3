/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The claims are JSON, of which just enough is read: objects to the depth where the claims stand, with
 * a cursor whose error sticks. No library reads JSON without allocating.
 */
#include "tollgate/passport.h"

#include <string.h>

#include "dataplane/sig/base64.h"
#include "tollgate/cursor.h"

#define JSON_DEPTH_MAX 16 /* of values that are passed over */
#define NUMBER_MAX 32	  /* characters of a "tn": 15 digits and what separates them */

const char *tg_stir_state_name(unsigned state)
{
	static const char *const names[TG_STIR_STATE_COUNT] = {
#define X(sym, name) [TG_STIR_##sym] = (name),
		TG_STIR_STATES(X)
#undef X
	};

	return state < TG_STIR_STATE_COUNT ? names[state] : "?";
}

enum tg_stir_state tg_stir_worse(enum tg_stir_state a, enum tg_stir_state b)
{
	static const uint8_t rank[TG_STIR_STATE_COUNT] = {
		[TG_STIR_VALID] = 0,	      [TG_STIR_UNSUPPORTED] = 1,
		[TG_STIR_NO_CERTIFICATE] = 2, [TG_STIR_UNTRUSTED] = 3,
		[TG_STIR_STALE] = 4,	      [TG_STIR_UNVERIFIED] = 5,
		[TG_STIR_BAD_SIGNATURE] = 6,
	};

	return rank[a] >= rank[b] ? a : b;
}

const char *tg_passport_type_name(unsigned type)
{
	static const char *const names[TG_PASSPORT_TYPE_COUNT] = {
#define X(sym, name) [TG_PASSPORT_##sym] = (name),
		TG_PASSPORT_TYPES(X)
#undef X
	};

	return type < TG_PASSPORT_TYPE_COUNT ? names[type] : "?";
}

static bool is(struct tg_span s, const char *text)
{
	return s.len == strlen(text) && memcmp(s.data, text, s.len) == 0;
}

/* ---- base64url, RFC 4648 §5 -------------------------------------------------------------------- */

int tg_passport_decode(struct tg_span text, uint8_t *out, unsigned cap)
{
	unsigned n = 0, bits = 0;
	uint32_t acc = 0, i;

	while (text.len > 0 && text.data[text.len - 1] == '=')
		text.len--;
	if (text.len % 4 == 1)
		return -1;
	for (i = 0; i < text.len; i++) {
		const int v = tg_base64_sextet(text.data[i], "-_");

		if (v < 0)
			return -1;
		acc = acc << 6 | (uint32_t)v;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (n == cap)
			return -1;
		out[n++] = (uint8_t)(acc >> bits);
	}
	return (int)n;
}

/* ---- JSON, RFC 8259 ---------------------------------------------------------------------------- */

static uint8_t peek(struct tg_cursor *c)
{
	while (!c->failed && c->pos < c->end &&
	       (*c->pos == ' ' || *c->pos == '\t' || *c->pos == '\r' || *c->pos == '\n'))
		c->pos++;
	return c->failed || c->pos == c->end ? 0 : *c->pos;
}

static bool at_end(struct tg_cursor *c)
{
	peek(c);
	return !c->failed && c->pos == c->end;
}

static bool take(struct tg_cursor *c, uint8_t want)
{
	if (peek(c) != want)
		return false;
	c->pos++;
	return true;
}

static void expect(struct tg_cursor *c, uint8_t want)
{
	if (!take(c, want))
		c->failed = true;
}

/* Between the quotation marks; *plain: without escapes, so that the bytes are the text. */
static struct tg_span any_string(struct tg_cursor *c, bool *plain)
{
	const uint8_t *begin;

	*plain = true;
	expect(c, '"');
	begin = c->pos;
	while (!c->failed) {
		const uint8_t b = tg_cursor_u8(c);

		if (b == '"')
			return (struct tg_span){ begin, (uint32_t)(c->pos - 1 - begin) };
		if (b == '\\') {
			*plain = false;
			tg_cursor_skip(c, 1);
		} else if (b < 0x20) {
			c->failed = true;
		}
	}
	return (struct tg_span){ NULL, 0 };
}

/* A text that is used. What needs no escape and has one hides something. */
static struct tg_span string(struct tg_cursor *c)
{
	bool plain;
	const struct tg_span s = any_string(c, &plain);

	if (!plain)
		c->failed = true;
	return c->failed ? (struct tg_span){ NULL, 0 } : s;
}

/* Passes over a value. Brackets have to match; what stands between them is not our business. */
static void skip_value(struct tg_cursor *c)
{
	uint32_t objects = 0; /* bit 0: the innermost bracket is a brace */
	unsigned depth = 0;
	bool plain;

	do {
		const uint8_t b = peek(c);

		if (b == '"') {
			any_string(c, &plain);
		} else if (b == '{' || b == '[') {
			if (++depth > JSON_DEPTH_MAX)
				c->failed = true;
			objects = objects << 1 | (b == '{');
			tg_cursor_skip(c, 1);
		} else if (b == '}' || b == ']') {
			if (depth == 0 || (objects & 1) != (b == '}'))
				c->failed = true;
			depth--;
			objects >>= 1;
			tg_cursor_skip(c, 1);
		} else if (depth == 0 && (b == ',' || b == ':')) {
			c->failed = true;
		} else {
			tg_cursor_skip(c, 1);
		}
		/* A number or a literal at the top goes on to the next structural character. */
		while (depth == 0 && !c->failed && peek(c) != 0 && !strchr(",:]}\"[{", peek(c)))
			c->pos++;
	} while (depth > 0 && !c->failed);
}

/* The next name in the object that *begun or not; false behind the last. */
static bool next_member(struct tg_cursor *c, bool *begun, struct tg_span *name)
{
	if (take(c, '}') || c->failed)
		return false;
	if (*begun)
		expect(c, ',');
	*begun = true;
	*name = string(c);
	expect(c, ':');
	return !c->failed;
}

/* ---- claims ------------------------------------------------------------------------------------ */

/* RFC 8224 §8.3: canonical, without a '+'; some write one. */
static struct tg_num number_of_tn(struct tg_span tn)
{
	uint8_t text[NUMBER_MAX + 1] = { '+' };
	struct tg_num num = { 0 };
	const bool plus = tn.len > 0 && tn.data[0] == '+';

	if (tn.len - plus > NUMBER_MAX || tn.len == plus)
		return num;
	memcpy(text + 1, tn.data + plus, tn.len - plus);
	tg_num_from_text((struct tg_span){ text, tn.len - plus + 1 }, NULL, &num);
	return num;
}

/* sip:+12025550123@example.net;user=phone */
static struct tg_num number_of_uri(struct tg_span uri)
{
	struct tg_num num = { 0 };
	const uint8_t *const colon = memchr(uri.data, ':', uri.len);
	struct tg_span user;

	if (!colon)
		return num;
	user.data = colon + 1;
	user.len = 0;
	while (user.data + user.len < uri.data + uri.len && !strchr("@;?:", user.data[user.len]))
		user.len++;
	if (user.len > 0 && user.data[0] == '+')
		tg_num_from_text(user, NULL, &num);
	return num;
}

struct party {
	struct tg_num num[TG_PASSPORT_MAX_DEST];
	unsigned n;
	bool left_out;
	bool seen;
};

static void add_number(struct party *p, struct tg_num num)
{
	if (p->n < TG_PASSPORT_MAX_DEST)
		p->num[p->n++] = num;
	else
		p->left_out = true;
}

/* A string or a list of them (RFC 8225 §5.2.1: "dest" has lists, the others strings). */
static void read_numbers(struct tg_cursor *c, struct party *p,
			 struct tg_num (*number_of)(struct tg_span))
{
	struct tg_span s;

	if (!take(c, '[')) {
		s = string(c);
		if (!c->failed)
			add_number(p, number_of(s));
		return;
	}
	if (take(c, ']'))
		return;
	do {
		s = string(c);
		if (!c->failed)
			add_number(p, number_of(s));
	} while (!c->failed && take(c, ','));
	expect(c, ']');
}

static void read_party(struct tg_cursor *c, struct party *p)
{
	bool begun = false;
	struct tg_span name;

	if (p->seen)
		c->failed = true;
	p->seen = true;
	expect(c, '{');
	while (!c->failed && next_member(c, &begun, &name)) {
		if (is(name, "tn"))
			read_numbers(c, p, number_of_tn);
		else if (is(name, "uri"))
			read_numbers(c, p, number_of_uri);
		else
			skip_value(c);
	}
}

/* RFC 8225 §5.1.1 NumericDate; no call is older than the sun. */
static uint64_t read_time(struct tg_cursor *c)
{
	uint64_t t = 0;
	unsigned digits = 0;

	peek(c);
	while (!c->failed && c->pos < c->end && *c->pos >= '0' && *c->pos <= '9' && digits < 18) {
		t = t * 10 + (uint64_t)(*c->pos++ - '0');
		digits++;
	}
	if (digits == 0)
		c->failed = true;
	while (c->pos < c->end && (*c->pos == '.' || (*c->pos >= '0' && *c->pos <= '9')))
		c->pos++; /* a fraction of a second */
	return t;
}

static char read_attest(struct tg_cursor *c)
{
	const struct tg_span s = string(c);

	if (s.len != 1 || s.data[0] < 'A' || s.data[0] > 'C')
		c->failed = true;
	return c->failed ? 0 : (char)s.data[0];
}

/* A claim that stands twice is one that two readers may read differently. */
static void once(struct tg_cursor *c, bool seen)
{
	if (seen)
		c->failed = true;
}

static bool read_claims(struct tg_span json, struct tg_passport *out)
{
	struct party orig = { .n = 0 }, dest = { .n = 0 }, div = { .n = 0 };
	struct tg_cursor c = tg_cursor_init(json);
	bool begun = false, timed = false;
	struct tg_span name;

	expect(&c, '{');
	while (!c.failed && next_member(&c, &begun, &name)) {
		if (is(name, "orig")) {
			read_party(&c, &orig);
		} else if (is(name, "dest")) {
			read_party(&c, &dest);
		} else if (is(name, "div")) {
			read_party(&c, &div);
		} else if (is(name, "iat")) {
			once(&c, timed);
			timed = true;
			out->iat = read_time(&c);
		} else if (is(name, "attest")) {
			once(&c, out->attest != 0);
			out->attest = read_attest(&c);
		} else {
			skip_value(&c);
		}
	}
	/* orig has exactly one identity (RFC 8225 §5.2.1); which of two were it? */
	if (!at_end(&c) || !timed || orig.n != 1 || !dest.seen || div.n > 1)
		return false;
	out->orig = orig.num[0];
	if (div.n == 1)
		out->div = div.num[0];
	memcpy(out->dest, dest.num, sizeof(out->dest));
	out->n_dest = (uint8_t)dest.n;
	out->dest_left_out = dest.left_out;
	return true;
}

/* ---- JOSE header, RFC 8225 §4 ------------------------------------------------------------------ */

static uint8_t type_of(struct tg_span ppt)
{
	unsigned i;

	for (i = TG_PASSPORT_SHAKEN; i < TG_PASSPORT_OTHER; i++)
		if (is(ppt, tg_passport_type_name(i)))
			return (uint8_t)i;
	return TG_PASSPORT_OTHER;
}

static bool read_header(struct tg_span json, struct tg_passport *out)
{
	struct tg_cursor c = tg_cursor_init(json);
	bool begun = false, typed = false, has_alg = false;
	struct tg_span name;

	out->es256 = false;
	out->type = TG_PASSPORT_BASE;
	expect(&c, '{');
	while (!c.failed && next_member(&c, &begun, &name)) {
		if (is(name, "alg")) {
			once(&c, has_alg);
			has_alg = true;
			out->es256 = is(string(&c), "ES256");
		} else if (is(name, "ppt")) {
			once(&c, typed);
			typed = true;
			out->type = type_of(string(&c));
		} else {
			skip_value(&c);
		}
	}
	return at_end(&c) && has_alg;
}

/* ---- the header field's value, RFC 8224 §4.1 --------------------------------------------------- */

static struct tg_span until(struct tg_cursor *c, const char *ends)
{
	const uint8_t *const begin = c->pos;

	while (c->pos < c->end && !strchr(ends, *c->pos))
		c->pos++;
	return (struct tg_span){ begin, (uint32_t)(c->pos - begin) };
}

/* ;info=<URI>;alg=ES256;ppt="shaken": any order, quoted or not. */
static void read_params(struct tg_cursor *c, struct tg_passport *out)
{
	while (!c->failed && take(c, ';')) {
		struct tg_span name, value;

		peek(c);
		name = until(c, "= \t\r\n;");
		if (!take(c, '='))
			continue;
		if (take(c, '<')) {
			value = until(c, ">");
			expect(c, '>');
		} else if (peek(c) == '"') {
			value = string(c);
		} else {
			value = until(c, " \t\r\n;");
		}
		if (c->failed)
			return;
		if (is(name, "info"))
			out->info = value;
		else if (is(name, "alg"))
			out->es256 = is(value, "ES256");
		else if (is(name, "ppt"))
			out->type = type_of(value);
	}
	if (!at_end(c))
		c->failed = true;
}

/* header "." payload "." signature; the first two empty: compact (RFC 8225 §7) */
static bool read_token(struct tg_cursor *c, struct tg_passport *out)
{
	out->header = until(c, ". \t\r\n;");
	if (!take(c, '.'))
		return false;
	out->payload = until(c, ". \t\r\n;");
	if (!take(c, '.'))
		return false;
	out->signature = until(c, ". \t\r\n;");
	out->compact = out->header.len == 0 && out->payload.len == 0;
	return out->signature.len > 0 &&
	       (out->compact || (out->header.len > 0 && out->payload.len > 0));
}

bool tg_passport_read(struct tg_span value, struct tg_passport *out)
{
	struct tg_cursor c = tg_cursor_init(value);
	uint8_t json[TG_PASSPORT_JSON_MAX];
	int n;

	memset(out, 0, sizeof(*out));
	out->es256 = true; /* RFC 8224 §4.1: what "alg" is when it is not there */
	if (!read_token(&c, out))
		return false;
	read_params(&c, out);
	if (c.failed)
		return false;
	if (out->compact)
		return true;
	/* What is signed goes before what stands beside it. */
	n = tg_passport_decode(out->header, json, sizeof(json));
	if (n < 0 || !read_header((struct tg_span){ json, (uint32_t)n }, out))
		return false;
	n = tg_passport_decode(out->payload, json, sizeof(json));
	return n >= 0 && read_claims((struct tg_span){ json, (uint32_t)n }, out);
}
