/* SPDX-License-Identifier: BSD-3-Clause */
/* An authority, a provider and their signatures, made on the spot. */
#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/run/stir.h"
#include "tests/support/tg_test.h"

#define NOW 1790000000ull
#define URL "https://cert.example.org/p.cer"
#define VALUE_MAX 2048

struct world {
	char dir[64];
	EVP_PKEY *ca_key, *key;
	X509 *ca, *leaf;
	struct tg_stir *stir;
};

static X509 *make_certificate(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
			      uint64_t until)
{
	X509 *x = X509_new();
	X509_NAME *n;

	assert_non_null(x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(NOW - 86400));
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until);
	X509_set_pubkey(x, key);
	n = X509_get_subject_name(x);
	X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : n);
	if (!issuer) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints,
							"critical,CA:TRUE");

		assert_non_null(e);
		X509_add_ext(x, e, -1);
		X509_EXTENSION_free(e);
	}
	assert_true(X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()) > 0);
	return x;
}

static void write_pem(const struct world *w, const char *name, X509 *x)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	if (x)
		PEM_write_X509(f, x);
	fclose(f);
}

static void write_leaf(const struct world *w, const char *url, X509 *x)
{
	uint8_t hash[32];
	char name[128] = "certs/";
	unsigned i;

	assert_int_equal(EVP_Digest(url, strlen(url), hash, NULL, EVP_sha256(), NULL), 1);
	for (i = 0; i < sizeof(hash); i++)
		sprintf(name + strlen(name), "%02x", hash[i]);
	strcat(name, ".pem");
	write_pem(w, name, x);
}

static void open_world(struct world *w)
{
	char path[80];
	struct tg_why why;

	strcpy(w->dir, "/tmp/tg-stir-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(path, sizeof(path), "%s/trust", w->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/certs", w->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	w->ca_key = EVP_EC_gen("P-256");
	w->key = EVP_EC_gen("P-256");
	w->ca = make_certificate("authority", w->ca_key, NULL, NULL, NOW + 86400);
	w->leaf = make_certificate("provider", w->key, w->ca, w->ca_key, NOW + 3600);
	write_pem(w, "trust/authority.pem", w->ca);
	write_leaf(w, URL, w->leaf);
	if (tg_stir_open(w->dir, &w->stir, &why) != 0)
		fail_msg("%s", why.text);
}

static void close_world(struct world *w)
{
	char command[96];

	tg_stir_close(w->stir);
	X509_free(w->leaf);
	X509_free(w->ca);
	EVP_PKEY_free(w->key);
	EVP_PKEY_free(w->ca_key);
	snprintf(command, sizeof(command), "rm -r '%s'", w->dir);
	assert_int_equal(system(command), 0);
}

static size_t encode(const uint8_t *bytes, size_t len, char *out)
{
	const int n = EVP_EncodeBlock((uint8_t *)out, bytes, (int)len);
	int i;

	for (i = 0; i < n; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	while (n > 0 && out[strlen(out) - 1] == '=')
		out[strlen(out) - 1] = 0;
	return strlen(out);
}

static void sign(EVP_PKEY *key, const char *text, char *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[128], raw[64] = { 0 };
	const uint8_t *p = der;
	size_t len = sizeof(der);
	ECDSA_SIG *sig;

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, (const uint8_t *)text, strlen(text)), 1);
	sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32), 32);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	encode(raw, sizeof(raw), out);
}

/* header "." claims, which is what is signed; returns the length. */
static size_t make_signed_part(const char *url, uint64_t iat, char *out)
{
	char json[512];
	size_t n;

	snprintf(json, sizeof(json),
		 "{\"alg\":\"ES256\",\"ppt\":\"shaken\",\"typ\":\"passport\",\"x5u\":\"%s\"}", url);
	n = encode((const uint8_t *)json, strlen(json), out);
	out[n++] = '.';
	snprintf(json, sizeof(json),
		 "{\"attest\":\"A\",\"dest\":{\"tn\":[\"12025550131\"]},\"iat\":%llu,"
		 "\"orig\":{\"tn\":\"12025550121\"},\"origid\":\"x\"}",
		 (unsigned long long)iat);
	return n + encode((const uint8_t *)json, strlen(json), out + n);
}

static const char *make_value(EVP_PKEY *key, const char *url, uint64_t iat)
{
	static char value[VALUE_MAX];
	char signature[128];
	size_t n;

	n = make_signed_part(url, iat, value);
	sign(key, value, signature);
	snprintf(value + n, sizeof(value) - n, ".%s;info=<%s>;alg=ES256;ppt=\"shaken\"", signature,
		 url);
	return value;
}

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
	char value[VALUE_MAX];
	struct world w;
	size_t n;

	open_world(&w);
	strcpy(value, make_value(w.key, URL, NOW));
	check(&w, value, NOW, TG_STIR_VALID);
	check(&w, value, NOW, TG_STIR_VALID); /* from the cache */
	/* other claims, of the same length, under the same signature */
	n = make_signed_part(URL, NOW + 1, value);
	value[n] = '.';
	check(&w, value, NOW, TG_STIR_BAD_SIGNATURE);
	check(&w, make_value(other, URL, NOW), NOW, TG_STIR_BAD_SIGNATURE);
	EVP_PKEY_free(other);
	close_world(&w);
}

TG_TEST(SIP_38_iat_is_fresh_within_a_minute, TG_NEEDS_NOTHING)
{
	struct world w;

	open_world(&w);
	check(&w, make_value(w.key, URL, NOW - 60), NOW, TG_STIR_VALID);
	check(&w, make_value(w.key, URL, NOW + 60), NOW, TG_STIR_VALID);
	check(&w, make_value(w.key, URL, NOW - 61), NOW, TG_STIR_STALE);
	check(&w, make_value(w.key, URL, NOW + 61), NOW, TG_STIR_STALE);
	close_world(&w);
}

TG_TEST(SIP_39_unverified_is_not_failed, TG_NEEDS_NOTHING)
{
	EVP_PKEY *const rogue_key = EVP_EC_gen("P-256"), *const p384 = EVP_EC_gen("P-384");
	X509 *const rogue = make_certificate("rogue", rogue_key, NULL, NULL, NOW + 3600);
	struct world w;
	X509 *big;

	open_world(&w);
	big = make_certificate("p384", p384, w.ca, w.ca_key, NOW + 3600);
	write_leaf(&w, "https://rogue/", rogue);
	write_leaf(&w, "https://big/", big);
	write_leaf(&w, "https://empty/", NULL);
	check(&w, make_value(w.key, "https://elsewhere/", NOW), NOW, TG_STIR_NO_CERTIFICATE);
	check(&w, make_value(w.key, "https://empty/", NOW), NOW, TG_STIR_NO_CERTIFICATE);
	check(&w, make_value(rogue_key, "https://rogue/", NOW), NOW, TG_STIR_UNTRUSTED);
	check(&w, make_value(w.key, "https://big/", NOW), NOW, TG_STIR_UNSUPPORTED);
	check(&w, "..c2ln;info=<" URL ">", NOW, TG_STIR_UNSUPPORTED);
	check(&w, "nonsense", NOW, TG_STIR_UNSUPPORTED);
	/* expired after the key was cached */
	check(&w, make_value(w.key, URL, NOW), NOW, TG_STIR_VALID);
	check(&w, make_value(w.key, URL, NOW + 3700), NOW + 3700, TG_STIR_UNTRUSTED);
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
	open_world(&w);
	write_pem(&w, "trust/bad.pem", NULL);
	assert_int_equal(tg_stir_open(w.dir, &stir, &why), -EINVAL);
	assert_non_null(strstr(why.text, "bad.pem"));
	close_world(&w);
}
