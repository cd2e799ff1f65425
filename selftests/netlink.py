#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Bad input over the netlink wire: every one must be refused with the right
errno, say why, and change nothing. Prints "ok NAME" or "not ok NAME" lines
for test_netlink.sh; after "not ok" the reasons, each behind "# ".

netlink.py NETNS CLBCTL
"""
import errno
import os
import pathlib
import re
import subprocess
import sys

import genl
from genl import A, Cmd, attr, listener, nest, port, server, u8, u16, u32, u64
from parts import part

VIP, VIP6 = "203.0.113.1", "2001:db8:f::1"
HOST, HOST6 = "198.51.100.11", "2001:db8:5::11"
POOL = "198.51.100.1"

# Inside each nest: attribute: (name, size, values refused).
OPTIONS = {
    5: ("mode", 1, [4, 255]), 6: ("scheduler", 1, [6, 255]),
    7: ("hash key", 1, [2, 255]),
    8: ("persistence", 4, [86401, 2**32 - 1]),
    9: ("persistence prefix", 1, [0, 33, 129, 255]),
    10: ("timeout syn", 4, [0, 901, 2**32 - 1]),
    11: ("timeout established", 4, [0, 9, 901, 2**32 - 1]),
    12: ("timeout fin", 4, [0, 901, 2**32 - 1]),
    13: ("timeout udp", 4, [0, 901, 2**32 - 1]),
    14: ("reset", 1, [2, 255]), 15: ("slow start", 4, [901, 2**32 - 1]),
    16: ("max sessions", 4, []),
    17: ("max new sessions", 4, [10000001, 2**32 - 1]),
    18: ("rate", 8, [1, 7999, 10**12 + 1, 2**64 - 1]),
    19: ("burst", 4, [1, 131071]), 20: ("acl mode", 1, [3, 255]),
    30: ("sync", 1, [3, 255]), 31: ("direct access", 1, [2, 255]),
    32: ("client address", 1, [2, 255]),
}
SERVER_OPTIONS = {
    4: ("weight", 2, [1001, 65535]), 5: ("state", 1, [3, 255]),
    6: ("drain timeout", 4, [86401, 2**32 - 1]),
    7: ("max sessions", 4, []),
}
FILTERS = {2: ("state", 1, [12, 255]), 5: ("client port", 2, [])}
SETTINGS = {1: ("max sessions", 4, [0, 2**24 + 1, 2**32 - 1]),
            2: ("fast path", 1, [2, 255])}
ACL = {2: ("prefix", 1, [33, 129, 255])}
SYNC = {2: ("cluster", 4, []), 3: ("node", 2, [0]), 4: ("interface", 4, []),
        6: ("port", 2, []), 7: ("ttl", 1, [0]),
        8: ("mtu", 2, [0, 575, 9001, 65535]), 9: ("key id", 1, []),
        49: ("reorder", 2, [201, 65535])}

BAD_ADDRESSES = {0: errno.ERANGE, 1: errno.ERANGE, 3: errno.ERANGE,
                 5: errno.EINVAL, 15: errno.EINVAL, 17: errno.ERANGE,
                 32: errno.ERANGE}
NOT_UNICAST = ["0.0.0.0", "224.0.0.1", "255.255.255.255", "::",
               "ff02::1"]

HEADER = (pathlib.Path(__file__).resolve().parents[1] /
          "include/uapi/linux/clb.h").read_text(encoding="utf-8")


def first_unknown(enum):
    """The lowest number that no attribute of the header has."""
    body = re.search(rf"^enum {enum} \{{(.*?)^\}};", HEADER, re.M | re.S)[1]
    return len(re.findall(r"^\tCLB_\w+,$", body, re.M))


# Attributes of a request, well formed, and the lowest unknown one.
LISTENER = {2: attr(2, u8(genl.TCP)), 3: attr(3, genl.address(VIP)),
            4: attr(4, port(80))}
SERVER = {2: attr(2, genl.address(HOST)), 3: attr(3, port(80))}
NESTS = {
    A.LISTENER: (LISTENER, first_unknown("clb_listener_attr")),
    A.SERVER: (SERVER, first_unknown("clb_server_attr")),
    A.ACL_ENTRY: ({1: attr(1, genl.address("192.0.2.0")),
                   2: attr(2, u8(24))}, first_unknown("clb_acl_attr")),
    A.LOCAL_ADDRESS: ({1: attr(1, genl.address(POOL))},
                      first_unknown("clb_local_address_attr")),
    A.SETTINGS: ({1: attr(1, u32(1000))},
                 first_unknown("clb_settings_attr")),
    A.SESSION: ({4: attr(4, genl.address("192.0.2.11"))},
                first_unknown("clb_session_attr")),
    A.SYNC_PEER: ({2: attr(2, u16(7))}, first_unknown("clb_sync_peer_attr")),
    A.SYNC: ({3: attr(3, genl.u16(1)), 4: attr(4, u32(1)),
              5: attr(5, genl.address("239.0.0.1")), 10: attr(10, bytes(32))},
             first_unknown("clb_sync_attr")),
}

# Command: (is a dump, attributes it takes, of which it needs)
COMMANDS = {
    (Cmd.LISTENER_GET, False): ([A.LISTENER], [A.LISTENER]),
    (Cmd.LISTENER_GET, True): ([A.LISTENER], []),
    (Cmd.LISTENER_ADD, False): ([A.LISTENER], [A.LISTENER]),
    (Cmd.LISTENER_SET, False): ([A.LISTENER], [A.LISTENER]),
    (Cmd.LISTENER_DEL, False): ([A.LISTENER], [A.LISTENER]),
    (Cmd.SERVER_GET, False): ([A.LISTENER, A.SERVER],
                              [A.LISTENER, A.SERVER]),
    (Cmd.SERVER_GET, True): ([A.LISTENER], []),
    (Cmd.SERVER_ADD, False): ([A.LISTENER, A.SERVER],
                              [A.LISTENER, A.SERVER]),
    (Cmd.SERVER_SET, False): ([A.LISTENER, A.SERVER],
                              [A.LISTENER, A.SERVER]),
    (Cmd.SERVER_DEL, False): ([A.LISTENER, A.SERVER],
                              [A.LISTENER, A.SERVER]),
    (Cmd.ACL_GET, True): ([A.LISTENER], []),
    (Cmd.ACL_ADD, False): ([A.LISTENER, A.ACL_ENTRY],
                           [A.LISTENER, A.ACL_ENTRY]),
    (Cmd.ACL_DEL, False): ([A.LISTENER, A.ACL_ENTRY], [A.LISTENER]),
    (Cmd.LOCAL_ADDRESS_GET, True): ([], []),
    (Cmd.LOCAL_ADDRESS_ADD, False): ([A.LOCAL_ADDRESS], [A.LOCAL_ADDRESS]),
    (Cmd.LOCAL_ADDRESS_DEL, False): ([A.LOCAL_ADDRESS], [A.LOCAL_ADDRESS]),
    (Cmd.SETTINGS_GET, False): ([], []),
    (Cmd.SETTINGS_SET, False): ([A.SETTINGS], [A.SETTINGS]),
    (Cmd.SESSION_GET, True): ([A.LISTENER, A.SERVER, A.SESSION], []),
    (Cmd.SESSION_DEL, False): ([A.LISTENER, A.SERVER, A.SESSION], []),
    (Cmd.STATS_GET, False): ([], []),
    (Cmd.BEGIN, False): ([], []),
    (Cmd.COMMIT, False): ([], []),
    (Cmd.ABORT, False): ([], []),
    (Cmd.FLUSH, False): ([], []),
    (Cmd.SYNC_START, False): ([A.SYNC], [A.SYNC]),
    (Cmd.SYNC_STOP, False): ([], []),
    (Cmd.SYNC_GET, False): ([], []),
    (Cmd.SYNC_PEER_GET, True): ([], []),
    (Cmd.SYNC_TAKEOVER, False): ([A.SYNC_PEER], [A.SYNC_PEER]),
    (Cmd.SYNC_GIVEBACK, False): ([A.SYNC_PEER], [A.SYNC_PEER]),
    (Cmd.SYNC_SECRET_ADD, False): ([A.SYNC], [A.SYNC]),
    (Cmd.SYNC_SECRET_USE, False): ([A.SYNC], [A.SYNC]),
    (Cmd.SYNC_SECRET_DEL, False): ([A.SYNC], [A.SYNC]),
}
# Where a command takes less of a nest: what it takes, and needs.
SECRET = {9: attr(9, u8(1)), 10: attr(10, bytes(32))}
KEY_ID = {9: attr(9, u8(1))}
LESS = {
    (Cmd.SYNC_SECRET_ADD, A.SYNC): SECRET,
    (Cmd.SYNC_SECRET_USE, A.SYNC): KEY_ID,
    (Cmd.SYNC_SECRET_DEL, A.SYNC): KEY_ID,
}
KEYS_OF = {(Cmd.SYNC_SECRET_ADD, False): [9, 10],
           (Cmd.SYNC_SECRET_USE, False): [9],
           (Cmd.SYNC_SECRET_DEL, False): [9]}
# The attributes inside the nests that a command takes besides the keys.
INSIDE = {
    (Cmd.LISTENER_ADD, A.LISTENER): OPTIONS,
    (Cmd.LISTENER_SET, A.LISTENER): OPTIONS,
    (Cmd.SERVER_ADD, A.SERVER): SERVER_OPTIONS,
    (Cmd.SERVER_SET, A.SERVER): SERVER_OPTIONS,
    (Cmd.LOCAL_ADDRESS_ADD, A.LOCAL_ADDRESS): {3: ("node", 2, [])},
    (Cmd.SYNC_TAKEOVER, A.SYNC_PEER): {2: ("node", 2, [0])},
    (Cmd.SYNC_GIVEBACK, A.SYNC_PEER): {2: ("node", 2, [0])},
    (Cmd.ACL_ADD, A.ACL_ENTRY): ACL, (Cmd.ACL_DEL, A.ACL_ENTRY): ACL,
    (Cmd.SETTINGS_SET, A.SETTINGS): SETTINGS,
    (Cmd.SESSION_GET, A.SESSION): FILTERS,
    (Cmd.SESSION_DEL, A.SESSION): FILTERS,
    (Cmd.SYNC_START, A.SYNC): SYNC,
}
KEYS = {A.LISTENER: [2, 3, 4], A.SERVER: [2], A.ACL_ENTRY: [1],
        A.LOCAL_ADDRESS: [1], A.SETTINGS: [], A.SESSION: [],
        A.SYNC: [3, 4, 5, 10], A.SYNC_PEER: [2]}
ADDRESS = {A.LISTENER: 3, A.SERVER: 2, A.ACL_ENTRY: 1, A.LOCAL_ADDRESS: 1,
           A.SESSION: 4, A.SYNC: 5}


def sized(size, value):
    return value.to_bytes(size, sys.byteorder)


class Case:
    """One line of the result: everything tried must have been refused."""

    def __init__(self, client, name):
        self.client, self.name, self.faults = client, name, []

    def refused(self, what, request, wanted, key, payload, explained=True,
                **how):
        """wanted: the errno; request: the socket that sends, if not ours"""
        cmd, dump = key
        if dump:
            how["flags"] = genl.NLM_F_DUMP
        answer = (request or self.client).call(cmd, payload, **how)
        if answer.error != wanted:
            self.faults.append(f"{what}: wanted {errno.errorcode[wanted]}, "
                               f"got {answer}")
        elif explained and not dump and not answer.explained():
            self.faults.append(f"{what}: says not why: {answer}")
        return answer

    def points(self, what, answer, key, wanted):
        """To the attribute at fault. Generic netlink of Linux 6.1 passes on
        what the policy says of a dump, but not what its start says."""
        if key[1] and answer.offset is None:
            return
        self.equal(f"{what}: offset", answer.offset, wanted)

    def misses(self, what, answer, key, wanted):
        if key[1] and answer.miss_type is None:
            return
        self.equal(f"{what}: missing", answer.miss_type, wanted)

    def equal(self, what, got, wanted):
        if got != wanted:
            self.faults.append(f"{what}: wanted {wanted}, got {got}")

    def end(self):
        print(f"{'not ok' if self.faults else 'ok'} {self.name}")
        for fault in self.faults:
            print(f"# {fault}")
        sys.stdout.flush()


def inside(key, kind):
    """The attributes of a nest in a request of this command."""
    return LESS.get((key[0], kind), NESTS[kind][0])


def request(key, instead=None, leave=None):
    """The attributes a command takes; some others instead, or left out."""
    parts = []
    for kind in COMMANDS[key][0]:
        if kind == leave:
            continue
        parts.append((instead or {}).get(
            kind, nest(kind, *inside(key, kind).values())))
    return b"".join(parts)


def label(key):
    name = key[0].name.lower().replace("_", " ")
    return name + (" (dump)" if key[1] else "")


def with_inner(key, kind, inner, leave=()):
    parts = [data for number, data in inside(key, kind).items()
             if number not in leave]
    return nest(kind, *parts, inner)


def key_offset(key, kind, leave=()):
    """Where the attribute added by with_inner() begins in the message."""
    offset = genl.HEADERS
    for other in COMMANDS[key][0]:
        if other == kind:
            break
        offset += len(nest(other, *inside(key, other).values()))
    return offset + len(with_inner(key, kind, b"", leave))


def each_nest():
    for key, (takes, _) in COMMANDS.items():
        for kind in takes:
            yield key, kind


def lengths(client):
    for key, kind in each_nest():
        case = Case(client, f"{label(key)}: wrong lengths in {kind.name}")
        sizes = {number: size for number, (_, size, _) in
                 INSIDE.get((key[0], kind), {}).items()}
        sizes.update({A.LISTENER: {2: 1, 4: 2},
                      A.SERVER: {3: 2}}.get(kind, {}))
        for number, size in sizes.items():
            for wrong in (0, size - 1, size + 1, size + 4, 64):
                if wrong == size:
                    continue
                leave = (number,)
                inner = attr(number, bytes(wrong))
                answer = case.refused(
                    f"attribute {number}, {wrong} bytes", None, errno.EINVAL,
                    key, request(key, {kind: with_inner(key, kind, inner, leave)}))
                case.points(f"attribute {number}, {wrong} bytes", answer, key,
                           key_offset(key, kind, leave))
        if ADDRESS.get(kind) in inside(key, kind):
            for wrong, error in BAD_ADDRESSES.items():
                leave = (ADDRESS[kind],)
                inner = attr(ADDRESS[kind], bytes([1] * wrong))
                answer = case.refused(
                    f"address, {wrong} bytes", None, error, key,
                    request(key, {kind: with_inner(key, kind, inner, leave)}))
                case.points(f"address, {wrong} bytes", answer, key,
                           key_offset(key, kind, leave))
        case.end()


def ranges(client):
    for (cmd, kind), numbers in INSIDE.items():
        key = next(k for k in COMMANDS if k[0] == cmd)
        case = Case(client, f"{label(key)}: values out of range in "
                            f"{kind.name}")
        for number, (name, size, refused) in numbers.items():
            for value in refused:
                leave = (number,)
                inner = attr(number, sized(size, value))
                answer = case.refused(
                    f"{name} {value}", None, errno.ERANGE, key,
                    request(key, {kind: with_inner(key, kind, inner, leave)}))
                case.points(f"{name} {value}", answer, key,
                           key_offset(key, kind, leave))
        case.end()


def unicast(client):
    for key, kind in each_nest():
        if kind not in (A.LISTENER, A.SERVER, A.LOCAL_ADDRESS):
            continue
        case = Case(client, f"{label(key)}: {kind.name} is not unicast")
        for text in NOT_UNICAST:
            leave = (ADDRESS[kind],)
            inner = attr(ADDRESS[kind], genl.address(text))
            answer = case.refused(
                text, None, errno.EINVAL, key,
                request(key, {kind: with_inner(key, kind, inner, leave)}))
            case.points(f"{text}", answer, key,
                           key_offset(key, kind, leave))
        case.end()


def unknown_attributes(client):
    for key, (takes, _) in COMMANDS.items():
        case = Case(client, f"{label(key)}: attributes it does not take")
        others = [A.UNSPEC, *(kind for kind in A if kind not in takes),
                  first_unknown("clb_attr"), 100, 0x3fff]
        for kind in dict.fromkeys(others):
            parts = NESTS.get(kind, ({}, 0))[0]
            wrong = (nest(kind, *parts.values()) if parts else
                     attr(int(kind), u32(1)))
            answer = case.refused(f"attribute {int(kind)}", None,
                                  errno.EINVAL, key, request(key) + wrong)
            case.points(f"attribute {int(kind)}", answer, key,
                        genl.HEADERS + len(request(key)))
        for kind in takes:
            _, unknown = NESTS[kind]
            known = set(inside(key, kind)) | set(INSIDE.get((key[0], kind), {}))
            # of any length, lest it is refused for that alone
            for number, size in [(n, size) for n in range(unknown + 2)
                                 if n not in known for size in (1, 2, 4, 8)]:
                what = f"{kind.name} {number}, {size} bytes"
                answer = case.refused(
                    what, None, errno.EINVAL, key,
                    request(key, {kind: with_inner(
                        key, kind, attr(number, sized(size, 1)))}))
                case.points(what, answer, key, key_offset(key, kind))
        case.end()


def nesting(client):
    for key, kind in each_nest():
        case = Case(client, f"{label(key)}: wrong nesting of {kind.name}")
        inner = b"".join(inside(key, kind).values())
        whole = genl.HEADERS + (key_offset(key, kind) - genl.HEADERS -
                                len(nest(kind, inner)))
        answer = case.refused("flag missing", None, errno.EINVAL, key,
                              request(key, {kind: attr(kind, inner)}))
        case.equal("flag missing: offset", answer.offset, whole)
        for number, data in inside(key, kind).items():
            value = data[4:4 + int.from_bytes(data[:2], sys.byteorder) - 4]
            flagged = attr(number | genl.NLA_F_NESTED, value)
            case.refused(f"flag on attribute {number}", None, errno.EINVAL,
                         key, request(key, {kind: with_inner(
                             key, kind, flagged, (number,))}))
        case.refused("nest in itself", None, errno.EINVAL, key, request(
            key, {kind: nest(kind, nest(kind, inner))}))
        for left in (1, 2, 3):
            case.refused(f"{left} bytes of an attribute", None, errno.ERANGE,
                         key, request(key, {kind: attr(
                             kind | genl.NLA_F_NESTED, inner[:left])}),
                         explained=False)
            case.refused(f"{left} bytes after the last one", None,
                         errno.EINVAL, key, request(key, {kind: attr(
                             kind | genl.NLA_F_NESTED,
                             inner + bytes(left))}))
        case.refused("inner attribute longer than the nest", None,
                     errno.EINVAL, key, request(key, {kind: nest(
                         kind, attr(3, bytes(4), 400))}))
        case.refused("inner attribute of length 3", None, errno.EINVAL, key,
                     request(key, {kind: nest(kind, inner,
                                              attr(3, b"", 3))}))
        case.end()


def missing(client):
    for key, (takes, needs) in COMMANDS.items():
        case = Case(client, f"{label(key)}: attributes left out")
        for kind in needs:
            answer = case.refused(f"no {kind.name}", None, errno.EINVAL, key,
                                  request(key, leave=kind))
            case.misses(f"no {kind.name}", answer, key, kind)
        for kind in takes:
            for number in KEYS_OF.get(key, KEYS[kind]):
                answer = case.refused(
                    f"{kind.name} without {number}", None, errno.EINVAL, key,
                    request(key, {kind: with_inner(key, kind, b"", (number,))}))
                case.misses(f"{kind.name} without {number}", answer, key,
                            number)
                case.equal(f"{kind.name} without {number}: nest",
                           answer.miss_nest is None, key[1])
            if KEYS_OF.get(key, KEYS[kind]):
                case.refused(f"{kind.name} empty", None, errno.EINVAL, key,
                             request(key, {kind: nest(kind)}))
        if takes:
            case.end()


def messages(client):
    for key in COMMANDS:
        case = Case(client, f"{label(key)}: broken message")
        case.refused("reserved bytes", None, errno.EINVAL, key, request(key),
                     reserved=1)
        case.refused("header cut short", None, errno.EINVAL, key, b"",
                     explained=False, length=18)
        for left in (1, 2, 3):
            case.refused(f"{left} bytes too many", None, errno.EINVAL, key,
                         request(key) + bytes(4),
                         length=genl.HEADERS + len(request(key)) + left)
        case.refused("attribute longer than the message", None, errno.EINVAL,
                     key, request(key) + attr(A.LISTENER | genl.NLA_F_NESTED,
                                              bytes(4), 4000))
        if not key[1]:
            for flag in (0x10, 0x20, 0x100, 0x200, 0x400, 0x800, 0x8000):
                case.refused(f"flag {flag:#x}", None, errno.EINVAL, key,
                             request(key), flags=genl.NLM_F_ACK | flag)
        case.end()


def commands(client):
    case = Case(client, "unknown commands and wrong kinds of them")
    for cmd in (0, 24, 28, first_unknown("clb_cmd"), 100, 255):
        for dump in (False, True):
            case.refused(f"command {cmd}", None, errno.EOPNOTSUPP,
                         (cmd, dump), b"", explained=False)
    for cmd in [c for c in Cmd if c > 0]:
        for dump in (False, True):
            if (cmd, dump) not in COMMANDS:
                case.refused(f"{cmd.name}, dump {dump}", None,
                             errno.EOPNOTSUPP, (cmd, dump), b"",
                             explained=False)
    case.end()


def named(payload, offset):
    """What an answer points to: the how-manieth attribute of the request, from
    0, and the type of the one inside it, or None: the nest itself."""
    position = genl.HEADERS
    for index, (_, data) in enumerate(genl.attributes(payload)):
        inside = position + 4
        if offset == position:
            return index, None
        for kind, value in genl.attributes(data):
            if offset == inside:
                return index, kind
            inside += genl.align(4 + len(value))
        position += genl.align(4 + len(data))
    return offset


def contradictions(client):
    """Well formed, but not with each other or with what is there."""
    case = Case(client, "what contradicts itself or the configuration")
    unknown = listener(genl.TCP, VIP, 81)
    there = listener(genl.TCP, VIP, 8080)
    entry = nest(A.ACL_ENTRY, attr(1, genl.address("192.0.2.0")),
                 attr(2, u8(24)))

    def acl(text, *options):
        return nest(A.ACL_ENTRY, attr(1, genl.address(text)), *options)

    protocol, mode, rate, client_address = 2, 5, 18, 32
    address, prefix = 1, 2
    host, host_port = 2, 3
    # The attribute that is named is one of these, or one inside of it.
    first, second, third = 0, 1, 2
    table = [
        ("listener exists", errno.EEXIST, (first, None),
         Cmd.LISTENER_ADD, there),
        ("set no such listener", errno.ENOENT, (first, None),
         Cmd.LISTENER_SET, unknown),
        ("del no such listener", errno.ENOENT, (first, None),
         Cmd.LISTENER_DEL, unknown),
        ("get no such listener", errno.ENOENT, (first, None),
         Cmd.LISTENER_GET, unknown),
        ("other protocol", errno.ENOENT, (first, None), Cmd.LISTENER_DEL,
         listener(genl.UDP, VIP, 8080)),
        ("other family", errno.ENOENT, (first, None), Cmd.LISTENER_DEL,
         listener(genl.TCP, "2001:db8::1", 8080)),
        ("server: no such listener", errno.ENOENT, (first, None),
         Cmd.SERVER_ADD, unknown + server(HOST, 80)),
        ("server get: no such listener", errno.ENOENT, (first, None),
         Cmd.SERVER_GET, unknown + server(HOST, 80)),
        ("server exists", errno.EEXIST, (second, None), Cmd.SERVER_ADD,
         there + server(HOST, 80)),
        ("set no such server", errno.ENOENT, (second, None), Cmd.SERVER_SET,
         there + server(HOST, 81)),
        ("del no such server", errno.ENOENT, (second, None), Cmd.SERVER_DEL,
         there + server(HOST, 81)),
        ("get no such server", errno.ENOENT, (second, None), Cmd.SERVER_GET,
         there + server(HOST, 81)),
        ("server of another family", errno.EINVAL, (second, host),
         Cmd.SERVER_ADD, there + server(HOST6, 80)),
        ("server is the listener", errno.EINVAL, (second, host),
         Cmd.SERVER_ADD, there + server(VIP, 8080)),
        ("dr translates no port", errno.EINVAL, (second, host_port),
         Cmd.SERVER_ADD, listener(genl.TCP, VIP, 8082) + server(HOST, 80)),
        ("mode does not fit the servers", errno.EOPNOTSUPP, (first, mode),
         Cmd.LISTENER_SET, listener(genl.TCP, VIP, 8080, attr(mode, u8(2)))),
        ("rate with dr", errno.EOPNOTSUPP, (first, rate), Cmd.LISTENER_ADD,
         listener(genl.TCP, VIP, 81, attr(mode, u8(2)),
                  attr(rate, u64(8000)))),
        ("rate with tun", errno.EOPNOTSUPP, (first, rate), Cmd.LISTENER_ADD,
         listener(genl.TCP, VIP, 81, attr(mode, u8(3)),
                  attr(rate, u64(8000)))),
        ("rate for a dr listener", errno.EOPNOTSUPP, (first, rate),
         Cmd.LISTENER_SET,
         listener(genl.TCP, VIP, 8082, attr(rate, u64(8000)))),
        ("dr for a listener with a rate", errno.EOPNOTSUPP, (first, mode),
         Cmd.LISTENER_SET, listener(genl.TCP, VIP, 8083, attr(mode, u8(2)))),
        ("client address with nat", errno.EOPNOTSUPP, (first, client_address),
         Cmd.LISTENER_ADD,
         listener(genl.TCP, VIP, 81, attr(client_address, u8(1)))),
        ("client address with UDP", errno.EOPNOTSUPP, (first, client_address),
         Cmd.LISTENER_ADD, listener(genl.UDP, VIP, 81, attr(mode, u8(1)),
                                    attr(client_address, u8(1)))),
        ("client address for a dr listener", errno.EOPNOTSUPP,
         (first, client_address), Cmd.LISTENER_SET,
         listener(genl.TCP, VIP, 8082, attr(client_address, u8(1)))),
        ("nat for a listener that tells the client", errno.EOPNOTSUPP,
         (first, mode), Cmd.LISTENER_SET,
         listener(genl.TCP, VIP, 8084, attr(mode, u8(0)))),
        ("protocol", errno.EPROTONOSUPPORT, (first, protocol),
         Cmd.LISTENER_ADD, listener(132, VIP, 81)),
        ("acl: no such listener", errno.ENOENT, (first, None), Cmd.ACL_ADD,
         unknown + entry),
        ("acl entry exists", errno.EEXIST, (second, None), Cmd.ACL_ADD,
         there + entry),
        ("acl entry twice", errno.EEXIST, (third, None), Cmd.ACL_ADD,
         there + acl("10.0.0.1") + acl("10.0.0.1")),
        ("acl del: no such entry", errno.ENOENT, (third, None), Cmd.ACL_DEL,
         there + entry + acl("10.0.0.1")),
        ("acl entry of another family", errno.EAFNOSUPPORT,
         (second, address), Cmd.ACL_ADD, there + acl("2001:db8::1")),
        ("acl: bits beyond the prefix", errno.EINVAL, (second, address),
         Cmd.ACL_ADD, there + acl("10.0.0.1", attr(2, u8(24)))),
        ("acl: bad entry after a good one", errno.ERANGE, (third, prefix),
         Cmd.ACL_ADD,
         there + acl("10.0.0.1") + acl("10.0.0.2", attr(2, u8(33)))),
        ("local address exists", errno.EEXIST, (first, None),
         Cmd.LOCAL_ADDRESS_ADD,
         nest(A.LOCAL_ADDRESS, attr(1, genl.address(POOL)))),
        ("no such local address", errno.ENOENT, (first, None),
         Cmd.LOCAL_ADDRESS_DEL,
         nest(A.LOCAL_ADDRESS, attr(1, genl.address("10.0.0.1")))),
        ("commit without begin", errno.ENOENT, None, Cmd.COMMIT, b""),
        ("abort without begin", errno.ENOENT, None, Cmd.ABORT, b""),
    ]
    for what, wanted, culprit, cmd, payload in table:
        answer = case.refused(what, None, wanted, (cmd, False), payload)
        case.equal(f"{what}: named attribute", named(payload, answer.offset),
                   culprit)
    for cmd in (Cmd.LISTENER_GET, Cmd.SERVER_GET, Cmd.ACL_GET):
        case.refused(f"dump {cmd.name} of no such listener", None,
                     errno.ENOENT, (cmd, True), unknown)
    case.end()


def configure(client):
    """Something to be left alone by all this."""
    there = listener(genl.TCP, VIP, 8080)
    client.must(Cmd.LISTENER_ADD, there)
    client.must(Cmd.SERVER_ADD, there + server(HOST, 80))
    client.must(Cmd.ACL_ADD, there + nest(
        A.ACL_ENTRY, attr(1, genl.address("192.0.2.0")), attr(2, u8(24))))
    client.must(Cmd.LISTENER_ADD,
                listener(genl.TCP, VIP, 8082, attr(5, u8(2))))
    client.must(Cmd.LISTENER_ADD,
                listener(genl.TCP, VIP, 8083, attr(18, u64(8000))))
    client.must(Cmd.LISTENER_ADD,
                listener(genl.TCP, VIP, 8084, attr(5, u8(1)),
                         attr(32, u8(1))))
    client.must(Cmd.LISTENER_ADD, listener(genl.TCP, VIP, 80))
    client.must(Cmd.LISTENER_ADD, listener(genl.UDP, VIP6, 53))
    client.must(Cmd.SERVER_ADD, listener(genl.UDP, VIP6, 53) +
                server(HOST6, 53, attr(4, u16(7))))
    client.must(Cmd.LOCAL_ADDRESS_ADD,
                nest(A.LOCAL_ADDRESS, attr(1, genl.address(POOL))))


def count(client, cmd, payload=b""):
    answer = client.dump(cmd, payload)
    return len(answer.records) if not answer.error else str(answer)


def filters(client):
    case = Case(client, "dump filters")
    there = listener(genl.TCP, VIP, 8080)
    empty = listener(genl.TCP, VIP, 80)
    for what, wanted, cmd, payload in [
            ("all listeners", 6, Cmd.LISTENER_GET, b""),
            ("one listener", 1, Cmd.LISTENER_GET, there),
            ("all servers", 2, Cmd.SERVER_GET, b""),
            ("servers of one", 1, Cmd.SERVER_GET, there),
            ("servers of an empty one", 0, Cmd.SERVER_GET, empty),
            ("all ACL entries", 1, Cmd.ACL_GET, b""),
            ("ACL entries of one", 1, Cmd.ACL_GET, there),
            ("ACL entries of an empty one", 0, Cmd.ACL_GET, empty),
            ("local addresses", 1, Cmd.LOCAL_ADDRESS_GET, b""),
            ("sessions", 0, Cmd.SESSION_GET, b""),
            ("sessions of a listener", 0, Cmd.SESSION_GET, there)]:
        case.equal(what, count(client, cmd, payload), wanted)
    case.end()


def nobody(client):
    """A user without rights: EPERM for each command, dumps included."""
    case = Case(client, "an unprivileged user is refused everything")
    reader, writer = os.pipe()
    if not os.fork():
        os.setgroups([])
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
        mine = genl.Genl()
        faults = Case(mine, "")
        for key in COMMANDS:
            faults.refused(label(key), None, errno.EPERM, key, request(key),
                           explained=False)
        os.write(writer, "\n".join(faults.faults)[:4000].encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        case.faults += pipe.read().split("\n")
    case.faults = [fault for fault in case.faults if fault]
    case.equal("exit", os.wait()[1], 0)
    case.end()


def versions(client):
    case = Case(client, "the version of a request makes no difference")
    there = request((Cmd.LISTENER_GET, False))
    for version in (0, 2, 255):
        case.equal(f"version {version}",
                   client.call(Cmd.LISTENER_GET, there, version=version)
                   .error, 0)
    case.end()


class Events:
    """What the multicast group tells, as commands."""

    def __init__(self):
        self.client = genl.Genl()
        self.client.subscribe("events")
        self.client.sock.setblocking(False)

    def take(self):
        """All there is by now: events are sent before the answer is, but for the
        end of a listener, which comes in its own time."""
        commands = []
        while True:
            try:
                commands += [(Cmd(body[0]).name, {
                    A(kind).name for kind, _ in
                    genl.attributes(body[genl.GENL_HEADER.size:])})
                             for _, _, _, body in self.client.messages()
                             if body[0] != Cmd.LISTENER_END]
            except BlockingIOError:
                return commands
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                commands.append("lost")


def changes():
    """Each command that changes something, and the objects of its event."""
    there = listener(genl.TCP, VIP, 7000)
    entry = nest(A.ACL_ENTRY, attr(1, genl.address("10.0.0.1")))
    local = nest(A.LOCAL_ADDRESS, attr(1, genl.address("198.51.100.7")))
    return [
        (Cmd.LISTENER_ADD, there, {"LISTENER"}),
        (Cmd.LISTENER_SET, there, {"LISTENER"}),
        (Cmd.SERVER_ADD, there + server(HOST, 1), {"LISTENER", "SERVER"}),
        (Cmd.SERVER_SET, there + server(HOST, 1), {"LISTENER", "SERVER"}),
        (Cmd.SERVER_DEL, there + server(HOST, 1), {"LISTENER", "SERVER"}),
        (Cmd.ACL_ADD, there + entry, {"LISTENER", "ACL_ENTRY"}),
        (Cmd.ACL_DEL, there + entry, {"LISTENER", "ACL_ENTRY"}),
        (Cmd.ACL_DEL, there, {"LISTENER"}),
        (Cmd.LOCAL_ADDRESS_ADD, local, {"LOCAL_ADDRESS"}),
        (Cmd.LOCAL_ADDRESS_DEL, local, {"LOCAL_ADDRESS"}),
        (Cmd.LISTENER_DEL, there, {"LISTENER"}),
    ]


COMMIT = ("COMMIT", {"GENERATION"})


def events_alone(client):
    """Each change by itself is announced, then the new configuration."""
    case = Case(client, "events: each change, then its commit")
    events = Events()
    for cmd, payload, objects in changes():
        generation = client.generation()
        client.must(cmd, payload)
        case.equal(cmd.name, events.take(), [(cmd.name, objects), COMMIT])
        case.equal(f"{cmd.name}: generation", client.generation(),
                   generation + 1)
    client.must(Cmd.SETTINGS_SET, nest(A.SETTINGS))
    case.equal("settings", events.take(), [("SETTINGS_SET", {"SETTINGS"})])
    client.call(Cmd.LISTENER_DEL, listener(genl.TCP, VIP, 1))
    case.equal("a refused change", events.take(), [])
    case.end()


def events_together(client):
    """A transaction is announced at its commit, in order, or never."""
    case = Case(client, "events: of a transaction at its commit alone")
    events = Events()
    for end in (Cmd.ABORT, None, Cmd.COMMIT):
        owner = genl.Genl()
        generation = client.generation()
        owner.must(Cmd.BEGIN)
        for cmd, payload, _ in changes():
            owner.must(cmd, payload)
        owner.call(Cmd.LISTENER_DEL, listener(genl.TCP, VIP, 1))
        case.equal("before the end", events.take(), [])
        case.equal("generation before", client.generation(), generation)
        if end is not None:
            owner.must(end)
        owner.close()
        case.equal(f"after {end}", events.take(),
                   [(cmd.name, objects) for cmd, _, objects in changes()] +
                   [COMMIT] if end == Cmd.COMMIT else [])
        case.equal("generation after", client.generation(),
                   generation + (end == Cmd.COMMIT))
    client.must(Cmd.BEGIN)
    client.must(Cmd.FLUSH)
    client.must(Cmd.COMMIT)
    case.equal("flush", events.take(), [("FLUSH", set()), COMMIT])
    case.end()


def events_lost(client):
    """Of a transaction of which something cannot be told: that, when it is in
    force, and its commit."""
    case = Case(client, "events: who missed some is told, at the commit")
    there = listener(genl.TCP, VIP, 7000)
    client.must(Cmd.BEGIN)
    client.must(Cmd.LISTENER_ADD, there)
    events = Events()
    client.must(Cmd.LISTENER_SET, there)
    case.equal("joined amid it: before the end", events.take(), [])
    client.must(Cmd.COMMIT)
    case.equal("joined amid it", events.take(), ["lost", COMMIT])
    for first in range(0, 5000, 1000):
        if not first:
            client.must(Cmd.BEGIN)
        client.must(Cmd.ACL_ADD, there + b"".join(
            nest(A.ACL_ENTRY, attr(1, (0x0a000000 + one).to_bytes(4, "big")))
            for one in range(first, first + 1000)))
    case.equal("5000 changes: before the end", events.take(), [])
    client.must(Cmd.COMMIT)
    case.equal("5000 changes", events.take(), ["lost", COMMIT])
    client.must(Cmd.BEGIN)
    client.must(Cmd.LISTENER_SET, there)
    client.must(Cmd.ABORT)
    client.must(Cmd.LISTENER_DEL, there)
    case.equal("the next one", events.take(),
               [("LISTENER_DEL", {"LISTENER"}), COMMIT])
    case.end()


def main():
    genl.enter_netns(sys.argv[1])
    client = genl.Genl()
    configure(client)

    def state():
        return subprocess.run([sys.argv[2], "save"], check=True,
                              capture_output=True, text=True).stdout

    for group in (filters, lengths, ranges, unicast, unknown_attributes,
                  nesting, missing, messages, commands, contradictions,
                  nobody, versions):
        if not part(group.__name__):
            continue
        before, generation = state(), client.generation()
        group(client)
        case = Case(client, f"{group.__name__}: nothing has changed")
        case.equal("configuration", state(), before)
        case.equal("generation", client.generation(), generation)
        case.end()
    if part("events"):
        events_alone(client)
        events_together(client)
        events_lost(client)


main()
