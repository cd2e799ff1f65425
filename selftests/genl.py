# SPDX-License-Identifier: MIT
"""A generic netlink client that also sends what no client should.

Everything on the wire can be set: flags, version, reserved bytes, lengths.
An answer is told in full: errno, text, offset of the attribute at fault,
missing attribute. Used by the tests' other Python programs.
"""
import ctypes
import enum
import os
import socket
import struct

NETLINK_GENERIC = 16
SOL_NETLINK = 270
NETLINK_ADD_MEMBERSHIP = 1
NETLINK_EXT_ACK = 11

NLM_F_REQUEST = 0x001
NLM_F_MULTI = 0x002
NLM_F_ACK = 0x004
NLM_F_DUMP = 0x300
NLM_F_CAPPED = 0x100
NLM_F_ACK_TLVS = 0x200

NLMSG_ERROR = 2
NLMSG_DONE = 3

NLA_F_NESTED = 0x8000
NLA_TYPE_MASK = 0x3fff

NLMSG_HEADER = struct.Struct("=IHHII")
NLA_HEADER = struct.Struct("=HH")
GENL_HEADER = struct.Struct("=BBH")
HEADERS = NLMSG_HEADER.size + GENL_HEADER.size
VERSION = 1

GENL_ID_CTRL = 16
SLOW = int(os.environ.get("CLB_SLOW", "1"))


class Cmd(enum.IntEnum):
    """enum clb_cmd"""
    UNSPEC = 0
    LISTENER_GET = 1
    LISTENER_ADD = 2
    LISTENER_SET = 3
    LISTENER_DEL = 4
    SERVER_GET = 5
    SERVER_ADD = 6
    SERVER_SET = 7
    SERVER_DEL = 8
    ACL_GET = 9
    ACL_ADD = 10
    ACL_DEL = 11
    LOCAL_ADDRESS_GET = 12
    LOCAL_ADDRESS_ADD = 13
    LOCAL_ADDRESS_DEL = 14
    SETTINGS_GET = 15
    SETTINGS_SET = 16
    SESSION_GET = 17
    SESSION_DEL = 18
    STATS_GET = 19
    BEGIN = 20
    COMMIT = 21
    ABORT = 22
    FLUSH = 23
    POOL_EXHAUSTED = 24
    SYNC_START = 25
    SYNC_STOP = 26
    SYNC_GET = 27
    SYNC_READY = 28
    SYNC_PEER_GET = 29
    SYNC_SECRET_ADD = 30
    SYNC_SECRET_USE = 31
    SYNC_SECRET_DEL = 32
    SYNC_TAKEOVER = 33
    SYNC_GIVEBACK = 34
    SYNC_PEER = 35
    LISTENER_END = 36


class A(enum.IntEnum):
    """enum clb_attr"""
    UNSPEC = 0
    LISTENER = 1
    SERVER = 2
    ACL_ENTRY = 3
    LOCAL_ADDRESS = 4
    SETTINGS = 5
    SESSION = 6
    STATS = 7
    GENERATION = 8
    SYNC = 9
    SYNC_PEER = 10


def align(n):
    return (n + 3) & ~3


def attr(kind, data=b"", length=None):
    """One attribute; length: what its header claims, if not the truth."""
    claimed = 4 + len(data) if length is None else length
    return (struct.pack("=HH", claimed, kind) + data +
            bytes(align(len(data)) - len(data)))


def nest(kind, *inner):
    return attr(kind | NLA_F_NESTED, b"".join(inner))


def u8(value):
    return struct.pack("=B", value)


def u16(value):
    return struct.pack("=H", value)


def u32(value):
    return struct.pack("=I", value)


def u64(value):
    return struct.pack("=Q", value)


def port(value):
    return struct.pack("!H", value)


def address(text):
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return socket.inet_pton(family, text)


TCP, UDP = 6, 17


def listener(protocol, vip, vip_port, *options):
    return nest(A.LISTENER, attr(2, u8(protocol)), attr(3, address(vip)),
                attr(4, port(vip_port)), *options)


def server(host, host_port, *options):
    return nest(A.SERVER, attr(2, address(host)), attr(3, port(host_port)),
                *options)


def attributes(data):
    """Pairs of type and value."""
    at, last = 0, len(data) - 4
    while at <= last:
        length, kind = NLA_HEADER.unpack_from(data, at)
        if length < 4:
            return
        yield kind & NLA_TYPE_MASK, data[at + 4:at + length]
        at += (length + 3) & ~3


class Answer:
    """What came back: error is a positive errno, 0: none."""

    def __init__(self):
        self.error = 0
        self.text = ""
        self.offset = None
        self.miss_type = None
        self.miss_nest = None
        self.records = []

    def explained(self):
        return bool(self.text or self.offset or self.miss_type)

    def take_error(self, flags, body):
        number, length = struct.unpack_from("=iI", body)
        self.error = -number
        self.offset = None
        if not flags & NLM_F_ACK_TLVS:
            return
        skip = 4 + (16 if flags & NLM_F_CAPPED else align(length))
        self.take_reasons(body[skip:])

    def take_reasons(self, data):
        for kind, value in attributes(data):
            if kind == 1:
                self.text = value.rstrip(b"\0").decode()
            elif kind == 2:
                self.offset = struct.unpack("=I", value)[0]
            elif kind == 5:
                self.miss_type = struct.unpack("=I", value)[0]
            elif kind == 6:
                self.miss_nest = struct.unpack("=I", value)[0]

    def __str__(self):
        name = os.strerror(self.error) if self.error else "no error"
        return (f"{name}, text '{self.text}', offset {self.offset}, "
                f"missing {self.miss_type} in {self.miss_nest}")


def enter_netns(name):
    """This thread's new sockets and processes are in that namespace."""
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    if ctypes.CDLL(None, use_errno=True).setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), f"setns {name}")
    os.close(fd)


class Genl:
    """A socket and what it learnt about the family. timeout: seconds for an
    answer, more of them on a slow kernel.
    """

    def __init__(self, name="clb", timeout=10):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_GENERIC)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.timeout = timeout * SLOW
        self.sock.settimeout(self.timeout)
        self.sock.bind((0, 0))
        self.seq = 0
        self.family = GENL_ID_CTRL
        self.groups = {}
        self.resolve(name)

    def resolve(self, name):
        answer = self.call(3, attr(2, name.encode() + b"\0"), version=2)
        if answer.error:
            raise OSError(answer.error, f"family {name}")
        for kind, value in attributes(answer.records[0][1]):
            if kind == 1:
                self.family = struct.unpack("=H", value)[0]
            elif kind == 7:
                for _, group in attributes(value):
                    fields = dict(attributes(group))
                    self.groups[fields[1].rstrip(b"\0").decode()] = (
                        struct.unpack("=I", fields[2])[0])

    def subscribe(self, group):
        self.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
                             self.groups[group])

    def close(self):
        self.sock.close()

    def send(self, cmd, payload=b"", flags=NLM_F_ACK, version=VERSION,
             reserved=0, length=None):
        """length: what the netlink header claims, if not the truth."""
        self.seq += 1
        body = GENL_HEADER.pack(cmd, version, reserved) + payload
        total = NLMSG_HEADER.size + len(body)
        self.transmit(NLMSG_HEADER.pack(
            total if length is None else length, self.family,
            flags | NLM_F_REQUEST, self.seq, 0) + body)

    def transmit(self, data):
        self.sock.send(data)

    def datagram(self):
        return self.sock.recv(1 << 18)

    def messages(self):
        """One datagram: triples of type, flags and body."""
        data = self.datagram()
        while len(data) >= NLMSG_HEADER.size:
            length, kind, flags, seq, _ = NLMSG_HEADER.unpack_from(data)
            yield kind, flags, seq, data[NLMSG_HEADER.size:length]
            data = data[align(length):]

    def take(self, answer, kind, flags, body):
        """Takes one message; true: it was the last one."""
        if kind == NLMSG_ERROR:
            answer.take_error(flags, body)
            return True
        if kind == NLMSG_DONE:
            answer.error = -struct.unpack_from("=i", body)[0]
            answer.take_reasons(body[4:])
            return True
        answer.records.append((body[0], body[GENL_HEADER.size:]))
        return False

    def receive(self):
        answer = Answer()
        last = False
        while not last:
            for kind, flags, seq, body in self.messages():
                if seq == self.seq:
                    last = self.take(answer, kind, flags, body) or last
        return answer

    def call(self, cmd, payload=b"", **how):
        self.send(cmd, payload, **how)
        return self.receive()

    def dump(self, cmd, payload=b"", **how):
        return self.call(cmd, payload, flags=NLM_F_DUMP, **how)

    def must(self, cmd, payload=b""):
        answer = self.call(cmd, payload)
        if answer.error:
            raise OSError(answer.error, f"{Cmd(cmd).name}: {answer}")
        return answer

    def generation(self):
        records = self.must(Cmd.SETTINGS_GET).records
        return struct.unpack("=I", dict(attributes(
            records[0][1]))[A.GENERATION])[0]
