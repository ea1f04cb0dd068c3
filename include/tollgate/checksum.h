/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Internet checksums (RFC 1071) over frames that tg_frame_walk accepted. Used to keep out packets
 * which their endpoint would discard, and to finish the packets that we make ourselves.
 */
#ifndef TG_CHECKSUM_H
#define TG_CHECKSUM_H

#include "tollgate/base.h"
#include "tollgate/frame.h"

/* The IPv4 header's; `ip` has as many bytes as it says that it has. */
bool tg_checksum_ipv4_ok(const uint8_t *ip);
void tg_checksum_ipv4_fill(uint8_t *ip);

/* IPv4 header and UDP checksum both right? UDP zero is right on IPv4 (RFC 768), wrong on IPv6
 * (RFC 8200 §8.1). `frame` has at least payload_off + payload_len bytes. */
bool tg_checksum_udp_ok(const uint8_t *frame, const struct tg_frame *f);

/* IPv4 header and TCP checksum both right? */
bool tg_checksum_tcp_ok(const uint8_t *frame, const struct tg_frame *f);

/* Writes the IPv4 header checksum (if IPv4) and the UDP checksum. */
void tg_checksum_udp_fill(uint8_t *frame, const struct tg_frame *f);

#endif
