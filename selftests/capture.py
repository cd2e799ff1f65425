#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts packets of listeners on a client's interface, for the tests.

capture.py INTERFACE: reads commands from standard input and answers each
with one line:

count [PROTOCOL ADDRESS PORT]...	begin at 0: packets to and from these listeners
result				"IN-PACKETS IN-BYTES OUT-PACKETS OUT-BYTES;" of
				each session, the one that began first first, at
				the IP layer, once nothing more comes. A packet
				the card or the receiver would cut up (GSO)
				counts as its segments
"""
import ipaddress
import select
import socket
import struct
import sys

SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS, PACKET_VNET_HDR = 263, 6, 15
VNET_HDR, ETHERNET = 10, 14
TCP, UDP = 6, 17


def segments(gso_size, protocol, packet, thoff):
    """How many packets of how many bytes in all a packet is on the wire."""
    if not gso_size:
        return 1, len(packet)
    header = thoff + (packet[thoff + 12] >> 4) * 4 if protocol == TCP \
        else thoff + 8
    payload = len(packet) - header
    count = -(-payload // gso_size)
    return count, count * header + payload


class Capture:
    def __init__(self, interface):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                  socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
        self.sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        self.sock.bind((interface, 0))
        self.sock.setblocking(False)
        self.listeners = set()
        self.sums = {}

    def add(self, at, session, gso_size, packet, thoff):
        protocol, _ = session
        count, size = segments(gso_size, protocol, packet, thoff)
        sums = self.sums.setdefault(session, [0] * 4)
        sums[at] += count
        sums[at + 1] += size

    def packet(self, frame):
        gso_size, = struct.unpack_from("=H", frame, 4)
        kind, = struct.unpack_from("!H", frame, VNET_HDR + 12)
        packet = frame[VNET_HDR + ETHERNET:]
        if kind == 0x0800:
            thoff, protocol = (packet[0] & 15) * 4, packet[9]
            length, = struct.unpack_from("!H", packet, 2)
            src, dst = packet[12:16], packet[16:20]
        elif kind == 0x86dd:
            thoff, protocol = 40, packet[6]
            length = struct.unpack_from("!H", packet, 4)[0] + 40
            src, dst = packet[8:24], packet[24:40]
        else:
            return
        packet = packet[:length]
        if protocol not in (TCP, UDP):
            return
        sport, dport = struct.unpack_from("!HH", packet, thoff)
        if (protocol, dst, dport) in self.listeners:
            self.add(0, (protocol, sport), gso_size, packet, thoff)
        if (protocol, src, sport) in self.listeners:
            self.add(2, (protocol, dport), gso_size, packet, thoff)

    def drain(self):
        try:
            while True:
                self.packet(self.sock.recv(1 << 17))
        except BlockingIOError:
            return

    def lost(self):
        data = self.sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        return struct.unpack("=II", data)[1]

    def count(self, *words):
        self.drain()
        self.lost()
        self.sums = {}
        self.listeners = {
            (TCP if protocol == "tcp" else UDP,
             ipaddress.ip_address(address).packed, int(port))
            for protocol, address, port in zip(*[iter(words)] * 3)}
        return "counting"

    def result(self):
        while select.select([self.sock], [], [], 0.5)[0]:
            self.drain()
        lost = self.lost()
        return f"lost {lost}" if lost else "".join(
            " ".join(map(str, sums)) + ";" for sums in self.sums.values())

    def run(self):
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([self.sock, sys.stdin], [], [])
            self.drain()
            if sys.stdin not in ready:
                continue
            verb, *words = sys.stdin.readline().split()
            print(getattr(self, verb)(*words), flush=True)


if len(sys.argv) != 2:
    sys.exit(__doc__)
Capture(sys.argv[1]).run()
