/* SPDX-License-Identifier: BSD-3-Clause */
/* What reading the ISUP in a body and changing it share. */
#ifndef TG_SIG_SIP_ISUP_H
#define TG_SIG_SIP_ISUP_H

#include "dataplane/sig/base64.h"
#include "tollgate/sip_isup.h"

#define TG_SIP_ISUP_BASE64 "+/" /* RFC 2045 §6.8, table 1 */

/* Its octets, decoded; false: too many, or none. */
bool tg_sip_isup_octets(const struct tg_sip_isup *at, uint8_t out[TG_SIP_ISUP_MAX], uint32_t *len);

#endif
