#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the cases of l7.sh, in a network namespace that nobody else uses.

    wrk, h2load  ->  clbd, nginx or HAProxy  ->  nginx with a fixed answer
    processor 1      processor 0                 processor 1

All three pass on the same requests with the same fields added, keep connections
to the server, and write no log. They take turns in each round. What counts is
the time that the kernel has noted for their processes, in nanoseconds: that of
who makes the requests and answers them is not in it.
"""
import fnmatch
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

from l7_systems import PORT, PORT2, SYSTEMS, Backend, clbd_has_http2, start

ROUNDS = int(os.environ.get("ROUNDS", "7"))
SECONDS = int(os.environ.get("SECONDS_EACH", "2"))
CLIENTS = 64
RULES = 10000


class Case:
    """path: what is asked for; variant: how the systems are configured."""

    def __init__(self, path="/small", variant="", close=False, http2=False,
                 host="a.example"):
        self.path, self.variant, self.close = path, variant, close
        self.http2, self.host = http2, host


CASES = {
    "http1/keepalive/small": Case(),
    "http1/keepalive/64k": Case("/64k"),
    "http1/close/small": Case(close=True),
    "http1/keepalive/small+log": Case(variant="log"),
    "http1/keepalive/small+10000-rules": Case(
        variant="rules", host=f"h{RULES // 2}.example"),
    "http2/small": Case(http2=True),
}


def say(text):
    print(f"# {text}", flush=True)


def result(name, value, unit):
    print(f"result {name} {value:.6g} {unit}", flush=True)


def wanted(name):
    return any(fnmatch.fnmatch(name, pattern)
               for pattern in os.environ.get("CASES", "*").split() or "*")


def output_of(*command):
    return subprocess.run(["taskset", "-c", "1", *map(str, command)],
                          check=True, capture_output=True, text=True).stdout


def wrk(case, seconds):
    """Requests that were answered as they should."""
    close = ["-H", "Connection: close"] if case.close else []
    text = output_of("wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s",
                     "-H", f"Host: {case.host}", *close,
                     f"http://127.0.0.1:{PORT}{case.path}")
    if "Non-2xx" in text or "Socket errors" in text:
        raise AssertionError(text)
    return int(re.search(r"(\d+) requests in", text).group(1))


def h2load(case, seconds):
    text = output_of("h2load", "-t1", "-c8", "-m8", "-D", seconds,
                     f"http://127.0.0.1:{PORT2}{case.path}")
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", text)
    if not done or int(done.group(2)) or int(done.group(3)):
        raise AssertionError(text)
    return int(done.group(1))


def per_second(system, case, seconds):
    """Requests in a second of its processor's time."""
    load = h2load if case.http2 else wrk
    before = system.time()
    done = load(case, seconds)
    if not done:
        raise AssertionError("no request came through")
    return done / (system.time() - before)


def tell_ratios(name, values):
    others = {other: values[other] for other in values if other != "clbd"}
    for other, value in others.items():
        result(f"clbd/{name}:{other}", values["clbd"] / value, "ratio")
    result(f"clbd/{name}:best", values["clbd"] / max(others.values()), "ratio")


def measure(name, case, directory):
    """Each system is started anew in each round: no place in memory or among
    the processors is its own for all of them."""
    found = {system: [] for system in SYSTEMS}
    for number in range(ROUNDS):
        values = {}
        try:
            for kind in SYSTEMS:
                with start(kind, directory, case.variant) as system:
                    per_second(system, case, 1)
                    values[kind] = per_second(system, case, SECONDS)
        except AssertionError as error:
            say(f"{name}: round {number} does not count: {kind}: {error}")
            continue
        for kind, value in values.items():
            result(f"{kind}/{name}", value, "req/cpu-s")
            found[kind].append(value)
        tell_ratios(name, values)
    if not found["clbd"]:
        raise AssertionError(f"{name}: no round counts")
    return {kind: statistics.median(rates) for kind, rates in found.items()}


def p99(directory, rate):
    """At the same rate for all. h2load notes how long each request took."""
    log = pathlib.Path(directory, "h2load.log")
    for _ in range(ROUNDS):
        for kind in SYSTEMS:
            log.unlink(missing_ok=True)
            with start(kind, directory):
                output_of("h2load", "--h1", "-t1", f"-c{CLIENTS}", "-D",
                          SECONDS, f"--rps={rate / CLIENTS:.3f}",
                          f"--log-file={log}",
                          f"http://127.0.0.1:{PORT}/small")
            took = sorted(int(line.split()[2])
                          for line in log.read_text().splitlines()
                          if line.split()[1] == "200")
            if not took:
                say(f"p99: a round of {kind} does not count: no answers")
                continue
            result(f"{kind}/http1/keepalive/p99-at-70%",
                   took[len(took) * 99 // 100] / 1000, "ms")


def memory(directory, count=2000):
    """Of connections that have asked once, and wait."""
    import socket
    request = b"GET /small HTTP/1.1\r\nHost: a.example\r\n\r\n"
    for kind in SYSTEMS:
        with start(kind, directory) as system:
            per_second(system, Case(), 1)
            before = system.memory()
            socks = []
            for _ in range(count):
                sock = socket.create_connection(("127.0.0.1", PORT))
                sock.sendall(request)
                if not sock.recv(65536).startswith(b"HTTP/1.1 200"):
                    raise AssertionError(f"{kind}: no answer")
                socks.append(sock)
            result(f"{kind}/memory/idle", (system.memory() - before) / count,
                   "bytes")
            for sock in socks:
                sock.close()


def run(directory):
    rates = {}
    for name, case in CASES.items():
        if not wanted(name):
            continue
        if case.http2 and not clbd_has_http2(directory):
            say(f"{name}: left out, as clbd does not know the key http2")
            continue
        rates[name] = measure(name, case, directory)
    if wanted("http1/keepalive/p99-at-70%"):
        slowest = min(rates.get("http1/keepalive/small",
                                {"": 20000}).values())
        p99(directory, 0.7 * slowest)
    if wanted("memory/idle"):
        memory(directory)


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    # Closed connections keep their port for a minute.
    pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text(
        "1024 65535\n")
    with tempfile.TemporaryDirectory(prefix="bench-l7-") as directory:
        os.chmod(directory, 0o755)
        try:
            with Backend(directory):
                run(directory)
        except (AssertionError, subprocess.CalledProcessError) as error:
            say(f"failed: {error}")
            sys.exit(1)


main()
