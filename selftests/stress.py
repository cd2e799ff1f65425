#!/usr/bin/python3 -u
# SPDX-License-Identifier: MIT
"""All that can be done to clb, at once and by chance, while others send
traffic through it. For test_stress.sh, which sets the stage.

stress.py NODE SECONDS SEED	in the network namespace NODE, each of WORKERS in
				a process of its own; other_node in NODE2

stress.py NODE base		the configuration that the traffic needs
stress.py NODE audit		do the gauges agree with what is listed, also
				when all sessions have ended?

Prints "ok NAME" or "not ok NAME".
"""
import ctypes
import errno
import os
import random
import socket
import subprocess
import sys
import time

import genl
import ledger
from genl import A, Cmd, attr, nest, server, u8, u16, u32, u64
from tap import tell

VIP = {4: "203.0.113.1", 6: "2001:db8:f::1"}
POOL = {4: "198.51.100.1", 6: "2001:db8:5::1"}
NODES_POOL = {4: "198.51.100.20", 6: "2001:db8:5::20"}     # and its id
SERVERS = {4: ["198.51.100.11", "198.51.100.12"],
           6: ["2001:db8:5::11", "2001:db8:5::12"]}
SINKS = [f"10.9.0.{n}" for n in range(1, 6)]
HTTP, FNAT, ECHO, SINK = 80, 8080, 5353, 99
CLONE_NEWNET = 0x40000000
GROUP = "239.7.0.1"

# What a request that makes sense may be told amid all this.
REFUSED = {errno.ENOENT, errno.EEXIST, errno.EBUSY, errno.EALREADY,
           errno.EOPNOTSUPP, errno.ENOSPC}
# What a socket may say while the module comes and goes, or a reader is slow.
BROKEN = {errno.ENOENT, errno.ENOBUFS, errno.EAGAIN, errno.EOPNOTSUPP,
          errno.EPROTO, errno.ETIMEDOUT}
# What the kernel answers while there is no module, and to who asks for a list of
# one that is about to go (__netlink_dump_start()).
GONE = {errno.ENOENT, errno.EPROTONOSUPPORT}


def base():
    """What the traffic needs, as changes of an empty configuration."""
    steps = []
    for f in 4, 6:
        steps.append((Cmd.LOCAL_ADDRESS_ADD, local(POOL[f])))
        steps += [(Cmd.LOCAL_ADDRESS_ADD, local(NODES_POOL[f] + str(n), n))
                  for n in (1, 2)]
        for protocol, port, mode in ((genl.TCP, HTTP, 0), (genl.TCP, FNAT, 1),
                                     (genl.UDP, ECHO, 0)):
            key = genl.listener(protocol, VIP[f], port)
            steps.append((Cmd.LISTENER_ADD, genl.listener(
                protocol, VIP[f], port, attr(5, u8(mode)))))
            real = HTTP if protocol == genl.TCP else ECHO
            steps += [(Cmd.SERVER_ADD, key + server(host, real))
                      for host in SERVERS[f]]
    key = genl.listener(genl.UDP, VIP[4], SINK)
    steps.append((Cmd.LISTENER_ADD, genl.listener(
        genl.UDP, VIP[4], SINK, attr(13, u32(1)))))
    steps += [(Cmd.SERVER_ADD, key + server(host, SINK)) for host in SINKS]
    return steps


def local(text, *node):
    return nest(A.LOCAL_ADDRESS, attr(1, genl.address(text)),
                *(attr(3, u16(one)) for one in node))


def settings(most, fast):
    return nest(A.SETTINGS, attr(1, u32(most)), attr(2, u8(fast)))


def key_id(number, *more):
    return nest(A.SYNC, attr(9, u8(number)), *more)


def secret(number):
    return key_id(number, attr(10, bytes([number] * 32)))


def peer(node):
    return nest(A.SYNC_PEER, attr(2, u16(node)))


def start(node, number):
    return key_id(number, attr(3, u16(node)),
                  attr(4, u32(socket.if_nametoindex("sync"))),
                  attr(5, genl.address(GROUP)),
                  attr(10, bytes([number] * 32)))


def replace(steps):
    return [(Cmd.BEGIN, b""), (Cmd.FLUSH, b""), *steps]


def is_live():
    try:
        with open("/sys/module/clb/initstate", encoding="ascii") as file:
            return file.read() == "live\n"
    except OSError:
        return False


def connect(timeout=10):
    """As soon as there is a module. Were its family asked for while it is
    away, the kernel would run modprobe each time: so many of these that a
    slow machine did nothing else any more.
    """
    while not is_live():
        time.sleep(0.02)
    return genl.Genl(timeout=timeout)


class Client:
    """A netlink client that outlives the module. longest: that an answer took
    to come.
    """

    def __init__(self):
        self.genl = None
        self.longest = 0

    def fresh(self):
        while not self.genl:
            try:
                self.genl = connect(timeout=30)
            except OSError as error:
                if error.errno not in BROKEN:
                    raise
                time.sleep(0.02)
        return self.genl

    def close(self):
        if self.genl:
            self.genl.close()
        self.genl = None

    def call(self, cmd, payload=b"", **how):
        """The answer, or None: refused, or the module is away."""
        client, begin = self.fresh(), time.monotonic()
        try:
            answer = client.call(cmd, payload, **how)
        except OSError as error:
            if error.errno not in BROKEN:
                raise
            self.close()
            return None
        finally:
            self.longest = max(self.longest, time.monotonic() - begin)
        if not answer.error:
            return answer
        if answer.error in GONE and not answer.explained():
            self.close()        # the family has another number now
        elif answer.error not in REFUSED:
            raise OSError(answer.error, f"{Cmd(cmd).name}: {answer}")
        return None

    def dump(self, cmd, payload=b""):
        return self.call(cmd, payload, flags=genl.NLM_F_DUMP)


# --- workers: each does one thing at random, and says how many came off ------

def one_of(rng):
    """A listener of the traffic: its key, its family, what its servers are."""
    f = rng.choice((4, 6))
    protocol, port, real = rng.choice((
        (genl.TCP, HTTP, HTTP), (genl.TCP, FNAT, HTTP),
        (genl.UDP, ECHO, ECHO)))
    if rng.random() < 0.2:
        return (lambda *o: genl.listener(genl.UDP, VIP[4], SINK, *o)), 4, \
            server(rng.choice(SINKS), SINK), SINK
    return (lambda *o: genl.listener(protocol, VIP[f], port, *o)), f, \
        server(rng.choice(SERVERS[f]), real), real


def change(client, rng):
    key, f, one, real = one_of(rng)
    host = rng.choice(SERVERS[f])
    extra = genl.listener(genl.UDP, VIP[f], rng.randrange(2000, 2040))
    prefix = nest(A.ACL_ENTRY, attr(1, genl.address(
        f"10.{rng.randrange(99)}.0.0" if f == 4 else
        f"2001:db8:{rng.randrange(99)}::")), attr(2, u8(24 if f == 4 else 64)))
    cmd, payload = rng.choice((
        (Cmd.LISTENER_ADD, extra), (Cmd.LISTENER_ADD, extra),
        (Cmd.LISTENER_DEL, extra),
        (Cmd.LISTENER_SET, key(attr(6, u8(rng.randrange(6))))),
        (Cmd.LISTENER_SET, key(attr(8, u32(rng.choice((0, 5)))))),
        (Cmd.LISTENER_SET, key(attr(16, u32(rng.choice((0, 50)))))),
        (Cmd.LISTENER_SET, key(attr(14, u8(rng.randrange(2))))),
        (Cmd.LISTENER_SET, key(attr(13, u32(rng.randrange(1, 3))))),
        (Cmd.LISTENER_SET, key(attr(20, u8(rng.choice((0, 2)))))),
        (Cmd.SERVER_SET, key() + server(
            host, real, attr(4, u16(rng.randrange(1, 200))))),
        (Cmd.SERVER_SET, key() + server(
            host, real, attr(5, u8(rng.randrange(3))), attr(6, u32(1)))),
        (Cmd.SERVER_SET, key() + server(
            host, real, attr(5, u8(0)))),
        (Cmd.SERVER_DEL, key() + one), (Cmd.SERVER_ADD, key() + one),
        (Cmd.ACL_ADD, key() + prefix), (Cmd.ACL_DEL, key() + prefix),
        (Cmd.ACL_DEL, key()),
        (Cmd.LOCAL_ADDRESS_DEL, local(POOL[f])),
        (Cmd.LOCAL_ADDRESS_ADD, local(POOL[f])),
    ))
    return client.call(cmd, payload) is not None


def transact(client, rng):
    """A whole configuration, put in force, dropped, or left to its end."""
    steps = replace(base())
    if rng.random() < 0.3:
        steps = steps[:rng.randrange(2, len(steps))]
        end = rng.choice((Cmd.ABORT, None))
    else:
        steps += [(Cmd.LISTENER_ADD, genl.listener(
            genl.UDP, VIP[4], 3000 + n)) for n in range(rng.randrange(40))]
        end = Cmd.COMMIT
    for cmd, payload in steps:
        if client.call(cmd, payload) is None:
            break
    if end is None:
        client.close()
        return True
    done = client.call(end) is not None
    time.sleep(0.1)     # others want to make changes, too
    return done


def read_lists(client, rng):
    """Whole lists, and such that nobody reads to their end."""
    cmd = rng.choice((Cmd.LISTENER_GET, Cmd.SERVER_GET, Cmd.ACL_GET,
                      Cmd.LOCAL_ADDRESS_GET, Cmd.SESSION_GET,
                      Cmd.SESSION_GET))
    if rng.random() < 0.8:
        return client.dump(cmd) is not None
    try:
        client.fresh().send(cmd, flags=genl.NLM_F_DUMP)
    except OSError as error:
        if error.errno not in BROKEN:
            raise
    client.close()
    return True


def end_sessions(client, rng):
    filters = (b"", genl.listener(genl.UDP, VIP[4], SINK),
               nest(A.SESSION, attr(4, genl.address("192.0.2.11"))),
               nest(A.SESSION, attr(2, u8(9))))
    time.sleep(0.05)
    return client.call(Cmd.SESSION_DEL, rng.choice(filters)) is not None


def change_settings(client, rng):
    time.sleep(0.1)
    return client.call(Cmd.SETTINGS_SET, settings(
        rng.choice((100, 1000, 100000)), rng.randrange(2))) is not None


def sync(client, rng, node=1):
    """In a cluster of two, of which each joins, leaves, replaces its secret and
    stands in for the other.
    """
    number = rng.randrange(2)
    if client.call(Cmd.SYNC_GET) is None:
        return False
    if rng.random() < 0.5:
        client.call(Cmd.SYNC_START, start(node, number))
    cmd, payload = rng.choice((
        (Cmd.SYNC_STOP, b""),
        (Cmd.SYNC_SECRET_ADD, secret(number)),
        (Cmd.SYNC_SECRET_USE, key_id(number)),
        (Cmd.SYNC_SECRET_DEL, key_id(number)),
        (Cmd.SYNC_TAKEOVER, peer(3 - node)),
        (Cmd.SYNC_GIVEBACK, peer(3 - node)),
    ))
    time.sleep(rng.choice((0.02, 0.1, 3)))
    done = client.call(cmd, payload) is not None
    return client.dump(Cmd.SYNC_PEER_GET) is not None and done


def other_node(client, rng):
    """It takes what it is told of, and leaves it."""
    if rng.random() < 0.3:
        for cmd, payload in replace(base()) + [(Cmd.COMMIT, b"")]:
            if client.call(cmd, payload) is None:
                break
    if rng.random() < 0.2:
        client.call(Cmd.SESSION_DEL)
    return sync(client, rng, 2)


def read_events(client, _):
    """A reader of events that is often too slow."""
    some = False
    try:
        sock = client.fresh()
        sock.subscribe("events")
        sock.sock.settimeout(0.5)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            for _ in sock.messages():
                some = True
            time.sleep(0.01)
    except TimeoutError:
        pass                    # with the module, the events have gone
    except OSError as error:
        if error.errno not in BROKEN:
            raise
    client.close()
    return some


def namespaces(_, __):
    """One that balances, is full of sessions, and goes."""
    child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status not in (0, errno.EAGAIN):
            raise OSError(status, "a namespace's life")
        return not status
    try:
        namespace_life()
        os._exit(0)
    except OSError as error:
        os._exit(errno.EAGAIN if error.errno in BROKEN | REFUSED else 1)
    finally:
        os._exit(1)


def namespace_life():
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "-batch", "-"], check=True, text=True, input="""
        link set lo up
        link add sink type dummy
        link set sink up
        addr add 10.9.255.1/16 dev sink
        route add 203.0.113.0/24 dev sink""")
    client = connect()
    client.must(Cmd.LISTENER_ADD, genl.listener(genl.UDP, VIP[4], SINK))
    client.must(Cmd.SERVER_ADD, genl.listener(genl.UDP, VIP[4], SINK) +
                server(SINKS[0], SINK))
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"x", (VIP[4], SINK))
    client.must(Cmd.BEGIN)      # left open
    client.must(Cmd.FLUSH)


def devices(_, rng):
    """Those that sessions have routes over, and others."""
    if rng.random() < 0.5:
        lines = """link del sink
            link add sink type dummy
            link set sink up"""
    else:
        lines = """link add other type veth peer name another
            link set other up
            link set another up
            link del other"""
    subprocess.run(["ip", "-batch", "-"], check=True, text=True, input=lines)
    # routes() may have been faster, or have it down just now
    subprocess.run(["ip", "route", "replace", "10.9.0.0/16", "dev", "sink"],
                   check=False, stderr=subprocess.DEVNULL)
    time.sleep(0.2)
    return True


def routes(_, rng):
    lines = rng.choice((
        "link set sink down\nlink set sink up\nroute add 10.9.0.0/16 dev sink",
        "neigh flush dev back", "neigh flush dev front",
        "link set back mtu 1400\nlink set back mtu 1500",
        "route add 10.9.0.0/24 dev sink\nroute del 10.9.0.0/24 dev sink"))
    # the device may be away just now
    done = subprocess.run(["ip", "-force", "-batch", "-"], check=False, text=True,
                          input=lines, stderr=subprocess.DEVNULL)
    time.sleep(0.1)
    return not done.returncode


def module(_, rng):
    """Unloaded and loaded. Requests and lists under way hold it."""
    time.sleep(rng.uniform(1, 4))
    for _ in range(500):
        if not subprocess.run(["rmmod", "clb"], check=False,
                              stderr=subprocess.DEVNULL).returncode:
            break
        time.sleep(0.01)
    else:
        return False
    time.sleep(rng.uniform(0, 0.3))
    subprocess.run(["insmod", os.environ["CLB_KO"]], check=True)
    return True


WORKERS = (change, transact, read_lists, end_sessions, change_settings,
           read_events, namespaces, devices, routes, module, sync, other_node)


LUCK = 60 * int(os.environ.get("CLB_SLOW", "1"))


def work(worker, node, end, seed):
    """In a process of its own: how many times it came off, and the longest
    time that an answer took. Who had no luck until the end goes on for a while.
    """
    genl.enter_netns(node + "2" if worker == other_node else node)
    client, rng, done = Client(), random.Random(f"{seed} {worker.__name__}"), 0
    while time.monotonic() < (end if done else end + LUCK):
        done += bool(worker(client, rng))
    client.close()
    return f"{done} {client.longest:.1f}"


class Process:
    def __init__(self, worker, *arguments):
        self.name = worker.__name__
        self.read, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        try:
            os.write(write, work(worker, *arguments).encode())
            os._exit(0)
        except BaseException as error:      # told by the parent
            os.write(write, repr(error).encode())
            os._exit(1)

    def end(self):
        said = os.read(self.read, 4096).decode()
        bad = os.waitpid(self.pid, 0)[1]
        good = not bad and int(said.split()[0]) > 0
        name = self.name.replace("_", " ")
        if good:
            said = "{} times, longest answer {} s".format(*said.split())
        print(f"# {name}: {said}")
        print(f"{'ok' if good else 'not ok'} {name}")


def stress(node, seconds, seed):
    print(f"# seed {seed}")
    end = time.monotonic() + int(seconds)
    for process in [Process(worker, node, end, seed) for worker in WORKERS]:
        process.end()


def restore(node):
    genl.enter_netns(node)
    client = genl.Genl()
    for cmd, payload in replace(base()) + [
            (Cmd.COMMIT, b""), (Cmd.SETTINGS_SET, settings(1000000, 1))]:
        client.must(cmd, payload)
    for name in node + "2", node:
        genl.enter_netns(name)
        genl.Genl().call(Cmd.SYNC_STOP)


def audit(node):
    genl.enter_netns(node)
    client = genl.Genl()
    # sessions whose time is over are counted until they are collected, but
    # are not listed any more
    end = time.monotonic() + 20 * int(os.environ.get("CLB_SLOW", "1"))
    wrong = ledger.mistakes(client)
    while wrong and time.monotonic() < end:
        time.sleep(0.5)
        wrong = ledger.mistakes(client)
    print(f"# sessions: {ledger.sessions(client)}")
    tell(not wrong, "gauges agree with the sessions that are listed", *wrong)
    client.must(Cmd.SESSION_DEL)
    tell(ledger.sessions(client) == (0, 0), "all sessions end on request",
         f"{ledger.sessions(client)}")
    wrong = ledger.mistakes(client)
    tell(not wrong, "and the gauges go down to nothing", *wrong)
    client.must(Cmd.FLUSH)


def main():
    if sys.argv[2] == "base":
        restore(sys.argv[1])
    elif sys.argv[2] == "audit":
        audit(sys.argv[1])
    else:
        stress(*sys.argv[1:4])


if __name__ == "__main__":
    main()
