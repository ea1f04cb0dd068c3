/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ISUP messages (Q.763) of isup_peer's calls, octet by octet, and what has become of an IAM on its way. Both
 * ends know what the messages of call i are, so whatever differs was done in between.
 */
#ifndef TG_TESTS_ISUP_OCTETS_H
#define TG_TESTS_ISUP_OCTETS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ISUP_MAX 64 /* of a message here */
#define DIGITS 12
#define CALLED_AT 13 /* of the called digits in our IAM */
#define CALLING_AT (CALLED_AT + DIGITS / 2 + 4)
#define CALLING_FORM_AT (CALLING_AT - 1) /* plan, presentation, screening (Q.763 §3.10) */
#define LISTED_EVERY 10

enum isup_type {
	IAM = 0x01,
	ACM = 0x06,
	ANM = 0x09,
	REL = 0x0c,
	RLC = 0x10
};
enum isup_cause {
	CAUSE_UNALLOCATED = 1,
	CAUSE_NORMAL = 16
};
enum isup_form {
	FORM_ALLOWED = 0x13, /* E.164, presentation allowed, provided by the network */
	FORM_RESTRICTED = 0x17
};

static inline unsigned put_digits(uint8_t *p, const char *digits)
{
	unsigned i;

	for (i = 0; digits[i] && digits[i + 1]; i += 2)
		p[i / 2] = (uint8_t)((digits[i] - '0') | (digits[i + 1] - '0') << 4);
	return i / 2;
}

static inline void get_digits(const uint8_t *p, char digits[DIGITS + 1])
{
	unsigned i;

	for (i = 0; i < DIGITS; i++)
		digits[i] = (char)('0' + (i & 1 ? p[i / 2] >> 4 : p[i / 2] & 15));
	digits[DIGITS] = 0;
}

/* Q.763 table 32: fixed part, called number, calling number, propagation delay, end. */
static inline unsigned make_iam(uint8_t *p, uint32_t call, unsigned cic)
{
	char digits[32];
	unsigned n = 0;

	memcpy(p,
	       (uint8_t[]){ (uint8_t)cic, (uint8_t)(cic >> 8), IAM, 0, 0x20, 1, 10, 0, 2, 10, 8, 4,
			    0x10 },
	       CALLED_AT);
	n = CALLED_AT;
	snprintf(digits, sizeof(digits), "4420%08u", call % 100000000);
	n += put_digits(p + n, digits);
	memcpy(p + n, (uint8_t[]){ 0x0a, 8, 4, FORM_ALLOWED }, 4);
	n += 4;
	snprintf(digits, sizeof(digits), "882%c%08u", call % LISTED_EVERY ? '1' : '2',
		 call % 100000000);
	n += put_digits(p + n, digits);
	memcpy(p + n, (uint8_t[]){ 0x31, 2, 0, 100, 0 }, 5);
	return n + 5;
}

/* ACM: backward indicators, no optional part. ANM, RLC: nothing. */
static inline unsigned make_plain(uint8_t *p, const uint8_t *circuit, uint8_t type)
{
	static const uint8_t acm[] = { 0x12, 0x04, 0 };

	p[0] = circuit[0];
	p[1] = circuit[1];
	p[2] = type;
	p[3] = 0;
	if (type != ACM)
		return 4;
	memcpy(p + 3, acm, sizeof(acm));
	return 3 + sizeof(acm);
}

/* Q.763 table 33: cause indicators, no optional part */
static inline unsigned make_release(uint8_t *p, const uint8_t *circuit, uint8_t cause)
{
	const uint8_t rel[] = {
		circuit[0], circuit[1], REL, 2, 0, 2, 0x80, (uint8_t)(0x80 | cause)
	};

	memcpy(p, rel, sizeof(rel));
	return sizeof(rel);
}

/* Of all but IAMs: is it what the other end sends? */
static inline bool is_as_made(const uint8_t *p, unsigned len)
{
	uint8_t want[ISUP_MAX];
	unsigned n;

	if (p[2] == REL)
		n = make_release(want, p, len == 8 ? p[7] & 127 : 0);
	else
		n = make_plain(want, p, p[2]);
	return n == len && memcmp(want, p, len) == 0;
}

enum iam_change {
	IAM_SAME,
	IAM_SINK,	/* the called digits are the sink's */
	IAM_RESTRICTED, /* the calling number is restricted, and the same */
	IAM_CHANGED	/* anything else */
};

/* *listed: by the calling number's digits. `sink` may be "". */
static inline enum iam_change compare_iam(const uint8_t *p, unsigned len, const char *sink,
					  bool *listed)
{
	char calling[DIGITS + 1], called[DIGITS + 1];
	uint8_t want[ISUP_MAX];
	enum iam_change change = IAM_SAME;
	uint32_t call;

	*listed = false;
	if (len < CALLING_AT + DIGITS / 2)
		return IAM_CHANGED;
	get_digits(p + CALLING_AT, calling);
	get_digits(p + CALLED_AT, called);
	call = (uint32_t)strtoul(calling + 4, NULL, 10);
	*listed = call % LISTED_EVERY == 0;
	if (make_iam(want, call, p[0] | (unsigned)p[1] << 8) != len)
		return IAM_CHANGED;
	if (*sink && strcmp(called, sink) == 0) {
		memcpy(want + CALLED_AT, p + CALLED_AT, DIGITS / 2);
		change = IAM_SINK;
	} else if (p[CALLING_FORM_AT] == FORM_RESTRICTED) {
		want[CALLING_FORM_AT] = FORM_RESTRICTED;
		change = IAM_RESTRICTED;
	}
	return memcmp(want, p, len) == 0 ? change : IAM_CHANGED;
}

#endif
