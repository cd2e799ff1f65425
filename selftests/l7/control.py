#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd's control socket: its rights, status, reload, drain; and going over to
another program."""
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time

from rig import (CLBD, PATIENCE, PLAIN, Client, Daemon, Server, Tap, ask,
                 config, equal, wait_for)


class Controlled(Daemon):
    """clbd with a control socket, that can become another process."""

    def write(self, text):
        self.socket = os.path.join(self.directory.name, "control")
        super().write(f"control: {self.socket}\n{text}")

    def run(self, *words):
        """Exit status, what was printed, and what was told."""
        done = subprocess.run([CLBD, "-s", self.socket, *words],
                              capture_output=True, text=True,
                              timeout=PATIENCE + 60)
        return done.returncode, done.stdout, done.stderr

    def tell(self, *words):
        status, out, err = self.run(*words)
        equal((status, err), (0, ""), f"{words}: {out}")
        return json.loads(out)

    def refuse(self, *words):
        status, out, err = self.run(*words)
        equal((status, err), (1, ""), f"{words}: {out}")
        answer = json.loads(out)
        equal(answer["ok"], False)
        return answer["error"]

    def upgraded(self, pid):
        """From now on, clbd is process @pid."""
        old, self.process = self.process, Adopted(pid)
        equal(old.wait(PATIENCE), 0, "exit status of the old program")


class Adopted:
    """A process that is nobody's child here."""

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        try:
            state = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0		# gone before it was opened, or read
        return 0 if state.rsplit(")", 1)[1].split()[0] == "Z" else None

    def wait(self, _timeout):
        return wait_for("its end", lambda: self.poll() == 0) and 0

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def workers(text, count):
    return text.replace("workers: 1", f"workers: {count}")


def rights():
    """control: the socket is its owner's alone, from the first moment on, and
    goes when clbd goes"""
    with Controlled(config(Server())) as clbd:
        info = os.stat(clbd.socket)
        equal(stat.S_ISSOCK(info.st_mode), True)
        equal(stat.S_IMODE(info.st_mode), 0o600)
        equal(info.st_uid, os.geteuid())
        if os.geteuid() == 0:
            def as_nobody():
                os.setgid(65534)
                os.setuid(65534)
            done = subprocess.run([CLBD, "-s", clbd.socket, "status"],
                                  capture_output=True, text=True,
                                  preexec_fn=as_nobody)
            equal(done.returncode, 1)
            equal("Permission denied" in done.stderr, True, done.stderr)
        names = os.listdir(clbd.directory.name)
        equal([n for n in names if n.startswith("control")], ["control"])
        clbd.process.terminate()
        wait_for("its end", lambda: not os.path.exists(clbd.socket))


def places():
    """control: what is at its path stays, be it a file or the socket of another;
    one that nobody listens at is taken; who ends leaves what is not its own"""
    def refused(text, why):
        clbd = Daemon(text, wait=False)
        equal(clbd.process.wait(PATIENCE), 1)
        equal(why in clbd.told(), True, clbd.told())
        clbd.directory.cleanup()
    server = Server()
    with Controlled(config(server)) as clbd:
        other = f"control: {clbd.socket}\n{config(server)}"
        refused(other, "Address already in use")
        equal(clbd.tell("status")["ok"], True)
        os.rename(clbd.socket, clbd.socket + ".moved")
        pathlib.Path(clbd.socket).write_text("precious")
        refused(other, "File exists")
        clbd.process.terminate()
        equal(clbd.process.wait(PATIENCE), 0)
        equal(pathlib.Path(clbd.socket).read_text(), "precious")
        os.unlink(clbd.socket)
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(clbd.socket)
        with Daemon(other):
            equal(clbd.tell("status")["ok"], True)
        equal(os.path.exists(clbd.socket), False)


def status():
    """status: pids, whether they are ready, and the counters of each worker"""
    with Controlled(workers(config(Server()), 2)) as clbd:
        for _ in range(12):
            equal(ask(clbd.port).status, 200)
        told = clbd.tell("status")
        equal(told["pid"], clbd.process.pid)
        equal(told["configuration"], clbd.path)
        equal(sorted(w["pid"] for w in told["workers"]), clbd.workers())
        equal([w["ready"] for w in told["workers"]], [True, True])
        equal(sum(w["requests"] for w in told["workers"]), 12)
        equal(told["total"]["requests"], 12)
        equal(told["servers"], [])


def bad_commands():
    """what is no command is refused, by the program and by the socket; many
    connections that say nothing keep nobody out for long"""
    with Controlled(config(Server())) as clbd:
        for words in (["frob"], ["drain"], ["drain", "x"], ["up", "a", "b"],
                      ["status", "x"], ["reload", ""],
                      ["drain", "192.0.2.1:80", "86401"], ["x" * 200],
                      ["drain", "192.0.2.1:80", "1", "2"]):
            returncode, out, _ = clbd.run(*words)
            equal((returncode, out), (2, ""), words)
        for line in (b"frob\n", b"status\0\n", b"status x\n", b"\n", b"  \n",
                     b"x" * 200):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(PATIENCE)
                sock.connect(clbd.socket)
                sock.sendall(line)
                equal(b'{"ok":false,"error":' in sock.recv(4096), True, line)
        silent = []
        for _ in range(12):
            silent.append(socket.socket(socket.AF_UNIX))
            silent[-1].settimeout(PATIENCE)
            silent[-1].connect(clbd.socket)
        equal(clbd.tell("status")["ok"], True)
        for sock in silent:
            equal(sock.recv(1), b"")
            sock.close()


def reload():
    """reload: answered when all workers have the new configuration; of a bad one
    it tells the fault, and the old one goes on"""
    a, b = Server(name="a"), Server(name="b")
    with Controlled(workers(config(a), 2)) as clbd:
        for server in (b, a, b):
            clbd.write(workers(config(server), 2))
            equal(clbd.tell("reload"), {"ok": True})
            for _ in range(6):
                equal(ask(clbd.port).body, server.name.encode())
        clbd.write(config(a).replace("group: web", "group: wbe"))
        equal(clbd.refuse("reload"), f"{clbd.path}:12: listeners[0].group: "
              "no group has this name")
        equal(ask(clbd.port).body, b"b")
        clbd.write(config(a, listener="    error-pages:\n"
                          "      - {status: 502, file: /nonexistent}"))
        equal(clbd.refuse("reload").endswith("listeners[0].error-pages[0].file: "
                                             "No such file or directory"), True)
        clbd.write(config(a).replace("127.0.0.1:@PORT@", "192.0.2.1:1"))
        equal("listener site: 192.0.2.1:1: Cannot assign" in
              clbd.refuse("reload"), True)
        equal(ask(clbd.port).body, b"b")


def big_config(server, groups):
    """So many groups of ten servers each, of which the first has a real one."""
    def addresses(group):
        real = [server.address] if not group else []
        return real + [f"10.{group >> 8}.{group & 255}.{i}:80"
                       for i in range(10 - len(real))]
    lines = ["workers: 1", "groups:"]
    for group in range(groups):
        weights = [100] + [0 if not group else 1] * 9
        lines += [f"  - name: g{group}", "    servers:"]
        lines += [f'      - {{address: "{a}", weight: {w}}}'
                  for a, w in zip(addresses(group), weights)]
    return "\n".join(lines + [
        "listeners:", "  - name: site", "    address: \"127.0.0.1:@PORT@\"",
        "    group: g0", ""])


def processor_time(clbd):
    """What clbd and its children have used, in nanoseconds."""
    pids = [clbd.process.pid, *clbd.workers(),
            *clbd.children("clbd: health")]
    return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text()
                   .split()[0]) for pid in pids)


def fifty_thousand_servers():
    """reload: of 50,000 servers takes about ten times the work of 5,000, not a
    hundred times"""
    server = Server()
    took = {}
    for groups in (500, 5000):
        text = big_config(server, groups)
        with Controlled(text, program=PLAIN) as clbd:
            times = []
            for _ in range(5):
                start = processor_time(clbd)
                clbd.tell("reload")
                times.append(processor_time(clbd) - start)
            took[groups] = min(times) / 1e9
            equal(ask(clbd.port).status, 200)
    print(f"# 5,000: {took[500]:.3f} s, 50,000: {took[5000]:.3f} s")
    equal(took[5000] < 30 * took[500], True, took)


def find_cookie(clbd, name):
    """That of the server of this name."""
    def found():
        answer = ask(clbd.port)
        return answer.body == name and answer.get("Set-Cookie")
    return f"Cookie: {wait_for(name, found).split(';')[0]}\r\n"


def drain():
    """drain: nobody new, those that a cookie binds until the deadline; also in a
    worker that starts, and after a reload; up ends it"""
    a, b = Server(name="a"), Server(name="b")
    text = config(a, b, top="secret: s", group="    cookie: S")
    with Controlled(text) as clbd:
        bound = find_cookie(clbd, b"a")
        equal(clbd.tell("drain", a.address), {"ok": True})

        def is_drained():
            equal({ask(clbd.port).body for _ in range(6)}, {b"b"})
            equal(ask(clbd.port, fields=bound).body, b"a")
        is_drained()
        equal(clbd.tell("status")["servers"],
              [{"address": a.address, "down": False, "drain": "drain"}])
        clbd.reload(text)
        is_drained()
        pid = clbd.workers()[0]
        clbd.kill(pid)
        wait_for("a new worker", lambda: clbd.workers() not in ([], [pid]))
        is_drained()
        equal(clbd.tell("drain", a.address, "1"), {"ok": True})
        clbd.wait_told(f"{a.address} is drained")
        answer = wait_for("b", lambda: (r := ask(clbd.port, fields=bound)
                                        ).body == b"b" and r)
        equal(answer.get("Set-Cookie") is not None, True)
        equal(clbd.tell("status")["servers"][0]["drain"], "drained")
        equal(clbd.tell("up", a.address), {"ok": True})
        wait_for("a", lambda: ask(clbd.port, fields=bound).body == b"a")
        equal({ask(clbd.port).body for _ in range(6)}, {b"a", b"b"})
        for words in (("up", a.address), ("drain", "192.0.2.9:80")):
            equal(clbd.refuse(*words), "no such server, or it does not drain")
        clbd.tell("drain", a.address)
        clbd.reload(config(b, top="secret: s", group="    cookie: S"))
        equal(clbd.tell("status")["servers"], [])
        clbd.reload(text)
        equal({ask(clbd.port).body for _ in range(6)}, {b"a", b"b"})


def one_address():
    """drain, up: one address, however it is written here and there"""
    a = Server()
    text = config(a).replace(a.address, "[2001:DB8:0::1]:80")
    with Controlled(text) as clbd:
        equal(clbd.tell("drain", "[2001:db8:0:0:0:0:0:1]:80"), {"ok": True})
        equal([s["address"] for s in clbd.tell("status")["servers"]],
              ["[2001:db8::1]:80"])
        equal(clbd.tell("up", "[2001:DB8::1]:80"), {"ok": True})
        equal(clbd.tell("status")["servers"], [])


class Load(threading.Thread):
    """Asks on and on, a connection for each request, until it is stopped."""

    def __init__(self, clbd):
        super().__init__(daemon=True)
        self.clbd, self.go, self.count, self.bad = clbd, True, 0, []
        self.start()

    def run(self):
        while self.go:
            try:
                answer = ask(self.clbd.port)
                if answer is None or answer.status != 200:
                    self.bad.append(answer and answer.first)
            except OSError as error:
                self.bad.append(repr(error))
            self.count += 1

    def stop(self):
        self.go = False
        self.join(PATIENCE)
        equal(self.bad, [])


def upgrade():
    """upgrade: another process with as many workers as the configuration says
    now; no connection is lost, and what has begun is answered by the old one"""
    go = threading.Event()

    def answer(server, sock, reader, request):
        if "slow" in request.first:
            go.wait(PATIENCE)
        server.plain(sock, reader, request)
    server = Server(answer)
    with Controlled(workers(config(server), 2)) as clbd:
        load = Load(clbd)
        slow = Client(clbd.port).send(
            b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the slow one", lambda: any("slow" in r.first for r in
                                             list(server.requests)))
        for count in (3, 1, 2):
            old = clbd.process.pid
            clbd.write(workers(config(server), count))
            if count == 1:      # fewer: a known limit, see l7.rst
                load.stop()
            equal(clbd.tell("upgrade"), {"ok": True})
            if count == 1:
                load = Load(clbd)
            told = clbd.tell("status")
            equal(told["pid"] != old, True)
            equal(len(told["workers"]), count)
            before = load.count
            wait_for("requests", lambda before=before:
                     load.count > before + 50)
            go.set()
            clbd.upgraded(told["pid"])
            equal(slow.response().status if count == 3 else 200, 200)
        load.stop()
        equal(ask(clbd.port).status, 200)
        equal(os.path.exists(clbd.socket), True)


def upgrade_remembers():
    """upgrade: who drains, until when, and who is down, are known to the new
    program from the beginning"""
    def answer(server, sock, _reader, request):
        bad = (request.get("User-Agent") == "clbd-check" and
               request.first.split()[1] == server.sick)
        sock.sendall(b"HTTP/1.1 %d X\r\nContent-Length: 1\r\n\r\n%s" %
                     (500 if bad else 200, server.name.encode()))
    a, b, c, d = servers = [Server(answer, name) for name in "abcd"]
    a.sick, b.sick, c.sick, d.sick = None, "/x", "/own", None
    # Found down at once, and up not as long as this takes.
    check = "    check: {type: http, interval: 50, timeout: 50, " \
        "fall: 1, rise: 10, url: /x}"
    text = config(*servers, group=check, listener="    rules:\n"
                  "      - url: /own\n        group: web\n    " +
                  check.replace("/x", "/own"))

    def known(clbd):
        told = clbd.tell("status")["servers"]
        return sorted(told, key=lambda server: server["address"])
    with Controlled(text) as clbd:
        for server in b, c:
            clbd.wait_told(f"{server.address} is down")
        clbd.tell("drain", a.address, "3600")
        before = known(clbd)
        equal(len(before), 3, before)
        clbd.tell("upgrade")
        after = known(clbd)
        left = [server.pop("seconds") for told in (before, after)
                for server in told if "seconds" in server]
        equal(len(left) == 2 and left[0] >= left[1] > 0, True, left)
        equal(after, before)
        equal({ask(clbd.port).body for _ in range(8)}, {b"c", b"d"})
        equal({ask(clbd.port, "/own").body for _ in range(8)}, {b"b", b"d"})
        clbd.upgraded(clbd.tell("status")["pid"])
        stats = clbd.stats()
        equal((stats["servers_down"], stats["rule_servers_down"]), (1, 1))


def upgrade_fails():
    """upgrade: a program that cannot be run, ends at once, or does not like the
    configuration leaves the old one running"""
    server = Server()
    directory = Daemon(config(server))
    directory.stop()
    program = shutil.copy(CLBD, f"/tmp/clbd-{os.getpid()}")
    try:
        with Controlled(config(server), program=program) as clbd:
            load = Load(clbd)
            pids = clbd.workers()

            def install(text, mode=0o755):
                os.unlink(program)
                pathlib.Path(program).write_text(text)
                os.chmod(program, mode)
            install("", 0o644)
            equal(clbd.refuse("upgrade"),
                  "the new program ended with status 127")
            install("#!/bin/sh\nexit 3\n")
            equal(clbd.refuse("upgrade"),
                  "the new program ended with status 3")
            install("#!/bin/sh\nkill -9 $$\n")
            equal(clbd.refuse("upgrade"),
                  "the new program was ended by signal 9")
            os.unlink(program)
            shutil.copy(CLBD, program)
            clbd.write("nonsense: 1\n")
            equal(clbd.refuse("upgrade"),
                  "the new program ended with status 1")
            clbd.write(config(server).replace("127.0.0.1:@PORT@",
                                              "192.0.2.1:1"))
            equal(clbd.refuse("upgrade"),
                  "the new program ended with status 1")
            equal(clbd.workers(), pids)
            equal(clbd.tell("status")["pid"], clbd.process.pid)
            clbd.write(config(server))
            clbd.tell("upgrade")
            clbd.upgraded(clbd.tell("status")["pid"])
            load.stop()
    finally:
        os.unlink(program)


def stop_in_upgrade():
    """while an upgrade is under way a reload is refused, and the end of clbd is
    that of the new program, too"""
    program = shutil.copy(CLBD, f"/tmp/clbd-{os.getpid()}")
    try:
        with Controlled(config(Server()), program=program) as clbd:
            note = os.path.join(clbd.directory.name, "pid")
            os.unlink(program)
            pathlib.Path(program).write_text(
                f"#!/bin/sh\necho $$ >{note}\nexec sleep {4 * PATIENCE}\n")
            os.chmod(program, 0o755)
            asking = subprocess.Popen([CLBD, "-s", clbd.socket, "upgrade"],
                                      stdout=subprocess.DEVNULL)
            wait_for("the new program", lambda: os.path.exists(note) and
                     pathlib.Path(note).read_text().endswith("\n"))
            new = Adopted(int(pathlib.Path(note).read_text()))
            equal(clbd.refuse("reload"), "an upgrade is under way")
            clbd.process.send_signal(signal.SIGTERM)
            equal(clbd.process.wait(PATIENCE), 0)
            asking.wait(PATIENCE)
            wait_for("its end", lambda: new.poll() is not None)
    finally:
        os.unlink(program)


def notified():
    """NOTIFY_SOCKET: systemd is told that clbd is ready, and which process it is
    after an upgrade"""
    server = Server()
    path = f"\0clbd-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.bind(path)
        os.environ["NOTIFY_SOCKET"] = "@" + path[1:]
        try:
            with Controlled(config(server)) as clbd:
                equal(sock.recv(100), b"READY=1")
                clbd.tell("upgrade")
                pid = clbd.tell("status")["pid"]
                told = {sock.recv(100), sock.recv(100)}
                equal(told, {b"READY=1", b"MAINPID=%d" % pid})
                clbd.upgraded(pid)
        finally:
            del os.environ["NOTIFY_SOCKET"]


if __name__ == "__main__":
    Tap().run([rights, places, status, bad_commands, reload, fifty_thousand_servers,
               drain, one_address, upgrade, upgrade_remembers,
               upgrade_fails, stop_in_upgrade,
               notified])
