#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""Packet in, verdict, packet out. For test_packets.sh, which sets the stage.

packets.py PREFIX	runs all cases, or some (see PARTS), in the
			namespaces PREFIX-*
"""
import functools
import socket
import struct
import sys

from parts import part
from scapy.layers.inet import (IP, TCP, UDP, IPOption, IPOption_LSRR,
                               IPOption_NOP, IPOption_RR, IPOption_SSRR)
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, PadN)

from wire import (BACK, CLIENT, FRONT, SERVER, SERVER2, TIME_EXCEEDED,
                  UNREACHABLE_NET, VIP, Lab, Tap, forwarded, host, icmp_error,
                  ip_packet, layer4)

TCP_PORT, UDP_PORT = 80, 53
SERVER_TCP_PORT, SERVER_UDP_PORT = 8080, 5353   # NAT and FNAT translate ports
DSCP_ECN = 0xba                                 # EF, ECT(0)


class Ports:
    """Each case opens a session of its own."""
    last = 20000

    @classmethod
    def next(cls):
        cls.last += 1
        return cls.last


def tcp(family, flags="S", payload=b"", hops=64, sport=None, **fields):
    """From the client to the listener."""
    return (ip_packet(family, CLIENT[family], VIP[family], hops, **fields) /
            TCP(sport=sport or Ports.next(), dport=TCP_PORT, flags=flags,
                seq=0x11223344, ack=0x55667788 if "A" in flags else 0,
                options=[("MSS", 1400)] if "S" in flags else []) / payload)


def udp(family, payload=b"question", hops=64, sport=None, **fields):
    """From the client to the listener."""
    return (ip_packet(family, CLIENT[family], VIP[family], hops, **fields) /
            UDP(sport=sport or Ports.next(), dport=UDP_PORT) / payload)


def add_listeners(lab, mode, family):
    vip, server = host(VIP[family]), host(SERVER[family])
    direct = mode in ("dr", "tun")
    for protocol, port, to in (("tcp", TCP_PORT, SERVER_TCP_PORT),
                               ("udp", UDP_PORT, SERVER_UDP_PORT)):
        key = f"{protocol} {vip}:{port}"
        lab.clb(f"listener add {key} mode {mode}")
        lab.clb(f"server add {key} {server}:{port if direct else to}")


class Mode:
    """What a mode makes of packets. all_ports: that of the server is the
    packet's."""

    def __init__(self, lab, mode, family, all_ports=False):
        self.lab, self.mode, self.family = lab, mode, family
        self.label = f"{mode} IPv{family}"
        self.two_way = mode in ("nat", "fnat")
        self.all_ports = all_ports

    def server_port(self, packet):
        if not self.two_way or self.all_ports:
            return None
        return SERVER_TCP_PORT if packet.haslayer(TCP) else SERVER_UDP_PORT

    def wrapped(self, inner, outer):
        """In the tunnel; the ID of what may be cut up is the node's to choose."""
        tos = inner[1]
        if self.family == 4:
            df = "DF" if inner[6] & 0x40 else 0
            return bytes(IP(src=BACK[4], dst=SERVER[4], ttl=inner[8], tos=tos,
                            id=0 if df else IP(outer).id, flags=df,
                            proto=4) / inner)
        traffic_class = (inner[0] & 15) << 4 | inner[1] >> 4
        return bytes(IPv6(src=BACK[6], dst=SERVER[6], hlim=inner[7],
                          tc=traffic_class, nh=41) / inner)

    def arrives(self, packet):
        """A check of what the server gets, for Lab.case()."""
        f = self.family

        def judge(got):
            port = None
            if self.mode == "fnat":
                l4 = layer4((IP if f == 4 else IPv6)(got))
                port = l4.sport if l4 else None
            self.client_port = port or self.client_port
            want = forwarded(packet,
                             src=BACK[f] if self.mode == "fnat" else None,
                             sport=port,
                             dst=SERVER[f] if self.two_way else None,
                             dport=self.server_port(packet))
            if self.mode == "tun":
                want = self.wrapped(want, got)
            return None if got == want else f"not {want.hex()}"
        return judge

    def forward(self, what, packet, counts=None):
        """A case: the packet goes to the server."""
        self.client_port = layer4(packet).sport	# unless the server tells
        return self.lab.case(f"{self.label}: {what}",
                             [(self.lab.client, packet)],
                             {self.lab.server: [self.arrives(packet)]}, counts)

    def drop(self, what, packet, counter):
        self.lab.case(f"{self.label}: {what}", [(self.lab.client, packet)],
                      {}, {counter: 1})

    def answer(self, what, packet, **changes):
        """A case: the server's answer to packet, which goes to the client."""
        f, l4 = self.family, layer4(packet)
        client = BACK[f] if self.mode == "fnat" else CLIENT[f]
        fields = {"sport": self.server_port(packet) or l4.dport,
                  "dport": self.client_port}
        if isinstance(l4, TCP):
            fields.update(flags="SA", seq=1000, ack=l4.seq + 1)
        reply = (ip_packet(f, SERVER[f], client, **changes) /
                 type(l4)(**fields) / (b"" if "flags" in fields else b"answer"))
        self.lab.case(f"{self.label}: {what}", [(self.lab.server, reply)],
                      {self.lab.client: [
                          forwarded(reply, src=VIP[f], dst=CLIENT[f],
                                    sport=l4.dport, dport=l4.sport)]})


def dscp(family, value):
    return {"tos": value} if family == 4 else {"tc": value}


def checksum_wraps(mode, family):
    """A payload that makes the checksum at the server 0, sent as 0xffff."""
    packet = udp(family, b"\0\0")
    seen = {}

    def note(got):
        seen["sum"] = layer4((IP if family == 4 else IPv6)(got)).chksum
    mode.lab.exchange([(mode.lab.client, packet)])
    got = mode.lab.exchange([(mode.lab.client, packet)])[mode.lab.server]
    note(got[0])
    layer4(packet).payload.load = seen["sum"].to_bytes(2, "big")
    mode.forward("UDP checksum that becomes 0 is 0xffff", packet)


def common_cases(mode):
    """Every mode, both families."""
    f = mode.family
    syn = tcp(f)
    mode.forward("TCP SYN", syn)
    if mode.two_way:
        mode.answer("SYN+ACK back", syn)
    sport = layer4(syn).sport
    for flags in "A", "PA", "PAU", "PAEC", "FA", "RA":
        mode.forward(f"TCP flags {flags}",
                     tcp(f, flags, b"x" * len(flags), sport=sport))
    question = udp(f)
    mode.forward("UDP", question)
    if mode.two_way:
        mode.answer("UDP back", question)
        mode.answer("UDP back, DSCP and ECN kept", question,
                    **dscp(f, DSCP_ECN))
    mode.forward("UDP without data", udp(f, b""))
    mode.forward("UDP of odd length", udp(f, b"odd"))
    mode.forward("DSCP and ECN kept", udp(f, **dscp(f, DSCP_ECN)))
    mode.forward("TTL 2 is forwarded with 1", udp(f, hops=2))
    late = udp(f, hops=1)
    mode.lab.case(f"{mode.label}: TTL 1 is answered, the packet quoted",
                  [(mode.lab.client, late)],
                  {mode.lab.client: [icmp_error(TIME_EXCEEDED, FRONT[f],
                                                CLIENT[f], late)]},
                  {"drop_ttl": 1})


def ipv4_cases(mode):
    mode.forward("DF kept", udp(4, flags="DF"))
    mode.forward("ID kept", udp(4, id=0xbeef))
    none = udp(4)
    layer4(none).chksum = 0
    mode.forward("UDP checksum 0 stays 0", none)
    mode.forward("record route and NOP kept",
                 udp(4, options=[IPOption_NOP(), IPOption_RR(
                     routers=["0.0.0.0"] * 3), IPOption(b"\0")]))
    mode.drop("loose source route is dropped",
              tcp(4, options=[IPOption_LSRR(routers=["192.0.2.9"])]),
              "drop_source_route")
    mode.drop("strict source route behind a NOP is dropped",
              udp(4, options=[IPOption_NOP(),
                              IPOption_SSRR(routers=["192.0.2.9"])]),
              "drop_source_route")


def tunnel_ident_cases(mode):
    """What may be cut up on its way is told apart (RFC 6864, section 4.3)."""
    seen = []

    def new(got):
        seen.append(IP(got).id)
        return None if len(set(seen)) == len(seen) else f"IDs {seen}"

    flow = udp(4)
    mode.lab.case(f"{mode.label}: outer IDs differ",
                  [(mode.lab.client, flow)] * 4, {mode.lab.server: [new] * 4})


def extended(chain, packet):
    """An IPv6 packet with extension headers put in."""
    new = IPv6(src=packet.src, dst=packet.dst, hlim=packet.hlim)
    for header in chain:
        new = new / header
    return new / packet.payload


def ipv6_cases(mode):
    pad = IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])
    hop = IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])
    flow = udp(6)
    flow.fl = 0x12345
    mode.forward("flow label kept", flow)
    for make in tcp, udp:
        near = make(6)
        near.src = "fe80::99"
        mode.drop(f"{make.__name__} of a link-local address is dropped", near,
                  "drop_malformed")
    mode.forward("hop-by-hop options", extended([hop], tcp(6)))
    mode.forward("destination options", extended([pad], udp(6)))
    mode.forward("long destination options", extended(
        [IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 252)])], udp(6)))
    mode.forward("8 extension headers", extended([hop] + [pad] * 7, udp(6)))
    mode.drop("9 extension headers are dropped",
              extended([hop] + [pad] * 8, udp(6)), "drop_malformed")
    mode.forward("atomic fragment",
                 extended([IPv6ExtHdrFragment(id=77)], udp(6)))


def cut(packet, length):
    """The packet ends after so many bytes of payload, and says so."""
    new = (IP if packet.version == 4 else IPv6)(bytes(packet))
    header = len(new) - len(new.payload)
    data = bytes(new.payload)[:length]
    new.remove_payload()
    if new.version == 4:
        proto = new.proto
        del new.len, new.chksum
        new = new / data
        new.proto = proto
    else:
        nh = new.nh
        del new.plen
        new = new / data
        new.nh = nh
    assert len(bytes(new)) == header + len(data)
    return new


def malformed_cases(mode):
    f = mode.family
    bad = tcp(f)
    layer4(bad).dataofs = 4
    mode.drop("TCP header length below 20", bad, "drop_malformed")
    bad = tcp(f, "A")
    layer4(bad).dataofs = 6
    mode.drop("TCP header longer than the packet", bad, "drop_malformed")
    mode.drop("TCP header cut short", cut(tcp(f), 19), "drop_malformed")
    mode.drop("TCP ports cut short", cut(tcp(f), 3), "drop_malformed")
    mode.drop("UDP header cut short", cut(udp(f), 7), "drop_malformed")
    mode.drop("no transport header", cut(udp(f), 0), "drop_malformed")
    if f == 4:
        short = bytearray(bytes(udp(4)))
        short[0] = 0x44
        mode.lab.case(f"{mode.label}: IP header length below 20",
                      [(mode.lab.client, bytes(short))], {})
        short[0] = 0x4f
        mode.lab.case(f"{mode.label}: IP header longer than the packet",
                      [(mode.lab.client, bytes(short))], {})
    else:
        pad = IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])
        mode.drop("extension header cut short",
                  cut(extended([pad], udp(6)), 5), "drop_malformed")
        long = extended([pad], udp(6))
        long[IPv6ExtHdrDestOpt].len = 200
        mode.drop("extension header longer than the packet", long,
                  "drop_malformed")


def untouched_cases(lab, family):
    """What is not the balancer's; NAT listeners are there."""
    f = family
    label = f"IPv{f}: "
    c, s = lab.client, lab.server
    to2 = ip_packet(f, CLIENT[f], SERVER2[f]) / UDP(sport=1, dport=53) / b"x"
    lab.case(label + "to a host that is no server: untouched", [(c, to2)],
             {lab.server2: [forwarded(to2)]})
    bad = cut(to2, 7)
    lab.case(label + "malformed, to no address of ours: untouched",
             [(c, bad)], {lab.server2: [forwarded(bad)]})
    for proto in TCP(sport=7, dport=99), UDP(sport=7, dport=99):
        direct = ip_packet(f, CLIENT[f], SERVER[f]) / proto
        lab.case(label + f"{proto.name} to a server's own address: untouched",
                 [(c, direct)], {s: [forwarded(direct)]})
        own = ip_packet(f, SERVER[f], CLIENT[f]) / proto
        lab.case(label + f"{proto.name} of a server's own: untouched",
                 [(s, own)], {c: [forwarded(own)]})
    own = (ip_packet(f, SERVER[f], CLIENT[f]) /
           TCP(sport=SERVER_TCP_PORT, dport=4242, flags="SA"))
    lab.case(label + "from a server's port, of no session: untouched",
             [(s, own)], {c: [forwarded(own)]})
    other = (ip_packet(f, CLIENT[f], VIP[f]) /
             UDP(sport=7, dport=TCP_PORT) / b"no listener")
    lab.case(label + "to another port of the VIP: left to the kernel",
             [(c, other)],
             {c: [icmp_error(UNREACHABLE_NET, FRONT[f], CLIENT[f], other)]})


def reset_for(packet, family):
    """The one right answer to a stray TCP packet (RFC 9293, 3.10.7.1)."""
    th = packet[TCP]
    flags = th.flags
    if "A" in flags:
        fields = {"flags": "R", "seq": th.ack, "ack": 0}
    else:
        size = len(th.payload) + ("S" in flags) + ("F" in flags)
        fields = {"flags": "RA", "seq": 0, "ack": th.seq + size}
    ip = ip_packet(family, VIP[family], CLIENT[family])
    if family == 4:
        ip.flags, ip.id = "DF", 0
    return ip / TCP(sport=th.dport, dport=th.sport, window=0, **fields)


def stray_cases(mode):
    f, lab = mode.family, mode.lab
    for flags, payload in (("A", b""), ("A", b"some data"), ("FA", b""),
                           ("SA", b""), ("F", b""), ("P", b"four"), ("", b"")):
        stray = tcp(f, flags, payload)
        lab.case(f"{mode.label}: stray TCP flags '{flags}', {len(payload)} "
                 "bytes: reset", [(lab.client, stray)],
                 {lab.client: [reset_for(stray, f)]},
                 {"resets_sent": 1, "drop_no_session": 1})
    for flags in "R", "RA":
        lab.case(f"{mode.label}: stray TCP flags '{flags}': no reset",
                 [(lab.client, tcp(f, flags))], {},
                 {"resets_sent": 0, "drop_no_session": 1})


def silent_cases(mode):
    lab, f = mode.lab, mode.family
    lab.clb(f"listener set tcp {host(VIP[f])}:{TCP_PORT} reset off")
    lab.case(f"{mode.label}: stray TCP, reset off: silence",
             [(lab.client, tcp(f, "A"))], {},
             {"resets_sent": 0, "drop_no_session": 1})


def all_ports_cases(lab):
    for kind in "nat", "fnat", "dr", "tun":
        for f in 4, 6:
            lab.family = f
            lab.flush()
            lab.clb("local add", BACK[f])
            all_ports_mode(Mode(lab, kind, f, all_ports=True))


def all_ports_mode(mode):
    lab, f, vip = mode.lab, mode.family, VIP[mode.family]
    for protocol in "tcp", "udp":
        key = f"{protocol} {host(vip)}"
        lab.clb(f"listener add {key}:all mode {mode.mode}")
        lab.clb(f"server add {key}:all {SERVER[f]}")
        lab.clb(f"listener add {key}:{TCP_PORT} mode nat")
        lab.clb(f"server add {key}:{TCP_PORT} {SERVER2[f]}")
    for proto in TCP, UDP:
        for port in 1, 443, 65535:
            packet = (ip_packet(f, CLIENT[f], vip) /
                      proto(sport=Ports.next(), dport=port))
            name = f"all ports: {proto.__name__} {port}"
            mode.forward(name, packet)
            if mode.two_way:
                mode.answer(f"{name} back", packet)
        packet = (ip_packet(f, CLIENT[f], vip) /
                  proto(sport=Ports.next(), dport=TCP_PORT))
        lab.case(f"{mode.label}: all ports: {proto.__name__} {TCP_PORT} has a "
                 "listener of its own", [(lab.client, packet)],
                 {lab.server2: [forwarded(packet, dst=SERVER2[f])]})


def tracked(lab):
    """Packets that connection tracking saw, right behind it: of what is never
    confirmed its table knows nothing."""
    return int(lab.in_node(
        "nft list counter inet t tracked | awk '/packets/ {print $2}'"))


def conntrack_cases(lab):
    """The node tracks connections, and masquerades: but not ours."""
    lab.in_node("""
	nft add table inet t
	nft add counter inet t tracked
	nft add chain inet t pre '{ type filter hook prerouting priority -199; }'
	nft add rule inet t pre meta l4proto { tcp, udp } th dport != 9 ct state new \\
		counter name tracked
	nft add chain inet t post '{ type nat hook postrouting priority 100; }'
	nft add rule inet t post oifname back udp dport != 9 masquerade""")
    for f in 4, 6:
        lab.family = f
        transit = (ip_packet(f, CLIENT[f], SERVER2[f]) /
                   UDP(sport=Ports.next(), dport=99) / b"transit")
        masked = forwarded(transit, src=BACK[f])
        before = tracked(lab)
        lab.case(f"conntrack IPv{f}: other traffic is masqueraded",
                 [(lab.client, transit)], {lab.server2: [masked]})
        lab.tap.ok(tracked(lab) > before,
                   f"conntrack IPv{f}: other traffic is tracked")
        for kind in "nat", "fnat", "dr", "tun":
            lab.flush()
            for address in BACK.values():
                lab.clb("local add", address)
            add_listeners(lab, kind, f)
            mode = Mode(lab, kind, f)
            before = tracked(lab)
            packet = udp(f)
            mode.forward("untouched by masquerading", packet)
            if mode.two_way:
                mode.answer("reply too", packet)
            mode.forward("TCP too", tcp(f))
            lab.tap.equal(f"{mode.label}: nothing is tracked",
                          tracked(lab), before)
    lab.in_node("nft delete table inet t")


def nftables_cases(lab):
    lab.in_node("""
	nft add table inet t
	nft add chain inet t raw '{ type filter hook prerouting priority raw; }'
	nft add chain inet t forwarding '{ type filter hook forward priority 0;
		policy drop; }'
	nft add rule inet t forwarding udp dport 9 accept""")
    for f in 4, 6:
        lab.family = f
        lab.flush()
        add_listeners(lab, "nat", f)
        mode = Mode(lab, "nat", f)
        transit = (ip_packet(f, CLIENT[f], SERVER2[f]) /
                   UDP(sport=Ports.next(), dport=99) / b"transit")
        lab.case(f"IPv{f}: forward chain drops other traffic",
                 [(lab.client, transit)], {})
        packet = udp(f)
        mode.forward("forward chain does not see ours", packet)
        mode.answer("forward chain does not see replies", packet)
        ip = "ip" if f == 4 else "ip6"
        lab.in_node(f"""
	nft add rule inet t raw {ip} daddr {VIP[f]} tcp dport 80 \
		'tcp flags & (syn|ack) == syn' drop""")
        lab.case(f"IPv{f}: raw prerouting drops new sessions",
                 [(lab.client, tcp(f))], {}, {"sessions_created": 0})
        mode.forward("raw prerouting lets the others in", udp(f))
        lab.in_node("nft flush chain inet t raw")
        mode.forward("and is asked no more", tcp(f))
    lab.in_node("nft delete table inet t")


def ipvs_cases(lab):
    """Both balancers on one node, each with a VIP of its own."""
    other = {4: "203.0.113.2", 6: "2001:db8:f::2"}
    for f in 4, 6:
        lab.family = f
        lab.flush()
        add_listeners(lab, "nat", f)
        vip = host(other[f])
        lab.in_node(f"""
	ip addr add {other[f]}/{32 if f == 4 else 128} dev lo
	ipvsadm -A -u {vip}:53 -s rr
	ipvsadm -a -u {vip}:53 -r {host(SERVER2[f])}:53 -m""")
        packet = udp(f)
        mode = Mode(lab, "nat", f)
        mode.forward("IPVS beside: ours is ours", packet)
        mode.answer("IPVS beside: and its reply", packet)
        theirs = (ip_packet(f, CLIENT[f], other[f]) /
                  UDP(sport=Ports.next(), dport=53) / b"q")
        reply = (ip_packet(f, SERVER2[f], CLIENT[f]) /
                 UDP(sport=53, dport=theirs.sport) / b"a")
        lab.case(f"IPv{f}: IPVS beside: theirs is theirs, both ways",
                 [(lab.client, theirs), (lab.server2, reply)],
                 {lab.server2: [forwarded(theirs, dst=SERVER2[f])],
                  lab.client: [forwarded(reply, src=other[f])]})
        lab.in_node("ipvsadm -C")


def route_cases(lab):
    """Servers that no route leads to."""
    nowhere = {4: "10.99.0.1", 6: "2001:db8:99::1"}
    for kind in "nat", "dr", "tun":
        for f in 4, 6:
            lab.family = f
            lab.flush()
            key = f"udp {host(VIP[f])}:{UDP_PORT}"
            lab.clb(f"listener add {key} mode {kind}")
            lab.clb(f"server add {key} {nowhere[f]}")
            lab.case(f"{kind} IPv{f}: no route to the server",
                     [(lab.client, udp(f))], {}, {"drop_no_route": 1})


TOA = 254               # kind of the option with a client's address
LINUX = bytes.fromhex("020405b40402080a0102030400000000" "01030307")


def toa(f, port, address=None):
    family = socket.AF_INET if f == 4 else socket.AF_INET6
    text = struct.pack("!H", port) + socket.inet_pton(family,
                                                      address or CLIENT[f])
    return bytes([TOA, 2 + len(text)]) + text


def with_options(packet, options, data):
    """A TCP packet with these bytes in its header, and behind it."""
    new = packet.copy()
    th = layer4(new)
    th.options, th.dataofs = [], 5 + len(options) // 4
    th.remove_payload()
    return new / (options + data)


def tells(mode, what, options, out=None, *, data=b"", told=True, packet=None,
          **counts):
    """A case: a SYN with these options reaches the server with others, before
    which it is told the client. Return: the packet that was sent."""
    packet = with_options(packet or tcp(mode.family), options, data)
    port = layer4(packet).sport
    want = with_options(packet, (toa(mode.family, port) if told else b"") +
                        (options if out is None else out), data)
    mode.client_port = port
    mode.lab.case(f"{mode.label}: {what}", [(mode.lab.client, packet)],
                  {mode.lab.server: [mode.arrives(want)]},
                  {"client_address_removed": 0, "client_address_omitted": 0,
                   "fast_packets": 0, **counts})
    return packet


def forged_cases(mode):
    """The option as a client makes it, in all kinds of places."""
    f = mode.family
    mss, forged = bytes.fromhex("020405b4"), toa(f, 7, SERVER2[f])
    nops = b"\1" * len(forged)
    cases = [
        ("alone", forged, nops),
        ("after another option", mss + toa(4, 7, SERVER2[4]),
         mss + b"\1" * 8),
        ("twice", toa(4, 7, SERVER2[4]) * 2, b"\1" * 16),
        ("without an address", b"\xfe\2\1\1" + mss, b"\1" * 4 + mss),
        ("longer than the header", mss + b"\xfe\x28\0\7", mss + b"\1" * 4),
        ("of length 1", b"\xfe\1\0\7", b"\1" * 4),
        ("a kind and no more", mss + b"\1\1\1\xfe", mss + b"\1" * 4),
    ]
    for where, options, out in cases:
        tells(mode, f"a client's own address, {where}", options, out,
              client_address_removed=1)
    # what no reader of options looks at
    for where, options in (("behind the end", mss + b"\0" * 4 + forged),
                           ("behind an option cut short",
                            b"\x1e\x28\0\0" + forged),
                           ("behind one of length 0", b"\x1e\0\0\0" + forged),
                           ("within another", b"\x1e\x0c" + forged[:10])):
        if len(options) + len(forged) <= 40:
            tells(mode, f"a client's own address, {where}", options)


def room_cases(mode):
    f = mode.family
    size = len(toa(f, 7))
    most, mtu = 40 - size, 1500
    tells(mode, "options that leave just enough room", b"\1" * most)
    tells(mode, "options that leave too little", b"\1" * (most + 4),
          told=False, client_address_omitted=1)
    tells(mode, "options that leave none", b"\1" * 40, told=False,
          client_address_omitted=1)
    forged = toa(f, 7, SERVER2[f]) + b"\1" * most
    tells(mode, "none, for a client's own address", forged, b"\1" * 40,
          told=False, client_address_omitted=1, client_address_removed=1)
    data = mtu - (20 if f == 4 else 40) - 20 - size
    tells(mode, "data that leave just enough room", b"", data=b"x" * data)
    tells(mode, "data that leave too little", b"", data=b"x" * (data + 1),
          told=False, client_address_omitted=1)


def later_cases(mode, opened):
    """All that is no SYN is left alone."""
    f, sport = mode.family, layer4(opened).sport
    for flags in "A", "PA", "SA", "FA":
        packet = with_options(tcp(f, flags, sport=sport),
                              toa(f, 7, SERVER2[f]), b"data")
        mode.forward(f"a client's own address, flags {flags}", packet,
                     {"client_address_removed": 0, "client_address_omitted": 0,
                      "fast_packets": 1})
        if flags == "PA":
            tells(mode, "SYN of an established session", LINUX,
                  packet=tcp(f, sport=sport))


def network_cases(mode):
    """Headers before it that are not the shortest."""
    if mode.family == 4:
        tells(mode, "SYN with IP options", LINUX, packet=tcp(
            4, options=[IPOption_NOP(), IPOption_RR(
                routers=["0.0.0.0"] * 3), IPOption(b"\0")]))
        return
    pad = IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 4)])
    hop = IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 4)])
    tells(mode, "SYN with extension headers", LINUX,
          packet=extended([hop, pad], tcp(6)))


def inbound(lab):
    (listener,) = [listener for listener in lab.listeners()
                   if listener["protocol"] == "tcp"]
    return listener["in_packets"], listener["in_bytes"]


def client_address_cases(f, lab):
    """Servers of FNAT are told the client by the SYN."""
    lab.family = f
    lab.flush()
    lab.clb("local add", BACK[f])
    add_listeners(lab, "fnat", f)
    mode = Mode(lab, "fnat", f)
    mode.label = f"client-address IPv{f}"
    key = f"tcp {host(VIP[f])}:{TCP_PORT}"
    own = with_options(tcp(f), toa(f, 7, SERVER2[f]), b"")
    mode.forward("off: the client's own option stays", own)
    lab.clb(f"listener set {key} client-address on")
    before = inbound(lab)
    opened = tells(mode, "SYN", LINUX)
    lab.tap.equal(f"{mode.label}: counted is what the client sent",
                  [b - a for a, b in zip(before, inbound(lab))],
                  [1, len(bytes(opened))])
    tells(mode, "SYN again", LINUX, packet=opened)
    mode.answer("SYN+ACK back", opened)
    later_cases(mode, opened)
    tells(mode, "SYN without options", b"")
    tells(mode, "SYN with data", LINUX, data=b"early data")
    tells(mode, "SYN with one byte of data", LINUX, data=b"x")
    tells(mode, "SYN with ECN", LINUX, packet=tcp(f, "SEC"))
    network_cases(mode)
    forged_cases(mode)
    room_cases(mode)
    mode.forward("UDP is left alone", udp(f))
    lab.clb(f"listener set {key} client-address off")
    mode.forward("off again: the client's own option stays",
                 with_options(tcp(f), toa(f, 7, SERVER2[f]), b""))


def mode_cases(kind, f, lab):
    lab.family = f
    lab.flush()
    lab.clb("local add", BACK[f])
    add_listeners(lab, kind, f)
    mode = Mode(lab, kind, f)
    common_cases(mode)
    if kind in ("nat", "fnat"):
        checksum_wraps(mode, f)
    (ipv4_cases if f == 4 else ipv6_cases)(mode)
    if kind in ("nat", "tun"):
        malformed_cases(mode)
    if kind == "tun" and f == 4:
        tunnel_ident_cases(mode)
    if kind in ("nat", "dr"):
        stray_cases(mode)
    if kind == "nat":
        untouched_cases(lab, f)
        silent_cases(mode)


PARTS = {
    **{f"{kind}{f}": functools.partial(mode_cases, kind, f)
       for kind in ("nat", "fnat", "dr", "tun") for f in (4, 6)},
    **{f"client{f}": functools.partial(client_address_cases, f)
       for f in (4, 6)},
    "ports": all_ports_cases,
    "conntrack": conntrack_cases,
    "nftables": nftables_cases,
    "ipvs": ipvs_cases,
    "routes": route_cases,
}


def main():
    tap = Tap()
    lab = Lab(sys.argv[1], tap)
    for name, cases in PARTS.items():
        if part(name):
            cases(lab)
    return tap.done()


sys.exit(main())
