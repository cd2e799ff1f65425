#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Clients' addresses told by an option of the SYN, as clb.ko has it in FNAT.

    tun0: a client made of packets -> 10.9.0.1, 2001:db8:9::1, clbd
                                      127.0.0.1, a server

In a network namespace of its own: no kernel makes a SYN with that option, so the
client speaks TCP itself, as much of it as a request needs.
"""
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import time

from rig import PATIENCE, Daemon, Server, Tap, config, equal, wait_for

CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454ca, 1, 0x1000
VIP = {4: "10.9.0.1", 6: "2001:db8:9::1"}
NODE = {4: "10.9.0.2", 6: "2001:db8:9::2"}
OTHER = {4: "10.9.0.3", 6: "2001:db8:9::3"}
TOLD = {4: "192.0.2.77", 6: "2001:db8:c::77"}
FIN, SYN, RST, ACK = 1, 2, 4, 16
GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def packed(address):
    return socket.inet_pton(socket.AF_INET6 if ":" in address
                            else socket.AF_INET, address)


def toa(address, port=40001):
    text = struct.pack("!H", port) + packed(address)
    return bytes([254, 2 + len(text)]) + text


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


class Wire:
    """A namespace with a tun device and a server; who starts meanwhile is in
    it."""

    def __enter__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.libc = ctypes.CDLL(None, use_errno=True)
        if self.libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        self.tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self.tun, TUNSETIFF,
                    struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
        for words in ("link set lo up", "link set tun0 up",
                      f"addr add {VIP[4]}/24 dev tun0",
                      f"addr add {VIP[6]}/64 dev tun0 nodad"):
            subprocess.run(["ip", *words.split()], check=True)
        self.server = Server()
        return self

    def __exit__(self, *_):
        self.server.close()
        os.close(self.tun)
        self.libc.setns(self.home, CLONE_NEWNET)
        os.close(self.home)


class Connection:
    """A client's end, by hand. extra: headers between IP's and TCP's."""
    port = 20000

    def __init__(self, wire, source, port, options=b"", extra=b""):
        Connection.port += 1
        self.wire, self.source, self.extra = wire, source, extra
        self.sport, self.dport = Connection.port, port
        self.vip = VIP[6 if ":" in source else 4]
        self.seq, self.ack, self.data = 1000, 0, b""
        self.send(SYN, options=options)
        flags, seq, _ = self.receive()
        equal(flags, SYN | ACK, "answer to the SYN")
        self.extra = b""
        self.seq, self.ack = self.seq + 1, seq + 1
        self.send(ACK)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.send(RST | ACK)

    def send(self, flags, data=b"", options=b""):
        tcp = struct.pack("!HHIIBBHHH", self.sport, self.dport, self.seq,
                          self.ack, (5 + len(options) // 4) << 4, flags,
                          65535, 0, 0) + options + data
        ends = packed(self.source) + packed(self.vip)
        pseudo = ends + struct.pack("!II", len(tcp), 6)
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        tcp = self.extra + tcp
        if len(ends) == 8:
            words = 5 + len(self.extra) // 4
            ip = struct.pack("!BBHHHBBH", 0x40 | words, 0, words * 4 +
                             len(tcp) - len(self.extra), 0, 0, 64, 6, 0) + ends
            whole = ip + self.extra
            ip = ip[:10] + struct.pack("!H", checksum(whole)) + ends
        else:
            ip = struct.pack("!IHBB", 6 << 28, len(tcp),
                             60 if self.extra else 6, 64) + ends
        os.write(self.wire.tun, ip + tcp)

    def receive(self):
        """The next segment of this connection: flags, number, data."""
        end = time.monotonic() + PATIENCE
        while True:
            left = max(0, end - time.monotonic())
            if not select.select([self.wire.tun], [], [], left)[0]:
                raise TimeoutError("no segment")
            packet = os.read(self.wire.tun, 65536)
            at = (packet[0] & 15) * 4 if packet[0] >> 4 == 4 else 40
            if packet[9 if at != 40 else 6] != 6:
                continue
            sport, dport, seq = struct.unpack("!HHI", packet[at:at + 8])
            if (sport, dport) == (self.dport, self.sport):
                return (packet[at + 13], seq,
                        packet[at + (packet[at + 12] >> 4) * 4:])

    def ask(self, data=GET, answer=b"\r\n\r\n"):
        """Sends data, and reads up to the answer's last bytes."""
        self.send(ACK, data)
        self.seq += len(data)
        got = b""
        while answer not in got:
            flags, seq, text = self.receive()
            equal(flags & (RST | FIN), 0, "connection lives")
            if seq == self.ack and text:
                got += text
                self.ack += len(text)
                self.send(ACK)
        return got


def daemon(wire, family=4, listener=""):
    address = "0.0.0.0" if family == 4 else "[::]"
    return Daemon(config(
        wire.server, top="log: @LOG@",
        listener=f"    headers: [client-port]\n{listener}").replace(
            "127.0.0.1:@PORT@", f"{address}:@PORT@"))


def prefixes(*addresses):
    return "    client-address-from: [%s]" % ", ".join(
        f'"{address}"' for address in addresses)


def seen(connection, data=GET):
    """Who the server is told to be the client by a request."""
    requests = connection.wire.server.requests
    count = len(requests)
    connection.ask(data)
    request = requests[count]
    return (request.get("X-Forwarded-For"),
            int(request.get("X-Forwarded-Client-srcport")))


def believed():
    """who is configured tells the client's address and port, of any family,
    for all requests of the connection and for the log"""
    for f in 4, 6:
        with Wire() as wire, daemon(wire, f, prefixes(NODE[f])) as clbd:
            for address in TOLD.values():
                with Connection(wire, NODE[f], clbd.port,
                                toa(address) + b"\2\4\5\xb4") as client:
                    for _ in range(2):
                        equal(seen(client), (address, 40001))
            wait_for("the log", lambda log=clbd: len(log.lines()) == 4)
            equal([(line["client_ip"], line["client_port"]) for line in
                   map(json.loads, clbd.lines())],
                  [(TOLD[4], 40001)] * 2 + [(TOLD[6], 40001)] * 2)
            equal(clbd.stats()["client_address_missing"], 0)


def others():
    """of who is not configured the option is nothing; of who is and tells
    nothing, the client is who has connected, which is counted"""
    for f in 4, 6:
        with Wire() as wire, daemon(wire, f, prefixes(NODE[f])) as clbd:
            with Connection(wire, OTHER[f], clbd.port,
                            toa(TOLD[f])) as client:
                equal(seen(client), (OTHER[f], client.sport))
            equal(clbd.stats()["client_address_missing"], 0)
            for options in (b"", b"\2\4\5\xb4", b"\xfe\4\0\0",
                            b"\0\0\0\0" + toa(TOLD[f])):
                with Connection(wire, NODE[f], clbd.port, options) as client:
                    equal(seen(client), (NODE[f], client.sport))
            equal(clbd.stats()["client_address_missing"], 4)
        with Wire() as wire, daemon(wire, f) as clbd, \
                Connection(wire, NODE[f], clbd.port, toa(TOLD[f])) as client:
            equal(seen(client), (NODE[f], client.sport))


def headers_between():
    """IP options and extension headers before TCP's"""
    for f, extra in (4, b"\1\1\1\0"), (6, b"\6\0\1\4\0\0\0\0"):
        with Wire() as wire, daemon(wire, f, prefixes(NODE[f])) as clbd, \
                Connection(wire, NODE[f], clbd.port, toa(TOLD[f]),
                           extra) as client:
            equal(seen(client), (TOLD[f], 40001))


def proxy_protocol():
    """a header of the PROXY protocol counts more, and is for who has
    connected to send, not for whom the SYN tells"""
    both = prefixes(NODE[4]) + f"\n    proxy-from: [{NODE[4]}]"
    with Wire() as wire, daemon(wire, 4, both) as clbd:
        for header, source in (
                (b"PROXY TCP4 198.51.100.7 192.0.2.1 77 80\r\n",
                 ("198.51.100.7", 77)),
                (b"PROXY UNKNOWN\r\n", (TOLD[4], 40001))):
            with Connection(wire, NODE[4], clbd.port, toa(TOLD[4])) as client:
                equal(seen(client, header + GET), source)
    other = prefixes(NODE[4]) + f"\n    proxy-from: [{TOLD[4]}]"
    with Wire() as wire, daemon(wire, 4, other) as clbd, \
            Connection(wire, NODE[4], clbd.port, toa(TOLD[4])) as client:
        equal(seen(client), (TOLD[4], 40001))


def http2():
    """a connection of HTTP/2"""
    with Wire() as wire, \
            daemon(wire, 4, prefixes("10.9.0.0/24") +
                   "\n    http2: yes") as clbd, \
            Connection(wire, NODE[4], clbd.port, toa(TOLD[6])) as client:
        fields = b"\x82\x86\x84\x41\x01a"       # GET http / a
        client.ask(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                   bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)) +
                   bytes((0, 0, len(fields), 1, 5, 0, 0, 0, 1)) + fields,
                   b"server")
        equal(wire.server.requests[0].get("X-Forwarded-For"), TOLD[6])


def reload():
    """by a reload it begins and ends, on sockets that stay"""
    with Wire() as wire, daemon(wire) as clbd:
        with open(clbd.path, encoding="ascii") as file:
            without = file.read()
        text = without.replace("    headers:",
                               prefixes(NODE[4]) + "\n    headers:")
        for config_text, source in ((text, TOLD[4]), (without, NODE[4]),
                                    (text, TOLD[4])):
            clbd.reload(config_text)
            with Connection(wire, NODE[4], clbd.port, toa(TOLD[4])) as client:
                equal(seen(client)[0], source)


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        print("1..0 # SKIP needs root and /dev/net/tun")
    else:
        Tap().run([believed, others, headers_between, proxy_protocol, http2,
                   reload])
