/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include "tests/support/stir_world.h"

#define NOW 1790000000ull

static const uint64_t hour[2] = { NOW - 86400, NOW + 3600 };

static void check(struct world *w, const char *value, uint64_t now, enum tg_stir_state want)
{
	const struct tg_span s = { (const uint8_t *)value, (uint32_t)strlen(value) };
	const enum tg_stir_state got = tg_stir_verify(w->stir, s, now);

	if (got != want)
		fail_msg("%s, not %s", tg_stir_state_name(got), tg_stir_state_name(want));
}

TG_TEST(SIP_39_signature_holds_or_is_bad, TG_NEEDS_NOTHING)
{
	EVP_PKEY *const other = EVP_EC_gen("P-256");
	char value[STIR_VALUE_MAX];
	struct world w;
	size_t n;

	open_world(&w, NOW);
	strcpy(value, make_value(w.key, STIR_URL, NOW));
	check(&w, value, NOW, TG_STIR_VALID);
	check(&w, value, NOW, TG_STIR_VALID); /* from the cache */
	/* other claims, of the same length, under the same signature */
	n = make_signed_part(STIR_URL, NOW + 1, value);
	value[n] = '.';
	check(&w, value, NOW, TG_STIR_BAD_SIGNATURE);
	check(&w, make_value(other, STIR_URL, NOW), NOW, TG_STIR_BAD_SIGNATURE);
	EVP_PKEY_free(other);
	close_world(&w);
}

TG_TEST(SIP_38_iat_is_fresh_within_a_minute, TG_NEEDS_NOTHING)
{
	struct world w;

	open_world(&w, NOW);
	check(&w, make_value(w.key, STIR_URL, NOW - 60), NOW, TG_STIR_VALID);
	check(&w, make_value(w.key, STIR_URL, NOW + 60), NOW, TG_STIR_VALID);
	check(&w, make_value(w.key, STIR_URL, NOW - 61), NOW, TG_STIR_STALE);
	check(&w, make_value(w.key, STIR_URL, NOW + 61), NOW, TG_STIR_STALE);
	close_world(&w);
}

TG_TEST(SIP_39_unverified_is_not_failed, TG_NEEDS_NOTHING)
{
	EVP_PKEY *const rogue_key = EVP_EC_gen("P-256"), *const p384 = EVP_EC_gen("P-384");
	X509 *const rogue = make_certificate("rogue", rogue_key, NULL, NULL, hour);
	struct world w;
	X509 *big;

	open_world(&w, NOW);
	big = make_certificate("p384", p384, w.ca, w.ca_key, hour);
	write_leaf(&w, "https://rogue/", rogue);
	write_leaf(&w, "https://big/", big);
	write_leaf(&w, "https://empty/", NULL);
	check(&w, make_value(w.key, "https://elsewhere/", NOW), NOW, TG_STIR_NO_CERTIFICATE);
	check(&w, make_value(w.key, "https://empty/", NOW), NOW, TG_STIR_NO_CERTIFICATE);
	check(&w, make_value(rogue_key, "https://rogue/", NOW), NOW, TG_STIR_UNTRUSTED);
	check(&w, make_value(w.key, "https://big/", NOW), NOW, TG_STIR_UNSUPPORTED);
	check(&w, "..c2ln;info=<" STIR_URL ">", NOW, TG_STIR_UNSUPPORTED);
	check(&w, "nonsense", NOW, TG_STIR_UNSUPPORTED);
	/* expired after the key was cached */
	check(&w, make_value(w.key, STIR_URL, NOW), NOW, TG_STIR_VALID);
	check(&w, make_value(w.key, STIR_URL, NOW + 3700), NOW + 3700, TG_STIR_UNTRUSTED);
	X509_free(big);
	X509_free(rogue);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(rogue_key);
	close_world(&w);
}

TG_TEST(stir_says_what_is_wrong_with_its_folder, TG_NEEDS_NOTHING)
{
	struct tg_stir *stir;
	struct tg_why why;
	struct world w;

	assert_int_equal(tg_stir_open("/nonexistent", &stir, &why), -ENOENT);
	assert_non_null(strstr(why.text, "/nonexistent/trust"));
	open_world(&w, NOW);
	write_pem(&w, "trust/bad.pem", NULL);
	assert_int_equal(tg_stir_open(w.dir, &stir, &why), -EINVAL);
	assert_non_null(strstr(why.text, "bad.pem"));
	close_world(&w);
}
