#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where requests go: schedulers, rules, redirects, cookies; error pages."""
import os
import pathlib
import signal
import tempfile

from rig import (Client, Daemon, Server, Tap, ask, config, equal,
                 reply)


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
        first = [client.ask(f"/{i}").body for i in range(80)]
        equal([client.ask(f"/{i}").body for i in range(80)], first)
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


def redirect_codes():
    """redirect-code: each that sends a client elsewhere; 301 without"""
    codes = (301, 302, 303, 307, 308)
    text = config(Server(), listener="    rules:\n" + "".join(
        f"      - {{url: /{code}, redirect: \"https://$host$uri\", "
        f"redirect-code: {code}}}\n" for code in codes))
    with Daemon(text) as clbd, Client(clbd.port) as client:
        for code in codes:
            response = client.ask(f"/{code}?x", host="a.example:80")
            equal(response.status, code)
            equal(response.get("Location"), f"https://a.example/{code}?x")


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


if __name__ == "__main__":
    Tap().run([shares, hashed, ruled, no_rule, redirects, redirect_codes,
               location_too_long,
               error_pages, cookie, cookie_of_the_lost])
