#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""SIP-I calls, each in a form that tshark reads and once more in another, for test_sip_isup_oracle.sh.

    sip_isup_oracle.py make FILE.pcap          frames 1, 3, ...: for tshark; 2, 4, ...: the same calls otherwise
    sip_isup_oracle.py compare TSHARK REPLAY   tshark's fields of all frames; events of tgctl replay --json
"""
import base64
import json
import random
import struct
import sys

CALLS = 400
NUMBERS = {0x0A: "calling-party-number", 0x28: "original-called-number", 0x0B: "redirecting-number",
           0xC0: "generic-number", 0x3F: "location-number"}
# tshark's fields, in the order of the command line in test_sip_isup_oracle.sh
FIELDS = ["called-party-number", "calling-party-number", "original-called-number", "redirecting-number",
          "location-number", "generic-number"]


def address(rng, first, second):
    digits = "".join(rng.choice("0123456789") for _ in range(rng.randint(1, 20)))
    # tshark takes the end of pulsing (15) for a digit; what we make of it is a unit test's
    padded = digits + "0" * (len(digits) % 2)
    bcd = bytes(int(padded[i + 1] + padded[i], 16) for i in range(0, len(padded), 2))
    return bytes([first | (len(digits) % 2) << 7, second]) + bcd


def parameter(name, value):
    return bytes([name, len(value)]) + value


def iam(rng):
    called = address(rng, rng.choice((1, 2, 3, 4)), 0x10 | rng.choice((0, 0x80)))
    optional = b""
    for name in rng.sample(sorted(NUMBERS), rng.randint(0, len(NUMBERS))):
        value = address(rng, rng.choice((1, 3, 4)), 0x10 | rng.randint(0, 1) << 2 | rng.randint(0, 3))
        optional += parameter(name, bytes([rng.choice((1, 6, 7, 8))]) + value if name == 0xC0 else value)
        if rng.random() < 0.5:
            optional += parameter(0x31, b"\x00\x64")  # propagation delay counter
    fixed = bytes([1, 0, 0x20, 1, 10, 0, 2, 2 + len(called) if optional else 0, len(called)])
    return fixed + called + (optional + b"\0" if optional else b"")


def part(boundary, end, kind, body, *fields):
    lines = ["--" + boundary, "Content-Type: " + kind, *fields, ""]
    return "".join(line + end for line in lines).encode() + body + end.encode()


def sdp(boundary, end):
    return part(boundary, end, "application/sdp", b"v=0" + end.encode())


def plain(rng, octets):
    """Alone, or a part of a multipart."""
    kind = "application/ISUP;version=itu-t92+"
    if rng.random() < 0.3:
        return kind, octets
    parts = [sdp("b1", "\r\n"), part("b1", "\r\n", kind, octets)]
    rng.shuffle(parts)
    return "multipart/mixed;boundary=b1", b"".join(parts) + b"--b1--\r\n"


def otherwise(rng, octets):
    """In base64, nested, with a preamble, bare LF."""
    end = rng.choice(("\r\n", "\n"))
    outer, inner = rng.choice((("b1", "b12"), ("b 1", "'()+_,-./:=?"), ("----=_Part_1", "----=_Part_2")))
    if rng.random() < 0.5:
        octets = base64.encodebytes(octets).replace(b"\n", end.encode())
        isup = part(inner, end, "Application/Isup; base=\"itu-t92+\"", octets, "content-transfer-encoding:BASE64")
    else:
        isup = part(inner, end, "application/isup", octets, "Content-Disposition: signal;handling=optional")
    body = part(outer, end, 'multipart/related;boundary="%s"' % inner,
                isup + ("--%s--" % inner).encode())
    parts = [body, sdp(outer, end)]
    rng.shuffle(parts)
    return 'multipart/mixed; boundary="%s"' % outer, \
        ("a preamble" + end).encode() + b"".join(parts) + ("--%s--" % outer).encode()


def invite(n, kind, body):
    return ("INVITE sip:+442079460123@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK%d\r\n"
            "From: <sip:+12025550177@a.example>;tag=f\r\nTo: <sip:+442079460123@b.example>\r\nCall-ID: %d\r\n"
            "CSeq: 1 INVITE\r\nMIME-Version: 1.0\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
            % (n, n, kind, len(body))).encode() + body


def frame(payload):
    udp = struct.pack("!HHHH", 5060, 5060, 8 + len(payload), 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                     bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2)))
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + udp


def make(path):
    rng = random.Random(20)
    with open(path, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for n in range(CALLS):
            octets = iam(rng)
            for i, form in enumerate((plain, otherwise)):
                data = frame(invite(2 * n + i, *form(rng, octets)))
                f.write(struct.pack("<IIII", n, 0, len(data), len(data)) + data)


def compare(tshark_path, replay_path):
    with open(tshark_path) as f:
        tshark = [dict(zip(FIELDS, line.rstrip("\n").split("\t"))) for line in f]
    with open(replay_path) as f:
        events = {e["frame"]: e for e in map(json.loads, f)}
    wrong = numbers = 0
    for at in range(2 * CALLS):
        want = {k: v for k, v in tshark[at - at % 2].items() if v}
        ids = events[at + 1]["identities"]
        got = {i["source"]: i["raw"] for i in ids if i["source"] in FIELDS}
        numbers += len(got)
        if want != got:
            wrong += 1
            print("frame %d: tshark %s, here %s" % (at + 1, want, got))
    print("%d calls in two forms, %d numbers, %d differ" % (CALLS, numbers, wrong))
    return 1 if wrong or numbers < 4 * CALLS else 0


if __name__ == "__main__":
    sys.exit(make(sys.argv[2]) if sys.argv[1] == "make" else compare(sys.argv[2], sys.argv[3]))
