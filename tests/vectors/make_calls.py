#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""make_calls.py OUT.pcap: the bundled capture. Numbers are drama numbers and those of the sample feed."""
import sys

from scapy.all import IP, UDP, Dot1Q, Ether, IPv6, Raw, wrpcap

CALLED = "+6591234567"
LISTED = "+12025550101"
PREFIXED = "+959771234567"
SPAM = "+447700900123"
ALLOWED = "+12025550199"
CLEAN = "+12025550123"


def invite(caller, n, called=CALLED, extra="", to_tag=""):
    sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 8\r\n"
    return ("INVITE sip:%s@203.0.113.7 SIP/2.0\r\n" % called +
            "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKdemo%d;rport\r\n" % n +
            "Max-Forwards: 70\r\n"
            "From: <sip:%s@192.0.2.1>;tag=a%d\r\n" % (caller, n) +
            "To: <sip:%s@203.0.113.7>%s\r\n" % (called, to_tag) +
            "Call-ID: demo-%d@192.0.2.1\r\nCSeq: 1 INVITE\r\n" % n + extra +
            "Contact: <sip:192.0.2.1>\r\nContent-Type: application/sdp\r\n"
            "Content-Length: %d\r\n\r\n" % len(sdp) + sdp)


def frame(payload, vlan=None, v6=False, ports=(5060, 5060)):
    eth = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    if vlan:
        eth = eth / Dot1Q(vlan=vlan, prio=5)
    ip = IPv6(src="2001:db8::1", dst="2001:db8::2") if v6 else IP(src="192.0.2.1", dst="203.0.113.7")
    data = payload if isinstance(payload, bytes) else payload.encode()
    return eth / ip / UDP(sport=ports[0], dport=ports[1]) / Raw(data)


def main():
    frames = [
        frame(invite(CLEAN, 1)),
        frame(invite(LISTED, 2)),
        frame(invite(LISTED, 2)),  # sent again
        frame("SIP/2.0 100 Trying\r\nVia: SIP/2.0/UDP 192.0.2.1:5060\r\n\r\n"),
        frame(invite("anonymous", 3, extra="P-Asserted-Identity: <tel:%s>\r\n" % LISTED)),
        frame(invite(PREFIXED, 4), vlan=100),
        frame(invite(SPAM, 5), v6=True),
        frame(invite(ALLOWED, 6)),
        frame(invite(LISTED, 7, called="112")),  # emergency: always passes
        frame(invite(CLEAN, 1, to_tag=";tag=b1")),  # re-INVITE
        frame(b"\x80\x08\x00\x01" + bytes(164), ports=(6000, 6000)),  # RTP
        frame(invite("%2B12025550101", 8)),
    ]
    for i, f in enumerate(frames):
        f.time = 1767225600 + i * 0.02
    wrpcap(sys.argv[1], frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
