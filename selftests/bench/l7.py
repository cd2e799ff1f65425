#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the cases of l7.sh, in a network namespace that nobody else uses.

    wrk, h2load  ->  clbd, nginx or HAProxy  ->  nginx with a fixed answer
    processor 1      processor 0                 processor 1

All three pass on the same requests with the same fields added, keep connections
to the server, and write no log, or one with the same fields. In each round all of
them are started, and have a second each in turn, several times: a machine that
somebody else uses, too, becomes slower and faster from one second to the next.
What counts is the time that the kernel has noted for their processes, in
nanoseconds: that of who makes the requests and answers them is not in it. An
answer other than 200, or a connection that fails, ends a case without a result.
"""
import collections
import contextlib
import dataclasses
import fnmatch
import os
import pathlib
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

from l7_systems import (BUFFERS, PORT, RULES, SERVER, SYSTEMS, Backend, Setup,
                        start)

ROUNDS = int(os.environ.get("ROUNDS", "7"))
SECONDS = int(os.environ.get("SECONDS_EACH", "3"))
TRIALS = 3		# of each size of buffers
CLIENTS = 64
IDLE = (4000, 7000)
SPARE = 200		# connections that there is room for beside


@dataclasses.dataclass
class Case:
    """path: what is asked for; setup: how the systems are configured; large:
    with the buffers that are best for each; plain: clbd without rules, too"""

    path: str = "/small"
    setup: Setup = dataclasses.field(default_factory=Setup)
    close: bool = False
    http2: bool = False
    large: bool = False
    plain: bool = False
    host: str = "a.example"


CASES = {
    "http1/keepalive/small": Case(),
    "http1/keepalive/64k": Case("/64k", large=True),
    "http1/close/small": Case(close=True),
    "http1/keepalive/small+log": Case(setup=Setup(log=True)),
    "http1/keepalive/small+10000-rules": Case(
        setup=Setup(rules=True), plain=True, host=f"h{RULES // 2}.example"),
    "http2/small": Case(http2=True),
}


def say(text):
    for line in text.splitlines():
        print(f"# {line}", flush=True)


def result(name, value, unit):
    print(f"result {name} {value:.6g} {unit}", flush=True)


def wanted(name):
    return any(fnmatch.fnmatch(name, pattern)
               for pattern in os.environ.get("CASES", "*").split() or "*")


def turns(number, systems):
    """The order of a round: each time another one begins."""
    systems = list(systems)
    first = number % len(systems)
    return systems[first:] + systems[:first]


def output_of(*command):
    return subprocess.run(["taskset", "-c", "1", *map(str, command)],
                          check=True, capture_output=True, text=True).stdout


def ask(sock, path, host):
    """One request by hand: what comes back is what the server has said."""
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    with sock.makefile("rb") as file:
        first = file.readline()
        fields = dict(line.lower().rstrip().split(b": ", 1)
                      for line in iter(file.readline, b"\r\n"))
        size = int(fields[b"content-length"])
        if first != b"HTTP/1.1 200 OK\r\n" or len(file.read(size)) != size:
            raise AssertionError(f"{path}: {first}")
    if size != {"/small": 10, "/64k": 65536}[path]:
        raise AssertionError(f"{path}: {size} bytes")


def wrk(case, port, seconds):
    """Requests that were answered as they should: wrk tells of those above 399,
    and of connections that fail."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        ask(sock, case.path, case.host)
    close = ["-H", "Connection: close"] if case.close else []
    text = output_of("wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s",
                     "--timeout", "20s", "-H", f"Host: {case.host}", *close,
                     f"http://127.0.0.1:{port}{case.path}")
    if "Non-2xx" in text or "Socket errors" in text:
        raise AssertionError(text)
    return int(re.search(r"(\d+) requests in", text).group(1))


def h2load(seconds, *options):
    """As wrk(); of some answers the body may be missing at the end."""
    text = output_of("h2load", "-t1", "-D", seconds, *options)
    done = re.search(r"(\d+) succeeded, 0 failed, 0 errored, 0 timeout", text)
    good = re.search(r"(\d+) 2xx, 0 3xx, 0 4xx, 0 5xx", text)
    if not done or not good or int(done.group(1)) > int(good.group(1)):
        raise AssertionError(text)
    return int(done.group(1))


def load(case, setup, seconds):
    if not case.http2:
        return wrk(case, setup.port, seconds)
    return h2load(seconds, "-c8", "-m8",
                  f"http://127.0.0.1:{setup.http2_port}{case.path}")


def start_all(stack, directory, contenders):
    """Until the end of the stack. Each is started anew: no place in memory or
    among the processors is its own for all rounds."""
    return {name: stack.enter_context(start(kind, directory, setup))
            for name, (kind, setup) in contenders.items()}


def rates_of(number, directory, case, contenders):
    """Requests in a second of each one's processor time, once it is warm; the
    others wait meanwhile. contenders: by a name, (kind, setup)"""
    done, used = collections.Counter(), collections.Counter()
    with contextlib.ExitStack() as stack:
        systems = start_all(stack, directory, contenders)
        for _, setup in contenders.values():
            load(case, setup, 1)
        for turn in range(SECONDS):
            for name in turns(number + turn, contenders):
                before = systems[name].time()
                done[name] += load(case, contenders[name][1], 1)
                used[name] += systems[name].time() - before
    for name in contenders:
        if not done[name]:
            raise AssertionError(f"{name}: no request came through")
    return {name: done[name] / used[name] for name in contenders}


def tell_ratios(name, values):
    """Return: of clbd to each of the others"""
    ratios = {other: values["clbd"] / values[other]
              for other in values if other != "clbd"}
    for other, ratio in ratios.items():
        result(f"clbd/{name}:{other}", ratio, "ratio")
    return ratios


def tell_best(name, rounds, worse):
    """The better of the others is the one that clbd compares worse with, by the
    median: the better one of a round would be the luckier one."""
    medians = [statistics.median(ratios[other] for ratios in rounds)
               for other in rounds[0]]
    result(f"clbd/{name}:best", worse(medians), "ratio")


def with_ports(contenders):
    """Each its own; there is room for one more behind it."""
    return {name: (kind, dataclasses.replace(setup, port=PORT + 2 * index))
            for index, (name, (kind, setup)) in enumerate(contenders.items())}


def best_setup(kind, directory, name, case):
    """With the buffers with which it is fastest."""
    choices = BUFFERS[kind] if case.large else ()
    if len(choices) < 2:
        return case.setup
    contenders = with_ports({
        choice: (kind, dataclasses.replace(case.setup, buffers=choice))
        for choice in choices})
    rounds = [rates_of(number, directory, case, contenders)
              for number in range(TRIALS)]
    medians = {choice: statistics.median(rates[choice] for rates in rounds)
               for choice in choices}
    say(f"{kind}/{name}: " + ", ".join(
        f"{rate:.0f} with {choice}" for choice, rate in medians.items()))
    return contenders[max(medians, key=medians.get)][1]


def measure(name, case, directory):
    contenders = {kind: (kind, best_setup(kind, directory, name, case))
                  for kind in SYSTEMS}
    if case.plain:
        contenders["plain"] = ("clbd", Setup())
    contenders = with_ports(contenders)
    rounds = []
    for number in range(ROUNDS):
        values = rates_of(number, directory, case, contenders)
        if case.plain:
            result(f"clbd/{name}:none", values["clbd"] / values.pop("plain"),
                   "ratio")
        for kind, value in values.items():
            result(f"{kind}/{name}", value, "req/cpu-s")
        rounds.append(tell_ratios(name, values))
    tell_best(name, rounds, min)


def load_by_h2load(kind, directory, *options):
    with start(kind, directory, Setup()):
        return h2load(SECONDS, "--h1", "--warm-up-time=1", f"-c{CLIENTS}",
                      *options, f"http://127.0.0.1:{PORT}/small")


def capacity(directory):
    """Requests a second that the slowest of them passes on, with h2load and the
    server, which share a processor: beyond it, these are what is waited for."""
    return min(load_by_h2load(kind, directory) / SECONDS for kind in SYSTEMS)


def p99_of(kind, directory, rate):
    log = pathlib.Path(directory, "h2load.txt")
    log.unlink(missing_ok=True)
    load_by_h2load(kind, directory, f"--rps={rate / CLIENTS:.3f}",
                   f"--log-file={log}")
    took = sorted(int(line.split()[2])
                  for line in log.read_text().splitlines())
    return took[len(took) * 99 // 100] / 1000


def p99(name, directory):
    """At the same rate for all. h2load notes how long each request took."""
    rate = 0.7 * statistics.median(capacity(directory) for _ in range(TRIALS))
    say(f"{name}: {rate:.0f} requests a second")
    rounds = []
    for number in range(ROUNDS):
        values = {kind: p99_of(kind, directory, rate)
                  for kind in turns(number, SYSTEMS)}
        for kind, value in values.items():
            result(f"{kind}/{name}", value, "ms")
        rounds.append(tell_ratios(name, values))
    tell_best(name, rounds, max)


def memory_with(kind, directory, count):
    """Of all its processes, with connections that have asked once, and wait; it
    has room for them and few more."""
    setup = Setup(connections=count + SPARE)
    with contextlib.ExitStack() as stack:
        system = stack.enter_context(start(kind, directory, setup))
        socks = [stack.enter_context(
            socket.create_connection(("127.0.0.1", PORT)))
            for _ in range(count)]
        for sock in socks:
            ask(sock, "/small", "a.example")
        used = system.memory()
        for sock in socks:
            ask(sock, "/small", "a.example")
    return used


def memory(name, directory):
    """What a connection more costs, and the room that is made for it."""
    few, many = IDLE
    values = {}
    for kind in SYSTEMS:
        used = (memory_with(kind, directory, many) -
                memory_with(kind, directory, few))
        values[kind] = used / (many - few)
        result(f"{kind}/{name}", values[kind], "bytes")
    tell_best(name, [tell_ratios(name, values)], max)


def run(directory):
    """Return: whether all cases have results"""
    cases = {name: lambda name, case=case: measure(name, case, directory)
             for name, case in CASES.items()}
    cases["http1/keepalive/p99-at-70%"] = lambda name: p99(name, directory)
    cases["memory/idle"] = lambda name: memory(name, directory)
    good = True
    for name, case in cases.items():
        if not wanted(name):
            continue
        try:
            case(name)
        except (AssertionError, OSError, subprocess.CalledProcessError) as error:
            say(f"{name} failed: {error}")
            good = False
    return good


@contextlib.contextmanager
def never_idle(processor):
    """It runs something else of no importance while it has nothing to do. Two
    processors may be halves of one core: of that a proxy that is slower would
    otherwise have more, as those who wait for it rest for longer."""
    child = os.fork()
    if not child:
        os.sched_setaffinity(0, {processor})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while True:
            pass
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # Closed connections keep their port for a minute; none may be a listener's.
    ports = pathlib.Path("/proc/sys/net/ipv4")
    (ports / "ip_local_port_range").write_text("1024 65535\n")
    (ports / "ip_local_reserved_ports").write_text(
        f"{PORT}-{PORT + 20},{SERVER}\n")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    with tempfile.TemporaryDirectory(prefix="bench-l7-") as directory:
        os.chmod(directory, 0o755)
        with Backend(directory), never_idle(1):
            sys.exit(not run(directory))


if __name__ == "__main__":
    main()
