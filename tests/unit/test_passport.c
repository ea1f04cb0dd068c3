/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "tests/support/passport_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/passport.h"

static const char shaken_header[] = "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\","
				    "\"x5u\":\"https://cert.example.org/p.cer\"}";
static const char shaken_claims[] =
	"{\"attest\":\"A\",\"dest\":{\"tn\":[\"12025550131\"]},\"iat\":1443208345,"
	"\"orig\":{\"tn\":\"12025550121\"},\"origid\":\"123e4567-e89b-12d3-a456-426655440000\"}";
static const char params[] = ";info=<https://cert.example.org/p.cer>;alg=ES256;ppt=\"shaken\"";

static bool read_text(const char *text, struct tg_passport *p)
{
	return tg_passport_read((struct tg_span){ (const uint8_t *)text, (uint32_t)strlen(text) },
				p);
}

static const char *format(struct tg_num n)
{
	static char text[2][TG_NUM_TEXT_MAX];
	static unsigned i;

	if (tg_num_is_none(n))
		return "-";
	i = !i;
	tg_num_format(n, text[i]);
	return text[i];
}

TG_TEST(SIP_38_shaken_in_full_form, TG_NEEDS_NOTHING)
{
	struct tg_passport p;

	assert_true(read_text(tg_passport_text(shaken_header, shaken_claims, params), &p));
	assert_string_equal(format(p.orig), "+12025550121");
	assert_int_equal(p.n_dest, 1);
	assert_string_equal(format(p.dest[0]), "+12025550131");
	assert_true(tg_num_is_none(p.div));
	assert_int_equal(p.attest, 'A');
	assert_int_equal(p.iat, 1443208345);
	assert_int_equal(p.type, TG_PASSPORT_SHAKEN);
	assert_true(p.es256);
	assert_false(p.compact);
	assert_int_equal(p.info.len, strlen("https://cert.example.org/p.cer"));
	assert_memory_equal(p.signature.data, "c2lnbmF0dXJl", p.signature.len);
}

TG_TEST(SIP_38_parameters_in_any_form, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *tail;
		bool reads;
	} cases[] = {
		{ "", true },
		{ ";info=<https://a/b;c=d>", true },
		{ ";ppt=shaken;alg=ES256;info=<https://a>", true },
		{ " ; info = <https://a> ; alg = ES256 ; ppt = \"shaken\"", true },
		{ "\r\n ;info=<https://a>;\r\n\talg=ES256", true }, /* folded */
		{ ";canon=;info=<https://a>", true },
		{ ";ppt", true },
		{ ";info=<https://a", false },
		{ ";ppt=\"shaken", false },
		{ " x", false },
		{ ".x", false },
	};
	struct tg_passport p;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const bool reads = read_text(
			tg_passport_text(shaken_header, shaken_claims, cases[i].tail), &p);

		if (reads != cases[i].reads || (reads && p.type != TG_PASSPORT_SHAKEN))
			fail_msg("%s", cases[i].tail);
	}
}

TG_TEST(SIP_38_compact_form, TG_NEEDS_NOTHING)
{
	struct tg_passport p;

	assert_true(read_text("..c2lnbmF0dXJl;info=<https://a>;ppt=\"div\"", &p));
	assert_true(p.compact);
	assert_true(p.es256);
	assert_int_equal(p.type, TG_PASSPORT_DIV);
	assert_int_equal(p.attest, 0);
	assert_true(read_text("..c2ln;alg=RS256", &p));
	assert_false(p.es256);
	assert_false(read_text("..", &p));
	assert_false(read_text("e30..c2ln", &p));
	assert_false(read_text(".e30.c2ln", &p));
	assert_false(read_text("c2lnbmF0dXJl", &p));
	assert_false(read_text("", &p));
}

TG_TEST(SIP_38_div_chain_and_numbers, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *claims;
		const char *orig; /* NULL: not read */
		const char *div;
		unsigned n_dest;
	} cases[] = {
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"dest\":{\"tn\":[\"12025550131\","
		  "\"442079460123\"]},"
		  "\"div\":{\"tn\":\"12025550141\"},\"iat\":1}",
		  "+12025550121", "+12025550141", 2 },
		/* a '+' is not canonical, but what is meant is clear */
		{ "{\"orig\":{\"tn\":\"+12025550121\"},\"dest\":{\"tn\":\"12025550131\"},\"iat\":"
		  "1}",
		  "+12025550121", "-", 1 },
		{ "{\"orig\":{\"uri\":\"sip:+12025550121@example.net;user=phone\"},\"dest\":{"
		  "\"uri\":[\"sip:a@b\"]},"
		  "\"iat\":1.5}",
		  "+12025550121", "-", 1 },
		{ "{\"orig\":{\"uri\":\"sip:alice@example.net\"},\"dest\":{\"tn\":[]},\"iat\":1}",
		  "-", "-", 0 },
		{ "{\"orig\":{\"tn\":\"1234567890123456\"},\"dest\":{\"tn\":[\"1\"]},\"iat\":1}",
		  "-", "-", 1 },
		{ " { \"x\" : [ { \"orig\" : { } } , null , -1.5e3 , \"\\\"}\" ] , \"dest\" : { "
		  "\"tn\" : [ \"12025550131\" ] } ,"
		  " \"iat\" : 1 , \"orig\" : { \"tn\" : \"12025550121\" , \"y\" : true } } ",
		  "+12025550121", "-", 1 },
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"dest\":{\"tn\":[\"1\",\"2\",\"3\",\"4\","
		  "\"5\"]},\"iat\":1}",
		  "+12025550121", "-", 4 },
		/* mandatory claims */
		{ "{\"dest\":{\"tn\":[\"12025550131\"]},\"iat\":1}", NULL, NULL, 0 },
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"iat\":1}", NULL, NULL, 0 },
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"dest\":{\"tn\":[\"12025550131\"]}}", NULL,
		  NULL, 0 },
		{ "{\"orig\":{},\"dest\":{\"tn\":[]},\"iat\":1}", NULL, NULL, 0 },
		/* what two readers may read differently */
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"orig\":{\"tn\":\"12025550122\"},\"dest\":{}"
		  ",\"iat\":1}",
		  NULL, NULL, 0 },
		{ "{\"orig\":{\"tn\":\"12025550121\",\"uri\":\"sip:+12025550122@a\"},\"dest\":{},"
		  "\"iat\":1}",
		  NULL, NULL, 0 },
		{ "{\"orig\":{\"tn\":\"\\u00312025550121\"},\"dest\":{},\"iat\":1}", NULL, NULL,
		  0 },
		{ "{\"\\u006frig\":{\"tn\":\"12025550121\"},\"dest\":{},\"iat\":1}", NULL, NULL,
		  0 },
		{ "{\"attest\":\"A\",\"attest\":\"C\",\"orig\":{\"tn\":\"12025550121\"},\"dest\":{}"
		  ",\"iat\":1}",
		  NULL, NULL, 0 },
		/* not JSON, or not this */
		{ "", NULL, NULL, 0 },
		{ "[]", NULL, NULL, 0 },
		{ "{}", NULL, NULL, 0 },
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"dest\":{},\"iat\":\"1\"}", NULL, NULL, 0 },
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"dest\":{},\"iat\":1}{}", NULL, NULL, 0 },
		{ "{\"orig\":{\"tn\":\"12025550121\"},\"dest\":{},\"iat\":1,\"attest\":\"D\"}",
		  NULL, NULL, 0 },
		{ "{\"x\":[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]],\"orig\":{\"tn\":\"12025550121\"},"
		  "\"dest\":{},\"iat\":1}",
		  NULL, NULL, 0 },
		{ "{\"x\":[1},\"orig\":{\"tn\":\"12025550121\"},\"dest\":{},\"iat\":1}", NULL, NULL,
		  0 },
	};
	struct tg_passport p;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const bool reads =
			read_text(tg_passport_text(shaken_header, cases[i].claims, params), &p);

		if (reads != (cases[i].orig != NULL) ||
		    (reads &&
		     (strcmp(format(p.orig), cases[i].orig) != 0 ||
		      strcmp(format(p.div), cases[i].div) != 0 || p.n_dest != cases[i].n_dest)))
			fail_msg("%s: %d %s", cases[i].claims, reads, reads ? format(p.orig) : "");
	}
}

TG_TEST(SIP_38_headers_of_the_token, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *header;
		bool reads, es256;
		unsigned type;
	} cases[] = {
		{ "{\"alg\":\"ES256\",\"typ\":\"passport\",\"x5u\":\"https://a\"}", true, true,
		  TG_PASSPORT_BASE },
		{ "{\"alg\":\"none\",\"ppt\":\"rcd\"}", true, false, TG_PASSPORT_RCD },
		{ "{\"alg\":\"ES256\",\"ppt\":\"mky\"}", true, true, TG_PASSPORT_OTHER },
		{ "{\"ppt\":\"shaken\"}", false, false, 0 },
		{ "{\"alg\":\"ES256\",\"alg\":\"none\"}", false, false, 0 },
		{ "{\"alg\":\"ES256\"", false, false, 0 },
	};
	struct tg_passport p;
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const bool reads = read_text(
			tg_passport_text(cases[i].header, shaken_claims, ";info=<https://a>"), &p);

		if (reads != cases[i].reads ||
		    (reads && (p.es256 != cases[i].es256 || p.type != cases[i].type)))
			fail_msg("%s", cases[i].header);
	}
}

static void truncated(void *ctx, const uint8_t *data, size_t len)
{
	struct tg_passport p;
	const bool reads = tg_passport_read((struct tg_span){ data, (uint32_t)len }, &p);

	if (reads) /* behind the signature's first character every prefix that ends a parameter reads */
		assert_string_equal(format(p.orig), "+12025550121");
	(*(unsigned *)ctx) += reads;
}

TG_TEST(passport_truncated_at_each_length, TG_NEEDS_NOTHING)
{
	const char *const text = tg_passport_text(shaken_header, shaken_claims, params);
	unsigned whole = 0;

	tg_guard_truncate(text, strlen(text), truncated, &whole);
	assert_in_range(whole, 2, strlen(params) + 12);
}

TG_TEST(passport_claims_longer_than_the_limit, TG_NEEDS_NOTHING)
{
	static char claims[TG_PASSPORT_JSON_MAX + 2];
	struct tg_passport p;
	int len = snprintf(claims, sizeof(claims), "%s", shaken_claims);

	memset(claims + len, ' ', sizeof(claims) - 1 - (size_t)len);
	assert_false(read_text(tg_passport_text(shaken_header, claims, params), &p));
	claims[TG_PASSPORT_JSON_MAX] = 0;
	assert_true(read_text(tg_passport_text(shaken_header, claims, params), &p));
}

TG_TEST(passport_base64url, TG_NEEDS_NOTHING)
{
	static const struct {
		const char *text;
		int len;
		const char *bytes;
	} cases[] = {
		{ "", 0, "" },
		{ "Zg", 1, "f" },
		{ "Zm8", 2, "fo" },
		{ "Zm9v", 3, "foo" },
		{ "Zm8=", 2, "fo" },
		{ "_-8", 2, "\xff\xef" },
		{ "Z", -1, "" },
		{ "Zm9vY", -1, "" },
		{ "Zm+v", -1, "" },
		{ "Zm v", -1, "" },
		{ "Zm9vYmFy", 6, "foobar" },
		{ "Zm9vYmFyZ", -1, "" },
		{ "Zm9vYmFyZg", -1, "" },
	};
	uint8_t out[6];
	size_t i;

	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		const struct tg_span s = { (const uint8_t *)cases[i].text,
					   (uint32_t)strlen(cases[i].text) };
		const int n = tg_passport_decode(s, out, sizeof(out));

		if (n != cases[i].len || (n > 0 && memcmp(out, cases[i].bytes, (size_t)n) != 0))
			fail_msg("%s: %d", cases[i].text, n);
	}
	assert_string_equal(tg_passport_type_name(TG_PASSPORT_DIV_O), "div-o");
	assert_string_equal(tg_passport_type_name(TG_PASSPORT_TYPE_COUNT), "?");
}
