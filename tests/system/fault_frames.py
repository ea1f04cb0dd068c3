#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""What cannot be read or judged, for test_coverage.sh.

    fault_frames.py send SOURCE DESTINATION PORT LISTED ID   every fault, from kernel sockets of this namespace;
                                                             ID: of the first datagram in fragments
    fault_frames.py take ADDRESS PORT FILE                   what arrives: a line a datagram, its name
"""
import socket
import struct
import sys


def invite(name, user="+6591234567", caller="+12025550177", extra="", end="Content-Length: 0\r\n\r\n"):
    return ("INVITE sip:{u}@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK{n}\r\n"
            "From: <sip:{f}@a.example>;tag=f\r\nTo: <sip:{u}@b.example>\r\nCall-ID: {n}@fault\r\n"
            "CSeq: 1 INVITE\r\n{x}{e}").format(u=user, n=name, f=caller, x=extra, e=end).encode()


def fragment(src, dst, ident, offset, more, payload):
    """An IPv4 header and a piece of UDP; the kernel fills in the header's checksum."""
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, more << 13 | offset // 8, 64, 17, 0,
                       socket.inet_aton(src), socket.inet_aton(dst)) + payload


def send(src, dst, port, listed, ident):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((src, 5060))
        for i in range(3):
            s.sendto(invite("malformed%d" % i, end="Sub"), (dst, port))
        s.sendto(invite("oversize", extra="X-Long: " + "x" * 17000 + "\r\n"), (dst, port))
        for _ in range(2):
            s.sendto(b"\x16\xfe\xfddtls", (dst, port))
        s.sendto(invite("unanswerable", caller=listed, extra="From: <sip:b@a.example>;tag=2\r\n"), (dst, port))
        s.sendto(invite("emergency", user="112", end="Sub"), (dst, port))
    first = struct.pack("!HHHH", 5060, port, 2000, 0) + invite("fragment")
    first += b" " * (-len(first) % 8)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        for i, offset, payload in ((0, 0, first), (1, 0, first), (1, 8, first)):
            raw.sendto(fragment(src, dst, ident + i, offset, 1, payload), (dst, 0))


def take(address, port, path):
    names = (b"malformed", b"oversize", b"dtls", b"unanswerable", b"emergency")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s, open(path, "w", buffering=1) as out:
        s.bind((address, port))
        print("ready", file=out)
        while True:
            data = s.recv(65536)
            print(next((n.decode() for n in names if n in data), "?"), file=out)


def main():
    if sys.argv[1] == "send":
        send(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5], int(sys.argv[6]))
    else:
        take(sys.argv[2], int(sys.argv[3]), sys.argv[4])


if __name__ == "__main__":
    main()
