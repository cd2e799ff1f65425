#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""Fragments through the balancer. For test_fragments.sh, which sets the stage.

fragments.py PREFIX	runs all cases in the namespaces PREFIX-*
"""
import json
import struct
import sys
import time

from parts import part
from scapy.layers.inet import TCP, UDP
from scapy.utils import checksum

from wire import (BACK, CLIENT, SERVER, SERVER2, TIMEOUT, TOO_BIG, FRONT, VIP,
                  Lab, Tap, forwarded, host, icmp_error, ip_packet, parse)

PORT, SERVER_PORT = 53, 5353
# not all fragments came in time
REASSEMBLY_EXCEEDED = {4: (11, 1), 6: (3, 1)}


class Last:
    """Every datagram has an ID, every session a port of its own."""
    number = 40000

    @classmethod
    def next(cls):
        cls.number += 1
        return cls.number


def fragment4(packet, first, last, identity):
    header = bytearray(packet[:20])
    data = packet[20 + first:20 + last]
    more = last < len(packet) - 20
    struct.pack_into("!HHH", header, 2, 20 + len(data), identity & 0xffff,
                     first // 8 | (0x2000 if more else 0))
    struct.pack_into("!H", header, 10, 0)
    struct.pack_into("!H", header, 10, checksum(bytes(header)))
    return bytes(header) + data


def fragment6(packet, first, last, identity):
    header = bytearray(packet[:40])
    data = packet[40 + first:40 + last]
    more = last < len(packet) - 40
    next_header = header[6]
    header[6] = 44
    struct.pack_into("!H", header, 4, 8 + len(data))
    return bytes(header) + struct.pack("!BBHI", next_header, 0,
                                       first | more, identity) + data


def cut(packet, *ends):
    """A packet in fragments that end at these bytes of its payload."""
    packet = bytes(packet)
    make, head = ((fragment4, 20) if packet[0] >> 4 == 4 else (fragment6, 40))
    identity = Last.next()
    ends = [0, *ends, len(packet) - head]
    return [make(packet, a, b, identity) for a, b in zip(ends, ends[1:])]


def joined(fragments):
    """The payload of a packet from its fragments, or why there is none."""
    parts = {}
    for fragment in fragments:
        if fragment[0] >> 4 == 4:
            offset = (struct.unpack("!H", fragment[6:8])[0] & 0x1fff) * 8
            parts[offset] = fragment[20:]
        elif fragment[6] == 44:
            offset = struct.unpack("!H", fragment[42:44])[0] & 0xfff8
            parts[offset] = fragment[48:]
        else:
            return f"not a fragment: {fragment[:48].hex()}"
    whole = b""
    for offset in sorted(parts):
        if offset != len(whole):
            return f"a gap or an overlap at {offset}"
        whole += parts[offset]
    return whole


def payload(packet):
    return packet[20:] if packet[0] >> 4 == 4 else packet[40:]


class Mode:
    def __init__(self, lab, mode, family):
        self.lab, self.mode, self.family = lab, mode, family
        self.label = f"{mode} IPv{family}"
        self.two_way = mode in ("nat", "fnat")
        lab.family = family
        lab.flush()
        lab.clb("local add", BACK[family])
        self.listen("udp")

    def listen(self, protocol):
        key = f"{protocol} {host(VIP[self.family])}:{PORT}"
        self.lab.clb(f"listener add {key} mode {self.mode}")
        self.lab.clb(f"server add {key} {host(SERVER[self.family])}:"
                     f"{SERVER_PORT if self.two_way else PORT}")

    def question(self, size=3000):
        return self.packet(UDP(sport=Last.next(), dport=PORT), size)

    def packet(self, transport, size):
        return (ip_packet(self.family, CLIENT[self.family], VIP[self.family]) /
                transport / bytes(i * 7 & 255 for i in range(size)))

    def at_server(self, packet, sport=None):
        """The transport part the server must get."""
        f = self.family
        return payload(forwarded(
            packet, src=BACK[f] if self.mode == "fnat" else None, sport=sport,
            dst=SERVER[f] if self.two_way else None,
            dport=SERVER_PORT if self.two_way else None))

    def datagrams(self, got):
        """Whole datagrams from what the server got."""
        f, sets = self.family, {}
        for packet in got:
            key = packet[4:6] if f == 4 else packet[44:48]
            sets.setdefault(key, []).append(packet)
        whole = [joined(fragments) for fragments in sets.values()]
        if self.mode == "tun":
            whole = [payload(p) for p in whole]
        return whole

    def wanted(self, questions, whole):
        if self.mode != "fnat":
            return [self.at_server(q) for q in questions]
        ports = [struct.unpack("!H", w[:2])[0] for w in whole]
        return [self.at_server(q, p) for q, p in zip(questions, ports)]

    def arrive(self, what, questions, fragments):
        """All questions arrive whole, in the order of their last fragment."""
        got = self.lab.exchange([(self.lab.client, p) for p in fragments])
        whole = self.datagrams(got[self.lab.server])
        passed = (not any(isinstance(w, str) for w in whole) and
                  whole == self.wanted(questions, whole))
        self.lab.tap.ok(passed, f"{self.label}: {what}",
                        f"{len(got[self.lab.server])} packets, "
                        f"{len(whole)} datagrams {str(whole)[:200]}")
        return got[self.lab.server]

    def nothing(self, what, fragments, counts=None):
        self.lab.case(f"{self.label}: {what}",
                      [(self.lab.client, p) for p in fragments], {}, counts)

    def traffic(self):
        (listener,) = json.loads(self.lab.clb("stats listener"))
        return {key: listener[key] for key in
                ("in_packets", "in_bytes", "out_packets", "out_bytes")}


def order_cases(mode):
    a, b = mode.question(), mode.question()
    mode.arrive("in order", [a], cut(a, 1000, 2000))
    first, second, third = cut(a, 1000, 2000)
    mode.arrive("out of order", [a], [third, first, second])
    mode.arrive("last first", [a], [third, second, first])
    x, y = cut(a, 1200, 2400), cut(b, 1200, 2400)
    mode.arrive("two datagrams interleaved", [a, b],
                [x[0], y[2], x[2], y[0], x[1], y[1]])
    mode.arrive("a fragment twice", [a], [first, second, second, third])


def tcp_case(mode):
    """A connection that begins with data, which may come in fragments."""
    mode.listen("tcp")
    syn = mode.packet(TCP(sport=Last.next(), dport=PORT, seq=1000), 3000)
    mode.arrive("TCP", [syn], cut(syn, 1000, 2000))


def keep_fragments(lab, seconds4, seconds6):
    """How long the kernel waits for the others."""
    lab.in_node(f"sysctl -qw net.ipv4.ipfrag_time={seconds4} "
                f"net.netfilter.nf_conntrack_frag6_timeout={seconds6}")


def given_up(mode):
    """How many datagrams the kernel waited for in vain."""
    name = "IpReasmTimeout" if mode.family == 4 else "Ip6ReasmTimeout"
    return int(mode.lab.in_node(f"nstat -asz {name}").split()[-2])


def lost_case(mode, what, fragments, answer):
    """What does not become whole is the kernel's to keep and to give up."""
    lab, before = mode.lab, given_up(mode)

    def wait():
        end = time.monotonic() + TIMEOUT
        while given_up(mode) == before and time.monotonic() < end:
            time.sleep(0.1)
    lab.case(f"{mode.label}: {what}", [(lab.client, p) for p in fragments],
             {lab.client: answer},
             {"fragments": 0, "drop_fragment": 0, "sessions_created": 0}, wait)
    lab.tap.equal(f"{mode.label}: {what}: given up in the end",
                  given_up(mode) - before, 1)


def lost_cases(mode):
    first, *_ = cut(mode.question(), 1000, 2000)
    _, *others = cut(mode.question(), 1000, 2000)
    keep_fragments(mode.lab, 1, 1)
    lost_case(mode, "first fragment alone", [first],
              [icmp_error(REASSEMBLY_EXCEEDED, FRONT[mode.family],
                          CLIENT[mode.family], first)])
    lost_case(mode, "all but the first", others, [])
    keep_fragments(mode.lab, 30, 60)


def refused_cases(mode):
    a = mode.question()
    make = fragment4 if mode.family == 4 else fragment6
    identity = Last.next()
    overlap = [make(bytes(a), *ends, identity)
               for ends in ((0, 1000), (992, 2000), (2000, 3008))]
    mode.nothing("overlapping fragments, which are counted", overlap[:2],
                 {"drop_fragment": 1})
    b = mode.question()
    mode.arrive("others still pass", [b], cut(b, 1000, 2000))


def reply_case(mode, what, size, *ends, send=lambda fragments: fragments):
    """The server's reply in fragments; counters equal the wire."""
    f, lab = mode.family, mode.lab
    ask = mode.question(5)
    got = lab.exchange([(lab.client, ask)])[lab.server]
    seen = parse(got[0])
    reply = (ip_packet(f, SERVER[f], seen.src) /
             UDP(sport=SERVER_PORT, dport=seen[UDP].sport) /
             bytes(i * 5 & 255 for i in range(size)))
    before = mode.traffic()
    got = lab.exchange([(lab.server, p) for p in send(cut(reply, *ends))])
    got = got[lab.client]
    want = payload(forwarded(reply, src=VIP[f], sport=PORT, dst=CLIENT[f],
                             dport=ask[UDP].sport))
    lab.tap.ok(joined(got) == want, f"{mode.label}: reply {what}",
               f"{len(got)} packets")
    after = mode.traffic()
    lab.tap.equal(f"{mode.label}: reply {what}: metered as on the wire",
                  [after[k] - before[k] for k in ("out_packets", "out_bytes")],
                  [len(got), sum(map(len, got))])


def request_metering(mode, what, size, *ends):
    ask = mode.question(size)
    fragments = cut(ask, *ends)
    before = mode.traffic()
    mode.lab.exchange([(mode.lab.client, p) for p in fragments])
    after = mode.traffic()
    mode.lab.tap.equal(
        f"{mode.label}: request {what}: metered as on the wire",
        [after[k] - before[k] for k in ("in_packets", "in_bytes")],
        [len(fragments), sum(map(len, fragments))])


def reply_cases(mode):
    reply_case(mode, "in even fragments", 3000, 1000, 2000)
    reply_case(mode, "in uneven fragments", 3000, 600, 2000, 2400, 2600)
    reply_case(mode, "out of order", 3000, 1400, 2800,
               send=lambda fragments: fragments[::-1])
    reply_case(mode, "in small fragments", 3000, *range(200, 3000, 200))


def one_hop(packet):
    """As a router passes it on, its payload no concern."""
    new = bytearray(packet)
    if packet[0] >> 4 == 6:
        new[7] -= 1
        return bytes(new)
    new[8] -= 1
    struct.pack_into("!H", new, 10, 0)
    struct.pack_into("!H", new, 10, checksum(bytes(new[:20])))
    return bytes(new)


def transit_cases(lab, family):
    f = family
    lab.family = f
    packet = (ip_packet(f, CLIENT[f], SERVER2[f]) /
              UDP(sport=1, dport=PORT) / (b"transit " * 400))
    fragments = cut(packet, 1000, 2000)
    fragments = [fragments[2], fragments[0], fragments[0], fragments[1]]
    lab.case(f"IPv{f}: fragments of other traffic: untouched",
             [(lab.client, p) for p in fragments],
             {lab.server2: [one_hop(p) for p in fragments]})


def narrow_cases(lab):
    """Fragments larger than the link on the server's side."""
    lab.in_node("ip link set back mtu 1300")
    mode = Mode(lab, "nat", 4)
    ask = mode.question()
    mode.arrive("fragments of 1420 bytes through a link of 1300", [ask],
                cut(ask, 1400, 2800))
    mode = Mode(lab, "nat", 6)
    fragments = cut(mode.question(), 1400, 2800)

    def judge(got):
        return icmp_error(TOO_BIG, FRONT[6], CLIENT[6], got[48:], 1300)(got)
    lab.case("nat IPv6: fragments of 1448 bytes to a link of 1300: too big",
             [(lab.client, p) for p in fragments], {lab.client: [judge]},
             {"drop_too_big": 1})


def main():
    tap = Tap()
    lab = Lab(sys.argv[1], tap)
    for kind in "nat", "fnat", "dr", "tun":
        for f in 4, 6:
            if not part(f"{kind}{f}"):
                continue
            mode = Mode(lab, kind, f)
            order_cases(mode)
            if kind == "nat":
                lost_cases(mode)
                refused_cases(mode)
                transit_cases(lab, f)
            request_metering(mode, "in even fragments", 3000, 1000, 2000)
            request_metering(mode, "in uneven fragments", 3000,
                             600, 2000, 2400, 2600)
            if mode.two_way:
                reply_cases(mode)
            tcp_case(mode)
    if part("narrow"):
        narrow_cases(lab)
    return tap.done()


sys.exit(main())
