/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/netxray.h"

#define MAGIC "XCP"
#define HEADER_LEN 128
#define VERSION_OFF 4	  /* "001.100", with its NUL */
#define START_TIME_OFF 12 /* seconds since the epoch; all fields little-endian */
#define N_FRAMES_OFF 16
#define FIRST_OFF 24 /* where the first record stands */
#define LINK_OFF 44  /* 0: Ethernet */
#define RECORD_LEN 28
#define RECORD_TIME_OFF 0  /* us since START_TIME, 64 bits in two halves */
#define RECORD_KEPT_OFF 10 /* bytes that follow the record; before it, bytes on the wire */

struct tg_netxray {
	FILE *in;
	uint64_t start_ns;
	uint32_t n_frames;
	uint32_t n;
	uint8_t frame[UINT16_MAX];
};

static uint32_t le16(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

bool tg_netxray_detect(FILE *in)
{
	char magic[sizeof(MAGIC)];
	bool is;

	if (fseek(in, 0, SEEK_SET) != 0)
		return false; /* a pipe: what is read from it cannot be put back */
	is = fread(magic, 1, sizeof(magic), in) == sizeof(magic) &&
	     memcmp(magic, MAGIC, sizeof(magic)) == 0;
	rewind(in);
	return is;
}

static int read_header(struct tg_netxray *x, struct tg_error *err)
{
	uint8_t h[HEADER_LEN];

	if (fread(h, 1, sizeof(h), x->in) != sizeof(h))
		return tg_error_set(err, -EINVAL, "ends within its header");
	if (memcmp(h + VERSION_OFF, "001.100", 8) != 0 || le16(h + LINK_OFF) != 0)
		return tg_error_set(err, -ENOTSUP,
				    "of the Sniffer formats only NetXRay 1.1 over Ethernet is read "
				    "(editcap -F pcap converts others)");
	if (fseek(x->in, (long)le32(h + FIRST_OFF), SEEK_SET) != 0)
		return tg_error_set(err, -errno, "%s", strerror(errno));
	x->start_ns = (uint64_t)le32(h + START_TIME_OFF) * 1000000000u;
	x->n_frames = le32(h + N_FRAMES_OFF);
	return 0;
}

int tg_netxray_open(FILE *in, struct tg_netxray **out, struct tg_error *err)
{
	struct tg_netxray *x = calloc(1, sizeof(*x));
	int rc;

	if (!x) {
		fclose(in);
		return tg_error_set(err, -ENOMEM, "out of memory");
	}
	x->in = in;
	rc = read_header(x, err);
	if (rc != 0) {
		tg_netxray_close(x);
		return rc;
	}
	*out = x;
	return 0;
}

int tg_netxray_next(struct tg_netxray *x, struct tg_capture_frame *f, struct tg_error *err)
{
	uint8_t record[RECORD_LEN];
	uint64_t us;
	uint32_t len;

	if (x->n == x->n_frames)
		return 0;
	if (fread(record, 1, sizeof(record), x->in) != sizeof(record))
		return tg_error_set(err, -EINVAL, "after frame %u: the file is cut", x->n);
	len = le16(record + RECORD_KEPT_OFF);
	if (fread(x->frame, 1, len, x->in) != len)
		return tg_error_set(err, -EINVAL, "after frame %u: the file is cut", x->n);
	us = le32(record + RECORD_TIME_OFF) | (uint64_t)le32(record + RECORD_TIME_OFF + 4) << 32;
	*f = (struct tg_capture_frame){
		.data = x->frame,
		.len = len,
		.link = TG_LINK_ETHERNET,
		.reason = TG_REASON_NONE,
		.number = ++x->n,
		.time_ns = x->start_ns + us * 1000,
	};
	return 1;
}

void tg_netxray_close(struct tg_netxray *x)
{
	if (!x)
		return;
	fclose(x->in);
	free(x);
}
