/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every way in which a frame can end is one line here: enum, name, counter and telemetry key come
 * from it. A frame ends with exactly one reason, so the counters add up to the frames received, less
 * those that are held at the moment.
 *
 *   VERDICT   a call was judged; the reason says what decided
 *   PASS      not a call to judge; forwarded untouched
 *   BLIND     forwarded untouched although there might have been a call in it
 *   ABSORB    belongs to an answer of ours, or is refused; not forwarded
 *
 * To add a reason: one line. Names are what users see in replay, events and metrics.
 */
#ifndef TG_REASON_H
#define TG_REASON_H

#include "tollgate/base.h"

/* The feed's categories, in image order: an image stores index + 1 in four bits (listing.h). */
#define TG_CATEGORIES(X)                                                                           \
	X(FRAUD, "fraud", VERDICT)                                                                 \
	X(SCAM, "scam", VERDICT)                                                                   \
	X(SPAM, "spam", VERDICT)                                                                   \
	X(WANGIRI, "wangiri", VERDICT)                                                             \
	X(IRSF, "irsf", VERDICT)                                                                   \
	X(ROBOCALL, "robocall", VERDICT)                                                           \
	X(SIMBOX, "simbox", VERDICT)                                                               \
	X(TDOS, "tdos", VERDICT)                                                                   \
	X(FLASHCALL, "flashcall", VERDICT)                                                         \
	X(DNO, "dno", VERDICT)                                                                     \
	X(UNALLOCATED, "unallocated", VERDICT)                                                     \
	X(INVALID, "invalid", VERDICT)                                                             \
	X(ALLOW, "allow", VERDICT)                                                                 \
	X(EMERGENCY, "emergency", VERDICT)

#define TG_REASONS(X)                                                                              \
	/* A listing decided. */                                                                   \
	TG_CATEGORIES(X)                                                                           \
	/* Nothing listed, or a rule on the form of a number decided. */                           \
	X(UNLISTED, "unlisted", VERDICT)                                                           \
	X(NUMBER_ABSENT, "absent", VERDICT)                                                        \
	X(NUMBER_WITHHELD, "withheld", VERDICT)                                                    \
	X(NUMBER_UNAVAILABLE, "unavailable", VERDICT)                                              \
	X(NUMBER_MALFORMED, "malformed", VERDICT)                                                  \
	X(NUMBER_UNRESOLVED, "unresolved", VERDICT)                                                \
	X(NUMBER_SHORT_CODE, "short_code", VERDICT)                                                \
	X(NUMBER_ALPHANUMERIC, "alphanumeric", VERDICT)                                            \
	X(RULE, "rule", VERDICT)                                                                   \
	X(CONTRADICTION, "contradiction", VERDICT)                                                 \
	X(NOT_IN_PLAN, "not_in_plan", VERDICT)                                                     \
	X(RATE, "rate", VERDICT)                                                                   \
	/* Of priority, so no rule could keep it back; beyond the trunk's share: maybe forged. */  \
	X(PRIORITY, "priority", VERDICT)                                                           \
	X(PRIORITY_EXCESS, "priority_excess", VERDICT)                                             \
	/* The decision stands, carrying it out was not possible: passed. */                       \
	X(MEMORY_FULL, "memory_full", VERDICT)                                                     \
	X(ANSWER_IMPOSSIBLE, "answer_impossible", VERDICT)                                         \
	X(EDIT_IMPOSSIBLE, "edit_impossible", VERDICT)                                             \
	X(TCP_TOO_LATE, "tcp_too_late", VERDICT)                                                   \
	X(SCTP_TOO_LATE, "sctp_too_late", VERDICT)                                                 \
	X(SCTP_AUTH, "sctp_auth", VERDICT)                                                         \
	X(ISUP_TOO_LATE, "isup_too_late", VERDICT)                                                 \
	/* Judged to be rejected, but its source has had its share of answers: dropped. */         \
	X(ANSWER_CAPPED, "answer_capped", ABSORB)                                                  \
	/* Waited for a worker that stood still; sent again by its sender meanwhile. */            \
	X(STALE, "stale", ABSORB)                                                                  \
	X(ACK_ABSORBED, "ack_absorbed", ABSORB)                                                    \
	X(CANCEL_ABSORBED, "cancel_absorbed", ABSORB)                                              \
	/* SIP, but no initial INVITE. */                                                          \
	X(SIP_RESPONSE, "sip_response", PASS)                                                      \
	X(SIP_REQUEST, "sip_request", PASS)                                                        \
	X(SIP_IN_DIALOG, "sip_in_dialog", PASS)                                                    \
	X(SIP_KEEPALIVE, "sip_keepalive", PASS)                                                    \
	/* Of a datagram that was read: another frame has the datagram's own reason. */            \
	X(FRAGMENT, "fragment", PASS)                                                              \
	/* SCTP without DATA; of protocols without calls; pieces of what was read. */              \
	X(SCTP_CONTROL, "sctp_control", PASS)                                                      \
	X(SCTP_OTHER, "sctp_other", PASS)                                                          \
	X(SCTP_PART, "sctp_part", PASS)                                                            \
	X(SCCP, "sccp", PASS)                                                                      \
	/* SIGTRAN and ISUP, but no call's beginning. */                                           \
	X(SIGTRAN_OTHER, "sigtran_other", PASS)                                                    \
	X(ISUP_OTHER, "isup_other", PASS)                                                          \
	/* TCP: SYN, ACK, FIN without data; bytes of a stream with which no message ends. */       \
	X(TCP_NO_DATA, "tcp_no_data", PASS)                                                        \
	X(TCP_PART, "tcp_part", PASS)                                                              \
	/* An answer of the next hop's, changed into the verdict's. */                             \
	X(ANSWER_EDITED, "answer_edited", PASS)                                                    \
	/* Not signalling. */                                                                      \
	X(NOT_IP, "not_ip", PASS)                                                                  \
	X(NOT_SIP, "not_sip", PASS)                                                                \
	X(ICMP, "icmp", PASS)                                                                      \
	X(OTHER_TRANSPORT, "other_transport", PASS)                                                \
	/* Not inspected, so coverage is an honest figure. */                                      \
	X(SIP_MALFORMED, "sip_malformed", BLIND)                                                   \
	X(SIP_OVERSIZE, "sip_oversize", BLIND)                                                     \
	X(BAD_CHECKSUM, "bad_checksum", BLIND)                                                     \
	X(FRAGMENT_NOT_UDP, "fragment_not_udp", BLIND)                                             \
	X(FRAGMENT_MALFORMED, "fragment_malformed", BLIND)                                         \
	X(FRAGMENT_OVERLAP, "fragment_overlap", BLIND)                                             \
	X(FRAGMENT_LIMIT, "fragment_limit", BLIND)                                                 \
	X(FRAGMENTS_UNASSEMBLED, "fragments_unassembled", BLIND)                                   \
	X(TCP_UNSYNCED, "tcp_unsynced", BLIND)                                                     \
	X(TCP_OVERLAP, "tcp_overlap", BLIND)                                                       \
	X(TCP_FULL, "tcp_full", BLIND)                                                             \
	X(TCP_MALFORMED, "tcp_malformed", BLIND)                                                   \
	X(WEBSOCKET, "websocket", BLIND)                                                           \
	X(TLS, "tls", BLIND)                                                                       \
	X(SCTP, "sctp", BLIND) /* the frame walk's word */                                         \
	X(SCTP_MALFORMED, "sctp_malformed", BLIND)                                                 \
	X(SCTP_UNASSEMBLED, "sctp_unassembled", BLIND)                                             \
	X(SCTP_FULL, "sctp_full", BLIND)                                                           \
	X(TUP, "tup", BLIND)                                                                       \
	X(TUNNEL, "tunnel", BLIND)                                                                 \
	X(MPLS, "mpls", BLIND)                                                                     \
	X(PPPOE, "pppoe", BLIND)                                                                   \
	X(VLAN_DEPTH, "vlan_depth", BLIND)                                                         \
	X(IP_EXTENSION, "ip_extension", BLIND)                                                     \
	X(SIGCOMP, "sigcomp", BLIND)                                                               \
	X(LINK_TYPE, "link_type", BLIND)                                                           \
	X(TRUNCATED, "truncated", BLIND)                                                           \
	X(IP_MALFORMED, "ip_malformed", BLIND)                                                     \
	X(UDP_MALFORMED, "udp_malformed", BLIND)                                                   \
	X(SIGTRAN_MALFORMED, "sigtran_malformed", BLIND)                                           \
	X(ISUP_MALFORMED, "isup_malformed", BLIND)                                                 \
	X(NO_GENERATION, "no_generation", BLIND)

enum tg_reason {
#define X(sym, name, kind) TG_REASON_##sym,
	TG_REASONS(X)
#undef X
	TG_REASON_COUNT,
	TG_REASON_NONE = TG_REASON_COUNT, /* not decided yet: carry on */
};

enum tg_reason_kind {
	TG_REASON_KIND_VERDICT,
	TG_REASON_KIND_PASS,
	TG_REASON_KIND_BLIND,
	TG_REASON_KIND_ABSORB,
};

#ifndef __bpf__
/* Both accept any value; out of range yields "?" and BLIND. */
const char *tg_reason_name(unsigned reason);
enum tg_reason_kind tg_reason_kind(unsigned reason);
#endif

#endif
