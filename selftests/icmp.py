#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""ICMP through the balancer. For test_icmp.sh, which sets the stage.

icmp.py PREFIX		runs all cases in the namespaces PREFIX-*
"""
import struct
import sys

from parts import part
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6

from wire import (BACK, CLIENT, FRONT, SERVER, SERVER2, TIME_EXCEEDED,
                  TOO_BIG, UNREACHABLE_NET, UNREACHABLE_PORT, VIP, Lab, Tap,
                  bad_checksum, forwarded, host, icmp_error, ip_packet,
                  make_icmp_error, parse)

PORT, SERVER_PORT = 53, 5353
CLIENT2 = {4: "192.0.2.12", 6: "2001:db8:c::12"}


class Session:
    """One open session of a mode: what each side sent and saw."""
    last = 30000

    def __init__(self, lab, mode, family, proto, size=64):
        Session.last += 1
        f = self.family = family
        self.sent = (ip_packet(f, CLIENT[f], VIP[f]) /
                     proto(sport=Session.last, dport=PORT) / (b"q" * size))
        got = lab.exchange([(lab.client, self.sent)])[lab.server]
        self.at_server = got[0]
        if mode in ("dr", "tun"):
            return
        seen = parse(got[0])
        self.reply = (ip_packet(f, SERVER[f], seen.src) /
                      proto(sport=SERVER_PORT, dport=seen.sport,
                            **({"flags": "SA", "ack": 1} if proto is TCP
                               else {})) / (b"a" * size))
        self.client_side = seen.src
        self.at_client = lab.exchange([(lab.server,
                                        self.reply)])[lab.client][0]


def hop_less(packet):
    """The packet as it was sent, when it has gone one hop."""
    return forwarded(packet)


def add(lab, mode, family):
    lab.flush()
    lab.clb("local add", BACK[family])
    port = PORT if mode in ("dr", "tun") else SERVER_PORT
    for protocol in "tcp", "udp":
        key = f"{protocol} {host(VIP[family])}:{PORT}"
        lab.clb(f"listener add {key} mode {mode}")
        lab.clb(f"server add {key} {host(SERVER[family])}:{port}")


def two_way_cases(lab, mode, family):
    """Errors reach the other side as if there were no balancer."""
    f, label = family, f"{mode} IPv{family}"
    router = SERVER2[f]
    for proto in UDP, TCP:
        s = Session(lab, mode, f, proto)
        name = f"{label} {proto.__name__}"
        for what, kind, source, mtu in (
                ("port unreachable from the server", UNREACHABLE_PORT,
                 SERVER[f], 0),
                ("time exceeded from a router behind", TIME_EXCEEDED,
                 router, 0),
                ("too big from a router behind", TOO_BIG, router, 1300)):
            error = make_icmp_error(kind, source, s.client_side, s.at_server,
                                    mtu)
            lab.case(f"{name}: {what}", [(lab.server, error)],
                     {lab.client: [icmp_error(kind, VIP[f], CLIENT[f],
                                              hop_less(s.sent), mtu)]},
                     {"icmp_translated": 1})
        for what, kind, source, mtu in (
                ("port unreachable from the client", UNREACHABLE_PORT,
                 CLIENT[f], 0),
                ("time exceeded from a router before", TIME_EXCEEDED,
                 CLIENT2[f], 0),
                ("too big from a router before", TOO_BIG, CLIENT2[f], 1300)):
            error = make_icmp_error(kind, source, VIP[f], s.at_client, mtu)
            lab.case(f"{name}: {what}", [(lab.client, error)],
                     {lab.server: [icmp_error(kind, s.client_side, SERVER[f],
                                              hop_less(s.reply), mtu)]},
                     {"icmp_translated": 1})
        header = len(s.at_server) - len(bytes(parse(s.at_server).payload))
        short = s.at_server[:header + 8]
        error = make_icmp_error(TOO_BIG, router, s.client_side, short, 1300)
        lab.case(f"{name}: 8 bytes behind the quoted header are enough",
                 [(lab.server, error)],
                 {lab.client: [icmp_error(
                     TOO_BIG, VIP[f], CLIENT[f],
                     hop_less(s.sent)[:header + 8], 1300)]})
    wrong_checksum(lab, label, s)


def wrong_checksum(lab, label, s):
    f = s.family
    error = bytearray(bytes(make_icmp_error(
        TOO_BIG, SERVER2[f], s.client_side, s.at_server, 1300)))
    error[-1] ^= 1
    assert bad_checksum(bytes(error))
    lab.case(f"{label}: wrong checksum from the server's side",
             [(lab.server, bytes(error))], {}, {"drop_checksum": 1})
    error = bytearray(bytes(make_icmp_error(
        TOO_BIG, CLIENT2[f], VIP[f], s.at_client, 1300)))
    error[-1] ^= 1
    lab.case(f"{label}: wrong checksum from the client's side",
             [(lab.client, bytes(error))], {}, {"drop_checksum": 1})


def one_way_cases(lab, mode, family):
    """Servers that answer themselves still hear of their replies."""
    f = family
    s = Session(lab, mode, f, UDP)
    reply = (ip_packet(f, VIP[f], CLIENT[f], hops=60) /
             UDP(sport=PORT, dport=s.sent.sport) / b"large answer")
    error = make_icmp_error(TOO_BIG, CLIENT2[f], VIP[f], reply, 1300)
    want = forwarded(error)

    def inside(got):
        if mode == "tun":
            got = got[20 if f == 4 else 40:]
        return None if got == want else f"not {want.hex()}"
    lab.case(f"{mode} IPv{f}: an error about a reply reaches the server",
             [(lab.client, error)], {lab.server: [inside]})


def unrelated_cases(lab, family):
    f = family
    quoted = (ip_packet(f, SERVER2[f], CLIENT[f]) /
              UDP(sport=5, dport=6) / b"not ours")
    error = make_icmp_error(UNREACHABLE_PORT, CLIENT[f], SERVER2[f], quoted)
    lab.case(f"IPv{f}: an error about other traffic: untouched",
             [(lab.client, error)], {lab.server2: [forwarded(error)]})
    error = make_icmp_error(UNREACHABLE_PORT, CLIENT[f], SERVER[f],
                            bytes(quoted)[:30])
    lab.case(f"IPv{f}: an error that quotes too little: untouched",
             [(lab.client, error)], {lab.server: [forwarded(error)]})


def oversize(family, size, **fields):
    """From the client, so many bytes long."""
    f, head = family, (20 if family == 4 else 40) + 8
    Session.last += 1
    return (ip_packet(f, CLIENT[f], VIP[f], **fields) /
            UDP(sport=Session.last, dport=PORT) / (b"x" * (size - head)))


def too_big_case(lab, name, family, size, mtu):
    """The node answers; one byte less would have been forwarded."""
    f = family
    df = {"flags": "DF"} if f == 4 else {}
    packet = oversize(f, size, **df)
    lab.case(f"{name}: {size} bytes are too big", [(lab.client, packet)],
             {lab.client: [icmp_error(TOO_BIG, FRONT[f], CLIENT[f], packet,
                                      mtu)]}, {"drop_too_big": 1})
    fits = oversize(f, mtu, **df)
    lab.case(f"{name}: {mtu} bytes are forwarded", [(lab.client, fits)],
             {lab.server: [lambda got: None if bytes(fits)[-900:] ==
                           got[-900:] else "other data"]})


def joined(fragments):
    """The payload of a packet from its fragments, in their order."""
    whole = b""
    for fragment in fragments:
        version = fragment[0] >> 4
        if version == 4:
            offset = struct.unpack("!H", fragment[6:8])[0] * 8 & 0xffff
            data = fragment[(fragment[0] & 15) * 4:]
        else:
            assert fragment[6] == 44
            offset = struct.unpack("!H", fragment[42:44])[0] & 0xfff8
            data = fragment[48:]
        assert offset == len(whole), "a gap or an overlap"
        whole += data
    return whole


def fragmented_case(lab, name, packet):
    """Larger than the link, may be fragmented: arrives as fragments."""
    lab.tap.count += 1
    got = lab.exchange([(lab.client, packet)])
    data = bytes(packet)[20:]
    whole = joined(got[lab.server]) if len(got[lab.server]) > 1 else b""
    passed = whole.endswith(data[8:]) and not got[lab.client]
    lab.tap.count -= 1
    lab.tap.ok(passed, name, f"{len(got[lab.server])} packets at the server, "
               f"{len(got[lab.client])} at the client")


def size_cases(lab, mode, family):
    f, label = family, f"{mode} IPv{family}"
    too_big_case(lab, f"{label}, link of 1400", f, 1401, 1400)
    if f == 4:
        fragmented_case(lab, f"{label}, link of 1400: without DF 1450 bytes "
                        "are fragmented", oversize(4, 1450))


def tunnel_size_cases(lab):
    """Links of 1500."""
    for f in 4, 6:
        for outer in 4, 6:
            lab.family = f
            lab.flush()
            key = f"udp {host(VIP[f])}:{PORT}"
            lab.clb(f"listener add {key} mode tun")
            lab.clb(f"server add {key} {host(SERVER[outer])}:{PORT}")
            name = f"tun IPv{f} in IPv{outer}"
            mtu = 1480 if outer == 4 else 1460
            too_big_case(lab, name, f, mtu + 1, mtu)
            if f == 4:
                fragmented_case(lab, f"{name}: without DF 1490 bytes are "
                                "fragmented", oversize(4, 1490))


def tunnel_error_cases(lab, family):
    """A router between node and server tells of a smaller link."""
    f = family
    add(lab, "tun", f)
    got = lab.exchange([(lab.client, oversize(f, 1400, **(
        {"flags": "DF"} if f == 4 else {})))])[lab.server]
    mtu = 1360
    error = make_icmp_error(TOO_BIG, SERVER2[f], BACK[f], got[0], mtu)
    lab.case(f"tun IPv{f}: an error about the tunnel stays on the node",
             [(lab.server, error)], {})
    inner = mtu - (20 if f == 4 else 40)
    too_big_case(lab, f"tun IPv{f}, path of {mtu}", f, inner + 1, inner)


def ping_cases(lab, what, counted):
    for f in 4, 6:
        lab.family = f
        add(lab, "nat", f)
        ping = ip_packet(f, CLIENT[f], VIP[f], hops=9)
        pong = ip_packet(f, VIP[f], CLIENT[f], hops=64)
        data = bytes(range(56))
        if f == 4:
            ping = ping / ICMP(id=7, seq=8) / data
            pong = pong / ICMP(type=0, id=7, seq=8) / data
        else:
            ping = ping / ICMPv6EchoRequest(id=7, seq=8, data=data)
            pong = pong / ICMPv6EchoReply(id=7, seq=8, data=data)
        skip = 12 if f == 4 else 8      # ID, flow label are free

        def same(got, want=bytes(pong), skip=skip):
            if bad_checksum(got):
                return "wrong checksum"
            return None if got[skip:] == want[skip:] else "other bytes"
        lab.case(f"ping of a VIP {what}, IPv{f}", [(lab.client, ping)],
                 {lab.client: [same]}, {"echo_replies": counted})
    lab.family = 4


def no_vip_case(lab):
    other = IP(src=CLIENT[4], dst="203.0.113.99") / ICMP()
    lab.case("ping of no VIP is not answered", [(lab.client, other)],
             {lab.client: [icmp_error(UNREACHABLE_NET, FRONT[4], CLIENT[4],
                                      other)]}, {"echo_replies": 0})


def main():
    tap = Tap()
    lab = Lab(sys.argv[1], tap)
    for f in 4, 6:
        lab.family = f
        for mode in "nat", "fnat":
            if part(f"{mode}{f}"):
                add(lab, mode, f)
                two_way_cases(lab, mode, f)
        if part("unrelated"):
            add(lab, "fnat", f)
            unrelated_cases(lab, f)
        for mode in "dr", "tun":
            if part(f"{mode}{f}"):
                add(lab, mode, f)
                one_way_cases(lab, mode, f)
    if part("ping"):
        ping_cases(lab, "that is no address of the node", 1)
        no_vip_case(lab)
    if part("tunnels"):
        tunnel_size_cases(lab)
        for f in 4, 6:
            lab.family = f
            tunnel_error_cases(lab, f)
    lab.in_node("ip route flush cache; ip -6 route flush cache; "
                "ip link set back mtu 1400")
    for f in 4, 6:
        lab.family = f
        for mode in "nat", "fnat", "dr":
            if part("sizes"):
                add(lab, mode, f)
                size_cases(lab, mode, f)
    lab.in_node(f"ip addr add {VIP[4]}/32 dev lo; "
                f"ip addr add {VIP[6]}/128 dev lo nodad")
    if part("ping"):
        ping_cases(lab, "that is an address of the node", 0)
    return tap.done()


sys.exit(main())
