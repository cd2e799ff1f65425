#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Limits, timeouts, and requests that are meant to be understood differently by
clbd and a server: what reached the server is what was meant, or nothing did."""
import os
import pathlib
import signal
import socket
import threading
import time

from rig import (Client, Daemon, HeadServer, Server, Tap, config, equal,
                 wait_for)

# A request hidden in the body of another: seen by the server as one of its
# own, the smuggling has worked.
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
P = b"POST /seen HTTP/1.1\r\nHost: a\r\n"

SMUGGLED = {
    "length before chunked": P + b"Content-Length: %d\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN,
    "chunked before length": P + b"Transfer-Encoding: chunked\r\n"
    b"Content-Length: 4\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
    "space before the colon": P + b"Transfer-Encoding : chunked\r\n"
    b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN,
    "tab before chunked": P + b"Transfer-Encoding:\x0bchunked\r\n"
    b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN,
    "xchunked": P + b"Transfer-Encoding: xchunked\r\n"
    b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN,
    "chunked, identity": P + b"Transfer-Encoding: chunked, identity\r\n"
    b"\r\n0\r\n\r\n" + HIDDEN,
    "two codings": P + b"Transfer-Encoding: chunked\r\n"
    b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n" + HIDDEN,
    "folded coding": P + b"Transfer-Encoding:\r\n chunked\r\n"
    b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN,
    "coding behind LF": P + b"X: y\nTransfer-Encoding: chunked\r\n"
    b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN,
    "coding behind CR": P + b"X: y\rTransfer-Encoding: chunked\r\n"
    b"Content-Length: %d\r\n\r\n0\r\n\r\n" % (5 + len(HIDDEN)) + HIDDEN,
    "coding behind NUL": P + b"X: y\0\r\nTransfer-Encoding: chunked\r\n"
    b"\r\n0\r\n\r\n" + HIDDEN,
    "coding of HTTP/1.0": P.replace(b"1.1", b"1.0") +
    b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n"
    b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN),
    "two lengths": P + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" %
    len(HIDDEN) + HIDDEN,
    "list of lengths": P + b"Content-Length: 0, %d\r\n\r\n" % len(HIDDEN) +
    HIDDEN,
    "length with a sign": P + b"Content-Length: +0\r\n\r\n" + HIDDEN,
    "length in a hop field": P + b"Connection: content-length\r\n"
    b"Content-Length: %d\r\n\r\n" % len(HIDDEN) + HIDDEN,
    "chunk size with 0x": P + b"Transfer-Encoding: chunked\r\n\r\n"
    b"0x0\r\n\r\n" + HIDDEN,
    "chunk size that overflows": P + b"Transfer-Encoding: chunked\r\n\r\n"
    b"10000000000000000\r\n\r\n" + HIDDEN,
    "chunk extension with LF": P + b"Transfer-Encoding: chunked\r\n\r\n"
    b"0;\n\r\n\r\n" + HIDDEN,
    "chunk line ended by LF": P + b"Transfer-Encoding: chunked\r\n\r\n"
    b"0\n\n" + HIDDEN,
    "chunk data too long": P + b"Transfer-Encoding: chunked\r\n\r\n"
    b"1\r\nab\r\n0\r\n\r\n" + HIDDEN,
    "trailer with a length": P + b"Transfer-Encoding: chunked\r\n\r\n"
    b"0\r\nContent-Length: 5\r\n\r\n" + HIDDEN,
    "Host twice": P + b"Host: b\r\nContent-Length: 0\r\n\r\n" + HIDDEN,
    "another host in the target": P.replace(b"/seen", b"http://b/seen") +
    b"Content-Length: 0\r\n\r\n" + HIDDEN,
}


def smuggling():
    """of a request that can be understood in two ways nothing is answered but
    400, and what is hidden in it is no request"""
    server = Server()
    with Daemon(config(server)) as clbd:
        for name, data in SMUGGLED.items():
            before = len(server.requests)
            with Client(clbd.port) as client:
                client.send(data)
                response = client.response()
                equal(response.status, 400, name)
                equal(response.get("Connection"), "close", name)
                equal(client.ended(), True, name)
            seen = [r.first for r in server.requests[before:]]
            equal([r for r in seen if "/hidden" in r], [], name)
        # What is sent thereafter is not mixed with it.
        with Client(clbd.port) as client:
            equal(client.ask().body, b"server")


def body_is_no_request():
    """a request within a body that is framed well stays a body"""
    server = Server(lambda _, sock, __, request: sock.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" %
        (len(request.body), request.body)))
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for fields, body in (
                (f"Content-Length: {len(HIDDEN)}\r\n", HIDDEN),
                ("Transfer-Encoding: chunked\r\n",
                 b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN))):
            equal(client.ask(method="POST", fields=fields, body=body).body,
                  HIDDEN)
        equal({r.first for r in server.requests}, {"POST / HTTP/1.1"})


def server_says_more():
    """what a server sends behind its response is not the next one's"""
    def answer(server, sock, _reader, _request):
        number = b"%d" % len(server.requests)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + number +
                     b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    with Daemon(config(Server(answer))) as clbd, Client(clbd.port) as client:
        for i in range(1, 6):
            equal(client.ask().body, b"%d" % i)


def server_says_more_later():
    """the same where it fills clbd's buffer, so that the rest is not read with
    the response, or comes behind a response without a body"""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    def answer(_server, sock, _reader, request):
        if request.first.startswith("HEAD"):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" +
                         evil)
            return
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 131013\r\n\r\n"
        sock.sendall(head + b"x" * (131056 - len(head)) + evil)
    with Daemon(config(Server(answer))) as clbd, Client(clbd.port) as client:
        for method, wanted in (("GET", "131013"), ("HEAD", "1")) * 5:
            for _ in range(3):
                equal(client.ask(method=method).get("Content-Length"), wanted,
                      method)


def unread_by(port, client):
    """Bytes of the client that clbd has not read yet."""
    ends = [f":{port:04X}", f":{client.sock.getsockname()[1]:04X}"]
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if [fields[1][8:], fields[2][8:]] == ends:
            return int(fields[4].split(":")[1], 16)
    return 0


def unsent_is_no_request():
    """what was read of a body and not sent, as the server answers without
    reading or not at all, is no request"""
    go, done = threading.Event(), threading.Event()

    def answer(_server, sock, _reader, request):
        if "/early" in request.first:
            go.wait(30)
            sock.sendall(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        done.wait(30)
        return False
    server = HeadServer(answer)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    server.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)

    def status(clbd, target, size):
        """Of the one response that there is, and whether it is the last."""
        before = len(server.requests)
        go.clear()
        done.clear()
        with Client(clbd.port) as client:
            client.send(P.replace(b"/seen", target) +
                        b"Content-Length: %d\r\n\r\n" % size +
                        (HIDDEN * (size // len(HIDDEN) + 1))[-size:])
            wait_for("the request", lambda: len(server.requests) > before)
            seen = []

            def still():
                seen.append(unread_by(clbd.port, client))
                return len(seen) > 5 and len(set(seen[-5:])) == 1
            wait_for("it to be read", still)
            go.set()
            response = client.response()
            client.sock.shutdown(socket.SHUT_WR)
            equal(client.reader.rest()[:20], b"", f"{target} {size}")
            equal(len(server.requests), before + 1)
        done.set()
        wait_for("it to end", lambda: not server.open)
        return response.status, response.get("Connection") == "close"
    with Daemon(config(server, group="    eject-after: 0", listener=
                       "    timeouts: {idle: 1, request: 1}")) as clbd:
        # From where all is sent to where some is not even read.
        size, ended = 4000, 0
        while ended < 4:
            ended += status(clbd, b"/early", size)[1]
            size += 6000
        for less in (12000, 18000, 24000):
            equal(status(clbd, b"/never", size - less)[0], 504)


def too_long():
    """what is too long is 414, 431 or 413; what just fits is served"""
    server = Server()
    text = config(server, top="limits: {head: 2000}",
                  listener="    limits: {body: 1000}")
    with Daemon(text) as clbd:
        def status(data):
            with Client(clbd.port) as client:
                client.send(data)
                result = client.response().status
                if result != 200:
                    equal(client.ended(), True)
                return result
        end = b" HTTP/1.1\r\nHost: a\r\n\r\n"
        room = 2000 - len(b"GET /" + end)
        equal(status(b"GET /" + b"x" * room + end), 200)
        equal(status(b"GET /" + b"x" * (room + 1) + end), 431)
        equal(status(b"GET /" + b"x" * 30000 + end), 414)
        equal(status(b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 30000 +
                     b"\r\n\r\n"), 431)
        equal(status(b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 100 +
                     b"\r\n"), 431)
        equal(status(P + b"Content-Length: 1000\r\n\r\n" + b"x" * 1000), 200)
        equal(status(P + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001), 413)
        chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"
        equal(status(P + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 2 +
                     b"0\r\n\r\n"), 200)
        equal(status(P + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 3 +
                     b"0\r\n\r\n"), 413)


def longest_head():
    """a head as long as there is room for reaches the server"""
    server = Server()
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for size in (14000, 15300):
            equal(client.ask(fields="X: " + "y" * size + "\r\n").status, 200)
            equal(len(server.requests[-1].get("X")), size)
        equal(client.ask(fields="X: " + "y" * 15360 + "\r\n").status, 431)


def longest_response_head():
    """a response's head as long as there is room for reaches the client, with a
    body in chunks behind it; a longer one is 502"""
    def answer(_server, sock, _reader, request):
        size = int(request.first.split()[1][1:])
        sock.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"y" * (size - 24) +
                     b"\r\n\r\n" + b"z" * 3000)
        return False
    with Daemon(config(Server(answer))) as clbd, Client(clbd.port) as client:
        for size in (14000, 15359, 15360):
            response = client.ask(f"/{size}")
            equal(len(response.get("X")), size - 24)
            equal(response.body, b"z" * 3000)
        for size in (15361, 16300, 16360, 17000):
            equal(client.ask(f"/{size}").status, 502)


PATIENT = """    timeouts: {idle: 1, request: 2}"""


def timeouts():
    """408 for a head or a body that does not come, 504 for a response; idle
    connections are closed without a word"""
    go = threading.Event()

    def answer(_server, sock, reader, _request):
        go.wait(30)
        return False
    server = HeadServer(answer)
    with Daemon(config(server, listener=PATIENT)) as clbd:
        worker = clbd.hold_worker()	# or one is idle before it has asked
        with Client(clbd.port) as idle, Client(clbd.port) as head, \
                Client(clbd.port) as body, Client(clbd.port) as response:
            head.send(b"GET / HTTP/1.1\r\nHo")
            body.send(P + b"Content-Length: 5\r\n\r\nab")
            response.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            os.kill(worker, signal.SIGCONT)
            equal(idle.ended(), True)
            equal(head.response().status, 408)
            equal(head.ended(), True)
            equal(body.response().status, 408)
            equal(response.response().status, 504)
        go.set()
        equal(clbd.stats()["timeouts"], 3)


def slow_head():
    """a head that comes byte by byte has no more time than another"""
    with Daemon(config(Server(), listener=PATIENT)) as clbd:
        with Client(clbd.port) as client:
            start = time.monotonic()
            sent = [0]

            def trickle():
                try:
                    client.send(b"GET / HTTP/1.1\r\nX: "
                                if not sent[0] else b"y")
                except OSError:
                    return
                sent[0] += 1
                if time.monotonic() - start < 20:
                    threading.Timer(0.1, trickle).start()
            trickle()
            equal(client.response().status, 408)


def slow_response_head():
    """a response's head that comes byte by byte has no more time than another"""
    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(100):
            sock.sendall(b"y")
            time.sleep(0.1)
        sock.sendall(b"\r\nContent-Length: 0\r\n\r\n")
    with Daemon(config(Server(answer), listener=PATIENT)) as clbd, \
            Client(clbd.port) as client:
        equal(client.ask().status, 504)


def split_empty_line():
    """an empty line before a request is skipped, in pieces, too"""
    with Daemon(config(Server())) as clbd, Client(clbd.port) as client:
        client.send(b"\r")
        wait_for("it to be read", lambda: not unread_by(clbd.port, client))
        client.send(b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        equal(client.response().status, 200)


def connect_timeout():
    """a server that does not take connections costs the connect timeout and
    then the next is asked"""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = "127.0.0.1:%d" % full.getsockname()[1]
    fillers = []
    for _ in range(8):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
        fillers.append(filler)
    stuck = type("Stuck", (), {"address": address})
    with Daemon(config(stuck, Server(), top="timeouts: {connect: 1}")) as clbd:
        with Client(clbd.port) as client:
            for _ in range(2):
                equal(client.ask(method="POST",
                                 fields="Content-Length: 0\r\n").status, 200)
        equal(clbd.stats()["connect_errors"], 1)
    with Daemon(config(stuck, top="timeouts: {connect: 1}")) as clbd:
        with Client(clbd.port) as client:
            equal(client.ask().status, 504)


def whose_fault():
    """408 is for clients: a server that takes no connection, or does not say
    100, is answered for by 504"""
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    address = "127.0.0.1:%d" % full.getsockname()[1]
    fillers = []
    for _ in range(8):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
        fillers.append(filler)
    stuck = type("Stuck", (), {"address": address})
    silent = HeadServer(lambda _, __, reader, ___: reader.more())
    for server, fields in ((stuck, b""), (silent, b"Expect: 100-continue\r\n")):
        text = config(server, top="timeouts: {connect: 3}",
                      listener="    timeouts: {idle: 1, request: 4}")
        with Daemon(text) as clbd, Client(clbd.port) as client:
            client.send(P + fields + b"Content-Length: 5\r\n\r\n")
            equal(client.response().status, 504)


def full():
    """connections beyond the limit wait until one ends"""
    with Daemon(config(Server(), top="limits: {connections: 3}")) as clbd:
        clients = [Client(clbd.port) for _ in range(3)]
        for client in clients:
            equal(client.ask().status, 200)
        waiting = Client(clbd.port)
        waiting.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("it to be counted",
                 lambda: clbd.stats()["connections_full"] > 0)
        clients[0].close()
        equal(waiting.response().status, 200)
        for client in clients + [waiting]:
            client.close()


def answered_though_sending():
    """a client that goes on sending gets the answer that refuses it"""
    with Daemon(config(Server(), listener="    limits: {body: 10}")) as clbd:
        with Client(clbd.port) as client:
            client.send(P + b"Content-Length: 3000000\r\n\r\n")
            errors = []

            def send():
                try:
                    client.send(b"x" * 3000000)
                except OSError as error:
                    errors.append(error)
            thread = threading.Thread(target=send)
            thread.start()
            equal(client.response().status, 413)
            thread.join()
            equal(errors, [], "a reset")


if __name__ == "__main__":
    Tap().run([smuggling, body_is_no_request, server_says_more,
               server_says_more_later, unsent_is_no_request, too_long,
               longest_head, longest_response_head, timeouts, slow_head,
               slow_response_head, split_empty_line, connect_timeout,
               whose_fault, full,
               answered_though_sending])
