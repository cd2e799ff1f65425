#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP/2: what is bounded, in number and time, and how connections end."""
import contextlib
import pathlib
import signal
import socket
import struct
import threading

from h2client import (CODES, END_HEADERS, END_STREAM, H2Client, HEADERS, PING,
                      PREFACE, RawClient, SETTINGS, WINDOW, frame, answering,
                      config2)
from rig import (PATIENCE, Client, Daemon, HeadServer, Server, Tap, equal,
                 free_port, status_of, wait_for)


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
    server = Server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
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
    server = Server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" +
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


def waiting(port, other):
    """Bytes that a connection's socket at @port has for its program."""
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues = line.split()[:5]
        if (int(local.split(":")[1], 16) == port and
                int(remote.split(":")[1], 16) == other):
            return int(queues.split(":")[1], 16)
    raise AssertionError("no such connection")


def is_unread(clbd, sock):
    """Whether the worker sleeps, though there is something to be read."""
    ports = clbd.port, sock.getsockname()[1]
    before = waiting(*ports)
    state = status_of(clbd.workers()[0])["State"]
    return before and state.startswith("S") and waiting(*ports) == before


def unread():
    """of a client that does not read its socket nothing is read either; all is
    answered when it does"""
    count, size = 30000, 1000
    with Daemon(config2(Server(), listener="    limits: {streams: 1000}\n"
                        "    rules: [{url: /, redirect: http://$host$uri}]")) as clbd:
        with RawClient(clbd.port) as client:
            # What is not in the table of HPACK is as long each time.
            plain = b"\x82\x86\x41\x01a\x04\x7f\xe9\x06/" + b"a" * (size - 1)
            data = b"".join(frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1,
                                  plain) for i in range(count))
            client.send(frame(WINDOW, 0, 0, struct.pack(">I", 0x7ffe0000)))
            client.sock.setblocking(False)
            sent = 0

            def is_left():
                nonlocal sent
                with contextlib.suppress(BlockingIOError):
                    while sent < len(data):
                        sent += client.sock.send(data[sent:sent + 65536])
                return is_unread(clbd, client.sock)
            wait_for("clbd to read no more", is_left)
            equal(0 < clbd.stats()["requests"] < count, True)
            client.sock.settimeout(PATIENCE)

            def feed():     # the timeout is that of each part
                for at in range(sent, len(data), 65536):
                    client.sock.sendall(data[at:at + 65536])
            feeder = threading.Thread(target=feed, daemon=True)
            feeder.start()
            left = count
            for kind, _, _, _ in client.frames():
                left -= kind == HEADERS
                if not left:
                    break
            equal(left, 0)
            # a worker counts what it has sent, which may be here by then
            wait_for("all answers to be counted",
                     lambda: clbd.stats()["responses_3xx"] >= count)
            equal(clbd.stats()["responses_3xx"], count)


def room_again():
    """streams that wait for room in the connection's buffers, while their bodies
    go on, have it again"""
    go, part = threading.Event(), bytes(3000000)

    def answer(_server, sock, _reader, _request):
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" %
                     (2 * len(part)) + part)
        go.wait(PATIENCE)
        sock.sendall(part)
    server = Server(answer)
    with Daemon(config2(server)) as clbd, \
            H2Client(clbd.port, window=1 << 30) as client:
        client.h2.increment_flow_control_window(1 << 30)
        streams = [client.request() for _ in range(4)]
        wait_for("requests", lambda: len(server.requests) == 4)
        client.until(lambda: all(len(client.streams[s].body) > 1000000
                                 for s in streams))
        go.set()
        for stream in streams:
            equal(len(client.wait(stream).body), 2 * len(part))


if __name__ == "__main__":
    Tap().run([limits, stop, stop_unanswered, stop_and_read, listener_goes,
               idle, slow_head, slow_body, stuck, unread, room_again])
