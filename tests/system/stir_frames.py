#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""stir_frames.py DIR CAPTURE: certificates as tollgate-dp --stir wants them, made by openssl, and a capture of
calls: one that is signed well, one under another's key, one whose certificate nobody has, one that is stale,
one without Identity."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import time

from scapy.all import IP, UDP, Ether, Raw, wrpcap

URL = "https://cert.example.org/provider.pem"


def openssl(*args, data=None):
    return subprocess.run(("openssl",) + args, input=data, check=True, capture_output=True).stdout


def certificates(folder):
    os.makedirs(f"{folder}/trust")
    os.makedirs(f"{folder}/certs")
    for key in ("ca", "provider", "other"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{folder}/{key}.key")
    openssl("req", "-x509", "-key", f"{folder}/ca.key", "-subj", "/CN=authority", "-days", "2",
            "-out", f"{folder}/trust/authority.pem")
    request = openssl("req", "-new", "-key", f"{folder}/provider.key", "-subj", "/CN=provider")
    name = hashlib.sha256(URL.encode()).hexdigest()
    openssl("x509", "-req", "-days", "1", "-CA", f"{folder}/trust/authority.pem", "-CAkey", f"{folder}/ca.key",
            "-CAserial", f"{folder}/serial", "-CAcreateserial", "-out", f"{folder}/certs/{name}.pem", data=request)


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def raw_signature(der):
    """SEQUENCE of two INTEGERs to r and s of 32 bytes each (RFC 7518 3.4)"""
    at, out = 2, b""
    for _ in range(2):
        length = der[at + 1]
        out += der[at + 2:at + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        at += 2 + length
    return out


def identity(key, url, iat):
    header = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": url}
    claims = {"attest": "A", "dest": {"tn": ["61491570156"]}, "iat": iat, "orig": {"tn": "12025550177"}, "origid": "x"}
    signed = b".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    der = openssl("dgst", "-sha256", "-sign", key, data=signed)
    return f"Identity: {(signed + b'.' + encode(raw_signature(der))).decode()};info=<{url}>;alg=ES256;ppt=shaken\r\n"


def invite(call, extra):
    text = (f"INVITE sip:+61491570156@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{call}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:+12025550177@example.com>;tag=f{call}\r\nTo: <sip:+61491570156@example.net>\r\n"
            f"Call-ID: {call}@example.com\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.1>\r\n{extra}Content-Length: 0\r\n\r\n")
    return (Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src="192.0.2.1", dst="198.51.100.2") /
            UDP(sport=5060, dport=5060) / Raw(text.encode()))


def main():
    folder, capture = sys.argv[1:]
    now = int(time.time())
    certificates(folder)
    wrpcap(capture, [
        invite("valid", identity(f"{folder}/provider.key", URL, now)),
        invite("forged", identity(f"{folder}/other.key", URL, now)),
        invite("nowhere", identity(f"{folder}/provider.key", "https://elsewhere.example.org/x", now)),
        invite("stale", identity(f"{folder}/provider.key", URL, now - 3600)),
        invite("plain", ""),
    ])


main()
