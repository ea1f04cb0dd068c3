/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * make_images DIR GENERATION FEED.csv POLICY.yaml [DELTA.csv]: the images that a dataplane starts
 * from, without a daemon. POLICY "-" is the documented default. Exit 0, or 1 with the reason.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "control/build.h"
#include "control/policy_file.h"
#include "control/records.h"

static int fail(const struct tg_error *err, const char *file)
{
	char text[TG_ERROR_TEXT_MAX + 128];

	fprintf(stderr, "make_images: %s\n", tg_error_format(err, file, text, sizeof(text)));
	return 1;
}

static int write_file(const char *dir, const char *name, const void *bytes, uint64_t length)
{
	char path[512];
	FILE *f;
	int rc;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f)
		return -errno;
	rc = fwrite(bytes, 1, length, f) == length ? 0 : -EIO;
	if (fclose(f) != 0)
		rc = -EIO;
	return rc;
}

/* Builds what `in` describes and writes it as DIR/NAME. */
static int write_table(const struct tg_build_input *in, const char *dir, const char *name,
		       uint64_t *id, struct tg_error *err)
{
	struct tg_build *build;
	uint64_t length;
	void *image;
	int rc;

	rc = tg_build_plan(in, &build, &length, err);
	if (rc != 0)
		return rc;
	image = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (image == MAP_FAILED)
		rc = tg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = tg_build_write(build, image, id, err);
	if (rc == 0 && write_file(dir, name, image, length) != 0)
		rc = tg_error_set(err, -EIO, "%s/%s cannot be written", dir, name);
	if (image != MAP_FAILED)
		munmap(image, length);
	tg_build_free(build);
	return rc;
}

static int feed_to_table(const char *feed, uint64_t base_id, const char *dir, const char *name,
			 uint64_t *id)
{
	struct tg_build_input in = { 0 };
	struct tg_records records;
	struct tg_error err = { 0 };
	FILE *f = fopen(feed, "r");
	int rc;

	if (!f) {
		(void)tg_error_set(&err, -errno, "%s", strerror(errno));
		return fail(&err, feed);
	}
	rc = tg_records_load_feed(f, NULL, &records, &err);
	fclose(f);
	if (rc != 0)
		return fail(&err, feed);
	rc = tg_records_build_input(&records, time(NULL), &in, &err);
	if (rc == 0 && base_id) {
		in.kind = TG_IMAGE_DELTA;
		in.base_id = base_id;
		in.replaces_ranges = in.n_intervals > 0 || in.n_shorts > 0;
	}
	if (rc == 0) {
		rc = write_table(&in, dir, name, id, &err);
		tg_records_input_free(&in);
	}
	tg_records_free(&records);
	return rc != 0 ? fail(&err, feed) : 0;
}

static int policy_to_image(const char *policy, const char *dir)
{
	struct tg_error err = { 0 };
	uint64_t length;
	void *image;
	int rc;

	rc = strcmp(policy, "-") == 0
		     ? tg_policy_compile(tg_policy_default_text, strlen(tg_policy_default_text),
					 &image, &length, &err)
		     : tg_policy_compile_file(policy, &image, &length, &err);
	if (rc != 0)
		return fail(&err, policy);
	rc = write_file(dir, "policy", image, length);
	free(image);
	if (rc == 0)
		return 0;
	(void)tg_error_set(&err, rc, "%s/policy cannot be written", dir);
	return fail(&err, policy);
}

int main(int argc, char **argv)
{
	char current[128], path[2][512];
	uint64_t base_id = 0, delta_id = 0;
	int n;

	if (argc != 5 && argc != 6) {
		fprintf(stderr,
			"usage: make_images DIR GENERATION FEED.csv POLICY.yaml|- [DELTA.csv]\n");
		return 2;
	}
	(void)mkdir(argv[1], 0755);
	if (feed_to_table(argv[3], 0, argv[1], "base", &base_id) != 0 ||
	    policy_to_image(argv[4], argv[1]) != 0 ||
	    (argc == 6 && feed_to_table(argv[5], base_id, argv[1], "delta", &delta_id) != 0))
		return 1;
	n = snprintf(current, sizeof(current), "generation %s\nbase base\npolicy policy\n%s",
		     argv[2], argc == 6 ? "delta delta\n" : "");
	snprintf(path[0], sizeof(path[0]), "%s/current.new", argv[1]);
	snprintf(path[1], sizeof(path[1]), "%s/current", argv[1]);
	if (write_file(argv[1], "current.new", current, (uint64_t)n) != 0 ||
	    rename(path[0], path[1]) != 0) {
		perror(path[1]);
		return 1;
	}
	printf("%016" PRIx64 " %016" PRIx64 "\n", base_id, delta_id);
	return 0;
}
