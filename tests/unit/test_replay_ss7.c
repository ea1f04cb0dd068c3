/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures of SS7 links as capture.c hands them on, and their frames in the pipeline. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <unistd.h>

#include "control/capture.h"
#include "tests/support/ss7_shots.h"

static struct ss7_fixture s;

struct capture_lab {
	char path[64];
	FILE *f;
};

static void put32(FILE *f, uint32_t v)
{
	assert_int_equal(fwrite(&v, sizeof(v), 1, f), 1);
}

static void open_file(struct capture_lab *lab, uint32_t link_type)
{
	snprintf(lab->path, sizeof(lab->path), "/tmp/tollgate-ss7-%d.pcap", (int)getpid());
	lab->f = fopen(lab->path, "wb");
	assert_non_null(lab->f);
	put32(lab->f, 0xa1b2c3d4);
	put32(lab->f, 4u << 16 | 2);
	put32(lab->f, 0);
	put32(lab->f, 0);
	put32(lab->f, 65535);
	put32(lab->f, link_type);
}

static void add_frame(struct capture_lab *lab, const uint8_t *bytes, uint32_t len)
{
	put32(lab->f, 1);
	put32(lab->f, 0);
	put32(lab->f, len);
	put32(lab->f, len);
	assert_int_equal(fwrite(bytes, 1, len, lab->f), len);
}

/* The one frame of the file: what capture.c says of it, or what the pipeline does. */
static enum tg_reason judge_file(struct capture_lab *lab, bool *judged)
{
	struct tg_capture_frame f;
	struct tg_capture *c;
	struct tg_error err = { 0 };
	struct tg_result r;

	*judged = false;
	fclose(lab->f);
	assert_int_equal(tg_capture_open(lab->path, &c, &err), 0);
	assert_int_equal(tg_capture_next(c, &f, &err), 1);
	r.reason = (uint8_t)f.reason;
	if (f.reason == TG_REASON_NONE) {
		const struct tg_frame_in in = { .data = f.data, .len = f.len, .link = f.link };

		r = ss7_judge(&s, &in);
		*judged = r.judged;
		assert_int_equal(r.fate, TG_FATE_FORWARD);
	}
	tg_capture_close(c);
	unlink(lab->path);
	return (enum tg_reason)r.reason;
}

TG_TEST(replay_reads_ss7_link_types, TG_NEEDS_NOTHING)
{
	static const struct {
		uint32_t link_type;
		uint8_t pseudo_header, fcs;
		int length; /* of the MSU as MTP2 says it, -1: the right one */
		enum tg_reason reason;
		bool judged;
	} cases[] = {
		{ 141, 0, 0, -1, TG_REASON_EDIT_IMPOSSIBLE, true }, /* LINKTYPE_MTP3 */
		{ 140, 0, 0, -1, TG_REASON_EDIT_IMPOSSIBLE, true }, /* LINKTYPE_MTP2 */
		{ 140, 0, 2, -1, TG_REASON_EDIT_IMPOSSIBLE, true },
		{ 139, 4, 2, -1, TG_REASON_EDIT_IMPOSSIBLE, true }, /* LINKTYPE_MTP2_WITH_PHDR */
		{ 140, 0, 0, 0, TG_REASON_SIGTRAN_OTHER, false },   /* fill-in */
		{ 140, 0, 0, 2, TG_REASON_SIGTRAN_OTHER, false },   /* link status */
		{ 140, 0, 0, 62, TG_REASON_TRUNCATED, false },
		{ 139, 2, 0, 0, TG_REASON_TRUNCATED, false },
	};
	const struct tg_ss7_call call = { .calling = TG_SS7_LISTED, .opc = 1, .dpc = 2 };
	const struct tg_ss7_text isup = tg_ss7_isup(&call);
	const struct tg_ss7_text m2pa = tg_ss7_m2pa(&call, TG_SI_ISUP, isup.data, isup.len);
	const uint8_t *const msu = m2pa.data + 17; /* from the service information octet on */
	const uint32_t len = m2pa.len - 17;
	unsigned i;

	assert_true(len < 62);
	for (i = 0; i < TG_ARRAY_LEN(cases); i++) {
		uint8_t bytes[256] = { 0 };
		uint32_t n = cases[i].pseudo_header;
		struct capture_lab lab;
		bool judged;

		ss7_setup(&s);
		open_file(&lab, cases[i].link_type);
		if (cases[i].link_type != 141) {
			bytes[n + 2] = (uint8_t)(cases[i].length < 0 ? (int)len : cases[i].length);
			n += 3;
		}
		if (cases[i].length < 0 || cases[i].length == 62) {
			memcpy(bytes + n, msu, len);
			n += len;
		}
		add_frame(&lab, bytes, cases[i].pseudo_header == 2 ? 2 : n + cases[i].fcs);
		assert_string_equal(tg_reason_name(judge_file(&lab, &judged)),
				    tg_reason_name(cases[i].reason));
		assert_int_equal(judged, cases[i].judged);
		ss7_teardown(&s);
	}
}
