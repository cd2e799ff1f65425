#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Responses that clbd compresses, and those that it leaves alone."""
import random
import threading
import zlib

from h2client import H2Client, config2
from rig import (Client, Daemon, Server, Tap, ask, config, equal, wait_for)

TEXT = b"".join(b"line %d of a text that is worth it\n" % i
                for i in range(3000))
GZIP = "    gzip: {level: 6, minimum: 100}"
TAKES = "Accept-Encoding: gzip\r\n"


def unpack(data):
    """All of it, and nothing behind it."""
    stream = zlib.decompressobj(wbits=31)
    body = stream.decompress(data)
    equal(stream.eof, True, "the end of the compressed body")
    equal(stream.unused_data, b"", "behind it")
    return body


def answering(body, fields="Content-Type: text/plain\r\n", status="200 OK"):
    def answer(_server, sock, _reader, request):
        head = (f"HTTP/1.1 {status}\r\n{fields}"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        sock.sendall(head + (b"" if request.first.startswith("HEAD") else body))
    return Server(answer)


def compressed():
    """a response is compressed for a client that takes gzip, and told so"""
    server = answering(TEXT, "Content-Type: Text/Plain; charset=utf-8\r\n"
                       "ETag: \"a\"\r\nAccept-Ranges: bytes\r\n"
                       "Content-Digest: md5=:x:\r\nX-Other: 1\r\n")
    with Daemon(config(server, listener=GZIP)) as clbd, \
            Client(clbd.port) as client:
        for _ in range(2):
            response = client.ask(fields=TAKES)
            equal(unpack(response.body) == TEXT, True, "body")
            equal(response.get("Content-Encoding"), "gzip")
            equal(response.get("Transfer-Encoding"), "chunked")
            equal(response.get("Content-Length"), None)
            equal(response.get("ETag"), 'W/"a"')
            equal(response.get("Vary"), "Accept-Encoding")
            equal(response.get("Accept-Ranges"), None)
            equal(response.get("Content-Digest"), None)
            equal(response.get("X-Other"), "1")
        equal(len(response.body) < len(TEXT) / 4, True, "smaller")
        equal(server.connections, 1)
        equal(clbd.stats()["gzipped"], 2)


def not_taken():
    """one that a client does not take is left as it is, and says what it would
    depend on"""
    server = answering(TEXT, "Content-Type: text/css\r\nETag: \"a\"\r\n")
    with Daemon(config(server, listener=GZIP)) as clbd:
        for fields in ("", "Accept-Encoding: br, deflate\r\n",
                       "Accept-Encoding: gzip;q=0\r\n",
                       "Accept-Encoding: gzip;q=0.1, identity\r\n",
                       "Accept-Encoding: *;q=0\r\n",
                       "Accept-Encoding: gzip;q=2\r\n",
                       "Accept-Encoding: gzip;level=1\r\n",
                       "Accept-Encoding: gzipped\r\n"):
            response = ask(clbd.port, fields=fields)
            equal(response.body == TEXT, True, f"body for {fields}")
            equal(response.get("Content-Encoding"), None, fields)
            equal(response.get("ETag"), '"a"')
            equal(response.get("Vary"), "Accept-Encoding")
        for fields in ("Accept-Encoding: br, GZIP\r\n",
                       "Accept-Encoding: br\r\naccept-encoding: x-gzip\r\n",
                       "Accept-Encoding: *\r\n",
                       "Accept-Encoding: gzip ; q=0.001 ,identity;q=0\r\n",
                       "Accept-Encoding: gzip;q=1.000\r\n"):
            response = ask(clbd.port, fields=fields)
            equal(response.get("Content-Encoding"), "gzip", fields)
            equal(unpack(response.body) == TEXT, True, f"body for {fields}")


def left_alone():
    """what is compressed, partial, small, of another type, or not to be
    transformed, is left as it is"""
    plain = "Content-Type: text/plain\r\n"
    for body, fields, status in (
            (TEXT, plain + "Content-Encoding: br\r\n", "200 OK"),
            (TEXT, plain + "Content-Range: bytes 0-1/2\r\n",
             "206 Partial Content"),
            (TEXT, plain, "206 Partial Content"),
            (TEXT, plain + "Cache-Control: private, No-Transform\r\n",
             "200 OK"),
            (TEXT[:99], plain, "200 OK"),
            (TEXT, "Content-Type: image/png\r\n", "200 OK"),
            (TEXT, "Content-Type: textual/plain\r\n", "200 OK"),
            (TEXT, plain + plain.replace("text", "image"), "200 OK"),
            (TEXT, "", "200 OK")):
        with Daemon(config(answering(body, fields, status),
                           listener=GZIP)) as clbd:
            response = ask(clbd.port, fields=TAKES)
            equal(response.body == body, True, "body of " + fields)
            equal(response.get("Content-Length"), str(len(body)))
            equal(response.get("Vary"), None, fields)
            equal(clbd.stats()["gzipped"], 0)
    with Daemon(config(answering(TEXT), listener=GZIP)) as clbd:
        response = ask(clbd.port, method="HEAD", fields=TAKES)
        equal(response.get("Content-Encoding"), None)
        response = ask(clbd.port, fields=TAKES, version="1.0")
        equal(response.body == TEXT, True, "body for HTTP/1.0")
        equal(response.get("Vary"), "Accept-Encoding")
    with Daemon(config(answering(TEXT))) as clbd:
        response = ask(clbd.port, fields=TAKES)
        equal(response.body == TEXT, True, "body without gzip")
        equal(response.get("Vary"), None)


def types():
    """gzip.types says what is compressed, and Vary is not said twice"""
    listener = "    gzip: {types: [application/x-own, \"image/*\"]}"
    with Daemon(config(answering(TEXT), listener=listener)) as clbd:
        equal(ask(clbd.port, fields=TAKES).get("Content-Encoding"), None)
    for kind in "application/X-Own", "image/png":
        server = answering(TEXT, f"Content-Type: {kind}\r\n"
                           "Vary: Origin, accept-encoding\r\n")
        with Daemon(config(server, listener=listener)) as clbd:
            response = ask(clbd.port, fields=TAKES)
            equal(unpack(response.body) == TEXT, True, "body")
            equal(response.all("Vary"), ["Origin, accept-encoding"])


def without_length():
    """bodies in chunks, and those that last until the server closes"""
    def answer(_server, sock, _reader, request):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        if "close" in request.first:
            sock.sendall(head + b"\r\n" + TEXT)
            return False
        sock.sendall(head + b"Transfer-Encoding: chunked\r\n"
                     b"Trailer: X-Sum\r\n\r\n")
        for at in range(0, len(TEXT), 5000):
            part = TEXT[at:at + 5000]
            sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        sock.sendall(b"0\r\nX-Sum: 1\r\n\r\n")
        return True
    server = Server(answer)
    with Daemon(config(server, listener=GZIP)) as clbd, \
            Client(clbd.port) as client:
        for target in "/chunks", "/close", "/chunks":
            response = client.ask(target, fields=TAKES)
            equal(unpack(response.body) == TEXT, True, "body of " + target)
            equal(response.get("Trailer"), None)
            equal(response.trailers, b"")
        response = client.ask("/close")
        equal(response.body == TEXT, True, "body as it is")


def empty():
    """a body of nothing is a compressed one of nothing"""
    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    with Daemon(config(Server(answer), listener=GZIP)) as clbd:
        equal(unpack(ask(clbd.port, fields=TAKES).body), b"")


def streaming():
    """what a server has sent so far reaches the client, compressed"""
    seen = threading.Semaphore(0)
    parts = [b"part %d of the stream\n" % i * 7 for i in range(20)]

    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        for part in parts:
            sock.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            equal(seen.acquire(timeout=20), True, "the client has seen it")
        sock.sendall(b"0\r\n\r\n")
    with Daemon(config(Server(answer), listener=GZIP)) as clbd, \
            Client(clbd.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + TAKES.encode() +
                    b"\r\n")
        reader = client.reader
        reader.until(b"\r\n\r\n")
        stream = zlib.decompressobj(wbits=31)
        for part in parts:
            got = b""
            while len(got) < len(part):
                size = int(reader.until(b"\r\n"), 16)
                got += stream.decompress(reader.exactly(size))
                equal(reader.exactly(2), b"\r\n")
            equal(got, part)
            seen.release()
        rest, _ = reader.chunks()
        stream.decompress(rest)
        equal(stream.eof, True)


def slow_client():
    """a client that does not read stops the server, and gets all of it later"""
    body = random.Random(1).randbytes(30000000)
    sent = []

    def answer(_server, sock, _reader, request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                     b"Content-Length: %d\r\n\r\n" % len(body))
        if request.first.startswith("HEAD"):
            return
        for at in range(0, len(body), 100000):
            sock.sendall(body[at:at + 100000])
            sent.append(at)
    with Daemon(config(Server(answer), listener=GZIP)) as clbd, \
            Client(clbd.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + TAKES.encode() +
                    b"\r\n")
        client.reader.until(b"\r\n\r\n")
        # Until the kernel's buffers are full; and others are served.
        counts = []

        def stalled():
            equal(ask(clbd.port, method="HEAD").status, 200)
            counts.append(len(sent))
            return len(counts) > 50 and counts[-50] == counts[-1]
        wait_for("the server to be stopped", stalled)
        equal(len(sent) < 250, True, f"{len(sent)} of 300 parts were sent")
        data, _ = client.reader.chunks()
        equal(unpack(data) == body, True, "body")


def cut_off():
    """a body that the server cuts off does not look complete"""
    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                     b"Content-Length: 100000\r\n\r\n" + TEXT[:50000])
        return False
    with Daemon(config(Server(answer), listener=GZIP)) as clbd, \
            Client(clbd.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + TAKES.encode() +
                    b"\r\n")
        complete = True
        try:
            client.reader.until(b"\r\n\r\n")
            client.reader.chunks()
        except (ConnectionError, TypeError, ValueError, EOFError):
            complete = False
        equal(complete, False, "complete")


def too_many():
    """beyond so many at once, responses are not compressed, and counted"""
    gate = threading.Event()

    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        gate.wait(300)
        sock.sendall(b"3\r\nabc\r\n0\r\n\r\n")
    clients = []
    with Daemon(config(Server(answer), listener=GZIP)) as clbd:
        try:
            for i in range(257):
                client = Client(clbd.port)
                clients.append(client)
                client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" +
                            TAKES.encode() + b"\r\n")
                head = client.reader.until(b"\r\n\r\n")
                equal(b"Content-Encoding: gzip" in head, i < 256, i)
        finally:
            gate.set()
        for i, client in enumerate(clients):
            body, _ = client.reader.chunks()
            equal(unpack(body) if i < 256 else body, b"abc")
            client.close()
        equal(clbd.stats()["gzip_full"], 1)


def not_modified():
    """304: a tag is told as with the response that would have been compressed"""
    def answer(_server, sock, _reader, request):
        told = {"/strong": '"a"', "/weak": 'W/"a"'}[request.first.split()[1]]
        sock.sendall(b"HTTP/1.1 304 X\r\nETag: %s\r\n\r\n" % told.encode())
    with Daemon(config(Server(answer), listener=GZIP)) as clbd, \
            Client(clbd.port) as client:
        for target, fields, tag in (("/strong", TAKES, 'W/"a"'),
                                    ("/weak", TAKES, 'W/"a"'),
                                    ("/strong", "", '"a"')):
            response = client.ask(target, fields=fields)
            equal(response.status, 304)
            equal(response.all("ETag"), [tag], target + fields)
            equal(response.all("Vary"), ["Accept-Encoding"])
    with Daemon(config(Server(answer))) as clbd:
        response = ask(clbd.port, "/strong", fields=TAKES)
        equal((response.get("ETag"), response.get("Vary")), ('"a"', None))


def by_http2():
    """HTTP/2: compressed responses have no trailers, others do"""
    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n"
                     b"3\r\nabc\r\n0\r\nDigest: x\r\n\r\n")
    with Daemon(config2(Server(answer), listener=GZIP)) as clbd, \
            H2Client(clbd.port) as client:
        stream = client.ask(more=[("accept-encoding", "gzip")])
        equal((unpack(stream.body), stream.trailers), (b"abc", None))
        stream = client.ask()
        equal(stream.body, b"abc")
        equal(len(stream.trailers), 1)


if __name__ == "__main__":
    Tap().run([compressed, not_taken, left_alone, types, without_length, empty,
               streaming, slow_client, cut_off, too_many, not_modified,
               by_http2])
