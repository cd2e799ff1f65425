#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd as processes: rights, crashes, reload, stop, the access log. PLAIN names
a program without sanitizers, for what they are in the way of."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from rig import (PATIENCE, Client, Daemon, HeadServer, Server, TOP, Tap, ask,
                 config, equal, wait_for)

PLAIN = os.environ.get("PLAIN", str(TOP / "build/tools/clbd"))


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(\w+):\t(.*)$", text, re.M))


def rights():
    """a worker has no capabilities, cannot gain any, and few system calls; as
    root's child it is another user"""
    with Daemon(config(Server()), program=PLAIN) as clbd:
        status = status_of(clbd.workers()[0])
        for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            equal(int(status[name], 16), 0, name)
        equal(status["NoNewPrivs"], "1")
        equal(status["Seccomp"], "2")
        if os.geteuid() == 0:
            equal(int(status["CapBnd"], 16), 0)
            equal("0" in status["Uid"].split(), False, "user")
            equal("0" in status["Gid"].split(), False, "group")
            equal(status["Groups"].strip(), "")
        equal(ask(clbd.port).status, 200)


def rights_of_others():
    """started by another user with a capability, a worker has none; root is
    refused as a worker's user"""
    if os.geteuid() != 0:
        return
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        program = shutil.copy(PLAIN, directory)
        wrapper = pathlib.Path(directory, "wrapper")
        wrapper.write_text(
            "#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 "
            "--clear-groups --inh-caps=+net_bind_service "
            f"--ambient-caps=+net_bind_service {program} \"$@\"\n")
        wrapper.chmod(0o755)
        with Daemon(config(Server()), program=str(wrapper)) as clbd:
            parent = status_of(clbd.process.pid)
            equal(int(parent["CapEff"], 16), 1 << 10, "of the parent")
            status = status_of(clbd.workers()[0])
            for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
                equal(int(status[name], 16), 0, name)
            equal(ask(clbd.port).status, 200)
    clbd = Daemon(config(Server(), top="user: root"), wait=False)
    equal(clbd.process.wait(30), 1)
    equal("user 'root' is root" in clbd.told(), True)
    clbd.directory.cleanup()


def system_calls():
    """all that a worker does is among the system calls it may make"""
    def answer(_server, sock, _reader, request):
        if "big" in request.first:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                         b"\r\n" + b"x" * 3000000)
            return False
        Server.plain(_server, sock, _reader, request)
        return True
    server = Server(answer)
    text = config(server, top="log: @LOG@\nsecret: s", group="    cookie: S",
                  listener="    timeouts: {idle: 1}\n    gzip: {}\n"
                  f"    error-pages: [{{status: 405, file: {TOP}/selftests/l7/run.sh}}]")
    with Daemon(text, program=PLAIN) as clbd:
        for fields in "", "", "Accept-Encoding: gzip\r\n":
            with Client(clbd.port) as client:
                client.ask()
                response = client.ask("/big", fields=fields)
                equal(response.get("Content-Encoding"), fields[17:-2] or None)
            clbd.reload(text)
        with Client(clbd.port) as client:
            equal(client.ended(), True)
        wait_for("lines", lambda: len(clbd.lines()) == 6)
        equal(clbd.stats()["restarts"], 0)


def resident(pid):
    """kB of a process that only it has."""
    return int(status_of(pid)["RssAnon"].split()[0])


def memory_of_bodies():
    """large bodies, in both directions, leave a worker's memory as it is"""
    size = 300000000

    def answer(_server, sock, reader, _request):
        left = size - len(reader.data)
        reader.data = b""
        while left:
            left -= len(sock.recv(min(left, 1 << 20)))
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size // 1000000):
            sock.sendall(bytes(1000000))
    with Daemon(config(HeadServer(answer)), program=PLAIN) as clbd, \
            Client(clbd.port) as client:
        pid = clbd.workers()[0]
        before = resident(pid)
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
                    % size)
        for _ in range(size // 1000000):
            client.send(bytes(1000000))
        client.reader.until(b"\r\n\r\n")
        got = len(client.reader.data)
        while got < size:
            got += len(client.sock.recv(1 << 20))
        more = resident(pid) - before
        equal(more < 500, True, f"{more} kB more")


def memory_of_idle_clients():
    """a connection between requests costs a worker less than 500 bytes"""
    with Daemon(config(Server()), program=PLAIN) as clbd:
        pid = clbd.workers()[0]
        with Client(clbd.port) as client:
            client.ask()
        before = resident(pid)
        clients = []
        for _ in range(800):
            clients.append(Client(clbd.port))
            equal(clients[-1].ask().status, 200)
        more = 1024 * (resident(pid) - before) / len(clients)
        for client in clients:
            client.close()
        equal(more < 500, True, f"{more} bytes each")


def metrics():
    """metrics: a listener tells the counters of all workers, as Prometheus reads
    them"""
    from rig import free_port
    port = free_port()
    text = config(Server()).replace("workers: 1", "workers: 2") + f"""
  - name: metrics
    address: "127.0.0.1:{port}"
    metrics: yes
"""
    with Daemon(text) as clbd:
        for _ in range(20):
            equal(ask(clbd.port).status, 200)

        def read():
            found = {}
            for line in ask(port, "/metrics").body.decode().splitlines():
                if not line.startswith("#"):
                    name, value = line.rsplit(" ", 1)
                    equal(name in found, False, name)
                    found[name] = float(value)
            return found
        found = read()
        equal(found["clbd_requests_total"], 21)
        equal(found["clbd_responses_2xx_total"], 20)
        equal(found["clbd_workers"], 2)
        equal(found['clbd_request_seconds_bucket{le="+Inf"}'], 20)
        equal(found["clbd_request_seconds_count"], 20)
        site, server = '{listener="site"', '{group="web",server="'
        server += f'{text.split("address: ")[1].split(chr(34))[1]}"'
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


def metrics_of_many():
    """metrics: those of a thousand servers reach a client that is slow, of any
    version, and others are served meanwhile"""
    from rig import free_port, read_message
    port = free_port()
    servers = "".join(f"      - {{address: \"127.0.0.1:{i}\", weight: 0}}\n"
                      for i in range(1, 1000))
    text = config(Server()).replace("listeners:\n", servers +
                                    "listeners:\n", 1) + f"""
  - name: metrics
    address: "127.0.0.1:{port}"
    metrics: yes
"""
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
    from rig import free_port
    port = free_port()
    text = config(Server()).replace("workers: 1", "workers: 2") + f"""
  - name: metrics
    address: "127.0.0.1:{port}"
    metrics: yes
"""
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


CHECK = """    check:
      type: http
      interval: 1
      timeout: 1
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
        os.kill(clbd.workers()[0], signal.SIGKILL)
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
        pathlib.Path(clbd.errors).write_text(
            clbd.told().replace("killed by signal", "KILLED BY SIGNAL"))


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
        os.kill(old, signal.SIGKILL)
        wait_for("another", lambda: health() and health() != [old])
        del asked[:]
        wait_for("checks of it", lambda: asked.count("a") >= 2)
        equal(f"{written} is up" in clbd.told(), False, "up")
        equal({ask(clbd.port).body for _ in range(4)}, {b"b"})
        pathlib.Path(clbd.errors).write_text(
            clbd.told().replace("killed by signal", "KILLED BY SIGNAL"))


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


def crash():
    """a worker that dies is started again; another goes on, and what waited
    for it is served"""
    with Daemon(config(Server()).replace("workers: 1", "workers: 2")) as clbd:
        pids = clbd.workers()
        equal(len(pids), 2)
        clients = []
        while len({c.worker for c in clients}) < 2:
            client = Client(clbd.port)
            client.ask()
            client.worker = worker_of(client, pids)
            clients.append(client)
        victim = pids[0]
        os.kill(victim, signal.SIGKILL)
        for client in clients:
            if client.worker != victim:
                equal(client.ask().status, 200)
            else:
                equal(client.ended(), True)
            client.close()
        waiting = [Client(clbd.port) for _ in range(8)]
        for client in waiting:
            equal(client.ask().status, 200)
            client.close()
        wait_for("a new worker", lambda: len(clbd.workers()) == 2)
        equal(clbd.stats()["restarts"], 1)
        equal("killed by signal 9" in clbd.told(), True)
        # It is what was meant here, and no finding.
        pathlib.Path(clbd.errors).write_text(
            clbd.told().replace("killed by signal", "KILLED BY SIGNAL"))


def worker_of(client, pids):
    """Whose socket is the other end of the client's?"""
    port = client.sock.getsockname()[1]
    inode = None
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].split(":")[1], 16) == port:
            inode = fields[9]
    for pid in pids:
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(fd) == f"socket:[{inode}]":
                    return pid
            except FileNotFoundError:
                pass
    return None


def hung_worker():
    """a worker that takes no orders does not stop the parent: it is killed, and
    another begins"""
    text = config(Server()) + "".join(f"""  - name: n{i}
    address: "127.0.0.{i}:@PORT@"
    group: web
""" for i in range(2, 62))
    with Daemon(text) as clbd:
        hold_worker(clbd)

        def reloaded():
            times = clbd.told().count('{"workers"')
            clbd.process.send_signal(signal.SIGHUP)
            clbd.process.send_signal(signal.SIGUSR2)
            wait_for("the parent", lambda:
                     clbd.told().count('{"workers"') > times)
            return "killed by signal 9" in clbd.told()
        wait_for("its end", reloaded)
        clbd.wait_ready(2)
        equal(ask(clbd.port).status, 200)
        pathlib.Path(clbd.errors).write_text(
            clbd.told().replace("killed by signal", "KILLED BY SIGNAL"))


def reload():
    """reload: the next request on a connection follows the new configuration,
    one that has begun goes on with the old"""
    go = threading.Event()

    def answer(_server, sock, _reader, request):
        if "slow" in request.first:
            go.wait(30)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
    a, b = Server(answer), Server(name="b")
    with Daemon(config(a)) as clbd, Client(clbd.port) as client, \
            Client(clbd.port) as slow:
        equal(client.ask().body, b"a")
        slow.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the request", lambda: len(a.requests) == 2)
        clbd.reload(config(b))
        equal(client.ask().body, b"b")
        go.set()
        equal(slow.response().body, b"a")
        equal(slow.ask().body, b"b")
        equal(clbd.stats()["restarts"], 0)


def reload_listeners():
    """reload: listeners come and go; connections of one that goes are ended
    with their next response"""
    server = Server()
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        client.ask()
        old = clbd.port
        from rig import free_port
        clbd.port = free_port()
        clbd.reload(config(server))
        equal(ask(clbd.port).status, 200)
        equal(client.ask().get("Connection"), "close")
        equal(client.ended(), True)
        try:
            Client(old)
        except ConnectionRefusedError:
            return
        raise AssertionError("the old address still listens")


def reload_refused():
    """a bad configuration is refused with file, line and key; the old one goes
    on"""
    with Daemon(config(Server())) as clbd, Client(clbd.port) as client:
        client.ask()
        clbd.write(config(Server()).replace("group: web", "group: wbe"))
        clbd.process.send_signal(signal.SIGHUP)
        clbd.wait_told("not reloaded")
        equal(re.search(r"clbd.conf:\d+: listeners\[0\].group: no group has "
                        "this name", clbd.told()) is not None, True,
              clbd.told())
        clbd.write(config(Server()).replace(
            "127.0.0.1:@PORT@", "192.0.2.1:80"))
        clbd.process.send_signal(signal.SIGHUP)
        clbd.wait_told("192.0.2.1:80: Cannot assign")
        equal(client.ask().status, 200)
        equal(ask(clbd.port).status, 200)


def reload_often():
    """reloads under traffic fail no request"""
    servers = [Server(name="a"), Server(name="b")]
    with Daemon(config(servers[0]).replace("workers: 1", "workers: 2")) as clbd:
        stop, failures, done = threading.Event(), [], [0]

        def traffic(keep):
            client = None
            while not stop.is_set():
                try:
                    client = client or Client(clbd.port)
                    equal(client.ask().status, 200)
                    done[0] += 1
                except Exception as error:
                    failures.append(repr(error))
                    client = None
                if client and not keep:
                    client.close()
                    client = None
        threads = [threading.Thread(target=traffic, args=(i % 2,))
                   for i in range(4)]
        for thread in threads:
            thread.start()
        for i in range(20):
            clbd.reload(config(servers[i % 2])
                        .replace("workers: 1", "workers: 2"))
            before = done[0]
            wait_for("traffic", lambda: done[0] > before + 20 or failures)
        stop.set()
        for thread in threads:
            thread.join()
        equal(failures, [])
        equal(clbd.stats()["restarts"], 0)


def stop():
    """stop: idle connections end, a request that has begun is answered, new
    connections are refused"""
    go = threading.Event()

    def answer(_server, sock, _reader, _request):
        go.wait(30)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
    server = Server(answer)
    with Daemon(config(server)) as clbd, Client(clbd.port) as idle, \
            Client(clbd.port) as busy:
        busy.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the request", lambda: server.requests)
        clbd.process.send_signal(signal.SIGTERM)
        equal(idle.ended(), True)
        try:
            Client(clbd.port).close()
            raise AssertionError("it still listens")
        except ConnectionRefusedError:
            pass
        go.set()
        response = busy.response()
        equal(response.body, b"a")
        equal(response.get("Connection"), "close")
        equal(clbd.process.wait(30), 0)


def hold_worker(clbd):
    """It takes no step until it is let go on."""
    pid = clbd.workers()[0]
    os.kill(pid, signal.SIGSTOP)
    wait_for("it to stand", lambda: "T" in status_of(pid)["State"])
    return pid


def stop_serves_all():
    """stop: all who wait to be accepted are served"""
    with Daemon(config(Server())) as clbd:
        pid = hold_worker(clbd)
        clients = [Client(clbd.port) for _ in range(200)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        clbd.process.send_signal(signal.SIGTERM)
        os.kill(pid, signal.SIGCONT)
        for client in clients:
            equal(client.response().status, 200)
            client.close()
        equal(clbd.process.wait(30), 0)


def stop_deadline():
    """stop: what is not answered by the deadline is ended"""
    server = HeadServer(lambda _, __, reader, ___: reader.more())
    with Daemon(config(server, top="timeouts: {stop: 1}")) as clbd, \
            Client(clbd.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the request", lambda: server.requests)
        clbd.process.send_signal(signal.SIGTERM)
        equal(client.ended(), True)
        equal(clbd.process.wait(30), 0)


def parent_dies():
    """workers end when the parent has gone"""
    with Daemon(config(Server())) as clbd:
        pids = clbd.workers()
        clbd.process.kill()
        clbd.process.wait()
        wait_for("their end", lambda: not any(
            os.path.exists(f"/proc/{pid}") for pid in pids))
        clbd.process.returncode = 0


def access_log():
    """the access log has a line of JSON for each request, with what was asked
    and how it ended"""
    def answer(_server, sock, _reader, request):
        if "cut" in request.first:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab")
            return False
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        return True
    server = Server(answer)
    with Daemon(config(server, top="log: @LOG@")) as clbd:
        with Client(clbd.port) as client:
            port = client.sock.getsockname()[1]
            client.ask("/a?b=\"c\\", fields="User-Agent: a\xe9\"\\\tb\r\n"
                       "Referer: http://x/\r\nX-Forwarded-For: 192.0.2.1\r\n",
                       method="POST", body=b"")
            try:
                client.ask("/cut")
            except (EOFError, ConnectionResetError):
                pass
        with Client(clbd.port) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            equal(client.response().status, 400)
        wait_for("lines", lambda: len(clbd.lines()) == 3)
        first, cut, bad = (json.loads(line) for line in clbd.lines())
        wanted = {
            "listener": "site", "vip_addr": f"127.0.0.1:{clbd.port}",
            "client_ip": "127.0.0.1", "client_port": port, "scheme": "http",
            "request_method": "POST", "request_uri": "/a?b=\"c\\",
            "server_protocol": "HTTP/1.1", "http_host": "a.example",
            "http_referer": "http://x/", "http_user_agent": "a\xe9\"\\\tb",
            "http_x_forwarded_for": "192.0.2.1", "status": 200,
            "body_bytes_sent": 5, "upstream_addr": server.address,
            "upstream_status": 200, "tries": 1, "ending": "normal"}
        equal({k: first.get(k) for k in wanted}, wanted)
        equal(cut["ending"], "server")
        equal((bad["status"], bad["ending"], bad["reason"]),
              (400, "refused", "no Host"))
        equal(bad["upstream_addr"], "")


def log_of_the_left():
    """the access log has a line for a request that its client left, and for one
    whose fields are long when they are escaped"""
    go = threading.Event()

    def answer(_server, sock, _reader, request):
        if "wait" in request.first:
            go.wait(30)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na")
    server = Server(answer)
    with Daemon(config(server, top="log: @LOG@")) as clbd:
        client = Client(clbd.port)
        client.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the request", lambda: server.requests)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        client.close()
        wait_for("its line", lambda: len(clbd.lines()) == 1)
        line = json.loads(clbd.lines()[0])
        equal((line["request_uri"], line["ending"], line["status"]),
              ("/wait", "client", 0))
        go.set()
        equal(ask(clbd.port, fields="User-Agent: " + "\"" * 12000 +
                  "\r\n").status, 200)
        wait_for("its line", lambda: len(clbd.lines()) == 2)
        agent = json.loads(clbd.lines()[1])["http_user_agent"]
        equal(agent, "\"" * len(agent))
        equal(clbd.stats()["log_lost"], 0)


def log_of_many():
    """no line is lost of many requests at once"""
    text = config(Server(), top="log: @LOG@",
                  listener="    redirect: \"https://a/\"\n").replace(
                      "    group: web\n", "", 1)
    request = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n" % (
        b"x" * 2000)
    with Daemon(text) as clbd:
        pid = hold_worker(clbd)
        clients = [Client(clbd.port).send(request * 8) for _ in range(40)]
        os.kill(pid, signal.SIGCONT)
        for client in clients:
            for _ in range(8):
                equal(client.response().status, 301)
            client.close()
        wait_for("lines", lambda: len(clbd.lines()) == 320)
        equal(clbd.stats()["log_lost"], 0)


def log_reopened():
    """USR1 opens the log anew; a reload may name another file"""
    text = config(Server(), top="log: @LOG@")
    with Daemon(text) as clbd:
        ask(clbd.port)
        wait_for("a line", lambda: len(clbd.lines()) == 1)
        os.rename(clbd.log, clbd.log + ".1")
        clbd.process.send_signal(signal.SIGUSR1)
        wait_for("the file", lambda: os.path.exists(clbd.log))
        ask(clbd.port)
        wait_for("a line", lambda: len(clbd.lines()) == 1)
        old, clbd.log = clbd.log, clbd.log + ".2"
        clbd.reload(text)
        ask(clbd.port)
        wait_for("a line", lambda: len(clbd.lines()) == 1)
        equal(len(pathlib.Path(old).read_text().splitlines()), 1)


class Syslog:
    """Who reads the messages that programs send to a socket."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o777)
        self.socket.settimeout(0.1)

    def message(self):
        with contextlib.suppress(TimeoutError):
            return self.socket.recv(65536).decode()
        return None

    def close(self):
        self.socket.close()
        os.unlink(self.path)


def log_to_syslog():
    """log: a message of syslog for each line, in both formats; another who
    listens there is found, and what is lost meanwhile is counted"""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        path = os.path.join(directory, "log")
        syslog = Syslog(path)
        text = config(Server(), top=f"log: syslog:{path}")
        with Daemon(text, program=PLAIN) as clbd:
            ask(clbd.port, "/one")
            ask(clbd.port, "/two")
            for word in "one", "two":
                message = wait_for("a message", syslog.message)
                match = re.fullmatch(
                    r"<134>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d "
                    r"clbd\[\d+\]: (\{.*\})", message)
                equal(json.loads(match[1])["request_uri"], "/" + word)
            clbd.reload(text + "syslog: {format: rfc5424, facility: daemon}\n")
            ask(clbd.port, "/three")
            match = re.fullmatch(
                r"<30>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ - clbd \d+ "
                r"access - (\{.*\})", wait_for("a message", syslog.message))
            equal(json.loads(match[1])["request_uri"], "/three")
            syslog.close()
            lost = 0
            while not lost:
                ask(clbd.port, "/lost")
                lost = clbd.stats()["log_lost"]
            syslog = Syslog(path)

            def arrives():
                ask(clbd.port, "/again")
                return syslog.message()
            wait_for("a message to the next", arrives)
            syslog.close()


def log_full():
    """log: lines that the disk has no room for are counted"""
    with Daemon(config(Server(), top="log: /dev/full"),
                program=PLAIN) as clbd:
        for _ in range(3):
            ask(clbd.port)
        wait_for("3 lost", lambda: clbd.stats()["log_lost"] == 3)


def log_cut():
    """log: a line that had no room begins anew when there is room again"""
    if os.geteuid() != 0:
        return
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none",
                        directory], check=True)
        try:
            fill_disk(os.path.join(directory, "log"))
        finally:
            subprocess.run(["umount", "-l", directory], check=True)


def fill_disk(path):
    asked = 300
    with Daemon(config(Server(), top=f"log: {path}"), program=PLAIN) as clbd:
        with Client(clbd.port) as client:
            for _ in range(asked):
                equal(client.ask().status, 200)
            wait_for("losses", lambda: clbd.stats()["log_lost"])
            os.truncate(path, 4096)
            wait_for("another line", lambda: client.ask() and
                     os.path.getsize(path) > 6000)
    lines = pathlib.Path(path).read_text().split("\n")[:-1]
    cut = [line for line in lines if not line.endswith("}")]
    equal(len(cut) <= 2, True, f"{len(cut)} lines are not whole")
    for line in lines:
        if line not in cut:
            json.loads(line)


def log_stuck():
    """a log that nobody takes costs lines, which are counted, and no request"""
    with Daemon(config(Server(), top="log: @LOG@")) as clbd:
        os.unlink(clbd.log)
        os.mkfifo(clbd.log)
        reader = os.open(clbd.log, os.O_RDONLY | os.O_NONBLOCK)
        clbd.process.send_signal(signal.SIGUSR1)
        fields = "User-Agent: " + "x" * 8000 + "\r\n"
        with Client(clbd.port) as client:
            def lost():
                for _ in range(20):
                    equal(client.ask(fields=fields).status, 200)
                return clbd.stats()["log_lost"]
            wait_for("lines to be lost", lost)
            total = clbd.stats()["requests"]
        lines, end = b"", time.monotonic() + 30
        while time.monotonic() < end:
            try:
                data = os.read(reader, 1 << 20)
            except BlockingIOError:
                data = b""
            lines += data
            if not data and lines.count(b"\n") + \
                    clbd.stats()["log_lost"] == total:
                break
        for line in lines.splitlines():
            json.loads(line)
        equal(lines.count(b"\n") + clbd.stats()["log_lost"], total)
        os.close(reader)


if __name__ == "__main__":
    Tap().run([rights, rights_of_others, system_calls, memory_of_bodies,
               memory_of_idle_clients, metrics, metrics_of_many,
               counters_overwritten, checks, checks_go_on,
               checks_end_for_removed, checks_of_connections, crash, hung_worker, reload,
               reload_listeners,
               reload_refused, reload_often, stop,
               stop_serves_all, stop_deadline, parent_dies, access_log,
               log_of_the_left, log_of_many, log_reopened, log_to_syslog, log_full, log_cut, log_stuck])
