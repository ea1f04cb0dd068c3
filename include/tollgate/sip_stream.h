/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SIP in a byte stream (RFC 3261 §18.3): where messages begin and end.
 *
 * Pure functions of bytes; the stream's state is flow's.
 */
#ifndef TG_SIP_STREAM_H
#define TG_SIP_STREAM_H

#include "tollgate/base.h"
#include "tollgate/reason.h"
#include "tollgate/sip.h"

enum tg_sip_start {
	TG_SIP_START_NO,    /* no SIP message begins like this */
	TG_SIP_START_MAYBE, /* one could: its start line is not here to the end */
	TG_SIP_START_REQUEST,
	TG_SIP_START_RESPONSE,
};

/* What begins at s, line ends before it passed over by the caller. The grammar is tg_sip_parse's: what
 * is REQUEST or RESPONSE here is never NOT_SIP there. */
enum tg_sip_start tg_sip_start(struct tg_span s);

/* Offset behind the empty line that ends the header, or 0. Nothing before `from` is looked at: when
 * more has come to n bytes that had none, from n - 2 on is enough. */
uint32_t tg_sip_head_end(struct tg_span s, uint32_t from);

#define TG_SIP_LENGTH_ABSENT (-1)
#define TG_SIP_LENGTH_BAD                                                                          \
	(-2) /* no number, or several that differ: where the body ends is a guess */
#define TG_SIP_LENGTH_MAX 999999999

/* Content-Length or `l` (RFC 3261 §20.14) among the header fields of `lines`: of a head with its start
 * line, which has no such name, or of some of its lines. */
int64_t tg_sip_content_length(struct tg_span lines);

/* The code of a response's status line (RFC 3261 §7.2), or 0. */
unsigned tg_sip_status(struct tg_span head);

/* What tells a response's transaction: topmost branch, Call-ID, CSeq, as tg_sip_parse fills them in. */
void tg_sip_parse_response(struct tg_span head, struct tg_sip *sip);

#endif
