#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""telemetry.py RUNTIME-DIR COMMAND: one answer of DPDK's telemetry socket, as JSON on standard output.

dpdk-telemetry.py of the dpdk package is for a person at a prompt; this is for scripts.
"""
import json
import os
import socket
import sys


def main():
    path = os.path.join(sys.argv[1], "dpdk_telemetry.v2")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(5)
        s.connect(path)
        limit = json.loads(s.recv(1024).decode())["max_output_len"]
        s.send(sys.argv[2].encode())
        answer = json.loads(s.recv(limit).decode())
    json.dump(next(iter(answer.values())), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
