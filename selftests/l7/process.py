#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd as processes: rights, crashes, reload, stop. PLAIN names a program without
sanitizers, for what they are in the way of.

environment:
    BODY_SIZE=300000000	bytes of the large bodies
"""
import contextlib
import ctypes
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

from rig import (PATIENCE, PLAIN, TOP, Client, Daemon, HeadServer, Server, Tap,
                 ask, config, equal, free_port, status_of, wait_for)


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
                  listener="    gzip: {}\n"
                  f"    error-pages: [{{status: 405, file: {TOP}/selftests/l7/run.sh}}]")
    with Daemon(text, program=PLAIN) as clbd:
        for fields in "", "", "Accept-Encoding: gzip\r\n":
            with Client(clbd.port) as client:
                client.ask()
                response = client.ask("/big", fields=fields)
                equal(response.get("Content-Encoding"), fields[17:-2] or None)
            clbd.reload(text)
        clbd.reload(text.replace("    gzip: {}", "    timeouts: {idle: 1}"))
        with Client(clbd.port) as client:
            equal(client.ended(), True)
        wait_for("lines", lambda: len(clbd.lines()) == 6)
        equal(clbd.stats()["restarts"], 0)


def cage():
    """what a worker may not do: ask for files by name, or end other processes of
    its user; it can end itself"""
    with tempfile.TemporaryDirectory() as directory:
        program = f"{directory}/cage"
        subprocess.run(["cc", "-D_GNU_SOURCE", f"-I{TOP}/tools", "-o", program,
                        f"{TOP}/selftests/l7/cage.c",
                        f"{TOP}/tools/clbd/privilege.c"], check=True)
        for words, status in ((("name", "/etc/passwd"), 1),
                              (("kill", str(os.getpid())), -signal.SIGSYS),
                              (("abort", ""), -signal.SIGABRT)):
            equal(subprocess.run([program, *words], check=False).returncode,
                  status, words)


BODY_SIZE = int(os.environ.get("BODY_SIZE", "300000000"))


def resident(pid):
    """kB of a process that only it has."""
    return int(status_of(pid)["RssAnon"].split()[0])


def memory_of_bodies():
    """large bodies, in both directions, leave a worker's memory as it is"""
    size = BODY_SIZE

    def answer(_server, sock, reader, _request):
        left = size - len(reader.data)
        reader.data = bytearray()
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
        print(f"# {size} bytes each way: {before} kB before, {more} kB more")
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


def one_for_each():
    """without "workers" there is one for each processor"""
    text = config(Server()).replace("workers: 1", "")
    with Daemon(text) as clbd:
        equal(len(clbd.workers()), os.sysconf("SC_NPROCESSORS_ONLN"))
        equal({ask(clbd.port).status for _ in range(8)}, {200})


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
        clbd.kill(victim)
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
        wait_for("its restart", lambda: clbd.stats()["restarts"] == 1)
        equal("killed by signal 9" in clbd.told(), True)


def worker_of(client, pids):
    """Whose socket is the other end of the client's?"""
    ends = [client.sock.getpeername()[1], client.sock.getsockname()[1]]
    inode = None
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if [int(fields[n].split(":")[1], 16) for n in (1, 2)] == ends and \
                fields[3] == "01":
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
        clbd.hold_worker()

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
        clbd.kills = 1		# by the parent


def socket_of(pid, fd):
    """Another process's, as it has it."""
    pidfd_getfd = 438
    pidfd = os.pidfd_open(pid)
    number = ctypes.CDLL(None, use_errno=True).syscall(pidfd_getfd, pidfd, fd, 0)
    os.close(pidfd)
    if number < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd")
    return socket.socket(fileno=number)


def talkative_worker():
    """a worker that tells the parent much is heard in turn with others: what it
    has said is not all heard before a signal is"""
    if os.geteuid() != 0:
        return
    failed = struct.pack("=IxxxxQ64s", 7, 0, b"")
    line = "a worker cannot take the configuration"
    with Daemon(config(Server())) as clbd:
        with socket_of(clbd.workers()[0], 3) as sock:
            clbd.process.send_signal(signal.SIGSTOP)
            wait_for("it to stand", lambda:
                     "T" in status_of(clbd.process.pid)["State"])
            count = 0
            with contextlib.suppress(BlockingIOError):
                while sock.send(failed, socket.MSG_DONTWAIT):
                    count += 1
        clbd.process.send_signal(signal.SIGUSR2)
        clbd.process.send_signal(signal.SIGCONT)
        wait_for("all of it", lambda: clbd.told().count(line) == count)
        heard = clbd.told().split('{"workers"')[0].count(line)
        equal(heard <= 64 < count, True, f"{heard} of {count}")
        equal(clbd.stats()["restarts"], 0)
        equal(ask(clbd.port).status, 200)


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


def stop_serves_all():
    """stop: all who wait to be accepted are served"""
    with Daemon(config(Server())) as clbd:
        pid = clbd.hold_worker()
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


if __name__ == "__main__":
    Tap().run([rights, rights_of_others, system_calls, cage, memory_of_bodies,
               memory_of_idle_clients, one_for_each, crash, hung_worker,
               talkative_worker, reload,
               reload_listeners, reload_refused, reload_often, stop,
               stop_serves_all, stop_deadline, parent_dies])
