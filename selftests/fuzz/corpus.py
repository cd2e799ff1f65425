#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""usage: corpus.py DIRECTORY

Writes what the fuzzers in user space begin with: one directory for each, with
an input a file.
"""
import hashlib
import os
import socket
import struct
import sys

from scapy.all import (AH, ICMP, IP, IPOption, TCP, UDP, Raw, IPv6,
                       IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                       IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
                       ICMPv6DestUnreach, ICMPv6EchoRequest,
                       ICMPv6PacketTooBig)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                ".."))
import genl  # noqa: E402
from genl import A, Cmd  # noqa: E402

V4 = {"src": "192.0.2.11", "dst": "203.0.113.1"}
V6 = {"src": "2001:db8:c::11", "dst": "2001:db8:f::1"}


def packets():
    """A byte of flags, one of how much is at hand, and the packet."""
    tcp, udp = TCP(sport=40001, dport=80, flags="S"), UDP(sport=1, dport=53)
    options = [("MSS", 1460), ("WScale", 7), ("Timestamp", (1, 2))]
    loose = IPOption(b"\x83\x07\x04\x01\x02\x03\x04")
    v4 = [
        IP(**V4) / tcp, IP(**V4) / udp / Raw(b"x" * 20),
        IP(**V4) / TCP(sport=1, dport=2, flags="FPA", options=options),
        IP(**V4, options=[loose]) / tcp,
        IP(**V4, flags="MF") / udp, IP(**V4, frag=100) / Raw(b"x" * 8),
        IP(**V4) / ICMP(type=8), IP(**V4, proto=132) / Raw(b"x" * 12),
        IP(**V4) / ICMP(type=3, code=4) / IP(**V4) / tcp,
        IP(**V4) / ICMP(type=11) / IP(**V4) / udp,
    ]
    v6 = [
        IPv6(**V6) / tcp, IPv6(**V6) / udp / Raw(b"x" * 20),
        IPv6(**V6) / IPv6ExtHdrHopByHop() / udp,
        IPv6(**V6) / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() / tcp,
        IPv6(**V6) / IPv6ExtHdrFragment(m=1) / udp,
        IPv6(**V6) / IPv6ExtHdrFragment(offset=9) / Raw(b"x" * 8),
        IPv6(**V6) / IPv6ExtHdrFragment() / tcp,
        IPv6(**V6, nh=51) / AH(nh=17, payloadlen=4) / udp,
        IPv6(**V6) / ICMPv6EchoRequest(),
        IPv6(**V6) / ICMPv6PacketTooBig() / IPv6(**V6) / tcp,
        IPv6(**V6) / ICMPv6DestUnreach() / IPv6(**V6) / udp,
    ]
    for flags in range(4):
        for packet in v6 if flags & 1 else v4:
            for avail in (0, 20, 255):
                yield bytes((flags, avail)) + bytes(packet)


def record(kind, *parts):
    body = b"".join(parts)
    return bytes((kind, len(body))) + body


def syncs():
    """Contents of datagrams of session sync."""
    v4, v6 = bytes((192, 0, 2, 1)), bytes(15) + b"\1"
    for address in (v4, v6):
        for protocol, port in ((6, 80), (17, 53), (6, 0)):
            key = record(1, bytes((protocol,)), struct.pack(">H", port),
                         address)
            extra = b"" if port else struct.pack(">H", 7777)
            flow = struct.pack(">HI", 40001, 123456)
            yield key + record(4, b"\0", flow, address, extra)
            for server in (v4, v6):
                names = key + record(2, b"\0\x1f\x90", server)
                state = b"\3" if protocol == 6 else b"\x0a"
                for flags in (0, 1, 2, 3, 0x10, 0x20, 0x40, 0x70):
                    local = struct.pack(">H", 1024) + server
                    bits = flags | (0 if port else 4)
                    bits |= 8 if flags & 3 == 1 else 0
                    tail = extra + (local if bits & 8 else b"")
                    tail += bytes(4) if bits & 0x10 else b""
                    tail += bytes(8) if bits & 0x20 else b""
                    one = record(3, b"\0", state, flow, bytes((bits,)),
                                 address, tail)
                    yield names + one
                    yield names + names + one * 3
                yield names + record(3, b"\0\x0b", bytes(2), bytes(4),
                                     b"\x50", address, bytes(4))
    span = struct.pack(">HQQ", 2, 3, 4)
    yield record(5, b"\1", bytes(4)) + record(6, span) * 3
    yield record(7, span) + record(8, span, b"\1")
    yield record(9, bytes(8), b"\1") + record(10, bytes(10), b"\1")
    yield record(99, b"of tomorrow") + record(5, bytes(9))


def listener(*options):
    return genl.listener(socket.IPPROTO_TCP, "192.0.2.1", 80, *options)


def sync():
    """All of CLB_A_SYNC."""
    head = (genl.u32(7), genl.u16(1), genl.u32(1), genl.address("239.7.0.1"),
            genl.port(8850), genl.u8(1), genl.u16(1500), genl.u8(0),
            bytes(32), genl.u8(1), genl.u8(1), genl.u64(1 << 63),
            genl.u32(2), genl.u32(3))
    values = (*head, *(genl.u64(i) for i in range(16, 48)), genl.u8(1))
    return genl.nest(A.SYNC, *(genl.attr(i, data)
                               for i, data in enumerate(values, 2)))


def peer(node):
    """All of CLB_A_SYNC_PEER."""
    values = (genl.u16(node), genl.address("10.7.0.2"), genl.u64(1),
              genl.u8(1), genl.u8(0), genl.u8(2), genl.u32(1000),
              genl.u32(5), genl.u64(6), genl.u64(7), genl.u64(8),
              genl.u32(9), *(genl.u64(i) for i in range(10, 15)))
    return genl.nest(A.SYNC_PEER, *(genl.attr(i, data)
                                    for i, data in enumerate(values, 2)))


def messages():
    """The command, and attributes."""
    for command in Cmd:
        yield bytes((command,)) + listener()
    yield from answers()


def answers():
    """Messages in which there is all that may be."""
    host = genl.server("198.51.100.11", 8080, genl.attr(4, genl.u16(7)))
    entry = genl.nest(A.ACL_ENTRY, genl.attr(1, genl.address("10.0.0.0")),
                      genl.attr(2, genl.u8(8)))
    local = genl.nest(A.LOCAL_ADDRESS,
                      genl.attr(1, genl.address("2001:db8::1")))
    session = genl.nest(A.SESSION, *(
        genl.attr(i, data) for i, data in enumerate((
            genl.u8(6), genl.u8(3), genl.u8(1), genl.address("192.0.2.11"),
            genl.port(40001), genl.address("192.0.2.1"), genl.port(80),
            genl.address("198.51.100.1"), genl.port(1024),
            genl.address("198.51.100.11"), genl.port(8080),
            genl.u32(900000)), 1)))
    stats = genl.nest(A.STATS, *(genl.attr(i, genl.u64(i))
                                 for i in range(2, 33)))
    settings = genl.nest(A.SETTINGS, genl.attr(1, genl.u32(1000)),
                         genl.attr(2, genl.u8(1)))
    every = listener(*(genl.attr(i, genl.u32(1) if i in (8, 10, 11, 12, 13)
                                 else genl.u8(1)) for i in range(5, 15)))
    yield bytes((Cmd.LISTENER_ADD,)) + every
    yield bytes((Cmd.SERVER_ADD,)) + listener() + host
    yield bytes((Cmd.ACL_ADD,)) + listener() + entry * 3
    yield bytes((Cmd.LOCAL_ADDRESS_ADD,)) + local
    yield bytes((Cmd.SESSION_GET,)) + session
    yield bytes((Cmd.STATS_GET,)) + stats
    yield bytes((Cmd.SETTINGS_GET,)) + settings + \
        genl.attr(A.GENERATION, genl.u32(7))
    yield bytes((Cmd.SYNC_GET,)) + sync()
    yield bytes((Cmd.SYNC_START,)) + sync()
    yield bytes((Cmd.SYNC_PEER_GET,)) + peer(2)
    yield bytes((Cmd.SYNC_TAKEOVER,)) + local
    yield bytes((Cmd.SYNC_GIVEBACK,)) + peer(3)


def views():
    """What is asked, flags, and messages."""
    for question in range(17):
        for flags in (0, 1, 3):
            for answer in answers():
                one = struct.pack("<H", len(answer) - 1) + answer
                yield bytes((question, flags)) + one
                yield bytes((question, flags | 16)) + one * 2


def extacks():
    """The length of a reply, the reply, the request."""
    request = listener(genl.attr(5, genl.u8(9)))
    request = struct.pack("=BBH", Cmd.LISTENER_ADD, 1, 0) + request
    request = struct.pack("=IHHII", 16 + len(request), 33, 5, 1, 0) + request
    policy = genl.nest(4, genl.attr(4, genl.u64(0)), genl.attr(5, genl.u64(3)))
    for kind, body in ((2, struct.pack("=i", -22) + request[:16]),
                       (2, struct.pack("=i", 0) + request[:16]),
                       (3, struct.pack("=i", -22))):
        for extra in (b"", genl.attr(1, b"no such listener\0"),
                      genl.attr(2, genl.u32(48)),
                      genl.attr(5, genl.u32(1)) + genl.attr(6, genl.u32(24)),
                      genl.attr(1, b"bad\0") + genl.attr(2, genl.u32(48)) +
                      policy):
            flags = 0x300 if extra else 0
            reply = struct.pack("=IHHII", 16 + len(body) + len(extra), kind,
                                flags, 1, 0) + body + extra
            yield struct.pack("<H", len(reply)) + reply + request


def texts():
    yield from (line.encode() for line in """
0
18446744073709551615
100m
10g
192.0.2.1
192.0.2.1:80
[2001:db8::1]:all
2001:db8::1
10.0.0.0/8
2001:db8::/32
listener add tcp 192.0.2.1:80 mode fnat scheduler mh hash tuple
listener add udp [2001:db8::1]:53 persistence 60 persistence-prefix 64
listener set tcp 192.0.2.1:80 rate 100m burst 1000000 reset off
listener add tcp 192.0.2.1:80 acl allow max-sessions 10 slow-start 5
listener add tcp 192.0.2.1:80 timeout-syn 5 timeout-udp 9 max-new-sessions 1k
listener del tcp 192.0.2.1:80
server add tcp 192.0.2.1:80 198.51.100.11:8080 weight 7 max-sessions 3
server drain tcp 192.0.2.1:80 198.51.100.11 drain-timeout 60
server up tcp 192.0.2.1:80 198.51.100.11
server set tcp 192.0.2.1:80 server 198.51.100.11 state down
acl add tcp 192.0.2.1:80 10.0.0.0/8 192.168.0.0/16
acl del tcp 192.0.2.1:80 all
local add 198.51.100.1
local del 2001:db8::1
flush
settings set max-sessions 1000 fast-path off
listener tcp 192.0.2.1:80 client 192.0.2.11:40001 state established
client 2001:db8::1 server 198.51.100.11
""".strip().splitlines())


def heads():
    """A byte that says request or response and how it is cut, and a message."""
    request = b"Host: a.example\r\n"
    bodies = (b"\r\n", b"Content-Length: 5\r\n\r\nhello",
              b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
              b"X-Sum: 1\r\n\r\n")
    firsts = (b"GET / HTTP/1.1\r\n", b"POST /a?b=%20 HTTP/1.0\r\n",
              b"GET http://a.example/ HTTP/1.1\r\n",
              b"OPTIONS * HTTP/1.1\r\n")
    fields = (b"", b"Connection: close, x-mine\r\nX-Mine: a b\r\n",
              b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
              b"Expect: 100-continue\r\nX: \t \r\n", b"X : y\r\n",
              b"X: a\r\n b\r\n")
    for step in (0, 2, 254):
        for body in bodies:
            for field in fields:
                for first in firsts:
                    yield bytes((step,)) + first + request + field + body
                for first in (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 404\r\n",
                              b"HTTP/1.1 101 Switching Protocols\r\n"):
                    yield bytes((step | 1,)) + first + field + body


def proxies():
    second = b"\r\n\r\n\0\r\nQUIT\n"
    yield b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\nGET"
    yield b"PROXY TCP6 2001:db8::1 ::1 65535 80\r\n"
    yield b"PROXY UNKNOWN x y\r\n"
    for head in (b"\x20\x00", b"\x21\x11", b"\x21\x21", b"\x21\x31"):
        for size in (0, 12, 36, 40):
            yield second + head + struct.pack(">H", size) + bytes(size)


def saved_syns():
    tcp4, tcp6 = bytes(9) + b"\6" + bytes(10), bytes(6) + b"\6" + bytes(33)
    toa4, toa6 = b"\xfe\x08\0\7abcd", b"\xfe\x14\0\7" + b"abcd" * 4
    for option in (b"", toa4, toa6, b"\2\4\5\xb4" + toa4, toa4 + toa6,
                   b"\0\0\0\0" + toa4, b"\5\0\0\0" + toa4,
                   b"\xfe\x28\0\0"):
        tcp = bytes(12) + bytes(((5 + len(option) // 4) << 4, 2)) + bytes(6)
        yield b"\x45" + tcp4[1:] + tcp + option
        yield b"\x46" + tcp4[1:] + b"\1\1\1\0" + tcp + option
        yield b"\x60" + tcp6[1:] + tcp + option
        for kind in 0, 43, 44, 51, 60:
            header = b"\6" + bytes((2 if kind == 51 else 0,))
            yield (b"\x60" + tcp6[1:6] + bytes((kind,)) + tcp6[7:] +
                   header + bytes(14 if kind == 51 else 6) + tcp + option)


def h2_plain(*fields):
    return b"".join(bytes((len(name), len(value))) + name + value
                    for name, value in fields)


def h2_hpack(*fields):
    """Without Huffman's code and without the table."""
    return b"".join(b"\x00" + bytes((len(name),)) + name +
                    bytes((len(value),)) + value for name, value in fields)


def h2_requests():
    """A byte that says HPACK or not and whether a body follows, and fields."""
    plain = ((b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/a?b"),
             (b":authority", b"a.example"))
    more = ((), ((b"host", b"a.example"),), ((b"content-length", b"5"),),
            ((b"cookie", b"a=b"), (b"x", b"y"), (b"cookie", b"c=d")),
            ((b"te", b"trailers"),), ((b"connection", b"x"),),
            ((b"transfer-encoding", b"chunked"),), ((b"a", b"b\r\nc: d"),),
            ((b":path", b"/"),), ((b"expect", b"100-continue"),))
    for ended in (0, 2):
        for fields in more:
            yield bytes((ended,)) + h2_plain(*plain, *fields)
            yield bytes((ended | 1,)) + h2_hpack(*plain, *fields)
        yield bytes((ended,)) + h2_plain((b":method", b"OPTIONS"), plain[1],
                                         (b":path", b"*"), plain[3])
        yield bytes((ended | 1,)) + b"\x82\x86\x84\x41\x8a\x08\x9d\x5c\x0b"
    yield b"\x00HTTP/1.1 200 OK\r\nA: b\r\n\r\n"


def commands():
    for line in (b"status", b"reload", b"upgrade", b"drain 192.0.2.1:80",
                 b"drain [2001:db8::1]:80 300", b"up 192.0.2.1:80"):
        yield line + b"\n"


def headers():
    """Of datagrams of session sync, and a tag."""
    for magic, version in ((0xc1b5, 1), (0xc1b5, 2), (0xb5c1, 1)):
        header = struct.pack(">HBBIQQHH", magic, version, 3, 4, 5, 6, 7, 8)
        yield header + bytes(15)
        yield header + bytes(16)
        yield header + bytes(99)


def windows():
    """The number before the first, and the next ones (fuzz_window.c)."""
    for begin in (0, 1000, 2**64 - 9):
        first = struct.pack(">Q", begin)
        yield first + bytes(40)
        yield first + bytes((0, 5, 10, 1, 6, 11, 0))
        for delta in (1022, 1023, 1024, 1025):
            step = struct.pack(">H", delta)
            yield first + b"\2" + step + b"\3" + step + b"\1\3" + step
        yield first + b"\4" + struct.pack(">Q", 2**64 - 1) + b"\0\1"


def early():
    """What is done with datagrams that came early (fuzz_early.c)."""
    def put(seq, node, length, time):
        return bytes((0, seq, node, length, time))

    yield put(7, 0, 5, 1) + put(6, 0, 16, 3) + put(7, 1, 0, 7) + \
        put(7, 0, 5, 1) + bytes((2, 0, 1, 3, 2, 1))
    yield b"".join(put(seq, seq % 2, seq % 18, seq) for seq in range(140)) + \
        bytes((1, 3, 2, 1, 2, 0))


def options():
    """Of TCP, a multiple of four bytes."""
    toa4, toa6 = b"\xfe\x08\0\7abcd", b"\xfe\x14\0\7" + b"abcd" * 4
    for option in (b"", toa4, toa6, b"\2\4\5\xb4" + toa4, toa4 + toa6,
                   b"\0\0\0\0" + toa4, b"\5\0\0\0" + toa4, b"\1" * 7 + b"\xfe",
                   b"\1\1\xfe\4\0\0\2\4", b"\xfe\x28\0\0"):
        yield option


def secrets():
    text = b"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"
    for end in (b"", b"\n", b"\n\n", b"0", b"\0"):
        yield text + end
    yield text[1:]
    yield text[1:] + b"\n"


def cookies():
    token = b"0123456789abcdef" * 2 + b"~"
    for length in range(4):
        for value in (b"ID=x", b"ID=" + token + b"x", b"a=b; ID=" + token,
                      b"I=" + token + b"1; ID=" + token + token + b"; b"):
            yield bytes((length,)) + value


def rules():
    """Rules, and what is asked for."""
    known = (b"a.example -\na.example /img\na.example /img/large/\n"
             b"*.example -\n*.b.example /api\n- /any\n.c.example /\n"
             b"a.example. /\nA.Example -\n*.b.example /ap\n- /\n")
    for host in (b"a.example", b"x.b.example", b"y.x.b.Example.", b"d.test",
                 b"", b".example"):
        for path in (b"/", b"/img/large/1", b"/x/../img?/any", b"//an%79/",
                     b"/api/%2e%2e/./any", b"/..//img/.."):
            yield known + host + b" " + path


def main():
    for name, inputs in (("packet", packets()), ("sync", syncs()),
                         ("message", messages()), ("extack", extacks()),
                         ("text", texts()), ("head", heads()),
                         ("proxy", proxies()), ("toa", saved_syns()),
                         ("h2", h2_requests()),
                         ("command", commands()), ("sticky", cookies()),
                         ("rules", rules()), ("header", headers()),
                         ("window", windows()), ("early", early()),
                         ("options", options()),
                         ("view", views()), ("secret", secrets())):
        directory = os.path.join(sys.argv[1], name)
        os.makedirs(directory, exist_ok=True)
        for data in inputs:
            digest = hashlib.sha1(data).hexdigest()
            with open(os.path.join(directory, digest), "wb") as file:
                file.write(data)


if __name__ == "__main__":
    main()
