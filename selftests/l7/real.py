#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd between programs of others: what reaches nginx and a server on python3-h11
is what was meant; curl gets what it asks for; a client and a server of WebSocket
talk."""
import asyncio
import os
import pathlib
import subprocess
import tempfile

import h11
import websockets

from policy import HIDDEN, P, SMUGGLED
from rig import (Client, Connection, Daemon, Server, Tap, config, equal,
                 free_port, wait_for)

NEXT = b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = P + b"Transfer-Encoding: chunked\r\n\r\n"


def chunks(*parts, trailers=b""):
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + \
        b"0\r\n" + trailers + b"\r\n"


# { how a request is told: its bytes, and the body that is meant }
MEANT = {
    "no body": (P + b"Content-Length: 0\r\n\r\n", b""),
    "length": (P + b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN, HIDDEN),
    "length with zeros": (P + b"Content-Length: 00%d\r\n\r\n" % len(HIDDEN) +
                          HIDDEN, HIDDEN),
    "a chunk": (CHUNKED + chunks(HIDDEN), HIDDEN),
    "chunks of a byte": (CHUNKED + chunks(*(HIDDEN[i:i + 1] for i in
                                            range(len(HIDDEN)))), HIDDEN),
    "no chunk": (CHUNKED + chunks(), b""),
    "a last chunk of zeros": (CHUNKED + b"1\r\na\r\n000\r\n\r\n", b"a"),
    "capitals": (P + b"TRANSFER-ENCODING: CHUNKED\r\n\r\n" + chunks(HIDDEN),
                 HIDDEN),
    "no space": (P + b"Transfer-Encoding:chunked\r\n\r\n" + chunks(HIDDEN),
                 HIDDEN),
    "trailers": (CHUNKED + chunks(HIDDEN, trailers=b"X: y\r\n"), HIDDEN),
    "a line before": (b"\r\n" + P + b"Content-Length: 1\r\n\r\na", b"a"),
}


class Nginx(Connection):
    """A server whose log tells of requests; of bodies only where they end."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="nginx-")
        self.address = f"127.0.0.1:{free_port()}"
        self.log = pathlib.Path(self.directory.name, "log")
        path = os.path.join(self.directory.name, "conf")
        pathlib.Path(path).write_text(f"""
daemon off;
worker_processes 1;
pid {path}.pid;
error_log stderr crit;
events {{ }}
http {{
    log_format requests '$request_method $request_uri $status';
    access_log {self.log} requests;
    client_body_temp_path {path}.body;
    keepalive_requests 100000;
    server {{ listen {self.address}; location / {{ return 200 ok; }} }}
}}
""")
        self.process = subprocess.Popen(["nginx", "-c", path])
        wait_for("nginx", lambda: self.process.poll() is None and
                 os.path.exists(f"{path}.pid"))

    def seen(self):
        return [line.rsplit(" ", 1)[0]
                for line in self.log.read_text().splitlines()]

    @staticmethod
    def meant(target, _body):
        return target

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.directory.cleanup()


class H11Server(Server):
    """A server that reads by h11, and keeps what it has understood."""

    def __init__(self):
        self.understood = []
        super().__init__(name="h11")

    def serve(self, sock, *_):
        conn, body = h11.Connection(h11.SERVER), b""
        while True:
            try:
                event = conn.next_event()
            except h11.RemoteProtocolError as error:
                self.understood.append(repr(error))
                break
            if event is h11.NEED_DATA:
                conn.receive_data(sock.recv(65536))
            elif isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self.understood.append(
                    f"{request.method.decode()} {request.target.decode()} "
                    f"{bytes(body)}")
                sock.sendall(conn.send(h11.Response(
                    status_code=200, headers=[("Content-Length", "2")])) +
                    conn.send(h11.Data(data=b"ok")) +
                    conn.send(h11.EndOfMessage()))
                conn.start_next_cycle()
            else:
                break
        sock.close()

    def seen(self):
        return list(self.understood)

    @staticmethod
    def meant(target, body):
        return f"{target} {body}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def ask_all(clbd, server):
    """Each on a connection of its own, with another behind it. What is meant"""
    meant = []
    for name, (data, body) in MEANT.items():
        with Client(clbd.port) as client:
            client.send(data + NEXT)
            equal([client.response().status for _ in range(2)], [200, 200], name)
        meant += [server.meant("POST /seen", body),
                  server.meant("GET /next", b"")]
    return meant


def smuggle_all(clbd):
    for name, data in SMUGGLED.items():
        with Client(clbd.port) as client:
            client.send(data)
            equal(client.response().status, 400, name)


def meanings():
    """nginx and h11 understand what was meant, be it told by length or in chunks;
    what can be understood in two ways reaches neither whole"""
    for kind in Nginx, H11Server:
        with kind() as server, Daemon(config(server)) as clbd:
            meant = ask_all(clbd, server)
            wait_for(f"{kind.__name__} to see them",
                     lambda s=server, m=meant: len(s.seen()) >= len(m))
            equal(server.seen(), meant, kind.__name__)
            smuggle_all(clbd)
            meant += ask_all(clbd, server)
            wait_for(f"{kind.__name__} to see them again",
                     lambda s=server, m=meant: s.seen()[-len(m) // 2:] ==
                     m[len(m) // 2:])
            equal([one for one in server.seen() if "/hidden" in
                   one.split(" b'")[0]], [], kind.__name__)


def run_curl(port, *words):
    """Return: what it got, and what it told of that"""
    told = subprocess.run(
        ["curl", "-s", "-m", "30", "-w", "\n%{http_code} %{num_connects}",
         *words, f"http://127.0.0.1:{port}/"], capture_output=True,
        check=False, input=BIG).stdout
    return tuple(told.rsplit(b"\n", 1))


BIG = bytes(range(256)) * 12000


def curl():
    """curl: what it sends and asks for in each of its ways"""
    plain = b"body of it " * 1000

    def answer(_server, sock, _reader, request):
        body = request.body if request.body else plain
        head = (f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
                "Content-Type: text/plain\r\n\r\n").encode()
        sock.sendall(head + (b"" if request.first.startswith("HEAD") else
                             body))
    server = Server(answer)
    text = config(server, listener="""    gzip: {}
    rules:
      - {domain: old.example, redirect: "http://$host:@PORT@/new$uri"}
      - {domain: old.example, url: /new, group: web}""")
    with Daemon(text) as clbd:
        for words, wanted in (
                ((), (plain, b"200 1")),
                (("--http1.0",), (plain, b"200 1")),
                (("--compressed",), (plain, b"200 1")),
                # With 100-continue, as it is large.
                (("--data-binary", "@-"), (BIG, b"200 1")),
                # In chunks, as it has no length.
                (("-T", "-"), (BIG, b"200 1")),
                (("-L", "--resolve", f"old.example:{clbd.port}:127.0.0.1",
                  "-H", "Host: old.example"), (plain, b"200 2")),
                (("-X", "TRACE"), (b"405 Method Not Allowed\n", b"405 1"))):
            got = run_curl(clbd.port, *words)
            equal((got[0] == wanted[0], got[1]), (True, wanted[1]),
                  f"{words} {got[0][:60]}")
        equal([clbd.stats()[name] for name in ("gzipped", "server_errors")],
              [1, 0])
        equal("100-continue" in [r.get("Expect") for r in server.requests],
              True)
        done = subprocess.run(["curl", "-s", "-m", "30", "-p", "-w",
                               "%{http_connect}", "-x",
                               f"http://127.0.0.1:{clbd.port}",
                               f"http://{server.address}/"],
                              capture_output=True, check=False)
        equal(done.stdout, b"405", "CONNECT")


async def echo(sock):
    async for message in sock:
        await sock.send(message)


async def converse(port):
    """Through clbd at @port: texts, many bytes, a ping, and why it ends."""
    async with websockets.connect(f"ws://127.0.0.1:{port}/chat",
                                  max_size=None) as sock:
        for message in ("grüß Gott", "", bytes(range(256)) * 8000):
            await sock.send(message)
            equal(await sock.recv(), message)
        await (await sock.ping(b"there?"))
        await sock.close(reason="enough")
        equal((sock.close_code, sock.close_reason), (1000, "enough"))


def websocket():
    """WebSocket: a client and a server of python3-websockets talk"""
    port = free_port()

    async def talk(clbd):
        async with websockets.serve(echo, "127.0.0.1", port, max_size=None):
            await converse(clbd.port)

    class Address:
        address = f"127.0.0.1:{port}"
    with Daemon(config(Address)) as clbd:
        asyncio.run(talk(clbd))
        wait_for("its end", lambda: clbd.stats()["upgrades"] == 1)


if __name__ == "__main__":
    Tap().run([meanings, curl, websocket])
