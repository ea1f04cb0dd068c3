/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a PASSporT's signature hold (RFC 8224 §6.2, RFC 8225 §8)? Takes some hundred microseconds and
 * may read a file: never on a worker. One thread at a time.
 *
 * Nothing is fetched. DIR has what the operator put there:
 *
 *	trust/NAME.pem  the authorities that are believed (STI-PA list), and intermediates
 *	certs/ID.pem    a certificate and, behind it, what leads to an authority; ID is the SHA-256 of
 *	                its URL as "x5u" and "info" have it, in hexadecimal:
 *	                printf %s https://cert.example.org/p.cer | sha256sum
 */
#ifndef TG_RUN_STIR_H
#define TG_RUN_STIR_H

#include "dataplane/run/config.h"
#include "tollgate/base.h"
#include "tollgate/passport.h"

/* ATIS-1000074: "iat" within 60 s, either way. */
#define TG_STIR_FRESH_SECONDS 60

struct tg_stir;

/* -ENOENT without DIR/trust, -EINVAL if a file there is no certificate, with *why. */
int tg_stir_open(const char *dir, struct tg_stir **stir, struct tg_why *why);
void tg_stir_close(struct tg_stir *stir);

/* `value` as in tg_passport_read; `now`: seconds since 1970. */
enum tg_stir_state tg_stir_verify(struct tg_stir *stir, struct tg_span value, uint64_t now);

#endif
