#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""udp.py asks each question from a port of its own, so that each makes a
session, and leaves none out when a server has its turn: as many questions as
there are ports have all of them. Runs in a network namespace of its own. TAP.
"""
import os
import pathlib
import socket
import subprocess
import sys

SELFTESTS = pathlib.Path(__file__).resolve().parents[1]
FIRST, COUNT = 40000, 16
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


def prepare():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    pathlib.Path(RANGE).write_text(f"{FIRST} {FIRST + COUNT - 1}\n")


def ports_asked_from(address):
    """Answers each question with the port it came from."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as server:
        server.settimeout(30)
        server.bind((address, 7))
        with subprocess.Popen(
                [SELFTESTS / "udp.py", "ask", address, "7", "x", str(COUNT)],
                stdout=subprocess.PIPE, text=True) as asker:
            for _ in range(COUNT):
                _, peer = server.recvfrom(64)
                server.sendto(str(peer[1]).encode(), peer)
            return [int(line) for line in asker.stdout]


def main():
    if sys.argv[1:] != ["inside"]:
        os.execvp("unshare", ["unshare", "--net", sys.argv[0], "inside"])
    prepare()
    failed = 0
    for number, address in enumerate(("127.0.0.1", "::1"), 1):
        ports = ports_asked_from(address)
        good = sorted(ports) == list(range(FIRST, FIRST + COUNT))
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - "
              f"{address}: each question from a port of its own")
        if not good:
            print(f"# {ports}")
    print("1..2")
    return failed > 0


sys.exit(main())
