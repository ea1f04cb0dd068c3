/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread imports large feeds, one folds and indexes, two add, delete, look up and make deltas, all
 * on one ledger. Under the thread sanitizer: none of it races. In any build: what a thread has added
 * it finds, and in the end all batches are there, chained.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/ledger.h"

#define IMPORTS 12
#define EDITORS 2
#define NOW 1800000000

static struct tg_ledger *ledger;
static bool imports_over; /* atomic, relaxed: only ends loops */
static uint64_t wrong;	  /* atomic */

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "wrong: %s\n", what);
	__atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
}

/* Every second one is large enough for a new base; the others go over it. */
static void *import_on(void *arg)
{
	unsigned i, k;

	(void)arg;
	for (i = 0; i < IMPORTS; i++) {
		const struct tg_import im = { .source = i % 2 ? "small" : "large",
					      .file = "feed.csv",
					      .force = true };
		struct tg_import_result result;
		struct tg_error err;
		FILE *f = tmpfile();

		fputs("kind,number,role,category,score,expires,ref\n", f);
		for (k = 0; k < (i % 2 ? 100u : 9000u); k++)
			fprintf(f, "exact,+1202%07u,any,fraud,%u,,r%u\n", i + k, i, k);
		rewind(f);
		expect(tg_ledger_import(ledger, f, &im, &result, &err) == 0, "import");
		fclose(f);
	}
	__atomic_store_n(&imports_over, true, __ATOMIC_RELAXED);
	return NULL;
}

static void *fold_on(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&imports_over, __ATOMIC_RELAXED)) {
		struct tg_ledger_snapshot base;
		struct tg_ledger_status st;

		tg_ledger_status(ledger, &st);
		expect(tg_ledger_snapshot_base(ledger, NOW, &base, NULL) == 0, "base");
		expect(base.batch >= st.batch, "base is not behind");
		tg_ledger_snapshot_free(&base);
		expect(tg_ledger_index_step(ledger, 2000, NULL) >= 0, "index");
	}
	return NULL;
}

static void edit(uint64_t number, unsigned round)
{
	struct tg_record r = { .lo = number,
			       .hi = number,
			       .digits = 11,
			       .roles = TG_RECORD_ANY,
			       .category = TG_CATEGORY_SCAM,
			       .score = (uint8_t)(round % 100) };
	struct tg_ledger_snapshot delta;
	struct tg_ledger_status st;
	struct tg_claim *claims;
	uint32_t listing;
	size_t n;
	int rc;

	tg_ledger_status(ledger, &st);
	expect(tg_ledger_add(ledger, &r, NULL) == 0, "add");
	expect(tg_ledger_lookup(ledger, tg_num_make(TG_NUM_E164, 11, number), NOW, &claims, &n,
				&listing, NULL) == 0 &&
		       n == 1 && claims[0].record.score == r.score,
	       "an added number is found");
	free(claims);
	rc = tg_ledger_snapshot_delta(ledger, st.batch, NOW, NOW, &delta, NULL);
	/* A large import in between is too much to tell. */
	expect((rc == 0 && delta.input.n_numbers > 0) || rc == -ESTALE, "delta");
	tg_ledger_snapshot_free(&delta);
	if (round % 3 == 0)
		expect(tg_ledger_del(ledger, &r, NULL) == 0, "delete");
	(void)tg_ledger_wants_base(ledger, st.batch);
}

static void *edit_on(void *arg)
{
	const uint64_t first = 15550000000 + (uint64_t)(uintptr_t)arg * 100000;
	unsigned i;

	for (i = 0; !__atomic_load_n(&imports_over, __ATOMIC_RELAXED); i++)
		edit(first + i % 50, i);
	return NULL;
}

static void remove_all(const char *dir, const char *sub)
{
	char path[512];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s%s", dir, sub);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		char file[1024];

		snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
		(void)unlink(file);
	}
	if (d)
		closedir(d);
	(void)rmdir(path);
}

int main(void)
{
	char dir[] = "/tmp/tollgate-tsan.XXXXXX";
	pthread_t t[2 + EDITORS];
	struct tg_ledger_status before, after;
	struct tg_error err;
	uintptr_t i;

	if (!mkdtemp(dir) || tg_ledger_open(dir, &ledger, &err) != 0)
		return 2;
	pthread_create(&t[0], NULL, import_on, NULL);
	pthread_create(&t[1], NULL, fold_on, NULL);
	for (i = 0; i < EDITORS; i++)
		pthread_create(&t[2 + i], NULL, edit_on, (void *)i);
	for (i = 0; i < 2 + EDITORS; i++)
		pthread_join(t[i], NULL);
	expect(tg_ledger_verify(ledger, &err) == 0, "chain");
	tg_ledger_status(ledger, &before);
	tg_ledger_close(ledger);
	expect(tg_ledger_open(dir, &ledger, &err) == 0, "open again");
	tg_ledger_status(ledger, &after);
	expect(before.batch == after.batch && before.n_claims == after.n_claims &&
		       before.n_numbers == after.n_numbers &&
		       strcmp(before.chain_head, after.chain_head) == 0,
	       "the same after a restart");
	tg_ledger_close(ledger);
	remove_all(dir, "/journal");
	remove_all(dir, "");
	printf("ledger: %d imports, %llu batches, %llu wrong\n", IMPORTS,
	       (unsigned long long)after.batch, (unsigned long long)wrong);
	return wrong || after.batch <= IMPORTS ? 1 : 0;
}
