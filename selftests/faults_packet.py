#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""Memory runs out while a packet is handled: for every allocation the kernel
makes on its way, once with that one failing.

A tap device hands a frame to the stack within write(), so that all of the way
is a system call of this process, in which the kernel can be told to fail the
n-th allocation:

	write() -> front -> clb -> back -> read()

What leaves is what leaves without the fault, to the last bit, or nothing: then
the drop is counted. No session is left by half, and the same packet fares well
afterwards. Works in a network namespace of its own.

Prints "ok NAME" or "not ok NAME".
"""
import ctypes
import errno
import fcntl
import functools
import os
import socket
import struct
import subprocess
import sys
import time

from scapy.layers.inet import ICMP, IP, TCP, UDP, fragment
from scapy.layers.inet6 import (ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment,
                                fragment6)
from scapy.utils import checksum

import faults
import genl
import ledger
from faults import Fault, each
from faults_netlink import new_netns
from genl import Cmd
from tap import tell
from wire import (BACK, CLIENT, SERVER, TIME_EXCEEDED, TOO_BIG,
                  UNREACHABLE_PORT, VIP, host, ip_packet,
                  is_neighbour_discovery, make_icmp_error)

SERVER2 = {4: "198.51.100.12", 6: "2001:db8:5::12"}
NODE_MAC, PEER_MAC = "02:00:00:00:00:01", "02:00:00:00:00:02"
ETHER = {4: 0x0800, 6: 0x86dd}
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454ca, 2, 0x1000, 0x4000
MTU = 9000

STAGE = f"""
	link set lo up
	link set front address {NODE_MAC} mtu {MTU}
	link set back address {NODE_MAC} mtu {MTU}
	link set front up
	link set back up
	addr add 192.0.2.1/24 dev front
	addr add 198.51.100.1/24 dev back
	addr add 2001:db8:c::1/64 dev front nodad
	addr add 2001:db8:5::1/64 dev back nodad
	neigh add 192.0.2.11 lladdr {PEER_MAC} dev front nud permanent
	neigh add 2001:db8:c::11 lladdr {PEER_MAC} dev front nud permanent
	neigh add 198.51.100.11 lladdr {PEER_MAC} dev back nud permanent
	neigh add 198.51.100.12 lladdr {PEER_MAC} dev back nud permanent
	neigh add 2001:db8:5::11 lladdr {PEER_MAC} dev back nud permanent
	neigh add 2001:db8:5::12 lladdr {PEER_MAC} dev back nud permanent
	route add 203.0.113.1/32 dev back
	route add 2001:db8:f::1/128 dev back
"""


# of IP by its version, without options: the header's size, what is where
HEADER, PROTOCOL_AT, SOURCE_AT = {4: 20, 6: 40}, {4: 9, 6: 6}, {
    4: (12, 16), 6: (8, 24)}
CHECKSUM_AT = {6: 16, 17: 6}    # of TCP and UDP, in their headers
LOCAL = {genl.address(text) for text in BACK.values()}

# protocol, type and code by family (RFC 792, RFC 4443)
REASSEMBLY_TIME_EXCEEDED = {4: (1, 11, 1), 6: (58, 3, 1)}


def is_reassembly_error(packet):
    """What a slow machine says of half a minute ago, or a minute: that of a packet
    in pieces not all came in time."""
    version = packet[0] >> 4
    at = 20 if version == 4 else 40
    return (packet[9 if version == 4 else 6], *packet[at:at + 2]) == \
        REASSEMBLY_TIME_EXCEEDED[version]


def is_chatter(packet):
    """ARP, neighbour discovery and multicast listeners' reports, which may
    come behind a hop-by-hop header."""
    if packet[0] >> 4 not in (4, 6):
        return True
    return (is_reassembly_error(packet) or packet[0] >> 4 == 6 and
            (packet[6] == 0 or is_neighbour_discovery(packet)))


class Tap:
    """A device: what is written to it the node receives. watched: packet
    sockets see all of it, so that packets are shared with them.
    """

    def __init__(self, name, fault):
        self.name, self.fault = name, fault
        self.file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(self.file, TUNSETIFF, struct.pack(
            "16sH14x", name.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        self.watcher = None

    def watch(self, on):
        if self.watcher:
            self.watcher.close()
            self.watcher = None
        if on:
            self.watcher = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                         socket.htons(3))
            self.watcher.bind((self.name, 3))
            self.watcher.setblocking(False)

    def write(self, packet, linear=0):
        """linear: so many bytes of a large frame are in one piece; 0: all."""
        family = packet[0] >> 4
        frame = (struct.pack("=BBHHHH", 0, 0, linear, 0, 0, 0) +
                 bytes.fromhex((NODE_MAC + PEER_MAC).replace(":", "")) +
                 struct.pack("!H", ETHER[family]) + packet)
        text = ctypes.create_string_buffer(frame, len(frame))
        self.fault.call(faults.WRITE, self.file, ctypes.addressof(text),
                        len(frame))

    def read(self):
        """What the node sent, IP packets alone; neighbour discovery not."""
        packets = []
        while True:
            try:
                frame = os.read(self.file, 70000)[10:]
            except BlockingIOError:
                break
            if not is_chatter(frame[14:]):
                packets.append(frame[14:])
        while self.watcher:
            try:
                self.watcher.recv(70000)
            except BlockingIOError:
                break
        return packets


def comparable(packet):
    """Without what differs from packet to packet: the identification of an
    IPv4 header, whose checksum must be right, inner ones too, or of a
    fragment.
    """
    if packet[0] >> 4 == 6:
        if packet[6] == 44:
            return packet[:44] + bytes(4) + packet[48:]
        inner = packet[40:]
        return packet[:40] + (comparable(inner) if packet[6] == 4 else inner)
    size = (packet[0] & 15) * 4
    if checksum(packet[:size]):
        raise AssertionError(f"header checksum of {packet.hex()}")
    inner = packet[size:]
    return (packet[:4] + b"\0\0" + packet[6:10] + b"\0\0" +
            packet[12:size] + (comparable(inner) if packet[9] == 4 else inner))


def without_local_port(packet):
    """The same for FNAT, which takes another port each time: with ports of 1
    and no checksum, after that was verified."""
    f = packet[0] >> 4
    begin, end = SOURCE_AT[f]
    kind, l4 = packet[PROTOCOL_AT[f]], packet[HEADER[f]:]
    if checksum(packet[begin:2 * end - begin] +
                struct.pack("!II", len(l4), kind) + l4):
        raise AssertionError(f"transport checksum of {packet.hex()}")
    if packet[begin:end] in LOCAL:
        at = CHECKSUM_AT[kind]
        l4 = b"\0\1\0\1" + l4[4:at] + b"\0\0" + l4[at + 2:]
    return comparable(packet[:HEADER[f]] + l4)


class Node:
    """The namespace, its two devices, and what clb says of itself."""

    def __init__(self, clbctl):
        self.fault = Fault()
        self.clbctl = clbctl
        self.front = Tap("front", self.fault)
        self.back = Tap("back", self.fault)
        self.shell("""
		for k in net.ipv4.ip_forward net.ipv6.conf.all.forwarding; do
			sysctl -qw $k=1; done
		sysctl -qw net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0 \
			net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \
			net.ipv6.conf.all.accept_dad=0 \
			net.ipv6.conf.default.accept_dad=0""")
        subprocess.run(["ip", "-batch", "-"], check=True, text=True,
                       input=STAGE)
        self.client = genl.Genl()

    def shell(self, command):
        subprocess.run(["bash", "-ec", command], check=True)

    def clb(self, *lines):
        """A configuration in place of what there is."""
        subprocess.run([self.clbctl, "restore", "-"], check=True, text=True,
                       input="\n".join(lines) + "\n")

    def read(self):
        return [(tap.name, packet) for tap in (self.front, self.back)
                for packet in tap.read()]


class Case:
    """name: of the case. setup(node): before each try, unarmed. send(node):
    what is done with a fault. normal: see comparable(). exact: without the
    fault clb accounts for just so many packets; None: the kernel may drop it
    before or after. made: so many of these clb makes itself: without memory
    it does not. watched: packets are shared with packet sockets.
    """

    def __init__(self, name, setup, send, normal=comparable, exact=1,
                 watched=False, atleast=1, made=0):
        self.name, self.setup, self.send = name, setup, send
        self.normal, self.exact, self.watched = normal, exact, watched
        self.atleast, self.made = atleast, made

    def clean(self, node):
        node.client.must(Cmd.SESSION_DEL)
        node.read()

    def once(self, node, nth):
        """What left, how many packets are accounted for, why some were
        dropped, an error, what is left of the count, and clb's books."""
        node.read()
        sent, drops = ledger.accounts(*ledger.books(node.client))
        node.fault.arm(nth)
        error = None
        try:
            self.send(node)
        except OSError as exception:
            error = exception.errno
        left = node.fault.left
        node.fault.arm(0)
        out = sorted((name, self.normal(packet))
                     for name, packet in node.read())
        books = ledger.books(node.client)
        sent_now, drops_now = ledger.accounts(*books)
        dropped = {kind: drops_now[kind] - drops[kind] for kind in drops
                   if drops_now[kind] != drops[kind]}
        count = sent_now - sent + sum(dropped.values())
        return out, count, set(dropped), error, left, books

    def judge(self, nth, got, reference):
        out, count, reasons, error, *_ = got
        want, want_count, want_reasons, *_ = reference
        extra = list(out)
        for one in want:
            if one in extra:
                extra.remove(one)
        if extra:
            yield (f"{nth}: left by {extra[0][0]}: {extra[0][1].hex()}, not "
                   f"{[packet.hex() for _, packet in want]}")
        if error and error not in (errno.ENOMEM, errno.ENOBUFS, errno.EPERM,
                                   errno.EAGAIN):
            yield f"{nth}: {os.strerror(error)}"
        if self.exact is None:
            return
        if error in (errno.ENOMEM, errno.ENOBUFS):
            # before it came to clb, or on its way from there
            if count not in (0, want_count):
                yield f"{nth}: {count} packets accounted for"
        elif not want_count - self.made <= count <= want_count:
            yield (f"{nth}: {count} packets accounted for, not {want_count}; "
                   f"{len(out)} left")
        blamed = reasons - want_reasons - {ledger.STATS_DROP_NO_MEMORY,
                                           ledger.STATS_DROP_NO_ROUTE}
        if blamed:
            yield f"{nth}: dropped for another reason: {blamed}"

    def run(self, node):
        why = []
        node.front.watch(self.watched)
        node.back.watch(self.watched)
        self.clean(node)
        self.setup(node)
        reference = self.once(node, 0)
        out, count, _, error, *_ = reference
        if error or self.exact is not None and count != self.exact:
            tell(False, self.name, f"without a fault: {error}, {count} "
                 f"packets accounted for, {len(out)} left")
            return

        def try_one(nth):
            self.clean(node)
            self.setup(node)
            got = self.once(node, nth)
            why.extend(self.judge(nth, got, reference))
            why.extend(f"{nth}: {what}"
                       for what in ledger.mistakes(node.client, *got[5]))
            if self.exact is not None:
                self.clean(node)
                self.setup(node)
                again = self.once(node, 0)
                why.extend(self.judge(f"after {nth}", again, reference))
                if again[0] != reference[0]:
                    why.append(f"after {nth}: {len(again[0])} packets left")
            return got[4] > 0

        count = each(try_one)
        self.clean(node)
        why += ledger.mistakes(node.client)
        print(f"# {self.name}: {count} allocations, {len(out)} packets")
        tell(not why and count >= self.atleast, self.name, *why[:20])


# --- packets -----------------------------------------------------------------

PORTS = {TCP: 80, UDP: 53}


# The same few packets are wanted again for each allocation, and scapy takes its
# time for each.
@functools.lru_cache
def from_client(f, kind=UDP, payload=b"some data", hops=64, **fields):
    if kind is TCP:
        fields.setdefault("flags", "S")
    return bytes(ip_packet(f, CLIENT[f], VIP[f], hops) /
                 kind(sport=4000, dport=PORTS[kind], **fields) / payload)


@functools.lru_cache
def from_server(f, kind=UDP, payload=b"an answer", dst=None, dport=4000,
                **fields):
    if kind is TCP:
        fields.setdefault("flags", "SA")
    return bytes(ip_packet(f, SERVER[f], dst or CLIENT[f]) /
                 kind(sport=PORTS[kind], dport=dport, **fields) / payload)


def configure(node, mode, f, *options, inner=None):
    """One server; inner: the family of the listener in TUN, if another."""
    vip = host(VIP[inner or f])
    lines = [f"local add {BACK[4]}", f"local add {BACK[6]}"]
    for name, port in ("tcp", 80), ("udp", 53):
        key = f"{name} {vip}:{port}"
        lines += [" ".join((f"listener add {key} mode {mode}", *options)),
                  f"server add {key} {host(SERVER[f])}"]
    node.clb(*lines)


def nothing(_):
    pass


def client_sends(packet, **how):
    return lambda node: node.front.write(packet, **how)


def server_sends(packet, **how):
    return lambda node: node.back.write(packet, **how)


def opened(f, kind=UDP, mode="nat"):
    """A session in which packets went both ways, fast from now on."""
    def setup(node):
        node.front.write(from_client(f, kind, seq=100) if kind is TCP
                         else from_client(f))
        if mode in ("dr", "tun"):
            if kind is TCP:
                node.front.write(from_client(f, kind, b"", flags="A",
                                             seq=101))
            return
        dst, dport = client_of(node, f)
        answer = {"seq": 500, "ack": 101} if kind is TCP else {}
        node.back.write(from_server(f, kind, b"", dst, dport, **answer))
        if kind is TCP:
            node.front.write(from_client(f, kind, b"", flags="A", seq=101,
                                         ack=501))
    return setup


def client_of(node, f):
    """The address and port that the server answers to."""
    for name, packet in node.read():
        if name == "back":
            begin, end = SOURCE_AT[f]
            family = socket.AF_INET if f == 4 else socket.AF_INET6
            return (socket.inet_ntop(family, packet[begin:end]),
                    int.from_bytes(packet[HEADER[f]:HEADER[f] + 2], "big"))
    raise AssertionError("nothing came to the server")


def both(*steps):
    def setup(node):
        for step in steps:
            step(node)
    return setup


def server_answers(f, kind=UDP, payload=b"an answer", **fields):
    """The answer to what the client sent in setup, also in FNAT."""
    def setup(node):
        opened_port[f] = client_of(node, f)

    def send(node):
        dst, dport = opened_port[f]
        node.back.write(from_server(f, kind, payload, dst, dport, **fields))
    return setup, send


opened_port = {}


# --- cases -------------------------------------------------------------------

def first_packets(node):
    for f in 4, 6:
        for mode in "nat", "fnat", "dr", "tun":
            configure(node, mode, f)
            normal = without_local_port if mode == "fnat" else comparable
            for kind in TCP, UDP:
                Case(f"IPv{f} {mode}: first packet, {kind.__name__}", nothing,
                     client_sends(from_client(f, kind)), normal,
                     atleast=2).run(node)
            Case(f"IPv{f} {mode}: first packet, seen by others too", nothing,
                 client_sends(from_client(f)), normal, watched=True,
                 atleast=2).run(node)
        configure(node, "fnat", f)
        node.shell(f"{node.clbctl} listener set tcp {host(VIP[f])}:80 "
                   "client-address on")
        forged = from_client(f, TCP, options=((254, b"\0\7abcd"),))
        for watched in False, True:
            Case(f"IPv{f} fnat: SYN that tells the client" +
                 (", seen by others too" if watched else ""), nothing,
                 client_sends(forged), without_local_port, watched=watched,
                 atleast=2).run(node)
        configure(node, "tun", f, inner=10 - f)
        Case(f"IPv{10 - f} in IPv{f}: first packet", nothing,
             client_sends(from_client(10 - f)), atleast=2).run(node)
        configure(node, "nat", f, "persistence 60")
        Case(f"IPv{f}: first packet, persistence", nothing,
             client_sends(from_client(f, TCP)), atleast=3).run(node)
        configure(node, "nat", f, "max-sessions 1")
        Case(f"IPv{f}: first packet, another makes room", client_sends(
            bytes(ip_packet(f, CLIENT[f], VIP[f]) / UDP(sport=1, dport=53))),
             client_sends(from_client(f)), atleast=2).run(node)


class FreshSpace:
    """A server whose port no session had so far: the bitmap of its space of
    local ports has to be made, but for those that share it."""
    port = 6000

    def __init__(self, f):
        self.f = f

    def key(self):
        return (genl.listener(genl.UDP, VIP[self.f], 53) +
                genl.server(SERVER[self.f], FreshSpace.port))

    def __call__(self, node):
        node.client.call(Cmd.SERVER_DEL, self.key())
        FreshSpace.port += 1
        node.client.must(Cmd.SERVER_ADD, self.key())


def new_spaces(node):
    for f in 4, 6:
        vip = host(VIP[f])
        node.clb(f"local add {BACK[f]}",
                 f"listener add udp {vip}:53 mode fnat")
        Case(f"IPv{f} fnat: first packet to a server", FreshSpace(f),
             client_sends(from_client(f)), without_local_port,
             atleast=3).run(node)


def established(node):
    for fast in "on", "off":
        node.shell(f"{node.clbctl} settings set fast-path {fast}")
        for f in 4, 6:
            for mode in "nat", "fnat", "dr", "tun":
                established_mode(node, f, mode, f"fast path {fast}, IPv{f} "
                                 f"{mode}")
    node.shell(f"{node.clbctl} settings set fast-path on")


def established_mode(node, f, mode, label):
    configure(node, mode, f)
    normal = without_local_port if mode == "fnat" else comparable
    data = {"flags": "PA", "seq": 101, "ack": 501}
    big = b"x" * 6000
    # on the slow path the kernel looks at the network header before clb
    linear = 14 if " on," in label else 14 + (20 if f == 4 else 40)
    for kind, fields in (TCP, data), (UDP, {}):
        name = f"{label}, {kind.__name__}"
        packet = from_client(f, kind, **fields)
        Case(f"{name}", opened(f, kind, mode), client_sends(packet), normal,
             watched=True).run(node)
        Case(f"{name}, in pieces", opened(f, kind, mode),
             client_sends(from_client(f, kind, big, **fields), linear=linear),
             normal, watched=True).run(node)
    if mode == "fnat":
        setup, send = server_answers(f)
        setup = both(client_sends(from_client(f)), setup, send)
        Case(f"{label}, reply", setup, send, normal, watched=True).run(node)
    if mode == "nat":
        Case(f"{label}, reply", opened(f),
             server_sends(from_server(f)), watched=True).run(node)


def with_errors(node):
    """What clb itself makes, or has the kernel make."""
    for f in 4, 6:
        configure(node, "nat", f)
        Case(f"IPv{f}: stray packet, reset", nothing,
             client_sends(from_client(f, TCP, flags="A", seq=5, ack=6)),
             exact=2, made=1, atleast=2).run(node)
        Case(f"IPv{f}: hops used up", opened(f),
             client_sends(from_client(f, hops=1)), watched=True).run(node)
        Case(f"IPv{f}: ping of the VIP", nothing, client_sends(
            echo_request(f)), watched=True).run(node)
        Case(f"IPv{f}: ICMP error of the client", opened(f), client_sends(
            bytes(make_icmp_error(UNREACHABLE_PORT, CLIENT[f], VIP[f],
                                  answer_seen(f)))), watched=True).run(node)
        Case(f"IPv{f}: ICMP error about a request", opened(f), server_sends(
            bytes(make_icmp_error(TIME_EXCEEDED, SERVER[f], CLIENT[f],
                                  request_seen(f)))), watched=True).run(node)
        Case(f"IPv{f}: large ICMP error in pieces", opened(f), client_sends(
            bytes(make_icmp_error(UNREACHABLE_PORT, CLIENT[f], VIP[f],
                                  answer_seen(f, b"x" * 500))) + bytes(4200),
            linear=34 if f == 4 else 54), watched=True,
             exact=None).run(node)
        too_big(node, f)
        ended(node, f)
        no_ports(node, f)


def echo_request(f):
    if f == 4:
        return bytes(IP(src=CLIENT[4], dst=VIP[4]) / ICMP(id=1) / b"ping")
    return bytes(IPv6(src=CLIENT[6], dst=VIP[6]) /
                 ICMPv6EchoRequest(id=1, data=b"ping"))


def answer_seen(f, payload=b""):
    """What the client got and complains about."""
    return bytes(ip_packet(f, VIP[f], CLIENT[f], 63) /
                 UDP(sport=53, dport=4000) / payload)


def request_seen(f):
    """What the server got and complains about."""
    return bytes(ip_packet(f, CLIENT[f], SERVER[f], 63) /
                 UDP(sport=4000, dport=53) / b"some data")


def too_big(node, f):
    node.shell("ip link set back mtu 1400")
    packet = ip_packet(f, CLIENT[f], VIP[f])
    if f == 4:
        packet.flags = "DF"
    packet = bytes(packet / UDP(sport=4000, dport=53) / (b"x" * 2000))
    Case(f"IPv{f}: too big", opened(f), client_sends(packet),
         watched=True).run(node)
    node.shell(f"ip link set back mtu {MTU}")
    if f == 4:
        packet = IP(packet)
        packet.flags = 0
        del packet.chksum
        node.shell("ip link set back mtu 1400")
        Case("IPv4: too big, may be cut up", opened(f), client_sends(
            bytes(packet)), watched=True, exact=None).run(node)
        node.shell(f"ip link set back mtu {MTU}")


def ended(node, f):
    """Its ends are reset; without memory they are not, but it ends."""
    client = faults.Genl(node.fault)
    Case(f"IPv{f}: session del, resets", opened(f, TCP),
         lambda node: client.call(Cmd.SESSION_DEL), exact=1, made=1,
         atleast=4).run(node)
    client.close()


def no_ports(node, f):
    """FNAT without a local address: a drop, and an event."""
    vip = host(VIP[f])
    node.clb(f"listener add udp {vip}:53 mode fnat",
             f"server add udp {vip}:53 {host(SERVER[f])}")
    monitor = genl.Genl()
    monitor.subscribe("events")
    Case(f"IPv{f}: no local port", nothing, client_sends(from_client(f)),
         atleast=2).run(node)
    monitor.close()


def fragments(node):
    for f in 4, 6:
        configure(node, "nat", f)
        Case(f"IPv{f}: first fragment", nothing,
             fresh_pieces(f, 0), exact=None, atleast=2).run(node)
        Case(f"IPv{f}: all fragments", nothing,
             fresh_pieces(f, None), exact=None, atleast=4).run(node)


def cut(f):
    payload = b"0123456789abcdef" * 200
    if f == 4:
        packet = IP(src=CLIENT[4], dst=VIP[4]) / UDP(
            sport=4000, dport=53) / payload
        return [bytes(piece) for piece in fragment(packet, 1400)]
    packet = IPv6(src=CLIENT[6], dst=VIP[6]) / IPv6ExtHdrFragment() / UDP(
        sport=4000, dport=53) / payload
    return [bytes(piece) for piece in fragment6(packet, 1400)]


def identified(piece, identity):
    """The same fragment, of another packet."""
    if piece[0] >> 4 == 6:
        return piece[:44] + struct.pack("!I", identity) + piece[48:]
    header = (piece[:4] + struct.pack("!H", identity) + piece[6:10] + b"\0\0" +
              piece[12:20])
    return (header[:10] + struct.pack("!H", checksum(header)) + header[12:] +
            piece[20:])


def fresh_pieces(f, which):
    """Fragments of a packet of its own each time."""
    pieces = cut(f) if which is None else cut(f)[which:which + 1]

    def send(node):
        fresh_pieces.identity += 1
        for piece in pieces:
            node.front.write(identified(piece, fresh_pieces.identity))
    return send


fresh_pieces.identity = 100


def of_the_node(node):
    """A client on the node itself: its packets come by LOCAL_OUT."""
    for f in 4, 6:
        for mode in "nat", "fnat", "dr", "tun":
            configure(node, mode, f)
            with socket.socket(socket.AF_INET if f == 4 else socket.AF_INET6,
                               socket.SOCK_DGRAM) as sock:
                sock.bind((BACK[f], 4000))
                sock.connect((VIP[f], 53))
                text = ctypes.create_string_buffer(b"some data", 9)

                def send(node, sock=sock, text=text):
                    node.fault.call(faults.SENDTO, sock.fileno(),
                                    ctypes.addressof(text), 9, 0, 0, 0)
                normal = (without_local_port if mode == "fnat" else
                          comparable)
                Case(f"IPv{f} {mode}: a client on the node", nothing, send,
                     normal, atleast=2).run(node)


PARTS = (new_spaces, with_errors, fragments, of_the_node, first_packets,
         established)


def main():
    faults.prepare()
    new_netns()
    node = Node(os.environ["CLBCTL"])
    for part in PARTS:
        if len(sys.argv) > 1 and part.__name__ not in sys.argv[1:]:
            continue
        began = time.monotonic()
        part(node)
        print(f"# {part.__name__}: {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
