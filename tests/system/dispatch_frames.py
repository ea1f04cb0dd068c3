#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames for test_dispatch.sh, and what must have become of them.

    dispatch_frames.py make DIR     in0a, in0b, in1a, in1b.pcap: port 0 and 1, queue a and b. Each association has
                                    two paths, which come in by different queues; SIP and ARP lie between
    dispatch_frames.py check DIR    out1a, out1b (of what entered by port 0), out0a, out0b.pcap
    dispatch_frames.py ended DIR    the same where all of it entered again and again until the end
"""
import random
import sys
from collections import Counter

from scapy.all import ARP, IP, UDP, Dot1Q, Ether, IPv6, RawPcapReader, wrpcap
from scapy.layers.sctp import SCTP, SCTPChunkData

ASSOCIATIONS, ROUNDS, PORT = 40, 10, 2905
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def packet(side, n, path, tsn):
    """TSN tsn of association n: on path 0 IPv4, on path 1 other addresses, in a VLAN, IPv6, or UDP (RFC 6951)."""
    sctp = SCTP(sport=PORT, dport=PORT + n % 3, tag=1000 * side + n + 1)
    sctp = sctp / SCTPChunkData(beginning=1, ending=1, tsn=tsn, proto_id=0, data=b"%d/%d" % (path, tsn))
    ether = Ether(src=A, dst=B) if side == 0 else Ether(src=B, dst=A)
    if path == 0:
        return ether / IP(src="192.0.2.%d" % (n + 1), dst="198.51.100.2") / sctp
    return [ether / IP(src="203.0.113.%d" % (n + 1), dst="198.51.100.9") / sctp,
            ether / Dot1Q(vlan=7) / IP(src="203.0.113.%d" % (n + 1), dst="198.51.100.9") / sctp,
            ether / IPv6(src="2001:db8::%x" % (n + 1), dst="2001:db8:1::2") / sctp,
            ether / IP(src="203.0.113.%d" % (n + 1), dst="198.51.100.9") / UDP(sport=9899, dport=9899) / sctp][n % 4]


def other(side, queue, i):
    ether = Ether(src=A, dst=B) if side == 0 else Ether(src=B, dst=A)
    if i % 3 == 0:
        return ether / ARP(psrc="10.%d.%d.%d" % (ord(queue), i >> 8, i & 255))
    return ether / IP(src="192.0.2.1", dst="198.51.100.2") / UDP(sport=5060, dport=5060) / (
        b"OPTIONS sip:a@b SIP/2.0\r\nCall-ID: %d%s%d\r\n\r\n" % (side, queue.encode(), i))


def make(where):
    rng = random.Random(11)
    total = 0
    for side in range(2):
        for path, queue in enumerate("ab"):
            out = [("s", n) for n in range(ASSOCIATIONS)] * ROUNDS
            out += [("o", i) for i in range(100)]
            rng.shuffle(out)
            count = Counter()
            frames = []
            for i, (kind, n) in enumerate(out):
                count[n] += 1
                frames.append(packet(side, n, path, count[n]) if kind == "s" else other(side, queue, i))
            wrpcap("%s/in%d%s.pcap" % (where, side, queue), frames)
            total += len(frames)
    print(total)


def read(path):
    return [bytes(data) for data, _ in RawPcapReader(path)]


def association(frame):
    """Its tag and ports; None for what is no SCTP."""
    layers = Ether(frame)
    if UDP in layers and layers[UDP].dport == 9899:
        sctp = SCTP(bytes(layers[UDP].payload))
    elif SCTP in layers:
        sctp = layers[SCTP]
    else:
        return None
    return sctp.tag, sctp.sport, sctp.dport


def check(where):
    here = 0
    for side in range(2):
        sent = {q: read("%s/in%d%s.pcap" % (where, side, q)) for q in "ab"}
        got = {q: read("%s/out%d%s.pcap" % (where, 1 - side, q)) for q in "ab"}
        if Counter(sent["a"] + sent["b"]) != Counter(got["a"] + got["b"]):
            sys.exit("side %d: frames are missing, twice, or changed" % side)
        # Frames differ, so a frame's place in its file is its number.
        owner = {}
        for q in "ab":
            for frame in got[q]:
                a = association(frame)
                if a and owner.setdefault(a, q) != q:
                    sys.exit("side %d: association %s went by both queues" % (side, a))
        here += sum(q == "a" for q in owner.values())
        for q in "ab":
            by_path = {}
            for frame in sent[q]:
                by_path.setdefault(association(frame), []).append(frame)
            for a, frames in by_path.items():
                want = set(frames)
                if [f for f in got[owner.get(a, q)] if f in want] != frames:
                    sys.exit("side %d queue %s: %s is out of order, or in another queue" % (side, q, a))
    print(here)


def ended(where):
    """What a queue received is the beginning of an endless file, and all of that has gone out."""
    for side in range(2):
        got = Counter(read("%s/out%da.pcap" % (where, 1 - side)) + read("%s/out%db.pcap" % (where, 1 - side)))
        for q in "ab":
            times = [got.pop(f, 0) for f in read("%s/in%d%s.pcap" % (where, side, q))]
            if sorted(times, reverse=True) != times or times[0] - times[-1] > 1:
                sys.exit("side %d queue %s: received and not forwarded: %s" % (side, q, Counter(times)))
            print("side %d queue %s: %d frames" % (side, q, sum(times)))
        if got:
            sys.exit("side %d: %d frames that nobody sent" % (side, sum(got.values())))


if __name__ == "__main__":
    {"make": make, "check": check, "ended": ended}[sys.argv[1]](sys.argv[2])
