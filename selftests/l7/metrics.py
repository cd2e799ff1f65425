#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd's counters, as a listener tells them."""
import os
import pathlib
import re
import socket
import threading
import time

from rig import (Client, Daemon, Server, Tap, ask, config, equal, free_port,
                 read_message, reply, wait_for)


def with_metrics(*servers, workers=1):
    """A configuration whose second listener tells the counters, and its port."""
    port = free_port()
    text = config(*servers).replace("workers: 1", f"workers: {workers}")
    return f"""{text}
  - name: metrics
    address: "127.0.0.1:{port}"
    metrics: yes
""", port


def metrics():
    """metrics: a listener tells the counters of all workers, as Prometheus reads
    them"""
    text, port = with_metrics(Server(), workers=2)
    with Daemon(text) as clbd:
        for _ in range(20):
            equal(ask(clbd.port).status, 200)
        site, server = '{listener="site"', '{group="web",server="'
        server += f'{text.split("address: ")[1].split(chr(34))[1]}"'
        found, reads = {}, 0

        def read():
            nonlocal reads
            found, reads = {}, reads + 1
            for line in ask(port, "/metrics").body.decode().splitlines():
                if not line.startswith("#"):
                    name, value = line.rsplit(" ", 1)
                    equal(name in found, False, name)
                    found[name] = float(value)
            return found

        # The other worker has answered before it counts, the first and the
        # last of it:
        wait_for("what all count", lambda: clbd.stats()["responses_2xx"] == 20)

        def settled():
            nonlocal found
            found = read()
            name = f"clbd_server_received_bytes_total{server}}}"
            return (found[name], found["clbd_responses_2xx_total"],
                    found["clbd_request_seconds_count"]) == \
                (120, 20 + reads - 1, 20 + reads - 1)
        wait_for("all that they count", settled)
        asked = 20 + reads - 1
        equal(found["clbd_requests_total"], asked + 1)
        equal(found["clbd_responses_2xx_total"], asked)
        equal(found["clbd_workers"], 2)
        equal(found['clbd_request_seconds_bucket{le="+Inf"}'],
              asked)
        equal(found["clbd_request_seconds_count"], asked)
        for name, value in ((f"listener_requests_total{site}}}", 20),
                            (f"listener_responses_total{site},code=\"2xx\"}}",
                             20),
                            (f"listener_responses_total{site},code=\"5xx\"}}",
                             0),
                            (f"listener_connections_total{site}}}", 20),
                            (f"listener_failures_total{site}}}", 0),
                            (f"listener_request_seconds_count{site}}}", 20),
                            (f"server_requests_total{server}}}", 20),
                            (f"server_requests_open{server}}}", 0),
                            (f"server_failures_total{server}}}", 0),
                            (f"server_received_bytes_total{server}}}", 120),
                            (f"server_responses_total{server},code=\"2xx\"}}",
                             20),
                            (f"server_response_seconds_count{server}}}", 20)):
            equal(found["clbd_" + name], value, name)
        with Client(clbd.port) as client:
            client.ask()
            clbd.reload(text)
            found = read()
            equal(found[f"clbd_server_requests_total{server}}}"], 21)
            equal(found[f"clbd_listener_connections_open{site}}}"], 1)
        told = clbd.stats()
        for name in told:
            equal("clbd_" + name in found or f"clbd_{name}_total" in found,
                  True, name)


def codes():
    """metrics: responses by their code, and how long they took, of listeners and
    of servers apart: those of clbd itself are no server's"""
    pause = 0.3

    def answer(_server, sock, _reader, request):
        status = request.first.split()[1][1:]
        if status == "404":
            threading.Event().wait(pause)
        sock.sendall(reply(status=f"{status} X"))
    text, port = with_metrics(Server(answer))
    with Daemon(text) as clbd:
        since = time.monotonic()
        for status in (200, 201, 204, 301, 404, 410, 500, 502, 503, 700):
            ask(clbd.port, f"/{status}")
        equal(ask(clbd.port, method="TRACE").status, 405)
        took = time.monotonic() - since

        def told(kind, what):
            label = {"listener": 'listener="site"', "server": 'group="web"'}
            return re.findall(rf'^clbd_{kind}_{what}\{{{label[kind]}.*$',
                              ask(port).body.decode(), re.M)

        def counts(kind):
            return [int(line.split()[1])
                    for line in told(kind, "responses_total")]
        # other, 1xx, 2xx, and so on
        equal(counts("server"), [0, 0, 3, 1, 2, 3])
        equal(counts("listener"), [0, 0, 3, 1, 3, 4])
        for kind, what in (("server", "response_seconds_sum"),
                           ("listener", "request_seconds_sum")):
            [line] = told(kind, what)
            equal(pause <= float(line.split()[1]) <= took + 0.1, True,
                  f"{line} in {took}")


def metrics_of_many():
    """metrics: those of a thousand servers reach a client that is slow, of any
    version, and others are served meanwhile"""
    servers = "".join(f"      - {{address: \"127.0.0.1:{i}\", weight: 0}}\n"
                      for i in range(1, 1000))
    text, port = with_metrics(Server())
    text = text.replace("listeners:\n", servers + "listeners:\n", 1)
    with Daemon(text) as clbd, Client(port) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(ask(clbd.port).status, 200)
        bodies = [read_message(client.reader).body, client.ask().body,
                  ask(port, version="1.0").body]
        equal(client.ask(method="HEAD").status, 200)
        for body in bodies:
            lines = body.decode().splitlines()
            equal(lines[-1].startswith("clbd_server_response_seconds_sum{"),
                  True, lines[-1])
            equal(sum(line.startswith("clbd_server_requests_total{")
                      for line in lines), 1000)
            for line in lines:
                equal(bool(re.fullmatch(
                    r"# (HELP|TYPE) \w+ .*|clbd_\w+(\{.*\})? [0-9.]+", line)),
                    True, line)


def counters_of(pid):
    """Where a process has the memory that all processes share."""
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        if " rw-s " in line and "/dev/zero" in line:
            yield [int(at, 16) for at in line.split()[0].split("-")]


def counters_overwritten():
    """a worker that writes all over the memory of the counters harms neither the
    parent nor other workers: it reloads, tells, serves and stops"""
    if os.geteuid() != 0:
        return
    text, port = with_metrics(Server(), workers=2)
    with Daemon(text) as clbd:
        pids = clbd.workers()
        for byte in (b"\xff", b"\x41"):
            with open(f"/proc/{pids[0]}/mem", "r+b", buffering=0) as memory:
                for start, end in counters_of(pids[0]):
                    memory.seek(start)
                    equal(memory.write(byte * (end - start)), end - start)
            equal(ask(port).status, 200)
            clbd.stats()
            clbd.reload(text)
            equal({ask(clbd.port).status for _ in range(20)}, {200})
            equal(ask(port).body.count(
                b"clbd_listener_requests_total{listener="), 2)
        equal(clbd.workers(), pids)


if __name__ == "__main__":
    Tap().run([metrics, codes, metrics_of_many, counters_overwritten])
