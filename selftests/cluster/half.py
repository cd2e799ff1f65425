#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Connections that are half-open for as long as one likes, by packets made by
hand. The kernel here must keep silent (topo_mute in lib.sh).

half.py: reads commands from standard input and answers each with one line:

open COUNT PORT VIP CLIENT [VIP CLIENT]...	SYNs, by turns; how many were answered
finish COUNT	the oldest of them: ends the handshake, sends a byte and more,
		and wants them back (flows.py); then resets. "finished=N broken=N"
"""
import ipaddress
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
import commands	# pylint: disable=wrong-import-position
import raw	# pylint: disable=wrong-import-position

PATIENCE = 60
RETRY = 1.0
ETH_P_ALL = 3
FIRST_PORT = 20000
SYN, RST, PSH, ACK = raw.FLAG["S"], raw.FLAG["R"], raw.FLAG["P"], raw.FLAG["A"]


def parse(packet):
    """(peer, peer's port, own, own port), flags, seq, payload; or None"""
    if packet[0] >> 4 == 4:
        tcp, end = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
        is_tcp, addresses = packet[9] == 6, (packet[12:16], packet[16:20])
    else:
        tcp, end = 40, 40 + struct.unpack_from("!H", packet, 4)[0]
        is_tcp, addresses = packet[6] == 6, (packet[8:24], packet[24:40])
    if not is_tcp or len(packet) < tcp + 20:
        return None
    source, dest, seq, _, offset, flags = struct.unpack_from(
        "!HHIIBB", packet, tcp)
    key = (ipaddress.ip_address(addresses[0]), source,
           ipaddress.ip_address(addresses[1]), dest)
    return key, flags, seq, packet[tcp + (offset >> 4) * 4:end]


class Half:
    def __init__(self, vip, port, client, client_port):
        self.key = (vip, port, client, client_port)
        self.seq, self.ack = client_port * 7919, None
        self.text = b"%d" % client_port
        self.state, self.why = "syn", "no answer"

    def send(self, sockets, flags, payload=b"", ahead=0):
        vip, port, client, client_port = self.key
        packet = raw.tcp_packet(client, client_port, vip, port, flags,
                                self.seq + ahead, self.ack or 0, payload)
        sockets[vip.version].sendto(packet, (str(vip), 0))

    def again(self, sockets):
        if self.state == "syn":
            self.send(sockets, SYN)
        elif self.state == "finishing":
            self.send(sockets, ACK | PSH, b"e" + self.text, 1)

    def take(self, flags, seq, payload):
        was = self.state
        if flags & RST:
            self.state = "broken"
            self.why = f"reset, number {seq}, was {was}"
        elif self.state == "syn" and flags & (SYN | ACK) == SYN | ACK:
            self.state, self.ack = "half-open", seq + 1
        elif self.state == "finishing" and payload == self.text:
            self.state = "finished"


class Client:
    def __init__(self):
        self.sockets = {
            version: socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
            for version, family in ((4, socket.AF_INET), (6, socket.AF_INET6))}
        self.seen = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                  socket.htons(ETH_P_ALL))
        self.seen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.halves, self.port = {}, FIRST_PORT

    def take(self):
        packet, where = self.seen.recvfrom(65536)
        if where[2] == socket.PACKET_OUTGOING or where[1] not in (0x800, 0x86dd):
            return
        got = parse(packet)
        if got and got[0] in self.halves:
            self.halves[got[0]].take(*got[1:])

    def settle(self, halves, state):
        """Sends, and again, until none of them is in this state."""
        end, retry = time.monotonic() + PATIENCE, 0
        while time.monotonic() < end:
            left = [half for half in halves if half.state == state]
            if not left:
                return
            if time.monotonic() >= retry:
                for half in left:
                    half.again(self.sockets)
                retry = time.monotonic() + RETRY
            while select.select([self.seen], [], [], 0.05)[0]:
                self.take()

    def open(self, count, port, *where):
        pairs = [tuple(map(ipaddress.ip_address, where[i:i + 2]))
                 for i in range(0, len(where), 2)]
        new = []
        for i in range(int(count)):
            vip, client = pairs[i % len(pairs)]
            new.append(Half(vip, int(port), client, self.port))
            self.port += 1
        self.halves |= {half.key: half for half in new}
        self.settle(new, "syn")
        return f"half-open={sum(half.state == 'half-open' for half in new)}"

    def finish(self, count):
        halves = list(self.halves.values())[:int(count)]
        for half in halves:
            if half.state == "half-open":
                half.state = "finishing"
        self.settle(halves, "finishing")
        done = sum(half.state == "finished" for half in halves)
        for half in halves:
            if half.state != "finished":
                print(*half.key, half.state, half.why, file=sys.stderr,
                      flush=True)
            half.send(self.sockets, RST | ACK, b"", 2 + len(half.text))
            del self.halves[half.key]
        return f"finished={done} broken={len(halves) - done}"


commands.obey(Client())
