#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP/2 from clients: that requests and responses are the same as by HTTP/1,
whatever the windows are."""
import json
import os
import socket
import subprocess
import threading

from h2client import (CODES, H2Client, PREFACE, SETTINGS, frame, answering,
                      config2)
from rig import (Client, Daemon, HeadServer, Server, Tap, ask,
                 config, equal, wait_for)

LOG = 'log: "@LOG@"'


def get():
    """a request reaches the server as one of HTTP/1.1, and its response the
    client"""
    server = Server()
    with Daemon(config2(server, top=LOG)) as clbd:
        with H2Client(clbd.port) as client:
            response = client.ask("/a?b", more=[("x-y", "z"), ("te", "trailers")])
            equal(response.status, 200)
            equal(response.body, b"server")
            equal(response.get("content-length"), "6")
            request = server.requests[0]
            equal(request.first, "GET /a?b HTTP/1.1")
            equal(request.all("Host"), ["a.example"])
            equal(request.all("x-y"), ["z"])
            equal(request.get("X-Forwarded-For"), "127.0.0.1")
            for name in ("TE", "Connection", "Transfer-Encoding"):
                equal(request.get(name), None, name)
        line = json.loads(wait_for("log", clbd.lines)[0])
        equal(line["server_protocol"], "HTTP/2.0")
        equal(line["request_uri"], "/a?b")
        equal(line["http_host"], "a.example")
        equal(line["tcpinfo_rtt"] > 0, True, line)
        equal(line["ending"], "normal")


def both():
    """one listener has HTTP/1 and HTTP/2; without http2 the preface is refused"""
    server = Server()
    with Daemon(config2(server)) as clbd:
        equal(ask(clbd.port).body, b"server")
        with H2Client(clbd.port) as client:
            equal(client.ask().body, b"server")
        with Client(clbd.port) as client:
            for byte in PREFACE[:20]:
                client.send(bytes([byte]))
            client.send(PREFACE[20:] + frame(SETTINGS))
            equal(client.reader.exactly(9)[3], SETTINGS)
        with Client(clbd.port) as client:
            client.send(b"PRI * HTTP/1.1\r\nHost: a\r\n\r\n")
            equal(client.response().status >= 400, True)
        with Client(clbd.port) as client:
            equal(client.ask().status, 200)
            client.send(PREFACE)
            equal(client.response().status, 505)
        clbd.reload(config(server))
        with Client(clbd.port) as client:
            client.send(PREFACE)
            equal(client.response().status, 505)


def bodiless():
    """HEAD, 204 and 304 have no body, whatever their fields say"""
    texts = {
        ("HEAD", 200): b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        ("GET", 204): b"HTTP/1.1 204 No Content\r\n\r\n",
        ("GET", 304): b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
    }
    server = Server()
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        for (method, status), text in texts.items():
            server.answer = answering(text)
            response = client.ask(method=method)
            equal((response.status, response.body), (status, b""), method)
        equal(server.connections, 1, "upstreams")
        response = client.ask(method="HEAD", more=[("host", "b.example")])
        equal((response.status, response.body), (400, b""), "refused")


def bodies():
    """a body is of its Content-Length, or goes in chunks"""
    server = Server()
    data = bytes(range(256)) * 2000
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        for more in ([("content-length", str(len(data)))], []):
            stream = client.request(method="POST", more=more, end=False)
            client.send(stream, data, end=True)
            equal(client.wait(stream).status, 200)
            request = server.requests[-1]
            equal(request.body == data, True, "body")
            equal(len(request.all("Content-Length")), len(more))
            equal(len(request.all("Transfer-Encoding")), 1 - len(more))
        stream = client.request(method="POST", end=False)
        client.send(stream, b"", end=True)
        equal(client.wait(stream).status, 200)
        equal(server.requests[-1].body, b"")
        equal(server.connections, 1, "upstreams")


def request_trailers():
    """trailers of a request follow its last chunk; one that frames is refused"""
    server = Server()
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        stream = client.request(method="POST", end=False)
        client.send(stream, b"abc")
        client.h2.send_headers(stream, [("x-sum", "7")], end_stream=True)
        client.flush()
        equal(client.wait(stream).status, 200)
        equal(server.requests[-1].body, b"abc")
        equal(server.requests[-1].trailers, b"x-sum: 7\r\n")
        count = len(server.requests)
        stream = client.request(method="POST", end=False)
        client.h2.send_headers(stream, [("content-type", "a")],
                               end_stream=True)
        client.flush()
        equal(client.wait(stream).status, 400)
        equal(len(server.requests), count, "requests")


def chunked_responses():
    """chunks are undone, trailers passed on; a body until the end has one"""
    server = Server(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                          b"\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n"))

    def until_end(_, sock, *rest):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        return False

    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        response = client.ask()
        equal(response.body, b"abcde")
        equal(response.trailers, [("x-sum", "7")])
        equal(response.get("transfer-encoding"), None)
        server.answer = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                              b"\r\n\r\n0\r\n\r\n")
        response = client.ask()
        equal((response.body, response.trailers), (b"", None))
        server.answer = answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                              b"\r\n\r\n0\r\nX-Sum: 8\r\n\r\n")
        response = client.ask()
        equal((response.body, response.trailers), (b"", [("x-sum", "8")]))
        equal(server.connections, 1, "upstreams")
        server.answer = until_end
        response = client.ask()
        equal((response.body, response.reset), (b"until the end", None))


def fields_of_one_hop():
    """what a server says of its connection stays there; names are in lower
    case"""
    server = Server(answering(b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\n"
                          b"Keep-Alive: timeout=5\r\nX-Hop: 1\r\nX-End: 2 \r\n"
                          b"Upgrade: h2c\r\nContent-Length: 0\r\n\r\n"))
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        equal(client.ask().head, [(":status", "200"), ("x-end", "2"),
                                  ("content-length", "0")])


def cut_off():
    """a response that is cut off ends with a reset, others go on"""
    def cut(server, sock, reader, request):
        if "cut" in request.first:
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            return False
        return server.plain(sock, reader, request)

    with Daemon(config2(Server(cut))) as clbd, H2Client(clbd.port) as client:
        response = client.ask("/cut")
        equal((response.body, response.reset),
              (b"abc", CODES.INTERNAL_ERROR))
        equal(client.ask().body, b"server")
        equal(clbd.stats()["server_errors"], 1)


def interim():
    """1xx are passed on; a client that expects 100 gets it from the server"""
    def early(_, sock, reader, request):
        sock.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                     b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def expecting(_, sock, reader, request):
        equal(request.get("Expect"), "100-continue")
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        equal(reader.exactly(3), b"abc")
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    server = HeadServer(early)
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        response = client.ask()
        equal(response.interim, [{":status": "103", "link": "x"}])
        equal((response.status, response.body), (200, b"ok"))
        server.answer = expecting
        stream = client.request(method="POST", end=False, more=[
            ("content-length", "3"), ("expect", "100-continue")])
        client.until(lambda: client.streams[stream].interim)
        client.send(stream, b"abc", end=True)
        equal(client.wait(stream).body, b"ok")


def cookies():
    """crumbs of Cookie become one field, wherever they are"""
    server = Server()
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        client.ask(more=[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"),
                         ("cookie", "c=3")])
        equal(server.requests[0].all("Cookie"), ["a=1; b=2; c=3"])
        equal(server.requests[0].all("x"), ["y"])


def many_streams():
    """streams do not wait for each other, and all that is sent arrives"""
    hold = threading.Event()

    def answer(server, sock, reader, request):
        if "slow" in request.first:
            hold.wait(30)
        body = request.first.encode() * 50
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" %
                     (len(body), body))

    with Daemon(config2(Server(answer))) as clbd:
        with H2Client(clbd.port) as client:
            slow = client.request("/slow")
            streams = {client.request(f"/{i}"): i for i in range(90)}
            for stream, i in streams.items():
                equal(client.wait(stream).body,
                      f"GET /{i} HTTP/1.1".encode() * 50)
            equal(client.streams[slow].over, False)
            hold.set()
            equal(client.wait(slow).status, 200)


def large_responses():
    """large responses arrive whole on several streams, whatever the window"""
    data = os.urandom(600000)
    text = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(data),
                                                               data)
    with Daemon(config2(Server(answering(text)))) as clbd:
        for window in (None, 16384, 1000, 1 << 20):
            with H2Client(clbd.port, window=window) as client:
                for stream in [client.request() for _ in range(4)]:
                    equal(client.wait(stream).body == data, True,
                          f"window {window}")


def back_pressure():
    """a client that does not read stops the server, not other streams"""
    sent = []

    def endless(server, sock, reader, request):
        if "endless" not in request.first:
            return server.plain(sock, reader, request)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        sock.settimeout(1)
        try:
            while True:
                sent.append(sock.send(bytes(65536)))
        except TimeoutError:
            sent.append(None)
        return False

    with Daemon(config2(Server(endless))) as clbd:
        with H2Client(clbd.port, slow=True, window=65535) as client:
            client.h2.increment_flow_control_window(1 << 20)
            client.request("/endless")
            wait_for("the server to be stopped", lambda: None in sent)
            equal(sum(n for n in sent if n) < 30000000, True, "sent")
            equal(client.ask().body, b"server")


def slow_server():
    """a server that does not read stops its client, not other streams"""
    taken = threading.Event()
    size = 12000000  # more than sockets have room for

    def answer(server, sock, reader, request):
        if "slow" in request.first:
            taken.wait(30)
            reader.exactly(size)
        return server.plain(sock, reader, request)

    server = HeadServer(answer)
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        stream = client.request("/slow", "POST", end=False,
                                more=[("content-length", str(size))])
        left = size
        while True:
            room = min(client.h2.local_flow_control_window(stream), left, 16384)
            if not room:
                # Bytes on their way have arrived by the time others are served.
                before = client.h2.local_flow_control_window(stream)
                equal(client.ask().body, b"server")
                if client.h2.local_flow_control_window(stream) == before:
                    break
                continue
            client.h2.send_data(stream, bytes(room))
            client.flush()
            left -= room
        equal(left > 0, True, "stopped")
        taken.set()
        client.send(stream, bytes(left), end=True)
        equal(client.wait(stream).status, 200)


def client_leaves():
    """a client that resets a stream, or goes, ends the server's work"""
    ended = []

    def answer(server, sock, reader, request):
        if "wait" not in request.first:
            return server.plain(sock, reader, request)
        ended.append(sock.recv(1) == b"")
        return False

    server = Server(answer)
    with Daemon(config2(server, top=LOG)) as clbd:
        with H2Client(clbd.port) as client:
            stream = client.request("/wait")
            wait_for("the request", lambda: server.requests)
            client.reset(stream)
            wait_for("the server's end", lambda: ended == [True])
            equal(client.ask().body, b"server")
            client.request("/wait")
            wait_for("the request", lambda: len(server.requests) == 3)
        wait_for("the server's end", lambda: ended == [True, True])
        wait_for("aborts", lambda: clbd.stats()["client_aborts"] == 2)
        wait_for("lines", lambda: len(clbd.lines()) == 3)
        equal([json.loads(line)["ending"] for line in clbd.lines()],
              ["client", "normal", "client"])


def early_answers():
    """who is answered before all was sent may stop: NO_ERROR"""
    server = HeadServer(answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n"
                              b"\r\nno"))
    limit = "    limits: {body: 100000}"
    with Daemon(config2(server, listener=limit)) as clbd:
        with H2Client(clbd.port) as client:
            stream = client.request(method="POST", end=False)
            client.send(stream, bytes(1000))
            client.until(lambda: client.streams[stream].reset is not None)
            equal(client.streams[stream].status, 403)
            equal(client.streams[stream].body, b"no")
            equal(client.streams[stream].reset, CODES.NO_ERROR)
            response = client.ask(method="POST", end=False,
                                  more=[("content-length", "100001")])
            equal(response.status, 413)
            equal(client.ask().status, 403)


def retries():
    """a request on an upstream that was closed meanwhile is sent again"""
    server = Server()
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        equal(client.ask().body, b"server")
        server.drop()
        equal(client.ask().body, b"server")
        server.close()
        equal(client.ask().status, 502)


def own_answers():
    """redirects, cookies and errors are as by HTTP/1"""
    server = Server()
    text = config2(server, top="secret: abc", group="    cookie: S",
                   listener="    rules:\n      - {url: /old, redirect: "
                   "\"https://$host$uri\"}")
    with Daemon(text) as clbd, H2Client(clbd.port) as client:
        response = client.ask("/old/x")
        equal(response.status, 301)
        equal(response.get("location"), "https://a.example/old/x")
        response = client.ask("/")
        equal(response.get("set-cookie")[:2], "S=")
        cookie = response.get("set-cookie").split(";")[0]
        response = client.ask("/", more=[("cookie", "a=b"), ("cookie", cookie)])
        equal(response.get("set-cookie"), None)


def others():
    """curl, nghttp and h2load get what they ask for"""
    with Daemon(config2(Server())) as clbd:
        url = f"http://127.0.0.1:{clbd.port}/"
        told = subprocess.run(["curl", "-s", "--http2-prior-knowledge", "-m",
                               "20", "-d", "x", url], capture_output=True,
                              check=True).stdout
        equal(told, b"server")
        told = subprocess.run(["nghttp", "-t", "20", url, url],
                              capture_output=True, check=True).stdout
        equal(told, b"server")
        told = subprocess.run(["timeout", "60", "h2load", "-n", "500", "-c",
                               "5", "-m", "10", url], capture_output=True,
                              check=True).stdout
        equal(b"500 succeeded, 0 failed, 0 errored" in told, True, told)


if __name__ == "__main__":
    Tap().run([get, both, bodiless, bodies, request_trailers, chunked_responses,
               fields_of_one_hop, cut_off, interim, cookies, many_streams,
               large_responses, back_pressure, slow_server, client_leaves,
               early_answers, retries, own_answers, others])
