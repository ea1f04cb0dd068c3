#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""same_fragments.py SENT ARRIVED LISTED: of every datagram that was sent in fragments, all frames arrived as they
were sent and in their order, or, if the caller is listed, none. Reads bytes at fixed places: Ethernet without tags,
IPv4 without options, IPv6 with a fragment header first.
"""
import re
import sys

from scapy.utils import RawPcapReader


def datagram(frame):
    """What the fragments of one datagram have in common; None for other frames."""
    if frame[12:14] == b"\x08\x00" and int.from_bytes(frame[20:22], "big") & 0x3fff:
        return frame[26:34], frame[18:20]
    if frame[12:14] == b"\x86\xdd" and frame[20] == 44:
        return frame[22:54], frame[58:62]
    return None


def read(path):
    found = {}
    for frame, _ in RawPcapReader(path):
        name = datagram(frame)
        if name:
            found.setdefault(name, []).append(frame)
    return found


def main():
    sent, arrived = read(sys.argv[1]), read(sys.argv[2])
    with open(sys.argv[3], encoding="ascii") as f:
        listed = set(f.read().split())
    clean = rejected = 0
    for name, frames in sent.items():
        caller = re.search(rb'From: "Caller" <sip:(\+\d+)@', b"".join(frames))
        if not caller:
            sys.exit("a datagram without a caller: %r" % frames[0][:200])
        if caller.group(1).decode() in listed:
            rejected += 1
            if name in arrived:
                sys.exit("%d frames of a listed caller arrived" % len(arrived[name]))
        else:
            clean += 1
            if arrived.get(name) != frames:
                sys.exit("other frames arrived of %s than were sent" % caller.group(1).decode())
    if clean == 0 or rejected == 0 or len(arrived) != clean:
        sys.exit("%d clean and %d listed calls were sent in fragments, %d arrived" % (clean, rejected, len(arrived)))
    print("ok: %d calls arrived in the frames that were sent, of %d none did" % (clean, rejected))


if __name__ == "__main__":
    main()
