#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Packets made by hand, for the tests.

raw.py CLIENT_NETNS SERVER_NETNS: reads commands from standard input and
answers each with one line. Packets of clients leave CLIENT_NETNS, those of
servers SERVER_NETNS; nobody needs to hold their addresses.

udp ADDRESS PORT COUNT CLIENT [FIRST]	one datagram from each of COUNT clients,
					the addresses from CLIENT on; with
					FIRST from one, ports from FIRST on
syn ADDRESS PORT COUNT CLIENT [FLAGS...]	the same with SYNs, from port
					4000, and after each SYN a segment of
					each FLAGS, its ACK a guess
flow CLIENT PORT VIP PORT SERVER PORT	what the next commands are about
c FLAGS [SEQ [ACK]] [+BYTES]		a TCP packet of the client; FLAGS of
					SAFRP. Numbers follow from the packets
s FLAGS [SEQ [ACK]] [+BYTES]		before, unless given; "~N" for SEQ is
					N ahead, "-N" behind. "s": the server
"""
import ctypes
import ipaddress
import socket
import struct
import sys

FLAG = {"F": 1, "S": 2, "R": 4, "P": 8, "A": 16}
CLONE_NEWNET = 0x40000000


def raw_sockets(netns):
    """Raw sockets of another network namespace, by version of IP."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/run/netns/" + netns, "rb") as file:
        if libc.setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    sockets = {}
    for version, family in (4, socket.AF_INET), (6, socket.AF_INET6):
        sockets[version] = socket.socket(family, socket.SOCK_RAW,
                                         socket.IPPROTO_RAW)
        sockets[version].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF,
                                    1 << 22)
    return sockets


address = ipaddress.ip_address


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def ip_header(src, dst, protocol, length):
    if dst.version == 6:
        start = struct.pack("!IHBB", 0x60000000, length, protocol, 64)
    else:	# the kernel fills in length, identification and checksum
        start = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64,
                            protocol, 0)
    return start + src.packed + dst.packed


def with_checksum(src, dst, protocol, segment, offset):
    pseudo = src.packed + dst.packed + struct.pack("!II", protocol,
                                                   len(segment))
    check = struct.pack("!H", checksum(pseudo + segment))
    return (ip_header(src, dst, protocol, len(segment)) + segment[:offset] +
            check + segment[offset + 2:])


def udp_packet(src, sport, dst, dport):
    datagram = struct.pack("!HHHHc", sport, dport, 9, 0, b"x")
    if dst.version == 6:
        return with_checksum(src, dst, 17, datagram, 6)
    return ip_header(src, dst, 17, len(datagram)) + datagram


def tcp_packet(src, sport, dst, dport, flags, seq, ack, payload=b""):
    segment = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff,
                          ack & 0xffffffff, 0x50, flags, 65535, 0, 0)
    return with_checksum(src, dst, 6, segment + payload, 16)


def bits_of(flags):
    return sum(FLAG[flag] for flag in flags)


class Side:
    def __init__(self, sockets):
        self.sockets = sockets
        self.seq = 0
        self.here = self.there = None

    def send(self, packet, dst):
        self.sockets[dst.version].sendto(packet, (str(dst), 0))


class Sender:
    def __init__(self, client_netns, server_netns):
        self.sides = {"c": Side(raw_sockets(client_netns)),
                      "s": Side(raw_sockets(server_netns))}

    def udp(self, dst, port, count, client, first=0):
        dst, client = address(dst), address(client)
        for i in range(int(count)):
            source = (client, int(first) + i) if first else (client + i, 4000)
            self.sides["c"].send(udp_packet(*source, dst, int(port)), dst)
        return f"sent {count}"

    def syn(self, dst, port, count, client, *forged):
        dst, client = address(dst), address(client)
        for i in range(int(count)):
            seq = i * 7919
            self.sides["c"].send(tcp_packet(
                client + i, 4000, dst, int(port), FLAG["S"], seq, 0), dst)
            for flags in forged:
                self.sides["c"].send(tcp_packet(
                    client + i, 4000, dst, int(port), bits_of(flags), seq + 1,
                    i * 6700417 if "A" in flags else 0), dst)
        return f"sent {count}"

    def flow(self, client, cport, vip, vport, server, sport):
        c, s = self.sides["c"], self.sides["s"]
        c.here, c.there = (address(client), int(cport)), (address(vip), int(vport))
        s.here, s.there = (address(server), int(sport)), c.here
        c.seq, s.seq = 1000000, 5000000
        return "flow"

    def packet(self, name, flags, *words):
        side = self.sides[name]
        other = self.sides["s" if name == "c" else "c"]
        bits = bits_of(flags)
        length = sum(int(word) for word in words if word[0] == "+")
        numbers = [word for word in words if word[0] != "+"]
        seq, ack = side.seq, other.seq if "A" in flags else 0
        if numbers:
            given = numbers[0]
            seq = side.seq + int(given[1:]) * (-1 if given[0] == "-" else 1) \
                if given[0] in "-~" else int(given)
        if len(numbers) > 1:
            ack = int(numbers[1])
        side.send(tcp_packet(*side.here, *side.there, bits, seq, ack,
                             bytes(length)),
                  side.there[0])
        if not numbers:
            side.seq += length + ("S" in flags) + ("F" in flags)
        return "sent"

    def run(self, line):
        verb, *words = line.split()
        if verb in "cs":
            return self.packet(verb, *words)
        return {"udp": self.udp, "syn": self.syn,
                "flow": self.flow}[verb](*words)


def main():
    sender = Sender(sys.argv[1], sys.argv[2])
    print("ready", flush=True)
    for line in iter(sys.stdin.readline, ""):
        try:
            print(sender.run(line), flush=True)
        except (OSError, KeyError, TypeError, ValueError) as error:
            print("error:", error, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
