#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""fragment_oracle.py TGCTL DIR: calls in fragments, cut at random, mixed, repeated and left out, as tshark puts them
together and as `tgctl replay` does: the same frames complete the same calls. scapy only writes bytes.
"""
import random
import subprocess
import sys

from scapy.all import IP, UDP, Dot1Q, Ether, IPv6, wrpcap

CALLS = 400
random.seed(7)


def invite(i):
    return ("INVITE sip:+6591234567@198.51.100.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{0};rport\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:+1202555{0:04d}@192.0.2.1>;tag=f{0}\r\n"
            "To: <sip:+6591234567@198.51.100.2>\r\nCall-ID: {0}@test\r\nCSeq: 1 INVITE\r\n"
            "Identity: {1}\r\nContent-Length: 0\r\n\r\n").format(i, "e" * random.randrange(100, 6000)).encode()


def cut(whole, i):
    """Random pieces, header fields by hand: [(off, more, bytes of IP payload)] -> frames."""
    ip = whole[IPv6] if IPv6 in whole else whole[IP]
    raw = bytes(whole)
    head = len(raw) - len(ip)
    size = 40 if ip.version == 6 else 20
    under, header, data = raw[:head], bytearray(raw[head:head + size]), raw[head + size:]
    frames, off = [], 0
    while off < len(data):
        n = min(random.choice((8, 64, 256, 552, 1200, 1480)), len(data) - off)
        more = off + n < len(data)
        h = bytearray(header)
        if ip.version == 6:
            h[4:6] = (n + 8).to_bytes(2, "big")
            h[6] = 44
            ext = bytes((17, 0)) + (off | more).to_bytes(2, "big") + (i + 1).to_bytes(4, "big")
        else:
            h[2:4] = (n + 20).to_bytes(2, "big")
            h[4:6] = (i + 1).to_bytes(2, "big")
            h[6:8] = (more << 13 | off // 8).to_bytes(2, "big")
            h[10:12] = b"\0\0"
            total = sum(int.from_bytes(h[k:k + 2], "big") for k in range(0, 20, 2))
            total = (total & 0xffff) + (total >> 16)
            h[10:12] = (~(total + (total >> 16)) & 0xffff).to_bytes(2, "big")
            ext = b""
        frames.append(under + bytes(h) + ext + data[off:off + n])
        off += n
    return frames


def make_frames():
    """Of each call its frames, shuffled; every fifth lacks one, every fourth has one twice before it is complete.
    Three calls at a time are under way."""
    calls = []
    for i in range(CALLS):
        under = Ether(src="02:00:00:00:00:0a", dst="02:00:00:00:00:0b")
        if i % 3 == 0:
            under = under / Dot1Q(vlan=1 + i % 9)
        if i % 2:
            ip = IPv6(src="2001:db8::1", dst="2001:db8:1::2")
        else:
            ip = IP(src="192.0.2.1", dst="198.51.100.2")
        whole = under / ip / UDP(sport=5060, dport=5060) / invite(i)
        frames = cut(whole.__class__(bytes(whole)), i)
        random.shuffle(frames)
        if i % 4 == 0 and len(frames) > 1:
            frames.insert(random.randrange(len(frames) - 1), frames[0])
        if i % 5 == 0:
            frames.pop()
        calls.append(frames)
    mixed = []
    for at in range(0, CALLS, 3):
        group = [c for c in calls[at:at + 3] if c]
        while group:
            c = random.choice(group)
            mixed.append(c.pop(0))
            group = [g for g in group if g]
    return mixed


def main():
    tgctl, where = sys.argv[1:]
    frames = make_frames()
    capture, feed = where + "/fragments.pcap", where + "/feed.csv"
    wrpcap(capture, [Ether(f) for f in frames])
    with open(feed, "w", encoding="ascii") as f:
        f.write("kind,number,role,category,score,expires,ref\nexact,+12025550003,caller,fraud,95,,\n")
    ours = subprocess.run([tgctl, "replay", "--feed", feed, capture], capture_output=True, check=True, text=True)
    got = [tuple(line.split("\t")[i] for i in (0, 3)) for line in ours.stdout.splitlines()]
    theirs = subprocess.run(["tshark", "-r", capture, "-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE", "-Y",
                             "sip.Method == INVITE", "-T", "fields", "-e", "frame.number", "-e", "sip.from.user"],
                            capture_output=True, check=True, text=True)
    want = [tuple(line.split("\t")) for line in theirs.stdout.splitlines()]
    print("%d frames, %d calls; tshark reads %d, we %d" % (len(frames), CALLS, len(want), len(got)))
    for only, who in ((set(want) - set(got), "tshark"), (set(got) - set(want), "us")):
        for frame, caller in sorted(only, key=lambda x: int(x[0]))[:10]:
            print("frame %s: %s, only by %s" % (frame, caller, who))
    sys.exit(got != want or len(want) < CALLS / 2)


if __name__ == "__main__":
    main()
