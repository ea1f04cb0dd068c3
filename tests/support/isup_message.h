/* SPDX-License-Identifier: BSD-3-Clause */
/* ISUP messages, octet by octet. */
#ifndef TG_TESTS_ISUP_MESSAGE_H
#define TG_TESTS_ISUP_MESSAGE_H

#include <string.h>

#include "tests/support/tg_test.h"
#include "tollgate/isup.h"

#define MESSAGE_MAX 512
#define NATIONAL 3
#define INTERNATIONAL 4
#define RESTRICTED_BY_NETWORK (TG_ISUP_RESTRICTED << 2 | 3)
#define ALLOWED_BY_NETWORK (TG_ISUP_ALLOWED << 2 | 3)

struct message {
	uint8_t data[MESSAGE_MAX];
	uint32_t len;
};

static inline void put(struct message *m, unsigned octet)
{
	m->data[m->len++] = (uint8_t)octet;
}

static inline unsigned nibble(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A' + 10);
}

static inline void put_digits(struct message *m, const char *digits)
{
	for (; digits[0]; digits += digits[1] ? 2 : 1)
		put(m, nibble(digits[0]) | (digits[1] ? nibble(digits[1]) << 4 : 0));
}

static inline unsigned octets(const char *digits)
{
	return (unsigned)(strlen(digits) + 1) / 2;
}

static inline unsigned odd(const char *digits)
{
	return strlen(digits) % 2 ? 0x80 : 0;
}

/* Circuit 0x0234, then what the caller of this puts behind the two pointers. */
static inline struct message begin_iam(const char *called, unsigned nature)
{
	struct message m = { .len = 0 };

	put(&m, 0x34);
	put(&m, 0x02);
	put(&m, TG_ISUP_IAM);
	put(&m, 0x00);
	put(&m, 0x20);
	put(&m, 0x01);
	put(&m, 10); /* ordinary subscriber */
	put(&m, 0x00);
	put(&m, 2);
	put(&m, 1 + 1 + 2 + octets(called));
	put(&m, 2 + octets(called));
	put(&m, odd(called) | nature);
	put(&m, 0x10);
	put_digits(&m, called);
	return m;
}

static inline void put_calling(struct message *m, unsigned name, const char *digits,
			       unsigned nature, unsigned apri_si)
{
	put(m, name);
	put(m, 2 + octets(digits));
	put(m, odd(digits) | nature);
	put(m, 0x10 | apri_si);
	put_digits(m, digits);
}

static inline void put_generic(struct message *m, unsigned qualifier, const char *digits)
{
	put(m, 0xc0);
	put(m, 3 + octets(digits));
	put(m, qualifier);
	put(m, odd(digits) | INTERNATIONAL);
	put(m, 0x13);
	put_digits(m, digits);
}

static inline struct message usual_iam(void)
{
	struct message m = begin_iam("442079460123", INTERNATIONAL);

	put_calling(&m, 0x0a, "12025550123", INTERNATIONAL, ALLOWED_BY_NETWORK);
	put_calling(&m, 0x28, "447700900123", INTERNATIONAL, 0);
	put_calling(&m, 0x0b, "6591234567", INTERNATIONAL, RESTRICTED_BY_NETWORK);
	put(&m, 0x31); /* propagation delay counter: passed over */
	put(&m, 2);
	put(&m, 0);
	put(&m, 100);
	put_generic(&m, 6, "12025550199");
	put(&m, 0);
	return m;
}

static inline enum tg_reason read_message(const struct message *m, struct tg_isup *isup)
{
	return tg_isup_read((struct tg_span){ m->data, m->len }, TG_ISUP_ITU, false, isup);
}

static inline void check_id(const struct tg_isup *isup, unsigned i, enum tg_id_source source,
			    const char *want)
{
	char text[TG_NUM_TEXT_MAX] = "-";

	assert_true(i < isup->sig.n_ids);
	assert_int_equal(isup->sig.id[i].source, source);
	if (!tg_num_is_none(isup->sig.id[i].num))
		tg_num_format(isup->sig.id[i].num, text);
	assert_string_equal(text, want);
}

#endif
