/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/run/stir.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys that were checked are kept this long: a certificate that was revoked or replaced in DIR is noticed
 * within it. Every call of a provider is signed with the same few. */
#define KEY_SECONDS 300
#define KEYS_MAX 256
#define URL_MAX 512
#define ID_LEN (2 * 32) /* SHA-256 in hexadecimal */
#define P256_BYTES 32	/* of r and of s, RFC 7518 §3.4 */

struct key {
	char id[ID_LEN + 1];
	uint64_t until;
	enum tg_stir_state state; /* VALID: `pkey` may be asked */
	EVP_PKEY *pkey;
};

struct tg_stir {
	char dir[PATH_MAX - ID_LEN - sizeof("/certs/.pem")];
	X509_STORE *trust;
	struct key key[KEYS_MAX]; /* by the id's first byte */
};

static_assert(KEYS_MAX == 1 << 8, "one byte of the id chooses the place");

static int is_pem(const struct dirent *entry)
{
	const size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 4 && strcmp(entry->d_name + len - 4, ".pem") == 0;
}

/* ---- authorities ------------------------------------------------------------------------------- */

/* All certificates of a file; 0 if there is none. */
static int trust_file(X509_STORE *store, const char *path)
{
	FILE *f = fopen(path, "re");
	int n = 0;
	X509 *x;

	if (!f)
		return -errno;
	while ((x = PEM_read_X509(f, NULL, NULL, NULL))) {
		n += X509_STORE_add_cert(store, x) == 1;
		X509_free(x);
	}
	ERR_clear_error(); /* the end of the file is one */
	fclose(f);
	return n;
}

static int trust_dir(struct tg_stir *stir, struct tg_why *why)
{
	char path[PATH_MAX + NAME_MAX];
	struct dirent **entries;
	int n, i, rc = 0;

	snprintf(path, sizeof(path), "%s/trust", stir->dir);
	n = scandir(path, &entries, is_pem, alphasort);
	if (n < 0) {
		rc = -errno;
		return tg_why_set(why, rc, "%s: %s", path, strerror(-rc));
	}
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/trust/%s", stir->dir, entries[i]->d_name);
		free(entries[i]);
		if (rc == 0 && trust_file(stir->trust, path) <= 0)
			rc = tg_why_set(why, -EINVAL, "%s: no certificate in it", path);
	}
	free(entries);
	return rc;
}

int tg_stir_open(const char *dir, struct tg_stir **out, struct tg_why *why)
{
	struct tg_stir *stir = calloc(1, sizeof(*stir));
	int rc;

	if (!stir)
		return tg_why_set(why, -ENOMEM, "no memory");
	if (strlen(dir) >= sizeof(stir->dir)) {
		rc = tg_why_set(why, -ENAMETOOLONG, "%s: too long a name", dir);
		goto close;
	}
	memcpy(stir->dir, dir, strlen(dir) + 1);
	stir->trust = X509_STORE_new();
	if (!stir->trust) {
		rc = tg_why_set(why, -ENOMEM, "no memory");
		goto close;
	}
	rc = trust_dir(stir, why);
	if (rc != 0)
		goto close;
	*out = stir;
	return 0;
close:
	tg_stir_close(stir);
	return rc;
}

void tg_stir_close(struct tg_stir *stir)
{
	unsigned i;

	if (!stir)
		return;
	for (i = 0; i < KEYS_MAX; i++)
		EVP_PKEY_free(stir->key[i].pkey);
	X509_STORE_free(stir->trust);
	free(stir);
}

/* ---- a certificate and its key ----------------------------------------------------------------- */

/* RFC 8224 §6.2: does it lead to an authority, today? */
static bool is_trusted(const struct tg_stir *stir, X509 *leaf, STACK_OF(X509) * chain, uint64_t now)
{
	X509_STORE_CTX *const ctx = X509_STORE_CTX_new();
	bool ok = false;

	if (!ctx)
		return false;
	if (X509_STORE_CTX_init(ctx, stir->trust, leaf, chain) == 1) {
		X509_STORE_CTX_set_time(ctx, 0, (time_t)now);
		/* RFC 8226 §8: the TN authorization list is critical in some, and unknown to OpenSSL. */
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_IGNORE_CRITICAL);
		ok = X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	return ok;
}

static STACK_OF(X509) * read_chain(FILE *f)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *x;

	while (chain && (x = PEM_read_X509(f, NULL, NULL, NULL))) {
		if (sk_X509_push(chain, x) == 0)
			X509_free(x);
	}
	return chain;
}

static enum tg_stir_state load_key(struct tg_stir *stir, struct key *key, uint64_t now)
{
	enum tg_stir_state state = TG_STIR_NO_CERTIFICATE;
	STACK_OF(X509) *chain = NULL;
	char path[PATH_MAX];
	X509 *leaf = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/certs/%s.pem", stir->dir, key->id);
	f = fopen(path, "re");
	if (!f)
		return state;
	leaf = PEM_read_X509(f, NULL, NULL, NULL);
	chain = leaf ? read_chain(f) : NULL;
	if (!leaf || !chain)
		goto done;
	state = TG_STIR_UNTRUSTED;
	if (!is_trusted(stir, leaf, chain, now))
		goto done;
	key->pkey = X509_get_pubkey(leaf);
	/* ES256 is P-256 (RFC 7518 §3.4); another key could not have signed this. */
	state = key->pkey && EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_EC &&
				EVP_PKEY_get_bits(key->pkey) == 8 * P256_BYTES
			? TG_STIR_VALID
			: TG_STIR_UNSUPPORTED;
done:
	sk_X509_pop_free(chain, X509_free);
	X509_free(leaf);
	fclose(f);
	ERR_clear_error();
	return state;
}

static bool url_id(struct tg_span url, char id[ID_LEN + 1])
{
	uint8_t hash[ID_LEN / 2];
	unsigned len = 0, i;

	if (url.len == 0 || url.len > URL_MAX ||
	    EVP_Digest(url.data, url.len, hash, &len, EVP_sha256(), NULL) != 1)
		return false;
	for (i = 0; i < len; i++)
		snprintf(id + 2 * (size_t)i, 3, "%02x", hash[i]);
	return true;
}

static struct key *find_key(struct tg_stir *stir, struct tg_span url, uint64_t now)
{
	char id[ID_LEN + 1];
	struct key *key;

	if (!url_id(url, id))
		return NULL;
	key = &stir->key[strtoul((char[]){ id[0], id[1], 0 }, NULL, 16)];
	if (strcmp(key->id, id) == 0 && now < key->until)
		return key;
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
	memcpy(key->id, id, sizeof(id));
	key->until = now + KEY_SECONDS;
	key->state = load_key(stir, key, now);
	return key;
}

/* ---- the signature ----------------------------------------------------------------------------- */

/* JWS has r and s side by side (RFC 7518 §3.4), OpenSSL wants them in DER. */
static int to_der(const uint8_t raw[2 * P256_BYTES], uint8_t **der)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, P256_BYTES, NULL);
	BIGNUM *s = BN_bin2bn(raw + P256_BYTES, P256_BYTES, NULL);
	int len = -1;

	*der = NULL;
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		len = i2d_ECDSA_SIG(sig, der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return len;
}

/* What is signed is "header.payload" as on the wire (RFC 7515 §5.2). */
static bool signature_holds(EVP_PKEY *pkey, const struct tg_passport *p)
{
	uint8_t raw[2 * P256_BYTES];
	EVP_MD_CTX *ctx = NULL;
	uint8_t *der = NULL;
	bool ok = false;
	int len;

	if (tg_passport_decode(p->signature, raw, sizeof(raw)) != sizeof(raw))
		return false;
	len = to_der(raw, &der);
	ctx = EVP_MD_CTX_new();
	if (len > 0 && ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1)
		ok = EVP_DigestVerify(
			     ctx, der, (size_t)len, p->header.data,
			     (size_t)(p->payload.data + p->payload.len - p->header.data)) == 1;
	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	ERR_clear_error();
	return ok;
}

static bool is_fresh(uint64_t iat, uint64_t now)
{
	return iat <= now + TG_STIR_FRESH_SECONDS && now <= iat + TG_STIR_FRESH_SECONDS;
}

enum tg_stir_state tg_stir_verify(struct tg_stir *stir, struct tg_span value, uint64_t now)
{
	struct tg_passport p;
	const struct key *key;

	if (!tg_passport_read(value, &p) || p.compact || !p.es256)
		return TG_STIR_UNSUPPORTED;
	key = find_key(stir, p.info, now);
	if (!key)
		return TG_STIR_NO_CERTIFICATE;
	if (key->state != TG_STIR_VALID)
		return key->state;
	if (!signature_holds(key->pkey, &p))
		return TG_STIR_BAD_SIGNATURE;
	return is_fresh(p.iat, now) ? TG_STIR_VALID : TG_STIR_STALE;
}
