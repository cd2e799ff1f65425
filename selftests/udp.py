#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""UDP echo for the tests.

udp.py serve NAME PORT			answers "NAME TEXT" to every TEXT, from
					the address that was asked (IPv4, IPv6)
udp.py ask ADDRESS PORT TEXT [COUNT [SOURCE_PORT [OPTION VALUE]]]
					prints one answer a line. Each question
					comes from a new port, or all from
					SOURCE_PORT, unless it is 0; fails if one
					has no answer in 10 seconds, or more
					on a slow kernel. OPTION: of IP or IPv6, for
					setsockopt(); VALUE: a number, or bytes
					as 0x...
udp.py client				reads commands from standard input and
					answers each with one line:

ask ADDRESS PORT TEXT [COUNT [SOURCE_PORT [OPTION VALUE]]]
					the same: the answers, with commas
					between them, or "error: WHY"
send ADDRESS PORT TEXT [1 [SOURCE_PORT [OPTION VALUE]]]
					asks, and does not wait
heard					what was answered so far to what send
					sent: the answer or "nothing"
close					the same, and hears no more
"""
import os
import socket
import sys

import commands


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


def question(address, port, text, source=0, *option):
    """A socket from which it was sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(max(10, 2 * int(os.environ.get("CLB_SLOW", "1"))))
    if int(source):
        # With this set, a port that is not given is any, taken or not.
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("", int(source)))
    if option:
        name, value = option
        level = (socket.IPPROTO_IPV6 if name.startswith("IPV6_")
                 else socket.IPPROTO_IP)
        s.setsockopt(level, getattr(socket, name),
                     bytes.fromhex(value[2:]) if value.startswith("0x")
                     else int(value))
    s.connect((address, int(port)))
    s.send(text.encode())
    return s


def ask(address, port, text, count=1, source=0, *option):
    kept = []       # a port that is free again could be given once more
    for _ in range(int(count)):
        s = question(address, port, text, source, *option)
        yield s.recv(65535).decode()
        if int(source):
            s.close()
        else:
            kept.append(s)


class Client:
    def __init__(self):
        self.socket = self.answer = None

    def ask(self, *words):
        return ", ".join(ask(*words))

    def send(self, address, port, text, _=1, source=0, *option):
        self.socket = question(address, port, text, source, *option)
        self.socket.setblocking(False)
        self.answer = "nothing"
        return "sent"

    def heard(self):
        try:
            self.answer = self.socket.recv(65535).decode()
        except OSError:
            pass        # nothing new, or an ICMP error, which is no answer
        return self.answer

    def close(self):
        answer = self.heard()
        self.socket.close()
        return answer


def main():
    verb = sys.argv[1]
    if verb == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    elif verb == "ask":
        try:
            for answer in ask(*sys.argv[2:9]):
                print(answer, flush=True)
        except OSError as error:
            sys.exit(f"udp.py: {error}")
    elif verb == "client":
        commands.obey(Client())
    else:
        sys.exit(__doc__)


main()
