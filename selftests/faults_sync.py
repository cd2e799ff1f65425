#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""Memory runs out during each netlink command of session sync, as
faults_netlink.py does it with the others, and in the two threads of sync.
Works in two network namespaces of its own, of which one is another node's that
sync.py speaks for:

	other node, lan <--> lan, this node

Prints "ok NAME" or "not ok NAME".
"""
import ctypes
import errno
import itertools
import os
import re
import socket
import subprocess
import time

import faults
import faults_netlink
import genl
import sync
from faults import OfThread, each, wait_for
from faults_netlink import CLONE_NEWNET, HOSTS, VIP, World, new_netns
from faults_worker import NoMemory
from genl import A, Cmd, attr, nest, u8, u16, u32
from tap import tell

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
GROUP, GROUP6 = "239.1.1.1", "ff02::8850"
SECRET = bytes(range(32))
# ids of nodes: this one, what it was before, one that is dead, who speaks
NODE, BEFORE, DEAD, OTHER = 1, 2, 3, 99
KEY, KEY2 = 0, 7

# enum clb_sync_attr: what is configured, counters
CONFIGURED = (2, 3, 4, 5, 6, 7, 8, 9, 11, 48)
EPOCH, SENT, SEND_ERRORS, CREATED = 13, 16, 21, 24
DROP_FIRST, REFUSED_NO_MEMORY = 30, 47


def start(node, group=GROUP):
    # made before any of it
    return (Cmd.SYNC_START, nest(
        A.SYNC, attr(3, u16(node)),
        attr(4, u32(socket.if_nametoindex("lan"))),
        attr(5, genl.address(group)), attr(9, u8(KEY)), attr(10, SECRET)))


STOP = (Cmd.SYNC_STOP, b"")


def key_id(cmd, *more):
    return (cmd, nest(A.SYNC, attr(9, u8(KEY2)), *more))


ADD = key_id(Cmd.SYNC_SECRET_ADD, attr(10, bytes(32)))
USE = key_id(Cmd.SYNC_SECRET_USE)
DEL = key_id(Cmd.SYNC_SECRET_DEL)
USE_FIRST = (Cmd.SYNC_SECRET_USE, nest(A.SYNC, attr(9, u8(KEY))))


def of_peer(cmd):
    return (cmd, nest(A.SYNC_PEER, attr(2, u16(DEAD))))


TAKE, GIVE = of_peer(Cmd.SYNC_TAKEOVER), of_peer(Cmd.SYNC_GIVEBACK)


def local(cmd, text, *more):
    return (cmd, nest(A.LOCAL_ADDRESS, attr(1, genl.address(text)), *more))


def local_add(text, node=0):
    """Of this node, whatever its id, or of another one."""
    return local(Cmd.LOCAL_ADDRESS_ADD, text,
                 attr(3, u16(node)) if node else b"")


def local_del(text):
    return local(Cmd.LOCAL_ADDRESS_DEL, text)


def changes():
    """What is done before; as in faults_netlink: name, what is done, what takes
    it back. A node that was stopped keeps its id.
    """
    again = [STOP, start(BEFORE), STOP]
    return [
        ([start(BEFORE), STOP],
         "sync start, with local addresses of its own", [start(NODE)], again),
        ([], "sync start, IPv6", [start(NODE, GROUP6)], again),
        ([start(NODE)], "sync stop", [STOP], [start(NODE)]),
        ([], "sync secret add", [ADD], [DEL]),
        ([ADD], "sync secret use", [USE], [USE_FIRST]),
        ([], "sync secret del", [DEL], [ADD]),
        ([], "sync takeover", [TAKE], [GIVE]),
        ([TAKE], "sync giveback", [GIVE], [TAKE]),
    ]


HARMLESS = [("sync get", [(Cmd.SYNC_GET, b"")])]
DUMPS = (Cmd.SYNC_PEER_GET,)


def commands_of_header():
    """All but those that are events alone."""
    with open(f"{TOP}/include/uapi/linux/clb.h", encoding="ascii") as file:
        text = file.read()
    events = re.findall(r"@CLB_CMD_(\w+): event only", text)
    return set(re.findall(r"^\tCLB_CMD_(\w+),$", text, re.MULTILINE)) - {
        "UNSPEC", *events}


def every_command():
    steps = [step for table in (faults_netlink.CHANGES,
                                faults_netlink.HARMLESS, HARMLESS)
             for case in table for step in case[1]]
    steps += [step for case in changes() for step in case[2]]
    tried = {cmd.name for cmd in (*(step[0] for step in steps), *DUMPS,
                                  *faults_netlink.DUMPS)}
    missing = commands_of_header() - tried
    tell(tried and not missing, "no netlink command has been left out",
         *sorted(missing))


class SyncWorld(World):
    def sync(self):
        record = self.plain.must(Cmd.SYNC_GET).records[0][1]
        return dict(genl.attributes(dict(genl.attributes(record))[A.SYNC]))

    def count(self, which):
        return int.from_bytes(self.sync()[which], "little")

    def state(self):
        now = self.sync()
        return super().state() + [[now.get(kind) for kind in CONFIGURED]]

    def local_address(self, text):
        """Sessions that have ports of it, and whether new ones take some; None:
        it is not in the pool."""
        for _, record in self.plain.dump(Cmd.LOCAL_ADDRESS_GET).records:
            fields = dict(genl.attributes(
                dict(genl.attributes(record))[A.LOCAL_ADDRESS]))
            if fields[1] == genl.address(text):
                return int.from_bytes(fields[2], "little"), fields[4][0]
        return None


class Other:
    """The other node. Each of its sessions is of another client's port."""

    def __init__(self, link, world):
        self.link, self.world = link, world
        self.header = sync.Header(OTHER, time.time_ns(), 0, key_id=KEY)
        self.port = 1024

    def say(self, content):
        self.header.seq += 1
        self.link.send(sync.seal(SECRET, self.header, content))

    def meet(self):
        """It names this node: its words count from now on."""
        epoch = self.world.count(EPOCH)
        self.say(sync.heartbeat() + sync.peer(NODE, epoch, 0))

    def say_session(self, text):
        """One of FNAT, with a port of this local address; which counter has
        counted it."""
        self.port += 1
        before = self.world.sync()
        self.say(sync.session(
            VIP, 80, HOSTS[0], 80, "192.0.2.77", self.port, mode=1,
            born=time.time_ns() >> 24 & 0xffffffff,
            local=(text, 20000 + self.port)))
        counted = []

        def is_counted():
            now = self.world.sync()
            counted[:] = [kind for kind in
                          (CREATED, *range(DROP_FIRST, REFUSED_NO_MEMORY + 1))
                          if now[kind] != before[kind]]
            return counted

        wait_for(10, is_counted)
        return counted


def stage():
    """Both namespaces; the link of the other one."""
    new_netns()
    there = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    new_netns()
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)

    def ip(batch):
        subprocess.run(["ip", "-batch", "-"], check=True, text=True,
                       input=batch, pass_fds=(there,))

    def enter(namespace):
        if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")

    ip(f"""
        link set lo up
        link add lan type veth peer name lan netns /proc/self/fd/{there}
        addr add 192.0.2.1/24 dev lan
        link set lan up""")
    enter(there)
    ip("""
        addr add 192.0.2.2/24 dev lan
        link set lan up""")
    link = sync.Link("lan", GROUP)
    enter(here)
    return link


# --- ports of other nodes' sessions ------------------------------------------

numbers = itertools.count(1)


def new_local():
    """A local address that no session had a port of: as long as one is there,
    what marks them stays, too."""
    number = next(numbers)
    return f"198.51.{101 + number // 200}.{1 + number % 200}"


class NoAtomicMemory(NoMemory):
    """For this process, and where the kernel cannot wait for memory."""

    @staticmethod
    def mark(on=1):
        with open("/proc/self/make-it-fail", "w", encoding="ascii") as file:
            file.write(str(on))

    def __enter__(self):
        for knob in self.KNOBS:
            self.set(knob, ignore_gfp_wait=1)
        return super().__enter__()

    def __exit__(self, *reason):
        super().__exit__(*reason)
        self.mark(0)
        for knob in self.KNOBS:
            self.set(knob, ignore_gfp_wait=0)


def ports(world, name, prepare, step, is_used, undo):
    """A local address comes into use of which another node's session has a port:
    it is marked then, or nothing was done. prepare() makes a session of which the
    port is not marked yet, and says of which address.
    """
    why = []

    def clean(text, used):
        if used:
            world.do([undo(text)])
        if world.local_address(text):
            world.do([local_del(text)])
        world.do([(Cmd.SESSION_DEL, b"")])

    def try_one(nth):
        text = prepare()
        error = world.try_steps(nth, [step(text)])
        left = world.left
        now = world.local_address(text)
        used = is_used(now)
        if error not in (None, 0, errno.ENOMEM, errno.ENOBUFS):
            why.append(f"{nth}: {os.strerror(error)}")
        if error is None and not used or error and used:
            why.append(f"{nth}: {now} after {error}")
        if used and now[0] != 1:
            why.append(f"{nth}: in use, with {now[0]} ports marked")
        clean(text, used)
        return left > 0

    count = each(try_one)
    print(f"# {name}: {count} allocations")
    tell(not why and count > 3, name, *why[:20])
    text = prepare()
    with NoAtomicMemory():
        error = world.plain.call(*step(text)).error
    now = world.local_address(text)
    used = is_used(now)
    tell(error == errno.ENOMEM and not used, f"{name}: or not at all",
         f"{now} after {error}")
    clean(text, used)


def ports_of_sessions(world, other, receiver):
    def stray():
        """The address is in no pool."""
        text = new_local()
        if other.say_session(text) != [CREATED]:
            raise AssertionError("a session is not made")
        return text

    def unmarked():
        """There is memory for the session, not for what marks its port. Now and
        then the kernel allocates something more on the way."""
        for nth in 10 * (3, 2, 4, 5, 6):
            text = new_local()
            world.do([local_add(text, DEAD)])
            receiver.arm(nth)
            counted = other.say_session(text)
            receiver.disarm()
            if counted == [CREATED] and not world.local_address(text)[0]:
                return text
            world.do([(Cmd.SESSION_DEL, b""), local_del(text)])
        raise AssertionError("a port is always marked")

    ports(world, "a local address is added with its ports marked", stray,
          lambda text: local_add(text, DEAD), lambda now: now is not None,
          local_del)
    ports(world, "a local address is taken over with its ports marked",
          unmarked, lambda _: TAKE, lambda now: now[1], lambda _: GIVE)


# --- threads -----------------------------------------------------------------

def receiving(world, other, receiver):
    """A session of an address that this node uses needs its port marked."""
    why, refused = [], 0

    def try_one(nth):
        nonlocal refused
        text = new_local()
        world.do([local_add(text)])
        receiver.arm(nth)
        counted = other.say_session(text)
        left = receiver.disarm()
        marked = world.local_address(text)[0]
        refused += counted == [REFUSED_NO_MEMORY]
        # some of what the kernel allocates on the way it can do without
        if (counted, marked) not in (([CREATED], 1),
                                     ([REFUSED_NO_MEMORY], 0)):
            why.append(f"{nth}: counted as {counted}, {marked} ports marked")
        if left and counted != [CREATED]:
            why.append(f"{nth}: with memory counted as {counted}")
        world.do([(Cmd.SESSION_DEL, b""), local_del(text)])
        return left > 0

    # the count of one is not always that of the next
    for _ in range(5):
        refused = 0
        count = each(try_one)
        print(f"# a session of another node: {count} allocations")
        if why or refused > 1:
            break
    tell(not why and refused > 1,
         "a session of another node without memory is counted as such",
         f"{refused} refused", *why[:20])


def sending(world, other, sender):
    """A datagram that is not sent has its number, so that others miss it."""
    numbers = []

    def hear():
        datagram = other.link.hear(
            lambda datagram: datagram[24:26] == genl.port(NODE))
        numbers.append(sync.unseal(SECRET, datagram)[0].seq)

    other.link.drain()
    hear()
    before = errors = world.count(SEND_ERRORS)
    for _ in range(20):
        sender.arm(1)
        wait_for(10, lambda: not sender.left())
        sender.disarm()
        errors = world.count(SEND_ERRORS)
        if errors > before:
            break
    tell(errors == before + 1, "a datagram that cannot be sent is counted",
         f"{errors - before}")
    end = numbers[0] + world.count(SENT)
    while len(numbers) < 5 or numbers[-1] - numbers[0] == len(numbers) - 1:
        hear()
        if numbers[-1] > end + 20:
            break
    missing = set(range(numbers[0], numbers[-1])) - set(numbers)
    tell(len(missing) == errors - before,
         "others hear those after it, and miss that one", f"{numbers}")


def main():
    faults.prepare()
    link = stage()
    every_command()
    world = SyncWorld()
    fnat = genl.listener(genl.TCP, VIP, 80)
    world.do([(Cmd.LISTENER_ADD, genl.listener(genl.TCP, VIP, 80,
                                               attr(5, u8(1)))),
              (Cmd.SERVER_ADD, fnat + genl.server(HOSTS[0], 80)),
              local_add("198.51.100.203", DEAD),
              local_add("198.51.100.204", NODE)])
    for before, *case in changes():
        world.do(before)
        faults_netlink.change(world, *case)
    world.do([GIVE, DEL])
    for case in HARMLESS:
        faults_netlink.harmless(world, *case)
    other = Other(link, world)
    other.meet()
    wait_for(10, lambda: world.plain.dump(Cmd.SYNC_PEER_GET).records)
    for cmd in DUMPS:
        faults_netlink.lists(world, cmd)
    receiver, sender = OfThread("clb_sync_recv"), OfThread("clb_sync_send")
    receiving(world, other, receiver)
    ports_of_sessions(world, other, receiver)
    sending(world, other, sender)


if __name__ == "__main__":
    main()
