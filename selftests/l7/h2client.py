# SPDX-License-Identifier: MIT
"""A client of HTTP/2 for tests, on python3-h2, which may break the rules."""
import socket
import struct

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import hpack

from rig import PATIENCE, Connection, config

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONT = \
    range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CODES = h2.errors.ErrorCodes
HTTP2 = "    http2: yes"


def config2(*servers, listener="", **kwargs):
    return config(*servers, listener=f"{HTTP2}\n{listener}", **kwargs)


def answering(text):
    """A server's function that answers with just this."""
    def answer(server, sock, reader, request):
        sock.sendall(text)
    return answer


def request_fields(target="/", method="GET", more=(), host="a.example"):
    return [(":method", method), (":scheme", "http"), (":path", target),
            (":authority", host), *more]


class Stream:
    """What came on a stream so far."""

    def __init__(self):
        self.head = None
        self.interim = []
        self.body = b""
        self.trailers = None
        self.ended = False
        self.reset = None

    @property
    def status(self):
        return int(self.get(":status"))

    def get(self, name):
        values = [v for n, v in self.head or () if n == name]
        return ", ".join(values) if values else None

    @property
    def over(self):
        return self.ended or self.reset is not None


class H2Client(Connection):
    """Windows grow by themselves, unless slow."""

    def __init__(self, port, slow=False, window=None):
        self.sock = socket.create_connection(("127.0.0.1", port),
                                             timeout=PATIENCE)
        settings = h2.config.H2Configuration(
            header_encoding="latin-1", validate_outbound_headers=False,
            normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(settings)
        if window is not None:
            self.h2.local_settings = h2.settings.Settings(
                client=True, initial_values={
                    h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.slow = slow
        self.streams = {}
        self.goaways = []
        self.data = b""
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.sock.sendall(self.h2.data_to_send())

    def request(self, *args, end=True, fields=None, **kwargs):
        stream = self.h2.get_next_available_stream_id()
        self.streams[stream] = Stream()
        self.h2.send_headers(stream, fields or request_fields(*args, **kwargs),
                             end_stream=end)
        self.flush()
        return stream

    def send(self, stream, data, end=False):
        """A body, as windows allow."""
        sent = 0
        while sent < len(data):
            room = min(self.h2.local_flow_control_window(stream), 16384)
            if room <= 0:
                self.read()
                continue
            self.h2.send_data(stream, data[sent:sent + room])
            self.flush()
            sent += room
        if end:
            self.h2.end_stream(stream)
            self.flush()

    def read(self):
        """Takes what has come. False: the connection has ended."""
        try:
            data = self.sock.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            return False
        self.data += data
        for one in self.whole_frames():
            for event in self.h2.receive_data(one):
                self.note(event)
        self.flush()
        return True

    def whole_frames(self):
        """One by one: python3-h2 takes nothing behind a GOAWAY."""
        while len(self.data) >= 9:
            size = 9 + int.from_bytes(self.data[:3], "big")
            if len(self.data) < size:
                break
            one, self.data = self.data[:size], self.data[size:]
            yield one

    def note(self, event):
        kind = type(event)
        if kind is h2.events.ConnectionTerminated:
            self.goaways.append((event.error_code, event.last_stream_id))
            # It may be a notice: streams go on.
            self.h2.state_machine.state = \
                h2.connection.ConnectionState.CLIENT_OPEN
            return
        stream = self.streams.get(getattr(event, "stream_id", None))
        if stream is None:
            return
        if kind is h2.events.ResponseReceived:
            stream.head = event.headers
        elif kind is h2.events.InformationalResponseReceived:
            stream.interim.append(dict(event.headers))
        elif kind is h2.events.DataReceived:
            stream.body += event.data
            if not self.slow and event.flow_controlled_length:
                self.h2.acknowledge_received_data(
                    event.flow_controlled_length, event.stream_id)
        elif kind is h2.events.TrailersReceived:
            stream.trailers = event.headers
        elif kind is h2.events.StreamEnded:
            stream.ended = True
        elif kind is h2.events.StreamReset:
            stream.reset = event.error_code

    def wait(self, stream):
        """Until it ends."""
        while not self.streams[stream].over:
            if not self.read():
                raise AssertionError(f"connection ended: {self.goaways}")
        return self.streams[stream]

    def until(self, condition):
        while not condition():
            if not self.read():
                raise AssertionError(f"connection ended: {self.goaways}")

    def ask(self, *args, **kwargs):
        return self.wait(self.request(*args, **kwargs))

    def end(self):
        """Until the connection ends. The code of the last GOAWAY."""
        while self.read():
            pass
        return self.goaways[-1][0] if self.goaways else None

    def reset(self, stream, code=CODES.CANCEL):
        self.h2.reset_stream(stream, code)
        self.flush()


def frame(kind, flags=0, stream=0, payload=b""):
    return (struct.pack(">I", len(payload))[1:] +
            struct.pack(">BBI", kind, flags, stream) + payload)


class RawClient(Connection):
    """Frames by hand: sends what it is told to, and takes apart what comes."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port),
                                             timeout=PATIENCE)
        self.encoder = hpack.Encoder()
        self.data = b""
        self.send(PREFACE + frame(SETTINGS))

    def send(self, data):
        """False: nobody takes it any more."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def block(self, *args, **kwargs):
        return self.encoder.encode(request_fields(*args, **kwargs))

    def request(self, stream, *args, end=True, **kwargs):
        return self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0),
                               stream, self.block(*args, **kwargs)))

    def frames(self):
        """(kind, flags, stream, payload), until the connection ends."""
        while True:
            while len(self.data) >= 9:
                size = int.from_bytes(self.data[:3], "big")
                if len(self.data) < 9 + size:
                    break
                kind, flags, stream = struct.unpack(">BBI", self.data[3:9])
                payload = self.data[9:9 + size]
                self.data = self.data[9 + size:]
                yield kind, flags, stream & 0x7fffffff, payload
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                return
            if not data:
                return
            self.data += data

    def find(self, kind, stream=None):
        """The payload of the next frame of a kind, or None."""
        for k, _, s, payload in self.frames():
            if k == kind and stream in (None, s):
                return payload
        return None

    def verdict(self, stream=None):
        """("reset" or "goaway", code): the first that comes, of @stream."""
        for kind, _, s, payload in self.frames():
            if kind == RST and stream in (None, s):
                return "reset", CODES(int.from_bytes(payload, "big"))
            if kind == GOAWAY:
                return "goaway", CODES(int.from_bytes(payload[4:8], "big"))
        return "end", None
