#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""Memory runs out where no packet and no request is: while the module is
loaded, while a network device is made, and in its workers (the collector, the
table's growth). Works in network namespaces of its own.

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
import ledger
from faults import DEBUGFS, MOST, SENDTO, Fault, each, wait_for
from faults_netlink import change_dummy, dummy_request, new_netns
from genl import Cmd, attr, server, u8, u32
from tap import tell

INIT_MODULE, DELETE_MODULE = 175, 176
VIP, HOST = "203.0.113.1", "198.51.100.11"


def loaded():
    with open("/proc/modules", encoding="ascii") as file:
        return any(line.startswith("clb ") for line in file)


class Module:
    def __init__(self):
        path = os.environ.get("CLB_KO") or os.path.join(
            os.path.dirname(os.path.realpath(__file__)), "../kmod/clb.ko")
        # from memory: for want of a buffer for a file that it reads itself the
        # kernel shows a call trace
        with open(path, "rb") as file:
            image = file.read()
        self.size = len(image)
        self.image = ctypes.create_string_buffer(image, self.size)
        self.fault = Fault()
        self.nothing = ctypes.create_string_buffer(b"")
        self.name = ctypes.create_string_buffer(b"clb")

    def load(self, nth=0):
        """An errno, and what is left of the count."""
        self.fault.arm(nth)
        try:
            self.fault.call(INIT_MODULE, ctypes.addressof(self.image),
                            self.size, ctypes.addressof(self.nothing))
            return 0, self.fault.left
        except OSError as error:
            return error.errno, self.fault.left
        finally:
            self.fault.arm(0)

    def unload(self):
        self.fault.call(DELETE_MODULE, ctypes.addressof(self.name),
                        os.O_NONBLOCK)


def loading():
    """Most of the allocations are the loader's own; ours are the last ones. There
    are two namespaces, of which one may be done when the other fails.
    """
    new_netns()
    module, why = Module(), []
    for _ in range(2):
        module.unload()
        error, _ = module.load()
        if error:
            tell(False, "the module loads", os.strerror(error))
            return
    module.unload()

    def try_one(nth):
        error, left = module.load(nth)
        if error not in (0, errno.ENOMEM):
            why.append(f"{nth}: {os.strerror(error)}")
        if (error == 0) != loaded():
            why.append(f"{nth}: {error}, loaded: {loaded()}")
        if loaded():
            module.unload()
        return left > 0

    count = each(try_one)
    print(f"# loading: {count} allocations")
    tell(not why and count > 100, "the module is loaded or not", *why[:20])
    error, _ = module.load()
    tell(not error, "and loads when there is memory")


def devices():
    """Without memory for its hook a device is there all the same."""
    new_netns()
    client, fault, why = genl.Genl(), Fault(), []
    client.must(Cmd.LISTENER_ADD, key(genl.TCP))
    names = []

    def try_one(nth):
        text = dummy_request("some")
        data = ctypes.create_string_buffer(text, len(text))
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as sock:
            said = None
            fault.arm(nth)
            try:
                fault.call(SENDTO, sock.fileno(), ctypes.addressof(data),
                           len(text), 0, 0, 0)
                sock.setblocking(False)
                said = struct.unpack_from("=i", sock.recv(4096), 16)[0]
            except OSError as exception:
                if exception.errno not in (errno.ENOMEM, errno.ENOBUFS,
                                           errno.EAGAIN):
                    raise
            left = fault.left
            fault.arm(0)
        names[:] = [name for _, name in socket.if_nameindex()
                    if name == "some"]
        # -EINVAL: there was no memory for its name
        if said not in (None, 0, -errno.ENOMEM, -errno.ENOBUFS,
                        -errno.EINVAL):
            why.append(f"{nth}: {os.strerror(-said)}")
        if said is not None and (said == 0) != (names == ["some"]):
            why.append(f"{nth}: {said}, but there is {names}")
        if names:
            change_dummy("some", False)
        return left > 0

    count = each(try_one)
    print(f"# a device: {count} allocations")
    tell(not why and count > 10 and names, "a device is made or not",
         *why[:20])
    client.close()


# --- workers -----------------------------------------------------------------

class NoMemory:
    """For workers of unbound queues, ours among them, while it lasts. Others
    wait meanwhile: "with" little in it.
    """
    KNOBS = ("failslab", "fail_page_alloc")
    TIMES = 1 << 30

    @staticmethod
    def set(knob, **values):
        for name, value in values.items():
            name = name.replace("_", "-")
            with open(f"{DEBUGFS}/{knob}/{name}", "w",
                      encoding="ascii") as file:
                file.write(str(value))

    @staticmethod
    def mark():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                    if not file.read().startswith("kworker/u"):
                        continue
                with open(f"/proc/{pid}/make-it-fail", "w",
                          encoding="ascii") as file:
                    file.write("1")
            except OSError:
                pass    # it has ended

    def __enter__(self):
        self.mark()
        for knob in self.KNOBS:
            self.set(knob, task_filter="Y", interval=1, times=self.TIMES,
                     probability=100)
        return self

    def failed(self):
        """How many allocations have failed so far."""
        left = 0
        for knob in self.KNOBS:
            with open(f"{DEBUGFS}/{knob}/times", encoding="ascii") as file:
                left += int(file.read())
        return self.TIMES * len(self.KNOBS) - left

    def __exit__(self, *_):
        for knob in self.KNOBS:
            self.set(knob, probability=0, task_filter="N", times=1)


def flood(kind, port, count):
    """New sessions, by packets of this host: those of any address."""
    top = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    subprocess.run([os.environ.get("FLOOD_BIN", f"{top}/build/flood"), kind,
                    VIP, str(port), str(count), "10.0.0.1", "60000"],
                   check=True, stdout=subprocess.DEVNULL)


def key(protocol, *options):
    return genl.listener(protocol, VIP, 80, *options)


def server_is(client, value, timeout=0):
    client.must(Cmd.SERVER_SET, key(genl.TCP) + server(
        HOST, 80, attr(5, u8(value)), attr(6, u32(timeout))))


def state(client):
    one = client.call(Cmd.SERVER_GET, key(genl.TCP) + server(HOST, 80))
    fields = dict(genl.attributes(one.records[0][1]))
    return dict(genl.attributes(fields[genl.A.SERVER]))[5][0]


def table_cannot_grow(client):
    with NoMemory() as workers:
        for _ in range(6):
            flood("udp", 80, 2000)
            workers.mark()
        flows, _ = ledger.sessions(client)
    tell(flows == 2000, "a table that cannot grow takes sessions",
         f"{flows} of 2000")
    flood("udp", 80, 6000)
    tell(wait_for(10, lambda: ledger.sessions(client)[0] == 6000),
         "with memory it has them all", f"{ledger.sessions(client)}")
    tell(not ledger.mistakes(client), "and counts them",
         *ledger.mistakes(client))
    client.must(Cmd.SESSION_DEL)


def end_without_memory(client):
    """200 sessions, by a server that goes down and returns: how many there were,
    resets that were sent, and whether all ended."""
    flood("syn", 80, 200)
    before = ledger.sessions(client)[0]
    resets = ledger.stats(client)[ledger.STATS_RESETS_SENT]
    with NoMemory():
        server_is(client, 2)
        ended = wait_for(20, lambda: not ledger.sessions(client)[0])
    server_is(client, 0)
    sent = ledger.stats(client)[ledger.STATS_RESETS_SENT] - resets
    return before, sent, ended


def sessions_end_without_resets(client):
    for _ in range(5):
        before, sent, ended = end_without_memory(client)
        # or by a worker that was new and had memory
        if before != 200 or not ended or sent < 400:
            break
    tell(before == 200 and ended, "sessions of a server that goes down end",
         f"of {before}, {ledger.sessions(client)} are left")
    tell(sent < 400, "not all of them with resets: there was no memory",
         f"{sent} resets")


def starve_drain(client):
    """Drains a server, without memory for workers when its time is over; False if
    it went down all the same, by a worker that was new and had some."""
    server_is(client, 0)
    server_is(client, 1, 1)
    time_over = time.monotonic() + 1

    def starved(seconds, failures):
        workers.mark()
        return state(client) == 2 or (
            time.monotonic() > time_over + seconds and
            workers.failed() > failures)

    with NoMemory() as workers:
        wait_for(20, lambda: starved(0, -1))
        before = workers.failed()
        # the collector looks at servers each second
        wait_for(20, lambda: starved(2, before))
        return state(client) == 1 and workers.failed() > before


def drain_ends_later(client):
    tell(any(starve_drain(client) for _ in range(5)),
         "a server without memory stays when its time to drain is over")
    tell(wait_for(10, lambda: state(client) == 2),
         "a server whose time to drain is over goes down once there is memory",
         f"state {state(client)}")


def workers():
    new_netns()
    subprocess.run(["ip", "-batch", "-"], check=True, text=True, input="""
        link set lo up
        link add sink type dummy
        link set sink up
        addr add 198.51.100.1/24 dev sink
        route add 203.0.113.0/24 dev sink""")
    client = genl.Genl()
    for protocol in genl.TCP, genl.UDP:
        client.must(Cmd.LISTENER_ADD, key(protocol, attr(13, u32(900)),
                                          attr(10, u32(900))))
        client.must(Cmd.SERVER_ADD, key(protocol) + server(HOST, 80))
    table_cannot_grow(client)
    sessions_end_without_resets(client)
    drain_ends_later(client)


if __name__ == "__main__":
    faults.prepare()
    loading()
    devices()
    workers()
