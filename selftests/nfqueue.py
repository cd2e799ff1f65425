#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A program to which netfilter gives packets: it lets each pass.

nfqueue.py QUEUE	reads commands from standard input (commands.py):

count			how many passed so far

include/uapi/linux/netfilter/nfnetlink_queue.h has the messages.
"""
import socket
import struct
import sys
import threading

import commands

NETLINK_NETFILTER, SUBSYS_QUEUE = 12, 3
NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 1, 4, 2
PACKET, VERDICT, CONFIG = 0, 1, 2
CFG_CMD, CFG_PARAMS, CMD_BIND, COPY_META = 1, 2, 1, 1
PACKET_HDR, VERDICT_HDR, ACCEPT = 1, 2, 1


def attr(kind, value):
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


class Queue:
    def __init__(self, number):
        self.number, self.passed = number, 0
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_NETFILTER)
        self.sock.bind((0, 0))
        self.ask(attr(CFG_CMD, struct.pack(">BxH", CMD_BIND, 0)))
        self.ask(attr(CFG_PARAMS, struct.pack(">IB", 0, COPY_META)))
        threading.Thread(target=self.run, daemon=True).start()

    def send(self, kind, flags, attributes):
        head = struct.pack(">BBH", socket.AF_UNSPEC, 0, self.number)
        self.sock.send(struct.pack(
            "=IHHII", 20 + len(attributes), SUBSYS_QUEUE << 8 | kind,
            NLM_F_REQUEST | flags, 0, 0) + head + attributes)

    def ask(self, attributes):
        self.send(CONFIG, NLM_F_ACK, attributes)
        answer = self.sock.recv(65535)
        error = -struct.unpack_from("=i", answer, 16)[0]
        if error:
            raise OSError(error, f"queue {self.number}")

    def run(self):
        while True:
            message = self.sock.recv(65535)
            kind, = struct.unpack_from("=H", message, 4)
            if kind == SUBSYS_QUEUE << 8 | PACKET:
                self.give_back(message[20:])

    def give_back(self, attributes):
        """The header is the first of them."""
        kind, number = struct.unpack_from("=H", attributes, 2)[0], attributes[4:8]
        if kind == PACKET_HDR:
            self.passed += 1
            self.send(VERDICT, 0, attr(
                VERDICT_HDR, struct.pack(">I", ACCEPT) + number))

    def count(self):
        return self.passed


if len(sys.argv) != 2:
    sys.exit(__doc__)
commands.obey(Queue(int(sys.argv[1])))
