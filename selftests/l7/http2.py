#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP/2 from clients: that requests and responses are the same as by HTTP/1,
whatever the windows are, and that who breaks the rules harms nobody else."""
import json
import os
import signal
import socket
import struct
import subprocess
import threading

from h2client import (ACK, CODES, CONT, DATA, END_HEADERS, END_STREAM, GOAWAY,
                      H2Client, HEADERS, PING, PREFACE, PRIORITY, RST,
                      RawClient, SETTINGS, WINDOW, frame)
from rig import (Client, Daemon, HeadServer, Server, Tap, ask, config, equal,
                 free_port, wait_for)

HTTP2 = "    http2: yes"
LOG = 'log: "@LOG@"'


def config2(*servers, listener="", **kwargs):
    return config(*servers, listener=f"{HTTP2}\n{listener}", **kwargs)


def reply(text):
    """A server's function that answers with just this."""
    def answer(server, sock, reader, request):
        sock.sendall(text)
    return answer


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
            server.answer = reply(text)
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
    server = Server(reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                          b"\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n"))

    def until_end(_, sock, *rest):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        return False

    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        response = client.ask()
        equal(response.body, b"abcde")
        equal(response.trailers, [("x-sum", "7")])
        equal(response.get("transfer-encoding"), None)
        server.answer = reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                              b"\r\n\r\n0\r\n\r\n")
        response = client.ask()
        equal((response.body, response.trailers), (b"", None))
        server.answer = reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
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
    server = Server(reply(b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\n"
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
    with Daemon(config2(Server(reply(text)))) as clbd:
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
    server = HeadServer(reply(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n"
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


# { what is wrong: fields; a status, or how the stream ends }
P = [(":method", "GET"), (":scheme", "http"), (":path", "/"),
     (":authority", "a.example")]
BAD = {
    "upper case": (P + [("X-A", "b")], CODES.PROTOCOL_ERROR),
    "empty name": (P + [("", "b")], CODES.PROTOCOL_ERROR),
    "space in a name": (P + [("a b", "c")], CODES.PROTOCOL_ERROR),
    "colon in a name": (P + [("a:b", "c")], CODES.PROTOCOL_ERROR),
    "LF in a value": (P + [("a", "b\nc: d")], CODES.PROTOCOL_ERROR),
    "CR in a value": (P + [("a", "b\rc")], CODES.PROTOCOL_ERROR),
    "NUL in a value": (P + [("a", "b\0c")], CODES.PROTOCOL_ERROR),
    "space before a value": (P + [("a", " b")], CODES.PROTOCOL_ERROR),
    "CRLF in the path": ([P[0], P[1], (":path", "/ HTTP/1.1\r\nX: y"), P[3]],
                         CODES.PROTOCOL_ERROR),
    "Connection": (P + [("connection", "close")], CODES.PROTOCOL_ERROR),
    "Keep-Alive": (P + [("keep-alive", "1")], CODES.PROTOCOL_ERROR),
    "Transfer-Encoding": (P + [("transfer-encoding", "chunked")],
                          CODES.PROTOCOL_ERROR),
    "Upgrade": (P + [("upgrade", "websocket")], CODES.PROTOCOL_ERROR),
    "TE": (P + [("te", "gzip")], CODES.PROTOCOL_ERROR),
    "unknown pseudo-header field": (P + [(":x", "y")], CODES.PROTOCOL_ERROR),
    "one of responses": (P + [(":status", "200")], CODES.PROTOCOL_ERROR),
    "two paths": (P + [(":path", "/b")], CODES.PROTOCOL_ERROR),
    "one behind others": ([P[0], P[1], P[3], ("a", "b"), P[2]],
                          CODES.PROTOCOL_ERROR),
    "no method": (P[1:], CODES.PROTOCOL_ERROR),
    "no scheme": (P[:1] + P[2:], CODES.PROTOCOL_ERROR),
    "no path": (P[:2] + P[3:], CODES.PROTOCOL_ERROR),
    "empty path": ([P[0], P[1], (":path", ""), P[3]], CODES.PROTOCOL_ERROR),
    "no authority": (P[:3], CODES.PROTOCOL_ERROR),
    "two lengths": (P + [("content-length", "0"), ("content-length", "0")],
                    CODES.PROTOCOL_ERROR),
    "length that is none": (P + [("content-length", "+1")],
                            CODES.PROTOCOL_ERROR),
    "length without a body": (P + [("content-length", "5")],
                              CODES.PROTOCOL_ERROR),
    "another Host": (P + [("host", "b.example")], 400),
    "user in the authority": (P[:3] + [(":authority", "u@a.example")], 400),
    "Host twice": (P[:3] + [("host", "a"), ("host", "a")],
                   CODES.PROTOCOL_ERROR),
    "relative path": ([P[0], P[1], (":path", "x"), P[3]],
                      CODES.PROTOCOL_ERROR),
    "space in the path": ([P[0], P[1], (":path", "/a b"), P[3]],
                          CODES.PROTOCOL_ERROR),
    "fragment": ([P[0], P[1], (":path", "/a#b"), P[3]], 400),
    "high byte in the path": ([P[0], P[1], (":path", "/\xe9"), P[3]], 400),
    "another scheme": ([P[0], (":scheme", "ftp"), P[2], P[3]], 400),
    "CONNECT": ([(":method", "CONNECT"), P[3]], 405),
    "TRACE": ([(":method", "TRACE"), *P[1:]], 405),
    "unknown method": ([(":method", "BREW"), *P[1:]], 501),
    "expectation": (P + [("expect", "wonders")], 417),
    "too long": (P + [("a", "b" * 16000)], 431),
    "too many": (P + [(f"a{i}", "b") for i in range(101)], 431),
}


def malformed():
    """what breaks the rules is refused, never reaches a server, and leaves
    other streams alone"""
    server = Server()
    with Daemon(config2(server)) as clbd, H2Client(clbd.port) as client:
        for name, (wrong, verdict) in BAD.items():
            stream = client.wait(client.request(fields=wrong))
            got = stream.status if stream.head else stream.reset
            equal(got, verdict, name)
        equal(len(server.requests), 0, "requests")
        equal(client.ask(more=[("host", "A.example")]).status, 200)
        equal(server.requests[0].all("Host"), ["a.example"])
        stats = clbd.stats()
        equal(stats["refused"], len(BAD), "refused")
        equal(stats["h2_floods"], 0)


def wrong_lengths():
    """a body is as long as its Content-Length says, or the stream is reset"""
    server = HeadServer(lambda *args: True)
    with Daemon(config2(server)) as clbd:
        for data in (b"abcd", b"abcdef"):
            with RawClient(clbd.port) as client:
                client.request(1, method="POST", end=False,
                               more=[("content-length", "5")])
                client.send(frame(DATA, END_STREAM, 1, data))
                equal(client.verdict(1), ("reset", CODES.PROTOCOL_ERROR), data)


def rapid_reset():
    """requests that are reset at once: the connection ends, servers see few"""
    server = Server()
    with Daemon(config2(server)) as clbd, RawClient(clbd.port) as client:
        for i in range(2000):
            stream = 2 * i + 1
            if not client.send(
                    frame(HEADERS, END_HEADERS | END_STREAM, stream,
                          client.block()) +
                    frame(RST, 0, stream, struct.pack(">I", CODES.CANCEL))):
                break
        equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM))
        equal(len(server.requests) < 400, True, "requests")
        equal(clbd.stats()["h2_floods"], 1)
        equal(ask(clbd.port).status, 200)


def made_resets():
    """requests whose bodies are too short or too long for their lengths, so
    that clbd has to reset them: the connection ends"""
    more = [("content-length", "1")]
    server = HeadServer(lambda *args: True)
    with Daemon(config2(server)) as clbd:
        for count, body in enumerate((b"", b"ab")):
            with RawClient(clbd.port) as client:
                for stream in range(1, 1001, 2):
                    head = client.block(method="POST", more=more)
                    if not client.send(
                            frame(HEADERS, END_HEADERS, stream, head) +
                            frame(DATA, END_STREAM, stream, body)):
                        break
                # Of no stream: the end in any case.
                client.send(frame(DATA, 0, 0, b"a"))
                equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM),
                      body)
            equal(clbd.stats()["h2_floods"], count + 1, body)


def floods():
    """frames to no purpose end the connection"""
    kinds = {
        "PING": frame(PING, 0, 0, bytes(8)),
        "PING that answers none": frame(PING, ACK, 0, bytes(8)),
        "SETTINGS": frame(SETTINGS),
        "PRIORITY": frame(PRIORITY, 0, 1, bytes(5)),
        "empty DATA": frame(DATA, 0, 1),
        "WINDOW_UPDATE": frame(WINDOW, 0, 0, struct.pack(">I", 1)),
        "RST_STREAM": frame(RST, 0, 1, bytes(4)),
    }
    with Daemon(config2(HeadServer(lambda *args: True))) as clbd:
        for count, (name, flood) in enumerate(kinds.items()):
            with RawClient(clbd.port) as client:
                client.request(1, method="POST", end=False)
                for _ in range(40):
                    if not client.send(flood * 100):
                        break
                equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM),
                      name)
            equal(clbd.stats()["h2_floods"], count + 1, name)


def continuations():
    """a head in more frames than it should have ends the connection"""
    with Daemon(config2(Server())) as clbd:
        with RawClient(clbd.port) as client:
            block = client.block()
            client.send(frame(HEADERS, END_STREAM, 1, block[:1]))
            for byte in block[1:8]:
                client.send(frame(CONT, 0, 1, bytes([byte])))
            client.send(frame(CONT, END_HEADERS, 1, block[8:]))
            equal(client.find(HEADERS, 1) is not None, True, "eight")
            client.send(frame(HEADERS, END_STREAM, 3, client.block()))
            for _ in range(100):
                if not client.send(frame(CONT, 0, 3, b"") * 10):
                    break
            equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM))


def header_bombs():
    """fields that grow as they are read are refused, or end the connection"""
    with Daemon(config2(Server())) as clbd:
        for count, verdict in ((10, None), (400, CODES.ENHANCE_YOUR_CALM)):
            with RawClient(clbd.port) as client:
                # A field of 4000 bytes goes to the table; then a byte each.
                block = client.block() + b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4000
                client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1,
                                  block + b"\xbe" * count))
                if verdict:
                    equal(client.verdict(0), ("goaway", verdict))
                else:
                    head = client.find(HEADERS, 1)
                    equal(b"431" in head or head is not None, True)
        with RawClient(clbd.port) as client:
            client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1,
                              client.block() + b"\x00\x01a\x01b" * 1100))
            equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM))
        equal(clbd.stats()["h2_floods"], 2)


def broken_frames():
    """frames that nobody may send end the stream or the connection"""
    big = struct.pack(">I", 0x7fffffff)
    request = RawClient.block
    cases = {
        "window of the connection overflows":
        (frame(WINDOW, 0, 0, big), ("goaway", CODES.FLOW_CONTROL_ERROR)),
        "window of a stream overflows":
        (frame(WINDOW, 0, 1, big), ("reset", CODES.FLOW_CONTROL_ERROR)),
        "window grows by nothing":
        (frame(WINDOW, 0, 0, bytes(4)), ("goaway", CODES.PROTOCOL_ERROR)),
        "DATA of no stream":
        (frame(DATA, 0, 0, b"a"), ("goaway", CODES.PROTOCOL_ERROR)),
        "DATA of a stream that is not open":
        (frame(DATA, 0, 99, b"a"), ("goaway", CODES.PROTOCOL_ERROR)),
        "HEADERS of an even stream":
        (frame(HEADERS, 5, 2, b"\x82"), ("goaway", CODES.PROTOCOL_ERROR)),
        "frame too long":
        (frame(DATA, 0, 1, bytes(16385)), ("goaway", CODES.FRAME_SIZE_ERROR)),
        "PING of 7 bytes":
        (frame(PING, 0, 0, bytes(7)), ("goaway", CODES.FRAME_SIZE_ERROR)),
        "fields that are none":
        (frame(HEADERS, 5, 3, b"\xff\xff\xff\xff\xff\xff"),
         ("goaway", CODES.COMPRESSION_ERROR)),
        "CONTINUATION alone":
        (frame(CONT, 4, 1, b""), ("goaway", CODES.PROTOCOL_ERROR)),
        "PUSH_PROMISE":
        (frame(5, 4, 1, struct.pack(">I", 2)),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "another frame amid a head":
        (frame(HEADERS, 0, 3, b"\x82") + frame(PING, 0, 0, bytes(8)),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "more than the window":
        (frame(DATA, 0, 1, bytes(16384)) * 5,
         ("reset", CODES.FLOW_CONTROL_ERROR)),
    }
    hold = HeadServer(lambda *args: threading.Event().wait(30))
    with Daemon(config2(hold)) as clbd:
        for name, (data, verdict) in cases.items():
            with RawClient(clbd.port) as client:
                client.send(frame(HEADERS, END_HEADERS, 1,
                                  request(client, method="POST")) + data)
                equal(client.verdict(), verdict, name)
        with RawClient(clbd.port) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            equal(client.verdict()[0], "goaway", "HTTP/1 behind the preface")
        with RawClient(clbd.port) as client:
            client.request(1)
            client.send(frame(DATA, 0, 1, b"a"))
            equal(client.verdict()[1], CODES.STREAM_CLOSED, "DATA behind the end")


def tiny_windows():
    """a window of a byte is served for a while; not for ever"""
    data = bytes(5000)
    server = Server(reply(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" +
                          data))
    with Daemon(config2(server)) as clbd:
        with H2Client(clbd.port, window=10) as client:
            equal(client.ask().body, data)
        with RawClient(clbd.port) as client:
            client.send(frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1)))
            client.request(1)
            for _ in range(5000):
                if not client.send(frame(WINDOW, 0, 1, struct.pack(">I", 1))):
                    break
            equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM))


def limits():
    """streams beyond the limits are refused, and may be sent again"""
    hold = threading.Event()

    def answer(server, sock, reader, request):
        hold.wait(30)
        return server.plain(sock, reader, request)

    server = Server(answer)
    with Daemon(config2(server, top="limits: {connections: 4}",
                        listener="    limits: {streams: 8}")) as clbd:
        with H2Client(clbd.port) as client:
            streams = [client.request() for _ in range(3)]
            last = client.request()
            equal(client.wait(last).reset, CODES.REFUSED_STREAM)
            equal(clbd.stats()["h2_refused"], 1)
            equal(client.h2.remote_settings.max_concurrent_streams, 8)
            hold.set()
            for stream in streams:
                equal(client.wait(stream).status, 200)
            equal(client.ask().status, 200)
    hold.clear()
    with Daemon(config2(server, listener="    limits: {streams: 2}")) as clbd:
        with RawClient(clbd.port) as client:
            for stream in (1, 3, 5):
                client.request(stream)
            equal(client.verdict(5), ("reset", CODES.REFUSED_STREAM))
            hold.set()


def stop():
    """told to stop, clbd says so twice, and answers what has begun"""
    hold = threading.Event()

    def answer(server, sock, reader, request):
        hold.wait(30)
        return server.plain(sock, reader, request)

    server = Server(answer)
    with Daemon(config2(server)) as clbd:
        with H2Client(clbd.port) as client, H2Client(clbd.port) as idle:
            stream = client.request()
            wait_for("the request", lambda: server.requests)
            clbd.process.send_signal(signal.SIGTERM)
            client.until(lambda: len(client.goaways) == 2)
            equal(client.goaways, [(CODES.NO_ERROR, 0x7fffffff),
                                   (CODES.NO_ERROR, stream)])
            equal(idle.end(), CODES.NO_ERROR)
            equal(len(idle.goaways), 2)
            hold.set()
            equal(client.wait(stream).body, b"server")
            client.end()


def stop_unanswered():
    """a client that does not answer the notice is left all the same"""
    with Daemon(config2(Server())) as clbd, RawClient(clbd.port) as client:
        equal(client.find(SETTINGS) is not None, True)
        clbd.process.send_signal(signal.SIGTERM)
        equal(client.verdict(), ("goaway", CODES.NO_ERROR))
        equal(client.verdict(), ("goaway", CODES.NO_ERROR))
        equal(client.verdict(), ("end", None))


def stop_and_read():
    """a client that is slow to read has all of its response, though clbd was
    told to stop"""
    data = bytes(12000000)
    server = Server(reply(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
                          % (len(data), data)))
    with Daemon(config2(server)) as clbd:
        with H2Client(clbd.port, window=1 << 30) as client, \
                RawClient(clbd.port) as other:
            client.h2.increment_flow_control_window(1 << 29)
            stream = client.request()
            wait_for("the request", lambda: server.requests)
            equal(other.find(SETTINGS) is not None, True)
            clbd.process.send_signal(signal.SIGTERM)
            # It answers no notice either, and is left after its time.
            while other.verdict()[0] != "end":
                pass
            equal(client.wait(stream).body == data, True, "body")


def listener_goes():
    """connections of a listener that goes end with what has begun"""
    with Daemon(config2(Server())) as clbd, H2Client(clbd.port) as client:
        equal(client.ask().status, 200)
        clbd.reload(config2(Server()).replace("@PORT@", str(free_port())))
        equal(client.ask().status, 200)
        equal(client.end(), CODES.NO_ERROR)


def idle():
    """without a stream a connection ends, whatever else comes"""
    with Daemon(config2(Server(), listener="    timeouts: {idle: 1}")) as clbd:
        with H2Client(clbd.port) as client:
            equal(client.ask().status, 200)
            equal(client.end(), CODES.NO_ERROR)
        with RawClient(clbd.port) as client:
            client.sock.settimeout(0.1)
            for _ in range(200):
                client.send(frame(PING, 0, 0, bytes(8)))
                try:
                    if client.verdict()[0] != "reset":
                        break
                except TimeoutError:
                    continue
            else:
                raise AssertionError("PING keeps it open")
        with Client(clbd.port) as client:
            client.send(PREFACE[:10])
            client.reader.rest()


def slow_head():
    """a head that does not come to its end ends the connection"""
    with Daemon(config2(Server(), listener="    timeouts: {idle: 1}")) as clbd:
        with RawClient(clbd.port) as client:
            client.send(frame(HEADERS, END_STREAM, 1, bytes(10000))[:9])
            client.sock.settimeout(0.1)
            for _ in range(200):
                # Of a field: without index, "a", of 1 byte, "b".
                client.send(b"\x00\x01a\x01b")
                try:
                    if client.verdict(0)[0] in ("goaway", "end"):
                        break
                except TimeoutError:
                    continue
            else:
                raise AssertionError("the connection stays open")
        equal(clbd.stats()["timeouts"], 1)


def slow_body():
    """a body that stops coming is answered with 408, a response that nobody
    takes is reset"""
    def answer(_, sock, reader, request):
        if request.first.startswith("POST"):
            reader.rest()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" +
                     bytes(300000))

    server = HeadServer(answer)
    times = "    timeouts: {idle: 1, request: 2}"
    with Daemon(config2(server, listener=times)) as clbd:
        with H2Client(clbd.port) as client:
            stream = client.request(method="POST", end=False)
            client.send(stream, b"a")
            client.until(lambda: client.streams[stream].over)
            equal(client.streams[stream].status, 408)
        with H2Client(clbd.port, slow=True) as client:
            stream = client.request()
            equal(client.wait(stream).reset, CODES.CANCEL)


def stuck():
    """a client that does not read its socket is left"""
    server = Server(reply(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" +
                          bytes(4000000)))
    times = "    timeouts: {request: 1}"
    with Daemon(config2(server, listener=times)) as clbd:
        with RawClient(clbd.port) as client:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.send(frame(SETTINGS, 0, 0,
                              struct.pack(">HI", 4, 0x7fffffff)) +
                        frame(WINDOW, 0, 0, struct.pack(">I", 0x7ffe0000)))
            # All at once: clbd has read them before it is stuck.
            client.send(b"".join(
                frame(HEADERS, END_HEADERS | END_STREAM, stream, client.block())
                for stream in range(1, 60, 2)))
            wait_for("30 requests", lambda: clbd.stats()["requests"] == 30)

            def ended():
                # Each stream by itself or with the connection, and that.
                stats = clbd.stats()
                return stats["timeouts"] + stats["client_aborts"] == 31
            wait_for("the end of 30 streams and the connection", ended)


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
    Tap().run([get, both, bodiless, bodies, request_trailers,
               chunked_responses, fields_of_one_hop, cut_off, interim, cookies,
               many_streams, large_responses, back_pressure, slow_server,
               client_leaves, early_answers, retries, own_answers, malformed,
               wrong_lengths, rapid_reset, made_resets, floods,
               continuations, header_bombs, broken_frames, tiny_windows, limits,
               stop, stop_unanswered, stop_and_read, listener_goes, idle,
               slow_head, slow_body, stuck, others])
