#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What clbd passes on between clients and servers, and what it does not."""
import os
import pathlib
import signal
import socket
import struct
import tempfile
import threading

from rig import (Client, Daemon, HeadServer, Server, Tap, ask, config, equal,
                 free_port, wait_for)


def reply(body=b"", fields="", status="200 OK"):
    return (f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
            .encode() + body)


def echo(_server, sock, _reader, request):
    sock.sendall(reply(request.body))


def request_as_it_was():
    """a request reaches the server as it was, and the response the client"""
    server = Server(lambda _, sock, __, ___: sock.sendall(
        reply(b"hello", "X-Answer: 1\r\nx-Answer: 2\r\n", "207 My Own")))
    with Daemon(config(server)) as clbd:
        response = ask(clbd.port, "/p?q=%20", "REPORT",
                       "X-a: 1\r\nx-A:  2 \r\nCookie: c=d\r\n")
        request = server.requests[0]
        equal(request.first, "REPORT /p?q=%20 HTTP/1.1")
        equal(request.all("Host"), ["a.example"])
        equal([v.strip() for v in request.all("x-a")], ["1", "2"])
        equal(request.get("Cookie"), "c=d")
        equal(response.first, "HTTP/1.1 207 My Own")
        equal(response.all("X-Answer"), ["1", "2"])
        equal(response.body, b"hello")


def forwarded():
    """X-Forwarded-For is added to, -Proto and -Port are set, others' are not
    believed"""
    server = Server()
    with Daemon(config(server, listener="    headers: [proto, port, "
                       "client-port, listener-name, listener-address]")) as c:
        with Client(c.port) as client:
            client.ask()
            client.ask(fields="X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\n"
                       "x-forwarded-for: 192.0.2.3\r\n"
                       "X-Forwarded-Proto: https\r\nX-Forwarded-Port: 1\r\n"
                       "X-Listener-Name: x\r\n"
                       "X_Forwarded_For: 192.0.2.4\r\nX_Other: y\r\n")
            port = str(client.sock.getsockname()[1])
        first, second = server.requests
        equal(first.all("X-Forwarded-For"), ["127.0.0.1"])
        equal(second.all("X-Forwarded-For"),
              ["192.0.2.1, 192.0.2.2, 192.0.2.3, 127.0.0.1"])
        equal(second.all("X_Forwarded_For"), [])
        equal(second.all("X_Other"), ["y"])
        equal(second.all("X-Forwarded-Proto"), ["http"])
        equal(second.all("X-Forwarded-Port"), [str(c.port)])
        equal(second.all("X-Listener-Name"), ["site"])
        equal(second.all("X-Listener-Address"), [f"127.0.0.1:{c.port}"])
        equal(second.all("X-Forwarded-Client-srcport"), [port])


def one_hop():
    """fields of one hop stay behind, in both directions"""
    server = Server(lambda _, sock, __, ___: sock.sendall(reply(
        b"", "Connection: x-mine, keep-alive\r\nX-Mine: 1\r\nX-Other: 2\r\n"
        "Keep-Alive: timeout=5\r\nUpgrade: h2c\r\n")))
    with Daemon(config(server)) as clbd:
        response = ask(clbd.port, fields="Connection: keep-alive, X-Gone, TE\r\n"
                       "X-Gone: 1\r\nX-Kept: 2\r\nTE: trailers\r\n"
                       "Keep-Alive: 5\r\nProxy-Connection: close\r\n"
                       "Upgrade: h2c\r\nHTTP2-Settings: x\r\nProxy: x\r\n")
        request = server.requests[0]
        for name in ("Connection", "X-Gone", "TE", "Keep-Alive", "Upgrade",
                     "Proxy-Connection", "Proxy"):
            equal(request.get(name), None, name)
        equal(request.get("X-Kept"), "2")
        for name in ("Connection", "X-Mine", "Keep-Alive", "Upgrade"):
            equal(response.get(name), None, name)
        equal(response.get("X-Other"), "2")


def keepalive():
    """clients' and servers' connections are used again"""
    server = Server()
    with Daemon(config(server)) as clbd:
        with Client(clbd.port) as client:
            for _ in range(50):
                equal(client.ask().body, b"server")
        for _ in range(20):
            equal(ask(clbd.port).status, 200)
        equal(server.connections, 1, "connections to the server")
        equal(clbd.stats()["reuses"], 69)


def pipelining():
    """requests sent at once are answered in order, with bodies between them"""
    server = Server(lambda _, sock, __, request: sock.sendall(reply(
        request.first.encode() + b" " + request.body)))
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        data = b""
        for i in range(300):
            data += b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i
            data += (b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                     b"\r\nabc\r\n" % i)
        threading.Thread(target=client.send, args=(data,)).start()
        for i in range(300):
            equal(client.response().body, b"GET /%d HTTP/1.1 " % i)
            equal(client.response().body, b"POST /%d HTTP/1.1 abc" % i)


def in_pieces():
    """a request that arrives byte by byte is the same"""
    server = Server(echo)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                b"\r\n5\r\nhello\r\n0\r\n\r\n")
        for byte in data:
            client.send(bytes([byte]))
        equal(client.response().body, b"hello")


def response_in_pieces():
    """a response that arrives byte by byte is the same"""
    def slowly(_server, sock, _reader, _request):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"5\r\nhello\r\n0\r\nX-Sum: 7\r\n\r\n"):
            sock.sendall(bytes([byte]))
    with Daemon(config(Server(slowly))) as clbd, Client(clbd.port) as client:
        for _ in range(3):
            response = client.ask()
            equal(response.body, b"hello")
            equal(response.trailers, b"X-Sum: 7\r\n")


def bodies():
    """bodies of any size come through, by length and in chunks"""
    def both(_server, sock, _reader, request):
        data = request.body
        if request.get("Transfer-Encoding"):
            sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                         b"\r\n")
            for at in range(0, len(data), 5000):
                part = data[at:at + 5000]
                sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            sock.sendall(b"0\r\n\r\n")
        else:
            sock.sendall(reply(data))
    with Daemon(config(Server(both))) as clbd, Client(clbd.port) as client:
        for size in (0, 1, 100, 15000, 16384, 70000, 1000000):
            data = bytes(i * 7 % 251 for i in range(size))
            equal(client.ask(method="POST", body=data,
                             fields=f"Content-Length: {size}\r\n").body
                  == data, True, f"{size} by length")
            chunks = b"".join(b"%X\r\n%s\r\n" % (len(data[i:i + 777]),
                                                data[i:i + 777])
                              for i in range(0, size, 777))
            equal(client.ask(method="POST", body=chunks + b"0\r\n\r\n",
                             fields="Transfer-Encoding: chunked\r\n").body
                  == data, True, f"{size} in chunks")


def trailers():
    """trailers come through, in both directions"""
    def answer(_server, sock, _reader, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                     b"Trailer: X-Sum\r\n\r\n0\r\n" + request.trailers +
                     b"\r\n")
    with Daemon(config(Server(answer))) as clbd:
        response = ask(clbd.port, method="POST", body=b"0\r\nX-Sum: 5\r\n\r\n",
                       fields="Transfer-Encoding: chunked\r\n")
        equal(response.trailers, b"X-Sum: 5\r\n")


def until_the_end():
    """a response without length lasts until the server closes; clients of
    HTTP/1.1 get it in chunks"""
    def answer(_server, sock, _reader, request):
        size = int(request.first.split()[1][1:])
        sock.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * size)
        return False
    with Daemon(config(Server(answer))) as clbd:
        with Client(clbd.port) as client:
            for size in (0, 1, 100, 15000, 100000):
                response = client.ask(f"/{size}")
                equal(response.get("Transfer-Encoding"), "chunked")
                equal(response.get("Connection"), None)
                equal(response.body, b"x" * size)
            equal(client.ask("/9", method="HEAD").status, 200)
            equal(client.ask("/9").body, b"x" * 9)
        with Client(clbd.port) as client:
            response = client.ask("/100000", version="1.0",
                                  fields="Connection: keep-alive\r\n")
            equal(response.get("Connection"), "close")
            equal(response.body, b"x" * 100000)
        equal(clbd.stats()["server_errors"], 0)


def head():
    """the response to HEAD has no body, whatever its length says"""
    server = Server(lambda _, sock, __, ___: sock.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"))
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for _ in range(3):
            equal(client.ask(method="HEAD").get("Content-Length"), "1000")
        equal(server.connections, 1)


def no_body():
    """204 and 304 have no body; what a server sends behind it is no response"""
    def answer(_server, sock, _reader, request):
        status = request.first.split()[1][1:]
        sock.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 40\r\n\r\n"
                     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".encode())
    server = Server(answer)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for status in (204, 304, 204):
            equal(client.ask(f"/{status}").status, status)
        equal(server.connections, 3, "connections to the server")


def old_clients():
    """HTTP/1.0: the end closes, unless keep-alive is asked for; no chunks, no
    1xx"""
    def answer(_server, sock, _reader, request):
        if "chunked" in request.first:
            sock.sendall(b"HTTP/1.1 103 X\r\n\r\nHTTP/1.1 200 OK\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
                         b"6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n")
        else:
            sock.sendall(reply(b"hello"))
    server = Server(answer)
    with Daemon(config(server)) as clbd:
        with Client(clbd.port) as client:
            response = client.ask(version="1.0")
            equal(response.get("Connection"), "close")
            equal(client.ended(), True)
        with Client(clbd.port) as client:
            for _ in range(3):
                response = client.ask(version="1.0",
                                      fields="Connection: keep-alive\r\n")
                equal(response.get("Connection"), "keep-alive")
                equal(response.body, b"hello")
            response = client.ask("/chunked", version="1.0",
                                  fields="Connection: keep-alive\r\n")
            equal(response.get("Transfer-Encoding"), None)
            equal(response.body, b"hello world")
        with Client(clbd.port) as client:
            client.send(b"GET / HTTP/1.0\r\n\r\n")
            equal(client.response().status, 200)
        equal(server.requests[-1].get("Host"), f"127.0.0.1:{clbd.port}")
        equal({r.first.split()[2] for r in server.requests}, {"HTTP/1.1"})


def early_hints():
    """1xx responses come through before the response"""
    server = Server(lambda _, sock, __, ___: sock.sendall(
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </y>\r\n\r\n" + reply(b"z")))
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for _ in range(2):
            equal(client.ask().get("Link"), "</x>")
            equal(client.response().get("Link"), "</y>")
            equal(client.response().body, b"z")


def expect_continue():
    """100-continue: the body is sent when the server has said so"""
    def answer(_server, sock, reader, request):
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = reader.exactly(int(request.get("Content-Length")))
        sock.sendall(reply(body + request.get("Expect").encode()))
    server = HeadServer(answer)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for _ in range(2):
            equal(client.ask(method="POST", fields="Content-Length: 5\r\n"
                             "Expect: 100-continue\r\n").status, 100)
            equal(client.send(b"hello").response().body, b"hello100-continue")


def expect_refused():
    """100-continue: a final answer instead ends the connection, as the body
    may still come"""
    server = HeadServer(lambda _, sock, __, ___: sock.sendall(
        reply(b"no", status="403 Forbidden")))
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        response = client.ask(method="POST", fields="Content-Length: 5\r\n"
                              "Expect: 100-continue\r\n")
        equal(response.status, 403)
        equal(response.get("Connection"), "close")
        equal(client.ended(), True)


def websocket():
    """Upgrade to websocket: bytes go both ways until one side ends"""
    def answer(_server, sock, reader, request):
        equal(request.get("Upgrade"), "websocket")
        equal(request.get("Connection"), "Upgrade")
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\n"
                     b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
                     b"Sec-WebSocket-Accept: x\r\n\r\nfirst")
        while True:
            data = reader.data or sock.recv(65536)
            reader.data = b""
            if not data:
                sock.sendall(b"bye")
                return False
            sock.sendall(data.upper())
    server = HeadServer(answer)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        response = client.ask(fields="Connection: Upgrade\r\n"
                              "Upgrade: websocket\r\nSec-WebSocket-Key: k\r\n",
                              body=b"early")
        equal(response.status, 101)
        equal(response.get("Upgrade"), "websocket")
        equal(client.reader.exactly(10), b"firstEARLY")
        for i in range(100):
            text = b"x%d" % i
            equal(client.send(text).reader.exactly(len(text)), text.upper())
        client.sock.shutdown(socket.SHUT_WR)
        equal(client.reader.rest(), b"bye")


def websocket_refused():
    """a server that does not switch answers; one that switches unasked is
    wrong"""
    def answer(_server, sock, _reader, request):
        if "/no" in request.first:
            sock.sendall(reply(b"no", status="400 No"))
        else:
            sock.sendall(b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\n"
                         b"Upgrade: websocket\r\n\r\n")
    with Daemon(config(HeadServer(answer))) as clbd, Client(clbd.port) as client:
        equal(client.ask("/no", fields="Connection: Upgrade\r\n"
                         "Upgrade: websocket\r\n").status, 400)
        equal(client.ask("/no").status, 400)
        equal(client.ask("/yes").status, 502)


def gone_while_waiting():
    """an upstream that the server closed meanwhile costs no request"""
    server = Server()
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        for method in ("GET", "POST", "GET", "POST"):
            equal(client.ask(method=method,
                             fields="Content-Length: 0\r\n").status, 200)
            server.drop()


def closed_at_the_request():
    """idempotent requests are sent again when an upstream that waited ends at
    them; others are not"""
    def answer(server, sock, _reader, request):
        if len(server.requests) % 2 == 0:
            return False
        sock.sendall(reply(b"x"))
        return True
    server = Server(answer)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        equal(client.ask().status, 200)
        equal(client.ask().status, 200)
        equal(len(server.requests), 3)
        equal(client.ask(method="POST",
                         fields="Content-Length: 0\r\n").status, 502)
        equal(len(server.requests), 4)
        equal(clbd.stats()["retries"], 1)


def lost_before_a_response():
    """a new connection that ends before a response: one more server is asked, if
    the request may be done twice, and no third"""
    def hang_up(_server, _sock, _reader, _request):
        return False
    text = config(*(servers := [Server(hang_up), Server(hang_up),
                                Server(hang_up)]))
    good = Server(name="good")
    with Daemon(text) as clbd:
        equal(ask(clbd.port).status, 502)
        equal(sum(len(s.requests) for s in servers), 2)
        equal(ask(clbd.port, method="POST",
                  fields="Content-Length: 1\r\n", body=b"x").status, 502)
        equal(sum(len(s.requests) for s in servers), 3)
        clbd.reload(config(servers[0], good, group="    eject-after: 0"))
        for _ in range(8):
            equal(ask(clbd.port).body, b"good")
        equal(len(servers[0].requests) > 3, True)
        equal(clbd.stats()["server_errors"], 2)


def same_server_again():
    """after an upstream that had waited was closed, its server is asked again,
    whoever's turn it is"""
    seen = set()

    def answer(server, sock, _reader, _request):
        if sock in seen:
            return False
        seen.add(sock)
        sock.sendall(reply(server.name.encode()))
        return True
    servers = [Server(answer, "a"), Server(answer, "b")]
    with Daemon(config(*servers, group="    scheduler: rr")) as clbd, \
            Client(clbd.port) as client:
        equal([client.ask().body for _ in range(4)], [b"a", b"b", b"a", b"b"])
        equal(clbd.stats()["retries"], 2)


def next_server():
    """a server that refuses connections is passed over, for POST, too"""
    closed = type("Closed", (), {"address": f"127.0.0.1:{free_port()}"})
    server = Server()
    with Daemon(config(closed, server)) as clbd:
        for method in ("GET", "POST") * 4:
            equal(ask(clbd.port, method=method,
                      fields="Content-Length: 0\r\n").status, 200)


def ejected():
    """a server that fails is asked after all others"""
    closed = type("Closed", (), {"address": f"127.0.0.1:{free_port()}"})
    with Daemon(config(closed, Server(), group="    eject-time: 3600")) as \
            clbd, Client(clbd.port) as client:
        while clbd.stats()["connect_errors"] < 3:
            equal(clbd.stats()["ejections"], 0)
            equal(client.ask().body, b"server")
        equal(clbd.stats()["ejections"], 1)
        for _ in range(10):
            equal(client.ask().body, b"server")
        equal(clbd.stats()["connect_errors"], 3)


def ejected_for_a_while():
    """a server that was ejected is tried again after a while, and gets its
    share once it is back"""
    port = free_port()
    closed = type("Closed", (), {"address": f"127.0.0.1:{port}"})
    with Daemon(config(closed, Server(), group="    eject-time: 1")) as clbd, \
            Client(clbd.port) as client:
        def tried_again():
            equal(client.ask().body, b"server")
            return clbd.stats()["connect_errors"] > 3
        wait_for("it to be tried again", tried_again)
        back = Server(name="back", port=port)
        wait_for("it to be back", lambda: client.ask().body == b"back")
        equal({client.ask().body for _ in range(4)}, {b"server", b"back"})
        back.close()


def all_ejected():
    """where all servers are ejected, they are asked all the same"""
    port = free_port()
    closed = type("Closed", (), {"address": f"127.0.0.1:{port}"})
    with Daemon(config(closed, group="    eject-after: 1\n"
                       "    eject-time: 3600")) as clbd, \
            Client(clbd.port) as client:
        for _ in range(3):
            equal(client.ask().status, 502)
        Server(name="back", port=port)
        equal(client.ask().body, b"back")


def no_server():
    """502 when no server takes a connection, and the client's goes on"""
    closed = type("Closed", (), {"address": f"127.0.0.1:{free_port()}"})
    with Daemon(config(closed)) as clbd, Client(clbd.port) as client:
        equal(client.ask().status, 502)
        equal(client.ask().status, 502)


def weightless():
    """503 when every weight is 0"""
    server = Server()
    text = config(server).replace(f'address: "{server.address}"',
                                  f'address: "{server.address}"\n'
                                  "        weight: 0")
    with Daemon(text) as clbd:
        equal(ask(clbd.port).status, 503)
        equal(server.connections, 0)


def bad_responses():
    """what a server may not send is 502, and nothing of it is passed on"""
    bad = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2 200\r\n\r\n", b"garbage\r\n\r\n", b"",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 17 + reply(b"x"),
        b"HTTP/1.1 200 OK\r\nContent-Le",
    ]

    def answer(_server, sock, _reader, request):
        sock.sendall(bad[int(request.first.split()[1][1:])])
        return False
    with Daemon(config(Server(answer))) as clbd:
        for i, data in enumerate(bad):
            with Client(clbd.port) as client:
                response = client.ask(f"/{i}", method="POST",
                                      fields="Content-Length: 0\r\n")
                while response.status == 100:
                    response = client.response()
                equal(response.status, 502, data[:60])


def cut_responses():
    """a response that is cut off does not look complete to the client"""
    cut = [reply(b"x" * 1000)[:-1],
           b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
           b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
           b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
           b"z\r\n"]

    def answer(_server, sock, _reader, request):
        sock.sendall(cut[int(request.first.split()[1][1:])])
        return False
    with Daemon(config(Server(answer))) as clbd:
        for i, data in enumerate(cut):
            with Client(clbd.port) as client:
                try:
                    response = client.ask(f"/{i}")
                except (ConnectionResetError, EOFError, ValueError, TypeError):
                    continue
                equal(response and response.status, 502, data)


def reset_response():
    """a response that lasts until the end is not complete when that is a
    reset"""
    def answer(_server, sock, reader, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\nhello")
        reader.until(b"go")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        return False
    server = HeadServer(answer)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
        client.reader.until(b"hello")
        client.send(b"go")
        try:
            client.reader.rest()
        except ConnectionResetError:
            return
        raise AssertionError("it looks complete")


def slow_reader():
    """a client that does not read stops the server; memory stays as it is"""
    sent = [0]

    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n")
        for _ in range(2000):
            sock.sendall(b"x" * 100000)
            sent[0] += 100000
    with Daemon(config(Server(answer))) as clbd, Client(clbd.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        seen = []

        def stalled():
            seen.append(sent[0])
            return len(seen) > 100 and len(set(seen[-100:])) == 1
        wait_for("the server to stop", stalled)
        if sent[0] > 50000000:
            raise AssertionError(f"{sent[0]} bytes are on their way")
        total = 0
        client.reader.until(b"\r\n\r\n")
        total = len(client.reader.data)
        while total < 200000000:
            total += len(client.sock.recv(1 << 20))
        equal(total, 200000000)


def slow_server():
    """a server that does not read stops the client"""
    go = threading.Event()

    def answer(_server, sock, reader, _request):
        go.wait(60)
        left = 200000000 - len(reader.data)
        while left:
            left -= len(sock.recv(1 << 20))
        sock.sendall(reply(b"done"))
    server = HeadServer(answer)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\n"
                    b"Content-Length: 200000000\r\n\r\n")
        client.sock.setblocking(False)
        sent, still = 0, 0
        block = memoryview(b"x" * 100000)

        def stalled():
            nonlocal sent, still
            try:
                sent += client.sock.send(block[:200000000 - sent])
                still = 0
            except BlockingIOError:
                still += 1
            return still > 100 or sent == 200000000
        wait_for("the client to stop", stalled)
        if sent > 50000000:
            raise AssertionError(f"{sent} bytes are on their way")
        go.set()
        client.sock.settimeout(60)
        while sent < 200000000:
            sent += client.sock.send(block[:200000000 - sent])
        equal(client.response().body, b"done")


def client_leaves():
    """a client that goes takes its upstream along"""
    gone = threading.Event()

    def answer(_server, sock, _reader, _request):
        try:
            if not sock.recv(1):
                gone.set()
        except ConnectionResetError:
            gone.set()
        return False
    server = HeadServer(answer)
    with Daemon(config(server)) as clbd:
        client = Client(clbd.port)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        wait_for("the request", lambda: server.requests)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                               struct.pack("ii", 1, 0))
        client.close()
        equal(gone.wait(30), True)
        wait_for("it to be counted", lambda: clbd.stats()["client_aborts"])


def half_closed():
    """a client that has ended its half gets its response"""
    with Daemon(config(Server())) as clbd, Client(clbd.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        equal(client.response().body, b"server")
        equal(client.ended(), True)


def shares():
    """wrr gives by weight, rr in turn"""
    servers = [Server(name="a"), Server(name="b"), Server(name="c")]
    for scheduler, weights, wanted in (("wrr", (50, 25, 0), (40, 20, 0)),
                                       ("rr", (50, 25, 0), (30, 30, 0)),
                                       ("wlc", (1, 1, 1), (20, 20, 20))):
        text = config(*servers, group=f"    scheduler: {scheduler}")
        for server, weight in zip(servers, weights):
            text = text.replace(f'- address: "{server.address}"',
                                f'- address: "{server.address}"\n'
                                f"        weight: {weight}")
        counts = {b"a": 0, b"b": 0, b"c": 0}
        with Daemon(text) as clbd, Client(clbd.port) as client:
            for _ in range(60):
                counts[client.ask().body] += 1
        equal(tuple(counts.values()), wanted, scheduler)


def hashed():
    """hash by url: a path keeps its server"""
    servers = [Server(name=n) for n in "abcd"]
    with Daemon(config(*servers, group="    scheduler: hash\n    hash: url")) \
            as clbd, Client(clbd.port) as client:
        first = [client.ask(f"/{i}").body for i in range(40)]
        equal([client.ask(f"/{i}").body for i in range(40)], first)
        equal(len(set(first)), 4)


def ruled():
    """rules: domain and URL lead to their group, the rest to the listener's"""
    web, img, wild = Server(name="web"), Server(name="img"), Server(name="wild")
    text = config(web, listener="""    rules:
      - {domain: a.example, url: /img, group: img}
      - {domain: "*.b.example", group: wild}
""").replace("listeners:", f"""  - name: img
    servers: [{{address: "{img.address}"}}]
  - name: wild
    servers: [{{address: "{wild.address}"}}]
listeners:""")
    with Daemon(text) as clbd, Client(clbd.port) as client:
        for host, target, wanted in (("a.example", "/", b"web"),
                                     ("A.Example:80", "/img/1", b"img"),
                                     ("a.example", "/x/../img", b"img"),
                                     ("x.b.example", "/img", b"wild"),
                                     ("b.example", "/img", b"web")):
            equal(client.ask(target, host=host).body, wanted, host + target)


def no_rule():
    """404 where no rule fits and the listener has no group"""
    text = config(Server(), listener="""    rules:
      - {domain: a.example, group: web}""").replace("    group: web\n", "", 1)
    with Daemon(text) as clbd, Client(clbd.port) as client:
        equal(client.ask(host="b.example").status, 404)
    with Daemon(text) as clbd:
        equal(ask(clbd.port, host="a.example").status, 200)


def redirects():
    """redirects: of a listener or by rule, with any code; the connection goes
    on"""
    server = Server()
    text = config(server, listener="""    redirect: "https://$host$uri"
    rules:
      - {url: /web, group: web}
      - {url: /old, redirect: "http://$host:81/new$$x?", redirect-code: 307}
""").replace("    group: web\n", "", 1)
    with Daemon(text) as clbd, Client(clbd.port) as client:
        equal(client.ask("/web").status, 200)
        response = client.ask("/a?b", host="a.example:80")
        equal(response.status, 301)
        equal(response.get("Location"), "https://a.example/a?b")
        response = client.ask("/old/1", method="HEAD")
        equal(response.status, 307)
        equal(response.get("Location"), "http://a.example:81/new$$x?")
        equal(client.ask("/a", method="POST", body=b"ab", fields=
                         "Content-Length: 2\r\n").get("Connection"), "close")
    for head in (b"GET /a HTTP/1.0", b"OPTIONS * HTTP/1.1\r\nHost: a"):
        with Daemon(text) as clbd, Client(clbd.port) as client:
            client.send(head + b"\r\n\r\n")
            equal(client.response().status, 400)
    equal(len(server.requests), 1)


STICKY = """    cookie: SERVERID
    cookie-lifetime: 60
    eject-time: 3600"""


def location_too_long():
    """a location for which there is no room is answered with 414"""
    listener = ("    rules:\n      - {domain: a.example, redirect: "
                "\"http://b.example$uri$uri\"}")
    with Daemon(config(Server(), listener=listener)) as clbd, \
            Client(clbd.port) as client:
        equal(client.ask("/" + "x" * 5000).get("Location"),
              "http://b.example" + 2 * ("/" + "x" * 5000))
        equal(client.ask("/" + "x" * 10000).status, 414)
        equal(client.ask("/").status, 301)


def error_pages():
    """answers of clbd's own have the listener's pages, servers' do not"""
    server = Server(lambda _, sock, __, ___: sock.sendall(
        reply(b"own", status="503 Busy")))
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "page")
        pathlib.Path(path).write_bytes(b"<p>gone</p>")
        pages = (f"    error-pages:\n      - {{status: 503, file: {path}}}\n"
                 f"      - {{status: 404, type: text/x, file: {path}}}\n"
                 "    rules:\n      - {url: /none, group: none}\n"
                 "      - {url: /, group: web}")
        text = config(server, listener=pages).replace(
            "    group: web\n", "").replace("groups:\n", """groups:
  - name: none
    servers:
      - {address: "127.0.0.1:1", weight: 0}
""")
        with Daemon(text) as clbd, Client(clbd.port) as client:
            response = client.ask("/none")
            equal(response.status, 503)
            equal(response.body, b"<p>gone</p>")
            equal(response.get("Content-Type"), "text/html; charset=utf-8")
            response = client.ask("/none", "HEAD")
            equal(response.get("Content-Length"), "11")
            response = client.ask("*", "OPTIONS")
            equal((response.status, response.body), (404, b"<p>gone</p>"))
            equal(response.get("Content-Type"), "text/x")
            equal(client.ask("/").body, b"own")
            pathlib.Path(path).write_bytes(b"y" * 12288)
            clbd.reload(text)
            equal(client.ask("/none").body, b"y" * 12288)
            pathlib.Path(path).write_bytes(b"y" * 12289)
            clbd.process.send_signal(signal.SIGHUP)
            clbd.wait_told("listeners[0].error-pages[0].file: more than 12288")
            pathlib.Path(path).unlink()
            clbd.process.send_signal(signal.SIGHUP)
            clbd.wait_told("error-pages[0].file: No such file")
            equal(client.ask("/none").body, b"y" * 12288)


def cookie():
    """a cookie binds a client to its server, that of weight 0 included; others
    cannot make one"""
    servers = [Server(name=n) for n in "abc"]
    text = config(*servers, top="secret: s", group=STICKY)
    with Daemon(text) as clbd, Client(clbd.port) as client:
        for _ in range(3):
            response = client.ask()
            name, value = response.body, response.get("Set-Cookie")
            equal(value.split("; ")[1:], ["Path=/", "HttpOnly", "Max-Age=60"])
            pair = value.split(";")[0]
            equal(pair.startswith("SERVERID="), True, pair)
            for _ in range(5):
                response = client.ask(fields=f"Cookie: a=b; {pair}\r\n"
                                      "Cookie: c=d\r\n")
                equal(response.body, name)
                equal(response.get("Set-Cookie"), None)
        for wrong in (pair[:-1], pair[:-1] + "x", "SERVERID=", "serverid" +
                      pair[8:]):
            response = client.ask(fields=f"Cookie: {wrong}\r\n")
            equal(response.get("Set-Cookie") is None, False, wrong)
        last = servers[b"abc".index(name)]
        clbd.reload(text.replace(f'"{last.address}"',
                                 f'"{last.address}"\n        weight: 0'))
        for _ in range(5):
            equal(client.ask(fields=f"Cookie: {pair}\r\n").body, name)
            equal(client.ask().body == name, False)
        clbd.reload(text.replace("secret: s", "secret: t"))
        response = client.ask(fields=f"Cookie: {pair}\r\n")
        equal(response.get("Set-Cookie") is None, False)


def cookie_of_the_lost():
    """a client whose server has gone is bound to another; errors bind nobody"""
    servers = [Server(name="a"), Server(lambda _, sock, __, ___: sock.sendall(
        reply(b"b", status="404 No")))]
    text = config(servers[0], top="secret: s", group=STICKY)
    with Daemon(text) as clbd, Client(clbd.port) as client:
        pair = client.ask().get("Set-Cookie").split(";")[0]
        clbd.reload(config(servers[1], top="secret: s", group=STICKY))
        response = client.ask(fields=f"Cookie: {pair}\r\n")
        equal((response.body, response.get("Set-Cookie")), (b"b", None))
        servers[0].close()
        clbd.reload(config(servers[0], Server(name="c"), top="secret: s",
                           group=STICKY))
        response = client.ask(fields=f"Cookie: {pair}\r\n")
        equal(response.body, b"c")
        equal(response.get("Set-Cookie").split(";")[0] == pair, False)


def proxy_protocol():
    """PROXY protocol: who is configured tells the client's address, in both
    versions, and must do so"""
    server = Server()
    get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    second = b"\r\n\r\n\0\r\nQUIT\n"
    with Daemon(config(server, top="log: @LOG@", listener="    proxy-from: "
                       "[192.0.2.0/24, 127.0.0.1]")) as clbd:
        for header, source in (
                (b"PROXY TCP4 198.51.100.7 192.0.2.1 77 80\r\n",
                 "198.51.100.7"),
                (b"PROXY TCP6 2001:db8::7 2001:db8::1 77 80\r\n",
                 "2001:db8::7"),
                (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
                (second + b"\x21\x11\0\x0c\xc6\x33\x64\x08\xc0\0\2\1\0\x4d"
                 b"\0\x50", "198.51.100.8"),
                (second + b"\x20\0\0\0", "127.0.0.1")):
            with Client(clbd.port) as client:
                for byte in header:
                    client.send(bytes([byte]))
                client.send(get + get)
                equal(client.response().status, 200)
                equal(client.response().status, 200)
                equal(server.requests[-1].get("X-Forwarded-For"), source)
        with Client(clbd.port) as client:
            client.send(get)
            equal(client.ended(), True)
        equal(clbd.stats()["proxy_errors"], 1)
    with Daemon(config(server)) as clbd, Client(clbd.port) as client:
        client.send(b"PROXY TCP4 198.51.100.7 192.0.2.1 77 80\r\n" + get)
        equal(client.response().status, 501)


def both_families():
    """IPv6: listener, server, and the client's address"""
    server = Server()
    text = config(server).replace("127.0.0.1:@PORT@", "[::1]:@PORT@")
    with Daemon(text) as clbd:
        client = object.__new__(Client)
        client.sock = socket.create_connection(("::1", clbd.port))
        from rig import Reader
        client.reader = Reader(client.sock)
        equal(client.ask(host="[::1]:80").status, 200)
        equal(server.requests[0].get("X-Forwarded-For"), "::1")
        client.close()


if __name__ == "__main__":
    Tap().run([
        request_as_it_was, forwarded, one_hop, keepalive, pipelining,
        in_pieces, response_in_pieces, bodies, trailers, until_the_end, head,
        no_body, old_clients, early_hints, expect_continue, expect_refused,
        websocket, websocket_refused, gone_while_waiting,
        closed_at_the_request, lost_before_a_response, same_server_again,
        next_server, ejected,
        ejected_for_a_while, all_ejected, no_server, weightless,
        bad_responses, cut_responses, reset_response, slow_reader,
        slow_server, client_leaves, half_closed, shares, hashed, ruled,
        no_rule, redirects, location_too_long, error_pages, cookie, cookie_of_the_lost, proxy_protocol, both_families])
