#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""UDP echo for the tests.

udp.py serve NAME PORT			answers "NAME TEXT" to every TEXT, from
					the address that was asked (IPv4, IPv6)
udp.py ask ADDRESS PORT TEXT [COUNT [SOURCE_PORT]]
					prints one answer a line. Each question
					comes from a new port, or all from
					SOURCE_PORT; fails if one has no answer
					in 2 seconds (times CLB_SLOW)
"""
import os
import socket
import sys


def serve(name, port):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    s.bind(("::", port))
    while True:
        data, control, _, peer = s.recvmsg(65535, 256)
        # The address alone: the interface (here lo or a tunnel) is no way
        # back to the client.
        reply = [(level, kind, value[:16] + bytes(4))
                 for level, kind, value in control
                 if kind == socket.IPV6_PKTINFO]
        try:
            s.sendmsg([name.encode() + b" " + data], reply, 0, peer)
        except OSError as error:
            print(f"{name}: {peer}: {error}", file=sys.stderr)


def ask(address, port, text, count=1, source=0):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kept = []       # a port that is free again could be given once more
    for _ in range(count):
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(2 * int(os.environ.get("CLB_SLOW", "1")))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", source))
        s.connect((address, port))
        s.send(text.encode())
        print(s.recv(65535).decode(), flush=True)
        if source:
            s.close()
        else:
            kept.append(s)


def main():
    verb = sys.argv[1]
    if verb == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    elif verb == "ask":
        try:
            ask(sys.argv[2], int(sys.argv[3]), sys.argv[4],
                *map(int, sys.argv[5:7]))
        except OSError as error:
            sys.exit(f"udp.py: {error}")
    else:
        sys.exit(__doc__)


main()
