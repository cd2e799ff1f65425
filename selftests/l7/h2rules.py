#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HTTP/2: who breaks the rules, or does things to no purpose, harms nobody else."""
import struct
import threading

from h2client import (ACK, CODES, CONT, DATA, END_HEADERS, END_STREAM, H2Client,
                      HEADERS, PING, PRIORITY, RST, RawClient, SETTINGS, WINDOW,
                      answering, config2, frame)
from rig import (Daemon, HeadServer, Server, Tap, ask, equal)

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
    """requests whose bodies are too short or too long for their lengths, or whose
    trailers may not be, so that clbd has to reset them: the connection ends"""
    length = [("content-length", "1")]
    trailers = b"\x00\x0econtent-length\x011"
    kinds = {
        "too short": (length, DATA, END_STREAM, b""),
        "too long": (length, DATA, END_STREAM, b"ab"),
        "too long, and not all": (length, DATA, 0, b"ab"),
        "trailers": ([], HEADERS, END_HEADERS | END_STREAM, trailers),
    }
    server = HeadServer(lambda *args: True)
    with Daemon(config2(server)) as clbd:
        for count, (name, (more, *rest)) in enumerate(kinds.items()):
            with RawClient(clbd.port) as client:
                for stream in range(1, 1001, 2):
                    head = client.block(method="POST", more=more)
                    kind, flags, body = rest
                    if not client.send(
                            frame(HEADERS, END_HEADERS, stream, head) +
                            frame(kind, flags, stream, body)):
                        break
                # Of no stream: the end in any case.
                client.send(frame(DATA, 0, 0, b"a"))
                equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM),
                      name)
            equal(clbd.stats()["h2_floods"], count + 1, name)


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


def floods_of_closed():
    """frames without a byte for a stream that is closed end the connection; the
    ends of bodies do not"""
    with Daemon(config2(Server())) as clbd:
        for count, flags in enumerate((0, END_STREAM)):
            with RawClient(clbd.port) as client:
                client.request(1)
                equal(client.find(DATA, 1), b"server")
                for _ in range(40):
                    if not client.send(frame(DATA, flags, 1) * 100):
                        break
                equal(client.verdict(0), ("goaway", CODES.ENHANCE_YOUR_CALM),
                      flags)
            equal(clbd.stats()["h2_floods"], count + 1, flags)
        with H2Client(clbd.port) as client:
            for _ in range(1500):
                stream = client.request(method="POST", end=False)
                client.send(stream, b"", end=True)
                equal(client.wait(stream).status, 200)


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


PADDED = 8


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
        "HEADERS of no stream":
        (frame(HEADERS, 5, 0, b"\x82"), ("goaway", CODES.PROTOCOL_ERROR)),
        "HEADERS padded by more than there is":
        (frame(HEADERS, 5 | PADDED, 3, b"\x09\x82"),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "DATA padded by more than there is":
        (frame(DATA, PADDED, 1, b"\x09a"), ("goaway", CODES.PROTOCOL_ERROR)),
        "DATA amid a head":
        (frame(HEADERS, 0, 3, b"\x82") + frame(DATA, 0, 1, b"a"),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "CONTINUATION of another stream":
        (frame(HEADERS, 0, 3, b"\x82") + frame(CONT, 4, 1, b""),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "an unknown frame amid a head":
        (frame(HEADERS, 0, 3, b"\x82") + frame(77, 0, 0, b""),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "RST_STREAM of no stream":
        (frame(RST, 0, 0, bytes(4)), ("goaway", CODES.PROTOCOL_ERROR)),
        "RST_STREAM of a stream that never was":
        (frame(RST, 0, 9, bytes(4)), ("goaway", CODES.PROTOCOL_ERROR)),
        "RST_STREAM of 3 bytes":
        (frame(RST, 0, 1, bytes(3)), ("goaway", CODES.FRAME_SIZE_ERROR)),
        "WINDOW_UPDATE of 3 bytes":
        (frame(WINDOW, 0, 0, bytes(3)), ("goaway", CODES.FRAME_SIZE_ERROR)),
        "WINDOW_UPDATE of a stream that never was":
        (frame(WINDOW, 0, 9, struct.pack(">I", 1)),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "window of a stream grows by nothing":
        (frame(WINDOW, 0, 1, bytes(4)), ("goaway", CODES.PROTOCOL_ERROR)),
        "PRIORITY of 4 bytes":
        (frame(PRIORITY, 0, 1, bytes(4)), ("goaway", CODES.FRAME_SIZE_ERROR)),
        "PING of a stream":
        (frame(PING, 0, 1, bytes(8)), ("goaway", CODES.PROTOCOL_ERROR)),
        "GOAWAY of a stream":
        (frame(7, 0, 1, bytes(8)), ("goaway", CODES.PROTOCOL_ERROR)),
        "SETTINGS of a stream":
        (frame(SETTINGS, 0, 1, b""), ("goaway", CODES.PROTOCOL_ERROR)),
        "SETTINGS of 5 bytes":
        (frame(SETTINGS, 0, 0, bytes(5)), ("goaway", CODES.FRAME_SIZE_ERROR)),
        "SETTINGS that acknowledge and set":
        (frame(SETTINGS, ACK, 0, bytes(6)), ("goaway", CODES.FRAME_SIZE_ERROR)),
        "SETTINGS: push is neither on nor off":
        (frame(SETTINGS, 0, 0, struct.pack(">HI", 2, 2)),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "SETTINGS: a window too large":
        (frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 31)),
         ("goaway", CODES.FLOW_CONTROL_ERROR)),
        "SETTINGS: frames too short":
        (frame(SETTINGS, 0, 0, struct.pack(">HI", 5, 16383)),
         ("goaway", CODES.PROTOCOL_ERROR)),
        "SETTINGS: frames too long":
        (frame(SETTINGS, 0, 0, struct.pack(">HI", 5, 1 << 24)),
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
    server = Server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" +
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


if __name__ == "__main__":
    Tap().run([malformed, wrong_lengths, rapid_reset, made_resets, floods, floods_of_closed,
               continuations, header_bombs, broken_frames, tiny_windows])
