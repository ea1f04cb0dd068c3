/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/capture.h"
#include "control/exit.h"
#include "control/policy_file.h"
#include "control/records.h"
#include "control/replay.h"
#include "tollgate/event_json.h"
#include "tollgate/pipeline.h"

struct options {
	const char *feed;
	const char *policy; /* NULL = the documented default */
	const char *capture;
	int64_t at; /* seconds since the epoch */
	bool json;
	bool no_checksum;
	bool force;
};

/* The frames of one millisecond, copied: libpcap's own memory holds one. */
struct batch {
	struct tg_frame_in in[TG_BURST];
	struct tg_result out[TG_BURST];
	uint64_t number[TG_BURST];
	uint64_t time_ns[TG_BURST];
	uint8_t *copy[TG_BURST];
	size_t copy_cap[TG_BURST];
	unsigned n;
	uint64_t now_ms;
};

struct counts {
	uint64_t frames;
	uint64_t judged;
	uint64_t repeated;
	uint64_t verdict[TG_ACTION_COUNT];
	uint64_t reason[TG_REASON_COUNT];
};

struct replay {
	struct options opt;
	void *table_image;
	void *policy_image;
	void *pipeline_memory;
	struct tg_generation gen;
	struct tg_pipeline *pl;
	struct batch batch;
	struct counts counts;
};

/* ---- options ----------------------------------------------------------------------------------- */

/* A time is read by the rules that a feed's `expires` has: there is one reader of times. */
static int parse_time(const char *text, int64_t *at)
{
	const struct tg_record_text record = {
		.kind = "exact",
		.number = "+12025550100",
		.role = "any",
		.category = "allow",
		.score = "0",
		.expires = text,
		.ref = "",
	};
	struct tg_error err = { 0 };
	struct tg_record r;

	if (text[0] == 0 || tg_record_parse(&record, false, &r, &err) != 0) {
		fprintf(stderr,
			"tgctl replay: --at %s: not a time as in RFC 3339, such as "
			"2027-01-31T23:59:59Z\n",
			text);
		return -EINVAL;
	}
	*at = r.expires;
	return 0;
}

static int usage_error(const char *what)
{
	fprintf(stderr, "tgctl replay: %s (--help explains)\n", what);
	return TG_EXIT_USAGE;
}

/* -1: carry on; else the exit code. */
static int parse_options(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{ "feed", required_argument, NULL, 'f' },
		{ "policy", required_argument, NULL, 'p' },
		{ "at", required_argument, NULL, 't' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-checksum", no_argument, NULL, 'n' },
		{ "force", no_argument, NULL, 'F' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*opt = (struct options){ .at = (int64_t)time(NULL) };
	optind = 0; /* tgctl has used getopt before; 0 makes glibc start afresh */
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			opt->feed = optarg;
			break;
		case 'p':
			opt->policy = optarg;
			break;
		case 't':
			if (parse_time(optarg, &opt->at) != 0)
				return TG_EXIT_USAGE;
			break;
		case 'j':
			opt->json = true;
			break;
		case 'n':
			opt->no_checksum = true;
			break;
		case 'F':
			opt->force = true;
			break;
		default:
			return usage_error("unknown option");
		}
	}
	if (!opt->feed)
		return usage_error("--feed is missing");
	if (argc - optind != 1)
		return usage_error("one capture is wanted");
	opt->capture = argv[optind];
	if (strcmp(opt->feed, "-") == 0 && strcmp(opt->capture, "-") == 0)
		return usage_error("feed and capture cannot both be standard input");
	return -1;
}

/* ---- feed and policy -> generation ------------------------------------------------------------- */

static int complain(const struct tg_error *err, const char *file, int code)
{
	char text[TG_ERROR_TEXT_MAX + 256];

	fprintf(stderr, "tgctl replay: %s\n", tg_error_format(err, file, text, sizeof(text)));
	return code;
}

static void *alloc_pages(uint64_t length)
{
	const size_t size = (length + TG_IMAGE_ALIGN - 1) / TG_IMAGE_ALIGN * TG_IMAGE_ALIGN;
	void *p = aligned_alloc(TG_IMAGE_ALIGN, size);

	return p ? memset(p, 0, size) : NULL;
}

/* Plans, writes and opens the table; whatever goes wrong here is the program's fault or memory's. */
static int build_table(struct replay *rp, const struct tg_build_input *in, struct tg_error *err)
{
	struct tg_image_error image_err;
	struct tg_build *build;
	uint64_t length, id;
	int rc;

	rc = tg_build_plan(in, &build, &length, err);
	if (rc != 0)
		return rc;
	rp->table_image = alloc_pages(length);
	rc = rp->table_image ? tg_build_write(build, rp->table_image, &id, err)
			     : tg_error_set(err, -ENOMEM, "out of memory");
	tg_build_free(build);
	if (rc != 0)
		return rc;
	rc = tg_table_open(&rp->gen.base, rp->table_image, length, TG_IMAGE_BASE, &image_err);
	if (rc != 0)
		return tg_error_set(err, rc, "the table built from it is not valid: %s",
				    tg_image_error_text(image_err.code));
	return 0;
}

static int load_feed(struct replay *rp, struct tg_error *err)
{
	const struct tg_feed_options opt = { .force = rp->opt.force };
	const bool is_stdin = strcmp(rp->opt.feed, "-") == 0;
	FILE *f = is_stdin ? stdin : fopen(rp->opt.feed, "r");
	struct tg_build_input in = { 0 };
	struct tg_records records = { 0 };
	int rc;

	if (!f)
		return tg_error_set(err, -errno, "%s", strerror(errno));
	rc = tg_records_load_feed(f, &opt, &records, err);
	if (rc != 0)
		goto out_close;
	rc = tg_records_build_input(&records, rp->opt.at, &in, err);
	if (rc != 0)
		goto out_records;
	if (in.n_numbers + in.n_intervals + in.n_shorts == 0)
		fprintf(stderr, "tgctl replay: %s lists nothing: every call passes\n",
			rp->opt.feed);
	rc = build_table(rp, &in, err);
	tg_records_input_free(&in);
out_records:
	tg_records_free(&records);
out_close:
	if (!is_stdin)
		fclose(f);
	return rc;
}

static int load_policy(struct replay *rp, struct tg_error *err)
{
	struct tg_image_error image_err;
	uint64_t length;
	int rc;

	if (rp->opt.policy)
		rc = tg_policy_compile_file(rp->opt.policy, &rp->policy_image, &length, err);
	else
		rc = tg_policy_compile(tg_policy_default_text, strlen(tg_policy_default_text),
				       &rp->policy_image, &length, err);
	if (rc != 0)
		return rc;
	rc = tg_policy_open(&rp->gen.policy, rp->policy_image, length, &image_err);
	if (rc != 0)
		return tg_error_set(err, rc, "the image compiled from it is not valid: %s",
				    tg_image_error_text(image_err.code));
	return 0;
}

static int make_pipeline(struct replay *rp)
{
	/* The key only has to be the same in every run, so that a run can be repeated exactly. */
	const struct tg_pipeline_config config = {
		.memory_entries = TG_PIPELINE_MEMORY_DEFAULT,
		.cap_entries = TG_PIPELINE_CAP_DEFAULT,
		.key = "tollgate replay",
	};
	const size_t size = tg_pipeline_size(&config);

	rp->pipeline_memory = aligned_alloc(TG_CACHE_LINE, size);
	if (!rp->pipeline_memory) {
		fprintf(stderr, "tgctl replay: out of memory\n");
		return EXIT_FAILURE;
	}
	rp->pl = tg_pipeline_init(rp->pipeline_memory, &config);
	return TG_EXIT_OK;
}

static int prepare(struct replay *rp)
{
	struct tg_error err = { 0 };

	if (load_feed(rp, &err) != 0)
		return complain(&err, rp->opt.feed, TG_EXIT_INPUT);
	if (load_policy(rp, &err) != 0)
		return complain(&err, rp->opt.policy ? rp->opt.policy : "default policy",
				TG_EXIT_INPUT);
	rp->gen.hash = tg_generation_hash(&rp->gen);
	return make_pipeline(rp);
}

/* ---- lines ------------------------------------------------------------------------------------- */

static const char *party_text(const struct tg_sig_msg *m, unsigned index, char *buf, size_t size)
{
	struct tg_span raw;

	if (index >= m->n_ids)
		return "-";
	if (tg_num_kind(m->id[index].num) == TG_NUM_E164) {
		tg_num_format(m->id[index].num, buf);
		return buf;
	}
	raw = tg_identity_raw(m, index);
	return raw.len ? tg_text_escape(raw.data, raw.len, buf, size) : "-";
}

static void print_line(const struct replay *rp, uint64_t number, const struct tg_result *r)
{
	const struct tg_sig_msg *m = r->sig;
	char caller[1024], called[1024]; /* a raw form is escaped, and cut if it is absurdly long */

	static_assert(sizeof(caller) >= TG_NUM_TEXT_MAX, "holds a number as well");
	printf("%" PRIu64 "\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", number, tg_protocol_name(m->protocol),
	       tg_message_name(m->message), party_text(m, m->caller, caller, sizeof(caller)),
	       party_text(m, m->called, called, sizeof(called)), tg_action_name(r->verdict.action),
	       tg_reason_name(r->verdict.reason),
	       tg_policy_rule_name(&rp->gen.policy, r->verdict.rule));
}

static int print_json(const struct replay *rp, unsigned i, const struct tg_result *r)
{
	const struct batch *b = &rp->batch;
	struct tg_event e;
	json_t *o;
	int rc;

	tg_event_fill(&e, &rp->gen, &b->in[i], r);
	e.time_ns = b->time_ns[i];
	e.frame_number = b->number[i];
	o = tg_event_json(&e, TG_EVENT_SHOW_NUMBERS);
	rc = json_dumpf(o, stdout, JSON_COMPACT);
	json_decref(o);
	putchar('\n');
	return rc;
}

static void count_frame(struct counts *c, const struct tg_result *r)
{
	c->reason[r->held_reason] += r->n_held;
	if (r->fate != TG_FATE_HOLD)
		c->reason[r->reason]++;
}

static void count_verdict(struct counts *c, const struct tg_result *r)
{
	c->judged++;
	c->repeated += r->repeated;
	c->verdict[r->verdict.action]++;
}

static void print_counts(const struct counts *c)
{
	unsigned i;

	fprintf(stderr, "frames %" PRIu64 "\njudged %" PRIu64 "\nrepeated %" PRIu64 "\n", c->frames,
		c->judged, c->repeated);
	for (i = 0; i < TG_ACTION_COUNT; i++)
		if (c->verdict[i])
			fprintf(stderr, "verdict %s %" PRIu64 "\n", tg_action_name(i),
				c->verdict[i]);
	for (i = 0; i < TG_REASON_COUNT; i++)
		if (c->reason[i])
			fprintf(stderr, "reason %s %" PRIu64 "\n", tg_reason_name(i), c->reason[i]);
}

/* ---- the capture through the pipeline ---------------------------------------------------------- */

/* Frames that were held: nobody waits for them here, but they count. */
static void release_held(struct replay *rp, uint64_t now_ms)
{
	struct tg_released freed[TG_BURST];
	unsigned n, i;

	do {
		n = tg_pipeline_release(rp->pl, now_ms, freed, TG_BURST);
		for (i = 0; i < n; i++)
			rp->counts.reason[freed[i].reason]++;
	} while (n == TG_BURST);
}

/* A line for each call that was judged with the frame: a segment of TCP may end several. */
static int print_frame(struct replay *rp, unsigned i)
{
	const struct tg_result *r;

	for (r = &rp->batch.out[i]; r; r = r->next) {
		count_verdict(&rp->counts, r);
		if (!rp->opt.json)
			print_line(rp, rp->batch.number[i], r);
		else if (print_json(rp, i, r) != 0)
			return -EIO;
	}
	return 0;
}

static int judge_batch(struct replay *rp)
{
	struct batch *b = &rp->batch;
	unsigned i;
	int rc = 0;

	tg_pipeline_burst(rp->pl, &rp->gen, b->in, b->n, b->now_ms, b->out);
	for (i = 0; i < b->n && rc == 0; i++) {
		count_frame(&rp->counts, &b->out[i]);
		if (b->out[i].judged)
			rc = print_frame(rp, i);
	}
	if (rc != 0)
		return rc;
	b->n = 0;
	release_held(rp, b->now_ms);
	return 0;
}

static int add_to_batch(struct replay *rp, const struct tg_capture_frame *f)
{
	struct batch *b = &rp->batch;
	const unsigned i = b->n;

	if (b->copy_cap[i] < f->len) {
		uint8_t *p = realloc(b->copy[i], f->len);

		if (!p)
			return -ENOMEM;
		b->copy[i] = p;
		b->copy_cap[i] = f->len;
	}
	if (f->len > 0)
		memcpy(b->copy[i], f->data, f->len);
	b->in[i] = (struct tg_frame_in){
		.data = b->copy[i],
		.len = f->len,
		.link = f->link,
		.checksum = rp->opt.no_checksum ? TG_PIPELINE_CSUM_IGNORE : TG_PIPELINE_CSUM_ALWAYS,
	};
	b->number[i] = f->number;
	b->time_ns[i] = f->time_ns;
	b->n++;
	return 0;
}

/* The verdict memory's clock is the capture's; one that runs backwards stands still. */
static int take_frame(struct replay *rp, const struct tg_capture_frame *f)
{
	struct batch *b = &rp->batch;
	const uint64_t ms = f->time_ns / 1000000;
	int rc = 0;

	rp->counts.frames++;
	if (f->reason != TG_REASON_NONE) {
		rp->counts.reason[f->reason]++;
		return 0;
	}
	if (b->n == TG_BURST || ms > b->now_ms)
		rc = judge_batch(rp);
	if (ms > b->now_ms)
		b->now_ms = ms;
	return rc != 0 ? rc : add_to_batch(rp, f);
}

static int run(struct replay *rp)
{
	struct tg_capture *capture;
	struct tg_capture_frame f;
	struct tg_error err = { 0 };
	int got, rc = 0;

	if (tg_capture_open(rp->opt.capture, &capture, &err) != 0)
		return complain(&err, rp->opt.capture, TG_EXIT_FILE);
	while ((got = tg_capture_next(capture, &f, &err)) == 1 && rc == 0)
		rc = take_frame(rp, &f);
	if (rc == 0)
		rc = judge_batch(rp);
	release_held(rp, UINT64_MAX);
	tg_capture_close(capture);
	if (fflush(stdout) != 0 || rc != 0) {
		fprintf(stderr, "tgctl replay: %s\n",
			rc == -ENOMEM ? "out of memory" : "cannot write to standard output");
		return EXIT_FAILURE;
	}
	print_counts(&rp->counts);
	return got == 0 ? TG_EXIT_OK : complain(&err, rp->opt.capture, TG_EXIT_FILE);
}

int tg_replay_main(int argc, char **argv)
{
	static struct replay rp; /* 0.1 MiB: too much for a stack, and there is one a process */
	unsigned i;
	int rc;

	memset(&rp, 0, sizeof(rp));
	rc = parse_options(argc, argv, &rp.opt);
	if (rc != -1)
		return rc;
	rc = prepare(&rp);
	if (rc == TG_EXIT_OK)
		rc = run(&rp);
	for (i = 0; i < TG_BURST; i++)
		free(rp.batch.copy[i]);
	free(rp.pipeline_memory);
	free(rp.policy_image);
	free(rp.table_image);
	return rc;
}
