/* SPDX-License-Identifier: BSD-3-Clause */
/* Policies for tests of rules, from their text, and decisions over SIP messages. */
#ifndef TG_TESTS_POLICY_TEXT_H
#define TG_TESTS_POLICY_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "control/policy_file.h"
#include "tests/support/sip_text.h"
#include "tests/support/tg_test.h"
#include "tollgate/policy.h"

#define HEAD                                                                                       \
	"version: 1\n"                                                                             \
	"trunks:\n"                                                                                \
	"  - { name: abroad, port: 0, mode: enforce, international: yes,\n"                        \
	"      profile: { country_code: '65', international_prefixes: ['001'], bare: national,\n"  \
	"                 national_min: 8, national_max: 8 } }\n"                                  \
	"  - { name: home, port: 1, mode: enforce }\n"                                             \
	"answers:\n"                                                                               \
	"  - { name: no, code: 603, phrase: Decline }\n"                                           \
	"  - { name: blocked, code: 603, phrase: Network Blocked,\n"                               \
	"      reason: 'SIP;cause=603;text=\"v=analytics1;url=https://redress.example.net\"' }\n"  \
	"  - { name: moved, code: 302, phrase: Moved, contact: '<sip:+6561234567@192.0.2.9>' }\n"  \
	"marks:\n"                                                                                 \
	"  - { name: tag, header: 'X-Tollgate: suspect' }\n"                                       \
	"rules:\n"

#define RULE(when) HEAD "  - name: r\n    when: { " when " }\n    action: reject\n    answer: no\n"

struct fixture {
	void *image;
	struct tg_policy p;
	char text[TG_SIP_TEXT_MAX];
	struct tg_sip sip;
	uint32_t listing[TG_SIG_MAX_IDS];
	struct tg_sig_extra extra;
	struct tg_policy_call call;
	enum tg_stir_state verification; /* of the PASSporTs of what is decided next */
};

static inline void load(struct fixture *f, const char *text)
{
	struct tg_image_error ierr;
	struct tg_error err;
	uint64_t length;

	memset(f, 0, sizeof(*f));
	if (tg_policy_compile(text, strlen(text), &f->image, &length, &err) != 0)
		fail_msg("%u:%u: %s in\n%s", (unsigned)err.line, err.column, err.text, text);
	assert_int_equal(tg_policy_open(&f->p, f->image, length, &ierr), 0);
}

static inline struct tg_verdict decide(struct fixture *f, const struct tg_sip_text *t,
				       unsigned trunk)
{
	const struct tg_span span = { (const uint8_t *)f->text, tg_sip_text(t, f->text) };
	struct tg_verdict v;

	assert_int_equal(tg_sip_parse(span, &f->sip), TG_REASON_NONE);
	tg_sip_read_passports(&f->sip);
	f->sip.sig.verification = (uint8_t)f->verification;
	tg_sig_normalise(&f->sip.sig, &f->p.trunk[trunk].profile);
	tg_sip_extra_read(&f->sip, &f->extra);
	f->call.trunk = trunk;
	f->call.msg = &f->sip.sig;
	f->call.listing = f->listing;
	f->call.extra = f->p.asks_extra ? &f->extra : NULL;
	tg_policy_decide(&f->p, &f->call, &v);
	return v;
}

#define SG "+6591234567"
#define UK "+447700900123"

#endif
