#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd under many clients while everything around it goes wrong: workers are
killed, the configuration is read again ten times a second, servers come and go.

    idle, active: processes of clients -> clbd (4 workers) -> 4 servers, 2 flap

Idle clients ask when they come, now and then, and at the end; active ones about
once a second. A client whose connection ends without a response, as that of a
worker that was killed does, asks again; nothing else may happen to anybody.

environment:
    REACH_IDLE=1000 REACH_ACTIVE=100 REACH_SECONDS=10
"""
import asyncio
import contextlib
import multiprocessing
import os
import pathlib
import random
import resource
import signal
import socket
import time

from rig import PATIENCE, PLAIN, Daemon, Tap, die_with_test, equal, wait_for

IDLE = int(os.environ.get("REACH_IDLE", "1000"))
ACTIVE = int(os.environ.get("REACH_ACTIVE", "100"))
SECONDS = int(os.environ.get("REACH_SECONDS", "10"))
WORKERS = 4
PROCESS = 8000		# clients of one process, for its limit of files
KILLS = 4

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Answer(asyncio.Protocol):
    """A server's connection. What it has read is answered."""

    open = set()

    def connection_made(self, transport):
        self.transport, self.data = transport, b""
        self.open.add(transport)

    def connection_lost(self, exc):
        self.open.discard(self.transport)

    def data_received(self, data):
        *whole, self.data = (self.data + data).split(b"\r\n\r\n")
        self.transport.write(RESPONSE * len(whole))


def listen(port=0):
    return socket.create_server(("127.0.0.1", port), backlog=4096)


async def serve(sock, flaps, turn):
    """One that flaps is gone every other half second, with its sockets, but not
    while another one is: clbd asks one more, once."""
    loop = asyncio.get_running_loop()
    port = sock.getsockname()[1]
    while True:
        server = await loop.create_server(Answer, sock=sock, backlog=4096)
        if not flaps:
            await asyncio.Event().wait()
        await asyncio.sleep(0.5)
        while not turn.acquire(block=False):
            await asyncio.sleep(0.02)
        server.close()
        for transport in list(Answer.open):
            transport.close()
        await asyncio.sleep(0.5)
        sock = listen(port)
        turn.release()


def be_server(flaps, turn, pipe):
    die_with_test()
    sock = listen()
    pipe.send(sock.getsockname()[1])
    asyncio.run(serve(sock, flaps, turn))


def start_server(flaps, turn):
    """In a process of its own, the only one that has its socket. Its port."""
    ours, theirs = multiprocessing.Pipe(False)
    multiprocessing.Process(target=be_server, args=(flaps, turn, theirs),
                            daemon=True).start()
    return ours.recv()


class Asker:
    """A client: its connection, one after the other."""

    def __init__(self, port, source):
        self.port, self.source = port, source
        self.writer = None
        self.asked = 0
        self.lost, self.failed = [], []

    async def connect(self):
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(self.source, 0))
        self.name = self.writer.get_extra_info("sockname")

    async def response(self):
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            self.failed.append(head.split(b"\r\n")[0].decode())
            length = head.lower().split(b"content-length: ")[1]
            await self.reader.readexactly(int(length.split(b"\r\n")[0]))
            return
        await self.reader.readexactly(2)

    async def ask(self):
        """Until there is a response."""
        while True:
            if not self.writer:
                try:
                    await self.connect()
                except OSError as error:
                    self.failed.append(repr(error))
                    return
            try:
                self.writer.write(REQUEST)
                await asyncio.wait_for(self.response(), PATIENCE)
                self.asked += 1
                return
            except asyncio.TimeoutError:
                self.failed.append("no answer")
                return
            except (OSError, asyncio.IncompleteReadError) as error:
                if getattr(error, "partial", b""):
                    self.failed.append(f"cut off: {error.partial}")
                self.lost.append(self.name)
                self.writer.close()
                self.writer = None


async def live(asker, pause, gate, ready, end):
    """Some begin at a time; then each goes on by itself, until the end."""
    async with gate:
        await asker.ask()
    ready.release()
    while not end.value or time.monotonic() < end.value:
        await asyncio.sleep(random.uniform(0.5, 1.5) * pause)
        await asker.ask()


async def live_all(askers, *args):
    gate = asyncio.Semaphore(200)
    await asyncio.gather(*(live(a, args[0], gate, *args[1:]) for a in askers))


def be_clients(count, port, source, pause, ready, end, pipe):
    die_with_test()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
    askers = [Asker(port, source) for _ in range(count)]
    asyncio.run(live_all(askers, pause, ready, end))
    pipe.send((sum(a.asked for a in askers),
               [name for a in askers for name in a.lost],
               [text for a in askers for text in a.failed]))


class Crowd:
    """Processes of clients."""

    def __init__(self, port):
        self.ready = multiprocessing.Semaphore(0)
        self.end = multiprocessing.Value("d", 0)
        self.pipes, self.count = [], 0
        for number, count, pause in self.parts():
            ours, theirs = multiprocessing.Pipe(False)
            multiprocessing.Process(
                target=be_clients, daemon=True,
                args=(count, port, f"127.0.1.{number + 1}", pause, self.ready,
                      self.end, theirs)).start()
            theirs.close()
            self.pipes.append(ours)
            self.count += count

    @staticmethod
    def parts():
        sizes = []
        for total, pause in ((IDLE, 20), (ACTIVE, 1)):
            while total:
                count = min(total, PROCESS)
                sizes.append((count, pause))
                total -= count
        return [(i, *size) for i, size in enumerate(sizes)]

    def wait_ready(self):
        for _ in range(self.count):
            if not self.ready.acquire(timeout=PATIENCE):
                raise AssertionError("clients are not served")

    def results(self):
        asked, lost, failed = 0, [], []
        for pipe in self.pipes:
            if not pipe.poll(3 * PATIENCE):
                raise AssertionError("clients do not end")
            more = pipe.recv()
            asked += more[0]
            lost += more[1]
            failed += more[2]
        return asked, lost, failed


def clients_of(pid, port):
    """Addresses of the clients whose connections are a worker's."""
    inodes = set()
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            inodes.add(os.readlink(fd))
    found = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if (int(fields[1].split(":")[1], 16) == port and
                f"socket:[{fields[9]}]" in inodes):
            address, number = fields[2].split(":")
            packed = bytes.fromhex(address)[::-1]
            found.add((socket.inet_ntoa(packed), int(number, 16)))
    return found


def kill_worker(clbd):
    """Stopped first, so that what it has does not change. Return: that"""
    victim = random.choice(clbd.workers())
    os.kill(victim, signal.SIGSTOP)
    wait_for("the worker to stop", lambda: pathlib.Path(
        f"/proc/{victim}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T")
    clients = clients_of(victim, clbd.port)
    clbd.kill(victim)
    return clients


def torment(clbd, seconds):
    """Reloads ten times a second, kills now and then. Return: who lost their
    connection by that"""
    end = time.monotonic() + seconds
    victims, kills, reloads = set(), 0, 0
    while time.monotonic() < end or kills < KILLS:
        next_time = time.monotonic() + 0.1
        clbd.process.send_signal(signal.SIGHUP)
        reloads += 1
        if time.monotonic() > end - seconds * (1 - (kills + 1) / (KILLS + 1)):
            victims |= kill_worker(clbd)
            kills += 1
        time.sleep(max(0, next_time - time.monotonic()))
    print(f"# {reloads} reloads, {kills} workers killed with "
          f"{len(victims)} connections")
    return victims


def reach():
    """many clients, while workers are killed, the configuration is read again
    ten times a second, and servers flap: no request fails, and no connection ends
    but those of the workers that were killed"""
    turn = multiprocessing.Lock()
    ports = [start_server(i < 2, turn) for i in range(4)]
    text = "\n".join([
        f"workers: {WORKERS}", "groups:", "  - name: web",
        "    eject-time: 1", "    servers:",
        *(f'      - {{address: "127.0.0.1:{port}"}}' for port in ports),
        "listeners:", "  - name: site", '    address: "127.0.0.1:@PORT@"',
        "    group: web", "    timeouts: {idle: 60}", ""])
    with Daemon(text, program=PLAIN) as clbd:
        crowd = Crowd(clbd.port)
        crowd.wait_ready()
        crowd.end.value = time.monotonic() + SECONDS + 2
        victims = torment(clbd, SECONDS)
        asked, lost, failed = crowd.results()
        stats = clbd.stats()
        print(f"# {crowd.count} clients, {asked} requests, {len(lost)} "
              f"connections lost, {len(failed)} failed")
        print("# " + ", ".join(f"{stats[name]} {name}" for name in
                               ("retries", "connect_errors", "ejections",
                                "server_errors", "restarts")))
        equal(failed[:10], [])
        equal(sorted(set(lost) - victims)[:10], [], "lost without a cause")
        equal(stats["restarts"], KILLS)
        equal(stats["ejections"] > 0, True, "servers were missed")


if __name__ == "__main__":
    Tap().run([reach])
