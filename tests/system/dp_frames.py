#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames for test_dp_vdevs.sh, and what must have become of them. scapy makes and reads them, so that
no code of ours judges itself.

    dp_frames.py make DIR    in0.pcap, in1.pcap: what enters; fate.json: what must become of each;
                             requests.pcap: the calls that must be answered, whole
    dp_frames.py check DIR   out0.pcap, out1.pcap against that, frame by frame
    dp_frames.py acks DIR    ack0.pcap: the callers' ACKs to the answers in out0.pcap
    dp_frames.py same A B    the same frames in both files, whatever their headers
    dp_frames.py count FILE  frames in it
"""
import json
import sys

from scapy.all import (ARP, IP, TCP, UDP, Dot1AD, Dot1Q, Ether, ICMP, IPOption_RR, IPv6, IPv6ExtHdrFragment, Raw,
                       RawPcapReader, fragment, fragment6, wrpcap)

CLEAN, LISTED = "+447700900123", "+12025550123"
A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def invite(caller, call, method="INVITE", to_tag="", extra=""):
    return ("{m} sip:+6591234567@198.51.100.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK{c};rport\r\n"
            "Max-Forwards: 70\r\nFrom: <sip:{f}@192.0.2.1>;tag=f{c}\r\nTo: <sip:+6591234567@198.51.100.2>{t}\r\n"
            "Call-ID: {c}@test\r\nCSeq: 1 {m}\r\n{x}Contact: <sip:a@192.0.2.1>\r\nContent-Length: 0\r\n\r\n").format(
                m=method, f=caller, c=call, t=to_tag, x=extra).encode()


def v4(**more):
    return IP(src="192.0.2.1", dst="198.51.100.2", **more)


def v6():
    return IPv6(src="2001:db8::1", dst="2001:db8:1::2", tc=0xb8, hlim=3)


def layers():
    """Name -> the layers under a SIP message, all of which must come back on an answer."""
    return {
        "ipv4": Ether(src=A, dst=B) / v4(ttl=2, id=4711, tos=0xb8),
        "ipv6": Ether(src=A, dst=B) / v6(),
        "options": Ether(src=A, dst=B) / v4(options=[IPOption_RR()]),
        "vlan": Ether(src=A, dst=B) / Dot1Q(vlan=7, prio=5) / v4(),
        "vlan6": Ether(src=A, dst=B) / Dot1Q(vlan=4094, prio=3) / v6(),
        "qinq": Ether(src=A, dst=B) / Dot1AD(vlan=100, prio=6) / Dot1Q(vlan=7, prio=5) / v4(),
        "qinq8100": Ether(src=A, dst=B) / Dot1Q(vlan=100) / Dot1Q(vlan=7) / v6(),
        "three": Ether(src=A, dst=B) / Dot1AD(vlan=1) / Dot1Q(vlan=2, prio=4) / Dot1Q(vlan=3) / v4(),
    }


def udp():
    return UDP(sport=5060, dport=5060)


def pieces(whole, size=400):
    """Fragments with `size` bytes of payload each, as routers and IPv6 senders make them."""
    if IPv6 not in whole:
        return fragment(whole, fragsize=size)
    ip = whole[IPv6]
    under = Ether(bytes(whole)[:len(whole) - len(ip)])
    parts = fragment6(ip.__class__(src=ip.src, dst=ip.dst, tc=ip.tc, hlim=ip.hlim) /
                      IPv6ExtHdrFragment(id=len(whole)) / ip[UDP], size + 48)
    return [under / p for p in parts]


def fragmented():
    """(frames, whole) of calls in fragments: in order, last first, with a duplicate; listed and clean."""
    out = []
    for i, (name, under) in enumerate(layers().items()):
        for caller in CLEAN, LISTED:
            under = under.copy()
            if IP in under:
                under[IP].id = 7000 + 2 * i + (caller == LISTED)
            whole = under / udp() / invite(caller, "cut-%s-%s" % (name, caller),
                                           extra="Identity: %s\r\n" % ("e" * (600 + i)))
            whole = whole.__class__(bytes(whole))
            frames = pieces(whole)
            if i % 3 == 1:
                frames.reverse()
            elif i % 3 == 2:
                frames.insert(1, frames[0])
            out.append((frames, whole, caller))
    return out


def outside():
    """(frame, fate, request) as they enter port 0; fate is "pass", "answer" or, of a fragment whose datagram is
    answered when it is complete, "gone"."""
    out = []
    for name, under in layers().items():
        out.append((under / udp() / invite(CLEAN, "clean-" + name), "pass"))
        out.append((under / udp() / invite(LISTED, "listed-" + name), "answer"))
    for _ in range(2):  # retransmissions
        out.append((layers()["vlan"] / udp() / invite(LISTED, "listed-vlan"), "answer"))
    big = invite(LISTED, "listed-jumbo", extra="".join("X-Filler-%d: %s\r\n" % (i, "y" * 90) for i in range(40)))
    out.append((layers()["ipv4"] / udp() / big, "answer"))  # in three buffers
    long_via = ",SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK" + "v" * 150
    big = invite(LISTED, "listed-chain", extra="Via: SIP/2.0/UDP 192.0.2.8;branch=z9hG4bK1%s\r\n" % (long_via * 12))
    out.append((layers()["vlan"] / udp() / big, "answer"))  # and so is the answer
    wrong = layers()["ipv4"] / UDP(sport=5060, dport=5060, chksum=0x1234) / invite(LISTED, "wrong-checksum")
    out.append((wrong, "pass"))
    out.append((layers()["ipv4"] / udp() / invite(LISTED, "re-invite", to_tag=";tag=far"), "pass"))
    out += [(f, "pass") for f in others()]
    for frames, whole, caller in fragmented():
        if caller == CLEAN:
            out += [(f, "pass") for f in frames]
        else:
            out += [(f, "gone") for f in frames[:-1]] + [(frames[-1], "answer", whole)]
    out.append((pieces(layers()["ipv4"] / udp() / invite(LISTED, "lone"), 200)[0], "pass"))  # leaves last, when we stop
    return [o if len(o) == 3 else o + (o[0],) for o in out]


def others():
    """What is not judged."""
    eth = Ether(src=A, dst=B)
    media = Raw(bytes(range(256)) * 20)
    return [
        Ether(src=A, dst="ff:ff:ff:ff:ff:ff") / ARP(),
        eth / v4(ttl=1) / ICMP() / b"ping",
        eth / v4() / TCP(sport=5060, dport=5060, flags="PA") / invite(CLEAN, "tcp"),
        eth / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / Dot1Q(vlan=4) / v4() / udp() / invite(LISTED, "four-tags"),
        eth / v4() / UDP(sport=4000, dport=4002) / media,  # more than one buffer holds
        eth / v4(chksum=1) / UDP(sport=4000, dport=4002) / b"wrong IP checksum",
        Ether(src=A, dst=B, type=0x88cc) / b"lldp",
        Ether(bytes(eth / v4() / UDP(sport=1, dport=2) / b"x") + b"\xa5" * 17),  # padding that is not zero
    ] + (fragment(eth / v4(id=99) / TCP(sport=5060, dport=5060) / invite(LISTED, "fragments"), fragsize=200) +
         fragment(eth / v4(id=98) / UDP(sport=4000, dport=4002) / Raw(bytes([0x80]) * 500), fragsize=200))


def inside():
    """What enters port 1: answers and requests of the far end; nothing of it is enforced."""
    ok = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n"
    back = IP(src="198.51.100.2", dst="192.0.2.1")
    frames = [Ether(src=B, dst=A) / back / udp() / ok,
              Ether(src=B, dst=A) / Dot1Q(vlan=7) / back / udp() / invite(LISTED, "from-inside")]
    return frames + others() + pieces(Ether(src=B, dst=A) / back / udp() / invite(LISTED, "cut-from-inside"), 200)


def read(path):
    return [data for data, _ in RawPcapReader(path)]


def make(where):
    frames = outside()
    wrpcap(where + "/in0.pcap", [f for f, _, _ in frames])
    wrpcap(where + "/requests.pcap", [q for _, fate, q in frames if fate == "answer"])
    wrpcap(where + "/in1.pcap", inside())
    with open(where + "/fate.json", "w", encoding="ascii") as f:
        json.dump([fate for _, fate, _ in frames], f)
    print(len(frames), len(inside()), sum(fate == "answer" for _, fate, _ in frames))


def same(name, got, want):
    for i, (g, w) in enumerate(zip(got, want)):
        if g != w:
            sys.exit("%s: frame %d is\n%s\nnot\n%s" % (name, i + 1, g.hex(), w.hex()))
    if len(got) != len(want):
        sys.exit("%s: %d frames, not %d" % (name, len(got), len(want)))


def is_answer(frame):
    return b"SIP/2.0 603 " in frame


def check_answer(request, answer):
    """Addresses and ports turned round, tags, DSCP and checksums right, the message's own fields kept."""
    q, a = Ether(request), Ether(answer)
    assert (a.src, a.dst) == (q.dst, q.src), "MAC addresses"
    while q.payload.name in ("802.1Q", "802.1AD"):
        assert a.type == q.type, "tag type"
        q, a = q.payload, a.payload
        assert (a.vlan, a.prio) == (q.vlan, q.prio), "VLAN stack"
    assert a.type == q.type, "Ethernet type"
    q, a = q.payload, a.payload
    assert (a.src, a.dst) == (q.dst, q.src), "IP addresses"
    assert getattr(a, "tos", 0) | 3 == getattr(q, "tos", 0) | 3 and getattr(a, "tc", 0) | 3 == getattr(q, "tc", 0) | 3, "DSCP"
    assert (a[UDP].sport, a[UDP].dport) == (q[UDP].dport, q[UDP].sport), "ports"
    sums = a.copy()
    del sums[UDP].chksum
    if sums.version == 4:
        del sums.chksum
    assert bytes(sums.__class__(bytes(sums))) == bytes(a), "checksums"
    request_lines = bytes(q[UDP].payload).split(b"\r\n")
    answer_lines = bytes(a[UDP].payload).split(b"\r\n")
    for field in (b"From:", b"Call-ID:", b"CSeq:"):
        line = [x for x in request_lines if x.startswith(field)]
        assert line == [x for x in answer_lines if x.startswith(field)], field
    to = [x for x in answer_lines if x.startswith(b"To:")][0]
    assert b";tag=" in to, "To-tag"
    return to


def check(where):
    with open(where + "/fate.json", encoding="ascii") as f:
        fates = json.load(f)
    entered, left = read(where + "/in0.pcap"), read(where + "/out0.pcap")
    same("out1", read(where + "/out1.pcap"), [x for x, fate in zip(entered, fates) if fate == "pass"])
    same("out0", [x for x in left if not is_answer(x)], read(where + "/in1.pcap"))
    requests = read(where + "/requests.pcap")
    answers = [x for x in left if is_answer(x)]
    if len(answers) != len(requests):
        sys.exit("out0: %d answers, not %d" % (len(answers), len(requests)))
    tags = {}
    for i, (q, a) in enumerate(zip(requests, answers)):
        try:
            to = check_answer(q, a)
        except AssertionError as e:
            sys.exit("answer %d: %s\n%s\n%s" % (i + 1, e, q.hex(), a.hex()))
        if tags.setdefault(q, to) != to:
            sys.exit("answer %d: another To-tag than the first time" % (i + 1))
    print("passed %d + %d, answered %d" % (fates.count("pass"), len(left) - len(answers), len(answers)))


def acks(where):
    requests = read(where + "/requests.pcap")
    answers = [x for x in read(where + "/out0.pcap") if is_answer(x)]
    out = []
    for q, a in zip(requests, answers):
        to = [x for x in a.split(b"\r\n") if x.startswith(b"To:")][0]
        sip = q[q.index(b"INVITE "):].replace(b"INVITE", b"ACK")
        own = [x for x in sip.split(b"\r\n") if x.startswith(b"To:")][0]
        frame = Ether(q)
        frame[UDP].remove_payload()
        frame = frame / sip.replace(own, to)
        for layer in (frame[UDP], frame.getlayer(IP), frame.getlayer(IPv6)):
            for name in ("chksum", "len", "plen"):
                if layer is not None and name in layer.fields:
                    delattr(layer, name)  # made anew when the frame is built
        out.append(frame)
    # One that was not ours to answer: another tag, so it goes through.
    out.append(layers()["ipv4"] / udp() / invite(LISTED, "other", method="ACK", to_tag=";tag=far"))
    wrpcap(where + "/ack0.pcap", out)
    print(len(out))


def main():
    commands = {
        "make": make,
        "check": check,
        "acks": acks,
        "same": lambda a, b: same(a, read(a), read(b)),
        "count": lambda path: print(len(read(path))),
    }
    commands[sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
