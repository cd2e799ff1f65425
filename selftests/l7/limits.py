#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""clbd: limits of servers and of rates, the queue, slow start, what rules have
of their own."""
import re
import threading
import time

from h2client import H2Client
from rig import Client, Daemon, Server, Tap, ask, config, equal, wait_for


class Held(Server):
    """Answers when it is told to, in the order of the requests."""

    def __init__(self, name="held"):
        self.turns = threading.Semaphore(0)
        self.most = 0
        super().__init__(self.hold, name)

    def hold(self, _server, sock, reader, request):
        self.most = max(self.most, len(self.open))
        self.turns.acquire()
        self.plain(sock, reader, request)

    def let(self, count):
        for _ in range(count):
            self.turns.release()


def limited(*servers, limit=1, group="", **more):
    """Each server takes so many requests."""
    text = config(*servers, group=group, **more)
    return re.sub(r'(- address: ".*")$',
                  rf"\1\n        max-connections: {limit}", text,
                  count=len(servers), flags=re.M)


def begin(clbd, *targets):
    """Clients that have asked and not been answered."""
    clients = []
    for target in targets:
        clients.append(Client(clbd.port).send(
            f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()))
    return clients


def queue():
    """max-connections, queue: so many are served, so many wait, the others get
    503; the connections stay few"""
    server = Held()
    with Daemon(limited(server, limit=2, group="    queue: 2")) as clbd:
        clients = begin(clbd, "/1", "/2")
        wait_for("two requests", lambda: len(server.requests) == 2)
        clients += begin(clbd, "/3")
        wait_for("one to wait", lambda: clbd.stats()["queued"] == 1)
        clients += begin(clbd, "/4")
        wait_for("another", lambda: clbd.stats()["queued"] == 2)
        equal(ask(clbd.port).status, 503)
        equal(clbd.stats()["queue_full"], 1)
        equal(len(server.requests), 2)
        server.let(1)
        wait_for("the next", lambda: len(server.requests) == 3)
        server.let(3)
        for client in clients:
            equal(client.response().status, 200)
        equal([r.first.split()[1] for r in server.requests[2:]],
              ["/3", "/4"])
        equal(server.most, 2)
        equal(clbd.stats()["queue_full"], 1)


def no_queue():
    """max-connections without a queue: 503 at once, and another server if there
    is one"""
    a, b = Held("a"), Held("b")
    with Daemon(limited(a, b)) as clbd:
        clients = begin(clbd, "/1")
        wait_for("one", lambda: len(a.requests) == 1)
        clients += begin(clbd, "/2")
        wait_for("the other", lambda: len(b.requests) == 1)
        equal(ask(clbd.port).status, 503)
        a.let(2)
        equal(clients[0].response().body, b"a")
        equal(ask(clbd.port).body, b"a")
        b.let(1)
        equal(clients[1].response().body, b"b")


def queue_timeout():
    """queue-timeout: who has waited so long gets 503, and nobody after it loses
    its turn"""
    server = Held()
    text = limited(server, group="    queue: 9\n    queue-timeout: 5")
    with Daemon(text) as clbd:
        [first] = begin(clbd, "/1")
        wait_for("the first", lambda: len(server.requests) == 1)
        [second] = begin(clbd, "/2")
        equal(second.response().status, 503)
        equal(clbd.stats()["timeouts"], 1)
        [third] = begin(clbd, "/3")
        wait_for("it to wait", lambda: clbd.stats()["queued"] == 2)
        server.let(2)
        equal(first.response().status, 200)
        equal(third.response().status, 200)
        equal(len(server.requests), 2)


def queue_left():
    """a client that goes while it waits leaves its place to the next, and no
    server is asked for it"""
    server = Held()
    with Daemon(limited(server, group="    queue: 9")) as clbd:
        [first] = begin(clbd, "/1")
        wait_for("the first", lambda: len(server.requests) == 1)
        [second] = begin(clbd, "/2")
        wait_for("one to wait", lambda: clbd.stats()["queued"] == 1)
        [third] = begin(clbd, "/3")
        wait_for("two to wait", lambda: clbd.stats()["queued"] == 2)
        second.reset()
        wait_for("its end", lambda: clbd.stats()["client_aborts"] == 1)
        server.let(2)
        equal(first.response().status, 200)
        equal(third.response().status, 200)
        equal([r.first.split()[1] for r in server.requests], ["/1", "/3"])


def queue_and_reload():
    """who waits during a reload goes on when there is more room by the new
    configuration; and one that stops answers who waits"""
    server = Held()
    with Daemon(limited(server, group="    queue: 9")) as clbd:
        clients = begin(clbd, "/1", "/2", "/3")
        wait_for("two to wait", lambda: clbd.stats()["queued"] == 2)
        clbd.reload(limited(server, limit=2, group="    queue: 9"))
        wait_for("two", lambda: len(server.requests) == 2)
        clbd.process.terminate()
        server.let(3)
        for client in clients:
            equal(client.response().status, 200)


def queue_full_at_once():
    """who comes as room is made does not pass by those that wait: if the queue
    is full, it gets 503"""
    server = Held()
    with Daemon(limited(server, group="    queue: 1")) as clbd:
        request = "GET {} HTTP/1.1\r\nHost: a\r\n\r\n"
        first = Client(clbd.port).send(
            (request.format("/1") + request.format("/3")).encode())
        wait_for("one request", lambda: len(server.requests) == 1)
        [second] = begin(clbd, "/2")
        wait_for("it to wait", lambda: clbd.stats()["queued"] == 1)
        server.let(3)
        equal(first.response().status, 200)
        equal(first.response().status, 503)
        equal(second.response().status, 200)
        equal([r.first.split()[1] for r in server.requests], ["/1", "/2"])
        equal(clbd.stats()["queue_full"], 1)


def queue_of_bound():
    """who is bound to a server that has no room waits for it, and others pass
    by"""
    a, b = Held("a"), Held("b")
    text = limited(a, b, top="secret: s",
                   group="    cookie: S\n    queue: 9\n    scheduler: rr")
    with Daemon(text) as clbd:
        a.let(1)
        first = ask(clbd.port)
        equal(first.body, b"a")
        cookie = first.get("Set-Cookie").split(";")[0]
        a.requests.clear()
        b.let(1)
        equal(ask(clbd.port).body, b"b")
        b.requests.clear()
        [client] = begin(clbd, "/x")
        wait_for("one", lambda: len(a.requests) == 1)
        bound = Client(clbd.port).send(
            f"GET / HTTP/1.1\r\nHost: a\r\nCookie: {cookie}\r\n\r\n".encode())
        wait_for("it to wait", lambda: clbd.stats()["queued"] == 1)
        b.let(1)
        equal(ask(clbd.port).body, b"b")
        equal(len(a.requests), 1)
        a.let(2)
        equal(client.response().body, b"a")
        answer = bound.response()
        equal((answer.body, answer.get("Set-Cookie")), (b"a", None))


def queue_of_streams():
    """requests by HTTP/2 wait as others do; those that are reset, or whose
    connection ends, leave their place to the next, and no server is asked"""
    server = Held()
    text = limited(server, group="    queue: 9", listener="    http2: yes")
    with Daemon(text) as clbd, H2Client(clbd.port) as client, \
            H2Client(clbd.port) as other:
        streams = [client.request("/1")]
        wait_for("one", lambda: len(server.requests) == 1)
        for i, who in enumerate((client, other, client, client), 2):
            streams.append(who.request(f"/{i}"))
            wait_for("it to wait", lambda: clbd.stats()["queued"] == i - 1)
        client.reset(streams[1])
        wait_for("its end", lambda: clbd.stats()["client_aborts"] == 1)
        other.close()
        wait_for("the other's", lambda: clbd.stats()["client_aborts"] == 2)
        server.let(3)
        for stream in (streams[0], streams[3], streams[4]):
            equal(client.wait(stream).status, 200)
        equal([r.first.split()[1] for r in server.requests],
              ["/1", "/4", "/5"])
        equal(server.most, 1)


def queue_timeout_of_streams():
    """a request by HTTP/2 that has waited so long gets 503; its connection goes
    on, and so do those that are served on it"""
    server = Held()
    text = limited(server, group="    queue: 9\n    queue-timeout: 5",
                   listener="    http2: yes")
    with Daemon(text) as clbd, H2Client(clbd.port) as client:
        first, second = client.request("/1"), client.request("/2")
        equal(client.wait(second).status, 503)
        equal(clbd.stats()["timeouts"], 1)
        third = client.request("/3")
        wait_for("it to wait", lambda: clbd.stats()["queued"] == 2)
        server.let(2)
        equal(client.wait(first).status, 200)
        equal(client.wait(third).status, 200)
        equal(len(server.requests), 2)


def server_cookie_of_streams():
    """server-cookie: by HTTP/2 the same, with a cookie in each field"""
    def answer(server, sock, reader, request):
        body = (request.get("Cookie") or "").encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                     b"Set-Cookie: ID=%s; Path=/\r\n\r\n%s" %
                     (len(body), server.name.encode(), body))
    a, b = Server(answer, "a"), Server(answer, "b")
    text = config(a, b, top="secret: s", listener="    http2: yes",
                  group="    server-cookie: ID\n    scheduler: rr")
    with Daemon(text) as clbd, H2Client(clbd.port) as client:
        for server in (a, b):
            found = client.ask().get("set-cookie")
            token, value = re.fullmatch(r"ID=([0-9a-f]{32}~)(.); Path=/",
                                        found).groups()
            equal(value, server.name)
            server.requests.clear()
            for _ in range(4):
                answered = client.ask(more=[("cookie", "p=1"),
                                            ("cookie", f"ID={token}{value}"),
                                            ("cookie", "q=2")])
                equal(answered.body.decode().rstrip(),
                      f"p=1; ID={value}; q=2")
            equal(len(server.requests), 4)


def count_until_limited(port, host, rate, burst):
    """Requests until the first 429: not more than the limit lets pass."""
    start = time.monotonic()
    good = 0
    with Client(port) as client:
        while True:
            answer = client.ask(host=host)
            if answer.status == 429:
                break
            equal(answer.status, 200)
            good += 1
            most = burst + rate * (time.monotonic() - start) + 1
            equal(good <= most, True, f"{good} of {most}")
        equal(answer.get("Retry-After"), "1")
        equal(answer.get("Connection"), None)
        wait_for("the next", lambda: client.ask(host=host).status == 200)
    return good


def rate():
    """rate, burst: what is beyond gets 429; each rule has its own, and a reload
    gives nobody more"""
    server = Server()
    text = config(server, listener="""    rules:
      - {domain: a.example, group: web, rate: 2, burst: 5}
      - {domain: b.example, group: web, rate: 2, burst: 9}""")
    with Daemon(text) as clbd:
        equal(count_until_limited(clbd.port, "a.example", 2, 5) >= 5, True)
        for _ in range(20):
            equal(ask(clbd.port, host="other").status, 200)
        equal(count_until_limited(clbd.port, "b.example", 2, 9) >= 9, True)
        start = time.monotonic()
        with Client(clbd.port) as client:
            good = sum(client.ask(host="b.example").status == 200
                       for _ in range(3))
            for _ in range(5):
                clbd.reload(text)
                good += sum(client.ask(host="b.example").status == 200
                            for _ in range(9))
        most = 9 + 2 * (time.monotonic() - start)
        equal(good < most, True, f"{good} of {most}")
        equal(clbd.stats()["rate_limited"] > 0, True)


def rate_of_listener():
    """limits.rate: all requests of a listener"""
    with Daemon(config(Server(), listener="    limits: {rate: 2, burst: 5}")
                ) as clbd:
        equal(count_until_limited(clbd.port, "a.example", 2, 5) >= 5, True)


def share_of(clbd, name, requests=60):
    with Client(clbd.port) as client:
        return sum(client.ask().body == name for _ in range(requests))


def slow_start():
    """slow-start: a server that is new gets little at first; those of the start
    are all as new"""
    a, b = Server(name="a"), Server(name="b")
    for scheduler in ("rr", "wrr"):
        group = f"    scheduler: {scheduler}\n    slow-start: 900"
        with Daemon(config(a, b, group=group)) as clbd:
            equal(share_of(clbd, b"b"), 30, f"{scheduler}: at the start")
        with Daemon(config(a, group=group)) as clbd:
            clbd.reload(config(a, b, group=group))
            got = share_of(clbd, b"b")
            equal(0 <= got <= 5, True, f"{scheduler}: {got} when it is new")
            clbd.reload(config(a, b, group=f"    scheduler: {scheduler}"))
            equal(share_of(clbd, b"b"), 30, f"{scheduler}: without")


def slow_start_ends():
    """slow-start: a server that came up gets little at first, and after its time
    its share"""
    a, b = Server(name="a"), Server(name="b")
    check = "    check: {interval: 1, fall: 1, rise: 1}\n    slow-start: "
    with Daemon(config(a, b, group=check + "900")) as clbd:
        b.close()
        clbd.wait_told(f"{b.address} is down")
        back = Server(name="b", port=b.port)
        clbd.wait_told(f"{b.address} is up")
        got = share_of(clbd, b"b")
        equal(got <= 5, True, f"{got} after it came up")
        clbd.reload(config(a, back, group=check + "1"))
        wait_for("its share", lambda: share_of(clbd, b"b") == 30)
        back.close()


def own_of_rules():
    """scheduler, hash, cookie: a rule may have them otherwise than its group"""
    a, b = Server(name="a"), Server(name="b")
    text = config(a, b, top="secret: s", group="    scheduler: rr",
                  listener="""    rules:
      - {domain: hash.example, group: web, scheduler: hash, hash: url}
      - {domain: cookie.example, group: web, cookie: S, cookie-lifetime: 60}""")
    with Daemon(text) as clbd:
        for _ in range(3):
            equal({ask(clbd.port).body for _ in range(4)}, {b"a", b"b"})
        for i in range(8):
            equal(len({ask(clbd.port, f"/{i}", host="hash.example").body
                       for _ in range(4)}), 1)
        equal(len({ask(clbd.port, f"/{i}", host="hash.example").body
                   for i in range(40)}), 2)
        first = ask(clbd.port, host="cookie.example")
        value = first.get("Set-Cookie")
        equal(value.endswith("Max-Age=60"), True)
        fields = f"Cookie: {value.split(';')[0]}\r\n"
        equal({ask(clbd.port, fields=fields, host="cookie.example").body
               for _ in range(6)}, {first.body})
        equal(ask(clbd.port).get("Set-Cookie"), None)
        equal({ask(clbd.port, fields=fields).body for _ in range(6)},
              {b"a", b"b"})


def server_cookie():
    """server-cookie: who has the cookie of a server goes to it; servers see it as
    they set it, and other cookies are left alone"""
    def answer(server, sock, reader, request):
        body = (request.get("Cookie") or "").encode()
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                     b"Set-Cookie: other=1\r\n"
                     b"Set-Cookie: ID=%s~x; Path=/; HttpOnly\r\n\r\n%s" %
                     (len(body), server.name.encode(), body))
    a, b = Server(answer, "a"), Server(answer, "b")
    text = config(a, b, top="secret: s",
                  group="    server-cookie: ID\n    scheduler: rr")
    with Daemon(text) as clbd:
        for server in (a, b):
            cookies = ask(clbd.port).all("Set-Cookie")
            equal(len(cookies), 2)
            equal(cookies[0], "other=1")
            found = re.fullmatch(r"ID=([0-9a-f]{32}~)(.~x); Path=/; HttpOnly",
                                 cookies[1])
            token, value = found.groups()
            equal(value, f"{server.name}~x")
            server.requests.clear()
            for sent, seen in (
                    (f"ID={token}{value}", f"ID={value}"),
                    (f"p=1; ID={token}{value}; q=2", f"p=1; ID={value}; q=2"),
                    (f"ID={token}", "ID="),
                    (f"ID={token}1; ID={token}2", "ID=1; ID=2"),
                    (f"ID={token}{token}", f"ID={token}"),
                    (f"NID={token}1; ID={token}2", f"NID={token}1; ID=2")):
                answer = ask(clbd.port, fields=f"Cookie: {sent}\r\n")
                equal(answer.body.decode().rstrip(), seen)
            equal(len(server.requests), 6)
        # of nobody: taken away all the same
        answer = ask(clbd.port, fields=f"Cookie: ID={'0' * 32}~y\r\n")
        equal(answer.body.rstrip(), b"ID=y")
        for plain in ("ID=y", f"ID={'0' * 31}~y", f"ID={'G' * 32}~y"):
            equal(ask(clbd.port, fields=f"Cookie: {plain}\r\n").body,
                  plain.encode())


if __name__ == "__main__":
    Tap().run([queue, no_queue, queue_timeout, queue_left, queue_and_reload,
               queue_of_bound, queue_full_at_once, queue_of_streams,
               queue_timeout_of_streams, rate, rate_of_listener, slow_start, slow_start_ends,
               own_of_rules, server_cookie, server_cookie_of_streams])
