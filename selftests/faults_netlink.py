#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""Memory runs out during each netlink command: for every allocation the
kernel makes for it, once with that one failing. A command is done or not,
never by half; one that says it failed changed nothing; one that was done is
announced, or listeners are told that they missed something; a list is
complete or says that it is not. Works in a network namespace of its own.

Prints "ok NAME" or "not ok NAME".
"""
import ctypes
import errno
import os
import socket
import struct
import subprocess
import time

import faults
import genl
from faults import Fault, each
from genl import A, Cmd, attr, nest, server, u8, u16, u32, u64
from tap import tell

VIP, VIP6 = "203.0.113.1", "2001:db8:f::1"
HOSTS = [f"198.51.100.{n}" for n in range(1, 6)]
HOSTS6 = [f"2001:db8:5::{n}" for n in range(1, 6)]
CLONE_NEWNET = 0x40000000

# what changes a configuration, and what lists it
LISTS = (Cmd.LISTENER_GET, Cmd.SERVER_GET, Cmd.ACL_GET,
         Cmd.LOCAL_ADDRESS_GET)
DUMPS = (*LISTS, Cmd.SESSION_GET)


def new_netns():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


def listener(number, *options):
    """One of many: UDP over IPv4 and TCP over IPv6 in turn."""
    if number % 2:
        return genl.listener(genl.TCP, VIP6, number, *options)
    return genl.listener(genl.UDP, VIP, number, *options)


def host(number, which):
    return (HOSTS6 if number % 2 else HOSTS)[which]


def acl(number, *prefixes):
    width = 128 if number % 2 else 32
    base = "2001:db8:{}::" if number % 2 else "10.0.{}.0"
    return b"".join(nest(A.ACL_ENTRY,
                         attr(1, genl.address(base.format(prefix))),
                         attr(2, u8(width))) for prefix in prefixes)


def local(text):
    return nest(A.LOCAL_ADDRESS, attr(1, genl.address(text)))


def setting(most, fast):
    return nest(A.SETTINGS, attr(1, u32(most)), attr(2, u8(fast)))


def listener_steps(number):
    return [
        (Cmd.LISTENER_ADD, listener(number, attr(6, u8(number % 6)))),
        (Cmd.SERVER_ADD, listener(number) + server(host(number, 0), 80)),
        (Cmd.SERVER_ADD, listener(number) + server(host(number, 1), 80)),
        (Cmd.ACL_ADD, listener(number) + acl(number, 1, 2))]


# The configuration that all changes start from.
BASE = (
    [(Cmd.LOCAL_ADDRESS_ADD, local(text)) for text in
     ("198.51.100.200", "2001:db8:5::200")] +
    [step for number in range(1, 7) for step in listener_steps(number)])

ONE = listener(2)
HERE = server(HOSTS[0], 80)


def options(*given):
    return (Cmd.LISTENER_SET, listener(2, *given))


def changed(*given):
    return (Cmd.SERVER_SET, ONE + server(HOSTS[0], 80, *given))


def rebuild():
    return [(Cmd.BEGIN, b""), (Cmd.FLUSH, b""), *BASE, (Cmd.COMMIT, b"")]


def add_many(first, last):
    return [step for number in range(first, last) for step in (
        (Cmd.LISTENER_ADD, listener(number)),
        (Cmd.SERVER_ADD, listener(number) + server(host(number, 0), 80)))]


# name, what is done, what takes it back
CHANGES = [
    ("listener add", [(Cmd.LISTENER_ADD, listener(8))],
     [(Cmd.LISTENER_DEL, listener(8))]),
    ("listener del", [(Cmd.LISTENER_DEL, ONE)],
     [(Cmd.BEGIN, b""), *listener_steps(2), (Cmd.COMMIT, b"")]),
    *((f"listener set, scheduler {n}", [options(attr(6, u8(n)))],
       [options(attr(6, u8(2)))]) for n in (0, 1, 3, 4, 5)),
    ("listener set, hash key", [options(attr(6, u8(4)), attr(7, u8(1)))],
     [options(attr(6, u8(2)), attr(7, u8(0)))]),
    ("listener set, mode", [options(attr(5, u8(1)))],
     [options(attr(5, u8(0)))]),
    ("listener set, limits",
     [options(attr(8, u32(60)), attr(16, u32(9)), attr(17, u32(9)),
              attr(18, u64(1000000)), attr(20, u8(2)))],
     [options(attr(8, u32(0)), attr(16, u32(0)), attr(17, u32(0)),
              attr(18, u64(0)), attr(20, u8(0)))]),
    ("server add", [(Cmd.SERVER_ADD, ONE + server(HOSTS[2], 80))],
     [(Cmd.SERVER_DEL, ONE + server(HOSTS[2], 80))]),
    # what comes from a server of TCP is a reply: known by its port, too
    ("server add, TCP", [(Cmd.SERVER_ADD, listener(3) + server(HOSTS6[2], 80))],
     [(Cmd.SERVER_DEL, listener(3) + server(HOSTS6[2], 80))]),
    ("server del", [(Cmd.SERVER_DEL, ONE + HERE)],
     [(Cmd.SERVER_ADD, ONE + HERE)]),
    ("server set, weight", [changed(attr(4, u16(7)))],
     [changed(attr(4, u16(100)))]),
    ("server set, down", [changed(attr(5, u8(2)))],
     [changed(attr(5, u8(0)))]),
    ("server set, drain", [changed(attr(5, u8(1)), attr(6, u32(600)))],
     [changed(attr(5, u8(0)), attr(6, u32(0)))]),
    ("ACL add", [(Cmd.ACL_ADD, ONE + acl(2, *range(10, 15)))],
     [(Cmd.ACL_DEL, ONE + acl(2, *range(10, 15)))]),
    ("ACL del", [(Cmd.ACL_DEL, ONE + acl(2, 1))],
     [(Cmd.ACL_ADD, ONE + acl(2, 1))]),
    ("ACL del, all", [(Cmd.ACL_DEL, ONE)],
     [(Cmd.ACL_ADD, ONE + acl(2, 1, 2))]),
    ("local address add", [(Cmd.LOCAL_ADDRESS_ADD, local("198.51.100.201"))],
     [(Cmd.LOCAL_ADDRESS_DEL, local("198.51.100.201"))]),
    ("local address del", [(Cmd.LOCAL_ADDRESS_DEL, local("198.51.100.200"))],
     [(Cmd.LOCAL_ADDRESS_ADD, local("198.51.100.200"))]),
    ("settings set", [(Cmd.SETTINGS_SET, setting(1000, 0))],
     [(Cmd.SETTINGS_SET, setting(2000, 1))]),
    ("flush", [(Cmd.FLUSH, b"")], rebuild()),
    ("transaction",
     [(Cmd.BEGIN, b""), (Cmd.LISTENER_DEL, ONE),
      (Cmd.LISTENER_ADD, listener(2, attr(6, u8(4)))),
      (Cmd.SERVER_ADD, ONE + server(HOSTS[3], 80)),
      (Cmd.ACL_ADD, ONE + acl(2, 9)),
      (Cmd.LOCAL_ADDRESS_ADD, local("198.51.100.202")), (Cmd.COMMIT, b"")],
     [(Cmd.BEGIN, b""), (Cmd.LISTENER_DEL, ONE),
      (Cmd.LOCAL_ADDRESS_DEL, local("198.51.100.202")), *listener_steps(2),
      (Cmd.COMMIT, b"")]),
]

# name, steps: they leave everything as it was
HARMLESS = [
    ("transaction, aborted",
     [(Cmd.BEGIN, b""), (Cmd.FLUSH, b""),
      (Cmd.LISTENER_ADD, listener(9)), (Cmd.ABORT, b"")]),
    ("session del", [(Cmd.SESSION_DEL, ONE)]),
    ("session del, all", [(Cmd.SESSION_DEL, b"")]),
    ("listener get", [(Cmd.LISTENER_GET, ONE)]),
    ("server get", [(Cmd.SERVER_GET, ONE + HERE)]),
    ("settings get", [(Cmd.SETTINGS_GET, b"")]),
    ("stats get", [(Cmd.STATS_GET, b"")]),
]


class Monitor:
    """Who listens to events."""

    def __init__(self):
        self.client = genl.Genl()
        self.client.subscribe("events")
        self.client.sock.setblocking(False)

    def read(self):
        """The commands announced; None: something was missed. That sync is
        ready, another node alive, or a listener over comes in its own time."""
        seen, missed = [], False
        while True:
            try:
                seen += [body[0] for _, _, _, body in self.client.messages()
                         if body[0] not in (Cmd.SYNC_READY, Cmd.SYNC_PEER,
                                            Cmd.LISTENER_END)]
            except BlockingIOError:
                return None if missed else seen
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                missed = True


class World:
    def __init__(self):
        self.fault = Fault()
        self.client = faults.Genl(self.fault)
        self.monitor = Monitor()
        self.plain = genl.Genl()
        self.do(BASE + [(Cmd.SETTINGS_SET, setting(2000, 1))])

    def do(self, steps):
        for cmd, payload in steps:
            self.client.must(cmd, payload)

    def state(self):
        """All that is configured, in no order."""
        found = [sorted(self.plain.dump(cmd).records) for cmd in LISTS]
        fields = dict(genl.attributes(
            self.plain.must(Cmd.SETTINGS_GET).records[0][1]))
        return found + [fields[A.SETTINGS]]

    def try_steps(self, nth, steps):
        """None: done; an errno: said to have failed; 0: no word came."""
        self.fault.arm(nth)
        try:
            for cmd, payload in steps:
                answer = self.client.call(cmd, payload)
                if answer.error:
                    return answer.error
            return None
        except OSError as error:
            # of the socket: it says nothing about the command
            if error.errno not in (errno.ENOBUFS, errno.ENOMEM,
                                   errno.EAGAIN):
                raise
            return 0
        finally:
            self.left = self.fault.left
            self.fault.arm(0)
            self.client.forget()

    def end_transaction(self, steps):
        if steps[0][0] == Cmd.BEGIN:
            self.client.call(Cmd.ABORT)


def change(world, name, steps, undo):
    why = []
    before = world.state()
    world.monitor.read()
    world.do(steps)
    announced = world.monitor.read()
    after = world.state()
    world.do(undo)
    if world.state() != before or before == after or not announced:
        tell(False, name, "the case itself is wrong")
        return

    def try_one(nth):
        world.monitor.read()
        error = world.try_steps(nth, steps)
        world.end_transaction(steps)
        now, events = world.state(), world.monitor.read()
        done = now == after
        if not done and now != before:
            why.append(f"{nth}: half done, {error}")
        elif error is None and not done:
            why.append(f"{nth}: not done, but said so")
        elif error and done:
            why.append(f"{nth}: done, but said {os.strerror(error)}")
        elif error and error not in (errno.ENOMEM, errno.ENOBUFS):
            why.append(f"{nth}: {os.strerror(error)}")
        if done and events not in (announced, None):
            why.append(f"{nth}: events {events}, not {announced}")
        if not done and events:
            why.append(f"{nth}: not done, but events {events}")
        if now != before:
            world.do(undo)
            if world.state() != before:
                raise AssertionError(f"{name}: cannot be undone")
        return world.left > 0

    count = each(try_one)
    print(f"# {name}: {count} allocations")
    tell(not why and count > 3, name, *why[:20])


def harmless(world, name, steps):
    why = []
    before = world.state()

    def try_one(nth):
        error = world.try_steps(nth, steps)
        world.end_transaction(steps)
        if error and error not in (errno.ENOMEM, errno.ENOBUFS):
            why.append(f"{nth}: {os.strerror(error)}")
        if world.state() != before:
            why.append(f"{nth}: something has changed")
        return world.left > 0

    count = each(try_one)
    print(f"# {name}: {count} allocations")
    tell(not why and count, name, *why[:20])


def names(cmd, answer):
    """The records of a list; of what changes by itself what stays the same:
    the clients' ports of sessions, the ids of nodes.
    """
    of_object = {Cmd.SESSION_GET: (A.SESSION, 5),
                 Cmd.SYNC_PEER_GET: (A.SYNC_PEER, 2)}
    if cmd not in of_object:
        return answer.records
    kind, field = of_object[cmd]
    return [dict(genl.attributes(dict(genl.attributes(record))[kind]))[field]
            for _, record in answer.records]


def lists(world, cmd):
    """A list that ends without an error is the whole list."""
    why = []
    whole = names(cmd, world.plain.dump(cmd))

    def try_one(nth):
        world.fault.arm(nth)
        try:
            answer = world.client.dump(cmd)
            error = answer.error
            if not error and names(cmd, answer) != whole:
                why.append(f"{nth}: {len(answer.records)} of {len(whole)}")
        except OSError as exception:
            error = exception.errno
        left = world.fault.left
        world.fault.arm(0)
        world.client.forget()
        if error and error not in (errno.ENOMEM, errno.ENOBUFS,
                                   errno.EAGAIN):
            why.append(f"{nth}: {os.strerror(error)}")
        # a list that broke off may still be under way on its socket
        if error:
            world.client.close()
            world.client = faults.Genl(world.fault)
        return left > 0

    count = each(try_one)
    name = f"list {Cmd(cmd).name}: {len(whole)}"
    print(f"# {name}: {count} allocations")
    tell(not why and count and whole, name, *why[:20])


def make_sessions(world):
    """Something for SESSION_GET: sessions of the node's own."""
    world.do([(Cmd.LISTENER_SET, listener(2, attr(13, u32(900))))])
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", (VIP, 2))


def dummy_request(name, add=True):
    """A network device comes or goes, by hand: a process for it would take much
    longer."""
    kind, flags = (16, 0x605) if add else (17, 5)   # RTM_NEWLINK, RTM_DELLINK
    body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attr(
        3, name.encode() + b"\0") + attr(18, attr(1, b"dummy\0"))
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body


def change_dummy(name, add=True):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
        sock.send(dummy_request(name, add))
        reply = sock.recv(4096)
    error = struct.unpack_from("=i", reply, 16)[0]
    if error:
        raise OSError(-error, f"dummy device: {os.strerror(-error)}")


def in_new(name, before, step, least):
    """A change in a network namespace that is new each time."""
    why = []
    fault = Fault()

    def try_one(nth):
        new_netns()
        change_dummy("some")
        client, plain = faults.Genl(fault), genl.Genl()
        for one in before:
            client.must(*one)
        fault.arm(nth)
        try:
            error = client.call(*step).error
        except OSError as exception:
            error = exception.errno
        left = fault.left
        fault.arm(0)
        client.forget()
        there = len(plain.dump(Cmd.LISTENER_GET).records) - len(before)
        if error not in (0, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN):
            why.append(f"{nth}: {os.strerror(error)}")
        if error == 0 and not there or error == errno.ENOMEM and there:
            why.append(f"{nth}: listeners {there} after {error}")
        if not there:
            client.must(*step)
        client.must(Cmd.FLUSH)
        client.close()
        plain.close()
        return left > 0

    count = each(try_one)
    print(f"# {name}: {count} allocations")
    tell(not why and count > least, name, *why[:20])


def main():
    faults.prepare()
    new_netns()
    subprocess.run(["ip", "-batch", "-"], check=True, text=True, input="""
        link add sink type dummy
        link set sink up
        addr add 198.51.100.254/24 dev sink
        route add 203.0.113.0/24 dev sink""")
    world = World()
    for case in CHANGES:
        began = time.monotonic()
        change(world, *case)
        print(f"# {time.monotonic() - began:.1f} s")
    for case in HARMLESS:
        harmless(world, *case)
    world.do([(Cmd.BEGIN, b""), *add_many(40, 120), (Cmd.COMMIT, b"")])
    make_sessions(world)
    for cmd in DUMPS:
        lists(world, cmd)
    add = (Cmd.LISTENER_ADD, listener(2))
    in_new("the first change of a namespace", [], add, 20)
    # half of the slots of an empty one are taken
    in_new("a change for which the configuration grows",
           [(Cmd.LISTENER_ADD, listener(n)) for n in range(10, 18)], add, 10)


if __name__ == "__main__":
    main()
