# SPDX-License-Identifier: MIT
"""Packets on the wire, for tests that need to see every byte.

A test sends packets from a client or server of the topology (lib.sh) and says
which packets must arrive where. A Lab knows without waiting that nothing more
is to come: after each packet it sends a marker the same way, through the node
to both sides, and reads up to it. All this runs on one processor, which keeps
packets in order.
"""
import ctypes
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time

import parts
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6, in6_chksum
from scapy.utils import checksum

VIP = {4: "203.0.113.1", 6: "2001:db8:f::1"}
FRONT = {4: "192.0.2.1", 6: "2001:db8:c::1"}
BACK = {4: "198.51.100.1", 6: "2001:db8:5::1"}
CLIENT = {4: "192.0.2.11", 6: "2001:db8:c::11"}
CLIENT2 = {4: "192.0.2.12", 6: "2001:db8:c::12"}
SERVER = {4: "198.51.100.11", 6: "2001:db8:5::11"}
SERVER2 = {4: "198.51.100.12", 6: "2001:db8:5::12"}

ETH_P_ALL, SIOCGIFHWADDR, CLONE_NEWNET = 3, 0x8927, 0x40000000
PACKET_HOST = 0
ETHERTYPE = {4: 0x0800, 6: 0x86dd}
ETHERTYPE_VLAN = 0x8100
MARKER_PORT = 9
TIMEOUT = 10 * int(os.environ.get("CLB_SLOW", "1"))

_libc = ctypes.CDLL(None, use_errno=True)


def host(address):
    """ADDRESS as it stands before a port."""
    return f"[{address}]" if ":" in address else address


class Tap:
    """The cases of one test file."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, passed, name, why=""):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        if not passed and why:
            print("\n".join("# " + line for line in why.splitlines()))
        if not passed and parts.stops_at(name):
            sys.exit(self.done())
        return passed

    def equal(self, name, got, want):
        return self.ok(got == want, name, f"got:  {got}\nwant: {want}")

    def done(self):
        if not self.count:
            self.ok(False, "there are such parts")
        print(f"1..{self.count}", flush=True)
        return int(self.failed > 0)


class Namespace:
    """A network namespace, to work in with "with"."""

    def __init__(self, name):
        self.fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)

    @staticmethod
    def _set(fd):
        if _libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    def __enter__(self):
        self._set(self.fd)

    def __exit__(self, *_):
        self._set(self.home)


class Port:
    """A network interface: what is sent from it, what arrives at it."""

    def __init__(self, namespace, device):
        self.device = device
        with namespace:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                                        socket.htons(ETH_P_ALL))
            self.socket.bind((device, ETH_P_ALL))
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   4 << 20)
            ifreq = struct.pack("16s16x", device.encode())
            ifreq = fcntl.ioctl(self.socket, SIOCGIFHWADDR, ifreq)
        self.mac = ifreq[18:24]

    def send(self, packet, mac, kind=None):
        kind = kind or ETHERTYPE[packet[0] >> 4]
        self.socket.sendto(packet, (self.device, kind, 0, 0, mac))

    def receive(self, timeout):
        self.socket.settimeout(timeout)
        packet, (_, protocol, kind, _, _) = self.socket.recvfrom(70000)
        if kind != PACKET_HOST or protocol not in ETHERTYPE.values():
            return None
        return packet


class Framed:
    """A port whose frames are for another address, or of another type, or have
    a VLAN tag."""

    def __init__(self, port, mac=None, kind=None, vlan=None):
        self.port, self.kind, self.vlan = port, kind, vlan
        self.name, self.gateway = port.name, mac or port.gateway

    def send(self, packet, mac):
        kind = self.kind or ETHERTYPE[packet[0] >> 4]
        if self.vlan is not None:
            packet = struct.pack("!HH", self.vlan, kind) + packet
            kind = ETHERTYPE_VLAN
        self.port.send(packet, mac, kind)


def is_neighbour_discovery(packet):
    return (packet[0] >> 4 == 6 and packet[6] == 58 and
            130 <= packet[40] <= 143)


class Counters:
    """The counters of the node, by netlink: a process for each look would
    take most of the time of a test.
    """
    CTRL, GET_FAMILY, FAMILY_ID, FAMILY_NAME = 16, 3, 1, 2

    def __init__(self, namespace):
        with namespace:
            self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.names = self._enum("clb_stats_attr")
        self.command = self._enum("clb_cmd").index("CLB_CMD_STATS_GET")
        reply = self._ask(self.CTRL, self.GET_FAMILY, struct.pack(
            "HH4s", 8, self.FAMILY_NAME, b"clb"))
        self.family = struct.unpack("H", reply[self.FAMILY_ID][:2])[0]

    @staticmethod
    def _enum(name):
        """The constants of an enum of the interface, in their order."""
        top = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
        with open(f"{top}/include/uapi/linux/clb.h", encoding="ascii") as f:
            body = f.read().split(f"enum {name} {{")[1].split("}")[0]
        return re.findall(r"^\t([A-Z]\w+)", body, re.M)

    @staticmethod
    def _attributes(data):
        while data:
            size, kind = struct.unpack("HH", data[:4])
            yield kind & 0x3fff, data[4:size]
            data = data[size + 3 & ~3:]

    def _ask(self, family, command, attributes):
        self.socket.send(struct.pack("IHHIIBBH", 20 + len(attributes), family,
                                     1, 1, 0, command, 1, 0) + attributes)
        reply = self.socket.recv(65536)
        if struct.unpack("H", reply[4:6])[0] == 2:
            raise OSError(-struct.unpack("i", reply[16:20])[0], "netlink")
        return dict(self._attributes(
            reply[20:struct.unpack("I", reply[:4])[0]]))

    def read(self):
        (stats,) = self._ask(self.family, self.command, b"").values()
        return {self.names[kind][len("CLB_STATS_A_"):].lower():
                struct.unpack("Q", value)[0]
                for kind, value in self._attributes(stats) if len(value) == 8}


def datagram(src, dst, data):
    """Of a marker. By hand: scapy would take most of a test's time."""
    family = socket.AF_INET6 if ":" in src else socket.AF_INET
    addresses = socket.inet_pton(family, src) + socket.inet_pton(family, dst)
    length = 8 + len(data)
    ports = struct.pack("!HHH", MARKER_PORT, MARKER_PORT, length)
    if family == socket.AF_INET:
        start = struct.pack("!BBHIBB", 0x45, 0, 20 + length, 0, 64, 17)
        check = checksum(start + addresses)
        return (start + struct.pack("!H", check) + addresses + ports +
                bytes(2) + data)
    check = checksum(addresses + struct.pack("!II", length, 17) + ports + data)
    return (struct.pack("!IHBB", 6 << 28, length, 17, 64) + addresses + ports +
            struct.pack("!H", check or 0xffff) + data)


class Lab:
    """The topology: sends packets and says what arrived."""

    def __init__(self, prefix, tap):
        os.sched_setaffinity(0, {0})
        self.tap = tap
        self.prefix = prefix
        self.clbctl = os.environ["CLBCTL"]
        self.node = Namespace(f"{prefix}-node")
        self.front = Port(self.node, "front")
        back = Port(self.node, "back")
        self.client = self._port("c1", "eth0", self.front)
        self.client2 = None
        self.server = self._port("s1", "back", back)
        self.server2 = self._port("s2", "back", back)
        # who sees what arrives, and who sends the marker behind it, to where
        self.sides = [(self.server, self.client, SERVER),
                      (self.server2, self.client, SERVER2),
                      (self.client, self.server, CLIENT)]
        self.counters = Counters(self.node)
        self.marker = 0
        self._meet()

    def _meet(self):
        """Neighbours are known from now on."""
        for family in 4, 6:
            self.family = family
            self.exchange([])

    def _port(self, name, device, gateway):
        port = Port(Namespace(f"{self.prefix}-{name}"), device)
        port.name = name
        port.gateway = gateway.mac
        return port

    def watch_client2(self):
        """One more to see what arrives at."""
        self.client2 = self._port("c2", "eth0", self.front)
        self.sides.append((self.client2, self.server, CLIENT2))
        self._meet()

    def clb(self, *arguments, check=True):
        return subprocess.run([self.clbctl, "-j", "-n", f"{self.prefix}-node",
                               *" ".join(arguments).split()], check=check,
                              stdout=subprocess.PIPE).stdout

    def flush(self):
        """No listener, no local address, and nothing more to come of them."""
        self.clb("flush")
        end = time.monotonic() + TIMEOUT
        while self.counters.read()["sessions"] and time.monotonic() < end:
            time.sleep(0.05)
        self.exchange([])

    def listeners(self):
        return json.loads(self.clb("stats listener"))

    def in_node(self, command):
        with self.node:
            return subprocess.run(["bash", "-ec", command], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout

    def _mark(self, sender, to):
        self.marker += 1
        text = b"marker %d" % self.marker
        src = CLIENT if sender is self.client else SERVER
        sender.send(datagram(src[self.family], to[self.family], text),
                    sender.gateway)
        return text

    def _read(self, port, marker):
        packets, end = [], time.monotonic() + TIMEOUT
        while True:
            try:
                packet = port.receive(max(0.01, end - time.monotonic()))
            except TimeoutError:
                raise SystemExit(f"# no {marker} at {port.name}; it saw "
                                 f"{[show(p) for p in packets]}") from None
            if not packet or is_neighbour_discovery(packet):
                continue
            if packet.endswith(marker):
                return packets
            if b"marker " not in packet:
                packets.append(packet)

    def exchange(self, packets, wait=lambda: None):
        """Sends [(port, packet)]; what arrived until wait() is over, as
        {port: [bytes]}."""
        for port, packet in packets:
            port.send(bytes(packet), port.gateway)
        wait()
        markers = [(port, self._mark(sender, to))
                   for port, sender, to in self.sides]
        return {port: self._read(port, text) for port, text in markers}

    def case(self, name, send, want, counts=None, wait=lambda: None):
        """One case: of what is sent at [(port, packet)] no more and no less
        arrives than want, {port: [packet]}, and counters grow by counts. A
        wanted packet may be a function of the bytes that says what is wrong
        with them.
        """
        before = self.counters.read() if counts else None
        got = self.exchange(send, wait)
        why = []
        for port, packets in got.items():
            wanted = want.get(port, [])
            if len(packets) != len(wanted):
                why.append(f"{port.name}: {len(packets)} packets, "
                           f"not {len(wanted)}")
                why += [f"  {show(p)}" for p in packets]
                continue
            for packet, expected in zip(packets, wanted):
                why += [f"{port.name}: {w}" for w in wrong(packet, expected)]
        if counts:
            after = self.counters.read()
            for counter, grown in counts.items():
                delta = after[counter] - before[counter]
                if delta != grown:
                    why.append(f"{counter} grew by {delta}, not {grown}")
        self.tap.ok(not why, name, "\n".join(why))
        return got


def show(packet):
    layer = IP if packet[0] >> 4 == 4 else IPv6
    return f"{layer(packet).summary()} {packet[:120].hex()}"


def wrong(packet, expected):
    """What differs: a list of lines, empty for the same."""
    if callable(expected):
        why = expected(packet)
        return [why, f"  got {show(packet)}"] if why else []
    expected = bytes(expected)
    if packet == expected:
        return []
    return ["other bytes", f"  got  {show(packet)}",
            f"  want {show(expected)}"]


def layer4(packet):
    return packet.getlayer(TCP) or packet.getlayer(UDP)


def forwarded(packet, src=None, sport=None, dst=None, dport=None):
    """The packet one hop on, addresses and ports changed as told, checksums
    made anew from all of it. A UDP checksum of 0 stays.
    """
    new = packet.copy()
    l4 = layer4(new)
    if new.version == 4:
        new.ttl -= 1
        del new.chksum
    else:
        new.hlim -= 1
    new.src, new.dst = src or new.src, dst or new.dst
    if l4:
        l4.sport, l4.dport = sport or l4.sport, dport or l4.dport
        if not (isinstance(l4, UDP) and l4.chksum == 0):
            del l4.chksum
    return bytes(new)


def bad_checksum(packet):
    """Is that of an ICMP or ICMPv6 packet, or of its IPv4 header, wrong?"""
    if packet[0] >> 4 == 6:
        return in6_chksum(58, IPv6(packet[:40]), packet[40:]) != 0
    header = (packet[0] & 15) * 4
    return checksum(packet[:header]) != 0 or checksum(packet[header:]) != 0


# type and code by family
UNREACHABLE_PORT = {4: (3, 3), 6: (1, 4)}
UNREACHABLE_NET = {4: (3, 0), 6: (1, 0)}
TIME_EXCEEDED = {4: (11, 0), 6: (3, 0)}
TOO_BIG = {4: (3, 4), 6: (2, 0)}


def icmp_error(kind, src, dst, quoted, mtu=None):
    """What is wrong with a packet that should be such an ICMP error? As much
    of quoted as fits must be in it to the last bit.
    """
    quoted = bytes(quoted)
    family = quoted[0] >> 4

    def judge(packet):
        ip = IP(packet) if family == 4 else IPv6(packet)
        icmp = packet[20 if family == 4 else 40:]
        if packet[0] >> 4 != family or (ip.src, ip.dst) != (src, dst):
            return f"not from {src} to {dst}"
        if (packet[9] if family == 4 else packet[6]) != (1, 58)[family == 6]:
            return "not ICMP"
        if (icmp[0], icmp[1]) != kind[family]:
            return f"type and code are not {kind[family]}"
        if bad_checksum(packet):
            return "wrong checksum"
        got_mtu = struct.unpack("!I", icmp[4:8])[0]
        if mtu is not None and got_mtu != mtu:
            return f"MTU {got_mtu}, not {mtu}"
        least = min(len(quoted), 548 if family == 4 else 1232)
        if icmp[8:] != quoted[:len(icmp) - 8] or len(icmp) - 8 < least:
            return f"quotes something else than {quoted.hex()}"
        return None
    return judge


def ip_packet(family, src, dst, hops=64, **fields):
    if family == 4:
        return IP(src=src, dst=dst, ttl=hops, **fields)
    return IPv6(src=src, dst=dst, hlim=hops, **fields)


def make_icmp_error(kind, src, dst, quoted, mtu=0):
    """An ICMP error as a host or router would send it, in bytes."""
    quoted = bytes(quoted)
    family = quoted[0] >> 4
    number, code = kind[family]
    body = struct.pack("!BBHI", number, code, 0, mtu) + quoted[:548]
    if family == 4:
        return IP(src=src, dst=dst) / ICMP(
            struct.pack("!BBHI", number, code, checksum(body), mtu) +
            quoted[:548])
    ip = IPv6(src=src, dst=dst, nh=58, plen=len(body))
    check = in6_chksum(58, ip, body)
    return ip / (body[:2] + struct.pack("!H", check) + body[4:])


def parse(packet):
    return (IP if packet[0] >> 4 == 4 else IPv6)(packet)
