/* SPDX-License-Identifier: BSD-3-Clause */
/* An authority, a provider and their signatures, made on the spot: a folder as run/stir.h wants it. */
#ifndef TG_TESTS_STIR_WORLD_H
#define TG_TESTS_STIR_WORLD_H

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

#define STIR_URL "https://cert.example.org/p.cer"
#define STIR_VALUE_MAX 2048

struct world {
	char dir[64];
	EVP_PKEY *ca_key, *key;
	X509 *ca, *leaf;
	struct tg_stir *stir;
};

/* Signed by `issuer`, or by itself. `time_of_it`: from when to when it holds. */
static inline X509 *make_certificate(const char *name, EVP_PKEY *key, X509 *issuer,
				     EVP_PKEY *issuer_key, const uint64_t time_of_it[2])
{
	X509 *x = X509_new();
	X509_NAME *n;

	assert_non_null(x);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)time_of_it[0]);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)time_of_it[1]);
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

static inline void write_pem(const struct world *w, const char *name, X509 *x)
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

static inline void write_leaf(const struct world *w, const char *url, X509 *x)
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

static inline void open_world(struct world *w, uint64_t now)
{
	const uint64_t day[2] = { now - 86400, now + 86400 }, hour[2] = { now - 86400, now + 3600 };
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
	w->ca = make_certificate("authority", w->ca_key, NULL, NULL, day);
	w->leaf = make_certificate("provider", w->key, w->ca, w->ca_key, hour);
	write_pem(w, "trust/authority.pem", w->ca);
	write_leaf(w, STIR_URL, w->leaf);
	if (tg_stir_open(w->dir, &w->stir, &why) != 0)
		fail_msg("%s", why.text);
}

static inline void close_world(struct world *w)
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

static inline size_t encode(const uint8_t *bytes, size_t len, char *out)
{
	const int n = EVP_EncodeBlock((uint8_t *)out, bytes, (int)len);
	int i;

	for (i = 0; i < n; i++)
		out[i] = out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i];
	while (n > 0 && out[strlen(out) - 1] == '=')
		out[strlen(out) - 1] = 0;
	return strlen(out);
}

static inline void sign(EVP_PKEY *key, const char *text, char *out)
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
static inline size_t make_signed_part(const char *url, uint64_t iat, char *out)
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

static inline const char *make_value(EVP_PKEY *key, const char *url, uint64_t iat)
{
	static char value[STIR_VALUE_MAX];
	char signature[128];
	size_t n;

	n = make_signed_part(url, iat, value);
	sign(key, value, signature);
	snprintf(value + n, sizeof(value) - n, ".%s;info=<%s>;alg=ES256;ppt=\"shaken\"", signature,
		 url);
	return value;
}

#endif
