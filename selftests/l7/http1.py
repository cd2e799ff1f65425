#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What clbd passes on between clients and servers, and what it does not."""
import socket
import struct
import threading

from rig import (PATIENCE, Client, Daemon, HeadServer, Reader, Server, Tap,
                 ask, config, equal, reply, wait_for)


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


def keepalive_limits():
    """keepalive, keepalive-timeout: so many connections to a server are kept, for
    so long"""
    go = threading.Event()

    def answer(server, sock, reader, request):
        if "/held" in request.first:
            go.wait(30)
        Server.plain(server, sock, reader, request)
    server = Server(answer)

    def at_once(port, count):
        go.clear()
        asked = len(server.requests)
        clients = [Client(port).send(
            b"GET /held HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(count)]
        wait_for("all", lambda: len(server.requests) == asked + count)
        go.set()
        for client in clients:
            equal(client.response().status, 200)
            client.close()
    with Daemon(config(server, group="    keepalive: 0")) as clbd, \
            Client(clbd.port) as client:
        for i in range(1, 5):
            equal(client.ask().status, 200)
            equal(server.connections, i)
            wait_for("its end", lambda: not server.open)
        clbd.reload(config(server, group="    keepalive: 2"))
        at_once(clbd.port, 5)
        wait_for("two to be left", lambda: len(server.open) == 2)
        equal(client.ask().status, 200)
        equal(server.connections, 9)
        clbd.reload(config(server, group="    keepalive-timeout: 1"))
        at_once(clbd.port, 2)
        equal(server.connections, 9)
        wait_for("the end of all", lambda: not server.open)


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
            data = bytes(reader.data) or sock.recv(65536)
            reader.data = bytearray()
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
        client.reset()
        equal(gone.wait(30), True)
        wait_for("it to be counted", lambda: clbd.stats()["client_aborts"])


def half_closed():
    """a client that has ended its half gets its response"""
    with Daemon(config(Server())) as clbd, Client(clbd.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        equal(client.response().body, b"server")
        equal(client.ended(), True)


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
    header = b"PROXY TCP4 198.51.100.7 192.0.2.1 77 80\r\n"
    for listener in "", "    proxy-from: [192.0.2.0/24, 127.0.0.2]":
        with Daemon(config(server, listener=listener)) as clbd:
            with Client(clbd.port) as client:
                equal(client.ask().status, 200)
                equal(server.requests[-1].get("X-Forwarded-For"), "127.0.0.1")
            with Client(clbd.port) as client:
                client.send(header + get)
                equal(client.response().status, 501)


def last_segment():
    """a connection ends in the segment that a response ends in"""
    server = Server()
    with Daemon(config(server)) as clbd, \
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                          socket.htons(0x0800)) as wire:
        wire.bind(("lo", 0))
        wire.settimeout(PATIENCE)
        for close in "Connection: close\r\n", "", "Connection: close\r\n":
            with Client(clbd.port) as client:
                equal(client.ask(fields=close).status, 200)
                equal(ends_at_once(wire, client.sock), bool(close))


def ends_at_once(wire, sock):
    """Is FIN in the first segment with data that came?"""
    ports = struct.pack(">HH", sock.getpeername()[1], sock.getsockname()[1])
    while True:
        segment = wire.recv(65536)[34:]
        if segment.startswith(ports) and len(segment) > segment[12] // 16 * 4:
            return bool(segment[13] & 1)


def both_families():
    """IPv6: listener, server, and the client's address"""
    server = Server()
    text = config(server).replace("127.0.0.1:@PORT@", "[::1]:@PORT@")
    with Daemon(text) as clbd:
        client = object.__new__(Client)
        client.sock = socket.create_connection(("::1", clbd.port))
        client.reader = Reader(client.sock)
        equal(client.ask(host="[::1]:80").status, 200)
        equal(server.requests[0].get("X-Forwarded-For"), "::1")
        client.close()


if __name__ == "__main__":
    Tap().run([request_as_it_was, forwarded, one_hop, keepalive, keepalive_limits,
               pipelining,
               in_pieces, response_in_pieces, bodies, trailers, until_the_end,
               head, no_body, old_clients, early_hints, expect_continue,
               expect_refused, websocket, websocket_refused, slow_reader,
               slow_server, client_leaves, half_closed, proxy_protocol,
               last_segment, both_families])
