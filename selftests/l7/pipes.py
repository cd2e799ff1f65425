#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Long bodies, which the kernel moves from socket to socket by itself."""
import contextlib
import hashlib
import socket
import threading

from rig import (CLBD, PATIENCE, PLAIN, Client, Connection, Daemon, Reader,
                 Server, Tap, ask, config, equal, read_message, reply,
                 wait_for)

LEAST = 16384		# so long a body is worth a pipe
MANY = 150		# more than a worker has pipes


PAD = hashlib.shake_128().digest(1 << 24)


def body(number, size):
    """No two of them, and no two parts of one, are alike."""
    return PAD[4099 * number:][:size]


def answer(_server, sock, _reader, request):
    """/NUMBER/SIZE"""
    _, number, size = request.first.split()[1].split("/")
    sock.sendall(reply(body(int(number), int(size))))


def expect(client, number, size):
    equal(client.ask(f"/{number}/{size}").body == body(number, size), True,
          f"body {number} of {size}")


class Slow(Connection):
    """A client that takes no more than a few kB until it reads."""

    def __init__(self, port):
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(("127.0.0.1", port))
        self.reader = Reader(self.sock)

    def send(self, number, size):
        self.sock.sendall(b"GET /%d/%d HTTP/1.1\r\nHost: a\r\n\r\n" %
                          (number, size))

    def expect(self, number, size):
        equal(read_message(self.reader).body == body(number, size), True,
              f"body {number} of {size}")


def every_length():
    """bodies of any length come whole, on one connection; the long ones through
    pipes"""
    sizes = [0, 1, LEAST - 1, LEAST, 65536, 9, 65536, 300000, LEAST + 4096, 2,
             5000000, 4097, 100000]
    for program in CLBD, PLAIN:
        server = Server(answer)
        with Daemon(config(server), program) as clbd:
            with Client(clbd.port) as client:
                for number, size in enumerate(sizes):
                    expect(client, number, size)
            equal(server.connections, 1, "connections to the server")
            # a first one that came whole had been read with its head
            piped = clbd.stats()["piped"]
            long = sum(size > LEAST + 4096 for size in sizes)
            equal(long - 1 <= piped <= long + 1, True, f"{piped} of {long}")


def end_with_it():
    """the connection may end with a long body"""
    server = Server(answer)
    with Daemon(config(server)) as clbd:
        for number in range(20):
            with Client(clbd.port) as client:
                got = client.ask(f"/{number}/200000",
                                 fields="Connection: close\r\n")
                equal(got.body == body(number, 200000), True)
                equal(client.ended(), True)


def what_must_be_seen():
    """a body that is compressed, or goes into frames or chunks, is not piped"""
    def in_chunks(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                     b"186a0\r\n" + body(1, 100000) + b"\r\n0\r\n\r\n")
    server = Server(in_chunks)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for _ in range(3):
            equal(client.ask().body == body(1, 100000), True)
        equal(clbd.stats()["piped"], 0)
    server = Server(lambda _, sock, __, ___: sock.sendall(
        reply(body(1, 100000), "Content-Type: text/plain\r\n")))
    with Daemon(config(server, listener="    gzip: {level: 6, minimum: 100}")) as clbd, \
            Client(clbd.port) as client:
        for _ in range(3):
            got = client.ask(fields="Accept-Encoding: gzip\r\n")
            equal(got.get("Content-Encoding"), "gzip")
        equal(clbd.stats()["piped"], 0)


def nothing_behind():
    """what a server sends behind a long body is nobody's response"""
    def more(_server, sock, _reader, request):
        _, number, size = request.first.split()[1].split("/")
        sock.sendall(reply(body(int(number), int(size))) + reply(b"unasked"))
    server = Server(more)
    with Daemon(config(server)) as clbd:
        for number in range(20):
            with Client(clbd.port) as client:
                expect(client, number, 65536)
                expect(client, number, 100000)
        equal(clbd.stats()["piped"] > 20, True)


def slow_client():
    """a client that reads slowly holds the server up, and has all in the end"""
    server, size = Server(answer), 20000000
    with Daemon(config(server)) as clbd, Slow(clbd.port) as client:
        expect_quick(clbd)
        client.send(1, size)
        wait_for("the server's request", lambda: len(server.requests) == 2)
        wait_for("a pipe", lambda: clbd.stats()["piped"] >= 1)
        expect_quick(clbd)
        client.expect(1, size)


def expect_quick(clbd):
    with Client(clbd.port) as other:
        expect(other, 7, 100000)


def clients_leave():
    """what a client did not take is nobody else's"""
    server = Server(answer)
    with Daemon(config(server)) as clbd:
        for number in range(40):
            with Slow(clbd.port) as client:
                piped = clbd.stats()["piped"]
                client.send(number, 10000000)
                wait_for("a pipe", lambda: clbd.stats()["piped"] > piped)
                client.sock.recv(1000)
                client.reset()
            with Client(clbd.port) as client:
                expect(client, 100 + number, 300000)
        wait_for("the servers' ends", lambda: len(server.open) <= 1)


def cut_short():
    """a server that ends in the middle of a long body: so does the client's
    connection, with what came"""
    go = threading.Event()

    def half(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" +
                     body(1, 300000))
        go.wait(PATIENCE)
        return False
    server = Server(half)
    with Daemon(config(server)) as clbd:
        for count in range(1, 6):
            go.clear()
            with Client(clbd.port) as client:
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                head = client.reader.until(b"\r\n\r\n")
                equal(b" 200 " in head, True)
                got = client.reader.exactly(300000)
                go.set()
                equal(got == body(1, 300000), True)
                with contextlib.suppress(ConnectionResetError):
                    equal(client.reader.rest(), b"")
            wait_for("its error", lambda n=count:
                     clbd.stats()["server_errors"] == n)
        equal(clbd.stats()["piped"] >= 4, True)


def more_than_pipes():
    """with all pipes in use the other bodies go through buffers"""
    server, size = Server(answer), 8000000
    text = config(server, listener="    timeouts: {request: 180}")
    with Daemon(text) as clbd, contextlib.ExitStack() as stack:
        ask(clbd.port, "/1/100000")
        clients = [stack.enter_context(Slow(clbd.port)) for _ in range(MANY)]
        for number, client in enumerate(clients):
            client.send(number, size)
        wait_for("all requests", lambda: len(server.requests) == MANY + 1)
        wait_for("all pipes", lambda: clbd.stats()["piped"] >= 128)
        equal(clbd.stats()["piped"] <= 129, True)
        for number, client in enumerate(clients[:3] + clients[-3:]):
            client.expect(number if number < 3 else MANY - 6 + number, size)


if __name__ == "__main__":
    Tap().run([every_length, end_with_it, what_must_be_seen, nothing_behind,
               slow_client, clients_leave, cut_short, more_than_pipes])
