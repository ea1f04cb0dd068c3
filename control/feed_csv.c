/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control/record_text.h"

static const char header_line[] = "kind,number,role,category,score,expires,ref";

/* The longest record: 6 + 33 + 6 + 11 + 3 + some 35 + a quoted reference of 2 * 63 + 2, with commas
 * 227. Comments get the rest. */
#define LINE_MAX_BYTES 1024

/* Read in blocks that stay in L2, with room in front for the piece of a line that a block cut off. */
#define BLOCK_BYTES (256u * 1024)

struct reader {
	FILE *in;
	const struct tg_feed_options *opt;
	struct tg_error *err;
	uint8_t *buf;
	size_t start; /* of the line to come */
	size_t end;
	bool eof;
	bool header_seen;
	uint64_t line;
	uint64_t records;
	uint64_t bytes;
	uint64_t total;
	uint8_t scratch[LINE_MAX_BYTES]; /* unquoted fields */
	size_t scratch_len;
};

static int refuse(const struct reader *rd, uint32_t column, const char *text)
{
	return tg_error_at(rd->err, -EINVAL, rd->line, column, "%s", text);
}

static int refill(struct reader *rd)
{
	const size_t left = rd->end - rd->start;
	size_t n;

	memmove(rd->buf, rd->buf + rd->start, left);
	rd->start = 0;
	n = fread(rd->buf + left, 1, BLOCK_BYTES, rd->in);
	rd->end = left + n;
	rd->bytes += n;
	if (n < BLOCK_BYTES) {
		if (ferror(rd->in))
			return tg_error_set(rd->err, -EIO, "cannot read the feed: %s",
					    strerror(errno));
		rd->eof = true;
	}
	if (rd->opt && rd->opt->progress &&
	    !rd->opt->progress(rd->opt->ctx, rd->bytes, rd->total, rd->records))
		return tg_error_set(rd->err, -ECANCELED, "cancelled");
	return 0;
}

/* 1 with the next line, without its end (LF or CRLF); 0 at the end of the feed; or an error. */
static int next_line(struct reader *rd, struct tg_span *line)
{
	for (;;) {
		const uint8_t *const p = rd->buf + rd->start;
		const size_t left = rd->end - rd->start;
		const uint8_t *const lf = left ? memchr(p, '\n', left) : NULL;
		size_t len = lf ? (size_t)(lf - p) : left;
		int rc;

		if (lf || rd->eof || left > LINE_MAX_BYTES + 1) {
			if (!lf && left == 0)
				return 0;
			rd->line++;
			rd->start += len + (lf ? 1 : 0);
			if (len > 0 && p[len - 1] == '\r')
				len--;
			if (len > LINE_MAX_BYTES)
				return refuse(rd, LINE_MAX_BYTES + 1,
					      "line is longer than 1024 bytes");
			*line = (struct tg_span){ p, (uint32_t)len };
			return 1;
		}
		rc = refill(rd);
		if (rc)
			return rc;
	}
}

/* A field in quotes (RFC 4180 §2.5-2.7) that begins at line.data[from]. Its text goes to scratch; the
 * offset behind the closing quote to *end. */
static int unquote(struct reader *rd, struct tg_span line, uint32_t from, struct tg_span *text,
		   uint32_t *end)
{
	uint8_t *const out = rd->scratch + rd->scratch_len;
	uint32_t i, n = 0;

	for (i = from + 1; i < line.len; i++) {
		if (line.data[i] == '"') {
			if (i + 1 == line.len || line.data[i + 1] != '"')
				break;
			i++;
		}
		out[n++] = line.data[i];
	}
	if (i == line.len)
		return refuse(rd, from + 1, "the quote that opens here is not closed on its line");
	if (i + 1 < line.len && line.data[i + 1] != ',')
		return refuse(
			rd, i + 2,
			"behind a closing quote comes a comma or the end of the line; a quote "
			"inside is doubled");
	rd->scratch_len += n;
	*text = (struct tg_span){ out, n };
	*end = i + 1;
	return 0;
}

/* Cuts a line into its fields. */
static int split(struct reader *rd, struct tg_span line, struct tg_record_fields *f)
{
	uint32_t pos = 0;
	unsigned i;

	rd->scratch_len = 0;
	for (i = 0;; i++) {
		uint32_t end = pos;

		f->column[i] = pos + 1;
		if (pos < line.len && line.data[pos] == '"') {
			const int rc = unquote(rd, line, pos, &f->field[i], &end);

			if (rc)
				return rc;
		} else {
			while (end < line.len && line.data[end] != ',')
				end++;
			f->field[i] = (struct tg_span){ line.data + pos, end - pos };
		}
		if (end == line.len)
			break;
		if (i + 1 == TG_RECORD_FIELD_COUNT)
			return refuse(
				rd, end + 1,
				"a line has 7 fields; a reference with a comma stands in quotes");
		pos = end + 1;
	}
	if (i + 1 < TG_RECORD_FIELD_COUNT)
		return tg_error_at(rd->err, -EINVAL, rd->line, line.len + 1,
				   "line ends after %u of 7 fields (%s)", i + 1, header_line);
	return 0;
}

static int check_header(struct reader *rd, struct tg_span line)
{
	const size_t len = sizeof(header_line) - 1;
	char quoted[TG_QUOTED_MAX];
	uint32_t i;

	for (i = 0; i < line.len && i < len && line.data[i] == (uint8_t)header_line[i]; i++)
		;
	if (i == len && line.len == len) {
		rd->header_seen = true;
		return 0;
	}
	return tg_error_at(rd->err, -EINVAL, rd->line, i + 1,
			   "header line %s: the first line is %s", tg_quote(line, quoted),
			   header_line);
}

/* Comments, and lines of nothing but blanks. NUL is a sign of a damaged or binary file anywhere. */
static int skip_line(const struct reader *rd, struct tg_span line, bool *skip)
{
	const uint8_t *nul;
	uint32_t i = 0;

	while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t'))
		i++;
	*skip = i == line.len || line.data[0] == '#';
	if (!*skip || line.len == 0)
		return 0;
	nul = memchr(line.data, 0, line.len);
	return nul ? refuse(rd, (uint32_t)(nul - line.data) + 1, "comment has a NUL byte") : 0;
}

static int read_lines(struct reader *rd,
		      int (*take)(void *ctx, const struct tg_record *r, uint64_t line), void *ctx)
{
	struct tg_record_fields f = { .force = rd->opt && rd->opt->force };
	struct tg_record r;
	struct tg_span line = { NULL, 0 };
	bool skip;
	int rc;

	while ((rc = next_line(rd, &line)) > 0) {
		if (rd->line == 1 && line.len >= 3 && memcmp(line.data, "\xef\xbb\xbf", 3) == 0)
			line = (struct tg_span){ line.data + 3, line.len - 3 };
		rc = skip_line(rd, line, &skip);
		if (rc)
			return rc;
		if (skip)
			continue;
		if (!rd->header_seen) {
			rc = check_header(rd, line);
			if (rc)
				return rc;
			continue;
		}
		f.line = rd->line;
		rc = split(rd, line, &f);
		if (!rc)
			rc = tg_record_from_fields(&f, &r, rd->err);
		if (!rc)
			rc = take(ctx, &r, rd->line);
		if (rc)
			return rc;
		rd->records++;
	}
	if (rc == 0 && !rd->header_seen)
		return tg_error_at(rd->err, -EINVAL, rd->line ? rd->line : 1, 1,
				   "feed has no header line (%s)", header_line);
	return rc;
}

int tg_feed_read(FILE *in, const struct tg_feed_options *opt,
		 int (*take)(void *ctx, const struct tg_record *r, uint64_t line), void *ctx,
		 struct tg_error *err)
{
	struct reader *rd = calloc(1, sizeof(*rd));
	struct stat st;
	int rc;

	if (!rd)
		return tg_error_set(err, -ENOMEM, "out of memory");
	rd->in = in;
	rd->opt = opt;
	rd->err = err;
	rd->buf = malloc(BLOCK_BYTES + LINE_MAX_BYTES + 2);
	if (!rd->buf) {
		rc = tg_error_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	if (fileno(in) >= 0 && fstat(fileno(in), &st) == 0 && S_ISREG(st.st_mode))
		rd->total = (uint64_t)st.st_size;
	rc = read_lines(rd, take, ctx);
	if (rc == 0 && opt && opt->progress &&
	    !opt->progress(opt->ctx, rd->bytes, rd->total, rd->records))
		rc = tg_error_set(err, -ECANCELED, "cancelled");
	free(rd->buf);
out:
	free(rd);
	return rc;
}
