#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""replay_captures.py TGCTL CAPTURES: lines of `tgctl replay` against CAPTURE.tshark.tsv.

Every initial INVITE and IAM that tshark found in an untunnelled UDP datagram, whole or in fragments, or in a TCP stream
has its line with the same frame number, caller and called; everything else that tshark lists is named here with the reason why
it has none. No other lines, but for INVITEs in which tshark found no identity and hence lists nothing.
"""
import csv
import pathlib
import re
import subprocess
import sys
import tempfile

# Frames of tshark's list that are not judged yet, or never: {capture: {frame: reason}}.
EXCLUDED = {
    "NormB+sipnab__codec-negotiation.pcap": {308: "re-INVITE"},
    "ajbanjara+Wireshark__Asterisk_ZFONE_XLITE.pcap": {1036: "re-INVITE"},
    "ajbanjara+Wireshark__T38.pcap": {11: "re-INVITE", 12: "re-INVITE"},
    "arkime+arkime__gtp-iphone.pcap": {40: "GTP tunnel", 90: "GTP tunnel, MESSAGE"},
    "open5gs+open5gs__ipsec_to_nonipsec_call.pcapng": {136: "GTP tunnel", 139: "GTP tunnel"},
    "open5gs+open5gs__nonipsec_to_ipsec_call.pcapng": {36: "GTP tunnel"},
}
# Reasons that the counters must then show.
COUNTED_AS = {"GTP tunnel": "tunnel",
              "GTP tunnel, MESSAGE": "tunnel", "re-INVITE": "sip_in_dialog"}
# What tshark reads once, in a tunnel, is on the wire outside of it as well.
TUNNEL_TWINS = {"open5gs+open5gs__nonipsec_to_ipsec_call.pcapng": {43}}
# Initial INVITEs without any user part: tshark's list leaves them out.
NO_IDENTITY = {
    "ajbanjara+Wireshark__metasploit-sip-invite-spoof.pcap": {1},
}
# RFC 4475: tshark is no authority (tests/unit/test_sip_torture.c is); only that it is read to its end.
NO_AUTHORITY = {"rfc4475__torture49_udp.pcap"}
OTHER_PROTOCOLS = {"map", "cap", "inap", "ansi_map", "sms"}
JUDGED = {("sip", "INVITE"), ("isup", "IAM"), ("bicc", "IAM")}

failures = []


def fail(capture, text):
    failures.append(f"{capture.name}: {text}")


def replay(tgctl, feed, capture, *options):
    run = subprocess.run([tgctl, "replay", "--feed", feed, *options, capture],
                         capture_output=True, timeout=120, check=False)
    lines = [line.split("\t") for line in run.stdout.decode("ascii").splitlines()]
    counts = dict(line.rsplit(" ", 1) for line in run.stderr.decode().splitlines()
                  if re.fullmatch(r"[a-z_ ]+ \d+", line))
    return run, lines, {k: int(v) for k, v in counts.items()}


def candidates(column):
    """[(header, user part)] in tshark's order."""
    if column == "-":
        return []
    return [tuple(c.split("=", 1)) for c in column.split(";") if "=" in c]


def first_of(found, *headers):
    for header in headers:
        for name, user in found:
            if name == header:
                return user
    return "-"


def same(ours, theirs):
    """+digits when we resolve it, else the raw text; tshark keeps what is on the wire."""
    def digits(text):
        return re.sub(r"[-.()]", "", text)
    return ours == theirs or digits(ours) == digits(theirs)


def compare_line(capture, line, row):
    if line[1:3] != row[1:3]:
        fail(capture, f"frame {line[0]}: {line[1:3]}, tshark {row[1:3]}")
    if row[1] != "sip":
        caller = first_of(candidates(row[3]), "calling")
        called = first_of(candidates(row[4]), "called").rstrip("F")
        if line[3].lstrip("+") != caller or line[4].lstrip("+") != called:
            fail(capture, f"frame {line[0]}: {line[3:5]}, tshark {caller} {called}")
        return
    caller = first_of(candidates(row[3]), "pai", "remote-party-id", "from")
    called = first_of(candidates(row[4]), "ruri")
    if not same(line[3], caller):
        fail(capture, f"frame {line[0]}: caller {line[3]}, tshark {caller} of {row[3]}")
    if not same(line[4], called):
        fail(capture, f"frame {line[0]}: called {line[4]}, tshark {called} of {row[4]}")


def compare(capture, lines, counts):
    rows = list(csv.reader(open(f"{capture}.tshark.tsv", encoding="utf-8", errors="replace"),
                           delimiter="\t", quoting=csv.QUOTE_NONE))
    excluded = EXCLUDED.get(capture.name, {})
    wanted = {int(r[0]): r for r in rows
              if (r[1], r[2]) in JUDGED and int(r[0]) not in excluded}
    got = {int(line[0]): line for line in lines}
    for row in rows:
        frame = int(row[0])
        if row[1] not in OTHER_PROTOCOLS and frame not in wanted and frame not in excluded:
            fail(capture, f"frame {frame} ({row[1]} {row[2]}) has neither line nor reason")
    for frame, reason in excluded.items():
        if frame in got:
            fail(capture, f"frame {frame} has a line, although {reason}")
        if counts.get(f"reason {COUNTED_AS[reason]}", 0) == 0:
            fail(capture, f"{reason} is not counted as {COUNTED_AS[reason]}")
    for frame, row in wanted.items():
        if frame in got:
            compare_line(capture, got[frame], row)
        else:
            fail(capture, f"frame {frame} has no line, tshark: {row}")
    for frame in sorted(set(got) - set(wanted) - set(excluded) -
                        TUNNEL_TWINS.get(capture.name, set())):
        if frame not in NO_IDENTITY.get(capture.name, ()) or got[frame][3:5] != ["-", "-"]:
            fail(capture, f"frame {frame} has a line that tshark does not ask for: {got[frame]}")
    return len(wanted)


def check_counts(capture, run, lines, counts, frames):
    reasons = sum(n for name, n in counts.items() if name.startswith("reason "))
    verdicts = sum(n for name, n in counts.items() if name.startswith("verdict "))
    if run.returncode != 0:
        fail(capture, f"exit {run.returncode}: {run.stderr.decode().splitlines()[-1:]}")
    if counts.get("frames") != frames or reasons != frames:
        fail(capture, f"{frames} frames, {counts.get('frames')} read, {reasons} reasons")
    if counts.get("judged") != len(lines) or verdicts != len(lines):
        fail(capture, f"{len(lines)} lines, but counts say {counts}")
    if any(len(line) != 8 for line in lines):
        fail(capture, "a line does not have eight columns")


def main():
    tgctl, root = sys.argv[1], pathlib.Path(sys.argv[2])
    index = {row["file"]: row for row in
             csv.DictReader(open(root / "INDEX.tsv", encoding="utf-8"), delimiter="\t",
                            quoting=csv.QUOTE_NONE)}
    captures = sorted(p for p in root.glob("*/*") if p.suffix in (".pcap", ".pcapng", ".cap"))
    compared = 0
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as feed:
        feed.write("kind,number,role,category,score,expires,ref\n"
                   "exact,+12025550101,caller,fraud,95,,\n")
        feed.flush()
        for capture in captures:
            run, lines, counts = replay(tgctl, feed.name, capture, "--no-checksum")
            known = index.get(str(capture.relative_to(root)))
            frames = int(known["frames"]) if known else counts.get("frames", -1)
            check_counts(capture, run, lines, counts, frames)
            if pathlib.Path(f"{capture}.tshark.tsv").exists():
                compared += compare(capture, lines, counts)
            elif lines and capture.name not in NO_AUTHORITY:
                fail(capture, f"lines in a capture without calls: {lines}")

            run, checked, counts = replay(tgctl, feed.name, capture)
            check_counts(capture, run, checked, counts, frames)
            bad = counts.get("reason bad_checksum", 0)
            # Of TCP every segment counts, not only what ends a message.
            if [line for line in lines if line in checked] != checked or \
                    not len(checked) <= len(lines) <= len(checked) + bad:
                fail(capture, f"with checksums {len(checked)} lines, without {len(lines)}, "
                     f"bad_checksum {bad}")
    for text in failures:
        print(text)
    print(f"{len(captures)} captures, {compared} calls compared, {len(failures)} differences")
    return 1 if failures or not captures or compared == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
