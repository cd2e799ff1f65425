#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""The fast path, packet by packet. For test_fast.sh, which sets the stage.

fast.py PREFIX	runs all cases, or some (see PARTS), in the namespaces PREFIX-*
		leaves: what is unusual about a packet of a session, or about
		its way, has it take the slow path
		moves: changes take effect with the next packet
"""
import functools
import itertools
import os
import socket
import struct
import subprocess
import sys
import time

from parts import part
from scapy.layers.inet import TCP, UDP, IPOption, IPOption_NOP
from scapy.layers.inet6 import (IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, PadN)
from scapy.utils import checksum

from wire import (BACK, CLIENT, CLIENT2, ETHERTYPE, FRONT, SERVER, SERVER2,
                  TIME_EXCEEDED, TIMEOUT, TOO_BIG, VIP, Framed, Lab,
                  Namespace, Tap, forwarded, host, icmp_error, ip_packet, parse)

PORT = 53
# Of nobody: their routes and neighbours are the test's alone.
GUEST = {4: "192.0.2.21", 6: "2001:db8:c::21"}
HOST = {4: "198.51.100.21", 6: "2001:db8:5::21"}
FULL = {4: 32, 6: 128}          # length of a host's prefix
HEADER = {4: 20, 6: 40}
MTU, LARGE, LESS = 1500, 1400, 1300
BROADCAST = b"\xff" * 6
MULTICAST = bytes.fromhex("01005e000001")
ANOTHER = bytes.fromhex("020000000099")


class Ports:
    """Each session has a port of its own."""
    next = functools.partial(next, itertools.count(30001))


def ip(lab, name, *lines):
    """Of a namespace, all by one process."""
    subprocess.run(["ip", "-n", f"{lab.prefix}-{name}", "-batch", "-"],
                   input="\n".join(lines), text=True, check=True)


def listen(lab, f, mode, server=SERVER, options=""):
    """One listener for each protocol, and no more; all by one process."""
    lab.family = f
    lab.flush()
    lines = [f"local add {BACK[f]}"]
    for protocol in "tcp", "udp":
        key = f"{protocol} {host(VIP[f])}:{PORT}"
        lines += [f"listener add {key} mode {mode} {options}",
                  f"server add {key} {host(server[f])}:{PORT}"]
    subprocess.run([lab.clbctl, "-n", f"{lab.prefix}-node", "restore"],
                   input="\n".join(lines), text=True, check=True)


def asks(f, size=8, client=CLIENT, hops=64, **fields):
    """A datagram that begins a session. Whole: a tunnel numbers what may be
    cut up."""
    fields = {"flags": "DF", **fields} if f == 4 else fields
    return (ip_packet(f, client[f], VIP[f], hops, **fields) /
            UDP(sport=Ports.next(), dport=PORT) / bytes(size))


def answers(f, question, hops=64):
    """The server's answer in NAT."""
    return (ip_packet(f, SERVER[f], CLIENT[f], hops) /
            UDP(sport=PORT, dport=question.sport) / b"answer")


# --- what leaves the fast path -----------------------------------------------

def at_server(packet):
    return forwarded(packet, dst=SERVER[packet.version])


def at_client(packet):
    return forwarded(packet, src=VIP[packet.version])


def carries(packet):
    """A check of what arrives where more of it is changed: all but headers."""
    payload = bytes(packet.lastlayer())
    return lambda got: None if got.endswith(payload) else \
        f"does not end with {payload.hex()}"


class Cases:
    """Cases of one family and mode; in NAT without other ports."""

    def __init__(self, lab, f, mode="nat"):
        self.lab, self.f, self.mode = lab, f, mode

    def there(self, packet):
        """How it arrives at the server."""
        return at_server(packet) if self.mode == "nat" else carries(packet)

    def case(self, fast, what, packet, want, sender=None, **counts):
        lab = self.lab
        if not isinstance(want, dict):
            want = {lab.server: [want]}
        return lab.case(f"{self.mode} IPv{self.f}: {what}",
                        [(sender or lab.client, packet)], want,
                        {"fast_packets": fast, **counts})

    def fast(self, what, packet, want=None, **counts):
        return self.case(1, what, packet, want or self.there(packet),
                         **counts)

    def slow(self, what, packet, want=None, **counts):
        return self.case(0, what, packet, want or self.there(packet),
                         **counts)

    def lost(self, what, packet, sender=None, **counts):
        return self.case(0, what, packet, {}, sender, **counts)

    def session(self, what):
        """A session, both of whose directions take the fast path."""
        question = asks(self.f)
        self.fast(f"{what}: a session", question, sessions_created=1)
        reply = answers(self.f, question)
        self.case(1, f"{what}: its reply", reply,
                  {self.lab.client: [at_client(reply)]}, self.lab.server)
        return question, reply

    def connection(self):
        """An established one: a function that makes the client's segments."""
        port = Ports.next()

        def segment(flags, payload=b"", seq=1001, **fields):
            return (ip_packet(self.f, CLIENT[self.f], VIP[self.f]) /
                    TCP(sport=port, dport=PORT, flags=flags, seq=seq,
                        ack=5001 if "A" in flags else 0, **fields) / payload)

        reply = (ip_packet(self.f, SERVER[self.f], CLIENT[self.f]) /
                 TCP(sport=PORT, dport=port, flags="SA", seq=5000, ack=1001))
        self.lab.exchange([(self.lab.client, segment("S", seq=1000)),
                           (self.lab.server, reply),
                           (self.lab.client, segment("A"))])
        return segment


def hop_limit_cases(cases, question, reply=None):
    lab, f = cases.lab, cases.f
    for packet, sender, near, source, receiver, seen in (
            (question, lab.client, FRONT[f], CLIENT[f], lab.server,
             cases.there),
            (reply, lab.server, BACK[f], SERVER[f], lab.client, at_client)):
        if not packet:
            continue
        last = packet.copy()
        setattr(last, "ttl" if f == 4 else "hlim", 1)
        cases.case(0, f"a hop limit of 1, from {sender.name}", last,
                   {sender: [icmp_error(TIME_EXCEEDED, near, source, last)]},
                   sender, drop_ttl=1)
        setattr(last, "ttl" if f == 4 else "hlim", 2)
        cases.case(1, f"a hop limit of 2, from {sender.name}", last,
                   {receiver: [seen(last)]}, sender)


def pieces(packet, at):
    """A packet as two fragments."""
    data = bytes(packet.payload)
    make = {
        4: lambda start, more: ip_packet(
            4, packet.src, packet.dst, id=77, proto=17, frag=start // 8,
            flags="MF" if more else 0),
        6: lambda start, more: ip_packet(6, packet.src, packet.dst) /
        IPv6ExtHdrFragment(id=77, nh=17, offset=start // 8, m=int(more))}
    return [make[packet.version](0, True) / data[:at],
            make[packet.version](at, False) / data[at:]]


def piece_of(packet):
    """A check of what arrives: a fragment of this packet."""
    def judge(got):
        if got[0] >> 4 == 4:
            data, whole = got[20:], packet[20:]
            start = (struct.unpack("!H", got[6:8])[0] & 0x1fff) * 8
        else:
            data, whole = got[48:], packet[40:]
            start = struct.unpack("!H", got[42:44])[0] & 0xfff8
        good = len(data) < len(whole) and whole[start:].startswith(data)
        return None if good else "no fragment of it"
    return judge


def fragment_cases(cases, question):
    lab, f = cases.lab, cases.f
    large = parse(bytes(ip_packet(f, CLIENT[f], VIP[f]) /
                        UDP(sport=question.sport, dport=PORT) /
                        bytes(i & 255 for i in range(1000))))
    lab.case(f"nat IPv{f}: fragments",
             [(lab.client, piece) for piece in pieces(large, 504)],
             {lab.server: [piece_of(at_server(large))] * 2},
             {"fast_packets": 0})


def header_cases(cases, question):
    """Headers that are right, but not the plain ones."""
    if cases.f == 4:
        option = question.copy()
        option.options = [IPOption_NOP()] * 3 + [IPOption(b"\0")]
        cases.slow("an IP option", option)
        evil = question.copy()
        evil.flags = "evil"
        cases.slow("the reserved bit", evil)
        return
    pad = [PadN(optdata=b"\0" * 4)]
    for what, header in (("hop-by-hop options", IPv6ExtHdrHopByHop),
                         ("destination options", IPv6ExtHdrDestOpt)):
        cases.slow(what, ip_packet(6, question.src, question.dst) /
                   header(options=pad) / question.payload)
    cases.slow("a fragment that is whole",
               ip_packet(6, question.src, question.dst) /
               IPv6ExtHdrFragment(id=77) / question.payload)


def length_cases(cases, question, segment):
    """Short ones in frames that are long enough, as Ethernet makes them."""
    f = cases.f
    data = bytes(question)
    cases.fast("padding, which goes no further", data + b"padding",
               cases.there(question))
    cases.lost("longer than the frame", data[:-1])
    for what, payload, protocol in (
            ("no UDP header", b"", socket.IPPROTO_UDP),
            ("UDP header cut short", bytes(question.payload)[:7],
             socket.IPPROTO_UDP),
            ("TCP header cut short", bytes(segment("A").payload)[:19],
             socket.IPPROTO_TCP)):
        field = {"proto" if f == 4 else "nh": protocol}
        packet = ip_packet(f, CLIENT[f], VIP[f], **field) / payload
        cases.lost(what, bytes(packet) + bytes(20), drop_malformed=1)
    cases.lost("TCP header length below 20", segment("A", dataofs=4),
               drop_malformed=1)
    cases.lost("TCP header longer than the packet", segment("A", dataofs=6),
               drop_malformed=1)
    cases.fast("TCP header as long as the packet",
               segment("A", options=[("NOP", None)] * 4))


class Super:
    """A port from which a guest sends super-packets of TCP: segments and
    checksum are left to the device, and what is said of them may be wrong."""
    SOL_PACKET, PACKET_VNET_HDR = 263, 15
    NEEDS_CSUM, GSO_TCP = 1, {4: 1, 6: 4}

    def __init__(self, lab, size, behind=b""):
        self.name, self.gateway = lab.client.name, lab.client.gateway
        self.mac, self.size, self.behind = lab.client.mac, size, behind
        with Namespace(f"{lab.prefix}-c1"):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
            self.socket.setsockopt(self.SOL_PACKET, self.PACKET_VNET_HDR, 1)
            self.socket.bind((lab.client.device, 0))

    def send(self, packet, mac):
        family = packet[0] >> 4
        start = 14 + HEADER[family]
        self.socket.send(
            struct.pack("=BBHHHH", self.NEEDS_CSUM, self.GSO_TCP[family],
                        start + 20, self.size, start, 16) +
            mac + self.mac + struct.pack("!H", ETHERTYPE[family]) + packet +
            self.behind)


def received(cases):
    """What the TCP listener counted of clients: packets and bytes."""
    (listener,) = [one for one in cases.lab.listeners()
                   if one["protocol"] == "tcp"]
    return [listener[name] for name in ("in_packets", "in_bytes")]


def gso_cases(cases, segment):
    """Counted as the segments it becomes, whatever is behind its end."""
    lab, header = cases.lab, HEADER[cases.f] + 20
    packet = segment("A", bytes(2500))

    def whole(seen):
        return None if len(seen) == header + 2500 else f"{len(seen)} bytes"

    for setting, fast in ("on", 1), ("off", 0):
        lab.clb("settings set fast-path", setting)
        for what, behind in ("", b""), (", with padding", bytes(8000)):
            before = received(cases)
            cases.case(fast and not behind,
                       f"a super-packet{what}, fast path {setting}",
                       packet, whole, Super(lab, 1000, behind))
            lab.tap.equal(f"nat IPv{cases.f}: and it counts as its segments",
                          [now - then for now, then in
                           zip(received(cases), before)],
                          [3, 3 * header + 2500])
    lab.clb("settings set fast-path on")


def merged_cases(cases, segment):
    """What a device merged cannot be forwarded (see canary/lro.c)."""
    lab, module = cases.lab, os.environ.get("CLB_LRO_KO")
    if not module:
        return
    lab.in_node(f"insmod {module} device=front")
    for what, size in ("more than the link takes", 6000), ("less", 1000):
        cases.lost(f"merged by its device: {what}",
                   segment("A", bytes(size)), Super(lab, 100, bytes(5000)),
                   drop_malformed=1)
    lab.in_node("rmmod lro")


def version_cases(cases, question):
    """The kernel drops them behind us."""
    f, lab = cases.f, cases.lab
    sender = Framed(lab.client, kind=ETHERTYPE[f])
    data = bytearray(bytes(question))
    for first in {4: (0x44, 0x55, 0x65), 6: (0x40, 0x50)}[f]:
        data[0] = first
        if f == 4:
            data[10:12] = bytes(2)
            data[10:12] = struct.pack("!H", checksum(bytes(data[:20])))
        cases.lost(f"version and length {first:#x}", bytes(data), sender)


def with_wrong_checksum(packet):
    wrong = parse(bytes(packet))
    wrong.chksum ^= 0x0101
    return wrong


def checksum_cases(cases, question, reply):
    """Of IPv4's header: the kernel drops what is not sound."""
    cases.lost("a wrong header checksum opens no session",
               with_wrong_checksum(asks(4)), sessions_created=0)
    cases.lost("a wrong header checksum in a session",
               with_wrong_checksum(question))
    cases.lost("a wrong header checksum in a session's reply",
               with_wrong_checksum(reply), cases.lab.server)


def frame_cases(cases, question):
    """Not for this host, or not for this device."""
    client = cases.lab.client
    for what, mac in (("another host", ANOTHER), ("all", BROADCAST),
                      ("many", MULTICAST)):
        cases.lost(f"a frame for {what}", question, Framed(client, mac=mac))
    cases.lost("a VLAN tag of no device", question, Framed(client, vlan=7))
    cases.case(0, "a priority tag", question, cases.there(question),
               Framed(client, vlan=5 << 13))


def neighbour_cases(cases, question, reply):
    lab, f = cases.lab, cases.f
    for packet, sender, to, want, target, device in (
            (question, lab.client, lab.server, at_server(question),
             SERVER[f], "back"),
            (reply, lab.server, lab.client, at_client(reply),
             CLIENT[f], "front")):
        entry = f"{target} dev {device}"
        what = f"the neighbour of {device}"
        for state, before, fast in (
                ("not there", f"del {entry}", 0),
                ("there again", None, 1),
                ("failed", f"replace {entry} nud failed", 0),
                ("found again", None, 1),
                ("stale", f"replace {entry} lladdr {to.mac.hex(':')} "
                 "nud stale", 1)):
            if before:
                ip(lab, "node", f"neigh {before}")
            cases.case(fast, f"{what}: {state}", packet, {to: [want]}, sender)


def gateway_cases(cases, question, reply):
    """A gateway of the other family has a neighbour of the other family."""
    lab = cases.lab
    for packet, sender, to, want, address, device in (
            (question, lab.client, lab.server, at_server(question), SERVER,
             "back"),
            (reply, lab.server, lab.client, at_client(reply), CLIENT,
             "front")):
        route = f"{address[4]}/32 via inet6 {address[6]} dev {device}"
        ip(lab, "node", f"route add {route}")
        cases.case(0, f"an IPv6 gateway at {device}", packet, {to: [want]},
                   sender)
        ip(lab, "node", f"route del {route}")
        cases.case(1, f"no gateway at {device}", packet, {to: [want]}, sender)


def headroom_case(cases):
    """A device whose headers do not fit before the packet. The first packet
    that goes there makes the neighbour."""
    lab, f = cases.lab, cases.f
    lab.clb(f"server add udp {host(VIP[f])}:{PORT} {host(HOST[f])}:{PORT}")
    lab.clb(f"server del udp {host(VIP[f])}:{PORT} {host(SERVER[f])}:{PORT}")
    ip(lab, "node",
       f"link add wrap type ipip local {BACK[4]} remote {SERVER2[4]}",
       "link set wrap up", f"route add {HOST[4]}/32 dev wrap")
    question = asks(f)
    want = forwarded(question, dst=HOST[f])
    for what in "no neighbour yet", "no headroom":
        cases.case(0, f"a device that wraps: {what}", question,
                   {lab.server2: [lambda got: None if got[20:] == want else
                                  f"not {want.hex()}"]})
    ip(lab, "node", "link del wrap")


def local_case(cases):
    """A server on the node."""
    lab, f = cases.lab, cases.f
    listen(lab, f, "nat", BACK)
    with lab.node, socket.socket(socket.AF_INET if f == 4 else
                                 socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind((BACK[f], PORT))
        question = asks(f)
        sock.settimeout(TIMEOUT)
        # lo has a neighbour then: without one nothing is fast in any case
        sock.sendto(b"itself", (BACK[f], PORT))
        sock.recv(100)
        for what in "begins", "goes on":
            cases.lost(f"a session with the node {what}", question)
            lab.tap.equal(f"nat IPv{f}: a session with the node {what}: "
                          "it has it", sock.recv(100), bytes(8))


def tcp_cases(cases, segment):
    """SYNs of a session, and one in its place."""
    cases.fast("data", segment("PA", b"data"))
    cases.fast("a SYN of an established session", segment("S", seq=1000),
               sessions_created=0)
    cases.fast("a reset", segment("R", seq=1005))
    cases.slow("a SYN after a reset: a new session",
               segment("S", seq=999999), sessions_created=1)


def expiry_case(cases):
    """A packet of a session whose time is over, before the collector comes:
    that looks at a fifth of all in a second."""
    lab, f = cases.lab, cases.f
    listen(lab, f, "nat", options="timeout-udp 1")
    questions = [(lab.client, asks(f)) for _ in range(10)]
    lab.exchange(questions)
    over = time.monotonic() + 1.2
    while time.monotonic() < over:
        time.sleep(0.05)
    lab.case(f"nat IPv{f}: packets of sessions whose time is over open new "
             "ones", questions, {lab.server: [at_server(q) for _, q in questions]},
             {"sessions_created": len(questions)})


def raw_case(cases):
    lab, f = cases.lab, cases.f
    lab.in_node(f"""
	nft add table {'ip' if f == 4 else 'ip6'} t
	nft add chain {'ip' if f == 4 else 'ip6'} t pre \\
		'{{ type filter hook prerouting priority raw; }}'""")
    question = asks(f)
    cases.slow("a chain in raw: a first packet", question, sessions_created=1)
    cases.fast("a chain in raw: the next", question, sessions_created=0)
    lab.in_node(f"nft delete table {'ip' if f == 4 else 'ip6'} t")


def off_case(cases, question, reply=None):
    lab = cases.lab
    for setting, fast in ("off", 0), ("on", 1):
        lab.clb("settings set fast-path", setting)
        cases.case(fast, f"switched {setting}", question,
                   cases.there(question))
        if not reply:
            continue
        cases.case(fast, f"switched {setting}: the reply", reply,
                   {lab.client: [at_client(reply)]}, lab.server)


def leaves(lab):
    for f in 4, 6:
        listen(lab, f, "nat")
        cases = Cases(lab, f)
        question, reply = cases.session("plain")
        segment = cases.connection()
        hop_limit_cases(cases, question, reply)
        header_cases(cases, question)
        fragment_cases(cases, question)
        length_cases(cases, question, segment)
        gso_cases(cases, segment)
        merged_cases(cases, segment)
        version_cases(cases, question)
        if f == 4:
            checksum_cases(cases, question, reply)
            gateway_cases(cases, question, reply)
        frame_cases(cases, question)
        neighbour_cases(cases, question, reply)
        tcp_cases(cases, segment)
        off_case(cases, question, reply)
        raw_case(cases)
        if f == 4:
            headroom_case(cases)
        expiry_case(cases)
        local_case(cases)
        for mode in "fnat", "dr", "tun":
            leaves_in(lab, f, mode)


def leaves_in(lab, f, mode):
    """In modes that have no code of their own for what is unusual: one case of
    each kind."""
    listen(lab, f, mode)
    cases = Cases(lab, f, mode)
    question = asks(f)
    question.lastlayer().load = b"question"
    cases.fast("a session", question, sessions_created=1)
    segment = cases.connection()
    hop_limit_cases(cases, question)
    header_cases(cases, question)
    length_cases(cases, question, segment)
    version_cases(cases, question)
    if f == 4:
        cases.lost("a wrong header checksum", with_wrong_checksum(question))
    frame_cases(cases, question)
    off_case(cases, question)
    raw_case(cases)


# --- changes -----------------------------------------------------------------

class Way:
    """One direction of a session: what is sent where, how it arrives, and what
    the node knows of whom it is for."""

    def __init__(self, lab, mode, sender, receiver, packet, seen):
        self.lab, self.mode, self.sender = lab, mode, sender
        self.receiver, self.packet, self.seen = receiver, packet, seen
        self.fast = 1
        self.f = f = packet.version
        if sender is lab.client:
            self.target, self.device = HOST[f], "back"
            self.other, self.gateway = lab.server2, SERVER2[f]
            self.near, self.far, where = FRONT[f], BACK[f], "there"
        else:
            self.target, self.device = GUEST[f], "front"
            self.other, self.gateway = lab.client2, CLIENT2[f]
            self.near, self.far, where = BACK[f], FRONT[f], "back"
        self.label = f"{mode} IPv{f} {where}"

    def route(self, verb, how):
        ip(self.lab, "node",
           f"route {verb} {self.target}/{FULL[self.f]} {how}")

    def goes(self, what, port, packet=None, want=None):
        """The next packet arrives at this port, by the way it should take."""
        self.lab.case(f"{self.label}: {what}",
                      [(self.sender, packet or self.packet)],
                      {port: [want or self.seen]},
                      {"fast_packets": self.fast})

    def refused(self, what, packet, want, counter):
        self.lab.case(f"{self.label}: {what}", [(self.sender, packet)], want,
                      {"fast_packets": 0, counter: 1})


def know(target, device, port):
    return (f"neigh replace {target} lladdr {port.mac.hex(':')} dev {device} "
            "nud permanent")


def neighbour_moves(way):
    for what, port in (("another neighbour", way.other),
                       ("the neighbour back", way.receiver)):
        ip(way.lab, "node", know(way.target, way.device, port))
        way.goes(what, port)


def route_moves(way):
    how = f"via {way.gateway} dev {way.device}"
    way.route("add", how)
    way.goes("a gateway", way.other)
    way.route("del", how)
    way.goes("no gateway", way.receiver)


def no_route(way):
    prefix = f"unreachable {way.target}/{FULL[way.f]}"
    ip(way.lab, "node", f"route add {prefix}")
    way.refused("no route", way.packet, {}, "drop_no_route")
    ip(way.lab, "node", f"route del {prefix}")
    way.goes("a route again", way.receiver)


def device_moves(way):
    """A device comes, goes down, comes up, goes."""
    take = (f"route add {way.target}/{FULL[way.f]} dev way src {way.far}",
            know(way.target, "way", way.other))
    ip(way.lab, "node", f"link add link {way.device} name way type vlan id 7",
       "link set way up", *take)
    way.goes("another device", way.other)
    ip(way.lab, "node", "link set way down")
    way.goes("it is down", way.receiver)
    ip(way.lab, "node", "link set way up", *take)
    way.goes("it is up again", way.other)
    ip(way.lab, "node", "link del way")
    way.goes("it is gone", way.receiver)


def mtu_moves(way):
    """Of the device, and of a route."""
    lab, f = way.lab, way.f
    large = way.packet.copy()
    large.payload.payload.load += bytes(LARGE - len(bytes(large)))
    (want,) = lab.exchange([(way.sender, large)])[way.receiver]
    # no less than what every link takes (IPv6)
    mtu = max(LESS - {4: 20, 6: 40}[f], 1280) if way.mode == "tun" else LESS
    error = {way.sender: [icmp_error(TOO_BIG, way.near, large.src, large,
                                     mtu)]}
    prefix = f"{way.target}/{FULL[f]} dev {way.device}"
    for what, less, more in (
            ("the device's MTU", f"link set {way.device} mtu {LESS}",
             f"link set {way.device} mtu {MTU}"),
            ("a route's MTU", f"route add {prefix} mtu lock {LESS}",
             f"route del {prefix}"),
            ("a route's MTU, not locked", f"route add {prefix} mtu {LESS}",
             f"route del {prefix}")):
        ip(lab, "node", less)
        way.refused(f"{what} is too small", large, error, "drop_too_big")
        way.goes(f"{what}: a small packet", way.receiver)
        ip(lab, "node", more)
        way.goes(f"{what} is large again", way.receiver, large, want)


def slow_moves(lab, both):
    """The slow path looks for itself whether a route holds."""
    lab.clb("settings set fast-path off")
    for way in both:
        way.fast, way.label = 0, f"{way.label}, slow"
        route_moves(way)
    lab.clb("settings set fast-path on")


def server_moves(way):
    """Where it goes then, not how: the collector may have been there first."""
    lab, f = way.lab, way.f
    key = f"udp {host(VIP[f])}:{PORT}"
    lab.clb(f"server add {key} {host(SERVER2[f])}:{PORT}")
    lab.clb(f"server down {key} {host(HOST[f])}:{PORT}")

    def judge(got):
        want = {"dr": VIP}.get(way.mode, SERVER2)[f]
        return None if parse(got).dst == want else f"not to {want}"
    lab.case(f"{way.label}: the server is down", [(way.sender, way.packet)],
             {lab.server2: [judge]})


def ways(lab, mode, f):
    """A new session's directions, as far as they pass the node."""
    question = asks(f, client=GUEST)
    (seen,) = lab.exchange([(lab.client, question)])[lab.server]
    there = Way(lab, mode, lab.client, lab.server, question, seen)
    if mode in ("dr", "tun"):
        return [there]
    client = parse(seen)
    fields = {"flags": "DF"} if f == 4 else {}
    reply = (ip_packet(f, HOST[f], client.src, **fields) /
             UDP(sport=PORT, dport=client.sport) / b"answer")
    (seen,) = lab.exchange([(lab.server, reply)])[lab.client]
    return [there, Way(lab, mode, lab.server, lab.client, reply, seen)]


MOVES = (neighbour_moves, route_moves, no_route, device_moves, mtu_moves)


def make_room(lab):
    """For a VLAN's header, in the frames of both sides: a bridge asks its ports
    for the room that one of them wants."""
    for bridge in "front", "back":
        ip(lab, "net", f"link add {bridge}0 type dummy",
           f"link add link {bridge}0 name {bridge}7 type vlan id 7",
           f"link set {bridge}7 master {bridge}")


def moves(lab):
    lab.watch_client2()
    make_room(lab)
    for f in 4, 6:
        ip(lab, "node", know(HOST[f], "back", lab.server),
           know(GUEST[f], "front", lab.client))
        for mode in "nat", "fnat", "dr", "tun":
            listen(lab, f, mode, HOST)
            both = ways(lab, mode, f)
            for way in both:
                for move in MOVES:
                    move(way)
            if mode == "nat":
                slow_moves(lab, both)
            server_moves(both[0])
    for bridge in "front", "back":
        ip(lab, "net", f"link del {bridge}0")


def main():
    tap = Tap()
    lab = Lab(sys.argv[1], tap)
    for name, cases in ("leaves", leaves), ("moves", moves):
        if part(name):
            cases(lab)
    return tap.done()


sys.exit(main())
