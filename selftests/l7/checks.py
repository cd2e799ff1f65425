#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd's checks of servers: what they find, and that they go on."""
import contextlib
import pathlib
import socket
import tempfile
import threading

from rig import (PATIENCE, PLAIN, Client, Daemon, HeadServer, Server, Tap, ask,
                 config, equal, free_port, wait_for)

CHECK = """    check:
      type: http
      interval: 1
      timeout: 5
      rise: 1
      fall: 2
      url: /well
      host: check.example
      expect: [2xx, 3xx]"""


def checks():
    """checks: a server that is not well gets nothing until it is again, in
    workers that start meanwhile, too"""
    well = {"a": b"200", "b": b"302"}

    def answer(server, sock, reader, request):
        if "/well" not in request.first:
            Server.plain(server, sock, reader, request)
            return True
        equal(request.first, "HEAD /well HTTP/1.1")
        equal(request.get("Host"), "check.example")
        if well[server.name] is None:
            reader.more()
        else:
            sock.sendall(b"HTTP/1.1 %s X\r\n\r\n" % well[server.name])
        return False
    a, b = HeadServer(answer, "a"), HeadServer(answer, "b")
    text = config(a, b, group=CHECK)
    with Daemon(text) as clbd, Client(clbd.port) as client:
        def answers():
            return {client.ask().body for _ in range(4)}
        equal(answers(), {b"a", b"b"})
        well["a"] = b"500"
        clbd.wait_told(f"{a.address} is down")
        wait_for("b alone", lambda: answers() == {b"b"})
        clbd.reload(text)
        equal(answers(), {b"b"})
        well["b"] = None
        clbd.wait_told(f"{b.address} is down")
        wait_for("nobody", lambda: client.ask().status == 503)
        clbd.kill(clbd.workers()[0])
        equal(client.ended(), True)
        equal(ask(clbd.port).status, 503)
        well["a"] = b"204"
        clbd.wait_told(f"{a.address} is up")
        wait_for("a alone", lambda: ask(clbd.port).body == b"a")
        # Who is checked no longer is taken for well.
        clbd.reload(config(a, b))
        clbd.wait_told(f"{b.address} is up")
        seen = set()
        wait_for("both", lambda: seen.add(ask(clbd.port).body) or
                 seen == {b"a", b"b"})


def checks_go_on():
    """checks: a server that is down stays so when the process of the checks is
    started again; it is the same server however its address is written"""
    asked = []

    def answer(server, sock, reader, request):
        if "/well" not in request.first:
            Server.plain(server, sock, reader, request)
            return True
        asked.append(server.name)
        sock.sendall(b"HTTP/1.1 500 X\r\n\r\n" if server.name == "a"
                     else b"HTTP/1.1 200 X\r\n\r\n")
        return False
    a, b = HeadServer(answer, "a"), HeadServer(answer, "b")
    written = a.address
    a.address = a.address.replace(":", ":0")
    with Daemon(config(a, b, group=CHECK)) as clbd:
        clbd.wait_told(f"{written} is down")

        def health():
            return clbd.children("clbd: health")
        old = health()[0]
        clbd.kill(old)
        wait_for("another", lambda: health() and health() != [old])
        del asked[:]
        wait_for("checks of it", lambda: asked.count("a") >= 2)
        equal(f"{written} is up" in clbd.told(), False, "up")
        equal({ask(clbd.port).body for _ in range(4)}, {b"b"})


def checks_end_for_removed():
    """checks: a server that was down, was removed and is put back gets requests
    again, where one that it has still keeps it known"""
    go = threading.Event()

    def answer(server, sock, reader, request):
        if "/well" in request.first:
            bad = server.name == "a" and server.slow
            sock.sendall(b"HTTP/1.1 %s X\r\n\r\n" % (b"500" if bad else
                                                     b"200"))
            return False
        if "/slow" in request.first:
            server.slow = True
            go.wait(PATIENCE)
        Server.plain(server, sock, reader, request)
        return True
    a, b = HeadServer(answer, "a"), HeadServer(answer, "b")
    a.slow = b.slow = False
    with Daemon(config(a, b, group=CHECK)) as clbd, \
            contextlib.ExitStack() as stack:
        slow = [stack.enter_context(Client(clbd.port)).send(
            b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(4)]
        try:
            clbd.wait_told(f"{a.address} is down")
            wait_for("b alone", lambda: {ask(clbd.port).body
                                         for _ in range(6)} == {b"b"})
            clbd.reload(config(b))
            clbd.reload(config(a, b))
            equal({ask(clbd.port).body for _ in range(6)}, {b"a", b"b"})
        finally:
            go.set()
        equal({client.response().status for client in slow}, {200})


def checks_of_connections():
    """checks: without a type, a server must take connections"""
    a, b = Server(name="a"), Server(name="b")
    with Daemon(config(a, b, group="    check: {interval: 1, fall: 1}"),
                program=PLAIN) as clbd:
        b.close()
        clbd.wait_told(f"{b.address} is down")
        wait_for("the worker", lambda: clbd.stats()["connect_errors"] or True)
        for _ in range(4):
            equal(ask(clbd.port).body, b"a")
        back = Server(name="back", port=b.port)
        clbd.wait_told(f"{b.address} is up")
        wait_for("it to be back", lambda: ask(clbd.port).body == b"back")
        equal("\"restarts\":0" in clbd.told(), True)
        back.close()


class Sick(HeadServer):
    """One that is asked how it is: what is in well is the status of each path."""

    def __init__(self, name):
        super().__init__(Sick.reply, name)
        self.well, self.probes = {}, []

    def reply(self, sock, reader, request):
        path = request.first.split()[1]
        if request.get("User-Agent") != "clbd-check":
            self.plain(sock, reader, request)
            return True
        self.probes.append(path)
        sock.sendall(b"HTTP/1.1 %d X\r\n\r\n" % self.well.get(path, 200))
        return False


def bodies(clbd, target="/", **kwargs):
    return {ask(clbd.port, target, **kwargs).body for _ in range(6)}


RULES = """    rules:
      - url: /deep
        group: web
        check: {type: http, interval: 1, rise: 1, fall: 2, url: /db}
      - url: /deep/again
        group: web
        check: {type: http, interval: 1, rise: 1, fall: 2, url: /db, timeout: 5}
      - url: /other
        group: web
        scheduler: rr"""


def checks_of_rules():
    """checks: a rule's own is for it alone, in workers that start and over
    reloads, too; rules with equal ones share it"""
    a, b = Sick("a"), Sick("b")
    text = config(a, b, group=CHECK, listener=RULES)
    with Daemon(text) as clbd:
        a.well["/db"] = 500
        clbd.wait_told(f"{a.address} is down for rules that check it themselves")

        def is_known():
            equal([bodies(clbd, path) for path in
                   ("/deep", "/deep/again", "/other", "/")],
                  [{b"b"}, {b"b"}, {b"a", b"b"}, {b"a", b"b"}])
        wait_for("the rule", lambda: bodies(clbd, "/deep") == {b"b"})
        is_known()
        stats = clbd.stats()
        equal((stats["servers_down"], stats["rule_servers_down"]), (0, 1))
        clbd.reload(text)
        is_known()
        old = clbd.workers()
        clbd.kill(old[0])
        wait_for("a new worker", lambda: clbd.workers() not in ([], old))
        is_known()
        # What others find does not count for the rule.
        b.well["/well"] = 500
        clbd.wait_told(f"{b.address} is down\n")
        wait_for("the others", lambda: bodies(clbd) == {b"a"})
        equal([bodies(clbd, path) for path in ("/deep", "/other")],
              [{b"b"}, {b"a"}])
        del a.probes[:]
        # as often as of the others, and not once for each rule
        wait_for("probes", lambda: a.probes.count("/well") >= 6)
        own, others = (a.probes.count(url) for url in ("/db", "/well"))
        equal((2 * own < 3 * others, 2 * others < 3 * own), (True, True),
              a.probes)
        # Without checks of its own it is as the others are.
        clbd.reload(config(a, b, group=CHECK, listener="""    rules:
      - {url: /deep, group: web}"""))
        equal(bodies(clbd, "/deep"), {b"a"})
        equal(clbd.stats()["rule_servers_down"], 0)


def checks_while_reloading():
    """checks: a configuration that is read again and again leaves those under way
    as they are"""
    a, b = Sick("a"), Sick("b")
    text = config(a, b, group=CHECK)
    with Daemon(text) as clbd:
        a.well["/well"] = 500

        def reloaded():
            clbd.reload(text)
            return f"{a.address} is down" in clbd.told()
        wait_for("its end", reloaded)
        # it is said before workers are told
        wait_for("b alone", lambda: bodies(clbd) == {b"b"})


def accept_all(sock):
    with contextlib.suppress(OSError):
        while True:
            sock.accept()[0].close()


def checks_of_many():
    """checks: with more servers than files may be open, those that are well stay
    up, and those that are not are found"""
    with socket.create_server(("", 0), backlog=4096) as sock, \
            tempfile.TemporaryDirectory() as directory:
        threading.Thread(target=accept_all, args=(sock,), daemon=True).start()
        port = sock.getsockname()[1]
        servers = [f"127.1.{i // 250}.{i % 250}:{port}" for i in range(1500)]
        groups = "".join(
            f"  - name: g{g}\n"
            "    check: {interval: 1, fall: 1, timeout: 60}\n"
            "    servers:\n" + "".join(
                f"      - {{address: \"{address}\"}}\n"
                for address in servers[g::2]) for g in range(2))
        bad = f"127.0.0.1:{free_port()}"
        text = config(Server(), top="limits: {connections: 10}").replace(
            "groups:\n", "groups:\n" + groups +
            "  - name: bad\n    check: {interval: 1, fall: 3}\n"
            f"    servers: [{{address: \"{bad}\"}}]\n")
        wrapper = pathlib.Path(directory, "clbd")
        wrapper.write_text(f"#!/bin/sh\nulimit -n 1020\nexec {PLAIN} \"$@\"\n")
        wrapper.chmod(0o755)
        with Daemon(text, program=str(wrapper)) as clbd:
            clbd.wait_told(f"{bad} is down")
            equal(clbd.told().count("is down"), 1)


if __name__ == "__main__":
    Tap().run([checks, checks_go_on, checks_end_for_removed,
               checks_of_connections, checks_of_rules,
               checks_while_reloading, checks_of_many])
