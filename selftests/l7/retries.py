#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What clbd does where a server fails, or answers what is no answer."""

from rig import (Client, Daemon, HeadServer, Server, Tap, ask, config, equal,
                 free_port, reply, reset_at_close, wait_for)


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
        reset_at_close(sock)
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


if __name__ == "__main__":
    Tap().run([gone_while_waiting, closed_at_the_request,
               lost_before_a_response, same_server_again, next_server, ejected,
               ejected_for_a_while, all_ejected, no_server, weightless,
               bad_responses, cut_responses, reset_response])
